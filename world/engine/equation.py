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
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any

import numpy as np

from baimo.world.engine.arrays import ratio, where
from baimo.world.engine.kernels import in_use, kept, numba, whole

#: What an equation may name besides its own arguments: whatever else it named could change unseen.
ALLOWED = {"np", "maximum", "minimum", "sqrt", "where", "ratio"}
_NUMBERS = {float, int, bool, np.float64, np.bool_}
#: How many kinds and shapes of arguments of an equation are remembered.
FORMS = 256

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
    :mod:`baimo.world.engine.arrays`, and nothing else by name.
    """
    if equation.__defaults__:
        raise TypeError(f"{equation.__qualname__}: an equation of one element has no defaults")
    if others := {*equation.__code__.co_names, *equation.__code__.co_freevars} - ALLOWED:
        raise TypeError(f"{equation.__qualname__}: an equation of one element names no {', '.join(sorted(others))}")
    if numba is None:
        return equation
    loops: dict[str, Callable] = {}

    @lru_cache(maxsize=FORMS)
    def form_of(given: tuple) -> tuple | None:
        """The loop for arguments like these, the shapes in which it takes them, and that of the result."""
        arrays = [each for each in given if each.__class__ is tuple]
        shape = np.broadcast_shapes(*[each[1] for each in arrays])
        if not 2 <= len(shape) <= 3 or not {each for each in given if each.__class__ is not tuple} <= _NUMBERS:
            return None
        kinds, layers = zip(*[_as_layers(each, shape[-1]) for each in given], strict=True)
        key = "_".join(kinds)
        if key not in loops:
            loops[key] = _loop(equation, kinds)
        return loops[key], layers, shape

    @wraps(equation)
    def either(*given: Any) -> Any:
        if not in_use():
            return equation(*given)
        alike = [(each.dtype.char, each.shape) if each.__class__ is np.ndarray else each.__class__ for each in given]
        form = form_of(tuple(alike))
        if form is None:
            return equation(*given)
        loop, layers, shape = form
        out = np.empty(shape)
        inputs = [whole(each).reshape(layer) if layer else each for each, layer in zip(given, layers, strict=True)]
        loop(out if len(shape) == 3 else out.reshape(1, *shape), *inputs)
        return out

    either.loops = loops
    return either


def _as_layers(given: Any, rows: int) -> tuple[str, tuple | None]:
    """What an argument is, and its shape as a loop takes it: None for a number.

    ``w`` is a three-dimensional array that has rows, ``n`` one that has none, ``s`` a number; the type follows.
    """
    if given.__class__ is not tuple:
        return f"s{given.__name__}", None
    kind, shape = given
    return f"{'w' if shape[-1:] == (rows,) else 'n'}{kind}", (1,) * (3 - len(shape)) + shape


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
