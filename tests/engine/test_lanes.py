"""One agent alone, the batch over a world, and the lane of an ensemble decide alike, bit for bit.

Every decision that an agent type declares is caught in the act while an ensemble of three
worlds runs: what the agents were, what they saw, what they became. The same decision is then
taken again by single agents, by pairs, and by everybody. A new decision is covered without a
line here.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from baimo.agents import ModelLab
from baimo.agents.base import decision
from baimo.agents.lab.market import PriceSignals
from baimo.conf.schema import compose
from baimo.world.engine.population import Population, Selection
from baimo.world.ensemble import Ensemble
from baimo.world.model import HundredModelsWar
from baimo.world.setup import AGENT_TYPES

WORLDS = (0, 1, 5)
#: Steps in which decisions are caught: one in the first rush, one after the first deaths.
CAUGHT = (3, 9)
DECISIONS = [(kind, name) for kind, agent in AGENT_TYPES.items() for name in agent.declared_decisions()]
#: Parameters that differ from world to world: a decision reads them through a view, too.
SPREAD = {
    "model_market.price_sensitivity": (1.6, 2.0, 2.5),
    "capital.runway_trigger": (8.0, 12.0, 20.0),
    "technology.inheritance": (0.5, 0.7, 0.9),
}


@dataclass
class Caught:
    """One call of a decision."""

    population: Population
    step: int
    worlds: Any  # None: everybody decided
    rows: Any
    observed: tuple
    before: dict[str, np.ndarray]
    after: dict[str, np.ndarray]


def arrays(observables):
    """What can be seen, by name; of what was worked out for some only, what it is for them."""
    seen = dict(vars(observables))
    return seen | {name: each.values for name, each in seen.pop("subsets").items()}


def copied(columns):
    return {name: array.copy() for name, array in columns.items()}


def catch(monkeypatch, ensemble, steps):
    """Run an ensemble and keep all calls of decisions in some steps: ``{(type, name): [Caught]}``."""
    calls: dict[tuple[str, str], list[Caught]] = {}
    genuine = decision.run
    names = {id(population): kind for kind, population in ensemble.world.populations.items()}

    def watched(self, agents, observed):
        population = agents if isinstance(agents, Population) else agents.population
        if population.world.step_number not in steps:
            return genuine(self, agents, observed)
        selected = isinstance(agents, Selection)
        before, seen = copied(population.columns), copy.deepcopy(observed)
        genuine(self, agents, observed)
        caught = Caught(
            population,
            population.world.step_number,
            agents.worlds.copy() if selected else None,
            agents.rows.copy() if selected else None,
            seen,
            before,
            copied(population.columns),
        )
        calls.setdefault((names[id(population)], self.name), []).append(caught)
        return None

    with monkeypatch.context() as patch:
        patch.setattr(decision, "run", watched)
        ensemble.run(max(steps) + 1)
    return calls


@pytest.fixture(scope="module")
def lanes():
    """Decisions of three worlds together, with parameters of their own, and of each world alone."""
    patch = pytest.MonkeyPatch()
    config = compose(["output.level=market"])
    together = catch(patch, Ensemble(config, WORLDS, SPREAD), CAUGHT)
    alone = {
        identity: catch(patch, Ensemble(config, (identity,), {k: v[w] for k, v in SPREAD.items()}), CAUGHT)
        for w, identity in enumerate(WORLDS)
    }
    return together, alone


def again(caught: Caught, worlds=None, rows=None, name: str = "") -> dict[str, np.ndarray]:
    """Take a decision again, by some rows or (None) by everybody; returns the columns after it."""
    population, world = caught.population, caught.population.world
    now, step = dict(population.columns), world.streams.step
    population.columns.update(copied(caught.before))
    world.streams.step = caught.step
    population.new_step()
    try:
        agents = population if worlds is None else population.select(np.atleast_1d(worlds), np.atleast_1d(rows))
        getattr(population.agent_class, name).run(agents, caught.observed)
        return dict(population.columns)
    finally:
        population.columns.update(now)
        world.streams.step = step
        population.new_step()


def decided(caught: Caught) -> np.ndarray:
    """Living rows that were asked, ``(worlds, rows)``."""
    asked = caught.before["alive"].copy()
    if caught.worlds is not None:
        some = np.zeros_like(asked)
        some[caught.worlds, caught.rows] = True
        asked &= some
    return asked


def changed(caught: Caught) -> np.ndarray:
    """Rows in which the decision changed any column, ``(worlds, rows)``."""
    return changes(caught.before, caught.after)


def changes(before, after) -> np.ndarray:
    return np.any([(before[n] != after[n]).reshape(-1, *before["alive"].shape).any(0) for n in before], axis=0)


def sample(mask: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    worlds, rows = np.nonzero(mask)
    chosen = np.random.default_rng(seed).permutation(len(rows))[:count]
    return worlds[chosen], rows[chosen]


def calls_of(calls: dict, kind: str, name: str) -> list[Caught]:
    if (kind, name) not in calls:
        pytest.skip(f"{kind}.{name} is never taken (test_it_is_taken_in_a_run fails)")
    return calls[kind, name]


def some_rows(caught: Caught, seed: int) -> list[tuple[int, int]]:
    """Living rows that were asked: half of them such as the decision changed."""
    asked, moved = decided(caught), changed(caught)
    first = zip(*sample(asked & moved, 5, seed), strict=True)
    rest = zip(*sample(asked & ~moved, 5, seed + 1), strict=True)
    return [*first, *rest]


def same(left: dict, right: dict, at_left: tuple, at_right: tuple, what: str) -> None:
    """Every column has equal bits at the given (worlds, rows)."""
    for name, array in left.items():
        one = array[(..., *at_left)]
        two = right[name][(..., *at_right)]
        assert one.tobytes() == two.tobytes(), f"{what}: {name} differs: {one} and {two}"


@pytest.mark.parametrize(("kind", "name"), DECISIONS, ids=[f"{kind}.{name}" for kind, name in DECISIONS])
class TestEveryDecision:
    """Each decision of each agent type."""

    def test_it_is_taken_in_a_run(self, lanes, kind, name):
        calls = lanes[0].get((kind, name), [])
        assert {caught.step for caught in calls} == set(CAUGHT), f"{kind}.{name} is never asked for"
        assert any(decided(caught).any() for caught in calls)

    def test_one_agent_decides_as_the_batch(self, lanes, kind, name):
        for caught in calls_of(lanes[0], kind, name):
            for world, row in some_rows(caught, seed=1):
                here = (np.array([world]), np.array([row]))
                result = again(caught, world, row, name)
                same(caught.after, result, here, here, f"{kind}.{name} of row {row} in world {world}")
                others = changes(caught.before, result)
                others[world, row] = False
                assert not others.any(), f"{kind}.{name} of one agent changed other agents"

    def test_two_agents_of_different_worlds_decide_as_the_batch(self, lanes, kind, name):
        for caught in calls_of(lanes[0], kind, name):
            rows = some_rows(caught, seed=7)
            for pair in zip(rows, reversed(rows), strict=True):
                worlds, two = (np.array(each) for each in zip(*dict.fromkeys(pair), strict=True))
                result = again(caught, worlds, two, name)
                same(caught.after, result, (worlds, two), (worlds, two), f"{kind}.{name} of rows {pair}")

    def test_a_world_alone_decides_as_its_lane(self, lanes, kind, name):
        together, alone = lanes
        for w, identity in enumerate(WORLDS):
            pairs = zip(calls_of(together, kind, name), calls_of(alone[identity], kind, name), strict=True)
            for caught, single in pairs:
                rows = np.nonzero(caught.before["alive"][w])[0]
                assert (np.nonzero(single.before["alive"][0])[0] == rows).all()
                here, there = (np.full_like(rows, w), rows), (np.zeros_like(rows), rows)
                same(caught.after, single.after, here, there, f"{kind}.{name} in world {identity}")
                for row in rows[:: max(len(rows) // 4, 1)]:
                    result = again(single, 0, row, name)
                    one, two = (np.array([w]), np.array([row])), (np.array([0]), np.array([row]))
                    same(caught.after, result, one, two, f"{kind}.{name} of row {row} alone in world {identity}")

    def test_whom_it_does_not_matter_to_may_be_asked_too(self, lanes, kind, name):
        """``among`` saves work and nothing else: everybody may decide with equal results."""
        for caught in calls_of(lanes[0], kind, name):
            result = again(caught, None, None, name)
            asked = np.nonzero(decided(caught))
            same(caught.after, result, asked, asked, f"{kind}.{name} of everybody")
            spared = np.nonzero(caught.before["alive"] & ~decided(caught))
            same(caught.before, result, spared, spared, f"{kind}.{name} of those who were not asked")

    def test_deciding_leaves_what_others_see_alone(self, lanes, kind, name):
        """Observables are frozen, and no decision writes into them, even row by row."""
        caught = calls_of(lanes[0], kind, name)[-1]
        seen = copy.deepcopy(caught.observed)
        for world, row in some_rows(caught, seed=3):
            again(caught, world, row, name)
        again(caught, None, None, name)
        for left, right in zip(seen, caught.observed, strict=True):
            for key, value in arrays(left).items():
                assert np.array_equal(value, arrays(right)[key], equal_nan=True), f"{kind}.{name} writes into {key}"


def test_decisions_do_something(lanes):
    """The catch is not empty: nearly all decisions change somebody in one of the steps."""
    idle = [key for key, calls in lanes[0].items() if not any((changed(c) & decided(c)).any() for c in calls)]
    assert len(idle) <= 3, f"nobody decided anything in {idle}"


def test_no_observable_is_a_column_that_the_decision_writes(monkeypatch):
    """A row-by-row decision must not see what earlier rows decided: no memory is shared."""
    shared = []
    genuine = decision.run

    def watched(self, agents, observed):
        population = agents if isinstance(agents, Population) else agents.population
        before = dict(population.columns)
        seen = copied(before)
        genuine(self, agents, observed)
        for each in observed:
            for key, value in arrays(each).items():
                for name, array in before.items():
                    written = not np.array_equal(population.columns[name], seen[name])
                    if written and isinstance(value, np.ndarray) and np.shares_memory(value, array):
                        shared.append(f"{type(population).__name__}.{self.name}: {key} is the column {name}")

    with monkeypatch.context() as patch:
        patch.setattr(decision, "run", watched)
        Ensemble(["output.level=market"], (0,)).run(3)
    assert not shared, shared


# ---------------------------------------------------------------------- through Mesa


@pytest.fixture(scope="module")
def model():
    """One world after some months, with its views."""
    return HundredModelsWar(
        rng=3, overrides=["output.level=market", "population.labs=256", "population.apps=2048"]
    ).run(9)


@pytest.mark.parametrize(("kind", "name"), DECISIONS, ids=[f"{kind}.{name}" for kind, name in DECISIONS])
def test_a_mesa_agent_decides_as_the_batch(model, kind, name):
    population = model.world.populations[kind]
    memory = model.world.observed.get((population.agent_class.__name__, name))
    if memory is None:
        pytest.skip(f"{kind}.{name} is never taken (test_it_is_taken_in_a_run fails)")
    before = copied(population.columns)
    try:
        population.columns.update(copied(before))
        population.decide(name, *memory)
        after = dict(population.columns)
        population.columns.update(copied(before))
        agents = [agent for agent in model.agents if agent.population is population]
        assert len(agents) == population.alive.sum()
        for agent in agents[:: max(len(agents) // 8, 1)]:
            getattr(agent, name)(*memory)
            here = (np.array([0]), np.array([agent.row]))
            same(after, population.columns, here, here, f"{kind}.{name} of {agent}")
            population.columns.update(copied(before))
            getattr(agent, name)()  # sees what was seen last
            same(after, population.columns, here, here, f"{kind}.{name} of {agent}, asked without a market")
            population.columns.update(copied(before))
    finally:
        population.columns.update(before)


def test_a_mesa_lab_sets_its_price_in_a_market_of_ones_own(model):
    """The call of the architecture: ``lab.set_price(market)`` moves this lab, by its own elements."""
    labs = model.world.labs
    before = copied(labs.columns)
    share, none, all_of_them = np.linspace(0.01, 0.5, labs.capacity)[None], np.zeros((1, 1)), np.ones((1, 1), bool)
    market = PriceSignals(
        **{name: none for name in ("captive", "cost_fall", "price_life", "price_floor", "going_price", "host_markup")},
        **{"considers": all_of_them, "fresh": all_of_them, "share": share, "nest_share": share, "sale_worth": share},
        **{"use_elasticity": none + 0.5, "room": none + 1e9, "loss_most": none + 1e9},
        **{"subscriber_cost": share, "subscriber_worth": 50.0 * share},
    )
    labs.set_price(market)
    after = dict(labs.columns)
    labs.columns.update(copied(before))
    agents = list(model.agents_by_type[ModelLab])
    for lab in agents[:5]:
        lab.set_price(market)
        assert lab.price_flagship == after["price_flagship"][0, lab.row]
        assert lab.price_light == after["price_light"][0, lab.row]
    moved = {int(row) for row in np.nonzero(changes(before, labs.columns)[0])[0]}
    assert moved <= {lab.row for lab in agents[:5]}
    labs.columns.update(before)
