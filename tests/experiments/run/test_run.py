"""The command, the run folder, the loaders, the printed table and the figure."""

from __future__ import annotations

import datetime as dt
import doctest
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from omegaconf import OmegaConf

from baimo.experiments import cli
from baimo.experiments.figures import summary
from baimo.experiments.read import half_years, load
from baimo.experiments.run import blocks, store, workers
from baimo.experiments.run.workers import RunFailed
from baimo.world.engine.population import PopulationFull

ROOT = Path(__file__).resolve().parents[3]
COLUMNS = sorted({line.column for panel in summary.PANELS for line in (*panel.lines, *panel.right)})


class FakeEnsemble:
    """The interface of world.ensemble.Ensemble with numbers that depend on seed and world only."""

    def __init__(self, cfg, worlds):
        self.cfg, self.worlds, self.steps_done = cfg, list(worlds), 0

    def step(self):
        self.steps_done += 1
        time.sleep(self.cfg.get("slow", 0.0))
        if self.cfg.get("breaks") == "full" and 3 in self.worlds:
            raise PopulationFull("no free row for a new App: raise population.apps (now 2048)")
        if self.cfg.get("breaks") == "bug" and 3 in self.worlds:
            raise ZeroDivisionError("one over none")

    def tables(self):
        frames = []
        for world in self.worlds:
            draws = np.random.default_rng([self.cfg.seed, world]).random((self.steps_done, len(COLUMNS)))
            months = [dt.date(2022 + (11 + s) // 12, (11 + s) % 12 + 1, 1) for s in range(self.steps_done)]
            keys = {"replicate": world, "step": np.arange(self.steps_done), "date": months}
            frames.append(pl.DataFrame(keys | dict(zip(COLUMNS, 1 + draws.T, strict=True))))
        market = pl.concat(frames).with_columns(
            pl.when(pl.col("step") == 0).then(float("nan")).otherwise(pl.col("hhi_tokens_cn")).alias("hhi_tokens_cn")
        )
        keys = market.select("replicate", "step", "date")
        tables = {"market": market, "events": keys.head(0).with_columns(kind=pl.lit("entry"))}
        tables["labs"] = keys.with_columns(lab_id=pl.lit(7), cash=market["hype"], exit_reason=pl.lit(None))
        if 0 in self.worlds:  # panels are kept for the first worlds only
            tables["apps"] = keys.filter(pl.col("replicate") == 0).with_columns(app_id=pl.lit(1))
        return tables


def settings(folder, **changes):
    base = {
        "scenario": "baseline",
        "worlds": 5,
        "first_world": 0,
        "seed": 1,
        "steps": 9,
        "engine": "numpy",
        "processes": 1,
        "block": 2,
        "output": {"folder": str(folder), "level": "labs", "figure": False},
        "market": {"price_sensitivity": 1.5},
    }
    return OmegaConf.merge(base, changes)


@pytest.fixture
def done(tmp_path):
    """A complete run of the fake ensemble."""
    return blocks.execute(settings(tmp_path), FakeEnsemble)


def files_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


# --- one run


def test_run_folder_holds_what_the_architecture_says(done, tmp_path):
    assert done.parent == tmp_path / "baseline"
    assert files_below(done) == [
        "apps.parquet",
        "config.yaml",
        "events.parquet",
        "labs.parquet",
        "manifest.json",
        "market.parquet",
    ]
    assert [path.name for path in done.parent.iterdir()] == [done.name], "a temporary folder stayed behind"
    facts = json.loads((done / "manifest.json").read_text())
    assert facts["status"] == "complete"
    assert facts["rows"] == {"market": 45, "labs": 45, "apps": 9, "events": 0}
    assert facts["versions"]["numpy"] == np.__version__
    assert facts["seconds"]["wall"] >= facts["seconds"]["simulation"] > 0
    assert OmegaConf.load(done / "config.yaml").market.price_sensitivity == 1.5


def test_stored_columns(done):
    market = pl.read_parquet(done / "market.parquet")
    assert market.columns[:4] == ["scenario", "replicate", "step", "date"]
    assert set(market.drop(store.KEYS).dtypes) == {pl.Float64}
    assert market["hhi_tokens_cn"].null_count() == 5, "undefined is null"
    assert not market["hhi_tokens_cn"].is_nan().any()
    labs = pl.read_parquet(done / "labs.parquet")
    assert labs.schema["cash"] == pl.Float32
    assert labs.schema["lab_id"].is_integer()
    assert market.select("replicate", "step").equals(market.select("replicate", "step").sort("replicate", "step"))


def test_blocks_and_processes_change_no_number(tmp_path):
    alone = blocks.execute(settings(tmp_path / "a", block=16), FakeEnsemble)
    spread = blocks.execute(settings(tmp_path / "b", block=1, processes=2), FakeEnsemble)
    assert alone.name == spread.name, "block and processes are no part of the run id"
    for name in ("market", "labs", "apps", "events"):
        assert pl.read_parquet(alone / f"{name}.parquet").equals(pl.read_parquet(spread / f"{name}.parquet"))


def test_machines_share_the_worlds_of_one_run_out(tmp_path):
    whole = blocks.execute(settings(tmp_path / "whole"), FakeEnsemble)
    count = load.market(whole).collect()["replicate"].n_unique()
    shards = [
        blocks.execute(settings(tmp_path / "shards", worlds=worlds, first_world=first), FakeEnsemble)
        for first, worlds in ((0, 2), (2, count - 2))
    ]
    assert shards[0].name != shards[1].name
    for name in ("market", "labs", "events"):
        parts = pl.concat([pl.read_parquet(shard / f"{name}.parquet") for shard in shards])
        assert parts.equals(pl.read_parquet(whole / f"{name}.parquet")), name


@pytest.mark.parametrize("worlds", [1, 5, 32, 33, 100])
@pytest.mark.parametrize("block", [1, 16, 64])
@pytest.mark.parametrize("processes", [1, 2, 7])
def test_split_covers_every_world_once(worlds, block, processes):
    parts = blocks.split(worlds, block, processes)
    assert [world for part in parts for world in part] == list(range(worlds))
    sizes = [len(part) for part in parts]
    assert max(sizes) <= block
    assert max(sizes) - min(sizes) <= 1
    assert len(parts) >= min(worlds, processes), "a process would idle"


def test_same_run_is_found_not_repeated(done, tmp_path, capsys):
    before = {path: path.stat().st_mtime_ns for path in done.iterdir()}
    again = blocks.execute(settings(tmp_path), build=None)  # would need the real ensemble
    assert again == done
    assert "already there" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in done.iterdir()} == before


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"processes": 4}, True),
        ({"block": 64}, True),
        ({"output": {"figure": True}}, True),
        ({"output": {"folder": "elsewhere"}}, True),
        ({"seed": 2}, False),
        ({"worlds": 6}, False),
        ({"output": {"level": "full"}}, False),
        ({"market": {"price_sensitivity": 1.6}}, False),
    ],
)
def test_run_id_changes_with_the_numbers_only(changes, same):
    assert (store.run_id(settings("x", **changes)) == store.run_id(settings("x"))) is same


