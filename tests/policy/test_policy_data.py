"""Data policy: what each alternative does, and that nothing differs before its date."""

from __future__ import annotations

import pytest

from tests.twins import assert_equal_before, assert_something_differs, by_world, effect, market

GROUP = "policy/data"
#: Alternatives that begin in February 2024.
DATED = ["public_corpus", "copyright_levy", "strict"]


def changes(alternative, column, **more):
    """Effect of the baseline less that of an alternative: below zero where the alternative raises the column."""
    return effect(column, f"{GROUP}={alternative}", **more)


@pytest.mark.parametrize(
    ("alternative", "column", "rises"),
    [
        ("none", "apps_on_foreign_cn", True),
        ("none", "apps_cut_off_cn", False),
        ("strict", "apps_on_foreign_cn", False),
        ("copyright_levy", "suits_cn", False),
        ("public_corpus", "public_spending_cn", True),
    ],
)
def test_direction(alternative, column, rises):
    found = changes(alternative, column)
    assert found.z < -5 if rises else found.z > 5


@pytest.mark.parametrize("alternative", DATED)
def test_before_its_date_nothing_differs(alternative):
    assert_equal_before(14, f"{GROUP}={alternative}")


@pytest.mark.parametrize("alternative", DATED)
def test_from_its_date_something_differs(alternative):
    assert_something_differs(f"{GROUP}={alternative}")


def test_the_levy_goes_to_the_owners_of_rights():
    levy, plain = market(f"{GROUP}=copyright_levy"), market()
    with_suits = ("compliance.suit_rate=0",)
    paid = by_world(market(f"{GROUP}=copyright_levy", *with_suits), "compliance_cost_cn", (24, 36))
    assert (paid > by_world(market(*with_suits), "compliance_cost_cn", (24, 36))).all()
    assert levy["accounts_residual"].max() < 1e-9 and plain["accounts_residual"].max() < 1e-9
