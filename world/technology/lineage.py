"""Lineage of models: open bases, their declaration, and payments to their authors.

True lineage (``derives_from``) and declared lineage (``declares``) are kept by release, because
firms may hide that they built on open weights (002).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from baimo.agents.enums import CLOSED, MISSING
from baimo.agents.lab.market import ReleaseSignals
from baimo.world.engine.arrays import Array, row_sum, sum_by_group, take_rows, where

if TYPE_CHECKING:
    from baimo.world.engine.world import World


def record(world: World, out: Array) -> None:
    """Record the base of each released model, true and declared (M60)."""
    labs, lineage = world.labs, world.parameters.lineage
    labs.declare(ReleaseSignals(fresh=out))
    labs.reputation = labs.reputation + lineage.claim_reputation * (out & labs.claims)

    def keep(rows: dict[str, np.ndarray]) -> None:
        if len(rows["worlds"]):
            world.lineage.append(rows)

    columns = {"model": labs.model_id, "base": labs.base_model, "declared": ~labs.claims}
    world.event_buffer.add(out & (labs.base_model >= 0), columns, keep)


def hides_its_base(labs) -> Array:
    """Whether a lab passes a model on open weights off as its own."""
    return labs.claims


def expose(world: World) -> None:
    """Expose labs that claim a base of others as their own, at a hazard that grows with use (M60).

    Hazard a year: ``exposed_rate ln(1 + share / exposed_share)``. Reputation falls at once, and
    investors count it in later rounds.
    """
    labs, lineage = world.labs, world.parameters.lineage
    labs.since_exposed = labs.since_exposed + world.clock.months
    rate = lineage.exposed_rate * np.log1p(world.state.token_share / lineage.exposed_share)
    found = labs.alive & labs.claims & (labs.draws("exposed") < world.clock.chance(rate))
    labs.claims = labs.claims & ~found
    # Once found out, a lab tells the truth.
    labs.honesty = where(found, 1.0, labs.honesty)
    labs.since_exposed = where(found, 0.0, labs.since_exposed)
    labs.reputation = labs.reputation - lineage.exposed_reputation * found
    world.count("exposures", labs, found)
    world.log("exposed", labs, found, world.state.token_share)


def authors(world: World) -> Array:
    """Row of the living lab on whose weights each lab's model stands, -1 for none."""
    labs = world.labs
    there = (take_rows(labs.id, labs.base_lab) == labs.base_id) & take_rows(labs.alive, labs.base_lab)
    return where(labs.alive & labs.released & (labs.base_lab >= 0) & there, labs.base_lab, MISSING)


def community(world: World) -> None:
    """Raise the efficiency of authors by the labs that build on their open base (M46).

    ``d ln A / dt = community n / (n + n_half)`` for n labs whose models stand on its weights, as
    long as it goes on opening models.
    """
    labs, openness = world.labs, world.parameters.openness
    on = authors(world)
    labs.children = sum_by_group((on >= 0).astype(float), on, labs.capacity)
    gain = openness.community * labs.children / (labs.children + openness.community_half) * world.clock.years
    open_now = labs.alive & (labs.openness != CLOSED)
    labs.log_efficiency = labs.log_efficiency + where(open_now, gain, 0.0)


def pay_authors(world: World) -> None:
    """Pay authors a share of the revenue of others on their weights, under a licence (M46)."""
    labs, openness = world.labs, world.parameters.openness
    on = authors(world)
    share = openness.royalty * openness.licence_kept
    due = where(on >= 0, share * labs.service_revenue * world.clock.months, 0.0)
    income = sum_by_group(due, on, labs.capacity)
    world.accounts.pay("licences of open weights", (labs, due), (labs, income), operating=True)
    world.tally("open_income", row_sum(income))


def lineage_edges(world: World, index: int) -> pl.DataFrame:
    """Edges ``derives_from`` (true) and ``declares`` (declared) between models of one world, to date."""
    found = [each["worlds"] == index for each in world.lineage]
    frame = {
        name: np.concatenate([each[name][here] for each, here in zip(world.lineage, found, strict=True)] or [[]])
        for name in ("model", "base", "declared")
    }
    table = pl.DataFrame(frame, schema={"model": pl.Int64, "base": pl.Int64, "declared": pl.Boolean})
    names = pl.format("model:{}", "model").alias("source"), pl.format("model:{}", "base").alias("target")
    true = table.select(pl.lit("derives_from").alias("kind"), *names, pl.lit(1.0).alias("weight"))
    declared = table.filter("declared").select(pl.lit("declares").alias("kind"), *names, pl.lit(1.0).alias("weight"))
    return pl.concat([true, declared])
