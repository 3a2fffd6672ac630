"""Parameters of chips, rents, the fleets of labs and the platform over mixed chips."""

from dataclasses import dataclass

from baimo.conf.declare import par


@dataclass
class ChipMarket:
    """Orders, prices, grey imports, domestic chips."""

    supply_scale: float = par(
        1.0, "times", 0.05, 20, "facts: NVIDIA units", "foreign chips made, relative to the table"
    )
    substitution: float = par(
        1.0,
        "times",
        0,
        1,
        "000",
        "strength of substitution to domestic, consumer, inference and grey chips under a ban",
    )
    ecosystem: float = par(
        0.1, "1", 0, 2, "prior", "elasticity of the worth of a chip to the share of its maker in the chips in use"
    )
    ecosystem_seed: float = par(
        0.05, "share", 0.001, 1, "prior", "share that every maker has in that before any of its chips are in use"
    )
    sparse_supply: float = par(1.0, "times", 0, 1000, "002", "sparse cards made, relative to the table")
    sparse_factor: float = par(
        4.0, "times", 1, 32, "002", "serving speed of a sparse card, relative to dense arithmetic"
    )
    server_overhead: float = par(1.64, "times", 1, 5, "facts: server_overhead", "server cost over chip price")
    training_weight: float = par(0.7, "share", 0, 1, "prior", "weight of training speed in a buyer's valuation")
    rent_steers: float = par(
        1.0,
        "share",
        0,
        1,
        "prior",
        "weight of the rents of training and serving in the valuation of chips bought for rent",
    )
    density_premium: float = par(
        1.3, "1", 0.5, 3, "000", "exponent of speed in a buyer's valuation: fast chips save racks, power, networks"
    )
    consumer_discount: float = par(
        0.6,
        "share",
        0,
        1,
        "prior",
        "valuation of a consumer card, with little memory and barred from data centres by its "
        "licence, relative to others of its whole cost",
    )
    cluster_in_mind: float = par(
        1000.0, "H100", 1, 1e6, "prior", "speed of the cluster for which buyers weigh failures of a chip"
    )
    stockpile: float = par(
        1.0, "times", 0, 10, "prior", "increase of orders between the announcement of a ban and its start"
    )
    outside_cn: float = par(90000.0, "CNY million/year", 0, 1e6, "PRIORS", "chip spending outside the industry, CN")
    outside_cn_growth: float = par(1.0, "1/year", 0, 5, "prior", "initial growth of that spending")
    outside_cn_fade: float = par(1.5, "years", 0.1, 10, "prior", "time constant of the decline of that growth")
    outside_row: float = par(
        52000.0, "CNY million/year", 0, 1e8, "facts: NVIDIA units", "chip spending outside the industry, ROW"
    )
    outside_row_growth: float = par(5.5, "1/year", 0, 20, "facts: NVIDIA units", "initial growth of that spending")
    outside_row_fade: float = par(0.6, "years", 0.1, 10, "prior", "time constant of the decline of that growth")
    loyal: float = par(
        0.12, "share", 0, 1, "facts: ascend_2024", "outside spending in CN that turns to domestic chips under a ban"
    )
    stock_months: float = par(4.0, "months", 0.1, 120, "prior", "unsold output at which a maker stops a line")
    outside_focus: float = par(3.0, "1", 0, 20, "prior", "exponent of value for money in outside buyers' choice")
    cash_months: float = par(
        6.0, "months", 0, 60, "prior", "months of cost that a lab keeps in cash before it buys chips"
    )
    chip_share_of_cash: float = par(0.05, "1/month", 0, 1, "prior", "share of spare cash that unicorns spend on chips")
    cloud_growth: float = par(0.35, "1/year", -1, 3, "prior", "growth of the clouds' budgets")
    cloud_reinvests: float = par(0.3, "share", 0, 1, "prior", "share of rent that a cloud reinvests in chips")
    list_price_scarcity: float = par(0.15, "1/year", 0, 3, "prior", "rise of list prices with backlog")
    list_price_decline: float = par(0.14, "1/year", 0, 2, "chips: H100 by year", "decline of list prices")
    list_price_least: float = par(0.3, "times", 0.05, 1, "prior", "lower bound of list prices relative to launch")
    list_price_most: float = par(1.5, "times", 1, 10, "prior", "upper bound of list prices relative to launch")
    street_most: float = par(2.0, "share", 0, 20, "prior", "upper bound of the street premium")
    fill_pace: float = par(0.5, "1/month", 0.01, 0.95, "prior", "partial adjustment of expected fill rates")
    fill_weight: float = par(0.5, "1", 0, 5, "prior", "weight of the expected fill rate in orders")
    fill_least: float = par(0.02, "share", 0.001, 1, "prior", "lower bound of expected fill rates")
    rent_appetite: float = par(2.0, "times", 0, 20, "prior", "upper bound of the factor of rents on clouds' budgets")
    street_pace: float = par(
        0.12, "1/month", 0, 1, "facts: a800_server", "rise of the street premium in CN with scarcity"
    )
    street_decay: float = par(0.06, "1/month", 0, 1, "prior", "decay of the street premium")
    grey_age_days: float = par(180.0, "days", 0, 3650, "prior", "age at which a chip abroad can be smuggled")
    grey_start: float = par(0.3, "times", 0, 5, "facts: smuggling_premium", "grey premium at the start")
    grey_scale: float = par(
        120000.0, "chips/year", 0, 1e7, "facts: smuggling_2024", "s0: grey supply at premium 1 without enforcement"
    )
    grey_elasticity: float = par(0.8, "1", 0, 5, "prior", "elasticity of grey supply with the premium")
    grey_pace: float = par(0.1, "1/month", 0, 1, "prior", "adjustment of the grey premium")
    grey_least: float = par(0.02, "times", 0.001, 1, "prior", "lower bound of the grey premium")
    grey_most: float = par(5.0, "times", 0.1, 50, "prior", "upper bound of the grey premium")
    grey_tap: float = par(0.5, "share", 0, 1, "prior", "share of the stock abroad that can be smuggled in a month")
    grey_discount: float = par(
        0.6,
        "times",
        0,
        1,
        "prior",
        "valuation of a grey chip, without service and with legal risk, relative to a legal one",
    )
    deploy_months: float = par(3.0, "months", 0.1, 24, "PRIORS", "time constant from shipment to a usable cluster")
    wear: float = par(0.12, "1/year", 0, 1, "facts: hw_value_decline", "rate at which chips wear out")
    domestic_dies: float = par(90000.0, "dies/year", 0, 1e8, "facts: ascend_2024", "domestic die starts at the start")
    domestic_growth: float = par(
        1.266, "1/year", 0, 5, "facts: ascend_2024", "growth of die starts where fabs are led at their own pace"
    )
    domestic_before: float = par(15000.0, "chips", 0, 1e7, "prior", "domestic chips made before the start")
    ascend_share: float = par(0.75, "share", 0, 1, "prior", "share of the leading domestic maker")
    yield_start: float = par(0.2, "share", 0.01, 1, "facts: ascend_yield", "initial yield y0")
    yield_limit: float = par(0.7, "share", 0.01, 1, "facts: ascend_yield", "limit of yield")
    learning_scale: float = par(10000.0, "chips", 1, 1e7, "MODEL", "output on which learning by doing is counted")
    learning_exponent: float = par(0.1, "1", 0, 1, "MODEL", "exponent of learning by doing")
    memory_control: float = par(
        0.7, "times", 0, 1, "facts: policy_timeline", "domestic output under memory control, relative to output without"
    )
    codesign: float = par(
        0.16, "1/year", 0, 5, "004", "growth of the stock of domestic software with deployment and work"
    )
    codesign_chips: float = par(
        15000.0, "chips", 100, 1e8, "prior", "domestic datacenter chips in use that count as one unit of deployment"
    )
    codesign_people: float = par(
        100.0, "people", 1, 1e6, "prior", "infra people on software for domestic chips that count as one unit of work"
    )
    codesign_return: float = par(
        2.0,
        "times",
        0,
        50,
        "prior",
        "return of a lab's work on software of its domestic chips, relative to its own runs",
    )
    codesign_platform: float = par(2.0, "1", 0, 50, "000", "contribution of a full platform to that growth")
    maturity_limit: float = par(
        0.9, "share", 0.1, 1, "004", "share of their speed that mature domestic software brings out"
    )


