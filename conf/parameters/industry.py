"""Parameters of talent, entry, exit and the organisation of labs."""

from dataclasses import dataclass

from baimo.conf.declare import par


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
    inflow_hype: float = par(1.0, "1", 0, 10, "004", "inflow with hype")
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
    most_behind: float = par(2.0, "OOM", 0, 10, "prior", "gap beyond which no more leave")
    leave_split: float = par(0.4, "1/year", 0, 5, "001", "researchers who leave a small split lab without revenue")
    small_lab: float = par(120.0, "people", 0, 1e5, "001", "size of a small lab")
    know_how: float = par(0.5, "1", 0, 5, "002", "know-how that hires carry")
    least_wage: float = par(0.5, "times", 0.01, 1, "prior", "lowest wage, relative to the first")
    most_wage: float = par(6.0, "times", 1, 100, "prior", "highest wage, relative to the first")


@dataclass
class EntryExit:
    """Founding, closing, buying."""

    entry_base: float = par(2.0, "labs/month", 0, 1000, "PRIORS", "founding of labs")
    entry_hype: float = par(4.5, "1", 0, 20, "PRIORS", "founding with hype")
    entry_money: float = par(0.25, "1", 0.001, 10, "PRIORS", "money that is always there")
    entry_money_most: float = par(1.5, "10bn CNY", 0, 100, "PRIORS", "cap of the funding that counts")
    entry_elasticity: float = par(0.3, "1", 0, 5, "PRIORS", "founding with money and cost")
    base_cheapens: float = par(0.7, "1/OOM", 0, 5, "004", "open bases cut the cost of a start")
    risk_spread: float = par(0.25, "1", 0, 2, "prior", "spread of the appetite for risk between founders")
    entrant_pool: float = par(240.0, "labs", 1, 1e6, "PRIORS", "potential entrants, CN")
    row_entry: float = par(0.3, "labs/month", 0, 100, "prior", "founding of labs, ROW")
    discouraged: float = par(1.5, "years", 0, 50, "004", "founding with the exits of a year per potential entrant")
    exit_memory: float = par(6.0, "months", 0.1, 60, "prior", "how long exits are remembered")
    base_shock: float = par(1.0, "times", 0, 5, "002", "weight of an open base that leads in the doubt of who trains")
    pivot_gap: float = par(1.0, "OOM", -2, 5, "prior", "lead of the open base at which training is given up")
    pride: float = par(0.6, "OOM", 0, 10, "prior", "further lead that the proud bear")
    pivot_patience: float = par(10.0, "months", 0, 60, "prior", "how long a lab looks on")
    unused_share: float = par(0.001, "share", 0, 1, "001", "share of use at home below which a model is unused")
    app_patience: float = par(10.0, "months", 0, 60, "prior", "months without users before the turn to apps")
    leaves_models: float = par(1.5, "1/year", 0, 50, "001", "app companies that give up their model for good")
    parent_unused: float = par(0.3, "1/year", 0, 10, "001", "parents who stop paying for what nobody uses")
    parent_doubt: float = par(1.3, "1/year/OOM", 0, 10, "prior", "parents who stop paying")
    parent_gap_most: float = par(2.0, "OOM", 0, 6, "prior", "distance beyond which parents doubt no more")
    parent_tires: float = par(0.3, "1/year", 0, 10, "prior", "parents who stop anyway")
    parent_hype: float = par(1.5, "1", 0, 20, "prior", "how hype silences doubt")
    acquisition: float = par(0.4, "1", 0, 1, "prior", "failing labs of average worth that are offered in time")
    worth_skill: float = par(1.5, "standard deviations", -5, 10, "prior", "skill that makes a team worth that")
    worth_least: float = par(0.1, "times", 0, 10, "prior", "a poor team's chance over the average")
    worth_most: float = par(2.0, "times", 0, 10, "prior", "a good team's chance over the average")
    distress_months: float = par(4.0, "months", 0, 60, "prior", "purse below which a lab offers itself")
    distress_cost: float = par(2.0, "times", 1, 100, "prior", "cost over revenue from which a lab is in distress")
    sells: float = par(1.0, "1/year", 0, 50, "prior", "labs in distress that offer themselves")
    leader_share: float = par(0.08, "share", 0, 1, "prior", "share of use at home that makes a leader in merger law")
    price_a_head: float = par(2.0, "CNY million", 0, 100, "prior", "price of a team")
    purse_share: float = par(0.3, "share", 0, 1, "prior", "most of a purse that a deal takes")


@dataclass
class Organisation:
    """Research against product."""

    lab_product: float = par(0.2, "share", 0, 1, "001", "product work of a lab at ease")
    big_tech_product: float = par(0.35, "share", 0, 1, "001", "product work in big tech")
    app_company_product: float = par(0.85, "share", 0, 1, "001", "product work of an app company")
    pace: float = par(0.1, "1/month", 0.001, 0.95, "prior", "pace at which people move between research and product")
    unused: float = par(0.35, "share", 0, 1, "001", "product pressure on a lab that nobody uses")
    used_share: float = par(0.02, "share", 0, 1, "prior", "share of use at home at which a lab counts as used")
    revenue: float = par(0.3, "1", 0, 2, "001", "product pressure from revenue")
    least_product: float = par(0.05, "share", 0, 1, "prior", "least product work")
    most_product: float = par(0.9, "share", 0, 1, "prior", "most product work")
    big_tech_claim: float = par(0.2, "share", 0, 1, "001", "research money and chips that big tech gives to products")
