"""Ensembles on a GPU: how many worlds a second, and how near to the speed of its memory."""

from __future__ import annotations

import time
from typing import Any

from baimo.conf.schema import compose, to_parameters
from baimo.experiments.bench.timing import Facts
from baimo.world.engine import device
from baimo.world.ensemble import Ensemble
from baimo.world.setup import column_bytes

#: Worlds and steps that compile kernels and fill the pool, before what counts.
WARM = (64, 2)
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
        Months.

    Returns
    -------
    list of dict
        Worlds, seconds of construction, steps and tables, worlds a second, and ``bandwidth_share``: of the memory's
        bandwidth, what reading and writing every column once a step takes (a step that did no more would have 1). A
        size that fails ends the list, with what was said in ``failed``.
    """
    columns = column_bytes(to_parameters(compose([])))
    most = device.worlds_that_fit(device.free_bytes(xp), columns)
    found: list[Facts] = []
    for worlds in (size for size in sizes if size <= most):
        try:
            if not found:
                _seconds(xp, *WARM)
            seconds = _seconds(xp, worlds, steps)
        except (MemoryError, RuntimeError) as error:  # what was measured before is kept
            return [*found, {"worlds": worlds, "failed": f"{type(error).__name__}: {error}"}]
        share = 2.0 * columns * worlds * steps / bandwidth(xp) / seconds
        facts = {"worlds": worlds, "steps": steps, "together": seconds, "worlds_a_second": worlds / seconds}
        found.append(facts | {"bandwidth_share": share})
        xp.get_default_memory_pool().free_all_blocks()
    return found


def _seconds(xp: Any, worlds: int, steps: int) -> float:
    """Seconds to construct, to step and to hand over the tables, until the device has done it all."""
    started = time.perf_counter()
    Ensemble([f"steps={steps}", "output.level=labs"], range(worlds), xp=xp).run(steps).tables()
    xp.cuda.runtime.deviceSynchronize()
    return time.perf_counter() - started


def bandwidth(xp: Any) -> float:
    """Bytes a second that the device's memory can move: two a tick and line of its bus."""
    clock, bus = (xp.cuda.runtime.deviceGetAttribute(each, 0) for each in (CLOCK, BUS))
    return 2.0 * clock * 1000.0 * bus / 8.0
