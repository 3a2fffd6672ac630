"""What compute buys: scaling law, repeated data, algorithmic efficiency, size of models."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from baimo.world.laws import scaling as tech

#: Parameters of efficiency growth as MODEL has them.
GROWTH = SimpleNamespace(catch_up=0.8, own_research=0.30, own_most=2.0, public_progress=0.75, misled=0.1)


def loss(flop: float, tokens: np.ndarray, unique: float, patience: float) -> np.ndarray:
    """Reducible loss of a run with so many tokens, written out again from the sources."""
    params = flop / (6.0 * tokens)
    repeats = np.maximum(tokens / unique, 1.0) - 1.0
    worth = np.minimum(tokens, unique) + unique * patience * (1.0 - np.exp(-repeats / patience))
    return 482.01 / params**0.3478 + 2085.43 / worth**0.3658


def best_loss(flop: float, unique: float, patience: float) -> float:
    """Least reducible loss over a fine grid of token counts."""
    return float(loss(flop, np.geomspace(1e8, 1e16, 40_001), unique, patience).min())


def test_reduced_loss_constants(fact):
    np.testing.assert_allclose(tech.REDUCED * 1e24**-tech.GAMMA, fact("scaling_b"), rtol=0.002)
    np.testing.assert_allclose(tech.GAMMA, fact("scaling_c"), rtol=0.003)
    np.testing.assert_allclose(tech.E_LOSS, fact("scaling_a"), rtol=0.001)


@pytest.mark.parametrize("flop", [1e21, 1e23, 1e24, 1e26])
def test_reduced_loss_is_the_loss_along_the_optimum(flop):
    ample = 1e30
    assert tech.REDUCED * flop**-tech.GAMMA == pytest.approx(best_loss(flop, ample, 15.0), rel=1e-6)


@pytest.mark.parametrize("flop", [1e21, 1e23, 1e24, 1e26])
def test_optimal_tokens_are_the_best_choice_with_ample_data(flop):
    grid = np.geomspace(1e8, 1e16, 40_001)
    best = grid[np.argmin(loss(flop, grid, 1e30, 15.0))]
    assert tech.optimal_tokens(np.array(flop)) == pytest.approx(best, rel=0.002)


@pytest.mark.parametrize(("flop", "share"), [(1e24, 0.89), (1e25, 0.66), (1e26, 0.34)])
def test_data_limited_compute(flop, share):
    assert tech.data_limited_flop(np.array(flop), 0.3e12, 15.0) / flop == pytest.approx(share, abs=0.015)


@pytest.mark.parametrize("unique", [0.05e12, 0.3e12, 1e12, 5e12])
@pytest.mark.parametrize("flop", [1e22, 1e23, 1e24, 1e25, 1e26, 1e27])
def test_data_limited_compute_is_within_three_percent_of_the_best_choice_of_tokens(flop, unique):
    best = (tech.REDUCED / best_loss(flop, unique, 15.0)) ** (1.0 / tech.GAMMA)
    attained = float(tech.data_limited_flop(np.array(flop), unique, 15.0))
    assert 0.97 * best <= attained <= best * (1.0 + 1e-6)


def test_ample_data_cost_nothing():
    flop = np.array([1e22, 1e24])
    np.testing.assert_allclose(tech.data_limited_flop(flop, 1e16, 15.0), flop, rtol=1e-9)


def test_more_compute_more_data_and_more_patience_help():
    flop = np.geomspace(1e22, 1e27, 60)
    worth = tech.data_limited_flop(flop, 0.3e12, 15.0)
    assert np.all(np.diff(worth) > 0.0)
    assert np.all(np.diff(worth / flop) <= 1e-9)
    assert np.all(tech.data_limited_flop(flop, 0.6e12, 15.0) >= worth * (1.0 - 1e-12))
    assert np.all(tech.data_limited_flop(flop, 0.3e12, 30.0) >= worth * (1.0 - 1e-12))
    assert tech.data_limited_flop(flop[-1:], 0.6e12, 15.0) > 1.05 * worth[-1]


def test_repeated_tokens_wear_out():
    unique, patience = 1e12, 15.0
    tokens = np.array([0.2, 1.0, 2.0, 16.0, 1e6]) * unique
    worth = tech.effective_tokens(tokens, unique, patience)
    assert worth[0] == tokens[0] and worth[1] == tokens[1]
    assert 1.9 * unique < worth[2] < 2.0 * unique
    assert worth[3] == pytest.approx(unique * (1.0 + 15.0 * (1.0 - np.exp(-1.0))))
    assert worth[4] == pytest.approx(unique * 16.0)
    assert np.all(np.diff(worth) > 0.0)


def growth(log_efficiency=1.0, public=1.0, openness=1.0, capacity=1.0, lead=1.0) -> float:
    values = (public - log_efficiency, openness, capacity, lead)
    return float(tech.efficiency_growth(*(np.array(v) for v in values), GROWTH))


def test_a_leader_gains_about_1_05_a_year(fact):
    assert growth() == pytest.approx(1.05, abs=0.005)
    halving_months = 12.0 * np.log(2.0) / growth()
    assert halving_months == pytest.approx(fact("algo_halving"), abs=0.2)


def test_direction_of_efficiency_growth():
    assert growth(public=2.0) == pytest.approx(growth() + 0.8)
    assert growth(log_efficiency=3.0) == growth()  # nobody unlearns
    assert growth(openness=0.5) == pytest.approx(growth() - 0.375)
    assert growth(capacity=0.0, public=5.0) == pytest.approx(
        0.30 - 0.1
    )  # own research needs no reading; papers mislead
    assert growth(capacity=0.0, openness=0.0) == pytest.approx(0.30)  # nobody is misled by what nobody writes
    assert growth(lead=0.0) == pytest.approx(0.75)
    assert growth(lead=4.0) == growth(lead=9.0) == pytest.approx(1.35)  # at most twice


def test_absorptive_capacity():
    capacity = tech.absorptive_capacity(np.array([0.0, 20.0, 1e6]), 20.0)
    np.testing.assert_allclose(capacity, [0.0, 1.0 - np.exp(-1.0), 1.0])


def test_active_parameters_grow_with_capability_and_shrink_with_time():
    p = SimpleNamespace(active_at_unit=1e10, active_slope=0.5, active_shrink=0.7)
    sizes = tech.active_parameters(np.array([0.0, 1.0, 2.0]), 0.0, p)
    np.testing.assert_allclose(sizes, 1e10 * 10.0 ** (0.5 * np.arange(3)))
    np.testing.assert_allclose(tech.active_parameters(np.array([0.0]), 1.0, p), 1e10 * np.exp(-0.7))


def test_axes():
    assert tech.AXES[tech.LANGUAGE] == "language"
    assert tech.AXES[tech.KNOWLEDGE] == "knowledge"
    assert tech.AXES[tech.REASONING] == "reasoning"
