"""Prices of models: posted prices that answer each other (X01), and what a customer is worth (X02)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import ALL_OPEN, CLOUD_OWNERS, CN, ROW
from baimo.agents.lab.market import PriceSignals
from baimo.conf.declare import stock
from baimo.world.compute.rental_market import fleet_serving
from baimo.world.engine.arrays import (
    Array,
    by_region,
    clip,
    is_one_of,
    mean_k,
    ratio,
    row_sum,
    stack_k,
    sum_by_group,
    sum_k,
    take_rows,
    where,
)
from baimo.world.engine.clock import DAYS_A_MONTH
from baimo.world.engine.equation import equation
from baimo.world.engine.state import State
from baimo.world.models.demand import reconsidering
from baimo.world.models.hosting import host_markup
from baimo.world.models.revenue import willingness
from baimo.world.models.serving import serving_costs
from baimo.world.models.utility import choices, valued

if TYPE_CHECKING:
    from baimo.world.engine.world import World

#: Rounds in which labs answer each other's new prices, by the random stream of each.
REPLIES = ("reply_1", "reply_2", "reply_3")
#: Classes of quality in which rivals are counted: so many on each side of a capability of zero.
CLASSES = 32


class PricingState(State):
    """What labs believe of costs, revenue and margins in their market."""

    cost_index = stock("1", "regions", first=np.nan, text="Cost of serving a given model, as last seen")
    cost_fall = stock("1/month", "regions", text="Fall of that cost, in logs, as labs see it")
    revenue_seen = stock("CNY/day", "regions", text="Revenue of the models sold at home, at list prices, as last seen")
    revenue_growth = stock("1/month", "regions", text="Growth of that revenue, in logs, as labs see it")
    margin_seen = stock(
        "share",
        "regions",
        first="pricing.normal_margin",
        text="Margin of models over their marginal cost, as labs see it",
    )


def owners_power(world: World) -> Array:
    """Share of sales that is captive and exploited by its owner (M47).

    phi lock_in (1 - antitrust): apps coupled to one base and firms that rarely reconsider.
    """
    labs = world.labs
    kept = 1.0 - world.policy.market.antitrust * (labs.region == CN)
    return world.parameters.model_market.lock_in * labs.lock_in * kept


def set_prices(world: World) -> None:
    """Phase 8: labs look at their price lists, post, and answer what close rivals post."""
    labs, pricing = world.labs, world.parameters.pricing
    serving_costs(world)
    _look_around(world)
    fresh = labs.released & (labs.since_news <= 0.0)
    seen = _market_seen(world, fresh)
    considers = labs.draws("repost") < world.clock.fraction(pricing.repost)
    # Copies, for a rule of some labs writes into the columns.
    start = labs.price_flagship.copy(), labs.price_light.copy()
    for stream in (*REPLIES, None):
        before = labs.price_flagship.copy(), labs.price_light.copy()
        labs.set_price(_with_shares(world, seen, considers, fresh))
        if stream is None:
            break
        moved = (labs.price_flagship != before[0]) | (labs.price_light != before[1])
        considers = close_rivals(world, moved) & (labs.draws(stream) < world.clock.fraction(pricing.reply))
        fresh = np.zeros_like(fresh)
    models = ("flagship", "light")
    for number, (name, old) in enumerate(zip(models, start, strict=True)):
        new = labs.columns[f"price_{name}"]
        posted = labs.alive & labs.released & (new != old)
        world.count("prices_posted", labs, posted)
        world.log("price", labs, posted, (old, new), (models, labs.id * 0 + number))


# ---------------------------------------------------------------------- what labs see of their market


def _look_around(world: World) -> None:
    """Labs see what became of costs, revenue and margins since they last looked."""
    labs, state, pricing = world.labs, world.state, world.parameters.pricing
    months, learns = world.clock.months, world.clock.fraction(1.0 / pricing.trend_memory)
    index = state.rent_serving / state.engine
    fall = where(state.cost_index > 0.0, np.log(state.cost_index / index), 0.0) / months
    state.cost_fall = state.cost_fall + learns * (fall - state.cost_fall)
    state.cost_index = index
    paid = labs.price_flagship * labs.tokens_flagship + labs.price_light * labs.tokens_light
    spent = labs.marginal_cost * labs.tokens_flagship + labs.marginal_cost_light * labs.tokens_light
    for region in (CN, ROW):
        here = labs.region == region
        revenue, cost = row_sum(where(here, paid, 0.0)), row_sum(where(here, spent, 0.0))
        known = (revenue > 0.0) & (state.revenue_seen[region] > 0.0)
        growth = where(known, np.log(ratio(revenue, state.revenue_seen[region]) + 1e-300), 0.0)
        growth = clip(growth / months, -1.0, 1.0)
        state.revenue_growth[region] += learns * (growth - state.revenue_growth[region])
        margin = where(revenue > 0.0, clip(1.0 - ratio(cost, revenue), -1.0, 1.0), state.margin_seen[region])
        state.margin_seen[region] += world.clock.fraction(1.0 / pricing.margin_memory) * (
            margin - state.margin_seen[region]
        )
        state.revenue_seen[region] = revenue


def _market_seen(world: World, fresh: Array) -> dict[str, Array]:
    """What does not change while labs answer each other."""
    labs, state, pricing = world.labs, world.state, world.parameters.pricing
    fall = by_region(state.cost_fall, labs.region)
    life = np.minimum(
        pricing.band / np.maximum(np.abs(fall), 1e-6) + 1.0 / np.maximum(pricing.repost, 1e-6), pricing.life_most
    )
    lost = pricing.loss_of_cash * np.maximum(labs.cash, 0.0) + pricing.loss_of_support * labs.parent_support
    return {
        "cost_fall": fall,
        "price_life": life,
        "room": room_to_serve(world),
        "subscriber_cost": tokens_of_a_user(world) * labs.marginal_cost * DAYS_A_MONTH / 1e6,
        "subscriber_worth": willingness(world),
        "loss_most": lost * 1e6 / 365.25 / 2.0,
        "host_markup": by_region(host_markup(world), labs.region),
        "price_floor": where(labs.region == CN, world.policy.market.floor, 0.0),
        "going_price": by_region(going_price(world), labs.region),
    }


def _with_shares(world: World, seen: dict[str, Array], considers: Array, fresh: Array) -> PriceSignals:
    """What labs see at present prices."""
    customers = customers_of(world)
    retention = customers.pop("retention")
    return PriceSignals(considers=considers, fresh=fresh, sale_worth=sale_worth(world, retention), **customers, **seen)


def room_to_serve(world: World) -> Array:
    """How many times its present demand a lab could serve: own chips, rented ones, and idle ones for rent."""
    labs, state, p = world.labs, world.state, world.parameters
    idle = by_region(state.idle_serving, labs.region) * p.rental.largest_tenant * p.serving.elastic
    reach = fleet_serving(world) * p.lab.most_serving + labs.rented_serving + idle
    room = ratio(reach * (1.0 + p.serving.burst), state.serving_need)
    return where(state.serving_need > 0.0, clip(room, 1e-3, 1e12), 1e12)


def close_rivals(world: World, moved: Array) -> Array:
    """Labs with a close rival among those who ``moved``: of the same region and nest, and near in quality.

    Quality goes by classes as wide as ``rivals_near``; rivals stand in the same class or the next.
    """
    labs, near = world.labs, world.parameters.pricing.rivals_near
    place = clip(np.floor(mean_k(labs.served) / near), -CLASSES + 1, CLASSES - 2).astype(np.int64) + CLASSES
    market = 2 * labs.region + (labs.openness == ALL_OPEN)
    group = market * (2 * CLASSES) + place
    out = labs.alive & labs.released
    movers = sum_by_group((moved & out).astype(float), group, 8 * CLASSES)
    around = take_rows(movers, group - 1) + take_rows(movers, group) + take_rows(movers, group + 1)
    return out & (around - moved > 0.5)


def tokens_of_a_user(world: World) -> Array:
    """Tokens a day of a lab's mean user, last month."""
    labs = world.labs
    return ratio((labs.tokens_flagship + labs.tokens_light) * 1e6, sum_k(labs.users) * 1e6)


