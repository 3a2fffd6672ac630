"""Thinking longer: a recipe for reasoning that is found, disclosed or copied, and trained (X07)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import ALL_OPEN
from baimo.conf.declare import flow, stock
from baimo.world.engine.arrays import Array, count_where, mean_k, row_max, where
from baimo.world.engine.state import State
from baimo.world.laws.scaling import FLOP_UNIT, REASONING, absorptive_capacity
from baimo.world.technology.research import capability, research_budget

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class ThinkingState(State):
    """What is known of the recipe."""

    thinking_sold = stock("1", text="Whether a model that thinks longer has been on sale, 0 or 1")
    thinking_open = stock("1", text="Whether such a model has been released with open weights, 0 or 1")
    thinking_labs = flow("labs", text="Labs whose models think longer")


def learn_to_think(world: World) -> None:
    """Phase 2: explorers find the recipe, others copy what is sold or read what is open; labs train for it.

    Hazards a year, each times the capacity to absorb: ``found`` for explorers whose models reason well enough,
    ``copied`` once such a model is on sale, ``published`` once one is open.
    """
    labs, state, thinking = world.labs, world.state, world.parameters.thinking
    able = absorptive_capacity(research_budget(world), world.parameters.technology.absorption_scale)
    seeks = labs.explores & (capability(labs)[REASONING] > thinking.level)
    rate = thinking.found * seeks + thinking.copied * state.thinking_sold + thinking.published * state.thinking_open
    learns = labs.alive & ~labs.recipe & (labs.draws("recipe") < world.clock.chance(rate * able))
    world.log("recipe", labs, learns & (state.thinking_sold <= 0.0), mean_k(labs.served))
    labs.recipe = labs.recipe | learns
    on_sale = labs.alive & labs.released & (labs.thinking > thinking.offered)
    state.thinking_labs = count_where(on_sale)
    state.thinking_sold = np.maximum(state.thinking_sold, row_max(on_sale + 0.0))
    state.thinking_open = np.maximum(state.thinking_open, row_max((on_sale & (labs.openness == ALL_OPEN)) + 0.0))


def training_share(world: World) -> Array:
    """Share of a lab's training compute that goes into thinking, as long as there is more to learn."""
    labs, thinking = world.labs, world.parameters.thinking
    return thinking.compute_share * (labs.recipe & (labs.thinking < 0.98))


def train_to_think(world: World, flop: Array) -> None:
    """Skill s in thinking from compute spent on it: ds = (1 - s) A C/C_0, A the lab's efficiency.

    ``flop`` is the compute of the month's training, of all uses.
    """
    labs, thinking = world.labs, world.parameters.thinking
    spent = np.exp(labs.log_efficiency) * flop * training_share(world) / (thinking.run * FLOP_UNIT)
    labs.thinking = where(labs.alive, labs.thinking + (1.0 - labs.thinking) * (1.0 - np.exp(-spent)), 0.0)


def gain(world: World) -> Array:
    """gamma log10(r) s: what thinking r times as long adds to reasoning, OOM."""
    labs, thinking = world.labs, world.parameters.thinking
    return thinking.gain * np.log10(thinking.length) * labs.thinking


def thinks(world: World) -> Array:
    """Labs that sell a thinking mode."""
    labs = world.labs
    return labs.alive & labs.released & (labs.thinking > world.parameters.thinking.offered)
