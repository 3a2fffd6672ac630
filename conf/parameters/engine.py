"""Parameters of the populations: how many rows they have."""

from dataclasses import dataclass

from baimo.conf.declare import par


@dataclass
class PopulationSize:
    """Rows of the populations."""

    labs: int = par(128, "rows", 64, 65536, "ARCHITECTURE", "rows of labs to start with (a multiple of 64)")
    max_labs: int = par(1024, "rows", 64, 65536, "ARCHITECTURE", "rows of labs at most")
    apps: int = par(256, "rows", 64, 4194304, "ARCHITECTURE", "rows of apps to start with (a multiple of 64)")
    most_new_labs: int = par(40, "labs/step", 1, 128, "ARCHITECTURE", "labs of one archetype founded in a step at most")
    most_new_apps: int = par(400, "apps/step", 1, 100000, "ARCHITECTURE", "apps founded in a step at most")
    max_apps: int = par(8192, "rows", 64, 4194304, "ARCHITECTURE", "rows of apps at most")
