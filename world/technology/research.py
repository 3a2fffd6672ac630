"""Technology drift: private efficiency, what is published, post-training, data of use.

Know-how comes from own research, from what leaders publish (while they do), and along the
social ties; post-training is copied from teachers within reach, language quickly, knowledge
slowly, reasoning hardly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import ALL_OPEN, BIG_TECH, CN, NO_MODEL, RESEARCH, ROW
from baimo.conf.declare import flow, stock
from baimo.world.compute.chips import H100_TFLOPS
from baimo.world.engine.arrays import (
    Array,
    by_region,
    clip,
    largest,
    mean_k,
    mean_where,
    ratio,
    row_max,
    row_sum,
    sum_where,
    weigh_k,
    where,
)
from baimo.world.engine.state import State
from baimo.world.laws.scaling import absorptive_capacity, efficiency_growth
from baimo.world.network.open_bases import foreign_penalty
from baimo.world.network.social import neighbour_best

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class ResearchState(State):
    """Public knowledge and the capability of the best models."""

    research_openness = stock("share", first="technology.openness_start", text="Research that is published")
    public_efficiency = stock("ln A", text="Public algorithmic efficiency")
    scaling_ceiling = stock("FLOP", first=np.finfo(float).max, text="Run beyond which scale adds nothing")
    teacher = stock("OOM", "axes", first=NO_MODEL, text="The best model ever served")
    frontier_all = stock("OOM", first=NO_MODEL, text="The best model served")
    frontier_cn = stock("OOM", first=NO_MODEL, text="The best model of CN served")
    frontier_open = flow("OOM", first=NO_MODEL, text="The best open weights")
    open_at_home = flow("OOM", "regions", first=NO_MODEL, text="The same in the languages of a region")
    open_start = stock("OOM", text="The best open weights on the first day")
    study_affordable = flow("share", text="Labs that can afford to study the largest models, of those that do research")
    gap_oom = flow("OOM", text="Lead of the frontier over that of CN")
    worth_all = stock("OOM", first=NO_MODEL, text="Effective compute behind the largest launch on sale")
    worth_cn = stock("OOM", first=NO_MODEL, text="The same in CN")


def capability(labs) -> Array:
    """Capability of a lab's best trained model, OOM by axis."""
    return labs.pretrained + labs.post


def research_budget(world: World) -> Array:
    """R&D of each lab, CNY million a year: last month's cost less what products took."""
    labs = world.labs
    return where(labs.alive, 12.0 * labs.cost * (1.0 - labs.product_share) * left_to_research(world), 0.0)


def left_to_research(world: World) -> Array:
    """Share of money and chips for research that reaches it: big tech's product departments claim some (M28)."""
    return 1.0 - world.parameters.organisation.big_tech_claim * (world.labs.archetype == BIG_TECH)


def drift(world: World) -> None:
    """Phase 2: efficiency, openness of research, post-training and usage data move on."""
    _turning_points(world)
    _efficiency(world)
    _openness_of_research(world)
    _post_training(world)
    _serve_updates(world)


def _turning_points(world: World) -> None:
    """Apply the end of scaling or a breakthrough of a technology scenario (M01).

    A breakthrough is published: it enters the public efficiency, and every lab takes it up as
    fast as it can absorb what others know.
    """
    state, plan = world.state, world.policy.technology
    if plan.breakthrough:
        state.public_efficiency = state.public_efficiency + np.log(10.0) * plan.breakthrough_gain
    if plan.scaling_ends:
        largest_done = np.maximum(state.largest_run[CN], state.largest_run[ROW])
        given = largest_done if plan.scaling_ceiling is None else plan.scaling_ceiling
        state.scaling_ceiling = 0.0 * largest_done + given


def _efficiency(world: World) -> None:
    """Raise efficiency by own research, publications and spillovers along social ties (M13, M26)."""
    labs, state, technology = world.labs, world.state, world.parameters.technology
    spent = research_budget(world)
    capacity = absorptive_capacity(spent, technology.absorption_scale)
    top_five = np.maximum(largest(spent, 5) / 5.0, 1e-6)
    lead = spent / top_five
    behind = state.public_efficiency - labs.log_efficiency
    growth = efficiency_growth(behind, state.research_openness, capacity, lead, technology)
    known = neighbour_best(labs.log_efficiency, world.ties.lab_lab, labs.alive, -9.0)
    tricks = technology.spillover * capacity * np.maximum(known - labs.log_efficiency, 0.0)
    step = (growth + tricks + scarcity_teaches(world, capacity)) * world.clock.years
    labs.log_efficiency = where(labs.alive, labs.log_efficiency + step, labs.log_efficiency)


