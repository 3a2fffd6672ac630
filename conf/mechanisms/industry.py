"""Mechanisms of the industry: entry and organisation: how each is taken out and where it shows."""

from baimo.conf.mechanisms.base import Mechanism

INDUSTRY = (
    Mechanism(
        "M28",
        "organisation_drift",
        "product work drains research in small labs; big ones integrate fast, but approve what is sensitive slowly",
        "001",
        off={
            "organisation.revenue": 0.0,
            "organisation.big_tech_claim": 0.0,
            "talent.leave_split": 0.0,
            "organisation.integration": 1.0,
            "organisation.approval": 0.0,
        },
        shows=("staff_left_cn", "labs_in_approval_cn", "labs: product_share", "labs: capability"),
    ),
    Mechanism(
        "M48",
        "easy_entry",
        "openness, infrastructure and capital make entry easy",
        "004",
        off={"entry_exit.entry_elasticity": 0.0},
        shows=("lab_entries_cn", "labs_alive_cn"),
    ),
)
