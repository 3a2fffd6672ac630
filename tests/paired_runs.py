"""Paired worlds: two settings with common random numbers, and what differs between them.

``effect(column, "mechanisms.x=false")`` answers: how much does the mechanism add? World r of one
setting is paired with world r of the other, so few worlds are enough.

A setting runs once in a session, whoever asks: in :data:`WORLDS` worlds for :data:`STEPS` steps, or as
:func:`together` says, which also lets several settings share one ensemble.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from baimo import conf
from baimo.conf.mechanisms import BY_NAME
from baimo.conf.schema import compose, to_parameters
from baimo.experiments.run.cells import changed
from baimo.experiments.run.store import fcntl
from baimo.world.ensemble import Ensemble

WORLDS, STEPS = 12, 36
#: Worlds of one ensemble: more are no faster.
AT_ONCE = 96
#: Groups of the configuration, whose alternatives are files.
GROUPS = {each.name for each in Path(conf.__file__).parent.iterdir() if each.is_dir()}
FULL = "output.level=full"

# ---------------------------------------------------------------------- which settings run together


@dataclass
class Batch:
    """Settings that one ensemble runs, in as many worlds each."""

    members: list[frozenset[str]]
    worlds: int = WORLDS
    steps: int = STEPS

    def holds(self, worlds: int, steps: int) -> bool:
        """Whether a run of so many worlds and steps is a part of it."""
        return worlds <= self.worlds and steps <= self.steps

    @property
    def common(self) -> frozenset[str]:
        """What is set in all members: the rest must be numbers, or switches of mechanisms."""
        return frozenset.intersection(*self.members)


_BATCHES: dict[frozenset[str], Batch] = {}


def together(*many: str | tuple[str, ...], worlds: int = WORLDS, steps: int = STEPS) -> None:
    """Let settings run in one ensemble, whichever is asked for first: in half the time."""
    members = [_setting(*([each] if isinstance(each, str) else each)) for each in many]
    members = [setting for setting in members if setting not in _BATCHES or not _BATCHES[setting].holds(worlds, steps)]
    most = max(AT_ONCE // worlds, 1)
    for start in range(0, len(members), most):
        batch = Batch(members[start : start + most], worlds, steps)
        for setting in batch.members:
            if setting in _BATCHES:
                _BATCHES[setting].members.remove(setting)
            _BATCHES[setting] = batch


#: Mechanisms that are tested on the panel of apps, for which they run at the fullest level.
SEEN_IN_APPS = ("rework", "lifelines", "eye_brain_hand", "remake_or_add")


def _setting(*overrides: str) -> frozenset[str]:
    """What overrides say, in whatever order and at whatever level of output below the fullest."""
    last = dict(each.split("=", 1) for each in overrides)
    return frozenset("=".join(each) for each in last.items()) - {"output.level=market", "output.level=labs"}


def _section(name: str) -> str:
    """What a mechanism sets: those of one section are tested in one file."""
    return min(BY_NAME[name].off)


#: The baseline is what all are compared with, some of them in more worlds or for longer.
together((), worlds=24, steps=48)
together(*(f"mechanisms.{name}=false" for name in sorted(BY_NAME, key=_section) if name not in SEEN_IN_APPS))


def table(name: str, *overrides: str, worlds: int = WORLDS, steps: int = STEPS) -> pl.DataFrame:
    """A table of a run, which all tests share; with ``output.level=full`` also apps and edges, of all worlds."""
    setting = _setting(*overrides)
    batch = _BATCHES.get(setting)
    if batch is None or (len(batch.members) == 1 and not batch.holds(worlds, steps)):
        batch = _BATCHES[setting] = Batch([setting], worlds, steps)
    assert batch.holds(worlds, steps), f"together({overrides}, worlds={worlds}, steps={steps})"
    found = pl.read_ipc(_folder(setting, batch.worlds, batch.steps) / f"{name}.arrow")
    return found.filter(pl.col("replicate") < worlds, pl.col("step") < steps)


# ---------------------------------------------------------------------- running them


@cache
def _folder(setting: frozenset[str], worlds: int, steps: int) -> Path:
    """Where the tables of a setting in so many worlds are, once they are there: for all processes of the session."""
    batch = _BATCHES[setting]
    assert batch.holds(worlds, steps)
    folder = Path(os.environ["PAIRED_RUNS"]) / _hash(batch, setting)
    while not folder.exists():
        if not _run_here(batch) and not any(map(_run_here, _to_come())):
            time.sleep(0.5)
    return folder


def _to_come() -> list[Batch]:
    """Batches of several settings that have not run: work for a process whose own batch runs in another one."""
    many = {id(batch): batch for batch in _BATCHES.values() if len(batch.members) > 1}
    there = Path(os.environ["PAIRED_RUNS"])
    return [batch for batch in many.values() if not (there / _hash(batch, batch.members[-1])).exists()]


def _run_here(batch: Batch) -> bool:
    """Run a batch, unless another process runs it at this moment."""
    with _lock(Path(os.environ["PAIRED_RUNS"]) / _hash(batch)) as mine:
        if mine and not (Path(os.environ["PAIRED_RUNS"]) / _hash(batch, batch.members[-1])).exists():
            _run(batch)
        return mine


def _hash(batch: Batch, setting: frozenset[str] | None = None) -> str:
    """Name of a batch, or of a member; of settings that say the same in other words, such as scenarios, one."""
    if len(batch.members) == 1:
        plain = to_parameters(settings(*batch.members[0]))
        plain.scenario = "any"
        said = str(plain)
    else:
        said = str(sorted(map(sorted, batch.members if setting is None else [setting])))
    return hashlib.sha256(f"{said} {batch.worlds} {batch.steps}".encode()).hexdigest()


@contextmanager
def _lock(place: Path) -> Iterator[bool]:
    """Whether this process has the place for itself; without locks in the system all have."""
    with place.with_suffix(".lock").open("w") as file:
        try:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _run(batch: Batch) -> None:
    """Run the members of a batch and keep the tables of each."""
    config, count = settings(*batch.common), batch.worlds
    members = [dict(map(_parsed, each - batch.common)) for each in batch.members]
    # What a switch sets, it sets last.
    keys = sorted({key for each in members for key in each}, key=lambda key: (key.startswith("mechanisms."), key))
    spread = {
        key: np.repeat([float(each.get(key, OmegaConf.select(config, key))) for each in members], count) for key in keys
    }
    numbers = list(range(count)) * len(members)
    found = Ensemble(config, range(len(numbers)), spread, random_ids=numbers).run(batch.steps).tables()
    for index, setting in enumerate(batch.members):
        folder = Path(os.environ["PAIRED_RUNS"]) / _hash(batch, setting)
        part = folder.with_suffix(f".{os.getpid()}")
        part.mkdir()
        for name, table in found.items():
            world = pl.col("replicate")
            mine = table.filter(world.is_between(index * count, (index + 1) * count, closed="left"))
            mine.with_columns(world - index * count).write_ipc(part / f"{name}.arrow")
        try:
            part.rename(folder)
        except OSError:  # another process was first
            shutil.rmtree(part)


def settings(*overrides: str) -> DictConfig:
    """What :func:`baimo.conf.schema.compose` makes of overrides: the alternatives of groups once, numbers on top."""
    groups = tuple(each for each in sorted(overrides) if "/" in each.partition("=")[0] or each.split("=")[0] in GROUPS)
    values = dict(_parsed(each) for each in overrides if each not in groups)
    level = {"output.level": values.get("output.level", "labs"), "output.panel_worlds": 10**6}
    return changed(compose(groups), values | level)


def _parsed(override: str) -> tuple[str, object]:
    """Key and value of an override, as Hydra reads it."""
    found = OverridesParser.create().parse_override(override)
    return found.key_or_group, found.value()


# ---------------------------------------------------------------------- what is read off them


def market(*overrides: str, worlds: int = WORLDS, steps: int = STEPS) -> pl.DataFrame:
    """The market table of a run."""
    return table("market", *overrides, worlds=worlds, steps=steps)


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


#: Worlds and steps that are enough to see whether anything differs at all.
FEW, SOON = 4, 24


def assert_equal_before(step: int, *overrides: str) -> None:
    """Before a step, a setting and the baseline are one history: every column, bit for bit."""
    frames = market(worlds=FEW, steps=SOON), market(*overrides, worlds=FEW, steps=SOON)
    plain, treated = (frame.filter(pl.col("step") < step) for frame in frames)
    for column in plain.columns:
        if column != "scenario":
            assert not plain[column].ne_missing(treated[column]).any(), column


def assert_something_differs(*overrides: str) -> None:
    """A setting changes at least one column of the baseline."""
    plain, treated = market(worlds=FEW, steps=SOON), market(*overrides, worlds=FEW, steps=SOON)
    columns = [column for column in plain.columns if column not in NAMES]
    assert any(plain[column].ne_missing(treated[column]).any() for column in columns)


@dataclass
class Effect:
    """Paired difference *with* minus *without*, in the column's unit."""

    with_: np.ndarray
    without: np.ndarray

    @property
    def mean(self) -> float:
        """Mean difference over pairs of worlds."""
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
