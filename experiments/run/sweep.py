"""Sweeps: ``baimo -m policy/embargo=none,history seed=1,2`` runs every cell that is not complete yet.

All cells are checked before the first runs. A launcher of Hydra runs them, here or elsewhere; what became of them
is read from their folders only, so that every launcher is looked upon in the same way.
"""

from __future__ import annotations

import itertools
import sys
import textwrap
import threading
import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from hydra.types import HydraContext, RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

from baimo.conf import schema
from baimo.experiments.run import blocks, compose, store
from baimo.experiments.run.blocks import Draw
from baimo.experiments.run.compose import USER_ERRORS, UserError
from baimo.experiments.run.workers import RunFailed

_LOOK_SECONDS = 0.5
#: Launches without a cell finished after which a sweep ends.
_VAIN = 3
_SILENT = "no reason was left: killed, or out of memory?"


@dataclass(frozen=True)
class Cell:
    """One run of a sweep.

    Parameters
    ----------
    name : str
        The settings in which it differs from the others.
    overrides : tuple of str
        All its settings, as for one run.
    folder : pathlib.Path
        Where its run is kept.
    size : int
        World-steps.
    """

    name: str
    overrides: tuple[str, ...]
    folder: Path
    size: int


def sweep(overrides: Sequence[str], cfg: DictConfig, draw: Draw | None = None) -> list[Cell]:
    """Check every cell, run those that are not complete, tell what became of each.

    Parameters
    ----------
    overrides : sequence of str
        What was typed.
    cfg : DictConfig
        Settings without those of the sweep, with Hydra's own.
    draw : callable, optional
        Draws the figure of a run, as of :func:`baimo.experiments.run.blocks.execute`; it can be pickled.

    Returns
    -------
    list of Cell
        All of them, complete.

    Raises
    ------
    UserError
        For a cell that cannot run; none was run then.
    RunFailed
        When some are not complete; those that are stay.
    """
    found = cells(overrides, cfg)
    skipped = {cell.folder for cell in found if store.manifest(cell.folder) is not None}
    todo = [cell for cell in found if cell.folder not in skipped]
    before = {cell.folder: store.failure(cell.folder) for cell in todo}
    print(f"{len(found)} runs, {len(skipped)} of them complete already", flush=True)
    gave_up = None
    try:
        if todo:
            with _Watch(todo, before) as watch:
                gave_up = _launch_all(watch, overrides, draw)
    except KeyboardInterrupt:
        print(f"{_count(found)}; the same command goes on from there")
        raise
    states = [_state(cell, skipped, before, gave_up) for cell in found]
    print(sweep_text(found, states))
    missing = [cell.folder.name for cell in found if store.manifest(cell.folder) is None]
    if missing:
        names = ", ".join(missing)
        raise RunFailed(f"not complete: {names}; the same command runs these again and skips the others")
    return found


# ---------------------------------------------------------------------- the cells


def cells(overrides: Sequence[str], cfg: DictConfig) -> list[Cell]:
    """Every cell of a sweep, checked, each run once.

    Parameters
    ----------
    overrides : sequence of str
        What was typed.
    cfg : DictConfig
        Settings with Hydra's own: an ``experiment=`` file may hold the values to sweep over.
    """
    if not cfg.hydra.sweeper._target_.endswith(".BasicSweeper"):
        raise UserError("hydra/sweeper: only Hydra's basic sweeper is used here")
    params = OmegaConf.to_container(cfg.hydra.sweeper).get("params") or {}
    with compose.composing() as loader:
        parser = OverridesParser.create(loader)
        typed = parser.parse_overrides([line for line in overrides if not _of_hydra(line)])
        # What is typed replaces what the file sweeps over.
        keys = {each.key_or_group for each in typed}
        written = parser.parse_overrides([f"{key}={value}" for key, value in params.items() if key not in keys])
        swept = {each.get_key_element() for each in (*written, *typed) if each.is_sweep_override()}
        batch = [list(line) for line in itertools.product(*map(_alternatives_of, (*written, *typed)))]
    of_hydra = [line for line in overrides if _of_hydra(line)]
    found = {}
    for line in batch:
        cell = _cell(line, of_hydra, swept)
        found.setdefault(cell.folder, cell)
    return list(found.values())


