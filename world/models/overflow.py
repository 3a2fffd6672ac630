"""Overflow: demand beyond a lab's capacity goes to labs at home with spare capacity (M21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CN, ROW
from baimo.conf.declare import flow
from baimo.world.engine.arrays import Array, ratio, row_sum, sum_k, sum_where, where
from baimo.world.engine.state import State

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class OverflowState(State):
    """Demand beyond the capacity of its lab."""

    overflow = flow("Mtok/day", "labs", text="Tokens received from labs without capacity")
    overflow_light = flow("Mtok/day", "labs", text="The part of it that light models serve")
    overflow_value = flow("CNY/day", "labs", text="Value of the part that is paid for, at list prices")
    unserved = flow("Mtok/day", "regions", text="Tokens for which there was no capacity")


def spill(unserved: Array, asked: Array, room: Array) -> Array:
    """Ration unserved demand in proportion to share times free capacity.

    Parameters
    ----------
    unserved : array (worlds, 1)
        Tokens that found no capacity.
    asked : array (worlds, labs)
        Tokens asked of each lab itself, as a weight of its being known.
    room : array (worlds, labs)
        Tokens that each lab could still serve.

    Returns
    -------
    array (worlds, labs)
        Tokens received: by each lab no more than its room, in sum no more than was unserved. Demand
        that finds the second choice full is lost.
    """
    weight = asked * room
    return np.minimum(unserved * ratio(weight, row_sum(weight)), room)


def spill_over(world: World, need: Array, have: Array) -> None:
    """Pass unserved demand on to labs at home, with what it pays.

    Where capacity can be rented (``serving.elastic``) there is little of it, so that weak labs receive
    no overflow (001).
    """
    labs, state, table = world.labs, world.state, world.segments
    asked = state.asked_flagship + state.asked_light
    room = np.maximum(have - need, 0.0) * ratio(asked, need)
    at_home = where(table.column("region") == labs.region, state.tokens_by_segment, 0.0)
    short = 1.0 - labs.capacity_share
    lost = sum_k(at_home) * short
    lost_paid = sum_k(at_home * (1.0 - table.column("free"))) * short
    overflow, paid, unserved = np.zeros_like(asked), np.zeros_like(asked), []
    for region in (CN, ROW):
        here = labs.region == region
        pool = sum_where(here, lost)
        received = spill(pool, where(here, asked, 0.0), where(here, room, 0.0))
        overflow = overflow + received
        paid = paid + received * ratio(sum_where(here, lost_paid), pool)
        unserved.append(np.maximum(pool - row_sum(received), 0.0))
    light = ratio(state.asked_light, asked)
    state.overflow, state.unserved = overflow, np.stack(unserved)
    state.overflow_light = overflow * light
    state.overflow_value = paid * (labs.price_flagship + light * (labs.price_light - labs.price_flagship))
