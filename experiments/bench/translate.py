"""From columns to agents: one world of a ``ColumnMarket`` as a plain Mesa model with the same start."""

from __future__ import annotations

from typing import Any

import numpy as np

from baimo.agents.enums import ALL_OPEN, API, BIG_TECH, FRONTIER, LIGHT_OPEN, NO_MODEL, OPEN_MODEL
from baimo.experiments.bench import plain_mesa
from baimo.experiments.bench.market_step import ColumnMarket, StillOffer
from baimo.world.engine.arrays import Array
from baimo.world.models import pricing
from baimo.world.models.quality import orchestrated, own_data, with_eyes_and_hands
from baimo.world.models.tuning_hub import hubs
from baimo.world.network.ties import points_at


def agent_market(market: ColumnMarket, index: int, same_numbers: bool = False) -> plain_mesa.Market:
    """One world, agent by agent.

    Parameters
    ----------
    market : ColumnMarket
        Before its first step.
    index : int
        Which of its worlds.
    same_numbers : bool
        Hand the apps the numbers that the columns will draw, instead of the model's own generator.
    """
    numbers = _Numbers(market, index) if same_numbers else None
    places = np.nonzero(market.world.labs.alive[index])[0]
    tables = _labs(market, index, places), _segments(market, index, places), _apps(market, index, places)
    model = plain_mesa.Market(market.world.config, _constants(market), *tables, random_number=numbers, rng=index)
    if numbers is not None:
        numbers.model = model
    return model


class _Numbers:
    """The numbers of the columns' streams, for one app at a time."""

    model: plain_mesa.Market

    def __init__(self, market: ColumnMarket, index: int):
        self.streams, self.index = type(market.world.streams)(market.world.seed, market.world.world_ids), index
        self.first, self.app_class = market.world.streams.step, market.world.apps.agent_class

    def __call__(self, stream: str, who: int, whom: int) -> float:
        self.streams.step = self.first + self.model.steps - 1
        world, ids = np.array([self.index]), np.array([who])
        if stream in self.app_class.streams:
            block, place = divmod(self.app_class.streams.index(stream), 4)
            drawn = self.streams.some(self.app_class.domain, world, ids, 4, block)[place]
        else:
            drawn = self.streams.pairs(stream, world, ids, np.array([whom]), lasting=True)
        return float(drawn.item())


def _constants(market: ColumnMarket) -> dict[str, float]:
    world = market.world
    p, clock = world.parameters, world.clock
    return {
        "price_pace": float(clock.fraction(p.model_market.price_adjustment)),
        "fade": float(np.exp(-clock.months / p.technology.usage_memory)),
        "reconsider": float(clock.fraction(p.app_market.reconsider)),
        "tied": float(p.moat.ecosystem * (1.0 - world.policy.market.interoperability)),
        "resolve": float(clock.chance(12.0 * p.app_market.resolve)),
        "resolve_outdated": float(clock.chance(12.0 * p.app_market.rework_resolve)),
        "months": float(clock.months),
        "days": float(clock.days),
    }


def _rows(columns: dict[str, Array], index: int, places: Array) -> list[dict[str, Any]]:
    """Columns ``(worlds, rows)`` as one dictionary of Python values a row."""
    picked = {name: np.asarray(values)[index, places].tolist() for name, values in columns.items()}
    return [dict(zip(picked, values, strict=True)) for values in zip(*picked.values(), strict=True)]


def _labs(market: ColumnMarket, index: int, places: Array) -> list[dict[str, Any]]:
    world, labs = market.world, market.world.labs
    columns = {name: labs.columns[name] for name in ("id", "region", "price_flagship", "price_light", "usage_data")}
    columns |= {
        "place": np.tile(np.cumsum(labs.alive[index]) - 1, (world.worlds, 1)),
        "cost_flagship": labs.marginal_cost,
        "cost_light": labs.marginal_cost_light,
        "on_sale": labs.released,
        "open_flagship": labs.openness == ALL_OPEN,
        "open_light": labs.openness >= LIGHT_OPEN,
        "captive": pricing.owners_power(world),
        "cloud": ((labs.archetype == BIG_TECH) | (labs.archetype == FRONTIER)).astype(float),
        "sales_share": world.state.sales_share,
        "nest_share": world.state.nest_share,
        "product_share": labs.product_share,
        "opened": labs.open_weights[0] > NO_MODEL,
        "hub": hubs(world),
    }
    return _rows(columns, index, places)


