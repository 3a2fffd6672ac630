"""Apps: choosing bases through the graph, competing with the bare model, being absorbed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.app import API, OPEN_MODEL, WRAPPER
from agents.lab import CN, FILED, NO_MODEL, NOBODY, ROW
from world import app_labour, multimodal
from world.app_segments import CN_SEGMENTS, native_level, segment_of_apps
from world.arrays import Array, clip, first_above, nonzero, ratio, row_dot, row_sum, sum_by_group, take_rows, where
from world.ecosystem import points_at
from world.elementwise import elementwise
from world.model_market import best_native
from world.population import Observables, Selection, gather
from world.random_streams import gumbel
from world.tuning_hub import hubs

if TYPE_CHECKING:
    from world.state import World

#: Utility of what is no candidate.
NEVER = -100.0


def live(world: World) -> None:
    """Phase 11: apps hear of models, choose bases, adapt, sell, are absorbed, close."""
    apps = world.apps
    multimodal.spread(world)
    _notice(world)
    choose_bases(world)
    apps.adapt(_generation(world))
    _compete(world)
    _pay(world)
    apps.pivot(_pivoting(world), among=apps.absorbed > world.parameters.app_market.absorbed_limit)
    apps.close_down(founders_resolve(world))
    apps.age = where(apps.alive, apps.age + world.clock.months, 0.0)
    app_labour.make_or_buy(world)
    apps.since_round = apps.since_round + world.clock.months
    apps.peak_users = np.maximum(apps.peak_users, apps.users)


def _notice(world: World) -> None:
    """One of the models an app knows is replaced by one it hears of.

    It hears of the models that others use and that made news: an inverse-transform draw on
    their awareness, for those who listen this month.
    """
    apps, labs, p = world.apps, world.labs, world.parameters.app_market
    heard = apps.draws("notice")
    listening = apps.alive & ((heard < world.clock.fraction(p.notice)) | (apps.age <= 0.0))
    worlds, rows = nonzero(listening)
    if not len(rows):
        return
    ladder = np.cumsum(_awareness(world), axis=-1)
    # A newcomer fills its whole list, the others renew one place of it, in turn.
    places = apps.xp.arange(apps.known_lab.shape[0]).reshape(-1, 1)
    fresh = apps.age[worlds, rows] <= 0.0
    renewed = fresh | (places == (world.step_number + rows) % len(places))
    slots, listeners = nonzero(renewed)
    worlds, rows = worlds[listeners], rows[listeners]
    u = world.streams.pairs("notice", worlds, apps.id[worlds, rows], slots)
    top = ladder[worlds, -1]
    # First lab whose cumulative awareness passes the draw.
    found = np.minimum(first_above(ladder, worlds, u * top), labs.capacity - 1)
    some, place = top > 0.0, (slots, worlds, rows)
    apps.known_lab[place] = where(some, found, apps.known_lab[place])
    apps.known_id[place] = where(some, labs.id[worlds, found], apps.known_id[place])


def _awareness(world: World) -> Array:
    """How likely an app hears of each lab: usage, recent news, and access from CN."""
    labs, p = world.labs, world.parameters.app_market
    news = np.exp(-labs.since_news / p.news_memory)
    weight = p.awareness_base + world.state.token_share + p.awareness_news * news
    border = np.maximum(world.state.cross_border, world.state.wrapper_ban)
    weight = weight * where(labs.region == CN, 1.0, p.awareness_foreign * (1.0 - border))
    return where(labs.alive & labs.released, weight, 0.0)


def choose_bases(world: World) -> None:
    """Some apps reconsider their base, and all who have lost theirs."""
    apps, labs, state, p = world.apps, world.labs, world.state, world.parameters.app_market
    quality = np.moveaxis(state.quality[:CN_SEGMENTS], 0, 1)
    state.quality_by_app_segment = quality.reshape(world.worlds, -1)
    valid = points_at(apps.base_lab[0], apps.base_id[0], labs)
    movers = apps.alive & ((apps.draws("switch") < world.clock.fraction(p.reconsider)) | ~valid)
    # A copy, for a decision of some writes into the column.
    before = apps.base_id[0].copy()
    some = apps.where(movers)
    apps.choose_bases(_choice(world, some, movers, valid), among=some)
    switched = apps.alive & valid & (apps.base_id[0] != before)
    world.tally("app_switches", row_sum(switched.astype(float)))


def _choice(world: World, some: Selection, movers: Array, valid: Array) -> Observables:
    """What movers think of the models they know, and of the one they have."""
    labs = world.labs
    # The base that an app has is no candidate for a switch, but what others are weighed against.
    known, ids = some.known_lab[:, 0], some.known_id[:, 0]
    (base,), (identity,), (held,) = some.base_lab[0], some.base_id[0], gather(valid, some.worlds, some.rows)
    place = some.worlds * labs.capacity + np.maximum(known, 0)
    there = (known >= 0) & (where(labs.alive & labs.released, labs.id, NOBODY).take(place) == ids)
    there = there & ~((ids == identity) & held) & (ids != NOBODY)
    worth = _utility(world, some, np.concatenate([known, base[None]]))
    return Observables(
        # What holds an app at its base: its ecosystem (M31), less what interoperability takes away.
        tied=world.parameters.moat.ecosystem * (1.0 - world.instrument("market", "interoperability")),
        movers=movers,
        never=0.5 * NEVER,
        candidate_utility=some.only(where(there, worth[:-1], NEVER), NEVER),
        candidate_row=some.only(known, NOBODY),
        candidate_id=some.only(ids, NOBODY),
        present_utility=some.only(where(held, worth[-1], NEVER), NEVER),
        present_valid=valid,
    )


def _utility(world: World, some: Selection, bases: Array) -> Array:
    """What bases (k, n) are worth to some apps (n): quality, price, fit, the owner, and lasting taste.

    u = b Q - c ln(p + h) - r (product work of the owner) + Gumbel, and for those who tune what open weights
    and a hub to tune and deploy them are worth (M68). An owner that builds products of its own competes
    with the apps on its model (M67).
    """
    labs, p = world.labs, world.parameters.app_market
    # What is the same for all who ask is worked out once a lab.
    dear = p.base_price * np.log(labs.price_flagship + world.parameters.model_market.hassle_cost)
    to_tune = p.open_fit * (labs.open_weights[0] > NO_MODEL) + p.hub_hold * hubs(world)
    rival = p.rival_owner * labs.product_share
    bases = np.maximum(bases, 0)
    worlds = some.worlds
    place = worlds * labs.capacity + bases
    flat = worlds * world.state.quality_by_app_segment.shape[-1] + some.segment * labs.capacity + bases
    quality = world.state.quality_by_app_segment.take(flat)
    tunes = some.source[0] == OPEN_MODEL
    own = some.view(world.parameters).app_market
    u = world.streams.pairs("base taste", worlds, some.id[0], labs.id.take(place), lasting=True)
    known = (dear.take(place), tunes, to_tune.take(place), rival.take(place))
    return _base_worth(own.base_quality, quality, *known, own.taste, gumbel(u))


@elementwise
def _base_worth(weight, quality, dear, tunes, to_tune, rival, taste, luck):
    """What a base is worth to an app, from what it is worth to all."""
    return weight * quality - dear + tunes * to_tune - rival + taste * luck


def _generation(world: World) -> Observables:
    """The generation of each app's base, and what the models can do by themselves."""
    apps, labs = world.apps, world.labs
    valid = points_at(apps.base_lab[0], apps.base_id[0], labs)
    current = where(valid, take_rows(labs.model_id, apps.base_lab[0]), apps.base_model)
    return Observables(
        base_model=current,
        native=native_level(world),
        multimodal=world.state.multimodal[CN],
        months=world.clock.months,
    )


