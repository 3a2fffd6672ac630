"""Worker processes: calls spread over spawned processes, with their progress and a clean end."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from tqdm import tqdm

Tick = Callable[[int], None]
Call = tuple[Any, ...]

_POLL_SECONDS = 0.2
#: Options of glibc's ``mallopt``, and what they are set to: from which size on it asks the system for each array (it
#: takes no more than this), and how much that is free it keeps.
_MMAP_THRESHOLD, _TRIM_THRESHOLD = (-3, 2**25), (-1, 2**27)
_shared: tuple[Any, Any] | None = None  # in a worker: steps done by all, and whether to stop


class RunFailed(RuntimeError):
    """The model broke down; not the user's doing."""


class Stopped(RuntimeError):
    """Another call failed or the user pressed Ctrl-C."""


def count(wanted: int) -> int:
    """Processes to use: those wanted, or (0) one a core; one only in a process that is a child itself."""
    if multiprocessing.parent_process() is not None:
        return 1  # a launcher's worker: the launcher fills the machine, and may not allow children
    if wanted:
        return wanted
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def keep_memory() -> None:
    """Keep what is freed in this process, for good: the next step asks for as much, and fresh pages cost faults.

    Only glibc gives it back so readily; elsewhere nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    # The second alone would fix the first where it began, at a size that arrays soon pass.
    if mallopt is not None and mallopt(*_MMAP_THRESHOLD) == 1:
        mallopt(*_TRIM_THRESHOLD)


def run_all(calls: Sequence[Call], processes: int, bar: tqdm) -> list[Any]:
    """Results of ``function(*arguments, tick)`` for every call ``(function, *arguments)``, in order.

    Parameters
    ----------
    calls : sequence of tuple
        Functions and arguments that can be pickled; ``tick(steps)`` reports progress.
    processes : int
        With one, all is done in this process (which keeps its memory from then on).
    bar : tqdm
        Advances as the calls tick.

    Raises
    ------
    Exception
        Whatever a call raises, once the others have stopped.
    RunFailed
        When a process dies.
    """
    workers = min(processes, len(calls))
    if workers <= 1:
        keep_memory()
        return [function(*arguments, bar.update) for function, *arguments in calls]
    # Never fork: a forked child hangs once polars has threads.
    context = multiprocessing.get_context("spawn")
    done, stop = context.Value("q", 0), context.Value("b", 0)
    with ProcessPoolExecutor(workers, context, initializer=_start, initargs=(done, stop)) as pool:
        jobs = [pool.submit(_call, *call) for call in calls]
        try:
            waiting = set(jobs)
            while waiting:
                finished, waiting = wait(waiting, _POLL_SECONDS, FIRST_EXCEPTION)
                bar.update(done.value - bar.n)
                for job in finished:
                    job.result()
            return [job.result() for job in jobs]
        except BrokenProcessPool as error:
            raise RunFailed(
                "a worker process died, perhaps for want of memory: try a smaller block= or processes="
            ) from error
        finally:
            stop.value = 1
            pool.shutdown(wait=True, cancel_futures=True)


def _start(done: Any, stop: Any) -> None:
    global _shared
    _shared = done, stop
    keep_memory()
    # Ctrl-C reaches the whole terminal: the parent decides, and says stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    done, stop = _shared

    def tick(steps: int) -> None:
        with done.get_lock():
            done.value += steps
        if stop.value:
            raise Stopped

    return function(*arguments, tick)
