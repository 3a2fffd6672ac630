"""What the shape of acquaintance does: ``python -m baimo.experiments.topology`` compares topologies.

Speed of spillover, inequality and survival under each topology of ``knows``, against the small
world of the baseline, in twin worlds. Words are settings as of ``baimo`` (``worlds=16 seed=7``).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from omegaconf import DictConfig

from baimo.experiments.analysis import paired
from baimo.experiments.analysis.paired import LAST_YEAR, WHOLE_RUN, Outcome
from baimo.experiments.run import reports
from baimo.experiments.run.cells import QUIET, run_cells
from baimo.experiments.run.compose import UserError, settings
from baimo.world.engine.clock import Clock

DEFAULTS = ("worlds=64", "block=32", "scenario=baseline")
REFERENCE = ("graph=small_world",)


@dataclass(frozen=True)
class Measure:
    """An outcome over a period, and the question that it answers."""

    question: str
    outcome: Outcome
    period: str


def measures(step_months: float) -> list[Measure]:
    """What is compared; hazards and waits are turned into years and months."""
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


def effects(runs: dict[str, Path], reference: Path, compared: Sequence[Measure]) -> pl.DataFrame:
    """The table of effects: each topology less the reference, one row a topology and measure."""
    rows = [
        {"topology": label, "question": each.question, "label": each.outcome.label} | row
        for label, folder in runs.items()
        for each in compared
        for row in paired.effects(folder, reference, [each.outcome], [each.period])
    ]
    return paired.with_q(pl.DataFrame(rows, infer_schema_length=None), [])


# ---------------------------------------------------------------------- text and figure


def text(frame: pl.DataFrame, cfg: DictConfig) -> str:
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
    ends = (paired.number(row, key) for key in ("low", "high"))
    return f"{paired.number(row)} [{', '.join(ends)}]{paired.marks(row)}"


def _answers(frame: pl.DataFrame) -> list[str]:
    """One line a question: what stands among all tests, or that nothing does."""
    lines = []
    for (question,), part in frame.group_by("question", maintain_order=True):
        sure = [row for row in part.iter_rows(named=True) if paired.marks(row) == "**"]
        named = "; ".join(f"{row['topology']}: {row['label']} {paired.number(row)}" for row in sure)
        rest = f" The other {part.height - len(sure)} differences are null." if len(sure) < part.height else ""
        lines += [f"- **{question}**: {named}.{rest}" if sure else f"- **{question}**: null, no topology moves it."]
    return lines


def draw(frame: pl.DataFrame, folder: Path) -> None:
    """Draw ``topology.png`` and ``topology.pdf``: a forest plot a measure."""
    labels = list(dict.fromkeys(frame["label"]))
    names = list(dict.fromkeys(frame["topology"]))
    across = -(-len(labels) // 2)
    figure = Figure(figsize=(3.3 * across + 1.5, 2 * (1.2 + 0.26 * len(names))), layout="constrained")
    grid = figure.subplots(2, across, sharey=True, squeeze=False)
    for axes, label in zip(grid.flat, labels, strict=False):
        _forest(axes, frame.filter(pl.col("label") == label), names)
    for axes in grid.flat[len(labels) :]:
        axes.set_visible(False)
    figure.suptitle("Topology of acquaintance: difference to the baseline's small world, 95% interval", fontsize=11)
    figure.supxlabel("filled: false discovery rate below 5%", fontsize=9, color="0.4")
    for kind, metadata in (("pdf", {"CreationDate": None}), ("png", {"Software": None})):
        figure.savefig(folder / f"topology.{kind}", dpi=130, metadata=metadata)


def _forest(axes: Axes, part: pl.DataFrame, names: Sequence[str]) -> None:
    axes.axvline(0.0, color="0.6", linewidth=0.8)
    for row in part.iter_rows(named=True):
        sure = paired.marks(row) == "**"
        axes.errorbar(
            row["effect"],
            names.index(row["topology"]),
            xerr=[[row["effect"] - row["low"]], [row["high"] - row["effect"]]],
            fmt="o",
            markersize=4.5,
            color="#0072B2",
            markerfacecolor="#0072B2" if sure else "white",
            elinewidth=1,
        )
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_title(part["label"][0], fontsize=9, loc="left")
    axes.locator_params(axis="x", nbins=5)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)


# ---------------------------------------------------------------------- the command


def main(words: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = reports.Parser(prog="python -m baimo.experiments.topology", description=__doc__.split("\n")[0])
    parser.add_argument("settings", nargs="*", metavar="key=value", help="settings, as of baimo (default worlds=64)")
    parser.add_argument("--graphml", metavar="FILE", help="compare ties read from this file, too")
    options = parser.parse_intermixed_args(words)
    return reports.command("topology", lambda: compare(options), options.settings)


def compare(options: Any) -> Path:
    """Run, compare, write and print; returns the folder of the report."""
    words = reports.overrides(options.settings, "topology")
    taken = next((word for word in words if word.startswith("graph")), None)
    if taken:
        raise UserError(f"{taken}: the graph is what is compared here; leave it out")
    base = [*DEFAULTS, *words, *QUIET]
    cfg = settings([*base, *REFERENCE])
    if cfg.worlds < 2:
        raise UserError(f"worlds={cfg.worlds}: must be at least 2, for an interval")
    chosen = {label: settings([*base, *extra]) for label, extra in topologies(options.graphml).items()}
    # The slow ones first, so that no process waits for one of them at the end.
    order = sorted(chosen, key=lambda label: label != "complete")
    reference, *folders = run_cells([cfg, *(chosen[label] for label in order)], "topology", int(cfg.processes))
    runs = dict(zip(order, folders, strict=True))
    facts = {"reference": reference.name, "compared": [[label, runs[label].name] for label in chosen]}
    here = Path(__file__).parent
    code = [here / name for name in ("topology.py", "paired.py")]
    folder = reports.report_folder(reference.parent, facts, code)

    def fill(part: Path) -> None:
        found = measures(Clock(cfg.start, cfg.clock).months)
        frame = effects({label: runs[label] for label in chosen}, reference, found)
        frame.write_parquet(part / "topology.parquet")
        (part / "topology.md").write_text(text(frame, cfg), encoding="utf-8")
        draw(frame, part)

    fresh = reports.write(folder, facts, fill)
    print((folder / "topology.md").read_text(encoding="utf-8"))
    print(f"{'files' if fresh else 'already there'}   {folder}")
    return folder


if __name__ == "__main__":
    sys.exit(main())
