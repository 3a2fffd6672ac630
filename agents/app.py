"""App startups: products built on foundation models, with a hidden aim and funding rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from baimo.agents.base import FirmColumns, MarketAgent, decision
from baimo.agents.enums import (
    ABSORBED,
    ADD,
    ALIVE,
    API,
    APP_AIMS,
    APP_ANSWERS,
    APP_EXITS,
    APP_MODALITIES,
    APP_PRODUCTS,
    APP_SOURCES,
    DEEP,
    FAIR,
    GOOD,
    INSOLVENT,
    LEAVE,
    MISSING,
    NEWCOMER,
    OUTDATED,
    POOR,
    REMAKE,
    TEXT,
)
from baimo.conf.declare import column
from baimo.world.engine.arrays import PerAgent, PerCandidate, PerWorld, argmax_k, clip, logistic, max_k, pick_k, where
from baimo.world.engine.population import Observables
from baimo.world.engine.random import normal

if TYPE_CHECKING:
    from baimo.conf.schema import Config


class BaseSignals(Observables):
    """Signals of the models that an app could stand on."""

    tied: PerWorld  # 1: how much an ecosystem holds
    movers: PerAgent  # whether it reconsiders in this step
    never: float  # utility below which nothing is taken
    candidate_utility: PerCandidate  # utility
    candidate_row: PerCandidate  # row of the lab
    candidate_id: PerCandidate  # id of the lab
    present_utility: PerAgent  # utility of the base that it has
    present_valid: PerAgent  # whether that base is still there


class GenerationSignals(Observables):
    """Signals of the generation of an app's base."""

    base_model: PerAgent  # id
    native: PerWorld  # OOM of the best model that users in CN can reach
    multimodal: PerWorld  # share of models that see and hear
    months: float  # length of the step


class AppExitSignals(Observables):
    """Signals of founders when they weigh to close."""

    resolve: PerWorld  # chance in this step, once the product is absorbed
    resolve_outdated: PerWorld  # chance in this step, once the product is outdated


class IncumbentSignals(Observables):
    """Signals of an incumbent when it answers the models."""

    old_tools: PerAgent  # quality of the tools without models in its segment


class BuySignals(Observables):
    """Signals of an app when it makes or buys its model."""

    native: PerWorld  # OOM of the best model that users in CN can reach
    threshold: PerAgent  # OOM that the work of the segment needs
    privacy: PerAgent  # share: how sensitive data are in the segment
    buy_chance: PerWorld  # chance in this step


class AppPivotSignals(Observables):
    """Signals of an app when its product has been absorbed."""

    native: PerWorld  # OOM of the best model that users in CN can reach
    pivot_chance: PerWorld  # chance in this step


