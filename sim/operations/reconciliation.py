"""Counting shelves: the only way in which the gap between goods and records is closed."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock, Timer
from sim.contracts import CountView, PlannedReconciliation, Reconciliation, ShortPick
from sim.facts import Facts
from sim.operations.freshness import DAY_S
from sim.operations.shelves import Shelves
from sim.platform.office import Office
from sim.scenario.fields import clock_s
from sim.story import Story
from sim.streams import Die
from sim.vocabulary import InputError, SkuId, StoreId, Units


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

    def short_pick(self, store: StoreId, sku: SkuId, wanted: int, found: int) -> bool:
        """A picker found too little: count the shelf and correct the record, if the policy wants it; True when it does."""
        if not self._policy(ShortPick(store, sku, wanted, found)):
            return False
        self.count(store, sku)
        return True

    def run(self, midnight_s: float, daily_demand: NDArray[np.float64]) -> Story:
        """Let the crew count what the policy plans, every day.

        Parameters
        ----------
        midnight_s
            The midnight before the start, seconds since the start.
        daily_demand
            Expected units a day, float64 (stores, skus).
        """
        policy, env = self._policy, self._env
        if not isinstance(policy, PlannedReconciliation):
            return
        try:
            day, at_s = 0, midnight_s + clock_s(policy.count_at)
        except ValueError as error:
            raise InputError(
                f"policies.reconciliation: expected count_at as {error}, got {policy.count_at!r}."
            ) from error
        while True:
            if at_s >= env.now:
                if at_s > env.now:
                    yield Timer(env, at_s - env.now)
                for store in range(self._shelves.stores):
                    self._by_plan(StoreId(store), policy.plan(CountView(StoreId(store), day, daily_demand[store])))
            day, at_s = day + 1, at_s + DAY_S

    def _by_plan(self, store: StoreId, planned: NDArray[Any]) -> None:
        skus = np.asarray(planned)
        if skus.dtype.kind not in "iu" or (len(skus) and not 0 <= skus.min() <= skus.max() < self._shelves.skus):
            raise InputError(
                f"policies.reconciliation: expected SKUs to count, integers below {self._shelves.skus}, got {planned!r}."
            )
        for sku in skus.tolist():
            self.count(store, sku)
        if len(skus):
            self._facts.crew_counted(store=store, lines=len(skus))

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
