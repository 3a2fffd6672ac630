"""Compute of a lab: use of the fleet, orders of chips, rent, the common platform."""

from __future__ import annotations

import numpy as np

from baimo.agents.base import decision
from baimo.agents.enums import APP_COMPANY, BIG_TECH, CN, NOBODY, UNICORN
from baimo.agents.lab.columns import LabColumns
from baimo.world.engine.arrays import argmax_k, clip, pick_k, where


class LabCompute(LabColumns):
    """Decisions of a lab about its compute."""

    @decision
    def allot_fleet(labs, market, p):
        """Split the fleet between training and serving, after what the served models need."""
        rules = p.lab
        need = market.serving_need / np.maximum(market.fleet_serving, 1e-9)
        target = clip(need, rules.least_serving, rules.most_serving)
        labs.serving_share = labs.serving_share + market.adjust * (target - labs.serving_share)
        attention = rules.llm_share_start + (rules.llm_share_most - rules.llm_share_start) * (market.attention)
        own_business = labs.archetype == BIG_TECH
        labs.llm_share = where(own_business, attention, 1.0)

    @decision
    def order_chips(labs, market, p):
        """Order the class that gives most speed for its price, as far as the budget goes.

        A ban that is announced but not yet in force makes buyers stock up.
        """
        rules = p.chip_market
        value = market.class_value
        best = argmax_k(value)
        worth = pick_k(value, best)
        price = pick_k(market.class_price, best)
        rush = pick_k(market.class_rush, best)
        spare = np.maximum(labs.cash - rules.cash_months * labs.cost, 0.0)
        budget = labs.chip_budget * market.years * rush
        own = rules.chip_share_of_cash * spare * market.months * (labs.archetype == UNICORN)
        units = np.floor((budget + own) / np.maximum(price, 1e-9))
        orders = labs.alive & (worth > 0.0) & (units > 0.0)
        labs.order_class = where(orders, best, NOBODY)
        labs.order_units = where(orders, units, 0.0)

    @decision
    def rent_compute(labs, market, p):
        """Rent for training what the purse allows beyond the own fleet."""
        rules = p.lab
        budget = rules.rent_share * np.maximum(labs.cash - rules.rent_reserve * labs.cost, 0.0)
        budget = budget / rules.rent_horizon + rules.parent_rent_share * labs.parent_support / 12.0
        budget = budget + p.rental.credit_pace * labs.compute_credit
        wanted = budget / np.maximum(market.rent_month, 1e-9)
        active = labs.alive & (labs.mode != APP_COMPANY)
        cap = market.rent_cap
        labs.rent_wanted = where(active, np.minimum(wanted, cap), 0.0)

    @decision
    def join_platform(labs, market, p):
        """Join a middle layer that works and is trusted; leave one that does not work."""
        u = labs.draws("platform")
        stays = labs.on_platform & (u < 1.0 - market.leaves)
        joins = ~labs.on_platform & (u < market.joins)
        labs.on_platform = labs.alive & (labs.region == CN) & (stays | joins)
