"""The industry: life cycle, shares of labs, survival of labs and of apps, funding and hype."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
from matplotlib.axes import Axes

from baimo.experiments.figures import paper, summary
from baimo.experiments.figures.paper import Drawing, Missing, Source
from baimo.experiments.figures.summary import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY, Line, Panel
from baimo.experiments.measures import demography, survival
from baimo.experiments.read import load

#: How streams are drawn.
_STREAM = {"linewidth": 0.3, "edgecolor": "white"}
_COHORTS = (BLACK, BLUE, ORANGE, GREEN, RED, PURPLE, SKY)
#: Exits that are a lab's death; who is bought leaves alive.
DEATHS = ("parent_withdrew", "turned_to_apps", "insolvent")
_ARCHETYPES = {"big_tech": BLUE, "unicorn": ORANGE, "academic": PURPLE, "vertical": GREEN, "follower": SKY}
#: Classes of apps: label, colour, fact about their lifeline.
_AIMS = {
    "poor": ("poor", RED, "lifeline_poor"),
    "deep": ("poor, deeply coupled", ORANGE, "lifeline_deep"),
    "fair": ("fair", SKY, None),
    "good": ("good", BLUE, "lifeline_good"),
}


def life_cycle(source: Source) -> Drawing:
    """Labs alive; entries and exits."""
    market = source.market("labs_alive_cn", "lab_entries_cn", "lab_exits_cn")
    frame = load.bands(market, ["labs_alive_cn", "labs_from_scratch_cn"])
    first, last = frame["date"].min(), frame["date"].max()
    figure, (left, right) = paper.sheet(2)
    alive = Line("labs_alive_cn", "all", BLUE), Line("labs_from_scratch_cn", "from scratch", ORANGE)
    drawn = paper.draw_panel(left, "a", Panel("Labs alive in China", "labs", alive), frame)
    chosen = Line("lab_entries_cn", "entries", GREEN), Line("lab_exits_cn", "exits", RED)
    flows = _quarters(market, ["lab_entries_cn", "lab_exits_cn"])
    paper.draw_panel(right, "b", Panel("Entry and exit", "labs a quarter", chosen), flows)
    paper.dated(right, first, last)
    peak = frame.sort("labs_alive_cn", descending=True).row(0, named=True)
    text = paper.caption(
        f"Industry life cycle, {source.said()}.",
        "a: labs alive in China at the end of each step, all and those that train from scratch. "
        "b: entries and exits, summed over quarters.",
        source.spread(),
        f"The median number alive is highest in {peak['date']:%B %Y}, {paper.number(peak['labs_alive_cn'])}, "
        f"and {paper.end(frame, 'labs_alive_cn')} in {last:%B %Y}.",
        paper.fact_note(drawn),
        paper.policy_note(first, last),
    )
    return Drawing("Industry life cycle", figure, text)


def _quarters(market: pl.LazyFrame, columns: list[str]) -> pl.DataFrame:
    """Bands of sums over whole quarters of the calendar in each world, dated in their middle."""
    quarter = pl.col("date").dt.truncate("1q").alias("quarter")
    months = pl.col("date").dt.month().n_unique()
    found = market.group_by("run", "replicate", quarter).agg(pl.sum(*columns), months.alias("months"))
    whole = found.filter(pl.col("months") == 3).with_columns(pl.col("quarter").dt.offset_by("1mo").alias("date"))
    return load.bands(whole, columns)


def share_streams(source: Source) -> Drawing:
    """Shares of tokens: of labs in one world, of archetypes over worlds, of the largest."""
    here = source.in_first_world("labs", "share_tokens", "archetype", "name", "region").filter(pl.col("region") == "CN")
    figure, (one, kinds, ranks) = paper.sheet(3)
    dates, names, shares, colours = _streams(here)
    paper.titled(one, "a", f"Labs, world {source.first_world['replicate']}", "share of tokens")
    one.stackplot(dates, shares, colors=colours, labels=names, **_STREAM)
    paper.key(one, 3, upwards=True)
    by_kind = _by_archetype(source)
    paper.titled(kinds, "b", "Kinds of labs", "share of tokens")
    present = {kind: colour for kind, colour in _ARCHETYPES.items() if kind in by_kind.columns}
    labels = [kind.replace("_", " ") for kind in present]
    shares = by_kind.select(*present).to_numpy().T
    kinds.stackplot(by_kind["date"].to_numpy(), shares, colors=[*present.values()], labels=labels, **_STREAM)
    paper.key(kinds, 3, upwards=True)
    frame = source.bands("top1_tokens_share_cn", "cr4_tokens_cn", "hhi_tokens_cn")
    four, largest = Line("cr4_tokens_cn", "four largest", BLUE), Line("top1_tokens_share_cn", "largest", ORANGE)
    chosen = four, largest, Line("hhi_tokens_cn", "HHI", GREEN)
    paper.draw_panel(ranks, "c", Panel("Concentration", "share; HHI, 0 to 1", chosen), frame)
    first, last = frame["date"].min(), frame["date"].max()
    for axes in (one, kinds, ranks):
        axes.set_ylim(0.0, 1.0)
        paper.dated(axes, first, last)
    text = paper.caption(
        f"Shares of tokens sold in China, {source.said()}.",
        f"a: one world (number {source.first_world['replicate']}), the labs with the largest mean shares. "
        f"b: mean over {source.worlds} worlds of the shares of kinds of labs. "
        "c: the largest lab, the four largest, and the Herfindahl-Hirschman index.",
        source.spread(),
        f"In {last:%B %Y} the four largest hold {paper.end(frame, 'cr4_tokens_cn')}.",
        paper.policy_note(first, last),
    )
    return Drawing("Share streams", figure, text)


def _streams(here: pl.DataFrame, most: int = 6) -> tuple[np.ndarray, list[str], np.ndarray, list[str]]:
    """Dates, names, shares and colours of the labs with the largest mean shares; the others as one at the bottom."""
    top = here.group_by("name").agg(pl.col("share_tokens").fill_null(0.0).sum()).sort("share_tokens", "name")
    names = top.tail(most)["name"].to_list()
    named = pl.when(pl.col("name").is_in(names)).then("name").otherwise(pl.lit("others")).alias("who")
    wide = here.group_by("date", named).agg(pl.col("share_tokens").fill_null(0.0).sum())
    wide = wide.pivot(on="who", index="date", values="share_tokens").fill_null(0.0).sort("date")
    order = [name for name in ["others", *names] if name in wide.columns]
    shares = wide.select(order).to_numpy().astype(float).T
    total = shares.sum(0)
    shares = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0.0)
    colours = (["0.75"] if "others" in order else []) + [PURPLE, SKY, RED, GREEN, ORANGE, BLUE][-len(top.tail(most)) :]
    return wide["date"].to_numpy(), [name.replace("_", " ") for name in order], shares, colours


def _by_archetype(source: Source) -> pl.DataFrame:
    """Mean over worlds of each kind's share of all tokens in China, one column a kind."""
    labs = source.table("labs", "share_tokens", "archetype", "region").filter(pl.col("region") == "CN")
    kinds = labs.group_by("date", "run", "replicate", "archetype").agg(
        pl.col("share_tokens").cast(pl.Float64).fill_null(0.0).sum()
    )
    total = pl.col("share_tokens").sum().over("date", "run", "replicate")
    share = kinds.filter(total > 0.0).with_columns((pl.col("share_tokens") / total).alias("share"))
    worlds = pl.struct("run", "replicate").n_unique().over("date")
    share = share.with_columns(worlds.alias("worlds"))
    means = share.group_by("date", "archetype").agg((pl.col("share").sum() / pl.col("worlds").first()).alias("share"))
    return means.collect().pivot(on="archetype", index="date", values="share").fill_null(0.0).sort("date")


