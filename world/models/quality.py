"""What a model is worth in a segment: brain, eyes and hands, data of its own, and nuisance.

Every function gives arrays ``(segments, worlds, labs)`` or, where all labs are alike,
``(segments, 1 or worlds, 1)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CN, NO_MODEL, ROW
from baimo.world.engine.arrays import Array, logistic, row_max, sum_k, where
from baimo.world.engine.equation import elementwise
from baimo.world.laws.scaling import KNOWLEDGE
from baimo.world.technology.research import worth_of_use

if TYPE_CHECKING:
    from baimo.world.engine.world import World

# ---------------------------------------------------------------------- what a segment asks for


def orchestrated(world: World) -> Array:
    """Share of a segment's work that an orchestrator hands to models of the last generation.

    Firms have them and they work (002: why throw them away?): the large model only understands
    what is asked, calls them, and puts the report together (M38).
    """
    return world.parameters.model_market.orchestration * world.segments.column("old_models")


def threshold(world: World) -> Array:
    """What the brain must pass, OOM: the harder part is left to the older models (M38)."""
    eased = world.parameters.model_market.orchestration_ease * orchestrated(world)
    return world.segments.column("threshold") - eased


def retrieval(world: World) -> Array:
    """Share of knowledge work that is looked up: it grows with eyes and with time (M65).

    R = r eye (1 - exp(-t / t_r)); an app that senses (searches, reads files) is what retrieves.
    """
    p = world.parameters.model_market
    learned = 1.0 - np.exp(-world.clock.year(world.step_number) / p.retrieval_years)
    return p.retrieval * world.state.eyes * learned


# ---------------------------------------------------------------------- quality


def brain(world: World, capability: Array) -> Array:
    """Share of each segment's work that a model can do: sum_k w_k logistic((x_k - tau)/nu).

    The logistic separates, exp((tau - x)/nu) = exp(tau/nu) exp(-x/nu), so that exp is taken
    once a model and width, not once a segment. Of the knowledge work a share R is looked up,
    and then asks for reasoning over what was found, which is easier by ``retrieval_ease`` than
    to reason unaided (004: is reasoning all that matters?); a model that knows better ignores it.
    """
    table, p = world.segments, world.parameters.model_market
    width = table.column("width")
    reach = np.exp(threshold(world) / width)
    short = [np.exp(-np.maximum(capability[axis], NO_MODEL) / table.widths)[table.which_width] for axis in range(3)]
    weight = table.weights.reshape(3, -1, 1, 1)
    return _work_done(reach, *short, np.exp(-p.retrieval_ease / width), retrieval(world), *weight)


@elementwise
def _work_done(reach, language, knowledge, reasoning, ease, looked_up, w_language, w_knowledge, w_reasoning):
    """The logistics of the three axes, from exp(tau/nu) and exp(-x/nu), by their weights."""
    known = 1.0 / (1.0 + reach * knowledge)
    found = 1.0 / (1.0 + reach * reasoning * ease)
    known = known + looked_up * np.maximum(found - known, 0.0)
    spoken = w_language * (1.0 / (1.0 + reach * language))
    return spoken + w_knowledge * known + w_reasoning * (1.0 / (1.0 + reach * reasoning))


def own_data(world: World) -> Array:
    """Share of what its model cannot do that a lab makes up for with data of its own.

    The layers of 002 on top of a base: L1 language (at home), L2 industry (a vertical lab in the
    segment it was founded for, M39), L3 scenes (work in firms, which free users do not show).
    And data of use: what is used more gets better (003, the flywheel of M45).
    """
    labs, table, p = world.labs, world.segments, world.parameters.model_market
    learned = world.parameters.moat.data * p.usage_fit * worth_of_use(labs, world.parameters.technology)
    language, industry, scene = labs.layers
    segment = world.xp.arange(len(table)).reshape(-1, 1, 1)
    gains = (p.language_gain * language, p.vertical_gain * industry, p.scene_gain * scene)
    paid = 1.0 - table.column("free")
    return _made_up_for(table.column("region"), labs.region, segment, labs.home_segment, paid, *gains, learned)


@elementwise
def _made_up_for(region, home, segment, trade, paid, language, industry, scene, learned):
    """The layers that count in a segment, and what was learned, at most all."""
    spoken = where(region == home, language, 0.0)
    return np.minimum(spoken + where(segment == trade, industry, 0.0) + paid * scene + learned, 1.0)


def home_segment(world: World) -> Array:
    """Which segment each vertical lab was founded for, booleans."""
    return world.xp.arange(len(world.segments)).reshape(-1, 1, 1) == world.labs.home_segment


def with_eyes_and_hands(world: World, brains: Array) -> Array:
    """Quality: brain, eye and hand are complements, Q = (a b^-2 + e eye^-2 + h hand^-2)^-1/2.

    A CES of elasticity 1/3: overflowing brain without eyes and hands sells little (M59). The
    weights e and h are those of the segment times ``limits``; without them Q is the brain.
    """
    table, state = world.segments, world.state
    strength = world.parameters.model_market.limits
    eye, hand = strength * table.column("eye"), strength * table.column("hand")
    trust, least = by_home(table, state.trust), world.parameters.trust.permission
    permitted = np.minimum(state.hands, least + (1.0 - least) * trust)
    limits = eye / state.eyes**2 + hand / permitted**2
    return _complements(brains, 1.0 - eye - hand, limits)


@elementwise
def _complements(brains, weight, limits):
    """The CES of the brain and of what limits it."""
    return 1.0 / np.sqrt(weight / np.maximum(brains, 1e-3) ** 2 + limits)


def by_home(table, pair: list) -> Array:
    """Pick by each segment's region from two ``(worlds, 1)`` arrays."""
    return where(table.column("region") == CN, pair[CN], pair[ROW])


