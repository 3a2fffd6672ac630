"""Topologies of acquaintance: from a file, what spreads along them, and the experiment on them."""

from __future__ import annotations

from types import SimpleNamespace

import networkx as nx
import numpy as np
import polars as pl
import pytest
from omegaconf import OmegaConf

from baimo.conf.schema import ConfigError, compose
from baimo.experiments import cli
from baimo.experiments.analysis import paired
from baimo.experiments.report import topology_report
from baimo.experiments.run import store
from baimo.world.capital.rounds import _hold
from baimo.world.engine import kernels
from baimo.world.ensemble import Ensemble
from baimo.world.network.social import neighbour_best, neighbour_share
from baimo.world.record.outputs_inequality import deviation, gini_among
from tests.paired_runs import effect, market, together


@pytest.fixture
def cliques(tmp_path):
    file = tmp_path / "cliques.graphml"
    nx.write_graphml(nx.connected_caveman_graph(12, 8), file)
    return file


def from_file(file):
    return ["graph=graphml", f"graph.path='{file}'"]


# ---------------------------------------------------------------------- GraphML


def test_ties_are_read_from_a_file(cliques):
    world = Ensemble([*from_file(cliques), "output.level=market"], range(2)).run(2).world
    ties = world.ties.drawn["lab_lab"]
    degree = (ties >= 0).sum(0)
    assert 3 < degree.mean() < 8  # of seven or eight ties some go to investors
    np.testing.assert_array_equal(ties[:, 0], ties[:, 1])  # one graph for all worlds
    written = nx.read_graphml(cliques)
    assert degree.max() <= max(d for _, d in written.degree)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "there is no such file"),
        ("hello", "cannot be read"),
        ("<a></a>", "cannot be read"),
        (
            '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="undirected"/></graphml>',
            "no nodes",
        ),
    ],
)
def test_a_file_that_will_not_do_gives_one_clear_line(text, says, tmp_path):
    file = tmp_path / "ties.graphml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        compose(from_file(file))
    assert str(caught.value).startswith(f"graph.path={file}: ") and says in str(caught.value)
    assert "must be a GraphML file" in str(caught.value) and "\n" not in str(caught.value)


def test_no_file_at_all():
    with pytest.raises(ConfigError, match=r"graph\.path=: must name a GraphML file"):
        compose(["graph=graphml"])


def test_another_content_is_another_run(cliques, tmp_path):
    cfg = compose(from_file(cliques))
    before = store.run_id(cfg)
    moved = tmp_path / "elsewhere.graphml"
    moved.write_bytes(cliques.read_bytes())
    OmegaConf.update(cfg, "graph.path", str(moved))
    assert store.run_id(cfg) == before
    nx.write_graphml(nx.star_graph(20), moved)
    assert store.run_id(cfg) != before


# ---------------------------------------------------------------------- measures


@pytest.mark.parametrize("seed", range(3))
def test_gini_after_its_definition(seed):
    rng = np.random.default_rng(seed)
    values, among = rng.lognormal(0.0, 2.0, (2, 50)), rng.random((2, 50)) < 0.6
    values[0, :10] = 0.0
    for world in range(2):
        x = values[world, among[world]]
        expected = np.abs(x[:, None] - x).sum() / (2.0 * len(x) ** 2 * x.mean())
        assert gini_among(values, among)[world, 0] == pytest.approx(expected)
        assert deviation(values, among)[world, 0] == pytest.approx(x.std())


def test_empty_rows_change_no_bit_of_gini():
    rng = np.random.default_rng(1)
    values, among = rng.lognormal(0.0, 2.0, (100, 128)), rng.random((100, 128)) < 0.6
    grown = (np.hstack([each, np.zeros((100, 48), each.dtype)]) for each in (values, among))
    assert np.array_equal(gini_among(*grown), gini_among(values, among))


def test_gini_of_equals_of_one_and_of_nothing():
    among = np.array([[True] * 4, [True] * 4, [False] * 4])
    values = np.array([[2.0] * 4, [0.0, 0.0, 0.0, 5.0], [1.0] * 4])
    found = gini_among(values, among)[:, 0]
    assert found[:2] == pytest.approx([0.0, 0.75]) and np.isnan(found[2])


def test_the_best_neighbour_is_the_best_of_all_neighbours():
    rng = np.random.default_rng(3)
    values, alive = rng.normal(size=(2, 40)), rng.random((2, 40)) < 0.7
    ties = rng.integers(-1, 40, (9, 2, 40))
    known = [[(ties[:, w, i], alive[w]) for i in range(40)] for w in range(2)]
    friends = [[[t for t in tied if t >= 0 and there[t]] for tied, there in row] for row in known]
    expected = [[max([values[w, t] for t in mine], default=-9.0) for mine in row] for w, row in enumerate(friends)]
    np.testing.assert_array_equal(neighbour_best(values, ties, alive, -9.0), expected)
    mask = rng.random((2, 40)) < 0.5
    share = [[np.mean(mask[w, mine]) if mine else 0.0 for mine in row] for w, row in enumerate(friends)]
    np.testing.assert_allclose(neighbour_share(mask, ties, alive), share)
    with kernels.plain():
        np.testing.assert_array_equal(neighbour_best(values, ties, alive, -9.0), expected)


