"""The command ``baimo``: run a scenario in many worlds, keep it, and print what happened.

``baimo`` alone runs the baseline; ``baimo scenario=embargo worlds=64 seed=7`` another
history; ``baimo -m seed=1,2,3`` several, one after another. ``baimo --help`` lists the rest.
"""

from __future__ import annotations

import difflib
import itertools
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import hydra
import polars as pl
from hydra._internal.utils import get_args_parser
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException
from tqdm import tqdm

from baimo.conf import schema
from baimo.experiments import load, store, table
from baimo.experiments.workers import RunFailed, Stopped, Tick, count, run_all
from baimo.world.engine.population import PopulationFull

Build = Callable[[DictConfig, Sequence[int]], Any]


class UserError(ValueError):
    """Something the user typed; its text says what would be right."""


USER_ERRORS = (
    UserError,
    schema.ConfigError,
    store.OutputError,
    PopulationFull,
    HydraException,
    OmegaConfBaseException,
)


# --- the command ------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after ``baimo``; default from the shell.

    Returns
    -------
    int
        0 complete, 1 the model failed, 2 something was typed wrongly, 130 interrupted.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    flags = get_args_parser().parse_intermixed_args(arguments)
    schema.register()
    try:
        with _terminable():
            return _command(flags, arguments)
    except KeyboardInterrupt:
        return _say("interrupted; nothing half-written was kept", 130)
    except USER_ERRORS as error:
        return _say(explain(error, flags.overrides), 2)
    except RunFailed as error:
        return _say(f"failed: {error}", 1)


def _say(line: str, code: int) -> int:
    print(f"baimo: {line}", file=sys.stderr)
    return code


@contextmanager
def _terminable() -> Iterator[None]:
    """Let a scheduler's SIGTERM clean up as Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _command(flags: Any, arguments: list[str]) -> int:
    if flags.help or flags.hydra_help or flags.shell_completion or flags.info is not None:
        return _hydra(arguments)
    if flags.config_name or flags.config_path:
        raise UserError("--config-name and --config-path: not used here; add your own files with --config-dir")
    overrides = [*flags.overrides, *_search_path(flags.config_dir)]
    cfg, several = compose(overrides, flags.multirun)
    if flags.cfg or flags.experimental_rerun:
        return _hydra(arguments)
    if several:
        from baimo.experiments.sweep import sweep

        return sweep(overrides, cfg)
    folder = execute(job_settings(cfg), experiment=experiment_of(cfg.hydra))
    print(table.text(folder))
    print(_where(folder))
    return 0


def _search_path(config_dir: str | None) -> list[str]:
    if config_dir is None:
        return []
    if not Path(config_dir).is_dir():
        raise UserError(f"--config-dir {config_dir}: no such folder")
    return [f"hydra.searchpath=['file://{Path(config_dir).resolve().as_posix()}']"]


def _where(folder: Path) -> str:
    facts = store.manifest(folder) or {}
    lines = [f"files   {folder}"]
    figure = folder / "figures" / "summary.png"
    if figure.exists():
        lines.append(f"figure  {figure}")
    seconds = facts.get("seconds", {})
    lines.append(f"time    {seconds['wall']:.1f} s; stepping took {seconds['simulation']:.1f} s over all processes")
    return "\n".join(lines)


# --- settings ---------------------------------------------------------------------------


def compose(overrides: Sequence[str], multirun: bool = False) -> tuple[DictConfig, bool]:
    """Compose and check the settings of a command line, without those of a sweep.

    Returns
    -------
    cfg : DictConfig
        Settings, with Hydra's own below ``hydra``.
    several : bool
        Whether the command line asks for several runs (``-m``, or an experiment that does).
    """
    with composing() as loader:
        parsed = OverridesParser.create(loader).parse_overrides(list(overrides))
        swept = [override for override in parsed if override.is_sweep_override()]
        single = [override.input_line for override in parsed if not override.is_sweep_override()]
        cfg = hydra.compose("config", single, return_hydra_config=True)
        added = [o.key_or_group for o in parsed if (o.is_add() or o.is_force_add())]
        added = [key for key in added if not loader.get_group_options(key) and not key.startswith("hydra.")]
    # Hydra lets + add any key, and nothing would ever read it.
    for key in added:
        if key not in _known_keys():
            raise UserError(_unknown_key(key, overrides))
    if cfg.design:
        raise UserError("design: is what python -m baimo.experiments.design sets; it takes the same settings")
    several = multirun or cfg.hydra.mode == RunMode.MULTIRUN
    if swept and not several:
        raise UserError(f"{swept[0].input_line}: several values; add -m to run them one after another")
    schema.check(job_settings(cfg))
    return cfg, several


def settings(overrides: Sequence[str]) -> DictConfig:
    """Composed and checked settings of one run, without Hydra's own."""
    cfg, several = compose(overrides)
    if several:
        raise UserError("an experiment of several runs (hydra.mode=MULTIRUN) cannot be compared as one")
    return job_settings(cfg)


