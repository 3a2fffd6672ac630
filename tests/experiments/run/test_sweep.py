"""Sweeps: which cells, what is told of them, and that killing processes never harms what is kept."""

from __future__ import annotations

import importlib.util
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import polars as pl
import pytest

from baimo.conf import schema
from baimo.experiments import cli
from baimo.experiments.read import load
from baimo.experiments.run import compose, store, sweep

#: Left out of CI, which has half an hour; run before a release: ``pytest -m slow``.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
SMALL = ("worlds=2", "steps=2", "output.level=market", "output.figure=false", "processes=1")
EXPERIMENTS = sorted(path.stem for path in (ROOT / "conf" / "experiment").glob("*.yaml"))


@pytest.fixture(autouse=True)
def registered(tmp_path, monkeypatch):
    schema.register()
    monkeypatch.chdir(tmp_path)


def cells(*overrides):
    cfg, several = compose.compose_command(list(overrides), True)
    assert several
    return sweep.cells(list(overrides), cfg)


# ---------------------------------------------------------------------- which cells


def test_a_cell_is_named_by_what_differs():
    found = cells("seed=1,2", "worlds=2", "policy/embargo=none,history")
    assert [cell.name for cell in found] == [
        f"seed={seed} policy/embargo={name}" for seed in (1, 2) for name in ("none", "history")
    ]
    assert len({cell.folder for cell in found}) == 4
    assert {cell.size for cell in found} == {96}


