"""One subject has one home on each floor: parameters and mechanisms stand by the districts of the model."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path

import pytest

from baimo.conf.mechanisms import MECHANISMS
from baimo.conf.schema import Config

ROOT = Path(__file__).parents[2]
#: District of every section of the configuration.
HOME = {
    each.name: each.default_factory.__module__.rpartition(".")[2]
    for each in dataclasses.fields(Config)
    if dataclasses.is_dataclass(each.default_factory)
}


def files(folder):
    return sorted(file.stem for file in (ROOT / "conf" / folder).glob("*.py") if file.stem not in ("__init__", "base"))


@pytest.mark.parametrize("folder", ["parameters", "mechanisms"])
def test_files_are_named_after_districts(folder):
    for name in files(folder):
        assert (ROOT / "world" / name).is_dir() or (ROOT / name).is_dir(), name


def test_a_mechanism_stands_in_the_district_of_what_it_switches():
    found = []
    for name in files("mechanisms"):
        for mechanism in getattr(importlib.import_module(f"baimo.conf.mechanisms.{name}"), name.upper()):
            assert name in {HOME[key.partition(".")[0]] for key in mechanism.off}, mechanism.id
            found.append(mechanism.id)
    assert sorted(found) == [each.id for each in MECHANISMS]
