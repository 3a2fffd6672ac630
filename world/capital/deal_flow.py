"""Deal flow: round sizes, signals to investors, and matches of firms with investors.

A lab meets the investors that it knows and those that hold it, and, by its fame, strangers of its
own region; an app meets those of the lab that it builds on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CN, MISSING, ROW, STATE_FUND, UNICORN
from baimo.agents.lab.money import FundingSignals
from baimo.agents.lab.training import burn_doubt
from baimo.world.capital.expectations import chances, leaders_rents
from baimo.world.engine.arrays import (
    Array,
    by_region,
    clip,
    count_where,
    mean_k,
    nonzero,
    ratio,
    row_sum,
    take_rows,
    where,
)
from baimo.world.engine.random import normal
from baimo.world.technology.lineage import hides_its_base

if TYPE_CHECKING:
    from baimo.world.engine.world import World


# ---------------------------------------------------------------------- size of rounds


def round_sizes(world: World) -> FundingSignals:
    """Size of the round that investors give each lab: a stake in what they value it at (X04).

    value = multiple P R m + a V, by the noisy standing that benchmarks show (M57), log-normal around it; V is what past
    training is still worth (M36).
    ``round_covers_launch`` raises every round to the cost of a launch at the frontier (M20).
    """
    labs, capital = world.labs, world.parameters.capital
    shown = where(labs.released, labs.standing + misread(world), labs.standing)
    value = capital.multiple * chances(world, shown) * by_region(leaders_rents(world), labs.region)
    value = value + capital.sunk_weight * labs.sunk_value
    z = normal(labs.draws("round_size"), labs.draws("round_luck"))
    size = capital.stake_sold * value * np.exp(capital.round_sigma * z)
    least = capital.round_covers_launch * launch_cost(world)
    return FundingSignals(hype=world.state.hype, round_size=np.maximum(size, least))


def launch_cost(world: World) -> Array:
    """CNY million that a launch as large as the world's largest costs to rent in CN, ``(worlds, 1)``.

    What is weaker than the frontier's finds no users (001): a round is measured against a launch there.
    """
    capital = world.parameters.capital
    hours = np.maximum(world.state.largest_run[CN], world.state.largest_run[ROW]) / (
        capital.launch_flop_a_second * 3600.0
    )
    return hours * world.state.rent_training[CN] / 1e6


def benchmark_fit(world: World) -> Array:
    """Correlation over the labs of CN of what benchmarks of each axis show with what models can do (M57)."""
    labs = world.labs
    out = labs.alive & labs.released & (labs.region == CN)
    return np.stack([_correlation(x, x + e, out) for x, e in zip(labs.served, misread_axes(world), strict=True)])


def adds_nothing(world: World) -> Array:
    """Labs whose released model on others' weights is no better than the best open model."""
    labs = world.labs
    return labs.alive & labs.released & (labs.base_id >= 0) & (mean_k(labs.served) <= world.state.frontier_open)


def _correlation(one: Array, other: Array, among: Array) -> Array:
    """Correlation over some rows of each world; NaN where there is nothing to compare."""
    number = np.maximum(count_where(among), 1.0)
    one = where(among, one - row_sum(where(among, one, 0.0)) / number, 0.0)
    other = where(among, other - row_sum(where(among, other, 0.0)) / number, 0.0)
    spread = np.sqrt(row_sum(one * one) * row_sum(other * other))
    return where(spread > 1e-12, ratio(row_sum(one * other), spread), np.nan)


# ---------------------------------------------------------------------- what investors see


def lab_deals(world: World) -> tuple[Array, Array, Array]:
    """Appraisal of each asking lab, the mask of those who ask, and their matches."""
    asking = asking_rows(world.labs)
    rents = world.parameters.capital.rents_weight * np.log1p(world.state.expected_rents / 12.0)
    facts = np.stack([_signal(world), np.log1p(world.labs.service_revenue), _penalty(world) - rents])
    return facts, asking, _deal_flow(world, *asking)


def _signal(world: World) -> Array:
    """A noisy and gamed benchmark of the best model, OOM from the frontier at home (M57).

    Product staff bias it upwards. A lead at home counts less than one abroad (M64).
    """
    labs, state, capital = world.labs, world.state, world.parameters.capital
    home = where(labs.region == CN, state.frontier_cn, state.frontier_all)
    gap = mean_k(labs.served) + misread(world) - home
    shown = where(labs.released, clip(gap, -capital.signal_least, capital.signal_most), capital.pedigree)
    return shown - capital.domestic_doubt * capital.explorer_doubt * (labs.explores & (labs.region == CN))


def misread(world: World) -> Array:
    """Error of the mean of the benchmarks of all axes, OOM."""
    return mean_k(misread_axes(world))


def misread_axes(world: World) -> Array:
    """Error of the benchmarks of each axis, OOM: s_k z_k + g_k (q - q0), ``(3, worlds, labs)`` (M57).

    Noise s, as each axis has other and other many tests, and gaming g by the share q of product work: what is asked
    from books is learned by heart, what must be reasoned out is not (004).
    """
    labs, capital = world.labs, world.parameters.capital
    spreads = capital.noise_language, capital.noise_knowledge, capital.noise_reasoning
    games = capital.gaming_language, capital.gaming_knowledge, capital.gaming_reasoning
    errors = []
    for spread, game, end in zip(spreads, games, ("", "_knowledge", "_reasoning"), strict=True):
        noise = normal(labs.draws(f"noise{end}"), labs.draws(f"lender{end}"))
        errors.append(spread * noise + game * (labs.product_share - capital.usual_product))
    return np.stack(errors)