class AppStartup(FirmColumns, MarketAgent):
    """A startup that sells a product built on foundation models.

    What it adds in the brain is absorbed when the models themselves learn it. How far away
    that day is (``aim``, in OOM beyond the frontier at its founding) no agent observes.
    """

    # Four streams share a word: first those of which everyone draws in every step.
    streams = (
        "switch",
        "notice",
        "close",
        "adapt",
        "file",
        "cut",
        "lender",
        "segment",
        "product",
        "aim",
        "aim_luck",
        "place",
        "round_size",
        "purse",
        "added",
        "pivot",
        "buy",
        "limb",
        "modality",
        "answer",
        "answer_luck",
        "source",
        "team",
        "incumbent",
    )
    capacity_key: ClassVar[str] = "max_apps"

    segment = column(dtype=int)
    product = column(dtype=int, labels=APP_PRODUCTS)
    source = column(dtype=int, labels=APP_SOURCES)
    modality = column(dtype=int, labels=APP_MODALITIES)
    answer = column(dtype=int, labels=APP_ANSWERS)
    aim_class = column(dtype=int, labels=APP_AIMS)
    aim = column("OOM beyond the frontier at founding")
    threshold = column("OOM", default=9.0)
    eye = column("quality")
    brain = column("quality")
    hand = column("quality")
    coupling = column("1")
    absorbed = column("share of what it adds in the brain", clears=True)
    body_lost = column("share of what it adds in eyes and hands", clears=True)
    rework = column("months of work left", clears=True)
    base_lab = column(dtype=int, default=MISSING, inner="bases", clears=True)
    base_id = column(dtype=int, default=MISSING, inner="bases", clears=True)
    base_model = column(dtype=int, default=MISSING)
    known_lab = column(dtype=int, default=MISSING, inner="known", clears=True)
    known_id = column(dtype=int, default=MISSING, inner="known", clears=True)
    team = column("people wanted")
    engineers = column("people", clears=True)
    tuners = column("people who tune models", clears=True)
    vacancies = column("people", clears=True)
    tuner_vacancies = column("people", clears=True)
    customers = column("times", default=1.0)
    head_start = column("months of being known")
    users = column("million people", clears=True)
    peak_users = column("million people")
    tokens = column("Mtok a day", clears=True)
    revenue = column("CNY million a month", clears=True)
    cost = column("CNY million a month", clears=True)
    api_cost = column("CNY million a month", clears=True)
    age = column("months")
    incumbent = column(dtype=bool, default=False)
    filed = column(dtype=bool, default=False)
    filing_since = column("step", dtype=int, default=MISSING)
    shut_out = column("months")
    exit_reason = column(dtype=int, labels=APP_EXITS)

    @decision
    def choose_bases(apps, market: BaseSignals, p: Config) -> None:
        """Take the best of the models it knows, less what leaving the present one costs.

        The second best carries the rest of the traffic where two homes are worth it.
        """
        app_market = p.app_market
        utility = market.candidate_utility
        best = argmax_k(utility)
        top = pick_k(utility, best)
        row = pick_k(market.candidate_row, best)
        identity = pick_k(market.candidate_id, best)
        # Two homes are two labs: whatever names the first again is no second.
        rest = where(market.candidate_id != identity, utility, -np.inf)
        second = argmax_k(rest)
        row2 = pick_k(market.candidate_row, second)
        identity2 = pick_k(market.candidate_id, second)
        better = top > market.present_utility + app_market.switching_cost * market.tied * apps.coupling
        lost = ~market.present_valid
        moves = market.movers & (better | lost) & (top > market.never)
        second_is_good = max_k(rest) > top - app_market.multihome_margin
        apps.base_lab = where(moves, np.stack([row, where(second_is_good, row2, MISSING)]), apps.base_lab)
        apps.base_id = where(moves, np.stack([identity, where(second_is_good, identity2, MISSING)]), apps.base_id)
        effort = app_market.switch_months * apps.coupling
        apps.rework = where(moves & ~lost & (apps.age > 0.5), apps.rework + effort, apps.rework)

    @decision
    def adapt(apps, market: GenerationSignals, p: Config) -> None:
        """Rework the product for a new generation of its base; deep coupling takes longer (M15, M27).

        What an app adds in the brain is absorbed as the models learn it; eyes and hands are
        not, but for single-modality products, which a natively multimodal model replaces.
        """
        app_market = p.app_market
        new = (market.base_model != apps.base_model) & (apps.base_model != MISSING) & apps.alive
        # News comes in the middle of a step on average.
        work = where(new, np.maximum(app_market.rework_months * apps.coupling - 0.5 * market.months, 0.0), 0.0)
        apps.rework = np.maximum(apps.rework - market.months, 0.0) + work
        apps.base_model = where(apps.alive, market.base_model, apps.base_model)
        learned = app_market.absorption * logistic((market.native - apps.threshold) / app_market.absorb_width)
        single = app_market.multimodal_shock * market.multimodal * (apps.modality != TEXT)
        apps.absorbed = where(apps.alive, np.maximum(learned, single), 0.0)
        apps.body_lost = where(apps.alive, np.maximum(app_market.body_absorbed * learned, single), 0.0)

    @decision
    def seek_funding(apps, p: Config) -> None:
        """Ask for a seed or growth round when the runway is short."""
        capital = p.capital
        burn = np.maximum(apps.cost - apps.revenue, capital.least_app_burn)
        runway = np.maximum(apps.cash, 0.0) / burn
        loses = apps.cost > apps.revenue
        asks = apps.alive & loses & (runway < capital.runway_trigger) & (apps.since_round > capital.least_gap)
        size = clip(capital.app_round_months * burn, capital.least_app_round, capital.most_app_round)
        apps.asking = where(asks, size, 0.0)

    @decision
    def close_down(apps, market: AppExitSignals, p: Config) -> None:
        """Close when the money is gone, or when model or rivals have taken the place of what earns no profit (M40)."""
        app_market = p.app_market
        broke = apps.alive & (apps.cash < 0.0)
        body = (apps.eye + apps.hand) * (1.0 - apps.body_lost)
        taken = apps.alive & (apps.absorbed > app_market.absorbed_limit) & (body < app_market.body)
        fading = apps.users < app_market.fading_share * apps.peak_users
        loses = apps.revenue < apps.cost
        gives_up = taken & loses & (apps.draws("close") < market.resolve)
        behind = apps.alive & (apps.rework > app_market.rework_limit) & fading & loses
        behind = behind & (apps.draws("adapt") < market.resolve_outdated)
        cause = where(behind, OUTDATED, ALIVE)
        cause = where(gives_up, ABSORBED, cause)
        cause = where(broke & ~gives_up, where(taken, ABSORBED, INSOLVENT), cause)
        apps.exit_reason = where(apps.alive, cause, apps.exit_reason)

    @decision
    def answer_models(apps, market: IncumbentSignals, p: Config) -> None:
        """Remake an incumbent's product, add to it, or stay out of the market for AI (M54).

        What the old tools do well is not remade; the rest is conviction: remake from
        w (o* - o) + z > r on, stay out below -l, with o the old tools of the segment, z ~ N(0, 1).
        """
        app_market = p.app_market
        conviction = normal(apps.draws("answer"), apps.draws("answer_luck"))
        push = app_market.old_tools_doubt * (app_market.old_tools_middle - market.old_tools) + conviction
        choice = where(push > app_market.remake_bar, REMAKE, where(push < -app_market.leave_bar, LEAVE, ADD))
        choice = where(apps.incumbent, choice, NEWCOMER)
        apps.answer = where(apps.age > 0.0, apps.answer, choice)

    @decision
    def make_or_buy(apps, market: BuySignals, p: Config) -> None:
        """Give up an own or tuned model for an API, once the general model is good enough.

        It is when it passes what the segment needs by a margin, wider where data are sensitive.
        """
        app_market = p.app_market
        makes = apps.alive & (apps.source != API)
        lead = market.native - market.threshold
        enough = lead > app_market.buy_margin + app_market.buy_privacy * market.privacy
        chance = where(apps.age > 0.0, market.buy_chance, app_market.buy_at_once)
        apps.source = where(makes & enough & (apps.draws("buy") < chance), API, apps.source)

    @decision
    def hire(apps, p: Config) -> None:
        """Look for the people that are missing: for the product, and for tuning where models are made."""
        app_market = p.app_market
        able = apps.alive & (apps.cash > 0.0)
        apps.vacancies = where(able, np.maximum(apps.team - apps.engineers, 0.0), 0.0)
        wanted = app_market.tuners * (apps.source != API)
        apps.tuner_vacancies = where(able, np.maximum(wanted - apps.tuners, 0.0), 0.0)

    @decision
    def pivot(apps, market: AppPivotSignals, p: Config) -> None:
        """Use the money that is left for a new product, when the old one has been absorbed."""
        app_market = p.app_market
        taken = apps.alive & (apps.absorbed > app_market.absorbed_limit)
        funded = apps.cash > app_market.pivot_purse_months * apps.cost
        pivots = taken & funded & (apps.draws("pivot") < market.pivot_chance)
        aim, _ = draw_aim(apps, p)
        further = where(apps.product == DEEP, app_market.coupling_aim, 0.0)
        apps.threshold = where(pivots, market.native + aim + further, apps.threshold)
        apps.modality = where(pivots, TEXT, apps.modality)
        apps.absorbed = where(pivots, 0.0, apps.absorbed)
        apps.body_lost = where(pivots, 0.0, apps.body_lost)
        apps.rework = where(pivots, app_market.pivot_months, apps.rework)
        apps.peak_users = where(pivots, apps.users, apps.peak_users)


def draw_aim(apps: AppStartup, p: Config) -> tuple[PerAgent, PerAgent]:
    """Draw hidden aims, OOM, and their classes: most lie close to what models learn next, few far away (M29)."""
    app_market = p.app_market
    u, log_u = apps.draws("aim"), np.log(apps.draws("aim_luck"))
    close = -app_market.aim_poor * log_u
    middle = app_market.aim_poor - app_market.aim_middle * log_u
    far = app_market.aim_good_least - app_market.aim_good * log_u
    kind = where(u < app_market.share_poor, POOR, where(u < 1.0 - app_market.share_good, FAIR, GOOD))
    return where(kind == POOR, close, where(kind == FAIR, middle, far)), kind
