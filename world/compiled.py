"""Kernels that numba compiles for the CPU: in one pass what NumPy says in several.

Each stands for a function in NumPy, beside which it is named (``@one_pass(kernel)``) and whose
bits it gives: the extra ``fast`` changes how long a run takes and nothing else. Without numba,
on arrays of another kind (CuPy's) or inside :func:`plain`, NumPy's form runs.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from conf.parameters.base import ROW_BLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

try:
    import numba
except ImportError:
    numba = None

#: Whether compiled kernels are used: one entry, which :func:`plain` changes.
_IN_USE = [numba is not None]

# Kernels write into arrays of the final shape: a column that is assigned one needs no copy of its own.


def in_use() -> bool:
    """Whether kernels are compiled here and not switched off."""
    return _IN_USE[0]


@contextmanager
def plain() -> Iterator[None]:
    """NumPy's forms only, to compare with them."""
    before = _IN_USE[0]
    _IN_USE[0] = False
    try:
        yield
    finally:
        _IN_USE[0] = before


def one_pass(kernel: Callable, judged_by: int = 0) -> Callable:
    """Let a compiled kernel stand in for a function wherever its arrays are NumPy's.

    Parameters
    ----------
    kernel : function of the same arguments
        Returns ``NotImplemented`` for shapes or types that it leaves to NumPy.
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

        return either

    return mark


def _compile(function: Callable) -> Callable:
    """A loop over arrays, compiled at its first call and kept on disk; never rearranged."""
    return function if numba is None else numba.njit(cache=True, error_model="numpy")(function)


def _part(function: Callable) -> Callable:
    """A part of such a loop, put in its place before it is compiled: it would keep it from running by vectors."""
    return function if numba is None else numba.njit(error_model="numpy", inline="always")(function)


def _element(*types: str) -> Callable:
    """A rule for one element as a ufunc of the given types."""

    def build(function: Callable) -> Callable:
        # Numba's wrapper looks at each argument in Python; the ufunc within does not.
        return function if numba is None else numba.vectorize(list(types), cache=True)(function).ufunc

    return build


# ---------------------------------------------------------------------- elements


@_element(
    "boolean(boolean,boolean,boolean)",
    "int64(boolean,int64,int64)",
    "uint64(boolean,uint64,uint64)",
    "float64(boolean,float64,float64)",
)
def select(mask, yes, no):
    """``numpy.where``, which jumps at each element and is slow where the mask is irregular."""
    return yes if mask else no


@_element("float64(float64,float64)")
def ratio(numerator, denominator):
    """The quotient, 0 where the denominator is 0."""
    return 0.0 if denominator == 0.0 else numerator / denominator


@_element("float64(float64,float64,float64)")
def clip(value, low, high):
    """``numpy.clip``."""
    raised = low if value < low else value
    return high if raised > high else raised


@_compile
def _or_number(mask, values, number, chosen):
    """``numpy.where(mask, values, number)`` by layers: a ufunc's loop over a number takes one by one."""
    for k in range(len(values)):
        for i in range(mask.size):
            chosen[k, i] = values[k, i] if mask[i] else number


#: Elements from which a loop of its own pays.
_MANY = 2048


def where(mask: np.ndarray, yes: Any, no: Any) -> np.ndarray:
    """``numpy.where`` by the quickest of the ways above."""
    number = no.__class__
    if (number is float or number is int) and mask.size >= _MANY and yes.__class__ is np.ndarray:
        alike = yes.shape[yes.ndim - mask.ndim :] == mask.shape and yes.dtype == number
        if alike and mask.flags.c_contiguous and yes.flags.c_contiguous:
            chosen = np.empty_like(yes)
            _or_number(mask.reshape(-1), yes.reshape(-1, mask.size), no, chosen.reshape(-1, mask.size))
            return chosen
    return select(mask, yes, no)


# ---------------------------------------------------------------------- sums


@_part
def _sum_of_block(row, start):
    """Sum of ``ROW_BLOCK`` numbers in NumPy's order: eight sums side by side, then in pairs."""
    s0, s1, s2, s3 = row[start], row[start + 1], row[start + 2], row[start + 3]
    s4, s5, s6, s7 = row[start + 4], row[start + 5], row[start + 6], row[start + 7]
    for i in range(start + 8, start + ROW_BLOCK, 8):
        s0 += row[i]
        s1 += row[i + 1]
        s2 += row[i + 2]
        s3 += row[i + 3]
        s4 += row[i + 4]
        s5 += row[i + 5]
        s6 += row[i + 6]
        s7 += row[i + 7]
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))


