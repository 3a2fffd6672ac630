"""Multimodality: capability from which new models see and hear, and its diffusion (M25)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CN, ROW
from baimo.conf.declare import stock
from baimo.world.engine.arrays import Array
from baimo.world.engine.state import State

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class MultimodalState(State):
    """Diffusion of multimodal models."""

    multimodal = stock("share", "regions", text="Users reached by multimodal models")


def level(world: World) -> Array | float:
    """Capability from which a release is natively multimodal; none after the date of a scenario."""
    return -np.inf if world.policy.technology.multimodal else world.parameters.app_market.multimodal_level


def spread_multimodal(world: World) -> None:
    """Diffusion of multimodal models among users, in CN only in part while they are foreign."""
    labs, state, app_market = world.labs, world.state, world.parameters.app_market
    pace = world.clock.fraction(app_market.multimodal_pace)
    sees = labs.alive & labs.released & labs.multimodal
    home, abroad = ((sees & (labs.region == region)).any(-1, keepdims=True) for region in (CN, ROW))
    foreign = abroad * app_market.awareness_foreign * (1.0 - world.policy.data.cross_border)
    reach = np.stack([np.maximum(home, foreign), (home | abroad).astype(float)])
    # What is known is not forgotten when its maker closes.
    state.multimodal = state.multimodal + pace * np.maximum(reach - state.multimodal, 0.0)
