"""Designs: many parameter points in one ensemble, ``baimo design lhs|grid ...``.

    baimo design lhs n=256 technology.inheritance=0.3:0.9 training.success_base=0.5:2:log worlds=4
    baimo design grid technology.inheritance=0.4,0.6,0.8 moat.reputation=0:1:5 seed=7

A range is ``low:high`` (``lhs``) or ``low:high:count`` (``grid``), with ``:log`` behind it for equal ratios; the levels
of a grid may be listed with commas. ``n`` is the number of points of a Latin hypercube and ``draw`` its random seed,
``worlds`` the number of worlds at every point. All other words are settings as of ``baimo``.

With ``common=true`` (the default) the worlds of a point draw the random numbers of worlds 0, 1, ...: those of every
point are paired, and what differs between points is the parameters' doing. With ``common=false`` every world has
random numbers of its own, which is what a regression over many points of one world each wants: with one common world
it would describe the random numbers of that world.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from omegaconf import DictConfig, OmegaConf
from scipy.stats import qmc

from baimo.conf import schema
from baimo.experiments.run import blocks, compose
from baimo.experiments.run.cells import QUIET
from baimo.experiments.run.compose import UserError

#: What the command reads itself: name, default, what it is.
_OWN = {"n": 64, "worlds": 8, "draw": 1, "common": True}
#: Columns beside the parameters; ``luck`` is the id of the random numbers of a world.
_KEYS = ("replicate", "point", "luck")


@dataclass(frozen=True)
class Dimension:
    """A parameter that varies: over a range, or over listed levels."""

    key: str
    low: float
    high: float
    log: bool = False
    levels: tuple[float, ...] = ()


# ---------------------------------------------------------------------- points


def grid(**levels: Sequence[float]) -> pl.DataFrame:
    """All combinations of the levels of some parameters, one row a point.

    Examples
    --------
    >>> grid(**{"technology.inheritance": [0.4, 0.8], "moat.reputation": [0.0, 1.0]}).rows()
    [(0, 0.4, 0.0), (1, 0.4, 1.0), (2, 0.8, 0.0), (3, 0.8, 1.0)]
    """
    return _frame(list(levels), np.array(list(itertools.product(*levels.values())), dtype=float))


def latin_hypercube(bounds: Mapping[str, Sequence[Any]], n: int, seed: int = 1) -> pl.DataFrame:
    """Points of a Latin hypercube: in every parameter, one in each of ``n`` equal parts of its range.

    Parameters
    ----------
    bounds : mapping
        ``{"section.name": (low, high)}``, or ``(low, high, "log")`` for equal ratios.
    n : int
        Number of points.
    seed : int
        Of the hypercube; the model's is another.

    Examples
    --------
    >>> points = latin_hypercube({"technology.inheritance": (0.0, 1.0)}, n=4)
    >>> sorted((points["technology.inheritance"] * 4).cast(int))
    [0, 1, 2, 3]
    """
    unit = qmc.LatinHypercube(len(bounds), rng=np.random.default_rng(seed)).random(n)
    columns = [_stretch(unit[:, i], *each) for i, each in enumerate(bounds.values())]
    return _frame(list(bounds), np.stack(columns, axis=1))


def _stretch(unit: np.ndarray, low: float, high: float, scale: str = "") -> np.ndarray:
    """Numbers in [0, 1] to a range; never beyond its ends by rounding."""
    values = low * (high / low) ** unit if scale == "log" else low + (high - low) * unit
    return np.clip(values, low, high)


def _frame(keys: Sequence[str], values: np.ndarray) -> pl.DataFrame:
    columns = {key: values[:, i] for i, key in enumerate(keys)}
    return pl.DataFrame({"point": np.arange(len(values), dtype=np.int32)} | columns)


def spread(points: pl.DataFrame, worlds: int, first_world: int = 0, common: bool = True) -> pl.DataFrame:
    """The worlds of a design, one row each: ``replicate``, ``point``, ``luck`` and the values of the parameters.

    ``luck`` is the id of the random numbers that a world draws.

    Parameters
    ----------
    points : polars.DataFrame
        As of :func:`grid` or :func:`latin_hypercube`, or your own: a column a parameter.
    worlds : int
        Worlds at every point.
    first_world : int
        Number of the first world.
    common : bool
        Whether the worlds of all points have common random numbers (see the module).

    Examples
    --------
    >>> spread(grid(**{"moat.reputation": [0.0, 1.0]}), worlds=2).rows()
    [(0, 0, 0, 0.0), (1, 0, 1, 0.0), (2, 1, 0, 1.0), (3, 1, 1, 1.0)]
    """
    values = points.drop("point", strict=False).cast(pl.Float64)
    number = np.arange(points.height * worlds)
    drawn = number % worlds if common else number
    columns = {"replicate": first_world + number, "point": number // worlds, "luck": first_world + drawn}
    keys = pl.DataFrame(columns, schema=dict.fromkeys(_KEYS, pl.Int32))
    return keys.hstack(values[number // worlds])


# ---------------------------------------------------------------------- the run


@dataclass(frozen=True)
class DesignBuilder:
    """Builds the ensembles of a design, a block of its worlds each."""

    table: pl.DataFrame

    def __call__(self, cfg: DictConfig, worlds: Sequence[int]) -> Any:
        """The ensemble of some worlds."""
        from baimo.world.ensemble import Ensemble

        rows = self.table.filter(pl.col("replicate").is_in(list(worlds)))
        values = {key: rows[key].to_numpy() for key in rows.columns if key not in _KEYS}
        return Ensemble(cfg, worlds, values, random_ids=rows["luck"].to_list())


def run_design(points: pl.DataFrame, words: Sequence[str] = (), worlds: int = 8, common: bool = True) -> Path:
    """Run a design, unless it is there already, and return its folder.

    It is a run like any other, with ``design.parquet`` beside its tables: join it on ``replicate``.

    Parameters
    ----------
    points : polars.DataFrame
        A column a parameter, a row a point.
    words : sequence of str
        Settings, as of ``baimo``.
    worlds : int
        Worlds at every point.
    common : bool
        Whether the worlds of all points have common random numbers.

    Raises
    ------
    ConfigError
        For a parameter that does not exist, is common to all worlds, or is out of its range.
    """
    cfg = compose.compose_run([*QUIET, *words])
    check_points(points, cfg)
    table = spread(points, worlds, int(cfg.first_world), common)
    values = points.drop("point", strict=False).cast(pl.Float64)
    facts = {"points": points.height, "worlds": worlds, "common": common, "parameters": values.columns}
    facts["values"] = hashlib.sha256(np.ascontiguousarray(values.to_numpy()).tobytes()).hexdigest()[:16]
    OmegaConf.update(cfg, "worlds", table.height)
    OmegaConf.update(cfg, "design", facts, force_add=True)
    schema.check(cfg)
    return blocks.execute(cfg, DesignBuilder(table), "design", beside={"design": table})


def check_points(points: pl.DataFrame, cfg: DictConfig) -> None:
    """Refuse points that the model cannot run."""
    plain = schema.to_parameters(cfg)
    declared = {key: value for key, value, _ in schema.parameters_of(plain)}
    for key in points.columns:
        if key == "point":
            continue
        if key not in declared:
            raise schema.ConfigError(f"{key}: there is no such parameter{compose.near(key, list(declared))}")
        values = points[key].to_numpy().astype(float)
        switch = isinstance(declared[key], bool)
        if switch and not np.isin(values, (0.0, 1.0)).all():
            raise schema.ConfigError(f"{key}: is a switch; list 0,1 in a grid")
        if not switch and not isinstance(declared[key], float):
            raise schema.ConfigError(f"{key}: only numbers with a fraction can differ between the worlds of a run")
        schema.with_values(plain, {key: values.reshape(-1, 1)})


# ---------------------------------------------------------------------- the command


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be typed."""
    parser.add_argument("kind", choices=("lhs", "grid"), help="a Latin hypercube, or every combination of levels")
    parser.add_argument("words", nargs="*", metavar="key=value", help="ranges, n=, worlds=, draw=, common=, settings")


