"""Output columns on the market for models: prices, use, shares, serving, ties and fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import APP_COMPANY, CN, FILED, MISSING, ROW
from baimo.conf.declare import output
from baimo.world.engine.arrays import (
    Array,
    clip,
    count_where,
    herfindahl,
    largest,
    mean_k,
    mean_where,
    ratio,
    row_sum,
    shares,
    sum_k,
    sum_where,
    where,
)
from baimo.world.engine.clock import DAYS_A_MONTH
from baimo.world.models.pricing import owners_power
from baimo.world.models.quality import brain, home_segment, nuisance, offer, retrieval
from baimo.world.technology.research import frontiers

if TYPE_CHECKING:
    from baimo.world.engine.world import World


def _cn(world: World, values: Array) -> Array:
    return where(world.labs.region == CN, values, 0.0)


def _tokens(world: World) -> Array:
    return world.labs.tokens_flagship + world.labs.tokens_light


# ---------------------------------------------------------------------- prices


@output("price_flagship_cn", "CNY/Mtok", "the price of flagship models in China", "Flagship price", log=True)
@output("price_light_cn", "CNY/Mtok", "the price of light models in China", log=True)
@output(
    "margin_flagship_cn",
    "share",
    "the margin of flagships near China's frontier; over marginal cost, weighted by tokens",
)
@output("price_gpt35_level", "CNY/Mtok", "the price of a GPT-3.5-level model; the cheapest", "Price, GPT-3.5", True)
@output("price_gpt4_level", "CNY/Mtok", "the price of a GPT-4-level model; the cheapest", "Price, GPT-4", log=True)
def prices(world: World) -> tuple:
    """Prices by what is sold, and at fixed capability."""
    labs, measures = world.labs, world.parameters.measures
    out = labs.alive & labs.released
    cn = out & (labs.region == CN)
    near = cn & (mean_k(labs.served) > world.state.frontier_cn - measures.flagship_reach)
    sold = _tokens(world) + 1e-9
    margin = ratio(labs.price_flagship - labs.marginal_cost, labs.price_flagship)
    return (
        weighted_mean(labs.price_flagship, sold * near),
        weighted_mean(labs.price_light, sold * cn),
        weighted_mean(margin, sold * near),
        *(_cheapest(labs, out, level) for level in (measures.gpt35_level, measures.gpt4_level)),
    )


def weighted_mean(values: Array, weight: Array) -> Array:
    """Weighted mean over rows; NaN where nothing weighs."""
    total = row_sum(weight)
    mean = ratio(row_sum(values * weight), total)
    return where(total > 0.0, mean, np.nan)


def _cheapest(labs, out: Array, level: Array) -> Array:
    """Lowest list price at or above a capability, NaN without an offer."""
    best = np.inf
    for capability, price in ((labs.served, labs.price_flagship), (labs.light, labs.price_light)):
        able = out & (mean_k(capability) >= level)
        best = np.minimum(best, where(able, price, np.inf).min(-1, keepdims=True))
    return where(np.isfinite(best), best, np.nan)


@output("prices_posted_cn", "prices a step", "new list prices of labs in China")
@output(
    "price_flagship_median_cn", "CNY/Mtok", "the median list price of flagships on sale in China", "Median price", True
)
def list_prices_posted(world: World) -> tuple:
    """New list prices, and the median of those that stand."""
    labs = world.labs
    out = labs.alive & labs.released & (labs.region == CN)
    count = count_where(out)
    ranked = np.sort(where(out, labs.price_flagship, np.inf), axis=-1)
    middle = np.maximum(count - 1.0, 0.0) / 2.0
    low, high = (np.take_along_axis(ranked, each(middle).astype(np.int64), -1) for each in (np.floor, np.ceil))
    return world.monthly["prices_posted"], where(count > 0.0, 0.5 * (low + high), np.nan)


# ---------------------------------------------------------------------- use and shares


@output("tokens_day_cn", "Mtok a day", "tokens sold a day in China", "Tokens", log=True)
@output("tokens_day_row", "Mtok a day", "tokens sold a day elsewhere", log=True)
@output("tokens_day_cn_labs", "Mtok a day", "tokens that labs in China sell a day; whoever uses them", log=True)
@output("tokens_day_row_labs", "Mtok a day", "tokens that labs elsewhere sell a day; whoever uses them", log=True)
@output(
    "hard_share_below_parity_cn",
    "share",
    "the share of use in hard segments that goes to labs short of parity with the best at home",
)
@output("easy_share_below_parity_cn", "share", "the same in the other segments")
@output("public_filed_share_cn", "share", "the share of use in licensed segments that filed services serve")
def tokens(world: World) -> tuple:
    """Tokens by place of use and provider, and shares of those below parity and of filed services."""
    labs, state, model_market = world.labs, world.state, world.parameters.model_market
    by_segment, home = state.tokens_by_segment, world.segments.cn
    total = _tokens(world)
    served = sum_k(by_segment[home]) * labs.capacity_share + _cn(world, state.overflow)
    at_home, apps = row_sum(served), row_sum(labs.tokens_api)
    # Work is hard where the wall stands.
    hard = world.segments.column("threshold")[home] > model_market.wall_from
    hard_tokens = _cn(world, sum_k(where(hard, by_segment[home], 0.0)))
    easy_tokens = _cn(world, sum_k(where(hard, 0.0, by_segment[home])))
    below = labs.served_worth < state.worth_cn - model_market.wall_slack
    public = _cn(world, sum_k([by_segment[k] for k in world.segments.rows_licensed]))
    return (
        at_home + apps,
        row_sum(total) - at_home - apps,
        row_sum(_cn(world, total)),
        sum_where(labs.region != CN, total),
        *(ratio(row_sum(each * below), row_sum(each)) for each in (hard_tokens, easy_tokens)),
        ratio(sum_where(labs.filing == FILED, public), row_sum(public)),
    )


@output(
    "tokens_a_user_<segment>_cn",
    "tokens a day",
    "tokens that labs sell to a user in China a day, by segment; without hosts and apps",
    log=True,
)
def tokens_a_user(world: World) -> Array:
    """Tokens that labs serve a day over all who use models in a segment of CN, ``(segments, worlds, 1)``."""
    state, home = world.state, world.segments.cn
    served = row_sum(state.tokens_by_segment[home] * world.labs.capacity_share)
    return ratio(served, state.adopters[home])


@output("users_cn", "million", "users in China of labs of China")
@output("hhi_users_cn", "0 to 1", "the concentration (HHI) of users in China")
@output(
    "revenue_labs_cn", "CNY million a month", "the revenue of labs in China; models and projects", "Revenue, labs", True
)
@output("hhi_revenue_cn", "0 to 1", "the concentration (HHI) of revenue in China")
@output("hhi_tokens_cn", "0 to 1", "the concentration (HHI) of tokens in China", "HHI of tokens")
@output("cr4_tokens_cn", "share", "the share of tokens of the four largest labs in China")
@output("top1_tokens_share_cn", "share", "the share of tokens of the largest lab in China", "Largest lab")
@output("top1_tokens_share_row", "share", "the share of tokens of the largest lab elsewhere")
@output(
    "share_turbulence_cn", "share", "the turbulence of shares in China; half the sum of absolute changes", "Turbulence"
)
@output("leader_tenure_cn", "months", "the time since the largest lab in China took the lead")
@output("hhi_usage_data_cn", "0 to 1", "the concentration (HHI) of data of use in China")
def use_and_shares(world: World) -> tuple:
    """Users, revenue and tokens, and how concentrated they are."""
    labs, state = world.labs, world.state
    people = _cn(world, sum_k(labs.users[world.segments.cn]))
    revenue = _cn(world, labs.service_revenue)
    abroad = where(labs.region == CN, 0.0, _tokens(world))
    return (
        *(row_sum(people), herfindahl(people), row_sum(revenue), herfindahl(revenue), state.hhi_tokens),
        *(largest(state.share_cn, 4), largest(state.share_cn, 1), largest(shares(abroad), 1)),
        *(state.share_turbulence, state.leads_since, herfindahl(_cn(world, labs.usage_data))),
    )


@output(
    "consumer_surplus_cn",
    "CNY million a step",
    "consumer surplus in China; log-sum of the users' choices over the old tools, less what they "
    "only expect of names, more than of others or less (Train 2015)",
    "Consumer surplus",
)
def consumer_surplus(world: World) -> Array:
    """Consumer surplus of the choice of models, in money."""
    state, model_market = world.state, world.parameters.model_market
    old_tools = world.segments.column("old_tools") + model_market.old_tools_weight
    each = (state.chosen_worth - old_tools) * state.adopters * world.segments.column("arpu")
    return sum_k(each[world.segments.cn]) * world.clock.months / model_market.price_sensitivity


@output("tokens_thinking_cn", "Mtok a day", "tokens of answers with thinking in China", log=True)
@output("labs_thinking", "labs", "labs whose models think longer, everywhere")
def thinking(world: World) -> tuple:
    """Use of models that think longer, and who sells it."""
    return world.state.thinking_tokens, world.state.thinking_labs


@output("tokens_hosted_cn", "Mtok a day", "tokens of open weights that hosts in China serve", log=True)
@output("tokens_hosted_row", "Mtok a day", "tokens of open weights that hosts elsewhere serve", log=True)
@output("tokens_exported_cn", "Mtok a day", "tokens elsewhere of models of China, by API or host", log=True)
@output("tokens_imported_cn", "Mtok a day", "tokens in China of models from elsewhere, by API or host", log=True)
def trade(world: World) -> tuple:
    """Tokens of hosts, and of models across the border."""
    labs, state, home = world.labs, world.state, world.segments.cn
    hosted = state.hosted_flagship + state.hosted_light
    inside = sum_k(state.tokens_by_segment[home]) + hosted[CN]
    outside = sum_k(state.tokens_by_segment[home.stop :]) + hosted[ROW]
    here = labs.region == CN
    return *row_sum(hosted), sum_where(here, outside), sum_where(~here, inside)


@output("revenue_<kind>_cn", "CNY million a month", "the revenue of labs in China, by kind", log=True)
def revenue_by_kind(world: World) -> Array:
    """What labs of CN earn, by what they sell."""
    return row_sum(where(world.labs.region == CN, world.labs.income, 0.0))


@output("price_subscription_cn", "CNY a month", "the price of subscriptions in China; weighted by subscribers")
@output("subscribers_cn", "million", "subscribers of labs in China")
@output("promotion_cn", "CNY million a month", "what labs in China spend on promotion", log=True)
def subscriptions(world: World) -> tuple:
    """Subscribers, what they pay, and what labs pay to be known."""
    labs, subscribers = world.labs, _cn(world, world.state.subscribers)
    return (
        weighted_mean(labs.price_subscription, subscribers),
        row_sum(subscribers),
        row_sum(_cn(world, labs.promotion)),
    )


# ---------------------------------------------------------------------- serving


@output(
    "serving_cost_cn",
    "CNY million a month",
    "the cost of serving in China; compute of all tokens at the rent of today, and operation",
)
@output("serving_load_cn_h100e", "H100", "compute that serving takes in China, in H100s of serving speed")
@output("power_serving_cn_mw", "MW", "the power that serving takes in China", log=True)
@output("tokens_light_share_cn", "share", "the share of light models in all tokens in China")
@output("tokens_device_cn", "Mtok a day", "tokens on users' devices; beside those sold")
@output("tokens_private_cn", "Mtok a day", "tokens on firms' own machines; beside those sold")
@output("tokens_overflow_cn", "Mtok a day", "demand in China that found its lab full and went to another")
@output(
    "overflow_weak_cn", "Mtok a day", "demand in China that found its lab full and went to one beyond the four largest"
)
@output("tokens_unserved_cn", "Mtok a day", "demand in China that found its lab full and went nowhere")
def serving(world: World) -> tuple:
    """Compute and cost of serving, and use by place."""
    labs, state, p = world.labs, world.state, world.parameters
    compute = labs.tokens_flagship * labs.marginal_cost + labs.tokens_light * labs.marginal_cost_light
    cost = compute * DAYS_A_MONTH / 1e6 + sum_k(labs.users) * p.serving.operation
    kw = world.chips.kw[world.chips.names.index("H100")] * p.serving.server_power * p.serving.pue
    load = row_sum(_cn(world, state.serving_need * labs.capacity_share))
    overflow = _cn(world, state.overflow)
    fourth = np.sort(state.token_share, axis=-1)[..., -4, None]
    return (
        *(row_sum(_cn(world, cost)), load, load * kw / 1000.0),
        ratio(row_sum(_cn(world, labs.tokens_light)), row_sum(_cn(world, _tokens(world)))),
        *(state.tokens_device, state.tokens_private, row_sum(overflow)),
        sum_where(state.token_share < fourth, overflow),
        state.unserved[CN],
    )


# ---------------------------------------------------------------------- ties


@output("used_lead_cn", "OOM", "the lead of what is used (by tokens) over the mean of what is on sale")
@output("lock_in_cn", "share", "the share of sales in China that cannot leave")
@output("lock_in_margin_cn", "share", "what owners' power over sales that cannot leave adds to the mark-up")
@output("layer_data_cn", "share", "the share of data of scenes (L3) that labs in China on a base have gathered")
@output(
    "product_share_unused_cn",
    "share",
    "the share of product work in labs with a model on sale; each weighted by its lack of use",
)
def ties(world: World) -> tuple:
    """Ties between firms, and product work of labs with an unused model (M67)."""
    labs, used = world.labs, world.parameters.organisation.used_share
    here, sold = labs.region == CN, _cn(world, _tokens(world))
    able, power = mean_k(labs.served), ratio(1.0, 1.0 - owners_power(world)) - 1.0
    on_sale = here & labs.alive & labs.released
    unused = where(on_sale & (labs.mode != APP_COMPANY), clip(1.0 - world.state.token_share / used, 0.0, 1.0), 0.0)
    total = row_sum(sold)
    return (
        ratio(row_sum(sold * able), total) - mean_where(on_sale, able),
        *(ratio(row_sum(sold * each), total) for each in (labs.lock_in, power)),
        mean_where(here & labs.alive & (labs.base_id != MISSING), labs.layers[2]),
        ratio(row_sum(unused * labs.product_share), row_sum(unused)),
    )


# ---------------------------------------------------------------------- fit


@output(
    "open_share_private_cn", "share", "the share of open weights in use where data may not leave; weighted by that need"
)
@output(
    "vertical_home_share_cn",
    "share",
    "the share of users whose data may not leave that a vertical lab of their segment has",
)
@output("nuisance_cn", "utility", "the cost to firms in China of mistakes and of abilities not asked for")
@output("light_share_firms_cn", "share", "the share of light models in tokens in China that are paid for")
@output("retrieval_cn", "share", "the share of knowledge work in China that is looked up")
def fit(world: World) -> tuple:
    """Fit of models in use: open weights on private machines, verticals in their segment, nuisance."""
    labs, state, table = world.labs, world.state, world.segments
    home = table.column("region") == CN
    firms = where(home, labs.users * (1.0 - table.column("free")), 0.0)
    privy = where(home, labs.users * table.column("privacy"), 0.0)
    at_home = row_sum(sum_k(where(home_segment(world), privy, 0.0)))
    light, flagship = (row_sum(_cn(world, each)) for each in (state.paid_light, state.paid_flagship))
    return (
        state.open_private,
        ratio(at_home, row_sum(sum_k(privy))),
        ratio(
            row_sum(sum_k(firms * nuisance(offer(world, labs.served), labs, table.columns, world.parameters))),
            row_sum(sum_k(firms)),
        ),
        ratio(light, light + flagship),
        sum_k(where(home, retrieval(world), 0.0)) / home.sum(),
    )


@output(
    "worth_<axis>_cn",
    "share",
    "the share of users' work that one more OOM of an axis would do; for the best models of China",
)
def gain_of_an_oom(world: World) -> list:
    """Share of all users' work that one more OOM of an axis would do, for the best models of CN."""
    people = where(world.segments.column("region") == CN, world.state.adopters, 0.0)
    # The best as they are, and one OOM better on each axis: four models, asked at once.
    better = world.xp.arange(4) == world.xp.arange(1, 4).reshape(3, 1, 1)
    able = brain(offer(world, frontiers(world)["cn"] + better), world.segments.columns, world.parameters)
    gained = ratio(sum_k(people * (able[..., 1:] - able[..., :1])), sum_k(people))
    return [gained[:, axis : axis + 1] for axis in range(3)]
