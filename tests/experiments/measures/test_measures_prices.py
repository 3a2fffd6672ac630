"""Prices, gaps, lineage and welfare: hand-worked cases, closed forms, identities."""

from __future__ import annotations

import datetime as dt
import doctest

import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from baimo.experiments.measures import gaps, lineage, prices, welfare


def months(steps):
    return [dt.date(2023 + k // 12, k % 12 + 1, 1) for k in range(steps)]


def market(replicate=0, **columns):
    steps = len(next(iter(columns.values())))
    return pl.LazyFrame(
        {"run": "a", "replicate": replicate, "step": range(steps), "date": months(steps)}
        | {name: np.array(values, dtype=float) for name, values in columns.items()}
    ).with_columns(pl.selectors.float().fill_nan(None))


# ---------------------------------------------------------------------- prices


def test_the_cheapest_that_is_good_enough():
    labs = pl.LazyFrame(
        {
            "replicate": 0,
            "step": [0, 0, 0, 0, 1],
            "date": [months(2)[0]] * 4 + [months(2)[1]],
            "alive": [True, True, True, False, True],
            "region": ["CN", "CN", "ROW", "CN", "CN"],
            "capability": [1.0, 2.0, 2.0, 3.0, None],
            "price_flagship": [1.0, 9.0, 5.0, 0.1, 2.0],
        }
    )
    found = prices.price_at(labs, [0.5, 1.5, 2.5]).collect()
    assert found.select("step", "level").rows() == [(s, level) for s in (0, 1) for level in (0.5, 1.5, 2.5)]
    assert found["price"].to_list() == [1.0, 5.0, None, None, None, None]
    assert found["sellers"].to_list() == [3, 2, 0, 0, 0, 0]
    assert prices.price_at(labs, [1.5], region="CN").collect()["price"].to_list() == [9.0, None]


def test_a_price_that_halves_every_four_months():
    dates = months(25)
    halves = market(price_gpt35_level=[100.0 * 0.5 ** (k / 4) for k in range(25)])
    found = prices.log_slope(halves).collect().row(0, named=True)
    assert found["halving_months"] == pytest.approx(4.0, rel=1e-3) and found["factor_a_year"] == pytest.approx(
        1 / 8, rel=1e-3
    )
    assert found["r2"] == pytest.approx(1.0) and found["n"] == 25 and found["run"] == "a"
    later = prices.log_slope(halves, since="2023-07", until="2024-06").collect().row(0, named=True)
    assert later["n"] == 12 and later["slope"] == pytest.approx(found["slope"])
    assert dates[6] == dt.date(2023, 7, 1)


def test_the_slope_is_that_of_scipy():
    y = np.exp(np.random.default_rng(1).normal(size=18))
    frame = pl.concat([market(r, price=np.where(np.arange(18) == 3, np.nan, y * (r + 1))) for r in range(2)])
    there = np.arange(18) != 3
    its = stats.linregress(np.arange(18)[there] / 12, np.log(y[there]))
    for row in prices.log_slope(frame, "price").collect().to_dicts():
        assert (row["slope"], row["slope_error"], row["r2"]) == pytest.approx((its.slope, its.stderr, its.rvalue**2))
        assert (row["halving_months"] is None) == (its.slope >= 0)
    pooled = prices.log_slope(frame, "price", []).collect()
    assert pooled["n"].item() == 34 and pooled["slope"].item() == pytest.approx(its.slope)
    assert prices.log_slope(market(price=[1.0, 0.0, -1.0]), "price").collect()["slope"].item() is None


def test_lerner_worked_by_hand():
    found = prices.lerner(
        market(margin_flagship_cn=[0.5, -0.2], revenue_labs_cn=[10.0, 0.0], serving_cost_cn=[4.0, 1.0])
    ).collect()
    assert found["lerner_flagship"].to_list() == [0.5, -0.2] and found["lerner_industry"].to_list() == [0.6, None]


# ---------------------------------------------------------------------- gaps


def test_a_gap_worked_by_hand():
    """The leader rises by one a month and rests from 3 on; the follower stands between its steps."""
    leader, follower = [0.0, 1.0, 2.0, 3.0, 3.0, 3.0], [-1.0, 0.0, 0.5, 1.5, 3.0, 4.0]
    found = gaps.gap(market(frontier_all=leader, frontier_cn=follower)).collect()
    assert found["gap_oom"].to_list() == pytest.approx([1.0, 1.0, 1.5, 1.5, 0.0, -1.0])
    assert found["gap_months"].to_list() == [None, 1.0, 1.5, 1.5, 0.0, 0.0]
    known = gaps.gap(market(frontier_all=leader, frontier_cn=follower), pace_before=0.5).collect()
    assert known["gap_months"].to_list() == [2.0, 1.0, 1.5, 1.5, 0.0, 0.0]


def test_a_frontier_that_falls_does_not_bring_the_follower_nearer():
    leader, follower = [0.0, 2.0, 1.0, 1.0, 4.0], [0.0, 0.0, 0.0, 0.0, 0.0]
    found = gaps.gap(market(frontier_all=leader, frontier_cn=follower)).collect()
    assert found["gap_months"].to_list() == pytest.approx([0.0, 1.0, 2.0, 3.0, 4.0])
    with_null = gaps.gap(market(frontier_all=[0.0, np.nan, 2.0], frontier_cn=[0.0, 0.0, np.nan])).collect()
    assert with_null["gap_months"].to_list() == [0.0, None, None] and with_null["gap_oom"].to_list() == [
        0.0,
        None,
        None,
    ]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.01, 1.0), min_size=4, max_size=24), st.integers(1, 3))
