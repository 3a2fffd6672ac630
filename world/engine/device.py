"""Device of the arrays: NumPy on the host, or CuPy on a GPU.

Behaviour is written once, in functions that both know. Here stand what only a GPU needs: the
check that there is one, how many worlds its memory holds, copies that do not make the host wait,
and the two kernels that NumPy's functions cannot say in one call.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

Array = Any  # numpy.ndarray or cupy.ndarray

#: Share of the free memory that worlds may take.
USED = 0.9
#: What a world takes beyond its columns, in multiples of them: memory of the markets, ties, random numbers, and
#: what a step computes in between (measured late in the baseline: 0.3 and 1.6).
BEYOND = 2.5


class NoDevice(RuntimeError):
    """Error: no usable GPU; the message says what is missing and what to do."""


def find(engine: str) -> Any:
    """Array module of an engine: numpy, or cupy (with memory from its pool).

    Raises
    ------
    NoDevice
        When CuPy, the driver or the GPU is missing.
    """
    if engine == "numpy":
        return np
    try:
        import cupy
    except ImportError:
        raise NoDevice(
            "engine=cupy: CuPy is not installed; pip install 'hundred-models-war[gpu]' "
            "(CUDA 13: [gpu13]), or use engine=numpy"
        ) from None
    try:
        number = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise NoDevice(f"engine=cupy: {_what_is_wrong(str(error))}; or use engine=numpy") from None
    if not number:
        raise NoDevice("engine=cupy: there is no GPU on this machine; run on one that has, or use engine=numpy")
    return cupy


def _what_is_wrong(error: str) -> str:
    """Message for a CUDA error, with a remedy."""
    if "InsufficientDriver" in error:
        return "there is no NVIDIA driver, or it is older than CuPy's CUDA; install or update the driver"
    if "NoDevice" in error:
        return "the driver finds no GPU; check nvidia-smi and CUDA_VISIBLE_DEVICES"
    return f"CUDA does not start ({error.split(':', 1)[0]}); check nvidia-smi"


# ---------------------------------------------------------------------- memory


def free_bytes(xp: Any) -> int:
    """Free memory of the device, including the reusable part of CuPy's pool."""
    free, _ = xp.cuda.runtime.memGetInfo()
    return int(free) + int(xp.get_default_memory_pool().free_bytes())


def worlds_that_fit(free: int, columns: int) -> int:
    """Number of worlds that fit the free memory, from the bytes of one world's columns.

    Examples
    --------
    >>> worlds_that_fit(80_000_000_000, 1_000_000)
    20571

    Raises
    ------
    NoDevice
        When not even one does.
    """
    each = int(columns * (1.0 + BEYOND))
    fit = int(USED * free) // each
    if fit < 1:
        raise NoDevice(
            f"engine=cupy: {free / 1e6:.0f} MB of GPU memory are free and one world takes {each / 1e6:.0f} MB; "
            "free some, make population.apps smaller, or use engine=numpy"
        )
    return fit


# ---------------------------------------------------------------------- copies


class TransferQueue:
    """Queue of asynchronous copies to the host, which waits only when it reads them.

    On a GPU they are copied into pinned memory on a stream of their own, behind what computes them.

    Parameters
    ----------
    xp : module
        numpy or cupy.
    most : int
        Copies under way at once; when there are more, the host waits for the oldest.
    """

    def __init__(self, xp: Any, most: int = 4):
        self.xp, self.most = xp, most
        self.stream = xp.cuda.Stream(non_blocking=True) if hasattr(xp, "cuda") else None
        self.under_way: deque = deque()

    def send(self, array: Array, store: Any) -> None:
        """Copy an array and hand the copy to ``store`` when it has arrived."""
        if self.stream is None:
            store(to_host(array))
            return
        import cupyx

        computed = self.xp.cuda.get_current_stream().record()
        self.stream.wait_event(computed)
        copy = cupyx.empty_pinned(array.shape, array.dtype)
        array.get(stream=self.stream, out=copy, blocking=False)
        # The array is kept until its copy is there.
        self.under_way.append((self.stream.record(), array, copy, store))
        while len(self.under_way) > self.most:
            self._arrive()

    def _arrive(self) -> None:
        done, _, copy, store = self.under_way.popleft()
        done.synchronize()
        store(np.array(copy))

    def flush(self) -> None:
        """Wait for all copies under way."""
        while self.under_way:
            self._arrive()


