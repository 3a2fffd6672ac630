"""Fixtures that several test files share: the facts of ``conf/facts`` and the chips in them."""

from __future__ import annotations

import csv
import ctypes
import os
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from baimo.conf import schema
from baimo.conf.mechanisms import MECHANISMS
from baimo.world.compute.chips import ChipTable
from baimo.world.engine import device

FACTS = Path(__file__).resolve().parents[1] / "conf" / "facts"
#: Die areas in mm2 as far as they are given (PRIORS); the rest have no density.
DIE_MM2 = {"A100": 826, "A800": 826, "H100": 814, "H800": 814, "H20": 814}


def pytest_addoption(parser):
    """``pytest -k M07 --without M07``: every model runs without the mechanism, so its test must fail."""
    parser.addoption("--without", choices=[each.id for each in MECHANISMS], help="mechanism to disable everywhere")


def pytest_configure(config):
    """Disable a mechanism where the model reads its configuration, and give the processes of a session one folder.

    A folder named by PAIRED_RUNS is kept, for work on the tests alone: its runs are stale once the model changes.
    """
    config.keeps_runs = "PAIRED_RUNS" in os.environ
    if not config.keeps_runs:
        os.environ["PAIRED_RUNS"] = tempfile.mkdtemp(prefix="paired-runs-")
    chosen = [each for each in MECHANISMS if each.id == config.getoption("--without")]
    if not chosen:
        return
    read = schema.to_parameters

    def without(given):
        plain = read(given)
        schema._switch_off(plain, chosen[0])
        return plain

    schema.to_parameters = without


def pytest_unconfigure(config):
    """Remove the runs of the session (tests/paired_runs.py)."""
    if not config.keeps_runs:
        shutil.rmtree(os.environ["PAIRED_RUNS"])


def pytest_terminal_summary(terminalreporter):
    """Say where the time goes: seconds a file, the slowest first."""
    seconds = Counter()
    for reports in terminalreporter.stats.values():
        for each in reports:
            if isinstance(each, pytest.TestReport):
                seconds[each.nodeid.partition("::")[0]] += each.duration
    terminalreporter.section(f"{seconds.total():.0f} seconds in all")
    for file, spent in seconds.most_common():
        terminalreporter.write_line(f"{spent:7.1f} {file}")


def chip_row(row: dict) -> dict:
    """A row of facts/chips.csv with neutral values for what the facts do not say."""
    neutral = {
        "generation": row["chip"],
        "parent": "",
        "response_months": 0,
        "die_mm2": DIE_MM2.get(row["chip"], float("nan")),
        "failure_factor": 1,
        "maturity": 1,
    }
    return neutral | row | {"launch": f"{row['launch']}-01"}


def read_table(name: str) -> list[dict[str, str]]:
    with (FACTS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def facts():
    """Rows of a facts table by name."""
    return read_table


@pytest.fixture(scope="session")
def fact():
    """One figure of facts/calibration.csv, by id and (where there are several) date."""
    rows = read_table("calibration")

    def look_up(identity: str, date: str | None = None, key: str = "value") -> float:
        found = [r for r in rows if r["id"] == identity and date in (None, r["date"])]
        assert len(found) == 1, f"{len(found)} facts match {identity} {date}"
        return float(found[0][key])

    return look_up


@pytest.fixture(scope="session")
def chips() -> ChipTable:
    """The chip classes of facts/chips.csv."""
    return ChipTable.from_rows([chip_row(row) for row in read_table("chips")])


@pytest.fixture(scope="session")
def make_chip():
    """A table of one imagined foreign chip: the H100, but for what is given."""
    h100 = next(row for row in read_table("chips") if row["chip"] == "H100")

    def make(**changes) -> ChipTable:
        return ChipTable.from_rows([chip_row(h100) | changes])

    return make


C_TYPES = {"uint64": "unsigned long long", "int64": "long long", "float64": "double"}


@pytest.fixture
def compiled(tmp_path):
    """Call the text of a GPU kernel, compiled for the host: ``compiled(name, inputs, outputs, dtype[, size])``."""
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler")

    def call(name, inputs, outputs, dtype, size=None):
        given, made, text = device._TEXTS[name]
        size = size or inputs[0].size
        results = [np.zeros(size, dtype=dtype) for _ in range(outputs)]
        head, pointers = [], []
        for number, declared in enumerate(f"{given}, {made}".split(", ")):
            *raw, kind, label = declared.split()
            pointers.append(f"{C_TYPES[kind]}* p{number}")
            head.append(
                f"{C_TYPES[kind]}* {label} = p{number};" if raw else f"{C_TYPES[kind]}& {label} = p{number}[i];"
            )
        source = f'extern "C" void run({", ".join(pointers)}) {{ for (long long i = 0; i < {size}; ++i) {{'
        source += "\n".join([*head, text]) + "} }"
        (tmp_path / "kernel.cpp").write_text(source)
        library = tmp_path / "kernel.so"
        command = [compiler, "-O1", "-shared", "-fPIC", str(tmp_path / "kernel.cpp"), "-o", str(library)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        arrays = [np.ascontiguousarray(each) for each in inputs] + results
        ctypes.CDLL(str(library)).run(*(ctypes.c_void_p(each.ctypes.data) for each in arrays))
        return results

    return call
