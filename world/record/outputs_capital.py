"""Output columns on money and people in China: funding, hype, balances, wages, staff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baimo.agents.enums import APPLICATION, CN, FRONTIER, INFRA, RESEARCH, SCALING, SENIOR_VC, YOUNG_VC
from baimo.conf.declare import output
from baimo.world.capital import hype
from baimo.world.capital.deal_flow import benchmark_fit, launch_cost
from baimo.world.engine.arrays import mean_k, ratio, sum_k, sum_where

if TYPE_CHECKING:
    from baimo.world.engine.world import World


@output(
    "funding_cn",
    "CNY million a step",
    "funding of labs and apps in China; the first purse of venture labs included",
    "Funding",
)
@output("funding_labs_cn", "CNY million a step", "funding of labs in China; their first purses included")
@output("rounds_cn", "rounds a step", "rounds of labs in China")
@output("rounds_below_launch_cn", "rounds a step", "rounds of labs in China that are smaller than the cost of a launch")
@output("rounds_adding_nothing_cn", "rounds a step", "rounds of labs in China that are no better than open weights")
@output("launch_cost_cn", "CNY million", "the rent in China of a launch as large as the largest one so far")
@output("benchmark_fit_cn", "correlation", "the correlation of benchmarks with what models can do; mean of the axes")
@output(
    "benchmark_fit_<axis>_cn",
    "correlation",
    "the correlation of benchmarks with what models can do, by axis; over labs",
)
def funding(world: World) -> tuple:
    """Rounds against launches."""
    state, seen = world.state, world.monthly
    rounds = seen["rounds"], seen["rounds_below_launch"], seen["rounds_adding_nothing"]
    fit = benchmark_fit(world)
    return state.funding_cn, state.funding_labs_cn, *rounds, launch_cost(world), mean_k(fit), fit


@output("hype", "index", "hype", "Hype")
@output("investor_attention_cn", "share", "the attention of investors in China; mean, by their budgets")
@output("funding_young_share_cn", "share", "the share of young venture capital in the money invested in China so far")
@output("funding_senior_share_cn", "share", "the share of senior venture capital in the money invested in China so far")
@output("announcements_cn", "a step", "announcements of listed parents in China")
@output(
    "announcement_gain_cn", "share", "what listed parents in China gained by announcements; shares of a parent's value"
)
def attention(world: World) -> tuple:
    """Hype, attention, shares of kinds of investors, and gains from announcements."""
    investors, seen = world.investors, world.monthly
    cn = investors.alive & (investors.region == CN)
    put_in = [sum_where(cn & (investors.kind == kind), investors.invested) for kind in (YOUNG_VC, SENIOR_VC)]
    all_in = sum_where(cn, investors.invested)
    parts = (ratio(each, all_in) for each in put_in)
    seen = seen["announcements"], seen["announcement_gain"]
    return world.state.hype, hype.attention_of_investors(world), *parts, *seen


@output("cash_labs_cn", "CNY million", "the cash of labs in China")
@output("cost_labs_cn", "CNY million a month", "all that labs in China spend")
@output("cost_frontier_labs", "CNY million a month", "all that frontier labs elsewhere spend", log=True)
@output("valuation_cn", "CNY million", "what investors value labs in China at")
@output("sunk_value_lost_cn", "CNY million a step", "past investment of labs in China written down")
@output("public_spending_cn", "CNY million", "public spending so far", "Public money")
@output(
    "accounts_residual", "share", "the largest gap so far between payments and balances; of all money, zero to rounding"
)
def balances(world: World) -> tuple:
    """Money of labs and of the state, and whether the books add up."""
    labs, accounts = world.labs, world.accounts
    cn = labs.alive & (labs.region == CN)
    frontier = labs.alive & (labs.archetype == FRONTIER)
    held = (sum_where(cn, labs.cash), sum_where(cn, labs.cost), sum_where(frontier, labs.cost))
    return (
        *held,
        sum_where(cn, labs.valuation),
        world.monthly["sunk_value_lost"],
        -accounts.balance["government"],
        accounts.residual,
    )


@output("wage_infra", "CNY million a year", "the wage of infrastructure engineers in China")
@output("wage_scaling", "CNY million a year", "the wage of scaling engineers in China")
@output("wage_research", "CNY million a year", "the wage of researchers in China")
@output("wage_application", "CNY million a year", "the wage of application engineers in China")
@output("staff_cn", "people", "people who work in labs in China")
@output("staff_left_cn", "people a step", "people who left a lab in China")
@output("people_trained_cn", "people", "people who came into the industry in China; cumulative")
@output("pool_application_cn", "people", "application engineers in China between jobs")
def people(world: World) -> tuple:
    """Wages and staff."""
    labs, state = world.labs, world.state
    return (
        *(state.wages[CN][kind] for kind in (INFRA, SCALING, RESEARCH, APPLICATION)),
        sum_where(labs.alive & (labs.region == CN), sum_k(labs.staff)),
        world.monthly["staff_left"],
        sum_k(state.trained_people[CN]),
        state.pool[CN][APPLICATION],
    )
