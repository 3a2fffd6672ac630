"""Figures of runs: here the summary, twelve small multiples against what was observed.

``baimo figures RUN...`` draws it again, and the figures for a paper: one file a family
(``industry``, ``markets``, ``networks``, ``effects``), each with its caption (``catalogue``).
"""

from __future__ import annotations

import csv
import datetime as dt
import os
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import matplotlib.dates as mdates
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from baimo.experiments.read import load

# Okabe and Ito: told apart by every kind of colour vision, and in this order also in grey.
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#000000",
)


class Line(NamedTuple):
    """A column to draw: its label, colour, and a factor to the unit of the panel."""

    column: str
    label: str
    colour: str
    scale: float = 1.0


class Panel(NamedTuple):
    """One small multiple; ``right`` is drawn against a second axis in its own unit."""

    title: str
    unit: str
    lines: tuple[Line, ...]
    log: bool = False
    right: tuple[Line, ...] = ()
    right_unit: str = ""


def _two_units(title: str, left: tuple[str, str, str], right: tuple[str, str, str]) -> Panel:
    """Two columns, each with an axis of its own: unit, column, label."""
    (unit, *mine), (right_unit, *other) = left, right
    return Panel(title, unit, (Line(*mine, BLUE),), right=(Line(*other, RED),), right_unit=right_unit)


PANELS = (
    Panel(
        "Labs alive in China",
        "labs",
        (Line("labs_alive_cn", "all", BLUE), Line("labs_from_scratch_cn", "train from scratch", ORANGE)),
    ),
    Panel(
        "Models in China",
        "models, cumulative",
        (Line("models_released_cn", "released", BLUE), Line("models_filed_cn", "filed", ORANGE)),
    ),
    Panel(
        "Frontier",
        "capability, OOM",
        (
            Line("frontier_all", "all", BLACK),
            Line("frontier_cn", "China", BLUE),
            Line("frontier_open", "open", GREEN),
            Line("frontier_open_cn", "open, China", ORANGE),
        ),
    ),
    Panel("China behind the frontier", "months", (Line("gap_cn_months", "gap", BLUE),)),
    Panel(
        "Largest training run",
        "FLOP",
        (Line("largest_run_row_flop", "elsewhere", BLACK), Line("largest_run_cn_flop", "China", BLUE)),
        log=True,
    ),
    Panel(
        "Chips in China",
        "H100 equivalents",
        (
            Line("h100e_cn_legal", "legal", BLUE),
            Line("h100e_cn_grey", "grey", RED),
            Line("h100e_cn_domestic", "domestic", GREEN),
        ),
        log=True,
    ),
    Panel(
        "Prices in China",
        "CNY / million tokens",
        (
            Line("price_flagship_cn", "flagship", BLUE),
            Line("price_light_cn", "light", SKY),
            Line("price_gpt35_level", "GPT-3.5 level", GREEN),
            Line("price_gpt4_level", "GPT-4 level", RED),
        ),
        log=True,
    ),
    Panel("Tokens in China", "tokens a day", (Line("tokens_day_cn", "tokens", BLUE, 1e6),), log=True),
    Panel(
        "Concentration in China",
        "HHI, 0 to 1",
        (
            Line("hhi_tokens_cn", "tokens", BLUE),
            Line("hhi_revenue_cn", "revenue", ORANGE),
            Line("hhi_users_cn", "users", GREEN),
        ),
    ),
    _two_units(
        "Apps in China",
        ("apps alive", "apps_alive_cn", "alive"),
        ("months", "app_lifeline_median_months", "median lifeline"),
    ),
    _two_units(
        "Hype and funding",
        ("hype, index", "hype", "hype"),
        ("CNY million a month", "funding_cn", "funding"),
    ),
    _two_units(
        "Chip scarcity",
        ("USD / hour", "price_h100_rent_usd_hour", "rent of an H100"),
        ("share of list price", "grey_premium", "grey premium"),
    ),
)

