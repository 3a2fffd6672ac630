"""Parameters of the markets for models and apps, of trust and of licensing."""

from dataclasses import dataclass

from conf.parameters.base import par


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
    privacy_weight: float = par(1.5, "utility", 0, 10, "004", "open weights for those who deploy privately")
    foreign_in_cn: float = par(2.5, "utility", 0, 20, "000", "hardship of foreign APIs in CN")
    cross_border: float = par(3.0, "utility", 0, 20, "000", "the same under the cross-border rule")
    cn_abroad: float = par(2.0, "utility", 0, 20, "prior", "distrust of CN models abroad")
    unlicensed: float = par(4.0, "utility", 0, 50, "000", "unfiled services under the licensing rule")
    beta: float = par(1.0, "utility", 0, 20, "prior", "hardship of invited tests")
    reliability: float = par(1.0, "utility", 0, 10, "prior", "cost of unserved demand")
    old_tools_weight: float = par(0.0, "utility", -10, 10, "002", "shift of the old tools")
    adopters_cn: float = par(0.0005, "share of the ceiling", 0, 1, "prior", "adopters at the start, CN")
    adopters_row: float = par(0.002, "share of the ceiling", 0, 1, "prior", "adopters at the start, ROW")
    bass_scale: float = par(0.6, "times", 0, 10, "facts: chatgpt_wau, tokens_day_cn", "level of diffusion")
    full_quality: float = par(0.8, "quality", 0.1, 2, "prior", "quality at which adoption reaches its ceiling")
    bass_hype: float = par(0.5, "times", 0, 20, "prior", "adoption with hype")
    use_offset: float = par(0.5, "CNY/Mtok", 0.01, 10, "MODEL", "offset in the price elasticity of use")
    most_use: float = par(200.0, "times", 1, 10000, "MODEL", "most that cheapness multiplies use")
    use_scale: float = par(0.19, "times", 0.001, 100, "facts: tokens_day_cn", "level of use")
    realised_price: float = par(0.5, "share", 0, 1, "PRIORS", "realised share of list price")
    realised_open: float = par(0.15, "share", 0, 1, "003", "what the author of open weights gets of hosting")
    subscription_years: float = par(2.0, "years", 0.1, 20, "prior", "time for subscriptions to spread")
    project_value: float = par(
        3.0, "CNY million/million users/month", 0, 1000, "facts: tiger_pnl_2023", "projects with data-sensitive users"
    )
    reputation_memory: float = par(18.0, "months", 1, 120, "001", "persistence of reputation")
    reputation_gain: float = par(0.35, "utility", 0, 5, "001", "reputation from use")
    channel: float = par(0.5, "1", 0, 10, "prior", "reach of firms with channels of their own")
    awareness_people: float = par(150.0, "people", 1, 1e5, "prior", "product people for a reach of one")
    awareness_news: float = par(0.03, "1", 0, 5, "004", "reach of a release")
    news_months: float = par(2.0, "months", 0.1, 60, "004", "life of the news of a release")
    word_of_mouth: float = par(6.0, "1", 0, 100, "prior", "reach by share of use")
    awareness_pace: float = par(0.15, "1/month", 0.001, 0.95, "prior", "pace of awareness")
    row_scale: float = par(2.5, "times", 0.1, 20, "prior", "size of the ROW market relative to CN")


