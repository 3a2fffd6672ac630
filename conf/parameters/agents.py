"""Decision rules of labs: those of the model (``model``), or random feasible ones.

A random rule shows the contribution of a decision: what does not change when it is drawn at random
is due to the markets around it (Gode and Sunder 1993, "zero intelligence").
"""

from dataclasses import dataclass

from baimo.conf.declare import par


@dataclass
class Decisions:
    """Rules of decision that can be replaced by random ones."""

    planning: str = par("model", "name", 0, 0, "MODEL", "whether, how long and on what base to train: model or random")
    pricing: str = par("model", "name", 0, 0, "MODEL", "prices of models: model or random")
    openness: str = par("model", "name", 0, 0, "MODEL", "what is opened of a release: model or random")
    launch_chance: float = par(0.5, "share/month", 0, 1, "prior", "random planning: chance that an idle lab launches")
    price_ceiling: float = par(3.0, "times", 1, 1000, "prior", "random pricing: highest price over the going one")


#: Values that words may take.
RULE_WORDS: dict[str, tuple[str, ...]] = {
    f"decisions.{name}": ("model", "random") for name in ("planning", "pricing", "openness")
}
