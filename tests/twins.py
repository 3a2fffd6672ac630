"""Twin worlds: two settings with common random numbers, and what differs between them.

``effect(column, "mechanisms.x=false")`` answers: how much does the mechanism add? World r of one
setting is the twin of world r of the other, so few worlds are enough.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from baimo.conf import schema
from baimo.world.ensemble import Ensemble

WORLDS, STEPS = 12, 36


#: Worlds and steps of the baseline: of every test, so that it runs once.
MOST_WORLDS, MOST_STEPS = 24, 48


@lru_cache(maxsize=24)
def tables(*overrides: str, worlds: int = WORLDS, steps: int = STEPS) -> dict[str, pl.DataFrame]:
    """All tables of a run, which tests of one configuration share. ``output.level=full`` gives apps, too."""
    quiet = [] if any(each.startswith("output.level") for each in overrides) else ["output.level=market"]
    settings = _settings(*overrides, *quiet)
    if settings != _settings("output.level=market"):
        return _run(settings, worlds, steps)
    longest = _run(settings, MOST_WORLDS, MOST_STEPS)
    shown = (pl.col("replicate") < worlds) & (pl.col("step") < steps)
    return {name: table.filter(shown) for name, table in longest.items()}


def _settings(*overrides: str) -> schema.Config:
    """What a run depends on: all but the name of the scenario."""
    settings = schema.to_parameters(schema.compose(overrides))
    settings.scenario = "baseline"
    return settings


def _run(settings: schema.Config, worlds: int, steps: int) -> dict[str, pl.DataFrame]:
    """Tables of a run, from the folder that all processes of a session share where one has made it before."""
    told = f"{settings} {worlds} {steps}"
    place = Path(os.environ["TWINS"]) / hashlib.sha256(told.encode()).hexdigest()
    if place.exists():
        return pickle.loads(place.read_bytes())
    found = Ensemble(settings, range(worlds)).run(steps).tables()
    part = place.with_suffix(f".{os.getpid()}")
    part.write_bytes(pickle.dumps(found))
    part.replace(place)
    return found


def market(*overrides: str, worlds: int = WORLDS, steps: int = STEPS) -> pl.DataFrame:
    """The market table of a run."""
    return tables(*overrides, worlds=worlds, steps=steps)["market"]


def exactly_zero(column: str, off: str) -> bool:
    """Whether a column is zero in every world and month without the mechanism."""
    return market(off)[column].abs().max() == 0.0


def by_world(frame: pl.DataFrame, column: str, window: tuple[int, int]) -> np.ndarray:
    """Mean of a column in each world over steps ``window[0] <= step < window[1]``."""
    chosen = frame.filter(pl.col("step").is_between(*window, closed="left"), pl.col(column).is_not_nan())
    means = chosen.group_by("replicate").agg(pl.col(column).mean()).sort("replicate")
    return means[column].to_numpy()


#: What names a row of the market table rather than measures it.
NAMES = ("scenario", "replicate", "step", "date")


def assert_equal_before(step: int, *overrides: str) -> None:
    """Before a step, a setting and the baseline are one history: every column, bit for bit."""
    plain, treated = (table.filter(pl.col("step") < step) for table in (market(), market(*overrides)))
    for column in plain.columns:
        if column != "scenario":
            assert not plain[column].ne_missing(treated[column]).any(), column


def assert_something_differs(*overrides: str) -> None:
    """A setting changes at least one column of the baseline."""
    plain, treated = market(), market(*overrides)
    columns = [column for column in plain.columns if column not in NAMES]
    assert any(plain[column].ne_missing(treated[column]).any() for column in columns)


@dataclass
class Effect:
    """Paired difference *with* minus *without*, in the column's unit."""

    with_: np.ndarray
    without: np.ndarray

    @property
    def mean(self) -> float:
        """Mean difference over the twins."""
        return float((self.with_ - self.without).mean())

    @property
    def error(self) -> float:
        """Standard error of the mean difference."""
        difference = self.with_ - self.without
        return float(difference.std(ddof=1) / np.sqrt(len(difference)))

    @property
    def z(self) -> float:
        """Mean difference in standard errors."""
        return self.mean / max(self.error, 1e-300)

    @property
    def ratio(self) -> float:
        """Mean with over mean without."""
        return float(self.with_.mean() / self.without.mean())


def effect(
    column: str,
    off: str | tuple[str, ...],
    *,
    base: tuple[str, ...] = (),
    window: tuple[int, int] = (24, STEPS),
    worlds: int = WORLDS,
    steps: int = STEPS,
) -> Effect:
    """What is there with ``base`` less what is there with ``base`` and ``off`` (say ``mechanisms.x=false``)."""
    off = (off,) if isinstance(off, str) else off
    with_ = by_world(market(*base, worlds=worlds, steps=steps), column, window)
    without = by_world(market(*base, *off, worlds=worlds, steps=steps), column, window)
    return Effect(with_, without)


def effect_of(group: str, alternative: str, column: str, **more) -> Effect:
    """The baseline less an alternative of a policy: below zero where the alternative raises the column."""
    return effect(column, f"{group}={alternative}", **more)