def test_equal_cells_run_once():
    assert [cell.name for cell in cells("seed=1,2,1", "processes=1,2")] == ["seed=1 processes=1", "seed=2 processes=1"]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_is_a_sweep_that_takes_less_than_a_quarter_of_an_hour(name):
    cfg, several = compose.compose_command([f"experiment={name}"])
    assert several, "hydra.mode: MULTIRUN, so that the name is the whole command"
    found = sweep.cells([f"experiment={name}"], cfg)
    assert len(found) >= 4
    assert {cell.folder.parent.name for cell in found} == {name}
    seconds = sum(cell.size for cell in found) * 0.003 / 2  # 3 ms a world-step, two cores
    assert seconds < 15 * 60
    first = (ROOT / "conf" / "experiment" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    assert first[0] == "# @package _global_"
    assert first[1].startswith("# "), "a line that says what it asks"


def test_what_is_typed_replaces_what_the_file_sweeps_over():
    overrides = ["experiment=embargo_timing", "policy/embargo=none,tight", "seed=1,2"]
    cfg, _ = compose.compose_command(overrides)
    assert len(sweep.cells(overrides, cfg)) == 4


def test_a_sweeper_of_ones_own_is_refused():
    with pytest.raises(compose.UserError, match="basic sweeper"):
        cells("seed=1,2", "hydra.sweeper._target_=some.Other")


def test_a_wrong_cell_stops_all_before_the_first(tmp_path, capfd):
    assert cli.main(["-m", *SMALL, "seed=1,2", "model_market.price_sensitivity=2,-1"]) == 2
    assert "price_sensitivity=-1" in capfd.readouterr().err
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------------- what is told


def test_a_failure_outside_the_model_is_told_too(tmp_path, monkeypatch, capfd):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(store, "join_blocks", full)
        assert cli.main(["-m", *SMALL, "seed=1,2"]) == 1
        said = capfd.readouterr()
        assert said.out.count("OSError: [Errno 28] No space left on device") == 4  # when it happened, and in the table
        assert "0 done, 0 skipped (complete already), 2 failed" in said.out
        assert len(said.err.strip().splitlines()) == 1
    notes = list(tmp_path.rglob("*.failed.json"))
    assert len(notes) == 2
    with pytest.raises(FileNotFoundError, match="no complete run"):
        load.run_folders("outputs")
    assert cli.main(["-m", *SMALL, "seed=1,2"]) == 0
    assert "2 done, 0 skipped" in capfd.readouterr().out
    assert not list(tmp_path.rglob("*.failed.json"))


def test_a_callback_that_fails_is_named_and_the_run_goes_on(tmp_path, monkeypatch, capfd):
    code = "from hydra.experimental.callback import Callback\n\nclass Broken(Callback):\n"
    code += "    def on_job_start(self, **_):\n        raise ValueError('no\\nsuch room')\n"
    (tmp_path / "broken_callback.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    assert cli.main(["-m", *SMALL, "seed=1", "+hydra.callbacks.mine._target_=broken_callback.Broken"]) == 0
    said = capfd.readouterr()
    assert "1 done, 0 skipped" in said.out
    assert "hydra.callbacks.mine: on_job_start failed: ValueError: no such room\n" in said.err


def test_a_launcher_that_gives_up_is_told_and_its_reasons_are_not_those_of_earlier_days(monkeypatch, capfd):
    (cell,) = cells("seed=1", *SMALL)
    store.write_failure(cell.folder, "an old reason\nwith more lines")

    class Launcher:
        def launch(self, *_, **__):
            raise RuntimeError("a worker was lost")

    monkeypatch.setattr(sweep.Plugins.instance(), "instantiate_launcher", lambda **_: Launcher())
    assert cli.main(["-m", *SMALL, "seed=1"]) == 1
    told = capfd.readouterr().out
    assert "the launcher gave up: RuntimeError: a worker was lost (the last time: an old reason)" in told


def test_progress_is_seen_from_outside_and_goes_with_the_run(tmp_path):
    folder = tmp_path / "experiment" / "0123456789"
    with store.part_folder(folder) as part:
        with store.Progress(part) as bar:
            bar.update(3)
            bar.update(4)  # too soon to be noted
            assert bar.n == 7
            assert store.progress(folder, 0.0) == 3
            assert store.progress(folder, time.time() + 60) == 0, "what was left by a killed process counts for nothing"
        assert store.progress(folder, 0.0) == 0


@pytest.mark.skipif(store.fcntl is None, reason="no locks of this kind")
def test_what_a_killed_process_left_is_cleared_and_what_is_at_work_is_not(tmp_path):
    folder = tmp_path / "experiment" / "0123456789"
    code = "import sys, time, pathlib; from baimo.experiments.run import store\n"
    code += "with store.part_folder(pathlib.Path(sys.argv[1])) as part: print(part, flush=True); time.sleep(600)"
    command = [sys.executable, "-c", code, str(folder)]
    others = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(2)]
    try:
        dead, alive = (Path(child.stdout.readline().strip()) for child in others)
        others[0].kill()
        others[0].wait()
        assert dead.exists()
        with store.part_folder(folder) as part:
            assert sorted(folder.parent.iterdir()) == sorted([alive, part])
    finally:
        for child in others:
            child.kill()
            child.communicate()


# ---------------------------------------------------------------------- kill -9, and two at once

joblib = pytest.mark.skipif(
    importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher") is None,
    reason="pip install -e '.[sweep]'",
)
SEEDS = "seed=" + ",".join(str(seed) for seed in range(1, 3))
SWEPT = ("-m", *SMALL, SEEDS, "policy/embargo=none,history")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Tables of the sweep by run, computed one after another in this process."""
    out = tmp_path_factory.mktemp("undisturbed")
    assert cli.main([*SWEPT, f"output.folder={out}"]) == 0
    return tables(out)


def tables(out):
    return {folder.name: pl.read_parquet(folder / "market.parquet") for folder in load.run_folders(out)}


def assert_nothing_is_partial(out, undisturbed):
    """What can be read is what it should be."""
    try:
        found = tables(out)
    except FileNotFoundError:  # nothing is complete yet
        return
    for name, frame in found.items():
        assert frame.equals(undisturbed[name]), name


def start(out, launcher="joblib"):
    command = [
        sys.executable,
        "-m",
        "baimo.experiments",
        *SWEPT,
        f"output.folder={out}",
        f"hydra/launcher={launcher}",
    ]
    command += ["hydra.launcher.n_jobs=2"] if launcher == "joblib" else []
    return subprocess.Popen(
        command, cwd=ROOT, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def kill(child, whole):
    """kill -9 of all processes of a sweep, or of the first only, which orphans the workers."""
    if whole:
        os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()
    child.stdout.close()
    child.wait()


def wait_for_work(child, out, before):
    """Until a run is begun that was not there before."""
    deadline = time.monotonic() + 120
    while child.poll() is None and before.issuperset(out.glob("*/.*.part")):
        assert time.monotonic() < deadline, "the sweep never began"
        time.sleep(0.02)


def disturbed(out, undisturbed, kills, seed):
    """Kill a sweep so many times, then let it end; whoever reads meanwhile reads whole runs."""
    chance, killed, groups = random.Random(seed), 0, []
    stop, wrong = threading.Event(), []

    def read():
        while not stop.wait(0.05):
            try:
                assert_nothing_is_partial(out, undisturbed)
            except BaseException as error:
                wrong.append(error)
                return

    reader = threading.Thread(target=read)
    reader.start()
    try:
        while killed < kills:
            before = set(out.glob("*/.*.part"))
            child = start(out)
            groups.append(child.pid)
            if chance.random() < 0.8:
                wait_for_work(child, out, before)
            time.sleep(chance.uniform(0.0, 1.0))
            killed += child.poll() is None
            kill(child, whole=killed % 3 != 0)
            if len(list(out.glob("*/*/manifest.json"))) == len(undisturbed):
                break  # nothing is left to disturb
        child = start(out)
        groups.append(child.pid)
        said, _ = child.communicate(timeout=300)
        assert child.returncode == 0, said
    finally:
        stop.set()
        reader.join()
        for group in groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                continue
    assert not wrong, wrong
    return killed


def assert_whole(out, undisturbed):
    found = tables(out)
    assert found.keys() == undisturbed.keys()
    for name, frame in found.items():
        assert frame.equals(undisturbed[name]), name


@joblib
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_killed_twice(tmp_path, undisturbed):
    assert disturbed(tmp_path / "out", undisturbed, 2, seed=1)
    assert_whole(tmp_path / "out", undisturbed)


@joblib
@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_killed_twenty_times(tmp_path, undisturbed):
    killed, attempt = 0, 0
    while killed < 20:
        out = tmp_path / f"out{attempt}"
        killed += disturbed(out, undisturbed, 20 - killed, seed=attempt)
        assert_whole(out, undisturbed)
        attempt += 1


@joblib
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_two_sweeps_at_once_in_one_folder(tmp_path, undisturbed):
    out = tmp_path / "out"
    both = [start(out, launcher) for launcher in ("joblib", "basic")]
    for child in both:
        said, _ = child.communicate(timeout=300)
        assert child.returncode == 0, said
        assert "4 of 4 runs complete" in said
    assert_whole(out, undisturbed)
    assert sorted(path.name for path in (out / "baseline").iterdir()) == sorted(undisturbed), "something was left"


@joblib
def test_a_reason_comes_back_from_a_worker_process(tmp_path, capfd):
    small = ("population.apps=64", "population.max_apps=64,5056", "steps=4")
    command = ("-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", *SMALL, *small)
    assert cli.main(list(command)) == 1
    said = capfd.readouterr()
    assert "1 done, 0 skipped (complete already), 1 failed" in said.out
    (line,) = (line for line in said.out.splitlines() if line.startswith("population.max_apps=64 "))
    assert "failed" in line and "raise population.max_apps" in line
    assert len(list(tmp_path.rglob("*.failed.json"))) == 1


def workers_of(out):
    """Processes of a sweep that have a run under way, by the names of their part folders."""
    return {int(part.name.split(".")[2].partition("-")[0]) for part in out.glob("*/.*.part")}


@joblib
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_worker_that_is_killed_takes_no_other_cell_with_it(tmp_path, undisturbed):
    out = tmp_path / "out"
    child = start(out)
    wait_for_work(child, out, set())
    os.kill(workers_of(out).pop(), signal.SIGKILL)
    said, _ = child.communicate(timeout=300)
    assert child.returncode == 0, said
    assert "4 done, 0 skipped (complete already), 0 failed" in said
    assert_whole(out, undisturbed)