@contextmanager
def composing() -> Iterator[ConfigLoader]:
    """Hydra made ready to compose from ``conf``."""
    with hydra.initialize_config_module("baimo.conf", version_base=None, job_name="baimo"):
        yield GlobalHydra.instance().config_loader()


def job_settings(cfg: DictConfig) -> DictConfig:
    """The settings without Hydra's own."""
    cfg = cfg.copy()
    with read_write(cfg), open_dict(cfg):
        cfg.pop("hydra", None)
    return cfg


def experiment_of(hydra_settings: DictConfig) -> str | None:
    """Name of the ``experiment=`` file in use, if any."""
    name = hydra_settings.runtime.choices.get("experiment")
    return None if name in (None, "null") else str(name)


def explain(error: Exception, overrides: Sequence[str]) -> str:
    """One line for what was typed wrongly: key, value, and what would be right.

    Parameters
    ----------
    error : Exception
        One of ``USER_ERRORS``.
    overrides : sequence of str
        What was typed, ``key=value`` each.
    """
    text = str(error)
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else None
    if isinstance(error, MissingConfigException) and error.options is not None:
        return _unknown_option(error)
    if isinstance(error, OverrideParseException):
        return f"cannot read {error.override!r}: write key=value, for example worlds=64"
    unknown = re.search(r"Could not (?:override|delete from config. Override|append to config.*?) '([^'=]+)", text)
    if unknown:
        return _unknown_key(unknown[1].split("@")[0], overrides)
    merging = re.match(r"Error merging override (.+)", text)
    if merging and cause is not None:
        return f"{merging[1].strip()}: {_first_line(cause)}{_now(merging[1])}"
    lines = [text, *([str(cause)] if cause is not None else [])]
    return "; ".join(dict.fromkeys(line.strip() for part in lines for line in part.splitlines() if line.strip()))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")


def _unknown_option(error: MissingConfigException) -> str:
    missing = str(error.missing_cfg_file)
    group, _, option = missing.rpartition("/")
    options = sorted(error.options or ())
    choice = ", ".join(options)
    return f"{group}={option}: there is no such {group}; choose from {choice}{near(option, options)}"


def _unknown_key(key: str, overrides: Sequence[str]) -> str:
    typed = next((line for line in overrides if line.lstrip("+~").startswith(key)), key)
    return f"{typed}: there is no setting {key!r}{near(key, [*_known_keys()])}"


def _known_keys() -> Iterable[str]:
    with composing() as loader:
        cfg = hydra.compose("config")
        groups = [group for group in loader.list_groups("") if group != "hydra"]
    yield from groups
    yield from (key for key, _ in load.leaves(OmegaConf.to_container(cfg)))


def near(word: str, known: Sequence[str]) -> str:
    """``; did you mean ...?`` for the nearest known name, by its whole or by its last part."""

    def likeness(name: str) -> float:
        whole = difflib.SequenceMatcher(None, word, name).ratio()
        last = difflib.SequenceMatcher(None, word.rpartition(".")[2], name.rpartition(".")[2]).ratio()
        return max(whole, 0.9 * last)

    best = max(known, key=likeness, default=None)
    return f"; did you mean {best}?" if best is not None and likeness(best) > 0.7 else "; baimo --help lists all"


def _now(override: str) -> str:
    key = override.partition("=")[0].strip().lstrip("+")
    with composing():
        value = OmegaConf.select(hydra.compose("config"), key)
    return f" (by default {key}={value})" if isinstance(value, bool | int | float | str) else ""


# --- Hydra itself -----------------------------------------------------------------------


def _hydra(arguments: Sequence[str]) -> int:
    """Hand the command line to Hydra itself."""
    before = sys.argv
    sys.argv = [before[0], *arguments]
    try:
        _job()
    except SystemExit as leaving:
        if leaving.code not in (None, 0):
            raise UserError("Hydra could not go on, see above") from leaving
    finally:
        sys.argv = before
    return 0


@hydra.main(config_path="../conf", config_name="config", version_base=None)
def _job(cfg: DictConfig) -> None:
    """Run again what Hydra recorded of a job (``--experimental-rerun``); help and information never come here."""
    schema.check(cfg)
    print(f"complete: {execute(cfg, experiment=experiment_of(HydraConfig.get()))}")


# --- one run ----------------------------------------------------------------------------


