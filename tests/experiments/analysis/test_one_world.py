"""``baimo world``: the tables of one world say what its run holds, and what cannot be shown is said in one line."""

from __future__ import annotations

import polars as pl
import pytest

from baimo.experiments import cli
from baimo.experiments.analysis import one_world
from baimo.experiments.read import load


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Folder of a run of two worlds and fourteen months with its panel of labs."""
    place = tmp_path_factory.mktemp("world")
    words = ("worlds=2", "steps=14", "output.level=labs", "output.figure=false", "processes=0")
    assert cli.main(["run", *words, f"output.folder={place}"]) == 0
    (folder,) = load.run_folders(place)
    return folder


def test_the_report_of_a_world(run, capsys):
    assert cli.main(["world", str(run), "--world", "1", "--at", "2023-06,2030-01", "--largest", "4"]) == 0
    said = capsys.readouterr().out
    assert "4 largest labs in China, June 2023" in said and "2030" not in said
    for segment in ("chat", "coding", "agents"):
        assert f"| {segment} |" in said
    assert cli.main(["world", str(run), "--world", "1", "--at", "2023-06,2030-01", "--largest", "4"]) == 0
    assert "already there" in capsys.readouterr().out


def test_the_tables_are_the_runs(run):
    market = load.market(run).filter(pl.col("replicate") == 0).sort("step").collect()
    labs = load.labs(run).filter(pl.col("replicate") == 0).collect()
    (date,) = one_world.months_there(market, ["2023-06"])
    largest = one_world.largest_labs(labs, date, 5)
    here = labs.filter(pl.col("region") == "CN", "alive", pl.col("date") == date)
    assert largest["Mtok a day"].to_list() == here["tokens_day"].sort(descending=True).head(5).to_list()
    for row in largest.rows(named=True):
        assert row["margin"] == pytest.approx(1.0 - row["cost"] / row["price"], rel=1e-5)
    left = one_world.who_left(labs, 10**6)
    assert left.height == market["lab_exits_cn"].sum()
    assert set(left["why"]) <= {"insolvent", "acquired", "gave_up", "turned_to_apps", "parent_withdrew"}
    assert (left["months"] >= 0).all()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--world", "7"), "--world 7: "),
        (("--at", "June"), "months are written 2023-06"),
        (("--at", "2035-01"), "the run goes from 2022-12-01"),
    ],
)
def test_what_is_wrong_is_one_line(run, words, said, capsys):
    assert cli.main(["world", str(run), *words]) == 2
    found = capsys.readouterr().err
    assert said in found and found.count("\n") == 1


def test_a_run_without_its_labs_is_named(tmp_path, capsys):
    words = ("worlds=1", "steps=2", "output.level=market", "output.figure=false", "processes=0")
    assert cli.main(["run", *words, f"output.folder={tmp_path}"]) == 0
    capsys.readouterr()
    assert cli.main(["world", str(tmp_path), "--at", "2023-01"]) == 2
    assert "output.level=labs" in capsys.readouterr().err
