"""The command ``baimo``: run a scenario in many worlds, keep it, and print what happened.

``baimo`` alone runs the baseline; ``baimo scenario=embargo worlds=64 seed=7`` another
history; ``baimo -m seed=1,2,3`` several, one after another. ``baimo --help`` lists the rest.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from baimo.conf import schema
from baimo.experiments.figures import summary
from baimo.experiments.read import half_years
from baimo.experiments.report import run_report
from baimo.experiments.run import store
from baimo.experiments.run.blocks import execute
from baimo.experiments.run.compose import USER_ERRORS, UserError, compose, experiment_of, explain, job_settings
from baimo.experiments.run.sweep import Cell, sweep
from baimo.experiments.run.workers import RunFailed


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
        _report(sweep(overrides, cfg, summary.draw), cfg)
        return 0
    folder = execute(job_settings(cfg), experiment=experiment_of(cfg.hydra), draw=summary.draw)
    print(half_years.text(folder))
    print(_where(folder))
    return 0


def _report(found: Sequence[Cell], cfg: DictConfig) -> None:
    """What a sweep that asks something ends with."""
    if not cfg.output.question:
        return
    asked = {name: cfg.output[name] for name in ("question", "outcomes", "within")}
    title = (experiment_of(cfg.hydra) or "sweep").replace("_", " ").capitalize()
    wanted = run_report.Wanted([cell.folder for cell in found], title=title, **asked)
    print(f"report   {run_report.write(wanted) / 'index.html'}")


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
    print(f"complete: {execute(cfg, experiment=experiment_of(HydraConfig.get()), draw=summary.draw)}")


if __name__ == "__main__":
    # By its own name, so that worker processes and launchers find what they are handed.
    from baimo.experiments.cli import main as command

    sys.exit(command())
