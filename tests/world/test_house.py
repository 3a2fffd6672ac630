"""How the house stands: short functions, short files, imports that point one way, a schedule that reads as one."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from importlinter import cli

ROOT = Path(__file__).parents[2]
FOLDERS = ("agents", "conf", "experiments", "tests", "world")
FILES = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_and_functions_are_short(file):
    text = file.read_text(encoding="utf-8")
    tests = file.relative_to(ROOT).parts[0] == "tests"
    assert len(text.splitlines()) <= (600 if tests else 500)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            code = node.body[1:] if ast.get_docstring(node) else node.body
            lines = node.body[0].lineno - node.lineno + (code[-1].end_lineno - code[0].lineno + 1 if code else 0)
            assert lines <= 50, f"{node.name} has {lines} lines besides its docstring"


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
    """Outside world/policy nobody looks at how policy is configured: ``world.policy`` says what is in force."""
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
