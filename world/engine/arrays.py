"""Array functions for NumPy and CuPy, in the shapes of the model.

Shapes
------
``(worlds, rows)``      one value an agent: a *row* array
``(worlds, 1)``         one value a world
``(k, worlds, rows)``   small inner dimensions (axes, chip classes, segments) stand first

Everything that sums does so in one fixed order, so that a world gives the same bits
alone, in a block of worlds, and after the population has grown.
"""

from __future__ import annotations

import copy
import dataclasses
import sys
from typing import Annotated, Any

import numpy as np

from baimo.conf.declare import CN, ROW, ROW_BLOCK
from baimo.world.engine import kernels
from baimo.world.engine.device import Array, kernel
from baimo.world.engine.kernels import one_pass

# Arrays by shape, for annotations. What an inner dimension stands in front of may be one value an agent or a world.
PerAgent = Annotated[Array, "(worlds, rows)"]
PerWorld = Annotated[Array, "(worlds, 1), or a number that is the same in all worlds"]
PerAxis = Annotated[Array, "(3, worlds, rows)"]
PerClass = Annotated[Array, "(chip classes, worlds, rows)"]
PerTalent = Annotated[Array, "(4, worlds, rows)"]
PerCandidate = Annotated[Array, "(candidates, worlds, rows)"]


def namespace(array: Array) -> Any:
    """Return the module (numpy or cupy) that ``array`` belongs to."""
    return sys.modules[type(array).__module__.partition(".")[0]]


def where(mask: Array, yes: Any, no: Any) -> Array:
    """``numpy.where`` for NumPy and CuPy."""
    # Asked a thousand times a step, and so without the wrapper of ``one_pass``.
    if mask.__class__ is np.ndarray and kernels.in_use():
        return kernels.where(mask, yes, no)
    return np.where(mask, yes, no)


def by_region(pair: Array, region: Array) -> Array:
    """Pick by each agent's region from ``(2, worlds, 1)``."""
    return where(region == CN, pair[CN], pair[ROW])


@one_pass(kernels.clip)
def clip(value: Array, low: Any, high: Any) -> Array:
    """``numpy.clip`` for NumPy and CuPy."""
    return np.clip(value, low, high)


@one_pass(kernels.nonzero)
def nonzero(mask: Array) -> tuple[Array, ...]:
    """``numpy.nonzero``, by either library."""
    return np.nonzero(mask)


@one_pass(kernels.sum_k)
def sum_k(array: Array) -> Array:
    """Sum over the small leading axis, in order.

    ``array.sum(0)`` reduces a one-row slice in another order than a wide one and would
    make a single agent differ from the batch in the last bit.
    """
    if len(array) < 2:
        return array[0]
    total = array[0] + array[1]
    for layer in array[2:]:
        total += layer
    return total


@one_pass(kernels.weigh_k, judged_by=1)
def weigh_k(weights: Array, array: Array) -> Array:
    """Sum over the small leading axis, in order, each layer times its weight ``(k, 1, 1)``."""
    return sum_k(weights * array)


@one_pass(kernels.dot_k)
def dot_k(one: Array, other: Array) -> Array:
    """Sum of products over the small leading axis, in order."""
    return sum_k(one * other)


def mean_k(array: Array) -> Array:
    """Mean over the small leading axis, added in order."""
    return sum_k(array) / len(array)


def sum_where(mask: Array, values: Array) -> Array:
    """Sum of values over the rows of a mask, as ``(worlds, 1)``."""
    return row_sum(where(mask, values, 0.0))


def count_where(mask: Array) -> Array:
    """Number of rows of a mask, as ``(worlds, 1)``."""
    return sum_where(mask, 1.0)


def mean_where(mask: Array, values: Array) -> Array:
    """Mean of values over the rows of a mask, as ``(worlds, 1)``; 0 where there is none."""
    return ratio(sum_where(mask, values), count_where(mask))


def stack_k(*values: Any, xp: Any = np) -> Array:
    """Scalars or ``(worlds, 1)`` arrays as one ``(k, 1 or worlds, 1)`` array of numpy or cupy."""
    worlds = max(each.shape[0] if getattr(each, "ndim", 0) else 1 for each in values)
    stacked = xp.empty((len(values), worlds, 1))
    for layer, value in zip(stacked, values, strict=True):
        layer[...] = value
    return stacked


