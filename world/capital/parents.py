"""Parents: support of labs by the firms that own them, and gains from announcements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import BIG_TECH, CN, VERTICAL
from baimo.conf.declare import stock
from baimo.world.engine.arrays import clip, row_sum, where
from baimo.world.engine.state import State

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class ParentState(State):
    """State of parents' announcements."""

    announcements = stock("announcements", text="Models that listed parents have announced so far")


def announce(world: World) -> None:
    """Add market value to listed parents when their model is announced or released (M63).

    Each announcement is worth ``announce_gain / (1 + number / announce_tired)`` of the parent's
    value (004). The remaining gain counts when the parent reviews its lab (X03).
    """
    labs, state, capital = world.labs, world.state, world.parameters.capital
    listed = labs.alive & (labs.region == CN) & ((labs.archetype == BIG_TECH) | (labs.archetype == VERTICAL))
    released = labs.released & (labs.since_news <= 0.0)
    planned = (labs.founded == world.step_number) & (labs.founded > 0)
    announced = (listed & (released | planned)).astype(float)
    gain = capital.announce_gain / (1.0 + state.announcements / capital.announce_tired)
    fade = np.exp(-world.clock.months / capital.announce_memory)
    labs.parent_gain = labs.parent_gain * fade + announced * gain
    number = row_sum(announced)
    state.announcements = state.announcements + number
    world.tally("announcements", number)
    world.tally("announcement_gain", number * gain)


def support_labs(world: World) -> None:
    """Pay parents' support to labs, less the more cash they hold, and for planned chip purchases."""
    labs, capital = world.labs, world.parameters.capital
    # A parent pays in full while the purse holds little, less the more there is, and then nothing.
    purse = labs.cash / np.maximum(labs.parent_support, 1e-9)
    part = clip(1.0 - (purse - capital.parent_purse) / capital.parent_purse_fade, 0.0, 1.0)
    paid = where(labs.alive, labs.parent_support, 0.0) * world.clock.years * part
    chips = where((labs.chip_budget > 0.0) & labs.alive, world.state.chip_bill, 0.0)
    world.accounts.pay("parents", "outside", (labs, paid + chips))
