"""The command ``baimo``: one parser, with a subcommand for each thing that can be asked.

``baimo`` alone runs the baseline; ``baimo --help`` lists the rest.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import NoReturn

#: Subcommands: the module that has ``arguments(parser)`` and ``command(flags)``, and what it does.
COMMANDS = {
    "run": ("launch", "run a scenario in many worlds (the default: baimo worlds=64 seed=7)"),
    "sweep": ("launch", "run every combination of values with commas (the same as baimo -m)"),
    "design": ("run.design", "run many parameter points in one ensemble: lhs or grid"),
    "compare": ("report.comparison_report", "paired effects of runs against their baseline"),
    "ablate": ("report.ablation_report", "take mechanisms, moats and decisions out one by one"),
    "predictions": ("report.predictions_report", "what the source articles foretold, and the model's answers"),
    "proofs": ("report.proofs_report", "what the model must show to carry a policy conclusion"),
    "topology": ("report.topology_report", "compare the topologies of the social graph"),
    "figures": ("report.gallery", "draw the figures of runs"),
    "world": ("report.world_report", "look at one world of a run, firm by firm"),
    "report": ("report.run_report", "write findings, figures and tables of runs on one page"),
    "bench": ("bench.command", "measure how fast worlds run here"),
    "docs": ("document", "renew the generated tables of the pages; docs columns prints the codebook"),
    "params": ("params", "list parameters: value, unit, range, source, meaning"),
}


class Parser(argparse.ArgumentParser):
    """A command line whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave with exit code 2."""
        self.exit(2, f"{self.prog}: {message}; --help lists what can be set\n")


def usage() -> str:
    """What ``baimo --help`` prints."""
    lines = [f"  {name:<10} {says}" for name, (_, says) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: baimo [COMMAND] [key=value ...], baimo help COMMAND, baimo --version",
            "",
            "An agent-based simulation of the hundred-models war; baimo alone runs the baseline.",
            "",
            *lines,
            "",
            "baimo help COMMAND says more; baimo help run lists the groups of settings.",
        ]
    )


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    words : sequence of str, optional
        What was typed after ``baimo``; default from the shell.

    Returns
    -------
    int
        0 complete, 1 the model failed, 2 something was typed wrongly, 130 interrupted.
    """
    words = list(sys.argv[1:] if words is None else words)
    while words[:1] == ["help"]:
        words = [*words[1:2], "--help"]
    if words[:1] in (["-h"], ["--help"]):
        print(usage())
        return 0
    if words[:1] == ["--version"]:
        print(f"baimo {version('hundred-models-war')}")
        return 0
    name = "run"
    if words and words[0].isidentifier():
        name, *words = words
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, (*COMMANDS, "help"), 1)
        hint = f"did you mean {near[0]}?" if near else f"commands are {', '.join(COMMANDS)}"
        return _say("baimo", f"{name}: there is no such command (settings are key=value); {hint}", 2)
    return _run(name, words)


def _run(name: str, words: Sequence[str]) -> int:
    """Run a subcommand; exit code 1, 2 or 130 with one line that says why."""
    place, says = COMMANDS[name]
    prog = "baimo" if name == "run" else f"baimo {name}"
    module = importlib.import_module(f"baimo.experiments.{place}")
    from baimo.conf import schema  # these take a second, which help and mistakes need not wait for
    from baimo.experiments.run import compose, workers

    schema.register()
    parser = Parser(prog=prog, description=says, allow_abbrev=False)
    module.arguments(parser)
    if hasattr(module, "epilog") and {"-h", "--help"} & {*words}:
        parser.epilog = module.epilog()
    typed = ["--multirun", *words] if name == "sweep" else list(words)
    flags = parser.parse_intermixed_args(typed, argparse.Namespace(typed=typed))
    try:
        with _terminable():
            return module.command(flags) or 0
    except KeyboardInterrupt:
        return _say(prog, "interrupted; nothing half-written was kept", 130)
    except compose.USER_ERRORS as error:
        return _say(prog, compose.explain(error, words), 2)
    except workers.RunFailed as error:
        return _say(prog, f"failed: {error}", 1)


def _say(prog: str, line: str, code: int) -> int:
    print(f"{prog}: {line}", file=sys.stderr)
    return code


@contextmanager
def _terminable() -> Iterator[None]:
    """Let a scheduler's SIGTERM clean up as Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
