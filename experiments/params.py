"""Parameters on the terminal: ``baimo params`` lists the sections, ``baimo params training`` one of them."""

from __future__ import annotations

import argparse
import textwrap

from baimo.experiments import document
from baimo.experiments.run.compose import UserError, near


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be typed."""
    parser.add_argument("section", nargs="?", help="a section, or one parameter: training, training.run_share")


def command(flags: argparse.Namespace) -> None:
    """Print sections, or the parameters of one."""
    sections = {name: fields for name, fields in document.sections().items() if name and fields}
    if flags.section is None:
        width = max(map(len, sections))
        print("\n".join(f"{name:<{width}}  {len(fields):>3} parameters" for name, fields in sections.items()))
        return
    section, only = flags.section, ""
    if section not in sections:
        section, _, only = flags.section.rpartition(".")
    chosen = [each for each in sections.get(section, []) if only in ("", each.name)]
    if not chosen:
        known = [*sections, *(f"{name}.{each.name}" for name, fields in sections.items() for each in fields)]
        raise UserError(f"{flags.section}: there is no such section or parameter{near(flags.section, known)}")
    for each in chosen:
        key = f"{section}.{each.name}"
        _, value, unit, span, source, meaning = document.parameter_cells(key, each)
        facts = f"{key}={value} {unit}".rstrip() + (f"   [{span}]" if span else "") + (f"   {source}" if source else "")
        print(facts)
        print(textwrap.fill(meaning, 100, initial_indent="    ", subsequent_indent="    "))
