"""Utility of models to users of each segment, from quality, price, standing and access."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import ALL_OPEN, CN, FILED, LIGHT_OPEN
from baimo.world.engine.arrays import (
    Array,
    row_sum,
    sum_k,
    where,
)
from baimo.world.engine.equation import elementwise
from baimo.world.models.quality import (
    appeal,
    brain,
    by_home,
    nuisance,
    own_data,
    with_eyes_and_hands,
)

if TYPE_CHECKING:
    from baimo.world.engine.world import World


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
    labs, p, table = world.labs, world.parameters.model_market, world.segments
    moat, rules, abroad = world.parameters.moat, world.policy.licensing, world.policy.data.cross_border
    border = where(table.column("region") == CN, p.foreign_in_cn + p.cross_border * abroad, p.cn_abroad)
    unfiled = (labs.filing != FILED) & (labs.region == CN)
    licence = table.column("licensed") * (
        p.unlicensed * rules.needs_licence + p.beta * (1.0 - rules.needs_licence) * (1.0 - rules.beta_allowed)
    )
    control = p.control_weight * moat.tuning * labs.control
    known = p.reliability * np.log(np.maximum(labs.capacity_share, 0.05))
    # Who is not thought of is not weighed: awareness multiplies a model's weight in its nest.
    known = known + (1.0 - p.nest_correlation) * np.log(labs.awareness)
    absent = where(labs.alive & labs.released, 0.0, -200.0)
    standing = (known, named_weight(world) * moat.reputation, labs.reputation, absent)
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


def expected_only(world: World, share: Array) -> Array:
    """How much better users expect their choice to be than it is, ``(segments, worlds, 1)``.

    Users lean on names where society is not trusted, and are served no better for it; where it is trusted more than
    ``trust.neutral`` they heed names too little, and are served better than they expect. What a choice is worth is its
    log-sum less the mean of what was only expected: the formula of Train (2015), Journal of Choice Modelling 16.
    """
    leaning = named_weight(world) - 1.0
    return leaning * world.parameters.moat.reputation * row_sum(share * world.labs.reputation)


def named_weight(world: World) -> Array:
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
    odds = np.exp(worse_by(flagship, light, p.router_width))
    second = _second(odds, p.routing, p.free_light * world.segments.column("free"))
    return _with_router(flagship, light, p.routing), second


@elementwise
def _with_router(flagship, light, routing):
    """What a router makes of both models: the flagship, or better where the light one is."""
    return flagship + routing * np.maximum(light - flagship, 0.0)


@elementwise
def worse_by(one, other, width):
    """Exponent in the logistic 1/(1 + exp(e)) of ``(other - one) / width``, where it can be told from 0 and 1."""
    return np.minimum(np.maximum(-((other - one) / width), -60.0), 60.0)


@elementwise
def _second(odds, routing, least):
    """Share of requests that go to the light model."""
    return routing * np.maximum(1.0 / (1.0 + odds), least)
