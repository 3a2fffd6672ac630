"""world/ODD.md speaks of functions, parameters and output columns that exist."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from baimo.conf.schema import Config, parameters_of

PAGE = Path(__file__).parents[2] / "world" / "ODD.md"
TEXT = PAGE.read_text(encoding="utf-8").partition("## Appendix")[0]
KEYS = {key for key, _, _ in parameters_of(Config())}
SECTIONS = {key.partition(".")[0] for key in KEYS if "." in key}
#: `module.function`, `module.Class.method` in world/ or agents/, in backticks or at the end of an equation's line.
NAMES = re.compile(r"(?:`|  )([a-z_]+(?:\.[A-Za-z_][A-Za-z_0-9]*)+)(?:`|\n|,)")


#: Modules of the model by the last part of their name, packages included.
MODULES: dict[str, list[str]] = {}
for folder in ("world", "agents", "experiments"):
    for file in sorted((PAGE.parents[1] / folder).rglob("*.py")):
        parts = file.relative_to(PAGE.parents[1]).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        MODULES.setdefault(parts[-1], []).append(".".join(("baimo", *parts)))


def exists(name):
    module, *rest = name.split(".")
    for each in MODULES.get(module, ()):
        found = importlib.import_module(each)
        for part in rest:
            found = getattr(found, part, None)
        if found is not None:
            return True
    return False


@pytest.mark.parametrize("name", sorted(set(NAMES.findall(TEXT))))
def test_what_the_page_names_exists(name):
    if name.split(".")[0] in ("policy",) and not exists(name):
        assert any(key.startswith(name) for key in KEYS), name
    elif name.split(".")[0] in SECTIONS and name in KEYS:
        return
    else:
        assert exists(name) or name.endswith((".py", ".md", ".yaml")), name


def test_the_page_names_many_functions_so_that_the_test_is_not_empty():
    assert len(set(NAMES.findall(TEXT))) > 80