@dataclass
class AppMarket:
    """Apps, their bases and their lifelines."""

    start: int = par(120, "apps", 0, 100000, "prior", "apps at the start")
    entry_base: float = par(26.0, "apps/month", 0, 1e6, "PRIORS: 1,000 alive", "founding of apps")
    entry_hype: float = par(1.5, "1", 0, 10, "prior", "founding with hype")
    entry_level: float = par(0.2, "OOM", -3, 6, "prior", "capability from which apps are founded")
    crowd: float = par(600.0, "apps", 1, 1e7, "prior", "apps at which crowding halves founding")
    purse: float = par(2.0, "CNY million", 0.01, 1000, "facts: round_typical", "founders' money (median)")
    purse_sigma: float = par(0.7, "1", 0, 3, "prior", "its spread")
    incumbent_purse: float = par(6.0, "times", 1, 100, "002", "incumbent software firms have more")
    incumbent_customers: float = par(2.0, "times", 1, 100, "002", "and earn early")
    share_incumbent: float = par(0.15, "share", 0, 1, "002", "incumbents among founders")
    share_wrapper: float = par(0.55, "share", 0, 1, "001", "wrappers")
    share_platform: float = par(0.1, "share", 0, 1, "001", "platforms")
    share_brain: float = par(0.75, "share", 0, 1, "001", "apps that add in the brain")
    share_api: float = par(0.7, "share", 0, 1, "003", "apps on APIs")
    share_open: float = par(0.2, "share", 0, 1, "003", "apps on tuned open models")
    own_model_calls: float = par(0.3, "share", 0, 1, "003", "calls that remain with an own model")
    share_poor: float = par(0.6, "share", 0, 1, "001", "poorly chosen products")
    share_good: float = par(0.12, "share", 0, 1, "001", "very well chosen products")
    aim_poor: float = par(0.22, "OOM", 0.001, 3, "001: 3 months", "distance of a poor aim")
    aim_middle: float = par(0.3, "OOM", 0.001, 3, "001: 6 months", "further distance of a fair aim")
    aim_good_least: float = par(0.9, "OOM", 0, 6, "001", "least distance of a good aim")
    aim_good: float = par(1.0, "OOM", 0.001, 6, "001", "further distance of a good aim")
    coupling_aim: float = par(0.2, "OOM", 0, 3, "001", "what deep coupling adds")
    coupling_deep: float = par(1.0, "1", 0, 5, "001", "coupling of deep apps")
    coupling_light: float = par(0.25, "1", 0, 5, "001", "coupling of other apps")
    added_value: float = par(0.35, "quality", 0, 3, "prior", "what an app adds")
    deep_value: float = par(1.4, "times", 0.1, 10, "001", "the same of deep apps")
    absorb_width: float = par(0.06, "OOM", 0.001, 1, "prior", "how suddenly a product is absorbed")
    absorbed_limit: float = par(0.5, "share", 0, 1, "prior", "absorption at which founders think of closing")
    body: float = par(0.25, "quality", 0, 3, "001", "eyes and hands that keep an app alive without a brain")
    resolve: float = par(0.3, "1/month", 0, 10, "prior", "closing when it is hopeless")
    fading_share: float = par(0.5, "share", 0, 1, "prior", "share of peak users that counts as fading")
    rework_months: float = par(1.5, "months", 0, 24, "001", "work for a new generation at full coupling")
    rework_limit: float = par(1.2, "months", 0, 60, "prior", "rework at which rivals have overtaken")
    rework_penalty: float = par(0.5, "utility", 0, 10, "001", "users lost during rework")
    pivot_purse_months: float = par(8.0, "months", 0, 60, "prior", "money for a new product")
    pivot_rate: float = par(0.1, "1/month", 0, 0.95, "001", "chance to start over when absorbed")
    notice: float = par(0.3, "1/month", 0, 0.95, "prior", "apps that hear of another model")
    reconsider: float = par(0.12, "1/month", 0, 0.95, "prior", "apps that reconsider their base")
    switching_cost: float = par(1.0, "utility", 0, 20, "001", "cost of leaving a base at full coupling")
    switch_months: float = par(1.0, "months", 0, 24, "prior", "rework of a switch")
    multihome_margin: float = par(0.5, "utility", 0, 10, "prior", "distance at which a second base is kept")
    second_base: float = par(0.25, "share", 0, 0.5, "prior", "traffic of the second base")
    taste: float = par(0.3, "utility", 0, 5, "prior", "spread of tastes for bases")
    base_quality: float = par(6.0, "utility", 0, 50, "prior", "quality of the base")
    base_price: float = par(0.6, "utility", 0, 10, "prior", "log price of the base")
    awareness_base: float = par(0.02, "1", 0, 1, "prior", "awareness of any model")
    awareness_news: float = par(0.15, "1", 0, 5, "prior", "awareness of a new model")
    awareness_foreign: float = par(0.5, "times", 0, 1, "000", "foreign models as bases in CN")
    news_memory: float = par(3.0, "months", 0.1, 60, "prior", "life of news")
    foreign_reach: float = par(0.4, "OOM", 0, 3, "000", "how much less foreign models reach CN users")
    advantage: float = par(5.0, "utility", 0, 50, "prior", "users by what an app adds")
    ramp_months: float = par(3.0, "months", 0.1, 60, "prior", "time to become known")
    bare_weight: float = par(60.0, "apps", 0.1, 1e6, "000", "pull of the bare model, in plain apps")
    arpu_scale: float = par(1.0, "times", 0, 100, "prior", "level of app revenue")
    team: float = par(10.0, "people", 0, 1000, "prior", "team beyond three people (most)")
    overhead: float = par(0.3, "share", 0, 5, "prior", "cost beyond wages")
    eye_start: float = par(0.35, "quality", 0.05, 1, "001", "eyes at the start")
    hand_start: float = par(0.25, "quality", 0.05, 1, "001", "hands at the start")
    tool_growth: float = par(0.08, "quality/year", 0, 1, "prior", "tools improve for all")
    built_gain: float = par(0.3, "quality", 0, 1, "001", "what apps add to eyes and hands")
    built_scale: float = par(12.0, "quality", 0.1, 1000, "prior", "apps needed for that")


