"""Parameters of scaling, research, training runs, exploration and hidden lineage."""

from dataclasses import dataclass

from baimo.conf.declare import par


@dataclass
class Technology:
    """Scaling, data, efficiency, post-training, model sizes."""

    data_patience: float = par(
        15.0, "repetitions", 1, 100, "Muennighoff et al. 2023", "R*: repetitions after which a token is worn out"
    )
    scaling: float = par(1.0, "1", 0, 1.2, "000", "exponent of compute in the scaling law")
    scaling_reference: float = par(
        3e23, "FLOP", 1e18, 1e30, "Brown et al. 2020", "run (that of GPT-3) with the same effect at any exponent"
    )
    tokens_language: float = par(10.0, "1e12 tokens", 0.1, 1000, "prior", "unique tokens for language")
    tokens_knowledge: float = par(2.0, "1e12 tokens", 0.1, 1000, "prior", "unique tokens for knowledge")
    tokens_reasoning: float = par(0.2, "1e12 tokens", 0.01, 1000, "prior", "unique tokens for reasoning")
    data_spread: float = par(0.15, "1", 0, 1, "000", "log standard deviation of the quality of data between labs")
    quality_substitutes: float = par(3.0, "1", 0, 10, "000", "exponent of data quality in effective unique tokens")
    synthetic_from: float = par(2.0, "OOM", 0, 6, "000", "capability from which models write useful training data")
    synthetic_growth: float = par(
        1.2, "1/OOM", 0, 4, "000", "growth of unique tokens with the capability of the writer"
    )
    synthetic_cost: float = par(0.1, "share", 0, 0.9, "prior", "share of a run's compute spent on writing its data")
    synthetic_by_api: float = par(
        0.4, "OOM", 0, 6, "prior", "discount on the capability of a writer that is only an API"
    )
    inheritance: float = par(0.8, "1", 0.05, 1, "prior", "tau: share of a base's effective compute that is inherited")
    building: float = par(1.0, "share", 0, 1, "002", "share of labs that are able to build on others' open weights")
    foreign_language: float = par(0.5, "OOM", 0, 2, "002", "shortfall of foreign bases in Chinese, language")
    foreign_knowledge: float = par(0.5, "OOM", 0, 2, "002", "shortfall of foreign bases in Chinese, knowledge")
    worked_off: float = par(
        0.05,
        "share of the base's compute",
        1e-6,
        100,
        "SECOND_MODEL",
        "chi: training that works off most of that shortfall",
    )
    tuning_share: float = par(0.15, "share of cost", 0, 1, "prior", "spending on compute for post-training")
    tuning_money: float = par(
        150.0, "CNY million/year", 0, 1e6, "002", "such spending that does two thirds of the work"
    )
    scarcity: float = par(0.05, "1/year", 0, 2, "prior; Popp 2002", "iota: efficiency learned where compute is dear")
    public_progress: float = par(
        0.55, "1/year", 0, 3, "facts: algo_halving", "growth of efficiency from published algorithms"
    )
    catch_up: float = par(0.8, "1/year", 0, 5, "prior", "rate of catching up with public efficiency")
    own_research: float = par(
        0.3, "1/year", 0, 2, "facts: algo_halving", "growth of efficiency from own research at the top"
    )
    own_most: float = par(
        2.0,
        "times",
        0.1,
        10,
        "MODEL",
        "upper bound of the effect of own research, relative to the mean of the top five",
    )
    absorption_scale: float = par(
        60.0, "CNY million/year", 1, 5000, "prior", "e-folding of absorptive capacity with the research budget"
    )
    misled: float = par(
        0.15, "1/year", 0, 2, "002", "rate of efficiency lost to misleading papers, without absorptive capacity"
    )
    spillover: float = par(0.6, "1/year", 0, 5, "prior", "rate of spillover of know-how along social ties")
    openness_start: float = par(1.0, "share", 0, 1, "003", "initial openness of research Omega")
    openness_fade: float = par(0.5, "1/year", 0, 3, "003", "rate at which the openness of research declines")
    study_share: float = par(
        0.02, "share/year", 0, 10, "prior; 003", "runs of the largest size that it takes a year to study what is open"
    )
    openness_least: float = par(0.4, "share", 0, 1, "prior", "lower bound of the openness of research")
    public_follow: float = par(0.5, "1/year", 0, 3, "prior", "rate at which public efficiency follows the leader's")
    post_language: float = par(0.4, "OOM", 0, 3, "prior", "gain of full post-training, language")
    post_knowledge: float = par(0.33, "OOM", 0, 3, "prior", "gain of full post-training, knowledge")
    post_reasoning: float = par(0.36, "OOM", 0, 3, "prior", "gain of full post-training, reasoning")
    post_growth: float = par(
        0.25, "OOM/year", 0, 2, "prior", "growth of the gain in reasoning by reinforcement learning"
    )
    post_spread: float = par(0.5, "1", 0, 2, "000", "log standard deviation of the craft of post-training between labs")
    post_pace: float = par(2.0, "1/year", 0, 10, "prior", "rate of own post-training")
    post_staff: float = par(60.0, "people", 1, 1000, "prior", "researchers for a full post-training effort")
    teach_language: float = par(0.5, "1/month", 0, 0.95, "004", "rate of learning from teachers, language")
    teach_knowledge: float = par(0.15, "1/month", 0, 0.95, "prior", "rate of learning from teachers, knowledge")
    teach_reasoning: float = par(0.03, "1/month", 0, 0.95, "004", "rate of learning from teachers, reasoning")
    teach_alike: float = par(0.0, "share", 0, 1, "000", "weight of an equal rate on all axes")
    teacher_margin: float = par(0.1, "OOM", 0, 2, "prior", "distance to the teacher that remains")
    teacher_reach: float = par(0.8, "OOM", 0, 3, "prior", "gap beyond which learning does not accelerate")
    teacher_horizon: float = par(3.0, "OOM", 0, 6, "prior", "gap beyond which nothing is learned from a teacher")
    usage_half: float = par(
        5000.0, "Mtok/day", 1, 1e7, "prior", "use at which the gain from usage data is half saturated"
    )
    usage_gain: float = par(0.5, "1", 0, 5, "003", "gain of post-training from usage data")
    usage_adds: float = par(0.2, "OOM", 0, 3, "prior; 003", "what full data of use add to post-training, on each axis")
    usage_lost: float = par(
        1.0, "1/year", 0, 20, "prior; 001", "rate at which a model loses what data of use gave it once they are gone"
    )
    usage_crowd: float = par(
        0.2, "share", 0, 10, "003", "increase of that half-saturation with the usage data of all labs"
    )
    layer_portable: float = par(
        1.0, "share", 0, 1, "002", "share of the data of layers L1-L3 that survives a change of base"
    )
    layer_start: float = par(0.4, "share", 0, 1, "002", "industry data of a vertical lab at its founding")
    usage_memory: float = par(9.0, "months", 0.5, 60, "prior", "time constant of usage data")
    update_pace: float = par(0.25, "1/month", 0, 0.95, "prior", "partial adjustment of served models between releases")
    update_most: float = par(0.5, "OOM", 0, 6, "prior", "upper bound of the gap that updates work on, on an axis")
    active_at_unit: float = par(
        5e10, "parameters", 1e8, 1e12, "prior", "active parameters of a model of capability 0 at the start"
    )
    active_slope: float = par(0.25, "OOM/OOM", 0, 1, "prior", "elasticity of active parameters with capability")
    active_shrink: float = par(
        1.1, "1/year", 0, 3, "PRIORS: smaller N 1.7 x MoE 2", "decline of active parameters at given capability"
    )
    shrink_trains: float = par(
        0.18, "share", 0, 1, "prior; 001", "share of that decline which spares compute in training as well"
    )
    light_size: float = par(
        0.16, "share", 0.01, 1, "prior", "active parameters of the light model relative to the flagship"
    )
    light_gap: float = par(0.9, "OOM", 0, 3, "prior", "capability gap of the light model at the start")
    light_catch_up: float = par(0.25, "1/year", 0, 2, "prior", "rate at which distillation closes that gap")
    light_price: float = par(0.2, "share", 0.01, 1, "prior", "initial price of a light model relative to the flagship")
    release_reputation: float = par(0.05, "utility", 0, 2, "prior", "reputation gained by a release")
    write_down: float = par(3.0, "1/year", 0, 20, "002", "rate of writing down training overtaken by an open base")
    write_down_width: float = par(0.3, "OOM", 0.01, 3, "prior", "lead of the open base at which the write-down is full")
    pace_before: float = par(0.04, "OOM/month", 0.001, 1, "prior", "pace of the frontier before the first step")


