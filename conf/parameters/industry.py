"""Parameters of talent, entry, exit and the organisation of labs."""

from dataclasses import dataclass

from baimo.conf.declare import par


@dataclass
class Talent:
    """Pools, wages, moves."""

    pool_cn: float = par(6000.0, "people", 0, 1e7, "prior", "people in the labour pool at the start, CN")
    pool_row: float = par(8000.0, "people", 0, 1e7, "prior", "people in the labour pool at the start, ROW")
    pool_infra: float = par(0.1, "share", 0, 1, "002", "share of infra people in the pool")
    pool_scaling: float = par(0.02, "share", 0, 1, "002", "share of scaling people in the pool")
    pool_research: float = par(0.28, "share", 0, 1, "prior", "share of researchers in the pool")
    pool_application: float = par(0.6, "share", 0, 1, "prior", "share of application engineers in the pool")
    inflow_cn: float = par(6000.0, "people/year", 0, 1e7, "004", "people newly trained, CN")
    inflow_row: float = par(5000.0, "people/year", 0, 1e7, "prior", "people newly trained, ROW")
    inflow_base: float = par(0.3, "1", 0, 10, "prior", "factor on that inflow without hype")
    inflow_hype: float = par(1.0, "1", 0, 10, "004", "increase of that factor with hype")
    train_infra: float = par(0.2, "share", 0, 1, "002", "share of infra in a lab that trains from scratch")
    train_scaling: float = par(0.06, "share", 0, 1, "002", "share of scaling in a lab that trains from scratch")
    train_research: float = par(0.49, "share", 0, 1, "prior", "share of research in a lab that trains from scratch")
    train_application: float = par(
        0.25, "share", 0, 1, "prior", "share of application in a lab that trains from scratch"
    )
    build_infra: float = par(0.1, "share", 0, 1, "prior", "share of infra in a lab that builds on a base")
    build_scaling: float = par(0.02, "share", 0, 1, "prior", "share of scaling in a lab that builds on a base")
    build_research: float = par(0.28, "share", 0, 1, "prior", "share of research in a lab that builds on a base")
    build_application: float = par(0.6, "share", 0, 1, "prior", "share of application in a lab that builds on a base")
    wage_infra: float = par(1.0, "CNY million/year", 0.01, 50, "002", "initial wage, infra")
    wage_scaling: float = par(1.5, "CNY million/year", 0.01, 50, "002", "initial wage, scaling")
    wage_research: float = par(0.7, "CNY million/year", 0.01, 50, "002", "initial wage, research")
    wage_application: float = par(0.4, "CNY million/year", 0.01, 50, "prior", "initial wage, application")
    row_wages: float = par(3.0, "times", 0.1, 20, "prior", "wages in ROW relative to CN")
    wage_pace: float = par(0.35, "1/year", 0, 5, "prior", "response of wages to tightness")
    wage_neutral: float = par(
        0.15, "1", 0.001, 5, "prior", "vacancies for each person in the pool at which wages are constant"
    )
    overhead: float = par(0.25, "share", 0, 5, "prior", "cost beyond wages, relative to wages")
    payroll_share: float = par(
        0.5, "share", 0, 2, "facts: cost_split_staff", "share of income and runway spent on staff"
    )
    hire_horizon: float = par(14.0, "months", 1, 120, "prior", "months over which cash is spent on staff")
    hire_pace: float = par(0.2, "1/month", 0, 0.95, "prior", "pace of hiring")
    slowest: float = par(0.8, "times", 0, 1, "prior", "lower bound of the staff kept from one plan to the next")
    fastest: float = par(2.0, "times", 1, 10, "prior: tenfold a year", "upper bound of the growth of staff in a plan")
    least_staff: float = par(6.0, "people", 0, 1000, "prior", "smallest team")
    most_staff: float = par(1500.0, "people", 1, 1e6, "prior", "largest team")
    turnover: float = par(0.12, "1/year", 0, 5, "prior", "hazard of leaving a lab")
    leave_behind: float = par(0.15, "1/year/OOM", 0, 5, "001", "further hazard by the lag behind the home frontier")
    most_behind: float = par(2.0, "OOM", 0, 10, "prior", "lag beyond which that hazard is constant")
    leave_split: float = par(
        0.4, "1/year", 0, 5, "001", "further hazard in a small lab split between research and product, without revenue"
    )
    small_lab: float = par(120.0, "people", 0, 1e5, "001", "staff below which a lab is small")
    know_how: float = par(0.5, "1", 0, 5, "002", "share of know-how that hires carry")
    least_wage: float = par(0.5, "times", 0.01, 1, "prior", "lower bound of wages, relative to initial ones")
    most_wage: float = par(6.0, "times", 1, 100, "prior", "upper bound of wages, relative to initial ones")


