"""Trust, compliance, licensing, and authorities that answer: direction, size, and that off is off."""

from __future__ import annotations

import numpy as np
import pytest

from baimo.agents.enums import FILED, NOT_APPLIED
from baimo.world.compute.chip_market import _grey_supply
from baimo.world.ensemble import Ensemble
from baimo.world.models.demand import choices, valued
from baimo.world.models.utility import expected_only
from baimo.world.policy.instruments import _stance, stance
from baimo.world.regulation.compliance import _clean
from tests.paired_runs import by_world, effect, market, together

OFF, ADAPTIVE = "mechanisms.compliance=false", "regulators=adaptive"
#: Nobody answers for content.
CONTENT = ("compliance.content_team=0", "compliance.content_duty=0")
#: No rights that trust would grant, and authorities that answer the gap alone.
WITHOUT_RIGHTS = ("trust.culprit=0", "trust.everybody=0", "trust.build=0", "trust.substitution=0")
GAP_ALONE = (ADAPTIVE, "licensing.incident_response=0", "licensing.hhi_response=0")

together(
    "trust.build=0",
    "trust.everybody=0",
    "trust.substitution=0",
    WITHOUT_RIGHTS,
    (*WITHOUT_RIGHTS, "trust.start=0.2"),
    ("mechanisms.social_trust=false", "trust.start=0.2"),
    "trust.permission=1",
    ("trust.permission=1", "trust.build=0"),
)
together("licensing.gate_opens=0", "licensing.gap_response=0", CONTENT)
together(ADAPTIVE, (ADAPTIVE, "licensing.gap_response=0"), (ADAPTIVE, "licensing.hhi_response=0"))
together(GAP_ALONE, (*GAP_ALONE, "licensing.gap_response=0"), worlds=24)


#: The second year: later worlds drift apart for many reasons.
SECOND = (12, 24)


def mean(column, *overrides, window=(24, 36)):
    """Mean of a column over worlds and a window."""
    return float(by_world(market(*overrides), column, window).mean())


# ---------------------------------------------------------------------- M05


def test_M05_regulation_builds_trust_and_incidents_cost_it():
    assert effect("trust_cn", "trust.build=0").z > 10
    assert effect("trust_cn", "trust.everybody=0").z < -5


def test_M05_where_society_is_not_trusted_users_lean_on_names():
    """Reputation weighs more, so use gathers with a few; with trust built by rules, less so."""
    leans = effect("hhi_users_cn", "trust.substitution=0", window=(6, 36))
    assert leans.z > 3.0
    assert leans.ratio > 1.04
    assert effect("hhi_users_cn", "trust.build=0", window=(6, 36)).z < -3.3


def test_M05_trust_grants_rights_that_make_models_useful():
    useful = effect("consumer_surplus_cn", "trust.start=0.2", base=WITHOUT_RIGHTS, window=SECOND)
    assert useful.z > 3.0 and useful.ratio > 1.015
    used = effect("tokens_day_row", "trust.start=0.2", base=WITHOUT_RIGHTS, window=SECOND)
    assert used.z > 2.2 and used.ratio > 1.1
    free = "mechanisms.social_trust=false"
    assert abs(effect("consumer_surplus_cn", "trust.start=0.2", base=(free,)).ratio - 1.0) < 1e-3, "rights need none"


def test_M05_trust_that_rules_build_gives_users_no_surplus_to_speak_of():
    """Leading names lose users and subscriptions by it, surplus stays the same; apart from rights too."""
    for base in ((), ("trust.permission=1",)):
        built = {
            each: effect(each, "trust.build=0", base=base, window=(12, 36))
            for each in ("trust_cn", "hhi_users_cn", "revenue_subscriptions_cn")
        }
        assert built["trust_cn"].z > 100.0 and built["trust_cn"].ratio > 1.1
        assert built["hhi_users_cn"].z < -3.3
        assert built["revenue_subscriptions_cn"].z < -3.0
        surplus = effect("consumer_surplus_cn", "trust.build=0", base=base, window=(12, 36))
        assert surplus.ratio == pytest.approx(1.0, abs=0.01)


def test_M05_what_users_only_expect_of_names_is_no_part_of_what_they_have():
    """The same choice: worth less than it seems where trust is low, and neither where names weigh their plain."""
    world = Ensemble(["output.level=market"], range(2)).run(12).world
    state, home, only = world.state, world.segments.cn, []
    share = choices(world, valued(world)[0])[0]
    for habit in (0.1, world.parameters.trust.neutral, 1.0):
        state.trust_habit = np.full_like(state.trust_habit, habit)
        only.append(expected_only(world, share)[home].mean())
    assert only[0] > 0.05 and only[1] == 0.0 and only[2] < -0.05


def test_M05_without_the_mechanism_trust_stays_as_it_is():
    trust = market("mechanisms.social_trust=false")["trust_cn"]
    assert trust.min() == trust.max() == 0.5
    assert effect("hhi_users_cn", "pace.culture=2", base=("mechanisms.social_trust=false",)).mean == 0.0


# ---------------------------------------------------------------------- M06


