"""Industrial policy: what each alternative does, and that nothing differs before its date."""

from __future__ import annotations

import pytest

from tests.twins import assert_equal_before, assert_something_differs, effect

GROUP = "policy/industrial"
#: Alternatives that begin in February 2024.
DATED = ["chip_subsidy", "procurement_quota", "yield_programme"]


def changes(alternative, column, **more):
    """Effect of the baseline less that of an alternative: below zero where the alternative raises the column."""
    return effect(column, f"{GROUP}={alternative}", **more)


@pytest.mark.parametrize(
    ("alternative", "column", "rises"),
    [
        ("chip_subsidy", "h100e_cn_domestic", True),
        ("chip_subsidy", "public_spending_cn", True),
        ("chip_subsidy", "hhi_chips_cn", False),
        ("procurement_quota", "h100e_cn_domestic", True),
        ("procurement_quota", "h100e_cn_legal", False),
        ("yield_programme", "h100e_cn_domestic", True),
        ("yield_programme", "public_spending_cn", True),
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