def _segments(market: ColumnMarket, index: int, places: Array) -> list[dict[str, Any]]:
    world, table, state = market.world, market.world.segments, market.world.state
    p = world.parameters.model_market
    one = np.ones((len(table), world.worlds, 1))
    brain_weight, limits = _limbs(market)
    numbers = {
        "brain_weight": brain_weight,
        "limits": limits,
        "sensitive": p.price_sensitivity * (1.0 - p.free_insensitive * table.column("free")),
        "willing": np.log(table.column("price") + p.hassle_cost),
        "outside": market.outside,
        "free": table.column("free"),
        "moving": market.moving,
        "adopters": state.adopters,
        "potential": state.adopters * table.column("addressable"),
        "elasticity": table.column("elasticity"),
        "lift": table.column("lift"),
        "use_willing": np.log(table.column("price") + p.use_offset),
        "answers_price": 1.0 - p.free_insensitive * table.column("free"),
        "tokens": table.column("tokens") * 1000.0 * p.use_scale * (1.0 - orchestrated(table.columns, world.parameters)),
    }
    by_lab = {"own_data": _layers(market), "users": world.labs.users}
    found = []
    for k in range(len(table)):
        facts: dict[str, Any] = {name: float((value * one)[k, index, 0]) for name, value in numbers.items()}
        facts |= {name: value[k, index, places].tolist() for name, value in by_lab.items()}
        facts["able"] = [model.able[k, index, places].tolist() for model in market.models]
        facts["standing"] = [model.standing[k, index, places].tolist() for model in market.models]
        found.append(facts)
    return found


def _limbs(market: ColumnMarket) -> tuple[Array, Array]:
    """Weight of the brain and what eyes and hands add in each segment: 1 / quality^2 is a line over 1 / brain^2."""
    world = market.world
    seg, state, p = world.segments.columns, world.state, world.parameters
    near, far = (with_eyes_and_hands(brain, seg, state, p) ** -2.0 for brain in (1.0, 2.0))
    weight = (near - far) / (1.0 - 0.25)
    return weight, near - weight


def _layers(market: ColumnMarket) -> Array:
    """A lab's own data in each segment, without those of use."""
    world = market.world
    return own_data(StillOffer(0.0, use=0.0), world.labs, world.segments.columns, world.parameters)


def _apps(market: ColumnMarket, index: int, lab_places: Array) -> list[dict[str, Any]]:
    world, apps, labs = market.world, market.world.apps, market.world.labs
    same = ("id", "segment", "coupling", "age", "rework", "head_start", "cash", "peak_users", "users")
    columns = {name: apps.columns[name] for name in same}
    body = (apps.eye + apps.hand) * (1.0 - apps.body_lost)
    p = world.parameters.app_market
    columns |= {
        "added": market.added,
        "wages": market.wages,
        "income": market.income,
        "purse": market.purse,
        "calls": apps.source == API,
        "tunes": apps.source == OPEN_MODEL,
        "taken": (apps.absorbed > p.absorbed_limit) & (body < p.body),
    }
    rows = np.nonzero(apps.alive[index])[0]
    found = _rows(columns, index, rows)
    place = {int(row): number for number, row in enumerate(lab_places)}
    released = labs.released[index]
    on_base = points_at(apps.base_lab[0], apps.base_id[0], labs)[index]
    knows = [points_at(*each, labs)[index] for each in zip(apps.known_lab, apps.known_id, strict=True)]
    for facts, row in zip(found, rows, strict=True):
        facts["base"] = place[int(apps.base_lab[0, index, row])] if on_base[row] else None
        known = [int(lab[index, row]) for lab, valid in zip(apps.known_lab, knows, strict=True) if valid[row]]
        facts["known"] = sorted({place[lab] for lab in known if released[lab]})
    return found
