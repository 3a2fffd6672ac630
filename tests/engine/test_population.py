"""Populations of a toy firm: scalar = batch = lane, entry, growth, exit, special classes."""

from __future__ import annotations

from types import SimpleNamespace

import mesa
import numpy as np
import pytest

from baimo.agents.app import AppStartup
from baimo.agents.base import MarketAgent, decision
from baimo.conf.declare import column
from baimo.world.apps import choice
from baimo.world.engine.arrays import PerAgent, PerAxis, PerCandidate, PerWorld, row_sum, sum_k
from baimo.world.engine.population import (
    FOUNDERS_MOST,
    MAX_ENTRANTS,
    AgentGone,
    Observables,
    Population,
    PopulationFull,
    identities,
)
from baimo.world.engine.random import Streams
from baimo.world.ensemble import Ensemble
from baimo.world.model import HundredModelsWar


class FirmSignals(Observables):
    rivals: PerAgent
    weight: PerAxis
    level: PerWorld
    limit: PerWorld


class Worth(Observables):
    worth: PerCandidate


class Firm(MarketAgent):
    """A firm whose one decision uses all that can differ between one row and many."""

    streams = ("luck", "taste", "leave", "enter", "fifth")
    capacity_key = "max_firms"

    cash = column("CNY million", default=5.0, clears=True)
    stock = column("chips")
    price = column("CNY", default=1.5)
    size = column(dtype=int, default=1, labels=("small", "middle", "large"))
    loud = column(dtype=bool, default=True)
    skill = column(inner="axes", default=0.25, clears=True)

    @decision
    def set_price(firms, market, p):
        """Nothing sensible, but exp, tanh, powers, draws, inner axes and per-world parameters."""
        luck = firms.draws("luck") - firms.draws("fifth")
        strength = sum_k(firms.skill * market.weight) ** p.power
        pull = np.tanh(market.rivals - firms.price) * p.nested.pace + market.level
        firms.price = np.maximum(firms.price * np.exp(pull * luck), p.floor) + strength
        firms.skill = firms.skill * np.exp(-0.1 * market.weight * firms.price)
        firms.loud = firms.price > market.rivals

    @decision
    def close(firms, market, p):
        """The dear close; who closes becomes a Bold in passing."""
        firms.alive = firms.alive & (firms.price < market.limit)
        firms.behaviour = np.ones_like(firms.behaviour)


class Bold(Firm):
    """Prices as others, times ten."""

    @decision
    def set_price(firms, market, p):
        firms.price = 10.0 * firms.price * np.exp(firms.draws("taste")) + market.rivals

    @decision
    def close(firms, market, p):
        firms.stock = firms.stock + 1.0


class Plain(Firm):
    """Overrides in plain Python and for itself."""

    def set_price(self, market):
        if self.price > 2.0:
            self.price = 42.0
        else:
            super().set_price(market)


def make(world_ids, capacity=128, most=1024, classes=(Firm,), seed=3) -> Population:
    """A population in a stand-in for the world, empty."""
    world_ids = np.asarray(world_ids)
    population = Population(Firm, len(world_ids), capacity, most)
    population.classes[:] = classes
    model = mesa.Model(rng=1)
    power = (1.1 + 0.1 * world_ids).reshape(-1, 1)
    population.world = SimpleNamespace(
        streams=Streams(seed, world_ids),
        observed={},
        parameters=SimpleNamespace(power=power, floor=0.01, nested=SimpleNamespace(pace=0.3)),
        agent_at=lambda who, row: who.classes[who.behaviour[0, row]](model, who, row),
        grown=lambda who: None,
    )
    return population


def fill(population: Population, world_ids, number=100) -> None:
    """Firms with values that depend on the world's number alone."""
    for index, identity in enumerate(world_ids):
        rng = np.random.default_rng([7, int(identity)])
        entrants = population.enter(np.full(number, index), np.arange(number), 0)
        entrants.price = rng.lognormal(0.5, 1.0, number)
        entrants.skill = rng.random((3, number))[:, None]
        entrants.cash = rng.normal(10.0, 30.0, number)
        entrants.stock = rng.lognormal(3.0, 4.0, number)


