"""The generated tables of world/ODD.md: up to date, complete, and stale when something changes."""

from __future__ import annotations

import dataclasses
import doctest
import re
from pathlib import Path

import pytest

from baimo.agents.enums import ARCHETYPES
from baimo.conf.mechanisms import BY_NAME, MECHANISMS
from baimo.conf.schema import Config, parameters_of
from baimo.experiments import document
from baimo.world.ensemble import Ensemble
from baimo.world.laws.scaling import AXES


def test_the_tables_are_up_to_date(capsys):
    """If this fails: ``python -m baimo.experiments.document``, look, commit."""
    assert document.main(["--check"]) == 0, capsys.readouterr().err


def test_every_parameter_and_every_mechanism_is_there():
    tables = document.parameters().split("### ")
    keys = {}
    for table in tables[1:]:
        section = table.split("`")[1] + "." if table.startswith("`") else ""
        keys |= {f"{section}{row.split('`')[1]}": row for row in table.splitlines() if row.startswith("| `")}
    for key, value, declared in parameters_of(Config()):
        if declared.metadata and not key.startswith("mechanisms."):
            assert f"| {document._value(value)} |" in keys[key], key
    assert document.mechanisms().count("\n| M") == len(MECHANISMS)


def test_every_column_of_the_output_is_described():
    """``outputs/README.md``: ``<class>`` and the like stand for names of the model, and nothing is made up."""
    page = (Path(document.__file__).parents[1] / "outputs" / "README.md").read_text().split("### ")
    told = {part.partition("\n")[0]: set(re.findall(r"`([^`\n]+)`", part)) for part in page[1:]}
    ensemble = Ensemble(["output.level=full", "steps=1"], [0]).run()
    world, tables = ensemble.world, ensemble.tables()
    words = {
        "archetype": ARCHETYPES,
        "class": [name.lower().replace("-", "_") for name in world.chips.names],
        "segment": [name.removesuffix("_cn") for name in world.segments.names],
        "axis": AXES,
        "whose": ("all", "cn", "open", "open_cn"),
    }
    keys = {"scenario", "replicate", "step", "date"}
    for name, table in tables.items():
        (section,) = (found for title, found in told.items() if name in title)
        full = {re.sub(r"<\w+>", word, each) for each in section for word in words.get(_hole(each), ("",))}
        if name == "market":
            full |= {f"frontier_{whose}_{axis}" for whose in words["whose"] for axis in AXES}
        assert set(table.columns) - keys - full == set(), name
    first = [line.split("|")[1] for line in page[1].splitlines() if line.startswith("| `")]
    named = {name for cell in first for name in re.findall(r"`(\S+?)`", cell) if "<" not in name}
    assert named - set(tables["market"].columns) == set()


def _hole(name: str) -> str:
    return "".join(re.findall(r"<(\w+)>", name))


def test_every_mechanism_says_where_it_lives():
    places = document.implemented_in()
    assert [each.id for each in MECHANISMS if not places.get(each.id)] == []


def test_a_change_makes_them_stale_until_they_are_written(monkeypatch, tmp_path, capsys):
    page = tmp_path / "ODD.md"
    page.write_text("before\n" + "\n".join("\n".join(document.markers(name)) for name in document.TABLES) + "\nafter\n")
    monkeypatch.setattr(document, "PAGE", page)
    assert document.main(["--check"]) == 1 and "is stale" in capsys.readouterr().err
    assert document.main([]) == 0 and document.main(["--check"]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("after\n")
    changed = dataclasses.replace(MECHANISMS[0], says="something else")
    monkeypatch.setattr(document, "MECHANISMS", (changed, *MECHANISMS[1:]))
    assert document.main(["--check"]) == 1
    assert page.read_text(encoding="utf-8") == text
    assert BY_NAME[changed.name].says != changed.says


@pytest.mark.parametrize("which", [0, 1])
def test_a_missing_marker_is_named(which, monkeypatch, tmp_path, capsys):
    page = tmp_path / "ODD.md"
    there = "\n".join(mark for name in document.TABLES if name != "parameters" for mark in document.markers(name))
    page.write_text(there + document.markers("parameters")[1 - which])
    monkeypatch.setattr(document, "PAGE", page)
    assert document.main([]) == 2
    said = capsys.readouterr().err
    assert document.markers("parameters")[0] in said or document.markers("parameters")[1] in said
    assert said.count("\n") == 1


def test_examples_in_docstrings():
    result = doctest.testmod(document)
    assert result.attempted > 0
    assert result.failed == 0
