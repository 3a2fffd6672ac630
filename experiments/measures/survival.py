"""Survival of firms: Kaplan-Meier, hazard by age, Cox's regression.

All take lives as :func:`baimo.experiments.measures.demography.lives` gives them: ``months`` lived and
``died``, False for who is alive at the end or left otherwise (censored).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import stats

from baimo.experiments.measures import frames

_Z = 1.959963984540054  # 95%
_DIGITS = 9  # equal durations are ties in spite of rounding


def kaplan_meier(
    lives: pl.LazyFrame,
    by: Sequence[str] = ("cohort",),
    *,
    months: str = "months",
    died: str = "died",
) -> pl.LazyFrame:
    """Share that lives longer than each age: S(t) = prod_(u <= t) (1 - d_u / n_u) (Kaplan and Meier 1958).

    d_u die at age u of the n_u who reach it. Variance by Greenwood (1926), S^2 sum d / (n (n - d)); interval on the
    scale ln(-ln S) (Kalbfleisch and Prentice 1980), within 0 to 1.

    Parameters
    ----------
    lives : LazyFrame
    by : sequence of str
        A curve for each of their values; worlds are pooled unless ``replicate`` is among them.
    months, died : str
        Columns of the age at the end and of whether it was a death.

    Returns
    -------
    LazyFrame
        ``by``, ``age`` (every age at which somebody died or was censored), ``at_risk``, ``deaths``, ``censored``,
        ``survival``, ``error``, ``low``, ``high``.
    """
    by = list(by)
    frames.needs(lives, months, died, *by)
    age = pl.col(months).cast(pl.Float64).round(_DIGITS).alias("age")
    counts = (
        lives.drop_nulls([months, died])
        .select(*by, age, pl.col(died).cast(pl.Int64).alias("dead"))
        .group_by([*by, "age"])
        .agg(pl.col("dead").sum().alias("deaths"), (1 - pl.col("dead")).sum().alias("censored"))
        .sort([*by, "age"])
    )

    def within(each: pl.Expr) -> pl.Expr:
        return each.over(by, order_by="age") if by else each

    d, n = pl.col("deaths"), pl.col("at_risk")
    found = counts.with_columns(within((d + pl.col("censored")).cum_sum(reverse=True)).alias("at_risk"))
    found = found.with_columns(
        within((1.0 - d / n).cum_prod()).alias("survival"),
        within(pl.when(d < n).then(d / (n * (n - d))).otherwise(0.0).cum_sum()).alias("greenwood"),
    )
    s = pl.col("survival")
    inside = pl.when((s > 0.0) & (s < 1.0))
    half = _Z * pl.col("greenwood").sqrt() / s.log()
    return found.select(
        *by,
        "age",
        "at_risk",
        "deaths",
        "censored",
        "survival",
        (s * pl.col("greenwood").sqrt()).alias("error"),
        inside.then(s.pow((-half).exp())).otherwise(s).alias("low"),
        inside.then(s.pow(half.exp())).otherwise(s).alias("high"),
    )


def median_life(curves: pl.LazyFrame, by: Sequence[str] = ("cohort",), *, level: float = 0.5) -> pl.LazyFrame:
    """First age that no more than ``level`` of a cohort outlive; null while more do.

    Parameters
    ----------
    curves : LazyFrame
        What :func:`kaplan_meier` gives for the same ``by``.

    Examples
    --------
    >>> curve = pl.LazyFrame({"age": [1, 2, 3], "survival": [0.8, 0.5, 0.2]})
    >>> median_life(curve, []).collect().item()
    2
    """
    first = pl.col("age").filter(pl.col("survival") <= level).min().alias("median_months")
    by = list(by)
    return frames.sorted_by(curves.group_by(by).agg(first), by) if by else curves.select(first)


def hazard_by_age(
    lives: pl.LazyFrame,
    by: Sequence[str] = (),
    *,
    width: float = 1.0,
    months: str = "months",
    died: str = "died",
) -> pl.LazyFrame:
    """Chance a month to die at each age: deaths in an interval of ages over the months lived in it.

    h_j = d_j / sum_i min(max(T_i - a_j, 0), w), the occurrence-exposure rate (maximum likelihood where the hazard
    is constant within the interval); interval h exp(+-1.96 / sqrt(d)). A death at the end of an interval
    belongs to it: (a, a + w].

    Parameters
    ----------
    width : float
        Of the intervals, months.

    Returns
    -------
    LazyFrame
        ``by``, ``age`` (begin of the interval), ``deaths``, ``exposure`` (months), ``hazard`` (a month), ``low``,
        ``high``; up to the greatest age.
    """
    by = list(by)
    frames.needs(lives, months, died, *by)
    lived = pl.col(months).cast(pl.Float64)
    index = ((lived / width).round(_DIGITS).ceil() - 1).clip(0).cast(pl.Int64)
    # Who dies in interval k has lived through all before it: gather first, then spread over intervals.
    ended = lives.drop_nulls([months, died]).select(
        *by, index.alias("k"), lived.alias("lived"), pl.col(died).cast(pl.Int64).alias("dead")
    )
    ended = ended.group_by([*by, "k"]).agg(
        pl.col("dead").sum().alias("deaths"),
        pl.len().alias("here"),
        (pl.col("lived") - pl.col("k") * width).sum().alias("last"),
    )
    grid = (
        ended.group_by(by).agg(pl.col("k").max().alias("most")) if by else ended.select(pl.col("k").max().alias("most"))
    )
    grid = grid.with_columns(pl.int_ranges(0, pl.col("most") + 1).alias("k")).explode("k").drop("most")
    full = grid.join(ended, on=[*by, "k"], how="left", nulls_equal=True).sort([*by, "k"])
    full = full.with_columns(pl.col("deaths", "here").fill_null(0), pl.col("last").fill_null(0.0))
    older = pl.col("here").cum_sum(reverse=True)
    older = older.over(by, order_by="k") if by else older
    h, d = pl.col("hazard"), pl.col("deaths")
    found = full.with_columns((pl.col("last") + (older - pl.col("here")) * width).alias("exposure"))
    found = found.with_columns(pl.when(pl.col("exposure") > 0.0).then(d / pl.col("exposure")).alias("hazard"))
    some = pl.when(d > 0)
    return found.select(
        *by,
        (pl.col("k") * width).alias("age"),
        "deaths",
        "exposure",
        "hazard",
        some.then(h * (-_Z / d.sqrt()).exp()).alias("low"),
        some.then(h * (_Z / d.sqrt()).exp()).alias("high"),
    )


# ---------------------------------------------------------------------- Cox's regression


def cox(
    lives: pl.LazyFrame | pl.DataFrame,
    covariates: Sequence[str] = ("cohort",),
    *,
    strata: Sequence[str] = (),
    months: str = "months",
    died: str = "died",
) -> pl.DataFrame:
    """Proportional hazards h(t | x) = h_0(t) exp(b x) by partial likelihood (Cox 1972), ties after Efron (1977).

    Parameters
    ----------
    lives : LazyFrame or DataFrame
        Rows with a null in a column of the model are left out.
    covariates : sequence of str
        Numbers as they are; words, truths and ``cohort`` as dummies against their first value.
    strata : sequence of str
        Each of their values has its own h_0; ``["run", "replicate"]`` compares firms within worlds only.

    Returns
    -------
    DataFrame
        ``covariate``, ``coefficient``, ``hazard_ratio``, ``error``, ``low`` and ``high`` (95%, of the coefficient),
        ``z``, ``p``, ``n``, ``deaths``, ``log_likelihood``. Errors take firms as independent.

    Raises
    ------
    ValueError
        Without deaths, for a dummy value with which nobody died (there is no finite estimate), or for covariates
        that tell the same.
    """
    columns = list(dict.fromkeys([*covariates, *strata, months, died]))
    frames.needs(lives.lazy(), *columns)
    data = lives.lazy().select(columns).drop_nulls().collect(engine="streaming")
    design, names = _design(data, covariates, died)
    if not names:
        raise ValueError(f"nothing varies in {', '.join(covariates)}")
    group = data.select(pl.struct(strata).rank("dense")).to_series().to_numpy() if strata else np.ones(data.height)
    likelihood = _PartialLikelihood.of(design - design.mean(0), data[months].to_numpy(), data[died].to_numpy(), group)
    if not likelihood.deaths:
        raise ValueError("nobody died: there is nothing to explain")
    coefficient, value, information = _maximum(likelihood, len(names), covariates)
    error = np.sqrt(np.diag(np.linalg.inv(information)))
    z = coefficient / error
    return pl.DataFrame(
        {
            "covariate": names,
            "coefficient": coefficient,
            "hazard_ratio": np.exp(coefficient),
            "error": error,
            "low": coefficient - _Z * error,
            "high": coefficient + _Z * error,
            "z": z,
            "p": 2.0 * stats.norm.sf(np.abs(z)),
            "n": data.height,
            "deaths": likelihood.deaths,
            "log_likelihood": value,
        }
    )


def _design(data: pl.DataFrame, covariates: Sequence[str], died: str) -> tuple[np.ndarray, list[str]]:
    """Columns of numbers and of dummies, with their names."""
    columns, names = [], []
    for name in covariates:
        values = data[name]
        if values.dtype.is_numeric() and name != "cohort":
            columns.append(values.cast(pl.Float64).to_numpy())
            names.append(name)
            continue
        levels = values.unique().sort().to_list()
        safe = [level for level in levels if not data.filter(values == level)[died].any()]
        if safe:
            raise ValueError(f"{name}={safe[0]}: nobody with it died, so that no estimate is finite; leave these out")
        for level in levels[1:]:
            columns.append((values == level).cast(pl.Float64).to_numpy())
            names.append(f"{name}={level}")
    return np.stack(columns, axis=1) if columns else np.zeros((data.height, 0)), names


@dataclass(frozen=True)
class _PartialLikelihood:
    """Rows sorted by stratum and falling age: who is at risk is a running sum."""

    x: np.ndarray
    dead: np.ndarray
    first: np.ndarray  # first row of each age of a stratum
    last: np.ndarray  # its last row
    start: np.ndarray  # first row of its stratum
    tied: np.ndarray  # age of each death, among ages
    part: np.ndarray  # 0, 1/d, ..., (d - 1)/d of the d deaths of an age

    @classmethod
    def of(cls, x: np.ndarray, age: np.ndarray, dead: np.ndarray, stratum: np.ndarray) -> _PartialLikelihood:
        """Sort."""
        age = np.round(age.astype(float), _DIGITS)
        order = np.lexsort((-age, stratum))
        age, stratum, dead = age[order], stratum[order], dead[order].astype(float)
        new_stratum = np.r_[True, stratum[1:] != stratum[:-1]] if len(age) else np.zeros(0, bool)
        new = new_stratum | np.r_[True, age[1:] != age[:-1]] if len(age) else new_stratum
        first = np.flatnonzero(new)
        last = np.r_[first[1:], len(age)] - 1
        start = np.flatnonzero(new_stratum)[np.cumsum(new_stratum)[first] - 1] if len(age) else first
        number = np.add.reduceat(dead, first).astype(int) if len(age) else first
        tied = np.repeat(np.arange(len(first)), number)
        rank = np.arange(len(tied)) - np.repeat(np.cumsum(number) - number, number)
        return cls(x[order], dead, first, last, start, tied, rank / np.repeat(np.maximum(number, 1), number))

    @property
    def deaths(self) -> int:
        return len(self.tied)

    def at(self, b: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log partial likelihood, its gradient, and the information."""
        eta = self.x @ b
        top = eta.max()
        weight = np.exp(eta - top)
        first, second = weight[:, None] * self.x, weight[:, None, None] * self.x[:, :, None] * self.x[:, None, :]
        s0, s1, s2 = (self._corrected(each) for each in (weight, first, second))
        mean = s1 / s0[:, None]
        value = float(self.dead @ eta - np.log(s0).sum() - top * self.deaths)
        gradient = self.dead @ self.x - mean.sum(0)
        information = (s2 / s0[:, None, None]).sum(0) - mean.T @ mean
        return value, gradient, information

    def _corrected(self, each: np.ndarray) -> np.ndarray:
        """Sums over who is at risk at each death, less Efron's part of those who die at the same age."""
        running = np.concatenate([np.zeros_like(each[:1]), np.cumsum(each, axis=0)])
        at_risk = running[self.last + 1] - running[self.start]
        dead = self.dead.reshape(-1, *[1] * (each.ndim - 1))
        dying = np.add.reduceat(each * dead, self.first, axis=0)
        return at_risk[self.tied] - self.part.reshape(-1, *[1] * (each.ndim - 1)) * dying[self.tied]


def _maximum(
    likelihood: _PartialLikelihood, size: int, covariates: Sequence[str]
) -> tuple[np.ndarray, float, np.ndarray]:
    """Newton's method from 0, with halved steps where the likelihood would fall."""
    b = np.zeros(size)
    value, gradient, information = likelihood.at(b)
    for _ in range(50):
        if np.linalg.cond(information) > 1e12:
            raise ValueError(
                f"{', '.join(covariates)}: covariates tell the same, or one tells all (no finite estimate)"
            )
        step = np.linalg.solve(information, gradient)
        for _ in range(30):
            ahead = likelihood.at(b + step)
            if np.isfinite(ahead[0]) and ahead[0] >= value - 1e-12 * abs(value):
                break
            step = step / 2.0
        b, (value, gradient, information) = b + step, ahead
        if np.abs(step).max() < 1e-9:
            return b, value, information
    raise ValueError(
        f"{', '.join(covariates)}: no finite estimate (everybody with some value died first, or nobody did)"
    )
