"""Prices of models: costs, strategic values, mark-ups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import BIG_TECH, CN, FRONTIER, ROW
from baimo.agents.lab.market import PriceSignals
from baimo.world.engine.arrays import (
    Array,
    by_region,
    ratio,
    row_sum,
    stack_k,
    where,
)
from baimo.world.laws.nested_logit import elasticity_factor
from baimo.world.models.serving import serving_costs

if TYPE_CHECKING:
    from baimo.world.engine.world import World


def owners_power(world: World) -> Array:
    """Share of sales that is captive and exploited by its owner (M47).

    phi lock_in (1 - antitrust): apps coupled to one base and firms that rarely reconsider.
    """
    labs = world.labs
    kept = 1.0 - world.policy.market.antitrust * (labs.region == CN)
    return world.parameters.model_market.lock_in * labs.lock_in * kept


def set_prices(world: World) -> None:
    """Phase 8: costs, strategic values, prices."""
    labs, state, model_market = world.labs, world.state, world.parameters.model_market
    serving_costs(world)
    cloud = ((labs.archetype == BIG_TECH) | (labs.archetype == FRONTIER)).astype(float)
    data = model_market.data_value / (1.0 + labs.usage_data / model_market.data_scale)
    labs.strategic_value = model_market.cloud_value * cloud + data
    floor = world.policy.market.floor
    labs.set_price(
        PriceSignals(
            elasticity_factor=elasticity_factor(
                state.sales_share, state.nest_share, model_market.nest_correlation, owners_power(world)
            ),
            price_floor=where(labs.region == CN, floor, 0.0),
            adjust=world.clock.fraction(model_market.price_adjustment),
            going_price=by_region(going_price(world), labs.region),
        )
    )


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
