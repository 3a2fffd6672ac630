"""Mechanisms of capital: each shows in a named column, and its switch takes the effect away."""

from __future__ import annotations

import numpy as np
import polars as pl

from baimo.agents.enums import CN, ROW, SENIOR_VC, YOUNG_VC
from baimo.agents.lab.training import burn_doubt
from baimo.world.capital.deal_flow import lab_deals, launch_cost, misread
from baimo.world.capital.rounds import _appraise
from baimo.world.ensemble import Ensemble
from baimo.world.industry.entry import entry_rate
from baimo.world.models import releases
from baimo.world.technology.exploration import explore
from baimo.world.technology.training import launch_signals
from tests.paired_runs import Effect, by_world, effect, exactly_zero, market, table, together

#: The rush, the year after, and the last of three years.
RUSH, AFTER, LAST = (1, 12), (12, 24), (24, 36)

#: Scenes of exploration: with more to find, with nothing to find, and with explorers who are doubted at home.
FRUITFUL = ("exploration.breakthrough_rate=1.5",)
BARREN = (
    "exploration.propensity=5",
    "exploration.tolerance_cn=1",
    "exploration.tolerance_row=1",
    "exploration.breakthrough_rate=0",
    "exploration.detour=0.8",
)
DOUBTED = (
    "exploration.propensity=5",
    "exploration.tolerance_cn=1",
    "exploration.breakthrough_rate=0",
    "exploration.detour=0",
    "capital.hype_leap=0",
    "capital.explorer_doubt=5",
)
#: Benchmarks without noise.
QUIET = ("capital.noise_language=0", "capital.noise_knowledge=0", "capital.noise_reasoning=0")
#: Nobody knows anybody.
LONELY = ("graph.topology=empty",)

together(
    *(pair for scene in (FRUITFUL, BARREN) for pair in (scene, (*scene, "mechanisms.exploration=false"))),
    *(DOUBTED, (*DOUBTED, "mechanisms.domestic_doubt=false")),
    "exploration.tolerance_cn=0.8",
    "entry_exit.base_cheapens=0",
)
together(QUIET)
together(LONELY, (*LONELY, "mechanisms.consensus=false"))


def test_M20_most_rounds_are_small_against_the_cost_of_a_launch():
    small = effect("rounds_below_launch_cn", "mechanisms.round_sizes=false", window=(3, 36))
    assert small.z > 6.0
    assert small.ratio > 1.5
    share = small.with_ / by_world(market(), "rounds_cn", (3, 36))
    assert (share > 0.6).all(), "most rounds do not carry a launch"
    number = effect("rounds_cn", "mechanisms.round_sizes=false", window=(3, 36))
    assert number.z > 6.0, "the same money makes fewer rounds when each must carry a launch"


def test_M20_the_yardstick_is_a_launch_at_the_frontier():
    world = Ensemble(["output.level=market"], range(2)).run(2).world
    state, before = world.state, launch_cost(world)
    state.largest_run = np.stack([state.largest_run[CN], 3.0 * state.largest_run[ROW]])
    assert np.allclose(launch_cost(world), 3.0 * before), "abroad it is larger than at home"
    state.largest_run = np.stack([10.0 * state.largest_run[ROW], state.largest_run[ROW]])
    assert np.allclose(launch_cost(world), 30.0 * before), "and at home, once it leads"


def test_M24_investors_who_lose_patience_give_fewer_rounds_and_do_not_hold_the_frontier_back():
    """Neither the largest runs nor the frontier differ, here or abroad."""
    off = "mechanisms.burn_tolerance=false"
    rounds = effect("rounds_cn", off, window=(0, 24))
    assert rounds.z < -3.6
    assert rounds.ratio < 0.98, "who burns without news finds no second round"
    for region, frontier in (("cn", "frontier_cn"), ("row", "frontier_all")):
        assert abs(effect(f"largest_run_{region}_flop", off, window=(12, 36)).ratio - 1.0) < 0.02
        assert abs(effect(frontier, off, window=(12, 36)).mean) < 0.03


