"""The word that declares output columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple


class Output(NamedTuple):
    """What is told of one output column, or of a family such as ``h100e_cn_<class>``."""

    name: str
    unit: str
    text: str
    label: str
    log: bool

    @property
    def phrase(self) -> str:
        """The text as far as it fits into a sentence."""
        return re.split("[;:]", self.text)[0]


def output(name: str, unit: str, text: str, label: str = "", log: bool = False) -> Callable[[Callable], Callable]:
    """Declare what a function of a world returns: one column of the market table.

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
        told = Output(name, unit, text, label or name.replace("_", " "), log)
        function.outputs = (told, *getattr(function, "outputs", ()))
        return function

    return declare
