"""What is kept of a run: market aggregates, agent panels, events and edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from baimo.agents.enums import (
    APP_AIMS,
    APP_ANSWERS,
    APP_EXITS,
    APP_MODALITIES,
    APP_PRODUCTS,
    APP_SOURCES,
    ARCHETYPES,
    FILED,
    INVESTOR_KINDS,
    LAB_EXITS,
    MODES,
    REGIONS,
    RESEARCH,
    VENDOR_KINDS,
)
from baimo.world.engine.arrays import Array, sum_k, weigh_k, where
from baimo.world.engine.device import mirror
from baimo.world.models.quality import home_segment
from baimo.world.record.graph import edges

if TYPE_CHECKING:
    from baimo.world.engine.world import World

LEVELS = ("market", "labs", "full")

#: Columns of a panel by name: values, and the type to keep or the words for its codes.
Columns = dict[str, tuple[Any, Any]]


class History:
    """Recorder of a block of worlds."""

    def __init__(self, world: World):
        self.world = world
        self.level = world.config.output.level
        self.panel_worlds = int(world.config.output.panel_worlds)
        self.edges_every = float(world.config.output.edges_every)
        self.market: list[dict[str, np.ndarray]] = []
        self.panels: dict[str, list[dict[str, np.ndarray]]] = {}
        self.edge_tables: list[pl.DataFrame] = []

    def record(self, names: list[str], values: Any) -> None:
        """Keep one month: measures ``(measures, worlds)``, and the panels.

        From a GPU both come in one copy each, which the next steps do not wait for.
        """
        world = self.world
        world.outbox.send(values, lambda copy: self.market.append(dict(zip(names, copy, strict=True))))
        if self.level == "market":
            return
        self._keep("labs", *lab_panel(world))
        if self.level != "full":
            return
        chosen = world.world_ids < self.panel_worlds
        if not chosen.any():
            return
        here = world.xp.asarray(chosen)[:, None]
        self._keep("apps", *app_panel(world, here))
        self._keep("vendors", *vendor_panel(world, here))
        self._keep("investors", *investor_panel(world, here))
        if world.clock.every(world.step_number, self.edges_every) or world.step_number == 0:
            self._keep_edges(chosen)

    def _keep(self, name: str, mask: Any, columns: Columns) -> None:
        """Keep the rows of a mask: each column as its type, or with words for its codes."""
        step, kinds = self.world.step_number, {name: kind for name, (_, kind) in columns.items()}

        def store(rows: dict[str, np.ndarray]) -> None:
            panel = {"replicate": self.world.world_ids[rows["worlds"]]}
            for column, kind in kinds.items():
                values = rows[column]
                panel[column] = np.array(kind)[values] if isinstance(kind, tuple) else values.astype(kind)
            panel["step"] = np.full(len(panel["replicate"]), step, dtype=np.int32)
            self.panels.setdefault(name, []).append(panel)

        # Of nobody, too: a table has its columns even where it has no row.
        self.world.notes.take(mask, {name: values for name, (values, _) in columns.items()}, store, always=True)

    def _keep_edges(self, chosen: np.ndarray) -> None:
        # What was noted so far belongs to the snapshot.
        self.world.notes.post()
        self.world.outbox.empty()
        world = mirror(self.world)
        for index in np.nonzero(chosen)[0]:
            table = edges(world, int(index)).with_columns(
                pl.lit(int(world.world_ids[index]), dtype=pl.Int32).alias("replicate"),
                pl.lit(world.step_number, dtype=pl.Int32).alias("step"),
            )
            self.edge_tables.append(table)

    # ------------------------------------------------------------------ frames

    def tables(self) -> dict[str, pl.DataFrame]:
        """All tables, sorted by replicate and step."""
        self.world.outbox.empty()
        found = {"market": self._market(), "events": self._events()}
        for name, panels in self.panels.items():
            columns = {key: np.concatenate([p[key] for p in panels]) for key in panels[0]}
            frame = pl.DataFrame(columns)
            found[name] = self._dated(named(frame) if name == "labs" else frame)
        if self.edge_tables:
            found["edges"] = self._dated(pl.concat(self.edge_tables))
        return found

    def _dated(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add the date and put the keys first, in order."""
        clock = self.world.clock
        steps = frame["step"].unique().to_list()
        dates = pl.DataFrame(
            {"step": steps, "date": [clock.date(s) for s in steps]},
            schema={"step": pl.Int32, "date": pl.Date},
        )
        frame = frame.with_columns(pl.col("step").cast(pl.Int32), pl.col("replicate").cast(pl.Int32))
        frame = frame.join(dates, on="step", how="left", maintain_order="left")
        keys = ["replicate", "step", "date"]
        return frame.select(keys + [c for c in frame.columns if c not in keys]).sort(
            "replicate", "step", maintain_order=True
        )

    def _market(self) -> pl.DataFrame:
        steps, worlds = len(self.market), self.world.worlds
        first = self.world.step_number - steps
        columns = {
            "replicate": np.tile(self.world.world_ids, steps),
            "step": np.repeat(np.arange(first, first + steps), worlds),
        }
        for name in self.market[0] if self.market else ():
            columns[name] = np.concatenate([month[name] for month in self.market])
        return self._dated(pl.DataFrame(columns).with_columns(pl.selectors.float().fill_nan(None)))

    def _events(self) -> pl.DataFrame:
        frames = [
            pl.DataFrame(
                {
                    "replicate": self.world.world_ids[e["worlds"]],
                    "step": np.full(len(e["ids"]), e["step"]),
                    "kind": [e["kind"]] * len(e["ids"]),
                    "agent": e["ids"],
                    "region": np.array(REGIONS)[e["region"]],
                    "amount": e["amount"],
                    "detail": e["detail"],
                }
            )
            for e in self.world.events
        ]
        schema = {
            "replicate": pl.Int64,
            "step": pl.Int64,
            "kind": pl.String,
            "agent": pl.Int64,
            "region": pl.String,
            "amount": pl.Float64,
            "detail": pl.String,
        }
        return self._dated(pl.concat(frames) if frames else pl.DataFrame(schema=schema))


