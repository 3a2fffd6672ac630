"""Output columns on technology: frontiers and gaps, training runs, know-how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import APP_COMPANY, BIG_TECH, CN, NO_MODEL, ROW
from baimo.conf.declare import output
from baimo.world.compute.chips import CNY_A_USD, H100_TFLOPS, goodput
from baimo.world.engine.arrays import (
    Array,
    count_where,
    mean_k,
    mean_where,
    ratio,
    row_max,
    row_sum,
    sum_k,
    sum_where,
    weigh_k,
    where,
)
from baimo.world.laws.scaling import parameter_efficiency
from baimo.world.technology.research import frontiers
from baimo.world.technology.training import site_of

if TYPE_CHECKING:
    from baimo.world.engine.world import World

MONTH_HOURS = 365.25 * 24.0 / 12.0

# ---------------------------------------------------------------------- frontiers


@output("frontier_all", "OOM", "the frontier; best capability on sale, mean of the axes, over 1e23 effective FLOP")
@output("frontier_cn", "OOM", "the frontier of China", "Frontier, China")
@output("frontier_open", "OOM", "the frontier of open weights")
@output("frontier_open_cn", "OOM", "the frontier of open weights in China", "Open, China")
@output("frontier_<whose>_<axis>", "OOM", "a frontier on one axis: language, knowledge, reasoning")
@output("gap_open_<axis>", "OOM", "the lead of the best model over the best open weights, by axis")
@output("gap_cn_oom", "OOM", "the gap of China to the frontier", "Gap, OOM")
@output("gap_cn_months", "months", "the time by which China is behind the frontier", "Gap, months")
@output("gap_open_months", "months", "the time by which open weights are behind the frontier", "Open gap")
def frontier(world: World) -> tuple:
    """Best models on sale, and the gaps between them."""
    best = frontiers(world)
    means = [mean_k(axes) for axes in best.values()]
    of_all, cn, of_open, _ = means
    behind = months_behind(world, cn), months_behind(world, of_open)
    return *means, list(best.values()), best["all"] - best["open"], of_all - cn, *behind


@output("frontier_native_cn", "OOM", "the best model in China that was trained from scratch", "Native, China")
@output("frontier_derivative_cn", "OOM", "the best model in China on others' open weights")
@output("gap_native_cn_oom", "OOM", "the gap of China's native models to the frontier")
def native_frontier(world: World) -> tuple:
    """Best models of CN by whether they stand on others' weights."""
    labs = world.labs
    out = labs.alive & labs.released & (labs.region == CN)
    native, derived = (
        mean_k(row_max(where(out & each, labs.served, NO_MODEL))) for each in (labs.base_id < 0, labs.base_id >= 0)
    )
    return native, derived, world.state.frontier_all - native


def months_behind(world: World, level: Array) -> Array:
    """Months since the frontier stood at a level; before the first step it rose at a known pace."""
    history = np.stack(world.state.frontier_history)
    above = history > level + 1e-9
    since = above.sum(0) * world.clock.months
    before = np.maximum(history[0] - level, 0.0) / world.parameters.technology.pace_before
    return since + before


@output("big_tech_behind_year_ago_cn", "OOM", "the frontier a year ago less what big tech in China offers on average")
def behind_year_ago(world: World) -> Array:
    """Mean gap of big tech in CN to the frontier of a year ago, OOM (M26)."""
    labs, history = world.labs, world.state.frontier_history
    ago = round(12.0 / world.clock.months)
    big = labs.alive & labs.released & (labs.region == CN) & (labs.archetype == BIG_TECH)
    offered = mean_where(big, mean_k(labs.served))
    known = count_where(big) * (len(history) > ago) > 0.0
    return where(known, history[-1 - min(ago, len(history) - 1)] - offered, np.nan)


# ---------------------------------------------------------------------- training


@output("largest_run_cn_flop", "FLOP", "the largest training run in China", "Largest run", log=True)
@output("largest_run_row_flop", "FLOP", "the largest training run elsewhere", "Largest run, ROW", log=True)
@output("training_failures_cn", "runs a step", "failed training runs in China")
@output("training_wasted_cn", "CNY million a step", "what failed training runs in China had cost")
@output("failed_run_used_cn", "share", "the share of its planned compute that a failed run in China had used up")
@output("synthetic_share_cn", "share", "the share of training runs in China for which a strong model writes data")
@output("foreign_base_share_cn", "share", "the share of released labs in China whose model goes on from a foreign base")
def runs(world: World) -> tuple:
    """Training runs: how large, how many fail, on what data and bases."""
    labs, seen, largest = world.labs, world.monthly, world.state.largest_run
    cn = labs.alive & (labs.region == CN)
    failed = world.xp.zeros((world.worlds, 1)) + seen["failed_planned"]
    return (
        *(largest[CN], largest[ROW], seen["training_failures"], seen["training_wasted"]),
        where(failed > 0.0, ratio(seen["failed_used"], failed), np.nan),
        mean_where(cn & labs.running, labs.run_synthetic + 0.0),
        mean_where(cn & labs.released, labs.base_foreign + 0.0),
    )


@output(
    "goodput_cn", "share", "the share of time that clusters in China make progress in spite of failures; by compute"
)
@output(
    "cluster_loss_cn",
    "share",
    "the share of the speed of clusters in China lost to power, cooling, network and scheduling",
)
@output(
    "cluster_loss_row",
    "share",
    "the share of the speed of clusters elsewhere lost to power, cooling, network and scheduling",
)
def clusters(world: World) -> tuple:
    """Losses of clusters."""
    labs = world.labs
    here = [labs.alive & (labs.region == home) for home in (CN, ROW)]
    speed, failing, kept = ([sum_where(each, use) for each in here] for use in world.state.cluster_use)
    lost = [1.0 - _share(kept[home], speed[home]) for home in (CN, ROW)]
    return _share(failing[CN], speed[CN]), *lost


