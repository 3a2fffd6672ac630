"""Facts of the machine: a speed without its machine says nothing."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from baimo.experiments.run import store
from baimo.world.engine import device

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


def describe() -> dict[str, Any]:
    """Processor, cores, caches, load, versions of what computes, and the commit."""
    git = store.git_state() or {}
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "caches": caches(CACHES),
        "memory_gb": _memory_gb(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.system(),
        **store.versions(),
        "commit": git.get("commit"),
        "changed": git.get("dirty"),
    }


def gpu() -> str:
    """The GPU that CuPy finds, or why it finds none."""
    try:
        cupy = device.find("cupy")
    except device.NoDevice as error:
        return str(error)
    return str(cupy.cuda.runtime.getDeviceProperties(0)["name"].decode())


def caches(folder: Path) -> dict[str, str]:
    """Caches of a core by level, as Linux tells them; nothing elsewhere.

    Examples
    --------
    >>> caches(Path("no such folder"))
    {}
    """
    found = {}
    for index in sorted(folder.glob("index*")):
        level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            found[f"L{level}"] = size
    return found


def _cpu_model() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, ValueError, OSError):
        return None
