"""Ordinary Mesa code works on the model: agent sets, collectors, subclasses, the graph."""

from __future__ import annotations

import warnings

import mesa
import networkx as nx
import numpy as np
import polars as pl
import pytest

from baimo.agents import AppStartup, InfraVendor, Investor, MarketAgent, ModelLab, Regulator, decision
from baimo.agents.enums import ARCHETYPES, RUN_MONTHS
from baimo.world.engine.population import AgentGone
from baimo.world.ensemble import Ensemble
from baimo.world.model import HundredModelsWar

TYPES = (ModelLab, InfraVendor, AppStartup, Investor, Regulator)
QUIET = ["output.level=market"]


def make(**more):
    more = {"rng": 4, "overrides": QUIET} | more
    return HundredModelsWar(**more)


@pytest.fixture(scope="module")
def model():
    """One world after eight months; tests that change anything make their own."""
    return make().run(8)


# ---------------------------------------------------------------------- agents


def test_it_is_a_mesa_model(model):
    assert isinstance(model, mesa.Model)
    assert isinstance(model.agents, type(mesa.Model().agents))
    assert set(model.agent_types) == set(TYPES)
    for kind in TYPES:
        agents = model.agents_by_type[kind]
        assert len(agents) > 0
        assert all(isinstance(agent, kind) and isinstance(agent, mesa.Agent) for agent in agents)
        assert all(agent.model is model for agent in agents)
    assert len(model.agents) == sum(len(model.agents_by_type[kind]) for kind in TYPES)


def test_agents_are_the_living_rows(model):
    for name, population in model.world.populations.items():
        living = sorted(population.id[0, population.alive[0]].tolist())
        views = sorted(a.id for a in model.agents_by_type[population.agent_class])
        assert views == living, name
    ids = [agent.unique_id for agent in model.agents]
    assert len(set(ids)) == len(ids)


def test_select_by_archetype(model):
    unicorns = model.agents_by_type[ModelLab].select(lambda a: a.archetype == "unicorn")
    labs = model.world.labs
    assert len(unicorns) == (labs.alive & (labs.archetype == ARCHETYPES.index("unicorn"))).sum() > 0
    assert {a.archetype for a in unicorns} == {"unicorn"}
    assert len(model.agents_by_type[ModelLab].select(at_most=3)) == 3


def test_agg_and_get_read_the_columns(model):
    labs = model.world.labs
    agents = model.agents_by_type[ModelLab]
    assert agents.agg("cash", sum) == pytest.approx(labs.cash[labs.alive].sum(), rel=1e-12)
    assert agents.agg("cash", max) == labs.cash[labs.alive].max()
    assert sorted(agents.get("price_flagship")) == sorted(labs.price_flagship[labs.alive].tolist())
    assert all(isinstance(value, float) for value in agents.get("cash"))
    grouped = agents.groupby("region").count()
    assert grouped == {
        "CN": int((labs.alive & (labs.region == 0)).sum()),
        "ROW": int((labs.alive & (labs.region == 1)).sum()),
    }


def test_sort_and_map(model):
    agents = model.agents_by_type[ModelLab].sort("cash")
    cash = agents.get("cash")
    assert cash == sorted(cash, reverse=True)
    heads = model.agents_by_type[ModelLab].map(lambda a: sum(a.staff))
    assert sum(heads) == pytest.approx(model.world.labs.staff.sum(), rel=1e-9)


def test_columns_of_an_agent_read_and_write(model):
    lab = next(iter(model.agents_by_type[ModelLab]))
    before = lab.cash
    lab.cash = 7.5
    assert lab.cash == 7.5 == model.world.labs.cash[0, lab.row]
    lab.cash = before
    assert lab.region in ("CN", "ROW")
    assert isinstance(lab.served, tuple)
    assert len(lab.served) == 3
    assert len(lab.fleet) == len(model.world.chips)
    assert isinstance(lab.alive, bool)
    assert "ModelLab" in repr(lab)


