"""Turbulence: how firms change places in a market whose concentration may stand still."""

from __future__ import annotations

import polars as pl

from baimo.experiments.measures import frames


def market_shares(
    panel: pl.LazyFrame,
    value: str = "tokens_day",
    *,
    region: str | None = "CN",
    where: pl.Expr | None = None,
) -> pl.LazyFrame:
    """Market shares of living firms, and their ranks.

    Returns
    -------
    LazyFrame
        Keys, the firm's id as ``unit``, ``share`` (0 to 1) and ``rank`` (1 the largest; ties share the mean).
        Firms that have nothing are left out.

    Examples
    --------
    >>> panel = pl.LazyFrame({"step": [0, 0, 0], "lab_id": [7, 8, 9], "tokens_day": [1.0, 3.0, 0.0]})
    >>> market_shares(panel).sort("rank").select("unit", "share").collect().rows()
    [(8, 0.75), (7, 0.25)]
    """
    frames.needs(panel, value, "step")
    keys, unit = frames.moments(panel), frames.unit_of(panel)
    living, size = frames.sized(panel, value, region, where)
    return living.select(
        *keys,
        pl.col(unit).alias("unit"),
        (size / size.sum().over(keys)).alias("share"),
        size.rank("average", descending=True).over(keys).alias("rank"),
    )


def _change(share: pl.LazyFrame, lag: int, how: str) -> tuple[pl.LazyFrame, list[str]]:
    """Shares now and ``lag`` steps ago, side by side, of moments that have both."""
    keys = frames.moments(share)
    on = [*frames.worlds(share), "step"]
    calendar = share.select(keys).unique()
    earlier = share.select(*frames.worlds(share), (pl.col("step") + lag).alias("step"), "unit", "share", "rank").rename(
        {"share": "share_before", "rank": "rank_before"}
    )
    both = share.drop([key for key in keys if key not in on]).join(earlier, on=[*on, "unit"], how=how, coalesce=True)
    comparable = calendar.join(earlier.select(on).unique(), on=on, how="semi")
    return both.join(comparable, on=on), keys


def hymer_pashigian(
    panel: pl.LazyFrame,
    value: str = "tokens_day",
    *,
    lag: int = 1,
    region: str | None = "CN",
    where: pl.Expr | None = None,
) -> pl.LazyFrame:
    """Instability of market shares: I_t = sum_i |s_i,t - s_i,t-lag|, 0 to 2 (Hymer and Pashigian 1962).

    Over all firms in the market at either time: who enters had nothing before, who left has nothing now.
    The market table's ``share_turbulence_cn`` is half of it.

    Parameters
    ----------
    panel : LazyFrame
        Labs, apps or vendors: keys, an id, ``alive``, ``region``, the value.
    lag : int
        Steps between the two markets.

    Returns
    -------
    LazyFrame
        Keys, ``turbulence``, and its parts ``turbulence_stayers``, ``turbulence_entrants``,
        ``turbulence_leavers``; from the step ``lag`` on.
    """
    both, keys = _change(market_shares(panel, value, region=region, where=where), lag, "full")
    now, then = pl.col("share"), pl.col("share_before")
    parts = both.group_by(keys).agg(
        (now - then).abs().sum().alias("turbulence_stayers"),
        now.filter(then.is_null()).sum().alias("turbulence_entrants"),
        then.filter(now.is_null()).sum().alias("turbulence_leavers"),
    )
    total = pl.sum_horizontal("turbulence_stayers", "turbulence_entrants", "turbulence_leavers")
    return frames.sorted_by(parts, keys).with_columns(total.alias("turbulence"))


def rank_churn(
    panel: pl.LazyFrame,
    value: str = "tokens_day",
    *,
    top: int = 10,
    lag: int = 12,
    region: str | None = "CN",
    where: pl.Expr | None = None,
) -> pl.LazyFrame:
    """Churn of ranks over ``lag`` steps (Gort 1963; Caves and Porter 1978 on such measures).

    Returns
    -------
    LazyFrame
        Keys and ``new_in_top``, the share of today's ``top`` largest that were not among them then;
        ``rank_correlation``, Spearman's, of the firms in the market at both times (null below three);
        ``rank_change``, their mean absolute change of rank; ``stayers``, how many these are.
    """
    both, keys = _change(market_shares(panel, value, region=region, where=where), lag, "left")
    stays = pl.col("rank_before").is_not_null()
    here, there = pl.col("rank"), pl.col("rank_before")
    inside = here <= top
    stayers = stays.sum()
    found = both.group_by(keys).agg(
        (inside & (there.is_null() | (there > top))).sum().truediv(inside.sum()).alias("new_in_top"),
        pl.when(stayers > 2)
        .then(pl.corr(here.filter(stays), there.filter(stays), method="spearman"))
        .alias("rank_correlation"),
        (here - there).abs().mean().alias("rank_change"),
        stayers.alias("stayers"),
    )
    known = pl.col("rank_correlation").is_finite()
    return frames.sorted_by(found, keys).with_columns(pl.when(known).then("rank_correlation"))


def leaders(
    panel: pl.LazyFrame,
    value: str = "tokens_day",
    *,
    region: str | None = "CN",
    where: pl.Expr | None = None,
) -> pl.LazyFrame:
    """Leader of each moment, and time for which it has led.

    Returns
    -------
    LazyFrame
        Keys, ``leader`` (id; of equals the lowest), ``share``, ``reign`` (number of the spell in its world, from 1),
        ``tenure_months`` since the spell began.
    """
    share = market_shares(panel, value, region=region, where=where)
    keys, world = frames.moments(share), frames.worlds(share)
    first = share.sort("share", "unit", descending=[True, False])
    first = first.group_by(keys, maintain_order=True).agg(pl.col("unit", "share").first())
    first = frames.sorted_by(first, keys).rename({"unit": "leader"})
    reign = frames.over_keys(pl.col("leader").rle_id(), world).cast(pl.Int32) + 1
    day = frames.calendar_months()
    began = day.min().over([*world, "reign"])
    return first.with_columns(reign.alias("reign")).with_columns((day - began).alias("tenure_months"))


def reigns(
    panel: pl.LazyFrame,
    value: str = "tokens_day",
    *,
    region: str | None = "CN",
    where: pl.Expr | None = None,
) -> pl.LazyFrame:
    """Spells of leadership, one row each.

    Returns
    -------
    LazyFrame
        Keys of the world, ``reign``, ``leader``, ``first_date``, ``last_date``, ``months`` from the first day to
        the day the next one took the lead, and ``ended`` (False: it leads at the end; so a spell of which
        ``months`` is the least, for :func:`baimo.experiments.measures.survival.kaplan_meier`).
    """
    led = leaders(panel, value, region=region, where=where)
    world = frames.worlds(led)
    day = frames.calendar_months()
    found = led.group_by([*world, "reign"]).agg(
        pl.col("leader").first(),
        pl.col("date").min().alias("first_date"),
        pl.col("date").max().alias("last_date"),
        day.min().alias("began"),
        day.max().alias("until"),
    )
    following = frames.over_keys(pl.col("began").shift(-1), world, "reign")
    return frames.sorted_by(found, [*world, "reign"]).select(
        *world,
        "reign",
        "leader",
        "first_date",
        "last_date",
        (following.fill_null(pl.col("until")) - pl.col("began")).alias("months"),
        following.is_not_null().alias("ended"),
    )