# ---------------------------------------------------------------------- how customers answer


@equation
def weighed(share, within, leaving, state, seg):
    """w, w s, w s_within, w epsilon and w r (1 - s), w the tokens that a lab sells to those of a segment who pay.

    Its customers' shares, elasticity of use and leaving are means with these weights.
    """
    weight = (1.0 - seg.free) * seg.tokens * state.adopters * share
    return weight, weight * share, weight * within, weight * seg.elasticity, weight * (leaving * (1.0 - share))


def customers_of(world: World) -> dict[str, Array]:
    """How the customers of each lab answer to its price, and the share of them that it keeps a month."""
    seg = world.segments.columns
    value, *_ = valued(world)
    share, within, _ = choices(world, value)
    sums = [sum_k(each) for each in weighed(share, within, reconsidering(world), world.state, seg)]
    share, within, use, leave = (ratio(each, sums[0]) for each in sums[1:])
    answers = {"share": share, "nest_share": within, "use_elasticity": use, "captive": owners_power(world)}
    return answers | {"retention": 1.0 - leave}


def sale_worth(world: World, retention: Array) -> Array:
    """w = kappa lambda + cloud + data: what a sale is worth beyond its price, in such prices (X02).

    lambda = m (u - u^(n+1)) / (1 - u), u = min(beta rho G, 0.98): m the margin that is expected, rho the customers
    kept, G the growth of revenue that is believed in, beta the discount of the purse (Klemperer 1995). Hype promises
    a normal margin; without it labs expect what margins have lately been.
    """
    labs, state, pricing = world.labs, world.state, world.parameters.pricing
    seen = np.maximum(by_region(state.margin_seen, labs.region), 0.0)
    margin = seen + state.hype * np.maximum(pricing.normal_margin - seen, 0.0)
    growth = np.exp(pricing.growth_belief * by_region(state.revenue_growth, labs.region))
    u = np.minimum(purse_discount(world) * retention * growth, 0.98)
    kept = (u - np.exp((pricing.customer_months + 1.0) * np.log(np.maximum(u, 1e-9)))) / (1.0 - u)
    cloud = is_one_of(labs.archetype, CLOUD_OWNERS)
    data = pricing.data_value / (1.0 + labs.usage_data / world.parameters.model_market.data_scale)
    return pricing.customer_weight * margin * kept + pricing.cloud_value * cloud + data


