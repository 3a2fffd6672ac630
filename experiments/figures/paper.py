"""Common parts of figures for a paper: sizes, fonts, bands over worlds, facts, policy dates, captions."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.dates as mdates
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from baimo.experiments.figures import summary
from baimo.experiments.figures.summary import Line, Panel
from baimo.experiments.read import load

#: Inches: one column of a page of two. All figures are that wide, so that no editor shrinks their letters.
COLUMN = 3.4
#: Pixels an inch of the PNG.
DPI = 300
#: How the dates of each kind of policy are drawn.
POLICY_LINES = {
    "export_control": ("export control", "-"),
    "product_response": ("chip made for the rule", (0, (1, 2))),
    "licensing": ("licensing", "--"),
    "open_release": ("foreign open weights", "-."),
}
#: Columns of a design that are no parameters (``luck`` is the id of the random numbers).
_OF_DESIGN = ("replicate", "point", "luck", "run")
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "legend.labelspacing": 0.3,
    "legend.borderaxespad": 0.3,
    "lines.linewidth": 1.2,
    "pdf.fonttype": 42,  # fonts a journal can embed and an editor can change
    "svg.hashsalt": "figures",
}


class Missing(ValueError):
    """A figure cannot be drawn: what it needs is not there."""


@dataclass(frozen=True)
class Drawing:
    """A finished figure and the text below it.

    Parameters
    ----------
    title : str
    figure : Figure
    caption : str
    """

    title: str
    figure: Figure
    caption: str


@dataclass(frozen=True)
class Source:
    """Runs of the same settings that are drawn as one: several seeds, or one run.

    Parameters
    ----------
    label : str
        Name of the scenario or of what is set.
    folders : tuple of Path
        Complete runs.
    """

    label: str
    folders: tuple[Path, ...]

    def table(self, name: str, *columns: str) -> pl.LazyFrame:
        """A table with the columns that a figure needs.

        Raises
        ------
        Missing
            Where the runs did not keep the table, or not these columns, or it is empty.
        """
        try:
            frame = load.table(name, *self.folders)
        except (FileNotFoundError, ValueError) as error:
            # Without the folders: a caption is read elsewhere.
            raise Missing(str(error).partition(" in the ")[0].partition(" at ")[0]) from error
        lacking = [column for column in columns if column not in frame.collect_schema()]
        if lacking:
            raise Missing(f"{name}.parquet has no column {', '.join(lacking)}")
        return frame

    def market(self, *columns: str) -> pl.LazyFrame:
        """The market table."""
        return self.table("market", *columns)

    def bands(self, *columns: str) -> pl.DataFrame:
        """Median, 5% and 95% over worlds of columns of the market table, which it must have."""
        return load.bands(self.market(*columns), columns)

    @functools.cached_property
    def worlds(self) -> int:
        """Number of worlds."""
        return self.market().select(pl.struct("run", "replicate").n_unique()).collect().item()

    @functools.cached_property
    def first_world(self) -> dict[str, object]:
        """Run and number of the first world: panels are kept for it if for any."""
        return self.market().select("run", "replicate").sort(pl.all()).first().collect().to_dicts()[0]

    def in_first_world(self, name: str, *columns: str) -> pl.DataFrame:
        """Rows of a table in the first world."""
        world = self.first_world
        here = (pl.col("run") == world["run"]) & (pl.col("replicate") == world["replicate"])
        frame = self.table(name, *columns).filter(here).collect()
        if not frame.height:
            raise Missing(f"{name}.parquet has no row of world {world['replicate']}")
        return frame

    @functools.cached_property
    def design(self) -> list[str]:
        """Parameters that vary between the worlds of a design; none of other runs."""
        if not all((folder / "design.parquet").exists() for folder in self.folders):
            return []
        return [name for name in load.design(*self.folders).collect_schema() if name not in _OF_DESIGN]

    def over(self, wanted: Sequence[str]) -> Sequence[str]:
        """Two parameters of the design: those wanted, else those that there are.

        Raises
        ------
        Missing
            Where that is not clear.
        """
        if len(self.design) < 2:
            raise Missing(f"a phase diagram takes two parameters, the design varies {', '.join(self.design)} alone")
        chosen = [*wanted] or self.design
        if len(chosen) != 2 or not set(chosen) <= set(self.design):
            raise Missing(f"the design varies {', '.join(self.design)}; name two of them: --over a,b")
        return chosen

    def said(self) -> str:
        """Label and names of the runs, for a caption."""
        runs = ", ".join(folder.name for folder in self.folders[:3]) + (", …" if len(self.folders) > 3 else "")
        design = f"; worlds differ in {', '.join(self.design)}" if self.design else ""
        return f"{self.label} (run{'s' if len(self.folders) > 1 else ''} {runs}{design})"

    def spread(self) -> str:
        """Meaning of lines and bands, for a caption."""
        if self.worlds == 1:
            return "One world, no band."
        return f"Lines: median of {self.worlds} worlds; bands: 5% to 95% of worlds."


def style() -> AbstractContextManager[None]:
    """Fonts and lines of a paper, within a ``with``; nothing of a notebook that calls this is changed."""
    return mpl.rc_context(_STYLE)


def sheet(panels: int = 1, columns: int = 1, *, height: float = 1.75, **options: object) -> tuple[Figure, list[Axes]]:
    """A figure of some panels, each so many inches high, as wide as a column of a page."""
    rows = -(-panels // columns)
    figure = Figure(figsize=(COLUMN, height * rows), layout="constrained")
    grid = list(figure.subplots(rows, columns, squeeze=False, **options).flat)
    for spare in grid[panels:]:
        spare.set_visible(False)
    return figure, grid[:panels]


def titled(axes: Axes, letter: str, title: str, unit: str = "") -> None:
    """Letter and title of a panel, and the unit of its vertical axis."""
    axes.set_title(f"{letter} {title}".strip())
    axes.set_ylabel(unit)


def key(axes: Axes, columns: int = 4, *, heading: str = "", upwards: bool = False) -> None:
    """Key to the lines, between the title and the panel, where it hides nothing.

    Parameters
    ----------
    columns : int
        Entries side by side.
    heading : str
        What all entries are; behind the title.
    upwards : bool
        Whether streams are stacked: the topmost is named first.
    """
    handles, labels = axes.get_legend_handles_labels()
    turn = slice(None, None, -1) if upwards else slice(None)
    options = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "columnspacing": 1.0, "borderaxespad": 0.1}
    axes.legend(handles[turn], labels[turn], ncols=columns, handlelength=1.2, **options)
    title = axes.get_title(loc="left")
    axes.set_title(f"{title}, {heading}" if heading else title, pad=3.0 + 9.5 * -(-len(labels) // columns))


def dated(axes: Axes, first: dt.date, last: dt.date) -> None:
    """A horizontal axis of dates with those of policies."""
    for date, kind in policies():
        if first <= date <= last:
            axes.axvline(date, color="0.78", linewidth=0.7, linestyle=POLICY_LINES[kind][1], zorder=0)
    if first < last:
        axes.set_xlim(first, last)
    locator = mdates.YearLocator() if (last - first).days > 500 else mdates.AutoDateLocator(minticks=2, maxticks=5)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(
        mdates.DateFormatter("%Y") if (last - first).days > 500 else mdates.ConciseDateFormatter(locator)
    )


@functools.cache
def policies() -> tuple[tuple[dt.date, str], ...]:
    """Dates and kinds of conf/facts/policy_timeline.csv."""
    rows = summary.rows("policy_timeline.csv")
    return tuple(sorted((summary.period(row["date"])[0], row["instrument"]) for row in rows))


def policy_note(first: dt.date, last: dt.date) -> str:
    """Meaning of the grey lines, for a caption; nothing where none is drawn."""
    names = {"-": "solid", "--": "dashed", "-.": "dash-dotted"}
    kinds = dict.fromkeys(kind for date, kind in policies() if first <= date <= last)
    said = [f"{POLICY_LINES[kind][0]} ({names.get(POLICY_LINES[kind][1], 'dotted')})" for kind in kinds]
    return f"Grey lines: dated policies and news: {', '.join(said)}." if said else ""


def lines(axes: Axes, frame: pl.DataFrame, chosen: Sequence[Line], *, log: bool = False) -> list[str]:
    """Medians, bands and facts over time; returns the sources of the facts that are drawn."""
    first, last = frame["date"].min(), frame["date"].max()
    observed = [fact for fact in summary.facts() if first <= fact.middle <= last]
    summary.draw_lines(axes, chosen, frame, observed)
    if log:
        axes.set_yscale("log", nonpositive="mask")
    else:
        summary.from_zero(axes)
    dated(axes, first, last)
    shown = {line.column for line in chosen if line.column in frame.columns}
    return [fact.column for fact in observed if fact.column in shown]


def draw_panel(axes: Axes, letter: str, panel: Panel, frame: pl.DataFrame) -> list[str]:
    """Title, lines and key of a panel; returns the columns of the facts that are drawn."""
    titled(axes, letter, panel.title, panel.unit)
    drawn = lines(axes, frame, panel.lines, log=panel.log)
    key(axes)
    return drawn


def fact_note(drawn: Sequence[str]) -> str:
    """Meaning of the points, for a caption."""
    if not drawn:
        return ""
    many = "s" if len(drawn) > 1 else ""
    return f"Points with bars: {len(drawn)} observation{many} with range and the time spoken of (conf/facts)."


def end(frame: pl.DataFrame, column: str, digits: int = 3) -> str:
    """The last median with its band, for a caption: ``64.5 (52 to 81)``."""
    row = frame.filter(pl.col(column).is_not_null()).tail(1)
    if not row.height:
        return "undefined"
    middle, low, high = (number(row[column + part][0], digits) for part in ("", "_low", "_high"))
    return f"{middle} ({low} to {high})"


def number(value: float, digits: int = 3) -> str:
    """A number as a caption says it.

    Examples
    --------
    >>> number(64.46), number(123456.0), number(0.01234), number(3.5e25)
    ('64.5', '123,000', '0.0123', '3.5e+25')
    """
    if abs(value) >= 1e6:
        return f"{value:.{digits}g}"
    if abs(value) >= 1000.0:
        return f"{float(f'{value:.{digits}g}'):,.0f}"
    return f"{value:.{digits}g}"


def caption(*parts: str) -> str:
    """Sentences that are not empty, in one paragraph."""
    return " ".join(part.strip() for part in parts if part)
