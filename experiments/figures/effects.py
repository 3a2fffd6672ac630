"""Several runs: effects of policies over time and in the last year, and phase diagrams of sweeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from baimo.experiments.analysis import paired
from baimo.experiments.analysis.arms import Arm, nearest
from baimo.experiments.analysis.paired import LAST_YEAR, Outcome
from baimo.experiments.figures import contrasts, paper
from baimo.experiments.figures.paper import Drawing, Missing
from baimo.experiments.figures.summary import BLUE, GREEN, ORANGE, PURPLE, RED, SKY
from baimo.experiments.read import load
from baimo.world.record.outputs import output_of

COLOURS = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY)
#: Outcomes whose effects are drawn month by month, and those of phase diagrams.
PATHS = ("labs_alive_cn", "frontier_cn", "price_gpt35_level", "tokens_day_cn", "hhi_tokens_cn", "funding_cn")
PHASES = ("labs_alive_cn", "frontier_cn", "price_gpt35_level", "hhi_tokens_cn")
#: Policies of the figure of the last year; more are too many rows.
_MOST_ARMS = 12
#: Outcomes of which panels fill a page.
_MOST_OUTCOMES = 21
#: Cells side by side that have room for their numbers.
_MOST_NUMBERS = 4
#: Beyond so many values, the worlds of a design are gathered in bins.
_MOST_VALUES, _BINS = 12, 5


def panels(frame: pl.DataFrame, baseline: str) -> Drawing:
    """Effects month by month, a line a policy, with 95% intervals of the mean.

    Parameters
    ----------
    frame : DataFrame
        Of :func:`baimo.experiments.analysis.compare.compare`, with months.
    baseline : str
        Its name.
    """
    months = frame.filter(pl.col("kind") == "month").sort("first_date")
    chosen = [column for column in PATHS if column in set(months["column"])] or _some(months, 6)
    arms = _arms(months)
    if not chosen:
        raise Missing("the table of effects has no months")
    figure, grid = paper.sheet(len(chosen), 2, height=1.35)
    first, last = months["first_date"].min(), months["last_date"].max()
    for axes, column, letter in zip(grid, chosen, "abcdefghi", strict=False):
        part = months.filter(pl.col("column") == column)
        paper.titled(axes, letter, output_of(column).label, _unit(part))
        for colour, arm in zip(COLOURS, arms, strict=False):
            _path(axes, part.filter(pl.col("policy") == arm), arm, colour)
        axes.axhline(0.0, color="black", linewidth=0.6)
        paper.dated(axes, first, last)
        axes.tick_params(axis="x", labelsize=6)
    handles, labels = grid[0].get_legend_handles_labels()
    beside = 2 if max(map(len, labels)) <= 24 else 1
    figure.legend(handles, labels, loc="outside lower center", ncols=beside)
    text = paper.caption(
        f"Effects month by month: {_against(arms, baseline)}.",
        _pairs(months),
        "Lines: mean difference within pairs of worlds; bands: 95% bootstrap interval of the mean. Prices and "
        "stocks are compared in logarithms and given in per cent.",
        _more(frame, arms),
        paper.policy_note(first, last),
    )
    return Drawing("Policy effects over time", figure, text)


def last_year(frame: pl.DataFrame, baseline: str) -> Drawing:
    """Effects in the last year, outcome by outcome: mean with interval, and the spread over worlds."""
    here = frame.filter(pl.col("period") == LAST_YEAR).drop_nulls("effect")
    if not here.height:
        raise Missing(f"the table of effects has no window {LAST_YEAR!r}")
    arms, chosen = _arms(here, _MOST_ARMS), _some(here, _MOST_OUTCOMES)
    columns = min(3, len(chosen))
    figure, grid = paper.sheet(len(chosen), columns, height=0.52 + 0.09 * len(arms), sharey=True)
    for axes, column in zip(grid, chosen, strict=False):
        _intervals(axes, here.filter(pl.col("column") == column), arms)
    handles = [Line2D([], [], color=_colour(place), linewidth=2.4) for place in range(len(arms))]
    labels = [f"{place} {_short(arm)}" for place, arm in enumerate(arms, 1)]
    figure.legend(handles, labels, loc="outside lower center", ncols=2 if max(map(len, labels)) <= 26 else 1)
    text = paper.caption(
        f"Effects in the last year of the run: {_against(arms, baseline)}.",
        _pairs(here),
        "Points: mean difference within pairs of worlds; thick: 95% bootstrap interval of the mean; thin: 5% to "
        "95% of worlds; full: false discovery rate below 5% over all rows. Prices and stocks are compared in "
        "logarithms and given in per cent. Rows: policies by their numbers.",
        _more(frame, arms),
        "Further outcomes are in the tables only." if len(_some(here, _MOST_OUTCOMES + 1)) > len(chosen) else "",
    )
    return Drawing("Policy effects in the last year", figure, text)


def _arms(frame: pl.DataFrame, most: int = len(COLOURS)) -> list[str]:
    return frame["policy"].unique(maintain_order=True).to_list()[:most]


def _colour(place: int) -> str:
    """As in the figure of months; who has no line there is grey."""
    return COLOURS[place] if place < len(COLOURS) else "0.45"


def _more(frame: pl.DataFrame, arms: Sequence[str]) -> str:
    more = frame["policy"].n_unique() - len(arms)
    return f"{more} further polic{'y is' if more == 1 else 'ies are'} in the tables only." if more else ""


def _some(frame: pl.DataFrame, most: int) -> list[str]:
    """Outcomes that are defined, in the order in which they are compared."""
    there = set(frame.drop_nulls("effect")["column"])
    return [column for column in frame["column"].unique(maintain_order=True) if column in there][:most]


def _against(arms: Sequence[str], baseline: str) -> str:
    return f"{'; '.join(arms)}; less {baseline}"


def _pairs(frame: pl.DataFrame) -> str:
    count = frame.drop_nulls("effect")["n"]
    low, high = count.min(), count.max()
    return f"{low:.0f} pairs of worlds." if low == high else f"{low:.0f} to {high:.0f} pairs of worlds."


def _short(arm: str) -> str:
    return arm if len(arm) <= 52 else f"{arm[:51]}…"


def _unit(part: pl.DataFrame) -> str:
    return "%" if bool(part["log"].any()) else output_of(part["column"][0]).unit


def _read(part: pl.DataFrame, column: str) -> np.ndarray:
    """Effects as they are read: per cent where they are of logarithms."""
    value = pl.col(column).cast(pl.Float64).fill_null(np.nan)
    logs = part.select(pl.when("log").then(value).otherwise(0.0)).to_series().to_numpy()
    return np.where(part["log"].to_numpy(), 100.0 * np.expm1(logs), part.select(value).to_series().to_numpy())


def _path(axes: Axes, part: pl.DataFrame, arm: str, colour: str) -> None:
    axes.plot(part["first_date"], _read(part, "effect"), color=colour, label=_short(arm))
    low, high = _read(part, "boot_low"), _read(part, "boot_high")
    axes.fill_between(part["first_date"].to_numpy(), low, high, color=colour, alpha=0.22, linewidth=0)


def _intervals(axes: Axes, part: pl.DataFrame, arms: Sequence[str]) -> None:
    """One outcome: a row a policy, named by its number."""
    what = output_of(part["column"][0])
    axes.set_title(what.label, fontsize=6.5, pad=2)
    for place, arm in enumerate(arms):
        _interval(axes, part.filter(pl.col("policy") == arm), place, _colour(place))
    axes.axvline(0.0, color="black", linewidth=0.6, zorder=0)
    axes.set_xlabel(_unit(part), labelpad=0.5, fontsize=6)
    axes.set_yticks(range(len(arms)), map(str, range(1, len(arms) + 1)), fontsize=5.5)
    axes.tick_params(axis="x", labelsize=6, pad=1.5)
    axes.set_ylim(len(arms) - 0.5, -0.5)
    axes.locator_params(axis="x", nbins=3)


def _interval(axes: Axes, part: pl.DataFrame, place: int, colour: str) -> None:
    if not part.height:
        return
    effect, low, high, q05, q95 = (_read(part, key)[0] for key in ("effect", "boot_low", "boot_high", "q05", "q95"))
    axes.plot([q05, q95], [place] * 2, color=colour, linewidth=0.6)
    axes.plot([low, high], [place] * 2, color=colour, linewidth=2.0, solid_capstyle="butt")
    q = part["q"][0]
    face = colour if q is not None and q < 0.05 else "white"
    axes.plot([effect], [place], "o", markersize=3, color=colour, markerfacecolor=face, markeredgewidth=0.7, zorder=3)


# ---------------------------------------------------------------------- phase diagrams


def dimensions(arms: Sequence[Arm]) -> dict[str, list[object]]:
    """Settings that differ in the cells of a sweep: policies by their alternatives, other settings by value."""
    keys = dict.fromkeys(key for arm in arms for key in arm.settings)
    varied = [key for key in keys if len({repr(arm.settings.get(key)) for arm in arms}) > 1]
    found: dict[str, list[object]] = {}
    for key in varied:
        section, group, *_ = [*key.split("."), ""]
        if section == "policy":
            kinds = [nearest(group, arm) for arm in arms]
            found[f"policy/{group}"] = [name for name, _ in kinds]
            if not any(key in besides for _, besides in kinds):
                continue
        typed = (arm.settings.get(key) for arm in arms)
        found[key] = ["null" if value is None else value for value in typed]
    return {key: values for key, values in found.items() if len({repr(value) for value in values}) > 1}


def sweep_cells(arms: Sequence[Arm], x: str, y: str) -> pl.DataFrame:
    """The cells of a sweep, one row a world: the two settings and the means of outcomes in the last year."""
    settings, parts = dimensions(arms), []
    for place, arm in enumerate(arms):
        for folder in arm.runs.values():
            there = [column for column in PHASES if column in paired.columns_of(folder)]
            values = {column: paired.world_means(folder, Outcome(column), LAST_YEAR, logs=False) for column in there}
            here = pl.DataFrame(values).with_columns(
                pl.lit(settings[x][place]).alias(x), pl.lit(settings[y][place]).alias(y)
            )
            parts.append(here)
    return pl.concat(parts, how="diagonal_relaxed")


def points(folders: Sequence[Path], keys: Sequence[str]) -> pl.DataFrame:
    """The worlds of designs, one row each: some of their parameters and the means of outcomes in the last year."""
    parts = []
    for folder in folders:
        values = load.design(folder).sort("replicate").select(keys).collect()
        there = [column for column in PHASES if column in paired.columns_of(folder)]
        means = [paired.world_means(folder, Outcome(column), LAST_YEAR, logs=False) for column in there]
        parts.append(values.with_columns(pl.Series(name, mean) for name, mean in zip(there, means, strict=True)))
    return pl.concat(parts, how="diagonal_relaxed")


def phase(worlds: pl.DataFrame, x: str, y: str, outcomes: Sequence[str] | None = None) -> Drawing:
    """Phase diagram: medians of outcomes over two settings.

    Parameters
    ----------
    worlds : DataFrame
        One row a world: columns ``x``, ``y`` and the outcomes, from the cells of a sweep (:func:`sweep_cells`) or the
        worlds of a design. Numbers with many values are gathered in bins of equal counts.
    x, y : str
    outcomes : sequence of str, optional
        At most four; default the other columns.
    """
    chosen = list(outcomes or [name for name in worlds.columns if name not in (x, y)])[:4]
    binned = worlds.with_columns(_binned(worlds[x]).alias(x), _binned(worlds[y]).alias(y))
    across, up = (_order(worlds[name], binned[name]) for name in (x, y))
    if len(across) < 2 or len(up) < 2:
        raise Missing(f"a phase diagram needs two values each of {x} and {y}")
    figure, grid = paper.sheet(len(chosen), height=0.85 + 0.24 * len(up))
    for axes, column, letter in zip(grid, chosen, "abcd", strict=False):
        _phase_panel(axes, binned, (x, y), (across, up), column)
        what = output_of(column)
        axes.set_title(f"{letter} {what.label}{f', {what.unit}' if what.unit else ''}", pad=4)
        axes.set_xlabel(x, labelpad=1)
        axes.set_ylabel(y, fontsize=6.5)
    count = binned.group_by(x, y).len()["len"]
    each = f"{count.min()}" if count.min() == count.max() else f"{count.min()} to {count.max()}"
    few = len(across) <= _MOST_NUMBERS
    text = paper.caption(
        f"Phase diagram over {x} and {y}, {len(count)} cells of {each} worlds.",
        f"Colours{' and upper numbers' if few else ''}: median over worlds of the mean over the last year.",
        "In brackets: 5% and 95% of worlds." if few else "",
        "Grey, where there is any: no run, or undefined.",
    )
    return Drawing("Phase diagram", figure, text)


def _binned(values: pl.Series) -> pl.Series:
    """Values as they are written; numbers of many values as the ranges of bins of equal counts."""
    if not values.dtype.is_numeric() or values.n_unique() <= _MOST_VALUES:
        return values.cast(pl.String) if not values.dtype.is_float() else pl.Series([f"{v:g}" for v in values])
    edges = np.quantile(values.to_numpy(), np.linspace(0.0, 1.0, _BINS + 1))
    place = np.clip(np.searchsorted(edges, values.to_numpy(), side="right") - 1, 0, _BINS - 1)
    return pl.Series([f"{paper.number(edges[i])}\N{EN DASH}{paper.number(edges[i + 1])}" for i in place])


def _order(values: pl.Series, names: pl.Series) -> list[str]:
    """Names in the order of the values behind them; words by alphabet, with none and null first."""
    frame = pl.DataFrame({"value": values, "name": names}).group_by("name").agg(pl.col("value").min())
    if values.dtype.is_numeric():
        return frame.sort("value")["name"].to_list()
    return sorted(frame["name"].to_list(), key=lambda name: (name not in ("none", "null"), name))


def _phase_panel(
    axes: Axes, worlds: pl.DataFrame, keys: tuple[str, str], names: tuple[list[str], list[str]], column: str
) -> None:
    (x, y), (across, up) = keys, names
    value = pl.col(column).cast(pl.Float64).fill_nan(None).alias("median")
    found = load.bands(worlds.lazy().select(x, y, value), ["median"], (x, y))
    there = {(a, b): ends for a, b, *ends in found.iter_rows() if ends[0] is not None}
    values = np.array([[there.get((a, b), [np.nan])[0] for a in across] for b in up], dtype=float)
    image = contrasts.tiles(axes, values, up, across, cmap="cividis", size=6)
    few = len(across) <= _MOST_NUMBERS
    turn = {"rotation": 0, "ha": "center"} if few else {"rotation": 35, "ha": "right"}
    axes.set_xticks(range(len(across)), across, fontsize=6, **turn)
    axes.xaxis.tick_bottom()
    axes.set_ylim(-0.5, len(up) - 0.5)
    if not few:
        axes.figure.colorbar(image, ax=axes, pad=0.02).ax.tick_params(labelsize=6)
        return
    middle = (np.nanmin(values) + np.nanmax(values)) / 2.0 if np.isfinite(values).any() else 0.0
    for row, b in enumerate(up):
        for place, a in enumerate(across):
            if (a, b) in there:
                median, low, high = map(paper.number, there[a, b], (3, 2, 2))
                colour = "white" if there[a, b][0] < middle else "black"
                text = f"{median}\n[{low}, {high}]"
                axes.text(place, row, text, ha="center", va="center", fontsize=5.5, color=colour, linespacing=1.1)
