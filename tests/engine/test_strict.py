"""The model on arrays that stand elsewhere: what runs on a GPU, checked without one."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from baimo.conf.schema import ConfigError, compose, to_parameters
from baimo.experiments.run.blocks import largest_block
from baimo.world.engine import device
from baimo.world.engine.arrays import namespace, sum_by_group, to_device
from baimo.world.engine.random import philox
from baimo.world.ensemble import Ensemble
from baimo.world.schedule import PLAN, begin
from baimo.world.setup import column_bytes
from tests import strict

WORLDS, STEPS = 3, 4
#: Waits for the device that a step cannot do without: see ``test_the_host_waits_little_in_a_step``.
FEW = 24
#: Columns of edges, and of those whom they join, that a year copies to the host.
MIRRORED = 28


@pytest.fixture(scope="module")
def run():
    """A short history on strict arrays, and the waits of each of its steps."""
    ensemble, waits = Ensemble(["output.level=full"], range(WORLDS), xp=strict.module), []
    for _ in range(STEPS):
        strict.TRIPS.clear()
        ensemble.step()
        waits.append(dict(strict.TRIPS))
    return SimpleNamespace(tables=ensemble.tables(), waits=waits)


def test_histories_on_strict_arrays_have_the_bits_of_numpy(run):
    plain = Ensemble(["output.level=full"], range(WORLDS)).run(STEPS).tables()
    assert plain.keys() == run.tables.keys()
    for name, table in plain.items():
        assert table.equals(run.tables[name]), name


def test_parameters_of_each_world_and_random_rules_run_on_strict_arrays():
    """Off-switches by world, parameters that reach the tables, and rules that replace decisions."""
    parameters = {
        "technology.inheritance": [0.3, 0.6],
        "training.bandwidth_bound": [0.5, 1.0],
        "capital.least_close": [0.3, 0.6],
        "mechanisms.dispersion": [1.0, 0.0],
        "app_market.start": [60.0, 90.0],
    }
    settings = ["output.level=market", "decisions.planning=random", "decisions.pricing=random"]
    both = [Ensemble(settings, range(2), parameters, xp=xp).run(2).tables() for xp in (np, strict.module)]
    assert both[0]["market"].equals(both[1]["market"])


def test_policies_in_force_and_a_growing_population_run_on_strict_arrays():
    settings = [
        *("output.level=market", "start=2024-01", "scenario=embargo_tight", "population.apps=64"),
        *("policy/open_source=mandate", "policy/market=strict", "policy/talent=mobility_limit"),
    ]
    found = [Ensemble(settings, range(2), xp=xp).run(3) for xp in (np, strict.module)]
    assert found[1].world.apps.growths > 0
    assert found[0].tables()["market"].equals(found[1].tables()["market"])


# ---------------------------------------------------------------------- waits


def test_the_host_waits_little_in_a_step(run):
    """What remains: entrants are counted, and rows picked for those few who move, meet or die."""
    for waits in run.waits:
        inside = {place: n for place, n in waits.items() if "observe" not in place[0]}
        assert sum(inside.values()) <= FEW, inside
        assert {what for _, what in inside} <= {"nonzero", "get", "unique"}, inside


def test_only_these_phases_wait():
    world, waiting = Ensemble(["output.level=market"], range(WORLDS), xp=strict.module).run(2).world, set()
    for _ in range(2):
        begin(world)
        for name, phase, _months in PLAN:
            strict.TRIPS.clear()
            phase(world)
            waiting |= {name} if strict.TRIPS else set()
        world.step_number += 1
    assert waiting == strict.WAITING


def test_a_month_is_recorded_in_one_copy_and_each_panel_in_one(run):
    """Measures; labs with their events, apps, and the two others: rows are picked once and sent once."""
    recorded = Counter()
    for (place, what), n in run.waits[1].items():
        if "observe" in place:
            recorded[what] += n
    assert recorded == {"get": 4, "nonzero": 3}


def test_columns_of_a_years_edges_are_copied_one_by_one(run):
    """Only in the month that keeps edges, and each once."""
    mirrored = [sum(n for (place, _), n in waits.items() if "_reflect" in place) for waits in run.waits]
    assert 0 < mirrored[0] <= MIRRORED and not any(mirrored[1:])


# ---------------------------------------------------------------------- names


def test_cupy_has_all_names_that_the_model_asks_for(run):
    """Those in lines no run here reaches, too; ``random`` and ``errstate`` are the host's, ``cuda`` no function."""
    assert len({name.partition(".")[0] for name in strict.CALLED if not name.startswith((".", "__"))}) > 40
    folders = [Path(device.__file__).parents[2] / name for name in ("agents", "world")]
    text = "".join(file.read_text(encoding="utf-8") for folder in folders for file in folder.rglob("*.py"))
    named = set(re.findall(r"\b(?:np|xp)\.(\w+)", text))
    assert len(named) > 60
    assert named - {"cuda", "random", "errstate"} <= strict.FUNCTIONS


