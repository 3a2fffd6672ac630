"""The social graph: ties by topology, and maxima and shares over neighbours."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from baimo.agents.enums import CN, MISSING
from baimo.world.engine import kernels
from baimo.world.engine.arrays import Array, sum_k, take_rows, where
from baimo.world.engine.device import to_host
from baimo.world.engine.kernels import one_pass

if TYPE_CHECKING:
    from baimo.conf.parameters.network import Graph
    from baimo.world.engine.world import World


TIE_KINDS = ("lab_lab", "lab_investor", "investor_investor")


def generate(places: int, settings: Graph, seed: tuple[int, ...], regions: np.ndarray) -> nx.Graph:
    """One social graph over ``places`` nodes in the topology that ``conf/graph`` names.

    Parameters
    ----------
    places : int
    settings : Graph
        ``topology``, ``degree``, ``rewiring``, ``path``.
    seed : tuple of int
        Seed words; the graph is a function of these alone.
    regions : integer array (places,)
        Block of each place, for the topology of regional blocks.
    """
    rng = np.random.default_rng(seed)
    degree = min(int(settings.degree), places - 1)
    if settings.topology == "small_world":
        graph = nx.watts_strogatz_graph(places, degree, settings.rewiring, seed=rng)
    elif settings.topology == "scale_free":
        graph = nx.barabasi_albert_graph(places, max(degree // 2, 1), seed=rng)
    elif settings.topology == "complete":
        graph = nx.complete_graph(places)
    elif settings.topology == "blocks":
        graph = _blocks(regions, degree, settings.rewiring, rng)
    elif settings.topology == "empty":
        graph = nx.empty_graph(places)
    else:
        graph = _from_file(settings.path, places)
    return nx.relabel_nodes(graph, dict(enumerate(rng.permutation(places).tolist()))) if settings.shuffled else graph


def _blocks(regions: np.ndarray, degree: int, between: float, rng: np.random.Generator) -> nx.Graph:
    """Dense ties within a region, few across (a stochastic block model)."""
    order = np.argsort(regions, kind="stable")
    sizes = np.bincount(regions)
    sizes = sizes[sizes > 0]
    inside = [min(degree * (1.0 - between) / max(size - 1, 1), 1.0) for size in sizes]
    across = degree * between / len(regions)
    rates = [[inside[i] if i == j else across for j in range(len(sizes))] for i in range(len(sizes))]
    graph = nx.stochastic_block_model(sizes.tolist(), rates, seed=rng)
    plain = nx.Graph(graph.edges)
    plain.add_nodes_from(range(len(regions)))
    return nx.relabel_nodes(plain, dict(enumerate(order.tolist())))


def _from_file(path: str, places: int) -> nx.Graph:
    """A graph from GraphML, its nodes taken in file order and repeated to fill the places."""
    given = nx.convert_node_labels_to_integers(nx.Graph(nx.read_graphml(path)))
    copies = -(-places // max(len(given), 1))
    graph = nx.disjoint_union_all([given] * copies)
    return nx.Graph(graph.subgraph(range(places)))


def draw_graph(world: World) -> None:
    """Draw the social graph of every world and store it as neighbour tables.

    The graph is drawn over ``graph.places`` rows of labs. When the population grows beyond, the new
    rows get a graph of their own, joined to the old one row by row, so that old ties do not
    change: a world's history does not depend on growth of others in its block.
    """
    ties, rows = world.ties, world.labs.capacity
    blocks = -(-rows // world.parameters.graph.places)
    if getattr(ties, "blocks", None) != blocks:
        drawn = _draw_all(world, blocks)
        ties.blocks, ties.drawn = blocks, {kind: world.xp.asarray(table) for kind, table in drawn.items()}
    ties.investor_investor = ties.drawn["investor_investor"]
    ties.lab_investor = ties.drawn["lab_investor"][..., :rows]
    ties.lab_lab = ties.drawn["lab_lab"][..., :rows]
    # Places that no row has yet are acquaintances of none.
    ties.lab_lab = where(ties.lab_lab < rows, ties.lab_lab, MISSING)


def _draw_all(world: World, blocks: int) -> dict[str, Array]:
    """Tables of ties of all worlds, by kind, for so many blocks of places."""
    start, investors = world.parameters.graph.places, world.investors.capacity
    tables: dict[str, list] = {kind: [] for kind in TIE_KINDS}
    shared = None
    graph = world.parameters.graph
    for index, identity in enumerate(world.random_ids):
        if shared is None or not graph.common:
            regions = _place_regions(world, index, start)
            shared = _tables(world, 0 if graph.common else int(identity), blocks, investors, regions)
        for kind in TIE_KINDS:
            tables[kind].append(shared[kind])
    return {kind: _pad(tables[kind], graph.most_ties) for kind in TIE_KINDS}


def _tables(world: World, identity: int, blocks: int, investors: int, regions: np.ndarray) -> dict:
    """Neighbour lists of one world, for as many blocks of rows as there are."""
    graph, start = world.parameters.graph, world.parameters.graph.places
    joined: dict[str, list[list[int]]] = {kind: [] for kind in TIE_KINDS}
    for block in range(blocks):
        seed = (world.seed, identity, block)
        lists = _neighbours(graph, seed, start, investors, regions)
        offset = block * start
        joined["lab_lab"] += [[offset + other for other in ties] for ties in lists["lab_lab"]]
        joined["lab_investor"] += lists["lab_investor"]
        if block == 0:
            joined["investor_investor"] = lists["investor_investor"]
            continue
        for row in range(start if graph.topology != "empty" else 0):
            joined["lab_lab"][row].append(offset + row)
            joined["lab_lab"][offset + row].append(row)
    return joined


def _neighbours(settings: Graph, seed: tuple[int, ...], start: int, investors: int, regions: np.ndarray) -> dict:
    """Neighbour lists of one drawn graph; not to be changed, for they are kept.

    Drawing is nine tenths of the time that it takes to build a world, and an experiment builds the
    same worlds for each of its settings.
    """
    if settings.topology == "graphml":  # the file may have changed
        return _split(generate(start + investors, settings, seed, regions), start, investors)
    return _drawn(tuple(sorted(vars(settings).items())), seed, start, investors, tuple(regions.tolist()))


@lru_cache(maxsize=128)
def _drawn(items: tuple, seed: tuple[int, ...], start: int, investors: int, regions: tuple[int, ...]) -> dict:
    settings: Any = SimpleNamespace(**dict(items))
    return _split(generate(start + investors, settings, seed, np.array(regions)), start, investors)


def _place_regions(world: World, index: int, start: int) -> np.ndarray:
    """Region of each place: lab rows as occupied at the start (CN where free), then investors."""
    if not hasattr(world.ties, "first_regions"):
        first = np.full((world.worlds, start), CN)
        there = to_host(where(world.labs.alive, world.labs.region, CN))[:, :start]
        first[:, : there.shape[1]] = there
        world.ties.first_regions, world.ties.investor_regions = first, to_host(world.investors.region)
    labs = world.ties.first_regions[index]
    return np.concatenate([labs, world.ties.investor_regions[index]])


def _split(graph: nx.Graph, labs: int, investors: int) -> dict[str, list[list[int]]]:
    """Neighbour lists by kind of tie."""
    lists = {
        "lab_lab": [[] for _ in range(labs)],
        "lab_investor": [[] for _ in range(labs)],
        "investor_investor": [[] for _ in range(investors)],
    }
    for a, b in sorted(tuple(sorted(edge)) for edge in graph.edges):
        if a == b:
            continue
        if b < labs:
            lists["lab_lab"][a].append(b)
            lists["lab_lab"][b].append(a)
        elif a < labs:
            lists["lab_investor"][a].append(b - labs)
        else:
            lists["investor_investor"][a - labs].append(b - labs)
            lists["investor_investor"][b - labs].append(a - labs)
    return lists


def _pad(tables: list[list[list[int]]], most: int) -> Array:
    """Neighbour lists of all worlds as one ``(ties, worlds, rows)`` table, padded with -1.

    A longer list is cut to ``most`` neighbours by a regular sample.
    """
    width = max(1, min(most, max(len(ties) for table in tables for ties in table)))
    padded = np.full((width, len(tables), len(tables[0])), MISSING, dtype=np.int64)
    for w, table in enumerate(tables):
        for row, ties in enumerate(table):
            kept = ties if len(ties) <= width else [ties[i * len(ties) // width] for i in range(width)]
            padded[: len(kept), w, row] = kept
    return padded


@one_pass(kernels.best_tied)
def best_tied(values: Array, ties: Array, missing: float) -> tuple[Array, Array]:
    """Greatest value above ``missing`` among neighbours, and the row of the first with it (-1 if none).

    Tie by tie ``(ties, worlds, rows)``, for there may be hundreds.
    """
    best, row = np.full_like(values, missing), np.full_like(ties[0], MISSING)
    for tie in ties:
        seen = take_rows(values, tie)
        better = (tie >= 0) & (seen > best)
        best, row = where(better, seen, best), where(better, tie, row)
    return best, row


def neighbour_best(values: Array, ties: Array, alive: Array, missing: float) -> Array:
    """Greatest value among living neighbours."""
    return best_tied(where(alive, values, missing), ties, missing)[0]


def neighbour_share(mask: Array, ties: Array, alive: Array) -> Array:
    """Share of living neighbours for which a mask holds (0 without any)."""
    counted = np.stack([mask & alive, alive]).astype(float)
    seen, known = sum_k(np.stack([(tie >= 0) * take_rows(counted, tie) for tie in ties]))
    return seen / np.maximum(known, 1.0)