def test_M24_only_who_does_not_earn_what_it_spends_minds():
    world = Ensemble(["output.level=market"], range(2)).run(3).world
    labs, p, signals = world.labs, world.parameters, launch_signals(world)

    def planned(burn: float, doubt: float) -> np.ndarray:
        """Runs that labs start who have burnt for so long and earn their cost or nothing."""
        labs.running, labs.trained, labs.run_planned = labs.running & False, labs.trained & False, 0.0 * labs.cash
        labs.since_failure, labs.burnt, labs.cost = (
            99.0 + 0.0 * labs.cash,
            doubt + 0.0 * labs.cash,
            1.0 + 0.0 * labs.cash,
        )
        labs.revenue = 1.0 - burn + 0.0 * labs.cash
        labs.plan_run(signals)
        return labs.run_planned.sum()

    assert planned(1.0, 0.0) == planned(0.0, 0.0), "the best runs take less than six months anyway"
    assert planned(1.0, 6.0) < 0.85 * planned(1.0, 0.0), "after six months without news each month counts"
    assert planned(0.0, 6.0) == planned(0.0, 0.0)
    doubts = burn_doubt(np.array([0.0, p.capital.burn_tolerance, 9.0, 12.0]), p)
    assert doubts[0] == doubts[1] == 0.0 < doubts[2] < doubts[3]
    p.capital.burn_tolerance = 0.5
    assert planned(1.0, 0.0) < planned(0.0, 0.0), "investors of less patience bound a first run too"
    assert planned(0.0, 6.0) == planned(0.0, 0.0)


def test_M42_consensus_forms_as_investors_see_each_other_invest():
    attention = effect("investor_attention_cn", "mechanisms.consensus=false", window=RUSH)
    assert attention.z > 10.0
    assert attention.mean > 0.05
    rounds = effect("rounds_cn", "mechanisms.consensus=false", window=(3, 36))
    assert rounds.z > 5.0
    assert rounds.ratio > 1.04, "more rounds; the sum of money differs too much between worlds to say as much"
    assert effect("funding_cn", "mechanisms.consensus=false", window=(3, 36)).mean > 0.0


def test_M42_nobody_copies_strangers():
    """Consensus travels along ties: without ties there is nothing to switch off."""
    assert abs(effect("investor_attention_cn", "mechanisms.consensus=false", base=LONELY, window=RUSH).mean) == 0.0


def test_M48_open_bases_cheap_compute_and_money_make_entry_easy():
    entries = effect("lab_entries_cn", "mechanisms.easy_entry=false", window=(12, 36))
    assert entries.z > 5.0
    assert entries.ratio > 1.3
    cheap = effect("lab_entries_cn", "entry_exit.base_cheapens=0", window=(12, 36))
    assert 0.0 < cheap.mean < entries.mean, "open bases are a part of it"


def test_M48_founders_weigh_what_a_start_costs_and_what_money_there_is():
    """b K^-e (m + F)^e: half the rent of infrastructure, or an open base that spares it, makes entry easier."""
    world = Ensemble(["output.level=market"], range(2)).run(6).world
    state, rules, plain = world.state, world.parameters.entry_exit, entry_rate(world)
    rent, funding, base = state.rent_training, state.funding_12, state.frontier_open
    state.rent_training = 0.5 * rent
    np.testing.assert_allclose(entry_rate(world) / plain, 2.0**rules.entry_elasticity)
    state.rent_training, state.frontier_open = rent, np.maximum(base, state.open_start) + 1.0
    assert np.all(entry_rate(world) > 1.05 * plain)
    state.frontier_open, state.funding_12 = base, 0.0 * funding
    assert np.all(entry_rate(world) < 0.95 * plain)
    # Without the mechanism none of the three says anything.
    rules.entry_elasticity = 0.0
    none = entry_rate(world)
    state.rent_training, state.funding_12, state.frontier_open = 0.5 * rent, funding, base + 1.0
    np.testing.assert_array_equal(entry_rate(world), none)


def test_M50_other_explorers_see_a_signal_that_duplicators_miss():
    world = Ensemble(["output.level=market", *FRUITFUL], range(6)).run(18).world
    labs, rules, signal = world.labs, world.parameters.exploration, world.parameters.exploration.signal
    rules.breakthrough_rate = 12.0
    before, gained = labs.log_efficiency.copy(), []
    for rules.signal in (0.0, signal):
        labs.log_efficiency = before
        explore(world)
        gained.append(labs.log_efficiency - before)
    seekers, found = labs.alive & labs.explores, gained[0] > 0.0
    assert found.any() and np.all(gained[1][~seekers] == 0.0)
    others = found.sum(-1, keepdims=True) - found
    np.testing.assert_allclose((gained[1] - gained[0])[seekers], signal * rules.breakthrough_gain * others[seekers])