def test_code_version_sees_code_and_inputs(monkeypatch, tmp_path):
    def version():
        store.code_version.cache_clear()
        return store.code_version()

    monkeypatch.setattr(store, "_ROOT", tmp_path)
    (tmp_path / "world").mkdir()
    (tmp_path / "conf").mkdir()
    (tmp_path / "world" / "a.py").write_text("x = 1")
    first = version()
    (tmp_path / "world" / "a.py").write_text("x = 2")
    second = version()
    (tmp_path / "conf" / "chips.csv").write_text("chip")
    third = version()
    (tmp_path / "world" / "a.pyc").write_text("")
    assert len({first, second, third}) == 3
    assert version() == third
    store.code_version.cache_clear()


@pytest.mark.parametrize("processes", [1, 2])
def test_failures_leave_nothing(tmp_path, processes):
    with pytest.raises(PopulationFull, match=r"raise population\.apps"):
        blocks.execute(settings(tmp_path / "out", breaks="full", processes=processes), FakeEnsemble)
    with pytest.raises(RunFailed, match=r"worlds 2-3.* step 0: ZeroDivisionError: one over none"):
        blocks.execute(settings(tmp_path / "out", breaks="bug", processes=processes, worlds=4), FakeEnsemble)
    assert files_below(tmp_path) == []


