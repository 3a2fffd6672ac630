"""Codes of coded columns and their names.

A coded column holds the position of a name in its tuple: ``labs.mode == OPEN_BASE``.
"""

from __future__ import annotations

from baimo.conf.declare import CN as CN
from baimo.conf.declare import MISSING as MISSING
from baimo.conf.declare import REGIONS as REGIONS
from baimo.conf.declare import ROW as ROW

# ---------------------------------------------------------------------- all agents


#: Capability of a model that does not exist.
NO_MODEL = -3.0

#: Kinds of staff, in the order of every talent array.
TALENT = ("infra", "scaling", "research", "application")
INFRA, SCALING, RESEARCH, APPLICATION = range(4)

# ---------------------------------------------------------------------- labs

ARCHETYPES = (
    "frontier",
    "open_champion",
    "challenger",
    "big_tech",
    "unicorn",
    "academic",
    "vertical",
    "follower",
)
FRONTIER, OPEN_CHAMPION, CHALLENGER, BIG_TECH, UNICORN, ACADEMIC, VERTICAL, FOLLOWER = range(8)

#: Firms with a cloud and products of their own beside their models.
CLOUD_OWNERS = (FRONTIER, BIG_TECH)
#: Firms whose chips and models serve products of their own first.
PRODUCT_OWNERS = (BIG_TECH, OPEN_CHAMPION)

#: What labs earn with: tokens sold, subscriptions, users of the parent's products, engineers' days, weights that others
#: wrote and they serve, and the rest of the own cloud.
REVENUE = ("api", "subscriptions", "attention", "projects", "hosting", "cloud")
API_SALES, SUBSCRIPTIONS, ATTENTION, PROJECTS, HOSTING, CLOUD_PULL = range(6)

MODES = ("from_scratch", "open_base", "app_company")
FROM_SCRATCH, OPEN_BASE, APP_COMPANY = range(3)

OPENNESS = ("closed", "light_open", "all_open")
CLOSED, LIGHT_OPEN, ALL_OPEN = range(3)

FILING = ("none", "provincial", "central", "filed")
NOT_APPLIED, PROVINCIAL, CENTRAL, FILED = range(4)

LAB_EXITS = ("", "parent_withdrew", "insolvent", "acquired", "turned_to_apps", "gave_up")
APP_EXITS = ("", "absorbed", "insolvent", "outdated")
#: ALIVE and INSOLVENT are the same code for labs and for apps.
ALIVE, PARENT_WITHDREW, INSOLVENT, ACQUIRED, TO_APPS, GAVE_UP = range(6)
ABSORBED, OUTDATED = 1, 3

#: Lengths of training runs that a lab weighs, months.
RUN_MONTHS = (1.0, 2.0, 3.0, 4.5, 6.0, 9.0, 12.0)

#: Compute of the smallest training run, FLOP.
LEAST_RUN = 1e17

# ---------------------------------------------------------------------- apps

APP_PRODUCTS = ("wrapper", "deep", "platform")
WRAPPER, DEEP, PLATFORM_APP = range(3)

APP_SOURCES = ("api", "open_model", "own_small_model")
API, OPEN_MODEL, OWN_MODEL = range(3)

APP_AIMS = ("poor", "deep", "fair", "good")
POOR, POOR_DEEP, FAIR, GOOD = range(4)

APP_MODALITIES = ("text", "image", "speech")
TEXT, IMAGE, SPEECH = range(3)

APP_ANSWERS = ("newcomer", "add", "remake", "leave")
NEWCOMER, ADD, REMAKE, LEAVE = range(4)

# ---------------------------------------------------------------------- vendors, investors, regulators

VENDOR_KINDS = ("chipmaker", "cloud", "compute_centre", "platform", "hub")
CHIPMAKER, CLOUD, CENTRE, PLATFORM, HUB = range(5)

#: Who builds the common software platform.
BUILDERS = ("private", "state", "operator")

INVESTOR_KINDS = ("young_vc", "senior_vc", "strategic", "state_fund", "follow_on")
YOUNG_VC, SENIOR_VC, STRATEGIC, STATE_FUND, FOLLOW_ON = range(5)

REGULATOR_KINDS = ("content", "industry", "export_control", "competition")
CONTENT, INDUSTRY, EXPORT_CONTROL, COMPETITION = range(4)
