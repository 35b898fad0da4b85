"""The audit: whenever staff change a stock record, or let a customer off some of a price, there is one line that says so.

An adjustment is what changes a record because it was wrong, not because goods came or went: after a count, or set to the
scan log by the comparing job and by whoever reviews what it flags. Its line, `stock_corrected`, stands beside it: of the
same record, moment and units, with a role that may; what staff refund is its own line, `goodwill_given`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.laws.base import Law, Rows, Slice
from sim.vocabulary import Adjustment, Role, StockCause
from sim.world.build import World

_COUNTED, _RECONCILED = int(StockCause.COUNT), int(StockCause.RECONCILED)
_STAFF, _ELEVATED = (Role.PICKER, Role.STORE, Role.ADMIN), (Role.STORE, Role.ADMIN)


class Audit(Law):
    """Holds the audit against the records, and every line of it against what its role may do."""

    name = "audit"

    def __init__(self, world: World) -> None:
        super().__init__()
        scenario = world.scenario
        self._picker_units, self._refund_max = scenario.stores.review.picker_units, scenario.support.refund_max_cents
        self._given: dict[int, int] = {}

    def goodwill_given(self, t: float, order: int, cents: int, role: int, actor: int) -> None:
        """Only support gives, and of one order no more than an agent may without somebody who may more."""
        self._given[order] = given = self._given.get(order, 0) + cents
        if cents <= 0 or not (role == Role.ADMIN or (role == Role.SUPPORT and given <= self._refund_max)):
            self.breach(t, f"order {order}: {cents} cents given back, {given} in all, by {Role(role).name.lower()}")

    def slice(self, facts: Slice) -> None:
        """Check a slice of the run: an adjustment and its line are of one moment, so never in two slices."""
        adjusted, lines = facts["record_adjusted"], facts["stock_corrected"]
        cause = adjusted.rows["cause"]
        mine = adjusted.rows[(cause == _COUNTED) | (cause == _RECONCILED)]
        if not len(mine) and not len(lines.rows):
            return
        counted = lines.rows["adjustment"] == Adjustment.COUNTED
        one, other = _keys(mine, mine["cause"] == _COUNTED), _keys(lines.rows, counted)
        for found, kept, what in (
            (one, other, "adjusted without a line"),
            (other, one, "a line without an adjustment"),
        ):
            for key in found[~_matched(found, kept)][:5]:
                self.breach(key["t_s"], f"store {key['store']} sku {key['sku']}: {key['units']} units, {what}")
        self._check_roles(lines, counted)

    def _check_roles(self, lines: Rows, counted: NDArray[Any]) -> None:
        rows = lines.rows
        may = np.where(counted, np.isin(rows["role"], _STAFF), np.isin(rows["role"], _ELEVATED))
        if self._picker_units is not None:
            may &= (rows["role"] != Role.PICKER) | (np.abs(rows["units"]) <= self._picker_units)
        for row in rows[~may][:5]:
            who = Role(int(row["role"])).name.lower()
            self.breach(row["t_s"], f"store {row['store']} sku {row['sku']}: {row['units']} units adjusted by {who}")


_KEY = np.dtype([("t_s", "f8"), ("store", "i4"), ("sku", "i4"), ("units", "i4"), ("counted", "?")])


def _keys(rows: Any, counted: NDArray[Any]) -> NDArray[Any]:
    keys = np.empty(len(rows), dtype=_KEY)
    for name in ("t_s", "store", "sku", "units"):
        keys[name] = rows[name]
    keys["counted"] = counted
    return np.sort(keys)


def _matched(found: NDArray[Any], kept: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each of some keys, sorted, has one of its own among others, sorted too, bool (n,)."""
    first = np.searchsorted(found, found)
    nth = np.arange(len(found)) - first  # of its like
    return np.asarray(nth < np.searchsorted(kept, found, side="right") - np.searchsorted(kept, found))
