"""Effects of each mechanism: mechanisms, moats and decisions are taken out one by one.

Every mechanism is switched off, every moat set to nothing, and planning, pricing and openness
drawn at random, each alone, against the same worlds with all of it: what differs within a pair of
worlds is the effect. Words are settings as of ``baimo`` (``worlds=16 seed=7 scenario=no_embargo``).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
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
from baimo.experiments.run.cells import changed, run_cells
from baimo.experiments.run.compose import UserError, compose_run

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
        return compose_run([*words, *scenario]) if scenario else cfg

    cfgs = [cfg for each in chosen for cfg in (base(each.scenario), changed(base(each.scenario), dict(each.off)))]
    folders = run_cells(cfgs, "ablation", int(cfg.processes))
    return [(each, *folders[2 * i : 2 * i + 2]) for i, each in enumerate(chosen)]


def ablation_effects(runs: Sequence[tuple[Comparison, Path, Path]], periods: Sequence[str]) -> pl.DataFrame:
    """The table of effects, with less without, one row a comparison, output column and period."""
    rows = []
    for each, with_, without in runs:
        there = paired.columns_of(with_) & paired.columns_of(without)
        extra = [Outcome(name) for name in each.shows if name not in {known.column for known in OUTCOMES}]
        keys = {name: getattr(each, name) for name in ("name", "kind", "label")}
        keys |= {"scenario": " ".join(each.scenario), "run_with": with_.name, "run_without": without.name}
        outcomes = [outcome for outcome in (*OUTCOMES, *extra) if outcome.column in there]
        rows += [keys | row for row in paired.effect_rows(with_, without, outcomes, periods)]
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
