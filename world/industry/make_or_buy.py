"""Make or buy: what a parent's own lab is worth against another's API and against open weights (X03)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import ALL_OPEN, ATTENTION, CN, FILED, ROW, VERTICAL
from baimo.agents.lab.money import ReviewSignals
from baimo.world.engine.arrays import Array, row_max, sum_k, where
from baimo.world.models.quality import home_segment

if TYPE_CHECKING:
    from baimo.world.engine.world import World

#: Months between two reviews.
QUARTER = 3.0


def review_labs(world: World) -> None:
    """Phase 14, each quarter: parents compare their labs with what they could have instead."""
    world.labs.review(options(world))


def options(world: World) -> ReviewSignals:
    """Value of own lab, best API and best open weights to each parent, CNY million a year.

    own = W Q_own + income + rho expected rents - cost; buy = W (Q - integration - control exposed) - P T; host =
    W (Q - operation) - C T, T = tokens W. Q is quality in the parent's segments: a vertical lab's own, else what all
    consumers do. Exposed is whose data may not leave, and who would buy from a rival in its own products.
    """
    labs, state, seg, parents = world.labs, world.state, world.segments.columns, world.parameters.parents
    mix, value = _segments_of(world), _value(world)
    out = labs.alive & labs.released & (seg.region == labs.region)
    per_unit = parents.tokens / 1e6
    filed = (labs.filing == FILED) | (labs.region == ROW)
    lawful = filed | (seg.licensed * world.policy.licensing.needs_licence < 0.5)
    buy = where(out & lawful, state.quality - labs.price_flagship * per_unit, 0.0)
    exposed = np.maximum(seg.privacy, ~(labs.archetype == VERTICAL))
    dependent = parents.integration + parents.control * exposed
    opened = where(labs.openness == ALL_OPEN, state.quality, 0.0)
    host = where(labs.alive & labs.released, opened - parents.operation - labs.marginal_cost * per_unit, 0.0)
    income = sum_k(labs.income) - labs.income[ATTENTION]
    own = value * sum_k(mix * where(out, state.quality, 0.0)) + 12.0 * (income - labs.cost)
    return ReviewSignals(
        own=own + parents.rents * state.expected_rents,
        buy=value * sum_k(mix * (_best_of_others(buy) - dependent)),
        host=value * sum_k(mix * _best_of_others(host)),
        value=value,
        months=QUARTER,
    )


def _value(world: World) -> Array:
    """W, what a perfect model is worth to a parent's products, which grows as people at home come to use models."""
    labs, seg, parents = world.labs, world.segments.columns, world.parameters.parents
    reach = seg.population * seg.ceiling
    used = [sum_k(where(seg.region == home, world.state.adopters, 0.0)) for home in (CN, ROW)]
    room = [sum_k(where(seg.region == home, reach, 0.0)) for home in (CN, ROW)]
    adoption = where(labs.region == CN, used[0] / room[0], used[1] / room[1])
    return labs.product_value * (parents.at_first + parents.with_use * adoption)


def _segments_of(world: World) -> Array:
    """Weights of the segments in a parent's own products, ``(segments, worlds, labs)``."""
    labs, seg = world.labs, world.segments.columns
    use = seg.free * seg.population * seg.ceiling * seg.tokens * (seg.region == labs.region)
    use = use / np.maximum(sum_k(use), 1e-12)
    return where(labs.archetype == VERTICAL, home_segment(world) + 0.0, use)


def _best_of_others(value: Array) -> Array:
    """The largest value of each row among the others, never below zero."""
    best = row_max(value)
    second = row_max(where(value >= best, 0.0, value))
    return np.maximum(where(value >= best, second, best), 0.0)
