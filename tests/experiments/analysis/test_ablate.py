"""The ablation: what is taken out, the statistics, the report, what is not computed twice."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import polars as pl
import pytest
from scipy import stats

from baimo.conf.mechanisms import BY_NAME, MECHANISMS
from baimo.conf.schema import compose
from baimo.experiments import cli
from baimo.experiments.analysis import ablate, paired
from baimo.experiments.analysis.paired import LAST_YEAR, Outcome
from baimo.experiments.read import load
from baimo.experiments.report import ablation_report
from baimo.experiments.run import cells

#: Left out of CI, which has half an hour; run before a release: ``pytest -m slow``.
pytestmark = pytest.mark.slow

SMALL = ["worlds=3", "steps=8", "processes=1"]


@pytest.fixture
def two(monkeypatch):
    """Two mechanisms with switches of the test's own: one acts in the baseline, one in a scenario only."""
    chosen = {
        "launch": ({"training.success_base": 0.0}, ("training_failures_cn", "no_such_column"), ()),
        "tuning_hub": ({"decisions.launch_chance": 0.9}, (), ("decisions.planning=random",)),
    }
    kept = []
    for name, (off, shows, scenario) in chosen.items():
        declared = BY_NAME[name]
        monkeypatch.setitem(BY_NAME, name, dataclasses.replace(declared, off=off, shows=shows, scenario=scenario))
        kept.append(BY_NAME[name])
    for module in (ablate, ablation_report):
        monkeypatch.setattr(module, "MECHANISMS", tuple(kept))
    return kept


def ablation(folder, *words):
    return cli.main(["ablate", f"output.folder={folder}", *SMALL, *words])


def report(folder):
    (found,) = (folder / "ablation").glob("report-*")
    return found


# ---------------------------------------------------------------------- the whole


def test_a_report_of_effects(two, tmp_path, capsys):
    assert ablation(tmp_path, "--only", "mechanisms,pricing", "--dates", "2023-05") == 0
    found = report(tmp_path)
    frame = pl.read_parquet(found / "effects.parquet")
    assert set(frame["label"]) == {"M19 launch", "M68 tuning_hub", "random pricing"}
    assert set(frame["period"]) == {LAST_YEAR, paired.WHOLE_RUN, "2023-05"}
    launch = frame.filter(pl.col("name") == "launch", pl.col("period") == LAST_YEAR)
    assert set(launch["column"]) == {each.column for each in ablate.OUTCOMES} | {"training_failures_cn"}
    # An off-switch that makes launches fail more often: with the mechanism there are fewer failures.
    (failures,) = launch.filter(pl.col("column") == "training_failures_cn").to_dicts()
    assert failures["effect"] < 0.0 and failures["n"] == 3
    text = (found / "effects.md").read_text(encoding="utf-8")
    assert text.strip() in capsys.readouterr().out
    assert "M68 tuning_hub: in `decisions.planning=random` it moves" in text
    assert "random pricing" in text
    assert "Not in the market table, so not compared: M19 `no_such_column`." in text
    assert (found / "effects.png").stat().st_size > 10_000
    assert json.loads((found / "report.json").read_text())["periods"] == [LAST_YEAR, paired.WHOLE_RUN, "2023-05"]


def test_the_runs_are_runs_like_any_other(two, tmp_path, capsys):
    """A cell of the ablation is what ``baimo`` gives for the same settings, and load reads it."""
    assert ablation(tmp_path, "--only", "launch") == 0
    frame = pl.read_parquet(report(tmp_path) / "effects.parquet")
    market = load.market(tmp_path / "ablation" / "*").collect()
    assert market["run"].n_unique() == 2
    alive = {run: part["labs_alive_cn"].mean() for (run,), part in market.group_by("run")}
    row = frame.filter(pl.col("column") == "labs_alive_cn", pl.col("period") == LAST_YEAR).row(0, named=True)
    assert row["effect"] == pytest.approx(alive[row["run_with"]] - alive[row["run_without"]])


def test_a_finished_cell_is_not_computed_again(two, tmp_path, monkeypatch, capsys):
    assert ablation(tmp_path, "--only", "pricing") == 0
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    asked = []
    genuine = cells._run_cell
    monkeypatch.setattr(
        cells, "_run_cell", lambda cfg, folder, tick: asked.append(folder) or genuine(cfg, folder, tick)
    )
    assert ablation(tmp_path, "--only", "pricing") == 0
    assert not asked and "already there" in capsys.readouterr().out
    assert ablation(tmp_path, "--only", "pricing,openness") == 0
    assert len(asked) == 1  # the baseline is there, and so is random pricing
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())
    assert len([*(tmp_path / "ablation").glob("report-*")]) == 2


def test_over_processes_the_same_numbers(tmp_path, capsys):
    words = ["worlds=2", "steps=2", "--only", "pricing"]
    for processes in (1, 2):
        assert cli.main(["ablate", f"output.folder={tmp_path / str(processes)}", f"processes={processes}", *words]) == 0
    one, two = (pl.read_parquet(report(tmp_path / name) / "effects.parquet") for name in "12")
    assert one.equals(two)


def test_a_breakdown_says_where_and_keeps_what_is_done(tmp_path, monkeypatch, capsys):
    class Broken:
        def __init__(self, cfg, worlds):
            raise ZeroDivisionError("nobody")

    assert ablation(tmp_path, "--only", "pricing") == 0
    done = {path for path in tmp_path.rglob("*.parquet")}
    monkeypatch.setattr(cells.blocks, "build_ensemble", Broken)
    assert ablation(tmp_path, "--only", "openness") == 1
    said = capsys.readouterr().err
    assert "ablate: failed: ablation/" in said and "ZeroDivisionError: nobody" in said
    assert {path for path in tmp_path.rglob("*.parquet")} == done


