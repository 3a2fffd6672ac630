"""Demand for models: diffusion, inertia, choice by nested logit, tokens used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import ALL_OPEN, CN, LIGHT_OPEN, NO_MODEL, ROW
from baimo.conf.declare import flow, stock
from baimo.world.engine.arrays import (
    Array,
    clip,
    dot_k,
    logistic,
    ratio,
    row_dot,
    row_sum,
    sum_k,
    weigh_k,
    where,
)
from baimo.world.engine.equation import equation
from baimo.world.engine.state import State
from baimo.world.models import tuning_hub
from baimo.world.models.hosting import split_off
from baimo.world.models.quality import best_open_light, on_devices, orchestrated, threshold
from baimo.world.models.utility import choices, expected_only, outside_value, valued

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class DemandState(State):
    """State of demand: adoption, use, quality of what is used."""

    adopters = stock("million users", "segments", text="Users of models, by any lab")
    open_light = stock("OOM", first=NO_MODEL, text="The best light model whose weights are out")
    chosen_worth = flow("1", "segments", text="Expected utility of a user's choice")
    direct_share = flow("share", "segments", text="Share of use without an app")
    tokens_per_user = flow("tokens/day", "segments", "labs", text="Tokens of one user")
    tokens_by_segment = flow("Mtok/day", "segments", "labs", text="Tokens asked of the labs' clouds")
    thinking_tokens = flow("Mtok/day", text="Tokens of answers with thinking, CN")
    tokens_device = flow("Mtok/day", text="Tokens served on users' devices, CN")
    tokens_private = flow("Mtok/day", text="Tokens served on firms' own machines, CN")
    open_private = flow("share", text="Open weights in the use of firms whose data may not leave, CN")
    asked_by_users = flow("Mtok/day", "labs", text="Tokens of flagships that users ask of the labs' clouds")
    asked_light = flow("Mtok/day", "labs", text="Tokens of light models that users ask of the labs' clouds")
    paid_flagship = flow("Mtok/day", "labs", text="Tokens of flagships that are paid for")
    paid_light = flow("Mtok/day", "labs", text="Tokens of light models that are paid for")


@dataclass(slots=True)
class Choice:
    """Choices of users in a step, arrays ``(segments, worlds, labs)`` and ``(segments, worlds, 1)``.

    Attributes
    ----------
    share, past : arrays (segments, worlds, labs)
        Shares of those who choose today, and the mean of past ones.
    scale : array (segments, worlds, 1)
        What brings the sum of the past to that of today.
    reconsider, choosing : arrays (segments, worlds, 1)
        Share of users who choose anew, and how many choose, million people.
    stays : array (segments, worlds, labs)
        Users who would choose anew and are held, million people.
    """

    share: Array
    past: Array | None = None
    scale: Array | None = None
    reconsider: Array | None = None
    choosing: Array | None = None
    stays: Array | float = 0.0


@dataclass(slots=True)
class Use:
    """Use of models, arrays ``(segments, worlds, labs)`` or ``(segments, worlds, 1)``.

    Attributes
    ----------
    value, outside : arrays
        Utility of models and of the old tools.
    second : array
        Share of requests that the light model serves.
    quality, reach : arrays
        Of the better model, and capability of the flagship in the mix of the segment, OOM.
    longer : array
        Share of the flagship's requests for which it thinks longer.
    device : array
        Share of requests for light models that devices serve.
    """

    value: Array
    outside: Array | float
    second: Array
    quality: Array
    reach: Array
    longer: Array
    device: Array | None = None


def choose_models(world: World) -> None:
    """Phase 9: adoption, choice of reconsidering users, use."""
    labs, state, seg, p = world.labs, world.state, world.segments.columns, world.parameters
    value, second, longer = valued(world)
    use = Use(value, outside_value(seg, p), second, state.quality, state.reach, longer)
    share, _, log_sum = choices(world, value)
    new = _adopt(world)
    choice = Choice(share, reconsider=world.clock.fraction(reconsidering(world)))
    choice.stays = tuning_hub.stays(world, choice.reconsider)
    choice.choosing = choice.reconsider * (state.adopters - new) + new - row_sum(choice.stays)
    labs.chosen = choice.past = remembered(labs, share, world.clock.months, p)
    choice.scale = ratio(row_sum(share), row_sum(choice.past))
    labs.users = reconsidered(labs, choice, p)
    state.chosen_worth = log_sum - expected_only(world, share)
    state.direct_share = 1.0 - state.app_share
    state.tokens_per_user = tokens_per_user(use, state, seg, p)
    state.open_light = best_open_light(world)
    use.device = on_devices(world)
    _where_served(world, use)


@equation
def remembered(lab, share, months, p):
    """s~ e^(-dt/T) + s (1 - e^(-dt/T)): exponentially weighted mean of past shares (M26)."""
    fade = np.exp(-months / p.model_market.yesterday)
    return lab.chosen * fade + share * (1.0 - fade)


@equation
def followed(choice, p):
    """f s + (1 - f) s~: shares by which users choose, a mix of today's and past ones (M26)."""
    f = p.model_market.follow
    return choice.share + (1.0 - f) * (choice.past * choice.scale - choice.share)