def _singles(population: Any, *names: str) -> Columns:
    """Columns of a population in single precision."""
    return {name: (population.columns[name], np.float32) for name in names}


def lab_panel(world: World) -> tuple[Any, Columns]:
    """One row a living lab (and a last row in the month it leaves): who, and the columns with their types."""
    labs = world.labs
    gone = (labs.exit_reason > 0) & (labs.exit_step == world.step_number)
    capability = where(labs.released, labs.served, np.nan)
    numbers = {
        "cash": labs.cash,
        "revenue": labs.service_revenue,
        "cost": labs.cost,
        "raised": labs.raised,
        "h100e": weigh_k(world.chips.h100e, labs.fleet),
        "staff": sum_k(labs.staff),
        "researchers": labs.staff[RESEARCH],
        "capability": sum_k(capability) / 3.0,
        "capability_language": capability[0],
        "capability_knowledge": capability[1],
        "capability_reasoning": capability[2],
        "price_flagship": labs.price_flagship,
        "price_light": labs.price_light,
        "tokens_day": labs.tokens_flagship + labs.tokens_light,
        "tokens_api": labs.tokens_api,
        "usage_data": labs.usage_data,
        "users": sum_k(labs.users),
        "share_tokens": world.state.token_share,
        "product_share": labs.product_share,
        "reputation": labs.reputation,
        "sunk_value": labs.sunk_value,
        "post_training": sum_k(labs.post) / 3.0,
        "efficiency": np.exp(labs.log_efficiency),
        "mfu": labs.mfu,
        "largest_run": 10.0**labs.log_largest,
        "affordable_run": 10.0**labs.affordable,
        "runs_done": labs.runs_done,
        "runs_failed": labs.runs_failed,
        "share_home": share_at_home(world),
        "industry_data": labs.layers[1],
        "scene_data": labs.layers[2],
        "control": labs.control,
        "lock_in": labs.lock_in,
    }
    codes = ("region", "archetype", "mode", "exit_reason")
    columns = {"lab_id": (labs.id, np.int64)} | {name: (labs.columns[name], np.int64) for name in codes}
    columns |= {"alive": (labs.alive, bool)} | {name: (values, np.float32) for name, values in numbers.items()}
    return (labs.alive | gone) & (labs.id >= 0), columns | {
        "open": (labs.openness, np.int8),
        "filed": (labs.filing == FILED, bool),
        "releases": (labs.releases, np.int16),
        "rounds": (labs.stage, np.int16),
        "founded": (labs.founded, np.int32),
    }


