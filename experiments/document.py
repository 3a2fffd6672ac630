"""Tables that the code itself can tell: ``baimo docs [--check]``.

Parameters and mechanisms are written into ``world/ODD.md`` between marker comments, from their
declarations in ``conf/``, and columns into ``outputs/README.md``, from theirs in ``world/record/``.
With ``--check`` nothing is written; exit code 1 says that they are stale.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import json
import re
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from baimo.conf.mechanisms import MECHANISMS
from baimo.conf.parameters.agents import RULE_WORDS
from baimo.conf.parameters.policy import WORDS, PolicyGroups
from baimo.conf.schema import Config, parameters_of
from baimo.experiments.analysis.tables import markdown_table
from baimo.experiments.run.compose import UserError
from baimo.world.ensemble import Ensemble
from baimo.world.record import codebook, outputs
from baimo.world.record.panels import AGENT_TABLES
from baimo.world.schedule import PLAN

_CODE = Path(__file__).resolve().parents[1]
PAGE = _CODE / "world" / "ODD.md"
COLUMNS_PAGE = _CODE / "outputs" / "README.md"


class NoMarker(ValueError):
    """The page has no place for a table."""


def markers(name: str) -> tuple[str, str]:
    """The comments between which a table stands."""
    return f"<!-- generated: {name} (baimo docs) -->", f"<!-- end of {name} -->"


# ---------------------------------------------------------------------- tables


def parameters() -> str:
    """All parameters, one table a section of the configuration, policies last."""
    return "\n\n".join(_section(name, fields) for name, fields in sections().items() if fields)


def sections() -> dict[str, list[dataclasses.Field]]:
    """Declared parameters by their section, policies last; those of the run itself under no name."""
    found: dict[str, list[dataclasses.Field]] = {"": []}
    for each in dataclasses.fields(Config):
        kind = each.default_factory
        if each.name == "mechanisms" or each.metadata:
            found[""] += [each] if each.metadata else []
        elif dataclasses.is_dataclass(kind) and each.name != "policy":
            found[each.name] = list(dataclasses.fields(kind))
    for each in dataclasses.fields(PolicyGroups):
        if dataclasses.is_dataclass(each.default_factory):
            found[f"policy.{each.name}"] = list(dataclasses.fields(each.default_factory))
    return found


def _section(name: str, fields: Iterable[dataclasses.Field]) -> str:
    owner = _owner(name)
    says = (owner.__doc__ or "").split("\n")[0] if owner else "The run."
    rows = [parameter_cells(f"{name}.{each.name}" if name else each.name, each) for each in fields]
    table = markdown_table(("key", "value", "unit", "range", "source", "meaning"), rows)
    return "\n".join([f"### `{name}`: {says}" if name else f"### {says}", "", *table])


def _owner(name: str) -> Any:
    """Dataclass of a section."""
    kind: Any = Config
    for part in filter(None, name.split(".")):
        kind = next(each.default_factory for each in dataclasses.fields(kind) if each.name == part)
    return kind if name else None


def parameter_cells(key: str, declared: dataclasses.Field) -> list[str]:
    """Key, value, unit, range, source and meaning of a parameter."""
    facts = declared.metadata
    # Schedules stand in conf/policy.
    value = "dated entries" if declared.default is dataclasses.MISSING else _value(declared.default)
    span = "" if not facts or facts["low"] == facts["high"] else f"{_value(facts['low'])} to {_value(facts['high'])}"
    words = (WORDS | RULE_WORDS).get(key)
    span = " / ".join(words) if words else span
    shown = [f"`{key.rpartition('.')[2]}`", value, facts.get("unit", ""), span, facts.get("source", "")]
    return [*shown, facts.get("doc", "")]


def _value(value: Any) -> str:
    """A value as one would type it.

    Examples
    --------
    >>> [_value(each) for each in (True, None, "", 0.25, 16, 1e9, 16777216.0, 9223372036854775808)]
    ['true', 'none', '-', '0.25', '16', '1e+09', '1.67772e+07', '9.22337e+18']
    """
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value) if isinstance(value, int) and abs(value) < 10**7 else f"{value:g}"
    return str(value) or "-"


def implemented_in() -> dict[str, list[str]]:
    """Functions of ``world`` and ``agents`` whose text names a mechanism, by its id."""
    found: dict[str, list[str]] = {}
    for file in sorted((*_CODE.glob("world/**/*.py"), *_CODE.glob("agents/**/*.py"))):
        text = file.read_text(encoding="utf-8")
        places = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
        for number, line in enumerate(text.splitlines(), 1):
            within = [each for each in places if each.lineno <= number <= (each.end_lineno or 0)]
            name = f"{file.stem}.{max(within, key=lambda each: each.lineno).name}" if within else file.stem
            for identity in re.findall(r"\b[MX]\d\d\b", line):
                found.setdefault(identity, []).append(name)
    return {identity: list(dict.fromkeys(names)) for identity, names in found.items()}


def mechanisms() -> str:
    """The index of mechanisms with their off-switches, where they live and where they show."""
    places = implemented_in()
    head = ("id", "`mechanisms.`", "says", "source", "implemented in", "off", "shows in", "matters in")
    rows = []
    for each in MECHANISMS:
        off = ", ".join(f"`{key}={_value(value)}`" for key, value in each.off.items()) or "none yet"
        shows = ", ".join(f"`{column}`" for column in each.shows)
        where = f"`{' '.join(each.scenario)}`" if each.scenario else "baseline"
        code = ", ".join(f"`{name}`" for name in places.get(each.id, []))
        rows.append([each.id, f"`{each.name}`", each.says, each.source, code, off, shows, where])
    return "\n".join(markdown_table(head, rows))


def schedule() -> str:
    """The phases of a step, with the function that does each and what it says of itself."""
    rows = []
    for name, phase, _ in PLAN:
        says = (phase.__doc__ or "").split("\n")[0].partition(": ")[2] or phase.__doc__.split("\n")[0]
        where = f"`{phase.__module__.rpartition('.')[2]}.{phase.__name__}`"
        rows.append([name, where, says[:1].upper() + says[1:]])
    return "\n".join(markdown_table(("phase", "function", "what happens"), rows))


@cache
def columns() -> str:
    """Columns of all tables of a run, those of the market by subject and with families as one."""
    rows = codebook.codebook(Ensemble(["output.level=full"], [0]).world)
    parts = ["### market"]
    for subject in outputs.SUBJECTS:
        parts.append(f"**{_of_columns(subject)}**\n\n" + _columns(map(codebook.row_of, outputs.declared_in(subject))))
    for table in (*AGENT_TABLES, "events", "edges"):
        says = f"Holds {_first_line(AGENT_TABLES[table]).partition(': ')[2]}\n\n" if table in AGENT_TABLES else ""
        parts.append(f"### {table}\n\n{says}" + _columns(row for row in rows if row["table"] == table))
    return "\n\n".join(parts)


def _first_line(described: Any) -> str:
    return (described.__doc__ or "").split("\n")[0]


def _of_columns(subject: Any) -> str:
    """Subject of the columns of a module."""
    says = _first_line(subject).removeprefix("Output columns on ").rstrip(".")
    return says[:1].upper() + says[1:]


def _columns(rows: Iterable[dict[str, str]]) -> str:
    cells = [
        [f"`{row['name']}`", row["unit"], "log" if row["scale"] == "log" else "", row["text"].replace("``", "`")]
        for row in rows
    ]
    return "\n".join(markdown_table(("column", "unit", "scale", "meaning"), cells))


#: Tables by the name in their markers.
ODD_TABLES: dict[str, Callable[[], str]] = {"schedule": schedule, "parameters": parameters, "mechanisms": mechanisms}
#: ``<!-- symbols: a=section.key; ... -->`` under an equation is followed by their table.
SYMBOLS = re.compile(r"(<!-- symbols: (.*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def _symbols(found: re.Match[str]) -> str:
    """The table of the symbols that a comment names."""
    declared = {key: (value, each) for key, value, each in parameters_of(Config())}
    rows = []
    for pair in found[2].split(";"):
        symbol, _, key = pair.strip().partition("=")
        if key not in declared:
            raise NoMarker(f"the symbol {symbol} stands for {key}, and there is no such parameter")
        value, each = declared[key]
        facts = each.metadata
        span = f"{_value(facts['low'])} to {_value(facts['high'])}"
        rows.append([symbol, f"`{key}`", _value(value), facts["unit"], span, facts["source"]])
    lines = markdown_table(("symbol", "parameter", "value", "unit", "range", "source"), rows)
    return "\n".join([found[1], *lines, "", found[3]])


# ---------------------------------------------------------------------- the page


def renewed(page: str, tables: dict[str, Callable[[], str]]) -> str:
    """The page with these tables as the code has them now.

    Raises
    ------
    NoMarker
        Naming the comment that is missing.
    """
    for name, table in tables.items():
        first, last = markers(name)
        before, found, rest = page.partition(first)
        _, ended, after = rest.partition(last)
        if not found or not ended:
            raise NoMarker(f"the page has no line {first if not found else last!r}")
        page = f"{before}{first}\n\n{table()}\n\n{last}{after}"
    return SYMBOLS.sub(_symbols, page)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be typed."""
    parser.add_argument(
        "what",
        nargs="?",
        choices=("tables", "columns"),
        default="tables",
        help="tables: renew those of world/ODD.md and outputs/README.md; columns: print the codebook as JSON",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when the tables are stale")


def command(options: argparse.Namespace) -> int:
    """Renew the tables of both pages, or print the codebook."""
    if options.what == "columns":
        print(json.dumps(codebook.codebook(Ensemble(["output.level=full"], [0]).world), indent=1, ensure_ascii=False))
        return 0
    return max(_renew(options.check, *each) for each in ((PAGE, ODD_TABLES), (COLUMNS_PAGE, {"columns": columns})))


def _renew(check: bool, file: Path, tables: dict[str, Callable[[], str]]) -> int:
    """Write or check one page; the exit code."""
    page = file.read_text(encoding="utf-8")
    try:
        fresh = renewed(page, tables)
    except NoMarker as error:
        raise UserError(f"{file.name}: {error}") from error
    if fresh == page:
        print(f"{file.name} is up to date")
    elif check:
        print(f"baimo docs: {file.name} is stale: run baimo docs and commit it", file=sys.stderr)
        return 1
    else:
        file.write_text(fresh, encoding="utf-8")
        print(f"wrote {file}")
    return 0
