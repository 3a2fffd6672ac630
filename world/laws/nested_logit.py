"""Nested logit: choice probabilities, own-price elasticity, the best price of a firm (Berry 1994)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

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

if TYPE_CHECKING:
    from baimo.conf.schema import Config


@equation
def elasticity_factor(share, nest_share, sigma):
    """k = (1 - sigma s_nest)/(1 - sigma) - s, how elastic the demand for one firm is (Berry 1994).

    Twelve equal firms have k near 4.6, a monopolist of its nest 1 - s.
    """
    return np.maximum((1.0 - sigma * nest_share) / (1.0 - sigma) - share, 0.0)


def nested_shares(
    value: Array, open_nest: Array, outside: Array, correlation: float, aware: Array | float = 1.0
) -> ChoiceShares:
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
    aware : array (1 or segments, worlds, labs)
        Share of users who consider a lab: an upper bound of its share, however good it is.
    """
    top = np.maximum(row_max(value), -60.0)
    old_tools = clip(outside - top, -300.0, 300.0)
    known = known_weight(value, top, aware, correlation)
    others = _without_each(known, np.exp(np.minimum(old_tools / (1.0 - correlation), 700.0)))
    of_open, of_closed = _nests(nest_weights(known, others, open_nest, aware), correlation)
    unmade = np.exp(old_tools)
    total = of_open[2] + of_closed[2] + unmade
    share = chosen(of_open, of_closed, open_nest, total)
    bound = np.minimum(share, aware)
    outside_share, share = unmade / total + row_sum(share - bound), bound
    in_open, in_closed = row_sum(where(open_nest, share, 0.0)), row_sum(where(open_nest, 0.0, share))
    within = ratio(share, where(open_nest, in_open, in_closed))
    return ChoiceShares(share, within, top + old_tools - np.log(outside_share))


def _nests(weights: tuple[Array, Array], correlation: float) -> list[tuple[Array, Array, Array]]:
    """Weights, their sum, and the value of each nest."""
    return [(each, total := row_sum(each), nest_value(total, correlation)) for each in weights]


def _without_each(weights: Array, outside: Array) -> Array:
    """Sum of the weights of all others for each, without cancellation: who leads is not taken off a sum of its own."""
    most = row_max(weights)
    leads = weights == most
    leading, rest = row_sum(where(leads, weights, 0.0)), row_sum(where(leads, 0.0, weights)) + outside
    return where(leads, rest + (leading - most), rest + leading - weights)


class ChoiceShares(NamedTuple):
    """Choice probabilities: arrays ``(segments, worlds, labs)``, and ``(segments, worlds, 1)``."""

    share: Array
    within: Array  # within the own nest
    log_sum: Array  # ln of the sum of nest values, outside included


@equation
def known_weight(value, top, aware, sigma):
    """A exp((V - V_best)/(1 - sigma)) of those who are there at all, A the share of users who consider a firm."""
    return where(value > -100.0, aware * np.exp(np.maximum((value - top) / (1.0 - sigma), -700.0)), 0.0)


@equation
def nest_weights(considered, others, opened, aware):
    """w S/(S + (1 - A) w/A), S the weight of all others, in the nest of open weights and in the other.

    Two firms, one considered by a share A of users and far better, share the market as A to 1 - A. Across nests this
    is not exact: users beyond A, who consider nothing better, keep their old tools.
    """
    others = np.maximum(others, 1e-300)
    weight = considered * ratio(others, others + (1.0 - aware) * ratio(considered, aware))
    return where(opened, weight, 0.0), where(opened, 0.0, weight)


@equation
def nest_value(total, sigma):
    """(sum of weights)^(1 - sigma): weight of a nest against the others."""
    return where(total > 0.0, np.exp((1.0 - sigma) * np.log(np.maximum(total, 1e-300))), 0.0)


@equation
def chosen(open_nest, closed_nest, opened, total):
    """s = s_within s_nest, for nests (weights, their sum, the nest's value)."""
    within = ratio(where(opened, open_nest[0], closed_nest[0]), where(opened, open_nest[1], closed_nest[1]))
    return within * where(opened, open_nest[2] / total, closed_nest[2] / total)


# ---------------------------------------------------------------------- the best price of a firm

#: Halvings of the range of prices: the best one is right to two thousandths.
HALVINGS = 12


@dataclass(slots=True)
class Seller:
    """A firm with one price, at which it has the share that it has.

    Attributes
    ----------
    price, cost : arrays
        Present price, and cost of a unit.
    share, nest_share : arrays
        Of the market, and of its nest.
    captive : array
        Share of sales that does not answer to the price.
    use_elasticity : array
        Elasticity of what a customer buys.
    worth : array
        What a sale is worth beyond its price, in such prices.
    """

    price: Array
    cost: Array
    share: Array
    nest_share: Array
    captive: Array
    use_elasticity: Array
    worth: Array


@equation
def own_price_elasticity(seller, p):
    """e = alpha k (1 - captive) + epsilon at the present price, of P = p + h."""
    m = p.model_market
    k = elasticity_factor(seller.share, seller.nest_share, m.nest_correlation)
    return np.maximum(m.price_sensitivity * k * (1.0 - seller.captive) + seller.use_elasticity, 0.1)


def best_price(seller: Seller, p: Config) -> Array:
    """p* at which p + w p* - c = P/e(p), P = p + h, with the rivals' prices as they are, between least and most price.

    The difference of both sides, in units of P, rises in p: p* is the only solution, and where there is none a bound.
    Elasticities change abruptly where a firm takes its nest, so that halving the range is what finds it surely.
    """
    m = p.model_market
    low, high = np.log(m.least_price + m.hassle_cost), np.log(m.most_price + m.hassle_cost)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        cheap = too_cheap(middle, seller, p)
        low, high = where(cheap, middle, low), where(cheap, high, middle)
    return np.exp(0.5 * (low + high)) - m.hassle_cost


@equation
def too_cheap(y, seller, p):
    """1 + w - (c + (1 + w) h)/P - 1/e < 0 at P = e^y, where shares move with the own price as in a nested logit."""
    m = p.model_market
    alpha, sigma, was = m.price_sensitivity, m.nest_correlation, ratio(seller.share, seller.nest_share)
    moved = np.exp(np.minimum(-alpha / (1.0 - sigma) * (y - np.log(seller.price + m.hassle_cost)), 600.0))
    total = np.maximum(1.0 - seller.nest_share + seller.nest_share * moved, 1e-300)
    nest = was * np.exp((1.0 - sigma) * np.log(total))
    within = seller.nest_share * moved / total
    k = np.maximum((1.0 - sigma * within) / (1.0 - sigma) - within * nest / (1.0 - was + nest), 0.0)
    e = np.maximum(alpha * k * (1.0 - seller.captive) + seller.use_elasticity, 0.1)
    return 1.0 + seller.worth - (seller.cost + (1.0 + seller.worth) * m.hassle_cost) * np.exp(-y) - 1.0 / e < 0.0