def _alternatives_of(override: Override) -> list[str]:
    """Every value of an override as an override of its own."""
    key = override.get_key_element()
    if not override.is_sweep_override():
        return [f"{key}={override.get_value_element_as_str()}"]
    if not override.is_discrete_sweep():
        raise UserError(f"{override.input_line}: list the values with commas, or as choice() or range()")
    return [f"{key}={value}" for value in override.sweep_string_iterator()]


def _of_hydra(line: str) -> bool:
    return line.lstrip("+~").startswith(("hydra.", "hydra/"))


def _cell(line: Sequence[str], of_hydra: Sequence[str], swept: Iterable[str]) -> Cell:
    try:
        cfg, _ = compose.compose_command([*line, *of_hydra], multirun=True)
    except USER_ERRORS as error:
        raise UserError(compose.explain(error, line)) from error
    name = " ".join(word for word in line if word.partition("=")[0] in swept) or str(cfg.scenario)
    folder = store.run_folder(compose.job_settings(cfg), compose.experiment_of(cfg.hydra))
    return Cell(name, tuple(line), folder, int(cfg.worlds) * int(cfg.steps))


# ---------------------------------------------------------------------- running them


def _launch_all(watch: _Watch, overrides: Sequence[str], draw: Draw | None) -> str | None:
    """Launch what is left until nothing is; returns why the launcher gave up on the rest, if it did."""
    gave_up, vain = None, 0
    while (left := watch.left()) and vain < _VAIN:
        gave_up = _launch(left, overrides, draw)
        # A process of joblib that dies takes all other jobs with it: those are launched again. Jobs
        # of a cluster go on by themselves.
        if gave_up is None or "TerminatedWorkerError" not in gave_up:
            return gave_up
        vain = vain + 1 if len(watch.left()) == len(left) else 0
    return gave_up if left else None


class _Callbacks(Callback):
    """The callbacks of ``hydra.callbacks``, called for every job, which goes on where one of them fails."""

    def __init__(self, config: DictConfig):
        asked = OmegaConf.select(config, "hydra.callbacks") or {}
        self._callbacks = {name: instantiate(each) for name, each in asked.items()}

    def on_job_start(self, config: DictConfig, **more: Any) -> None:
        """Announce a job that begins."""
        for name in self._callbacks:
            self._call(name, "on_job_start", config=config, **more)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **more: Any) -> None:
        """Announce a job that ended."""
        for name in reversed(self._callbacks):
            self._call(name, "on_job_end", config=config, job_return=job_return, **more)

    def _call(self, name: str, event: str, **facts: Any) -> None:
        try:
            getattr(self._callbacks[name], event)(**facts)
        except Exception as error:
            why = textwrap.shorten(f"{type(error).__name__}: {error}", 120)
            print(f"hydra.callbacks.{name}: {event} failed: {why}", file=sys.stderr, flush=True)


def _launch(todo: Sequence[Cell], overrides: Sequence[str], draw: Draw | None) -> str | None:
    """Hand cells to the launcher of Hydra that was asked for; returns why it gave up, if it did."""
    with compose.composing() as loader:
        config = GlobalHydra.instance().hydra.compose_config(
            "config", list(overrides), run_mode=RunMode.MULTIRUN, with_log_configuration=False
        )
        context = HydraContext(config_loader=loader, callbacks=_Callbacks(config))
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=context, task_function=partial(execute_cell, draw=draw), config=config
        )
        try:
            returned = launcher.launch([list(cell.overrides) for cell in todo], initial_job_idx=0)
        except USER_ERRORS:
            raise
        except Exception as error:
            return f"the launcher gave up: {type(error).__name__}: {textwrap.shorten(str(error), 120)}"
    for cell, job in zip(todo, returned, strict=True):
        _note(cell, job)
    return None


def execute_cell(cfg: DictConfig, draw: Draw | None = None) -> None:
    """Run one cell, wherever the launcher put it. A failure is noted beside its place: the others go on."""
    experiment = compose.experiment_of(HydraConfig.get())
    folder = store.run_folder(cfg, experiment)
    try:
        schema.check(cfg)
        blocks.execute(cfg, experiment=experiment, bar=store.Progress, draw=draw)
    except USER_ERRORS as error:
        store.write_failure(folder, compose.explain(error, ()), traceback.format_exc())
    except RunFailed as error:
        store.write_failure(folder, str(error), traceback.format_exc())


