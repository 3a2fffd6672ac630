"""Kernels compiled by numba for the CPU, each in one pass over its arrays.

Each stands for a function in NumPy, beside which it is named (``@one_pass(kernel)``) and whose
numbers it gives, bit for bit but for the sign of zero: the extra ``fast`` changes how long a run
takes and nothing else. Without numba, on arrays of another kind (CuPy's), where the variable
``HUNDRED_MODELS_COMPILED`` is 0 or inside :func:`plain`, NumPy's form runs.

Numba keeps what it compiled on disk. It writes its list of types without a lock, so every kernel
here has one set of types: two processes that compile it at once write the same.
"""

from __future__ import annotations

import math
import os
import types
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from baimo.conf.declare import ROW_BLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

try:
    import numba
except ImportError:
    numba = None

#: Whether compiled kernels are used: one entry, which :func:`plain` changes.
_IN_USE = [numba is not None and os.environ.get("HUNDRED_MODELS_COMPILED") != "0"]


def in_use() -> bool:
    """Whether compiled kernels are available and switched on."""
    return _IN_USE[0]


@contextmanager
def plain() -> Iterator[None]:
    """Context without compiled kernels, for comparisons."""
    before = _IN_USE[0]
    _IN_USE[0] = False
    try:
        yield
    finally:
        _IN_USE[0] = before


def one_pass(kernel: Callable, judged_by: int = 0) -> Callable:
    """Decorator that replaces a function by a compiled kernel where its arrays are NumPy's.

    Parameters
    ----------
    kernel : function of the same arguments, by position
        Returns ``NotImplemented`` for shapes or types that it leaves to NumPy, else an array of its own: a
        column that is assigned it needs no copy.
    judged_by : int
        Place of the argument whose type tells whose arrays they are.
    """

    def mark(form: Callable) -> Callable:
        @wraps(form)
        def either(*arguments: Any) -> Any:
            if arguments[judged_by].__class__ is np.ndarray and _IN_USE[0]:
                result = kernel(*arguments)
                if result is not NotImplemented:
                    return result
            return form(*arguments)

        either.kernel = kernel
        return either

    return mark


def kept(compiler: Callable, function: Callable, **options: Any) -> Callable:
    """Function compiled by numba, cached on disk where possible."""
    try:
        return compiler(cache=True, **options)(function)
    except RuntimeError:  # nowhere to write: compiled anew by each process
        return compiler(**options)(function)


def loop(function: Callable) -> Callable:
    """Compile a loop over arrays of one set of types at its first call, without reordering arithmetic."""
    return function if numba is None else kept(numba.njit, function, error_model="numpy")


def loop_by_type(function: Callable) -> Callable:
    """Compile one kernel for each type of the first array."""
    kernels: dict[Any, Callable] = {}

    def of_type(*arguments: Any) -> Any:
        kind = arguments[0].dtype
        if kind not in kernels:
            name = f"{function.__name__}_{kind.name}"
            named = types.FunctionType(function.__code__, function.__globals__, name)
            named.__qualname__ = name
            kernels[kind] = loop(named)
        return kernels[kind](*arguments)

    of_type.kernels = kernels
    return of_type


def whole(array: np.ndarray, kind: Any = None) -> np.ndarray:
    """Contiguous, writable array, which is one type to numba."""
    if array.flags.carray and (kind is None or array.dtype == kind):
        return array
    return np.array(array, kind, order="C")


def inlined(function: Callable) -> Callable:
    """Inline a part of a loop before compilation, so that the loop is still vectorised."""
    return function if numba is None else numba.njit(error_model="numpy", inline="always")(function)


def _element(*kinds: str) -> Callable:
    """Compile a rule for one element as a ufunc of the given types."""

    def build(function: Callable) -> Callable:
        if numba is None:
            return function

        def vectorize(**options: Any) -> Callable:
            return numba.vectorize(list(kinds), **options)

        # Numba's wrapper looks at each argument in Python; the ufunc within does not.
        return kept(vectorize, function).ufunc

    return build


# ---------------------------------------------------------------------- elements


