"""Columns of model labs, and the random streams of their decisions."""

from __future__ import annotations

from typing import ClassVar

from baimo.agents.base import FirmColumns, MarketAgent
from baimo.agents.enums import ARCHETYPES, FILING, LAB_EXITS, MISSING, MODES, NO_MODEL, OPENNESS, REGIONS
from baimo.conf.declare import column


class LabColumns(FirmColumns, MarketAgent):
    """Columns and random streams of a model lab."""

    domain = "ModelLab"

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
        "repost",
        "reply_1",
        "reply_2",
        "reply_3",
        "recipe",
        "noise_knowledge",
        "lender_knowledge",
        "noise_reasoning",
        "lender_reasoning",
    )
    capacity_key: ClassVar[str] = "max_labs"

    region = column(dtype=int, labels=REGIONS)
    archetype = column(dtype=int, labels=ARCHETYPES)
    mode = column(dtype=int, labels=MODES)
    exit_reason = column(dtype=int, labels=LAB_EXITS)
    risk_appetite = column(default=1.0)

    # money
    parent_support = column("CNY million a year", clears=True)
    chip_budget = column("CNY million a year", clears=True)
    revenue = column("CNY million a month, last step", clears=True)
    cost = column("CNY million a month, last step", clears=True)
    earned = column("CNY million, this step so far", clears=True)
    spent = column("CNY million, this step so far", clears=True)
    service_revenue = column("CNY million a month", clears=True)
    income = column("CNY million a month", inner="revenue", clears=True)
    promotion = column("CNY million a month", clears=True)
    valuation = column("CNY million", clears=True)
    stage = column(dtype=int)
    since_news = column("months")
    burnt = column("months of full burn since the last release")
    holder_row = column(dtype=int, default=MISSING, inner="holders", clears=True)
    holder_id = column(dtype=int, default=MISSING, inner="holders", clears=True)
    holder_stake = column("CNY million", inner="holders", clears=True)
    sunk_value = column("CNY million", clears=True)
    written_down = column("CNY million", clears=True)
    first_purse = column("CNY million")
    product_value = column("CNY million a year", clears=True)
    parent_belief = column("share of the value of a perfect model", clears=True)
    below_for = column("months", clears=True)
    folds_for = column("months", clears=True)
    standing = column("OOM from the home frontier, as believed", clears=True)
    seen_for = column("months", clears=True)
    profit = column("CNY million a month, smoothed", clears=True)
    parent_gain = column("share of the parent's value", clears=True)
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
    order_class = column(dtype=int, default=MISSING, clears=True)
    order_units = column("chips", clears=True)
    llm_share = column("share of the fleet", default=1.0)
    serving_share = column("share of the fleet", default=0.2)
    cards_known = column("chips", default=1000.0)
    rent_wanted = column("H100e", clears=True)
    rented_training = column("H100e", clears=True)
    rented_serving = column("H100", clears=True)
    host = column(dtype=int, default=MISSING)
    host_id = column(dtype=int, default=MISSING)
    host_stake = column("CNY million", clears=True)
    compute_credit = column("CNY million", clears=True)
    on_platform = column(dtype=bool, default=False, clears=True)
    porting = column("share of infra people on software for domestic chips", clears=True)

    # knowledge
    log_efficiency = column("ln A")
    explores = column(dtype=bool, default=False, clears=True)
    recipe = column(dtype=bool, default=False, clears=True)
    thinking = column("share of what thinking can add", clears=True)
    knack = column("place among labs by ability to build on others' weights")
    honesty = column("place among labs by honesty")
    pretrained = column("OOM", default=NO_MODEL, inner="axes")
    post = column("OOM", inner="axes")
    usage_data = column("Mtok a day, decayed", clears=True)
    from_use = column("OOM of post-training that data of use carry", clears=True)
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
    run_base = column(dtype=int, default=MISSING, clears=True)
    run_base_id = column(dtype=int, default=MISSING, clears=True)
    run_base_model = column(dtype=int, default=MISSING, clears=True)
    run_cost = column("CNY million", clears=True)
    runs_done = column("runs")
    runs_failed = column("runs")
    since_failure = column("months", default=99.0)
    log_largest = column("log10 FLOP", default=20.0)
    launch_worth = column("OOM of effective compute, of its trained model", default=NO_MODEL)

    # models
    trained = column(dtype=bool, default=False)
    waiting = column("months", clears=True)
    released = column(dtype=bool, default=False, clears=True)
    releases = column("models")
    served = column("OOM", default=NO_MODEL, inner="axes", clears=True)
    light = column("OOM", default=NO_MODEL, inner="axes", clears=True)
    served_worth = column("OOM of effective compute, of the model on sale", default=NO_MODEL, clears=True)
    open_weights = column("OOM", default=NO_MODEL, inner="axes")
    open_post = column("OOM", inner="axes")
    openness = column(dtype=int, labels=OPENNESS)
    multimodal = column(dtype=bool, default=False, clears=True)
    model_id = column(dtype=int, default=MISSING)
    base_lab = column(dtype=int, default=MISSING)
    base_id = column(dtype=int, default=MISSING)
    base_foreign = column(dtype=bool, default=False, clears=True)
    base_model = column(dtype=int, default=MISSING)
    open_model = column(dtype=int, default=MISSING)
    children = column("labs", clears=True)
    claims = column(dtype=bool, default=False, clears=True)
    since_exposed = column("months", default=99.0)
    active_parameters = column("parameters", default=5e10)
    light_parameters = column("parameters", default=1e10)

    # market
    price_flagship = column("CNY/Mtok", default=100.0)
    price_light = column("CNY/Mtok", default=20.0)
    price_subscription = column("CNY/month", default=50.0)
    marginal_cost = column("CNY/Mtok", default=50.0)
    marginal_cost_light = column("CNY/Mtok", default=10.0)
    users = column("million people", inner="segments", clears=True)
    chosen = column("share", inner="segments", clears=True)
    tokens_flagship = column("Mtok a day served", clears=True)
    tokens_light = column("Mtok a day served", clears=True)
    tokens_api = column("Mtok a day served to apps", clears=True)
    capacity_share = column("share of demand served", default=1.0)
    reputation = column("utility")
    goodwill = column("1", default=0.005)
    awareness = column("share of users who think of it", default=0.005)
    home_segment = column("segment that a vertical lab was founded for", dtype=int, default=MISSING, clears=True)
    layers = column("share of what there is to know", inner="axes", clears=True)
    control = column("share", clears=True)
    tuning_need = column("share of projects that general models leave", default=1.0, clears=True)
    lock_in = column("share of sales", clears=True)
    filing = column(dtype=int, labels=FILING)
    filing_since = column("step", dtype=int)
    approved_in = column("months until its owner approves it where it is sensitive", clears=True)
    behind = column("months")
