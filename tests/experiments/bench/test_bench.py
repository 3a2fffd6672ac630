"""The benchmark runs, prints and keeps what it measured; how fast it is, no test asks."""

from __future__ import annotations

import argparse
import doctest
import json
import sys
from types import SimpleNamespace

import polars as pl
import pytest

from baimo.experiments import cli
from baimo.experiments.bench import apart, gpu, keep, machine, results_text, scale, timing
from baimo.experiments.bench import command as bench
from baimo.world.engine import kernels
from baimo.world.ensemble import Ensemble

#: Left out of CI, which has half an hour; run before a release: ``pytest -m slow``.
pytestmark = pytest.mark.slow


def test_quick_prints_a_table_and_keeps_it_twice(tmp_path, capsys):
    assert cli.main(["bench", "--quick", "--worlds", "2", "--repeat", "1", "--folder", str(tmp_path)]) == 0
    (place,) = tmp_path.iterdir()
    facts = json.loads((place / "facts.json").read_text())
    assert [each["worlds"] for each in facts["ensembles"]] == [1, 2]
    assert sum(phase["share"] for phase in facts["phases"]) == pytest.approx(1.0)
    assert facts["one_world"]["together"]["best"] > 0
    step = facts["market_step"]
    assert step["ratio"] == pytest.approx(step["plain_mesa"] / step["columns"])
    printed = capsys.readouterr().out
    assert "ms a world-step" in printed and f"GPU: {machine.gpu()}" in printed and str(place) in printed
    assert all(phase["phase"] in printed for phase in facts["phases"])
    kept = dict(pl.read_parquet(place / "facts.parquet").select("fact", "value").iter_rows())
    assert kept["market_step.ratio"] == step["ratio"]
    assert kept["ensembles.2.worlds_a_second"] == facts["ensembles"][1]["worlds_a_second"]


def test_a_second_measurement_never_replaces_the_first(tmp_path):
    places = {keep.write_measurements({"speed": number}, tmp_path) for number in range(3)}
    assert len(places) == 3
    assert sorted(json.loads((each / "facts.json").read_text())["speed"] for each in places) == [0, 1, 2]


def typed(*words):
    bench.arguments(parser := argparse.ArgumentParser())
    return parser.parse_args(words)


def test_everything_is_measured_once_and_the_long_runs_when_asked():
    names = [name for name, _, _ in bench.tasks(typed())]
    assert names.count("ensembles") == len(bench.BLOCKS)
    assert names.count("processes") == len(bench.BLOCKS) * len(bench.WORKERS)
    assert names.count("numpy_only") == kernels.in_use()
    more = [name for name, _, _ in bench.tasks(typed("--million", "--stream"))]
    assert len(more) == len(names) + 2 and "stream" not in names


def test_the_machine_is_described(tmp_path):
    facts = machine.describe()
    assert facts["python"] == sys.version.split()[0] and facts["cores"] >= 1
    for number, (level, kind) in enumerate([("1", "Data"), ("1", "Instruction"), ("2", "Unified")]):
        (tmp_path / f"index{number}").mkdir()
        for name, value in (("level", level), ("type", kind), ("size", f"{8 * (number + 1)}K")):
            (tmp_path / f"index{number}" / name).write_text(value + "\n")
    assert machine.caches(tmp_path) == {"L1": "8K", "L2": "24K"}


# ---------------------------------------------------------------------- GPU


def test_a_gpu_is_measured_as_far_as_its_memory_goes(monkeypatch):
    """With a device that stands in for one: what is counted, not how fast."""
    synchronised = []
    runtime = SimpleNamespace(
        memGetInfo=lambda: (200_000_000, 0),
        deviceSynchronize=lambda: synchronised.append(True),
        deviceGetAttribute=lambda which, _: {gpu.CLOCK: 1_000_000, gpu.BUS: 4096}[which],
    )
    pool = SimpleNamespace(free_bytes=lambda: 0, free_all_blocks=lambda: None)
    xp = SimpleNamespace(cuda=SimpleNamespace(runtime=runtime), get_default_memory_pool=lambda: pool)
    monkeypatch.setattr(gpu, "Ensemble", lambda words, worlds, xp: Ensemble(words, worlds))
    assert gpu.bandwidth(xp) == 1.024e12
    monkeypatch.setattr(gpu, "WARM", (1, 1))
    (found,) = gpu.ensembles(xp, (2, 10**6), 1)
    assert found["worlds"] == 2 and len(synchronised) == 2
    assert found["worlds_a_second"] == pytest.approx(2 / found["together"])
    assert 0.0 < found["bandwidth_share"] < 1.0
    printed = results_text._gpu([found, {"worlds": 4, "failed": "MemoryError: full"}], [{"worlds_a_second": 10.0}])
    assert f"{found['worlds_a_second'] / 10.0:.1f}" in printed and "MemoryError: full" in printed


def test_a_gpu_that_is_full_keeps_what_was_measured(monkeypatch):
    def run(_, worlds, steps):
        if worlds > 64:
            raise MemoryError("full")
        return 1.0

    runtime = SimpleNamespace(memGetInfo=lambda: (10**12, 0), deviceGetAttribute=lambda *_: 1000)
    pool = SimpleNamespace(free_bytes=lambda: 0, free_all_blocks=lambda: None)
    xp = SimpleNamespace(cuda=SimpleNamespace(runtime=runtime), get_default_memory_pool=lambda: pool)
    monkeypatch.setattr(gpu, "_seconds", run)
    kept, failed = gpu.ensembles(xp, (64, 128, 256), 48)
    assert kept["worlds_a_second"] == 64.0 and failed == {"worlds": 128, "failed": "MemoryError: full"}


