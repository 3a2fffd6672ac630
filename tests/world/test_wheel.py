"""The wheel holds all that a run reads, and works where the source is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("agents", "conf", "experiments", "world")
READ = {"*.yaml", "*.csv", "*.md", "*.j2", "py.typed", "*.py"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of a copy of the source, so that nothing is left in it."""
    source = tmp_path_factory.mktemp("source")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", "dist", "."]
    subprocess.run(pip, cwd=source, check=True, capture_output=True)
    (built,) = (source / "dist").glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_holds_every_file_that_the_program_reads(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    for folder in PACKAGES:
        for pattern in READ:
            missing = {f"baimo/{file.relative_to(ROOT)}" for file in (ROOT / folder).rglob(pattern)} - held
            assert not missing


@pytest.mark.slow
def test_the_command_works_from_an_empty_folder(wheel, tmp_path):
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    inside = sysconfig.get_path("purelib", vars={"base": str(tmp_path / "venv"), "platbase": str(tmp_path / "venv")})
    # Libraries come from this environment: a path file leads to them, past its own path files (an editable install).
    (Path(inside) / "libraries.pth").write_text("\n".join(each for each in sys.path if each.endswith("-packages")))
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", wheel]
    subprocess.run(pip, check=True, capture_output=True)
    empty = tmp_path / "empty"
    empty.mkdir()
    bare = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [tmp_path / "venv" / "bin" / "baimo", "worlds=1", "steps=2", "processes=1"]
    subprocess.run(command, cwd=empty, env=bare, check=True, capture_output=True)
    assert list(empty.glob("outputs/baseline/*/market.parquet"))
    where = "import baimo.world.model as m; print(m.__file__)"
    found = subprocess.run(
        [python, "-c", where], cwd=empty, env=bare, check=True, capture_output=True, text=True
    ).stdout
    assert found.startswith(inside)
