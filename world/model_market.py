"""The market for models: quality, prices, demand by segment, diffusion and inertia.

Users choose by nested logit among closed models, open weights and the old tools; a share
of them reconsiders each month.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agents.lab import ALL_OPEN, BIG_TECH, CN, FILED, FRONTIER, LIGHT_OPEN, ROW
from world import tuning_hub
from world.app_segments import CN_SEGMENTS
from world.arrays import Array, clip, dot_k, ratio, row_dot, row_max, row_sum, shares, sum_k, weigh_k, where
from world.elementwise import elementwise
from world.hardware import H100_TFLOPS, tokens_per_second
from world.population import Observables
from world.quality import appeal, brain, by_home, nuisance, on_devices, orchestrated, own_data, with_eyes_and_hands

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
    old_models: Array
    precision: Array
    eye: Array
    hand: Array
    bass_innovate: Array
    bass_imitate: Array
    arpu: Array
    addressable: Array
    rows_licensed: tuple[int, ...]
    widths: Array  # those that differ, (widths, 1, 1)
    which_width: Array

    @classmethod
    def from_rows(cls, rows: list, row_scale: float) -> SegmentTable:
        """Rows of ``conf/market``: the segments of CN, then the same scaled for ROW."""
        both = [(row, region) for region in (0, 1) for row in rows]

        def numbers(key: str) -> Array:
            return np.array([float(row[key]) for row, _ in both])

        scale = np.array([1.0 if region == 0 else row_scale for _, region in both])
        home = np.array([region for _, region in both])
        widths, which = np.unique(numbers("width"), return_inverse=True)
        licensed = numbers("licensed") * (home == 0)
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
            licensed=licensed,
            privacy=numbers("privacy"),
            old_tools=numbers("old_tools"),
            old_models=numbers("old_models"),
            precision=numbers("precision"),
            eye=numbers("eye"),
            hand=numbers("hand"),
            bass_innovate=numbers("bass_innovate"),
            bass_imitate=numbers("bass_imitate"),
            arpu=numbers("arpu"),
            addressable=numbers("addressable"),
            rows_licensed=tuple(np.flatnonzero(licensed).tolist()),
            widths=widths.reshape(-1, 1, 1),
            which_width=which,
        )

    def __len__(self) -> int:
        return len(self.names)

    @property
    def cn(self) -> slice:
        """The segments of CN, which come first."""
        return slice(0, len(self) // 2)

    def column(self, name: str) -> Array:
        """A column as ``(segments, 1, 1)``."""
        return getattr(self, name).reshape(-1, 1, 1)


# ---------------------------------------------------------------------- cost and price


def serving_speed(world: World) -> None:
    """Tokens a second of one H100 for each model, and what a million tokens costs.

    Engines improve each year, and who serves much fills batches and evens out peaks:
    T (1 + m g log10(1 + need / n0)), the moat of compute (M31). A cost of zero (M04) serves free.
    """
    labs, state, p = world.labs, world.state, world.parameters.serving
    better = np.exp(p.engine_growth * world.clock.year(world.step_number))
    gain = p.scale_gain * world.parameters.moat.compute
    better = better * (1.0 + gain * np.log10(1.0 + state.serving_need / p.scale_reference))
    for name, size in (("flagship", labs.active_parameters), ("light", labs.light_parameters)):
        speed = tokens_per_second(size, H100_TFLOPS, 3.35, p) * better
        setattr(state, f"tokens_h100_{name}", speed)
    rent = world.by_region(state.rent_serving) * p.rented_premium * p.cost_scale
    labs.marginal_cost = rent / (state.tokens_h100_flagship * 3600.0) * 1e6
    labs.marginal_cost_light = rent / (state.tokens_h100_light * 3600.0) * 1e6


def rivalry(share: Array, nest_share: Array, correlation: float, captive: Array | float = 0.0) -> Array:
    """k = (1/(1-sigma) - sigma/(1-sigma) s_nest - s) (1 - l): how elastic the demand for one firm is.

    Source: nested-logit own-price derivative (Berry 1994). Twelve equal firms have k near
    4.6, a monopolist of its nest 1 - s. Sales to the share l that cannot leave do not answer.
    """
    k = (1.0 - correlation * nest_share) / (1.0 - correlation) - share
    return np.maximum(k * (1.0 - captive), 0.05)


def owners_power(world: World) -> Array:
    """Share of sales that does not answer to the price, as the owner uses it (M47).

    phi lock_in (1 - antitrust): apps coupled to one base and firms that rarely reconsider.
    """
    labs = world.labs
    kept = 1.0 - world.instrument("market", "antitrust") * (labs.region == CN)
    return world.parameters.model_market.lock_in * labs.lock_in * kept


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
            rivalry=rivalry(state.sales_share, state.nest_share, p.nest_correlation, owners_power(world)),
            price_floor=where(labs.region == CN, floor, 0.0),
            adjust=world.clock.fraction(p.price_adjustment),
            going_price=world.by_region(going_price(world)),
        )
    )


def going_price(world: World) -> Array:
    """What the flagships sold at home cost on average, ``(2, worlds, 1)``; before any sale, the first ones' price."""
    labs, found = world.labs, []
    sold = labs.tokens_flagship * labs.alive
    for region in (CN, ROW):
        weight = where(labs.region == region, sold, 0.0)
        level = ratio(row_sum(weight * labs.price_flagship), row_sum(weight))
        found.append(where(level > 0.0, level, world.state.entry_price[region]))
    return np.stack(found)


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
    data = own_data(world)
    result = []
    for capability, price, open_at in (
        (labs.served, labs.price_flagship, ALL_OPEN),
        (labs.light, labs.price_light, LIGHT_OPEN),
    ):
        quality = with_eyes_and_hands(world, with_data(brain(world, capability), data))
        worth = (p.quality_weight, appeal(world, quality), nuisance(world, capability))
        # Whose data may not leave wants weights of their own (M55).
        own = (p.privacy_weight * table.column("privacy"), labs.openness >= open_at)
        value = worth_of(*worth, *own, sensitive, np.log(price + p.hassle_cost), willing, common)
        result.append((value, quality))
    (flagship, q_flagship), (light, q_light) = result
    return flagship, light, np.maximum(q_flagship, q_light)


