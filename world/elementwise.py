"""Equations of one element, which numba turns into one loop over all of them.

An equation is written once, for numbers: with NumPy it runs on whole arrays, a pass for each
operation; where numba is at hand, all its operations are done element by element in one pass. Both
give the same numbers to the bit (but for the sign of zero), for additions, products, quotients,
roots and choices have but one result; ``exp`` and ``log`` have not, and are taken outside.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np

from world.arrays import ratio, where
from world.compiled import in_use, kept, numba, whole

#: What an equation may name besides its own arguments: whatever else it named could change unseen.
ALLOWED = {"np", "maximum", "minimum", "sqrt", "where", "ratio"}
_NUMBERS = (float, int, bool, np.float64, np.bool_)

if numba is not None:

    @numba.extending.overload(where)
    def _where_of_one(mask, yes, no):
        return lambda mask, yes, no: yes if mask else no

    @numba.extending.overload(ratio)
    def _ratio_of_one(numerator, denominator):
        return lambda numerator, denominator: 0.0 if denominator == 0.0 else numerator / denominator


def elementwise(equation: Callable) -> Callable:
    """Let an equation run in one pass on arrays that broadcast to ``(..., worlds, rows)``.

    Its arguments are arrays or numbers, by position; one float comes back. It may use arithmetic,
    comparisons, ``np.sqrt``, ``np.minimum``, ``np.maximum`` and ``where`` and ``ratio`` of
    :mod:`world.arrays`, and nothing else by name.
    """
    if others := set(equation.__code__.co_names) - ALLOWED:
        raise TypeError(f"{equation.__qualname__}: an equation of one element names no {', '.join(sorted(others))}")
    if numba is None:
        return equation
    loops: dict[str, Callable] = {}

    @wraps(equation)
    def either(*given: Any) -> Any:
        if not in_use() or any(each.__class__ is not np.ndarray and each.__class__ not in _NUMBERS for each in given):
            return equation(*given)
        shape = np.broadcast_shapes(*[each.shape for each in given if each.__class__ is np.ndarray])
        if not 2 <= len(shape) <= 3:
            return equation(*given)
        kinds, inputs = [], []
        for each in given:
            kind, value = _as_layers(each, shape[-1])
            kinds.append(kind)
            inputs.append(value)
        key = "_".join(kinds)
        if key not in loops:
            loops[key] = _loop(equation, kinds)
        out = np.empty(shape)
        loops[key](out if out.ndim == 3 else out.reshape(1, *shape), *inputs)
        return out

    either.loops = loops
    return either


def _as_layers(value: Any, rows: int) -> tuple[str, Any]:
    """What an argument is, and how a loop takes it.

    ``w`` is a three-dimensional array that has rows, ``n`` one that has none, ``s`` a number; the type follows.
    """
    if value.__class__ is not np.ndarray:
        return f"s{value.__class__.__name__}", value
    if value.ndim < 3:
        value = value.reshape((1,) * (3 - value.ndim) + value.shape)
    value = whole(value)
    return f"{'w' if value.shape[2] == rows else 'n'}{value.dtype.name}", value


def _loop(equation: Callable, kinds: list[str]) -> Callable:
    """The loop for arguments of some kinds, kept by numba beside the file of the equation.

    Its name tells all that it depends on: the equation, the types, and this file.
    """
    names = [f"a{k}" for k in range(len(kinds))]
    code = equation.__code__
    told = repr((code.co_code, code.co_consts, code.co_names, code.co_varnames, kinds)).encode()
    name = f"{equation.__name__}_{hashlib.sha256(told + Path(__file__).read_bytes()).hexdigest()[:16]}"
    here = "[k if {0}.shape[0] > 1 else 0, i if {0}.shape[1] > 1 else 0{1}]"
    picked = {"w": lambda a: f"{a}_ = {a}" + here.format(a, ""), "n": lambda a: f"{a}_ = {a}" + here.format(a, ", 0")}
    lines = [f"def {name}(out, {', '.join(names)}):", " for k in range(out.shape[0]):"]
    lines += ["  for i in range(out.shape[1]):"]
    lines += ["   " + picked[kind[0]](a) for a, kind in zip(names, kinds, strict=True) if kind[0] != "s"]
    element = {"w": "{}_[j]", "n": "{}_", "s": "{}"}
    arguments = ", ".join(element[kind[0]].format(a) for a, kind in zip(names, kinds, strict=True))
    lines += ["   row = out[k, i]", "   for j in range(row.size):", f"    row[j] = one({arguments})"]
    one = numba.njit(error_model="numpy", inline="always")(equation)
    space = {"one": one, "__name__": equation.__module__}
    exec(compile("\n".join(lines), inspect.getfile(equation), "exec"), space)
    return kept(numba.njit, space[name], error_model="numpy")
