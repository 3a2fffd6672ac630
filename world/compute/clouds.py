"""Clouds as ecosystem builders: compute for equity, seeds for apps, and public vouchers (M43).

A cloud pays in, the lab spends the credit on rent at its host, the cloud holds a stake. What it pays in
buys that stake: a flow of capital, like the returns on it, and no part of its ``spent``; the rent that comes
back is income like any rent. Seeds buy no stake: they are a cost of winning tenants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import ACADEMIC, APP_COMPANY, CHALLENGER, CLOUD, CN, FOLLOWER, UNICORN
from baimo.world.engine.arrays import Array, is_one_of, mean_k, ratio, row_sum, sum_by_group, take_rows, where
from baimo.world.network.ties import points_at

if TYPE_CHECKING:
    from baimo.world.engine.world import World


def support(world: World) -> None:
    """Phase 4, before the rental market: clouds and the state give credit for compute."""
    _compute_for_equity(world)
    _seed_apps(world)
    _vouchers(world)


def _chest(world: World, share: Array) -> Array:
    """Budget of each cloud for its ecosystem in a step, CNY million."""
    vendors = world.vendors
    clouds = (vendors.kind == CLOUD) & vendors.alive
    return where(clouds, share * vendors.revenue * world.clock.months, 0.0)


def _compute_for_equity(world: World) -> None:
    """Give compute for equity to hosted labs without a rich parent, near the best at home."""
    labs, vendors, state, rental = world.labs, world.vendors, world.state, world.parameters.rental
    venture = is_one_of(labs.archetype, (CHALLENGER, UNICORN, ACADEMIC, FOLLOWER)) & (labs.mode != APP_COMPANY)
    best = where(labs.region == CN, state.frontier_cn, state.frontier_all)
    behind = np.maximum(best - mean_k(labs.served), 0.0)
    hosted = labs.alive & labs.released & venture & points_at(labs.host, labs.host_id, vendors)
    promise = where(hosted, np.maximum(1.0 - behind / rental.equity_promise, 0.0), 0.0)
    rows = where(hosted, labs.host, -1)
    rivals = take_rows(sum_by_group(promise, rows, vendors.capacity), rows)
    chest = take_rows(_chest(world, rental.equity_share), rows)
    grant = chest * np.minimum(ratio(promise, rivals), rental.equity_most)
    world.accounts.pay("compute for equity", (vendors, sum_by_group(grant, rows, vendors.capacity)), (labs, grant))
    labs.compute_credit = labs.compute_credit + grant
    labs.host_stake = labs.host_stake + grant
    world.count("compute_for_equity", labs, grant)


def _seed_apps(world: World) -> None:
    """Seed the young apps that build on labs hosted by a cloud in CN."""
    apps, labs, vendors, rental = world.apps, world.labs, world.vendors, world.parameters.rental
    young = apps.alive & (apps.age < rental.seed_months) & points_at(apps.base_lab[0], apps.base_id[0], labs)
    hosted = (labs.region == CN) & points_at(labs.host, labs.host_id, vendors)
    at_home = take_rows(where(hosted, labs.host, -1), apps.base_lab[0])
    rows = where(young, at_home, -1)
    count = sum_by_group((rows >= 0).astype(float), rows, vendors.capacity)
    each = take_rows(ratio(_chest(world, rental.seed_share), count), rows)
    seed = where(rows >= 0, each, 0.0)
    given = sum_by_group(seed, rows, vendors.capacity)
    world.accounts.pay("seeds", (vendors, given), (apps, seed), operating=True)
    world.tally("cloud_seeds", row_sum(seed))


def _vouchers(world: World) -> None:
    """Give public credit for compute to young firms and universities, in equal parts."""
    labs = world.labs
    small = is_one_of(labs.archetype, (UNICORN, ACADEMIC, FOLLOWER)) & (labs.mode != APP_COMPANY)
    able = (labs.alive & (labs.region == CN) & small).astype(float)
    money = world.policy.compute.vouchers * world.clock.years
    given = money * ratio(able, row_sum(able))
    world.accounts.pay("vouchers", "government", (labs, given))
    labs.compute_credit = labs.compute_credit + given


def draw_credit(world: World, bill: Array) -> None:
    """Pay rent out of the credit first."""
    labs = world.labs
    drawn = world.clock.fraction(world.parameters.rental.credit_pace) * labs.compute_credit
    labs.compute_credit = labs.compute_credit - np.minimum(drawn, bill)