def test_who_stands_where_the_leader_stood_is_as_many_months_behind(rises, lag):
    leader = np.cumsum(rises)
    follower = np.r_[[leader[0]] * lag, leader[:-lag]]
    two = pl.concat([market(r, frontier_all=leader + r, frontier_cn=follower + r) for r in range(2)])
    found = gaps.gap(two).collect()
    assert found["replicate"].to_list() == [0] * len(rises) + [1] * len(rises)
    for _, mine in found.group_by("replicate"):
        assert mine["gap_months"].to_list()[lag:] == pytest.approx([lag] * (len(rises) - lag), abs=1e-6)
        assert (mine["gap_months"] >= 0).all()


# ---------------------------------------------------------------------- lineage


def edges(pairs, replicate=0, step=12, kind="derives_from"):
    return pl.LazyFrame(
        {
            "run": "a",
            "replicate": pl.Series([replicate] * len(pairs), dtype=pl.Int32),
            "step": pl.Series([step] * len(pairs), dtype=pl.Int32),
            "kind": kind,
            "source": [f"model:{a}" for a, _ in pairs],
            "target": [f"model:{b}" for _, b in pairs],
        }
    )


#: 1 carries 2 and 3, 2 carries 4; 2048 carries 5. Lab 0 has 1 to 5, lab 2 has 2048.
TREE = [(2, 1), (3, 1), (4, 2), (5, 2048)]


def test_children_worked_by_hand():
    table = pl.concat([edges(TREE), edges(TREE[:1], 1), edges([(9, 8)], kind="declares")])
    found = lineage.children(table).collect()
    assert found.select("replicate", "model", "lab_id", "children").rows() == [
        (0, 1, 0, 2),
        (0, 2, 0, 1),
        (0, 2048, 2, 1),
        (1, 1, 0, 1),
    ]
    assert lineage.children(table, declared=True).collect()["model"].to_list() == [8]


