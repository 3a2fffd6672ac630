"""The printed table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from experiments.bench.measure import Facts

NOTE = "Other work on the machine makes all of it slower: trust the best more than the median, and repeat."


def text(facts: Facts) -> str:
    """All measurements as one page."""
    parts = [_machine(facts["machine"]), _one_world(facts["one_world"]), _ensembles(facts["ensembles"])]
    if "processes" in facts:
        parts.append(_processes(facts["processes"]))
    parts += [_phases(facts["phases"], facts["ensembles"][-1]["worlds"]), NOTE]
    return "\n\n".join(parts)


def grid(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A title and columns: the first to the left, numbers to the right.

    Examples
    --------
    >>> print(grid("Time", ["", "s"], [["one", "1.0"], ["twenty", "20.0"]]))
    Time
                 s
      one      1.0
      twenty  20.0
    """
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    body = [
        "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))])
        for line in lines
    ]
    return "\n".join([title, *(f"  {line}".rstrip() for line in body)])


def _machine(facts: Facts) -> str:
    versions = ", ".join(f"{name} {facts[name]}" for name in ("python", "numpy", "polars", "mesa"))
    load = "" if facts["load"] is None else f", load {facts['load']} at the start"
    return f"{facts['cpu']}, {facts['cores']} cores{load} ({facts['system']})\n{versions}"


def _one_world(facts: Facts) -> str:
    rows = [
        [name, *(f"{facts[name][key]:.3f}" for key in ("best", "median"))]
        for name in ("construction", "stepping", "together")
    ]
    return grid(f"One world by Mesa's API, {facts['steps']} steps, recorded; s", ["", "best", "median"], rows)


def _ensembles(ensembles: Sequence[Facts]) -> str:
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
    return grid(f"Ensembles in one process, {ensembles[0]['steps']} steps, recorded; the best run", head, rows)


def _processes(facts: Facts) -> str:
    title = f"Ensemble over {facts['processes']} processes, their start and the files included; one run"
    head = ["worlds", "wall s", "stepping s, sum", "core-ms a world-step", "worlds/s", "peak MB a worker"]
    row = [str(facts["worlds"]), f"{facts['wall']:.2f}", f"{facts['stepping']:.2f}", *_rates(facts)]
    return grid(title, head, [[*row, _mb(facts["peak_mb_a_worker"])]])


def _rates(facts: Facts) -> list[str]:
    return [f"{facts['ms_a_world_step']:.2f}", f"{facts['worlds_a_second']:.2f}"]


def _mb(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _phases(phases: Sequence[Facts], worlds: int) -> str:
    rows = [[each["phase"], f"{each['ms_a_step']:.2f}", f"{each['share']:.1%}"] for each in phases]
    return grid(f"Phases, {worlds} worlds in one process", ["", "ms a step", "share"], rows)
