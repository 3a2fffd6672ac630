"""Structure of the code: short functions, short files, imports that point one way, a schedule that reads as one."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
from importlinter import cli

ROOT = Path(__file__).parents[2]
FOLDERS = ("agents", "conf", "experiments", "tests", "world")
FILES = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_and_functions_are_short(file):
    text, test = file.read_text(encoding="utf-8"), file.is_relative_to(ROOT / "tests")
    assert len(text.splitlines()) <= (600 if test else 500)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = node.end_lineno - node.lineno + 1
            assert lines <= (60 if test else 50), f"{node.name} has {lines} lines"


#: What every subcommand of ``baimo`` has.
OF_COMMANDS = {"arguments", "command"}
#: Compiled counterparts: the same meaning as the NumPy function of that name.
COMPILED = {"kernels.py", "philox_loops.py"}


def test_no_two_public_names_are_alike():
    homes = defaultdict(set)
    for file in FILES:
        place = file.relative_to(ROOT)
        if place.parts[0] == "tests" or (place.parts[:2] == ("world", "engine") and file.name in COMPILED):
            continue
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            targets = getattr(node, "targets", [getattr(node, "target", node)])
            for name in (getattr(each, "name", getattr(each, "id", "_")) for each in targets):
                if not (name or "_").startswith("_"):
                    homes[name].add(str(place))
    alike = {name: sorted(places) for name, places in homes.items() if len(places) > 1}
    assert {name: alike[name] for name in alike.keys() - OF_COMMANDS} == {}


def test_imports_go_one_way_and_close_no_circle(capfd):
    """The contracts of pyproject.toml, imports for types and inside functions counted."""
    code = cli.lint_imports(str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
    said = capfd.readouterr().out
    assert code == 0, said
    files, imports = re.search(r"Analyzed (\d+) files, (\d+) dependencies", said).groups()
    assert int(files) > 100 and int(imports) > 400, "the names of modules are read wrongly"


def test_every_district_has_a_layer():
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ][0]
    layers = {name for layer in contract["layers"] for name in layer.split(" : ")}
    found = {"baimo.agents", "baimo.conf"}
    for floor in ("experiments", "world"):
        children = [*(ROOT / floor).glob("*.py"), *(file.parent for file in (ROOT / floor).glob("*/__init__.py"))]
        found |= {f"baimo.{floor}.{child.stem}" for child in children if child.stem != "__init__"}
    assert layers == found


def test_policy_is_read_through_one_door():
    """Outside world/policy no code looks at how policy is configured: ``world.policy`` says what is in force."""
    for file in FILES:
        folder, district = file.relative_to(ROOT).parts[:2]
        if folder in ("conf", "tests") or (folder, district) == ("world", "policy"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("policy", "configured"):
                owner = getattr(node.value, "attr", getattr(node.value, "id", None))
                assert node.attr == "policy" and owner in ("world", "self"), f"{file}:{node.lineno}"


def test_only_the_folders_of_the_owner_hold_code():
    kept = {".ci", ".git", ".venv", "outputs", *FOLDERS}
    found = {path.name for path in ROOT.iterdir() if path.is_dir() and list(path.glob("**/*.py"))}
    assert found <= kept | {"build", ".pytest_cache", ".ruff_cache"} | {n for n in found if n.endswith(".egg-info")}
