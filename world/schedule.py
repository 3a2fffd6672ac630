"""One step: the phases of the model in order, as a plan that prints itself and keeps time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from baimo.world.apps import lifecycle
from baimo.world.capital import rounds
from baimo.world.compute import chip_market, chip_supply, clouds, platform, rental_market
from baimo.world.engine.arrays import where
from baimo.world.industry import entry, exits, make_or_buy, talent
from baimo.world.models import demand, goodwill, leadership, pricing, releases, serving, utility
from baimo.world.network import ties
from baimo.world.policy import instruments
from baimo.world.record import outputs
from baimo.world.regulation import compliance, licensing, trust
from baimo.world.technology import exploration, research, thinking, training

if TYPE_CHECKING:
    from collections.abc import Callable

    from baimo.world.engine.world import World


def begin(world: World) -> None:
    """Open the step: fresh random numbers, open accounts, counters and the sums of firms at zero."""
    world.streams.step = world.step_number
    for population in world.populations.values():
        population.new_step()
    world.monthly.clear()
    world.accounts.open()
    for population in (world.labs, world.vendors):
        population.earned = np.zeros_like(population.earned)
        population.spent = np.zeros_like(population.spent)


def close_books(world: World) -> None:
    """Phase 18: accounts close; what was spent and earned in the step is the cost and revenue a month."""
    world.accounts.close()
    for population in (world.labs, world.vendors):
        # Who was founded this month has not paid for a month yet and plans on its founders' budget.
        new = population.founded > world.step_number
        population.cost = where(new, population.cost, population.spent / world.clock.months)
        population.revenue = population.earned / world.clock.months


#: number, phase, what it does, months between two times it acts (None: every step)
PLAN: tuple[tuple[str, Callable[[World], None], float | None], ...] = (
    ("1 calendar and policy", instruments.calendar_and_policy, None),
    ("2 technology drift", research.drift, None),
    ("2 exploration", exploration.explore, None),
    ("2 thinking", thinking.learn_to_think, None),
    ("3 chip supply", chip_supply.produce, None),
    ("4 chip orders, rationing, grey market", chip_market.trade_chips, None),
    ("4 the middle layer", platform.develop, None),
    ("4 compute for equity", clouds.support, None),
    ("4 plans of runs", training.plan_runs, None),
    ("4 rental market", rental_market.rent_compute, None),
    ("5 training", training.advance, None),
    ("6 release and openness", releases.release, None),
    ("7 licensing queue", licensing.review, None),
    ("8 worth of models", utility.weigh_models, None),
    ("8 pricing", pricing.set_prices, None),
    ("9 demand", demand.choose_models, None),
    ("10 serving, usage, revenue", serving.serve, None),
    ("10 goodwill", goodwill.become_known, None),
    ("11 apps", lifecycle.live, None),
    ("12 compliance", compliance.comply, None),
    ("12 incidents and trust", trust.incidents, None),
    ("13 talent", talent.move_staff, None),
    ("14 hype, parents, returns", rounds.fund, None),
    ("14 rounds", rounds.raise_rounds, 1.0),
    ("14 parents review", make_or_buy.review_labs, make_or_buy.QUARTER),
    ("15 entry", entry.enter, None),
    ("16 exit, pivot, acquisition", exits.leave, None),
    ("17 graph", ties.update, None),
    ("17 concentration and leadership", leadership.concentrate, None),
    ("18 installation and wear", chip_market.install, None),
    ("18 profits of chip makers", chip_market.makers_pay, None),
    ("18 funding of the last year", rounds.add_up_funding, None),
    ("18 accounts", close_books, None),
    ("18 record", outputs.observe, None),
)


class Step:
    """Run the plan and time each phase."""

    def __init__(self) -> None:
        self.seconds = {name: 0.0 for name, _, _ in PLAN}
        self.calls = 0

    def __call__(self, world: World) -> None:
        """Advance the world by one step."""
        begin(world)
        for name, phase, months in PLAN:
            if months is None or world.clock.every(world.step_number, months):
                started = time.perf_counter()
                phase(world)
                self.seconds[name] += time.perf_counter() - started
        world.step_number += 1
        self.calls += 1

    def table(self) -> pl.DataFrame:
        """The plan with the time that each phase took so far."""
        total = sum(self.seconds.values()) or 1.0
        return pl.DataFrame(
            {
                "phase": list(self.seconds),
                "ms_a_step": [1000.0 * s / max(self.calls, 1) for s in self.seconds.values()],
                "share": [s / total for s in self.seconds.values()],
            }
        )
