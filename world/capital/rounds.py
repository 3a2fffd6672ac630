"""Capital: rounds, returns to holders, capital calls.

Hype stands in :mod:`~baimo.world.capital.hype`, parents in :mod:`~baimo.world.capital.parents`, matches and
round sizes in :mod:`~baimo.world.capital.deal_flow`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import ACADEMIC, CN, FOLLOWER, STATE_FUND, UNICORN
from baimo.conf.declare import flow, history, stock
from baimo.world.capital import hype, parents
from baimo.world.capital.deal_flow import adds_nothing, app_deals, lab_deals, launch_cost, round_sizes
from baimo.world.capital.expectations import expect
from baimo.world.engine.arrays import Array, add_at, logistic, ratio, row_sum, sum_by_group, sum_k, sum_where, where
from baimo.world.engine.population import View
from baimo.world.engine.state import State
from baimo.world.network.ties import points_at
from baimo.world.technology.lineage import pay_authors

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class FundingState(State):
    """Money raised in CN."""

    funding_cn = flow("CNY million", text="Money raised in a step")
    funding_labs_cn = flow("CNY million", text="The part of it that labs raised")
    funding_history = history("CNY million", text="Money raised in each step")
    funding_12 = stock("CNY million", first="capital.funding_before", text="Money raised in twelve months")


def fund(world: World) -> None:
    """Phase 14: hype moves, parents pay, investors look, limited partners pay in, authors are paid."""
    labs = world.labs
    hype.move(world)
    expect(world)
    parents.announce(world)
    parents.support_labs(world)
    hype.attend(world, guide(world))
    pay_authors(world)
    labs.raised, world.apps.raised = np.zeros_like(labs.raised), np.zeros_like(world.apps.raised)
    labs.since_round = labs.since_round + world.clock.months
    _refill(world)
    world.state.funding_cn = first_purses(world)
    world.state.funding_labs_cn = world.state.funding_cn


def raise_rounds(world: World) -> None:
    """Phase 14, once a month: firms ask, committees meet, rounds close or fail.

    Monthly whatever the step: with weekly sessions fewer investors would accept at once, and
    small pledges would not add up to a round.
    """
    labs, apps = world.labs, world.apps
    labs.seek_funding(round_sizes(world))
    apps.seek_funding()
    raised = _match(world, labs, lab_deals(world))
    labs.raised = raised
    labs.since_round = where(raised > 0.0, 0.0, labs.since_round)
    labs.stage = labs.stage + (raised > 0.0)
    value = raised / world.parameters.capital.stake_sold
    labs.valuation = where(raised > 0.0, value, labs.valuation)
    world.log("round", labs, raised > 0.0, raised)
    world.count("rounds", labs, raised > 0.0)
    world.count("rounds_adding_nothing", labs, (raised > 0.0) & adds_nothing(world))
    world.count("rounds_below_launch", labs, (raised > 0.0) & (raised < launch_cost(world)))
    raised_apps = _match(world, apps, app_deals(world))
    apps.raised = raised_apps
    apps.since_round = where(raised_apps > 0.0, 0.0, apps.since_round)
    home = sum_where(labs.region == CN, raised)
    world.state.funding_labs_cn = world.state.funding_labs_cn + home
    world.state.funding_cn = world.state.funding_cn + home + row_sum(raised_apps)


def add_up_funding(world: World) -> None:
    """Phase 18: funding of the last twelve months; before the first step it came at a known pace."""
    state = world.state
    state.funding_history.append(state.funding_cn)
    window = max(round(12 / world.clock.months), 1)
    recent = state.funding_history[-window:]
    missing = (window - len(recent)) / window
    state.funding_12 = sum(recent) + missing * world.parameters.capital.funding_before


def first_purses(world: World) -> Array:
    """First rounds of venture labs of CN founded since the last step."""
    labs = world.labs
    new = (labs.founded == world.step_number) & (labs.founded > 0) & labs.alive & (labs.region == CN)
    venture = (labs.archetype == UNICORN) | (labs.archetype == ACADEMIC) | (labs.archetype == FOLLOWER)
    return sum_where(new & venture, labs.first_purse)


def pay_holders(world: World, amount: Array) -> None:
    """Distribute a payment for a lab to its holders by their stakes, the rest to its founders."""
    labs, investors, vendors, capital = world.labs, world.investors, world.vendors, world.parameters.capital
    stake = where(points_at(labs.holder_row, labs.holder_id, investors), labs.holder_stake, 0.0)
    # A cloud that gave compute for equity holds like any other.
    host_stake = where(points_at(labs.host, labs.host_id, vendors), labs.host_stake, 0.0)
    total = sum_k(stake) + host_stake
    hosts = amount * capital.holders_share * ratio(host_stake, total)
    world.accounts.pay("returns", "outside", (vendors, sum_by_group(hosts, labs.host, vendors.capacity)))
    share = capital.holders_share * ratio(stake, total[None])
    paid = amount * share
    returned = np.zeros_like(investors.cash)
    for rows, part in zip(labs.holder_row, paid, strict=True):
        returned = returned + sum_by_group(part, rows, investors.capacity)
    world.accounts.pay("returns", "outside", (investors, returned))
    investors.returned = investors.returned + returned


def _match(world: World, population, deals) -> Array:
    """Match asking firms with investors, whose pledges are scaled to their money.

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
    capital = population.select(worlds, rows).view(world.parameters).capital
    appraisal = _appraise(world, capital, facts[:, worlds, rows], worlds, who)
    home = CN if "region" not in population.columns else population.region[worlds, rows]
    appraisal = appraisal - capital.home_bias * (investors.region[worlds, who] != home)
    ids = population.id[worlds, rows]
    domain = f"deal {population.agent_class.domain}"
    u = world.streams.pairs(domain, worlds, ids, investors.id[worlds, who])
    chance = logistic(appraisal)
    yes = known & (u < chance) & (investors.ready[worlds, who] > capital.least_ticket)
    asked = population.asking[worlds, rows]
    pledged = where(yes, asked / np.maximum(sum_k(yes.astype(float)), 1.0), 0.0)
    paid = _cut_pledges(world, worlds, who, pledged)
    total = sum_k(paid)
    closes = total >= (capital.least_close * asked[None])[0]
    paid = where(closes, paid, 0.0)
    _pay_in(world, population, (worlds, rows), who, paid)
    raised[worlds, rows] = where(closes, total, 0.0)
    return raised