# ---------------------------------------------------------------------- what was typed


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--only", "M99"], "--only M99: there is no such mechanism, moat or decision; "),
        (["--only", "pricin"], "--only pricin: there is no such mechanism, moat or decision; did you mean pricing?"),
        (["--dates", "2031-01"], "--dates 2031-01: must be months from 2022-12 to 2026-11"),
        (["--dates", "soon"], "--dates soon: must be months from 2022-12 to 2026-11"),
        (["worlds=1"], "worlds=1: must be at least 2"),
        (["worlds=many"], "worlds=many"),
        (["wurlds=4"], "wurlds=4: there is no setting 'wurlds'; did you mean worlds?"),
        (["model_market.price_sensitivity=-1"], "model_market.price_sensitivity=-1: must be between 0.05 and"),
        (["scenario=none_such"], "scenario=none_such: there is no such scenario; choose from baseline"),
        (["M08"], "M08: not a setting; write key=value, for example worlds=16"),
        (["seed=1,2"], "seed=1,2: several values"),
    ],
)
def test_one_line_for_what_is_wrong(words, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["ablate", *words]) == 2
    said = capsys.readouterr().err
    assert says in said and said.startswith("baimo ablate: ") and said.count("\n") == 1
    assert not [*tmp_path.iterdir()]


def test_an_unknown_option_is_one_line_too(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["ablate", "--wurlds", "3"])
    assert left.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


# ---------------------------------------------------------------------- what is compared


def test_what_is_off_already_is_not_compared(two):
    names = {each.name for each in ablate.comparisons(compose(["mechanisms.launch=false"]))}
    assert "tuning_hub" in names and "launch" not in names
    assert "openness" not in {each.name for each in ablate.comparisons(compose(["decisions.openness=random"]))}


def test_every_moat_is_set_to_nothing_alone():
    cfg = compose()
    for each in ablate.comparisons(cfg):
        if each.kind == "moats":
            ((key, value),) = each.off
            assert key == f"moat.{each.name}" and value == 0.0
            assert cells.changed(cfg, {key: value}).moat[each.name] == 0.0


def test_every_mechanism_can_be_taken_out():
    assert all(each.off and each.shows for each in MECHANISMS)


# ---------------------------------------------------------------------- statistics


def test_the_interval_is_that_of_the_paired_t_test():
    rng = np.random.default_rng(5)
    with_, without = rng.normal(1.0, 2.0, 40), rng.normal(0.6, 2.0, 40)
    found, expected = paired.paired_t_test(with_, without), stats.ttest_rel(with_, without)
    interval = expected.confidence_interval(0.95)
    assert (found["t"], found["p"]) == pytest.approx((expected.statistic, expected.pvalue))
    assert (found["low"], found["high"]) == pytest.approx((interval.low, interval.high))


def test_pairs_without_a_value_are_left_out():
    with_, without = np.array([1.0, np.nan, 3.0, 5.0]), np.array([0.5, 1.0, 2.0, np.nan])
    found = paired.paired_t_test(with_, without)
    assert found["n"] == 2 and found["effect"] == pytest.approx(0.75)
    assert np.isnan(paired.paired_t_test(with_[:2], without[:2])["effect"])


def test_a_certain_difference_needs_no_test():
    same = np.arange(4.0)
    assert (paired.paired_t_test(same, same)["t"], paired.paired_t_test(same, same)["p"]) == (0.0, 1.0)
    assert (paired.paired_t_test(same, same - 1.0)["t"], paired.paired_t_test(same, same - 1.0)["p"]) == (np.inf, 0.0)


def test_chance_findings_are_told_from_others():
    """Of a thousand true nulls about fifty are beyond two errors and hardly any keeps q below 5%."""
    rng = np.random.default_rng(6)
    rows = [paired.paired_t_test(rng.normal(size=64), rng.normal(size=64)) for _ in range(1000)]
    rows += [paired.paired_t_test(rng.normal(1.0, 1.0, 64), rng.normal(size=64)) for _ in range(50)]
    frame = paired.with_q(pl.DataFrame(rows).with_columns(pl.lit(0).alias("family")), ["family"])
    marked = [paired.marks(row) for row in frame.iter_rows(named=True)]
    assert 20 < sum(mark != "" for mark in marked[:1000]) < 90
    assert sum(mark == "**" for mark in marked[:1000]) <= 6
    assert sum(mark == "**" for mark in marked[1000:]) >= 45


def test_means_of_a_period(tmp_path):
    from datetime import date

    dates = [date(2022 + (11 + step) // 12, (11 + step) % 12 + 1, 1) for step in range(20)]
    frame = pl.DataFrame(
        {
            "replicate": [0] * 20 + [1] * 20,
            "date": dates * 2,
            "labs_alive_cn": [float(step) for step in range(20)] + [1.0] * 20,
            "price_gpt35_level": [None] * 8 + [float(np.e)] * 12 + [None] * 20,
        }
    )
    frame.write_parquet(tmp_path / "market.parquet")
    last_year = paired.world_means(tmp_path, Outcome("labs_alive_cn"), LAST_YEAR)
    assert last_year.tolist() == [np.mean(range(8, 20)), 1.0]
    assert paired.world_means(tmp_path, Outcome("labs_alive_cn"), "2023-03").tolist() == [3.0, 1.0]
    logs = paired.world_means(tmp_path, Outcome("price_gpt35_level"), LAST_YEAR)
    assert logs[0] == pytest.approx(1.0) and np.isnan(logs[1])
