"""Capital: hype, attention, deal flow along the graph, rounds, returns, parents.

A lab meets the investors that it knows and those that hold it, and, by its fame, strangers of its
own region; an app meets those of the lab that it builds on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.lab import CN, NOBODY, ROW, UNICORN
from world.arrays import Array, logistic, ratio, row_sum, sum_by_group, sum_k, take_rows
from world.ecosystem import neighbour_share
from world.population import Observables, View
from world.random_streams import normal

if TYPE_CHECKING:
    from world.state import World


#: Strange investors that may come to a lab in a month.
INBOUND = 12


def fund(world: World) -> None:
    """Phase 14: hype moves, parents pay, investors look, labs and apps raise, owners draw."""
    _hype(world)
    parents_pay(world)
    _attention(world)
    labs, apps = world.labs, world.apps
    labs.seek_funding(_needs(world))
    apps.seek_funding(Observables())
    raised = _match(world, labs, _lab_deals(world))
    labs.raised = raised
    labs.since_round = np.where(raised > 0.0, 0.0, labs.since_round + world.clock.months)
    labs.stage = labs.stage + (raised > 0.0)
    value = raised / world.parameters.capital.stake_sold
    labs.valuation = np.where(raised > 0.0, value, labs.valuation)
    world.log("round", raised > 0.0, raised)
    raised_apps = _match(world, apps, _app_deals(world))
    apps.raised = raised_apps
    apps.since_round = np.where(raised_apps > 0.0, 0.0, apps.since_round)
    home = np.where(labs.region == CN, raised, 0.0)
    world.state.funding_cn = row_sum(home) + row_sum(raised_apps)
    _refill(world)


def _hype(world: World) -> None:
    """dH: half-life of four months, jumps by event size x (1 - H)."""
    state, p = world.state, world.parameters.capital
    decay = np.exp(-np.log(2.0) * world.clock.months / p.hype_half_life)
    calm = state.hype * decay
    state.hype = np.clip(calm + state.hype_jump * (1.0 - calm), 0.0, 1.0)
    state.attention = state.attention + world.clock.fraction(p.attention_pace) * (
        np.minimum(state.hype * 1.5, 1.0) - state.attention
    )


def parents_pay(world: World) -> None:
    """Parents support their labs, and pay for the chips that they told them to buy."""
    labs, p = world.labs, world.parameters.capital
    # A parent pays in full while the purse holds less than a year's support, nothing beyond two.
    purse = labs.cash / np.maximum(labs.parent_support, 1e-9)
    support = np.where(labs.alive, labs.parent_support, 0.0) * world.clock.years * np.clip(2.0 - purse, 0.0, 1.0)
    labs.parent_support = labs.parent_support * np.exp(
        np.where(labs.region == CN, p.parent_growth_cn, p.parent_growth_row)
        * (labs.parent_support > p.rich_parent)
        * world.clock.years
    )
    grows = np.where(labs.region == CN, p.chip_growth_cn, p.chip_growth_row)
    labs.chip_budget = labs.chip_budget * np.exp(grows * world.clock.years)
    chips = np.where((labs.chip_budget > 0.0) & labs.alive, world.state.chip_bill, 0.0)
    world.accounts.pay("parents", "outside", (labs, support + chips))


def _attention(world: World) -> None:
    investors, p = world.investors, world.parameters.capital
    recent = investors.since_deal < p.recent_months
    investors.pay_attention(
        Observables(
            hype=world.state.hype,
            neighbours_investing=neighbour_share(recent, world.ties.investor_investor, investors.alive),
            adjust=world.clock.fraction(p.investor_pace),
            elapsed=world.clock.year(world.step_number),
            years=world.clock.years,
        )
    )
    investors.since_deal = investors.since_deal + world.clock.months


def _needs(world: World) -> Observables:
    """Size of the round that fits each lab: seed, growth or leader, log-normal (PRIORS)."""
    labs, p, state = world.labs, world.parameters.capital, world.state
    near = sum_k(labs.served) / 3.0 - state.frontier_cn
    leader = (near > -p.leader_gap) & (labs.archetype == UNICORN) & labs.released
    grown = (near > -p.growth_gap) & labs.released | (labs.archetype <= UNICORN)
    median = np.where(leader, p.leader_round, np.where(grown, p.growth_round, p.seed_round))
    sigma = np.where(leader, p.leader_sigma, np.where(grown, p.growth_sigma, p.seed_sigma))
    z = normal(labs.draws("round_size"), labs.draws("noise"))
    size = median * np.exp(sigma * z) * (p.size_calm + p.size_hype * state.hype)
    return Observables(hype=state.hype, round_size=size)


def _lab_deals(world: World) -> tuple[Array, Array, Array]:
    """Candidate investors and what they think of each asking lab.

    The signal is a noisy and gamed benchmark of the best trained model (M57), rank at home,
    growth, and hype; burn without news for more than six months is not borne (M24).
    """
    labs, state, p = world.labs, world.state, world.parameters.capital
    best = sum_k(labs.served) / 3.0
    noise = p.benchmark_noise * (labs.draws("noise") - 0.5)
    home = np.where(labs.region == CN, state.frontier_cn, state.frontier_all)
    shown = np.where(labs.released, np.clip(best - home, -2.0, 0.5), p.pedigree)
    signal = shown + noise + p.gaming * labs.product_share
    revenue = np.log1p(labs.service_revenue)
    stale = np.maximum(labs.since_news - p.burn_tolerance, 0.0)
    failed = (labs.runs_failed > 0) & (labs.since_failure < labs.since_round)
    # Attention turns rational: a model that has been out for long and that nobody uses is seen (M49).
    age = (world.step_number - labs.founded) * world.clock.months
    unused = labs.released & (age > p.unused_after) & (state.token_share < p.unused_share)
    penalty = p.stale_penalty * stale + p.failure_penalty * failed + p.unused_penalty * unused
    penalty = penalty - p.young_lab * (labs.releases == 0) * (labs.since_news < 9.0)
    asking = _asking_rows(labs)
    return np.stack([signal, revenue, penalty]), asking, _deal_flow(world, *asking)


def _deal_flow(world: World, worlds: Array, rows: Array) -> Array:
    """Investors that each asking lab meets: those it knows, and strangers drawn by its fame."""
    labs, investors = world.labs, world.investors
    p = labs.select(worlds, rows).view(world.parameters).capital
    known = world.ties.lab_investor[:, worlds, rows]
    holders = _not_met(labs.holder_row[:, worlds, rows], known)
    fame = p.inbound_fame * labs.awareness[worlds, rows]
    fame = fame + p.inbound * (labs.archetype[worlds, rows] == UNICORN)
    slots = np.arange(INBOUND).reshape(-1, 1)
    u = world.streams.pairs("inbound", worlds, labs.id[worlds, rows], slots)
    # Strangers come from the lab's own region; the table of funds is the same in all worlds.
    homes = [np.nonzero(investors.region[0] == region)[0] for region in (CN, ROW)]
    homes = [rows_of if len(rows_of) else np.array([NOBODY]) for rows_of in homes]
    here = labs.region[worlds, rows] == CN
    comes = world.streams.pairs("inbound comes", worlds, labs.id[worlds, rows], slots) < fame
    pick = [rows_of[(u * len(rows_of)).astype(np.int64)] for rows_of in homes]
    strangers = np.where(comes, np.where(here, pick[CN], pick[ROW]), NOBODY)
    strangers = _not_met(strangers, np.concatenate([known, holders]))
    return np.concatenate([known, holders, strangers])


def _not_met(rows: Array, met: Array) -> Array:
    """Those among ``rows`` (k, n) who are not met already, here or in ``met`` (m, n)."""
    kept = []
    for row in rows:
        seen = (met == row).any(0)
        kept.append(np.where(seen, NOBODY, row))
        met = np.concatenate([met, row[None]])
    return np.stack(kept)


def pay_holders(world: World, amount: Array) -> None:
    """What is paid for a lab goes to its holders by what they put in, the rest to its founders."""
    labs, investors, p = world.labs, world.investors, world.parameters.capital
    stake = np.where(labs.holder_row >= 0, labs.holder_stake, 0.0)
    share = p.holders_share * ratio(stake, sum_k(stake)[None])
    paid = amount * share
    returned = np.zeros_like(investors.cash)
    for rows, part in zip(labs.holder_row, paid, strict=True):
        returned = returned + sum_by_group(part, rows, investors.capacity)
    world.accounts.pay("returns", "outside", (investors, returned))
    investors.returned = investors.returned + returned


def _asking_rows(population) -> tuple[Array, Array]:
    return np.nonzero(population.alive & (population.asking > 0.0))


def _app_deals(world: World) -> tuple[Array, Array, Array]:
    """An app is introduced by the lab that it builds on; it is judged by users and growth."""
    apps, p = world.apps, world.parameters.capital
    growth = np.where(apps.users >= p.app_growing * apps.peak_users, p.app_growth, -p.app_decline)
    signal = growth - p.app_absorbed * apps.absorbed
    revenue = np.log1p(10.0 * apps.revenue)
    penalty = np.full_like(signal, p.app_penalty)
    base = np.maximum(apps.base_lab[0], 0)
    ties = np.stack(
        [np.where(apps.base_lab[0] >= 0, take_rows(tie, base), NOBODY) for tie in world.ties.lab_investor[:4]]
    )
    return np.stack([signal, revenue, penalty]), _asking_rows(apps), ties


def _match(world: World, population, deals) -> Array:
    """Each asking firm is appraised by the investors it knows; pledges are cut to what they have.

    Returns
    -------
    array (worlds, rows)
        Money raised, CNY million; paid over.
    """
    facts, (worlds, rows), ties = deals
    investors = world.investors
    raised = np.zeros_like(population.cash)
    if not len(rows):
        return raised
    who = ties if ties.ndim == 2 else ties[:, worlds, rows]
    known = (who >= 0) & investors.alive[worlds, np.maximum(who, 0)]
    who = np.maximum(who, 0)
    p = population.select(worlds, rows).view(world.parameters).capital
    appraisal = _appraise(world, p, facts[:, worlds, rows], worlds, who)
    home = CN if "region" not in population.columns else population.region[worlds, rows]
    appraisal = appraisal - p.home_bias * (investors.region[worlds, who] != home)
    ids = population.id[worlds, rows]
    domain = f"deal {population.agent_class.declared_domain()}"
    u = world.streams.pairs(domain, worlds, ids, investors.id[worlds, who])
    chance = world.clock.fraction(np.minimum(logistic(appraisal), 0.95))
    yes = known & (u < chance) & (investors.ready[worlds, who] > p.least_ticket)
    asked = population.asking[worlds, rows]
    pledged = np.where(yes, asked / np.maximum(sum_k(yes.astype(float)), 1.0), 0.0)
    paid = _cut_pledges(world, worlds, who, pledged)
    total = sum_k(paid)
    closes = total >= np.broadcast_to(p.least_close, (1, len(rows)))[0] * asked
    paid = np.where(closes, paid, 0.0)
    _pay_in(world, population, worlds, rows, who, paid)
    raised[worlds, rows] = np.where(closes, total, 0.0)
    return raised


def _appraise(world: World, p: View, facts: Array, worlds: Array, who: Array) -> Array:
    """Logit of a yes, by kind of investor: the young follow papers, the senior revenue (M51)."""
    investors = world.investors
    signal, revenue, penalty = facts
    look = {
        name: investors.columns[name][worlds, who]
        for name in ("weight_capability", "weight_revenue", "weight_hype", "attention")
    }
    hype = world.state.hype[worlds, 0]
    logit = p.appraisal + look["weight_capability"] * signal + look["weight_revenue"] * revenue
    logit = logit + look["weight_hype"] * (hype - 0.3) - penalty
    return logit + p.attention_weight * np.log(np.maximum(look["attention"], 0.01))


def _cut_pledges(world: World, worlds: Array, who: Array, pledged: Array) -> Array:
    """Scale every investor's pledges to the money it has ready."""
    investors = world.investors
    promised = np.zeros((world.worlds, investors.capacity))
    for layer, amount in zip(who, pledged, strict=True):
        np.add.at(promised, (worlds, layer), amount)
    scale = np.minimum(ratio(investors.ready, promised), 1.0)
    return pledged * scale[worlds, who]


