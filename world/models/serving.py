"""Serving, use and revenue: capacity, bills and payments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CN
from baimo.conf.declare import flow, stock
from baimo.world.compute.chips import H100, tokens_per_second
from baimo.world.compute.rental_market import HOURS_A_YEAR, fleet_serving, serving_need_total
from baimo.world.engine.arrays import Array, by_region, ratio, row_sum, sum_by_group, sum_k, weigh_k, where
from baimo.world.engine.state import State
from baimo.world.models.demand import reconsidering
from baimo.world.models.overflow import spill_over
from baimo.world.models.own_data import gather_data
from baimo.world.models.revenue import earn
from baimo.world.network.ties import points_at

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class ServingState(State):
    """State of serving: demand, compute, projects."""

    asked_by_apps = flow("Mtok/day", "labs", text="Tokens of flagships that apps ask of the labs' clouds")
    asked_flagship = flow("Mtok/day", "labs", text="Tokens of flagships that users and apps ask of the labs' clouds")
    token_share = stock("share", "labs", text="Share of the tokens that the home region's labs serve")
    serving_need = stock("H100e", "labs", text="Compute that all demand would take")
    output_share = stock("share", first="serving.output_share", text="Tokens that models write, of all")
    cache_hits = stock("share", first="serving.cache_hits", text="Tokens of prompts that were read before")
    served_so_far = stock("Mtok", text="Tokens that labs everywhere have served since the start")
    engine = flow("1", text="Tokens a second of a chip against the first engines")
    tokens_h100_flagship = flow("tok/s", "labs", text="Speed of one H100 with the flagship")
    tokens_h100_light = flow("tok/s", "labs", text="Speed of one H100 with the light model")


def serve(world: World) -> None:
    """Phase 10: capacity, sales, payments by users, apps and hosts."""
    labs, state = world.labs, world.state
    traffic = _app_traffic(world)
    state.asked_by_apps = sum_k([sum_by_group(tokens, rows, labs.capacity) for rows, tokens in traffic])
    state.asked_flagship = state.asked_by_users + state.asked_by_apps
    _lock_in(world, traffic[0])
    gather_data(world)
    _limit(world)
    earn(world, traffic)
    total = labs.tokens_flagship + labs.tokens_light
    here = labs.region == CN
    state.served_so_far = state.served_so_far + row_sum(total) * world.clock.days
    cn = where(here, total, 0.0)
    state.token_share = where(here, ratio(cn, row_sum(cn)), ratio(total - cn, row_sum(total - cn)))
    _running_costs(world)


def _app_traffic(world: World) -> list[tuple[Array, Array]]:
    """Traffic of apps by base: lab rows (-1 for none) and tokens."""
    apps, labs = world.apps, world.labs
    valid = [points_at(rows, ids, labs) & apps.alive for rows, ids in zip(apps.base_lab, apps.base_id, strict=True)]
    split = where(valid[1], world.parameters.app_market.second_base, 0.0)
    shares = (1.0 - split, split)
    return [(where(v, rows, -1), apps.tokens * s) for v, rows, s in zip(valid, apps.base_lab, shares, strict=True)]


def _lock_in(world: World, traffic: tuple[Array, Array]) -> None:
    """Captive share of a lab's sales: apps tied to one base, users who do not reconsider (M47)."""
    labs, apps, table, state = world.labs, world.apps, world.segments, world.state
    model_market, moat = world.parameters.model_market, world.parameters.moat
    single = apps.base_lab[1] < 0
    tie = np.minimum(apps.coupling * moat.ecosystem, 1.0) * single
    rows, tokens = traffic
    eased = 1.0 - world.policy.market.interoperability * (labs.region == CN)
    tied = sum_by_group(tokens * tie, rows, labs.capacity) * eased
    captive = (1.0 - table.column("free")) * np.power(1.0 - reconsidering(world), model_market.captive_months)
    held = weigh_k(captive, state.tokens_by_segment)
    labs.lock_in = ratio(tied + held, sum_k(state.tokens_by_segment) + state.asked_by_apps)


def _limit(world: World) -> None:
    """Limit of demand by the serving capacity, and overflow to others."""
    labs, state = world.labs, world.state
    need = serving_need_total(world)
    have = fleet_serving(world) * labs.serving_share + labs.rented_serving
    first_month = (labs.releases <= 1.0) & (labs.since_news <= 1.0)
    slack = 1.0 + world.parameters.serving.burst
    fill = where(need > 0.0, np.minimum(ratio(have * slack, need), 1.0), 1.0)
    labs.capacity_share = where(first_month, np.maximum(fill, world.parameters.serving.first_month), fill)
    state.serving_need = need
    spill_over(world, need, have)
    labs.tokens_api = state.asked_by_apps * labs.capacity_share
    labs.tokens_light = state.asked_light * labs.capacity_share + state.overflow_light
    labs.tokens_flagship = state.asked_flagship * labs.capacity_share + state.overflow - state.overflow_light


def _running_costs(world: World) -> None:
    """Costs of power for own chips, and of operation: support, review, traffic (M04)."""
    labs, vendors, serving = world.labs, world.vendors, world.parameters.serving
    operation = sum_k(labs.users) * serving.operation * world.clock.months
    world.accounts.pay("operation", (labs, operation), "outside", operating=True)
    hours = HOURS_A_YEAR * world.clock.years
    for population in (labs, vendors):
        kw = sum_k(population.fleet * world.chip_kw) * serving.server_power * serving.pue
        price = where(population.region == CN, serving.power_price_cn, serving.power_price_row)
        bill = kw * hours * price / 1e6 * serving.power_load
        world.accounts.pay("power", (population, bill), "outside", operating=True)


def serving_costs(world: World) -> None:
    """Serving speed of one H100 for each model, and marginal cost of a million tokens.

    Engines are learned by serving, and open to all: (1 + S/S0)^b, S the tokens served so far anywhere (Wright 1936).
    Who serves much fills batches and evens out peaks: T (1 + m g log10(1 + need / n0)), the moat of compute (M31).
    A cost of zero (M04) serves free.
    """
    labs, state, serving = world.labs, world.state, world.parameters.serving
    state.engine = np.exp(serving.engine_learning * np.log1p(state.served_so_far / serving.served_before))
    gain = serving.scale_gain * world.parameters.moat.compute
    better = state.engine * (1.0 + gain * np.log10(1.0 + state.serving_need / serving.scale_reference))
    for name, size in (("flagship", labs.active_parameters), ("light", labs.light_parameters)):
        speed = tokens_per_second(size, H100, state, serving) * better
        setattr(state, f"tokens_h100_{name}", speed)
    rent = by_region(state.rent_serving, labs.region) * serving.rented_premium * serving.cost_scale
    labs.marginal_cost = rent / (state.tokens_h100_flagship * 3600.0) * 1e6
    labs.marginal_cost_light = rent / (state.tokens_h100_light * 3600.0) * 1e6
