"""Chips: normalised speeds, goodput of clusters, tokens a second and what they cost."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from baimo.world.compute.chips import H100_TFLOPS, H100_TPP, effective_tflops, goodput, tokens_per_second

#: Checkpoint 30 s, restart 10 min, one H100 fails in 50,700 hours (MODEL).
DETECT, RESTART, FAILURES = 30.0 / 3600.0, 1.0 / 6.0, 1.0 / 50_700.0


def serving(**changes) -> SimpleNamespace:
    usual = {
        "serving_mfu": 0.4,
        "batch": 64.0,
        "bytes_per_parameter": 2.0,
        "kv_bytes": 3e8,
        "utilisation": 0.5,
    }
    return SimpleNamespace(**(usual | changes))


@pytest.mark.parametrize(
    ("chip", "speed"), [("H100", 1.0), ("H800", 0.84), ("A800", 0.36), ("H20", 0.20), ("Ascend-910B", 0.40)]
)
def test_normalised_training_speeds(chips, chip, speed):
    assert chips.training_speed[chips.names.index(chip), 0, 0] == pytest.approx(speed, abs=0.01)


def test_interconnect_limits_bite(chips):
    speed = dict(zip(chips.names, chips.training_speed[:, 0, 0], strict=True))
    assert speed["A800"] < speed["A100"] and speed["H800"] < speed["H100"]


def test_h20_is_slow_at_arithmetic_and_fast_at_serving(chips):
    k = chips.names.index("H20")
    assert chips.h100e[k, 0, 0] == pytest.approx(0.15, abs=0.005)
    assert chips.serving_speed[k, 0, 0] == pytest.approx(1.2, abs=0.01)


def test_the_h100_of_the_table_is_the_unit(chips):
    k = chips.names.index("H100")
    assert chips.h100e[k] == chips.serving_speed[k] == chips.training_speed[k] == 1.0
    assert chips.tflops[k] == H100_TFLOPS and chips.tpp[k] == H100_TPP


def test_table_columns_and_units(chips, facts):
    rows = facts("chips")
    assert len(chips) == len(rows) and chips.names == tuple(row["chip"] for row in rows)
    k = chips.names.index("A100")
    assert chips.tflops.shape == (len(rows), 1, 1)
    assert chips.kw[k, 0, 0] == pytest.approx(0.4)
    assert chips.density[k, 0, 0] == pytest.approx(4992 / 826)
    assert (chips.bandwidth[k, 0, 0], chips.interconnect[k, 0, 0]) == (2.04, 600.0)
    assert (chips.memory_gb[k, 0, 0], chips.list_usd[k, 0, 0]) == (80.0, 13000.0)
    assert (chips.homes[k], chips.kinds[k], chips.vendors[k]) == ("US", "datacenter", "NVIDIA")


def test_effective_speed_is_below_every_bound_and_tends_to_the_only_one_left():
    args = (np.array(300.0), np.array(2.0), np.array(400.0))
    speed = effective_tflops(*args)
    assert speed < 300.0 and speed < 1500.0 * 2.0 and speed < 5.0 * 400.0
    ample = np.array(1e12)
    assert effective_tflops(args[0], ample, ample) == pytest.approx(300.0)
    assert effective_tflops(ample, args[1], ample) == pytest.approx(3000.0)
    assert effective_tflops(ample, ample, args[2]) == pytest.approx(2000.0)
    for k in range(3):
        better = [x * (1.5 if i == k else 1.0) for i, x in enumerate(args)]
        assert speed < effective_tflops(*better) < 1.5 * speed


def test_goodput_limits_and_direction():
    count = np.array([0.0, 1.0, 1e3, 1e4, 1e5, 1e6])
    good = goodput(count, FAILURES, DETECT, RESTART)
    assert good[0] == 1.0
    assert np.all(np.diff(good) < 0.0) and np.all(good > 0.0)
    base = goodput(1e4, FAILURES, DETECT, RESTART)
    assert goodput(1e4, 2 * FAILURES, DETECT, RESTART) < base
    assert goodput(1e4, FAILURES, 2 * DETECT, RESTART) < base
    assert goodput(1e4, FAILURES, DETECT, 2 * RESTART) < base
    # In small clusters the loss is that of the optimal checkpoint interval, sqrt(2 delta lambda n).
    assert 1.0 - goodput(10.0, FAILURES, DETECT, 0.0) == pytest.approx(np.sqrt(20 * DETECT * FAILURES), rel=0.01)
    # In huge ones each failure costs a restart.
    assert goodput(1e12, FAILURES, DETECT, RESTART) == pytest.approx(1.0 / (RESTART * FAILURES * 1e12), rel=1e-3)


def test_goodput_of_a_cluster_of_sixteen_thousand(fact):
    # The run behind the mean time to failure of the facts: 16,384 GPUs for 54 days.
    assert 0.85 < goodput(16_384.0, 1.0 / fact("mttf_h100"), DETECT, RESTART) < 0.95


def test_weak_cards_multiply(chips):
    """The same nominal speed from weaker and frailer cards delivers less (M08)."""
    strong = chips.training_speed[chips.names.index("H100"), 0, 0]
    weak = chips.training_speed[chips.names.index("RTX-3080"), 0, 0]
    count = 8_000.0
    many = count * strong / weak
    full = goodput(count, FAILURES, DETECT, RESTART)
    by_number = goodput(many, FAILURES, DETECT, RESTART)
    by_frailty = goodput(count, 5.0 * FAILURES, DETECT, RESTART)
    both = goodput(many, 5.0 * FAILURES, DETECT, RESTART)
    assert both < min(by_number, by_frailty) < full
    # Number and frailty act through their product.
    assert both == pytest.approx(goodput(5.0 * many, FAILURES, DETECT, RESTART))
    assert 1.0 - both > 2.0 * (1.0 - full)


def test_tokens_are_bound_by_arithmetic_in_large_batches_and_by_memory_in_small_ones():
    tflops, bandwidth, active = np.array(989.0), np.array(3.35), np.array(2e10)
    p = serving(batch=1e9, kv_bytes=0.0)
    arithmetic = 989e12 * 0.4 / (2 * 2e10) * 0.5
    assert tokens_per_second(active, tflops, bandwidth, p) == pytest.approx(arithmetic)
    assert tokens_per_second(active, tflops, bandwidth * 2, p) == pytest.approx(arithmetic)
    p = serving(batch=1.0, kv_bytes=1e9)
    memory = 3.35e12 / (2e10 * 2 + 1e9) * 0.5
    assert tokens_per_second(active, tflops, bandwidth, p) == pytest.approx(memory)
    assert tokens_per_second(active, tflops * 2, bandwidth, p) == pytest.approx(memory)
    # The caches of a large batch fill the memory bus: no more than bandwidth / cache.
    p = serving(batch=1e12, kv_bytes=1e10, serving_mfu=1e6)
    assert tokens_per_second(active, tflops, bandwidth, p) == pytest.approx(3.35e12 / 1e10 * 0.5, rel=1e-3)


@pytest.mark.parametrize(
    ("change", "sign"),
    [
        ({"serving_mfu": 0.5}, 1),
        ({"batch": 128.0}, 1),
        ({"bytes_per_parameter": 1.0}, 1),
        ({"kv_bytes": 6e8}, -1),
        ({"utilisation": 0.6}, 1),
    ],
)
def test_direction_of_tokens_a_second(change, sign):
    sizes = np.array([1e9, 2e10, 1e11, 1e12])

    def speed(p) -> np.ndarray:
        return tokens_per_second(sizes, np.array(312.0), np.array(2.04), p)

    moved = sign * (speed(serving(**change)) - speed(serving()))
    assert np.all(moved >= 0.0) and np.any(moved > 0.0)


def test_tokens_a_second_fall_with_size_and_rise_with_the_chip():
    sizes = np.geomspace(1e9, 1e12, 20)
    chip = (np.array(312.0), np.array(2.04))
    speed = tokens_per_second(sizes, *chip, serving())
    assert np.all(np.diff(speed) < 0.0)
    assert np.all(tokens_per_second(sizes, 2 * chip[0], 2 * chip[1], serving()) > speed)


def test_where_arithmetic_binds_cost_is_proportional_to_size(chips):
    """PRIORS: on an H20 20B costs 0.93 and 8B 0.37 CNY a million tokens, as 20 to 8."""
    k = chips.names.index("H20")
    p = serving(batch=256.0, kv_bytes=1e7)
    speed = tokens_per_second(np.array([8e9, 20e9]), chips.tflops[k, 0], chips.bandwidth[k, 0], p)
    assert speed[0] / speed[1] == pytest.approx(0.93 / 0.37, rel=0.01)
