"""Sizes of firms: heavy tails, growth rates and their shape, inequality."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy import optimize, stats

from baimo.experiments.measures import frames

_LEAST = 10  # observations for a shape


# ---------------------------------------------------------------------- inequality


def gini(value: str | pl.Expr) -> pl.Expr:
    """Gini coefficient of values that are not negative, as an aggregate: 0 to 1 - 1/n; null where all are zero.

    G = 2 sum_i i x_(i) / (n sum x) - (n + 1) / n, x_(i) the i-th smallest of n (Gini 1912; Sen 1973).

    Examples
    --------
    >>> round(pl.DataFrame({"x": [1.0, 1.0, 4.0]}).select(gini("x")).item(), 4)
    0.3333
    """
    x = (pl.col(value) if isinstance(value, str) else value).cast(pl.Float64)
    x = x.filter(x.is_finite()).clip(0.0).sort()
    n, rank = x.len(), pl.int_range(1, x.len() + 1, dtype=pl.Int64)
    return pl.when(x.sum() > 0.0).then(2.0 * (rank * x).sum() / (n * x.sum()) - (n + 1) / n)


def inequality(
    panel: pl.LazyFrame,
    values: Sequence[str] = ("cash", "tokens_day", "h100e"),
    *,
    region: str | None = "CN",
    where: pl.Expr | None = None,
    by: Sequence[str] | None = None,
) -> pl.LazyFrame:
    """Gini coefficients among living firms; debts count as nothing.

    Returns
    -------
    LazyFrame
        Keys and ``gini_<value>`` for each value.
    """
    frames.needs(panel, *values)
    keys = frames.pooled(panel, by)
    found = frames.firms(panel, region, where).group_by(keys).agg(gini(name).alias(f"gini_{name}") for name in values)
    return frames.sorted_by(found, keys)


# ---------------------------------------------------------------------- tails


def _largest(
    panel: pl.LazyFrame, value: str, keys: Sequence[str], tail: float | int, region: str | None, where: pl.Expr | None
) -> pl.LazyFrame:
    """The largest firms with ``rank`` (1 the largest), the number ``k`` of the tail, and the one after it."""
    chosen, size = frames.sized(panel, value, region, where)
    number = frames.over_keys(pl.len(), keys, None)
    rank = frames.over_keys(size.rank("ordinal", descending=True), keys, None)
    k = (number * tail).floor().cast(pl.Int64) if isinstance(tail, float) else pl.lit(int(tail))
    return (
        chosen.select(*keys, size.alias("size"), k.alias("k"), rank.alias("rank"))
        .filter(pl.col("rank") <= pl.col("k") + 1)
        .with_columns(pl.col("rank").cast(pl.Int64))
    )


def hill(
    panel: pl.LazyFrame,
    value: str = "tokens_day",
    *,
    tail: float | int = 0.1,
    region: str | None = "CN",
    where: pl.Expr | None = None,
    by: Sequence[str] | None = None,
) -> pl.LazyFrame:
    """Exponent of the tail P(X > x) ~ x^-a: 1/a = mean of ln x_(i) / x_(k+1) over the k largest (Hill 1975).

    Parameters
    ----------
    panel : LazyFrame
        Labs, apps or vendors.
    tail : float or int
        Share (0.1) or number (20) of the firms that make the tail.
    by : sequence of str, optional
        Group by these instead of the keys of a world and step; ``["date"]`` pools worlds.

    Returns
    -------
    LazyFrame
        Keys, ``exponent``, ``error`` = a / sqrt(k), ``k``; null where fewer than two make the tail, or
        none is beyond it.
    """
    keys = frames.pooled(panel, by)
    inside = pl.col("rank") <= pl.col("k")
    floor = pl.col("size").filter(~inside).first()
    logs = (pl.col("size").filter(inside) / floor).log()
    k = pl.col("k").first()
    found = (
        _largest(panel, value, keys, tail, region, where)
        .group_by(keys)
        .agg(
            pl.when((inside.sum() >= 2) & (inside.sum() == k) & (logs.sum() > 0.0))
            .then(k / logs.sum())
            .alias("exponent"),
            k.alias("k"),
        )
    )
    return frames.sorted_by(found, keys).with_columns((pl.col("exponent") / pl.col("k").sqrt()).alias("error"))


def rank_size(
    panel: pl.LazyFrame,
    value: str = "tokens_day",
    *,
    tail: float | int = 0.1,
    region: str | None = "CN",
    where: pl.Expr | None = None,
    by: Sequence[str] | None = None,
) -> pl.LazyFrame:
    """Exponent of the tail from ln(rank - 1/2) = c - a ln size over the k largest (Gabaix and Ibragimov 2011).

    The half takes away the bias of small samples; the error is a sqrt(2 / k), not that of least squares.

    Parameters
    ----------
    panel, value, tail, region, where, by
        As of :func:`hill`.

    Returns
    -------
    LazyFrame
        Keys, ``exponent``, ``error``, ``k``, ``r2``; null below three firms.
    """
    keys = frames.pooled(panel, by)
    largest = _largest(panel, value, keys, tail, region, where).filter(pl.col("rank") <= pl.col("k"))
    fit = frames.slope(pl.col("size").log(), (pl.col("rank") - 0.5).log())
    enough = pl.when(pl.len() >= 3)
    found = largest.group_by(keys).agg(
        enough.then(-fit["slope"]).alias("exponent"), enough.then(fit["r2"]).alias("r2"), pl.len().alias("k")
    )
    error = pl.col("exponent") * (2.0 / pl.col("k")).sqrt()
    return frames.sorted_by(found, keys).with_columns(error.alias("error"))


# ---------------------------------------------------------------------- growth


def growth_rates(
    panel: pl.LazyFrame,
    value: str = "tokens_day",
    *,
    lag: int = 1,
    centred: bool = True,
    region: str | None = "CN",
    where: pl.Expr | None = None,
) -> pl.LazyFrame:
    """Growth g = ln x_t - ln x_(t-lag) of firms that are there at both times.

    Parameters
    ----------
    centred : bool
        Less its mean over the firms of the same world and step, which takes out the growth of the market
        (Bottazzi and Secchi 2006).

    Returns
    -------
    LazyFrame
        Keys, ``unit`` (the firm's id), ``growth``.
    """
    frames.needs(panel, value, "step")
    keys, unit = frames.moments(panel), frames.unit_of(panel)
    on = [*frames.worlds(panel), "step", unit]
    living, size = frames.sized(panel, value, region, where)
    now = living.select(*keys, unit, size.log().alias("now"))
    then = living.select(*on, size.log().alias("then")).with_columns(pl.col("step") + lag)
    both = now.join(then, on=on).select(
        *keys, pl.col(unit).alias("unit"), (pl.col("now") - pl.col("then")).alias("growth")
    )
    return both.with_columns(pl.col("growth") - pl.col("growth").mean().over(keys)) if centred else both


def subbotin(
    growth: pl.LazyFrame, by: Sequence[str] = (), *, value: str = "growth", bounds: tuple[float, float] = (0.1, 10.0)
) -> pl.DataFrame:
    """Shape of a symmetric distribution between and beyond Laplace and Gauss, by maximum likelihood.

    f(x) = exp(-|x - m|^b / (b a^b)) / (2 a b^(1/b) Gamma(1 + 1/b)) (Subbotin 1923; Bottazzi and Secchi 2006):
    b = 1 Laplace, 2 Gauss, below 1 fatter than Laplace. m is the median, not fitted (for b below 1 the likelihood
    has a cusp at every observation); given b, a^b = mean |x - m|^b.

    Parameters
    ----------
    growth : LazyFrame
        What :func:`growth_rates` gives, or any column of numbers.
    by : sequence of str
        A fit for each of their values; worlds are pooled unless they are among them.
    bounds : (float, float)
        Within which b is sought.

    Returns
    -------
    DataFrame
        ``by``, ``shape`` b, ``shape_error`` (from the curvature of the likelihood), ``scale`` a, ``centre`` m, ``n``,
        ``log_likelihood``; null below ten observations or where more than half are equal.
    """
    by = list(by)
    frames.needs(growth, value, *by)
    chosen = growth.select(*by, pl.col(value).cast(pl.Float64)).filter(pl.col(value).is_finite())
    data = chosen.collect(engine="streaming")
    groups = data.partition_by(by, as_dict=True, maintain_order=True).items() if by else [((), data)]
    rows = [dict(zip(by, key, strict=True)) | _subbotin(part[value].to_numpy(), bounds) for key, part in groups]
    schema = {name: data.schema[name] for name in by} | {
        name: pl.Float64 for name in ("shape", "shape_error", "scale", "centre")
    }
    return pl.DataFrame(rows, schema=schema | {"n": pl.Int64, "log_likelihood": pl.Float64}).sort(by or "n")


def _subbotin(x: np.ndarray, bounds: tuple[float, float]) -> dict[str, float | int | None]:
    """One fit: the likelihood with the scale at its best is a function of the shape alone."""
    nothing = dict.fromkeys(("shape", "shape_error", "scale", "centre", "log_likelihood")) | {"n": len(x)}
    if len(x) < _LEAST:
        return nothing
    centre = float(np.median(x))
    away = np.abs(x - centre)
    if np.count_nonzero(away) <= len(x) / 2:
        return nothing
    unit = float(np.exp(np.log(away[away > 0.0]).mean()))
    away = away / unit  # no powers out of range

    def scale(b: float) -> float:
        return float(np.mean(away**b) ** (1.0 / b))

    def minus(b: float) -> float:
        """Minus the mean log likelihood, with the scale at its best."""
        return float(-stats.gennorm.logpdf(away, b, scale=scale(b) * b ** (1.0 / b)).mean())

    found = optimize.minimize_scalar(lambda u: minus(np.exp(u)), bounds=np.log(bounds), method="bounded")
    b = float(np.exp(found.x))
    h = 1e-3 * b
    curvature = (minus(b + h) - 2.0 * minus(b) + minus(b - h)) / h**2
    return {
        "shape": b,
        "shape_error": 1.0 / np.sqrt(len(x) * curvature) if curvature > 0.0 else None,
        "scale": unit * scale(b),
        "centre": centre,
        "log_likelihood": -len(x) * (minus(b) + np.log(unit)),
        "n": len(x),
    }