def _pay_in(world: World, population, worlds: Array, rows: Array, who: Array, paid: Array) -> None:
    investors = world.investors
    spent = np.zeros((world.worlds, investors.capacity))
    income = np.zeros_like(population.cash)
    for layer, amount in zip(who, paid, strict=True):
        np.add.at(spent, (worlds, layer), amount)
    income[worlds, rows] = sum_k(paid)
    world.accounts.pay("rounds", (investors, spent), (population, income))
    investors.ready = np.maximum(investors.ready - spent, 0.0)
    investors.invested = investors.invested + spent
    investors.since_deal = np.where(spent > 0.0, 0.0, investors.since_deal)
    if "holder_row" not in population.columns:
        return
    for layer, amount in zip(who, paid, strict=True):
        _hold(population, investors, worlds, rows, layer, amount)


def _hold(labs, investors, worlds: Array, rows: Array, who: Array, amount: Array) -> None:
    """Enter a stake in the oldest slot of the lab's list of holders."""
    some = amount > 0.0
    worlds, rows, who, amount = worlds[some], rows[some], who[some], amount[some]
    for name, value in (
        ("holder_row", who),
        ("holder_id", investors.id[worlds, who]),
        ("holder_stake", amount),
    ):
        column = labs.columns[name]
        column[1:, worlds, rows] = column[:-1, worlds, rows]
        column[0, worlds, rows] = value


def _refill(world: World) -> None:
    """Limited partners commit new money as the old is spent; returns go back to them."""
    investors, p = world.investors, world.parameters.capital
    target = investors.annual_budget * p.fund_years
    call = np.maximum(target - investors.cash, 0.0) * world.clock.fraction(p.refill)
    call = np.where(investors.alive, call, 0.0)
    world.accounts.pay("capital calls", "outside", (investors, call))