@_compile
def _row_sums(flat):
    """Sums of the rows of a contiguous ``(n, blocks x ROW_BLOCK)`` array: by blocks, and the blocks in order."""
    total = np.empty((len(flat), 1))
    for i in range(len(flat)):
        row = flat[i]
        summed = _sum_of_block(row, 0)
        for start in range(ROW_BLOCK, row.size, ROW_BLOCK):
            summed += _sum_of_block(row, start)
        total[i, 0] = summed
    return total


def row_sum(array: np.ndarray) -> Any:
    """Sum over rows, ``(..., rows)`` to ``(..., 1)``."""
    rows = array.shape[-1]
    if rows % ROW_BLOCK or array.dtype != np.float64 or not array.size:
        return NotImplemented
    if not array.flags.c_contiguous:
        array = np.ascontiguousarray(array)
    if array.ndim == 2:
        return _row_sums(array)
    return _row_sums(array.reshape(-1, rows)).reshape(*array.shape[:-1], 1)


@_compile
def _sums_by_group(values, group, groups):
    worlds, rows = values.shape
    total = np.zeros((worlds, groups))
    for w in range(worlds):
        for r in range(rows):
            g = group[w, r]
            if g >= 0:
                total[w, g] += values[w, r]
    return total


def sum_by_group(values: np.ndarray, group: np.ndarray, groups: int) -> Any:
    """Sums by group within each world, ``(worlds, groups)``, in the order of rows."""
    return _sums_by_group(np.ascontiguousarray(values, np.float64), np.ascontiguousarray(group), groups)


@_compile
def _sum_layers(flat, total):
    layers, n = flat.shape
    for i in range(n):
        total[i] = flat[0, i]
    for k in range(1, layers):
        for i in range(n):
            total[i] += flat[k, i]


def sum_k(array: np.ndarray) -> Any:
    """Sum over the leading axis, in order."""
    if len(array) < 3 or array.ndim < 2 or array.dtype != np.float64 or not array.flags.c_contiguous:
        return NotImplemented
    total = np.empty(array.shape[1:])
    _sum_layers(array.reshape(len(array), -1), total.reshape(-1))
    return total


@_compile
def _weighed_layers(weights, flat, total):
    layers, n = flat.shape
    for i in range(n):
        total[i] = weights[0] * flat[0, i]
    for k in range(1, layers):
        for i in range(n):
            total[i] += weights[k] * flat[k, i]


def weigh_k(weights: np.ndarray, array: np.ndarray) -> Any:
    """Sum over the leading axis, in order, each layer times its weight."""
    if weights.size != len(array) or array.dtype != np.float64 or not array.flags.c_contiguous:
        return NotImplemented
    total = np.empty(array.shape[1:])
    _weighed_layers(weights.reshape(-1), array.reshape(len(array), -1), total.reshape(-1))
    return total


# ---------------------------------------------------------------------- the best of a few


@_compile
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
    """Layer of the largest, the first of equals; no NaN."""
    if array.dtype != np.float64 or not array.flags.c_contiguous or array.ndim < 2:
        return NotImplemented
    place = np.empty(array.shape[1:], np.int64)
    flat = array.reshape(len(array), -1)
    _argmax_layers(flat, np.empty(flat.shape[1]), place.reshape(-1))
    return place


@_compile
def _pick_layers(flat, place, picked):
    for i in range(place.size):
        picked[i] = flat[place[i], i]


def pick_k(table: np.ndarray, place: np.ndarray) -> Any:
    """Of each element the layer that it names."""
    if table.shape[1:] != place.shape or not table.flags.c_contiguous or not place.flags.c_contiguous:
        return NotImplemented
    picked = np.empty(place.shape, table.dtype)
    _pick_layers(table.reshape(len(table), -1), place.reshape(-1), picked.reshape(-1))
    return picked


# ---------------------------------------------------------------------- looking rows up


@_compile
def _take_rows(table, rows, taken):
    layers, worlds, width = taken.shape
    for k in range(layers):
        for w in range(worlds):
            for i in range(width):
                taken[k, w, i] = table[k, w, max(rows[w, i], 0)]


def take_rows(table: np.ndarray, rows: np.ndarray) -> Any:
    """Look rows of other agents up, ``(..., worlds, n)`` by ``(worlds, m)``."""
    inner = table.shape[:-2]
    if rows.ndim != 2 or len(rows) != table.shape[-2]:
        return NotImplemented
    taken = np.empty((*inner, *rows.shape), table.dtype)
    layers = np.ascontiguousarray(table).reshape(-1, *table.shape[-2:])
    _take_rows(layers, np.ascontiguousarray(rows), taken.reshape(-1, *rows.shape))
    return taken


@_compile
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
    """Places of a mask ``(worlds, rows)``: NumPy is quick on a flat one only."""
    if mask.ndim != 2 or mask.dtype != bool or not mask.flags.c_contiguous:
        return NotImplemented
    return _split(mask.reshape(-1).nonzero()[0], mask.shape[1])