def share_at_home(world: World) -> Array:
    """Share of the users of its home segment that a vertical lab has, ``(worlds, labs)``."""
    labs, state = world.labs, world.state
    return sum_k(where(home_segment(world), labs.users / np.maximum(state.adopters, 1e-12), 0.0))


def named(frame: pl.DataFrame) -> pl.DataFrame:
    """Put names for the codes of the lab panel."""
    codes = {"region": REGIONS, "archetype": ARCHETYPES, "mode": MODES, "exit_reason": LAB_EXITS}
    words = [
        pl.col(column).replace_strict(dict(enumerate(labels)), return_dtype=pl.String)
        for column, labels in codes.items()
    ]
    frame = frame.with_columns(words)
    name = pl.format("{}-{}", "archetype", "lab_id").alias("name")
    return frame.with_columns(name)


def app_panel(world: World, chosen: Any) -> tuple[Any, Columns]:
    """One row a living app, and a last row in the month it closes."""
    apps = world.apps
    gone = (apps.exit_reason > 0) & (apps.exit_step == world.step_number)
    words = {
        "product": APP_PRODUCTS,
        "source": APP_SOURCES,
        "modality": APP_MODALITIES,
        "aim_class": APP_AIMS,
        "answer": APP_ANSWERS,
    }
    columns = {"app_id": (apps.id, np.int64), "segment": (apps.segment, world.segments.names)}
    columns |= {name: (apps.columns[name], labels) for name, labels in words.items()}
    columns |= {"incumbent": (apps.incumbent, bool), "alive": (apps.alive, bool)}
    columns |= _singles(apps, "users", "revenue", "cost", "api_cost", "cash", "age", "absorbed", "body_lost", "rework")
    columns |= _singles(apps, "aim", "coupling", "raised", "eye", "brain", "hand", "engineers", "tuners")
    return (apps.alive | gone) & (apps.id >= 0) & chosen, columns | {
        "base_lab": (apps.base_id[0], np.int64),
        "filed": (apps.filed, bool),
        "founded": (apps.founded, np.int32),
        "exit_reason": (apps.exit_reason, APP_EXITS),
    }


def vendor_panel(world: World, chosen: Any) -> tuple[Any, Columns]:
    """One row a vendor."""
    vendors = world.vendors
    columns = {
        "vendor_id": (vendors.id, np.int64),
        "name": (world.xp.arange(vendors.capacity), tuple(world.maker_names)),
        "kind": (vendors.kind, VENDOR_KINDS),
        "region": (vendors.region, REGIONS),
        "h100e": (weigh_k(world.chips.h100e, vendors.fleet), np.float32),
    }
    more = _singles(vendors, "cash", "revenue", "cost", "utilisation", "backlog", "price_factor")
    return vendors.alive & chosen, columns | more


def investor_panel(world: World, chosen: Any) -> tuple[Any, Columns]:
    """One row an investor."""
    investors = world.investors
    columns = {
        "investor_id": (investors.id, np.int64),
        "kind": (investors.kind, INVESTOR_KINDS),
        "region": (investors.region, REGIONS),
    }
    more = _singles(investors, "cash", "ready", "invested", "attention", "since_deal")
    return investors.alive & chosen, columns | more
