"""Apps: choosing bases through the graph, competing with the bare model, being absorbed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.app import API, DEEP
from agents.lab import CN
from world.arrays import Array, ratio, row_sum, sum_by_group, take_rows
from world.ecosystem import points_at
from world.model_market import best_native
from world.population import Observables, gather
from world.random_streams import gumbel

if TYPE_CHECKING:
    from world.state import World

CN_SEGMENTS = 12


def live(world: World) -> None:
    """Phase 11: apps hear of models, choose bases, adapt, sell, are absorbed, close."""
    apps = world.apps
    _notice(world)
    apps.choose_bases(_choice(world))
    apps.adapt(_generation(world))
    _compete(world)
    _pay(world)
    apps.pivot(_pivoting(world))
    apps.close_down(Observables(resolve=world.clock.chance(12.0 * world.parameters.app_market.resolve)))
    apps.age = np.where(apps.alive, apps.age + world.clock.months, 0.0)
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
    if not listening.any():
        return
    awareness = _awareness(world)
    ladder = np.cumsum(awareness, axis=-1)
    worlds, rows = np.nonzero(listening)
    # A newcomer fills its whole list, the others renew one place of it, in turn.
    places = np.arange(apps.known_lab.shape[0]).reshape(-1, 1)
    fresh = apps.age[worlds, rows] <= 0.0
    renewed = fresh | (places == (world.step_number + rows) % len(places))
    slots, listeners = np.nonzero(renewed)
    worlds, rows = worlds[listeners], rows[listeners]
    u = world.streams.pairs("notice", worlds, apps.id[worlds, rows], slots)
    top = ladder[worlds, -1]
    # First lab whose cumulative awareness passes the draw.
    found = np.minimum((ladder[worlds] <= (u * top)[:, None]).sum(-1), labs.capacity - 1)
    some = top > 0.0
    slots, worlds, rows, found = slots[some], worlds[some], rows[some], found[some]
    apps.known_lab[slots, worlds, rows] = found
    apps.known_id[slots, worlds, rows] = labs.id[worlds, found]


def _awareness(world: World) -> Array:
    """How likely an app hears of each lab: usage, recent news, and access from CN."""
    labs, p = world.labs, world.parameters.app_market
    news = np.exp(-labs.since_news / p.news_memory)
    weight = p.awareness_base + world.state.token_share + p.awareness_news * news
    weight = weight * np.where(labs.region == CN, 1.0, p.awareness_foreign * (1.0 - world.state.cross_border))
    return np.where(labs.alive & labs.released, weight, 0.0)


def segment_of_apps(world: World, table: Array) -> Array:
    """Value of each app's own segment from ``(segments, worlds or 1, 1)``."""
    wide = np.broadcast_to(table, (table.shape[0], world.worlds, 1))[..., 0].T
    return take_rows(np.ascontiguousarray(wide), world.apps.segment)


def _utility(world: World, rows: Array, valid: Array) -> Array:
    """What a base is worth to an app of its segment: quality, price, privacy."""
    apps, labs, p = world.apps, world.labs, world.parameters.app_market
    flat = apps.segment * labs.capacity + np.maximum(rows, 0)
    quality = world.state.quality_by_app_segment
    worth = take_rows(quality, flat)
    price = take_rows(np.log(labs.price_flagship + 0.3), rows)
    utility = p.base_quality * worth - p.base_price * price
    return np.where(valid, utility, -100.0)


