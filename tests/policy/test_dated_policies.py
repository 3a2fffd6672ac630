"""Alternatives that begin in February 2024: one history with the baseline until then, another from then on."""

from __future__ import annotations

import pytest

from tests.paired_runs import assert_equal_before, assert_something_differs

DATED = {
    "compute": ["vouchers", "public_centres", "platform_private", "platform_state", "platform_operator", "priority"],
    "data": ["public_corpus", "copyright_levy", "strict"],
    "embargo": ["tight", "lifted", "entity_list", "memory", "cloud"],
    "industrial": ["chip_subsidy", "procurement_quota", "yield_programme"],
    "licensing": ["fast_track", "strict", "wrapper_ban"],
}
#: Minutes together; the files on embargoes, capital and open source ask the same of an alternative each.
pytestmark = pytest.mark.slow
SETTINGS = [f"policy/{group}={name}" for group, names in DATED.items() for name in names]


@pytest.mark.parametrize("setting", SETTINGS)
def test_before_its_date_nothing_differs(setting):
    assert_equal_before(14, setting)


@pytest.mark.parametrize("setting", SETTINGS)
def test_from_its_date_something_differs(setting):
    assert_something_differs(setting)
