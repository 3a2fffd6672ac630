"""Demography of an industry: who comes, who goes, and how long firms live."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from baimo.experiments.measures import frames


def rates(
    market: pl.LazyFrame,
    entries: str = "lab_entries_cn",
    exits: str = "lab_exits_cn",
    alive: str = "labs_alive_cn",
    *,
    over: int = 1,
) -> pl.LazyFrame:
    """Rates of entry and exit: those of the last ``over`` steps to the firms alive before these (Dunne et al. 1988).

    ER_t = E / N_(t-over) and XR_t = X / N_(t-over), E and X summed over the steps t-over+1 ... t; yearly rates
    with ``over`` = 12 monthly steps. Their sum is gross, their difference net turnover.

    Parameters
    ----------
    market : LazyFrame
        One row a world and step. For apps: ``app_entries_cn``, ``app_deaths_cn``, ``apps_alive_cn``.

    Returns
    -------
    LazyFrame
        Keys, ``entries``, ``exits``, ``alive_before``, ``entry_rate``, ``exit_rate``, ``turnover``,
        ``net_entry_rate``; null in the first ``over`` steps.
    """
    frames.needs(market, entries, exits, alive, "step")
    world = frames.worlds(market)

    found = market.sort([*world, "step"]).select(
        *frames.moments(market),
        frames.over_keys(pl.col(entries).rolling_sum(over), world).alias("entries"),
        frames.over_keys(pl.col(exits).rolling_sum(over), world).alias("exits"),
        frames.before(market, alive, over).alias("alive_before"),
    )
    there = pl.when(pl.col("alive_before") > 0)
    found = found.with_columns(
        there.then(pl.col("entries") / pl.col("alive_before")).alias("entry_rate"),
        there.then(pl.col("exits") / pl.col("alive_before")).alias("exit_rate"),
    )
    return found.with_columns(
        (pl.col("entry_rate") + pl.col("exit_rate")).alias("turnover"),
        (pl.col("entry_rate") - pl.col("exit_rate")).alias("net_entry_rate"),
    )


def flows(panel: pl.LazyFrame, *, region: str | None = "CN", where: pl.Expr | None = None) -> pl.LazyFrame:
    """Entries, exits and the living by step, counted in a panel; :func:`rates` takes it.

    An entry is a firm's first row, but for those who were there before the first step; an exit is its row without
    ``alive``.

    Returns
    -------
    LazyFrame
        Keys, ``entries``, ``exits``, ``alive``.
    """
    frames.needs(panel, "alive", "step")
    keys, unit = frames.moments(panel), frames.unit_of(panel)
    world = frames.worlds(panel)
    counted = frames.in_region(panel, region, where)
    first = pl.col("step").min().over([*world, unit])
    new = pl.col("step") > pl.col("step").min()
    new = new | (pl.col("founded") > pl.col("step")) if "founded" in panel.collect_schema() else new
    found = (
        counted.with_columns(((pl.col("step") == first) & new).alias("first"))
        .group_by(keys)
        .agg(pl.col("first").sum().alias("entries"), (~pl.col("alive")).sum().alias("exits"), pl.col("alive").sum())
    )
    return frames.sorted_by(found, keys)


def cross_correlation(found: pl.LazyFrame, lags: int = 6, x: str = "entry_rate", y: str = "exit_rate") -> pl.LazyFrame:
    """Correlation of entry now with exit so many steps later, in each world.

    r(k) = Corr(x_t, y_t+k) over the steps that have both. Positive at k = 0 where entry displaces
    (Geroski 1995, fact 3), at k > 0 where exit follows entry as a shadow.

    Parameters
    ----------
    found : LazyFrame
        What :func:`rates` gives, or any table of one row a world and step.
    lags : int
        From -lags to lags.

    Returns
    -------
    LazyFrame
        Keys of the world, ``lag`` (steps), ``correlation`` (null below three pairs or without variance), ``n``.

    Examples
    --------
    >>> rates = pl.LazyFrame({"step": range(6), "entry_rate": [1, 3, 2, 5, 4, 6], "exit_rate": [0, 1, 3, 2, 5, 4]})
    >>> shadow = cross_correlation(rates, lags=1).filter(pl.col("lag") == 1).collect()
    >>> round(shadow["correlation"].item(), 6), shadow["n"].item()
    (1.0, 5)
    """
    frames.needs(found, x, y, "step")
    world = frames.worlds(found)
    ordered = found.sort([*world, "step"])
    parts = []
    for lag in range(-lags, lags + 1):
        later = frames.over_keys(pl.col(y).shift(-lag), world)
        pairs = ordered.with_columns(later.alias("later")).filter(pl.col(x).is_finite() & pl.col("later").is_finite())
        correlation = pl.when(pl.len() > 2).then(pl.corr(x, "later")).fill_nan(None).alias("correlation")
        parts.append(
            frames.gathered(pairs, world, pl.lit(lag, pl.Int32).alias("lag"), correlation, pl.len().alias("n"))
        )
    return frames.sorted_by(pl.concat(parts), world, "lag")


def _spans(panel: pl.LazyFrame, calendar: pl.LazyFrame, on: Sequence[str], kept: Sequence[str]) -> pl.LazyFrame:
    """Rows of a panel with the months at which their step begins and ends, and since when the firm lives."""
    schema = panel.collect_schema()
    optional = [name for name in ("exit_reason", "founded") if name in schema]
    rows = panel.select(list(dict.fromkeys([*on, "date", "alive", *kept, *optional]))).join(calendar, on=on)
    # Who is founded at the end of a step lives from the next one on.
    later = pl.col("founded") > pl.col("step") if "founded" in schema else pl.lit(False)
    return rows.with_columns(pl.when(later).then("end").otherwise("begin").alias("since"))


def lives(
    panel: pl.LazyFrame,
    *,
    region: str | None = "CN",
    ends: Sequence[str] | None = None,
    cohort: pl.Expr | None = None,
    keep: Sequence[str] = (),
) -> pl.LazyFrame:
    """Lives of firms, one row each.

    Parameters
    ----------
    panel : LazyFrame
        Labs or apps: keys, an id, ``alive``, ``exit_reason``.
    ends : sequence of str, optional
        Reasons of exit that count as death; who leaves for another is censored then (a lab that is acquired
        has not failed). Default: every exit is a death.
    cohort : Expr, optional
        Of ``founded_date`` and what is kept; default the year of founding.
    keep : sequence of str
        Columns of the panel to keep, as of the firm's first row; ``region`` and ``archetype`` or ``segment``
        are kept where there are any.

    Returns
    -------
    LazyFrame
        Keys of the world, id, ``founded_date`` (of the step at whose end a firm is there first), ``months`` from
        then to the end of the last step seen, ``died``, ``exit_reason``, ``cohort``, what is kept. Firms that are
        there before the first step count from its begin: how old they were is not known.
    """
    frames.needs(panel, "alive", "step", "date", *keep)
    schema = panel.collect_schema()
    world, unit = frames.worlds(panel), frames.unit_of(panel)
    kept = list(dict.fromkeys([*(name for name in ("region", "archetype", "segment") if name in schema), *keep]))
    first, last = pl.col("step").arg_min(), pl.col("step").arg_max()
    reason = pl.col("exit_reason").get(last) if "exit_reason" in schema else pl.lit(None, pl.String)
    spans = _spans(frames.in_region(panel, region), _ends_of_steps(panel, world), [*world, "step"], [unit, *kept])
    found = spans.group_by([*world, unit]).agg(
        pl.col("date").min().alias("founded_date"),
        (pl.col("end").max() - pl.col("since").get(first)).alias("months"),
        pl.col("alive").get(last).not_().alias("died"),
        reason.alias("exit_reason"),
        *(pl.col(name).get(first) for name in kept),
    )
    if ends is not None:
        found = found.with_columns((pl.col("died") & pl.col("exit_reason").is_in(list(ends))).alias("died"))
    cohort = pl.col("founded_date").dt.year() if cohort is None else cohort
    return frames.sorted_by(found.with_columns(cohort.alias("cohort")), [*world, unit])


def _ends_of_steps(panel: pl.LazyFrame, world: list[str]) -> pl.LazyFrame:
    """Begin and end of every step in months of the calendar; the last step is as long as the one before."""
    days = panel.select(*world, "step", frames.calendar_months().alias("begin")).unique([*world, "step"])
    before, after = (frames.over_keys(pl.col("begin").shift(by), world) for by in (1, -1))
    length = (pl.col("begin") - before).fill_null(1.0)
    return days.sort([*world, "step"]).with_columns(pl.coalesce(after, pl.col("begin") + length).alias("end"))
