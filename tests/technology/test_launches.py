"""Launches: when a lab starts a run, how long it is, and what is rented for it."""

from __future__ import annotations

import numpy as np

from baimo.agents.enums import CN
from baimo.agents.lab.training import Launch, _expected_gain
from baimo.world.compute.rental_market import rent_compute, seen_by_tenants
from baimo.world.ensemble import Ensemble
from baimo.world.technology.training import delivered, launch_signals


def test_labs_rent_for_runs_and_no_larger_a_cluster_than_they_have_learned_to_run():
    world = Ensemble(["output.level=market"], range(3)).run(9).world
    labs, training = world.labs, world.parameters.training
    trains = labs.running.copy()
    rent_compute(world)
    assert (labs.rented_training[~trains] == 0.0).all(), "idle chips earn nothing"
    assert (labs.rented_training[trains & (labs.region == CN)] > 0.0).mean() > 0.2
    labs.rent_compute(seen_by_tenants(world))
    own = labs.fleet.sum(0) * labs.llm_share * (1.0 - labs.serving_share)
    rented = labs.rent_wanted / np.where(labs.region == CN, training.rented_speed_cn, training.rented_speed_row)
    room = np.maximum(labs.cards_known / training.run_share - own, 0.0)
    assert (rented <= room * (1.0 + 1e-9) + 1e-9).all()
    assert (room - rented < 1e-6 * (1.0 + room))[labs.alive].any(), "some purses are large enough"


def test_a_run_is_planned_with_what_would_be_rented_while_nothing_is():
    world = Ensemble(["output.level=market"], range(3)).run(9).world
    labs = world.labs
    idle = labs.alive & ~labs.running & (labs.rent_wanted > 1.0)
    with_rent = launch_signals(world).training_speed
    labs.rent_wanted = 0.0 * labs.rent_wanted
    assert (with_rent > launch_signals(world).training_speed)[idle].all()
    rent_compute(world)
    own, now = delivered(world, 0.0 * labs.cash).flop, delivered(world, labs.rented_training).flop
    np.testing.assert_array_equal(now[idle], own[idle])


def test_a_failed_trial_is_forgiven_and_a_launch_is_not():
    """A run is worth more to a lab the smaller a part of its purse it takes, with the same chances."""
    world = Ensemble(["output.level=market"], range(2)).run(6).world
    labs, p, seen = world.labs, world.parameters, launch_signals(world)
    flop, alone = 1e23 + 0.0 * labs.cash, (seen.parent_launch <= 0.0) & labs.alive
    launch = Launch(flop, np.zeros_like(labs.running), False)
    gains = []
    for labs.cash in (1.0 + 0.0 * flop, 1e6 + 0.0 * flop):
        gains.append(_expected_gain(labs, seen, launch, 0.5 + 0.0 * flop, p)[alone])
    assert (gains[0] <= gains[1]).all()
    lost = 0.5 * p.training.failure_cost / labs.risk_appetite[alone]
    bought = (seen.flop_cost[alone] * 1e23) > 0.5
    np.testing.assert_allclose((gains[1] - gains[0])[bought], lost[bought], rtol=0.02)


def test_who_is_doubted_trains_for_a_shorter_time_and_does_not_stop_training():
    """Idle labs burn as well: doubt and impatience choose among lengths and do not speak against every one."""
    world = Ensemble(["output.level=market"], range(3)).run(3).world
    labs, p, signals = world.labs, world.parameters, launch_signals(world)
    labs.revenue, labs.cost = 0.0 * labs.cash, 1.0 + 0.0 * labs.cash
    found = []
    for burnt, impatience in ((0.0, 0.1), (12.0, 0.1), (0.0, 1.0)):
        labs.running = labs.running & False
        labs.trained, labs.run_planned = labs.trained & False, 0.0 * labs.cash
        labs.burnt, p.training.impatience = burnt + 0.0 * labs.cash, impatience
        labs.plan_run(signals)
        found.append((labs.running, labs.run_planned))
    (starts, flop), (doubted, shorter), (hurried, hasty) = found
    assert starts.sum() > 10
    np.testing.assert_array_equal(doubted, starts)
    np.testing.assert_array_equal(hurried, starts)
    for less in (shorter, hasty):
        assert (less <= flop * (1.0 + 1e-12)).all() and less.sum() < 0.9 * flop.sum()
