"""Licensing: services queue for filing in two stages, provincial then central (M06, M41)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CENTRAL, CN, FILED, NOT_APPLIED, PROVINCIAL
from baimo.conf.declare import flow, stock
from baimo.world.apps.competition import needs_filing
from baimo.world.engine.arrays import Array, count_where, where
from baimo.world.engine.state import State

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class LicensingState(State):
    """The register of services."""

    review_budget = stock("services", text="Reviews that the authority can still make")
    gate_open = stock("1", text="Whether anything has been approved")
    queue_length = flow("services", text="Services that wait for approval")


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
    key = where(waiting, since, np.inf)
    order = np.argsort(key, axis=-1, kind="stable")
    rank = np.argsort(order, axis=-1, kind="stable")
    return waiting & (rank < count)


def review(world: World) -> None:
    """Phase 7: applications come in; in session, files move from province to centre and some are approved.

    A lab applies with what its owner has approved (M28). Sessions follow the pace of governance (M18); review
    capacity accumulates in between.
    """
    labs, apps, state, licensing = world.labs, world.apps, world.state, world.parameters.licensing
    open_ = (licensing.needed > 0.0) & ((world.policy.stance.capacity > 0.0) | world.policy.licensing.opens)
    applies = labs.alive & labs.released & (labs.region == CN) & (labs.filing == NOT_APPLIED) & open_
    applies = applies & (labs.approved_in <= 0.0)
    labs.filing = where(applies, PROVINCIAL, labs.filing)
    labs.filing_since = where(applies, world.step_number, labs.filing_since)
    _apps_apply(world, open_)
    state.review_budget = state.review_budget + world.policy.stance.capacity * world.clock.months
    if world.clock.closes(world.step_number, world.parameters.pace.governance):
        _session(world)
    pending = labs.alive & ((labs.filing == PROVINCIAL) | (labs.filing == CENTRAL))
    waiting = apps.alive & ~apps.filed & (apps.filing_since >= 0)
    state.queue_length = count_where(pending) + count_where(waiting)


def _session(world: World) -> None:
    """Approve files that have passed both stages in one session, first come, first served."""
    labs, apps, state, licensing = world.labs, world.apps, world.state, world.parameters.licensing
    now, months = world.step_number, world.clock.months
    strict = world.policy.stance.stringency - licensing.usual_stringency
    slow = np.maximum(1.0 + licensing.strict_delay * strict, licensing.quickest)
    # Applications come in the middle of a step, on average; sessions are at its end.
    waited = (now - labs.filing_since + 0.5) * months
    passed_on = (labs.filing == PROVINCIAL) & (waited >= licensing.provincial_months * slow)
    labs.filing = where(passed_on, CENTRAL, labs.filing)
    ready = labs.alive & (labs.filing == CENTRAL) & (waited >= licensing.least_months * slow)
    done = earliest(ready, labs.filing_since, np.floor(state.review_budget))
    labs.filing = where(done, FILED, labs.filing)
    labs.reputation = labs.reputation + where(done, licensing.filed_reputation, 0.0)
    state.review_budget = state.review_budget - count_where(done)
    waited_apps = (now - apps.filing_since + 0.5) * months
    ready = apps.alive & ~apps.filed & (apps.filing_since >= 0) & (waited_apps >= licensing.app_months * slow)
    passed = earliest(ready, apps.filing_since, np.floor(state.review_budget))
    apps.filed = apps.filed | passed
    state.review_budget = state.review_budget - count_where(passed)
    most = np.maximum(world.policy.stance.capacity * max(world.parameters.pace.governance, months), 1.0)
    state.review_budget = np.minimum(state.review_budget, most)
    _gate_opens(world, done)
    world.count("filed", labs, done)
    world.tally("filed_apps", count_where(passed))
    world.log("filing", labs, done, waited)


def _gate_opens(world: World, done: Array) -> None:
    """Add hype when the first filings open the market (002)."""
    state = world.state
    first = (count_where(done) > 0.0) & (state.gate_open == 0.0)
    state.gate_open = where(first, 1.0, state.gate_open)
    state.hype_push = state.hype_push + where(first, world.parameters.licensing.gate_opens, 0.0)


def _apps_apply(world: World, open_: Array) -> None:
    """Enter applications of apps that must be filed."""
    apps, licensing = world.apps, world.parameters.licensing
    keen = apps.draws("file") < world.clock.fraction(licensing.app_applies)
    applies = apps.alive & needs_filing(world) & (apps.filing_since < 0) & open_ & keen
    apps.filing_since = where(applies, world.step_number, apps.filing_since)