@dataclass
class Rental:
    """The rental market."""

    spread: float = par(0.15, "1", 0.01, 2, "prior", "spread, in logs, of what holders get from a chip in each use")
    outside_open: float = par(
        1.0, "share", 0, 1, "prior", "share of outside holders' chips that take part in the market"
    )
    contract_months: float = par(3.0, "months", 0.1, 60, "prior", "time constant with which outside users follow rents")
    patience: float = par(6.0, "months", 0.1, 60, "prior", "time constant with which unfilled orders are forgotten")
    serving_elasticity: float = par(
        0.5, "1", 0, 5, "prior", "elasticity to the rent of what labs rent to serve, in a step"
    )
    capital_cost: float = par(0.1, "1/year", 0, 1, "prior", "cost of capital of owners of chips")
    space: float = par(1.0, "CNY/kW-hour", 0, 20, "prior", "cost of space and staff of a running chip")
    repair: float = par(2000.0, "CNY", 0, 1e6, "prior", "cost of one failure of a chip")
    start_usd_row: float = par(4.5, "USD/hour", 0.1, 50, "facts: h100_rent", "H100 rent at the start, ROW")
    start_usd_cn: float = par(4.0, "USD/hour", 0.1, 50, "prior", "rent of an H100e at the start, CN")
    reference_usd: float = par(4.0, "USD/hour", 0.1, 50, "prior", "rent at which outside demand is given")
    rent_elasticity: float = par(0.7, "1", 0, 5, "prior", "own-price elasticity of outside demand")
    outside_row: float = par(66000.0, "H100e", 0, 1e8, "prior", "demand of outside tenants, ROW")
    outside_cn: float = par(6500.0, "H100e", 0, 1e8, "prior", "demand of outside tenants, CN")
    outside_growth: float = par(0.9, "1/year", 0, 5, "prior", "initial growth of outside demand")
    outside_fade: float = par(2.0, "years", 0.1, 10, "prior", "time constant of the decline of that growth")
    outside_hype: float = par(0.5, "times", 0, 5, "prior", "increase of outside demand with hype")
    outside_training: float = par(0.6, "share", 0, 1, "prior", "share of training in outside demand")
    big_tech_offer: float = par(0.4, "share", 0, 1, "prior", "share of idle big-tech chips offered for rent")
    cloud_offer: float = par(0.9, "share", 0, 1, "prior", "share of cloud chips offered for rent")
    centre_offer: float = par(
        0.4, "share", 0, 1, "facts: cluster_util_cn", "share of public-centre chips that can be scheduled"
    )
    abroad_share: float = par(
        0.15,
        "share",
        0,
        1,
        "facts: policy_timeline",
        "upper bound of the share of training that a lab in CN rents abroad",
    )
    abroad_premium: float = par(0.5, "times", 0, 10, "prior", "premium that labs of CN pay above the rent abroad")
    equity_share: float = par(
        0.04, "share", 0, 1, "PRIORS: 1,400 compute for equity", "revenue of clouds that goes into compute for equity"
    )
    equity_promise: float = par(
        1.0, "OOM", 0.05, 6, "002", "distance from the best at home at which compute for equity ends"
    )
    equity_most: float = par(
        0.5,
        "share of the host's chest",
        0.01,
        1,
        "prior",
        "upper bound of one lab's share of what its host gives in a step",
    )
    credit_pace: float = par(0.15, "1/month", 0.01, 0.95, "prior", "rate at which a lab draws on its compute credit")
    seed_share: float = par(0.015, "share", 0, 1, "002", "share of clouds' revenue that funds young apps")
    seed_months: float = par(6.0, "months", 0, 60, "002", "age up to which an app is so funded")
    platform_lift: float = par(
        1.0, "times", 0, 5, "000", "relative increase, by a full platform, of public-centre chips that can be scheduled"
    )
    largest_tenant: float = par(0.3, "share", 0.001, 1, "prior", "upper bound of one tenant's share of supply")
    value_decline: float = par(0.28, "1/year", 0, 2, "facts: hw_value_decline", "fall of the value of own chips")
    serving_reserve: float = par(0.25, "share", 0, 2, "prior", "serving capacity rented ahead of demand")
    kept_months: float = par(
        12.0, "months", 0, 120, "prior", "months of cost that vendors keep before they pay out profit"
    )
    kept_least: float = par(1.0, "CNY million", 0, 1e5, "prior", "cash that vendors keep besides")


