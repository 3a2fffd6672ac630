"""The market for chips in use: who lets, who rents, what both rents are, and who pays whom (X06).

Clouds, centres, big tech with chips to spare and holders outside the industry let their chips to labs, to tenants
outside and to each other. Both rents clear within the step (``one_market``), so that nobody is rationed at the going
rent. What is slow is use: users outside answer to the rent that they pay on average, contracts of the last months, and
labs to the rent of the last step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import BIG_TECH, CHIPMAKER, CLOUD, CN, ROW
from baimo.agents.lab.compute import RentSignals
from baimo.agents.vendor import OfferSignals
from baimo.conf.declare import flow, stock
from baimo.world.compute.chip_supply import hour_cost, list_prices, of_kind, running_cost, software_maturity
from baimo.world.compute.chips import CNY_A_USD, HOURS_A_YEAR, SECONDS_A_DAY
from baimo.world.compute.clouds import draw_credit
from baimo.world.compute.one_market import Pool, Want, assign, clear, supply
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


def _rent_before(world: World) -> Array:
    """Rents of compute before the first step, ``(regions, 1 or worlds, 1)``."""
    rental = world.parameters.rental
    return stack_k(rental.start_usd_cn, rental.start_usd_row, xp=world.xp) * CNY_A_USD


class RentalState(State):
    """Rents of compute, who uses it, and what training costs."""

    rent_training = stock("CNY/H100e-hour", "regions", first=_rent_before, text="Rent of compute for training")
    rent_serving = stock("CNY/H100e-hour", "regions", first=_rent_before, text="Rent of compute for serving")
    felt_training = stock("CNY/H100e-hour", "regions", first=_rent_before, text="The same in contracts that run")
    felt_serving = stock("CNY/H100e-hour", "regions", first=_rent_before, text="The same in contracts that run")
    rent_start = stock("CNY/H100e-hour", first=lambda world: _rent_before(world)[CN], text="Rent at the start, CN")
    rent_cap = stock("H100e", "regions", first=1e12, text="The most that one tenant is let by clouds, once it is known")
    idle_serving = stock("H100e", "regions", text="Serving compute that a rent a fifth higher would bring to labs")
    share_training = flow("share", "chips", "regions", text="Chips in the market that train")
    share_serving = flow("share", "chips", "regions", text="Chips in the market that serve")
    outside_training = flow("H100e", "regions", text="Compute on which others than labs train")
    outside_serving = flow("H100e", "regions", text="Compute on which others than labs serve")
    training_bill = flow("CNY million", "labs", text="What training costs a lab in a step")


def rent_compute(world: World) -> None:
    """Phase 4, second part: compute is offered, wanted, assigned and paid."""
    labs, vendors, state = world.labs, world.vendors, world.state
    vendors.offer_compute(OfferSignals(maturity=software_maturity(world), platform=state.platform_strength))
    held = held_by(world)
    offer = Pool(sum(held.values()), *speeds_in_use(world), running_cost(world), world.parameters.rental.spread)
    state.rent_cap = world.parameters.rental.largest_tenant * sum_k((held["vendors"] + held["labs"]) * offer.training)
    # Who trains nothing rents nothing to train on.
    train, need = labs.rent_wanted * labs.running, serving_rent_need(world)
    _find_hosts(world, train + need)
    away, home = _abroad(world), labs.region == CN
    training = np.stack([where(home, train * (1.0 - away), 0.0), train * where(home, away, 1.0)])
    serving = np.stack([where(home, need, 0.0), where(home, 0.0, need)])
    training, serving = _clear(world, offer, training, serving)
    labs.rented_training, labs.rented_serving = sum_k(training), sum_k(serving)
    state.training_bill = _pay(world, training, serving) + own_use(world)


def speeds_in_use(world: World) -> tuple[Array, Array]:
    """Speed of each class in training and in serving, H100s, ``(classes, 1, worlds, 1)``."""
    maturity = software_maturity(world)
    return (world.chips.training_speed * maturity)[:, None], (world.state.serving_speed * maturity)[:, None]


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


def seen_by_tenants(world: World) -> RentSignals:
    """What labs know of rents: a cluster larger than a lab has learned to run is at half speed, so it rents no more."""
    labs, training = world.labs, world.parameters.training
    rent, most = by_region(world.state.rent_training, labs.region), by_region(world.state.rent_cap, labs.region)
    own = sum_k(labs.fleet) * labs.llm_share * (1.0 - labs.serving_share)
    room = np.maximum(labs.cards_known / training.run_share - own, 0.0)
    return RentSignals(
        rent_month=rent * HOURS_A_YEAR / 12.0 / 1e6,
        rent_cap=np.minimum(most, room * by_region(rented_speed(world), labs.region)),
    )


def rented_speed(world: World) -> Array:
    """Training speed in H100s of a chip for rent, by region."""
    training = world.parameters.training
    return stack_k(training.rented_speed_cn, training.rented_speed_row, xp=world.xp)


def own_use(world: World) -> Array:
    """Depreciation of the own fleet in training use, CNY million a step, at list prices."""
    labs, rental = world.labs, world.parameters.rental
    worth = sum_k(labs.fleet * list_prices(world)) * labs.llm_share * (1.0 - labs.serving_share)
    return worth * rental.value_decline * world.clock.years


def fleet_serving(world: World) -> Array:
    """Serving speed of the labs' own language-model fleets, H100s."""
    labs = world.labs
    return sum_k(labs.fleet * speeds_in_use(world)[1][:, 0]) * labs.llm_share


