"""Export rules: which chip classes a dated rule bars."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

from baimo.world.policy.calendar import as_date

if TYPE_CHECKING:
    from baimo.world.compute.chips import ChipTable


#: Tests of a chip rule: all those given must hold for the chip to be barred.
_TESTS = {
    "tpp_least": lambda chips, limit: chips.tpp >= limit,
    "tpp_below": lambda chips, limit: chips.tpp < limit,
    "density_least": lambda chips, limit: chips.density >= limit,
    "density_below": lambda chips, limit: chips.density < limit,
    "interconnect_least": lambda chips, limit: chips.interconnect >= limit,
    "memory_least": lambda chips, limit: chips.bandwidth >= limit,
}


def barred_by(rule: dict[str, Any], chips: ChipTable) -> np.ndarray:
    """Which foreign chip classes one rule bars, ``(classes,)``."""
    barred = np.array([home == "US" for home in chips.homes])
    if rule.get("chips"):
        return barred & np.array([name in rule["chips"] for name in chips.names])
    for test, holds in _TESTS.items():
        if rule.get(test) is not None:
            barred &= holds(chips, rule[test])[:, 0, 0]
    return barred


def barred(rules: list[dict[str, Any]], chips: ChipTable, date: dt.date) -> np.ndarray:
    """Which classes may not be sold to CN on a date, ``(classes,)``."""
    bars = np.zeros(len(chips), dtype=bool)
    for rule in rules:
        ends = rule.get("until")
        if as_date(rule["date"]) <= date and (not ends or date < as_date(ends)):
            bars |= barred_by(rule, chips)
    return bars


def first_barred(rules: list[dict[str, Any]], chips: ChipTable, chip: int) -> dt.date | None:
    """First date on which a class is barred; the announcement starts the maker's answer."""
    dates = [as_date(r.get("announced") or r["date"]) for r in rules if barred_by(r, chips)[chip]]
    return min(dates) if dates else None