@equation
def reconsidered(lab, choice, p):
    """u (1 - r) + held + choosing s: users who stay, are held, and choose anew."""
    return lab.users * (1.0 - choice.reconsider) + choice.stays + choice.choosing * followed(choice, p)


def reconsidering(world: World) -> Array:
    """Share of a segment's users who choose anew each month; inertia is the moat of users (M31).

    Interoperability lets some of those choose who would not have bothered.
    """
    table, model_market = world.segments, world.parameters.model_market
    eased = model_market.portability * world.policy.market.interoperability * (table.column("region") == CN)
    stays = (1.0 - table.column("reconsider")) * world.parameters.moat.users * (1.0 - eased)
    return 1.0 - clip(stays, 0.0, 1.0)


def all_users(world: World) -> Array:
    """All who may come to use models in a segment, million people."""
    return world.segments.column("population") * world.segments.column("ceiling")


def _adopt(world: World) -> Array:
    """Bass diffusion to a ceiling set by the value of the best option; returns new adopters.

    The solution of Bass (1969) carries a step exactly: with z = adopters over ceiling,
    (1 - z)/(a + b z) falls as exp(-(a + b) t), for innovation a and imitation b.
    """
    state, table, model_market = world.state, world.segments, world.parameters.model_market
    pull = np.minimum(state.best_quality / model_market.full_quality, 1.0)
    ceiling = all_users(world) * pull
    before = np.minimum(ratio(state.adopters, np.maximum(ceiling, 1e-9)), 1.0)
    share = model_market.bass_scale * table.column("bass_innovate") * (1.0 + model_market.bass_hype * state.hype)
    innovate = -np.log1p(-np.minimum(share, 0.9))
    imitate = model_market.bass_scale * table.column("bass_imitate")
    left = ratio(1.0 - before, innovate + imitate * before) * np.exp(-(innovate + imitate) * world.clock.months)
    after = (1.0 - innovate * left) / (1.0 + imitate * left)
    new = np.maximum(ceiling * (after - before), 0.0)
    state.adopters = state.adopters + new
    return new


