"""A report on runs: ``baimo report outputs/baseline outputs/no_embargo``.

One HTML page that opens anywhere (figures inside, no script, nothing fetched), and beside it the figures as PDF and
PNG and the tables as LaTeX. Where the baseline is among the runs, or named, the effects of the others against it
come first.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import polars as pl

from baimo.experiments.analysis import arms, compare, contexts, effect_text
from baimo.experiments.analysis.arms import Arm, NotComparable
from baimo.experiments.analysis.tables import latex_tables
from baimo.experiments.figures import catalogue
from baimo.experiments.figures.paper import Source
from baimo.experiments.read import load
from baimo.experiments.report import findings, folder, page, reproduce
from baimo.experiments.run import store

_NAME_IT = "name it with --baseline"


@dataclass(frozen=True)
class Wanted:
    """Options of a report.

    Parameters
    ----------
    runs, baseline : sequence of str or path
    title, question : str
    outcomes : str
        Columns with commas that are compared besides the usual ones.
    within : str
        Setting or group of policies in each of whose values policies are compared on their own.
    each : bool
        Figures of every arm.
    to : str
        Folder for it.
    """

    runs: Sequence[load.Where]
    baseline: Sequence[load.Where] = ()
    title: str = ""
    question: str = ""
    outcomes: str = ""
    within: str = ""
    each: bool = False
    to: str = ""

    @property
    def columns(self) -> list[str] | None:
        """Columns to compare; nothing for the usual columns, as far as they are there."""
        more = [word.strip() for word in self.outcomes.split(",") if word.strip()]
        return [*dict.fromkeys((*compare.COLUMNS, *more))] if more else None


@dataclass(frozen=True)
class Found:
    """Arms, the baseline first, and their effects; or why there are none."""

    arms: Sequence[Arm]
    base: Arm | None = None
    effects: pl.DataFrame | None = None
    why: str = ""
    against: Mapping[str, Arm] = field(default_factory=dict)
    idle: Sequence[str] = ()

    @property
    def apart(self) -> dict[str, str]:
        """Labels of other baselines than that of all."""
        return {label: arm.label for label, arm in self.against.items() if arm is not self.base}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be typed."""
    parser.add_argument("runs", nargs="+", help="folders of runs, experiments or sweeps, or globs of these")
    parser.add_argument("--baseline", nargs="+", default=[], help="the runs that the others are compared with")
    parser.add_argument("--title", default="", help="of the page")
    parser.add_argument("--question", default="", help="what is asked, one sentence below the title")
    parser.add_argument("--outcomes", default="", help="columns that are compared, too, with commas")
    parser.add_argument("--within", default="", help="compare policies on their own in each value of this setting")
    parser.add_argument("--each", action="store_true", help="figures of every arm, not of the baseline alone")
    parser.add_argument("--to", default="", help="folder for the report (default: the one that holds the runs)")


def command(flags: argparse.Namespace) -> None:
    """Write the report that is asked for, and say where."""
    asked = {each.name: getattr(flags, each.name) for each in fields(Wanted)}
    print(f"report   {write_report(Wanted(**asked)) / 'index.html'}")


def write_report(wanted: Wanted) -> Path:
    """Write a report; returns its folder, which may have been there already.

    Raises
    ------
    UserError
        When there are no complete runs, or the worlds of the named baseline cannot be paired with the others.
    """
    found = _compared(wanted)
    arms = found.arms
    facts = {
        "report": {name: getattr(wanted, name) for name in ("title", "question", "outcomes", "within", "each")},
        "baseline": found.base.label if found.base else None,
        "arms": [[arm.label, sorted(run.name for run in arm.runs.values())] for arm in arms],
    }
    first = next(iter(arms[0].runs.values()))
    place = Path(wanted.to) if wanted.to else first.parents[1]
    place, _ = folder.write_report_folder(place, facts, lambda part: _fill(part, found, wanted))
    return place


def _compared(wanted: Wanted) -> Found:
    """Arms and effects, policies that change nothing apart."""
    folders = load.readable(*wanted.runs)
    compared = {folder.resolve() for folder in load.readable(*wanted.baseline)} if wanted.baseline else set()
    if compared and {folder.resolve() for folder in folders} - compared:
        found, base = arms.arms(folders, wanted.baseline)
    else:
        try:
            found, base = arms.arms_among(folders)
        except NotComparable as error:
            if len(folders) == 1:
                raise
            return Found(arms.labelled(arms.grouped(folders)), why=str(error))
    if base is None:
        alone = "one arm alone"
        return Found(found, why=alone if len(found) == 1 else f"none of the arms is the baseline of conf: {_NAME_IT}")
    against = contexts.baselines(found, base, wanted.within)
    frame = compare.effects_of_arms(found, base, {"columns": wanted.columns}, against)
    still = contexts.idle(frame)
    frame = frame.filter(~pl.col("policy").is_in(still))
    return Found([base, *found], base, frame if frame.height else None, "", against, still)


