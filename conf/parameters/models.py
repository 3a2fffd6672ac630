"""Parameters of the market for models: demand, prices, moats, serving, open releases."""

from dataclasses import dataclass

from baimo.conf.declare import par


@dataclass
class ModelMarket:
    """Demand and price of models."""

    quality_weight: float = par(6.0, "utility", 0, 50, "PRIORS", "weight beta of quality in utility")
    price_sensitivity: float = par(2.0, "1", 0.05, 20, "PRIORS", "coefficient alpha of the log price in utility")
    nest_correlation: float = par(0.8, "1", 0, 0.98, "PRIORS", "within-nest correlation sigma of the nested logit")
    hassle_cost: float = par(0.3, "CNY/Mtok", 0.001, 10, "MODEL", "non-monetary cost of use, added to the price")
    data_scale: float = par(5000.0, "Mtok/day", 1, 1e7, "prior", "usage data at which that value is halved")
    least_price: float = par(0.05, "CNY/Mtok", 0.001, 10, "prior", "lower bound of list prices")
    most_price: float = par(500.0, "CNY/Mtok", 1, 10000, "prior", "upper bound of list prices")
    entry_price_cn: float = par(
        120.0, "CNY/Mtok", 0.1, 10000, "facts: api_price_pre", "initial list price of a newcomer, CN"
    )
    entry_price_row: float = par(
        144.0, "CNY/Mtok", 0.1, 10000, "20 USD in 2022", "initial list price of a newcomer, ROW"
    )
    free_insensitive: float = par(
        0.9, "share", 0, 1, "prior", "share of the price response that users of free services lack"
    )
    free_light: float = par(0.7, "share", 0, 1, "prior", "share of free use that the light model serves")
    router_width: float = par(
        1.0, "utility", 0.01, 10, "prior", "scale of the logit that routes requests between flagship and light model"
    )
    privacy_weight: float = par(
        2.0, "utility", 0, 10, "004", "utility of open weights to users whose data may not leave"
    )
    foreign_in_cn: float = par(2.5, "utility", 0, 20, "000", "disutility of foreign APIs in CN")
    cross_border: float = par(
        3.0, "utility", 0, 20, "000", "further disutility of foreign APIs in CN under the full cross-border rule"
    )
    cn_abroad: float = par(2.0, "utility", 0, 20, "prior", "disutility of CN models abroad")
    unlicensed: float = par(4.0, "utility", 0, 50, "000", "disutility of unfiled services under the licensing rule")
    caution: float = par(2.0, "utility", 0, 50, "prior", "what filed services do not answer, at full stringency")
    beta: float = par(1.0, "utility", 0, 20, "prior", "disutility of an unfiled service that runs as a trial")
    reliability: float = par(1.0, "utility", 0, 10, "prior", "disutility of unserved demand")
    least_capacity: float = par(
        0.05, "share", 0.001, 1, "prior", "served share of demand below which its disutility is constant"
    )
    control_weight: float = par(
        1.5, "utility", 0, 10, "001", "utility of control by customisation, to users whose data may not leave"
    )
    private_share: float = par(
        0.7, "share", 0, 1, "004", "share of use that runs open weights on own machines, where data may not leave"
    )
    old_tools_weight: float = par(0.0, "utility", -10, 10, "002", "shift of the utility of the old tools")
    old_tools_strength: float = par(1.0, "times", 0, 10, "000", "weight of the old tools in users' choice")
    routing: float = par(1.0, "share", 0, 1, "004", "share of requests that a router may send to the light model")
    orchestration: float = par(1.0, "times", 0, 2, "002", "factor on the tabled share of work handed to older models")
    orchestration_ease: float = par(
        0.6, "OOM", 0, 3, "002", "reduction of the capability threshold where all work is orchestrated"
    )
    retrieval: float = par(0.8, "share", 0, 1, "004", "share of knowledge work that can be looked up, at full eyes")
    retrieval_years: float = par(1.5, "years", 0.1, 20, "prior", "time constant of learning to use retrieval")
    retrieval_ease: float = par(
        0.5, "OOM", 0, 3, "prior", "reduction of the threshold of reasoning over what was looked up"
    )
    retrieval_truth: float = par(0.6, "share", 0, 1, "004", "share of mistakes that retrieval avoids")
    limits: float = par(1.0, "times", 0, 2, "001", "factor on the tabled weights of eyes and hands")
    language_gain: float = par(
        0.05, "share", 0, 1, "002", "share of the shortfall that layer L1 (language data, at home) makes up"
    )
    vertical_gain: float = par(
        0.4, "share", 0, 1, "002", "share of the shortfall that layer L2 (industry data, at home) makes up"
    )
    usage_fit: float = par(0.22, "share", 0, 1, "003", "share of the shortfall that usage data makes up")
    scene_gain: float = par(
        0.1, "share", 0, 1, "002", "share of the shortfall that layer L3 (data of scenes, in firms) makes up"
    )
    vertical_truth: float = par(0.7, "share", 0, 1, "002", "share of mistakes that industry data avoids at home")
    layer_staff: float = par(
        40.0, "people", 1, 1e5, "prior", "e-folding number of application engineers at work on layers"
    )
    layer_use: float = par(500.0, "Mtok/day", 0.1, 1e7, "prior", "use at which feedback to layers is half saturated")
    layer_pace: float = par(0.8, "1/year", 0, 10, "prior", "rate of gathering layers at full work or feedback")
    layer_life: float = par(4.0, "years", 0.1, 50, "prior", "lifetime of the data of layers")
    hallucination: float = par(1.0, "utility", 0, 20, "002", "disutility of mistakes where precision is critical")
    hallucination_scale: float = par(2.0, "OOM", 0.1, 10, "prior", "e-folding of mistakes with capability in knowledge")
    surplus: float = par(0.4, "utility/OOM", 0, 5, "002", "disutility of capability beyond what a firm needs")
    surplus_margin: float = par(1.0, "OOM", 0, 5, "prior", "capability beyond the threshold without disutility")
    surplus_most: float = par(2.0, "OOM", 0, 5, "prior", "surplus capability beyond which disutility is constant")
    close_enough: float = par(
        0.03, "quality", 0.001, 2, "001", "shortfall from the best quality at which half of it counts"
    )
    edge_start: float = par(-0.3, "OOM", -3, 6, "000", "capability of models that devices carry at the start")
    edge_progress: float = par(1.2, "1/year", 0, 5, "000", "growth of that capability, in effective compute")
    edge_chips: float = par(
        500000.0, "chips", 1, 1e10, "prior", "edge chips in use at which half of the devices that matter have one"
    )
    edge_width: float = par(0.4, "OOM", 0.05, 3, "prior", "spread of requests in the capability that they need")
    device_most: float = par(0.6, "share", 0, 1, "000", "upper bound of the share of light requests that devices serve")
    lock_in: float = par(0.5, "share", 0, 1, "003", "share of captive sales that the owner's price exploits")
    captive_months: float = par(
        12.0, "months", 0, 120, "003", "months without reconsidering from which a user is captive"
    )
    portability: float = par(0.3, "share", 0, 1, "prior", "share of inert users who choose anew under interoperability")
    adopters_cn: float = par(0.0005, "share of the ceiling", 0, 1, "prior", "initial adopters, CN")
    adopters_row: float = par(0.002, "share of the ceiling", 0, 1, "prior", "initial adopters, ROW")
    bass_scale: float = par(
        0.6, "times", 0, 10, "facts: chatgpt_wau, tokens_day_cn", "factor on the Bass coefficients of diffusion"
    )
    full_quality: float = par(0.8, "quality", 0.1, 2, "prior", "quality at which adoption reaches its ceiling")
    bass_hype: float = par(0.5, "times", 0, 20, "prior", "increase of the Bass innovation coefficient with hype")
    use_offset: float = par(
        0.5, "CNY/Mtok", 0.01, 10, "MODEL", "offset of the price in the own-price elasticity of use"
    )
    most_use: float = par(200.0, "times", 1, 10000, "MODEL", "upper bound of the response of use to a low price")
    use_scale: float = par(0.185, "times", 0.001, 100, "facts: tokens_day_cn", "factor on the level of use")
    wall: float = par(
        2.0,
        "utility/OOM^2",
        0,
        20,
        "001",
        "disutility by hardness of the segment and by shortfall of delivered compute from the frontier",
    )
    wall_from: float = par(2.0, "OOM", -3, 10, "prior", "capability threshold from which a segment is hard")
    wall_width: float = par(0.8, "OOM", 0.01, 3, "prior", "how gradually the wall fades below hard segments")
    wall_slack: float = par(0.3, "OOM", 0, 3, "001", "shortfall of delivered compute that counts as parity")
    wall_border: float = par(1.0, "OOM", 0, 6, "000", "discount on the launch abroad within reach of users in CN")
    follow: float = par(1.0, "share", 0, 1, "001", "weight of today's shares, against past shares, in users' choice")
    yesterday: float = par(12.0, "months", 0.5, 120, "001", "mean lag of past shares")
    control_staff: float = par(40.0, "people", 1, 1e5, "prior", "bound engineers at which control is half saturated")
    control_pace: float = par(0.1, "1/month", 0, 0.95, "prior", "partial adjustment of control")
    reputation_memory: float = par(18.0, "months", 1, 120, "001", "time constant of reputation")
    reputation_gain: float = par(0.35, "utility", 0, 5, "001", "weight of the share of use in reputation")
    reputation_scale: float = par(
        100.0, "1", 0.01, 1e6, "prior", "factor on the share of use in its logarithm, which is reputation's gain"
    )
    hub_private: float = par(0.6, "share", 0, 1, "001 003", "share of private deployments that a tuning hub retains")
    row_scale: float = par(2.5, "times", 0.1, 20, "prior", "size of the ROW market relative to CN")
    row_income: float = par(4.0, "times", 0.1, 20, "prior: income a head", "willingness to pay in ROW relative to CN")


