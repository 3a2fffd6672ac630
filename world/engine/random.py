"""Counter-based random numbers, keyed by agent and step rather than by position in an array.

Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") maps a
counter and a key to four independent 32-bit words. Here the counter is (agent id, stream
and partner, step, world) and the key (seed, domain), so that a draw depends on nothing
else: not on the number of agents, the order of calls, the block of worlds or the process.
Two policy arms with one seed therefore differ only where the policy acts.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np

from baimo.world.engine import philox_loops
from baimo.world.engine.arrays import Array, namespace
from baimo.world.engine.device import kernel
from baimo.world.engine.kernels import one_pass
from baimo.world.engine.philox_loops import Draw

_M0, _M1 = 0xD2511F53, 0xCD9E8D57
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_MASK = 0xFFFFFFFF
_FACTORS = np.array([_M0, _M1], dtype=np.uint64)
_SHIFT, _LOW = np.uint64(32), np.uint64(_MASK)
#: A 32-bit word becomes the middle of its cell of the open unit interval.
_SCALE = 2.0**-32


def philox(counter: tuple[Array, Array, Array, Array], key: tuple[int, int]) -> tuple[Array, ...]:
    """Ten rounds of Philox 4x32 on broadcastable uint64 counters (low 32 bits used).

    On a GPU one kernel takes all rounds.

    Returns
    -------
    four uint64 arrays holding 32-bit words
    """
    xp = namespace(counter[0])
    if xp is not np:
        return tuple(kernel(xp, "philox")(*counter, *key))
    shape = np.broadcast_shapes(*(each.shape for each in counter))
    # Two words are multiplied and two are not: each pair goes through a round together.
    even, odd = np.empty((2, *shape), np.uint64), np.empty((2, *shape), np.uint64)
    even[0], odd[0], even[1], odd[1] = counter
    factors = _FACTORS.reshape(2, *(1,) * len(shape))
    keys = _round_keys(key).reshape(10, 2, *(1,) * len(shape))
    for round_key in keys:
        product = even * factors
        even = (product >> _SHIFT)[::-1] ^ odd
        even ^= round_key
        product &= _LOW
        odd = product[::-1]
    return even[0], odd[0], even[1], odd[1]


@lru_cache(maxsize=256)
def _round_keys(key: tuple[int, int]) -> np.ndarray:
    """Keys of the ten rounds, ``(10, 2)``: each the last plus Weyl's constants."""
    return np.array([[(key[0] + k * _W0) & _MASK, (key[1] + k * _W1) & _MASK] for k in range(10)], dtype=np.uint64)


def uniform(words: Array) -> Array:
    """32-bit words to floats in the open interval (0, 1)."""
    return (words.astype(np.float64) + 0.5) * _SCALE


def gumbel(u: Array) -> Array:
    """Uniform to standard Gumbel by inverse transform."""
    return -np.log(-np.log(u))


def normal(u: Array, v: Array) -> Array:
    """Two uniforms to one standard normal (Box-Muller)."""
    return np.sqrt(-2.0 * np.log(u)) * np.cos(2.0 * np.pi * v)


def poisson(u: Array, rate: Array, most: int) -> Array:
    """Poisson counts by inverse transform, truncated at ``most``.

    One uniform gives one count, so that a small change of the rate moves few counts.
    """
    xp = namespace(u)
    # What lies beyond changes no count: a GPU takes it along rather than wait for the largest rate.
    needed = min(most, int(rate.max() + 12.0 * np.sqrt(rate.max()) + 12.0)) if xp is np else most
    n = xp.arange(needed).reshape(-1, *(1,) * u.ndim)
    log_factorial = np.cumsum(np.log(np.maximum(n, 1.0)), axis=0)
    log_rate = np.log(np.maximum(rate, 1e-300))
    below = np.cumsum(np.exp(n * log_rate - rate - log_factorial), axis=0)
    return (u > below).sum(0).astype(float)


# ---------------------------------------------------------------------- uniforms of agents


@one_pass(philox_loops.draws_of_all)
def draws_of_all(ids: Array, blocks: int, first: int, draw: Draw) -> Array:
    """Uniforms of every agent ``(worlds, rows)`` in blocks of four streams: ``(blocks, 4, worlds, rows)``."""
    xp = namespace(ids)
    block = xp.arange(first, first + blocks, dtype=np.uint64).reshape(-1, 1, 1)
    moment = xp.full((1, 1), draw.step, dtype=np.uint64)
    counter = (ids[None].astype(np.uint64), block, moment, draw.world_ids)
    return uniform(xp.stack(philox(counter, draw.key), axis=1))


