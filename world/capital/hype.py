"""Hype: growth by news, decay, and the attention of investors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CN
from baimo.agents.investor import AttentionSignals
from baimo.conf.declare import flow, stock
from baimo.world.engine.arrays import Array, ratio, row_sum, where
from baimo.world.engine.state import State
from baimo.world.network.social import neighbour_share

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class HypeState(State):
    """Hype, and the attention that follows it."""

    hype = stock("1", first="capital.hype_start", text="Hype, 0 to 1")
    hype_push = flow("1", text="What the news of a step adds to it")
    attention = stock(
        "1", first=lambda world: 0.5 * world.parameters.capital.hype_start, text="Attention that follows hype, 0 to 1"
    )


def domestic_leap(world: World, before: Array) -> None:
    """Hype from a rise of the home frontier, discounted by doubt (M64).

    ``push = (1 - doubt) hype_leap (x_cn - x_cn before)``. Source: 004, on the reception of a
    domestic model against that of foreign ones.
    """
    state, capital = world.state, world.parameters.capital
    leap = np.maximum(state.frontier_cn - before, 0.0)
    state.hype_push = state.hype_push + (1.0 - capital.domestic_doubt) * capital.hype_leap * leap


def move(world: World) -> None:
    """Move hype by dH/dt = J (1 - H) - c H, with news J and decay c.

    News J dt of a step adds up, as each leaves a share exp(-J dt) of the room, and comes evenly over the
    step: the solution is exact, however long the step.
    """
    state, capital = world.state, world.parameters.capital
    fades = np.log(2.0) * world.clock.months / capital.hype_half_life
    both = fades + state.hype_push
    state.hype = state.hype + (1.0 - np.exp(-both)) * (state.hype_push / both - state.hype)
    target = np.minimum(state.hype * capital.attention_hype, 1.0)
    state.attention = state.attention + world.clock.fraction(capital.attention_pace) * (target - state.attention)


def attend(world: World, guided: Array) -> None:
    """Update investors' attention from hype and from that of their acquaintances (M42)."""
    investors, capital = world.investors, world.parameters.capital
    recent = investors.since_deal < capital.recent_months
    investors.pay_attention(
        AttentionSignals(
            hype=world.state.hype,
            neighbours_investing=neighbour_share(recent, world.ties.investor_investor, investors.alive),
            kept_back=where(investors.region == CN, world.policy.capital.cooling, 0.0),
            guided=guided,
            adjust=world.clock.fraction(capital.investor_pace),
            years=world.clock.years,
        )
    )
    investors.since_deal = investors.since_deal + world.clock.months


def attention_of_investors(world: World) -> Array:
    """Mean attention of the investors in CN, by what they invest a year, ``(worlds, 1)``."""
    investors = world.investors
    money = where(investors.alive & (investors.region == CN), investors.annual_budget, 0.0)
    return ratio(row_sum(money * investors.attention), row_sum(money))
