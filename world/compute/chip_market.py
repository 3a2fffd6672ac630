"""The GPU supply market: orders, rationing, grey imports, payment, prices, wear.

A chipmaker's wafers serve the chip of a generation and its export variants alike; orders
decide the mix and rationing is exact. All buyers, inside the industry or outside, stand in
one order book.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from baimo.agents.enums import CENTRE, CHIPMAKER, CN, MISSING, ROW
from baimo.agents.vendor import ChipSignals, ListPriceSignals, VendorChipSignals
from baimo.conf.declare import flow, stock
from baimo.world.compute.chip_supply import Offers, grey_class, made_in, of_kind, offers
from baimo.world.compute.chips import CNY_A_USD
from baimo.world.engine.arrays import (
    Array,
    clip,
    codes_in_use,
    mean_k,
    one_hot,
    pick_k,
    ratio,
    row_max,
    row_sum,
    sum_by_group,
    sum_k,
    take_rows,
    where,
)
from baimo.world.engine.state import State

if TYPE_CHECKING:
    from baimo.world.engine.population import Population
    from baimo.world.engine.world import World


#: Water level of a class of which there is enough for all.
_OVERFLOWING = 1e200


def _chips_before(world: World) -> Array:
    """Chips of buyers outside the industry before the first step, ``(regions, classes, 1, 1)``."""
    rows = world.config.hardware["chips"]
    held = [[float(row[key]) for row in rows] for key in ("stock_cn", "stock_row")]
    return world.xp.asarray(held)[..., None, None]


class ChipMarketState(State):
    """Chips by place, their production and shipment, and how scarce they are."""

    outside_chips = stock("chips", "regions", "chips", first=_chips_before, text="Chips of buyers outside the industry")
    outside_waiting = stock("chips", "regions", "chips", text="Chips that they ordered in vain and still want")
    generation_stock = stock("chips", "generations", text="Unsold chips of a generation")
    produced = flow("chips", "chips", text="Chips made in a step")
    chips_made = stock("chips", "chips", text="Chips made since the start")
    chips_worn = stock("chips", "chips", text="Chips worn out since the start")
    chips_start = stock("chips", "chips", text="Chips on the first day")
    domestic_installed = stock("chips", first="chip_market.domestic_before", text="Domestic datacenter chips in use")
    domestic_learned = stock("chips", first="chip_market.domestic_before", text="Domestic chips that fabs learned from")
    grey_stock = stock("H100e", text="Smuggled chips in use in CN")
    grey_shipped = flow("chips", text="Chips smuggled in a step")
    grey_premium = stock("share", first="chip_market.grey_start", text="Premium on the list price of a smuggled chip")
    cn_premium = stock("share", text="Premium on list prices in CN outside official channels")
    class_fill = stock("share", "regions", "classes", first=0.5, text="Share of orders that has been filled")
    chip_bill = flow("CNY million", "labs", text="Payments of labs for chips in a step")
    delivered_labs = flow("chips", "labs", text="Chips shipped to labs, without smuggled ones")
    delivered_vendors = flow("chips", "vendors", text="Chips shipped to vendors, without smuggled ones")


def ration(supply: Array, orders: Array, classes: Array, weight: Array) -> Array:
    """Ration scarce chips exactly, by weighted water-filling.

    Allocation = min(order, weight x level), with the level of each class chosen so that no chip
    is left while an order is unfilled.

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
    fill_level = where(orders > 0.0, orders / weight, np.inf)
    order = np.argsort(fill_level, axis=-1, kind="stable")
    levels = np.take_along_axis(fill_level, order, -1)
    sorted_class = np.take_along_axis(where(orders > 0.0, classes, -1), order, -1)
    # Only classes that somebody orders.
    present = codes_in_use(sorted_class, supply.shape[0])
    mine, stock = sorted_class[None] == present.reshape(-1, 1, 1), supply[present]
    # Running sums, because their bits do not depend on how many empty rows follow.
    asked = np.cumsum(mine * np.take_along_axis(orders, order, -1), axis=-1)
    passed = np.cumsum(mine * np.take_along_axis(weight, order, -1), axis=-1)
    waiting = passed[..., -1:] - passed
    safe_levels = where(np.isfinite(levels), levels, 0.0)
    full = mine & (asked + safe_levels * waiting <= stock * (1.0 + 1e-12))
    # Who is full stands before who is not: what the last of them leaves is for the rest.
    served = row_max(where(full, asked, 0.0))
    thirsty = where(full, waiting, passed[..., -1:]).min(-1, keepdims=True)
    rest = np.maximum(stock - served, 0.0)
    level = np.full_like(supply, _OVERFLOWING)
    level[present] = where(thirsty > 0.0, ratio(rest, thirsty), _OVERFLOWING)
    level_here = take_rows(level[..., 0].T, classes)
    return where(classes >= 0, np.minimum(orders, weight * level_here), 0.0)