def market(world_ids, capacity=128) -> FirmSignals:
    rngs = [np.random.default_rng([8, int(identity)]) for identity in world_ids]
    return FirmSignals(
        rivals=np.stack([rng.lognormal(0.5, 1.0, capacity) for rng in rngs]),
        weight=np.stack([rng.random(3) for rng in rngs], axis=-1)[..., None],
        level=np.stack([rng.random(1) for rng in rngs]),
        limit=np.full((len(rngs), 1), 2.0),
    )


def same(a: Population, b: Population, worlds_a=slice(None), worlds_b=slice(None)) -> bool:
    """Whether all columns have equal bits."""
    return all(
        np.array_equal(a.columns[name][..., worlds_a, :], b.columns[name][..., worlds_b, :]) for name in a.columns
    )


def filled(world_ids, **how) -> Population:
    population = make(world_ids, **how)
    fill(population, world_ids)
    return population


# ---------------------------------------------------------------------- one, many, lanes


def test_a_selection_of_one_decides_with_the_bits_of_the_batch():
    ids = [0, 1, 2]
    batch, single = filled(ids), filled(ids)
    batch.set_price(market(ids))
    for world in range(3):
        for row in range(100):
            single.select(np.array([world]), np.array([row])).set_price(market(ids))
    alive = batch.alive
    assert alive.sum() == 300
    for name in ("price", "skill", "loud"):
        assert np.array_equal(batch.columns[name][..., alive], single.columns[name][..., alive]), name
    assert not np.array_equal(batch.price, filled(ids).price)


def test_a_mesa_agent_decides_with_the_bits_of_the_batch():
    batch, single = filled([4]), filled([4])
    seen = market([4])
    batch.set_price(seen)
    for row in range(100):
        single.world.agent_at(single, row).set_price(seen)
    assert np.array_equal(batch.price[:, :100], single.price[:, :100])
    assert np.array_equal(batch.skill[..., :100], single.skill[..., :100])


def test_any_selection_decides_with_the_bits_of_the_batch():
    ids = [0, 5]
    batch, some = filled(ids), filled(ids)
    batch.set_price(market(ids))
    mask = some.alive & (np.random.default_rng(0).random(some.alive.shape) < 0.4)
    before = some.price.copy()
    some.where(mask).set_price(market(ids))
    assert np.array_equal(some.price[mask], batch.price[mask])
    assert np.array_equal(some.price[~mask], before[~mask])


@pytest.mark.parametrize("world", [0, 2])
def test_a_world_alone_has_the_bits_of_its_lane(world):
    ids = [3, 8, 11]
    batch, alone = filled(ids), filled([ids[world]])
    for step in range(4):
        for population, numbers in ((batch, ids), (alone, [ids[world]])):
            population.world.streams.step = step
            population.new_step()
            population.set_price(market(numbers))
    assert same(batch, alone, slice(world, world + 1))


def test_reading_gives_columns_never_scalars():
    one = filled([0, 1]).select(np.array([1]), np.array([4]))
    assert one.price.shape == (1, 1) and one.skill.shape == (3, 1, 1)
    assert one.draws("luck").shape == (1, 1)
    seen = one.view(market([0, 1]))
    assert seen.rivals.shape == (1, 1) and seen.weight.shape == (3, 1, 1) and seen.level.shape == (1, 1)
    assert one.view(one.population.world.parameters).nested.pace == 0.3


def test_observables_of_a_selection_are_its_own():
    ids = [0, 1, 2]
    seen = market(ids)
    population = filled(ids)
    worlds, rows = np.array([2, 0]), np.array([7, 9])
    view = population.select(worlds, rows).view(seen)
    assert np.array_equal(view.rivals, [[seen.rivals[2, 7], seen.rivals[0, 9]]])
    assert np.array_equal(view.weight[:, 0], seen.weight[:, [2, 0], 0])
    assert np.array_equal(view.level, [[seen.level[2, 0], seen.level[0, 0]]])
    power = population.select(worlds, rows).view(population.world.parameters).power
    np.testing.assert_allclose(power, [[1.3, 1.1]])


def test_an_agent_asked_alone_sees_the_latest_market():
    first, second = filled([0]), filled([0])
    seen = market([0])
    for population in (first, second):
        population.set_price(seen)
    first.world.agent_at(first, 5).set_price()
    second.world.agent_at(second, 5).set_price(seen)
    assert first.price[0, 5] == second.price[0, 5]


# ---------------------------------------------------------------------- assignment


