"""Paired differences between runs of common random numbers: means, intervals, chance findings.

World r of one run is the twin of world r of another (same seed, same draws), so the difference
within a pair is the effect of what differs in the settings.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
from scipy import stats

#: Prices and stocks are compared in logarithms: their differences are factors.
_IN_LOGS = ("price_", "tokens_day_", "h100e_", "largest_run_", "power_", "revenue_")
LAST_YEAR, WHOLE_RUN = "last year", "whole run"


@dataclass(frozen=True)
class Outcome:
    """What is compared.

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
        """Whether it is compared in logarithms."""
        return self.column.startswith(_IN_LOGS)


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
        ``"last year"`` (of the run), ``"whole run"``, or a month such as ``2024-06``.
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
    """Which rows of a table lie in a period of a run whose last step begins on ``last``."""
    date = pl.col("date")
    if period == WHOLE_RUN:
        return date.is_not_null()
    if period == LAST_YEAR:
        return date > last.replace(year=last.year - 1, day=min(last.day, 28))
    first = dt.date.fromisoformat(f"{period}-01")
    return (date.dt.year() == first.year) & (date.dt.month() == first.month)


def compare(with_: np.ndarray, without: np.ndarray) -> dict[str, float]:
    """Mean difference over the twins with its 95% interval by the paired t test.

    A difference that is the same in all pairs is certain: nothing (p = 1), or exactly that (p = 0).

    Examples
    --------
    >>> found = compare(np.array([1.0, 2.0, 4.0]), np.array([0.0, 1.0, 1.0]))
    >>> round(found["effect"], 2), round(found["low"], 2), round(found["high"], 2), int(found["n"])
    (1.67, -1.2, 4.54, 3)
    """
    pairs = np.isfinite(with_) & np.isfinite(without)
    difference, n = (with_ - without)[pairs], int(pairs.sum())
    found = {"n": n, "with": _mean(with_), "without": _mean(without)}
    if n < 2:
        return found | dict.fromkeys(("effect", "error", "low", "high", "t", "p", "standardised"), np.nan)
    mean, error = float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(n))
    half = float(stats.t.ppf(0.975, n - 1)) * error
    if error > 0.0:
        t, p = mean / error, 2.0 * float(stats.t.sf(abs(mean / error), n - 1))
    else:
        t, p = (0.0, 1.0) if mean == 0.0 else (float(np.copysign(np.inf, mean)), 0.0)
    spread = float(with_[pairs].std(ddof=1))
    standardised = mean / spread if spread > 0.0 else (0.0 if mean == 0.0 else np.nan)
    return found | {
        "effect": mean,
        "error": error,
        "low": mean - half,
        "high": mean + half,
        "t": t,
        "p": p,
        "standardised": standardised,
    }


def _mean(values: np.ndarray) -> float:
    return float(values[np.isfinite(values)].mean()) if np.isfinite(values).any() else np.nan


def effects(with_: Path, without: Path, outcomes: Iterable[Outcome], periods: Sequence[str]) -> list[dict]:
    """Rows of the table of effects for two runs: ``column, period, log`` and what :func:`compare` finds."""
    return [_effect(with_, without, each, period) for each in outcomes for period in periods]


def _effect(with_: Path, without: Path, outcome: Outcome, period: str) -> dict:
    """One row; levels are compared where a logarithm has nothing to say, because an arm has none of it."""
    arms = [world_means(folder, outcome, period) for folder in (with_, without)]
    logs = outcome.log and all(np.isfinite(arm).any() for arm in arms)
    if outcome.log and not logs:
        arms = [world_means(folder, outcome, period, logs=False) for folder in (with_, without)]
    return {"column": outcome.column, "period": period, "log": logs} | compare(*arms)


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


def number(row: dict, key: str = "effect") -> str:
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
