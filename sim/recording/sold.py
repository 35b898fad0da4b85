"""What a log says was sold, day by day, by the records."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.recording.archive import Archive
from sim.scenario.fields import DAY_S
from sim.vocabulary import StockCause


def sold_by_day(archive: Archive, midnight_s: float, days: range, shape: tuple[int, int]) -> NDArray[np.int32]:
    """Units sold on each of some days, int32 (days, stores, skus).

    A sale is what leaves the record: a hold that is committed, less what was taken out of it before; goods that are scanned
    over the counter, those of a step that ends at midnight on the day before; and what was sold unseen and booked later.

    Parameters
    ----------
    midnight_s
        The midnight at which day 0 begins, seconds since the start.
    shape
        Stores and SKUs.
    """
    sold = np.zeros((len(days), *shape), dtype=np.int32)
    for t_s, rows, units in _sales(archive):
        day = np.ceil((t_s - midnight_s) / DAY_S).astype(np.int64) - 1 - days.start
        mine = (day >= 0) & (day < len(days))
        np.add.at(sold, (day[mine], rows["store"][mine], rows["sku"][mine]), units[mine].astype(np.int32))
    return sold


def committed(archive: Archive) -> Iterator[tuple[NDArray[Any], NDArray[np.int64], Any, NDArray[Any]]]:
    """What left the records with the holds that were committed: all that was held, less what was taken out of it before.

    Yields, kind after kind, when each line left, seconds since the start, its place in the order of the day, its row (order,
    store, SKU), and the units (negative: those taken out before).
    """
    orders = archive.rows("hold_committed", ("t_s", "order"))
    ended = archive.seq("hold_committed")
    for kind, sign in (("stock_reserved", 1), ("hold_reduced", -1)):
        rows = archive.rows(kind, ("order", "store", "sku", "units"))
        which = np.full(max(int(part["order"].max(initial=-1)) for part in (rows, orders)) + 1, -1, dtype=np.int64)
        which[orders["order"]] = np.arange(len(orders))
        commit = which[rows["order"]]
        rows, commit = rows[commit >= 0], commit[commit >= 0]
        yield orders["t_s"][commit], ended[commit], rows, sign * rows["units"]


def _sales(archive: Archive) -> Iterator[tuple[NDArray[Any], Any, NDArray[Any]]]:
    """Times, rows with store and SKU, and units (signed), kind after kind."""
    rows = archive.rows("goods_sold", ("t_s", "store", "sku", "units"))
    yield rows["t_s"], rows, rows["units"]
    rows = archive.rows("record_adjusted")
    rows = rows[rows["cause"] == StockCause.SOLD]
    yield rows["t_s"], rows, -rows["units"]
    for t_s, _, rows, units in committed(archive):
        yield t_s, rows, units
