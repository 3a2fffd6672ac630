"""The report of a comparison of topologies: levels, differences and answers as a table, text and a figure."""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl
from omegaconf import DictConfig

from baimo.experiments.analysis import paired
from baimo.experiments.analysis.topology import REFERENCE, topologies, topology_effects, topology_measures
from baimo.experiments.figures import forest
from baimo.experiments.report import folder
from baimo.experiments.run.cells import PAIRED, QUIET, run_cells
from baimo.experiments.run.compose import UserError, compose_run, only_settings
from baimo.world.engine.clock import Clock


def topology_text(frame: pl.DataFrame, cfg: DictConfig) -> str:
    """The report in Markdown: levels of the reference, differences, and what is null."""
    graph = cfg.graph
    lines = [
        f"# What the topology of acquaintance does ({cfg.worlds} worlds, seed {cfg.seed}, {cfg.steps} steps)",
        "",
        f"Paired differences to the small world of rewiring {graph.rewiring:g} and degree {graph.degree} (its level in",
        "the first row); in brackets 95% intervals (paired t). `*` beyond two standard errors; `**` where the false",
        f"discovery rate over all {frame.height} tests (Benjamini and Hochberg) is below 5%, too.",
        "",
    ]
    labels = list(dict.fromkeys(frame["label"]))
    lines += ["| | " + " | ".join(labels) + " |", "|---" * (len(labels) + 1) + "|"]
    first = {row["label"]: row["without"] for row in frame.iter_rows(named=True)}
    lines.append("| small world | " + " | ".join(f"{first[label]:.3g}" for label in labels) + " |")
    for (name,), part in frame.group_by("topology", maintain_order=True):
        lines.append(f"| {name} | " + " | ".join(_cell(row) for row in part.iter_rows(named=True)) + " |")
    return "\n".join([*lines, "", *_answers(frame)]) + "\n"


def _cell(row: dict) -> str:
    ends = (paired.effect_number(row, key) for key in ("low", "high"))
    return f"{paired.effect_number(row)} [{', '.join(ends)}]{paired.marks(row)}"


def _answers(frame: pl.DataFrame) -> list[str]:
    """One line a question: what stands among all tests, or that nothing does."""
    lines = []
    for (question,), part in frame.group_by("question", maintain_order=True):
        sure = [row for row in part.iter_rows(named=True) if paired.marks(row) == "**"]
        named = "; ".join(f"{row['topology']}: {row['label']} {paired.effect_number(row)}" for row in sure)
        rest = f" The other {part.height - len(sure)} differences are null." if len(sure) < part.height else ""
        lines += [f"- **{question}**: {named}.{rest}" if sure else f"- **{question}**: null, no topology moves it."]
    return lines


# ---------------------------------------------------------------------- the command


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be typed."""
    parser.add_argument("settings", nargs="*", metavar="key=value", help="settings, as of baimo (default worlds=64)")
    parser.add_argument("--graphml", metavar="FILE", help="compare ties read from this file, too")


def command(options: argparse.Namespace) -> None:
    """Run, compare, write and print."""
    words = only_settings(options.settings, "topology")
    taken = next((word for word in words if word.startswith("graph")), None)
    if taken:
        raise UserError(f"{taken}: the graph is what is compared here; leave it out")
    base = [*PAIRED, *words, *QUIET]
    cfg = compose_run([*base, *REFERENCE])
    if cfg.worlds < 2:
        raise UserError(f"worlds={cfg.worlds}: must be at least 2, for an interval")
    chosen = {label: compose_run([*base, *extra]) for label, extra in topologies(options.graphml).items()}
    # The slow ones first, so that no process waits for one of them at the end.
    order = sorted(chosen, key=lambda label: label != "complete")
    reference, *folders = run_cells([cfg, *(chosen[label] for label in order)], "topology", int(cfg.processes))
    runs = dict(zip(order, folders, strict=True))
    facts = {"reference": reference.name, "compared": [[label, runs[label].name] for label in chosen]}
    place = folder.report_folder(reference.parent, facts)

    def fill(part: Path) -> None:
        found = topology_measures(Clock(cfg.start, cfg.clock).months)
        frame = topology_effects({label: runs[label] for label in chosen}, reference, found)
        frame.write_parquet(part / "topology.parquet")
        (part / "topology.md").write_text(topology_text(frame, cfg), encoding="utf-8")
        forest.draw_forest(frame, part)

    fresh = folder.write_report_folder(place, facts, fill)
    print((place / "topology.md").read_text(encoding="utf-8"))
    print(f"{'files' if fresh else 'already there'}   {place}")
