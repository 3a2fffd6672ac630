"""Parameters of the market for models: demand, prices, moats, serving, open releases."""

from dataclasses import dataclass

from baimo.conf.declare import par


@dataclass
class ModelMarket:
    """Demand and price of models."""

    quality_weight: float = par(6.0, "utility", 0, 50, "PRIORS", "beta")
    price_sensitivity: float = par(2.0, "1", 0.05, 20, "PRIORS", "alpha, on the log of the price")
    nest_correlation: float = par(0.8, "1", 0, 0.98, "PRIORS", "sigma of the nests")
    hassle_cost: float = par(0.3, "CNY/Mtok", 0.001, 10, "MODEL", "cost of use beside the price")
    price_adjustment: float = par(0.3, "1/month", 0.01, 0.95, "MODEL", "pace of prices")
    strategic_weight: float = par(0.5, "1", 0, 10, "prior", "omega: weight of what a sale is worth beyond its price")
    strategic_cost: float = par(5.0, "CNY/Mtok", 0.01, 100, "prior", "cost at which the strategic value counts half")
    cloud_value: float = par(3.0, "CNY/Mtok", 0, 1000, "prior", "pull of a sale on the own cloud")
    data_value: float = par(1.5, "CNY/Mtok", 0, 1000, "001", "data from a sale, for a lab that has none")
    data_scale: float = par(5000.0, "Mtok/day", 1, 1e7, "prior", "usage at which data is worth half")
    hosting_margin: float = par(0.3, "share", 0, 5, "prior", "margin of those who host open weights")
    least_price: float = par(0.05, "CNY/Mtok", 0.001, 10, "prior", "no lower list price")
    most_price: float = par(500.0, "CNY/Mtok", 1, 10000, "prior", "no higher list price")
    entry_price_cn: float = par(120.0, "CNY/Mtok", 0.1, 10000, "facts: api_price_pre", "first price of a newcomer, CN")
    entry_price_row: float = par(144.0, "CNY/Mtok", 0.1, 10000, "20 USD in 2022", "first price of a newcomer, ROW")
    free_insensitive: float = par(0.9, "share", 0, 1, "prior", "how little users of free services see prices")
    free_light: float = par(0.7, "share", 0, 1, "prior", "free use served by the light model")
    router_width: float = par(1.0, "utility", 0.01, 10, "prior", "sharpness of routing between flagship and light")
    privacy_weight: float = par(2.0, "utility", 0, 10, "004", "open weights for those who deploy privately")
    foreign_in_cn: float = par(2.5, "utility", 0, 20, "000", "hardship of foreign APIs in CN")
    cross_border: float = par(3.0, "utility", 0, 20, "000", "the same under the cross-border rule")
    cn_abroad: float = par(2.0, "utility", 0, 20, "prior", "distrust of CN models abroad")
    unlicensed: float = par(4.0, "utility", 0, 50, "000", "unfiled services under the licensing rule")
    beta: float = par(1.0, "utility", 0, 20, "prior", "hardship of invited tests")
    reliability: float = par(1.0, "utility", 0, 10, "prior", "cost of unserved demand")
    control_weight: float = par(1.5, "utility", 0, 10, "001", "control by customisation, for those whose data stay")
    private_share: float = par(
        0.7, "share", 0, 1, "004", "use of open weights on own machines where data may not leave"
    )
    old_tools_weight: float = par(0.0, "utility", -10, 10, "002", "shift of the old tools")
    old_tools_strength: float = par(1.0, "times", 0, 10, "000", "weight of the old tools in the choice of users")
    routing: float = par(1.0, "share", 0, 1, "004", "requests that a router may send to the light model")
    orchestration: float = par(1.0, "times", 0, 2, "002", "work handed to models of the last generation, as tabled")
    orchestration_ease: float = par(0.6, "OOM", 0, 3, "002", "how much less the brain must pass at a share of one")
    retrieval: float = par(0.8, "share", 0, 1, "004", "knowledge work that can be looked up with eyes wide open")
    retrieval_years: float = par(1.5, "years", 0.1, 20, "prior", "time for retrieval to be learned")
    retrieval_ease: float = par(0.5, "OOM", 0, 3, "prior", "reasoning over what was found against unaided reasoning")
    retrieval_truth: float = par(0.6, "share", 0, 1, "004", "mistakes that looking up avoids")
    limits: float = par(1.0, "times", 0, 2, "001", "weight of eyes and hands, as tabled")
    language_gain: float = par(0.05, "share", 0, 1, "002", "what L1, language data at home, makes up for")
    vertical_gain: float = par(0.4, "share", 0, 1, "002", "what L2, industry data, makes up for at home")
    usage_fit: float = par(0.22, "share", 0, 1, "003", "what data of use makes up for")
    scene_gain: float = par(0.1, "share", 0, 1, "002", "what L3, data of scenes, makes up for in firms")
    vertical_truth: float = par(0.7, "share", 0, 1, "002", "mistakes that industry data avoids at home")
    layer_staff: float = par(40.0, "people", 1, 1e5, "prior", "application engineers for full work on layers")
    layer_use: float = par(500.0, "Mtok/day", 0.1, 1e7, "prior", "use at which feedback is half strong")
    layer_pace: float = par(0.8, "1/year", 0, 10, "prior", "gathering of layers with full work or feedback")
    layer_life: float = par(4.0, "years", 0.1, 50, "prior", "life of the data of layers")
    hallucination: float = par(1.0, "utility", 0, 20, "002", "mistakes where precision is all")
    hallucination_scale: float = par(2.0, "OOM", 0.1, 10, "prior", "knowledge that makes mistakes rare")
    surplus: float = par(0.4, "utility/OOM", 0, 5, "002", "ability that a firm did not ask for")
    surplus_margin: float = par(1.0, "OOM", 0, 5, "prior", "ability beyond the threshold that is welcome")
    surplus_most: float = par(2.0, "OOM", 0, 5, "prior", "ability beyond which nobody minds more")
    close_enough: float = par(0.03, "quality", 0.001, 2, "001", "distance to the best that counts half")
    edge_start: float = par(-0.3, "OOM", -3, 6, "000", "what models on devices can do at the start")
    edge_progress: float = par(1.2, "1/year", 0, 5, "000", "progress of that, in compute")
    edge_width: float = par(0.4, "OOM", 0.05, 3, "prior", "spread of requests in what they need")
    device_most: float = par(0.6, "share", 0, 1, "000", "light requests from devices that could serve them")
    lock_in: float = par(0.5, "share", 0, 1, "003", "captive sales that an owner lets feel it")
    captive_months: float = par(12.0, "months", 0, 120, "003", "who does not reconsider for so long is captive")
    portability: float = par(0.3, "share", 0, 1, "prior", "users who stayed but choose anew under interoperability")
    adopters_cn: float = par(0.0005, "share of the ceiling", 0, 1, "prior", "adopters at the start, CN")
    adopters_row: float = par(0.002, "share of the ceiling", 0, 1, "prior", "adopters at the start, ROW")
    bass_scale: float = par(0.6, "times", 0, 10, "facts: chatgpt_wau, tokens_day_cn", "level of diffusion")
    full_quality: float = par(0.8, "quality", 0.1, 2, "prior", "quality at which adoption reaches its ceiling")
    bass_hype: float = par(0.5, "times", 0, 20, "prior", "adoption with hype")
    use_offset: float = par(0.5, "CNY/Mtok", 0.01, 10, "MODEL", "offset in the price elasticity of use")
    most_use: float = par(200.0, "times", 1, 10000, "MODEL", "most that cheapness multiplies use")
    use_scale: float = par(0.185, "times", 0.001, 100, "facts: tokens_day_cn", "level of use")
    realised_price: float = par(0.5, "share", 0, 1, "PRIORS", "realised share of list price")
    realised_open: float = par(0.3, "share", 0, 1, "003", "what is due to the author of open weights of hosting")
    subscription_years: float = par(2.0, "years", 0.1, 20, "prior", "time for subscriptions to spread")
    project_value: float = par(
        3.0, "CNY million/million users/month", 0, 1000, "facts: tiger_pnl_2023", "projects with data-sensitive users"
    )
    wall: float = par(2.0, "utility/OOM^2", 0, 20, "001", "loss in hard segments of a model short of the frontier")
    wall_from: float = par(2.0, "OOM", -3, 10, "prior", "threshold of a segment from which its work is hard")
    wall_slack: float = par(0.3, "OOM", 0, 3, "001", "shortfall that still counts as parity")
    wall_border: float = par(1.0, "OOM", 0, 6, "000", "how much less of the frontier abroad users in CN reach")
    follow: float = par(1.0, "share", 0, 1, "001", "how far users choose by what is best today, not yesterday")
    yesterday: float = par(12.0, "months", 0.5, 120, "001", "how long ago the choices of yesterday were, on average")
    project_staff: float = par(8.0, "people/(CNY million/month)", 0.1, 1000, "001", "engineers whom projects bind")
    control_staff: float = par(40.0, "people", 1, 1e5, "prior", "bound engineers who give control to half the users")
    control_pace: float = par(0.1, "1/month", 0, 0.95, "prior", "pace of control")
    reputation_memory: float = par(18.0, "months", 1, 120, "001", "persistence of reputation")
    reputation_gain: float = par(0.35, "utility", 0, 5, "001", "reputation from use")
    channel: float = par(0.5, "1", 0, 10, "prior", "reach of firms with channels of their own")
    awareness_people: float = par(150.0, "people", 1, 1e5, "prior", "product people for a reach of one")
    awareness_news: float = par(0.03, "1", 0, 5, "004", "reach of a release")
    news_months: float = par(2.0, "months", 0.1, 60, "004", "life of the news of a release")
    word_of_mouth: float = par(6.0, "1", 0, 100, "prior", "reach by share of use")
    awareness_pace: float = par(0.15, "1/month", 0.001, 0.95, "prior", "pace of awareness")
    hub_private: float = par(0.6, "share", 0, 1, "001 003", "private deployments that a tuning hub keeps from leaving")
    row_scale: float = par(2.5, "times", 0.1, 20, "prior", "size of the ROW market relative to CN")


