"""The state at the end of November 2022: who is there, with what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from baimo.agents import random_rules
from baimo.agents.app import AppStartup
from baimo.agents.enums import (
    ARCHETYPES,
    BUILDERS,
    CN,
    CONTENT,
    EXPORT_CONTROL,
    INVESTOR_KINDS,
    NO_MODEL,
    REGULATOR_KINDS,
    ROW,
    VENDOR_KINDS,
)
from baimo.agents.investor import Investor
from baimo.agents.lab import ModelLab
from baimo.agents.regulator import Regulator
from baimo.agents.vendor import InfraVendor
from baimo.conf.declare import DIMENSIONS
from baimo.world.apps.lifecycle import add_apps
from baimo.world.compute.chips import ChipTable, power_draw
from baimo.world.engine.arrays import Array, by_region, max_k, mean_k, row_sum, sum_k, to_device, where
from baimo.world.engine.device import to_host
from baimo.world.engine.state import State
from baimo.world.engine.world import World
from baimo.world.industry.entry import LAB_SLOTS, endow_lab
from baimo.world.laws.scaling import active_parameters
from baimo.world.models.pricing import entry_price
from baimo.world.models.segments import SegmentTable
from baimo.world.models.serving import serving_costs
from baimo.world.network.open_bases import keep_best_open
from baimo.world.network.social import draw_graph
from baimo.world.policy.instruments import Policy
from baimo.world.technology.research import light_capability, update_teachers

if TYPE_CHECKING:
    from collections.abc import Sequence


AGENT_TYPES = {
    "labs": ModelLab,
    "vendors": InfraVendor,
    "apps": AppStartup,
    "investors": Investor,
    "regulators": Regulator,
}


#: How much populations are expected to grow beyond the rows that they start with.
GROWN = {"labs": 2, "apps": 6}


def _rows(sizes: Any) -> tuple[dict[str, int], dict[str, int]]:
    """Rows of each population at the start and at most."""
    start = {"labs": sizes.labs, "apps": sizes.apps, "vendors": 16, "investors": 128, "regulators": 8}
    return start, start | {"labs": sizes.max_labs, "apps": sizes.max_apps}


def column_bytes(config: Any) -> int:
    """Memory of the columns of one world whose populations have grown as expected."""
    inner = DIMENSIONS | {"chips": len(config.hardware["chips"]), "segments": 2 * len(config.segments)}
    start, most = _rows(config.population)
    total = 0
    for name, kind in AGENT_TYPES.items():
        each = sum(column.bytes(inner) for column in kind.declared_columns().values())
        total += each * min(start[name] * GROWN.get(name, 1), most[name])
    return total


def build(
    config: Any, world_ids: Sequence[int], parameters: Any = None, xp: Any = np, random_ids: Sequence[int] | None = None
) -> World:
    """A world with its tables, and rows for agents who have yet to come (see :class:`World`)."""
    world = World(config, world_ids, parameters, xp, random_ids)
    plain, p = parameters or config, world.parameters
    #: The chips as rules on them are read, on the host; ``chips`` are the same where they are computed with.
    world.catalogue = ChipTable.from_rows(config.hardware["chips"], plain.training.bandwidth_bound)
    world.chips = to_device(world.catalogue, xp)
    world.chip_kw = to_device(power_draw(world.catalogue, plain.training.weak_power), xp)
    world.supply = config.hardware["supply"]
    market = config.model_market
    world.segments = to_device(SegmentTable.from_rows(config.segments, market.row_scale, market.row_income), xp)
    world.archetypes = config.archetypes
    world.policy = Policy(p, world.clock)
    world.maker_names = [row["name"] for row in config.vendors]
    world.makers = [world.maker_names.index(name) for name in world.chips.vendors]
    world.maker_rows = np.broadcast_to(xp.asarray(world.makers), (world.worlds, len(world.makers)))
    world.dimensions |= {"chips": len(world.chips), "classes": len(world.chips) + 1}
    world.dimensions |= {"generations": len(world.chips.lines)}
    world.dimensions |= {"segments": len(world.segments), "home_segments": len(world.segments) // 2}
    world.settle(AGENT_TYPES, *_rows(config.population), own_memories())
    world.labs.rules.update(random_rules.rules_in_use(config.decisions))
    return world


def own_memories() -> list[type]:
    """The model's own declarations of state: a subclass defined outside the model joins no world."""
    return [each for each in State.__subclasses__() if each.__module__.startswith("baimo.world.")]