# ---------------------------------------------------------------------- survival


def lab_survival(source: Source) -> Drawing:
    """Shake-out: survival of labs by cohort, and their hazard by age."""
    labs = source.table("labs", "alive", "exit_reason", "region", "founded")
    lives = demography.lives(labs, ends=DEATHS, cohort=_cohort(labs)).collect().lazy()
    if not lives.select(pl.col("died").any()).collect().item():
        raise Missing("no lab died")
    curves = survival.kaplan_meier(lives).collect()
    size = dict(lives.group_by("cohort").agg(pl.len()).collect().iter_rows())
    figure, (left, right) = paper.sheet(2)
    paper.titled(left, "a", "Labs that live longer", "share")
    for colour, cohort in zip(_COHORTS, sorted(size), strict=False):
        _curve(left, curves.filter(pl.col("cohort") == cohort), f"{cohort.strip()} ({size[cohort]:,})", colour)
    left.set_ylim(0.0, 1.0)
    left.set_xlim(left=0.0)
    left.set_xlabel("age, months")
    paper.key(left, 3, heading="by year of founding (labs)")
    hazard = survival.hazard_by_age(lives, width=3.0).collect().drop_nulls("hazard")
    paper.titled(right, "b", "Hazard of failure", "a month")
    right.errorbar(
        hazard["age"] + 1.5,
        hazard["hazard"],
        yerr=[hazard["hazard"] - hazard["low"].fill_null(0.0), (hazard["high"] - hazard["hazard"]).fill_null(0.0)],
        fmt="o-",
        color=BLUE,
        markersize=3,
        elinewidth=0.7,
    )
    right.set_ylim(bottom=0.0)
    right.set_xlabel("age, months")
    total, dead = lives.select(pl.len(), pl.col("died").sum()).collect().row(0)
    text = paper.caption(
        f"Survival of labs in China, {source.said()}, {total:,} labs of {source.worlds} worlds pooled, of which "
        f"{dead:,} failed.",
        "a: Kaplan-Meier estimates by year of founding (number of labs) with 95% intervals after Greenwood, which take "
        "labs as independent. b: failures over months lived, by age in intervals of three months, 95% intervals.",
        f"Failures are {', '.join(reason.replace('_', ' ') for reason in DEATHS)}; who is acquired, or alive at the "
        "end, is censored.",
    )
    return Drawing("Shake-out survival", figure, text)


