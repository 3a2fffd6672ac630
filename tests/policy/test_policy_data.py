"""Data policy: what each alternative does."""

from __future__ import annotations

import pytest

from tests.paired_runs import by_world, effect_of, market

GROUP = "policy/data"


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
    found = effect_of(GROUP, alternative, column)
    assert found.z < -5 if rises else found.z > 5


def test_the_levy_goes_to_the_owners_of_rights():
    levy, plain = market(f"{GROUP}=copyright_levy"), market()
    with_suits = ("compliance.suit_rate=0",)
    paid = by_world(market(f"{GROUP}=copyright_levy", *with_suits), "compliance_cost_cn", (24, 36))
    assert (paid > by_world(market(*with_suits), "compliance_cost_cn", (24, 36))).all()
    assert levy["accounts_residual"].max() < 1e-9 and plain["accounts_residual"].max() < 1e-9
