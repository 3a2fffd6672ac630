"""Exit of labs: end of training, pivot to apps, closure, acquisition; assets are conserved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import (
    ACQUIRED,
    ALIVE,
    BIG_TECH,
    CENTRE,
    CN,
    FRONTIER,
    GAVE_UP,
    INSOLVENT,
    LAB_EXITS,
    MODES,
    OPEN_CHAMPION,
    PARENT_WITHDREW,
    ROW,
    TO_APPS,
)
from baimo.agents.lab.money import ExitSignals, PivotSignals
from baimo.conf.declare import stock
from baimo.world.apps import lifecycle
from baimo.world.compute.chip_supply import list_prices
from baimo.world.engine.arrays import Array, count_where, is_one_of, mean_k, sum_k, sum_where, where
from baimo.world.engine.state import State
from baimo.world.industry.acquisition import acquire
from baimo.world.network.open_bases import best_known_base

if TYPE_CHECKING:
    from baimo.world.engine.world import World

#: Archetypes too proud to give up training for a lead that others would bow to.
PROUD = (FRONTIER, OPEN_CHAMPION, BIG_TECH)


class ExitState(State):
    """State of exits."""

    exit_rate = stock("share/year", text="Exits in CN for each potential entrant, as they are remembered")
    spin_offs = stock("labs", text="Labs of CN that become apps")


def leave(world: World) -> None:
    """Phase 16: pivots, closures, acquisitions."""
    labs, state = world.labs, world.state
    base, post, *_ = best_known_base(world)
    own = mean_k(labs.pretrained + labs.post)
    lead = mean_k(base + post) - own
    before = labs.mode.copy()
    labs.pivot(
        PivotSignals(
            base_lead=lead,
            frontier_launch=np.log10(np.maximum(state.largest_run[CN], state.largest_run[ROW])),
            pride=is_one_of(labs.archetype, PROUD).astype(float),
            share=state.token_share,
            months=world.clock.months,
        )
    )
    world.count("pivots", labs, labs.mode != before)
    world.log("pivot", labs, labs.mode != before, labs.cash, (MODES, labs.mode))
    labs.wind_up(ExitSignals(share=state.token_share, years=world.clock.years, **_worth_of_going_on(world)))
    acquire(world)
    _cover(world)
    gone = labs.alive & (labs.exit_reason != ALIVE)
    world.log("exit", labs, gone, labs.cash, (LAB_EXITS, labs.exit_reason))
    labs.exit_step = where(gone, world.step_number, labs.exit_step)
    world.count("exits", labs, gone)
    world.count("acquisitions", labs, gone & (labs.exit_reason == ACQUIRED))
    turned = gone & (labs.exit_reason == TO_APPS)
    world.count("turned_to_apps", labs, turned)
    for reason in (GAVE_UP, PARENT_WITHDREW, INSOLVENT):
        world.count(LAB_EXITS[reason], labs, gone & (labs.exit_reason == reason))
    state.spin_offs = count_where(turned & (labs.region == CN))
    _remember(world, gone)
    _dissolve(world, gone)
    lifecycle.close(world)


def _worth_of_going_on(world: World) -> dict[str, Array]:
    """What going on is worth to a lab's owners, and what they could sell (X04), CNY million."""
    labs, state, rules = world.labs, world.state, world.parameters.entry_exit
    going_on = rules.fold_years * 12.0 * labs.profit + world.parameters.capital.multiple * state.expected_rents
    chips = rules.resale * sum_k(labs.fleet * list_prices(world))
    return {"going_on": going_on, "fetches": rules.price_a_head * sum_k(labs.staff) + chips}


def _remember(world: World, gone: Array) -> None:
    """Exits a year in CN per potential entrant, as founders see them: a mean that fades."""
    state, entry_exit = world.state, world.parameters.entry_exit
    yearly = count_where(gone & (world.labs.region == CN)) / entry_exit.entrant_pool / world.clock.years
    fade = np.exp(-world.clock.months / entry_exit.exit_memory)
    state.exit_rate = state.exit_rate * fade + yearly * (1.0 - fade)


def _cover(world: World) -> None:
    """Cover deficits of labs from their parents and owners; settle vendors' balances with owners."""
    labs, vendors = world.labs, world.vendors
    kept = labs.alive & (labs.exit_reason == ALIVE)
    deficit = where(kept, np.maximum(-labs.cash, 0.0), 0.0)
    world.accounts.pay("parents cover", "outside", (labs, deficit))
    rental = world.parameters.rental
    buffer = rental.kept_months * vendors.cost + rental.kept_least
    gap = where(vendors.alive, np.maximum(-vendors.cash, 0.0), 0.0)
    public = vendors.kind == CENTRE
    world.accounts.pay("public compute", "government", (vendors, where(public, gap, 0.0)))
    world.accounts.pay("owners of vendors", "outside", (vendors, where(public, 0.0, gap)))
    spare = where(vendors.alive, np.maximum(vendors.cash - buffer, 0.0), 0.0)
    world.accounts.pay("profit of public compute", (vendors, where(public, spare, 0.0)), "government")
    world.accounts.pay("profit of vendors", (vendors, where(public, 0.0, spare)), "outside")


def _dissolve(world: World, gone: Array) -> None:
    """Return staff to the pool, chips to the second-hand stock and money to the owners."""
    labs, state = world.labs, world.state
    for region in (CN, ROW):
        here = gone & (labs.region == region)
        state.pool[region] = state.pool[region] + sum_where(here, labs.staff)
        chips = sum_where(here, labs.fleet + labs.incoming)
        state.outside_chips[region] = state.outside_chips[region] + chips
    world.accounts.pay("liquidation", (labs, where(gone, labs.cash, 0.0)), "outside")
    labs.bury(gone)
