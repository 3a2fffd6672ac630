"""What must hold in every world and month, whatever the parameters: nothing appears or vanishes."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from baimo.agents.enums import APPLICATION, CN, ROW, TALENT
from baimo.conf.schema import Config, ConfigError, compose
from baimo.world.compute.chip_supply import chips_in
from baimo.world.engine.population import PopulationFull
from baimo.world.ensemble import Ensemble
from baimo.world.laws import nested_logit
from baimo.world.models import utility

WORLDS = (0, 1, 2)
#: Columns that may be below zero; all other numbers of agents are stocks, flows, shares or ages.
SIGNED = {
    "labs": {"skill", "log_efficiency", "pretrained", "post", "run_inherits", "run_inherits_post", "served", "light"}
    | {
        "open_weights",
        "open_post",
        "reputation",
        "vertical_data",
        "log_largest",
        "launch_worth",
        "served_worth",
        "standing",
        "profit",
        "parent_belief",
    },
    "apps": {"threshold", "aim", "head_start"},
    "vendors": set(),
    "investors": {"weight_capability", "weight_revenue", "weight_hype", "weight_rank"},
    "regulators": set(),
}
#: Columns that point at agents: -1 is nobody.
POINTERS = {
    "labs": {"id", "exit_step", "holder_row", "holder_id", "order_class", "host", "host_id", "run_base"}
    | {"run_base_id", "run_base_model", "model_id", "base_lab", "base_id", "base_model", "open_model", "home_segment"},
    "apps": {"id", "base_lab", "base_id", "base_model", "known_lab", "known_id", "filing_since", "exit_step"},
    "vendors": {"id", "order_class"},
    "investors": {"id"},
    "regulators": {"id"},
}
SHARES = {
    "labs": {"product_share", "mfu", "llm_share", "serving_share", "capacity_share", "awareness"}
    | {"layers", "control", "lock_in"},
    "apps": {"absorbed", "body_lost"},
    "vendors": {"offered_share", "utilisation"},
    "investors": {"attention"},
    "regulators": {"stringency", "enforcement"},
}
#: Parts of the state that may be below zero.
SIGNED_STATE = {"frontier_all", "frontier_cn", "frontier_open", "open_start", "teacher", "public_efficiency"}
SIGNED_STATE |= {"chosen_worth", "base_score", "base_weights", "frontier_history", "balance"}
SIGNED_STATE |= {
    "leader",
    "base_row",
    "base_id",
    "base_model",
    "worth_flagship",
    "worth_light",
    "worth_thinking",
    "reach",
    "merit",
}
SIGNED_STATE |= {"expected_reach", "best_free", "cost_fall", "revenue_growth", "margin_seen"}
SIGNED_STATE |= {"open_at_home", "open_light", "fab_returns"}


def numbers_in(value, path):
    """All numeric arrays in nested memory, with their paths."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "fiub":
            yield path, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from numbers_in(each, f"{path}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for key, each in enumerate(value):
            yield from numbers_in(each, f"{path}[{key}]")
    elif isinstance(value, SimpleNamespace):
        for key, each in vars(value).items():
            yield from numbers_in(each, f"{path}.{key}")
    elif isinstance(value, (int, float, np.generic)):
        yield path, np.asarray(value)


def all_finite(world):
    for kind, population in world.populations.items():
        for name, array in population.columns.items():
            assert np.isfinite(array).all(), f"{kind}.{name} is {array[~np.isfinite(array)][:3]}"
    for path, array in numbers_in(world.state, "state"):
        assert np.isfinite(array).all(), f"{path} is {array[~np.isfinite(array)][:3]}"


def nothing_negative(world):
    for kind, population in world.populations.items():
        alive = population.alive
        for name, array in population.columns.items():
            if name in SIGNED[kind] or array.dtype == bool:
                continue
            least = -1.0 if name in POINTERS[kind] else -1e-9
            low = np.where(alive, array, 0).min()
            assert low >= least, f"{kind}.{name} of somebody alive is {low}"
    for path, array in numbers_in(world.state, "state"):
        name = path.split(".")[1].split("[")[0]
        if name not in SIGNED_STATE:
            assert array.min(initial=0.0) >= -1e-9, f"{path} is {array.min()}"


def nobody_is_left_in_a_tombstone(world):
    """The dead have no money, chips, people, users, and point at nobody."""
    for kind, population in world.populations.items():
        for name, column in population.declared.items():
            if column.clears:
                left = np.where(population.alive, column.default, population.columns[name])
                assert (left == column.default).all(), f"{kind}.{name} of somebody dead is {left.max()}"


def shares_are_shares(world):
    for kind, population in world.populations.items():
        for name in SHARES[kind]:
            values = population.columns[name][..., population.alive]
            assert (values <= 1.0 + 1e-9).all(), f"{kind}.{name} is {values.max()}"
    labs, state = world.labs, world.state
    for name in ("token_share",):
        share = getattr(state, name)
        for region in (CN, ROW):
            total = np.where(labs.region == region, share, 0.0).sum(-1)
            assert (np.isclose(total, 1.0, rtol=1e-9) | (total == 0.0)).all(), f"{name} sums to {total}"
    assert (state.app_share <= 1.0).all()
    assert (state.multimodal <= 1.0).all()


def pointers_point_at_the_living(world):
    """Who is pointed at lives, and is who was meant."""
    labs, apps, investors = world.labs, world.apps, world.investors
    for rows, ids, target in (
        (apps.base_lab, apps.base_id, labs),
        (apps.known_lab, apps.known_id, labs),
        (labs.holder_row, labs.holder_id, investors),
    ):
        for layer, meant in zip(rows, ids, strict=True):
            w, r = np.nonzero(layer >= 0)
            assert (target.id[w, layer[w, r]] == meant[w, r]).all()
            assert target.alive[w, layer[w, r]].all()


class Books:
    """Stocks remembered from the first day, compared at the end of every step."""

    def __init__(self, world):
        self.world = world
        state = world.state
        self.pool = state.pool.copy()
        self.staff = [self._staff(region) for region in (CN, ROW)]
        self.trained = state.trained_people.copy()
        self.cash = sum(each.cash.sum(-1, keepdims=True) for each in world.populations.values())
        self.balance = {name: each.copy() for name, each in world.accounts.balance.items()}

    def _staff(self, region):
        """People by kind in labs and, in CN, in apps, whose people are application engineers."""
        labs, apps = self.world.labs, self.world.apps
        staff = np.where(labs.region == region, labs.staff, 0.0).sum(-1, keepdims=True)
        if region == CN:
            staff[APPLICATION] += (apps.engineers + apps.tuners).sum(-1, keepdims=True)
        return staff

    def accounts(self):
        world = self.world
        assert (world.accounts.residual < 1e-9).all(), f"residual {world.accounts.residual.ravel()}"
        # Money of the whole world, sectors included, neither grows nor shrinks.
        cash = sum(each.cash.sum(-1, keepdims=True) for each in world.populations.values())
        moved = sum(world.accounts.balance[name] - self.balance[name] for name in self.balance)
        scale = 1.0 + cash + sum(np.abs(each) for each in world.accounts.balance.values())
        assert (np.abs(cash - self.cash + moved) / scale < 1e-9).all()
        for kind, (paid, received) in world.accounts.flows.items():
            assert np.allclose(paid, received, rtol=1e-9, atol=1e-9), f"{kind}: {paid} is paid, {received} received"

    def chips(self):
        world, state = self.world, self.world.state
        there = chips_in(world, CN) + chips_in(world, ROW)
        expected = state.chips_start + state.chips_made - state.chips_worn
        scale = np.maximum(state.chips_start + state.chips_made, 1.0)
        for k, name in enumerate(world.chips.names):
            gap = np.abs(there[k] - expected[k]) / scale[k]
            assert (gap < 1e-9).all(), f"{name}: {there[k].ravel()} chips, {expected[k].ravel()} by the books"

    def people(self):
        state = self.world.state
        for region in (CN, ROW):
            for k, kind in enumerate(TALENT):
                start = self.staff[region][k] + self.pool[region][k] - self.trained[region][k]
                there = self._staff(region)[k] + state.pool[region][k]
                expected = start + state.trained_people[region][k]
                gap = np.abs(there - expected) / np.maximum(expected, 1.0)
                assert (gap < 1e-9).all(), f"{kind} in region {region}: {there.ravel()} people, not {expected.ravel()}"

    def users(self):
        world, table = self.world, self.world.segments
        users = np.where(world.labs.alive, world.labs.users, 0.0).sum(-1, keepdims=True)
        adopters = world.state.adopters
        assert (users <= adopters * (1.0 + 1e-9) + 1e-12).all(), "more users than adopters"
        assert (adopters <= table.column("population") * table.column("ceiling") * (1.0 + 1e-9)).all()
        apps = world.apps
        assert (apps.users[apps.alive] >= 0.0).all()
        for segment in range(12):
            here = np.where(apps.alive & (apps.segment == segment), apps.users, 0.0).sum(-1, keepdims=True)
            assert (here <= adopters[segment] * table.addressable[segment] * (1.0 + 1e-9)).all()

    def everything(self):
        self.accounts()
        self.chips()
        self.people()
        self.users()
        all_finite(self.world)
        nothing_negative(self.world)
        nobody_is_left_in_a_tombstone(self.world)
        shares_are_shares(self.world)


def watched_run(ensemble, steps):
    """Run, and check everything at the end of each step."""
    books = Books(ensemble.world)
    for _ in range(steps):
        ensemble.step()
        try:
            books.everything()
        except AssertionError as error:
            raise AssertionError(f"step {ensemble.steps_done - 1}: {error}") from None
    return ensemble


# ---------------------------------------------------------------------- one history, many checks


@pytest.fixture(scope="module")
def months():
    """What each check says at the end of each month of a history of 30 months."""
    ensemble = Ensemble(compose(["output.level=market"]), WORLDS)
    books = Books(ensemble.world)
    checks = {
        "accounts": books.accounts,
        "chips": books.chips,
        "people": books.people,
        "users": books.users,
        "finite": lambda: all_finite(ensemble.world),
        "negative": lambda: nothing_negative(ensemble.world),
        "tombstones": lambda: nobody_is_left_in_a_tombstone(ensemble.world),
        "shares": lambda: shares_are_shares(ensemble.world),
        "pointers": lambda: pointers_point_at_the_living(ensemble.world),
    }
    said: dict[str, list[str]] = {name: [] for name in checks}
    for step in range(30):
        ensemble.step()
        for name, check in checks.items():
            try:
                check()
            except AssertionError as error:
                said[name].append(f"month {step}: {error}")
    return said, ensemble


CHECKS = ["accounts", "chips", "people", "users", "finite", "negative", "tombstones", "shares", "pointers"]


@pytest.mark.parametrize("check", CHECKS)
def test_every_month_of_every_world(months, check):
    assert not months[0][check], f"{len(months[0][check])} months fail, first: {months[0][check][0]}"


def test_the_history_is_worth_checking(months):
    """Money, chips and people did move, labs and apps did come and go."""
    world = months[1].world
    market = months[1].tables()["market"]
    for name in ("lab_entries_cn", "lab_exits_cn", "app_deaths_cn", "app_entries_cn", "funding_cn"):
        assert market[name].sum() > 0, name
    assert (world.state.chips_worn.sum(0) > 0).all()
    assert (world.state.chips_made.sum(0) > 0).all()
    assert (market["accounts_residual"] < 1e-9).all()
    assert world.accounts.flows, "no payments in the last month"


def test_recorded_measures_are_numbers(months):
    """Undefined measures are missing; whatever is there is finite, shares lie in [0, 1]."""
    market = months[1].tables()["market"]
    for name in market.columns[3:]:
        values = market[name].drop_nulls().to_numpy()
        assert np.isfinite(values).all(), name
        if "share" in name or name.startswith(("hhi_", "cr4_")):
            assert ((values >= 0.0) & (values <= 1.0 + 1e-9)).all(), name
    for name in ("labs_alive_cn", "tokens_day_cn", "users_cn", "h100e_cn_legal", "h100e_row", "hype", "trust_cn"):
        assert market[name].null_count() == 0, name
        assert (market[name] >= 0.0).all(), name


def test_top_shares_are_in_order(months):
    market = months[1].tables()["market"]
    top1, cr4, hhi = (market[n].to_numpy() for n in ("top1_tokens_share_cn", "cr4_tokens_cn", "hhi_tokens_cn"))
    assert (top1 <= cr4 + 1e-12).all()
    assert (top1**2 <= hhi + 1e-12).all()
    assert (hhi <= top1 + 1e-12).all()


def test_chips_outside_the_law_stay_within_what_is_there(months):
    """Grey chips are part of the foreign chips in CN."""
    market = months[1].tables()["market"]
    foreign = market["h100e_cn_legal"] + market["h100e_cn_grey"]
    by_class = [n for n in market.columns if n.startswith("h100e_cn_")]
    domestic = {"h100e_cn_domestic", "h100e_cn_legal", "h100e_cn_grey"}
    total = sum(market[n] for n in by_class if n not in domestic)
    assert np.allclose(foreign + market["h100e_cn_domestic"], total, rtol=1e-9)


def test_choice_probabilities_sum_to_one_in_the_market(monkeypatch):
    """Labs and the old tools share every segment of every world out, each month."""
    gaps = []
    genuine = nested_logit.nested_shares

    def watched(value, open_nest, outside, correlation, aware):
        share, within, log_sum = found = genuine(value, open_nest, outside, correlation, aware)
        assert (share <= aware + 1e-12).all()
        rest = np.exp(outside - log_sum)
        gaps.append(np.abs(share.sum(-1, keepdims=True) + rest - 1.0).max())
        for nest in (open_nest, ~open_nest):
            total = np.where(nest, within, 0.0).sum(-1)
            assert (np.isclose(total, 1.0, rtol=1e-12) | (total == 0.0)).all()
        return found

    monkeypatch.setattr(utility, "nested_shares", watched)
    Ensemble(compose(["output.level=market"]), (0, 1)).run(8)
    assert len(gaps) >= 8
    assert max(gaps) < 1e-9


# ---------------------------------------------------------------------- the checks can fail


@pytest.fixture
def small():
    """One world after two months, for spoiling."""
    return Ensemble(compose(["output.level=market"]), (0,)).run(2)


def spoil(array, amount):
    array[..., 0, 0] += amount


@pytest.mark.parametrize(
    ("check", "harm"),
    [
        ("chips", lambda world: spoil(world.labs.columns["fleet"], 1e-3)),
        ("chips", lambda world: spoil(world.state.chips_made, 1.0)),
        ("people", lambda world: spoil(world.state.pool[ROW], -1e-3)),
        ("people", lambda world: spoil(world.labs.columns["staff"], 1e-3)),
        ("people", lambda world: spoil(world.apps.columns["tuners"], 1e-3)),
        ("users", lambda world: spoil(world.labs.columns["users"], 1e4)),
        ("accounts", lambda world: spoil(world.labs.columns["cash"], 1.0)),
    ],
)
def test_a_loss_is_noticed(small, check, harm):
    books = Books(small.world)
    getattr(books, check)()
    harm(small.world)
    with pytest.raises(AssertionError):
        getattr(books, check)()


# ---------------------------------------------------------------------- drawn configurations

SECTIONS = ("technology", "training", "lab", "openness", "organisation", "chip_market", "rental", "serving")
SECTIONS += ("model_market", "moat", "app_market", "trust", "licensing", "talent", "capital", "entry_exit")
SECTIONS += ("lineage", "exploration", "platform", "pace", "compliance")


def parameters():
    """Every number that may be drawn: key, low, high (a factor of three around the baseline)."""
    found = []
    for section in dataclasses.fields(Config):
        if section.name not in SECTIONS:
            continue
        for each in dataclasses.fields(section.default_factory):
            if not isinstance(each.default, float) or not each.metadata:
                continue
            ends = sorted((each.default / 3.0, each.default * 3.0))
            low = max(each.metadata["low"], ends[0])
            high = min(each.metadata["high"], ends[1])
            if high > low:
                found.append((f"{section.name}.{each.name}", low, high))
    return found


PARAMETERS = parameters()
GROUPS = st.fixed_dictionaries(
    {
        "scenario": st.sampled_from(["baseline", "no_embargo"]),
        "graph": st.sampled_from(["small_world", "scale_free", "blocks", "complete", "empty"]),
        "policy/licensing": st.sampled_from(["history", "none"]),
        "policy/open_source": st.sampled_from(
            ["history", "champion_opens", "champion_closes", "mandate", "subsidy", "ban"]
        ),
        "policy/capital": st.sampled_from(["none", "guidance_fund", "cooling", "no_leader", "no_mergers"]),
        "policy/market": st.sampled_from(["none", "floor"]),
        "policy/news": st.sampled_from(["history", "none"]),
    }
)


@st.composite
def configurations(draw):
    """Overrides of a handful of parameters, groups, the clock and the seed."""
    chosen = draw(st.lists(st.sampled_from(PARAMETERS), min_size=5, max_size=10, unique_by=lambda p: p[0]))
    overrides = [f"{key}={draw(st.floats(low, high)):.6g}" for key, low, high in chosen]
    overrides = [each for each in overrides if _inside(each)]
    groups = [f"{key}={value}" for key, value in draw(GROUPS).items()]
    clock = draw(st.sampled_from(["month", "month", "week"]))
    return [*groups, *overrides, f"clock={clock}", f"seed={draw(st.integers(0, 2**63))}", "output.level=labs"]


def _inside(override):
    """Rounding in the text of an override may step over the end of a range."""
    key, value = override.split("=")
    low, high = next((low, high) for name, low, high in PARAMETERS if name == key)
    return low <= float(value) <= high


def holds(overrides, worlds, steps):
    ensemble = Ensemble(compose(overrides), range(worlds))
    try:
        watched_run(ensemble, steps)
    except PopulationFull:
        return  # a clear end, not a wrong number
    market = ensemble.tables()["market"]
    assert market.height == worlds * steps


def test_there_are_parameters_to_draw():
    assert len(PARAMETERS) > 150
    assert all(low < high for _, low, high in PARAMETERS)


@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # shrinking reruns histories for minutes: what fails is printed as drawn
    suppress_health_check=list(HealthCheck),
)
@given(overrides=configurations(), worlds=st.integers(1, 2))
def test_drawn_configurations(overrides, worlds):
    holds(overrides, worlds, 12)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(overrides=configurations(), worlds=st.integers(1, 3))