@dataclass
class Trust:
    """Incidents, social trust, and the interpersonal trust that it replaces."""

    start: float = par(0.5, "share", 0.05, 1, "prior", "trust at the start")
    rate: float = par(0.05, "1/year", 0, 10, "prior", "incidents of a used model")
    token_scale: float = par(50.0, "Mtok/day", 0.1, 1e6, "prior", "usage on which incidents are counted")
    filed_care: float = par(0.5, "times", 0, 1, "000", "incidents of filed services")
    culprit: float = par(0.4, "utility", 0, 10, "000", "reputation lost by the culprit")
    everybody: float = par(0.004, "share", 0, 1, "000", "trust lost by all")
    build: float = par(0.4, "1/year", 0, 10, "000", "trust built by regulation")
    unruled: float = par(0.3, "share", 0, 1, "prior", "what authorities can do before services need a licence")
    build_row: float = par(0.5, "share", 0, 1, "prior", "strength of rules in ROW")
    least: float = par(0.05, "share", 0, 0.5, "prior", "trust that remains")
    memory: float = par(6.0, "months", 0.5, 60, "prior", "memory of incidents")
    substitution: float = par(1.5, "1", 0, 10, "000", "weight of reputation with what social trust lacks")
    neutral: float = par(0.65, "share", 0, 1, "prior", "social trust at which reputation has its plain weight")
    permission: float = par(0.2, "share", 0, 1, "001", "rights granted to an app or model without any trust")


@dataclass
class Licensing:
    """Filing of services, stance of authorities."""

    needed: float = par(1.0, "times", 0, 1, "002", "how far the public is closed to services that are not filed")
    gate_opens: float = par(0.1, "1", 0, 1, "002", "hype from the first services that are filed")
    filed_reputation: float = par(0.1, "utility", 0, 5, "000", "reputation that a filing confers")
    provincial_months: float = par(1.5, "months", 0, 24, "facts: filing_months", "provincial stage")
    least_months: float = par(3.0, "months", 0, 24, "facts: filing_months", "both stages at the quickest")
    app_months: float = par(3.0, "months", 0, 24, "facts: filing_months", "the same for apps")
    strict_delay: float = par(3.0, "times", 0, 20, "prior", "delay with stringency beyond 0.5")
    quickest: float = par(0.4, "times", 0.05, 1, "prior", "shortest stages where stringency is low")
    app_applies: float = par(0.12, "1/month", 0, 0.95, "facts: filings_cn", "public apps that apply")
    stance_pace: float = par(0.3, "1/month", 0, 0.95, "000", "governance moves slowly")
    incident_response: float = par(0.05, "1/incident", 0, 1, "prior", "adaptive content authority")
    gap_response: float = par(0.5, "1", 0, 1, "prior", "adaptive export authority")
    dominance: float = par(0.25, "share", 0, 1, "prior", "share of use at home from which a lab is dominant")
    dominance_fine: float = par(0.3, "share", 0, 5, "prior", "fine on revenue, for a share of all, at full stringency")
    hhi_response: float = par(2.0, "1", 0, 5, "prior", "adaptive competition authority")


@dataclass
class Compliance:
    """What the law costs: content, tainted data, suits, data across the border."""

    content_team: float = par(
        0.6, "CNY million/year", 0, 1000, "000", "people who answer for the content of a filed service"
    )
    content_duty: float = par(0.5, "times", 0, 5, "000", "checks of what a filed service says, in cost of light tokens")
    tainted: float = par(0.5, "1/year", 0, 10, "000", "usage data that turns out tainted and is thrown away")
    suit_rate: float = par(0.05, "1/year", 0, 10, "000", "suits over training data, at the usage where it is counted")
    suit_scale: float = par(1000.0, "Mtok/day", 0.1, 1e7, "prior", "usage on which suits are counted")
    tainted_suits: float = par(1.0, "times", 0, 20, "000", "what hoarded usage data adds to suits")
    damages: float = par(0.06, "share", 0, 10, "prior", "damages, of a year's revenue")
    least_damages: float = par(2.0, "CNY million", 0, 1000, "prior", "least damages")
    suit_reputation: float = par(0.1, "utility", 0, 5, "000", "reputation lost in a suit")
    levy_peace: float = par(0.05, "share", 0.0001, 1, "prior", "levy at which two thirds of the suits fall away")
    foreign_cut: float = par(0.6, "1/year", 0, 20, "000", "apps on foreign APIs cut off, under the full rule")
    foreign_risk: float = par(0.05, "share", 0, 1, "000", "revenue of such an app that legal risk costs")
