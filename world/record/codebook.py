"""Codebook: every column of every table with its unit, label, scale and text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baimo.conf.declare import Output
from baimo.world.record.graph import EDGES
from baimo.world.record.history import EVENTS
from baimo.world.record.outputs import OUTPUTS, members_of
from baimo.world.record.panels import AGENT_TABLES, Kept, listed

if TYPE_CHECKING:
    from baimo.world.engine.world import World

#: Columns with which every table begins.
KEY_COLUMNS = {
    "scenario": "name of the scenario",
    "replicate": "number of the world, the same whatever the number of worlds",
    "step": "0 is the first step",
    "date": "first day of the step",
}


def codebook(world: World) -> list[dict[str, str]]:
    """A row a column: ``table, name, unit, label, scale, text``; families by their members.

    Parameters
    ----------
    world : World
        Names the classes of chips and the segments; nothing is run.
    """
    found = [_row("all", name, text=text) for name, text in KEY_COLUMNS.items()]
    for declaration in OUTPUTS:
        found += [row_of(declaration._replace(name=name)) for name in members_of(declaration.name, world)]
    for table, panel in AGENT_TABLES.items():
        found += [_row(table, name, unit_of_column(kept), kept.text) for name, kept in panel(world)[1].items()]
    found.append(_row("labs", "name", text="archetype and number"))
    found += [_row("events", name, text=text) for name, (_, text) in EVENTS.items()]
    return found + [_row("edges", name, text=text) for name, text in EDGES.items()]


def _row(table: str, name: str, unit: str = "", text: str = "") -> dict[str, str]:
    label = name.replace("_", " ")
    return {"table": table, "name": name, "unit": unit, "label": label, "scale": "linear", "text": text}


def row_of(declaration: Output) -> dict[str, str]:
    """The row of a column of the market table, or of a family of them."""
    row = _row("market", declaration.name, declaration.unit, declaration.text)
    return row | {"label": declaration.label or row["label"], "scale": "log" if declaration.log else "linear"}


def unit_of_column(kept: Kept) -> str:
    """Unit of a column of a panel, or the words that it holds where they are few."""
    if kept.unit or not isinstance(kept.kind, tuple) or len(kept.kind) > 8:
        return kept.unit
    return listed(kept.kind)