# ---------------------------------------------------------------------- orders


def _for_buyers(world: World, population: Population, offer: Offers) -> dict[str, Any]:
    """Offers as each agent of a population sees them, by its region."""
    here = population.region == CN
    value, price, rush = (where(here, table[CN], table[ROW]) for table in offer)
    seen = {"class_value": value, "class_price": price, "class_rush": rush}
    return seen | {"years": world.clock.years, "months": world.clock.months}


def _and_grey(mask: Array) -> Array:
    """Mask of the classes, extended by the grey channel, for which it is false."""
    return np.concatenate([mask, np.zeros_like(mask[:1])])


def _for_labs(world: World, offer: Offers) -> ChipSignals:
    """Signals of labs that buy: firms on the entity list are sold no foreign chip."""
    seen = _for_buyers(world, world.labs, offer)
    named = world.policy.embargo.listed
    if named is not None:
        foreign = _and_grey(made_in(world, "US"))
        seen["class_value"] = where(foreign & named, 0.0, seen["class_value"])
    return ChipSignals(**seen)


def _for_vendors(world: World, offer: Offers) -> VendorChipSignals:
    """Signals of vendors that buy, with rents, public money for centres and the quota of domestic chips."""
    vendors, state = world.vendors, world.state
    rent = where(vendors.region == CN, state.rent_training[CN], state.rent_training[ROW])
    centre = ((vendors.kind == CENTRE) & (vendors.region == CN) & vendors.alive).astype(float)
    public = world.policy.compute.centres * ratio(centre, row_sum(centre))
    quota = world.policy.industrial.procurement_quota * (vendors.region == CN)
    return VendorChipSignals(
        **_for_buyers(world, vendors, offer),
        rent_ratio=rent / (world.parameters.rental.reference_usd * CNY_A_USD),
        elapsed=world.clock.year(world.step_number),
        public=public,
        quota=quota,
        domestic=_and_grey(of_kind(world, "domestic", "inference")),
    )


def outside_orders(world: World, offer: Offers) -> tuple[Array, Array, Array]:
    """Orders of buyers outside this industry, by region and class.

    Returns
    -------
    units, classes, region : arrays (worlds, 2 (classes + 1))
        Spending is spread over what is on offer by value for money.
    """
    chip_market, year = world.parameters.chip_market, world.clock.year(world.step_number)
    units, classes = [], []
    for region, start, growth, fade in (
        (CN, chip_market.outside_cn, chip_market.outside_cn_growth, chip_market.outside_cn_fade),
        (ROW, chip_market.outside_row, chip_market.outside_row_growth, chip_market.outside_row_fade),
    ):
        spending = start * np.exp(growth * fade * (1.0 - np.exp(-year / fade))) * world.clock.years
        taste = offer.value[region] ** chip_market.outside_focus
        share = ratio(taste, sum_k(taste))
        if region == CN:
            share = share + _loyal(world) * (_at_home(world, taste) - share)
        budget = share * spending * offer.rush[region]
        price = where(np.isfinite(offer.price[region]), offer.price[region], 1.0)
        units.append(np.floor(budget / price)[..., 0].T)
        classes.append(np.broadcast_to(world.xp.arange(len(taste)), units[-1].shape))
    homes = np.concatenate([np.full_like(classes[0], CN), np.full_like(classes[1], ROW)], axis=1)
    return np.concatenate(units, axis=1), np.concatenate(classes, axis=1), homes


def _loyal(world: World) -> Array:
    """Share of buyers outside the industry in CN that turn to domestic chips once any chip is barred (M07)."""
    chip_market = world.parameters.chip_market
    return chip_market.loyal * chip_market.substitution * float(world.policy.embargo.bars.any())


