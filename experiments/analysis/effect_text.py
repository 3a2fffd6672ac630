"""Tables of policy effects to read: in a terminal, in Markdown, in LaTeX."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from baimo.experiments.analysis import paired, tables
from baimo.experiments.analysis.tables import Table

#: Head of a column and the text of a row.
CELLS: tuple[tuple[str, Callable[[dict], str]], ...] = (
    ("column", lambda row: row["column"]),
    ("baseline", lambda row: _level(row)),
    ("effect", lambda row: paired.effect_number(row) + paired.marks(row)),
    ("95% interval", lambda row: paired.effect_range(row, "boot_low", "boot_high")),
    ("median", lambda row: paired.effect_number(row, "median")),
    ("5-95% of worlds", lambda row: paired.effect_range(row, "q05", "q95")),
    ("same sign", lambda row: _written(row["share_sign"], ".0%")),
    ("var. ratio", lambda row: ">1000" if (row["variance_ratio"] or 0.0) > 1000.0 else _written(row["variance_ratio"])),
    ("worlds", lambda row: _written(row["n"], ".0f")),
    ("needed", lambda row: _written(row["replications"], ".0f")),
)
_NOTE = (
    "Effect: mean difference within pairs of worlds, policy less baseline; prices and stocks are compared in "
    "logarithms and given in per cent. 95% interval: bootstrap of the mean over pairs. Same sign: share of worlds "
    "whose effect has the sign of the mean. Var. ratio: how many times as many worlds an unpaired comparison needs. "
    "Needed: worlds for a 95% interval of plus or minus {width:g}% of the baseline. * beyond two standard errors, "
    "** false discovery rate below 5% over all rows."
)


@dataclass(frozen=True)
class Header:
    """Text above the tables.

    Parameters
    ----------
    baseline : str
    seeds : sequence of int
    width : float
        Wanted half-width, share of the baseline.
    policies : mapping
        Settings in which each policy differs from the baseline, by its label.
    against : mapping
        What a policy is compared with, where that is not the baseline of all.
    """

    baseline: str
    seeds: Sequence[int]
    width: float
    policies: Mapping[str, Sequence[str]]
    against: Mapping[str, str] = field(default_factory=dict)

    def note(self) -> str:
        """Note on how to read the columns."""
        return _NOTE.format(width=100.0 * self.width)

    def title(self, policy: str) -> str:
        """One policy against the baseline."""
        seeds = f"seed{'s' if len(self.seeds) > 1 else ''} {', '.join(map(str, self.seeds))}"
        return f"{policy} against {self.against.get(policy, self.baseline)} ({seeds})"

    def differs(self, policy: str, most: int = 4) -> str:
        """Settings that differ, shortened."""
        found = [each if len(each) <= 90 else each[:87] + "..." for each in self.policies.get(policy, ())]
        more = f", and {len(found) - most} more" if len(found) > most else ""
        return ", ".join(found[:most]) + more


def effect_tables(frame: pl.DataFrame, header: Header) -> Iterator[tuple[str, str, Table]]:
    """Policy, window and their table; months are in the Parquet file only."""
    heads, windows = tuple(head for head, _ in CELLS), frame.filter(pl.col("kind") == "window")
    parts = windows.group_by("policy", "period", maintain_order=True)
    for number, ((policy, period), part) in enumerate(parts, 1):
        rows = tuple(tuple(text(row) for _, text in CELLS) for row in part.iter_rows(named=True))
        title = f"{header.title(policy)}: {period}"
        yield policy, period, Table(f"effects-{number}", title, heads, rows, header.note(), names=True)


def terminal(frame: pl.DataFrame, header: Header) -> str:
    """Aligned tables, one a policy and window."""
    lines, before = [], None
    for policy, period, table in effect_tables(frame, header):
        if policy != before:
            lines += [header.title(policy), f"  {header.differs(policy) or 'no setting differs'}", ""]
            before = policy
        lines += [period, *tables.aligned(table.heads, table.rows), ""]
    return "\n".join([*lines, *textwrap.wrap(header.note(), 110)])


def markdown(frame: pl.DataFrame, header: Header) -> str:
    """Tables of effects as Markdown."""
    lines, before = ["# Policy effects", "", _plain(header.note()), ""], None
    for policy, period, table in effect_tables(frame, header):
        if policy != before:
            differs = header.differs(policy).replace("`", "")
            lines += [f"## {header.title(policy)}", "", f"`{differs}`" if differs else "No setting differs.", ""]
            before = policy
        rows = (map(_plain, row) for row in table.rows)
        lines += [f"### {period}", "", *tables.markdown_table(table.heads, rows, "---:"), ""]
    return "\n".join(lines)


def _plain(text: str) -> str:
    return text.replace("*", r"\*").replace("_", r"\_")


def latex(frame: pl.DataFrame, header: Header) -> str:
    """Tables of effects as LaTeX, each with the whole note."""
    return tables.latex_tables(table for _, _, table in effect_tables(frame, header))


def _level(row: dict) -> str:
    """The baseline's mean: of a logarithm the geometric one."""
    value = row["without"]
    if value is None:
        return "-"
    value = float(np.exp(value)) if row["log"] else value
    return f"{value:.3g}" if abs(value) < 1e5 else f"{value:.2e}"


def _written(value: float | None, form: str = ".1f") -> str:
    return "-" if value is None else format(value, form)
