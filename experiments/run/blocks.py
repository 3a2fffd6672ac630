"""One run: a scenario in many worlds, in blocks over processes, kept whole or not at all."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from omegaconf import DictConfig
from tqdm import tqdm

from baimo.conf import schema
from baimo.experiments.run import store
from baimo.experiments.run.workers import RunFailed, Stopped, Tick, count, run_all
from baimo.world.engine.population import PopulationFull

EnsembleBuilder = Callable[[DictConfig, Sequence[int]], Any]
Draw = Callable[[Path], Any]


def execute(
    cfg: DictConfig,
    build: EnsembleBuilder | None = None,
    experiment: str | None = None,
    bar: Callable[[Path], Any] | None = None,
    beside: Mapping[str, pl.DataFrame] | None = None,
    draw: Draw | None = None,
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
    draw : callable, optional
        ``draw(folder)`` draws the figure of the complete run, where ``output.figure`` asks for it and it is not there.

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
    folder = store.run_folder(cfg, experiment)
    if store.manifest(folder) is not None:
        reason = "already there, not run again"
    else:
        run = partial(simulate, cfg, build=build or build_ensemble, bar=bar or partial(_bar, cfg))
        reason = None if keep_run(cfg, folder, run, beside) else "already there, another process was first"
    if reason and bar is None:
        print(f"{reason}: {folder}")
    if draw is not None and cfg.output.figure and not (folder / "figures" / "summary.png").exists():
        draw(folder)
    return folder


def keep_run(cfg: DictConfig, folder: Path, run: Callable[[Path], float], beside: Mapping | None = None) -> bool:
    """Keep what ``run(part)`` writes and the seconds that it gives; false where another process was first."""
    started = time.perf_counter()
    with store.part_folder(folder) as part:
        simulation = run(part)
        rows = store.join_blocks(part, beside or {})
        wall = time.perf_counter() - started
        store.write_facts(part, cfg, rows, {"wall": wall, "simulation": simulation})
        return store.publish(part, folder)


def build_ensemble(cfg: DictConfig, worlds: Sequence[int]) -> Any:
    """An ensemble of worlds, imported here: a parent of worker processes has no need of it."""
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


def simulate(cfg: DictConfig, part: Path, build: EnsembleBuilder, bar: Callable[[Path], Any]) -> float:
    """Run all worlds in blocks, write their tables below ``part``, return seconds stepping."""
    # One GPU holds one block at a time, as large as its memory allows.
    on_cpu = str(cfg.engine) == "numpy"
    processes, block = (count(int(cfg.processes)), cfg.block) if on_cpu else (1, largest_block(cfg))
    blocks = split(cfg.worlds, block, processes, cfg.first_world)
    calls = [(run_block, cfg, worlds, part, build) for worlds in blocks]
    with bar(part) as shown:
        return sum(run_all(calls, processes, shown))


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


def run_block(cfg: DictConfig, worlds: Sequence[int], part: Path, build: EnsembleBuilder, tick: Tick) -> float:
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
