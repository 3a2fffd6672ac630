"""Parameters on the terminal: ``baimo params`` lists the sections, ``baimo params training`` one of them."""

from __future__ import annotations

import argparse
import dataclasses
import textwrap

from baimo.conf.mechanisms import Switches
from baimo.experiments import document
from baimo.experiments.run.compose import UserError, near

#: The section of the settings that stand in none.
RUN = "run"


def _sections() -> dict[str, list[dataclasses.Field]]:
    """Declared parameters by their section: first those of the run itself, last the mechanisms."""
    found = document.sections()
    found = {RUN: found.pop("")} | found | {"mechanisms": list(dataclasses.fields(Switches))}
    return {name: fields for name, fields in found.items() if fields}


def _key(section: str, declared: dataclasses.Field) -> str:
    """What is typed to set a parameter."""
    return declared.name if section == RUN else f"{section}.{declared.name}"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be typed."""
    parser.add_argument("section", nargs="?", help="a section, or one parameter: training, training.run_share")


def command(flags: argparse.Namespace) -> None:
    """Print sections, or the parameters of one."""
    sections = _sections()
    if flags.section is None:
        width = max(map(len, sections))
        print("\n".join(f"{name:<{width}}  {len(fields):>3} parameters" for name, fields in sections.items()))
        return
    section, only = flags.section, ""
    if section not in sections:
        section, _, only = flags.section.rpartition(".")
        section = section or RUN
    chosen = [each for each in sections.get(section, []) if only in ("", each.name)]
    if not chosen:
        known = [*sections, *(_key(name, each) for name, fields in sections.items() for each in fields)]
        raise UserError(f"{flags.section}: there is no such section or parameter{near(flags.section, known)}")
    for each in chosen:
        key = _key(section, each)
        _, value, unit, span, source, meaning = document.parameter_cells(key, each)
        facts = f"{key}={value} {unit}".rstrip() + (f"   [{span}]" if span else "") + (f"   {source}" if source else "")
        print(facts)
        print(textwrap.fill(meaning, 100, initial_indent="    ", subsequent_indent="    "))
