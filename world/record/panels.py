"""Panels of agents, one row an agent and step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from baimo.agents.enums import FILED, RESEARCH, REVENUE
from baimo.agents.lab import ModelLab
from baimo.world.engine.arrays import Array, mean_k, sum_k, weigh_k, where
from baimo.world.models.quality import home_segment

if TYPE_CHECKING:
    from collections.abc import Callable

    from baimo.world.engine.world import World


class Kept(NamedTuple):
    """A column of a panel: values, the type to keep or the words for its codes, the unit, and what it is."""

    values: Any
    kind: Any
    unit: str = ""
    text: str = ""


PanelColumns = dict[str, Kept]


def _own(population: Any, *names: str, **texts: str) -> PanelColumns:
    """Columns that agents have, as they declare them, with a text where name and unit do not say it all.

    Numbers are kept in single precision, codes as words.
    """
    found = {}
    for name in (*names, *texts):
        declaration, values = population.declared[name], population.columns[name]
        kind = declaration.labels or (
            np.float32 if declaration.dtype is float else np.int32 if declaration.dtype is int else bool
        )
        found[name] = Kept(values, kind, "" if declaration.unit == "1" else declaration.unit, texts.get(name, ""))
    return found


def listed(words: tuple[str, ...]) -> str:
    """Words of a coded column in place of a unit."""
    return " / ".join(filter(None, words))


def _numbers(**columns: tuple[Any, str, str]) -> PanelColumns:
    """Derived values with their units and texts, in single precision."""
    return {name: Kept(values, np.float32, unit, text) for name, (values, unit, text) in columns.items()}


#: Coded columns of labs, which are named when the tables are made.
LAB_CODES = {name: ModelLab.declared_columns()[name].labels for name in ("region", "archetype", "mode", "exit_reason")}


def lab_panel(world: World) -> tuple[Any, PanelColumns]:
    """Labs: one row a living lab, and a last one in the step it leaves."""
    labs = world.labs
    gone = (labs.exit_reason > 0) & (labs.exit_step == world.step_number)
    capability = where(labs.released, labs.served, np.nan)
    codes = {name: Kept(labs.columns[name], np.int64, listed(words)) for name, words in LAB_CODES.items()}
    return (labs.alive | gone) & (labs.id >= 0), {
        "lab_id": Kept(labs.id, np.int64),
        **codes,
        **_own(labs, "alive", "cash", "cost", "raised", "price_flagship", "price_light", "product_share", "reputation"),
        **_own(labs, "sunk_value", "mfu", "runs_done", "runs_failed", "control", "lock_in", "founded"),
        **_own(labs, tokens_api="of these, by apps", usage_data="remembered and fading", from_use="fades with them"),
        **_numbers(
            revenue=(labs.service_revenue, "CNY million a month", "of models and projects"),
            **{f"revenue_{kind}": (labs.income[k], "CNY million a month", "") for k, kind in enumerate(REVENUE)},
            promotion=(labs.promotion, "CNY million a month", ""),
            price_subscription=(labs.price_subscription, "CNY a month", ""),
            marginal_cost=(labs.marginal_cost, "CNY/Mtok", "of the flagship"),
            awareness=(labs.awareness, "share", "of users who think of it"),
            h100e=(weigh_k(world.chips.h100e, labs.fleet), "H100e", "own chips"),
            staff=(sum_k(labs.staff), "people", ""),
            researchers=(labs.staff[RESEARCH], "people", ""),
            capability=(mean_k(capability), "OOM", "of the model on sale, mean of the axes"),
            capability_language=(capability[0], "OOM", ""),
            capability_knowledge=(capability[1], "OOM", ""),
            capability_reasoning=(capability[2], "OOM", ""),
            tokens_day=(labs.tokens_flagship + labs.tokens_light, "Mtok a day", ""),
            users=(sum_k(labs.users), "million", ""),
            share_tokens=(world.state.token_share, "share", "of tokens of its region"),
            post_training=(mean_k(labs.post), "OOM", "what post-training adds"),
            efficiency=(np.exp(labs.log_efficiency), "times", "private algorithmic efficiency"),
            largest_run=(10.0**labs.log_largest, "FLOP", "so far"),
            affordable_run=(10.0**labs.affordable, "FLOP", ""),
            share_home=(share_at_home(world), "share", "of the users of a vertical lab's segment"),
            industry_data=(labs.layers[1], "share", "layer L2"),
            scene_data=(labs.layers[2], "share", "layer L3"),
        ),
        "open": Kept(labs.openness, np.int8, "", "0 closed, 1 the light or old model, 2 all"),
        "filed": Kept(labs.filing == FILED, bool),
        "releases": Kept(labs.releases, np.int16, "models", "so far"),
        "rounds": Kept(labs.stage, np.int16, "rounds", "of money so far"),
    }


def share_at_home(world: World) -> Array:
    """Share of the users of its home segment that a vertical lab has, ``(worlds, labs)``."""
    labs, state = world.labs, world.state
    return sum_k(where(home_segment(world), labs.users / np.maximum(state.adopters, 1e-12), 0.0))


def named(frame: pl.DataFrame) -> pl.DataFrame:
    """Put names for the codes of the lab panel."""
    words = [
        pl.col(column).replace_strict(dict(enumerate(labels)), return_dtype=pl.String)
        for column, labels in LAB_CODES.items()
    ]
    frame = frame.with_columns(words)
    name = pl.format("{}-{}", "archetype", "lab_id").alias("name")
    return frame.with_columns(name)


def app_panel(world: World) -> tuple[Any, PanelColumns]:
    """Apps: one row a living app, and a last one in the step it closes."""
    apps = world.apps
    gone = (apps.exit_reason > 0) & (apps.exit_step == world.step_number)
    return (apps.alive | gone) & (apps.id >= 0), {
        "app_id": Kept(apps.id, np.int64),
        "segment": Kept(apps.segment, world.segments.names, "name"),
        **_own(apps, "product", "source", "modality", "incumbent", "alive", "users", "revenue", "cost", "api_cost"),
        **_own(apps, "cash", "age", "absorbed", "body_lost", "rework", "raised", "engineers", "tuners", "aim"),
        **_own(
            apps,
            aim_class="hidden from all agents; deep: poor but deeply coupled",
            answer="what an incumbent does",
            coupling="to its first base",
            eye="what it adds",
            brain="what it adds",
            hand="what it adds",
        ),
        "base_lab": Kept(apps.base_id[0], np.int64, "", "id of the lab that it builds on"),
        **_own(apps, "filed", "founded", "exit_reason"),
    }


def vendor_panel(world: World) -> tuple[Any, PanelColumns]:
    """Vendors: one row a vendor."""
    vendors = world.vendors
    return vendors.alive, {
        "vendor_id": Kept(vendors.id, np.int64),
        "name": Kept(world.xp.arange(vendors.capacity), tuple(world.maker_names)),
        **_own(vendors, "kind", "region"),
        **_numbers(h100e=(weigh_k(world.chips.h100e, vendors.fleet), "H100e", "own chips")),
        **_own(vendors, "cash", "revenue", "cost", "utilisation", "backlog", "price_factor"),
    }


def investor_panel(world: World) -> tuple[Any, PanelColumns]:
    """Investors: one row an investor."""
    investors = world.investors
    return investors.alive, {
        "investor_id": Kept(investors.id, np.int64),
        **_own(investors, "kind", "region", "cash", "invested", "attention", "since_deal", ready="for the next deals"),
    }


#: Tables with a row an agent: who is kept, and the columns.
AGENT_TABLES: dict[str, Callable[[World], tuple[Any, PanelColumns]]] = {
    "labs": lab_panel,
    "apps": app_panel,
    "vendors": vendor_panel,
    "investors": investor_panel,
}
