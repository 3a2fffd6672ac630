"""Rationing of scarce chips: weighted water-filling against theory and a bisection oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baimo.world.compute.chip_market import ration

QUICK = settings(max_examples=150, deadline=None)


@st.composite
def markets(draw):
    """Supply, orders, classes and weights of a few worlds, ties and zeros included."""
    worlds, buyers, classes = draw(st.integers(1, 4)), draw(st.integers(1, 24)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    orders = rng.lognormal(3.0, 2.0, (worlds, buyers))
    if draw(st.booleans()):
        orders = np.floor(orders)
    orders = np.where(rng.random(orders.shape) < 0.2, 0.0, orders)
    wanted = rng.integers(-1, classes, orders.shape)
    weight = rng.lognormal(0.0, 1.5, orders.shape)
    if draw(st.booleans()):
        weight = np.ones_like(weight)
    total = np.stack([np.where(wanted == k, orders, 0.0).sum(-1) for k in range(classes)])[..., None]
    scarcity = draw(st.sampled_from([0.0, 0.01, 0.5, 0.99, 1.0, 1.7, 20.0]))
    supply = total * scarcity * rng.choice([1.0, 0.3], total.shape)
    return supply, orders, wanted, weight


def oracle(supply: float, orders: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The water level of one class in one world by bisection."""
    if orders.sum() <= supply:
        return orders
    low, high = 0.0, float((orders / weight).max())
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if np.minimum(orders, weight * middle).sum() < supply else (low, middle)
    return np.minimum(orders, weight * high)


def by_class(values: np.ndarray, wanted: np.ndarray, classes: int) -> np.ndarray:
    return np.stack([np.where(wanted == k, values, 0.0).sum(-1) for k in range(classes)])[..., None]


@QUICK
@given(markets())
def test_nobody_gets_more_than_ordered_and_nothing_is_left_while_somebody_waits(market):
    supply, orders, wanted, _ = market
    got = ration(*market)
    assert got.shape == orders.shape
    assert np.all(got >= 0.0) and np.all(got <= orders)
    assert np.all(got[wanted < 0] == 0.0)
    served, asked = (by_class(each, wanted, len(supply)) for each in (got, orders))
    np.testing.assert_allclose(served, np.minimum(supply, asked), rtol=1e-9, atol=1e-9)


@QUICK
@given(markets())
def test_it_is_the_water_level_that_bisection_finds(market):
    supply, orders, wanted, weight = market
    got = ration(*market)
    for world in range(len(orders)):
        for k in range(len(supply)):
            mine = wanted[world] == k
            if mine.any():
                expected = oracle(supply[k, world, 0], orders[world, mine], weight[world, mine])
                np.testing.assert_allclose(got[world, mine], expected, rtol=1e-7, atol=1e-9)


@QUICK
@given(markets())
def test_those_who_wait_get_in_proportion_to_their_weight(market):
    supply, orders, wanted, weight = market
    got = ration(*market)
    waits = (wanted >= 0) & (got < orders * (1.0 - 1e-9))
    for world in range(len(orders)):
        for k in range(len(supply)):
            level = (got / weight)[world][waits[world] & (wanted[world] == k)]
            if level.size:
                np.testing.assert_allclose(level, level[0], rtol=1e-9)
                # Whoever is full stands no higher than the water.
                full = ~waits[world] & (wanted[world] == k) & (orders[world] > 0)
                assert np.all((got / weight)[world][full] <= level[0] * (1.0 + 1e-6) + 1e-12)


@QUICK
@given(markets())
def test_a_world_alone_has_the_bits_of_the_batch(market):
    supply, orders, wanted, weight = market
    got = ration(*market)
    for world in range(len(orders)):
        one = [world]
        alone = ration(supply[:, one], orders[one], wanted[one], weight[one])
        assert np.array_equal(alone, got[one])


@QUICK
@given(markets(), st.integers(1, 40))
def test_empty_rows_of_a_grown_population_change_nothing(market, extra):
    supply, orders, wanted, weight = market
    pad = np.zeros((len(orders), extra))
    grown = ration(
        supply,
        np.concatenate([orders, pad], axis=1),
        np.concatenate([wanted, pad.astype(int) - 1], axis=1),
        np.concatenate([weight, pad + 1.0], axis=1),
    )
    np.testing.assert_allclose(grown[:, : orders.shape[1]], ration(*market), rtol=1e-12)
    assert np.all(grown[:, orders.shape[1] :] == 0.0)


@pytest.mark.parametrize("seed", range(3))
def test_growth_of_a_population_changes_no_bit(seed):
    """128 vendor rows, 28 outside orders and 128 lab rows; then the labs grow to 256.

    Populations of a block grow together, so a world alone may have fewer rows than its lane.
    """
    rng = np.random.default_rng(seed)
    orders = np.where(rng.random((3, 284)) < 0.6, rng.lognormal(3.0, 2.0, (3, 284)), 0.0)
    wanted, weight = rng.integers(0, 8, orders.shape), rng.lognormal(0.0, 1.0, orders.shape)
    supply = 0.5 * by_class(orders, wanted, 8)
    before = ration(supply, orders, wanted, weight)
    pad = ((0, 0), (0, 128))
    grown = (
        np.pad(orders, pad),
        np.pad(wanted, pad, constant_values=-1),
        np.pad(weight, pad, constant_values=1.0),
    )
    assert np.array_equal(ration(supply, *grown)[:, :284], before)


@QUICK
@given(markets(), st.integers(0, 2**32 - 1))
def test_the_order_of_buyers_does_not_matter(market, seed):
    supply, orders, wanted, weight = market
    shuffle = np.random.default_rng(seed).permutation(orders.shape[1])
    moved = ration(supply, orders[:, shuffle], wanted[:, shuffle], weight[:, shuffle])
    np.testing.assert_allclose(moved, ration(*market)[:, shuffle], rtol=1e-9, atol=1e-12)


def test_by_hand():
    # 60 chips for orders of 10, 30, 100: ten is full, the others share 50 as 25 and 25.
    supply = np.array([60.0, 7.0]).reshape(2, 1, 1)
    orders = np.array([[10.0, 30.0, 100.0, 5.0, 9.0]])
    wanted = np.array([[0, 0, 0, 1, -1]])
    got = ration(supply, orders, wanted, np.ones_like(orders))
    np.testing.assert_allclose(got, [[10.0, 25.0, 25.0, 5.0, 0.0]])


@pytest.mark.parametrize("factor", [2.0, 5.0])
def test_a_preferred_buyer_gets_so_many_times_as_much(factor):
    got = ration(np.full((1, 1, 1), 12.0), np.array([[100.0, 100.0]]), np.array([[0, 0]]), np.array([[factor, 1.0]]))
    assert got[0, 0] == pytest.approx(factor * got[0, 1])
    assert got.sum() == pytest.approx(12.0)


def test_more_supply_takes_from_nobody():
    rng = np.random.default_rng(4)
    orders, weight = rng.lognormal(2.0, 2.0, (3, 50)), rng.lognormal(0.0, 1.0, (3, 50))
    wanted = rng.integers(0, 2, orders.shape)
    before = np.zeros_like(orders)
    for supply in np.geomspace(0.1, 1e5, 30):
        got = ration(np.full((2, 3, 1), supply), orders, wanted, weight)
        assert np.all(got >= before * (1.0 - 1e-9))
        before = got
    assert np.array_equal(before, orders)