# Facts that have an output column: id of the fact, column, factor to the unit of the column.
# Year sums and figures about single firms have none and are not drawn.
OBSERVED = {
    "labs_cn_listed": ("labs_alive_cn", 1.0),
    "labs_cn_from_scratch": ("labs_from_scratch_cn", 1.0),
    "models_cn_ccid": ("models_released_cn", 1.0),
    "filings_cn": ("models_filed_cn", 1.0),
    "largest_run_cn": ("largest_run_cn_flop", 1.0),
    "largest_run_world": ("largest_run_row_flop", 1.0),
    "cn_stock_h100e": ("h100e_cn_legal", 1.0),
    "api_price_pre": ("price_flagship_cn", 1.0),
    "tokens_day_cn": ("tokens_day_cn", 1e-6),  # tokens to million tokens
    "h100_rent": ("price_h100_rent_usd_hour", 1.0),
    "smuggling_premium": ("grey_premium", 1.0),
}


class Fact(NamedTuple):
    """An observation of an output column, with its range and the time it speaks of."""

    column: str
    first: dt.date
    last: dt.date
    value: float
    low: float
    high: float

    @property
    def middle(self) -> dt.date:
        """Middle of the time it speaks of."""
        return self.first + (self.last - self.first) / 2


def calibration() -> dict[str, dict[str, str]]:
    """Rows of conf/facts/calibration.csv by their ids, of several dates the last."""
    return {row["id"]: row for row in rows("calibration.csv")}


def range_of(row: dict[str, str]) -> list[float]:
    """Value, low and high end of an observation."""
    return [float(row[name] or row["value"]) for name in ("value", "low", "high")]


def facts() -> list[Fact]:
    """Observations of conf/facts/calibration.csv that an output column stands for."""
    found = []
    for row in (row for row in rows("calibration.csv") if row["id"] in OBSERVED):
        column, factor = OBSERVED[row["id"]]
        found.append(Fact(column, *period(row["date"]), *(each * factor for each in range_of(row))))
    return found


def policy_dates() -> list[dt.date]:
    """Dates of conf/facts/policy_timeline.csv."""
    return sorted({period(row["date"])[0] for row in rows("policy_timeline.csv")})


def period(text: str) -> tuple[dt.date, dt.date]:
    """First and last day of a written day, month, year, or span of them.

    Examples
    --------
    >>> period("2023-06")
    (datetime.date(2023, 6, 1), datetime.date(2023, 6, 30))
    >>> period("2022-2024")[1]
    datetime.date(2024, 12, 31)
    """
    if len(text) == 9:  # 2022-2024
        first, last = text.split("-")
        return period(first)[0], period(last)[1]
    span = np.datetime64(text)  # a day, month or year, as it is written
    return span.astype("datetime64[D]").item(), ((span + 1).astype("datetime64[D]") - 1).item()


def rows(name: str) -> Iterator[dict[str, str]]:
    """Rows of a table of conf/facts."""
    with (files("baimo.conf") / "facts" / name).open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def draw_summary(run_folder: str | os.PathLike[str]) -> Path:
    """Draw figures/summary.png and figures/summary.pdf of a run.

    Parameters
    ----------
    run_folder : path
        Folder of a complete run.

    Returns
    -------
    pathlib.Path
        The PNG.
    """
    (folder,) = load.run_folders(run_folder)
    market = load.market(folder)
    columns = [line.column for panel in PANELS for line in (*panel.lines, *panel.right)]
    frame = load.bands(market, columns)
    worlds, scenario = market.select(pl.col("replicate").n_unique(), pl.first("scenario")).collect().row(0)
    observed = [fact for fact in facts() if frame["date"].min() <= fact.middle <= frame["date"].max()]
    # A Figure of its own, not pyplot's: nothing of a notebook that calls this is changed.
    figure = Figure(figsize=(17, 10.5), layout="constrained")
    grid = figure.subplots(3, 4)
    for axes, panel in zip(grid.flat, PANELS, strict=True):
        _draw_panel(axes, panel, frame, observed)
    spread = f"median and 90% band of {worlds} worlds" if worlds > 1 else "one world"
    figure.suptitle(f"{scenario}  (run {folder.name}; {spread})", fontsize=13)
    figure.supxlabel("points: observed, with their range    grey lines: policy dates", fontsize=9, color="0.4")
    return save(figure, folder / "figures", "summary")