@dataclass
class EntryExit:
    """Founding, closing, buying."""

    entry_base: float = par(
        2.0, "labs/month", 0, 1000, "PRIORS", "rate of founding without hype, at neutral funding and cost"
    )
    entry_hype: float = par(4.5, "1", 0, 20, "PRIORS", "semi-elasticity of founding with hype")
    entry_money: float = par(0.25, "1", 0.001, 10, "PRIORS", "funding of founders beside investors'")
    entry_money_most: float = par(1.5, "10bn CNY", 0, 100, "PRIORS", "upper bound of the funding that counts")
    entry_elasticity: float = par(0.3, "1", 0, 5, "PRIORS", "elasticity of founding with funding over cost")
    base_cheapens: float = par(0.7, "1/OOM", 0, 5, "004", "reduction of the log cost of a start by open bases")
    risk_spread: float = par(0.25, "1", 0, 2, "prior", "log standard deviation of founders' appetite for risk")
    entrant_pool: float = par(240.0, "labs", 1, 1e6, "PRIORS", "potential entrants, CN")
    row_entry: float = par(0.3, "labs/month", 0, 100, "prior", "rate of founding, ROW")
    discouraged: float = par(
        1.5, "years", 0, 50, "004", "decline of log founding with the exits of a year per potential entrant"
    )
    exit_memory: float = par(6.0, "months", 0.1, 60, "prior", "time constant of the memory of exits")
    base_shock: float = par(
        1.0, "times", 0, 5, "002", "weight of the lead of an open base in the doubt of labs that train"
    )
    pivot_gap: float = par(1.0, "OOM", -2, 5, "prior", "lead of the open base above which training is given up")
    pride: float = par(0.6, "OOM", 0, 10, "prior", "further lead that proud archetypes tolerate")
    pivot_patience: float = par(10.0, "months", 0, 60, "prior", "time for which a lab tolerates such a lead")
    clings: float = par(
        0.5, "times", 0, 10, "prior; Staw 1976", "longer patience of who has written down nothing of past training"
    )
    unused_share: float = par(0.001, "share", 0, 1, "001", "share of use at home below which a model is unused")
    app_patience: float = par(10.0, "months", 0, 60, "prior", "months without users before the turn to apps")
    leaves_models: float = par(1.5, "1/year", 0, 50, "001", "hazard that an app company gives up its model")
    acquisition: float = par(
        0.4, "1", 0, 1, "prior", "share of failing labs of average worth that are offered for sale"
    )
    worth_skill: float = par(1.5, "standard deviations", -5, 10, "prior", "shift of skill in the worth of a team")
    worth_least: float = par(0.1, "times", 0, 10, "prior", "lower bound of a team's worth, relative to the average")
    worth_most: float = par(2.0, "times", 0, 10, "prior", "upper bound of a team's worth, relative to the average")
    fold_years: float = par(
        3.0, "years", 0.1, 30, "prior", "years of profits and losses that count against a team's price"
    )
    fold_runway: float = par(12.0, "months", 0, 120, "prior", "runway from which founders think of giving up")
    fold_patience: float = par(6.0, "months", 0, 60, "prior", "how long owners look on when going on is worth less")
    folds: float = par(1.5, "1/year", 0, 50, "prior", "owners who then sell the team or close")
    resale: float = par(0.5, "share", 0, 1, "prior", "price of second-hand chips over the list")
    leader_share: float = par(
        0.08, "share", 0, 1, "prior", "share of use at home above which merger law counts a lab as a leader"
    )
    price_a_head: float = par(2.0, "CNY million", 0, 100, "prior", "price of a team for each member")
    purse_share: float = par(0.3, "share", 0, 1, "prior", "largest share of its cash that a buyer spends on a deal")


@dataclass
class Organisation:
    """Research against product."""

    lab_product: float = par(0.2, "share", 0, 1, "001", "target share of product work in a lab without pressure")
    big_tech_product: float = par(0.35, "share", 0, 1, "001", "target share of product work in big tech")
    app_company_product: float = par(0.85, "share", 0, 1, "001", "target share of product work in an app company")
    pace: float = par(0.1, "1/month", 0.001, 0.95, "prior", "partial adjustment of the share of product work")
    unused: float = par(0.35, "share", 0, 1, "001", "increase of that target in an unused lab")
    used_share: float = par(0.02, "share", 0, 1, "prior", "share of use at home above which a lab is used")
    revenue: float = par(0.3, "1", 0, 2, "001", "increase of that target with revenue over cost")
    integration: float = par(
        0.5, "times", 0, 1, "001", "time from training to release in big tech, relative to other labs"
    )
    approval: float = par(3.0, "months", 0, 24, "001", "time until big tech approves a model where it is sensitive")
    withheld: float = par(
        1.0, "utility", 0, 20, "prior", "disutility in licensed segments of functions that wait for this approval"
    )
    least_product: float = par(0.05, "share", 0, 1, "prior", "lower bound of the share of product work")
    most_product: float = par(0.9, "share", 0, 1, "prior", "upper bound of the share of product work")
    big_tech_claim: float = par(
        0.2, "share", 0, 1, "001", "share of research money and chips that big tech diverts to products"
    )
