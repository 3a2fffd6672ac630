"""Mechanisms of open weights: each shows in a named column, and its switch takes the effect away."""

from __future__ import annotations

import networkx as nx
import numpy as np
import polars as pl
import pytest

from baimo.experiments.read.lineage_graph import lineage_graph, lineage_table, measures
from baimo.world.capital.deal_flow import round_sizes
from baimo.world.ensemble import Ensemble
from baimo.world.models.releases import _write_down
from tests.paired_runs import Effect, by_world, effect, exactly_zero, market, table, together

FULL = ("output.level=full",)

together(
    "capital.commodity_penalty=0",
    "technology.write_down=0",
    "openness.community=0",
    "technology.light_gap=0",
    "technology.inheritance=0.1",
)
together("mechanisms.open_closed_gap=false", "technology.teach_alike=1", worlds=24)
together((*FULL, "mechanisms.hidden_bases=false"), worlds=2)


def test_M12_closed_vendors_open_small_old_models():
    off = "mechanisms.open_closed_gap=false"
    assert exactly_zero("light_release_share_cn", off)
    light = effect("light_release_share_cn", off, window=(6, 36))
    assert light.z > 10.0
    assert light.mean > 0.15
    # They give CN open weights of its own sooner, which those take whose data may not leave.
    assert effect("frontier_open_cn_language", off, window=(0, 12)).z > 4.5
    assert effect("open_share_private_cn", off, window=(0, 12)).z > 6.0
    # And keep the open behind: light models as good as flagships would bring open weights much closer.
    small = effect("frontier_open_cn", "technology.light_gap=0", window=(0, 12))
    assert small.z < -6.0
    assert small.mean < -0.3


@pytest.mark.parametrize("off", ["mechanisms.open_closed_gap=false", "technology.teach_alike=1"])
def test_M12_the_open_follow_in_language_sooner_than_in_reasoning(off):
    """What copying gives to language and not to reasoning shows in the first year, before own data tell."""

    def spread(*overrides):
        table = market(*overrides, worlds=24)
        return by_world(table, "gap_open_reasoning", (0, 12)) - by_world(table, "gap_open_language", (0, 12))

    wider = Effect(spread(), spread(off))
    assert wider.z > 4.0
    assert wider.mean > 0.06


def test_M36_an_open_base_devalues_past_training():
    off = "mechanisms.devaluation=false"
    assert exactly_zero("sunk_value_lost_cn", off)
    lost = effect("sunk_value_lost_cn", off, window=(6, 36))
    assert lost.mean > 50.0
    assert effect("lab_pivots_cn", off, window=(3, 24)).z > 5.0, "labs give up training when an open base leads"
    # What is not written down is clung to.
    training = effect("labs_from_scratch_cn", "technology.write_down=0", window=(12, 36))
    assert training.z < -8.0
    assert training.ratio < 0.9


def test_M36_investors_pay_for_what_is_not_written_down():
    world = Ensemble(["output.level=market"], range(2)).run(3).world
    labs, out = world.labs, world.labs.alive & world.labs.released

    def after_a_month(lead: float) -> tuple[np.ndarray, np.ndarray]:
        """Size of rounds and values of labs, once an open base has led for a month."""
        labs.sunk_value, labs.valuation = 1000.0 * out, 5000.0 * out
        world.state.open_at_home = np.stack([labs.served.mean(0) + lead] * 2)
        _write_down(world)
        # The lead itself makes labs worth less: here only what was sunk counts.
        world.state.open_at_home = np.stack([labs.served.mean(0)] * 2)
        return round_sizes(world).round_size[out], labs.valuation[out]

    plain, overtaken, far = (after_a_month(lead) for lead in (-0.1, 0.1, 9.0))
    for before, one, other in zip(plain, overtaken, far, strict=True):
        assert (before > one).all() and (one > other).all(), "the further the open base leads, the less is left"
    assert (plain[1] == 5000.0).all(), "who leads the open base loses nothing"


def test_M36_money_shuns_what_anybody_can_download():
    credulous = effect("rounds_adding_nothing_cn", "capital.commodity_penalty=0", window=(6, 36))
    assert credulous.z < -6.0
    assert credulous.ratio < 0.7


def test_M37_labs_build_on_open_bases_and_rise_with_them():
    """Without bases more train their own and waste more on it, and by the third year fewer have a model out."""
    off = "mechanisms.building_on_open=false"
    assert exactly_zero("labs_on_open_base_cn", off)
    assert effect("labs_on_open_base_cn", off, window=(6, 36)).z > 10.0
    for column, most in (("labs_from_scratch_cn", 0.75), ("training_wasted_cn", 0.75)):
        spared = effect(column, off, window=(6, 36))
        assert spared.z < -9.0 and spared.ratio < most, column
    released = effect("labs_released_cn", off)
    assert released.z > 7.0 and released.ratio > 1.25


