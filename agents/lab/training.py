"""Training runs: which a lab can afford, which it starts, its chance of success, the capability that it yields."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from baimo.agents.base import decision
from baimo.agents.enums import APP_COMPANY, FROM_SCRATCH, LEAST_RUN, MISSING, NO_MODEL, RUN_MONTHS
from baimo.agents.lab.columns import LabColumns
from baimo.world.engine.arrays import (
    Array,
    PerAgent,
    PerAxis,
    PerWorld,
    argmax_k,
    clip,
    logistic,
    max_k,
    mean_k,
    pick_k,
    where,
)
from baimo.world.engine.population import Observables
from baimo.world.laws.scaling import FLOP_UNIT, data_limited_flop, useful_flop

if TYPE_CHECKING:
    from baimo.conf.schema import Config


class LaunchSignals(Observables):
    """Signals of a lab when it plans a training run."""

    training_speed: PerAgent  # FLOP a month
    flop_cost: PerAgent  # CNY million a FLOP, of what must be rented
    parent_launch: PerAgent  # CNY million that the parent adds to the purse of a launch
    base_pretrained: PerAxis  # OOM of the best open base that it knows
    base_post: PerAxis  # OOM added to that base after pre-training
    base_lab: PerAgent  # row of its author
    base_id: PerAgent  # id of its author
    base_foreign: PerAgent  # whether its author is abroad
    base_model: PerAgent  # id of the model
    unique_tokens: PerAxis  # tokens
    synthetic_gain: PerAgent  # ln of the factor on unique tokens
    scaling_ceiling: PerWorld  # FLOP beyond which compute adds nothing
    leaner: PerWorld  # times: what leaner models spare of the compute of a run
    launch_chance: PerWorld  # a step, under random planning


class PathSignals(Observables):
    """Signals of a lab when it duplicates or explores."""

    tolerance: PerAgent  # 1: how far failure is tolerated at home
    step: int
    chance: PerWorld  # of reconsidering in this step


class Run(NamedTuple):
    """Inputs to the capability that a training run yields; options of runs may stand in front."""

    flop: Array  # FLOP
    inherits: Array  # pre-trained OOM by axis that the base hands down
    foreign: Array  # whether the base comes from abroad
    synthetic: Array  # whether a strong model writes data


class Launch(NamedTuple):
    """A training run that a lab may start."""

    flop: Array  # FLOP
    on_base: Array  # whether it goes on from the best open base that the lab knows
    synthetic: Array  # whether a strong model writes data


class LabTraining(LabColumns):
    """Decisions of a lab about its training runs."""

    @decision
    def size_up_launch(labs, market: LaunchSignals, p: Config) -> None:
        """Find the largest run that the lab could afford, against which it measures the frontier's (M03)."""
        _, sizes, _ = run_options(labs, market, p)
        labs.affordable = where(labs.alive, np.log10(max_k(sizes)), labs.affordable)

    @decision
    def plan_run(labs, market: LaunchSignals, p: Config) -> None:
        """Start a run where one is worth it, of the length that is worth most, with or without synthetic data.

        A launch is worth its expected gain in capability: the chance of success falls with
        the leap beyond the largest run done (001: a rocket launch), the gain grows with the
        logarithm of compute. There is one launch per purse. Lengths differ by what waiting costs: the frontier
        moves on, and a longer run costs the doubt of investors d (M24) that it adds to the burn so far,
        v d (max(b + m f - T, 0) - max(b - T, 0)), f the share of its cost that a lab does not earn. A lab that
        starts nothing waits and burns as well, so neither counts against starting.
        """
        training = p.training
        months, sizes, ready = run_options(labs, market, p)
        on_base = (labs.mode != FROM_SCRATCH) & (market.base_pretrained[0] > NO_MODEL + 0.5)
        chance = success_chance(labs, np.log10(sizes), on_base, p)
        plain, written = (
            _expected_gain(labs, market, Launch(sizes, on_base, each), chance, p) for each in (False, True)
        )
        doubt = burn_doubt(labs.burnt + months * burning(labs), p) - burn_doubt(labs.burnt, p)
        gain = np.maximum(plain, written)
        worthwhile = gain > training.least_gain
        net = gain - training.impatience * months - training.doubt_cost * doubt
        best = argmax_k(where(worthwhile, net, -1e9))
        chosen = Launch(pick_k(sizes, best), on_base, pick_k(written > plain, best))
        # No second launch without a new round, unless a parent stands behind it (001).
        barred = spent_last_round(labs, p) & ~(market.parent_launch > 0.0)
        start_runs(labs, market, p, ready & pick_k(worthwhile, best) & ~barred, chosen)

    @decision
    def choose_path(labs, market: PathSignals, p: Config) -> None:
        """Duplicate the known recipe, or explore: by appetite for risk and the tolerance of failure (M50)."""
        exploration = p.exploration
        able = labs.alive & (labs.mode == FROM_SCRATCH)
        thinks = able & ((labs.draws("path") < market.chance) | (labs.founded == market.step))
        bold = exploration.propensity * labs.risk_appetite * market.tolerance
        labs.explores = where(thinks, labs.draws("path_choice") < bold, labs.explores & able)


