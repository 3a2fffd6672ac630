"""Concentration, turbulence and sizes: hand-worked cases, closed forms, bounds."""

from __future__ import annotations

import datetime as dt
import doctest

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from baimo.experiments.measures import concentration, frames, size, turbulence

SIZES = st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=30)


def panel(rows, value="tokens_day", **columns):
    """Labs of ``rows (replicate, step, lab_id, value)``."""
    data = pl.DataFrame(
        rows, schema={"replicate": pl.Int32, "step": pl.Int32, "lab_id": pl.Int64, value: pl.Float32}, orient="row"
    )
    date = pl.date(2023, 1, 1).dt.offset_by(pl.format("{}mo", "step")).alias("date")
    return data.lazy().with_columns(
        date,
        pl.lit(True).alias("alive"),
        pl.lit("CN").alias("region"),
        *(pl.lit(v).alias(k) for k, v in columns.items()),
    )


def market_of(values):
    return panel([(0, 0, k, value) for k, value in enumerate(values)])


# ---------------------------------------------------------------------- concentration


def test_a_market_worked_by_hand():
    found = concentration.concentration(market_of([4.0, 3.0, 2.0, 0.5, 0.5, 0.0])).collect()
    row = found.row(0, named=True)
    assert row["firms"] == 5 and row["hhi"] == pytest.approx((16 + 9 + 4 + 0.5) / 100)
    assert row["cr1"] == pytest.approx(0.4) and row["cr4"] == pytest.approx(0.95)
    shares = np.array([4, 3, 2, 0.5, 0.5]) / 10
    assert row["entropy"] == pytest.approx(stats.entropy(shares))
    assert row["entropy_relative"] == pytest.approx(stats.entropy(shares) / np.log(5))
    assert row["numbers_equivalent"] == pytest.approx(1 / 0.295)
    assert row["hhi_normalised"] == pytest.approx((0.295 - 0.2) / 0.8)
    assert found.columns[:3] == ["replicate", "step", "date"]


def test_who_counts():
    labs = pl.concat([market_of([1.0, 1.0]), panel([(0, 0, 9, 100.0)]).with_columns(pl.lit(False).alias("alive"))])
    labs = pl.concat([labs, panel([(0, 0, 10, 50.0)]).with_columns(pl.lit("ROW").alias("region"))])
    assert concentration.concentration(labs).collect()["hhi"].item() == pytest.approx(0.5)
    assert concentration.concentration(labs, region=None).collect()["firms"].item() == 3
    assert concentration.concentration(labs, region="ROW").collect()["hhi"].item() == 1.0
    none = concentration.concentration(market_of([0.0, 0.0])).collect().row(0, named=True)
    assert none["firms"] == 0 and none["hhi"] is None and none["entropy"] is None and none["cr4"] is None
    alone = concentration.concentration(market_of([7.0])).collect().row(0, named=True)
    assert alone["hhi"] == 1.0 and alone["hhi_normalised"] is None
    with pytest.raises(ValueError, match="no column nonsense"):
        concentration.concentration(labs, "nonsense")


def test_what_is_not_a_number_is_nobodys():
    labs = market_of([3.0, 1.0, float("nan"), 0.0])
    assert concentration.concentration(labs).collect()["hhi"].item() == pytest.approx(0.625)
    assert turbulence.market_shares(labs).collect()["share"].sort().to_list() == pytest.approx([0.25, 0.75])
    assert size.inequality(labs, ["tokens_day"]).collect()["gini_tokens_day"].item() == pytest.approx(
        np.abs(np.subtract.outer([3, 1, 0], [3, 1, 0])).mean() / (8 / 3)
    )


@settings(max_examples=80, deadline=None)
@given(SIZES, st.floats(1e-3, 1e3), st.randoms(use_true_random=False))
def test_concentration_is_bounded_and_knows_no_scale_or_order(values, scale, random):
    def of(sizes):
        frame = pl.DataFrame({"x": np.array(sizes)})
        cr = [concentration.concentration_ratio("x", k).alias(f"cr{k}") for k in (1, 4)]
        return frame.select(concentration.hhi("x").alias("hhi"), concentration.entropy("x").alias("e"), *cr).row(
            0, named=True
        )

    found, n = of(values), len(values)
    assert 1 / n - 1e-9 <= found["hhi"] <= 1 + 1e-9 and -1e-9 <= found["e"] <= np.log(n) + 1e-9
    assert found["cr1"] <= found["cr4"] + 1e-12 and found["cr4"] <= 1 + 1e-9
    assert found["cr1"] ** 2 - 1e-9 <= found["hhi"] <= found["cr1"] + 1e-9
    mixed = [scale * value for value in values]
    random.shuffle(mixed)
    assert of(mixed) == pytest.approx(found, rel=1e-6, abs=1e-9)
    halves = of([value / 2 for value in values] * 2)  # everybody split in two
    assert halves["hhi"] == pytest.approx(found["hhi"] / 2) and halves["e"] == pytest.approx(
        found["e"] + np.log(2), abs=1e-9
    )


