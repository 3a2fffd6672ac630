"""The market step on the columns against the same step agent by agent."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from baimo.experiments.bench.market_step import ColumnMarket
from baimo.experiments.bench.translate import agent_market

#: Worlds that are also run agent by agent.
PLAIN = 3


def market_steps(worlds: int, steps: int, months: int) -> dict[str, Any]:
    """Processor seconds a world for so many steps of the market, both ways, and their ratio.

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
    rounds = [[_seconds(market) for market in (columns, *models)] for _ in range(steps + 1)][1:]
    together, *alone = (sum(each) for each in zip(*rounds, strict=True))
    together, alone = together / worlds, median(alone)
    return facts | {"columns": together, "plain_mesa": alone, "ratio": alone / together}


def _seconds(market: Any) -> float:
    """Processor time of a step: both ways use one core, and what else the machine does counts for neither."""
    started = time.process_time()
    market.step()
    return time.process_time() - started
