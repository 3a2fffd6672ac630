"""State of the world: declared variables as arrays, as wide as the populations."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from functools import reduce
from types import SimpleNamespace
from typing import Any

from baimo.conf.declare import DTYPES, Memory
from baimo.world.engine.arrays import Array


class State:
    """Base class of the declarations of state, each in the file that writes it.

    Examples
    --------
    >>> class RentalState(State):
    ...     rent_cap = flow("H100e", "regions", text="The most that one tenant gets")
    """


def collect(classes: Sequence[type]) -> dict[str, Memory]:
    """All state variables that some classes declare, by name.

    Raises
    ------
    TypeError
        When two classes declare the same name.
    """
    found: dict[str, tuple[type, Memory]] = {}
    for each in classes:
        for name, memory in vars(each).items():
            if not isinstance(memory, Memory):
                continue
            if name in found:
                raise TypeError(f"{name!r} is declared by {_place(found[name][0])} and by {_place(each)}")
            found[name] = (each, memory)
    return {name: memory for name, (_, memory) in found.items()}


def _place(declares: type) -> str:
    return f"{declares.__module__}.{declares.__name__}"


class WorldState(SimpleNamespace):
    """``world.state``: state of a block of worlds; undeclared names are refused."""

    __slots__ = ("_declared", "_world")

    def __init__(self, world: Any, declared: dict[str, Memory]):
        object.__setattr__(self, "_world", world)
        object.__setattr__(self, "_declared", declared)
        for name, memory in declared.items():
            setattr(self, name, [] if memory.kind == "history" else self._first(name))

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._declared:
            raise AttributeError(self._unknown(name))
        self.__dict__[name] = value

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(self._unknown(name))

    def _unknown(self, name: str) -> str:
        near = get_close_matches(name, self._declared, 1)
        return (
            f"no district declares {name!r}{f' (is it {near[0]!r}?)' if near else ''}; a class of State in the file "
            f'that writes it says {name} = stock("unit", "dimension", text="what it is"), or flow or history'
        )

    def shape(self, name: str) -> tuple[int, ...]:
        """Declared shape, ``(..., worlds, 1)`` or ``(..., worlds, rows)``; of a history, that of each value."""
        world, dimensions = self._world, self._declared[name].dimensions
        rows = [world.populations[each].capacity for each in dimensions if each in world.populations]
        inner = [world.dimensions[each] for each in dimensions if each not in world.populations]
        return (*inner, world.worlds, *(rows or [1]))

    def grow(self, population: str) -> None:
        """Widen the variables along a population to its rows."""
        for name, memory in self._declared.items():
            if population in memory.dimensions:
                old, fresh = getattr(self, name), self._first(name)
                fresh[..., : old.shape[-1]] = old
                setattr(self, name, fresh)

    def _first(self, name: str) -> Array:
        """Array of the values before the first step."""
        memory = self._declared[name]
        array = self._world.xp.empty(self.shape(name), dtype=DTYPES[memory.dtype])
        if isinstance(memory.first, tuple):
            for layer, first in zip(array, memory.first, strict=True):
                layer[...] = self._value(first)
        else:
            array[...] = self._value(memory.first)
        return array

    def _value(self, first: Any) -> Any:
        if callable(first):
            return first(self._world)
        return reduce(getattr, first.split("."), self._world.parameters) if isinstance(first, str) else first
