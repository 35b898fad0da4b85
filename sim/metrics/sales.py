"""What customers wanted, what they got, and what they waited for, in units of goods."""

from typing import Any

import numpy as np

from sim.metrics.tables import Columns
from sim.recording import Archive
from sim.scenario import Scenario


def sales(archive: Archive, scenario: Scenario, orders: Columns) -> dict[str, Any]:
    """Units wanted and what became of them as far as stock decided it, from the warm-up on.

    `units_denied` the records did not have, `units_short` they had and nobody found: together what stock-outs cost, lost or,
    where customers wait, late. `fill_rate` is the share of the units wanted that were neither (type 2 service, beta; Silver,
    Pyke, Thomas, *Inventory and Production Management*, 4th ed., ch. 6). `backorders_mean` is the mean over time of units
    that customers wait for, over all stores and SKUs; None where nobody waits.
    """
    start = scenario.warmup_h * 3600.0
    sold, missed, owed = (
        rows[rows["t_s"] >= start] for rows in map(archive.rows, ("goods_sold", "sale_missed", "backorder_changed"))
    )
    counted = orders["order"]
    denied, short = (
        int(rows["units"][np.isin(rows["order"], counted)].sum())
        for rows in (archive.rows("line_missing"), archive.rows("hold_reduced"))
    )
    denied += int(missed["units"][missed["denied"]].sum())
    short += int(missed["units"][~missed["denied"]].sum())
    settled = -int(owed["units"][owed["units"] < 0].sum())
    at_once = int(sold["units"].sum()) - settled
    wanted = int(orders["units"].sum()) + at_once + int(missed["units"].sum())
    return {
        "fill_rate": (wanted - denied - short) / wanted if wanted else None,
        "sales": {
            "units_wanted": wanted,
            "units_denied": denied,
            "units_short": short,
            "backorders_mean": _mean_owed(archive, scenario) if scenario.unmet == "backorder" else None,
        },
    }


def _mean_owed(archive: Archive, scenario: Scenario) -> float:
    """Units waited for, averaged over the time from the warm-up to the horizon."""
    start, end = scenario.warmup_h * 3600.0, scenario.horizon_s
    rows = archive.rows("backorder_changed")
    area = rows["units"] * (end - np.clip(rows["t_s"], start, end))
    return float(area.sum()) / (end - start)
