"""Effects of policies, in worlds paired with the baseline.

World r of a policy and world r of the baseline are paired (same seed, common random numbers), so the
difference within a pair is the effect of the policy. By month and over windows: its mean with a
bootstrap interval, its spread over worlds, how surely its sign stands, what pairing gained, and how
many worlds a wanted precision takes.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from baimo.experiments.analysis import paired
from baimo.experiments.analysis.arms import Arm, NotComparable, arms
from baimo.experiments.analysis.paired import LAST_YEAR, WHOLE_RUN, Outcome
from baimo.experiments.read import load
from baimo.experiments.run import store
from baimo.experiments.run.compose import UserError

#: What is compared unless columns are named: those of these that both tables have.
COLUMNS = (
    "labs_alive_cn",
    "lab_exits_cn",
    "frontier_cn",
    "gap_cn_oom",
    "gap_cn_months",
    "largest_run_cn_flop",
    "price_gpt35_level",
    "price_flagship_cn",
    "tokens_day_cn",
    "hhi_tokens_cn",
    "share_turbulence_cn",
    "apps_alive_cn",
    "app_survival_median_months",
    "funding_cn",
    "trust_cn",
    "consumer_surplus_cn",
)
WINDOWS = {LAST_YEAR: LAST_YEAR, WHOLE_RUN: WHOLE_RUN}
_MONTH = r"\d{4}-(0[1-9]|1[0-2])"


# ---------------------------------------------------------------------- effects from frames


def effects(
    policy: pl.LazyFrame,
    baseline: pl.LazyFrame,
    columns: Sequence[str] | None = None,
    *,
    windows: Mapping[str, str] | None = None,
    months: bool = True,
    resamples: int = 2000,
    seed: int = 1,
    width: float = 0.05,
) -> pl.DataFrame:
    """Paired effects, policy less baseline, one row a column and period.

    Parameters
    ----------
    policy, baseline : LazyFrame
        Tables with ``replicate, step, date`` and the columns, one row a world and step, such as
        ``load.market`` of one run each. With a column ``seed`` in both, pairs share seed and replicate.
    columns : sequence of str, optional
        What is compared; default those of ``COLUMNS`` that both have. Prices and stocks are compared in
        logarithms (see :class:`baimo.experiments.analysis.paired.Outcome`).
    windows : mapping, optional
        Names of windows and what they are: ``"last year"``, ``"whole run"``, a month ``2024-06`` or
        months ``2023-11..2024-12``. A world's value is its mean over the steps of the window.
    months : bool
        Whether every month is a period, too.
    resamples, seed : int
        Of the bootstrap.
    width : float
        Wanted half-width of the 95% interval, as a share of the baseline's mean.

    Returns
    -------
    DataFrame
        ``kind`` (month, window), ``period``, ``first_date``, ``last_date``, ``column``, ``log``, and what
        ``paired.estimates`` finds; ``replications`` for the wanted width with pairs, ``replications_unpaired`` (an arm)
        without; ``q``, the false discovery rate among months or windows.

    Raises
    ------
    NotComparable
        For other steps or dates, missing columns, worlds without some steps, no common worlds.
    """
    chosen = _columns((policy, baseline), columns)
    arms, pairs = _paired_worlds(policy, baseline, chosen)
    parts = _periods(arms[0], WINDOWS if windows is None else windows, months)
    values = [_world_means(arm, parts, chosen, pairs) for arm in arms]
    *values, log = paired.in_logs(*values, np.tile([Outcome(name).log for name in chosen], parts.height))
    found = paired.estimates(*values, resamples, seed)
    return _table(parts, chosen, log, found | _replications(found, log, width))


def _table(parts: pl.DataFrame, chosen: list[str], log: np.ndarray, found: Mapping[str, np.ndarray]) -> pl.DataFrame:
    """Table of findings, one row a period and column, with the false discovery rate."""
    keys = parts.select("kind", "period", "first_date", "last_date").select(pl.all().repeat_by(len(chosen)).explode())
    table = keys.with_columns(
        pl.Series("column", chosen * parts.height),
        pl.Series("log", log),
        *(pl.Series(name, each).fill_nan(None) for name, each in found.items()),
    )
    return paired.with_q(table, ("kind",)).with_columns(pl.col("q").fill_nan(None))


def _replications(found: Mapping[str, np.ndarray], log: np.ndarray, width: float) -> dict[str, np.ndarray]:
    """Worlds for the wanted half-width, with pairs and, an arm, without."""
    wanted = np.where(log, np.log1p(width), width * np.abs(found["without"]))
    known = np.where(wanted > 0.0, wanted, np.nan)
    return {
        "replications": paired.replications(found["deviation"], known),
        "replications_unpaired": paired.replications(found["deviation_unpaired"], known),
    }


def _columns(frames: Iterable[pl.LazyFrame], columns: Sequence[str] | None) -> list[str]:
    """Columns that are compared, checked against what there is; patterns such as ``hhi_*`` are filled in."""
    schemas = [frame.collect_schema() for frame in frames]
    for there in schemas:
        for key in ("replicate", "step", "date"):
            if key not in there:
                raise NotComparable(f"no column {key!r}: what is compared has one row a world (replicate) and step")
    numbers = [name for name, kind in schemas[0].items() if kind.is_numeric() and name not in (*store.KEYS, "seed")]
    there = [name for name in numbers if name in schemas[1]]
    if columns is None:
        columns = [name for name in COLUMNS if name in there] or there
    chosen: dict[str, None] = {}
    for word in columns:
        matching = fnmatch.filter(there, word)
        if not matching:
            lost = [name for name in (*numbers, *schemas[1]) if fnmatch.fnmatch(name, word)]
            near = difflib.get_close_matches(word, there, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise NotComparable(
                f"column {word}: only one of the two tables has it" if lost else f"column {word}: there is none{hint}"
            )
        chosen |= dict.fromkeys(matching)
    if not chosen:
        raise NotComparable("no column of numbers that both tables have")
    return list(chosen)


def _paired_worlds(
    policy: pl.LazyFrame, baseline: pl.LazyFrame, columns: Sequence[str]
) -> tuple[list[pl.DataFrame], list]:
    """Both tables, collected, with the worlds that they share only, and the keys of a world."""
    seeds = ["seed" in frame.collect_schema() for frame in (policy, baseline)]
    pairs = ["seed", "replicate"] if all(seeds) else ["replicate"]
    arms = []
    for name, frame in (("policy", policy), ("baseline", baseline)):
        arm = frame.select(*pairs, "step", "date", *(pl.col(each).cast(pl.Float64) for each in columns))
        arm = arm.collect(engine="streaming")
        _whole(arm, pairs, name)
        arms.append(arm)
    steps = [arm.select("step", "date").unique().sort("step", "date") for arm in arms]
    if not steps[0].equals(steps[1]):
        said = (f"{each.height} from {each['date'].min()} to {each['date'].max()}" for each in steps)
        raise NotComparable(f"not the same steps: {' against '.join(said)}")
    common = arms[0].select(pairs).unique().join(arms[1].select(pairs).unique(), on=pairs)
    if not common.height:
        raise NotComparable("no common replicates: no world of the policy is in the baseline, too")
    return [arm.join(common, on=pairs, how="semi") for arm in arms], pairs


def _whole(arm: pl.DataFrame, pairs: Sequence[str], name: str) -> None:
    """Check that all worlds have all steps, once."""
    if not arm.height:
        raise NotComparable(f"{name}: the table is empty")
    steps = arm["step"].n_unique()
    counts = arm.group_by(pairs).agg(pl.len(), pl.col("step").n_unique().alias("steps"))
    twice = counts.filter(pl.col("len") > pl.col("steps"))
    if twice.height:
        raise NotComparable(f"{name}: several rows a world and step; give one run (filter on run), or a column seed")
    short = counts.filter(pl.col("steps") < steps).sort(pairs)
    if short.height:
        raise NotComparable(
            f"{name}: incomplete, world {short['replicate'][0]} has {short['steps'][0]} of {steps} steps"
        )


def _periods(arm: pl.DataFrame, windows: Mapping[str, str], months: bool) -> pl.DataFrame:
    """Windows and months with the steps that lie in them: ``kind, period, steps, first_date, last_date``."""
    days = arm.select("step", "date").unique().sort("step")
    last, parts = days["date"].max(), []
    for name, what in windows.items():
        inside = days.filter(paired.within(check_window(what), last))
        if not inside.height:
            raise NotComparable(
                f"window {name}: no step lies in {what}; the run goes from {days['date'].min()} to {last}"
            )
        parts.append({"kind": "window", "period": name, "steps": inside["step"].to_list()})
    if months:
        by_month = days.group_by(pl.col("date").dt.to_string("%Y-%m").alias("period"), maintain_order=True)
        parts += [{"kind": "month"} | row for row in by_month.agg(pl.col("step").alias("steps")).to_dicts()]
    if not parts:
        raise NotComparable("nothing to compare over: give windows or months")
    dates = dict(days.iter_rows())
    ends = [{"first_date": dates[min(each["steps"])], "last_date": dates[max(each["steps"])]} for each in parts]
    return pl.DataFrame([part | end for part, end in zip(parts, ends, strict=True)])


def check_window(what: str) -> str:
    """A window as it is written, checked.

    Raises
    ------
    UserError
        When it is no known name, month, or range of months in order.

    Examples
    --------
    >>> check_window("2023-11..2024-12")
    '2023-11..2024-12'
    """
    first, dots, until = what.partition("..")
    good = re.fullmatch(_MONTH, first) and (not dots or (re.fullmatch(_MONTH, until) and first <= until))
    if what not in (LAST_YEAR, WHOLE_RUN) and not good:
        raise UserError(
            f"window {what}: write a month 2024-06, months 2023-11..2024-12, {LAST_YEAR!r} or {WHOLE_RUN!r}"
        )
    return what


def _world_means(arm: pl.DataFrame, parts: pl.DataFrame, columns: Sequence[str], pairs: Sequence[str]) -> np.ndarray:
    """Means over periods, ``(worlds, periods x columns)``, worlds in the order of their keys."""
    index = parts.select(pl.int_range(pl.len()).alias("part"), pl.col("steps").alias("step")).explode("step")
    index = index.cast({"step": arm.schema["step"]})
    means = (
        arm.join(index, on="step")
        .group_by("part", *pairs)
        .agg(pl.col(columns).mean())  # nulls are left out
        .sort(*pairs, "part")
    )
    return means.select(columns).to_numpy().reshape(-1, parts.height * len(columns))


# ---------------------------------------------------------------------- effects from folders


def compare(where: Sequence[load.Where], baseline: Sequence[load.Where], **options: Any) -> pl.DataFrame:
    """Effects of all policies at ``where`` against the baseline, with a first column ``policy``.

    Parameters
    ----------
    where, baseline : sequence of str or path
        As in :func:`baimo.experiments.read.load.run_folders`. Runs that differ in the seed only are one arm.
    **options
        Of :func:`effects`.
    """
    found, base = arms(where, baseline)
    return effects_of_arms(found, base, options)


def effects_of_arms(
    found: Sequence[Arm], base: Arm, options: Mapping[str, Any], against: Mapping[str, Arm] | None = None
) -> pl.DataFrame:
    """Compare arms that :func:`arms` found (see :func:`compare`); ``against`` names other baselines of some."""
    try:
        pairs = [(arm, (against or {}).get(arm.label, base)) for arm in found]
        tables = [
            effects(arm.market(), its.market(), **options).select(pl.lit(arm.label).alias("policy"), pl.all())
            for arm, its in pairs
        ]
    except (FileNotFoundError, ValueError) as error:  # another schema, no market table
        raise error if isinstance(error, UserError) else NotComparable(str(error)) from error
    # One family of tests over all policies.
    return paired.with_q(pl.concat(tables).drop("q"), ("kind",)).with_columns(pl.col("q").fill_nan(None))
