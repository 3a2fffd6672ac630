"""The embargo: what each alternative does."""

from __future__ import annotations

import pytest

from tests.paired_runs import assert_equal_before, assert_something_differs, by_world, effect_of, market, together

GROUP = "policy/embargo"
together(f"{GROUP}=none", worlds=24)


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
        ("entity_list", "h100e_cn_grey", True),
        ("entity_list", "grey_premium", True),
        ("memory", "h100e_cn_domestic", False),
        ("cloud", "price_rent_cn_usd_hour", True),
    ],
)
def test_direction(alternative, column, rises):
    found = effect_of(GROUP, alternative, column)
    assert found.z < -3.5 if rises else found.z > 3.5


def test_without_the_embargo_runs_are_larger_and_the_frontier_hardly_further():
    """Runs are a seventh larger in the second and the third year; the frontier gains hundredths of an order."""
    for window in ((12, 24), (24, 36)):
        run = effect_of(GROUP, "none", "largest_run_cn_flop", window=window, worlds=24)
        assert run.z < -5 and 0.75 < run.ratio < 0.95
    # In the first two years: later one cannot tell, for the best CN model is often one of an open ROW base.
    frontier = effect_of(GROUP, "none", "frontier_cn", window=(0, 24), worlds=24)
    assert frontier.z < -3.5 and -0.1 < frontier.mean < -0.01


def test_a_late_rule_leaves_what_came_before_it():
    assert_equal_before(10, f"{GROUP}=late")
    assert_something_differs(f"{GROUP}=late")


def test_no_listed_firm_of_the_embargo_is_forgotten():
    """The entity list bites big tech alone: the stock of foreign chips falls by less than under a full ban."""
    listed = by_world(market(f"{GROUP}=entity_list"), "h100e_cn_legal", (30, 36))
    tight = by_world(market(f"{GROUP}=tight"), "h100e_cn_legal", (30, 36))
    assert (tight < listed).all()
