"""Tables of a run: market aggregates, agent panels, events and edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from baimo.agents.enums import REGIONS
from baimo.world.engine.device import mirror
from baimo.world.record.graph import edges_of
from baimo.world.record.panels import AGENT_TABLES, PanelColumns, named

if TYPE_CHECKING:
    from baimo.world.engine.world import World

LEVELS = ("market", "labs", "full")

#: Columns of the events, their types, and what they are.
EVENTS = {
    "kind": (pl.String, "what happened (``exposed``: found to stand on others' weights; ``breakthrough``)"),
    "agent": (pl.Int64, "id of whom it happened to"),
    "region": (pl.String, "CN or ROW"),
    "amount": (
        pl.Float64,
        "OOM of a release, CNY million of a round or of what an exit leaves, FLOP of a failed run, Mtok a day of an "
        "incident, months from application to filing, age of an app that closes, share of use of who is exposed, "
        "gain in ln A of a breakthrough, CNY/Mtok of a price that is posted",
    ),
    "before": (pl.Float64, "the same before: of a price that is posted, the price until then; else null"),
    "detail": (pl.String, "reason of an exit, new mode of a pivot, chip of a ban, model of a price"),
}


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
        """Keep one month: output columns ``(columns, worlds)``, and the panels.

        From a GPU both come in one copy each, which the next steps do not wait for.
        """
        world = self.world
        world.transfers.send(values, lambda copy: self.market.append(dict(zip(names, copy, strict=True))))
        if self.level == "market":
            return
        self._keep("labs", *AGENT_TABLES["labs"](world))
        if self.level != "full":
            return
        chosen = world.world_ids < self.panel_worlds
        if not chosen.any():
            return
        here = world.xp.asarray(chosen)[:, None]
        for name in ("apps", "vendors", "investors"):
            mask, columns = AGENT_TABLES[name](world)
            self._keep(name, mask & here, columns)
        if world.clock.every(world.step_number, self.edges_every) or world.step_number == 0:
            self._keep_edges(chosen)

    def _keep(self, name: str, mask: Any, columns: PanelColumns) -> None:
        """Keep the rows of a mask: each column as its type, or with words for its codes."""
        step, kinds = self.world.step_number, {name: each.kind for name, each in columns.items()}

        def store(rows: dict[str, np.ndarray]) -> None:
            panel = {"replicate": self.world.world_ids[rows["worlds"]]}
            for column, kind in kinds.items():
                values = rows[column]
                panel[column] = np.array(kind)[values] if isinstance(kind, tuple) else values.astype(kind)
            panel["step"] = np.full(len(panel["replicate"]), step, dtype=np.int32)
            self.panels.setdefault(name, []).append(panel)

        # Of no rows, too: a table has its columns even where it has no row.
        self.world.event_buffer.add(mask, {name: each.values for name, each in columns.items()}, store, always=True)

    def _keep_edges(self, chosen: np.ndarray) -> None:
        # What was noted so far belongs to the snapshot.
        self.world.event_buffer.flush()
        self.world.transfers.flush()
        world = mirror(self.world)
        for index in np.nonzero(chosen)[0]:
            table = edges_of(world, int(index)).with_columns(
                pl.lit(int(world.world_ids[index]), dtype=pl.Int32).alias("replicate"),
                pl.lit(world.step_number, dtype=pl.Int32).alias("step"),
            )
            self.edge_tables.append(table)

    # ------------------------------------------------------------------ frames

    def tables(self) -> dict[str, pl.DataFrame]:
        """All tables, sorted by replicate and step."""
        self.world.transfers.flush()
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
                    "before": pl.Series(e["before"], dtype=pl.Float64).fill_nan(None),
                    "detail": e["detail"],
                }
            )
            for e in self.world.events
        ]
        schema = dict.fromkeys(("replicate", "step"), pl.Int64) | {name: kind for name, (kind, _) in EVENTS.items()}
        return self._dated(pl.concat(frames) if frames else pl.DataFrame(schema=schema))
