"""Scenarios of technology: direction, and nothing before their date."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tests.paired_runs import effect, market, table, together

#: Alternatives that the model of training reads, with the first step that they may change.
DATED = {"scaling_stops": 18, "breakthrough": 18}
FOURTH = (36, 48)


def choose(name: str) -> str:
    """The override that chooses an alternative."""
    return f"policy/technology={name}"


together(choose("scaling_wall"), steps=48)
together(choose("scaling_stops"), steps=48)
together(choose("breakthrough"), worlds=24)


@pytest.mark.parametrize(("name", "step"), DATED.items())
def test_nothing_differs_before_the_date(name, step):
    with_, without = market(choose(name)), market()
    before = pl.col("step") < step
    assert with_.filter(before).equals(without.filter(before))
    assert not with_.equals(without)


def test_where_scaling_stops_large_runs_buy_no_more():
    stop = effect("frontier_all", choose("scaling_stops"), window=FOURTH, steps=48)
    assert stop.z > 4.0 and 0.15 < stop.mean < 1.5
    run = effect("largest_run_row_flop", choose("scaling_stops"), window=(28, 36))
    assert run.z > 3.0 and run.ratio > 1.25
    # Who leads stands still first, and the others come closer.
    assert effect("gap_cn_oom", choose("scaling_stops"), window=FOURTH, steps=48).z > 4.0


def test_a_wall_at_a_known_size_holds_and_is_met_in_the_fourth_year():
    """It takes the largest runs; the frontier, which lives by efficiency too, is not behind within the year."""
    runs = {each: market(*each, steps=48)["largest_run_row_flop"].max() for each in ((choose("scaling_wall"),), ())}
    assert runs[choose("scaling_wall"),] <= 1.0e26 * (1.0 + 1e-9) < runs[()]
    wall = effect("largest_run_row_flop", choose("scaling_wall"), window=FOURTH, steps=48)
    assert wall.z > 3.3 and wall.ratio > 1.25
    walled, windows = choose("scaling_wall"), ((0, 24), (24, 36), FOURTH)
    early, third, late = (effect("frontier_all", walled, window=window, steps=48) for window in windows)
    assert abs(late.mean) < 0.1
    # Who is below it does not feel it: nobody for two years, hardly anybody in the third, nearly all in the fourth.
    assert np.array_equal(early.with_, early.without) and np.mean(late.with_ != late.without) > 0.8
    assert np.median(np.abs(third.with_ - third.without)) < 0.005


def test_a_breakthrough_is_absorbed_by_those_who_do_research():
    public = effect("efficiency_public", choose("breakthrough"), window=(19, 36))
    assert public.ratio < 0.3  # ten to the 0.7 is five times
    for column in ("frontier_cn", "frontier_all"):
        soon, late = (
            effect(column, choose("breakthrough"), window=window, worlds=24) for window in ((18, 20), (30, 36))
        )
        assert late.z < -4.0 and late.mean < -0.15
        assert abs(soon.mean) < 0.25 * abs(late.mean)  # not handed out on the day
    # Who does little research takes up less of it.
    labs = [table("labs", *arm) for arm in ((choose("breakthrough"),), ())]
    there = (pl.col("region") == "CN") & (pl.col("founded") < 18) & pl.col("step").is_between(20, 26)
    gains = {}
    for kind in ("big_tech", "follower"):
        treated, control = (each.filter(there, pl.col("archetype") == kind)["efficiency"].log().mean() for each in labs)
        gains[kind] = treated - control
    assert 0.3 < gains["big_tech"] < 1.6 and gains["follower"] < 0.6 * gains["big_tech"]


@pytest.mark.parametrize("name", ["scaling_stops", "scaling_wall", "breakthrough", "multimodal", "edge_progress"])
def test_alternatives_compose_with_other_groups(name):
    overrides = (choose(name), "policy/open_source=champion_opens", "policy/embargo=none")
    together(overrides, worlds=2, steps=24)
    frame = market(*overrides, worlds=2, steps=24)
    assert frame["frontier_all"].is_finite().all()
