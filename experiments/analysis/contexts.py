"""Contexts: where a sweep crosses policies with something else, each is compared within its own context.

A platform under a tight embargo is compared with the tight embargo without it, and that effect with the
platform's effect in the context of the baseline: difference of differences, world by world.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from baimo.experiments.analysis import paired
from baimo.experiments.analysis.arms import Arm, NotComparable
from baimo.experiments.analysis.paired import LAST_YEAR, Outcome


def baselines(found: Sequence[Arm], base: Arm, context: str) -> dict[str, Arm]:
    """Baseline of each policy: the arm that differs from the baseline of all in its context alone.

    Parameters
    ----------
    found, base
        Of :func:`baimo.experiments.analysis.arms.arms_among`.
    context : str
        A setting ``trust.build``, or a group ``policy/embargo``; nothing: all have the baseline.

    Returns
    -------
    dict
        Arms by the label of the policy; the contexts' own baselines are compared with that of all.

    Raises
    ------
    NotComparable
        For a context that does not differ between the arms, or has no arm of its own alone.
    """
    if not context:
        return dict.fromkeys((arm.label for arm in found), base)
    if len({_of(arm, context) for arm in (base, *found)}) < 2:
        raise NotComparable(f"within {context}: it is the same in all runs")
    alone = {_of(arm, context): arm for arm in found if _rest(arm, context) == _rest(base, context)}
    alone[_of(base, context)] = base
    lacking = [arm.label for arm in found if _of(arm, context) not in alone]
    if lacking:
        raise NotComparable(
            f"within {context}: {lacking[0]} has no counterpart that differs from the baseline in it alone"
        )
    return {arm.label: base if arm is alone[_of(arm, context)] else alone[_of(arm, context)] for arm in found}


def _of(arm: Arm, context: str) -> str:
    """The context that an arm is in."""
    return repr([value for key, value in arm.settings.items() if _belongs(key, context)])


def _rest(arm: Arm, context: str) -> dict[str, str]:
    return {key: repr(value) for key, value in arm.settings.items() if not _belongs(key, context)}


def _belongs(key: str, context: str) -> bool:
    dotted = context.replace("/", ".")
    return key == dotted or key.startswith(f"{dotted}.")


def interactions(
    found: Sequence[Arm], base: Arm, against: Mapping[str, Arm], context: str, columns: Sequence[str]
) -> pl.DataFrame:
    """Differences between contexts in the effect of a policy, over the last year.

    Returns
    -------
    DataFrame
        A row a policy (in a context that is not the baseline's) and column, as ``compare.effects``
        has them: the effect there less the effect of the same policy in the context of the baseline. Prices
        and stocks in logarithms. ``within`` is the label of the context.
    """
    at_home = {repr(_rest(arm, context)): arm for arm in found if _of(arm, context) == _of(base, context)}
    tables = []
    for arm in found:
        here, other = against[arm.label], at_home.get(repr(_rest(arm, context)))
        if here is base or other is None:
            continue
        seeds = sorted(set.intersection(*(set(each.runs) for each in (arm, here, other, base))))
        values = [_means(each, seeds, columns) for each in (arm, here, other, base)]
        there, home = values[0] - values[1], values[2] - values[3]
        rows = paired.estimates(there, home) | {
            "policy": [other.label] * len(columns),
            "within": [here.label] * len(columns),
            "column": [*columns],
        }
        rows["log"] = [Outcome(name).log for name in columns]
        tables.append(pl.DataFrame(rows).with_columns(pl.selectors.float().fill_nan(None)))
    if not tables:
        return pl.DataFrame()
    return paired.with_q(pl.concat(tables), ()).with_columns(pl.col("q").fill_nan(None))


def _means(arm: Arm, seeds: Sequence[int], columns: Sequence[str]) -> np.ndarray:
    """Means over the last year, ``(worlds, columns)``, in logarithms where that is how they are compared."""
    worlds = [
        np.stack([paired.world_means(arm.runs[seed], Outcome(name), LAST_YEAR) for name in columns], axis=1)
        for seed in seeds
    ]
    return np.concatenate(worlds)


def idle(frame: pl.DataFrame) -> list[str]:
    """Policies that change nothing: every effect is nought in every pair of worlds."""
    moved = (pl.col("effect").fill_null(0.0) != 0.0) | (pl.col("q05").fill_null(0.0) != 0.0)
    moved = moved | (pl.col("q95").fill_null(0.0) != 0.0)
    still = frame.group_by("policy", maintain_order=True).agg(moved.any()).filter(~pl.col("effect"))
    return still["policy"].to_list()
