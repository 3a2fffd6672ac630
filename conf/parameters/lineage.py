"""Parameters of hidden lineage and of exploration."""

from dataclasses import dataclass

from baimo.conf.declare import par


@dataclass
class Lineage:
    """Passing a model on open weights off as one's own."""

    hiding: float = par(0.4, "share", 0, 1, "002", "firms that would hide on whose weights they build")
    claim_reputation: float = par(0.05, "utility", 0, 2, "prior", "reputation that a model of one's own seems to earn")
    exposed_rate: float = par(0.4, "1/year", 0, 20, "prior", "being found out, at little use")
    exposed_share: float = par(0.002, "share", 1e-6, 1, "prior", "share of use at which that is half again as likely")
    exposed_reputation: float = par(0.4, "utility", 0, 5, "prior", "reputation lost by being found out")


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