# ---------------------------------------------------------------------- turbulence

MOVES = panel(
    [
        *((0, 0, lab, x) for lab, x in ((1, 5.0), (2, 3.0), (3, 2.0))),
        *((0, 1, lab, x) for lab, x in ((1, 4.0), (2, 4.0), (4, 2.0))),  # 3 leaves, 4 enters
        *((0, 2, lab, x) for lab, x in ((2, 6.0), (1, 2.0), (4, 2.0))),
        *((1, 0, lab, 1.0) for lab in (1, 2)),
        *((1, 1, lab, 9.0) for lab in (1, 2)),
    ]
)


def test_instability_worked_by_hand():
    found = turbulence.hymer_pashigian(MOVES).collect()
    assert found.select("replicate", "step").rows() == [(0, 1), (0, 2), (1, 1)]
    assert found["turbulence"].to_list() == pytest.approx([0.1 + 0.1 + 0.2 + 0.2, 0.2 + 0.2, 0.0])
    assert found["turbulence_entrants"].to_list() == pytest.approx([0.2, 0.0, 0.0])
    assert found["turbulence_leavers"].to_list() == pytest.approx([0.2, 0.0, 0.0])
    assert found["date"].to_list()[0] == dt.date(2023, 2, 1)
    two = turbulence.hymer_pashigian(MOVES, lag=2).collect()
    assert two["turbulence"].to_list() == pytest.approx([0.3 + 0.3 + 0.2 + 0.2])


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.integers(0, 12), st.floats(0.01, 100), min_size=1),
    st.dictionaries(st.integers(0, 12), st.floats(0.01, 100), min_size=1),
)
def test_instability_is_a_distance(before, after):
    def between(a, b):
        rows = [(0, step, lab, x) for step, sizes in ((0, a), (1, b)) for lab, x in sizes.items()]
        return turbulence.hymer_pashigian(panel(rows)).collect()["turbulence"].item()

    found = between(before, after)
    assert -1e-9 <= found <= 2 + 1e-6
    assert between(after, before) == pytest.approx(found, abs=1e-6) and between(before, before) == pytest.approx(
        0, abs=1e-6
    )
    if not set(before) & set(after):
        assert found == pytest.approx(2.0, abs=1e-6)


def test_churn_of_ranks_worked_by_hand():
    found = turbulence.rank_churn(MOVES, top=2, lag=1).collect()
    # Step 1: 1 and 2 share the first place, 4 is new; step 2: 2, then 1 and 4 equal behind.
    assert found["stayers"].to_list() == [2, 3, 2]
    assert found["rank_change"].to_list() == pytest.approx([(0.5 + 0.5) / 2, (0.5 + 1.0 + 0.5) / 3, 0.0])
    expected = stats.spearmanr([1.0, 2.5, 2.5], [1.5, 1.5, 3.0]).statistic
    assert found["rank_correlation"].to_list()[1] == pytest.approx(expected)
    assert found["rank_correlation"].to_list()[0] is None
    wholly = panel([(0, s, lab, 10.0 - lab) for s, labs in ((0, (0, 1, 2)), (1, (5, 6, 7))) for lab in labs])
    assert turbulence.rank_churn(wholly, top=2, lag=1).collect()["new_in_top"].item() == 1.0


def test_reigns_worked_by_hand():
    leads = [1, 1, 2, 2, 2, 1]
    labs = panel([(0, step, lab, 2.0 if lab == first else 1.0) for step, first in enumerate(leads) for lab in (1, 2)])
    led = turbulence.leaders(labs).collect()
    assert led["leader"].to_list() == leads and led["reign"].to_list() == [1, 1, 2, 2, 2, 3]
    assert led["tenure_months"].to_list() == pytest.approx([0, 1, 0, 1, 2, 0])
    spells = turbulence.reigns(labs).collect()
    assert spells["leader"].to_list() == [1, 2, 1] and spells["months"].to_list() == pytest.approx([2, 3, 0])
    assert spells["ended"].to_list() == [True, True, False]


def test_of_equals_the_older_leads():
    labs = panel([(0, 0, lab, 1.0) for lab in (7, 3, 5)])
    assert turbulence.leaders(labs).collect()["leader"].item() == 3


# ---------------------------------------------------------------------- sizes


def test_gini_has_closed_forms():
    def of(values):
        return pl.DataFrame({"x": np.array(values, dtype=float)}).select(size.gini("x")).item()

    assert of([5, 5, 5, 5]) == pytest.approx(0.0)
    assert of([0, 0, 0, 8]) == pytest.approx(0.75)
    assert of(np.arange(1, 11)) == pytest.approx((10 - 1) / (3 * 10))
    assert of([0.0, 0.0]) is None and of([-3.0, 0.0, 0.0, 8.0]) == pytest.approx(0.75)
    uniform = stats.expon.ppf((np.arange(20_000) + 0.5) / 20_000)
    assert of(uniform) == pytest.approx(0.5, abs=1e-3)  # of the exponential distribution


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.01, 1e4), min_size=2, max_size=25))
def test_gini_is_the_mean_difference(values):
    x = np.array(values)
    found = pl.DataFrame({"x": x}).select(size.gini("x")).item()
    assert found == pytest.approx(np.abs(x[:, None] - x).mean() / (2 * x.mean()), abs=1e-9)
    assert -1e-9 <= found <= 1 - 1 / len(x) + 1e-9


