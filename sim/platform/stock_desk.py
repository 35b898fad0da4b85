"""The office's desk for goods outside orders: what is received, counted and written off, and what is ordered anew."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock
from sim.contracts import Replenishment
from sim.platform.inventory import Inventory
from sim.platform.views import LiveReplenishmentView
from sim.vocabulary import InputError, SkuId, StockCause, StoreId


class StockDesk:
    """Keeps the records of the goods that come and go outside orders.

    Attributes
    ----------
    owed
        Units that customers wait for (`unmet: backorder`), int64 (stores, skus); None where nobody waits.
    """

    def __init__(self, env: Clock, inventory: Inventory, replenishment: Replenishment) -> None:
        self._env, self.inventory, self._replenishment = env, inventory, replenishment
        self.owed: NDArray[np.int64] | None = None

    def counted(self, store: StoreId, sku: SkuId, units: int) -> None:
        """Somebody counted a shelf."""
        self.inventory.counted(store, sku, units)

    def received(self, store: StoreId, sku: SkuId, units: int, cause: StockCause) -> None:
        """Goods were scanned onto a shelf outside an order."""
        self.inventory.adjust(store, sku, units, cause)

    def received_many(self, store: StoreId, skus: Any, units: Any, cause: StockCause) -> None:
        """Goods of many SKUs were scanned onto the shelves: arrays of SKUs and units, both (n,)."""
        self.inventory.adjust_many(store, skus, units, cause)

    def written_off(self, store: StoreId, skus: Any, units: Any, cause: StockCause) -> None:
        """Goods were scanned as gone: units of SKUs, arrays (n,), as far as they are not promised to orders.

        What is promised is found missing when it is picked.
        """
        gone = np.minimum(units, self.inventory.free(store, skus))
        self.inventory.adjust_many(store, skus[gone > 0], -gone[gone > 0], cause)

    def on_hand(self, store: StoreId) -> NDArray[Any]:
        """Net stock by the records: units of every SKU, available or held, less what customers wait for, int64 (skus,)."""
        whole = self.inventory.on_hand(store)
        return whole if self.owed is None else whole - self.owed[store]

    def replenish(self, store: StoreId, on_order: Any, daily_demand: Any, lead_time_s: float) -> Any:
        """What the store should order now, units per SKU (int64)."""
        skus = self.inventory.skus
        view = LiveReplenishmentView(self._env.now, store, self.on_hand(store), on_order, daily_demand, lead_time_s)
        wanted = self._replenishment(view)
        if len(wanted) != skus:
            raise InputError(f"policies.replenishment: expected units for {skus} SKUs, got {len(wanted)}.")
        return wanted
