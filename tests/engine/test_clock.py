"""The calendar: dates, steps, and what a rate means for one step."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from baimo.world.engine.clock import Clock


@pytest.fixture(params=["month", "week"])
def clock(request) -> Clock:
    return Clock("2022-12", request.param)


def test_months_roll_over_the_year():
    clock = Clock("2022-12")
    dates = [clock.date(step) for step in (0, 1, 12, 13, 49)]
    assert dates == [dt.date(y, m, 1) for y, m in ((2022, 12), (2023, 1), (2023, 12), (2024, 1), (2027, 1))]


def test_weeks_are_seven_days_from_the_start():
    clock = Clock("2022-12", "week")
    assert [clock.date(step) for step in (0, 1, 5)] == [
        dt.date(2022, 12, 1),
        dt.date(2022, 12, 8),
        dt.date(2023, 1, 5),
    ]


def test_step_of_is_the_step_that_contains_a_date(clock):
    for step in range(-30, 300):
        first, after = clock.date(step), clock.date(step + 1)
        assert clock.step_of(first) == step
        assert clock.step_of(after - dt.timedelta(days=1)) == step
        assert clock.step_of(first.isoformat()) == step


def test_a_rule_before_the_start_has_a_negative_step(clock):
    assert clock.step_of("2022-10-07") < 0


def test_the_calendar_and_the_length_of_a_step_agree(clock):
    steps = round(20 * 365.25 / clock.days)
    assert abs((clock.date(steps) - clock.start).days - 20 * 365.25) < 8
    assert clock.months == pytest.approx(12.0 * clock.years)
    assert clock.days == pytest.approx(365.25 * clock.years)


def test_length_of_a_step():
    assert Clock("2022-12").months == 1.0
    assert Clock("2022-12", "week").days == pytest.approx(7.0)


def test_year_is_taken_at_the_middle_of_a_step(clock):
    assert clock.year(0) == pytest.approx(clock.years / 2.0)
    assert clock.year(7) - clock.year(6) == pytest.approx(clock.years)


def test_a_monthly_share_is_itself_in_a_monthly_step():
    np.testing.assert_allclose(Clock("2022-12").fraction(np.array([0.0, 0.3, 1.0])), [0.0, 0.3, 1.0])


def test_shares_and_chances_compound_to_the_same_year(clock):
    steps = 1.0 / clock.years
    monthly, yearly = np.array([0.0, 0.1, 0.6]), np.array([0.0, 0.5, 3.0])
    np.testing.assert_allclose((1.0 - clock.fraction(monthly)) ** steps, (1.0 - monthly) ** 12, rtol=1e-9)
    np.testing.assert_allclose((1.0 - clock.chance(yearly)) ** steps, np.exp(-yearly), rtol=1e-9)


@pytest.mark.parametrize("months", [1, 3, 12])
def test_a_cadence_acts_once_a_period(months):
    clock = Clock("2022-12")
    acts = [step for step in range(1, 121) if clock.every(step, months)]
    assert acts == list(range(months, 121, months))


@pytest.mark.parametrize("months", [1, 3, 12])
def test_a_cadence_in_weeks_acts_as_often_as_in_months(months):
    clock = Clock("2022-12", "week")
    acts = [step for step in range(1, 10 * 53) if clock.every(step, months)]
    assert len(acts) == int(529 * clock.months / months)
    gaps = np.diff(acts) * clock.months
    assert np.all(np.abs(gaps - months) < clock.months)


def test_the_first_step_is_treated_alike_by_all_cadences():
    answers = {Clock("2022-12", unit).every(0, months) for unit in ("month", "week") for months in (1, 3)}
    assert len(answers) == 1


@pytest.mark.parametrize("months", [0.5, 1.0, 3.0])
def test_weekly_sessions_close_nearest_to_the_periods_of_the_calendar(months):
    weeks, month_steps = Clock("2022-12", "week"), Clock("2022-12")
    closed = [weeks.date(step + 1) for step in range(209) if weeks.closes(step, months)]
    assert len(closed) == pytest.approx(48 / months, abs=1)
    if months >= 1.0:
        ends = [month_steps.date(step + 1) for step in range(48) if month_steps.closes(step, months)]
        assert len(ends) == 48 / months
        assert max(abs((one - other).days) for one, other in zip(closed, ends, strict=False)) <= 3
