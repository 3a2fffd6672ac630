"""Export rules: chip classes barred by dated rules, and variants on sale in response."""

from __future__ import annotations

import datetime as dt
from typing import Any, Protocol

import numpy as np

from baimo.world.engine.arrays import Array
from baimo.world.engine.clock import as_date, months_between


class ControlledChips(Protocol):
    """Columns of a table of chips that rules and makers' responses read; numbers are ``(classes, 1, 1)``."""

    names: tuple[str, ...]
    homes: tuple[str, ...]
    kinds: tuple[str, ...]
    parents: tuple[str, ...]
    launch: tuple[dt.date, ...]
    response_months: tuple[float, ...]
    tpp: Array
    density: Array
    interconnect: Array
    bandwidth: Array


#: Tests of a chip rule: all those given must hold for the chip to be barred.
_TESTS = {
    "tpp_least": lambda chips, limit: chips.tpp >= limit,
    "tpp_below": lambda chips, limit: chips.tpp < limit,
    "density_least": lambda chips, limit: chips.density >= limit,
    "density_below": lambda chips, limit: chips.density < limit,
    "interconnect_least": lambda chips, limit: chips.interconnect >= limit,
    "memory_least": lambda chips, limit: chips.bandwidth >= limit,
}


def barred_by(rule: dict[str, Any], chips: ControlledChips) -> np.ndarray:
    """Mask of the foreign chip classes that one rule bars, ``(classes,)``."""
    foreign = np.array([home == "US" for home in chips.homes])
    if rule.get("chips"):
        return foreign & np.array([name in rule["chips"] for name in chips.names])
    for test, holds in _TESTS.items():
        if rule.get(test) is not None:
            foreign &= holds(chips, rule[test])[:, 0, 0]
    return foreign


def barred(rules: list[dict[str, Any]], chips: ControlledChips, date: dt.date) -> np.ndarray:
    """Mask of the classes that may not be sold to CN on a date, ``(classes,)``."""
    bars = np.zeros(len(chips.names), dtype=bool)
    for rule in rules:
        ends = rule.get("until")
        if as_date(rule["date"]) <= date and (not ends or date < as_date(ends)):
            bars |= barred_by(rule, chips)
    return bars


def announced(rules: list[dict[str, Any]], chips: ControlledChips, date: dt.date) -> np.ndarray:
    """Mask of the classes that a published rule will bar soon but may still be sold, ``(classes,)``."""
    soon = np.zeros(len(chips.names), dtype=bool)
    for rule in rules:
        if _published(rule) <= date < as_date(rule["date"]):
            soon |= barred_by(rule, chips)
    return soon


def first_barred(rules: list[dict[str, Any]], chips: ControlledChips, chip: int) -> dt.date | None:
    """First date on which a class is barred; the announcement starts the maker's response."""
    return min((_published(rule) for rule in rules if barred_by(rule, chips)[chip]), default=None)


def _published(rule: dict[str, Any]) -> dt.date:
    """Day on which a rule is known."""
    return as_date(rule.get("announced") or rule["date"])


def sold_abroad(chips: ControlledChips, date: dt.date) -> np.ndarray:
    """Mask of the foreign classes on sale outside CN, ``(classes,)``: launched, and no export variants."""
    columns = zip(chips.launch, chips.kinds, chips.homes, strict=True)
    return np.array([day <= date and kind != "export_variant" and home == "US" for day, kind, home in columns])


def offered(rules: list[dict[str, Any]], chips: ControlledChips, date: dt.date, months: float) -> np.ndarray:
    """Mask of the classes on legal sale in CN in a step of so many months, ``(classes,)``.

    They are launched, not barred, and for variants, needed: a chipmaker answers a rule with the best variant that
    it leaves, some months later; where the parent may be sold the variant is not made (one wafer serves either).
    """
    bars = barred(rules, chips, date)

    def answered(variant: int) -> bool:
        parent = chips.names.index(chips.parents[variant])
        if not bars[parent]:
            return False
        since = max(first_barred(rules, chips, parent), chips.launch[parent])
        return months_between(since, date) >= chips.response_months[variant] - months

    free = ~bars & np.array([day <= date for day in chips.launch])
    return np.array([free[k] and (kind != "export_variant" or answered(k)) for k, kind in enumerate(chips.kinds)])
