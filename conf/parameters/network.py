"""Parameters of the graph: acquaintance, awareness and supply relations."""

from dataclasses import dataclass

from baimo.conf.declare import par


@dataclass
class Graph:
    """Topology of acquaintance and lifetime of ties."""

    topology: str = par(
        "small_world", "name", 0, 0, "MODEL", "small_world, scale_free, blocks, complete, empty or graphml"
    )
    degree: int = par(8, "ties", 0, 10000, "prior", "mean number of acquaintances")
    rewiring: float = par(0.1, "share", 0, 1, "prior", "rewired ties, or ties across blocks")
    places: int = par(256, "labs", 16, 65536, "prior", "labs among whom acquaintance is drawn at once")
    path: str = par("", "file", 0, 0, "", "GraphML file")
    common: bool = par(False, "flag", 0, 1, "prior", "one graph for all worlds")
    shuffled: bool = par(True, "flag", 0, 1, "prior", "places are assigned at random")
    most_ties: int = par(32, "ties", 1, 4096, "prior", "upper bound of acquaintances")
    notice_months: float = par(2.0, "months", 0, 24, "prior", "time in which a release becomes known without ties")
    supply_priority: float = par(0.3, "1", 0, 10, "prior", "priority in rationing from past purchases")
    supply_memory: float = par(9.0, "months", 0.5, 120, "prior", "time constant of a supply relation")
