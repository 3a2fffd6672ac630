"""Parameters of scaling, research, training runs, exploration and hidden lineage."""

from dataclasses import dataclass

from baimo.conf.declare import par


@dataclass
class Technology:
    """Scaling, data, efficiency, post-training, model sizes."""

    data_patience: float = par(
        15.0, "repetitions", 1, 100, "Muennighoff et al. 2023", "R*: repetitions after which a token is worn out"
    )
    scaling: float = par(1.0, "1", 0, 1.2, "000", "strength of the scaling law: with 0 compute buys nothing")
    scaling_reference: float = par(
        3e23, "FLOP", 1e18, 1e30, "Brown et al. 2020", "run (that of GPT-3) that is worth the same at any strength"
    )
    tokens_language: float = par(10.0, "1e12 tokens", 0.1, 1000, "prior", "unique tokens for language")
    tokens_knowledge: float = par(2.0, "1e12 tokens", 0.1, 1000, "prior", "unique tokens for knowledge")
    tokens_reasoning: float = par(0.2, "1e12 tokens", 0.01, 1000, "prior", "unique tokens for reasoning")
    data_spread: float = par(0.15, "1", 0, 1, "000", "spread of the quality of data between labs")
    quality_substitutes: float = par(3.0, "1", 0, 10, "000", "how far better data substitute more: exponent of quality")
    synthetic_from: float = par(2.0, "OOM", 0, 6, "000", "capability from which models write useful data")
    synthetic_growth: float = par(1.2, "1/OOM", 0, 4, "000", "growth of unique tokens with the strength of the writer")
    synthetic_cost: float = par(0.1, "share", 0, 0.9, "prior", "compute of a run that writing its data takes")
    synthetic_by_api: float = par(0.4, "OOM", 0, 6, "prior", "weakness as a writer of a model that only answers")
    inheritance: float = par(0.8, "1", 0.05, 1, "prior", "tau: share of a base's effective compute that is inherited")
    building: float = par(1.0, "share", 0, 1, "002", "labs that are able to build on others' open weights")
    foreign_language: float = par(0.5, "OOM", 0, 2, "002", "weakness of foreign bases in Chinese, language")
    foreign_knowledge: float = par(0.5, "OOM", 0, 2, "002", "weakness of foreign bases in Chinese, knowledge")
    foreign_worked_off: float = par(
        3e22, "FLOP", 1e15, 1e30, "002", "training in Chinese that works most of that weakness off"
    )
    public_progress: float = par(
        0.75, "1/year", 0, 3, "facts: algo_halving", "growth of efficiency from published research"
    )
    catch_up: float = par(0.8, "1/year", 0, 5, "prior", "speed of catching up with what is public")
    own_research: float = par(
        0.3, "1/year", 0, 2, "facts: algo_halving", "growth of efficiency from own research at the top"
    )
    own_most: float = par(
        2.0, "times", 0.1, 10, "MODEL", "most that own research gives, relative to the mean of the top five"
    )
    absorption_scale: float = par(60.0, "CNY million/year", 1, 5000, "prior", "research budget for absorptive capacity")
    misled: float = par(0.15, "1/year", 0, 2, "002", "efficiency lost to misleading papers by who cannot read them")
    spillover: float = par(0.6, "1/year", 0, 5, "prior", "know-how flowing along social ties")
    openness_start: float = par(1.0, "share", 0, 1, "003", "Omega at the start: openness of research")
    openness_fade: float = par(0.5, "1/year", 0, 3, "003", "how fast leaders stop publishing")
    openness_least: float = par(0.4, "share", 0, 1, "prior", "openness that remains")
    public_follow: float = par(0.5, "1/year", 0, 3, "prior", "public efficiency following the leader")
    post_language: float = par(0.4, "OOM", 0, 3, "prior", "what post-training can add, language")
    post_knowledge: float = par(0.33, "OOM", 0, 3, "prior", "what post-training can add, knowledge")
    post_reasoning: float = par(0.36, "OOM", 0, 3, "prior", "what post-training can add, reasoning")
    post_growth: float = par(
        0.25, "OOM/year", 0, 2, "prior", "growth of what reasoning gains from reinforcement learning"
    )
    post_spread: float = par(0.5, "1", 0, 2, "000", "spread of what teams can make of post-training")
    post_pace: float = par(2.0, "1/year", 0, 10, "prior", "own post-training")
    post_staff: float = par(60.0, "people", 1, 1000, "prior", "researchers for a full post-training effort")
    teach_language: float = par(0.5, "1/month", 0, 0.95, "004", "copying of language from teachers")
    teach_knowledge: float = par(0.15, "1/month", 0, 0.95, "prior", "copying of knowledge")
    teach_reasoning: float = par(0.03, "1/month", 0, 0.95, "004", "copying of reasoning")
    teach_alike: float = par(0.0, "share", 0, 1, "000", "blend to equal copying on all axes")
    teacher_margin: float = par(0.1, "OOM", 0, 2, "prior", "distance to the teacher that remains")
    teacher_reach: float = par(0.8, "OOM", 0, 3, "prior", "greatest gap that teaching works on at once")
    teacher_horizon: float = par(3.0, "OOM", 0, 6, "prior", "gap beyond which a teacher cannot be followed")
    usage_half: float = par(5000.0, "Mtok/day", 1, 1e7, "prior", "usage at which the flywheel is half strong")
    usage_gain: float = par(0.5, "1", 0, 5, "003", "what usage data adds to post-training")
    usage_crowd: float = par(0.2, "share", 0, 10, "003", "share of all use at which a lab's data is worth half")
    layer_portable: float = par(1.0, "share", 0, 1, "002", "data of layers L1-L3 that survives a change of base")
    layer_start: float = par(0.4, "share", 0, 1, "002", "industry data of a vertical lab at its founding")
    usage_memory: float = par(9.0, "months", 0.5, 60, "prior", "life of usage data")
    update_pace: float = par(0.25, "1/month", 0, 0.95, "prior", "updates of served models between releases")
    update_most: float = par(0.5, "OOM", 0, 6, "prior", "most that updates move towards at once on an axis")
    active_at_unit: float = par(
        5e10, "parameters", 1e8, 1e12, "prior", "active parameters of a model of capability 0 at the start"
    )
    active_slope: float = par(0.25, "OOM/OOM", 0, 1, "prior", "active parameters with capability")
    active_shrink: float = par(
        1.1, "1/year", 0, 3, "PRIORS: smaller N 1.7 x MoE 2", "shrinking of active parameters at given capability"
    )
    light_size: float = par(
        0.16, "share", 0.01, 1, "prior", "active parameters of the light model relative to the flagship"
    )
    light_gap: float = par(0.9, "OOM", 0, 3, "prior", "light model below the flagship at the start")
    light_catch_up: float = par(0.25, "1/year", 0, 2, "prior", "shrinking of that gap by distillation")
    light_price: float = par(0.2, "share", 0.01, 1, "prior", "first price of a light model relative to the flagship")
    release_reputation: float = par(0.05, "utility", 0, 2, "prior", "reputation from a release")
    write_down: float = par(3.0, "1/year", 0, 20, "002", "write-down of training overtaken by an open base")
    write_down_width: float = par(0.3, "OOM", 0.01, 3, "prior", "lead of the open base at which the write-down is full")
    pace_before: float = par(0.04, "OOM/month", 0.001, 1, "prior", "pace of the frontier before the first step")