def serving_need_total(world: World) -> Array:
    """Serving compute that all demand for a lab's models needs, H100s."""
    state = world.state
    per_flagship = 1.0 / np.maximum(state.tokens_h100_flagship, 1e-9)
    per_light = 1.0 / np.maximum(state.tokens_h100_light, 1e-9)
    need = (state.asked_flagship * per_flagship + state.asked_light * per_light) * 1e6 / SECONDS_A_DAY
    return need * world.parameters.serving.cost_scale


def serving_rent_need(world: World) -> Array:
    """Serving compute that labs seek to rent beyond their own fleet, by the share that is elastic (M21)."""
    labs = world.labs
    own = fleet_serving(world) * labs.serving_share
    spare = 1.0 + world.parameters.rental.serving_reserve
    missing = where(labs.alive, np.maximum(world.state.serving_need * spare - own, 0.0), 0.0)
    return missing * world.parameters.serving.elastic


# ---------------------------------------------------------------------- who holds and who wants chips


def held_by(world: World) -> dict[str, Array]:
    """Chips that are in the market, ``(classes, regions, worlds, 1)``, by kind of holder.

    Big tech lets a share of what its other business leaves; holders outside let as far as they take part
    (``outside_open``). Chips in devices are in use where they are.
    """
    labs, vendors, rental = world.labs, world.vendors, world.parameters.rental
    lets = (vendors.kind != CHIPMAKER) & vendors.alive
    rented_out = vendors.fleet * where(lets, vendors.offered_share, 0.0)
    spare = where((labs.archetype == BIG_TECH) & labs.alive, rental.big_tech_offer * (1.0 - labs.llm_share), 0.0)
    return {
        "vendors": _by_region(rented_out, vendors.region),
        "labs": _by_region(labs.fleet * spare, labs.region),
        "outside": _holders(world, world.state.outside_chips),
    }


def _holders(world: World, chips: Array) -> Array:
    """Chips of those outside who take part in the market, ``(classes, regions, worlds, 1)``."""
    chips = np.stack([chips[CN], chips[ROW]], axis=1)
    return where(of_kind(world, "edge")[:, None], 0.0, chips) * world.parameters.rental.outside_open


def _by_region(chips: Array, region: Array) -> Array:
    """Chips of some agents as ``(classes, regions, worlds, 1)``."""
    return np.stack([row_sum(where(region == home, chips, 0.0)) for home in (CN, ROW)], axis=1)


def outside_base(world: World) -> tuple[Array, Array]:
    """What users outside want for training and for serving, H100s, where contracts cost what they count with.

    Holders bought chips up to where the use of an hour is worth its cost: at that rent they use what they hold, and
    what they wait for, and at another B (w/v)^-e. v is the mean cost of an hour of their chips, capital and running.
    Tenants without chips begin from a number of their own, which grows and follows hype.
    """
    rental, state, year = world.parameters.rental, world.state, world.clock.year(world.step_number)
    elastic, use = rental.rent_elasticity, stack_k(rental.outside_training, 1.0 - rental.outside_training, xp=world.xp)
    growth = rental.outside_growth * rental.outside_fade * (1.0 - np.exp(-year / rental.outside_fade))
    tenants = stack_k(rental.outside_cn, rental.outside_row, xp=world.xp) * np.exp(growth)
    tenants = tenants * (1.0 + rental.outside_hype * state.hype)
    held = _holders(world, state.outside_chips + state.outside_waiting)
    paid, found = sum_k(held * hour_cost(world)), []
    worth = ratio(
        paid, sum_k(held * sum_k([share * speed for share, speed in zip(use, speeds_in_use(world), strict=True)]))
    )
    worth = where(worth > 0.0, worth, 1.0)
    for share, speed, felt in zip(use, speeds_in_use(world), (state.felt_training, state.felt_serving), strict=True):
        own = sum_k(held * speed) * np.exp(-elastic * np.log(felt / worth))
        others = tenants * np.exp(-elastic * np.log(felt / (rental.reference_usd * CNY_A_USD)))
        found.append(share * (own + others))
    return found[0], found[1]


# ---------------------------------------------------------------------- clearing


