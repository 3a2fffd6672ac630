"""The command that makes a run again, found from its settings and checked by its run id."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from baimo.conf.parameters.policy import PolicyGroups
from baimo.experiments.analysis import arms
from baimo.experiments.analysis.arms import Arm
from baimo.experiments.run import store
from baimo.experiments.run.compose import USER_ERRORS, compose_run

#: They change where and how fast, not what is computed.
_LEFT_OUT = tuple(key for key in store.NOT_HASHED if key != "experiment_name")


@dataclass(frozen=True)
class Again:
    """Recipe by which a run is made again.

    Parameters
    ----------
    command : str
        To be copied into a shell.
    same : bool
        Whether settings and code give the run id of the run.
    """

    command: str
    same: bool


def again(folder: Path) -> Again:
    """The command of a complete run, from its ``config.yaml``."""
    config = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
    try:
        words = _words(config)
        same = store.run_id(compose_run(words)) == folder.name
    except USER_ERRORS:  # settings of another version of the code
        words, same = [f"scenario={config.get('scenario')}"], False
    return Again(" ".join(["baimo", *map(shlex.quote, words)]), same)


def _words(config: Mapping[str, Any]) -> list[str]:
    """Settings of a command line that compose to this configuration: scenario, policies, then single keys."""
    scenario = config.get("scenario")
    known = (arms.CONF / "scenario" / f"{scenario}.yaml").exists()
    words = [f"scenario={scenario}"] if known and scenario != "baseline" else []
    mine = dict(store.leaves(dict(config)))
    arm = Arm(str(scenario), {}, mine)
    groups = OmegaConf.structured(PolicyGroups)
    for group in (name for name in groups if OmegaConf.is_dict(groups[name])):  # news is a list
        name, today = arms.alternative(group, arm), _composed(*words)
        mixed = any(today.get(key) != value for key, value in mine.items() if key.startswith(f"policy.{group}."))
        if name != "own" and mixed:
            words.append(f"policy/{group}={name}")
    today = _composed(*words)
    differs = [key for key in mine if mine[key] != today.get(key) and key not in _LEFT_OUT]
    return words + [f"{key}={_written(mine[key])}" for key in differs]


@cache
def _composed(*words: str) -> dict[str, Any]:
    return dict(store.leaves(store.plain_settings(compose_run([*words]))))


def _written(value: Any) -> str:
    """A value as Hydra's command line reads it.

    Examples
    --------
    >>> _written(None), _written(True), _written([1, "a b"]), _written("2022-12")
    ('null', 'true', "[1,'a b']", '2022-12')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(_written, value))}]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, str) and not re.fullmatch(r"[\w./:+-]+", value):
        return "'" + value.replace("'", r"\'") + "'"
    return str(value)
