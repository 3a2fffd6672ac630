"""Networks of one world: the ecosystem graph and the lineage of models."""

from __future__ import annotations

import networkx as nx
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from baimo.experiments.figures import paper
from baimo.experiments.figures.paper import Drawing, Missing, Source
from baimo.experiments.figures.summary import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY
from baimo.experiments.measures import lineage as shape
from baimo.experiments.read import lineage_graph

#: What kinds of edges join, their colour and label; the others would cover them.
_EDGES = {
    "holds": ("investor", "lab", ORANGE, "holds a stake"),
    "supplies": ("vendor", "lab", GREEN, "supplies compute"),
    "hosts": ("vendor", "lab", PURPLE, "hosts"),
    "builds_on": ("app", "lab", SKY, "builds on"),
}
_PLACES = {"investor": (0.0, 0.55, 1.0), "vendor": (0.0, 0.0, 0.42), "lab": (1.0, 0.0, 1.0), "app": (2.0, 0.0, 1.0)}
_COLOURS = {"investor": ORANGE, "vendor": GREEN, "lab": BLACK, "app": BLUE}
#: Keeps edges out of names.
_BEHIND = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
#: Months between a model and the one it stands on, where release dates are not known.
_GENERATION = 6
#: Between two families of the tree, share of the models drawn.
_ROOM = 0.06


def ecosystem(source: Source) -> Drawing:
    """Investors, vendors, labs and apps of one world at its last snapshot, and who is tied to whom."""
    edges = source.in_first_world("edges", "kind", "source", "target", "weight")
    edges = edges.filter(pl.col("step") == pl.col("step").max())
    date, count = edges["date"][0], dict(edges.group_by("kind").len().iter_rows())
    chosen = edges.filter(pl.col("kind").is_in([*_EDGES]))
    if not chosen.height:
        raise Missing(f"edges.parquet has no {', '.join(_EDGES)} in the first world")
    size, names = _tokens(source, edges["step"][0])
    places = _layout(chosen, size)
    figure, (axes,) = paper.sheet(height=3.6)
    for kind, (_, _, colour, _) in _EDGES.items():
        part = chosen.filter(pl.col("kind") == kind)
        curves = [_bent(places[a], places[b]) for a, b in part.select("source", "target").iter_rows()]
        alpha = float(np.clip(60.0 / max(len(curves), 1), 0.1, 0.5))
        axes.add_collection(LineCollection(curves, colors=colour, linewidths=0.5, alpha=alpha, rasterized=True))
    _nodes(axes, places, size)
    _named(axes, places, size, names)
    handles = [Line2D([], [], color=c, label=f"{label} ({count.get(k, 0):,})") for k, (*_, c, label) in _EDGES.items()]
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2)
    axes.set_axis_off()
    kinds = pl.Series([*places]).str.extract(r"^(\w+):").value_counts()
    there = ", ".join(f"{n:,} {kind}s" for kind, n in sorted(kinds.iter_rows()))
    left_out = ", ".join(f"{kind.replace('_', ' ')} ({n:,})" for kind, n in sorted(count.items()) if kind not in _EDGES)
    text = paper.caption(
        f"Ecosystem graph of one world (number {source.first_world['replicate']}) in {date:%B %Y}, {source.said()}: "
        f"{there}.",
        "Labs from top to bottom by tokens sold, the size of their dots grows with them; apps beside the lab they "
        "build on; investors and vendors at the mean height of their labs.",
        f"Not drawn: {left_out}." if left_out else "",
    )
    return Drawing("Ecosystem graph", figure, text)


def _tokens(source: Source, step: int) -> tuple[dict[str, float], dict[str, str]]:
    """Tokens of the labs at a step, and their names."""
    labs = source.in_first_world("labs", "lab_id", "tokens_day", "name").filter(pl.col("step") == step)
    rows = labs.select("lab_id", "tokens_day", "name").rows()
    size = {f"lab:{lab}": float(tokens or 0.0) for lab, tokens, _ in rows}
    return size, {f"lab:{lab}": name.replace("_", " ") for lab, _, name in rows}


