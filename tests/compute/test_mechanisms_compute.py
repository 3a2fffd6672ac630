"""Mechanisms of compute: what each adds, in a named output column, and that it is gone when off."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from baimo.agents.enums import BUILDERS as BUILDER_KINDS
from baimo.agents.enums import PLATFORM, ROW
from baimo.agents.lab.compute import PortingSignals
from baimo.agents.vendor import OfferSignals
from baimo.world.compute.chip_supply import _mature, _see_returns, fab_growth, following, software_maturity
from baimo.world.compute.clouds import _compute_for_equity
from baimo.world.compute.platform import develop
from baimo.world.compute.rental_market import seen_by_tenants
from baimo.world.ensemble import Ensemble
from baimo.world.technology.training import cluster, update_skill
from tests.paired_runs import by_world, effect, market, together

FREE = "policy/embargo=none"
#: Sparse cards can be had.
SPARSE = ("chip_market.sparse_supply=50",)
DENSE, ALIKE = "mechanisms.sparse_accelerators=false", "chip_market.substitution=0"
BUILDERS = {name: f"policy/compute=platform_{name}" for name in ("private", "state", "operator")}
OWN_PACES = ("pace.commerce=36", "pace.shut_out=0", "pace.late=0", "pace.pull=0")

together(SPARSE, (*SPARSE, DENSE), (*SPARSE, ALIKE), (*SPARSE, ALIKE, DENSE), (ALIKE, "mechanisms.codesign=false"))
together(FREE, (FREE, ALIKE), (FREE, "mechanisms.codesign=false"))
together(ALIKE, "chip_market.ecosystem=0")
together(BUILDERS["operator"], (BUILDERS["operator"], "mechanisms.platform=false"))
together(BUILDERS["private"], (BUILDERS["private"], "platform.rivalry=0"))
together("chip_market.codesign_return=0", "pace.short_returns=0", "pace.pull=0")
together(OWN_PACES, (*OWN_PACES, "mechanisms.pace_layers=false"))


def mean(column, *overrides, window=(24, 36)):
    """Mean of a column over worlds and a window."""
    return float(by_world(market(*overrides), column, window).mean())


# ---------------------------------------------------------------------- M07


def test_M07_without_the_embargo_the_supply_of_chips_converges_on_one_maker():
    disperses = effect("hhi_chips_cn", FREE)
    assert disperses.z < -10
    assert disperses.ratio < 0.9


def test_M07_elsewhere_both_layers_converge():
    """Few labs hold the compute, one serves most tokens, and one maker has the chips; in CN both stay apart.

    Others live on beside them: the number of labs does not fall.
    """
    for home in ("row", "cn"):
        assert mean(f"hhi_compute_{home}") > 1.35 * mean(f"hhi_compute_{home}", window=(0, 6)), home
    assert mean("hhi_compute_row") > 1.35 * mean("hhi_compute_cn")
    assert mean("hhi_chips_row") > mean("hhi_chips_cn") + 0.15
    assert mean("top1_tokens_share_row") > 1.35 * mean("top1_tokens_share_row", window=(0, 6))
    # The chips do so because buyers take what most use.
    alone = "chip_market.ecosystem=0"
    for column in ("hhi_chips_row", "hhi_chips_cn"):
        assert effect(column, alone, window=(12, 24)).z > 5, column
    assert effect("hhi_chips_cn", "mechanisms.dispersion=false").z < -10, "a ban outweighs it"


def test_M07_chips_are_worth_more_the_more_of_their_maker_are_in_use():
    world = Ensemble(["output.level=market"], (0,)).run(6).world
    chips, chip_market, stock = world.chips, world.parameters.chip_market, world.state.outside_chips
    amd, nvidia = (chips.names.index(name) for name in ("MI300X", "H100"))
    worth = []
    for stock[ROW, amd] in (0.0, 1e5, 1e7):
        worth.append(following(world, ROW)[[amd, nvidia], 0, 0])
    (few, first), (some, still), (many, second) = worth
    assert few < some < many == first == still == 1.0 > second
    chip_market.ecosystem = 0.0
    assert (following(world, ROW) == 1.0).all()


def test_M07_buyers_who_do_not_turn_to_substitutes_leave_the_supply_as_concentrated_as_without_a_ban():
    assert mean("h100e_cn_grey", ALIKE) == 0.0
    assert mean("hhi_chips_cn", ALIKE) > mean("hhi_chips_cn") + 0.08
    # More, as a ban leaves one foreign maker of two.
    assert mean("hhi_chips_cn", FREE) < mean("hhi_chips_cn", ALIKE) < mean("hhi_chips_cn", FREE) + 0.1
    # Domestic chips are bought on their merits, as they are where nothing is barred.
    assert mean("h100e_cn_domestic", ALIKE) < 0.6 * mean("h100e_cn_domestic")
    assert mean("h100e_cn_domestic", ALIKE) == pytest.approx(mean("h100e_cn_domestic", FREE), rel=0.2)


def test_M07_substitution_says_nothing_where_nothing_is_barred():
    assert market(FREE).equals(market(FREE, ALIKE), null_equal=True)


def test_M07_leaves_domestic_software_and_sparse_cards_to_their_own_switches():
    assert effect("domestic_maturity", "mechanisms.codesign=false", base=(ALIKE,)).mean > 0.15
    assert effect("serving_chips_cn_h100", "mechanisms.sparse_accelerators=false", base=(*SPARSE, ALIKE)).z > 8


# ---------------------------------------------------------------------- M17


def test_M17_an_operator_builds_more_of_a_platform_than_either_a_private_firm_or_the_state():
    """000: private firms lack resources and permits, the state skill; complements, so both fall short."""
    strength = {name: mean("platform_strength", override) for name, override in BUILDERS.items()}
    assert strength["operator"] > 1.5 * strength["private"] > 0.0
    assert strength["operator"] > 1.5 * strength["state"] > 0.0
    # For a tenth of the money the private firm alone does hardly anything.
    assert mean("platform_strength") < 0.2 * strength["private"]


def test_M17_the_platform_brings_domestic_software_and_idle_centres_into_use():
    built = (BUILDERS["operator"],)
    for column in ("domestic_maturity", "utilisation_cn"):
        assert effect(column, "mechanisms.platform=false", base=built).z > 3.5, column


def test_M17_a_platform_unifies_mixed_fleets_schedules_centres_and_ripens_software():
    world = Ensemble(["output.level=market"], (0,)).run(6).world
    state, done = world.state, []
    world.labs.on_platform = world.labs.alive
    for strength in (0.0, 1.0):
        state.platform_strength = state.platform_built = np.full((1, 1), strength)
        before = state.domestic_software
        world.vendors.offer_compute(OfferSignals(maturity=software_maturity(world), platform=state.platform_strength))
        speed, offered = cluster(world, world.labs.rented_training)[0].sum(), world.vendors.offered_share.sum()
        _mature(world)
        done.append((speed, offered, (state.domestic_software - before).sum()))
        state.domestic_software = before
    assert all(with_ > without for without, with_ in zip(*done, strict=True))


def test_M17_a_builder_spends_where_members_would_pay_and_more_so_who_is_neutral():
    """What each kind of builder decides, with compute as dear as many times today's rent."""

    def decided(dearer: float, **changes: float) -> dict[str, float]:
        world = Ensemble(["output.level=market"], (0,)).run(24).world
        world.state.rent_training = world.state.rent_training * dearer
        for name, traits in world.config.builders.items():
            world.config.builders[name] = {**traits, **changes}
        develop(world)
        kinds, budget = world.vendors.builder[0], world.vendors.platform_budget[0]
        builds = world.vendors.alive[0] & (world.vendors.kind[0] == PLATFORM)
        return {name: budget[builds & (kinds == code)].item() for code, name in enumerate(BUILDER_KINDS)}

    today, dear, dearest = (decided(times) for times in (0.1, 2.0, 2.5))
    assert not any(today.values()), "nobody builds for nothing"
    assert 0.0 < dear["operator"] < dearest["operator"]
    assert dear["private"] == dear["state"] == 0.0, "who lacks permits or skill needs more to begin"
    partial = decided(2.0, neutrality=0.5)["operator"]
    assert partial < decided(2.0, neutrality=1.0)["operator"], "rivals will not pay for it"