def max_k(array: Array) -> Array:
    """Maximum over the small leading axis."""
    best = array[0]
    for layer in array[1:]:
        best = np.maximum(best, layer)
    return best


@one_pass(kernels.row_sum)
def row_sum(array: Array) -> Array:
    """Sum over rows: ``(..., worlds, rows)`` to ``(..., worlds, 1)``.

    Rows are added in blocks, and the blocks in order, so that empty rows behind the last
    change no bit. They must lie side by side in memory: NumPy adds a transposed array in another order.
    """
    xp = namespace(array)
    array = xp.ascontiguousarray(array)
    blocks, rest = divmod(array.shape[-1], ROW_BLOCK)
    if blocks + (rest > 0) < 2:
        return xp.add.reduce(array, axis=-1, keepdims=True)
    whole = array[..., : blocks * ROW_BLOCK].reshape(*array.shape[:-1], blocks, ROW_BLOCK)
    total = xp.add.accumulate(xp.add.reduce(whole, axis=-1), axis=-1)[..., -1:]
    return total + xp.add.reduce(array[..., -rest:], axis=-1, keepdims=True) if rest else total


@one_pass(kernels.row_dot)
def row_dot(one: Array, other: Array) -> Array:
    """Sum of products over rows, as :func:`row_sum` adds them."""
    return row_sum(one * other)


@one_pass(kernels.argmax_k)
def argmax_k(array: Array) -> Array:
    """Index of the largest layer, the first of equals: ``(k, worlds, rows)`` without NaN to ``(worlds, rows)``."""
    return np.argmax(array, axis=0)


@one_pass(kernels.pick_k)
def pick_k(table: Array, place: Array) -> Array:
    """Layer named by ``place`` for each element: ``(k, worlds, rows)`` by ``(worlds, rows)``."""
    return np.take_along_axis(table, place[None], 0)[0]


def row_max(array: Array) -> Array:
    """Maximum over rows: ``(..., worlds, rows)`` to ``(..., worlds, 1)``."""
    return array.max(-1, keepdims=True)


def logistic(x: Array) -> Array:
    """1 / (1 + exp(-x)), safe for any finite argument."""
    return 1.0 / (1.0 + np.exp(clip(-x, -60.0, 60.0)))


@one_pass(kernels.ratio, judged_by=1)
def ratio(numerator: Array, denominator: Array) -> Array:
    """Quotient, 0 where the denominator is 0."""
    empty = denominator == 0
    return where(empty, 0.0, numerator / where(empty, 1.0, denominator))


def one_hot(index: Array, count: int) -> Array:
    """``(worlds, rows)`` integers to ``(count, worlds, rows)`` booleans."""
    xp = namespace(index)
    return index[None] == xp.arange(count).reshape((count,) + (1,) * index.ndim)


@one_pass(kernels.take_rows)
def take_rows(table: Array, rows: Array) -> Array:
    """Values of other agents by their rows.

    Parameters
    ----------
    table : array (..., worlds, n)
        One value for each agent that can be pointed at.
    rows : integer array (worlds, m)
        Which agent each of the ``m`` askers points at; negative pointers read row 0 and
        must be masked by the caller.

    Returns
    -------
    array (..., worlds, m)
    """
    xp = namespace(table)
    worlds, width = table.shape[-2:]
    flat = xp.maximum(rows, 0)
    if worlds > 1:
        flat = flat + width * xp.arange(worlds).reshape(-1, 1)
    return table.reshape(*table.shape[:-2], worlds * width).take(flat, axis=-1)


