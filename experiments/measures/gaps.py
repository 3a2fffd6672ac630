"""Gaps between frontiers: in orders of magnitude, and in months."""

from __future__ import annotations

import polars as pl

from baimo.experiments.measures import frames


def gap(
    market: pl.LazyFrame,
    leader: str = "frontier_all",
    follower: str = "frontier_cn",
    *,
    pace_before: float | None = None,
) -> pl.LazyFrame:
    """Distance of one frontier behind another.

    In OOM, leader less follower. In months, the time since the best that the leader ever had passed where the
    follower stands now, between steps along a straight line (the market table's ``gap_cn_months`` counts whole steps
    in which it stood above).

    Parameters
    ----------
    market : LazyFrame
        Keys, ``step``, ``date`` and both frontiers in OOM, one row a world and step.
    pace_before : float, optional
        OOM a month by which the leader rose before the first step; without it the months are null while the
        follower has not reached where the leader began.

    Returns
    -------
    LazyFrame
        Keys, ``gap_oom``, ``gap_months`` (0 for who is level or ahead).

    Examples
    --------
    >>> months = pl.Series("date", ["2023-01-01", "2023-02-01", "2023-03-01"]).str.to_date()
    >>> market = {"step": [0, 1, 2], "date": months, "frontier_all": [1.0, 2.0, 3.0], "frontier_cn": [1.0, 1.0, 1.5]}
    >>> gap(pl.LazyFrame(market)).select("gap_oom", "gap_months").collect().row(2)
    (1.5, 1.5)
    """
    frames.needs(market, leader, follower, "step", "date")
    world, keys = frames.worlds(market), frames.moments(market)
    line = _line(market, leader, world)
    first = frames.gathered(line, world, pl.col("best").min().alias("start"), pl.col("passed").min().alias("began"))
    level = pl.col(follower).cast(pl.Float64)
    now = market.select(
        *keys, level.alias("level"), pl.col(leader).alias("leader"), frames.calendar_months().alias("now")
    )
    found = now.sort("level").join_asof(
        line, left_on="level", right_on="best", by=world or None, coalesce=False, check_sortedness=False
    )
    found = found.join(first, on=world, how="left") if world else found.join(first, how="cross")
    return frames.sorted_by(_months(found, pace_before), keys).select(
        *keys, (pl.col("leader") - pl.col("level")).alias("gap_oom"), "gap_months"
    )


def _line(market: pl.LazyFrame, leader: str, world: list[str]) -> pl.LazyFrame:
    """The best the leader ever had, step by step and with that of the next step; sorted by level.

    Of equal levels the last comes last: there the leader began to rise.
    """
    known = market.filter(pl.col(leader).is_not_null()).sort([*world, "step"])
    line = known.select(
        *world,
        pl.col("step").alias("order"),
        pl.col(leader).cast(pl.Float64).alias("best"),
        frames.calendar_months().alias("passed"),
    ).with_columns(frames.over_keys(pl.col("best").cum_max(), world, "order"))
    following = frames.over_keys(pl.col("best", "passed").shift(-1), world, "order").name.suffix("_next")
    return line.with_columns(following).sort("best", "order").drop("order")


def _months(found: pl.LazyFrame, pace_before: float | None) -> pl.LazyFrame:
    """Months since the leader passed the level."""
    rise = pl.col("best_next") - pl.col("best")
    part = pl.when(rise > 0.0).then((pl.col("level") - pl.col("best")) / rise).otherwise(0.0).clip(0.0, 1.0)
    passed = pl.col("passed") + part * (pl.col("passed_next") - pl.col("passed"))
    # Never passed yet: level with the best or ahead of it; passed in a step to come: the same.
    within = pl.when(pl.col("best_next").is_null()).then(0.0).otherwise((pl.col("now") - passed).clip(0.0))
    earlier = pl.lit(None, pl.Float64)
    if pace_before is not None:
        earlier = pl.col("now") - pl.col("began") + (pl.col("start") - pl.col("level")) / pace_before
    known = pl.col("level").is_not_null() & pl.col("leader").is_not_null()
    months = pl.when(pl.col("best").is_null()).then(earlier).otherwise(within)
    return found.with_columns(pl.when(known).then(months).alias("gap_months"))
