"""Base of all agents: decisions, and the Mesa view of one row of columns.

Behaviour is written once and elementwise. ``labs.set_price(market)`` on a population is
one pass of array arithmetic over every lab of every world; ``lab.set_price(market)`` on a
single Mesa agent runs the same lines on a selection of one row and gives equal bits.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any, ClassVar

import mesa

from baimo.conf.declare import MISSING, column
from baimo.world.engine.population import AgentGone, Population, Selection


class decision:
    """Mark a method that decides elementwise, for one agent or for all of them.

    The decorated function takes the agents, the observables of its market and, last, the
    parameters: ``def set_price(labs, market: PriceSignals, p: Config)``; without observables,
    ``def hire(apps, p: Config)``. Callers leave ``p`` out; a caller may also leave the
    observables out and gets those of the latest step.
    """

    def __init__(self, function: Any):
        self.function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, agents: Any, owner: type | None = None) -> Any:
        if agents is None:
            return self
        if isinstance(agents, MarketAgent):
            agents = agents.selection()
        return partial(self._on, agents)

    def _on(self, agents: Selection, *observed: Any) -> None:
        memory = agents.population.world.observed
        key = (agents.population.agent_class.__name__, self.name)
        self.run(agents, observed or memory.get(key, ()))

    def run(self, agents: Population | Selection, observed: tuple) -> None:
        """Decide for these agents on these (unrestricted) observables."""
        population = agents if isinstance(agents, Population) else agents.population
        world = population.world
        world.observed[(population.agent_class.__name__, self.name)] = observed
        seen = [agents.view(each) for each in observed]
        function = population.rules.get(self, self.function)
        function(agents, *seen, agents.view(world.parameters))


class FirmColumns:
    """Columns of firms that raise money and may close."""

    cash = column("CNY million", clears=True)
    asking = column("CNY million", clears=True)
    raised = column("CNY million", clears=True)
    since_round = column("months", default=99.0)
    exit_step = column("step", dtype=int, default=MISSING)


@cache
def _declared(cls: type, kind: type) -> dict[str, Any]:
    """Attributes of one kind that a class and its bases declare, bases first."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        found.update({name: each for name, each in vars(base).items() if isinstance(each, kind)})
    return found


class MarketAgent(mesa.Agent):
    """A Mesa agent that is a view of one row of a population's columns.

    Columns read as Python numbers (or names, for coded columns) and can be assigned. The
    view raises :class:`~baimo.world.engine.population.AgentGone` once its agent has left the market.
    """

    #: Named random streams of the type's decisions: ``agents.draws("choose_base")``.
    streams: ClassVar[tuple[str, ...]] = ()
    #: Random domain of the type, which its subclasses share; by default the name of the class next to this one.
    domain: ClassVar[str] = ""
    #: Key of the population's greatest capacity in conf/.
    capacity_key: ClassVar[str] = "max_capacity"

    id = column(dtype=int, default=MISSING)
    alive = column(dtype=bool, default=False)
    founded = column("step", dtype=int, default=0)
    behaviour = column(dtype=int, default=0)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.domain = cls.domain or cls.__name__

    def __init__(self, model: mesa.Model, population: Population, row: int):
        super().__init__(model)
        self.population = population
        self.row = row
        self._id = int(population.columns["id"][0, row])

    @classmethod
    def declared_columns(cls) -> dict[str, column]:
        """All columns of the class, bases first."""
        return dict(_declared(cls, column))  # type: ignore[arg-type]

    @classmethod
    def declared_decisions(cls) -> dict[str, decision]:
        """All decisions of the class."""
        return _declared(cls, decision)  # type: ignore[arg-type]

    def _column(self, name: str) -> Any:
        columns = self.population.columns
        if columns["id"][0, self.row] != self._id or not columns["alive"][0, self.row]:
            raise AgentGone(f"{type(self).__name__} with id {self._id} has left the market")
        return columns[name]

    def selection(self) -> Selection:
        """The agent as a selection of one row of the first world."""
        self._column("id")
        xp = self.population.xp
        return Selection(self.population, xp.asarray([0]), xp.asarray([self.row]))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._id}>"
