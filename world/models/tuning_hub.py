"""Hubs where open models are tuned and deployed, and the private deployments that they retain (M68; 001).

Owners of clouds with open weights run one for their own models. A platform that writes no models lists everybody's:
what it is worth grows with those who tune on it, and it earns a fee of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import API, BIG_TECH, CN, FRONTIER, HUB, NO_MODEL, OPEN_CHAMPION
from baimo.conf.declare import stock
from baimo.world.engine.arrays import Array, count_where, ratio, row_sum, take_rows, where
from baimo.world.engine.state import State
from baimo.world.network.ties import points_at

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class HubState(State):
    """The platform on which models of others are tuned."""

    hub_strength = stock("1", text="What the platform hub is worth, relative to a perfect one")


def hubs(world: World) -> Array:
    """Mask of labs that run a hub, ``(worlds, labs)``: owners of clouds and champions with open weights."""
    labs = world.labs
    host = (labs.archetype == BIG_TECH) | (labs.archetype == FRONTIER) | (labs.archetype == OPEN_CHAMPION)
    return host & to_tune(world)


def to_tune(world: World) -> Array:
    """Mask of labs whose open weights anybody can tune, and a platform list, ``(worlds, labs)``."""
    labs = world.labs
    return labs.alive & labs.released & (labs.open_weights[0] > NO_MODEL)


def hub_of(world: World) -> Array:
    """h, how good a hub is at which a lab's open weights can be tuned: its owner's, or the platform, 0 to 1."""
    return np.maximum(hubs(world) + 0.0, to_tune(world) * world.state.hub_strength)


def tuned_there(world: World) -> Array:
    """Mask of apps that tune open weights, ``(worlds, apps)``."""
    apps = world.apps
    valid = apps.alive & points_at(apps.base_lab[0], apps.base_id[0], world.labs)
    return valid & (apps.source != API) & take_rows(to_tune(world), apps.base_lab[0])


def run_hub(world: World) -> None:
    """Let the platform grow by those who tune on it, h = n/(n + n_half), and charge them.

    The platform is a vendor and nobody's rival; authors on it change, it remains (001).
    """
    apps, vendors, hub = world.apps, world.vendors, world.parameters.hub
    there = vendors.alive & (vendors.kind == HUB) & (vendors.region == CN)
    open_ = (count_where(there) > 0.0) * hub.platform
    tunes = tuned_there(world)
    number = count_where(tunes)
    world.state.hub_strength = open_ * number / (number + hub.half)
    fee = where(tunes, np.minimum(hub.fee * world.clock.years, np.maximum(apps.cash, 0.0)), 0.0) * open_
    income = row_sum(fee) * ratio(there + 0.0, np.maximum(count_where(there), 1.0))
    world.accounts.pay("hub fees", (apps, fee), (vendors, income), operating=True)


def stays(world: World, reconsider: Array) -> Array:
    """Users who would reconsider but are retained by a hub, ``(segments, worlds, labs)``."""
    kept = world.parameters.model_market.hub_private * world.segments.column("privacy") * hub_of(world)
    return reconsider * kept * world.labs.users
