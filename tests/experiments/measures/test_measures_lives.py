"""Entry, exit and survival: hand-worked cases, closed forms, and lifelines where it is installed."""

from __future__ import annotations

import datetime as dt
import doctest

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from baimo.experiments.measures import demography, survival

LIVES = st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=40)


def lives(rows, **columns):
    """Lives of ``rows (months, died)``."""
    months, died = zip(*rows, strict=True)
    columns = {name: list(values) for name, values in columns.items()}
    return pl.LazyFrame({"months": np.array(months, dtype=float), "died": np.array(died, dtype=bool), **columns})


def panel(rows):
    """Labs of ``rows (step, lab_id, alive, founded, exit_reason)`` in months of 2023."""
    schema = {"step": pl.Int32, "lab_id": pl.Int64, "alive": pl.Boolean, "founded": pl.Int32, "exit_reason": pl.String}
    data = pl.DataFrame(rows, schema=schema, orient="row").lazy()
    date = pl.date(2023, 1, 1).dt.offset_by(pl.format("{}mo", "step")).alias("date")
    return data.with_columns(date, pl.lit(0, pl.Int32).alias("replicate"), pl.lit("CN").alias("region"))


#: 1 is there from the start and stays; 2 is there and dies in step 1; 3 comes at the end of step 1 and is bought in 3.
LABS = panel(
    [
        *((step, 1, True, 0, "") for step in range(4)),
        (0, 2, True, 0, ""),
        (1, 2, False, 0, "insolvent"),
        (1, 3, True, 2, ""),
        (2, 3, True, 2, ""),
        (3, 3, False, 2, "acquired"),
        (0, 4, True, 1, ""),
        *((step, 4, True, 1, "") for step in range(1, 4)),
    ]
)


# ---------------------------------------------------------------------- rates