@dataclass
class Training:
    """Training runs: success, length, clusters, release."""

    success_base: float = par(2.2, "logit", -5, 10, "prior", "log-odds of success of a run no larger than any before")
    success_infra: float = par(0.8, "logit", 0, 5, "002", "log-odds gained by infra staff")
    success_runs: float = par(0.3, "logit", 0, 3, "prior", "log-odds gained by experience")
    success_leap: float = par(1.8, "logit/OOM", 0, 10, "001", "log-odds lost for each OOM beyond the lab's largest run")
    failure_risk: float = par(1.0, "times", 0, 1, "001", "factor on the odds of failure")
    base_leap: float = par(0.5, "times", 0, 1, "002", "leap of a run on a base, relative to one from scratch")
    base_easier: float = par(1.5, "logit", 0, 10, "002", "log-odds gained by training on a base")
    failure_memory: float = par(
        9.0, "months", 0, 120, "001", "time after a failure in which a second launch takes a new round"
    )
    launch_size: float = par(0.05, "share", 0, 1, "prior", "share of cash above which a run counts as a launch")
    failure_cost: float = par(
        0.7, "OOM", 0, 5, "001", "disutility of a failed launch of the whole purse at average risk appetite"
    )
    largest_before_cn: float = par(3.5e23, "FLOP", 0, 1e30, "facts: largest_run_cn", "largest run before the start, CN")
    largest_before_row: float = par(2.1e25, "FLOP", 0, 1e30, "facts: gpt4_compute", "largest run before the start, ROW")
    run_share: float = par(
        0.5, "share", 0.01, 1, "prior", "share of training compute that one run gets; the rest is experiments"
    )
    impatience: float = par(0.1, "OOM/month", 0, 1, "prior: pace of the frontier", "cost of waiting for a longer run")
    doubt_cost: float = par(
        0.3, "OOM/logit", 0, 10, "prior: failure_cost over failure_penalty", "cost of a doubt of investors to a planner"
    )
    least_gain: float = par(0.08, "OOM", 0, 2, "prior", "expected gain above which a run is started")
    frontier_cost: float = par(
        0.5, "OOM/OOM", 0, 5, "000", "disutility of the lead of an open base for a launch out of reach"
    )
    launch_reach: float = par(
        1.5, "OOM", 0, 10, "prior", "distance to the frontier's launch up to which a lab competes"
    )
    launch_purse: float = par(0.5, "share", 0.01, 1, "001", "share of cash that one launch may use")
    parent_launch_months: float = par(4.0, "months", 0, 24, "prior", "months of parent support that a launch may use")
    mfu_least: float = par(0.2, "1", 0.01, 1, "facts: mfu_median", "lower bound of MFU, without infra skill")
    mfu_most: float = par(0.48, "1", 0.05, 1, "facts: mfu_median", "MFU at the height of skill, at the start")
    mfu_slope: float = par(1.2, "1", 0, 5, "prior", "slope of the logistic of MFU with skill")
    mfu_middle: float = par(0.8, "standard deviations", -3, 3, "prior", "skill at the midpoint of the logistic of MFU")
    mfu_commons: float = par(0.08, "1", 0, 0.4, "001", "upper bound of MFU gained by common software")
    mfu_commons_years: float = par(2.0, "years", 0.1, 20, "001", "time constant of that gain")
    skill_most: float = par(2.5, "standard deviations", 0.1, 10, "prior", "bound of skill in either direction")
    skill_reference: float = par(60.0, "people", 1, 1000, "prior", "infra and scaling people of an average contender")
    weakest_link: float = par(1.0, "1", 0, 5, "002", "weight of the balance of a team in its skill")
    complements: float = par(2.0, "1", 0.1, 20, "002", "complementarity of the kinds of staff, 1/elasticity - 1")
    in_passing: float = par(
        0.5, "people", 0.01, 100, "prior", "people-equivalent of work done for an empty position by others"
    )
    people_spread: float = par(0.5, "1", 0, 2, "002", "log standard deviation of the ability of key people")
    detection: float = par(1.5, "1/month", 0, 10, "002", "hazard that a futile run is detected")
    detection_half: float = par(10.0, "people", 0.1, 1000, "prior", "scaling people at which that hazard is half")
    weak_cards: float = par(
        1.0, "1", 0, 2, "000", "exponent of the number and failure rate of cards in the failures of a cluster"
    )
    weak_power: float = par(1.0, "1", 0, 2, "000", "exponent of the power of cards relative to H100s of the same speed")
    bandwidth_bound: float = par(1.0, "1", 0, 1, "000", "strength of the bound of training speed by data bandwidth")
    mixed_loss: float = par(0.5, "share", 0, 1, "000", "speed lost by a fully mixed fleet")
    site_cn: float = par(
        6000.0,
        "chips",
        10,
        1e18,
        "prior; 000",
        "chips of a site at which power, cooling and network halve its speed, CN",
    )
    site_row: float = par(50000.0, "chips", 10, 1e18, "prior; 000", "the same elsewhere")
    site_growth: float = par(
        0.7, "1/year", 0, 3, "prior", "growth of sites: 25,000 chips at one abroad in 2022, 100,000 in 2024"
    )
    cards_before: float = par(
        170.0, "chips", 1, 1e6, "PRIORS", "chips of a run of 1e23 FLOP: A100s for 60 days at an MFU of 0.35"
    )
    cluster_leap: float = par(
        4.0, "times", 0.1, 1e18, "prior; 001", "chips beyond those of its largest run that halve speed"
    )
    cluster_experience: float = par(0.95, "OOM/OOM", 0, 2, "prior", "elasticity of the chips of a run with its FLOP")
    cluster_skill: float = par(0.3, "1", 0, 2, "prior", "log of the chips that a lab can run, by infra skill")
    hours_between_failures: float = par(
        50700.0, "hours", 100, 1e7, "facts: mttf_h100", "mean time to failure of one H100"
    )
    checkpoint_hours: float = par(0.00833, "hours", 0, 1, "prior", "delta: cost of a checkpoint (30 s)")
    restart_hours: float = par(0.1667, "hours", 0, 10, "prior", "rho: cost of a restart (10 min)")
    rented_speed_cn: float = par(0.36, "H100", 0.05, 5, "chips: A800", "training speed of a rented chip in CN")
    rented_speed_row: float = par(0.8, "H100", 0.05, 5, "prior", "training speed of a rented chip in ROW")
    release_delay: float = par(0.5, "months", 0, 24, "prior", "time from training to release")
    release_delay_frontier: float = par(
        2.5, "months", 0, 24, "facts: GPT-4", "further time for red-teaming in a frontier lab"
    )


