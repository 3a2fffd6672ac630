"""Quality of models to users of each segment: brain, eyes and hands, own data, nuisance.

Every function gives arrays ``(segments, worlds, labs)`` or, where all labs are alike, ``(segments, 1 or worlds, 1)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CN, LIGHT_OPEN, NO_MODEL, ROW
from baimo.world.compute.chip_supply import chips_in, of_kind
from baimo.world.engine.arrays import Array, clip, logistic, mean_k, row_max, sum_k, where
from baimo.world.engine.equation import equation
from baimo.world.laws.scaling import KNOWLEDGE, LANGUAGE, REASONING

if TYPE_CHECKING:
    from baimo.world.engine.world import World


@dataclass(slots=True)
class Offer:
    """Models of one size of all labs, as users of each segment compare them.

    Attributes
    ----------
    capability : array (axes, worlds, labs)
        x of each axis, OOM.
    ease : list of arrays (segments, worlds, labs)
        exp(-x/nu) of each axis.
    retrieval : array (segments, worlds, 1)
        Share of knowledge work that is looked up.
    use : array (worlds, labs)
        What data of use is worth to the lab, 0 to 1.
    common : array (segments, worlds, labs)
        Utility that both models of the lab have.
    opened : boolean array (worlds, labs)
        Whether its weights are to be had.
    quality, reach : arrays (segments, worlds, labs)
        Share of the work that it does, and its capability in the mix of the segment, OOM.
    merit, best : arrays (segments, worlds, labs), (segments, worlds, 1)
        What it is worth, and the best on sale.
    """

    capability: Array
    ease: list[Array]
    retrieval: Array
    use: Array | None = None
    common: Array | None = None
    opened: Array | None = None
    quality: Array | None = None
    reach: Array | None = None
    merit: Array | None = None
    best: Array | None = None


def offer(world: World, capability: Array, **of_lab: Array) -> Offer:
    """Offer of models of some capability.

    The logistic of :func:`brain` separates, exp((T - x)/nu) = exp(T/nu) exp(-x/nu), so that exp is
    taken once a model and width, not once a segment.
    """
    table = world.segments
    ease = [np.exp(-np.maximum(capability[axis], NO_MODEL) / table.widths)[table.which_width] for axis in range(3)]
    return Offer(capability, ease, retrieval(world), **of_lab)


# ---------------------------------------------------------------------- what a segment asks for


@equation
def orchestrated(seg, p):
    """d = o (work that older models can do): share of a segment's work that an orchestrator delegates to them.

    Firms keep models that work (002): the large model only interprets the request, calls them and
    combines their results (M38).
    """
    return p.model_market.orchestration * seg.old_models


@equation
def threshold(seg, p):
    """T = tau - e d: capability threshold of the brain, OOM, less for work delegated to older models (M38)."""
    return seg.threshold - p.model_market.orchestration_ease * orchestrated(seg, p)


def retrieval(world: World) -> Array:
    """R = r eye (1 - exp(-t / t_r)): share of knowledge work that is looked up (M65).

    An app that senses (searches, reads files) is what retrieves.
    """
    model_market = world.parameters.model_market
    learned = 1.0 - np.exp(-world.clock.year(world.step_number) / model_market.retrieval_years)
    return model_market.retrieval * world.state.eyes * learned


# ---------------------------------------------------------------------- quality


@equation
def by_home(pair, seg):
    """Pick by each segment's region from two ``(worlds, 1)`` arrays."""
    return where(seg.region == CN, pair[CN], pair[ROW])


@equation
def brain(offer, seg, p):
    """b_0 = sum_k w_k L_k, L_k = logistic((x_k - T)/nu): the share of each segment's work that a model can do.

    Of the knowledge work a share R is looked up, and then asks for reasoning over what was found, which
    is easier by ``retrieval_ease`` than to reason unaided (004: is reasoning all that matters?): L_knowledge
    grows by R (found - L_knowledge)+, for a model that knows better ignores it.
    """
    reach = np.exp(threshold(seg, p) / seg.width)
    known = 1.0 / (1.0 + reach * offer.ease[KNOWLEDGE])
    found = 1.0 / (1.0 + reach * offer.ease[REASONING] * np.exp(-p.model_market.retrieval_ease / seg.width))
    known = known + offer.retrieval * np.maximum(found - known, 0.0)
    spoken = seg.weights[LANGUAGE] * (1.0 / (1.0 + reach * offer.ease[LANGUAGE]))
    return (
        spoken + seg.weights[KNOWLEDGE] * known + seg.weights[REASONING] * (1.0 / (1.0 + reach * offer.ease[REASONING]))
    )


@equation
def own_data(offer, lab, seg, p):
    """Share of the shortfall of its model that a lab makes up by data of its own, at most all.

    The layers of 002 on top of a base: L1 language (at home), L2 industry (a vertical lab in the
    segment it was founded for, M39), L3 scenes (work in firms, which free users do not show).
    And data of use: what is used more gets better (003, the flywheel of M45).
    """
    model_market = p.model_market
    language = where(seg.region == lab.region, model_market.language_gain * lab.layers[0], 0.0)
    industry = where(seg.number == lab.home_segment, model_market.vertical_gain * lab.layers[1], 0.0)
    scene = (1.0 - seg.free) * (model_market.scene_gain * lab.layers[2])
    return np.minimum(language + industry + scene + p.moat.data * model_market.usage_fit * offer.use, 1.0)


