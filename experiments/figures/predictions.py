"""Figure of the predictions: the model's answers by year, a panel a claim."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

import polars as pl

from baimo.experiments.analysis.predictions import YEARS, verdicts
from baimo.experiments.figures import paper

_BY_VERDICT = {"borne out": "#009E73", "open": "#999999", "contradicted": "#D55E00"}


def draw_predictions(frame: pl.DataFrame, folder: Path) -> None:
    """Draw medians and bands of all claims by year, coloured by what the model says to them; ``predictions.png``."""
    said = verdicts(frame)
    numbers = frame["number"].unique(maintain_order=True).to_list()
    with paper.style():
        figure, panels = paper.sheet(len(numbers), 3, height=1.3)
        for axes, number in zip(panels, numbers, strict=False):
            part = frame.filter(pl.col("number") == number)
            colour, first = _BY_VERDICT[said.get(number, "open")], part.row(0, named=True)
            axes.fill_between(part["year"], part["low"], part["high"], color=colour, alpha=0.2, linewidth=0)
            axes.plot(part["year"], part["median"], color=colour)
            spoken = part.filter("foretold")
            axes.plot(spoken["year"], spoken["median"], "o", color=colour, markersize=3)
            axes.set_title(fill(f"{first['article']} {first['says']}", 24), fontsize=3.9)
            axes.set_ylabel(fill(first["answer"], 22), fontsize=4.2)
            axes.tick_params(labelsize=4.5)
            axes.set_xticks(YEARS, [str(year)[2:] for year in YEARS])
        figure.savefig(folder / "predictions.png", dpi=paper.DPI)
