"""Training runs: how much compute a lab brings to bear, progress, failure, completion.

A run uses one cluster, lasts months, may fail, and is not repeated without new money (001).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from baimo.agents.enums import (
    APP_COMPANY,
    BIG_TECH,
    CENTRE,
    CN,
    FROM_SCRATCH,
    FRONTIER,
    INFRA,
    LEAST_RUN,
    ROW,
    RUN_MONTHS,
    SCALING,
)
from baimo.agents.lab.compute import FleetSignals
from baimo.agents.lab.training import LaunchSignals, Run, launch_worth, trained_capability
from baimo.conf.declare import flow, stock
from baimo.world.compute.chip_supply import software_maturity
from baimo.world.compute.chips import H100_TFLOPS, SECONDS_A_DAY, goodput, weakness
from baimo.world.compute.platform import loss_of_mixing
from baimo.world.compute.rental_market import HOURS_A_YEAR, fleet_serving, rented_speed, seen_by_tenants
from baimo.world.engine.arrays import (
    Array,
    by_region,
    clip,
    mean_k,
    mean_where,
    ratio,
    shares,
    stack_k,
    sum_k,
    weigh_k,
    where,
)
from baimo.world.engine.state import State
from baimo.world.laws.scaling import parameter_efficiency
from baimo.world.network.open_bases import best_known_base
from baimo.world.technology.exploration import beaten_path
from baimo.world.technology.research import left_to_research
from baimo.world.technology.thinking import train_to_think, training_share

if TYPE_CHECKING:
    from baimo.world.engine.world import World


class TrainingState(State):
    """Runs and the clusters that they run on."""

    largest_run = stock(
        "FLOP",
        "regions",
        first=("training.largest_before_cn", "training.largest_before_row"),
        text="Largest run completed so far",
    )
    cluster_use = flow("H100e", "uses", "labs", text="Speed of a cluster: all, less failures, less limits of size")


def update_skill(world: World) -> None:
    """Update what labs have learned: MFU and odds of success from infra and scaling staff (M33), chips of a cluster.

    MFU also comes from common software. A lab can run e n_before chips, n_before those of its largest run, more with
    skill (M09). Who ports software to domestic chips (M56) is missed here.
    """
    labs, training = world.labs, world.parameters.training
    infra, scaling = labs.staff[INFRA] * (1.0 - labs.porting), labs.staff[SCALING]
    size = np.log((infra + 2.0 * scaling + 1.0) / training.skill_reference)
    labs.skill = clip(size + training.weakest_link * balance(world), -training.skill_most, training.skill_most)
    commons = training.mfu_commons * (1.0 - np.exp(-world.clock.year(world.step_number) / training.mfu_commons_years))
    depth = 1.0 / (1.0 + np.exp(-training.mfu_slope * (labs.skill - training.mfu_middle)))
    labs.mfu = training.mfu_least + (training.mfu_most - training.mfu_least) * depth + commons
    experience = np.log(10.0) * training.cluster_experience * (labs.log_largest - 23.0)
    before = training.cards_before * np.exp(experience + training.cluster_skill * labs.skill)
    labs.cards_known = training.cluster_leap * before


def wanted_mix(world: World) -> tuple[Array, Array]:
    """Shares of the kinds of staff that training from scratch and building on a base need, ``(talent, 1, 1)`` each."""
    talent, xp = world.parameters.talent, world.xp
    train = stack_k(talent.train_infra, talent.train_scaling, talent.train_research, talent.train_application, xp=xp)
    build = stack_k(talent.build_infra, talent.build_scaling, talent.build_research, talent.build_application, xp=xp)
    return train / sum_k(train), build / sum_k(build)


def balance(world: World) -> Array:
    """Balance of a team, ln of the output relative to a complete team of its size (M62).

    ln(CES / mean) of the kinds of staff, in number and in key people, relative to what the mode
    of work needs, n_k = staff_k quality_k / need_k: (sum need_k n_k^-r)^(-1/r), a complement of
    elasticity 1/(1 + r), over sum need_k n_k.
    """
    labs, training = world.labs, world.parameters.training
    r = training.complements
    train, build = wanted_mix(world)
    need = where(labs.mode == FROM_SCRATCH, train, build)
    # Where a position is empty the others do a little of its work in passing.
    people = (labs.staff + training.in_passing) * labs.key_people
    share = people / sum_k(people)
    short = sum_k(need * np.exp(r * np.log(need / share)))
    return -np.log(short) / r


class Delivered(NamedTuple):
    """What each lab's cluster delivers."""

    flop: Array  # FLOP a month
    use: Array  # (uses, worlds, labs): speed in H100s of all, less failures, less limits of size


