"""From columns to agents: one world of a ``ColumnMarket`` as a plain Mesa model with the same start."""

from __future__ import annotations

from typing import Any

import numpy as np

from baimo.agents.enums import ALL_OPEN, API, CLOUD_OWNERS, NO_MODEL, OPEN_MODEL
from baimo.experiments.bench import plain_mesa
from baimo.experiments.bench.market_step import ColumnMarket, StillOffer
from baimo.world.engine.arrays import Array, by_region, is_one_of
from baimo.world.laws.nested_logit import HALVINGS
from baimo.world.models.pricing import purse_discount
from baimo.world.models.quality import merit, orchestrated, own_data, threshold, with_eyes_and_hands
from baimo.world.models.tuning_hub import hub_of
from baimo.world.models.utility import considered, outside_value
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
        Hand the agents the numbers that the columns will draw, instead of the model's own generator.
    """
    numbers = _Numbers(market, index) if same_numbers else None
    places = np.nonzero(market.world.labs.alive[index])[0]
    tables = _labs(market, index, places), _segments(market, index, places), _apps(market, index, places)
    model = plain_mesa.Market(market.world.config, _constants(market), *tables, random_number=numbers, rng=index)
    if numbers is not None:
        numbers.model = model
    return model


class _Numbers:
    """The numbers of the columns' streams, for one agent at a time."""

    model: plain_mesa.Market

    def __init__(self, market: ColumnMarket, index: int):
        self.streams, self.index = type(market.world.streams)(market.world.seed, market.world.world_ids), index
        self.first = market.world.streams.step
        self.classes = market.world.apps.agent_class, market.world.labs.agent_class

    def __call__(self, stream: str, who: int, whom: int) -> float:
        self.streams.step = self.first + self.model.steps - 1
        world, ids = np.array([self.index]), np.array([who])
        for each in self.classes:
            if stream in each.streams:
                block, place = divmod(each.streams.index(stream), 4)
                return float(self.streams.some(each.domain, world, ids, 4, block)[place].item())
        return float(self.streams.pairs(stream, world, ids, np.array([whom]), lasting=True).item())


def _constants(market: ColumnMarket) -> dict[str, float]:
    world = market.world
    p, clock = world.parameters, world.clock
    return {
        "repost": float(clock.fraction(p.pricing.repost)),
        "least_log": float(np.log(p.model_market.least_price + p.model_market.hassle_cost)),
        "most_log": float(np.log(p.model_market.most_price + p.model_market.hassle_cost)),
        "halvings": HALVINGS,
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
    world, labs, signals = market.world, market.world.labs, market.signals
    columns = {name: labs.columns[name] for name in ("id", "price_flagship", "price_light", "usage_data")}
    columns |= market.customers
    columns |= {
        "place": np.tile(np.cumsum(labs.alive[index]) - 1, (world.worlds, 1)),
        "cost_flagship": labs.marginal_cost,
        "cost_light": labs.marginal_cost_light,
        "cost_trend": np.exp(-0.5 * signals.cost_fall * signals.price_life),
        "sold_flagship": labs.tokens_flagship,
        "sold_light": labs.tokens_light,
        "loss_most": signals.loss_most,
        "cloud": is_one_of(labs.archetype, CLOUD_OWNERS),
        "on_sale": labs.released,
        "open_flagship": labs.openness == ALL_OPEN,
        "product_share": labs.product_share,
        "opened": labs.open_weights[0] > NO_MODEL,
        "hub": hub_of(world),
    }
    return _rows(columns | _hopes(market), index, places)


def _hopes(market: ColumnMarket) -> dict[str, Array]:
    """Margin that a lab expects of a customer, and what a month's wait leaves of it, growth included."""
    world, labs, state, rules = market.world, market.world.labs, market.world.state, market.world.parameters.pricing
    seen = np.maximum(by_region(state.margin_seen, labs.region), 0.0)
    growth = np.exp(rules.growth_belief * by_region(state.revenue_growth, labs.region))
    margin = seen + state.hype * np.maximum(rules.normal_margin - seen, 0.0)
    return {"margin": margin, "patience": purse_discount(world) * growth}


def _segments(market: ColumnMarket, index: int, places: Array) -> list[dict[str, Any]]:
    world, table, state = market.world, market.world.segments, market.world.state
    seg, p = table.columns, world.parameters
    model_market = p.model_market
    one = np.ones((len(table), world.worlds, 1))
    brain_weight, limits = _limbs(market)
    answers_price = 1.0 - model_market.free_insensitive * seg.free
    numbers = {
        "brain_weight": brain_weight,
        "limits": limits,
        "sensitive": model_market.price_sensitivity * answers_price,
        "willing": np.log(seg.price + model_market.hassle_cost),
        "outside": outside_value(seg, p),
        "free": seg.free,
        "moving": world.clock.fraction(market.leaving),
        "adopters": state.adopters,
        "paying": (1.0 - seg.free) * seg.tokens * state.adopters,
        "potential": state.adopters * seg.addressable,
        "elasticity": seg.elasticity,
        "lift": seg.lift,
        "use_willing": np.log(seg.price + model_market.use_offset),
        "answers_price": answers_price,
    }
    by_lab = {"own_data": _layers(market), "users": world.labs.users, "aware": considered(world.labs, seg, p)}
    by_lab["tokens"] = _tokens(market)
    by_model = {"able": [each.able for each in market.models], "beyond": _beyond(market)}
    by_model["standing"] = [each.standing for each in market.models]
    found = []
    for k in range(len(table)):
        facts: dict[str, Any] = {name: float((value * one)[k, index, 0]) for name, value in numbers.items()}
        facts |= {name: value[k, index, places].tolist() for name, value in by_lab.items()}
        facts |= {name: [each[k, index, places].tolist() for each in pair] for name, pair in by_model.items()}
        found.append(facts)
    return found


def _tokens(market: ColumnMarket) -> Array:
    """Tokens a day of a user who pays what the segment would, with each lab: the harder, the more it can do."""
    seg, p = market.world.segments.columns, market.world.parameters
    harder = 10.0 ** (p.ladder.tokens * np.maximum(market.models[0].reach - threshold(seg, p), 0.0))
    return seg.tokens * 1000.0 * p.model_market.use_scale * (1.0 - orchestrated(seg, p)) * harder


def _beyond(market: ColumnMarket) -> list[Array]:
    """What each model is worth beyond the work that it does: how far it reaches beyond what users expect."""
    world = market.world
    offers = [StillOffer(0.0, reach=each.reach, quality=0.0) for each in market.models]
    return [merit(each, world.segments.columns, world.state, world.parameters) for each in offers]


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
