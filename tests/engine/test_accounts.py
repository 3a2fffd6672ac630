"""Accounts: every payment has two ends, and money out of nowhere shows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baimo.agents.base import MarketAgent
from baimo.agents.enums import CN
from baimo.conf.declare import column
from baimo.world.engine.accounts import SECTORS, Accounts
from baimo.world.engine.population import Population
from baimo.world.ensemble import Ensemble

WORLDS, ROWS = 3, 128
CLOSED = 1e-12


class Payer(MarketAgent):
    """Somebody with money."""

    cash = column("CNY million", clears=True)


@pytest.fixture
def books():
    return make_books()


def make_books(seed: int = 0) -> Accounts:
    rng = np.random.default_rng(seed)
    populations = {name: Population(Payer, WORLDS, ROWS, ROWS) for name in ("labs", "vendors")}
    for population in populations.values():
        population.alive = np.arange(ROWS) < 50
        population.cash = np.where(population.alive, rng.normal(20.0, 50.0, (WORLDS, ROWS)), 0.0)
    return Accounts(populations, WORLDS, np)


def amounts(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(np.arange(ROWS) < 50, rng.exponential(2.0, (WORLDS, ROWS)), 0.0)


def wealth(books: Accounts) -> np.ndarray:
    return sum(books.holdings().values())


def test_payments_move_money(books):
    labs, vendors = books.populations["labs"], books.populations["vendors"]
    before = labs.cash, vendors.cash
    bill = amounts(1)
    income = np.zeros((WORLDS, ROWS))
    income[:, :1] = bill.sum(-1, keepdims=True)
    books.pay("rent", (labs, bill), (vendors, income))
    np.testing.assert_allclose(labs.cash, before[0] - bill)
    np.testing.assert_allclose(vendors.cash, before[1] + income)
    assert np.all(books.close() < CLOSED)


def test_a_sector_takes_the_other_sides_total(books):
    labs = books.populations["labs"]
    bill = amounts(2)
    books.pay("wages", (labs, bill), "workers")
    books.pay("vouchers", "government", (labs, 2.0 * bill))
    total = bill.sum(-1, keepdims=True)
    np.testing.assert_allclose(books.balance["workers"], total)
    np.testing.assert_allclose(books.balance["government"], -2.0 * total)
    assert np.all(books.balance["users"] == 0.0)
    assert np.all(books.close() < CLOSED)


def test_flows_add_up_by_kind(books):
    labs = books.populations["labs"]
    books.pay("wages", (labs, amounts(3)), "workers")
    books.pay("wages", (labs, amounts(4)), "workers")
    paid, received = books.flows["wages"]
    np.testing.assert_allclose(paid, (amounts(3) + amounts(4)).sum(-1, keepdims=True))
    assert np.array_equal(paid, received)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 1000),
    st.lists(
        st.tuples(st.sampled_from(("labs", "vendors", *SECTORS)), st.sampled_from(("labs", "vendors"))),
        max_size=8,
    ),
)
def test_money_is_conserved_whoever_pays_whom(seed, payments):
    books = make_books(seed)
    before = wealth(books)
    for number, (payer, payee) in enumerate(payments):
        sums = amounts(seed + number)
        who = payer if payer in SECTORS else (books.populations[payer], sums)
        books.pay(f"kind {number % 3}", who, (books.populations[payee], sums[:, ::-1]))
        books.pay("back", (books.populations[payee], 0.3 * sums), "outside")
    assert np.all(books.close() < CLOSED)
    np.testing.assert_allclose(wealth(books), before, atol=1e-8)


def test_money_out_of_nowhere_is_caught_in_its_world(books):
    labs = books.populations["labs"]
    books.pay("wages", (labs, amounts(5)), "workers")
    cash = labs.cash.copy()
    cash[1, 7] += 0.01
    labs.cash = cash
    gap = books.close()
    assert gap.shape == (WORLDS, 1)
    assert gap[1, 0] > 1e-6 and np.all(gap[[0, 2]] < CLOSED)


@pytest.mark.parametrize("sector", SECTORS)
def test_a_sector_that_prints_money_is_caught(books, sector):
    books.balance[sector] = books.balance[sector] - 0.01
    assert np.all(books.close() > 1e-6)


def test_money_that_changes_hands_without_a_payment_is_caught(books):
    labs, vendors = books.populations["labs"], books.populations["vendors"]
    gift = amounts(6)
    labs.cash, vendors.cash = labs.cash - gift, vendors.cash + gift
    assert np.all(books.close() > 1e-6)


def test_a_payment_whose_ends_differ_is_caught(books):
    bill = amounts(7)
    books.pay("rent", (books.populations["labs"], bill), (books.populations["vendors"], 0.99 * bill))
    assert np.all(books.close() > 1e-6)


def test_money_buried_with_its_owner_is_caught(books):
    gone = np.zeros((WORLDS, ROWS), dtype=bool)
    gone[2, 4] = True
    books.populations["labs"].bury(gone)
    gap = books.close()
    assert gap[2, 0] > 1e-6 and np.all(gap[:2] < CLOSED)


def test_money_that_is_not_a_number_does_not_pass(books):
    labs = books.populations["labs"]
    labs.cash = np.where(np.arange(ROWS) == 3, np.nan, labs.cash)
    gap = books.close()
    assert not np.any(gap < 1e-6)


def test_a_new_month_starts_clean_and_the_worst_month_is_remembered(books):
    labs = books.populations["labs"]
    books.pay("rent", (labs, amounts(9)), "outside")
    labs.cash = labs.cash + 1.0
    worst = books.close()
    books.open()
    assert books.flows == {}
    books.pay("wages", (labs, amounts(8)), "workers")
    assert np.all(books.close() < CLOSED)
    assert np.array_equal(books.residual, worst)


def test_growth_in_the_middle_of_a_month_keeps_the_books(books):
    labs = Population(Payer, WORLDS, ROWS, 4 * ROWS)
    labs.alive = True
    labs.cash = np.random.default_rng(1).normal(20.0, 50.0, (WORLDS, ROWS))
    books = Accounts({"labs": labs}, WORLDS, np)
    labs.enter(np.array([0]), np.array([0]), 1)
    assert labs.capacity > ROWS
    assert np.array_equal(books.close(), np.zeros((WORLDS, 1)))


def test_columns_of_revenue_are_sums_of_what_the_tables_hold():
    """Who earns what in the market table: the labs, the champions of open weights, the apps, the clouds of CN."""
    ensemble = Ensemble(["output.level=full", "steps=30"], range(2)).run()
    tables = ensemble.tables()
    labs, apps, vendors = (tables[name] for name in ("labs", "apps", "vendors"))
    here, there = pl.col("region") == "CN", pl.col("alive")
    for name, rows in {
        "revenue_labs_cn": labs.filter(here, there),
        "revenue_open_champions": labs.filter(there, pl.col("archetype") == "open_champion"),
        "revenue_apps_cn": apps.filter(there),
        "revenue_clouds_cn": vendors.filter(here, pl.col("kind") == "cloud"),
    }.items():
        summed = rows.group_by("replicate", "step").agg(pl.col("revenue").sum().cast(float))
        both = tables["market"].select("replicate", "step", name).join(summed, on=["replicate", "step"])
        assert both["revenue"].to_numpy() == pytest.approx(both[name].to_numpy(), rel=1e-5), name
        assert both["revenue"].sum() > 0.0, name
    own = ensemble.world.labs
    based = (own.region == CN) & own.alive & own.released & (own.base_id >= 0)
    last = tables["market"].filter(pl.col("step") == 29).sort("replicate")["revenue_on_open_base_cn"]
    assert last.to_numpy() == pytest.approx((own.service_revenue * based).sum(-1)) and last.min() > 0.0