def test_M37_a_stronger_base_lifts_those_who_build_on_it():
    """The tide: labs on open bases gain when the champion opens all, over what from-scratch labs gain."""
    rises = []
    for told in ("all", "none"):
        panel = table("labs", f"policy.open_source.champion={told}")
        followers = panel.filter(pl.col("archetype") == "follower", pl.col("capability").is_not_nan())
        rises.append(by_world(followers, "capability", (6, 24)))
    tide = rises[0] - rises[1]
    assert tide.mean() > 0.1
    assert tide.mean() / (tide.std(ddof=1) / np.sqrt(len(tide))) > 3.0


def test_M37_building_pays_by_what_is_inherited():
    rich = effect("labs_on_open_base_cn", "technology.inheritance=0.1", window=(6, 36))
    assert rich.z > 3.0, "little inherited, little built upon"


def test_M46_what_returns_keeps_weights_open():
    off = "mechanisms.open_sustains=false"
    assert exactly_zero("open_income", off)
    assert effect("open_income", off, window=(6, 36)).z > 4.0
    opened = effect("open_release_share_cn", off, window=(6, 36))
    assert opened.z > 6.0
    assert opened.mean > 0.05
    assert effect("frontier_open", off, window=(6, 36)).z > 2.1, "derivatives improve their base"


def test_M46_who_opens_learns_from_those_who_build_on_it():
    """Champions of open weights gain in every world, whoever closes does not: in the second year.

    Later some champions, and in some worlds all of the frontier's labs, are gone.
    """

    def efficiency(archetype: str, *overrides: str) -> np.ndarray:
        """ln of the efficiency of labs abroad, mean by world."""
        panel = table("labs", *overrides).filter(pl.col("archetype") == archetype, pl.col("alive"))
        return by_world(panel.with_columns(pl.col("efficiency").log()), "efficiency", (12, 24))

    gains = {
        each: Effect(efficiency(each), efficiency(each, "openness.community=0"))
        for each in ("open_champion", "frontier")
    }
    champion = gains["open_champion"]
    assert (champion.with_ > champion.without).all()
    assert champion.z > 4.5 and champion.mean > 0.1
    assert abs(gains["frontier"].mean) < 0.2 * champion.mean


def test_M60_firms_hide_their_bases_and_some_are_exposed():
    off = "mechanisms.hidden_bases=false"
    assert exactly_zero("labs_claiming_scratch_cn", off)
    assert exactly_zero("exposures_cn", off)
    assert effect("labs_claiming_scratch_cn", off, window=(6, 36)).z > 8.0
    assert effect("exposures_cn", off, window=(6, 36)).z > 3.4
    fooled = effect("rounds_adding_nothing_cn", off, window=(6, 24))
    assert fooled.z > 7.0, "investors pay for what looks like one's own"
    assert fooled.ratio > 1.2


def test_M60_exposure_is_an_event_that_costs_reputation():
    events = table("events", *FULL, worlds=2)
    assert events.filter(pl.col("kind") == "exposed").height > 3
    panel = table("labs", *FULL, worlds=2).sort("lab_id", "step")
    change = panel.with_columns(change=pl.col("reputation").diff().over("replicate", "lab_id"))
    exposed = events.filter(pl.col("kind") == "exposed").select("replicate", "step", lab_id="agent")
    change = change.join(exposed, on=["replicate", "step", "lab_id"])["change"].drop_nulls()
    assert change.mean() < -0.1


@pytest.fixture(scope="module")
def edges():
    return table("edges", *FULL, worlds=2)


def test_M60_declared_lineage_is_a_part_of_the_true_one(edges):
    for world in (0, 1):
        true, told = lineage_graph(edges, world), lineage_graph(edges, world, declared=True)
        assert set(told.edges) < set(true.edges)
    honest = table("edges", *FULL, "mechanisms.hidden_bases=false", worlds=2)
    assert set(lineage_graph(honest, 0).edges) == set(lineage_graph(honest, 0, declared=True).edges)


def test_lineage_is_a_forest_of_releases(edges):
    graph = lineage_graph(edges, 0)
    assert nx.is_directed_acyclic_graph(graph)
    assert max(degree for _, degree in graph.out_degree()) == 1, "a model stands on one base"
    assert all(node.startswith("model:") for node in graph)
    found = lineage_table(edges)
    assert (found["models"] > 50).all()
    assert found["base_family_share"].is_between(0.05, 1.0).all()


def test_lineage_measures_at_known_graphs():
    star = nx.DiGraph([(f"model:{k}", "model:0") for k in range(1, 10)])
    found = measures(star)
    assert (found["largest_in_degree"], found["depth"], found["base_family_share"]) == (9.0, 1.0, 1.0)
    line = nx.DiGraph([(k + 1, k) for k in range(5)])
    assert measures(line)["depth"] == 5.0
    pairs = nx.DiGraph([(2 * k + 1, 2 * k) for k in range(4)])
    assert measures(pairs)["base_family_share"] == pytest.approx(0.25)
    assert measures(pairs)["modularity"] == pytest.approx(0.75)
    assert np.isnan(measures(nx.DiGraph())["top_pagerank"])
