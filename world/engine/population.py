"""Populations: the columns of one agent type in all worlds, and selections of them.

A :class:`Population` holds one array of shape ``(worlds, rows)`` for each declared column
(``(k, worlds, rows)`` for columns with an inner dimension). Rows are stable: a dead agent
leaves a tombstone, an entrant takes the lowest free row and every column is reset. A row
is not an identity: ids are made from the step of entry, so that an extra entrant in one
policy arm leaves the random numbers of all others alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, dataclass_transform

import numpy as np

from baimo.conf.declare import DIMENSIONS, ROW_STEP
from baimo.world.engine import kernels
from baimo.world.engine.arrays import Array, compacts, is_one_of, namespace, nonzero, sum_by_world, where
from baimo.world.engine.device import to_host
from baimo.world.engine.kernels import one_pass

#: Ids are ``step * MAX_ENTRANTS + ordinal``; ordinals count entrants of one step.
MAX_ENTRANTS = 4096
#: Larger groups of entrants are numbered in the upper half of 32 bits, a large group of founders at its end.
CROWD, CROWD_MOST = 2**31, 2**17
FOUNDERS_MOST = 2**22

#: Number of agents up to which one call for all their streams costs less than a call for each four.
FEW = 256


class PopulationFull(RuntimeError):
    """Error: a population would have to grow beyond ``population.max_capacity``."""


class AgentGone(LookupError):
    """Error: the agent of this view has left the market."""


def identities(step: int, ordinals: Array) -> Array:
    """Ids of the entrants of a step, different from those of every other step, below 2**32.

    Examples
    --------
    >>> identities(2, np.array([0, 4095, 4096])).tolist()
    [8192, 12287, 2147749888]
    """
    crowd = CROWD + step * CROWD_MOST if step else 2 * CROWD - FOUNDERS_MOST
    return where(ordinals < MAX_ENTRANTS, step * MAX_ENTRANTS, crowd) + ordinals


def gather(value: Any, worlds: Array, rows: Array) -> Any:
    """Restrict ``(..., worlds, rows)`` or ``(..., worlds, 1)`` to selected rows.

    The result has shape ``(..., 1, n)``. Scalars and constants without a world axis pass
    unchanged.
    """
    if not hasattr(value, "shape") or value.ndim < 2:
        return value
    wide = value.shape[-1] != 1
    if value.shape[-2] == 1:
        return value.take(rows, axis=-1) if wide else value
    return _from_rows(value, worlds, rows) if wide else value[..., 0].take(worlds, axis=-1)[..., None, :]


@one_pass(kernels.gather)
def _from_rows(value: Array, worlds: Array, rows: Array) -> Array:
    # By one flat index: several times faster than by two.
    height, width = value.shape[-2:]
    flat = value.reshape(*value.shape[:-2], height * width)
    return flat.take(worlds * width + rows, axis=-1)[..., None, :]


def put(column: Array, worlds: Array, rows: Array, value: Any) -> None:
    """Write into selected rows of a ``(..., worlds, rows)`` column, in place."""
    height, width = column.shape[-2:]
    place = worlds * width + rows
    if column.ndim == 2:
        column.reshape(-1)[place] = value
    else:
        column.reshape(-1, height * width)[:, place] = value


def reset(columns: dict[str, Array], declared: dict[str, Any], worlds: Array, rows: Array) -> None:
    """Write the declared defaults into selected rows of some columns, in place."""
    for name, column in declared.items():
        put(columns[name], worlds, rows, column.default)


def spread_out(count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """World and ordinal of each entrant, from their number in each world, ``(worlds, 1)`` on the host."""
    worlds = np.repeat(np.arange(len(count)), count[:, 0])
    return worlds, np.concatenate([np.arange(n) for n in count[:, 0]])


class View:
    """Observables or parameters restricted to a selection; each value is computed once, since they are read-only."""

    def __init__(self, source: Any, worlds: Array, rows: Array):
        self._source, self._worlds, self._rows = source, worlds, rows

    def __getattr__(self, name: str) -> Any:
        held = getattr(self._source, "subsets", {}).get(name)
        if held is not None and held.rows is self._rows and held.worlds is self._worlds:
            seen = held.values[..., None, :]
        else:
            value = getattr(self._source, name)
            single = hasattr(value, "shape") or isinstance(value, (int, float, bool, str))
            seen = (gather if single else View)(value, self._worlds, self._rows)
        self.__dict__[name] = seen
        return seen


@dataclass_transform(kw_only_default=True, eq_default=False)
class Observables:
    """Signals that agents observe when they decide, frozen before any of them decides.

    A subclass declares its fields with their shapes (``going_price: PerAgent``) and is made with all
    of them by name. Every array is ``(..., worlds, rows)`` (one value an agent of the deciding type)
    or ``(..., worlds, 1)`` (one value a world); inner axes (segments, candidates, chip classes)
    stand first. What was computed for some agents only is spread out when others ask for it.

    Raises
    ------
    TypeError
        For a field that is missing or not declared.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(kw_only=True, eq=False, repr=False)(cls)

    def __post_init__(self) -> None:
        self.subsets = {name: each for name, each in vars(self).items() if isinstance(each, RowSubset)}
        for name in self.subsets:
            del self.__dict__[name]

    def __getattr__(self, name: str) -> Array:
        held = self.__dict__.get("subsets", {}).get(name)
        if held is None:
            raise AttributeError(f"there is no {name!r} to see")
        self.__dict__[name] = held.spread()
        return self.__dict__[name]


