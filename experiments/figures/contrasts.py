"""Figures of comparisons: a heat map of what mechanisms add, and forests of what topologies change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from baimo.experiments.analysis import paired
from baimo.experiments.analysis.paired import LAST_YEAR, Outcome
from baimo.experiments.figures import summary

#: Most rows of one panel; more stand side by side.
ROWS = 48
#: Effects beyond so many standard deviations look alike.
MOST = 1.5


def draw_heat_map(frame: pl.DataFrame, outcomes: Sequence[Outcome], folder: Path) -> None:
    """Draw ``effects.png`` and ``effects.pdf`` of a table of effects (:mod:`baimo.experiments.analysis.ablate`)."""
    last = frame.filter(pl.col("period") == LAST_YEAR)
    rows = list(dict.fromkeys(last.select("label", "scenario").iter_rows()))
    longest = -(-len(rows) // -(-len(rows) // ROWS))
    panels = [rows[i : i + longest] for i in range(0, len(rows), longest)]
    figure = Figure(figsize=(6.6 * len(panels), 2.6 + 0.24 * longest), layout="constrained")
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, part in zip(grid, panels, strict=True):
        image = _panel(axes, last, part, outcomes, longest)
    bar = figure.colorbar(image, ax=list(grid), location="bottom", shrink=0.5, aspect=50, pad=0.01)
    bar.set_label("effect (with less without) in standard deviations over worlds; grey: undefined", fontsize=9)
    figure.suptitle(
        f"What each mechanism adds, {LAST_YEAR}   ● q < 0.05   ○ beyond two standard errors",
        fontsize=11,
    )
    summary.save(figure, folder, "effects")


def _panel(axes: Axes, last: pl.DataFrame, rows: Sequence[tuple], outcomes: Sequence[Outcome], longest: int):
    found = {(r["label"], r["scenario"], r["column"]): r for r in last.iter_rows(named=True)}
    cells = [[found.get((*row, each.column)) for each in outcomes] for row in rows]
    values = np.array([[_value(cell) for cell in line] for line in cells]).reshape(len(rows), len(outcomes))
    names = [f"{label}{' (scenario)' if where else ''}" for label, where in rows]
    image = tiles(axes, values, names, [each.label for each in outcomes], cmap="RdBu_r", vmin=-MOST, vmax=MOST)
    axes.set_ylim(longest - 0.5, -0.5)
    for y, line in enumerate(cells):
        for x, cell in enumerate(line):
            if cell is not None and abs(cell["t"] or 0.0) > 2.0:
                face = "black" if cell["q"] < 0.05 else "none"
                axes.plot(x, y, "o", markersize=4, markerfacecolor=face, markeredgecolor="black", markeredgewidth=0.7)
    return image


def tiles(
    axes: Axes,
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    cmap: str,
    size: float = 8,
    **options: Any,
) -> AxesImage:
    """Tiles with names beside and above them; what is undefined is grey.

    Parameters
    ----------
    values : array (rows, columns)
    size : float
        Of the names, in points.
    **options
        Of ``imshow``.
    """
    colours = colormaps[cmap].with_extremes(bad="0.85")
    image = axes.imshow(np.ma.masked_invalid(values), cmap=colours, aspect="auto", **options)
    axes.set_yticks(range(len(rows)), rows, fontsize=size)
    axes.set_xticks(range(len(columns)), columns, fontsize=size, rotation=35, ha="left")
    axes.xaxis.tick_top()
    axes.tick_params(which="both", length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_xticks(np.arange(-0.5, len(columns)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(rows)), minor=True)
    axes.grid(which="minor", color="white", linewidth=1)
    return image


def _value(cell: dict | None) -> float:
    if cell is None or cell["standardised"] is None:
        return np.nan
    return float(np.clip(cell["standardised"], -MOST, MOST))


def draw_forest(frame: pl.DataFrame, folder: Path) -> None:
    """Draw ``topology.png`` and ``topology.pdf``: a forest plot a measure."""
    labels, names = (frame[key].unique(maintain_order=True).to_list() for key in ("label", "topology"))
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
