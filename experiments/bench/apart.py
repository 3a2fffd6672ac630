"""Measuring in a process of its own, so that memory is that of one measurement, and watching what it takes."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from baimo.experiments.run.workers import keep_memory

try:
    import resource
except ImportError:  # Windows has no such module
    resource = None

PROC = Path("/proc")
WATCH_SECONDS = 0.1


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """Result of ``function(*arguments)`` in a fresh process."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=keep_memory) as pool:
        return pool.submit(function, *arguments).result()


def peak_mb() -> float | None:
    """Most memory that this process has held so far; MB."""
    status = _status(PROC / "self", "VmHWM")
    if status is not None:
        return status
    if resource is None:
        return None
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1e6 if sys.platform == "darwin" else used * 1024 / 1e6  # bytes there, KiB elsewhere


def watched(command: Sequence[str], folder: Path) -> tuple[float, float | None]:
    """Run a command and watch it: wall seconds, and the most memory that its processes held together; MB.

    Memory that processes share counts for each of them. It is looked at ten times a second, where
    there is a ``/proc`` to look at.

    Raises
    ------
    RuntimeError
        With the last of what it said, when the command fails.
    """
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.extend(running.stdout))
        reader.start()
        peak = None
        while running.poll() is None:
            now = tree_mb(running.pid)
            peak = now if peak is None else max(peak, now or 0.0)
            time.sleep(WATCH_SECONDS)
        reader.join()
    if running.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit code {running.returncode}; {''.join(said[-5:])}")
    return time.perf_counter() - started, peak


def tree_mb(pid: int) -> float | None:
    """Memory that a process and all below it hold now; MB."""
    own = _status(PROC / str(pid), "VmRSS")
    if own is None:
        return None
    return own + sum(tree_mb(child) or 0.0 for child in _children(pid))


def _children(pid: int) -> list[int]:
    found = []
    for thread in (PROC / str(pid) / "task").glob("*"):
        try:
            found += [int(word) for word in (thread / "children").read_text().split()]
        except OSError:  # gone in the meantime
            continue
    return found


def _status(process: Path, name: str) -> float | None:
    """A size in KiB from the status of a process, as MB."""
    try:
        lines = (process / "status").read_text().splitlines()
    except OSError:
        return None
    sizes = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(sizes[0]) * 1024 / 1e6 if sizes else None
