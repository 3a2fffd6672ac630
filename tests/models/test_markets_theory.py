"""Market kernels against theory: nested logit, mark-ups, odds of a run, queues, diffusion, entry."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baimo.agents.enums import MISSING
from baimo.agents.lab.training import success_chance
from baimo.conf.parameters.industry import EntryExit
from baimo.conf.parameters.models import ModelMarket
from baimo.conf.parameters.technology import Training
from baimo.world.engine.clock import Clock
from baimo.world.ensemble import Ensemble
from baimo.world.industry.entry import entry_rate
from baimo.world.laws.nested_logit import Seller, elasticity_factor, nested_shares, own_price_elasticity
from baimo.world.models.demand import _adopt
from baimo.world.models.overflow import spill
from baimo.world.models.quality import appeal, brain, offer
from baimo.world.models.utility import choices, expected_only, valued, weigh_models
from baimo.world.regulation.licensing import earliest

ABSENT = -200.0


def market(seed, segments=3, worlds=2, labs=9):
    """Utilities with somebody absent, a nest of open models, and old tools."""
    rng = np.random.default_rng(seed)
    value = rng.normal(0.0, 2.0, (segments, worlds, labs))
    value[..., -1] = ABSENT
    nest = rng.random((worlds, labs)) < 0.4
    nest[:, 0], nest[:, 1] = True, False
    return value, nest, rng.normal(0.0, 1.0, (segments, 1, 1))


# ---------------------------------------------------------------------- nested logit


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), correlation=st.floats(0.0, 0.97))
def test_everybody_chooses_once(seed, correlation):
    value, nest, outside = market(seed)
    share, within, log_sum = nested_shares(value, nest, outside, correlation)
    old = np.exp(outside - log_sum)
    assert np.allclose(share.sum(-1, keepdims=True) + old, 1.0, rtol=1e-12)
    assert (share >= 0.0).all()
    assert (share[..., -1] == 0.0).all()
    for members in (nest, ~nest):
        assert np.allclose(np.where(members, within, 0.0).sum(-1), 1.0, rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_without_correlation_it_is_the_plain_logit(seed):
    value, nest, outside = market(seed)
    share, _, log_sum = nested_shares(value, nest, outside, 0.0)
    weight = np.where(value > -100.0, np.exp(value), 0.0)
    total = weight.sum(-1, keepdims=True) + np.exp(outside)
    assert np.allclose(share, weight / total, rtol=1e-12)
    assert np.allclose(log_sum, np.log(total), rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), correlation=st.floats(0.05, 0.95))
def test_the_textbook_formula(seed, correlation):
    """s_j = exp(v_j/(1-sigma)) / D_g x D_g^(1-sigma) / (1 + sum_h D_h^(1-sigma)) (Berry 1994)."""
    value, nest, outside = market(seed)
    share, within, _ = nested_shares(value, nest, outside, correlation)
    for s, w in np.ndindex(share.shape[:2]):
        inside = {}
        for g in (True, False):
            rows = [j for j in range(9) if nest[w, j] == g and value[s, w, j] > -100]
            inside[g] = sum(np.exp(value[s, w, j] / (1 - correlation)) for j in rows)
        total = np.exp(outside[s, 0, 0]) + sum(d ** (1 - correlation) for d in inside.values() if d > 0)
        for j in range(8):
            d = inside[bool(nest[w, j])]
            part = np.exp(value[s, w, j] / (1 - correlation)) / d
            assert within[s, w, j] == pytest.approx(part, rel=1e-9)
            assert share[s, w, j] == pytest.approx(part * d ** (1 - correlation) / total, rel=1e-9)


def test_an_added_constant_changes_no_share():
    value, nest, outside = market(5)
    one = nested_shares(value, nest, outside, 0.8)
    two = nested_shares(np.where(value > -100, value + 30.0, value), nest, outside + 30.0, 0.8)
    assert np.allclose(one[0], two[0], rtol=1e-9)
    assert np.allclose(one[2] + 30.0, two[2], rtol=1e-12)


def test_who_is_far_better_takes_the_market_and_nothing_overflows():
    value, nest, outside = market(6)
    value[..., 3] = 600.0
    share, _, log_sum = nested_shares(value, nest, outside, 0.97)
    assert np.isfinite(share).all()
    assert np.isfinite(log_sum).all()
    assert np.allclose(share[..., 3], 1.0)


def test_an_empty_market_keeps_its_old_tools():
    value = np.full((2, 1, 4), ABSENT)
    share, within, log_sum = nested_shares(value, np.array([[True, False, True, False]]), np.zeros((2, 1, 1)), 0.8)
    assert (share == 0.0).all()
    assert (within == 0.0).all()
    assert np.isfinite(log_sum).all()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), correlation=st.floats(0.0, 0.9), alpha=st.floats(0.3, 4.0))
def test_the_factor_is_the_elasticity_of_demand(seed, correlation, alpha):
    """d ln s / d ln(p + h) = -alpha k, by finite differences of the shares."""
    value, nest, outside = market(seed, segments=1, worlds=1)
    share, within, _ = nested_shares(value, nest, outside, correlation)
    k = elasticity_factor(share, within, correlation)
    step = 1e-6
    for j in range(8):
        shift = np.zeros_like(value)
        shift[..., j] = alpha * step  # ln(p + h) falls by the step
        up = nested_shares(value + shift, nest, outside, correlation)[0][0, 0, j]
        down = nested_shares(value - shift, nest, outside, correlation)[0][0, 0, j]
        slope = (np.log(up) - np.log(down)) / (2.0 * step)
        if k[0, 0, j] > 0.05:
            assert slope == pytest.approx(alpha * k[0, 0, j], rel=1e-4)


def test_the_factor_of_equal_firms():
    """Twelve equal firms of one nest: k = 5 - 4/12 - 1/12 at sigma = 0.8; a monopolist has 1 - s."""
    twelfth = np.array([[1.0 / 12.0]])
    assert elasticity_factor(twelfth, twelfth, 0.8)[0, 0] == pytest.approx(5.0 - 4.0 / 12.0 - 1.0 / 12.0)
    assert elasticity_factor(np.array([[0.6]]), np.array([[1.0]]), 0.8)[0, 0] == pytest.approx(0.4)
    assert elasticity_factor(np.array([[1.0]]), np.array([[1.0]]), 0.8)[0, 0] == 0.0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), captive=st.floats(0.0, 0.9))
def test_captive_sales_do_not_answer_to_the_price(seed, captive):
    """d ln((1-l) s(p) + l s0) / d ln(p + h) = -alpha k (1 - l) at s(p) = s0, by finite differences."""
    value, nest, outside = market(seed, segments=1, worlds=1)
    share, within, _ = nested_shares(value, nest, outside, 0.8)
    step = 1e-6
    shift = np.zeros_like(value)
    shift[..., 2] = 2.0 * step
    up = nested_shares(value + shift, nest, outside, 0.8)[0][0, 0, 2]
    now = share[0, 0, 2]
    slope = (np.log((1.0 - captive) * up + captive * now) - np.log(now)) / step
    one = np.ones((1, 1))
    seller = Seller(one, one, share[0, :, 2:3], within[0, :, 2:3], captive * one, 0.0 * one, 0.0 * one)
    elasticity = own_price_elasticity(seller, SimpleNamespace(model_market=ModelMarket()))[0, 0]
    if elasticity > 0.11:
        assert slope == pytest.approx(elasticity, rel=1e-3)


# ---------------------------------------------------------------------- who considers whom


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), correlation=st.floats(0.0, 0.9))
def test_nobody_sells_to_more_users_than_consider_it(seed, correlation):
    value, nest, outside = market(seed)
    aware = np.random.default_rng(seed).uniform(0.001, 1.0, nest.shape)
    share, _, log_sum = nested_shares(value, nest, outside, correlation, aware)
    assert (share.sum(-1) <= 1.0 + 1e-12).all() and np.isfinite(log_sum).all()
    value[..., 3] = value.max() + 10.0
    best = nested_shares(value, nest, outside, correlation, aware)[0]
    assert (best <= aware + 1e-12).all(), "however good it is"
    assert (best[..., 3] > 0.25 * aware[:, 3]).all()
    everybody = nested_shares(value, nest, outside, correlation)[0][..., 3]
    assert (everybody > 0.99).all()


def test_two_firms_of_which_one_is_far_better_share_as_those_who_consider_it():
    value, nest = np.array([[[50.0, 0.0]]]), np.zeros((1, 2), bool)
    aware = np.array([[0.3, 1.0]])
    share, _, _ = nested_shares(value, nest, np.full((1, 1, 1), -50.0), 0.5, aware)
    assert share[0, 0] == pytest.approx([0.3, 0.7], rel=1e-6)


# ---------------------------------------------------------------------- overflow


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), unserved=st.just(0.0) | st.floats(1e-6, 1e4))
def test_overflow_conserves_tokens(seed, unserved):
    rng = np.random.default_rng(seed)
    asked = rng.gamma(0.5, 100.0, (3, 8)) * (rng.random((3, 8)) < 0.7)
    room = rng.gamma(0.5, 100.0, (3, 8)) * (rng.random((3, 8)) < 0.5)
    received = spill(np.full((3, 1), unserved), asked, room)
    assert (received >= 0.0).all()
    assert (received <= room).all(), "nobody serves more than there is room for"
    assert (received.sum(-1) <= unserved * (1.0 + 1e-12)).all(), "nothing is made up"
    assert (received[(asked == 0.0) | (room == 0.0)] == 0.0).all()


def test_overflow_follows_share_and_room():
    received = spill(np.array([[6.0]]), np.array([[1.0, 2.0, 5.0]]), np.array([[10.0, 10.0, 0.0]]))
    assert received == pytest.approx(np.array([[2.0, 4.0, 0.0]]))


# ---------------------------------------------------------------------- quality


def brain_world(capability, **changes):
    """One segment that asks for knowledge at 2.0 and nothing else."""
    columns = {"threshold": 2.0, "width": 0.4, "old_models": 0.5}
    columns = {name: np.full((1, 1, 1), value) for name, value in columns.items()}
    columns["weights"] = np.array([0.0, 1.0, 0.0]).reshape(3, 1, 1, 1)
    table = SimpleNamespace(columns=SimpleNamespace(**columns), widths=np.array([0.4]), which_width=np.array([0]))
    p = dataclasses.replace(ModelMarket(), orchestration=0.0, **changes)
    world = SimpleNamespace(
        segments=table,
        parameters=SimpleNamespace(model_market=p),
        state=SimpleNamespace(eyes=np.ones((1, 1, 1))),
        clock=Clock("2022-12"),
        step_number=1200,
    )
    seen = offer(world, np.asarray(capability, dtype=float).reshape(3, 1, -1))
    return brain(seen, table.columns, world.parameters)[0, 0]


def test_retrieval_turns_the_tables_between_knowledge_and_reasoning():
    """Who knows (first) beats who reasons (second) unaided; when all can be looked up it is the other way."""
    models = [[2.0, 2.0], [2.2, 1.8], [1.8, 2.2]]
    knows, reasons = brain_world(models, retrieval=0.0)
    assert knows > reasons
    assert knows == pytest.approx(1.0 / (1.0 + np.exp(-0.5)))
    looked_up = brain_world(models, retrieval=1.0, retrieval_ease=0.5)
    assert looked_up[1] > looked_up[0]
    assert looked_up[1] == pytest.approx(1.0 / (1.0 + np.exp(-0.7 / 0.4)))
    knows, reasons = brain_world(models, retrieval=1.0, retrieval_ease=0.0)
    assert knows == pytest.approx(1.0 / (1.0 + np.exp(-0.5))), "a model that knows better ignores what is found"
    assert reasons == pytest.approx(knows)


@given(distance=st.floats(0.0, 1.0))
def test_ten_per_cent_is_no_moat_and_a_cliff_is(distance):
    p, moat = ModelMarket(), SimpleNamespace(performance=1.0)
    parameters = SimpleNamespace(model_market=p, moat=moat)
    models = SimpleNamespace(merit=np.array([[[1.0, 1.0 - distance]]]), best=np.ones((1, 1, 1)))
    seen = appeal(models, parameters)[0, 0]
    short = seen[0] - seen[1]
    assert seen[0] == 1.0
    assert 0.0 <= short <= distance
    assert short >= distance - p.close_enough, "of a cliff nearly all counts"
    moat.performance = 0.0
    assert (appeal(models, parameters) == 1.0).all()


# ---------------------------------------------------------------------- runs


@pytest.mark.parametrize(("times", "chance"), [(1.0, 0.90), (4.0, 0.75), (10.0, 0.60), (0.1, 0.90)])
def test_odds_of_a_run_by_its_leap(times, chance):
    p = dataclasses.replace(Training(), success_base=2.2, success_leap=1.8, success_infra=0.8, success_runs=0.3)
    labs = SimpleNamespace(log_largest=np.array([[23.0]]), skill=np.zeros((1, 1)), runs_done=np.zeros((1, 1)))
    p = SimpleNamespace(training=p)
    odds = success_chance(labs, np.array([[23.0 + np.log10(times)]]), np.array([[False]]), p)
    assert odds[0, 0] == pytest.approx(chance, abs=0.006)


def test_skill_experience_and_a_base_help():
    p = SimpleNamespace(training=Training())

    def odds(skill=0.0, runs=0.0, build=False):
        labs = SimpleNamespace(log_largest=np.array([[23.0]]), skill=np.array([[skill]]), runs_done=np.array([[runs]]))
        return success_chance(labs, np.array([[24.0]]), np.array([[build]]), p)[0, 0]

    assert odds(skill=1.0) > odds() > odds(skill=-1.0)
    assert odds(runs=5.0) > odds()
    assert odds(build=True) > odds()


# ---------------------------------------------------------------------- the licensing queue


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 30))
def test_first_come_first_served(seed, rows):
    rng = np.random.default_rng(seed)
    waiting, since = rng.random((2, rows)) < 0.6, rng.integers(0, 6, (2, rows))
    count = rng.integers(0, rows + 2, (2, 1)).astype(float)
    done = earliest(waiting, since, count)
    for w in range(2):
        queue = sorted((int(since[w, r]), r) for r in range(rows) if waiting[w, r])
        assert set(np.nonzero(done[w])[0]) == {r for _, r in queue[: int(count[w, 0])]}


def test_nobody_is_approved_without_capacity():
    assert not earliest(np.ones((1, 4), bool), np.zeros((1, 4)), np.zeros((1, 1))).any()


# ---------------------------------------------------------------------- diffusion


class Table:
    """One segment of a hundred million people."""

    def __init__(self, innovate, imitate):
        self.values = {"population": 100.0, "ceiling": 0.8, "bass_innovate": innovate, "bass_imitate": imitate}

    def column(self, name):
        return np.full((1, 1, 1), self.values[name])


def diffuse(innovate, imitate, steps, clock="month", quality=1.0, start=0.0):
    p = dataclasses.replace(ModelMarket(), bass_scale=1.0, bass_hype=0.0, full_quality=1.0)
    world = SimpleNamespace(
        state=SimpleNamespace(
            adopters=np.full((1, 1, 1), start), best_quality=np.full((1, 1, 1), quality), hype=np.zeros((1, 1))
        ),
        segments=Table(innovate, imitate),
        parameters=SimpleNamespace(model_market=p),
        clock=Clock("2022-12", clock),
    )
    path = [start]
    for _ in range(steps):
        new = _adopt(world)
        path.append(float(world.state.adopters[0, 0, 0]))
        assert path[-1] - path[-2] == pytest.approx(float(new[0, 0, 0]))
    return np.array(path)


def test_without_imitation_adoption_is_exponential():
    path = diffuse(0.05, 0.0, 40)
    assert path == pytest.approx(80.0 * (1.0 - 0.95 ** np.arange(41)), rel=1e-9)


def test_bass_curve():
    """With small rates the steps follow Bass (1969): F = (1 - e^-(a+b)t) / (1 + (b/a) e^-(a+b)t)."""
    innovate, imitate, months = 0.0004, 0.03, 300
    path = diffuse(innovate, imitate, months) / 80.0
    t = np.arange(months + 1)
    fade = np.exp(-(innovate + imitate) * t)
    assert np.abs(path - (1.0 - fade) / (1.0 + imitate / innovate * fade)).max() < 0.02
    assert np.argmax(np.diff(path)) > 50, "an S-curve: adoption peaks late"


def test_adoption_ends_at_the_ceiling_of_the_best_option():
    assert diffuse(0.2, 0.9, 200)[-1] == pytest.approx(80.0, rel=1e-6)
    assert diffuse(0.2, 0.9, 200, quality=0.5)[-1] == pytest.approx(40.0, rel=1e-6)
    assert (np.diff(diffuse(0.05, 0.4, 100, start=79.9)) >= 0.0).all()


def test_nobody_unlearns():
    """When the best option gets worse those who adopted stay."""
    assert diffuse(0.1, 0.3, 10, quality=0.1, start=30.0) == pytest.approx(np.full(11, 30.0))


def test_weeks_and_months_diffuse_alike():
    months, weeks = diffuse(0.02, 0.1, 24)[-1], diffuse(0.02, 0.1, round(24 * 365.25 / 12 / 7), "week")[-1]
    assert weeks == pytest.approx(months, rel=0.05)


# ---------------------------------------------------------------------- entry


def founding(hype=0.0, funding=0.0, rent=1.0, opened=0.0, entrants=0.0, leave=0.0):
    p = dataclasses.replace(
        EntryExit(),
        entry_base=1.6,
        entry_hype=4.5,
        entry_money=0.25,
        entry_money_most=1.5,
        entry_elasticity=0.3,
        base_cheapens=0.7,
        entrant_pool=260.0,
        discouraged=2.0,
    )
    one = np.ones((1, 1))
    state = SimpleNamespace(
        hype=hype * one,
        funding_12=funding * one,
        rent_training=np.stack([rent * one, one]),
        rent_start=one,
        frontier_open=opened * one,
        open_start=0.0 * one,
        entrants=entrants * one,
        exit_rate=leave * one,
    )
    return entry_rate(SimpleNamespace(state=state, parameters=SimpleNamespace(entry_exit=p)))[0, 0]


def test_founding_at_known_inputs():
    calm = 1.6 * 0.25**0.3
    assert founding() == pytest.approx(calm)
    assert founding(hype=0.5) == pytest.approx(calm * np.exp(2.25))
    assert founding(funding=5_000.0) == pytest.approx(1.6 * 0.75**0.3)
    assert founding(funding=1e9) == pytest.approx(1.6 * 1.75**0.3), "no more money counts than the cap"
    assert founding(rent=2.0) == pytest.approx(calm * 2.0**-0.3)
    assert founding(opened=1.0) == pytest.approx(calm * np.exp(0.3 * 0.7)), "open bases make a start cheap"
    assert founding(opened=-1.0) == pytest.approx(calm)
    assert founding(entrants=130.0) == pytest.approx(calm / 2.0)
    assert founding(entrants=300.0) == 0.0, "the pool of founders is exhausted"
    assert founding(leave=0.3) == pytest.approx(calm * np.exp(-0.6)), "who sees others leave stays away"


# ---------------------------------------------------------------------- welfare when users lean on names


def test_leaning_on_names_helps_nobody():
    """d/dl of [log-sum(v + l r) - l sum P r] is -l times the log-sum's second derivative: choices are best at l = 0."""
    world = Ensemble(["output.level=market"], range(3)).run(24).world
    rules = world.parameters.trust
    # Exact where all labs are considered by all: a limited choice set is no gradient of a log-sum.
    world.labs.awareness = np.ones_like(world.labs.awareness)
    world.labs.home_segment = np.full_like(world.labs.home_segment, MISSING)

    def worth(habit: float) -> tuple[np.ndarray, np.ndarray]:
        world.state.trust_habit = [np.full((3, 1), habit)] * 2
        weigh_models(world)
        share, _, log_sum = choices(world, valued(world)[0])
        return log_sum - expected_only(world, share), log_sum

    plain, log_sum = worth(rules.neutral)
    assert np.array_equal(plain, log_sum)
    for step in (0.2, -0.2):
        nearer, further = worth(rules.neutral + step)[0], worth(rules.neutral + 2 * step)[0]
        assert (nearer <= plain + 1e-12).all() and (further <= nearer + 1e-12).all()
        assert (further < plain - 1e-4).any()
