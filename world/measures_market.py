"""Measures of the market for models beyond prices and shares: where use runs, who is tied to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.lab import ALL_OPEN, CN, NOBODY
from world.arrays import Array, herfindahl, ratio, row_sum, sum_k, take_rows
from world.model_market import owners_power
from world.quality import nuisance, retrieval
from world.technology import KNOWLEDGE, REASONING

if TYPE_CHECKING:
    from world.state import World

DAYS_A_MONTH = 365.25 / 12.0


def model_market(world: World) -> dict[str, Array]:
    """Serving, data, ties and fit of models in CN, each ``(worlds, 1)``."""
    return _serving(world) | _ties(world) | _fit(world)


def _cn(world: World, values: Array) -> Array:
    return row_sum(np.where(world.labs.region == CN, values, 0.0))


def _serving(world: World) -> dict[str, Array]:
    labs, state, p = world.labs, world.state, world.parameters.serving
    compute = labs.tokens_flagship * labs.marginal_cost + labs.tokens_light * labs.marginal_cost_light
    cost = compute * DAYS_A_MONTH / 1e6 + sum_k(labs.users) * p.operation
    kw = world.chips.kw[world.chips.names.index("H100")] * p.server_power * p.pue
    load = _cn(world, state.serving_need * labs.capacity_share)
    return {
        "serving_cost_cn": _cn(world, cost),
        "serving_load_cn_h100e": load,
        "power_serving_cn_mw": load * kw / 1000.0,
        "tokens_light_share_cn": ratio(
            _cn(world, labs.tokens_light), _cn(world, labs.tokens_flagship + labs.tokens_light)
        ),
        "tokens_device_cn": state.tokens_device,
        "tokens_private_cn": state.tokens_private,
        "tokens_overflow_cn": _cn(world, state.overflow),
        "tokens_unserved_cn": state.unserved[CN],
        "revenue_projects_cn": _cn(world, state.projects),
    }


def _ties(world: World) -> dict[str, Array]:
    labs = world.labs
    here = labs.region == CN
    tokens = np.where(here, labs.tokens_flagship + labs.tokens_light, 0.0)
    power = ratio(1.0, 1.0 - owners_power(world)) - 1.0
    return {
        "hhi_usage_data_cn": herfindahl(np.where(here, labs.usage_data, 0.0)),
        "lock_in_cn": ratio(row_sum(tokens * labs.lock_in), row_sum(tokens)),
        "lock_in_margin_cn": ratio(row_sum(tokens * power), row_sum(tokens)),
        "leader_tenure_cn": _tenure(world, tokens),
        "layer_data_cn": _mean(labs.layers[2], here & labs.alive & (labs.base_id != NOBODY)),
    }


def _mean(values: Array, among: Array) -> Array:
    return ratio(row_sum(np.where(among, values, 0.0)), row_sum(among.astype(float)))


def _tenure(world: World, tokens: Array) -> Array:
    """Months since the lab that serves most took the lead."""
    labs, state = world.labs, world.state
    first = take_rows(labs.id, np.argmax(tokens, axis=-1)[:, None])
    stays = first == state.leader
    state.leads_since = np.where(stays, state.leads_since + world.clock.months, 0.0)
    state.leader = first
    return state.leads_since


def _fit(world: World) -> dict[str, Array]:
    """How well what is used fits: open weights in private rooms, verticals at home, nuisance."""
    labs, state, table = world.labs, world.state, world.segments
    home = table.column("region") == CN
    use = np.where(home, state.use_by_segment, 0.0)
    private = sum_k(use * table.column("privacy"))
    people = sum_k(np.where(home, labs.users * (1.0 - table.column("free")), 0.0))
    firms = np.where(home, labs.users * (1.0 - table.column("free")), 0.0)
    trade = np.arange(len(table)).reshape(-1, 1, 1) == labs.home_segment
    privy = np.where(home, labs.users * table.column("privacy"), 0.0)
    at_home = row_sum(sum_k(np.where(trade, privy, 0.0)))
    lean = np.where(labs.released, labs.served[REASONING] - labs.served[KNOWLEDGE], 0.0)
    weight = sum_k(use)
    looked_up = sum_k(np.where(home, retrieval(world), 0.0)) / home.sum()
    return {
        "open_share_private_cn": ratio(row_sum(np.where(labs.openness == ALL_OPEN, private, 0.0)), row_sum(private)),
        "vertical_home_share_cn": ratio(at_home, row_sum(sum_k(privy))),
        "nuisance_cn": ratio(row_sum(sum_k(firms * nuisance(world, labs.served))), row_sum(people)),
        "retrieval_cn": looked_up,
        "reasoning_lean_cn": ratio(row_sum(weight * lean), row_sum(weight)),
    }
