"""Ties between firms: pointers that hold while both ends live, supply ties that strengthen and fade."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import MISSING
from baimo.conf.declare import stock
from baimo.world.engine.arrays import Array, take_rows, where
from baimo.world.engine.state import State

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class SupplyState(State):
    """Relations of buyers of chips with their suppliers."""

    lab_relation = stock("log10 chips", "labs", text="What a lab has bought, as far as it is remembered")
    vendor_relation = stock("log10 chips", "vendors", text="What a vendor has bought, as far as it is remembered")


def update(world: World) -> None:
    """Phase 17: purchases strengthen supply ties, which fade; ties to the dead are dropped."""
    labs, apps, state = world.labs, world.apps, world.state
    fade = np.exp(-world.clock.months / world.parameters.graph.supply_memory)
    bought = np.log10(1.0 + state.delivered_labs)
    state.lab_relation = where(labs.alive, state.lab_relation * fade + bought * (1.0 - fade), 0.0)
    bought = np.log10(1.0 + state.delivered_vendors)
    state.vendor_relation = state.vendor_relation * fade + bought * (1.0 - fade)
    for population in (labs, apps):
        for row_name, id_name, target in _pointers(population, world):
            rows, ids = population.columns[row_name], population.columns[id_name]
            layers = rows if rows.ndim == 3 else rows[None]
            there = where(target.alive, target.id, MISSING)
            valid = np.stack([take_rows(there, layer) for layer in layers]).reshape(rows.shape) == ids
            population.columns[row_name] = where(valid, rows, MISSING)
            population.columns[id_name] = where(valid, ids, MISSING)


def _pointers(population, world: World):
    """Columns that point at other agents: (row column, id column, population pointed at)."""
    if population is world.labs:
        yield "host", "host_id", world.vendors
    else:
        yield "base_lab", "base_id", world.labs
        yield "known_lab", "known_id", world.labs


def points_at(rows: Array, ids: Array, target) -> Array:
    """Mask of the stored (row, id) that still refer to the same agent."""
    return (rows >= 0) & (take_rows(where(target.alive, target.id, MISSING), rows) == ids) & (ids != MISSING)
