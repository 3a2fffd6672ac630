"""Policy effects: known ones on made frames, the statistics, the command, and what cannot be compared."""

from __future__ import annotations

import datetime as dt
import doctest
import json
import re
import shutil

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from baimo.conf import schema
from baimo.experiments import cli
from baimo.experiments.analysis import arms, compare, effect_text, paired, tables
from baimo.experiments.analysis.arms import NotComparable
from baimo.experiments.analysis.compare import effects
from baimo.experiments.run import compose, store

MONTHS = [dt.date(2023 + step // 12, step % 12 + 1, 1) for step in range(24)]


def frame(values, column="gap_cn_oom", dates=MONTHS, first=0):
    """A market table of ``values (worlds, steps)``."""
    worlds, steps = values.shape
    return pl.LazyFrame(
        {
            "scenario": "made",
            "replicate": np.repeat(np.arange(first, first + worlds, dtype=np.int32), steps),
            "step": np.tile(np.arange(steps, dtype=np.int32), worlds),
            "date": list(dates[:steps]) * worlds,
            column: values.ravel(),
        }
    )


def row(table, period, column=None):
    found = table.filter(pl.col("period") == period)
    found = found if column is None else found.filter(pl.col("column") == column)
    assert found.height == 1
    return found.row(0, named=True)


# ---------------------------------------------------------------------- effects that are known


def test_a_known_effect_from_a_date_on():
    """The effect is world r's own number from 2024 on and nothing before."""
    base = np.random.default_rng(1).normal(5.0, 3.0, (6, 24))
    own = np.array([1.0, 1.0, 2.0, 3.0, -1.0, 4.0])
    policy = base + own[:, None] * (np.arange(24) >= 12)
    table = effects(frame(policy), frame(base), windows={"2024": "2024-01..2024-12", "all": "whole run"})
    after, whole = row(table, "2024"), row(table, "all")
    assert after["effect"] == pytest.approx(own.mean()) and after["median"] == pytest.approx(1.5)
    assert (after["q05"], after["q95"]) == pytest.approx(tuple(np.quantile(own, [0.05, 0.95])))
    assert after["share_sign"] == pytest.approx(5 / 6) and after["n"] == 6
    assert whole["effect"] == pytest.approx(own.mean() / 2.0)
    assert (after["first_date"], after["last_date"]) == (dt.date(2024, 1, 1), dt.date(2024, 12, 1))
    months = table.filter(pl.col("kind") == "month").sort("period")
    assert months["period"].to_list() == [f"{date:%Y-%m}" for date in MONTHS]
    assert months["effect"].to_list() == pytest.approx([0.0] * 12 + [own.mean()] * 12)
    assert months["share_sign"][0] == 1.0  # no effect is no effect in all worlds


def test_prices_are_compared_as_factors_and_nothing_as_levels():
    base = np.full((4, 24), 10.0)
    policy = base * np.array([0.5, 0.5, 0.5, 0.5])[:, None]
    found = row(effects(frame(policy, "price_light_cn"), frame(base, "price_light_cn")), "last year")
    assert found["log"] and np.expm1(found["effect"]) == pytest.approx(-0.5)
    none = row(effects(frame(policy * 0.0, "price_light_cn"), frame(base, "price_light_cn")), "last year")
    assert not none["log"] and none["effect"] == pytest.approx(-10.0)


def test_weeks_make_months():
    weeks = [dt.date(2023, 1, 1) + dt.timedelta(weeks=k) for k in range(12)]
    base = np.zeros((3, 12))
    policy = np.tile(np.arange(12.0), (3, 1))
    table = effects(frame(policy, dates=weeks), frame(base, dates=weeks))
    january = [k for k, day in enumerate(weeks) if day.month == 1]
    assert row(table, "2023-01")["effect"] == pytest.approx(np.mean(january))


def test_undefined_steps_are_left_out_and_undefined_worlds_do_not_count():
    base, policy = np.ones((3, 24)), np.full((3, 24), 3.0)
    policy[0, :20] = np.nan
    policy[1] = np.nan
    with_nulls = frame(policy).with_columns(pl.col("gap_cn_oom").fill_nan(None))
    found = row(effects(with_nulls, frame(base)), "whole run")
    assert found["n"] == 2 and found["effect"] == pytest.approx(2.0)
    nobody = effects(frame(policy[1:2]).with_columns(pl.col("gap_cn_oom").fill_nan(None)), frame(base[1:2], first=0))
    assert row(nobody, "whole run")["effect"] is None


def test_pairs_are_matched_by_seed_and_replicate_in_any_order():
    rng = np.random.default_rng(3)
    base = rng.normal(size=(5, 24))
    two = [frame(base[:3] + k).with_columns(pl.lit(k).alias("seed")) for k in (1, 2)]
    policy = [each.with_columns(pl.col("gap_cn_oom") + pl.col("seed") * 10.0) for each in two]
    shuffled = pl.concat(policy[::-1]).collect().sample(fraction=1.0, shuffle=True, seed=1).lazy()
    found = row(effects(shuffled, pl.concat(two)), "whole run")
    assert found["n"] == 6 and found["effect"] == pytest.approx(15.0)
    assert found["q05"] == pytest.approx(10.0)


# ---------------------------------------------------------------------- the statistics


def test_pairing_gains_what_the_correlation_says():
    """Var x = Var y and correlation rho: the variance ratio is 1 / (1 - rho)."""
    rng = np.random.default_rng(4)
    for rho in (0.0, 0.5, 0.95):
        both = rng.multivariate_normal([0.0, 0.3], [[1.0, rho], [rho, 1.0]], size=20_000)
        found = paired.effect_spread(both[:, 1:], both[:, :1])
        assert found["correlation"][0] == pytest.approx(rho, abs=0.02)
        assert found["variance_ratio"][0] == pytest.approx(1.0 / (1.0 - rho), rel=0.05)


def test_the_bootstrap_is_that_of_scipy():
    rng = np.random.default_rng(5)
    policy, base = rng.exponential(2.0, (30, 3)), rng.exponential(1.0, (30, 3))
    low, high = paired.bootstrap(policy, base, resamples=20_000, seed=2)
    for k in range(3):
        sample = (policy[:, k] - base[:, k],)
        its = stats.bootstrap(sample, np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(6))
        assert (low[k], high[k]) == pytest.approx(tuple(its.confidence_interval), abs=0.03)


def test_the_bootstrap_covers_the_mean():
    rng = np.random.default_rng(7)
    policy, base = rng.normal(1.0, 1.0, (40, 400)), np.zeros((40, 400))
    low, high = paired.bootstrap(policy, base, resamples=1000)
    assert 0.91 < np.mean((low < 1.0) & (high > 1.0)) < 0.97


def test_the_bootstrap_is_seeded_and_leaves_out_what_is_undefined():
    rng = np.random.default_rng(8)
    policy, base = rng.normal(size=(12, 2)), rng.normal(size=(12, 2))
    assert np.array_equal(paired.bootstrap(policy, base, 500, 3), paired.bootstrap(policy, base, 500, 3))
    assert not np.array_equal(paired.bootstrap(policy, base, 500, 3), paired.bootstrap(policy, base, 500, 4))
    holes = policy.copy()
    holes[:10, 1] = np.nan
    low, high = paired.bootstrap(holes, base, 500, 3)
    assert low[0] == paired.bootstrap(policy, base, 500, 3)[0][0]
    ends = np.sort((policy - base)[10:, 1])
    assert (low[1], high[1]) == pytest.approx(tuple(ends))  # of two pairs the mean is one, the other or half
    assert np.isnan(paired.bootstrap(policy[:1], base[:1])[0]).all()


def test_the_replications_are_the_least_that_suffice():
    for deviation, half in ((1.0, 0.5), (3.0, 0.1), (0.2, 1.0), (1.0, 1.0)):
        n = paired.replications(np.array(deviation), np.array(half)).item()
        assert stats.t.ppf(0.975, n - 1) * deviation / np.sqrt(n) <= half
        assert n == 2 or stats.t.ppf(0.975, n - 2) * deviation / np.sqrt(n - 1) > half
    assert np.isnan(paired.replications(np.array([np.nan, 1.0]), np.array([1.0, np.nan]))).all()


def test_the_replications_give_the_wanted_width():
    """Half-widths of so many worlds are near the wanted one: 5% of the baseline's mean of 20."""
    rng = np.random.default_rng(9)
    base = np.full((200, 2), 20.0)
    policy = base + rng.normal(0.0, 4.0, (200, 1))
    found = row(effects(frame(policy), frame(base), months=False, width=0.05), "whole run")
    n = int(found["replications"])
    halves = [1.96 * rng.normal(0.0, 4.0, n).std(ddof=1) / np.sqrt(n) for _ in range(300)]
    assert np.mean(halves) == pytest.approx(1.0, rel=0.12)


def test_pairs_that_differ_by_a_constant_need_no_more_worlds_and_others_many():
    rng = np.random.default_rng(11)
    base = np.repeat(rng.normal(10.0, 3.0, (50, 1)), 3, axis=1)
    found = row(effects(frame(base + 1.0), frame(base), months=False), "whole run")
    apart = np.sqrt(2.0) * base[:, 0].std(ddof=1)
    assert found["deviation_unpaired"] == pytest.approx(apart) and found["replications"] == 2
    assert found["replications_unpaired"] == pytest.approx((1.96 * apart / (0.05 * base.mean())) ** 2, rel=0.02)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 2), min_size=2, max_size=20),
    st.floats(-100.0, 100.0),
)
def test_bounds_and_shifts(pairs, shift):
    policy, base = np.array(pairs).T[..., None]
    found = paired.means(policy, base) | paired.effect_spread(policy, base)
    low, high = paired.bootstrap(policy, base, 200)
    ends = np.sort((policy - base)[:, 0])[[0, -1]]
    assert ends[0] - 1e-6 <= low[0] <= high[0] <= ends[1] + 1e-6
    assert found["q05"] <= found["median"] <= found["q95"] and 0.0 <= found["share_sign"] <= 1.0
    assert not found["variance_ratio"] < 0.0 and not abs(found["correlation"]) > 1.0
    moved = paired.means(policy + shift, base)
    assert moved["effect"][0] == pytest.approx(found["effect"][0] + shift, abs=1e-6)
    swapped = paired.means(base, policy)
    assert swapped["effect"][0] == pytest.approx(-found["effect"][0], abs=1e-9)