def test_two_runs_of_one_id_at_once(tmp_path):
    cfg = settings(tmp_path)
    folder = store.run_folder(cfg)

    class Slower(FakeEnsemble):
        def tables(self):
            if not folder.exists():
                blocks.execute(cfg, FakeEnsemble)
            return super().tables()

    assert blocks.execute(cfg, Slower) == folder
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert store.manifest(folder)["rows"]["market"] == 45


def test_output_folder_problems_are_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(store.OutputError, match=r"output\.folder=.*file: cannot write there"):
        blocks.execute(settings(tmp_path / "file"), FakeEnsemble)
    cfg = settings(tmp_path)
    store.run_folder(cfg).mkdir(parents=True)
    with pytest.raises(store.OutputError, match="holds no complete run"):
        blocks.execute(cfg, FakeEnsemble)


_SLOW = """
import sys
from baimo.experiments import cli, launch
from baimo.experiments.run import blocks
from tests_fake import FakeEnsemble, settings
if __name__ == "__main__":
    cfg = settings(sys.argv[1], slow=0.05, steps=2000, processes=int(sys.argv[2]))
    launch.command = lambda flags: blocks.execute(cfg, FakeEnsemble) and 0
    sys.exit(cli.main([]))
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_leaves_nothing(tmp_path, processes, signal_):
    script = tmp_path / "slow.py"
    script.write_text(_SLOW)
    (tmp_path / "tests_fake.py").write_text(Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
    out = tmp_path / "out"
    command = [sys.executable, str(script), str(out), processes]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    child = subprocess.Popen(command, env=paths, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    deadline = time.monotonic() + 60
    while not any(out.glob("baseline/.*.part")):
        assert time.monotonic() < deadline, "the run never began"
        assert child.poll() is None, child.stderr.read()
        time.sleep(0.05)
    time.sleep(0.5)
    child.send_signal(signal_)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130
    assert said.strip().splitlines()[-1] == "baimo: interrupted; nothing half-written was kept"
    assert "Traceback" not in said
    assert not out.exists()


# --- loading


def test_load_attaches_runs(done, tmp_path):
    other = blocks.execute(settings(tmp_path, scenario="embargo", market={"price_sensitivity": 2.0}), FakeEnsemble)
    market = load.market(tmp_path).select("scenario", "run").unique().sort("scenario").collect()
    assert market.rows() == [("baseline", done.name), ("embargo", other.name)]
    assert load.labs(done).collect().height == 45
    assert load.market(f"{tmp_path}/*/{done.name}").collect().height == 45
    assert load.market(done, tmp_path / "baseline").collect().height == 45, "each run once"
    assert load.settings(tmp_path).sort("scenario").rows() == [
        (done.name, 1.5, "baseline"),
        (other.name, 2.0, "embargo"),
    ]


def test_load_joins_runs_with_other_columns(done, tmp_path):
    other = blocks.execute(settings(tmp_path, seed=2), FakeEnsemble)
    path = other / "market.parquet"
    pl.read_parquet(path).with_columns(h100e_cn_new=pl.lit(1.0)).write_parquet(path)
    counted = load.market(tmp_path).group_by("run").agg(pl.col("h100e_cn_new").count()).collect()
    assert dict(counted.rows()) == {done.name: 0, other.name: 45}


def test_load_ignores_what_is_not_complete(done, tmp_path):
    (done.parent / ".0123456789.1-abcdef.part").mkdir()
    (done.parent / ".0123456789.1-abcdef.part" / "manifest.json").write_text('{"status": "complete"}')
    (done.parent / "half").mkdir()
    (done.parent / "half" / "market.parquet").write_bytes(b"PAR1")
    assert load.run_folders(tmp_path) == [done]


def test_load_errors_name_what_was_looked_for(done, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load.market(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"no edges\.parquet in the 1 complete run"):
        load.edges(done)
    with pytest.raises(ValueError, match="unknown table 'lab'; tables are market, labs"):
        load.table("lab", done)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="outputs"):
        load.market()
    monkeypatch.setattr(store, "SCHEMA_VERSION", store.SCHEMA_VERSION + 1)
    with pytest.raises(ValueError, match="schema version"):
        load.market(done)


@pytest.mark.parametrize("module", [load, store, blocks, half_years, summary])
def test_examples_in_docstrings(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


# --- table and figure


def test_table_rows_and_numbers(done):
    frame = load.market(done)
    rows = half_years.half_years(frame)
    assert [f"{date:%Y-%m}" for date in rows["date"]] == ["2022-12", "2023-06", "2023-08"]
    june = frame.filter(pl.col("date") == dt.date(2023, 6, 1)).collect()["labs_alive_cn"]
    assert rows["labs_alive_cn"][1] == pytest.approx(june.median())
    assert rows["labs_alive_cn_high"][1] == pytest.approx(np.quantile(june, 0.95))
    text = half_years.half_years_text(done)
    assert max(map(len, text.splitlines())) <= half_years.WIDTH
    assert "medians of 5 worlds" in text


def test_table_columns_never_touch():
    row = {name: 123456.0 for name in half_years._NEEDED} | {"date": dt.date(2026, 12, 1), "worlds": 9}
    row |= {"labs_alive_cn": 100.0, "labs_alive_cn_low": 100.0, "labs_alive_cn_high": 250.0}
    row |= {
        "models_released_cn": 1500.0,
        "models_filed_cn": 1000.0,
        "frontier_all": 12.34,
        "frontier_cn": 12.34,
    }
    row |= {"gap_cn_months": 120.5, "hhi_tokens_cn": 0.5, "tokens_day_cn": 9e7}
    row |= dict.fromkeys(("h100e_cn_legal", "h100e_cn_grey", "h100e_cn_domestic"), 9.9e6)
    for column in half_years.PRINTED_COLUMNS[1:]:
        assert len(column.text(row)) < column.width, column.head
        assert max(len(column.head), len(column.unit)) < column.width, column.head


def test_figure_is_drawn_and_repeats_itself(done):
    path = summary.draw_summary(done)
    assert path == done / "figures" / "summary.png"
    first = [(done / "figures" / f"summary.{kind}").read_bytes() for kind in ("png", "pdf")]
    assert all(len(content) > 20_000 for content in first)
    summary.draw_summary(done)
    assert [(done / "figures" / f"summary.{kind}").read_bytes() for kind in ("png", "pdf")] == first
    assert files_below(done / "figures") == ["summary.pdf", "summary.png"]


def test_figure_and_table_of_one_world_and_month(tmp_path):
    folder = blocks.execute(settings(tmp_path, worlds=1, steps=1), FakeEnsemble)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert summary.draw_summary(folder).exists()
    assert "one world" in half_years.half_years_text(folder)


def test_facts_are_in_the_units_of_the_columns():
    observed = summary.facts()
    drawn = {line.column for panel in summary.PANELS for line in (*panel.lines, *panel.right)}
    assert {fact.column for fact in observed} == {column for column, _ in summary.OBSERVED.values()}
    assert {fact.column for fact in observed} <= drawn
    assert all(fact.low <= fact.value <= fact.high for fact in observed)
    (tokens,) = (fact for fact in observed if fact.column == "tokens_day_cn")
    assert tokens.value == pytest.approx(1e5), "million tokens a day"
    assert summary.policy_dates()[0] == dt.date(2022, 10, 7)


# --- the command, with the real settings


@pytest.fixture
def command(tmp_path, monkeypatch, capfd):
    """Run a command line in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(blocks, "build_ensemble", FakeEnsemble)

    def call(*arguments):
        code = cli.main(list(arguments))
        return code, *capfd.readouterr()

    return call


