"""Talent: labour pools by kind and region, cleared by wages; moves carry know-how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import APPLICATION, CN, INDUSTRY, ROW
from baimo.agents.lab.money import EffortSignals, HireSignals
from baimo.conf.declare import stock
from baimo.world.apps import labour
from baimo.world.engine.arrays import (
    Array,
    by_region,
    clip,
    count_where,
    mean_k,
    ratio,
    row_sum,
    stack_k,
    sum_k,
    sum_where,
    where,
)
from baimo.world.engine.state import State
from baimo.world.network.social import neighbour_best
from baimo.world.technology.training import wanted_mix

if TYPE_CHECKING:
    from baimo.world.engine.world import World


def _pool_before(world: World) -> Array:
    """People who look for work before the first step, ``(regions, talent, 1 or worlds, 1)``."""
    talent, xp = world.parameters.talent, world.xp
    pool = stack_k(talent.pool_infra, talent.pool_scaling, talent.pool_research, talent.pool_application, xp=xp)
    return pool * stack_k(talent.pool_cn, talent.pool_row, xp=xp)[:, None]


def first_wages(world: World) -> Array:
    """Wages before the first step, ``(regions, talent, 1 or worlds, 1)``; they keep within multiples of these."""
    talent, xp = world.parameters.talent, world.xp
    wages = stack_k(talent.wage_infra, talent.wage_scaling, talent.wage_research, talent.wage_application, xp=xp)
    return wages * stack_k(1.0, talent.row_wages, xp=xp)[:, None]


class TalentState(State):
    """The labour market."""

    pool = stock("people", "regions", "talent", first=_pool_before, text="Labour pool")
    trained_people = stock("people", "regions", "talent", text="People who came from outside the industry so far")
    wages = stock("CNY million/year", "regions", "talent", first=first_wages, text="Wages")
    tightness = stock(
        "1/month", "regions", "talent", first="talent.wage_neutral", text="Vacancies for each person in the pool"
    )


def move_staff(world: World) -> None:
    """Phase 13: people leave, the rush trains new ones, labs hire, wages move, wages are paid."""
    labs, state = world.labs, world.state
    labs.split_effort(_standing(world))
    _leave(world)
    _train(world)
    labs.hire(_seen(world))
    for region in (CN, ROW):
        _hire(world, region)
    _wages_move(world)
    wages = sum_k(labs.staff * by_region(state.wages, labs.region)) / 12.0 * world.clock.months
    overhead = wages * world.parameters.talent.overhead
    world.accounts.pay("wages", (labs, wages), "workers", operating=True)
    world.accounts.pay("overhead", (labs, overhead), "outside", operating=True)


def _standing(world: World) -> EffortSignals:
    """Share of use and coverage of costs of each lab."""
    labs, state, organisation = world.labs, world.state, world.parameters.organisation
    return EffortSignals(
        unused=labs.released * clip(1.0 - state.token_share / organisation.used_share, 0.0, 1.0),
        earning=np.minimum(ratio(labs.service_revenue, labs.cost), 1.0),
        adjust=world.clock.fraction(organisation.pace),
    )


def _seen(world: World) -> HireSignals:
    """Wages, the mix of people that work needs, and by what a team may grow or shrink at once.

    Teams that may want f times their size grow at the rate k (f - 1), k the pace of hiring: what they
    want in a step is 1 + (exp(k (f - 1) t) - 1)/(1 - exp(-k t)), which is f for a short one.
    """
    talent = world.parameters.talent
    pace = world.clock.fraction(talent.hire_pace)
    growth = -np.log1p(-pace)
    fastest, slowest = (1.0 + ratio(np.expm1(growth * (f - 1.0)), pace) for f in (talent.fastest, talent.slowest))
    train, build = wanted_mix(world)
    return HireSignals(
        wages=by_region(world.state.wages, world.labs.region),
        mix_train=train,
        mix_build=build,
        fastest=fastest,
        slowest=slowest,
    )


def _leave(world: World) -> None:
    """Move leavers to the pool: turnover, from labs that fall behind, and from small divided labs.

    rate = turnover + b (gap at home) + s (1 - |2 q - 1|) (1 - revenue/cost) for a small lab with a share q
    of product work, where research earns no revenue (001, M28). A mobility limit bars moves in CN.
    """
    labs, state, talent = world.labs, world.state, world.parameters.talent
    best = where(labs.region == CN, state.frontier_cn, state.frontier_all)
    behind = clip(best - mean_k(labs.served), 0.0, talent.most_behind) * labs.released
    small = sum_k(labs.staff) < talent.small_lab
    split = 1.0 - np.abs(2.0 * labs.product_share - 1.0)
    poor = 1.0 - np.minimum(ratio(labs.service_revenue, labs.cost), 1.0)
    unrest = talent.leave_split * split * small * poor
    free = where(labs.region == CN, 1.0 - world.policy.talent.mobility_limit, 1.0)
    rate = (talent.turnover + talent.leave_behind * behind) * free
    rate = np.stack([rate + unrest * free * (kind != APPLICATION) for kind in range(4)])
    leaving = labs.staff * (1.0 - np.exp(-rate * world.clock.years))
    labs.staff = labs.staff - leaving
    world.count("staff_left", labs, sum_k(leaving))
    for region in (CN, ROW):
        here = labs.region == region
        state.pool[region] = state.pool[region] + sum_where(here, leaving)


def _train(world: World) -> None:
    """Add trained people to the pools, from hype and from public programmes (M49)."""
    state, talent = world.state, world.parameters.talent
    mix = stack_k(talent.pool_infra, talent.pool_scaling, talent.pool_research, talent.pool_application, xp=world.xp)
    programme = np.full_like(state.hype, world.policy.talent.training)
    _pay_programme(world, programme * world.clock.years)
    for region, size, public in ((CN, talent.inflow_cn, programme), (ROW, talent.inflow_row, 0.0)):
        rush = size * (talent.inflow_base + talent.inflow_hype * state.hype)
        new = (mix * rush + ratio(mix, sum_k(mix)) * public) * world.clock.years
        state.pool[region] = state.pool[region] + new
        state.trained_people[region] = state.trained_people[region] + new


def _pay_programme(world: World, people: Array) -> None:
    """Pay for public training through the industry ministry."""
    cost = people * world.policy.talent.training_cost
    ministry = (world.regulators.kind == INDUSTRY) & world.regulators.alive & (world.regulators.region == CN)
    bill = where(ministry, ratio(cost, count_where(ministry)), 0.0)
    world.accounts.pay("training programme", "government", (world.regulators, bill))
    world.accounts.pay("training programme", (world.regulators, bill), "workers")


def _hire(world: World, region: int) -> None:
    """Ration each pool in proportion to the demand of labs and apps; add layoffs to it."""
    labs, state = world.labs, world.state
    here = (labs.region == region) & labs.alive
    gap = where(here, labs.wanted_staff - labs.staff, 0.0)
    pace = world.clock.fraction(world.parameters.talent.hire_pace)
    fired = np.maximum(-gap, 0.0) * pace
    wanted = np.maximum(gap, 0.0) * pace
    pool = state.pool[region] + row_sum(fired)
    total = row_sum(wanted)
    if region == CN:
        total = total + labour.wanted(world, pace)
    fill = np.minimum(ratio(pool, total), 1.0)
    labs.staff = labs.staff + wanted * fill - fired
    if region == CN:
        labour.join(world, pace * fill[APPLICATION])
    state.pool[region] = pool - total * fill
    # Vacancies over the pool as it is in the middle of the step, between what was there and what is left.
    state.tightness[region] = ratio(total, pool - 0.5 * total * fill + 1e-9) / world.clock.months
    _carry_know_how(world, wanted * fill, here)


def _carry_know_how(world: World, hired: Array, here: Array) -> None:
    """Transfer know-how with staff hired from acquaintances."""
    labs, talent = world.labs, world.parameters.talent
    known = neighbour_best(labs.log_efficiency, world.ties.lab_lab, labs.alive, -9.0)
    share = ratio(sum_k(hired), sum_k(labs.staff) + 1e-9)
    free = where(labs.region == CN, 1.0 - world.policy.talent.mobility_limit, 1.0)
    gain = talent.know_how * free * share * np.maximum(known - labs.log_efficiency, 0.0)
    labs.log_efficiency = labs.log_efficiency + where(here, gain, 0.0)


def _wages_move(world: World) -> None:
    """Move wages by the scarcity of each pool."""
    state, talent = world.state, world.parameters.talent
    drift = talent.wage_pace * clip(np.log(state.tightness + 0.05) - np.log(talent.wage_neutral), -1.0, 1.0)
    first = first_wages(world)
    wages = state.wages * np.exp(drift * world.clock.years)
    state.wages = clip(wages, talent.least_wage * first, talent.most_wage * first)
