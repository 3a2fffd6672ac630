"""One world, firm by firm: the largest labs, what a user uses, who hosts, and who left and why.

Medians over worlds hide what no firm would do. These tables are for looking at before a median is believed.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import polars as pl

from baimo.agents.enums import REVENUE

#: Columns of a lab that are shown, with their heads.
LAB = {
    "lab_id": "lab",
    "archetype": "kind",
    "mode": "mode",
    "staff": "staff",
    "h100e": "H100e",
    "capability": "OOM",
    "tokens_day": "Mtok a day",
    "price_flagship": "price",
    "marginal_cost": "cost",
    "margin": "margin",
    **{f"revenue_{kind}": kind for kind in REVENUE},
    "spending": "spending",
}
#: The same of a lab that has left.
LEFT = {
    "date": "left",
    "lab_id": "lab",
    "archetype": "kind",
    "months": "months",
    "staff": "staff",
    "capability": "OOM",
    "revenue": "revenue",
    "spending": "spending",
    "cash": "cash",
    "exit_reason": "why",
}


def months_there(market: pl.DataFrame, words: Sequence[str]) -> list[datetime.date]:
    """Dates of the months named as ``2023-06``, as far as the run has them.

    Raises
    ------
    ValueError
        For what is no month.
    """
    there = set(market["date"].to_list())
    wanted = [datetime.date.fromisoformat(f"{word}-01") for word in words]
    return [date for date in wanted if date in there]


def largest_labs(labs: pl.DataFrame, date: datetime.date, number: int) -> pl.DataFrame:
    """The largest labs in CN by tokens on a date, with prices, cost, margin and revenue by kind."""
    here = labs.filter(pl.col("region") == "CN", "alive", pl.col("date") == date)
    margin = (1.0 - pl.col("marginal_cost") / pl.col("price_flagship")).alias("margin")
    chosen = here.with_columns(margin, pl.col("cost").alias("spending")).top_k(number, by="tokens_day")
    return chosen.sort("tokens_day", descending=True).select(pl.col(name).alias(head) for name, head in LAB.items())


def use_by_segment(market: pl.DataFrame, dates: Sequence[datetime.date]) -> pl.DataFrame:
    """Tokens a user and day in CN, one row a segment and one column a date."""
    prefix, end = "tokens_a_user_", "_cn"
    columns = [name for name in market.columns if name.startswith(prefix)]
    rows = market.filter(pl.col("date").is_in(dates)).sort("date")
    names = [name.removeprefix(prefix).removesuffix(end) for name in columns]
    found = {f"{date:%Y-%m}": list(row) for date, row in zip(rows["date"], rows.select(columns).rows(), strict=True)}
    return pl.DataFrame({"segment": names} | found)


def hosting(market: pl.DataFrame, dates: Sequence[datetime.date]) -> pl.DataFrame:
    """Tokens of hosts and across the border, and what hosts in CN earn, one row a date."""
    columns = ("tokens_day_cn", "tokens_hosted_cn", "tokens_imported_cn", "tokens_exported_cn", "tokens_hosted_row")
    rows = market.filter(pl.col("date").is_in(dates)).sort("date")
    return rows.select(pl.col("date").dt.strftime("%Y-%m"), *columns, "revenue_hosting_cn")


def who_left(labs: pl.DataFrame, number: int) -> pl.DataFrame:
    """The last labs in CN to leave: when, how old, with what, and why."""
    here = labs.filter(pl.col("region") == "CN").sort("lab_id", "step")
    months = (pl.col("date").last().dt.year() * 12 + pl.col("date").last().dt.month()) - (
        pl.col("date").first().dt.year() * 12 + pl.col("date").first().dt.month()
    )
    before = ("staff", "capability", "revenue", "cost", "cash")
    lives = here.group_by("lab_id").agg(
        pl.col("date", "archetype", "exit_reason").last(),
        months.alias("months"),
        *(pl.col(name).filter("alive").last() for name in before),
        pl.col("alive").last(),
    )
    gone = lives.filter(~pl.col("alive")).rename({"cost": "spending"})
    return gone.sort("date", "lab_id").tail(number).select(pl.col(name).alias(head) for name, head in LEFT.items())
