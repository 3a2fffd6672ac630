"""One market for chips in use: which train, which serve, and the two rents at which both uses find their chips (X06).

A holder of a chip of class k lets it train for a_k w_T an hour, serve for b_k w_S, or stand idle and save c_k, what
running it costs; a_k and b_k are its speeds in H100s. Holders differ a little in what they get, so that the shares are

    share_kT = (a_k w_T)^(1/s) / ((a_k w_T)^(1/s) + (b_k w_S)^(1/s) + c_k^(1/s))

and s -> 0 leaves comparative advantage alone: classes sorted by b_k/a_k, one on the margin. The spread makes supply
smooth in the rents, which a margin class would make jump. More rent of one use draws chips from the other (gross
substitutes), demand falls with its own rent, and so the pair of rents that clears both is the only one.

Arrays are ``(regions, worlds, 1)``, with classes in front ``(classes, regions, worlds, 1)``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from baimo.world.engine.arrays import Array, clip, sum_k

#: Steps of Newton's method, the most that a rent moves in one, in logs, and how many times the spread of holders it
#: begins with: it halves from step to step, for where all chips of a class do one thing supply hardly has a slope.
ROUNDS, STRIDE, COARSE = 10, 2.0, 8.0
#: Chips that count as none.
_NONE = 1e-9


class Pool(NamedTuple):
    """Chips that may be used by whoever pays most."""

    chips: Array
    training: Array  # H100s: a
    serving: Array  # H100s: b
    cost: Array  # CNY an hour: c
    spread: Array  # s


class Want(NamedTuple):
    """Demand for one use, H100s: labs (w/w_0)^-e + outside (w/w_0)^-f."""

    labs: Array
    outside: Array
    labs_slope: Array  # e
    outside_slope: Array  # f
    at: Array  # ln w_0

    def by(self, rent: Array) -> tuple[Array, Array]:
        """What labs and the outside world want at the log of a rent."""
        moved = rent - self.at
        return self.labs * np.exp(-self.labs_slope * moved), self.outside * np.exp(-self.outside_slope * moved)


def assign(offer: Pool, training: Array, serving: Array) -> tuple[Array, Array]:
    """Shares of each class that train and that serve, at the logs of both rents."""
    idle = np.log(offer.cost)
    trains = (np.log(offer.training) + training - idle) / offer.spread
    serves = (np.log(offer.serving) + serving - idle) / offer.spread
    best = np.maximum(np.maximum(trains, serves), 0.0)
    trains, serves = np.exp(trains - best), np.exp(serves - best)
    total = np.exp(-best) + trains + serves
    return trains / total, serves / total


def supply(offer: Pool, training: Array, serving: Array) -> tuple[Array, Array]:
    """H100s that train and that serve, at the logs of both rents."""
    trains, serves = assign(offer, training, serving)
    return sum_k(offer.chips * offer.training * trains), sum_k(offer.chips * offer.serving * serves)


def clear(offer: Pool, training: Want, serving: Want) -> tuple[Array, Array]:
    """Logs of the rents of training and of serving at which supply is demand for both.

    Newton's method on ln S - ln D, whose slopes make a diagonally dominant matrix; it starts from the last rents.
    """
    rents = training.at, serving.at
    fast, quick = offer.chips * offer.training, offer.chips * offer.serving
    for done in range(ROUNDS):
        spread = offer.spread * max(1.0, COARSE / 2.0**done)
        trains, serves = assign(offer._replace(spread=spread), *rents)
        s_t, s_s = sum_k(fast * trains) + _NONE, sum_k(quick * serves) + _NONE
        d_t, slope_t = _wanted(training, rents[0])
        d_s, slope_s = _wanted(serving, rents[1])
        gap_t, gap_s = np.log(s_t / d_t), np.log(s_s / d_s)
        tt = sum_k(fast * trains * (1.0 - trains)) / (spread * s_t) + slope_t
        ss = sum_k(quick * serves * (1.0 - serves)) / (spread * s_s) + slope_s
        ts = -sum_k(fast * trains * serves) / (spread * s_t)
        st = -sum_k(quick * trains * serves) / (spread * s_s)
        det = tt * ss - ts * st
        step_t, step_s = (ss * gap_t - ts * gap_s) / det, (tt * gap_s - st * gap_t) / det
        rents = rents[0] - clip(step_t, -STRIDE, STRIDE), rents[1] - clip(step_s, -STRIDE, STRIDE)
    return rents


def _wanted(want: Want, rent: Array) -> tuple[Array, Array]:
    """Demand, and its elasticity."""
    labs, outside = want.by(rent)
    total = labs + outside + _NONE
    return total, (want.labs_slope * labs + want.outside_slope * outside) / total
