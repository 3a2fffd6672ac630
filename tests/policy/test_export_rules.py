"""Export rules as dated predicates over chip numbers: what they bar, and from when."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from baimo.world.engine.clock import as_date, at_date, months_between
from baimo.world.ensemble import Ensemble
from baimo.world.policy.export_rules import barred, barred_by, first_barred

OCTOBER_2022 = {"date": "2022-10-07", "tpp_least": 4800, "interconnect_least": 600}
#: Announced a month before it came into force; one entry for each alternative of the rule.
OCTOBER_2023 = [
    {"date": "2023-11-17", "announced": "2023-10-17", "tpp_least": 4800},
    {"date": "2023-11-17", "announced": "2023-10-17", "tpp_least": 1600, "density_least": 5.92},
    # lower tier
    {
        "date": "2023-11-17",
        "announced": "2023-10-17",
        "tpp_least": 2400,
        "tpp_below": 4800,
        "density_least": 1.6,
        "density_below": 5.92,
    },
    {
        "date": "2023-11-17",
        "announced": "2023-10-17",
        "tpp_least": 1600,
        "density_least": 3.2,
        "density_below": 5.92,
    },
]
H20_LICENCE = {"date": "2025-04-09", "until": "2025-07-15", "chips": ["H20"]}
RULES = [OCTOBER_2022, *OCTOBER_2023, H20_LICENCE]


def names(chips, mask: np.ndarray) -> set[str]:
    assert mask.shape == (len(chips),) and mask.dtype == bool
    return {name for name, bar in zip(chips.names, mask, strict=True) if bar}


def test_the_2022_rule_bars_the_parents_and_leaves_the_variants(chips):
    bars = names(chips, barred_by(OCTOBER_2022, chips))
    assert {"A100", "H100", "H200", "B200", "MI300X"} <= bars
    # H20 has the interconnect but not the speed; consumer cards the speed but not the interconnect.
    assert not bars & {"A800", "H800", "H20", "RTX-4090", "RTX-3080"}


def test_the_2023_rule_bars_the_variants_too_and_leaves_the_h20(chips):
    bars = names(chips, barred(OCTOBER_2023, chips, dt.date(2023, 12, 1)))
    assert {"A100", "A800", "H100", "H800", "H200", "B200", "MI300X", "RTX-4090"} <= bars
    assert not bars & {"H20", "RTX-3080"}


def test_rules_bind_foreign_chips_only(chips):
    everywhere = {"date": "2022-01-01", "tpp_least": 0}
    homes = dict(zip(chips.names, chips.homes, strict=True))
    bars = names(chips, barred_by(everywhere, chips))
    assert bars == {name for name, home in homes.items() if home == "US"}
    by_name = {"date": "2022-01-01", "chips": ["Ascend-910B"]}
    assert not barred_by(by_name, chips).any()


@pytest.mark.parametrize(
    ("tpp", "density", "tiers"),
    [
        (4800, 1.0, {0}),  # speed alone
        (4799, 1.0, set()),
        (4800, 2.0, {0}),  # the lower tier ends where the upper begins
        (1600, 5.92, {1}),  # density alone, from 1600
        (1599, 9.0, set()),
        (1600, 5.91, {3}),  # lower tier by density 3.2
        (2399, 3.2, {3}),
        (2399, 3.1, set()),
        (2400, 1.6, {2}),  # lower tier by speed 2400
        (2400, 1.5, set()),
        (2400, 3.2, {2, 3}),
        (4799, 5.92, {1}),
        (5000, 6.0, {0, 1}),
    ],
)
def test_limits_of_the_2023_rule(make_chip, tpp, density, tiers):
    # A hair of area below the limit, so that division does not round the density under it.
    chip = make_chip(tpp=tpp, die_mm2=tpp / density * (1.0 - 1e-12))
    assert {k for k, rule in enumerate(OCTOBER_2023) if barred_by(rule, chip)[0]} == tiers


@pytest.mark.parametrize(
    ("tpp", "interconnect", "bars"),
    [(4800, 600, True), (4799, 900, False), (16000, 599, False), (16000, 600, True)],
)
def test_limits_of_the_2022_rule(make_chip, tpp, interconnect, bars):
    chip = make_chip(tpp=tpp, interconnect_gb_per_s=interconnect)
    assert barred_by(OCTOBER_2022, chip)[0] == bars


def test_a_rule_over_memory_bandwidth(chips):
    bars = names(chips, barred_by({"date": "2024-12-02", "memory_least": 4.0}, chips))
    assert "H20" in bars and "H100" not in bars


def test_rules_hold_from_their_date_and_until_their_end(chips):
    k = {name: chips.names.index(name) for name in ("A100", "A800", "H20")}

    def on(date: str) -> np.ndarray:
        return barred(RULES, chips, dt.date.fromisoformat(date))

    assert not on("2022-10-06").any()
    assert on("2022-10-07")[k["A100"]] and not on("2022-10-07")[k["A800"]]
    assert not on("2023-11-16")[k["A800"]]  # announced, not in force
    assert on("2023-11-17")[k["A800"]] and on("2023-11-17")[k["A100"]]
    assert not on("2025-04-08")[k["H20"]]
    assert on("2025-04-09")[k["H20"]] and on("2025-07-14")[k["H20"]]
    assert not on("2025-07-15")[k["H20"]]
    assert on("2030-01-01")[k["A100"]]


def test_the_rules_have_the_dates_of_the_timeline(facts):
    dates = [row["date"] for row in facts("policy_timeline") if row["instrument"] == "export_control"]
    assert {rule["date"] for rule in RULES} <= set(dates) and H20_LICENCE["until"] in dates


def test_no_rules_bar_nothing(chips):
    assert not barred([], chips, dt.date(2025, 1, 1)).any()
    assert first_barred([], chips, 0) is None


def test_the_announcement_starts_the_makers_answer(chips):
    index = chips.names.index
    assert first_barred(RULES, chips, index("A100")) == dt.date(2022, 10, 7)
    assert first_barred(RULES, chips, index("H800")) == dt.date(2023, 10, 17)
    assert first_barred(RULES[::-1], chips, index("A100")) == dt.date(2022, 10, 7)
    assert first_barred(RULES, chips, index("H20")) == dt.date(2025, 4, 9)
    assert first_barred(RULES, chips, index("RTX-3080")) is None


def test_variants_answer_the_rules(chips, facts):
    """Each product response of the timeline is free on its date, and its parent is not."""
    answers = [row for row in facts("policy_timeline") if row["instrument"] == "product_response"]
    parents = {"A800": "A100", "H800": "H100", "H20": "H100"}
    seen = set()
    for row in answers:
        bars = names(chips, barred(RULES, chips, as_date(row["date"])))
        variant = next(name for name in parents if name in row["rule"])
        assert variant not in bars and parents[variant] in bars
        seen.add(variant)
    assert seen == set(parents)


def test_schedules_and_months():
    schedule = [{"date": "2023-08-15", "capacity": 13}, {"date": "2024-01-01", "capacity": 17}]
    days = [dt.date(2023, 8, 14), dt.date(2023, 8, 15), dt.date(2024, 5, 1)]
    assert [at_date(schedule, day, "capacity", 2.0) for day in days] == [2.0, 13.0, 17.0]
    assert months_between(dt.date(2022, 10, 7), dt.date(2023, 3, 22)) == pytest.approx(5.5)
    assert as_date("2023-10-17") == as_date(dt.date(2023, 10, 17)) == dt.date(2023, 10, 17)


def test_bans_stand_in_the_event_log():
    """From the month after 17 November 2023 the H800 is barred in every world; the H100 was from the start."""
    bans = (
        Ensemble(["steps=13", "output.level=market"], (0, 1)).run().tables()["events"].filter(pl.col("kind") == "ban")
    )
    h800 = bans.filter(pl.col("detail") == "H800")
    assert sorted(h800["replicate"]) == [0, 1]
    assert set(h800["date"].cast(pl.String)) == {"2023-12-01"}
    assert set(bans.filter(pl.col("detail") == "H100")["date"].cast(pl.String)) == {"2022-12-01"}
