"""The GPU supply market: production, law, orders, rationing, grey imports, wear.

A chipmaker's wafers serve the chip of a generation and its export variants alike; orders
decide the mix and rationing is exact. Everybody who buys, inside the industry or outside,
stands in one order book.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.lab import CN, NOBODY, ROW
from agents.vendor import CHIPMAKER
from world.arrays import Array, one_hot, ratio, row_sum, sum_by_group, sum_k, take_rows
from world.hardware import CNY_A_USD
from world.policy import as_date, authority
from world.population import Observables

if TYPE_CHECKING:
    from world.state import World


#: Water level of a class of which there is enough for everybody.
_OVERFLOWING = 1e200


def ration(supply: Array, orders: Array, classes: Array, weight: Array) -> Array:
    """Share scarce chips out by weighted water-filling, exactly.

    Every buyer's glass is filled to one level, in proportion to its weight, and never beyond
    its order: allocation = min(order, weight x level), with the level of each class chosen so
    that nothing is left while somebody waits.

    Parameters
    ----------
    supply : array (classes, worlds, 1)
    orders : array (worlds, buyers)
    classes : integer array (worlds, buyers)
        The class that each buyer orders; negative for none.
    weight : array (worlds, buyers)
        Priority, positive.

    Returns
    -------
    array (worlds, buyers)

    Notes
    -----
    One stable sort on order/weight serves all classes. With buyers in this order the water
    stands at f_i = sum of smaller orders + t_i x weight of the rest when buyer i is just full;
    f grows along the order, so buyer i is full exactly where f_i <= supply.
    """
    fill_level = np.where(orders > 0.0, orders / weight, np.inf)
    order = np.argsort(fill_level, axis=-1, kind="stable")
    levels = np.take_along_axis(fill_level, order, -1)
    sorted_class = np.take_along_axis(np.where(orders > 0.0, classes, -1), order, -1)
    mine = one_hot(sorted_class, supply.shape[0])
    asked = np.cumsum(mine * np.take_along_axis(orders, order, -1), axis=-1)
    heavy = mine * np.take_along_axis(weight, order, -1)
    passed = np.cumsum(heavy, axis=-1)
    waiting = passed[..., -1:] - passed
    safe_levels = np.where(np.isfinite(levels), levels, 0.0)
    full = mine & (asked + safe_levels * waiting <= supply * (1.0 + 1e-12))
    # Running sums, because their bits do not depend on how many empty rows follow.
    asked_here = mine * np.take_along_axis(orders, order, -1)
    served = np.cumsum(np.where(full, asked_here, 0.0), axis=-1)[..., -1:]
    thirsty = np.cumsum(np.where(mine & ~full, heavy, 0.0), axis=-1)[..., -1:]
    rest = np.maximum(supply - served, 0.0)
    level = np.where(thirsty > 0.0, ratio(rest, thirsty), _OVERFLOWING)
    level_here = take_rows(level[..., 0].T, classes)
    return np.where(classes >= 0, np.minimum(orders, weight * level_here), 0.0)


# ---------------------------------------------------------------------- production


def produce(world: World) -> None:
    """Phase 3: chipmakers make chips of each generation; yields of domestic ones are learned."""
    state, rules = world.state, world.parameters.chip_market
    year = world.clock.year(world.step_number)
    capacity = {}
    for name, series in world.supply.items():
        units = _quarterly(series, world)
        capacity[name] = units * world.clock.months
    learned = state.domestic_made / rules.learning_scale
    state.domestic_yield = rules.yield_limit - (rules.yield_limit - rules.yield_start) * np.exp(
        -rules.learning_exponent * np.log1p(learned)
    )
    memory = rules.memory_control if world.policy.memory_controlled(world.date) else 1.0
    starts = rules.domestic_dies * np.exp(rules.domestic_growth * year) * world.clock.years * memory
    capacity["ascend"] = starts * state.domestic_yield * rules.ascend_share
    capacity["other_domestic"] = starts * state.domestic_yield * (1.0 - rules.ascend_share)
    state.generation_capacity = {
        name: np.broadcast_to(np.asarray(units, dtype=float), (world.worlds, 1)) for name, units in capacity.items()
    }


def _quarterly(series: dict, world: World) -> float:
    """Units a month from a table of units by quarter; a value holds until the next."""
    date = world.date
    key = f"{date.year}Q{(date.month - 1) // 3 + 1}"
    past = [quarter for quarter in series if quarter <= key]
    return float(series[max(past)]) / 3.0 if past else 0.0


def prices_cn(world: World) -> Array:
    """Price of an installed chip in CN by class, CNY million, ``(classes, worlds, 1)``."""
    return list_prices(world) * (1.0 + world.state.cn_premium)


def list_prices(world: World) -> Array:
    """List price of an installed chip (server and network included), CNY million."""
    factor = take_rows(world.vendors.price_factor, world.maker_rows)
    usd = world.chips.list_usd * factor.T[..., None]
    return usd * CNY_A_USD * world.parameters.chip_market.server_overhead / 1e6


# ---------------------------------------------------------------------- orders


def software_maturity(world: World) -> Array:
    """Share of a chip's speed that its software brings out, ``(classes, worlds, 1)``.

    Domestic stacks mature with deployment, a commons for all who use them (M56).
    """
    domestic = np.array([home == "CN" for home in world.chips.homes]).reshape(-1, 1, 1)
    learned = 1.0 - (1.0 - world.chips.maturity) * np.exp(
        -world.state.domestic_installed / world.parameters.chip_market.maturity_scale
    )
    return np.where(domestic, learned, world.chips.maturity)


def grey_class(world: World) -> int:
    """The barred class that is worth smuggling: the fastest datacenter chip on sale abroad."""
    chips, state = world.chips, world.state
    speed = (chips.h100e * chips.maturity)[:, 0, 0] * np.array([k == "datacenter" for k in chips.kinds])
    speed = np.where(state.barred[:, 0, 0] & state.offered_row[:, 0, 0], speed, 0.0)
    age = [(world.date - as_date(day)).days for day in chips.launch]
    speed = np.where(np.array(age) > world.parameters.chip_market.grey_age_days, speed, 0.0)
    return int(np.argmax(speed)) if speed.max() > 0 else NOBODY


def offers(world: World) -> Observables:
    """What buyers in each region can order: value for money, price, rush by class.

    The last class stands for the grey channel.
    """
    state, chips, rules = world.state, world.chips, world.parameters.chip_market
    speed = rules.training_weight * chips.training_speed * software_maturity(world)
    speed = speed + (1.0 - rules.training_weight) * chips.serving_speed * chips.maturity
    consumer = np.array([k == "consumer" for k in chips.kinds]).reshape(-1, 1, 1)
    speed = np.where(consumer, rules.consumer_discount * speed, speed)
    # One fast chip is worth more than slow ones of the same sum: racks, power and networks.
    speed = np.exp(rules.density_premium * np.log(speed))
    listed = list_prices(world)
    street = prices_cn(world)
    grey = state.grey_class
    grey_price = listed[max(grey, 0)] * (1.0 + state.grey_premium)
    rush = 1.0 + rules.stockpile * state.announced
    price = {
        CN: np.concatenate([street, grey_price[None]]),
        ROW: np.concatenate([listed, np.full_like(grey_price, np.inf)[None]]),
    }
    open_cn = np.broadcast_to(state.offered_cn, listed.shape)
    open_row = np.broadcast_to(state.offered_row, listed.shape)
    speed = np.broadcast_to(speed, listed.shape)
    grey_open = np.full_like(grey_price, grey != NOBODY)[None]
    value = {}
    for region, allowed in ((CN, open_cn), (ROW, open_row)):
        quick = np.concatenate([np.where(allowed, speed, 0.0), speed[max(grey, 0)][None] * grey_open])
        if region == ROW:
            quick[-1] = 0.0
        fill = np.sqrt(state.class_fill[region])
        risk = np.ones_like(quick)
        risk[-1] = rules.grey_discount
        value[region] = ratio(quick * fill * risk, np.where(np.isfinite(price[region]), price[region], 1.0))
    rushed = np.concatenate([np.broadcast_to(rush, listed.shape), np.ones_like(grey_price)[None]])
    return Observables(value=value, price=price, rush={CN: rushed, ROW: np.ones_like(rushed)})


def _for_buyers(world: World, population, offer: Observables, **more) -> Observables:
    """Offers as each agent of a population sees them, by its region."""
    here = population.region == CN
    pick = {
        name: np.where(here, table[CN], table[ROW])
        for name, table in (("class_value", offer.value), ("class_price", offer.price), ("class_rush", offer.rush))
    }
    return Observables(**pick, years=world.clock.years, months=world.clock.months, **more)


def outside_orders(world: World, offer: Observables) -> tuple[Array, Array, Array]:
    """Orders of buyers outside this industry, by region and class.

    Returns
    -------
    units, classes, region : arrays (worlds, 2 (classes + 1))
        Spending is spread over what is on offer by value for money.
    """
    rules, year = world.parameters.chip_market, world.clock.year(world.step_number)
    units, classes = [], []
    for region, start, growth, fade in (
        (CN, rules.outside_cn, rules.outside_cn_growth, rules.outside_cn_fade),
        (ROW, rules.outside_row, rules.outside_row_growth, rules.outside_row_fade),
    ):
        spending = start * np.exp(growth * fade * (1.0 - np.exp(-year / fade))) * world.clock.years
        taste = offer.value[region] ** rules.outside_focus
        budget = ratio(taste, sum_k(taste)) * spending * offer.rush[region]
        price = np.where(np.isfinite(offer.price[region]), offer.price[region], 1.0)
        units.append(np.floor(budget / price)[..., 0].T)
        classes.append(np.broadcast_to(np.arange(len(taste)), units[-1].shape))
    where = np.concatenate([np.full_like(classes[0], CN), np.full_like(classes[1], ROW)], axis=1)
    return np.concatenate(units, axis=1), np.concatenate(classes, axis=1), where


def order(world: World) -> tuple[Observables, tuple[Array, Array, Array]]:
    """Labs, vendors and outside buyers write their orders."""
    state = world.state
    state.grey_class = grey_class(world)
    offer = offers(world)
    world.labs.order_chips(_for_buyers(world, world.labs, offer))
    rent_ratio = np.where(world.vendors.region == CN, state.rent_training[CN], state.rent_training[ROW]) / (
        world.parameters.rental.reference_usd * CNY_A_USD
    )
    world.vendors.order_chips(
        _for_buyers(
            world,
            world.vendors,
            offer,
            rent_ratio=rent_ratio,
            elapsed=world.clock.year(world.step_number),
        )
    )
    return offer, outside_orders(world, offer)


# ---------------------------------------------------------------------- clearing


def clear(world: World) -> None:
    """Phase 4: orders are rationed, paid and shipped; unsold chips go to stock."""
    offer, (out_units, out_class, out_region) = order(world)
    labs, vendors, state = world.labs, world.vendors, world.state
    units = np.concatenate([vendors.order_units, out_units, labs.order_units], axis=1)
    classes = np.concatenate([vendors.order_class, out_class, labs.order_class], axis=1)
    region = np.concatenate([vendors.region, out_region, labs.region], axis=1)
    own = np.concatenate([vendors.alive, np.zeros_like(out_units, bool), labs.alive], axis=1)
    relation = np.concatenate([state.vendor_relation, np.zeros_like(out_units), state.lab_relation], axis=1)
    weight = np.maximum(units, 1.0) * (1.0 + world.parameters.graph.supply_priority * relation)
    demand = _demand(units, classes, region, len(world.chips))
    supply = _supply(world, demand)
    cells = np.where(classes < 0, NOBODY, classes + (region == ROW) * (len(world.chips) + 1))
    got = ration(np.concatenate([supply[CN], supply[ROW]]), units, cells, weight)
    sold = _demand(got, classes, region, len(world.chips))
    _ship(world, offer, got, own, out_class, out_region)
    _book_keeping(world, demand, supply, sold)
    _prices(world, demand, supply)
    _wear(world)


def _demand(units: Array, classes: Array, region: Array, chips: int) -> dict[int, Array]:
    """Units by region and class, ``(classes + 1, worlds, 1)`` each."""
    return {
        where: sum_by_group(np.where(region == where, units, 0.0), classes, chips + 1).T[..., None]
        for where in (CN, ROW)
    }


def _supply(world: World, demand: dict[int, Array]) -> dict[int, Array]:
    """Chips for sale: the capacity and stock of a generation go where the orders are."""
    state, chips = world.state, world.chips
    supply = {CN: np.zeros_like(demand[CN]), ROW: np.zeros_like(demand[ROW])}
    state.produced = np.zeros((len(chips), world.worlds, 1))
    for generation in dict.fromkeys(chips.generations):
        members = [k for k, g in enumerate(chips.generations) if g == generation]
        wanted = sum(demand[CN][k] + demand[ROW][k] for k in members)
        have = state.generation_capacity[generation] + state.generation_stock[generation]
        fill = np.minimum(ratio(have, wanted), 1.0)
        for k in members:
            supply[CN][k] = demand[CN][k] * fill
            supply[ROW][k] = demand[ROW][k] * fill
            state.produced[k] = supply[CN][k] + supply[ROW][k]
        state.generation_stock[generation] = have - wanted * fill
    grey = _grey_supply(world)
    supply[CN][-1] = grey
    return supply


def _grey_supply(world: World) -> Array:
    """Chips that reach CN past the law: s0 premium^eta (1 - enforcement), in chips a step."""
    rules, state = world.parameters.chip_market, world.state
    if state.grey_class == NOBODY:
        return np.zeros((world.worlds, 1))
    eager = np.exp(rules.grey_elasticity * np.log(np.maximum(state.grey_premium, 1e-6)))
    enforcement = authority(world, "enforcement")
    flow = rules.grey_scale * eager * (1.0 - enforcement) * world.clock.years
    return np.minimum(flow, 0.5 * state.outside_chips[ROW][state.grey_class])


def _ship(world: World, offer, got, own, out_class, out_region) -> None:
    """Deliver and pay: chips enter the pipeline of their buyer, money goes to the maker."""
    labs, vendors, state = world.labs, world.vendors, world.state
    count, grey = len(world.chips), max(state.grey_class, 0)
    v, o = vendors.capacity, out_class.shape[1]
    parts = {"vendors": got[:, :v], "outside": got[:, v : v + o], "labs": got[:, v + o :]}
    state.grey_shipped = np.zeros((world.worlds, 1))
    for name, population in (("vendors", vendors), ("labs", labs)):
        units = parts[name]
        shipped = np.where(population.order_class == count, grey, population.order_class)
        population.incoming = population.incoming + one_hot(shipped, count) * units
        view = _for_buyers(world, population, offer)
        price = np.take_along_axis(view.class_price, np.maximum(population.order_class, 0)[None], 0)[0]
        bill = np.where(units > 0.0, units * np.where(np.isfinite(price), price, 0.0), 0.0)
        legal = np.where(population.order_class == count, 0.0, bill)
        maker = take_rows_of_maker(world, population.order_class)
        received = sum_by_group(legal, maker, v)
        world.accounts.pay("chips", (population, legal), (vendors, received))
        world.accounts.pay("grey chips", (population, bill - legal), "outside")
        vendors.earned = vendors.earned + received
        if population is labs:
            state.chip_bill = bill
        grey_units = np.where(population.order_class == count, units, 0.0)
        setattr(state, f"delivered_{name}", units - grey_units)
        state.grey_shipped = state.grey_shipped + row_sum(grey_units)
    _ship_outside(world, offer, parts["outside"], out_class, out_region)


def _ship_outside(world: World, offer, units, classes, region) -> None:
    """The same for buyers outside this industry, whose money is the outside world's."""
    state, vendors, count = world.state, world.vendors, len(world.chips)
    for where in (CN, ROW):
        here = np.where(region == where, units, 0.0)
        by_class = sum_by_group(here, classes, count + 1).T[..., None]
        grey_units = by_class[-1]
        stock = by_class[:-1].copy()
        stock[max(state.grey_class, 0)] += grey_units
        state.outside_chips[where] = state.outside_chips[where] + stock
        price = np.where(np.isfinite(offer.price[where]), offer.price[where], 0.0)
        bill = (by_class * price)[:-1, :, 0].T
        received = sum_by_group(bill, np.broadcast_to(world.maker_rows, bill.shape), vendors.capacity)
        world.accounts.pay("chips", "outside", (vendors, received))
        vendors.earned = vendors.earned + received
        if where == CN:
            state.grey_shipped = state.grey_shipped + grey_units