@one_pass(philox_loops.draws_of_some)
def draws_of_some(ids: Array, worlds: Array, blocks: int, first: int, draw: Draw) -> Array:
    """Uniforms of a few agents, ``ids`` and ``worlds`` (n,): ``(blocks, 4, n)``."""
    xp = namespace(ids)
    block = xp.arange(first, first + blocks, dtype=np.uint64).reshape(-1, 1)
    moment = xp.full((1,), draw.step, dtype=np.uint64)
    counter = (ids.astype(np.uint64), block, moment, draw.world_ids[worlds, 0])
    return uniform(xp.stack(philox(counter, draw.key), axis=1))


@one_pass(philox_loops.draws_of_pairs)
def draws_of_pairs(ids: Array, worlds: Array, partners: Array, draw: Draw) -> Array:
    """One uniform a pair of ``ids`` (n,) in ``worlds`` (n,) and ``partners`` (k, n): ``(k, n)``."""
    moment = namespace(ids).full((1,), draw.step, dtype=np.uint64)
    counter = (ids.astype(np.uint64), partners.astype(np.uint64), moment, draw.world_ids[worlds, 0])
    return uniform(philox(counter, draw.key)[0])


class Streams:
    """Random streams of a block of worlds, from one seed.

    Parameters
    ----------
    seed : int
        Any non-negative integer below 2**64.
    world_ids : integer array (worlds,)
        Global numbers of the worlds in this block (replicate numbers).
    """

    def __init__(self, seed: int, world_ids: Array):
        self.seed = int(seed)
        self.world_ids = world_ids.astype(np.uint64).reshape(-1, 1)
        self.step = 0

    def key(self, domain: str) -> tuple[int, int]:
        """Key of a domain (an agent type, or one decision between two agents)."""
        low, high = self.seed & _MASK, self.seed >> 32
        return low, (zlib.crc32(domain.encode()) + high * _W0) & _MASK

    def _draw(self, domain: str) -> Draw:
        return Draw(self.step, self.world_ids, self.key(domain))

    def words(self, domain: str, ids: Array, partner: Array | int = 0) -> tuple[Array, ...]:
        """Four words for each id (worlds, n), optionally for each pair of ids."""
        xp = namespace(ids)
        second = xp.asarray(partner).astype(np.uint64)
        step = xp.full((1, 1), self.step, dtype=np.uint64)
        return philox((ids.astype(np.uint64), second, step, self.world_ids), self.key(domain))

    def slab(self, domain: str, ids: Array, streams: int, first: int = 0) -> Array:
        """Uniforms for several streams of an agent type at once, from block ``first`` of four streams on.

        Returns
        -------
        array (streams, worlds, rows)
        """
        blocks = -(-streams // 4)
        drawn = draws_of_all(ids, blocks, first, self._draw(domain))
        return drawn.reshape(blocks * 4, *ids.shape)[:streams]

    def some(self, domain: str, worlds: Array, ids: Array, streams: int, first: int = 0) -> Array:
        """The slab of a few agents, ``(streams, n)``: ``worlds`` and ``ids`` are (n,)."""
        blocks = -(-streams // 4)
        drawn = draws_of_some(ids, worlds, blocks, first, self._draw(domain))
        return drawn.reshape(blocks * 4, len(ids))[:streams]

    def pairs(self, domain: str, worlds: Array, ids: Array, partners: Array, lasting: bool = False) -> Array:
        """One uniform a pair: ``ids`` (n,), ``partners`` (k, n) in worlds ``worlds`` (n,).

        A ``lasting`` one is the same in every step: a taste rather than a mood.
        """
        draw = self._draw(domain)
        return draws_of_pairs(ids, worlds, partners, draw._replace(step=0) if lasting else draw)

    def per_world(self, domain: str, count: int) -> Array:
        """``count`` uniforms a world: array (count, worlds, 1)."""
        xp = namespace(self.world_ids)
        worlds = xp.arange(len(self.world_ids))
        ids, places = xp.arange(count).repeat(len(worlds)), xp.tile(worlds, count)
        drawn = draws_of_pairs(ids, places, xp.zeros_like(ids), self._draw(domain))
        return drawn.reshape(count, len(worlds), 1)
