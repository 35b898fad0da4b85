"""Shelf life: what is too old is thrown away, once a day.

Goods are taken oldest first (FEFO: first expired, first out). So what a shelf still holds of a lot is what it holds beyond
all later lots, and no pick need know which lot it took from: only what was received on which day is kept.
"""

from collections import deque
from math import ceil

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock, Timer
from sim.operations.shelves import Shelves
from sim.platform.stock_desk import StockDesk
from sim.scenario.fields import DAY_S
from sim.story import Story
from sim.vocabulary import StockCause, StoreId


class Freshness:
    """Looks through the shelves of all stores every day at the same hour.

    Parameters
    ----------
    life_days
        How many days' looks a delivery is sold for: it goes at that many-th look after it came, int (skus,); 0: it keeps.
    first_s
        When the first look is taken, seconds since the start.
    opening_days
        Over how many days before the start the opening stock came, as far as it can be so old.
    lots
        Or what came on each of these days, see `sim.world.catalogue.Opening`.

    Attributes
    ----------
    on_road
        What is on its way between stores, by the day it came first, today's first: int64 (days, SKUs that do not keep) each.
    """

    def __init__(
        self,
        env: Clock,
        desk: StockDesk,
        shelves: Shelves,
        life_days: NDArray[np.int64],
        *,
        first_s: float,
        opening_days: float,
        lots: NDArray[np.int64] | None = None,
    ) -> None:
        self._env, self._desk, self._shelves, self._first_s = env, desk, shelves, first_s
        self.on_road: list[NDArray[np.int64]] = []
        self._skus = np.flatnonzero(life_days)
        self._life = life_days[self._skus]
        if lots is not None:
            self._received = deque(lots.copy(), maxlen=len(lots))
            return
        opening = np.stack([shelves.column(StoreId(store)) for store in range(shelves.stores)])[:, self._skus]
        # Days a lot may have lain: as many buckets, today's first.
        days = int(self._life.max(initial=1))
        lots = np.minimum(self._life, max(ceil(opening_days), 1))
        each = opening // lots
        self._received = deque([np.where(day < lots, each, 0).astype(np.int64) for day in range(days)], maxlen=days)
        self._received[0] += opening - each * lots

    @property
    def lots(self) -> NDArray[np.int64]:
        """What came on each day, today's first, as in `sim.world.catalogue.Opening`."""
        return np.stack(self._received)

    def received(self, store: StoreId, units: NDArray[np.int64]) -> None:
        """A store received fresh goods: units of every SKU, (skus,)."""
        self._received[0][store] += units[self._skus]

    def sent(self, store: StoreId, units: NDArray[np.int64]) -> NDArray[np.int64]:
        """A store is about to send units of every SKU, (skus,), the oldest first; returns how old they are, see `on_road`."""
        there, lots = self._there(store), np.zeros((len(self._received), len(self._skus)), dtype=np.int64)
        rest = units[self._skus]
        for day in reversed(range(len(lots))):
            lots[day] = np.minimum(rest, there[day])
            rest = rest - lots[day]
        self.on_road.append(lots)
        return lots

    def came(self, store: StoreId, lots: NDArray[np.int64]) -> None:
        """What was on the road is about to be put on a store's shelves, as old as it is."""
        self.on_road = [other for other in self.on_road if other is not lots]
        # Older goods come after younger ones: from here on the lots must say what is left of each, not what once came.
        for day, left in enumerate(self._there(store)):
            self._received[day][store] = left + lots[day]

    def _there(self, store: StoreId) -> NDArray[np.int64]:
        """What a shelf still holds of each day's lot, today's first, int64 (days, SKUs that do not keep)."""
        rest, there = self._shelves.column(store)[self._skus].astype(np.int64), []
        for lot in self._received:
            there.append(np.minimum(rest, lot[store]))
            rest = rest - there[-1]
        there[-1] += rest  # what is beyond all lots is older than they are
        return np.stack(there)

    def run(self) -> Story:
        """Throw away every day what is too old."""
        if not len(self._skus):
            return
        yield Timer(self._env, self._first_s)
        while True:
            fresh = np.sum([np.where(day < self._life - 1, lot, 0) for day, lot in enumerate(self._received)], axis=0)
            for number in range(self._shelves.stores):
                store = StoreId(number)
                old = self._shelves.column(store)[self._skus] - fresh[number]
                skus, units = self._skus[old > 0], old[old > 0]
                if len(skus):
                    self._shelves.change_many(store, skus, -units, StockCause.SPOILAGE)
                    self._desk.written_off(store, skus, units, StockCause.SPOILAGE)
            self._received.appendleft(np.zeros_like(fresh))
            for lots in self.on_road:
                oldest = lots[-2:].sum(axis=0)
                lots[1:] = lots[:-1].copy()
                lots[0], lots[-1] = 0, oldest
            yield Timer(self._env, DAY_S)