def _appraise(world: World, capital: View, facts: Array, worlds: Array, who: Array) -> Array:
    """Logit of a yes by kind of investor: young ones weight capability, senior ones revenue (M51).

    a + w_x x + w_r ln((1 + r)/(1 + r0)) + w_H (H - H0) + ln A - penalty, r what customers pay and r0 what is asked for.
    """
    investors = world.investors
    signal, revenue, penalty = facts
    look = {
        name: investors.columns[name][worlds, who]
        for name in ("weight_capability", "weight_revenue", "weight_hype", "attention")
    }
    hype = world.state.hype[worlds, 0]
    logit = capital.appraisal + look["weight_capability"] * signal
    logit = logit + look["weight_revenue"] * (revenue - np.log1p(capital.revenue_asked))
    logit = logit + look["weight_hype"] * (hype - capital.neutral_hype) - penalty
    return logit + capital.attention_weight * np.log(np.maximum(look["attention"], capital.least_attention))


def _cut_pledges(world: World, worlds: Array, who: Array, pledged: Array) -> Array:
    """Scale every investor's pledges to the money it has ready."""
    investors = world.investors
    promised = np.zeros_like(investors.cash)
    for layer, amount in zip(who, pledged, strict=True):
        add_at(promised, (worlds, layer), amount)
    scale = np.minimum(ratio(investors.ready, promised), 1.0)
    return pledged * scale[worlds, who]


def _pay_in(world: World, population, places: tuple[Array, Array], who: Array, paid: Array) -> None:
    investors, (worlds, rows) = world.investors, places
    spent = np.zeros_like(investors.cash)
    income = np.zeros_like(population.cash)
    for layer, amount in zip(who, paid, strict=True):
        add_at(spent, (worlds, layer), amount)
    income[worlds, rows] = sum_k(paid)
    world.accounts.pay("rounds", (investors, spent), (population, income))
    investors.ready = np.maximum(investors.ready - spent, 0.0)
    investors.invested = investors.invested + spent
    investors.since_deal = where(spent > 0.0, 0.0, investors.since_deal)
    if "holder_row" not in population.columns:
        return
    (closed,) = np.nonzero(sum_k(paid) > 0.0)
    worlds, rows, who, paid = worlds[closed], rows[closed], who[:, closed], paid[:, closed]
    _hold(population, worlds, rows, paid, holder_row=who, holder_id=investors.id[worlds, who], holder_stake=paid)


def _hold(labs, worlds: Array, rows: Array, paid: Array, **stakes: Array) -> None:
    """Enter stakes ``(k, n)`` on top of the labs' lists of holders, from which the oldest fall."""
    held = {name: labs.columns[name][:, worlds, rows] for name in stakes}
    places = len(next(iter(held.values())))
    # The last comes first; who has paid nothing goes behind all others.
    idle = np.concatenate([paid[::-1] <= 0.0, np.zeros_like(paid[:1], dtype=bool).repeat(places, axis=0)])
    order = np.argsort(idle, axis=0, kind="stable")[:places]
    for name, entries in stakes.items():
        all_of_them = np.concatenate([entries[::-1], held[name]])
        labs.columns[name][:, worlds, rows] = np.take_along_axis(all_of_them, order, 0)


def _refill(world: World) -> None:
    """Call capital from limited partners as funds are spent."""
    investors, capital = world.investors, world.parameters.capital
    target = investors.annual_budget * capital.fund_years
    call = np.maximum(target - investors.cash, 0.0) * world.clock.fraction(capital.refill)
    call = where(investors.alive, call, 0.0)
    world.accounts.pay("capital calls", "outside", (investors, call))


def guide(world: World) -> Array:
    """Public money paid to the state funds of CN (policy.capital.guidance_fund), CNY million a year each."""
    investors = world.investors
    state_funds = (investors.alive & (investors.kind == STATE_FUND) & (investors.region == CN)).astype(float)
    yearly = world.policy.capital.guidance_fund * ratio(state_funds, row_sum(state_funds))
    world.accounts.pay("guidance fund", "government", (investors, yearly * world.clock.years))
    return yearly
