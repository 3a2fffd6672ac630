"""Entry: who founds a lab or an app, and with what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.lab import CN, OPEN_BASE, ROW, VERTICAL
from world import app_life
from world.arrays import Array
from world.ecosystem import build
from world.layers import trade_of
from world.random_streams import normal, poisson

if TYPE_CHECKING:
    from world.state import World

#: Ordinals of one step: archetype * LAB_SLOTS + number of the entrant.
LAB_SLOTS = 128


# ---------------------------------------------------------------------- entry


def enter(world: World) -> None:
    """Phase 15: labs and apps are founded."""
    now, state = entry_rate(world), world.state
    # Between what founders saw at the last step's end and at this one's: as in the middle of the step.
    rate = 0.5 * (now + (now if state.entry_rate is None else state.entry_rate))
    state.entry_rate = now
    for archetype, row in enumerate(world.archetypes):
        share = (
            rate * row["entrant_share"]
            if row["region"] == "CN"
            else world.parameters.entry_exit.row_entry * row["entrant_share"]
        )
        share = np.broadcast_to(np.asarray(share, dtype=float), (world.worlds, 1))
        if not (share > 0.0).any():
            continue
        u = world.streams.per_world(f"entry {row['archetype']}", 1)[0]
        count = poisson(u, share * world.clock.months, world.config.population.most_new_labs).astype(np.int64)
        _found_labs(world, archetype, count)
    _fit_to_capacity(world)
    app_life.enter(world)


def _fit_to_capacity(world: World) -> None:
    """Memory by lab, and the social graph, follow a population that has grown."""
    state, width = world.state, world.labs.capacity
    if state.lab_relation.shape[-1] == width:
        return
    for name, old in list(vars(state).items()):
        if getattr(old, "shape", ())[-1:] == (state.lab_relation.shape[-1],) and name != "lab_relation":
            setattr(state, name, _widen(old, width))
    state.lab_relation = _widen(state.lab_relation, width)
    build(world)


def _widen(values: Array, width: int) -> Array:
    wide = np.zeros((*values.shape[:-1], width), dtype=values.dtype)
    wide[..., : values.shape[-1]] = values
    return wide


def entry_rate(world: World) -> Array:
    """Entrants a month: 1.6 exp(4.5 H - d X) (0.25 + F12/10bn)^0.3 K^-0.3 (1 - entrants/pool).

    F12 is the funding of twelve months, K the cost of a viable start relative to the first
    month, which falls with open bases and cheap compute (M48); X the exits of a year per
    potential entrant: who sees others fail stays away.
    """
    state, p = world.state, world.parameters.entry_exit
    funding = np.log(p.entry_money + np.minimum(state.funding_12 / 10_000.0, p.entry_money_most))
    rent = np.log(state.rent_training[CN] / state.rent_start)
    base = p.base_cheapens * np.maximum(state.frontier_open - state.open_start, 0.0)
    cost = rent - base
    room = np.maximum(1.0 - state.entrants / p.entrant_pool, 0.0)
    heat = p.entry_hype * state.hype + p.entry_elasticity * (funding - cost) - p.discouraged * state.exit_rate
    return p.entry_base * np.exp(heat) * room


def _found_labs(world: World, archetype: int, count: Array) -> None:
    if not count.any():
        return
    worlds = np.repeat(np.arange(world.worlds), count[:, 0])
    ordinals = np.concatenate([np.arange(n) for n in count[:, 0]]) + archetype * LAB_SLOTS
    entrants = world.labs.enter(worlds, ordinals, world.step_number + 1)
    endow_lab(world, entrants, world.archetypes[archetype], archetype)
    here = np.where(world.archetypes[archetype]["region"] == "CN", count, 0)
    world.state.entrants = world.state.entrants + here
    world.tally("entries", count.astype(float) if world.archetypes[archetype]["region"] == "CN" else 0.0 * count)


def endow_lab(world: World, labs, row: dict, archetype: int) -> None:
    """Give new labs what their archetype starts with; the purse comes from outside."""
    luck = normal(labs.draws("staff"), labs.draws("staff_luck"))
    size = np.exp(float(row["spread"]) * luck)
    labs.archetype = archetype
    labs.behaviour = world.entrant_class(archetype)
    labs.region = CN if row["region"] == "CN" else ROW
    labs.risk_appetite = float(row["risk"]) * np.exp(
        labs.view(world.parameters).entry_exit.risk_spread * normal(labs.draws("risk"), labs.draws("skill"))
    )
    labs.parent_support = float(row["parent_support"]) * size
    labs.chip_budget = float(row["chip_budget"]) * size
    heads = float(row["staff"]) * size
    mix = np.array([float(row[k]) for k in ("infra", "scaling", "research", "application")])
    _recruit(world, labs, heads * (mix / mix.sum()).reshape(4, 1, 1))
    labs.product_share = float(row["product_share"])
    labs.log_efficiency = world.state.public_efficiency[labs.worlds, 0] + float(row["edge"])
    _endow_with_ability(world, labs, float(row["data_quality"]))
    labs.mode = OPEN_BASE if row["builds"] else 0
    if archetype == VERTICAL:
        labs.home_segment = trade_of(labs.draws("home"), world.segments.privacy[world.segments.region == CN])
        start = np.asarray(labs.view(world.parameters).technology.layer_start) * np.ones_like(labs.cash)
        labs.layers = np.stack([0.0 * start, start, 0.0 * start])
    labs.log_largest = float(row["log_largest"])
    labs.since_round = 99.0
    labs.cost = float(row["burn"]) / 12.0 * size
    _buy_starting_fleet(world, labs, float(row["h100e"]) * size, row["chip"])
    labs.first_purse = float(row["cash"]) * size
    labs.knack, labs.candour = labs.draws("knack"), labs.draws("claim")
    purse = np.zeros_like(world.labs.cash)
    purse[labs.worlds, labs.rows] = labs.first_purse[0]
    world.accounts.pay("founding", "outside", (world.labs, purse))


def _endow_with_ability(world: World, labs, data_quality: float) -> None:
    """Labs differ in what no budget shows: their data, their craft, who holds each position."""
    p = labs.view(world.parameters)
    u = world.streams.pairs("ability", labs.worlds, labs.id[0], np.arange(12).reshape(-1, 1))
    luck = normal(u[:6], u[6:])[:, None]
    labs.data_quality = data_quality * np.exp(p.technology.data_spread * luck[0])
    labs.craft = np.exp(p.technology.post_spread * luck[1])
    labs.key_people = np.exp(p.training.people_spread * luck[2:])


def _recruit(world: World, labs, wanted: Array) -> None:
    """Founders and first staff come from outside the pools, and are counted as trained."""
    labs.staff = wanted
    for region in (CN, ROW):
        here = np.where(labs.region == region, wanted, 0.0)[:, 0]
        for kind in range(4):
            people = np.bincount(labs.worlds, here[kind], world.worlds)[:, None]
            world.state.trained_people[region][kind] += people


def _buy_starting_fleet(world: World, labs, h100e: Array, chip: str) -> None:
    """The first fleet is second hand: it comes out of the region's outside stock."""
    k = world.chips.names.index(chip)
    units = np.floor(h100e / world.chips.h100e[k, 0, 0])[0]
    region = labs.region[0]
    for where in (CN, ROW):
        wanted = np.where(region == where, units, 0.0)
        total = np.bincount(labs.worlds, wanted, world.worlds)
        have = world.state.outside_chips[where][k, :, 0]
        fill = np.minimum(1.0, have / np.maximum(total, 1e-9))
        given = wanted * fill[labs.worlds]
        world.labs.fleet[k, labs.worlds, labs.rows] += given
        taken = np.bincount(labs.worlds, given, world.worlds)
        world.state.outside_chips[where][k, :, 0] = np.maximum(have - taken, 0.0)