def market(entries, exits, alive, replicate=0):
    return pl.LazyFrame(
        {
            "replicate": [replicate] * len(alive),
            "step": range(len(alive)),
            "date": [dt.date(2023 + k // 12, k % 12 + 1, 1) for k in range(len(alive))],
            "lab_entries_cn": np.array(entries, dtype=float),
            "lab_exits_cn": np.array(exits, dtype=float),
            "labs_alive_cn": np.array(alive, dtype=float),
        }
    )


def test_rates_worked_by_hand():
    two = pl.concat([market([0, 4, 2], [0, 1, 0], [10, 13, 15]), market([0, 1, 1], [0, 0, 0], [0, 1, 2], 1)])
    found = demography.rates(two).collect()
    assert found["entry_rate"].to_list() == [None, 0.4, pytest.approx(2 / 13), None, None, 1.0]
    assert found["exit_rate"].to_list() == [None, 0.1, 0.0, None, None, 0.0]
    assert found["turnover"][1] == pytest.approx(0.5) and found["net_entry_rate"][1] == pytest.approx(0.3)
    longer = demography.rates(two, over=2).collect()
    assert longer["entry_rate"].to_list() == [None, None, 0.6, None, None, None]


def test_flows_counted_in_a_panel():
    found = demography.flows(LABS).collect()
    assert found["entries"].to_list() == [1, 1, 0, 0]  # 4 is founded in step 0, 1 and 2 were there
    assert found["exits"].to_list() == [0, 1, 0, 1] and found["alive"].to_list() == [3, 3, 3, 2]


def test_exit_that_follows_entry_is_seen_at_its_lag():
    rng = np.random.default_rng(1)
    entry = rng.random(40)
    rates = pl.concat(
        pl.LazyFrame({"replicate": r, "step": range(40), "entry_rate": entry, "exit_rate": np.roll(entry, r + 1)})
        for r in range(2)
    )
    found = demography.cross_correlation(rates, 3).collect()
    for replicate in range(2):
        mine = found.filter(pl.col("replicate") == replicate)
        assert mine["lag"].to_list() == list(range(-3, 4))
        assert mine["n"].to_list() == [37, 38, 39, 40, 39, 38, 37]
        exact = mine.filter(pl.col("lag") == replicate + 1)["correlation"].item()
        # The wrapped-around values stand at the begin and have no pair at their lag.
        assert exact == pytest.approx(1.0)
        assert mine.filter(pl.col("lag") != replicate + 1)["correlation"].abs().max() < 0.6
    zero = found.filter(pl.col("replicate") == 0, pl.col("lag") == 0)["correlation"].item()
    assert zero == pytest.approx(np.corrcoef(entry, np.roll(entry, 1))[0, 1])
    still = pl.LazyFrame({"replicate": 0, "step": range(9), "entry_rate": 0.1, "exit_rate": np.arange(9.0)})
    assert demography.cross_correlation(still, 1).collect()["correlation"].to_list() == [None] * 3


# ---------------------------------------------------------------------- lives


def test_lives_worked_by_hand():
    found = demography.lives(LABS).collect()
    assert found["lab_id"].to_list() == [1, 2, 3, 4]
    # From the begin of step 0 to the end of step 3; ... of step 1; from the end of step 1 to that of 3; of 0 to 3.
    assert found["months"].to_list() == pytest.approx([4.0, 2.0, 2.0, 3.0])
    assert found["died"].to_list() == [False, True, True, False]
    assert found["founded_date"].to_list()[2] == dt.date(2023, 2, 1) and set(found["cohort"]) == {2023}
    failed = demography.lives(LABS, ends=["insolvent"], cohort=pl.col("founded_date").dt.month()).collect()
    assert failed["died"].to_list() == [False, True, False, False] and failed["cohort"].to_list() == [1, 1, 2, 1]


def test_kaplan_meier_worked_by_hand():
    """Deaths at 1, 3, 3; censored at 2 and 4: S = 4/5, then 4/5 * 1/3."""
    found = survival.kaplan_meier(lives([(1, True), (2, False), (3, True), (3, True), (4, False)]), []).collect()
    assert found["age"].to_list() == [1, 2, 3, 4] and found["at_risk"].to_list() == [5, 4, 3, 1]
    assert found["survival"].to_list() == pytest.approx([0.8, 0.8, 0.8 / 3, 0.8 / 3])
    greenwood = 0.8 / 3 * np.sqrt(1 / (5 * 4) + 2 / (3 * 1))
    assert found["error"][2] == pytest.approx(greenwood)
    assert survival.median_life(found.lazy(), []).collect().item() == 3.0
    cut = stats.ecdf(stats.CensoredData(uncensored=[1, 3, 3], right=[2, 4])).sf
    assert found["survival"].to_list() == pytest.approx(cut.evaluate(found["age"].to_numpy()).tolist())
    interval = cut.confidence_interval(0.95, method="log-log")
    for name, its in (("low", interval.low), ("high", interval.high)):
        assert found[name].to_list() == pytest.approx(its.evaluate(found["age"].to_numpy()).tolist())


def test_lives_without_an_age_do_not_count():
    rows = lives([(1, True), (2, False), (3, True)]).with_columns(pl.when(pl.col("months") < 3).then("months"))
    assert survival.kaplan_meier(rows, []).collect()["at_risk"].to_list() == [2, 1]
    assert survival.hazard_by_age(rows).collect()["exposure"].sum() == pytest.approx(3.0)


def test_cohorts_do_not_mix_and_medians_may_be_undefined():
    two = lives([(1, True), (2, True), (5, False), (6, False)], cohort=[2023, 2023, 2024, 2024])
    curves = survival.kaplan_meier(two)
    assert curves.collect().filter(pl.col("cohort") == 2023)["survival"].to_list() == [0.5, 0.0]
    assert survival.median_life(curves).collect()["median_months"].to_list() == [1.0, None]


@settings(max_examples=60, deadline=None)
@given(LIVES)
def test_kaplan_meier_is_a_survival_function(rows):
    found = survival.kaplan_meier(lives(rows), []).collect()
    s = found["survival"].to_numpy()
    assert np.all(np.diff(s) <= 1e-12) and np.all((s >= -1e-12) & (s <= 1))
    assert np.all((found["low"].to_numpy() <= s + 1e-12) & (found["high"].to_numpy() >= s - 1e-12))
    assert found["deaths"].sum() + found["censored"].sum() == len(rows) == found["at_risk"][0]
    twice = survival.kaplan_meier(lives(rows * 2), []).collect()
    assert twice["survival"].to_list() == pytest.approx(s.tolist())
    if all(died for _, died in rows):  # without censoring the empirical one
        ages = np.array([months for months, _ in rows])
        assert s.tolist() == pytest.approx([(ages > age).mean() for age in found["age"]])


# ---------------------------------------------------------------------- hazard


def test_hazard_worked_by_hand():
    found = survival.hazard_by_age(lives([(0.5, True), (1, True), (1.5, False), (3, True)])).collect()
    assert found["age"].to_list() == [0, 1, 2] and found["deaths"].to_list() == [2, 0, 1]
    assert found["exposure"].to_list() == pytest.approx([3.5, 1.5, 1.0])
    assert found["hazard"].to_list() == pytest.approx([2 / 3.5, 0.0, 1.0])
    low = found["low"].to_list()
    assert low[1] is None
    assert low[::2] == pytest.approx([2 / 3.5 * np.exp(-1.96 / np.sqrt(2)), np.exp(-1.96)], rel=1e-4)
    wide = survival.hazard_by_age(lives([(4, True), (9, False)]), width=6.0).collect()
    assert wide["exposure"].to_list() == pytest.approx([10.0, 3.0])


@settings(max_examples=60, deadline=None)
@given(LIVES, st.sampled_from([0.5, 1.0, 3.0]))
def test_all_deaths_and_months_are_in_the_hazard(rows, width):
    found = survival.hazard_by_age(lives(rows), width=width).collect()
    assert found["deaths"].sum() == sum(died for _, died in rows)
    assert found["exposure"].sum() == pytest.approx(sum(months for months, _ in rows))


def test_a_constant_hazard_is_found():
    rng = np.random.default_rng(3)
    age, end = rng.exponential(10.0, 20_000), rng.uniform(0, 20, 20_000)
    found = survival.hazard_by_age(lives(zip(np.minimum(age, end), age <= end, strict=True)), width=5.0).collect()
    error = found["hazard"] / found["deaths"].sqrt()
    assert ((found["hazard"] - 0.1).abs() < 3.5 * error).all() and error[0] < 0.002


# ---------------------------------------------------------------------- Cox


def test_cox_worked_by_hand():
    """Deaths of x = 1, 0, 1 in this order without ties: L = u / (2u + 2) * 1 / (u + 2) * u / (u + 1), u = exp b."""
    found = survival.cox(lives([(1, True), (2, True), (3, True), (4, False)], x=[1.0, 0.0, 1.0, 0.0]), ["x"])

    def minus(b):
        u = np.exp(b)
        return -np.log(u / (2 * u + 2) * 1 / (u + 2) * u / (u + 1))

    best = optimize.minimize_scalar(minus, bounds=(-5, 5), method="bounded", options={"xatol": 1e-10})
    assert found["coefficient"].item() == pytest.approx(best.x, abs=1e-6)
    assert found["log_likelihood"].item() == pytest.approx(-best.fun)
    h = 1e-4
    curvature = (minus(best.x + h) - 2 * minus(best.x) + minus(best.x - h)) / h**2
    assert found["error"].item() == pytest.approx(1 / np.sqrt(curvature), rel=1e-4)
    assert found["hazard_ratio"].item() == pytest.approx(np.exp(best.x))


def test_ties_are_efrons():
    """x = 1 and 0 die at once, of two each: L = u / ((2u + 2) (2u + 2 - (u + 1) / 2))."""
    rows = lives([(1, True), (1, True), (2, False), (3, True)], x=[1.0, 0.0, 1.0, 0.0])

    def minus(b):
        u = np.exp(b)
        return -np.log(u / ((2 * u + 2) * (2 * u + 2 - (u + 1) / 2)))

    found = survival.cox(rows, ["x"])
    best = optimize.minimize_scalar(minus, bounds=(-5, 5), method="bounded", options={"xatol": 1e-10})
    assert found["coefficient"].item() == pytest.approx(best.x, abs=1e-6)


def made(n, seed=4):
    """Lives with hazards 0.1 exp(0.7 x - 0.5 (group b)), whole months, censored."""
    rng = np.random.default_rng(seed)
    x, group, world = rng.normal(size=n), rng.choice(["a", "b", "c"], n), rng.integers(0, 3, n)
    rate = 0.1 * np.exp(0.7 * x - 0.5 * (group == "b") + 0.8 * world)
    age, end = rng.exponential(1 / rate), rng.uniform(5, 40, n)
    months = np.ceil(np.minimum(age, end))
    return lives(zip(months, age <= end, strict=True), x=x, group=group, replicate=world)


def test_cox_finds_the_hazards_within_worlds():
    found = survival.cox(made(6000), ["x", "group"], strata=["replicate"])
    assert found["covariate"].to_list() == ["x", "group=b", "group=c"]
    for row, truth in zip(found.to_dicts(), (0.7, -0.5, 0.0), strict=True):
        assert abs(row["coefficient"] - truth) < 3.5 * row["error"] and row["error"] < 0.06
        assert row["low"] < row["coefficient"] < row["high"]
    assert found["p"].to_list()[0] < 1e-10


def test_cox_knows_no_unit_of_time_and_no_place_of_x():
    rows = made(300)
    one = survival.cox(rows, ["x"])
    two = survival.cox(rows.with_columns(pl.col("months") * 3.0, pl.col("x") + 5.0), ["x"])
    assert one.drop("covariate").row(0) == pytest.approx(two.drop("covariate").row(0), rel=1e-6)


@pytest.mark.parametrize(
    ("rows", "covariates", "says"),
    [
        (lives([(1, False), (2, False)], x=[0.0, 1.0]), ["x"], "nobody died"),
        (lives([(1, True), (2, False)], cohort=[2023, 2024]), ["cohort"], "cohort=2024: nobody with it died"),
        (lives([(1, True), (2, True)], cohort=[2023, 2023]), ["cohort"], "nothing varies in cohort"),
        (lives([(1, True), (2, True), (3, True)], x=[1.0, 2.0, 1.5], y=[2.0, 4.0, 3.0]), ["x", "y"], "tell the same"),
        (lives([(1, True), (2, True), (3, True)], x=[3.0, 2.0, 1.0]), ["x"], "no finite estimate"),
        (lives([(1, True)]), ["x"], "no column x"),
    ],
)
def test_what_cox_cannot_tell(rows, covariates, says):
    with pytest.raises(ValueError, match=says):
        survival.cox(rows, covariates)


# ---------------------------------------------------------------------- against lifelines

#: What lifelines 0.30.3 finds in ``made(400)``: coefficients of x, b, c, their errors, log likelihood.
LIFELINES = {
    (): ([0.58081, -0.644758, -0.014888], [0.058879, 0.138082, 0.132166], -1743.57261),
    ("replicate",): ([0.717267, -0.770136, -0.128871], [0.062782, 0.14225, 0.133864], -1324.91495),
}


@pytest.mark.parametrize("strata", LIFELINES)
def test_cox_finds_what_lifelines_found(strata):
    mine, (coefficients, errors, likelihood) = survival.cox(made(400), ["x", "group"], strata=strata), LIFELINES[strata]
    assert mine["coefficient"].to_list() == pytest.approx(coefficients, abs=1e-5)  # it stops sooner
    assert mine["error"].to_list() == pytest.approx(errors, abs=2e-6)
    assert mine["log_likelihood"][0] == pytest.approx(likelihood, abs=1e-4)


@pytest.fixture
def lifelines():
    """The library, where somebody installed it (0.30 wants an older pandas than is pinned, and yet works with it)."""
    return pytest.importorskip("lifelines")


@pytest.mark.filterwarnings("ignore")
def test_kaplan_meier_against_lifelines(lifelines):
    rows = made(200)
    mine, table = survival.kaplan_meier(rows, []).collect(), rows.collect()
    fit = lifelines.KaplanMeierFitter().fit(table["months"].to_numpy(), table["died"].to_numpy())
    ages = mine["age"].to_numpy()
    assert mine["survival"].to_list() == pytest.approx(fit.survival_function_at_times(ages).to_list())
    interval = fit.confidence_interval_survival_function_.loc[ages].to_numpy()
    assert mine["low"].to_list() == pytest.approx(interval[:, 0].tolist(), rel=1e-6)
    assert mine["high"].to_list() == pytest.approx(interval[:, 1].tolist(), rel=1e-6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("strata", [[], ["replicate"]])
def test_cox_against_lifelines(lifelines, strata):
    import pandas

    rows = made(400)
    mine, table = survival.cox(rows, ["x", "group"], strata=strata), rows.collect()
    group = table["group"].to_numpy()
    columns = {name: table[name].to_numpy() for name in ("months", "died", "x", *strata)}
    frame = pandas.DataFrame(columns | {"b": 1.0 * (group == "b"), "c": 1.0 * (group == "c")})
    fit = lifelines.CoxPHFitter().fit(frame, "months", "died", strata=strata or None)
    order = ["x", "b", "c"]
    assert mine["coefficient"].to_list() == pytest.approx(fit.params_[order].to_list(), rel=1e-4, abs=1e-5)
    assert mine["error"].to_list() == pytest.approx(fit.standard_errors_[order].to_list(), rel=1e-4)
    assert mine["log_likelihood"][0] == pytest.approx(fit.log_likelihood_, rel=1e-6)


@pytest.mark.parametrize("module", [demography, survival])
def test_examples_in_docstrings(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
