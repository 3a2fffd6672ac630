"""Compute policy: what each alternative does."""

from __future__ import annotations

import pytest

from tests.paired_runs import by_world, effect_of, market

GROUP = "policy/compute"
#: When an effect is read, if not in the third year: this one is clear in the year in which vouchers begin.
WINDOWS = {("vouchers", "hhi_compute_cn"): (12, 24)}


@pytest.mark.parametrize(
    ("alternative", "column", "rises"),
    [
        ("vouchers", "public_spending_cn", True),
        ("vouchers", "hhi_compute_cn", False),
        ("public_centres", "idle_compute_cn", True),
        ("public_centres", "public_spending_cn", True),
        ("platform_private", "platform_strength", True),
        ("platform_state", "platform_strength", True),
        ("platform_operator", "platform_strength", True),
        ("platform_operator", "public_spending_cn", True),
        ("platform_operator", "domestic_maturity", True),
        ("priority", "idle_compute_cn", False),
    ],
)
def test_direction(alternative, column, rises):
    found = effect_of(GROUP, alternative, column, window=WINDOWS.get((alternative, column), (24, 36)))
    assert found.z < -5 if rises else found.z > 5


def test_a_voucher_is_spent_by_those_who_get_it():
    """What the state pays is what its balance shows: vouchers of 2,000 a year for eleven months and more."""
    spent = -effect_of(GROUP, "vouchers", "public_spending_cn", window=(35, 36)).mean
    assert spent == pytest.approx(2000.0 * 22 / 12, rel=0.05)


def test_all_of_it_composes():
    """Every instrument of the group at once, with others: the books still close."""
    both = ("policy/compute=platform_operator", "policy.compute.vouchers=2000", "policy.compute.centres=10000")
    rest = ("policy/industrial=chip_subsidy", "policy/data=copyright_levy", "policy/embargo=tight")
    table = market(*both, *rest, "policy.compute.priority=5", "policy.industrial.procurement_quota=0.5")
    assert table["accounts_residual"].max() < 1e-9
    assert by_world(table, "platform_strength", (30, 36)).min() > 0.0