def test_an_assigned_column_keeps_its_shape_and_type():
    population = filled([0, 1])
    population.cash = 3
    population.size = np.full((2, 1), 2.0)
    assert population.cash.shape == (2, 128) and population.cash.dtype == np.float64
    assert population.size.dtype == np.int64 and np.all(population.size == 2)


def test_a_selection_writes_its_own_rows_only():
    population = filled([0, 1])
    before = population.skill.copy()
    population.select(np.array([1, 0]), np.array([3, 6])).skill = np.array([[[1.0, 2.0]]])
    assert np.all(population.skill[:, 1, 3] == 1.0) and np.all(population.skill[:, 0, 6] == 2.0)
    before[:, 1, 3], before[:, 0, 6] = 1.0, 2.0
    assert np.array_equal(population.skill, before)


def test_assigning_one_column_to_another_copies():
    population = filled([0])
    population.cash = population.price
    population.select(np.array([0]), np.array([2])).cash = -1.0
    assert population.cash[0, 2] == -1.0
    assert population.price[0, 2] != -1.0


def test_an_unknown_column_is_named():
    with pytest.raises(AttributeError, match="Firm has no column or decision 'colour'"):
        make([0]).colour  # noqa: B018


# ---------------------------------------------------------------------- random numbers


def test_an_entrant_more_leaves_the_draws_of_all_others_alone():
    with_it, without = filled([0, 1]), filled([0, 1])
    with_it.enter(np.array([0]), np.array([0]), 1)
    for population, worlds, ordinals in ((with_it, [0, 1], [1, 0]), (without, [0, 1], [1, 0])):
        population.enter(np.array(worlds), np.array(ordinals), 1)
    for stream in Firm.streams:
        a, b = with_it.draws(stream), without.draws(stream)
        for world in range(2):
            for identity in without.id[world][without.alive[world]]:
                here, there = with_it.id[world] == identity, without.id[world] == identity
                assert np.array_equal(a[world, here], b[world, there]), (stream, identity)
    assert with_it.alive.sum() == without.alive.sum() + 1


def test_new_step_draws_anew_and_streams_differ():
    population = filled([0])
    first = population.draws("luck")
    assert np.array_equal(first, population.draws("luck"))
    population.world.streams.step = 1
    population.new_step()
    assert not np.any(population.draws("luck")[0, :100] == first[0, :100])
    assert not np.any(population.draws("luck")[0, :100] == population.draws("fifth")[0, :100])


@pytest.mark.parametrize("stream", Firm.streams)
def test_a_selection_draws_the_same_before_and_after_everybody_has_drawn(stream):
    population = filled([0, 5])
    some = population.select(np.array([1, 0, 1]), np.array([3, 9, 90]))
    before = some.draws(stream)
    everyone = population.draws(stream)
    assert before.shape == (1, 3)
    assert np.array_equal(before, everyone[some.worlds, some.rows][None])
    assert np.array_equal(before, some.draws(stream))


def test_special_classes_draw_from_the_domain_of_their_type():
    assert Firm.domain == Bold.domain == Plain.domain == "Firm"


def test_an_entrant_has_draws_at_once():
    population = filled([0])
    population.draws("luck")
    entrants = population.enter(np.array([0]), np.array([9]), 2)
    expected = population.world.streams.slab("Firm", np.array([[2 * MAX_ENTRANTS + 9]]), 1)[0]
    assert np.array_equal(entrants.draws("luck"), expected)


# ---------------------------------------------------------------------- entry and exit


def test_entrants_take_the_lowest_free_rows():
    population = make([0, 1])
    population.enter(np.repeat([0, 1], [5, 3]), np.r_[0:5, 0:3], 0)
    assert np.flatnonzero(population.alive[0]).tolist() == [0, 1, 2, 3, 4]
    gone = np.zeros((2, 128), dtype=bool)
    gone[0, [1, 3]] = True
    gone[1, 0] = True
    population.bury(gone)
    entrants = population.enter(np.array([0, 0, 0, 1]), np.array([0, 1, 2, 0]), 4)
    assert entrants.worlds.tolist() == [0, 0, 0, 1]
    assert entrants.rows.tolist() == [1, 3, 5, 0]
    assert entrants.id.tolist() == [[4 * MAX_ENTRANTS + k for k in (0, 1, 2, 0)]]
    assert np.all(entrants.founded == 4) and np.all(entrants.alive)
    assert population.alive.sum(-1).tolist() == [6, 3]
    # Nobody else has moved.
    assert population.id[0, [0, 2, 4]].tolist() == [0, 2, 4]