def test_hill_worked_by_hand():
    found = size.hill(market_of([np.e**3, np.e**2, np.e, 1.0, 0.5]), tail=3).collect().row(0, named=True)
    assert found["exponent"] == pytest.approx(3 / (3 + 2 + 1)) and found["k"] == 3
    assert found["error"] == pytest.approx(0.5 / np.sqrt(3))
    assert size.hill(market_of([3.0, 2.0]), tail=3).collect()["exponent"].item() is None
    assert size.hill(market_of([2.0, 2.0, 2.0]), tail=2).collect()["exponent"].item() is None


@pytest.mark.parametrize("exponent", [0.8, 1.5])
def test_both_estimators_find_the_tail_of_pareto(exponent):
    x = stats.pareto.rvs(exponent, size=4000, random_state=2)
    for estimator in (size.hill, size.rank_size):
        found = estimator(market_of(x), tail=0.25).collect().row(0, named=True)
        assert found["k"] == 1000 and abs(found["exponent"] - exponent) < 3 * found["error"]
        assert found["error"] < 0.1
    scaled = size.hill(market_of(1e3 * x), tail=0.25).collect()["exponent"].item()
    assert scaled == pytest.approx(size.hill(market_of(x), tail=0.25).collect()["exponent"].item(), rel=1e-3)


def test_rank_size_is_exact_on_the_line():
    ranks = np.arange(1, 41)
    found = size.rank_size(market_of((ranks - 0.5) ** (-1 / 1.2)), tail=40).collect().row(0, named=True)
    assert found["exponent"] == pytest.approx(1.2, rel=1e-4) and found["r2"] == pytest.approx(1.0)
    assert found["error"] == pytest.approx(1.2 * np.sqrt(2 / 40), rel=1e-4)


def test_growth_of_those_who_are_there_twice():
    found = size.growth_rates(MOVES, centred=False).collect().sort("replicate", "step", "unit")
    assert found.select("replicate", "step", "unit").rows()[:5] == [
        (0, 1, 1),
        (0, 1, 2),
        (0, 2, 1),
        (0, 2, 2),
        (0, 2, 4),
    ]
    assert found["growth"].to_list()[:2] == pytest.approx([np.log(0.8), np.log(4 / 3)], rel=1e-6)
    centred = size.growth_rates(MOVES).collect()
    assert centred.group_by("replicate", "step").agg(pl.col("growth").sum())["growth"].to_list() == pytest.approx(
        [0] * 3, abs=1e-6
    )


@pytest.mark.parametrize("shape", [0.6, 1.0, 2.0, 4.0])
def test_subbotin_finds_the_shape_as_scipy_does(shape):
    x = stats.gennorm.rvs(shape, loc=0.3, scale=2.0, size=3000, random_state=5)
    found = size.subbotin(pl.LazyFrame({"growth": x})).row(0, named=True)
    assert abs(found["shape"] - shape) < 3.5 * found["shape_error"] and found["shape_error"] < 0.15 * shape
    b, _, scale = stats.gennorm.fit(x, found["shape"], floc=np.median(x), scale=2.0)
    assert found["shape"] == pytest.approx(b, rel=5e-3)
    assert found["scale"] * found["shape"] ** (1 / found["shape"]) == pytest.approx(scale, rel=5e-3)
    density = stats.gennorm.logpdf(x, b, np.median(x), scale).sum()
    assert found["log_likelihood"] == pytest.approx(density, rel=1e-6)


def test_subbotin_knows_the_normal_scale_and_what_it_cannot_tell():
    x = np.random.default_rng(6).normal(0.0, 3.0, 5000)
    found = size.subbotin(pl.LazyFrame({"growth": x, "who": ["a"] * 5000}), ["who"]).row(0, named=True)
    assert found["who"] == "a" and found["scale"] == pytest.approx(
        3.0, rel=0.05
    )  # a is the standard deviation at b = 2
    small = pl.LazyFrame({"growth": [1.0] * 9 + [0.0] * 20, "who": ["few"] * 9 + ["equal"] * 20})
    assert size.subbotin(small, ["who"])["shape"].to_list() == [None, None]


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(-5000, 5000), min_size=12, max_size=40, unique=True), st.floats(0.1, 100), st.floats(-10, 10)
)
def test_the_shape_knows_no_scale_or_place(values, scale, shift):
    x = np.array(values) / 1000.0
    one, two = (size.subbotin(pl.LazyFrame({"growth": y}))["shape"].item() for y in (x, scale * x + shift))
    assert one == pytest.approx(two, rel=1e-2)


@pytest.mark.parametrize("module", [concentration, frames, size, turbulence])
def test_examples_in_docstrings(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
