"""The baseline tells the story in outline; loose on purpose, so that calibration may go on.

The numbers themselves are held by ``tests/golden.json`` (see ``tests/golden.py`` for how to renew it).
"""

from __future__ import annotations

import json

import golden
import numpy as np
import polars as pl
import pytest

from baimo.conf.schema import compose
from baimo.world.ensemble import Ensemble


@pytest.fixture(scope="module")
def market():
    """Four years of eight worlds."""
    return golden.run()


@pytest.fixture(scope="module")
def median(market):
    """Medians over worlds, one row a month."""
    return market.group_by("date").agg(pl.selectors.float().median()).sort("date")


def by_world(market, name):
    """``(worlds, months)``, NaN where undefined."""
    wide = [part[name].to_numpy() for part in market.partition_by("replicate", maintain_order=True)]
    return np.stack(wide).astype(float)


def months(median, first, last="2030-01-01"):
    day = pl.col("date").cast(pl.String)
    return median.filter((day >= first) & (day < last))


def test_size_of_the_table(market):
    assert market.height == golden.WORLDS * golden.STEPS
    assert str(market["date"].min()) == "2022-12-01"
    assert str(market["date"].max()) == "2026-11-01"


def test_a_hundred_models_in_a_year_and_fewer_in_the_end(market):
    labs = by_world(market, "labs_alive_cn")
    assert (labs[:, 0] < 60).all()
    assert np.median(labs[:, :13].max(1)) > 110.0
    assert (labs[:, :13].max(1) > 100.0).all(), "over a hundred labs within a year"
    assert (labs[:, -1] < labs.max(1)).all(), "the war thins the field"


def test_labs_come_and_go(market):
    assert (by_world(market, "lab_entries_cn").sum(1) > 50).all()
    assert (by_world(market, "lab_exits_cn").sum(1) > 10).all()
    assert (by_world(market, "lab_pivots_cn").sum(1) > 0).all()


def test_the_frontier_stands_abroad_in_2023(market):
    """Everywhere, every month of 2023; the gap is measured in months, too."""
    year = market.filter(pl.col("date").dt.year() == 2023)
    assert (year["frontier_all"] >= year["frontier_cn"]).all()
    assert (year["gap_cn_months"] > 0).mean() > 0.9
    assert year["gap_cn_oom"].mean() > 0.2


def test_frontiers_advance(market):
    for name in ("frontier_all", "frontier_cn", "frontier_open"):
        levels = by_world(market, name)
        assert (levels[:, -1] > levels[:, 0] + 1.0).all(), name
    # Open weights stay. What is best on the whole may be a little worse on one axis than what it replaces:
    # 0.1 OOM at most, in few months, and never one such step upon another.
    opened = by_world(market, "frontier_open")
    below = np.maximum.accumulate(opened, axis=1) - opened
    assert below.max() < 0.1
    assert (below > 0.0).mean() < 0.02


def test_chips_follow_the_export_rules(market, median):
    """A800 and H800 are bought until November 2023 and wear out after it; H20 comes in 2024."""
    variants = median.with_columns(both=pl.col("h100e_cn_a800") + pl.col("h100e_cn_h800"))
    before = months(variants, "2022-12-01", "2023-11-01")["both"].to_numpy()
    after = months(variants, "2024-02-01")["both"].to_numpy()
    assert before[-1] > 1.5 * before[0]
    assert (np.diff(after) < 0.0).all()
    early = market.filter(pl.col("date").cast(pl.String) < "2024-01-01")
    assert (early["h100e_cn_h20"] == 0.0).all()
    assert months(median, "2024-06-01")["h100e_cn_h20"].min() > 0.0


def test_barred_chips_grow_by_smuggling_only(market):
    """Stocks of A100 and H100 in CN never gain more than what came past the law."""
    grey, barred = by_world(market, "h100e_cn_grey"), by_world(market, "h100e_cn_a100")
    barred = barred + by_world(market, "h100e_cn_h100")
    gained = barred[:, 1:] - barred[:, :1]
    assert (gained <= (grey[:, 1:] - grey[:, :1]) + 0.02 * barred[:, :1]).all()


