"""Regulators: content, industry, export control and competition authorities."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from baimo.agents.base import MarketAgent, decision
from baimo.agents.enums import COMPETITION, CONTENT, EXPORT_CONTROL, REGIONS, REGULATOR_KINDS
from baimo.conf.declare import column
from baimo.world.engine.arrays import PerWorld, clip, where
from baimo.world.engine.population import Observables

if TYPE_CHECKING:
    from baimo.conf.schema import Config


class StanceSignals(Observables):
    """Signals of an authority in a session."""

    incidents: PerWorld  # remembered, 1
    gap_closed: PerWorld  # share of an OOM of lead that is gone
    hhi: PerWorld  # concentration of tokens sold in CN, 0 to 1
    adjust: PerWorld  # share of the way to the target that is gone in this session
    scheduled_stringency: PerWorld  # share
    scheduled_capacity: float  # services a month
    scheduled_enforcement: PerWorld  # share


class Regulator(MarketAgent):
    """An authority that follows its calendar, or adapts to what happens."""

    capacity_key: ClassVar[str] = "max_regulators"

    kind = column(dtype=int, labels=REGULATOR_KINDS)
    region = column(dtype=int, labels=REGIONS)
    adaptive = column(dtype=bool, default=False)
    cash = column("CNY million", clears=True)
    capacity = column("services a month")
    stringency = column("share")
    enforcement = column("share")

    @decision
    def set_stance(regulators, market: StanceSignals, p: Config) -> None:
        """Follow the calendar; adaptive authorities respond to incidents, the gap and concentration."""
        licensing = p.licensing
        content, export = regulators.kind == CONTENT, regulators.kind == EXPORT_CONTROL
        answer = where(content, licensing.incident_response * market.incidents, 0.0)
        answer = where(regulators.kind == COMPETITION, licensing.hhi_response * market.hhi, answer)
        target = where(content, market.scheduled_stringency, 0.0) + where(regulators.adaptive, answer, 0.0)
        step = market.adjust * (clip(target, 0.0, 1.0) - regulators.stringency)
        regulators.stringency = regulators.stringency + step
        regulators.capacity = where(content, market.scheduled_capacity, regulators.capacity)
        # The closer the follower the harder the leader enforces.
        chased = where(regulators.adaptive, licensing.gap_response * market.gap_closed, 0.0)
        enforcement = clip(market.scheduled_enforcement + chased, 0.0, 1.0)
        regulators.enforcement = where(export, enforcement, regulators.enforcement)