def _layout(edges: pl.DataFrame, size: dict[str, float]) -> dict[str, tuple[float, float]]:
    """Columns by kind; labs by size, the others beside the labs they are tied to."""
    ties = edges.select("source", "target").rows()
    nodes = {node for tie in ties for node in tie}
    labs = sorted((n for n in nodes if n.startswith("lab:")), key=lambda n: (-size.get(n, 0.0), n))
    rank = {lab: place for place, lab in enumerate(labs)}
    near: dict[str, list[float]] = {}
    for a, b in ties:
        for one, other in ((a, b), (b, a)):
            if other in rank and one not in rank:
                near.setdefault(one, []).append(rank[other])
    order = {"lab": labs}
    for kind in ("investor", "vendor", "app"):
        mine = [node for node in nodes if node.startswith(f"{kind}:")]
        order[kind] = sorted(mine, key=lambda node: (np.mean(near.get(node, [0.0])), node))
    places = {}
    for kind, (x, low, high) in _PLACES.items():
        heights = np.linspace(high, low, max(len(order[kind]), 2))
        if kind == "lab":  # room for the dots of the largest
            room = np.sqrt([size.get(lab, 0.0) for lab in labs]) / (max(size.values(), default=0.0) or 1.0) ** 0.5
            depth = np.cumsum(room + 0.08) - (room + 0.08) / 2.0
            heights = high - (high - low) * depth / (depth[-1] if len(labs) else 1.0)
        places |= {node: (x, float(y)) for node, y in zip(order[kind], heights, strict=False)}
    return places


def _bent(a: tuple[float, float], b: tuple[float, float], points: int = 32) -> np.ndarray:
    """A curve that leaves and arrives level."""
    t = np.linspace(0.0, 1.0, points)
    return np.column_stack([a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * (3.0 * t**2 - 2.0 * t**3)])


def _nodes(axes: Axes, places: dict[str, tuple[float, float]], size: dict[str, float]) -> None:
    most = max(size.values(), default=0.0) or 1.0
    for kind, colour in _COLOURS.items():
        mine = [node for node in places if node.startswith(f"{kind}:")]
        if not mine:
            continue
        xy = np.array([places[node] for node in mine])
        areas = [3.0 + 90.0 * size.get(node, 0.0) / most for node in mine] if kind == "lab" else 4.0
        axes.scatter(
            *xy.T, s=areas, color=colour, linewidths=0.3 if kind == "lab" else 0.0, edgecolors="white", zorder=3
        )
        x, _, high = _PLACES[kind]
        axes.annotate(
            f"{kind}s ({len(mine):,})",
            (x, high),
            xytext=(0, 7),
            textcoords="offset points",
            ha=("left", "center", "right")[round(x)],
            fontsize=7.5,
            fontweight="bold",
            color=colour,
            bbox=_BEHIND,
        )
    axes.set_xlim(-0.12, 2.12)
    axes.set_ylim(-0.03, 1.07)