@_compile
def _gather(layers, worlds, rows, taken):
    for k in range(len(layers)):
        for i in range(rows.size):
            taken[k, i] = layers[k, worlds[i], rows[i]]


def gather(value: np.ndarray, worlds: np.ndarray, rows: np.ndarray) -> Any:
    """Selected rows of selected worlds, ``(..., worlds, rows)`` to ``(..., 1, n)``."""
    taken = np.empty((*value.shape[:-2], 1, len(rows)), value.dtype)
    layers = np.ascontiguousarray(value).reshape(-1, *value.shape[-2:])
    _gather(layers, worlds, rows, taken.reshape(len(layers), -1))
    return taken


@_compile
def first_above(ladder, worlds, level):
    """First row whose value passes a level, by bisection."""
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


# ---------------------------------------------------------------------- random numbers


@_part
def _philox(a, b, c, d, k, l):  # noqa: E741
    """Ten rounds of Philox 4x32 on one counter, each word made a number in (0, 1)."""
    low, high = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        p, q = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, c = (q >> high) ^ b ^ k, (p >> high) ^ d ^ l
        b, d = q & low, p & low
        k, l = (k + np.uint64(0x9E3779B9)) & low, (l + np.uint64(0xBB67AE85)) & low  # noqa: E741
    # Below 2**32 a word is a signed integer as well, which processors turn into floats faster.
    scale = 2.0**-32
    return (
        (np.int64(a) + 0.5) * scale,
        (np.int64(b) + 0.5) * scale,
        (np.int64(c) + 0.5) * scale,
        (np.int64(d) + 0.5) * scale,
    )


@_compile
def _slab(ids, blocks, first, step, world_ids, k, l):  # noqa: E741
    worlds, rows = ids.shape
    found = np.empty((blocks, 4, worlds, rows))
    for block in range(blocks):
        b = np.uint64(first + block)
        for w in range(worlds):
            for r in range(rows):
                u = _philox(np.uint64(ids[w, r]), b, step, world_ids[w], k, l)
                found[block, 0, w, r] = u[0]
                found[block, 1, w, r] = u[1]
                found[block, 2, w, r] = u[2]
                found[block, 3, w, r] = u[3]
    return found


def draws_of_all(ids: np.ndarray, blocks: int, first: int, step: int, world_ids: np.ndarray, key: tuple) -> np.ndarray:
    """Uniforms of every agent in blocks of four streams, ``(blocks, 4, worlds, rows)``."""
    return _slab(np.ascontiguousarray(ids), blocks, first, np.uint64(step), world_ids.reshape(-1), *_words(key))


@_compile
def _few(ids, world_of, blocks, first, step, k, l):  # noqa: E741
    found = np.empty((blocks, 4, ids.size))
    for block in range(blocks):
        b = np.uint64(first + block)
        for i in range(ids.size):
            u = _philox(np.uint64(ids[i]), b, step, world_of[i], k, l)
            found[block, 0, i] = u[0]
            found[block, 1, i] = u[1]
            found[block, 2, i] = u[2]
            found[block, 3, i] = u[3]
    return found


def draws_of_some(
    ids: np.ndarray, worlds: np.ndarray, blocks: int, first: int, step: int, world_ids: np.ndarray, key: tuple
) -> np.ndarray:
    """Uniforms of a few agents in blocks of four streams, ``(blocks, 4, n)``."""
    return _few(ids, world_ids[worlds, 0], blocks, first, np.uint64(step), *_words(key))


@_compile
def _pairs(ids, world_of, partners, step, k, l):  # noqa: E741
    found = np.empty(partners.shape)
    for j in range(partners.shape[0]):
        for i in range(partners.shape[1]):
            found[j, i] = _philox(np.uint64(ids[i]), np.uint64(partners[j, i]), step, world_of[i], k, l)[0]
    return found


def draws_of_pairs(
    ids: np.ndarray, worlds: np.ndarray, partners: np.ndarray, step: int, world_ids: np.ndarray, key: tuple
) -> np.ndarray:
    """One uniform a pair, ``(k, n)``, or ``(n,)`` where each has one partner."""
    shape = np.broadcast_shapes(ids.shape, partners.shape)
    wide = np.ascontiguousarray(np.broadcast_to(partners, shape)).reshape(math.prod(shape[:-1]), len(ids))
    return _pairs(ids, world_ids[worlds, 0], wide, np.uint64(step), *_words(key)).reshape(shape)


def _words(key: tuple[int, int]) -> tuple[np.uint64, np.uint64]:
    return np.uint64(key[0]), np.uint64(key[1])