def test_many_outcomes_at_once_are_each_alone():
    rng = np.random.default_rng(10)
    policy, base = rng.normal(1.0, 2.0, (12, 5)), rng.normal(size=(12, 5))
    policy[3, 2] = np.nan
    found = paired.means(policy, base)
    for k in range(5):
        alone = paired.paired_t_test(policy[:, k], base[:, k])
        assert {name: values[k] for name, values in found.items()} == pytest.approx(alone)


# ---------------------------------------------------------------------- what cannot be compared

BASE = frame(np.ones((4, 24)))


@pytest.mark.parametrize(
    ("policy", "options", "says"),
    [
        (frame(np.ones((4, 12))), {}, "not the same steps: 12 from 2023-01-01 to 2023-12-01 against 24 from"),
        (frame(np.ones((4, 24)), first=9), {}, "no common replicates"),
        (BASE.filter((pl.col("replicate") != 2) | (pl.col("step") < 20)), {}, "policy: incomplete, world 2 has 20 of"),
        (pl.concat([BASE, BASE]), {}, "policy: several rows a world and step"),
        (BASE.filter(pl.col("step") < 0), {}, "policy: the table is empty"),
        (BASE.drop("step"), {}, "no column 'step'"),
        (frame(np.ones((4, 24)), "gap_open"), {}, "no column of numbers that both tables have"),
        (BASE.rename({"gap_cn_oom": "other"}), {"columns": ["other"]}, "column other: only one of the two"),
        (BASE, {"columns": ["gap_cn_om"]}, "column gap_cn_om: there is none; did you mean gap_cn_oom?"),
        (BASE, {"windows": {"late": "2031-01"}}, "window late: no step lies in 2031-01; the run goes from 2023-01-01"),
        (BASE, {"windows": {}, "months": False}, "nothing to compare over"),
    ],
)
def test_frames_that_cannot_be_compared(policy, options, says):
    with pytest.raises(NotComparable, match=re.escape(says)) as error:
        effects(policy, BASE, **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("what", ["2023", "2023-13", "2024-02..2023-02", "soon", "2023-01..", "last decade"])
def test_windows_that_are_none(what):
    with pytest.raises(compose.UserError, match="write a month"):
        compare.check_window(what)


# ---------------------------------------------------------------------- the command


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two tiny runs, and some that cannot be paired with the first."""
    place = tmp_path_factory.mktemp("outputs")
    small = ["steps=12", "worlds=4", "processes=1", "output.level=market", "output.figure=false"]
    for words in (
        ["scenario=baseline"],
        ["scenario=no_embargo"],
        ["scenario=baseline", "seed=2", "experiment_name=other_seed"],
        ["scenario=baseline", "steps=6", "worlds=2", "experiment_name=short"],
        ["scenario=baseline", "clock=week", "worlds=2", "experiment_name=weekly"],
    ):
        assert cli.main([f"output.folder={place}", *small, *words]) == 0
    return place


def command(runs, *words):
    return cli.main(["compare", str(runs / "no_embargo"), "--baseline", str(runs / "baseline"), *words])


def test_the_command(runs, capsys, tmp_path):
    words = ["--columns", "gap_*_oom,price_gpt35_level,labs_alive_cn", "--windows", "spring=2023-03..2023-05"]
    assert command(runs, *words, "--to", str(tmp_path)) == 0
    said = capsys.readouterr().out
    assert "no_embargo against baseline (seed 1)" in said and "policy.embargo.rules=[]" in said
    (folder,) = tmp_path.glob("report-*")
    table = pl.read_parquet(folder / "effects.parquet")
    assert set(table.filter(pl.col("kind") == "window")["period"]) == {"last year", "whole run", "spring"}
    assert set(table["column"]) == {"gap_cn_oom", "gap_native_cn_oom", "price_gpt35_level", "labs_alive_cn"}
    assert table.height == 4 * (3 + 12) and set(table["policy"]) == {"no_embargo"}
    markets = [
        pl.read_parquet(next((runs / arm).glob("*/market.parquet")), glob=False) for arm in ("no_embargo", "baseline")
    ]
    means = [market.filter(pl.col("date").dt.month().is_in([3, 4, 5])) for market in markets]
    expected = means[0]["labs_alive_cn"].mean() - means[1]["labs_alive_cn"].mean()
    assert row(table, "spring", "labs_alive_cn")["effect"] == pytest.approx(expected)
    markdown, latex = ((folder / f"effects.{kind}").read_text(encoding="utf-8") for kind in ("md", "tex"))
    assert r"| gap\_cn\_oom |" in markdown and r"\texttt{gap\_cn\_oom} &" in latex
    assert all(f"\\{rule}" in latex for rule in ("toprule", "midrule", "bottomrule"))
    assert json.loads((folder / "report.json").read_text())["compared"][0][0] == "no_embargo"
    assert command(runs, *words, "--to", str(tmp_path)) == 0
    assert "already there" in capsys.readouterr().out and len([*tmp_path.glob("report-*")]) == 1


def test_arms_from_a_sweep_leave_the_baseline_out(runs):
    table = compare.compare(
        [runs / "*_embargo", runs / "baseline"], [runs / "baseline"], months=False, columns=["hype"]
    )
    assert table["policy"].to_list() == ["no_embargo"] * 2


def test_cells_of_a_sweep_are_named_by_what_is_set(runs):
    """The same scenario with other policies: their alternatives are the names."""
    small = [
        "steps=2",
        "worlds=2",
        "processes=1",
        "output.level=market",
        "output.figure=false",
        "experiment_name=cells",
    ]
    cells = (
        [],
        ["policy/embargo=none"],
        ["policy/embargo=none", "policy/open_source=mandate", "policy.open_source.since=2023-09-01"],
        ["model_market.price_sensitivity=3"],
    )
    for words in cells:
        assert cli.main([f"output.folder={runs}", *small, *words]) == 0
    folders = {folder.name: folder for folder in (runs / "cells").glob("*")}
    base = [folder for folder in folders.values() if "price_sensitivity: 2.0" in (folder / "config.yaml").read_text()]
    plain = arms.grouped(base)
    (history,) = (arm for arm in plain if arms.alternative("embargo", arm) == "history")
    found, _ = arms.arms([runs / "cells"], [*history.runs.values()])
    assert {arm.label for arm in found} == {
        "embargo=none",
        "embargo=none, open_source=mandate, since=2023-09-01",
        "price_sensitivity=3.0",
    }


def test_alternatives_are_those_that_are_composed():
    for group, name in (
        ("embargo", "none"),
        ("embargo", "history"),
        ("open_source", "mandate"),
        ("embargo", "cloud"),
    ):
        names = arms._alternatives(group)
        composed = store.plain_settings(schema.compose([f"policy/{group}={name}"]))["policy"][group]
        assert names[name] == dict(store.leaves({"policy": {group: composed}}))


def test_several_seeds_are_one_arm(runs):
    base = [runs / "baseline", runs / "other_seed"]
    found, baseline = arms.arms([runs / "no_embargo"], base)
    assert sorted(baseline.runs) == [1, 2] and sorted(found[0].runs) == [1]
    table = effects(found[0].market(), baseline.market(), ["hype"], months=False)
    assert table["n"].to_list() == [4, 4]


def test_runs_that_cannot_be_paired(runs, capsys, tmp_path):
    stale = tmp_path / "stale" / "0000000000"
    shutil.copytree(next((runs / "no_embargo").glob("*")), stale)
    facts = json.loads((stale / "manifest.json").read_text())
    (stale / "manifest.json").write_text(json.dumps(facts | {"code_version": "older"}))
    newer = tmp_path / "newer" / "0000000000"
    shutil.copytree(stale, newer)
    (newer / "manifest.json").write_text(json.dumps(facts | {"schema_version": 99}))
    half = tmp_path / "half" / "0000000000"
    half.mkdir(parents=True)
    shutil.copy(stale / "market.parquet", half)
    cases = [
        ([runs / "other_seed"], [runs / "baseline"], "different seeds, seed=2 is not among the baseline's (1)"),
        ([runs / "short"], [runs / "baseline"], "different numbers of steps, steps=6 against 12"),
        ([runs / "weekly"], [runs / "baseline"], "different clocks, clock=week against month"),
        ([stale], [runs / "baseline"], "different model code (older against"),
        ([newer], [runs / "baseline"], "has schema version 99"),
        ([half], [runs / "baseline"], "no complete run at"),
        ([runs / "nowhere"], [runs / "baseline"], "no complete run at"),
        ([runs / "baseline"], [runs / "baseline"], "all these runs are the baseline itself"),
        (
            [runs / "short"],
            [runs / "baseline", runs / "no_embargo"],
            "--baseline: 2 different settings (policy.embargo",
        ),
    ]
    for policy, base, says in cases:
        assert (
            cli.main(["compare", *map(str, policy), "--baseline", *map(str, base), "--to", str(tmp_path / "to")]) == 2
        )
        said = capsys.readouterr().err
        assert says in said and said.startswith("baimo compare: ") and said.count("\n") == 1, said
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--columns", "no_such_thing"], "column no_such_thing: there is none"),
        (["--windows", "x=2023"], "window 2023: write a month"),
        (["--windows", "x=2030-01"], "window x: no step lies in 2030-01"),
        (["--resamples", "3"], "--resamples 3: must be at least 100"),
        (["--seed", "-1"], "--seed -1: must be at least 0"),
        (["--width", "0"], "--width 0.0: must be above 0"),
    ],
)
def test_one_line_for_what_is_wrong(runs, words, says, capsys, tmp_path):
    assert command(runs, *words, "--to", str(tmp_path / "to")) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1 and not (tmp_path / "to").exists()


def test_without_a_baseline_it_is_one_line(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["compare", "outputs/no_embargo"])
    assert left.value.code == 2 and capsys.readouterr().err.count("\n") == 1


# ---------------------------------------------------------------------- tables


def test_latex_is_escaped():
    nasty = r"a_b & 5% #1 ${x}$ ~ ^ \ <>"
    text = tables.escaped(nasty)
    bare = re.sub(r"\\text[a-z]+\{\}|\\[&%$#_{}]", "", text)
    assert not set(bare) & set(r"&%$#_{}~^\<>")
    table = effects(frame(np.ones((4, 24)) * 2), BASE).select(pl.lit("a_b & 5%").alias("policy"), pl.all())
    header = effect_text.Header("base_line", [1], 0.05, {"a_b & 5%": ["x_y=1"]})
    lines = effect_text.latex(table, header).splitlines()
    assert any(r"a\_b \& 5\% against base\_line" in line for line in lines)
    rows = [line for line in lines if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in rows} == {len(effect_text.CELLS) - 1}
    assert lines.count(r"\begin{tabular}{lrrrrrrrrr}") == lines.count(r"\end{tabular}") == 2


def test_the_terminal_table_is_aligned():
    table = effects(frame(np.ones((4, 24)) * 2), BASE).select(pl.lit("p").alias("policy"), pl.all())
    text = effect_text.terminal(table, effect_text.Header("b", [1], 0.05, {"p": []}))
    heads = [k for k, line in enumerate(text.splitlines()) if line.lstrip().startswith("column")]
    lines = text.splitlines()
    assert heads and all(len(lines[k]) == len(lines[k + 1]) for k in heads)


@pytest.mark.parametrize("module", [compare, tables, paired])
def test_examples_in_docstrings(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
