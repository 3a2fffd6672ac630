"""Findings of a report in words and tables: all numbers are taken from the runs, with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from baimo.experiments.analysis import compare, paired
from baimo.experiments.analysis.arms import Arm
from baimo.experiments.analysis.paired import LAST_YEAR, Outcome
from baimo.experiments.analysis.tables import Table
from baimo.experiments.figures import summary
from baimo.experiments.figures.paper import Source, number
from baimo.experiments.measures import prices
from baimo.experiments.read import load
from baimo.world.record.outputs import output_of

#: How the sentence begins on effects that do not stand.
NOT_APART = "Not told apart"


def capital(text: str) -> str:
    """With a capital at its beginning."""
    return text[:1].upper() + text[1:]


# ---------------------------------------------------------------------- effects


def of_effects(frame: pl.DataFrame, baseline: str, against: Mapping[str, str] | None = None) -> dict[str, list[str]]:
    """Findings on each policy: what stands among all tests in the last year, and what does not.

    Parameters
    ----------
    frame : DataFrame
        Of :func:`baimo.experiments.analysis.compare.compare`.
    baseline : str
    against : mapping, optional
        What a policy is compared with, where that is not the baseline of all.
    """
    last = frame.filter(pl.col("period") == LAST_YEAR)
    return {
        policy: _of_policy(last.filter(pl.col("policy") == policy), (against or {}).get(policy, baseline))
        for policy in last["policy"].unique(maintain_order=True)
    }


def _of_policy(part: pl.DataFrame, baseline: str) -> list[str]:
    rows = part.drop_nulls("effect").to_dicts()
    clear = [row for row in rows if _stands(row)]
    clear.sort(key=lambda row: -abs(row["t"]))
    said = [_sentence(row, baseline) for row in clear]
    rest = [row for row in rows if row not in clear and row["boot_low"] is not None]
    if rest:
        parts = "; ".join(
            f"{output_of(row['column']).phrase} {_interval(row)}{_unit(row)}" for row in rest if any(_ends(row))
        )
        if parts:
            said.append(
                f"{NOT_APART} from no effect among so many tests at {rest[0]['n']:.0f} pairs of worlds "
                f"(95% intervals of the mean): {parts}."
            )
        same = [output_of(row["column"]).phrase for row in rest if not any(_ends(row))]
        if same:
            said.append(f"The same in all pairs of worlds: {', '.join(same)}.")
    return said or [f"No outcome is defined in both arms ({baseline})."]


def of_contexts(frame: pl.DataFrame, home: str) -> list[str]:
    """Findings on where a policy does more or less: differences of effects that stand, and that others do not.

    Parameters
    ----------
    frame : DataFrame
        Of :func:`baimo.experiments.analysis.contexts.interactions`.
    home : str
        The baseline of all, whose context the others are compared with.
    """
    said = []
    for (policy, within), part in frame.group_by("policy", "within", maintain_order=True):
        rows = [row for row in part.drop_nulls("effect").iter_rows(named=True) if _stands(row)]
        said += [
            f"{capital(output_of(row['column']).phrase)}: the effect of {policy} under {within} less that under {home} "
            f"is {paired.effect_number(row)}{_unit(row)}, 95% interval {_interval(row)} ({row['n']:.0f} worlds)."
            for row in sorted(rows, key=lambda row: -abs(row["t"]))
        ]
        if not rows:
            said.append(
                f"No outcome tells the effect of {policy} under {within} from that under {home} "
                f"at {part['n'].max():.0f} worlds."
            )
    return said


def _stands(row: dict) -> bool:
    """Whether it stands among all tests, with its interval on one side of nothing."""
    return row["q"] is not None and row["q"] < 0.05 and _one_side(row)


def _ends(row: dict) -> tuple[float, float]:
    return row["boot_low"], row["boot_high"]


def _one_side(row: dict) -> bool:
    """Whether the interval lies on one side of nothing."""
    return row["boot_low"] is not None and row["boot_low"] * row["boot_high"] > 0.0


def _interval(row: dict) -> str:
    return paired.effect_range(row, "boot_low", "boot_high")


def _unit(row: dict) -> str:
    unit = output_of(row["column"]).unit
    return "" if row["log"] or unit in ("", "0 to 1", "index", "share") else f" {unit}"


def _sentence(row: dict, baseline: str) -> str:
    what = output_of(row["column"])
    return (
        f"{capital(what.phrase)}: {paired.effect_number(row)}{_unit(row)} against {baseline}, 95% interval "
        f"{_interval(row)}, the same sign in {row['share_sign']:.0%} of {row['n']:.0f} pairs of worlds."
    )


# ---------------------------------------------------------------------- levels


def levels(arms: Sequence[Arm], columns: Sequence[str] = compare.COLUMNS) -> Table:
    """Means over the last year of each arm: median and 5% to 95% of worlds."""
    rows = []
    for column in columns:
        cells = [_level(arm, column) for arm in arms]
        if any(cells):
            what = output_of(column)
            rows.append((f"{what.label}{f', {what.unit}' if what.unit else ''}", *(cell or "-" for cell in cells)))
    heads = ("mean over the last year", *(arm.label for arm in arms))
    note = "Median over worlds of the mean over the last year, in brackets 5% and 95% of worlds."
    return Table("levels", "Levels", heads, tuple(rows), note)


def _level(arm: Arm, column: str) -> str | None:
    there = [folder for folder in arm.runs.values() if column in paired.columns_of(folder)]
    if not there:
        return None
    found = np.concatenate([paired.world_means(folder, Outcome(column), LAST_YEAR, logs=False) for folder in there])
    found = found[np.isfinite(found)]
    if not len(found):
        return None
    low, middle, high = (number(each) for each in np.quantile(found, (0.05, 0.5, 0.95)))
    return f"{middle} [{low}, {high}]" if len(found) > 1 else middle


# ---------------------------------------------------------------------- one arm


def against_facts(source: Source) -> Table:
    """Observations beside the median and band of the worlds at their time."""
    facts = summary.facts()
    frame = load.bands(source.market(), [fact.column for fact in facts])
    rows = []
    for fact in facts:
        inside = frame.filter(pl.col("date").is_between(fact.first.replace(day=1), fact.last))
        if fact.column not in frame.columns or not inside.height or inside[fact.column].null_count() == inside.height:
            continue
        here = inside.filter(pl.col("date") <= fact.middle).tail(1) if inside.height > 1 else inside
        middle = here[fact.column][0]
        low, high = inside[f"{fact.column}_low"].min(), inside[f"{fact.column}_high"].max()
        if middle is None:
            continue
        meets = fact.low <= high and low <= fact.high
        range_ = f" [{number(fact.low)}, {number(fact.high)}]" if fact.low < fact.high else ""
        rows.append(
            (
                output_of(fact.column).label,
                f"{fact.middle:%Y-%m}",
                f"{number(fact.value)}{range_}",
                f"{number(middle)} [{number(low)}, {number(high)}]",
                "yes" if meets else "no",
            )
        )
    heads = ("column", "month", "observed [range]", "worlds: median [5%, 95%]", "overlap")
    note = (
        f"Observations of conf/facts with an output column, beside the worlds of {source.label}: their median in the "
        "middle of the time spoken of, and the band of 5% to 95% of worlds over all of it."
    )
    return Table("facts", "Model and facts", heads, tuple(rows), note)


def of_one(source: Source, facts: Table) -> list[str]:
    """Findings on one arm: the course of the industry, with the spread over worlds."""
    market = source.market()
    schema, said = market.collect_schema(), []
    spread = f"median of {source.worlds} worlds, in brackets 5% and 95%" if source.worlds > 1 else "one world"
    if "labs_alive_cn" in schema:
        frame = load.bands(market, ["labs_alive_cn"])
        peak, last = frame.sort("labs_alive_cn", descending=True).row(0, named=True), frame.row(-1, named=True)
        said.append(
            f"Labs alive in China are most in {peak['date']:%B %Y}, {_banded(peak, 'labs_alive_cn')}, and "
            f"{_banded(last, 'labs_alive_cn')} in {last['date']:%B %Y} ({spread})."
        )
    if "price_gpt35_level" in schema:
        falls = prices.log_slope(market, "price_gpt35_level").collect()["factor_a_year"].drop_nulls()
        falls = 1.0 / falls.filter(falls > 0.0).to_numpy()
        if len(falls):
            low, middle, high = (number(each) for each in np.quantile(falls, (0.05, 0.5, 0.95)))
            said.append(f"The price of a GPT-3.5-level model falls {middle} [{low}, {high}] times a year ({spread}).")
    if "gap_cn_months" in schema:
        last = load.bands(market, ["gap_cn_months"]).row(-1, named=True)
        if last["gap_cn_months"] is not None:
            said.append(
                f"In {last['date']:%B %Y} China is {_banded(last, 'gap_cn_months')} months behind the frontier "
                f"({spread})."
            )
    if facts.rows:
        met = sum(row[-1] == "yes" for row in facts.rows)
        said.append(
            f"{met} of {len(facts.rows)} observations of conf/facts overlap, with their range, the band of the worlds "
            "at their time (table of facts)."
        )
    return said


def _banded(row: dict, column: str) -> str:
    return f"{number(row[column])} [{number(row[f'{column}_low'])}, {number(row[f'{column}_high'])}]"
