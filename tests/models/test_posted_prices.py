"""Posted prices (X01) and the value of a customer (X02), against theory in small closed markets."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baimo.agents.enums import ALL_OPEN, CLOSED
from baimo.agents.lab import ModelLab
from baimo.conf.parameters.models import ModelMarket, Pricing
from baimo.world.laws.nested_logit import Seller, best_price, nested_shares
from baimo.world.models.pricing import close_rivals, purse_discount, sale_worth

FLEXIBLE = {"band": 0.0, "repost": 1.0, "customer_weight": 0.0, "cloud_value": 0.0, "data_value": 0.0}


class Labs(SimpleNamespace):
    """Columns of a closed market: ``firms`` labs that are alike."""

    @classmethod
    def alike(cls, firms: int, start: float = 100.0, cost: float = 1.0, **more) -> Labs:
        row = np.ones((1, firms))
        alive = row > 0.0
        prices = {"price_flagship": start * row, "price_light": start * row}
        costs = {"marginal_cost": cost * row, "marginal_cost_light": cost * row}
        tokens = {"tokens_flagship": row, "tokens_light": row, "price_subscription": 50.0 * row}
        return cls(**(prices | costs | tokens | {"alive": alive, "released": alive, "openness": 0 * row} | more))


def parameters(**changes) -> SimpleNamespace:
    pricing = dataclasses.replace(Pricing(), **(FLEXIBLE | changes.pop("pricing", {})))
    market = dataclasses.replace(ModelMarket(), **changes)
    return SimpleNamespace(pricing=pricing, model_market=market)


def seen(labs, p, outside=-50.0, **changes) -> SimpleNamespace:
    """What labs of equal quality see at present prices, of whom all look at their lists and none is bound."""
    row, m = np.ones_like(labs.price_flagship), p.model_market
    value = -m.price_sensitivity * np.log(labs.price_flagship + m.hassle_cost)[None]
    nest = np.zeros_like(labs.alive)
    share, within, _ = nested_shares(value, nest, np.full((1, 1, 1), outside), m.nest_correlation)
    calm = {"considers": row > 0.0, "fresh": row < 0.0, "sale_worth": 0.0 * row, "cost_fall": 0.0 * row}
    calm |= {"price_life": 0.0 * row, "room": 1e12 * row, "loss_most": 1e12 * row, "price_floor": 0.0}
    calm |= {"host_markup": 0.3 + 0.0 * row, "subscriber_cost": row, "subscriber_worth": 20.0 * row}
    calm |= {"share": share[0], "nest_share": within[0], "captive": 0.0 * row, "use_elasticity": 0.0 * row}
    return SimpleNamespace(**(calm | changes))


def settle(firms, p=None, months=150, outside=-50.0, seen_more=None, **labs):
    """Flagship prices of labs that post month by month."""
    p, labs = p or parameters(), Labs.alike(firms, **labs)
    for _ in range(months):
        ModelLab.set_price.function(labs, seen(labs, p, outside, **(seen_more or {})), p)
    return labs.price_flagship[0]


def alone(e, start=1.0, **changes):
    """Price that a lab with next to no share posts, whose elasticity is ``e`` at any price."""
    p, labs = parameters(price_sensitivity=1e-9), Labs.alike(1, start=start)
    row = np.ones((1, 1))
    known = {"share": 0.0 * row, "nest_share": 0.0 * row, "use_elasticity": e * row} | changes
    ModelLab.set_price.function(labs, seen(labs, p, **known), p)
    return labs.price_flagship[0, 0]


def fixed_point(firms, p, cost=1.0, use=0.0):
    """p = (c + h/e) / (1 - 1/e), with equal shares and no old tools."""
    sigma = p.model_market.nest_correlation
    e = p.model_market.price_sensitivity * ((1.0 - sigma / firms) / (1.0 - sigma) - 1.0 / firms) + use
    return (cost + p.model_market.hassle_cost / e) / (1.0 - 1.0 / e)


# ---------------------------------------------------------------------- the wanted price


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_the_best_price_earns_most(seed):
    """No other price on a fine grid earns more, rivals' prices as they are: (p - c) s(p) q(p)."""
    rng, p = np.random.default_rng(seed), parameters()
    m, n = p.model_market, 16
    one = lambda low, high: rng.uniform(low, high, (1, n))  # noqa: E731
    within = one(0.01, 0.95)
    seller = Seller(
        np.exp(one(-2.0, 4.0)), np.exp(one(-2.0, 4.0)), within * one(0.05, 0.9), within, one(0.0, 0.0), one(0.4, 1.0),
        one(0.0, 0.0),
    )  # fmt: skip
    found = best_price(seller, p)
    grid = np.exp(np.linspace(np.log(m.least_price + m.hassle_cost), np.log(m.most_price + m.hassle_cost), 40001))

    def earned(asked):
        x = np.log(asked / (seller.price + m.hassle_cost))
        moved = np.exp(-m.price_sensitivity / (1.0 - m.nest_correlation) * x)
        total = 1.0 - within + within * moved
        nest = seller.share / within * total ** (1.0 - m.nest_correlation)
        share = within * moved / total * nest / (1.0 - seller.share / within + nest)
        margin = asked - m.hassle_cost - seller.cost
        return margin * share * np.exp(-seller.use_elasticity * x)

    best = earned(grid[:, None, None]).max(0)
    inside = (found > m.least_price * 1.01) & (found < m.most_price / 1.01) & (best > 0.0)
    assert inside.mean() > 0.3
    assert (earned(found + m.hassle_cost) >= best * (1.0 - 1e-3))[inside].all()


