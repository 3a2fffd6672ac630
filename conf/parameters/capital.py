"""Parameters of hype, investors' attention and funding rounds."""

from dataclasses import dataclass

from baimo.conf.declare import par


@dataclass
class Capital:
    """Hype, attention, rounds."""

    hype_start: float = par(0.3, "1", 0, 1, "PRIORS", "hype after November 2022")
    hype_half_life: float = par(4.0, "months", 0.1, 60, "PRIORS", "half-life of hype")
    hype_leap: float = par(0.6, "1/OOM", 0, 5, "PRIORS: GPT-4 0.4", "hype from a leap of the frontier")
    hype_foreign: float = par(0.011, "1", 0, 1, "004", "hype from a foreign release")
    hype_me_too: float = par(0.008, "1", 0, 1, "004", "hype from a further domestic release")
    models_before: float = par(10.0, "models", 0, 1e5, "004", "models released before the start")
    hype_tired: float = par(40.0, "models", 1, 1e5, "004", "models released at which that hype is halved")
    attention_hype: float = par(1.5, "1", 0, 10, "prior", "semi-elasticity of parents' attention with hype")
    attention_pace: float = par(0.1, "1/month", 0, 0.95, "prior", "partial adjustment of parents' attention")
    investor_pace: float = par(0.3, "1/month", 0, 0.95, "002", "partial adjustment of investors' attention")
    base_attention: float = par(0.1, "share", 0, 1, "prior", "attention of investors without hype")
    hype_attention: float = par(0.9, "1", 0, 5, "prior", "weight of hype in investors' attention")
    herding: float = par(0.5, "1", 0, 5, "002", "weight of acquaintances' investments in attention")
    recent_months: float = par(
        4.0, "months", 0, 60, "prior", "time for which an investment is observed by acquaintances"
    )
    kinds_differ: float = par(1.0, "share", 0, 1, "004", "distance of the kinds of investors from their mean")
    revenue_asked: float = par(
        6.0,
        "CNY million/month",
        0,
        1e4,
        "prior: 10m USD a year",
        "revenue at which it neither adds to nor takes from the log-odds",
    )
    rents_weight: float = par(0.4, "logit", 0, 10, "prior", "weight of the log of expected rents in these log-odds")
    budget_pace: float = par(2.0, "times", 0, 20, "prior", "multiple of the budget that full attention releases")
    budget_ceiling: float = par(0.7, "years", 0.05, 10, "prior", "upper bound of budget saved up")
    fund_years: float = par(8.0, "years", 0.5, 50, "PRIORS", "years of budget that a fund holds")
    refill: float = par(0.05, "1/month", 0, 0.95, "prior", "rate of capital calls")
    funding_before: float = par(800.0, "CNY million/year", 0, 1e6, "PRIORS", "funding in the year before")
    runway_trigger: float = par(8.0, "months", 0, 60, "MODEL", "runway at which a round is sought")
    least_burn: float = par(
        0.01, "CNY million/month", 1e-6, 100, "prior", "lower bound of the burn of a lab in its runway"
    )
    eager_runway: float = par(24.0, "months", 0, 120, "prior", "runway at which a round is sought under high hype")
    eager_hype: float = par(0.35, "1", 0, 1, "prior", "hype above which that holds")
    least_gap: float = par(5.0, "months", 0, 60, "prior", "least time between rounds")
    least_round: float = par(3.0, "CNY million", 0, 1e5, "facts: round_typical", "lower bound of rounds")
    most_round: float = par(6000.0, "CNY million", 1, 1e6, "prior", "upper bound of rounds")
    round_covers_launch: float = par(
        0.0, "share", 0, 1, "001", "share of a launch at the frontier that rounds cover at least"
    )
    launch_flop_a_second: float = par(
        3.5e14, "FLOP/s", 1e12, 1e17, "facts: mfu_median", "FLOP that an H100 for rent delivers in training"
    )
    round_sigma: float = par(0.6, "1", 0, 3, "PRIORS", "spread of rounds around what investors value")
    multiple: float = par(10.0, "years", 0.1, 100, "prior", "value of a firm in years of expected rents")
    sunk_weight: float = par(
        1.0, "times", 0, 5, "prior: at cost", "weight of past training, less what was written down, in that value"
    )
    stake_sold: float = par(0.15, "share", 0.01, 1, "prior", "stake sold in a round")
    appraisal: float = par(1.7, "logit", -10, 10, "prior", "intercept of the log-odds that an investor agrees")
    attention_weight: float = par(1.0, "logit", 0, 10, "prior", "weight of log attention in these log-odds")
    least_attention: float = par(0.01, "1", 1e-6, 1, "prior", "lower bound of attention in these log-odds")
    pedigree: float = par(-0.2, "OOM", -3, 3, "004", "signal of a team before its first release")
    inbound_most: int = par(12, "investors", 0, 64, "prior", "unacquainted investors that may come in a month, at most")
    inbound: float = par(0.8, "share", 0, 1, "prior", "chance that an unacquainted investor approaches a star team")
    inbound_fame: float = par(1.5, "1", 0, 20, "prior", "weight of awareness in that chance for other teams")
    holders_share: float = par(0.6, "share", 0, 1, "prior", "share of the price of a lab that goes to its holders")
    home_bias: float = par(4.0, "logit", 0, 20, "prior", "log-odds lost by a firm abroad")
    noise_language: float = par(0.6, "OOM", 0, 5, "MODEL", "standard deviation of benchmarks of language")
    noise_knowledge: float = par(0.8, "OOM", 0, 5, "prior; 004", "the same of knowledge")
    noise_reasoning: float = par(1.4, "OOM", 0, 5, "prior; 004: few tests", "the same of reasoning")
    gaming_language: float = par(0.5, "OOM", 0, 5, "004", "bias of benchmarks of language by gaming")
    gaming_knowledge: float = par(0.8, "OOM", 0, 5, "prior; 004: learned by heart", "the same of knowledge")
    gaming_reasoning: float = par(0.2, "OOM", 0, 5, "prior; 004", "the same of reasoning")
    usual_product: float = par(0.3, "share", 0, 1, "prior", "share of product work whose gaming is discounted")
    signal_least: float = par(
        2.0, "OOM", 0, 10, "prior", "lag behind the home frontier beyond which the signal is constant"
    )
    signal_most: float = par(0.5, "OOM", 0, 10, "prior", "lead beyond which the signal is constant")
    burn_tolerance: float = par(
        6.0, "months", 0, 60, "facts: burn_tolerance", "full burn without news that investors tolerate"
    )
    stale_penalty: float = par(
        1.0, "logit/month", 0, 10, "001: hardly beyond", "log-odds lost for each month of full burn beyond that"
    )
    failure_penalty: float = par(2.5, "logit", 0, 20, "001", "log-odds lost by a failed launch")
    neutral_hype: float = par(0.3, "1", 0, 1, "prior", "hype of no effect on the log-odds")
    domestic_doubt: float = par(0.9, "share", 0, 1, "004", "share of a domestic leap that is not believed")
    explorer_doubt: float = par(0.8, "OOM", 0, 5, "004", "discount on the signal of an explorer at home, at full doubt")
    commodity_penalty: float = par(4.0, "logit", 0, 20, "002", "log-odds lost by a model no better than open weights")
    commodity_width: float = par(0.4, "OOM", 0.01, 5, "prior", "lead over open weights over which that penalty fades")
    exposed_penalty: float = par(2.0, "logit", 0, 20, "002", "log-odds lost by the exposure of a hidden base")
    exposed_memory: float = par(12.0, "months", 0, 120, "prior", "time for which an exposure is remembered")
    unused_after: float = par(9.0, "months", 0, 120, "004", "age from which investors ask for users")
    unused_share: float = par(0.002, "share", 0, 1, "prior", "share of use below which a model counts as unused")
    unused_penalty: float = par(4.0, "logit", 0, 20, "001", "log-odds lost by an unused model")
    young_lab: float = par(0.5, "logit", 0, 10, "prior", "log-odds gained before the first release")
    young_months: float = par(9.0, "months", 0, 60, "prior", "time for which that holds")
    app_growing: float = par(0.9, "share", 0, 1, "prior", "users relative to their peak above which an app grows")
    app_growth_credit: float = par(0.3, "OOM", 0, 5, "prior", "signal of a growing app")
    app_decline: float = par(0.7, "OOM", 0, 5, "prior", "signal of a shrinking app, with a negative sign")
    app_revenue_scale: float = par(10.0, "1", 0, 1000, "prior", "weight of an app's revenue, relative to a lab's")
    app_absorbed: float = par(3.0, "1", 0, 20, "001", "log-odds lost by an absorbed app")
    app_penalty: float = par(1.6, "logit", -10, 10, "prior", "log-odds lost by any app")
    app_round_months: float = par(14.0, "months", 1, 60, "prior", "burn that a round of an app covers")
    least_app_burn: float = par(
        0.005, "CNY million/month", 1e-6, 100, "prior", "lower bound of the burn of an app in runway and rounds"
    )
    least_app_round: float = par(1.5, "CNY million", 0.01, 1000, "prior", "lower bound of rounds of apps")
    most_app_round: float = par(60.0, "CNY million", 0.1, 10000, "prior", "upper bound of rounds of apps")
    least_ticket: float = par(0.3, "CNY million", 0, 1000, "prior", "smallest ticket")
    least_close: float = par(0.35, "share", 0, 1, "prior", "share of a round that must be pledged for it to close")
    announce_gain: float = par(0.6, "share", 0, 5, "004", "rise of a listed parent's value at the first announcement")
    announce_tired: float = par(25.0, "announcements", 1, 1e5, "004", "announcements at which that rise is halved")
    announce_memory: float = par(9.0, "months", 0.1, 120, "prior", "time constant of that rise")
    parent_purse: float = par(
        1.0, "years of support", 0, 20, "prior", "cash of a lab up to which its parent pays in full"
    )
    parent_purse_fade: float = par(
        1.0, "years of support", 0.01, 20, "prior", "further cash at which the parent pays nothing"
    )


