"""The goods themselves: units on shelves and in totes. Physical stock changes nowhere else.

Beside the truth stands the scan log: what the shelves would hold if every scan were true and everything had been scanned.
Most handling is scanned as it happens, so only the difference is kept, and it moves only when people slip.
"""

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.facts import Facts
from sim.vocabulary import NO_ORDER, NOBODY, DriverId, NodeId, OrderId, SkuId, StockCause, StoreId, Units


class Shelves:
    """Units on the shelves of all stores (flat, index ``store * skus + sku``), in orders' totes, and in the scan log.

    Parameters
    ----------
    opening, scanned
        Units on the shelves and in the scan log at the start, integers (stores, skus).

    Attributes
    ----------
    units
        Units on the shelves.
    slips
        The scan log less the shelves.
    docked
        Units at the docks, int64 (stores, skus): in the building, not on a shelf yet.
    road
        Units on their way from other stores, by the store they go to, int64 (stores, skus).
    """

    def __init__(self, facts: Facts, opening: NDArray[Any], scanned: NDArray[Any]) -> None:
        self._facts = facts
        self.stores, self.skus = stores, _ = opening.shape
        self.units = array("i", bytes(4 * stores * self.skus))
        self.slips = array("i", bytes(4 * stores * self.skus))
        self.totes: dict[OrderId, list[tuple[SkuId, int]]] = {}
        self._kept: dict[OrderId, list[tuple[SkuId, int]]] = {}
        self.docked, self.road = (np.zeros((stores, self.skus), dtype=np.int64) for _ in range(2))
        for store in range(stores):
            skus = np.flatnonzero((opening[store] != 0) | (scanned[store] != 0))
            self.change_many(StoreId(store), skus, opening[store][skus], StockCause.OPENING, scanned[store][skus])

    def on_shelf(self, store: StoreId, sku: SkuId) -> int:
        """Units that are really there."""
        return int(self.units[store * self.skus + sku])

    def column(self, store: StoreId) -> NDArray[Any]:
        """A store's shelves, int32 (skus,)."""
        return np.frombuffer(self.units, dtype=np.int32)[self._part(store)]

    def scanned(self, store: StoreId) -> NDArray[Any]:
        """What the scan log says a store's shelves hold, int32 (skus,)."""
        return self.column(store) + np.frombuffer(self.slips, dtype=np.int32)[self._part(store)]

    def _part(self, store: StoreId) -> slice:
        return slice(store * self.skus, (store + 1) * self.skus)

    def change_many(
        self,
        store: StoreId,
        skus: NDArray[Any],
        units: NDArray[Any],
        cause: StockCause,
        scanned: NDArray[Any] | None = None,
        order: OrderId = NO_ORDER,
    ) -> None:
        """Put units (signed) of many SKUs on a store's shelves, from no tote; `skus` (each once) and `units` are (n,).

        `scanned`: what the people who did it scanned, (n,); None when that is what they did. `order`: for which they were there.
        """
        moved = units != 0
        self.column(store)[skus] += units.astype(np.int32)
        self._log("shelf_changed", store, skus[moved], units[moved], cause, order)
        if scanned is not None:
            self._slip(store, skus, scanned - units, cause, order)

    def dock(self, store: StoreId, skus: NDArray[Any], units: NDArray[Any]) -> None:
        """Goods come off a truck: units of SKUs (each once), both (n,), stand at a store's dock."""
        there = units > 0
        if there.any():
            self.docked[store, skus] += units
            columns = {"store": np.full(int(there.sum()), store), "sku": skus[there], "units": units[there]}
            self._facts.many("goods_docked", columns)

    def put_away(self, store: StoreId, skus: NDArray[Any], units: NDArray[Any], scanned: NDArray[Any]) -> None:
        """Goods go from the dock onto the shelves; `scanned`: what is scanned there of it. All (n,), each SKU once."""
        self.docked[store, skus] -= units
        self.change_many(store, skus, units, StockCause.DELIVERY, scanned)

    def scanned_ahead(self, store: StoreId, skus: NDArray[Any], units: NDArray[Any]) -> None:
        """Goods at the dock were scanned as if they stood on the shelves: units of SKUs (each once), both (n,)."""
        self._slip(store, skus, units, StockCause.DELIVERY)

    def send(self, store: StoreId, destination: StoreId, skus: NDArray[Any], units: NDArray[Any], due_s: float) -> None:
        """Goods leave a store's shelves for another store: units of SKUs (each once), both (n,), there at `due_s`."""
        self.change_many(store, skus, -units, StockCause.TRANSFER)
        self._go(store, destination, skus, units, due_s)

    def comes(self, destination: StoreId, skus: NDArray[Any], units: NDArray[Any], due_s: float) -> None:
        """Goods are on the road to a store since before the start."""
        self._go(StoreId(NOBODY), destination, skus, units, due_s)

    def _go(self, store: StoreId, destination: StoreId, skus: NDArray[Any], units: NDArray[Any], due_s: float) -> None:
        self.road[destination, skus] += units
        alike = {name: np.full(len(skus), value) for name, value in (("store", store), ("destination", destination))}
        self._facts.many("goods_sent", {**alike, "sku": skus, "units": units, "due_s": np.full(len(skus), due_s)})

    def arrive(self, store: StoreId, skus: NDArray[Any], units: NDArray[Any]) -> None:
        """Goods from another store go onto a store's shelves: units of SKUs (each once), both (n,)."""
        self.road[store, skus] -= units
        self.change_many(store, skus, units, StockCause.TRANSFER)

    def _slip(
        self, store: StoreId, skus: NDArray[Any], more: NDArray[Any], cause: StockCause, order: OrderId = NO_ORDER
    ) -> None:
        wrong = more != 0
        np.frombuffer(self.slips, dtype=np.int32)[self._part(store)][skus[wrong]] += more[wrong].astype(np.int32)
        self._log("scan_slipped", store, skus[wrong], more[wrong], cause, order)

    def _slip_one(self, store: StoreId, sku: SkuId, more: int, cause: StockCause, order: OrderId) -> None:
        self.slips[store * self.skus + sku] += more
        self._facts.scan_slipped(store=store, sku=sku, units=Units(more), cause=cause, order=order)

    def _log(
        self, kind: str, store: StoreId, skus: NDArray[Any], units: NDArray[Any], cause: StockCause, order: OrderId
    ) -> None:
        if len(skus):
            said = {"store": store, "cause": cause, "order": order}
            alike = {name: np.full(len(skus), value) for name, value in said.items()}
            self._facts.many(kind, {"sku": skus, "units": units, **alike})

    def mistaken(self, store: StoreId, sku: SkuId, taken: SkuId, units: int, order: OrderId = NO_ORDER) -> None:
        """A picker took `units` of the SKU `taken` and scanned them as `sku`."""
        self._slip_one(store, sku, -units, StockCause.MISPICK, order)
        self._slip_one(store, taken, units, StockCause.MISPICK, order)

    def counted(self, store: StoreId, sku: SkuId, units: int, order: OrderId = NO_ORDER) -> None:
        """Somebody counted `units`: the scan log goes by that from now on, right or wrong."""
        place = store * self.skus + sku
        more = units - self.units[place] - self.slips[place]
        if more:
            self._slip_one(store, sku, more, StockCause.COUNT, order)

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
            # Picked a second time: a message came twice and nobody knew. The record learns of one tote.
            for sku, units in tote:
                self._facts.adjustment_doubled(store=store, sku=sku, units=Units(units), order=order)
            tote = self.totes[order] + tote
        self.totes[order] = tote
        return short

    def sell(self, places: NDArray[Any], taken: NDArray[Any], units: NDArray[Any]) -> None:
        """Take goods of many places over the counter without orders: units of what lies at `taken`, scanned as of `places`.

        Places are flat, and all three are (n,); none is `taken` twice.
        """
        np.frombuffer(self.units, dtype=np.int32)[taken] -= units.astype(np.int32)
        store, sku = np.divmod(places, self.skus)
        self._facts.many("goods_sold", {"store": store, "sku": sku, "taken": taken % self.skus, "units": units})
        for i in np.flatnonzero(places != taken).tolist():
            self.mistaken(StoreId(int(store[i])), SkuId(int(sku[i])), SkuId(int(taken[i] % self.skus)), int(units[i]))

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
        """The customer takes everything in the tote, but for what the driver keeps."""
        del self.totes[order]
        if order in self._kept:
            self.totes[order] = self._kept.pop(order)
        self._facts.goods_delivered(driver=driver, order=order, node=node)

    def keep(self, order: OrderId, store: StoreId, restricted: Sequence[bool]) -> bool:
        """What is `restricted`, by SKU, will stay in the tote when it is handed over; False when nothing is."""
        kept = [(sku, units) for sku, units in self.totes[order] if restricted[sku]]
        for sku, units in kept:
            self._facts.goods_kept(order=order, store=store, sku=sku, units=Units(units))
        if kept:
            self._kept[order] = kept
        return bool(kept)

    def come_back(self, order: OrderId, store: StoreId, returnable: Sequence[bool]) -> dict[SkuId, int]:
        """Empty a tote that was brought back onto the shelves, or into the bin; returns what is on the shelves again."""
        put_back: dict[SkuId, int] = {}
        for sku, units in self.totes.pop(order):
            if returnable[sku]:
                self.units[store * self.skus + sku] += units
                put_back[sku] = put_back.get(sku, 0) + units
            self._facts.goods_returned(
                order=order, store=store, sku=sku, units=Units(units), wasted=not returnable[sku]
            )
        return put_back
