"""The figure of a comparison of topologies: differences with their intervals, a panel a measure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from baimo.experiments.analysis import paired
from baimo.experiments.figures import summary


def draw_forest(frame: pl.DataFrame, folder: Path) -> None:
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
    summary.save(figure, folder, "topology")


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