class EventBuffer:
    """Buffer of selected rows for the host, filled during a step and sent in one copy at its end.

    NumPy's rows are handed on at once.
    """

    def __init__(self, xp: Any, transfers: TransferQueue):
        self.xp, self.transfers = xp, transfers
        self.entries: list[tuple[Array, dict[str, Array], Any]] = []

    def add(self, mask: Array, columns: dict[str, Array], store: Any, always: bool = False) -> None:
        """Add the rows of a mask ``(worlds, rows)``: ``store`` gets their ``worlds`` and columns by name.

        Where there are none ``store`` need not be called (on a GPU it is all the same), unless ``always`` is set.
        """
        if self.xp is not np:
            self.entries.append((mask, columns, store))
            return
        places = np.flatnonzero(mask)
        if not (places.size or always):
            return
        worlds, rows = np.divmod(places, mask.shape[1])
        store({"worlds": worlds} | {name: wide(each, mask.shape)[worlds, rows] for name, each in columns.items()})

    def flush(self) -> None:
        """Send the rows that were added."""
        for shape in dict.fromkeys(mask.shape for mask, _, _ in self.entries):
            self._send([each for each in self.entries if each[0].shape == shape], shape)
        self.entries = []

    def _send(self, taken: list, shape: tuple[int, int]) -> None:
        """Send the entries of one population: rows are found once, columns are laid side by side."""
        xp = self.xp
        number, worlds, rows = xp.nonzero(xp.stack([mask for mask, _, _ in taken]))
        width = max(len(columns) for _, columns, _ in taken)
        sheet = xp.zeros((2 + width, len(rows)))
        sheet[0], sheet[1] = number, worlds
        for entry, (_, columns, _) in enumerate(taken):
            for place, each in enumerate(columns.values()):
                here = wide(each, shape)[worlds, rows]
                sheet[2 + place] = xp.where(number == entry, here, sheet[2 + place])
        kinds = [({name: each.dtype for name, each in columns.items()}, store) for _, columns, store in taken]
        self.transfers.send(sheet, lambda copy: _hand_out(copy, kinds))


def wide(array: Array, shape: tuple[int, ...]) -> Array:
    """Array broadcast to a shape."""
    return array if array.shape == shape else np.broadcast_to(array, shape)


def _hand_out(sheet: np.ndarray, kinds: list) -> None:
    """Pass the rows of each entry to its receiver."""
    for entry, (types, store) in enumerate(kinds):
        mine = sheet[:, sheet[0] == entry]
        columns = zip(types.items(), mine[2:], strict=False)
        store({"worlds": mine[1].astype(np.int64)} | {name: row.astype(kind) for (name, kind), row in columns})


def to_host(array: Any) -> Any:
    """Array as NumPy's, copied only from a GPU."""
    return array.get() if hasattr(array, "get") and hasattr(array, "shape") else array


class Mirror:
    """Lazy view of a world, or a part of it, on the host: arrays are copied once, when read."""

    def __init__(self, source: Any):
        self._source = source

    def __getattr__(self, name: str) -> Any:
        if name == "xp":
            return np
        found = _reflect(getattr(self._source, name))
        self.__dict__[name] = found
        return found

    def __getitem__(self, name: str) -> Any:
        return _reflect(self._source[name])


def _reflect(value: Any) -> Any:
    """Copy of arrays and tables for the host, mirror of an owner of arrays, anything else unchanged."""
    if hasattr(value, "get") and hasattr(value, "shape"):
        return value.get()
    if dataclasses.is_dataclass(value):
        return type(value)(**{each.name: _reflect(getattr(value, each.name)) for each in dataclasses.fields(value)})
    if isinstance(value, (list, tuple)) and any(hasattr(each, "shape") for each in value):
        return [_reflect(each) for each in value]
    if isinstance(value, (SimpleNamespace, dict)) or hasattr(value, "columns"):
        return Mirror(value)
    return value


def mirror(world: Any) -> Any:
    """World with NumPy arrays: itself, or a mirror of one on a GPU."""
    return world if world.xp is np else Mirror(world)


# ---------------------------------------------------------------------- kernels

#: Ten rounds on 64-bit words, as :func:`baimo.world.engine.random.philox` takes them.
PHILOX = """
unsigned long long a = c0, b = c1, c = c2, d = c3, k = k0, l = k1;
for (int turn = 0; turn < 10; ++turn) {
    unsigned long long p = a * 0xD2511F53ULL, q = c * 0xCD9E8D57ULL;
    a = (q >> 32) ^ b ^ k;
    c = (p >> 32) ^ d ^ l;
    b = q & 0xFFFFFFFFULL;
    d = p & 0xFFFFFFFFULL;
    k = (k + 0x9E3779B9ULL) & 0xFFFFFFFFULL;
    l = (l + 0xBB67AE85ULL) & 0xFFFFFFFFULL;
}
w0 = a; w1 = b; w2 = c; w3 = d;
"""

#: One thread a world and group adds in the order of rows: the sum has the bits of ``numpy.bincount``.
SUM_BY_GROUP = """
long long w = i / groups, g = i % groups;
double sum = 0.0;
for (long long r = w * rows; r < (w + 1) * rows; ++r)
    if (group[r] == g) sum += values[r];
total = sum;
"""

_TEXTS = {
    "philox": (
        "uint64 c0, uint64 c1, uint64 c2, uint64 c3, uint64 k0, uint64 k1",
        "uint64 w0, uint64 w1, uint64 w2, uint64 w3",
        PHILOX,
    ),
    "sum_by_group": (
        "raw float64 values, raw int64 group, int64 rows, int64 groups",
        "float64 total",
        SUM_BY_GROUP,
    ),
}


@cache
def kernel(xp: Any, name: str) -> Any:
    """Kernel of this file, compiled at its first call."""
    inputs, outputs, text = _TEXTS[name]
    return xp.ElementwiseKernel(inputs, outputs, text, name)