def _share(part: Array, whole: Array) -> Array:
    return where(whole > 0.0, ratio(part, whole), np.nan)


@output("mfu_best_cn", "share", "model FLOP utilisation of the best lab in China")
@output("mfu_median_cn", "share", "model FLOP utilisation of the median lab in China")
def utilisation(world: World) -> tuple:
    """Chip utilisation of labs that train."""
    labs = world.labs
    training = labs.alive & (labs.region == CN) & (labs.mode != APP_COMPANY)
    return row_max(where(training, labs.mfu, 0.0)), median(labs.mfu, training)


def median(values: Array, mask: Array) -> Array:
    """Lower median over the rows of a mask, ``(worlds, 1)``, NaN for an empty mask."""
    count = row_sum(mask.astype(np.int64))
    ordered = np.sort(where(mask, values, np.inf), axis=-1)
    middle = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, -1)
    return where(count > 0, middle, np.nan)


@output(
    "gpt4_run_cost_usd", "USD million", "the rent of a run that reaches GPT-4's compute, by the best team elsewhere"
)
@output("gpt4_run_cards", "chips", "the cards that such a run takes")
@output("gpt4_run_kept", "share", "the share of their speed that failures, power and network leave it")
@output("mfu_best_row", "share", "model FLOP utilisation of the best lab elsewhere")
@output("parameter_efficiency", "times", "what leaner models save in training; against the start")
def run_cost(world: World) -> tuple:
    """Cost of a run as effective as GPT-4's, at rents of the day, and what it falls by (M23).

    K = C r / (A n MFU kept peak): algorithms A and leaner models n, engineers, what denser cards keep of their speed,
    and the price of chips.
    """
    labs, state, training = world.labs, world.state, world.parameters.training
    row = labs.alive & (labs.region == ROW)
    leaner = parameter_efficiency(world.clock.year(world.step_number), world.parameters.technology)
    mfu = row_max(where(row, labs.mfu, 1e-9))
    hours = training.largest_before_row / (np.exp(state.public_efficiency) * leaner)
    hours = hours / (H100_TFLOPS * 1e12 * 3600.0 * mfu)
    cards = hours / (world.parameters.measures.launch_months * MONTH_HOURS) / _density(world, row)
    failing = cards * _frailty(world, row)
    kept = goodput(failing, 1.0 / training.hours_between_failures, training.checkpoint_hours, training.restart_hours)
    kept = kept / (1.0 + cards / site_of(world)[ROW])
    cost = hours / kept * state.rent_training[ROW] / CNY_A_USD / 1e6
    return cost, cards, kept, mfu, leaner + 0.0 * mfu


def _density(world: World, among: Array) -> Array:
    """Training speed of a card of some labs, in H100s."""
    cards = where(among, world.labs.fleet, 0.0)
    return ratio(row_sum(weigh_k(world.chips.training_speed, cards)), row_sum(sum_k(cards)))


def _frailty(world: World, among: Array) -> Array:
    """Failures of a card of some labs, in those of an H100."""
    cards = where(among, world.labs.fleet, 0.0)
    return ratio(row_sum(weigh_k(world.chips.failure_factor, cards)), row_sum(sum_k(cards)))


# ---------------------------------------------------------------------- know-how


@output("efficiency_public", "times", "what published algorithms save; against the start")
@output("research_openness", "share", "the share of research that is published")
@output("study_affordable_share", "share", "the share of labs that can afford to study the largest models")
@output("explorers_cn", "labs", "labs in China that explore new methods")
@output("explorers_row", "labs", "labs elsewhere that explore new methods")
@output("breakthroughs_cn", "a step", "breakthroughs of explorers in China")
@output("breakthroughs_row", "a step", "breakthroughs of explorers elsewhere")
def knowledge(world: World) -> tuple:
    """Publication, explorers and breakthroughs."""
    labs, state, seen = world.labs, world.state, world.monthly
    seekers = labs.alive & labs.explores
    explorers = [count_where(seekers & (labs.region == home)) for home in (CN, ROW)]
    found = seen["breakthroughs"], seen["breakthroughs_row"]
    return np.exp(state.public_efficiency), state.research_openness, state.study_affordable, *explorers, *found


@output(
    "post_share_of_variance_cn",
    "share",
    "the variance of post-training among the ten best labs, over its sum with that of pre-training",
)
def post_share(world: World) -> Array:
    """Variance of post-training between the ten best labs, over that plus that of pre-training (M14)."""
    labs = world.labs
    among = labs.alive & labs.released & (labs.region == CN)
    post, base = mean_k(labs.post), mean_k(labs.pretrained)
    total = post + base
    best = np.argsort(where(among, total, -np.inf), axis=-1, kind="stable")[:, -10:]
    there = np.take_along_axis(among, best, -1).astype(float)
    around = []
    for each in (post, base):
        values = np.take_along_axis(each, best, -1) * there
        around.append(there * (values - ratio(row_sum(values), row_sum(there))))
    own, both = row_sum(around[0] ** 2), row_sum(around[0] ** 2 + around[1] ** 2)
    return where(both > 1e-9, ratio(own, both), np.nan)
