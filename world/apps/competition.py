"""Competition of apps with the bare model and each other: users, tokens, income."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.app import GenerationSignals
from baimo.agents.enums import API, CLOUD, CN, FILED, PLATFORM_APP, ROW, WRAPPER
from baimo.conf.declare import stock
from baimo.world.apps import labour
from baimo.world.apps.app_segments import segment_of_apps
from baimo.world.engine.arrays import (
    Array,
    clip,
    ratio,
    row_dot,
    row_sum,
    shares,
    sum_by_group,
    take_rows,
    where,
)
from baimo.world.engine.equation import equation
from baimo.world.engine.state import State
from baimo.world.models.demand import best_native
from baimo.world.models.leadership import native_level
from baimo.world.network.ties import points_at

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class AppMarketState(State):
    """State of the market for apps, by segment."""

    app_share = stock("share", "segments", text="Use that goes through apps")
    eyes = stock(
        "1", "segments", first="app_market.eye_start", text="Eyes: how well models sense, with what apps have built"
    )
    hands = stock(
        "1", "segments", first="app_market.hand_start", text="Hands: how well models act, with what apps have built"
    )


def generation(world: World) -> GenerationSignals:
    """Generation of each app's base, and what the models do without apps."""
    apps, labs = world.apps, world.labs
    valid = points_at(apps.base_lab[0], apps.base_id[0], labs)
    current = where(valid, take_rows(labs.model_id, apps.base_lab[0]), apps.base_model)
    return GenerationSignals(
        base_model=current,
        native=native_level(world),
        multimodal=world.state.multimodal[CN],
        months=world.clock.months,
    )


def compete(world: World) -> None:
    """Choice of users between the bare model and the apps on top of it.

    An app stands out by what it adds (less what has been absorbed) and by a better base than
    users have; rework in progress costs it while rivals go on.
    """
    apps, state, app_market = world.apps, world.state, world.parameters.app_market
    pull = pull_of(world, added_by(world), *_public(world))
    apps.users, total = users_won(world, pull)
    home = world.segments.cn
    taken = ratio(total, app_market.bare_weight + total) * world.segments.addressable[home]
    share = np.zeros_like(state.adopters)
    share[home] = taken.T[..., None]
    state.app_share = share
    state.eyes, state.hands = _eyes_and_hands(world)
    per_user = tokens_each(world)
    apps.tokens = where(apps.source == API, apps.users * per_user, apps.users * per_user * app_market.own_model_calls)


def added_by(world: World) -> Array:
    """Quality that an app adds to its base: what is not absorbed, and what tuning adds."""
    apps = world.apps
    added = apps.brain * (1.0 - apps.absorbed) + (apps.eye + apps.hand) * (1.0 - apps.body_lost)
    return added + labour.tuned_quality(world)


@dataclass(slots=True)
class Standing:
    """Position of an app in its segment, ``(worlds, apps)``.

    Attributes
    ----------
    base, native : arrays
        Quality of its base and of the models that users have.
    valid : boolean array
        Whether its base is there.
    added : array
        Quality that it adds.
    reached, missed : arrays
        Share of its public that is open to it, and utility lost by what it waited.
    listed : array
        Share of its segment's users of apps who see it on platforms.
    """

    base: Array
    native: Array
    valid: Array
    added: Array
    reached: Array | float = 1.0
    missed: Array | float = 0.0
    listed: Array | float = 0.0


def pull_of(world: World, added: Array, reached: Array | float = 1.0, missed: Array | float = 0.0) -> Array:
    """Weight of each app in its segment's choice, from its added quality and the public that it reaches."""
    apps = world.apps
    native = segment_of_apps(world, best_native(world))
    valid = points_at(apps.base_lab[0], apps.base_id[0], world.labs)
    lab = world.xp.arange(world.worlds)[:, None] * world.labs.capacity + np.maximum(apps.base_lab[0], 0)
    base = world.state.quality.take(apps.segment * (world.worlds * world.labs.capacity) + lab)
    standing = Standing(base, native, valid, added, reached, missed, seen_on_platforms(world))
    return pull(apps, standing, world.clock.months, world.parameters)


@equation
def pull(app, standing, months, p):
    """exp(b (Q_base - Q_native + added) - r min(rework/scale, most) - missed) (1 - e^(-age (1 + m l)/ramp)) reached.

    An app's advantage over the bare model, by who knows it, sooner where platforms list it (l, M29), and whom it
    reaches.
    """
    app_market = p.app_market
    better = app_market.advantage * (where(standing.valid, standing.base, 0.0) - standing.native + standing.added)
    rework = np.minimum(app.rework / app_market.rework_scale, app_market.rework_most)
    better = better - app_market.rework_penalty * rework - standing.missed
    shown = np.maximum(app.age + months + app.head_start, 0.0) * (1.0 + app_market.listing * standing.listed)
    unknown = np.exp(-shown / app_market.ramp_months)
    weight = np.exp(np.minimum(np.maximum(better, -20.0), 8.0)) * (1.0 - unknown) * standing.reached
    return where(app.alive & standing.valid, weight, 0.0)


def platform_users(world: World) -> tuple[Array, Array]:
    """Users of each app that is a platform, and the share of app users whom platforms have, ``(worlds, segments)``."""
    apps, home = world.apps, world.dimensions["home_segments"]
    users = where(apps.alive, apps.users, 0.0)
    theirs = where(apps.product == PLATFORM_APP, users, 0.0)
    found = [sum_by_group(each, apps.segment, home) for each in (theirs, users)]
    return theirs, ratio(*found)


def seen_on_platforms(world: World) -> Array:
    """Share of its segment's users of apps who see an app on platforms, which list all but each other (M29)."""
    apps = world.apps
    return where(apps.product == PLATFORM_APP, 0.0, take_rows(platform_users(world)[1], apps.segment))


