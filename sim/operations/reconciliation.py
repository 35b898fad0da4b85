"""Counting shelves: the only way in which the gap between goods and records is closed."""

from array import array
from collections import Counter
from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock
from sim.contracts import Reconciliation, ShortPick
from sim.facts import Facts
from sim.operations.shelves import Shelves
from sim.platform.stock_desk import StockDesk
from sim.streams import Die
from sim.vocabulary import NO_ORDER, InputError, OrderId, Role, SkuId, StoreId, Units


class Counting:
    """Sends somebody to a shelf when the policy says so.

    Parameters
    ----------
    error_share
        How often a count is wrong by a unit, either way.
    luck
        Keyed draws by (place, how often it was counted).

    Attributes
    ----------
    counted_s
        When each place was counted last, by its number; -inf before it was for the first time.
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        desk: StockDesk,
        shelves: Shelves,
        policy: Reconciliation,
        error_share: float,
        luck: Die,
    ) -> None:
        self._env, self._facts, self._desk, self._shelves, self._policy = env, facts, desk, shelves, policy
        self._error_share, self._luck = error_share, luck
        self._times: Counter[int] = Counter()
        self.counted_s = array("d", [-inf]) * (desk.inventory.stores * desk.inventory.skus)

    def short_pick(self, store: StoreId, sku: SkuId, wanted: int, found: int, order: OrderId = NO_ORDER) -> bool:
        """A picker found too little: count the shelf and correct the record, if the policy wants it; True when it does."""
        if not self._policy(ShortPick(store, sku, wanted, found)):
            return False
        self.count(store, [sku], Role.PICKER, order)
        return True

    def count(self, store: StoreId, skus: Sequence[SkuId], role: Role, order: OrderId = NO_ORDER) -> None:
        """Count some shelves, scan what was counted and tell the office in one message, in the role of whoever counts.

        `order`: whose line fell short there.
        """
        shelves, first, found = self._shelves, store * self._shelves.skus, list[int]()
        for sku in skus:
            units = shelves.on_shelf(store, sku)
            if units:  # that there is nothing, everybody sees
                units = max(units + self._error(first + sku), 0)
            self.counted_s[first + sku] = self._env.now
            self._facts.shelf_counted(store=store, sku=sku, units=Units(units), order=order)
            shelves.counted(store, sku, units, order)
            found.append(units)
        self._desk.counted(store, skus, found, role, order)

    def _error(self, place: int) -> int:
        self._times[place] += 1
        chance = self._luck.uniform(place, self._times[place])
        if chance >= self._error_share:
            return 0
        return 1 if chance < self._error_share / 2 else -1


def chosen_skus(chosen: Any, skus: int, what: str) -> NDArray[Any]:
    """Hold SKUs that a reconciliation policy names to its contract: an array (n,), each once.

    Raises
    ------
    InputError
        They are none of a store's `skus`, or one is named twice; `what` says what they are for.
    """
    found = np.asarray(chosen)
    # Sorted and each once, they lie strictly between the place before the first SKU and that after the last.
    if (
        not (found.ndim == 1 and (found.dtype.kind in "iu" or not len(found)))
        or (np.diff(np.concatenate([[-1], np.sort(found), [skus]])) < 1).any()
    ):
        raise InputError(f"policies.reconciliation: expected {what}, integers below {skus}, each once, got {chosen!r}.")
    return found.astype(np.int64)
