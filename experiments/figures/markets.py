"""Markets: price cascade, frontier and gap, chips by channel."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from baimo.experiments.figures import paper, summary
from baimo.experiments.figures.paper import Drawing, Source
from baimo.experiments.figures.summary import BLACK, BLUE, GREEN, ORANGE, RED, SKY, Line, Panel
from baimo.experiments.measures import prices

#: Facts on how fast the two prices at fixed capability fall.
_FALLS = ("price_decline_gpt35", "price_decline_gpt4")
_CHANNELS = {"legal": BLUE, "grey": RED, "domestic": GREEN}


def price_cascade(source: Source) -> Drawing:
    """Prices of offers, and prices at fixed capability with the observed speed of their fall."""
    offers = Line("price_flagship_cn", "flagship", BLUE), Line("price_light_cn", "light", SKY)
    levels = Line("price_gpt35_level", "GPT-3.5 level", GREEN), Line("price_gpt4_level", "GPT-4 level", RED)
    columns = [line.column for line in (*offers, *levels)]
    market, frame = source.market(*columns), source.bands(*columns)
    figure, (left, right) = paper.sheet(2)
    unit = "CNY / million tokens"
    drawn = paper.draw_panel(left, "a", Panel("What is offered in China", unit, offers, log=True), frame)
    drawn += paper.draw_panel(right, "b", Panel("Price of a fixed capability", unit, levels, log=True), frame)
    for fact, line in zip(_FALLS, levels, strict=True):
        _observed_fall(right, frame, fact, line)
    for axes in (left, right):
        axes.set_ylim(1e-2, 1e3) if _inside(frame, columns, 1e-2, 1e3) else None
    text = paper.caption(
        f"Price cascade, {source.said()}.",
        "a: mean prices of flagship and light models in China, weighted by tokens. b: cheapest offer anywhere of at "
        "least the level of GPT-3.5 and of GPT-4; dotted: the observed yearly fall "
        f"({_observed_said()}, conf/facts), through the first median.",
        source.spread(),
        *(_fall(market, line) for line in levels),
        paper.fact_note(drawn),
        paper.policy_note(frame["date"].min(), frame["date"].max()),
    )
    return Drawing("Price cascade", figure, text)


def _inside(frame: pl.DataFrame, columns: list[str], low: float, high: float) -> bool:
    ends = frame.select(pl.min_horizontal(pl.min(*columns)).alias("low"), pl.max_horizontal(pl.max(*columns)))
    return ends.row(0)[0] is not None and ends.row(0)[0] >= low and ends.row(0)[1] <= high


def _observed_said() -> str:
    """The yearly falls of the facts, with their ranges."""
    falls = (summary.calibration()[fact] for fact in _FALLS)
    return " and ".join(f"{row['value']} times, {row['low']} to {row['high']}" for row in falls)


def _observed_fall(axes: Axes, frame: pl.DataFrame, fact: str, line: Line) -> None:
    """A dotted line that falls as observed from the first median on."""
    here = frame.drop_nulls(line.column)
    if here.height < 2:
        return
    speed, _, _ = summary.range_of(summary.calibration()[fact])
    years = np.array([(date - here["date"][0]).days / 365.25 for date in here["date"]])
    fallen = here[line.column][0] * speed**-years
    axes.plot(here["date"], fallen, color=line.colour, linestyle=":", linewidth=0.9)


def _fall(market: pl.LazyFrame, line: Line) -> str:
    """Pace at which a price falls, over worlds."""
    level = line.label.removesuffix(" level")
    slopes = prices.log_slope(market, line.column).collect()["factor_a_year"].drop_nulls()
    slopes = slopes.filter(slopes > 0.0)
    if not len(slopes):
        return ""
    median, low, high = (paper.number(1.0 / slopes.quantile(at, "linear")) for at in (0.5, 0.95, 0.05))
    if len(slopes) == 1:
        return f"At the level of {level} prices fall {median} times a year (least squares on logarithms)."
    return f"At the level of {level} prices fall {median} times a year (median; 5% to 95% of worlds {low} to {high})."


def frontier_and_gap(source: Source) -> Drawing:
    """Frontiers, and how far behind China and the open weights are."""
    fronts = ("frontier_all", "all", BLACK), ("frontier_cn", "China", BLUE), ("frontier_open", "open weights", GREEN)
    fronts = [Line(*each) for each in (*fronts, ("frontier_open_cn", "open, China", ORANGE))]
    gaps = Line("gap_cn_months", "China", BLUE), Line("gap_open_months", "open weights", GREEN)
    frame = source.bands(*(line.column for line in (*fronts, *gaps)))
    first, last = frame["date"].min(), frame["date"].max()
    figure, (left, right) = paper.sheet(2)
    paper.draw_panel(left, "a", Panel("Frontier", "OOM over 1e23 FLOP", fronts), frame)
    paper.draw_panel(right, "b", Panel("Behind the frontier", "months", gaps), frame)
    text = paper.caption(
        f"Frontier and gap, {source.said()}.",
        "a: best capability on sale (mean of the axes; orders of magnitude of effective compute). b: months since the "
        "frontier of all stood where that of China, or of open weights, stands now.",
        source.spread(),
        f"In {last:%B %Y} China is {paper.end(frame, 'gap_cn_months')} months behind, open weights "
        f"{paper.end(frame, 'gap_open_months')}.",
        paper.policy_note(first, last),
    )
    return Drawing("Frontier and gap", figure, text)


def chips_by_channel(source: Source) -> Drawing:
    """Stock of chips in China by the channel it came through."""
    columns = [f"h100e_cn_{name}" for name in _CHANNELS]
    market, frame = source.market(*columns), source.bands(*columns)
    first, last = frame["date"].min(), frame["date"].max()
    figure, (left, right) = paper.sheet(2)
    chosen = [Line(column, name, colour) for column, (name, colour) in zip(columns, _CHANNELS.items(), strict=True)]
    drawn = paper.draw_panel(left, "a", Panel("Chips in China", "H100 equivalents", chosen, log=True), frame)
    _label_policies(left, first, last)
    paper.titled(right, "b", "By channel", "share of the stock")
    total = pl.sum_horizontal(columns)
    means = market.filter(total > 0.0).group_by("date").agg((pl.col(columns) / total).mean()).sort("date").collect()
    right.stackplot(
        means["date"].to_numpy(),
        [means[column].to_numpy() for column in columns],
        colors=list(_CHANNELS.values()),
        labels=list(_CHANNELS),
        alpha=0.85,
        linewidth=0.3,
        edgecolor="white",
    )
    right.set_ylim(0.0, 1.0)
    paper.dated(right, first, last)
    ends = ", ".join(f"{name} {means[column][-1]:.0%}" for column, name in zip(columns, _CHANNELS, strict=True))
    text = paper.caption(
        f"Chips in China by the channel they came through, {source.said()}.",
        f"a: stock in H100 equivalents. b: mean shares over {source.worlds} worlds; in {last:%B %Y}: {ends}. "
        "Colours as in a.",
        source.spread(),
        paper.fact_note(drawn),
        paper.policy_note(first, last),
        "Months on top: export controls.",
    )
    return Drawing("Chips by channel", figure, text)


def _label_policies(axes: Axes, first: dt.date, last: dt.date) -> None:
    """The months of export controls, small, at their lines."""
    before = first
    for date, kind in paper.policies():
        if kind == "export_control" and first <= date <= last and (date - before).days > 90:
            axes.annotate(
                f"{date:%Y-%m}",
                (date, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(-1, -1),
                textcoords="offset points",
                rotation=90,
                ha="right",
                va="top",
                fontsize=5.5,
                color="0.3",
            )
            before = date


MARKET_FIGURES = {"price_cascade": price_cascade, "frontier_gap": frontier_and_gap, "chips": chips_by_channel}