def _draw_panel(axes: Axes, panel: Panel, frame: pl.DataFrame, observed: list[Fact]) -> None:
    axes.set_title(panel.title, fontsize=10, loc="left", fontweight="bold")
    axes.set_ylabel(panel.unit, fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines["top"].set_visible(False)
    first, last = frame["date"].min(), frame["date"].max()
    for date in policy_dates():
        if first <= date <= last:
            axes.axvline(date, color="0.85", linewidth=0.7, zorder=0)
    draw_lines(axes, panel.lines, frame, observed)
    if panel.log:
        axes.set_yscale("log", nonpositive="mask")
    else:
        from_zero(axes)
    handles, labels = axes.get_legend_handles_labels()
    if panel.right:
        other = axes.twinx()
        other.spines["top"].set_visible(False)
        other.tick_params(labelsize=8, colors=panel.right[0].colour)
        other.set_ylabel(panel.right_unit, fontsize=8, color=panel.right[0].colour)
        draw_lines(other, panel.right, frame, observed)
        from_zero(other)
        handles, labels = (a + b for a, b in zip((handles, labels), other.get_legend_handles_labels(), strict=True))
    if first < last:
        axes.set_xlim(first, last)
    axes.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=3, maxticks=6))
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(axes.xaxis.get_major_locator()))
    if len(handles) > 1:
        axes.legend(handles, labels, fontsize=7, frameon=False)


def from_zero(axes: Axes) -> None:
    """Let the vertical axis begin at nothing, unless something lies below."""
    if axes.dataLim.y0 >= 0:
        axes.set_ylim(bottom=0.0)


def draw_lines(axes: Axes, lines: Sequence[Line], frame: pl.DataFrame, observed: list[Fact]) -> None:
    """Medians with their bands, and the facts that speak of them."""
    for line in lines:
        if line.column not in frame.columns:
            continue
        middle, low, high = (frame[line.column + end] * line.scale for end in ("", "_low", "_high"))
        axes.plot(frame["date"], middle, color=line.colour, linewidth=1.5, label=line.label)
        axes.fill_between(frame["date"], low, high, color=line.colour, alpha=0.18, linewidth=0)
        for fact in observed:
            if fact.column == line.column:
                draw_fact(axes, fact, line)


def draw_fact(axes: Axes, fact: Fact, line: Line) -> None:
    """A point at the middle of the time it speaks of, with that time and its range as bars."""
    value, low, high = (number * line.scale for number in (fact.value, fact.low, fact.high))
    axes.errorbar(
        [fact.middle],
        [value],
        xerr=[[fact.middle - fact.first], [fact.last - fact.middle]],
        yerr=[[value - low], [high - value]],
        fmt="o",
        color=line.colour,
        markeredgecolor="white",
        markersize=5,
        elinewidth=1,
        zorder=5,
    )


def save(figure: Figure, folder: Path, name: str, dpi: int = 130) -> Path:
    """Write ``<name>.pdf`` and ``<name>.png`` into a folder, each whole or not at all; returns the PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    # No dates inside, so that equal runs give equal files.
    for kind, metadata in (("pdf", {"CreationDate": None}), ("png", {"Software": None})):
        target = folder / f"{name}.{kind}"
        unfinished = folder / f".{name}.{os.getpid()}.{kind}"
        try:
            figure.savefig(unfinished, dpi=dpi, metadata=metadata)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
    return target
