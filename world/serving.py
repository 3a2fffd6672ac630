"""Serving, usage and revenue: what is sold is served, billed and paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.lab import ALL_OPEN, APPLICATION, BIG_TECH, FRONTIER
from world.arrays import Array, ratio, row_sum, sum_by_group, sum_k, take_rows
from world.ecosystem import points_at
from world.rental_market import fleet_serving, serving_need_total

if TYPE_CHECKING:
    from world.state import World

DAYS_A_MONTH = 365.25 / 12.0


def serve(world: World) -> None:
    """Phase 10: capacity limits what is served; users, apps and hosts pay."""
    labs, state = world.labs, world.state
    labs.tokens_api = app_tokens(world)
    labs.tokens_flagship = labs.tokens_flagship + labs.tokens_api
    _limit(world)
    revenue = _sales(world) + _subscriptions(world) + _projects(world)
    labs.service_revenue = revenue / world.clock.months
    labs.earned = labs.earned + revenue
    total = labs.tokens_flagship + labs.tokens_light
    here = labs.region == 0
    cn = np.where(here, total, 0.0)
    state.token_share = np.where(here, ratio(cn, row_sum(cn)), ratio(total - cn, row_sum(total - cn)))
    _reputation(world)
    _awareness(world)
    _running_costs(world)


def _app_traffic(world: World) -> list[tuple[Array, Array]]:
    """Where the tokens of apps come from: lab rows (-1 for none) and tokens, by base."""
    apps, labs = world.apps, world.labs
    valid = [points_at(rows, ids, labs) & apps.alive for rows, ids in zip(apps.base_lab, apps.base_id, strict=True)]
    split = np.where(valid[1], world.parameters.app_market.second_base, 0.0)
    shares = (1.0 - split, split)
    return [(np.where(v, rows, -1), apps.tokens * s) for v, rows, s in zip(valid, apps.base_lab, shares, strict=True)]


def app_tokens(world: World) -> Array:
    """Tokens that apps draw from each lab's API, Mtok a day."""
    labs = world.labs
    return sum_k([sum_by_group(tokens, rows, labs.capacity) for rows, tokens in _app_traffic(world)])


def _limit(world: World) -> None:
    """Demand beyond the serving capacity spills over to nobody's benefit."""
    labs, state = world.labs, world.state
    need = serving_need_total(world)
    have = fleet_serving(world) * labs.serving_share + labs.rented_serving
    first_month = (labs.releases <= 1.0) & (labs.since_news <= 1.0)
    slack = 1.0 + world.parameters.serving.burst
    fill = np.where(need > 0.0, np.minimum(ratio(have * slack, need), 1.0), 1.0)
    labs.capacity_share = np.where(first_month, np.maximum(fill, world.parameters.serving.first_month), fill)
    state.serving_need = need
    for name in ("tokens_flagship", "tokens_light", "tokens_api"):
        labs.columns[name] = labs.columns[name] * labs.capacity_share


def _sales(world: World) -> Array:
    """API revenue: users at the realised share of the list price, apps at list (M22: no lock)."""
    labs, state, p = world.labs, world.state, world.parameters.model_market
    days = DAYS_A_MONTH * world.clock.months
    realised = np.where(labs.openness == ALL_OPEN, p.realised_open, p.realised_price)
    list_value = state.paid_flagship * labs.price_flagship + state.paid_light * labs.price_light
    direct = list_value * realised * labs.capacity_share * days / 1e6
    world.accounts.pay("model sales", "users", (labs, direct))
    return direct + _app_bills(world, days)


def _app_bills(world: World, days: float) -> Array:
    """Apps pay for the tokens that they draw."""
    apps, labs = world.apps, world.labs
    bill, income = np.zeros_like(apps.cash), np.zeros_like(labs.cash)
    for rows, tokens in _app_traffic(world):
        price = take_rows(labs.price_flagship * labs.capacity_share, rows)
        part = np.where(rows >= 0, tokens * price * days / 1e6, 0.0)
        bill = bill + part
        income = income + sum_by_group(part, rows, labs.capacity)
    apps.api_cost = bill
    world.accounts.pay("api", (apps, bill), (labs, income))
    return income


def _subscriptions(world: World) -> Array:
    """Free services earn from the few who subscribe."""
    labs, state, table = world.labs, world.state, world.segments
    p = world.parameters.model_market
    per_user = table.column("arpu") * table.column("free") * world.clock.months
    growing = 1.0 - np.exp(-world.clock.year(world.step_number) / p.subscription_years)
    income = sum_k(labs.users * state.direct_share * per_user) * growing * labs.capacity_share
    world.accounts.pay("subscriptions", "users", (labs, income))
    return income


def _projects(world: World) -> Array:
    """Enterprise projects: private deployment and tuning for those whose data may not leave."""
    labs, table, p = world.labs, world.segments, world.parameters.model_market
    weight = table.column("privacy") * p.project_value * world.clock.months
    income = sum_k(labs.users * weight)
    world.accounts.pay("projects", "users", (labs, income))
    return income


def _reputation(world: World) -> None:
    """Reputation grows with use, slowly, and fades (M31)."""
    labs, p = world.labs, world.parameters.model_market
    fade = np.exp(-world.clock.months / p.reputation_memory)
    earned = p.reputation_gain * np.log1p(100.0 * world.state.token_share)
    labs.reputation = np.where(labs.alive, labs.reputation * fade + earned * (1.0 - fade), 0.0)


def _awareness(world: World) -> None:
    """Users think of a lab through its channels, its product people, its news, and each other."""
    labs, p = world.labs, world.parameters.model_market
    own_channel = (labs.archetype == BIG_TECH) | (labs.archetype == FRONTIER)
    people = labs.staff[APPLICATION] * labs.product_share
    news = np.exp(-labs.since_news / p.news_months) * labs.released
    reach = p.channel * own_channel + people / p.awareness_people + p.awareness_news * news
    reach = reach + p.word_of_mouth * world.state.token_share
    target = 1.0 - np.exp(-reach)
    pace = world.clock.fraction(p.awareness_pace)
    labs.awareness = np.clip(labs.awareness + pace * (target - labs.awareness), 0.001, 1.0)


def _running_costs(world: World) -> None:
    """Power for own chips, and what every token costs beyond compute."""
    labs, vendors, p = world.labs, world.vendors, world.parameters.serving
    hours = 8766.0 * world.clock.years
    for population in (labs, vendors):
        kw = sum_k(population.fleet * world.chips.kw) * p.server_power * p.pue
        price = np.where(population.region == 0, p.power_price_cn, p.power_price_row)
        bill = kw * hours * price / 1e6 * p.power_load
        population.spent = population.spent + bill
        world.accounts.pay("power", (population, bill), "outside")
