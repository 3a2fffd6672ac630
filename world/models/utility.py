"""Utility of models to users of each segment, from quality, price, reputation and access."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import ALL_OPEN, CN, FILED, LIGHT_OPEN, MISSING, NO_MODEL, ROW
from baimo.conf.declare import flow, stock
from baimo.world.engine.arrays import Array, logistic, row_max, row_sum, where
from baimo.world.engine.equation import equation
from baimo.world.engine.state import State
from baimo.world.laws.nested_logit import ChoiceShares, nested_shares
from baimo.world.models.hosting import count_hosts, offers_of_hosts
from baimo.world.models.quality import appeal, by_home, merit, nuisance, offer, quality, reach
from baimo.world.technology import thinking
from baimo.world.technology.research import data_from_use

if TYPE_CHECKING:
    from baimo.world.engine.world import World

#: The axis on which thinking longer tells.
REASONS = np.array([0.0, 0.0, 1.0]).reshape(3, 1, 1)


class WorthState(State):
    """What models are worth to users, whatever they cost."""

    worth_flagship = flow("utility", "segments", "labs", text="Utility of flagships but for their price")
    worth_thinking = flow(
        "utility", "segments", "labs", text="Utility of flagships that think longer, but for their price"
    )
    worth_light = flow("utility", "segments", "labs", text="Utility of light models but for their price")
    quality = flow("1", "segments", "labs", text="Quality of each lab's better model, by segment")
    reach = flow("OOM", "segments", "labs", text="Capability of flagships in the mix of skills that a segment needs")
    expected_reach = stock("OOM", "segments", first=np.nan, text="Capability that users of a segment expect")
    merit = flow("1", "segments", "labs", text="What flagships can do, against expectations")
    best_free = flow("1", "segments", text="The same of the best light model of a lab at home")
    best_quality = flow("1", "segments", text="Quality of the best model on sale in each segment")


def weigh_models(world: World) -> None:
    """Phase 8, first part: what users of each segment make of each lab's flagship and light model."""
    labs, seg, state, p = world.labs, world.segments.columns, world.state, world.parameters
    count_hosts(world)
    of_lab = {"use": data_from_use(labs, p.technology), "common": common_utility(labs, seg, state, world.policy, p)}
    on_sale, models = labs.released & labs.alive, []
    longer = labs.served + thinking.gain(world) * world.xp.asarray(REASONS)
    for capability, open_at in ((labs.served, ALL_OPEN), (longer, ALL_OPEN), (labs.light, LIGHT_OPEN)):
        model = offer(world, capability, opened=labs.openness >= open_at, **of_lab)
        model.quality, model.reach = quality(model, labs, seg, state, p), reach(model, seg)
        models.append(model)
    _expect(world, row_max(where(on_sale, np.maximum(models[1].reach, models[2].reach), NO_MODEL)))
    for model in models:
        model.merit = merit(model, seg, state, p)
        model.best = row_max(where(on_sale, model.merit, -1.0))
    flagship, longer, light = models
    worths = [worth(each, labs, seg, p) for each in models]
    state.worth_flagship, state.worth_thinking, state.worth_light = worths
    state.quality, state.reach = np.maximum(longer.quality, light.quality), flagship.reach
    state.best_quality = row_max(where(on_sale, state.quality, 0.0))
    state.merit = longer.merit
    state.best_free = row_max(where(on_sale & (seg.region == labs.region), light.merit, -1.0))


def _expect(world: World, best: Array) -> None:
    """Expectations follow the best on sale by about a year (X12); at first they are what there is."""
    state = world.state
    pace = world.clock.fraction(1.0 / world.parameters.ladder.expectations)
    known = np.isfinite(state.expected_reach)
    state.expected_reach = where(known, state.expected_reach + pace * (best - state.expected_reach), best)


def choices(world: World, value: Array) -> ChoiceShares:
    """Shares of those who choose anew among models of some utility."""
    labs, seg, p = world.labs, world.segments.columns, world.parameters
    aware, sigma = considered(labs, seg, p), p.model_market.nest_correlation
    return nested_shares(value, labs.openness == ALL_OPEN, outside_value(seg, p), sigma, aware)


def valued(world: World) -> tuple[Array, Array, Array]:
    """Utility of each lab's models at present prices, and how they are used.

    Returns
    -------
    value : array (segments, worlds, labs)
    light : array
        Share of requests that the light model serves.
    longer : array
        Share of the flagship's requests for which it thinks longer.
    """
    seg, state, p = world.segments.columns, world.state, world.parameters
    offers_of_hosts(world)
    flagship, thinking_long, light = at_prices(seg, state, p)
    best, longer = deliberated(flagship, thinking_long, thinking.thinks(world), p)
    return *routed(best, light, seg, p), longer


@equation
def deliberated(flagship, longer, sold, p):
    """V + (V_longer - V)+ where a lab sells thinking, and the share of requests that are worth it (X07).

    Users take the mode that gives more at its price, request by request, with the odds of a logit.
    """
    share = where(sold, logistic((longer - flagship) / p.thinking.width), 0.0)
    return where(sold, np.maximum(flagship, longer), flagship), share


@equation
def named_weight(seg, state, p):
    """1 + s (t_neutral - trust): weight of reputation, which substitutes for social trust (M05)."""
    return 1.0 + p.trust.substitution * (p.trust.neutral - by_home(state.trust_habit, seg))


