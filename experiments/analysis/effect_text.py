"""Tables of policy effects to read: in a terminal, in Markdown, in LaTeX."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from baimo.experiments.analysis import paired

#: Head of a column and the text of a row.
CELLS: tuple[tuple[str, Callable[[dict], str]], ...] = (
    ("column", lambda row: row["column"]),
    ("baseline", lambda row: _level(row)),
    ("effect", lambda row: paired.effect_number(row) + paired.marks(row)),
    ("95% interval", lambda row: _range(row, "boot_low", "boot_high")),
    ("median", lambda row: paired.effect_number(row, "median")),
    ("5-95% of worlds", lambda row: _range(row, "q05", "q95")),
    ("same sign", lambda row: _share(row["share_sign"])),
    ("var. ratio", lambda row: _ratio(row["variance_ratio"])),
    ("worlds", lambda row: _count(row["n"])),
    ("needed", lambda row: _count(row["replications"])),
)
_NOTE = (
    "Effect: mean difference within pairs of twin worlds, policy less baseline; prices and stocks are compared in "
    "logarithms and given in per cent. 95% interval: bootstrap of the mean over pairs. Same sign: share of worlds "
    "whose effect has the sign of the mean. Var. ratio: how many times as many worlds an unpaired comparison needs. "
    "Needed: worlds for a 95% interval of plus or minus {width:g}% of the baseline. * beyond two standard errors, "
    "** false discovery rate below 5% over all rows."
)


@dataclass(frozen=True)
class Table:
    """A table of words: the first column is text, the others are set to the right."""

    name: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def latex(self) -> str:
        """In the style of booktabs."""
        lines = [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"\centering\scriptsize",
            rf"\caption{{{escaped(f'{self.title}. {self.note}'.strip())}}}",
            rf"\label{{tab:{self.name}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(self.heads) - 1)}}}",
            r"\toprule",
            " & ".join(map(escaped, self.heads)) + r" \\",
            r"\midrule",
            *(" & ".join(map(escaped, row)) + r" \\" for row in self.rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Header:
    """What is said above the tables.

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
        """How to read the columns."""
        return _NOTE.format(width=100.0 * self.width)

    def title(self, policy: str) -> str:
        """One policy against the baseline."""
        seeds = f"seed{'s' if len(self.seeds) > 1 else ''} {', '.join(map(str, self.seeds))}"
        return f"{policy} against {self.against.get(policy, self.baseline)} ({seeds})"

    def differs(self, policy: str, most: int = 4) -> str:
        """What is set otherwise, shortened."""
        found = [each if len(each) <= 90 else each[:87] + "..." for each in self.policies.get(policy, ())]
        more = f", and {len(found) - most} more" if len(found) > most else ""
        return ", ".join(found[:most]) + more


def _tables(frame: pl.DataFrame) -> Iterator[tuple[str, str, list[list[str]]]]:
    """Policy, window and the rows of its table; months are in the Parquet file only."""
    windows = frame.filter(pl.col("kind") == "window")
    for (policy, period), part in windows.group_by("policy", "period", maintain_order=True):
        yield policy, period, [[text(row) for _, text in CELLS] for row in part.iter_rows(named=True)]


def plain_tables(frame: pl.DataFrame, header: Header) -> Iterator[Table]:
    """One table a policy and window, its cells as text."""
    heads = tuple(head for head, _ in CELLS)
    for number, (policy, period, rows) in enumerate(_tables(frame), 1):
        note = header.note() if number == 1 else "As in the first table."
        yield Table(f"effects-{number}", f"{header.title(policy)}: {period}", heads, tuple(map(tuple, rows)), note)


def terminal(frame: pl.DataFrame, header: Header) -> str:
    """Aligned tables, one a policy and window."""
    heads, lines, before = [head for head, _ in CELLS], [], None
    for policy, period, rows in _tables(frame):
        if policy != before:
            lines += [header.title(policy), f"  {header.differs(policy) or 'no setting differs'}", ""]
            before = policy
        widths = [max(len(row[k]) for row in [heads, *rows]) for k in range(len(heads))]
        lines.append(period)
        lines += [_aligned(row, widths) for row in [heads, *rows]]
        lines.append("")
    return "\n".join([*lines, *textwrap.wrap(header.note(), 110)])


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))]
    return "  " + "  ".join(cells)


def markdown(frame: pl.DataFrame, header: Header) -> str:
    """The same as Markdown."""
    lines, before = ["# Policy effects", "", header.note().replace("*", r"\*"), ""], None
    for policy, period, rows in _tables(frame):
        if policy != before:
            lines += [f"## {header.title(policy)}", "", _code(header.differs(policy)), ""]
            before = policy
        lines += [f"### {period}", "", "| " + " | ".join(head for head, _ in CELLS) + " |"]
        lines += ["|---" + "|---:" * (len(CELLS) - 1) + "|"]
        lines += ["| " + " | ".join(_plain(each) for each in row) + " |" for row in rows]
        lines.append("")
    return "\n".join(lines)


def _plain(text: str) -> str:
    return text.replace("|", r"\|").replace("*", r"\*").replace("_", r"\_")


def _code(text: str) -> str:
    return f"`{text.replace('`', '')}`" if text else "No setting differs."


# ---------------------------------------------------------------------- LaTeX

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


def escaped(text: str) -> str:
    """Text as LaTeX prints it.

    Examples
    --------
    >>> print(escaped("gap_cn 5% {x} a^b"))
    gap\\_cn 5\\% \\{x\\} a\\textasciicircum{}b
    """
    return "".join(_SPECIAL.get(sign, sign) for sign in text)


def _figure(text: str) -> str:
    """A number or a range: a true minus, stars raised."""
    stars = len(text) - len(text.rstrip("*"))
    body = escaped(text.rstrip("*")).replace("-", "$-$") if text != "-" else "--"
    return body + (f"$^{{{'*' * stars}}}$" if stars else "")


def latex(frame: pl.DataFrame, header: Header) -> str:
    """Tables in the style of booktabs (``\\usepackage{booktabs}``), one a policy and window."""
    heads = " & ".join(escaped(head).replace("5-95", "5--95") for head, _ in CELLS) + r" \\"
    lines = [r"% needs \usepackage{booktabs}"]
    for number, (policy, period, rows) in enumerate(_tables(frame), 1):
        lines += [
            r"\begin{table}",
            r"\centering\scriptsize",
            rf"\caption{{{escaped(header.title(policy))}: {escaped(period)}. {escaped(header.note())}}}",
            rf"\label{{tab:effects-{number}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(CELLS) - 1)}}}",
            r"\toprule",
            heads,
            r"\midrule",
            *(
                " & ".join([rf"\texttt{{{escaped(row[0])}}}", *(_figure(cell) for cell in row[1:])]) + r" \\"
                for row in rows
            ),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    return "\n".join(lines)


# ---------------------------------------------------------------------- numbers


def _level(row: dict) -> str:
    """The baseline's mean: of a logarithm the geometric one."""
    value = row["without"]
    if value is None:
        return "-"
    value = float(np.exp(value)) if row["log"] else value
    return f"{value:.3g}" if abs(value) < 1e5 else f"{value:.2e}"


def _range(row: dict, low: str, high: str) -> str:
    if row[low] is None or row[high] is None:
        return "-"
    return f"[{paired.effect_number(row, low)}, {paired.effect_number(row, high)}]"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100.0 * value:.0f}%"


def _ratio(value: float | None) -> str:
    if value is None:
        return "-"
    return ">1000" if value > 1000.0 else f"{value:.1f}"


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
