"""Licensing: what each alternative does, and that nothing differs before its date."""

from __future__ import annotations

import pytest

from tests.twins import assert_equal_before, assert_something_differs, by_world, effect, market

GROUP = "policy/licensing"
#: Alternatives that begin in February 2024.
DATED = ["fast_track", "strict", "wrapper_ban"]


def changes(alternative, column, **more):
    """Effect of the baseline less that of an alternative: below zero where the alternative raises the column."""
    return effect(column, f"{GROUP}={alternative}", **more)


@pytest.mark.parametrize(
    ("alternative", "column", "rises"),
    [
        ("none", "models_filed_cn", False),
        ("none", "trust_cn", False),
        ("fast_track", "models_filed_cn", True),
        ("fast_track", "queue_length", False),
        ("strict", "models_filed_cn", False),
        ("strict", "queue_length", True),
        ("strict", "apps_public_cn", False),
        ("wrapper_ban", "apps_on_foreign_cn", False),
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


def test_no_app_wraps_a_foreign_model_under_the_ban():
    banned = market(f"{GROUP}=wrapper_ban")
    assert by_world(banned, "apps_on_foreign_cn", (15, 36)).max() == 0.0
