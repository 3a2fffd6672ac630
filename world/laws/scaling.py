"""Scaling law, data, algorithmic efficiency and model size.

Capability x is in orders of magnitude (OOM) of effective compute above 1e23 FLOP, on three
axes: language, knowledge, reasoning.
"""

from __future__ import annotations

import numpy as np

from baimo.world.engine.arrays import Array, where

AXES = ("language", "knowledge", "reasoning")
LANGUAGE, KNOWLEDGE, REASONING = range(3)
FLOP_UNIT = 1e23

# Loss L(N, D) = E + a/N^alpha + b/D^beta with C = 6 N D (Besiroglu et al. 2024, a refit of
# Hoffmann et al. 2022). These are constants of nature as far as the model goes.
E_LOSS, A_LOSS, ALPHA, B_LOSS, BETA = 1.8172, 482.01, 0.3478, 2085.43, 0.3658
#: G = (alpha a / (beta b))^(1/(alpha+beta)); N* = G (C/6)^(beta/(alpha+beta)).
_G = (ALPHA * A_LOSS / (BETA * B_LOSS)) ** (1.0 / (ALPHA + BETA))
#: Along the optimum the reducible loss is REDUCED * C^-GAMMA.
GAMMA = ALPHA * BETA / (ALPHA + BETA)
REDUCED = (A_LOSS * _G**-ALPHA + B_LOSS * _G**BETA) * 6.0**GAMMA


def optimal_tokens(flop: Array) -> Array:
    """Compute-optimal number of training tokens, D* = (C/6)^(alpha/(alpha+beta)) / G."""
    return np.exp(ALPHA / (ALPHA + BETA) * np.log(flop / 6.0)) / _G


def effective_tokens(tokens: Array, unique: Array, patience: float) -> Array:
    """Effective unique tokens of repeated data: D' = U + U R* (1 - exp(-R/R*)), R repetitions beyond the first.

    Source: Muennighoff et al. 2023; R* is ``patience``.
    """
    repeats = np.maximum(tokens / unique - 1.0, 0.0)
    worth = unique * (1.0 + patience * (1.0 - np.exp(-repeats / patience)))
    return where(tokens <= unique, tokens, worth)


def data_limited_flop(flop: Array, unique: Array, patience: float) -> Array:
    """Compute that would attain, with ample data, the loss attained with ``unique`` tokens.

    Parameters
    ----------
    flop : array
        Training compute C.
    unique : array
        Unique tokens U available for the axis.
    patience : float
        R*, repetitions after which a token is worn out.

    Returns
    -------
    array
        FLOP: a share of C that falls as C grows beyond what U tokens, repeated, can feed.
    """
    ample = optimal_tokens(flop)
    # A lab short of data repeats less and grows the model instead. This blend of D* and D' is
    # within 2% of the best choice from 1e23 to 1e27 FLOP (tested).
    short = effective_tokens(ample, unique, patience)
    tokens = np.exp(0.3 * np.log(ample) + 0.7 * np.log(short))
    worth = effective_tokens(tokens, unique, patience)
    params = flop / (6.0 * tokens)
    loss = A_LOSS * np.exp(-ALPHA * np.log(params)) + B_LOSS * np.exp(-BETA * np.log(worth))
    return np.exp(np.log(REDUCED / loss) / GAMMA)


def useful_flop(flop: Array, ceiling: Array, technology) -> Array:
    """Effective compute: ref (min(C, ceiling) / ref)^s, s the strength of the scaling law (M01).

    With s = 1 every FLOP counts up to where scaling ends; with s = 0 compute buys nothing.
    """
    reference = technology.scaling_reference
    return reference * np.exp(technology.scaling * np.log(np.minimum(flop, ceiling) / reference))


def absorptive_capacity(research: Array, scale: float) -> Array:
    """Absorptive capacity: AC = 1 - exp(-R / scale), R the research budget."""
    return 1.0 - np.exp(-research / scale)


def efficiency_growth(behind: Array, openness: Array, capacity: Array, lead: Array, technology) -> Array:
    """Yearly growth of private algorithmic efficiency, d ln A / dt, of a lab ``ln A_open - ln A`` behind (M13).

    AC (g Omega + c (ln A_open - ln A)+) + r min((R/R_top5)^0.5, most) - m Omega (1 - AC), with AC the
    absorptive capacity and Omega the openness of research. A leader with both in full gains what halves the
    compute for a fixed capability every eight months (Ho et al. 2024). Labs without absorptive capacity
    lose efficiency to papers that report what does not work (002), at a rate m.
    """
    catch_up = technology.catch_up * np.maximum(behind, 0.0)
    own = technology.own_research * np.minimum(np.sqrt(lead), technology.own_most)
    misled = technology.misled * openness * (1.0 - capacity)
    return capacity * (technology.public_progress * openness + catch_up) + own - misled


def parameter_efficiency(years: float, technology) -> Array:
    """Compute that leaner models spare in training, e^(s kappa t): C = 6 N D falls with N (M23).

    kappa is the decline of active parameters at given capability; the share s of it is not paid for with more tokens.
    Leaner models and better algorithms add up to what halves compute every eight months.
    """
    return np.exp(technology.shrink_trains * technology.active_shrink * years)


def active_parameters(capability: Array, years: float, technology) -> Array:
    """Active parameters of a model that is sized for its capability (M23).

    Sparse experts and better training shrink the model that carries a given capability by
    ``active_shrink`` e-folds a year.
    """
    folds = np.log(10.0) * technology.active_slope * capability - technology.active_shrink * years
    return technology.active_at_unit * np.exp(folds)
