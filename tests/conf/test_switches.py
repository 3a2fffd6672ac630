"""The index of mechanisms: complete, and every switch sets its parameters to what removes them."""

from __future__ import annotations

import pytest

from baimo.conf.mechanisms import MECHANISMS
from baimo.conf.schema import _value, compose, parameters_of, to_parameters
from tests.paired_runs import settings

DECLARED = {key: (value, declared) for key, value, declared in parameters_of(to_parameters(compose()))}


def test_the_index_is_complete_and_without_doubles():
    articles = [f"M{n:02d}" for n in range(1, 70)]
    assert [each.id for each in MECHANISMS if each.id.startswith("M")] == articles
    assert {each.id for each in MECHANISMS} <= {*articles, *(f"X{n:02d}" for n in range(1, 13))}
    assert len({each.name for each in MECHANISMS}) == len({each.id for each in MECHANISMS}) == len(MECHANISMS)


def test_every_mechanism_has_a_switch_of_its_own():
    switches = [frozenset(each.off) for each in MECHANISMS]
    assert all(switches)
    assert len(set(switches)) == len(switches)


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda each: each.id)
def test_a_switch_sets_declared_parameters_within_their_range(mechanism):
    for key, neutral in mechanism.off.items():
        value, declared = DECLARED[key]
        assert declared.metadata["low"] <= neutral <= declared.metadata["high"], key
        assert value != neutral, f"{key} is off in the baseline"


@pytest.mark.parametrize("mechanism", [each for each in MECHANISMS if each.off], ids=lambda each: each.id)
def test_a_switch_is_applied_when_the_model_reads_its_configuration(mechanism):
    plain = to_parameters(settings(f"mechanisms.{mechanism.name}=false"))
    assert {key: _value(plain, key) for key in mechanism.off} == mechanism.off
