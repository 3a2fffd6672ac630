"""The market for models: quality, prices, demand by segment, diffusion and inertia.

Users choose by nested logit among closed models, open weights and the old tools; a share
of them reconsiders each month.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agents.lab import ALL_OPEN, BIG_TECH, CN, FILED, FRONTIER, NO_MODEL, ROW
from world.arrays import Array, logistic, ratio, row_max, row_sum, shares, sum_k
from world.hardware import H100_TFLOPS, tokens_per_second
from world.population import Observables

if TYPE_CHECKING:
    from world.state import World


@dataclass(frozen=True)
class SegmentTable:
    """Constants of the demand segments, each ``(segments,)`` unless said otherwise."""

    names: tuple[str, ...]
    region: Array
    population: Array
    ceiling: Array
    tokens: Array
    price: Array
    threshold: Array
    width: Array
    weights: Array  # (axes, segments)
    elasticity: Array
    lift: Array
    reconsider: Array
    free: Array
    licensed: Array
    privacy: Array
    old_tools: Array
    eye: Array
    hand: Array
    bass_innovate: Array
    bass_imitate: Array
    arpu: Array
    addressable: Array

    @classmethod
    def from_rows(cls, rows: list, row_scale: float) -> SegmentTable:
        """Rows of ``conf/market``: the segments of CN, then the same scaled for ROW."""
        both = [(row, region) for region in (0, 1) for row in rows]

        def numbers(key: str) -> Array:
            return np.array([float(row[key]) for row, _ in both])

        scale = np.array([1.0 if region == 0 else row_scale for _, region in both])
        home = np.array([region for _, region in both])
        weights = np.array([[float(row[k]) for row, _ in both] for k in ("language", "knowledge", "reasoning")])
        return cls(
            names=tuple(f"{row['segment']}_{'row' if region else 'cn'}" for row, region in both),
            region=home,
            population=numbers("population") * scale,
            ceiling=numbers("ceiling"),
            tokens=numbers("tokens"),
            price=numbers("price"),
            threshold=numbers("threshold"),
            width=numbers("width"),
            weights=weights,
            elasticity=numbers("elasticity"),
            lift=numbers("lift"),
            reconsider=numbers("reconsider"),
            free=numbers("free"),
            licensed=numbers("licensed") * (home == 0),
            privacy=numbers("privacy"),
            old_tools=numbers("old_tools"),
            eye=numbers("eye"),
            hand=numbers("hand"),
            bass_innovate=numbers("bass_innovate"),
            bass_imitate=numbers("bass_imitate"),
            arpu=numbers("arpu"),
            addressable=numbers("addressable"),
        )

    def __len__(self) -> int:
        return len(self.names)

    def column(self, name: str) -> Array:
        """A column as ``(segments, 1, 1)``."""
        return getattr(self, name).reshape(-1, 1, 1)


# ---------------------------------------------------------------------- cost and price


def serving_speed(world: World) -> None:
    """Tokens a second of one H100 for each model, with engines that improve each year."""
    labs, state, p = world.labs, world.state, world.parameters.serving
    better = np.exp(p.engine_growth * world.clock.year(world.step_number))
    for name, size in (("flagship", labs.active_parameters), ("light", labs.light_parameters)):
        speed = tokens_per_second(size, H100_TFLOPS, 3.35, p) * better
        setattr(state, f"tokens_h100_{name}", speed)
    rent = world.by_region(state.rent_serving) * p.rented_premium
    labs.marginal_cost = rent / (state.tokens_h100_flagship * 3600.0) * 1e6
    labs.marginal_cost_light = rent / (state.tokens_h100_light * 3600.0) * 1e6


def rivalry(share: Array, nest_share: Array, correlation: float) -> Array:
    """k = 1/(1-sigma) - sigma/(1-sigma) s_nest - s: how elastic the demand for one firm is.

    Source: nested-logit own-price derivative (Berry 1994). Twelve equal firms have k near
    4.6, a monopolist of its nest 1 - s.
    """
    k = (1.0 - correlation * nest_share) / (1.0 - correlation) - share
    return np.maximum(k, 0.05)


def set_prices(world: World) -> None:
    """Phase 8: costs are known, rivals counted, prices move."""
    labs, state, p = world.labs, world.state, world.parameters.model_market
    serving_speed(world)
    cloud = ((labs.archetype == BIG_TECH) | (labs.archetype == FRONTIER)).astype(float)
    data = p.data_value / (1.0 + labs.usage_data / p.data_scale)
    labs.strategic_value = p.cloud_value * cloud + data
    floor = world.instrument("market", "floor")
    labs.set_price(
        Observables(
            rivalry=rivalry(state.sales_share, state.nest_share, p.nest_correlation),
            price_floor=np.where(labs.region == CN, floor, 0.0),
            adjust=world.clock.fraction(p.price_adjustment),
            going_price=world.by_region(going_price(world)),
        )
    )


def going_price(world: World) -> Array:
    """What the flagships sold at home cost on average, ``(2, worlds, 1)``; before any sale, the first ones' price."""
    labs, found = world.labs, []
    sold = labs.tokens_flagship * labs.alive
    for region in (CN, ROW):
        weight = np.where(labs.region == region, sold, 0.0)
        level = ratio(row_sum(weight * labs.price_flagship), row_sum(weight))
        found.append(np.where(level > 0.0, level, world.state.entry_price[region]))
    return np.stack(found)


