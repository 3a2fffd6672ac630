"""Parameters of talent, capital, entry and exit, the graph and the populations."""

from dataclasses import dataclass

from conf.parameters.base import par


@dataclass
class Talent:
    """Pools, wages, moves."""

    pool_cn: float = par(6000.0, "people", 0, 1e7, "prior", "people free at the start, CN")
    pool_row: float = par(8000.0, "people", 0, 1e7, "prior", "people free at the start, ROW")
    pool_infra: float = par(0.1, "share", 0, 1, "002", "infra people in the pool")
    pool_scaling: float = par(0.02, "share", 0, 1, "002", "scaling people in the pool")
    pool_research: float = par(0.28, "share", 0, 1, "prior", "researchers in the pool")
    pool_application: float = par(0.6, "share", 0, 1, "prior", "application engineers in the pool")
    inflow_cn: float = par(6000.0, "people/year", 0, 1e7, "004", "people that the rush trains, CN")
    inflow_row: float = par(5000.0, "people/year", 0, 1e7, "prior", "the same, ROW")
    inflow_base: float = par(0.3, "1", 0, 10, "prior", "inflow without hype")
    train_infra: float = par(0.2, "share", 0, 1, "002", "infra in a lab that trains")
    train_scaling: float = par(0.06, "share", 0, 1, "002", "scaling in a lab that trains")
    train_research: float = par(0.49, "share", 0, 1, "prior", "research in a lab that trains")
    train_application: float = par(0.25, "share", 0, 1, "prior", "application in a lab that trains")
    build_infra: float = par(0.1, "share", 0, 1, "prior", "infra in a lab that builds on a base")
    build_scaling: float = par(0.02, "share", 0, 1, "prior", "scaling there")
    build_research: float = par(0.28, "share", 0, 1, "prior", "research there")
    build_application: float = par(0.6, "share", 0, 1, "prior", "application there")
    wage_infra: float = par(1.0, "CNY million/year", 0.01, 50, "002", "first wage, infra")
    wage_scaling: float = par(1.5, "CNY million/year", 0.01, 50, "002", "first wage, scaling")
    wage_research: float = par(0.7, "CNY million/year", 0.01, 50, "002", "first wage, research")
    wage_application: float = par(0.4, "CNY million/year", 0.01, 50, "prior", "first wage, application")
    row_wages: float = par(3.0, "times", 0.1, 20, "prior", "wages in ROW")
    wage_pace: float = par(0.35, "1/year", 0, 5, "prior", "wages with scarcity")
    wage_neutral: float = par(0.15, "1", 0.001, 5, "prior", "vacancies over pool at which wages stand")
    overhead: float = par(0.25, "share", 0, 5, "prior", "cost beyond wages")
    payroll_share: float = par(0.5, "share", 0, 2, "facts: cost_split_staff", "income and runway spent on people")
    hire_horizon: float = par(14.0, "months", 1, 120, "prior", "months over which the purse pays people")
    hire_pace: float = par(0.2, "1/month", 0, 0.95, "prior", "pace of hiring")
    slowest: float = par(0.96, "times", 0, 1, "prior", "staff kept at least")
    fastest: float = par(1.3, "times", 1, 10, "prior", "growth of staff wanted at most")
    least_staff: float = par(6.0, "people", 0, 1000, "prior", "smallest team")
    most_staff: float = par(1500.0, "people", 1, 1e6, "prior", "largest team")
    turnover: float = par(0.12, "1/year", 0, 5, "prior", "people who leave anyway")
    leave_behind: float = par(0.15, "1/year/OOM", 0, 5, "001", "people who leave a lab that falls behind")
    leave_split: float = par(0.15, "1/year", 0, 5, "001", "people who leave a small split lab")
    small_lab: float = par(120.0, "people", 0, 1e5, "001", "size of a small lab")
    know_how: float = par(0.5, "1", 0, 5, "002", "know-how that hires carry")
    normal_reserve: float = par(4000.0, "people", 0, 1e7, "prior", "application engineers between jobs")


