"""Ensembles on a GPU: how many worlds a second, and how near to the speed of its memory."""

from __future__ import annotations

import time
from typing import Any

from conf.schema import compose, to_parameters
from world import device
from world.ensemble import Ensemble
from world.state import column_bytes

Facts = dict[str, Any]

#: Steps that compile kernels and fill the pool, before those that count.
WARM = 2
#: CUDA's numbers of two attributes of a device: kHz of its memory's clock, and bits of its bus.
CLOCK, BUS = 36, 37


def ensembles(xp: Any, sizes: tuple[int, ...], steps: int) -> list[Facts]:
    """Ensembles of growing size, as far as the device's memory holds them.

    Parameters
    ----------
    xp : module
        cupy.
    sizes : tuple of int
        Worlds.
    steps : int
        Months that count.

    Returns
    -------
    list of dict
        Worlds, seconds, worlds a second over 48 months, and ``bandwidth_share``: of the memory's bandwidth, what
        reading and writing every column once a step takes. A step that did no more would have 1.
    """
    columns = column_bytes(to_parameters(compose([])))
    most = device.worlds_that_fit(device.free_bytes(xp), columns)
    found = []
    for worlds in (size for size in sizes if size <= most):
        seconds = _seconds(xp, worlds, steps)
        floor = 2.0 * columns * worlds * steps / bandwidth(xp)
        rate = worlds * steps / 48.0 / seconds
        found.append({"worlds": worlds, "steps": steps, "stepping": seconds, "worlds_a_second": rate})
        found[-1]["bandwidth_share"] = floor / seconds
        xp.get_default_memory_pool().free_all_blocks()
    return found


def _seconds(xp: Any, worlds: int, steps: int) -> float:
    """Seconds of so many steps, recording on, until the device has done them."""
    ensemble = Ensemble(["output.level=labs"], range(worlds), xp=xp)
    ensemble.run(WARM)
    xp.cuda.runtime.deviceSynchronize()
    started = time.perf_counter()
    ensemble.run(steps)
    xp.cuda.runtime.deviceSynchronize()
    return time.perf_counter() - started


def bandwidth(xp: Any) -> float:
    """Bytes a second that the device's memory can move: two a tick and line of its bus."""
    clock, bus = (xp.cuda.runtime.deviceGetAttribute(each, 0) for each in (CLOCK, BUS))
    return 2.0 * clock * 1000.0 * bus / 8.0
