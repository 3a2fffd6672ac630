"""Output columns on labs in China: number, turnover, lineage and revenue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baimo.agents.enums import (
    ACADEMIC,
    APP_COMPANY,
    BIG_TECH,
    CN,
    FOLLOWER,
    FROM_SCRATCH,
    MISSING,
    OPEN_CHAMPION,
    ROW,
    UNICORN,
    VERTICAL,
)
from baimo.conf.declare import output
from baimo.world.engine.arrays import Array, count_where, ratio, row_max, sum_by_group, sum_where, where

if TYPE_CHECKING:
    from baimo.world.engine.world import World

#: Archetypes that live in China.
ARCHETYPES_CN = (BIG_TECH, UNICORN, ACADEMIC, VERTICAL, FOLLOWER)


def living(world: World) -> Array:
    """Mask of the labs of CN that are alive."""
    return world.labs.alive & (world.labs.region == CN)


# ---------------------------------------------------------------------- population


@output("labs_alive_cn", "labs", "the number of labs alive in China; at the end of the step", "Labs alive")
@output("labs_alive_row", "labs", "the number of labs alive elsewhere")
@output("labs_<archetype>_cn", "labs", "labs alive in China, by archetype")
@output("labs_from_scratch_cn", "labs", "labs in China that train from scratch; their own base", "From scratch")
@output("labs_app_company_cn", "labs", "labs in China that have become app companies")
@output("labs_released_cn", "labs", "labs in China with a model on sale")
def population(world: World) -> tuple:
    """Labs by region, kind and what they do."""
    labs, cn = world.labs, living(world)
    return (
        count_where(cn),
        count_where(labs.alive & (labs.region == ROW)),
        [count_where(cn & (labs.archetype == kind)) for kind in ARCHETYPES_CN],
        count_where(cn & (labs.mode == FROM_SCRATCH) & (labs.runs_done > 0)),
        count_where(cn & (labs.mode == APP_COMPANY)),
        count_where(cn & labs.released),
    )


@output("lab_entries_cn", "labs a step", "entries of labs in China", "Entries of labs")
@output("lab_exits_cn", "labs a step", "exits of labs in China", "Exits of labs")
@output("lab_pivots_cn", "labs a step", "pivots of labs in China")
@output("labs_turned_to_apps_cn", "labs a step", "labs in China that gave up their model for a product")
@output("labs_gave_up_cn", "labs a step", "labs in China whose team and chips fetched more than going on was worth")
@output("parents_withdrew_cn", "labs a step", "labs in China whose parent stopped paying")
@output("labs_insolvent_cn", "labs a step", "labs in China that ran out of money")
@output("lab_acquisitions_cn", "labs a step", "acquisitions of labs in China")
@output("lab_acquisitions_by_leaders_cn", "labs a step", "acquisitions by a lab that leads at home")
def turnover(world: World) -> tuple:
    """Entries and exits."""
    seen = world.monthly
    return (
        *(seen["entries"], seen["exits"], seen["pivots"], seen["turned_to_apps"]),
        *(seen["gave_up"], seen["parent_withdrew"], seen["insolvent"]),
        *(seen["acquisitions"], seen["leader_acquisitions"]),
    )


@output("models_released_cn", "models", "models released in China; cumulative", "Models released")
@output("open_release_share_cn", "share", "the share of releases in China with open weights; so far")
@output("light_release_share_cn", "share", "the share of releases in China that open the light model only; so far")
def releases(world: World) -> tuple:
    """Releases so far, and how open they were."""
    so_far = world.totals
    released = so_far["releases"]
    return released, ratio(so_far["open_releases"], released), ratio(so_far["light_releases"], released)


# ---------------------------------------------------------------------- lineage


@output("labs_on_open_base_cn", "labs", "labs in China on others' open weights", "On open base")
@output("base_family_share_cn", "share", "the share of labs on others' open weights that stand on the commonest lab's")
@output("labs_claiming_scratch_cn", "labs", "labs in China that hide on whose weights they build")
@output("exposures_cn", "labs a step", "labs in China found to hide on whose weights they build")
def lineage(world: World) -> tuple:
    """Use and concealment of open bases, and its concentration by author, living or not."""
    labs = world.labs
    built = on_open_base(world)
    family = sum_by_group(built.astype(float), where(built, labs.base_lab, MISSING), labs.capacity)
    on_base = count_where(built)
    hiding = count_where(living(world) & labs.released & labs.claims)
    return on_base, ratio(row_max(family), on_base), hiding, world.monthly["exposures"]


@output(
    "revenue_on_open_base_cn",
    "CNY million a month",
    "the revenue of labs in China on others' open weights",
    "Rev., open base",
    True,
)
@output(
    "revenue_open_champions",
    "CNY million a month",
    "the revenue of champions of open weights (abroad); all that serving their weights earns anywhere, "
    "for authors are their only hosts",
    "Rev., champions",
    True,
)
@output("open_income", "CNY million a step", "what authors of open weights are paid, everywhere")
def open_weights(world: World) -> tuple:
    """Revenue from open weights, of users and of authors."""
    labs = world.labs
    champions = labs.archetype == OPEN_CHAMPION
    revenue = [sum_where(each, labs.service_revenue) for each in (on_open_base(world), champions)]
    return *revenue, world.monthly["open_income"]


def on_open_base(world: World) -> Array:
    """Mask of the labs of CN that sell a model on others' weights."""
    return living(world) & world.labs.released & (world.labs.base_id >= 0)