def _named(axes: Axes, places: dict[str, tuple[float, float]], size: dict[str, float], names: dict[str, str]) -> None:
    """Names of the five largest labs."""
    for lab in sorted((lab for lab in names if lab in places), key=lambda lab: -size[lab])[:5]:
        at = {"xytext": (8, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(names[lab], places[lab], fontsize=6, bbox=_BEHIND, zorder=4, **at)


# ---------------------------------------------------------------------- lineage


def lineage_tree(source: Source, families: int = 5) -> Drawing:
    """Lineage of the models of one world, the largest families coloured."""
    edges = source.in_first_world("edges", "kind", "source", "target")
    world = source.first_world["replicate"]
    graph = lineage_graph.lineage_graph(edges, world)
    if not len(graph):
        raise Missing("edges.parquet has no derives_from in the first world")
    dates, names = _releases(source, graph)
    roots = sorted((n for n, degree in graph.out_degree() if not degree), key=lambda n: -len(nx.ancestors(graph, n)))
    members = {root: nx.ancestors(graph, root) | {root} for root in roots}
    shown = roots[: families * 2]
    heights = _heights(graph, shown, dates)
    figure, (axes,) = paper.sheet(height=3.6)
    _tree_axes(axes, dates, heights)
    colours = [BLUE, ORANGE, GREEN, RED, PURPLE]
    for place, root in enumerate(shown):
        colour = colours[place] if place < families else "0.55"
        mine = members[root] & set(heights)
        curves = [_bent((dates[b], heights[b]), (dates[a], heights[a])) for a, b in graph.edges(mine) if b in heights]
        axes.add_collection(LineCollection(curves, colors=colour, linewidths=0.5, alpha=0.6))
        axes.scatter([dates[n] for n in mine], [heights[n] for n in mine], s=3, color=colour, zorder=3)
        if place < families:
            label = f"{names[root]}, {_month(dates[root])} ({len(mine) - 1})"
            _above(axes, label, [(dates[node], heights[node]) for node in mine])
    found = lineage_graph.measures(graph)
    date = edges["date"].max()
    text = paper.caption(
        f"Lineage of models in one world (number {world}) up to {date:%B %Y}, {source.said()}.",
        f"{len(graph):,} models that stand on others' weights or have others stand on theirs, {len(roots)} families; "
        f"drawn are the {len(shown)} largest, the {min(families, len(shown))} largest in colour with the lab and "
        "month of their "
        "root and the number of descendants.",
        f"The largest family holds {found['base_family_share']:.0%} of these models; the longest line has "
        f"{found['depth']:.0f} generations of descendants. True descent, declared or not.",
    )
    return Drawing("Lineage tree", figure, text)


def _above(axes: Axes, label: str, nodes: list[tuple[float, float]]) -> None:
    """A name above its family, within the axes: from the first model on, or up to the last one."""
    first, last, top = min(nodes)[0], max(nodes)[0], max(y for _, y in nodes)
    left = first - axes.get_xlim()[0] < axes.get_xlim()[1] - last
    options = {"ha": "left" if left else "right", "va": "bottom", "fontsize": 6, "textcoords": "offset points"}
    axes.annotate(label, (first if left else last, top), xytext=(0, 2), **options)


def _releases(source: Source, graph: nx.DiGraph) -> tuple[dict[str, float], dict[str, str]]:
    """Year in which each model came out (decimal) and the name of its lab."""
    labs = source.in_first_world("labs", "lab_id", "releases", "name")
    out = labs.group_by("lab_id", "releases").agg(pl.col("date").min(), pl.col("name").first())
    when = {(lab, count): date for lab, count, date, _ in out.iter_rows()}
    who = dict(out.select("lab_id", "name").iter_rows())
    start, depth = labs["date"].min(), shape.generations(graph)
    dates, names = {}, {}
    for node in graph:
        model = int(node.removeprefix("model:"))
        lab, count = divmod(model, shape.MODELS_A_LAB)
        # Two releases within a step leave only the last count: the first step that has passed it counts.
        date = when.get((lab, count)) or min((d for (i, n), d in when.items() if i == lab and n > count), default=None)
        years = start.year + start.month / 12.0
        dates[node] = years + depth[node] * _GENERATION / 12.0 if date is None else date.year + (date.month - 1) / 12.0
        names[node] = who.get(lab, f"lab {lab}").replace("_", " ")
    return dates, names


def _month(year: float) -> str:
    """A decimal year as year and month."""
    months = round(12.0 * year)
    return f"{months // 12}-{months % 12 + 1:02d}"


def _heights(graph: nx.DiGraph, roots: list[str], dates: dict[str, float]) -> dict[str, float]:
    """Leaves side by side from the top, everything else amid what stands on it; families apart."""
    heights: dict[str, float] = {}
    # Room for a name above each family.
    cursor, room = 0.0, max(6.0, _ROOM * sum(len(nx.ancestors(graph, root)) for root in roots))
    for root in roots:
        stack = [(root, False)]
        while stack:
            node, ready = stack.pop()
            children = sorted(graph.predecessors(node), key=lambda n: (dates[n], n))
            if not children:
                heights[node] = cursor
                cursor -= 1.0
            elif ready:
                heights[node] = float(np.mean([heights[child] for child in children]))
            else:
                stack += [(node, True), *((child, False) for child in reversed(children))]
        cursor -= room
    return heights


def _tree_axes(axes: Axes, dates: dict[str, float], heights: dict[str, float]) -> None:
    years = [dates[node] for node in heights]
    tall = max(heights.values()) - min(heights.values()) + 1.0
    axes.set_xlim(min(years) - 0.1, max(years) + 0.1)
    axes.set_ylim(min(heights.values()) - 0.02 * tall, max(heights.values()) + 0.06 * tall)
    first, last = int(np.floor(min(years))), int(np.ceil(max(years)))
    ticks = [year for year in range(first, last + 1) if min(years) - 0.1 <= year <= max(years) + 0.1]
    axes.set_xticks(ticks, [str(year) for year in ticks])
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("release")


NETWORK_FIGURES = {"ecosystem": ecosystem, "lineage": lineage_tree}