def _cohort(labs: pl.LazyFrame) -> pl.Expr:
    """Year of founding; who was there before the first step apart."""
    start = labs.select(pl.col("date").min()).collect().item()
    old = f"before {start + dt.timedelta(days=31):%Y}" if start.month == 12 else f"{start:%Y-%m}"
    year = pl.col("founded_date").dt.year().cast(pl.String)
    return pl.when(pl.col("founded_date") <= start).then(pl.lit(f" {old}")).otherwise(year)


def _curve(axes: Axes, curve: pl.DataFrame, label: str, colour: str) -> None:
    """A step function from one on, with its interval; ages that few reach are left out."""
    curve = curve.filter(pl.col("at_risk") >= 10)
    age = [0.0, *curve["age"]]
    axes.step(age, [1.0, *curve["survival"]], where="post", color=colour, label=label)
    low, high = ([1.0, *curve[end]] for end in ("low", "high"))
    axes.fill_between(age, low, high, step="post", color=colour, alpha=0.18, linewidth=0)


def app_lifelines(source: Source) -> Drawing:
    """Lifetimes of apps, by how well they are aimed; and over time."""
    apps = source.table("apps", "alive", "aim_class", "age")
    lives = demography.lives(apps, keep=["aim_class"]).collect().lazy()
    curves = survival.kaplan_meier(lives, ["aim_class"]).collect()
    medians = dict(survival.median_life(curves.lazy(), ["aim_class"]).collect().iter_rows())
    size = dict(lives.group_by("aim_class").agg(pl.len()).collect().iter_rows())
    figure, (left, right) = paper.sheet(2)
    paper.titled(left, "a", "Apps that live longer", "share")
    for kind, (label, colour, fact) in _AIMS.items():
        if kind in size:
            _curve(left, curves.filter(pl.col("aim_class") == kind), f"{label} ({size[kind]:,})", colour)
        if fact is not None:
            value, low, high = summary.range_of(summary.calibration()[fact])
            spread = [[value - low], [high - value]]
            left.errorbar([value], [0.5], xerr=spread, fmt="D", color=colour, markeredgecolor="black", markersize=4)
    left.axhline(0.5, color="0.78", linewidth=0.6, zorder=0)
    left.set_ylim(0.0, 1.0)
    left.set_xlim(0.0, 36.0)
    left.set_xlabel("age, months")
    paper.key(left, 2, heading="by aim (apps)")
    frame = source.bands("app_survival_median_months", "app_lifeline_median_months")
    founded = Line("app_survival_median_months", "all founded so far", BLUE)
    dead = Line("app_lifeline_median_months", "of the dead, at death", RED)
    paper.draw_panel(right, "b", Panel("Median life over time", "months", (founded, dead)), frame)
    worlds = apps.select(pl.struct("run", "replicate").n_unique()).collect().item()
    said = ", ".join(f"{_AIMS[k][0]} {'-' if m is None else f'{m:g}'}" for k, m in medians.items() if k in _AIMS)
    text = paper.caption(
        f"Lifelines of apps, {source.said()}.",
        f"a: Kaplan-Meier estimates in the {worlds} world(s) whose apps are kept, by how well the app is aimed (number "
        "of apps), 95% intervals after Greenwood, which take apps as independent. Diamonds: medians that the source "
        f"articles state, with their ranges, cut at 36 months (conf/facts). Median months: {said}. "
        "b: median life of all apps founded so far (Kaplan-Meier) and median age of those that died.",
        source.spread(),
        paper.policy_note(frame["date"].min(), frame["date"].max()),
    )
    return Drawing("App lifelines", figure, text)


