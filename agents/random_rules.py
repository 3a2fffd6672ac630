"""Random but feasible rules that take the place of labs' decisions (``decisions.<name>=random``).

Each is elementwise like the decision it replaces and shares its bookkeeping with it; one draw a
lab and step decides all. What bounds the model's rule (money, clusters, the law, hosting near
cost) bounds these too. They happen at rates of time, so that weekly and monthly steps agree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from baimo.agents.base import decision
from baimo.agents.enums import ALL_OPEN, LEAST_RUN, NO_MODEL
from baimo.agents.lab import ModelLab
from baimo.agents.lab.market import OpennessSignals, PriceSignals, bounded_price, products_of, settle_openness
from baimo.agents.lab.training import Launch, LaunchSignals, run_options, spent_last_round, start_runs
from baimo.world.engine.arrays import Array, PerAgent, pick_k, where

if TYPE_CHECKING:
    from baimo.conf.schema import Config


def random_plan(labs: ModelLab, market: LaunchSignals, p: Config) -> None:
    """Launch with a fixed chance a month; the length, and from scratch or on the best base, at random.

    u < q launches; u / q is then uniform and picks one of the lengths, or of twice as many plans
    where the lab knows an open base to build on.
    """
    months, flop, ready = run_options(labs, market, p)
    lengths = len(months)
    base_known = market.base_pretrained[0] > NO_MODEL + 0.5
    plan = _pick(labs.draws("random_plan"), market.launch_chance, where(base_known, 2 * lengths, lengths))
    chosen = pick_k(flop, plan % lengths)
    barred = spent_last_round(labs, p) & ~(market.parent_launch > 0.0)
    starts = ready & (plan >= 0) & (chosen > LEAST_RUN) & ~barred
    start_runs(labs, market, p, starts, Launch(chosen, plan >= lengths, np.zeros_like(starts)))


def random_price(labs: ModelLab, market: PriceSignals, p: Config) -> None:
    """Post anywhere from cost to well above the market, whenever the model's rule looks at the list.

    Log-uniform between cost and ``price_ceiling`` times the going price, as far as hosting and
    the law leave it. One draw sets both of a lab's prices.
    """
    part, posts = labs.draws("random_price"), market.considers | market.fresh
    for product in products_of(labs):
        least = np.maximum(product.cost, p.model_market.least_price)
        scale = 1.0 if product.price == "price_flagship" else p.technology.light_price
        most = np.maximum(p.decisions.price_ceiling * market.going_price * scale, least)
        target = bounded_price(labs, market, product, least * np.exp(part * np.log(most / least)), p)
        posted = where(posts, target, getattr(labs, product.price))
        setattr(labs, product.price, np.maximum(posted, market.price_floor))


def random_openness(labs: ModelLab, market: OpennessSignals, p: Config) -> None:
    """Take one of the three at random, as far as the law leaves a choice."""
    choice = np.minimum((labs.draws("random_openness") * (ALL_OPEN + 1)).astype(np.int64), ALL_OPEN)
    settle_openness(labs, market, choice)


def _pick(u: PerAgent, chance: Array, options: Array) -> PerAgent:
    """Number of an option, all alike, with ``chance``; else -1."""
    number = np.minimum((u / np.maximum(chance, 1e-12) * options).astype(np.int64), options - 1)
    return where(u < chance, number, -1)


#: Setting, the decision it speaks of, and the random rule for it.
RULES: dict[str, tuple[decision, Callable[..., None]]] = {
    "planning": (ModelLab.plan_run, random_plan),
    "pricing": (ModelLab.set_price, random_price),
    "openness": (ModelLab.choose_openness, random_openness),
}


def rules_in_use(settings: Any) -> dict[decision, Callable[..., None]]:
    """Random rules in use, by the decision that they replace, after ``conf``'s ``decisions``."""
    return dict(RULES[name] for name in RULES if getattr(settings, name) == "random")
