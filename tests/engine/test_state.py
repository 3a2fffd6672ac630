"""The world's memory: declared by the districts, in the declared shapes, as wide as the populations."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from polars.testing import assert_frame_equal

from baimo.conf.declare import DTYPES, Memory, flow, stock
from baimo.conf.schema import compose
from baimo.world.engine.state import State, collect
from baimo.world.ensemble import Ensemble
from baimo.world.setup import own_memories

ROOT = Path(__file__).resolve().parents[2]
DECLARED = collect(own_memories())
#: What is remembered for the balance of chips, which the tests draw up.
BALANCES = {"chips_made", "chips_worn", "chips_start"}


def shapes_hold(world) -> None:
    for name, memory in DECLARED.items():
        value = getattr(world.state, name)
        for each in value if memory.kind == "history" else [value]:
            assert each.shape == world.state.shape(name), f"{name} is {each.shape}, not {world.state.shape(name)}"
            assert memory.kind == "history" or each.dtype == DTYPES[memory.dtype], f"{name} is {each.dtype}"


@pytest.fixture(scope="module")
def grown() -> Ensemble:
    """Two worlds in which labs have come in numbers."""
    rush = ["entry_exit.entry_base=30", "entry_exit.row_entry=10", "population.max_labs=1024"]
    return Ensemble(compose(["output.level=market", *rush]), range(2)).run(12)


@pytest.mark.parametrize("steps", [0, 3])
def test_memory_has_the_declared_shapes(steps):
    shapes_hold(Ensemble(compose(["output.level=market"]), range(2)).run(steps).world)


def test_memory_along_a_population_grows_with_it(grown):
    assert grown.world.labs.growths, "no labs beyond those there was room for"
    shapes_hold(grown.world)
    assert grown.world.state.token_share.shape[-1] == grown.world.labs.capacity
    assert grown.world.state.tokens_by_segment.shape[-1] == grown.world.labs.capacity


def test_a_flow_is_written_anew_in_each_step():
    """Whatever stands in a flow when a step begins changes nothing: it is no memory."""
    flows = [name for name, memory in DECLARED.items() if memory.kind == "flow" and memory.dtype is float]
    plain, poisoned = (Ensemble(compose(["output.level=market"]), range(2)) for _ in range(2))
    for _ in range(12):
        for name in flows:
            setattr(poisoned.world.state, name, np.full(poisoned.world.state.shape(name), 0.37))
        plain.step()
        poisoned.step()
    assert len(flows) > 20
    assert_frame_equal(poisoned.tables()["market"], plain.tables()["market"], check_exact=True)


def test_growth_keeps_what_was_there_and_adds_first_values():
    world = Ensemble(compose(["output.level=market"]), range(2)).run(2).world
    before, rows = world.state.quality.copy(), world.labs.capacity
    world.labs._grow()
    assert np.array_equal(world.state.quality[..., :rows], before)
    assert (world.state.quality[..., rows:] == 0.0).all()


def test_a_name_that_nobody_declares_is_refused():
    state = Ensemble(compose(["output.level=market"]), (0,)).world.state
    with pytest.raises(AttributeError, match=r"'adopter'.*is it 'adopters'.*class of State in the file"):
        state.adopter = 1.0
    with pytest.raises(AttributeError, match=r"'hypes'.*is it 'hype'.*stock\("):
        _ = state.hypes
    assert not hasattr(state, "adopter")


def test_a_name_that_two_declare_is_refused():
    one = type("One", (), {"rent": stock("CNY", text="a rent")})
    other = type("Other", (), {"rent": flow("CNY", text="another")})
    with pytest.raises(TypeError, match=r"'rent' is declared by .*One and by .*Other"):
        collect([one, other])
    assert collect([one]) == {"rent": Memory("stock", "CNY", (), "a rent")}


def test_first_values_come_from_parameters_of_each_world():
    world = Ensemble(["output.level=market"], range(2), parameters={"capital.hype_start": [0.1, 0.3]}).world
    assert world.state.hype.ravel().tolist() == [0.1, 0.3]
    assert world.state.attention.ravel().tolist() == [0.05, 0.15]
    table = world.parameters.training
    first = np.broadcast_to([[[table.largest_before_cn]], [[table.largest_before_row]]], (2, 2, 1))
    assert np.array_equal(world.state.largest_run, first)


def test_models_with_other_tables_live_side_by_side():
    """A world with fewer chip classes leaves the one before it as it was."""
    wide = Ensemble(compose(["output.level=market"]), (0,))
    config = compose(["output.level=market"])
    classes = len(wide.world.chips)
    config.hardware.chips = config.hardware.chips[:-1]
    narrow = Ensemble(config, (0,))
    assert narrow.world.labs.fleet.shape[0] == classes - 1
    wide.run(1)
    wide.world.labs._grow()
    assert wide.world.labs.fleet.shape[0] == classes


def test_a_market_may_have_fewer_segments():
    """How many segments there are is said by conf/market alone."""
    config = compose(["output.level=full"])
    config.segments = config.segments[:11]
    ensemble = Ensemble(config, range(2)).run(2)
    assert ensemble.world.state.quality.shape[0] == 22 and ensemble.world.state.displaced.shape[0] == 11
    assert ensemble.world.apps.segment.max() == 10
    names = [name for name in ensemble.tables()["market"].columns if name.startswith("engineers_displaced_")]
    assert len(names) == 13  # one a segment, the sum, and that of labs


def test_somebody_elses_memory_joins_no_world():
    class Foreign(State):
        foreign = stock("1", text="declared outside of the model")

    assert Foreign in State.__subclasses__()
    world = Ensemble(compose(["output.level=market"]), (0,)).world
    assert not hasattr(world.state, "foreign") and hasattr(world.state, "hype")


def test_everything_declared_says_what_it_is():
    for name, memory in DECLARED.items():
        assert memory.text, name
        assert memory.unit, name
        assert "\n" not in memory.text, name


def _read() -> set[str]:
    """Attributes that the world's code reads, but for those an assignment reads to write them anew."""
    found = set()
    for path in (ROOT / "world").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        own = set()
        for each in ast.walk(tree):
            if isinstance(each, ast.Assign):
                written = {part.attr for target in each.targets for part in ast.walk(target) if _attribute(part)}
                own |= {part for part in ast.walk(each) if _attribute(part) and part.attr in written}
        found |= {each.attr for each in ast.walk(tree) if _attribute(each) and each not in own}
    return found


def _attribute(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute)


def test_no_memory_is_dead():
    """What is declared is read by somebody, beyond its own update."""
    read = _read()
    named = {"tokens_h100_flagship", "tokens_h100_light"} | {n for n in DECLARED if n.startswith("base_")}
    dead = [name for name in DECLARED if name not in read | BALANCES | named]
    assert not dead, f"nobody reads {dead}"
