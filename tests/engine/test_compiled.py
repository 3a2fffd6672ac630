"""What numba compiles gives the numbers of NumPy: each kernel, each kind of equation, and whole histories."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baimo.world.engine import arrays, equation, kernels, philox_loops, population, random
from baimo.world.engine.arrays import clip, logistic, ratio, where
from baimo.world.engine.philox_loops import Draw
from baimo.world.ensemble import Ensemble
from baimo.world.network import social

SEEDS = st.integers(0, 2**32 - 1)
WORLDS = st.integers(1, 4)
BLOCKS = st.integers(1, 4)


@pytest.fixture(autouse=True, scope="module")
def numba():
    """These tests compare with numba."""
    if not kernels.in_use():
        pytest.fail("numba is missing, or switched off: install the extra 'test' and unset HUNDRED_MODELS_COMPILED")


def numbers(rng, *shape):
    """Numbers of all sizes, some of them zero."""
    values = rng.standard_normal(shape) * 10.0 ** rng.integers(-12, 12, shape)
    return np.where(rng.random(shape) < 0.1, 0.0, values)


def odd(rng, *shape):
    """The same with infinities and with what is no number."""
    values, luck = numbers(rng, *shape), rng.random(shape)
    return np.where(luck < 0.1, np.inf, np.where(luck < 0.2, np.nan, values))


def same(function, *arguments, kernel=True):
    """A function gives with its kernel what NumPy's form gives; ``kernel`` says whether that is the kernel's work."""
    with kernels.plain():
        expected = function(*arguments)
    found = function(*arguments)
    if hasattr(function, "kernel"):
        assert (function.kernel(*arguments) is not NotImplemented) == kernel
    for one, other in zip(*((each if isinstance(each, tuple) else (each,)) for each in (found, expected)), strict=True):
        assert one.dtype == other.dtype and one.shape == other.shape
        assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return found


@settings(deadline=None)  # a kernel is compiled when it is first called
@given(SEEDS, WORLDS, BLOCKS)
def test_sums_over_rows_and_layers(seed, worlds, blocks):
    rng = np.random.default_rng(seed)
    wide, deep = numbers(rng, worlds, 64 * blocks), numbers(rng, 5, worlds, 64 * blocks)
    for array in (wide, deep, deep[1:4], wide[:, ::-1], odd(rng, worlds, 64)):
        with np.errstate(invalid="ignore"):
            same(arrays.row_sum, array)
    for array in (wide[:, :63], wide.astype(int) % 7, wide > 0.0, wide[:0]):
        same(arrays.row_sum, array, kernel=False)
    same(arrays.row_sum, np.broadcast_to(wide[:1], wide.shape))
    same(arrays.sum_k, deep)
    for array in (deep[:2], deep[:1], deep[:, :, ::2], list(deep)):
        same(arrays.sum_k, array, kernel=False) if isinstance(array, np.ndarray) else arrays.sum_k(array)
    same(arrays.weigh_k, numbers(rng, 5, 1, 1), deep)


@settings(deadline=None)
@given(SEEDS, WORLDS, st.sampled_from([8, 48, 64, 80, 112, 208]))
def test_sums_of_products_and_of_blocks_cut_short(seed, worlds, rows):
    rng = np.random.default_rng(seed)
    one, other = odd(rng, 3, worlds, rows), numbers(rng, 3, worlds, rows)
    with np.errstate(invalid="ignore"):
        same(arrays.row_sum, one)
        same(arrays.row_dot, one, other)
        same(arrays.row_dot, one[0], other[1][:, ::-1])
        same(arrays.dot_k, one, other)
        for another in (other > 0.0, other.astype(np.float32), other[:1], other[:, :, :1]):
            same(arrays.row_dot, one, another, kernel=False)
            same(arrays.dot_k, one, another, kernel=False)


@settings(deadline=None)
@given(SEEDS, WORLDS, BLOCKS)
def test_look_ups_and_groups(seed, worlds, blocks):
    rng = np.random.default_rng(seed)
    rows = 64 * blocks
    table, deep = numbers(rng, worlds, rows), numbers(rng, 3, worlds, rows)
    pointers = rng.integers(-1, rows, (worlds, 100))
    for each in (table, deep, table > 0.0, (table * 0.0).astype(int), deep[:, :, ::-1]):
        same(arrays.take_rows, each, pointers)
    same(arrays.take_rows, table, pointers[:, :0])
    same(arrays.take_rows, table, np.stack([pointers, pointers[:, ::-1]]), kernel=False)
    same(arrays.sum_by_group, numbers(rng, worlds, 100), pointers, rows)
    same(arrays.sum_by_group, np.ones((worlds, 100)), pointers[:1], rows, kernel=worlds == 1)
    ties = rng.integers(-1, rows, (7, worlds, rows))
    for values in (table, np.round(table), odd(rng, worlds, rows)):
        same(social.best_tied, values, ties, -0.5)
    same(social.best_tied, table, np.full_like(ties, -1), -9)
    same(social.best_tied, table > 0.0, ties, False, kernel=False)
    mask = rng.random((worlds, rows)) < 0.3
    same(arrays.nonzero, mask[:, ::2], kernel=False)
    same(arrays.nonzero, mask & False)
    places = same(arrays.nonzero, mask)
    for each in (table, deep, mask):
        for here in (places, tuple(place[:0] for place in places)):
            same(population._from_rows, each, *here)
    ladder = np.cumsum(np.abs(table), axis=-1)
    asked = rng.integers(0, worlds, 50)
    same(arrays.first_above, ladder, asked, rng.random(50) * 1.2 * ladder[asked, -1])


def test_a_pointer_beyond_the_rows_is_an_error_and_no_number():
    table = np.ones((2, 64))
    with pytest.raises(IndexError):
        arrays.take_rows(table, np.array([[0], [64]]))
    with pytest.raises(IndexError):
        population.gather(table, np.array([2]), np.array([0]))
    with pytest.raises(IndexError):
        arrays.pick_k(np.ones((3, 2, 64)), np.full((2, 64), 3))
    with pytest.raises(IndexError):
        social.best_tied(table, np.full((1, 2, 64), 64), -9.0)
    beyond = arrays.sum_by_group(table, np.full((2, 64), 5), 5)
    assert not beyond.any()


@settings(deadline=None)
@given(SEEDS, WORLDS)
def test_choices_quotients_and_bounds(seed, worlds):
    rng = np.random.default_rng(seed)
    value, deep = odd(rng, worlds, 1024), odd(rng, 4, worlds, 1024)
    mask, codes = value > 0.0, rng.integers(-1, 5, value.shape)
    pairs = ((value, 0.0), (value, value[:, :1]), (1.0, value), (codes, -1), (codes, 0.5), (mask, False), (deep, 2.0))
    for yes, no in pairs:
        same(arrays.where, mask, yes, no)
    same(arrays.where, mask[:, ::-1], value, 0.0)
    same(arrays.where, codes, value, 0.0)
    same(arrays.where, np.array([True, False, True, False]).reshape(4, 1, 1), deep, 0.0)
    with np.errstate(all="ignore"):
        same(arrays.ratio, deep, value)
        same(arrays.ratio, 1.0, value)
        same(arrays.clip, value, -1.0, numbers(rng, worlds, 1) ** 2)
    same(arrays.clip, codes, 0, 2, kernel=False)
    same(arrays.clip, value, None, 2.0, kernel=False)
    fine = np.round(numbers(rng, 4, worlds, 1024), 1)
    best = same(arrays.argmax_k, fine)
    for table in (deep, deep > 0.0):
        same(arrays.pick_k, table, best)
    same(arrays.pick_k, deep[:, :, :1], best, kernel=False)


@settings(deadline=None)
@given(SEEDS, WORLDS, st.integers(0, 2**64 - 1), st.integers(0, 500))
def test_random_numbers(seed, worlds, key, step):
    rng = np.random.default_rng(seed)
    world_ids = rng.integers(0, 2**32, worlds).astype(np.uint64).reshape(-1, 1)
    draw = Draw(step, world_ids, (key & 0xFFFFFFFF, key >> 32))
    ids = rng.integers(-1, 2**32, (worlds, 64))
    same(random.draws_of_all, ids, 2, 1, draw)
    some, here = ids.ravel()[:40], rng.integers(0, worlds, 40)
    for n in (40, 0):
        same(random.draws_of_some, some[:n], here[:n], 3, 0, draw)
        for partners in (rng.integers(0, 2**32, (5, n)), some[:n], np.zeros((1, 1), dtype=int)):
            same(random.draws_of_pairs, some[:n], here[:n], partners, draw)


# ---------------------------------------------------------------------- equations

NUMBER = 1


@pytest.fixture
def always_loops(monkeypatch):
    """Loops however small the arrays."""
    monkeypatch.setattr(equation, "PAYS", 0)


@equation.equation
def part(x, p):
    """An equation that stands in another."""
    scale, power = p.section.scale, p.section.power
    return scale * x**power + x**2


@equation.equation
def both(lab, seg, p):
    """One of everything that an equation may use."""
    section, wide = p.section, lab.wide
    share = ratio(wide - seg.narrow, np.maximum(wide, 0.0)) * section.scale
    bounded = np.minimum(np.sqrt(share * share + 1.0), 1e6) / (1.0 + seg.narrow * seg.narrow)
    price = np.log(lab.layers[NUMBER] ** 2 + 1.0) - np.log(seg.narrow**2 + 2)
    weight = np.exp(clip(-price * seg.narrow, -50.0, 50.0)) + logistic(wide)
    value = where(lab.flag & (lab.code > NUMBER), bounded, -(wide**2)) + ~lab.flag * weight
    return value + part(np.sqrt(price * price), p), lab.flag * (value - wide)


def tree(scale=0.7, power=0.3):
    return SimpleNamespace(section=SimpleNamespace(scale=scale, power=power))


def labs_of(rng, make, *shape):
    codes = rng.integers(0, 4, shape[-2:])
    return SimpleNamespace(
        wide=make(rng, *shape), layers=make(rng, 3, *shape[-2:]), flag=rng.random(shape[-2:]) < 0.5, code=codes
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SEEDS, WORLDS)
def test_equations_over_records(always_loops, seed, worlds):
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        for make in (numbers, odd):
            lab = labs_of(rng, make, 3, worlds, 64)
            narrows = (make(rng, 3, 1, 1), make(rng, worlds, 1), make(rng, 3, worlds, 1), lab.wide[::-1], 0.3)
            for narrow in narrows:
                same(both, lab, SimpleNamespace(narrow=narrow), tree())
            seg = SimpleNamespace(narrow=narrows[0])
            # Parameters may be numbers of other kinds, and differ by world.
            by_world = rng.random((worlds, 1))
            for p in (tree(2, 1), tree(np.float64(0.3), True), tree(by_world), tree(by_world, by_world + 0.5)):
                same(both, lab, seg, p)
            lab.wide = lab.wide[0]
            same(both, lab, SimpleNamespace(narrow=lab.layers[0][:, :1]), tree())
            lab.wide, lab.flag, lab.code = np.asfortranarray(lab.wide), lab.flag[:1], lab.code[:1]
            same(both, lab, seg, tree())
            empty = labs_of(rng, make, 3, worlds, 0)
            same(both, empty, seg, tree())


def test_small_arrays_are_left_to_numpy_and_give_the_same(monkeypatch):
    rng = np.random.default_rng(1)
    lab, seg = labs_of(rng, numbers, 3, 2, 64), SimpleNamespace(narrow=0.3)
    small = same(both, lab, seg, tree())
    monkeypatch.setattr(equation, "PAYS", 0)
    for one, other in zip(small, both(lab, seg, tree()), strict=True):
        assert np.array_equal(one, other)


def test_an_equation_reads_selections_and_views(always_loops):
    """What agents of some worlds see: columns by selection, parameters of each world by view."""
    world = Ensemble(["output.level=market"], range(2), {"app_market.advantage": [1.0, 2.0]}).run(1).world
    some = world.apps.where(world.apps.alive)

    @equation.equation
    def weighed(app, p):
        return p.app_market.advantage * app.eye + app.hand / p.app_market.rework_scale

    found = same(weighed, some, some.view(world.parameters))
    everyone = same(weighed, world.apps, world.parameters)
    assert np.array_equal(found[0], everyone[some.worlds, some.rows])


def test_two_equations_of_one_name_are_two(always_loops):
    def of(sign):
        if sign:

            @equation.equation
            def f(a, b):
                return a + b
        else:

            @equation.equation
            def f(a, b):
                return a - b

        return f

    two = np.full((1, 64), 2.0)
    assert (of(True)(two, 3.0) == 5.0).all() and (of(False)(two, 3.0) == -1.0).all()


def test_loops_cut_at_exponentials_logarithms_and_powers_only(always_loops):
    def loops_of(function):
        function(np.full((2, 64), 0.5), 2.0)
        return len(function.loops)

    @equation.equation
    def without(a, b):
        c = a * b
        return c + c * c, c / b

    @equation.equation
    def staged(a, b):
        return np.exp(a * b) + a**b + np.log(np.exp(a * b)) + np.exp(b)

    # a b twice (each exp has its own) and the sum.
    assert loops_of(without) == 1
    assert loops_of(staged) == 3


def test_a_parameter_may_have_any_name(always_loops):
    """Names of the compiled text begin with an underscore; those of parameters are the writer's."""

    @equation.equation
    def named(known, body, k, i, j, log, loop1, rowk, where):
        return np.log(known + body * k) + np.maximum(i, j) * log, loop1 - rowk + np.sqrt(where)

    rng = np.random.default_rng(1)
    values = [rng.random((3, 2, 64)) + 0.5 for _ in range(7)]
    same(named, *values, 0.5, rng.random((2, 1)))
    assert named.loops