@dataclass
class Training:
    """Runs as rocket launches."""

    success_base: float = par(2.2, "logit", -5, 10, "prior", "odds of a run no larger than done before")
    success_infra: float = par(0.8, "logit", 0, 5, "002", "what an infra team adds")
    success_runs: float = par(0.3, "logit", 0, 3, "prior", "what experience adds")
    success_leap: float = par(1.8, "logit/OOM", 0, 10, "001", "odds lost for each OOM beyond the largest run done")
    failure_risk: float = par(1.0, "times", 0, 1, "001", "odds of failure, relative to what size and team say")
    base_leap: float = par(
        0.5, "times", 0, 1, "002", "leap of a run that goes on from a base, relative to one from scratch"
    )
    base_easier: float = par(1.5, "logit", 0, 10, "002", "odds gained by going on from a base")
    failure_memory: float = par(9.0, "months", 0, 120, "001", "how long nobody pays for a second launch")
    launch_size: float = par(
        0.05, "share", 0, 1, "prior", "part of the purse from which a run is a launch, not a trial"
    )
    failure_cost: float = par(0.7, "OOM", 0, 5, "001", "what a failed launch is feared like, for an average appetite")
    largest_before_cn: float = par(3.5e23, "FLOP", 0, 1e30, "facts: largest_run_cn", "largest run before the start, CN")
    largest_before_row: float = par(2.1e25, "FLOP", 0, 1e30, "facts: gpt4_compute", "largest run before the start, ROW")
    run_share: float = par(
        0.5, "share", 0.01, 1, "prior", "share of the training compute that one run gets; the rest is experiments"
    )
    longest_run: float = par(6.0, "months", 1, 24, "001", "nobody endures a longer run")
    impatience: float = par(0.1, "OOM/month", 0, 1, "prior", "cost of waiting for a longer run")
    least_gain: float = par(0.08, "OOM", 0, 2, "prior", "expected gain for which a run is started")
    frontier_cost: float = par(
        0.5, "OOM/OOM", 0, 5, "000", "lead of an open base that a launch out of reach is felt like"
    )
    launch_reach: float = par(1.5, "OOM", 0, 10, "prior", "distance to the frontier's launch that a lab hopes to close")
    launch_purse: float = par(0.5, "share", 0.01, 1, "001", "share of the purse that one launch may use")
    parent_launch_months: float = par(4.0, "months", 0, 24, "prior", "months of parent support that a launch may use")
    mfu_least: float = par(0.2, "1", 0.01, 1, "facts: mfu_median", "MFU without infra skill")
    mfu_most: float = par(0.48, "1", 0.05, 1, "facts: mfu_median", "MFU at the height of skill, at the start")
    mfu_slope: float = par(1.2, "1", 0, 5, "prior", "rise of MFU with skill")
    mfu_middle: float = par(0.8, "standard deviations", -3, 3, "prior", "skill of the middle MFU")
    mfu_commons: float = par(0.08, "1", 0, 0.4, "001", "MFU that better software gives everybody")
    mfu_commons_years: float = par(2.0, "years", 0.1, 20, "001", "time for that")
    skill_most: float = par(
        2.5, "standard deviations", 0.1, 10, "prior", "skill, and lack of it, beyond which no more counts"
    )
    skill_reference: float = par(60.0, "people", 1, 1000, "prior", "infra and scaling people of an average contender")
    weakest_link: float = par(1.0, "1", 0, 5, "002", "skill lost by a team in which a position is badly filled")
    complements: float = par(
        2.0, "1", 0.1, 20, "002", "how little one kind of staff substitutes another, 1/elasticity - 1"
    )
    in_passing: float = par(
        0.5, "people", 0.01, 100, "prior", "people whose work the others do in passing where a position is empty"
    )
    people_spread: float = par(0.5, "1", 0, 2, "002", "spread of the ability of who holds a position")
    detection: float = par(1.5, "1/month", 0, 10, "002", "seeing that a run is doomed")
    detection_half: float = par(10.0, "people", 0.1, 1000, "prior", "scaling people for half of that")
    weak_cards: float = par(
        1.0, "1", 0, 2, "000", "exponent of the number and frailty of cards in the failures of a cluster"
    )
    weak_power: float = par(
        1.0, "1", 0, 2, "000", "exponent of the power of cards against that of H100s of their speed"
    )
    bandwidth_bound: float = par(1.0, "1", 0, 1, "000", "how far data bandwidth bounds training")
    mixed_loss: float = par(0.5, "share", 0, 1, "000", "speed lost by a fully mixed fleet")
    cluster_limit: float = par(
        170.0, "chips", 10, 1e18, "000", "chips that power, cooling and network carry, after a run of 1e23 FLOP"
    )
    cluster_experience: float = par(0.95, "OOM/OOM", 0, 2, "000", "larger clusters after larger runs")
    cluster_growth: float = par(0.4, "1/year", 0, 3, "prior", "growth of that")
    cluster_skill: float = par(0.3, "1", 0, 2, "prior", "what infra skill adds to it")
    hours_between_failures: float = par(
        50700.0, "hours", 100, 1e7, "facts: mttf_h100", "mean time to failure of one H100"
    )
    checkpoint_hours: float = par(0.00833, "hours", 0, 1, "prior", "delta: cost of a checkpoint (30 s)")
    restart_hours: float = par(0.1667, "hours", 0, 10, "prior", "rho: cost of a restart (10 min)")
    rented_speed_cn: float = par(0.36, "H100", 0.05, 5, "chips: A800", "training speed of a rented chip in CN")
    rented_speed_row: float = par(0.8, "H100", 0.05, 5, "prior", "training speed of a rented chip in ROW")
    release_delay: float = par(0.5, "months", 0, 24, "prior", "from trained to released")
    release_delay_frontier: float = par(2.5, "months", 0, 24, "facts: GPT-4", "red-teaming of a frontier lab")
    release_delay_big_tech: float = par(1.0, "months", 0, 24, "001", "approval in big tech")


