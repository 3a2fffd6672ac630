"""Sales of a lab: open or closed weights, what it says of them, and prices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from baimo.agents.base import decision
from baimo.agents.enums import ACADEMIC, ALL_OPEN, CLOSED, LIGHT_OPEN, OPEN_CHAMPION
from baimo.agents.lab.columns import LabColumns
from baimo.world.engine.arrays import Array, PerAgent, PerWorld, clip, where
from baimo.world.engine.population import Observables

if TYPE_CHECKING:
    from baimo.conf.schema import Config


class OpennessSignals(Observables):
    """Signals of a lab when it opens or closes its weights."""

    lead: PerAgent  # OOM over the best at home, bounded
    share: PerAgent  # of all tokens sold at home
    has_cloud: PerAgent  # 1 or 0
    subsidy: PerAgent  # utility that the state adds to an open release
    mandate: PerAgent  # whether the law asks for open weights
    ban: PerAgent  # whether the law forbids them


class ReleaseSignals(Observables):
    """Signals of a lab when it says what a model is made of."""

    fresh: PerAgent  # whether a model goes out in this step


class PriceSignals(Observables):
    """Signals of a lab when it sets prices."""

    elasticity_factor: PerAgent  # 1: the factor k of the own-price elasticity alpha k
    price_floor: PerAgent  # CNY/Mtok that the law sets
    going_price: PerAgent  # CNY/Mtok of flagships sold at home, on average
    adjust: PerWorld  # share of the way to the target that is gone in this step


class Product(NamedTuple):
    """One of the two models that a lab sells."""

    price: str  # column of its price
    cost: PerAgent  # CNY/Mtok at the margin
    opened_at: int  # openness from which on others host it


class LabMarket(LabColumns):
    """Decisions of a lab about its releases and prices."""

    @decision
    def choose_openness(labs, market: OpennessSignals, p: Config) -> None:
        """Close the weights, open the light model, or open all, by what each returns.

        Ecosystem and reputation, demand for the own cloud, and damage to a rival's rent
        stand against the margin given up and the data exposed (M12, M46).
        """
        openness = p.openness
        margin = np.maximum(labs.price_flagship - labs.marginal_cost, 0.0)
        leader_rent = openness.rent_weight * np.log1p(margin) * (market.lead > 0.0)
        lost_margin = openness.margin_weight * market.share + leader_rent
        behind = clip(-market.lead, 0.0, openness.behind_most)
        returns = (
            openness.ecosystem
            + openness.cloud * market.has_cloud
            + openness.rival_rent * behind
            + openness.champion * (labs.archetype == OPEN_CHAMPION)
            + openness.academic * (labs.archetype == ACADEMIC)
            + openness.children_return * labs.children / (labs.children + openness.community_half)
            + market.subsidy
        )
        exposure = openness.exposure * np.maximum(market.lead, 0.0)
        all_open = returns - lost_margin - exposure - openness.all_threshold
        light = openness.light_share * returns - openness.light_margin * lost_margin - openness.light_threshold
        noise = 2.0 * (labs.draws("openness") - 0.5) * openness.noise
        choice = where(light + noise > 0.0, LIGHT_OPEN, CLOSED)
        choice = where((all_open + noise > 0.0) & (all_open > light), ALL_OPEN, choice)
        settle_openness(labs, market, choice)

    @decision
    def declare(labs, market: ReleaseSignals, p: Config) -> None:
        """Say on whose open weights a new model stands, or pass it off as one's own (M60).

        Investors and users credit what looks like a model of its own; academics name their sources.
        """
        lineage = p.lineage
        derived = labs.alive & (labs.base_id >= 0) & (labs.archetype != ACADEMIC)
        labs.claims = where(market.fresh, derived & (labs.honesty < lineage.hiding), labs.claims)

    @decision
    def set_price(labs, market: PriceSignals, p: Config) -> None:
        """Move toward the nested-logit mark-up, less what a sale is worth beyond its price.

        p* = max(floor, c + (p + h) / (alpha k) - omega v),
        k = 1/(1-sigma) - sigma/(1-sigma) s_nest - s  (Berry 1994; log-price utility). A sale is
        worth v only while it costs something: the discount fades with c, v c / (c + c0).
        An open flagship is hosted by others near cost, so its author can ask no more. What lies
        below a lawful floor rises to it at once.
        """
        model_market = p.model_market
        worth = model_market.strategic_weight * labs.strategic_value
        elastic = model_market.price_sensitivity * market.elasticity_factor
        pace = market.adjust
        for product in products_of(labs):
            price, cost = getattr(labs, product.price), product.cost
            mark_up = (price + model_market.hassle_cost) / elastic
            target = cost + mark_up - worth * cost / (cost + model_market.strategic_cost)
            target = bounded_price(labs, market, product, target, p)
            setattr(labs, product.price, np.maximum(price + pace * (target - price), market.price_floor))


def settle_openness(labs: LabColumns, market: OpennessSignals, choice: Array) -> None:
    """Enter a choice as far as the law leaves one; a mandate and a ban bind all."""
    choice = where(market.mandate, ALL_OPEN, choice)
    choice = where(market.ban, CLOSED, choice)
    labs.openness = where(labs.alive & labs.trained, choice, labs.openness)


def products_of(labs: LabColumns) -> Iterator[Product]:
    """Flagship and light model of the labs."""
    yield Product("price_flagship", labs.marginal_cost, ALL_OPEN)
    yield Product("price_light", labs.marginal_cost_light, LIGHT_OPEN)


def bounded_price(labs: LabColumns, market: PriceSignals, product: Product, target: PerAgent, p: Config) -> PerAgent:
    """Price that can be asked, CNY/Mtok: others host open weights near cost; the law sets a floor."""
    model_market = p.model_market
    hosted = product.cost * (1.0 + model_market.hosting_margin)
    target = where(labs.openness >= product.opened_at, np.minimum(target, hosted), target)
    floor = np.maximum(market.price_floor, model_market.least_price)
    return clip(target, floor, model_market.most_price)
