"""Files of measurements: ``outputs/bench/<time>/facts.json``, and the same as a long table."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

#: What tells one entry of a list from the others.
NAMES = ("phase", "table", "apps", "worlds")


def write_measurements(facts: dict[str, Any], folder: Path) -> Path:
    """Write the measurements into a new folder named by the time; returns it."""
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H-%M-%S")
    place = folder / now
    number = 1
    while place.exists():
        number += 1
        place = folder / f"{now}-{number}"
    place.mkdir(parents=True)
    (place / "facts.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    facts_table(facts).write_parquet(place / "facts.parquet")
    return place


def facts_table(facts: dict[str, Any]) -> pl.DataFrame:
    """A row a fact: where it stands, its number or its text.

    Examples
    --------
    >>> facts_table({"apps": [{"apps": 10, "step": 0.5}], "machine": {"cpu": "Z80"}}).rows()
    [('apps.10.apps', 10.0, None), ('apps.10.step', 0.5, None), ('machine.cpu', None, 'Z80')]
    """
    rows = [
        (path, float(value), None) if isinstance(value, (bool, int, float)) else (path, None, value)
        for path, value in _leaves(facts, "")
    ]
    return pl.DataFrame(rows, schema={"fact": pl.String, "value": pl.Float64, "text": pl.String}, orient="row")


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _leaves(each, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _leaves(each, f"{path}.{_name(each, number)}")
    else:
        yield path, value


def _name(entry: Any, number: int) -> str:
    named = [entry[name] for name in NAMES if name in entry] if isinstance(entry, dict) else []
    if named and "processes" in entry:
        return f"{named[0]}-in-{entry['processes']}x{entry['block']}"
    return str(named[0]) if named else str(number)
