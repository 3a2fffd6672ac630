"""Mechanisms of the market for apps: how each is taken out and where it shows."""

from baimo.conf.mechanisms.base import Mechanism

APPS = (
    Mechanism(
        "M15",
        "absorption",
        "apps are alike, and the model may take their place",
        "000",
        off={"app_market.absorption": 0.0},
        shows=("app_deaths_absorbed_cn", "app_survival_6_months_share", "app_users_share_cn"),
    ),
    Mechanism(
        "M25",
        "multimodal_shock",
        "multimodal models destroy single-modality firms, and to rebuild on a new base costs money",
        "001",
        off={
            "app_market.multimodal_shock": 0.0,
            "app_market.multimodal_eyes": 0.0,
            "app_market.retraining": 0.0,
        },
        shows=("app_deaths_single_modality_cn", "apps_single_modality_cn", "app_retraining_cost_cn"),
    ),
    Mechanism(
        "M27",
        "rework",
        "coupling to one base hurts at the next generation",
        "001",
        off={"app_market.rework_months": 0.0, "app_market.switch_months": 0.0},
        shows=("app_deaths_outdated_cn",),
    ),
    Mechanism(
        "M29",
        "lifelines",
        "apps live three, six, twelve months or long, by a hidden aim, and so do platforms, which list the others",
        "001",
        off={
            "app_market.share_poor": 0.0,
            "app_market.share_good": 1.0,
            "app_market.listing": 0.0,
            "app_market.commission": 0.0,
        },
        shows=("app_survival_6_months_share", "app_survival_median_months", "apps: aim_class"),
    ),
    Mechanism(
        "M30",
        "eye_brain_hand",
        "what an app adds in the eye or the hand is not absorbed with the brain",
        "001",
        off={"app_market.body_absorbed": 1.0},
        shows=("app_deaths_absorbed_cn", "apps_alive_cn"),
    ),
    Mechanism(
        "M40",
        "incumbents",
        "software firms with customers profit early",
        "002",
        off={
            "app_market.incumbent_purse": 1.0,
            "app_market.incumbent_customers": 1.0,
            "app_market.incumbent_known": 0.0,
        },
        shows=(
            "app_incumbents_profit_lead_cn",
            "app_deaths_insolvent_cn",
            "app_survival_6_months_share",
            "apps: incumbent",
        ),
        # Where most founders are software firms, all apps live longer.
        scenario=("app_market.share_incumbent=0.6",),
    ),
    Mechanism(
        "M44",
        "displacement",
        "engineers who tune small models are displaced, and make or buy is weighed again",
        "003",
        off={"app_market.buy_pace": 0.0, "app_market.buy_at_once": 0.0, "revenue.tuned": 0.0},
        shows=("engineers_displaced_cn", "engineers_displaced_labs_cn", "app_on_api_share_cn"),
    ),
    Mechanism(
        "M54",
        "remake_or_add",
        "incumbents remake their products, add to them, or leave",
        "004",
        off={"app_market.remake_bar": 50.0, "app_market.leave_bar": 50.0},
        shows=("app_incumbents_remade_cn", "app_incumbents_left_cn", "apps: answer"),
    ),
    Mechanism(
        "M67",
        "unused_model",
        "an unused model drives its lab into products, against its customers, and out of data",
        "001",
        off={"organisation.unused": 0.0, "app_market.rival_owner": 0.0, "technology.usage_lost": 0.0},
        shows=(
            "product_share_unused_cn",
            "labs: product_share",
            "labs: tokens_api",
            "labs: usage_data",
            "labs: from_use",
        ),
    ),
    Mechanism(
        "M68",
        "tuning_hub",
        "the hub where models are tuned is the moat, and open licences are broken",
        "001 003",
        off={
            "app_market.hub_hold": 0.0,
            "model_market.hub_private": 0.0,
            "hub.platform": 0.0,
            "openness.licence_kept": 1.0,
        },
        shows=("app_tuned_at_hub_share_cn", "hub_strength_cn", "labs: revenue"),
    ),
)