def cluster(world: World, rented: Array) -> tuple[Array, Array]:
    """Training speed in H100s of the chips of one run, and the number of those chips, with so much that is rented."""
    labs, training, chips = world.labs, world.parameters.training, world.chips
    in_use = labs.fleet * labs.llm_share * (1.0 - labs.serving_share) * training.run_share * left_to_research(world)
    maturity = software_maturity(world)
    speed = sum_k(in_use * chips.training_speed * maturity)
    count = sum_k(in_use)
    joined = world.parameters.platform.scale * world.state.platform_built * labs.on_platform
    speed = speed * (1.0 - loss_of_mixing(world) * (1.0 - joined))
    number = rented / by_region(rented_speed(world), labs.region)
    return speed + rented * training.run_share, count + number * training.run_share


def delivered(world: World, rented: Array) -> Delivered:
    """Model FLOP a month that each lab's cluster delivers, with so much that is rented.

    eta g s MFU n eff seconds: goodput falls with the number and frailty of cards (M08). Two walls of size are
    apart (M09): power, cooling and network of a site, 1/(1 + n/n_site), and what a lab has learned to run,
    1/(1 + n/(e n_before)).
    """
    labs, training, chips = world.labs, world.parameters.training, world.chips
    speed, count = cluster(world, rented)
    site = by_region(site_of(world), labs.region)
    kept = 1.0 / (1.0 + count / site) / (1.0 + count / labs.cards_known)
    frail = weigh_k(chips.failure_factor, labs.fleet) + 1e-9
    frailty = frail / (sum_k(labs.fleet) + 1e-9)
    frailty = where(sum_k(labs.fleet) > 0.0, frailty, 1.0)
    failing = weakness(count, frailty, speed, training.weak_cards) * kept
    good = goodput(failing, 1.0 / training.hours_between_failures, training.checkpoint_hours, training.restart_hours)
    seconds = SECONDS_A_DAY * 365.25 / 12.0
    flop = speed * kept * good * labs.mfu * H100_TFLOPS * 1e12 * seconds
    return Delivered(flop, np.stack([speed, speed * good, speed * kept]))


def site_of(world: World) -> Array:
    """Chips of a site at which power, cooling and network halve its speed, by region (M09)."""
    training = world.parameters.training
    grown = np.exp(training.site_growth * world.clock.year(world.step_number))
    return stack_k(training.site_cn, training.site_row, xp=world.xp) * grown


def training_speed(world: World, flop: Array) -> Array:
    """FLOP a month that go into a run: shared where compute is no moat, less what explores and what learns to think."""
    return shared_compute(world, flop) * beaten_path(world) * (1.0 - training_share(world))


def launch_signals(world: World) -> LaunchSignals:
    """Observables of a lab that plans a run: it counts with what it would rent for it."""
    labs, state, p = world.labs, world.state, world.parameters
    rented = where(labs.running, labs.rented_training, labs.rent_wanted)
    speed = training_speed(world, delivered(world, rented).flop)
    rent = by_region(state.rent_training, labs.region)
    month = rented * rent * HOURS_A_YEAR / 12.0 / 1e6
    base, post, row, identity, model, foreign = best_known_base(world)
    return LaunchSignals(
        training_speed=speed,
        flop_cost=ratio(month, speed),
        parent_launch=p.training.parent_launch_months * labs.parent_support / 12.0,
        base_pretrained=base,
        base_post=post,
        base_lab=row,
        base_id=identity,
        base_foreign=foreign,
        base_model=model,
        unique_tokens=unique_tokens(world),
        synthetic_gain=synthetic_gain(world, mean_k(base + post)),
        scaling_ceiling=state.scaling_ceiling,
        leaner=parameter_efficiency(world.clock.year(world.step_number), p.technology) + 0.0 * state.scaling_ceiling,
        launch_chance=world.clock.fraction(p.decisions.launch_chance),
    )