def command(options: argparse.Namespace) -> None:
    """Run the design that is asked for, and say where it is kept."""
    words = compose.only_settings(options.words, "design")
    own, dimensions, rest = dict(_OWN), [], []
    for word in words:
        key, _, value = word.partition("=")
        if key in own:
            own[key] = _own(key, value)
        elif (found := dimension(key, value)) is not None:
            dimensions.append(found)
        else:
            rest.append(word)
    if not dimensions:
        raise UserError("nothing varies: give a range, for example technology.inheritance=0.4:0.9")
    doubled = {each.key for each in dimensions if sum(each.key == other.key for other in dimensions) > 1}
    if doubled:
        raise UserError(f"{doubled.pop()}: given twice")
    # The ends first: a complaint then names what was typed.
    check_points(
        pl.DataFrame({each.key: [each.low, each.high] for each in dimensions}), compose.compose_run([*QUIET, *rest])
    )
    points = _points(options.kind, dimensions, own)
    folder = run_design(points, rest, own["worlds"], own["common"])
    drawn = "common" if own["common"] else "each its own"
    size = f"{points.height} points of {len(dimensions)} parameters, {own['worlds']} worlds each"
    print(f"{size} (random numbers: {drawn})")
    print(f"files   {folder}")


def _points(kind: str, dimensions: Sequence[Dimension], own: Mapping[str, Any]) -> pl.DataFrame:
    if kind == "grid":
        for each in dimensions:
            if not each.levels:
                raise UserError(f"{each.key}={each.low:g}:{each.high:g}: a grid needs low:high:count, or levels 1,2,3")
        return grid(**{each.key: each.levels for each in dimensions})
    for each in dimensions:
        if each.levels:
            raise UserError(f"{each.key}: a Latin hypercube takes a range low:high, not levels")
    bounds = {each.key: (each.low, each.high, "log" if each.log else "") for each in dimensions}
    return latin_hypercube(bounds, own["n"], own["draw"])


