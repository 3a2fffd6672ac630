"""One seed gives equal output whatever the block, the order of worlds, the process, the capacity."""

from __future__ import annotations

import multiprocessing

import numpy as np
import polars as pl
import pytest

from baimo.conf.schema import compose
from baimo.world.ensemble import Ensemble

STEPS = 14
WORLDS = (0, 1, 2, 3, 4, 5)
PANELS = ["output.level=full", "output.panel_worlds=6", "output.edges_every=6"]
#: Populations that must grow several times to hold who comes.
TIGHT = ["population.labs=64", "population.apps=128", "population.max_labs=1024", "population.max_apps=8192"]
ROOMY = ["population.labs=64", "population.apps=4096", "population.max_labs=1024", "population.max_apps=8192"]
#: More founders, so that labs outgrow 128 rows within a year.
RUSH = ["entry_exit.entry_base=6", "app_market.entry_base=60"]


def tables(overrides, worlds, steps=STEPS):
    return Ensemble(compose([*overrides]), worlds).run(steps).tables()


def of_worlds(frames, worlds):
    """Rows of some worlds, by table."""
    return {name: frame.filter(pl.col("replicate").is_in(list(worlds))) for name, frame in frames.items()}


def merged(parts):
    """Tables of several blocks as one, in order of worlds and steps."""
    return {
        name: pl.concat([part[name] for part in parts]).sort("replicate", "step", maintain_order=True)
        for name in parts[0]
    }


def same(left, right):
    assert left.keys() == right.keys()
    for name, frame in left.items():
        other = right[name]
        assert frame.columns == other.columns
        assert frame.height == other.height > 0, f"{name}: {frame.height} and {other.height} rows"
        for column in frame.columns:
            where = frame[column].ne_missing(other[column])
            if where.any():
                first = frame.filter(where).select("replicate", "step", column).head(3)
                raise AssertionError(f"{name}.{column} differs in {where.sum()} rows, first {first.rows()}")


@pytest.fixture(scope="module")
def block():
    """Six worlds in one block, everything recorded."""
    return tables(PANELS, WORLDS)


def test_everything_is_recorded(block):
    assert {"market", "events", "labs", "apps", "vendors", "investors", "edges"} == set(block)
    assert block["market"].height == STEPS * len(WORLDS)
    assert block["market"]["replicate"].unique().to_list() == list(WORLDS)
    assert block["events"]["kind"].n_unique() >= 4


def test_worlds_differ_from_each_other(block):
    for name in ("funding_cn", "labs_alive_cn", "hype"):
        last = block["market"].filter(pl.col("step") == STEPS - 1)[name]
        assert last.n_unique() >= 4, f"{name} is {last.to_list()} in six worlds"


def test_blocks_of_two(block):
    same(block, merged([tables(PANELS, pair) for pair in ((0, 1), (2, 3), (4, 5))]))


def test_unequal_blocks(block):
    same(block, merged([tables(PANELS, part) for part in ((0, 1, 2, 3, 4), (5,))]))


@pytest.mark.parametrize("world", [0, 3, 5])
def test_a_world_alone(block, world):
    same(of_worlds(block, [world]), tables(PANELS, (world,)))


def test_worlds_in_reversed_order(block):
    same(block, tables(PANELS, tuple(reversed(WORLDS))))


def test_worlds_far_away_in_number():
    together = tables(["output.level=labs"], (7, 1_000_003), 4)
    for world in (7, 1_000_003):
        same(of_worlds(together, [world]), tables(["output.level=labs"], (world,), 4))


def test_a_run_is_repeated(block):
    same(of_worlds(block, [2, 4]), tables(PANELS, (2, 4)))


def test_running_in_parts(block):
    ensemble = Ensemble(compose(PANELS), WORLDS[:2])
    ensemble.run(5).tables()
    for _ in range(STEPS - 5):
        ensemble.step()
    same(of_worlds(block, WORLDS[:2]), ensemble.tables())


def _in_process(worlds):
    return tables(PANELS, worlds)


def test_two_processes(block):
    """Started afresh (spawn): nothing may depend on what a process did before."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        parts = pool.map(_in_process, [(0, 1, 2), (3, 4, 5)])
    same(block, merged(parts))


def test_seeds_differ(block):
    other = tables(["seed=2", "output.level=market"], (0, 1))
    for world in (0, 1):
        one = block["market"].filter(pl.col("replicate") == world)
        two = other["market"].filter(pl.col("replicate") == world)
        for name in ("funding_cn", "tokens_day_cn", "labs_alive_cn"):
            assert not one[name].equals(two[name]), f"{name} does not depend on the seed"


def test_seed_and_world_are_not_interchangeable():
    """World 1 of seed 1 is not world 0 of seed 2."""
    one, two = tables(["seed=1"], (1,), 3)["market"], tables(["seed=2"], (0,), 3)["market"]
    assert not one["funding_cn"].equals(two["funding_cn"])


# ---------------------------------------------------------------------- growth of the populations


@pytest.fixture(scope="module")
def grown():
    """Three worlds that outgrow their rows while they share a block."""
    ensemble = Ensemble(compose([*PANELS, *TIGHT, *RUSH]), (0, 1, 2)).run(STEPS)
    return ensemble.tables(), ensemble.world


def test_populations_grow(grown):
    _, world = grown
    assert world.labs.growths >= 1
    assert world.labs.capacity > 64
    assert world.apps.growths >= 2


@pytest.mark.parametrize("world", [0, 1, 2])
def test_a_world_that_grows_alone(grown, world):
    same(of_worlds(grown[0], [world]), tables([*PANELS, *TIGHT, *RUSH], (world,)))


def test_a_growing_neighbour_changes_nothing(grown):
    """Worlds of one block grow together; one that needs no more rows stays what it is alone.

    Founders are few in one of the worlds: alone it never outgrows its rows.
    """
    rates = {"entry_exit.entry_base": (6.0, 0.2), "app_market.entry_base": (60.0, 1.0)}
    config = compose([*PANELS, *TIGHT])
    together = Ensemble(config, (0, 1), rates).run(STEPS)
    quiet = Ensemble(config, (1,), {key: values[1] for key, values in rates.items()}).run(STEPS)
    assert together.world.labs.growths >= 1
    assert quiet.world.labs.growths == 0
    same(of_worlds(together.tables(), [1]), quiet.tables())


def test_room_for_apps_from_the_start_changes_nothing(grown):
    """Rows are no part of the story: with many from the start the histories are equal."""
    same(grown[0], tables([*PANELS, *ROOMY, *RUSH], (0, 1, 2)))


def test_growth_loses_nobody(grown):
    """Identities are unique among the living, and memory by row follows its owner."""
    _, world = grown
    for population in world.populations.values():
        for ids, alive in zip(population.id, population.alive, strict=True):
            assert len(np.unique(ids[alive])) == alive.sum()
            assert (ids[alive] >= 0).all()
    for name, value in vars(world.state).items():
        if isinstance(value, np.ndarray) and value.ndim >= 2 and value.shape[-1] > 32:
            assert value.shape[-1] in {p.capacity for p in world.populations.values()}, (
                f"state.{name} has {value.shape[-1]} rows"
            )