@elementwise
def with_data(able, data):
    """What a model can do, and of the rest what its lab makes up for."""
    return able + (1.0 - able) * data


@elementwise
def worth_of(weight, appeals, nuisances, privacy, weights, sensitive, log_price, willing, common):
    """b A - N + privacy (weights to be had) - a (ln(p + h) - ln(p0 + h)) + what both models share."""
    worth = weight * appeals - nuisances + privacy * weights
    return worth - sensitive * (log_price - willing) + common


def _common_utility(world: World) -> Array:
    """What both models of a lab share: reputation, access, licence, privacy, reliability.

    Users whose data may not leave like a lab whose projects gave them control (M22). Weights on
    their own machines cross no border (M55).
    """
    labs, p, table, state = world.labs, world.parameters.model_market, world.segments, world.state
    moat = world.parameters.moat
    border = where(table.column("region") == CN, p.foreign_in_cn + p.cross_border * state.cross_border, p.cn_abroad)
    unfiled = (labs.filing != FILED) & (labs.region == CN)
    licence = table.column("licensed") * (
        p.unlicensed * state.needs_licence + p.beta * (1.0 - state.needs_licence) * (1.0 - state.beta_allowed)
    )
    control = p.control_weight * moat.tuning * labs.control
    known = p.reliability * np.log(np.maximum(labs.capacity_share, 0.05))
    # Who is not thought of is not weighed: awareness multiplies a model's weight in its nest.
    known = known + (1.0 - p.nest_correlation) * np.log(labs.awareness)
    absent = where(labs.alive & labs.released, 0.0, -200.0)
    standing = (known, _named(world) * moat.reputation, labs.reputation, absent)
    access = (table.column("region"), labs.region, border, p.private_share, labs.openness == ALL_OPEN)
    return _shared(*standing, *access, unfiled, licence, table.column("privacy"), control, _wall(world))


@elementwise
def _shared(
    known, named, reputation, absent, region, home, border, private, opened, unfiled, licence, privacy, control, wall
):
    """Standing, less the border (which weights on users' machines do not cross) and a missing licence, and control."""
    crossed = where(region != home, border * (1.0 - private * privacy * opened), 0.0)
    return known + named * reputation + absent - crossed - unfiled * licence + privacy * control - wall


