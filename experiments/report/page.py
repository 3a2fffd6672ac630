"""The page of a report: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from baimo.experiments.analysis.tables import Table
from baimo.experiments.figures.catalogue import Drawn
from baimo.experiments.report.findings import NOT_APART
from baimo.experiments.report.reproduce import Again


@dataclass(frozen=True)
class About:
    """An arm: its runs, what is set otherwise than in the baseline, how it is made again."""

    label: str
    role: str
    manifests: Sequence[Mapping[str, Any]]
    differs: Sequence[str]
    config: str
    again: Sequence[Again]


@dataclass(frozen=True)
class Content:
    """All that a report says."""

    title: str
    question: str
    findings: Mapping[str, Sequence[str]]
    no_effects: str
    drawn: Sequence[Drawn]
    tables: Sequence[Table]
    arms: Sequence[About]
    flags: Sequence[str] = ()


#: What the findings are, and what they are not.
READ_SO = (
    "These sentences are made from the numbers in the tables. A policy's effects are means over the last year of the "
    "runs within pairs of worlds; those are listed whose false discovery rate over all rows is below 5% and whose "
    "bootstrap interval lies on one side of zero. They speak of the model at its parameters, not beyond."
)


_INSTALL = "python3 -m venv .venv && . .venv/bin/activate && pip install -qc constraints.txt -e ."


def html(content: Content) -> str:
    """The page, by the template ``page.html.j2``."""
    pages = Environment(
        loader=PackageLoader(__package__, ""), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    pages.filters["base64"] = lambda png: base64.b64encode(Path(png).read_bytes()).decode("ascii")
    arms = content.arms
    manifests = [facts for arm in arms for facts in arm.manifests]
    commits = dict.fromkeys((facts.get("git") or {}).get("commit") for facts in manifests)
    return pages.get_template("page.html.j2").render(
        vars(content),
        read_so=READ_SO,
        not_apart=NOT_APART,
        runs=[_run(arm, facts) for arm in arms for facts in arm.manifests],
        versions=dict.fromkeys(_versions(facts) for facts in manifests),
        # The whole of a long setting is among all settings below.
        differs=[
            (arm.label, "; ".join(textwrap.shorten(each, 100) for each in arm.differs)) for arm in arms if arm.differs
        ],
        commits=[commit for commit in commits if commit],
        commands=_commands(content),
        same=all(each.same for arm in arms for each in arm.again),
    )


def findings_markdown(content: Content) -> str:
    """Title and findings alone."""
    lines = [f"# {content.title}", "", *([content.question, ""] if content.question else []), READ_SO, ""]
    for name, said in content.findings.items():
        lines += [f"## {name}", "", *(f"- {each}" for each in said), ""]
    return "\n".join(lines)


def _run(arm: About, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """A run's row in the table of runs."""
    git = facts.get("git") or {}
    commit = f"{git.get('commit', '-')[:10]}{' (changed)' if git.get('dirty') else ''}"
    keys = ("run", "worlds", "steps", "seed", "schema_version", "code_version")
    label = f"{arm.label}{f' ({arm.role})' if arm.role not in ('', arm.label) else ''}"
    return (label, *(str(facts.get(key, "-")) for key in keys), commit, str(facts.get("finished", "-")))


def _versions(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {number}" for name, number in facts.get("versions", {}).items())


def _commands(content: Content) -> str:
    """Commands that make the runs and this page again."""
    runs = [f"outputs/*/{facts['run']}" for arm in content.arms for facts in arm.manifests if "run" in facts]
    page = " ".join(["baimo report", *runs, *map(shlex.quote, content.flags)])
    return "\n".join([_INSTALL, *dict.fromkeys(each.command for arm in content.arms for each in arm.again), page])