@_element(
    "boolean(boolean,boolean,boolean)",
    "int64(boolean,int64,int64)",
    "uint64(boolean,uint64,uint64)",
    "float64(boolean,float64,float64)",
)
def select(mask, yes, no):
    """``numpy.where`` without branches, which are slow where the mask is irregular."""
    return yes if mask else no


@_element("float64(float64,float64)")
def ratio(numerator, denominator):
    """Quotient, 0 where the denominator is 0."""
    # By vectors both sides of a choice are computed: nothing is divided by zero even where it is not wanted.
    empty = denominator == 0.0
    quotient = numerator / (denominator + empty)
    return 0.0 if empty else quotient


@_element("float64(float64,float64,float64)")
def _clip(value, low, high):
    raised = low if value < low else value
    return high if raised > high else raised


def clip(value: np.ndarray, low: Any, high: Any) -> Any:
    """``numpy.clip`` of floats between bounds that are numbers."""
    if value.dtype != np.float64 or low is None or high is None:
        return NotImplemented
    return _clip(value, low, high)


@loop_by_type
def _or_number(values, mask, number, chosen):
    """``numpy.where(mask, values, number)`` by layers: a ufunc's loop over a number takes one by one."""
    for k in range(len(values)):
        for i in range(mask.size):
            chosen[k, i] = values[k, i] if mask[i] else number


#: Elements from which a loop of its own pays.
_MANY = 2048


def where(mask: np.ndarray, yes: Any, no: Any) -> np.ndarray:
    """``numpy.where`` by the fastest kernel for its arguments; short floats and integers come back long."""
    if mask.dtype != bool:
        return np.where(mask, yes, no)
    number = no.__class__
    if (number is float or number is int) and mask.size >= _MANY and yes.__class__ is np.ndarray:
        alike = yes.shape[yes.ndim - mask.ndim :] == mask.shape and yes.dtype == number
        if alike and mask.flags.carray and yes.flags.carray:
            chosen = np.empty_like(yes)
            _or_number(yes.reshape(-1, mask.size), mask.reshape(-1), no, chosen.reshape(-1, mask.size))
            return chosen
    return select(mask, yes, no)


# ---------------------------------------------------------------------- sums


@inlined
def _sum_of_block(row, start, block):
    """Sum of a block of numbers in NumPy's order: eight sums side by side, then in pairs."""
    s0, s1, s2, s3 = row[start], row[start + 1], row[start + 2], row[start + 3]
    s4, s5, s6, s7 = row[start + 4], row[start + 5], row[start + 6], row[start + 7]
    for i in range(start + 8, start + block, 8):
        s0 += row[i]
        s1 += row[i + 1]
        s2 += row[i + 2]
        s3 += row[i + 3]
        s4 += row[i + 4]
        s5 += row[i + 5]
        s6 += row[i + 6]
        s7 += row[i + 7]
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))


@loop
def _row_sums(flat, block):
    """Sums of the rows of a contiguous ``(n, rows)`` array: by blocks, of which the last may be cut short, in order."""
    total = np.empty((len(flat), 1))
    for i in range(len(flat)):
        row = flat[i]
        summed = _sum_of_block(row, 0, min(block, row.size))
        for start in range(block, row.size, block):
            summed += _sum_of_block(row, start, min(block, row.size - start))
        total[i, 0] = summed
    return total


def row_sum(array: np.ndarray) -> Any:
    """Sum over rows, ``(..., rows)`` to ``(..., 1)``."""
    rows = array.shape[-1]
    if rows % 8 or array.dtype != np.float64 or not array.size:
        return NotImplemented
    array = whole(array)
    if array.ndim == 2:
        return _row_sums(array, ROW_BLOCK)
    return _row_sums(array.reshape(-1, rows), ROW_BLOCK).reshape(*array.shape[:-1], 1)


@loop
def _row_dots(one, other, block):
    """Sums of products of rows, which are multiplied a block at a time and added as above."""
    total, products = np.empty((len(one), 1)), np.empty(block)
    for k in range(len(one)):
        summed = 0.0
        for start in range(0, one.shape[1], block):
            size = min(block, one.shape[1] - start)
            for i in range(size):
                products[i] = one[k, start + i] * other[k, start + i]
            part = _sum_of_block(products, 0, size)
            summed = summed + part if start else part
        total[k, 0] = summed
    return total