def _choice(world: World) -> Observables:
    """Candidates that an app knows, with this month's taste of each app for each lab (Gumbel)."""
    apps, labs, state, p = world.apps, world.labs, world.state, world.parameters.app_market
    quality = np.moveaxis(state.quality[:CN_SEGMENTS], 0, 1)
    state.quality_by_app_segment = quality.reshape(world.worlds, -1)
    released = labs.released & labs.alive
    worth = []
    for rows, ids in zip(apps.known_lab, apps.known_id, strict=True):
        valid = points_at(rows, ids, labs) & take_rows(released, rows)
        worth.append(_utility(world, rows, valid))
    utility = np.stack(worth)
    movers = apps.alive & (apps.draws("switch") < world.clock.fraction(p.reconsider))
    valid_now = points_at(apps.base_lab[0], apps.base_id[0], labs)
    movers = movers | (apps.alive & ~valid_now)
    worlds, rows = np.nonzero(movers)
    taste = np.zeros_like(utility)
    if len(rows):
        partners = np.maximum(apps.known_id[:, worlds, rows], 0)
        u = world.streams.pairs("base taste", worlds, apps.id[worlds, rows], partners)
        taste[:, worlds, rows] = gather(p.taste, worlds, rows) * gumbel(u)
    # The base that an app has is no candidate for a switch.
    present = (apps.known_id == apps.base_id[0]) & valid_now
    blocked = np.where(movers, 0.0, -1000.0) + np.where(present, -1000.0, 0.0)
    return Observables(
        # What holds an app at its base: its ecosystem (M31), less what interoperability takes away.
        tied=world.parameters.moat.ecosystem * (1.0 - world.instrument("market", "interoperability")),
        candidate_utility=utility + taste + blocked,
        candidate_row=apps.known_lab,
        candidate_id=apps.known_id,
        present_utility=_utility(world, apps.base_lab[0], valid_now),
        present_valid=valid_now,
    )


def native_level(world: World) -> Array:
    """Mean capability of the best model that CN users can reach, ``(worlds, 1)``."""
    state, p = world.state, world.parameters.app_market
    foreign = state.frontier_all - p.foreign_reach * (1.0 + state.cross_border)
    return np.maximum(state.frontier_cn, foreign)


def _generation(world: World) -> Observables:
    """The generation of each app's base, and what the models can do by themselves."""
    apps, labs = world.apps, world.labs
    valid = points_at(apps.base_lab[0], apps.base_id[0], labs)
    current = np.where(valid, take_rows(labs.model_id, apps.base_lab[0]), apps.base_model)
    return Observables(base_model=current, native=native_level(world), months=world.clock.months)


def _compete(world: World) -> None:
    """Users of a segment choose between the bare model and the apps on top of it.

    An app stands out by what it adds (less what has been absorbed) and by a better base than
    users have; rework in progress costs it while rivals go on.
    """
    apps, state, p = world.apps, world.state, world.parameters.app_market
    native = segment_of_apps(world, best_native(world))
    valid = points_at(apps.base_lab[0], apps.base_id[0], world.labs)
    flat = apps.segment * world.labs.capacity + np.maximum(apps.base_lab[0], 0)
    base = np.where(valid, take_rows(state.quality_by_app_segment, flat), 0.0)
    added = apps.brain * (1.0 - apps.absorbed) + apps.eye + apps.hand
    rework = np.minimum(apps.rework / p.rework_months, 2.0)
    advantage = p.advantage * (base - native + added) - p.rework_penalty * rework
    ramp = 1.0 - np.exp(-(apps.age + world.clock.months) / p.ramp_months)
    pull = np.where(apps.alive & valid, np.exp(np.clip(advantage, -20.0, 8.0)) * ramp, 0.0)
    total = sum_by_group(pull, apps.segment, CN_SEGMENTS)
    bare = p.bare_weight
    potential = (state.adopters * world.segments.column("addressable"))[:CN_SEGMENTS, :, 0].T
    weight = take_rows(potential / (bare + total), apps.segment)
    apps.users = weight * pull
    taken = ratio(total, bare + total) * world.segments.addressable[:CN_SEGMENTS]
    share = np.zeros_like(state.adopters)
    share[:CN_SEGMENTS] = taken.T[..., None]
    state.app_share = share
    state.eyes, state.hands = _eyes_and_hands(world)
    each = row_sum(state.tokens_per_user * world.labs.users) / np.maximum(row_sum(world.labs.users), 1e-12)
    per_user = segment_of_apps(world, each)
    apps.tokens = np.where(apps.source == API, apps.users * per_user, apps.users * per_user * p.own_model_calls)


