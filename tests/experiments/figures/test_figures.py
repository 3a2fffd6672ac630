"""Figures for a paper and the report: what is written, what captions and findings say, what is refused."""

from __future__ import annotations

import datetime as dt
import doctest
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from omegaconf import OmegaConf

from baimo.experiments import cli
from baimo.experiments.analysis import tables
from baimo.experiments.figures import catalogue, effects, paper
from baimo.experiments.figures.paper import Source
from baimo.experiments.read import load
from baimo.experiments.report import findings, reproduce
from baimo.experiments.run import store
from baimo.experiments.run.compose import compose_run
from baimo.world.record import outputs

#: Left out of CI, which has half an hour; run before a release: ``pytest -m slow``.
pytestmark = pytest.mark.slow

MONTHS = [dt.date(2023 + m // 12, m % 12 + 1, 1) for m in range(15)]
QUESTION = ("--question", "Who <gains> & when?")
STATE = {
    "frontier_all": 2.0,
    "frontier_cn": 1.0,
    "frontier_open": 1.0,
    "frontier_open_cn": 0.5,
    "gap_cn_months": 9.0,
    "gap_open_months": 8.0,
    "hhi_tokens_cn": 0.2,
    "cr4_tokens_cn": 0.6,
    "top1_tokens_share_cn": 0.3,
    "price_gpt35_level": 20.0,
    "price_gpt4_level": 40.0,
    "price_flagship_cn": 50.0,
    "price_light_cn": 10.0,
    "h100e_cn_legal": 3e4,
    "h100e_cn_grey": 1e4,
    "h100e_cn_domestic": 5e3,
    "funding_cn": 300.0,
    "hype": 0.4,
    "lab_entries_cn": 3.0,
    "lab_exits_cn": 1.0,
    "app_survival_median_months": 6.0,
    "app_lifeline_median_months": 4.0,
}


def keys(worlds=4):
    world, step = np.divmod(np.arange(worlds * len(MONTHS)), len(MONTHS))
    dates = [MONTHS[s] for s in step]
    return pl.DataFrame({"replicate": world.astype(np.int32), "step": step.astype(np.int32), "date": dates})


def market(more_labs=0.0):
    frame = keys()
    noise = np.random.default_rng(1).normal(1.0, 0.02, (frame.height, len(STATE)))
    columns = {name: value * noise[:, i] for i, (name, value) in enumerate(STATE.items())}
    alive = 100.0 + frame["step"].to_numpy() + 2.0 * frame["replicate"].to_numpy() + more_labs
    return frame.with_columns(**{n: pl.Series(v) for n, v in columns.items()}, labs_alive_cn=pl.Series(alive))


def labs():
    rows = []
    for lab in range(30):
        life = 4 + lab % 12
        for step in range(lab % 3, min(lab % 3 + life, len(MONTHS))):
            dies = step == lab % 3 + life - 1
            rows.append(
                {
                    "replicate": 0,
                    "step": step,
                    "date": MONTHS[step],
                    "lab_id": lab,
                    "name": f"lab-{lab}",
                    "region": "CN",
                    "archetype": ("big_tech", "vertical")[lab % 2],
                    "alive": not dies,
                    "exit_reason": "insolvent" if dies else "",
                    "founded": lab % 3,
                    "share_tokens": 1.0 / 30,
                    "tokens_day": float(lab),
                    "releases": 1 + step // 4,
                }
            )
    return pl.DataFrame(rows).cast({"replicate": pl.Int32, "step": pl.Int32})


def apps():
    frame = labs().rename({"lab_id": "app_id"}).drop("name", "region", "archetype")
    kinds = pl.col("app_id").mod(3).replace_strict({0: "poor", 1: "fair", 2: "good"})
    return frame.with_columns(aim_class=kinds, age=pl.col("step").cast(pl.Float32))


def edges():
    ties = [("supplies", "vendor:0", "lab:1"), ("holds", "investor:3", "lab:2"), ("builds_on", "app:5", "lab:1")]
    ties += [("derives_from", f"model:{1024 * lab + 1}", "model:1025") for lab in range(2, 9)]
    ties += [("derives_from", "model:9217", "model:2049"), ("regulates", "regulator:0", "lab:1")]
    rows = [{"kind": kind, "source": a, "target": b, "weight": 1.0} for kind, a, b in ties]
    here = [pl.lit(value, pl.Int32).alias(name) for name, value in (("replicate", 0), ("step", 12))]
    return pl.DataFrame(rows).with_columns(*here, date=pl.lit(MONTHS[12]))


@pytest.fixture(scope="session")
def config():
    return OmegaConf.create(store.plain_settings(compose_run(["worlds=4", "steps=15", "start=2023-01"])))


def write_run(place, name, config, tables, changes=()):
    """A complete run made by hand."""
    folder = place / name / f"{name:0>10}"
    folder.mkdir(parents=True)
    for table, frame in tables.items():
        frame.select(pl.lit(name).alias("scenario"), pl.all()).write_parquet(folder / f"{table}.parquet")
    its = OmegaConf.merge(config, {"scenario": name})
    for key, value in changes:
        OmegaConf.update(its, key, value)
    OmegaConf.save(its, folder / "config.yaml")
    facts = {"status": "complete", "schema_version": store.SCHEMA_VERSION, "run": folder.name, "scenario": name}
    facts |= {"worlds": 4, "steps": 15, "seed": 1, "code_version": "c0de", "versions": {"polars": "2.1"}}
    (folder / "manifest.json").write_text(json.dumps(facts | {"rows": dict.fromkeys(tables, 1)}))
    return folder


SWEEP = (("model_market.price_sensitivity", (1.5, 3.0)), ("capital.herding", (0.1, 0.9)))


@pytest.fixture(scope="session")
def runs(tmp_path_factory, config):
    place = tmp_path_factory.mktemp("outputs")
    write_run(place, "baseline", config, {"market": market(), "labs": labs(), "apps": apps(), "edges": edges()})
    write_run(place, "more", config, {"market": market(7.0)}, [("model_market.price_sensitivity", 3.0)])
    return place


@pytest.fixture(scope="session")
def written(runs):
    """The report on a baseline and a policy."""
    place = runs.parent / "reports"
    assert cli.main(["report", f"{runs}/baseline", f"{runs}/more", "--to", str(place), *QUESTION]) == 0
    (folder,) = place.iterdir()
    return folder


# ---------------------------------------------------------------------- figures


def test_every_figure_of_a_run_is_drawn_with_a_caption(written):
    names = {*catalogue.OF_RUNS, "effects_months", "effects_last_year"}
    for name in names:
        png, pdf = ((written / "figures" / f"{name}.{kind}").read_bytes() for kind in ("png", "pdf"))
        assert png.startswith(b"\x89PNG") and pdf.startswith(b"%PDF"), name
    captions = (written / "captions.md").read_text()
    assert captions.count("\n## ") == len(names)
    assert all(f"`{name}.pdf`" in captions for name in names)
    assert "median of 4 worlds" in captions and "5% to 95% of worlds" in captions


def test_captions_say_the_numbers_of_the_run(runs):
    source = Source("baseline", tuple(load.run_folders(runs / "baseline")))
    with paper.style():
        cycle = catalogue.OF_RUNS["life_cycle"](source)
        tree = catalogue.OF_RUNS["lineage"](source)
        graph = catalogue.OF_RUNS["ecosystem"](source)
    last = market().filter(pl.col("step") == 14)["labs_alive_cn"]
    assert f"{last.median():.3g} ({last.quantile(0.05, 'linear'):.3g} to" in cycle.caption
    assert ". 9 models" in tree.caption and "longest line has 2" in tree.caption
    assert "Not drawn: derives from (8), regulates (1)." in graph.caption
    assert all(each.figure.get_figwidth() == paper.COLUMN for each in (cycle, tree, graph))


def test_a_missing_table_is_one_line(runs, capsys):
    assert cli.main(["figures", f"{runs}/more", "--only", "survival,ecosystem,chips"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 3
    assert sum(line.startswith("no survival: no labs.parquet") for line in said) == 1
    assert sum(line.startswith("no ecosystem: no edges.parquet") for line in said) == 1
    (drawn,) = (line for line in said if not line.startswith("no "))
    assert drawn.endswith("chips.png") and Path(drawn.split()[-1]).read_bytes().startswith(b"\x89PNG")


def test_a_sweep_over_two_settings_gives_a_phase_diagram(tmp_path, config, capsys):
    (x, across), (y, up) = SWEEP
    for i, a in enumerate(across):
        for j, b in enumerate(up):
            write_run(tmp_path, f"cell{i}{j}", config, {"market": market(10.0 * i + j)}, [(x, a), (y, b)])
    assert cli.main(["figures", str(tmp_path), "--only", "phase"]) == 0
    (caption,) = (tmp_path / "comparison").glob("report-*/captions.md")
    assert "4 cells of 4 worlds" in caption.read_text()
    assert (caption.parent / "phase.pdf").exists()
    assert "phase.png" in capsys.readouterr().out


def test_the_worlds_of_a_design_are_gathered_in_bins():
    draws = np.random.default_rng(2).random((200, 3))
    drawing = effects.phase(pl.DataFrame(draws, schema=["a", "b", "labs_alive_cn"]), "a", "b")
    assert "25 cells" in drawing.caption


def test_a_design_is_known_by_its_points(tmp_path, config, capsys):
    folder = write_run(tmp_path, "baseline", config, {"market": market()})
    values = [0.2, 0.2, 0.8, 0.8], [1.0, 2.0, 1.0, 2.0]
    keys = {name: pl.Series(range(4), dtype=pl.Int32) for name in ("replicate", "point", "luck")}
    pl.DataFrame(keys | dict(zip(("a.x", "b.y"), values, strict=True))).write_parquet(folder / "design.parquet")
    assert cli.main(["figures", str(tmp_path), "--only", "phase"]) == 0
    caption = (folder / "figures" / "captions.md").read_text()
    assert "Phase diagram over a.x and b.y, 4 cells of 1 worlds" in caption
    assert cli.main(["figures", str(tmp_path), "--only", "phase", "--over", "a.x,nothing"]) == 2
    assert "varies these two" in capsys.readouterr().err


def test_runs_that_cannot_be_read_are_one_line(tmp_path, config, capsys):
    for name, spoil in (
        ("config", lambda folder: (folder / "config.yaml").unlink()),
        ("market", lambda folder: (folder / "market.parquet").unlink()),
        ("garbage", lambda folder: (folder / "market.parquet").write_text("no table")),
    ):
        spoil(folder := write_run(tmp_path, name, config, {"market": market()}))
        before = sorted(folder.rglob("*"))
        for command in ("figures", "report"):
            assert cli.main([command, str(folder)]) == 2
            assert capsys.readouterr().err.count("\n") == 1
        assert sorted(folder.rglob("*")) == before


def test_policies_are_compared_within_their_context(tmp_path, config):
    """In the context y a policy adds 20 labs, at home 10: each against its own pair, and the difference."""
    (x, (low, high)), (y, (home, away)) = (("model_market.price_sensitivity", (2.0, 3.0)), SWEEP[1])
    home = config.capital.herding
    for i, (a, b, more) in enumerate(((low, home, 0.0), (high, home, 10.0), (low, away, 5.0), (high, away, 25.0))):
        write_run(tmp_path, f"cell{i}", config, {"market": market(more)}, [(x, a), (y, b), ("scenario", "baseline")])
    assert cli.main(["report", str(tmp_path), "--within", y, "--to", str(tmp_path / "r")]) == 0
    (said,) = (each.read_text() for each in (tmp_path / "r").glob("report-*/findings.md"))
    assert "The number of labs alive in China: +20.0 labs against herding=0.9" in said
    assert "under herding=0.9 less that under baseline is +10.0 labs" in said


def test_wrong_figures_and_folders_are_one_line(runs, tmp_path, capsys):
    assert cli.main(["figures", str(runs), "--only", "life_cycl"]) == 2
    assert "did you mean life_cycle?" in capsys.readouterr().err
    assert cli.main(["figures", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


# ---------------------------------------------------------------------- report


class References(HTMLParser):
    """Everything in a page that a browser would fetch or run."""

    def __init__(self):
        super().__init__()
        self.found, self.tags = [], set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.found += [value for name, value in attributes if name in ("src", "href", "srcset", "data", "action")]


def test_the_page_needs_nothing_else(written):
    text = (written / "index.html").read_text(encoding="utf-8")
    page = References()
    page.feed(text)
    assert all(each.startswith(("#", "data:image/png;base64,")) for each in page.found)
    assert not page.tags & {"script", "link", "iframe", "object"}
    assert "url(" not in text and "@import" not in text
    assert sum(each.startswith("data:") for each in page.found) == len(catalogue.OF_RUNS) + 2
    assert "Who &lt;gains&gt; &amp; when?" in text


def test_findings_are_the_numbers_of_the_table(written):
    table = pl.read_parquet(written / "effects.parquet")
    row = table.filter(pl.col("column") == "labs_alive_cn", pl.col("period") == "last year").row(0, named=True)
    assert row["effect"] == pytest.approx(7.0)
    said = (written / "findings.md").read_text()
    alive = "The number of labs alive in China: +7.00 labs against baseline, 95% interval [+7.00, +7.00]"
    assert f"{alive}, the same sign in 100% of 4 pairs of worlds." in said
    assert "The same in all pairs of worlds: " in said, "the other columns are equal in both arms"
    tex = {file.name for file in (written / "tables").iterdir()}
    assert {"effects.tex", "levels.tex", "facts.tex"} <= tex
    for file in (written / "tables").glob("*.tex"):
        latex = file.read_text()
        assert latex.count(r"\begin{table}") == latex.count(r"\end{table}") > 0


def test_effects_that_do_not_stand_are_not_told_as_findings():
    base = {"period": "last year", "log": False, "n": 32, "share_sign": 0.6, "policy": "p"}
    rows = [
        base | {"column": "trust_cn", "effect": 0.1, "t": 2.1, "q": 0.2, "boot_low": 0.01, "boot_high": 0.2},
        base | {"column": "hype", "effect": 0.3, "t": 9.0, "q": 0.0, "boot_low": 0.2, "boot_high": 0.4},
    ]
    (said,) = findings.of_effects(pl.DataFrame(rows), "baseline").values()
    assert said[0].startswith("Hype: +0.30 against baseline, 95% interval [+0.20, +0.40]")
    assert said[1].startswith("Not told apart") and "trust in services in China [+0.01, +0.20]" in said[1]


def test_a_report_is_never_written_over(written, runs):
    (written / "index.html").touch()
    before = (written / "index.html").stat().st_mtime_ns
    assert cli.main(["report", f"{runs}/baseline", f"{runs}/more", "--to", str(written.parent), *QUESTION]) == 0
    assert (written / "index.html").stat().st_mtime_ns == before


def test_one_run_is_a_report_without_effects(runs, tmp_path):
    assert cli.main(["report", f"{runs}/more", "--to", str(tmp_path / "r")]) == 0
    (folder,) = (tmp_path / "r").iterdir()
    assert "No effects are compared: one arm alone." in (folder / "index.html").read_text()


def test_what_cannot_be_reported_is_one_line(runs, tmp_path, capsys):
    for wrong in ([str(tmp_path / "none")], [f"{runs}/more", "--baseline", str(tmp_path)]):
        assert cli.main(["report", *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not list(tmp_path.iterdir())
    with pytest.raises(SystemExit, match="2"):
        cli.main(
            [
                "report",
            ]
        )
    other = tmp_path / "outputs" / "short"
    shutil.copytree(runs / "more", other)
    (config,) = other.glob("*/config.yaml")
    config.write_text(re.sub(r"^steps: 15$", "steps: 9", config.read_text(), flags=re.M))
    assert cli.main(["report", str(other), "--baseline", f"{runs}/baseline"]) == 2
    assert "different numbers of steps" in capsys.readouterr().err


def test_the_command_of_a_run_gives_its_run_id(tmp_path):
    cfg = compose_run(["scenario=no_embargo", "policy/licensing=none", "worlds=3", "seed=5", "capital.herding=0.7"])
    folder = tmp_path / store.run_id(cfg)
    folder.mkdir()
    OmegaConf.save(OmegaConf.create(store.plain_settings(cfg)), folder / "config.yaml")
    found = reproduce.again(folder)
    assert found.same
    for word in ("scenario=no_embargo", "policy/licensing=none", "worlds=3", "seed=5", "capital.herding=0.7"):
        assert f" {word}" in found.command
    moved = folder.rename(tmp_path / "0000000000")
    assert not reproduce.again(moved).same


@pytest.mark.parametrize("module", [paper, outputs, reproduce, tables])
def test_examples_in_docstrings(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
