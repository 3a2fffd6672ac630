"""Running from the command line: ``baimo worlds=64 seed=7`` one run, ``baimo -m seed=1,2,3`` several."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from baimo.conf import schema
from baimo.experiments.figures import summary
from baimo.experiments.read import half_years
from baimo.experiments.run import store
from baimo.experiments.run.blocks import execute
from baimo.experiments.run.compose import UserError, compose_command, composing, experiment_of, job_settings
from baimo.experiments.run.sweep import Cell, sweep


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be typed: settings, and those words of Hydra that mean something here."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="settings, and alternatives of groups")
    parser.add_argument("-m", "--multirun", action="store_true", help="run every combination of values with commas")
    parser.add_argument("-cd", "--config-dir", metavar="FOLDER", help="a folder of your own YAML files besides conf/")
    parser.add_argument("-c", "--cfg", choices=("job", "hydra", "all"), help="print the settings, run nothing")
    for words in (("--resolve",), ("--hydra-help",), ("-sc", "--shell-completion"), ("-r", "--run")):
        parser.add_argument(*words, action="store_true", help=argparse.SUPPRESS)
    for words in (("-i", "--info"), ("-p", "--package"), ("-er", "--experimental-rerun")):
        parser.add_argument(*words, nargs="?", const="", help=argparse.SUPPRESS)
    for words in (("-cn", "--config-name"), ("-cp", "--config-path")):
        parser.add_argument(*words, help=argparse.SUPPRESS)


def epilog() -> str:
    """Groups of the configuration and their alternatives."""
    with composing() as loader:
        names = [name for name in loader.list_groups("") if name not in ("hydra", "facts", "policy")]
        names += [f"policy/{name}" for name in loader.list_groups("policy")]
        found = {name: ", ".join(loader.get_group_options(name)) for name in names}
    more = "baimo params lists the sections of parameters, baimo params training those of one of them."
    indent = {"subsequent_indent": " " * 22, "width": 110, "break_on_hyphens": False}
    lines = [textwrap.fill(f"  {name:<19} {options}", **indent) for name, options in found.items() if options]
    return "\n".join(["groups (group=alternative):", *lines, "", more])


def command(flags: argparse.Namespace) -> int:
    """Run what is asked for: one run, or several."""
    arguments = flags.typed
    if flags.hydra_help or flags.shell_completion or flags.info is not None:
        return _hydra(arguments)
    if flags.config_name or flags.config_path:
        raise UserError("--config-name and --config-path: not used here; add your own files with --config-dir")
    overrides = [*flags.overrides, *_search_path(flags.config_dir)]
    cfg, several = compose_command(overrides, flags.multirun)
    if flags.cfg or flags.experimental_rerun:
        return _hydra(arguments)
    if several:
        _report(sweep(overrides, cfg, summary.draw_summary), cfg)
        return 0
    folder = execute(job_settings(cfg), experiment=experiment_of(cfg.hydra), draw=summary.draw_summary)
    print(half_years.half_years_text(folder))
    print(_where(folder))
    return 0


def _report(found: Sequence[Cell], cfg: DictConfig) -> None:
    """Write the report with which a sweep that asks something ends."""
    if not cfg.output.question:
        return
    asked = {name: cfg.output[name] for name in ("question", "outcomes", "within")}
    title = (experiment_of(cfg.hydra) or "sweep").replace("_", " ").capitalize()
    from baimo.experiments.report import run_report  # takes a second, which a run need not wait for

    wanted = run_report.Wanted([cell.folder for cell in found], title=title, **asked)
    print(f"report   {run_report.write_report(wanted) / 'index.html'}")


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
    print(f"complete: {execute(cfg, experiment=experiment_of(HydraConfig.get()), draw=summary.draw_summary)}")
