"""What users call carries types, and mypy agrees with them."""

from __future__ import annotations

from pathlib import Path

from mypy import api

ROOT = Path(__file__).parents[2]


def test_the_public_interface_is_typed(tmp_path, monkeypatch):
    """Modules and strictness stand in pyproject.toml; links give the folders the names by which they are imported."""
    (tmp_path / "baimo").mkdir()
    for name in ("agents", "conf", "experiments", "world"):
        (tmp_path / "baimo" / name).symlink_to(ROOT / name)
    monkeypatch.setenv("MYPYPATH", str(tmp_path))
    said, error, code = api.run(["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(tmp_path / "cache")])
    assert code == 0, said + error
