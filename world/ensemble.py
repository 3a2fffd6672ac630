"""Many worlds in lockstep: the engine behind the main job and behind one Mesa model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from baimo.conf.schema import ConfigError, compose, to_parameters, with_values
from baimo.world.engine.device import find, free_bytes, worlds_that_fit
from baimo.world.record.history import History
from baimo.world.schedule import Step
from baimo.world.setup import assign_classes, build, column_bytes, populate

if TYPE_CHECKING:
    from collections.abc import Sequence


def worlds_at_once(config: Any) -> int:
    """Worlds that advance together: ``block`` of them on a CPU, as many as its memory holds on a GPU."""
    xp = find(str(config.engine))
    if xp is np:
        return int(config.block)
    return worlds_that_fit(free_bytes(xp), column_bytes(to_parameters(config)))


class Ensemble:
    """A block of worlds that advance together.

    Parameters
    ----------
    config : DictConfig, Config or list of str
        A checked configuration, or overrides of the baseline.
    world_ids : sequence of int
        Global numbers of the worlds (replicates).
    parameters : dict, optional
        ``{"section.name": array of one value a world}``: per-world parameters, so that one
        ensemble can carry a whole design.
    agent_classes : dict, optional
        ``{archetype name: subclass of ModelLab}``: special labs.
    xp : module, optional
        numpy or cupy; by default what ``engine`` names.
    random_ids : sequence of int, optional
        Numbers of the worlds whose random numbers are drawn (default ``world_ids``): worlds that share
        one have common random numbers and differ in their parameters only.

    Examples
    --------
    >>> ensemble = Ensemble(["steps=2"], world_ids=range(2))
    >>> _ = ensemble.run(2)
    >>> ensemble.tables()["market"].height
    4
    """

    def __init__(
        self,
        config: Any = (),
        world_ids: Sequence[int] = (0,),
        parameters: dict[str, Any] | None = None,
        agent_classes: dict[str, type] | None = None,
        xp: Any = None,
        random_ids: Sequence[int] | None = None,
    ):
        if isinstance(config, (list, tuple)):
            config = compose(list(config))
        plain = to_parameters(config)
        self.config = plain
        spread = _per_world(plain, parameters or {}, len(list(world_ids)))
        self.world = build(plain, world_ids, spread, find(plain.engine) if xp is None else xp, random_ids)
        self.world.agent_classes = agent_classes or {}
        self.history = History(self.world)
        self.world.recorder = self.history.record
        self.step_plan = Step()
        populate(self.world)
        assign_classes(self.world)

    @property
    def steps_done(self) -> int:
        """Steps taken so far."""
        return self.world.step_number

    def step(self) -> None:
        """Advance all worlds by one step."""
        self.step_plan(self.world)

    def run(self, steps: int | None = None) -> Ensemble:
        """Advance by ``steps`` (default: those of the configuration)."""
        for _ in range(self.config.steps if steps is None else steps):
            self.step()
        return self

    def tables(self) -> dict[str, pl.DataFrame]:
        """Everything recorded, one frame a table."""
        return self.history.tables()

    def plan_table(self) -> pl.DataFrame:
        """The phases and the time that each took."""
        return self.step_plan.table()


def _per_world(plain: Any, parameters: dict[str, Any], worlds: int) -> Any:
    """Put per-world values into a copy of the parameter tree as ``(worlds, 1)`` arrays."""
    if not parameters:
        return plain
    columns = {}
    for key, values in parameters.items():
        array = np.asarray(values, dtype=float).reshape(-1)
        if len(array) not in (1, worlds):
            raise ConfigError(f"{key}: {len(array)} values for {worlds} worlds; give one value a world")
        columns[key] = np.broadcast_to(array, (worlds,)).reshape(worlds, 1)
    return with_values(plain, columns)