@dataclass
class Capital:
    """Hype, attention, rounds."""

    hype_start: float = par(0.3, "1", 0, 1, "PRIORS", "hype after November 2022")
    hype_half_life: float = par(4.0, "months", 0.1, 60, "PRIORS", "half-life of hype")
    hype_leap: float = par(0.6, "1/OOM", 0, 5, "PRIORS: GPT-4 0.4", "hype from a leap of the frontier")
    hype_foreign: float = par(0.035, "1", 0, 1, "004", "hype from a foreign release")
    hype_me_too: float = par(0.008, "1", 0, 1, "004", "hype from one more model")
    hype_tired: float = par(40.0, "models", 1, 1e5, "004", "models after which that halves")
    attention_pace: float = par(0.1, "1/month", 0, 0.95, "prior", "attention of parents")
    investor_pace: float = par(0.3, "1/month", 0, 0.95, "002", "attention of investors")
    base_attention: float = par(0.1, "share", 0, 1, "prior", "attention without hype")
    hype_attention: float = par(0.9, "1", 0, 5, "prior", "attention with hype")
    herding: float = par(0.5, "1", 0, 5, "002", "attention from seeing acquaintances invest")
    recent_months: float = par(4.0, "months", 0, 60, "prior", "how long an investment is seen")
    senior_wait: float = par(0.6, "years", 0, 10, "PRIORS", "senior investors wait")
    senior_early: float = par(0.2, "share", 0, 1, "PRIORS", "what they do before")
    budget_ceiling: float = par(0.7, "years", 0.05, 10, "prior", "budget that can be saved up")
    fund_years: float = par(8.0, "years", 0.5, 50, "PRIORS", "dry powder in budgets")
    refill: float = par(0.05, "1/month", 0, 0.95, "prior", "capital calls")
    funding_before: float = par(800.0, "CNY million/year", 0, 1e6, "PRIORS", "funding in the year before")
    runway_trigger: float = par(8.0, "months", 0, 60, "MODEL", "runway at which a round is sought")
    eager_runway: float = par(24.0, "months", 0, 120, "prior", "runway at which hype tempts")
    eager_hype: float = par(0.35, "1", 0, 1, "prior", "hype that tempts")
    least_gap: float = par(5.0, "months", 0, 60, "prior", "months between rounds")
    least_round: float = par(3.0, "CNY million", 0, 1e5, "facts: round_typical", "smallest round")
    most_round: float = par(6000.0, "CNY million", 1, 1e6, "prior", "largest round")
    seed_round: float = par(12.0, "CNY million", 0.1, 1e5, "facts: round_typical", "median seed round")
    seed_sigma: float = par(0.8, "1", 0, 3, "PRIORS", "its spread")
    growth_round: float = par(200.0, "CNY million", 0.1, 1e5, "PRIORS", "median growth round")
    growth_sigma: float = par(0.7, "1", 0, 3, "PRIORS", "its spread")
    leader_round: float = par(1100.0, "CNY million", 0.1, 1e5, "facts: tiger_round", "median leader round")
    leader_sigma: float = par(0.5, "1", 0, 3, "PRIORS", "its spread")
    leader_gap: float = par(0.9, "OOM", 0, 5, "prior", "distance to the home frontier of a leader")
    growth_gap: float = par(0.7, "OOM", 0, 5, "prior", "the same of a growth firm")
    size_calm: float = par(0.8, "times", 0, 5, "prior", "round size without hype")
    size_hype: float = par(0.8, "times", 0, 5, "prior", "round size with hype")
    stake_sold: float = par(0.15, "share", 0.01, 1, "prior", "stake sold in a round")
    appraisal: float = par(1.7, "logit", -10, 10, "prior", "odds of a yes")
    attention_weight: float = par(1.0, "logit", 0, 10, "prior", "odds with attention")
    pedigree: float = par(-0.2, "OOM", -3, 3, "004", "what investors credit a team with before its first release")
    inbound: float = par(0.8, "share", 0, 1, "prior", "chance that a strange investor comes by itself to a star team")
    inbound_fame: float = par(1.5, "1", 0, 20, "prior", "the same for others, by how widely they are known")
    holders_share: float = par(0.6, "share", 0, 1, "prior", "share of the price of a lab that goes to its holders")
    home_bias: float = par(4.0, "logit", 0, 20, "prior", "odds lost by a firm abroad")
    benchmark_noise: float = par(0.4, "OOM", 0, 5, "MODEL", "noise of benchmarks")
    gaming: float = par(0.2, "OOM", 0, 5, "004", "what gaming adds to a benchmark")
    burn_tolerance: float = par(6.0, "months", 0, 60, "facts: burn_tolerance", "burn without news that is borne")
    stale_penalty: float = par(0.3, "logit/month", 0, 10, "001", "odds lost beyond that")
    failure_penalty: float = par(2.5, "logit", 0, 20, "001", "odds lost by a failed launch")
    unused_after: float = par(9.0, "months", 0, 120, "004", "age at which investors ask for users")
    unused_share: float = par(0.002, "share", 0, 1, "prior", "share of use below which a model counts as unused")
    unused_penalty: float = par(2.5, "logit", 0, 20, "001", "odds lost by a model that nobody uses")
    young_lab: float = par(0.5, "logit", 0, 10, "prior", "benefit of the doubt before the first release")
    app_absorbed: float = par(3.0, "1", 0, 20, "001", "odds lost by an absorbed app")
    app_penalty: float = par(1.6, "logit", -10, 10, "prior", "odds lost by any app")
    app_round_months: float = par(14.0, "months", 1, 60, "prior", "burn that an app round covers")
    least_app_round: float = par(1.5, "CNY million", 0.01, 1000, "prior", "smallest app round")
    most_app_round: float = par(60.0, "CNY million", 0.1, 10000, "prior", "largest app round")
    least_ticket: float = par(0.3, "CNY million", 0, 1000, "prior", "smallest ticket")
    least_close: float = par(0.35, "share", 0, 1, "prior", "share of a round that must be pledged")
    rich_parent: float = par(500.0, "CNY million/year", 0, 1e6, "prior", "parents beyond this do not withdraw")
    parent_growth_cn: float = par(0.3, "1/year", -1, 3, "facts: compute_growth_cn", "growth of big-tech budgets, CN")
    parent_growth_row: float = par(0.5, "1/year", -1, 3, "facts: frontier_cost_growth", "the same, ROW")
    chip_growth_cn: float = par(0.3, "1/year", -1, 3, "facts: capex_bigtech_cn", "growth of chip budgets, CN")
    chip_growth_row: float = par(0.75, "1/year", -1, 3, "PRIORS: x3 a year", "the same, ROW")