def test_new_holders_stand_in_front_and_the_oldest_fall():
    """Two labs, three places: the last who pays comes first, and who pays nothing is not entered."""
    stakes = np.array([[[1.0, 1.0]], [[2.0, 2.0]], [[3.0, 3.0]]])
    labs = SimpleNamespace(columns={"holder_stake": stakes})
    paid = np.array([[5.0, 0.0], [0.0, 0.0], [7.0, 8.0], [6.0, 0.0]])
    _hold(labs, np.array([0, 0]), np.array([0, 1]), paid, holder_stake=paid)
    assert stakes[:, 0].T.tolist() == [[6.0, 7.0, 5.0], [8.0, 1.0, 2.0]]


# ---------------------------------------------------------------------- what ties do

TIES = ("graph=complete", "graph=empty")
for each in TIES:
    together(each, worlds=8, steps=24)


def test_who_knows_everybody_hears_at_once():
    """Complete against empty: knowledge of a new base is immediate; without ties it takes the notice period."""
    complete, empty = (market(graph, worlds=4, steps=24) for graph in TIES)
    known = complete.filter(pl.col("know_best_base_share_cn").is_not_nan())
    assert (known["know_best_base_share_cn"] > 0.99).mean() > 0.95
    months = empty.sort("replicate", "step").with_columns(
        (pl.col("best_base_cn").diff().over("replicate") > 1e-9).alias("new")
    )
    assert (months.filter("new")["know_best_base_share_cn"] < 0.1).all()


def test_ties_even_out_know_how_and_keep_labs_alive():
    found = effect("efficiency_spread_cn", "graph=empty", worlds=8, window=(12, 24), steps=24)
    assert found.z < -3.0
    assert effect("gini_cash_cn", "graph=empty", worlds=8, window=(12, 24), steps=24).z < -3.0


# ---------------------------------------------------------------------- the experiment


def test_a_report(tmp_path, cliques, capsys, monkeypatch):
    few = {name: topology_report.topologies(str(cliques))[name] for name in ("rewiring 1", "empty", "cliques.graphml")}
    monkeypatch.setattr(topology_report, "topologies", lambda file: few)
    words = ["worlds=3", "steps=8", "processes=1", f"output.folder={tmp_path}", "--graphml", str(cliques)]
    assert cli.main(["topology", *words]) == 0
    (folder,) = (tmp_path / "topology").glob("report-*")
    frame = pl.read_parquet(folder / "topology.parquet")
    assert set(frame["topology"]) == set(few) and set(frame["question"]) == {
        "speed of spillover",
        "inequality",
        "survival",
    }
    text = (folder / "topology.md").read_text(encoding="utf-8")
    assert text.strip() in capsys.readouterr().out
    assert "**survival**: null" in text or "**survival**: " in text
    assert (folder / "topology.png").stat().st_size > 10_000
    assert cli.main(["topology", *words]) == 0 and "already there" in capsys.readouterr().out


def test_a_null_is_said(tmp_path):
    same = paired.paired_t_test(np.arange(4.0), np.arange(4.0))
    rows = [
        {"topology": "empty", "question": question, "label": question, "column": "x", "log": False} | same
        for question in ("speed of spillover", "survival")
    ]
    frame = paired.with_q(pl.DataFrame(rows), [])
    assert "- **survival**: null, no topology moves it." in topology_report.topology_text(frame, compose())


def test_months_until_half_know(tmp_path):
    """Two new bases; half know after two months the first time, after one the second."""
    steps = 8
    from datetime import date

    frame = pl.DataFrame(
        {
            "replicate": [0] * steps,
            "date": [date(2023, 1 + step, 1) for step in range(steps)],
            "best_base_cn": [1.0, 2.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0],
            "know_best_base_share_cn": [1.0, 0.1, 0.2, 0.9, 1.0, 0.1, 0.8, 1.0],
            "lab_exits_cn": [1.0] * steps,
            "labs_alive_cn": [60.0] * steps,
        }
    )
    frame.write_parquet(tmp_path / "market.parquet")
    by_name = {each.outcome.column: each for each in topology_report.topology_measures(1.0)}
    wait, hazard = (
        paired.world_means(tmp_path, by_name[name].outcome, by_name[name].period)
        for name in ("months_to_half", "exit_hazard")
    )
    assert wait == pytest.approx([1.5]) and hazard == pytest.approx([0.2])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["graph=complete"], "graph=complete: the graph is what is compared here"),
        (["graph.degree=4"], "graph.degree=4: the graph is what is compared here"),
        (["worlds=1"], "worlds=1: must be at least 2"),
        (["--graphml", "none.graphml"], "graph.path=none.graphml: there is no such file"),
        (["worlds"], "worlds: not a setting"),
    ],
)
def test_one_line_for_what_is_wrong(words, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["topology", *words]) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1 and not [*tmp_path.iterdir()]
