"""Concentration and leadership in the market for models of CN, among the labs that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CN, MISSING
from baimo.conf.declare import flow, stock
from baimo.world.engine.arrays import Array, herfindahl, row_sum, shares, take_rows, where
from baimo.world.engine.state import State

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class LeadershipState(State):
    """Concentration of the market of CN, its leader and the leader's tenure."""

    hhi_tokens = flow("1", text="Herfindahl index of tokens")
    share_cn = stock("share", "labs", text="Share of the tokens of the labs of CN")
    share_turbulence = flow("share", text="Half the sum of changes in shares within a step")
    leader = stock("id", first=MISSING, dtype=int, text="Lab that serves most")
    leads_since = stock("months", text="Tenure of the leader")


def concentrate(world: World) -> None:
    """Phase 17: shares of tokens, their Herfindahl index and turbulence, and since when the largest lab leads."""
    labs, state = world.labs, world.state
    tokens = where(labs.region == CN, labs.tokens_flagship + labs.tokens_light, 0.0)
    share = shares(tokens)
    state.hhi_tokens = herfindahl(tokens)
    state.share_turbulence = 0.5 * row_sum(np.abs(share - state.share_cn)) * (world.step_number > 0)
    state.share_cn = share
    first = take_rows(labs.id, np.argmax(tokens, axis=-1)[:, None])
    state.leads_since = where(first == state.leader, state.leads_since + world.clock.months, 0.0)
    state.leader = first


def native_level(world: World) -> Array:
    """Mean capability of the best model that CN users can reach, ``(worlds, 1)``."""
    state, app_market = world.state, world.parameters.app_market
    foreign = state.frontier_all - app_market.foreign_reach * (1.0 + world.policy.data.cross_border)
    return np.maximum(state.frontier_cn, foreign)
