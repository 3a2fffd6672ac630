"""Policies of open source: the direction of each, and that nothing moves before its date."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.paired_runs import by_world, market

ALTERNATIVES = ("history", "champion_opens", "champion_closes", "mandate", "subsidy", "ban")
SINCE = "policy.open_source.since='2024-02-01'"
NOW = "policy.open_source.since='2023-01-01'"


def change(column: str, name: str, window: tuple[int, int] = (16, 36), since: str = SINCE):
    """Mean change by a policy, and that in standard errors."""
    given = by_world(market(f"policy/open_source={name}", since), column, window)
    moved = given - by_world(market("policy/open_source=none"), column, window)
    return moved.mean(), moved.mean() / max(moved.std(ddof=1) / len(moved) ** 0.5, 1e-300)


@pytest.mark.parametrize("name", ALTERNATIVES)
def test_nothing_moves_before_the_date(name):
    before = pl.col("step") < 14
    treated = market(f"policy/open_source={name}", SINCE).filter(before)
    assert_frame_equal(treated, market("policy/open_source=none").filter(before), check_exact=True)


def test_history_is_that_labs_decide():
    assert_frame_equal(market("policy/open_source=history"), market("policy/open_source=none"), check_exact=True)


def test_a_champion_that_closes_sets_the_open_back():
    moved, z = change("frontier_open", "champion_closes", since=NOW)
    assert z < -1.7
    assert moved < -0.1


def test_a_champion_that_opens_all_lifts_the_open():
    opened = by_world(market("policy/open_source=champion_opens"), "frontier_open", (6, 36))
    closed = by_world(market("policy/open_source=champion_closes"), "frontier_open", (6, 36))
    assert ((opened - closed) > 0.0).mean() > 0.8


def test_a_mandate_opens_what_is_strong():
    moved, z = change("frontier_open", "mandate")
    assert z > 4.0
    assert moved > 0.2


def test_a_subsidy_opens_more():
    moved, z = change("open_release_share_cn", "subsidy")
    assert z > 5.0
    assert moved > 0.05


def test_a_ban_ends_open_releases():
    _, z = change("open_release_share_cn", "ban")
    assert z < -5.0
    frontier = market("policy/open_source=ban", SINCE).sort("replicate", "step")
    late = frontier.filter(pl.col("step") >= 14).group_by("replicate").agg(pl.col("frontier_open").n_unique())
    assert late["frontier_open"].max() == 1, "what is out stays out, and nothing joins it"
