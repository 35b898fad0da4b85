"""The office's desk for goods outside orders: what is received, counted and written off, and what is ordered anew.

Whoever changes a record because it is wrong, and not because goods came or went, does so here: by a role that may, as far
as it may, and with a line in the audit (`stock_corrected`).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock
from sim.contracts import Replenishment
from sim.facts import Facts
from sim.platform.bus import Bus
from sim.platform.forecasting import Forecasting
from sim.platform.inventory import Inventory
from sim.platform.sessions import Command, may
from sim.platform.views import LiveReplenishmentView
from sim.ports import StockMessage
from sim.vocabulary import (
    NO_ORDER,
    Adjustment,
    InputError,
    OrderId,
    Refusal,
    Role,
    SkuId,
    StockCause,
    StoreId,
    Topic,
    Units,
)

_WRITTEN_OFF = frozenset({StockCause.DAMAGE, StockCause.SPOILAGE, StockCause.BREAKAGE})
_COMES = frozenset({StockCause.DELIVERY, StockCause.TRANSFER})


_ORDER_MOST = 1_000_000
"""Units of an SKU that a store may order at once: more is an overflow, or a slip of somebody's pen."""


class StockDesk:
    """Keeps the records of the goods that come and go outside orders.

    Parameters
    ----------
    forecasting
        What is expected to be sold.
    bus
        On which the stores' scanners tell of it; None: they tell without one, at once.
    picker_units
        By so many units a picker may adjust a record; None: by any.

    Attributes
    ----------
    on_order
        Units ordered whose receipt the office has not heard of, int64 (stores, skus).
    owed
        Units that customers wait for (`unmet: backorder`), int64 (stores, skus); None where nobody waits.
    too_large
        Called with (store, SKU, units, order) where somebody with more rights has to look at what a picker counted.
    """

    def __init__(
        self, env: Clock, facts: Facts, inventory: Inventory, replenishment: Replenishment, forecasting: Forecasting,
        bus: Bus | None = None, picker_units: int | None = None,
    ) -> None:  # fmt: skip
        self._env, self._facts, self.inventory, self._replenishment = env, facts, inventory, replenishment
        self.forecasting, self._bus = forecasting, bus
        self.on_order = np.zeros((inventory.stores, inventory.skus), dtype=np.int64)
        self.owed: NDArray[np.int64] | None = None
        self._picker_units = picker_units
        self.too_large: Callable[[StoreId, SkuId, Units, OrderId], None] | None = None
        if bus is not None:
            bus.subscribe(Topic.STOCK_CHANGED, self._heard)

    # -- what the stores tell ----------------------------------------------------------------------------------------

    def opened(self, store: StoreId, skus: NDArray[Any], units: NDArray[Any]) -> None:
        """A store begins with these records: no message, it is how things stand."""
        self.inventory.adjust_many(store, skus, units, StockCause.OPENING)

    # `order`: whose goods or line it was about.

    def counted(
        self, store: StoreId, skus: Sequence[SkuId], units: Sequence[int], role: Role = Role.PICKER,
        order: OrderId = NO_ORDER,
    ) -> bool:  # fmt: skip
        """Somebody counted some shelves; False, and a fact, for a role that may not adjust records by that."""
        if not may(role, Command.ADJUST_STOCK):
            self._facts.request_refused(order=order, refusal=Refusal.NOT_ALLOWED)
            return False
        self._tell(store, skus, units, StockCause.COUNT, order, role)
        return True

    def received(
        self, store: StoreId, skus: NDArray[Any], units: NDArray[Any], cause: StockCause, order: OrderId = NO_ORDER
    ) -> None:
        """Goods were scanned onto the shelves: arrays of SKUs and units, both (n,)."""
        self._tell(store, skus, units, cause, order)

    def written_off(
        self, store: StoreId, skus: NDArray[Any], units: NDArray[Any], cause: StockCause, order: OrderId = NO_ORDER
    ) -> None:
        """Goods were scanned as gone: units of SKUs, arrays (n,), as far as they are not promised to orders.

        What is promised is found missing when it is picked.
        """
        self._tell(store, skus, -units, cause, order)

    def sent(self, store: StoreId, skus: NDArray[Any], units: NDArray[Any]) -> None:
        """Goods were scanned out for another store: units of SKUs, arrays (n,), as far as they are not promised to orders."""
        self._tell(store, skus, -units, StockCause.TRANSFER)

    def _tell(
        self, store: StoreId, skus: Any, units: Any, cause: StockCause, order: OrderId = NO_ORDER,
        role: Role = Role.PICKER,
    ) -> None:  # fmt: skip
        message = StockMessage(store, skus, units, cause, role, order)
        if self._bus is None:
            self._heard(message)
        else:
            self._bus.publish(Topic.STOCK_CHANGED, store, message)

    def _heard(self, message: StockMessage) -> None:
        if self._bus is None or not self._bus.repeating:
            self._book(message)
            return
        store, skus = message.store, np.asarray(message.skus)
        before = self.inventory.on_hand(store)[skus]
        self._book(message)
        more = self.inventory.on_hand(store)[skus] - before
        moved = np.flatnonzero(more)
        alike = {name: np.full(len(moved), value) for name, value in (("store", store), ("order", message.order))}
        self._facts.many("adjustment_doubled", {**alike, "sku": skus[moved], "units": more[moved]})

    def _book(self, message: StockMessage) -> None:
        store, skus, units, cause, role, order = message
        if cause is StockCause.COUNT:
            for sku, there in zip(skus, units, strict=True):
                self._by_count(store, sku, there, role, order)
            return
        if cause in _WRITTEN_OFF or (cause is StockCause.TRANSFER and units[0] < 0):
            units = -np.minimum(-units, self.inventory.free(store, skus))
            skus, units = skus[units < 0], units[units < 0]
        if cause in _COMES:
            self.on_order[store, skus] = np.maximum(self.on_order[store, skus] - units, 0)  # a message may come twice
        if len(skus) == 1:
            self.inventory.adjust(store, SkuId(int(skus[0])), int(units[0]), cause, order)
        else:
            self.inventory.adjust_many(store, skus, units, cause, order)

    # -- who may adjust a record --------------------------------------------------------------------------------------

    def _by_count(self, store: StoreId, sku: SkuId, there: int, role: Role, order: OrderId) -> None:
        change = self.inventory.off_by(store, sku, there)
        if not change:
            return
        limit = self._picker_units
        if limit is not None and abs(change) > limit and not may(role, Command.REVIEW_STOCK):
            if self.too_large is not None:
                self.too_large(store, sku, Units(change), order)
            return
        self.inventory.counted(store, sku, there, order)
        self._facts.stock_corrected(
            store=store, sku=sku, units=Units(change), role=role, adjustment=Adjustment.COUNTED, order=order
        )

    # -- what the office does of its own accord ----------------------------------------------------------------------

    def on_hand(self, store: StoreId) -> NDArray[Any]:
        """Net stock by the records: units of every SKU, available or held, less what customers wait for, int64 (skus,)."""
        whole = self.inventory.on_hand(store)
        return whole if self.owed is None else whole - self.owed[store]

    def correct(
        self, store: StoreId, skus: NDArray[Any], units: NDArray[Any], role: Role, adjustment: Adjustment,
        order: OrderId = NO_ORDER,
    ) -> bool:  # fmt: skip
        """Somebody of the office, or their job, changes records by `units` (signed), as far as they are not promised to orders.

        False, and a fact, for a role that may not: what was not counted, nobody but an elevated role adjusts.
        """
        if not may(role, Command.REVIEW_STOCK):
            self._facts.request_refused(order=order, refusal=Refusal.NOT_ALLOWED)
            return False
        units = np.maximum(units, -self.inventory.free(store, skus))
        skus, units = skus[units != 0], units[units != 0]
        if len(skus):
            self.inventory.adjust_many(store, skus, units, StockCause.RECONCILED, order)
            said = {"store": store, "role": role, "adjustment": adjustment, "order": order}
            alike = {name: np.full(len(skus), value) for name, value in said.items()}
            self._facts.many("stock_corrected", {"sku": skus, "units": units, **alike})
        return True

    def ordered(self, store: StoreId, units: NDArray[np.int64]) -> None:
        """Units of every SKU are on their way to a store, (skus,)."""
        self.on_order[store] += units

    def expected(self, store: StoreId, lead_time_s: float) -> NDArray[Any]:
        """Units of each SKU a day, float64 (skus,), that an order must last for: until what the next review orders is there."""
        return self.forecasting.until(store, self._env.now + self._replenishment.every_s + lead_time_s)

    def replenish(
        self, store: StoreId, daily_demand: NDArray[Any], lead_time_s: float, on_hand: NDArray[Any] | None = None
    ) -> Any:
        """What the store should order now, units per SKU (int64); `daily_demand`: see `expected`.

        `on_hand`: units of every SKU to go by, (skus,); by default those on record.
        """
        skus = self.inventory.skus
        there = self.on_hand(store) if on_hand is None else on_hand
        view = LiveReplenishmentView(
            self._env.now, store, there, self.on_order[store].copy(), daily_demand, lead_time_s
        )
        wanted = self._replenishment(view)
        if len(wanted) != skus:
            raise InputError(f"policies.replenishment: expected units for {skus} SKUs, got {len(wanted)}.")
        if wanted.max(initial=0) > _ORDER_MOST or wanted.min(initial=0) < 0:
            raise InputError(
                f"policies.replenishment: expected from 0 to {_ORDER_MOST:,} units of an SKU, got"
                f" {wanted.max() if wanted.min() >= 0 else wanted.min():,}."
            )
        return wanted