@dataclass
class Exploration:
    """Exploration of new methods against duplication of the known recipe."""

    propensity: float = par(1.0, "1", 0, 5, "004", "propensity to explore, at average risk appetite and full tolerance")
    tolerance_cn: float = par(0.2, "share", 0, 1, "004", "tolerance of failure by investors and parents, CN")
    tolerance_row: float = par(0.35, "share", 0, 1, "prior", "tolerance of failure by investors and parents, ROW")
    reconsider: float = par(0.3, "1/year", 0, 20, "prior", "rate at which a lab reconsiders its path")
    detour: float = par(
        0.35, "share", 0, 1, "prior", "share of training compute that explorers divert from the known recipe"
    )
    breakthrough_rate: float = par(
        0.3, "1/year", 0, 10, "prior", "hazard of a breakthrough of an explorer with ample research"
    )
    breakthrough_gain: float = par(0.5, "ln A", 0, 3, "prior", "log efficiency gained by a breakthrough")
    signal: float = par(0.3, "share", 0, 1, "004", "share of that gain that other explorers learn at once")


@dataclass
class Thinking:
    """Thinking longer (X07)."""

    length: float = par(8.0, "times", 1, 1000, "prior", "tokens r of an answer with thinking over one without")
    gain: float = par(
        0.5, "OOM/log10", 0, 2, "Snell et al. 2024; Villalobos and Atkinson 2023", "gamma: reasoning gained by length"
    )
    width: float = par(1.0, "utility", 0.01, 10, "prior", "sharpness of the choice between both modes")
    level: float = par(2.5, "OOM", -3, 10, "prior", "reasoning from which the recipe can be found")
    found: float = par(0.25, "1/year", 0, 20, "prior", "hazard of finding it, of explorers")
    copied: float = par(1.0, "1/year", 0, 20, "prior", "hazard of copying it from a model on sale")
    published: float = par(6.0, "1/year", 0, 50, "prior", "hazard of learning it from open weights")
    compute_share: float = par(0.2, "share", 0, 1, "prior", "training compute that goes into it")
    run: float = par(1.0, "1e23 FLOP", 0.001, 1e6, "prior", "C_0: effective compute that teaches two thirds of it")
    offered: float = par(0.3, "share", 0, 1, "prior", "skill from which thinking is offered")


@dataclass
class Lineage:
    """Concealment of the open base of a model."""

    hiding: float = par(0.4, "share", 0, 1, "002", "share of firms that hide their base")
    claim_reputation: float = par(0.05, "utility", 0, 2, "prior", "reputation gained by the claim of an own model")
    exposed_rate: float = par(0.4, "1/year", 0, 20, "prior", "hazard of exposure, by the log of use")
    exposed_share: float = par(0.002, "share", 1e-6, 1, "prior", "share of use on which that hazard is counted")
    exposed_reputation: float = par(0.4, "utility", 0, 5, "prior", "reputation lost by exposure")
