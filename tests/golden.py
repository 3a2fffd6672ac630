"""The golden history: medians of a few columns at a few dates of the baseline, with tolerances.

It notices when the baseline moves without anybody meaning it. After a change that is meant, look
at the run first, then renew the file and commit it::

    python -m tests.golden            # print what would change
    python -m tests.golden --write    # renew tests/golden.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl

FILE = Path(__file__).with_name("golden.json")
WORLDS, STEPS = 8, 48
DATES = ("2023-06-01", "2024-03-01", "2025-01-01", "2026-06-01")
#: Columns and relative tolerance: counts move less than what compounds.
COLUMNS = {
    "labs_alive_cn": 0.25,
    "labs_alive_row": 0.25,
    "models_filed_cn": 0.25,
    "apps_alive_cn": 0.3,
    "frontier_all": 0.25,
    "frontier_cn": 0.25,
    "h100e_cn_legal": 0.25,
    "h100e_cn_grey": 0.4,
    "h100e_row": 0.25,
    "price_gpt35_level": 0.4,
    "price_h100_rent_usd_hour": 0.3,
    "tokens_day_cn": 0.4,
    "trust_cn": 0.25,
    "wage_infra": 0.3,
}


def run(overrides=()):
    """The market table of the baseline."""
    from baimo.conf.schema import compose
    from baimo.world.ensemble import Ensemble

    config = compose(["output.level=market", *overrides])
    return Ensemble(config, range(WORLDS)).run(STEPS).tables()["market"]


def medians(market: pl.DataFrame) -> dict[str, dict[str, float | None]]:
    """Median over worlds by column and date."""
    found: dict[str, dict[str, float | None]] = {}
    for name in COLUMNS:
        by_date = market.group_by("date").agg(pl.col(name).median()).sort("date")
        values = {str(date): value for date, value in by_date.iter_rows()}
        found[name] = {date: None if values[date] is None else float(f"{values[date]:.6g}") for date in DATES}
    return found


def differences(new: dict, old: dict) -> list[str]:
    """What has moved by more than its tolerance, one line each."""
    lines = []
    for name, tolerance in COLUMNS.items():
        for date in DATES:
            was, now = old.get(name, {}).get(date), new[name][date]
            moved = was is not now if None in (was, now) else abs(now - was) > tolerance * abs(was) + 1e-9
            if moved:
                lines.append(f"{name} on {date}: {was} before, {now} now (tolerance {tolerance:.0%})")
    return lines


def main() -> None:
    """Print what has moved; with ``--write`` renew the file."""
    new = medians(run())
    old = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    print("\n".join(differences(new, old)) or "nothing has moved beyond its tolerance")
    if "--write" in sys.argv[1:]:
        FILE.write_text(json.dumps(new, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {FILE}")


if __name__ == "__main__":
    main()