def row_dot(one: np.ndarray, other: np.ndarray) -> Any:
    """Sum of products over rows, ``(..., rows)`` twice to ``(..., 1)``."""
    rows = one.shape[-1]
    if other.shape != one.shape or rows % 8 or one.dtype != np.float64 or other.dtype != np.float64 or not one.size:
        return NotImplemented
    pair = (whole(each).reshape(-1, rows) for each in (one, other))
    return _row_dots(*pair, ROW_BLOCK).reshape(*one.shape[:-1], 1)


@loop
def _sums_by_group(values, group, groups):
    worlds, rows = values.shape
    total = np.zeros((worlds, groups))
    for w in range(worlds):
        for r in range(rows):
            g = group[w, r]
            if 0 <= g < groups:
                total[w, g] += values[w, r]
    return total


def sum_by_group(values: np.ndarray, group: np.ndarray, groups: int) -> Any:
    """Sums by group within each world, ``(worlds, groups)``, in the order of rows."""
    if group.shape != values.shape:
        return NotImplemented
    return _sums_by_group(whole(values, np.float64), whole(group, np.int64), groups)


def sum_k(array: np.ndarray) -> Any:
    """Sum over the leading axis, in order."""
    return NotImplemented if len(array) < 3 or array.ndim < 2 else weigh_k(np.ones(len(array)), array)


@loop
def _weighed_layers(weights, flat, total):
    layers, n = flat.shape
    for i in range(n):
        total[i] = weights[0] * flat[0, i]
    for k in range(1, layers):
        for i in range(n):
            total[i] += weights[k] * flat[k, i]


def weigh_k(weights: np.ndarray, array: np.ndarray) -> Any:
    """Sum over the leading axis, in order, each layer times its weight."""
    if weights.size != len(array) or array.dtype != np.float64 or not array.flags.carray:
        return NotImplemented
    total = np.empty(array.shape[1:])
    _weighed_layers(weights.reshape(-1), array.reshape(len(array), -1), total.reshape(-1))
    return total


@loop
def _dot_layers(one, other, total):
    layers, n = one.shape
    for i in range(n):
        total[i] = one[0, i] * other[0, i]
    for k in range(1, layers):
        for i in range(n):
            total[i] += one[k, i] * other[k, i]


def dot_k(one: np.ndarray, other: np.ndarray) -> Any:
    """Sum of products over the leading axis, in order."""
    fits = one.shape == other.shape and one.ndim > 1 and one.dtype == other.dtype == np.float64
    if not fits or not one.flags.carray or not other.flags.carray:
        return NotImplemented
    total = np.empty(one.shape[1:])
    _dot_layers(one.reshape(len(one), -1), other.reshape(len(one), -1), total.reshape(-1))
    return total


# ---------------------------------------------------------------------- the best of a few


@loop
def _argmax_layers(flat, best, place):
    for i in range(best.size):
        best[i] = flat[0, i]
        place[i] = 0
    for k in range(1, len(flat)):
        for i in range(best.size):
            better = flat[k, i] > best[i]
            place[i] = k if better else place[i]
            best[i] = flat[k, i] if better else best[i]


def argmax_k(array: np.ndarray) -> Any:
    """Index of the largest layer, the first of equals; no NaN."""
    if array.dtype != np.float64 or not array.flags.carray or array.ndim < 2:
        return NotImplemented
    place = np.empty(array.shape[1:], np.int64)
    flat = array.reshape(len(array), -1)
    _argmax_layers(flat, np.empty(flat.shape[1]), place.reshape(-1))
    return place


@loop_by_type
def _pick_layers(flat, place, picked):
    for i in range(place.size):
        if not 0 <= place[i] < len(flat):
            raise IndexError("there is no such layer")
        picked[i] = flat[place[i], i]


def pick_k(table: np.ndarray, place: np.ndarray) -> Any:
    """Layer named for each element."""
    if table.shape[1:] != place.shape or not table.flags.carray or not place.flags.carray:
        return NotImplemented
    picked = np.empty(place.shape, table.dtype)
    _pick_layers(table.reshape(len(table), -1), place.reshape(-1), picked.reshape(-1))
    return picked


# ---------------------------------------------------------------------- looking rows up


