"""The middle layer: unified compilation, deployment and scheduling over mixed chips (M17).

Who builds it matters: a builder is a tuple of resources, licence, product skill and neutrality
(``builders`` in ``conf/population``). Resources, licence and skill are complements, so that a
private firm lacks money and permits, the state skill, and each is worth little alone (000). Each
builder decides what it spends, by what members would pay; public money goes to whom policy names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import BIG_TECH, BUILDERS, CENTRE, CN, MISSING, PLATFORM
from baimo.agents.lab.compute import PlatformSignals
from baimo.agents.vendor import BuilderSignals
from baimo.conf.declare import stock
from baimo.world.compute.chip_supply import software_maturity
from baimo.world.compute.chips import HOURS_A_YEAR
from baimo.world.engine.arrays import Array, ratio, row_max, row_sum, sum_by_group, sum_k, sum_where, weigh_k, where
from baimo.world.engine.state import State

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class PlatformState(State):
    """State of the middle layer."""

    platform_leader = stock("row", dtype=int, first=MISSING, text="Row of the builder whose platform labs join")
    platform_built = stock("share", text="Progress of the platform that labs join")
    platform_strength = stock("1", text="Effect of the platform on its members")


def develop(world: World) -> None:
    """Phase 4, middle layer: builders decide and spend, platforms grow or decay, labs join or leave."""
    vendors, state, platform = world.vendors, world.state, world.parameters.platform
    builds = (vendors.kind == PLATFORM) & (vendors.region == CN) & vendors.alive
    skill = _of_builder(world, "licence") * _of_builder(world, "product")
    gains, welcome = gains_of_members(world), {name: acceptance(world, name) for name in BUILDERS}
    public, willing = _public_money(world, builds), _paying(world, gains, welcome)
    vendors.build_platform(
        BuilderSignals(
            returns=where(builds & _gets_ahead(world, skill), willing, 0.0),
            skill=skill,
            resources=_of_builder(world, "resources"),
            public=public,
        )
    )
    _spend(world, public)
    money = vendors.platform_budget + public
    target = where(builds, money / (money + platform.half_resources) * skill, 0.0)
    years = where(target > vendors.platform_built, platform.build_years, platform.decay_years)
    pace = 1.0 - np.exp(-world.clock.years / years)
    vendors.platform_built = vendors.platform_built + pace * (target - vendors.platform_built)
    _adopt(world, welcome)
    state.platform_strength = platform.scale * state.platform_built * members_share(world)
    _collect(world, gains)


# ---------------------------------------------------------------------- who builds


def _of_builder(world: World, key: str) -> Array:
    """What each vendor has of a trait of its kind of builder, ``(worlds, vendors)``."""
    return world.xp.asarray([float(world.config.builders[name][key]) for name in BUILDERS])[world.vendors.builder]


def acceptance(world: World, name: str) -> Array:
    """Chance that a lab takes to a kind of builder, ``(worlds, labs)``: social trust, less what its rivals fear.

    T (1 - r (1 - n) shy): n the neutrality of the builder, r the aversion of owners of clouds, shy 1 for them.
    """
    labs, platform = world.labs, world.parameters.platform
    shy = where(labs.archetype == BIG_TECH, 1.0, platform.rivalry_others)
    biased = 1.0 - world.config.builders[name]["neutrality"]
    return world.state.trust[CN] * (1.0 - platform.rivalry * biased * shy)


def loss_of_mixing(world: World) -> Array:
    """Share of its speed that a lab's fleet loses by mixed classes, m (1 - sum n_k^2/n^2), without a platform (M08)."""
    fleet, count = world.labs.fleet, sum_k(world.labs.fleet)
    return world.parameters.training.mixed_loss * where(count > 0.0, 1.0 - ratio(sum_k(fleet * fleet), count**2), 0.0)