@dataclass
class Pricing:
    """Posted prices (X01) and what a customer is worth (X02)."""

    band: float = par(0.35, "ln", 0, 3, "prior; Caballero and Engel 2007", "distance from p* that is worth a new price")
    repost: float = par(0.5, "1/month", 0, 1, "prior", "labs that look at their price list")
    reply: float = par(0.7, "1/month", 0, 1, "prior", "labs that answer a close rival's new price, in each round")
    rivals_near: float = par(0.5, "OOM", 0.05, 6, "prior", "distance in quality within which labs are close rivals")
    life_most: float = par(12.0, "months", 0, 120, "prior", "longest life of a price that is planned for")
    capacity: float = par(1.0, "share", 0, 1, "Levitan and Shubik 1972", "how far a price heeds what can be served")
    trend_memory: float = par(6.0, "months", 0.5, 120, "prior", "memory of the trends of costs and revenue")
    margin_memory: float = par(12.0, "months", 0.5, 120, "prior", "memory of the margin of the market")
    customer_weight: float = par(
        0.3, "1", 0, 1, "prior, to calibrate", "kappa: share of a customer's value that is paid"
    )
    normal_margin: float = par(0.2, "share", 0, 1, "SECOND_MODEL", "margin that hype promises")
    customer_months: float = par(24.0, "months", 0, 240, "SECOND_MODEL", "how long a customer's value is counted")
    growth_belief: float = par(0.5, "share", 0, 1, "prior", "part of the growth seen that is believed to go on")
    poor_discount: float = par(0.85, "1/month", 0.1, 1, "SECOND_MODEL", "discount of a purse about to be empty")
    rich_discount: float = par(0.985, "1/month", 0.1, 1, "SECOND_MODEL", "discount of a parent's or a full purse")
    poor_runway: float = par(6.0, "months", 0, 60, "SECOND_MODEL", "runway of a purse about to be empty")
    rich_runway: float = par(36.0, "months", 1, 240, "prior", "runway of a full purse")
    loss_of_cash: float = par(0.25, "1/year", 0, 10, "prior", "cash that may be lost on sales below cost")
    loss_of_support: float = par(0.25, "share", 0, 10, "prior", "parent's support that may be lost on them")
    least_subscription: float = par(1.0, "CNY/month", 0.01, 1000, "prior", "no cheaper subscription")
    cloud_value: float = par(
        0.1, "times the price", 0, 10, "prior", "earnings of the own cloud that a sale pulls along"
    )
    data_value: float = par(0.1, "times the price", 0, 10, "001", "data from a sale, for a lab that has none")


