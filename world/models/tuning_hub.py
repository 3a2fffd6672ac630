"""Hub where open models are tuned, and the private deployments that it retains (M68; 001)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baimo.agents.enums import BIG_TECH, FRONTIER, NO_MODEL, OPEN_CHAMPION
from baimo.world.engine.arrays import Array

if TYPE_CHECKING:
    from baimo.world.engine.world import World


def hubs(world: World) -> Array:
    """Mask of labs that run a hub, ``(worlds, labs)``: owners of clouds and champions with open weights."""
    labs = world.labs
    host = (labs.archetype == BIG_TECH) | (labs.archetype == FRONTIER) | (labs.archetype == OPEN_CHAMPION)
    return host & labs.alive & labs.released & (labs.open_weights[0] > NO_MODEL)


def stays(world: World, reconsider: Array) -> Array:
    """Users who would reconsider but are retained by a hub, ``(segments, worlds, labs)``."""
    kept = world.parameters.model_market.hub_private * world.segments.column("privacy") * hubs(world)
    return reconsider * kept * world.labs.users