def shared_compute(world: World, speed: Array) -> Array:
    """Training speed m s + (1 - m) mean s: without the moat (m = 0) all labs at home have the same compute (M31)."""
    labs, m = world.labs, world.parameters.moat.training
    trains = labs.alive & (labs.mode != APP_COMPANY)
    mean = [mean_where(trains & (labs.region == home), speed) for home in (CN, ROW)]
    return m * speed + (1.0 - m) * where(trains, by_region(np.stack(mean), labs.region), 0.0)


def unique_tokens(world: World) -> Array:
    """Unique tokens by axis that a lab can have, ``(3, worlds, labs)``, good ones counting for more (M02).

    U_k q^s (1 + corpus in CN): quality substitutes for size (000).
    """
    labs, technology = world.labs, world.parameters.technology
    trillions = technology.tokens_language, technology.tokens_knowledge, technology.tokens_reasoning
    tokens = stack_k(*trillions, xp=world.xp) * 1e12
    good = np.exp(technology.quality_substitutes * np.log(labs.data_quality))
    corpus = 1.0 + where(labs.region == CN, world.policy.data.public_corpus, 0.0)
    return tokens * good * corpus


def synthetic_gain(world: World, base: Array) -> Array:
    """ln of the factor on unique tokens that the strongest model in reach writes, ``(worlds, labs)``.

    Its own, the best open base that it knows, or what is on sale at home, which only answers.
    """
    labs, state, technology = world.labs, world.state, world.parameters.technology
    sold = by_region(np.stack([state.frontier_cn, state.frontier_all]), labs.region) - technology.synthetic_by_api
    own = mean_k(labs.pretrained + labs.post)
    writer = np.maximum(np.maximum(own, base), sold)
    return technology.synthetic_growth * np.maximum(writer - technology.synthetic_from, 0.0)


def public_corpus(world: World) -> None:
    """Pay the compute centres, from public money, to collect and clean the public corpus."""
    centres = (world.vendors.kind == CENTRE) & (world.vendors.region == CN) & world.vendors.alive
    bill = world.policy.data.corpus_cost * world.clock.years * shares(centres.astype(float))
    world.accounts.pay("public corpus", "government", (world.vendors, bill), operating=True)
    world.accounts.pay("work on the corpus", (world.vendors, bill), "workers", operating=True)


def plan_runs(world: World) -> None:
    """Phase 4: what labs can run, what they could rent for it, and which of them start a run."""
    labs = world.labs
    update_skill(world)
    labs.rent_compute(seen_by_tenants(world))
    seen = launch_signals(world)
    labs.size_up_launch(seen)
    idle = ~labs.running & ~labs.trained & (labs.mode != APP_COMPANY)
    labs.plan_run(seen, among=idle)


def advance(world: World) -> None:
    """Phase 5: deliver, stop the doomed, complete."""
    labs = world.labs
    now = delivered(world, labs.rented_training)
    world.state.cluster_use, speed = now.use, training_speed(world, now.flop)
    labs.allot_fleet(
        FleetSignals(
            serving_need=world.state.serving_need,
            fleet_serving=fleet_serving(world),
            attention=world.state.attention,
            adjust=world.clock.fraction(world.parameters.lab.adjustment),
        )
    )
    train_to_think(world, speed / (1.0 - training_share(world)) * world.clock.months)
    public_corpus(world)
    step = where(labs.running, speed * world.clock.months, 0.0)
    # A run costs what it uses, from its first step to its last.
    labs.run_cost = labs.run_cost + where(labs.running, world.state.training_bill, 0.0)
    labs.run_delivered = labs.run_delivered + step
    labs.run_age = where(labs.running, labs.run_age + world.clock.months, 0.0)
    stop_doomed(world)
    _complete(world)
    labs.since_failure = labs.since_failure + world.clock.months


def stop_doomed(world: World) -> None:
    """Stop failing runs early, at a rate that rises with scaling staff (M34)."""
    labs, training = world.labs, world.parameters.training
    scaling = labs.staff[SCALING]
    rate = training.detection * scaling / (scaling + training.detection_half)
    seen = labs.draws("run_detect") < 1.0 - np.exp(-rate * world.clock.months)
    _fail(world, labs.running & labs.run_doomed & seen)


