"""Chips on offer: production, yields, the software commons, list prices, what a buyer is offered.

A chipmaker's wafers serve the chip of a generation and its export variants alike. Domestic
makers learn by making, their software by being used (M56).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from baimo.agents.enums import CN, INFRA, MISSING, ROW
from baimo.agents.lab.compute import PortingSignals
from baimo.conf.declare import flow, stock
from baimo.world.compute.chips import CNY_A_USD, HOURS_A_YEAR, goodput, serving_speeds, weakness
from baimo.world.engine.arrays import Array, clip, ratio, stack_k, sum_k, sum_where, take_rows, where
from baimo.world.engine.state import State

if TYPE_CHECKING:
    from baimo.world.engine.world import World

#: Classes to which barred buyers turn where the datacenter chips abroad are out of reach.
SUBSTITUTES = ("domestic", "consumer", "inference", "edge")


class ChipSupplyState(State):
    """Die starts and software of domestic chips, and capacity of all makers."""

    domestic_dies = stock("dies/year", first="chip_market.domestic_dies", text="Die starts of domestic fabs")
    fab_returns = stock("ln", text="Orders over output of domestic makers, as fabs see them")
    domestic_software = stock("1", text="Work that has gone into software for domestic chips")
    serving_speed = stock(
        "H100",
        "chips",
        first=lambda world: _serving_speed(world, world.parameters.serving),
        text="Serving speed of each class",
    )
    generation_capacity = flow("chips", "generations", text="Chips of a generation that can be made in a step")


def of_kind(world: World, *kinds: str) -> Array:
    """Mask of the classes of the given kinds, ``(classes, 1, 1)``."""
    return world.chips.which("kinds", *kinds)


def made_in(world: World, home: str) -> Array:
    """Mask of the classes made in a country, ``(classes, 1, 1)``."""
    return world.chips.which("homes", home)


# ---------------------------------------------------------------------- production


def produce(world: World) -> None:
    """Phase 3: chipmakers make chips of each generation; yields and software of domestic ones improve (M32)."""
    state, chip_market, chips = world.state, world.parameters.chip_market, world.chips
    capacity = {}
    for name, series in world.supply.items():
        first = chips.generations.index(name)
        scale = chip_market.supply_scale if chips.homes[first] != "CN" else 1.0
        scale = chip_market.sparse_supply if chips.kinds[first] == "inference" else scale
        capacity[name] = _quarterly(series, world) * world.clock.months * scale
    _see_returns(world)
    memory = chip_market.memory_control if world.policy.embargo.memory_control else 1.0
    # Half the growth of a step before it, half after: steps of any length make the same chips.
    half = np.exp(0.5 * fab_growth(world) * world.clock.years)
    starts = state.domestic_dies * half * world.clock.years * memory
    state.domestic_dies = state.domestic_dies * half * half
    # The yield of the step's middle, when half of its chips have been learned from.
    teaches = 0.5 * (1.0 + world.policy.industrial.yield_programme)
    at_first = starts * _yields(chip_market, state.domestic_learned)
    good = _yields(chip_market, state.domestic_learned + teaches * at_first)
    capacity["ascend"] = starts * good * chip_market.ascend_share
    capacity["other_domestic"] = starts * good * (1.0 - chip_market.ascend_share)
    state.generation_capacity = np.stack(
        [_unless_unsold(world, state.generation_stock[g], capacity[name]) for g, name in enumerate(chips.lines)]
    )
    _mature(world)
    state.serving_speed = _serving_speed(world, state)


def _yields(chip_market, learned: Array) -> Array:
    """Share of good dies after so many chips made: Y = Y_max - (Y_max - Y_0) (1 + n/n_0)^-e."""
    experience = np.log1p(learned / chip_market.learning_scale)
    left = np.exp(-chip_market.learning_exponent * experience)
    return chip_market.yield_limit - (chip_market.yield_limit - chip_market.yield_start) * left


def _unless_unsold(world: World, unsold: Array, units: Array) -> Array:
    """Units to make, fewer as unsold stock grows in months of output, ``(worlds, 1)``."""
    units = units + np.zeros_like(unsold)
    months = ratio(unsold * world.clock.months, units)
    return units * clip(1.0 - months / world.parameters.chip_market.stock_months, 0.0, 1.0)


def fab_growth(world: World) -> Array:
    """Growth of domestic die starts a year (M18): g (1 - s haste) max(1 + v R, 0).

    Orders pull the fabs that see returns R in them; fabs that owe returns each quarter build less.
    """
    pace = world.parameters.pace
    haste = np.maximum(1.0 - pace.commerce / pace.infrastructure, 0.0)
    pulled = np.maximum(1.0 + pace.pull * world.state.fab_returns, 0.0)
    return world.parameters.chip_market.domestic_growth * (1.0 - pace.short_returns * haste) * pulled


def _see_returns(world: World) -> None:
    """Returns as fabs see them, at their own pace T (M18): dR/dt = (ln B - R) / T, B orders over output and stock.

    Each maker counts by its share of the dies.
    """
    state, lead = world.state, world.parameters.chip_market.ascend_share
    first, other = (world.makers[world.chips.lines[line][0]] for line in ("ascend", "other_domestic"))
    backlog = clip(np.log(np.maximum(world.vendors.backlog, 1e-6)), -1.0, 1.0)
    asked = lead * backlog[:, first, None] + (1.0 - lead) * backlog[:, other, None]
    pace = world.clock.fraction(1.0 / world.parameters.pace.infrastructure)
    state.fab_returns = state.fab_returns + pace * (asked - state.fab_returns)


def _quarterly(series: dict, world: World) -> float:
    """Units a month from a table of units by quarter; a value holds until the next."""
    date = world.date
    key = f"{date.year}Q{(date.month - 1) // 3 + 1}"
    past = [quarter for quarter in series if quarter <= key]
    return float(series[max(past)]) / 3.0 if past else 0.0


# ---------------------------------------------------------------------- software


def _mature(world: World) -> None:
    """The stock S of domestic software grows with use and with work on it (M56).

    dS/dt = c [ln(1 + n/n0) + ln(1 + l/l0) + P p]: n domestic chips in use, l infra people whom
    labs have set on software for them, P the platform's strength.
    """
    labs, state, chip_market = world.labs, world.state, world.parameters.chip_market
    left = 1.0 - domestic_maturity(world) / chip_market.maturity_limit
    labs.port_software(PortingSignals(domestic=_domestic_use(world), missing=np.maximum(left, 0.0)))
    people = sum_where(labs.alive, labs.staff[INFRA] * labs.porting)
    chips = state.domestic_installed / chip_market.codesign_chips
    work = np.log1p(chips) + np.log1p(people / chip_market.codesign_people)
    work = work + chip_market.codesign_platform * state.platform_strength
    state.domestic_software = state.domestic_software + chip_market.codesign * work * world.clock.years


def _domestic_use(world: World) -> Array:
    """Share of domestic chips in the compute that labs run on: own fleets, and of what they rent as in the region."""
    labs, vendors = world.labs, world.vendors
    speed, domestic = world.chips.training_speed * software_maturity(world), of_kind(world, "domestic")
    pool = speed * (world.state.outside_chips[CN] + sum_where(vendors.region == CN, vendors.fleet))
    rented = (labs.rented_training + labs.rented_serving) * (labs.region == CN)
    own, to_let = speed * labs.fleet, ratio(sum_k(where(domestic, pool, 0.0)), sum_k(pool))
    return ratio(sum_k(where(domestic, own, 0.0)) + rented * to_let, sum_k(own) + rented)


def software_maturity(world: World) -> Array:
    """Share of a chip's speed that its software brings out, ``(classes, worlds, 1)``.

    Domestic stacks mature as a commons for all who use them: m = limit - (limit - m0) exp(-S).
    """
    start, limit = world.chips.maturity, world.parameters.chip_market.maturity_limit
    room = np.maximum(limit - start, 0.0)
    learned = start + room * (1.0 - np.exp(-world.state.domestic_software))
    return where(made_in(world, "CN"), learned, start)


def domestic_maturity(world: World) -> Array:
    """Mean maturity of the domestic datacenter chips, ``(worlds, 1)``."""
    domestic = of_kind(world, "domestic")
    return sum_k(where(domestic, software_maturity(world), 0.0)) / domestic.sum()


def _serving_speed(world: World, use: Any) -> Array:
    """Serving speed of each class in H100s at a share of output and of cache hits: sparse cards skip zeros (M35)."""
    factor = where(of_kind(world, "inference"), world.parameters.chip_market.sparse_factor, 1.0)
    return serving_speeds(world.chips, use, world.parameters.serving) * factor


# ---------------------------------------------------------------------- prices


def prices_cn(world: World) -> Array:
    """Price of an installed chip in CN by class, CNY million, ``(classes, worlds, 1)``.

    The state may pay a share of a domestic chip.
    """
    helped = world.policy.industrial.chip_subsidy * of_kind(world, "domestic", "inference")
    return list_prices(world) * (1.0 + world.state.cn_premium) * (1.0 - helped)


def list_prices(world: World) -> Array:
    """List price of an installed chip (server and network included), CNY million."""
    factor = take_rows(world.vendors.price_factor, world.maker_rows)
    usd = world.chips.list_usd * factor.T[..., None]
    return usd * CNY_A_USD * world.parameters.chip_market.server_overhead / 1e6


def running_cost(world: World) -> Array:
    """Cost of an hour of a chip in use by class, CNY, ``(classes, regions, worlds, 1)``: power, space, failures (M08).

    kW with server and cooling x (price of power + of space and staff) + failures an hour x cost of one.
    """
    serving, training, rental = world.parameters.serving, world.parameters.training, world.parameters.rental
    power = stack_k(serving.power_price_cn, serving.power_price_row, xp=world.xp)
    kw, chips = world.chip_kw * serving.server_power * serving.pue, world.chips
    failures = weakness(1.0, chips.failure_factor, chips.training_speed, training.weak_cards)
    broken = failures / training.hours_between_failures * rental.repair
    return kw[:, None] * (power + rental.space) + broken[:, None]


def endurance(world: World) -> Array:
    """Goodput of a cluster of one class over that of H100s of its speed, ``(classes, worlds, 1)`` (M08).

    g(S (f/a)^e) / g(S): S the speed that buyers have in mind, a the speed of a card and f its failures. Weak cards
    lose by their number and each by its frailty, and strong ones in few gain.
    """
    training, chips = world.parameters.training, world.chips
    size, rate = world.parameters.chip_market.cluster_in_mind, 1.0 / training.hours_between_failures
    strain = weakness(size / chips.training_speed, chips.failure_factor, size, training.weak_cards)
    kept, fair = (goodput(n, rate, training.checkpoint_hours, training.restart_hours) for n in (strain, size))
    return kept / fair


def hour_cost(world: World) -> Array:
    """Full cost of an hour of a chip, CNY: decline of its value and capital, and what running it costs."""
    price = np.stack([prices_cn(world), list_prices(world)], axis=1)
    return price * 1e6 * capital_rate(world) / HOURS_A_YEAR + running_cost(world)


def capital_rate(world: World) -> Array:
    """What a chip costs a year, of its price: decline of its value, and capital."""
    return world.parameters.rental.value_decline + world.parameters.rental.capital_cost


# ---------------------------------------------------------------------- offers


def chips_in(world: World, region: int) -> Array:
    """All chips held in a region by class, installed or on the way, ``(classes, worlds, 1)``."""
    total = world.state.outside_chips[region]
    for population in (world.labs, world.vendors):
        here = (population.region == region) & population.alive
        total = total + sum_where(here, population.fleet + population.incoming)
    return total


def following(world: World, region: int) -> Array:
    """Worth of a maker's chips by how many use them already, ``(classes, worlds, 1)`` (M07).

    ((h + h0) / (h* + h0))^e: h the share of its maker in the chips of the region, h* that of the largest. Tools, code
    and people gather where most are (Arthur 1989): left alone markets converge on a maker, which a ban breaks up.
    """
    chips, chip_market = world.chips, world.parameters.chip_market
    held = where(of_kind(world, "edge"), 0.0, chips_in(world, region) * chips.h100e)
    makers = dict.fromkeys(chips.vendors)
    each = {m: sum_k([h for vendor, h in zip(chips.vendors, held, strict=True) if vendor == m]) for m in makers}
    share = np.stack([ratio(each[vendor], sum_k(held)) for vendor in chips.vendors]) + chip_market.ecosystem_seed
    return np.exp(chip_market.ecosystem * np.log(share / share.max(0)))


def grey_class(world: World) -> int:
    """The barred class that is worth smuggling: the fastest datacenter chip on sale abroad."""
    chips, embargo = world.catalogue, world.policy.embargo
    speed = (chips.h100e * chips.maturity)[:, 0, 0] * np.array([k == "datacenter" for k in chips.kinds])
    speed = where(embargo.bars & embargo.sold_abroad, speed, 0.0)
    age = [(world.date - day).days for day in chips.launch]
    speed = where(np.array(age) > world.parameters.chip_market.grey_age_days, speed, 0.0)
    return int(np.argmax(speed)) if speed.max() > 0 else MISSING


def chip_worth(world: World, earns: Array | None = None) -> Array:
    """Speed of a chip to a buyer, ``(classes, worlds, 1)``: in the use in which it earns most, or in a mix of uses.

    In training that is what failures leave of a cluster of such chips (M08).

    Parameters
    ----------
    earns : array (2, worlds, 1), optional
        Rents of training and of serving, to a buyer who looks at what chips earn.
    """
    chips, chip_market = world.chips, world.parameters.chip_market
    maturity, weight = software_maturity(world), chip_market.training_weight
    train, serve = chips.training_speed * maturity * endurance(world), world.state.serving_speed * maturity
    speed = weight * train + (1.0 - weight) * serve
    if earns is not None:
        most = np.maximum(train * earns[0], serve * earns[1]) / np.maximum(earns[0], earns[1])
        speed = speed + chip_market.rent_steers * (most - speed)
    speed = where(of_kind(world, "consumer"), chip_market.consumer_discount * speed, speed)
    # One fast chip is worth more than slow ones of the same sum: networks, and people to tend them.
    return np.exp(chip_market.density_premium * np.log(speed))


def _instead(world: World, value: Array) -> Array:
    """Weight of each class to buyers in CN, by their substitution under bans (M07).

    s + (1 - s) V / V*, with V the value for money of the best datacenter chip on sale and V* of the best there
    would be without bans: with s = 0 substitutes stand to what is left as they would to what is barred, and who
    buys them does so on their merits.
    """
    embargo, turns = world.policy.embargo, world.parameters.chip_market.substitution
    others = of_kind(world, *SUBSTITUTES)
    free = ~others & (embargo.offered_cn | embargo.barred & embargo.offered_row)
    left, best = (where(each, value, 0.0).max(0) for each in (free & embargo.offered_cn, free))
    return where(others, turns + (1.0 - turns) * where(best > 0.0, ratio(left, best), 1.0), 1.0)


class Offers(NamedTuple):
    """Offers to buyers of chips, by region: arrays ``(classes, worlds, 1)``, the grey channel last."""

    value: dict[int, Array]  # H100 of speed for a CNY million of whole cost
    price: dict[int, Array]  # CNY million a chip
    rush: dict[int, Array]  # times the usual purchase


def offers(world: World, for_rent: bool = False) -> Offers:
    """Offers to buyers in each region: value for money, price, rush by class.

    The last class stands for the grey channel. In CN all but the datacenter chips from abroad
    are substitutes, to which barred buyers turn as far as ``substitution`` goes (M07).

    Parameters
    ----------
    for_rent : bool
        Whether for those who rent the chips out, who look at rents.
    """
    state, chip_market, embargo = world.state, world.parameters.chip_market, world.policy.embargo
    listed = list_prices(world)
    grey = grey_class(world)
    grey_price = listed[max(grey, 0)] * (1.0 + state.grey_premium)
    price = {
        CN: np.concatenate([prices_cn(world), grey_price[None]]),
        ROW: np.concatenate([listed, np.full_like(grey_price, np.inf)[None]]),
    }
    rents = np.stack([state.rent_training, state.rent_serving], axis=1)
    speed = {r: np.broadcast_to(chip_worth(world, rents[r] if for_rent else None), listed.shape) for r in (CN, ROW)}
    # The whole cost of a chip: its price, and what running it costs as long as it lasts.
    runs = running_cost(world) * (HOURS_A_YEAR / 1e6) / capital_rate(world)
    cost = {r: np.concatenate([price[r][:-1] + runs[:, r], price[r][-1:] + runs[max(grey, 0), r]]) for r in (CN, ROW)}
    speed = {r: speed[r] * following(world, r) for r in (CN, ROW)}
    quick = {
        CN: where(embargo.offered_cn, speed[CN] * _instead(world, speed[CN] / cost[CN][:-1]), 0.0),
        ROW: where(embargo.offered_row, speed[ROW], 0.0),
    }
    smuggled = speed[CN][max(grey, 0)] * chip_market.grey_discount * chip_market.substitution * (grey != MISSING)
    last = {CN: smuggled, ROW: np.zeros_like(grey_price)}
    value = {}
    for region in (CN, ROW):
        usable = np.concatenate([quick[region], np.broadcast_to(last[region], grey_price.shape)[None]])
        # What is ordered in vain buys nothing.
        usable = usable * np.exp(chip_market.fill_weight * np.log(state.class_fill[region]))
        value[region] = ratio(usable, where(np.isfinite(cost[region]), cost[region], 1.0))
    rush = np.broadcast_to(1.0 + chip_market.stockpile * embargo.announced, listed.shape)
    rushed = np.concatenate([rush, np.ones_like(grey_price)[None]])
    return Offers(value=value, price=price, rush={CN: rushed, ROW: np.ones_like(rushed)})
