"""Array arithmetic: sums in one fixed order, look-ups and groups that stay in their world."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baimo.conf.declare import ROW_STEP
from baimo.world.engine import arrays

QUICK = settings(max_examples=60, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)


def test_namespace_of_a_numpy_array_is_numpy():
    assert arrays.namespace(np.zeros((1, 2))) is np


def test_sum_k_is_an_ordered_sum():
    values = np.array([1.0, 1e16, -1e16, 3.0]).reshape(4, 1, 1)
    # In order 1 is swallowed by 1e16 before 1e16 is taken away; any other order gives 4 or 1.
    assert arrays.sum_k(values)[0, 0] == ((1.0 + 1e16) - 1e16) + 3.0


@QUICK
@given(SEEDS, st.integers(1, 20))
def test_sum_k_of_one_row_has_the_bits_of_the_batch(seed, layers):
    values = np.random.default_rng(seed).lognormal(0.0, 4.0, (layers, 1, 129))
    batch = arrays.sum_k(values)
    alone = np.concatenate([arrays.sum_k(values[:, :, [i]]) for i in range(129)], axis=-1)
    assert np.array_equal(batch, alone)
    np.testing.assert_allclose(batch, values.sum(0), rtol=1e-12)


def test_sum_k_and_max_k_leave_their_argument_alone():
    values = np.arange(12.0).reshape(3, 2, 2)
    before = values.copy()
    arrays.sum_k(values)
    arrays.max_k(values)
    assert np.array_equal(values, before)


def test_max_k():
    values = np.array([[[1.0, 9.0]], [[5.0, -2.0]], [[3.0, 4.0]]])
    assert arrays.max_k(values).tolist() == [[5.0, 9.0]]


def test_row_sum_and_row_max_keep_worlds_apart():
    values = np.array([[[1.0, 2.0, 3.0], [-10.0, -20.0, -30.0]]])
    assert arrays.row_sum(values).tolist() == [[[6.0], [-60.0]]]
    assert arrays.row_max(values).tolist() == [[[3.0], [-10.0]]]


@QUICK
@given(SEEDS, st.sampled_from([16, 48, 64, 80, 128, 208, 1024]), st.integers(1, 9))
def test_row_sum_has_equal_bits_alone_in_a_block_and_after_growth(seed, rows, blocks):
    values = np.random.default_rng(seed).lognormal(0.0, 8.0, (5, rows))
    block = arrays.row_sum(values)
    for world in range(5):
        assert np.array_equal(arrays.row_sum(values[[world]]), block[[world]])
    grown = np.zeros((5, rows + ROW_STEP * blocks))
    grown[:, :rows] = values
    assert np.array_equal(arrays.row_sum(grown), block)


def test_row_sum_does_not_depend_on_the_memory_layout():
    # A (worlds, rows) array that comes out of a transpose is summed column by column, a block
    # of one world pairwise: unless row_sum sees to it, a world alone differs from the batch.
    values = np.random.default_rng(1).lognormal(0.0, 8.0, (7, 256))
    transposed = np.asfortranarray(values)
    assert np.array_equal(arrays.row_sum(transposed), arrays.row_sum(values))


def test_logistic():
    x = np.linspace(-30.0, 30.0, 121)
    np.testing.assert_allclose(arrays.logistic(x), 0.5 * (1.0 + np.tanh(x / 2.0)), rtol=1e-3, atol=1e-15)
    assert arrays.logistic(np.array(0.0)) == 0.5
    extreme = arrays.logistic(np.array([-1e308, -1e3, 1e3, 1e308]))
    assert np.all((extreme >= 0.0) & (extreme <= 1.0))
    assert extreme[1] < 1e-20 and extreme[2] > 1.0 - 1e-15


def test_ratio_divides_and_gives_zero_over_zero():
    result = arrays.ratio(np.array([6.0, 5.0, 0.0, -4.0]), np.array([3.0, 0.0, 0.0, -8.0]))
    assert result.tolist() == [2.0, 0.0, 0.0, 0.5]


def test_one_hot():
    index = np.array([[2, 0, -1], [1, 1, 2]])
    hot = arrays.one_hot(index, 3)
    assert hot.shape == (3, 2, 3) and hot.dtype == bool
    assert np.array_equal(hot.sum(0), index >= 0)
    assert np.array_equal(np.where(hot.any(0), hot.argmax(0), -1), index)


@QUICK
@given(SEEDS, st.integers(1, 4), st.integers(1, 9), st.integers(1, 9))
def test_take_rows_matches_a_loop(seed, worlds, rows, asked):
    rng = np.random.default_rng(seed)
    table = rng.random((3, worlds, rows))
    pointers = rng.integers(-1, rows, (worlds, asked))
    found = arrays.take_rows(table, pointers)
    assert found.shape == (3, worlds, asked)
    for w in range(worlds):
        for m in range(asked):
            assert np.array_equal(found[:, w, m], table[:, w, max(pointers[w, m], 0)])
    assert np.array_equal(arrays.take_rows(table[0], pointers), found[0])


@QUICK
@given(SEEDS, st.integers(1, 5), st.integers(1, 6))
def test_sum_by_group_matches_a_loop_and_a_world_alone_has_the_bits_of_the_batch(seed, worlds, groups):
    rng = np.random.default_rng(seed)
    values = rng.lognormal(0.0, 8.0, (worlds, 40))
    group = rng.integers(-1, groups, (worlds, 40))
    total = arrays.sum_by_group(values, group, groups)
    assert total.shape == (worlds, groups)
    for w in range(worlds):
        for g in range(groups):
            np.testing.assert_allclose(total[w, g], values[w][group[w] == g].sum(), rtol=1e-12)
        alone = arrays.sum_by_group(values[[w]], group[[w]], groups)
        assert np.array_equal(alone, total[[w]])


def test_sum_by_group_drops_what_belongs_nowhere():
    total = arrays.sum_by_group(np.array([[1.0, 10.0], [100.0, 1000.0]]), np.array([[-1, 1], [0, -1]]), 2)
    assert total.tolist() == [[0.0, 10.0], [100.0, 0.0]]


def test_shares_sum_to_one_or_are_all_zero():
    held = arrays.shares(np.array([[1.0, 3.0, 0.0], [0.0, 0.0, 0.0]]))
    assert held.tolist() == [[0.25, 0.75, 0.0], [0.0, 0.0, 0.0]]


@pytest.mark.parametrize("firms", [1, 2, 5, 8])
def test_herfindahl_of_equal_firms_is_one_over_their_number(firms):
    sales = np.zeros((2, 8))
    sales[0, :firms] = 7.0
    sales[1, 0] = 3.0
    np.testing.assert_allclose(arrays.herfindahl(sales), [[1.0 / firms], [1.0]], rtol=1e-12)


def test_largest():
    values = np.array([[5.0, 1.0, 4.0, 3.0], [0.0, 0.0, 2.0, 0.0]])
    assert arrays.largest(values, 2).tolist() == [[9.0], [2.0]]
    assert arrays.largest(values, 4).tolist() == [[13.0], [2.0]]


@QUICK
@given(SEEDS, st.integers(1, 70))
def test_the_first_row_above_a_level_is_found_by_counting_those_below(seed, rows):
    rng = np.random.default_rng(seed)
    ladder = np.cumsum(np.where(rng.random((3, rows)) < 0.5, 0.0, rng.random((3, rows))), axis=-1)
    worlds = rng.integers(0, 3, 40)
    level = np.where(rng.random(40) < 0.2, ladder[worlds, rng.integers(0, rows, 40)], rng.random(40) * rows / 2)
    counted = (ladder[worlds] <= level[:, None]).sum(-1)
    assert np.array_equal(arrays.first_above(ladder, worlds, level), counted)
