"""Policies of capital: the direction of each, and that nothing moves before its date."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from baimo.agents.enums import CN, STATE_FUND
from baimo.world.capital.hype import attend
from baimo.world.capital.rounds import guide
from baimo.world.ensemble import Ensemble
from tests.paired_runs import by_world, effect, market

ALTERNATIVES = ("guidance_fund", "cooling", "no_leader", "no_mergers")
#: Months of the policy, and a scenario in which much is bought and sold.
SINCE = "policy.capital.since='2024-02-01'"
SALES = ("entry_exit.acquisition=1", "entry_exit.folds=20", "entry_exit.fold_runway=36")


def with_policy(column: str, name: str, base: tuple[str, ...] = (), window: tuple[int, int] = (14, 36)):
    """What a policy adds to a column."""
    given = market(f"policy/capital={name}", SINCE, *base)
    without = market(*base)
    return by_world(given, column, window), by_world(without, column, window)


def paired_z(given, without) -> float:
    change = given - without
    return change.mean() / max(change.std(ddof=1) / len(change) ** 0.5, 1e-300)


@pytest.mark.parametrize("name", ALTERNATIVES)
def test_nothing_moves_before_the_date(name):
    before = pl.col("step") < 14
    treated = market(f"policy/capital={name}", SINCE, *SALES).filter(before)
    assert_frame_equal(treated, market(*SALES).filter(before), check_exact=True)


def test_guidance_money_is_public_and_reaches_labs():
    given, without = with_policy("funding_labs_cn", "guidance_fund")
    assert paired_z(given, without) > 3.0
    given, without = with_policy("public_spending_cn", "guidance_fund", window=(26, 27))
    # Spending adds up over the months: 3,000 million a year from February 2024.
    assert (given - without).mean() == pytest.approx(3_000.0 * 13 / 12, rel=0.25)


def test_cooling_keeps_money_from_apps_and_hardly_any_from_labs():
    """Half of what private investors set ready is kept back: more apps run out of money, labs raise as before."""
    gone, without = with_policy("app_deaths_insolvent_cn", "cooling")
    assert paired_z(gone, without) > 7.0 and gone.mean() > 1.04 * without.mean()
    assert paired_z(*with_policy("apps_alive_cn", "cooling")) < -5.5
    assert abs(paired_z(*with_policy("funding_labs_cn", "cooling"))) < 2.0


def test_cooling_leaves_investors_half_as_much_ready():
    world = Ensemble(["output.level=market"], range(2)).run(6).world
    investors, ready = world.investors, []
    private = investors.alive & (investors.region == CN) & (investors.kind != STATE_FUND)
    plenty = 1e6 + 0.0 * investors.cash
    for kept_back in (0.0, 0.5):
        investors.ready, investors.cash = 0.0 * investors.cash, plenty
        world.policy.capital.cooling = kept_back
        attend(world, guide(world))
        ready.append(investors.ready[private].sum())
    assert ready[1] == pytest.approx(0.5 * ready[0], rel=0.1)


def test_leaders_may_not_buy():
    given, without = with_policy("lab_acquisitions_by_leaders_cn", "no_leader", SALES)
    assert given.max() == 0.0
    assert without.min() > 0.0
    given, _ = with_policy("lab_acquisitions_cn", "no_leader", SALES)
    assert given.min() > 0.0, "others may"


def test_nobody_may_buy():
    given, without = with_policy("lab_acquisitions_cn", "no_mergers", SALES)
    assert given.max() == 0.0
    assert without.min() > 0.0


def test_policies_compose_with_others():
    both = ("policy/capital=cooling", "policy/open_source=subsidy", "policy.capital.guidance_fund=2000")
    assert effect("funding_labs_cn", both, window=(14, 36)).error > 0.0
    assert market(*both)["accounts_residual"].max() < 1e-9
