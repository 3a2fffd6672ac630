"""Investors: attention, and the money that they are ready to invest."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from baimo.agents.base import MarketAgent, decision
from baimo.agents.enums import INVESTOR_KINDS, REGIONS, STATE_FUND
from baimo.conf.declare import column
from baimo.world.engine.arrays import PerAgent, PerWorld, clip, where
from baimo.world.engine.population import Observables

if TYPE_CHECKING:
    from baimo.conf.schema import Config


class AttentionSignals(Observables):
    """Signals of an investor when it pays attention."""

    hype: PerWorld  # 1
    neighbours_investing: PerAgent  # share of acquaintances with a recent deal
    kept_back: PerAgent  # share of private money that policy cools off
    guided: PerAgent  # CNY million a year that the state guides to it
    adjust: PerWorld  # share of the way to the target that is gone in this step
    years: float  # length of the step


class Investor(MarketAgent):
    """A fund with dry powder, a thesis and a place in the network."""

    capacity_key: ClassVar[str] = "max_investors"

    kind = column(dtype=int, labels=INVESTOR_KINDS)
    region = column(dtype=int, labels=REGIONS)
    cash = column("CNY million", clears=True)
    annual_budget = column("CNY million a year", clears=True)
    ready = column("CNY million", clears=True)
    invested = column("CNY million", clears=True)
    returned = column("CNY million", clears=True)
    weight_capability = column("1 per OOM")
    weight_revenue = column("1")
    weight_hype = column("1")
    attention = column("share", default=0.2)
    since_deal = column("months", default=99.0)

    @decision
    def pay_attention(investors, market: AttentionSignals, p: Config) -> None:
        """Adjust attention to hype and to investments of acquaintances: consensus forms (M42).

        What may be spent this month grows with attention, up to a few months' budget.
        """
        capital = p.capital
        seen = capital.herding * market.neighbours_investing
        target = clip(capital.base_attention + capital.hype_attention * market.hype + seen, 0.0, 1.0)
        investors.attention = investors.attention + market.adjust * (target - investors.attention)
        private = where(investors.kind == STATE_FUND, 1.0, 1.0 - market.kept_back)
        fresh = investors.annual_budget * capital.budget_pace * investors.attention * private
        ceiling = (investors.annual_budget + market.guided) * capital.budget_ceiling
        fresh = (fresh + market.guided) * market.years
        ceiling = np.minimum(ceiling, investors.cash)
        investors.ready = clip(investors.ready + fresh, 0.0, np.maximum(ceiling, 0.0))
