"""Every alternative of every policy group: it composes, runs, and changes nothing before its date.

The first date that an alternative touches is read from its own dates, so that a new YAML file in
``conf/policy`` is tested as soon as it is there.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from baimo import conf
from baimo.conf.parameters.policy import PolicyGroups
from baimo.conf.schema import compose, to_parameters
from baimo.world.engine.clock import as_date
from baimo.world.ensemble import Ensemble
from tests.paired_runs import FEW, STEPS, market

FOLDER = Path(conf.__file__).parent / "policy"
ALTERNATIVES = sorted((file.parent.name, file.stem) for file in FOLDER.glob("*/*.yaml"))
GROUPS = sorted({group for group, _ in ALTERNATIVES})
TEN = "capital compute data embargo industrial licensing market open_source talent technology"
#: Policies that an observer in the first month already sees cannot be tested before their date.
START = dt.date(2022, 12, 1)
#: Fields that are a date by themselves.
OWN_DATES = ["memory_control", "cloud_rule", "opens", "wrapper_ban", "scaling_ends", "breakthrough", "multimodal"]
#: Alternatives that differ from the baseline in the first month already.
FROM_THE_START = {("open_source", "champion_closes"), ("embargo", "early"), ("embargo", "none")} | {
    ("technology", "scaling_wall")
}


def policies(*overrides):
    """The policy tree of a configuration as plain dictionaries."""
    return asdict(to_parameters(compose(list(overrides))).policy)


def first_difference(group, one, other):
    """First date on which two settings of a group can differ; None where they are the same."""
    nothing = asdict(getattr(PolicyGroups(), group))
    dates = []
    for name in one:
        mine, theirs = one[name], other[name]
        if mine == theirs or name in ("since", "until"):
            continue
        if isinstance(mine, list):
            dates += _schedule_dates(mine, theirs)
        elif name in OWN_DATES:
            dates += [as_date(each) for each in (mine, theirs) if each]
        elif name in ("scaling_ceiling", "breakthrough_gain"):
            continue  # they belong to a date of their own
        elif "since" in one:
            dates += [as_date(each["since"] or START) for each in (one, other) if each[name] != nothing[name]]
        else:
            dates.append(START)
    return min(dates, default=None)


def _schedule_dates(mine, theirs):
    """Dates of entries that only one schedule has, or that end on another day."""

    def known(entry):
        return {name: value for name, value in entry.items() if name != "until"}

    dates = []
    for here, there in ((mine, theirs), (theirs, mine)):
        for entry in here:
            alike = [each for each in there if known(each) == known(entry)]
            ends = [each.get("until") for each in (entry, *alike)]
            if not alike:
                dates.append(as_date(entry.get("announced") or entry["date"]))
            elif len(set(ends)) > 1:
                dates.append(min(as_date(end) for end in ends if end))
    return dates


def test_the_ten_groups_are_there_with_none_and_two_alternatives_each():
    assert set(TEN.split()) <= set(GROUPS)
    for group in TEN.split():
        names = {name for each, name in ALTERNATIVES if each == group}
        assert "none" in names, group
        assert len(names - {"none", "history"}) >= 2, f"{group}: {names}"


@pytest.mark.slow
@pytest.mark.parametrize(("group", "name"), ALTERNATIVES, ids=lambda each: each)
def test_an_alternative_runs_and_changes_nothing_before_its_date(group, name):
    chosen = f"policy/{group}={name}"
    if group == "news":
        pytest.skip("news is an input, not a policy")
    date = first_difference(group, policies(chosen)[group], policies()[group])
    steps = STEPS - 1 if date is None else max(12 * (date.year - 2022) + date.month - 12, 0)
    assert (steps > 0) != ((group, name) in FROM_THE_START), "nothing to compare before its date"
    before = pl.col("step") < steps
    treated, plain = (market(*each, worlds=FEW, steps=steps + 1) for each in ((chosen,), ()))
    assert_frame_equal(treated.filter(before), plain.filter(before), check_exact=True)


@pytest.mark.parametrize("seed", range(6))
def test_any_combination_composes_and_closes_its_accounts(seed):
    rng = np.random.default_rng(seed)
    drawn = [(group, rng.choice([name for each, name in ALTERNATIVES if each == group])) for group in GROUPS]
    overrides = [f"policy/{group}={name}" for group, name in drawn]
    table = Ensemble([*overrides, "output.level=market"], range(2)).run(26).tables()["market"]
    assert table["accounts_residual"].max() < 1e-12
    assert table.select(pl.selectors.float().is_infinite().any()).row(0).count(True) == 0
