"""Entry of labs and apps, and their endowments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import ARCHETYPES, CN, OPEN_BASE, ROW, VERTICAL
from baimo.conf.declare import stock
from baimo.world.apps import lifecycle
from baimo.world.capital.expectations import first_standing
from baimo.world.engine.arrays import Array, where
from baimo.world.engine.device import to_host
from baimo.world.engine.population import spread_out
from baimo.world.engine.random import normal, poisson
from baimo.world.engine.state import State
from baimo.world.models.own_data import trade_of
from baimo.world.network.social import draw_graph

if TYPE_CHECKING:
    from baimo.world.engine.world import World

#: Ordinals of one step: archetype * LAB_SLOTS + number of the entrant.
LAB_SLOTS = 128


class EntryState(State):
    """State of the entry of labs."""

    entrants = stock("labs", text="Labs of CN founded so far")
    entry_rate = stock("labs/month", first=np.nan, text="Rate of entry at the end of the last step")


# ---------------------------------------------------------------------- entry


def enter(world: World) -> None:
    """Phase 15: labs and apps are founded."""
    now, state, rows = entry_rate(world), world.state, world.labs.capacity
    # Between what founders saw at the last step's end and at this one's: as in the middle of the step.
    rate = 0.5 * (now + where(np.isnan(state.entry_rate), now, state.entry_rate))
    state.entry_rate = now
    founded = {k: _entrants(world, row, rate) for k, row in enumerate(world.archetypes) if row["entrant_share"] > 0.0}
    # How many there are is known to the host, which makes room for them: one look for all.
    counted = to_host(np.stack(list(founded.values())))
    for archetype, count in zip(founded, counted, strict=True):
        _found_labs(world, archetype, count)
    if world.labs.capacity > rows:
        draw_graph(world)
    lifecycle.found_apps(world)


def _entrants(world: World, row: dict, rate: Array) -> Array:
    """Number of labs of an archetype that are founded in this step, ``(worlds, 1)``."""
    rate = rate if row["region"] == "CN" else world.parameters.entry_exit.row_entry + world.xp.zeros((world.worlds, 1))
    u = world.streams.per_world(f"entry {row['archetype']}", 1)[0]
    expected = rate * row["entrant_share"] * world.clock.months
    return poisson(u, expected, world.config.population.most_new_labs).astype(np.int64)


def entry_rate(world: World) -> Array:
    """Entrants a month: b exp(h H - d X) (m + F12)^e K^-e (1 - entrants/pool).

    F12 is the funding of twelve months, K the cost of a viable start relative to the first
    month, which falls with open bases and cheap compute (M48); X the exits of a year per
    potential entrant, which deter entry.
    """
    state, entry_exit = world.state, world.parameters.entry_exit
    funding = np.log(entry_exit.entry_money + np.minimum(state.funding_12 / 10_000.0, entry_exit.entry_money_most))
    rent = np.log(state.rent_training[CN] / state.rent_start)
    base = entry_exit.base_cheapens * np.maximum(state.frontier_open - state.open_start, 0.0)
    cost = rent - base
    room = np.maximum(1.0 - state.entrants / entry_exit.entrant_pool, 0.0)
    heat = (
        entry_exit.entry_hype * state.hype
        + entry_exit.entry_elasticity * (funding - cost)
        - entry_exit.discouraged * state.exit_rate
    )
    return entry_exit.entry_base * np.exp(heat) * room


def _found_labs(world: World, archetype: int, count: np.ndarray) -> None:
    if not count.any():
        return
    worlds, ordinals = spread_out(count)
    entrants = world.labs.enter(worlds, ordinals + archetype * LAB_SLOTS, world.step_number + 1)
    endow_lab(world, entrants, world.archetypes[archetype], archetype)
    here = world.xp.asarray(count.astype(float)) * (world.archetypes[archetype]["region"] == "CN")
    world.state.entrants = world.state.entrants + here
    world.tally("entries", here)


def endow_lab(world: World, labs, row: dict, archetype: int) -> None:
    """Endow new labs by archetype; their cash comes from outside the industry."""
    draw = normal(labs.draws("staff"), labs.draws("staff_luck"))
    size = np.exp(float(row["spread"]) * draw)
    labs.archetype = archetype
    special = world.agent_classes.get(ARCHETYPES[archetype])
    labs.behaviour = world.labs.add_class(special) if special else 0
    labs.region = CN if row["region"] == "CN" else ROW
    labs.risk_appetite = float(row["risk"]) * np.exp(
        labs.view(world.parameters).entry_exit.risk_spread * normal(labs.draws("risk"), labs.draws("skill"))
    )
    labs.parent_support = float(row["parent_support"]) * size
    labs.chip_budget = float(row["chip_budget"]) * size
    labs.product_value = labs.parent_support * labs.view(world.parameters).parents.value
    labs.standing = first_standing(labs, labs.view(world.parameters).expectations)
    heads = float(row["staff"]) * size
    mix = world.xp.asarray([float(row[k]) for k in ("infra", "scaling", "research", "application")])
    _recruit(world, labs, heads * (mix / mix.sum()).reshape(4, 1, 1))
    labs.product_share = float(row["product_share"])
    labs.log_efficiency = world.state.public_efficiency[labs.worlds, 0] + float(row["edge"])
    _endow_with_ability(world, labs, float(row["data_quality"]))
    labs.mode = OPEN_BASE if row["builds"] else 0
    if archetype == VERTICAL:
        labs.home_segment = trade_of(labs.draws("home"), world.segments.privacy[world.segments.cn])
        start = labs.view(world.parameters).technology.layer_start * np.ones_like(labs.cash)
        labs.layers = np.stack([0.0 * start, start, 0.0 * start])
    labs.log_largest = float(row["log_largest"])
    labs.since_round = 99.0
    labs.cost = float(row["burn"]) / 12.0 * size
    _buy_starting_fleet(world, labs, float(row["h100e"]) * size, row["chip"])
    labs.first_purse = float(row["cash"]) * size
    labs.knack, labs.honesty = labs.draws("knack"), labs.draws("claim")
    purse = np.zeros_like(world.labs.cash)
    purse[labs.worlds, labs.rows] = labs.first_purse[0]
    world.accounts.pay("founding", "outside", (world.labs, purse))


def _endow_with_ability(world: World, labs, data_quality: float) -> None:
    """Draw the unobserved abilities of new labs: data, know-how and quality of staff."""
    p = labs.view(world.parameters)
    u = world.streams.pairs("ability", labs.worlds, labs.id[0], labs.xp.arange(12).reshape(-1, 1))
    draw = normal(u[:6], u[6:])[:, None]
    labs.data_quality = data_quality * np.exp(p.technology.data_spread * draw[0])
    labs.craft = np.exp(p.technology.post_spread * draw[1])
    labs.key_people = np.exp(p.training.people_spread * draw[2:])


def _recruit(world: World, labs, wanted: Array) -> None:
    """Recruit founders and first staff from outside the pools, counted as trained."""
    labs.staff = wanted
    for region in (CN, ROW):
        here = where(labs.region == region, wanted, 0.0)[:, 0]
        for kind in range(4):
            world.state.trained_people[region][kind] += labs.by_world(here[kind])


def _buy_starting_fleet(world: World, labs, h100e: Array, chip: str) -> None:
    """Buy the first fleet second hand, from the region's outside stock."""
    k = world.chips.names.index(chip)
    units = np.floor(h100e / world.catalogue.h100e[k, 0, 0])[0]
    region = labs.region[0]
    for home in (CN, ROW):
        wanted = where(region == home, units, 0.0)
        total = labs.by_world(wanted)[:, 0]
        have = world.state.outside_chips[home][k, :, 0]
        fill = np.minimum(1.0, have / np.maximum(total, 1e-9))
        given = wanted * fill[labs.worlds]
        world.labs.fleet[k, labs.worlds, labs.rows] += given
        taken = labs.by_world(given)[:, 0]
        world.state.outside_chips[home][k, :, 0] = np.maximum(have - taken, 0.0)
