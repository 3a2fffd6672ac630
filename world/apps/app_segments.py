"""Segments of apps: values of their own segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.world.engine.arrays import Array, take_rows

if TYPE_CHECKING:
    from baimo.world.engine.world import World


def segment_of_apps(world: World, table: Array) -> Array:
    """Value of each app's own segment from ``(segments, worlds or 1, 1)``."""
    wide = np.broadcast_to(table, (table.shape[0], world.worlds, 1))[..., 0].T
    return take_rows(world.xp.ascontiguousarray(wide), world.apps.segment)
