"""The report of ``baimo predictions``: claims of the articles with the model's answers, as text and as a figure."""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from baimo.experiments.analysis.predictions import YEARS, answers, verdicts
from baimo.experiments.analysis.tables import markdown_table
from baimo.experiments.figures.predictions import draw_predictions
from baimo.experiments.report import folder
from baimo.experiments.run.cells import paired_settings, run_cells
from baimo.experiments.run.compose import compose_run


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be typed."""
    parser.add_argument("settings", nargs="*", metavar="key=value", help="settings, as of baimo (default worlds=64)")


def command(options: argparse.Namespace) -> None:
    """Run, read, write and print."""
    words, cfg = paired_settings(options.settings, "predictions")
    (run,) = run_cells([compose_run([*words, "output.level=labs"])], "predictions", int(cfg.processes))
    frame = answers(run)

    def fill(part: Path) -> None:
        frame.write_parquet(part / "predictions.parquet")
        (part / "predictions.md").write_text(predictions_text(frame), encoding="utf-8")
        draw_predictions(frame, part)

    place, fresh = folder.write_report_folder(run.parent, {"run": run.name}, fill)
    print((place / "predictions.md").read_text(encoding="utf-8"))
    folder.print_report_folder(place, fresh)


def predictions_text(frame: pl.DataFrame) -> str:
    """A Markdown table: a row a claim, in each year the probability, the median and the band over worlds."""
    said, rows = verdicts(frame), []
    for (number,), part in frame.group_by("number", maintain_order=True):
        first = part.row(0, named=True)
        by_year = {row["year"]: _cell(row) for row in part.iter_rows(named=True)}
        cells = [by_year.get(year, "") for year in YEARS]
        rows.append([first["article"], first["says"], first["answer"], *cells, said.get(number, "")])
    heads = ["article", "claim", "answer", *map(str, YEARS), "verdict"]
    counted = ", ".join(f"{list(said.values()).count(each)} {each}" for each in ("borne out", "open", "contradicted"))
    note = (
        "A cell: share of worlds in which the claim holds, median [5%, 95%]; in brackets where the article is silent."
    )
    return "\n".join([f"# Predictions: {counted}", "", *markdown_table(heads, rows), "", note, ""])


def _cell(row: dict) -> str:
    text = f"{row['probability']:.0%}, {row['median']:.3g} [{row['low']:.3g}, {row['high']:.3g}]"
    return text if row["foretold"] else f"({text})"
