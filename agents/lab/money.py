"""People and money of a lab: staff, funding, change of business, closing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.base import decision
from baimo.agents.enums import (
    ALIVE,
    APP_COMPANY,
    BIG_TECH,
    CHALLENGER,
    CN,
    FROM_SCRATCH,
    INSOLVENT,
    OPEN_BASE,
    PARENT_WITHDREW,
    ROW,
    TO_APPS,
    UNICORN,
    VERTICAL,
)
from baimo.agents.lab.columns import LabColumns
from baimo.world.engine.arrays import PerAgent, PerTalent, PerWorld, clip, sum_k, where
from baimo.world.engine.population import Observables

if TYPE_CHECKING:
    from baimo.conf.schema import Config


class EffortSignals(Observables):
    """Signals of a lab when it moves people between research and product."""

    unused: PerAgent  # share: 1 where what it released has no users
    earning: PerAgent  # share of its cost that its products earn
    adjust: PerWorld  # share of the way to the target that is gone in this step


class HireSignals(Observables):
    """Signals of a lab when it looks for people."""

    wages: PerTalent  # CNY million a person and year
    mix_train: PerTalent  # share of a team that trains from scratch
    mix_build: PerTalent  # share of a team that builds on a base
    fastest: PerWorld  # times the present team that may be wanted at the most
    slowest: PerWorld  # times the present team that must be wanted at the least


class FundingSignals(Observables):
    """Signals of a lab when it asks for money."""

    hype: PerWorld  # 1
    round_size: PerAgent  # CNY million of a round that fits it


class PivotSignals(Observables):
    """Signals of a lab when it weighs to give up training."""

    base_lead: PerAgent  # OOM of the best open base over its own model
    frontier_launch: PerWorld  # log10 FLOP of the largest completed run
    pride: PerAgent  # 1 or 0
    share: PerAgent  # of all tokens sold at home
    months: float  # length of the step


class ExitSignals(Observables):
    """Signals of a lab and its parent when they weigh to close it."""

    parent_gap: PerAgent  # OOM of what all can download or buy over its own model, bounded
    share: PerAgent  # of all tokens sold at home
    hype: PerWorld  # 1
    years: float  # length of the step


class LabMoney(LabColumns):
    """Decisions of a lab about its people, its money and its line of business."""

    @decision
    def split_effort(labs, market: EffortSignals, p: Config) -> None:
        """Move people between research and product: an unused model drives its lab to products.

        The share of product work rises as users stay away, and with what products earn (001, M28, M67).
        """
        organisation = p.organisation
        pressure = organisation.unused * market.unused + organisation.revenue * market.earning
        base = where(labs.archetype == BIG_TECH, organisation.big_tech_product, organisation.lab_product)
        base = where(labs.mode == APP_COMPANY, organisation.app_company_product, base)
        target = clip(base + pressure, organisation.least_product, organisation.most_product)
        labs.product_share = labs.product_share + market.adjust * (target - labs.product_share)

    @decision
    def hire(labs, market: HireSignals, p: Config) -> None:
        """Set the staff wanted: what income and cash can pay, in the mix that the mode of work needs."""
        talent = p.talent
        income = labs.revenue + labs.parent_support / 12.0
        runway = np.maximum(labs.cash, 0.0) / talent.hire_horizon
        payroll = talent.payroll_share * (income + runway)
        mix = where(labs.mode == FROM_SCRATCH, market.mix_train, market.mix_build)
        wage = sum_k(mix * market.wages)
        heads = payroll / np.maximum(wage / 12.0, 1e-9)
        now = sum_k(labs.staff)
        heads = clip(heads, market.slowest * now, np.maximum(market.fastest * now, talent.least_staff))
        heads = np.minimum(heads, talent.most_staff)
        labs.wanted_staff = where(labs.alive, mix * heads, 0.0)

    @decision
    def seek_funding(labs, market: FundingSignals, p: Config) -> None:
        """Ask for a funding round when the runway is short, or when hype makes money cheap."""
        capital = p.capital
        burn = np.maximum(labs.cost - labs.revenue - labs.parent_support / 12.0, capital.least_burn)
        runway = np.maximum(labs.cash, 0.0) / burn
        need = runway < capital.runway_trigger
        eager = (runway < capital.eager_runway) & (market.hype > capital.eager_hype)
        venture = (labs.archetype >= UNICORN) & (labs.archetype != VERTICAL) & (labs.region == CN)
        venture = venture | ((labs.archetype == CHALLENGER) & (labs.region == ROW))
        able = labs.alive & venture & (labs.since_round > capital.least_gap)
        asks = able & (need | eager)
        size = clip(market.round_size, capital.least_round, capital.most_round)
        labs.asking = where(asks, size, 0.0)

    @decision
    def pivot(labs, market: PivotSignals, p: Config) -> None:
        """Give up training when long behind: build on an open base, then become an app company.

        A lab is behind by what the open base leads, and by what a launch at the frontier costs
        more than the largest that it could pay for, beyond what it may hope to catch up (M03).
        """
        entry_exit = p.entry_exit
        scratch = labs.mode == FROM_SCRATCH
        dearer = np.maximum(market.frontier_launch - labs.affordable - p.training.launch_reach, 0.0)
        lag = entry_exit.base_shock * market.base_lead + p.training.frontier_cost * dearer
        cannot = labs.alive & scratch & (lag > entry_exit.pivot_gap + entry_exit.pride * market.pride)
        labs.behind = where(labs.alive & (lag > 0.0), labs.behind + market.months, 0.0)
        to_base = cannot & (labs.behind > entry_exit.pivot_patience) & ~labs.running
        unused = labs.alive & labs.released & (market.share < entry_exit.unused_share)
        labs.unused_for = where(unused, labs.unused_for + market.months, 0.0)
        done = (labs.unused_for > entry_exit.app_patience) & ~labs.running
        to_app = labs.alive & (labs.mode == OPEN_BASE) & done & (labs.archetype != VERTICAL)
        mode = where(to_base, OPEN_BASE, labs.mode)
        labs.mode = where(to_app, APP_COMPANY, mode)

    @decision
    def wind_up(labs, market: ExitSignals, p: Config) -> None:
        """Close when the money is gone or the parent stops paying, sell out, or leave models for apps.

        A parent covers a deficit while it believes; its doubt grows with the distance to what
        all can download and with a model without users, and is silenced by hype and by what
        announcements added to its own value. An app company that lives on its products ends its lab.
        """
        entry_exit = p.entry_exit
        alone = labs.alive & (labs.parent_support <= 0.0)
        unused = labs.released & (market.share < entry_exit.unused_share)
        doubt = entry_exit.parent_doubt * np.maximum(market.parent_gap, 0.0) + entry_exit.parent_tires
        doubt = doubt + entry_exit.parent_unused * unused
        calmed = entry_exit.parent_hype * market.hype + p.capital.announce_patience * labs.parent_gain
        gives_up = labs.draws("parent") < 1.0 - np.exp(-doubt * np.exp(-calmed) * market.years)
        rich = labs.parent_support > p.capital.rich_parent
        gives_up = labs.alive & gives_up & (labs.parent_support > 0.0) & ~rich
        turns = labs.draws("to_apps") < 1.0 - np.exp(-entry_exit.leaves_models * market.years)
        turns = labs.alive & turns & (labs.mode == APP_COMPANY) & unused
        # A parent that keeps the product and drops the model: the team goes on as an app.
        turns = turns | (gives_up & (labs.draws("keeps_product") < labs.product_share))
        short = alone & (labs.cash < entry_exit.distress_months * labs.cost)
        short = short & (labs.cost > entry_exit.distress_cost * labs.revenue)
        labs.for_sale = short & (labs.draws("sell") < 1.0 - np.exp(-entry_exit.sells * market.years))
        reason = where(turns, TO_APPS, where(gives_up, PARENT_WITHDREW, ALIVE))
        reason = where(alone & (labs.cash < 0.0), INSOLVENT, reason)
        labs.exit_reason = where(labs.alive, reason, labs.exit_reason)