def assign_classes(world: World) -> None:
    """Give rows of an archetype their special class."""
    for name, special in world.agent_classes.items():
        index = world.labs.add_class(special)
        chosen = world.labs.alive & (world.labs.archetype == ARCHETYPES.index(name))
        world.labs.behaviour = where(chosen, index, world.labs.behaviour)


def populate(world: World) -> None:
    """Fill the populations from the tables of ``conf/population`` and open the books."""
    _vendors(world)
    _investors(world)
    _regulators(world)
    for archetype, row in enumerate(world.archetypes):
        if int(row["start"]):
            _labs(world, archetype, row)
    draw_graph(world)
    _served_models(world)
    _adopters(world)
    start = to_host(world.parameters.app_market.start)
    count = np.broadcast_to(np.asarray(start, dtype=np.int64), (world.worlds, 1))
    keep_best_open(world)
    update_teachers(world)
    world.state.open_start = world.state.frontier_open.copy()
    add_apps(world, count, 0)
    _remember_start(world)


def _all_worlds(world: World, count: int, first: int = 0):
    """Worlds and ordinals of ``count`` agents in each world."""
    return np.repeat(np.arange(world.worlds), count), np.tile(np.arange(first, first + count), world.worlds)


def _for_all(world: World, values: list) -> Array:
    """One value an agent, alike in all worlds, ``(1, agents of all worlds)``."""
    return world.xp.asarray(np.tile(np.asarray(values), world.worlds))[None]


def _labs(world: World, archetype: int, row: dict) -> None:
    worlds, ordinals = _all_worlds(world, int(row["start"]), archetype * LAB_SLOTS)
    labs = world.labs.enter(worlds, ordinals, 0)
    endow_lab(world, labs, row, archetype)
    number = world.xp.asarray(ordinals - archetype * LAB_SLOTS)[None]
    labs.runs_done = float(row["runs_done"])
    for axis, name in enumerate(("language", "knowledge", "reasoning")):
        column = world.labs.pretrained
        column[axis, labs.worlds, labs.rows] = float(row[f"x_{name}"]) - float(row["step_down"]) * number[0]
    column = world.labs.post
    technology = labs.view(world.parameters).technology
    for axis, name in enumerate(("language", "knowledge", "reasoning")):
        # No lab starts with more than post-training can add.
        most = getattr(technology, f"post_{name}")
        column[axis, labs.worlds, labs.rows] = np.minimum(float(row[f"post_{name}"]), most)
    has_model = number < float(row["with_model"])
    # Who has trained before and sells nothing yet has a model that was never made a product.
    trained = (number < float(row["unreleased"])) | (~has_model & (not row["builds"]))
    labs.trained = trained
    labs.waiting = where(trained, float(row["waiting"]), 0.0)
    labs.released = has_model
    labs.releases = has_model.astype(float)
    labs.since_news = where(has_model, 1.0, 3.0)
    labs.burnt = labs.since_news
    labs.openness = where(has_model, int(row["openness"]), 0)


def _served_models(world: World) -> None:
    """Put models on sale on the first day: served models stand below what is still unreleased."""
    labs, technology = world.labs, world.parameters.technology
    hidden = np.zeros_like(labs.cash)
    for archetype, row in enumerate(world.archetypes):
        hidden = where(labs.archetype == archetype, float(row["unreleased_lead"]) * labs.trained, hidden)
    here = labs.released & labs.alive
    own = labs.pretrained + labs.post - hidden
    labs.served = where(here, own, labs.served)
    labs.launch_worth = max_k(labs.pretrained)
    labs.served_worth = where(here, labs.launch_worth - hidden, labs.served_worth)
    labs.light = where(here, light_capability(world, own), labs.light)
    labs.open_weights = where(here & (labs.openness == 2), own, labs.open_weights)
    labs.open_post = where(labs.open_weights > NO_MODEL, labs.post, 0.0)
    size = active_parameters(mean_k(own), 0.0, technology)
    labs.active_parameters = where(here, size, labs.active_parameters)
    labs.light_parameters = where(here, size * technology.light_size, labs.light_parameters)
    serving_costs(world)
    labs.price_flagship = by_region(entry_price(world), labs.region)
    labs.price_light = labs.price_flagship * technology.light_price