def run_options(labs: LabColumns, market: LaunchSignals, p: Config) -> tuple[Array, Array, PerAgent]:
    """Runs that each lab could start.

    Returns
    -------
    months : array (options, 1, 1)
        Lengths of a run.
    flop : array (options, worlds, labs)
        Compute of each.
    ready : boolean array (worlds, labs)
        Labs that may start one at all.
    """
    months = labs.xp.asarray(RUN_MONTHS).reshape(-1, 1, 1)
    flop = np.maximum(market.training_speed * months, 1.0)
    # One launch per purse: what must be rented and paid may not exceed it.
    flop = np.minimum(flop, _purse(labs, market, p) / np.maximum(market.flop_cost, 1e-30))
    # A run beyond the end of scaling is worth no more.
    flop = np.minimum(flop, market.scaling_ceiling)
    ready = labs.alive & ~labs.running & ~labs.trained & (labs.mode != APP_COMPANY)
    return months, np.maximum(flop, LEAST_RUN), ready


def success_chance(labs: LabColumns, log_flop: Array, on_base: PerAgent, p: Config) -> Array:
    """Chance that a run of ``10**log_flop`` FLOP works out (M19).

    P = 1 - risk (1 - P0), logit P0 = b + b_infra z_infra + b_runs ln(1 + runs) - b_leap log10(C / largest
    done). Going on from a base is a smaller leap.
    """
    training = p.training
    leap = np.maximum(log_flop - labs.log_largest, 0.0) * where(on_base, training.base_leap, 1.0)
    logit = training.success_base + training.success_infra * labs.skill + where(on_base, training.base_easier, 0.0)
    logit = logit + training.success_runs * np.log1p(labs.runs_done) - training.success_leap * leap
    return 1.0 - training.failure_risk * logistic(-logit)


def burning(labs: LabColumns) -> PerAgent:
    """Share of its cost that a lab does not earn, 0 to 1: one is full burn."""
    return clip(1.0 - labs.revenue / np.maximum(labs.cost, 1e-9), 0.0, 1.0)


def burn_doubt(burnt: Array, p: Config) -> Array:
    """Logit lost with investors by months of full burn without news, d max(b - T, 0) (M24)."""
    return p.capital.stale_penalty * np.maximum(burnt - p.capital.burn_tolerance, 0.0)


def spent_last_round(labs: LabColumns, p: Config) -> PerAgent:
    """Whether a failed run has used up the money and the trust that the last round gave (M19)."""
    return (labs.since_failure < p.training.failure_memory) & (labs.since_round > labs.since_failure)


def start_runs(labs: LabColumns, market: LaunchSignals, p: Config, starts: PerAgent, run: Launch) -> None:
    """Start the runs of those labs that do (``starts``), and draw whether they will fail."""
    doomed = labs.draws("run_success") > success_chance(labs, np.log10(run.flop), run.on_base, p)
    labs.running = labs.running | starts
    labs.run_planned = where(starts, run.flop, labs.run_planned)
    labs.run_delivered = where(starts, 0.0, labs.run_delivered)
    labs.run_age = where(starts, 0.0, labs.run_age)
    labs.run_cost = where(starts, 0.0, labs.run_cost)
    labs.run_doomed = where(starts, doomed, labs.run_doomed)
    labs.run_synthetic = where(starts, run.synthetic, labs.run_synthetic)
    based = starts & run.on_base
    labs.run_foreign = where(starts, based & market.base_foreign, labs.run_foreign)
    labs.run_inherits = where(starts, _inherited(market, run.on_base, p), labs.run_inherits)
    inherits_post = where(run.on_base, market.base_post, 0.0)
    labs.run_inherits_post = where(starts, inherits_post, labs.run_inherits_post)
    labs.run_base = where(starts, where(based, market.base_lab, MISSING), labs.run_base)
    labs.run_base_id = where(starts, where(based, market.base_id, MISSING), labs.run_base_id)
    labs.run_base_model = where(starts, where(based, market.base_model, MISSING), labs.run_base_model)


