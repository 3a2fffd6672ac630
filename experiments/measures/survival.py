"""Survival of firms: Kaplan-Meier, hazard by age, Cox's regression.

All take lives as :func:`baimo.experiments.measures.demography.lives` gives them: ``months`` lived and
``died``, False for who is alive at the end or left otherwise (censored).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy import stats

from baimo.experiments.measures import frames

_Z = 1.959963984540054  # 95%
_DIGITS = 9  # equal durations are ties in spite of rounding


def _counts(lives: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Deaths and censored lives at each age."""
    age = pl.col("months").cast(pl.Float64).round(_DIGITS).alias("age")
    ended = lives.select(*by, age, pl.col("died").cast(pl.Int64).alias("dead")).group_by([*by, "age"])
    deaths, censored = pl.col("dead").sum().alias("deaths"), (1 - pl.col("dead")).sum().alias("censored")
    return ended.agg(deaths, censored).sort([*by, "age"])


def kaplan_meier(lives: pl.LazyFrame, by: Sequence[str] = ("cohort",)) -> pl.LazyFrame:
    """Share that lives longer than each age: S(t) = prod_(u <= t) (1 - d_u / n_u) (Kaplan and Meier 1958).

    d_u die at age u of the n_u who reach it. Variance by Greenwood (1926), S^2 sum d / (n (n - d)); interval on the
    scale ln(-ln S) (Kalbfleisch and Prentice 1980), within 0 to 1.

    Parameters
    ----------
    lives : LazyFrame
    by : sequence of str
        A curve for each of their values; worlds are pooled unless ``replicate`` is among them.

    Returns
    -------
    LazyFrame
        ``by``, ``age`` (every age at which somebody died or was censored), ``at_risk``, ``deaths``, ``censored``,
        ``survival``, ``error``, ``low``, ``high``.
    """
    by = list(by)
    frames.needs(lives, "months", "died", *by)
    counts = _counts(lives.drop_nulls(["months", "died"]), by)
    d, n = pl.col("deaths"), pl.col("at_risk")
    at_risk = frames.over_keys((d + pl.col("censored")).cum_sum(reverse=True), by, "age")
    share = pl.when(d < n).then(d / (n * (n - d))).otherwise(0.0)
    found = counts.with_columns(at_risk.alias("at_risk")).with_columns(
        frames.over_keys((1.0 - d / n).cum_prod(), by, "age").alias("survival"),
        frames.over_keys(share.cum_sum(), by, "age").alias("greenwood"),
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
    return frames.gathered(curves, list(by), first)


def _every_interval(ended: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """The intervals in which lives ended, and those before them in which none did."""
    grid = frames.gathered(ended, by, pl.col("k").max().alias("most"))
    grid = grid.with_columns(pl.int_ranges(0, pl.col("most") + 1).alias("k")).explode("k").drop("most")
    full = grid.join(ended, on=[*by, "k"], how="left", nulls_equal=True).sort([*by, "k"])
    return full.with_columns(pl.col("deaths", "here").fill_null(0), pl.col("last").fill_null(0.0))


def hazard_by_age(lives: pl.LazyFrame, by: Sequence[str] = (), *, width: float = 1.0) -> pl.LazyFrame:
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
    frames.needs(lives, "months", "died", *by)
    lived = pl.col("months").cast(pl.Float64)
    index = ((lived / width).round(_DIGITS).ceil() - 1).clip(0).cast(pl.Int64)
    # Who dies in interval k has lived through all before it: gather first, then spread over intervals.
    ended = lives.drop_nulls(["months", "died"]).select(
        *by, index.alias("k"), lived.alias("lived"), pl.col("died").cast(pl.Int64).alias("dead")
    )
    ended = ended.group_by([*by, "k"]).agg(
        pl.col("dead").sum().alias("deaths"),
        pl.len().alias("here"),
        (pl.col("lived") - pl.col("k") * width).sum().alias("last"),
    )
    full = _every_interval(ended, by)
    older = frames.over_keys(pl.col("here").cum_sum(reverse=True), by, "k")
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
    lives: pl.LazyFrame | pl.DataFrame, covariates: Sequence[str] = ("cohort",), *, strata: Sequence[str] = ()
) -> pl.DataFrame:
    """Proportional hazards h(t | x) = h_0(t) exp(b x) by partial likelihood (Cox 1972), ties after Efron (1977).

    Fitted by statsmodels (``PHReg``).

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
        Without deaths, for a dummy value without deaths (there is no finite estimate), or for covariates
        that tell the same.
    """
    columns = list(dict.fromkeys([*covariates, *strata, "months", "died"]))
    frames.needs(lives.lazy(), *columns)
    data = lives.lazy().select(columns).drop_nulls().collect(engine="streaming")
    design, names = _design(data, covariates)
    if not names:
        raise ValueError(f"nothing varies in {', '.join(covariates)}")
    deaths = int(data["died"].sum())
    if not deaths:
        raise ValueError("nobody died: there is nothing to explain")
    group = data.select(pl.struct(strata).rank("dense")).to_series().to_numpy() if strata else None
    coefficient, value, error = _partial_likelihood(data, design, group, ", ".join(covariates))
    found = {"covariate": names} | _estimates(coefficient, error)
    return pl.DataFrame(found | {"n": data.height, "deaths": deaths, "log_likelihood": value})


def _estimates(coefficient: np.ndarray, error: np.ndarray) -> dict[str, np.ndarray]:
    """Coefficients with their hazard ratios, 95% intervals and tests."""
    z = coefficient / error
    return {
        "coefficient": coefficient,
        "hazard_ratio": np.exp(coefficient),
        "error": error,
        "low": coefficient - _Z * error,
        "high": coefficient + _Z * error,
        "z": z,
        "p": 2.0 * stats.norm.sf(np.abs(z)),
    }


def _design(data: pl.DataFrame, covariates: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Columns of numbers and of dummies, with their names."""
    columns, names = [], []
    for name in covariates:
        values = data[name]
        if values.dtype.is_numeric() and name != "cohort":
            columns.append(values.cast(pl.Float64).to_numpy())
            names.append(name)
            continue
        levels = values.unique().sort().to_list()
        safe = [level for level in levels if not data.filter(values == level)["died"].any()]
        if safe:
            raise ValueError(f"{name}={safe[0]}: nobody with it died, so that no estimate is finite; leave these out")
        for level in levels[1:]:
            columns.append((values == level).cast(pl.Float64).to_numpy())
            names.append(f"{name}={level}")
    return np.stack(columns, axis=1) if columns else np.zeros((data.height, 0)), names


def _partial_likelihood(
    lives: pl.DataFrame, design: np.ndarray, strata: np.ndarray | None, names: str
) -> tuple[np.ndarray, float, np.ndarray]:
    """Coefficients where the log likelihood is greatest, its value there, and errors from its curvature."""
    from statsmodels.duration.hazard_regression import PHReg  # takes seconds to load, and figures need it not

    age, dead = (lives[name].cast(pl.Float64).round(_DIGITS).to_numpy() for name in ("months", "died"))
    model = PHReg(age, design - design.mean(0), status=dead, strata=strata, ties="efron")
    if np.linalg.cond(model.hessian(np.zeros(design.shape[1]))) > 1e12:
        raise ValueError(f"{names}: covariates tell the same, or one tells all (no finite estimate)")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # no maximum is an error below
        found = model.fit(disp=0, maxiter=50)
        information = -model.hessian(found.params)
        step = np.linalg.lstsq(information, model.score(found.params))[0] if np.isfinite(information).all() else np.inf
    if not np.abs(step).max() < 1e-6:  # Newton's method has not arrived
        raise ValueError(f"{names}: no finite estimate (everybody with some value died first, or nobody did)")
    return found.params, float(found.llf), np.sqrt(np.diag(np.linalg.inv(information)))
