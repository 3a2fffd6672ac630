"""Cells: the runs that an experiment compares, each kept like any run and never computed twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

from baimo.conf import schema
from baimo.experiments.run import blocks, store
from baimo.experiments.run.compose import UserError, compose_run, only_settings
from baimo.experiments.run.workers import RunFailed, Stopped, Tick, count, run_all

#: Settings of a comparison of paired worlds, unless others are typed.
PAIRED = ("worlds=64", "block=32", "scenario=baseline")
#: What an experiment keeps of a cell: the market, and no figure.
QUIET = ("output.level=market", "output.figure=false")


def paired_settings(words: Sequence[str], command: str, extra: Sequence[str] = ()) -> tuple[list[str], DictConfig]:
    """Settings of an experiment on paired worlds: as words, and composed with some further ones.

    Raises
    ------
    UserError
        For words that are no settings, and for one world alone.
    """
    words = [*PAIRED, *only_settings(words, command), *QUIET]
    cfg = compose_run([*words, *extra])
    if cfg.worlds < 2:
        raise UserError(f"worlds={cfg.worlds}: must be at least 2, for an interval")
    return words, cfg


def changed(cfg: DictConfig, values: Mapping[str, Any]) -> DictConfig:
    """Checked settings that differ from ``cfg`` in some leaves; cheaper than composing again."""
    cfg = cfg.copy()
    for key, value in values.items():
        OmegaConf.update(cfg, key, value)
    schema.check(cfg)
    return cfg


def run_cells(cfgs: Sequence[DictConfig], experiment: str, processes: int = 0) -> list[Path]:
    """Folders of the runs of all settings, in order; what is there already is not run again.

    Parameters
    ----------
    cfgs : sequence of DictConfig
        Checked settings; equal ones are one cell.
    experiment : str
        Name of the folder below ``output.folder``.
    processes : int
        Worker processes, 0 for one a core. A worker runs one cell after another.

    Raises
    ------
    RunFailed
        When the model breaks down in a cell; those that are complete are kept.
    """
    folders = [store.run_folder(cfg, experiment) for cfg in cfgs]
    todo = {folder: cfg for folder, cfg in zip(folders, cfgs, strict=True) if store.manifest(folder) is None}
    total = sum(int(cfg.worlds) * int(cfg.steps) for cfg in todo.values())
    with tqdm(total=total, unit=" world-steps", desc=experiment, disable=None, leave=False) as bar:
        run_all([(_run_cell, cfg, folder) for folder, cfg in todo.items()], count(processes), bar)
    return folders


def _run_cell(cfg: DictConfig, folder: Path, tick: Tick) -> None:
    """Run one cell in this process and move it to its place."""

    def simulated(part: Path) -> float:
        try:
            parts = blocks.split(cfg.worlds, cfg.block, 1, cfg.first_world)
            return sum(blocks.run_block(cfg, worlds, part, blocks.build_ensemble, tick) for worlds in parts)
        except Stopped:
            raise
        except Exception as error:
            raise RunFailed(f"{folder.parent.name}/{folder.name}: {error}") from error

    blocks.keep_run(cfg, folder, simulated)
