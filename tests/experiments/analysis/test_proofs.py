"""``baimo proofs`` and ``baimo predictions`` on a few worlds: every rule reads its runs, and each report is written."""

from __future__ import annotations

import polars as pl
import pytest

from baimo.experiments import cli
from baimo.experiments.analysis.proofs import PROOFS
from baimo.experiments.run.compose import compose_run

SMALL = ("worlds=3", "processes=0", "output.figure=false")


@pytest.mark.slow
def test_proofs_that_need_few_runs_are_read_and_told(capsys, tmp_path):
    assert cli.main(["proofs", "--only", "1,6,9", *SMALL, f"output.folder={tmp_path}"]) == 0
    said = capsys.readouterr().out
    for number in (1, 6, 9):
        assert f"## {number} {PROOFS[number - 1].says}" in said
    assert "correlation" in said and "Subbotin" in said
    (written,) = tmp_path.rglob("proofs.md")
    assert written.read_text(encoding="utf-8").startswith("# Proofs: ")


def test_a_proof_that_there_is_not_is_named(capsys, tmp_path):
    assert cli.main(["proofs", "--only", "99", f"output.folder={tmp_path}"]) == 2
    assert "99" in capsys.readouterr().err


@pytest.mark.slow
def test_predictions_are_answered_by_year(capsys, tmp_path):
    assert cli.main(["predictions", *SMALL, f"output.folder={tmp_path}"]) == 0
    said = capsys.readouterr().out
    assert "borne out" in said and "contradicted" in said
    (table,) = tmp_path.rglob("predictions*.parquet")
    assert pl.read_parquet(table).height > 30


@pytest.mark.slow
@pytest.mark.parametrize("proof", PROOFS, ids=lambda each: str(each.number))
def test_a_proof_says_what_it_compares(proof):
    """Of each arm the settings are there, and one at least says something else than the baseline."""
    assert proof.read.__doc__ and "baseline" in proof.arms
    plain, arms = compose_run([]), [compose_run([*overrides]) for overrides in proof.arms.values()]
    assert len(arms) == 1 or any(each != plain for each in arms)