QUICK = ("worlds=2", "steps=8", "processes=1", "output.figure=false")


def test_command_prints_table_and_place(command, tmp_path):
    code, out, _ = command(*QUICK)
    assert code == 0
    (folder,) = (tmp_path / "outputs" / "baseline").iterdir()
    assert f"outputs/baseline/{folder.name}" in out
    assert "2022-12" in out
    assert files_below(tmp_path)[:2] == ["outputs", "outputs/baseline"], "only ./outputs is written"
    again, out, _ = command(*QUICK)
    assert again == 0
    assert "already there" in out
    assert "2022-12" in out


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["worlds=abc"], ["worlds=abc", "nteger"]),
        (["worlds=0"], ["worlds", "0"]),
        (["wrlds=3"], ["wrlds=3", "did you mean worlds?"]),
        (["scenario=baselin"], ["scenario=baselin", "did you mean baseline?"]),
        (["worlds"], ["worlds", "key=value"]),
        (["seed=1,2"], ["seed=1,2", "-m"]),
        (["+surprise=1"], ["surprise"]),
        (["output.folder=/dev/null/x"], ["output.folder=/dev/null/x"]),
        (["-m", "seed=1,2", "worlds=0"], ["worlds", "0"]),
        (["-m", "seed=1,x"], ["seed=x"]),
        (["worlds=2", "-m", "seed=1,x"], ["seed=x"]),
        (["policy.embargo.rules=3"], ["policy.embargo.rules=3"]),
        (["price_sensitivity=3"], ["did you mean model_market.price_sensitivity?"]),
        (["--config-dir", "nowhere"], ["--config-dir nowhere"]),
        (["--cfg", "job", "worlds=abc"], ["worlds=abc"]),
    ],
)
def test_what_is_typed_wrongly_is_one_line(command, tmp_path, typed, said):
    code, out, err = command(*typed)
    assert code == 2
    assert len(err.strip().splitlines()) == 1, err
    assert out == ""
    for part in said:
        assert part in err
    assert files_below(tmp_path) == []