def test_without_the_embargo_parents_are_bought_and_no_variants():
    market = Ensemble(compose(["scenario=no_embargo", "output.level=market"]), (0, 1)).run(20).tables()["market"]
    assert (market["h100e_cn_h800"] == 0.0).all()
    assert (market["h100e_cn_h20"] == 0.0).all()
    assert (market["h100e_cn_grey"] == 0.0).all()
    assert (by_world(market, "h100e_cn_h100")[:, -1] > 1_000).all()


def test_prices_of_a_level_collapse(market):
    """What GPT-3.5 could do costs less than a tenth at the end."""
    for prices in by_world(market, "price_gpt35_level"):
        known = prices[np.isfinite(prices)]
        assert known[0] > 10.0 * known[-1]


def test_nothing_is_filed_before_august_2023(market):
    early = market.filter(pl.col("date").cast(pl.String) < "2023-08-01")
    late = market.filter(pl.col("date").cast(pl.String) >= "2024-06-01")
    assert (early["models_filed_cn"] == 0.0).all()
    assert (late["models_filed_cn"] > 0.0).all()
    assert (np.diff(by_world(market, "models_filed_cn"), axis=1) >= 0.0).all()


def test_hype_rises_and_falls(median):
    hype = median["hype"].to_numpy()
    assert (hype >= 0.0).all()
    assert (hype <= 1.0).all()
    assert hype[:12].max() > hype[0]
    assert hype[-6:].mean() < hype[:12].max()


def test_use_grows(median):
    tokens = median["tokens_day_cn"].to_numpy()
    assert tokens[-1] > 100.0 * tokens[1]


def test_apps_are_absorbed(market):
    """Absorption takes a large part of those who die, in every world."""
    absorbed = by_world(market, "app_deaths_absorbed_cn").sum(1)
    assert (absorbed > 20).all()
    parts = sum(by_world(market, f"app_deaths_{c}_cn").sum(1) for c in ("absorbed", "insolvent", "outdated"))
    assert (parts == by_world(market, "app_deaths_cn").sum(1)).all(), "every death has one cause"


def test_absorption_comes_in_waves_after_leaps_of_the_frontier(market):
    """Deaths by absorption (of those alive) go with the leaps of this month and of the two before."""
    leaps = np.diff(by_world(market, "frontier_all"), axis=1)
    deaths = (by_world(market, "app_deaths_absorbed_cn") / by_world(market, "apps_alive_cn"))[:, 1:]
    wave = sum(np.pad(leaps, ((0, 0), (lag, 0)))[:, : leaps.shape[1]] for lag in range(3))
    found = [np.corrcoef(w, d)[0, 1] for w, d in zip(wave, deaths, strict=True)]
    assert np.median(found) > 0.3, found
    assert min(found) > 0.0, found
    # Not before them: the leaps to come say less.
    ahead = sum(np.pad(leaps, ((0, 0), (0, lag)))[:, lag:] for lag in range(1, 4))
    before = [np.corrcoef(w, d)[0, 1] for w, d in zip(ahead, deaths, strict=True)]
    assert np.median(found) > np.median(before)


def test_weeks(market):
    """A clock of weeks runs, and after five months is where the clock of months is, roughly."""
    weekly = Ensemble(compose(["clock=week", "steps=22", "output.level=market"]), range(4)).run(22).tables()["market"]
    assert weekly.height == 4 * 22
    assert str(weekly["date"].max()) == "2023-04-27"
    assert (weekly["accounts_residual"] < 1e-9).all()
    last = weekly.filter(pl.col("step") == 21)
    monthly = market.filter(pl.col("date").cast(pl.String) == "2023-04-01")
    for name, tolerance in (("labs_alive_cn", 0.4), ("apps_alive_cn", 0.4), ("frontier_cn", 0.6), ("h100e_row", 0.2)):
        assert last[name].median() == pytest.approx(monthly[name].median(), rel=tolerance), name


def test_golden(market):
    """Renew with ``python -m tests.golden --write`` after a change that is meant."""
    moved = golden.differences(golden.medians(market), json.loads(golden.FILE.read_text(encoding="utf-8")))
    assert not moved, "\n".join(["the baseline has moved:", *moved, test_golden.__doc__])


def test_golden_notices():
    old = json.loads(golden.FILE.read_text(encoding="utf-8"))
    assert golden.differences(old, old) == []
    new = {name: dict(values) for name, values in old.items()}
    new["labs_alive_cn"][golden.DATES[1]] *= 1.5
    assert len(golden.differences(new, old)) == 1