def _compete(world: World) -> None:
    """Users of a segment choose between the bare model and the apps on top of it.

    An app stands out by what it adds (less what has been absorbed) and by a better base than
    users have; rework in progress costs it while rivals go on.
    """
    apps, state, p = world.apps, world.state, world.parameters.app_market
    pull = pull_of(world, added_by(world), *_public(world))
    apps.users, total = users_won(world, pull)
    taken = ratio(total, p.bare_weight + total) * world.segments.addressable[:CN_SEGMENTS]
    share = np.zeros_like(state.adopters)
    share[:CN_SEGMENTS] = taken.T[..., None]
    state.app_share = share
    state.eyes, state.hands = _eyes_and_hands(world)
    per_user = tokens_each(world)
    apps.tokens = where(apps.source == API, apps.users * per_user, apps.users * per_user * p.own_model_calls)


def added_by(world: World) -> Array:
    """Quality that an app adds to its base: what has not been absorbed, and what it tuned."""
    apps = world.apps
    added = apps.brain * (1.0 - apps.absorbed) + (apps.eye + apps.hand) * (1.0 - apps.body_lost)
    return added + app_labour.tuned_quality(world)


def pull_of(world: World, added: Array, reached: Array | float = 1.0, missed: Array | float = 0.0) -> Array:
    """Weight of each app in its segment's choice: its advantage, as far as it is known and reaches its public."""
    apps, state, p = world.apps, world.state, world.parameters.app_market
    native = segment_of_apps(world, best_native(world))
    valid = points_at(apps.base_lab[0], apps.base_id[0], world.labs)
    flat = apps.segment * world.labs.capacity + np.maximum(apps.base_lab[0], 0)
    base = take_rows(state.quality_by_app_segment, flat)
    better = (base, valid, native, added, apps.rework, missed)
    advantage = np.exp(_advantage(*better, p.advantage, p.rework_penalty, p.rework_scale, p.rework_most))
    unknown = np.exp(_unknown(apps.age, world.clock.months, apps.head_start, p.ramp_months))
    return _pull(apps.alive & valid, advantage, unknown, reached)


@elementwise
def _advantage(base, valid, native, added, rework, missed, weight, penalty, scale, most):
    """b (base - native + added) - r min(rework / scale, most) - missed, where exp can follow."""
    better = weight * (where(valid, base, 0.0) - native + added)
    advantage = better - penalty * np.minimum(rework / scale, most) - missed
    return np.minimum(np.maximum(advantage, -20.0), 8.0)