def _wall(world: World) -> Array:
    """What a model loses in hard segments by falling short of the frontier in reach (M19).

    A run that is worth less than that of the leader, efficiency times spending (30% of 60
    million dollars), sells next to nothing where the work is hard: users take the leader's (001).
    Easy segments are content with less; to users in CN the frontier abroad is only partly in reach.
    """
    labs, p, table, state = world.labs, world.parameters.model_market, world.segments, world.state
    mine = sum_k(labs.served) / 3.0
    in_reach = (np.maximum(state.frontier_cn, state.frontier_all - p.wall_border), state.frontier_all)
    short = np.stack([np.maximum(best - p.wall_slack - mine, 0.0) for best in in_reach])
    hard = p.wall * np.maximum(table.column("threshold") - p.wall_from, 0.0)
    return hard * short[table.region]


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
    weight = np.exp(_exponent(value, top, scale))
    open_weight, closed_weight = (_in_nest(weight, value, here) for here in (open_nest, ~open_nest))
    open_sum, closed_sum = row_sum(open_weight), row_sum(closed_weight)
    open_value = np.exp(scale * np.log(np.maximum(open_sum, 1e-300)))
    open_value = where(open_sum > 0.0, open_value, 0.0)
    closed_value = np.exp(scale * np.log(np.maximum(closed_sum, 1e-300)))
    closed_value = where(closed_sum > 0.0, closed_value, 0.0)
    total = open_value + closed_value + np.exp(clip(outside - top, -300.0, 300.0))
    within = _within(open_nest, open_weight, open_sum, closed_weight, closed_sum)
    share = _of_all(within, open_nest, open_value / total, closed_value / total)
    return share, within, top + np.log(total)


@elementwise
def _exponent(value, top, scale):
    """Utility in units of the nest's spread, the best at 0."""
    return np.maximum((value - top) / scale, -700.0)


@elementwise
def _in_nest(weight, value, here):
    """Weights of those in a nest who are there at all."""
    return where(here & (value > -100.0), weight, 0.0)


@elementwise
def _within(opened, open_weight, open_sum, closed_weight, closed_sum):
    """Share within the own nest."""
    return ratio(where(opened, open_weight, closed_weight), where(opened, open_sum, closed_sum))


@elementwise
def _of_all(within, opened, open_share, closed_share):
    """Share within the nest times the share of the nest."""
    return within * where(opened, open_share, closed_share)


def clear(world: World) -> None:
    """Phase 9: adoption diffuses, reconsidering users choose, usage follows."""
    labs, state, p, table = world.labs, world.state, world.parameters.model_market, world.segments
    flagship, light, quality = utilities(world)
    value, second = routed(world, flagship, light)
    state.outside_value = table.column("old_tools") + p.old_tools_weight
    outside = outside_value(world)
    share, within, log_sum = nested_shares(value, labs.openness == ALL_OPEN, outside, p.nest_correlation)
    state.quality, state.best_quality = quality, row_max(where(labs.released & labs.alive, quality, 0.0))
    new = _adopt(world)
    reconsider = world.clock.fraction(reconsidering(world))
    stays = tuning_hub.stays(world, reconsider)
    choosing = reconsider * (state.adopters - new) + new - row_sum(stays)
    labs.users = reconsidered(labs.users, reconsider, stays, choosing, followed(world, share))
    state.chosen_worth = log_sum - _overrated(world, share)
    state.direct_share = 1.0 - state.app_share
    # Some requests of those who use a model are still better served by the old tools (M16).
    asked = 1.0 / (1.0 + np.exp(_behind(outside, value, 1.0)))
    state.tokens_per_user = tokens_per_user(world, second, quality, asked)
    _where_served(world, labs.users * state.direct_share * state.tokens_per_user, second)
    state.sales_share = by_region_share(world, state.paid_flagship + state.paid_light)
    state.nest_share = ratio(dot_k(within, state.tokens_by_segment), sum_k(state.tokens_by_segment))


def _overrated(world: World, share: Array) -> Array:
    """How much better users expect their choice to be than it is, ``(segments, worlds, 1)``.

    Users lean on names where society is not trusted, and are served no better for it; where it is trusted more than
    ``trust.neutral`` they heed names too little, and are served better than they expect. What a choice is worth is its
    log-sum less the mean of what was only expected: the formula of Train (2015), Journal of Choice Modelling 16.
    """
    leaning = _named(world) - 1.0
    return leaning * world.parameters.moat.reputation * row_sum(share * world.labs.reputation)


