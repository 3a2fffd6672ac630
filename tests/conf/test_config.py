"""The configuration: one clear message for whatever the model cannot run, and per-world values."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import polars as pl
import pytest
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from baimo.conf.schema import Config, ConfigError, check, compose, to_parameters
from baimo.experiments.run.cells import changed
from baimo.world.ensemble import Ensemble

REFUSED = (ConfigError, HydraException, OmegaConfBaseException)
QUIET = "output.level=market"


def sections():
    """Every group of parameters: name and dataclass."""
    return [
        (each.name, each.default_factory)
        for each in dataclasses.fields(Config)
        if dataclasses.is_dataclass(each.default_factory) and each.name not in ("policy", "output")
    ]


def message(refused, *arguments):
    """What is said of settings that are refused."""
    with pytest.raises(REFUSED) as caught:
        refused(*arguments)
    error, texts = caught.value, []
    while error is not None:  # Hydra puts the reason of OmegaConf beneath its own
        texts.append(str(error))
        error = error.__cause__
    return "\n".join(texts)


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("override", "names"),
    [
        ("model_market.price_sensitvity=2", ["price_sensitvity"]),
        ("model_markt.price_sensitivity=2", ["model_markt"]),
        ("stepps=3", ["stepps"]),
        ("model_market.price_sensitivity=high", ["price_sensitivity", "high"]),
        ("steps=3.5", ["steps", "3.5"]),
        ("graph.degree=many", ["degree", "many"]),
        ("scenario=no_such_thing", ["no_such_thing"]),
        ("policy/embargo=total", ["total"]),
        ("graph=spiral", ["spiral"]),
        ("model_market.price_sensitivity=-1", ["model_market.price_sensitivity=-1", "between 0.05 and"]),
    ],
)
def test_one_clear_message_that_names_the_key(override, names):
    said = message(compose, [override])
    for name in names:
        assert name in said, said


@pytest.mark.parametrize(
    ("key", "value", "names"),
    [
        ("model_market.nest_correlation", 1.5, ["between 0 and 0.98"]),
        ("technology.inheritance", math.nan, ["finite"]),
        ("technology.inheritance", math.inf, ["finite"]),
        ("capital.runway_trigger", -math.inf, ["finite"]),
        ("steps", 0, ["between 1 and"]),
        ("worlds", 0, []),
        ("seed", -1, []),
        ("clock", "day", ["month, week"]),
        ("engine", "abacus", ["numpy, cupy"]),
        ("output.level", "everything", ["market, labs, full"]),
        ("policy.open_source.champion", "some", ["free, all, none"]),
        ("start", "2022-13", ["month"]),
        ("start", "December", ["month"]),
        ("population.labs", 200, ["multiple of 64, such as 256"]),
        ("population.max_apps", 5000, ["multiple of 64, such as 5056"]),
        ("population.max_labs", 64, ["at least", "population.labs=128"]),
        ("policy.embargo.memory_control", "soon", ["date"]),
        ("policy.licensing.opens", "2023-02-30", ["date"]),
    ],
)
def test_what_is_checked_is_named_with_its_value(key, value, names):
    said = message(changed, compose(), {key: value})
    for name in (f"{key}={value}", *names):
        assert name in said, said


@pytest.mark.parametrize(
    ("key", "entry", "name"),
    [
        ("policy.embargo.rules", {"date": "2023-11-31", "tpp_least": 4800}, "policy.embargo.rules[0].date=2023-11-31"),
        ("policy.embargo.rules", {"tpp_least": 4800}, "policy.embargo.rules[0].date"),
        ("policy.embargo.rules", {"date": "2023-11-17", "until": "never"}, "policy.embargo.rules[0].until=never"),
        ("policy.embargo.rules", {"date": "2023-11-17", "announced": 17}, "policy.embargo.rules[0].announced=17"),
        ("policy.licensing.phases", {"date": "soon", "capacity": 3}, "policy.licensing.phases[0].date=soon"),
        ("policy.news", {"date": "2023", "size": 0.1}, "policy.news[0].date=2023"),
    ],
)
def test_a_bad_date_in_a_policy(key, entry, name):
    config = compose([])
    OmegaConf.update(config, key, [entry])
    with pytest.raises(ConfigError) as caught:
        check(config)
    assert name in str(caught.value)


@pytest.mark.parametrize("table", ["archetypes", "vendors", "investors", "segments"])
def test_a_number_of_a_table_that_is_none(table):
    config = compose([])
    row = config[table][0]
    name = next(key for key, value in row.items() if isinstance(value, (int, float)))
    row[name] = math.nan
    with pytest.raises(ConfigError) as caught:
        check(config)
    assert f"{table}[0].{name}=nan" in str(caught.value)


def test_an_ensemble_refuses_too():
    with pytest.raises(REFUSED, match="price_sensitivity"):
        Ensemble(["model_market.price_sensitivity=-1"])


def test_the_baseline_and_the_scenarios_are_accepted():
    for scenario in ("baseline", "no_embargo"):
        assert compose([f"scenario={scenario}"]).scenario == scenario


def test_composing_leaves_no_trace():
    """Neither of Hydra nor of an earlier configuration."""
    one = compose(["technology.inheritance=0.41"])
    two = compose([])
    assert one.technology.inheritance == 0.41
    assert two.technology.inheritance != 0.41
    assert compose([]) == two


def test_parameters_are_plain_and_apart():
    config = compose([])
    one, two = to_parameters(config), to_parameters(config)
    assert type(one.model_market) is type(Config().model_market)
    one.model_market.price_sensitivity = 9.0
    assert two.model_market.price_sensitivity != 9.0
    assert config.model_market.price_sensitivity != 9.0


# ---------------------------------------------------------------------- what is declared

DECLARED = [(f"{section}.{each.name}", each) for section, kind in sections() for each in dataclasses.fields(kind)]


def test_there_are_parameters():
    assert len(DECLARED) > 200
    assert len({key for key, _ in DECLARED}) == len(DECLARED)


def test_every_parameter_says_its_unit_range_source_and_meaning():
    missing = []
    for key, declared in DECLARED:
        facts = declared.metadata
        if not {"unit", "low", "high", "source", "doc"} <= set(facts):
            missing.append(f"{key}: not declared with par()")
            continue
        text = isinstance(declared.default, (str, bool))
        for name in ("unit", "doc") if key == "graph.path" else ("unit", "source", "doc"):
            if not str(facts[name]).strip():
                missing.append(f"{key}: no {name}")
        if not text and not facts["low"] <= declared.default <= facts["high"]:
            missing.append(f"{key}: {declared.default} is not in [{facts['low']}, {facts['high']}]")
        if not text and not facts["low"] < facts["high"]:
            missing.append(f"{key}: empty range")
    assert not missing, missing


def test_values_of_the_groups_lie_in_the_declared_ranges():
    """What the yaml files set is checked like what a user sets."""
    config = to_parameters(compose([]))
    for key, declared in DECLARED:
        section, name = key.split(".")
        value = getattr(getattr(config, section), name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            assert declared.metadata["low"] <= value <= declared.metadata["high"], key


# ---------------------------------------------------------------------- a value for each world


def alone(spread, world, steps):
    """A world of its own, with its own values for all worlds that there are."""
    config = changed(compose([QUIET]), {key: values[world] for key, values in spread.items()})
    return Ensemble(config, (world,)).run(steps).tables()["market"]


def same(left, right):
    for column in left.columns:
        differs = left[column].ne_missing(right[column])
        assert not differs.any(), f"{column} differs from step {left['step'].filter(differs).min()}"


def test_a_world_with_its_own_values_is_that_world_alone():
    """Bit for bit the history that the scalars give."""
    spread = {
        "model_market.price_sensitivity": [1.5, 2.0, 3.0],
        "model_market.nest_correlation": [0.0, 0.5, 0.9],
        "technology.inheritance": [0.3, 0.6, 0.9],
        "chip_market.outside_focus": [1.0, 2.0, 3.0],
        "capital.hype_half_life": [2.0, 4.0, 8.0],
        "training.success_leap": [0.5, 1.8, 4.0],
    }
    together = Ensemble(compose([QUIET]), (0, 1, 2), spread).run(8).tables()["market"]
    for world in range(3):
        same(together.filter(pl.col("replicate") == world), alone(spread, world, 8))


def nudged():
    """Three values for each number of each section, close to the baseline and in its range."""
    config, found = to_parameters(compose([])), {}
    for key, declared in DECLARED:
        section, name = key.split(".")
        value, facts = getattr(getattr(config, section), name), declared.metadata
        if isinstance(value, float) and section != "population":
            values = [value * 0.97, value, value * 1.02]
            found[key] = np.clip(values, facts["low"], facts["high"]).tolist()
    return found


@pytest.mark.slow
def test_every_number_of_every_section_can_differ_between_worlds():
    """Or is refused by name: what all worlds share must not be silently the same."""
    spread = nudged()
    together = of_three_worlds(spread).run(5).tables()["market"]
    assert len(spread) > 150
    for world in (0, 2):
        same(together.filter(pl.col("replicate") == world), alone(spread, world, 5))


def of_three_worlds(spread):
    """Three worlds of their own values; takes what is refused by name out of them."""
    while True:
        try:
            return Ensemble(compose([QUIET]), (0, 1, 2), spread)
        except ConfigError as error:
            del spread[max((key for key in spread if key in str(error)), key=len)]


def test_one_value_serves_all_worlds():
    key = "model_market.price_sensitivity"
    one = Ensemble(compose([QUIET]), (0, 1), {key: [2.5]}).run(3).tables()["market"]
    assert one.equals(Ensemble(changed(compose([QUIET]), {key: 2.5}), (0, 1)).run(3).tables()["market"])


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"model_market.price_sensitivity": [1.0, 2.0]}, ["model_market.price_sensitivity", "2 values for 3 worlds"]),
        ({"model_market.price_sensitivity": []}, ["model_market.price_sensitivity", "0 values for 3 worlds"]),
        ({"model_market.price_sensitvity": [1.0]}, ["model_market.price_sensitvity", "no such parameter"]),
        ({"nothing.price_sensitivity": [1.0]}, ["nothing.price_sensitivity", "no such parameter"]),
        ({"steps": [1.0]}, ["steps", "no such parameter"]),
        ({"model_market.price_sensitivity": [1.0, -2.0, 1.0]}, ["model_market.price_sensitivity=-2", "between"]),
        ({"model_market.price_sensitivity": [1.0, math.nan, 1.0]}, ["model_market.price_sensitivity=nan", "finite"]),
    ],
)
def test_values_of_worlds_are_checked(parameters, names):
    with pytest.raises(ConfigError) as caught:
        Ensemble(compose([]), (0, 1, 2), parameters)
    for name in names:
        assert name in str(caught.value)
