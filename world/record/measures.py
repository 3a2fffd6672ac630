"""Measures: what is seen of a world each month, by the names of the output columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import (
    API,
    APP_COMPANY,
    APPLICATION,
    BIG_TECH,
    CENTRAL,
    CLOUD,
    CN,
    FILED,
    FROM_SCRATCH,
    INFRA,
    OPEN_MODEL,
    PROVINCIAL,
    RESEARCH,
    ROW,
    SCALING,
    SENIOR_VC,
    TEXT,
    YOUNG_VC,
)
from baimo.world.apps import lifecycle
from baimo.world.apps.competition import needs_filing
from baimo.world.capital import hype
from baimo.world.capital.deal_flow import benchmark_fit, launch_cost
from baimo.world.compute.chip_market import chips_in
from baimo.world.compute.chip_supply import domestic_maturity, list_prices, made_in, of_kind, serving_speed
from baimo.world.compute.chips import CNY_A_USD, H100_TFLOPS
from baimo.world.engine.arrays import (
    Array,
    herfindahl,
    largest,
    ratio,
    row_max,
    row_sum,
    sum_k,
    take_rows,
    weigh_k,
    where,
)
from baimo.world.models.segments import CN_SEGMENTS
from baimo.world.models.tuning_hub import hubs
from baimo.world.record import spread
from baimo.world.record.measures_market import model_market
from baimo.world.regulation.compliance import on_foreign
from baimo.world.technology import exploration, lineage
from baimo.world.technology.research import frontiers

if TYPE_CHECKING:
    from baimo.world.engine.world import World

AXES = ("language", "knowledge", "reasoning")


def observe(world: World) -> None:
    """Phase 18: the month is recorded; nothing of the world changes."""
    world.record(*month(world))
    world.notes.post()


def month(world: World) -> tuple[list[str], Array]:
    """Names of all measures, and their values in this month, ``(measures, worlds)``."""
    found: dict[str, Array] = {}
    parts = (_labs, _training, _frontiers, _chips, _prices, _usage, model_market, _apps, _money, _society)
    for part in (*parts, _capital, lineage.measures, exploration.measures, spread.measures):
        found.update(part(world))
    shape = (world.worlds, 1)
    wide = [
        value if getattr(value, "shape", None) == shape else world.xp.full(shape, value, dtype=float)
        for value in found.values()
    ]
    return list(found), np.concatenate(wide, axis=1).T


def _labs(world: World) -> dict[str, Array]:
    labs, state, seen = world.labs, world.state, world.monthly
    cn, row = labs.alive & (labs.region == CN), labs.alive & (labs.region == ROW)
    count = {
        f"labs_{name}_cn": row_sum((cn & (labs.archetype == k)).astype(float))
        for k, name in ((3, "big_tech"), (4, "unicorn"), (5, "academic"), (6, "vertical"), (7, "follower"))
    }
    scratch = cn & (labs.mode == FROM_SCRATCH) & (labs.runs_done > 0)
    total = {name: world.totals.get(name, 0.0) for name in ("releases", "filed", "filed_apps", "open_releases")}
    return count | {
        "labs_alive_cn": row_sum(cn.astype(float)),
        "labs_alive_row": row_sum(row.astype(float)),
        "labs_from_scratch_cn": row_sum(scratch.astype(float)),
        "labs_app_company_cn": row_sum((cn & (labs.mode == APP_COMPANY)).astype(float)),
        "labs_released_cn": row_sum((cn & labs.released).astype(float)),
        "lab_entries_cn": seen.get("entries", 0.0),
        "lab_exits_cn": seen.get("exits", 0.0),
        "lab_pivots_cn": seen.get("pivots", 0.0),
        "lab_acquisitions_cn": seen.get("acquisitions", 0.0),
        "lab_acquisitions_by_leaders_cn": seen.get("leader_acquisitions", 0.0),
        "models_released_cn": total["releases"],
        "models_filed_cn": total["filed"] + total["filed_apps"],
        "labs_filed_cn": total["filed"],
        "open_release_share_cn": ratio(total["open_releases"], total["releases"]),
        "training_failures_cn": seen.get("training_failures", 0.0),
        "largest_run_cn_flop": state.largest_run[CN],
        "largest_run_row_flop": state.largest_run[ROW],
    }


def _training(world: World) -> dict[str, Array]:
    """How well labs train: what clusters lose, MFU, data, bases, and what a run costs."""
    labs, state, seen = world.labs, world.state, world.monthly
    cn, row = labs.alive & (labs.region == CN), labs.alive & (labs.region == ROW)
    speed, failing, kept = ([row_sum(where(here, use, 0.0)) for here in (cn, row)] for use in state.cluster_use)
    training = cn & (labs.mode != APP_COMPANY)
    zero = np.zeros_like(state.hype)
    failed = seen.get("failed_planned", zero)
    running, released = cn & labs.running, cn & labs.released
    hours = world.parameters.training.largest_before_row / np.exp(state.public_efficiency)
    hours = hours / (H100_TFLOPS * 1e12 * 3600.0 * row_max(where(row, labs.mfu, 1e-9)))
    return {
        "goodput_cn": where(speed[CN] > 0.0, ratio(failing[CN], speed[CN]), np.nan),
        "cluster_loss_cn": 1.0 - where(speed[CN] > 0.0, ratio(kept[CN], speed[CN]), np.nan),
        "cluster_loss_row": 1.0 - where(speed[ROW] > 0.0, ratio(kept[ROW], speed[ROW]), np.nan),
        "mfu_best_cn": row_max(where(training, labs.mfu, 0.0)),
        "mfu_median_cn": median(labs.mfu, training),
        "synthetic_share_cn": ratio(row_sum((running & labs.run_synthetic) + 0.0), row_sum(running + 0.0)),
        "foreign_base_share_cn": ratio(row_sum((released & labs.base_foreign) + 0.0), row_sum(released + 0.0)),
        "training_wasted_cn": seen.get("training_wasted", 0.0),
        "failed_run_used_cn": where(failed > 0.0, ratio(seen.get("failed_used", zero), failed), np.nan),
        "gpt4_run_cost_usd": hours * state.rent_training[ROW] / CNY_A_USD / 1e6,
        "efficiency_public": np.exp(state.public_efficiency),
        "post_share_of_variance_cn": post_share(labs, released),
    }


def median(values: Array, mask: Array) -> Array:
    """Lower median over the rows of a mask, ``(worlds, 1)``, NaN for nobody."""
    count = row_sum(mask.astype(np.int64))
    ordered = np.sort(where(mask, values, np.inf), axis=-1)
    middle = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, -1)
    return where(count > 0, middle, np.nan)


def post_share(labs, among: Array) -> Array:
    """Variance of post-training between the ten best labs, over that plus that of pre-training (M14)."""
    post, base = sum_k(labs.post) / 3.0, sum_k(labs.pretrained) / 3.0
    total = post + base
    best = np.argsort(where(among, total, -np.inf), axis=-1, kind="stable")[:, -10:]
    there = np.take_along_axis(among, best, -1).astype(float)
    around = []
    for each in (post, base):
        values = np.take_along_axis(each, best, -1) * there
        around.append(there * (values - ratio(row_sum(values), row_sum(there))))
    own, both = row_sum(around[0] ** 2), row_sum(around[0] ** 2 + around[1] ** 2)
    return where(both > 1e-9, ratio(own, both), np.nan)


def _frontiers(world: World) -> dict[str, Array]:
    best = frontiers(world)
    found = {}
    for name, axes in best.items():
        found[f"frontier_{name}"] = sum_k(axes) / 3.0
        for axis, label in enumerate(AXES):
            found[f"frontier_{name}_{label}"] = axes[axis]
    for axis, label in enumerate(AXES):
        found[f"gap_open_{label}"] = best["all"][axis] - best["open"][axis]
    found["gap_cn_oom"] = found["frontier_all"] - found["frontier_cn"]
    found["gap_cn_months"] = months_behind(world, found["frontier_cn"])
    found["gap_open_months"] = months_behind(world, found["frontier_open"])
    found["big_tech_behind_year_ago_cn"] = _behind_year_ago(world)
    return found


def _behind_year_ago(world: World) -> Array:
    """What big tech in CN offers, on average, against the frontier of a year ago, OOM (M26)."""
    labs, history = world.labs, world.state.frontier_history
    ago = round(12.0 / world.clock.months)
    big = labs.alive & labs.released & (labs.region == CN) & (labs.archetype == BIG_TECH)
    offered = ratio(row_sum(where(big, sum_k(labs.served) / 3.0, 0.0)), row_sum(big.astype(float)))
    known = row_sum(big.astype(float)) * (len(history) > ago) > 0.0
    return where(known, history[-1 - min(ago, len(history) - 1)] - offered, np.nan)


def months_behind(world: World, level: Array) -> Array:
    """Months since the frontier stood at a level; before the first step it rose at a known pace."""
    history = np.stack(world.state.frontier_history)
    above = history > level + 1e-9
    since = above.sum(0) * world.clock.months
    before = np.maximum(history[0] - level, 0.0) / world.parameters.technology.pace_before
    return since + before


def _chips(world: World) -> dict[str, Array]:
    state, chips = world.state, world.chips
    counted = ~of_kind(world, "consumer")
    domestic = made_in(world, "CN")
    held = {r: chips_in(world, r) for r in (CN, ROW)}
    equivalents = {r: held[r] * chips.h100e * counted for r in held}
    local = sum_k(where(domestic, equivalents[CN], 0.0))
    foreign = sum_k(where(domestic, 0.0, equivalents[CN]))
    listed = list_prices(world)[chips.names.index("H100")] * 1e6 / CNY_A_USD
    here = (world.vendors.region == CN) & (world.vendors.kind != 0) & world.vendors.alive
    fleet = weigh_k(chips.h100e, world.vendors.fleet) * here
    used = ratio(row_sum(fleet * world.vendors.utilisation), row_sum(fleet))
    power = sum_k(held[CN] * world.chip_kw) * world.parameters.serving.server_power / 1000.0
    quick = {r: sum_k(held[r] * chips.training_speed * counted) for r in held}
    by_class = {}
    for k, name in enumerate(chips.names):
        if chips.kinds[k] != "consumer":
            label = name.lower().replace("-", "_")
            by_class[f"h100e_cn_{label}"] = equivalents[CN][k]
    return by_class | {
        "h100e_cn_legal": np.maximum(foreign - state.grey_stock, 0.0),
        "h100e_cn_grey": state.grey_stock,
        "h100e_cn_domestic": local,
        "h100e_row": sum_k(equivalents[ROW]),
        "price_h100_list_usd": listed / world.parameters.chip_market.server_overhead,
        "price_h100_rent_usd_hour": state.rent_training[ROW] / CNY_A_USD,
        "price_rent_cn_usd_hour": state.rent_training[CN] / CNY_A_USD,
        "grey_premium": state.grey_premium,
        "utilisation_cn": used,
        "idle_compute_cn": row_sum(fleet * (1.0 - world.vendors.utilisation)),
        "power_cn_mw": power,
        "speed_per_h100e_cn": ratio(quick[CN], sum_k(equivalents[CN])),
        "speed_per_h100e_row": ratio(quick[ROW], sum_k(equivalents[ROW])),
        "domestic_maturity": domestic_maturity(world),
        "platform_strength": state.platform_strength,
        "serving_chips_cn_h100": sum_k(held[CN] * serving_speed(world) * chips.maturity * counted),
        "rent_serving_cn_usd_hour": state.rent_serving[CN] / CNY_A_USD,
        "revenue_clouds_cn": row_sum(where(here & (world.vendors.kind == CLOUD), world.vendors.revenue, 0.0)),
        "hhi_chips_cn": sum_k(ratio(_by_maker(world, equivalents[CN]), foreign + local) ** 2),
        "hhi_compute_cn": herfindahl(_lab_compute(world)),
        "compute_for_equity_cn": world.monthly.get("compute_for_equity", 0.0),
        "cloud_seeds_cn": world.monthly.get("cloud_seeds", 0.0),
    }


def _by_maker(world: World, equivalents: Array) -> Array:
    """H100 equivalents by maker, ``(makers, worlds, 1)``."""
    makers = dict.fromkeys(world.chips.vendors)
    by_class = list(zip(world.chips.vendors, equivalents, strict=True))
    return np.stack([sum_k([each for vendor, each in by_class if vendor == maker]) for maker in makers])


def _lab_compute(world: World) -> Array:
    """Compute for models that each lab of CN owns or rents, H100 equivalents."""
    labs = world.labs
    own = weigh_k(world.chips.h100e, labs.fleet) * labs.llm_share
    return where(labs.alive & (labs.region == CN), own + labs.rented_training + labs.rented_serving, 0.0)


def _prices(world: World) -> dict[str, Array]:
    labs, p = world.labs, world.parameters.measures
    out = labs.alive & labs.released
    cn = out & (labs.region == CN)
    near = cn & (sum_k(labs.served) / 3.0 > world.state.frontier_cn - p.flagship_reach)
    sold = labs.tokens_flagship + labs.tokens_light + 1e-9
    found = {
        "price_flagship_cn": _weighted(labs.price_flagship, sold * near),
        "price_light_cn": _weighted(labs.price_light, sold * cn),
    }
    for name, level in (("gpt35", p.gpt35_level), ("gpt4", p.gpt4_level)):
        found[f"price_{name}_level"] = _cheapest(labs, out, level)
    margin = ratio(labs.price_flagship - labs.marginal_cost, labs.price_flagship)
    found["margin_flagship_cn"] = _weighted(margin, sold * near)
    return found


def _weighted(values: Array, weight: Array) -> Array:
    total = row_sum(weight)
    mean = ratio(row_sum(values * weight), total)
    return where(total > 0.0, mean, np.nan)


def _cheapest(labs, out: Array, level: Array) -> Array:
    """Lowest list price at or above a capability, NaN where nobody offers it."""
    best = np.inf
    for capability, price in ((labs.served, labs.price_flagship), (labs.light, labs.price_light)):
        able = out & (sum_k(capability) / 3.0 >= level)
        best = np.minimum(best, where(able, price, np.inf).min(-1, keepdims=True))
    return where(np.isfinite(best), best, np.nan)


def _usage(world: World) -> dict[str, Array]:
    labs, state = world.labs, world.state
    tokens = labs.tokens_flagship + labs.tokens_light
    cn, row = where(labs.region == CN, tokens, 0.0), where(labs.region == ROW, tokens, 0.0)
    home = world.segments.cn
    served = sum_k(state.tokens_by_segment[home]) * labs.capacity_share
    served = served + where(labs.region == CN, state.overflow, 0.0)
    apps = row_sum(labs.tokens_api)
    people = where(labs.region == CN, sum_k(labs.users[home]), 0.0)
    revenue = where(labs.region == CN, labs.service_revenue, 0.0)
    public = sum_k([state.tokens_by_segment[k] for k in world.segments.rows_licensed])
    public = where(labs.region == CN, public, 0.0)
    p = world.parameters.model_market
    # Work is hard where the wall stands; below parity is who sells from further behind than counts as level.
    hard = world.segments.column("threshold")[home] > p.wall_from
    hard_tokens = where(labs.region == CN, sum_k(where(hard, state.tokens_by_segment[home], 0.0)), 0.0)
    below = sum_k(labs.served) / 3.0 < state.frontier_cn - p.wall_slack
    each = (state.chosen_worth - state.outside_value) * state.adopters * world.segments.column("arpu")
    surplus = sum_k(each[home])
    return {
        "tokens_day_cn": row_sum(served) + apps,
        "tokens_day_row": row_sum(tokens) - row_sum(served) - apps,
        "tokens_day_cn_labs": row_sum(cn),
        "tokens_day_row_labs": row_sum(row),
        "users_cn": row_sum(people),
        "hard_share_below_parity_cn": ratio(row_sum(hard_tokens * below), row_sum(hard_tokens)),
        "public_filed_share_cn": ratio(row_sum(where(labs.filing == FILED, public, 0.0)), row_sum(public)),
        "hhi_tokens_cn": state.hhi_tokens,
        "hhi_revenue_cn": herfindahl(revenue),
        "hhi_users_cn": herfindahl(people),
        "cr4_tokens_cn": largest(state.share_cn, 4),
        "top1_tokens_share_cn": largest(state.share_cn, 1),
        "share_turbulence_cn": state.share_turbulence,
        "revenue_labs_cn": row_sum(revenue),
        "consumer_surplus_cn": surplus * world.clock.months / p.price_sensitivity,
    }


def _apps(world: World) -> dict[str, Array]:
    apps, state, seen = world.apps, world.state, world.monthly
    alive = row_sum(apps.alive.astype(float))
    second = apps.alive & (apps.base_lab[1] >= 0)
    lives = lifecycle.survival(world)
    tuned = apps.alive & (apps.source == OPEN_MODEL)
    at_hub = tuned & take_rows(hubs(world), apps.base_lab[0]) & (apps.base_lab[0] >= 0)
    names = [name.removesuffix("_cn") for name in world.segments.names[:CN_SEGMENTS]]
    displaced = {f"engineers_displaced_{name}_cn": state.displaced[k] for k, name in enumerate(names)}
    return displaced | {
        "apps_alive_cn": alive,
        "app_entries_cn": seen.get("app_entries", 0.0),
        "app_deaths_cn": seen.get("app_deaths", 0.0),
        "app_deaths_absorbed_cn": seen.get("app_deaths_absorbed", 0.0),
        "app_deaths_insolvent_cn": seen.get("app_deaths_insolvent", 0.0),
        "app_deaths_outdated_cn": seen.get("app_deaths_outdated", 0.0),
        "app_deaths_single_modality_cn": seen.get("app_deaths_single", 0.0),
        "app_lifeline_median_months": _median_age(state.death_ages),
        "app_survival_median_months": lifecycle.median_life(lives),
        "app_survival_6_months_share": lives[:, 6:7],
        "app_api_cost_share_cn": ratio(row_sum(apps.api_cost) / world.clock.months, row_sum(apps.cost)),
        "app_multihoming_share_cn": ratio(row_sum(second.astype(float)), alive),
        "app_absorbed_share_cn": ratio(row_sum(where(apps.alive, apps.absorbed, 0.0)), alive),
        "app_on_api_share_cn": ratio(row_sum((apps.alive & (apps.source == API)).astype(float)), alive),
        "apps_public_cn": row_sum((apps.alive & needs_filing(world)).astype(float)),
        "apps_on_foreign_cn": row_sum(on_foreign(world).astype(float)),
        "apps_cut_off_cn": seen.get("apps_cut_off", 0.0),
        "apps_waiting_cn": row_sum((apps.alive & ~apps.filed & (apps.filing_since >= 0)).astype(float)),
        "app_users_share_cn": ratio(row_sum(apps.users), sum_k(state.adopters[:CN_SEGMENTS])),
        "app_switches_cn": seen.get("app_switches", 0.0),
        "app_tuned_at_hub_share_cn": ratio(row_sum(at_hub.astype(float)), row_sum(tuned.astype(float))),
        "app_incumbents_remade_cn": seen.get("incumbents_remade", 0.0),
        "app_incumbents_added_cn": seen.get("incumbents_added", 0.0),
        "app_incumbents_left_cn": seen.get("incumbents_left", 0.0),
        "revenue_apps_cn": row_sum(where(apps.alive, apps.revenue, 0.0)),
        "app_incumbents_lead_cn": _incumbents_lead(world),
        "apps_single_modality_cn": row_sum((apps.alive & (apps.modality != TEXT)).astype(float)),
        "staff_apps_cn": row_sum(apps.engineers + apps.tuners),
        "engineers_displaced_cn": sum_k(state.displaced),
    }


def _incumbents_lead(world: World) -> Array:
    """Revenue of a young app of a software firm with customers over that of a young newcomer (M40)."""
    apps = world.apps
    young = apps.alive & (apps.age <= world.parameters.measures.early_months)
    known, new = (_weighted(apps.revenue, (young & each).astype(float)) for each in (apps.incumbent, ~apps.incumbent))
    return where(new > 0.0, ratio(known, new), np.nan)


def _median_age(histogram: Array) -> Array:
    """Median age at death so far, months, from the histogram; NaN before the first death."""
    total = histogram.sum(-1, keepdims=True)
    below = np.cumsum(histogram, axis=-1)
    age = (below < 0.5 * total).sum(-1, keepdims=True) + 0.5
    return where(total > 0.0, age, np.nan)


def _money(world: World) -> dict[str, Array]:
    labs, state = world.labs, world.state
    cn = labs.alive & (labs.region == CN)
    return {
        "funding_cn": state.funding_cn,
        "hype": state.hype,
        "valuation_cn": row_sum(where(cn, labs.valuation, 0.0)),
        "cash_labs_cn": row_sum(where(cn, labs.cash, 0.0)),
        "cost_labs_cn": row_sum(where(cn, labs.cost, 0.0)),
        "sunk_value_lost_cn": world.monthly.get("sunk_value_lost", 0.0),
        "wage_infra": state.wages[CN][INFRA],
        "wage_scaling": state.wages[CN][SCALING],
        "wage_research": state.wages[CN][RESEARCH],
        "wage_application": state.wages[CN][APPLICATION],
        "staff_cn": row_sum(where(cn, sum_k(labs.staff), 0.0)),
        "staff_left_cn": world.monthly.get("staff_left", 0.0),
        "people_trained_cn": sum_k(state.trained_people[CN]),
        "pool_application_cn": state.pool[CN][APPLICATION],
        "public_spending_cn": -world.accounts.balance["government"],
        "accounts_residual": world.accounts.residual,
    }


def _capital(world: World) -> dict[str, Array]:
    """Rounds against launches, who pays and who looks up, what announcements are worth."""
    investors, state, seen, total = world.investors, world.state, world.monthly, world.totals
    cn = investors.alive & (investors.region == CN)
    put_in = {k: row_sum(where(cn & (investors.kind == k), investors.invested, 0.0)) for k in (YOUNG_VC, SENIOR_VC)}
    all_in = row_sum(where(cn, investors.invested, 0.0))
    raised = seen.get("rounds", world.xp.zeros((world.worlds, 1)))
    return {
        "funding_labs_cn": state.funding_labs_cn,
        "rounds_cn": raised,
        "launch_cost_cn": launch_cost(world),
        "benchmark_fit_cn": benchmark_fit(world),
        "rounds_adding_nothing_cn": seen.get("rounds_adding_nothing", 0.0),
        "rounds_below_launch_cn": seen.get("rounds_below_launch", 0.0),
        "funding_young_share_cn": ratio(put_in[YOUNG_VC], all_in),
        "funding_senior_share_cn": ratio(put_in[SENIOR_VC], all_in),
        "investor_attention_cn": hype.attention_of_investors(world),
        "announcements_cn": seen.get("announcements", 0.0),
        "announcement_gain_cn": seen.get("announcement_gain", 0.0),
        "labs_turned_to_apps_cn": seen.get("turned_to_apps", 0.0),
        "light_release_share_cn": ratio(total.get("light_releases", 0.0), total.get("releases", 0.0)),
    }


def _society(world: World) -> dict[str, Array]:
    state = world.state
    waiting = (world.labs.filing == PROVINCIAL) | (world.labs.filing == CENTRAL)
    return {
        "trust_cn": state.trust[CN],
        "incidents_cn": world.monthly.get("incidents", 0.0),
        "antitrust_fines_cn": world.monthly.get("antitrust_fines", 0.0),
        "suits_cn": world.monthly.get("suits", 0.0),
        "compliance_cost_cn": world.monthly.get("compliance_cost", 0.0),
        "queue_length": state.queue_length,
        "queue_labs": row_sum((waiting & world.labs.alive).astype(float)),
        "research_openness": state.research_openness,
    }
