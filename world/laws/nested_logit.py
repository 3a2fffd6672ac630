"""Nested logit: choice probabilities and own-price elasticity (Berry 1994)."""

from __future__ import annotations

import numpy as np

from baimo.world.engine.arrays import (
    Array,
    clip,
    ratio,
    row_max,
    row_sum,
    where,
)
from baimo.world.engine.equation import equation


def elasticity_factor(share: Array, nest_share: Array, correlation: float, captive: Array | float = 0.0) -> Array:
    """k = (1/(1-sigma) - sigma/(1-sigma) s_nest - s) (1 - l): factor of the own-price elasticity of demand.

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
        Utility; far below zero for options that are not available.
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
    top = np.maximum(row_max(value), -60.0)
    open_weight, closed_weight = nest_weights(value, top, open_nest, correlation)
    open_sum, closed_sum = row_sum(open_weight), row_sum(closed_weight)
    open_value, closed_value = nest_value(open_sum, correlation), nest_value(closed_sum, correlation)
    total = open_value + closed_value + np.exp(clip(outside - top, -300.0, 300.0))
    nests = (open_weight, open_sum, open_value), (closed_weight, closed_sum, closed_value)
    share, within = chosen(*nests, open_nest, total)
    return share, within, top + np.log(total)


@equation
def nest_weights(value, top, opened, sigma):
    """exp((V - V_best)/(1 - sigma)) of available options, in the nest of open weights and in the other."""
    weight = np.exp(np.maximum((value - top) / (1.0 - sigma), -700.0))
    there = value > -100.0
    return where(opened & there, weight, 0.0), where(~opened & there, weight, 0.0)


@equation
def nest_value(total, sigma):
    """(sum of weights)^(1 - sigma): weight of a nest against the others."""
    return where(total > 0.0, np.exp((1.0 - sigma) * np.log(np.maximum(total, 1e-300))), 0.0)


@equation
def chosen(open_nest, closed_nest, opened, total):
    """s = s_within s_nest and s_within = weight / sum of the nest, for nests (weights, their sum, the nest's value)."""
    within = ratio(where(opened, open_nest[0], closed_nest[0]), where(opened, open_nest[1], closed_nest[1]))
    return within * where(opened, open_nest[2] / total, closed_nest[2] / total), within
