"""The goods themselves: units on shelves and in totes. Physical stock changes nowhere else."""

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.facts import Facts
from sim.vocabulary import DriverId, NodeId, OrderId, SkuId, StockCause, StoreId, Units


class Shelves:
    """Units on the shelves of all stores (flat, index ``store * skus + sku``) and in orders' totes."""

    def __init__(self, facts: Facts, opening: NDArray[Any]) -> None:
        self._facts = facts
        stores, self.skus = opening.shape
        self.units = array("i", bytes(4 * stores * self.skus))
        self.totes: dict[OrderId, list[tuple[SkuId, int]]] = {}
        for store in range(stores):
            skus = np.flatnonzero(opening[store])
            self.change_many(StoreId(store), skus, opening[store][skus], StockCause.OPENING)

    def on_shelf(self, store: StoreId, sku: SkuId) -> int:
        """Units that are really there."""
        return int(self.units[store * self.skus + sku])

    def column(self, store: StoreId) -> NDArray[Any]:
        """A store's shelves, int32 (skus,)."""
        return np.frombuffer(self.units, dtype=np.int32)[store * self.skus : (store + 1) * self.skus]

    def change_many(self, store: StoreId, skus: NDArray[Any], units: NDArray[Any], cause: StockCause) -> None:
        """Put units (signed) of many SKUs on a store's shelves outside an order; `skus` and `units` are (n,)."""
        np.add.at(self.column(store), skus, units.astype(np.int32))
        columns = {"store": np.full(len(skus), store), "sku": skus, "units": units, "cause": np.full(len(skus), cause)}
        self._facts.many("shelf_changed", columns)

    def pick(self, order: OrderId, store: StoreId, lines: Sequence[tuple[SkuId, int]]) -> list[tuple[int, int]]:
        """Move an order's lines (SKU, units) from the shelf into its tote, as far as they are there.

        Returns the lines that fell short: (place in `lines`, units found).
        """
        shelf, first, picked = self.units, store * self.skus, self._facts.goods_picked
        tote: list[tuple[SkuId, int]] = []
        short: list[tuple[int, int]] = []
        for line, (sku, wanted) in enumerate(lines):
            there = shelf[first + sku]
            units = wanted
            if there < wanted:
                units = there
                short.append((line, units))
            if units > 0:
                shelf[first + sku] = there - units
                tote.append((sku, units))
                picked(order=order, store=store, sku=sku, units=units)  # type: ignore[arg-type]
        if order in self.totes:
            tote = self.totes[order] + tote  # picked a second time: a message came twice and nobody knew
        self.totes[order] = tote
        return short

    def put_back(self, order: OrderId, store: StoreId) -> list[tuple[SkuId, int]]:
        """Empty a cancelled order's tote onto the shelves; returns what was in it."""
        tote = self.totes.pop(order, [])
        for sku, units in tote:
            self.units[store * self.skus + sku] += units
            self._facts.goods_put_back(order=order, store=store, sku=sku, units=Units(units))
        return tote

    def leave(self, order: OrderId, store: StoreId) -> None:
        """An order's tote goes out of the door with its driver."""
        self._facts.goods_left(order=order, store=store)

    def hand_over(self, order: OrderId, driver: DriverId, node: NodeId) -> None:
        """The customer takes everything in the tote."""
        del self.totes[order]
        self._facts.goods_delivered(driver=driver, order=order, node=node)
