"""Chips: normalised speeds, goodput of clusters, tokens a second and what they cost."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from baimo.conf.schema import Config
from baimo.world.compute.chips import (
    H100,
    H100_TFLOPS,
    H100_TPP,
    Silicon,
    effective_tflops,
    goodput,
    seconds_a_token,
    serving_speeds,
    tokens_per_second,
)

#: Checkpoint 30 s, restart 10 min, one H100 fails in 50,700 hours (MODEL).
DETECT, RESTART, FAILURES = 30.0 / 3600.0, 1.0 / 6.0, 1.0 / 50_700.0


def serving(**changes) -> SimpleNamespace:
    usual = {
        "arithmetic": 1.0,
        "prefill_mfu": 0.5,
        "decode_mfu": 0.4,
        "cache_room": 0.75,
        "batch": 64.0,
        "bytes_per_parameter": 2.0,
        "kv_bytes": 3e8,
        "utilisation": 0.5,
    }
    return SimpleNamespace(**(usual | changes))


def use(written: float, hits: float = 0.0) -> SimpleNamespace:
    return SimpleNamespace(output_share=written, cache_hits=hits)


@pytest.mark.parametrize(
    ("chip", "speed"), [("H100", 1.0), ("H800", 0.84), ("A800", 0.36), ("H20", 0.20), ("Ascend-910B", 0.40)]
)
def test_normalised_training_speeds(chips, chip, speed):
    assert chips.training_speed[chips.names.index(chip), 0, 0] == pytest.approx(speed, abs=0.01)


def test_interconnect_limits_bite(chips):
    speed = dict(zip(chips.names, chips.training_speed[:, 0, 0], strict=True))
    assert speed["A800"] < speed["A100"] and speed["H800"] < speed["H100"]


def test_the_h100_of_the_table_is_the_unit(chips):
    k = chips.names.index("H100")
    serves = serving_speeds(chips, use(0.25), Config().serving)
    assert chips.h100e[k] == serves[k] == chips.training_speed[k] == 1.0
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


def test_answers_are_bound_by_arithmetic_in_large_batches_and_by_memory_in_small_ones():
    active, answers = 2e10, use(1.0)
    p = serving(batch=1e9, kv_bytes=1.0)
    assert tokens_per_second(active, H100, answers, p) == pytest.approx(989e12 * 0.4 / (2 * active) * 0.5)
    # No batch: weights and cache of one request; of the cache, half an answer of fifty prompts (1 - o at least 0.02).
    p = serving(batch=1.0, kv_bytes=1e9)
    assert tokens_per_second(active, H100, answers, p) == pytest.approx(3.35e12 / (active * 2 + 26e9) * 0.5)
    # Caches fill the memory before the batch is large.
    p = serving(batch=1e12, kv_bytes=3e7, decode_mfu=1e6)
    cache = 26 * 3e7
    full = 60e9 / cache
    assert tokens_per_second(active, H100, answers, p) == pytest.approx(3.35e12 / (active * 2 / full + cache) * 0.5)


def test_prompts_are_bound_by_arithmetic_and_cost_nothing_when_read_before():
    p = serving()
    assert seconds_a_token(2e10, H100, use(0.0), p) == pytest.approx(2 * 2e10 / (989e12 * 0.5))
    assert seconds_a_token(2e10, H100, use(0.0, hits=1.0), p) == 0.0
    half = 0.5 * seconds_a_token(2e10, H100, use(0.0), p)
    assert seconds_a_token(2e10, H100, use(0.25), p) - seconds_a_token(2e10, H100, use(0.25, 1.0), p) == pytest.approx(
        1.5 * half
    )


def test_what_an_h20_serves_hangs_on_what_is_written(chips):
    """X05: a sixth to a fifth of an H100 where prompts are three times answers, near it where answers dominate."""
    p, k = Config().serving, chips.names.index("H20")

    def speed(written: float, hits: float = 0.0, rules=p) -> float:
        return float(serving_speeds(chips, use(written, hits), rules)[k, 0, 0])

    assert speed(0.25) == pytest.approx(0.17, abs=0.04)
    assert speed(0.8, hits=0.8) == pytest.approx(0.8, abs=0.1)
    assert np.all(np.diff([speed(o) for o in np.linspace(0.05, 0.9, 18)]) > 0.0)
    assert np.all(np.diff([speed(0.25, z) for z in np.linspace(0.0, 0.9, 10)]) > 0.0)
    bandwidth = dataclasses.replace(p, arithmetic=0.0)
    assert 1.15 < speed(0.25, rules=bandwidth) < 1.35


@pytest.mark.parametrize(
    ("change", "sign"),
    [
        ({"prefill_mfu": 0.6}, 1),
        ({"decode_mfu": 0.5}, 1),
        ({"batch": 128.0}, 1),
        ({"bytes_per_parameter": 1.0}, 1),
        ({"kv_bytes": 6e8}, -1),
        ({"cache_room": 0.1}, -1),
        ({"utilisation": 0.6}, 1),
        ({"arithmetic": 0.0}, 1),
    ],
)
def test_direction_of_tokens_a_second(change, sign):
    sizes = np.array([1e9, 2e10, 1e11, 1e12])

    def speed(p) -> np.ndarray:
        return tokens_per_second(sizes, Silicon(312.0, 2.04, 80.0), use(0.5), p)

    moved = sign * (speed(serving(**change)) - speed(serving()))
    assert np.all(moved >= 0.0) and np.any(moved > 0.0)


def test_tokens_a_second_fall_with_size_and_rise_with_the_chip():
    sizes = np.geomspace(1e9, 1e12, 20)
    speed = tokens_per_second(sizes, Silicon(312.0, 2.04, 80.0), use(0.25), serving())
    assert np.all(np.diff(speed) < 0.0)
    assert np.all(tokens_per_second(sizes, Silicon(624.0, 4.08, 160.0), use(0.25), serving()) > speed)


def test_where_arithmetic_binds_cost_is_proportional_to_size(chips):
    """PRIORS: on an H20 20B costs 0.93 and 8B 0.37 CNY a million tokens, as 20 to 8."""
    k = chips.names.index("H20")
    h20 = Silicon(chips.tflops[k, 0, 0], chips.bandwidth[k, 0, 0], chips.memory_gb[k, 0, 0])
    speed = tokens_per_second(np.array([8e9, 20e9]), h20, use(0.25), serving(batch=256.0, kv_bytes=1e7))
    assert speed[0] / speed[1] == pytest.approx(0.93 / 0.37, rel=0.01)
