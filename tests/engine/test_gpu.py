"""The model on a real GPU against the model on NumPy. Skipped where there is no CuPy or no GPU."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from baimo.world.engine.arrays import sum_by_group
from baimo.world.engine.random import Streams
from baimo.world.ensemble import Ensemble
from baimo.world.schedule import PLAN, begin
from tests.strict import WAITING

cupy = pytest.importorskip("cupy", reason="CuPy is not installed", exc_type=ImportError)


def _gpus() -> int:
    try:
        return cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError:
        return 0


pytestmark = pytest.mark.skipif(not _gpus(), reason="there is no GPU")
KEYS = ("replicate", "step", "date")


def test_random_numbers_are_equal_as_integers():
    ids = np.random.default_rng(1).integers(-1, 2**40, (7, 300))
    streams = [Streams(2**60 + 5, xp.arange(7)) for xp in (np, cupy)]
    for each in streams:
        each.step = 31
    plain, there = (each.words("ModelLab", xp.asarray(ids), 3) for each, xp in zip(streams, (np, cupy), strict=True))
    for mine, theirs in zip(plain, there, strict=True):
        assert np.array_equal(mine, theirs.get())
    worlds, rows = np.nonzero(ids > 2**39)
    some = [
        each.some("ModelLab", xp.asarray(worlds), xp.asarray(ids[worlds, rows]), 9)
        for each, xp in zip(streams, (np, cupy), strict=True)
    ]
    assert np.array_equal(some[0], some[1].get())


def test_sums_by_group_have_the_bits_of_numpy():
    rng = np.random.default_rng(2)
    values, group = rng.lognormal(size=(9, 500)) ** 3, rng.integers(-1, 40, (9, 500))
    there = sum_by_group(cupy.asarray(values), cupy.asarray(group), 40)
    assert np.array_equal(sum_by_group(values, group, 40), there.get())


def test_one_step_is_equal_to_rounding():
    plain, there = (Ensemble(["output.level=full"], range(32), xp=xp).run(1).tables() for xp in (np, cupy))
    assert plain["events"].drop("amount").equals(there["events"].drop("amount"))
    for name in ("market", "labs", "apps"):
        # Panels are kept in single precision.
        within = 1e-12 if name == "market" else 1e-6
        for column in plain[name].columns:
            one, other = plain[name][column], there[name][column]
            if not one.dtype.is_float():
                assert one.equals(other), column
            elif column != "accounts_residual":
                np.testing.assert_allclose(other, one, rtol=within, atol=1e-9, err_msg=column, equal_nan=True)


@pytest.mark.slow
def test_yearly_medians_of_whole_histories_agree_within_sampling_error():
    worlds = 256
    both = [Ensemble(["output.level=market"], range(worlds), xp=xp).run(48).tables()["market"] for xp in (np, cupy)]
    yearly = [each.filter(pl.col("step") % 12 == 11) for each in both]
    for column in (name for name in yearly[0].columns if name not in KEYS):
        for step in (11, 23, 35, 47):
            one, other = (each.filter(pl.col("step") == step)[column].drop_nulls().to_numpy() for each in yearly)
            if not len(one) or column == "accounts_residual":
                continue
            # Of a median, and of the difference of two: the histories drift apart as if their luck were their own.
            error = 1.2533 * np.hypot(one.std() / np.sqrt(len(one)), other.std() / np.sqrt(len(other)))
            assert abs(np.median(other) - np.median(one)) <= 4.0 * error + 1e-9, (column, step)


def test_only_the_phases_that_must_wait_for_the_gpu():
    import cupyx

    world = Ensemble(["output.level=market"], range(8), xp=cupy).run(3).world
    for _ in range(2):
        begin(world)
        for name, phase, _months in PLAN:
            with cupyx.allow_synchronize(name in WAITING):
                phase(world)
        world.step_number += 1


def test_blocks_fill_the_memory_of_the_gpu():
    from baimo.conf.schema import compose
    from baimo.world.ensemble import worlds_at_once

    assert worlds_at_once(compose(["engine=cupy"])) >= 1000


@pytest.mark.slow
def test_a_full_block_runs_within_the_memory():
    """Late in a history populations have grown: the estimate must leave them room."""
    from baimo.conf.schema import compose
    from baimo.world.ensemble import worlds_at_once

    worlds = min(worlds_at_once(compose(["engine=cupy"])), 8192)
    market = Ensemble(["output.level=market"], range(worlds), xp=cupy).run(48).tables()["market"]
    assert market.height == 48 * worlds
