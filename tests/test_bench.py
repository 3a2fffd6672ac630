"""The benchmark runs, prints and writes; how fast it is, no test asks."""

from __future__ import annotations

import doctest
import json

import pytest

from experiments.bench import __main__ as bench
from experiments.bench import measure, report


def test_quick_prints_a_table_and_writes_when_asked(tmp_path, capsys):
    target = tmp_path / "bench.json"
    assert bench.main(["--quick", "--worlds", "2", "--repeat", "1", "--write", str(target)]) == 0
    facts = json.loads(target.read_text())
    assert [each["worlds"] for each in facts["ensembles"]] == [1, 2]
    assert sum(phase["share"] for phase in facts["phases"]) == pytest.approx(1.0)
    assert facts["one_world"]["together"]["best"] > 0
    printed = capsys.readouterr().out
    assert "ms a world-step" in printed
    assert all(phase["phase"] in printed for phase in facts["phases"])


def test_writes_nothing_unasked():
    assert bench.arguments([]).write is None


@pytest.mark.parametrize("words", [["--worlds", "0"], ["--repeat", "-1"], ["--worlds", "many"]])
def test_refuses_what_cannot_be_measured(words, capsys):
    with pytest.raises(SystemExit):
        bench.arguments(words)
    assert words[0] in capsys.readouterr().err


def test_report_with_processes_and_unknown_memory():
    spread = {"best": 1.0, "median": 2.0}
    block = {"worlds": 2, "steps": 3, "construction": spread, "stepping": spread, "tables": spread, "peak_mb": None}
    facts = {
        "machine": measure.machine(),
        "one_world": {"steps": 3, "construction": spread, "stepping": spread, "together": spread},
        "ensembles": [block | measure.rates(2, 3, 1.0, 2.0)],
        "processes": {"worlds": 2, "processes": 2, "wall": 2.0, "stepping": 1.0, "peak_mb_a_worker": 100.0}
        | measure.rates(2, 3, 1.0, 2.0),
        "phases": [{"phase": "9 demand", "ms_a_step": 1.0, "share": 1.0}],
    }
    assert "over 2 processes" in report.text(facts)


@pytest.mark.parametrize("module", [measure, report])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0
