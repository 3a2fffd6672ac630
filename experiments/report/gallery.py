"""Figures of runs: ``baimo figures outputs/baseline --baseline outputs/baseline``.

Draws the summary and the figures for a paper of every run into its ``figures/``, with their captions, as PDF and
PNG. With ``--baseline``, or with several runs among which the baseline is, the figures of effects too, and of a
sweep over two settings the phase diagram: below ``--to``, else ``comparison/`` beside the runs. A design
(``baimo design``) has its phase diagram among its own figures.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from baimo.experiments.analysis import arms, compare
from baimo.experiments.figures import catalogue, summary
from baimo.experiments.figures.catalogue import Drawn
from baimo.experiments.figures.paper import Source
from baimo.experiments.read import load
from baimo.experiments.report import folder as written
from baimo.experiments.run import store
from baimo.experiments.run.compose import UserError


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be typed."""
    parser.add_argument("runs", nargs="*", help="folders of runs or experiments, or globs (default ./outputs)")
    parser.add_argument("--baseline", nargs="+", default=[], help="the runs that policies are compared with")
    parser.add_argument("--only", default="", help="names of figures with commas: life_cycle,price_cascade,...")
    parser.add_argument("--over", default="", help="the two parameters of a design's phase diagram, with a comma")
    parser.add_argument("--to", default="", help="folder for the figures of several runs")


def command(flags: argparse.Namespace) -> None:
    """Draw the figures that are asked for."""
    names, over = catalogue.checked(flags.only), [word.strip() for word in flags.over.split(",") if word.strip()]
    folders = load.readable(*flags.runs)
    before = load.readable(*flags.baseline) if flags.baseline else []
    designs = [each for each in (Source("", (folder,)) for folder in folders) if each.design]
    if over and not any(len(over) == 2 and set(over) <= set(each.design) for each in designs):
        raise UserError(f"--over {flags.over}: no design among the runs varies these two parameters")
    for folder in folders:
        if not flags.only:
            print(summary.draw_summary(folder))
        scenario = str(store.manifest(folder).get("scenario", folder.parent.name))
        source, place = Source(scenario, (folder,)), folder / "figures"
        done = []
        drawn = catalogue.of_runs(source, place, names), catalogue.of_design(source, place, names, over)
        for each in itertools.chain(*drawn):  # each said as soon as it is drawn
            print(each.png or f"no {each.name}: {each.caption}")
            done.append(each)
        _keep_captions(done, place)
    folders = [folder for folder in folders if before or not (folder / "design.parquet").exists()]
    if set(names) & set(catalogue.OF_ARMS) and len({*folders, *before}) > 1:
        _several(folders, before, flags, names)


def _several(folders: list[Path], before: list[Path], flags: Any, names: Sequence[str]) -> None:
    """Figures of several runs, in a folder of their own, written whole and never over another."""
    try:
        found, base = arms.arms(folders, before) if before else arms.arms_among(folders)
    except arms.NotComparable as error:
        if before:
            raise
        print(f"no effects_months, effects_last_year, phase: {error}")
        return
    place = Path(flags.to) if flags.to else folders[0].parents[1] / "comparison"
    frame = None if base is None else compare.effects_of_arms(found, base, {})
    all_arms = [*found] if base is None else [base, *found]
    facts = {
        "figures": sorted(set(names) & set(catalogue.OF_ARMS)),
        "runs": sorted(run.name for arm in all_arms for run in arm.runs.values()),
        "baseline": base.label if base else None,
    }
    done: list[Drawn] = []

    def fill(part: Path) -> None:
        done.extend(catalogue.of_arms(all_arms, frame, base, part, names))
        _keep_captions(done, part)

    target, fresh = written.write_report_folder(place, facts, fill)
    for each in done:
        print(target / f"{each.name}.png" if each.png else f"no {each.name}: {each.caption}")
    if not fresh:
        print(f"already there   {target}")


def _keep_captions(drawn: Sequence[Drawn], folder: Path) -> None:
    """Write the captions beside their figures."""
    if any(each.png for each in drawn):
        (folder / catalogue.CAPTIONS).write_text(catalogue.captions(drawn), encoding="utf-8")
