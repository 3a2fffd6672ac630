"""How a parameter is declared: value, unit, range, source and meaning in one line."""

from __future__ import annotations

from dataclasses import field
from typing import Any

#: Populations begin with a multiple of so many rows: sums over rows go by blocks of this size.
ROW_BLOCK = 64
#: They grow by multiples of so many: empty rows are worked on like others. A multiple of the eight sums that go side by
#: side in a block, so that on NumPy a block that is cut short has the bits of one that ends in zeros.
ROW_STEP = 16


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
        an article number (000-004), or a publication.
    doc : str
        What it does.
    """
    return field(default=value, metadata={"unit": unit, "low": low, "high": high, "source": source, "doc": doc})
