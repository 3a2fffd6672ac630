"""The twelve scenarios: each says why it is told, changes what it says, and moves what it is about."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from baimo import conf
from baimo.agents.enums import ALL_OPEN
from baimo.conf.schema import compose
from tests.paired_runs import Effect, by_world, effect, market, table, together

FOLDER = Path(conf.__file__).parent / "scenario"
STORIES = [
    "baseline",
    "no_embargo",
    "early_embargo",
    "embargo_tight",
    "open_frontier",
    "closed_world",
    "strict_licensing",
    "national_platform",
    "scaling_stops",
    "data_drought",
    "funding_winter",
    "price_floor",
]
#: Scenario, column, sign of (baseline - scenario), steps.
DIRECTIONS = [
    ("no_embargo", "h100e_cn_legal", -1, (24, 36)),
    ("no_embargo", "hhi_chips_cn", -1, (24, 36)),
    ("early_embargo", "h100e_cn_legal", +1, (6, 18)),
    ("embargo_tight", "h100e_cn_legal", +1, (24, 36)),
    ("closed_world", "labs_on_open_base_cn", +1, (12, 36)),
    ("closed_world", "models_released_cn", +1, (12, 36)),
    ("strict_licensing", "models_filed_cn", +1, (12, 36)),
    ("national_platform", "platform_strength", -1, (24, 36)),
    ("scaling_stops", "frontier_all", +1, (36, 48)),
    ("scaling_stops", "gap_cn_oom", +1, (36, 48)),
    ("data_drought", "frontier_all", +1, (24, 36)),
    ("funding_winter", "funding_cn", +1, (12, 36)),
    ("price_floor", "price_light_cn", -1, (24, 36)),
    ("price_floor", "tokens_day_cn", +1, (24, 36)),
]
#: Standard errors that an effect must exceed, where worlds differ much in it.
WEAK = {("data_drought", "frontier_all"): 2.5}

together("scenario=scaling_stops", steps=48)
together("scenario=no_embargo", worlds=24)


@pytest.mark.parametrize("name", STORIES)
def test_a_story_has_a_motive_and_a_name(name):
    lines = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# @package _global_"
    assert lines[1].startswith("# ") and len(lines) < 20
    assert compose([f"scenario={name}"]).scenario == name


def test_there_are_no_stories_that_nobody_tells():
    assert {file.stem for file in FOLDER.glob("*.yaml")} == set(STORIES)


@pytest.mark.parametrize(("name", "column", "sign", "window"), DIRECTIONS)
def test_a_story_moves_what_it_is_about(name, column, sign, window):
    found = effect(column, f"scenario={name}", window=window, steps=max(window[1], 36))
    assert sign * found.z > WEAK.get((name, column), 3.0), (found.mean, found.error)


def test_the_open_frontier_rises_where_the_champion_would_have_closed_and_nowhere_else():
    """In nearly all worlds the champion opens what it trains anyway: the story keeps it from closing."""
    story = "scenario=open_frontier"
    opens, ours = (_champion_opens_all(*arm) for arm in ((story,), ()))
    assert opens.all() and ours.mean() > 0.7
    found = effect("frontier_open", story)
    gained = found.without - found.with_
    assert (gained[ours] == 0.0).all() and (gained[~ours] > 0.2).all()
    arms = (market(each) for each in (story, "policy/open_source=champion_closes"))
    lifted = Effect(*(by_world(arm, "frontier_open", (6, 24)) for arm in arms))
    assert lifted.z > 3.5 and lifted.mean > 0.2


def _champion_opens_all(*overrides: str) -> np.ndarray:
    """Worlds in which the open champion never closes what it trains."""
    champion = table("labs", *overrides).filter(pl.col("archetype") == "open_champion")
    least = champion.group_by("replicate").agg(pl.col("open").min()).sort("replicate")
    return (least["open"] == ALL_OPEN).to_numpy()
