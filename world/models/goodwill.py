"""Goodwill: labs become known by promotion, products, news and use (X11), and are trusted for what they served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import API_SALES, ATTENTION, BIG_TECH, FRONTIER, SUBSCRIPTIONS
from baimo.agents.lab.market import PromotionSignals
from baimo.conf.declare import flow
from baimo.world.engine.arrays import clip, sum_k, where
from baimo.world.engine.equation import equation
from baimo.world.engine.state import State
from baimo.world.models.demand import all_users

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class GoodwillState(State):
    """How widely models are used."""

    user_share = flow("share", "labs", text="Users of a lab at home, of all who may come to use models there")


def become_known(world: World) -> None:
    """Phase 10: labs promote what they sell; goodwill and reputation grow and fade."""
    labs, state, goodwill = world.labs, world.state, world.parameters.goodwill
    labs.promote(_worth_of_users(world))
    world.accounts.pay("promotion", (labs, labs.promotion * world.clock.months), "outside", operating=True)
    home = world.segments.column("region") == labs.region
    state.user_share = sum_k(labs.users * home) / np.maximum(sum_k(all_users(world) * home), 1e-9)
    fade = np.exp(-goodwill.decay * world.clock.months)
    inflow = where(labs.released, goodwill_inflow(labs, state, world.parameters), 0.0)
    news = goodwill.news * (labs.released & (labs.since_news <= 0.0))
    news = news + goodwill.rounds * np.log1p(labs.raised / goodwill.round_size)
    labs.goodwill = labs.goodwill * fade + inflow / goodwill.decay * (1.0 - fade) + news
    labs.awareness = clip(1.0 - np.exp(-labs.goodwill), 1e-4, 1.0)
    _reputation(world)


@equation
def goodwill_inflow(lab, state, p):
    """a ln(1 + spend/s0) + products' reach + word of mouth, a month: dG/dt + delta G (Nerlove and Arrow 1962)."""
    goodwill = p.goodwill
    paid = goodwill.gain * np.log1p(lab.promotion / goodwill.scale)
    owns = (lab.archetype == BIG_TECH) | (lab.archetype == FRONTIER)
    return paid + goodwill.products * owns + goodwill.word_of_mouth * p.moat.users * state.user_share


def _worth_of_users(world: World) -> PromotionSignals:
    """What users are worth to labs that promote: what they pay, and what hype promises of those to come.

    Promised are users of what is free, as many as a lab's share of those who choose would make of all who may come.
    """
    labs, state, goodwill, table = world.labs, world.state, world.parameters.goodwill, world.segments
    earned = labs.income[API_SALES] + labs.income[SUBSCRIPTIONS] + labs.income[ATTENTION]
    to_come = sum_k(labs.chosen * (all_users(world) * table.column("free")))
    return PromotionSignals(worth=earned + goodwill.user_promise * state.hype * to_come)


def _reputation(world: World) -> None:
    """Reputation grows with use, slowly, and fades (M31)."""
    labs, model_market = world.labs, world.parameters.model_market
    fade = np.exp(-world.clock.months / model_market.reputation_memory)
    earned = model_market.reputation_gain * np.log1p(model_market.reputation_scale * world.state.token_share)
    labs.reputation = where(labs.alive, labs.reputation * fade + earned * (1.0 - fade), 0.0)