def _named(world: World) -> Array:
    """Where society is not trusted, persons and names are: reputation weighs more (M05)."""
    rules = world.parameters.trust
    return 1.0 + rules.substitution * (rules.neutral - by_home(world.segments, world.state.trust_habit))


def outside_value(world: World) -> Array:
    """Utility of the old tools, ``(segments, 1 or worlds, 1)``: of no strength, they are worth nothing (M16)."""
    table, p = world.segments, world.parameters.model_market
    return table.column("old_tools") + p.old_tools_weight + np.log(np.maximum(p.old_tools_strength, 1e-30))


def routed(world: World, flagship: Array, light: Array) -> tuple[Array, Array]:
    """Utility of both models of a lab, and the share of requests that the light one serves.

    A router picks the cheapest model that is good enough, request by request (M53). Who pays
    nothing is served by the light model.
    """
    p = world.parameters.model_market
    odds = np.exp(_behind(flagship, light, p.router_width))
    second = _second(odds, p.routing, p.free_light * world.segments.column("free"))
    return _with_router(flagship, light, p.routing), second


@elementwise
def _with_router(flagship, light, routing):
    """What a router makes of both models: the flagship, or better where the light one is."""
    return flagship + routing * np.maximum(light - flagship, 0.0)


@elementwise
def _behind(one, other, width):
    """Exponent in the logistic 1/(1 + exp(e)) of ``(other - one) / width``, where it can be told from 0 and 1."""
    return np.minimum(np.maximum(-((other - one) / width), -60.0), 60.0)


@elementwise
def _second(odds, routing, least):
    """Share of requests that go to the light model."""
    return routing * np.maximum(1.0 / (1.0 + odds), least)


@elementwise
def reconsidered(users, reconsider, stays, choosing, share):
    """Who stays, who is held, and who chooses anew."""
    return users * (1.0 - reconsider) + stays + choosing * share


def followed(world: World, share: Array) -> Array:
    """Shares by which users choose: today's, as far as they follow it, else yesterday's (M26).

    f s + (1 - f) s~, with s~ a mean of past shares that fades over a year, brought to the sum of today's.
    """
    labs, p = world.labs, world.parameters.model_market
    fade = np.exp(-world.clock.months / p.yesterday)
    labs.chosen = _faded(labs.chosen, share, fade)
    return _between(share, labs.chosen, ratio(row_sum(share), row_sum(labs.chosen)), 1.0 - p.follow)


@elementwise
def _faded(past, share, fade):
    """The mean of the past with a month more."""
    return past * fade + share * (1.0 - fade)


@elementwise
def _between(share, past, scale, behind):
    """Today's share, as far as users do not lag behind it."""
    return share + behind * (past * scale - share)


def reconsidering(world: World) -> Array:
    """Share of a segment's users who choose anew each month: inertia is the moat of users (M31).

    Interoperability lets some of those choose who would not have bothered.
    """
    table, p = world.segments, world.parameters.model_market
    eased = p.portability * world.instrument("market", "interoperability") * (table.column("region") == CN)
    stays = (1.0 - table.column("reconsider")) * world.parameters.moat.users * (1.0 - eased)
    return 1.0 - clip(stays, 0.0, 1.0)


def by_region_share(world: World, sales: Array) -> Array:
    """Each lab's share of the sales of its home region's labs."""
    here = world.labs.region == CN
    return where(here, shares(where(here, sales, 0.0)), shares(where(here, 0.0, sales)))


def _adopt(world: World) -> Array:
    """Bass diffusion to a ceiling set by the value of the best option; returns new adopters.

    The solution of Bass (1969) carries a step exactly: with z = adopters over ceiling,
    (1 - z)/(a + b z) falls as exp(-(a + b) t), for innovation a and imitation b.
    """
    state, table, p = world.state, world.segments, world.parameters.model_market
    pull = np.minimum(state.best_quality / p.full_quality, 1.0)
    ceiling = table.column("population") * table.column("ceiling") * pull
    before = np.minimum(ratio(state.adopters, np.maximum(ceiling, 1e-9)), 1.0)
    share = p.bass_scale * table.column("bass_innovate") * (1.0 + p.bass_hype * state.hype)
    innovate = -np.log1p(-np.minimum(share, 0.9))
    imitate = p.bass_scale * table.column("bass_imitate")
    left = ratio(1.0 - before, innovate + imitate * before) * np.exp(-(innovate + imitate) * world.clock.months)
    after = (1.0 - innovate * left) / (1.0 + imitate * left)
    new = np.maximum(ceiling * (after - before), 0.0)
    state.adopters = state.adopters + new
    return new


