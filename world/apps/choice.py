"""Choice of bases: awareness and comparison of models by apps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.app import BaseSignals
from baimo.agents.enums import CN, MISSING, NO_MODEL, OPEN_MODEL
from baimo.world.engine.arrays import Array, count_where, first_above, nonzero, where
from baimo.world.engine.equation import equation
from baimo.world.engine.population import Selection, gather
from baimo.world.engine.random import gumbel
from baimo.world.models.tuning_hub import hub_of
from baimo.world.network.ties import points_at

if TYPE_CHECKING:
    from baimo.world.engine.world import World


#: Utility of what is no candidate.
NEVER = -100.0


def notice_models(world: World) -> None:
    """Replacement of one model in an app's consideration set by one that it becomes aware of.

    It hears of the models that others use and that made news: an inverse-transform draw on
    their awareness, for those who listen this month.
    """
    apps, labs, app_market = world.apps, world.labs, world.parameters.app_market
    heard = apps.draws("notice")
    listening = apps.alive & ((heard < world.clock.fraction(app_market.notice)) | (apps.age <= 0.0))
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
    """Weight of each lab in apps' awareness: how well it is known, an industry's lab within it, and access from CN."""
    labs, app_market = world.labs, world.parameters.app_market
    in_trade = where(labs.home_segment == MISSING, 1.0, world.parameters.goodwill.beyond_home)
    weight = labs.awareness * in_trade
    border = np.maximum(world.policy.data.cross_border, world.policy.licensing.wrapper_ban)
    weight = weight * where(labs.region == CN, 1.0, app_market.awareness_foreign * (1.0 - border))
    return where(labs.alive & labs.released, weight, 0.0)


def choose_bases(world: World) -> None:
    """Choice of a base by apps that reconsider or have lost theirs."""
    apps, labs, app_market = world.apps, world.labs, world.parameters.app_market
    valid = points_at(apps.base_lab[0], apps.base_id[0], labs)
    movers = apps.alive & ((apps.draws("switch") < world.clock.fraction(app_market.reconsider)) | ~valid)
    # A copy, for a decision of some writes into the column.
    before = apps.base_id[0].copy()
    some = apps.where(movers)
    apps.choose_bases(_choice(world, some, movers, valid), among=some)
    switched = apps.alive & valid & (apps.base_id[0] != before)
    world.tally("app_switches", count_where(switched))


def _choice(world: World, some: Selection, movers: Array, valid: Array) -> BaseSignals:
    """Utilities of the models in movers' consideration sets, and of their present base."""
    labs = world.labs
    # The base that an app has is no candidate for a switch, but what others are weighed against.
    known, ids = some.known_lab[:, 0], some.known_id[:, 0]
    (base,), (identity,), (held,) = some.base_lab[0], some.base_id[0], gather(valid, some.worlds, some.rows)
    place = some.worlds * labs.capacity + np.maximum(known, 0)
    there = (known >= 0) & (where(labs.alive & labs.released, labs.id, MISSING).take(place) == ids)
    there = there & ~((ids == identity) & held) & (ids != MISSING)
    worth = _utility(world, some, np.concatenate([known, base[None]]))
    return BaseSignals(
        # What holds an app at its base: its ecosystem (M31), less what interoperability takes away.
        tied=world.parameters.moat.ecosystem * (1.0 - world.policy.market.interoperability),
        movers=movers,
        never=0.5 * NEVER,
        candidate_utility=some.only(where(there, worth[:-1], NEVER), NEVER),
        candidate_row=some.only(known, MISSING),
        candidate_id=some.only(ids, MISSING),
        present_utility=some.only(where(held, worth[-1], NEVER), NEVER),
        present_valid=valid,
    )


@dataclass(slots=True)
class Base:
    """Models that some apps compare, and their owners, ``(k, n)`` each.

    Attributes
    ----------
    quality : array
        In the app's segment.
    log_price : array
        ln(P + h0).
    opened, hub, product_share : arrays
        Whether its weights are to be had, how good a hub is at which they can be tuned, and the share of the
        owner's work that goes to products.
    draw : array
        Lasting taste, standard Gumbel.
    """

    quality: Array
    log_price: Array
    opened: Array
    hub: Array
    product_share: Array
    draw: Array


def _utility(world: World, some: Selection, rows: Array) -> Array:
    """Utility of the bases in some rows of labs (k, n) to some apps (n)."""
    labs, state = world.labs, world.state
    rows, worlds = np.maximum(rows, 0), some.worlds
    place = worlds * labs.capacity + rows
    log_price = np.log(labs.price_flagship + world.parameters.model_market.hassle_cost)
    by_lab = log_price, labs.open_weights[0] > NO_MODEL, hub_of(world), labs.product_share
    u = world.streams.pairs("base taste", worlds, some.id[0], labs.id.take(place), lasting=True)
    quality = state.quality.take(some.segment * (world.worlds * labs.capacity) + place)
    base = Base(quality, *[each.take(place) for each in by_lab], gumbel(u))
    return base_utility(some, base, some.view(world.parameters))


@equation
def base_utility(app, base, p):
    """u = b Q - c ln(P + h0) + tuning - r (product work of the owner) + e Gumbel: utility of a base to an app.

    To those who tune, what open weights and a hub to tune and deploy them are worth (M68). An owner that
    builds products of its own competes with the apps on its model (M67).
    """
    app_market = p.app_market
    tuning = (app.source[0] == OPEN_MODEL) * (app_market.open_fit * base.opened + app_market.hub_hold * base.hub)
    rival = app_market.rival_owner * base.product_share
    worth = app_market.base_quality * base.quality - app_market.base_price * base.log_price
    return worth + tuning - rival + app_market.taste * base.draw
