"""Random but feasible rules that take the place of labs' decisions (``decisions.<name>=random``).

Each is elementwise like the decision it replaces and shares its bookkeeping with it; one draw a
lab and step decides all. What bounds the model's rule (money, clusters, the law, hosting near
cost) bounds these too. They happen at rates of time, so that weekly and monthly steps agree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from baimo.agents.base import decision
from baimo.agents.enums import ALL_OPEN, LEAST_RUN, NO_MODEL
from baimo.agents.lab import ModelLab
from baimo.agents.lab.market import asked, priced, settle_openness
from baimo.agents.lab.training import launch, run_options, worn_out
from baimo.world.engine.arrays import pick_k, where


def plan_run(labs, market, p):
    """Launch with a fixed chance a month; the length, and from scratch or on the best base, at random.

    u < q launches; u / q is then uniform and picks one of the lengths, or of twice as many plans
    where the lab knows an open base to build on.
    """
    months, flop, ready = run_options(labs, market, p.training)
    lengths = len(months)
    on_base = market.base_pretrained[0] > NO_MODEL + 0.5
    plan = _pick(labs.draws("random_plan"), market.launch_chance, where(on_base, 2 * lengths, lengths))
    build = plan >= lengths
    chosen = pick_k(flop, plan % lengths)
    barred = worn_out(labs, p.training) & ~(market.parent_launch > 0.0)
    starts = ready & (plan >= 0) & (chosen > LEAST_RUN) & ~barred
    launch(labs, market, p, starts, chosen, build, np.zeros_like(starts))


def set_price(labs, market, p):
    """Some reprice, as many as the model's pace moves: anywhere from cost to well above the market.

    Log-uniform between cost and ``price_ceiling`` times the going price, as far as hosting and
    the law leave it. One draw sets both of a lab's prices.
    """
    u, pace = labs.draws("random_price"), market.adjust
    part = np.minimum(u / np.maximum(pace, 1e-12), 1.0)
    ceiling = p.decisions.price_ceiling * market.going_price
    for name, cost, open_at in priced(labs):
        scale = 1.0 if name == "price_flagship" else p.technology.light_price
        least = np.maximum(cost, p.model_market.least_price)
        most = np.maximum(ceiling * scale, least)
        target = asked(labs, market, p.model_market, least * np.exp(part * np.log(most / least)), cost, open_at)
        setattr(labs, name, where(u < pace, target, getattr(labs, name)))


def choose_openness(labs, market, p):
    """One of the three at random, as far as the law leaves a choice."""
    choice = np.minimum((labs.draws("random_openness") * (ALL_OPEN + 1)).astype(np.int64), ALL_OPEN)
    settle_openness(labs, market, choice)


def _pick(u, chance, options):
    """Number of an option, all alike, with ``chance``; else -1."""
    number = np.minimum((u / np.maximum(chance, 1e-12) * options).astype(np.int64), options - 1)
    return where(u < chance, number, -1)


#: Setting, the decision it speaks of, and the random rule for it.
RULES: dict[str, tuple[decision, Callable[..., None]]] = {
    "planning": (ModelLab.plan_run, plan_run),
    "pricing": (ModelLab.set_price, set_price),
    "openness": (ModelLab.choose_openness, choose_openness),
}


def chosen(settings: Any) -> dict[decision, Callable[..., None]]:
    """Random rules in use, by the decision that they replace, after ``conf``'s ``decisions``."""
    return dict(RULES[name] for name in RULES if getattr(settings, name) == "random")
