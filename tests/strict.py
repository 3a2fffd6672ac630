"""A stand-in for CuPy on machines without a GPU: arrays that refuse what CuPy refuses.

``Strict`` keeps a NumPy array and keeps it apart: no mixing with ``numpy.ndarray``, no silent way
back to the host, no function that CuPy lacks. ``module`` has CuPy's functions, so that
``baimo.world.engine.arrays.namespace(array)`` gives it. What CuPy allows at the price of waiting for the GPU
(``bool``, ``float``, ``nonzero``, boolean indices, ...) is allowed and counted in ``TRIPS``.

Differences of CuPy that it knows (from CuPy 14.2's documentation and source):

- ``reduce`` and ``accumulate`` know add and multiply only; a ufunc's methods are reached through the
  module, not through NumPy's dispatch;
- ``where`` wants an array as its condition, ``stack`` and ``concatenate`` want arrays only;
- ``take`` has no ``mode``; ``sort`` and ``argsort`` are stable and know no other kind;
- elements and sums are arrays without a dimension, never scalars;
- ``bincount`` waits for the GPU twice; ``isin``, ``searchsorted`` want arrays; ``repeat`` by an array waits.
"""

from __future__ import annotations

import operator
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
#: Folders whose lines are the model's own.
MODEL = {"world", "agents"}
NAMES = Path(__file__).with_name("cupy_names.txt")

#: (place in the model, what was asked) of every time that the host waited for the device.
TRIPS: Counter = Counter()
#: Names of functions and methods that were called on arrays.
CALLED: set[str] = set()

#: Phases in which the host waits for the GPU: entrants are counted, rows picked for the few who move, meet or die.
WAITING = {
    "4 rental market",
    "5 training",
    "11 apps",
    "14 rounds",
    "15 entry",
    "16 exit, pivot, acquisition",
    "18 record",
}

_SORTS = (None, "stable")
_WAITING = {"nonzero", "flatnonzero", "argwhere", "unique", "bincount", "allclose", "array_equal", "quantile"}
_METHODS = """
    all any argmax argmin argsort astype clip copy cumprod cumsum dot fill flatten max mean min nonzero prod ravel
    repeat reshape round searchsorted sort squeeze std sum swapaxes take trace transpose var
"""
_SCANS = ("add", "multiply")


