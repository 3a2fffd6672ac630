"""``python -m experiments.bench``: measure, print, and write a file only when asked."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.bench import measure, report

STEPS = 48
QUICK_STEPS = 3
#: A block of worlds takes seconds and varies less than one world: fewer runs say as much.
MOST_BLOCK_RUNS = 2
WORKERS = 2


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(prog="python -m experiments.bench", description="Measure how fast worlds run.")
    parser.add_argument("--worlds", type=_positive, default=32, help="worlds of the larger ensemble (default 32)")
    parser.add_argument("--repeat", type=_positive, default=5, help="runs that count, for one world (default 5)")
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{QUICK_STEPS} steps and this process only: shows that it works, not how fast",
    )
    parser.add_argument("--write", type=Path, metavar="PATH", help="also write the numbers to this JSON file")
    return parser.parse_args(words)


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{word}: must be at least 1")
    return number


def measured(worlds: int, repeat: int, quick: bool) -> measure.Facts:
    """All measurements, the small ones first: the peak of memory never falls.

    Workers come before everything: on Linux a child inherits the peak of the parent that starts it.
    """
    steps = QUICK_STEPS if quick else STEPS
    facts = {"machine": measure.machine()}
    if not quick:
        facts["processes"] = measure.processes(worlds, steps, WORKERS)
    facts |= {"one_world": measure.one_world(steps, repeat), "ensembles": []}
    for size in sorted({max(1, worlds // 2), worlds}):
        ensemble, facts["phases"] = measure.ensemble(size, steps, min(repeat, MOST_BLOCK_RUNS))
        facts["ensembles"].append(ensemble)
    return facts


def main(words: Sequence[str] | None = None) -> int:
    """Run the command."""
    options = arguments(words)
    facts = measured(options.worlds, options.repeat, options.quick)
    print(report.text(facts))
    if options.write is not None:
        options.write.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