def test_M17_rivals_shun_a_platform_whose_builder_is_not_neutral():
    """In every world a private platform is weaker for it; by how much differs widely."""
    loved = ("platform.rivalry=0",)
    shunned = effect("platform_strength", loved, base=(BUILDERS["private"],), window=(12, 24))
    assert (shunned.with_ < shunned.without).all()
    assert shunned.ratio < 0.97
    later = effect("platform_strength", loved, base=(BUILDERS["private"],))
    assert (later.with_ < later.without).all()
    assert later.ratio < 0.95


def test_M17_members_pay_the_builder():
    world = Ensemble(["output.level=market", BUILDERS["operator"]], (0,)).run(36).world
    world.accounts.open()
    develop(world)
    paid, received = world.accounts.flows["platform fees"]
    assert paid.sum() == pytest.approx(received.sum()) and paid.sum() > 0.0


def test_M17_without_the_mechanism_no_builder_makes_a_platform():
    off = "mechanisms.platform=false"
    assert mean("platform_strength", off, BUILDERS["operator"]) == 0.0
    # The operator is paid, and that is all.
    money = ("public_spending_cn", "accounts_residual")
    nobody, operator = (market(off, *which).drop(*money) for which in ((), (BUILDERS["operator"],)))
    assert operator.equals(nobody)


