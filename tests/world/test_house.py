"""How the house stands: short functions, short files, imports that point one way, a schedule that reads as one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("agents", "conf", "experiments", "tests", "world")
FILES = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))
#: A file may import from folders to its right, and from its own.
ORDER = ("experiments", "world", "agents", "conf")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_and_functions_are_short(file):
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 600
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno < 60, f"{node.name} has {node.end_lineno - node.lineno + 1} lines"


def imports(file):
    """Modules of the project that a file imports when it is loaded (not inside functions, not for types)."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module} | {f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
    return found


def test_no_import_closes_a_circle():
    modules = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in FILES}
    modules = {name.removesuffix(".__init__"): file for name, file in modules.items()}
    graph = {name: {each for each in imports(file) if each in modules} - {name} for name, file in modules.items()}
    done: set[str] = set()

    def visit(name, path):
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            for other in graph[name]:
                visit(other, [*path, name])
            done.add(name)

    for name in graph:
        visit(name, [])


def test_the_world_knows_no_experiment_and_the_configuration_no_world():
    for file in FILES:
        folder = file.relative_to(ROOT).parts[0]
        used = {name.partition(".")[0] for name in imports(file)}
        if folder in ("world", "agents", "conf"):
            assert "experiments" not in used, file
        if folder == "conf":
            assert not used & {"world", "agents"}, file


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