def _loop(a):
    for _ in range(3):
        a = a + 1.0
    return a


def _branch(a):
    return a if a > 0 else 0.0


def _default(a, b=2.0):
    return a + b


def _global(a):
    return a + SEEDS


def _unknown(a):
    return a + nowhere  # noqa: F821


def _nothing(a):
    b = a + 1.0  # noqa: F841


def _method(a):
    return a.sum()


def _both(a):
    return a > 0.0 and a < 1.0


def _index(a, b):
    return a[b]


def _function(a):
    return np.cumsum(a)


def _changed(a):
    a += 1.0
    return a


@pytest.mark.parametrize(
    "wrong, said",
    [
        (_loop, "for _ in range"),
        (_branch, "a if a > 0"),
        (_default, "default"),
        (_global, "SEEDS"),
        (_unknown, "nowhere"),
        (_nothing, "b = a"),
        (_method, "a.sum"),
        (_both, "and"),
        (_index, r"a\[b\]"),
        (_function, "cumsum"),
        (_changed, r"a \+= 1.0"),
    ],
)
def test_what_is_not_straight_line_is_refused(wrong, said):
    with pytest.raises(TypeError, match=said):
        equation.equation(wrong)


def test_an_equation_names_nothing_that_could_change_unseen():
    captured = 2.0

    def closure(a):
        return a + captured

    with pytest.raises(TypeError, match="captured"):
        equation.equation(closure)


