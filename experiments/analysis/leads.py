"""What a lead moves: shares of use with and without half an order of magnitude more capability, all else equal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from omegaconf import DictConfig

from baimo.agents.enums import CN
from baimo.world.engine.world import World
from baimo.world.ensemble import Ensemble
from baimo.world.models.utility import choices, valued, weigh_models


def what_a_lead_moves(cfg: DictConfig, months: Sequence[int], oom: float = 0.5) -> np.ndarray:
    """Rise of the share at home of the lab most chosen in CN, if its models were better by ``oom`` at posted prices.

    Parameters
    ----------
    cfg : DictConfig
        Settings; as many worlds as they say are run.
    months : sequence of int
        Steps done when it is asked.

    Returns
    -------
    array (months, worlds)
    """
    ensemble, found = Ensemble(cfg, range(int(cfg.worlds))), []
    for month in months:
        ensemble.run(month - ensemble.steps_done)
        found.append(_moved(ensemble.world, oom))
    return np.array(found)


def _moved(world: World, oom: float) -> np.ndarray:
    """Share of the lab most chosen with the lead less its share without."""
    labs = world.labs
    before = _shares_at_home(world)
    lab = np.arange(len(before)), before.argmax(axis=-1)
    kept = labs.served.copy(), labs.light.copy()
    for models in (labs.served, labs.light):
        models[:, lab[0], lab[1]] += oom
    after = _shares_at_home(world)
    labs.served, labs.light = kept
    return after[lab] - before[lab]


def _shares_at_home(world: World) -> np.ndarray:
    """Shares of CN's labs in what those who choose anew would use, ``(worlds, labs)``; the world stays as it was."""
    labs, state, home = world.labs, world.state, world.segments.cn
    expected = state.expected_reach.copy()
    weigh_models(world)
    share = choices(world, valued(world)[0]).share[home]
    state.expected_reach = expected
    use = (state.adopters * world.segments.column("tokens"))[home]
    chosen = np.where((labs.region == CN) & labs.alive, (share * use).sum(0), 0.0)
    return chosen / np.maximum(chosen.sum(-1, keepdims=True), 1e-12)
