"""Codes of coded columns and their names: regions, archetypes, modes, openness, filing, exits, talent."""

from __future__ import annotations

REGIONS = ("CN", "ROW")


CN, ROW = range(2)


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


MODES = ("from_scratch", "open_base", "app_company")


FROM_SCRATCH, OPEN_BASE, APP_COMPANY = range(3)


OPENNESS = ("closed", "light_open", "all_open")


CLOSED, LIGHT_OPEN, ALL_OPEN = range(3)


FILING = ("none", "provincial", "central", "filed")


NOT_APPLIED, PROVINCIAL, CENTRAL, FILED = range(4)


EXITS = ("", "insolvent", "parent_withdrew", "acquired", "turned_to_apps")


ALIVE, INSOLVENT, PARENT_WITHDREW, ACQUIRED, TO_APPS = range(5)


#: Kinds of staff, in the order of every talent array.
TALENT = ("infra", "scaling", "research", "application")


INFRA, SCALING, RESEARCH, APPLICATION = range(4)


#: Lengths of training runs that a lab weighs, months (nobody endures more than ``training.longest_run``: M24).
RUN_MONTHS = (1.0, 2.0, 3.0, 4.5, 6.0, 12.0)


#: Capability of a model that does not exist.
NO_MODEL = -3.0


#: Compute of the least run that is worth the name, FLOP.
LEAST_RUN = 1e17


NOBODY = -1
