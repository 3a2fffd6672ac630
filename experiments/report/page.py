"""The page of a report: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from baimo.experiments.analysis.effect_text import Table
from baimo.experiments.figures.catalogue import Drawn
from baimo.experiments.report.findings import NOT_APART
from baimo.experiments.report.reproduce import Again

_STYLE = """
body { font: 16px/1.5 Georgia, 'DejaVu Serif', serif; color: #1a1a1a; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin-bottom: .3rem; }
h2 { font-size: 1.25rem; border-bottom: 1px solid #ccc; margin-top: 2.4rem; padding-bottom: .2rem; }
h3 { font-size: 1.02rem; margin: 1.4rem 0 .3rem; }
.question { font-style: italic; margin-top: 0; }
nav, .small, figcaption, .note { font: .82rem/1.45 Helvetica, Arial, 'DejaVu Sans', sans-serif; color: #444; }
nav a { margin-right: 1.1em; }
a { color: #0072b2; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.6rem 2rem; }
figure { margin: 0; }
figure img { width: 100%; max-width: 30rem; height: auto; }
code { overflow-wrap: anywhere; }
figcaption b, .note b { color: #1a1a1a; }
.scroll { overflow-x: auto; margin: .5rem 0 1.6rem; }
table { border-collapse: collapse; font: .74rem/1.35 Helvetica, Arial, 'DejaVu Sans', sans-serif; width: 100%; }
thead th { border-top: 1.5px solid #1a1a1a; border-bottom: 1px solid #1a1a1a; text-align: right; }
tbody tr:last-child td { border-bottom: 1.5px solid #1a1a1a; }
th, td { padding: .18rem .35rem; text-align: right; vertical-align: top; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
table.words td { white-space: normal; text-align: left; overflow-wrap: anywhere; min-width: 7rem; }
table.words th { text-align: left; }
pre { background: #f5f5f2; padding: .7rem .9rem; font-size: .78rem; line-height: 1.4; white-space: pre-wrap;
  overflow-wrap: anywhere; }
details { margin: .5rem 0; }
summary { cursor: pointer; }
@media print { details, nav { display: none; } figure, tr { break-inside: avoid; } }
"""


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
    "runs within pairs of twin worlds; those are listed whose false discovery rate over all rows is below 5% and whose "
    "bootstrap interval lies on one side of zero. They speak of the model at its parameters, not beyond."
)


def html(content: Content) -> str:
    """The page."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(content.title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(content.title)}</h1>",
        f'<p class="question">{escape(content.question)}</p>' if content.question else "",
        '<nav><a href="#findings">Findings</a><a href="#figures">Figures</a><a href="#tables">Tables</a>'
        '<a href="#runs">Runs</a><a href="#again">How to reproduce</a><a href="#settings">Settings</a></nav>',
        *_findings(content),
        '<h2 id="figures">Figures</h2>',
        '<div class="figures">',
        *_figures(content.drawn),
        "</div>",
        *_not_drawn(content.drawn),
        '<h2 id="tables">Tables</h2>',
        *(_table(place, table) for place, table in enumerate(content.tables, 1)),
        *_runs(content.arms),
        *_again(content.arms, content.flags),
        *_settings(content.arms),
        "</body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def findings_markdown(content: Content) -> str:
    """Title and findings alone."""
    lines = [f"# {content.title}", "", *([content.question, ""] if content.question else []), READ_SO, ""]
    for name, said in content.findings.items():
        lines += [f"## {name}", "", *(f"- {each}" for each in said), ""]
    return "\n".join(lines)


def _findings(content: Content) -> Iterator[str]:
    yield '<h2 id="findings">Findings</h2>'
    if content.no_effects:
        yield f'<p class="note">No effects are compared: {escape(content.no_effects)}.</p>'
    yield f'<p class="note">{escape(READ_SO)}</p>'
    for name, said in content.findings.items():
        yield f"<h3>{escape(name)}</h3><ul>"
        kinds = [' class="small"' if each.startswith(NOT_APART) else "" for each in said]
        yield from (f"<li{kind}>{escape(each)}</li>" for kind, each in zip(kinds, said, strict=True))
        yield "</ul>"


def _figures(drawn: Sequence[Drawn]) -> Iterator[str]:
    place = 0
    for each in drawn:
        if each.png is not None:
            place += 1
            data = base64.b64encode(each.png.read_bytes()).decode("ascii")
            title = escape(each.title)
            yield f'<figure id="{escape(each.name)}-{place}">'
            yield f'<img alt="{title}" src="data:image/png;base64,{data}">'
            yield f"<figcaption><b>Figure {place}. {title}.</b> {escape(each.caption)}</figcaption></figure>"


def _not_drawn(drawn: Sequence[Drawn]) -> Iterator[str]:
    for each in drawn:
        if each.png is None:
            yield f'<p class="note">No figure {escape(each.name)}: {escape(each.caption)}.</p>'


def _table(place: int, table: Table, kind: str = "") -> str:
    heads = "".join(f"<th>{escape(head)}</th>" for head in table.heads)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in table.rows)
    number = f"Table {place}. " if place else ""
    title = f'<p class="note"><b>{number}{escape(table.title)}.</b> {escape(table.note)}</p>' if table.title else ""
    return (
        f'{title}<div class="scroll"><table class="{kind}"><thead><tr>{heads}</tr></thead>'
        f"<tbody>\n{rows}</tbody></table></div>"
    )


def _runs(arms: Sequence[About]) -> Iterator[str]:
    yield '<h2 id="runs">Runs and versions</h2>'
    heads = ("arm", "run", "worlds", "steps", "seed", "schema", "code", "commit", "finished")
    rows = []
    for arm in arms:
        for facts in arm.manifests:
            git = facts.get("git") or {}
            commit = f"{git.get('commit', '-')[:10]}{' (changed)' if git.get('dirty') else ''}"
            keys = ("run", "worlds", "steps", "seed", "schema_version", "code_version")
            label = f"{arm.label}{f' ({arm.role})' if arm.role not in ('', arm.label) else ''}"
            rows.append((label, *(str(facts.get(key, "-")) for key in keys), commit, str(facts.get("finished", "-"))))
    yield _table(0, Table("runs", "", heads, tuple(rows)))
    versions = dict.fromkeys(
        ", ".join(f"{name} {number}" for name, number in facts.get("versions", {}).items())
        for arm in arms
        for facts in arm.manifests
    )
    yield f'<p class="small">Computed with {escape("; ".join(versions))}.</p>'
    if any(arm.differs for arm in arms):
        yield "<h3>What is set otherwise than in the baseline</h3>"
        short = textwrap.shorten  # the whole of it is in the settings below
        rows = tuple((arm.label, "; ".join(short(each, 100) for each in arm.differs)) for arm in arms if arm.differs)
        yield _table(0, Table("differs", "", ("arm", "settings"), rows), "words")


def _again(arms: Sequence[About], flags: Sequence[str]) -> Iterator[str]:
    yield '<h2 id="again">How to reproduce</h2>'
    commits = dict.fromkeys((facts.get("git") or {}).get("commit") for arm in arms for facts in arm.manifests)
    commits = [commit for commit in commits if commit]
    every = [each for arm in arms for each in arm.again]
    if commits:
        yield f"<p>In a clone at commit {' or '.join(f'<code>{escape(commit)}</code>' for commit in commits)}:</p>"
    install = "python3 -m venv .venv && . .venv/bin/activate && pip install -qc constraints.txt -e ."
    runs = [f"outputs/*/{facts['run']}" for arm in arms for facts in arm.manifests if "run" in facts]
    page = " ".join(["baimo report", *runs, *map(shlex.quote, flags)])
    commands = "\n".join([install, *dict.fromkeys(each.command for each in every), page])
    yield f"<pre>{escape(commands)}</pre>"
    if all(each.same for each in every):
        yield '<p class="note">Checked: with the code that wrote this page, these settings give the same run ids.</p>'
    else:
        yield (
            '<p class="note">With the code that wrote this page, not all of these settings give the same run ids: use '
            "the commit above, or the settings below.</p>"
        )


def _settings(arms: Sequence[About]) -> Iterator[str]:
    yield '<h2 id="settings">Settings</h2>'
    for arm in arms:
        yield f"<details><summary>{escape(arm.label)}: all settings</summary><pre>{escape(arm.config)}</pre></details>"