def trained_capability(labs: LabColumns, run: Run, market: LaunchSignals, p: Config) -> Array:
    """Pre-trained capability of a run, OOM by axis.

    C_eff,k = A n q C_k + tau C_eff,k(base), with n what leaner models spare (M23) and C_k limited by the unique
    data of the axis. A lab that lets a strong model write data gives a part of the run for more tokens (M02); what a
    foreign base lacks in Chinese is worked off by training on, as 1 - exp(-C_eff / (chi C_eff(base))) (M58, X08).

    Returns
    -------
    array (3, ..., worlds, labs)
        Options of runs, where there are any, stand behind the axes.
    """
    technology = p.technology
    ample = labs.data_quality * np.exp(labs.log_efficiency) * market.leaner
    kept = 1.0 - technology.synthetic_cost * run.synthetic
    useful = useful_flop(run.flop * kept, market.scaling_ceiling, technology)
    more = np.exp(market.synthetic_gain * run.synthetic)
    weak = (technology.foreign_language, technology.foreign_knowledge, 0.0)
    axes = []
    for axis in range(3):
        limited = data_limited_flop(useful, market.unique_tokens[axis] * more, technology.data_patience)
        base = np.exp(np.log(10.0) * run.inherits[axis])
        own = ample * limited / FLOP_UNIT
        worked_off = run.foreign * (1.0 - np.exp(-own / (technology.worked_off * base)))
        base = base * np.exp(np.log(10.0) * weak[axis] * worked_off)
        axes.append(np.log10(np.maximum(own + base, 1e-3)))
    return np.stack(np.broadcast_arrays(*axes))


def launch_worth(labs: LabColumns, run: Run, market: LaunchSignals, p: Config) -> PerAgent:
    """What a launch is worth, log10 of the effective compute delivered, OOM above 1e23 FLOP (M19).

    E = A n C + tau E(base), C = MFU x spending / price of a FLOP: performance is efficiency times cost (001), and
    efficiency is what engineers and algorithms make of a chip. A base brings what went into it, on the axis that
    had data enough.
    """
    useful = useful_flop(run.flop, market.scaling_ceiling, p.technology)
    own = np.exp(labs.log_efficiency) * market.leaner * useful / FLOP_UNIT
    return np.log10(np.maximum(own + np.exp(np.log(10.0) * max_k(run.inherits)), 1e-3))


def _inherited(market: LaunchSignals, on_base: PerAgent, p: Config) -> PerAxis:
    """Pre-trained capability that the best known base hands down, OOM."""
    return where(on_base, market.base_pretrained + np.log10(p.technology.inheritance), NO_MODEL)


def _expected_gain(labs: LabColumns, market: LaunchSignals, run: Launch, chance: Array, p: Config) -> Array:
    """Expected gain of launches of several sizes, OOM (mean of the axes), ``(options, worlds, labs)``.

    P (x - x_now) - (1 - P) F s / risk appetite: a failure costs the more, the more of the purse it took, s; a trial is
    forgiven (001).
    """
    now = mean_k(labs.pretrained + labs.post)
    post = mean_k(np.maximum(labs.post, where(run.on_base, market.base_post, 0.0)))
    inherits = _inherited(market, run.on_base, p)
    whole = Run(run.flop, inherits, run.on_base & market.base_foreign, run.synthetic)
    reached = trained_capability(labs, whole, market, p)
    gain = chance * (mean_k(reached) + post - now)
    at_stake = np.minimum(run.flop * market.flop_cost / np.maximum(_purse(labs, market, p), 1e-9), 1.0)
    return gain - (1.0 - chance) * p.training.failure_cost * at_stake / labs.risk_appetite


def _purse(labs: LabColumns, market: LaunchSignals, p: Config) -> PerAgent:
    """What one launch may cost, CNY million: a share of cash, and what the parent adds (001)."""
    return p.training.launch_purse * np.maximum(labs.cash, 0.0) + market.parent_launch