def purse_discount(world: World) -> Array:
    """beta: what a month's wait costs, little behind a parent or with years of cash, much with little runway."""
    labs, pricing = world.labs, world.parameters.pricing
    burn = np.maximum(labs.cost - labs.revenue, 1e-6)
    full = clip(
        (np.maximum(labs.cash, 0.0) / burn - pricing.poor_runway) / (pricing.rich_runway - pricing.poor_runway),
        0.0,
        1.0,
    )
    full = where(labs.parent_support > 0.0, 1.0, full)
    return pricing.poor_discount + (pricing.rich_discount - pricing.poor_discount) * full


# ---------------------------------------------------------------------- levels


def entry_price(world: World) -> Array:
    """Initial list prices by region, ``(2, 1 or worlds, 1)``."""
    model_market = world.parameters.model_market
    return stack_k(model_market.entry_price_cn, model_market.entry_price_row, xp=world.xp)


def going_price(world: World) -> Array:
    """Mean price of the flagships sold, by home region, ``(2, worlds, 1)``; before any sale, the initial price."""
    labs, found = world.labs, []
    sold = labs.tokens_flagship * labs.alive
    for region in (CN, ROW):
        weight = where(labs.region == region, sold, 0.0)
        level = ratio(row_sum(weight * labs.price_flagship), row_sum(weight))
        found.append(where(level > 0.0, level, entry_price(world)[region]))
    return np.stack(found)