def _eyes_and_hands(world: World) -> tuple[Array, Array]:
    """Eyes and hands of each segment: what its apps have built so far, on top of a base level."""
    apps, p = world.apps, world.parameters.app_market
    year = world.clock.year(world.step_number)
    result = []
    for part, start in (("eye", p.eye_start), ("hand", p.hand_start)):
        built = sum_by_group(np.where(apps.alive, apps.columns[part], 0.0), apps.segment, CN_SEGMENTS)
        level = np.zeros_like(world.state.adopters)
        grown = start + p.tool_growth * year
        level[:CN_SEGMENTS] = (grown + p.built_gain * (1.0 - np.exp(-built / p.built_scale))).T[..., None]
        level[CN_SEGMENTS:] = grown + 0.5 * p.built_gain
        result.append(np.clip(level, 0.05, 1.0))
    return result[0], result[1]


def _pay(world: World) -> None:
    """Apps earn from their users and pay their people; API bills were paid when served."""
    apps, p = world.apps, world.parameters.app_market
    arpu = segment_of_apps(world, world.segments.column("arpu")[:CN_SEGMENTS])
    income = np.where(apps.alive, apps.users * arpu * p.arpu_scale * world.clock.months, 0.0)
    income = income * np.where(apps.incumbent, p.incumbent_customers, 1.0)
    wages = apps.engineers * world.state.wages[CN][3] / 12.0 * world.clock.months * (1.0 + p.overhead)
    wages = np.where(apps.alive, wages, 0.0)
    world.accounts.pay("app sales", "users", (apps, income))
    world.accounts.pay("app wages", (apps, wages), "workers")
    apps.revenue = income / world.clock.months
    apps.cost = (wages + apps.api_cost) / world.clock.months


def _pivoting(world: World) -> Observables:
    p = world.parameters.app_market
    native = native_level(world)
    return Observables(
        native=native,
        new_aim=draw_aim(world.apps.draws("aim"), world.apps.draws("aim_luck"), p),
        pivot_chance=world.clock.fraction(p.pivot_rate),
    )


def draw_aim(u: Array, luck: Array, p) -> Array:
    """Hidden aim in OOM: most choose close to what models learn next, few far away."""
    close = -p.aim_poor * np.log(luck)
    middle = p.aim_poor - p.aim_middle * np.log(luck)
    far = p.aim_good_least - p.aim_good * np.log(luck)
    return np.where(u < p.share_poor, close, np.where(u < 1.0 - p.share_good, middle, far))


def found(world: World, entrants, native: Array) -> None:
    """Give new apps a segment, a product, a hidden aim, a place and a purse."""
    p, table = entrants.view(world.parameters).app_market, world.segments
    weight = np.cumsum(table.addressable[:CN_SEGMENTS] * np.sqrt(table.population[:CN_SEGMENTS]))
    segment = np.searchsorted(weight / weight[-1], entrants.draws("segment")[0])
    entrants.segment = np.minimum(segment, CN_SEGMENTS - 1)[None]
    u = entrants.draws("product")
    entrants.product = np.where(u < p.share_wrapper, 0, np.where(u < 1.0 - p.share_platform, DEEP, 2))
    deep = entrants.product == DEEP
    entrants.coupling = np.where(deep, p.coupling_deep, p.coupling_light)
    aim = draw_aim(entrants.draws("aim"), entrants.draws("aim_luck"), p)
    entrants.aim = aim + np.where(deep, p.coupling_aim, 0.0)
    entrants.threshold = native + entrants.aim
    place, added = entrants.draws("place"), entrants.draws("added")
    value = p.added_value * (0.5 + added) * np.where(deep, p.deep_value, 1.0)
    thinks = place < p.share_brain
    entrants.brain = np.where(thinks, value, 0.3 * value)
    body = np.where(thinks, 0.1 * value, 0.5 * value)
    entrants.eye = np.where(place * 7.0 % 1.0 < 0.5, body, 0.4 * body)
    entrants.hand = np.where(place * 7.0 % 1.0 < 0.5, 0.4 * body, body)
    source = entrants.draws("pivot")
    entrants.source = np.where(source < p.share_api, 0, np.where(source < p.share_api + p.share_open, 1, 2))
    entrants.engineers = 3.0 + p.team * entrants.draws("purse")
    entrants.incumbent = entrants.draws("file") < p.share_incumbent
