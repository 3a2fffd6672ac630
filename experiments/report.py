"""A report on runs: ``python -m experiments.report outputs/baseline outputs/no_embargo``.

One HTML page that opens anywhere (figures inside, no script, nothing fetched), and beside it the figures as PDF and
PNG and the tables as LaTeX. Where the baseline is among the runs, or named, the effects of the others against it
come first.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from experiments import compare, effect_text, findings, load, page, reports, reproduce, store
from experiments.compare import Arm, NotComparable
from experiments.figures import catalogue
from experiments.figures.paper import Source
from experiments.run import UserError


def main(words: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = reports.Parser(prog="python -m experiments.report", description=__doc__.split("\n")[0], allow_abbrev=False)
    parser.add_argument("runs", nargs="+", help="folders of runs, experiments or sweeps, or globs of these")
    parser.add_argument("--baseline", nargs="+", default=[], help="the runs that the others are compared with")
    parser.add_argument("--title", default="", help="of the page")
    parser.add_argument("--question", default="", help="what is asked, one sentence below the title")
    parser.add_argument("--each", action="store_true", help="figures of every arm, not of the baseline alone")
    parser.add_argument("--to", default="", help="folder for the report (default: the one that holds the runs)")
    flags = parser.parse_args(words)
    return reports.command("report", lambda: print(f"report   {write(flags) / 'index.html'}"), ())


def write(flags: Any) -> Path:
    """Write the report of a command line; returns its folder, which may have been there already.

    Raises
    ------
    UserError
        When there are no complete runs, or the named baseline is no twin of the others.
    """
    arms, base, frame, no_effects = _compared(flags.runs, flags.baseline)
    facts = {
        "report": {"title": flags.title, "question": flags.question, "each": flags.each},
        "baseline": base.label if base else None,
        "arms": [[arm.label, sorted(run.name for run in arm.runs.values())] for arm in arms],
    }
    here = Path(__file__).parent
    code = [here / f"{name}.py" for name in ("report", "page", "findings", "words", "reproduce", "compare", "paired")]
    first = next(iter(arms[0].runs.values()))
    place = Path(flags.to) if flags.to else first.parents[1]
    folder = reports.report_folder(place, facts, [*code, *sorted((here / "figures").glob("*.py"))])

    def fill(part: Path) -> None:
        _fill(part, arms, base, frame, no_effects, flags)

    reports.write(folder, facts, fill)
    return folder


def _compared(
    where: Sequence[load.Where], before: Sequence[load.Where]
) -> tuple[list[Arm], Arm | None, pl.DataFrame | None, str]:
    """Arms with the baseline first, the baseline, the effects, and why there are none."""
    try:
        folders = load.run_folders(*where)
        compared = {folder.resolve() for folder in load.run_folders(*before)} if before else set()
        for folder in folders:
            load.market(folder).collect_schema()
    except (FileNotFoundError, ValueError) as error:
        raise UserError(str(error)) from error
    if before and {folder.resolve() for folder in folders} - compared:
        found, base = compare.arms(folders, before)
        return [base, *found], base, compare.between(found, base, {}), ""
    try:
        found, base = compare.arms_among(folders)
    except NotComparable as error:
        if len(folders) == 1:
            raise
        found, base, why = compare.labelled(compare.grouped(folders)), None, str(error)
        return found, base, None, why
    if base is None:
        why = (
            "one arm alone" if len(found) == 1 else "none of the arms is the baseline of conf: name it with --baseline"
        )
        return found, None, None, why
    return [base, *found], base, compare.between(found, base, {}), ""


def _fill(
    part: Path, arms: Sequence[Arm], base: Arm | None, frame: pl.DataFrame | None, no_effects: str, flags: Any
) -> None:
    """Figures, tables and page of a report, into a folder."""
    names, figures_folder, tables_folder = catalogue.checked(""), part / "figures", part / "tables"
    tables_folder.mkdir(parents=True)
    drawn = list(catalogue.of_arms(arms, frame, base, figures_folder, names)) if len(arms) > 1 else []
    sources = [Source(arm.label, tuple(arm.runs.values())) for arm in arms]
    for place, source in enumerate(sources if flags.each else sources[:1]):
        folder = figures_folder if place == 0 else figures_folder / f"arm-{place}"
        drawn += list(catalogue.of_runs(source, folder, names))
    (part / "captions.md").write_text(catalogue.captions(drawn), encoding="utf-8")
    facts = findings.against_facts(sources[0])
    tables = [findings.levels(arms), *([facts] if facts.rows else [])]
    for table in tables:
        (tables_folder / f"{table.name}.tex").write_text(table.latex(), encoding="utf-8")
    said = {f"{sources[0].label}": findings.of_one(sources[0], facts)}
    effects = ()
    if frame is not None and base is not None:
        said = findings.of_effects(frame, base.label) | said
        header = _header(arms, base)
        frame.write_parquet(part / "effects.parquet")
        (tables_folder / "effects.tex").write_text(effect_text.latex(frame, header), encoding="utf-8")
        (tables_folder / "effects.md").write_text(effect_text.markdown(frame, header), encoding="utf-8")
        effects = tuple(effect_text.plain_tables(frame, header))
    content = page.Content(
        title=flags.title or _title(arms, base),
        question=flags.question,
        findings=said,
        no_effects=no_effects,
        drawn=drawn,
        tables=[*effects, *tables],
        arms=[_about(arm, base) for arm in arms],
    )
    (part / "index.html").write_text(page.html(content), encoding="utf-8")
    (part / "findings.md").write_text(page.markdown(content), encoding="utf-8")


def _title(arms: Sequence[Arm], base: Arm | None) -> str:
    others = [arm.label for arm in arms if arm is not base]
    names = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
    return f"{names} against {base.label}" if base else names


def _header(arms: Sequence[Arm], base: Arm) -> effect_text.Header:
    differ = {arm.label: compare.differences(arm, base) for arm in arms if arm is not base}
    return effect_text.Header(baseline=base.label, seeds=sorted(base.runs), width=0.05, policies=differ)


def _about(arm: Arm, base: Arm | None) -> page.About:
    """An arm as the page tells it: runs, versions, what is set otherwise, its command."""
    runs = [(folder, store.manifest(folder) or {}) for folder in arm.runs.values()]
    return page.About(
        label=arm.label,
        role="baseline" if arm is base else "",
        manifests=[facts for _, facts in runs],
        differs=[] if base is None or arm is base else compare.differences(arm, base),
        config=(runs[0][0] / "config.yaml").read_text(encoding="utf-8"),
        again=[reproduce.again(folder) for folder, _ in runs],
    )


if __name__ == "__main__":
    sys.exit(main())
