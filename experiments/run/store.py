"""Store of runs: ids, folders, and writing so that no run is ever read half.

A run is written into a hidden folder beside its place, flushed to disk, and moved there in
one rename; the manifest is written last. What has a manifest is therefore complete.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl
from omegaconf import DictConfig, OmegaConf

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None

SCHEMA_VERSION = 2
"""Raised by one whenever a table's columns change their names, units, types or meaning."""

TABLES = ("market", "labs", "apps", "vendors", "investors", "events", "edges")
KEYS = ("scenario", "replicate", "step", "date")

_ROOT = Path(__file__).resolve().parents[2]
_CODE = ("agents", "world", "conf")
# They change where, how fast or how prettily, never what is simulated.
NOT_HASHED = ("processes", "block", "experiment_name", "output.folder", "output.figure")
# What a report says, not what a run holds.
NOT_HASHED += ("output.question", "output.outcomes", "output.within")
# Files of a part folder that say who is at work and how far; a published run has neither.
_LOCK, _PROGRESS = "lock", "progress"
_VERSIONS = ("numpy", "polars", "mesa", "networkx", "numba")


class OutputError(ValueError):
    """The output folder cannot be used."""


@functools.cache
def code_version() -> str:
    """Hash of every file that can change a number: agents, world, conf and its facts."""
    digest = hashlib.sha256()
    for folder in _CODE:
        files = (path for path in (_ROOT / folder).rglob("*") if path.suffix in {".py", ".yaml", ".csv"})
        for path in sorted(files):
            digest.update(path.relative_to(_ROOT).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def plain_settings(cfg: DictConfig) -> dict:
    """The resolved configuration as plain dictionaries and numbers."""
    return OmegaConf.to_container(cfg, resolve=True, enum_to_str=True)


def leaves(tree: Any, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Dotted keys and values of nested dictionaries.

    Examples
    --------
    >>> list(leaves({"seed": 1, "output": {"level": "labs"}}))
    [('seed', 1), ('output.level', 'labs')]
    """
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def config_hash(cfg: DictConfig) -> str:
    """Hash of the settings that can change a number.

    Examples
    --------
    >>> from omegaconf import OmegaConf
    >>> one = OmegaConf.create({"seed": 1, "processes": 1})
    >>> two = OmegaConf.create({"processes": 8, "seed": 1})
    >>> config_hash(one) == config_hash(two)
    True
    """
    settings = plain_settings(cfg)
    for key in NOT_HASHED:
        *sections, name = key.split(".")
        holder = functools.reduce(lambda part, section: part.get(section, {}), sections, settings)
        holder.pop(name, None)
    if settings.get("graph", {}).get("topology") == "graphml":
        # What the file says, wherever it lies.
        settings["graph"]["path"] = hashlib.sha256(Path(settings["graph"]["path"]).read_bytes()).hexdigest()
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_id(cfg: DictConfig) -> str:
    """Ten hex digits that stand for configuration, seed, code and schema of a run."""
    parts = (config_hash(cfg), str(cfg.seed), code_version(), str(SCHEMA_VERSION))
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:10]


def run_folder(cfg: DictConfig, experiment: str | None = None) -> Path:
    """Folder of a run: ``<output.folder>/<experiment, or else scenario>/<run id>``."""
    name = OmegaConf.select(cfg, "experiment_name") or experiment or cfg.scenario
    return Path(cfg.output.folder) / str(name) / run_id(cfg)


def manifest(folder: Path) -> dict | None:
    """The manifest of a complete run, or None where there is no complete run."""
    try:
        facts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = facts.get("status") == "complete" and not folder.name.startswith(".")
    whole = whole and all((folder / f"{name}.parquet").exists() for name in facts.get("rows", ()))
    return facts if whole else None


@contextmanager
def part_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder beside ``folder`` to write into; removed at the end unless published.

    Raises
    ------
    OutputError
        When the folder cannot be made, or is taken by something that is not a complete run.
    """
    if folder.exists():
        raise OutputError(f"{folder} exists and holds no complete run (no manifest.json): move or delete it")
    _clear_abandoned(folder)
    above = [path for path in (folder.parent, *folder.parent.parents) if not path.exists()]
    part = folder.parent / f".{folder.name}.{os.getpid()}-{uuid.uuid4().hex[:6]}.part"
    lock = None
    try:
        try:
            _make(part)
        except OSError as error:
            raise OutputError(
                f"output.folder={folder.parents[1]}: cannot write there ({error.strerror}); "
                "choose a folder you can write to"
            ) from error
        lock = _locked(part)
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if lock is not None:
            os.close(lock)
        for path in above:  # empty ones only: rmdir refuses the others
            with suppress(OSError):
                path.rmdir()


def _make(part: Path, tries: int = 10) -> None:
    for left in reversed(range(tries)):
        try:
            return part.mkdir(parents=True)
        except FileNotFoundError:  # another process took the empty folder above away just now
            if not left:
                raise


def _locked(part: Path) -> int | None:
    """Lock a part folder; the system gives the lock back when its process ends, however it ends."""
    if fcntl is None:
        return None
    unready = part / f"{_LOCK}.new"
    handle = os.open(unready, os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # a file system without locks
        os.close(handle)
        unready.unlink()
        return None
    unready.rename(part / _LOCK)  # under its name only once it is locked
    return handle


def _clear_abandoned(folder: Path) -> None:
    """Remove part folders of a run whose processes were killed: their locks are free."""
    if fcntl is None:
        return
    mine = f".{folder.name}.{os.getpid()}-"  # a network's locks may not part one process from itself
    for part in folder.parent.glob(f".{folder.name}.*.part"):
        with suppress(OSError):  # no lock in it, or its process is at work
            handle = None if part.name.startswith(mine) else os.open(part / _LOCK, os.O_RDWR)
            if handle is None:
                continue
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(part, ignore_errors=True)
            finally:
                os.close(handle)


class Progress:
    """Progress of a run, noted in its part folder for a sweep that looks on; advances like a tqdm bar."""

    def __init__(self, part: Path):
        self.n = 0
        self._file, self._noted = part / _PROGRESS, 0.0

    def update(self, steps: int) -> None:
        """Count world-steps; noted at most twice a second."""
        self.n += steps
        if time.monotonic() - self._noted > 0.5:
            self._noted = time.monotonic()
            self._file.write_text(str(self.n))

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.unlink(missing_ok=True)


def progress(folder: Path, since: float) -> int:
    """World-steps that the furthest process at work on a run has done, by a note no older than ``since``."""
    furthest = 0
    for note in folder.parent.glob(f".{folder.name}.*.part/{_PROGRESS}"):
        with suppress(OSError, ValueError):  # gone, or just being written
            if note.stat().st_mtime >= since:
                furthest = max(furthest, int(note.read_text()))
    return furthest


def publish(part: Path, folder: Path) -> bool:
    """Flush a finished part folder to disk and move it to its place in one rename.

    Returns
    -------
    bool
        False when another process was first with the same run; its files are kept.
    """
    (part / _LOCK).unlink(missing_ok=True)  # open still, so that it still holds
    for path in sorted(part.rglob("*")):
        _flush(path)
    _flush(part)
    try:
        part.rename(folder)
    except OSError:
        if manifest(folder) is None:
            raise
        return False
    _flush(folder.parent)
    _failure_file(folder).unlink(missing_ok=True)
    return True


def _failure_file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.failed.json")


def write_failure(folder: Path, reason: str, trace: str = "") -> None:
    """Note beside the place of a run why it failed, whole or not at all: its process may be far away."""
    facts = {"run": folder.name, "reason": reason, "trace": trace}
    facts["failed"] = dt.datetime.now(dt.UTC).isoformat()
    unfinished = folder.parent / f".{folder.name}.{os.getpid()}-{uuid.uuid4().hex[:6]}.failed"
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        unfinished.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(_failure_file(folder))
    finally:
        unfinished.unlink(missing_ok=True)


def failure(folder: Path) -> dict[str, str] | None:
    """Reason for which a run failed last, or None where it is complete or has never failed."""
    if manifest(folder) is not None:
        return None
    try:
        return json.loads(_failure_file(folder).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _flush(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # Windows cannot flush a folder
        return
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_block(part: Path, first_world: int, scenario: str, tables: Mapping[str, pl.DataFrame]) -> None:
    """Write the tables of one block of worlds below ``part/blocks``.

    Blocks go through files rather than through pipes: an ensemble of any size then needs
    the memory of the blocks at work only.
    """
    for name, frame in tables.items():
        if name not in TABLES:
            raise KeyError(f"unknown table {name!r}; known are {', '.join(TABLES)}")
        folder = part / "blocks" / name
        folder.mkdir(parents=True, exist_ok=True)
        _stored(name, scenario, frame).write_parquet(folder / f"{first_world:08d}.parquet")


def _stored(name: str, scenario: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Key columns first; market in float64, panels in float32; undefined is null."""
    keys = [
        pl.lit(scenario).alias("scenario"),
        pl.col("replicate", "step").cast(pl.Int32),
        pl.col("date").cast(pl.Date),
    ]
    others = pl.exclude(KEYS)
    if name == "market":
        values = [others.cast(pl.Float64).fill_nan(None)]
    else:
        real = frame.select(pl.selectors.float()).columns
        values = [
            pl.col(column).cast(pl.Float32).fill_nan(None) if column in real else pl.col(column)
            for column in frame.columns
            if column not in KEYS
        ]
    return frame.select(*keys, *values)


def join_blocks(part: Path, beside: Mapping[str, pl.DataFrame]) -> dict[str, int]:
    """Join the blocks of every table into one file each, by world; returns rows per table.

    Beside them stand tables that are not of the model, such as a design.
    """
    rows = {}
    for name in TABLES:
        files = sorted((part / "blocks" / name).glob("*.parquet"))
        if not files:
            continue
        target = part / f"{name}.parquet"
        # relaxed: a column that is null in all of one block has no type there
        frames = [pl.scan_parquet(file, glob=False) for file in files]
        pl.concat(frames, how="vertical_relaxed").sink_parquet(target, maintain_order=True)
        rows[name] = pl.scan_parquet(target, glob=False).select(pl.len()).collect().item()
    shutil.rmtree(part / "blocks", ignore_errors=True)
    for name, frame in beside.items():
        frame.write_parquet(part / f"{name}.parquet")
        rows[name] = frame.height
    return rows


def write_facts(part: Path, cfg: DictConfig, rows: dict[str, int], seconds: Mapping[str, float]) -> None:
    """Write config.yaml and, last of all, manifest.json.

    Parameters
    ----------
    seconds : mapping
        ``wall`` and ``simulation`` (summed over processes) seconds.
    """
    OmegaConf.save(OmegaConf.create(plain_settings(cfg)), part / "config.yaml")
    facts = {
        "status": "complete",
        "schema_version": SCHEMA_VERSION,
        "run": run_id(cfg),
        "scenario": str(cfg.scenario),
        "worlds": int(cfg.worlds),
        "steps": int(cfg.steps),
        "seed": int(cfg.seed),
        "engine": str(cfg.engine),
        "config_hash": config_hash(cfg),
        "code_version": code_version(),
        "git": git_state(),
        "versions": versions(),
        "finished": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "rows": rows,
    }
    (part / "manifest.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def versions() -> dict[str, str | None]:
    """Versions of Python and of the libraries that compute (numba changes no number, but how long it takes)."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in _VERSIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def git_state() -> dict[str, str | bool] | None:
    """Commit of the checkout this code lies in and whether it was changed; None without one."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(_ROOT), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        # An installed copy may lie inside somebody else's checkout.
        if Path(git("rev-parse", "--show-toplevel")).resolve() != _ROOT:
            return None
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None
