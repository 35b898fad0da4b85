"""What pickers' hands do at the shelves: they take what is there, or what lies beside it, and now and then break something."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sim.operations.losses import lose
from sim.operations.reconciliation import Counting
from sim.operations.shelves import Shelves
from sim.platform.office import Office
from sim.ports import PickJob
from sim.streams import Die
from sim.vocabulary import OrderId, PickerId, SkuId, StockCause, StoreId

Missing = list[tuple[int, int]]
"""Lines of a job of which something was not there: (place among its lines, units found)."""


class Hands:
    """How pickers of one store take the lines of an order.

    Parameters
    ----------
    mispicks
        order -> SKUs for which the SKU beside the right one is taken and scanned as the right one.
    breakages, overlooked
        order -> SKUs of which a unit breaks as it is taken; and those that are taken for missing although they are there.
    scanned_share
        How often what broke is scanned as such.
    luck
        Keyed draws by (order, SKU): whether it is.
    """

    def __init__(
        self,
        office: Office,
        shelves: Shelves,
        counting: Counting,
        store: StoreId,
        mispicks: Mapping[int, frozenset[int]],
        breakages: Mapping[int, frozenset[int]],
        overlooked: Mapping[int, frozenset[int]],
        scanned_share: float,
        luck: Die,
    ) -> None:
        self._office, self.shelves, self._counting, self._store = office, shelves, counting, store
        self._mispicks, self._breakages, self._overlooked = mispicks, breakages, overlooked
        self._scanned_share, self._luck = scanned_share, luck

    def collect(self, job: PickJob) -> Missing:
        """Take what is there of a job's lines into its tote; returns the lines that fell short."""
        order, held = job.order, job.held
        slips = self._mispicks.get(order)
        reached = held if slips is None else [(self._taken(sku, slips), units) for sku, units in held]
        if self._breakages and order in self._breakages:
            self._break(order, reached)
        if self._overlooked and order in self._overlooked:
            short = self._pick_what_is_seen(order, held, reached)
        else:
            short = self.shelves.pick(order, self._store, reached)
        if slips is not None:
            self._scan_wrongly(order, held, reached, dict(short))
        return short

    def _pick_what_is_seen(
        self, order: OrderId, held: Sequence[tuple[SkuId, int]], reached: Sequence[tuple[SkuId, int]]
    ) -> Missing:
        unseen = self._overlooked[order]
        seen = [line for line, (sku, _) in enumerate(held) if sku not in unseen]
        short = self.shelves.pick(order, self._store, [reached[line] for line in seen])
        missing = [(seen[line], found) for line, found in short]
        return sorted(missing + [(line, 0) for line, (sku, units) in enumerate(held) if sku in unseen and units])

    def _taken(self, sku: SkuId, slips: frozenset[int]) -> Any:
        return beside(sku, self.shelves.skus) if sku in slips else sku

    def _break(self, order: OrderId, reached: Sequence[tuple[SkuId, int]]) -> None:
        """One unit each falls down; the next one is taken, if there is one."""
        shelves, store, fragile = self.shelves, self._store, self._breakages[order]
        for sku, _ in reached:
            if sku in fragile:
                scanned = self._luck.uniform(order, sku) < self._scanned_share
                one, gone = np.array([sku]), np.array([1])
                lose(self._office.stock, shelves, store, one, gone, StockCause.BREAKAGE, scanned=scanned, order=order)

    def _scan_wrongly(
        self, order: OrderId, wanted: Sequence[tuple[SkuId, int]], reached: Sequence[tuple[SkuId, int]],
        short: dict[int, int],
    ) -> None:  # fmt: skip
        for line, ((sku, units), (taken, _)) in enumerate(zip(wanted, reached, strict=True)):
            found = short.get(line, units)
            if taken != sku and found > 0:
                self.shelves.mistaken(self._store, sku, taken, found, order)

    def report(self, job: PickJob, missing: Missing, picker: PickerId) -> int:
        """Tell the office what was not there; returns how many shelves the picker is to count for it."""
        for line, found in missing:
            sku, wanted = job.held[line]
            self._office.short(job.order, picker, sku, wanted - found)
        return self.to_count(job, missing)

    def to_count(self, job: PickJob, missing: Missing) -> int:
        """Count the shelves that fell short, where the policy wants it; returns how many."""
        slips, counted = self._mispicks.get(job.order, frozenset()), 0
        for line, found in missing:
            sku, wanted = job.held[line]
            counted += self._counting.short_pick(self._store, self._taken(sku, slips), wanted, found, job.order)
        return counted

    def put_back(self, order: OrderId) -> None:
        """An order that stood packed is off: what was picked for it goes back to the shelves, and is scanned there."""
        for sku, units in self.shelves.put_back(order, self._store):
            self._office.stock.received(self._store, np.array([sku]), np.array([units]), StockCause.PUT_BACK, order)


def beside(place: Any, skus: int) -> Any:
    """The place (flat, or an SKU's number alone) of the SKU on the shelf beside, in the same store; or such places."""
    return place - place % skus + (place % skus + 1) % skus
