"""The rental market: clouds and centres rent compute to labs and to buyers outside.

Training and serving are separate markets, because a chip can be fast at one and slow at the
other (H20: 0.15 H100e by arithmetic, 1.2 by memory bandwidth).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import BIG_TECH, CHIPMAKER, CLOUD, CN, ROW
from baimo.agents.lab.compute import RentSignals
from baimo.agents.vendor import OfferSignals
from baimo.conf.declare import flow, stock
from baimo.world.compute.chip_supply import list_prices, software_maturity
from baimo.world.compute.chips import CNY_A_USD
from baimo.world.compute.clouds import draw_credit
from baimo.world.engine.arrays import (
    Array,
    by_region,
    clip,
    nonzero,
    ratio,
    row_sum,
    stack_k,
    sum_by_group,
    sum_k,
    weigh_k,
    where,
)
from baimo.world.engine.state import State

if TYPE_CHECKING:
    from baimo.world.engine.world import World

HOURS_A_YEAR = 8766.0


def _rent_before(world: World) -> Array:
    """Rents of compute before the first step, ``(regions, 1 or worlds, 1)``."""
    rental = world.parameters.rental
    return stack_k(rental.start_usd_cn, rental.start_usd_row, xp=world.xp) * CNY_A_USD


class RentalState(State):
    """Rents of compute, and what training costs."""

    rent_training = stock("CNY/H100e-hour", "regions", first=_rent_before, text="Rent of compute for training")
    rent_serving = stock(
        "CNY/H100e-hour",
        "regions",
        first=lambda world: _rent_before(world) * world.parameters.rental.serving_start,
        text="Rent of compute for serving",
    )
    rent_start = stock("CNY/H100e-hour", first=lambda world: _rent_before(world)[CN], text="Rent at the start, CN")
    rent_cap = stock("H100e", "regions", first=100.0, text="The most that one tenant gets")
    idle_serving = stock("H100e", "regions", text="Serving compute for rent that nobody rented")
    training_bill = flow("CNY million", "labs", text="What training costs a lab in a step")


def rent_pressure(demand: Array, supply: Array, months: float, rental) -> Array:
    """Factor on the rent in a step: exp(months k clip(ln(D/S), -1, 1)), k the pace of rents.

    With two to four quarters between order and supply, rents overshoot both ways.
    """
    tight = np.log((demand + 1e-9) / (supply + 1e-9))
    return np.exp(months * rental.rent_pace * clip(tight, -1.0, 1.0))


def split_flexible(flexible: Array, dedicated: Array, training: Array, serving: Array) -> Array:
    """Share of flexible chips that goes to serving so that both uses are equally tight."""
    wanted = serving * flexible - training * dedicated
    return clip(ratio(wanted, flexible * (training + serving)), 0.0, 1.0)


def rent_compute(world: World) -> None:
    """Phase 4, second part: compute is offered, wanted, rationed and paid."""
    labs, vendors, state = world.labs, world.vendors, world.state
    vendors.offer_compute(OfferSignals(maturity=software_maturity(world), platform=state.platform_strength))
    labs.rent_compute(_seen_by_labs(world))
    need = serving_rent_need(world)
    _find_hosts(world, labs.rent_wanted + need)
    away = _abroad(world)
    labs.rented_training = np.zeros_like(labs.cash)
    labs.rented_serving = np.zeros_like(labs.cash)
    rent = by_region(state.rent_training, labs.region) * HOURS_A_YEAR * world.clock.years / 1e6
    bill = np.zeros_like(labs.cash)
    income = np.zeros_like(vendors.cash)
    for region, share in ((CN, 1.0 - away), (ROW, away)):
        training = where(labs.region == region, labs.rent_wanted, 0.0)
        training = where(labs.region == CN, labs.rent_wanted * share, training)
        serving = where(labs.region == region, need, 0.0)
        paid, earned = _clear_region(world, region, training, serving)
        bill, income = bill + paid, income + earned
    draw_credit(world, bill)
    state.training_bill = labs.rented_training * rent + own_use(world)
    world.accounts.pay("rent", (labs, bill), (vendors, income), operating=True)


def _abroad(world: World) -> Array:
    """Share of its training that a lab in CN rents abroad, where barred chips may be rented.

    The loophole is worth taking as far as rents abroad, with a premium, are lower; it closes
    with the rule on clouds, and is none where no chip is barred.
    """
    state, rental = world.state, world.parameters.rental
    embargo = world.policy.embargo
    open_ = bool(embargo.bars.any()) and not embargo.cloud_rule
    dearer = np.log(state.rent_training[CN] / (state.rent_training[ROW] * (1.0 + rental.abroad_premium)))
    return rental.abroad_share * clip(dearer, 0.0, 1.0) * open_


def _find_hosts(world: World, wanted: Array) -> None:
    """Draw a host by fleet size, in its region, for each lab that begins to rent.

    The host serves its tenants before the outside world and earns their rent.
    """
    labs, vendors = world.labs, world.vendors
    seeking = labs.alive & (labs.host < 0) & (wanted > 0.0)
    worlds, rows = nonzero(seeking)
    if not len(rows):
        return
    size = weigh_k(world.chips.h100e, vendors.fleet) * ((vendors.kind == CLOUD) & vendors.alive)
    ladder = np.stack([np.cumsum(where(vendors.region == region, size, 0.0), -1) for region in (CN, ROW)])
    here = ladder[labs.region[worlds, rows], worlds]
    u = labs.select(worlds, rows).draws("host")[0]
    chosen = np.minimum((here <= (u * here[:, -1])[:, None]).sum(-1), vendors.capacity - 1)
    found = here[:, -1] > 0.0
    labs.host[worlds, rows] = where(found, chosen, -1)
    labs.host_id[worlds, rows] = where(found, vendors.id[worlds, chosen], -1)


def _seen_by_labs(world: World) -> RentSignals:
    labs = world.labs
    rent = by_region(world.state.rent_training, labs.region)
    return RentSignals(
        rent_month=rent * HOURS_A_YEAR / 12.0 / 1e6,
        rent_cap=by_region(world.state.rent_cap, labs.region),
    )


def own_use(world: World) -> Array:
    """Depreciation of the own fleet in training use, CNY million a step, at list prices."""
    labs, rental = world.labs, world.parameters.rental
    worth = sum_k(labs.fleet * list_prices(world)) * labs.llm_share * (1.0 - labs.serving_share)
    return worth * rental.value_decline * world.clock.years


def fleet_serving(world: World) -> Array:
    """Serving speed of the labs' own language-model fleets, H100s."""
    labs = world.labs
    speed = world.state.serving_speed * software_maturity(world)
    return sum_k(labs.fleet * speed) * labs.llm_share