def tokens_per_user(world: World, second: Array, quality: Array, asked: Array | float) -> Array:
    """Tokens a day of one user: tok0 x min(((p0+h)/(p+h))^eps, 200) x (1 + kappa Q) x asked.

    What is asked of the model: not what old tools do, nor what an orchestrator hands on.
    """
    labs, p, table = world.labs, world.parameters.model_market, world.segments
    log_flagship = np.log(labs.price_flagship + p.use_offset)
    log_light = np.log(labs.price_light + p.use_offset)
    willing, pays = np.log(table.column("price") + p.use_offset), 1.0 - p.free_insensitive * table.column("free")
    answer = (table.column("elasticity"), willing, np.log(p.most_use), pays)
    cheap = np.exp(_cheap(log_flagship, log_light, second, *answer))
    amount = (table.column("tokens") * 1000.0, cheap, table.column("lift"), quality)
    return _each(*amount, p.use_scale, asked, 1.0 - orchestrated(world))


@elementwise
def _cheap(flagship, light, second, elasticity, willing, most, pays):
    """Exponent of use: how much less than expected the mix of both models costs."""
    price = flagship + second * (light - flagship)
    return np.minimum(elasticity * (willing - price), most) * pays


@elementwise
def _each(tokens, cheap, lift, quality, scale, asked, kept):
    """Tokens of a user."""
    return tokens * cheap * (1.0 + lift * quality) * scale * asked * kept


def _where_served(world: World, used: Array, second: Array) -> None:
    """Split use: on users' devices, on firms' own machines, and the rest in the labs' clouds.

    What runs on devices (light requests that need no more, M11) or privately (open weights where
    data may not leave, M55) loads no cloud, earns nothing, and leaves its author no data.
    """
    labs, state, p, table = world.labs, world.state, world.parameters.model_market, world.segments
    stays = p.private_share * table.column("privacy")
    device = on_devices(world)
    all_open, light_open = labs.openness == ALL_OPEN, labs.openness >= LIGHT_OPEN
    asked_light = used * second
    asked_flagship = used - asked_light
    cloud_light = _in_cloud(asked_light, device, stays, light_open)
    cloud_flagship = _in_cloud(asked_flagship, 0.0, stays, all_open)
    cn, weight = table.cn, table.column("privacy")[table.cn]
    light, flagship = asked_light[cn], asked_flagship[cn]
    state.tokens_device = row_sum(sum_k(light * device[cn]))
    at_home = _in_private(light, device[cn], stays[cn], light_open) + _in_private(flagship, 0.0, stays[cn], all_open)
    state.tokens_private = row_sum(sum_k(at_home))
    by_flagship, by_light = weigh_k(weight, flagship), weigh_k(weight, light)
    opened = by_flagship * all_open + by_light * light_open
    state.open_private = ratio(row_sum(opened), row_sum(by_flagship + by_light))
    state.tokens_by_segment = cloud_flagship + cloud_light
    labs.tokens_light = sum_k(cloud_light)
    labs.tokens_flagship = sum_k(cloud_flagship)
    paying = 1.0 - table.column("free")
    state.paid_flagship, state.paid_light = weigh_k(paying, cloud_flagship), weigh_k(paying, cloud_light)


@elementwise
def _in_private(asked, device, stays, opened):
    """What firms run on machines of their own: open weights, where data may not leave."""
    return (asked - asked * device) * (stays * opened)


@elementwise
def _in_cloud(asked, device, stays, opened):
    """What is left for the lab's cloud."""
    left = asked - asked * device
    return left - left * (stays * opened)


def best_native(world: World) -> Array:
    """Quality that users of each segment of CN get without an app, ``(segments, worlds, 1)``."""
    users = world.labs.users[:CN_SEGMENTS]
    return row_dot(users, world.state.quality[:CN_SEGMENTS]) / np.maximum(row_sum(users), 1e-12)