def _at_home(world: World, taste: Array) -> Array:
    """Shares of the domestic classes in the spending of those who buy nothing else."""
    home = _and_grey(of_kind(world, "domestic", "inference"))
    mine = where(home, taste, 0.0)
    return ratio(mine, sum_k(mine))


def order(world: World) -> tuple[Offers, tuple[Array, Array, Array]]:
    """Enter the orders of labs, vendors and outside buyers."""
    offer = offers(world)
    world.labs.order_chips(_for_labs(world, offer))
    for_rent = offers(world, for_rent=True)
    world.vendors.order_chips(_for_vendors(world, for_rent))
    return offer, outside_orders(world, for_rent)


# ---------------------------------------------------------------------- clearing


def trade_chips(world: World) -> None:
    """Phase 4: orders are rationed, paid and shipped; unsold chips go to stock."""
    offer, (out_units, out_class, out_region) = order(world)
    labs, vendors, state = world.labs, world.vendors, world.state
    units = np.concatenate([vendors.order_units, out_units, labs.order_units], axis=1)
    classes = np.concatenate([vendors.order_class, out_class, labs.order_class], axis=1)
    region = np.concatenate([vendors.region, out_region, labs.region], axis=1)
    relation = np.concatenate([state.vendor_relation, np.zeros_like(out_units), state.lab_relation], axis=1)
    first = np.concatenate([np.zeros_like(vendors.cash), np.zeros_like(out_units), _leading(world)], axis=1)
    weight = np.maximum(units, 1.0) * (1.0 + world.parameters.graph.supply_priority * relation) * (1.0 + first)
    demand = _demand(units, classes, region, len(world.chips))
    supply = _supply(world, demand)
    cells = where(classes < 0, MISSING, classes + (region == ROW) * (len(world.chips) + 1))
    got = ration(np.concatenate([supply[CN], supply[ROW]]), units, cells, weight)
    sold = _demand(got, classes, region, len(world.chips))
    # What was on its way is installed first, what is shipped now goes on its way.
    install(world)
    _ship(world, offer, got, out_class, out_region)
    _wait(world, (out_units - got[:, vendors.capacity :][:, : out_units.shape[1]], out_class, out_region))
    _book_keeping(world, demand, supply, sold)
    _prices(world, demand, supply)


def _leading(world: World) -> Array:
    """Priority that the state gives the leading labs of CN in rationing."""
    labs = world.labs
    close = mean_k(labs.served) > world.state.frontier_cn - world.policy.compute.priority_gap
    leads = labs.alive & labs.released & (labs.region == CN) & close
    return world.policy.compute.priority * leads


def _demand(units: Array, classes: Array, region: Array, chips: int) -> dict[int, Array]:
    """Units by region and class, ``(classes + 1, worlds, 1)`` each."""
    return {
        home: sum_by_group(where(region == home, units, 0.0), classes, chips + 1).T[..., None] for home in (CN, ROW)
    }


def _supply(world: World, demand: dict[int, Array]) -> dict[int, Array]:
    """Chips for sale: the capacity and stock of a generation go where the orders are."""
    state, chips = world.state, world.chips
    supply = {CN: np.zeros_like(demand[CN]), ROW: np.zeros_like(demand[ROW])}
    state.produced = world.xp.zeros((len(chips), world.worlds, 1))
    for generation, members in enumerate(chips.lines.values()):
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
    """Chips smuggled into CN: s0 premium^eta (1 - enforcement), in chips a step."""
    chip_market, state = world.parameters.chip_market, world.state
    grey = grey_class(world)
    if grey == MISSING:
        return world.xp.zeros((world.worlds, 1))
    eager = np.exp(chip_market.grey_elasticity * np.log(np.maximum(state.grey_premium, 1e-6)))
    enforcement = world.policy.stance.enforcement
    flow = chip_market.grey_scale * eager * (1.0 - enforcement) * world.clock.years
    return np.minimum(flow, world.clock.fraction(chip_market.grey_tap) * state.outside_chips[ROW][grey])


