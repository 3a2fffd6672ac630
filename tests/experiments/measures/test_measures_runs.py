"""Measures on a real run: they agree with what the model records, keep the keys, and stream."""

from __future__ import annotations

import polars as pl
import pytest
from omegaconf import OmegaConf

from baimo.experiments import cli
from baimo.experiments.analysis.compare import effects
from baimo.experiments.measures import (
    concentration,
    demography,
    frames,
    gaps,
    lineage,
    prices,
    size,
    survival,
    turbulence,
    welfare,
)
from baimo.experiments.read import load

KEYS = ["scenario", "run", "replicate", "step", "date"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two runs of two worlds over 14 months; panels of apps in one world of each."""
    folder = tmp_path_factory.mktemp("outputs")
    small = ["steps=14", "worlds=2", "processes=1", "output.level=full", "output.panel_worlds=1", "output.figure=false"]
    for seed in (1, 2):
        assert cli.main([f"output.folder={folder}", f"seed={seed}", *small]) == 0
    return folder


def against(place, found, pairs, tolerance=1e-6):
    """Columns of a measure are those of the market table."""
    found = found.collect() if isinstance(found, pl.LazyFrame) else found
    assert [name for name in found.columns if name in KEYS] == KEYS
    both = load.market(place).collect().join(found, on=KEYS, suffix="_measured")
    assert both.height == found.height > 0
    for recorded, mine in pairs.items():
        mine = f"{mine}_measured" if f"{mine}_measured" in both.columns else mine
        assert both.select(((pl.col(recorded) - pl.col(mine)).abs() > tolerance).sum()).item() == 0, recorded
        assert both[recorded].null_count() == both[mine].null_count(), recorded


def test_concentration_is_as_recorded(place):
    pairs = {"hhi_tokens_cn": "hhi", "cr4_tokens_cn": "cr4", "top1_tokens_share_cn": "cr1"}
    against(place, concentration.concentration(load.labs(place)), pairs)


def test_turbulence_and_tenure_are_as_recorded(place):
    found = turbulence.hymer_pashigian(load.labs(place)).with_columns(pl.col("turbulence") / 2)
    against(place, found, {"share_turbulence_cn": "turbulence"})
    against(place, turbulence.leaders(load.labs(place)), {"leader_tenure_cn": "tenure_months"})


def test_inequality_is_as_recorded(place):
    found = size.inequality(load.labs(place), ["cash", "tokens_day"])
    against(place, found, {"gini_cash_cn": "gini_cash", "gini_tokens_cn": "gini_tokens_day"})


def test_flows_are_as_recorded(place):
    pairs = {"labs_alive_cn": "alive", "lab_entries_cn": "entries", "lab_exits_cn": "exits"}
    against(place, demography.flows(load.labs(place)), pairs)
    counted = demography.rates(demography.flows(load.labs(place)), "entries", "exits", "alive").collect()
    assert counted.equals(demography.rates(load.market(place)).collect().cast(counted.schema))


def test_lives_of_apps_are_as_recorded(place):
    apps = load.apps(place)
    lived = demography.lives(apps).collect()
    ages = apps.filter(~pl.col("alive")).select("run", "app_id", "age").collect().join(lived, on=["run", "app_id"])
    assert ages.height > 50 and (ages["age"] - ages["months"]).abs().max() < 1e-5
    market = load.market(place).filter(pl.col("replicate") == 0, pl.col("step") == 13).sort("run").collect()
    curves = survival.kaplan_meier(demography.lives(apps), ["run"])
    six = curves.filter(pl.col("age") <= 6).group_by("run").agg(pl.col("survival").min()).sort("run").collect()
    assert six["survival"].to_list() == pytest.approx(market["app_survival_6_months_share"].to_list())
    medians = survival.median_life(curves, ["run"]).collect()["median_months"].to_list()
    assert medians == market["app_survival_median_months"].to_list()


def test_gaps_are_as_recorded(place):
    found = gaps.gap(load.market(place))
    against(place, found, {"gap_cn_oom": "gap_oom"})
    # Recorded are whole steps in which the frontier stood above: up to one more than along the line.
    both = load.market(place).join(found, on=KEYS).filter(pl.col("gap_months").is_not_null()).collect()
    assert both.height > 5 and (both["gap_cn_months"] - both["gap_months"]).is_between(-1e-6, 1 + 1e-6).all()


def test_prices_are_not_below_those_recorded(place):
    found = prices.price_at(load.labs(place), [1.7]).collect().join(load.market(place).collect(), on=KEYS)
    dearer = (found["price"] - found["price_gpt35_level"]).drop_nulls()
    assert len(dearer) and (dearer > -1e-4).all() and (dearer < 1e-4).any()
    lerner = prices.lerner(load.market(place)).collect()
    assert lerner.columns[:5] == KEYS and (lerner["lerner_industry"].drop_nulls() <= 1).all()


def test_the_lineage_of_a_run(place):
    found = lineage.shape(load.edges(place), load.events(place))
    assert found.height == 2 and (found["derivative_share"].is_between(0, 1)).all()
    top = lineage.most_built_on(load.edges(place), load.labs(place), top=1)
    assert top["children"].to_list() == found["largest_in_degree"].to_list() and top["name"].null_count() == 0


def test_welfare_of_a_run(place):
    demand = welfare.Demand.of(OmegaConf.to_container(OmegaConf.load(load.run_folders(place)[0] / "config.yaml")))
    assert demand.sensitivity == 2.0 and 0.5 < demand.stake < 20.0
    found = welfare.over_time(load.market(place), demand, lag=12).collect()
    assert found.height == 2 * 2 * 2 and found.columns[:5] == KEYS
    assert found.select(pl.sum_horizontal(*welfare.PARTS)).to_series().to_list() == pytest.approx(
        found["change"].to_list()
    )
    assert (found["adoption"] > 0).all() and (found["price"] > 0).all()


def test_run_by_run_is_all_at_once(place):
    for table, measure in (
        ("labs", concentration.concentration),
        ("labs", turbulence.rank_churn),
        ("labs", size.hill),
        ("market", demography.rates),
        ("labs", demography.lives),
        ("edges", lineage.shape),
    ):
        whole = measure(load.table(table, place))
        whole = whole.collect(engine="streaming") if isinstance(whole, pl.LazyFrame) else whole
        parts = frames.by_run(table, measure, place)
        keys = [name for name in (*KEYS[:4], "lab_id") if name in whole.columns]
        assert parts.sort(keys).equals(whole.sort(keys)), measure.__name__


def test_effects_on_a_measure(place):
    """What compare does with columns of the market table it does with any measure of two arms."""
    one, two = (load.labs(folder) for folder in load.run_folders(place))
    arms = [turbulence.hymer_pashigian(labs).select("replicate", "step", "date", "turbulence") for labs in (one, two)]
    found = effects(*arms, windows={"2023": "2023-01..2023-12"}, months=False).row(0, named=True)
    means = [arm.filter(pl.col("date").dt.year() == 2023).collect()["turbulence"].mean() for arm in arms]
    assert found["column"] == "turbulence" and found["n"] == 2
    assert found["effect"] == pytest.approx(means[0] - means[1])
