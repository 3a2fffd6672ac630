"""Staff of apps: founders, teams, and engineers who tune models until models are bought (M44).

Apps and labs hire application engineers from one pool, to which displaced people and those of closed
employers return.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.app import BuySignals
from baimo.agents.enums import API, APPLICATION, CN
from baimo.conf.declare import stock
from baimo.world.apps.app_segments import segment_of_apps
from baimo.world.engine.arrays import Array, logistic, row_sum, sum_by_group, sum_where, where
from baimo.world.engine.state import State
from baimo.world.models.leadership import native_level

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class AppLabourState(State):
    """State of the labour of apps: displacement."""

    displaced = stock("people", "home_segments", text="Tuning engineers displaced so far")


def _into_pool(world: World, people: Array) -> None:
    """Add ``(worlds, 1)`` application engineers to the pool of CN (take them out where negative)."""
    pool = world.state.pool[CN]
    pool[APPLICATION] += people
    world.state.pool[CN] = np.maximum(pool, 0.0)


def found_teams(world: World, entrants) -> None:
    """Hire founders from the pool, and from outside the industry when it is empty."""
    app_market, state = entrants.view(world.parameters).app_market, world.state
    founders = np.zeros_like(entrants.cash) + app_market.founders
    entrants.engineers = founders
    entrants.team = founders + app_market.team * entrants.draws("team")
    needed = entrants.by_world(founders[0])
    taken = np.minimum(needed, state.pool[CN][APPLICATION])
    _into_pool(world, -taken)
    state.trained_people[CN][APPLICATION] += needed - taken


def weighing(world: World, pace: Array | float) -> BuySignals:
    """Signals of make or buy, for a share ``pace`` a month of the makers."""
    table = world.segments
    return BuySignals(
        native=native_level(world),
        threshold=segment_of_apps(world, table.column("threshold")[table.cn]),
        privacy=segment_of_apps(world, table.column("privacy")[table.cn]),
        buy_chance=world.clock.fraction(pace),
    )


def make_or_buy(world: World) -> None:
    """Decide make or buy, and displace tuning engineers of apps that now buy, by segment."""
    apps, state = world.apps, world.state
    apps.make_or_buy(weighing(world, world.parameters.app_market.buy_pace), among=apps.source != API)
    left = where(apps.source == API, apps.tuners, 0.0)
    by_segment = sum_by_group(left, apps.segment, world.dimensions["home_segments"])
    state.displaced = state.displaced + by_segment.T[..., None]
    _into_pool(world, row_sum(left))
    apps.tuners = apps.tuners - left


def wanted(world: World, pace: Array) -> Array:
    """Vacancies of apps by kind in this step, ``(kinds, worlds, 1)``."""
    apps = world.apps
    apps.hire()
    people = np.zeros_like(world.state.pool[CN])
    people[APPLICATION] = row_sum(apps.vacancies + apps.tuner_vacancies) * pace
    return people


def join(world: World, share: Array) -> None:
    """Fill a share ``(worlds, 1)`` of the vacancies of apps."""
    apps = world.apps
    apps.engineers = apps.engineers + apps.vacancies * share
    apps.tuners = apps.tuners + apps.tuner_vacancies * share


def dissolve(world: World, gone: Array) -> None:
    """Return people of closed apps to the pool."""
    apps = world.apps
    _into_pool(world, sum_where(gone, apps.engineers + apps.tuners))


def tuned_quality(world: World) -> Array:
    """Quality that tuning adds, while the general model falls short of the segment's work."""
    apps, app_market = world.apps, world.parameters.app_market
    need = segment_of_apps(world, world.segments.column("threshold")[world.segments.cn])
    short = need + app_market.buy_margin - native_level(world)
    worth = app_market.tuned_value * logistic(short / app_market.tuned_width)
    return where(apps.source == API, 0.0, worth) * np.minimum(apps.tuners / np.maximum(app_market.tuners, 1e-9), 1.0)
