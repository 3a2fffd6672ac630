"""Prices: what a fixed capability costs, how fast that falls, and how far prices are above cost."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from baimo.experiments.measures import frames


def price_at(
    panel: pl.LazyFrame,
    levels: Sequence[float] = (1.7, 2.7),
    *,
    region: str | None = None,
    where: pl.Expr | None = None,
) -> pl.LazyFrame:
    """Cheapest flagship of at least a capability: a price index at fixed quality (Nordhaus 1996).

    Light models are not in the panel of labs, so this is no lower than the market table's
    ``price_gpt35_level`` and ``price_gpt4_level``, which look at them, too.

    Parameters
    ----------
    panel : LazyFrame
        Labs: keys, ``alive``, ``region``, ``capability`` (OOM, null before the first release), ``price_flagship``
        (CNY/million tokens).
    levels : sequence of float
        OOM; by default what counts as GPT-3.5 and as GPT-4 (``measures.gpt35_level``, ``measures.gpt4_level``).

    Returns
    -------
    LazyFrame
        Keys, ``level``, ``price`` (null where none offers it), ``sellers`` that reach the level.
    """
    frames.needs(panel, "capability", "price_flagship")
    keys = frames.moments(panel)
    price = pl.col("price_flagship").cast(pl.Float64)
    living = frames.firms(panel, region, where)
    parts = []
    for level in levels:
        able = pl.col("capability").is_finite() & (pl.col("capability") >= level) & price.is_finite()
        parts.append(
            living.group_by(keys).agg(
                pl.lit(float(level)).alias("level"),
                price.filter(able).min().alias("price"),
                able.sum().alias("sellers"),
            )
        )
    return frames.sorted_by(pl.concat(parts), keys, "level")


def log_slope(
    market: pl.LazyFrame,
    column: str = "price_gpt35_level",
    by: Sequence[str] | None = None,
    *,
    since: str | None = None,
    until: str | None = None,
) -> pl.LazyFrame:
    """Pace at which a price falls: least squares of ln price on time.

    Parameters
    ----------
    market : LazyFrame
        Keys, ``date`` and the price; what is not above zero is left out.
    column : str
    by : sequence of str, optional
        A line for each of their values; default each world.
    since, until : str, optional
        First and last month, ``2024-05``.

    Returns
    -------
    LazyFrame
        ``by``, ``slope`` (ln a year), ``slope_error`` (of independent errors), ``factor_a_year`` = exp(slope),
        ``halving_months`` = 12 ln 2 / -slope (null where it rises), ``r2``, ``n``.
    """
    frames.needs(market, column, "date")
    by = frames.worlds(market) if by is None else list(by)
    month = pl.col("date").dt.to_string("%Y-%m")
    chosen = market if since is None else market.filter(month >= since)
    chosen = chosen if until is None else chosen.filter(month <= until)
    price = pl.col(column).cast(pl.Float64)
    fit = frames.slope(frames.calendar_months() / 12.0, pl.when(price > 0.0).then(price.log()))
    aggregates = [fit[name].alias(name) for name in ("slope", "slope_error", "r2", "n")]
    slope = pl.col("slope")
    return frames.gathered(chosen, by, *aggregates).with_columns(
        slope.exp().alias("factor_a_year"),
        pl.when(slope < 0.0).then(-12.0 * pl.lit(2.0).log() / slope).alias("halving_months"),
    )


def lerner(market: pl.LazyFrame) -> pl.LazyFrame:
    """Lerner's index of market power, L = (price - marginal cost) / price (Lerner 1934).

    Parameters
    ----------
    market : LazyFrame
        Keys, ``margin_flagship_cn`` (index of near-frontier flagships, weighted by tokens), ``revenue_labs_cn`` and
        ``serving_cost_cn`` (CNY million a month).

    Returns
    -------
    LazyFrame
        Keys, ``lerner_flagship`` as recorded, ``lerner_industry`` = 1 - serving cost / revenue of all labs in CN
        (average for marginal cost: that of serving, at the rent of today; null without revenue). Below zero:
        sold under cost.

    Examples
    --------
    >>> sold = {"margin_flagship_cn": [0.4], "revenue_labs_cn": [200.0], "serving_cost_cn": [150.0]}
    >>> lerner(pl.LazyFrame(sold)).collect()["lerner_industry"].item()
    0.25
    """
    frames.needs(market, "margin_flagship_cn", "revenue_labs_cn", "serving_cost_cn")
    revenue = pl.col("revenue_labs_cn")
    industry = pl.when(revenue > 0.0).then(1.0 - pl.col("serving_cost_cn") / revenue)
    return market.select(
        *frames.moments(market),
        pl.col("margin_flagship_cn").alias("lerner_flagship"),
        industry.alias("lerner_industry"),
    )
