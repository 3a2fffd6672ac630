"""Projects: firms whose data may not leave pay for engineers' days, and ask several labs for a bid (M22, M44)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import APPLICATION, CN, ROW
from baimo.conf.declare import stock
from baimo.world.engine.arrays import Array, by_region, logistic, ratio, row_sum, sum_k, sum_where, where
from baimo.world.engine.equation import equation
from baimo.world.engine.state import State
from baimo.world.laws.tenders import takers_of
from baimo.world.models.demand import all_users
from baimo.world.models.leadership import native_level
from baimo.world.models.utility import considered

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class ProjectState(State):
    """Who works for customers."""

    bound_staff = stock("people", "labs", text="Application engineers whom projects bind")
    displaced_by_labs = stock(
        "people", text="Engineers of labs in CN whose projects general models made needless so far"
    )


def carry_out_projects(world: World) -> Array:
    """Bind engineers to customers' projects; returns what these pay, CNY million (001, 002).

    Pilots come first, then deployments. The price is that of the engineers times ``project_rate``. Projects bind
    people, and give control, not capability (M22).
    """
    labs, state, revenue = world.labs, world.state, world.parameters.revenue
    firms = world.segments.column("privacy") * all_users(world)
    need = tuning_needed(world)
    first = bids(labs, world.segments.columns, world.parameters) * labs.released
    none = np.maximum(1.0 - row_sum(labs.chosen), 0.0)
    chosen = first / np.maximum(none + row_sum(first), 1e-12)
    asked, needed = sum_k(chosen * firms), sum_k(chosen * firms * need)
    _displace(world, where(asked > 0.0, ratio(needed, asked), 1.0))
    idle = firms * need * np.maximum(1.0 - row_sum(chosen), 0.0)
    wanted = revenue.pilots * state.attention
    bound = np.zeros_like(needed)
    for region in (CN, ROW):
        here = labs.region == region
        nobody = sum_k(where(world.segments.column("region") == region, idle, 0.0))
        found = takers_of(wanted * where(here, needed, 0.0), labs.staff[APPLICATION], wanted * nobody)
        bound = where(here, found, bound)
    state.bound_staff = bound
    _gain_control(world)
    wage = by_region(state.wages[:, APPLICATION], labs.region) / 12.0
    income = bound * wage * revenue.project_rate * world.clock.months
    world.accounts.pay("projects", "users", (labs, income))
    return income


@equation
def bids(lab, seg, p):
    """s (1 - (1 - A)^n)/A: choices where n labs are asked for a bid; s of users, A of whom consider it.

    A share of choices is proportional to who considers a lab; a firm that has to ask n considers more.
    """
    known = considered(lab, seg, p)
    return lab.chosen * (1.0 - np.exp(p.revenue.bidders * np.log1p(-np.minimum(known, 0.999)))) / known


def tuning_needed(world: World) -> Array:
    """n = 1 - u L((x - T - m - m_p privacy)/width): share of projects that a general model leaves (M44), by segment.

    Where the model of today does what a segment needs, nobody asks for people who tune; later where data may not leave.
    """
    seg, app_market = world.segments.columns, world.parameters.app_market
    general = where(seg.region == CN, native_level(world), world.state.frontier_all)
    lead = general - seg.threshold - app_market.buy_margin - app_market.buy_privacy * seg.privacy
    return 1.0 - world.parameters.revenue.tuned * logistic(lead / app_market.tuned_width)


def _displace(world: World, needed: Array) -> None:
    """Free the engineers whose projects general models have made needless since the last step (M44)."""
    labs, state = world.labs, world.state
    less = where(labs.alive, np.maximum(1.0 - needed / np.maximum(labs.tuning_need, 1e-9), 0.0), 0.0)
    freed = np.minimum(state.bound_staff, labs.staff[APPLICATION]) * less
    labs.tuning_need = np.minimum(labs.tuning_need, needed)
    labs.staff[APPLICATION] -= freed
    for region in (CN, ROW):
        state.pool[region][APPLICATION] += sum_where(labs.region == region, freed)
    state.displaced_by_labs = state.displaced_by_labs + sum_where(labs.region == CN, freed)


def _gain_control(world: World) -> None:
    """Control of the data of customers follows the people who work for them (M22)."""
    labs, bound, model_market = world.labs, world.state.bound_staff, world.parameters.model_market
    control = bound / (bound + model_market.control_staff)
    labs.control = labs.control + world.clock.fraction(model_market.control_pace) * (control - labs.control)