def test_M17_a_platform_without_money_falls_behind():
    ends = ("policy.compute.until=2024-12-01",)
    funded = by_world(market(BUILDERS["operator"]), "platform_strength", (34, 36))
    starved = by_world(market(BUILDERS["operator"], *ends), "platform_strength", (34, 36))
    assert starved.mean() < 0.8 * funded.mean()


# ---------------------------------------------------------------------- M18


def test_M18_filing_at_the_pace_of_governance_kills_apps_that_live_at_the_pace_of_fashion():
    lost = effect("apps_public_cn", "mechanisms.pace_layers=false")
    assert lost.z < -6
    assert 0.8 < lost.ratio < 0.99


def test_M18_quarterly_returns_asked_of_fabs_cost_domestic_chips():
    lost = effect("h100e_cn_domestic", "pace.short_returns=0")
    assert lost.z < -6
    assert 0.8 < lost.ratio < 0.995


def test_M18_orders_pull_fabs_which_see_returns_at_their_own_pace():
    assert effect("h100e_cn_domestic", "pace.pull=0").z > 6, "orders exceed what is made in the first years"
    world = Ensemble(["output.level=market"], (0,)).run(6).world
    vendors, state, pace = world.vendors, world.state, world.parameters.pace

    def grows(orders: float, months: float = 36.0, pull: float = 1.0) -> float:
        """Growth of die starts after a year in which orders were so many times output."""
        vendors.backlog, state.fab_returns = np.full_like(vendors.backlog, orders), np.zeros((1, 1))
        pace.infrastructure, pace.pull = months, pull
        for _ in range(12):
            _see_returns(world)
        pace.infrastructure = 36.0
        return float(np.squeeze(fab_growth(world)))

    own = grows(1.0)
    assert grows(0.5) < own < grows(2.0) < grows(2.0, months=6.0), "upper layers pull, lower ones are slow"
    assert grows(0.5, months=6.0) < grows(0.5)
    assert grows(0.5, pull=0.0) == grows(2.0, pull=0.0) == own