# ---------------------------------------------------------------------- quality


def brain(world: World, capability: Array) -> Array:
    """Share of each segment's work that a model can do: sum_k w_k logistic((x_k - tau)/nu).

    The logistic separates, exp((tau - x)/nu) = exp(tau/nu) exp(-x/nu), so that exp is taken
    once a model and width, not once a segment.
    """
    table = world.segments
    width = table.column("width")
    reach = np.exp(table.column("threshold") / table.column("width"))
    done = 0.0
    for axis in range(3):
        x = np.maximum(capability[axis], NO_MODEL)
        decay = 0.0
        for each in np.unique(table.width):
            decay = np.where(width == each, np.exp(-x / each), decay)
        done = done + table.weights[axis].reshape(-1, 1, 1) / (1.0 + reach * decay)
    return done


def with_eyes_and_hands(world: World, brains: Array) -> Array:
    """Quality: brain, eye and hand are complements, Q = (a b^-2 + e eye^-2 + h hand^-2)^-1/2.

    A CES of elasticity 1/3: overflowing brain without eyes and hands sells little (M59).
    """
    table, state = world.segments, world.state
    eye, hand = table.column("eye"), table.column("hand")
    trust = np.where(table.column("region") == CN, state.trust[CN], state.trust[ROW])
    permitted = np.minimum(state.hands, 0.2 + 0.8 * trust)
    limits = eye / state.eyes**2 + hand / permitted**2
    return 1.0 / np.sqrt((1.0 - eye - hand) / np.maximum(brains, 1e-3) ** 2 + limits)


# ---------------------------------------------------------------------- demand


def utilities(world: World) -> tuple[Array, Array, Array]:
    """Utility of each lab's flagship and light model in every segment, and the quality of both.

    Returns
    -------
    flagship, light : arrays (segments, worlds, labs)
    quality : array (segments, worlds, labs)
        Of the better of the two.
    """
    labs, p, table = world.labs, world.parameters.model_market, world.segments
    willing = np.log(table.column("price") + p.hassle_cost)
    sensitive = p.price_sensitivity * (1.0 - p.free_insensitive * table.column("free"))
    common = _common_utility(world)
    result = []
    for capability, price in ((labs.served, labs.price_flagship), (labs.light, labs.price_light)):
        quality = with_eyes_and_hands(world, brain(world, capability))
        cost = sensitive * (np.log(price + p.hassle_cost) - willing)
        result.append((p.quality_weight * quality - cost + common, quality))
    (flagship, q_flagship), (light, q_light) = result
    return flagship, light, np.maximum(q_flagship, q_light)


def _common_utility(world: World) -> Array:
    """What both models of a lab share: reputation, access, licence, privacy, reliability."""
    labs, p, table, state = world.labs, world.parameters.model_market, world.segments, world.state
    foreign = table.column("region") != labs.region
    border = np.where(table.column("region") == CN, p.foreign_in_cn + p.cross_border * state.cross_border, p.cn_abroad)
    unfiled = (labs.filing != FILED) & (labs.region == CN)
    licence = table.column("licensed") * (
        p.unlicensed * state.needs_licence + p.beta * (1.0 - state.needs_licence) * (1.0 - state.beta_allowed)
    )
    own_rooms = table.column("privacy") * p.privacy_weight * (labs.openness == ALL_OPEN)
    known = labs.reputation + p.reliability * np.log(np.maximum(labs.capacity_share, 0.05))
    # Who is not thought of is not weighed: awareness multiplies a model's weight in its nest.
    known = known + (1.0 - p.nest_correlation) * np.log(labs.awareness)
    absent = np.where(labs.alive & labs.released, 0.0, -200.0)
    return known + absent - foreign * border - unfiled * licence + own_rooms


