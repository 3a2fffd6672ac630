"""Paired differences between runs of common random numbers: means, intervals, chance findings.

World r of one run is paired with world r of another (same seed, same draws), so the difference
within a pair is the effect of what differs in the settings.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from baimo.world.record.outputs import output_of

LAST_YEAR, WHOLE_RUN = "last year", "whole run"


@dataclass(frozen=True)
class Outcome:
    """One outcome to compare.

    Parameters
    ----------
    column : str
        Column of the market table, of which the mean over a period is taken, or the name of ``value``.
    label : str
        For figures.
    value : polars.Expr, optional
        Another aggregate over the steps of a period in one world.
    """

    column: str
    label: str = ""
    value: pl.Expr | None = field(default=None, compare=False)

    @property
    def log(self) -> bool:
        """Whether it is compared in logarithms, as prices and stocks are: their differences are factors."""
        return output_of(self.column).log


@lru_cache(maxsize=4)
def _market(file: Path) -> pl.DataFrame:
    return pl.read_parquet(file, glob=False)


def columns_of(folder: Path) -> set[str]:
    """Columns of the market table of a run."""
    return set(pl.read_parquet_schema(folder / "market.parquet"))


def world_means(folder: Path, outcome: Outcome, period: str, logs: bool = True) -> np.ndarray:
    """An outcome over a period in each world, in world order; NaN where it is undefined.

    Parameters
    ----------
    period : str
        ``"last year"`` (of the run), ``"whole run"``, a month such as ``2024-06``, or some: ``2024-06..2025-05``.
    """
    frame = _market(folder / "market.parquet")
    value = pl.col(outcome.column).mean() if outcome.value is None else outcome.value  # nulls are left out
    inside = frame.filter(within(period, frame["date"].max()))
    by_world = inside.group_by("replicate").agg(value.alias("value")).sort("replicate")["value"]
    found = by_world.cast(pl.Float64).fill_null(np.nan).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(found) if outcome.log and logs else found
    return np.where(np.isfinite(found), found, np.nan)


def within(period: str, last: dt.date) -> pl.Expr:
    """Mask of the rows of a table in a period of a run whose last step begins on ``last``."""
    date = pl.col("date")
    if period == WHOLE_RUN:
        return date.is_not_null()
    if period == LAST_YEAR:
        return date > last.replace(year=last.year - 1, day=min(last.day, 28))
    first, _, until = period.partition("..")
    month = date.dt.to_string("%Y-%m")
    return (month >= first) & (month <= (until or first))


def paired_t_test(with_: np.ndarray, without: np.ndarray) -> dict[str, float]:
    """Mean difference over the pairs with its 95% interval by the paired t test.

    A difference that is the same in all pairs is certain: nothing (p = 1), or exactly that (p = 0).

    Examples
    --------
    >>> found = paired_t_test(np.array([1.0, 2.0, 4.0]), np.array([0.0, 1.0, 1.0]))
    >>> round(found["effect"], 2), round(found["low"], 2), round(found["high"], 2), int(found["n"])
    (1.67, -1.2, 4.54, 3)
    """
    found = means(with_[:, None], without[:, None])
    return {name: float(values[0]) for name, values in found.items()} | {"n": int(found["n"][0])}


def means(with_: np.ndarray, without: np.ndarray) -> dict[str, np.ndarray]:
    """Means and tests as of :func:`paired_t_test`, for many outcomes at once.

    Parameters
    ----------
    with_, without : array (worlds, outcomes)
        NaN where undefined; a pair counts where both are defined.

    Returns
    -------
    dict of array (outcomes,)
        ``n, with, without, effect, error, low, high, t, p, standardised``; NaN below two pairs.
    """
    difference = _pairs(with_, without)
    n = np.isfinite(difference).sum(0)
    mean, spread = _mean(difference), _deviation(difference)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = spread / np.sqrt(n)
        t = np.where(error > 0.0, mean / error, np.where(mean == 0.0, 0.0, np.copysign(np.inf, mean)))
        own = _deviation(np.where(np.isfinite(difference), with_, np.nan))
        standardised = np.where(own > 0.0, mean / own, np.where(mean == 0.0, 0.0, np.nan))
    half = stats.t.ppf(0.975, np.maximum(n - 1, 1)) * error
    p = 2.0 * stats.t.sf(np.abs(t), np.maximum(n - 1, 1))
    found = {"effect": mean, "error": error, "low": mean - half, "high": mean + half}
    found |= {"t": t, "p": p, "standardised": standardised}
    found = {name: np.where(n > 1, values, np.nan) for name, values in found.items()}
    return {"n": n, "with": _mean(with_), "without": _mean(without)} | found


def effect_spread(with_: np.ndarray, without: np.ndarray) -> dict[str, np.ndarray]:
    """Spread of the effect between worlds, and the gain from pairing them.

    Parameters
    ----------
    with_, without : array (worlds, outcomes)

    Returns
    -------
    dict of array (outcomes,)
        ``median``, ``q05``, ``q95`` over worlds; ``share_sign``, the share of worlds whose effect has the sign
        of the mean; ``correlation`` within the pairs; ``variance_ratio``, (Var x + Var y) / Var (x - y): how many
        times as many worlds an unpaired comparison would need (1 without correlation; Law 2015, section 11.2);
        ``deviation`` of the differences and, of those of independent worlds, ``deviation_unpaired``.
    """
    difference = _pairs(with_, without)
    there = np.isfinite(difference)
    n, mean = there.sum(0), _mean(difference)
    x, y = (_deviation(np.where(there, arm, np.nan)) for arm in (with_, without))
    both = _deviation(difference)
    same = (np.sign(difference) == np.sign(mean)) & there
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (x**2 + y**2) / both**2
        correlation = (x**2 + y**2 - both**2) / (2.0 * x * y)
        share = np.where(n > 0, same.sum(0) / n, np.nan)
    quantiles = _of_finite(np.nanquantile, difference, (0.05, 0.5, 0.95))
    found = {"median": quantiles[1], "q05": quantiles[0], "q95": quantiles[2], "share_sign": share}
    found |= {"correlation": np.clip(correlation, -1.0, 1.0), "variance_ratio": ratio}
    found |= {"deviation": both, "deviation_unpaired": np.sqrt(x**2 + y**2)}
    return {name: np.where((n > 1) & ~np.isnan(values), values, np.nan) for name, values in found.items()}


def bootstrap(
    with_: np.ndarray, without: np.ndarray, resamples: int = 2000, seed: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """95% percentile interval of the mean effect over resampled pairs (Efron and Tibshirani 1993, ch. 13).

    All outcomes see the same resampled worlds.

    Parameters
    ----------
    with_, without : array (worlds, outcomes)
    resamples, seed : int
        How often worlds are drawn, and from which seed.

    Returns
    -------
    low, high : array (outcomes,)
        NaN below two pairs.
    """
    difference = _pairs(with_, without)
    worlds, outcomes = difference.shape
    there = np.isfinite(difference)
    low, high = np.full((2, outcomes), np.nan)
    if worlds < 2:
        return low, high
    drawn = np.random.default_rng(seed).multinomial(worlds, np.full(worlds, 1.0 / worlds), size=resamples).astype(float)
    for first in range(0, outcomes, 512):  # in parts: memory is resamples times outcomes
        part = np.s_[:, first : first + 512]
        with np.errstate(divide="ignore", invalid="ignore"):
            averages = (drawn @ np.where(there[part], difference[part], 0.0)) / (drawn @ there[part].astype(float))
        low[first : first + 512], high[first : first + 512] = _of_finite(np.nanquantile, averages, (0.025, 0.975))
    enough = there.sum(0) > 1
    return np.where(enough, low, np.nan), np.where(enough, high, np.nan)


def estimates(with_: np.ndarray, without: np.ndarray, resamples: int = 2000, seed: int = 1) -> dict[str, np.ndarray]:
    """Results of :func:`means` and :func:`effect_spread`, and ``boot_low``, ``boot_high`` of :func:`bootstrap`."""
    low, high = bootstrap(with_, without, resamples, seed)
    return means(with_, without) | effect_spread(with_, without) | {"boot_low": low, "boot_high": high}


def replications(deviation: np.ndarray, half_width: np.ndarray) -> np.ndarray:
    """Pairs at which the 95% t interval of a mean is no wider than wanted: n with t_(n-1) s / sqrt(n) <= h.

    Parameters
    ----------
    deviation : array
        Standard deviation s of the differences.
    half_width : array
        Wanted h, above 0.

    Returns
    -------
    array
        The least such n, at least 2; NaN where nothing can be said.

    Examples
    --------
    >>> replications(np.array([1.0, 0.0]), np.array([0.5, 0.1])).tolist()
    [18.0, 2.0]
    """
    deviation, half_width = np.broadcast_arrays(np.asarray(deviation, float), np.asarray(half_width, float))
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted = (deviation / half_width) ** 2
    known = np.isfinite(wanted)
    low, high = np.full(wanted.shape, 1.0), np.where(known, 4.0 * wanted + 200.0, 2.0)
    for _ in range(200):  # t_(n-1)^2 s^2 / n falls with n: halve the interval that holds the least n
        middle = np.floor((low + high) / 2.0)
        enough = stats.t.ppf(0.975, np.maximum(middle - 1.0, 1.0)) ** 2 * wanted <= middle
        enough &= middle >= 2.0
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        if np.all(high - low <= 1.0):
            break
    return np.where(known, high, np.nan)


def _pairs(with_: np.ndarray, without: np.ndarray) -> np.ndarray:
    there = np.isfinite(with_) & np.isfinite(without)
    return np.where(there, np.where(there, with_, 0.0) - np.where(there, without, 0.0), np.nan)


def _of_finite(statistic: Callable, values: np.ndarray, *arguments: Any, **options: Any) -> np.ndarray:
    """A statistic of NumPy's for NaN (``nanmean``) over the finite values of each column; NaN where there are none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return statistic(np.where(np.isfinite(values), values, np.nan), *arguments, axis=0, **options)


