"""Incidents and trust: harm hits the culprit, and less, everybody (M05)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.lab import CN, FILED, ROW
from world.arrays import row_sum
from world.policy import authority

if TYPE_CHECKING:
    from world.state import World


def incidents(world: World) -> None:
    """Phase 12: incidents happen where there is use; regulation builds trust in the system."""
    labs, state, p = world.labs, world.state, world.parameters.trust
    used = labs.tokens_flagship + labs.tokens_light
    careless = np.where(labs.filing == FILED, p.filed_care, 1.0)
    rate = p.rate * careless * np.log1p(used / p.token_scale)
    hit = labs.alive & labs.released & (labs.draws("incident") < 1.0 - np.exp(-rate * world.clock.years))
    labs.reputation = labs.reputation - np.where(hit, p.culprit, 0.0)
    world.log("incident", hit, used)
    world.count("incidents", hit)
    maturity = authority(world, "stringency") * np.minimum(state.needs_licence + 0.3, 1.0)
    fade = np.exp(-world.clock.months / p.memory)
    for region in (CN, ROW):
        harm = row_sum(np.where(hit & (labs.region == region), 1.0, 0.0))
        built = p.build * (maturity if region == CN else 0.5)
        growth = built * (1.0 - state.trust[region]) * world.clock.years
        state.trust[region] = np.clip(state.trust[region] + growth - p.everybody * harm, 0.05, 1.0)
        state.incident_memory[region] = state.incident_memory[region] * fade + harm
