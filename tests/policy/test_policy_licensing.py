"""Licensing: what each alternative does."""

from __future__ import annotations

import pytest

from tests.paired_runs import by_world, effect_of, market

GROUP = "policy/licensing"


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
    found = effect_of(GROUP, alternative, column)
    assert found.z < -5 if rises else found.z > 5


def test_no_app_wraps_a_foreign_model_under_the_ban():
    banned = market(f"{GROUP}=wrapper_ban")
    assert by_world(banned, "apps_on_foreign_cn", (15, 36)).max() == 0.0