def _ship(world: World, offer, got, out_class, out_region) -> None:
    """Deliver and pay: chips enter the pipeline of their buyer, money goes to the maker."""
    labs, vendors, state = world.labs, world.vendors, world.state
    count, grey = len(world.chips), max(grey_class(world), 0)
    v, o = vendors.capacity, out_class.shape[1]
    parts = {"vendors": got[:, :v], "outside": got[:, v : v + o], "labs": got[:, v + o :]}
    state.grey_shipped = world.xp.zeros((world.worlds, 1))
    for name, population in (("vendors", vendors), ("labs", labs)):
        units = parts[name]
        shipped = where(population.order_class == count, grey, population.order_class)
        population.incoming = population.incoming + one_hot(shipped, count) * units
        table = where(population.region == CN, offer.price[CN], offer.price[ROW])
        price = pick_k(table, np.maximum(population.order_class, 0))
        bill = where(units > 0.0, units * where(np.isfinite(price), price, 0.0), 0.0)
        legal = where(population.order_class == count, 0.0, bill)
        maker = take_rows_of_maker(world, population.order_class)
        received = sum_by_group(legal, maker, v)
        world.accounts.pay("chips", (population, legal), (vendors, received))
        world.accounts.pay("grey chips", (population, bill - legal), "outside")
        helped = sum_by_group(_subsidy(world, legal, population.order_class, population.region), maker, v)
        vendors.earned = vendors.earned + received
        world.accounts.pay("chip subsidy", "government", (vendors, helped), operating=True)
        if population is labs:
            state.chip_bill = bill
        grey_units = where(population.order_class == count, units, 0.0)
        setattr(state, f"delivered_{name}", units - grey_units)
        state.grey_shipped = state.grey_shipped + row_sum(grey_units)
    _ship_outside(world, offer, parts["outside"], out_class, out_region)


def _ship_outside(world: World, offer, units, classes, region) -> None:
    """Ship to buyers outside this industry, whose money is the outside world's."""
    state, vendors, count = world.state, world.vendors, len(world.chips)
    for home in (CN, ROW):
        here = where(region == home, units, 0.0)
        by_class = sum_by_group(here, classes, count + 1).T[..., None]
        grey_units = by_class[-1]
        stock = by_class[:-1].copy()
        stock[max(grey_class(world), 0)] += grey_units
        state.outside_chips[home] = state.outside_chips[home] + stock
        price = where(np.isfinite(offer.price[home]), offer.price[home], 0.0)
        bill = (by_class * price)[:-1, :, 0].T
        received = sum_by_group(bill, np.broadcast_to(world.maker_rows, bill.shape), vendors.capacity)
        world.accounts.pay("chips", "outside", (vendors, received), operating=True)
        helped = _subsidy(world, bill, np.broadcast_to(world.xp.arange(count), bill.shape), np.full_like(bill, home))
        helped = sum_by_group(helped, np.broadcast_to(world.maker_rows, bill.shape), vendors.capacity)
        world.accounts.pay("chip subsidy", "government", (vendors, helped), operating=True)
        if home == CN:
            state.grey_shipped = state.grey_shipped + grey_units


def _wait(world: World, unfilled: tuple[Array, Array, Array]) -> None:
    """Buyers outside go on wanting the chips that they ordered in vain, for a while."""
    state, count, grey = world.state, len(world.chips), max(grey_class(world), 0)
    units, classes, region = unfilled
    patience = np.exp(-world.clock.months / world.parameters.rental.patience)
    for home, by_class in _demand(units, classes, region, count).items():
        missing = by_class[:-1].copy()
        missing[grey] += by_class[-1]
        state.outside_waiting[home] = state.outside_waiting[home] * patience + missing


def _subsidy(world: World, bill: Array, classes: Array, region: Array) -> Array:
    """Subsidy on domestic chips in CN; the maker receives the full price."""
    share = world.policy.industrial.chip_subsidy
    helped = of_kind(world, "domestic", "inference")[:, 0, 0]
    helped = np.concatenate([helped, np.zeros_like(helped[:2])])
    return where(helped[classes] & (region == CN), bill * share / (1.0 - share), 0.0)


def take_rows_of_maker(world: World, classes: Array) -> Array:
    """Vendor row of the maker of a class, ``MISSING`` for the grey channel and for none."""
    makers = world.maker_rows[0]
    return np.concatenate([makers, np.full_like(makers[:2], MISSING)])[classes]


