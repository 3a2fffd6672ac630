"""Calendar: dates of steps, and rates converted to one step."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Any

import numpy as np

_DAYS_A_YEAR = 365.25
DAYS_A_MONTH = _DAYS_A_YEAR / 12.0


class Clock:
    """Monthly or weekly steps from a first month.

    Parameters
    ----------
    start : str
        First simulated month, ``YYYY-MM``.
    unit : {"month", "week"}
        Length of a step.

    Examples
    --------
    >>> clock = Clock("2022-12")
    >>> clock.date(1)
    datetime.date(2023, 1, 1)
    >>> round(clock.fraction(0.3), 3)
    0.3
    """

    def __init__(self, start: str, unit: str = "month"):
        year, month = (int(part) for part in start.split("-"))
        self.start = dt.date(year, month, 1)
        self.unit = unit
        self.years = 1.0 / 12.0 if unit == "month" else 7.0 / _DAYS_A_YEAR
        self.months = 12.0 * self.years
        self.days = _DAYS_A_YEAR * self.years

    def date(self, step: int) -> dt.date:
        """First day of a step."""
        if self.unit == "week":
            return self.start + dt.timedelta(weeks=step)
        month = self.start.month - 1 + step
        return dt.date(self.start.year + month // 12, month % 12 + 1, 1)

    def step_of(self, date: dt.date | str) -> int:
        """Number of the step that contains a date (negative before the start)."""
        date = as_date(date)
        if self.unit == "week":
            return (date - self.start).days // 7
        return 12 * (date.year - self.start.year) + date.month - self.start.month

    def year(self, step: int) -> float:
        """Years since the start at the middle of a step."""
        return (step + 0.5) * self.years

    def fraction(self, monthly: float) -> float:
        """Share of a stock that moves in one step at a pace of ``monthly`` a month."""
        return 1.0 - np.power(1.0 - monthly, self.months)

    def chance(self, yearly_rate: float) -> float:
        """Probability of an event in one step at a yearly hazard rate."""
        return 1.0 - np.exp(-yearly_rate * self.years)

    def every(self, step: float, months: float) -> bool:
        """Whether a phase with a cadence of so many months acts in this step."""
        return step == 0 or int(step * self.months / months) != int((step - 1) * self.months / months)

    def closes(self, step: int, months: float) -> bool:
        """Whether the end of a step is the nearest to the end of a period of so many calendar months."""
        before, after = (self._calendar_months(self.date(step + k) + dt.timedelta(days=3)) for k in (0, 1))
        return int(before / months) != int(after / months)

    def _calendar_months(self, date: dt.date) -> float:
        """Calendar months since the start, whole and fractional."""
        length = calendar.monthrange(date.year, date.month)[1]
        whole = 12 * (date.year - self.start.year) + date.month - self.start.month
        return whole + (date.day - 1) / length


def as_date(value: str | dt.date) -> dt.date:
    """ISO text or date to date."""
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))


def months_between(start: dt.date, end: dt.date) -> float:
    """Months from one date to another, days counted as thirtieths."""
    return 12 * (end.year - start.year) + end.month - start.month + (end.day - start.day) / 30.0


def at_date(schedule: list[dict[str, Any]], date: dt.date, key: str, before: Any) -> Any:
    """Value of a dated step schedule on a date; ``before`` its first entry, a number or ``(worlds, 1)``."""
    value = before
    for entry in schedule:
        if as_date(entry["date"]) <= date:
            value = float(entry[key])
    return value