def _adopters(world: World) -> None:
    table = world.segments
    model_market = world.parameters.model_market
    share = where(table.column("region") == CN, model_market.adopters_cn, model_market.adopters_row)
    start = table.column("population") * table.column("ceiling") * share
    world.state.adopters[...] = start


def _vendors(world: World) -> None:
    rows = world.config.vendors
    vendors = world.vendors
    worlds, ordinals = _all_worlds(world, len(rows))
    chosen = vendors.enter(worlds, ordinals, 0)
    chosen.kind = _for_all(world, [VENDOR_KINDS.index(r["kind"]) for r in rows])
    chosen.region = _for_all(world, [CN if r["region"] == "CN" else ROW for r in rows])
    chosen.builder = _for_all(world, [BUILDERS.index(r["builder"]) for r in rows])
    chosen.chip_budget = _for_all(world, [float(r["chip_budget"]) for r in rows])
    for ordinal, row in enumerate(rows):
        units = float(row["h100e"])
        if units <= 0:
            continue
        k = world.chips.names.index(row["chip"])
        vendors.fleet[k, :, ordinal] = units / world.catalogue.h100e[k, 0, 0]
        region = CN if row["region"] == "CN" else ROW
        stock = world.state.outside_chips[region]
        stock[k, :, 0] = np.maximum(stock[k, :, 0] - vendors.fleet[k, :, ordinal], 0.0)


def _investors(world: World) -> None:
    rows = [row for row in world.config.investors for _ in range(int(row["number"]))]
    worlds, ordinals = _all_worlds(world, len(rows))
    chosen = world.investors.enter(worlds, ordinals, 0)

    def spread(key):
        return _for_all(world, [float(r[key]) for r in rows])

    chosen.kind = _for_all(world, [INVESTOR_KINDS.index(r["kind"]) for r in rows])
    chosen.region = _for_all(world, [CN if r["region"] == "CN" else ROW for r in rows])
    chosen.annual_budget = spread("dry_powder") * spread("share_a_year")
    # The young follow papers, the senior revenue: as far as kinds differ from the mean investor (M51).
    differ = chosen.view(world.parameters).capital.kinds_differ
    for name in ("weight_capability", "weight_revenue", "weight_hype"):
        mean = float(np.mean([float(row[name]) for row in rows]))
        setattr(chosen, name, mean + differ * (spread(name) - mean))
    money = np.zeros_like(world.investors.cash)
    money[chosen.worlds, chosen.rows] = spread("dry_powder")[0]
    world.accounts.pay("founding", "outside", (world.investors, money))


def _regulators(world: World) -> None:
    rows = world.config.regulators
    worlds, ordinals = _all_worlds(world, len(rows))
    chosen = world.regulators.enter(worlds, ordinals, 0)
    chosen.kind = _for_all(world, [REGULATOR_KINDS.index(r["kind"]) for r in rows])
    chosen.region = _for_all(world, [CN if r["region"] == "CN" else ROW for r in rows])
    chosen.adaptive = _for_all(world, [bool(r["adaptive"]) for r in rows])
    before = chosen.view(world.parameters).licensing.stance_before
    chosen.stringency = where(chosen.kind == CONTENT, before, 0.0)
    chosen.enforcement = where(chosen.kind == EXPORT_CONTROL, before, 0.0)


def _remember_start(world: World) -> None:
    """Remember the chips and people of the first day, for their conservation."""
    state = world.state
    state.chips_start = sum_k(state.outside_chips)
    for population in (world.labs, world.vendors):
        state.chips_start = state.chips_start + row_sum(population.fleet + population.incoming)
    world.accounts.close()
