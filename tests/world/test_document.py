"""The generated tables of world/ODD.md: up to date, complete, and stale when something changes."""

from __future__ import annotations

import dataclasses
import doctest
import re

import pytest

from baimo.conf.mechanisms import BY_NAME, MECHANISMS
from baimo.conf.schema import Config, parameters_of
from baimo.experiments import cli, document
from baimo.world.ensemble import Ensemble
from baimo.world.record.codebook import codebook
from baimo.world.record.outputs import OUTPUTS, output_of


def test_the_tables_are_up_to_date(capsys):
    """If this fails: ``baimo docs``, look, commit."""
    assert cli.main(["docs", "--check"]) == 0, capsys.readouterr().err


def test_every_parameter_and_every_mechanism_is_there():
    tables = document.parameters().split("### ")
    keys = {}
    for table in tables[1:]:
        section = table.split("`")[1] + "." if table.startswith("`") else ""
        keys |= {f"{section}{row.split('`')[1]}": row for row in table.splitlines() if row.startswith("| `")}
    for key, value, declared in parameters_of(Config()):
        if declared.metadata and not key.startswith("mechanisms."):
            assert f"| {document._value(value)} |" in keys[key], key
    rows = re.findall(r"^\| ([MX]\d\d) \|", document.mechanisms(), re.MULTILINE)
    assert rows == [each.id for each in MECHANISMS]


def test_every_column_of_the_output_is_described():
    """In the codebook by its name, in ``outputs/README.md`` by itself or its family; and nothing is made up."""
    ensemble = Ensemble(["output.level=full", "steps=1"], [0]).run()
    documented: dict[str, set[str]] = {}
    for each in codebook(ensemble.world):
        documented.setdefault(each["table"], set()).add(each["name"])
        assert each["label"] and each["scale"] in ("log", "linear")
        assert each["table"] != "market" or (each["unit"] and each["text"]), each["name"]
    keys = documented.pop("all")
    tables = ensemble.tables()
    assert documented.keys() == tables.keys()
    for name, table in tables.items():
        assert set(table.columns) - keys == documented[name] - keys, name
    page = document.COLUMNS_PAGE.read_text(encoding="utf-8")
    assert [each.name for each in OUTPUTS if f"| `{each.name}` |" not in page] == []


def test_families_give_way_to_columns_with_a_name_of_their_own():
    assert output_of("labs_from_scratch_cn").name == "labs_from_scratch_cn"
    assert output_of("labs_unicorn_cn").name == "labs_<archetype>_cn"
    assert output_of("labs_unicorn_cn").label == "labs unicorn cn"
    assert len({each.name for each in OUTPUTS}) == len(OUTPUTS)


def test_every_mechanism_says_where_it_lives():
    places = document.implemented_in()
    assert [each.id for each in MECHANISMS if not places.get(each.id)] == []


def test_a_change_makes_them_stale_until_they_are_written(monkeypatch, tmp_path, capsys):
    page = tmp_path / "ODD.md"
    page.write_text(
        "before\n" + "\n".join("\n".join(document.markers(name)) for name in document.ODD_TABLES) + "\nafter\n"
    )
    monkeypatch.setattr(document, "PAGE", page)
    assert cli.main(["docs", "--check"]) == 1 and "is stale" in capsys.readouterr().err
    assert (
        cli.main(
            [
                "docs",
            ]
        )
        == 0
        and cli.main(["docs", "--check"]) == 0
    )
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("after\n")
    changed = dataclasses.replace(MECHANISMS[0], says="something else")
    monkeypatch.setattr(document, "MECHANISMS", (changed, *MECHANISMS[1:]))
    assert cli.main(["docs", "--check"]) == 1
    assert page.read_text(encoding="utf-8") == text
    assert BY_NAME[changed.name].says != changed.says


@pytest.mark.parametrize("which", [0, 1])
def test_a_missing_marker_is_named(which, monkeypatch, tmp_path, capsys):
    page = tmp_path / "ODD.md"
    there = "\n".join(mark for name in document.ODD_TABLES if name != "parameters" for mark in document.markers(name))
    page.write_text(there + document.markers("parameters")[1 - which])
    monkeypatch.setattr(document, "PAGE", page)
    assert (
        cli.main(
            [
                "docs",
            ]
        )
        == 2
    )
    said = capsys.readouterr().err
    assert document.markers("parameters")[0] in said or document.markers("parameters")[1] in said
    assert said.count("\n") == 1


def test_examples_in_docstrings():
    result = doctest.testmod(document)
    assert result.attempted > 0
    assert result.failed == 0