@pytest.mark.parametrize("firms", [3, 5, 12, 30])
@pytest.mark.parametrize("cost", [0.2, 1.0, 8.0])
def test_without_reposting_costs_equal_labs_settle_on_the_mark_up(firms, cost):
    assert settle(firms, cost=cost) == pytest.approx(fixed_point(firms, parameters(), cost), rel=4e-3)


def test_twelve_labs_settle_a_little_above_cost_and_fewer_higher():
    prices = [settle(n)[0] for n in (3, 6, 12, 40)]
    assert prices == sorted(prices, reverse=True)
    assert 1.1 < prices[2] < 1.3, "about 1.2 at a cost of one (PRIORS)"


def test_where_they_start_does_not_matter():
    assert settle(12, start=0.1) == pytest.approx(settle(12, start=400.0), rel=4e-3)


def test_bertrand_limit():
    """As models become alike (sigma to 1) among many firms, price goes to cost."""
    prices = [settle(20, parameters(nest_correlation=s))[0] for s in (0.5, 0.8, 0.9, 0.95)]
    assert prices == sorted(prices, reverse=True)
    assert 1.0 < prices[-1] < 1.04


def test_a_monopolist_asks_what_use_and_old_tools_leave():
    """Without rivals only the elasticity of use and the old tools bound the price."""
    assert settle(1)[0] == pytest.approx(parameters().model_market.most_price, rel=4e-3)
    assert alone(1.5) == pytest.approx((1.0 + 0.3 / 1.5) / (1.0 - 1.0 / 1.5), rel=4e-3)
    prices = [settle(1, outside=v)[0] for v in (-1.0, -2.0, -4.0)]
    assert 1.3 < prices[0] < prices[1] < prices[2] < 500.0


def test_captive_customers_pay_more():
    prices = [settle(12, seen_more={"captive": np.full((1, 12), share)})[0] for share in (0.0, 0.3, 0.6)]
    assert prices[0] < prices[1] < prices[2]


def test_open_flagships_are_hosted_near_cost_and_a_floor_holds():
    opened = 2.0 * np.ones((1, 1))
    assert settle(1, openness=opened)[0] == pytest.approx(1.3, rel=4e-3)
    assert settle(1, openness=0.5 * opened)[0] > 100.0, "only the light model is open"
    assert settle(12, seen_more={"price_floor": 2.0}) == pytest.approx(2.0)
    held = settle(12, parameters(pricing={"band": 3.0}), months=1, start=1.5, seen_more={"price_floor": 2.0})
    assert held == pytest.approx(2.0), "the law does not wait for a new price list"


# ---------------------------------------------------------------------- reposting


@pytest.mark.parametrize(("off", "posts"), [(0.33, False), (0.37, True), (-0.33, False), (-0.37, True)])
def test_a_posted_price_stands_within_the_band_and_then_jumps_to_the_wanted_one(off, posts):
    wanted, row = alone(5.0), np.ones((1, 1))
    p, labs = parameters(pricing={"band": 0.35}, price_sensitivity=1e-9), Labs.alike(1, start=wanted * np.exp(off))
    known = {"share": 0.0 * row, "nest_share": 0.0 * row, "use_elasticity": 5.0 * row}
    ModelLab.set_price.function(labs, seen(labs, p, **known), p)
    assert labs.price_flagship[0, 0] == pytest.approx(wanted if posts else wanted * np.exp(off), rel=4e-3)


