"""What labs earn: tokens, subscriptions, attention, projects, and what their clouds sell beside models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import (
    API_SALES,
    APPLICATION,
    ATTENTION,
    BIG_TECH,
    CLOUD_OWNERS,
    CLOUD_PULL,
    CN,
    HOSTING,
    OPEN_CHAMPION,
    PROJECTS,
    ROW,
    SUBSCRIPTIONS,
)
from baimo.conf.declare import flow, stock
from baimo.world.engine.arrays import (
    Array,
    by_region,
    is_one_of,
    logistic,
    ratio,
    sum_by_group,
    sum_k,
    sum_where,
    take_rows,
    where,
)
from baimo.world.engine.clock import DAYS_A_MONTH
from baimo.world.engine.equation import equation
from baimo.world.engine.state import State
from baimo.world.models.hosting import pay_hosts
from baimo.world.models.leadership import native_level

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class RevenueState(State):
    """What customers buy beside tokens."""

    subscribers = flow("million people", "labs", text="Users who pay a lab for more than what is free")
    bound_staff = stock("people", "labs", text="Application engineers whom projects bind")
    displaced_by_labs = stock(
        "people", text="Engineers of labs in CN whose projects general models made needless so far"
    )


def earn(world: World, traffic: list[tuple[Array, Array]]) -> None:
    """Users, apps and parents pay; what a lab earned is kept by kind."""
    labs, months = world.labs, world.clock.months
    income = np.zeros_like(labs.income)
    income[API_SALES] = _sales(world) + _app_bills(world, traffic)
    income[SUBSCRIPTIONS] = _subscriptions(world)
    income[ATTENTION] = _attention(world)
    income[PROJECTS] = _projects(world)
    income[HOSTING] = pay_hosts(world)
    income[CLOUD_PULL] = _cloud_pull(world, income[API_SALES])
    levy = income * (1.0 - world.parameters.revenue.kept)
    world.accounts.pay("levy on revenue", (labs, sum_k(levy)), "government")
    income = income - levy
    labs.income = income / months
    revenue = sum_k(income)
    labs.service_revenue = revenue / months
    labs.earned = labs.earned + revenue


# ---------------------------------------------------------------------- tokens


def _sales(world: World) -> Array:
    """API revenue of users who come to the author without an app, at posted prices."""
    labs, state = world.labs, world.state
    days = DAYS_A_MONTH * world.clock.months
    list_value = state.paid_flagship * labs.price_flagship + state.paid_light * labs.price_light
    direct = (list_value * labs.capacity_share + state.overflow_value) * days / 1e6
    world.accounts.pay("model sales", "users", (labs, direct))
    return direct


def _app_bills(world: World, traffic: list[tuple[Array, Array]]) -> Array:
    """Apps pay for the tokens that they draw."""
    apps, labs = world.apps, world.labs
    days = DAYS_A_MONTH * world.clock.months
    bill, income = np.zeros_like(apps.cash), np.zeros_like(labs.cash)
    for rows, tokens in traffic:
        price = take_rows(labs.price_flagship * labs.capacity_share, rows)
        part = where(rows >= 0, tokens * price * days / 1e6, 0.0)
        bill = bill + part
        income = income + sum_by_group(part, rows, labs.capacity)
    apps.api_cost = bill
    world.accounts.pay("api", (apps, bill), (labs, income))
    return income


# ---------------------------------------------------------------------- subscriptions


@equation
def willing(lab, seg, state):
    """mu (M - M_free)+, what a user would pay on average for a flagship's lead over what is free, CNY a month."""
    return seg.lead_value * np.maximum(state.merit - state.best_free, 0.0) * lab.released


@equation
def paying(lab, seg, state):
    """u a pi exp(-S / (mu lead)): users without an app who subscribe, for exponential willingness to pay."""
    worth = np.maximum(willing(lab, seg, state), 1e-9)
    return lab.users * state.direct_share * seg.payers * np.exp(-lab.price_subscription / worth)


def willingness(world: World) -> Array:
    """Mean over a lab's possible subscribers of what they would pay on average, CNY a month."""
    labs, seg, state = world.labs, world.segments.columns, world.state
    weight = world.segments.column("payers") * labs.users + 1e-12 * world.segments.column("payers")
    return ratio(sum_k(weight * willing(labs, seg, state)), sum_k(weight))


def _subscriptions(world: World) -> Array:
    """Users pay for a flagship as far as it leads what is free, anybody's (S posted like other prices)."""
    labs, state = world.labs, world.state
    state.subscribers = sum_k(paying(labs, world.segments.columns, state))
    income = state.subscribers * labs.price_subscription * world.clock.months * labs.capacity_share
    world.accounts.pay("subscriptions", "users", (labs, income))
    return income


# ---------------------------------------------------------------------- attention, projects, clouds


def _attention(world: World) -> Array:
    """Owners of products pay their labs for active users of what is free."""
    labs, state, revenue = world.labs, world.state, world.parameters.revenue
    owners = is_one_of(labs.archetype, (BIG_TECH, OPEN_CHAMPION))
    users = sum_k(labs.users * (state.direct_share * world.segments.column("free")))
    income = where(owners, users * revenue.attention_value * world.clock.months, 0.0)
    world.accounts.pay("attention", "outside", (labs, income))
    return income


def _projects(world: World) -> Array:
    """Firms whose data may not leave pay for engineers' days: pilots first, then deployments (001, 002).

    The price is that of the engineers times ``project_rate``. Projects bind people, and give control, not
    capability (M22).
    """
    labs, state, table = world.labs, world.state, world.segments
    revenue, model_market = world.parameters.revenue, world.parameters.model_market
    firms = table.column("privacy") * table.column("population") * table.column("ceiling")
    asked = sum_k(labs.chosen * firms)
    needed = sum_k(labs.chosen * firms * tuning_needed(world))
    _displace(world, where(asked > 0.0, ratio(needed, asked), 1.0))
    wanted = revenue.pilots * state.attention * needed * labs.released
    state.bound_staff = np.minimum(wanted, labs.staff[APPLICATION])
    control = state.bound_staff / (state.bound_staff + model_market.control_staff)
    labs.control = labs.control + world.clock.fraction(model_market.control_pace) * (control - labs.control)
    wage = by_region(state.wages[:, APPLICATION], labs.region) / 12.0
    income = state.bound_staff * wage * revenue.project_rate * world.clock.months
    world.accounts.pay("projects", "users", (labs, income))
    return income


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


def _cloud_pull(world: World, sales: Array) -> Array:
    """What customers of a lab's models buy of the owner's cloud beside, as earnings."""
    labs = world.labs
    income = world.parameters.pricing.cloud_value * sales * is_one_of(labs.archetype, CLOUD_OWNERS)
    world.accounts.pay("cloud", "users", (labs, income))
    return income
