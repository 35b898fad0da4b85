"""The inventory service: stock records, what the platform sells from. They change nowhere else.

A record is (store, SKU) -> available, reserved, version. Writing is optimistic: a reservation reads versions, and its
write succeeds only if they have not changed in the meantime (simulated time). Records live in flat integer columns,
index ``store * skus + sku``.
"""

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.facts import Facts
from sim.platform.orders import Order
from sim.vocabulary import SkuId, StockCause, StoreId, Units


class Inventory:
    """Stock records of all stores."""

    def __init__(self, facts: Facts, stores: int, skus: int) -> None:
        self._facts = facts
        self.skus = skus
        self.available = array("i", bytes(4 * stores * skus))
        self.reserved = array("i", bytes(4 * stores * skus))
        self.version = array("i", bytes(4 * stores * skus))

    def versions(self, order: Order) -> list[int]:
        """Read the versions of an order's records."""
        first = order.store * self.skus
        version = self.version
        return [version[first + sku] for sku in order.skus]

    def reserve(self, order: Order, seen: Sequence[int] | None, attempt: int) -> bool:
        """Hold what the records have of an order's lines, if nobody wrote since the versions were seen.

        On success `order.held` lists the lines held; what is missing is logged and simply not held. On a conflict nothing
        is held and the answer is False. `seen` None: read and written in the same moment, so nobody can have come between.
        """
        first, store, facts = order.store * self.skus, order.store, self._facts
        available, reserved, version = self.available, self.reserved, self.version
        for sku, saw in zip(order.skus, seen, strict=True) if seen is not None else ():
            if version[first + sku] != saw:
                facts.version_conflict(order=order.id, store=store, sku=sku, attempt=attempt)
                return False
        held = order.held
        for sku, wanted in zip(order.skus, order.units, strict=True):
            place = first + sku
            there = available[place]
            units = wanted if wanted <= there else there
            if units > 0:
                available[place] = there - units
                reserved[place] += units
                version[place] = new = version[place] + 1
                facts.stock_reserved(order=order.id, store=store, sku=sku, units=units, version=new)  # type: ignore[arg-type]
                held.append((sku, units))
            if units < wanted:
                facts.line_missing(order=order.id, store=store, sku=sku, units=Units(wanted - units))
        return True

    def reduce(self, order: Order, sku: SkuId, units: int) -> None:
        """Take units that were not found out of an order's hold; the record counts them as available again."""
        for line, (held_sku, held) in enumerate(order.held):
            if held_sku == sku:
                order.held[line] = (sku, held - units)
                break
        place = order.store * self.skus + sku
        self.reserved[place] -= units
        self.available[place] += units
        self.version[place] += 1
        self._facts.hold_reduced(order=order.id, store=order.store, sku=sku, units=Units(units))

    def commit(self, order: Order) -> None:
        """The held goods left the shelf: they leave the record."""
        first = order.store * self.skus
        for sku, units in order.held:
            self.reserved[first + sku] -= units
            self.version[first + sku] += 1
        order.committed = True
        self._facts.hold_committed(order=order.id, store=order.store)

    def release(self, order: Order) -> None:
        """Give the held units back to whoever wants them; a hold that was committed has ended already."""
        if order.committed or not order.held:
            return
        first = order.store * self.skus
        for sku, units in order.held:
            self.reserved[first + sku] -= units
            self.available[first + sku] += units
            self.version[first + sku] += 1
        order.held.clear()
        self._facts.hold_released(order=order.id, store=order.store)

    def adjust(self, store: StoreId, sku: SkuId, units: int, cause: StockCause) -> None:
        """Change a record outside an order by `units` (signed): goods received, put back, or counted."""
        place = store * self.skus + sku
        self.available[place] += units
        self.version[place] += 1
        self._facts.record_adjusted(store=store, sku=sku, units=Units(units), cause=cause)

    def adjust_many(self, store: StoreId, skus: NDArray[Any], units: NDArray[Any], cause: StockCause) -> None:
        """Change many records of a store outside an order by `units` (signed); `skus` and `units` are (n,)."""
        places = store * self.skus + skus
        np.add.at(np.frombuffer(self.available, dtype=np.int32), places, units.astype(np.int32))
        np.add.at(np.frombuffer(self.version, dtype=np.int32), places, 1)
        columns = {"store": np.full(len(skus), store), "sku": skus, "units": units, "cause": np.full(len(skus), cause)}
        self._facts.many("record_adjusted", columns)

    def counted(self, store: StoreId, sku: SkuId, units: int) -> None:
        """Correct a record after a count of the shelf: available is what was counted less what is promised to orders."""
        place = store * self.skus + sku
        change = max(units - self.reserved[place], 0) - self.available[place]
        if change:
            self.adjust(store, sku, change, StockCause.COUNT)

    def on_hand(self, store: StoreId) -> NDArray[Any]:
        """Available plus reserved units of a store, int64 (skus,)."""
        first, last = store * self.skus, (store + 1) * self.skus
        whole = np.frombuffer(self.available, dtype=np.int32)[first:last].astype(np.int64)
        return whole + np.frombuffer(self.reserved, dtype=np.int32)[first:last]