def test_M06_duties_and_suits_cost_and_are_gone_when_off():
    assert mean("compliance_cost_cn") > 10.0
    assert mean("suits_cn") > 0.3
    for column in ("compliance_cost_cn", "suits_cn", "apps_cut_off_cn"):
        assert mean(column, OFF, window=(0, 36)) == 0.0, column


def test_M06_filed_services_answer_for_their_content():
    assert effect("compliance_cost_cn", CONTENT).z > 8


def test_M06_data_may_not_cross_the_border_so_wrappers_lose_their_foreign_base():
    cut = effect("apps_on_foreign_cn", OFF)
    assert cut.z < -6
    assert cut.ratio < 0.85


def test_M06_without_the_rule_of_data_nobody_is_cut_off():
    assert mean("apps_cut_off_cn", "policy/data=none", window=(0, 36)) == 0.0


def test_M06_what_the_public_types_in_taints_data_less_where_a_filed_service_checks_it():
    world = Ensemble(["output.level=market"], range(2)).run(6).world
    labs, state, seg = world.labs, world.state, world.segments
    before, asked = labs.usage_data, state.tokens_by_segment
    used = labs.alive & (before > 0.0) & (asked.sum(0) > 0.0)

    def lost(filing: int, public: float) -> np.ndarray:
        """Share of the data that is thrown away, where the public uses some times as much as it does."""
        labs.filing, labs.usage_data = np.full_like(labs.filing, filing), before
        state.tokens_by_segment = asked * np.where(seg.column("free") > 0.0, public, 1.0)
        _clean(world)
        return 1.0 - (labs.usage_data / np.where(used, before, 1.0))[used]

    plain, filed, crowded, alone = lost(NOT_APPLIED, 1.0), lost(FILED, 1.0), lost(NOT_APPLIED, 9.0), lost(FILED, 0.0)
    some = plain > 0.0
    assert some.any()
    assert (filed[some] < plain[some]).all() and (filed[some] > 0.0).all(), "who is filed checks what it takes in"
    assert (crowded >= plain).all() and (crowded > plain).any(), "the more the public uses it, the more is tainted"
    assert np.allclose(alone, 0.0, atol=1e-12), "what firms send is theirs"
    world.parameters.compliance.tainted = 0.0
    assert np.allclose(lost(NOT_APPLIED, 1.0), 0.0, atol=1e-12)


# ---------------------------------------------------------------------- M41


def test_M41_what_is_not_filed_does_not_reach_the_public():
    off = "mechanisms.licensing=false"
    assert mean("public_filed_share_cn") > 0.95
    assert mean("models_filed_cn", off) == 0.0
    assert mean("public_filed_share_cn", off) == 0.0


def test_M41_the_gate_opens_and_excites():
    """002: the first filings light the market up; the excitement fades like any other."""
    opening = effect("hype", "licensing.gate_opens=0", window=(8, 10))
    assert opening.z > 10
    assert 0.02 < opening.mean < 0.1
    assert abs(effect("hype", "licensing.gate_opens=0", window=(30, 36)).mean) < 0.2 * opening.mean


def test_M41_filing_builds_trust_and_averts_harm():
    assert effect("trust_cn", "mechanisms.licensing=false").z > 8
    assert effect("incidents_cn", "mechanisms.licensing=false").z < -4


# ---------------------------------------------------------------------- authorities that answer


def test_an_adaptive_content_authority_answers_incidents():
    """More incidents, a stricter review: longer queues, fewer filings, more trust."""
    assert effect("queue_length", ADAPTIVE).z < -5
    assert effect("models_filed_cn", ADAPTIVE).z > 5
    assert effect("trust_cn", ADAPTIVE).z < -4


def test_an_adaptive_export_authority_enforces_harder_as_the_gap_closes():
    grey = effect("h100e_cn_grey", "licensing.gap_response=0", base=GAP_ALONE, worlds=24)
    assert grey.z < -4.0 and grey.ratio < 0.95  # little only where the gap never closes
    world = Ensemble([ADAPTIVE, "output.level=market"], (0,)).run(12).world
    strict, smuggled = [], []
    for gap in (1.5, 0.4):
        world.state.gap_oom = np.full((1, 1), gap)
        world.regulators.set_stance(_stance(world, 1.0))
        world.policy.stance = stance(world)
        strict.append(world.policy.stance.enforcement.item())
        smuggled.append(_grey_supply(world).item())
    assert strict[1] == pytest.approx(strict[0] + 0.6 * world.parameters.licensing.gap_response)
    assert smuggled[1] / smuggled[0] == pytest.approx((1.0 - strict[1]) / (1.0 - strict[0]))
    assert effect("h100e_cn_grey", ADAPTIVE, base=("licensing.gap_response=0",)).ratio == pytest.approx(1.0, abs=0.01)


def test_an_adaptive_competition_authority_fines_the_dominant():
    assert mean("antitrust_fines_cn", window=(0, 36)) == 0.0
    assert mean("antitrust_fines_cn", ADAPTIVE) > 1.0
    assert mean("antitrust_fines_cn", ADAPTIVE, "licensing.hhi_response=0", window=(0, 36)) == 0.0
