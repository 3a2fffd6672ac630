"""Tenders and projects: who is turned away takes the next choice, and who asks several labs knows more of them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from baimo.agents.enums import APPLICATION, CN, MISSING
from baimo.world.ensemble import Ensemble
from baimo.world.laws.tenders import takers_of
from baimo.world.models.own_data import gather_data
from baimo.world.models.projects import bids, carry_out_projects


def column(*values):
    return np.array([values], dtype=float)


def test_a_full_bidder_hands_its_customers_on():
    """Two bidders: seven of ten remain, three and a half go to the other and as many do without, two to one before."""
    taken = takers_of(column(6.0, 2.0), column(3.0, 100.0), column(2.0))
    np.testing.assert_allclose(taken, column(3.0, 3.5))


def test_with_room_everybody_gets_the_first_choice():
    wanted = column(5.0, 0.0, 3.0)
    np.testing.assert_array_equal(takers_of(wanted, wanted + 1.0, column(1.0)), wanted)


def test_where_all_are_full_nobody_takes_more():
    np.testing.assert_array_equal(takers_of(column(5.0, 9.0), column(1.0, 2.0), column(0.0)), column(1.0, 2.0))


#: Nothing, or an amount that is no rounding error.
amounts = st.lists(st.just(0.0) | st.floats(0.001, 50.0), min_size=5, max_size=5)


@settings(max_examples=100, deadline=None)
@given(wanted=amounts, free=amounts, none=st.floats(0.01, 50.0))
def test_all_demand_is_served_or_does_without(wanted, free, none):
    """Nobody takes more than is free, and what is taken stands to who does without as the first choices did."""
    wanted, free, none = column(*wanted), column(*free), column(none)
    taken = takers_of(wanted, free, none)
    assert (taken >= 0.0).all() and (taken <= free + 1e-12).all()
    assert (taken >= np.minimum(wanted, free) - 1e-12).all(), "a first choice is kept as far as there is room"
    room = (taken < free * (1.0 - 1e-9)) & (wanted > 0.0)
    without = wanted.sum() + none - taken.sum()
    np.testing.assert_allclose((taken / np.maximum(wanted, 1e-300))[room], (without / none)[0, 0], rtol=1e-9)


def test_who_asks_several_labs_considers_more_of_them():
    seg = SimpleNamespace(number=np.arange(2).reshape(2, 1, 1))
    lab = SimpleNamespace(
        awareness=column(0.01, 0.9), home_segment=np.full((1, 2), MISSING), chosen=np.full((2, 1, 2), 0.004)
    )

    def asked(n):
        p = SimpleNamespace(
            goodwill=SimpleNamespace(beyond_home=0.05, parent_customers=0.005), revenue=SimpleNamespace(bidders=n)
        )
        return bids(lab, seg, p)[0, 0] / 0.004

    np.testing.assert_allclose(asked(1.0), 1.0, rtol=1e-12)
    np.testing.assert_allclose(asked(3.0), [(1.0 - 0.99**3) / 0.01, (1.0 - 0.1**3) / 0.9], rtol=1e-9)


def test_projects_overflow_to_labs_with_free_engineers_who_gather_less_data():
    world = Ensemble(["output.level=market"], range(3)).run(12).world
    labs, state = world.labs, world.state
    carry_out_projects(world)
    plain = state.bound_staff
    largest = np.argmax(np.where(labs.region == CN, plain, 0.0), axis=-1)
    rows = np.arange(len(largest)), largest
    labs.staff[APPLICATION][rows] = 0.0
    carry_out_projects(world)
    others = (labs.region == CN) & labs.alive
    others[rows] = False
    assert (state.bound_staff[others] >= plain[others] - 1e-9).all()
    assert (np.where(others, state.bound_staff - plain, 0.0).sum(-1) > 0.0).all(), "customers go on"
    layers = labs.layers.copy()
    gather_data(world)
    busy, labs.layers = labs.layers, layers
    state.bound_staff = 0.0 * plain
    gather_data(world)
    bound = labs.alive & (plain > 0.1) & others
    assert (labs.layers[0] > busy[0])[bound].all(), "who works for customers gathers no data of its own"
