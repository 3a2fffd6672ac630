"""Tenders: buyers who take their next choice where the first has nobody free."""

from __future__ import annotations

import numpy as np

from baimo.world.engine.arrays import Array, ratio, row_sum, where

#: Rounds of the search for the factor mu, which rises with each to its limit.
ROUNDS = 6


def takers_of(wanted: Array, free: Array, none: Array) -> Array:
    """What each bidder gets of a demand that goes on to the next choice where the first is full.

    b_j = min(S_j, mu d_j), mu such that sum b_j + mu d_0 = sum d_j + d_0: who is turned away chooses among the others,
    or to buy nothing, in proportion to their shares (a logit with limits of capacity: de Palma, Picard and Waddell
    2007, Journal of Urban Economics 62).

    Parameters
    ----------
    wanted : array (worlds, rows)
        d, first choices of each bidder.
    free : array (worlds, rows)
        S, what each can take.
    none : array (worlds, 1)
        d_0, those whose first choice is to buy nothing.

    Returns
    -------
    array (worlds, rows)
        b, at most S; with ample S it is d.
    """
    total, mu = row_sum(wanted) + none, np.ones_like(none)
    for _ in range(ROUNDS):
        full = mu * wanted >= free
        left = total - row_sum(where(full, free, 0.0))
        mu = np.maximum(mu, ratio(left, row_sum(where(full, 0.0, wanted)) + none))
    return np.minimum(mu * wanted, free)