@dataclass
class Revenue:
    """What labs earn beside tokens: subscriptions, attention, projects, hosting."""

    kept: float = par(1.0, "share", 0, 1, "none: an experiment", "revenue that labs keep; the rest is levied")
    attention_value: float = par(
        0.5, "CNY/user/month", 0, 100, "prior", "worth of an active user to products of the owner"
    )
    project_rate: float = par(2.0, "times the wage", 0, 20, "prior", "price of an engineer in a customer's project")
    tuned: float = par(
        0.7, "share", 0, 1, "prior; 003", "share of projects that tune, which a general model can make needless"
    )
    bidders: float = par(
        3.0, "labs", 1, 100, "prior: tenders need three bids", "n: labs that a firm asks for a bid for a project"
    )
    pilots: float = par(
        300.0, "people/million users", 0, 1e4, "facts: tiger_pnl_2023", "engineers whom firms ask for at full attention"
    )


@dataclass
class Hub:
    """Platform on which anybody's open weights are tuned (M68)."""

    platform: float = par(1.0, "times", 0, 1, "001", "whether there is a platform beside the hubs of owners")
    half: float = par(100.0, "apps", 0.1, 1e6, "prior", "apps that tune there at which it is worth half of the best")
    fee: float = par(0.05, "CNY million/year", 0, 100, "prior", "what it charges an app")


