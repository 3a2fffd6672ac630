"""Mechanisms of compute: how each is taken out and where it shows."""

from baimo.conf.mechanisms.base import Mechanism

COMPUTE = (
    Mechanism(
        "M07",
        "dispersion",
        "chips converge on the maker that most use; where they are barred buyers turn to substitutes, which disperses",
        "000",
        off={"chip_market.substitution": 0.0, "chip_market.ecosystem": 0.0},
        shows=("hhi_chips_cn", "hhi_chips_row", "h100e_cn_domestic", "h100e_cn_grey"),
    ),
    Mechanism(
        "M17",
        "platform",
        "a middle layer unifies mixed chips, who builds it decides so by its returns, and it matters who does",
        "000",
        off={"platform.scale": 0.0},
        shows=("platform_strength", "utilisation_cn", "domestic_maturity"),
        scenario=("policy/compute=platform_operator",),
    ),
    Mechanism(
        "M32",
        "gpu_shortage",
        "shipments of chips fall short of demand",
        "002",
        off={"chip_market.supply_scale": 6.0},
        shows=("price_h100_rent_usd_hour", "price_h100_list_usd", "h100e_row"),
    ),
    Mechanism(
        "M35",
        "sparse_accelerators",
        "sparse cards serve more for less power",
        "002",
        off={"chip_market.sparse_factor": 1.0},
        shows=("serving_chips_cn_h100", "power_cn_mw"),
        scenario=("chip_market.sparse_supply=50",),
    ),
    Mechanism(
        "M43",
        "cloud_ecosystem",
        "clouds build an ecosystem, with compute for equity",
        "002",
        off={"rental.equity_share": 0.0, "rental.seed_share": 0.0},
        shows=("compute_for_equity_cn", "cloud_seeds_cn", "app_survival_6_months_share"),
    ),
    Mechanism(
        "M56",
        "codesign",
        "software for domestic chips is a commons that matures with use and with the people whom labs set on it",
        "004",
        off={"chip_market.codesign": 0.0, "chip_market.codesign_return": 0.0},
        shows=("domestic_maturity", "h100e_cn_domestic"),
    ),
    Mechanism(
        "X06",
        "one_market",
        "holders outside use their chips or let them, at the rents that all pay",
        "Ricardo 1817; McFadden 1974",
        off={"rental.outside_open": 0.0},
        shows=("price_rent_cn_usd_hour", "rent_serving_cn_usd_hour", "price_h100_rent_usd_hour"),
    ),
)
