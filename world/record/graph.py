"""The ecosystem of one world as a table of edges and as a networkx graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import polars as pl

from baimo.agents.enums import CN, EXPORT_CONTROL
from baimo.world.engine.arrays import Array, where
from baimo.world.engine.device import mirror
from baimo.world.network.social import TIE_KINDS
from baimo.world.technology.lineage import lineage_edges

if TYPE_CHECKING:
    from baimo.world.engine.world import World


#: Columns of the table of edges.
EDGES = {
    "kind": "knows, supplies, hosts, holds, builds_on, regulates, derives_from, declares",
    "source": "``lab:<id>``, ``app:<id>``, ...; of ``derives_from`` (true) and ``declares`` (said), which run between "
    "releases to date, ``model:<id>`` (a model's lab is its id divided by 1024)",
    "target": "in the same way",
    "weight": "chips supplied, CNY million held, coupling of an app; else 1",
}


def edges_of(world: World, index: int = 0) -> pl.DataFrame:
    """All ties of one world as a table.

    Returns
    -------
    DataFrame
        ``kind, source, target, weight``; nodes are named ``lab:<id>``, ``app:<id>``, ...
    """
    labs, apps, vendors = world.labs, world.apps, world.vendors
    alive = labs.alive[index]
    found = [_know_edges(world, index, table) for table in TIE_KINDS]
    chip, row = np.nonzero((labs.fleet[:, index] > 0) & alive)
    maker = vendors.id[index, world.maker_rows[index, chip]]
    found.append(_tie("supplies", ("vendor", maker), ("lab", labs.id[index, row]), labs.fleet[chip, index, row]))
    row = np.nonzero(alive & (labs.host[index] >= 0))[0]
    found.append(_tie("hosts", ("vendor", labs.host_id[index, row]), ("lab", labs.id[index, row]), 1.0))
    found.append(lineage_edges(world, index))
    slot, row = np.nonzero((labs.holder_row[:, index] >= 0) & alive)
    holder, stake = labs.holder_id[slot, index, row], labs.holder_stake[slot, index, row]
    found.append(_tie("holds", ("investor", holder), ("lab", labs.id[index, row]), stake))
    slot, row = np.nonzero((apps.base_lab[:, index] >= 0) & apps.alive[index])
    base, coupling = apps.base_id[slot, index, row], apps.coupling[index, row]
    found.append(_tie("builds_on", ("app", apps.id[index, row]), ("lab", base), coupling))
    ruler, row = np.nonzero(world.regulators.alive[index][:, None] & alive & _ruled(world, index))
    found.append(_tie("regulates", ("regulator", world.regulators.id[index, ruler]), ("lab", labs.id[index, row]), 1.0))
    return pl.concat(found)


def _ruled(world: World, index: int) -> Array:
    """Mask of the labs (columns) that each regulator (rows) governs."""
    # The export authority abroad rules what labs in CN may buy.
    rules_here = where(world.regulators.kind[index] == EXPORT_CONTROL, CN, world.regulators.region[index])
    return rules_here[:, None] == world.labs.region[index]


def _tie(kind: str, source: tuple[str, Array], target: tuple[str, Array], weight: Array) -> pl.DataFrame:
    """Ties of one kind between two kinds of agents, each a kind and ids."""
    frame = pl.DataFrame({"source": source[1], "target": target[1]}).with_columns(
        pl.Series("weight", np.broadcast_to(np.asarray(weight, dtype=float), np.shape(source[1])))
    )
    return frame.select(
        pl.lit(kind).alias("kind"),
        pl.format(source[0] + ":{}", "source").alias("source"),
        pl.format(target[0] + ":{}", "target").alias("target"),
        "weight",
    )


def _know_edges(world: World, index: int, table: str) -> pl.DataFrame:
    """Social ties of one kind between the living, each once."""
    kinds = {"lab": world.labs, "investor": world.investors}
    left, right = table.split("_")
    one, other = kinds[left], kinds[right]
    ties = getattr(world.ties, table)[:, index]
    slot, row = np.nonzero((ties >= 0) & one.alive[index])
    there = ties[slot, row]
    kept = other.alive[index, there] & ((left != right) | (there > row))
    return _tie("knows", (left, one.id[index, row[kept]]), (right, other.id[index, there[kept]]), 1.0)


def _name(kind: str, population, index: int, row: int) -> str:
    return f"{kind}:{int(population.id[index, row])}"


def graph(world: World, index: int = 0) -> nx.MultiDiGraph:
    """One world's ecosystem as a networkx multigraph, with node attributes."""
    multigraph, world = nx.MultiDiGraph(), mirror(world)
    for kind, population in world.populations.items():
        for row in np.nonzero(population.alive[index])[0]:
            multigraph.add_node(_name(kind[:-1], population, index, row), kind=kind[:-1])
    for kind, source, target, weight in edges_of(world, index).iter_rows():
        for node in (source, target):
            if node not in multigraph:
                kind_of_node = node.partition(":")[0]
                multigraph.add_node(node, kind=kind_of_node, gone=kind_of_node != "model")
        multigraph.add_edge(source, target, key=kind, kind=kind, weight=weight)
    return multigraph