def test_M50_few_explore_where_failure_is_not_tolerated():
    off = "mechanisms.exploration=false"
    for column in ("explorers_cn", "explorers_row", "breakthroughs_cn", "breakthroughs_row"):
        assert exactly_zero(column, off)
    assert effect("explorers_row", off, window=(3, 36)).z > 6.0
    assert effect("breakthroughs_row", off, window=(0, 36)).z > 3.5
    tolerant = by_world(market("exploration.tolerance_cn=0.8"), "explorers_cn", (3, 36))
    assert (tolerant.mean() / by_world(market(), "explorers_cn", (3, 36)).mean()) > 2.0


def test_M50_breakthroughs_pay_and_the_detour_costs():
    off = "mechanisms.exploration=false"
    found = effect("frontier_all", off, base=FRUITFUL, window=LAST)
    assert found.z > 4.0
    assert found.mean > 0.3
    # Where all who may explore do, and there is nothing to find.
    barren = effect("frontier_cn", off, base=BARREN, window=AFTER)
    assert barren.z < -5.0, "who looks beside the road and finds nothing falls behind"
    assert barren.mean < -0.4


def test_M51_young_investors_move_first_and_senior_ones_wait():
    """They wait because nobody earns anything yet: no date is set."""
    off = "mechanisms.investor_kinds=false"
    senior = effect("funding_senior_share_cn", off, window=(1, 8))
    assert senior.z < -4.0
    assert senior.ratio < 0.8

    def tilt(*overrides: str):
        """Share of the young in what the young and the senior give."""
        young, old = (by_world(market(*overrides), f"funding_{kind}_share_cn", (1, 8)) for kind in ("young", "senior"))
        return young / (young + old)

    first = Effect(tilt(), tilt(off))
    assert first.z > 5.0
    assert first.ratio > 1.2


def test_M51_revenue_moves_the_senior_more_and_capability_the_young():
    # The penalty of models that anybody can download moves all alike.
    world = Ensemble(["output.level=market", "capital.commodity_penalty=0"], range(2)).run(8).world
    labs, investors = world.labs, world.investors
    served, labs.asking = labs.served, (labs.alive & labs.released & (labs.region == CN)) + 0.0

    def agree(kind: int) -> float:
        """Mean log-odds with which investors of a kind agree to a round."""
        facts, (worlds, rows), _ = lab_deals(world)
        who = np.flatnonzero((investors.alive & (investors.kind == kind) & (investors.region == CN))[0])
        capital = labs.select(worlds, rows).view(world.parameters).capital
        return _appraise(world, capital, facts[:, worlds, rows], worlds, who[:, None].repeat(len(rows), 1)).mean()

    plain = [agree(kind) for kind in (YOUNG_VC, SENIOR_VC)]
    labs.service_revenue = labs.service_revenue + 20.0
    young, senior = (agree(kind) - before for kind, before in zip((YOUNG_VC, SENIOR_VC), plain, strict=True))
    assert 0.0 < 3.0 * young < senior
    labs.service_revenue = labs.service_revenue - 20.0
    labs.served = served + 0.3
    young, senior = (agree(kind) - before for kind, before in zip((YOUNG_VC, SENIOR_VC), plain, strict=True))
    assert 0.0 < 2.0 * senior < young


def test_M57_money_follows_capability_worse_when_evaluation_is_noisy():
    off = "mechanisms.noisy_evaluation=false"
    fits = [effect(f"benchmark_fit_{axis}_cn", off, window=(12, 36)) for axis in ("language", "knowledge", "reasoning")]
    for fit in fits:
        assert (fit.without > 1.0 - 1e-9).all(), "without noise and games benchmarks show what is there"
        assert fit.z < -8.0
    assert fits[2].with_.mean() < fits[0].with_.mean() - 0.1, "they tell least of reasoning"
    wasted = effect("rounds_adding_nothing_cn", off, window=(12, 36))
    assert wasted.z > 4.0, "more rounds go to labs that add nothing to what anybody can download"


def test_M57_gaming_flatters_what_is_learned_by_heart():
    """Without noise, what is left of the error is gaming: most in knowledge, hardly in reasoning."""
    fits = [
        1.0 - by_world(market(*QUIET), f"benchmark_fit_{axis}_cn", (12, 36))
        for axis in ("language", "knowledge", "reasoning")
    ]
    language, knowledge, reasoning = fits
    assert (reasoning > 1e-5).all()
    assert (language > 2.0 * reasoning).all()
    assert (knowledge > language).all()
    # Labs that do more product work look better than they are.
    world = Ensemble(["output.level=market", *QUIET], range(2)).run(6).world
    before, world.labs.product_share = misread(world), world.labs.product_share + 0.2
    assert (misread(world) > before).all()


