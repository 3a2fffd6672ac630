"""Multimodality: from some capability on new models see and hear, which ends single-modality firms (M25)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CN, ROW
from baimo.world.engine.arrays import Array
from baimo.world.policy.calendar import as_date

if TYPE_CHECKING:
    from baimo.world.engine.world import World


def level(world: World) -> Array | float:
    """Capability from which a release is natively multimodal; from the date of a scenario, any is."""
    date = world.policy.technology.multimodal
    if date is not None and as_date(date) <= world.date:
        return -np.inf
    return world.parameters.app_market.multimodal_level


def spread(world: World) -> None:
    """Multimodal models spread among users, in CN only in part while they are foreign."""
    labs, state, p = world.labs, world.state, world.parameters.app_market
    pace = world.clock.fraction(p.multimodal_pace)
    sees = labs.alive & labs.released & labs.multimodal
    home, abroad = ((sees & (labs.region == region)).any(-1, keepdims=True) for region in (CN, ROW))
    foreign = abroad * p.awareness_foreign * (1.0 - state.cross_border)
    reach = {CN: np.maximum(home, foreign), ROW: (home | abroad).astype(float)}
    for region, most in reach.items():
        # What is known is not forgotten when its maker closes.
        state.multimodal[region] = state.multimodal[region] + pace * np.maximum(most - state.multimodal[region], 0.0)