def test_do_and_shuffle_do_with_a_decision():
    """``do`` with a decision's name: agent by agent gives what the batch gives, in any order."""
    labs = {}
    for way in ("batch", "do", "shuffle_do"):
        model = make().run(6)
        agents, market = model.agents_by_type[ModelLab], model.world.observed["ModelLab", "set_price"]
        if way == "batch":
            model.world.labs.set_price(*market)
        else:
            getattr(agents, way)("set_price")
        alive = model.world.labs.alive
        labs[way] = {name: model.world.labs.columns[name][..., alive] for name in ("price_flagship", "price_light")}
    for way in ("do", "shuffle_do"):
        for name, values in labs["batch"].items():
            assert values.tobytes() == labs[way][name].tobytes(), f"{name} by {way}"


def test_do_with_a_function(model):
    seen = []
    model.agents_by_type[Regulator].do(lambda a: seen.append(a.kind))
    assert sorted(seen) == ["competition", "content", "export_control", "industry"]


def test_a_view_stands_for_one_agent_only():
    """Who has left raises; whoever takes the row next is somebody else."""
    model = make().run(4)
    apps = list(model.agents_by_type[AppStartup])
    model.run(14)
    living = set(model.agents_by_type[AppStartup])
    gone = [app for app in apps if app not in living]
    assert gone, "no app of the fourth month has died since"
    for app in gone:
        with pytest.raises(AgentGone, match="has left the market"):
            app.cash  # noqa: B018
        with pytest.raises(AgentGone):
            app.cash = 1.0
        with pytest.raises(AgentGone):
            app.close_down()
    for app in set(apps) & living:
        assert app.alive
        assert app.cash >= 0.0
    assert issubclass(AgentGone, LookupError)


def test_views_stay_the_same_objects():
    model = make().run(2)
    before = {a.id: a for a in model.agents_by_type[ModelLab]}
    model.step()
    after = {a.id: a for a in model.agents_by_type[ModelLab]}
    assert all(after[i] is before[i] for i in set(before) & set(after))


def test_random_belongs_to_the_model():
    """Mesa's own generator is seeded like the world, and drawing from it changes no history."""
    one, two = make(), make()
    assert one.rng.random() == two.rng.random()
    for _ in range(5):
        one.rng.random()
        one.random.random()
    one.run(3), two.run(3)
    assert one.market.equals(two.market)


# ---------------------------------------------------------------------- the model


def test_it_is_world_number_so_and_so_of_an_ensemble():
    model = make(rng=9, world_id=2).run(5)
    market = Ensemble([*QUIET, "seed=9"], (1, 2)).run(5).tables()["market"]
    assert model.market.equals(market.filter(pl.col("replicate") == 2))


def test_looking_at_agents_changes_nothing():
    looked, alone = make(), make()
    for _ in range(5):
        looked.step()
        looked.agents.get("alive")
        looked.agents_by_type[ModelLab].shuffle_do(lambda a: a.cash)
        looked.graph, looked.events  # noqa: B018
    alone.run(5)
    assert looked.market.equals(alone.market)


def test_it_stops_at_the_end():
    model = make(overrides=[*QUIET, "steps=3"])
    assert model.running
    count = 0
    while model.running:
        model.step()
        count += 1
        assert count < 10
    assert count == model.ensemble.steps_done == 3
    assert str(model.date) == "2023-03-01"


def test_run_goes_to_the_end():
    model = make(overrides=[*QUIET, "steps=4"]).run()
    assert not model.running
    assert model.market.height == 4


def test_mesa_run_model():
    """``run_model`` of Mesa runs while ``running``."""
    model = make(overrides=[*QUIET, "steps=2"])
    model.run_model()
    assert model.ensemble.steps_done == 2


def test_scenario_and_overrides():
    model = make(scenario="no_embargo", overrides=[*QUIET, "model_market.price_sensitivity=3"])
    assert model.world.config.scenario == "no_embargo"
    assert model.world.parameters.model_market.price_sensitivity == 3.0
    assert model.world.config.policy.embargo.rules == []


def test_events_are_a_frame(model):
    events = model.events
    assert {"replicate", "step", "date", "kind", "agent", "region", "amount"} <= set(events.columns)
    assert {"release", "round"} <= set(events["kind"])
    assert set(events["replicate"]) == {0}
    assert events["step"].max() <= 7


