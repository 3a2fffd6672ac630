"""Schema of the configuration: settings, units, ranges and checks."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import math
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import networkx
import numpy as np
from hydra import compose as hydra_compose
from hydra import initialize_config_module
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from baimo.conf.declare import ROW_BLOCK, par
from baimo.conf.mechanisms import BY_NAME, Switches
from baimo.conf.parameters.agents import RULE_WORDS, Decisions
from baimo.conf.parameters.apps import AppMarket
from baimo.conf.parameters.capital import Capital, Expectations, Parents
from baimo.conf.parameters.compute import ChipMarket, FleetRules, PlatformRules, Rental
from baimo.conf.parameters.engine import PopulationSize
from baimo.conf.parameters.industry import EntryExit, Organisation, Talent
from baimo.conf.parameters.models import (
    Goodwill,
    Hosting,
    Hub,
    Ladder,
    Moat,
    ModelMarket,
    Openness,
    Pricing,
    Revenue,
    Serving,
)
from baimo.conf.parameters.network import Graph
from baimo.conf.parameters.policy import WORDS, Pace, PolicyGroups
from baimo.conf.parameters.record import Measures
from baimo.conf.parameters.regulation import Compliance, LicensingRules, Trust
from baimo.conf.parameters.technology import Exploration, Lineage, Technology, Thinking, Training


class ConfigError(ValueError):
    """Error: a setting that the model refuses; the message names it and a valid value."""


@dataclass
class OutputSettings:
    """Settings of the output: level, folder, panels."""

    folder: str = par("outputs", "name", 0, 0, "", "folder in which runs are kept")
    level: str = par("full", "name", 0, 0, "", "market, labs or full")
    panel_worlds: int = par(2, "worlds", 0, 1e9, "", "worlds whose apps, vendors, investors and edges are kept")
    edges_every: float = par(12.0, "months", 0.1, 1e6, "", "months between snapshots of the graph")
    figure: bool = par(True, "flag", 0, 1, "", "whether a summary figure is drawn of each run")
    question: str = par("", "text", 0, 0, "", "what a sweep asks: where it asks something, it ends with its report")
    outcomes: str = par("", "text", 0, 0, "", "columns that this report compares besides the usual ones, with commas")
    within: str = par("", "text", 0, 0, "", "setting or group in each of whose values policies are compared apart")


@dataclass
class Config:
    """The whole configuration."""

    scenario: str = par("baseline", "name", 0, 0, "", "name of the scenario (baimo run --help lists them)")
    experiment_name: str | None = None
    worlds: int = par(32, "worlds", 1, 1e7, "", "replications")
    first_world: int = par(0, "1", 0, 2**31, "", "number of the first replication: so machines share a run out")
    seed: int = par(1, "1", 0, 2**63, "", "seed of all random streams")
    steps: int = par(48, "steps", 1, 100000, "", "steps to simulate")
    start: str = par("2022-12", "month", 0, 0, "", "first month")
    clock: str = par("month", "name", 0, 0, "", "length of a step: month or week")
    engine: str = par("numpy", "name", 0, 0, "", "numpy on CPUs, cupy on a GPU")
    processes: int = par(0, "processes", 0, 4096, "", "worker processes, 0 for all cores")
    block: int = par(64, "worlds", 1, 1e6, "", "worlds that advance together (engine=cupy: as many as fit)")
    population: PopulationSize = field(default_factory=PopulationSize)
    graph: Graph = field(default_factory=Graph)
    decisions: Decisions = field(default_factory=Decisions)
    pace: Pace = field(default_factory=Pace)
    platform: PlatformRules = field(default_factory=PlatformRules)
    chip_market: ChipMarket = field(default_factory=ChipMarket)
    rental: Rental = field(default_factory=Rental)
    lab: FleetRules = field(default_factory=FleetRules)
    technology: Technology = field(default_factory=Technology)
    training: Training = field(default_factory=Training)
    exploration: Exploration = field(default_factory=Exploration)
    thinking: Thinking = field(default_factory=Thinking)
    lineage: Lineage = field(default_factory=Lineage)
    capital: Capital = field(default_factory=Capital)
    expectations: Expectations = field(default_factory=Expectations)
    parents: Parents = field(default_factory=Parents)
    model_market: ModelMarket = field(default_factory=ModelMarket)
    moat: Moat = field(default_factory=Moat)
    pricing: Pricing = field(default_factory=Pricing)
    revenue: Revenue = field(default_factory=Revenue)
    goodwill: Goodwill = field(default_factory=Goodwill)
    hub: Hub = field(default_factory=Hub)
    ladder: Ladder = field(default_factory=Ladder)
    hosting: Hosting = field(default_factory=Hosting)
    serving: Serving = field(default_factory=Serving)
    openness: Openness = field(default_factory=Openness)
    app_market: AppMarket = field(default_factory=AppMarket)
    talent: Talent = field(default_factory=Talent)
    entry_exit: EntryExit = field(default_factory=EntryExit)
    organisation: Organisation = field(default_factory=Organisation)
    licensing: LicensingRules = field(default_factory=LicensingRules)
    compliance: Compliance = field(default_factory=Compliance)
    trust: Trust = field(default_factory=Trust)
    measures: Measures = field(default_factory=Measures)
    mechanisms: Switches = field(default_factory=Switches)  # type: ignore[valid-type]  # made from the table
    policy: PolicyGroups = field(default_factory=PolicyGroups)
    output: OutputSettings = field(default_factory=OutputSettings)
    design: dict[str, Any] = field(default_factory=dict)
    hardware: dict[str, Any] = field(default_factory=dict)
    segments: list[Any] = field(default_factory=list)
    archetypes: list[Any] = field(default_factory=list)
    vendors: list[Any] = field(default_factory=list)
    builders: dict[str, Any] = field(default_factory=dict)
    investors: list[Any] = field(default_factory=list)
    regulators: list[Any] = field(default_factory=list)


_NAMES: dict[str, tuple[str, ...]] = {
    "engine": ("numpy", "cupy"),
    "clock": ("month", "week"),
    "output.level": ("market", "labs", "full"),
    "graph.topology": ("small_world", "scale_free", "blocks", "complete", "empty", "graphml"),
}
_NAMES |= WORDS | RULE_WORDS


#: Parameters that describe tables which all worlds of an ensemble share.
_COMMON = (
    "capital.inbound_most",
    "model_market.row_scale",
    "model_market.row_income",
    "chip_market.grey_age_days",
    "pace.fashion",
    "pace.commerce",
    "pace.infrastructure",
    "pace.governance",
    "pace.culture",
)


def register() -> None:
    """Put the schema into Hydra's store."""
    ConfigStore.instance().store(name="base_config", node=Config)