@dataclass
class Moat:
    """How strong each moat stands (M31, after 001): 1 as modelled, 0 no moat at all."""

    compute: float = par(1.0, "times", 0, 2, "001", "cheaper tokens for who serves much")
    users: float = par(1.0, "times", 0, 1, "001", "users who stay, and speak of what they use")
    performance: float = par(1.0, "times", 0, 5, "001", "what falling behind in quality costs")
    tuning: float = par(1.0, "times", 0, 5, "001", "control by tuning for the customer")
    data: float = par(1.0, "times", 0, 5, "001", "what usage data adds to post-training")
    reputation: float = par(1.0, "times", 0, 5, "001", "reputation in the eyes of users")
    ecosystem: float = par(1.0, "times", 0, 5, "001", "apps tied to the base they are built on")


@dataclass
class Serving:
    """What a token costs."""

    serving_mfu: float = par(0.4, "1", 0.01, 1, "prior", "arithmetic efficiency of serving")
    batch: float = par(24.0, "requests", 1, 1000, "prior", "requests in a batch")
    bytes_per_parameter: float = par(2.0, "bytes", 0.25, 4, "16 bit", "bytes read for a parameter")
    kv_bytes: float = par(5e8, "bytes", 1e6, 1e11, "prior", "cache read for a request")
    utilisation: float = par(0.35, "share", 0.01, 1, "prior", "share of time that a serving chip is busy")
    engine_growth: float = par(
        0.75, "1/year", 0, 3, "PRIORS: engine 2 x utilisation 1.5", "growth of tokens a second by better engines"
    )
    rented_premium: float = par(1.1, "times", 1, 5, "prior", "cost of serving beyond the rent")
    cost_scale: float = par(1.0, "times", 0, 20, "000", "level of the compute that serving takes")
    operation: float = par(0.03, "CNY/user/month", 0, 100, "000", "operation beside compute: review, support, traffic")
    elastic: float = par(1.0, "share", 0, 1, "001", "missing serving capacity that may be rented")
    scale_gain: float = par(0.1, "1", 0, 2, "prior", "tokens a chip with ten times the load")
    scale_reference: float = par(100.0, "H100", 0.1, 1e7, "prior", "load from which size tells")
    first_month: float = par(0.3, "share", 0, 1, "prior", "demand for a first release served without capacity")
    burst: float = par(0.3, "share", 0, 5, "prior", "demand above capacity that can be squeezed in")
    server_power: float = par(1.8, "times", 1, 5, "facts: power_h100", "power of a chip within its server")
    pue: float = par(1.2, "times", 1, 3, "facts: pue", "power usage effectiveness")
    power_price_cn: float = par(0.5, "CNY/kWh", 0, 5, "facts: power_price_cn", "electricity, CN")
    power_price_row: float = par(0.58, "CNY/kWh", 0, 5, "facts: power_price_us", "electricity, ROW")
    power_load: float = par(0.7, "share", 0, 1, "prior", "average load")


