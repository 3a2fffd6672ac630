"""Equations of one element, which numba turns into one loop over all of them.

An equation is written once, for numbers: with NumPy it runs on whole arrays, a pass for each
operation; where numba is at hand, all its operations are done element by element in one pass. Both
give the same bits, for additions, products, quotients, roots and choices have but one result; ``exp``
and ``log`` have not, and are taken outside.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from world.arrays import ratio, where
from world.compiled import in_use, numba

if numba is not None:

    @numba.extending.overload(where)
    def _where_of_one(mask, yes, no):
        return lambda mask, yes, no: yes if mask else no

    @numba.extending.overload(ratio)
    def _ratio_of_one(numerator, denominator):
        return lambda numerator, denominator: 0.0 if denominator == 0.0 else numerator / denominator


def elementwise(equation: Callable) -> Callable:
    """Let an equation run in one pass on arrays that broadcast to ``(..., worlds, rows)``.

    Its arguments are arrays or numbers; one value comes back. It may use arithmetic, comparisons,
    ``np.sqrt``, ``np.minimum``, ``np.maximum`` and ``where`` and ``ratio`` of :mod:`world.arrays`.
    """
    if numba is None:
        return equation
    loops: dict[str, Callable] = {}
    one = numba.njit(error_model="numpy", inline="always")(equation)

    @wraps(equation)
    def either(*given: Any) -> Any:
        if not in_use() or any(type(each) not in _KNOWN for each in given):
            return equation(*given)
        shape = np.broadcast_shapes(*[each.shape for each in given if type(each) is np.ndarray])
        if len(shape) > 3 or len(shape) < 2:
            return equation(*given)
        kinds, inputs = "", []
        for each in given:
            kind, value = _as_layers(each, shape[-1])
            kinds += kind
            inputs.append(value)
        if kinds not in loops:
            loops[kinds] = _loop(equation, one, kinds)
        out = np.empty(shape if len(shape) == 3 else (1, *shape))
        loops[kinds](out, *inputs)
        return out if len(shape) == 3 else out[0]

    return either


_KNOWN = (np.ndarray, float, int, bool, np.float64, np.bool_)


def _as_layers(value: Any, rows: int) -> tuple[str, Any]:
    """``w`` and a three-dimensional array that has rows, ``n`` and one that has none, ``s`` and a number."""
    if type(value) is not np.ndarray:
        return "s", value
    if value.ndim < 3:
        value = value.reshape((1,) * (3 - value.ndim) + value.shape)
    if not value.flags.c_contiguous:
        value = np.ascontiguousarray(value)
    return ("w" if value.shape[2] == rows else "n"), value


def _loop(equation: Callable, one: Callable, kinds: str) -> Callable:
    """The loop for arguments of some kinds; numba keeps it on disk beside the file of the equation."""
    names = [f"a{k}" for k in range(len(kinds))]
    name = f"{equation.__name__}_{kinds}"
    here = "[k if {0}.shape[0] > 1 else 0, i if {0}.shape[1] > 1 else 0{1}]"
    picked = {"w": lambda a: f"{a}_ = {a}" + here.format(a, ""), "n": lambda a: f"{a}_ = {a}" + here.format(a, ", 0")}
    lines = [
        f"def {name}(out, {', '.join(names)}):",
        " for k in range(out.shape[0]):",
        "  for i in range(out.shape[1]):",
    ]
    lines += ["   " + picked[kind](a) for a, kind in zip(names, kinds, strict=True) if kind != "s"]
    element = {"w": "{}_[j]", "n": "{}_", "s": "{}"}
    arguments = ", ".join(element[kind].format(a) for a, kind in zip(names, kinds, strict=True))
    lines += ["   row = out[k, i]", "   for j in range(row.size):", f"    row[j] = one({arguments})"]
    space = {"one": one, "__name__": equation.__module__}
    # As if it stood in the file of the equation: what numba keeps is renewed when that file changes.
    exec(compile("\n".join(lines), inspect.getfile(equation), "exec"), space)
    return numba.njit(cache=True, error_model="numpy")(space[name])
