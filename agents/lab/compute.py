"""Compute of a lab: use of the fleet, orders of chips, rent, the common platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.base import decision
from baimo.agents.enums import APP_COMPANY, CN, MISSING, PRODUCT_OWNERS, UNICORN
from baimo.agents.lab.columns import LabColumns
from baimo.world.engine.arrays import PerAgent, PerWorld, argmax_k, clip, is_one_of, pick_k, where
from baimo.world.engine.population import Observables

if TYPE_CHECKING:
    from baimo.agents.vendor import ChipSignals
    from baimo.conf.schema import Config


class FleetSignals(Observables):
    """Signals of a lab when it splits its fleet between training and serving."""

    serving_need: PerAgent  # H100s of serving speed that the demand for its models needs
    fleet_serving: PerAgent  # H100s of serving speed that the own fleet could serve with
    attention: PerWorld  # share: how much of large firms' attention models have
    adjust: PerWorld  # share of the way to the target that is gone in this step


class RentSignals(Observables):
    """Signals of a lab when it rents compute."""

    rent_month: PerAgent  # CNY million an H100e and month
    rent_cap: PerAgent  # H100e: the most that one tenant gets, and that fits the cluster which it can run


class PlatformSignals(Observables):
    """Signals of a lab when it weighs to join the common software platform."""

    joins: PerAgent  # chance in this step
    leaves: PerAgent  # chance in this step


class PortingSignals(Observables):
    """Signals of a lab when it sets people on software for domestic chips."""

    domestic: PerAgent  # share of domestic chips in the compute that it runs on
    missing: PerWorld  # share of the speed of domestic chips that software does not yet bring out


class LabCompute(LabColumns):
    """Decisions of a lab about its compute."""

    @decision
    def allot_fleet(labs, market: FleetSignals, p: Config) -> None:
        """Split the fleet between training and serving, after what the served models need."""
        need = market.serving_need / np.maximum(market.fleet_serving, 1e-9)
        target = clip(need, p.lab.least_serving, p.lab.most_serving)
        labs.serving_share = labs.serving_share + market.adjust * (target - labs.serving_share)
        attention = p.lab.llm_share_start + (p.lab.llm_share_most - p.lab.llm_share_start) * (market.attention)
        own_business = is_one_of(labs.archetype, PRODUCT_OWNERS)
        labs.llm_share = where(own_business, attention, 1.0)

    @decision
    def order_chips(labs, market: ChipSignals, p: Config) -> None:
        """Order the class that gives most speed for its price, as far as the budget goes.

        A ban that is announced but not yet in force makes buyers stock up.
        """
        chip_market = p.chip_market
        value = market.class_value
        best = argmax_k(value)
        worth = pick_k(value, best)
        price = pick_k(market.class_price, best)
        rush = pick_k(market.class_rush, best)
        spare = np.maximum(labs.cash - chip_market.cash_months * labs.cost, 0.0)
        budget = labs.chip_budget * market.years * rush
        own = chip_market.chip_share_of_cash * spare * market.months * (labs.archetype == UNICORN)
        units = np.floor((budget + own) / np.maximum(price, 1e-9))
        orders = labs.alive & (worth > 0.0) & (units > 0.0)
        labs.order_class = where(orders, best, MISSING)
        labs.order_units = where(orders, units, 0.0)

    @decision
    def rent_compute(labs, market: RentSignals, p: Config) -> None:
        """Find what the purse allows to rent for a run, beyond the own fleet."""
        budget = p.lab.rent_share * np.maximum(labs.cash - p.lab.rent_reserve * labs.cost, 0.0)
        budget = budget / p.lab.rent_horizon + p.lab.parent_rent_share * labs.parent_support / 12.0
        budget = budget + p.rental.credit_pace * labs.compute_credit
        wanted = budget / np.maximum(market.rent_month, 1e-9)
        active = labs.alive & (labs.mode != APP_COMPANY)
        labs.rent_wanted = where(active, np.minimum(wanted, market.rent_cap), 0.0)

    @decision
    def join_platform(labs, market: PlatformSignals, p: Config) -> None:
        """Join a common platform that works and is trusted; leave one that does not work."""
        u = labs.draws("platform")
        stays = labs.on_platform & (u < 1.0 - market.leaves)
        joins = ~labs.on_platform & (u < market.joins)
        labs.on_platform = labs.alive & (labs.region == CN) & (stays | joins)

    @decision
    def port_software(labs, market: PortingSignals, p: Config) -> None:
        """Set infra people on software for domestic chips, by what its own runs gain (M56): r d s / (1 + r d s).

        They are missed at the lab's own runs; what others gain by their work, which all share, is not counted in.
        """
        gain = p.chip_market.codesign_return * market.domestic * market.missing
        labs.porting = gain / (1.0 + gain)