@dataclass
class EntryExit:
    """Founding, closing, buying."""

    entry_base: float = par(1.6, "labs/month", 0, 1000, "PRIORS", "founding of labs")
    entry_hype: float = par(4.5, "1", 0, 20, "PRIORS", "founding with hype")
    entry_money: float = par(0.25, "1", 0.001, 10, "PRIORS", "money that is always there")
    entry_money_most: float = par(1.5, "10bn CNY", 0, 100, "PRIORS", "cap of the funding that counts")
    entry_elasticity: float = par(0.3, "1", 0, 5, "PRIORS", "founding with money and cost")
    base_cheapens: float = par(0.7, "1/OOM", 0, 5, "004", "open bases cut the cost of a start")
    entrant_pool: float = par(240.0, "labs", 1, 1e6, "PRIORS", "potential entrants, CN")
    row_entry: float = par(0.3, "labs/month", 0, 100, "prior", "founding of labs, ROW")
    pivot_gap: float = par(1.0, "OOM", -2, 5, "prior", "lead of the open base at which training is given up")
    pride: float = par(0.6, "OOM", 0, 10, "prior", "further lead that the proud bear")
    pivot_patience: float = par(6.0, "months", 0, 60, "prior", "how long a lab looks on")
    unused_tokens: float = par(30.0, "Mtok/day", 0, 1e6, "prior", "usage below which a model is unused")
    app_patience: float = par(5.0, "months", 0, 60, "prior", "months without news before the turn to apps")
    app_purse_months: float = par(10.0, "months", 0, 120, "prior", "purse below which a lab turns to apps")
    parent_doubt: float = par(1.3, "1/year/OOM", 0, 10, "prior", "parents who stop paying")
    parent_tires: float = par(0.3, "1/year", 0, 10, "prior", "parents who stop anyway")
    parent_hype: float = par(3.0, "1", 0, 20, "prior", "how hype silences doubt")
    acquisition: float = par(0.15, "1", 0, 1, "prior", "failing labs that find a buyer")
    price_a_head: float = par(2.0, "CNY million", 0, 100, "prior", "price of a team")
    purse_share: float = par(0.3, "share", 0, 1, "prior", "most of a purse that a deal takes")


@dataclass
class Graph:
    """Topology of acquaintance and life of ties."""

    topology: str = par(
        "small_world", "name", 0, 0, "MODEL", "small_world, scale_free, blocks, complete, empty or graphml"
    )
    degree: int = par(8, "ties", 0, 10000, "prior", "mean number of acquaintances")
    rewiring: float = par(0.1, "share", 0, 1, "prior", "rewired ties, or ties across blocks")
    path: str = par("", "file", 0, 0, "", "GraphML file")
    common: bool = par(False, "flag", 0, 1, "prior", "one graph for all worlds")
    shuffled: bool = par(True, "flag", 0, 1, "prior", "places are dealt at random")
    most_ties: int = par(32, "ties", 1, 4096, "prior", "acquaintances that one can keep up with")
    notice_months: float = par(2.0, "months", 0, 24, "prior", "how long a release takes to be known without ties")
    supply_priority: float = par(0.3, "1", 0, 10, "prior", "priority from past purchases")
    supply_memory: float = par(9.0, "months", 0.5, 120, "prior", "life of a supply relation")


@dataclass
class Population:
    """Rows of the populations."""

    labs: int = par(256, "rows", 128, 65536, "ARCHITECTURE", "rows of labs to start with (a power of two)")
    max_labs: int = par(1024, "rows", 128, 65536, "ARCHITECTURE", "rows of labs at most")
    apps: int = par(2048, "rows", 128, 4194304, "ARCHITECTURE", "rows of apps to start with (a power of two)")
    max_apps: int = par(8192, "rows", 128, 4194304, "ARCHITECTURE", "rows of apps at most")