def test_graph_is_a_multigraph_of_the_living(model):
    graph = model.graph
    assert isinstance(graph, nx.MultiDiGraph)
    kinds = {data["kind"] for _, _, data in graph.edges(data=True)}
    assert {"knows", "supplies", "holds", "builds_on", "regulates"} <= kinds
    assert kinds <= {"knows", "supplies", "holds", "builds_on", "regulates", "derives_from", "declares", "hosts"}
    nodes = {data["kind"] for _, data in graph.nodes(data=True)}
    assert nodes - {"model"} == {"lab", "app", "vendor", "investor", "regulator"}
    there = [n for n, data in graph.nodes(data=True) if not data.get("gone") and data["kind"] != "model"]
    assert len(there) == len(model.agents)
    for source, target, data in graph.edges(data=True):
        assert np.isfinite(data["weight"])
        if data["kind"] == "builds_on":
            assert source.startswith("app:")
            assert target.startswith("lab:")
        if data["kind"] == "holds":
            assert source.startswith("investor:")
            assert target.startswith("lab:")
        if data["kind"] == "supplies":
            assert source.startswith("vendor:")


def test_graph_agrees_with_the_agents(model):
    graph = model.graph
    for app in model.agents_by_type[AppStartup].select(lambda a: a.base_lab[0] >= 0, at_most=20):
        target = f"lab:{app.base_id[0]}"
        assert graph.has_edge(f"app:{app.id}", target, key="builds_on")


# ---------------------------------------------------------------------- data collection


def test_collectors_through_the_constructor():
    model = make(
        model_reporters={
            "labs": lambda m: len(m.agents_by_type[ModelLab]),
            "hype": lambda m: float(m.world.state.hype[0, 0]),
        },
        agenttype_reporters={
            ModelLab: {"cash": "cash", "price": lambda a: a.price_flagship},
            Investor: {"ready": "ready"},
        },
    ).run(3)
    frame = model.datacollector.get_model_vars_dataframe()
    assert list(frame.columns) == ["labs", "hype"]
    market = model.market
    total = market["labs_alive_cn"] + market["labs_alive_row"]
    assert frame["labs"].tolist() == total.to_list()
    assert frame["hype"].tolist() == market["hype"].to_list()
    labs = model.datacollector.get_agenttype_vars_dataframe(ModelLab)
    assert set(labs.columns) == {"cash", "price"}
    counts = labs.groupby(level=0).size().tolist()
    assert counts == total.to_list()
    last = labs.xs(labs.index.get_level_values(0).max(), level=0)
    alive = model.world.labs.alive
    assert sorted(last["cash"]) == sorted(model.world.labs.cash[alive].tolist())
    investors = model.datacollector.get_agenttype_vars_dataframe(Investor)
    assert len(investors) == 3 * len(model.agents_by_type[Investor])


def test_no_warnings_of_any_kind():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = make(model_reporters={"labs": lambda m: len(m.agents_by_type[ModelLab])}).run(2)
        model.agents.select(lambda a: True).shuffle_do(lambda a: None)
        model.agents_by_type[ModelLab].do("set_price")
        model.datacollector.get_model_vars_dataframe()
    assert not caught, [str(each.message) for each in caught]


# ---------------------------------------------------------------------- labs of one's own


class Dumper(ModelLab):
    """Sells at the least price, decided for all dumpers at once."""

    @decision
    def set_price(labs, market, p):
        labs.price_flagship = p.model_market.least_price
        labs.price_light = np.full_like(labs.price_light, p.model_market.least_price)


class PlainDumper(ModelLab):
    """The same in plain Python, one lab at a time."""

    def set_price(self, market):
        self.price_flagship = 0.05
        self.price_light = 0.05


class Loner(ModelLab):
    """Never trains."""

    @decision
    def plan_run(labs, market, p):
        pass


@pytest.mark.parametrize("special", [Dumper, PlainDumper])
def test_an_overridden_decision(special):
    model = make(agent_classes={"big_tech": special}).run(5)
    mine = model.agents_by_type[special]
    assert len(mine) == 6
    assert {a.archetype for a in mine} == {"big_tech"}
    assert set(mine.get("price_flagship")) == {0.05}
    others = model.agents_by_type[ModelLab].select(lambda a: a.released)
    assert min(others.get("price_flagship")) > 0.05
    assert special not in {type(a) for a in others}


