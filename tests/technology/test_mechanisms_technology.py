"""Mechanisms of technology: what each does to a named output, and that it does nothing when off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from baimo.agents.enums import BIG_TECH, CN, FROM_SCRATCH, INFRA, SCALING
from baimo.agents.lab.money import PivotSignals
from baimo.agents.lab.training import Run, launch_worth, trained_capability
from baimo.world.compute.chip_supply import offers
from baimo.world.compute.chips import power_draw, weakness
from baimo.world.ensemble import Ensemble
from baimo.world.models.utility import wall
from baimo.world.technology.training import _fail, delivered, launch_signals, stop_doomed, update_skill
from tests.paired_runs import Effect, by_world, effect, market, table, together

START, END = (0, 12), (24, 36)
#: Where the wall shows.
SHUT_OUT = ("hard_share_below_parity_cn", "easy_share_below_parity_cn", "hhi_tokens_cn")
#: Who has a model must open it, here and abroad; or nobody may.
OPENED, BANNED = "policy.open_source.mandate_above=-3", "policy.open_source.ban=true"

together(
    ("mechanisms.scaling_law=false", "training.run_share=0.05"),
    "training.run_share=0.05",
    "policy.data.public_corpus=9",
    "technology.worked_off=1e-6",
    "technology.misled=0",
)
together("training.failure_memory=0", "technology.study_share=0")
together("model_market.wall=0", worlds=24)
together(
    BANNED,
    *((BANNED, off) for off in ("mechanisms.frontier_cost=false", "technology.study_share=0")),
)
together(OPENED, (OPENED, "technology.study_share=0"))
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
            ("copying", "technology.teacher_reach=2"),
            ("weakest_link", "training.people_spread=1"),
        )
        for pair in (setting, (f"mechanisms.{mechanism}=false", setting))
    ),
    ("mechanisms.data_shortage=false", "technology.quality_substitutes=3"),
    ("mechanisms.post_training=false", "technology.usage_adds=0"),
    ("mechanisms.foreign_base_weak=false", "technology.worked_off=1e-6"),
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
    assert synthetic.z > 5.0 and synthetic.mean > 0.1
    assert np.all(synthetic.without == 0.0)
    assert by_world(market(), "synthetic_share_cn", (0, 6)).max() < 0.05


def test_M02_good_data_and_a_public_corpus_stand_in_for_more():
    corpus = effect("synthetic_share_cn", "policy.data.public_corpus=9", window=END)
    assert corpus.z > 6.0 and corpus.without.mean() < 0.1  # nobody pays for synthetic data who has real ones
    assert reasoning_over_language("frontier_cn", "policy.data.public_corpus=9", (12, 24)).z < -3.4
    off = ("mechanisms.data_shortage=false",)
    assert same((*off, "technology.quality_substitutes=0"), (*off, "technology.quality_substitutes=3"))
    assert not same(("technology.quality_substitutes=0",), ())


def gave_up(archetype: str, *arm: str, months: int = 14) -> float:
    """Share of the labs there at the start that have given up training from scratch within so many months."""
    first = panel(*arm).filter(pl.col("archetype") == archetype, pl.col("founded") < 1, pl.col("step") < months)
    turned = first.group_by("replicate", "lab_id").agg((pl.col("mode") != "from_scratch").any())
    return turned["mode"].mean()


def test_M03_dear_launches_drive_universities_out_as_a_better_open_base_does_and_small_firms_can_pay():
    """Either is enough, so that in the baseline cost adds nothing; it shows where nobody may open weights."""
    off = "mechanisms.frontier_cost=false"
    first_losses = (8, 14)  # when patience with the first losses ends
    dropped = effect("labs_from_scratch_cn", off, base=(BANNED,), window=first_losses)
    assert dropped.z < -14.0 and -7.0 < dropped.mean < -2.5
    assert effect("labs_from_scratch_cn", off, base=(BANNED,), window=END).z < -5.5  # nor do others take their place
    assert gave_up("academic", BANNED) > 0.8 and gave_up("academic", BANNED, off) < 0.05
    # What drives out unicorns is the open base: most of them, and later than universities.
    assert gave_up("unicorn", BANNED, months=24) < 0.05 and gave_up("big_tech", BANNED, months=24) < 0.05
    for arm in ((), (off,)):
        assert gave_up("academic", *arm) > 0.9 and gave_up("unicorn", *arm) < 0.4
        assert gave_up("unicorn", *arm, months=24) > 0.5
    assert abs(effect("labs_from_scratch_cn", off, window=first_losses).mean) < 0.1 * abs(dropped.mean)


def test_M03_who_could_pay_least_gives_up_first_as_the_frontier_grows_dear():
    """No open base leads, and patience is over: who pivots, for launches at the frontier of several sizes."""
    world = Ensemble(["output.level=market"], range(2)).run(2).world
    labs, p = world.labs, world.parameters
    labs.running, mode, none = labs.alive & False, labs.mode.copy(), 0.0 * labs.cash
    trains = labs.alive & (labs.mode == FROM_SCRATCH) & (labs.region == CN)
    proud, cost = (labs.archetype == BIG_TECH) + 0.0, p.training.frontier_cost

    def gives_up(log_flop: float, weight: float) -> np.ndarray:
        """Who gives up training when a launch at the frontier takes so much compute."""
        p.training.frontier_cost = weight
        labs.mode, labs.behind = mode.copy(), none + 99.0
        seen = {"base_lead": none, "frontier_launch": none[:, :1] + log_flop, "pride": proud, "share": none + 1.0}
        labs.pivot(PivotSignals(**seen, months=1.0))
        return (labs.mode != mode)[trains]

    affordable, sizes = labs.affordable[trains], np.linspace(18.0, 34.0, 33)
    gone = np.array([gives_up(size, cost) for size in sizes])
    assert not gone[0].any() and gone[-1].all() and np.all(np.diff(gone.sum(1)) >= 0)
    humble = proud[trains] == 0.0
    for each in gone:
        left, stays = affordable[humble & each], affordable[humble & ~each]
        assert not len(left) or not len(stays) or left.max() < stays.min()
    # What a launch at the frontier costs is nobody's concern without it.
    assert not np.any([gives_up(size, 0.0) for size in sizes])


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


@pytest.mark.parametrize(("weak_cards", "counts"), [(1.0, True), (0.0, False)])
def test_M08_frail_cards_deliver_less_and_are_valued_less(weak_cards, counts):
    """What each class delivers and is worth as it is, and were it no frailer than an H100."""
    world = Ensemble(["output.level=market", f"training.weak_cards={weak_cards}"], (0,)).run(6).world
    frail, found = world.chips, []
    world.labs.fleet = world.labs.fleet + 1000.0 * (frail.failure_factor > 1.0)
    for world.chips in (frail, replace(frail, failure_factor=np.ones_like(frail.failure_factor))):
        flop = delivered(world, world.labs.rented_training).flop
        found.append((flop[world.labs.alive], offers(world).value[CN][:-1, 0, 0]))
    (weak_flop, value), (sturdy_flop, sturdy_value) = found
    weak = (frail.failure_factor[:, 0, 0] > 1.0) & (value > 0.0)
    np.testing.assert_array_equal(value[~weak], sturdy_value[~weak])
    if counts:
        assert (weak_flop < sturdy_flop).all() and weak_flop.sum() < 0.98 * sturdy_flop.sum()
        assert weak.sum() > 3 and (value[weak] < 0.97 * sturdy_value[weak]).all()
    else:
        np.testing.assert_array_equal(weak_flop, sturdy_flop)
        np.testing.assert_array_equal(value, sturdy_value)


def test_M08_buyers_who_count_failures_and_power_in_buy_fewer_weak_cards():
    bought = effect("h100e_cn_other_domestic", "mechanisms.weak_chips=false")
    assert bought.z < -10.0 and bought.ratio < 0.9


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
    share = effect("post_share_of_variance_cn", off, window=(12, 36))
    assert share.without.mean() < 0.08 and share.with_.mean() > 0.25 and share.z > 4.4
    frontier = effect("frontier_cn", off)
    assert frontier.z > 6.0 and 0.4 < frontier.mean < 2.0
    # What remains without it is what data of use teach (M67), and nothing without these.
    taught = panel(off)["post_training"].max()
    assert 0.0 < taught < 0.2
    assert table("labs", off, "technology.usage_adds=0", worlds=3, steps=18)["post_training"].abs().max() == 0.0


def relaunches(*overrides: str) -> float:
    """Share of failed launches of startups after which another run ends within four months without a new round.

    A launch took more than a hundredth of the purse, were all of it rented at the frontier's efficiency.
    """
    lab, spent = ("replicate", "lab_id"), pl.col("amount") * pl.col("price")
    tries, funded = pl.col("runs_done") + pl.col("runs_failed"), pl.col("rounds").shift(-4) - pl.col("rounds")
    runs = panel(*overrides).filter(pl.col("archetype").is_in(["unicorn", "follower"])).sort("step")
    runs = runs.with_columns(again=(tries.shift(-4) > tries).over(lab), funded=funded.over(lab))
    largest = pl.max_horizontal("largest_run_cn_flop", "largest_run_row_flop")
    price = market(*overrides).select("replicate", "step", price=pl.col("launch_cost_cn") / largest)
    failed = table("events", *overrides).filter(pl.col("kind") == "failure").rename({"agent": "lab_id"})
    runs = runs.join(failed, on=(*lab, "step")).join(price, on=("replicate", "step"))
    launches = runs.filter(spent > 0.01 * (pl.col("cash").clip(0.0) + spent), pl.col("funded") == 0)
    assert len(launches) > 30
    return launches["again"].mean()


def test_M19_a_launch_may_fail_is_not_repeated_and_only_parity_sells_hard_work():
    off = "mechanisms.launch=false"
    failures = effect("training_failures_cn", off, window=(0, 36))
    assert np.all(failures.without == 0.0) and failures.z > 6.0 and failures.mean > 1.0
    # In the first year labs short of parity sell less where work is hard, far more than where it is easy, and use
    # concentrates; in the later years more labs are near parity.
    off = "model_market.wall=0"
    first, later = ([effect(each, off, window=w, worlds=24) for each in SHUT_OUT] for w in (START, (12, 36)))
    hard, easy, concentrated = first
    assert hard.z < -5.5 and hard.mean < -0.05 and abs(easy.mean) < 0.6 * abs(hard.mean)
    assert concentrated.z > 4.4 and concentrated.ratio > 1.07
    assert abs(later[0].mean) < 0.5 * abs(hard.mean) and abs(later[2].mean) < 0.5 * concentrated.mean
    # Most startups do not launch again before a new round; without the memory of failure most do.
    assert relaunches() < 0.6 and relaunches("training.failure_memory=0") > 0.75


def test_M19_who_failed_starts_no_run_before_a_new_round_and_a_failed_trial_is_no_failure():
    world = Ensemble(["output.level=market"], range(4)).run(12).world
    labs, p, seen, none = world.labs, world.parameters, launch_signals(world), 0.0 * world.labs.cash
    alone, memory, least = labs.alive & (seen.parent_launch <= 0.0), p.training.failure_memory, p.training.launch_size

    def starts(failure: float, funded: float) -> np.ndarray:
        """Labs without a parent that start a run so many months after a failure and a round."""
        labs.running, labs.trained = labs.running & False, labs.trained & False
        labs.since_failure, labs.since_round = none + failure, none + funded
        labs.plan_run(seen)
        return labs.running[alone]

    able = starts(99.0, 99.0)
    assert able.sum() > 50 and not starts(1.0, 99.0).any()
    for failure, funded in ((1.0, 0.5), (memory + 1.0, 99.0)):
        np.testing.assert_array_equal(starts(failure, funded), able)
    # A run that took less of the purse than counts as a launch is forgiven.
    labs.since_failure, failed = none + 99.0, labs.alive & (labs.id % 2 == 0)
    for share, remembered in ((0.9 * least, False), (1.1 * least, True)):
        labs.run_cost, labs.cash = none + share, none + 1.0 - share
        _fail(world, failed)
        np.testing.assert_array_equal(labs.since_failure == 0.0, failed & remembered)


def test_M19_the_wall_is_of_delivered_compute_and_stands_where_work_is_hard():
    world = Ensemble(["output.level=market"], (0,)).run(2).world
    labs, seg, p = world.labs, world.segments.columns, world.parameters
    labs.served_worth = np.full_like(labs.cash, -1.0)
    stands = wall(labs, seg, world.state, p)[..., 0].max(-1)
    home = np.broadcast_to(seg.region, (len(stands), 1, 1))[:, 0, 0] == CN
    by_threshold = stands[home][np.argsort(seg.threshold[home][:, 0, 0], kind="stable")]
    assert by_threshold[0] > 0.0 and np.all(np.diff(by_threshold) >= 0.0) and by_threshold[-1] > 5.0 * by_threshold[0]
    # Neither a better score nor anything but compute delivered moves it; at parity there is none.
    labs.served = labs.served + 1.0
    assert np.array_equal(wall(labs, seg, world.state, p)[..., 0].max(-1), stands)
    labs.served_worth = labs.served_worth + 0.5
    assert np.all(wall(labs, seg, world.state, p)[..., 0].max(-1) < stands)
    labs.served_worth = np.maximum(world.state.worth_all, world.state.worth_cn) + 0.0 * labs.cash
    assert np.all(wall(labs, seg, world.state, p) == 0.0)
    # Performance is efficiency times cost: twice the MFU or twice the money are worth log10 2.
    seen, scratch = launch_signals(world), np.full((3, *labs.cash.shape), -9.0)
    once, twice = (launch_worth(labs, Run(flop + 0.0 * labs.cash, scratch, 0.0, 0.0), seen, p) for flop in (1e24, 2e24))
    np.testing.assert_allclose((twice - once)[labs.alive], np.log10(2.0), rtol=1e-6)
    before = delivered(world, world.labs.rented_training).flop
    labs.mfu = 2.0 * labs.mfu
    np.testing.assert_allclose(delivered(world, world.labs.rented_training).flop, 2.0 * before)


def test_M23_a_run_of_one_capability_gets_ten_times_cheaper_in_two_years():
    off = "mechanisms.cost_decline=false"
    assert value("gpt4_run_cost_usd", 0) / value("gpt4_run_cost_usd", 24) > 10.0
    cost = effect("gpt4_run_cost_usd", off)
    assert cost.z < -8.0 and cost.ratio < 0.65
    # Labs train with the same levers: the same money reaches further.
    assert effect("frontier_cn", off).z > 5.0
    on, without = (value("price_gpt35_level", 6, *arm) / value("price_gpt35_level", 30, *arm) for arm in ((), (off,)))
    assert on > 10.0 and on > 5.0 * without
    serving = effect("price_gpt35_level", off)
    assert serving.z < -10.0 and serving.ratio < 0.2


#: Levers of 001 and how many times cheaper each makes a run in two years, at the least: columns that cost falls with,
#: but for the last, with which it rises.
LEVERS = {
    "efficiency_public": 2.0,
    "parameter_efficiency": 1.2,
    "mfu_best_row": 1.1,
    "gpt4_run_kept": 1.2,
    "price_h100_rent_usd_hour": 1.3,
}


def test_M23_each_of_five_levers_makes_the_run_cheaper_and_together_they_are_its_cost():
    run = market().filter(pl.col("step").is_in([0, 24])).sort("replicate", "step")
    fell = {}
    for column in (*LEVERS, "gpt4_run_cost_usd"):
        fell[column] = np.log(run[column].to_numpy().reshape(-1, 2)) @ np.array([-1.0, 1.0])
    fell = {column: change if column in list(LEVERS)[:4] else -change for column, change in fell.items()}
    for column, least in LEVERS.items():
        assert np.median(fell[column]) > np.log(least), column
    np.testing.assert_allclose(sum(fell[column] for column in LEVERS), fell["gpt4_run_cost_usd"], atol=1e-5)
    # More than half as much comes of the four others as of algorithms (M13).
    others = sum(np.median(fell[column]) for column in LEVERS if column != "efficiency_public")
    assert others > 0.5 * np.median(fell["efficiency_public"])


def test_M23_leaner_models_reach_further_with_the_same_compute():
    world = Ensemble(["output.level=market"], (0,)).run(13).world
    labs, p, reached = world.labs, world.parameters, []
    run = Run(1e24 + 0.0 * labs.cash, np.full((3, *labs.cash.shape), -9.0), False, False)
    for share in (0.0, p.technology.shrink_trains):
        p.technology.shrink_trains = share
        seen = launch_signals(world)
        reached.append(
            (trained_capability(labs, run, seen, p)[:, labs.alive], launch_worth(labs, run, seen, p)[labs.alive])
        )
    leaner = np.log10(seen.leaner).item()
    assert leaner > 0.05
    for one, other in zip(*reached, strict=True):
        np.testing.assert_allclose(other - one, leaner)


def test_M23_without_it_models_stay_as_large_and_engineers_and_makers_give_nothing_away():
    off = "mechanisms.cost_decline=false"
    assert np.all(by_world(market(off), "parameter_efficiency", END) == 1.0)
    engineers = effect("mfu_best_row", off)
    assert engineers.z > 3.5 and engineers.ratio > 1.05
    listed = effect("price_h100_list_usd", off)
    assert listed.z < -30.0 and listed.ratio < 0.8


def test_M26_large_firms_catch_up_with_yesterday_and_users_follow_today():
    off = "mechanisms.catching_up=false"
    moves, settled = (effect("share_turbulence_cn", off, window=each) for each in ((0, 24), END))
    assert moves.z > 9.0 and moves.ratio > 1.4
    assert abs(settled.mean) < 0.4 * moves.mean  # in the third year shares move as little without
    big = (pl.col("archetype") == "big_tech") & pl.col("step").is_between(*END)
    learned = panel_effect("efficiency", off, big)
    assert learned.z > 4.2 and learned.ratio > 1.1
    behind = effect("big_tech_behind_year_ago_cn", off, window=(12, 36), worlds=24)
    assert -0.2 < behind.with_.mean() < 1.0  # what led a year ago is within one order of magnitude
    assert behind.z < -3.1 and behind.mean < -0.03
    assert effect("big_tech_behind_year_ago_cn", off, window=(12, 18), worlds=24).z < -6.5


def test_M26_the_column_is_the_frontier_of_twelve_months_ago_less_what_big_tech_offers_on_average():
    """Where the best lab leaves within a month, the frontier is that before it left: never less than what remains."""
    offers = panel().filter(pl.col("archetype") == "big_tech", pl.col("alive"), pl.col("capability").is_not_nan())
    offers = offers.group_by("replicate", "step").agg(pl.col("capability").cast(pl.Float64).mean())
    ago = market().with_columns(step=pl.col("step") + 12).select("replicate", "step", ago="frontier_all")
    poor = pl.col("archetype").is_in(["academic", "vertical", "follower"])
    left = table("labs").filter(~pl.col("alive"), pl.col("releases") > 0, ~poor)
    left = left.select("replicate", step=pl.col("step") + 12, left=True).unique()
    told = market().join(offers, on=("replicate", "step")).join(ago, on=("replicate", "step"))
    told = told.join(left, on=("replicate", "step"), how="left").sort("replicate", "step")
    more = (told["big_tech_behind_year_ago_cn"] - told["ago"] + told["capability"]).to_numpy()
    stayed = told["left"].is_null().to_numpy()
    assert stayed.mean() > 0.6
    np.testing.assert_allclose(more[stayed], 0.0, atol=1e-5)
    assert more.min() > -1e-5


def test_M26_off_users_still_choose_anew_but_by_what_was_best_yesterday():
    off = "mechanisms.catching_up=false"
    assert effect("users_cn", off).without.min() > 100.0
    # In the first half year the leader of yesterday keeps the lead for longer; better models are used less for two.
    stays = effect("leader_tenure_cn", off, window=(0, 6), worlds=24)
    assert stays.z < -2.4 and stays.ratio < 0.8
    assert effect("used_lead_cn", off, window=(0, 24), worlds=24).z > 5.0
    # Shares still move, and would more without the moat of users; the difference shrinks as they settle.
    arms = {"off": "moat.users=0", "base": (off,), "worlds": 24}
    early, later = (effect("share_turbulence_cn", **arms, window=window) for window in (START, (12, 24)))
    assert early.z < -8.0 and later.z < -4.8 and early.ratio < 0.85 and later.ratio < 0.88
    assert abs(later.mean) < 0.6 * abs(early.mean)


def test_M33_an_infra_team_makes_one_chip_do_the_work_of_two():
    off = "mechanisms.infra_talent=false"
    best, median = effect("mfu_best_cn", off), effect("mfu_median_cn", off)
    assert 1.5 < best.with_.mean() / median.with_.mean() < 2.6
    assert np.array_equal(best.without, median.without)
    assert effect("largest_run_cn_flop", off).ratio > 1.4
    wages = {kind: value(f"wage_{kind}", 35) for kind in ("scaling", "infra", "research")}
    first = {kind: value(f"wage_{kind}", 0) for kind in wages}
    assert wages["scaling"] > wages["infra"] > wages["research"]
    assert wages["scaling"] / wages["research"] > 1.5 * first["scaling"] / first["research"]  # scarcity tells


def test_M33_scaling_people_count_for_more_than_infra_people():
    world = Ensemble(["output.level=market", "training.weakest_link=0"], (0,)).run(1).world
    labs, seen = world.labs, []
    for added in (None, INFRA, SCALING):
        staff = labs.staff.copy()
        if added is not None:
            staff[added] += 20.0
        kept, labs.staff = labs.staff, staff
        update_skill(world)
        seen.append((labs.skill[labs.alive].mean(), labs.mfu[labs.alive].mean()))
        labs.staff = kept
    none, infra, scaling = np.array(seen)
    assert np.all(infra > none) and np.all(scaling - none > 1.2 * (infra - none))


def test_M34_scaling_teams_stop_doomed_runs():
    off = "mechanisms.scaling_teams=false"
    used = effect("failed_run_used_cn", off, window=(0, 36))
    # Without them a failure ends early only where the longest time for a run is over.
    assert used.without.min() > 0.98 and used.z < -7.0 and used.mean < -0.09
    wasted = effect("training_wasted_cn", off, window=(0, 36), worlds=24)
    assert wasted.z < -2.8 and wasted.ratio < 0.6


def test_M34_who_has_scaling_people_sees_sooner_that_a_run_is_doomed():
    failed = []
    for people in (0.0, 10.0, 1000.0):
        world = Ensemble(["output.level=market"], range(4)).run(1).world
        labs = world.labs
        labs.running = labs.run_doomed = labs.alive & (labs.id >= 0)
        staff = labs.staff.copy()
        staff[SCALING] = people
        labs.staff = staff
        before = labs.runs_failed
        stop_doomed(world)
        failed.append(((labs.runs_failed - before).sum() / labs.alive.sum()).item())
    assert failed[0] == 0.0
    assert 0.02 < failed[1] < 0.9 * failed[2]


def test_M52_instruction_following_is_copied_cheaply_reasoning_hardly():
    off = "mechanisms.copying=false"
    gains = [effect(f"frontier_cn_{axis}", off, window=START) for axis in ("language", "knowledge", "reasoning")]
    assert gains[0].z > 5.0 and gains[0].mean > 0.04
    assert gains[0].mean > gains[1].mean > gains[2].mean
    # Nobody learns from a teacher within any reach.
    reach = "technology.teacher_reach=2"
    assert same((off,), (off, reach)) and not same((), (reach,))


def test_M58_foreign_bases_are_weak_in_chinese_until_worked_off():
    off, easy = "mechanisms.foreign_base_weak=false", "technology.worked_off=1e-6"
    # Models on others' bases are worse, those of one's own are not touched; worked off at once nothing is lost.
    for arm in (off, easy):
        derived, native = (effect(f"frontier_{each}_cn", arm, window=START) for each in ("derivative", "native"))
        assert derived.z < -12.0 and -0.5 < derived.mean < -0.2
        assert abs(native.mean) < 0.05 * abs(derived.mean)
        # In the third year about as much is lost.
        assert -0.16 > effect("frontier_derivative_cn", arm, window=END).mean > 1.3 * derived.mean
    language, reasoning = (effect(f"frontier_cn_{axis}", off, window=START) for axis in ("language", "reasoning"))
    assert language.z < -3.0 and -0.6 < language.mean < -0.035
    assert abs(reasoning.mean) < 0.4 * abs(language.mean)
    assert effect("frontier_open_cn", off, window=START).z < -3.6
    assert effect("frontier_open_cn_language", easy, window=(0, 24)).z < -4.7
    assert same((off,), (off, easy))


def test_M58_what_a_base_lacks_in_chinese_is_worked_off_by_training_on():
    world = Ensemble(["output.level=market"], range(2)).run(2).world
    labs, seen, p = world.labs, launch_signals(world), world.parameters
    handed, won = np.ones((3, *labs.cash.shape)), []
    for flop in (1e20, 1e22, 1e23, 1e25):
        runs = (Run(flop + 0.0 * labs.cash, handed, foreign, False) for foreign in (False, True))
        at_home, foreign = (10.0 ** trained_capability(labs, run, seen, p)[:, labs.alive] for run in runs)
        won.append((foreign - at_home) / 10.0)
    won = np.array(won)
    assert won[0].max() < 0.05 and (np.diff(won, axis=0)[:, :2] > 0.0).all() and (won[:, 2] == 0.0).all()
    lacks = np.array([p.technology.foreign_language, p.technology.foreign_knowledge])
    np.testing.assert_allclose(won[-1][:2].mean(-1), 10.0**lacks - 1.0, rtol=1e-4)


def test_M58_labs_on_weak_bases_earn_less_and_live_shorter_and_none_more_train_their_own():
    """The domestic opportunity is not taken: who trains its own does so whatever foreign bases lack."""
    off = "mechanisms.foreign_base_weak=false"
    assert abs(effect("labs_from_scratch_cn", off, window=(0, 36)).ratio - 1.0) < 0.04
    earned = effect("revenue_on_open_base_cn", off, window=(0, 36))
    assert earned.z < -6.5 and earned.ratio < 0.6
    assert effect("lab_exits_cn", off, window=(12, 24)).z > 4.8
    for column in ("labs_on_open_base_cn", "labs_alive_cn"):
        left = effect(column, off, window=END)
        assert left.z < -6.5 and left.ratio < 0.92


def test_M61_closed_models_break_the_loop_of_research():
    off = "mechanisms.broken_loop=false"
    openness = effect("research_openness", off)
    assert np.all(openness.without == 1.0) and 0.4 < openness.with_.mean() < 0.8
    public = effect("efficiency_public", off)
    assert public.z < -7.0 and public.ratio < 0.7
    poor = pl.col("archetype").is_in(["academic", "vertical", "follower"]) & pl.col("step").is_between(*END)
    assert panel_effect("efficiency", off, poor).z < -5.0


def test_M61_it_matters_who_closes_and_who_can_afford_to_study():
    """Where leaders must open the loop holds better; where all are open cost alone breaks it, where none is nothing."""
    closing = effect("research_openness", OPENED)
    assert closing.z < -10.0 and closing.mean < -0.05
    dear = "technology.study_share=0"
    costly = effect("research_openness", dear, base=(OPENED,))
    assert costly.z < -10.0 and costly.mean < -0.1
    assert abs(effect("research_openness", dear).mean) < 0.2 * abs(costly.mean)  # few models are open to study
    assert 0.2 < by_world(market(), "study_affordable_share", END).mean() < 0.8
    assert same((BANNED,), (BANNED, dear), but=("study_affordable_share",))


def test_M62_every_position_needs_talent_and_papers_mislead():
    off = "mechanisms.weakest_link=false"
    best = effect("mfu_best_cn", off, window=(0, 36))
    assert best.z < -4.0 and best.mean < -0.004
    run = effect("largest_run_cn_flop", off, window=(12, 24))
    assert run.z < -2.8 and run.ratio < 0.95
    who = "training.people_spread=1"
    assert same((off,), (off, who)) and not same((), (who,))
    late = pl.col("step").is_between(*END)
    poor, rich = (pl.col("archetype") == each for each in ("follower", "big_tech"))
    misled = panel_effect("efficiency", "technology.misled=0", poor & late)
    assert misled.z < -5.5 and misled.ratio < 0.95
    assert panel_effect("efficiency", "technology.misled=0", rich & late).ratio > misled.ratio + 0.03
