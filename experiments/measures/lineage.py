"""Lineage: who builds on whose open weights, how deep that goes, and which bases carry most.

On the graph of :mod:`baimo.experiments.read.lineage_graph` (networkx, a model points at the one whose weights it
stands on). Edges are kept at some steps and in the first worlds only, so that going through worlds one by
one costs little.
"""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx
import polars as pl

from baimo.experiments.measures import frames
from baimo.experiments.read import lineage_graph

#: A model's lab is its id divided by this (outputs/README.md).
MODELS_A_LAB = 1024


def model(column: str) -> pl.Expr:
    """Number of the model in ``model:<id>``."""
    return pl.col(column).str.strip_prefix("model:").cast(pl.Int64)


def children(edges: pl.LazyFrame, *, declared: bool = False) -> pl.LazyFrame:
    """Number of models that stand directly on each base.

    Parameters
    ----------
    edges : LazyFrame
        Keys, ``kind``, ``source``, ``target``.
    declared : bool
        What was declared instead of what is true.

    Returns
    -------
    LazyFrame
        Keys, ``model``, ``lab_id``, ``children``.
    """
    frames.needs(edges, "kind", "source", "target")
    keys = frames.moments(edges)
    built = edges.filter(pl.col("kind") == ("declares" if declared else "derives_from"))
    found = built.group_by([*keys, model("target").alias("model")]).agg(pl.len().alias("children"))
    lab = (pl.col("model") // MODELS_A_LAB).alias("lab_id")
    return frames.sorted_by(found.select(*keys, "model", lab, "children"), keys, "model")


def graphs(
    edges: pl.LazyFrame, labs: pl.LazyFrame | None = None, *, declared: bool = False
) -> Iterator[tuple[dict, nx.DiGraph]]:
    """The lineage of every world at every step that is kept.

    Parameters
    ----------
    edges : LazyFrame
    labs : LazyFrame, optional
        With it nodes know their lab's ``name``, ``region`` and ``archetype``.

    Yields
    ------
    keys : dict
        Keys of the world and moment.
    graph : networkx.DiGraph
        Nodes ``model:<id>`` with ``lab_id``.
    """
    frames.needs(edges, "kind", "source", "target", "replicate", "step")
    keys, world = frames.moments(edges), frames.worlds(edges)
    kinds = edges.filter(pl.col("kind").is_in(["derives_from", "declares"])).sort(keys).collect(engine="streaming")
    who = {} if labs is None else _labs(labs, world)
    for key, part in kinds.partition_by(keys, as_dict=True, maintain_order=True).items():
        here = dict(zip(keys, key, strict=True))
        graph = lineage_graph.lineage_graph(part, here["replicate"], declared=declared)
        for node, facts in graph.nodes(data=True):
            facts["lab_id"] = int(node.removeprefix("model:")) // MODELS_A_LAB
            facts |= who.get((*(here[name] for name in world), facts["lab_id"]), {})
        yield here, graph


def _labs(labs: pl.LazyFrame, world: list[str]) -> dict[tuple, dict]:
    """Name, region and archetype of each lab of each world."""
    names = [name for name in ("name", "region", "archetype") if name in labs.collect_schema()]
    found = labs.select(*world, "lab_id", *names).unique([*world, "lab_id"]).collect(engine="streaming")
    return {tuple(row[name] for name in (*world, "lab_id")): {n: row[n] for n in names} for row in found.to_dicts()}


def shape(edges: pl.LazyFrame, events: pl.LazyFrame | None = None, *, declared: bool = False) -> pl.DataFrame:
    """Shape of the lineage in each world and step that is kept.

    Parameters
    ----------
    edges : LazyFrame
    events : LazyFrame, optional
        With it the share of derivatives among all models released to date, everywhere.
    declared : bool
        What was declared instead of what is true.

    Returns
    -------
    DataFrame
        Keys, what ``lineage_graph.measures`` finds, and ``roots`` (bases that stand on nothing),
        ``derivatives``, ``mean_depth`` (generations above a derivative, mean), ``mean_children`` (of a base),
        ``derivative_share`` (null without events).
    """
    rows = [here | _shape(graph) for here, graph in graphs(edges, declared=declared)]
    keys = frames.moments(edges)
    found = pl.DataFrame(rows, infer_schema_length=None)
    if not rows:
        return found
    found = found.cast({name: kind for name, kind in edges.collect_schema().items() if name in keys})
    found = found.with_columns(pl.selectors.float().fill_nan(None))
    if events is None:
        return found.with_columns(pl.lit(None, pl.Float64).alias("derivative_share"))
    world = frames.worlds(edges)
    released = events.filter(pl.col("kind") == "release").select(*world, pl.col("step").alias("when"))
    moments = found.lazy().select(*world, "step")
    count = moments.join(released, on=world).filter(pl.col("when") <= pl.col("step"))
    count = count.group_by([*world, "step"]).agg(pl.len().alias("released")).collect()
    found = found.join(count, on=[*world, "step"], how="left", maintain_order="left")
    return found.with_columns((pl.col("derivatives") / pl.col("released")).alias("derivative_share")).drop("released")


def _shape(graph: nx.DiGraph) -> dict[str, float]:
    depth = generations(graph)
    below = [depth[node] for node, degree in graph.out_degree() if degree]
    bases = [degree for _, degree in graph.in_degree() if degree]
    return lineage_graph.measures(graph) | {
        "roots": float(sum(degree == 0 for _, degree in graph.out_degree())),
        "derivatives": float(len(below)),
        "mean_depth": sum(below) / len(below) if below else float("nan"),
        "mean_children": sum(bases) / len(bases) if bases else float("nan"),
    }


def generations(graph: nx.DiGraph) -> dict[str, int]:
    """Generations between each model and the root it descends from, on its longest line; 0 for roots.

    Examples
    --------
    >>> generations(nx.DiGraph([("model:3", "model:2"), ("model:2", "model:1")]))["model:3"]
    2
    """
    bases_first = nx.topological_generations(graph.reverse(copy=False))
    return {node: depth for depth, nodes in enumerate(bases_first) for node in nodes}


def most_built_on(
    edges: pl.LazyFrame, labs: pl.LazyFrame | None = None, *, top: int = 10, declared: bool = False
) -> pl.DataFrame:
    """The bases on which most is built, in each world and step that is kept.

    Returns
    -------
    DataFrame
        Keys, ``rank``, ``model``, ``lab_id``, ``children`` (directly on it), ``descendants`` (in all),
        ``share`` (descendants in all derivatives), and with labs ``name``, ``region``, ``archetype``. Of equals
        the one with more children, then the older id, comes first.
    """
    rows = []
    for here, graph in graphs(edges, labs, declared=declared):
        derivatives = sum(degree > 0 for _, degree in graph.out_degree())
        bases = [
            {
                "model": int(node.removeprefix("model:")),
                "children": degree,
                "descendants": len(nx.ancestors(graph, node)),
            }
            | graph.nodes[node]
            for node, degree in graph.in_degree()
            if degree
        ]
        bases.sort(key=lambda base: (-base["descendants"], -base["children"], base["model"]))
        rows += [
            here | {"rank": rank} | base | {"share": base["descendants"] / derivatives}
            for rank, base in enumerate(bases[:top], 1)
        ]
    return pl.DataFrame(rows, infer_schema_length=None)
