"""Policy in force, read as ``world.policy.<group>.<instrument>``.

Each group is what ``conf/policy/<group>`` sets (declared in :mod:`baimo.conf.parameters.policy`) as it stands this
month: its values from ``since`` to before ``until``, else those of no policy. Where an instrument is a date, a schedule
or a list of rules, the group is one of the classes below and says what it comes to this month.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from baimo.agents.enums import ARCHETYPES, COMPETITION, CONTENT, EXPORT_CONTROL
from baimo.agents.regulator import StanceSignals
from baimo.conf.parameters.policy import DataPolicy, TechnologyPolicy
from baimo.world.engine.arrays import Array, clip, where
from baimo.world.engine.clock import as_date, at_date
from baimo.world.policy import export_rules

if TYPE_CHECKING:
    from baimo.world.engine.clock import Clock
    from baimo.world.engine.world import World


@dataclass
class ExportControl:
    """The embargo: masks of chip classes, on the host ``(classes,)``, on the device ``(classes, 1, 1)``."""

    bars: np.ndarray  # may not be sold to CN, on the host
    sold_abroad: np.ndarray  # foreign classes on sale outside CN, on the host
    barred: Array
    offered_row: Array
    offered_cn: Array
    announced: Array  # a published rule will bar them
    memory_control: bool  # of high-bandwidth memory for domestic chips
    cloud_rule: bool  # barred chips may not be rented abroad either
    listed: Array | None  # labs on the entity list, (worlds, labs); None where it is empty


@dataclass
class Licensing:
    """Filing of services: whether the register is open, and how far it binds."""

    opens: bool = False
    needs_licence: Array | float = 0.0  # share of public services that must be filed
    beta_allowed: Array | float = 1.0  # share that may run unfiled as a trial
    wrapper_ban: float = 0.0


@dataclass
class DataRules(DataPolicy):
    """The data group, with the strength of the rule on data across the border."""

    cross_border: Array | float = 0.0


@dataclass
class TechnologyPlan(TechnologyPolicy):
    """The technology group; its dates hold without ``since`` and ``until``."""

    scaling_ends: bool = False  # in this step
    breakthrough: bool = False  # in this step
    multimodal: bool = False  # by now
    years_in_force: float = 0.0


@dataclass
class Stance:
    """Settings of the authorities in charge, ``(worlds, 1)`` each."""

    capacity: Array  # services that the content authority reviews a month
    stringency: Array  # of the content authority
    enforcement: Array  # of export control
    competition: Array  # stringency of the competition authority


class Policy:
    """Instruments in force this month; made with no rule applied yet, renewed by phase 1."""

    embargo: ExportControl
    stance: Stance

    def __init__(self, config: Any, clock: Clock):
        self.configured = config.policy
        self.renew(clock, 0)

    def renew(self, clock: Clock, step: int) -> None:
        """Set what depends on the date alone."""
        groups, date = self.configured, clock.date(step)
        for name in ("open_source", "compute", "industrial", "capital", "market", "talent"):
            setattr(self, name, _in_force(getattr(groups, name), date))
        self.licensing = Licensing(_come(groups.licensing.opens, date))
        self.data = DataRules(**vars(_in_force(groups.data, date)) | {"cross_border": 0.0})
        plan = groups.technology
        self.technology = TechnologyPlan(
            **vars(plan)
            | {
                "scaling_ends": _comes_now(plan.scaling_ends, clock, step),
                "breakthrough": _comes_now(plan.breakthrough, clock, step),
                "multimodal": _come(plan.multimodal, date),
                "edge_growth": _in_force(plan, date).edge_growth,
                "years_in_force": _years_since(plan.since, clock, step),
            }
        )
        self.news = sum(float(item["size"]) for item in groups.news if clock.step_of(as_date(item["date"])) == step)


def _in_force(group: Any, date: dt.date) -> Any:
    """A group from ``since`` to before ``until``, else no policy of its kind."""
    begun = group.since is None or _come(group.since, date)
    return group if begun and not _come(group.until, date) else type(group)()


def _come(day: str | None, date: dt.date) -> bool:
    """Whether a day has come."""
    return bool(day) and as_date(day) <= date


def _comes_now(day: str | None, clock: Clock, step: int) -> bool:
    """Whether a day falls into a step; what lies before the first step happens in it."""
    return day is not None and max(clock.step_of(as_date(day)), 0) == step


def _years_since(day: str | None, clock: Clock, step: int) -> float:
    """Years from the step of a day (the first step without one) to the middle of this step."""
    first = 0 if day is None else max(clock.step_of(as_date(day)), 0)
    return max(clock.year(step) - first * clock.years, 0.0)


def calendar_and_policy(world: World) -> None:
    """Phase 1: what is in force this month."""
    policy, date = world.policy, world.date
    policy.renew(world.clock, world.step_number)
    phases, needed = policy.configured.licensing.phases, world.parameters.licensing.needed
    policy.licensing.needs_licence = needed * at_date(phases, date, "enforced", 0.0)
    policy.licensing.beta_allowed = 1.0 - needed * (1.0 - at_date(phases, date, "beta", 1.0))
    policy.licensing.wrapper_ban = float(_come(policy.configured.licensing.wrapper_ban, date))
    border = at_date(policy.configured.data.cross_border, date, "strength", 0.0)
    policy.data.cross_border = world.parameters.compliance.border * border
    _export_control(world)
    pace = world.parameters.pace.governance
    if world.clock.every(world.step_number, pace):
        world.regulators.set_stance(_stance(world, max(pace, world.clock.months)))
    policy.stance = stance(world)


def _export_control(world: World) -> None:
    """Apply the rules to the chips; a ban that begins or ends is announced."""
    policy, chips, date = world.policy, world.catalogue, world.date
    rules = policy.configured.embargo.rules
    known = policy.embargo.bars if world.step_number else np.zeros(len(chips), dtype=bool)
    bars, abroad = export_rules.barred(rules, chips, date), export_rules.sold_abroad(chips, date)
    for chip in np.nonzero(bars != known)[0]:
        world.announce("ban" if bars[chip] else "ban lifted", chips.names[chip])
    policy.embargo = ExportControl(
        bars=bars,
        sold_abroad=abroad,
        barred=_by_class(world, bars),
        offered_row=_by_class(world, abroad),
        offered_cn=_by_class(world, export_rules.offered(rules, chips, date, world.clock.months)),
        announced=_by_class(world, export_rules.announced(rules, chips, date)),
        memory_control=_come(policy.configured.embargo.memory_control, date),
        cloud_rule=_come(policy.configured.embargo.cloud_rule, date),
        listed=_listed(world),
    )


def _by_class(world: World, values: np.ndarray) -> Array:
    """Values of each chip class on the device, ``(classes,)`` to ``(classes, 1, 1)``."""
    return world.xp.asarray(values).reshape(-1, 1, 1)


def _listed(world: World) -> Array | None:
    """Labs on the entity list: so many founding labs of an archetype from the date of each entry."""
    labs, named = world.labs, None
    for entry in world.policy.configured.embargo.listed:
        if _come(entry["date"], world.date):
            kind = ARCHETYPES.index(entry["archetype"])
            founding = labs.alive & (labs.founded == 0) & (labs.archetype == kind)
            first = founding & (np.cumsum(founding, axis=-1) <= int(entry["number"]))
            named = first if named is None else named | first
    return named


def _stance(world: World, months: float) -> StanceSignals:
    """Observables of the authorities in a session, ``months`` after the last."""
    schedules, date, state = world.policy.configured, world.date, world.state
    licensing = world.parameters.licensing
    return StanceSignals(
        incidents=state.incident_memory[0],
        gap_closed=clip(1.0 - state.gap_oom, 0.0, 1.0),
        hhi=state.hhi_tokens,
        adjust=1.0 - np.power(1.0 - licensing.stance_pace, months),
        scheduled_stringency=at_date(schedules.licensing.phases, date, "stringency", licensing.stance_before),
        scheduled_capacity=at_date(schedules.licensing.phases, date, "capacity", 0.0),
        scheduled_enforcement=at_date(schedules.embargo.enforcement, date, "strength", licensing.stance_before),
    )


def stance(world: World) -> Stance:
    """Read what the regulators have set."""
    regulators = world.regulators

    def of(kind: int, column: str) -> Array:
        chosen = (regulators.kind == kind) & regulators.alive
        return where(chosen, regulators.columns[column], 0.0).sum(-1, keepdims=True)

    return Stance(
        capacity=of(CONTENT, "capacity"),
        stringency=of(CONTENT, "stringency"),
        enforcement=of(EXPORT_CONTROL, "enforcement"),
        competition=of(COMPETITION, "stringency"),
    )
