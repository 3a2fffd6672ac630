"""What each mechanism does: ``python -m baimo.experiments.ablate`` takes them out one by one.

Every mechanism is switched off, every moat set to nothing, and planning, pricing and openness
drawn at random, each alone, against the same worlds with all of it: what differs within a pair of
twins is the effect. Words are settings as of ``baimo`` (``worlds=16 seed=7 scenario=no_embargo``).
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
from omegaconf import DictConfig

from baimo.conf.mechanisms import MECHANISMS
from baimo.conf.schema import parameters_of, to_parameters
from baimo.experiments.analysis import paired
from baimo.experiments.analysis.paired import LAST_YEAR, WHOLE_RUN, Outcome
from baimo.experiments.run import reports
from baimo.experiments.run.cells import QUIET, changed, run_cells
from baimo.experiments.run.compose import UserError, settings

Draw = Callable[[pl.DataFrame, Sequence[Outcome], Path], None]
DEFAULTS = ("worlds=64", "block=32", "scenario=baseline")
KINDS = ("mechanisms", "moats", "decisions")
#: Outputs on which everything is compared.
OUTCOMES = (
    Outcome("labs_alive_cn", "labs alive"),
    Outcome("price_gpt35_level", "price, GPT-3.5 level"),
    Outcome("price_flagship_cn", "price, flagship"),
    Outcome("hhi_tokens_cn", "HHI of tokens"),
    Outcome("gap_cn_oom", "gap, OOM"),
    Outcome("tokens_day_cn", "tokens a day"),
    Outcome("app_lifeline_median_months", "app lifeline, months"),
)


@dataclass(frozen=True)
class Comparison:
    """One thing taken out: with it against without it, in a scenario.

    Parameters
    ----------
    name, kind, label : str
        What is taken out, as ``M08 weak_chips``, ``moat reputation`` or ``random pricing``.
    off : tuple of (str, value)
        Settings without it.
    shows : tuple of str
        Output columns in which its effect should be seen, besides ``OUTCOMES``.
    scenario : tuple of str
        Overrides in which it is compared, beyond those of the command line.
    """

    name: str
    kind: str
    label: str
    off: tuple[tuple[str, Any], ...]
    shows: tuple[str, ...] = ()
    scenario: tuple[str, ...] = ()


# ---------------------------------------------------------------------- what is compared


def comparisons(cfg: DictConfig, only: Sequence[str] = ()) -> list[Comparison]:
    """Everything that can be taken out of the given settings, or some of it.

    Parameters
    ----------
    cfg : DictConfig
        The baseline.
    only : sequence of str
        Ids and names of mechanisms, names of moats and decisions, or kinds; all where empty.

    Raises
    ------
    UserError
        For a name that is none of them.
    """
    found = [*_mechanisms(cfg), *_moats(cfg), *_decisions(cfg)]
    if not only:
        return found
    known = {word: each for each in found for word in (*each.label.split(), each.name)}
    for word in only:
        if word not in known and word not in KINDS:
            near = difflib.get_close_matches(word, [*known, *KINDS], 1)
            there = any(word in (m.id, m.name) for m in MECHANISMS)
            why = "it is off already" if there else "there is no such mechanism, moat or decision"
            hint = f"; did you mean {near[0]}?" if near else "; give ids such as M08, names, or " + ", ".join(KINDS)
            raise UserError(f"--only {word}: {why}{'' if there else hint}")
    chosen = [each for each in found if {*each.label.split(), each.name, each.kind} & {*only}]
    if not chosen:
        raise UserError(f"--only {','.join(only)}: nothing of this kind can be taken out of these settings")
    return chosen


def _mechanisms(cfg: DictConfig) -> Iterable[Comparison]:
    for each in MECHANISMS:
        if not cfg.mechanisms[each.name]:
            continue
        off = ((f"mechanisms.{each.name}", False),)
        label = f"{each.id} {each.name}"
        yield Comparison(each.name, "mechanisms", label, off, each.shows)
        if each.scenario:
            yield Comparison(each.name, "mechanisms", label, off, each.shows, each.scenario)


def _moats(cfg: DictConfig) -> Iterable[Comparison]:
    """Strengths in the section ``moat``: numbers that may be zero and are not."""
    for key, value, declared in parameters_of(to_parameters(cfg)):
        section, _, name = key.partition(".")
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if section == "moat" and number and value and declared.metadata["low"] <= 0.0:
            yield Comparison(name, "moats", f"moat {name}", ((key, 0.0),))


def _decisions(cfg: DictConfig) -> Iterable[Comparison]:
    for name in ("planning", "pricing", "openness"):
        if cfg.decisions[name] != "random":
            yield Comparison(name, "decisions", f"random {name}", ((f"decisions.{name}", "random"),))


# ---------------------------------------------------------------------- runs and effects


def run(words: Sequence[str], cfg: DictConfig, chosen: Sequence[Comparison]) -> list[tuple[Comparison, Path, Path]]:
    """Run what must be compared; returns comparisons with the folders of the runs with and without."""

    @lru_cache
    def base(scenario: tuple[str, ...]) -> DictConfig:
        return settings([*DEFAULTS, *words, *scenario, *QUIET]) if scenario else cfg

    cfgs = [cfg for each in chosen for cfg in (base(each.scenario), changed(base(each.scenario), dict(each.off)))]
    folders = run_cells(cfgs, "ablation", int(cfg.processes))
    return [(each, *folders[2 * i : 2 * i + 2]) for i, each in enumerate(chosen)]


def effects(runs: Sequence[tuple[Comparison, Path, Path]], periods: Sequence[str]) -> pl.DataFrame:
    """The table of effects, with less without, one row a comparison, output column and period."""
    rows = []
    for each, with_, without in runs:
        there = paired.columns_of(with_) & paired.columns_of(without)
        extra = [Outcome(name) for name in each.shows if name not in {known.column for known in OUTCOMES}]
        keys = {name: getattr(each, name) for name in ("name", "kind", "label")}
        keys |= {"scenario": " ".join(each.scenario), "run_with": with_.name, "run_without": without.name}
        outcomes = [outcome for outcome in (*OUTCOMES, *extra) if outcome.column in there]
        rows += [keys | row for row in paired.effects(with_, without, outcomes, periods)]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return paired.with_q(frame.with_columns(pl.col("scenario").ne("").alias("elsewhere")), ("elsewhere", "period"))


def inert(frame: pl.DataFrame) -> dict[str, dict[str, list[str]]]:
    """Mechanisms that move none of their outputs beyond two standard errors, in the last year or the whole run.

    Returns
    -------
    dict
        By label: ``{scenario: [columns that it moves there]}`` of the scenarios it was run in, too.
    """
    last = frame.filter(pl.col("period").is_in([LAST_YEAR, WHOLE_RUN]))
    last = last.with_columns(pl.col("t").fill_nan(0.0).abs().alias("size"))
    found: dict[str, dict[str, list[str]]] = {}
    for (label,), part in last.group_by("label", maintain_order=True):
        if part.filter(pl.col("scenario") == "")["size"].max() > 2.0:
            continue
        elsewhere = part.filter(pl.col("scenario") != "")
        found[label] = {
            scenario: rows.filter(pl.col("size") > 2.0)["column"].unique(maintain_order=True).to_list()
            for (scenario,), rows in elsewhere.group_by("scenario", maintain_order=True)
        }
    return found


# ---------------------------------------------------------------------- the report as text

NOTE = """Effects are paired differences over twin worlds, *with* less *without*: what each thing adds. Prices and
tokens are compared in logarithms and given in per cent. In brackets: 95% interval (paired t).
`*` beyond two standard errors; one in twenty of nothing is, too, so that of {tests} tests about {chance:.0f} are
starred by chance. `**` where the false discovery rate over all these tests (Benjamini and Hochberg) is below 5%.
"""


def text(frame: pl.DataFrame, cfg: DictConfig) -> str:
    """The report in Markdown: a table a kind, the inert ones, and which moat holds."""
    last = frame.filter(pl.col("period") == LAST_YEAR)
    here = last.filter(pl.col("scenario") == "")
    worlds = f"{cfg.worlds} worlds, seed {cfg.seed}, {cfg.steps} steps, scenario {cfg.scenario}"
    lines = [f"# What each mechanism does ({worlds})", "", f"Means of the {LAST_YEAR}.", ""]
    lines += [NOTE.format(tests=here.height, chance=0.05 * here.height)]
    titles = {"mechanisms": "Mechanisms", "moats": "Moats, each alone", "decisions": "Decisions against random ones"}
    for kind in KINDS:
        part = last.filter(pl.col("kind") == kind)
        if part.height:
            lines += [f"## {titles[kind]}", "", *_table(part), ""]
    return "\n".join([*lines, *_moats_that_hold(here), *_inert_lines(frame), *_skipped(frame)]).rstrip() + "\n"


def _table(part: pl.DataFrame) -> list[str]:
    """Markdown rows, one a comparison; what it alone shows stands in the last column."""
    heads = ["", *(each.label for each in OUTCOMES), "its own outputs"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for (label, scenario), rows in part.group_by("label", "scenario", maintain_order=True):
        by_column = {row["column"]: row for row in rows.iter_rows(named=True)}
        main = [_cell(by_column.pop(each.column, None)) for each in OUTCOMES]
        own = "; ".join(f"`{name}` {_cell(row)}" for name, row in by_column.items())
        name = f"{label} in `{scenario}`" if scenario else label
        lines.append("| " + " | ".join([name, *main, own]) + " |")
    return lines


def _cell(row: dict | None) -> str:
    if row is None:
        return ""
    interval = f" [{paired.number(row, 'low')}, {paired.number(row, 'high')}]" if abs(row["t"] or 0.0) > 2.0 else ""
    return f"{paired.number(row)}{interval}{paired.marks(row)}"


def _moats_that_hold(here: pl.DataFrame) -> list[str]:
    """001 asks which moat holds: those that concentrate the market, the strongest first."""
    moats = here.filter(pl.col("kind") == "moats", pl.col("column") == "hhi_tokens_cn").sort("effect", descending=True)
    if not moats.height:
        return []
    ranked = ", ".join(f"{r['name']} ({paired.number(r)}{paired.marks(r)})" for r in moats.iter_rows(named=True))
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
    """What could not be compared: columns of other tables."""
    there, compared = set(frame["column"]), set(frame["name"])
    elsewhere = [f"{m.id} `{name}`" for m in MECHANISMS if m.name in compared for name in m.shows if name not in there]
    return ["Not in the market table, so not compared: " + ", ".join(elsewhere) + "."] if elsewhere else []


# ---------------------------------------------------------------------- the command


def main(words: Sequence[str] | None = None, draw: Draw | None = None) -> int:
    """Run the command."""
    parser = reports.Parser(
        prog="python -m baimo.experiments.ablate", description=__doc__.split("\n")[0], allow_abbrev=False
    )
    parser.add_argument("settings", nargs="*", metavar="key=value", help="settings, as of baimo (default worlds=64)")
    parser.add_argument("--only", default="", help="ids, names or kinds, with commas: M08,moats,pricing")
    parser.add_argument("--dates", default="", help="further months to compare in, with commas: 2023-12,2024-12")
    options = parser.parse_intermixed_args(words)
    return reports.command("ablate", lambda: ablate(options, draw), options.settings)


def ablate(options: Any, draw: Draw | None = None) -> Path:
    """Run, compare, write and print; returns the folder of the report."""
    words = reports.overrides(options.settings, "ablate")
    cfg = settings([*DEFAULTS, *words, *QUIET])
    if cfg.worlds < 2:
        raise UserError(f"worlds={cfg.worlds}: must be at least 2, for an interval")
    periods = [LAST_YEAR, WHOLE_RUN, *_months(options.dates, cfg)]
    chosen = comparisons(cfg, [word for word in options.only.split(",") if word])
    runs = run(words, cfg, chosen)
    facts = {"periods": periods, "compared": [[each.label, with_.name, out.name] for each, with_, out in runs]}
    here = Path(__file__).parent
    code = [here / name for name in ("ablate.py", "paired.py")]
    folder = reports.report_folder(runs[0][1].parent, facts, code)
    fresh = reports.write(folder, facts, lambda part: _fill(part, runs, periods, cfg, draw))
    print((folder / "effects.md").read_text(encoding="utf-8"))
    print(f"{'files' if fresh else 'already there'}   {folder}")
    return folder


def _fill(part: Path, runs: Sequence, periods: Sequence[str], cfg: DictConfig, draw: Draw | None) -> None:
    frame = effects(runs, periods)
    frame.write_parquet(part / "effects.parquet")
    (part / "effects.md").write_text(text(frame, cfg), encoding="utf-8")
    if draw is not None:
        draw(frame, OUTCOMES, part)


def _months(dates: str, cfg: DictConfig) -> list[str]:
    """Months that are asked for, checked against those that are simulated."""
    from baimo.world.engine.clock import Clock

    clock, found = Clock(cfg.start, cfg.clock), [word for word in dates.split(",") if word]
    first, last = (f"{clock.date(step):%Y-%m}" for step in (0, int(cfg.steps) - 1))
    for word in found:
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", word) or not first <= word <= last:
            raise UserError(f"--dates {word}: must be months from {first} to {last}, such as {last}")
    return found


if __name__ == "__main__":
    sys.exit(main())