@dataclass
class Goodwill:
    """How labs become known (X11)."""

    gain: float = par(0.1, "1/month", 0, 2, "prior; Nerlove and Arrow 1962", "a: goodwill from promotion")
    scale: float = par(20.0, "CNY million/month", 0.001, 1000, "prior", "s0: promotion that begins to tell")
    decay: float = par(0.12, "1/month", 0.001, 1, "prior", "delta: goodwill that is lost")
    products: float = par(0.06, "1/month", 0, 2, "prior", "reach of firms with products of their own")
    news: float = par(0.03, "1", 0, 5, "004", "goodwill from a release")
    rounds: float = par(0.1, "1", 0, 5, "prior; 004", "goodwill from the news of a round")
    round_size: float = par(100.0, "CNY million", 0.1, 1e5, "prior", "round that is news")
    word_of_mouth: float = par(0.7, "1/month", 0, 10, "prior", "goodwill by users, as a share of all who may come")
    parent_customers: float = par(
        0.005, "share", 0, 1, "prior", "users of a segment who are a vertical lab's parent's: 60 parents, 4% of them"
    )
    beyond_home: float = par(
        0.05, "share", 0, 1, "prior", "goodwill of a lab of one industry that counts beyond that industry"
    )
    user_promise: float = par(3.0, "CNY/user/month", 0, 100, "prior", "worth of a user in the eyes of hype")
    most_of_cash: float = par(0.3, "1/year", 0, 10, "prior", "cash that may be spent on promotion")
    most_of_support: float = par(0.1, "share", 0, 1, "prior", "parent's support that may be spent on it")


@dataclass
class Ladder:
    """Tasks beyond the threshold of a segment, and rising expectations (X12)."""

    worth: float = par(0.2, "quality/OOM", 0, 2, "prior", "what an OOM beyond expectations adds to a model's merit")
    most: float = par(3.0, "OOM", 0, 10, "prior", "distance from expectations beyond which nothing is added")
    expectations: float = par(12.0, "months", 0.5, 120, "SECOND_MODEL", "how slowly expectations follow the best")
    tokens: float = par(0.1, "1/OOM", 0, 2, "prior", "growth of the tokens of a task with its difficulty, in log10")


@dataclass
class Hosting:
    """Hosts of open weights (X10)."""

    weight: float = par(1.0, "times", 0, 10, "SECOND_MODEL", "clouds that host open weights, over those that there are")
    margin: float = par(0.6, "share", 0, 10, "prior", "m: mark-up of a single host over cost; that of n hosts is m/n")
    author_share: float = par(0.35, "share", 0, 1, "prior", "firms at home that use open weights from their author")
    author_share_abroad: float = par(0.15, "share", 0, 1, "prior", "firms abroad that do")
    distrust: float = par(0.3, "utility", 0, 20, "prior", "distrust of foreign weights that a host at home serves")


@dataclass
class Moat:
    """How strong each moat stands (M31, after 001): 1 as modelled, 0 no moat at all."""

    compute: float = par(1.0, "times", 0, 2, "001", "economies of scale in serving")
    training: float = par(1.0, "share", 0, 1, "001", "training compute of its own that a lab keeps from others at home")
    users: float = par(1.0, "times", 0, 1, "001", "inertia and word of mouth of users")
    performance: float = par(1.0, "times", 0, 5, "001", "penalty on quality short of the best")
    tuning: float = par(1.0, "times", 0, 5, "001", "control by tuning for the customer")
    data: float = par(1.0, "times", 0, 5, "001", "gain of post-training and quality from usage data")
    reputation: float = par(1.0, "times", 0, 5, "001", "weight of reputation in users' choice")
    ecosystem: float = par(1.0, "times", 0, 5, "001", "ties of apps to their base")


