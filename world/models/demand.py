"""Demand for models: diffusion, inertia, choice by nested logit, tokens used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import ALL_OPEN, CN, LIGHT_OPEN
from baimo.conf.declare import flow, stock
from baimo.world.engine.arrays import (
    Array,
    clip,
    dot_k,
    ratio,
    row_dot,
    row_max,
    row_sum,
    shares,
    sum_k,
    weigh_k,
    where,
)
from baimo.world.engine.equation import elementwise
from baimo.world.engine.state import State
from baimo.world.laws.nested_logit import nested_shares
from baimo.world.models import tuning_hub
from baimo.world.models.quality import (
    on_devices,
    orchestrated,
)
from baimo.world.models.segments import CN_SEGMENTS
from baimo.world.models.utility import expected_only, outside_value, routed, utilities, worse_by

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class DemandState(State):
    """What users of models have become and do."""

    adopters = stock("million users", "segments", text="Users of models, by any lab")
    quality = flow("1", "segments", "labs", text="Quality of a lab's model in the work of a segment")
    best_quality = flow("1", "segments", text="Quality of the best model on sale")
    chosen_worth = flow("1", "segments", text="Expected utility of a user's choice")
    direct_share = flow("share", "segments", text="Use of models that no app stands between")
    tokens_per_user = flow("tokens/day", "segments", "labs", text="Tokens of one user")
    tokens_by_segment = flow("Mtok/day", "segments", "labs", text="Tokens asked of the labs' clouds")
    tokens_device = flow("Mtok/day", text="Tokens served on users' devices, CN")
    tokens_private = flow("Mtok/day", text="Tokens served on firms' own machines, CN")
    open_private = flow("share", text="Open weights in the use of firms whose data may not leave, CN")
    paid_flagship = flow("Mtok/day", "labs", text="Tokens of flagships that are paid for")
    paid_light = flow("Mtok/day", "labs", text="Tokens of light models that are paid for")
    sales_share = flow("share", "labs", text="Share of the sales of the home region's labs")
    nest_share = flow("share", "labs", text="Share of a lab in its nest, over its segments")


def clear(world: World) -> None:
    """Phase 9: adoption diffuses, reconsidering users choose, usage follows."""
    labs, state, p = world.labs, world.state, world.parameters.model_market
    flagship, light, quality = utilities(world)
    value, second = routed(world, flagship, light)
    outside = outside_value(world)
    share, within, log_sum = nested_shares(value, labs.openness == ALL_OPEN, outside, p.nest_correlation)
    state.quality, state.best_quality = quality, row_max(where(labs.released & labs.alive, quality, 0.0))
    new = _adopt(world)
    reconsider = world.clock.fraction(reconsidering(world))
    stays = tuning_hub.stays(world, reconsider)
    choosing = reconsider * (state.adopters - new) + new - row_sum(stays)
    labs.users = reconsidered(labs.users, reconsider, stays, choosing, followed(world, share))
    state.chosen_worth = log_sum - expected_only(world, share)
    state.direct_share = 1.0 - state.app_share
    # Some requests of those who use a model are still better served by the old tools (M16).
    asked = 1.0 / (1.0 + np.exp(worse_by(outside, value, 1.0)))
    state.tokens_per_user = tokens_per_user(world, second, quality, asked)
    _where_served(world, labs.users * state.direct_share * state.tokens_per_user, second)
    state.sales_share = by_region_share(world, state.paid_flagship + state.paid_light)
    state.nest_share = ratio(dot_k(within, state.tokens_by_segment), sum_k(state.tokens_by_segment))


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
    eased = p.portability * world.policy.market.interoperability * (table.column("region") == CN)
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