def compose(overrides: list[str] | tuple[str, ...] = ()) -> DictConfig:
    """Compose and check a configuration from command-line style overrides.

    Examples
    --------
    >>> compose(["worlds=2", "technology.inheritance=0.5"]).technology.inheritance
    0.5
    """
    return pickle.loads(_composed(tuple(overrides)))  # half the time of a deep copy


@lru_cache(maxsize=64)
def _composed(overrides: tuple[str, ...]) -> bytes:
    """Compose and check overrides, once in a process: composing reads two dozen files."""
    before = GlobalHydra.instance().hydra
    GlobalHydra.instance().hydra = None
    try:
        with initialize_config_module(config_module="baimo.conf", version_base=None):
            config = hydra_compose(config_name="config", overrides=list(overrides))
    finally:
        GlobalHydra.instance().hydra = before
    check(config)
    return pickle.dumps(config)


# ---------------------------------------------------------------------- checks


def check(config: DictConfig) -> None:
    """Check a configuration; the message names the first setting that is wrong.

    Raises
    ------
    ConfigError
        Naming the key, its value, and what would be right.
    """
    plain: Any = OmegaConf.to_object(config)
    for key, value, declared in parameters_of(plain):
        _check_range(key, value, declared)
    for key, names in _NAMES.items():
        value = _value(plain, key)
        if value not in names:
            raise ConfigError(f"{key}={value}: must be one of {', '.join(names)}")
    _check_dates(plain)
    _check_graph(plain.graph)
    for key in ("labs", "max_labs", "apps", "max_apps"):
        size = getattr(plain.population, key)
        if size % ROW_BLOCK:
            better = -(-size // ROW_BLOCK) * ROW_BLOCK
            raise ConfigError(f"population.{key}={size}: must be a multiple of {ROW_BLOCK}, such as {better}")
    for kind in ("labs", "apps"):
        if getattr(plain.population, f"max_{kind}") < getattr(plain.population, kind):
            raise ConfigError(
                f"population.max_{kind}={getattr(plain.population, f'max_{kind}')}: must be at least "
                f"population.{kind}={getattr(plain.population, kind)}"
            )
    _check_tables(plain)


def parameters_of(plain: Any, prefix: str = "") -> Iterator[tuple[str, Any, dataclasses.Field]]:
    """Declared values of a configuration: key, value, declaration."""
    for each in dataclasses.fields(plain):
        value = getattr(plain, each.name)
        key = f"{prefix}{each.name}"
        if dataclasses.is_dataclass(value):
            yield from parameters_of(value, f"{key}.")
        else:
            yield key, value, each


def _check_range(key: str, value: Any, declared: dataclasses.Field) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    if not math.isfinite(value):
        raise ConfigError(f"{key}={value}: must be a finite number")
    facts = declared.metadata
    if facts and facts["high"] > facts["low"] and not facts["low"] <= value <= facts["high"]:
        raise ConfigError(
            f"{key}={value:g}: must be between {facts['low']:g} and {facts['high']:g} "
            f"{'' if facts['unit'] == '1' else facts['unit'] + ' '}({facts['doc']})"
        )


def _check_dates(plain: Config) -> None:
    try:
        dt.date.fromisoformat(f"{plain.start}-01")
    except ValueError:
        raise ConfigError(f"start={plain.start}: must be a month, such as 2022-12") from None
    for key, value, declared in parameters_of(plain.policy, "policy."):
        if declared.type == "Date":
            _check_date(key, value, False)
        elif declared.type == "Schedule":
            for number, entry in enumerate(value):
                for name in ("date", "announced", "until"):
                    _check_date(f"{key}[{number}].{name}", entry.get(name), name == "date")


def _check_graph(graph: Graph) -> None:
    """Check that the file of a topology can be read."""
    if graph.topology != "graphml":
        return
    if not graph.path:
        raise ConfigError("graph.path=: must name a GraphML file, as in graph=graphml graph.path=ties.graphml")
    if not Path(graph.path).is_file():
        raise ConfigError(f"graph.path={graph.path}: there is no such file; must be a GraphML file")
    try:
        ties = networkx.read_graphml(graph.path)
    except (SyntaxError, ValueError, LookupError, networkx.NetworkXException):  # of XML, and of GraphML
        raise ConfigError(f"graph.path={graph.path}: cannot be read; must be a GraphML file") from None
    if not len(ties):
        raise ConfigError(f"graph.path={graph.path}: has no nodes; must be a GraphML file with at least one")


def _check_date(key: str, value: Any, needed: bool) -> None:
    if value is None and not needed:
        return
    try:
        dt.date.fromisoformat(str(value))
    except ValueError:
        raise ConfigError(f"{key}={value}: must be a date, such as 2023-11-17") from None


def _check_tables(plain: Config) -> None:
    """Check that the tables are there and every number is finite."""
    tables = {
        "hardware.chips": plain.hardware.get("chips", []),
        "segments": plain.segments,
        "archetypes": plain.archetypes,
        "vendors": plain.vendors,
        "investors": plain.investors,
        "regulators": plain.regulators,
    }
    for key, rows in tables.items():
        if not rows:
            raise ConfigError(f"{key} is empty: the tables come from conf/hardware, conf/market, conf/population")
        for number, row in enumerate(rows):
            for name, value in row.items():
                if isinstance(value, float) and not math.isfinite(value):
                    raise ConfigError(f"{key}[{number}].{name}={value}: must be a finite number")


def _value(plain: Any, key: str) -> Any:
    for part in key.split("."):
        plain = getattr(plain, part)
    return plain


# ---------------------------------------------------------------------- for the model


def to_parameters(config: Any) -> Config:
    """Turn a composed configuration into plain dataclasses, as the model reads it."""
    plain: Any = OmegaConf.to_object(config) if isinstance(config, DictConfig) else copy.deepcopy(config)
    for name, mechanism in BY_NAME.items():
        if not getattr(plain.mechanisms, name):
            _switch_off(plain, mechanism)
    return plain


def _switch_off(plain: Config, mechanism: Any, off: Any = True) -> None:
    """Set the parameters of a mechanism to their neutral values, where ``off`` (an array, a flag a world)."""
    for key, neutral in mechanism.off.items():
        section, _, name = key.partition(".")
        part = getattr(plain, section)
        value = neutral if off is True else np.where(off, float(neutral), getattr(part, name))
        setattr(plain, section, dataclasses.replace(part, **{name: value}))


def with_values(plain: Config, columns: dict[str, Any]) -> Config:
    """A copy of the parameters in which some leaves are per-world arrays ``(worlds, 1)``."""
    changed: Any = copy.copy(plain)
    for key, values in columns.items():
        section, _, name = key.rpartition(".")
        if section == "mechanisms" and name in BY_NAME:
            _switch_off(changed, BY_NAME[name], values == 0.0)
            continue
        part: Any = _part(changed, section)
        declared = {each.name: each for each in dataclasses.fields(part)} if dataclasses.is_dataclass(part) else {}
        if name not in declared:
            raise ConfigError(f"{key}: there is no such parameter")
        if section in ("graph", "population", "output") or key in _COMMON:
            raise ConfigError(f"{key}: is common to all worlds of an ensemble; run one ensemble for each value")
        for value in values.ravel():
            _check_range(key, float(value), declared[name])
        part = dataclasses.replace(part, **{name: values})
        if section.startswith("policy."):
            section, part = "policy", dataclasses.replace(changed.policy, **{section.partition(".")[2]: part})
        setattr(changed, section, part)
    return changed


def _part(plain: Config, section: str) -> Any:
    """A section of parameters, or a group of policies; None where there is none."""
    part: Any = plain
    for name in section.split("."):
        part = getattr(part, name, None)
    return part


register()
