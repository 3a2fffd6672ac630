"""The Mesa model: one world with agents that are views of its columns."""

from __future__ import annotations

import datetime as dt
from typing import Any

import mesa
import networkx
import numpy as np
import polars as pl
from mesa.agent import AgentSet

from baimo.world.engine.device import to_host
from baimo.world.engine.population import Population
from baimo.world.ensemble import Ensemble
from baimo.world.record.graph import graph


class HundredModelsWar(mesa.Model):
    """One world of the hundred-models war.

    Parameters
    ----------
    scenario : str
        A file of ``conf/scenario``.
    overrides : list of str
        Further settings, as on the command line: ``["model_market.price_sensitivity=3"]``.
    rng : int
        Seed.
    world_id : int
        Replicate number: the same world as number ``world_id`` of an ensemble.
    agent_classes : dict, optional
        ``{"unicorn": MyLab}``: a subclass of ModelLab for labs of an archetype.
    model_reporters, agenttype_reporters : dict, optional
        For Mesa's DataCollector.

    Examples
    --------
    >>> from baimo.agents import ModelLab
    >>> model = HundredModelsWar(rng=1)
    >>> model.step()
    >>> len(model.agents_by_type[ModelLab]) > 30
    True
    """

    def __init__(
        self,
        *,
        scenario: str = "baseline",
        overrides: tuple[str, ...] | list[str] = (),
        rng: int = 1,
        world_id: int = 0,
        agent_classes: dict[str, type] | None = None,
        model_reporters: dict[str, Any] | None = None,
        agenttype_reporters: dict[type, Any] | None = None,
    ):
        super().__init__(rng=int(rng))
        # Mesa wraps or schedules the step once, in its own __init__; the columns exist after.
        config = [f"scenario={scenario}", f"seed={int(rng)}", *overrides]
        self.ensemble = Ensemble(config, (world_id,), agent_classes=agent_classes)
        self.world = self.ensemble.world
        self.world.mesa_model = self
        self._views: dict[tuple[str, int], Any] = {}
        self._synced = -1
        self.datacollector = mesa.DataCollector(
            model_reporters=model_reporters, agenttype_reporters=agenttype_reporters
        )
        self._collects = bool(model_reporters or agenttype_reporters)

    # ------------------------------------------------------------------ time

    def step(self) -> None:
        """Advance one month (or week)."""
        self.ensemble.step()
        if self._collects:
            self.datacollector.collect(self)
        if self.world.step_number >= self.world.config.steps:
            self.running = False

    def run(self, steps: int | None = None) -> HundredModelsWar:
        """Advance by ``steps``, by default to the end."""
        left = self.world.config.steps - self.world.step_number
        for _ in range(left if steps is None else steps):
            self.step()
        return self

    @property
    def date(self) -> dt.date:
        """First day of the step to come."""
        return self.world.date

    # ------------------------------------------------------------------ agents

    def _sync(self) -> None:
        """Make the set of Mesa agents the set of living rows."""
        if self._synced == self.world.step_number:
            return
        self._synced = self.world.step_number
        living: dict[tuple[str, int], tuple[Population, int]] = {}
        for name, population in self.world.populations.items():
            ids = to_host(population.id)[0]
            for row in np.flatnonzero(to_host(population.alive)[0]).tolist():
                living[(name, int(ids[row]))] = (population, row)
        for key in [key for key in self._views if key not in living]:
            self._views.pop(key).remove()
        for key, (population, row) in living.items():
            if key not in self._views:
                special = population.classes[int(population.behaviour[0, row])]
                self._views[key] = special(self, population, row)

    def agent_at(self, population: Population, row: int) -> Any:
        """The agent that occupies a row."""
        self._sync()
        name = next(n for n, each in self.world.populations.items() if each is population)
        return self._views[(name, int(population.id[0, row]))]

    @property
    def agents(self) -> AgentSet:
        """All living agents, as Mesa's AgentSet."""
        if "_views" in vars(self):
            self._sync()
        return super().agents

    @property
    def agents_by_type(self) -> dict[type[mesa.Agent], AgentSet]:
        """Living agents by class."""
        if "_views" in vars(self):
            self._sync()
        return super().agents_by_type

    def adopt(self, special: type, agents: Any) -> None:
        """Let some agents behave as a special class from now on."""
        for agent in list(agents):
            population = agent.population
            index = population.add_class(special)
            population.behaviour[0, agent.row] = index
            key = next(k for k, view in self._views.items() if view is agent)
            self._views.pop(key).remove()
        self._synced = -1

    # ------------------------------------------------------------------ reading

    @property
    def graph(self) -> networkx.MultiDiGraph:
        """The ecosystem now, as a networkx multigraph."""
        return graph(self.world)

    @property
    def events(self) -> pl.DataFrame:
        """The event log so far, as a polars frame."""
        return self.ensemble.tables()["events"]

    @property
    def market(self) -> pl.DataFrame:
        """The market table so far, as a polars frame."""
        return self.ensemble.tables()["market"]