def known() -> tuple[set[str], set[str]]:
    """Names of CuPy's functions, and of the methods and attributes of its arrays."""
    lines = [line for line in NAMES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    middle = lines.index("[ndarray]")
    return set(" ".join(lines[1:middle]).split()), set(" ".join(lines[middle + 1 :]).split())


FUNCTIONS, ATTRIBUTES = known()


def _place() -> str:
    """Innermost line of the model that is at work, and the phase that called it."""
    frame, inner = sys._getframe(1), ""
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in MODEL:
            inner = f"{path.name}:{frame.f_lineno} {frame.f_code.co_name}" + (f" < {inner}" if inner else "")
            if path.name == "schedule.py":
                break
        frame = frame.f_back
    return inner


def _trip(what: str) -> None:
    TRIPS[(_place(), what)] += 1


def bare(value: Any) -> Any:
    """What lies inside, with NumPy's own arrays refused at any depth."""
    if isinstance(value, Strict):
        return value._host
    if isinstance(value, np.ndarray):
        raise TypeError(f"a NumPy array {value.shape} among arrays of the device")
    if isinstance(value, (tuple, list)):
        return type(value)(bare(each) for each in value)
    if isinstance(value, dict):
        return {key: bare(each) for key, each in value.items()}
    return value


def wrap(value: Any) -> Any:
    """NumPy's results as arrays of the device; scalars become arrays without a dimension."""
    if isinstance(value, (np.ndarray, np.generic)):
        return Strict(np.asarray(value))
    if isinstance(value, (tuple, list)):
        return type(value)(wrap(each) for each in value)
    return value


def _check(name: str, args: tuple, kwargs: dict) -> None:
    """Refuse the forms of a call that CuPy does not know."""
    if name not in FUNCTIONS:
        raise TypeError(f"CuPy has no function {name}")
    if name == "where":
        if len(args) == 1:
            _trip("where")
        elif not isinstance(args[0], Strict):
            raise TypeError("where: CuPy wants an array as its condition")
    if name in ("take", "put") and ("mode" in kwargs or len(args) > 4):
        raise TypeError("take has no mode in CuPy")
    if name in ("sort", "argsort") and kwargs.get("kind") not in _SORTS:
        raise TypeError("CuPy sorts are stable and of no other kind")
    if name in ("stack", "concatenate") and not all(isinstance(each, Strict) for each in args[0]):
        raise TypeError(f"{name}: CuPy wants arrays only")
    if name in ("isin", "searchsorted", "take_along_axis", "bincount", "append", "cumsum", "sort", "argmax"):
        numbers = 1 if name in ("bincount", "cumsum", "sort", "argmax") else 2
        if not all(isinstance(each, Strict) for each in args[:numbers]):
            raise TypeError(f"{name}: CuPy wants arrays")
    if name == "repeat" and isinstance(args[1], Strict):
        _trip("repeat")
    if name in _WAITING:
        _trip(name)


class Strict:
    """An array that stands on the device."""

    __array_priority__ = 100

    def __init__(self, host: np.ndarray):
        self._host = host

    # ------------------------------------------------------------------ NumPy's protocols

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        if method != "__call__":
            raise TypeError(f"{ufunc.__name__}.{method} does not reach CuPy through NumPy")
        return apply(ufunc, *inputs, out=out, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: tuple, kwargs: dict) -> Any:
        return call(function, args, kwargs)

    # ------------------------------------------------------------------ back to the host

    def get(self) -> np.ndarray:
        """The array on the host, asked for by name."""
        _trip("get")
        return self._host.copy()

    def item(self) -> Any:
        """The one element, as a Python number."""
        _trip("item")
        return self._host.item()

    def tolist(self) -> list:
        """All elements as Python numbers."""
        _trip("tolist")
        return self._host.tolist()

    def __bool__(self) -> bool:
        _trip("bool")
        return bool(self._host)

    def __float__(self) -> float:
        _trip("float")
        return float(self._host)

    def __int__(self) -> int:
        _trip("int")
        return int(self._host)

    def __index__(self) -> int:
        _trip("index")
        return operator.index(self._host.item())

    def __iter__(self):
        if self._host.ndim < 2:
            raise TypeError("a loop over the elements of an array would visit the device for each")
        return (Strict(each) for each in self._host)

    def __len__(self) -> int:
        return len(self._host)

    def __repr__(self) -> str:
        return f"Strict{self._host.shape}"

    __hash__ = None

    # ------------------------------------------------------------------ shape

    shape = property(lambda self: self._host.shape)
    ndim = property(lambda self: self._host.ndim)
    dtype = property(lambda self: self._host.dtype)
    size = property(lambda self: self._host.size)
    nbytes = property(lambda self: self._host.nbytes)
    itemsize = property(lambda self: self._host.itemsize)
    flags = property(lambda self: self._host.flags)
    base = property(lambda self: self._host.base)
    T = property(lambda self: Strict(self._host.T))

    # ------------------------------------------------------------------ indices

    def __getitem__(self, key: Any) -> Strict:
        return wrap(self._host[_index(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        CALLED.add("__setitem__")
        if isinstance(value, (list, tuple)):
            raise TypeError("a list set into an array of the device")
        waits = isinstance(value, Strict) and value.ndim
        self._host[_index(key, waits=waits)] = bare(value)


def _index(key: Any, waits: Any = True) -> Any:
    """An index, without lists and host arrays; masks are counted where their size must be known."""
    parts = key if isinstance(key, tuple) else (key,)
    for part in parts:
        if isinstance(part, (list, np.ndarray)):
            raise TypeError("an index from the host")
        if isinstance(part, Strict) and part.dtype == bool and waits:
            _trip("mask")
    return bare(key)


def apply(ufunc: np.ufunc, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
    """Call a ufunc, element by element."""
    if ufunc.__name__ not in FUNCTIONS:
        raise TypeError(f"CuPy has no ufunc {ufunc.__name__}")
    CALLED.add(ufunc.__name__)
    if out is None:
        return wrap(ufunc(*bare(inputs), **bare(kwargs)))
    target = out[0] if isinstance(out, tuple) else out
    ufunc(*bare(inputs), out=target._host, **bare(kwargs))
    return target


def call(function: Any, args: tuple, kwargs: dict) -> Any:
    """Call a function of NumPy as CuPy would."""
    name = function.__name__
    _check(name, args, kwargs)
    CALLED.add(name)
    return wrap(function(*bare(args), **bare(kwargs)))


def _method(name: str) -> Any:
    def method(self: Strict, *args: Any, **kwargs: Any) -> Any:
        if name not in ATTRIBUTES:
            raise TypeError(f"CuPy's arrays have no {name}")
        if name == "take" and "mode" in kwargs:
            raise TypeError("take has no mode in CuPy")
        if name == "nonzero":
            _trip(name)
        CALLED.add(f".{name}")
        return wrap(getattr(self._host, name)(*bare(args), **bare(kwargs)))

    return method


for _name in _METHODS.split():
    setattr(Strict, _name, _method(_name))


def _operator(ufunc: np.ufunc, kind: str) -> Any:
    if kind == "swapped":
        return lambda self, other: apply(ufunc, other, self)
    if kind == "in place":
        return lambda self, other: apply(ufunc, self, other, out=self)
    return lambda self, *other: apply(ufunc, self, *other)


for _name, _ufunc in {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "lshift": np.left_shift,
    "rshift": np.right_shift,
}.items():
    setattr(Strict, f"__{_name}__", _operator(_ufunc, "plain"))
    setattr(Strict, f"__r{_name}__", _operator(_ufunc, "swapped"))
    setattr(Strict, f"__i{_name}__", _operator(_ufunc, "in place"))
for _name, _ufunc in {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "neg": np.negative,
    "pos": np.positive,
    "abs": np.absolute,
    "invert": np.invert,
}.items():
    setattr(Strict, f"__{_name}__", _operator(_ufunc, "plain"))


# ---------------------------------------------------------------------- the module


class Ufunc:
    """A ufunc of the module, with the methods that CuPy has."""

    def __init__(self, ufunc: np.ufunc):
        self.ufunc = ufunc
        self.__name__ = ufunc.__name__

    def __call__(self, *inputs: Any, **kwargs: Any) -> Any:
        return apply(self.ufunc, *inputs, **kwargs)

    def reduce(self, array: Strict, **kwargs: Any) -> Strict:
        """Sum or multiply over an axis."""
        self._only(_SCANS, "reduce")
        return wrap(self.ufunc.reduce(bare(array), **kwargs))

    def accumulate(self, array: Strict, **kwargs: Any) -> Strict:
        """Running sum or product."""
        self._only(_SCANS, "accumulate")
        return wrap(self.ufunc.accumulate(bare(array), **kwargs))

    def at(self, array: Strict, index: Any, value: Any) -> None:
        """Add at places that may come twice (atomically on a GPU: in no fixed order)."""
        self._only(("add", "subtract", "maximum", "minimum"), "at")
        self.ufunc.at(array._host, _index(index), bare(value))

    def _only(self, names: tuple[str, ...], method: str) -> None:
        if self.ufunc.__name__ not in names:
            raise TypeError(f"{self.ufunc.__name__}.{method} fails in CuPy")
        CALLED.add(f"{self.ufunc.__name__}.{method}")


class ElementwiseKernel:
    """Kernels of the model by their name: what their text says, said in NumPy."""

    meaning: ClassVar[dict[str, Any]] = {}

    def __init__(self, inputs: str, outputs: str, operation: str, name: str):
        self.inputs, self.outputs, self.operation, self.name = inputs, outputs, operation, name

    def __call__(self, *arguments: Any) -> Any:
        for given, wanted in zip(arguments, self.inputs.split(","), strict=False):
            kind = wanted.split()[-2]
            if isinstance(given, Strict) and str(given.dtype) != kind:
                raise TypeError(f"{self.name}: {given.dtype} given, {kind} wanted")
        return wrap(self.meaning[self.name](*bare(arguments)))


def _creation(name: str) -> Any:
    def create(*args: Any, **kwargs: Any) -> Strict:
        CALLED.add(name)
        return wrap(getattr(np, name)(*bare(args), **bare(kwargs)))

    return create


def _asarray(value: Any, dtype: Any = None) -> Strict:
    """From the host to the device, on purpose."""
    if isinstance(value, Strict):
        return value if dtype is None else value.astype(dtype)
    return Strict(np.array(value, dtype=dtype))


def _function(name: str) -> Any:
    function = getattr(np, name)
    return lambda *args, **kwargs: call(function, args, kwargs)


def _build() -> ModuleType:
    built = ModuleType("strict_arrays", "CuPy's functions over strict arrays.")
    for name in sorted(FUNCTIONS):
        if not hasattr(np, name):
            continue
        given = getattr(np, name)
        if isinstance(given, np.ufunc):
            setattr(built, name, Ufunc(given))
        elif isinstance(given, type) or not callable(given):
            setattr(built, name, given)
        else:
            setattr(built, name, _function(name))
    for name in ("zeros", "ones", "full", "empty", "arange", "linspace", "eye"):
        setattr(built, name, _creation(name))
    built.asarray = built.array = _asarray
    built.asnumpy = lambda array: array.get()
    built.ndarray = Strict
    built.ElementwiseKernel = ElementwiseKernel
    return built


module = _build()
Strict.__module__ = module.__name__
sys.modules[module.__name__] = module


# ---------------------------------------------------------------------- what the kernels say


def _philox(c0, c1, c2, c3, k0, k1):
    from baimo.world.engine.random import philox

    return philox((np.asarray(c0), np.asarray(c1), np.asarray(c2), np.asarray(c3)), (k0, k1))


def _sum_by_group(values, group, rows, groups, total):
    worlds = len(total)
    index = np.where(group < 0, groups, group) + (groups + 1) * np.arange(worlds).reshape(-1, 1)
    flat = np.bincount(index.ravel(), values.ravel(), worlds * (groups + 1))
    return flat.reshape(worlds, groups + 1)[:, :groups]


ElementwiseKernel.meaning.update(philox=_philox, sum_by_group=_sum_by_group)
