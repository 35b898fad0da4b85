"""Counts by plan: what the policy names every day is counted shelf after shelf, by a crew or by pickers without an order."""

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from sim.clock import Clock, Timer
from sim.contracts import CountView, PlannedReconciliation, Reconciliation
from sim.facts import Facts
from sim.operations.reconciliation import Counting, chosen_skus
from sim.platform.stock_desk import StockDesk
from sim.scenario import Scenario
from sim.scenario.fields import DAY_S
from sim.story import Story, tell
from sim.vocabulary import InputError, Role, SkuId, StoreId, quantise


class PlannedCounts:
    """The shelves of every store that are still to be counted by plan, and the crews who count them.

    Somebody takes a few shelves at a time; when they are counted the records learn of them. A new plan takes the place of
    what is left of the one before. Whoever counts while orders are picked misses what is in totes and still in the record:
    a count by day errs more than one by night. In a goods-only run nobody is there for hours: all is counted at the moment
    of the plan.

    Attributes
    ----------
    on_plan
        Called with a store when there is something for its pickers to count.
    """

    def __init__(
        self, env: Clock, facts: Facts, desk: StockDesk, counting: Counting, policy: Reconciliation, scenario: Scenario
    ) -> None:
        self._env, self._facts, self._desk, self._counting, self._scenario = env, facts, desk, counting, scenario
        self._policy = policy if isinstance(policy, PlannedReconciliation) else None
        self._terms, self._count_s = scenario.stores.counting, scenario.stores.count_s
        stores = desk.inventory.stores
        self._open: list[deque[int]] = [deque() for _ in range(stores)]
        self._out = [0] * stores
        self._until_s = 0.0
        self.on_plan: Callable[[StoreId], None] | None = None

    @property
    def by_pickers(self) -> bool:
        """Whether there are plans, and pickers count what they name."""
        return self._policy is not None and self._terms.by == "pickers"

    def run(self) -> Story:
        """Plan every day at the policy's time of day, and see that it is counted."""
        policy, env, scenario = self._policy, self._env, self._scenario
        if policy is None:
            return
        try:
            first_s = scenario.first_s(str(policy.count_at))
        except ValueError as error:
            raise InputError(
                f"policies.reconciliation: expected count_at as {error}, got {policy.count_at!r}."
            ) from error
        yield Timer(env, first_s)
        while True:
            day = int((env.now - scenario.midnight_s) // DAY_S)
            self._until_s = env.now + self._terms.within_h * 3600.0
            for store in range(len(self._open)):
                self._plan(policy, StoreId(store), day)
            yield Timer(env, DAY_S)

    def _plan(self, policy: PlannedReconciliation, store: StoreId, day: int) -> None:
        skus = chosen_skus(policy.plan(self._view(store, day)), self._desk.inventory.skus, "SKUs to count").tolist()
        self._open[store].clear()
        if not skus:
            return
        self._facts.count_planned(store=store, lines=len(skus))
        if self._scenario.mode == "goods_only":
            self.count(store, skus)
            self._facts.crew_counted(store=store, lines=len(skus))
            return
        self._open[store].extend(skus)
        if self._terms.by == "crew":
            # No more people than there is to count: who finds nothing left goes home at once.
            batches = -(-len(skus) // self._terms.lines)
            for _ in range(min(self._terms.people - self._out[store], batches)):
                self._out[store] += 1
                tell(self._crew(store))
        elif self.on_plan is not None:
            self.on_plan(store)

    def _view(self, store: StoreId, day: int) -> CountView:
        inventory = self._desk.inventory
        mine = slice(store * inventory.skus, (store + 1) * inventory.skus)
        changed_s, counted_s = np.frombuffer(inventory.updated_s)[mine], np.frombuffer(self._counting.counted_s)[mine]
        since_s = np.maximum(changed_s, counted_s)
        idle_days = (self._env.now - since_s) / DAY_S
        return CountView(store, day, self._desk.forecasting.ordinary(store), inventory.on_hand(store), idle_days)

    def _crew(self, store: StoreId) -> Story:
        """One of a store's crew counts until nothing is left, or the time is up."""
        while skus := self.take(store):
            yield Timer(self._env, quantise(len(skus) * self._count_s))
            self.count(store, skus)
            self._facts.crew_counted(store=store, lines=len(skus))
        self._out[store] -= 1

    def take(self, store: StoreId) -> list[SkuId]:
        """The next shelves for somebody to count: none when all are counted, or the time is up."""
        left = self._open[store]
        if not left or self._env.now >= self._until_s:
            return []
        return [SkuId(left.popleft()) for _ in range(min(len(left), self._terms.lines))]

    def count(self, store: StoreId, skus: Sequence[SkuId], role: Role = Role.STORE) -> None:
        """Somebody has counted some shelves: the store's crew, or a picker."""
        self._counting.count(store, skus, role)
