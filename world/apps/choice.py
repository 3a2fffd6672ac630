"""Choice of bases: apps hear of models and pick the one that serves them best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.app import BaseSignals
from baimo.agents.enums import CN, NO_MODEL, NOBODY, OPEN_MODEL
from baimo.world.engine.arrays import (
    Array,
    first_above,
    nonzero,
    row_sum,
    where,
)
from baimo.world.engine.equation import elementwise
from baimo.world.engine.population import Selection, gather
from baimo.world.engine.random import gumbel
from baimo.world.models.tuning_hub import hubs
from baimo.world.network.ties import points_at

if TYPE_CHECKING:
    from baimo.world.engine.world import World


#: Utility of what is no candidate.
NEVER = -100.0


def notice_models(world: World) -> None:
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
    border = np.maximum(world.policy.data.cross_border, world.policy.licensing.wrapper_ban)
    weight = weight * where(labs.region == CN, 1.0, p.awareness_foreign * (1.0 - border))
    return where(labs.alive & labs.released, weight, 0.0)


def choose_bases(world: World) -> None:
    """Some apps reconsider their base, and all who have lost theirs."""
    apps, labs, p = world.apps, world.labs, world.parameters.app_market
    valid = points_at(apps.base_lab[0], apps.base_id[0], labs)
    movers = apps.alive & ((apps.draws("switch") < world.clock.fraction(p.reconsider)) | ~valid)
    # A copy, for a decision of some writes into the column.
    before = apps.base_id[0].copy()
    some = apps.where(movers)
    apps.choose_bases(_choice(world, some, movers, valid), among=some)
    switched = apps.alive & valid & (apps.base_id[0] != before)
    world.tally("app_switches", row_sum(switched.astype(float)))


def _choice(world: World, some: Selection, movers: Array, valid: Array) -> BaseSignals:
    """What movers think of the models they know, and of the one they have."""
    labs = world.labs
    # The base that an app has is no candidate for a switch, but what others are weighed against.
    known, ids = some.known_lab[:, 0], some.known_id[:, 0]
    (base,), (identity,), (held,) = some.base_lab[0], some.base_id[0], gather(valid, some.worlds, some.rows)
    place = some.worlds * labs.capacity + np.maximum(known, 0)
    there = (known >= 0) & (where(labs.alive & labs.released, labs.id, NOBODY).take(place) == ids)
    there = there & ~((ids == identity) & held) & (ids != NOBODY)
    worth = _utility(world, some, np.concatenate([known, base[None]]))
    return BaseSignals(
        # What holds an app at its base: its ecosystem (M31), less what interoperability takes away.
        tied=world.parameters.moat.ecosystem * (1.0 - world.policy.market.interoperability),
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
    quality = world.state.quality.take(some.segment * (world.worlds * labs.capacity) + place)
    tunes = some.source[0] == OPEN_MODEL
    own = some.view(world.parameters).app_market
    u = world.streams.pairs("base taste", worlds, some.id[0], labs.id.take(place), lasting=True)
    known = (dear.take(place), tunes, to_tune.take(place), rival.take(place))
    return _base_worth(own.base_quality, quality, *known, own.taste, gumbel(u))


@elementwise
def _base_worth(weight, quality, dear, tunes, to_tune, rival, taste, luck):
    """What a base is worth to an app, from what it is worth to all."""
    return weight * quality - dear + tunes * to_tune - rival + taste * luck
