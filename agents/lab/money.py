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
    GAVE_UP,
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


class ReviewSignals(Observables):
    """What a parent knows when it reviews its lab."""

    own: PerAgent  # CNY million a year: what the lab is worth to it, less what it costs
    buy: PerAgent  # the same of the best API that it may use
    host: PerAgent  # the same of the best open weights, which it would serve itself
    value: PerAgent  # CNY million a year: W, what a perfect model is worth to the parent's products
    months: float  # since the last review


class ExitSignals(Observables):
    """What a lab, its owners and its parent know when they weigh to close it."""

    share: PerAgent  # of all tokens sold at home
    going_on: PerAgent  # CNY million that going on is worth
    fetches: PerAgent  # CNY million that team and fleet would fetch
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
        more than the largest that it could pay for, beyond what it may hope to catch up (M03). The more of
        its past training is not yet written down, the longer it clings to it: T (1 + c V/(V + lost)) (M36).
        """
        entry_exit = p.entry_exit
        scratch = labs.mode == FROM_SCRATCH
        dearer = np.maximum(market.frontier_launch - labs.affordable - p.training.launch_reach, 0.0)
        lag = entry_exit.base_shock * market.base_lead + p.training.frontier_cost * dearer
        cannot = labs.alive & scratch & (lag > entry_exit.pivot_gap + entry_exit.pride * market.pride)
        kept = labs.sunk_value / np.maximum(labs.sunk_value + labs.written_down, 1e-9)
        patience = entry_exit.pivot_patience * (1.0 + entry_exit.clings * kept)
        labs.behind = where(labs.alive & (lag > 0.0), labs.behind + market.months, 0.0)
        to_base = cannot & (labs.behind > patience) & ~labs.running
        unused = labs.alive & labs.released & (market.share < entry_exit.unused_share)
        labs.unused_for = where(unused, labs.unused_for + market.months, 0.0)
        done = (labs.unused_for > entry_exit.app_patience) & ~labs.running
        to_app = labs.alive & (labs.mode == OPEN_BASE) & done & (labs.archetype != VERTICAL)
        mode = where(to_base, OPEN_BASE, labs.mode)
        labs.mode = where(to_app, APP_COMPANY, mode)

    @decision
    def review(labs, market: ReviewSignals, p: Config) -> None:
        """Move the parent's budget by what its lab is worth against what it could have instead (X03).

        d = (own - max(buy, host, 0))/W is believed slowly; budgets grow by g tanh(d / calm). What announcements
        added to the parent's own value counts as well (M63).
        """
        rules = p.parents
        owned = labs.alive & (labs.product_value > 0.0)
        instead = np.maximum(np.maximum(market.buy, market.host), 0.0)
        better = clip((market.own - instead) / np.maximum(market.value, 1e-9), -3.0, 3.0)
        belief = labs.parent_belief + rules.learning * (better - labs.parent_belief)
        labs.parent_belief = where(owned, belief, labs.parent_belief)
        leans = labs.parent_belief + labs.parent_gain
        grows = where(owned, np.exp(rules.growth * np.tanh(leans / rules.calm) * market.months / 12.0), 1.0)
        labs.parent_support, labs.chip_budget = labs.parent_support * grows, labs.chip_budget * grows
        labs.below_for = where(owned & (leans < 0.0), labs.below_for + market.months, 0.0)

    @decision
    def wind_up(labs, market: ExitSignals, p: Config) -> None:
        """Close when the money is gone, when the parent has lost patience, or when team and fleet fetch more.

        Owners compare the value of going on with what they can sell (X04); an app company that lives on its products
        ends its lab.
        """
        rules = p.entry_exit
        alone = labs.alive & (labs.parent_support <= 0.0)
        unused = labs.released & (market.share < rules.unused_share)
        tired = labs.alive & ~alone & (labs.below_for > p.parents.patience)
        gives_up = tired & (labs.draws("parent") < 1.0 - np.exp(-p.parents.resolve * market.years))
        turns = labs.draws("to_apps") < 1.0 - np.exp(-rules.leaves_models * market.years)
        turns = labs.alive & turns & (labs.mode == APP_COMPANY) & unused
        # A parent that keeps the product and drops the model: the team goes on as an app.
        turns = turns | (gives_up & (labs.draws("keeps_product") < labs.product_share))
        # Founders go on while the purse lasts.
        low = labs.cash < rules.fold_runway * np.maximum(labs.cost - labs.revenue, 0.0)
        less = alone & low & (market.going_on < market.fetches)
        labs.folds_for = where(less, labs.folds_for + 12.0 * market.years, 0.0)
        folds = alone & (labs.folds_for > rules.fold_patience)
        folds = folds & (labs.draws("sell") < 1.0 - np.exp(-rules.folds * market.years))
        reason = where(turns, TO_APPS, where(gives_up, PARENT_WITHDREW, where(folds, GAVE_UP, ALIVE)))
        reason = where(alone & (labs.cash < 0.0), INSOLVENT, reason)
        labs.exit_reason = where(labs.alive, reason, labs.exit_reason)