def gains_of_members(world: World) -> tuple[Array, Array]:
    """What a full platform is worth to labs and to public centres in CN, CNY million a year.

    Labs get back what their mixed fleets lose, centres let more of theirs, at the rent of training.
    """
    labs, vendors, rental = world.labs, world.vendors, world.parameters.rental
    maturity = software_maturity(world)
    speed, worth = world.chips.training_speed * maturity, world.state.rent_training[CN] * HOURS_A_YEAR / 1e6
    own = sum_k(labs.fleet * speed) * labs.llm_share * (labs.alive & (labs.region == CN))
    mixed = ratio(sum_k(vendors.fleet * maturity), sum_k(vendors.fleet))
    lets = rental.centre_offer * mixed * rental.platform_lift * ((vendors.kind == CENTRE) & (vendors.region == CN))
    return worth * loss_of_mixing(world) * own, worth * lets * vendors.alive * sum_k(vendors.fleet * speed)


def _paying(world: World, gains: tuple[Array, Array], welcome: dict[str, Array]) -> Array:
    """What members would pay each vendor for a full platform, CNY million a year: a share of what they gain."""
    platform, (labs, centres) = world.parameters.platform, gains
    by_kind = np.concatenate([row_sum(welcome[name] * labs) for name in BUILDERS], axis=-1)
    mine = np.take_along_axis(by_kind, world.vendors.builder, -1)
    return platform.scale * platform.fee * (mine + row_sum(centres))


def _gets_ahead(world: World, skill: Array) -> Array:
    """Whether a builder's platform could be better than what others have built."""
    vendors, rows = world.vendors, world.xp.arange(world.vendors.capacity)
    best = row_max(vendors.platform_built)
    leads = (vendors.platform_built == best) & (rows == world.state.platform_leader)
    return leads | (skill > best)


def _public_money(world: World, builds: Array) -> Array:
    """Public money for the builder that policy names, CNY million a year."""
    policy = world.policy.compute
    named = builds & (world.vendors.builder == BUILDERS.index(policy.builder))
    return policy.builder_budget * (named & (np.cumsum(named, axis=-1) == 1))


# ---------------------------------------------------------------------- money and members


def _spend(world: World, public: Array) -> None:
    """Pay those who build, from the builder's owners and from public money."""
    vendors, years = world.vendors, world.clock.years
    world.accounts.pay("platform", "government", (vendors, public * years))
    bill = (vendors.platform_budget + public) * years
    world.accounts.pay("platform building", (vendors, bill), "workers", operating=True)


def _adopt(world: World, welcome: dict[str, Array]) -> None:
    """Let labs join the furthest platform or leave it, by its state, social trust and its builder's neutrality."""
    vendors, state, platform = world.vendors, world.state, world.parameters.platform
    state.platform_leader = np.argmax(vendors.platform_built, axis=-1)[:, None]
    state.platform_built = row_max(vendors.platform_built)
    kind = np.take_along_axis(vendors.builder, state.platform_leader, -1)
    trusted = sum(welcome[name] * (kind == code) for code, name in enumerate(BUILDERS))
    world.labs.join_platform(
        PlatformSignals(
            joins=world.clock.chance(platform.join * state.platform_built * trusted),
            leaves=world.clock.chance(platform.leave * (1.0 - state.platform_built)),
        )
    )


def _collect(world: World, gains: tuple[Array, Array]) -> None:
    """Members pay the builder a share of what the platform brings them."""
    vendors, labs, state, platform = world.vendors, world.labs, world.state, world.parameters.platform
    charge = platform.scale * platform.fee * world.clock.years
    bills = charge * state.platform_built * labs.on_platform * gains[0], charge * state.platform_strength * gains[1]
    for payers, bill in zip((labs, vendors), bills, strict=True):
        payee = np.broadcast_to(state.platform_leader, bill.shape)
        income = sum_by_group(bill, payee, vendors.capacity)
        world.accounts.pay("platform fees", (payers, bill), (vendors, income), operating=True)


def members_share(world: World) -> Array:
    """Share of the compute for models in CN whose labs are on the platform, ``(worlds, 1)``."""
    labs = world.labs
    compute = weigh_k(world.chips.h100e, labs.fleet) * labs.llm_share + labs.rented_training + labs.rented_serving
    home = where(labs.alive & (labs.region == CN), compute, 0.0)
    return ratio(sum_where(labs.on_platform, home), row_sum(home))
