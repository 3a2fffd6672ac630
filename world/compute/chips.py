"""Chips: effective speed, export-control numbers, goodput of clusters, tokens a second."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from baimo.world.engine.arrays import Array, namespace
from baimo.world.engine.clock import as_date

H100_TPP = 15830.0
H100_TFLOPS = 989.0
H100_TB_PER_S = 3.35  # memory bandwidth
H100_KW = 0.7
SECONDS_A_DAY = 86400.0
CNY_A_USD = 7.2


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

    @property
    def serving_speed(self) -> Array:
        """Effective serving speed in H100s: generation is bound by memory bandwidth."""
        return self.bandwidth / H100_TB_PER_S


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


def tokens_per_second(active: Array, tflops: Array, bandwidth: Array, serving) -> Array:
    """Tokens a second and chip: the lesser of arithmetic and memory traffic.

    T = min(peak MFU / 2N, bw B / (N bytes + B kv)) utilisation, for N active parameters.
    """
    arithmetic = tflops * 1e12 * serving.serving_mfu / (2.0 * active)
    read = active * serving.bytes_per_parameter + serving.batch * serving.kv_bytes
    traffic = bandwidth * 1e12 * serving.batch / read
    return np.minimum(arithmetic, traffic) * serving.utilisation