def users_won(world: World, pull: Array) -> tuple[Array, Array]:
    """Users that each app wins, and the pull of all apps in each segment of CN, ``(worlds, segments)``."""
    apps, state = world.apps, world.state
    total = sum_by_group(pull, apps.segment, world.dimensions["home_segments"])
    potential = (state.adopters * world.segments.column("addressable"))[world.segments.cn, :, 0].T
    weight = take_rows(potential / (world.parameters.app_market.bare_weight + total), apps.segment)
    return weight * pull, total


def tokens_each(world: World) -> Array:
    """Tokens a day of a user in each app's segment."""
    home = world.segments.cn
    users = world.labs.users[home]
    each = row_dot(world.state.tokens_per_user[home], users) / np.maximum(row_sum(users), 1e-12)
    return segment_of_apps(world, each)


def _public(world: World) -> tuple[Array, Array]:
    """Share of its public that an app reaches before it is filed, and the disutility of waiting (M18).

    Six months of filing against three months of fashion: an app of a licensed segment finds
    part of its public closed, and when it opens the fashion has moved on. A wrapper is as good
    as the filing of the model that it wraps.
    """
    apps, labs, pace = world.apps, world.labs, world.parameters.pace
    wrapped = take_rows((labs.filing == FILED).astype(float), apps.base_lab[0]) > 0.0
    through = where(apps.product == WRAPPER, wrapped, apps.filed)
    public = take_rows(world.segments.licensed[world.segments.cn].reshape(1, -1), apps.segment)
    closed = where(apps.alive & ~through, public * world.policy.licensing.needs_licence, 0.0)
    apps.shut_out = apps.shut_out + closed * world.clock.months
    missed = pace.late * np.minimum(apps.shut_out / pace.fashion, pace.late_most)
    return 1.0 - pace.shut_out * closed, missed


def needs_filing(world: World) -> Array:
    """Mask of apps for the public that are more than a wrapper and must be filed, ``(worlds, apps)``."""
    apps = world.apps
    return (world.segments.licensed[apps.segment] > 0.0) & (apps.product != WRAPPER)


def _eyes_and_hands(world: World) -> tuple[Array, Array]:
    """Eyes and hands of each segment: those built by apps, on top of those of the models."""
    apps, app_market = world.apps, world.parameters.app_market
    year = world.clock.year(world.step_number)
    abroad = world.segments.column("region") == ROW
    home = world.dimensions["home_segments"]
    result = []
    for part, start in (("eye", app_market.eye_start), ("hand", app_market.hand_start)):
        built = sum_by_group(where(apps.alive, apps.columns[part], 0.0), apps.segment, home)
        level = np.zeros_like(world.state.adopters)
        grown = start + app_market.tool_growth * year
        gain = app_market.built_gain * (1.0 - np.exp(-built / app_market.built_scale))
        level[:home] = (grown + gain).T[..., None]
        level[home:] = grown + app_market.built_abroad * app_market.built_gain
        if part == "eye":
            level = level + app_market.multimodal_eyes * where(abroad, *world.state.multimodal[::-1])
        result.append(clip(level, app_market.least_limb, 1.0))
    return result[0], result[1]


def pay_staff(world: World) -> None:
    """Revenue of apps from users, and payment of staff and of rework; API bills were paid when served."""
    apps, app_market = world.apps, world.parameters.app_market
    arpu = segment_of_apps(world, world.segments.column("arpu")[world.segments.cn])
    income = where(apps.alive, apps.users * arpu * app_market.arpu_scale * world.clock.months, 0.0) * apps.customers
    wages = where(apps.alive, wage_bill(world), 0.0)
    world.accounts.pay("app sales", "users", (apps, income))
    world.accounts.pay("app wages", (apps, wages), "workers")
    apps.revenue = (income + _commission(world, income)) / world.clock.months
    apps.cost = (wages + apps.api_cost + _retrain(world)) / world.clock.months


def _retrain(world: World) -> Array:
    """Pay the clouds at home for rework on a new base: k (own model, else b) a month of work, in CNY million (M25).

    What is built for one base must be trained again on the next, which costs compute and data, not time alone (001).
    """
    apps, vendors, app_market = world.apps, world.vendors, world.parameters.app_market
    work = where(apps.alive, np.minimum(apps.rework, world.clock.months), 0.0)
    bill = app_market.retraining * where(apps.source != API, 1.0, app_market.retraining_bought) * work
    clouds = (vendors.alive & (vendors.region == CN) & (vendors.kind == CLOUD)).astype(float)
    world.accounts.pay("retraining of apps", (apps, bill), (vendors, row_sum(bill) * shares(clouds)), operating=True)
    world.tally("app_retraining", row_sum(bill) / world.clock.months)
    return bill


def _commission(world: World, income: Array) -> Array:
    """Platforms keep a part of what listed apps earn (M29); returns what each app gets, less what it pays."""
    apps, home = world.apps, world.dimensions["home_segments"]
    paid = world.parameters.app_market.commission * seen_on_platforms(world) * income
    theirs = platform_users(world)[0]
    rate = ratio(sum_by_group(paid, apps.segment, home), sum_by_group(theirs, apps.segment, home))
    earned = theirs * take_rows(rate, apps.segment)
    world.accounts.pay("commission of platforms", (apps, paid), (apps, earned))
    return earned - paid


def wage_bill(world: World) -> Array:
    """Wages and overhead of apps in a step, CNY million."""
    apps, app_market = world.apps, world.parameters.app_market
    monthly = (apps.engineers + apps.tuners) * world.state.wages[CN][3] / 12.0
    return monthly * world.clock.months * (1.0 + app_market.overhead)