@dataclass
class Exploration:
    """Trying what nobody has tried, or duplicating the known recipe."""

    propensity: float = par(1.0, "1", 0, 5, "004", "chance to explore, for average appetite and full tolerance")
    tolerance_cn: float = par(0.2, "share", 0, 1, "004", "tolerance of failure by investors and parents, CN")
    tolerance_row: float = par(0.35, "share", 0, 1, "prior", "the same, ROW")
    reconsider: float = par(0.3, "1/year", 0, 20, "prior", "how often a lab thinks about its path again")
    detour: float = par(0.35, "share", 0, 1, "prior", "training compute that explorers spend beside the known recipe")
    breakthrough_rate: float = par(0.3, "1/year", 0, 10, "prior", "breakthroughs of an explorer with ample research")
    breakthrough_gain: float = par(0.5, "ln A", 0, 3, "prior", "efficiency gained by a breakthrough")
    signal: float = par(0.3, "share", 0, 1, "004", "share of it that other explorers recognise at once")


@dataclass
class Lineage:
    """Passing a model on open weights off as one's own."""

    hiding: float = par(0.4, "share", 0, 1, "002", "firms that would hide on whose weights they build")
    claim_reputation: float = par(0.05, "utility", 0, 2, "prior", "reputation that a model of one's own seems to earn")
    exposed_rate: float = par(0.4, "1/year", 0, 20, "prior", "being found out, at little use")
    exposed_share: float = par(0.002, "share", 1e-6, 1, "prior", "share of use at which that is half again as likely")
    exposed_reputation: float = par(0.4, "utility", 0, 5, "prior", "reputation lost by being found out")
