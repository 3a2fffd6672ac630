"""Effects of the topology of acquaintance, each against the small world of the baseline, and their report.

Speed of spillover, inequality and survival, in paired worlds. Words are settings as of ``baimo``
(``worlds=16 seed=7``).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from omegaconf import DictConfig

from baimo.experiments.analysis import paired, tables
from baimo.experiments.analysis.paired import LAST_YEAR, WHOLE_RUN, Outcome
from baimo.experiments.figures import contrasts
from baimo.experiments.report import folder
from baimo.experiments.run.cells import paired_settings, run_cells
from baimo.experiments.run.compose import UserError, compose_run
from baimo.world.engine.clock import Clock

REFERENCE = ("graph=small_world",)


@dataclass(frozen=True)
class Measure:
    """An outcome over a period, and the question that it answers."""

    question: str
    outcome: Outcome
    period: str


def topology_measures(step_months: float) -> list[Measure]:
    """Measures to compare; hazards and waits are turned into years and months."""
    unknown = pl.col("know_best_base_share_cn") < 0.5
    fresh = (pl.col("best_base_cn").diff() > 1e-9).sum()
    wait = pl.when(fresh > 0).then(unknown.sum() * step_months / fresh)
    hazard = pl.col("lab_exits_cn").sum() / pl.col("labs_alive_cn").sum() * (12.0 / step_months)
    speed, inequality, survival = "speed of spillover", "inequality", "survival"
    return [
        Measure(speed, Outcome("months_to_half", "months until half know a new best base", wait), WHOLE_RUN),
        Measure(speed, Outcome("know_best_base_share_cn", "share that knows the best base"), WHOLE_RUN),
        Measure(speed, Outcome("efficiency_spread_cn", "spread of efficiency, ln"), LAST_YEAR),
        Measure(inequality, Outcome("gini_cash_cn", "Gini of cash"), LAST_YEAR),
        Measure(inequality, Outcome("gini_tokens_cn", "Gini of tokens"), LAST_YEAR),
        Measure(inequality, Outcome("gini_compute_cn", "Gini of compute"), LAST_YEAR),
        Measure(survival, Outcome("labs_alive_cn", "labs alive"), LAST_YEAR),
        Measure(survival, Outcome("exit_hazard", "exits a lab and year", hazard), WHOLE_RUN),
    ]


def topologies(file: str | None) -> dict[str, tuple[str, ...]]:
    """Overrides of each topology by its label."""
    found = {f"rewiring {share:g}": (*REFERENCE, f"graph.rewiring={share}") for share in (0.0, 0.01, 0.3, 1.0)}
    found |= {f"degree {ties}": (*REFERENCE, f"graph.degree={ties}") for ties in (2, 4, 16, 32)}
    found |= {name.replace("_", " "): (f"graph={name}",) for name in ("scale_free", "blocks", "complete", "empty")}
    return found | ({Path(file).name: ("graph=graphml", f"graph.path='{file}'")} if file else {})


def topology_effects(runs: Mapping[str, Path], reference: Path, compared: Sequence[Measure]) -> pl.DataFrame:
    """The table of effects: each topology less the reference, one row a topology and measure."""
    rows = [
        {"topology": label, "question": each.question, "label": each.outcome.label} | row
        for label, folder in runs.items()
        for each in compared
        for row in paired.effect_rows(folder, reference, [each.outcome], [each.period])
    ]
    return paired.with_q(pl.DataFrame(rows, infer_schema_length=None), [])


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
        contrasts.draw_forest(frame, part)

    place, fresh = folder.write_report_folder(reference.parent, facts, fill)
    print((place / "topology.md").read_text(encoding="utf-8"))
    folder.print_report_folder(place, fresh)
