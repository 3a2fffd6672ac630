"""Nested logit: choice probabilities and own-price elasticity (Berry 1994)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.world.engine.arrays import (
    Array,
    clip,
    ratio,
    row_max,
    row_sum,
    where,
)
from baimo.world.engine.equation import elementwise

if TYPE_CHECKING:
    pass


def rivalry(share: Array, nest_share: Array, correlation: float, captive: Array | float = 0.0) -> Array:
    """k = (1/(1-sigma) - sigma/(1-sigma) s_nest - s) (1 - l): how elastic the demand for one firm is.

    Source: nested-logit own-price derivative (Berry 1994). Twelve equal firms have k near
    4.6, a monopolist of its nest 1 - s. Sales to the share l that cannot leave do not answer.
    """
    k = (1.0 - correlation * nest_share) / (1.0 - correlation) - share
    return np.maximum(k * (1.0 - captive), 0.05)


def nested_shares(value: Array, open_nest: Array, outside: Array, correlation: float) -> tuple[Array, Array, Array]:
    """Choice probabilities of a nested logit over closed models, open weights and the outside.

    Parameters
    ----------
    value : array (segments, worlds, labs)
        Utility; far below zero for whoever is not there.
    open_nest : boolean array (worlds, labs)
    outside : array (segments, 1 or worlds, 1)
        Utility of the old tools.
    correlation : float
        sigma of both nests, 0 (plain logit) to below 1.

    Returns
    -------
    share : array (segments, worlds, labs)
    nest_share : array (segments, worlds, labs)
        Share within the own nest.
    log_sum : array (segments, worlds, 1)
        ln of the sum of nest values, outside included.
    """
    scale = 1.0 - correlation
    top = np.maximum(row_max(value), -60.0)
    weight = np.exp(_exponent(value, top, scale))
    open_weight, closed_weight = (_in_nest(weight, value, here) for here in (open_nest, ~open_nest))
    open_sum, closed_sum = row_sum(open_weight), row_sum(closed_weight)
    open_value = np.exp(scale * np.log(np.maximum(open_sum, 1e-300)))
    open_value = where(open_sum > 0.0, open_value, 0.0)
    closed_value = np.exp(scale * np.log(np.maximum(closed_sum, 1e-300)))
    closed_value = where(closed_sum > 0.0, closed_value, 0.0)
    total = open_value + closed_value + np.exp(clip(outside - top, -300.0, 300.0))
    within = _within(open_nest, open_weight, open_sum, closed_weight, closed_sum)
    share = _of_all(within, open_nest, open_value / total, closed_value / total)
    return share, within, top + np.log(total)


@elementwise
def _exponent(value, top, scale):
    """Utility in units of the nest's spread, the best at 0."""
    return np.maximum((value - top) / scale, -700.0)


@elementwise
def _in_nest(weight, value, here):
    """Weights of those in a nest who are there at all."""
    return where(here & (value > -100.0), weight, 0.0)


@elementwise
def _within(opened, open_weight, open_sum, closed_weight, closed_sum):
    """Share within the own nest."""
    return ratio(where(opened, open_weight, closed_weight), where(opened, open_sum, closed_sum))


@elementwise
def _of_all(within, opened, open_share, closed_share):
    """Share within the nest times the share of the nest."""
    return within * where(opened, open_share, closed_share)