def test_M63_announcements_are_worth_less_each_time_and_keep_parents_patient():
    off = "mechanisms.announcements=false"
    assert exactly_zero("announcement_gain_cn", off)
    announced = market().filter(pl.col("announcements_cn") > 0)
    each = announced.with_columns(each=pl.col("announcement_gain_cn") / pl.col("announcements_cn"))
    early, late = (by_world(each, "each", window) for window in ((1, 6), (24, 36)))
    assert (late < 0.3 * early).all()
    patient = effect("labs_vertical_cn", off, window=LAST)
    assert patient.z > 5.0
    assert patient.ratio > 1.15


def test_M64_domestic_leaps_make_less_hype_than_foreign_ones():
    off = "mechanisms.domestic_doubt=false"
    hype = effect("hype", off, window=(3, 36))
    assert hype.z < -10.0
    assert hype.mean < -0.04
    assert effect("lab_entries_cn", off, window=RUSH).z < -6.0


def test_M64_a_leap_at_home_is_news_once_even_where_it_leads_the_world():
    ensemble = Ensemble(["output.level=market"], range(2))
    ensemble.run(3)
    world = ensemble.world
    labs, before = world.labs, world.state.frontier_all

    def push(region: int, lead: float) -> np.ndarray:
        here = labs.alive & (labs.region == region)
        one = here & (np.cumsum(here, axis=-1) == 1)
        releases._make_news(world, one, before + lead + 0.0 * labs.cash, before)
        world.state.models_released = world.state.models_released - 1.0
        return world.state.hype_push

    leap = world.parameters.capital.hype_leap
    assert np.array_equal(push(CN, 0.5), push(CN, 0.0)), "hype.domestic_leap tells of it"
    np.testing.assert_allclose(push(ROW, 0.5) - push(ROW, 0.0), 0.5 * leap)


def test_M64_domestic_explorers_are_funded_less():
    """The doubt of investors, apart from hype: explorers at home get less when they are doubted."""
    doubted = effect("rounds_cn", "mechanisms.domestic_doubt=false", base=DOUBTED, window=(1, 24))
    assert doubted.z < -5.0
    assert doubted.ratio < 0.85


def test_the_shake_out_comes_without_a_date():
    """Labs crowd in within a year and a half, peak, and leave by five ways, most of them for applications."""
    labs = market(steps=48)
    alive = labs.group_by("step").agg(pl.col("labs_alive_cn").median()).sort("step")["labs_alive_cn"].to_list()
    assert 10 <= alive.index(max(alive)) <= 20, "the peak lies between late 2023 and mid 2024"
    assert alive[-1] < 0.75 * max(alive)
    events = table("events", steps=48).filter(pl.col("kind") == "exit", pl.col("region") == "CN")
    ways = dict(events.group_by("detail").len().iter_rows())
    assert set(ways) == {"acquired", "gave_up", "insolvent", "parent_withdrew", "turned_to_apps"}
    shares = {way: number / sum(ways.values()) for way, number in ways.items()}
    assert 0.5 < shares["turned_to_apps"] < 0.85, "to turn to applications is the rule, and not the only way"
    assert shares["parent_withdrew"] > 0.12, "parents run out of patience"
    assert shares["insolvent"] + shares["gave_up"] > 0.07, "some leave because they do not earn"


def test_first_purses_of_venture_labs_are_more_than_half_of_funding_in_the_rush():
    """The sum of 2023 is less than half of what the press counted, about ten billion yuan."""
    rush = by_world(market(), "funding_labs_cn", (1, 13)) * 12.0
    events = table("events").filter(
        pl.col("kind") == "round", pl.col("region") == "CN", pl.col("step").is_between(1, 12)
    )
    rounds = events.group_by("replicate").agg(pl.col("amount").sum()).sort("replicate")["amount"].to_numpy()
    purses = rush - rounds
    assert (purses > 0.25 * rush).all(), "what is no later round is a first purse"
    assert purses.mean() > 0.5 * rush.mean()
    assert 2_500.0 < rush.mean() < 8_000.0
