"""Model labs: firms that train foundation models and sell access to them."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from baimo.agents.base import MarketAgent, column, decision
from baimo.agents.enums import (
    ACADEMIC,
    ALIVE,
    ALL_OPEN,
    APP_COMPANY,
    ARCHETYPES,
    BIG_TECH,
    CHALLENGER,
    CLOSED,
    CN,
    EXITS,
    FILING,
    FROM_SCRATCH,
    INSOLVENT,
    LEAST_RUN,
    LIGHT_OPEN,
    MODES,
    NO_MODEL,
    NOBODY,
    OPEN_BASE,
    OPEN_CHAMPION,
    OPENNESS,
    PARENT_WITHDREW,
    REGIONS,
    ROW,
    RUN_MONTHS,
    TO_APPS,
    UNICORN,
    VERTICAL,
)
from baimo.world.engine.arrays import argmax_k, clip, logistic, max_k, pick_k, sum_k, where
from baimo.world.laws.scaling import FLOP_UNIT, data_limited_flop, useful_flop


class ModelLab(MarketAgent):
    """A firm that trains foundation models and sells access to them."""

    # Four streams share a word: first those of which everyone draws in every step.
    streams = (
        "run_detect",
        "incident",
        "parent",
        "noise",
        "acquired",
        "platform",
        "approval",
        "exposed",
        "suit",
        "path",
        "path_choice",
        "breakthrough",
        "sell",
        "to_apps",
        "lender",
        "round_size",
        "run_success",
        "choose_base",
        "openness",
        "host",
        "risk",
        "skill",
        "staff",
        "knack",
        "claim",
        "home",
        "random_plan",
        "random_price",
        "random_openness",
        "round_luck",
        "staff_luck",
        "keeps_product",
    )
    capacity_key: ClassVar[str] = "max_labs"

    region = column(dtype=int, labels=REGIONS)
    archetype = column(dtype=int, labels=ARCHETYPES)
    mode = column(dtype=int, labels=MODES)
    exit_reason = column(dtype=int, labels=EXITS)
    exit_step = column("step", dtype=int, default=NOBODY)
    risk_appetite = column(default=1.0)

    # money
    cash = column("CNY million", clears=True)
    parent_support = column("CNY million a year", clears=True)
    chip_budget = column("CNY million a year", clears=True)
    revenue = column("CNY million a month, last step", clears=True)
    cost = column("CNY million a month, last step", clears=True)
    earned = column("CNY million, this step so far", clears=True)
    spent = column("CNY million, this step so far", clears=True)
    service_revenue = column("CNY million a month", clears=True)
    valuation = column("CNY million", clears=True)
    raised = column("CNY million", clears=True)
    asking = column("CNY million", clears=True)
    stage = column(dtype=int)
    since_round = column("months", default=99.0)
    since_news = column("months")
    holder_row = column(dtype=int, default=NOBODY, inner="holders", clears=True)
    holder_id = column(dtype=int, default=NOBODY, inner="holders", clears=True)
    holder_stake = column("CNY million", inner="holders", clears=True)
    sunk_value = column("CNY million", clears=True)
    first_purse = column("CNY million")
    parent_gain = column("share of the parent's value", clears=True)
    for_sale = column(dtype=bool, default=False, clears=True)
    unused_for = column("months", clears=True)

    # people
    staff = column("people", inner="talent", clears=True)
    wanted_staff = column("people", inner="talent", clears=True)
    product_share = column("share", default=0.2)
    skill = column("standard deviations")
    mfu = column("1", default=0.2)

    # compute
    fleet = column("chips", inner="chips", clears=True)
    incoming = column("chips", inner="chips", clears=True)
    order_class = column(dtype=int, default=NOBODY, clears=True)
    order_units = column("chips", clears=True)
    llm_share = column("share of the fleet", default=1.0)
    serving_share = column("share of the fleet", default=0.2)
    rent_wanted = column("H100e", clears=True)
    rented_training = column("H100e", clears=True)
    rented_serving = column("H100e", clears=True)
    host = column(dtype=int, default=NOBODY)
    host_id = column(dtype=int, default=NOBODY)
    host_stake = column("CNY million", clears=True)
    compute_credit = column("CNY million", clears=True)
    on_platform = column(dtype=bool, default=False, clears=True)

    # knowledge
    log_efficiency = column("ln A")
    explores = column(dtype=bool, default=False, clears=True)
    knack = column("place among labs by ability to build on others' weights")
    candour = column("place among labs by candour")
    pretrained = column("OOM", default=NO_MODEL, inner="axes")
    post = column("OOM", inner="axes")
    usage_data = column("Mtok a day, decayed", clears=True)
    data_quality = column("1", default=1.0)
    craft = column("1", default=1.0)
    key_people = column("1", default=1.0, inner="talent")

    # the run in progress
    running = column(dtype=bool, default=False, clears=True)
    run_planned = column("FLOP", clears=True)
    run_delivered = column("FLOP", clears=True)
    run_age = column("months", clears=True)
    run_doomed = column(dtype=bool, default=False, clears=True)
    run_synthetic = column(dtype=bool, default=False, clears=True)
    run_foreign = column(dtype=bool, default=False, clears=True)
    affordable = column("log10 FLOP", default=20.0)
    run_inherits = column("OOM", default=NO_MODEL, inner="axes")
    run_inherits_post = column("OOM", inner="axes")
    run_base = column(dtype=int, default=NOBODY, clears=True)
    run_base_id = column(dtype=int, default=NOBODY, clears=True)
    run_base_model = column(dtype=int, default=NOBODY, clears=True)
    run_cost = column("CNY million", clears=True)
    runs_done = column("runs")
    runs_failed = column("runs")
    since_failure = column("months", default=99.0)
    log_largest = column("log10 FLOP", default=20.0)

    # models
    trained = column(dtype=bool, default=False)
    waiting = column("months", clears=True)
    released = column(dtype=bool, default=False, clears=True)
    releases = column("models")
    served = column("OOM", default=NO_MODEL, inner="axes", clears=True)
    light = column("OOM", default=NO_MODEL, inner="axes", clears=True)
    open_weights = column("OOM", default=NO_MODEL, inner="axes")
    open_post = column("OOM", inner="axes")
    openness = column(dtype=int, labels=OPENNESS)
    multimodal = column(dtype=bool, default=False, clears=True)
    model_id = column(dtype=int, default=NOBODY)
    base_lab = column(dtype=int, default=NOBODY)
    base_id = column(dtype=int, default=NOBODY)
    base_foreign = column(dtype=bool, default=False, clears=True)
    base_model = column(dtype=int, default=NOBODY)
    open_model = column(dtype=int, default=NOBODY)
    children = column("labs", clears=True)
    claims = column(dtype=bool, default=False, clears=True)
    since_exposed = column("months", default=99.0)
    active_parameters = column("parameters", default=5e10)
    light_parameters = column("parameters", default=1e10)

    # market
    price_flagship = column("CNY/Mtok", default=100.0)
    price_light = column("CNY/Mtok", default=20.0)
    marginal_cost = column("CNY/Mtok", default=50.0)
    marginal_cost_light = column("CNY/Mtok", default=10.0)
    strategic_value = column("CNY/Mtok")
    users = column("million people", inner="segments", clears=True)
    chosen = column("share", inner="segments", clears=True)
    tokens_flagship = column("Mtok a day", clears=True)
    tokens_light = column("Mtok a day", clears=True)
    tokens_api = column("Mtok a day", clears=True)
    capacity_share = column("share of demand served", default=1.0)
    reputation = column("utility")
    awareness = column("share of users who think of it", default=0.005)
    home_segment = column("segment that a vertical lab was founded for", dtype=int, default=NOBODY, clears=True)
    layers = column("share of what there is to know", inner="axes", clears=True)
    control = column("share", clears=True)
    lock_in = column("share of sales", clears=True)
    filing = column(dtype=int, labels=FILING)
    filing_since = column("step", dtype=int)
    behind = column("months")

    # ------------------------------------------------------------------ training

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
    def allot_fleet(labs, market, p):
        """Split the fleet between training and serving, after what the served models need."""
        rules = p.lab
        need = market.serving_need / np.maximum(market.fleet_serving, 1e-9)
        target = clip(need, rules.least_serving, rules.most_serving)
        labs.serving_share = labs.serving_share + market.adjust * (target - labs.serving_share)
        attention = rules.llm_share_start + (rules.llm_share_most - rules.llm_share_start) * (market.attention)
        own_business = labs.archetype == BIG_TECH
        labs.llm_share = where(own_business, attention, 1.0)

    @decision
    def order_chips(labs, market, p):
        """Order the class that gives most speed for its price, as far as the budget goes.

        A ban that is announced but not yet in force makes buyers stock up.
        """
        rules = p.chip_market
        value = market.class_value
        best = argmax_k(value)
        worth = pick_k(value, best)
        price = pick_k(market.class_price, best)
        rush = pick_k(market.class_rush, best)
        spare = np.maximum(labs.cash - rules.cash_months * labs.cost, 0.0)
        budget = labs.chip_budget * market.years * rush
        own = rules.chip_share_of_cash * spare * market.months * (labs.archetype == UNICORN)
        units = np.floor((budget + own) / np.maximum(price, 1e-9))
        orders = labs.alive & (worth > 0.0) & (units > 0.0)
        labs.order_class = where(orders, best, NOBODY)
        labs.order_units = where(orders, units, 0.0)

    @decision
    def rent_compute(labs, market, p):
        """Rent for training what the purse allows beyond the own fleet."""
        rules = p.lab
        budget = rules.rent_share * np.maximum(labs.cash - rules.rent_reserve * labs.cost, 0.0)
        budget = budget / rules.rent_horizon + rules.parent_rent_share * labs.parent_support / 12.0
        budget = budget + p.rental.credit_pace * labs.compute_credit
        wanted = budget / np.maximum(market.rent_month, 1e-9)
        active = labs.alive & (labs.mode != APP_COMPANY)
        cap = market.rent_cap
        labs.rent_wanted = where(active, np.minimum(wanted, cap), 0.0)

    @decision
    def join_platform(labs, market, p):
        """Join a middle layer that works and is trusted; leave one that does not work."""
        u = labs.draws("platform")
        stays = labs.on_platform & (u < 1.0 - market.leaves)
        joins = ~labs.on_platform & (u < market.joins)
        labs.on_platform = labs.alive & (labs.region == CN) & (stays | joins)

    # ------------------------------------------------------------------ release and price

    @decision
    def choose_openness(labs, market, p):
        """Close the weights, open the light model, or open all, by what each returns.

        Ecosystem and reputation, demand for the own cloud, and damage to a rival's rent
        stand against the margin given up and the data exposed (M12, M46).
        """
        rules = p.openness
        margin = np.maximum(labs.price_flagship - labs.marginal_cost, 0.0)
        lost_margin = rules.margin_weight * market.share + rules.rent_weight * np.log1p(margin) * (market.lead > 0.0)
        behind = clip(-market.lead, 0.0, rules.behind_most)
        returns = (
            rules.ecosystem
            + rules.cloud * market.has_cloud
            + rules.rival_rent * behind
            + rules.champion * (labs.archetype == OPEN_CHAMPION)
            + rules.academic * (labs.archetype == ACADEMIC)
            + rules.children_return * labs.children / (labs.children + rules.community_half)
            + market.subsidy
        )
        exposure = rules.exposure * np.maximum(market.lead, 0.0)
        all_open = returns - lost_margin - exposure - rules.all_threshold
        light = rules.light_share * returns - rules.light_margin * lost_margin - rules.light_threshold
        noise = 2.0 * (labs.draws("openness") - 0.5) * rules.noise
        choice = where(light + noise > 0.0, LIGHT_OPEN, CLOSED)
        choice = where((all_open + noise > 0.0) & (all_open > light), ALL_OPEN, choice)
        settle_openness(labs, market, choice)

    @decision
    def declare(labs, market, p):
        """Say on whose open weights a new model stands, or pass it off as one's own (M60).

        Investors and users credit what looks like a model of its own; academics name their sources.
        """
        rules = p.lineage
        derived = labs.alive & (labs.base_id >= 0) & (labs.archetype != ACADEMIC)
        labs.claims = where(market.fresh, derived & (labs.candour < rules.hiding), labs.claims)

    @decision
    def choose_path(labs, market, p):
        """Duplicate the known recipe, or explore: by appetite for risk and the tolerance of failure (M50)."""
        rules = p.exploration
        able = labs.alive & (labs.mode == FROM_SCRATCH)
        thinks = able & ((labs.draws("path") < market.chance) | (labs.founded == market.step))
        bold = rules.propensity * labs.risk_appetite * market.tolerance
        labs.explores = where(thinks, labs.draws("path_choice") < bold, labs.explores & able)

    @decision
    def set_price(labs, market, p):
        """Move toward the nested-logit mark-up, less what a sale is worth beyond its price.

        p* = max(floor, c + (p + h) / (alpha k) - omega v),
        k = 1/(1-sigma) - sigma/(1-sigma) s_nest - s  (Berry 1994; log-price utility). A sale is
        worth v only while it costs something: the discount fades with c, v c / (c + c0).
        An open flagship is hosted by others near cost, so its author can ask no more. What lies
        below a lawful floor rises to it at once.
        """
        rules = p.model_market
        worth = rules.strategic_weight * labs.strategic_value
        elastic = rules.price_sensitivity * market.rivalry
        pace = market.adjust
        for name, cost, open_at in priced(labs):
            price = getattr(labs, name)
            mark_up = (price + rules.hassle_cost) / elastic
            target = cost + mark_up - worth * cost / (cost + rules.strategic_cost)
            target = asked(labs, market, rules, target, cost, open_at)
            setattr(labs, name, np.maximum(price + pace * (target - price), market.price_floor))

    # ------------------------------------------------------------------ people and money

    @decision
    def split_effort(labs, market, p):
        """Move people between research and product: an unused model drives its lab to products.

        The share of product work rises as users stay away, and with what products earn (001, M28, M67).
        """
        rules = p.organisation
        pressure = rules.unused * market.unused + rules.revenue * market.earning
        base = where(labs.archetype == BIG_TECH, rules.big_tech_product, rules.lab_product)
        base = where(labs.mode == APP_COMPANY, rules.app_company_product, base)
        target = clip(base + pressure, rules.least_product, rules.most_product)
        labs.product_share = labs.product_share + market.adjust * (target - labs.product_share)

    @decision
    def hire(labs, market, p):
        """Want the staff that the purse carries, in the mix that the mode of work needs."""
        rules = p.talent
        income = labs.revenue + labs.parent_support / 12.0
        runway = np.maximum(labs.cash, 0.0) / rules.hire_horizon
        payroll = rules.payroll_share * (income + runway)
        mix = where(labs.mode == FROM_SCRATCH, market.mix_train, market.mix_build)
        wage = sum_k(mix * market.wages)
        heads = payroll / np.maximum(wage / 12.0, 1e-9)
        now = sum_k(labs.staff)
        heads = clip(heads, market.slowest * now, np.maximum(market.fastest * now, rules.least_staff))
        heads = np.minimum(heads, rules.most_staff)
        labs.wanted_staff = where(labs.alive, mix * heads, 0.0)

    @decision
    def seek_funding(labs, market, p):
        """Ask for a round when the runway is short, or when hype makes money cheap."""
        rules = p.capital
        burn = np.maximum(labs.cost - labs.revenue - labs.parent_support / 12.0, 0.01)
        runway = np.maximum(labs.cash, 0.0) / burn
        need = runway < rules.runway_trigger
        eager = (runway < rules.eager_runway) & (market.hype > rules.eager_hype)
        venture = (labs.archetype >= UNICORN) & (labs.archetype != VERTICAL) & (labs.region == CN)
        venture = venture | ((labs.archetype == CHALLENGER) & (labs.region == ROW))
        able = labs.alive & venture & (labs.since_round > rules.least_gap)
        asks = able & (need | eager)
        size = clip(market.round_size, rules.least_round, rules.most_round)
        labs.asking = where(asks, size, 0.0)

    @decision
    def pivot(labs, market, p):
        """Give up training when long behind: build on an open base, then become an app company.

        A lab is behind by what the open base leads, and by what a launch at the frontier costs
        more than the largest that it could pay for, beyond what it may hope to catch up (M03).
        """
        rules = p.entry_exit
        scratch = labs.mode == FROM_SCRATCH
        dearer = np.maximum(market.frontier_launch - labs.affordable - p.training.launch_reach, 0.0)
        lag = rules.base_shock * market.base_lead + p.training.frontier_cost * dearer
        cannot = labs.alive & scratch & (lag > rules.pivot_gap + rules.pride * market.pride)
        labs.behind = where(labs.alive & (lag > 0.0), labs.behind + market.months, 0.0)
        to_base = cannot & (labs.behind > rules.pivot_patience) & ~labs.running
        nobody = labs.alive & labs.released & (market.share < rules.unused_share)
        labs.unused_for = where(nobody, labs.unused_for + market.months, 0.0)
        done = (labs.unused_for > rules.app_patience) & ~labs.running
        to_app = labs.alive & (labs.mode == OPEN_BASE) & done & (labs.archetype != VERTICAL)
        mode = where(to_base, OPEN_BASE, labs.mode)
        labs.mode = where(to_app, APP_COMPANY, mode)

    @decision
    def wind_up(labs, market, p):
        """Close when the money is gone or the parent stops paying, sell out, or leave models for apps.

        A parent covers a deficit while it believes; its doubt grows with the distance to what
        anybody can download and with a model that nobody uses, and is silenced by hype and by what
        announcements added to its own value. An app company that lives on its products ends its lab.
        """
        rules = p.entry_exit
        alone = labs.alive & (labs.parent_support <= 0.0)
        unused = labs.released & (market.share < rules.unused_share)
        doubt = rules.parent_doubt * np.maximum(market.parent_gap, 0.0) + rules.parent_tires
        doubt = doubt + rules.parent_unused * unused
        calmed = rules.parent_hype * market.hype + p.capital.announce_patience * labs.parent_gain
        gives_up = labs.draws("parent") < 1.0 - np.exp(-doubt * np.exp(-calmed) * market.years)
        rich = labs.parent_support > p.capital.rich_parent
        gives_up = labs.alive & gives_up & (labs.parent_support > 0.0) & ~rich
        turns = labs.draws("to_apps") < 1.0 - np.exp(-rules.leaves_models * market.years)
        turns = labs.alive & turns & (labs.mode == APP_COMPANY) & unused
        # A parent that keeps the product and drops the model: the team goes on as an app.
        turns = turns | (gives_up & (labs.draws("keeps_product") < labs.product_share))
        short = alone & (labs.cash < rules.distress_months * labs.cost)
        short = short & (labs.cost > rules.distress_cost * labs.revenue)
        labs.for_sale = short & (labs.draws("sell") < 1.0 - np.exp(-rules.sells * market.years))
        reason = where(turns, TO_APPS, where(gives_up, PARENT_WITHDREW, ALIVE))
        reason = where(alone & (labs.cash < 0.0), INSOLVENT, reason)
        labs.exit_reason = where(labs.alive, reason, labs.exit_reason)


def settle_openness(labs, market, choice):
    """Enter a choice as far as the law leaves one; a mandate and a ban bind everybody."""
    choice = where(market.mandate, ALL_OPEN, choice)
    choice = where(market.ban, CLOSED, choice)
    labs.openness = where(labs.alive & labs.trained, choice, labs.openness)


def priced(labs):
    """What is on sale: column of the price, marginal cost, openness at which others host it."""
    yield "price_flagship", labs.marginal_cost, ALL_OPEN
    yield "price_light", labs.marginal_cost_light, LIGHT_OPEN


def asked(labs, market, rules, target, cost, open_at):
    """A price as it can be asked: what is open is hosted by others near cost; the law sets a floor."""
    hosted = cost * (1.0 + rules.hosting_margin)
    target = where(labs.openness >= open_at, np.minimum(target, hosted), target)
    floor = np.maximum(market.price_floor, rules.least_price)
    return clip(target, floor, rules.most_price)


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
