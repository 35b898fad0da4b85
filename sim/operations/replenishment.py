"""Restocking: periodic reviews by the office, a truck after the lead time, put-away onto the shelves."""

from typing import Any

import numpy as np

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.operations.shelves import Shelves
from sim.platform.office import Office
from sim.story import Story
from sim.vocabulary import StockCause, StoreId, Units


class Supply:
    """The supply of one store."""

    def __init__(
        self, env: Clock, facts: Facts, office: Office, shelves: Shelves, store: StoreId,
        daily_demand: Any, *, first_s: float, every_s: float, lead_s: float,
    ) -> None:  # fmt: skip
        self._env, self._facts, self._office, self._shelves, self._store = env, facts, office, shelves, store
        self._daily_demand, self._first_s, self._every_s, self._lead_s = daily_demand, first_s, every_s, lead_s
        self._on_order = np.zeros(len(daily_demand), dtype=np.int64)

    def run(self) -> Story:
        """Review, order, and let the truck come."""
        yield Timer(self._env, self._first_s)
        while True:
            wanted = self._office.replenish(self._store, self._on_order.copy(), self._daily_demand, self._lead_s)
            if wanted.any():
                self._on_order += wanted
                self._facts.supply_ordered(
                    store=self._store,
                    lines=int(np.count_nonzero(wanted)),
                    units=Units(int(wanted.sum())),
                    due_s=self._env.now + self._lead_s,
                )
                Timer(self._env, self._lead_s, self._receive, wanted)
            yield Timer(self._env, self._every_s)

    def _receive(self, event: Timer) -> None:
        delivered = event.value
        self._on_order -= delivered
        skus = np.flatnonzero(delivered)
        self._shelves.change_many(self._store, skus, delivered[skus], StockCause.DELIVERY)
        self._office.received_many(self._store, skus, delivered[skus], StockCause.DELIVERY)
