"""Policies of talent: what each does, that they compose, and that nothing happens before their date."""

from __future__ import annotations

import polars as pl
import pytest

from tests.paired_runs import by_world, effect, market, table

SINCE = 9  # 2023-09-01
AFTER = (SINCE + 3, 24)
NONE = "policy/talent=none"


def added(column, policy, window=AFTER):
    """What a policy adds to a column."""
    return effect(column, NONE, base=(f"policy/talent={policy}",), window=window)


@pytest.mark.parametrize("policy", ["training_programme", "both"])
def test_a_programme_trains_people_and_costs_the_state(policy):
    trained = added("people_trained_cn", policy, (23, 24))
    # 4,000 a year for fifteen months, less the founders who now come out of the pool.
    assert trained.mean == pytest.approx(5000.0, rel=0.15)
    assert added("pool_application_cn", policy).z > 5.0
    assert added("public_spending_cn", policy, (23, 24)).mean == pytest.approx(0.3 * 5000.0, rel=0.15)
    assert added("wage_infra", policy, (20, 24)).z < -4.0


@pytest.mark.parametrize("policy", ["mobility_limit", "both"])
def test_a_mobility_limit_keeps_people_where_they_are(policy):
    moves = added("staff_left_cn", policy)
    assert moves.z < -10.0
    assert moves.ratio < 0.5


def test_a_mobility_limit_costs_the_state_nothing_to_speak_of():
    assert abs(added("public_spending_cn", "mobility_limit").mean) < 100.0


@pytest.mark.parametrize("policy", ["training_programme", "mobility_limit", "both"])
def test_before_its_date_nothing_is_different(policy):
    late = (f"policy/talent={policy}", "policy.talent.since=2024-02-01")
    before = pl.col("step") < 14
    for name in ("market", "events"):
        treated, untreated = (table(name, *arm, steps=18) for arm in (late, (NONE,)))
        assert treated.filter(before).equals(untreated.filter(before)), name
        assert not treated.equals(untreated)


def test_a_policy_ends():
    ends = ("policy/talent=training_programme", "policy.talent.until=2023-12-01")
    spending = by_world(market(*ends), "people_trained_cn", (23, 24))
    forever = by_world(market("policy/talent=training_programme"), "people_trained_cn", (23, 24))
    assert (spending < forever - 2500.0).all()
