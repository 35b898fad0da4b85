"""A running balance per place, checked by whole slices: what a listener would see fact by fact, in a few array operations."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Ledger:
    """Balances of many places that change by signed amounts in a known order."""

    def __init__(self, places: int) -> None:
        self.balance = np.zeros(places, dtype=np.int64)

    def post(self, place: NDArray[Any], amount: NDArray[Any], seq: NDArray[Any]) -> NDArray[np.int64]:
        """Apply changes and return the balance of its place after each, in the order given.

        Parameters
        ----------
        place, amount, seq
            Where, how much (signed), and when in the order of the day; each (n,).
        """
        order = np.lexsort((seq, place))
        sorted_place = place[order]
        total = np.cumsum(amount[order])
        first = np.ones(len(order), dtype=bool)
        first[1:] = sorted_place[1:] != sorted_place[:-1]
        starts = np.flatnonzero(first)
        before = np.where(starts > 0, total[starts - 1], 0) if len(starts) else np.zeros(0, dtype=np.int64)
        group = np.cumsum(first) - 1
        running = total - before[group] + self.balance[sorted_place]
        ends = np.append(starts[1:], len(order)) - 1 if len(starts) else starts
        self.balance[sorted_place[ends]] = running[ends]
        after = np.empty(len(order), dtype=np.int64)
        after[order] = running
        return after


class ByOrder:
    """A column over orders that grows as their ids do."""

    def __init__(self, missing: int) -> None:
        self._missing = missing
        self.values = np.full(1024, missing, dtype=np.int64)

    def fit(self, orders: NDArray[Any]) -> NDArray[np.int64]:
        """Make room for these orders and return the column."""
        need = int(orders.max()) + 1 if len(orders) else 0
        if need > len(self.values):
            grown = np.full(max(need, 2 * len(self.values)), self._missing, dtype=np.int64)
            grown[: len(self.values)] = self.values
            self.values = grown
        return self.values
