"""Reports over several runs: a folder of tables, text and figures, written whole or not at all."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from baimo.experiments.run import store
from baimo.experiments.run.compose import USER_ERRORS, UserError, explain
from baimo.experiments.run.workers import RunFailed

FACTS = "report.json"


class Parser(argparse.ArgumentParser):
    """A command line whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave with exit code 2."""
        self.exit(2, f"{self.prog}: {message}; --help lists what can be set\n")


def command(name: str, work: Callable[[], Any], words: Sequence[str]) -> int:
    """Do the work of a command line; exit code 0, or 1, 2, 130 with one line that says why."""
    try:
        work()
    except KeyboardInterrupt:
        return _say(name, "interrupted; what is complete is kept, the same command goes on from there", 130)
    except USER_ERRORS as error:
        return _say(name, explain(error, words), 2)
    except RunFailed as error:
        return _say(name, f"failed: {error}", 1)
    return 0


def _say(name: str, line: str, code: int) -> int:
    print(f"{name}: {line}", file=sys.stderr)
    return code


def overrides(words: Iterable[str], prog: str) -> list[str]:
    """Words of a command line that must be settings.

    Raises
    ------
    UserError
        For a word that is no ``key=value``.
    """
    words = list(words)
    for word in words:
        if "=" not in word:
            raise UserError(f"{word}: not a setting; write key=value, for example worlds=16 ({prog} --help)")
    return words


def report_folder(place: Path, facts: dict[str, Any], code: Iterable[Path]) -> Path:
    """Folder of a report: ``<place>/report-<id>``, the id made of its facts and of the code that writes it."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for file in code:
        digest.update(file.read_bytes())
    return place / f"report-{digest.hexdigest()[:10]}"


def write(folder: Path, facts: dict[str, Any], fill: Callable[[Path], None]) -> bool:
    """Let ``fill`` write a report into a hidden folder and move it to its place in one rename.

    Returns
    -------
    bool
        False when it was there already; nothing is overwritten.
    """
    if (folder / FACTS).exists():
        return False
    with store.part_folder(folder) as part:
        fill(part)
        (part / FACTS).write_text(json.dumps(facts | {"git": store.git_state()}, indent=2) + "\n", encoding="utf-8")
        try:
            return store.publish(part, folder)
        except OSError:
            if (folder / FACTS).exists():  # another process was first with the same report
                return False
            raise
