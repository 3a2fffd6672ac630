"""Tables of words, written one way each for a terminal, in Markdown and in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


@dataclass(frozen=True)
class Table:
    """A table of words: the first column is text, the others are set to the right.

    Parameters
    ----------
    name, title : str
    heads : tuple of str
    rows : tuple of tuple of str
    note : str
        What the columns are.
    names : bool
        Whether the first column holds names of output columns.
    """

    name: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    names: bool = False


def aligned(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines for a terminal: the first column to the left, numbers to the right.

    Examples
    --------
    >>> aligned(["", "s"], [["one", "1.0"], ["twenty", "20.0"]])
    ['             s', '  one      1.0', '  twenty  20.0']
    """
    lines = [heads, *rows]
    first, *widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    cells = [[line[0].ljust(first), *map(str.rjust, line[1:], widths)] for line in lines]
    return [f"  {'  '.join(line)}".rstrip() for line in cells]


def markdown_table(heads: Sequence[str], rows: Iterable[Iterable[object]], rule: str = "---") -> list[str]:
    """Lines in Markdown; ``rule`` stands below the heads of numbers.

    Examples
    --------
    >>> markdown_table(["key", "value"], [["a", 1]])
    ['| key | value |', '|---|---|', '| a | 1 |']
    """
    lines = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in (heads, *rows)]
    return [lines[0], f"|---{f'|{rule}' * (len(heads) - 1)}|", *lines[1:]]


def latex_tables(tables: Iterable[Table]) -> str:
    r"""Tables in the style of booktabs (``\usepackage{booktabs}``)."""
    lines = [r"% needs \usepackage{booktabs}"]
    for table in tables:
        heads = [re.sub(r"(?<=\d)-(?=\d)", "--", escaped(head)) for head in table.heads]
        first = r"\texttt{%s}" if table.names else "%s"
        rows = [[first % escaped(row[0]), *map(_figure, row[1:])] for row in table.rows]
        lines += [
            r"\begin{table}",
            r"\centering\scriptsize",
            rf"\caption{{{escaped(f'{table.title}. {table.note}'.strip())}}}",
            rf"\label{{tab:{table.name}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}",
            r"\toprule",
            " & ".join(heads) + r" \\",
            r"\midrule",
            *(" & ".join(row) + r" \\" for row in rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    return "\n".join(lines)


def escaped(text: str) -> str:
    r"""Text as LaTeX prints it.

    Examples
    --------
    >>> print(escaped("gap_cn 5% {x} a^b"))
    gap\_cn 5\% \{x\} a\textasciicircum{}b
    """
    return "".join(_SPECIAL.get(sign, sign) for sign in text)


def _figure(text: str) -> str:
    """A number or a range: a true minus, stars raised."""
    body = text.rstrip("*")
    stars = f"$^{{{text[len(body) :]}}}$" if body != text else ""
    return re.sub(r"(?<!\d)-(?=\d)", "$-$", escaped(body)) + stars if body != "-" else "--"
