"""Data of layers on a base: L1 language, L2 industry, L3 scene (002; M39, M66).

They are a lab's own: what it gathers by work and by use survives a change of base, which
apps' coupling to that base does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import APPLICATION, MISSING
from baimo.world.engine.arrays import Array, sum_k, where
from baimo.world.models.quality import home_segment

if TYPE_CHECKING:
    from baimo.world.engine.world import World


def gather_data(world: World) -> None:
    """Growth and ageing of layers, by the application engineers whom no customer's project binds, and by use.

    dL/dt = g (1 - L) - L / life, g = pace (work + feedback): solved for the step.
    """
    labs, model_market = world.labs, world.parameters.model_market
    own = np.maximum(labs.staff[APPLICATION] - world.state.bound_staff, 0.0)
    work = 1.0 - np.exp(-own / model_market.layer_staff)
    aging = 1.0 / model_market.layer_life
    layers = []
    for level, use in zip(labs.layers, _use(world), strict=True):
        growth = model_market.layer_pace * (work + use / (use + model_market.layer_use))
        rate = growth + aging
        layers.append(level + (growth / rate - level) * (1.0 - np.exp(-rate * world.clock.years)))
    # Industry data is gathered by those who were founded for an industry.
    layers[1] = where(labs.home_segment != MISSING, layers[1], 0.0)
    labs.layers = where(labs.alive, np.stack(layers), 0.0)


def _use(world: World) -> tuple[Array, Array, Array]:
    """Tokens a day that feed each layer: at home, in the lab's own industry, in firms and apps."""
    labs, state, table = world.labs, world.state, world.segments
    served = state.tokens_by_segment
    at_home = sum_k(where(table.column("region") == labs.region, served, 0.0))
    in_trade = sum_k(where(home_segment(world), served, 0.0))
    return at_home, in_trade, state.paid_flagship + state.paid_light + state.asked_by_apps


def trade_of(u: Array, privacy: Array) -> Array:
    """Home segment of a vertical lab, from a uniform draw.

    Industries build for themselves where their data may not leave: weights as ``privacy``.
    """
    ladder = np.cumsum(privacy)
    return np.minimum(np.searchsorted(ladder / ladder[-1], u), len(privacy) - 1)
