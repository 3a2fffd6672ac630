"""Incidents and trust: loss of reputation of the culprit, and a smaller loss of trust in all (M05).

Rules and supervision build social trust; interpersonal trust rests on reputation. Where
social trust is missing users lean on reputation (``model_market._named``) and grant
fewer rights to what acts for them (``with_eyes_and_hands``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CN, FILED, ROW
from baimo.conf.declare import stock
from baimo.world.engine.arrays import clip, count_where, stack_k, where
from baimo.world.engine.state import State

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class TrustState(State):
    """Trust in models."""

    trust = stock("1", "regions", first="trust.start", text="Social trust, 0 to 1")
    trust_habit = stock("1", "regions", first="trust.start", text="Trust that habits have settled on")
    incident_memory = stock("incidents", "regions", text="Incidents as they are remembered")


def incidents(world: World) -> None:
    """Phase 12: incidents happen where there is use; regulation builds trust in the system."""
    labs, state, trust = world.labs, world.state, world.parameters.trust
    used = labs.tokens_flagship + labs.tokens_light
    careless = where(labs.filing == FILED, trust.filed_care, 1.0)
    guarded = world.parameters.platform.security * state.platform_strength * labs.on_platform
    rate = trust.rate * careless * (1.0 - guarded) * np.log1p(used / trust.token_scale)
    hit = labs.alive & labs.released & (labs.draws("incident") < world.clock.chance(rate))
    labs.reputation = labs.reputation - where(hit, trust.culprit, 0.0)
    world.log("incident", labs, hit, used)
    world.count("incidents", labs, hit)
    # The first rules build most trust.
    ruled = np.sqrt(world.policy.stance.stringency) * np.minimum(
        world.policy.licensing.needs_licence + trust.unruled, 1.0
    )
    fade = np.exp(-world.clock.months / trust.memory)
    settles = 1.0 - np.exp(-world.clock.months / world.parameters.pace.culture)
    harm = np.stack([count_where(hit & (labs.region == region)) for region in (CN, ROW)])
    growth = trust.build * stack_k(ruled, trust.build_row, xp=world.xp) * (1.0 - state.trust) * world.clock.years
    state.trust = clip(state.trust + growth - trust.everybody * harm, trust.least, 1.0)
    # Habits follow at the pace of culture.
    state.trust_habit = state.trust_habit + settles * (state.trust - state.trust_habit)
    state.incident_memory = state.incident_memory * fade + harm
