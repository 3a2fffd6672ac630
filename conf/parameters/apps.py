"""Parameters of the market for apps."""

from dataclasses import dataclass

from baimo.conf.declare import par


@dataclass
class AppMarket:
    """Founding, bases, absorption, exit and staff of apps."""

    start: int = par(120, "apps", 0, 4000000, "prior", "apps at the start")
    entry_base: float = par(
        40.0, "apps/month", 0, 1e6, "PRIORS: 1,000 alive", "rate of founding, without hype and crowding"
    )
    entry_hype: float = par(1.5, "1", 0, 10, "prior", "semi-elasticity of founding with hype")
    entry_level: float = par(0.2, "OOM", -3, 6, "prior", "capability from which apps are founded")
    entry_floor: float = par(0.3, "OOM", 0, 6, "prior", "founding below that level, in equivalent capability")
    entry_reach: float = par(3.0, "OOM", 0, 9, "prior", "capability beyond that level from which founding is constant")
    crowd: float = par(600.0, "apps", 1, 1e7, "prior", "number of apps at which crowding halves founding")
    purse: float = par(2.0, "CNY million", 0.01, 1000, "facts: round_typical", "median of the founders' money")
    purse_sigma: float = par(0.7, "1", 0, 3, "prior", "log standard deviation of the founders' money")
    share_incumbent: float = par(0.15, "share", 0, 1, "002", "share of incumbent software firms among founders")
    incumbent_purse: float = par(6.0, "times", 1, 100, "002", "founders' money of incumbents, relative to others")
    incumbent_customers: float = par(2.0, "times", 1, 100, "002", "income of incumbents a user, relative to others")
    incumbent_known: float = par(6.0, "months", 0, 60, "002", "head start of incumbents in awareness")
    old_tools_doubt: float = par(
        1.0, "1/utility", 0, 20, "004", "decline of conviction with the quality of the old tools"
    )
    old_tools_middle: float = par(
        1.4, "utility", -10, 10, "prior", "quality of the old tools at which conviction is neutral"
    )
    remake_bar: float = par(
        0.7, "standard deviations", 0, 50, "004", "conviction above which an incumbent remakes its product"
    )
    leave_bar: float = par(
        1.2, "standard deviations", 0, 50, "004", "negative conviction beyond which an incumbent stays out"
    )
    remake_value: float = par(1.45, "times", 0.1, 10, "004", "value added by a remade product, relative to others")
    remake_months: float = par(4.0, "months", 0, 60, "004", "time to market of a remade product")
    share_wrapper: float = par(0.55, "share", 0, 1, "001", "share of wrappers among products")
    share_platform: float = par(0.1, "share", 0, 1, "001", "share of platforms among products")
    share_brain: float = par(0.75, "share", 0, 1, "001", "share of apps that add in the brain")
    share_single: float = par(0.12, "share", 0, 1, "001", "share of products in one modality, image or speech")
    share_image: float = par(0.65, "share", 0, 1, "prior", "share of images among those")
    share_api: float = par(0.7, "share", 0, 1, "003", "share of apps on APIs")
    share_open: float = par(0.2, "share", 0, 1, "003", "share of apps on tuned open models")
    own_model_calls: float = par(
        0.3, "share", 0, 1, "003", "share of calls that an app with an own or tuned model still buys"
    )
    share_poor: float = par(0.6, "share", 0, 1, "001", "share of products with a poor aim")
    share_good: float = par(0.15, "share", 0, 1, "001", "share of products with a good aim")
    aim_poor: float = par(0.05, "OOM", 0.001, 3, "001: 3 months", "mean distance of a poor aim")
    aim_middle: float = par(0.75, "OOM", 0.001, 3, "001: 12 months", "mean further distance of a fair aim")
    aim_good_least: float = par(0.9, "OOM", 0, 6, "001", "least distance of a good aim")
    aim_good: float = par(1.0, "OOM", 0.001, 6, "001", "mean further distance of a good aim")
    coupling_aim: float = par(0.25, "OOM", 0, 3, "001: 6 months", "further distance of the aim by deep coupling")
    coupling_deep: float = par(1.0, "1", 0, 5, "001", "coupling of deep apps")
    coupling_light: float = par(0.25, "1", 0, 5, "001", "coupling of other apps")
    added_value: float = par(0.35, "quality", 0, 3, "prior", "value that an app adds")
    added_least: float = par(0.5, "times", 0, 5, "prior", "least factor on the value added; the most is one more")
    deep_value: float = par(1.4, "times", 0.1, 10, "001", "value added by deep apps, relative to others")
    brain_of_body: float = par(
        0.3, "share", 0, 1, "001", "share of its value that an app of eyes and hands adds in the brain"
    )
    body_of_brain: float = par(
        0.1, "share", 0, 1, "001", "share of its value that an app of the brain adds in eyes and hands"
    )
    body_value: float = par(0.5, "share", 0, 1, "001", "share of its value that an app of eyes and hands adds there")
    lesser_limb: float = par(
        0.4, "share", 0, 1, "prior", "value in the lesser of eye and hand, relative to the greater"
    )
    absorption: float = par(1.0, "share", 0, 1, "000", "share of an app's value in the brain that models absorb")
    absorb_width: float = par(0.06, "OOM", 0.001, 1, "prior", "scale of the logistic of absorption")
    body_absorbed: float = par(0.0, "share", 0, 1, "001", "share of eyes and hands absorbed with the brain")
    absorbed_limit: float = par(0.5, "share", 0, 1, "prior", "absorption above which founders consider to close")
    body: float = par(0.25, "quality", 0, 3, "001", "eyes and hands above which an absorbed app stays open")
    resolve: float = par(1.0, "1/month", 0, 10, "prior", "hazard of closing once absorbed")
    fading_share: float = par(0.5, "share", 0, 1, "prior", "share of peak users that counts as fading")
    multimodal_level: float = par(3.3, "OOM", -3, 9, "001", "capability from which new models are natively multimodal")
    multimodal_pace: float = par(
        0.15, "1/month", 0, 0.95, "prior", "rate of diffusion of multimodal models among users"
    )
    multimodal_shock: float = par(
        1.0, "share", 0, 1, "001", "share that multimodal models absorb of single-modality products"
    )
    multimodal_eyes: float = par(0.1, "quality", 0, 1, "001", "eyes that multimodal models add in every segment")
    rework_months: float = par(2.5, "months", 0, 24, "001", "rework for a new generation, at full coupling")
    rework_scale: float = par(1.5, "months", 0.01, 60, "prior", "rework at which the penalty counts once")
    rework_most: float = par(2.0, "times", 0, 20, "prior", "upper bound of the rework penalty, in multiples")
    rework_limit: float = par(1.3, "months", 0, 60, "prior", "rework beyond which rivals have overtaken")
    rework_resolve: float = par(0.2, "1/month", 0, 10, "prior", "hazard of closing once overtaken")
    rework_penalty: float = par(0.8, "utility", 0, 10, "001", "disutility to users during rework")
    retraining: float = par(
        0.3, "CNY million/month", 0, 1000, "prior; 001", "what an app pays for a month of rework on a model of its own"
    )
    retraining_bought: float = par(0.2, "share", 0, 1, "prior", "share of that which rework on a bought model costs")
    pivot_purse_months: float = par(8.0, "months", 0, 60, "prior", "months of cost in cash that a pivot needs")
    pivot_rate: float = par(0.05, "1/month", 0, 0.95, "001", "hazard of a pivot once absorbed")
    pivot_months: float = par(1.5, "months", 0, 24, "prior", "rework of a pivot")
    notice: float = par(0.3, "1/month", 0, 0.95, "prior", "rate at which apps hear of another model")
    reconsider: float = par(0.12, "1/month", 0, 0.95, "prior", "rate at which apps reconsider their base")
    switching_cost: float = par(1.0, "utility", 0, 20, "001", "switching cost at full coupling")
    switch_months: float = par(1.0, "months", 0, 24, "prior", "rework of a switch at full coupling")
    multihome_margin: float = par(
        0.5, "utility", 0, 10, "prior", "utility gap to the best up to which a second base is kept"
    )
    second_base: float = par(0.25, "share", 0, 0.5, "prior", "share of traffic on the second base")
    taste: float = par(0.3, "utility", 0, 5, "prior", "scale of the Gumbel taste for bases")
    base_quality: float = par(6.0, "utility", 0, 50, "prior", "weight of the quality of the base")
    base_price: float = par(0.6, "utility", 0, 10, "prior", "coefficient of the log price of the base")
    open_fit: float = par(3.0, "utility", 0, 20, "003", "utility of open weights to apps that tune")
    rival_owner: float = par(6.0, "utility", 0, 20, "001", "disutility of a base whose owner competes with apps")
    hub_hold: float = par(1.5, "utility", 0, 20, "001", "utility of a hub where open weights are tuned and deployed")
    awareness_foreign: float = par(
        0.5, "times", 0, 1, "000", "awareness of foreign models in CN, relative to home ones"
    )
    foreign_reach: float = par(0.4, "OOM", 0, 3, "000", "discount on the capability of foreign models for users in CN")
    advantage: float = par(
        5.0, "utility", 0, 50, "prior", "weight of an app's advantage over the bare model in users' choice"
    )
    ramp_months: float = par(3.0, "months", 0.1, 60, "prior", "time constant of becoming known")
    listing: float = par(
        2.0,
        "times",
        0,
        20,
        "prior",
        "speed at which apps become known, added where all app users are on platforms",
    )
    commission: float = par(
        0.2, "share", 0, 1, "prior", "share that platforms keep of what the apps that they list earn by their users"
    )
    bare_weight: float = par(60.0, "apps", 0.1, 1e6, "000", "weight of the bare model in users' choice, in plain apps")
    arpu_scale: float = par(1.0, "times", 0, 100, "prior", "factor on revenue a user")
    founders: float = par(3.0, "people", 0, 100, "prior", "team at the founding of an app")
    team: float = par(10.0, "people", 0, 1000, "prior", "largest team beyond the founders")
    tuners: float = par(6.0, "people", 0, 1000, "003", "engineers who tune an own or an open model, in an app")
    tuned_value: float = par(
        0.1, "quality", 0, 3, "003", "quality that tuning adds where the general model falls short"
    )
    tuned_width: float = par(0.3, "OOM", 0.01, 3, "prior", "scale of the logistic by which that fades")
    buy_margin: float = par(1.3, "OOM", -3, 6, "003", "lead over a segment's threshold above which a model is bought")
    buy_privacy: float = par(0.8, "OOM", 0, 6, "004", "further lead where data may not leave")
    buy_pace: float = par(0.15, "1/month", 0, 0.95, "003", "rate at which makers turn to buying above that lead")
    buy_at_once: float = par(0.5, "share", 0, 1, "003", "share of founders who buy from the start above that lead")
    overhead: float = par(0.3, "share", 0, 5, "prior", "cost beyond wages, relative to wages")
    eye_start: float = par(0.35, "quality", 0.05, 1, "001", "eyes at the start")
    hand_start: float = par(0.25, "quality", 0.05, 1, "001", "hands at the start")
    least_limb: float = par(0.05, "quality", 0.001, 1, "prior", "lower bound of eyes and hands")
    tool_growth: float = par(0.08, "quality/year", 0, 1, "prior", "growth of eyes and hands by general tools")
    built_gain: float = par(0.3, "quality", 0, 1, "001", "upper bound of what apps add to eyes and hands")
    built_scale: float = par(12.0, "quality", 0.1, 1000, "prior", "e-folding of what apps have built in eyes and hands")
    built_abroad: float = par(0.5, "share", 0, 1, "prior", "share of it that is built in ROW")
