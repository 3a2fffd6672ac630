"""Talent: four scarce pools in each region, cleared by wages; people carry know-how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.lab import APPLICATION, CN, ROW
from world.arrays import Array, ratio, row_sum, stack_k, sum_k
from world.ecosystem import neighbour_best
from world.population import Observables

if TYPE_CHECKING:
    from world.state import World


def clear(world: World) -> None:
    """Phase 13: people leave, the rush trains new ones, labs hire, wages move, wages are paid."""
    labs, state = world.labs, world.state
    labs.split_effort(_standing(world))
    _leave(world)
    _train(world)
    labs.hire(_seen(world))
    for region in (CN, ROW):
        _hire(world, region)
    _wages_move(world)
    wages = sum_k(labs.staff * by_region_of_labs(world, state.wages)) / 12.0 * world.clock.months
    overhead = wages * world.parameters.talent.overhead
    labs.spent = labs.spent + wages + overhead
    world.accounts.pay("wages", (labs, wages), "workers")
    world.accounts.pay("overhead", (labs, overhead), "outside")


def _standing(world: World) -> Observables:
    """Whether users take a lab's models, and whether it earns."""
    labs, state, p = world.labs, world.state, world.parameters.organisation
    return Observables(
        unused=labs.released * np.clip(1.0 - state.token_share / p.used_share, 0.0, 1.0),
        earning=np.minimum(ratio(labs.service_revenue, labs.cost), 1.0),
        adjust=world.clock.fraction(p.pace),
    )


def by_region_of_labs(world: World, pair) -> Array:
    """Pick ``(4, worlds, 1)`` tables by each lab's region."""
    return np.where(world.labs.region == CN, pair[CN], pair[ROW])


def _seen(world: World) -> Observables:
    p = world.parameters.talent
    train = stack_k(p.train_infra, p.train_scaling, p.train_research, p.train_application)
    build = stack_k(p.build_infra, p.build_scaling, p.build_research, p.build_application)
    return Observables(
        wages=by_region_of_labs(world, world.state.wages),
        mix_train=train / sum_k(train),
        mix_build=build / sum_k(build),
    )


def _leave(world: World) -> None:
    """Researchers leave labs that fall behind or split too evenly, for the pool (M28)."""
    labs, state, p = world.labs, world.state, world.parameters.talent
    best = np.where(labs.region == CN, state.frontier_cn, state.frontier_all)
    behind = np.clip(best - sum_k(labs.served) / 3.0, 0.0, 2.0) * labs.released
    small = sum_k(labs.staff) < p.small_lab
    split = 1.0 - np.abs(2.0 * labs.product_share - 1.0)
    rate = p.turnover + p.leave_behind * behind + p.leave_split * split * small
    share = 1.0 - np.exp(-rate * world.clock.years)
    leaving = labs.staff * share
    labs.staff = labs.staff - leaving
    for region in (CN, ROW):
        here = labs.region == region
        state.pool[region] = state.pool[region] + row_sum(np.where(here, leaving, 0.0))


def _train(world: World) -> None:
    """The rush trains people: they come from outside the industry, and are counted (M49)."""
    state, p = world.state, world.parameters.talent
    for region, size in ((CN, p.inflow_cn), (ROW, p.inflow_row)):
        mix = stack_k(p.pool_infra, p.pool_scaling, p.pool_research, p.pool_application)
        new = size * mix * (p.inflow_base + state.hype) * world.clock.years
        state.pool[region] = state.pool[region] + new
        state.trained_people[region] = state.trained_people[region] + new


def _hire(world: World, region: int) -> None:
    """The pool of each kind is shared in proportion to what labs want; layoffs return to it."""
    labs, state = world.labs, world.state
    here = (labs.region == region) & labs.alive
    gap = np.where(here, labs.wanted_staff - labs.staff, 0.0)
    pace = world.clock.fraction(world.parameters.talent.hire_pace)
    fired = np.maximum(-gap, 0.0) * pace
    wanted = np.maximum(gap, 0.0) * pace
    pool = state.pool[region] + row_sum(fired)
    fill = np.minimum(ratio(pool, row_sum(wanted)), 1.0)
    labs.staff = labs.staff + wanted * fill - fired
    state.pool[region] = pool - row_sum(wanted) * fill
    state.tightness[region] = ratio(row_sum(wanted), pool + 1e-9) / world.clock.months
    _carry_know_how(world, wanted * fill, here)


def _carry_know_how(world: World, hired: Array, here: Array) -> None:
    """Who hires from acquaintances learns what they know."""
    labs, p = world.labs, world.parameters.talent
    known = neighbour_best(labs.log_efficiency, world.ties.lab_lab, labs.alive, -9.0)
    share = ratio(sum_k(hired), sum_k(labs.staff) + 1e-9)
    gain = p.know_how * share * np.maximum(known - labs.log_efficiency, 0.0)
    labs.log_efficiency = labs.log_efficiency + np.where(here, gain, 0.0)


def _wages_move(world: World) -> None:
    """Wages clear by scarcity: they rise where few are left in the pool."""
    state, p = world.state, world.parameters.talent
    for region in (CN, ROW):
        drift = p.wage_pace * np.clip(np.log(state.tightness[region] + 0.05) - np.log(p.wage_neutral), -1.0, 1.0)
        base = stack_k(p.wage_infra, p.wage_scaling, p.wage_research, p.wage_application)
        base = base * (p.row_wages if region == ROW else 1.0)
        wage = state.wages[region] * np.exp(drift * world.clock.years)
        state.wages[region] = np.clip(wage, 0.5 * base, 6.0 * base)


def displaced(world: World) -> Array:
    """Application engineers in the pool beyond a normal reserve: displaced people (M44)."""
    return np.maximum(world.state.pool[CN][APPLICATION] - world.parameters.talent.normal_reserve, 0.0)
