"""Arms: runs of the same settings, with names apart from each other and from their baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from omegaconf import OmegaConf

from baimo import conf
from baimo.conf.parameters.policy import PolicyGroups
from baimo.experiments.read import load
from baimo.experiments.run import compose, store
from baimo.experiments.run.compose import UserError

#: Settings in which runs of one arm may differ.
_NOT_THE_POLICY = ("seed", "worlds", "processes", "block", "experiment_name", "scenario", "output.")
CONF = Path(conf.__file__).parent


class NotComparable(UserError):
    """Tables whose worlds cannot be paired."""


@dataclass(frozen=True)
class Arm:
    """Runs of one policy, a run a seed.

    Parameters
    ----------
    label : str
    runs : dict of int to Path
        Folders by seed.
    settings : dict
        What makes the arm: settings by their dotted keys, without the seed.
    """

    label: str
    runs: dict[int, Path]
    settings: dict[str, Any]

    def market(self) -> pl.LazyFrame:
        """Its market table, with the seed."""
        scans = [
            load.market(folder).with_columns(pl.lit(seed, pl.Int64).alias("seed")) for seed, folder in self.runs.items()
        ]
        return pl.concat(scans, how="diagonal_relaxed")


def arms(where: Sequence[load.Where], baseline: Sequence[load.Where]) -> tuple[list[Arm], Arm]:
    """Policies and the baseline they are compared with, checked for having worlds to pair.

    Raises
    ------
    NotComparable
        When there is no complete run, or seeds, steps, clock or model code differ.
    """
    try:
        before, runs = load.readable(*baseline), load.readable(*where)
    except UserError as error:
        raise NotComparable(str(error)) from error
    known = {folder.resolve() for folder in before}
    found = grouped([folder for folder in runs if folder.resolve() not in known])
    if not found:
        raise NotComparable("nothing to compare: all these runs are the baseline itself")
    base = grouped(before)
    if len(base) > 1:
        differ = ", ".join(differences(base[1], base[0])[:3])
        raise NotComparable(f"--baseline: {len(base)} different settings ({differ}); give one")
    found = _labelled(found, base[0])
    for arm in found:
        _check_pairs(arm, base[0])
    return found, base[0]


def grouped(folders: Iterable[Path]) -> list[Arm]:
    """Runs gathered by what they have in common but for the seed."""
    arms: dict[str, Arm] = {}
    for folder in folders:
        config = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
        settings = _settings(config)
        key = repr((config.get("scenario"), sorted(settings.items(), key=lambda item: item[0])))
        arm = arms.setdefault(key, Arm(str(config.get("scenario")), {}, settings))
        seed = int(config["seed"])
        if seed in arm.runs:
            raise NotComparable(f"{arm.runs[seed]} and {folder}: the same settings and seed twice; give one of them")
        arm.runs[seed] = folder
    return list(arms.values())


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that make an arm, of a resolved configuration."""
    return {key: value for key, value in store.leaves(config) if not key.startswith(_NOT_THE_POLICY)}


def arms_among(where: Sequence[load.Where]) -> tuple[list[Arm], Arm | None]:
    """Policies and their baseline among runs of both: the arm whose settings are those of ``conf`` today.

    Settings that all the runs share may differ from those of today. The baseline is None, and all are policies,
    where there is no such arm or no other.
    """
    found = grouped(load.run_folders(*where))
    today = _settings(store.plain_settings(compose.compose_run([])))
    shared = {key for key in today if len({repr(arm.settings.get(key)) for arm in found}) == 1}
    base = [arm for arm in found if all(arm.settings.get(key) == today[key] for key in {*today} - shared)]
    if len(found) < 2 or len(base) != 1:
        return labelled(found), None
    found = _labelled([arm for arm in found if arm is not base[0]], base[0])
    for arm in found:
        _check_pairs(arm, base[0])
    return found, base[0]


def labelled(found: Sequence[Arm]) -> list[Arm]:
    """Arms without a baseline, named apart from the first."""
    return [*found[:1], *_labelled(found[1:], found[0])] if len(found) > 1 else [*found]


def _labelled(found: Sequence[Arm], base: Arm) -> list[Arm]:
    """Names that tell the arms from each other and from the baseline: scenarios, else what is set otherwise."""
    names = [arm.label for arm in (*found, base)]
    labels = [_label(arm, base) if names.count(arm.label) > 1 else arm.label for arm in found]
    runs = [min(folder.name for folder in arm.runs.values()) for arm in found]
    labels = [f"{label} {run}" if labels.count(label) > 1 else label for label, run in zip(labels, runs, strict=True)]
    return [replace(arm, label=label) for arm, label in zip(found, labels, strict=True)]


