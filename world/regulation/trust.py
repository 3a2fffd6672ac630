"""Incidents and trust: harm hits the culprit, and less, everybody (M05).

Social trust is what rules and supervision build, interpersonal trust hangs on names. Where
social trust is missing users lean on reputation (``model_market._named``) and grant
fewer rights to what acts for them (``with_eyes_and_hands``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CN, FILED, ROW
from baimo.world.engine.arrays import clip, row_sum, where

if TYPE_CHECKING:
    from baimo.world.engine.world import World


def incidents(world: World) -> None:
    """Phase 12: incidents happen where there is use; regulation builds trust in the system."""
    labs, state, p = world.labs, world.state, world.parameters.trust
    used = labs.tokens_flagship + labs.tokens_light
    careless = where(labs.filing == FILED, p.filed_care, 1.0)
    guarded = world.parameters.platform.security * state.platform_strength * labs.on_platform
    rate = p.rate * careless * (1.0 - guarded) * np.log1p(used / p.token_scale)
    hit = labs.alive & labs.released & (labs.draws("incident") < world.clock.chance(rate))
    labs.reputation = labs.reputation - where(hit, p.culprit, 0.0)
    world.log("incident", hit, used)
    world.count("incidents", hit)
    ruled = world.policy.stance.stringency * np.minimum(world.policy.licensing.needs_licence + p.unruled, 1.0)
    fade = np.exp(-world.clock.months / p.memory)
    settles = 1.0 - np.exp(-world.clock.months / world.parameters.pace.culture)
    for region, rule in ((CN, ruled), (ROW, p.build_row)):
        harm = row_sum(where(hit & (labs.region == region), 1.0, 0.0))
        growth = p.build * rule * (1.0 - state.trust[region]) * world.clock.years
        state.trust[region] = clip(state.trust[region] + growth - p.everybody * harm, p.least, 1.0)
        # Habits follow at the pace of culture.
        habit = state.trust_habit[region]
        state.trust_habit[region] = habit + settles * (state.trust[region] - habit)
        state.incident_memory[region] = state.incident_memory[region] * fade + harm
