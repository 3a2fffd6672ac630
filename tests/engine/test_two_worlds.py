"""Two worlds with one seed differ where somebody meets the difference, and nowhere else.

An agent more that nobody can meet changes no bit of anybody else's life (nobody draws another's
random numbers, nobody is counted who does nothing); two policy arms are one history until the
day on which the policies differ.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from omegaconf import OmegaConf

from baimo.agents import Investor, ModelLab, decision
from baimo.agents.enums import ARCHETYPES, CN, INDUSTRY, PLATFORM
from baimo.conf.schema import compose
from baimo.world.engine.population import MAX_ENTRANTS
from baimo.world.ensemble import Ensemble
from baimo.world.record.outputs_inequality import best_base, differences_of_labs

#: Nobody knows anybody, and no investor comes unasked.
STRANGERS = ["graph=empty", "capital.inbound=0", "capital.inbound_fame=0", "output.level=labs"]
# Rows enough, so that a stranger in the last one makes nobody grow earlier.
STRANGERS += ["population.labs=256", "population.apps=2048"]
STEPS = 12
#: Columns that say how the labs of CN differ from each other.
DIFFERENCES = {each.name for each in (*best_base.outputs[1:], *differences_of_labs.outputs)}


class Hermit(ModelLab):
    """A lab that lives and does nothing."""


class IdleInvestor(Investor):
    """A fund without money."""


def do_nothing(agents, *observed):
    """A decision that decides nothing."""


for _name in ModelLab.declared_decisions():
    _idle = decision(do_nothing)
    setattr(Hermit, _name, _idle)
    _idle.__set_name__(Hermit, _name)


def settle(world, name, **columns):
    """Put one agent into the last row of a population, in every world; returns the row."""
    population = world.populations[name]
    row = population.capacity - 1
    assert not population.alive[:, row].any()
    fresh = {column: declared.default for column, declared in population.declared.items()}
    for column, value in {**fresh, "id": MAX_ENTRANTS - 1, "alive": True, **columns}.items():
        population.columns[column][..., row] = value
    population.new_step()
    return row


def hermit(world):
    index = world.labs.add_class(Hermit)
    follower = ARCHETYPES.index("follower")
    return settle(world, "labs", behaviour=index, region=CN, archetype=follower, log_efficiency=-5.0, standing=-1e3)


def platform(world):
    return settle(world, "vendors", kind=PLATFORM, region=CN)


def fund(world):
    return settle(world, "investors", kind=0, region=CN)


def authority(world):
    return settle(world, "regulators", kind=INDUSTRY, region=CN)


NEWCOMERS = {"labs": hermit, "vendors": platform, "investors": fund, "regulators": authority}


@pytest.fixture(scope="module")
def without():
    return Ensemble(compose(STRANGERS), (0, 1)).run(STEPS)


def equal(left, right):
    return np.array_equal(left, right, equal_nan=left.dtype.kind == "f")


@pytest.mark.parametrize("kind", list(NEWCOMERS))
def test_an_agent_that_nobody_meets_changes_nothing(without, kind):
    ensemble = Ensemble(compose(STRANGERS), (0, 1))
    row = NEWCOMERS[kind](ensemble.world)
    ensemble.run(STEPS)
    one, two = without.world, ensemble.world
    assert two.populations[kind].alive[:, row].all(), "the newcomer is gone"
    assert two.populations[kind].cash[:, row].tolist() == [0.0, 0.0]
    for name, population in one.populations.items():
        others = population.alive
        there = two.populations[name].alive.copy()
        if name == kind:
            there[:, row] = False
        assert equal(others, there), f"{name}: others live or die"
        for column, array in population.columns.items():
            there = two.populations[name].columns[column]
            assert equal(array[..., others], there[..., others]), f"{name}.{column} of others differs"
    for name, array in vars(one.state).items():
        if isinstance(array, np.ndarray):
            there = getattr(two.state, name)
            # What is remembered by row is compared for those who were there: rows of nobody mean nothing.
            owners = [p for p in one.populations.values() if p.alive.shape == array.shape[-2:]]
            some = np.any([p.alive & (p.founded < STEPS) for p in owners], axis=0) if owners else array == array
            some = some.reshape(-1, *array.shape[-2:])[0]
            assert equal(array[..., some], there[..., some]), f"state.{name} differs"
    counted = {"labs_alive_cn", "labs_follower_cn", "labs_from_scratch_cn"} if kind == "labs" else set()
    left, right = without.tables()["market"], ensemble.tables()["market"]
    for name in left.columns:
        if name in counted:
            extra = right[name] - left[name]
            assert extra.min() == extra.max(), f"{name} counts the hermit by {extra.unique().to_list()}"
        elif kind != "labs" or name not in DIFFERENCES:  # how labs differ counts the hermit, too
            assert left[name].equals(right[name]), f"market.{name} differs"


def test_the_hermit_would_be_noticed_if_it_did_something(without):
    """The comparison is sharp: one person more in one pool shows everywhere."""
    ensemble = Ensemble(compose(STRANGERS), (0, 1))
    row = hermit(ensemble.world)
    ensemble.world.labs.columns["staff"][2, :, row] = 1.0
    ensemble.run(STEPS)
    assert not equal(without.world.labs.staff[..., :row], ensemble.world.labs.staff[..., :row])


def test_a_lab_more_among_friends_changes_something():
    """Where people know each other a lab with know-how does change its neighbours."""
    config = compose(["output.level=market"])
    one, two = Ensemble(config, (0,)).run(6), Ensemble(config, (0,))
    row = hermit(two.world)
    two.world.labs.columns["log_efficiency"][..., row] = 3.0
    two.run(6)
    assert not equal(one.world.labs.log_efficiency[..., :row], two.world.labs.log_efficiency[..., :row])


# ---------------------------------------------------------------------- policy arms


def arm(change=lambda policy: None, overrides=()):
    config = compose(["output.level=labs", *overrides])
    OmegaConf.set_readonly(config, False)
    change(config.policy)
    return config


def rule_of_2024(policy):
    policy.embargo.rules.append({"date": "2024-02-01", "tpp_least": 100})


def announced_rule_of_2024(policy):
    policy.embargo.rules.append({"date": "2024-03-01", "announced": "2024-02-01", "tpp_least": 100})


def enforcement_of_2024(policy):
    policy.embargo.enforcement.append({"date": "2024-02-01", "strength": 0.9})


def licensing_of_2024(policy):
    late = {"date": "2024-02-01", "enforced": 0.0, "beta": 1.0, "capacity": 60, "stringency": 0.1}
    policy.licensing.phases.append(late)


def border_of_2024(policy):
    policy.data.cross_border = [e for e in policy.data.cross_border if e.date < "2024"]
    policy.data.cross_border.append({"date": "2024-02-01", "strength": 1.0})


def news_of_2024(policy):
    policy.news.append({"date": "2024-02-10", "size": 0.3, "what": "something happens"})


def champion_of_2024(policy):
    policy.open_source.since = "2024-02-01"
    policy.open_source.champion = "none"


def mandate_of_2024(policy):
    policy.open_source.since = "2024-02-01"
    policy.open_source.mandate_above = 0.0


ARMS = [
    rule_of_2024,
    announced_rule_of_2024,
    enforcement_of_2024,
    licensing_of_2024,
    border_of_2024,
    news_of_2024,
    champion_of_2024,
    mandate_of_2024,
]
#: 2024-02 is the fifteenth month.
CHANGE = 14


@pytest.fixture(scope="module")
def history():
    return Ensemble(arm(), (0, 1)).run(CHANGE + 8).tables()


@pytest.mark.parametrize("change", ARMS, ids=lambda f: f.__name__)
def test_two_arms_are_one_history_until_the_policies_differ(history, change):
    tables = Ensemble(arm(change), (0, 1)).run(CHANGE + 8).tables()
    for name in ("market", "labs", "events"):
        before = pl.col("step") < CHANGE
        assert history[name].filter(before).equals(tables[name].filter(before)), f"{name} differs too early"
    after = pl.col("step") >= CHANGE
    assert not history["market"].filter(after).equals(tables["market"].filter(after)), "the policy does nothing"


def test_the_embargo_scenario_starts_from_the_same_world():
    """Arms without and with the embargo have the same agents, with the same luck, on the first day."""
    one, two = (Ensemble(compose([f"scenario={s}"]), (0, 3)) for s in ("baseline", "no_embargo"))
    for name, population in one.world.populations.items():
        for column, array in population.columns.items():
            assert equal(array, two.world.populations[name].columns[column]), f"{name}.{column}"
        for stream in population.agent_class.streams:
            there = two.world.populations[name].draws(stream)
            assert equal(population.draws(stream), there), f"draws of {name}.{stream}"
    one.run(6), two.run(6)
    assert not one.tables()["market"].equals(two.tables()["market"])


def test_luck_belongs_to_the_agent_in_both_arms():
    """After a year of another policy the agents that live in both arms still draw the same numbers."""
    one, two = (Ensemble(compose([f"scenario={s}"]), (0,)).run(12) for s in ("baseline", "no_embargo"))
    for kind in ("labs", "apps"):
        draws = []
        for ensemble in (one, two):
            population = ensemble.world.populations[kind]
            population.world.streams.step = 12
            population.new_step()
            stream = population.agent_class.streams[0]
            ids, luck = population.id[0], population.draws(stream)[0]
            draws.append({int(ids[r]): luck[r] for r in np.nonzero(population.alive[0])[0]})
        both = set(draws[0]) & set(draws[1])
        assert len(both) > 50
        assert all(draws[0][i] == draws[1][i] for i in both)


def test_common_luck_makes_arms_alike():
    """The difference between arms is far smaller with one seed than with two."""
    config = [compose([f"scenario={s}", "output.level=market"]) for s in ("baseline", "no_embargo")]
    worlds = range(12)
    one, two = (Ensemble(c, worlds).run(4).tables()["market"].filter(pl.col("step") == 3) for c in config)
    for name in ("funding_cn", "labs_alive_cn", "app_entries_cn"):
        left, right = one[name].to_numpy(), two[name].to_numpy()
        paired = np.mean((left - right) ** 2)
        mixed = np.mean((left - np.roll(right, 1)) ** 2)
        assert paired < 0.5 * mixed, f"{name}: {paired:g} paired, {mixed:g} with other luck"