@dataclass
class Serving:
    """What a token costs."""

    arithmetic: float = par(1.0, "times", 0, 1, "Pope et al. 2022", "how far arithmetic bounds serving")
    output_share: float = par(0.25, "share", 0.01, 0.99, "prior", "share of tokens that models write, without thinking")
    cache_hits: float = par(0.0, "share", 0, 0.99, "prior", "tokens of prompts that were read before, at the start")
    prefill_mfu: float = par(0.5, "share", 0.01, 1, "Pope et al. 2022", "arithmetic efficiency of reading prompts")
    decode_mfu: float = par(0.33, "share", 0.01, 1, "Pope et al. 2022", "the same of writing answers, at most")
    batch: float = par(256.0, "requests", 1, 10000, "prior", "requests in a batch that load allows")
    cache_room: float = par(0.75, "share", 0.01, 1, "prior", "memory that is left for caches")
    bytes_per_parameter: float = par(2.0, "bytes", 0.25, 4, "16 bit", "bytes read for a parameter")
    kv_bytes: float = par(4.3e8, "bytes", 1e6, 1e11, "prior", "cache of a prompt")
    reference_size: float = par(2e10, "parameters", 1e8, 1e13, "prior", "model by which chips are compared")
    utilisation: float = par(0.25, "share", 0.01, 1, "prior", "share of time that a serving chip is busy")
    engine_learning: float = par(
        0.2, "1", 0, 1, "prior; Wright 1936", "b: elasticity of tokens a second with the tokens served so far"
    )
    served_before: float = par(
        2e6, "Mtok", 1, 1e12, "prior", "S0: tokens served before the start, two years of the first API"
    )
    rented_premium: float = par(1.1, "times", 1, 5, "prior", "mark-up of the cost of serving over the rent")
    cost_scale: float = par(1.0, "times", 0, 20, "000", "factor on the compute that serving takes")
    operation: float = par(
        0.03, "CNY/user/month", 0, 100, "000", "operating cost beside compute: review, support, traffic"
    )
    elastic: float = par(1.0, "share", 0, 1, "001", "share of missing serving capacity that may be rented")
    scale_gain: float = par(0.1, "1", 0, 2, "prior", "gain in tokens a chip for each tenfold load")
    scale_reference: float = par(100.0, "H100", 0.1, 1e7, "prior", "load from which economies of scale count")
    first_month: float = par(0.3, "share", 0, 1, "prior", "least share of a first release's demand that is served")
    burst: float = par(0.3, "share", 0, 5, "prior", "demand above capacity that is served")
    server_power: float = par(1.8, "times", 1, 5, "facts: power_h100", "power of a server relative to its chip")
    pue: float = par(1.2, "times", 1, 3, "facts: pue", "power usage effectiveness")
    power_price_cn: float = par(0.5, "CNY/kWh", 0, 5, "facts: power_price_cn", "price of electricity, CN")
    power_price_row: float = par(0.58, "CNY/kWh", 0, 5, "facts: power_price_us", "price of electricity, ROW")
    power_load: float = par(0.7, "share", 0, 1, "prior", "mean load of a chip relative to its rated power")


@dataclass
class Openness:
    """What an open release returns and costs."""

    ecosystem: float = par(0.15, "1", -5, 5, "003", "return of ecosystem and reputation")
    cloud: float = par(0.1, "1", -5, 5, "002", "return of demand for the own cloud")
    rival_rent: float = par(0.25, "1/OOM", 0, 5, "002", "return of damage to a rival's rent, by the lag behind it")
    behind_most: float = par(2.0, "OOM", 0, 6, "prior", "lag behind the rival beyond which that return is constant")
    lead_most: float = par(3.0, "OOM", 0, 10, "prior", "bound of lead and lag in the choice")
    champion: float = par(1.2, "1", -5, 5, "002", "return by the strategy of the open champion")
    academic: float = par(0.6, "1", -5, 5, "004", "return by academic norms")
    margin_weight: float = par(1.5, "1", 0, 10, "003", "cost of the margin given up, by market share")
    rent_weight: float = par(0.1, "1", 0, 10, "003", "cost of a leader's rent given up")
    exposure: float = par(0.6, "1/OOM", 0, 10, "003", "cost of exposing data and the lead")
    children_return: float = par(0.3, "1", 0, 5, "003", "return of labs that build on the weights")
    community: float = par(0.12, "1/year", 0, 3, "003", "growth of efficiency that derivatives return to their base")
    community_half: float = par(6.0, "labs", 0.1, 1000, "prior", "derivatives at which that growth is half saturated")
    royalty: float = par(0.1, "share", 0, 1, "prior", "share of a derivative's revenue that licences ask for")
    all_threshold: float = par(0.75, "1", -5, 5, "prior", "return above which all weights are opened")
    light_share: float = par(
        0.45, "share", 0, 1, "000", "share of the return that opening the light model alone brings"
    )
    light_margin: float = par(
        0.25, "share", 0, 1, "000", "share of the margin that opening the light model alone costs"
    )
    light_threshold: float = par(0.2, "1", -5, 5, "prior", "return above which the light model is opened")
    noise: float = par(0.3, "1", 0, 2, "prior", "half-width of the unobserved part of the return")
    licence_kept: float = par(0.5, "share", 0, 1, "003", "share of licence fees of open weights that is paid")
