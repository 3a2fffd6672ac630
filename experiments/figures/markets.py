"""Markets: price cascade, frontier and gap, chips by channel."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from baimo.experiments.figures import paper, summary
from baimo.experiments.figures.paper import Drawing, Source
from baimo.experiments.figures.summary import BLACK, BLUE, GREEN, ORANGE, RED, SKY, Line
from baimo.experiments.measures import prices

_CHANNELS = {"legal": BLUE, "grey": RED, "domestic": GREEN}


def price_cascade(source: Source) -> Drawing:
    """Prices of offers, and prices at fixed capability with the observed speed of their fall."""
    offers = ["price_flagship_cn", "price_light_cn"]
    levels = ["price_gpt35_level", "price_gpt4_level"]
    market = source.market(*offers, *levels)
    frame = summary.bands(market, [*offers, *levels])
    first, last = frame["date"].min(), frame["date"].max()
    figure, (left, right) = paper.sheet(2)
    paper.titled(left, "a", "What is offered in China", "CNY / million tokens")
    drawn = paper.lines(left, frame, [Line(offers[0], "flagship", BLUE), Line(offers[1], "light", SKY)], log=True)
    paper.key(left)
    paper.titled(right, "b", "Price of a fixed capability", "CNY / million tokens")
    chosen = [Line(levels[0], "GPT-3.5 level", GREEN), Line(levels[1], "GPT-4 level", RED)]
    drawn += paper.lines(right, frame, chosen, log=True)
    for fact, line in zip(("price_decline_gpt35", "price_decline_gpt4"), chosen, strict=True):
        _observed_fall(right, frame, fact, line)
    paper.key(right)
    for axes in (left, right):
        axes.set_ylim(1e-2, 1e3) if _inside(frame, [*offers, *levels], 1e-2, 1e3) else None
    text = paper.caption(
        f"Price cascade, {source.said()}.",
        "a: mean prices of flagship and light models in China, weighted by tokens. b: cheapest offer anywhere of at "
        "least the level of GPT-3.5 and of GPT-4; dotted: the observed yearly fall "
        f"({_observed_said()}, conf/facts), through the first median.",
        source.spread(),
        _fall(market, levels[0], "GPT-3.5"),
        _fall(market, levels[1], "GPT-4"),
        paper.fact_note(drawn),
        paper.policy_note(first, last),
    )
    return Drawing("price_cascade", "Price cascade", figure, text)


def _inside(frame: pl.DataFrame, columns: list[str], low: float, high: float) -> bool:
    ends = frame.select(pl.min_horizontal(pl.min(*columns)).alias("low"), pl.max_horizontal(pl.max(*columns)))
    return ends.row(0)[0] is not None and ends.row(0)[0] >= low and ends.row(0)[1] <= high


def _observed_said() -> str:
    """The yearly falls of the facts, with their ranges."""
    rows = {row["id"]: row for row in summary.rows("calibration.csv") if row["id"].startswith("price_decline_")}
    falls = (rows[f"price_decline_{level}"] for level in ("gpt35", "gpt4"))
    return " and ".join(f"{row['value']} times, {row['low']} to {row['high']}" for row in falls)


def _observed_fall(axes: Axes, frame: pl.DataFrame, fact: str, line: Line) -> None:
    """A dotted line that falls as observed from the first median on."""
    here = frame.drop_nulls(line.column)
    if here.height < 2:
        return
    (row,) = (row for row in summary.rows("calibration.csv") if row["id"] == fact)
    years = np.array([(date - here["date"][0]).days / 365.25 for date in here["date"]])
    fallen = here[line.column][0] * float(row["value"]) ** -years
    axes.plot(here["date"], fallen, color=line.colour, linestyle=":", linewidth=0.9)


def _fall(market: pl.LazyFrame, column: str, level: str) -> str:
    """How fast a price falls, over worlds."""
    slopes = prices.log_slope(market, column).collect()["factor_a_year"].drop_nulls()
    slopes = slopes.filter(slopes > 0.0)
    if not len(slopes):
        return ""
    median, low, high = (paper.number(1.0 / slopes.quantile(at, "linear")) for at in (0.5, 0.95, 0.05))
    if len(slopes) == 1:
        return f"At the level of {level} prices fall {median} times a year (least squares on logarithms)."
    return f"At the level of {level} prices fall {median} times a year (median; 5% to 95% of worlds {low} to {high})."


def frontier_and_gap(source: Source) -> Drawing:
    """Frontiers, and how far behind China and the open weights are."""
    fronts = ["frontier_all", "frontier_cn", "frontier_open", "frontier_open_cn"]
    gaps = ["gap_cn_months", "gap_open_months"]
    market = source.market(*fronts, *gaps)
    frame = summary.bands(market, [*fronts, *gaps])
    first, last = frame["date"].min(), frame["date"].max()
    figure, (left, right) = paper.sheet(2)
    paper.titled(left, "a", "Frontier", "OOM over 1e23 FLOP")
    names = ("all", "China", "open weights", "open, China")
    paper.lines(left, frame, [Line(*each) for each in zip(fronts, names, (BLACK, BLUE, GREEN, ORANGE), strict=True)])
    paper.key(left)
    paper.titled(right, "b", "Behind the frontier", "months")
    paper.lines(right, frame, [Line(gaps[0], "China", BLUE), Line(gaps[1], "open weights", GREEN)])
    paper.key(right)
    text = paper.caption(
        f"Frontier and gap, {source.said()}.",
        "a: best capability on sale (mean of the axes; orders of magnitude of effective compute). b: months since the "
        "frontier of all stood where that of China, or of open weights, stands now.",
        source.spread(),
        f"In {last:%B %Y} China is {paper.end(frame, gaps[0])} months behind, open weights "
        f"{paper.end(frame, gaps[1])}.",
        paper.policy_note(first, last),
    )
    return Drawing("frontier_gap", "Frontier and gap", figure, text)


def chips_by_channel(source: Source) -> Drawing:
    """Stock of chips in China by the channel it came through."""
    columns = [f"h100e_cn_{name}" for name in _CHANNELS]
    market = source.market(*columns)
    frame = summary.bands(market, columns)
    first, last = frame["date"].min(), frame["date"].max()
    figure, (left, right) = paper.sheet(2)
    paper.titled(left, "a", "Chips in China", "H100 equivalents")
    chosen = [Line(column, name, colour) for column, (name, colour) in zip(columns, _CHANNELS.items(), strict=True)]
    drawn = paper.lines(left, frame, chosen, log=True)
    _label_policies(left, first, last)
    paper.key(left)
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
    return Drawing("chips", "Chips by channel", figure, text)


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
