"""The command ``baimo``: its help, its subcommands, and what it says of words that are wrong."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

from baimo.experiments import cli


def test_help_fits_the_screen_and_names_every_subcommand(capsys):
    assert cli.main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 100
    assert {line.split()[0] for line in lines if line.startswith("  ")} == set(cli.COMMANDS)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_subcommand_has_help(name, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main([name, "--help"])
    said = capsys.readouterr().out
    assert left.value.code == 0 and cli.COMMANDS[name][1].split("(")[0].strip()[:30] in " ".join(said.split())


def test_help_of_a_run_lists_groups_and_the_way_to_parameters(capsys):
    with pytest.raises(SystemExit):
        cli.main(["run", "--help"])
    said = capsys.readouterr().out
    for word in ("scenario", "no_embargo", "policy/embargo", "baimo params training"):
        assert word in said


def test_parameters_are_listed_with_what_they_mean(capsys):
    assert cli.main(["params"]) == 0
    sections = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert {"training", "moat", "policy.embargo"} <= {*sections}
    assert cli.main(["params", "training"]) == 0
    said = capsys.readouterr().out
    assert "training.run_share=0.5 share   [0.01 to 1]   prior\n    share of training compute that one run" in said
    assert cli.main(["params", "training.run_share"]) == 0
    assert capsys.readouterr().out.count("training.") == 1


def test_settings_of_the_run_and_mechanisms_are_parameters_too(capsys):
    assert cli.main(["params"]) == 0
    sections = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert sections[0] == "run" and sections[-1] == "mechanisms"
    for key in ("worlds", "seed", "steps", "clock", "start", "block", "processes", "engine"):
        assert cli.main(["params", key]) == 0
        said = capsys.readouterr().out
        assert said.startswith(f"{key}=") and said.count("\n") == 2
    assert cli.main(["params", "mechanisms.scaling_law"]) == 0
    assert capsys.readouterr().out.startswith("mechanisms.scaling_law=true")
    assert cli.main(["params", "output"]) == 0
    assert all(line.strip() for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (["help"], ["--help"]),
        (["help", "help"], ["--help"]),
        (["help", "compare"], ["compare", "--help"]),
    ],
)
def test_help_is_a_command_as_well(words, same, capsys):
    said = []
    for each in (words, same):
        try:
            assert cli.main(each) == 0
        except SystemExit as left:
            assert left.code == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != ""


def test_the_version_is_that_of_the_package(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"baimo {version('hundred-models-war')}\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["reprot", "outputs/x"], "reprot: there is no such command (settings are key=value); did you mean report?"),
        (["comapre", "x", "--baseline", "y"], "comapre: there is no such command (settings are key=value); did you"),
        (["help", "ablat"], "ablat: there is no such command (settings are key=value); did you mean ablate?"),
        (["swep"], "swep: there is no such command (settings are key=value); did you mean sweep?"),
        (["frobnicate"], "frobnicate: there is no such command (settings are key=value); commands are run, sweep"),
        (["params", "trainin"], "trainin: there is no such section or parameter; did you mean training?"),
        (["run", "wrlds=3"], "wrlds=3: there is no setting 'wrlds'; did you mean worlds?"),
        (["sweep", "seed=1,x"], "seed=x"),
    ],
)
def test_one_line_and_exit_code_2_for_what_is_wrong(words, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    said = capsys.readouterr()
    assert says in said.err and said.err.count("\n") == 1 and not list(tmp_path.iterdir())


def test_the_command_is_imported_without_what_only_subcommands_need():
    code = (
        "import sys, baimo.experiments.cli; print([n for n in ('hydra', 'polars', 'matplotlib') if n in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_folders_of_the_same_names_elsewhere_change_nothing(tmp_path):
    """A user's own conf/ or agents/, and an installed package called agents, are other names."""
    said = []
    for name in ("plain", "crowded"):
        place = tmp_path / name
        place.mkdir()
        if name == "crowded":
            for other in ("conf", "agents", "world"):
                (place / other).mkdir()
                (place / other / "__init__.py").write_text("raise ImportError('not the model')\n")
            (place / "conf" / "config.yaml").write_text("worlds: 7\n")
        words = ["worlds=2", "steps=3", "processes=1", "output.figure=false", "output.level=market"]
        code = (
            f"import sys; sys.path.insert(0, {str(place)!r}); from baimo.experiments.cli import main; sys.exit(main())"
        )
        done = subprocess.run([sys.executable, "-c", code, *words], cwd=place, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        said.append([line for line in done.stdout.splitlines() if not line.startswith("time")])
    assert said[0] == said[1] and any("2022-12" in line for line in said[0])
