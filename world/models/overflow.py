"""Overflow: demand that finds its lab full goes to labs at home with capacity to spare (M21)."""

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
    """Demand that found its lab full."""

    overflow = flow("Mtok/day", "labs", text="Tokens received from labs that are full")
    overflow_light = flow("Mtok/day", "labs", text="The part of them that light models serve")
    overflow_value = flow("CNY/day", "labs", text="What they are worth at list prices")
    unserved = flow("Mtok/day", "regions", text="Tokens that nobody had room for")


def spill(unserved: Array, asked: Array, room: Array) -> Array:
    """Deal unserved demand out in proportion to share times free capacity.

    Parameters
    ----------
    unserved : array (worlds, 1)
        Tokens that found no capacity.
    asked : array (worlds, labs)
        What is asked of each lab anyway: who is not known gets no overflow.
    room : array (worlds, labs)
        Tokens that each lab could still serve.

    Returns
    -------
    array (worlds, labs)
        Tokens received: nobody more than it has room for, together no more than was unserved.
        Who finds the second choice full goes without.
    """
    weight = asked * room
    return np.minimum(unserved * ratio(weight, row_sum(weight)), room)


def spill_over(world: World, need: Array, have: Array) -> None:
    """Unserved users at home try another lab, and pay it.

    While capacity can be rented (``serving.elastic``) hardly anybody has to: for a weak lab
    no overflow is to be had (001).
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
