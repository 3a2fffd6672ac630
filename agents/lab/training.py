"""Training runs: which a lab can afford, which it starts, whether it works out, what it teaches."""

from __future__ import annotations

import numpy as np

from baimo.agents.base import decision
from baimo.agents.enums import APP_COMPANY, FROM_SCRATCH, LEAST_RUN, NO_MODEL, NOBODY, RUN_MONTHS
from baimo.agents.lab.columns import LabColumns
from baimo.world.engine.arrays import argmax_k, logistic, max_k, pick_k, sum_k, where
from baimo.world.laws.scaling import FLOP_UNIT, data_limited_flop, useful_flop


class LabTraining(LabColumns):
    """Decisions of a lab about its training runs."""

    @decision
    def size_up_launch(labs, market, p):
        """See which run the lab could afford at the most, against which it measures the frontier's (M03)."""
        _, sizes, _ = run_options(labs, market, p.training)
        labs.affordable = where(labs.alive, np.log10(max_k(sizes)), labs.affordable)

    @decision
    def plan_run(labs, market, p):
        """Weigh lengths of a run, with and without synthetic data, and start the best.

        A launch is worth its expected gain in capability: the chance of success falls with
        the leap beyond the largest run done (001: a rocket launch), the gain grows with the
        logarithm of compute. There is one launch per purse.
        """
        rules = p.training
        months, sizes, ready = run_options(labs, market, rules)
        build = (labs.mode != FROM_SCRATCH) & (market.base_pretrained[0] > NO_MODEL + 0.5)
        chance = success(labs, np.log10(sizes), build, rules)
        plain, written = (_expected_gain(labs, market, sizes, build, each, chance, p) for each in (False, True))
        net = np.maximum(plain, written) - rules.impatience * months
        best = argmax_k(net)
        chosen, value = pick_k(sizes, best), pick_k(net, best)
        writes = pick_k(written > plain, best)
        # No second launch without a new round, unless a parent stands behind it (001).
        barred = worn_out(labs, rules) & ~(market.parent_launch > 0.0)
        launch(labs, market, p, ready & (value > rules.least_gain) & ~barred, chosen, build, writes)

    @decision
    def choose_path(labs, market, p):
        """Duplicate the known recipe, or explore: by appetite for risk and the tolerance of failure (M50)."""
        rules = p.exploration
        able = labs.alive & (labs.mode == FROM_SCRATCH)
        thinks = able & ((labs.draws("path") < market.chance) | (labs.founded == market.step))
        bold = rules.propensity * labs.risk_appetite * market.tolerance
        labs.explores = where(thinks, labs.draws("path_choice") < bold, labs.explores & able)


def run_options(labs, market, rules):
    """Lengths of a run, months, the compute of each, FLOP, and who may start one at all."""
    months = labs.xp.asarray(RUN_MONTHS).reshape(-1, 1, 1)
    flop = np.maximum(market.training_speed * months, 1.0)
    # One launch per purse: what must be rented and paid may not exceed a share of cash.
    purse = rules.launch_purse * np.maximum(labs.cash, 0.0) + market.parent_launch
    flop = np.minimum(flop, purse / np.maximum(market.flop_cost, 1e-30))
    # A run beyond the end of scaling is worth no more, and nobody endures one that is too long.
    too_long = months > np.maximum(rules.longest_run, RUN_MONTHS[0])
    flop = where(too_long, 0.0, np.minimum(flop, market.scaling_ceiling))
    ready = labs.alive & ~labs.running & ~labs.trained & (labs.mode != APP_COMPANY)
    return months, np.maximum(flop, LEAST_RUN), ready


def success(labs, log_flop, build, rules):
    """Chance that a run works out (M19).

    P = 1 - risk (1 - P0), logit P0 = 2.2 + 0.8 z_infra + 0.3 ln(1 + runs) - 1.8 log10(C / largest
    done): 0.90, 0.75 and 0.60 for one, four and ten times the largest run. Going on from a base
    is a smaller leap.
    """
    leap = np.maximum(log_flop - labs.log_largest, 0.0) * where(build, rules.base_leap, 1.0)
    logit = rules.success_base + rules.success_infra * labs.skill + where(build, rules.base_easier, 0.0)
    logit = logit + rules.success_runs * np.log1p(labs.runs_done) - rules.success_leap * leap
    return 1.0 - rules.failure_risk * logistic(-logit)