def test_ids_of_crowds_belong_to_one_agent_each():
    usual = np.arange(3 * MAX_ENTRANTS)
    founders = np.r_[usual, FOUNDERS_MOST - 2, FOUNDERS_MOST - 1]
    ids = [identities(0, founders), *(identities(step, usual) for step in (1, 2, 3, 300, 16000))]
    together = np.concatenate(ids)
    assert len(np.unique(together)) == len(together)
    assert together.min() == 0 and together.max() == 2**32 - 1
    # Nobody whom there was room for before has another number.
    assert np.array_equal(identities(5, usual[:MAX_ENTRANTS]), 5 * MAX_ENTRANTS + usual[:MAX_ENTRANTS])


def test_entry_resets_every_column():
    population = filled([0, 1])
    for name, each in population.declared.items():
        population.columns[name][...] = {float: 77.0, int: 2, bool: not each.default}[each.dtype]
    population.alive = ~((np.arange(2)[:, None] == 1) & (np.arange(128) == 9))
    entrants = population.enter(np.array([1]), np.array([3]), 6)
    assert entrants.rows.tolist() == [9]
    own = {"id": 6 * MAX_ENTRANTS + 3, "founded": 6, "alive": True}
    for name, each in population.declared.items():
        assert np.all(getattr(entrants, name) == own.get(name, each.default)), name
        others = np.delete(population.columns[name], 9, axis=-1)
        assert np.all(others == others.ravel()[0]), name


def test_burying_clears_what_enters_sums_and_leaves_a_tombstone():
    population = filled([0])
    price = population.price[0, 4]
    gone = np.zeros((1, 128), dtype=bool)
    gone[0, 4] = True
    kept = population.cash[0, :4].copy()
    population.bury(gone)
    assert not population.alive[0, 4] and population.alive[0, 3]
    assert population.cash[0, 4] == 5.0 and np.all(population.skill[:, 0, 4] == 0.25)
    assert population.price[0, 4] == price and population.id[0, 4] == 4
    assert np.array_equal(population.cash[0, :4], kept)
    assert population.skill.dtype == np.float64


def test_growth_keeps_rows_and_the_bits_of_sums():
    ids = [0, 1, 2]
    population = filled(ids)
    before = {name: each.copy() for name, each in population.columns.items()}
    total = {name: row_sum(population.columns[name]) for name in ("stock", "id")}
    assert population.growths == 0
    population.enter(np.zeros(500, dtype=int), np.arange(500), 1)
    # By an eighth, or by one step of rows where that is more: from 128 by 16 eight times, then by 32, ...
    assert population.capacity == 656 and population.growths == 17
    for name, old in before.items():
        assert population.columns[name].shape == (*old.shape[:-1], 656)
        assert population.columns[name].dtype == old.dtype
        assert np.array_equal(population.columns[name][..., :100], old[..., :100]), name
    assert np.array_equal(row_sum(population.stock), total["stock"])
    assert population.alive.sum(-1).tolist() == [600, 100, 100]


def test_a_grown_population_decides_with_the_bits_of_a_small_one():
    small, large = filled([2]), filled([2], capacity=512)
    small.set_price(market([2]))
    wide = market([2], 512)
    wide.rivals[:, :128] = market([2]).rivals
    wide.weight, wide.level = market([2]).weight, market([2]).level
    large.set_price(wide)
    assert np.array_equal(small.price[:, :100], large.price[:, :100])
    assert np.array_equal(
        row_sum(np.where(small.alive, small.price, 0.0)), row_sum(np.where(large.alive, large.price, 0.0))
    )


def test_a_full_population_says_what_to_raise():
    population = make([0, 1], capacity=128, most=256)
    population.enter(np.zeros(256, dtype=int), np.arange(256), 0)
    message = "no free row for a new Firm: 256 rows are in use; raise population.max_firms (now 256)"
    with pytest.raises(PopulationFull) as error:
        population.enter(np.array([0]), np.array([0]), 1)
    assert str(error.value) == message
    population.enter(np.array([1]), np.array([0]), 1)  # the other world has room


