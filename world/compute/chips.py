"""Chips: effective speed, export-control numbers, goodput of clusters, tokens a second."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from baimo.world.engine.arrays import Array, namespace
from baimo.world.engine.clock import as_date

H100_TPP = 15830.0
H100_TFLOPS = 989.0
H100_TB_PER_S = 3.35  # memory bandwidth
H100_KW = 0.7
SECONDS_A_DAY = 86400.0
HOURS_A_YEAR = 8766.0
CNY_A_USD = 7.2


class Silicon(NamedTuple):
    """What bounds serving on a chip."""

    tflops: float
    bandwidth: float  # TB/s
    memory_gb: float


H100 = Silicon(H100_TFLOPS, H100_TB_PER_S, 80.0)


@dataclass(frozen=True)
class ChipTable:
    """Constants of the chip classes, each an array ``(classes, 1, 1)``."""

    names: tuple[str, ...]
    vendors: tuple[str, ...]
    generations: tuple[str, ...]
    homes: tuple[str, ...]
    kinds: tuple[str, ...]
    parents: tuple[str, ...]
    launch: tuple[dt.date, ...]
    response_months: tuple[float, ...]
    tflops: Array
    memory_gb: Array
    bandwidth: Array
    interconnect: Array
    kw: Array
    tpp: Array
    density: Array
    list_usd: Array
    failure_factor: Array
    maturity: Array
    training_speed: Array  # in H100s; (classes, worlds, 1) where the bound differs from world to world

    @classmethod
    def from_rows(cls, rows: list, bound: Array = 1.0) -> ChipTable:
        """Read the rows of ``conf/hardware`` (see there for units and sources).

        ``bound`` says how far data bandwidth bounds training, 0 to 1 (see ``effective_tflops``).
        """

        def numbers(key: str) -> Array:
            return np.array([float(row[key]) for row in rows]).reshape(-1, 1, 1)

        def words(key: str) -> tuple:
            return tuple(row[key] for row in rows)

        movement = (numbers("memory_tb_per_s"), numbers("interconnect_gb_per_s"))
        speed = effective_tflops(numbers("fp16_tflops"), *movement, bound)
        return cls(
            names=words("chip"),
            vendors=words("vendor"),
            generations=words("generation"),
            homes=words("home"),
            kinds=words("kind"),
            parents=words("parent"),
            launch=tuple(as_date(row["launch"]) for row in rows),
            response_months=tuple(float(row["response_months"]) for row in rows),
            tflops=numbers("fp16_tflops"),
            memory_gb=numbers("memory_gb"),
            bandwidth=numbers("memory_tb_per_s"),
            interconnect=numbers("interconnect_gb_per_s"),
            kw=numbers("tdp_w") / 1000.0,
            tpp=numbers("tpp"),
            density=numbers("tpp") / numbers("die_mm2"),
            list_usd=numbers("list_price_usd"),
            failure_factor=numbers("failure_factor"),
            maturity=numbers("maturity"),
            training_speed=speed / effective_tflops(H100_TFLOPS, H100_TB_PER_S, 900.0),
        )

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def _masks(self) -> dict[tuple[str, ...], Array]:
        return {}

    def which(self, column: str, *words: str) -> Array:
        """Mask of the classes whose ``column`` is one of the words, ``(classes, 1, 1)``; made once."""
        key = (column, *words)
        if key not in self._masks:
            mask = np.array([each in words for each in getattr(self, column)]).reshape(-1, 1, 1)
            self._masks[key] = namespace(self.tpp).asarray(mask)
        return self._masks[key]

    @property
    def lines(self) -> dict[str, list[int]]:
        """Classes of each generation, which share what can be made of it."""
        found: dict[str, list[int]] = {}
        for k, generation in enumerate(self.generations):
            found.setdefault(generation, []).append(k)
        return found

    @property
    def h100e(self) -> Array:
        """H100 equivalents by total processing performance (the unit of the stock facts)."""
        return self.tpp / H100_TPP


def effective_tflops(peak: Array, bandwidth: Array, interconnect: Array, bound: Array = 1.0) -> Array:
    """Roofline in series: 1/(1/peak + b (1/(1500 bw) + 1/(5 interconnect))).

    Peak in TFLOP/s, memory bandwidth in TB/s, interconnect in GB/s: data movement, not
    arithmetic, bounds training (M10), so that interconnect limits bite. With b = 0 data come for nothing.
    """
    return 1.0 / (1.0 / peak + bound * (1.0 / (1500.0 * bandwidth) + 1.0 / (5.0 * interconnect)))


def weakness(count: Array, frailty: Array, speed: Array, exponent: Array) -> Array:
    """Number of H100s that would fail as often as the cards of a cluster (M08).

    speed (count frailty / speed)^e: with e = 1 every card counts with its own rate of failure,
    so that weak cards multiply failures twice, in number and each; with e = 0 a cluster fails
    as often as H100s of its speed would.
    """
    strain = np.log(np.maximum(count * frailty, 1e-9) / np.maximum(speed, 1e-9))
    return speed * np.exp(exponent * strain)


def power_draw(chips: ChipTable, exponent: Array) -> Array:
    """kW of a card: its own, e = 1, to that of H100s of its speed, e = 0 (M08: power bills)."""
    fair = H100_KW * chips.training_speed
    return fair * np.exp(exponent * np.log(chips.kw / fair))


def goodput(chips: Array, failures_per_hour: Array, detect_hours: float, restart_hours: float) -> Array:
    """Share of time a synchronous cluster makes progress.

    g = 1/(1 + sqrt(2 delta lambda n) + rho lambda n) with delta the cost of a checkpoint and
    rho of a restart (Young 1974, Daly 2006): weak cards in number lose multiplicatively.
    """
    strain = failures_per_hour * chips
    return 1.0 / (1.0 + np.sqrt(2.0 * detect_hours * strain) + restart_hours * strain)


def seconds_a_token(active: Array, chip: Any, use: Any, serving: Any) -> Array:
    """Seconds of one chip for a token of a model of N active parameters, read or written (X05).

    t = (1-o)(1-z) 2N/(peak u_p) + o max(2N/(peak u_d), (bytes N/B + kv)/bw): prompts are read at once, and bound by
    arithmetic; answers are written token by token, and bound by the weights and caches that each takes from memory
    (Pope et al. 2022).

    Parameters
    ----------
    active : array or float
        N.
    chip : record
        ``tflops`` (peak), ``bandwidth`` (bw, TB/s) and ``memory_gb``: a :class:`ChipTable`, or ``H100``.
    use : record
        ``output_share`` o of all tokens, and ``cache_hits`` z, prompts read before.
    serving : record
        The parameters; ``arithmetic`` = 0 leaves memory bandwidth alone.

    Notes
    -----
    The cache of a request is that of its prompt and half of its answer, kv = kv_0 (1 + o/(2(1-o))), and a batch is
    what load and memory allow, B = min(B_load, room memory/kv).
    """
    written = use.output_share
    read = 1.0 - written
    work = serving.arithmetic * 2.0 * active / (chip.tflops * 1e12)
    cache = serving.kv_bytes * (1.0 + 0.5 * written / np.maximum(read, 0.02))
    batch = np.minimum(serving.batch, serving.cache_room * chip.memory_gb * 1e9 / cache)
    traffic = (serving.bytes_per_parameter * active / np.maximum(batch, 1.0) + cache) / (chip.bandwidth * 1e12)
    prefill = read * (1.0 - use.cache_hits) * work / serving.prefill_mfu
    return prefill + written * np.maximum(work / serving.decode_mfu, traffic)


def tokens_per_second(active: Array, chip: Any, use: Any, serving: Any) -> Array:
    """Tokens a second of a chip that is busy for its usual share of the time (see ``seconds_a_token``)."""
    return serving.utilisation / seconds_a_token(active, chip, use, serving)


def serving_speeds(chips: ChipTable, use: Any, serving: Any) -> Array:
    """Serving speed of each class in H100s, t_H100/t_k at the reference model (X05)."""
    size = serving.reference_size
    return seconds_a_token(size, H100, use, serving) / seconds_a_token(size, chips, use, serving)
