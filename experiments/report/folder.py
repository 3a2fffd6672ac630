"""The folder of a report: tables, text and figures over several runs, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from baimo.experiments.run import store

_CODE = Path(__file__).resolve().parents[1]
FACTS = "report.json"


def write_report_folder(place: Path, facts: dict[str, Any], fill: Callable[[Path], None]) -> tuple[Path, bool]:
    """Let ``fill`` write a report into a hidden folder and move it to its place in one rename.

    Returns
    -------
    folder : Path
        ``<place>/report-<id>``, the id made of the facts and of the code of experiments.
    fresh : bool
        False when it was there already; nothing is overwritten.
    """
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for file in sorted(file for kind in ("py", "j2") for file in _CODE.rglob(f"*.{kind}")):
        digest.update(file.read_bytes())
    folder = place / f"report-{digest.hexdigest()[:10]}"
    if (folder / FACTS).exists():
        return folder, False
    with store.part_folder(folder) as part:
        fill(part)
        (part / FACTS).write_text(json.dumps(facts | {"git": store.git_state()}, indent=2) + "\n", encoding="utf-8")
        try:
            return folder, store.publish(part, folder)
        except OSError:
            if (folder / FACTS).exists():  # another process was first with the same report
                return folder, False
            raise


def print_report_folder(folder: Path, fresh: bool) -> None:
    """Say where a report is kept."""
    print(f"{'files' if fresh else 'already there'}   {folder}")