# ---------------------------------------------------------------------- views


def test_a_view_reads_numbers_names_and_tuples():
    population = filled([0])
    firm = population.world.agent_at(population, 3)
    assert type(firm.price) is float and firm.price == population.price[0, 3]
    assert firm.size == "middle" and firm.loud is True and firm.id == 3
    assert firm.skill == tuple(population.skill[:, 0, 3])
    firm.size = "large"
    firm.price = 9.5
    firm.skill = (1.0, 2.0, 3.0)
    assert population.size[0, 3] == 2 and population.price[0, 3] == 9.5
    assert population.skill[:, 0, 3].tolist() == [1.0, 2.0, 3.0]
    assert population.price[0, 2] != 9.5


def test_a_view_of_a_dead_agent_raises_even_when_its_row_is_taken_again():
    population = filled([0])
    firm = population.world.agent_at(population, 3)
    gone = np.zeros((1, 128), dtype=bool)
    gone[0, 3] = True
    population.bury(gone)
    with pytest.raises(AgentGone, match="Firm with id 3 has left the market"):
        firm.price  # noqa: B018
    assert population.enter(np.array([0]), np.array([0]), 1).rows.tolist() == [3]
    with pytest.raises(AgentGone):
        firm.price  # noqa: B018
    with pytest.raises(AgentGone):
        firm.set_price(market([0]))
    assert population.world.agent_at(population, 3).price == 1.5


# ---------------------------------------------------------------------- special classes


def test_special_classes_decide_for_their_own_rows_in_any_number_of_worlds():
    ids = [0, 1, 2]
    mixed, usual = filled(ids, classes=(Firm, Bold)), filled(ids)
    start = filled(ids)
    bold = mixed.alive & (np.arange(128) % 3 == 1)
    mixed.behaviour = np.where(bold, 1, 0)
    seen = market(ids)
    mixed.set_price(seen)
    usual.set_price(seen)
    others = mixed.alive & ~bold
    assert np.array_equal(mixed.price[others], usual.price[others])
    expected = 10.0 * start.price * np.exp(start.draws("taste")) + seen.rivals
    assert np.array_equal(mixed.price[bold], expected[bold])
    assert np.array_equal(mixed.skill[:, bold], start.skill[:, bold])
    assert np.array_equal(mixed.price[~mixed.alive], start.price[~mixed.alive])


def test_a_special_mesa_agent_decides_its_own_way():
    population = filled([0], classes=(Firm, Bold))
    population.behaviour = (np.arange(128) == 6).astype(int)
    seen = market([0])
    start = population.price[0, 6]
    taste = population.draws("taste")[0, 6]
    agent = population.world.agent_at(population, 6)
    assert isinstance(agent, Bold)
    agent.set_price(seen)
    assert agent.price == pytest.approx(10.0 * start * np.exp(taste) + seen.rivals[0, 6])


def test_nobody_decides_twice():
    population = filled([0], classes=(Firm, Bold))
    bold = population.alive & (np.arange(128) < 10)
    population.behaviour = bold.astype(int)
    stock, price = population.stock.copy(), population.price.copy()
    population.close(market([0]))
    # Firms that became Bold while deciding are not asked again as Bolds, nor are the dead.
    assert np.array_equal(population.stock[bold], stock[bold] + 1.0)
    assert np.array_equal(population.stock[~bold], stock[~bold])
    assert np.array_equal(population.alive[0, 10:100], price[0, 10:100] < 2.0)
    assert population.alive[bold].all()


def test_among_restricts_who_decides():
    population, everyone = filled([0, 1]), filled([0, 1])
    before = population.price.copy()
    among = np.arange(128)[None] % 2 == 0
    population.set_price(market([0, 1]), among=among)
    everyone.set_price(market([0, 1]))
    chosen = population.alive & among
    assert np.array_equal(population.price[chosen], everyone.price[chosen])
    assert np.array_equal(population.price[~chosen], before[~chosen])


def test_plain_python_runs_agent_by_agent_in_one_world():
    population, usual = filled([0], classes=(Firm, Plain)), filled([0])
    plain = population.alive & (np.arange(128) < 40)
    population.behaviour = plain.astype(int)
    before = population.price.copy()
    population.set_price(market([0]))
    usual.set_price(market([0]))
    dear = plain & (before > 2.0)
    assert 0 < dear.sum() < 40
    assert np.all(population.price[dear] == 42.0)
    rest = population.alive & ~dear  # by super(), with the same bits
    assert np.array_equal(population.price[rest], usual.price[rest])


