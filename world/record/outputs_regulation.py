"""Output columns on regulation in China: filings and queues, incidents and trust, fines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baimo.agents.enums import CENTRAL, CN, PROVINCIAL
from baimo.conf.declare import output
from baimo.world.engine.arrays import count_where

if TYPE_CHECKING:
    from baimo.world.engine.world import World


@output("models_filed_cn", "models", "models filed in China; cumulative, those of apps included", "Models filed")
@output("labs_filed_cn", "models", "filings of models by labs in China; cumulative")
@output("queue_length", "applications", "applications waiting for the regulator")
@output("queue_labs", "applications", "applications of labs waiting for the regulator")
@output("labs_in_approval_cn", "labs", "labs in China whose owners have not yet approved their latest model")
def filings(world: World) -> tuple:
    """Filings so far, and queues."""
    labs, so_far = world.labs, world.totals
    waiting = labs.alive & ((labs.filing == PROVINCIAL) | (labs.filing == CENTRAL))
    inside = count_where(labs.alive & (labs.region == CN) & (labs.approved_in > 0.0))
    filed = so_far["filed"] + so_far["filed_apps"], so_far["filed"]
    return *filed, world.state.queue_length, count_where(waiting), inside


@output("trust_cn", "index", "trust in services in China", "Trust")
@output("incidents_cn", "a step", "incidents of labs of China")
@output("suits_cn", "suits a step", "suits over training data in China")
@output("compliance_cost_cn", "CNY million a step", "content duty, damages and levies in China")
@output("antitrust_fines_cn", "CNY million a step", "fines for dominance in China")
def harm(world: World) -> tuple:
    """Trust, incidents, suits, cost of compliance and fines."""
    seen = world.monthly
    costs = seen["suits"], seen["compliance_cost"], seen["antitrust_fines"]
    return world.state.trust[CN], seen["incidents"], *costs