@dataclass
class Openness:
    """What an open release returns and costs."""

    ecosystem: float = par(0.15, "1", -5, 5, "003", "ecosystem and reputation")
    cloud: float = par(0.1, "1", -5, 5, "002", "demand for the own cloud")
    rival_rent: float = par(0.25, "1/OOM", 0, 5, "002", "damage to a rival's rent, when behind")
    behind_most: float = par(2.0, "OOM", 0, 6, "prior", "distance behind the rival beyond which no more is damaged")
    lead_most: float = par(3.0, "OOM", 0, 10, "prior", "lead or lag beyond which all are alike")
    champion: float = par(1.2, "1", -5, 5, "002", "the champion's strategy")
    academic: float = par(0.6, "1", -5, 5, "004", "academic norms")
    margin_weight: float = par(1.5, "1", 0, 10, "003", "margin given up, by market share")
    rent_weight: float = par(0.1, "1", 0, 10, "003", "rent of a leader given up")
    exposure: float = par(0.6, "1/OOM", 0, 10, "003", "exposure of data and of the lead")
    children_return: float = par(0.3, "1", 0, 5, "003", "return of having many labs on one's weights")
    community: float = par(0.12, "1/year", 0, 3, "003", "efficiency that derivatives give back to their base")
    community_half: float = par(6.0, "labs", 0.1, 1000, "prior", "derivatives for half of that")
    royalty: float = par(0.1, "share", 0, 1, "prior", "share of a derivative's revenue that licences ask for")
    all_threshold: float = par(0.75, "1", -5, 5, "prior", "return above which all is opened")
    light_share: float = par(0.45, "share", 0, 1, "000", "return of opening the light model only")
    light_margin: float = par(0.25, "share", 0, 1, "000", "margin that this costs")
    light_threshold: float = par(0.2, "1", -5, 5, "prior", "return above which the light model is opened")
    noise: float = par(0.3, "1", 0, 2, "prior", "what is not modelled of the choice")
    licence_kept: float = par(0.5, "share", 0, 1, "003", "share of what open licences ask for that is paid")