def test_population_full_is_one_line(command, monkeypatch, tmp_path):
    class Full(FakeEnsemble):
        def step(self):
            raise PopulationFull("raise population.apps (now 2048)")

    monkeypatch.setattr(blocks, "build_ensemble", Full)
    code, _, err = command(*QUICK)
    assert code == 2
    assert err.strip() == "baimo: raise population.apps (now 2048)"
    assert files_below(tmp_path) == []


def test_multirun_goes_on_after_a_failure_and_resumes(command, monkeypatch, tmp_path):
    class Unlucky(FakeEnsemble):
        def step(self):
            super().step()
            if self.cfg.seed == 2:
                raise ZeroDivisionError

    monkeypatch.setattr(blocks, "build_ensemble", Unlucky)
    code, out, err = command("-m", "seed=1,2,3", *QUICK)
    assert code == 1
    assert "2 of 3 runs complete" in out
    assert "2 done, 0 skipped (complete already), 1 failed" in out
    assert "seed=2  failed   worlds 0-1, step 0: ZeroDivisionError" in out
    assert "not complete" in err
    monkeypatch.setattr(blocks, "build_ensemble", FakeEnsemble)
    code, out, _ = command("-m", "seed=1,2,3", *QUICK)
    assert code == 0
    assert "3 of 3 runs complete" in out
    assert "1 done, 2 skipped (complete already), 0 failed" in out
    assert not list(tmp_path.rglob("*.failed.json")), "the note of a failure outlived it"
    assert len(load.run_folders(tmp_path / "outputs")) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"], "Hydra left files of its own"


# --- the real ensemble


def test_real_ensemble_gives_what_is_printed_and_drawn(tmp_path):
    from baimo.conf import schema

    cfg = schema.compose(["worlds=2", "steps=3", "processes=1", "output.figure=false", f"output.folder={tmp_path}"])
    folder = blocks.execute(cfg)
    columns = set(load.market(folder).collect_schema())
    assert set(COLUMNS) <= columns
    assert set(half_years._NEEDED) <= columns
    assert "2023-02" in half_years.half_years_text(folder)


@pytest.mark.parametrize("answer, asked", [(1, [-3, -1]), (0, [-3])])
def test_memory_is_kept_only_where_both_settings_can_be_made(monkeypatch, answer, asked):
    """glibc may refuse the threshold: then how much it keeps is left alone, which would fix the threshold too low."""
    told = []

    class Library:
        def __init__(self, name):
            pass

        def mallopt(self, option, value):
            told.append(option)
            return answer

    monkeypatch.setattr(workers.sys, "platform", "linux")
    monkeypatch.setattr(workers.ctypes, "CDLL", Library)
    workers.keep_memory()
    assert told == asked
    monkeypatch.setattr(workers.sys, "platform", "win32")
    workers.keep_memory()
    assert told == asked
