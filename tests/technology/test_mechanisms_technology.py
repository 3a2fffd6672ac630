"""Mechanisms of technology: what each does to a named output, and that it does nothing when off."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from baimo.world.compute.chips import power_draw, weakness
from tests.paired_runs import Effect, by_world, effect, market, table, together

START, END = (0, 12), (24, 36)

together(
    ("mechanisms.scaling_law=false", "training.run_share=0.05"),
    "training.run_share=0.05",
    "training.failure_memory=0",
    "policy.data.public_corpus=9",
    "model_market.wall=0",
    "technology.foreign_worked_off=1e20",
    "technology.misled=0",
)
together("policy.open_source.ban=true", ("policy.open_source.ban=true", "mechanisms.frontier_cost=false"))
together(
    "mechanisms.catching_up=false",
    ("mechanisms.catching_up=false", "moat.users=0"),
    "moat.users=0",
    "mechanisms.scaling_teams=false",
    worlds=24,
)
#: What says nothing without its mechanism, in few worlds: equal is equal (:func:`same`).
together(
    *(
        pair
        for mechanism, setting in (
            ("data_shortage", "technology.quality_substitutes=0"),
            ("frontier_cost", "training.largest_before_row=1e27"),
            ("copying", "technology.teacher_reach=2"),
            ("weakest_link", "training.people_spread=1"),
        )
        for pair in (setting, (f"mechanisms.{mechanism}=false", setting))
    ),
    ("mechanisms.data_shortage=false", "technology.quality_substitutes=3"),
    ("mechanisms.foreign_base_weak=false", "technology.foreign_worked_off=1e20"),
    worlds=3,
    steps=18,
)


def panel(*overrides: str) -> pl.DataFrame:
    """The labs of CN."""
    return table("labs", *overrides).filter(pl.col("region") == "CN")


def mean_of(frame: pl.DataFrame, column: str) -> np.ndarray:
    """Mean by world."""
    return frame.group_by("replicate").agg(pl.col(column).mean()).sort("replicate")[column].to_numpy()


def panel_effect(column: str, off: str, chosen: pl.Expr) -> Effect:
    """The effect on the mean over some labs."""
    return Effect(*(mean_of(panel(*arm).filter(chosen), column) for arm in ((), (off,))))


def same(one: tuple[str, ...], other: tuple[str, ...], steps: int = 18, but: tuple[str, ...] = ()) -> bool:
    """Whether two settings give the same bits in every market column."""
    first, second = (market(*each, worlds=3, steps=steps).drop(but) for each in (one, other))
    return first.equals(second)


def value(column: str, step: int, *overrides: str) -> float:
    """Median over worlds at one step."""
    return market(*overrides).filter(pl.col("step") == step)[column].median()


def test_M01_compute_buys_capability_and_nothing_without_the_law():
    off = "mechanisms.scaling_law=false"
    for column in ("frontier_all", "frontier_cn"):
        law = effect(column, off)
        assert law.z > 8.0 and 1.0 < law.mean < 3.0
    # A tenth of the compute costs about one order of magnitude where the law holds, nothing where not.
    small = "training.run_share=0.05"
    on = effect("frontier_all", small, window=(12, 36))
    without = effect("frontier_all", small, base=(off,), window=(12, 36))
    assert on.z > 5.0 and on.mean > 0.3
    assert abs(without.mean) < 0.2 * on.mean


def reasoning_over_language(frontier: str, off: str, window: tuple[int, int]) -> Effect:
    """Effect on reasoning less that on language: what moves the frontier of both is left out."""
    arms = []
    for arm in ((), (off,)):
        run = market(*arm)
        reasoning, language = (by_world(run, f"{frontier}_{axis}", window) for axis in ("reasoning", "language"))
        arms.append(reasoning - language)
    return Effect(*arms)


def test_M02_reasoning_runs_short_of_data_first_and_models_write_more():
    off = "mechanisms.data_shortage=false"
    behind = reasoning_over_language("frontier_all", off, (6, 18))
    assert behind.z < -5.0 and -0.5 < behind.mean < -0.08
    # Synthetic data is dear while models are weak, and pays when they are strong; never with ample data.
    synthetic = effect("synthetic_share_cn", off)
    assert synthetic.z > 6.0 and synthetic.mean > 0.25
    assert np.all(synthetic.without == 0.0)
    assert by_world(market(), "synthetic_share_cn", (0, 6)).max() < 0.05


def test_M02_good_data_and_a_public_corpus_stand_in_for_more():
    corpus = effect("synthetic_share_cn", "policy.data.public_corpus=9", window=END)
    assert corpus.z > 6.0 and corpus.without.mean() < 0.1  # nobody pays for synthetic data who has real ones
    assert reasoning_over_language("frontier_cn", "policy.data.public_corpus=9", (12, 24)).z < -3.4
    off = ("mechanisms.data_shortage=false",)
    assert same((*off, "technology.quality_substitutes=0"), (*off, "technology.quality_substitutes=3"))
    assert not same(("technology.quality_substitutes=0",), ())


def test_M03_universities_and_small_firms_drop_out_as_launches_grow_dear():
    off = "mechanisms.frontier_cost=false"
    dropped = effect("labs_from_scratch_cn", off, window=(8, 14))  # when patience with the first losses ends
    assert dropped.z < -5.0 and -4.0 < dropped.mean < -0.6

    def kept(archetype: str, *base: str) -> float:
        """Months of labs that train from scratch and have done so, with the mechanism over without."""
        chosen = (pl.col("archetype") == archetype) & pl.col("step").is_between(8, 16)
        chosen = chosen & (pl.col("mode") == "from_scratch") & (pl.col("runs_done") > 0)
        return panel(*base).filter(chosen).height / panel(*base, off).filter(chosen).height

    assert kept("unicorn") < 0.9 and kept("big_tech") > 0.97
    # An open base that leads drives universities out sooner; where nobody opens weights cost alone does.
    assert kept("academic", "policy.open_source.ban=true") < 0.7
    # What a launch at the frontier costs is nobody's concern without it.
    dear = "training.largest_before_row=1e27"
    seen = ("largest_run_row_flop", "gpt4_run_cost_usd")
    assert same((off,), (off, dear), but=seen) and not same((), (dear,), but=seen)


def test_M08_weak_cards_multiply_failures_and_power_bills(chips):
    off = "mechanisms.weak_chips=false"
    lost = effect("goodput_cn", off)
    assert lost.z < -6.0 and -0.15 < lost.mean < -0.02
    assert abs(lost.mean) > 3.0 * abs(effect("goodput_cn", off, window=START).mean)  # domestic cards spread
    assert effect("largest_run_cn_flop", off).ratio < 0.9
    power = effect("power_cn_mw", off)
    assert power.z > 20.0 and 1.5 < power.ratio < 3.0
    assert weakness(1000.0, 3.0, 300.0, 0.0) == 300.0 and weakness(1000.0, 3.0, 300.0, 1.0) == pytest.approx(3000.0)
    np.testing.assert_allclose(power_draw(chips, 1.0), chips.kw)
    np.testing.assert_allclose(power_draw(chips, 0.0) / chips.training_speed, 0.7)


def test_M09_power_cooling_and_network_bind_large_clusters():
    off = "mechanisms.cluster_limits=false"
    for column in ("cluster_loss_cn", "cluster_loss_row"):
        lost = effect(column, off, window=START)
        assert lost.with_.mean() > 0.3 and lost.without.max() < 1e-9
    run = effect("largest_run_cn_flop", off, window=START)
    assert run.z < -5.0 and run.ratio < 0.4
    # Who has run large clusters loses less, and experience grows.
    assert effect("cluster_loss_cn", off).with_.mean() < 0.8 * effect("cluster_loss_cn", off, window=START).with_.mean()


def test_M10_arithmetic_outgrows_bandwidth_and_training_is_bound_by_it(chips, make_chip):
    off = "mechanisms.data_bandwidth=false"
    first, last = (effect("speed_per_h100e_row", off, window=window) for window in ((0, 3), (33, 36)))
    assert last.with_.mean() < 0.93 * first.with_.mean()
    assert last.without.mean() == pytest.approx(first.without.mean(), rel=1e-3)
    assert effect("speed_per_h100e_cn", off).z < -20.0
    assert effect("largest_run_row_flop", off).z < -5.0
    assert effect("largest_run_row_flop", off).ratio < 0.85
    # Who moves data slower trains slower, chip by chip: interconnect alone makes the H800 of an H100.
    speed = dict(zip(chips.names, chips.training_speed.ravel(), strict=True))
    assert 0.75 < speed["H800"] < 0.9 < 1.0 == pytest.approx(speed["H100"])
    assert make_chip(memory_tb_per_s=1.0).training_speed.item() < 0.8


def test_M13_algorithms_improve_for_all():
    off = "mechanisms.efficiency_progress=false"
    public = effect("efficiency_public", off)
    assert np.all(public.without == 1.0) and 3.0 < public.with_.mean() < 15.0
    for column in ("frontier_all", "frontier_cn"):
        gain = effect(column, off)
        assert gain.z > 6.0 and 0.5 < gain.mean < 2.0


def test_M14_leading_labs_differ_in_post_training():
    off = "mechanisms.post_training=false"
    share = effect("post_share_of_variance_cn", off)
    assert np.all(share.without == 0.0) and share.with_.mean() > 0.2 and share.z > 3.5
    frontier = effect("frontier_cn", off)
    assert frontier.z > 6.0 and 0.4 < frontier.mean < 2.0
    assert panel(off)["post_training"].max() == 0.0


def relaunches(*overrides: str) -> float:
    """Share of failed runs of startups after which another begins within four months without a new round."""
    later = pl.col("tries").shift(-4) - pl.col("tries")
    rounds = pl.col("rounds").shift(-4) - pl.col("rounds")
    runs = panel(*overrides).filter(pl.col("archetype").is_in(["unicorn", "follower"])).sort("step")
    runs = runs.with_columns(tries=pl.col("runs_done") + pl.col("runs_failed")).with_columns(
        again=(later > 0.0).over("replicate", "lab_id"),
        refunded=rounds.over("replicate", "lab_id"),
        failed=(pl.col("runs_failed").diff() > 0.0).over("replicate", "lab_id"),
    )
    return runs.filter(pl.col("failed"), pl.col("refunded") == 0)["again"].mean()


def test_M19_a_launch_may_fail_is_not_repeated_and_only_parity_sells_hard_work():
    off = "mechanisms.launch=false"
    failures = effect("training_failures_cn", off, window=(0, 36))
    assert np.all(failures.without == 0.0) and failures.z > 6.0 and failures.mean > 1.0
    below = effect("hard_share_below_parity_cn", off, window=START)
    assert below.z < -4.0 and below.mean < -0.1
    wall = effect("hhi_tokens_cn", "model_market.wall=0", window=(0, 24))
    assert wall.z > 3.5 and wall.mean > 0.01
    # Startups do not launch again before a new round; without the memory of failure they all do.
    assert relaunches() < 0.75 and relaunches("training.failure_memory=0") > 0.95


def test_M23_costs_fall_ten_to_twenty_times_in_two_years():
    off = "mechanisms.cost_decline=false"
    assert 6.0 < value("gpt4_run_cost_usd", 0) / value("gpt4_run_cost_usd", 24) < 25.0
    assert effect("gpt4_run_cost_usd", off).z < -10.0
    on, without = (value("price_gpt35_level", 6, *arm) / value("price_gpt35_level", 30, *arm) for arm in ((), (off,)))
    assert on > 10.0 and on > 5.0 * without
    serving = effect("price_gpt35_level", off)
    assert serving.z < -10.0 and serving.ratio < 0.2
    # Each of its parts: list prices fall as generations age, and models of one level shrink.
    listed = effect("price_h100_list_usd", off)
    assert listed.z < -30.0 and listed.ratio < 0.8


def test_M26_large_firms_catch_up_with_yesterday_and_users_follow_today():
    off = "mechanisms.catching_up=false"
    moves = effect("share_turbulence_cn", off)
    assert moves.z > 6.0 and moves.ratio > 1.3
    big = (pl.col("archetype") == "big_tech") & pl.col("step").is_between(*END)
    learned = panel_effect("efficiency", off, big)
    assert learned.z > 4.0 and learned.ratio > 1.02
    behind = effect("big_tech_behind_year_ago_cn", off)
    assert -0.2 < behind.with_.mean() < 1.0  # what led a year ago is within one order of magnitude
    assert effect("big_tech_behind_year_ago_cn", off, window=(12, 36)).z < -5.0
    # The column is what it says: the frontier of twelve months ago less what big tech offers on average.
    offers = panel().filter(pl.col("archetype") == "big_tech", pl.col("alive"), pl.col("capability").is_not_nan())
    offers = offers.group_by("replicate", "step").agg(pl.col("capability").cast(pl.Float64).mean())
    ago = market().with_columns(step=pl.col("step") + 12).select("replicate", "step", ago="frontier_all")
    told = market().join(offers, on=("replicate", "step")).join(ago, on=("replicate", "step"))
    gap = (told["ago"] - told["capability"]).to_numpy()
    np.testing.assert_allclose(told["big_tech_behind_year_ago_cn"].to_numpy(), gap, atol=1e-5)


def test_M26_off_users_still_choose_anew_but_by_what_was_best_yesterday():
    off = "mechanisms.catching_up=false"
    assert effect("users_cn", off).without.min() > 100.0
    # The leader of yesterday keeps the lead for longer, while the moat of users still tells.
    assert effect("used_lead_cn", off, window=(12, 24)).z > 5.0
    assert effect("share_turbulence_cn", "moat.users=0", base=(off,), window=(3, 18)).z < -10.0
    assert effect("share_turbulence_cn", "moat.users=0", base=(off,), worlds=24).z < -4.0


def test_M33_an_infra_team_makes_one_chip_do_the_work_of_two():
    off = "mechanisms.infra_talent=false"
    best, median = effect("mfu_best_cn", off), effect("mfu_median_cn", off)
    assert 1.5 < best.with_.mean() / median.with_.mean() < 2.6
    assert np.array_equal(best.without, median.without)
    assert effect("largest_run_cn_flop", off).ratio > 2.0
    wages = {kind: value(f"wage_{kind}", 35) for kind in ("scaling", "infra", "research")}
    first = {kind: value(f"wage_{kind}", 0) for kind in wages}
    assert wages["scaling"] > wages["infra"] > wages["research"]
    assert wages["scaling"] / wages["research"] > 1.5 * first["scaling"] / first["research"]  # scarcity tells


def test_M34_scaling_teams_stop_doomed_runs():
    off = "mechanisms.scaling_teams=false"
    used = effect("failed_run_used_cn", off, window=(0, 36))
    assert used.without.min() > 0.999 and used.z < -4.0 and used.mean < -0.02
    wasted = effect("training_wasted_cn", off, window=(0, 36), worlds=24)
    assert wasted.z < -2.0 and wasted.ratio < 0.7


def test_M52_instruction_following_is_copied_cheaply_reasoning_hardly():
    off = "mechanisms.copying=false"
    gains = [effect(f"frontier_cn_{axis}", off, window=START) for axis in ("language", "knowledge", "reasoning")]
    assert gains[0].z > 5.0 and gains[0].mean > 0.04
    assert gains[0].mean > gains[1].mean > gains[2].mean
    # Nobody learns from a teacher within any reach.
    reach = "technology.teacher_reach=2"
    assert same((off,), (off, reach)) and not same((), (reach,))


def test_M58_foreign_bases_are_weak_in_chinese_until_worked_off():
    off = "mechanisms.foreign_base_weak=false"
    language, reasoning = (effect(f"frontier_cn_{axis}", off, window=START) for axis in ("language", "reasoning"))
    assert language.z < -4.0 and -0.6 < language.mean < -0.08
    assert abs(reasoning.mean) < 0.4 * abs(language.mean)
    assert effect("frontier_open_cn", off, window=START).z < -4.0
    # The domestic opportunity: a few more labs keep training their own.
    assert effect("labs_from_scratch_cn", off, window=(0, 36)).z > 2.5
    easy = "technology.foreign_worked_off=1e20"
    assert effect("frontier_open_cn_language", easy, window=(0, 24)).z < -4.0
    assert same((off,), (off, easy))


def test_M61_closed_models_break_the_loop_of_research():
    off = "mechanisms.broken_loop=false"
    openness = effect("research_openness", off)
    assert np.all(openness.without == 1.0) and 0.4 < openness.with_.mean() < 0.8
    public = effect("efficiency_public", off)
    assert public.z < -10.0 and public.ratio < 0.6
    poor = pl.col("archetype").is_in(["academic", "vertical", "follower"]) & pl.col("step").is_between(*END)
    assert panel_effect("efficiency", off, poor).z < -5.0


def test_M62_every_position_needs_talent_and_papers_mislead():
    off = "mechanisms.weakest_link=false"
    best = effect("mfu_best_cn", off, window=(0, 36))
    assert best.z < -4.0 and best.mean < -0.004
    assert effect("largest_run_cn_flop", off, window=(12, 36)).ratio < 0.95
    who = "training.people_spread=1"
    assert same((off,), (off, who)) and not same((), (who,))
    late = pl.col("step").is_between(*END)
    poor, rich = (pl.col("archetype") == each for each in ("follower", "big_tech"))
    misled = panel_effect("efficiency", "technology.misled=0", poor & late)
    assert misled.z < -8.0 and misled.ratio < 0.95
    assert panel_effect("efficiency", "technology.misled=0", rich & late).ratio > misled.ratio + 0.03