def execute(
    cfg: DictConfig,
    build: Build | None = None,
    experiment: str | None = None,
    bar: Callable[[Path], Any] | None = None,
    beside: Mapping[str, pl.DataFrame] | None = None,
) -> Path:
    """Run one scenario, unless it is there already, and return its folder.

    Parameters
    ----------
    cfg : DictConfig
        Checked settings.
    build : callable, optional
        ``build(cfg, world_ids)`` gives an ensemble; default :class:`baimo.world.ensemble.Ensemble`.
    experiment : str, optional
        Name of the folder to keep it in, instead of the scenario's.
    bar : callable, optional
        ``bar(part)`` gives what shows progress, and nothing is printed; default a bar on the terminal.
    beside : mapping, optional
        Further tables to keep beside those of the run, by name.

    Returns
    -------
    pathlib.Path
        The complete run folder.

    Raises
    ------
    store.OutputError, PopulationFull
        For the user to put right; nothing is written.
    RunFailed
        When the model breaks down; nothing is written.
    """
    started = time.perf_counter()
    folder, told = store.run_folder(cfg, experiment), None
    if store.manifest(folder) is not None:
        told = "already there, not run again"
    else:
        with store.part_folder(folder) as part:
            simulation = simulate(cfg, part, build or build_ensemble, (bar or partial(_bar, cfg))(part))
            rows = store.join_blocks(part) | store.write_beside(part, beside or {})
            wall = time.perf_counter() - started
            store.write_facts(part, cfg, rows, {"wall": wall, "simulation": simulation})
            if not store.publish(part, folder):
                told = "already there, another process was first"
    if told and bar is None:
        print(f"{told}: {folder}")
    if cfg.output.figure:
        _draw(folder)
    return folder


def _draw(folder: Path) -> None:
    if (folder / "figures" / "summary.png").exists():
        return
    try:
        from baimo.experiments import figures
    except ModuleNotFoundError as error:
        print(f"no figure: {error.name} is not installed (the numbers are complete)", file=sys.stderr)
        return
    figures.summary(folder)


def build_ensemble(cfg: DictConfig, worlds: Sequence[int]) -> Any:
    """The real thing, imported late: a parent of worker processes has no need of it."""
    from baimo.world.ensemble import Ensemble

    return Ensemble(cfg, worlds)


def largest_block(cfg: DictConfig) -> int:
    """Worlds that the GPU's free memory holds at once."""
    from baimo.world.engine.device import NoDevice
    from baimo.world.ensemble import worlds_at_once

    try:
        return worlds_at_once(cfg)
    except NoDevice as error:
        raise schema.ConfigError(str(error)) from None


def _bar(cfg: DictConfig, _: Path) -> tqdm:
    """A bar on the terminal, if it is one."""
    total = int(cfg.worlds) * int(cfg.steps)
    return tqdm(total=total, unit=" world-steps", desc=str(cfg.scenario), disable=None, leave=False)


def simulate(cfg: DictConfig, part: Path, build: Build, bar: Any) -> float:
    """Run all worlds in blocks, write their tables below ``part``, return seconds stepping."""
    # One GPU holds one block at a time, as large as its memory allows.
    on_cpu = str(cfg.engine) == "numpy"
    processes, block = (count(int(cfg.processes)), cfg.block) if on_cpu else (1, largest_block(cfg))
    blocks = split(cfg.worlds, block, processes, cfg.first_world)
    calls = [(run_block, cfg, worlds, part, build) for worlds in blocks]
    with bar:
        return sum(run_all(calls, processes, bar))


def split(worlds: int, block: int, processes: int, first: int = 0) -> list[range]:
    """Even blocks of at most ``block`` worlds, numbered from ``first``, that keep every process busy.

    Examples
    --------
    >>> split(32, 16, 2)
    [range(0, 16), range(16, 32)]
    >>> split(5, 16, 2)
    [range(0, 3), range(3, 5)]
    """
    rounds = -(-worlds // (block * processes))
    count = min(worlds, rounds * processes)
    size, longer = divmod(worlds, count)
    starts = [first + index * size + min(index, longer) for index in range(count + 1)]
    return [range(low, high) for low, high in itertools.pairwise(starts)]


def run_block(cfg: DictConfig, worlds: Sequence[int], part: Path, build: Build, tick: Tick) -> float:
    """Run one block of worlds and write its tables; returns the seconds it took to step."""
    step = 0
    try:
        ensemble = build(cfg, worlds)
        started = time.perf_counter()
        while step < cfg.steps:
            ensemble.step()
            step += 1
            tick(len(worlds))
        seconds = time.perf_counter() - started
        store.write_block(part, worlds[0], str(cfg.scenario), ensemble.tables())
        return seconds
    except (PopulationFull, schema.ConfigError, Stopped):
        raise
    except Exception as error:
        place = f"worlds {worlds[0]}-{worlds[-1]}, step {step}"
        raise RunFailed(f"{place}: {type(error).__name__}: {error}{_code_place(error)}") from error


def _code_place(error: Exception) -> str:
    """File and line where it broke, so that a report of it is of use."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f" ({Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno})" if trace else ""


if __name__ == "__main__":
    # By its own name, so that worker processes and launchers find what they are handed.
    from baimo.experiments.run import main as command

    sys.exit(command())
