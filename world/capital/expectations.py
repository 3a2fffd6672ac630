"""Expected rents: what leading the market would earn, by which investors, parents and founders decide (X04)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CN, ROW, UNICORN
from baimo.conf.declare import flow
from baimo.world.engine.arrays import Array, by_region, logistic, mean_k, ratio, row_max, row_sum, where
from baimo.world.engine.state import State

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class ExpectationState(State):
    """What is expected of labs and of their market."""

    chance_to_lead = flow("1", "labs", text="Believed chance of a lab to lead its home market")
    expected_rents = flow("CNY million/year", "labs", text="Chance to lead times what the leader is expected to earn")


def expect(world: World) -> None:
    """Labs learn where they stand; chances to lead and expected rents follow.

    Beliefs begin with the name of the team and move by what is seen, the less the longer it has been seen (Jovanovic
    1982): b moves by (x - b)/(n0 + n).
    """
    labs, state, expectations = world.labs, world.state, world.parameters.expectations
    gap = mean_k(labs.served) - by_region(np.stack([state.frontier_cn, state.frontier_all]), world.labs.region)
    weight = world.clock.months / (expectations.prior_months + labs.seen_for)
    seen = labs.alive & labs.released
    labs.standing = where(seen, labs.standing + weight * (np.maximum(gap, -3.0) - labs.standing), labs.standing)
    labs.seen_for = where(seen, labs.seen_for + world.clock.months, labs.seen_for)
    profit = labs.revenue - labs.cost
    labs.profit = labs.profit + world.clock.fraction(1.0 / expectations.memory) * (profit - labs.profit)
    state.chance_to_lead = chances(world, labs.standing)
    state.expected_rents = state.chance_to_lead * by_region(leaders_rents(world), world.labs.region)


def first_standing(labs, expectations) -> Array:
    """What a team's name promises before it has shown anything, OOM from the home frontier."""
    star = (labs.archetype == UNICORN) | (labs.region == ROW)
    return where(star, expectations.star, expectations.newcomer)


def chances(world: World, standing: Array) -> Array:
    """P_j = A_j exp(b_j/tau) / sum exp(b/tau) over the labs at home, A its advantage over open weights, 0 to 1.

    What anybody can download earns no rent (M36), as far as it serves at home (M58).
    """
    labs, state, expectations = world.labs, world.state, world.parameters.expectations
    home = by_region(np.stack([state.frontier_cn, state.frontier_all]), world.labs.region)
    free = by_region(state.open_at_home, labs.region)
    ahead = logistic((home + standing - free) / world.parameters.capital.commodity_width)
    found = np.zeros_like(standing)
    for region in (CN, ROW):
        here = labs.alive & (labs.region == region)
        top = row_max(where(here, standing, -50.0))
        weight = where(here, np.exp((standing - top) / expectations.spread), 0.0)
        found = found + ratio(weight * ahead, row_sum(weight))
    return found


def leaders_rents(world: World) -> Array:
    """What the leaders are expected to earn a year in three years, ``(regions, worlds, 1)``, CNY million.

    R m: the market's revenue as it has grown of late, against that which hype promises; the margin of late, against
    a normal one.
    """
    labs, state, expectations = world.labs, world.state, world.parameters.expectations
    pricing, found = world.parameters.pricing, []
    for region in (CN, ROW):
        now = 12.0 * row_sum(where(labs.region == region, labs.service_revenue, 0.0))
        growth = np.minimum(pricing.growth_belief * state.revenue_growth[region] * 12.0, expectations.most_growth)
        seen = now * np.exp(expectations.horizon * np.maximum(growth, -1.0))
        promised = expectations.promise * (1.0 if region == CN else world.parameters.model_market.row_scale)
        size = seen + state.hype * np.maximum(promised - seen, 0.0)
        margin = np.maximum(state.margin_seen[region], 0.0)
        margin = margin + state.hype * np.maximum(pricing.normal_margin - margin, 0.0)
        found.append(size * margin)
    return np.stack(found)