def test_plain_python_and_batch_give_one_history():
    batch = make(agent_classes={"big_tech": Dumper}).run(6)
    plain = make(agent_classes={"big_tech": PlainDumper}).run(6)
    assert batch.market.equals(plain.market)
    assert not batch.market.equals(make().run(6).market)


def test_a_class_that_changes_nothing_changes_nothing():
    """Rows of a subclass decide apart from the others, with equal bits."""

    class Same(ModelLab):
        @decision
        def set_price(labs, market, p):
            ModelLab.set_price.function(labs, market, p)

        @decision
        def hire(labs, market, p):
            ModelLab.hire.function(labs, market, p)

    assert make(agent_classes={"unicorn": Same, "follower": Same}).run(8).market.equals(make().run(8).market)


def test_special_classes_for_entrants_too():
    model = make(agent_classes={"follower": Loner}).run(10)
    mine = model.agents_by_type[Loner]
    assert any(a.founded > 0 for a in mine), "no follower has entered"
    assert not any(a.running for a in mine)
    assert all(type(a) is Loner for a in model.agents_by_type[Loner])
    assert not [a for a in model.agents_by_type[ModelLab] if a.archetype == "follower"]


def test_special_classes_in_an_ensemble():
    """Overridden with @decision it runs in any number of worlds; plain Python is refused."""
    together = Ensemble(QUIET, (0, 1), agent_classes={"big_tech": Dumper}).run(4).tables()["market"]
    alone = Ensemble(QUIET, (1,), agent_classes={"big_tech": Dumper}).run(4).tables()["market"]
    assert together.filter(pl.col("replicate") == 1).equals(alone)
    with pytest.raises(TypeError, match="decorate it with @decision"):
        Ensemble(QUIET, (0, 1), agent_classes={"big_tech": PlainDumper}).run(1)


def test_adopt_changes_the_class_of_some():
    model = make().run(3)
    chosen = model.agents_by_type[ModelLab].select(lambda a: a.archetype == "big_tech", at_most=2)
    rows = sorted(a.row for a in chosen)
    model.adopt(Dumper, chosen)
    assert sorted(a.row for a in model.agents_by_type[Dumper]) == rows
    assert not {a.row for a in model.agents_by_type[ModelLab]} & set(rows)
    model.run(2)
    assert set(model.agents_by_type[Dumper].get("price_flagship")) == {0.05}
    back = list(model.agents_by_type[Dumper])
    model.adopt(ModelLab, back)
    assert len(model.agents_by_type.get(Dumper, [])) == 0


def test_adopt_by_hand_is_the_same_as_from_the_start():
    start = make(agent_classes={"big_tech": Dumper}).run(4)
    later = make()
    later.adopt(Dumper, later.agents_by_type[ModelLab].select(lambda a: a.archetype == "big_tech"))
    assert later.run(4).market.equals(start.market)


def test_a_subclass_may_add_columns():
    from baimo.agents import column

    class Diarist(ModelLab):
        months_seen = column("months", clears=True)

        @decision
        def promote(labs, market, p):
            ModelLab.promote.function(labs, market, p)
            labs.months_seen = labs.months_seen + 1.0

    model = make(agent_classes={"big_tech": Diarist}).run(4)
    assert set(model.agents_by_type[Diarist].get("months_seen")) == {4.0}


def test_a_class_of_another_type_is_refused():
    class Stray(MarketAgent):
        pass

    model = make()
    with pytest.raises(TypeError, match="Stray is not a ModelLab"):
        model.adopt(Stray, model.agents_by_type[ModelLab].select(at_most=1))


def test_labs_make_runs_of_the_lengths_they_weigh(model):
    """What is read on an agent is what the columns say, for a run in progress."""
    running = model.agents_by_type[ModelLab].select(lambda a: a.running)
    assert len(running) > 0
    assert all(0.0 <= a.run_age <= max(RUN_MONTHS) for a in running)
    assert all(a.run_planned > 0.0 for a in running)
