"""The table printed after a run: the war in a dozen lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl

from baimo.experiments.read import load

WIDTH = 110
_MISSING = "-"


def _number(value: float | None, scale: float = 1.0) -> str:
    """Three digits or so: 0.04, 7.31, 42.0, 1,234.

    Examples
    --------
    >>> [_number(value) for value in (None, 0, 0.0007, 0.0417, 7.312, 42, 1234.5)]
    ['-', '0', '<0.01', '0.04', '7.31', '42.0', '1,234']
    """
    if value is None:
        return _MISSING
    value *= scale
    if 0 < value < 0.01:
        return "<0.01"
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _count(value: float | None) -> str:
    return _MISSING if value is None else f"{value:,.0f}"


def _band(row: dict) -> str:
    alive = "labs_alive_cn"
    if row[alive] is None:
        return _MISSING
    if row["worlds"] == 1:
        return _count(row[alive])
    return f"{_count(row[alive])} [{_count(row[alive + '_low'])}-{_count(row[alive + '_high'])}]"


def _thousands(column: str) -> Callable[[dict], str]:
    return lambda row: _number(row[column], 1e-3)


class Column(NamedTuple):
    """A printed column: two header lines, its width, and the text of a row."""

    head: str
    unit: str
    width: int
    text: Callable[[dict], str]


PRINTED_COLUMNS = (
    Column("month", "", -7, lambda row: f"{row['date']:%Y-%m}"),
    Column("labs CN", "[5-95%]", 14, _band),
    Column(
        "models CN",
        "out / filed",
        15,
        lambda r: f"{_count(r['models_released_cn'])} / {_count(r['models_filed_cn'])}",
    ),
    Column("frontier", "all OOM", 10, lambda row: _fixed(row["frontier_all"], 2)),
    Column("", "CN", 6, lambda row: _fixed(row["frontier_cn"], 2)),
    Column("gap", "months", 7, lambda row: _fixed(row["gap_cn_months"], 1)),
    Column("flagship", "CNY/Mtok", 9, lambda row: _number(row["price_flagship_cn"])),
    Column("tokens CN", "bn a day", 10, _thousands("tokens_day_cn")),
    Column("HHI", "tokens", 7, lambda row: _fixed(row["hhi_tokens_cn"], 2)),
    Column("legal", "1000", 8, _thousands("h100e_cn_legal")),
    Column("grey", "H100e", 7, _thousands("h100e_cn_grey")),
    Column("domestic", "CN", 9, _thousands("h100e_cn_domestic")),
)
_NEEDED = (
    "labs_alive_cn",
    "models_released_cn",
    "models_filed_cn",
    "frontier_all",
    "frontier_cn",
    "gap_cn_months",
    "price_flagship_cn",
    "tokens_day_cn",
    "hhi_tokens_cn",
    "h100e_cn_legal",
    "h100e_cn_grey",
    "h100e_cn_domestic",
)


def _fixed(value: float | None, digits: int) -> str:
    return _MISSING if value is None else f"{value:.{digits}f}"


def half_years(market: pl.LazyFrame) -> pl.DataFrame:
    """Medians across worlds in the first and last month and every June and December.

    Parameters
    ----------
    market : polars.LazyFrame
        The market table of one run.

    Returns
    -------
    polars.DataFrame
        One row a date: ``date``, a median per column, and with ``_low``, ``_high`` 5% and 95% across ``worlds``.
    """
    date = pl.col("date")
    first_of_month = date == date.min().over(date.dt.truncate("1mo"))  # whatever the length of a step
    shown = (date == date.min()) | (date == date.max()) | (first_of_month & date.dt.month().is_in([6, 12]))
    chosen = market.filter(shown)
    worlds = chosen.select(pl.col("replicate").n_unique()).collect().item()
    return load.bands(chosen, _NEEDED).with_columns(pl.lit(worlds).alias("worlds"))


def half_years_text(folder: Path) -> str:
    """The printed table of one run folder, at most 110 columns wide."""
    rows = half_years(load.market(folder)).to_dicts()
    lines = [_line(column.head for column in PRINTED_COLUMNS), _line(column.unit for column in PRINTED_COLUMNS)]
    lines.append("-" * max(map(len, lines)))
    lines += [_line(column.text(row) for column in PRINTED_COLUMNS) for row in rows]
    worlds = rows[0]["worlds"]
    note = f"medians of {worlds} worlds" if worlds > 1 else "one world"
    return "\n".join([*lines, f"{note}; legal, grey, domestic: chips in China in thousand H100 equivalents"])


def _line(cells) -> str:
    pairs = zip(cells, PRINTED_COLUMNS, strict=True)
    return "".join(
        cell.ljust(-column.width) if column.width < 0 else cell.rjust(column.width) for cell, column in pairs
    ).rstrip()
