"""The inventory service: stock records, what the platform sells from. They change nowhere else.

A record is (store, SKU) -> available, reserved, version, updated_at. A reservation reads records and decides what to hold;
its write carries out what was decided, and something must guard that nobody wrote in the meantime (simulated time): by
default the versions do, see `sim.platform.reserving` for the others. Records live in flat columns, index
``store * skus + sku``; a store's records are one partition.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock
from sim.facts import Facts
from sim.platform.leases import Leases
from sim.platform.lost_records import LostRecords
from sim.platform.orders import Order
from sim.platform.slots import SplitRecords
from sim.platform.stock_events import StockEvent, StockEvents
from sim.vocabulary import NO_ORDER, OrderId, SkuId, StockCause, StoreId, Units

Seen = tuple[list[int], list[int]]
"""What a reader of an order's records saw: their versions, and the units available."""


_RESERVED, _RETURNED = StockEvent.RESERVED, StockEvent.RETURNED
_SOLD, _ADJUSTED = StockEvent.SOLD, StockEvent.ADJUSTED


class Inventory(LostRecords):
    """Stock records of all stores.

    Parameters
    ----------
    env
        Tells the time of each write; without one it is always zero.
    events
        The service's own history; None: not recorded, and nothing can be rebuilt.

    Attributes
    ----------
    written_s
        When any record of a store was written last: see `stale`.
    crossed
        Called with (place, now in seconds, available) when a write empties a record or fills an empty one.
    split, locks
        What guards writes besides the versions, if anything does.
    sold
        Units sold of each record since the books were closed last (see `sim.platform.forecasting`).
    """

    def __init__(
        self, facts: Facts, stores: int, skus: int, *, env: Clock | None = None, events: StockEvents | None = None
    ) -> None:
        self._facts, self._env, self._events = facts, env or Clock(), events
        self.stores, self.skus = stores, skus
        self.available = array("i", bytes(4 * stores * skus))
        self.reserved = array("i", bytes(4 * stores * skus))
        self.version = array("i", bytes(4 * stores * skus))
        self.updated_s = array("d", bytes(8 * stores * skus))
        self.written_s = [0.0] * stores
        self.sold = array("i", bytes(4 * stores * skus))
        self.crossed: Callable[[int, float, int], None] | None = None
        self.split: SplitRecords | None = None
        self.locks: Leases | None = None
        self.denied: set[OrderId] = set()  # orders of which the records denied every line
        self.expired: set[OrderId] = set()
        self._unreadable: Counter[int] = Counter()  # by how many faults

    # -- reservations ------------------------------------------------------------------------------------------------

    def versions(self, order: Order) -> Seen:
        """Read an order's records: what is seen here is what a reservation decides by."""
        first = order.store * self.skus
        version, available = self.version, self.available
        places = [first + sku for sku in order.skus]
        return [version[place] for place in places], [available[place] for place in places]

    def stale(self, order: Order, read_s: float) -> SkuId | None:
        """The first line whose record was written since it was read, at `read_s`; None when none was.

        Every write raises the version and notes the time, so comparing times is comparing versions; and what nobody has
        written since is what the reader saw, so that nothing need be kept of what was read.
        """
        if self.written_s[order.store] <= read_s:
            return None  # nearly always
        first, updated = order.store * self.skus, self.updated_s
        for sku in order.skus:
            if updated[first + sku] > read_s:
                return sku
        return None

    def reserve(self, order: Order, read_s: float | None, attempt: int) -> bool:
        """Hold what the records have of an order's lines, if nobody wrote since they were read, at `read_s`.

        On success `order.held` lists the lines held; what is missing is logged and simply not held. On a conflict nothing
        is held and the answer is False. None: read and written in the same moment, so nobody can have come between.
        """
        if read_s is not None:
            sku = self.stale(order, read_s)
            if sku is not None:
                self.conflict(order, sku, attempt)
                return False
        self.write(order, None)
        return True

    def conflict(self, order: Order, sku: SkuId, attempt: int) -> None:
        """Log that a write was given up because somebody else came first."""
        self._facts.version_conflict(order=order.id, store=order.store, sku=sku, attempt=attempt)

    def write(self, order: Order, there: Sequence[int] | None, *, slots: bool = False) -> None:
        """Carry out a reservation: hold of each line what is wanted, as far as the reader found it `there`.

        Nothing is compared here: whoever writes has made sure that `there` is still true. None: as available now.
        `slots`: the units were taken from the record's slots already.
        """
        if self._unreadable:
            there = self._readable(order, there)
        order_id, store, now, held = order.id, order.store, self._env.now, order.held
        available, reserved, version, updated = self.available, self.reserved, self.version, self.updated_s
        first, line, log = store * self.skus, -1, self._facts.stock_reserved
        self.written_s[store] = now
        for sku, wanted in zip(order.skus, order.units, strict=True):
            place = first + sku
            units = before = available[place]
            if there is not None:
                line += 1
                units = there[line]
            if wanted <= units:
                units = wanted
            else:
                missing = Units(wanted - max(units, 0))
                self._facts.line_missing(order=order_id, store=store, sku=sku, units=missing)
                if units <= 0:
                    continue
            available[place] = left = before - units
            reserved[place] += units
            version[place] = new = version[place] + 1
            updated[place] = now
            log(order=order_id, store=store, sku=sku, units=units, version=new)  # type: ignore[arg-type]
            held.append((sku, units))
            if left <= 0 < before and self.crossed is not None:
                self.crossed(place, now, left)
        if not held:
            self.denied.add(order.id)
        if self._events is not None:
            self._events.lines(store, _RESERVED, held)
        if self.split is not None and not slots:
            for sku, units in held:
                self.split.taken(first + sku, units)

    def answered(self, order: Order) -> bool:
        """Whether the order has had its answer: it holds what there was, or everything was denied."""
        return bool(order.held) or order.id in self.denied

    # -- what becomes of a hold --------------------------------------------------------------------------------------

    def reduce(self, order: Order, sku: SkuId, units: int) -> None:
        """Take units that were not found out of an order's hold; the record counts them as available again."""
        for line, (held_sku, held) in enumerate(order.held):
            if held_sku == sku:
                order.held[line] = (sku, held - units)
                break
        if order.unheld:
            # Sold unseen: the customer learns only now that the goods are not there.
            self._facts.line_missing(order=order.id, store=order.store, sku=sku, units=Units(units))
            return
        self._give_back(order.store, ((sku, units),))
        self._facts.hold_reduced(order=order.id, store=order.store, sku=sku, units=Units(units))

    def can_give(self, store: StoreId) -> NDArray[Any]:
        """Units of each SKU that a new hold could have now, int32 (skus,): nothing of a record that cannot be read."""
        first = store * self.skus
        there = np.maximum(np.array(self.available[first : first + self.skus], dtype=np.int32), 0)
        there[[place - first for place in self._unreadable if first <= place < first + self.skus]] = 0
        return there

    def hold(self, order: Order, sku: SkuId, units: int) -> None:
        """Hold units of one more SKU for an order: a substitute, which the record has."""
        order.held.append((sku, units))
        if order.unheld:
            return
        store, place = order.store, order.store * self.skus + sku
        before = self.available[place]
        self.available[place] = before - units
        self.reserved[place] += units
        self.version[place] += 1
        self.updated_s[place] = self.written_s[store] = self._env.now
        self._facts.stock_reserved(
            order=order.id, store=store, sku=sku, units=Units(units), version=self.version[place]
        )
        if self._events is not None:
            self._events.lines(store, _RESERVED, [(sku, units)])
        self._adjusted(place, before, before - units)

    def commit(self, order: Order) -> None:
        """The held goods left the shelf: they leave the record."""
        order.committed = True
        if order.unheld:
            # The record knows of the sale only now, and cannot give more than it has.
            for sku, units in order.held:
                there = min(units, self.available[order.store * self.skus + sku])
                if there > 0:
                    self.sold[order.store * self.skus + sku] += there
                    self.adjust(order.store, sku, -there, StockCause.SOLD, order.id)
            return
        first, now, updated = order.store * self.skus, self._env.now, self.updated_s
        reserved, version, sold = self.reserved, self.version, self.sold
        self.written_s[order.store] = now
        for sku, units in order.held:
            place = first + sku
            reserved[place] -= units
            version[place] += 1
            updated[place] = now
            sold[place] += units
        if self._events is not None:
            self._events.lines(order.store, _SOLD, order.held)
        self._facts.hold_committed(order=order.id, store=order.store)

    def release(self, order: Order) -> None:
        """Give the held units back to whoever wants them; a hold that was committed has ended already."""
        if self.denied or self.expired:
            self.denied.discard(order.id)
            self.expired.discard(order.id)
        if self._end(order):
            self._facts.hold_released(order=order.id, store=order.store)

    def expire(self, order: Order) -> bool:
        """End the hold of an order that nobody went on with; False when it has none (any more)."""
        if order.unheld or not self._end(order):
            return False
        self.expired.add(order.id)
        self._facts.hold_expired(order=order.id, store=order.store)
        return True

    def _end(self, order: Order) -> bool:
        if order.committed or not order.held:
            return False
        if not order.unheld:
            self._give_back(order.store, order.held)
        order.held.clear()
        return not order.unheld

    def _give_back(self, store: StoreId, lines: Iterable[tuple[SkuId, int]]) -> None:
        first, now = store * self.skus, self._env.now
        available, reserved, version, updated = self.available, self.reserved, self.version, self.updated_s
        self.written_s[store] = now
        for sku, units in lines:
            place = first + sku
            before = available[place]
            available[place] = before + units
            reserved[place] -= units
            version[place] += 1
            updated[place] = now
            if before <= 0 < before + units and self.crossed is not None:
                self.crossed(place, now, before + units)
            if self.split is not None:
                self.split.returned(place, units)
        if self._events is not None:
            self._events.lines(store, _RETURNED, lines)

    def sell(self, places: NDArray[Any], units: NDArray[Any]) -> None:
        """Take goods that went over the counter without orders off the records: flat places (each once) and units, (n,).

        The sale itself is the fact.
        """
        np.frombuffer(self.available, dtype=np.int32)[places] -= units.astype(np.int32)
        np.frombuffer(self.sold, dtype=np.int32)[places] += units.astype(np.int32)
        np.frombuffer(self.version, dtype=np.int32)[places] += 1
        np.frombuffer(self.updated_s)[places] = self._env.now
        for store in set((places // self.skus).tolist()):
            self.written_s[store] = self._env.now

    # -- without holds; `order`, as in the facts: whose goods or line it is about ---------------------------------------

    def adjust(self, store: StoreId, sku: SkuId, units: int, cause: StockCause, order: OrderId = NO_ORDER) -> None:
        """Change a record by `units` (signed), no hold: goods received, put back, or counted."""
        place = store * self.skus + sku
        before = self.available[place]
        self.available[place] = after = before + units
        self.version[place] += 1
        self.updated_s[place] = self.written_s[store] = self._env.now
        if self._events is not None:
            self._events.line(store, _ADJUSTED, sku, units)
        self._facts.record_adjusted(store=store, sku=sku, units=Units(units), cause=cause, order=order)
        self._adjusted(place, before, after)

    def adjust_many(
        self, store: StoreId, skus: NDArray[Any], units: NDArray[Any], cause: StockCause, order: OrderId = NO_ORDER
    ) -> None:
        """Change many records of a store by `units` (signed), no holds; `skus` (each once) and `units` are (n,)."""
        places = store * self.skus + skus
        available = np.frombuffer(self.available, dtype=np.int32)
        before = available[places]
        np.add.at(available, places, units.astype(np.int32))
        np.add.at(np.frombuffer(self.version, dtype=np.int32), places, 1)
        np.frombuffer(self.updated_s)[places] = self.written_s[store] = self._env.now
        if self._events is not None:
            self._events.columns(store, _ADJUSTED, skus, units)
        said = {"store": store, "cause": cause, "order": order}
        alike = {name: np.full(len(skus), value) for name, value in said.items()}
        self._facts.many("record_adjusted", {"sku": skus, "units": units, **alike})
        if self.crossed is not None or self.split is not None or self.locks is not None:
            for place, was, there in zip(places.tolist(), before.tolist(), available[places].tolist(), strict=True):
                self._adjusted(place, was, there)

    def _adjusted(self, place: int, before: int, after: int) -> None:
        if self.split is not None:
            self.split.spread(place, after)
        if self.locks is not None and after < before:
            self.locks.fence(place)  # whoever holds the record read more than there is now, and must read again
        if (before > 0) != (after > 0) and self.crossed is not None:
            self.crossed(place, self._env.now, after)

    def free(self, store: StoreId, skus: NDArray[Any]) -> NDArray[Any]:
        """Available units of some SKUs of a store, int32 (n,)."""
        return np.asarray(np.frombuffer(self.available, dtype=np.int32)[store * self.skus + skus])

    def off_by(self, store: StoreId, sku: SkuId, units: int) -> int:
        """By how much a count of the shelf would change a record: available is what was counted less what is promised."""
        place = store * self.skus + sku
        if place in self._unreadable:
            return 0  # there is nothing yet to hold the count against
        return max(units - self.reserved[place], 0) - self.available[place]

    def counted(self, store: StoreId, sku: SkuId, units: int, order: OrderId = NO_ORDER) -> None:
        """Correct a record after a count of the shelf (see `off_by`)."""
        if change := self.off_by(store, sku, units):
            self.adjust(store, sku, change, StockCause.COUNT, order)

    def on_hand(self, store: StoreId) -> NDArray[Any]:
        """Available plus reserved units of a store, int64 (skus,)."""
        first, last = store * self.skus, (store + 1) * self.skus
        whole = np.frombuffer(self.available, dtype=np.int32)[first:last].astype(np.int64)
        return whole + np.frombuffer(self.reserved, dtype=np.int32)[first:last]
