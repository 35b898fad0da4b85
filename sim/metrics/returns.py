"""Goods that came back from the customers' doors."""

from typing import Any

import numpy as np

from sim.metrics.tables import Columns
from sim.recording import Archive


def put_away(archive: Archive) -> Any:
    """Facts of goods that came back and were put on their shelf again."""
    rows = archive.rows("goods_returned")
    return rows[~rows["wasted"]]


def returns(archive: Archive, orders: Columns) -> dict[str, int]:
    """The object `returns` of the summary: what drivers handed in of the orders that count, all of it or a part.

    What is still on the road at the close is not in it.
    """
    rows = archive.rows("goods_returned")
    rows = rows[np.isin(rows["order"], orders["order"])]
    units, wasted = (int(part["units"].sum()) for part in (rows, rows[rows["wasted"]]))
    return {
        "orders": len(np.unique(rows["order"])),
        "units": units,
        "put_back_units": units - wasted,
        "wasted_units": wasted,
    }