def _penalty(world: World) -> Array:
    """Reduction of the logit of a yes: a burn without news (M24), a failed run, no use, no own model.

    Investors penalise a model that stays unused and a firm that adds nothing to open weights (M36),
    unless it hides its base (M60).
    """
    labs, state, capital = world.labs, world.state, world.parameters.capital
    failed = (labs.runs_failed > 0) & (labs.since_failure < labs.since_round)
    age = (world.step_number - labs.founded) * world.clock.months
    unused = labs.released & (age > capital.unused_after) & (state.token_share < capital.unused_share)
    own = mean_k(labs.served) + misread(world)
    spare = clip((state.frontier_open - own) / capital.commodity_width + 1.0, 0.0, 1.0)
    commodity = spare * (labs.released & (labs.base_id >= 0) & ~hides_its_base(labs))
    exposed = labs.since_exposed < capital.exposed_memory
    penalty = burn_doubt(labs.burnt, world.parameters) + capital.failure_penalty * failed
    penalty = penalty + capital.unused_penalty * unused
    penalty = penalty + capital.commodity_penalty * commodity + capital.exposed_penalty * exposed
    return penalty - capital.young_lab * ((labs.releases == 0) & (labs.since_news < capital.young_months))


def app_deals(world: World) -> tuple[Array, Array, Array]:
    """Appraisal of asking apps by users and growth, and matches through the lab they build on."""
    apps, capital = world.apps, world.parameters.capital
    growth = where(apps.users >= capital.app_growing * apps.peak_users, capital.app_growth_credit, -capital.app_decline)
    signal = growth - capital.app_absorbed * apps.absorbed
    revenue = np.log1p(capital.app_revenue_scale * apps.revenue)
    penalty = np.full_like(signal, 1.0) * capital.app_penalty
    base = np.maximum(apps.base_lab[0], 0)
    ties = np.stack(
        [where(apps.base_lab[0] >= 0, take_rows(tie, base), MISSING) for tie in world.ties.lab_investor[:4]]
    )
    return np.stack([signal, revenue, penalty]), asking_rows(apps), ties


def asking_rows(population) -> tuple[Array, Array]:
    """Worlds and rows of those who ask for money."""
    return nonzero(population.alive & (population.asking > 0.0))


# ---------------------------------------------------------------------- whom a lab meets


def _deal_flow(world: World, worlds: Array, rows: Array) -> Array:
    """Investors that each asking lab meets: acquaintances, and strangers drawn by its awareness."""
    labs, investors = world.labs, world.investors
    capital = labs.select(worlds, rows).view(world.parameters).capital
    known = world.ties.lab_investor[:, worlds, rows]
    holders = _not_met(labs.holder_row[:, worlds, rows], known)
    fame = capital.inbound_fame * labs.awareness[worlds, rows]
    fame = fame + capital.inbound * (labs.archetype[worlds, rows] == UNICORN)
    slots = labs.xp.arange(int(world.config.capital.inbound_most)).reshape(-1, 1)
    u = world.streams.pairs("inbound", worlds, labs.id[worlds, rows], slots)
    here = labs.region[worlds, rows] == CN
    comes = world.streams.pairs("inbound comes", worlds, labs.id[worlds, rows], slots) < fame
    # Strangers come from the lab's own region, those with much to invest oftener.
    cn, row = (_drawn(investors, investors.region[0] == region, u) for region in (CN, ROW))
    strangers = where(comes, where(here, cn, row), MISSING)
    strangers = _not_met(strangers, np.concatenate([known, holders]))
    met = np.concatenate([known, holders, strangers])
    return np.concatenate([met, _guided(world, worlds, rows, met, here)])


def _drawn(investors, mask: Array, u: Array) -> Array:
    """Rows of the investors in a mask, drawn by their yearly budget; the table of funds is common to all worlds."""
    ladder = np.cumsum(where(mask, investors.annual_budget[0], 0.0))
    return where(ladder[-1] > 0.0, np.searchsorted(ladder, u * ladder[-1]), MISSING)


def _guided(world: World, worlds: Array, rows: Array, met: Array, here: Array) -> Array:
    """Draw a state fund with guidance money for each asking lab of CN."""
    investors = world.investors
    state_funds = (investors.kind[0] == STATE_FUND) & (investors.region[0] == CN)
    u = world.streams.pairs("guided", worlds, world.labs.id[worlds, rows], world.xp.zeros((1, 1), dtype=np.int64))
    fund = world.policy.capital.guidance_fund
    guides = np.broadcast_to(world.xp.asarray(fund > 0.0), (world.worlds, 1))[worlds, 0]
    return _not_met(where(guides & here, _drawn(investors, state_funds, u), MISSING), met)


def _not_met(rows: Array, met: Array) -> Array:
    """``rows`` (k, n), with ``MISSING`` for those met before, here or in ``met`` (m, n)."""
    kept = []
    for row in rows:
        seen = (met == row).any(0)
        kept.append(where(seen, MISSING, row))
        met = np.concatenate([met, row[None]])
    return np.stack(kept)