class RowSubset(NamedTuple):
    """Values of a selection of rows, ``(..., n)``; other selections read them spread out over all rows."""

    worlds: Array
    rows: Array
    values: Array
    missing: Any
    shape: tuple[int, int]

    def spread(self) -> Array:
        """Values on all rows, ``(..., worlds, rows)``; ``missing`` outside the selection."""
        wide = namespace(self.values).full((*self.values.shape[:-1], *self.shape), self.missing, self.values.dtype)
        put(wide, self.worlds, self.rows, self.values)
        return wide


class Columns(dict):
    """Arrays by name, with the identities of the arrays held."""

    def __init__(self) -> None:
        super().__init__()
        self.held: set[int] = set()

    def __setitem__(self, name: str, array: Array) -> None:
        held = self.held
        held.discard(id(self.get(name)))
        dict.__setitem__(self, name, array)
        held.add(id(array))


class Selection:
    """Some rows of a population, in any worlds: the agents of a decision.

    Reading a column gives a ``(..., 1, n)`` array (a copy), assigning writes the rows back.
    """

    __slots__ = ("population", "rows", "slab", "worlds")

    def __init__(self, population: Population, worlds: Array, rows: Array):
        for name, value in zip(self.__slots__, (population, rows, None, worlds), strict=True):
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Array:
        columns = self.population.columns
        if name in columns:
            return gather(columns[name], self.worlds, self.rows)
        if name in self.population.agent_class.declared_decisions():
            return partial(self.population.decide_among, name, self.worlds, self.rows)
        raise AttributeError(f"{self.population.agent_class.__name__} has no column or decision {name!r}")

    def __setattr__(self, name: str, value: Array) -> None:
        # (..., 1, n) values lose the axis that stands for the worlds; scalars go as they are.
        fresh = value[..., 0, :] if getattr(value, "ndim", 0) > 1 else value
        put(self.population.columns[name], self.worlds, self.rows, fresh)

    @property
    def xp(self) -> Any:
        """Module of the arrays: numpy or cupy."""
        return self.population.xp

    def only(self, values: Array, missing: Any) -> RowSubset:
        """Observable with values of these agents only, ``(..., n)``; ``missing`` for all others."""
        return RowSubset(self.worlds, self.rows, values, missing, self.population.alive.shape)

    def by_world(self, values: Array) -> Array:
        """Sum of values of these agents, ``(n,)``, in each world, ``(worlds, 1)``."""
        return sum_by_world(values, self.worlds, self.rows, self.population.alive.shape)[:, None]

    def draws(self, stream: str) -> Array:
        """Uniform numbers of these agents in one stream of their decisions, ``(1, n)``."""
        everyone = self.population
        block, place = divmod(everyone.agent_class.streams.index(stream), 4)
        if block in everyone._slab:
            return gather(everyone.draws(stream), self.worlds, self.rows)
        streams = everyone.world.streams
        if self.slab is None or self.slab[0] != streams.step:
            object.__setattr__(self, "slab", (streams.step, {}))
        held = self.slab[1]
        if block not in held:
            # A few agents draw all their streams at once: the same numbers as in the slab of all.
            blocks = -(-len(everyone.agent_class.streams) // 4)
            first, count = (0, blocks) if len(self.rows) < FEW else (block, 1)
            ids = everyone.id[self.worlds, self.rows]
            slab = streams.some(everyone.agent_class.domain, self.worlds, ids, 4 * count, first)
            held.update({first + k: slab[4 * k : 4 * k + 4] for k in range(count)})
        return held[block][place][None]

    def view(self, source: Any) -> View:
        """Observables or parameters as these agents see them."""
        return View(source, self.worlds, self.rows)


class Space(NamedTuple):
    """Array module, numpy or cupy, and number of entries of each inner dimension."""

    xp: Any = np
    dimensions: dict[str, int] = DIMENSIONS


#: Space of populations that say no other.
HOST = Space()


class Population:
    """All agents of one type in all worlds; reads and decides as a selection of every row.

    Parameters
    ----------
    agent_class : type
        Declares the columns, the streams and the decisions.
    worlds : int
    capacity : int
        Rows to start with: a multiple of ``ROW_BLOCK``.
    max_capacity : int
        Rows to which the population may grow.
    space : Space, optional
        Array module and inner dimensions of the columns.

    Attributes
    ----------
    rules : dict
        ``{decision: function}``: decisions of the class that another rule takes the place of
        (:mod:`baimo.agents.random_rules`). What a special class overrides stays its own.
    """

    def __init__(self, agent_class: type, worlds: int, capacity: int, max_capacity: int, space: Space = HOST):
        object.__setattr__(self, "columns", Columns())
        declared = agent_class.declared_columns()
        for name, value in {
            "agent_class": agent_class,
            "classes": [agent_class],
            "capacity": capacity,
            "max_capacity": max_capacity,
            "declared": declared,
            "xp": space.xp,
            "dimensions": space.dimensions,
            "world": None,
            "_slab": {},
            "growths": 0,
            "rules": {},
        }.items():
            object.__setattr__(self, name, value)
        for name, column in declared.items():
            self.columns[name] = column.allocate(worlds, capacity, *space)

    # ------------------------------------------------------------------ columns

    def __getattr__(self, name: str) -> Any:
        # Columns are read thousands of times a step: the common way is short.
        try:
            return self.__dict__["columns"][name]
        except KeyError:
            pass
        if name in object.__getattribute__(self, "agent_class").declared_decisions():
            return partial(self.decide, name)
        raise AttributeError(f"{self.agent_class.__name__} has no column or decision {name!r}")

    def __setattr__(self, name: str, value: Array) -> None:
        column = self.columns.get(name)
        if column is None:
            object.__setattr__(self, name, value)
        elif value is not column:
            self.columns[name] = self._conform(value, column)

    def _conform(self, value: Array, column: Array) -> Array:
        """A fresh array of the column's shape and dtype: assignment replaces, never aliases."""
        fits = getattr(value, "shape", None) == column.shape and value.dtype == column.dtype
        own = fits and value.base is None and id(value) not in self.columns.held
        # Rows are written through flat views, which an array in another order would not have.
        if own and value.flags.c_contiguous:
            return value
        fresh = self.xp.empty_like(column)
        fresh[...] = value
        return fresh

    @property
    def worlds(self) -> int:
        """Number of worlds."""
        return self.columns["alive"].shape[0]

    def select(self, worlds: Array, rows: Array) -> Selection:
        """Selection of the given rows in the given worlds (integer arrays of one length)."""
        return Selection(self, worlds, rows)

    def where(self, mask: Array) -> Selection:
        """Selection of the rows of a boolean ``(worlds, rows)`` mask."""
        return Selection(self, *nonzero(mask))

    def view(self, source: Any) -> Any:
        """Return observables and parameters unrestricted."""
        return source

    def draws(self, stream: str) -> Array:
        """Uniform numbers of every agent in one stream, ``(worlds, rows)``.

        One word of random numbers serves four streams: they are drawn together, when one is asked for.
        """
        block, place = divmod(self.agent_class.streams.index(stream), 4)
        if block not in self._slab:
            domain = self.agent_class.domain
            self._slab[block] = self.world.streams.slab(domain, self.id, 4, block)
        return self._slab[block][place]

    def new_step(self) -> None:
        """Discard the random numbers of the last step."""
        object.__setattr__(self, "_slab", {})

    # ------------------------------------------------------------------ decisions

    def decide(self, name: str, *observed: Any, among: Array | None = None) -> None:
        """Run a decision; special classes run theirs on their own rows.

        Parameters
        ----------
        name : str
            A decision of the agent class.
        *observed : Observables
            Frozen beforehand.
        among : boolean array (worlds, rows) or Selection, optional
            Rows for which the decision can matter. A decision is right on everyone; this
            only saves work.
        """
        if isinstance(among, Selection):
            if len(among.rows):
                self.decide_among(name, among.worlds, among.rows, *observed)
            return
        implementations: dict[Any, list[int]] = {}
        for index, special in enumerate(self.classes):
            implementations.setdefault(getattr(special, name), []).append(index)
        if len(implementations) == 1 and (among is None or not compacts(self.xp)):
            next(iter(implementations)).run(self, observed)
            return
        # Masks are taken first: a decision may end a life, and no agent may decide twice.
        present = self.alive if among is None else self.alive & among
        alike = len(implementations) == 1
        chosen = [
            (implementation, present if alike else present & is_one_of(self.behaviour, indices))
            for implementation, indices in implementations.items()
        ]
        for implementation, mask in chosen:
            self._decide_special(name, implementation, mask, observed)

    def decide_among(self, name: str, worlds: Array, rows: Array, *observed: Any) -> None:
        """Run a decision on selected rows, each by the implementation of its class."""
        if len(self.classes) == 1:
            self._run_on(name, getattr(self.agent_class, name), worlds, rows, observed)
            return
        for index in to_host(np.unique(self.behaviour[worlds, rows])):
            chosen = self.behaviour[worlds, rows] == index
            implementation = getattr(self.classes[int(index)], name)
            self._run_on(name, implementation, worlds[chosen], rows[chosen], observed)

    def _decide_special(self, name: str, implementation: Any, mask: Array, observed: tuple) -> None:
        worlds, rows = nonzero(mask)
        if len(rows):
            self._run_on(name, implementation, worlds, rows, observed)

    def _run_on(self, name: str, implementation: Any, worlds: Array, rows: Array, observed: tuple) -> None:
        if hasattr(implementation, "run"):
            implementation.run(Selection(self, worlds, rows), observed)
            return
        if self.worlds > 1:
            raise TypeError(
                f"{name} is overridden in plain Python, which runs agent by agent and in one "
                f"world only, but there are {self.worlds} worlds: decorate it with @decision"
            )
        for row in rows:
            implementation(self.world.agent_at(self, int(row)), *observed)

    def add_class(self, special: type) -> int:
        """Register a subclass for rows and return its number; its new columns are added."""
        if special not in self.classes:
            if not issubclass(special, self.agent_class):
                raise TypeError(f"{special.__name__} is not a {self.agent_class.__name__}")
            self.classes.append(special)
            for name, column in special.declared_columns().items():
                if name not in self.declared:
                    self.declared[name] = column
                    self.columns[name] = column.allocate(self.worlds, self.capacity, self.xp, self.dimensions)
        return self.classes.index(special)

    # ------------------------------------------------------------------ entry and exit

    def enter(self, worlds: Array, ordinals: Array, step: int) -> Selection:
        """Place entrants in the lowest free rows, with ids of their own and default columns.

        Parameters
        ----------
        worlds : integer array (n,), sorted
            World of each entrant, as the host counts them.
        ordinals : integer array (n,)
            Number of each entrant within its world and step, below ``CROWD_MOST`` (founders: ``FOUNDERS_MOST``).

        Raises
        ------
        PopulationFull
            When a world needs more rows than ``max_capacity``.
        """
        counts = self.xp.asarray(np.bincount(worlds, minlength=self.worlds))[:, None]
        while True:
            free = ~self.alive
            chosen_worlds, rows = nonzero(free & (np.cumsum(free, axis=-1) <= counts))
            if len(rows) == len(worlds):
                break
            self._grow()
        reset(self.columns, self.declared, chosen_worlds, rows)
        entrants = Selection(self, chosen_worlds, rows)
        entrants.id = self.xp.asarray(identities(step, ordinals))[None]
        entrants.founded = step
        entrants.alive = True
        object.__setattr__(self, "_slab", {})
        return entrants

    def _grow(self) -> None:
        # By an eighth, so that growing a million rows costs no more than a few copies of each.
        wide_rows = self.capacity + max(ROW_STEP, self.capacity // 8 // ROW_STEP * ROW_STEP)
        wide_rows = min(wide_rows, self.max_capacity)
        if wide_rows == self.capacity:
            raise PopulationFull(
                f"no free row for a new {self.agent_class.__name__}: {self.capacity} rows are in "
                f"use; raise population.{self.agent_class.capacity_key} (now {self.max_capacity})"
            )
        for name, column in self.declared.items():
            old = self.columns[name]
            wide = column.allocate(self.worlds, wide_rows, self.xp, self.dimensions)
            wide[..., : self.capacity] = old
            self.columns[name] = wide
        object.__setattr__(self, "capacity", wide_rows)
        object.__setattr__(self, "growths", self.growths + 1)
        if self.world is not None:
            self.world.grown(self)

    def bury(self, mask: Array) -> None:
        """Mark rows dead; their cleared columns are neutral in every sum."""
        worlds, rows = nonzero(mask)
        if not len(rows):
            return
        self.alive = self.alive & ~mask
        cleared = {name: column for name, column in self.declared.items() if column.clears}
        for name in cleared:
            # A fresh array: what has been handed out before stays as it was.
            self.columns[name] = self.columns[name].copy()
        reset(self.columns, cleared, worlds, rows)
