"""The recorder only reads."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from baimo.world import record, schedule
from baimo.world.ensemble import Ensemble
from tests.engine.test_invariants import numbers_in

PHASE = next(each for each in schedule.PLAN if each[0] == "18 record")
FILES = sorted(Path(record.__file__).parent.glob("*.py"))
#: What pays, counts, enters events or sends agents' decisions.
ACTS = {"pay", "tally", "count", "log", "close", "setattr", "declare"}


def end(monkeypatch, plan):
    """All numbers of two worlds after 20 steps of a plan, by their place."""
    monkeypatch.setattr(schedule, "PLAN", plan)
    world = Ensemble(["output.level=full"], range(2)).run(20).world
    found = dict(numbers_in([world.state, world.monthly, world.totals, world.accounts.balance], "world"))
    for name, population in world.populations.items():
        found |= {f"{name}.{column}": array for column, array in population.columns.items()}
    return found


def test_recording_twice_or_not_at_all_leaves_the_world_the_same(monkeypatch):
    plan = schedule.PLAN
    once = end(monkeypatch, plan)
    for other in (plan[:-1], (*plan, PHASE)):
        found = end(monkeypatch, other)
        assert found.keys() == once.keys()
        for place, values in once.items():
            np.testing.assert_array_equal(found[place], values, err_msg=place)


def _targets(node):
    """What a statement assigns to, tuples taken apart."""
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    for each in targets:
        yield from each.elts if isinstance(each, ast.Tuple) else [each]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_of_a_world_is_assigned_where_it_is_recorded(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            for target in _targets(node):
                while isinstance(target, ast.Subscript):
                    target = target.value
                while isinstance(target, ast.Attribute) and isinstance(target.value, ast.Attribute):
                    target = target.value
                own = isinstance(target, ast.Name) or target.value.id == "self"
                assert own, f"{file.name}:{node.lineno} assigns to {ast.unparse(target)}"
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            assert name not in ACTS, f"{file.name}:{node.lineno} calls {name}"