@dataclass
class Expectations:
    """What investors, parents and founders expect (X04)."""

    star: float = par(-0.2, "OOM", -5, 5, "004", "standing that the name of a star team promises")
    newcomer: float = par(-1.2, "OOM", -5, 5, "prior", "standing that other teams promise")
    prior_months: float = par(6.0, "months", 0.1, 120, "prior; Jovanovic 1982", "n0: weight of that promise")
    memory: float = par(6.0, "months", 0.5, 60, "prior", "memory of profits")
    spread: float = par(0.35, "OOM", 0.01, 5, "prior", "tau: standing that makes a chance e times greater")
    horizon: float = par(3.0, "years", 0, 10, "SECOND_MODEL", "how far ahead the market is imagined")
    most_growth: float = par(0.8, "1/year", 0, 5, "prior", "fastest growth of it that is believed, in logs")
    promise: float = par(60000.0, "CNY million/year", 0, 1e7, "prior", "revenue that hype promises at home, CN")


@dataclass
class Parents:
    """Make or buy (X03)."""

    value: float = par(5.0, "times the support", 0, 100, "prior", "value of a perfect model to the parent's products")
    at_first: float = par(0.5, "times", 0, 10, "prior", "part of that value before anybody uses models")
    with_use: float = par(2.5, "times", 0, 100, "prior", "what full adoption adds to it")
    tokens: float = par(2000.0, "Mtok/CNY million", 0, 1e6, "prior", "tokens that go with this value")
    integration: float = par(0.05, "share", 0, 1, "prior", "value lost to integrating another's API")
    operation: float = par(0.15, "share", 0, 1, "prior", "value lost to serving open weights oneself")
    control: float = par(
        0.3, "share", 0, 1, "prior", "value lost to dependence on a rival or with data that may not leave"
    )
    rents: float = par(1.0, "times", 0, 10, "SECOND_MODEL", "rho: weight of expected rents")
    learning: float = par(0.3, "1/quarter", 0, 1, "prior", "how fast a parent comes to believe what it sees")
    growth: float = par(0.5, "1/year", 0, 5, "facts: capex_bigtech_cn", "fastest growth of a parent's budgets, in logs")
    calm: float = par(
        0.4, "share of the value", 0.01, 5, "prior", "advantage that moves budgets at three quarters of that"
    )
    patience: float = par(12.0, "months", 0, 120, "prior", "how long a parent pays for less than it could have")
    resolve: float = par(1.5, "1/year", 0, 50, "prior", "parents who then stop")
