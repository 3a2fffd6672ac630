"""Demand segments: the table of their constants."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from baimo.agents.enums import CN
from baimo.world.engine.arrays import Array, namespace


@dataclass(frozen=True)
class SegmentTable:
    """Constants of the demand segments, each ``(segments,)`` unless said otherwise."""

    names: tuple[str, ...]
    region: Array
    population: Array
    ceiling: Array
    tokens: Array
    price: Array
    threshold: Array
    width: Array
    weights: Array  # (axes, segments)
    elasticity: Array
    lift: Array
    reconsider: Array
    free: Array
    licensed: Array
    privacy: Array
    old_tools: Array
    old_models: Array
    precision: Array
    eye: Array
    hand: Array
    bass_innovate: Array
    bass_imitate: Array
    arpu: Array
    addressable: Array
    payers: Array
    lead_value: Array
    tail: Array
    rows_licensed: tuple[int, ...]
    widths: Array  # those that differ, (widths, 1, 1)
    which_width: Array

    @classmethod
    def from_rows(cls, rows: list, row_scale: float, row_income: float) -> SegmentTable:
        """Rows of ``conf/market``: the segments of CN, then the same with the users and incomes of ROW."""
        both = [(row, region) for region in (0, 1) for row in rows]

        def numbers(key: str) -> Array:
            return np.array([float(row[key]) for row, _ in both])

        scale = np.array([1.0 if region == CN else row_scale for _, region in both])
        home = np.array([region for _, region in both])
        pays = np.where(home == CN, 1.0, row_income)
        widths, which = np.unique(numbers("width"), return_inverse=True)
        licensed = numbers("licensed") * (home == CN)
        weights = np.array([[float(row[k]) for row, _ in both] for k in ("language", "knowledge", "reasoning")])
        return cls(
            names=tuple(f"{row['segment']}_{'row' if region else 'cn'}" for row, region in both),
            region=home,
            population=numbers("population") * scale,
            ceiling=numbers("ceiling"),
            tokens=numbers("tokens"),
            price=numbers("price") * pays,
            threshold=numbers("threshold"),
            width=numbers("width"),
            weights=weights,
            elasticity=numbers("elasticity"),
            lift=numbers("lift"),
            reconsider=numbers("reconsider"),
            free=numbers("free"),
            licensed=licensed,
            privacy=numbers("privacy"),
            old_tools=numbers("old_tools"),
            old_models=numbers("old_models"),
            precision=numbers("precision"),
            eye=numbers("eye"),
            hand=numbers("hand"),
            bass_innovate=numbers("bass_innovate"),
            bass_imitate=numbers("bass_imitate"),
            arpu=numbers("arpu") * pays,
            addressable=numbers("addressable"),
            payers=numbers("payers"),
            lead_value=numbers("lead_value") * pays,
            tail=numbers("tail"),
            rows_licensed=tuple(np.flatnonzero(licensed).tolist()),
            widths=widths.reshape(-1, 1, 1),
            which_width=which,
        )

    def __len__(self) -> int:
        return len(self.names)

    @property
    def cn(self) -> slice:
        """The segments of CN, which come first."""
        return slice(0, len(self) // 2)

    @cached_property
    def columns(self) -> SegmentColumns:
        """The table as equations read it."""
        return SegmentColumns(self)

    def column(self, name: str) -> Array:
        """A column as ``(segments, 1, 1)``."""
        return getattr(self, name).reshape(-1, 1, 1)


class SegmentColumns:
    """Columns of the table as ``(segments, 1, 1)`` arrays, those by axis as ``(axes, segments, 1, 1)``.

    Attributes
    ----------
    number : array
        Place of each segment in the table.
    """

    def __init__(self, table: SegmentTable):
        self.table = table
        self.number = namespace(table.region).arange(len(table))[:, None, None]

    def __getattr__(self, name: str) -> Array:
        self.__dict__[name] = getattr(self.table, name)[..., None, None]
        return self.__dict__[name]