def _clear(world: World, offer: Pool, training: Array, serving: Array) -> tuple[Array, Array]:
    """Find both rents of both regions; returns what labs get for training and for serving, ``(regions, worlds, labs)``.

    Labs train for a sum of money, and keep less in reserve for serving when it is dear; hosts of open weights serve on
    chips of the market too. Users outside answer at the pace of contracts.
    """
    state, rental = world.state, world.parameters.rental
    # Before the first step contracts have had time to follow.
    pace = world.clock.fraction(1.0 / rental.contract_months) if world.step_number else 1.0
    before = np.log(state.rent_training), np.log(state.rent_serving)
    felt = np.log(state.felt_training), np.log(state.felt_serving)
    # Contracts as they will be if rents stay: what this step's rents add is the slope.
    state.felt_training, state.felt_serving = (np.exp(f + pace * (b - f)) for f, b in zip(felt, before, strict=True))
    slopes = (1.0, rental.serving_elasticity)
    asked = row_sum(training), row_sum(serving) + state.hosted_need
    bases = outside_base(world)
    slow = pace * rental.rent_elasticity
    wants = [Want(*each[:3], slow, each[3]) for each in zip(asked, bases, slopes, before, strict=True)]
    rents = clear(offer, *wants)
    state.rent_training, state.rent_serving = (np.exp(rent) for rent in rents)
    state.felt_training, state.felt_serving = (np.exp(f + pace * (r - f)) for f, r in zip(felt, rents, strict=True))
    state.share_training, state.share_serving = assign(offer, *rents)
    outside = [want.by(rent)[1] for want, rent in zip(wants, rents, strict=True)]
    state.outside_training, state.outside_serving = outside
    state.idle_serving = _idle_serving(offer, wants[1], rents)
    less = [np.exp(-slope * (rent - w)) for slope, rent, w in zip(slopes, rents, before, strict=True)]
    return training * less[0], serving * less[1]


def _idle_serving(offer: Pool, want: Want, rents: tuple[Array, Array]) -> Array:
    """Serving compute that would come to labs at a rent a fifth higher: other use gives way, and other users."""
    dearer = rents[1] + np.log(1.2)
    more = supply(offer, rents[0], dearer)[1] - supply(offer, *rents)[1]
    return np.maximum(more + want.by(rents[1])[1] - want.by(dearer)[1], 0.0)


# ---------------------------------------------------------------------- money


def _pay(world: World, training: Array, serving: Array) -> Array:
    """Labs pay hosts, or all vendors alike; who lets more or less than its tenants use squares up with the others.

    Every chip earns its rent. Returns what labs pay for training.
    """
    labs, vendors, state = world.labs, world.vendors, world.state
    hours = HOURS_A_YEAR * world.clock.years / 1e6
    # Who rents abroad what may not be bought pays a premium.
    extra = sum_k(training * state.rent_training * stack_k(0.0, world.parameters.rental.abroad_premium, xp=world.xp))
    extra = where(labs.region == CN, extra, 0.0) * hours
    train = sum_k(training * state.rent_training) * hours
    bill = train + extra + sum_k(serving * state.rent_serving) * hours
    draw_credit(world, bill)
    earns = _earnings(world) * hours
    _note_use(world)
    let_out = _rents_of(vendors, earns, vendors.offered_share * (vendors.kind != CHIPMAKER))
    income = sum_by_group(bill, labs.host, vendors.capacity)
    lets = let_out + 1e-9 * (vendors.alive & (vendors.kind != CHIPMAKER))
    income = income + lets / row_sum(lets) * row_sum(where(labs.host < 0, bill, 0.0))
    world.accounts.pay("rent", (labs, bill), (vendors, income), operating=True)
    _square_up(world, vendors, let_out + ratio(income, row_sum(income)) * row_sum(extra) - income)
    spare = (1.0 - labs.llm_share) * world.parameters.rental.big_tech_offer * (labs.archetype == BIG_TECH)
    _square_up(world, labs, _rents_of(labs, earns, spare))
    return train + extra


def _earnings(world: World) -> Array:
    """What a chip of each class earns an hour in the market, CNY, ``(classes, regions, worlds, 1)``."""
    state, (train, serve) = world.state, speeds_in_use(world)
    return state.share_training * train * state.rent_training + state.share_serving * serve * state.rent_serving


def _note_use(world: World) -> None:
    """Share of its fleet that each vendor has in use: what it offers, less what stands idle."""
    vendors, used = world.vendors, world.state.share_training + world.state.share_serving
    here = where(vendors.region == CN, used[:, CN], used[:, ROW])
    weights = world.chips.h100e
    part = ratio(weigh_k(weights, vendors.fleet * here), weigh_k(weights, vendors.fleet))
    lets = (vendors.kind != CHIPMAKER) & vendors.alive
    vendors.utilisation = where(lets, vendors.offered_share * part, vendors.utilisation)


def _rents_of(population, earns: Array, share: Array) -> Array:
    """Rents of the share of its fleet that an agent lets."""
    here = where(population.region == CN, earns[:, CN], earns[:, ROW])
    return where(population.alive, sum_k(population.fleet * here) * share, 0.0)


def _square_up(world: World, population, due: Array) -> None:
    """Settle with users outside, and with holders outside who let."""
    world.accounts.pay("rent from outside", "outside", (population, np.maximum(due, 0.0)), operating=True)
    world.accounts.pay("rent to outside", (population, np.maximum(-due, 0.0)), "outside", operating=True)
