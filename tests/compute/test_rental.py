"""Rents: pressure of demand on supply, and the split of flexible chips between two uses."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baimo.world.compute.rental_market import rent_pressure, split_flexible

P = SimpleNamespace(rent_pace=0.25)
COMPUTE = st.floats(1e-3, 1e6) | st.just(0.0)


def pressure(demand: float, supply: float, months: float = 1.0) -> float:
    return float(rent_pressure(np.array([[demand]]), np.array([[supply]]), months, P)[0, 0])


def rent_after(start: float, months: int, demand_over_supply: float) -> float:
    for _ in range(months):
        start = start * pressure(demand_over_supply * 1e5, 1e5)
    return start


def test_the_fall_of_rents_needs_demand_near_seventy_percent_of_supply(fact):
    """PRIORS: from 8 to 1.9 USD in the 16 months from June 2023 to October 2024."""
    start, end = fact("h100_rent", "2023-06"), fact("h100_rent", "2024-10")
    low, high = 0.4, 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if rent_after(start, 16, middle) < end else (low, middle)
    assert high == pytest.approx(0.70, abs=0.01)


def test_a_balanced_market_keeps_its_rent():
    assert pressure(5e4, 5e4) == pytest.approx(1.0)


def test_scarcity_raises_and_glut_lowers_the_rent_alike():
    assert pressure(2e4, 1e4) > 1.0 > pressure(1e4, 2e4)
    assert pressure(2e4, 1e4) * pressure(1e4, 2e4) == pytest.approx(1.0)


def test_rents_move_by_at_most_a_quarter_e_fold_a_month():
    assert pressure(1e9, 1.0) == pytest.approx(np.exp(0.25))
    assert pressure(1.0, 1e9) == pytest.approx(np.exp(-0.25))
    assert pressure(1e5, 0.0) == pytest.approx(np.exp(0.25))
    assert pressure(0.0, 1e5) == pytest.approx(np.exp(-0.25))
    assert pressure(0.0, 0.0) == pytest.approx(1.0)


def test_steps_of_any_length_add_up_to_a_month():
    assert pressure(3e4, 4e4, 0.25) ** 4 == pytest.approx(pressure(3e4, 4e4))


def split(flexible: float, dedicated: float, training: float, serving: float) -> float:
    return float(split_flexible(*(np.array([[x]]) for x in (flexible, dedicated, training, serving)))[0, 0])


@settings(max_examples=200, deadline=None)
@given(COMPUTE, COMPUTE, COMPUTE, COMPUTE)
def test_both_uses_are_equally_tight_where_the_split_is_inside(flexible, dedicated, training, serving):
    share = split(flexible, dedicated, training, serving)
    assert 0.0 <= share <= 1.0
    for_training, for_serving = (1.0 - share) * flexible, share * flexible + dedicated
    total = (training + serving) * (flexible + dedicated)
    if flexible == 0.0 or training + serving == 0.0:
        return
    if share == 0.0:  # serving is no tighter, though it has only the dedicated chips
        assert serving * for_training <= training * for_serving + 1e-9 * total
    elif share == 1.0:
        assert training * for_serving <= serving * for_training + 1e-9 * total
    else:
        assert training * for_serving == pytest.approx(serving * for_training, abs=1e-9 * total)


def test_split_by_hand():
    assert split(100.0, 0.0, 30.0, 10.0) == pytest.approx(0.25)
    assert split(100.0, 20.0, 60.0, 60.0) == pytest.approx(0.40)  # 60 for each use
    assert split(100.0, 500.0, 60.0, 60.0) == 0.0  # serving has its own chips
    assert split(100.0, 0.0, 0.0, 10.0) == 1.0
    assert split(0.0, 10.0, 5.0, 5.0) == 0.0