def test_M18_each_layer_at_its_own_pace_costs_nothing():
    """No waiting, no cost: where nothing need be filed, apps do not differ; nor fabs led at their own pace."""
    paces = ("pace.shut_out=0", "pace.late=0")
    open_market = ("policy/licensing=none",)
    assert effect("apps_public_cn", paces, base=open_market).mean == 0.0
    assert effect("h100e_cn_domestic", "mechanisms.pace_layers=false", base=OWN_PACES).mean == 0.0


def test_M18_authorities_act_in_session():
    """With half-yearly sessions files wait longer, and filings come in batches."""
    rare = ("pace.governance=6",)
    assert effect("queue_length", rare).z < -4
    filed = market(*rare).sort("replicate", "step")
    new = filed.with_columns(new=pl.col("models_filed_cn").diff().over("replicate")).filter(pl.col("new") > 0)
    assert set(new["step"].unique()) <= {5, 11, 17, 23, 29, 35}


# ---------------------------------------------------------------------- M32


def test_M32_shortage_keeps_rents_and_prices_up():
    plenty = "mechanisms.gpu_shortage=false"
    early = (6, 18)
    rent = effect("price_h100_rent_usd_hour", plenty, window=early)
    assert rent.z > 10
    assert rent.ratio > 1.4
    assert effect("price_h100_list_usd", plenty).ratio > 1.2
    assert effect("h100e_row", plenty).ratio < 0.7


def test_M32_with_plenty_nobody_pays_a_street_premium():
    plenty = "mechanisms.gpu_shortage=false"
    assert mean("price_h100_rent_usd_hour", plenty) < 1.5


# ---------------------------------------------------------------------- M35


def test_M35_where_sparse_cards_can_be_had_they_serve_more_for_less_power():
    off = "mechanisms.sparse_accelerators=false"
    serves = effect("serving_chips_cn_h100", off, base=SPARSE)
    power = effect("power_cn_mw", off, base=SPARSE)
    assert serves.z > 8
    assert serves.ratio > 1.03
    assert power.z < -8


def test_M35_a_dense_card_is_hardly_bought():
    """Without sparsity far more of them are left, however many could be made."""
    bought = effect("h100e_cn_sparse_card", "mechanisms.sparse_accelerators=false", base=SPARSE)
    assert bought.ratio > 1.3


# ---------------------------------------------------------------------- M43


def test_M43_clouds_give_compute_for_equity_and_seed_apps():
    off = "mechanisms.cloud_ecosystem=false"
    for column in ("compute_for_equity_cn", "cloud_seeds_cn"):
        assert mean(column) > 10.0, column
        assert mean(column, off) == 0.0, column
    # What clouds give is credit, which is spent on rent.
    world = Ensemble(["output.level=market"], range(2)).run(12).world
    labs, credit = world.labs, world.labs.compute_credit
    world.accounts.open()
    _compute_for_equity(world)
    given = world.accounts.flows["compute for equity"][1]
    assert (given > 0.0).all()
    np.testing.assert_allclose((labs.compute_credit - credit).sum(-1, keepdims=True), given)
    wanted = []
    for labs.compute_credit in (credit, 1e6 + credit):
        labs.rent_compute(seen_by_tenants(world))
        wanted.append(labs.rent_wanted.sum(-1))
    assert (wanted[1] > wanted[0]).all()
    fallen = effect("labs_insolvent_cn", off)
    assert fallen.z < -4 and fallen.ratio < 0.3, "credit saves cash, so that few labs go broke in the third year"
    # Seeds carry apps over their first months.
    broke = effect("app_deaths_insolvent_cn", off, window=(6, 24))
    assert broke.z < -5
    assert broke.ratio < 0.95
    assert effect("app_survival_6_months_share", off).z > 5


# ---------------------------------------------------------------------- M56