@equation
def at_prices(seg, state, p):
    """V - alpha (ln(P + h0) - ln(WTP + h0)) of flagship, instant and thinking, and of the light model.

    P is the least that the author or a host in their region asks, r times as much for an answer that takes r times
    the tokens (X07).
    """
    model_market, here = p.model_market, seg.region == CN
    alpha = model_market.price_sensitivity * (1.0 - model_market.free_insensitive * seg.free)
    h0, r = model_market.hassle_cost, p.thinking.length
    willing = np.log(seg.price + h0)
    flagship = where(here, np.log(state.offer_flagship[CN] + h0), np.log(state.offer_flagship[ROW] + h0))
    longer = where(here, np.log(r * state.offer_flagship[CN] + h0), np.log(r * state.offer_flagship[ROW] + h0))
    light = where(here, np.log(state.offer_light[CN] + h0), np.log(state.offer_light[ROW] + h0))
    return (
        state.worth_flagship - alpha * (flagship - willing),
        state.worth_thinking - alpha * (longer - willing),
        state.worth_light - alpha * (light - willing),
    )


@equation
def considered(lab, seg, p):
    """A: the share of users who consider a lab.

    A lab of one industry is little known beyond it; at home its parent's customers consider it.
    """
    goodwill, at_home = p.goodwill, seg.number == lab.home_segment
    known = lab.awareness * where(at_home | (lab.home_segment == MISSING), 1.0, goodwill.beyond_home)
    return known + where(at_home, goodwill.parent_customers, 0.0) * (1.0 - known)


@equation
def border(lab, seg, rules, state, p):
    """Utility lost abroad: weights on users' own machines cross no border (M55), nor do those that a host serves (X10).

    A closed service from abroad is not to be had where services must be filed.
    """
    model_market, cn = p.model_market, seg.region == CN
    into_cn = model_market.foreign_in_cn + model_market.cross_border * rules.data.cross_border
    crossing = where(cn, into_cn, model_market.cn_abroad)
    opened = lab.openness == ALL_OPEN
    hosted = opened & (where(cn, state.hosts[CN], state.hosts[ROW]) > 0.0)
    firms = hosted * (1.0 - seg.free)
    kept = model_market.private_share * seg.privacy * opened
    lost = crossing * (1.0 - kept) * (1.0 - firms) + p.hosting.distrust * firms
    barred = where(cn & (firms <= 0.0), 200.0 * seg.licensed * rules.licensing.needs_licence, 0.0)
    return where(seg.region != lab.region, lost + barred, 0.0)


@equation
def licence(lab, seg, rules, p):
    """Disutility in licensed segments: of unfiled labs of CN, less where a trial is allowed, and of caution.

    A filed service answers less the stricter the authority is: caution times stringency squared. What its owner has not
    yet approved is withheld (M28).
    """
    model_market, needs, allowed = p.model_market, rules.licensing.needs_licence, rules.licensing.beta_allowed
    filed = lab.filing == FILED
    lost = model_market.unlicensed * needs + model_market.beta * (1.0 - needs) * (1.0 - allowed)
    refused = model_market.caution * rules.stance.stringency * rules.stance.stringency
    withheld = p.organisation.withheld * (lab.approved_in > 0.0)
    return where(lab.region == CN, seg.licensed * (where(filed, refused, lost) + withheld), 0.0)


@equation
def wall(lab, seg, state, p):
    """w h ln(1 + exp((T - T_hard)/h)) (E_frontier - slack - E)+: disutility short of delivered compute in reach (M19).

    E is log10 of what a launch delivered, efficiency times spending (`launch_worth`): who delivers less than the
    leader sells little where work is hard, and less the easier it is (001). To users in CN the launch abroad is only
    partly in reach.
    """
    model_market, h = p.model_market, p.model_market.wall_width
    abroad = state.worth_all
    frontier = where(seg.region == CN, np.maximum(state.worth_cn, abroad - model_market.wall_border), abroad)
    hard = model_market.wall * h * np.log1p(np.exp((seg.threshold - model_market.wall_from) / h))
    return hard * np.maximum(frontier - model_market.wall_slack - lab.served_worth, 0.0)


@equation
def common_utility(lab, seg, state, rules, p):
    """U, common to both models of a lab: awareness, reputation and control, less border, licence and wall.

    Users whose
    data may not leave like a lab whose projects gave them control (M22).
    """
    model_market = p.model_market
    known = model_market.reliability * np.log(np.maximum(lab.capacity_share, model_market.least_capacity))
    named = named_weight(seg, state, p) * p.moat.reputation * lab.reputation
    absent = where(lab.alive & lab.released, 0.0, -200.0)
    control = seg.privacy * (model_market.control_weight * p.moat.tuning * lab.control)
    lost = border(lab, seg, rules, state, p)
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
def worth(offer, lab, seg, p):
    """V = beta A(Q) - N + omega privacy w + U: utility but for the price, U what both models of a lab share.

    Open weights w have a value of their own where data may not leave (M55).
    """
    model_market = p.model_market
    found = model_market.quality_weight * appeal(offer, p) - nuisance(offer, lab, seg, p)
    return found + model_market.privacy_weight * seg.privacy * offer.opened + offer.common


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
