"""The report of an ablation: effects of each mechanism, moat and decision as tables, text and a heat map."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import polars as pl
from omegaconf import DictConfig

from baimo.conf.mechanisms import MECHANISMS
from baimo.experiments.analysis import paired, tables
from baimo.experiments.analysis.ablate import KINDS, OUTCOMES, ablation_effects, comparisons, inert, run
from baimo.experiments.analysis.paired import LAST_YEAR, WHOLE_RUN
from baimo.experiments.figures import contrasts
from baimo.experiments.report import folder
from baimo.experiments.run.cells import paired_settings
from baimo.experiments.run.compose import UserError
from baimo.world.engine.clock import Clock

_NOTE = """Effects are differences within paired worlds, *with* less *without*: what each thing adds. Prices and
tokens are compared in logarithms and given in per cent. In brackets: 95% interval (paired t).
`*` beyond two standard errors; one in twenty of nothing is, too, so that of {tests} tests about {chance:.0f} are
starred by chance. `**` where the false discovery rate over all these tests (Benjamini and Hochberg) is below 5%.
"""


def ablation_text(frame: pl.DataFrame, cfg: DictConfig) -> str:
    """The report in Markdown: a table a kind, the inert ones, and which moat holds."""
    last = frame.filter(pl.col("period") == LAST_YEAR)
    here = last.filter(pl.col("scenario") == "")
    worlds = f"{cfg.worlds} worlds, seed {cfg.seed}, {cfg.steps} steps, scenario {cfg.scenario}"
    lines = [f"# What each mechanism does ({worlds})", "", f"Means of the {LAST_YEAR}.", ""]
    lines += [_NOTE.format(tests=here.height, chance=0.05 * here.height)]
    titles = {"mechanisms": "Mechanisms", "moats": "Moats, each alone", "decisions": "Decisions against random ones"}
    for kind in KINDS:
        part = last.filter(pl.col("kind") == kind)
        if part.height:
            lines += [f"## {titles[kind]}", "", *_table(part), ""]
    return "\n".join([*lines, *_moats_that_hold(here), *_inert_lines(frame), *_skipped(frame)]).rstrip() + "\n"


def _table(part: pl.DataFrame) -> list[str]:
    """Markdown rows, one a comparison; what it alone shows stands in the last column."""
    heads = ["", *(each.label for each in OUTCOMES), "its own outputs"]
    lines = []
    for (label, scenario), rows in part.group_by("label", "scenario", maintain_order=True):
        by_column = {row["column"]: row for row in rows.iter_rows(named=True)}
        main = [_cell(by_column.pop(each.column, None)) for each in OUTCOMES]
        own = "; ".join(f"`{name}` {_cell(row)}" for name, row in by_column.items())
        name = f"{label} in `{scenario}`" if scenario else label
        lines.append([name, *main, own])
    return tables.markdown_table(heads, lines)


def _cell(row: dict | None) -> str:
    return "" if row is None else paired.effect_cell(row, interval=abs(row["t"] or 0.0) > 2.0)


def _moats_that_hold(here: pl.DataFrame) -> list[str]:
    """001 asks which moat holds: those that concentrate the market, the strongest first."""
    moats = here.filter(pl.col("kind") == "moats", pl.col("column") == "hhi_tokens_cn").sort("effect", descending=True)
    if not moats.height:
        return []
    ranked = ", ".join(f"{r['name']} ({paired.effect_number(r)}{paired.marks(r)})" for r in moats.iter_rows(named=True))
    return ["## Which moat holds", "", f"By what each adds to the concentration of tokens (HHI): {ranked}.", ""]


def _inert_lines(frame: pl.DataFrame) -> list[str]:
    found = inert(frame)
    lines = [
        "## Inert here",
        "",
        "Move none of the outputs beyond two standard errors in these settings, in the last year or over the run:",
        "",
    ]
    for label, scenarios in found.items():
        there = "; ".join(
            f"in `{scenario}` it moves {', '.join(columns) if columns else 'none either'}"
            for scenario, columns in scenarios.items()
        )
        lines.append(f"- {label}: {there or 'no scenario is named for it'}")
    return [*lines, ""] if found else ["Nothing is inert here.", ""]


def _skipped(frame: pl.DataFrame) -> list[str]:
    """Note on the columns of other tables, which are not compared."""
    there, compared = set(frame["column"]), set(frame["name"])
    elsewhere = [f"{m.id} `{name}`" for m in MECHANISMS if m.name in compared for name in m.shows if name not in there]
    return ["Not in the market table, so not compared: " + ", ".join(elsewhere) + "."] if elsewhere else []


# ---------------------------------------------------------------------- the command


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be typed."""
    parser.add_argument("settings", nargs="*", metavar="key=value", help="settings, as of baimo (default worlds=64)")
    parser.add_argument("--only", default="", help="ids, names or kinds, with commas: M08,moats,pricing")
    parser.add_argument("--dates", default="", help="further months to compare in, with commas: 2023-12,2024-12")


def command(options: argparse.Namespace) -> None:
    """Run, compare, write and print."""
    words, cfg = paired_settings(options.settings, "ablate")
    periods = [LAST_YEAR, WHOLE_RUN, *_months(options.dates, cfg)]
    chosen = comparisons(cfg, [word for word in options.only.split(",") if word])
    runs = run(words, cfg, chosen)
    facts = {"periods": periods, "compared": [[each.label, with_.name, out.name] for each, with_, out in runs]}

    def fill(part: Path) -> None:
        frame = ablation_effects(runs, periods)
        frame.write_parquet(part / "effects.parquet")
        (part / "effects.md").write_text(ablation_text(frame, cfg), encoding="utf-8")
        contrasts.draw_heat_map(frame, OUTCOMES, part)

    place, fresh = folder.write_report_folder(runs[0][1].parent, facts, fill)
    print((place / "effects.md").read_text(encoding="utf-8"))
    folder.print_report_folder(place, fresh)


def _months(dates: str, cfg: DictConfig) -> list[str]:
    """Months that are asked for, checked against those that are simulated."""
    clock, found = Clock(cfg.start, cfg.clock), [word for word in dates.split(",") if word]
    first, last = (f"{clock.date(step):%Y-%m}" for step in (0, int(cfg.steps) - 1))
    for word in found:
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", word) or not first <= word <= last:
            raise UserError(f"--dates {word}: must be months from {first} to {last}, such as {last}")
    return found