def take_rows_of_maker(world: World, classes: Array) -> Array:
    """Vendor row of the maker of a class (grey and none: nobody)."""
    makers = np.append(world.maker_rows[0], [NOBODY, NOBODY])
    return makers[classes]


def _book_keeping(world: World, demand, supply, sold) -> None:
    """Remember what was made, smuggled, and how well orders were filled."""
    state, chips = world.state, world.chips
    state.chips_made = state.chips_made + state.produced
    grey = max(state.grey_class, 0)
    # Smuggled chips come out of stocks abroad.
    state.outside_chips[ROW][grey] = state.outside_chips[ROW][grey] - state.grey_shipped
    domestic = np.array([home == "CN" for home in chips.homes]).reshape(-1, 1, 1)
    made = sum_k(np.where(domestic, state.produced, 0.0))
    state.domestic_made = state.domestic_made + made
    state.domestic_installed = state.domestic_installed + made
    state.grey_stock = state.grey_stock + state.grey_shipped * chips.h100e[grey]
    for region in (CN, ROW):
        rate = np.where(demand[region] > 0.0, ratio(sold[region], demand[region]), 0.5)
        pace = world.clock.fraction(0.5)
        state.class_fill[region] = np.clip(
            state.class_fill[region] + pace * (rate - state.class_fill[region]), 0.02, 1.0
        )


