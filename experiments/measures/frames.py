"""Common parts of measures: the keys of worlds and moments, who counts, months between dates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import polars as pl

from baimo.experiments.read import load

#: Keys of a world, as far as a table has them, and of a moment in it.
WORLD = ("scenario", "run", "replicate")
MOMENT = ("step", "date")


def worlds(frame: pl.LazyFrame) -> list[str]:
    """Key columns of a world that a table has."""
    return [name for name in WORLD if name in frame.collect_schema()]


def moments(frame: pl.LazyFrame) -> list[str]:
    """Key columns of a world and moment that a table has."""
    return [name for name in (*WORLD, *MOMENT) if name in frame.collect_schema()]


def needs(frame: pl.LazyFrame, *columns: str) -> None:
    """Complain in one line about columns that a table lacks.

    Raises
    ------
    ValueError
        Naming them.
    """
    there = frame.collect_schema().names()
    lacking = [name for name in columns if name not in there]
    if lacking:
        raise ValueError(f"the table has no column {', '.join(lacking)}; it has {', '.join(there[:12])}, ...")


def firms(panel: pl.LazyFrame, region: str | None = "CN", where: pl.Expr | None = None) -> pl.LazyFrame:
    """Living firms of a panel, of one region or of all.

    Parameters
    ----------
    panel : LazyFrame
        Labs, apps or vendors; ``alive`` and ``region`` count as far as the table has them.
    region : {"CN", "ROW"} or None
    where : Expr, optional
        A further condition, such as ``pl.col("archetype") == "unicorn"``.
    """
    return in_region(panel.filter("alive") if "alive" in panel.collect_schema() else panel, region, where)


def in_region(panel: pl.LazyFrame, region: str | None = "CN", where: pl.Expr | None = None) -> pl.LazyFrame:
    """Rows of a panel, of one region or of all, that meet a condition; see :func:`firms`."""
    if region is not None and "region" in panel.collect_schema():
        panel = panel.filter(pl.col("region") == region)
    return panel if where is None else panel.filter(where)


def sized(
    panel: pl.LazyFrame, value: str, region: str | None = "CN", where: pl.Expr | None = None
) -> tuple[pl.LazyFrame, pl.Expr]:
    """Living firms that have something of a value, and that value as a number; see :func:`firms`."""
    needs(panel, value)
    size = pl.col(value).cast(pl.Float64)
    return firms(panel, region, where).filter(size.is_finite() & (size > 0.0)), size


def unit_of(panel: pl.LazyFrame) -> str:
    """The column that names the firms of a panel."""
    schema = panel.collect_schema()
    for name in ("lab_id", "app_id", "vendor_id", "investor_id"):
        if name in schema:
            return name
    raise ValueError("the table has no column lab_id, app_id, vendor_id or investor_id")


def calendar_months(date: str | pl.Expr = "date") -> pl.Expr:
    """Months of the calendar since the year 0, with the part of the month gone by.

    Examples
    --------
    >>> days = pl.Series("date", ["2022-12-01", "2023-01-16"]).str.to_date().to_frame()
    >>> round(days.select(calendar_months().diff().last()).item(), 2)
    1.48
    """
    day = pl.col(date) if isinstance(date, str) else date
    part = (day.dt.day() - 1) / day.dt.days_in_month()
    return 12 * day.dt.year().cast(pl.Int32) + day.dt.month().cast(pl.Int32) + part - 1


def before(frame: pl.LazyFrame, column: str | pl.Expr, lag: int = 1) -> pl.Expr:
    """The value in the same world so many steps ago; the table has one row a world and step, in any order."""
    value = pl.col(column) if isinstance(column, str) else column
    return over_keys(value.shift(lag), worlds(frame))


def over_keys(value: pl.Expr, keys: Sequence[str], order: str | None = "step") -> pl.Expr:
    """An expression within each world, or all that some keys tell apart, in the order of a column."""
    return value.over(keys, order_by=order) if keys else value


def gathered(frame: pl.LazyFrame, by: Sequence[str], *aggregates: pl.Expr) -> pl.LazyFrame:
    """Aggregates of each value of some keys, in their order; of the whole table where there are none."""
    return frame.group_by(by).agg(*aggregates).sort(by) if by else frame.select(*aggregates)


def slope(x: pl.Expr, y: pl.Expr) -> dict[str, pl.Expr]:
    """Least squares of y on x as aggregates: ``slope, intercept, r2, n, slope_error``; pairs with a null are left out.

    slope = Cov(x, y) / Var(x); its error is sqrt((1 - r2) / (n - 2) Var(y) / Var(x)).
    """
    there = x.is_finite() & y.is_finite()
    x, y = x.filter(there).cast(pl.Float64), y.filter(there).cast(pl.Float64)
    n = there.sum()
    dx, dy = x - x.mean(), y - y.mean()
    sxx, syy, sxy = (dx**2).sum(), (dy**2).sum(), (dx * dy).sum()
    good = (n >= 2) & (sxx > 0.0)
    b = pl.when(good).then(sxy / sxx)
    r2 = pl.when(good & (syy > 0.0)).then(sxy**2 / (sxx * syy))
    left = pl.max_horizontal(syy - sxy**2 / sxx, pl.lit(0.0))
    return {
        "slope": b,
        "intercept": y.mean() - b * x.mean(),
        "r2": r2,
        "n": n,
        "slope_error": pl.when(good & (n > 2)).then((left / (n - 2) / sxx).sqrt()),
    }


def by_run(
    table: str, measure: Callable[..., pl.LazyFrame | pl.DataFrame], *where: load.Where, **options: Any
) -> pl.DataFrame:
    """A measure of one table over runs, run after run: memory is that of the largest run.

    A measure works within worlds, so runs do not need each other.

    Parameters
    ----------
    table : str
        Name of the table, as of :func:`baimo.experiments.read.load.table`.
    measure : callable
        From the LazyFrame of the table; what it needs is all that is read.
    *where : str or path
        As in :func:`baimo.experiments.read.load.run_folders`.
    **options
        Of the measure.
    """
    found = []
    for folder in load.run_folders(*where):
        part = measure(load.table(table, folder), **options)
        found.append(part.collect(engine="streaming") if isinstance(part, pl.LazyFrame) else part)
    return pl.concat(found, how="diagonal_relaxed")


def sorted_by(frame: pl.LazyFrame, keys: Iterable[str], *further: str) -> pl.LazyFrame:
    """In the order of its keys."""
    return frame.sort(*keys, *further) if [*keys, *further] else frame


def pooled(frame: pl.LazyFrame, by: Sequence[str] | None) -> list[str]:
    """Columns to group by: those given, else the keys of a world and moment."""
    if by is None:
        return moments(frame)
    needs(frame, *by)
    return list(by)
