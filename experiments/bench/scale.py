"""Growth of time and memory: over worlds, over the apps of one world, over worlds streamed to disk."""

from __future__ import annotations

import math
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import linear_regression, median
from typing import Any

import polars as pl

from baimo.conf.declare import ROW_BLOCK
from baimo.experiments.bench.apart import peak_mb, watched
from baimo.world.ensemble import Ensemble
from baimo.world.record.graph import edges_of

ROOT = Path(__file__).resolve().parents[2]
#: Share of the apps at the start who are founded in a month without crowding, and room for them.
FOUNDED, ROOM = 0.1, 1.3


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Slope of ln(value) over ln(size), by least squares: 1 is linear.

    Examples
    --------
    >>> round(exponent([10, 100, 1000], [3.0, 300.0, 30000.0]), 6)
    2.0
    """
    return linear_regression([*map(math.log, sizes)], [*map(math.log, values)]).slope


def crowd_settings(apps: int) -> list[str]:
    """Overrides for one world with so many apps from the start, in a market as crowded as large."""
    rows = [-(-math.ceil(each) // ROW_BLOCK) * ROW_BLOCK for each in (apps, ROOM * apps)]
    return [
        f"app_market.start={apps}",
        f"app_market.crowd={apps}",
        f"app_market.entry_base={FOUNDED * apps}",
        f"population.apps={rows[0]}",
        f"population.max_apps={rows[1]}",
        "population.most_new_apps=100000",
        "output.level=market",
    ]


def crowd(apps: int, steps: int) -> dict[str, Any]:
    """One world with many apps: time to construct and to step, edges, peak of memory.

    Call it in a process of its own: the peak never falls. The first step fills what later ones find.
    """
    started = time.perf_counter()
    ensemble = Ensemble(crowd_settings(apps), [0])
    built = time.perf_counter() - started
    seconds, alive = [], []
    for _ in range(steps):
        alive.append(int(ensemble.world.apps.alive.sum()))
        began = time.perf_counter()
        ensemble.step()
        seconds.append(time.perf_counter() - began)
    began = time.perf_counter()
    ties = edges_of(ensemble.world).height
    return {
        "apps": apps,
        "steps": steps,
        "alive": alive[-1],
        "construction": built,
        "first_step": seconds[0],
        "step": median(seconds[1:] or seconds),
        "edges": ties,
        "edges_seconds": time.perf_counter() - began,
        "peak_mb": peak_mb(),
    }


def streamed(worlds: int, steps: int, workers: int, block: int) -> dict[str, Any]:
    """Worlds streamed to disk by the main command: seconds, peak of memory of all its processes, file sizes."""
    with tempfile.TemporaryDirectory() as scratch:
        words = [f"worlds={worlds}", f"steps={steps}", f"processes={workers}", f"block={block}"]
        words += [f"output.folder={scratch}", "output.level=labs", "output.figure=false"]
        wall, peak = watched([sys.executable, "-m", "baimo.experiments", *words], ROOT)
        files = sizes(Path(scratch).glob("*/*/*.parquet"))
    facts = {"worlds": worlds, "steps": steps, "processes": workers, "block": block, "wall": wall, "peak_mb": peak}
    return facts | {"worlds_a_second": worlds / wall, "files": files}


def sizes(paths: Any) -> list[dict[str, Any]]:
    """Bytes of each table, and a world's part of them (of the worlds that are in it)."""
    by_table: dict[str, list[Path]] = {}
    for path in paths:
        table = path.parent.name if path.stem.isdigit() else path.stem
        by_table.setdefault(table, []).append(path)
    found = []
    for table, parts in sorted(by_table.items()):
        size = sum(path.stat().st_size for path in parts)
        kept = sum(
            pl.scan_parquet(path, glob=False).select(pl.col("replicate").n_unique()).collect().item() for path in parts
        )
        found.append({"table": table, "worlds": kept, "kb_a_world": size / 1e3 / kept if kept else None})
    return found
