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
        ("procurement_quota", "h100e_cn_other_domestic", True),
        ("yield_programme", "h100e_cn_domestic", True),
        ("yield_programme", "public_spending_cn", True),
    ],
)
def test_direction(alternative, column, rises):
    found = effect_of(GROUP, alternative, column)
    assert found.z < -5 if rises else found.z > 5


def test_a_quota_takes_foreign_chips_but_adds_no_domestic_ones():
    """Fewer foreign chips; more of other domestic makers and of the grey market, but no more domestic ones in all."""
    assert effect_of(GROUP, "procurement_quota", "h100e_cn_legal", window=(24, 30)).z > 3
    assert effect_of(GROUP, "procurement_quota", "h100e_cn_grey", window=(24, 30)).z < -4
    assert effect_of(GROUP, "procurement_quota", "h100e_cn_domestic").ratio == pytest.approx(1.0, abs=0.02)