def test_M56_domestic_software_matures_with_use():
    off = "mechanisms.codesign=false"
    matures = effect("domestic_maturity", off)
    assert matures.mean > 0.15
    frozen = market(off)["domestic_maturity"]
    assert frozen.max() == pytest.approx(frozen.min(), abs=1e-12)
    assert effect("h100e_cn_domestic", off).ratio > 1.15


def test_M56_more_domestic_chips_in_use_make_better_software():
    """The embargo, which spreads domestic chips, speeds their software up; not when it is off."""
    spreads = effect("domestic_maturity", FREE)
    assert spreads.z > 8
    assert effect("domestic_maturity", FREE, base=("mechanisms.codesign=false",)).mean == 0.0


def test_M56_people_whom_labs_set_on_it_ripen_software_and_are_missed_at_runs():
    alone = "chip_market.codesign_return=0"
    assert effect("domestic_maturity", alone).z > 8
    assert effect("domestic_maturity", alone).mean > 0.01
    world = Ensemble(["output.level=market"], (0,)).run(24).world
    labs, state, chip_market = world.labs, world.state, world.parameters.chip_market
    before, grown, skill = state.domestic_software, [], []
    for chip_market.codesign_return in (0.0, 2.0, 8.0):
        _mature(world)
        update_skill(world)
        grown.append((state.domestic_software - before).item())
        skill.append(labs.skill[labs.alive].sum())
        state.domestic_software = before
    assert 0.0 < grown[0] < grown[1] < grown[2]
    assert skill[0] > skill[1] > skill[2]
    # Only who runs on domestic chips takes part, and the more so the more of them.
    only = PortingSignals(domestic=np.linspace(0.0, 1.0, labs.capacity)[None], missing=np.full((1, 1), 0.3))
    labs.port_software(only)
    assert labs.porting[0, 0] == 0.0 and (np.diff(labs.porting[0]) > 0.0).all()


# ---------------------------------------------------------------------- X05

ANSWERS = ("serving.output_share=0.85", "serving.cache_hits=0.5")


def test_X05_prompts_bound_by_arithmetic_take_serving_from_chips_that_an_embargo_leaves():
    off = "mechanisms.prefill_and_decode=false"
    assert effect("serving_chips_cn_h100", off).ratio < 0.8
    rent = effect("rent_serving_cn_usd_hour", off)
    assert rent.z > 8
    assert rent.ratio > 1.3


def test_X05_where_models_write_much_memory_decides_and_the_mechanism_says_less():
    off = "mechanisms.prefill_and_decode=false"
    chat, reasoning = effect("serving_chips_cn_h100", off), effect("serving_chips_cn_h100", off, base=ANSWERS)
    assert chat.ratio < 0.8 * reasoning.ratio
    assert reasoning.ratio < 1.05


# ---------------------------------------------------------------------- X06


def test_X06_holders_outside_tie_the_rents_of_models_to_those_of_all_use():
    """Twice the tokens move rents less where others give way, and both uses, which chips may change."""
    off, more = "mechanisms.one_market=false", "model_market.use_scale=0.37"
    for column in ("rent_serving_cn_usd_hour", "price_rent_cn_usd_hour"):
        open_, alone = effect(column, more), effect(column, more, base=(off,))
        assert open_.mean < 0.0 and alone.mean < 0.0, "more tokens, higher rents"
        assert np.log(alone.ratio) < 3.0 * np.log(open_.ratio) < 0.0, column
    assert effect("chips_use_outside_cn", off).mean > 0.3


def test_X06_no_rent_rests_on_a_bound():
    """Rents differ from world to world and month to month; chips stand idle only where they do not pay."""
    runs = market()
    for column in ("rent_serving_cn_usd_hour", "rent_serving_row_usd_hour", "price_rent_cn_usd_hour"):
        assert runs[column].n_unique() == runs.height, column
    assert runs["chips_use_idle_cn"].max() < 0.2
