"""Compliance: costs of the law to services, and its bans (M06).

Duties on content, cleaning of usage data, suits over training data, and the ban on data to a
foreign API (000).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import API, CN, FILED, MISSING, ROW
from baimo.world.engine.arrays import Array, compacts, count_where, ratio, row_sum, sum_k, take_rows, where
from baimo.world.engine.clock import DAYS_A_MONTH
from baimo.world.network.ties import points_at

if TYPE_CHECKING:
    from baimo.world.engine.world import World


def comply(world: World) -> None:
    """Phase 12, before incidents: duties are paid, data cleaned, suits lost, foreign APIs cut."""
    world.tally("compliance_cost", 0.0)
    _content_duty(world)
    _clean(world)
    _suits(world)
    _levy(world)
    _fine_dominance(world)
    _cut_foreign(world)


def _content_duty(world: World) -> None:
    """Charge filed services for content teams, and for light tokens to check each of their own."""
    labs, state, compliance = world.labs, world.state, world.parameters.compliance
    licensed = world.segments.licensed
    public = (
        sum_k([state.tokens_by_segment[k] * licensed[k] for k in world.segments.rows_licensed]) * labs.capacity_share
    )
    duty = labs.alive & (labs.region == CN) & (labs.filing == FILED)
    days = DAYS_A_MONTH * world.clock.months
    checks = compliance.content_duty * public * labs.marginal_cost_light * days / 1e6
    team = compliance.content_team * world.policy.stance.stringency * world.clock.years
    _pay(world, "content duty", where(duty, checks + team, 0.0))


def _clean(world: World) -> None:
    """Delete usage data found unlawful for training, at the rate t u (t u c where filed), u the share of public use.

    What anybody types in taints data (000), less where a filed service checks it; what firms send is theirs.
    """
    labs, state, compliance = world.labs, world.state, world.parameters.compliance
    public = sum_k(state.tokens_by_segment * world.segments.column("free"))
    public = ratio(public, sum_k(state.tokens_by_segment))
    checked = where(labs.filing == FILED, compliance.checked, 1.0)
    labs.usage_data = labs.usage_data * (1.0 - world.clock.chance(compliance.tainted * public * checked))


def _suits(world: World) -> None:
    """Settle suits of rights holders over training data, at a hazard that grows with use."""
    labs, compliance = world.labs, world.parameters.compliance
    used = labs.tokens_flagship + labs.tokens_light
    hoard = 1.0 + compliance.tainted_suits * labs.usage_data / (labs.usage_data + compliance.suit_scale)
    levy = where(labs.region == CN, world.policy.data.copyright_levy, 0.0)
    rate = compliance.suit_rate * np.log1p(used / compliance.suit_scale) * hoard * np.exp(-levy / compliance.levy_peace)
    sued = labs.alive & labs.released & (labs.draws("suit") < world.clock.chance(rate))
    damages = where(sued, compliance.least_damages + compliance.damages * 12.0 * labs.service_revenue, 0.0)
    _pay(world, "damages", damages)
    labs.reputation = labs.reputation - where(sued, compliance.suit_reputation, 0.0)
    world.count("suits", labs, sued)
    world.log("suit", labs, sued, damages)


def _levy(world: World) -> None:
    """Pay rights holders a levy on the revenue of models."""
    labs = world.labs
    levy = world.policy.data.copyright_levy * labs.service_revenue * world.clock.months
    _pay(world, "copyright levy", where(labs.alive & (labs.region == CN), levy, 0.0))


def _fine_dominance(world: World) -> None:
    """Fine dominant labs in proportion to their market share above the threshold."""
    labs, licensing = world.labs, world.parameters.licensing
    beyond = np.maximum(world.state.token_share - licensing.dominance, 0.0) * (labs.region == CN)
    rate = licensing.dominance_fine * world.policy.stance.competition * beyond
    fine = rate * labs.service_revenue * world.clock.months
    world.accounts.pay("antitrust fines", (labs, fine), "government", operating=True)
    world.tally("antitrust_fines", row_sum(fine))


def _pay(world: World, kind: str, cost: Array) -> None:
    labs = world.labs
    world.accounts.pay(kind, (labs, cost), "outside", operating=True)
    world.count("compliance_cost", labs, cost)


def on_foreign(world: World) -> Array:
    """Apps that call the API of a foreign model, ``(worlds, apps)``."""
    apps, labs = world.apps, world.labs
    first = apps.base_lab[0]
    valid = apps.alive & points_at(first, apps.base_id[0], labs)
    return valid & (take_rows(labs.region, first) == ROW) & (apps.source == API)


def _cut_foreign(world: World) -> None:
    """Enforce the rule on cross-border data: wrappers of foreign models lose their base or are fined."""
    apps, compliance, border = world.apps, world.parameters.compliance, world.policy.data.cross_border
    foreign = on_foreign(world)
    risk = compliance.foreign_risk * border * apps.revenue * world.clock.months
    risk = where(foreign, np.minimum(risk, np.maximum(apps.cash, 0.0)), 0.0)
    world.accounts.pay("fines", (apps, risk), "government")
    cut = foreign & (apps.draws("cut") < world.clock.chance(compliance.foreign_cut * border))
    cut = cut | (foreign & (world.policy.licensing.wrapper_ban > 0.0))
    world.tally("apps_cut_off", count_where(cut))
    if compacts(world.xp) and not cut.any():
        return
    apps.base_lab = where(cut, MISSING, apps.base_lab)
    apps.base_id = where(cut, MISSING, apps.base_id)
    # What is not to be used need not be known.
    gone = where(cut, take_known_foreign(world), False)
    apps.known_lab = where(gone, MISSING, apps.known_lab)
    apps.known_id = where(gone, MISSING, apps.known_id)


def take_known_foreign(world: World) -> Array:
    """Mask of the foreign ones among the models that apps know, ``(known, worlds, apps)``."""
    rows = world.apps.known_lab
    return np.stack([(layer >= 0) & (take_rows(world.labs.region, layer) == ROW) for layer in rows])
