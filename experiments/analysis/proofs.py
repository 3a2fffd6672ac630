"""Statements on directions and orders of size that the model must show to carry a policy conclusion.

Each statement names the settings that are run, in pairs of worlds, and a rule that reads the runs. No rule has a
value that the model was fitted to. Words are settings as of ``baimo`` (``worlds=32 seed=7``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from omegaconf import DictConfig

from baimo.experiments.analysis.leads import what_a_lead_moves
from baimo.experiments.analysis.paired import LAST_YEAR, Outcome, paired_t_test, world_means
from baimo.experiments.measures import demography, size, survival
from baimo.experiments.read import load
from baimo.experiments.run.cells import changed, run_cells
from baimo.experiments.run.compose import UserError, compose_run

BASE = "baseline"
#: Years of a run by the months they take, as periods of :mod:`~baimo.experiments.analysis.paired`.
TWELVE_MONTHS = ("2022-12..2023-11", "2023-12..2024-11", "2024-12..2025-11", "2025-12..2026-11")
EMBARGOES = ("none", "late", "history", "tight")
#: Prefill and decode: output shares of requests at which strictness is compared.
SERVING = ("0.15", "0.25", "0.5")


@dataclass(frozen=True)
class Finding:
    """One reading of runs: what was found, and whether it is as stated; None where it only informs."""

    text: str
    holds: bool | None


class Runs:
    """Runs of a proof by the name of their settings."""

    def __init__(self, folders: Mapping[str, Path], settings: Mapping[str, DictConfig]):
        self.folders, self.settings = folders, settings

    def mean(self, column: str, arm: str = BASE, period: str = LAST_YEAR) -> np.ndarray:
        """A column over a period in each world."""
        return world_means(self.folders[arm], Outcome(column), period, logs=False)

    def config(self, arm: str = BASE) -> DictConfig:
        """The settings of a run, for the same worlds once more, without panels."""
        return changed(self.settings[arm], {"output.level": "market"})

    def market(self, arm: str = BASE) -> pl.DataFrame:
        """The market table of a run."""
        return load.market(self.folders[arm]).sort("replicate", "step").collect()

    def labs(self, arm: str = BASE) -> pl.LazyFrame:
        """The panel of labs of a run."""
        return load.labs(self.folders[arm])


@dataclass(frozen=True)
class Proof:
    """A statement, the settings that it needs, and the rule that reads them."""

    number: int
    says: str
    arms: Mapping[str, tuple[str, ...]]
    read: Callable[[Runs], Iterator[Finding]]


PROOFS: list[Proof] = []


def proof(says: str, **arms: tuple[str, ...]) -> Callable[[Callable], Callable]:
    """Declare the next proof; ``arms`` are overrides by name, beside the baseline."""

    def declare(read: Callable[[Runs], Iterator[Finding]]) -> Callable:
        PROOFS.append(Proof(len(PROOFS) + 1, says, {BASE: ()} | arms, read))
        return read

    return declare


# ---------------------------------------------------------------------- how findings are worded


def change(runs: Runs, column: str, arm: str, period: str = LAST_YEAR) -> tuple[str, float, float]:
    """A column with an arm over that of the baseline less one, in words with its 95% interval; and the interval."""
    base, other = runs.mean(column, BASE, period), runs.mean(column, arm, period)
    found = paired_t_test(other, base)
    level = float(np.nanmean(base))
    low, high = found["low"] / level, found["high"] / level
    share = found["effect"] / level
    return f"{column} with {arm}, {period}: {share:+.1%} [{low:+.1%}, {high:+.1%}] of {level:.4g}", low, high


def correlation(values: np.ndarray) -> tuple[str, float]:
    """Mean of correlations over worlds in words with its standard error, and how many errors it is from zero."""
    values = values[np.isfinite(values)]
    error = values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():+.3f} (standard error {error:.3f}, {len(values)} worlds)", float(values.mean() / error)


def monotone(values: Sequence[float], rising: bool) -> bool:
    """Whether values never fall (or never rise)."""
    steps = np.diff(values)
    return bool((steps >= 0.0).all() if rising else (steps <= 0.0).all())


# ---------------------------------------------------------------------- the proofs


@proof("survival hangs on the market: halved revenue closes labs, and price cuts precede exits",
       half=("revenue.kept=0.5",))  # fmt: skip
def survival_hangs_on_the_market(runs: Runs) -> Iterator[Finding]:
    """Labs alive fall by more than a tenth; cuts of the median price lead exits by up to a half year."""
    for period in TWELVE_MONTHS[1:]:
        text, _, high = change(runs, "labs_alive_cn", "half", period)
        yield Finding(text, high < 0.0 if period != TWELVE_MONTHS[-1] else high < -0.1)
    found = []
    for _, world in runs.market().group_by("replicate"):
        world = world.sort("step").filter(pl.col("step") >= 6)
        cut = -np.diff(np.log(world["price_flagship_median_cn"].to_numpy()))
        exits = world["lab_exits_cn"].to_numpy()[1:]
        found.append([np.corrcoef(cut[:-lag], exits[lag:])[0, 1] for lag in (1, 3, 6)])
    for lag, values in zip((1, 3, 6), np.array(found).T, strict=True):
        text, errors = correlation(values)
        yield Finding(f"correlation of cuts with exits {lag} months later: {text}", errors > 2.0)


@proof("prices compete: able entrants lower them, and margins stay within bounds",
       twice=("entry_exit.entry_base=4", "entry_exit.entrant_pool=480"), none=("entry_exit.entry_base=0",))  # fmt: skip
def prices_compete(runs: Runs) -> Iterator[Finding]:
    """Twice the entrants lower prices, none keep margins; those of the last year lie between -50% and +50%."""
    text, _, high = change(runs, "price_flagship_cn", "twice")
    yield Finding(text, high < 0.0)
    none = paired_t_test(runs.mean("margin_flagship_cn", "none"), runs.mean("margin_flagship_cn"))
    yield Finding(f"margin without entrants: {none['effect']:+.3f} [{none['low']:+.3f}, {none['high']:+.3f}]",
                  none["low"] > -0.1)  # fmt: skip
    for period in TWELVE_MONTHS:
        margin = runs.mean("margin_flagship_cn", BASE, period)
        low, middle, high = np.nanquantile(margin, [0.05, 0.5, 0.95])
        last = period == TWELVE_MONTHS[-1]
        yield Finding(f"margin {period}: {middle:+.2f} [{low:+.2f}, {high:+.2f}]",
                      bool(low > -0.5 and high < 0.5) if last else None)  # fmt: skip


@proof("price wars happen unscheduled: months in which the median flagship is cut by more than half",
       no_capacity=("pricing.capacity=0",), no_replies=("pricing.reply=0",),
       neither=("pricing.capacity=0", "pricing.reply=0"))  # fmt: skip
def price_wars_happen(runs: Runs) -> Iterator[Finding]:
    """Some worlds have such months, and fewer where prices heed no capacity or nobody answers."""
    shares = {}
    for arm in runs.folders:
        market = runs.market(arm).filter(pl.col("step") >= 6)
        cut = pl.col("price_flagship_median_cn") / pl.col("price_flagship_median_cn").shift(1).over("replicate") - 1.0
        worst = market.with_columns(cut.alias("cut")).group_by("replicate").agg(pl.col("cut").min())["cut"]
        shares[arm] = float((worst < -0.5).mean() or 0.0)
        compared = shares[arm] > 0.0 if arm == BASE else shares[arm] < 0.5 * shares[BASE]
        yield Finding(f"worlds with such a month, {arm}: {shares[arm]:.0%}; median of the worst {worst.median():+.0%}",
                      compared)  # fmt: skip


@proof(
    "the embargo's sign does not hang on a constant: strictness is monotone at three shares of output",
    **{f"{each}_{o}": (f"policy/embargo={each}", f"serving.output_share={o}") for each in EMBARGOES for o in SERVING},
)
def the_embargo_is_monotone(runs: Runs) -> Iterator[Finding]:
    """Prices rise, the native frontier and chips fall, over none, late, history and tight, in the third year."""
    for column, rising in (("price_flagship_cn", True), ("frontier_native_cn", False), ("h100e_cn_legal", False)):
        for o in SERVING:
            values = [float(np.nanmean(runs.mean(column, f"{each}_{o}", TWELVE_MONTHS[2]))) for each in EMBARGOES]
            listed = ", ".join(f"{value:.4g}" for value in values)
            yield Finding(
                f"{column} at output share {o}: {listed} over {', '.join(EMBARGOES)}", monotone(values, rising)
            )


@proof("compute is one economy: fewer tokens lower rents, which rest on no bound",
       half=("model_market.use_scale=0.0925",))  # fmt: skip
def compute_is_one_economy(runs: Runs) -> Iterator[Finding]:
    """Halved use lowers both rents; no rent stays where it is for long."""
    for column in ("price_rent_cn_usd_hour", "rent_serving_cn_usd_hour"):
        text, _, high = change(runs, column, "half", TWELVE_MONTHS[2])
        yield Finding(text, high < 0.0)
        still = runs.market().select((pl.col(column).diff().over("replicate").abs() < 1e-9).mean())[column][0]
        yield Finding(f"months in which {column} does not move at all: {still:.1%}", still < 0.1)


@proof("compute makes capability: the native frontier goes with chips across worlds",
       none=("policy/embargo=none",), tight=("policy/embargo=tight",))  # fmt: skip
def compute_makes_capability(runs: Runs) -> Iterator[Finding]:
    """Correlation of the best native model with the compute on which labs train, from the second year.

    Across worlds of one policy, where chips hardly differ, and over embargoes, where they do.
    """
    for period in TWELVE_MONTHS[1:]:
        compute, native = {}, {}
        for arm in runs.folders:
            chips = sum(runs.mean(f"h100e_cn_{each}", arm, period) for each in ("legal", "grey", "domestic"))
            compute[arm] = np.log(chips * runs.mean("chips_use_training_cn", arm, period))
            native[arm] = runs.mean("frontier_native_cn", arm, period)
        for arms, where in (([BASE], "across worlds"), (list(runs.folders), "over embargoes")):
            pairs = np.array([np.concatenate([of[arm] for arm in arms]) for of in (compute, native)])
            pairs = pairs[:, np.isfinite(pairs).all(axis=0)]
            found = float(np.corrcoef(pairs)[0, 1])
            yield Finding(f"correlation {where}, {period}: {found:+.2f} ({pairs.shape[1]} worlds)", found > 0.3)


@proof("opening costs and earns: a mandate lowers frontier research, hosts serve on when an author closes",
       mandate=("policy/open_source=mandate",), closes=("policy/open_source=champion_closes",))  # fmt: skip
def opening_costs(runs: Runs) -> Iterator[Finding]:
    """Cost of frontier labs under a mandate; tokens that hosts serve after the champion has closed."""
    text, _, high = change(runs, "cost_frontier_labs", "mandate")
    yield Finding(text, high < 0.0)
    text, low, _ = change(runs, "tokens_hosted_row", "closes")
    yield Finding(text, low > -0.9)


@proof("a price floor lowers use", half=("policy.market.floor=0.5",), two=("policy.market.floor=2",),
       eight=("policy.market.floor=8",))  # fmt: skip
def a_floor_lowers_use(runs: Runs) -> Iterator[Finding]:
    """Tokens fall with the floor, at home and in all."""
    for columns in (("tokens_day_cn",), ("tokens_day_cn", "tokens_day_row")):
        values = [float(sum(np.nanmean(runs.mean(each, arm)) for each in columns)) for arm in runs.folders]
        listed = ", ".join(f"{value:.4g}" for value in values)
        yield Finding(f"{' + '.join(columns)}: {listed} over {', '.join(runs.folders)}", monotone(values, rising=False))


@proof("firms live like firms: the hazard rises with age and falls, it falls with size, growth is tent-shaped")
def firms_live_like_firms(runs: Runs) -> Iterator[Finding]:
    """Hazard of exit by half years of age and by size, and the exponent of the Subbotin density of growth."""
    lives = demography.lives(runs.labs())
    by_age = survival.hazard_by_age(lives, width=6.0).collect()
    hazard = by_age.filter(pl.col("exposure") > 500.0)["hazard"].to_numpy()
    listed = ", ".join(f"{value:.3f}" for value in hazard)
    top = int(np.argmax(hazard))
    yield Finding(f"hazard a month by half years of age: {listed}", 0 < top < len(hazard) - 1)
    panel = runs.labs().filter(pl.col("region") == "CN").sort("replicate", "lab_id", "step")
    gone = (~pl.col("alive").shift(-1).over("replicate", "lab_id")).alias("gone")
    third = pl.col("staff").rank("ordinal").over("replicate", "step") * 3 / (pl.len().over("replicate", "step") + 1)
    by_size = panel.with_columns(gone).filter("alive").with_columns(third.floor().alias("third"))
    rates = by_size.group_by("third").agg(pl.col("gone").mean()).sort("third").collect()["gone"].to_list()
    yield Finding(
        f"hazard by thirds of staff: {', '.join(f'{each:.4f}' for each in rates)}", monotone(rates, rising=False)
    )
    growth = size.subbotin(size.growth_rates(runs.labs(), "staff"))
    shape = float(growth["shape"][0])
    yield Finding(f"Subbotin exponent of growth of staff: {shape:.2f} (1: Laplace, 2: normal)", shape < 1.4)


@proof("a lead counts at the end as at the start")
def a_lead_counts(runs: Runs) -> Iterator[Finding]:
    """Half an OOM moves the leader's share at the end by at least half of what it moves after the first year."""
    months = (6, 12, int(runs.config().steps))
    moved = what_a_lead_moves(runs.config(), months)
    for month, of_worlds in zip(months, moved, strict=True):
        low, middle, high = np.quantile(of_worlds, [0.05, 0.5, 0.95])
        held = bool(moved[2].mean() > 0.5 * moved[1].mean()) if month == months[2] else None
        yield Finding(f"share moved after {month} months: {middle:+.3f} [{low:+.3f}, {high:+.3f}], mean "
                      f"{of_worlds.mean():+.3f}", held)  # fmt: skip