def test_who_does_not_look_posts_nothing_and_a_new_model_has_a_new_price():
    labs, p = Labs.alike(3), parameters()
    asleep = {"considers": np.zeros((1, 3), bool)}
    ModelLab.set_price.function(labs, seen(labs, p, **asleep), p)
    assert (labs.price_flagship == 100.0).all()
    fresh = np.array([[True, False, False]])
    ModelLab.set_price.function(labs, seen(labs, p, **(asleep | {"fresh": fresh})), p)
    assert (labs.price_flagship[0] == 100.0).tolist() == [False, True, True]


@pytest.mark.parametrize("fall", [0.03, 0.08])
def test_with_falling_costs_prices_last_a_band_long_and_earn_the_mark_up_on_average(fall):
    """A state-dependent price under a trend lives band/g + 1/q, and bears the flexible mark-up in mid-life."""
    p = parameters(pricing={"band": 0.35}, price_sensitivity=1e-9, hassle_cost=1e-3)
    chance, months, firms = 0.5, 2000, 12
    rng, labs = np.random.default_rng(7), Labs.alike(firms)
    life, row = np.floor(0.35 / fall) + 1.0 / chance, np.ones((1, firms))
    known = {"share": 0.0 * row, "nest_share": 0.0 * row, "use_elasticity": 9.0 * row}
    known |= {"cost_fall": fall * row, "price_life": life * row}
    posted, over = 0.0, []
    for month in range(months):
        labs.marginal_cost = labs.marginal_cost * np.exp(-fall)
        if month % 10 == 9:  # all at another scale: costs may fall for ever, prices have bounds
            labs.marginal_cost, labs.price_flagship = (
                each * np.exp(10.0 * fall) for each in (labs.marginal_cost, labs.price_flagship)
            )
        before = labs.price_flagship.copy()
        looks = rng.random((1, firms)) < chance
        ModelLab.set_price.function(labs, seen(labs, p, considers=looks, **known), p)
        posted += (labs.price_flagship != before).sum()
        flexible = (labs.marginal_cost + 1e-3 / 9.0) / (1.0 - 1.0 / 9.0)
        over.append(np.log(labs.price_flagship / flexible).mean())
    assert firms * months / posted == pytest.approx(life, rel=0.1)
    assert np.mean(over[100:]) == pytest.approx(0.0, abs=0.06)


# ---------------------------------------------------------------------- what can be served, and lost


@given(st.floats(0.05, 0.95), st.floats(2.0, 12.0))
@settings(max_examples=40, deadline=None)
def test_a_price_never_asks_for_more_than_can_be_served(room, e):
    """Levitan and Shubik (1972): with less room than the mark-up would fill, a price just fills what there is."""
    market = parameters().model_market
    h, price = market.hassle_cost, alone(e, start=1.3, room=np.full((1, 1), room))
    demand = ((1.3 + h) / (price + h)) ** e
    unbound = (1.0 + h / e) / (1.0 - 1.0 / e)
    assert demand <= room * (1.0 + 1e-6) or price == market.most_price
    if unbound * (1.0 + 5e-3) < price < market.most_price:
        assert demand == pytest.approx(room)


def test_cheap_room_empties_the_price():
    """The same lab asks less as room grows, until room no longer binds."""
    prices = [alone(6.0, start=3.0, room=np.full((1, 1), room)) for room in (0.2, 0.5, 1.0, 1e3, 1e12)]
    assert prices == sorted(prices, reverse=True)
    assert prices[-1] == prices[-2] < prices[0] / 1.3


@given(st.floats(0.0, 30.0), st.floats(0.0, 3.0))
@settings(max_examples=40, deadline=None)
def test_losses_below_cost_are_bounded_by_the_purse(worth, purse):
    h = parameters().model_market.hassle_cost
    price = alone(6.0, sale_worth=np.full((1, 1), worth), loss_most=np.full((1, 1), purse))
    sought = max((1.0 + h / 6.0) / (1.0 - 1.0 / 6.0 + worth), parameters().model_market.least_price)
    grown = ((1.0 + h) / (sought + h)) ** 6.0
    assert (1.0 - price) * grown <= purse * (1.0 + 1e-2) + 1e-9
    if purse == 0.0:
        assert price >= 1.0 - 1e-9, "who may lose nothing sells at cost or above"