# ---------------------------------------------------------------------- money


def funding_and_hype(source: Source) -> Drawing:
    """Funding a quarter; hype and the attention of investors."""
    market = source.market("funding_cn", "hype")
    hype = load.bands(market, ["hype", "investor_attention_cn"])
    money = _quarters(market, ["funding_cn"])
    first, last = hype["date"].min(), hype["date"].max()
    figure, (left, right) = paper.sheet(2)
    paper.titled(left, "a", "Funding in China", "CNY billion a quarter")
    paper.lines(left, money, [Line("funding_cn", "labs and apps", BLUE, 1e-3)])
    seen = _funding_fact(left, first, last)
    paper.key(left)
    chosen = Line("hype", "hype", RED), Line("investor_attention_cn", "attention", GREEN)
    paper.draw_panel(right, "b", Panel("Hype and attention", "index; share", chosen), hype)
    for axes in (left, right):
        paper.dated(axes, first, last)
    peak = hype.sort("hype", descending=True).row(0, named=True)
    text = paper.caption(
        f"Funding and hype, {source.said()}.",
        "a: raised by labs and apps, summed over quarters. b: hype and the mean attention of investors.",
        source.spread(),
        f"Median hype is highest in {peak['date']:%B %Y}, {paper.number(peak['hype'])}.",
        "Bar: what the press counts for the year, divided by four (conf/facts)." if seen else "",
        paper.policy_note(first, last),
    )
    return Drawing("Funding and hype", figure, text)


def _funding_fact(axes: Axes, first: dt.date, last: dt.date) -> bool:
    """The year's funding as a quarter's, over the year it is of."""
    fact = summary.calibration()["funding_cn_2023"]
    begin, end = summary.period(fact["date"])
    if not (first <= begin and end <= last):
        return False
    axes.plot([begin, end], [float(fact["value"]) / 4e3] * 2, color=BLACK, linewidth=2.0, label="observed, a quarter")
    return True


INDUSTRY_FIGURES = {
    "life_cycle": life_cycle,
    "share_streams": share_streams,
    "survival": lab_survival,
    "app_lifelines": app_lifelines,
    "funding_hype": funding_and_hype,
}
