"""The report of ``baimo world``: one world of a run, firm by firm."""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from baimo.experiments.analysis import one_world
from baimo.experiments.analysis.tables import markdown_table
from baimo.experiments.read import load
from baimo.experiments.report import folder
from baimo.experiments.run.compose import UserError


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be typed."""
    parser.add_argument("run", help="the folder of a run with output.level=labs")
    parser.add_argument("--world", type=int, default=0, help="number of the world (default 0)")
    parser.add_argument("--at", default="2023-06,2024-06,2025-06", help="months, with commas")
    parser.add_argument("--largest", type=int, default=10, help="labs a month (default 10)")
    parser.add_argument("--left", type=int, default=20, help="labs that left (default 20)")


def command(flags: argparse.Namespace) -> None:
    """Read, write and print."""
    run = _run(flags.run)
    facts = {"world": flags.world, "at": flags.at, "largest": flags.largest, "left": flags.left, "run": run.name}
    text = world_text(run, flags)

    def fill(part: Path) -> None:
        (part / "world.md").write_text(text, encoding="utf-8")

    place, fresh = folder.write_report_folder(run.parent, facts, fill)
    print(text)
    folder.print_report_folder(place, fresh)


def _run(where: str) -> Path:
    """The one run at a place."""
    found = load.readable(where)
    if len(found) != 1:
        raise UserError(f"{where}: there are {len(found)} runs; name the folder of one")
    return found[0]


def world_text(run: Path, flags: argparse.Namespace) -> str:
    """Markdown of one world.

    Raises
    ------
    UserError
        For a world or months that the run does not have, and for a run without its panel of labs.
    """
    market = load.market(run).filter(pl.col("replicate") == flags.world).sort("step").collect()
    if market.is_empty():
        raise UserError(f"--world {flags.world}: {run} has no such world")
    try:
        dates = one_world.months_there(market, flags.at.split(","))
        labs = load.labs(run).filter(pl.col("replicate") == flags.world).collect()
    except FileNotFoundError as error:
        raise UserError(f"{run}: has no panel of labs; run with output.level=labs") from error
    except ValueError as error:
        raise UserError(f"--at {flags.at}: months are written 2023-06") from error
    if not dates:
        raise UserError(f"--at {flags.at}: the run goes from {market['date'].min()} to {market['date'].max()}")
    lines = [f"# World {flags.world} of {run.name}", ""]
    for date in dates:
        lines += [f"## The {flags.largest} largest labs in China, {date:%B %Y}", ""]
        lines += [*_markdown(one_world.largest_labs(labs, date, flags.largest)), ""]
    lines += ["Prices in CNY/Mtok, revenue and spending in CNY million a month, own chips.", ""]
    lines += ["## Tokens a user and day in China", "", *_markdown(one_world.use_by_segment(market, dates)), ""]
    lines += ["## Who hosts, and what crosses the border (Mtok a day; CNY million a month)", ""]
    lines += [*_markdown(one_world.hosting(market, dates)), ""]
    lines += [f"## The last {flags.left} labs in China that left", "", *_markdown(one_world.who_left(labs, flags.left))]
    return "\n".join([*lines, ""])


def _markdown(frame: pl.DataFrame) -> list[str]:
    """A frame in Markdown, numbers with three digits."""
    return markdown_table(frame.columns, ([_word(value) for value in row] for row in frame.rows()), "---:")


def _word(value: object) -> str:
    """A value in a cell: nothing for what is missing."""
    if value is None or value != value:
        return ""
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 100.0 else f"{value:.3g}"