# ---------------------------------------------------------------------- what a customer is worth


class Purses(SimpleNamespace):
    """A world of three labs: behind a parent, with years of cash, with a month of cash."""

    def __init__(self, hype=0.0, margin=0.3, growth=0.0, **pricing):
        row = np.zeros((1, 3))
        labs = SimpleNamespace(
            cash=np.array([[0.0, 400.0, 1.0]]), cost=row + 2.0, revenue=row + 1.0, archetype=row.astype(int) + 7,
            parent_support=np.array([[10.0, 0.0, 0.0]]), usage_data=row, region=row,
        )  # fmt: skip
        of_region = lambda value: np.full((2, 1, 1), value)  # noqa: E731
        state = SimpleNamespace(margin_seen=of_region(margin), revenue_growth=of_region(growth), hype=hype)
        p = parameters(pricing={"customer_weight": 1.0, "growth_belief": 1.0} | pricing)
        super().__init__(labs=labs, state=state, parameters=p, by_region=lambda pair: pair[0])


def test_the_purse_discounts_the_future():
    p = Pricing()
    assert purse_discount(Purses())[0].tolist() == pytest.approx([p.rich_discount, p.rich_discount, p.poor_discount])


@pytest.mark.parametrize("retention", [0.5, 0.9, 0.99])
def test_a_customer_is_worth_the_margins_of_the_months_that_it_stays(retention):
    world = Purses()
    worth = sale_worth(world, np.full((1, 3), retention))[0]
    discount = purse_discount(world)[0]
    u = np.minimum(discount * retention, 0.98)
    assert worth == pytest.approx(0.3 * sum(u**month for month in range(1, 25)))
    assert worth[2] < worth[0]


def test_worth_falls_with_margins_and_what_is_believed_of_growth():
    kept = np.full((1, 3), 0.8)
    worth = [sale_worth(Purses(**each), kept)[0, 0] for each in ({"margin": -0.4}, {}, {"growth": 0.05})]
    assert worth[0] == 0.0, "where margins are gone and nobody hopes, a customer is worth nothing"
    assert worth[0] < worth[1] < worth[2]
    hopeful = sale_worth(Purses(margin=-0.4, hype=0.5), kept)[0, 0]
    assert hopeful == pytest.approx(0.5 * Pricing().normal_margin / 0.3 * worth[1])
    assert (sale_worth(Purses(customer_weight=0.0), kept) == 0.0).all()


def test_who_values_customers_sells_below_cost_and_kappa_bounds_it():
    prices = [settle(12, seen_more={"sale_worth": np.full((1, 12), worth)})[0] for worth in (0.0, 0.3, 1.0, 3.0)]
    assert prices == sorted(prices, reverse=True)
    assert prices[0] > 1.0 > prices[2]
    assert min(prices) > 0.0


# ---------------------------------------------------------------------- who answers whom


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_close_rivals_are_of_one_region_one_nest_and_near(seed):
    rng, firms, near = np.random.default_rng(seed), 30, 0.5
    quality = rng.uniform(-2.0, 4.0, firms)
    labs = SimpleNamespace(
        served=np.repeat(quality[None, None], 3, 0),
        region=rng.integers(0, 2, (1, firms)),
        openness=rng.choice([CLOSED, ALL_OPEN], (1, firms)),
        alive=np.ones((1, firms), bool),
        released=rng.random((1, firms)) < 0.8,
    )
    moved = rng.random((1, firms)) < 0.2
    world = SimpleNamespace(labs=labs, parameters=SimpleNamespace(pricing=SimpleNamespace(rivals_near=near)))
    found = close_rivals(world, moved)[0]
    place = np.floor(quality / near)
    for i in range(firms):
        rivals = [
            j for j in range(firms)
            if j != i and moved[0, j] and labs.released[0, j] and labs.region[0, j] == labs.region[0, i]
            and labs.openness[0, j] == labs.openness[0, i] and abs(place[j] - place[i]) <= 1
        ]  # fmt: skip
        assert found[i] == (labs.released[0, i] and bool(rivals))