@equation
def tokens_per_user(use, state, seg, p):
    """tok0 min(((p0 + h1)/(p + h1))^eps, most)^pays 10^(t (x - T)+) (1 + kappa Q) scale asked (1 - d), tokens a day.

    Of one user; p is the price of the mix of both models. Harder tasks take more tokens (X12). Less is asked of
    models than could be: not what old tools do better (M16), nor what an orchestrator hands on (M38).
    """
    model_market = p.model_market
    h1, pays = model_market.use_offset, 1.0 - model_market.free_insensitive * seg.free
    here = seg.region == CN
    flagship = where(here, np.log(state.offer_flagship[CN] + h1), np.log(state.offer_flagship[ROW] + h1))
    light = where(here, np.log(state.offer_light[CN] + h1), np.log(state.offer_light[ROW] + h1))
    price = flagship + use.second * (light - flagship)
    cheap = np.minimum(seg.elasticity * (np.log(seg.price + h1) - price), np.log(model_market.most_use)) * pays
    harder = np.log(10.0) * p.ladder.tokens * np.maximum(use.reach - threshold(seg, p), 0.0)
    amount = seg.tokens * 1000.0 * np.exp(cheap + harder) * (1.0 + seg.lift * use.quality)
    return amount * model_market.use_scale * logistic(use.value - use.outside) * (1.0 - orchestrated(seg, p))


def _where_served(world: World, use: Use) -> None:
    """Split use: on users' devices, on firms' own machines, and the rest in the labs' clouds.

    What runs on devices (light requests that need no more, M11) or privately (open weights where
    data may not leave, M55) loads no cloud, earns nothing, and leaves its author no data.
    """
    labs, state, table, seg = world.labs, world.state, world.segments, world.segments.columns
    p = world.parameters
    flagship, light, device, private, cloud_flagship, cloud_light = tokens_by_place(use, labs, state, seg, p)
    without = flagship / (1.0 + (p.thinking.length - 1.0) * use.longer)
    state.thinking_tokens = p.thinking.length * row_sum(dot_k(use.longer[table.cn], without[table.cn]))
    # Thinking lengthens what is written, not what is read.
    asked, unread = row_sum(sum_k(flagship + light)), 1.0 - p.serving.output_share
    state.output_share = 1.0 - unread * where(asked > 0.0, ratio(row_sum(sum_k(without + light)), asked), 1.0)
    state.tokens_device = row_sum(sum_k(device[table.cn]))
    state.tokens_private = row_sum(sum_k(private[table.cn]))
    weight = seg.privacy[table.cn]
    by_flagship, by_light = weigh_k(weight, flagship[table.cn]), weigh_k(weight, light[table.cn])
    opened = by_flagship * (labs.openness == ALL_OPEN) + by_light * (labs.openness >= LIGHT_OPEN)
    state.open_private = ratio(row_sum(opened), row_sum(by_flagship + by_light))
    cloud_flagship, cloud_light = split_off(world, cloud_flagship, cloud_light)
    state.tokens_by_segment = cloud_flagship + cloud_light
    state.asked_light, state.asked_by_users = sum_k(cloud_light), sum_k(cloud_flagship)
    paying = 1.0 - seg.free
    state.paid_flagship, state.paid_light = weigh_k(paying, cloud_flagship), weigh_k(paying, cloud_light)


@equation
def tokens_by_place(use, lab, state, seg, p):
    """Tokens a day asked of flagships and light models; on devices, on firms' own machines, and of both in clouds.

    asked = u tok (1 - a), a the share of users who come through apps; the light model is asked for its share, and the
    flagship for r times the tokens where it thinks (X07).
    """
    used = lab.users * state.direct_share * state.tokens_per_user
    light = used * use.second
    flagship = (used - light) * (1.0 + (p.thinking.length - 1.0) * use.longer)
    device = light * use.device
    rest = light - device
    stays = p.model_market.private_share * seg.privacy
    own_flagship = flagship * (stays * (lab.openness == ALL_OPEN))
    own_light = rest * (stays * (lab.openness >= LIGHT_OPEN))
    return flagship, light, device, own_light + own_flagship, flagship - own_flagship, rest - own_light


def best_native(world: World) -> Array:
    """Quality that users of each segment of CN get without an app, ``(segments, worlds, 1)``."""
    home = world.segments.cn
    users = world.labs.users[home]
    return row_dot(users, world.state.quality[home]) / np.maximum(row_sum(users), 1e-12)