@equation
def with_eyes_and_hands(brains, seg, state, p):
    """(a b^-2 + e eye^-2 + h hand^-2)^-1/2, the hand bounded by the permission that trust grants."""
    e, h = p.model_market.limits * seg.eye, p.model_market.limits * seg.hand
    least = p.trust.permission
    permitted = np.minimum(state.hands, least + (1.0 - least) * by_home(state.trust, seg))
    limits = e / state.eyes**2 + h / permitted**2
    return 1.0 / np.sqrt((1.0 - e - h) / np.maximum(brains, 1e-3) ** 2 + limits)


@equation
def quality(offer, lab, seg, state, p):
    """Q = (a b^-2 + e eye^-2 + h hand^-2)^-1/2, a = 1 - e - h, b = b_0 + (1 - b_0) own data.

    Brain, eye and hand are complements, a CES of elasticity 1/3: overflowing brain without eyes and
    hands sells little (M59). The weights e and h are those of the segment times ``limits``: without them Q is
    the brain.
    """
    b_0 = brain(offer, seg, p)
    b = b_0 + (1.0 - b_0) * own_data(offer, lab, seg, p)
    return with_eyes_and_hands(b, seg, state, p)


def home_segment(world: World) -> Array:
    """Mask of the segment that each vertical lab was founded for."""
    return world.segments.columns.number == world.labs.home_segment


@equation
def reach(offer, seg):
    """x = sum w_k x_k, capability in the mix of skills that a segment needs, OOM."""
    language, knowledge, reasoning = (
        np.maximum(offer.capability[0], NO_MODEL),
        np.maximum(offer.capability[1], NO_MODEL),
        np.maximum(offer.capability[2], NO_MODEL),
    )
    return seg.weights[LANGUAGE] * language + seg.weights[KNOWLEDGE] * knowledge + seg.weights[REASONING] * reasoning


@equation
def merit(offer, seg, state, p):
    """M = Q + phi tail (x - x_ref): the work that is done, and harder tasks beyond what is expected (X12).

    Where tasks get rarer with difficulty as fast as they get more valuable, each OOM adds the same; x_ref follows the
    best of a year ago, so that a lead counts as much at the end as at the start.
    """
    ladder = p.ladder
    return offer.quality + ladder.worth * seg.tail * clip(offer.reach - state.expected_reach, -ladder.most, ladder.most)


@equation
def appeal(offer, p):
    """A = M_best - m d^2 / (d + d_0), d = (M_best - M)+: merit as users weigh it.

    A small shortfall hardly counts, a large one in nearly all of its size (001: performance is a moat
    where it is a cliff). Without this moat (m = 0, M31) all models count as the best.
    """
    m, d_0 = p.moat.performance, p.model_market.close_enough
    d = np.maximum(offer.best - offer.merit, 0.0)
    return offer.best - m * d * d / (d + d_0)


# ---------------------------------------------------------------------- nuisance


@equation
def nuisance(offer, lab, seg, p):
    """N = m precision h + s (1 - free) min((x - T - margin)+, most), h = exp(-x_knowledge / scale).

    Disutility of mistakes where precision counts and of surplus capability (M69). Mistakes
    fall with knowledge, with what is looked up, with a vertical lab's own data at home, and with work
    done by older models, whose results are reliable (002).
    """
    model_market = p.model_market
    h = np.exp(-np.maximum(offer.capability[KNOWLEDGE], 0.0) / model_market.hallucination_scale)
    cured = where(seg.number == lab.home_segment, 1.0 - model_market.vertical_truth * lab.layers[1], 1.0)
    careful = seg.precision * (1.0 - model_market.retrieval_truth * offer.retrieval) * (1.0 - orchestrated(seg, p))
    x = (offer.capability[0] + offer.capability[1] + offer.capability[2]) / 3.0
    beyond = np.maximum(x - (threshold(seg, p) + model_market.surplus_margin), 0.0)
    beyond = np.minimum(beyond, model_market.surplus_most)
    return model_market.hallucination * careful * (h * cured) + model_market.surplus * (1.0 - seg.free) * beyond


# ---------------------------------------------------------------------- devices


def on_devices(world: World) -> Array:
    """Share of the requests for light models that chips in devices serve (M11).

    d n/(n + n0) logistic((min(e, x) - tau)/nu): devices with an edge chip, n, do what needs no more than the models
    they run. These are open light models, x the best of them, as far as a chip carries them: e grows with edge chips,
    faster or slower by ``policy.technology.edge_growth``. tau is what users of a segment need.
    """
    model_market, edge = world.parameters.model_market, of_kind(world, "edge")
    grown = model_market.edge_progress * world.clock.year(world.step_number)
    grown = grown + world.policy.technology.edge_growth * world.policy.technology.years_in_force
    carried = model_market.edge_start + grown / np.log(10.0)
    level = np.minimum(carried, world.state.open_light)
    chips = sum_k(where(edge, chips_in(world, CN) + chips_in(world, ROW), 0.0))
    reach = chips / (chips + model_market.edge_chips)
    need = world.segments.column("threshold")
    return model_market.device_most * reach * logistic((level - need) / model_market.edge_width)


def best_open_light(world: World) -> Array:
    """The best light model whose weights are out, ``(worlds, 1)``: what was opened once stays open."""
    labs = world.labs
    opened = labs.alive & labs.released & (labs.openness >= LIGHT_OPEN)
    return np.maximum(world.state.open_light, row_max(where(opened, mean_k(labs.light), NO_MODEL)))
