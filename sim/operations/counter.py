"""The handoff counters where there is not room for everything: packed orders stand there until their drivers take them."""

from collections import deque
from typing import Any

from sim.story import Signal
from sim.vocabulary import OrderId, StoreId


class NarrowCounter(set[Any]):
    """Packed orders at the counters of all stores, a place for each.

    Where there is room for all, a plain set does.

    Parameters
    ----------
    room
        How many find room in each store.
    """

    def __init__(self, stores: int, room: int) -> None:
        super().__init__()
        self._free = [room] * stores
        self._places: dict[OrderId, StoreId] = {}
        self._waiting: list[deque[Signal]] = [deque() for _ in range(stores)]

    def claim(self, order: OrderId, store: StoreId) -> Signal | None:
        """Take a place for an order that is about to be put there; what to wait for where there is none, then ask again."""
        if order in self._places:
            return None
        if self._free[store]:
            self._free[store] -= 1
            self._places[order] = store
            return None
        signal = Signal()
        self._waiting[store].append(signal)
        return signal

    def discard(self, order: Any) -> None:
        """An order stands there no more, or never came: its place is free, and whoever has waited longest is told."""
        super().discard(order)
        store = self._places.pop(order, None)
        if store is None:
            return
        self._free[store] += 1
        if self._waiting[store]:
            self._waiting[store].popleft().ring()
