"""Random rules of decision: always feasible, alike for one and for many, and what they change."""

from __future__ import annotations

import numpy as np
import pytest

from baimo.agents import decision, random_rules
from baimo.agents.enums import ALL_OPEN, APP_COMPANY, CLOSED, LEAST_RUN, NO_MODEL, OPENNESS, RUN_MONTHS
from baimo.agents.lab import ModelLab
from baimo.conf.schema import ConfigError, compose
from baimo.world.ensemble import Ensemble
from baimo.world.model import HundredModelsWar
from tests.paired_runs import effect, market

NAMES = tuple(random_rules.RULES)
ALL_RANDOM = [f"decisions.{name}=random" for name in NAMES]
PLAN, PRICE, OPEN = (random_rules.RULES[name][0] for name in ("planning", "pricing", "openness"))


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_rule_gives_one_clear_message(name):
    with pytest.raises(ConfigError) as caught:
        compose([f"decisions.{name}=clever"])
    assert str(caught.value) == f"decisions.{name}=clever: must be one of model, random"


# ---------------------------------------------------------------------- feasible, always


class Watched:
    """Random rules that look, at every call in a run, at what the labs were before and are after."""

    def __init__(self, overrides=(), worlds=(0, 3), steps=16):
        self.calls = {PLAN: 0, PRICE: 0, OPEN: 0}
        self.launches = 0
        ensemble = Ensemble(["output.level=market", *ALL_RANDOM, *overrides], worlds)
        self.labs = ensemble.world.labs
        for which, check in ((PLAN, self.plan), (PRICE, self.price), (OPEN, self.open)):
            self.labs.rules[which] = self.watch(which, self.labs.rules[which], check)
        ensemble.run(steps)

    def watch(self, which, rule, check):
        def watched(labs, market, p):
            before = {name: np.array(getattr(labs, name)) for name in self.labs.columns}
            rule(labs, market, p)
            self.calls[which] += 1
            check(before, labs, market, p)

        return watched

    def plan(self, before, labs, market, p):
        starts = labs.running & ~before["running"]
        self.launches += starts.sum()
        purse = p.training.launch_purse * np.maximum(labs.cash, 0.0) + market.parent_launch
        assert not (starts & (before["trained"] | ~labs.alive | (labs.mode == APP_COMPANY))).any()
        planned = labs.run_planned
        assert (planned[starts] > LEAST_RUN).all()
        assert (planned <= market.training_speed * max(RUN_MONTHS) * (1 + 1e-12))[starts].all()
        assert (planned * market.flop_cost <= purse * (1 + 1e-9))[starts].all()
        based = starts & (labs.run_base >= 0)
        assert (np.broadcast_to(market.base_pretrained[0], based.shape)[based] > NO_MODEL + 0.5).all()
        tired = (labs.runs_failed > 0) & (labs.since_round > labs.since_failure) & (market.parent_launch <= 0.0)
        tired = tired & (labs.since_failure < p.training.failure_memory)
        assert not (starts & tired & ~based).any()

    def price(self, before, labs, market, p):
        rules = p.model_market
        for name, cost in (("price_flagship", labs.marginal_cost), ("price_light", labs.marginal_cost_light)):
            price = getattr(labs, name)
            moved = price != before[name]
            floor = np.maximum(np.broadcast_to(market.price_floor, price.shape), rules.least_price)
            assert (price >= np.maximum(floor, np.minimum(cost, rules.most_price)) * (1 - 1e-12))[moved].all()
            assert (price <= np.maximum(rules.most_price, floor))[moved].all()

    def open(self, before, labs, market, p):
        moved = labs.openness != before["openness"]
        assert not (moved & ~(labs.alive & before["trained"])).any()
        assert np.isin(labs.openness, range(len(OPENNESS))).all()
        asked = labs.alive & before["trained"]
        assert (labs.openness == CLOSED)[asked & market.ban].all()
        assert (labs.openness == ALL_OPEN)[asked & market.mandate & ~market.ban].all()


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("policy.market.floor=20", "policy.open_source.mandate_above=1.5"),
        ("policy.open_source.ban=true", "decisions.launch_chance=1", "decisions.price_ceiling=1000"),
        ("decisions.launch_chance=0", "decisions.price_ceiling=1", "pricing.repost=0.95"),
    ],
)
def test_what_is_drawn_is_feasible(overrides):
    watched = Watched(overrides)
    assert min(watched.calls[PLAN], watched.calls[PRICE]) > 10
    never = "decisions.launch_chance=0" in overrides
    assert (watched.launches == 0) if never else (watched.launches > 50 and watched.calls[OPEN] > 10)


