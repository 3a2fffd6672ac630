"""Policy instruments in force: what each means for the month."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from baimo.agents.enums import ARCHETYPES, COMPETITION, CONTENT, EXPORT_CONTROL
from baimo.world.engine.arrays import clip, where
from baimo.world.engine.population import Observables
from baimo.world.policy.calendar import as_date, at_date, months_between
from baimo.world.policy.export_rules import barred, barred_by, first_barred

if TYPE_CHECKING:
    from baimo.world.engine.world import World


def listed(world: World) -> np.ndarray | None:
    """Labs on the entity list this month, ``(worlds, labs)``; None where nobody is on it.

    An entry names an archetype and how many of its founding labs are listed from its date.
    """
    labs, named = world.labs, None
    for entry in world.policy.embargo.listed:
        if as_date(entry["date"]) <= world.date:
            kind = ARCHETYPES.index(entry["archetype"])
            founding = labs.alive & (labs.founded == 0) & (labs.archetype == kind)
            first = founding & (np.cumsum(founding, axis=-1) <= int(entry["number"]))
            named = first if named is None else named | first
    return named


def calendar_and_policy(world: World) -> None:
    """Phase 1: what is in force this month."""
    date, policy, state = world.date, world.policy, world.state
    chips, rules = world.catalogue, policy.embargo.rules
    known = state.bars
    state.bars = barred(rules, chips, date)
    for chip in np.nonzero(state.bars != known)[0]:
        world.announce("ban" if state.bars[chip] else "ban lifted", chips.names[chip])
    launched = [as_date(day) <= date for day in chips.launch]
    base = [kind != "export_variant" for kind in chips.kinds]
    foreign = [home == "US" for home in chips.homes]
    state.sold_abroad = np.array(launched) & np.array(base) & np.array(foreign)
    state.barred, state.offered_row = world.by_class(state.bars), world.by_class(state.sold_abroad)
    state.announced = world.by_class(_announced(world, rules, date))
    state.offered_cn = world.by_class(_offered(world, rules, date))
    needed = world.parameters.licensing.needed
    state.needs_licence = needed * at_date(policy.licensing.phases, date, "enforced", 0.0)
    state.beta_allowed = 1.0 - needed * (1.0 - at_date(policy.licensing.phases, date, "beta", 1.0))
    state.cross_border = world.parameters.compliance.border * at_date(policy.data.cross_border, date, "strength", 0.0)
    ban = policy.licensing.wrapper_ban
    state.wrapper_ban = float(bool(ban) and as_date(ban) <= date)
    state.news = sum(
        float(item["size"]) for item in policy.news if world.clock.step_of(as_date(item["date"])) == world.step_number
    )
    pace = world.parameters.pace.governance
    if world.clock.every(world.step_number, pace):
        world.regulators.set_stance(_stance(world, max(pace, world.clock.months)))


def _stance(world: World, months: float) -> Observables:
    """What the authorities look at in a session, ``months`` after the last."""
    policy, date, state = world.policy, world.date, world.state
    return Observables(
        incidents=state.incident_memory[0],
        gap_closed=clip(1.0 - state.gap_oom, 0.0, 1.0),
        hhi=state.hhi_tokens,
        adjust=1.0 - np.power(1.0 - world.parameters.licensing.stance_pace, months),
        scheduled_stringency=at_date(policy.licensing.phases, date, "stringency", 0.3),
        scheduled_capacity=at_date(policy.licensing.phases, date, "capacity", 0.0),
        scheduled_enforcement=at_date(policy.embargo.enforcement, date, "strength", 0.3),
    )


def _announced(world: World, rules: list, date: dt.date) -> np.ndarray:
    """Classes that a published rule will bar soon but that may still be sold."""
    soon = np.zeros(len(world.catalogue), dtype=bool)
    for rule in rules:
        told = as_date(rule.get("announced") or rule["date"])
        if told <= date < as_date(rule["date"]):
            soon |= barred_by(rule, world.catalogue)
    return soon


def _offered(world: World, rules: list, date: dt.date) -> np.ndarray:
    """Classes on legal sale in CN: launched, not barred, and for variants, needed.

    A chipmaker answers a rule with the best variant that it leaves, some months later; where
    the parent may be sold nobody makes the variant (one wafer serves either).
    """
    chips, bars = world.catalogue, world.state.bars
    offered = np.zeros(len(chips), dtype=bool)
    for k, kind in enumerate(chips.kinds):
        if bars[k] or as_date(chips.launch[k]) > date:
            continue
        if kind != "export_variant":
            offered[k] = True
            continue
        trigger = first_barred(rules, chips, chips.names.index(chips.parents[k]))
        if trigger is None:
            continue
        since = max(trigger, as_date(chips.launch[chips.names.index(chips.parents[k])]))
        parent_barred = bars[chips.names.index(chips.parents[k])]
        offered[k] = parent_barred and months_between(since, date) >= chips.response_months[k] - world.clock.months
    return offered


def authority(world: World, name: str) -> np.ndarray:
    """Stance of the authority in charge of a matter, ``(worlds, 1)``."""
    kind, column = {
        "capacity": (CONTENT, "capacity"),
        "stringency": (CONTENT, "stringency"),
        "enforcement": (EXPORT_CONTROL, "enforcement"),
        "competition": (COMPETITION, "stringency"),
    }[name]
    chosen = (world.regulators.kind == kind) & world.regulators.alive
    return where(chosen, world.regulators.columns[column], 0.0).sum(-1, keepdims=True)


class Policy:
    """The instruments in force, as the config groups ``policy/<group>`` give them."""

    def __init__(self, groups: Any):
        for each in fields(groups):
            setattr(self, each.name, getattr(groups, each.name))

    def now(self, group: str, name: str, date: dt.date) -> Any:
        """What an instrument is set to on a date: its configured value while in force, else no policy."""
        chosen = getattr(self, group)
        begins = chosen.since is None or as_date(chosen.since) <= date
        ends = chosen.until is not None and as_date(chosen.until) <= date
        if begins and not ends:
            return getattr(chosen, name)
        return next(each.default for each in fields(chosen) if each.name == name)

    def memory_controlled(self, date: dt.date) -> bool:
        """Whether high-bandwidth memory for domestic chips is controlled on a date."""
        since = self.embargo.memory_control
        return bool(since) and as_date(since) <= date