def _fail(world: World, failed: Array) -> None:
    labs, training = world.labs, world.parameters.training
    labs.running = labs.running & ~failed
    labs.runs_failed = labs.runs_failed + failed
    # A failed trial is forgiven, a failed launch, which took much of the purse, is not (001).
    launch = labs.run_cost > training.launch_size * (np.maximum(labs.cash, 0.0) + labs.run_cost)
    labs.since_failure = where(failed & launch, 0.0, labs.since_failure)
    world.count("training_failures", labs, failed)
    world.count("training_wasted", labs, where(failed, labs.run_cost, 0.0))
    world.count("failed_planned", labs, where(failed, labs.run_planned, 0.0))
    world.count("failed_used", labs, where(failed, np.minimum(labs.run_delivered, labs.run_planned), 0.0))
    world.log("failure", labs, failed, labs.run_delivered)


def _complete(world: World) -> None:
    """Complete runs that have their compute or reach the longest duration, as a model or a failure."""
    labs = world.labs
    enough = labs.run_delivered >= labs.run_planned
    over = labs.running & (enough | (labs.run_age >= RUN_MONTHS[-1]))
    _fail(world, over & labs.run_doomed)
    done = over & ~labs.run_doomed
    chosen = labs.where(done)
    world.state.largest_run = _largest(world, done)
    if not len(chosen.rows):
        return
    p, market = chosen.view(world.parameters), chosen.view(launch_signals(world))
    flop = clip(chosen.run_delivered, LEAST_RUN, np.maximum(chosen.run_planned, LEAST_RUN))
    run = Run(flop, chosen.run_inherits, chosen.run_foreign, chosen.run_synthetic)
    reached = trained_capability(chosen, run, market, p)
    better = sum_k(reached) > sum_k(chosen.pretrained)
    chosen.pretrained = where(better, reached, chosen.pretrained)
    chosen.launch_worth = where(better, launch_worth(chosen, run, market, p), chosen.launch_worth)
    chosen.runs_done = chosen.runs_done + 1.0
    chosen.log_largest = np.maximum(chosen.log_largest, np.log10(flop))
    chosen.running = np.zeros_like(chosen.running)
    taken = better & (sum_k(chosen.run_inherits_post) > sum_k(chosen.post))
    # What came with the base is not of one's own users.
    chosen.from_use = where(taken, 0.0, chosen.from_use)
    chosen.post = where(better, np.maximum(chosen.post, chosen.run_inherits_post), chosen.post)
    chosen.trained = chosen.trained | better
    # A new base is another model: data of layers comes along as far as it is portable (M66).
    kept = where(better & (chosen.run_base >= 0), p.technology.layer_portable, 1.0)
    chosen.layers = chosen.layers * kept
    chosen.base_lab = where(better, chosen.run_base, chosen.base_lab)
    chosen.base_id = where(better, chosen.run_base_id, chosen.base_id)
    chosen.base_foreign = where(better, chosen.run_foreign, chosen.base_foreign)
    chosen.base_model = where(better, chosen.run_base_model, chosen.base_model)
    chosen.sunk_value = chosen.sunk_value + chosen.run_cost
    delay = release_delay(chosen, p.training, p.organisation)
    chosen.waiting = where(better, delay, chosen.waiting)


def release_delay(labs, training, organisation) -> Array:
    """Months from a trained model to its release: integration, which is fast in big tech (M28), and red-teaming."""
    big = labs.archetype == BIG_TECH
    frontier = training.release_delay_frontier * (labs.archetype == FRONTIER)
    return (training.release_delay * where(big, organisation.integration, 1.0) + frontier) * tail(labs)


def tail(labs) -> Array:
    """Factor on the time of a procedure, one on average: half its usual time at the least, and a long tail."""
    return 0.5 - 0.5 * np.log(labs.draws("approval"))


def _largest(world: World, done: Array) -> Array:
    """Largest completed run so far by region, ``(2, worlds, 1)`` in FLOP."""
    labs = world.labs
    best = []
    for region in range(2):
        size = where(done & (labs.region == region), np.minimum(labs.run_delivered, labs.run_planned), 0.0)
        best.append(np.maximum(world.state.largest_run[region], size.max(-1, keepdims=True)))
    return np.stack(best)
