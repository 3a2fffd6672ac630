"""The report of ``baimo proofs``: statements, what was found, and which hold."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from baimo.experiments.analysis.proofs import Finding, Proof, chosen_proofs, run_proofs
from baimo.experiments.report import folder
from baimo.experiments.run.cells import paired_settings

MARKS = {True: "holds", False: "FAILS", None: ""}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be typed."""
    parser.add_argument("settings", nargs="*", metavar="key=value", help="settings, as of baimo (default worlds=64)")
    parser.add_argument("--only", default="", help="numbers of proofs, with commas: 1,5")


def command(options: argparse.Namespace) -> None:
    """Run, read, write and print."""
    words, cfg = paired_settings(options.settings, "proofs")
    proofs = chosen_proofs([word for word in options.only.split(",") if word])
    runs = run_proofs(words, cfg, proofs)
    found = [(proof, list(proof.read(of))) for proof, of in runs]
    facts = {"proofs": [[each.number, [str(run.name) for run in of.folders.values()]] for each, of in runs]}

    def fill(part: Path) -> None:
        (part / "proofs.md").write_text(proofs_text(found), encoding="utf-8")

    place, fresh = folder.write_report_folder(next(iter(runs[0][1].folders.values())).parent, facts, fill)
    print((place / "proofs.md").read_text(encoding="utf-8"))
    folder.print_report_folder(place, fresh)


def proofs_text(found: Sequence[tuple[Proof, Sequence[Finding]]]) -> str:
    """Markdown of all proofs: a heading each, a line a finding, and how many hold."""
    lines, holding = [], 0
    for proof, findings in found:
        holds = all(each.holds is not False for each in findings)
        holding += holds
        lines += [f"## {proof.number} {proof.says}: {'holds' if holds else 'fails'}", ""]
        lines += [f"- {each.text}" + (f" ({MARKS[each.holds]})" if MARKS[each.holds] else "") for each in findings]
        lines += [""]
    return "\n".join([f"# Proofs: {holding} of {len(found)} hold", "", *lines])
