"""Designs: the points, the worlds at them, the run that carries them, and what is refused."""

from __future__ import annotations

import dataclasses
import doctest

import numpy as np
import polars as pl
import pytest

from baimo.conf.parameters.policy import PolicyGroups
from baimo.conf.schema import compose
from baimo.experiments import cli
from baimo.experiments.read import load
from baimo.experiments.run import design, store
from baimo.experiments.run.cells import changed
from baimo.world.ensemble import Ensemble

INHERITANCE, LEAP = "technology.inheritance", "training.success_leap"
SMALL = ("steps=4", "processes=1")


@pytest.fixture
def command(tmp_path, monkeypatch, capfd):
    """Run a command line in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = cli.main(["design", *list(arguments)])
        return code, *capfd.readouterr()

    return call


def only_run():
    (folder,) = load.run_folders("outputs")
    return folder


# ---------------------------------------------------------------------- points


def test_examples_in_docstrings():
    found = doctest.testmod(design)
    assert found.attempted > 0 and found.failed == 0


def test_a_latin_hypercube_has_one_point_in_every_part_of_every_range():
    points = design.latin_hypercube({INHERITANCE: (0.3, 0.9), LEAP: (0.01, 100.0, "log")}, n=40, seed=3)
    parts = (points[INHERITANCE].to_numpy() - 0.3) / 0.6, (np.log10(points[LEAP].to_numpy()) + 2.0) / 4.0
    for part in parts:
        assert sorted(np.floor(part * 40).astype(int)) == list(range(40))
    assert points.equals(design.latin_hypercube({INHERITANCE: (0.3, 0.9), LEAP: (0.01, 100.0, "log")}, n=40, seed=3))
    assert not points.equals(design.latin_hypercube({INHERITANCE: (0.3, 0.9), LEAP: (0.01, 100.0, "log")}, 40, 4))


def test_luck_is_common_to_the_points_or_each_worlds_own():
    points = design.grid(**{LEAP: [1.0, 2.0, 3.0]})
    common = design.spread(points, worlds=2, first_world=5)
    assert common["replicate"].to_list() == [5, 6, 7, 8, 9, 10]
    assert common["luck"].to_list() == [5, 6, 5, 6, 5, 6]
    assert common[LEAP].to_list() == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]
    own = design.spread(points, worlds=2, first_world=5, common=False)
    assert own["luck"].equals(own["replicate"].alias("luck"))


@pytest.mark.parametrize(
    ("typed", "levels"),
    [("1,2,4", [1, 2, 4]), ("0:1:3", [0, 0.5, 1]), ("1:100:3:log", [1, 10, 100]), ("-1:1:2", [-1, 1])],
)
def test_levels_of_a_grid(typed, levels):
    assert design.dimension("a.b", typed).levels == pytest.approx(levels)


# ---------------------------------------------------------------------- the run


def test_a_design_is_a_run_whose_every_world_is_that_world_alone(command):
    """Bit for bit the history that the point's values give, with the luck that the design says."""
    typed = ("lhs", "n=3", "worlds=2", f"{INHERITANCE}=0.3:0.9", f"{LEAP}=0.5:3:log", "block=4", *SMALL)
    code, out, _ = command(*typed)
    assert code == 0
    assert "3 points of 2 parameters, 2 worlds each" in out
    folder = only_run()
    assert store.manifest(folder)["rows"]["design"] == 6
    table, market = pl.read_parquet(folder / "design.parquet"), pl.read_parquet(folder / "market.parquet")
    assert table.columns == ["replicate", "point", "luck", INHERITANCE, LEAP]
    for row in table.rows(named=True)[::3]:
        config = changed(compose(["output.level=market"]), {key: row[key] for key in (INHERITANCE, LEAP)})
        alone = Ensemble(config, (row["luck"],)).run(4).tables()["market"]
        there = market.filter(pl.col("replicate") == row["replicate"])
        values = pl.exclude(*store.KEYS)
        assert there.select(values).equals(alone.select(values.fill_nan(None)).select(there.select(values).columns))
    assert "already there" in command(*typed)[1]
    assert only_run() == folder
    joined = load.market("outputs").join(load.design("outputs"), on=["run", "replicate"]).collect()
    assert joined.height == market.height


def test_equal_points_of_common_luck_are_equal_and_of_their_own_luck_are_not():
    points = pl.DataFrame({INHERITANCE: [0.7, 0.7]})
    for common in (True, False):
        table = design.spread(points, 1, common=common)
        tables = design.DesignBuilder(table)(compose(["output.level=full"]), range(2)).run(3).tables()
        for name in ("market", "labs", "apps"):
            first, second = (tables[name].filter(pl.col("replicate") == i).drop("replicate") for i in (0, 1))
            assert first.equals(second, null_equal=True) is common, name