@elementwise
def _unknown(age, months, head_start, ramp):
    """Exponent of the share that has not heard of an app."""
    return -np.maximum(age + months + head_start, 0.0) / ramp


@elementwise
def _pull(there, advantage, unknown, reached):
    """Advantage of those who are there, by who knows and reaches them."""
    return where(there, advantage * (1.0 - unknown) * reached, 0.0)


def users_won(world: World, pull: Array) -> tuple[Array, Array]:
    """Users that each app wins, and the pull of all apps in each segment of CN, ``(worlds, segments)``."""
    apps, state = world.apps, world.state
    total = sum_by_group(pull, apps.segment, CN_SEGMENTS)
    potential = (state.adopters * world.segments.column("addressable"))[:CN_SEGMENTS, :, 0].T
    weight = take_rows(potential / (world.parameters.app_market.bare_weight + total), apps.segment)
    return weight * pull, total


def tokens_each(world: World) -> Array:
    """Tokens a day of a user in each app's segment."""
    users = world.labs.users[:CN_SEGMENTS]
    each = row_dot(world.state.tokens_per_user[:CN_SEGMENTS], users) / np.maximum(row_sum(users), 1e-12)
    return segment_of_apps(world, each)


def _public(world: World) -> tuple[Array, Array]:
    """What reaches its public before it is filed, and what waiting costs (M18).

    Six months of filing against three months of fashion: an app of a licensed segment finds
    part of its public closed, and when it opens the fashion has moved on. A wrapper is as good
    as the filing of the model that it wraps.
    """
    apps, labs, pace = world.apps, world.labs, world.parameters.pace
    wrapped = take_rows((labs.filing == FILED).astype(float), apps.base_lab[0]) > 0.0
    through = where(apps.product == WRAPPER, wrapped, apps.filed)
    public = take_rows(world.segments.licensed[:CN_SEGMENTS].reshape(1, -1), apps.segment)
    closed = where(apps.alive & ~through, public * world.state.needs_licence, 0.0)
    apps.shut_out = apps.shut_out + closed * world.clock.months
    missed = pace.late * np.minimum(apps.shut_out / pace.fashion, pace.late_most)
    return 1.0 - pace.shut_out * closed, missed


def needs_filing(world: World) -> Array:
    """Apps that face the public with more than a wrapper, and must be filed, ``(worlds, apps)``."""
    apps = world.apps
    return (world.segments.licensed[apps.segment] > 0.0) & (apps.product != WRAPPER)


def _eyes_and_hands(world: World) -> tuple[Array, Array]:
    """Eyes and hands of each segment: what its apps have built, on top of what comes with the models."""
    apps, p = world.apps, world.parameters.app_market
    year = world.clock.year(world.step_number)
    abroad = world.segments.column("region") == ROW
    result = []
    for part, start in (("eye", p.eye_start), ("hand", p.hand_start)):
        built = sum_by_group(where(apps.alive, apps.columns[part], 0.0), apps.segment, CN_SEGMENTS)
        level = np.zeros_like(world.state.adopters)
        grown = start + p.tool_growth * year
        level[:CN_SEGMENTS] = (grown + p.built_gain * (1.0 - np.exp(-built / p.built_scale))).T[..., None]
        level[CN_SEGMENTS:] = grown + p.built_abroad * p.built_gain
        if part == "eye":
            level = level + p.multimodal_eyes * where(abroad, *world.state.multimodal[::-1])
        result.append(clip(level, p.least_limb, 1.0))
    return result[0], result[1]


def _pay(world: World) -> None:
    """Apps earn from their users and pay their people; API bills were paid when served."""
    apps, p = world.apps, world.parameters.app_market
    arpu = segment_of_apps(world, world.segments.column("arpu")[:CN_SEGMENTS])
    income = where(apps.alive, apps.users * arpu * p.arpu_scale * world.clock.months, 0.0) * apps.customers
    wages = where(apps.alive, wage_bill(world), 0.0)
    world.accounts.pay("app sales", "users", (apps, income))
    world.accounts.pay("app wages", (apps, wages), "workers")
    apps.revenue = income / world.clock.months
    apps.cost = (wages + apps.api_cost) / world.clock.months


def wage_bill(world: World) -> Array:
    """Wages and overhead of an app's people in a step; CNY million."""
    apps, p = world.apps, world.parameters.app_market
    monthly = (apps.engineers + apps.tuners) * world.state.wages[CN][3] / 12.0
    return monthly * world.clock.months * (1.0 + p.overhead)


def founders_resolve(world: World) -> Observables:
    """How soon founders give up what is hopeless."""
    p = world.parameters.app_market
    return Observables(
        resolve=world.clock.chance(12.0 * p.resolve),
        resolve_outdated=world.clock.chance(12.0 * p.rework_resolve),
    )


def _pivoting(world: World) -> Observables:
    p = world.parameters.app_market
    return Observables(
        native=native_level(world),
        pivot_chance=world.clock.fraction(p.pivot_rate),
    )
