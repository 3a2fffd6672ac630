"""Catalogue of figures, drawn into folders with their captions."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from baimo.experiments.analysis.arms import Arm
from baimo.experiments.figures import effects, industry, markets, networks, paper, summary
from baimo.experiments.figures.paper import Drawing, Missing, Source
from baimo.experiments.run.compose import UserError

#: Figures of one arm, in the order in which a paper would show them.
OF_RUNS: dict[str, Callable[[Source], Drawing]] = (
    industry.INDUSTRY_FIGURES | markets.MARKET_FIGURES | networks.NETWORK_FIGURES
)
#: Figures of several arms.
OF_ARMS = ("effects_months", "effects_last_year", "phase")
CAPTIONS = "captions.md"


@dataclass(frozen=True)
class Drawn:
    """A figure on disk, or why there is none.

    Parameters
    ----------
    name, title, caption : str
    png : Path, optional
        None where the figure could not be drawn; ``caption`` says why then.
    """

    name: str
    title: str
    caption: str
    png: Path | None


def checked(names: str) -> list[str]:
    """Names of figures with commas between them; all without a word.

    Raises
    ------
    UserError
        For a figure that there is not.
    """
    known = [*OF_RUNS, *OF_ARMS]
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"figures are {', '.join(known)}"
            raise UserError(f"figure {name}: there is none; {hint}")
    return wanted or known


def of_runs(source: Source, folder: Path, names: Sequence[str]) -> Iterator[Drawn]:
    """Draw the figures of one arm into a folder."""
    for name, draw in OF_RUNS.items():
        if name in names:
            yield _kept(name, lambda draw=draw: draw(source), folder)


def of_arms(
    arms: Sequence[Arm],
    frame: pl.DataFrame | None,
    base: Arm | None,
    folder: Path,
    names: Sequence[str],
    apart: Mapping[str, str] | None = None,
) -> Iterator[Drawn]:
    """Draw the figures of several arms into a folder.

    Parameters
    ----------
    arms : sequence of Arm
        All of them, the baseline among them.
    frame : DataFrame, optional
        Effects against the baseline; no figures of effects without it.
    base : Arm, optional
    folder : Path
    names : sequence of str
        Of the wanted figures.
    apart : mapping, optional
        What policies are compared with that have another baseline.

    Yields
    ------
    Drawn
    """
    if frame is not None and base is not None:
        less = f"{base.label}, or {', '.join(dict.fromkeys(apart.values()))} within it" if apart else base.label
        for name, draw in (("effects_months", effects.panels), ("effects_last_year", effects.last_year)):
            if name in names:
                yield _kept(name, lambda draw=draw: draw(frame, less), folder)
    axes = [key for key in effects.dimensions(arms) if key != "scenario"]
    if "phase" in names and len(axes) == 2:
        x, y = axes
        yield _kept("phase", lambda: effects.phase(effects.sweep_cells(arms, x, y), x, y), folder)
    elif "phase" in names:
        said = f"the runs differ in {len(axes)} settings" + (f" ({', '.join(axes[:4])})" if axes else "")
        yield Drawn("phase", "phase", f"{said}; a phase diagram takes a sweep over two", None)


def of_design(source: Source, folder: Path, names: Sequence[str], over: Sequence[str] = ()) -> Iterator[Drawn]:
    """Draw the phase diagram of a design into a folder; nothing for other runs.

    Parameters
    ----------
    over : sequence of str
        Two of its parameters; needless where no more than two vary.
    """
    if "phase" not in names or not source.design:
        return

    def draw() -> Drawing:
        return effects.phase(effects.points(source.folders, source.over(over)), *source.over(over))

    yield _kept("phase", draw, folder)


def _kept(name: str, draw: Callable[[], Drawing], folder: Path) -> Drawn:
    with paper.style():
        try:
            drawing = draw()
        except Missing as error:
            return Drawn(name, name.replace("_", " "), str(error), None)
        return Drawn(name, drawing.title, drawing.caption, summary.save(drawing.figure, folder, name, paper.DPI))


def captions(drawn: Sequence[Drawn]) -> str:
    """Captions as Markdown."""
    parts = [f"## {each.title}\n\n`{each.name}.pdf`\n\n{each.caption}\n" for each in drawn if each.png is not None]
    return "# Captions\n\n" + "\n".join(parts)
