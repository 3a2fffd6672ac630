"""The report of a comparison: effects of policies against the baseline as tables in Parquet, Markdown and LaTeX."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from baimo.experiments.analysis import arms, compare, effect_text
from baimo.experiments.report import folder
from baimo.experiments.run.compose import UserError


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be typed."""
    parser.add_argument("runs", nargs="+", help="folders of runs or experiments, or globs of these")
    parser.add_argument("--baseline", nargs="+", required=True, help="the runs they are compared with")
    parser.add_argument("--columns", default="", help="columns of the market table, with commas; hhi_* for several")
    parser.add_argument("--windows", default="", help="with commas: after=2023-11..2024-12,2024-06,last year")
    parser.add_argument("--no-months", action="store_true", help="windows only")
    parser.add_argument("--resamples", type=int, default=2000, help="of the bootstrap (default 2000)")
    parser.add_argument("--seed", type=int, default=1, help="of the bootstrap (default 1)")
    parser.add_argument("--width", type=float, default=0.05, help="wanted half-width, share of the baseline's mean")
    parser.add_argument("--to", default="", help="folder for the files (default comparison/ beside the runs)")


def _options(flags: argparse.Namespace) -> dict[str, Any]:
    """Options of :func:`baimo.experiments.analysis.compare.effects` from a command line."""
    if flags.resamples < 100:
        raise UserError(f"--resamples {flags.resamples}: must be at least 100")
    if flags.seed < 0:
        raise UserError(f"--seed {flags.seed}: must be at least 0")
    if not 0.0 < flags.width < 10.0:
        raise UserError(f"--width {flags.width}: must be above 0, such as 0.05")
    windows = {}
    for word in (word.strip() for word in flags.windows.split(",") if word.strip()):
        name, _, what = word.rpartition("=")
        windows[name or word] = compare.check_window(what)
    return {
        "columns": [word.strip() for word in flags.columns.split(",") if word.strip()] or None,
        "windows": compare.WINDOWS | windows,
        "months": not flags.no_months,
        "resamples": flags.resamples,
        "seed": flags.seed,
        "width": flags.width,
    }


def command(flags: argparse.Namespace) -> None:
    """Compare, write and print."""
    options = _options(flags)
    found, base = arms.arms(flags.runs, flags.baseline)
    frame = compare.effects_of_arms(found, base, options)
    facts = {
        "options": options,
        "baseline": sorted(run.name for run in base.runs.values()),
        "compared": [[arm.label, sorted(run.name for run in arm.runs.values())] for arm in found],
    }
    first = next(iter(found[0].runs.values()))
    header = effect_text.Header(
        baseline=base.label,
        seeds=sorted(base.runs),
        width=options["width"],
        policies={arm.label: arms.differences(arm, base) for arm in found},
    )

    def fill(part: Path) -> None:
        frame.write_parquet(part / "effects.parquet")
        (part / "effects.md").write_text(effect_text.markdown(frame, header), encoding="utf-8")
        (part / "effects.tex").write_text(effect_text.latex(frame, header), encoding="utf-8")

    place = Path(flags.to) if flags.to else first.parents[1] / "comparison"
    place, fresh = folder.write_report_folder(place, facts, fill)
    print(effect_text.terminal(frame, header))
    folder.print_report_folder(place, fresh)