@loop_by_type
def _take_rows(table, rows, taken):
    layers, worlds, width = taken.shape
    for k in range(layers):
        for w in range(worlds):
            for i in range(width):
                row = max(rows[w, i], 0)
                if row >= table.shape[2]:
                    raise IndexError("a pointer goes beyond the rows that there are")
                taken[k, w, i] = table[k, w, row]


def take_rows(table: np.ndarray, rows: np.ndarray) -> Any:
    """Values of other agents by their rows, ``(..., worlds, n)`` by ``(worlds, m)``."""
    inner = table.shape[:-2]
    if rows.ndim != 2 or len(rows) != table.shape[-2]:
        return NotImplemented
    taken = np.empty((*inner, *rows.shape), table.dtype)
    count = math.prod(inner)
    layers = whole(table).reshape(count, *table.shape[-2:])
    _take_rows(layers, whole(rows, np.int64), taken.reshape(count, *rows.shape))
    return taken


@loop
def _best_tied(values, ties, missing, best, row):
    for w in range(values.shape[0]):
        for i in range(values.shape[1]):
            best[w, i], row[w, i] = missing, -1
            for k in range(len(ties)):
                tie = ties[k, w, i]
                if tie >= values.shape[1]:
                    raise IndexError("a tie goes beyond the rows that there are")
                if tie >= 0 and values[w, tie] > best[w, i]:
                    best[w, i], row[w, i] = values[w, tie], tie


def best_tied(values: np.ndarray, ties: np.ndarray, missing: float) -> Any:
    """Greatest value among neighbours, and its row."""
    if values.dtype != np.float64 or values.shape != ties.shape[1:]:
        return NotImplemented
    best, row = np.empty(values.shape), np.empty(values.shape, np.int64)
    _best_tied(whole(values), whole(ties, np.int64), float(missing), best, row)
    return best, row


@loop
def _split(flat, width):
    worlds, rows = np.empty_like(flat), np.empty_like(flat)
    world, start = 0, 0
    for i in range(flat.size):
        while flat[i] >= start + width:
            world += 1
            start += width
        worlds[i], rows[i] = world, flat[i] - start
    return worlds, rows


def nonzero(mask: np.ndarray) -> Any:
    """Indices of a mask ``(worlds, rows)``, through a flat view, on which NumPy is fast."""
    if mask.ndim != 2 or mask.dtype != bool or not mask.flags.c_contiguous:
        return NotImplemented
    return _split(mask.reshape(-1).nonzero()[0], mask.shape[1])


@loop_by_type
def _gather(layers, worlds, rows, taken):
    count, height, width = layers.shape
    place = np.empty_like(rows)
    for i in range(rows.size):
        if not (0 <= worlds[i] < height and 0 <= rows[i] < width):
            raise IndexError("there is no such row")
        place[i] = worlds[i] * width + rows[i]
    for k in range(count):
        layer = layers[k].reshape(-1)
        for i in range(place.size):
            taken[k, i] = layer[place[i]]


def gather(value: np.ndarray, worlds: np.ndarray, rows: np.ndarray) -> Any:
    """Selected rows of selected worlds, ``(..., worlds, rows)`` to ``(..., 1, n)``."""
    taken = np.empty((*value.shape[:-2], 1, len(rows)), value.dtype)
    count = math.prod(value.shape[:-2])
    layers = whole(value).reshape(count, *value.shape[-2:])
    places = (whole(each, np.int64) for each in (worlds, rows))
    _gather(layers, *places, taken.reshape(count, len(rows)))
    return taken


@loop
def _first_above(ladder, worlds, level):
    found = np.empty_like(worlds)
    for i in range(worlds.size):
        rung = ladder[worlds[i]]
        low, high = 0, rung.size
        while low < high:
            middle = (low + high) // 2
            if rung[middle] <= level[i]:
                low = middle + 1
            else:
                high = middle
        found[i] = low
    return found


def first_above(ladder: np.ndarray, worlds: np.ndarray, level: np.ndarray) -> Any:
    """First row whose value passes a level, by bisection; every world is assumed to be there."""
    if ladder.dtype != np.float64 or level.dtype != np.float64 or worlds.dtype != np.int64:
        return NotImplemented
    return _first_above(*(whole(each) for each in (ladder, worlds, level)))