def dimension(key: str, value: str) -> Dimension | None:
    """Read ``low:high``, ``low:high:count`` (each also with ``:log``) or ``1,2,3``; None for what is a setting.

    Examples
    --------
    >>> dimension("moat.reputation", "0:1:3").levels
    (0.0, 0.5, 1.0)
    >>> dimension("scenario", "baseline") is None
    True
    """
    typed = f"{key}={value}"
    parts, log = value.split(":"), value.endswith(":log")
    try:
        if "," in value:
            levels = tuple(float(each) for each in value.split(","))
            return Dimension(key, min(levels), max(levels), levels=levels)
        numbers = [float(each) for each in (parts[:-1] if log else parts)]
    except ValueError:
        return None
    if len(numbers) == 1 and not log:
        return None
    if len(numbers) not in (2, 3):
        raise UserError(f"{typed}: write low:high, low:high:count, either with :log behind, or levels with commas")
    low, high, count = numbers[0], numbers[1], numbers[2] if len(numbers) == 3 else 0
    if not low < high:
        raise UserError(f"{typed}: low must be less than high")
    if log and low <= 0.0:
        raise UserError(f"{typed}: equal ratios need a low end above 0")
    if len(numbers) == 2:
        return Dimension(key, low, high, log)
    if count != int(count) or count < 2:
        raise UserError(f"{typed}: the count must be a whole number of at least 2")
    levels = _stretch(np.linspace(0.0, 1.0, int(count)), low, high, "log" if log else "")
    return Dimension(key, low, high, log, tuple(levels.tolist()))


def _own(key: str, value: str) -> Any:
    """A value of the command's own: a switch, or a whole number."""
    if key == "common":
        if value not in ("true", "false"):
            raise UserError(f"common={value}: must be true or false")
        return value == "true"
    least = 0 if key == "draw" else 1
    if not value.isdecimal() or int(value) < least:
        raise UserError(f"{key}={value}: must be a whole number of at least {least}")
    return int(value)
