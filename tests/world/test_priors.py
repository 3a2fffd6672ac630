"""The arithmetic that ties the facts together, done with the project's own functions and data."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from baimo.conf.schema import Config
from baimo.world.compute.chips import CNY_A_USD, H100_TFLOPS, SECONDS_A_DAY, Silicon, tokens_per_second
from baimo.world.compute.rental_market import HOURS_A_YEAR
from baimo.world.engine.arrays import logistic
from baimo.world.engine.clock import DAYS_A_MONTH, Clock

#: Tokens a second by engines and use, times a year (PRIORS: 2 x 1.5, less what is in the use of mid-2023).
ENGINES_A_YEAR = 2.117

#: Share of the A100s made before the export rule that went to CN (PRIORS).
CN_SHARE_OF_A100 = 0.11


@pytest.fixture(scope="module")
def units(facts):
    """Units made from the start of 2022 to the end of a quarter: ``units("A800", "2023Q2")``."""
    rows = facts("nvidia_world_units_by_quarter")

    def made(chip: str, until: str, since: str = "2022Q1") -> float:
        return sum(float(row[chip] or 0) for row in rows if since <= row["quarter"] <= until)

    return made


@pytest.fixture(scope="module")
def h100e(chips):
    return lambda chip: float(chips.h100e[chips.names.index(chip), 0, 0])


@pytest.fixture(scope="module")
def cn_stock(units, h100e):
    """H100 equivalents that went to CN: a share of the A100s, then the variants."""

    def stock(until: str) -> float:
        before = CN_SHARE_OF_A100 * units("A100", min(until, "2022Q3")) * h100e("A100")
        return before + sum(units(chip, until) * h100e(chip) for chip in ("A800", "H800"))

    return stock


@pytest.mark.parametrize(
    ("quarter", "date", "result"),
    [("2022Q4", "2022-12-31", 31.6e3), ("2023Q2", "2023-06-30", 88.4e3), ("2023Q4", "2023-12-31", 176.4e3)],
)
def test_chips_in_china(cn_stock, fact, quarter, date, result):
    assert cn_stock(quarter) == pytest.approx(result, abs=100)
    assert cn_stock(quarter) == pytest.approx(fact("cn_stock_h100e", date), rel=0.015)


@pytest.mark.parametrize(
    ("quarter", "date", "result"), [("2022Q4", "2022-12-31", 290e3), ("2023Q4", "2023-12-31", 1387e3)]
)
def test_chips_in_the_world(units, h100e, fact, quarter, date, result):
    stock = sum(units(chip, quarter) * h100e(chip) for chip in ("A100", "A800", "H100", "H800"))
    assert stock == pytest.approx(result, rel=0.002)
    assert stock == pytest.approx(fact("world_stock_h100e", date), rel=0.01)


def test_chinese_purchases_of_2023_are_six_times_the_venture_money(units, chips, fact):
    usd = sum(
        units(chip, "2023Q4", since="2023Q1") * chips.list_usd[chips.names.index(chip), 0, 0]
        for chip in ("A800", "H800")
    )
    cny = usd * fact("server_overhead") * CNY_A_USD
    assert cny == pytest.approx(61e9, rel=0.02)
    assert cny / (fact("funding_cn_2023") * 1e6) == pytest.approx(6.0, abs=0.3)


def test_gpt4_compute(chips, fact):
    """25,000 A100 for 95 days."""
    speed = chips.tflops[chips.names.index("A100"), 0, 0] * 1e12
    flop = 25_000 * speed * fact("gpt4_mfu") * 95 * SECONDS_A_DAY
    assert flop == pytest.approx(2.2e25, rel=0.02)
    assert flop == pytest.approx(fact("gpt4_compute"), rel=0.05)


def test_a_large_chinese_run_of_2023(chips, fact):
    """3,000 A800 for 60 days come near the largest run on record."""
    speed = chips.tflops[chips.names.index("A800"), 0, 0] * 1e12
    flop = 3_000 * speed * 0.35 * 60 * SECONDS_A_DAY
    assert flop == pytest.approx(1.7e24, rel=0.01)
    assert 1.0 < flop / fact("largest_run_cn", "2023") < 1.5


def test_the_stock_of_chips_does_not_bind(cn_stock, fact):
    flop = cn_stock("2023Q4") * H100_TFLOPS * 1e12 * 0.35 * fact("run_days") * SECONDS_A_DAY
    assert flop == pytest.approx(1.8e26, rel=0.04)
    assert flop > 100 * fact("largest_run_cn", "2023")


def test_benchmark_scores_of_june_2023(fact):
    """GPT-4 at 2.7 and the best CN model at 1.2 orders of magnitude."""
    score = 100.0 * logistic((np.array([2.7, 1.2]) - 0.2) / 1.9)
    assert score == pytest.approx([79.0, 63.0], abs=0.5)
    assert score[1] / score[0] == pytest.approx(fact("superclue_gap"), abs=0.01)


def test_mean_time_to_failure(fact):
    assert fact("mttf_h100") == pytest.approx(16_384 * 54 * SECONDS_A_DAY / 3600 / 419, rel=0.001)


def test_the_viability_wall_is_thirty_percent_of_sixty_million(fact):
    assert fact("viability_wall") == pytest.approx(fact("gpt4_mfu", key="low") * fact("gpt4_cost_cloud", key="low"))


def test_filings_add_up(fact):
    ends = [fact("filings_cn", day) for day in ("2023-08-31", "2023-12-31", "2024-08-05", "2024-12-31")]
    assert ends == sorted(ends)
    # Capacity a month of PRIORS: 13 from September 2023, 17 to August 2024, 24 after.
    starts = [Clock("2022-12").step_of(day) for day in ("2023-08-31", "2023-12-31", "2024-08-05", "2024-12-31")]
    pace = np.diff(ends) / np.diff(starts)
    assert pace == pytest.approx([13.0, 15.5, 29.0], abs=2.0)


def test_every_read_figure_has_a_source_and_every_number_parses(facts):
    for row in facts("calibration"):
        assert row["source"] or row["status"] == "recalled", row["id"]
        assert row["status"] in {"read", "derived", "recalled"}, row["id"]
        value = float(row["value"])
        low, high = (float(row[key]) if row[key] else value for key in ("low", "high"))
        assert low <= value <= high, row["id"]
    assert {row["role"] for row in facts("calibration")} == {"input", "calibrate", "context"}


@pytest.mark.parametrize(
    ("chip", "active", "rent", "years", "written", "batch", "low", "high"),
    [
        # Of 2023: answers as long as prompts, in small batches.
        ("A800", 100e9, 10.0, 0.5, 0.5, 24.0, 19.0, 38.0),
        # Of 2024: long prompts, in batches as large as memory allows.
        ("H20", 20e9, 5.0, 1.5, 0.25, 256.0, 0.93 * 0.8, 0.93 * 1.2),
        ("H20", 8e9, 5.0, 1.5, 0.25, 256.0, 0.37 * 0.8, 0.37 * 1.2),
    ],
)
def test_serving_cost_by_chip(chips, chip, active, rent, years, written, batch, low, high):
    """CNY/Mtok at rents of the day (CNY an hour), with the engines and the use of mid-2023 and mid-2024."""
    p, k = dataclasses.replace(Config().serving, batch=batch), chips.names.index(chip)
    card = Silicon(chips.tflops[k, 0, 0], chips.bandwidth[k, 0, 0], chips.memory_gb[k, 0, 0])
    use = SimpleNamespace(output_share=written, cache_hits=0.0)
    cost = rent / (3600.0 * tokens_per_second(active, card, use, p)) * 1e6
    assert low <= cost / ENGINES_A_YEAR**years <= high


def test_funding_of_2023_from_what_leading_is_worth(fact):
    """At half of full hype, which promises half of the revenue and of the margin, stakes sold 1.5 times a year."""
    p = Config()
    rents = 0.5 * p.expectations.promise * 0.5 * p.pricing.normal_margin
    total = 1.5 * p.capital.stake_sold * p.capital.multiple * rents
    assert 0.5 < total / fact("funding_cn_2023") < 2.0


def test_tokens_of_january_2024_at_list_price(fact):
    """At list price the tokens of a day would earn 3.65 bn CNY a year: most are not sold at list."""
    yearly = fact("tokens_day_cn") / 1e6 * 100.0 * 12 * DAYS_A_MONTH / 1e6
    assert yearly == pytest.approx(3650.0, rel=0.01)


def test_serving_gets_cheaper_by_about_an_order_of_magnitude_a_year(fact):
    """Smaller models, sparse experts, engines where tokens served grow a hundredfold, times 1.3 for chips."""
    p = Config()
    fall = np.exp(p.technology.active_shrink) * 100.0**p.serving.engine_learning * 1.3
    assert fact("price_decline_gpt35", key="low") <= fall <= fact("price_decline_gpt35", key="high")


def test_two_weak_cards_burn_thousands_of_yuan_more(chips):
    """Two RTX-3080 for one A100: 4 to 6 thousand CNY of electricity in three years."""
    p, kw = Config().serving, dict(zip(chips.names, chips.kw[:, 0, 0], strict=True))
    extra = (2 * kw["RTX-3080"] - kw["A100"]) * p.server_power * p.pue * p.power_load
    assert 4000 <= extra * 3 * HOURS_A_YEAR * p.power_price_cn <= 6000
