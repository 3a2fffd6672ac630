"""Mechanisms of regulation and trust: how each is taken out and where it shows."""

from baimo.conf.mechanisms.base import Mechanism

REGULATION = (
    Mechanism(
        "M05",
        "social_trust",
        "social trust, built by regulation and hurt by incidents, substitutes interpersonal trust",
        "000",
        off={
            "trust.culprit": 0.0,
            "trust.everybody": 0.0,
            "trust.build": 0.0,
            "trust.substitution": 0.0,
            "trust.permission": 1.0,
        },
        shows=("trust_cn", "hhi_users_cn", "consumer_surplus_cn"),
    ),
    Mechanism(
        "M06",
        "compliance",
        "content duty, contaminated data, cross-border APIs and copyright cost",
        "000",
        off={
            "compliance.content_team": 0.0,
            "compliance.content_duty": 0.0,
            "compliance.tainted": 0.0,
            "compliance.suit_rate": 0.0,
            "compliance.border": 0.0,
            "compliance.foreign_cut": 0.0,
            "compliance.foreign_risk": 0.0,
        },
        shows=("compliance_cost_cn", "suits_cn", "apps_on_foreign_cn"),
    ),
    Mechanism(
        "M41",
        "licensing",
        "filing opens the market, service by service",
        "002",
        off={"licensing.needed": 0.0, "licensing.gate_opens": 0.0, "licensing.filed_reputation": 0.0},
        shows=("models_filed_cn", "public_filed_share_cn", "trust_cn", "hype"),
    ),
)