def scarcity_teaches(world: World, capacity: Array) -> Array:
    """iota (ln(r_here / r_elsewhere))+ for who can absorb: efficiency work pays by what compute costs (X09).

    Source: Popp (2002), after Acemoglu (2002): innovation is directed at what is dear.
    """
    rent, region = world.state.rent_training, world.labs.region
    dearer = np.log(rent / rent[::-1])
    return world.parameters.technology.scarcity * np.maximum(by_region(dearer, region), 0.0) * capacity


def _openness_of_research(world: World) -> None:
    """Move openness of research, d Omega/dt = -f (1 - s_open a)(Omega - Omega_min), and the public frontier (M61).

    s_open is the share of use in ROW that goes to open weights, a the share of labs that can afford to study them:
    what is closed, or too costly to run, nobody learns from and answers (003).
    """
    labs, state, technology = world.labs, world.state, world.parameters.technology
    used = where(labs.region == ROW, state.token_share, 0.0)
    opened = ratio(row_sum(where(labs.openness == ALL_OPEN, used, 0.0)), row_sum(used))
    state.study_affordable = mean_where(research_budget(world) > 0.0, _studies(world))
    broken = 1.0 - opened * state.study_affordable
    fades = technology.openness_fade * broken * (state.research_openness - technology.openness_least)
    state.research_openness = state.research_openness - fades * world.clock.years
    leader = row_max(where(labs.alive, labs.log_efficiency, -9.0))
    follows = technology.public_follow * np.maximum(leader - state.public_efficiency, 0.0)
    public = technology.public_progress * state.research_openness + follows * state.research_openness
    state.public_efficiency = state.public_efficiency + public * world.clock.years


def _studies(world: World) -> Array:
    """Chance that a lab can study the models of the day, R/(R + K), K = h C_largest r / (MFU peak) (M61).

    R is its research budget, K what h runs of the largest size cost it a year at the rent of its region.
    """
    labs, state = world.labs, world.state
    largest_run = np.maximum(state.largest_run[CN], state.largest_run[ROW])
    hours = world.parameters.technology.study_share * largest_run / (H100_TFLOPS * 1e12 * 3600.0 * labs.mfu)
    cost = hours * by_region(state.rent_training, labs.region) / 1e6
    budget = research_budget(world)
    return ratio(budget, budget + cost)


def _post_training(world: World) -> None:
    """d post_k = own work + teaching by the best model within reach (M14, M52)."""
    labs, state, technology = world.labs, world.state, world.parameters.technology
    staff = labs.staff[RESEARCH] * (1.0 - labs.product_share)
    effort = 1.0 - np.exp(-staff / technology.post_staff)
    machines = _tuning_compute(world)
    data = world.parameters.moat.data * data_from_use(labs, technology)
    strength = effort * (1.0 + technology.usage_gain * data)
    year = world.clock.year(world.step_number)
    own = capability(labs)
    drift = (technology.teach_language, technology.teach_knowledge, technology.teach_reasoning)
    alike = (technology.teach_language + technology.teach_knowledge + technology.teach_reasoning) / 3.0
    drift = [each + technology.teach_alike * (alike - each) for each in drift]
    ceiling = (technology.post_language, technology.post_knowledge, technology.post_reasoning)
    growth = (0.0, 0.0, technology.post_growth)
    taught = labs.alive & labs.released | labs.trained
    without = labs.post - labs.from_use
    labs.from_use = where(taught, _carried_by_use(world, data, effort), labs.from_use)
    layers = []
    for axis in range(3):
        most = ceiling[axis] + growth[axis] * year
        room = np.maximum(most * labs.craft - without[axis], 0.0)
        build = np.minimum(technology.post_pace * strength * machines * world.clock.years, 1.0) * room
        gap = clip(state.teacher[axis] - technology.teacher_margin - own[axis], 0.0, technology.teacher_reach)
        reach = state.teacher[axis] - own[axis] < technology.teacher_horizon
        learn = world.clock.fraction(drift[axis]) * gap * effort * reach
        # What can be copied is common to all; what a team adds of its own depends on its craft.
        learn = np.minimum(learn, np.maximum(most - without[axis] - build, 0.0))
        layers.append(without[axis] + labs.from_use + where(taught, build + learn, 0.0))
    labs.post = np.stack(layers)
    fade = np.exp(-world.clock.months / technology.usage_memory)
    used = labs.tokens_flagship + labs.tokens_light
    labs.usage_data = labs.usage_data * fade + used * (1.0 - fade)