def _label(arm: Arm, base: Arm) -> str:
    """``embargo=none, price_sensitivity=3``: policies by their alternatives, other settings by their values."""
    parts = {} if arm.label == base.label else {arm.label: None}
    for each in differences(arm, base):
        key, _, value = each.partition("=")
        section, group, *_ = [*key.split("."), ""]
        names = {f"{key.rpartition('.')[2]}={value}": None}
        if section == "policy":
            name, besides = nearest(group, arm)
            same = name == nearest(group, base)[0]
            names = {} if same and besides else {f"{group}={name}": None}
            typed = {key: "null" if value is None else value for key, value in besides.items()}
            names |= {f"{key.rpartition('.')[2]}={value}": None for key, value in typed.items()}
        parts |= {name if len(name) <= 40 else f"{name[:37]}...": None for name in names}
    return ", ".join([*parts][:4]) + (", ..." if len(parts) > 4 else "")


def alternative(group: str, arm: Arm) -> str:
    """Name of the alternative of a policy group that an arm has, ``own`` for none of those in ``conf/policy``."""
    name, besides = nearest(group, arm)
    return "own" if besides else name


def nearest(group: str, arm: Arm) -> tuple[str, dict[str, Any]]:
    """The alternative of a policy group that an arm has but for a setting or two, and these; else ``own``."""
    mine = {key: value for key, value in arm.settings.items() if key.startswith(f"policy.{group}.")}
    others = {
        name: {key: value for key, value in mine.items() if its.get(key) != value}
        for name, its in _alternatives(group).items()
    }
    # Of equals the one that differs in its dates only.
    dated = {name: sum(key.rpartition(".")[2] in ("since", "until") for key in each) for name, each in others.items()}
    name = min(others, key=lambda name: (len(others[name]), -dated[name]), default="own")
    return (name, others[name]) if others and len(others[name]) <= 2 else ("own", {})


@cache
def _alternatives(group: str) -> dict[str, dict[str, Any]]:
    """Settings of all alternatives of a policy group."""
    names = sorted(file.stem for file in (CONF / "policy" / group).glob("*.yaml"))
    plain = {name: OmegaConf.to_container(_written(group, name), enum_to_str=True) for name in names}
    return {name: dict(store.leaves({"policy": {group: each}})) for name, each in plain.items()}


def _written(group: str, name: str) -> Any:
    """An alternative over those that it names in its defaults, over a policy of nothing."""
    file = OmegaConf.load(CONF / "policy" / group / f"{name}.yaml")
    config = OmegaConf.structured(PolicyGroups)[group]
    for other in file.pop("defaults", []):
        config = config if other == "_self_" else _written(group, other)
    return OmegaConf.merge(config, file)


def differences(arm: Arm, base: Arm) -> list[str]:
    """Settings in which a policy differs from the baseline, ``key=value``."""
    keys = [*arm.settings, *(key for key in base.settings if key not in arm.settings)]
    return [f"{key}={arm.settings.get(key)}" for key in keys if arm.settings.get(key) != base.settings.get(key)]


def _check_pairs(arm: Arm, base: Arm) -> None:
    for key, name in (("steps", "numbers of steps"), ("start", "first months"), ("clock", "clocks")):
        mine, its = arm.settings.get(key), base.settings.get(key)
        if mine != its:
            raise NotComparable(f"{arm.label}: different {name}, {key}={mine} against {its} in the baseline")
    if _design(arm) != _design(base):
        raise NotComparable(
            f"{arm.label}: worlds of a design are not paired, by their numbers, with those of other runs; "
            "join load.design to its tables"
        )
    alone = sorted(set(arm.runs) - set(base.runs))
    if alone:
        raise NotComparable(
            f"{arm.label}: different seeds, seed={alone[0]} is not among the baseline's "
            f"({', '.join(map(str, sorted(base.runs)))}); its worlds cannot be paired"
        )
    for seed, folder in arm.runs.items():
        code = [(store.manifest(each) or {}).get("code_version") for each in (folder, base.runs[seed])]
        if code[0] != code[1]:
            raise NotComparable(
                f"{arm.label}: different model code ({code[0]} against {code[1]} in the baseline); run both again"
            )


def _design(arm: Arm) -> dict[str, Any]:
    return {key: value for key, value in arm.settings.items() if key.startswith("design.")}
