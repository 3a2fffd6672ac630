"""Sales of a lab: open or closed weights, what it says of them, and prices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from baimo.agents.base import decision
from baimo.agents.enums import ACADEMIC, ALL_OPEN, CLOSED, LIGHT_OPEN, OPEN_CHAMPION
from baimo.agents.lab.columns import LabColumns
from baimo.world.engine.arrays import Array, PerAgent, clip, where
from baimo.world.engine.population import Observables
from baimo.world.laws.nested_logit import Seller, best_price, own_price_elasticity

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

    considers: PerAgent  # whether it looks at its price list now
    fresh: PerAgent  # whether it has just released a model
    share: PerAgent  # of what its customers' segments buy
    nest_share: PerAgent  # of what they buy in its nest, open or closed
    captive: PerAgent  # share of its sales that does not answer to the price
    use_elasticity: PerAgent  # 1: of what a customer uses, to the price
    sale_worth: PerAgent  # of its price: what a sale is worth beyond it
    cost_fall: PerAgent  # 1/month: how fast serving gets cheaper, in logs
    price_life: PerAgent  # months that a price is expected to stand
    room: PerAgent  # times the present demand that it could serve
    loss_most: PerAgent  # CNY a day that it may lose on a product
    subscriber_cost: PerAgent  # CNY a month that a subscriber's tokens cost
    subscriber_worth: PerAgent  # CNY a month that a possible subscriber would pay on average
    host_markup: PerAgent  # 1: what those who host open weights at home ask over cost
    price_floor: PerAgent  # CNY/Mtok that the law sets
    going_price: PerAgent  # CNY/Mtok of flagships sold at home, on average


class PromotionSignals(Observables):
    """What a lab knows when it makes itself known."""

    worth: PerAgent  # CNY million a month that its users are worth


class Product(NamedTuple):
    """One of the two models that a lab sells."""

    price: str  # column of its price
    cost: PerAgent  # CNY/Mtok at the margin
    sold: PerAgent  # Mtok a day
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
        """Post a new price where the posted one is too far from the wanted one (X01).

        A posted price stands until |ln(p*/p)| exceeds what a new price list costs (Caballero and Engel 2007: a
        state-dependent hazard). A new model has a new price; what lies below a lawful floor rises to it at once.
        """
        for product in products_of(labs):
            posted = getattr(labs, product.price)
            wanted = wanted_price(labs, market, product, p)
            far = np.abs(np.log(wanted / posted)) > p.pricing.band
            posts = labs.alive & labs.released & (market.fresh | (market.considers & far))
            setattr(labs, product.price, np.maximum(where(posts, wanted, posted), market.price_floor))
        # Exponential willingness to pay with mean M: (S - c) exp(-S/M) is largest at S = c + M.
        wanted = np.maximum(market.subscriber_cost + market.subscriber_worth, p.pricing.least_subscription)
        far = np.abs(np.log(wanted / labs.price_subscription)) > p.pricing.band
        posts = labs.alive & labs.released & (market.fresh | (market.considers & far))
        labs.price_subscription = where(posts, wanted, labs.price_subscription)

    @decision
    def promote(labs, market: PromotionSignals, p: Config) -> None:
        """Spend on promotion until a CNY brings in one (X11).

        Users are as many as know a lab, 1 - e^-G, and goodwill lasts 1/delta months: what they are worth, W, earns
        a W / (delta (e^G - 1)) / (s0 + spend) at the margin. The purse bounds it.
        """
        rules = p.goodwill
        best = rules.gain * market.worth / (rules.decay * np.expm1(np.maximum(labs.goodwill, 1e-4))) - rules.scale
        purse = rules.most_of_cash * np.maximum(labs.cash, 0.0) + rules.most_of_support * labs.parent_support
        active = labs.alive & labs.released
        labs.promotion = where(active, np.minimum(np.maximum(best, 0.0), purse / 12.0), 0.0)


def wanted_price(labs: LabColumns, market: PriceSignals, product: Product, p: Config) -> PerAgent:
    """p*, the price that a lab would post if it posted one, CNY/Mtok.

    The best reply to the rivals' prices at a cost c' = c exp(-g T/2), that of the middle of the price's life T; never
    below what the purse can lose, nor what can be served: D(p*) = D(p) ((p + h)/(p* + h))^e may not exceed the room
    (Levitan and Shubik 1972).
    """
    rules, h, posted = p.pricing, p.model_market.hassle_cost, getattr(labs, product.price)
    cost = product.cost * np.exp(-0.5 * market.cost_fall * market.price_life)
    seller = Seller(
        posted, cost, market.share, market.nest_share, market.captive, market.use_elasticity, market.sale_worth
    )
    e, sought = own_price_elasticity(seller, p), best_price(seller, p)
    grown = product.sold * np.exp(e * np.log((posted + h) / (sought + h)))
    sought = np.maximum(sought, product.cost - market.loss_most / np.maximum(grown, 1e-9))
    filling = (posted + h) * np.exp(-np.log(market.room) / e) - h
    return bounded_price(labs, market, product, np.maximum(sought, rules.capacity * filling), p)


def settle_openness(labs: LabColumns, market: OpennessSignals, choice: Array) -> None:
    """Enter a choice as far as the law leaves one; a mandate and a ban bind all."""
    choice = where(market.mandate, ALL_OPEN, choice)
    choice = where(market.ban, CLOSED, choice)
    labs.openness = where(labs.alive & labs.trained, choice, labs.openness)


def products_of(labs: LabColumns) -> Iterator[Product]:
    """Flagship and light model of the labs."""
    yield Product("price_flagship", labs.marginal_cost, labs.tokens_flagship, ALL_OPEN)
    yield Product("price_light", labs.marginal_cost_light, labs.tokens_light, LIGHT_OPEN)


def bounded_price(labs: LabColumns, market: PriceSignals, product: Product, target: PerAgent, p: Config) -> PerAgent:
    """Price that can be asked, CNY/Mtok: others host open weights near cost; the law sets a floor."""
    model_market = p.model_market
    hosted = product.cost * (1.0 + market.host_markup)
    target = where(labs.openness >= product.opened_at, np.minimum(target, hosted), target)
    floor = np.maximum(market.price_floor, model_market.least_price)
    return clip(target, floor, model_market.most_price)