def nested_shares(value: Array, open_nest: Array, outside: Array, correlation: float) -> tuple[Array, Array, Array]:
    """Choice probabilities of a nested logit over closed models, open weights and the outside.

    Parameters
    ----------
    value : array (segments, worlds, labs)
        Utility; far below zero for whoever is not there.
    open_nest : boolean array (worlds, labs)
    outside : array (segments, 1 or worlds, 1)
        Utility of the old tools.
    correlation : float
        sigma of both nests, 0 (plain logit) to below 1.

    Returns
    -------
    share : array (segments, worlds, labs)
    nest_share : array (segments, worlds, labs)
        Share within the own nest.
    log_sum : array (segments, worlds, 1)
        ln of the sum of nest values, outside included.
    """
    scale = 1.0 - correlation
    top = np.maximum(row_max(value), -60.0)
    weight = np.exp(np.maximum((value - top) / scale, -700.0))
    weight = np.where(value > -100.0, weight, 0.0)
    open_weight = np.where(open_nest, weight, 0.0)
    closed_weight = weight - open_weight
    open_sum, closed_sum = row_sum(open_weight), row_sum(closed_weight)
    open_value = np.exp(scale * np.log(np.maximum(open_sum, 1e-300)))
    open_value = np.where(open_sum > 0.0, open_value, 0.0)
    closed_value = np.exp(scale * np.log(np.maximum(closed_sum, 1e-300)))
    closed_value = np.where(closed_sum > 0.0, closed_value, 0.0)
    total = open_value + closed_value + np.exp(np.clip(outside - top, -300.0, 300.0))
    within = np.where(open_nest, ratio(open_weight, open_sum), ratio(closed_weight, closed_sum))
    nest = np.where(open_nest, open_value, closed_value) / total
    return within * nest, within, top + np.log(total)


def clear(world: World) -> None:
    """Phase 9: adoption diffuses, reconsidering users choose, usage follows."""
    labs, state, p, table = world.labs, world.state, world.parameters.model_market, world.segments
    flagship, light, quality = utilities(world)
    value = np.maximum(flagship, light)
    second = logistic((light - flagship) / p.router_width)
    # Who pays nothing is served by the light model.
    second = np.maximum(second, p.free_light * table.column("free"))
    open_nest = labs.openness == ALL_OPEN
    outside = table.column("old_tools") + p.old_tools_weight
    state.outside_value = outside
    share, within, log_sum = nested_shares(value, open_nest, outside, p.nest_correlation)
    state.quality, state.best_quality = quality, row_max(np.where(labs.released & labs.alive, quality, 0.0))
    new = _adopt(world)
    reconsider = world.clock.fraction(table.column("reconsider"))
    labs.users = labs.users * (1.0 - reconsider) + (reconsider * (state.adopters - new) + new) * share
    state.log_sum = log_sum
    state.direct_share = 1.0 - state.app_share
    _usage(world, second, quality)
    paid = sum_k((1.0 - table.column("free")) * state.tokens_by_segment)
    state.sales_share = _by_region_share(world, paid)
    state.nest_share = ratio(sum_k(within * state.tokens_by_segment), sum_k(state.tokens_by_segment))


def _by_region_share(world: World, sales: Array) -> Array:
    """Each lab's share of the sales of its home region's labs."""
    here = world.labs.region == CN
    return np.where(here, shares(np.where(here, sales, 0.0)), shares(np.where(here, 0.0, sales)))


def _adopt(world: World) -> Array:
    """Bass diffusion to a ceiling set by the value of the best option; returns new adopters."""
    state, table, p = world.state, world.segments, world.parameters.model_market
    pull = np.minimum(state.best_quality / p.full_quality, 1.0)
    ceiling = table.column("population") * table.column("ceiling") * pull
    room = np.maximum(ceiling - state.adopters, 0.0)
    word = table.column("bass_imitate") * ratio(state.adopters, np.maximum(ceiling, 1e-9))
    rate = table.column("bass_innovate") * (1.0 + p.bass_hype * state.hype) + np.minimum(word, 1.0)
    rate = rate * p.bass_scale
    new = room * world.clock.fraction(np.minimum(rate, 0.9))
    state.adopters = state.adopters + new
    return new


def _usage(world: World, second: Array, quality: Array) -> None:
    """Tokens a day: users x tok0 x min(((p0+h)/(p+h))^eps, 200) x (1 + kappa Q)."""
    labs, state, p, table = world.labs, world.state, world.parameters.model_market, world.segments
    log_flagship = np.log(labs.price_flagship + p.use_offset)
    log_light = np.log(labs.price_light + p.use_offset)
    price = log_flagship + second * (log_light - log_flagship)
    cheap = table.column("elasticity") * (np.log(table.column("price") + p.use_offset) - price)
    cheap = np.minimum(cheap, np.log(p.most_use)) * (1.0 - p.free_insensitive * table.column("free"))
    each = table.column("tokens") * 1000.0 * np.exp(cheap) * (1.0 + table.column("lift") * quality)
    each = each * p.use_scale
    tokens = labs.users * state.direct_share * each
    state.tokens_by_segment = tokens
    state.tokens_per_user = each
    labs.tokens_light = sum_k(tokens * second)
    labs.tokens_flagship = sum_k(tokens) - labs.tokens_light
    state.paid_tokens = tokens * (1.0 - table.column("free"))
    state.paid_flagship = sum_k(state.paid_tokens * (1.0 - second))
    state.paid_light = sum_k(state.paid_tokens * second)


def best_native(world: World) -> Array:
    """Quality that users of each segment get without an app, ``(segments, worlds, 1)``."""
    users = np.maximum(row_sum(world.labs.users), 1e-12)
    return row_sum(world.labs.users * world.state.quality) / users
