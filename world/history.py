"""What is kept of a run: market aggregates, agent panels, events and edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from agents.app import AIMS, ANSWERS, DEATHS, MODALITIES, PRODUCTS, SOURCES
from agents.investor import KINDS as INVESTOR_KINDS
from agents.lab import ARCHETYPES, EXITS, FILED, MODES, REGIONS, RESEARCH
from agents.vendor import KINDS as VENDOR_KINDS
from world.arrays import sum_k
from world.device import mirror
from world.ecosystem import edges
from world.measures_market import share_at_home

if TYPE_CHECKING:
    from world.state import World

LEVELS = ("market", "labs", "full")


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
        world.record = self.record

    def record(self, names: list[str], values: Any) -> None:
        """Keep one month: measures ``(measures, worlds)``, which come from a GPU in one copy, behind the next steps."""
        self.world.outbox.send(values, lambda copy: self.market.append(dict(zip(names, copy, strict=True))))
        if self.level == "market":
            return
        world = mirror(self.world)
        self._keep("labs", lab_panel(world))
        if self.level != "full":
            return
        chosen = world.world_ids < self.panel_worlds
        if not chosen.any():
            return
        self._keep("apps", app_panel(world, chosen))
        self._keep("vendors", vendor_panel(world, chosen))
        self._keep("investors", investor_panel(world, chosen))
        step = self.world.step_number
        if self.world.clock.every(step, self.edges_every) or step == 0:
            self._keep_edges(world, chosen)

    def _keep(self, name: str, panel: dict[str, np.ndarray]) -> None:
        panel["step"] = np.full(len(panel["replicate"]), self.world.step_number, dtype=np.int32)
        self.panels.setdefault(name, []).append(panel)

    def _keep_edges(self, world: World, chosen: np.ndarray) -> None:
        for index in np.nonzero(chosen)[0]:
            table = edges(world, int(index)).with_columns(
                pl.lit(int(self.world.world_ids[index]), dtype=pl.Int32).alias("replicate"),
                pl.lit(self.world.step_number, dtype=pl.Int32).alias("step"),
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


def _rows(world: World, population: Any, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.nonzero(population.alive & chosen[:, None])


def lab_panel(world: World) -> dict[str, np.ndarray]:
    """One row a living lab (and a last row in the month it leaves)."""
    labs = world.labs
    gone = (labs.exit_reason > 0) & (labs.exit_step == world.step_number)
    worlds, rows = np.nonzero((labs.alive | gone) & (labs.id >= 0))

    def pick(values: Any) -> np.ndarray:
        return np.asarray(values)[worlds, rows]

    tokens = labs.tokens_flagship + labs.tokens_light
    capability = np.where(labs.released, labs.served, np.nan)
    numbers = {
        "cash": labs.cash,
        "revenue": labs.service_revenue,
        "cost": labs.cost,
        "raised": labs.raised,
        "h100e": sum_k(labs.fleet * world.chips.h100e),
        "staff": sum_k(labs.staff),
        "researchers": labs.staff[RESEARCH],
        "capability": sum_k(capability) / 3.0,
        "capability_language": capability[0],
        "capability_knowledge": capability[1],
        "capability_reasoning": capability[2],
        "price_flagship": labs.price_flagship,
        "price_light": labs.price_light,
        "tokens_day": tokens,
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
    panel = {"replicate": world.world_ids[worlds], "lab_id": pick(labs.id)}
    for name in ("region", "archetype", "mode", "exit_reason"):
        panel[name] = pick(labs.columns[name])
    panel["alive"] = pick(labs.alive)
    panel.update({name: pick(values).astype(np.float32) for name, values in numbers.items()})
    panel["open"] = pick(labs.openness).astype(np.int8)
    panel["filed"] = pick(labs.filing == FILED)
    panel["releases"] = pick(labs.releases).astype(np.int16)
    panel["rounds"] = pick(labs.stage).astype(np.int16)
    panel["founded"] = pick(labs.founded).astype(np.int32)
    return panel


def named(frame: pl.DataFrame) -> pl.DataFrame:
    """Put names for the codes of the lab panel."""
    codes = {"region": REGIONS, "archetype": ARCHETYPES, "mode": MODES, "exit_reason": EXITS}
    words = [
        pl.col(column).replace_strict(dict(enumerate(labels)), return_dtype=pl.String)
        for column, labels in codes.items()
    ]
    frame = frame.with_columns(words)
    name = pl.format("{}-{}", "archetype", "lab_id").alias("name")
    return frame.with_columns(name)


def app_panel(world: World, chosen: np.ndarray) -> dict[str, np.ndarray]:
    """One row a living app, and a last row in the month it closes."""
    apps = world.apps
    gone = (apps.exit_reason > 0) & (apps.exit_step == world.step_number)
    worlds, rows = np.nonzero((apps.alive | gone) & (apps.id >= 0) & chosen[:, None])
    panel = {"replicate": world.world_ids[worlds], "app_id": apps.id[worlds, rows]}
    panel["segment"] = np.array(world.segments.names)[apps.segment[worlds, rows]]
    words = {"product": PRODUCTS, "source": SOURCES, "modality": MODALITIES, "aim_class": AIMS, "answer": ANSWERS}
    for name, labels in words.items():
        panel[name] = np.array(labels)[apps.columns[name][worlds, rows]]
    panel["incumbent"] = apps.incumbent[worlds, rows]
    panel["alive"] = apps.alive[worlds, rows]
    for name in (
        "users",
        "revenue",
        "cost",
        "api_cost",
        "cash",
        "age",
        "absorbed",
        "body_lost",
        "rework",
        "aim",
        "coupling",
        "raised",
        "eye",
        "brain",
        "hand",
        "engineers",
        "tuners",
    ):
        panel[name] = apps.columns[name][worlds, rows].astype(np.float32)
    panel["base_lab"] = apps.base_id[0, worlds, rows]
    panel["filed"] = apps.filed[worlds, rows]
    panel["founded"] = apps.founded[worlds, rows].astype(np.int32)
    panel["exit_reason"] = np.array(DEATHS)[apps.exit_reason[worlds, rows]]
    return panel


def vendor_panel(world: World, chosen: np.ndarray) -> dict[str, np.ndarray]:
    """One row a vendor."""
    vendors = world.vendors
    worlds, rows = _rows(world, vendors, chosen)
    panel = {"replicate": world.world_ids[worlds], "vendor_id": vendors.id[worlds, rows]}
    panel["name"] = np.array(world.maker_names)[rows]
    panel["kind"] = np.array(VENDOR_KINDS)[vendors.kind[worlds, rows]]
    panel["region"] = np.array(REGIONS)[vendors.region[worlds, rows]]
    panel["h100e"] = sum_k(vendors.fleet * world.chips.h100e)[worlds, rows].astype(np.float32)
    for name in ("cash", "revenue", "cost", "utilisation", "backlog", "price_factor"):
        panel[name] = vendors.columns[name][worlds, rows].astype(np.float32)
    return panel


def investor_panel(world: World, chosen: np.ndarray) -> dict[str, np.ndarray]:
    """One row an investor."""
    investors = world.investors
    worlds, rows = _rows(world, investors, chosen)
    panel = {"replicate": world.world_ids[worlds], "investor_id": investors.id[worlds, rows]}
    panel["kind"] = np.array(INVESTOR_KINDS)[investors.kind[worlds, rows]]
    panel["region"] = np.array(REGIONS)[investors.region[worlds, rows]]
    for name in ("cash", "ready", "invested", "attention", "since_deal"):
        panel[name] = investors.columns[name][worlds, rows].astype(np.float32)
    return panel