def test_results_of_one_equation_have_one_shape(always_loops):
    @equation.equation
    def two(a, b):
        return a + b, b + 1.0

    with pytest.raises(TypeError, match="two: results"):
        two(np.ones((2, 64)), np.ones((2, 1)))


def test_what_is_no_array_of_numpy_is_left_to_the_equation():
    class Own(np.ndarray):
        pass

    own = np.ones((2, 64)).view(Own)
    assert type(part(own, tree())) is Own
    assert not part.loops


def test_without_a_place_to_keep_it_a_kernel_is_compiled_all_the_same(monkeypatch):
    from numba.core import caching

    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    made = kernels.kept(kernels.numba.njit, lambda a: a + 1.0)
    assert made(1.0) == 2.0


# ---------------------------------------------------------------------- histories


@pytest.mark.parametrize(
    "settings, parameters",
    [
        (["output.level=full"], None),
        (["output.level=market", "clock=week", "scenario=embargo_tight"], None),
        (
            ["output.level=market", "population.labs=64"],
            {"technology.inheritance": [0.3, 0.6], "app_market.base_price": [0.1, 0.4], "trust.build": [0.2, 0.8]},
        ),
    ],
    ids=["all tables", "weeks", "a design"],
)
def test_a_history_is_the_same_without_compiling(settings, parameters):
    fast = Ensemble(settings, range(2), parameters).run(14).tables()
    with kernels.plain():
        plain = Ensemble(settings, range(2), parameters).run(14).tables()
    assert fast.keys() == plain.keys()
    for name, table in plain.items():
        assert table.equals(fast[name]), name


