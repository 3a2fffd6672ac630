"""Output columns of the market table, declared in ``outputs_<subject>``."""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from baimo.agents.enums import ARCHETYPES, REVENUE
from baimo.conf.declare import Output
from baimo.world.engine.arrays import Array
from baimo.world.laws.scaling import AXES
from baimo.world.record import (
    outputs_apps,
    outputs_capital,
    outputs_compute,
    outputs_inequality,
    outputs_labs,
    outputs_models,
    outputs_regulation,
    outputs_technology,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from baimo.world.engine.world import World

SUBJECTS = (
    *(outputs_labs, outputs_technology, outputs_compute, outputs_models),
    *(outputs_apps, outputs_capital, outputs_regulation, outputs_inequality),
)


def functions_in(subject: Any) -> list[Any]:
    """Functions of a module that return output columns, each with its declarations as ``.outputs``."""
    return [each for each in vars(subject).values() if hasattr(each, "outputs")]


def declared_in(subject: Any) -> list[Output]:
    """Columns of a module."""
    return [declaration for function in functions_in(subject) for declaration in function.outputs]


FUNCTIONS = tuple(each for subject in SUBJECTS for each in functions_in(subject))
OUTPUTS = tuple(declaration for subject in SUBJECTS for declaration in declared_in(subject))

#: What may stand in the holes of families.
HOLES: dict[str, Callable[[World], Any]] = {
    "archetype": lambda world: [ARCHETYPES[kind] for kind in outputs_labs.ARCHETYPES_CN],
    "axis": lambda world: AXES,
    "kind": lambda world: REVENUE,
    "whose": lambda world: ("all", "cn", "open", "open_cn"),
    "segment": lambda world: [name.removesuffix("_cn") for name in world.segments.names[world.segments.cn]],
    "class": lambda world: [
        name.lower().replace("-", "_")
        for name, kind in zip(world.chips.names, world.chips.kinds, strict=True)
        if kind != "consumer"
    ],
}
HOLE = re.compile(r"<(\w+)>")


def observe(world: World) -> None:
    """Phase 18: the month is recorded; nothing of the world changes."""
    world.record(*month(world))
    world.event_buffer.flush()


def month(world: World) -> tuple[list[str], Array]:
    """Names of all columns, and their values in this month, ``(columns, worlds)``."""
    names: list[str] = []
    wide: list[Array] = []
    for function in FUNCTIONS:
        found = function(world)
        for declaration, value in zip(function.outputs, found if isinstance(found, tuple) else (found,), strict=True):
            members = members_of(declaration.name, world)
            names += members
            wide += _flat(value, len(HOLE.findall(declaration.name)))
    shape = (world.worlds, 1)
    wide = [each if getattr(each, "shape", None) == shape else world.xp.full(shape, each, dtype=float) for each in wide]
    return names, np.concatenate(wide, axis=1).T


def members_of(name: str, world: World) -> list[str]:
    """Names of the columns of a family, or the one name."""
    words = product(*(HOLES[hole](world) for hole in HOLE.findall(name)))
    pattern = HOLE.sub("{}", name)
    return [pattern.format(*each) for each in words]


def _flat(value: Any, depth: int) -> list[Array]:
    """Values of a family, along its holes."""
    return [value] if depth == 0 else [each for part in value for each in _flat(part, depth - 1)]


@cache
def output_of(column: str) -> Output:
    """Declaration of a column, of itself or its family; else its own name in words.

    Examples
    --------
    >>> output_of("labs_alive_cn").label, output_of("worth_language_cn").unit, output_of("exit_hazard").label
    ('Labs alive', 'share', 'exit hazard')
    """
    # A name of its own goes before a family that it would fit into.
    for declaration in sorted(OUTPUTS, key=lambda each: "<" in each.name):
        if re.fullmatch(HOLE.sub(r"\\w+", declaration.name), column):
            return declaration._replace(label=declaration.label or column.replace("_", " "))
    plain = column.replace("_", " ")
    return Output(column, "", plain, plain, False)
