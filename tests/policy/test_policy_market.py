"""Market policy: floor, interoperability, antitrust; what each moves, and nothing before its date."""

from __future__ import annotations

import polars as pl
import pytest

from tests.paired_runs import effect, market, table

RULES = ("floor", "interoperability", "antitrust", "strict")
#: Step of the date from which each rule holds.
SINCE = {"floor": 18, "interoperability": 13, "antitrust": 13, "strict": 13}


def _against(rule: str, column: str, window: tuple[int, int] = (24, 36)):
    """What a rule changes: with it less without."""
    less = effect(column, f"policy/market={rule}", window=window)
    less.with_, less.without = less.without, less.with_
    return less


@pytest.mark.parametrize("rule", RULES)
def test_nothing_happens_before_its_date(rule):
    early = pl.col("step") < SINCE[rule]
    ruled, free = market(f"policy/market={rule}"), market()
    assert ruled.filter(early).equals(free.filter(early))
    assert not ruled.filter(pl.col("step") == SINCE[rule]).equals(free.filter(pl.col("step") == SINCE[rule]))


def test_nobody_in_cn_lists_below_the_floor():
    labs = table("labs", "policy/market=floor")
    sold = labs.filter("alive", pl.col("region") == "CN", pl.col("step") >= SINCE["floor"])
    sold = sold.filter(pl.col("founded") <= pl.col("step"))
    assert sold["price_flagship"].min() >= 2.0
    assert sold["price_light"].min() >= 2.0
    assert labs.filter("alive", pl.col("region") == "ROW")["price_light"].min() < 2.0, "abroad it is no law"


def test_a_floor_raises_prices_and_margins_and_costs_users():
    assert _against("floor", "price_light_cn").z > 10
    assert _against("floor", "price_light_cn").ratio > 3.0
    assert _against("floor", "price_flagship_cn").z > 3
    assert _against("floor", "margin_flagship_cn").z > 3
    assert _against("floor", "margin_flagship_cn").ratio > 1.3
    assert _against("floor", "revenue_labs_cn").z > 5
    assert _against("floor", "tokens_day_cn").z < -5
    assert _against("floor", "tokens_day_cn").ratio < 0.8
    assert _against("floor", "consumer_surplus_cn").z < -2
    assert _against("floor", "consumer_surplus_cn").ratio < 0.95


def test_a_floor_saves_hardly_any_lab():
    """What labs earn is little against what training costs: exits do not answer."""
    assert abs(_against("floor", "labs_alive_cn").ratio - 1.0) < 0.05


def test_interoperability_unties():
    assert _against("interoperability", "lock_in_cn").z < -10
    assert _against("interoperability", "app_switches_cn").z > 5
    assert _against("interoperability", "share_turbulence_cn").z > 2.5
    assert _against("interoperability", "hhi_users_cn", window=(14, 36)).z > 2.5


def test_interoperability_makes_prices_and_margins_rise():
    """The likely reason: who cannot keep customers does not buy them by low prices (X02; Klemperer 1995)."""
    for column, bound in (("price_light_cn", 4.0), ("price_flagship_cn", 3.5), ("margin_flagship_cn", 4.5)):
        assert _against("interoperability", column, window=(14, 36)).z > bound, column
    assert _against("interoperability", "price_light_cn", window=(14, 36)).ratio > 1.05


def test_antitrust_takes_the_owners_margin():
    for window in ((14, 24), (24, 36)):
        taken = _against("antitrust", "lock_in_margin_cn", window=window)
        assert taken.z < -10
        assert taken.ratio < 0.3


def test_antitrust_moves_no_price_of_models():
    """Neither prices nor use nor revenue answer when the margin of lock-in is taken."""
    for column in ("price_light_cn", "price_flagship_cn", "price_gpt35_level", "tokens_day_cn", "revenue_labs_cn"):
        assert _against("antitrust", column, window=(14, 36)).ratio == pytest.approx(1.0, abs=0.03), column


def test_all_at_once():
    assert _against("strict", "lock_in_margin_cn").ratio < 0.1
    assert _against("strict", "price_light_cn").ratio > 1.5
    assert _against("strict", "tokens_day_cn").z < -5
    assert _against("strict", "tokens_day_cn").ratio < 0.9
    assert _against("strict", "app_switches_cn").z > 5


def test_rules_combine_with_any_other_group():
    """And end on their day."""
    ends = market("policy/market=floor", "policy/embargo=none", "policy/data=none", "policy.market.until=2024-12-01")
    last = ends.filter(pl.col("step") == 35)
    assert last["price_light_cn"].median() < 1.5