def test_the_shape_of_a_lineage_worked_by_hand():
    released = pl.LazyFrame({"run": "a", "replicate": [0] * 9, "step": [3] * 8 + [20], "kind": "release"})
    released = released.cast({"replicate": pl.Int32, "step": pl.Int32})
    found = lineage.shape(pl.concat([edges(TREE), edges(TREE[:1], 1)]), released)
    row = found.row(0, named=True)
    assert (row["models"], row["bases"], row["roots"], row["derivatives"]) == (6, 3, 2, 4)
    assert row["depth"] == 2 and row["mean_depth"] == pytest.approx((1 + 1 + 2 + 1) / 4)
    assert row["mean_children"] == pytest.approx(4 / 3) and row["base_family_share"] == pytest.approx(4 / 6)
    assert row["derivative_share"] == pytest.approx(4 / 8)
    assert found["derivative_share"][1] is None and found["derivatives"][1] == 1
    assert found.schema["replicate"] == pl.Int32


def test_the_bases_that_carry_most():
    labs = pl.LazyFrame(
        {"run": "a", "replicate": [0, 0], "lab_id": [0, 2], "name": ["champion", "other"], "region": ["ROW", "CN"]}
    ).cast({"replicate": pl.Int32})
    found = lineage.most_built_on(edges(TREE), labs, top=2)
    assert found["model"].to_list() == [1, 2] and found["descendants"].to_list() == [3, 1]
    assert found["children"].to_list() == [2, 1] and found["share"].to_list() == [0.75, 0.25]
    assert found["name"].to_list() == ["champion", "champion"] and found["rank"].to_list() == [1, 2]
    ((keys, graph),) = lineage.graphs(edges(TREE), labs)
    assert keys == {"run": "a", "replicate": 0, "step": 12} and isinstance(graph, nx.DiGraph)
    assert graph.nodes["model:2048"] == {"lab_id": 2, "name": "other", "region": "CN"}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=30))
def test_every_model_has_one_base_and_counts_agree(parents):
    """Model k + 1 stands on one of those before it."""
    pairs = [(k + 1, min(parent, k)) for k, parent in enumerate(parents)]
    table = edges(pairs)
    row = lineage.shape(table).row(0, named=True)
    assert row["derivatives"] == len(pairs) and row["roots"] == 1 and 1 <= row["depth"] <= len(pairs)
    assert 1 <= row["mean_depth"] <= row["depth"] and row["derivatives"] == pytest.approx(
        row["mean_children"] * row["bases"]
    )
    assert lineage.children(table).collect()["children"].sum() == len(pairs)
    assert lineage.most_built_on(table, top=1)["descendants"].item() == len(pairs)


# ---------------------------------------------------------------------- welfare

DEMAND = welfare.Demand(sensitivity=2.0, correlation=0.8, hassle=0.0, stake=3.0)


def state(**changes):
    """A market of one step."""
    values = {
        "consumer_surplus_cn": 100.0,
        "users_cn": 10.0,
        "price_flagship_cn": 8.0,
        "price_light_cn": 2.0,
        "tokens_light_share_cn": 0.5,
        "hhi_tokens_cn": 0.25,
    } | changes
    return market(**{name: [value] for name, value in values.items()})


def parts(after, before=None, demand=DEMAND):
    found = welfare.decomposition(after, state() if before is None else before, demand, ("replicate", "step"))
    return found.collect().row(0, named=True)


def test_one_thing_at_a_time():
    more = parts(state(users_cn=20.0, consumer_surplus_cn=200.0))
    assert more["adoption"] == pytest.approx(100.0) == more["change"]
    assert [more[name] for name in ("price", "variety", "quality")] == pytest.approx([0.0] * 3)
    cheap = parts(state(price_flagship_cn=4.0, price_light_cn=1.0))
    assert cheap["price"] == pytest.approx(10.0 * 3.0 * np.log(2)) == -cheap["quality"]
    half = parts(state(price_light_cn=1.0))
    assert half["price"] == pytest.approx(10.0 * 3.0 * 0.5 * np.log(2))
    many = parts(state(hhi_tokens_cn=0.125))
    assert many["variety"] == pytest.approx(10.0 * 3.0 * 0.2 / 2.0 * np.log(2))
    good = parts(state(consumer_surplus_cn=130.0))
    assert good["quality"] == pytest.approx(30.0) and good["adoption"] == 0.0
    mix = parts(state(tokens_light_share_cn=0.9))
    assert mix["price"] == 0.0  # a cheaper mix is no fall of prices