@pytest.mark.parametrize("scenario", ["baseline", "closed_world", "national_platform"])
def test_no_equation_does_what_numpy_warns_of(scenario):
    """Loops that numba makes warn of nothing: NumPy's forms run for two years, and a warning is an error."""
    with kernels.plain():
        Ensemble([f"scenario={scenario}", "output.level=market"], range(2)).run(24)


def test_every_kernel_has_one_set_of_types():
    """Numba's list of types on disk has no lock: two processes must not add different ones to it."""
    Ensemble(["output.level=market"], range(2)).run(2)
    Ensemble(["output.level=market"], range(1)).run(2)
    compiled = vars(kernels) | vars(philox_loops)
    found = {name: each for name, each in compiled.items() if hasattr(each, "signatures") and name != "_philox"}
    for name, each in compiled.items():
        found |= {f"{name} {kind}": kernel for kind, kernel in getattr(each, "kernels", {}).items()}
    for module in list(sys.modules.values()):
        if module.__name__.startswith("baimo.world."):
            for name, each in vars(module).items():
                loops = getattr(each, "loops", None)
                found |= {f"{name} {kinds}": loop for kinds, loop in loops.items()} if loops else {}
    assert len(found) > 40
    assert {name: each.signatures for name, each in found.items() if len(each.signatures) > 1} == {}


@pytest.mark.parametrize("how", ["sys.modules['numba'] = None", "os.environ['HUNDRED_MODELS_COMPILED'] = '0'"])
@pytest.mark.slow
def test_without_numba_the_model_runs_and_says_the_same(tmp_path, how):
    code = (
        f"import os, sys; {how}\n"
        "from baimo.world.engine.kernels import in_use\n"
        "from baimo.world.ensemble import Ensemble\n"
        "assert not in_use()\n"
        "market = Ensemble(['output.level=market'], range(2)).run(6).tables()['market']\n"
        f"market.write_parquet(r'{tmp_path}/plain.parquet')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    fast = Ensemble(["output.level=market"], range(2)).run(6).tables()["market"]
    assert fast.equals(pl.read_parquet(tmp_path / "plain.parquet"))
