"""Output columns on apps in China: number, survival, bases, and application engineers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import API, OPEN_MODEL, TEXT
from baimo.conf.declare import output
from baimo.world.apps import lifecycle
from baimo.world.apps.competition import needs_filing
from baimo.world.engine.arrays import Array, count_where, ratio, row_sum, sum_k, sum_where, take_rows, where
from baimo.world.models.tuning_hub import hubs
from baimo.world.record.outputs_models import weighted_mean
from baimo.world.regulation.compliance import on_foreign

if TYPE_CHECKING:
    from baimo.world.engine.world import World


@output("apps_alive_cn", "apps", "the number of apps alive in China", "Apps alive")
@output("app_entries_cn", "apps a step", "entries of apps in China", "Entries of apps")
@output("app_deaths_cn", "apps a step", "deaths of apps in China")
@output("app_deaths_absorbed_cn", "apps a step", "deaths of apps whose work a model can do alone")
@output("app_deaths_insolvent_cn", "apps a step", "deaths of apps without money")
@output("app_deaths_outdated_cn", "apps a step", "deaths of apps overtaken during rework")
@output("app_deaths_single_modality_cn", "apps a step", "deaths of apps in one modality; image or speech")
@output("app_switches_cn", "apps a step", "apps that leave a living base for another")
@output("app_incumbents_remade_cn", "firms a step", "software firms that remake their product")
@output("app_incumbents_added_cn", "firms a step", "software firms that add to their product")
@output("app_incumbents_left_cn", "firms a step", "software firms that stay out")
def turnover_of_apps(world: World) -> tuple:
    """Apps alive, entries and exits."""
    seen = world.monthly
    dead = (seen[f"app_deaths{why}"] for why in ("", "_absorbed", "_insolvent", "_outdated", "_single"))
    incumbents = (seen[f"incumbents_{answer}"] for answer in ("remade", "added", "left"))
    return count_where(world.apps.alive), seen["app_entries"], *dead, seen["app_switches"], *incumbents


@output(
    "app_survival_median_months",
    "months",
    "the median life of apps; first age that no more than half of all founded so far outlive, "
    "after Kaplan and Meier, null while more do",
    "Life of apps",
)
@output(
    "app_survival_6_months_share", "share", "the share of apps that live longer than six months; after Kaplan and Meier"
)
@output(
    "app_lifeline_median_months",
    "months",
    "the median age at death of apps; shorter than the median life, for it leaves out the living",
)
def app_lives(world: World) -> tuple:
    """Life spans of apps."""
    alive = lifecycle.survival(world)
    return lifecycle.median_survival(alive), alive[6], _median_age(world.state.death_ages)


def _median_age(histogram: Array) -> Array:
    """Median age at death so far, months, from the histogram; NaN before the first death."""
    total = histogram.sum(0)
    below = np.cumsum(histogram, axis=0)
    age = (below < 0.5 * total).sum(0) + 0.5
    return where(total > 0.0, age, np.nan)


@output("app_multihoming_share_cn", "share", "the share of apps with a second base")
@output("app_on_api_share_cn", "share", "the share of apps that call an API")
@output("app_tuned_at_hub_share_cn", "share", "the share of apps on tuned open models whose base is the model of a hub")
@output("hub_strength_cn", "1", "what the platform where open weights are tuned is worth; of a perfect one")
@output("app_absorbed_share_cn", "share", "the share of what apps add that models now do")
@output("apps_single_modality_cn", "apps", "apps in one modality; image or speech")
@output("apps_public_cn", "apps", "apps that must be filed; no wrapper, licensed segment")
@output("apps_waiting_cn", "apps", "apps that wait for their filing")
@output("apps_on_foreign_cn", "apps", "apps that call foreign models")
@output("apps_cut_off_cn", "apps a step", "apps that the rule on data across the border cut off")
def bases(world: World) -> tuple:
    """Bases of apps, and their filings."""
    apps = world.apps
    alive = count_where(apps.alive)
    tuned = apps.alive & (apps.source == OPEN_MODEL)
    at_hub = tuned & take_rows(hubs(world), apps.base_lab[0]) & (apps.base_lab[0] >= 0)
    return (
        ratio(count_where(apps.alive & (apps.base_lab[1] >= 0)), alive),
        ratio(count_where(apps.alive & (apps.source == API)), alive),
        ratio(count_where(at_hub), count_where(tuned)),
        world.state.hub_strength,
        ratio(sum_where(apps.alive, apps.absorbed), alive),
        count_where(apps.alive & (apps.modality != TEXT)),
        count_where(apps.alive & needs_filing(world)),
        count_where(apps.alive & ~apps.filed & (apps.filing_since >= 0)),
        count_where(on_foreign(world)),
        world.monthly["apps_cut_off"],
    )


@output("app_users_share_cn", "share", "the share of adopters who use a model through an app")
@output("revenue_apps_cn", "CNY million a month", "the revenue of apps in China", "Revenue, apps", log=True)
@output("app_api_cost_share_cn", "share", "the share of costs of apps that is paid for tokens")
@output(
    "app_incumbents_lead_cn",
    "times",
    "what a young app of a software firm with customers earns, over what a young newcomer does",
)
@output(
    "app_incumbents_profit_lead_cn",
    "share",
    "the share of young apps of software firms with customers that earn a profit, less that of young newcomers",
)
@output("app_retraining_cost_cn", "CNY million a month", "what apps pay to rework for another base, but for time")
@output("staff_apps_cn", "people", "people who work in apps")
@output("engineers_displaced_cn", "people", "engineers who tuned models in apps that now buy; cumulative")
@output("engineers_displaced_labs_cn", "people", "engineers of labs whose projects models made needless; cumulative")
@output(
    "engineers_displaced_<segment>_cn",
    "people",
    "engineers who tuned models in apps that now buy, by segment; cumulative",
)
def work(world: World) -> tuple:
    """Users, money and people of apps."""
    apps, state = world.apps, world.state
    return (
        ratio(row_sum(apps.users), sum_k(state.adopters[world.segments.cn])),
        sum_where(apps.alive, apps.revenue),
        ratio(row_sum(apps.api_cost) / world.clock.months, row_sum(apps.cost)),
        *_incumbents_lead(world),
        world.monthly["app_retraining"],
        row_sum(apps.engineers + apps.tuners),
        *(sum_k(state.displaced), state.displaced_by_labs, state.displaced),
    )


def _incumbents_lead(world: World) -> tuple[Array, Array]:
    """Young apps of software firms with customers against newcomers: ratio of revenue, lead in profit (M40)."""
    apps = world.apps
    young = apps.alive & (apps.age > 0.0) & (apps.age <= world.parameters.measures.early_months)
    kinds = young & apps.incumbent, young & ~apps.incumbent
    revenue, earning = (
        [where(count_where(each) > 0.0, weighted_mean(values, each + 0.0), np.nan) for each in kinds]
        for values in (apps.revenue, (apps.revenue > apps.cost) + 0.0)
    )
    times = where(revenue[1] > 0.0, revenue[0] / np.maximum(revenue[1], 1e-12), np.nan)
    return times, earning[0] - earning[1]