def serving_need_total(world: World) -> Array:
    """Serving compute that all demand for a lab's models needs, H100s."""
    state = world.state
    per_flagship = 1.0 / np.maximum(state.tokens_h100_flagship, 1e-9)
    per_light = 1.0 / np.maximum(state.tokens_h100_light, 1e-9)
    seconds = 86400.0
    need = (state.asked_flagship * per_flagship + state.asked_light * per_light) * 1e6 / seconds
    return need * world.parameters.serving.cost_scale


def serving_rent_need(world: World) -> Array:
    """Serving compute that labs seek to rent beyond their own fleet, by the share that is elastic (M21)."""
    labs = world.labs
    own = fleet_serving(world) * labs.serving_share
    spare = 1.0 + world.parameters.rental.serving_reserve
    missing = where(labs.alive, np.maximum(world.state.serving_need * spare - own, 0.0), 0.0)
    return missing * world.parameters.serving.elastic


def _move_rents(world: World, region: int, wants: tuple[Array, Array], supply: tuple[Array, Array]) -> None:
    """Rents of training and serving after this step, and the most that one tenant may train on in the next."""
    state, rental = world.state, world.parameters.rental
    for rent, want, offer in zip((state.rent_training, state.rent_serving), wants, supply, strict=True):
        rent[region] = _floor(rent[region] * rent_pressure(want, offer, world.clock.months, rental), rental)
    state.idle_serving[region] = np.maximum(supply[1] - wants[1], 0.0)
    state.rent_cap[region] = rental.largest_tenant * np.maximum(supply[0], 1.0)


