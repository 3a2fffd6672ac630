"""Hosts of open weights: any cloud serves what anybody may download, near cost (X10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import ALL_OPEN, CLOUD, CLOUD_OWNERS, CN, LIGHT_OPEN, ROW
from baimo.conf.declare import flow, stock
from baimo.world.compute.chips import SECONDS_A_DAY
from baimo.world.engine.arrays import Array, count_where, is_one_of, ratio, row_sum, sum_k, where
from baimo.world.engine.clock import DAYS_A_MONTH
from baimo.world.engine.state import State

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class HostingState(State):
    """What open weights cost from those who did not write them, and what these serve."""

    hosts = flow("hosts", "regions", text="Clouds that serve open weights")
    offer_flagship = flow("CNY/Mtok", "regions", "labs", text="Lowest price of a lab's flagship to users of a region")
    offer_light = flow("CNY/Mtok", "regions", "labs", text="Lowest price of a lab's light model to users of a region")
    hosted_flagship = flow("Mtok/day", "regions", "labs", text="Tokens of flagships that hosts serve, by author")
    hosted_light = flow("Mtok/day", "regions", "labs", text="Tokens of light models that hosts serve, by author")
    hosted_need = stock("H100e", "regions", text="Compute that hosts need for them")


def count_hosts(world: World) -> None:
    """Count the clouds of each region, those of labs included."""
    counts = [count_where(clouds) + count_where(own) for clouds, own in (_clouds(world, CN), _clouds(world, ROW))]
    world.state.hosts = world.parameters.hosting.weight * np.stack(counts)


def host_markup(world: World) -> Array:
    """m/n, what n hosts of a commodity ask over cost (Cournot), ``(regions, worlds, 1)``; huge without hosts."""
    hosts = world.state.hosts
    return where(hosts > 0.0, ratio(world.parameters.hosting.margin + 0.0 * hosts, hosts), 1e6)


def offers_of_hosts(world: World) -> None:
    """Users of open weights pay the least of what author and hosts of their region ask: c (1 + m/n)."""
    labs, state, serving = world.labs, world.state, world.parameters.serving
    asked = (
        state.rent_serving * (serving.rented_premium * serving.cost_scale * 1e6 / 3600.0) * (1.0 + host_markup(world))
    )
    found = []
    for speed, price, opened in (
        (state.tokens_h100_flagship, labs.price_flagship, labs.openness == ALL_OPEN),
        (state.tokens_h100_light, labs.price_light, labs.openness >= LIGHT_OPEN),
    ):
        hosted = where(opened & labs.released, asked / np.maximum(speed, 1e-9), np.inf)
        found.append(np.minimum(hosted, price))
    state.offer_flagship, state.offer_light = found


def split_off(world: World, flagship: Array, light: Array) -> tuple[Array, Array]:
    """Tokens asked of authors, of flagships and light models by segment; the rest is asked of hosts.

    Of firms that use its open weights an author keeps a share at home and less abroad; consumers come to its own app.
    """
    labs, state, seg, hosting = world.labs, world.state, world.segments.columns, world.parameters.hosting
    kept_share = where(seg.region == labs.region, hosting.author_share, hosting.author_share_abroad)
    served = where(seg.region == CN, state.hosts[CN], state.hosts[ROW]) > 0.0
    leaves = (1.0 - kept_share) * (1.0 - seg.free) * served
    kept, hosted = [], []
    for asked, opened in ((flagship, labs.openness == ALL_OPEN), (light, labs.openness >= LIGHT_OPEN)):
        away = asked * where(opened, leaves, 0.0)
        kept.append(asked - away)
        hosted.append(np.stack([sum_k(where(seg.region == region, away, 0.0)) for region in (CN, ROW)]))
    state.hosted_flagship, state.hosted_light = hosted
    return kept[0], kept[1]


def pay_hosts(world: World) -> Array:
    """Users pay those who serve, who share alike; returns what labs with a cloud earn by it in a step."""
    labs, vendors, state = world.labs, world.vendors, world.state
    need, income = [], np.zeros_like(labs.cash)
    for region in (CN, ROW):
        flagship, light = state.hosted_flagship[region], state.hosted_light[region]
        paid = row_sum(flagship * state.offer_flagship[region] + light * state.offer_light[region])
        each = ratio(paid * DAYS_A_MONTH * world.clock.months / 1e6, state.hosts[region])
        clouds, own = _clouds(world, region)
        world.accounts.pay("hosting", "users", (vendors, where(clouds, each, 0.0)), operating=True)
        income = income + where(own, each, 0.0)
        load = ratio(flagship, state.tokens_h100_flagship) + ratio(light, state.tokens_h100_light)
        need.append(row_sum(load) * 1e6 / SECONDS_A_DAY)
        hours = 24.0 * DAYS_A_MONTH * world.clock.months
        rent = ratio(need[-1] * state.rent_serving[region] * hours / 1e6, state.hosts[region])
        for population, who in ((vendors, clouds), (labs, own)):
            world.accounts.pay("rent of hosts", (population, where(who, rent, 0.0)), "outside", operating=True)
    world.accounts.pay("hosting", "users", (labs, income))
    state.hosted_need = np.stack(need)
    return income


def _clouds(world: World, region: int) -> tuple[Array, Array]:
    """Clouds of a region, and labs with a cloud of their own there."""
    labs, vendors = world.labs, world.vendors
    clouds = vendors.alive & (vendors.kind == CLOUD) & (vendors.region == region)
    return clouds, labs.alive & is_one_of(labs.archetype, CLOUD_OWNERS) & (labs.region == region)
