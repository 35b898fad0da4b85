"""Stock at the end of a run, and how far the records are from the shelves."""

from typing import Any

import numpy as np

from sim.metrics.tables import Columns
from sim.recording import Archive, State
from sim.vocabulary import StockCause

BLOCK = 1 << 14
"""Orders that are looked at together where every basket line is compared."""


def stock_table(archive: Archive, state: State) -> Columns:
    """One row per store and SKU: shelf, available, reserved, version; units picked, denied and short over the run."""
    stores, skus = state.shelf.shape

    def units(kind: str) -> Any:
        rows = archive.rows(kind, ("store", "sku", "units"))
        place = rows["store"].astype(np.int64) * skus + rows["sku"]
        return np.bincount(place, weights=rows["units"], minlength=stores * skus).astype(np.int64)

    return {
        "store": np.repeat(np.arange(stores), skus),
        "sku": np.tile(np.arange(skus), stores),
        "shelf": state.shelf.ravel(),
        "available": state.available.ravel(),
        "reserved": state.reserved.ravel(),
        "version": state.version.ravel(),
        "picked": units("goods_picked"),
        "denied": units("line_missing"),
        "short": units("hold_reduced"),
    }


def drift(archive: Archive, state: State) -> dict[str, Any]:
    """The gap between record and shelf: share of records that are wrong, units, and where the gap came from.

    `by_cause` is the absolute gap, in units, that each cause opened over the run (counts close it: negative): the
    opening's own errors, picks of a neighbouring SKU, and corrections after counts.
    """
    gap = state.available + state.reserved - state.shelf
    return {
        "records_inaccurate_share": float((gap != 0).mean()) if gap.size else None,
        "units_abs": int(np.abs(gap).sum()),
        "units_net": int(gap.sum()),
        "by_cause": {
            "opening": _opening_gap(archive, state.shelf.shape),
            "mispick": _mispicked(archive),
            "count": -_counted(archive),
        },
    }


def _opening_gap(archive: Archive, shape: tuple[int, ...]) -> int:
    total = np.zeros(shape[0] * shape[1], dtype=np.int64)
    for kind, sign in (("record_adjusted", 1), ("shelf_changed", -1)):
        rows = archive.rows(kind)
        rows = rows[rows["cause"] == StockCause.OPENING]
        np.add.at(total, rows["store"].astype(np.int64) * shape[1] + rows["sku"], sign * rows["units"])
    return int(np.abs(total).sum())


def _mispicked(archive: Archive) -> int:
    """Units taken of an SKU that the order did not hold; each leaves two records wrong by as much."""
    picked, held = (archive.rows(kind, ("order", "sku", "units")) for kind in ("goods_picked", "stock_reserved"))
    wide, units = np.int64(1) << 31, 0
    # Some orders at a time: comparing all lines of a large day at once would be the peak of the study's memory.
    for first in range(0, int(picked["order"].max(initial=-1)) + 1, BLOCK):
        mine, theirs = (part[(part["order"] >= first) & (part["order"] < first + BLOCK)] for part in (picked, held))
        right = np.isin(mine["order"] * wide + mine["sku"], theirs["order"] * wide + theirs["sku"])
        units += int(mine["units"][~right].sum())
    return 2 * units


def _counted(archive: Archive) -> int:
    rows = archive.rows("record_adjusted")
    return int(np.abs(rows["units"][rows["cause"] == StockCause.COUNT]).sum())
