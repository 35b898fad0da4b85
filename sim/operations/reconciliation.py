"""Counting shelves: the only way in which the gap between goods and records is closed."""

from collections import Counter

from sim.clock import Clock
from sim.contracts import Reconciliation, ShortPick
from sim.facts import Facts
from sim.operations.shelves import Shelves
from sim.platform.office import Office
from sim.streams import Die
from sim.vocabulary import SkuId, StoreId, Units


class Counting:
    """Sends somebody to a shelf when the policy says so.

    Parameters
    ----------
    error_share
        How often a count is wrong by a unit, either way.
    luck
        Keyed draws by (place, how often it was counted).
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        office: Office,
        shelves: Shelves,
        policy: Reconciliation,
        error_share: float,
        luck: Die,
    ) -> None:
        self._env, self._facts, self._office, self._shelves, self._policy = env, facts, office, shelves, policy
        self._error_share, self._luck = error_share, luck
        self._times: Counter[int] = Counter()

    def short_pick(self, store: StoreId, sku: SkuId, wanted: int, found: int) -> None:
        """A picker found too little: count the shelf and correct the record, if the policy wants it."""
        if self._policy(ShortPick(store, sku, wanted, found)):
            self.count(store, sku)

    def count(self, store: StoreId, sku: SkuId) -> None:
        """Count one shelf, scan what was counted and tell the office."""
        units = self._shelves.on_shelf(store, sku)
        if units:  # that there is nothing, everybody sees
            units = max(units + self._error(store * self._shelves.skus + sku), 0)
        self._facts.shelf_counted(store=store, sku=sku, units=Units(units))
        self._shelves.counted(store, sku, units)
        self._office.counted(store, sku, units)

    def _error(self, place: int) -> int:
        self._times[place] += 1
        chance = self._luck.uniform(place, self._times[place])
        if chance >= self._error_share:
            return 0
        return 1 if chance < self._error_share / 2 else -1
