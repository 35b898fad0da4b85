"""Stock at the end of a run, and what became of the goods."""

from typing import Any

import numpy as np

from sim.metrics.tables import Columns
from sim.recording import Archive, State
from sim.vocabulary import StockCause


def stock_table(archive: Archive, state: State) -> Columns:
    """One row per store and SKU: shelf, dock, road, scan log, record; over the run, units picked, denied, short and lost."""
    stores, skus = state.shelf.shape

    def summed(rows: Any, sku: str = "sku") -> Any:
        place = rows["store"].astype(np.int64) * skus + rows[sku]
        return np.bincount(place, weights=rows["units"], minlength=stores * skus).astype(np.int64)

    def units(kind: str) -> Any:
        return summed(archive.rows(kind, ("store", "sku", "units")))

    changed, missed = archive.rows("shelf_changed"), archive.rows("sale_missed")

    def lost(cause: StockCause) -> Any:
        return -summed(changed[changed["cause"] == cause])

    return {
        "store": np.repeat(np.arange(stores), skus),
        "sku": np.tile(np.arange(skus), stores),
        "shelf": state.shelf.ravel(),
        "dock": state.dock.ravel(),
        "road": state.road.ravel(),
        "scan": state.scan.ravel(),
        "available": state.available.ravel(),
        "reserved": state.reserved.ravel(),
        "version": state.version.ravel(),
        "picked": units("goods_picked") + summed(archive.rows("goods_sold"), "taken"),
        "denied": units("line_missing") + summed(missed[missed["denied"]]),
        "short": units("hold_reduced") + summed(missed[~missed["denied"]]),
        "stolen": lost(StockCause.THEFT),
        "damaged": lost(StockCause.DAMAGE),
        "broken": lost(StockCause.BREAKAGE),
        "spoiled": lost(StockCause.SPOILAGE),
    }


def losses(stock: Columns) -> dict[str, Any]:
    """What left the shelves without being sold, from the rows of `stock_table`; shares are for each unit picked."""
    names = ("stolen", "damaged", "broken", "spoiled", "picked")
    stolen, damaged, broken, spoiled, picked = (int(stock[name].sum()) for name in names)
    return {
        "stolen": stolen,
        "damaged": damaged,
        "broken": broken,
        "spoiled": spoiled,
        "shrink_share": (stolen + damaged + broken) / picked if picked else None,
        "waste_share": spoiled / picked if picked else None,
    }
