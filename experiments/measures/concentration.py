"""Concentration: how much of a market its largest firms have.

Expressions to aggregate with (:func:`hhi`, :func:`concentration_ratio`, :func:`entropy`), and a table of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from baimo.experiments.measures import frames


def _sizes(value: str | pl.Expr) -> pl.Expr:
    """Sizes that count: defined and above nothing."""
    size = (pl.col(value) if isinstance(value, str) else value).cast(pl.Float64)
    return size.filter(size.is_finite() & (size > 0.0))


def hhi(value: str | pl.Expr) -> pl.Expr:
    """Herfindahl-Hirschman index, sum of squared shares, 1/n to 1 (Hirschman 1945; Herfindahl 1950).

    Examples
    --------
    >>> pl.DataFrame({"x": [3.0, 1.0, None, 0.0]}).select(hhi("x")).item()
    0.625
    """
    x = _sizes(value)
    return _defined(x, (x**2).sum() / x.sum() ** 2)


def concentration_ratio(value: str | pl.Expr, k: int = 4) -> pl.Expr:
    """Concentration ratio CR_k: share of the k largest, k/n to 1 (Bain 1951).

    Examples
    --------
    >>> pl.DataFrame({"x": [3.0, 1.0, 4.0, 2.0]}).select(concentration_ratio("x", 2)).item()
    0.7
    """
    x = _sizes(value)
    return _defined(x, x.top_k(k).sum() / x.sum())


def entropy(value: str | pl.Expr) -> pl.Expr:
    """Shannon entropy of shares, -sum s ln s, in nats, 0 to ln n (Theil 1967).

    Examples
    --------
    >>> round(pl.DataFrame({"x": [1.0, 1.0]}).select(entropy("x")).item(), 4)
    0.6931
    """
    x = _sizes(value)
    s = x / x.sum()
    return _defined(x, -(s * s.log()).sum())


def _defined(x: pl.Expr, found: pl.Expr) -> pl.Expr:
    return pl.when(x.len() > 0).then(found)


def concentration(
    panel: pl.LazyFrame,
    value: str = "tokens_day",
    *,
    region: str | None = "CN",
    where: pl.Expr | None = None,
    by: Sequence[str] | None = None,
) -> pl.LazyFrame:
    """Concentration of a market in each world and step.

    Parameters
    ----------
    panel : LazyFrame
        Labs (or apps, vendors): keys, ``alive``, ``region`` and the value.
    value : str
        What firms have: tokens_day, revenue, users, h100e, ...; nothing and less do not count.
    region : {"CN", "ROW"} or None
    where : Expr, optional
        Which firms make the market.
    by : sequence of str, optional
        Group by these instead of the keys of a world and step, or by more (``[*keys, "archetype"]``).

    Returns
    -------
    LazyFrame
        Keys and ``firms`` (of positive size), ``hhi``, ``hhi_normalised`` = (H - 1/n) / (1 - 1/n),
        ``numbers_equivalent`` = 1/H (Adelman 1969), ``cr1``, ``cr4`` (shares), ``entropy`` (nats),
        ``entropy_relative`` = entropy / ln n; null where no firm has anything.
    """
    frames.needs(panel, value)
    keys = frames.pooled(panel, by)
    living = frames.firms(panel, region, where)
    found = living.group_by(keys).agg(
        _sizes(value).len().alias("firms"),
        hhi(value).alias("hhi"),
        concentration_ratio(value, 1).alias("cr1"),
        concentration_ratio(value, 4).alias("cr4"),
        entropy(value).alias("entropy"),
    )
    n = pl.col("firms")
    several = pl.when(n > 1)
    return frames.sorted_by(found, keys).with_columns(
        several.then((pl.col("hhi") - 1.0 / n) / (1.0 - 1.0 / n)).alias("hhi_normalised"),
        (1.0 / pl.col("hhi")).alias("numbers_equivalent"),
        several.then(pl.col("entropy") / n.cast(pl.Float64).log()).alias("entropy_relative"),
    )
