"""Licensing: services queue for filing in two stages, provincial then central (M06, M41)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.app import WRAPPER
from agents.lab import CENTRAL, CN, FILED, NOT_APPLIED, PROVINCIAL
from world.arrays import Array, row_sum
from world.policy import authority

if TYPE_CHECKING:
    from world.state import World


def earliest(waiting: Array, since: Array, count: Array) -> Array:
    """Choose the ``count`` longest waiting of each world.

    Parameters
    ----------
    waiting : boolean array (worlds, rows)
    since : array (worlds, rows)
        Step of application; ties go by row.
    count : array (worlds, 1)

    Returns
    -------
    boolean array (worlds, rows)
    """
    key = np.where(waiting, since, np.inf)
    order = np.argsort(key, axis=-1, kind="stable")
    rank = np.argsort(order, axis=-1, kind="stable")
    return waiting & (rank < count)


def review(world: World) -> None:
    """Phase 7: applications come in, files move from province to centre, some are approved."""
    labs, apps, state, p = world.labs, world.apps, world.state, world.parameters.licensing
    now = world.step_number
    open_ = authority(world, "capacity") > 0.0
    if world.policy.licensing.opens is not None:
        open_ = open_ | (str(world.date) >= str(world.policy.licensing.opens))
    applies = labs.alive & labs.released & (labs.region == CN) & (labs.filing == NOT_APPLIED) & open_
    labs.filing = np.where(applies, PROVINCIAL, labs.filing)
    labs.filing_since = np.where(applies, now, labs.filing_since)
    _apps_apply(world, open_)
    slow = 1.0 + p.strict_delay * np.maximum(authority(world, "stringency") - 0.5, 0.0)
    waited = (now - labs.filing_since) * world.clock.months
    labs.filing = np.where((labs.filing == PROVINCIAL) & (waited >= p.provincial_months * slow), CENTRAL, labs.filing)
    state.review_budget = state.review_budget + authority(world, "capacity") * world.clock.months
    waited_labs = waited
    ready = labs.alive & (labs.filing == CENTRAL) & (waited >= p.least_months * slow)
    done = earliest(ready, labs.filing_since, np.floor(state.review_budget))
    labs.filing = np.where(done, FILED, labs.filing)
    state.review_budget = state.review_budget - row_sum(done.astype(float))
    waited = (now - apps.filing_since) * world.clock.months
    ready = apps.alive & ~apps.filed & (apps.filing_since >= 0) & (waited >= p.app_months * slow)
    passed = np.zeros_like(ready)
    if ready.any():
        passed = earliest(ready, apps.filing_since, np.floor(state.review_budget))
        apps.filed = apps.filed | passed
        state.review_budget = state.review_budget - row_sum(passed.astype(float))
    state.review_budget = np.minimum(state.review_budget, np.maximum(authority(world, "capacity"), 1.0))
    pending = labs.alive & ((labs.filing == PROVINCIAL) | (labs.filing == CENTRAL))
    state.queue_length = row_sum(pending.astype(float)) + row_sum(
        (apps.alive & ~apps.filed & (apps.filing_since >= 0)).astype(float)
    )
    world.count("filed", done)
    world.tally("filed_apps", row_sum(passed.astype(float)))
    world.log("filing", done, waited_labs)


def _apps_apply(world: World, open_: Array) -> None:
    """Apps that face the public with a model of their own apply; wrappers register lightly."""
    apps, p = world.apps, world.parameters.licensing
    public = world.segments.licensed[apps.segment] > 0.0
    keen = apps.draws("file") < world.clock.fraction(p.app_applies)
    applies = apps.alive & public & (apps.product != WRAPPER) & (apps.filing_since < 0) & open_ & keen
    apps.filing_since = np.where(applies, world.step_number, apps.filing_since)
