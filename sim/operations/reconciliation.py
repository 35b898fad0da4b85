"""Counting shelves: the only way in which the gap between goods and records is closed."""

from sim.clock import Clock
from sim.contracts import Reconciliation, ShortPick
from sim.facts import Facts
from sim.operations.shelves import Shelves
from sim.platform.office import Office
from sim.vocabulary import SkuId, StoreId, Units


class Counting:
    """Sends somebody to a shelf when the policy says so."""

    def __init__(self, env: Clock, facts: Facts, office: Office, shelves: Shelves, policy: Reconciliation) -> None:
        self._env, self._facts, self._office, self._shelves, self._policy = env, facts, office, shelves, policy

    def short_pick(self, store: StoreId, sku: SkuId, wanted: int, found: int) -> None:
        """A picker found too little: count the shelf and correct the record, if the policy wants it."""
        if self._policy(ShortPick(store, sku, wanted, found)):
            self.count(store, sku)

    def count(self, store: StoreId, sku: SkuId) -> None:
        """Count one shelf and tell the office."""
        units = self._shelves.on_shelf(store, sku)
        self._facts.shelf_counted(store=store, sku=sku, units=Units(units))
        self._office.counted(store, sku, units)