def _clear_region(world: World, region: int, training: Array, serving: Array) -> tuple[Array, Array]:
    """Clear both uses in one region; returns what labs pay and vendors earn this step."""
    labs, vendors, state, rental = world.labs, world.vendors, world.state, world.parameters.rental
    here = (vendors.region == region) & (vendors.kind != CHIPMAKER) & vendors.alive
    offered = where(here, vendors.fleet * vendors.offered_share, 0.0)
    maturity = software_maturity(world)
    speed, memory = world.chips.training_speed * maturity, state.serving_speed * maturity
    serves_better = memory > rental.dedicated_ratio * speed
    flexible = sum_k(where(serves_better, 0.0, offered * speed))
    dedicated = sum_k(where(serves_better, offered * memory, 0.0))
    idle = _idle_big_tech(world, region)
    idle_tech = row_sum(idle)
    other = outside_demand(world, region)
    wants_training = row_sum(training) + rental.outside_training * other
    wants_serving = row_sum(serving) + (1.0 - rental.outside_training) * other
    # Serving chips that nobody needs for serving train, at the speed that they have.
    spare = np.maximum(1.0 - ratio(wants_serving, row_sum(dedicated)), 0.0) * (row_sum(dedicated) > 0.0)
    slow = sum_k(where(serves_better, offered * speed, 0.0)) * spare
    total_flexible = row_sum(flexible) + idle_tech
    total_dedicated = row_sum(dedicated)
    share = split_flexible(total_flexible, total_dedicated, wants_training, wants_serving)
    supply_training = (1.0 - share) * total_flexible + row_sum(slow)
    supply_serving = share * total_flexible + total_dedicated
    hosted = (labs.host >= 0) & (labs.region == region)
    got_training, fill_training = in_two_ranks(training, hosted, wants_training, supply_training)
    got_serving, fill_serving = in_two_ranks(serving, hosted, wants_serving, supply_serving)
    labs.rented_training = labs.rented_training + got_training
    labs.rented_serving = labs.rented_serving + got_serving
    hours = HOURS_A_YEAR * world.clock.years / 1e6
    rent_t, rent_s = state.rent_training[region], state.rent_serving[region]
    # Who rents abroad what may not be bought pays a premium.
    dear = 1.0 + rental.abroad_premium * ((labs.region == CN) & (region == ROW))
    paid = (got_training * rent_t * dear + got_serving * rent_s) * hours
    capacity = flexible + dedicated
    part = ratio(capacity, row_sum(capacity))
    tenants = row_sum(where(hosted, 0.0, paid))
    outside = (wants_training - row_sum(training)) * fill_training * rent_t
    outside = (outside + (wants_serving - row_sum(serving)) * fill_serving * rent_s) * hours
    cloud_share = ratio(row_sum(capacity), row_sum(capacity) + idle_tech)
    world.accounts.pay("rent from outside", "outside", (vendors, part * outside * cloud_share), operating=True)
    own_cloud = ratio(idle, idle_tech) * outside * (1.0 - cloud_share)
    world.accounts.pay("rent from outside", "outside", (labs, own_cloud), operating=True)
    wants, supply = wants_training + wants_serving, supply_training + supply_serving
    used = np.minimum(ratio(wants, supply), 1.0)
    vendors.utilisation = where(here, used * vendors.offered_share, vendors.utilisation)
    _move_rents(world, region, (wants_training, wants_serving), (supply_training, supply_serving))
    fallback = ratio(np.ones_like(capacity) * here, row_sum(np.ones_like(capacity) * here))
    earned = where(row_sum(capacity) > 0.0, part, fallback) * tenants
    earned = earned + sum_by_group(where(hosted, paid, 0.0), labs.host, vendors.capacity)
    return paid, earned


def in_two_ranks(wanted: Array, first: Array, all_wants: Array, supply: Array) -> tuple[Array, Array]:
    """Allocate to tenants under contract first, then to others, each rank in proportion.

    Returns
    -------
    got : array (worlds, labs)
    fill : array (worlds, 1)
        Share of what the second rank gets, the outside world included.
    """
    senior = where(first, wanted, 0.0)
    claim = row_sum(senior)
    fill_first = np.minimum(ratio(supply, claim), 1.0)
    rest = np.maximum(supply - claim, 0.0)
    others = np.maximum(all_wants - claim, 0.0)
    fill = np.minimum(ratio(rest, others), 1.0)
    return where(first, wanted * fill_first, wanted * fill), fill


def _floor(rent: Array, rental) -> Array:
    """Bound rents by running cost and the ceiling."""
    return clip(rent, rental.rent_least_usd * CNY_A_USD, rental.rent_most_usd * CNY_A_USD)


def _idle_big_tech(world: World, region: int) -> Array:
    """Own chips that big-tech firms rent out through their clouds, H100e."""
    labs, rental = world.labs, world.parameters.rental
    own = (labs.region == region) & (labs.archetype == BIG_TECH) & labs.alive
    speed = world.chips.training_speed * software_maturity(world)
    fleet = sum_k(labs.fleet * speed) * (1.0 - labs.llm_share)
    return where(own, fleet * rental.big_tech_offer, 0.0)


def outside_demand(world: World, region: int) -> Array:
    """Demand of tenants outside this industry, H100e; it falls with the rent."""
    rental, state = world.parameters.rental, world.state
    start = rental.outside_cn if region == CN else rental.outside_row
    rent = state.rent_training[region] / (rental.reference_usd * CNY_A_USD)
    year = world.clock.year(world.step_number)
    growth = rental.outside_growth * rental.outside_fade * (1.0 - np.exp(-year / rental.outside_fade))
    hype = 1.0 + rental.outside_hype * state.hype
    return start * np.exp(growth - rental.rent_elasticity * np.log(rent)) * hype
