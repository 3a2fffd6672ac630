"""Mechanisms of apps: each shows in a named output, and what it shows is gone when it is off."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from baimo.agents.app import GenerationSignals
from baimo.agents.enums import API, HUB, NO_MODEL, PLATFORM_APP, TEXT
from baimo.world.apps import competition
from baimo.world.apps.competition import pay_staff
from baimo.world.ensemble import Ensemble
from baimo.world.models.tuning_hub import hubs, run_hub, stays, to_tune, tuned_there
from tests.paired_runs import SEEN_IN_APPS, STEPS, by_world, effect, exactly_zero, market, table, together

#: All panels of all worlds.
FULL = ("output.level=full",)
LATE = (12, STEPS)

together(FULL, *((*FULL, f"mechanisms.{name}=false") for name in SEEN_IN_APPS))
together("app_market.buy_privacy=0", "hub.platform=0")
together((*FULL, "mechanisms.remake_or_add=false", "mechanisms.incumbents=false"))
together(
    "app_market.retraining=5",
    "app_market.share_incumbent=0.6",
    ("app_market.share_incumbent=0.6", "mechanisms.incumbents=false"),
    ("mechanisms.absorption=false", "mechanisms.multimodal_shock=false"),
)


def apps(*overrides: str) -> pl.DataFrame:
    """The panel of apps of all worlds."""
    return table("apps", *FULL, *overrides)


def lives(panel: pl.DataFrame) -> pl.DataFrame:
    """One row an app: what it was when founded, its age at the end and whether it lives."""
    born = ("aim_class", "product", "modality", "answer", "incumbent", "segment", "coupling", "eye", "brain", "hand")
    last = ("age", "alive", "exit_reason")
    return panel.group_by("replicate", "app_id").agg(pl.first(*born), pl.last(*last))


def survival(apps_once: pl.DataFrame) -> np.ndarray:
    """Kaplan-Meier: share that lives longer than 0, 1, 2, ... months."""
    age, dead = apps_once["age"].to_numpy(), ~apps_once["alive"].to_numpy()
    at_risk = np.array([(age >= month).sum() for month in range(STEPS + 1)])
    deaths = np.array([((age == month) & dead).sum() for month in range(STEPS + 1)])
    return np.cumprod(1.0 - deaths / np.maximum(at_risk, 1))


def median_life(apps_once: pl.DataFrame) -> float:
    """First age in months that no more than half outlive."""
    share = survival(apps_once)
    return float(np.argmax(share <= 0.5)) if (share <= 0.5).any() else np.inf


def test_M15_models_take_the_place_of_apps():
    off = "mechanisms.absorption=false"
    assert effect("app_deaths_absorbed_cn", off, window=LATE).z > 15.0
    lived = effect("app_survival_6_months_share", off, window=LATE)
    assert lived.z < -10.0
    assert lived.ratio < 0.75
    # The model as the only app: more of the users do without.
    assert effect("app_users_share_cn", off, window=LATE).z < -6.0
    # What is absorbed without it are single-modality firms alone (M25).
    without = market(off)
    assert (without["app_deaths_absorbed_cn"] <= without["app_deaths_single_modality_cn"]).all()
    none_at_all = market(off, "mechanisms.multimodal_shock=false")
    assert none_at_all["app_deaths_absorbed_cn"].sum() == 0.0
    assert none_at_all["app_absorbed_share_cn"].sum() == 0.0


def test_M15_an_app_is_absorbed_as_the_models_learn_what_it_adds():
    apps = Ensemble(["output.level=market"], range(2)).run(6).world.apps
    text, lost = apps.alive & (apps.modality == TEXT), []
    for learned in (-9.0, 0.0, 9.0):
        seen = {"base_model": apps.base_model, "native": apps.threshold + learned, "multimodal": 0.0, "months": 1.0}
        apps.adapt(GenerationSignals(**seen))
        lost.append(apps.absorbed[text])
    assert lost[0].max() < 0.01 and np.allclose(lost[1], 0.5) and lost[2].min() > 0.99


def test_M25_multimodal_models_destroy_single_modality_firms():
    off = "mechanisms.multimodal_shock=false"
    # The first models that see come in 2024; two years later few of those firms are left.
    alive = effect("apps_single_modality_cn", off)
    assert alive.z < -8.0
    assert alive.ratio < 0.5
    assert abs(effect("apps_single_modality_cn", off, window=(0, 10)).mean) < 1.0
    panel = apps()
    single, others = (panel.filter((pl.col("modality") == "text") == text) for text in (False, True))
    lost = [by_world(part.filter(pl.col("alive")), "body_lost", (24, STEPS)).mean() for part in (single, others)]
    assert lost[0] > 0.25
    assert lost[1] == 0.0


def test_M25_comes_with_the_date_of_multimodality():
    """A few months after the date about twice as many die as without; then few are left to die."""
    early, off = "policy.technology.multimodal=2023-03-01", "mechanisms.multimodal_shock=false"
    deaths = effect("app_deaths_single_modality_cn", "policy.technology.multimodal=null", base=(early,), window=(6, 10))
    assert deaths.z > 4.5
    assert deaths.ratio > 1.7
    firms = effect("apps_single_modality_cn", "policy.technology.multimodal=null", base=(early,), window=(10, 16))
    assert firms.ratio < 0.75
    # Without the mechanism the date says nothing.
    assert market(early, off).equals(market(off))


def test_M25_rework_for_another_base_costs_money_most_where_the_model_is_ones_own():
    world = Ensemble(["output.level=market"], range(2)).run(8).world
    apps, rules, costs = world.apps, world.parameters.app_market, []
    for left in (0.0, 0.5, 5.0):
        apps.rework = left + 0.0 * apps.cash
        pay_staff(world)
        costs.append(apps.cost)
    own, bought = apps.alive & (apps.source != API), apps.alive & (apps.source == API)
    for work, cost in ((0.5, costs[1]), (1.0, costs[2])):  # a month does no more than a month's work
        more = cost - costs[0]
        np.testing.assert_allclose(more[own], rules.retraining * work)
        np.testing.assert_allclose(more[bought], rules.retraining * rules.retraining_bought * work)
    assert own.any() and bought.any()
    # Most pay something, sooner or later, and more of them run out of money.
    paid = effect("app_retraining_cost_cn", "mechanisms.multimodal_shock=false", window=LATE)
    assert paid.with_.min() > 0.5
    assert np.all(paid.without == 0.0)
    dear = effect("app_deaths_insolvent_cn", "app_market.retraining=5", window=(0, 12))
    assert dear.z < -8.0


def test_M27_coupling_to_one_base_hurts_at_the_next_generation():
    off = "mechanisms.rework=false"
    outdated = effect("app_deaths_outdated_cn", off, window=LATE, base=FULL)
    assert outdated.z > 8.0
    assert (outdated.without == 0.0).all()
    panel = apps()
    assert panel.filter(pl.col("exit_reason") == "outdated")["coupling"].min() == panel["coupling"].max()
    in_work = panel.filter(pl.col("alive")).group_by("coupling").agg(pl.col("rework").mean()).sort("coupling")
    assert in_work["rework"][-1] > 3.0 * in_work["rework"][0]
    free = apps(off).filter(pl.col("age") > 12)
    assert free["rework"].max() <= 1.5, "only a new product after a pivot is still work"


def test_M29_lifelines_of_three_six_twelve_months_or_long():
    once = lives(apps())
    by_aim = {aim: median_life(once.filter(pl.col("aim_class") == aim)) for aim in ("poor", "deep", "fair", "good")}
    assert 3.0 <= by_aim["poor"] <= 5.0, by_aim
    assert 5.0 <= by_aim["deep"] <= 8.0, by_aim
    assert 8.0 <= by_aim["fair"] <= 14.0, by_aim
    assert by_aim["good"] >= 16.0, by_aim
    # Being a platform is no life insurance.
    by_product = {kind: median_life(once.filter(pl.col("product") == kind)) for kind in ("wrapper", "platform")}
    assert abs(by_product["platform"] - by_product["wrapper"]) <= 2.0, by_product
    off = "mechanisms.lifelines=false"
    assert effect("app_survival_6_months_share", off, window=LATE, base=FULL).z < -15.0
    far = lives(apps(off))
    assert far["aim_class"].unique().to_list() == ["good"]
    # They crowd each other, so that all of them live a little less long than the few do.
    assert median_life(far) > 12.0
    assert median_life(far) > 1.8 * median_life(once)


def test_M29_a_platform_makes_apps_known_and_keeps_a_part_of_what_they_earn():
    world = Ensemble(["output.level=market"], (0,)).run(12).world
    population, app_market = world.apps, world.parameters.app_market
    seen, platform = competition.seen_on_platforms(world), population.product == PLATFORM_APP
    young = population.alive & ~platform & (population.age < 3.0) & (seen > 0.0)
    assert young.sum() > 10 and (seen[platform] == 0.0).all()
    pulls = []
    for app_market.listing in (0.0, 2.0):
        pulls.append(competition.pull_of(world, competition.added_by(world)))
    assert (pulls[1][young] >= pulls[0][young]).all() and pulls[1][young].sum() > 1.02 * pulls[0][young].sum()
    np.testing.assert_array_equal(pulls[1][platform], pulls[0][platform])
    income = np.where(population.alive, 1.0, 0.0)
    gets = competition._commission(world, income)
    assert gets.sum() == pytest.approx(0.0, abs=1e-9)
    assert (gets[platform & (population.users > 0.0)] > 0.0).all()
    np.testing.assert_allclose(gets[young], -app_market.commission * seen[young])


def test_M29_the_market_table_says_how_long_apps_live():
    """The column is the Kaplan-Meier median of the panel, not the median over the dead."""
    once, table = lives(apps()), market(*FULL).filter(pl.col("step") == STEPS - 1)
    for world, median, half_year in table.select(
        "replicate", "app_survival_median_months", "app_survival_6_months_share"
    ).iter_rows():
        here = once.filter(pl.col("replicate") == world)
        assert median == median_life(here)
        assert half_year == pytest.approx(survival(here)[6])
    assert (table["app_survival_median_months"] > table["app_lifeline_median_months"]).mean() > 0.5


def test_M30_eyes_and_hands_are_not_absorbed_with_the_brain():
    off = "mechanisms.eye_brain_hand=false"
    assert effect("app_deaths_absorbed_cn", off, window=LATE, base=FULL).z < -10.0
    assert effect("apps_alive_cn", off, base=FULL).z > 10.0

    def half_year(*overrides):
        once = lives(apps(*overrides)).filter(pl.col("modality") == "text")
        acts = pl.col("eye") + pl.col("hand") > 0.25
        return [survival(once.filter(which))[6] for which in (acts, ~acts)]

    body, brain = half_year()
    assert body > brain + 0.3
    body, brain = half_year(off)
    assert abs(body - brain) < 0.06


def test_M40_software_firms_with_customers_profit_early():
    plain = "mechanisms.remake_or_add=false"  # all incumbents add to what they have

    def compare(*overrides):
        panel = apps(plain, *overrides)
        young = panel.filter(pl.col("alive"), pl.col("age").is_between(1, 3))
        young = young.group_by("incumbent").agg((pl.col("revenue") > pl.col("cost")).mean())
        once = lives(panel)
        year = [survival(once.filter(pl.col("incumbent") == each))[12] for each in (False, True)]
        return np.array(young.sort("incumbent")["revenue"]), np.array(year)

    profit, year = compare()
    assert profit[1] > profit[0] + 0.1, "share that earns more than it costs"
    assert year[1] > year[0] + 0.05
    profit, year = compare("mechanisms.incumbents=false")
    assert profit[1] < profit[0] + 0.03
    assert year[1] == pytest.approx(year[0], abs=0.03)


def test_M40_the_lead_of_incumbents_shows_in_the_market_and_carries_apps_where_they_are_many():
    off = "mechanisms.incumbents=false"
    lead = effect("app_incumbents_profit_lead_cn", off)
    assert lead.with_.mean() > 0.1
    assert lead.without.mean() < 0.03
    assert lead.z > 10.0
    many = ("app_market.share_incumbent=0.6",)
    assert effect("app_deaths_insolvent_cn", off, base=many).ratio < 0.7
    longer = effect("app_survival_6_months_share", off, base=many)
    assert longer.z > 6.0
    assert longer.mean > effect("app_survival_6_months_share", off).mean


def test_M44_engineers_who_tune_are_displaced_as_models_are_bought():
    off = "mechanisms.displacement=false"
    displaced = effect("engineers_displaced_cn", off)
    assert displaced.with_.min() > 100.0
    assert (displaced.without == 0.0).all()
    bought = effect("app_on_api_share_cn", off)
    assert bought.z > 20.0
    assert bought.mean > 0.08
    # They go where the general model is good enough first; nobody yet where it is not.
    table = market()
    parts = [name for name in table.columns if name.startswith("engineers_displaced_") and name.count("_") > 2]
    parts.remove("engineers_displaced_labs_cn")
    assert len(parts) == 12
    assert np.allclose(table.select(parts).sum_horizontal(), table["engineers_displaced_cn"])
    first = {name: by_world(table, name, (14, 20)).mean() for name in parts}
    assert first["engineers_displaced_chat_cn"] > 5.0 * first["engineers_displaced_verticals_cn"]
    assert first["engineers_displaced_agents_cn"] == 0.0
    panel = apps()
    assert panel.filter(pl.col("source") == "api", pl.col("alive"))["tuners"].max() == 0.0


def test_M44_labs_lose_the_projects_that_a_general_model_makes_needless():
    off = "mechanisms.displacement=false"
    freed = effect("engineers_displaced_labs_cn", off)
    assert freed.with_.min() > 100.0
    assert (freed.without == 0.0).all()
    assert effect("revenue_projects_cn", off).z < -6.0
    assert effect("pool_application_cn", off).z > 5.0, "they look for work"


def test_M44_where_data_may_not_leave_people_are_needed_longer():
    """Fewer are displaced; in government clearly in the second year, less so in the third."""
    alike = "app_market.buy_privacy=0"
    cases = (("labs", LATE, -7.0, 0.85), ("finance", LATE, -3.0, 0.5), ("government", (12, 24), -2.5, 0.5))
    for name, window, bound, most in cases:
        spared = effect(f"engineers_displaced_{name}_cn", alike, window=window)
        assert spared.z < bound, name
        assert spared.ratio < most, name
    assert effect("engineers_displaced_chat_cn", alike).ratio == pytest.approx(1.0, abs=0.03), "nothing to hide there"


def test_M54_incumbents_remake_add_or_leave():
    off = "mechanisms.remake_or_add=false"
    for name in ("app_incumbents_remade_cn", "app_incumbents_left_cn"):
        chosen = effect(name, off, window=LATE, base=FULL)
        assert chosen.z > 10.0, name
        assert (chosen.without == 0.0).all(), name
    assert effect("app_incumbents_added_cn", off, window=LATE, base=FULL).z < -10.0
    panel = apps().filter(pl.col("alive"))
    young, old = (
        dict(panel.filter(age).group_by("answer").agg(pl.col("revenue").mean()).iter_rows())
        for age in (pl.col("age") <= 3, pl.col("age") > 12)
    )
    # Who adds keeps customers and earns at once; who remakes earns later, and after a year more.
    assert young["remake"] < 0.3 * young["add"]
    assert old["remake"] > 1.25 * old["add"]
    value = panel.group_by("answer").agg((pl.col("eye") + pl.col("brain") + pl.col("hand")).mean().alias("added"))
    added = dict(value.iter_rows())
    assert added["remake"] > 1.3 * added["add"]
    # What the old tools do well is not remade.
    once = lives(apps()).filter(pl.col("incumbent"))
    share = dict(once.group_by("segment").agg((pl.col("answer") == "remake").mean()).iter_rows())
    assert share["chat_cn"] > 2.0 * share["verticals_cn"]


def test_M68_the_hub_holds_those_who_tune():
    held = effect("app_tuned_at_hub_share_cn", "mechanisms.tuning_hub=false", window=LATE)
    assert held.z > 5.0
    assert held.mean > 0.03


def test_M68_a_platform_is_worth_what_those_who_tune_there_make_it_and_earns_by_them():
    off = "mechanisms.tuning_hub=false"
    assert exactly_zero("hub_strength_cn", off)
    assert (by_world(market(), "hub_strength_cn", LATE) > 0.1).all()
    # It lists everybody's weights, so that owners hold fewer by hubs of their own: in the first two years.
    owners = effect("app_tuned_at_hub_share_cn", "hub.platform=0", window=(0, 24))
    assert owners.z < -4.0
    world = Ensemble(["output.level=market"], range(2)).run(12).world
    vendors, apps = world.vendors, world.apps
    hub = vendors.alive & (vendors.kind == HUB)
    assert (hub.sum(-1) == 1).all()
    paid, received = world.accounts.flows["hub fees"]
    due = world.parameters.hub.fee * world.clock.years * tuned_there(world).sum(-1, keepdims=True)
    assert (received > 0.0).all() and (received <= paid).all()
    assert (received > 0.5 * due).all() and (received < 2.0 * due).all(), "so much of each who tunes there"
    before = world.state.hub_strength
    apps.source = np.full_like(apps.source, API)
    run_hub(world)
    assert (world.state.hub_strength == 0.0).all() and (before > 0.0).all(), (
        "a hub on which nobody tunes is worth nothing"
    )


def test_M68_who_deployed_privately_at_a_hub_stays_there():
    world = Ensemble(["output.level=market"], (0,)).run(12).world
    labs, private = world.labs, world.segments.column("privacy") > 0.0
    held = stays(world, 1.0)
    inside = private & (labs.users > 0.0)
    closed = labs.alive & (labs.open_weights[0] <= NO_MODEL)
    assert (held[inside & hubs(world)] > 0.0).all()
    assert (held[np.broadcast_to(closed, held.shape)] == 0.0).all()
    assert (held <= labs.users).all()
    others = inside & to_tune(world) & ~hubs(world)
    world.state.hub_strength = 0.5 * world.state.hub_strength
    assert others.any()
    assert (stays(world, 1.0)[others] < held[others]).all(), "a weaker platform holds fewer on weights of other authors"


def test_M68_open_licences_are_broken():
    """What returns to those who opened their weights is less by a share."""
    for window in ((0, 12), LATE):
        returned = effect("open_income", "mechanisms.tuning_hub=false", window=window)
        assert returned.z < -3.9
        assert 0.3 < returned.ratio < 0.7


def test_closures_of_apps_are_events_in_the_worlds_whose_panels_are_kept():
    events = table("events", *FULL).filter(pl.col("kind") == "app exit")
    assert events.height == market(*FULL)["app_deaths_cn"].sum()
    reasons = apps().filter(~pl.col("alive"))["exit_reason"].value_counts().sort("exit_reason")
    assert events["detail"].value_counts().sort("detail")["count"].equals(reasons["count"])
    assert table("events").filter(pl.col("kind") == "app exit").is_empty()