def refusals():
    xp = strict.module
    here = xp.zeros((2, 3))
    yield "mixed", "a NumPy array", lambda: here + np.zeros((2, 3))
    yield "mixed in a function", "a NumPy array", lambda: np.where(here > 0.0, np.zeros((2, 3)), here)
    yield "silent copy", "Implicit conversion", lambda: np.asarray(here)
    yield "host index", "an index from the host", lambda: here[np.array([0, 1])]
    yield "list index", "an index from the host", lambda: here[[0, 1]]
    yield "host value", "a NumPy array", lambda: here.__setitem__(0, np.zeros(3))
    yield "loop over elements", "a loop over the elements", lambda: list(here[0])
    yield "take mode", "take has no mode", lambda: here.take(xp.asarray([0]), mode="clip")
    yield "quick sort", "sorts are stable", lambda: np.argsort(here, kind="quicksort")
    yield "minimum.accumulate", "minimum.accumulate fails", lambda: xp.minimum.accumulate(here)
    yield "maximum.reduce", "maximum.reduce fails", lambda: xp.maximum.reduce(here)
    yield "add.at by NumPy", "add.at does not reach", lambda: np.add.at(here, (xp.asarray([0]),), 1.0)
    yield "where without an array", "wants an array as its condition", lambda: np.where(True, here, 0.0)
    yield "stack of numbers", "wants arrays only", lambda: np.stack([here, 1.0])
    yield "no such function", "no function block", lambda: np.block([here])
    yield "no such ufunc", "no ufunc spacing", lambda: np.spacing(here)


@pytest.mark.parametrize(("says", "call"), [pytest.param(*case, id=name) for name, *case in refusals()])
def test_strict_arrays_refuse_what_cupy_refuses(says, call):
    with pytest.raises(TypeError, match=says):
        call()


def test_waits_are_counted():
    strict.TRIPS.clear()
    here = strict.module.asarray([1.0, 0.0])
    assert bool(here[0]) and float(here[1]) == 0.0 and here.any()
    assert np.nonzero(here)[0].get().tolist() == [0]
    assert sum(strict.TRIPS.values()) == 5


def test_trees_move_to_the_device_as_a_whole():
    given = to_parameters(compose())
    assert to_device(given, np) is given
    given.capital.herding = np.ones((2, 1))
    moved = to_device(given, strict.module)
    assert namespace(moved.capital.herding) is strict.module
    assert isinstance(given.capital.herding, np.ndarray)
    assert moved.capital.least_close == given.capital.least_close


# ---------------------------------------------------------------------- a device, or none


class Missing(RuntimeError):
    """Stands for CuPy's error of the CUDA runtime."""


def pretend(monkeypatch, count):
    """Put a module in the place of CuPy; ``count`` tells or raises how many GPUs there are."""
    fake = ModuleType("cupy")
    fake.cuda = SimpleNamespace(runtime=SimpleNamespace(getDeviceCount=count, CUDARuntimeError=Missing))
    monkeypatch.setitem(sys.modules, "cupy", fake)
    return fake


def complain(text):
    def count():
        raise Missing(text)

    return count


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version", "driver"),
        ("cudaErrorNoDevice: no CUDA-capable device is detected", "nvidia-smi"),
        ("cudaErrorSystemNotReady: system not yet initialized", "cudaErrorSystemNotReady"),
    ],
)
def test_one_line_says_what_a_gpu_lacks(monkeypatch, text, says):
    pretend(monkeypatch, complain(text))
    config = compose(["engine=cupy", "steps=2"])
    with pytest.raises(device.NoDevice) as missing:
        Ensemble(config)
    with pytest.raises(ConfigError) as caught:
        largest_block(config)
    assert str(caught.value) == str(missing.value)
    said = str(caught.value)
    assert "engine=cupy" in said and "engine=numpy" in said and says in said and "\n" not in said


def test_one_line_says_that_cupy_or_a_gpu_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(device.NoDevice, match=r"pip install 'hundred-models-war\[gpu\]'"):
        device.find("cupy")
    pretend(monkeypatch, lambda: 0)
    with pytest.raises(device.NoDevice, match="no GPU"):
        device.find("cupy")
    fake = pretend(monkeypatch, lambda: 1)
    assert device.find("cupy") is fake
    assert device.find("numpy") is np


def test_blocks_fill_the_memory_that_is_free():
    each = column_bytes(to_parameters(compose()))
    small = column_bytes(to_parameters(compose(["population.apps=64", "population.labs=64"])))
    assert small < each < 5_000_000
    assert device.worlds_that_fit(140_000_000_000, each) > 4096
    assert device.worlds_that_fit(2 * 10**9, each) == pytest.approx(2 * device.worlds_that_fit(10**9, each), abs=1)
    with pytest.raises(device.NoDevice, match="MB of GPU memory are free"):
        device.worlds_that_fit(1_000_000, each)


def test_column_bytes_are_those_of_the_columns():
    world = Ensemble(["population.apps=128", "population.max_apps=128", "population.max_labs=128"], range(2)).world
    held = sum(array.nbytes for each in world.populations.values() for array in each.columns.values())
    assert column_bytes(world.config) == held / 2


# ---------------------------------------------------------------------- kernels


def test_the_text_of_philox_gives_the_integers_of_numpy(compiled):
    rng = np.random.default_rng(5)
    counter = [rng.integers(0, 2**64, 50, dtype=np.uint64) for _ in range(4)]
    counter[0][:3] = (0, 2**32 - 1, 2**64 - 1)
    key = (0x12345678, 0x9ABCDEF0)
    words = compiled("philox", [*counter, *(np.full(50, k, dtype=np.uint64) for k in key)], 4, np.uint64)
    for mine, theirs in zip(words, philox(tuple(counter), key), strict=True):
        assert np.array_equal(mine, theirs)


def test_the_text_of_sums_by_group_gives_the_bits_of_numpy(compiled):
    rng = np.random.default_rng(6)
    values, group = rng.lognormal(size=(5, 40)) ** 3, rng.integers(-1, 7, (5, 40))
    size = np.full(35, 40), np.full(35, 7)
    (total,) = compiled("sum_by_group", [values, group, *size], 1, np.float64, 35)
    assert np.array_equal(total.reshape(5, 7), sum_by_group(values, group, 7))
