"""Output columns on the dispersion of know-how, money, compute and use over the labs of CN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CN, NO_MODEL, ROW
from baimo.conf.declare import output
from baimo.world.engine.arrays import (
    Array,
    count_where,
    mean_k,
    mean_where,
    namespace,
    ratio,
    row_sum,
    sum_k,
    weigh_k,
    where,
)
from baimo.world.network.open_bases import foreign_penalty
from baimo.world.network.social import neighbour_best

if TYPE_CHECKING:
    from baimo.world.engine.world import World


@output("best_base_cn", "OOM", "the best open base as seen from China; a foreign one is weaker there")
@output(
    "know_best_base_share_cn",
    "share",
    "the share of labs in China that know the best open base; by a tie at once, later anyhow",
)
def best_base(world: World) -> tuple[Array, Array]:
    """Capability of the best open base there is, as CN sees it, and the share of labs that know of it.

    A base is known to its author, to acquaintances, and to all after ``graph.notice_months``. NaN before the
    first open base.
    """
    labs, state, foreign = world.labs, world.state, foreign_penalty(world)
    cn = labs.alive & (labs.region == CN)
    seen = mean_k(labs.open_weights - foreign * (labs.region == ROW))
    noticed, best = (
        np.maximum(sum_k(weights[CN]), sum_k(weights[ROW] - foreign)) / 3.0
        for weights in (state.base_weights[0], state.base_weights[-1])
    )
    heard = np.maximum(np.maximum(seen, noticed), neighbour_best(seen, world.ties.lab_lab, labs.alive, NO_MODEL))
    share = mean_where(cn, (heard > best - 1e-9).astype(float))
    there = best > NO_MODEL + 0.5
    return where(there, best, np.nan), where(there, share, np.nan)


@output("efficiency_spread_cn", "ln", "the standard deviation of private algorithmic efficiency over labs in China")
@output("gini_cash_cn", "0 to 1", "the Gini coefficient of cash over labs in China")
@output("gini_tokens_cn", "0 to 1", "the Gini coefficient of tokens over labs in China")
@output("gini_compute_cn", "0 to 1", "the Gini coefficient of compute over labs in China")
def differences_of_labs(world: World) -> tuple:
    """Dispersion among the labs of CN."""
    labs = world.labs
    cn = labs.alive & (labs.region == CN)
    compute = weigh_k(world.chips.h100e, labs.fleet) + labs.rented_training + labs.rented_serving
    return (
        deviation(labs.log_efficiency, cn),
        gini_among(np.maximum(labs.cash, 0.0), cn),
        gini_among(labs.tokens_flagship + labs.tokens_light, cn),
        gini_among(compute, cn),
    )


def deviation(values: Array, among: Array) -> Array:
    """Standard deviation of ``(worlds, rows)`` values over some rows."""
    return np.sqrt(mean_where(among, (values - mean_where(among, values)) ** 2))


def gini_among(values: Array, among: Array) -> Array:
    """Gini coefficient of non-negative values over some rows; NaN where all are zero.

    G = 2 sum_i i x_(i) / (n sum x) - (n + 1) / n, x_(i) the i-th smallest of n.
    """
    count = count_where(among)
    # The largest first: who does not count stands behind, as nothing, and empty rows change no bit.
    ordered = -np.sort(-where(among, values, 0.0), axis=-1)
    rank = count - namespace(ordered).arange(values.shape[-1])
    total = row_sum(ordered)
    found = 2.0 * ratio(row_sum(rank * ordered), count * total) - ratio(count + 1.0, count)
    return where(total > 0.0, found, np.nan)
