"""Exploration: the choice between exploring and duplicating, and its breakthroughs (M50).

Source: 004, on the signal of GPT-3 in 2020.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import ROW
from baimo.agents.lab.training import PathSignals
from baimo.world.engine.arrays import Array, by_region, count_where, stack_k, where
from baimo.world.laws.scaling import absorptive_capacity
from baimo.world.technology.research import research_budget

if TYPE_CHECKING:
    from baimo.world.engine.world import World


def explore(world: World) -> None:
    """Phase 2: labs choose their path; explorers rarely find a breakthrough, other explorers see it.

    Hazard a year of a breakthrough: ``breakthrough_rate (1 - exp(-R / scale))`` with R the research
    budget, so that the effect of R saturates. It raises ln A by ``breakthrough_gain``, and that of
    every other explorer by the share ``signal`` of it; duplicating labs gain only by spillovers
    and publication.
    """
    labs, exploration = world.labs, world.parameters.exploration
    labs.choose_path(
        PathSignals(
            tolerance=by_region(stack_k(exploration.tolerance_cn, exploration.tolerance_row, xp=world.xp), labs.region),
            step=world.step_number,
            chance=world.clock.chance(exploration.reconsider),
        )
    )
    scale = world.parameters.technology.absorption_scale
    rate = exploration.breakthrough_rate * absorptive_capacity(research_budget(world), scale)
    seekers = labs.alive & labs.explores
    found = seekers & (labs.draws("breakthrough") < world.clock.chance(rate))
    number = count_where(found)
    # Its own in full; a share of what the others found.
    gain = exploration.breakthrough_gain * (found + exploration.signal * (number - found))
    labs.log_efficiency = labs.log_efficiency + where(seekers, gain, 0.0)
    world.log("breakthrough", labs, found, exploration.breakthrough_gain * np.ones_like(labs.cash))
    world.count("breakthroughs", labs, found)
    world.tally("breakthroughs_row", count_where(found & (labs.region == ROW)))


def beaten_path(world: World) -> Array:
    """Share of the training compute that goes into the known recipe, less for explorers."""
    return 1.0 - world.parameters.exploration.detour * world.labs.explores
