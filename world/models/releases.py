"""Releases: trained models enter service, open or closed, and make news."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import ALL_OPEN, BIG_TECH, CLOSED, CN, FRONTIER, LIGHT_OPEN, NO_MODEL, OPEN_CHAMPION, ROW
from baimo.agents.lab.market import OpennessSignals
from baimo.agents.lab.training import burning
from baimo.conf.declare import history, stock
from baimo.world.capital.hype import domestic_leap
from baimo.world.engine.arrays import Array, by_region, clip, count_where, mean_k, row_max, sum_k, where
from baimo.world.engine.state import State
from baimo.world.laws.scaling import active_parameters
from baimo.world.models import multimodal
from baimo.world.models.pricing import entry_price, going_price
from baimo.world.network.open_bases import keep_best_open
from baimo.world.technology import lineage
from baimo.world.technology.research import capability, light_capability, update_teachers
from baimo.world.technology.training import tail

if TYPE_CHECKING:
    from baimo.world.engine.world import World

#: Model ids are lab id * RELEASES + number of the release.
RELEASES = 1024


class ReleaseState(State):
    """Releases so far, and the history of the frontier."""

    models_released = stock("models", first="capital.models_before", text="Releases that users have heard of")
    frontier_history = history("OOM", text="Frontier of all labs at the end of each step")


def release(world: World) -> None:
    """Phase 6: release of approved models, news, revaluation of past training."""
    labs, state = world.labs, world.state
    labs.choose_openness(_stakes(world), among=labs.trained)
    labs.waiting = np.maximum(labs.waiting - world.clock.months, 0.0)
    labs.approved_in = np.maximum(labs.approved_in - world.clock.months, 0.0)
    out = labs.alive & labs.trained & (labs.waiting <= 0.0)
    mean = mean_k(capability(labs))
    before, before_cn = state.frontier_all, state.frontier_cn
    _go_out(world, out)
    keep_best_open(world)
    update_teachers(world)
    state.frontier_history.append(state.frontier_all)
    _make_news(world, out, mean, before)
    domestic_leap(world, before_cn)
    lineage.record(world, out)
    lineage.community(world)
    lineage.expose(world)
    _write_down(world)
    _subsidise(world, out)
    world.log("release", labs, out, mean)
    world.count("releases", labs, out)
    world.count("open_releases", labs, out & (labs.openness != CLOSED))
    world.count("light_releases", labs, out & (labs.openness == LIGHT_OPEN))


def _subsidise(world: World, out: Array) -> None:
    """Payment of the subsidy of open releases in CN."""
    labs = world.labs
    opened = out & (labs.openness != CLOSED) & (labs.region == CN)
    paid = world.policy.open_source.subsidy_paid * opened
    world.accounts.pay("subsidies of open releases", "government", (labs, paid), operating=True)


def _stakes(world: World) -> OpennessSignals:
    """Signals of the choice of openness: lead over rivals at home, market share, policy."""
    labs = world.labs
    most = world.parameters.openness.lead_most
    mine = mean_k(capability(labs))
    best = where(labs.region == CN, world.state.frontier_cn, world.state.frontier_all)
    level, rule = world.policy.open_source.mandate_above, world.policy.open_source.champion
    champion = labs.archetype == OPEN_CHAMPION
    return OpennessSignals(
        lead=clip(mine - best, -most, most),
        share=world.state.token_share,
        has_cloud=((labs.archetype == BIG_TECH) | (labs.archetype == FRONTIER)).astype(float),
        subsidy=where(labs.region == CN, world.policy.open_source.subsidy, 0.0),
        mandate=(mine >= (np.inf if level is None else level)) | (champion & (rule == "all")),
        ban=world.xp.full(mine.shape, world.policy.open_source.ban) | (champion & (rule == "none")),
    )


def _go_out(world: World, out: Array) -> None:
    labs, technology = world.labs, world.parameters.technology
    year = world.clock.year(world.step_number)
    best = capability(labs)
    mean = mean_k(best)
    light = light_capability(world, best)
    labs.served = where(out, best, labs.served)
    labs.served_worth = where(out, labs.launch_worth, labs.served_worth)
    labs.light = where(out, np.maximum(light, labs.light), labs.light)
    opened = where(labs.openness == ALL_OPEN, best, where(labs.openness == LIGHT_OPEN, light, NO_MODEL))
    labs.open_weights = where(out, np.maximum(labs.open_weights, opened), labs.open_weights)
    size = active_parameters(mean, year, technology)
    labs.active_parameters = where(out, size, labs.active_parameters)
    labs.light_parameters = where(out, size * technology.light_size, labs.light_parameters)
    fresh = out & (sum_k(opened) >= sum_k(labs.open_weights) - 1e-9)
    labs.open_post = where(fresh, labs.post, labs.open_post)
    labs.released = labs.released | out
    labs.trained = labs.trained & ~out
    labs.releases = labs.releases + out
    labs.multimodal = labs.multimodal | (out & (mean >= multimodal.level(world)))
    labs.model_id = where(out, labs.id * RELEASES + labs.releases.astype(np.int64), labs.model_id)
    labs.open_model = where(fresh & (labs.openness != CLOSED), labs.model_id, labs.open_model)
    sensitive = world.parameters.organisation.approval * tail(labs) * (labs.archetype == BIG_TECH)
    labs.approved_in = where(out, sensitive, labs.approved_in)
    labs.since_news = where(out, 0.0, labs.since_news + world.clock.months)
    labs.burnt = where(out, 0.0, labs.burnt + world.clock.months * burning(labs))
    labs.reputation = labs.reputation + where(out, technology.release_reputation, 0.0)
    first = out & (labs.releases <= 1.0)
    labs.price_flagship = where(first, by_region(_newcomers_price(world), labs.region), labs.price_flagship)
    labs.price_light = where(first, labs.price_flagship * technology.light_price, labs.price_light)


def _newcomers_price(world: World) -> Array:
    """Initial price of a newcomer: the going price at home, at most that of the first ones."""
    return np.minimum(going_price(world), entry_price(world))


def _make_news(world: World, out: Array, mean: Array, before: Array) -> None:
    """Hype from leaps of the frontier abroad and from further releases, which make less each time (M42, M49).

    What leaps at home is news of its own, which is believed less (``hype.domestic_leap``).
    """
    state, capital = world.state, world.parameters.capital
    labs = world.labs
    abroad = out & (labs.region == ROW)
    leap = np.maximum(row_max(where(abroad, mean, NO_MODEL)) - before, 0.0)
    foreign = count_where(abroad)
    me_too = count_where(out)
    # Each release of a step is one of those so far: they count as at its middle.
    heard = state.models_released + 0.5 * me_too
    push = (
        capital.hype_leap * leap
        + capital.hype_foreign * foreign
        + capital.hype_me_too * me_too / (1.0 + heard / capital.hype_tired)
    )
    state.models_released = state.models_released + me_too
    state.hype_push = push + world.policy.news


def _write_down(world: World) -> None:
    """Write past training down where a stronger open base is there, and what the lab is valued at with it (M36).

    dV/dt = -w min((x_open - x)/width, 1) V.
    """
    labs, technology = world.labs, world.parameters.technology
    mine = mean_k(labs.served)
    free = by_region(world.state.open_at_home, labs.region)
    over = clip((free - mine) / technology.write_down_width, 0.0, 1.0)
    yearly = 1.0 - np.exp(-technology.write_down * world.clock.years * over)
    lost = where(labs.alive & labs.released, labs.sunk_value * yearly, 0.0)
    labs.sunk_value = labs.sunk_value - lost
    labs.written_down = labs.written_down + lost
    labs.valuation = np.maximum(labs.valuation - world.parameters.capital.sunk_weight * lost, 0.0)
    world.count("sunk_value_lost", labs, lost)
