"""What labs earn: tokens, subscriptions, attention, projects, hosting, and what their clouds sell beside models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import (
    API_SALES,
    ATTENTION,
    CLOUD_OWNERS,
    CLOUD_PULL,
    HOSTING,
    PRODUCT_OWNERS,
    PROJECTS,
    SUBSCRIPTIONS,
)
from baimo.conf.declare import flow
from baimo.world.engine.arrays import (
    Array,
    is_one_of,
    ratio,
    sum_by_group,
    sum_k,
    take_rows,
    where,
)
from baimo.world.engine.clock import DAYS_A_MONTH
from baimo.world.engine.equation import equation
from baimo.world.engine.state import State
from baimo.world.models.hosting import pay_hosts
from baimo.world.models.projects import carry_out_projects

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class RevenueState(State):
    """What customers buy beside tokens."""

    subscribers = flow("million people", "labs", text="Users who pay a lab for more than what is free")


def earn(world: World, traffic: list[tuple[Array, Array]]) -> None:
    """Users, apps and parents pay; what a lab earned is kept by kind."""
    labs, months = world.labs, world.clock.months
    income = np.zeros_like(labs.income)
    income[API_SALES] = _sales(world) + _app_bills(world, traffic)
    income[SUBSCRIPTIONS] = _subscriptions(world)
    income[ATTENTION] = _attention(world)
    income[PROJECTS] = carry_out_projects(world)
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


# ---------------------------------------------------------------------- attention, clouds


def _attention(world: World) -> Array:
    """Owners of products pay their labs for active users of what is free."""
    labs, state, revenue = world.labs, world.state, world.parameters.revenue
    owners = is_one_of(labs.archetype, PRODUCT_OWNERS)
    users = sum_k(labs.users * (state.direct_share * world.segments.column("free")))
    income = where(owners, users * revenue.attention_value * world.clock.months, 0.0)
    world.accounts.pay("attention", "outside", (labs, income))
    return income


def _cloud_pull(world: World, sales: Array) -> Array:
    """What customers of a lab's models buy of the owner's cloud beside, as earnings."""
    labs = world.labs
    income = world.parameters.pricing.cloud_value * sales * is_one_of(labs.archetype, CLOUD_OWNERS)
    world.accounts.pay("cloud", "users", (labs, income))
    return income
