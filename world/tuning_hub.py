"""The hub where open models are tuned keeps those who tune there (M68): 001's moat of the tuning platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.app import OPEN_MODEL
from agents.lab import BIG_TECH, CLOSED, FRONTIER, OPEN_CHAMPION
from world.arrays import Array

if TYPE_CHECKING:
    from world.state import World


def hubs(world: World) -> Array:
    """Labs that run a hub, ``(worlds, labs)``: owners of clouds and champions with weights to tune."""
    labs = world.labs
    host = (labs.archetype == BIG_TECH) | (labs.archetype == FRONTIER) | (labs.archetype == OPEN_CHAMPION)
    return host & labs.alive & labs.released & (labs.openness != CLOSED)


def hold(world: World, worlds: Array, rows: Array, bases: Array) -> Array:
    """What ties apps (n) that tune an open model to the hub that they tune it at, utility."""
    apps = world.apps
    p = apps.select(worlds, rows).view(world.parameters).app_market
    tied = hubs(world)[worlds, bases] & (apps.source[worlds, rows] == OPEN_MODEL)
    return (p.hub_hold * np.atleast_2d(tied))[0]


def stays(world: World, reconsider: Array) -> Array:
    """Users who would reconsider but whose private deployment hangs on a hub, ``(segments, worlds, labs)``."""
    kept = world.parameters.model_market.hub_private * world.segments.column("privacy") * hubs(world)
    return reconsider * kept * world.labs.users
