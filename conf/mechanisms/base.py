"""Declaration of a mechanism: its claim, its off-switch, and the outputs in which it shows."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mechanism:
    """One row of the index of mechanisms: M01-M69 from the articles, X01-X12 from economics and computing.

    A mechanism is taken out (``mechanisms.<name>=false``) by setting its parameters to the
    values at which its equations say nothing: there is no second branch of the model without it.

    Parameters
    ----------
    id : str
        ``M01`` ... ``M69``, ``X01`` ... ``X12``.
    name : str
        Key under ``mechanisms``.
    says : str
        The mechanism in one sentence.
    source : str
        Articles, or publications, it is taken from.
    off : dict
        ``{"section.parameter": value}`` that removes it.
    shows : tuple of str
        Output columns in which its effect is seen.
    scenario : tuple of str
        Overrides under which it matters, where it is inert in the baseline.
    """

    id: str
    name: str
    says: str
    source: str
    off: dict[str, float] = field(default_factory=dict)
    shows: tuple[str, ...] = ()
    scenario: tuple[str, ...] = ()