def test_other_points_are_another_run(command):
    for words in (["n=2"], ["n=3"], ["n=2", "draw=2"], ["n=2", "common=false"], ["n=2", "seed=2"]):
        assert command("lhs", f"{LEAP}=0.5:3", "worlds=1", "steps=1", "processes=1", *words)[0] == 0
    assert len(load.run_folders("outputs")) == 5


def test_a_grid_over_policies_and_switches(command):
    words = ("policy.compute.vouchers=0,2000", "mechanisms.data_flywheel=0,1", "policy/compute=vouchers")
    assert command("grid", *words, "worlds=1", *SMALL)[0] == 0
    table = load.design("outputs").collect()
    assert table.select("policy.compute.vouchers", "mechanisms.data_flywheel").rows() == [
        (0, 0),
        (0, 1),
        (2000, 0),
        (2000, 1),
    ]


# ---------------------------------------------------------------------- strengths of policies


def strengths():
    """Every policy with a strength, and what must be set besides for it to say anything."""
    besides = {
        "open_source.subsidy": ["policy/open_source=subsidy"],
        "open_source.subsidy_paid": ["policy/open_source=subsidy"],
        "compute.priority_gap": ["policy/compute=priority"],
        "talent.training_cost": ["policy.talent.training=1000"],
        "technology.breakthrough_gain": ["policy.technology.breakthrough=2023-12-15"],
    }
    for group in dataclasses.fields(PolicyGroups):
        kind = group.default_factory
        for each in dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ():
            if isinstance(each.default, float):
                name = f"{group.name}.{each.name}"
                yield f"policy.{name}", min(each.metadata["high"] / 2, 3000.0), besides.get(name, [])


@pytest.mark.slow
@pytest.mark.parametrize(("key", "value", "besides"), list(strengths()), ids=lambda each: str(each))
def test_the_strength_of_a_policy_can_differ_between_worlds(key, value, besides):
    config = compose(["output.level=market", "start=2023-11", "policy/embargo=tight", *besides])
    together = Ensemble(config, (0, 1), {key: [0.0, value]}, random_ids=(1, 1)).run(4).tables()["market"]
    alone = Ensemble(changed(config, {key: value}), (1,)).run(4).tables()["market"]
    first, second = (together.filter(pl.col("replicate") == i).drop("replicate") for i in (0, 1))
    assert second.equals(alone.drop("replicate"), null_equal=True)
    assert not second.equals(first, null_equal=True), "nothing comes of it"


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ([f"{INHERITANCE}=0.3:9"], [f"{INHERITANCE}=9: must be between 0.05 and 1"]),
        (["technology.inheritence=0.3:0.9"], ["no such parameter", f"did you mean {INHERITANCE}?"]),
        (["graph.degree=4:8"], ["graph.degree: only numbers with a fraction"]),
        (["graph.rewiring=0:1"], ["graph.rewiring: is common to all worlds"]),
        (["mechanisms.data_flywheel=0:1"], ["mechanisms.data_flywheel: is a switch"]),
        (["policy.compute.vouchers=-5:5"], ["policy.compute.vouchers=-5: must be between"]),
        (["n=x", f"{LEAP}=1:2"], ["n=x", "whole number"]),
        (["worlds=0", f"{LEAP}=1:2"], ["worlds=0", "at least 1"]),
        (["common=maybe", f"{LEAP}=1:2"], ["common=maybe", "true or false"]),
        ([f"{LEAP}=2:1"], [f"{LEAP}=2:1", "low must be less"]),
        ([f"{LEAP}=0:1:log"], ["above 0"]),
        ([f"{LEAP}=1,2"], ["range low:high"]),
        ([f"{LEAP}=1:2", f"{LEAP}=1:3"], ["given twice"]),
        ([f"{LEAP}=1:2", "scenario=baselin"], ["did you mean baseline?"]),
        (["seed=2"], ["nothing varies"]),
        (["word"], ["key=value"]),
    ],
)
def test_what_is_typed_wrongly_is_one_line(command, tmp_path, typed, said):
    code, out, err = command("lhs", *typed)
    assert code == 2
    assert len(err.strip().splitlines()) == 1, err
    assert out == ""
    for part in said:
        assert part in err
    assert not list(tmp_path.iterdir())


def test_a_design_is_no_setting(capfd):
    assert cli.main(["design={points: 3}"]) == 2
    assert "no setting 'design'" in capfd.readouterr().err
