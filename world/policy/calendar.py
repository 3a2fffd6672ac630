"""Dates of policies and schedules that step at dates."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass


def as_date(value: str | dt.date) -> dt.date:
    """ISO text or date to date."""
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))


def months_between(start: dt.date, end: dt.date) -> float:
    """Months from one date to another, days counted as thirtieths."""
    return 12 * (end.year - start.year) + end.month - start.month + (end.day - start.day) / 30.0


def at_date(schedule: list[dict[str, Any]], date: dt.date, key: str, before: float) -> float:
    """Value of a dated step schedule on a date."""
    value = before
    for entry in schedule:
        if as_date(entry["date"]) <= date:
            value = float(entry[key])
    return value
