"""Output columns on compute: the stock of chips, their prices and rents, clouds and power."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CENTRE, CHIPMAKER, CLOUD, CN, ROW
from baimo.conf.declare import output
from baimo.world.compute.chip_supply import chips_in, domestic_maturity, list_prices, made_in, of_kind
from baimo.world.compute.chips import CNY_A_USD
from baimo.world.compute.rental_market import held_by, speeds_in_use
from baimo.world.engine.arrays import Array, herfindahl, ratio, row_sum, sum_k, sum_where, weigh_k, where

if TYPE_CHECKING:
    from baimo.world.engine.world import World


@output("h100e_cn_<class>", "H100e", "the stock of chips in China, by class of chip", log=True)
@output("h100e_cn_legal", "H100e", "the legal stock of chips in China", "Legal chips", log=True)
@output("h100e_cn_grey", "H100e", "the stock of chips in China from the grey market", log=True)
@output("h100e_cn_domestic", "H100e", "the stock of domestic chips in China", "Domestic chips", log=True)
@output("h100e_row", "H100e", "the stock of chips elsewhere", log=True)
@output("hhi_chips_cn", "0 to 1", "the concentration (HHI) of chips in China by maker")
@output("hhi_chips_row", "0 to 1", "the concentration (HHI) of chips elsewhere by maker")
@output(
    "speed_per_h100e_cn",
    "H100/H100e",
    "the speed of chips in China in training, bandwidth included, over their arithmetic",
)
@output(
    "speed_per_h100e_row",
    "H100/H100e",
    "the speed of chips elsewhere in training, bandwidth included, over their arithmetic",
)
@output("serving_chips_cn_h100", "H100s", "what all chips in China could serve; prompts and answers, sparsity counted")
@output("power_cn_mw", "MW", "the power that chips in China take", log=True)
def chips_held(world: World) -> tuple:
    """Chips held, installed or on the way, by class, channel and maker, and what they can do."""
    chips, grey = world.chips, world.state.grey_stock
    counted, domestic = ~of_kind(world, "consumer"), made_in(world, "CN")
    cn, _ = held = [chips_in(world, home) for home in (CN, ROW)]
    in_cn, in_row = equivalents = [each * chips.h100e * counted for each in held]
    local, foreign = sum_k(where(domestic, in_cn, 0.0)), sum_k(where(domestic, 0.0, in_cn))
    quick = [sum_k(each * chips.training_speed * counted) for each in held]
    return (
        [each for each, kind in zip(in_cn, chips.kinds, strict=True) if kind != "consumer"],
        *(np.maximum(foreign - grey, 0.0), grey, local, sum_k(in_row)),
        *(sum_k(ratio(_by_maker(world, each), sum_k(each)) ** 2) for each in equivalents),
        *(ratio(speed, sum_k(each)) for speed, each in zip(quick, equivalents, strict=True)),
        sum_k(cn * world.state.serving_speed * chips.maturity * counted),
        sum_k(cn * world.chip_kw) * world.parameters.serving.server_power / 1000.0,
    )


def _by_maker(world: World, equivalents: Array) -> Array:
    """H100 equivalents by maker, ``(makers, worlds, 1)``."""
    makers = dict.fromkeys(world.chips.vendors)
    by_class = list(zip(world.chips.vendors, equivalents, strict=True))
    return np.stack([sum_k([each for vendor, each in by_class if vendor == maker]) for maker in makers])


@output("price_h100_list_usd", "USD", "the list price of an H100", log=True)
@output("price_h100_rent_usd_hour", "USD/hour", "the rent of an H100", "Rent of an H100", log=True)
@output("price_rent_cn_usd_hour", "USD/hour", "the rent for training in China of one H100 equivalent", log=True)
@output("rent_serving_cn_usd_hour", "USD/hour", "the rent for serving in China of one H100 equivalent")
@output("rent_serving_row_usd_hour", "USD/hour", "the rent for serving elsewhere of one H100")
@output("grey_premium", "share", "the premium on the grey market; over the list price", "Grey premium")
@output(
    "domestic_maturity",
    "share",
    "the share of their speed that software brings out of domestic datacenter chips; mean of classes",
)
@output("platform_strength", "0 to 1", "the middle layer; how far it is built, times the share of compute on it")
def prices_and_software(world: World) -> tuple:
    """Prices and rents, and software of domestic chips."""
    state = world.state
    listed = list_prices(world)[world.chips.names.index("H100")] * 1e6 / CNY_A_USD
    return (
        listed / world.parameters.chip_market.server_overhead,
        *(state.rent_training[ROW] / CNY_A_USD, state.rent_training[CN] / CNY_A_USD),
        *(state.rent_serving[CN] / CNY_A_USD, state.rent_serving[ROW] / CNY_A_USD, state.grey_premium),
        *(domestic_maturity(world), state.platform_strength),
    )


@output("utilisation_cn", "share", "the utilisation of chips for rent in China", "Utilisation")
@output("utilisation_centres_cn", "share", "the utilisation of public compute centres in China")
@output("idle_compute_cn", "H100e", "idle chips of vendors in China")
@output(
    "revenue_clouds_cn",
    "CNY million a month",
    "all rents of clouds in China; from labs and buyers outside the industry",
    "Rents, clouds",
    True,
)
@output("compute_for_equity_cn", "CNY million a step", "compute that clouds in China give labs against a stake")
@output("cloud_seeds_cn", "CNY million a step", "seeds of clouds in China for apps")
@output("hhi_compute_cn", "0 to 1", "the concentration (HHI) of compute for models in China by lab")
@output("hhi_compute_row", "0 to 1", "the concentration (HHI) of compute for models elsewhere by lab")
def use(world: World) -> tuple:
    """Utilisation, revenue and support of ecosystems by clouds, and concentration of compute."""
    vendors, seen = world.vendors, world.monthly
    here = (vendors.region == CN) & (vendors.kind != CHIPMAKER) & vendors.alive
    fleet = weigh_k(world.chips.h100e, vendors.fleet) * here
    centres = fleet * (vendors.kind == CENTRE)
    return (
        ratio(row_sum(fleet * vendors.utilisation), row_sum(fleet)),
        ratio(row_sum(centres * vendors.utilisation), row_sum(centres)),
        row_sum(fleet * (1.0 - vendors.utilisation)),
        sum_where(here & (vendors.kind == CLOUD), vendors.revenue),
        *(seen["compute_for_equity"], seen["cloud_seeds"]),
        *(herfindahl(_lab_compute(world, home)) for home in (CN, ROW)),
    )


@output("chips_use_training_cn", "share", "the share of compute in China on which labs train")
@output("chips_use_serving_cn", "share", "the share of compute in China on which labs serve")
@output("chips_use_outside_cn", "share", "the share of compute in China that others than labs use")
@output("chips_use_idle_cn", "share", "the share of compute in China that nobody rents")
def uses(world: World) -> tuple:
    """Shares of compute in CN by use: training and serving of labs, others, and chips that stand idle in the market."""
    labs, state = world.labs, world.state
    fast, quick = speeds_in_use(world)
    own = labs.fleet * where(labs.alive & (labs.region == CN), labs.llm_share, 0.0)
    trains = row_sum(sum_k(own * fast[:, 0]) * (1.0 - labs.serving_share)) + _rented(world, labs.rented_training)
    serves = row_sum(sum_k(own * quick[:, 0]) * labs.serving_share) + _rented(world, labs.rented_serving)
    idle = 1.0 - state.share_training[:, CN] - state.share_serving[:, CN]
    idle = sum_k(sum(held_by(world).values())[:, CN] * fast[:, 0] * idle)
    used = (trains, serves, state.outside_training[CN] + state.outside_serving[CN], idle)
    return tuple(ratio(each, sum(used)) for each in used)


def _rented(world: World, compute: Array) -> Array:
    """Compute that labs in CN rent."""
    return sum_where(world.labs.alive & (world.labs.region == CN), compute)


def _lab_compute(world: World, home: int) -> Array:
    """Compute for models that each lab of a region owns or rents, H100 equivalents."""
    labs = world.labs
    own = weigh_k(world.chips.h100e, labs.fleet) * labs.llm_share
    return where(labs.alive & (labs.region == home), own + labs.rented_training + labs.rented_serving, 0.0)
