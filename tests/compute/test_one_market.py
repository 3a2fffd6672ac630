"""One market for chips in use (X06), in small closed worlds: equilibria by hand, comparative advantage, substitutes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baimo.world.compute.one_market import Pool, Want, assign, clear, supply

QUICK = settings(max_examples=60, deadline=None)
SPREAD, CHEAP = 0.15, 1e-6


def column(*values) -> np.ndarray:
    """One number a class, ``(classes, regions, worlds, 1)``."""
    return np.array(values, dtype=float).reshape(-1, 1, 1, 1)


def offer(chips, training, serving, cost=CHEAP, spread=SPREAD) -> Pool:
    return Pool(column(*chips), column(*training), column(*serving), column(*[cost] * len(chips)), spread)


def want(outside, elasticity=0.7, labs=0.0, labs_elasticity=1.0, at=10.0) -> Want:
    """Demand in a world, ``(regions, worlds, 1)``: so much at a rent of ten."""
    box = np.ones((1, 1, 1))
    return Want(labs * box, outside * box, labs_elasticity, elasticity, np.log(at) * box)


def rents(market: Pool, training: Want, serving: Want) -> tuple[float, float]:
    """Both rents, found as a world finds them, step by step; where holders hardly differ, from those who do."""
    for spread in (0.4, 0.2, 0.1, 0.05, 0.02, 0.0, 0.0):
        found = clear(market._replace(spread=max(market.spread, spread)), training, serving)
        training, serving = (_later(each, rent) for each, rent in zip((training, serving), found, strict=True))
    return tuple(float(np.exp(rent[0, 0, 0])) for rent in found)


def _later(each: Want, rent: np.ndarray) -> Want:
    """The same demand, told from another rent."""
    labs, outside = each.by(rent)
    return each._replace(labs=labs, outside=outside, at=rent)


def of_both(market: Pool, training: Want, serving: Want):
    """Supplies and demands at the rents that clear."""
    w_t, w_s = (np.log(np.full((1, 1, 1), rent)) for rent in rents(market, training, serving))
    demands = [float(sum(each.by(rent)).item()) for each, rent in ((training, w_t), (serving, w_s))]
    return [float(each.item()) for each in supply(market, w_t, w_s)], demands, assign(market, w_t, w_s)


@st.composite
def markets(draw):
    """Some classes and a demand for each use between a tenth and ten times what they can give."""
    classes = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    training = rng.lognormal(-1.0, 0.8, classes)
    serving = training * rng.lognormal(0.2, 0.5, classes)
    chips = rng.lognormal(6.0, 2.0, classes)
    total = (chips * training).sum()
    wants = []
    for e in (1.0, 0.5):
        asked = total * rng.lognormal(-0.7, 0.8) * rng.dirichlet([1.0, 1.0])
        wants.append(want(asked[0], rng.uniform(0.1, 1.0), asked[1], e, rng.lognormal(2.3, 0.5)))
    return offer(chips, training, serving, cost=draw(st.sampled_from([CHEAP, 1.0, 5.0]))), *wants


# ---------------------------------------------------------------------- by hand


def test_one_class_ties_both_rents_by_its_speeds_and_by_the_split():
    """With one class w_T a / (w_S b) = (share_T / share_S)^s; holders of no spread are indifferent."""
    market = offer([100.0], [1.0], [0.5], spread=0.01)
    w_t, w_s = rents(market, want(30.0), want(10.0))
    assert w_s / w_t == pytest.approx(2.0, rel=0.03)
    wide = offer([100.0], [1.0], [0.5], spread=0.3)
    w_t, w_s = rents(wide, want(30.0), want(10.0))
    trains, serves = (float(each.item()) for each in assign(wide, *(np.full((1, 1, 1), np.log(w)) for w in (w_t, w_s))))
    assert w_t / (0.5 * w_s) == pytest.approx((trains / serves) ** 0.3, rel=1e-6)


def test_two_classes_and_two_uses_by_hand():
    """Demand q (w/10)^-e for q = 100, e = 1/2. Hundred fast trainers (1, 1), hundred fast servers (0.2, 1).

    Were both only at what they do best, w_T = w_S = 10: each class earns 10, against 10 and 2 in the other use: the
    first is indifferent, and just so little of it serves.
    With two hundred servers, S = 200 and w_S = 10 (200/100)^-2 = 2.5; T = 100 and w_T = 10: trainers earn 10 or 2.5,
    servers 2 or 2.5.
    """
    few = offer([100.0, 100.0], [1.0, 0.2], [1.0, 1.0], spread=1e-2)
    many = offer([100.0, 200.0], [1.0, 0.2], [1.0, 1.0], spread=1e-2)
    demand = want(100.0, 0.5), want(100.0, 0.5)
    assert rents(few, *demand) == pytest.approx((10.0, 10.0), rel=0.05)
    assert rents(many, *demand) == pytest.approx((10.0, 2.5), rel=0.01)


def test_a_class_on_the_margin_sets_the_ratio_of_rents():
    """Serving wants more than servers give: trainers (1, 1) serve too, at one rent: 200 = 2 x 100 (w/10)^-1/2."""
    market = offer([180.0, 20.0], [1.0, 0.2], [1.0, 1.0], spread=1e-2)
    w_t, w_s = rents(market, want(100.0, 0.5), want(100.0, 0.5))
    assert w_t == pytest.approx(w_s, rel=0.03)
    assert w_t == pytest.approx(10.0, rel=0.03)


# ---------------------------------------------------------------------- whatever the market


@QUICK
@given(markets())
def test_both_uses_clear_and_no_chip_is_lost(market):
    supplies, demands, (trains, serves) = of_both(*market)
    assert supplies == pytest.approx(demands, rel=1e-6)
    assert np.all(trains >= 0.0) and np.all(serves >= 0.0) and np.all(trains + serves <= 1.0 + 1e-12)


@QUICK
@given(markets())
def test_classes_take_the_use_of_their_comparative_advantage(market):
    """Odds of serving are ordered as serving over training speed is; without spread nobody serves below the margin."""
    sold = market[0]
    _, _, (trains, serves) = of_both(*market)
    order = np.argsort((sold.serving / sold.training).ravel())
    odds = np.log(np.maximum(serves, 1e-200) / np.maximum(trains, 1e-200)).ravel()[order]
    assert np.all(np.diff(odds) >= -1e-9)
    strict = sold._replace(spread=1e-3)
    at = [np.log(np.full((1, 1, 1), rent)) for rent in rents(*market)]
    trains, serves = (each.ravel()[order] for each in assign(strict, *at))
    for weaker in range(len(order)):
        if serves[weaker] > 0.01 and sold.serving.ravel()[order[weaker]] > 0:
            better = slice(weaker + 1, None)
            ahead = np.log((sold.serving / sold.training).ravel()[order[better]])
            near = ahead - np.log((sold.serving / sold.training).ravel()[order[weaker]]) < 0.01
            assert np.all((trains[better] < 0.01) | near)


@QUICK
@given(markets(), st.integers(0, 1), st.floats(1.05, 3.0))
def test_more_demand_for_either_use_raises_both_rents(market, use, times):
    sold, *wants = market
    before = rents(sold, *wants)
    wants[use] = wants[use]._replace(outside=wants[use].outside * times)
    after = rents(sold, *wants)
    assert after[use] > before[use]
    assert after[1 - use] >= before[1 - use] * (1.0 - 1e-6)


@QUICK
@given(markets(), st.integers(0, 5), st.floats(1.05, 3.0))
def test_more_chips_lower_both_rents(market, which, times):
    sold, *wants = market
    before = rents(sold, *wants)
    chips = sold.chips.copy()
    chips[which % len(chips)] *= times
    after = rents(sold._replace(chips=chips), *wants)
    assert after[0] <= before[0] * (1.0 + 1e-6) and after[1] <= before[1] * (1.0 + 1e-6)


@QUICK
@given(markets())
def test_a_world_alone_has_the_rents_of_the_batch(market):
    sold, training, serving = market
    wide = Pool(*(np.broadcast_to(each, (len(each), 1, 3, 1)).copy() for each in sold[:4]), sold.spread)
    twice = [
        each._replace(**{k: np.repeat(getattr(each, k), 3, 1) for k in ("labs", "outside", "at")})
        for each in market[1:]
    ]
    alone, batch = clear(sold, training, serving), clear(wide, *twice)
    for one, many in zip(alone, batch, strict=True):
        assert np.array_equal(np.repeat(one, 3, 1), many)


# ---------------------------------------------------------------------- what the title needs


def test_h20s_lower_the_rent_of_serving_more_than_that_of_training():
    """Where answers dominate an H20 serves 0.8 of an H100 and trains 0.2."""
    demand = want(100.0, 0.7), want(100.0, 0.7)
    before = rents(offer([200.0, 1.0], [1.0, 0.2], [1.0, 0.8]), *demand)
    after = rents(offer([200.0, 100.0], [1.0, 0.2], [1.0, 0.8]), *demand)
    fall_t, fall_s = (a / b for a, b in zip(after, before, strict=True))
    assert fall_s < fall_t < 1.0


def test_chips_whose_rent_does_not_pay_their_running_stand_idle_and_stop_the_fall():
    """A glut of a hundred times demand ends near running cost, not at a floor."""
    demand = want(1.0, 0.2), want(1.0, 0.2)
    glut = offer([1e4], [1.0], [1.0], cost=2.0)
    assert rents(glut, *demand) == pytest.approx((2.0, 2.0), rel=0.95)
    _, _, (trains, serves) = of_both(glut, *demand)
    assert float((trains + serves).item()) < 0.01
    # Twice the cost, twice the rent; without any running cost the rent falls without bound.
    assert rents(offer([1e4], [1.0], [1.0], cost=4.0), *demand)[0] > 1.5 * rents(glut, *demand)[0]
    assert rents(offer([1e4], [1.0], [1.0]), *demand)[0] < 1e-3


def test_holders_outside_let_when_rents_rise_and_take_back_when_they_fall():
    """What they use of their own falls with the rent; what is left is let to labs."""
    market = offer([100.0], [1.0], [1.0])
    let = []
    for labs in (5.0, 20.0, 80.0):
        training, serving = want(60.0, 0.7, labs=labs), want(40.0, 0.7)
        w_t, w_s = rents(market, training, serving)
        used = [
            float(each.by(np.log(np.full((1, 1, 1), w)))[1].item()) for each, w in ((training, w_t), (serving, w_s))
        ]
        let.append(100.0 - sum(used))
    assert 0.0 < let[0] < let[1] < let[2] < 80.0
