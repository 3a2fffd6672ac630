"""Lineage of models: measures of the graph of open bases and what was built on them.

Reads ``edges`` of a run (kinds ``derives_from``, true, and ``declares``, claimed) and measures each
world's graph with networkx.
"""

from __future__ import annotations

import networkx as nx
import numpy as np
import polars as pl


def lineage_graph(edges: pl.DataFrame, replicate: int, *, declared: bool = False) -> nx.DiGraph:
    """Models of one world, each pointing at the model whose weights it stands on.

    Parameters
    ----------
    edges : DataFrame
        The table ``edges`` of a run; the latest snapshot counts.
    replicate : int
    declared : bool
        What was declared instead of what is true.
    """
    kind = "declares" if declared else "derives_from"
    here = edges.filter(pl.col("replicate") == replicate)
    here = here.filter(pl.col("step") == here["step"].max(), pl.col("kind") == kind)
    graph = nx.DiGraph()
    graph.add_edges_from(here.select("source", "target").iter_rows())
    return graph


def measures(graph: nx.DiGraph) -> dict[str, float]:
    """Shape of a lineage.

    Returns
    -------
    dict
        ``models`` and ``bases`` (with children); ``largest_in_degree``; ``tail_exponent`` of the
        in-degrees (Hill, over bases with two children or more, NaN below five of them); ``depth``
        (generations on the longest line); ``top_pagerank``; ``modularity`` of the greedy partition;
        ``base_family_share`` (share of models in the largest family, by the root they descend from).
    """
    if not len(graph):
        names = ("models", "bases", "largest_in_degree", "depth")
        return dict.fromkeys(names, 0.0) | dict.fromkeys(
            ("tail_exponent", "top_pagerank", "modularity", "base_family_share"), float("nan")
        )
    children = np.array([degree for _, degree in graph.in_degree() if degree], dtype=float)
    families = [len(each) for each in nx.weakly_connected_components(graph)]
    plain = graph.to_undirected()
    parts = nx.community.greedy_modularity_communities(plain)
    return {
        "models": float(len(graph)),
        "bases": float(len(children)),
        "largest_in_degree": float(children.max()),
        "tail_exponent": _hill(children[children >= 2.0]),
        "depth": float(nx.dag_longest_path_length(graph)),
        "top_pagerank": max(nx.pagerank(graph).values()),
        "modularity": nx.community.modularity(plain, parts),
        "base_family_share": max(families) / len(graph),
    }


def _hill(degrees: np.ndarray) -> float:
    """Exponent of a power-law tail by maximum likelihood (Clauset, Shalizi and Newman 2009, eq. 3.7)."""
    if len(degrees) < 5:
        return float("nan")
    return 1.0 + len(degrees) / float(np.log(degrees / (degrees.min() - 0.5)).sum())


def lineage_table(edges: pl.DataFrame, *, declared: bool = False) -> pl.DataFrame:
    """Measures of every world of a table of edges, one row each."""
    worlds = edges["replicate"].unique().sort().to_list()
    rows = [{"replicate": world} | measures(lineage_graph(edges, world, declared=declared)) for world in worlds]
    return pl.DataFrame(rows)
