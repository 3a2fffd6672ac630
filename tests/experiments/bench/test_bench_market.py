"""Plain Mesa and columns do the same: the market step of ``experiments/bench`` digit by digit, and by chance."""

from __future__ import annotations

import numpy as np
import pytest

from baimo.experiments.bench.market_step import ColumnMarket
from baimo.experiments.bench.plain_mesa import App, Market
from baimo.experiments.bench.translate import agent_market

WORLDS, MONTHS, STEPS = 3, 8, 8


def seen(model: Market) -> dict[str, float]:
    """What ``ColumnMarket.seen`` shows, of one plain world."""
    flagships = [lab.sold_flagship for lab in model.labs]
    sold = [lab.sold_flagship + lab.sold_light for lab in model.labs]
    apps = list(model.agents_by_type[App])
    return {
        "price": sum(lab.sold_flagship * lab.price_flagship for lab in model.labs) / sum(flagships),
        "hhi": sum((each / sum(sold)) ** 2 for each in sold),
        "users": sum(sum(segment.users) for segment in model.segments),
        "deaths": model.deaths,
        "app_users": sum(app.users for app in apps),
        "cash": sum(app.cash for app in apps),
    }


@pytest.fixture(scope="module")
def histories():
    """The columns month by month, with plain worlds that share their numbers, and some that have their own."""
    columns = ColumnMarket(WORLDS, MONTHS)
    same = [agent_market(columns, index, same_numbers=True) for index in range(WORLDS)]
    own = [agent_market(columns, index) for index in range(WORLDS)]
    months = []
    for _ in range(STEPS):
        columns.step()
        for model in (*same, *own):
            model.step()
        by_plain = [[seen(model) for model in models] for models in (same, own)]
        months.append((columns.seen(), *by_plain))
    return columns, same, months


def test_with_the_same_numbers_every_month_is_the_same(histories):
    _, _, months = histories
    for by_column, same, _ in months:
        for name, values in by_column.items():
            assert [each[name] for each in same] == pytest.approx(values.tolist(), rel=1e-9), name


def test_with_the_same_numbers_every_agent_is_the_same(histories):
    columns, same, _ = histories
    labs, apps = columns.world.labs, columns.world.apps
    for index, model in enumerate(same):
        rows = np.nonzero(labs.alive[index])[0]
        assert [lab.id for lab in model.labs] == labs.id[index, rows].tolist()
        by_lab = labs.columns | columns.customers
        for name in ("price_flagship", "price_light", "usage_data", "share", "nest_share", "retention"):
            expected = by_lab[name][index, rows]
            assert np.ptp(expected) > 0.0, name
            assert np.allclose([getattr(lab, name) for lab in model.labs], expected, rtol=1e-9, atol=0.0), name
        by_segment = np.array([segment.users for segment in model.segments])
        assert np.allclose(by_segment, labs.users[:, index, rows], rtol=1e-9, atol=1e-12)
        mine = {app.id: app for app in model.agents_by_type[App]}
        rows = np.nonzero(apps.alive[index])[0]
        assert sorted(mine) == sorted(apps.id[index, rows].tolist())
        for row in rows:
            app = mine[int(apps.id[index, row])]
            assert (-1 if app.base is None else app.base.id) == apps.base_id[0, index, row]
            assert (app.cash, app.rework) == pytest.approx((apps.cash[index, row], apps.rework[index, row]), rel=1e-9)


def test_something_happens(histories):
    """Prices, users, bases and lives move, so that to be the same says something."""
    columns, _, months = histories
    first, last = months[0][0], months[-1][0]
    assert np.all(np.abs(last["price"] / first["price"] - 1.0) > 0.01)
    assert np.all(np.abs(last["hhi"] / first["hhi"] - 1.0) > 0.001)
    assert sum(month[0]["deaths"].sum() for month in months) > 30
    start = ColumnMarket(WORLDS, MONTHS).world
    kept = columns.world.apps.base_id[0] == start.apps.base_id[0]
    assert 0.05 < np.mean(~kept[start.apps.alive]) < 0.95
    on_sale = start.labs.alive & start.labs.released
    for name in ("price_flagship", "price_light"):
        posted = on_sale & (columns.world.labs.columns[name] != start.labs.columns[name])
        assert np.all(posted.sum(1) > 10) and np.all(posted.sum(1) < on_sale.sum(1)), name


def test_with_numbers_of_its_own_plain_mesa_has_the_same_distribution(histories):
    """Means over the worlds and the last months lie within four errors of a difference.

    Over forty sets of own numbers the standard deviation is 1.1% of the price, 1.2% of the index, 0.005% of users,
    0.25% of the apps' users, 0.14% of their cash and 2.3% of deaths; that of a difference is 1.4 times as large.
    """
    _, _, months = histories
    spreads = {"price": 0.06, "hhi": 0.07, "users": 0.0003, "app_users": 0.014, "cash": 0.008, "deaths": 0.13}
    for name, spread in spreads.items():
        last = months if name == "deaths" else months[-3:]
        theirs = np.array([[each[name] for each in own] for *_, own in last])
        ours = np.array([month[0][name] for month in last])
        assert (theirs != ours).any(), "their numbers are their own"
        assert theirs.mean() == pytest.approx(ours.mean(), rel=spread), name