@one_pass(kernels.sum_by_group)
def sum_by_group(values: Array, group: Array, groups: int) -> Array:
    """Sum of values by group within each world.

    Parameters
    ----------
    values : array (worlds, n)
    group : integer array (worlds, n)
        Group of each value; negative means nowhere.
    groups : int

    Returns
    -------
    array (worlds, groups)

    Notes
    -----
    A bin only ever sees values of its own world in row order: the sum has the same bits
    whatever the block size. A float scatter-add on a GPU has no fixed order; there a kernel
    of one thread a bin keeps it.
    """
    xp = namespace(values)
    worlds = values.shape[0]
    if xp is np:
        offset = (groups + 1) * np.arange(worlds).reshape(-1, 1)
        index = where(group < 0, groups, group) + offset
        flat = np.bincount(index.ravel(), values.ravel(), worlds * (groups + 1))
        return flat.reshape(worlds, groups + 1)[:, :groups]
    rows = xp.ascontiguousarray(xp.broadcast_to(group, values.shape))
    total = xp.empty((worlds, groups))
    return kernel(xp, "sum_by_group")(values.astype(np.float64), rows, values.shape[1], groups, total)


def sum_by_world(values: Array, worlds: Array, rows: Array, shape: tuple[int, int]) -> Array:
    """Sum of the values of some rows within each world.

    Parameters
    ----------
    values, worlds, rows : arrays (n,)
        No row comes twice.
    shape : (worlds, rows)
        Of the population that the rows belong to.

    Returns
    -------
    array (worlds,)
    """
    xp = namespace(values)
    if xp is np:
        return np.bincount(worlds, values, shape[0])
    wide = xp.zeros(shape)
    wide[worlds, rows] = values
    return kernel(xp, "sum_by_group")(wide, xp.zeros(shape, dtype=np.int64), shape[1], 1, xp.empty((shape[0], 1)))[:, 0]


def add_at(target: Array, place: tuple[Array, ...], values: Any) -> None:
    """Add values at indices that may repeat, in place."""
    namespace(target).add.at(target, place, values)


def compacts(xp: Any) -> bool:
    """Whether to select a few rows before working on them: a GPU works on all rather than wait for their number."""
    return xp is np


def codes_in_use(codes: Array, count: int) -> Array:
    """Codes among 0 to ``count - 1`` that occur, in order; all of them where a search would not pay."""
    xp = namespace(codes)
    if not compacts(xp):
        return xp.arange(count)
    return np.flatnonzero(np.bincount(codes[codes >= 0], minlength=count))


def is_one_of(values: Array, codes: tuple[int, ...] | list[int]) -> Array:
    """Whether integers are one of a few codes."""
    found = values == codes[0]
    for code in codes[1:]:
        found = found | (values == code)
    return found


def to_device(tree: Any, xp: Any) -> Any:
    """Array, dataclass of arrays, or dataclass of such, with its arrays on the device of ``xp``."""
    if xp is np:
        return tree
    if isinstance(tree, np.ndarray):
        return xp.asarray(tree)
    if not dataclasses.is_dataclass(tree):
        return tree
    moved = copy.copy(tree)
    for each in dataclasses.fields(tree):
        object.__setattr__(moved, each.name, to_device(getattr(tree, each.name), xp))
    return moved


def shares(values: Array) -> Array:
    """Divide each row by the world's total (0 where the total is 0)."""
    return ratio(values, row_sum(values))


def herfindahl(values: Array) -> Array:
    """Herfindahl-Hirschman index of ``(worlds, rows)`` values, 0 to 1, as ``(worlds, 1)``."""
    return row_sum(shares(values) ** 2)


def largest(values: Array, count: int) -> Array:
    """Sum of the ``count`` largest values of each world, as ``(worlds, 1)``."""
    return row_sum(np.sort(values, axis=-1)[..., -count:])


@one_pass(kernels.first_above)
def first_above(ladder: Array, worlds: Array, level: Array) -> Array:
    """First row whose value passes a level, by bisection; the number of rows where none does.

    Parameters
    ----------
    ladder : array (worlds, rows)
        Values that rise along the rows.
    worlds, level : arrays (n,)
        Which world to look in, and for what.
    """
    xp = namespace(ladder)
    low = xp.zeros_like(worlds)
    high = xp.full_like(worlds, ladder.shape[-1])
    for _ in range(ladder.shape[-1].bit_length()):
        middle = xp.minimum((low + high) // 2, ladder.shape[-1] - 1)
        below = ladder[worlds, middle] <= level
        searching = low < high
        low = xp.where(searching & below, middle + 1, low)
        high = xp.where(searching & ~below, middle, high)
    return low