def _fill(part: Path, found: Found, wanted: Wanted) -> None:
    """Figures, tables and page of a report, into a folder."""
    names, figures_folder, tables_folder = catalogue.checked(""), part / "figures", part / "tables"
    tables_folder.mkdir(parents=True)
    arms, base, frame = found.arms, found.base, found.effects
    drawn = []
    if len(arms) > 1:
        drawn += catalogue.of_arms(arms, frame, base, figures_folder, names, found.apart)
    sources = [Source(arm.label, tuple(arm.runs.values())) for arm in arms]
    for place, source in enumerate(sources if wanted.each else sources[:1]):
        folder = figures_folder if place == 0 else figures_folder / f"arm-{place}"
        drawn += list(catalogue.of_runs(source, folder, names))
        drawn += list(catalogue.of_design(source, folder, names))
    (part / "captions.md").write_text(catalogue.captions(drawn), encoding="utf-8")
    facts = findings.against_facts(sources[0])
    tables = [findings.levels(arms, wanted.columns or compare.COLUMNS), *([facts] if facts.rows else [])]
    for table in tables:
        (tables_folder / f"{table.name}.tex").write_text(latex_tables([table]), encoding="utf-8")
    said = {f"{sources[0].label}": findings.of_one(sources[0], facts)}
    effects = []
    if base is not None:
        said = _said(found, wanted) | said
    if frame is not None and base is not None:
        header = _header(found)
        frame.write_parquet(part / "effects.parquet")
        (tables_folder / "effects.tex").write_text(effect_text.latex(frame, header), encoding="utf-8")
        (tables_folder / "effects.md").write_text(effect_text.markdown(frame, header), encoding="utf-8")
        effects = [table for _, _, table in effect_text.effect_tables(frame, header)]
        effects[1:] = [replace(table, note="As in the first table.") for table in effects[1:]]
    content = page.Content(
        title=wanted.title or _title(arms, base),
        question=wanted.question,
        findings=said,
        no_effects=found.why,
        drawn=drawn,
        tables=[*effects, *tables],
        arms=[_about(arm, base) for arm in arms],
        flags=_flags(wanted),
    )
    (part / "index.html").write_text(page.html(content), encoding="utf-8")
    (part / "findings.md").write_text(page.findings_markdown(content), encoding="utf-8")


def _said(found: Found, wanted: Wanted) -> dict[str, list[str]]:
    """Findings on the policies, on where they do more, and on those that change nothing."""
    base, said = found.base, {}
    if found.effects is not None:
        said |= findings.of_effects(found.effects, base.label, found.apart)
        if wanted.within:
            columns = found.effects["column"].unique(maintain_order=True).to_list()
            frame = contexts.interactions(found.arms[1:], base, found.against, wanted.within, columns)
            differ = findings.of_contexts(frame, base.label) if frame.height else []
            said |= {f"Differences within {wanted.within}": differ} if differ else {}
    if found.idle:
        same = f"The same as {base.label} in every pair of worlds, and left out of figures and tables of effects"
        said |= {"No effect": [f"{same}: {'; '.join(found.idle)}."]}
    return said


def _flags(wanted: Wanted) -> list[str]:
    """Words of the command that writes this report, behind the runs."""
    named = [(name, getattr(wanted, name)) for name in ("title", "question", "outcomes", "within")]
    return [f"--{name}={value}" for name, value in named if value] + ["--each"] * wanted.each


def _title(arms: Sequence[Arm], base: Arm | None) -> str:
    others = [arm.label for arm in arms if arm is not base]
    names = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
    return f"{names} against {base.label}" if base else names


def _header(found: Found) -> effect_text.Header:
    base = found.base
    differ = {arm.label: arms.differences(arm, found.against[arm.label]) for arm in found.arms if arm is not base}
    return effect_text.Header(base.label, sorted(base.runs), 0.05, differ, found.apart)


def _about(arm: Arm, base: Arm | None) -> page.About:
    """An arm as the page tells it: runs, versions, what is set otherwise, its command."""
    runs = [(folder, store.manifest(folder) or {}) for folder in arm.runs.values()]
    return page.About(
        label=arm.label,
        role="baseline" if arm is base else "",
        manifests=[facts for _, facts in runs],
        differs=[] if base is None or arm is base else arms.differences(arm, base),
        config=(runs[0][0] / "config.yaml").read_text(encoding="utf-8"),
        again=[reproduce.again(folder) for folder, _ in runs],
    )