def appeal(world: World, quality: Array) -> Array:
    """Quality as users weigh it: the best on sale less m d^2 / (d + d0), d the distance to it.

    Performance is a moat where it is a cliff (001): who is ten per cent worse is hardly worse
    to users, who is far behind falls short by nearly all of it. Without this moat (m = 0, M31)
    every model passes for the best.
    """
    labs, p = world.labs, world.parameters.model_market
    best = row_max(where(labs.released & labs.alive, quality, 0.0))
    return _cliff(quality, best, world.parameters.moat.performance, p.close_enough)


@elementwise
def _cliff(quality, best, moat, close):
    """b - m d^2 / (d + d0), with d = (b - Q)+."""
    short = np.maximum(best - quality, 0.0)
    return best - moat * short * short / (short + close)


# ---------------------------------------------------------------------- nuisance


def nuisance(world: World, capability: Array) -> Array:
    """Utility lost by mistakes where precision counts and by abilities that nobody asked for.

    m precision h + s (1 - free) min((x - tau - margin)+, most), h = exp(-x_knowledge / scale)
    (M69). Mistakes fall with knowledge, with what is looked up, with a vertical lab's own data
    at home, and with work done by older models, whose results are reliable (002).
    """
    labs, table, p = world.labs, world.segments, world.parameters.model_market
    wrong = np.exp(-np.maximum(capability[KNOWLEDGE], 0.0) / p.hallucination_scale)
    careful = table.column("precision") * (1.0 - p.retrieval_truth * retrieval(world)) * (1.0 - orchestrated(world))
    paid = p.surplus * (1.0 - table.column("free"))
    cured = 1.0 - p.vertical_truth * labs.layers[1]
    segment, enough = world.xp.arange(len(table)).reshape(-1, 1, 1), threshold(world) + p.surplus_margin
    mean = sum_k(capability) / 3.0
    mistakes = (p.hallucination * careful, wrong, segment, labs.home_segment, cured)
    return _put_off(*mistakes, paid, mean, enough, p.surplus_most)


@elementwise
def _put_off(careful, wrong, segment, trade, cured, paid, mean, enough, most):
    """m precision h + s (1 - free) min((x - tau - margin)+, most)."""
    beyond = np.minimum(np.maximum(mean - enough, 0.0), most)
    return careful * (wrong * where(segment == trade, cured, 1.0)) + paid * beyond


# ---------------------------------------------------------------------- devices


def on_devices(world: World) -> Array:
    """Share of the requests for light models that chips in devices serve (M11).

    d logistic((e - tau)/nu): what needs no more than models on devices can do. Their level e
    grows with edge chips, faster or slower by ``policy.technology.edge_growth``.
    """
    p = world.parameters.model_market
    grown = p.edge_progress * world.clock.year(world.step_number)
    grown = grown + world.policy.technology.edge_growth * world.policy.technology.years_in_force
    level = p.edge_start + grown / np.log(10.0)
    return p.device_most * logistic((level - world.segments.column("threshold")) / p.edge_width)
