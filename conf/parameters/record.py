"""Parameters of the output columns; the market does not read them."""

from dataclasses import dataclass

from baimo.conf.declare import par


@dataclass
class Measures:
    """Reference levels of the output columns; the market does not read them."""

    flagship_reach: float = par(
        0.35, "OOM", 0, 6, "prior", "distance to the home frontier within which a price counts as a flagship's"
    )
    launch_months: float = par(2.0, "months", 0.1, 24, "001", "length of the run whose cost is followed over time")
    early_months: float = par(6.0, "months", 0.5, 60, "002", "age up to which the income of an app counts as early")
    gpt35_level: float = par(1.7, "OOM", -3, 9, "PRIORS: capability path", "capability that counts as GPT-3.5")
    gpt4_level: float = par(2.7, "OOM", -3, 9, "PRIORS: capability path", "capability that counts as GPT-4")