@proof("nothing moves without a cause: a placebo changes nothing; rows, weeks and graphs turn no sign",
       placebo=("policy.market.floor=8", "policy.market.since=2030-01-01"),
       more_rows=("population.labs=512",), free=("policy/embargo=none",),
       free_graph=("policy/embargo=none", "graph=scale_free"), graph=("graph=scale_free",),
       free_week=("policy/embargo=none", "clock=week", "steps=208"), week=("clock=week", "steps=208"))  # fmt: skip
def nothing_moves_without_a_cause(runs: Runs) -> Iterator[Finding]:
    """A policy that never comes into force changes no number; the embargo's effects keep their sign elsewhere."""
    columns = ("labs_alive_cn", "price_flagship_cn", "tokens_day_cn", "frontier_cn")
    for arm in ("placebo", "more_rows"):
        same = all(np.array_equal(runs.mean(each, arm), runs.mean(each), equal_nan=True) for each in columns)
        yield Finding(f"{arm}: {'the same numbers' if same else 'other numbers'}", same)
    for column in ("h100e_cn_legal", "tokens_day_cn", "frontier_native_cn"):
        signs = {}
        for name, (without, with_) in {
            "baseline": ("free", BASE), "graph": ("free_graph", "graph"), "week": ("free_week", "week")
        }.items():  # fmt: skip
            found = paired_t_test(
                runs.mean(column, with_, TWELVE_MONTHS[2]), runs.mean(column, without, TWELVE_MONTHS[2])
            )
            clear = found["low"] > 0.0 or found["high"] < 0.0
            signs[name] = int(np.sign(found["effect"])) if clear else 0
        turned = signs["baseline"] != 0 and -signs["baseline"] in (signs["graph"], signs["week"])
        yield Finding(f"sign of the embargo's effect on {column}: {signs}", not turned)


# ---------------------------------------------------------------------- running them


def chosen_proofs(only: Sequence[str]) -> list[Proof]:
    """Proofs by their numbers; all where none is named.

    Raises
    ------
    UserError
        For what is no number of a proof.
    """
    for word in only:
        if word not in {str(each.number) for each in PROOFS}:
            raise UserError(f"--only {word}: proofs have numbers from 1 to {len(PROOFS)}")
    return [each for each in PROOFS if not only or str(each.number) in only]


def run_proofs(words: Sequence[str], cfg: DictConfig, proofs: Sequence[Proof]) -> list[tuple[Proof, Runs]]:
    """Run the settings of proofs, each once; returns them with their runs."""
    level = ("output.level=labs",)
    cfgs = {
        overrides: compose_run([*words, *level, *overrides])
        for each in proofs
        for overrides in map(tuple, each.arms.values())
    }
    folders = dict(zip(cfgs, run_cells(list(cfgs.values()), "proofs", int(cfg.processes)), strict=True))
    found = []
    for each in proofs:
        of_arms = ({name: of[tuple(o)] for name, o in each.arms.items()} for of in (folders, cfgs))
        found.append((each, Runs(*of_arms)))
    return found
