"""Open bases: published weights, and the best base that each lab knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from baimo.agents.enums import CN, MISSING, NO_MODEL, ROW
from baimo.conf.declare import history
from baimo.world.engine.arrays import Array, mean_k, row_max, stack_k, sum_k, take_rows, where
from baimo.world.engine.state import State
from baimo.world.network.social import best_tied

if TYPE_CHECKING:
    from baimo.world.engine.world import World


#: What is on record of a base before anything has been published.
NOTHING = {"score": NO_MODEL, "weights": NO_MODEL, "post": 0.0, "row": MISSING, "id": MISSING, "model": MISSING}


class OpenBaseState(State):
    """The best open weights of each region; labs without acquaintances hear of them months later."""

    base_score = history("OOM", "regions", text="Capability, as a mean over axes")
    base_weights = history("OOM", "regions", "axes", text="Capability")
    base_post = history("OOM", "regions", "axes", text="The part of it that is post-training")
    base_row = history("row", "regions", text="Lab that released it")
    base_id = history("id", "regions", text="Identity of that lab")
    base_model = history("id", "regions", text="The model")


def keep_best_open(world: World) -> None:
    """Keep the best open weights of each region on record: a release cannot be taken back."""
    labs, state = world.labs, world.state
    score = mean_k(labs.open_weights)
    best = [_published(world, where((labs.region == home) & labs.alive, score, NO_MODEL)) for home in (CN, ROW)]
    fresh = {name: np.stack([each[name] for each in best]) for name in best[0]}
    lag = max(round(world.parameters.graph.notice_months / world.clock.months), 1)
    better = fresh["score"] > (state.base_score[-1] if state.base_score else NOTHING["score"]) + 1e-9
    for name, now in fresh.items():
        past = getattr(state, f"base_{name}")
        mask = better if now.ndim == better.ndim else better[:, None]
        past.append(where(mask, now, past[-1] if past else NOTHING[name]))
        del past[: -lag - 1]


def _published(world: World, score: Array) -> dict[str, Array]:
    """The open weights of the labs with the highest score."""
    labs, row = world.labs, np.argmax(score, axis=-1)[:, None]
    return {
        "score": row_max(score),
        "weights": take_rows(labs.open_weights, row),
        "post": take_rows(labs.open_post, row),
        "row": row,
        "id": take_rows(labs.id, row),
        "model": take_rows(labs.open_model, row),
    }


def foreign_penalty(world: World) -> Array:
    """Capability that a foreign base lacks in Chinese, by axis, ``(3, 1, 1)`` (M58)."""
    technology = world.parameters.technology
    return stack_k(technology.foreign_language, technology.foreign_knowledge, 0.0, xp=world.xp)


def best_known_base(world: World) -> tuple[Array, Array, Array, Array, Array, Array]:
    """The best open base that each lab has heard of (M37).

    Releases of acquaintances are known at once, others some months later.

    Returns
    -------
    pretrained, post : arrays (3, worlds, rows)
        As seen from the lab's region: a foreign base is weaker in Chinese. ``NO_MODEL``
        where there is none, or for labs that cannot build on others' weights (``technology.building``).
    row, id, model : integer arrays (worlds, rows)
    foreign : boolean array (worlds, rows)
        Whether it comes from abroad, as a lab in CN sees it.
    """
    labs = world.labs
    old = {name: getattr(world.state, f"base_{name}")[0] for name in NOTHING}
    penalty = foreign_penalty(world)
    able = labs.knack < world.parameters.technology.building
    here = labs.region == CN
    friend = _best_among_friends(world, penalty)
    # In order: of equal bases the first is taken.
    offers = [({name: each[home] for name, each in old.items()}, np.full_like(here, home == ROW)) for home in (CN, ROW)]
    offers.append((friend, take_rows(labs.region, friend["row"]) == ROW))
    best = {"weights": np.full_like(labs.open_weights, NO_MODEL), "post": np.zeros_like(labs.open_weights)}
    best |= {name: np.full_like(labs.id, MISSING) for name in ("row", "id", "model")}
    abroad = np.zeros_like(labs.alive)
    for offer, from_row in offers:
        foreign = here & from_row
        seen = offer["weights"] - where(foreign, penalty, 0.0)
        known = able & (offer["score"] > NO_MODEL + 0.5)
        better = known & (sum_k(seen) > sum_k(best["weights"]))
        best = {name: where(better, seen if name == "weights" else offer[name], best[name]) for name in best}
        abroad = where(better, foreign, abroad)
    return best["weights"] - best["post"], best["post"], best["row"], best["id"], best["model"], abroad


def _best_among_friends(world: World, penalty: Array) -> dict[str, Array]:
    """The best open base among the living acquaintances of each lab, as it sees them (row -1: none)."""
    labs, ties = world.labs, world.ties.lab_lab
    here = labs.region == CN
    # What a lab is worth as a base to labs of CN and to labs abroad.
    to_cn = sum_k(labs.open_weights - where(labs.region == ROW, penalty, 0.0))
    worst = 3.0 * NO_MODEL
    worth = [where(labs.alive, each, worst) for each in (to_cn, sum_k(labs.open_weights))]
    row = where(here, *(best_tied(each, ties, worst)[1] for each in worth))
    return {
        "score": where(row >= 0, take_rows(mean_k(labs.open_weights), row), NO_MODEL),
        "weights": take_rows(labs.open_weights, row),
        "post": take_rows(labs.open_post, row),
        "row": row,
        "id": take_rows(labs.id, row),
        "model": take_rows(labs.open_model, row),
    }
