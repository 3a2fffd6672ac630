"""The printed table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from baimo.experiments.analysis import tables
from baimo.experiments.bench.timing import Facts

_NOTE = "Other work on the machine makes all of it slower: trust the best more than the median, and repeat."


def bench_text(facts: Facts) -> str:
    """All measurements as one page."""
    parts = [_machine(facts["machine"]), _one_world(facts["one_world"]), _ensembles(facts["ensembles"])]
    for name, part in (("processes", _processes), ("apps", _apps), ("stream", _stream), ("market_step", _market_step)):
        if name in facts:
            parts.append(part(facts[name]))
    if "numpy_only" in facts:
        parts.append(_ensembles([facts["numpy_only"]], "A block by NumPy alone, not compiled"))
    if facts.get("gpu_ensembles"):
        parts.append(_gpu(facts["gpu_ensembles"], facts["processes"]))
    files = facts["stream"]["files"] if "stream" in facts else facts.get("processes", [{}])[-1].get("files")
    if files:
        parts.append(_files(files))
    parts.append(_exponents(facts["exponents"]))
    parts += [_phases(facts["phases"], facts["ensembles"][-1]["worlds"]), f"GPU: {facts['gpu']}", _NOTE]
    return "\n\n".join(part for part in parts if part)


def text_table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A title and columns: the first to the left, numbers to the right.

    Examples
    --------
    >>> print(text_table("Time", ["", "s"], [["one", "1.0"], ["twenty", "20.0"]]))
    Time
                 s
      one      1.0
      twenty  20.0
    """
    return "\n".join([title, *tables.aligned(head, rows)])


def _machine(facts: Facts) -> str:
    versions = ", ".join(f"{name} {facts[name]}" for name in ("python", "numpy", "polars", "mesa", "numba"))
    load = "" if facts["load"] is None else f", load {facts['load']} at the start"
    caches = "".join(f", {level} {size}" for level, size in facts["caches"].items())
    memory = "" if facts["memory_gb"] is None else f", {facts['memory_gb']:g} GB"
    commit = "" if facts["commit"] is None else f", commit {facts['commit'][:10]}{' and changes' * facts['changed']}"
    return f"{facts['cpu']}, {facts['cores']} cores{caches}{memory}{load} ({facts['system']})\n{versions}{commit}"


def _one_world(facts: Facts) -> str:
    rows = [
        [name, *(f"{facts[name][key]:.3f}" for key in ("best", "median"))]
        for name in ("construction", "stepping", "together")
    ]
    return text_table(f"One world by Mesa's API, {facts['steps']} steps, recorded; s", ["", "best", "median"], rows)


def _ensembles(ensembles: Sequence[Facts], what: str = "Ensembles in one process") -> str:
    head = ["worlds", "construction s", "stepping s", "tables s", "ms a world-step", "worlds/s", "peak MB"]
    rows = [
        [
            str(each["worlds"]),
            *(f"{each[key]['best']:.2f}" for key in ("construction", "stepping", "tables")),
            *_rates(each),
            _mb(each["peak_mb"]),
        ]
        for each in ensembles
    ]
    return text_table(f"{what}, {ensembles[0]['steps']} steps, recorded; the best run", head, rows)


def _gpu(runs: Sequence[Facts], on_processor: Sequence[Facts]) -> str:
    """Worlds a second on the GPU, against the best that all cores of the machine reached."""
    best = max(each["worlds_a_second"] for each in on_processor)
    rows = []
    for each in runs:
        if "failed" in each:
            rows.append([str(each["worlds"]), each["failed"], "-", "-", "-"])
            continue
        times = f"{each['worlds_a_second'] / best:.1f}"
        cells = [f"{each['together']:.2f}", f"{each['worlds_a_second']:.1f}", times, f"{each['bandwidth_share']:.1%}"]
        rows.append([str(each["worlds"]), *cells])
    head = [
        "worlds",
        "construction, steps, tables s",
        "worlds/s",
        "times all cores",
        "share of bandwidth (columns once)",
    ]
    return text_table(f"Ensembles on the GPU, {runs[0].get('steps', '-')} steps, recorded", head, rows)


def _processes(runs: Sequence[Facts]) -> str:
    title = f"Runs of {runs[0]['steps']} steps over processes, their start and the files included; one run each"
    head = ["processes", "block", "worlds", "wall s", "stepping s, sum", "core-ms a world-step", "worlds/s"]
    rows = [
        [
            *(str(each[name]) for name in ("processes", "block", "worlds")),
            *(f"{each[name]:.2f}" for name in ("wall", "stepping")),
            *_rates(each),
        ]
        for each in runs
    ]
    return text_table(title, head, rows)


def _apps(worlds: Sequence[Facts]) -> str:
    title = "One world with many apps from the start; the first step fills what later ones find"
    head = ["apps", "construction s", "first step s", "later steps s", "edges", "edges s", "peak MB"]
    rows = [
        [
            f"{each['apps']:,}",
            *(f"{each[name]:.3f}" for name in ("construction", "first_step", "step")),
            f"{each['edges']:,}",
            f"{each['edges_seconds']:.3f}",
            _mb(each["peak_mb"]),
        ]
        for each in worlds
    ]
    return text_table(title, head, rows)


def _stream(facts: Facts) -> str:
    title = f"Streamed to disk, {facts['steps']} steps, {facts['processes']} processes, blocks of {facts['block']}"
    row = [str(facts["worlds"]), f"{facts['wall']:.1f}", f"{facts['worlds_a_second']:.2f}", _mb(facts["peak_mb"])]
    return text_table(title, ["worlds", "wall s", "worlds/s", "peak MB of all processes"], [row])


def _market_step(facts: Facts) -> str:
    title = (
        f"The market step, {facts['steps']} steps, {facts['labs']:.0f} labs and {facts['apps']:.0f} apps a world: "
        f"agent by agent, and on the columns of {facts['worlds']} worlds; processor s a world"
    )
    row = [f"{facts['plain_mesa']:.3f}", f"{facts['columns']:.4f}", f"{facts['ratio']:.1f}"]
    return text_table(title, ["plain Mesa", "columns", "times faster"], [row])


def _files(files: Sequence[Facts]) -> str:
    rows = [
        [each["table"], str(each["worlds"]), "-" if each["kb_a_world"] is None else f"{each['kb_a_world']:.1f}"]
        for each in files
    ]
    return text_table("Files", ["table", "worlds in it", "KB a world"], rows)


def _exponents(facts: Facts) -> str:
    rows = [[name.replace("_", " "), f"{value:.2f}"] for name, value in facts.items()]
    return text_table("Scaling exponents (1 is linear)", ["", "exponent"], rows) if rows else ""


def _rates(facts: Facts) -> list[str]:
    return [f"{facts['ms_a_world_step']:.2f}", f"{facts['worlds_a_second']:.2f}"]


def _mb(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _phases(phases: Sequence[Facts], worlds: int) -> str:
    rows = [[each["phase"], f"{each['ms_a_step']:.2f}", f"{each['share']:.1%}"] for each in phases]
    return text_table(f"Phases, {worlds} worlds in one process", ["", "ms a step", "share"], rows)