@dataclass
class FleetRules:
    """Use of fleets and cash by labs."""

    adjustment: float = par(
        0.4, "1/month", 0.01, 0.95, "prior", "partial adjustment of the split between training and serving"
    )
    least_serving: float = par(0.05, "share", 0, 1, "prior", "lower bound of the share of the fleet that serves")
    most_serving: float = par(0.7, "share", 0, 1, "prior", "upper bound of the share of the fleet that serves")
    llm_share_start: float = par(
        0.13, "share", 0, 1, "PRIORS", "share of chips for language models without attention, of who has products"
    )
    llm_share_most: float = par(
        0.35, "share", 0, 1, "prior", "share of chips for language models at full attention, of who has products"
    )
    rent_share: float = par(
        0.6, "share", 0, 1, "facts: compute_share_rd", "share of cash that may be spent on rented compute"
    )
    rent_reserve: float = par(2.0, "months of cost", 0, 24, "prior", "cash kept back from rent")
    rent_horizon: float = par(10.0, "months", 1, 60, "prior", "months over which cash is spent on rent")
    parent_rent_share: float = par(0.25, "share", 0, 1, "prior", "share of parent support spent on rented compute")


@dataclass
class PlatformRules:
    """The middle layer over mixed chips: unified compilation, deployment, scheduling."""

    scale: float = par(1.0, "times", 0, 1, "000", "effect of a finished platform that all labs have joined")
    half_resources: float = par(
        300.0, "CNY million/year", 1, 1e6, "prior", "resources at which their effect is half saturated"
    )
    fee: float = par(0.2, "share", 0, 1, "prior", "share of what members gain that a platform charges")
    build_years: float = par(1.0, "years", 0.1, 20, "prior", "time constant of building the platform")
    decay_years: float = par(2.0, "years", 0.1, 20, "prior", "time constant of its decay when unattended")
    join: float = par(8.0, "1/year", 0, 20, "000", "hazard that a lab joins a finished platform of a trusted builder")
    leave: float = par(0.5, "1/year", 0, 20, "prior", "hazard that a lab leaves a platform without effect")
    rivalry: float = par(0.7, "share", 0, 1, "000", "aversion of owners of clouds to a builder that is not neutral")
    rivalry_others: float = par(0.5, "times", 0, 1, "prior", "aversion of other labs, relative to those")
    security: float = par(0.4, "share", 0, 1, "000", "share of incidents that a full platform prevents")
