"""Policy instruments by group (their values stand in ``conf/policy/<group>``), and the pace layers.

The defaults of every field are *no policy*. A group holds from ``since`` (from the first month
where null) to before ``until``; groups with a schedule of their own carry the dates in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from baimo.conf.declare import par

#: An ISO date.
Date = str | None
#: Entries with a ``date`` each, and with ``announced`` and ``until`` where those apply.
Schedule = list[Any]


@dataclass
class Dated:
    """Dates of a group in force from ``since`` to before ``until``."""

    since: Date = None
    until: Date = None


@dataclass
class Embargo:
    """Dated chip rules, their enforcement, memory control, clouds abroad, listed firms."""

    rules: Schedule = field(default_factory=list)
    enforcement: Schedule = field(default_factory=list)
    memory_control: Date = None
    cloud_rule: Date = None
    listed: Schedule = field(default_factory=list)


@dataclass
class OpenSource(Dated):
    """Rules and subsidies of open releases."""

    champion: str = "free"
    mandate_above: float | None = None
    subsidy: float = par(0.0, "1", -5, 5, "prior", "weight of the subsidy in the return of an open release in CN")
    subsidy_paid: float = par(0.0, "CNY million/release", 0, 10000, "prior", "subsidy of an open release")
    ban: bool = False


@dataclass
class LicensingPolicy:
    """Phases of the filing of services; wrappers of foreign models."""

    opens: Date = None
    phases: Schedule = field(default_factory=list)
    wrapper_ban: Date = None


@dataclass
class ComputePolicy(Dated):
    """Vouchers, public centres, the platform and its builder, priority in allocation."""

    vouchers: float = par(0.0, "CNY million/year", 0, 1e6, "prior", "compute vouchers for small labs and universities")
    centres: float = par(0.0, "CNY million/year", 0, 1e6, "prior", "further spending on public compute centres")
    builder: str = "private"
    builder_budget: float = par(0.0, "CNY million/year", 0, 1e6, "prior", "public money for the platform")
    priority_gap: float = par(0.7, "OOM", 0, 5, "prior", "distance to the frontier at home of a leading lab")
    priority: float = par(0.0, "times", 0, 100, "prior", "priority of the leading labs in rationing")


@dataclass
class IndustrialPolicy(Dated):
    """Support of domestic chips."""

    chip_subsidy: float = par(0.0, "share", 0, 0.9, "prior", "share of the price of domestic chips paid by the state")
    procurement_quota: float = par(0.0, "share", 0, 1, "prior", "share of purchases for rent that must be domestic")
    yield_programme: float = par(0.0, "1", 0, 20, "prior", "further learning of domestic fabs")
    spending: float = par(0.0, "CNY million/year", 0, 1e6, "prior", "public cost of the yield programme")


@dataclass
class CapitalPolicy(Dated):
    """Guidance fund, cooling of private funding, merger rule."""

    guidance_fund: float = par(0.0, "CNY million/year", 0, 1e6, "prior", "public money for state funds")
    cooling: float = par(0.0, "share", 0, 1, "prior", "share of private money held back")
    merger_rule: str = "free"


@dataclass
class MarketPolicy(Dated):
    """Price floor, interoperability, antitrust."""

    floor: float = par(0.0, "CNY/Mtok", 0, 1000, "prior", "lower bound of list prices in CN")
    interoperability: float = par(0.0, "share", 0, 1, "prior", "share of switching costs removed")
    antitrust: float = par(0.0, "share", 0, 1, "prior", "share of owners' power over captive customers removed")


@dataclass
class DataPolicy(Dated):
    """Public corpus, copyright levy, cross-border rule."""

    public_corpus: float = par(0.0, "times", 0, 100, "prior", "unique tokens that a public corpus adds for labs in CN")
    corpus_cost: float = par(0.0, "CNY million/year", 0, 1e6, "prior", "public cost of the corpus")
    copyright_levy: float = par(0.0, "share", 0, 1, "prior", "levy on the revenue of models, paid to owners of rights")
    cross_border: Schedule = field(default_factory=list)


@dataclass
class TalentPolicy(Dated):
    """Training programme, limits to mobility."""

    training: float = par(0.0, "people/year", 0, 1e6, "prior", "people trained by a public programme in CN")
    training_cost: float = par(0.3, "CNY million/person", 0, 100, "prior", "public cost of training one")
    mobility_limit: float = par(0.0, "share", 0, 1, "prior", "share of moves between labs in CN that is barred")


@dataclass
class TechnologyPolicy(Dated):
    """Scenarios of technology: the end of scaling, a breakthrough, multimodality, devices.

    ``scaling_ends``, ``breakthrough`` and ``multimodal`` are dates; without a ``scaling_ceiling``
    (FLOP) scaling ends at the largest run done by then. ``edge_growth`` holds from ``since`` on.
    """

    scaling_ends: Date = None
    scaling_ceiling: float | None = None
    breakthrough: Date = None
    breakthrough_gain: float = par(0.5, "OOM", 0, 5, "prior", "effective compute that a breakthrough adds, once known")
    multimodal: Date = None
    edge_growth: float = par(0.0, "1/year", -2, 5, "prior", "further progress of chips in devices")


@dataclass
class PolicyGroups:
    """All policy groups."""

    embargo: Embargo = field(default_factory=Embargo)
    open_source: OpenSource = field(default_factory=OpenSource)
    licensing: LicensingPolicy = field(default_factory=LicensingPolicy)
    compute: ComputePolicy = field(default_factory=ComputePolicy)
    industrial: IndustrialPolicy = field(default_factory=IndustrialPolicy)
    capital: CapitalPolicy = field(default_factory=CapitalPolicy)
    market: MarketPolicy = field(default_factory=MarketPolicy)
    data: DataPolicy = field(default_factory=DataPolicy)
    talent: TalentPolicy = field(default_factory=TalentPolicy)
    technology: TechnologyPolicy = field(default_factory=TechnologyPolicy)
    news: Schedule = field(default_factory=list)


@dataclass
class Pace:
    """Time scales of the pace layers, and costs of regulating one at the pace of another."""

    fashion: float = par(3.0, "months", 0.1, 60, "000 001", "lifetime of a fashion among apps")
    commerce: float = par(3.0, "months", 0.1, 60, "000", "reporting interval of business")
    infrastructure: float = par(36.0, "months", 1, 600, "000", "payback time of a fab or a grid")
    governance: float = par(1.0, "months", 0.1, 120, "000", "interval between sessions of authorities")
    culture: float = par(24.0, "months", 1, 1200, "000", "time constant of habits of trust")
    shut_out: float = par(0.8, "share", 0, 1, "000", "share of its public that an app cannot reach before it is filed")
    late: float = par(
        0.6, "utility", 0, 10, "001", "disutility of each fashion that passed while an app waited to be filed"
    )
    late_most: float = par(2.0, "fashions", 0, 20, "prior", "waiting beyond which that disutility is constant")
    pull: float = par(
        1.0, "1", 0, 10, "prior", "elasticity of the growth of fabs to orders over output, as they see them"
    )
    short_returns: float = par(0.1, "share", 0, 1, "000", "share of the growth of fabs lost where commerce leads them")


#: Values that words may take.
WORDS: dict[str, tuple[str, ...]] = {
    "policy.open_source.champion": ("free", "all", "none"),
    "policy.compute.builder": ("private", "state", "operator"),
    "policy.capital.merger_rule": ("free", "no_leader", "none"),
}
