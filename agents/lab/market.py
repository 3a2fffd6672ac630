"""What a lab sells: open or closed weights, what it says of them, and prices."""

from __future__ import annotations

import numpy as np

from baimo.agents.base import decision
from baimo.agents.enums import ACADEMIC, ALL_OPEN, CLOSED, LIGHT_OPEN, OPEN_CHAMPION
from baimo.agents.lab.columns import LabColumns
from baimo.world.engine.arrays import clip, where


class LabMarket(LabColumns):
    """Decisions of a lab about its releases and prices."""

    @decision
    def choose_openness(labs, market, p):
        """Close the weights, open the light model, or open all, by what each returns.

        Ecosystem and reputation, demand for the own cloud, and damage to a rival's rent
        stand against the margin given up and the data exposed (M12, M46).
        """
        rules = p.openness
        margin = np.maximum(labs.price_flagship - labs.marginal_cost, 0.0)
        lost_margin = rules.margin_weight * market.share + rules.rent_weight * np.log1p(margin) * (market.lead > 0.0)
        behind = clip(-market.lead, 0.0, rules.behind_most)
        returns = (
            rules.ecosystem
            + rules.cloud * market.has_cloud
            + rules.rival_rent * behind
            + rules.champion * (labs.archetype == OPEN_CHAMPION)
            + rules.academic * (labs.archetype == ACADEMIC)
            + rules.children_return * labs.children / (labs.children + rules.community_half)
            + market.subsidy
        )
        exposure = rules.exposure * np.maximum(market.lead, 0.0)
        all_open = returns - lost_margin - exposure - rules.all_threshold
        light = rules.light_share * returns - rules.light_margin * lost_margin - rules.light_threshold
        noise = 2.0 * (labs.draws("openness") - 0.5) * rules.noise
        choice = where(light + noise > 0.0, LIGHT_OPEN, CLOSED)
        choice = where((all_open + noise > 0.0) & (all_open > light), ALL_OPEN, choice)
        settle_openness(labs, market, choice)

    @decision
    def declare(labs, market, p):
        """Say on whose open weights a new model stands, or pass it off as one's own (M60).

        Investors and users credit what looks like a model of its own; academics name their sources.
        """
        rules = p.lineage
        derived = labs.alive & (labs.base_id >= 0) & (labs.archetype != ACADEMIC)
        labs.claims = where(market.fresh, derived & (labs.candour < rules.hiding), labs.claims)

    @decision
    def set_price(labs, market, p):
        """Move toward the nested-logit mark-up, less what a sale is worth beyond its price.

        p* = max(floor, c + (p + h) / (alpha k) - omega v),
        k = 1/(1-sigma) - sigma/(1-sigma) s_nest - s  (Berry 1994; log-price utility). A sale is
        worth v only while it costs something: the discount fades with c, v c / (c + c0).
        An open flagship is hosted by others near cost, so its author can ask no more. What lies
        below a lawful floor rises to it at once.
        """
        rules = p.model_market
        worth = rules.strategic_weight * labs.strategic_value
        elastic = rules.price_sensitivity * market.rivalry
        pace = market.adjust
        for name, cost, open_at in priced(labs):
            price = getattr(labs, name)
            mark_up = (price + rules.hassle_cost) / elastic
            target = cost + mark_up - worth * cost / (cost + rules.strategic_cost)
            target = asked(labs, market, rules, target, cost, open_at)
            setattr(labs, name, np.maximum(price + pace * (target - price), market.price_floor))


def settle_openness(labs, market, choice):
    """Enter a choice as far as the law leaves one; a mandate and a ban bind everybody."""
    choice = where(market.mandate, ALL_OPEN, choice)
    choice = where(market.ban, CLOSED, choice)
    labs.openness = where(labs.alive & labs.trained, choice, labs.openness)


def priced(labs):
    """What is on sale: column of the price, marginal cost, openness at which others host it."""
    yield "price_flagship", labs.marginal_cost, ALL_OPEN
    yield "price_light", labs.marginal_cost_light, LIGHT_OPEN


def asked(labs, market, rules, target, cost, open_at):
    """A price as it can be asked: what is open is hosted by others near cost; the law sets a floor."""
    hosted = cost * (1.0 + rules.hosting_margin)
    target = where(labs.openness >= open_at, np.minimum(target, hosted), target)
    floor = np.maximum(market.price_floor, rules.least_price)
    return clip(target, floor, rules.most_price)
