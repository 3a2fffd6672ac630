"""The embargo: what each alternative does, and that nothing differs before its date."""

from __future__ import annotations

import pytest

from tests.twins import assert_equal_before, assert_something_differs, by_world, effect, market

GROUP = "policy/embargo"
#: Alternatives that begin in February 2024.
DATED = ["tight", "lifted", "entity_list", "memory", "cloud"]


def changes(alternative, column, **more):
    """Effect of the baseline less that of an alternative: below zero where the alternative raises the column."""
    return effect(column, f"{GROUP}={alternative}", **more)


@pytest.mark.parametrize(
    ("alternative", "column", "rises"),
    [
        ("none", "hhi_chips_cn", True),
        ("none", "h100e_cn_legal", True),
        ("early", "h100e_cn_legal", False),
        ("early", "h100e_cn_h800", False),
        ("late", "h100e_cn_h800", True),
        ("tight", "h100e_cn_legal", False),
        ("tight", "h100e_cn_grey", False),
        ("tight", "grey_premium", True),
        ("lifted", "h100e_cn_legal", True),
        ("lifted", "h100e_cn_grey", False),
        ("entity_list", "h100e_cn_legal", False),
        ("memory", "h100e_cn_domestic", False),
        ("cloud", "price_rent_cn_usd_hour", True),
    ],
)
def test_direction(alternative, column, rises):
    found = changes(alternative, column)
    assert found.z < -3.5 if rises else found.z > 3.5


def test_without_the_embargo_runs_are_larger_and_the_frontier_hardly_further():
    """Runs are a seventh larger in the second and the third year; the frontier gains hundredths of an order."""
    for window in ((12, 24), (24, 36)):
        run = changes("none", "largest_run_cn_flop", window=window, worlds=24)
        assert run.z < -5 and 0.75 < run.ratio < 0.95
    # In the first two years: later one cannot tell, for the best CN model is often one of an open ROW base.
    frontier = changes("none", "frontier_cn", window=(0, 24), worlds=24)
    assert frontier.z < -3.5 and -0.1 < frontier.mean < -0.01


@pytest.mark.parametrize("alternative", DATED)
def test_before_its_date_nothing_differs(alternative):
    assert_equal_before(14, f"{GROUP}={alternative}")


def test_a_late_rule_leaves_what_came_before_it():
    assert_equal_before(10, f"{GROUP}=late")
    assert_something_differs(f"{GROUP}=late")


@pytest.mark.parametrize("alternative", DATED)
def test_from_its_date_something_differs(alternative):
    assert_something_differs(f"{GROUP}={alternative}")


def test_no_listed_firm_of_the_embargo_is_forgotten():
    """The entity list bites big tech alone: the stock of foreign chips falls by less than under a full ban."""
    listed = by_world(market(f"{GROUP}=entity_list"), "h100e_cn_legal", (30, 36))
    tight = by_world(market(f"{GROUP}=tight"), "h100e_cn_legal", (30, 36))
    assert (tight < listed).all()
