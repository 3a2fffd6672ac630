"""Declarations: parameters of the configuration, columns of agents and of the output, state of the world."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np

#: Populations begin with a multiple of so many rows: sums over rows go by blocks of this size.
ROW_BLOCK = 64
#: They grow by multiples of so many: empty rows are worked on like others. A multiple of the eight sums that go side by
#: side in a block, so that on NumPy a block that is cut short has the bits of one that ends in zeros.
ROW_STEP = 16

#: Regions, in the order in which arrays by region have them; and the code of no agent, row, model, class or step.
REGIONS = ("CN", "ROW")
CN, ROW = range(2)
MISSING = -1

#: Number of entries of each inner dimension that is the same in every model; a world adds those of its tables.
DIMENSIONS = {"regions": 2, "axes": 3, "talent": 4, "bases": 2, "holders": 4, "known": 6, "uses": 3, "ages": 60}
DIMENSIONS |= {"revenue": 6}

#: How each declared type is kept.
DTYPES = {float: np.float64, int: np.int64, bool: np.bool_}


def par(value: Any, unit: str, low: float, high: float, source: str, doc: str) -> Any:
    """Declare a parameter.

    Parameters
    ----------
    value : float or int
        Baseline.
    unit : str
    low, high : float
        Range in which the model makes sense; outside it a run is refused.
    source : str
        Where the value comes from: ``facts`` (conf/facts), ``prior`` (a judgement to calibrate),
        an article number (000-004), a publication, or the project's design notes, which are not distributed:
        ``PRIORS`` (starting values), ``MODEL`` (first design of the equations), ``ARCHITECTURE`` (of the code).
    doc : str
        What it does.
    """
    return field(default=value, metadata={"unit": unit, "low": low, "high": high, "source": source, "doc": doc})


class column:
    """One attribute of an agent type: an array over worlds and rows.

    Parameters
    ----------
    unit : str
        Physical or monetary unit; "1" for pure numbers.
    default : float, int or bool
        Value of a fresh row.
    dtype : type
        float, int or bool.
    inner : str, optional
        Name of an inner dimension that stands first.
    labels : tuple of str, optional
        Names of the codes of an integer column; a Mesa agent shows the name.
    clears : bool
        Whether a tombstone is reset to the default (whatever enters sums over rows is).
    """

    def __init__(
        self,
        unit: str = "1",
        default: Any = 0.0,
        dtype: type = float,
        inner: str | None = None,
        labels: tuple[str, ...] | None = None,
        clears: bool = False,
    ) -> None:
        self.unit, self.default, self.dtype = unit, default, dtype
        self.inner, self.labels, self.clears = inner, labels, clears

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def allocate(self, worlds: int, rows: int, xp: Any, dimensions: dict[str, int]) -> Any:
        """A fresh array of defaults."""
        lead = (dimensions[self.inner],) if self.inner else ()
        return xp.full((*lead, worlds, rows), self.default, dtype=DTYPES[self.dtype])

    def bytes(self, dimensions: dict[str, int]) -> int:
        """Memory of one row."""
        return np.dtype(DTYPES[self.dtype]).itemsize * (dimensions[self.inner] if self.inner else 1)

    def __get__(self, agent: Any, owner: type) -> Any:
        if agent is None:
            return self
        value = agent._column(self.name)[..., 0, agent.row]
        if value.ndim:
            return tuple(value.tolist())
        value = value.item()
        return self.labels[value] if self.labels else value

    def __set__(self, agent: Any, value: Any) -> None:
        if self.labels and isinstance(value, str):
            value = self.labels.index(value)
        agent._column(self.name)[..., 0, agent.row] = value


class Output(NamedTuple):
    """Declaration of one output column, or of a family such as ``h100e_cn_<class>``."""

    name: str
    unit: str
    text: str
    label: str
    log: bool

    @property
    def phrase(self) -> str:
        """The text up to its first colon or semicolon, for use within a sentence."""
        return re.split("[;:]", self.text)[0]


def output(name: str, unit: str, text: str, label: str = "", log: bool = False) -> Callable[[Callable], Callable]:
    """Declare one column of the market table, returned by a function of a world.

    Several of them stand above a function that returns a tuple, in the same order. A family, named with a hole
    such as ``<class>``, is one array or list along it.

    Parameters
    ----------
    name : str
        Of the column; parts that differ within a family in angle brackets.
    unit : str
    text : str
        What it is: a noun phrase, explanations behind a colon or semicolon.
    label : str, optional
        For axes; by default the name.
    log : bool
        Whether it is drawn and compared on a log scale: prices and stocks.
    """

    def declare(function: Any) -> Any:
        declaration = Output(name, unit, text, label, log)
        function.outputs = (declaration, *getattr(function, "outputs", ()))
        return function

    return declare


@dataclass(frozen=True)
class Memory:
    """Declaration of one variable of the world's state (see :func:`stock`, :func:`flow` and :func:`history`).

    Attributes
    ----------
    kind : str
        A stock is kept between steps, a flow belongs to a step, a history has a value for each step so far.
    unit, text : str
        Physical or monetary unit ("1" for pure numbers), and what it is, in one line.
    dimensions : tuple of str
        Dimensions beside the worlds. The name of a population stands for its rows, which lie last:
        ``("axes", "labs")`` is ``(axes, worlds, rows of labs)``, ``("regions",)`` is ``(regions, worlds, 1)``.
    first : number, str, tuple of these, or callable
        Value before the first step: a number, the path of a parameter, one of these for each entry of the first
        dimension, or a function of the world.
    dtype : type
    """

    kind: Literal["stock", "flow", "history"]
    unit: str
    dimensions: tuple[str, ...]
    text: str
    first: Any = 0.0
    dtype: type = float


def stock(unit: str, *dimensions: str, text: str, first: Any = 0.0, dtype: type = float) -> Memory:
    """Declare a state variable that is kept between steps."""
    return Memory("stock", unit, dimensions, text, first, dtype)


def flow(unit: str, *dimensions: str, text: str, first: Any = 0.0, dtype: type = float) -> Memory:
    """Declare a state variable of one step, written anew in each."""
    return Memory("flow", unit, dimensions, text, first, dtype)


def history(unit: str, *dimensions: str, text: str) -> Memory:
    """Declare a list of past values, the oldest first, which its owner extends and cuts; empty at the start."""
    return Memory("history", unit, dimensions, text)
