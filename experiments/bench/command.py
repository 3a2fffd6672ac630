"""``baimo bench``: measure, print, and keep below ``outputs/bench``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from baimo.conf.schema import Config
from baimo.experiments.bench import gpu, keep, machine, results_text, scale, timing
from baimo.experiments.bench.apart import apart
from baimo.experiments.run.workers import count
from baimo.world.engine import device, kernels

STEPS = 48
QUICK_STEPS = 3
#: A block of worlds takes seconds and varies less than one world: fewer runs say as much.
MOST_BLOCK_RUNS = 2
WORKERS = tuple(sorted({1, 2, count(0)}))
BLOCKS = (8, 16, 32, 64, 128)
#: Sizes of one world, and steps that say how it grows.
APPS, MILLION, APP_STEPS = (1_000, 10_000, 100_000), 1_000_000, 6
#: Worlds streamed to disk, in blocks as they are by default (a block is also what goes on alone in its market).
STREAMED, BLOCK = 1000, Config().block
#: Worlds on a GPU at once, as far as its memory goes.
GPU_WORLDS = (256, 1024, 4096, 8192)
#: Months of the whole model before the market goes on alone.
BEFORE, QUICK_BEFORE = 24, 3

Task = tuple[str, str, Callable[[], Any]]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be typed."""
    parser.add_argument(
        "--worlds",
        type=_positive,
        default=64,
        help="worlds of a run over processes, at least; with --quick, of the ensemble (default 64)",
    )
    parser.add_argument("--repeat", type=_positive, default=5, help="runs that count, for one world (default 5)")
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{QUICK_STEPS} steps and this process only: shows that it works, not how fast",
    )
    parser.add_argument("--million", action="store_true", help="also one world with a million apps")
    parser.add_argument("--stream", action="store_true", help=f"also {STREAMED} worlds streamed to disk")
    folder = Path("outputs") / "bench"
    parser.add_argument("--folder", type=Path, default=folder, help="where to keep the numbers (default outputs/bench)")


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{word}: must be at least 1")
    return number


def tasks(options: argparse.Namespace) -> Iterator[Task]:
    """Measurements to take: where each is entered, what it is, and how it is taken.

    Memory is measured in processes of their own: the peak of a process never falls.
    """
    if options.quick:
        yield from _quick(options.worlds, options.repeat)
    else:
        yield from _whole(options.worlds, options.repeat, options.million)
    if options.stream:
        steps = QUICK_STEPS if options.quick else STEPS
        arguments = STREAMED, steps, max(WORKERS), BLOCK
        yield "stream", f"{STREAMED} worlds to disk", lambda: scale.streamed(*arguments)


def _quick(worlds: int, repeat: int) -> Iterator[Task]:
    yield "one_world", "one world", lambda: timing.one_world(QUICK_STEPS, repeat)
    for size in sorted({max(1, worlds // 2), worlds}):
        yield "ensembles", f"{size} worlds", lambda size=size: timing.ensemble(size, QUICK_STEPS, 1)
    yield "processes", "blocks", lambda: timing.processes(worlds, QUICK_STEPS, 1, worlds)
    yield "market_step", "plain Mesa", lambda: timing.market_steps(worlds, QUICK_STEPS, QUICK_BEFORE)


def _whole(worlds: int, repeat: int, million: bool) -> Iterator[Task]:
    yield "one_world", "one world", lambda: apart(timing.one_world, STEPS, repeat)
    runs = min(repeat, MOST_BLOCK_RUNS)
    for size in BLOCKS:
        yield "ensembles", f"{size} worlds", lambda size=size: apart(timing.ensemble, size, STEPS, runs)
    for workers in WORKERS:
        for block in BLOCKS:
            many = max(worlds, workers * block), STEPS, workers, block
            yield "processes", f"blocks of {block} in {workers}", lambda many=many: timing.processes(*many)
    for size in (*APPS, MILLION) if million else APPS:
        yield "apps", f"{size:,} apps", lambda size=size: apart(scale.crowd, size, APP_STEPS)
    yield "market_step", "plain Mesa", lambda: apart(timing.market_steps, BLOCK, STEPS, BEFORE)
    if kernels.in_use():
        yield "numpy_only", "not compiled", lambda: apart(timing.not_compiled, max(BLOCKS), STEPS, runs)
    try:
        cupy = device.find("cupy")
    except device.NoDevice:
        return
    yield "gpu_ensembles", "GPU", lambda: gpu.ensembles(cupy, GPU_WORLDS, STEPS)


def measured(options: argparse.Namespace) -> timing.Facts:
    """All measurements."""
    facts: timing.Facts = {"machine": machine.describe(), "gpu": machine.gpu()}
    todo = list(tasks(options))
    with tqdm(todo, unit=" measurements", disable=None, leave=False) as bar:
        for name, title, measurement in bar:
            bar.set_description(title)
            found = measurement()
            if name == "ensembles":
                found, facts["phases"] = found
            if name in ("ensembles", "processes", "apps"):
                facts.setdefault(name, []).append(found)
            else:
                facts[name] = found
    return facts | {"exponents": exponents(facts)}


def exponents(facts: timing.Facts) -> dict[str, float]:
    """Exponents of time and memory, over worlds and over apps: 1 is linear.

    Of apps, the smallest world says what there is besides, and is taken away.
    """
    blocks = facts["ensembles"]
    found = {}
    if len(blocks) > 1:
        times = [each["stepping"]["best"] for each in blocks]
        found["time_over_worlds"] = scale.exponent([each["worlds"] for each in blocks], times)
    rest, *crowds = facts.get("apps", [None])
    if len(crowds) > 1:
        for name, key in (("time_over_apps", "step"), ("memory_over_apps", "peak_mb")):
            if rest[key] is not None:
                more = [each[key] - rest[key] for each in crowds]
                found[name] = scale.exponent([each["apps"] - rest["apps"] for each in crowds], more)
    return found


def command(options: argparse.Namespace) -> None:
    """Measure, print and keep."""
    facts = measured(options)
    place = keep.write_measurements(facts, options.folder)
    print(results_text.bench_text(facts))
    print(f"\nfiles   {place}")