def worn_out(labs, rules):
    """Whether a failed run has used up the money and the trust that the last round gave (M19)."""
    return (labs.since_failure < rules.failure_memory) & (labs.since_round > labs.since_failure)


def launch(labs, market, p, starts, flop, build, writes):
    """Start runs of ``flop``: on the best known base where ``build``, with written data where ``writes``."""
    doomed = labs.draws("run_success") > success(labs, np.log10(flop), build, p.training)
    labs.running = labs.running | starts
    labs.run_planned = where(starts, flop, labs.run_planned)
    labs.run_delivered = where(starts, 0.0, labs.run_delivered)
    labs.run_age = where(starts, 0.0, labs.run_age)
    labs.run_cost = where(starts, 0.0, labs.run_cost)
    labs.run_doomed = where(starts, doomed, labs.run_doomed)
    labs.run_synthetic = where(starts, writes, labs.run_synthetic)
    based = starts & build
    labs.run_foreign = where(starts, based & market.base_foreign, labs.run_foreign)
    inherits = market.base_pretrained + np.log10(p.technology.inheritance)
    labs.run_inherits = where(starts, where(build, inherits, NO_MODEL), labs.run_inherits)
    inherits = where(build, market.base_post, 0.0)
    labs.run_inherits_post = where(starts, inherits, labs.run_inherits_post)
    labs.run_base = where(starts, where(based, market.base_lab, NOBODY), labs.run_base)
    labs.run_base_id = where(starts, where(based, market.base_id, NOBODY), labs.run_base_id)
    labs.run_base_model = where(starts, where(based, market.base_model, NOBODY), labs.run_base_model)


def trained_capability(labs, flop, inherits, foreign, synthetic, market, tech):
    """Pre-trained capability by axis of a run of ``flop`` on an inherited base.

    C_eff,k = A q C_k + tau C_eff,k(base), with C_k limited by the unique data of the axis. Who
    lets a strong model write data gives a part of the run for more tokens (M02); what a foreign
    base lacks in Chinese is worked off by going on training, as 1 - exp(-C / worked) (M58).
    """
    ample = labs.data_quality * np.exp(labs.log_efficiency)
    useful = useful_flop(flop * (1.0 - tech.synthetic_cost * synthetic), market.scaling_ceiling, tech)
    more = np.exp(market.synthetic_gain * synthetic)
    worked_off = foreign * (1.0 - np.exp(-flop / tech.foreign_worked_off))
    weak = (tech.foreign_language, tech.foreign_knowledge, 0.0)
    axes = []
    for axis in range(3):
        limited = data_limited_flop(useful, market.unique_tokens[axis] * more, tech.data_patience)
        base = np.exp(np.log(10.0) * (inherits[axis] + weak[axis] * worked_off))
        axes.append(np.log10(np.maximum(ample * limited / FLOP_UNIT + base, 1e-3)))
    return np.stack(np.broadcast_arrays(*axes))


def _expected_gain(labs, market, flop, build, synthetic, chance, p):
    """Expected gain in OOM (mean of the axes) of runs of several sizes, (options, ...)."""
    inherits = where(build, market.base_pretrained + np.log10(p.technology.inheritance), NO_MODEL)
    now = sum_k(labs.pretrained + labs.post) / 3.0
    post = sum_k(np.maximum(labs.post, where(build, market.base_post, 0.0))) / 3.0
    foreign = build & market.base_foreign
    reached = trained_capability(labs, flop, inherits, foreign, synthetic, market, p.technology)
    gain = chance * (sum_k(reached) / 3.0 + post - now)
    return gain - (1.0 - chance) * p.training.failure_cost / labs.risk_appetite