def test_plain_python_is_refused_for_many_worlds():
    population = filled([0, 1], classes=(Firm, Plain))
    population.set_price(market([0, 1]))  # nobody of that class lives
    population.behaviour = (population.alive & (np.arange(128) < 4)).astype(int)
    with pytest.raises(TypeError, match=r"set_price .* there are 2 worlds: decorate it with @decision"):
        population.set_price(market([0, 1]))


def test_a_selection_of_special_agents_decides_their_way():
    mixed, whole = (filled([0, 1], classes=(Firm, Bold)) for _ in range(2))
    for population in (mixed, whole):
        population.behaviour = population.alive & (np.arange(128) % 2 == 1)
    whole.set_price(market([0, 1]))
    mixed.where(mixed.alive).set_price(market([0, 1]))
    assert np.array_equal(mixed.price[mixed.alive], whole.price[whole.alive])


def test_columns_are_declared_bases_first():
    names = list(Firm.declared_columns())
    assert names[:4] == ["id", "alive", "founded", "behaviour"]
    assert set(Firm.declared_decisions()) == {"set_price", "close"}
    assert Bold.declared_columns() == Firm.declared_columns()


# ---------------------------------------------------------------------- decisions of some, on what they alone look at


class Restless(AppStartup):
    """An app that never changes its base, all such apps at once."""

    @decision
    def choose_bases(apps, market, p):
        apps.coupling = apps.coupling + market.candidate_utility.max(0) * 0.0 + 1.0


class PlainRestless(AppStartup):
    """The same, app by app."""

    def choose_bases(self, market):
        assert market.candidate_utility.ndim == 3
        self.coupling = self.coupling + 1.0


@pytest.mark.parametrize("special", [Restless, PlainRestless])
def test_special_apps_among_those_who_choose_see_what_was_worked_out_for_some(special):
    model = HundredModelsWar(rng=0).run(12)
    apps = model.world.apps
    index = apps.add_class(special)
    special_rows = apps.alive & (np.arange(apps.capacity) % 2 == 0)
    apps.behaviour = np.where(special_rows, index, apps.behaviour)
    base, coupling = apps.base_id[0].copy(), apps.coupling.copy()
    choice.choose_bases(model.world)
    asked = apps.coupling == coupling + 1.0
    assert asked.any() and not (asked & ~special_rows).any()
    assert np.array_equal(apps.base_id[0][special_rows], base[special_rows])
    assert (apps.base_id[0] != base)[apps.alive & ~special_rows].any()


def test_nobody_chooses_where_nobody_is_asked():
    ensemble = Ensemble(["output.level=market"], [0]).run(6)
    apps = ensemble.world.apps
    before = {name: each.copy() for name, each in apps.columns.items()}
    nobody = apps.where(apps.alive & False)
    apps.choose_bases(among=nobody)
    assert all(np.array_equal(each, before[name]) for name, each in apps.columns.items())


def test_what_was_worked_out_for_some_is_spread_out_for_others():
    ensemble = Ensemble(["output.level=market"], range(3)).run(2)
    apps = ensemble.world.apps
    some = apps.where(apps.alive)
    seen = Worth(worth=some.only(np.arange(2.0 * len(some.rows)).reshape(2, -1), -1.0))
    assert np.array_equal(some.view(seen).worth[:, 0], np.arange(2.0 * len(some.rows)).reshape(2, -1))
    other = apps.select(some.worlds[::-1].copy(), some.rows[::-1].copy())
    assert np.array_equal(other.view(seen).worth[:, 0], some.view(seen).worth[:, 0, ::-1])
    assert seen.worth.shape == (2, *apps.alive.shape) and (seen.worth[:, ~apps.alive] == -1.0).all()
    with pytest.raises(AttributeError, match="nothing"):
        _ = seen.nothing


@pytest.mark.parametrize("fields", [{}, {"worth": 1.0, "unknown": 2.0}])
def test_observables_take_their_declared_fields_and_no_others(fields):
    with pytest.raises(TypeError, match=r"worth|unknown"):
        Worth(**fields)