def _book_keeping(world: World, demand, supply, sold) -> None:
    """Update totals of production and smuggling, and fill rates."""
    state, chips, chip_market = world.state, world.chips, world.parameters.chip_market
    state.chips_made = state.chips_made + state.produced
    grey = max(grey_class(world), 0)
    # Smuggled chips come out of stocks abroad.
    state.outside_chips[ROW][grey] = state.outside_chips[ROW][grey] - state.grey_shipped
    made = sum_k(where(made_in(world, "CN"), state.produced, 0.0))
    state.domestic_learned = state.domestic_learned + made * (1.0 + world.policy.industrial.yield_programme)
    state.domestic_installed = state.domestic_installed + sum_k(where(of_kind(world, "domestic"), state.produced, 0.0))
    state.grey_stock = state.grey_stock + state.grey_shipped * chips.h100e[grey]
    for region in (CN, ROW):
        rate = where(demand[region] > 0.0, ratio(sold[region], demand[region]), 0.5)
        pace = world.clock.fraction(chip_market.fill_pace)
        state.class_fill[region] = clip(
            state.class_fill[region] + pace * (rate - state.class_fill[region]), chip_market.fill_least, 1.0
        )


def _prices(world: World, demand, supply) -> None:
    """List prices follow backlogs; street prices and the grey premium follow scarcity."""
    vendors = world.vendors
    vendors.backlog = _backlogs(world, demand)
    vendors.set_list_price(ListPriceSignals(years=world.clock.years))
    _street_prices(world, demand, supply)


def _backlogs(world: World, demand) -> Array:
    """Value of orders over value of supply of each maker's chips for servers, last month held where none."""
    state, chips, vendors = world.state, world.chips, world.vendors
    asked = np.zeros_like(vendors.cash)
    have = np.zeros_like(asked)
    for generation, members in enumerate(chips.lines.values()):
        if chips.kinds[members[0]] in ("consumer", "edge"):
            continue
        maker, value = world.makers[members[0]], world.catalogue.list_usd[members[0], 0, 0]
        wanted = sum(demand[CN][k] + demand[ROW][k] for k in members)
        asked[:, maker] += value * wanted[:, 0]
        # Orders of a month stand against a month's output and what lies in stock.
        stock = state.generation_stock[generation] * world.clock.months
        have[:, maker] += value * (state.generation_capacity[generation] + stock)[:, 0]
    return where(have > 0.0, ratio(asked, have), vendors.backlog)


def _street_prices(world: World, demand, supply) -> None:
    """The street premium in CN and the grey premium follow scarcity."""
    state, chip_market = world.state, world.parameters.chip_market
    pace = world.clock.months
    foreign = made_in(world, "US")
    legal = sum_k(where(foreign, demand[CN][:-1], 0.0)) / (sum_k(where(foreign, supply[CN][:-1], 0.0)) + 1.0)
    drift = chip_market.street_pace * clip(np.log(np.maximum(legal, 1e-3)), -1.0, 1.0)
    premium = state.cn_premium + pace * (drift - chip_market.street_decay * state.cn_premium)
    state.cn_premium = clip(premium, 0.0, chip_market.street_most)
    if grey_class(world) != MISSING:
        tight = np.log((demand[CN][-1] + 1.0) / (supply[CN][-1] + 1.0))
        move = np.exp(pace * chip_market.grey_pace * clip(tight, -1.0, 1.0))
        state.grey_premium = clip(state.grey_premium * move, chip_market.grey_least, chip_market.grey_most)


def install(world: World) -> None:
    """Half a step of chips in the pipeline being installed and installed chips wearing out.

    Once before training, rents and serving and once at the end of the step: they see the fleet of
    the step's middle, however long a step is.
    """
    chip_market, state, half = world.parameters.chip_market, world.state, 0.5 * world.clock.months
    installed = 1.0 - np.exp(-half / chip_market.deploy_months)
    wear = 1.0 - np.exp(-chip_market.wear * half / 12.0)
    worn = 0.0
    for population in (world.labs, world.vendors):
        moved = population.incoming * installed
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


def makers_pay(world: World) -> None:
    """Phase 18: chipmakers pay what the chips cost to make and pass the profit to their owners."""
    vendors = world.vendors
    makes = ((vendors.kind == CHIPMAKER) & (vendors.region == CN) & vendors.alive).astype(float)
    programme = world.policy.industrial.spending * world.clock.years * ratio(makes, row_sum(makes))
    world.accounts.pay("yield programme", "government", (vendors, programme))
    surplus = where(vendors.kind == CHIPMAKER, np.maximum(vendors.cash, 0.0), 0.0)
    world.accounts.pay("chip production and profit", (vendors, surplus), "outside")
