"""When stock records are lost: pages that cannot be read, and copies that lack the last writes. Their history rebuilds them."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock
from sim.platform.orders import Order
from sim.platform.stock_events import Fold, StockEvents
from sim.vocabulary import NO_ORDER, OrderId, StockCause, StoreId


class Written(NamedTuple):
    """When primaries died, and the units on hand of every SKU that each of them had, by store, int64 (skus,)."""

    at_s: float
    on_hand: dict[StoreId, NDArray[Any]]


class LostRecords:
    """The half of the inventory service that mends its records; `sim.platform.inventory.Inventory` is the whole of it."""

    _env: Clock
    _events: StockEvents | None
    skus: int
    available: "array[int]"
    reserved: "array[int]"
    version: "array[int]"
    updated_s: "array[float]"
    written_s: list[float]
    _unreadable: Counter[int]
    """Places that cannot be read, by how many faults."""

    def adjust_many(
        self, store: StoreId, skus: NDArray[Any], units: NDArray[Any], cause: StockCause, order: OrderId = NO_ORDER
    ) -> None:
        """Change many records of a store, no holds."""
        raise NotImplementedError

    def _adjusted(self, place: int, before: int, after: int) -> None:
        raise NotImplementedError

    @property
    def recorded(self) -> bool:
        """Whether the records' own history is kept, so that they can be rebuilt."""
        return self._events is not None

    def corrupt(self, places: Iterable[int]) -> None:
        """Pages of the store turn to zeros. Their checksum tells: until `heal` no reservation gets anything from them.

        Writes that nobody can refuse (holds that end, goods received) go on; the stream has them.
        """
        for place in places:
            before = self.available[place]
            self._unreadable[place] += 1
            self.available[place] = self.reserved[place] = self.version[place] = 0
            self.updated_s[place] = self.written_s[place // self.skus] = self._env.now
            self._adjusted(place, before, 0)

    def heal(self, repaired: Iterable[int] | None = None) -> int:
        """Rebuild unreadable records from snapshot and tail; returns how many.

        `repaired`: places at which one fault is over, of which some may be unreadable for another reason still; None: all.
        """
        if repaired is None:
            places, self._unreadable = sorted(self._unreadable), Counter()
        else:
            mine = [place for place in repaired if place in self._unreadable]
            self._unreadable -= Counter(mine)
            places = sorted(place for place in mine if place not in self._unreadable)
        rebuilt: dict[int, Fold] = {}
        for place in places:
            store, sku = divmod(place, self.skus)
            fold = rebuilt.get(store) or rebuilt.setdefault(store, self._stream.rebuild(StoreId(store)))
            before = self.available[place]
            self.available[place] = after = int(fold.available[sku])
            self.reserved[place], self.version[place] = int(fold.reserved[sku]), int(fold.version[sku])
            self.updated_s[place] = self.written_s[store] = self._env.now
            self._adjusted(place, before, after)
        return len(places)

    def written(self, stores: Iterable[StoreId]) -> Written:
        """What some stores' primaries have at this moment, as they die: to be held against what a copy has (see `recover`)."""
        found = Written(self._env.now, {})
        for store in stores:
            fold = self._stream.rebuild(store)
            found.on_hand[store] = fold.available + fold.reserved
        return found

    def recover(self, written: Written, t_s: float) -> int:
        """Copies take over whose streams end at a recovery point; returns how many writes before the crash were lost.

        What primaries had `written` after that point is gone; what came while they were down was held back, and is written now.
        Reserved is what the open orders say, so available is the difference (at least nothing). This is a new write on top,
        not a rewinding: versions only rise, so whoever read before conflicts.
        """
        first_and_last = [(store * self.skus, (store + 1) * self.skus) for store in written.on_hand]
        for first, last in first_and_last:
            lost_pages = [place for place in self._unreadable if first <= place < last]
            self.heal([place for place in lost_pages for _ in range(self._unreadable[place])])  # the copy's can be read
        lost = 0
        for store, had in written.on_hand.items():
            # Every copy began anew at the last recovery, so no later one can reach back beyond it.
            oldest_s = self._stream.oldest_s(store)
            if oldest_s > written.at_s:
                continue
            since = self._stream.since(store, written.at_s)
            cut = self._stream.cut(store, max(t_s, oldest_s))
            if not cut:
                continue
            lost += cut - since
            then, part = self._stream.rebuild(store), slice(store * self.skus, (store + 1) * self.skus)
            gone = had - then.available - then.reserved
            available = np.frombuffer(self.available, np.int32)[part]
            change = np.maximum(available - gone, 0) - available
            skus = np.flatnonzero(change)
            self.adjust_many(store, skus, change[skus], StockCause.RECOVERY)
            self._stream.restart(store, self._columns(store))
        return lost

    def differing(self, store: StoreId) -> int:
        """How many records of a store differ from the fold of its stream: none, unless they were corrupted."""
        fold, now = self._stream.rebuild(store), self._columns(store)
        return int(np.any([a != b for a, b in zip(fold, now, strict=True)], axis=0).sum())

    def _columns(self, store: StoreId) -> Fold:
        part = slice(store * self.skus, (store + 1) * self.skus)
        columns = (self.available, self.reserved, self.version)
        return Fold(*(np.frombuffer(column, dtype=np.int32)[part].astype(np.int64) for column in columns))

    def _readable(self, order: Order, there: Sequence[int] | None) -> list[int]:
        first, unreadable = order.store * self.skus, self._unreadable
        seen = there if there is not None else [self.available[first + sku] for sku in order.skus]
        return [0 if first + sku in unreadable else units for sku, units in zip(order.skus, seen, strict=True)]

    @property
    def _stream(self) -> StockEvents:
        if self._events is None:
            raise RuntimeError("Expected the stock events to be recorded, got an inventory without them.")
        return self._events
