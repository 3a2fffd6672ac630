"""World: populations, markets and state of a block of worlds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from baimo.conf.declare import CN, DIMENSIONS, MISSING
from baimo.world.engine.accounts import Accounts
from baimo.world.engine.arrays import Array, sum_where, to_device
from baimo.world.engine.clock import Clock
from baimo.world.engine.device import EventBuffer, TransferQueue
from baimo.world.engine.population import Population, Space
from baimo.world.engine.random import Streams
from baimo.world.engine.state import WorldState, collect

if TYPE_CHECKING:
    from collections.abc import Sequence


class World:
    """Everything that a step reads and writes, for a block of worlds.

    Parameters
    ----------
    config : baimo.conf.schema.Config
        Resolved configuration (plain attributes, no OmegaConf).
    world_ids : sequence of int
        Global numbers of the worlds of this block: world 7 is the same alone and in a block.
    parameters : tree, optional
        Replaces the parameter sections; leaves may be arrays ``(worlds, 1)``.
    xp : module
        numpy, or cupy: where the columns, the tables, the ties and the memory of the markets live.
    random_ids : sequence of int, optional
        Numbers of the worlds whose random numbers are drawn; default their own.
    """

    # Populations and tables, which ``world/setup.py`` puts here.
    labs: Any
    vendors: Any
    apps: Any
    investors: Any
    regulators: Any
    catalogue: Any
    chips: Any
    chip_kw: Any
    supply: Any
    segments: Any
    archetypes: Any
    policy: Any
    makers: Any
    maker_names: Any
    maker_rows: Any

    def __init__(
        self,
        config: Any,
        world_ids: Sequence[int],
        parameters: Any = None,
        xp: Any = np,
        random_ids: Sequence[int] | None = None,
    ):
        self.config = config
        self.xp = xp
        self.parameters = parameters or config
        self.seed = int(config.seed)
        self.world_ids = np.asarray(list(world_ids), dtype=np.int64)
        self.random_ids = self.world_ids if random_ids is None else np.asarray(list(random_ids), dtype=np.int64)
        self.worlds = len(self.world_ids)
        self.clock = Clock(config.start, config.clock)
        self.step_number = 0
        self.parameters = to_device(self.parameters, xp)
        self.streams = Streams(self.seed, xp.asarray(self.random_ids))
        self.transfers = TransferQueue(xp)
        self.event_buffer = EventBuffer(xp, self.transfers)
        self.observed: dict = {}
        self.ties = SimpleNamespace()
        self.events: list = []
        self.lineage: list = []
        #: What happened in this step (cleared when a step begins), and in all steps so far; 0 for what never did.
        self.monthly: Counter[str] = Counter()
        self.totals: Counter[str] = Counter()
        #: Receives the measures of each step: their names and ``(measures, worlds)`` values.
        self.recorder: Callable[[list[str], Array], None] | None = None
        self.mesa_model: Any = None
        self.agent_classes: dict[str, type] = {}
        self.dimensions: dict[str, int] = dict(DIMENSIONS)
        self.populations: dict[str, Population] = {}

    def settle(
        self, kinds: dict[str, type], start: dict[str, int], most: dict[str, int], memories: Sequence[type]
    ) -> None:
        """Allocate populations, ``start`` rows of each kind and ``most`` at last, accounts and state.

        What the classes of ``memories`` declare is remembered; its first values may come from the tables that the
        world has by then.
        """
        for name, kind in kinds.items():
            population = Population(kind, self.worlds, start[name], most[name], Space(self.xp, self.dimensions))
            population.world = self
            self.populations[name] = population
            setattr(self, name, population)
        self.accounts = Accounts(self.populations, self.worlds, self.xp)
        self.state = WorldState(self, collect(memories))

    def record(self, names: list[str], values: Array) -> None:
        """Hand the measures of a month to the recorder, if there is one."""
        if self.recorder is not None:
            self.recorder(names, values)

    @property
    def date(self):
        """First day of the present step."""
        return self.clock.date(self.step_number)

    def grown(self, population: Population) -> None:
        """Widen the state along a population that has grown."""
        self.state.grow(next(name for name, each in self.populations.items() if each is population))

    def agent_at(self, population: Population, row: int) -> Any:
        """The Mesa agent in a row of a one-world model."""
        if self.mesa_model is None:
            raise TypeError("single agents exist in HundredModelsWar only, not in an Ensemble")
        return self.mesa_model.agent_at(population, row)

    # ------------------------------------------------------------------ counters and events

    def count(self, name: str, population: Population, values: Array) -> None:
        """Add ``(worlds, rows)`` values to a counter of this step, over the agents of CN."""
        self.tally(name, sum_where(population.region == CN, values))

    def tally(self, name: str, values: Array) -> None:
        """Add ``(worlds, 1)`` values to a counter of this step, and of all steps so far."""
        for counts in (self.monthly, self.totals):
            counts[name] = counts[name] + values

    def log(self, kind: str, population: Population, mask: Array, amount: Any, detail: Any = None) -> None:
        """Enter events of agents in the event log: of which kind, for which rows, and how much.

        ``amount`` may be a pair, before and now; ``detail`` are words and, for each row, the number of one of them.
        The log is kept on the host. A population without regions is of CN.
        """
        before, amount = amount if isinstance(amount, tuple) else (None, amount)
        ids = population.id
        region = population.columns["region"] if "region" in population.columns else np.full_like(ids, CN)
        words, codes = detail or (("",), ids * 0)
        when = {"kind": kind, "step": self.step_number}

        def enter(rows: dict[str, np.ndarray]) -> None:
            if not len(rows["worlds"]):
                return
            words_here = np.array(words)[rows.pop("detail")]
            self.events.append(when | rows | {"amount": rows["amount"].astype(float), "detail": words_here})

        before = ids * np.nan if before is None else before
        rows = {"ids": ids, "region": region, "amount": amount, "before": before, "detail": codes}
        self.event_buffer.add(mask, rows, enter)

    def announce(self, kind: str, detail: str) -> None:
        """Enter an event that concerns all of CN, in every world, in the event log."""
        missing = np.full(self.worlds, MISSING)
        self.events.append(
            {
                "kind": kind,
                "step": self.step_number,
                "worlds": np.arange(self.worlds),
                "ids": missing,
                "region": np.full(self.worlds, CN),
                "amount": np.zeros(self.worlds),
                "before": np.full(self.worlds, np.nan),
                "detail": np.full(self.worlds, detail),
            }
        )
