"""Life cycle of apps: founding and hidden aims, closure, survival."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from baimo.agents.app import AppExitSignals, AppPivotSignals, IncumbentSignals, draw_aim
from baimo.agents.enums import (
    ADD,
    ALIVE,
    API,
    APP_EXITS,
    CN,
    DEEP,
    IMAGE,
    LEAVE,
    OPEN_MODEL,
    OWN_MODEL,
    PLATFORM_APP,
    POOR,
    POOR_DEEP,
    REMAKE,
    SPEECH,
    TEXT,
    WRAPPER,
)
from baimo.conf.declare import stock
from baimo.world.apps import labour
from baimo.world.apps.app_segments import segment_of_apps
from baimo.world.apps.choice import choose_bases, notice_models
from baimo.world.apps.competition import compete, generation, pay_staff
from baimo.world.engine.arrays import Array, clip, count_where, sum_by_group, where
from baimo.world.engine.device import to_host
from baimo.world.engine.population import spread_out
from baimo.world.engine.random import normal, poisson
from baimo.world.engine.state import State
from baimo.world.models import multimodal, tuning_hub
from baimo.world.models.leadership import native_level

if TYPE_CHECKING:
    from baimo.world.engine.population import Selection
    from baimo.world.engine.world import World


class AppLifeState(State):
    """State of entry and exit of apps."""

    app_entry_rate = stock("apps/month", first=np.nan, text="Rate of entry at the end of the last step")
    death_ages = stock("apps", "ages", text="Closures so far by age in months")


# ---------------------------------------------------------------------- founding


def found_apps(world: World) -> None:
    """Founding of apps, by hype, capability of models and crowding."""
    state, app_market, apps = world.state, world.parameters.app_market, world.apps
    alive = count_where(apps.alive)
    reach = app_market.entry_floor + clip(state.frontier_cn - app_market.entry_level, 0.0, app_market.entry_reach)
    now = app_market.entry_base * np.exp(app_market.entry_hype * state.hype) * reach / (1.0 + alive / app_market.crowd)
    rate = 0.5 * (now + where(np.isnan(state.app_entry_rate), now, state.app_entry_rate))
    state.app_entry_rate = now
    u = world.streams.per_world("app entry", 1)[0]
    count = poisson(u, rate * world.clock.months, world.config.population.most_new_apps).astype(np.int64)
    # Labs that left models for products in the last step come back as apps.
    add_apps(world, to_host(count + state.spin_offs.astype(np.int64)), world.step_number + 1)


def add_apps(world: World, count: Array, step: int) -> None:
    """Found ``count`` (worlds, 1) apps, counted on the host, with people and purses; incumbents may stay out."""
    if not count.any():
        return
    entrants = world.apps.enter(*spread_out(count), step)
    found(world, entrants)
    entrants = _without_who_stays_out(world, entrants)
    labour.found_teams(world, entrants)
    app_market = entrants.view(world.parameters).app_market
    z = normal(entrants.draws("purse"), entrants.draws("lender"))
    money = app_market.purse * np.exp(app_market.purse_sigma * z)
    money = money * where(entrants.incumbent, app_market.incumbent_purse, 1.0)
    purse = np.zeros_like(world.apps.cash)
    purse[entrants.worlds, entrants.rows] = money[0]
    world.accounts.pay("founding", "outside", (world.apps, purse))


def _without_who_stays_out(world: World, entrants):
    """Count incumbents by their answer and remove those that stay out; the rest are founded."""
    answer = entrants.answer[0]
    for choice, name in ((REMAKE, "incumbents_remade"), (ADD, "incumbents_added"), (LEAVE, "incumbents_left")):
        world.tally(name, entrants.by_world(answer == choice))
    entrants.alive = entrants.answer != LEAVE
    stay = answer != LEAVE
    world.tally("app_entries", entrants.by_world(stay))
    (kept,) = np.nonzero(stay)
    return world.apps.select(entrants.worlds[kept], entrants.rows[kept])


def found(world: World, entrants) -> None:
    """Endow new apps with a segment, a product, an answer to the models, a hidden aim and a place (M40)."""
    p, table = entrants.view(world.parameters), world.segments
    app_market = p.app_market
    weight = np.cumsum(table.addressable[table.cn] * np.sqrt(table.population[table.cn]))
    segment = np.searchsorted(weight / weight[-1], entrants.draws("segment")[0])
    entrants.segment = np.minimum(segment, len(weight) - 1)[None]
    entrants.incumbent = entrants.draws("incumbent") < app_market.share_incumbent
    old_tools = segment_of_apps(world, table.column("old_tools")[table.cn])
    entrants.answer_models(IncumbentSignals(old_tools=old_tools))
    remade, adds = entrants.answer == REMAKE, entrants.answer == ADD
    u = entrants.draws("product")
    deep_or_platform = where(u < 1.0 - app_market.share_platform, DEEP, PLATFORM_APP)
    product = where(u < app_market.share_wrapper, WRAPPER, deep_or_platform)
    entrants.product = where(remade, DEEP, product)
    deep = entrants.product == DEEP
    entrants.coupling = where(deep, app_market.coupling_deep, app_market.coupling_light)
    entrants.head_start = where(adds, app_market.incumbent_known, where(remade, -app_market.remake_months, 0.0))
    entrants.customers = where(adds, app_market.incumbent_customers, 1.0)
    _aim(world, entrants, p)
    _place(entrants, app_market, where(deep, app_market.deep_value, 1.0) * where(remade, app_market.remake_value, 1.0))
    multimodal = world.state.multimodal[CN][entrants.worlds, 0]
    single = app_market.share_single * (1.0 - app_market.multimodal_shock * multimodal)
    u = entrants.draws("modality")
    entrants.modality = where(u < single * app_market.share_image, IMAGE, where(u < single, SPEECH, TEXT))
    source = entrants.draws("source")
    open_model = source < app_market.share_api + app_market.share_open
    entrants.source = where(source < app_market.share_api, API, where(open_model, OPEN_MODEL, OWN_MODEL))
    # Only entrants decide here.
    entrants.make_or_buy(labour.weighing(world, 0.0))


def _aim(world: World, entrants: Selection, p: Any) -> None:
    """Hidden aim: distance of the product beyond what models can do."""
    aim, kind = draw_aim(entrants, p)
    deep = entrants.product == DEEP
    entrants.aim = aim + where(deep, p.app_market.coupling_aim, 0.0)
    entrants.aim_class = where(deep & (kind == POOR), POOR_DEEP, kind)
    entrants.threshold = native_level(world)[entrants.worlds, 0][None] + entrants.aim


def _place(entrants, app_market, more: Array) -> None:
    """Value of the product by place: thinking, sensing or acting (001: eye, brain, hand) (M30)."""
    value = app_market.added_value * (app_market.added_least + entrants.draws("added")) * more
    thinks = entrants.draws("place") < app_market.share_brain
    entrants.brain = where(thinks, 1.0, app_market.brain_of_body) * value
    body = where(thinks, app_market.body_of_brain, app_market.body_value) * value
    sees = entrants.draws("limb") < 0.5
    entrants.eye = where(sees, 1.0, app_market.lesser_limb) * body
    entrants.hand = where(sees, app_market.lesser_limb, 1.0) * body


# ---------------------------------------------------------------------- closing


def close(world: World) -> None:
    """Closure: people return to the pool, cash to the founders."""
    apps, state = world.apps, world.state
    gone = apps.alive & (apps.exit_reason != ALIVE)
    world.tally("app_deaths", count_where(gone))
    for cause, name in enumerate(APP_EXITS[1:], 1):
        world.tally(f"app_deaths_{name}", count_where(gone & (apps.exit_reason == cause)))
    world.tally("app_deaths_single", count_where(gone & (apps.modality != TEXT)))
    apps.exit_step = where(gone, world.step_number, apps.exit_step)
    state.death_ages = state.death_ages + _by_age(world, gone)
    _report(world, gone)
    labour.dissolve(world, gone)
    world.accounts.pay("liquidation", (apps, where(gone, apps.cash, 0.0)), "outside")
    apps.bury(gone)


def _report(world: World, gone: Array) -> None:
    """Enter closures in the event log of the worlds whose panels are kept."""
    output = world.config.output
    if output.level == "full":
        kept = gone & world.xp.asarray(world.world_ids < output.panel_worlds)[:, None]
        world.log("app exit", world.apps, kept, world.apps.age, (APP_EXITS, world.apps.exit_reason))


# ---------------------------------------------------------------------- how long they live


def _by_age(world: World, mask: Array) -> Array:
    """Number of apps by age in months, rounded, ``(ages, worlds, 1)``; the oldest in one class.

    They are founded and close in the middle of a step, on average: whole months gone would be half a
    month less in weeks than in months.
    """
    ages = len(world.state.death_ages)
    months = np.minimum((world.apps.age + 0.5).astype(np.int64), ages - 1)
    return sum_by_group(mask.astype(float), where(mask, months, -1), ages).T[..., None]


def survival(world: World) -> Array:
    """Kaplan-Meier (1958) estimate of survival beyond each age in months, ``(ages, worlds, 1)``.

    S(t) = product over ages a up to t of (1 - d_a / n_a): d_a died at age a, n_a ever reached
    it; who lives and is younger is at risk no longer and tells nothing about later ages.
    """
    deaths = world.state.death_ages
    reached = np.cumsum((deaths + _by_age(world, world.apps.alive))[::-1], axis=0)[::-1]
    return np.cumprod(1.0 - deaths / np.maximum(reached, 1.0), axis=0)


def median_survival(alive: Array) -> Array:
    """First age in months that no more than half survive, ``(worlds, 1)``; NaN while more do."""
    below = alive <= 0.5
    return where(below.any(0), np.argmax(below, axis=0).astype(float), np.nan)


def live(world: World) -> None:
    """Phase 11: awareness, choice of bases, adaptation, competition, absorption, closure."""
    apps = world.apps
    multimodal.spread_multimodal(world)
    notice_models(world)
    choose_bases(world)
    tuning_hub.run_hub(world)
    apps.adapt(generation(world))
    compete(world)
    pay_staff(world)
    apps.pivot(_pivoting(world), among=apps.absorbed > world.parameters.app_market.absorbed_limit)
    apps.close_down(founders_resolve(world))
    apps.age = where(apps.alive, apps.age + world.clock.months, 0.0)
    labour.make_or_buy(world)
    apps.since_round = apps.since_round + world.clock.months
    apps.peak_users = np.maximum(apps.peak_users, apps.users)


def founders_resolve(world: World) -> AppExitSignals:
    """Hazards of closing, as chances in this step."""
    app_market = world.parameters.app_market
    return AppExitSignals(
        resolve=world.clock.chance(12.0 * app_market.resolve),
        resolve_outdated=world.clock.chance(12.0 * app_market.rework_resolve),
    )


def _pivoting(world: World) -> AppPivotSignals:
    app_market = world.parameters.app_market
    return AppPivotSignals(
        native=native_level(world),
        pivot_chance=world.clock.fraction(app_market.pivot_rate),
    )