def test_prices_change_as_often_as_lists_are_looked_at():
    ensemble = Ensemble(["output.level=market", "decisions.pricing=random"], range(2)).run(3)
    labs, before = ensemble.world.labs, ensemble.world.labs.price_flagship.copy()
    ensemble.world.streams.step += 1
    labs.new_step()
    (seen,) = ensemble.world.observed["ModelLab", "set_price"]
    labs.set_price(seen)
    moved = labs.price_flagship != before
    looks = seen.considers | seen.fresh
    assert not (moved & labs.alive & ~looks).any()
    # Open weights may stand at what hosts ask, whatever is drawn.
    free = labs.alive & (labs.openness == CLOSED)
    assert (looks & free).any() and moved[looks & free].all()


# ---------------------------------------------------------------------- one behaviour, any number


@pytest.mark.parametrize("which", [PLAN, PRICE, OPEN], ids=NAMES)
def test_one_lab_alone_decides_as_among_all(which):
    """The same rule on everybody and on some rows, in worlds of their own parameters: equal bits."""
    spread = {"decisions.price_ceiling": (2.0, 4.0), "decisions.launch_chance": (0.4, 0.9)}
    ensemble = Ensemble(["output.level=market", *ALL_RANDOM], (0, 5), spread)
    labs, random = ensemble.world.labs, ensemble.world.labs.rules[which]
    decided = 0

    def both(agents, market, p):
        nonlocal decided
        before = {name: array.copy() for name, array in labs.columns.items()}
        random(agents, market, p)
        if agents is not labs:
            rows = (agents.worlds, agents.rows)
            observed = labs.world.observed[("ModelLab", which.name)]
        else:
            rows = np.nonzero(before["alive"])
            observed = (market,)
        after = {name: array.copy() for name, array in labs.columns.items()}
        chosen = tuple(each[::7] for each in rows)
        labs.columns.update(before)
        few = labs.select(*chosen)
        random(few, few.view(observed[0]), few.view(ensemble.world.parameters))
        for name, array in labs.columns.items():
            assert np.array_equal(array[(..., *chosen)], after[name][(..., *chosen)]), name
        labs.columns.update(after)
        decided += len(chosen[0])

    labs.rules[which] = both
    ensemble.run(8)
    assert decided > 0


def test_a_single_mesa_agent_follows_the_random_rule_too():
    model = HundredModelsWar(rng=1, overrides=["decisions.pricing=random"])
    model.run(4)
    labs = model.world.labs
    before, lab = labs.price_flagship.copy(), model.agents_by_type[ModelLab]
    labs.set_price(*model.world.observed["ModelLab", "set_price"])
    everybody = labs.price_flagship.copy()
    labs.price_flagship = before
    for each in lab:
        each.set_price()
    np.testing.assert_array_equal(labs.price_flagship[labs.alive], everybody[labs.alive])


def test_a_special_class_keeps_its_own_rule():
    class Constant(ModelLab):
        @decision
        def set_price(labs, market, p):
            labs.price_flagship = 7.0 + 0.0 * labs.price_flagship

    ensemble = Ensemble(["decisions.pricing=random"], range(2), agent_classes={"unicorn": Constant}).run(3)
    labs = ensemble.world.labs
    special = labs.alive & (labs.behaviour > 0)
    assert special.any() and (labs.price_flagship[special] == 7.0).all()
    assert not (labs.price_flagship[labs.alive & ~special] == 7.0).all()


def test_a_random_rule_leaves_other_draws_alone():
    """Before the first lab plans, prices or opens, nothing differs; the streams are appended."""
    assert ModelLab.streams.index("approval") < ModelLab.streams.index("random_plan")
    a, b = (market(*overrides, worlds=2, steps=1) for overrides in ((), ("decisions.openness=random",)))
    assert a["labs_alive_cn"].equals(b["labs_alive_cn"]) and a["hype"].equals(b["hype"])


# ---------------------------------------------------------------------- what they change


def test_random_planning_wastes_launches():
    """Twice as many launches, most of them small; labs that never grow tired hurt nobody but their purse."""
    assert effect("training_failures_cn", "decisions.planning=random").z < -4.0
    assert effect("models_released_cn", "decisions.planning=random").ratio > 1.2


def test_random_prices_are_dear_and_sell_little():
    """Labs that post at random ask more than costs and rivals would let them, for what all can do as for the best."""
    for column in ("price_flagship_cn", "price_gpt35_level"):
        assert effect(column, "decisions.pricing=random").z < -4.0, column
    assert effect("tokens_day_cn", "decisions.pricing=random").z > 4.0


def test_random_openness_opens_more_and_spreads_use():
    opened = effect("open_release_share_cn", "decisions.openness=random")
    assert opened.z < -4.0 and opened.mean < -0.1
    # What anybody can download spreads use over more labs.
    for column, window in (("hhi_tokens_cn", (3, 36)), ("hhi_users_cn", (12, 36))):
        gathers = effect(column, "decisions.openness=random", window=window)
        assert gathers.z > 3.0 and gathers.ratio > 1.15, column
