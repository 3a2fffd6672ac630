"""App startups: products on top of somebody's model, with a hidden aim and a lifeline."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from agents.base import MarketAgent, column, decision
from agents.lab import NOBODY
from world.arrays import max_k

PRODUCTS = ("wrapper", "deep", "platform")
WRAPPER, DEEP, PLATFORM = range(3)
SOURCES = ("api", "open_model", "own_small_model")
API, OPEN_MODEL, OWN_MODEL = range(3)
DEATHS = ("", "absorbed", "insolvent", "outdated")
ALIVE, ABSORBED, INSOLVENT, OUTDATED = range(4)


class AppStartup(MarketAgent):
    """A startup that sells a product built on foundation models.

    What it adds in the brain is absorbed when the models themselves learn it. How far away
    that day is (``aim``, in OOM beyond the frontier at its founding) nobody observes.
    """

    streams = (
        "segment",
        "product",
        "aim",
        "aim_luck",
        "place",
        "adapt",
        "close",
        "round_size",
        "lender",
        "switch",
        "notice",
        "purse",
        "added",
        "file",
        "pivot",
    )
    capacity_key: ClassVar[str] = "max_apps"

    segment = column(dtype=int)
    product = column(dtype=int, labels=PRODUCTS)
    source = column(dtype=int, labels=SOURCES)
    aim = column("OOM beyond the frontier at founding")
    threshold = column("OOM", default=9.0)
    eye = column("quality")
    brain = column("quality")
    hand = column("quality")
    coupling = column("1")
    absorbed = column("share of what it adds in the brain", clears=True)
    rework = column("months of work left", clears=True)
    base_lab = column(dtype=int, default=NOBODY, inner="bases", clears=True)
    base_id = column(dtype=int, default=NOBODY, inner="bases", clears=True)
    base_model = column(dtype=int, default=NOBODY)
    known_lab = column(dtype=int, default=NOBODY, inner="known", clears=True)
    known_id = column(dtype=int, default=NOBODY, inner="known", clears=True)
    engineers = column("people", clears=True)
    users = column("million people", clears=True)
    peak_users = column("million people")
    tokens = column("Mtok a day", clears=True)
    revenue = column("CNY million a month", clears=True)
    cost = column("CNY million a month", clears=True)
    api_cost = column("CNY million a month", clears=True)
    cash = column("CNY million", clears=True)
    asking = column("CNY million", clears=True)
    raised = column("CNY million", clears=True)
    since_round = column("months", default=99.0)
    age = column("months")
    incumbent = column(dtype=bool, default=False)
    filed = column(dtype=bool, default=False)
    filing_since = column("step", dtype=int, default=NOBODY)
    exit_reason = column(dtype=int, labels=DEATHS)
    exit_step = column("step", dtype=int, default=NOBODY)

    @decision
    def choose_bases(apps, market, p):
        """Take the best of the models it knows, less what leaving the present one costs.

        The second best carries the rest of the traffic where two homes are worth it.
        """
        rules = p.app_market
        utility = market.candidate_utility
        best = np.argmax(utility, axis=0)
        top = np.take_along_axis(utility, best[None], 0)[0]
        row = np.take_along_axis(market.candidate_row, best[None], 0)[0]
        identity = np.take_along_axis(market.candidate_id, best[None], 0)[0]
        # Two homes are two labs: whatever names the first again is no second.
        rest = np.where(market.candidate_id == identity, -np.inf, utility)
        second = np.argmax(rest, axis=0)
        row2 = np.take_along_axis(market.candidate_row, second[None], 0)[0]
        identity2 = np.take_along_axis(market.candidate_id, second[None], 0)[0]
        better = top > market.present_utility + rules.switching_cost * market.tied * apps.coupling
        lost = ~market.present_valid
        moves = apps.alive & (better | lost) & (top > -50.0)
        second_is_good = max_k(rest) > top - rules.multihome_margin
        apps.base_lab = np.where(moves, np.stack([row, np.where(second_is_good, row2, NOBODY)]), apps.base_lab)
        apps.base_id = np.where(moves, np.stack([identity, np.where(second_is_good, identity2, NOBODY)]), apps.base_id)
        effort = rules.switch_months * apps.coupling
        apps.rework = np.where(moves & ~lost & (apps.age > 0.5), apps.rework + effort, apps.rework)

    @decision
    def adapt(apps, market, p):
        """Work a new generation of the base in: the deeper the coupling the longer it takes."""
        rules = p.app_market
        new = (market.base_model != apps.base_model) & (apps.base_model != NOBODY) & apps.alive
        apps.rework = np.where(new, apps.rework + rules.rework_months * apps.coupling, apps.rework)
        apps.base_model = np.where(apps.alive, market.base_model, apps.base_model)
        apps.rework = np.maximum(apps.rework - market.months, 0.0)
        apps.absorbed = np.where(
            apps.alive,
            1.0 / (1.0 + np.exp(np.clip((apps.threshold - market.native) / rules.absorb_width, -60, 60))),
            0.0,
        )

    @decision
    def seek_funding(apps, market, p):
        """Ask for a seed or growth round when the runway is short."""
        rules = p.capital
        burn = np.maximum(apps.cost - apps.revenue, 0.005)
        runway = np.maximum(apps.cash, 0.0) / burn
        loses = apps.cost > apps.revenue
        asks = apps.alive & loses & (runway < rules.runway_trigger) & (apps.since_round > rules.least_gap)
        size = np.clip(rules.app_round_months * burn, rules.least_app_round, rules.most_app_round)
        apps.asking = np.where(asks, size, 0.0)

    @decision
    def close_down(apps, market, p):
        """Close when the money is gone, or when the model has taken the product's place."""
        rules = p.app_market
        broke = apps.alive & (apps.cash < 0.0)
        taken = apps.alive & (apps.absorbed > rules.absorbed_limit) & (apps.eye + apps.hand < rules.body)
        fading = apps.users < rules.fading_share * apps.peak_users
        gives_up = taken & (fading | (apps.revenue < apps.cost)) & (apps.draws("close") < market.resolve)
        behind = apps.alive & (apps.rework > rules.rework_limit) & fading
        behind = behind & (apps.draws("adapt") < market.resolve)
        cause = np.where(behind, OUTDATED, ALIVE)
        cause = np.where(gives_up, ABSORBED, cause)
        cause = np.where(broke & ~gives_up, np.where(taken, ABSORBED, INSOLVENT), cause)
        apps.exit_reason = np.where(apps.alive, cause, apps.exit_reason)

    @decision
    def pivot(apps, market, p):
        """Use the money that is left for a new product, when the old one has been absorbed."""
        rules = p.app_market
        taken = apps.alive & (apps.absorbed > rules.absorbed_limit)
        funded = apps.cash > rules.pivot_purse_months * apps.cost
        pivots = taken & funded & (apps.draws("pivot") < market.pivot_chance)
        apps.threshold = np.where(pivots, market.native + market.new_aim, apps.threshold)
        apps.absorbed = np.where(pivots, 0.0, apps.absorbed)
        apps.rework = np.where(pivots, rules.rework_months, apps.rework)
        apps.peak_users = np.where(pivots, apps.users, apps.peak_users)