def _carried_by_use(world: World, data: Array, effort: Array) -> Array:
    """What data of use carry of post-training, OOM: dz/dt = b e (a d - z)+ - l (z - a d)+ (M67).

    d is what a lab's data are worth (`data_from_use`). A lab whose users or customers leave, because it competes
    with them for instance, loses with their data what these taught its model (001).
    """
    technology, years, now = world.parameters.technology, world.clock.years, world.labs.from_use
    short = technology.usage_adds * data - now
    gained = np.minimum(technology.post_pace * effort * years, 1.0) * np.maximum(short, 0.0)
    return now + gained - (1.0 - np.exp(-technology.usage_lost * years)) * np.maximum(-short, 0.0)


def _tuning_compute(world: World) -> Array:
    """Pay the compute of post-training, and what it does: 1 - exp(-spending / m_0).

    Who would lead the many on the same base needs tens of millions of USD a year (002); who spends less sits with them
    (X08).
    """
    labs, vendors, technology = world.labs, world.vendors, world.parameters.technology
    active = labs.alive & (labs.released | labs.trained)
    spent = where(active, technology.tuning_share * labs.cost, 0.0) * world.clock.months
    earned = np.zeros_like(vendors.cash)
    for region in (CN, ROW):
        size = where(vendors.alive & (vendors.region == region), weigh_k(world.chips.h100e, vendors.fleet), 0.0)
        earned = earned + sum_where(labs.region == region, spent) * ratio(size, row_sum(size))
    world.accounts.pay("compute of post-training", (labs, spent), (vendors, earned), operating=True)
    return 1.0 - np.exp(-ratio(12.0 * spent / world.clock.months, technology.tuning_money + 0.0 * spent))


def data_from_use(labs, technology) -> Array:
    """Value of usage data to a lab, 0 to 1: u / (u + u0 + c U), U the use of all (M45).

    The data of rivals raise the half-saturation, so that one or two labs gain most (003).
    """
    total = row_sum(labs.usage_data)
    return labs.usage_data / (labs.usage_data + technology.usage_half + technology.usage_crowd * total)


def _serve_updates(world: World) -> None:
    """Served models are updated with better post-training between releases."""
    labs, technology = world.labs, world.parameters.technology
    pace = world.clock.fraction(technology.update_pace)
    served = labs.served + pace * (np.minimum(capability(labs), labs.served + technology.update_most) - labs.served)
    current = labs.released & ~labs.trained
    labs.served = where(current, served, labs.served)


def light_capability(world: World, flagship: Array) -> Array:
    """Capability of a light model: its teacher's less a gap in OOM that falls with years of distillation."""
    technology = world.parameters.technology
    year = world.clock.year(world.step_number)
    return flagship - technology.light_gap * np.exp(-technology.light_catch_up * year)


def frontiers(world: World) -> dict[str, Array]:
    """Best served models by axis, ``(3, worlds, 1)``: all, CN, open, CN open."""
    labs, state = world.labs, world.state
    out = labs.released & labs.alive
    cn = labs.region == CN
    served = where(out, labs.served, NO_MODEL)
    weights = state.base_weights[-1]
    return {
        "all": row_max(served),
        "cn": row_max(where(cn, served, NO_MODEL)),
        "open": np.maximum(*weights),
        "open_cn": weights[CN],
    }


def update_teachers(world: World) -> None:
    """After releases: the best model that can be learned from, and the gap between regions."""
    state = world.state
    best = frontiers(world)
    state.teacher = np.maximum(state.teacher, best["all"])
    state.frontier_all = mean_k(best["all"])
    state.frontier_cn = mean_k(best["cn"])
    state.frontier_open = mean_k(best["open"])
    cn, row = state.base_weights[-1]
    in_chinese = np.maximum(cn, row - foreign_penalty(world))
    state.open_at_home = np.stack([mean_k(in_chinese), state.frontier_open])
    state.gap_oom = state.frontier_all - state.frontier_cn
    labs = world.labs
    launched = where(labs.released & labs.alive, labs.served_worth, NO_MODEL)
    state.worth_all = row_max(launched)
    state.worth_cn = row_max(where(labs.region == CN, launched, NO_MODEL))
