"""What the shape of acquaintance does: topologies are compared.

Speed of spillover, inequality and survival under each topology of ``knows``, against the small
world of the baseline, in twin worlds. Words are settings as of ``baimo`` (``worlds=16 seed=7``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from baimo.experiments.analysis import paired
from baimo.experiments.analysis.paired import LAST_YEAR, WHOLE_RUN, Outcome

REFERENCE = ("graph=small_world",)


@dataclass(frozen=True)
class Measure:
    """An outcome over a period, and the question that it answers."""

    question: str
    outcome: Outcome
    period: str


def topology_measures(step_months: float) -> list[Measure]:
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


def topology_effects(runs: dict[str, Path], reference: Path, compared: Sequence[Measure]) -> pl.DataFrame:
    """The table of effects: each topology less the reference, one row a topology and measure."""
    rows = [
        {"topology": label, "question": each.question, "label": each.outcome.label} | row
        for label, folder in runs.items()
        for each in compared
        for row in paired.effect_rows(folder, reference, [each.outcome], [each.period])
    ]
    return paired.with_q(pl.DataFrame(rows, infer_schema_length=None), [])
