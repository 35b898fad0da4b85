"""The part of law 1 about totes that may come back: what was picked is handed over, brought back or still on the road, once.

Kept by line, so only where goods can come back at all: elsewhere a tote that left is handed over whole.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sim.laws.base import Rows, Slice
from sim.laws.ledger import ByOrder

NEVER = np.iinfo(np.int64).max

Wrong = tuple[float, str]
"""When, and what."""


class Totes:
    """Books of what lies in every tote, by order, store and SKU.

    Parameters
    ----------
    stores, skus
        How many there are.
    """

    def __init__(self, stores: int, skus: int) -> None:
        self._places, self._skus = np.int64(stores * skus), skus
        self._lines, self._units = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        self._gone, self._failed, self._over = ByOrder(NEVER), ByOrder(NEVER), ByOrder(NEVER)

    def _line(self, part: Rows) -> NDArray[np.int64]:
        rows = part.rows
        place = rows["store"].astype(np.int64) * self._skus + rows["sku"]
        return np.asarray(rows["order"].astype(np.int64) * self._places + place)

    def wrong(self, facts: Slice) -> Iterator[Wrong]:
        """Check a slice of the run."""
        picked, put_back, kept, returned = (
            facts[kind] for kind in ("goods_picked", "goods_put_back", "goods_kept", "goods_returned")
        )
        given, failed, ended = (facts[kind] for kind in ("goods_delivered", "handover_failed", "tote_handed_in"))
        yield from self._in_order(kept, returned, given, failed, ended)
        lines = np.concatenate([self._lines, self._line(picked), self._line(put_back)])
        units = np.concatenate([self._units, picked.rows["units"], -put_back.rows["units"].astype(np.int64)])
        # What is kept is what is left of an order that was handed over; of all others everything is.
        held, amount = _summed(lines, units)
        stays, less = _summed(self._line(kept), kept.rows["units"])
        there = np.zeros(len(stays), dtype=np.int64)
        known = np.isin(stays, held)
        there[known] = amount[np.searchsorted(held, stays[known])]
        for i in np.flatnonzero((less > there) | (less <= 0))[:5]:
            yield float(kept.rows["t_s"][-1]), f"{self._named(stays[i])}: {less[i]} units kept of {there[i]}"
        out = np.isin(held // self._places, given.rows["order"])
        held, amount = _summed(
            np.concatenate([held[~out], stays, self._line(returned)]),
            np.concatenate([amount[~out], less, -returned.rows["units"].astype(np.int64)]),
        )
        for i in np.flatnonzero(amount < 0)[:5]:
            t_s = returned.rows["t_s"][-1] if len(returned.rows) else put_back.rows["t_s"][-1]
            yield float(t_s), f"{self._named(held[i])}: {-amount[i]} units more came back than were in the tote"
        left = (amount > 0) & np.isin(held // self._places, ended.rows["order"])
        for i in np.flatnonzero(left)[:5]:
            yield float(ended.rows["t_s"][-1]), f"{self._named(held[i])}: {amount[i]} units were not handed in"
        self._lines, self._units = held[(amount != 0) & ~left], amount[(amount != 0) & ~left]

    def _in_order(self, kept: Rows, returned: Rows, given: Rows, failed: Rows, ended: Rows) -> Iterator[Wrong]:
        """Nothing comes back that was not given up, nothing is handed over that was, and each of it happens once."""
        orders = np.concatenate([part.rows["order"] for part in (kept, returned, given, failed, ended)])
        gone, fell, over = (column.fit(orders) for column in (self._gone, self._failed, self._over))
        gone[given.rows["order"]] = given.seq
        for part, wrong, what in (
            (failed, gone[failed.rows["order"]] != NEVER, "was given up after it had been handed over"),
            (kept, gone[kept.rows["order"]] < kept.seq, "was kept in part after it had been handed over"),
            (kept, gone[kept.rows["order"]] == NEVER, "was kept in part and not handed over"),
            (ended, over[ended.rows["order"]] != NEVER, "was handed in twice"),
        ):
            for i in np.flatnonzero(wrong)[:5]:
                yield float(part.rows["t_s"][i]), f"order {part.rows['order'][i]} {what}"
        fell[failed.rows["order"]] = failed.seq
        over[ended.rows["order"]] = ended.seq
        for part, wrong, what in (
            (given, fell[given.rows["order"]] < given.seq, "was handed over after it had been given up"),
            (
                returned,
                np.minimum(gone, fell)[returned.rows["order"]] > returned.seq,
                "came back though nobody had given it up",
            ),
            (returned, over[returned.rows["order"]] < returned.seq, "came back after it had been handed in"),
        ):
            for i in np.flatnonzero(wrong)[:5]:
                yield float(part.rows["t_s"][i]), f"order {part.rows['order'][i]} {what}"

    def _named(self, line: np.int64) -> str:
        order, place = divmod(int(line), int(self._places))
        return f"order {order}, sku {place % self._skus} of store {place // self._skus}"


def _summed(lines: NDArray[np.int64], units: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each line once, ascending, and its units in all."""
    found, where = np.unique(lines, return_inverse=True)
    return found, np.rint(np.bincount(where, weights=units, minlength=len(found))).astype(np.int64)