def _note(cell: Cell, job: JobReturn) -> None:
    """Note what broke outside the model, such as a disk that is full."""
    if job.status == JobStatus.FAILED and store.manifest(cell.folder) is None:
        error = job._return_value
        store.write_failure(cell.folder, f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))


class _Watch:
    """Looks at the folders of cells while they run: a bar over cells and worlds, a line a finished cell."""

    def __init__(self, todo: Sequence[Cell], before: Mapping[Path, Any]):
        self._todo, self._before = list(todo), before
        self._finished: dict[Path, str] = {}
        self._started, self._since = time.monotonic(), time.time() - 1.0
        self._ends, self._looking = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._keep_looking, daemon=True)
        total = sum(cell.size for cell in todo)
        self._bar = tqdm(total=total, unit=" world-steps", disable=None, leave=False, dynamic_ncols=True)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()
        self._look()
        self._bar.close()

    def left(self) -> list[Cell]:
        """Cells that are neither complete nor failed."""
        self._look()
        return [cell for cell in self._todo if cell.folder not in self._finished]

    def _keep_looking(self) -> None:
        while not self._ends.wait(_LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        with self._looking:
            under_way = 0
            for cell in self._todo:
                if cell.folder in self._finished:
                    continue
                facts, why = store.manifest(cell.folder), store.failure(cell.folder)
                if facts is not None:
                    self._tell(cell, "done", f"{facts['seconds']['wall']:.1f} s")
                elif why is not None and why != self._before[cell.folder]:
                    self._tell(cell, "failed", _first_line(why["reason"]))
                else:
                    under_way += min(store.progress(cell.folder, self._since), cell.size)
            self._bar.n = self._size_finished() + under_way
            self._bar.set_description(f"{len(self._finished)} of {len(self._todo)} runs", refresh=False)
            self._bar.refresh()

    def _size_finished(self) -> int:
        return sum(cell.size for cell in self._todo if cell.folder in self._finished)

    def _tell(self, cell: Cell, state: str, what: str) -> None:
        self._finished[cell.folder] = state
        count, done = len(self._finished), self._size_finished()
        left = (time.monotonic() - self._started) * (self._bar.total - done) / done
        wait = f"; about {tqdm.format_interval(left)} left" if count < len(self._todo) else ""
        tqdm.write(f"[{count}/{len(self._todo)}] {state}  {cell.name}  {cell.folder}  ({what}{wait})")


# ---------------------------------------------------------------------- what became of them


def _state(cell: Cell, skipped: Iterable[Path], before: Mapping[Path, Any], gave_up: str | None) -> tuple[str, str]:
    """Done, skipped or failed, and the folder or the reason."""
    if store.manifest(cell.folder) is not None:
        return ("skipped" if cell.folder in skipped else "done"), str(cell.folder)
    why = store.failure(cell.folder)
    if why is not None and why != before.get(cell.folder):
        return "failed", _first_line(why["reason"])
    earlier = f" (the last time: {_first_line(why['reason'])})" if why else ""
    return "failed", f"{gave_up or _SILENT}{earlier}"


def sweep_text(found: Sequence[Cell], states: Sequence[tuple[str, str]]) -> str:
    """The final table: a line a cell, and the count."""
    width = max(len(cell.name) for cell in found)
    lines = [f"{cell.name:<{width}}  {state:<7}  {what}" for cell, (state, what) in zip(found, states, strict=True)]
    counts = {kind: sum(state == kind for state, _ in states) for kind in ("done", "skipped", "failed")}
    return "\n".join(
        [
            *("", *lines, ""),
            f"{counts['done']} done, {counts['skipped']} skipped (complete already), {counts['failed']} failed",
            _count(found),
        ]
    )


def _count(found: Sequence[Cell]) -> str:
    complete = sum(store.manifest(cell.folder) is not None for cell in found)
    places = ", ".join(sorted({str(cell.folder.parent) for cell in found}))
    return f"{complete} of {len(found)} runs complete in {places}"


def _first_line(said: str) -> str:
    return next((line.strip() for line in said.splitlines() if line.strip()), "")