def test_a_block_that_is_not_compiled_is_measured():
    assert timing.not_compiled(1, 1, 1)["worlds_a_second"] > 0.0
    assert kernels.in_use()


# ---------------------------------------------------------------------- scale


def test_one_world_with_many_apps():
    """Ids, rows and founding are not in the way of a world beyond their usual size."""
    found = scale.crowd(6000, 2)
    assert found["apps"] == 6000 and 0.8 * 6000 < found["alive"] < 1.5 * 6000
    assert found["edges"] > found["alive"]
    assert found["step"] > 0.0


def test_exponents_leave_out_what_the_smallest_world_takes():
    blocks = [{"worlds": n, "stepping": {"best": 0.1 * n}} for n in (8, 16, 32)]
    crowds = [{"apps": n, "step": 5.0 + 2e-6 * (n - 10), "peak_mb": 100.0 + (n - 10) ** 2} for n in (10, 1000, 10000)]
    found = bench.exponents({"ensembles": blocks, "apps": crowds})
    assert found["time_over_worlds"] == pytest.approx(1.0)
    assert found["time_over_apps"] == pytest.approx(1.0)
    assert found["memory_over_apps"] == pytest.approx(2.0)


def test_files_are_counted_by_table_and_world(tmp_path):
    for first in (0, 2):
        (tmp_path / "labs").mkdir(exist_ok=True)
        frame = pl.DataFrame({"replicate": [first, first + 1, first + 1], "cash": [1.0, 2.0, 3.0]})
        frame.write_parquet(tmp_path / "labs" / f"{first:08d}.parquet")
    size = sum(path.stat().st_size for path in tmp_path.glob("labs/*"))
    (found,) = scale.sizes(tmp_path.glob("*/*.parquet"))
    assert found == {"table": "labs", "worlds": 4, "kb_a_world": size / 4000}


def test_worlds_are_streamed_by_the_main_command():
    found = scale.streamed(worlds=2, steps=1, workers=1, block=1)
    assert {each["table"]: each["worlds"] for each in found["files"]}["labs"] == 2
    assert found["worlds_a_second"] == pytest.approx(2 / found["wall"])
    if apart.PROC.exists():
        assert 50 < found["peak_mb"] < 2000


# ---------------------------------------------------------------------- processes


def holding(megabytes):
    """Hold memory in a process of its own."""
    held = bytearray(int(megabytes * 1e6))
    held[::1024] = b"x" * len(held[::1024])
    return apart.peak_mb()


@pytest.mark.skipif(apart.resource is None, reason="no way to ask for memory")
def test_memory_is_that_of_one_measurement():
    large, small = (apart.apart(holding, size) for size in (150, 1))
    assert large - small == pytest.approx(149, abs=20)


@pytest.mark.skipif(not apart.PROC.exists(), reason="no /proc to look at")
def test_children_are_watched_too(tmp_path):
    child = "import time; held = bytearray(b'x') * 80_000_000; time.sleep(1)"
    parent = (
        "import subprocess, sys; held = bytearray(b'x') * 60_000_000; "
        f"subprocess.run([sys.executable, '-c', {child!r}])"
    )
    wall, peak = apart.watched([sys.executable, "-c", parent], tmp_path)
    assert 1.0 < wall < 60.0
    assert 140 < peak < 240


def test_what_fails_is_told(tmp_path):
    with pytest.raises(RuntimeError, match="exit code 3; no luck"):
        apart.watched([sys.executable, "-c", "print('no luck'); raise SystemExit(3)"], tmp_path)


# ---------------------------------------------------------------------- command and report


@pytest.mark.parametrize("words", [["--worlds", "0"], ["--repeat", "-1"], ["--worlds", "many"]])
def test_refuses_what_cannot_be_measured(words, capsys):
    with pytest.raises(SystemExit):
        typed(*words)
    assert words[0] in capsys.readouterr().err


def test_report_of_everything_and_of_unknown_memory():
    spread = {"best": 1.0, "median": 2.0}
    block = {"worlds": 2, "steps": 3, "construction": spread, "stepping": spread, "tables": spread, "peak_mb": None}
    files = [{"table": "labs", "worlds": 2, "kb_a_world": 12.5}, {"table": "events", "worlds": 0, "kb_a_world": None}]
    over = {"processes": 2, "block": 1, "worlds": 2, "steps": 3, "wall": 2.0, "stepping": 1.0, "files": files}
    crowd = {
        "apps": 10000,
        "construction": 1.0,
        "first_step": 1.0,
        "step": 0.5,
        "edges": 12345,
        "edges_seconds": 0.625,
        "peak_mb": 150.0,
    }
    facts = {
        "machine": machine.describe(),
        "gpu": "none",
        "one_world": {"steps": 3, "construction": spread, "stepping": spread, "together": spread},
        "ensembles": [block | timing.speeds(2, 3, 1.0, 2.0)],
        "processes": [over | timing.speeds(2, 3, 1.0, 2.0)],
        "apps": [crowd],
        "stream": over | {"worlds": 1000, "peak_mb": 1234.0, "worlds_a_second": 9.0},
        "market_step": {
            "worlds": 2,
            "steps": 3,
            "labs": 5,
            "apps": 6,
            "plain_mesa": 1.0,
            "columns": 0.1,
            "ratio": 10.0,
        },
        "exponents": {"time_over_apps": 0.987},
        "phases": [{"phase": "9 demand", "ms_a_step": 1.0, "share": 1.0}],
    }
    printed = results_text.bench_text(facts)
    for part in (
        "over processes",
        "10,000",
        "12,345",
        "0.625",
        "1234",
        "12.5",
        "time over apps      0.99",
        "10.0",
        "GPU: none",
    ):
        assert part in printed


@pytest.mark.parametrize("module", [timing, results_text, keep, machine, scale])
def test_examples_in_docstrings(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
