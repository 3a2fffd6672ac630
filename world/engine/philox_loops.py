"""Compiled loops of Philox 4x32 (Salmon et al. 2011), bit-equal to :mod:`baimo.world.engine.random`."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from baimo.world.engine.kernels import inlined, loop, whole


class Draw(NamedTuple):
    """Part of a draw that all its agents share: step, ids of the worlds ``(worlds, 1)``, key of the domain."""

    step: int
    world_ids: Any
    key: tuple[int, int]


@inlined
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


@loop
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


def draws_of_all(ids: np.ndarray, blocks: int, first: int, draw: Draw) -> np.ndarray:
    """Uniforms of every agent in blocks of four streams, ``(blocks, 4, worlds, rows)``."""
    ids = whole(ids, np.int64)
    return _slab(ids, blocks, first, np.uint64(draw.step), whole(draw.world_ids[:, 0]), *_words(draw.key))


@loop
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


def draws_of_some(ids: np.ndarray, worlds: np.ndarray, blocks: int, first: int, draw: Draw) -> np.ndarray:
    """Uniforms of a few agents in blocks of four streams, ``(blocks, 4, n)``."""
    world_of = draw.world_ids[worlds, 0]
    return _few(whole(ids, np.int64), world_of, blocks, first, np.uint64(draw.step), *_words(draw.key))


@loop
def _pairs(ids, world_of, partners, step, k, l):  # noqa: E741
    found = np.empty(partners.shape)
    for j in range(partners.shape[0]):
        for i in range(partners.shape[1]):
            found[j, i] = _philox(np.uint64(ids[i]), np.uint64(partners[j, i]), step, world_of[i], k, l)[0]
    return found


def draws_of_pairs(ids: np.ndarray, worlds: np.ndarray, partners: np.ndarray, draw: Draw) -> np.ndarray:
    """One uniform a pair, ``(k, n)``, or ``(n,)`` where each has one partner."""
    shape = np.broadcast_shapes(ids.shape, partners.shape)
    wide = whole(np.broadcast_to(partners, shape), np.int64).reshape(math.prod(shape[:-1]), len(ids))
    ids = whole(ids, np.int64)
    world_of = draw.world_ids[worlds, 0]
    return _pairs(ids, world_of, wide, np.uint64(draw.step), *_words(draw.key)).reshape(shape)


def _words(key: tuple[int, int]) -> tuple[np.uint64, np.uint64]:
    return np.uint64(key[0]), np.uint64(key[1])
