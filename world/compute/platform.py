"""The middle layer: unified compilation, deployment and scheduling over mixed chips (M17).

Who builds it matters: a builder is a tuple of resources, licence, product skill and neutrality
(``builders`` in ``conf/population``). Resources, licence and skill are complements, so that a
private firm lacks money and permits, the state skill, and each is worth little alone (000).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import BIG_TECH, BUILDERS, CN, PLATFORM
from baimo.agents.lab.compute import PlatformSignals
from baimo.conf.declare import stock
from baimo.world.engine.arrays import Array, ratio, row_sum, sum_where, weigh_k, where
from baimo.world.engine.state import State

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class PlatformState(State):
    """State of the middle layer."""

    platform_built = stock("share", text="Progress of building the platform")
    platform_strength = stock("1", text="Effect of the platform on its members")


def develop(world: World) -> None:
    """Phase 4, middle layer: the builder spends, the platform grows or decays, labs join or leave."""
    vendors, state, platform = world.vendors, world.state, world.parameters.platform
    name = world.policy.compute.builder
    builder = world.config.builders[name]
    mine = (vendors.kind == PLATFORM) & vendors.alive
    mine = mine & (np.cumsum(mine, axis=-1) == 1)
    vendors.builder = where(mine, BUILDERS.index(name), vendors.builder)
    _spend(world, mine, builder)
    money = builder["resources"] + world.policy.compute.builder_budget
    target = money / (money + platform.half_resources) * builder["licence"] * builder["product"]
    years = where(target > state.platform_built, platform.build_years, platform.decay_years)
    pace = 1.0 - np.exp(-world.clock.years / years)
    state.platform_built = state.platform_built + pace * (target - state.platform_built)
    _adopt(world, builder)
    state.platform_strength = platform.scale * state.platform_built * members_share(world)


def _spend(world: World, mine: Array, builder: dict) -> None:
    """Pay those who build, from the builder's owners and from public money."""
    vendors, years = world.vendors, world.clock.years
    part = mine.astype(float)
    public = world.policy.compute.builder_budget * years * part
    world.accounts.pay("platform", "government", (vendors, public))
    bill = builder["resources"] * years * part + public
    world.accounts.pay("platform building", (vendors, bill), "workers", operating=True)


def _adopt(world: World, builder: dict) -> None:
    """Let labs join or leave, by the state of the platform, social trust and the builder's neutrality."""
    labs, platform = world.labs, world.parameters.platform
    built = world.state.platform_built
    shunned = platform.rivalry * (1.0 - builder["neutrality"])
    trusted = world.state.trust[CN] * (1.0 - shunned * where(labs.archetype == BIG_TECH, 1.0, platform.rivalry_others))
    labs.join_platform(
        PlatformSignals(
            joins=world.clock.chance(platform.join * built * trusted),
            leaves=world.clock.chance(platform.leave * (1.0 - built)),
        )
    )


def members_share(world: World) -> Array:
    """Share of the compute for models in CN whose labs are on the platform, ``(worlds, 1)``."""
    labs = world.labs
    compute = weigh_k(world.chips.h100e, labs.fleet) * labs.llm_share + labs.rented_training + labs.rented_serving
    home = where(labs.alive & (labs.region == CN), compute, 0.0)
    return ratio(sum_where(labs.on_platform, home), row_sum(home))
