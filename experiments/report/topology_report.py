"""The report of a comparison of topologies: levels, differences and answers as a table, text and a figure."""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl
from omegaconf import DictConfig

from baimo.experiments.analysis import paired, tables
from baimo.experiments.analysis.topology import REFERENCE, topologies, topology_effects, topology_measures
from baimo.experiments.figures import forest
from baimo.experiments.report import folder
from baimo.experiments.run.cells import paired_settings, run_cells
from baimo.experiments.run.compose import UserError, compose_run
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
    first = {row["label"]: row["without"] for row in frame.iter_rows(named=True)}
    rows = [["small world", *(f"{first[label]:.3g}" for label in labels)]]
    for (name,), part in frame.group_by("topology", maintain_order=True):
        rows.append([name, *(paired.effect_cell(row) for row in part.iter_rows(named=True))])
    return "\n".join([*lines, *tables.markdown_table(["", *labels], rows), "", *_answers(frame)]) + "\n"


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
    taken = next((word for word in options.settings if word.startswith("graph") and "=" in word), None)
    if taken:
        raise UserError(f"{taken}: the graph is what is compared here; leave it out")
    words, cfg = paired_settings(options.settings, "topology", REFERENCE)
    chosen = {label: compose_run([*words, *extra]) for label, extra in topologies(options.graphml).items()}
    # The slow ones first, so that no process waits for one of them at the end.
    order = sorted(chosen, key=lambda label: label != "complete")
    reference, *folders = run_cells([cfg, *(chosen[label] for label in order)], "topology", int(cfg.processes))
    runs = dict(zip(order, folders, strict=True))
    facts = {"reference": reference.name, "compared": [[label, runs[label].name] for label in chosen]}

    def fill(part: Path) -> None:
        found = topology_measures(Clock(cfg.start, cfg.clock).months)
        frame = topology_effects({label: runs[label] for label in chosen}, reference, found)
        frame.write_parquet(part / "topology.parquet")
        (part / "topology.md").write_text(topology_text(frame, cfg), encoding="utf-8")
        forest.draw_forest(frame, part)

    place, fresh = folder.write_report_folder(reference.parent, facts, fill)
    print((place / "topology.md").read_text(encoding="utf-8"))
    folder.print_report_folder(place, fresh)