def test_many_drawn_configurations(overrides, worlds):
    holds(overrides, worlds, 24)


def watched_ends(spread, steps):
    """All given parameters at both ends, one a world: world 2i has key i at its low end, 2i + 1 at its high end."""
    keys = list(spread)
    base = {key: _baseline(key) for key in keys}
    values = {key: [base[key]] * (2 * len(keys)) for key in keys}
    for number, key in enumerate(keys):
        values[key][2 * number], values[key][2 * number + 1] = spread[key]
    ensemble = Ensemble(compose(["output.level=market"]), range(2 * len(keys)), values)
    return watched_run(ensemble, steps)


def _baseline(key):
    section, name = key.split(".")
    return getattr(getattr(Config(), section), name)


def alone_if_shared(key):
    """Whether a parameter must be one for all worlds."""
    try:
        Ensemble(compose(["output.level=market"]), (0,), {key: [_baseline(key)]})
    except ConfigError:
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("section", SECTIONS)
def test_each_parameter_at_both_ends(section):
    """One at a time, a third and three times the baseline (within the declared range)."""
    ends = {key: (low, high) for key, low, high in PARAMETERS if key.startswith(f"{section}.")}
    shared = [key for key in ends if alone_if_shared(key)]
    for key in shared:
        for value in ends[key]:
            holds([f"{key}={value:.12g}", "output.level=market"], 1, 18)
    apart = {key: each for key, each in ends.items() if key not in shared}
    try:
        watched_ends(apart, 18)
    except (AssertionError, FloatingPointError, RuntimeWarning):
        for key, each in apart.items():  # whose fault is it?
            try:
                watched_ends({key: each}, 18)
            except Exception as error:
                raise AssertionError(f"{key} at {each}: {error}") from error
        raise
