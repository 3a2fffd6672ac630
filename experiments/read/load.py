"""Reading what runs wrote: one polars LazyFrame over any number of runs.

``where`` is always any mix of run folders, experiment folders, folders of experiments and
globs of these; without it, all complete runs in ``./outputs``. A folder without a complete
run (no ``manifest.json``) is ignored. Column names and units: ``outputs/README.md``.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from functools import partial
from os import PathLike
from pathlib import Path

import polars as pl
import yaml
from omegaconf import OmegaConf

from baimo.experiments.run import store
from baimo.experiments.run.compose import UserError

Where = str | PathLike[str]


def run_folders(*where: Where) -> list[Path]:
    """Folders of the complete runs found at ``where``, each once, in order of their names.

    Raises
    ------
    FileNotFoundError
        When one of ``where`` leads to no complete run.
    """
    found: dict[Path, None] = {}
    for place in where or ("outputs",):
        runs = sorted(run for path in _expanded(Path(place)) for run in _runs_below(path))
        if not runs:
            raise FileNotFoundError(
                f"no complete run at {str(place)!r}: looked for manifest.json there and two folders down"
            )
        found.update(dict.fromkeys(runs))
    return list(found)


def _expanded(place: Path) -> list[Path]:
    if place.exists() or not glob.has_magic(str(place)):
        return [place]
    return [Path(path) for path in glob.glob(str(place))]


def _runs_below(path: Path, depth: int = 2) -> Iterator[Path]:
    if path.is_file():
        path = path.parent
    if store.manifest(path) is not None:
        yield path
    elif depth and path.is_dir():
        for below in path.iterdir():
            if below.is_dir() and not below.name.startswith("."):
                yield from _runs_below(below, depth - 1)


def readable(*where: Where) -> list[Path]:
    """Folders of complete runs whose settings and market can be read.

    Raises
    ------
    UserError
        In one line, where there is none, or one of them cannot be read.
    """
    folder = None
    try:
        folders = run_folders(*where)
        for folder in folders:
            market(folder).collect_schema()
            OmegaConf.load(folder / "config.yaml")
    except (FileNotFoundError, ValueError) as error:
        raise UserError(str(error)) from error
    except (pl.exceptions.PolarsError, yaml.YAMLError) as error:
        raise UserError(f"{folder}: cannot be read: {str(error).splitlines()[0]}") from error
    return folders


def table(name: str, *where: Where) -> pl.LazyFrame:
    """One table over all runs at ``where``, with a last column ``run``.

    Parameters
    ----------
    name : {"market", "labs", "apps", "vendors", "investors", "events", "edges"}
        Which table.
    *where : str or path
        Run folders, experiment folders or globs; default all complete runs in ``./outputs``.

    Returns
    -------
    polars.LazyFrame
        ``scenario, replicate, step, date``, the columns of the table, ``run`` (the run id).
        A column that only some of the runs have is null in the others.

    Raises
    ------
    FileNotFoundError
        When no complete run is there, or none of them kept this table.
    ValueError
        For an unknown table, or runs of another schema version.

    Examples
    --------
    >>> import tempfile, pathlib, polars as pl
    >>> run = pathlib.Path(tempfile.mkdtemp()) / "baseline" / "4f1c9a"
    >>> run.mkdir(parents=True)
    >>> frame = pl.DataFrame({"scenario": "baseline", "replicate": [0, 1], "labs_alive_cn": [80.0, 96.0]})
    >>> frame.write_parquet(run / "market.parquet")
    >>> _ = (run / "manifest.json").write_text('{"status": "complete", "schema_version": 2}')
    >>> market = table("market", run.parent)
    >>> market.group_by("scenario", "run").agg(pl.median("labs_alive_cn")).collect().rows()
    [('baseline', '4f1c9a', 88.0)]
    """
    if name not in (*store.TABLES, "design"):
        raise ValueError(f"unknown table {name!r}; tables are {', '.join(store.TABLES)}")
    folders = run_folders(*where)
    _same_schema(folders)
    files = [folder / f"{name}.parquet" for folder in folders]
    files = [file for file in files if file.exists()]
    if not files:
        raise FileNotFoundError(_no_table(name, len(folders), ", ".join(map(str, where)) or "outputs"))
    # Files are listed one by one: a scan of a folder fails on any other file in it.
    frame = pl.scan_parquet(
        files, glob=False, include_file_paths="run", schema=_all_columns(files), missing_columns="insert"
    )
    return frame.with_columns(pl.col("run").str.extract(r"([^/\\]+)[/\\][^/\\]+$"))


def _no_table(name: str, runs: int, places: str) -> str:
    """Complaint that there is no such table, and how to get one."""
    if name == "design":
        return f"no design.parquet at {places}: these runs are none of baimo design"
    how = "run with output.level=full (or labs), and output.panel_worlds above 0 for panels"
    return f"no {name}.parquet in the {runs} complete run(s) at {places}: {how}"


def _all_columns(files: list[Path]) -> dict[str, pl.DataType]:
    """Columns of all files: a scenario with one more chip class has a column more."""
    schema: dict[str, pl.DataType] = {}
    for file in files:
        for name, kind in pl.read_parquet_schema(file).items():
            schema.setdefault(name, kind)
    return schema


def _same_schema(folders: list[Path]) -> None:
    for folder in folders:
        version = (store.manifest(folder) or {}).get("schema_version")
        if version != store.SCHEMA_VERSION:
            raise ValueError(
                f"{folder} has schema version {version}, this code reads {store.SCHEMA_VERSION}: "
                "run it again or leave it out"
            )


#: Each takes ``*where``; see :func:`table`. Aggregates of the market, one row a world and step.
market = partial(table, "market")
#: Panels of labs, and in the first ``output.panel_worlds`` worlds of apps, infrastructure vendors and investors.
labs, apps, vendors, investors = (partial(table, name) for name in ("labs", "apps", "vendors", "investors"))
#: Entries, exits, releases, rules: one row an event.
events = partial(table, "events")
#: Edges of the ecosystem graph at some steps.
edges = partial(table, "edges")
#: Points of designs (``baimo design``), one row a world; join to a table on ``run, replicate``.
design = partial(table, "design")


def settings(*where: Where) -> pl.DataFrame:
    """Settings that differ between runs: ``run`` and all settings with more than one value.

    Join it to a table on ``run`` to compare the cells of a sweep.

    Returns
    -------
    polars.DataFrame
        One row a run; setting columns are named by their dotted keys.
    """
    folders = run_folders(*where)
    rows = [dict(store.leaves(OmegaConf.to_container(OmegaConf.load(run / "config.yaml")))) for run in folders]
    keys = sorted({key for row in rows for key in row})
    varied = [key for key in keys if len({repr(row.get(key)) for row in rows}) > 1]
    columns = {key: pl.Series(key, [row.get(key) for row in rows], strict=False) for key in varied}
    return pl.DataFrame({"run": [run.name for run in folders], **columns})


def bands(frame: pl.LazyFrame, columns: Sequence[str], by: Sequence[str] = ("date",)) -> pl.DataFrame:
    """Median, 5% and 95% quantile across worlds of some columns, one row a date.

    Returns
    -------
    polars.DataFrame
        ``date`` (or other keys) and, per column that there is, ``<column>``, ``<column>_low``, ``<column>_high``.
    """
    present = [column for column in dict.fromkeys(columns) if column in frame.collect_schema()]
    ends = (pl.col(present).quantile(at, "linear").name.suffix(end) for at, end in ((0.05, "_low"), (0.95, "_high")))
    return frame.group_by(by).agg(pl.median(*present), *ends).sort(by).collect()
