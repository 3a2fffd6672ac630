"""The measurements: each function runs something and returns plain numbers."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from tqdm import tqdm

from baimo.conf.schema import compose
from baimo.experiments.bench.apart import peak_mb
from baimo.experiments.bench.market_step import ColumnMarket
from baimo.experiments.bench.scale import sizes
from baimo.experiments.bench.translate import agent_market
from baimo.experiments.run import blocks
from baimo.world.engine import kernels
from baimo.world.ensemble import Ensemble
from baimo.world.model import HundredModelsWar

Facts = dict[str, Any]
#: Worlds whose market is also run agent by agent.
PLAIN = 3


def one_world(steps: int, repeat: int) -> Facts:
    """One world by way of Mesa's API, recording on.

    Parameters
    ----------
    steps : int
        Months.
    repeat : int
        Runs that count, after one that does not.

    Returns
    -------
    dict
        Seconds to construct, to step, both together, as ``{"best": ..., "median": ...}``.
    """

    def once() -> dict[str, float]:
        started = time.perf_counter()
        model = HundredModelsWar(overrides=[f"steps={steps}"])
        built = time.perf_counter()
        model.run()
        done = time.perf_counter()
        return {"construction": built - started, "stepping": done - built, "together": done - started}

    return {"steps": steps, **_repeated(once, repeat)}


def ensemble(worlds: int, steps: int, repeat: int) -> tuple[Facts, list[Facts]]:
    """A block of worlds in this process.

    Returns
    -------
    facts : dict
        Seconds to construct, step and build the tables, milliseconds a world-step, worlds a second.
    phases : list of dict
        Phase, ms a step and share of the time, from the last run.
    """
    last: list[Ensemble] = []

    def once() -> dict[str, float]:
        last.clear()  # so that the peak of memory is that of one ensemble
        started = time.perf_counter()
        block = Ensemble([f"steps={steps}"], range(worlds))
        built = time.perf_counter()
        block.run()
        stepped = time.perf_counter()
        block.tables()
        done = time.perf_counter()
        last.append(block)
        return {
            "construction": built - started,
            "stepping": stepped - built,
            "tables": done - stepped,
            "together": done - started,
        }

    facts = {"worlds": worlds, "steps": steps, **_repeated(once, repeat), "peak_mb": peak_mb()}
    facts |= speeds(worlds, steps, facts["stepping"]["best"], facts["together"]["best"])
    return facts, last[0].plan_table().to_dicts()


def not_compiled(worlds: int, steps: int, repeat: int) -> Facts:
    """One block by NumPy's functions alone, as it runs without the extra ``fast``."""
    with kernels.plain():
        return ensemble(worlds, steps, repeat)[0]


def processes(worlds: int, steps: int, workers: int, block: int) -> Facts:
    """All worlds as ``baimo`` runs them: in blocks over worker processes, tables written to files.

    The start of the workers counts in ``wall``, as it does for whoever waits; ``stepping`` is
    the sum over the workers.
    """
    words = [f"worlds={worlds}", f"steps={steps}", f"processes={workers}", f"block={block}", "output.level=labs"]
    cfg = compose(words)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        stepping = blocks.simulate(cfg, Path(folder), blocks.build_ensemble, lambda _: tqdm(disable=True))
        wall = time.perf_counter() - started
        files = sizes((Path(folder) / "blocks").glob("*/*.parquet"))
    facts = {"worlds": worlds, "steps": steps, "processes": workers, "block": block, "wall": wall}
    return facts | {"stepping": stepping} | speeds(worlds, steps, stepping, wall) | {"files": files}


def market_steps(worlds: int, steps: int, months: int) -> Facts:
    """Processor seconds a world for so many steps of the market, on the columns and agent by agent, and their ratio.

    Parameters
    ----------
    worlds : int
        Worlds of the ensemble.
    steps : int
    months : int
        How long the whole model has run before.
    """
    columns = ColumnMarket(worlds, months)
    models = [agent_market(columns, index) for index in range(min(worlds, PLAIN))]
    alive = columns.world.labs.alive.sum(), columns.world.apps.alive.sum()
    facts = {"worlds": worlds, "steps": steps, "labs": alive[0] / worlds, "apps": alive[1] / worlds}
    # Step about, so that both meet the machine at the same pace; the first step of each only warms up.
    rounds = [[_processor_seconds(market) for market in (columns, *models)] for _ in range(steps + 1)][1:]
    together, *alone = (sum(each) for each in zip(*rounds, strict=True))
    together, alone = together / worlds, median(alone)
    return facts | {"columns": together, "plain_mesa": alone, "ratio": alone / together}


def _processor_seconds(market: Any) -> float:
    """Processor time of a step: both ways use one core, and what else the machine does counts for neither."""
    started = time.process_time()
    market.step()
    return time.process_time() - started


def speeds(worlds: int, steps: int, stepping: float, together: float) -> dict[str, float]:
    """Speed from seconds.

    Examples
    --------
    >>> speeds(worlds=10, steps=50, stepping=1.0, together=2.0)
    {'ms_a_world_step': 2.0, 'worlds_a_second': 5.0}
    """
    return {"ms_a_world_step": 1000.0 * stepping / (worlds * steps), "worlds_a_second": worlds / together}


def _repeated(once: Callable[[], dict[str, float]], repeat: int) -> dict[str, dict[str, float]]:
    """Best and median of several runs; the first fills caches and does not count."""
    once()
    runs = [once() for _ in range(repeat)]
    return {key: {"best": min(r[key] for r in runs), "median": median(r[key] for r in runs)} for key in runs[0]}
