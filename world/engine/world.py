"""The world: populations, markets and the memory between steps, for a block of worlds."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from baimo.agents import random_rules
from baimo.agents.app import AppStartup
from baimo.agents.enums import ARCHETYPES, CN, NOBODY, ROW
from baimo.agents.investor import Investor
from baimo.agents.lab import ModelLab
from baimo.agents.regulator import Regulator
from baimo.agents.vendor import InfraVendor
from baimo.conf.declare import DIMENSIONS
from baimo.world.compute.chips import ChipTable, power_draw
from baimo.world.engine.accounts import Accounts
from baimo.world.engine.arrays import Array, row_sum, to_device, where
from baimo.world.engine.clock import Clock
from baimo.world.engine.device import Notes, Outbox
from baimo.world.engine.population import Population
from baimo.world.engine.random import Streams
from baimo.world.engine.state import State, WorldState, collect
from baimo.world.models.segments import SegmentTable
from baimo.world.policy.instruments import Policy

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


class World:
    """Everything that a step reads and writes.

    Parameters
    ----------
    config : conf.schema.Config
        Resolved configuration (plain attributes, no OmegaConf).
    world_ids : sequence of int
        Global numbers of the worlds of this block: world 7 is the same alone and in a block.
    parameters : tree, optional
        Replaces the parameter sections; leaves may be arrays ``(worlds, 1)``.
    xp : module
        numpy, or cupy: where the columns, the tables, the ties and the memory of the markets live.
    luck : sequence of int, optional
        Numbers of the worlds whose random numbers are drawn; default their own.
    """

    def __init__(
        self,
        config: Any,
        world_ids: Sequence[int],
        parameters: Any = None,
        xp: Any = np,
        luck: Sequence[int] | None = None,
    ):
        self.config = config
        self.xp = xp
        self.parameters = parameters or config
        self.seed = int(config.seed)
        self.world_ids = np.asarray(list(world_ids), dtype=np.int64)
        self.luck = self.world_ids if luck is None else np.asarray(list(luck), dtype=np.int64)
        self.worlds = len(self.world_ids)
        self.clock = Clock(config.start, config.clock)
        self.step_number = 0
        #: The chips as rules on them are read, on the host; ``chips`` are the same where they are computed with.
        self.catalogue = ChipTable.from_rows(config.hardware["chips"], self.parameters.training.bandwidth_bound)
        self.chips = to_device(self.catalogue, xp)
        self.chip_kw = to_device(power_draw(self.catalogue, self.parameters.training.weak_power), xp)
        self.chip_masks: dict[tuple[str, ...], Array] = {}
        self.supply = config.hardware["supply"]
        self.segments = to_device(SegmentTable.from_rows(config.segments, config.model_market.row_scale), xp)
        self.parameters = to_device(self.parameters, xp)
        self.archetypes = config.archetypes
        self.policy = Policy(self.parameters, self.clock)
        self.streams = Streams(self.seed, xp.asarray(self.luck))
        self.outbox = Outbox(xp)
        self.notes = Notes(xp, self.outbox)
        self.observed: dict = {}
        self.ties = SimpleNamespace()
        self.events: list = []
        self.lineage: list = []
        #: What happened this month, and in all months so far; 0 for what never did.
        self.monthly: Counter[str] = Counter()
        self.totals: Counter[str] = Counter()
        self.mesa_model: Any = None
        self.agent_classes: dict[str, type] = {}
        self._populations()
        self.accounts = Accounts(self.populations, self.worlds, xp)
        self.makers = [self.maker_names.index(name) for name in self.chips.vendors]
        self.maker_rows = np.broadcast_to(xp.asarray(self.makers), (self.worlds, len(self.makers)))
        self.dimensions |= {"generations": len(self.chips.lines), "classes": len(self.chips) + 1}
        self.dimensions |= {"home_segments": len(self.segments) // 2}
        self.state = WorldState(self, collect(State.__subclasses__()))

    def _populations(self) -> None:
        self.dimensions = DIMENSIONS | {"chips": len(self.chips), "segments": len(self.segments)}
        start, most = _rows(self.config.population)
        self.populations = {}
        for name, kind in AGENT_TYPES.items():
            population = Population(kind, self.worlds, start[name], most[name], self.xp, self.dimensions)
            population.world = self
            self.populations[name] = population
            setattr(self, name, population)
        self.labs.rules.update(random_rules.rules_in_use(self.config.decisions))
        self.maker_names = [row["name"] for row in self.config.vendors]

    def record(self, names: list[str], values: Array) -> None:
        """Receive the measures of a month; the history puts its own recorder here."""

    def assign_classes(self) -> None:
        """Give rows of an archetype their special class."""
        for name, special in self.agent_classes.items():
            index = self.labs.add_class(special)
            chosen = self.labs.alive & (self.labs.archetype == ARCHETYPES.index(name))
            self.labs.behaviour = where(chosen, index, self.labs.behaviour)

    def entrant_class(self, archetype: int) -> int:
        """Index of the class that new labs of an archetype have."""
        special = self.agent_classes.get(ARCHETYPES[archetype])
        return self.labs.add_class(special) if special else 0

    @property
    def date(self):
        """First day of the present step."""
        return self.clock.date(self.step_number)

    def by_region(self, pair: Array) -> Array:
        """Pick by each lab's region from ``(2, worlds, 1)``."""
        return where(self.labs.region == CN, pair[CN], pair[ROW])

    def by_class(self, values: Array) -> Array:
        """What the host knows of each chip class, ``(classes,)``, where it is computed with, ``(classes, 1, 1)``."""
        return self.xp.asarray(values).reshape(-1, 1, 1)

    def chips_where(self, column: str, *words: str) -> Array:
        """Mask of the chip classes whose ``column`` is one of the words, ``(classes, 1, 1)``; made once."""
        key = (column, *words)
        if key not in self.chip_masks:
            self.chip_masks[key] = self.by_class(np.array([each in words for each in getattr(self.chips, column)]))
        return self.chip_masks[key]

    def grown(self, population: Population) -> None:
        """Memory by row follows a population that has grown."""
        self.state.grow(next(name for name, each in self.populations.items() if each is population))

    def agent_at(self, population: Population, row: int) -> Any:
        """The Mesa agent in a row of a one-world model."""
        if self.mesa_model is None:
            raise TypeError("single agents exist in HundredModelsWar only, not in an Ensemble")
        return self.mesa_model.agent_at(population, row)

    # ------------------------------------------------------------------ counters and events

    def count(self, name: str, values: Array) -> None:
        """Add ``(worlds, labs)`` values to a counter of this month, over the labs of CN."""
        self.tally(name, row_sum(where(self.labs.region == CN, values, 0.0)))

    def tally(self, name: str, values: Array) -> None:
        """Add ``(worlds, 1)`` values to a counter of this month, and of all months so far."""
        for counts in (self.monthly, self.totals):
            counts[name] = counts[name] + values

    def log(self, kind: str, mask: Array, amount: Array, detail: Any = None, who: Any = None) -> None:
        """Enter what happened to labs (or to others, ``who``) in the event log: how much, in which words.

        ``detail`` are words and, for each row, the number of one of them. The log is kept on the host.
        """
        ids, region = (self.labs.id, self.labs.region) if who is None else who
        words, codes = detail or (("",), ids * 0)
        when = {"kind": kind, "step": self.step_number}

        def enter(rows: dict[str, np.ndarray]) -> None:
            if not len(rows["worlds"]):
                return
            words_here = np.array(words)[rows.pop("detail")]
            self.events.append(when | rows | {"amount": rows["amount"].astype(float), "detail": words_here})

        self.notes.take(mask, {"ids": ids, "region": region, "amount": amount, "detail": codes}, enter)

    def announce(self, kind: str, detail: str) -> None:
        """Enter what happens to everybody in CN, in every world, in the event log."""
        nobody = np.full(self.worlds, NOBODY)
        self.events.append(
            {
                "kind": kind,
                "step": self.step_number,
                "worlds": np.arange(self.worlds),
                "ids": nobody,
                "region": np.full(self.worlds, CN),
                "amount": np.zeros(self.worlds),
                "detail": np.full(self.worlds, detail),
            }
        )
