"""What numba compiles gives the bits of NumPy: each kernel, each kind of equation, and whole histories."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from world import arrays, compiled, population, random_streams
from world.arrays import ratio, where
from world.elementwise import elementwise
from world.ensemble import Ensemble

assert compiled.in_use(), "the tests want the extra 'fast'"

SEEDS = st.integers(0, 2**32 - 1)
WORLDS = st.integers(1, 4)
BLOCKS = st.integers(1, 4)


def numbers(rng, *shape):
    """Numbers of all sizes, some of them zero."""
    values = rng.standard_normal(shape) * 10.0 ** rng.integers(-12, 12, shape)
    return np.where(rng.random(shape) < 0.1, 0.0, values)


def same(function, *arguments):
    """A kernel ran, and gave the bits, type and shape of NumPy's form."""
    with compiled.plain():
        expected = function(*arguments)
    found = function(*arguments)
    for one, other in zip(*((each if isinstance(each, tuple) else (each,)) for each in (found, expected)), strict=True):
        assert one.dtype == other.dtype and one.shape == other.shape
        assert np.array_equal(one, other)
    return found


@settings(deadline=None)  # a kernel is compiled when it is first called
@given(SEEDS, WORLDS, BLOCKS)
def test_sums_over_rows_and_layers(seed, worlds, blocks):
    rng = np.random.default_rng(seed)
    wide, deep = numbers(rng, worlds, 64 * blocks), numbers(rng, 5, worlds, 64 * blocks)
    assert compiled.row_sum(wide) is not NotImplemented
    for array in (wide, deep, deep[1:4], wide[:, :64], wide.astype(int) % 7, wide > 0.0):
        same(arrays.row_sum, array)
    for array in (deep, deep[:2], deep[:1], deep[:, :, ::2]):
        same(arrays.sum_k, array)
    same(arrays.weigh_k, numbers(rng, 5, 1, 1), deep)


@settings(deadline=None)  # a kernel is compiled when it is first called
@given(SEEDS, WORLDS, BLOCKS)
def test_look_ups_and_groups(seed, worlds, blocks):
    rng = np.random.default_rng(seed)
    rows = 64 * blocks
    table, deep = numbers(rng, worlds, rows), numbers(rng, 3, worlds, rows)
    pointers = rng.integers(-1, rows, (worlds, 100))
    for each in (table, deep, table > 0.0, (table * 0.0).astype(int)):
        same(arrays.take_rows, each, pointers)
    same(arrays.take_rows, table, np.stack([pointers, pointers[:, ::-1]]))
    same(arrays.sum_by_group, numbers(rng, worlds, 100), pointers, rows)
    mask = rng.random((worlds, rows)) < 0.3
    places = same(arrays.nonzero, mask)
    for each in (table, deep, mask, table[:, :1], 0.5):
        found = population.gather(each, *places)
        with compiled.plain():
            assert np.array_equal(found, population.gather(each, *places))
    ladder = np.cumsum(np.abs(table), axis=-1)
    asked = rng.integers(0, worlds, 50)
    same(arrays.first_above, ladder, asked, rng.random(50) * 1.2 * ladder[asked, -1])


@settings(deadline=None)  # a kernel is compiled when it is first called
@given(SEEDS, WORLDS)
def test_choices_quotients_and_bounds(seed, worlds):
    rng = np.random.default_rng(seed)
    value, deep = numbers(rng, worlds, 1024), numbers(rng, 4, worlds, 1024)
    mask, codes = value > 0.0, rng.integers(-1, 5, value.shape)
    for yes, no in (
        (value, 0.0),
        (value, value[:, :1]),
        (1.0, value),
        (codes, -1),
        (codes, 0.5),
        (mask, False),
        (deep, 2.0),
    ):
        same(arrays.where, mask, yes, no)
    same(arrays.where, np.array([True, False, True, False]).reshape(4, 1, 1), deep, 0.0)
    same(arrays.ratio, deep, value)
    same(arrays.ratio, 1.0, value)
    same(arrays.clip, value, -1.0, value[:, :1] + 2.0)
    best = same(arrays.argmax_k, np.round(deep, 1))
    same(arrays.pick_k, deep, best)


@settings(deadline=None)  # a kernel is compiled when it is first called
@given(SEEDS, WORLDS, st.integers(0, 2**64 - 1), st.integers(0, 500))
def test_random_numbers(seed, worlds, key, step):
    rng = np.random.default_rng(seed)
    world_ids = rng.integers(0, 2**32, worlds).astype(np.uint64).reshape(-1, 1)
    words = key & 0xFFFFFFFF, key >> 32
    ids = rng.integers(-1, 2**32, (worlds, 64))
    same(random_streams.draws_of_all, ids, 2, 1, step, world_ids, words)
    some, here = ids.ravel()[:40], rng.integers(0, worlds, 40)
    same(random_streams.draws_of_some, some, here, 3, 0, step, world_ids, words)
    for partners in (rng.integers(0, 2**32, (5, 40)), some, np.zeros((1, 1), dtype=int)):
        same(random_streams.draws_of_pairs, some, here, partners, step, world_ids, words)


@elementwise
def equation(wide, narrow, flag, number, whole):
    """One of everything that an equation may use."""
    part = ratio(wide - narrow, np.maximum(wide, 0.0)) * number
    bounded = np.minimum(np.sqrt(part * part + 1.0), 1e6) / (1.0 + narrow * narrow)
    return where(flag & (whole > 1), bounded, -(wide**2)) + flag * narrow


@settings(deadline=None)  # a kernel is compiled when it is first called
@given(SEEDS, WORLDS)
def test_equations_of_one_element(seed, worlds):
    rng = np.random.default_rng(seed)
    wide, flag = numbers(rng, 3, worlds, 64), rng.random((worlds, 64)) < 0.5
    codes = rng.integers(0, 4, (worlds, 64))
    for narrow in (numbers(rng, 3, 1, 1), numbers(rng, worlds, 1), numbers(rng, 3, worlds, 1), wide[::-1], 0.3):
        same(equation, wide, narrow, flag, 0.7, codes)
    same(equation, wide[0], wide[1][:, :1], flag, 2, codes)
    same(equation, np.asfortranarray(wide[0]), wide[1], flag, 0.5, codes[:1])


def test_what_is_no_array_of_numpy_is_left_to_the_equation():
    class Own(np.ndarray):
        pass

    own = np.ones((2, 64)).view(Own)
    assert type(equation(own, 0.5, own > 0.0, 0.7, 2)) is Own


def test_a_history_is_the_same_without_compiling():
    fast = Ensemble(["output.level=full"], range(2)).run(10).tables()
    with compiled.plain():
        plain = Ensemble(["output.level=full"], range(2)).run(10).tables()
    assert fast.keys() == plain.keys()
    for name, table in plain.items():
        assert table.equals(fast[name]), name


@pytest.mark.slow
def test_without_numba_the_model_runs_and_says_the_same(tmp_path):
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "from world.compiled import in_use\n"
        "from world.ensemble import Ensemble\n"
        "assert not in_use()\n"
        "market = Ensemble(['output.level=market'], range(2)).run(6).tables()['market']\n"
        f"market.write_parquet(r'{tmp_path}/plain.parquet')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    fast = Ensemble(["output.level=market"], range(2)).run(6).tables()["market"]
    assert fast.equals(pl.read_parquet(tmp_path / "plain.parquet"))
