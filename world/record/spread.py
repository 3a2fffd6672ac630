"""How know-how, money, compute and use spread over the labs of CN: measures that a topology may move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CN, NO_MODEL, ROW
from baimo.world.engine.arrays import Array, namespace, ratio, row_sum, sum_k, weigh_k, where
from baimo.world.network.open_bases import foreign_penalty
from baimo.world.network.social import neighbour_best

if TYPE_CHECKING:
    from baimo.world.engine.world import World

#: Columns that say how the labs of CN differ from each other.
COLUMNS = (
    "know_best_base_share_cn",
    "efficiency_spread_cn",
    "gini_cash_cn",
    "gini_tokens_cn",
    "gini_compute_cn",
)


def measures(world: World) -> dict[str, Array]:
    """Columns of the market table, each ``(worlds, 1)``."""
    labs = world.labs
    cn = labs.alive & (labs.region == CN)
    best, share = best_base(world, cn)
    compute = weigh_k(world.chips.h100e, labs.fleet) + labs.rented_training + labs.rented_serving
    found = (
        share,
        deviation(labs.log_efficiency, cn),
        gini(np.maximum(labs.cash, 0.0), cn),
        gini(labs.tokens_flagship + labs.tokens_light, cn),
        gini(compute, cn),
    )
    return {"best_base_cn": best} | dict(zip(COLUMNS, found, strict=True))


def best_base(world: World, cn: Array) -> tuple[Array, Array]:
    """Capability of the best open base there is, as CN sees it, and the share of labs that know of it.

    Known is what oneself or an acquaintance released, and what everybody has heard of by now
    (``graph.notice_months``). NaN before the first open base.
    """
    labs, state, foreign = world.labs, world.state, foreign_penalty(world)
    seen = sum_k(labs.open_weights - foreign * (labs.region == ROW)) / 3.0
    told, best = (
        np.maximum(sum_k(record[CN]["weights"]), sum_k(record[ROW]["weights"] - foreign)) / 3.0
        for record in (state.archive_history[0], state.archive)
    )
    heard = np.maximum(np.maximum(seen, told), neighbour_best(seen, world.ties.lab_lab, labs.alive, NO_MODEL))
    share = ratio(row_sum((cn & (heard > best - 1e-9)).astype(float)), row_sum(cn.astype(float)))
    there = best > NO_MODEL + 0.5
    return where(there, best, np.nan), where(there, share, np.nan)


def deviation(values: Array, among: Array) -> Array:
    """Standard deviation of ``(worlds, rows)`` values over some rows."""
    count = row_sum(among.astype(float))
    mean = ratio(row_sum(where(among, values, 0.0)), count)
    return np.sqrt(ratio(row_sum(where(among, (values - mean) ** 2, 0.0)), count))


def gini(values: Array, among: Array) -> Array:
    """Gini coefficient of non-negative values over some rows; NaN where all are zero.

    G = 2 sum_i i x_(i) / (n sum x) - (n + 1) / n, x_(i) the i-th smallest of n.
    """
    count = row_sum(among.astype(float))
    # The largest first: who does not count stands behind, as nothing, and empty rows change no bit.
    ordered = -np.sort(-where(among, values, 0.0), axis=-1)
    rank = count - namespace(ordered).arange(values.shape[-1])
    total = row_sum(ordered)
    found = 2.0 * ratio(row_sum(rank * ordered), count * total) - ratio(count + 1.0, count)
    return where(total > 0.0, found, np.nan)
