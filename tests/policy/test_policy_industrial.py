"""Industrial policy: what each alternative does."""

from __future__ import annotations

import pytest

from tests.paired_runs import effect_of

GROUP = "policy/industrial"


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
    found = effect_of(GROUP, alternative, column)
    assert found.z < -5 if rises else found.z > 5