def test_it_is_exact_for_one_segment_of_equal_models():
    """Plain logit of N equal models of utility q - a ln p, all inside: L = ln N + q - a ln p, v = w L / a."""
    demand = welfare.Demand(sensitivity=2.0, correlation=0.0, hassle=0.5, stake=4.0)

    def of(users, models, quality, price):
        surplus = users * 4.0 * (np.log(models) + quality - 2.0 * np.log(price + 0.5)) / 2.0
        same = {"price_flagship_cn": price, "price_light_cn": price}
        return state(consumer_surplus_cn=surplus, users_cn=users, hhi_tokens_cn=1 / models, **same)

    found = parts(of(12.0, 8, 9.0, 3.0), of(10.0, 4, 7.0, 6.0), demand)
    worth = 11.0 * 4.0
    assert found["price"] == pytest.approx(worth * np.log(6.5 / 3.5))
    assert found["variety"] == pytest.approx(worth * np.log(2.0) / 2.0)
    assert found["quality"] == pytest.approx(worth * 2.0 / 2.0)


POSITIVE = st.floats(0.01, 1e3)


@settings(max_examples=50, deadline=None)
@given(*[st.tuples(POSITIVE, POSITIVE)] * 2, st.tuples(*[st.floats(0.01, 1.0)] * 2), st.tuples(*[st.floats(0, 1)] * 2))
def test_the_parts_add_up_and_turn_their_signs(surplus, price, hhi, light):
    one, two = (
        state(
            consumer_surplus_cn=surplus[k],
            users_cn=surplus[1 - k],
            price_flagship_cn=price[k],
            hhi_tokens_cn=hhi[k],
            tokens_light_share_cn=light[k],
        )
        for k in range(2)
    )
    there, back = parts(two, one), parts(one, two)
    assert sum(there[name] for name in welfare.PARTS) == pytest.approx(there["change"], abs=1e-6)
    assert there["change"] == pytest.approx(surplus[1] - surplus[0], abs=1e-6)
    for name in welfare.PARTS:
        assert there[name] == pytest.approx(-back[name], abs=1e-6)


def test_over_time_and_between_arms():
    columns = {
        "consumer_surplus_cn": [1.0, 2.0, 4.0],
        "users_cn": [0.0, 1.0, 2.0],
        "price_flagship_cn": [4.0, np.nan, 4.0],
        "price_light_cn": [1.0, 1.0, 1.0],
        "tokens_light_share_cn": [np.nan, 0.5, 0.5],
        "hhi_tokens_cn": [1.0, 0.5, 0.5],
    }
    base = market(**columns)
    over = welfare.over_time(base, DEMAND, lag=1).collect()
    assert over["step"].to_list() == [1, 2] and over["change"].to_list() == [1.0, 2.0]
    assert over.select(pl.sum_horizontal(*welfare.PARTS)).to_series().to_list() == pytest.approx([1.0, 2.0])
    policy = base.with_columns(pl.lit("b").alias("run"), pl.col("consumer_surplus_cn") + 1.0)
    arms = welfare.between(policy, base, DEMAND).collect()
    assert arms["run"].to_list() == ["b"] * 3 and arms["quality"].to_list()[1:] == pytest.approx([1.0, 1.0])
    surplus = welfare.surplus(base).collect()
    assert surplus["surplus_per_user"].to_list() == [None, 2.0, 2.0] and surplus["models"].to_list() == [1.0, 2.0, 2.0]


@pytest.mark.parametrize("module", [gaps, lineage, prices, welfare])
def test_examples_in_docstrings(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
