"""Mechanisms of organisations and people: each shows in a named output, and is gone when it is off."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from baimo.agents.enums import BIG_TECH, CN, FRONTIER, NOT_APPLIED
from baimo.world.ensemble import Ensemble
from baimo.world.models.utility import common_utility
from baimo.world.regulation.licensing import review
from baimo.world.technology.research import drift, left_to_research
from baimo.world.technology.training import release_delay
from tests.paired_runs import STEPS, effect, exactly_zero, table, together

SMALL = 120

#: Nobody enters, and hype is low or high at the start.
CALM, HOT = (
    ("app_market.entry_base=0", "app_market.start=0", "entry_exit.entry_base=0", f"capital.hype_start={hype}")
    for hype in (0.1, 0.9)
)
FROZEN = "mechanisms.rush_and_fade=false"
RIVALS = ("app_market.rival_owner=20",)

together("capital.unused_penalty=0")
together(CALM, HOT, (*CALM, FROZEN), (*HOT, FROZEN), steps=8)
together(
    *(RIVALS, (*RIVALS, "mechanisms.unused_model=false")),
    ("mechanisms.unused_model=false", "mechanisms.organisation_drift=false"),
)


def labs(*overrides: str) -> pl.DataFrame:
    """The panel of living labs of CN."""
    return table("labs", *overrides).filter(pl.col("region") == "CN", pl.col("alive"))


def means(panel: pl.DataFrame, *names: str, window: tuple[int, int] = (12, STEPS)) -> pl.DataFrame:
    """Mean of columns of each lab over a window; who has no model yet has no capability."""
    chosen = panel.filter(pl.col("step").is_between(*window, closed="left"))
    return chosen.group_by("replicate", "lab_id").agg(
        pl.first("archetype"), *[pl.col(name).fill_nan(None).mean() for name in names]
    )


def paired_labs(off: str, chosen: pl.Expr, *names: str, base: tuple[str, ...] = ()) -> pl.DataFrame:
    """Means of labs with a mechanism (``name``) and of the same labs without it (``name_off``).

    ``chosen`` picks by what they are without it.
    """
    extra = ("share_tokens", "releases", "staff")
    names = tuple(dict.fromkeys((*names, *extra)))
    with_, without = means(labs(*base), *names), means(labs(*base, off), *names)
    return without.filter(chosen).join(with_, on=["replicate", "lab_id"], suffix="_on")


def error_of_worlds(frame: pl.DataFrame, value: pl.Expr) -> tuple[float, float]:
    """Mean over worlds of a statistic, and how many standard errors it is from zero."""
    each = frame.group_by("replicate").agg(value.alias("value"))["value"].to_numpy()
    return each.mean(), each.mean() / max(each.std(ddof=1) / np.sqrt(len(each)), 1e-300)


def test_M28_research_of_small_split_labs_loses_people():
    off = "mechanisms.organisation_drift=false"
    assert effect("staff_left_cn", off, window=(12, STEPS)).z > 8.0
    small = paired_labs(off, (pl.col("staff") < SMALL) & (pl.col("releases") > 0), "researchers")
    mean, z = error_of_worlds(small, (pl.col("researchers_on").sum() / pl.col("researchers").sum()).log())
    assert z < -5.0
    assert -0.3 < mean < -0.02


def test_M28_big_tech_integrates_fast_and_approves_what_is_sensitive_slowly():
    off = "mechanisms.organisation_drift=false"
    assert exactly_zero("labs_in_approval_cn", off)
    assert effect("labs_in_approval_cn", off, window=(6, STEPS)).z > 8.0
    assert effect("hhi_users_cn", off, window=(12, STEPS)).z < -2.0, "meanwhile the public goes elsewhere"
    world = Ensemble(["output.level=market"], range(2)).run(12).world
    labs, p, seg = world.labs, world.parameters, world.segments.columns
    big, delay = labs.archetype == BIG_TECH, release_delay(labs, p.training, p.organisation)
    others = delay[labs.alive & ~big & (labs.archetype != FRONTIER)]
    assert delay[labs.alive & big].mean() < 0.8 * others.mean(), "it integrates fast"
    # What waits for approval loses users where models are sensitive, and nowhere else; nor is it filed.
    worth = []
    for months in (0.0, 3.0):
        labs.approved_in = months * (labs.alive & big)
        worth.append(common_utility(labs, seg, world.state, world.policy, p))
    lost = worth[0] - worth[1]
    here = np.broadcast_to(labs.alive & big, lost.shape) & (seg.region == CN)
    sensitive = np.broadcast_to(seg.licensed > 0.0, lost.shape)
    assert (lost[here & sensitive] > 0.1).all()
    assert (lost[here & ~sensitive] == 0.0).all()
    assert (lost[np.broadcast_to(~big, lost.shape)] == 0.0).all()
    labs.filing, chosen = np.full_like(labs.filing, NOT_APPLIED), labs.alive & big & labs.released
    review(world)
    assert (labs.filing[chosen] == NOT_APPLIED).all()
    labs.approved_in = 0.0 * labs.cash
    review(world)
    assert (labs.filing[chosen] != NOT_APPLIED).all()


def test_M28_revenue_draws_people_from_research():
    alone = "mechanisms.unused_model=false"
    big = labs(alone).filter(pl.col("archetype") == "big_tech", pl.col("step") >= 24)
    earning = big.filter(pl.col("revenue") > 0.2 * pl.col("cost"))
    assert earning["product_share"].mean() > 0.38
    # Off, what a lab earns says nothing: big tech stays where it is at ease.
    still = labs(alone, "mechanisms.organisation_drift=false").filter(pl.col("archetype") == "big_tech")
    assert still["product_share"].to_numpy() == pytest.approx(0.35, abs=1e-6)


def test_M49_the_rush_trains_people_and_attention_fades():
    off = "mechanisms.rush_and_fade=false"
    trained = effect("people_trained_cn", off)
    assert trained.z > 6.0
    assert trained.mean > 500.0
    # One more model moves less and less: hype fades only with it.
    late = effect("hype", off)
    assert late.z < -5.0
    assert late.ratio < 0.8
    early = effect("hype", off, window=(0, 4))
    assert abs(early.mean) < 0.3 * abs(late.mean)
    # Markets turn rational: less money in the end, and no second round for what nobody uses.
    assert effect("funding_cn", off, window=(12, STEPS)).z < -4.0
    unused = effect("rounds_cn", "capital.unused_penalty=0", window=(12, STEPS))
    assert unused.z < -5.0
    assert unused.ratio < 0.9


def test_M49_without_it_training_does_not_follow_hype():
    """The driver makes a difference only with the mechanism: hype at the start trains people in the first year."""
    # What is said later wins, so that the second arm is calm.
    rush = effect("people_trained_cn", CALM, base=HOT, window=(3, 8), steps=8)
    assert rush.mean > 300.0
    none = effect("people_trained_cn", CALM, base=(*HOT, FROZEN), window=(3, 8), steps=8)
    assert none.mean == pytest.approx(0.0, abs=1e-6)


def test_M49_weeks_and_months_count_the_same_news():
    """Foreign and me-too releases are counted one by one, however long a step is."""
    late = []
    for clock, steps in (("month", 12), ("week", 52)):
        table = Ensemble([f"clock={clock}", "output.level=market"], range(4)).run(steps).tables()["market"]
        late.append(table.filter(pl.col("step") >= 0.5 * steps)["hype"].mean())
    assert late[1] == pytest.approx(late[0], rel=0.2)


def test_M67_an_unused_model_drives_its_lab_into_products_and_out_of_data():
    """The loop of 001: nobody uses it, product work, API customers leave, less data of use."""
    off = "mechanisms.unused_model=false"
    nobody_uses = (pl.col("share_tokens") < 0.005) & (pl.col("releases") >= 1) & (pl.col("tokens_api") > 0.0)
    names = ("product_share", "tokens_api", "usage_data")
    unused = paired_labs(off, nobody_uses, *names)
    mean, z = error_of_worlds(unused, (pl.col("product_share_on") - pl.col("product_share")).mean())
    assert z > 15.0
    assert mean > 0.1

    def change(frame, name):
        return error_of_worlds(frame, ((pl.col(f"{name}_on") + 1e-3) / (pl.col(name) + 1e-3)).log().median())

    mean, z = change(unused, "tokens_api")
    assert z < -5.0
    assert mean < -1.0
    lost, z = change(unused, "usage_data")
    assert z < -4.4
    assert lost < -0.1
    # Where apps mind a rival more, the lab loses more of both.
    shunned = paired_labs(off, nobody_uses, *names, base=RIVALS)
    more, z = change(shunned, "tokens_api")
    assert z < -8.0
    assert more < 2.0 * mean
    assert change(shunned, "usage_data")[0] < 1.5 * lost


def a_year_without_users(world: Ensemble, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """What data of use carry and what models on sale can do, a year after all users have left."""
    labs, world.parameters.technology.usage_lost = world.labs, rate
    before = {name: getattr(labs, name).copy() for name in ("post", "from_use", "served", "log_efficiency")}
    labs.usage_data, labs.tokens_flagship, labs.tokens_light = (np.zeros_like(labs.cash) for _ in range(3))
    for _ in range(12):
        drift(world)
    after = labs.from_use, labs.served.mean(0)
    for name, values in before.items():
        setattr(labs, name, values)
    return after


def test_M67_who_loses_the_data_of_users_loses_what_they_taught():
    world = Ensemble(["output.level=market"], range(3)).run(36).world
    labs, start = world.labs, world.labs.from_use.copy()
    rate = world.parameters.technology.usage_lost
    taught = labs.alive & labs.released & (start > 0.01)
    assert taught.any(-1).all()
    # Off, a model keeps what it was taught; else it fades, and with it what is on sale.
    (kept, plain), (left, worse) = (a_year_without_users(world, each) for each in (0.0, rate))
    np.testing.assert_allclose(kept[taught], start[taught])
    np.testing.assert_allclose(left[taught], np.exp(-rate) * start[taught])
    lost = (plain - worse)[taught & ~labs.trained]
    assert lost.min() > 0.0 and lost.max() > 0.01


def test_M67_shows_in_the_market():
    moved = effect("product_share_unused_cn", "mechanisms.unused_model=false")
    assert moved.z > 15.0
    assert moved.mean > 0.1


def test_M67_without_it_nobody_moves_to_products_for_lack_of_users():
    off = ("mechanisms.unused_model=false", "mechanisms.organisation_drift=false")
    still = labs(*off).filter(pl.col("archetype") == "unicorn", pl.col("mode") != "app_company")
    late = still.filter(pl.col("step") > 30, pl.col("founded") < 6)
    assert late["product_share"].to_numpy() == pytest.approx(0.2, abs=0.03)


def test_M28_products_claim_money_and_chips_of_big_tech_alone():
    world = Ensemble(["output.level=market"], (0,)).run(1).world
    left = left_to_research(world)
    big = world.labs.archetype == BIG_TECH
    assert (left[big] < 1.0).all()
    assert (left[~big] == 1.0).all()