def _prices(world: World, demand, supply) -> None:
    """List prices follow backlogs; street prices and the grey premium follow scarcity."""
    vendors = world.vendors
    vendors.backlog = _backlogs(world, demand)
    vendors.set_list_price(Observables(years=world.clock.years))
    _street_prices(world, demand, supply)


def _backlogs(world: World, demand) -> Array:
    """Value of orders over value of supply of each maker's chips for servers, last month held where none."""
    state, chips, vendors = world.state, world.chips, world.vendors
    asked = np.zeros((world.worlds, vendors.capacity))
    have = np.zeros_like(asked)
    for generation in dict.fromkeys(chips.generations):
        members = [k for k, g in enumerate(chips.generations) if g == generation]
        if chips.kinds[members[0]] in ("consumer", "edge"):
            continue
        maker, value = world.maker_rows[0, members[0]], chips.list_usd[members[0], 0, 0]
        wanted = sum(demand[CN][k] + demand[ROW][k] for k in members)
        asked[:, maker] += value * wanted[:, 0]
        have[:, maker] += value * (state.generation_capacity[generation] + state.generation_stock[generation])[:, 0]
    return np.where(have > 0.0, ratio(asked, have), vendors.backlog)


def _street_prices(world: World, demand, supply) -> None:
    """The street premium in CN and the grey premium follow scarcity."""
    state, rules, chips = world.state, world.parameters.chip_market, world.chips
    pace = world.clock.months
    foreign = np.array([home == "US" for home in chips.homes]).reshape(-1, 1, 1)
    legal = sum_k(np.where(foreign, demand[CN][:-1], 0.0)) / (sum_k(np.where(foreign, supply[CN][:-1], 0.0)) + 1.0)
    drift = rules.street_pace * np.clip(np.log(np.maximum(legal, 1e-3)), -1.0, 1.0)
    state.cn_premium = np.clip(state.cn_premium + pace * (drift - rules.street_decay * state.cn_premium), 0.0, 2.0)
    if state.grey_class != NOBODY:
        tight = np.log((demand[CN][-1] + 1.0) / (supply[CN][-1] + 1.0))
        move = np.exp(pace * rules.grey_pace * np.clip(tight, -1.0, 1.0))
        state.grey_premium = np.clip(state.grey_premium * move, 0.02, 5.0)


