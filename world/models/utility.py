"""Utility of models to users of each segment, from quality, price, reputation and access."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import ALL_OPEN, CN, FILED, LIGHT_OPEN
from baimo.world.engine.arrays import Array, logistic, row_max, row_sum, where
from baimo.world.engine.equation import equation
from baimo.world.models.quality import appeal, by_home, nuisance, offer, quality
from baimo.world.technology.research import data_from_use

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
    labs, seg, state, p = world.labs, world.segments.columns, world.state, world.parameters
    of_lab = {"use": data_from_use(labs, p.technology), "common": common_utility(labs, seg, state, world.policy, p)}
    values, qualities = [], []
    for capability, price, open_at in (
        (labs.served, labs.price_flagship, ALL_OPEN),
        (labs.light, labs.price_light, LIGHT_OPEN),
    ):
        model = offer(world, capability, price=price, opened=labs.openness >= open_at, **of_lab)
        model.quality = quality(model, labs, seg, state, p)
        model.best = row_max(where(labs.released & labs.alive, model.quality, 0.0))
        values.append(utility(model, labs, seg, p))
        qualities.append(model.quality)
    return *values, np.maximum(*qualities)


@equation
def named_weight(seg, state, p):
    """1 + s (t_neutral - trust): weight of reputation, which substitutes for social trust (M05)."""
    return 1.0 + p.trust.substitution * (p.trust.neutral - by_home(state.trust_habit, seg))


@equation
def dearness(offer, seg, p):
    """alpha (ln(P + h0) - ln(WTP + h0)): disutility of a price above the willingness to pay."""
    model_market = p.model_market
    alpha = model_market.price_sensitivity * (1.0 - model_market.free_insensitive * seg.free)
    h0 = model_market.hassle_cost
    return alpha * (np.log(offer.price + h0) - np.log(seg.price + h0))


@equation
def border(lab, seg, rules, p):
    """Disutility of foreign models; weights on users' own machines cross no border (M55)."""
    model_market = p.model_market
    into_cn = model_market.foreign_in_cn + model_market.cross_border * rules.data.cross_border
    crossing = where(seg.region == CN, into_cn, model_market.cn_abroad)
    kept = model_market.private_share * seg.privacy * (lab.openness == ALL_OPEN)
    return where(seg.region != lab.region, crossing * (1.0 - kept), 0.0)


@equation
def licence(lab, seg, rules, p):
    """Disutility of unfiled labs of CN in licensed segments, less where a trial is allowed."""
    model_market, needs, allowed = p.model_market, rules.licensing.needs_licence, rules.licensing.beta_allowed
    unfiled = (lab.filing != FILED) & (lab.region == CN)
    lost = model_market.unlicensed * needs + model_market.beta * (1.0 - needs) * (1.0 - allowed)
    return unfiled * (seg.licensed * lost)


@equation
def wall(lab, seg, state, p):
    """w (T - T_hard)+ (x_frontier - slack - x)+: disutility in hard segments short of the frontier in reach (M19).

    Where the work is hard, a model whose run is worth less than the leader's (efficiency times spending)
    sells little (001). To users in CN the frontier abroad is only partly in reach.
    """
    model_market = p.model_market
    x = (lab.served[0] + lab.served[1] + lab.served[2]) / 3.0
    abroad = state.frontier_all
    frontier = where(seg.region == CN, np.maximum(state.frontier_cn, abroad - model_market.wall_border), abroad)
    hard = model_market.wall * np.maximum(seg.threshold - model_market.wall_from, 0.0)
    return hard * np.maximum(frontier - model_market.wall_slack - x, 0.0)


@equation
def common_utility(lab, seg, state, rules, p):
    """U, common to both models of a lab: awareness, reputation and control, less border, licence and wall.

    Awareness multiplies a model's weight in its nest. Users whose data may not leave value control, which
    projects give (M22).
    """
    model_market = p.model_market
    known = model_market.reliability * np.log(np.maximum(lab.capacity_share, model_market.least_capacity))
    known = known + (1.0 - model_market.nest_correlation) * np.log(lab.awareness)
    named = named_weight(seg, state, p) * p.moat.reputation * lab.reputation
    absent = where(lab.alive & lab.released, 0.0, -200.0)
    control = seg.privacy * (model_market.control_weight * p.moat.tuning * lab.control)
    lost = border(lab, seg, rules, p)
    return known + named + absent - lost - licence(lab, seg, rules, p) + control - wall(lab, seg, state, p)


def expected_only(world: World, share: Array) -> Array:
    """Utility that users expect of their choice but do not get, ``(segments, worlds, 1)``.

    Where social trust is below ``trust.neutral`` users give reputation more weight than its plain one, without being
    served better; above it less. The welfare of a choice is its log-sum less the mean of what was only expected:
    the formula of Train (2015), Journal of Choice Modelling 16.
    """
    leaning = named_weight(world.segments.columns, world.state, world.parameters) - 1.0
    return leaning * world.parameters.moat.reputation * row_sum(share * world.labs.reputation)


@equation
def utility(offer, lab, seg, p):
    """V = beta A(Q) - N + omega privacy w - alpha (ln(P + h0) - ln(WTP + h0)) + U, utility of a model.

    Open weights w have a value of their own where data may not leave (M55).
    """
    model_market = p.model_market
    worth = model_market.quality_weight * appeal(offer, p) - nuisance(offer, lab, seg, p)
    worth = worth + model_market.privacy_weight * seg.privacy * offer.opened
    return worth - dearness(offer, seg, p) + offer.common


@equation
def outside_value(seg, p):
    """Utility of the old tools, ``(segments, 1 or worlds, 1)`` (M16)."""
    model_market = p.model_market
    return seg.old_tools + model_market.old_tools_weight + np.log(np.maximum(model_market.old_tools_strength, 1e-30))


@equation
def routed(flagship, light, seg, p):
    """Utility of both models of a lab, V + r (V_light - V)+, and the share of requests that the light one serves.

    A router picks the cheapest model that is good enough, request by request (M53): the light one with the odds of a
    logit. Free use is served by the light model.
    """
    model_market = p.model_market
    second = np.maximum(logistic((light - flagship) / model_market.router_width), model_market.free_light * seg.free)
    return flagship + model_market.routing * np.maximum(light - flagship, 0.0), model_market.routing * second