def _mean(values: np.ndarray) -> np.ndarray:
    return _of_finite(np.nanmean, values)


def _deviation(values: np.ndarray) -> np.ndarray:
    """Standard deviation (n - 1); NaN below two values."""
    return _of_finite(np.nanstd, values, ddof=1)


def effect_rows(with_: Path, without: Path, outcomes: Iterable[Outcome], periods: Sequence[str]) -> list[dict]:
    """Rows of the table of effects for two runs: ``column, period, log`` and what :func:`paired_t_test` finds."""
    return [_effect(with_, without, each, period) for each in outcomes for period in periods]


def _effect(with_: Path, without: Path, outcome: Outcome, period: str) -> dict:
    """One row of the table of effects."""
    arms = [world_means(folder, outcome, period, logs=False) for folder in (with_, without)]
    with_log, without_log, logs = in_logs(*(arm[:, None] for arm in arms), np.array([outcome.log]))
    found = paired_t_test(with_log[:, 0], without_log[:, 0])
    return {"column": outcome.column, "period": period, "log": bool(logs[0])} | found


def in_logs(with_: np.ndarray, without: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both arms in logarithms where that is wanted, and which outcomes are.

    Levels are compared where a logarithm has nothing to say, because an arm has none of it.

    Parameters
    ----------
    with_, without : array (worlds, outcomes)
    wanted : boolean array (outcomes,)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = [np.log(arm) for arm in (with_, without)]
    logs = [np.where(np.isfinite(arm), arm, np.nan) for arm in logs]
    able = wanted & np.isfinite(logs[0]).any(0) & np.isfinite(logs[1]).any(0)
    return np.where(able, logs[0], with_), np.where(able, logs[1], without), able


def with_q(frame: pl.DataFrame, family: Sequence[str]) -> pl.DataFrame:
    """Add ``q``: Benjamini and Hochberg's false discovery rate over all tests of one family.

    Parameters
    ----------
    family : sequence of str
        Columns whose equal values make a family of tests; all tests are one where there are none.
    """
    parts = []
    for part in frame.partition_by(*family, maintain_order=True) if family else [frame]:
        p = part["p"].to_numpy()
        q, known = np.full(len(p), np.nan), np.isfinite(p)
        q[known] = stats.false_discovery_control(p[known]) if known.any() else []
        parts.append(part.with_columns(pl.Series("q", q)))
    return pl.concat(parts)


def marks(row: dict) -> str:
    """``*`` beyond two standard errors, ``**`` where it stands among all tests (q < 0.05), too."""
    if row["t"] is None or not abs(row["t"]) > 2.0:
        return ""
    return "**" if row["q"] < 0.05 else "*"


def effect_number(row: dict, key: str = "effect") -> str:
    """An effect as it is read: per cent of a price or stock, else in the column's unit."""
    value = row[key]
    if value is None or not np.isfinite(value):
        return "-"
    if row["log"]:
        return f"{100.0 * np.expm1(value):+.1f}%"
    size = abs(value)
    if size < 0.1:
        return f"{value:+.2g}" if value else "0"
    return f"{value:+.{1 if size >= 10 else 2}f}"


def effect_range(row: dict, low: str = "low", high: str = "high") -> str:
    """Two ends of an effect as they are read, ``[-1.2%, +0.4%]``."""
    if row[low] is None or row[high] is None:
        return "-"
    return f"[{effect_number(row, low)}, {effect_number(row, high)}]"


def effect_cell(row: dict, interval: bool = True) -> str:
    """An effect with its interval and marks."""
    return f"{effect_number(row)}{f' {effect_range(row)}' if interval else ''}{marks(row)}"