def _wear(world: World) -> None:
    """Chips in the pipeline are installed; installed chips wear out."""
    rules, state = world.parameters.chip_market, world.state
    install = world.clock.fraction(1.0 - np.exp(-1.0 / rules.deploy_months))
    wear = 1.0 - np.exp(-rules.wear * world.clock.years)
    worn = 0.0
    for population in (world.labs, world.vendors):
        moved = population.incoming * install
        lost = population.fleet * wear
        population.incoming = population.incoming - moved
        population.fleet = population.fleet + moved - lost
        worn = worn + row_sum(lost)
    for region in (CN, ROW):
        lost = state.outside_chips[region] * wear
        state.outside_chips[region] = state.outside_chips[region] - lost
        worn = worn + lost
    state.grey_stock = state.grey_stock * (1.0 - wear)
    state.domestic_installed = state.domestic_installed * (1.0 - wear)
    state.chips_worn = state.chips_worn + worn


def chips_in(world: World, region: int) -> Array:
    """All chips held in a region by class, installed or on the way, ``(classes, worlds, 1)``."""
    total = world.state.outside_chips[region]
    for population in (world.labs, world.vendors):
        here = (population.region == region) & population.alive
        total = total + row_sum(np.where(here, population.fleet + population.incoming, 0.0))
    return total


def makers_pay(world: World) -> None:
    """Chipmakers pay what the chips cost to make and pass the profit to their owners."""
    vendors = world.vendors
    surplus = np.where(vendors.kind == CHIPMAKER, np.maximum(vendors.cash, 0.0), 0.0)
    world.accounts.pay("chip production and profit", (vendors, surplus), "outside")
