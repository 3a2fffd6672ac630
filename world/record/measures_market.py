"""Measures of the market for models beyond prices and shares: where use runs, who is tied to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import APP_COMPANY, CN, NOBODY
from baimo.world.engine.arrays import Array, clip, herfindahl, largest, ratio, row_sum, shares, sum_k, where
from baimo.world.laws.scaling import AXES
from baimo.world.models.pricing import owners_power
from baimo.world.models.quality import brain, home_segment, nuisance, retrieval
from baimo.world.models.serving import DAYS_A_MONTH
from baimo.world.technology.research import frontiers

if TYPE_CHECKING:
    from baimo.world.engine.world import World


def model_market(world: World) -> dict[str, Array]:
    """Serving, data, ties and fit of models in CN, each ``(worlds, 1)``."""
    return _serving(world) | _ties(world) | _fit(world)


def _cn(world: World, values: Array) -> Array:
    return row_sum(where(world.labs.region == CN, values, 0.0))


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
        "overflow_weak_cn": row_sum(_beyond_four(where(labs.region == CN, state.overflow, 0.0), state.token_share)),
        "tokens_unserved_cn": state.unserved[CN],
        "revenue_projects_cn": _cn(world, state.projects),
    }


def _beyond_four(values: Array, share: Array) -> Array:
    """Values of the labs that are not among the four largest."""
    fourth = np.sort(share, axis=-1)[..., -4, None]
    return where(share < fourth, values, 0.0)


def _ties(world: World) -> dict[str, Array]:
    labs, state = world.labs, world.state
    here = labs.region == CN
    tokens = where(here, labs.tokens_flagship + labs.tokens_light, 0.0)
    able = sum_k(labs.served) / 3.0
    power = ratio(1.0, 1.0 - owners_power(world)) - 1.0
    abroad = where(here, 0.0, labs.tokens_flagship + labs.tokens_light)
    return {
        "top1_tokens_share_row": largest(shares(abroad), 1),
        "hhi_usage_data_cn": herfindahl(where(here, labs.usage_data, 0.0)),
        "used_lead_cn": ratio(row_sum(tokens * able), row_sum(tokens)) - _mean(able, here & labs.alive & labs.released),
        "lock_in_cn": ratio(row_sum(tokens * labs.lock_in), row_sum(tokens)),
        "lock_in_margin_cn": ratio(row_sum(tokens * power), row_sum(tokens)),
        "leader_tenure_cn": state.leads_since,
        "product_share_unused_cn": _product_of_the_unused(world),
        "layer_data_cn": _mean(labs.layers[2], here & labs.alive & (labs.base_id != NOBODY)),
    }


def _product_of_the_unused(world: World) -> Array:
    """Share of product work in labs of CN with a model on sale, each counted as far as nobody uses it (M67)."""
    labs, used = world.labs, world.parameters.organisation.used_share
    models = labs.alive & labs.released & (labs.region == CN) & (labs.mode != APP_COMPANY)
    unused = where(models, clip(1.0 - world.state.token_share / used, 0.0, 1.0), 0.0)
    return ratio(row_sum(unused * labs.product_share), row_sum(unused))


def _mean(values: Array, among: Array) -> Array:
    return ratio(row_sum(where(among, values, 0.0)), row_sum(among.astype(float)))


def _fit(world: World) -> dict[str, Array]:
    """How well what is used fits: open weights in private rooms, verticals at home, nuisance."""
    labs, state, table = world.labs, world.state, world.segments
    home = table.column("region") == CN
    firms = where(home, labs.users * (1.0 - table.column("free")), 0.0)
    privy = where(home, labs.users * table.column("privacy"), 0.0)
    at_home = row_sum(sum_k(where(home_segment(world), privy, 0.0)))
    here = labs.region == CN
    light, flagship = (row_sum(where(here, each, 0.0)) for each in (state.paid_light, state.paid_flagship))
    return {
        "open_share_private_cn": state.open_private,
        "vertical_home_share_cn": ratio(at_home, row_sum(sum_k(privy))),
        "nuisance_cn": ratio(row_sum(sum_k(firms * nuisance(world, labs.served))), row_sum(sum_k(firms))),
        "light_share_firms_cn": ratio(light, light + flagship),
        "retrieval_cn": sum_k(where(home, retrieval(world), 0.0)) / home.sum(),
    } | _worth(world)


def _worth(world: World) -> dict[str, Array]:
    """Share of all users' work that one more OOM of an axis would do, for the best models of CN."""
    people = where(world.segments.column("region") == CN, world.state.adopters, 0.0)
    # The best as they are, and one OOM better on each axis: four models, asked at once.
    better = world.xp.arange(4) == world.xp.arange(1, 4).reshape(3, 1, 1)
    able = brain(world, frontiers(world)["cn"] + better)
    gained = ratio(sum_k(people * (able[..., 1:] - able[..., :1])), sum_k(people))
    return {f"worth_{name}_cn": gained[:, axis : axis + 1] for axis, name in enumerate(AXES)}


def share_at_home(world: World) -> Array:
    """Share of the users of its home segment that a vertical lab has, ``(worlds, labs)``."""
    labs, state = world.labs, world.state
    return sum_k(where(home_segment(world), labs.users / np.maximum(state.adopters, 1e-12), 0.0))
