"""Transfers: goods taken off one store's shelves, driven to another store and put on its shelves."""

import numpy as np

from sim.clock import Clock, Timer
from sim.operations.freshness import Freshness
from sim.operations.reconciliation import Counting
from sim.operations.replenishment import Trucks
from sim.operations.shelves import Shelves
from sim.platform.stock_desk import StockDesk
from sim.platform.transfer_desk import TransferDesk, Trip
from sim.story import Story
from sim.vocabulary import SkuId, StockCause, StoreId, quantise
from sim.world.catalogue import Haul


class Transfers:
    """Sends off what the office asks for, as far as it is really there, and receives it.

    What a store finds too little of is a short pick like any other. Goods are scanned out and in as they are, so records go
    wrong by lost and late messages only. They keep their age on the way.

    Parameters
    ----------
    first_s, every_s
        When transfers are reviewed first, seconds since the start, and how often.
    road_s
        From shelf to shelf, seconds.
    review_first_s, review_every_s
        The same of stocks, which says when the next truck can come.
    under_way
        What was on the road at the start.
    """

    def __init__(
        self, env: Clock, desk: TransferDesk, stock: StockDesk, shelves: Shelves, freshness: Freshness, counting: Counting,
        trucks: Trucks, *, first_s: float, every_s: float, road_s: float,
        review_first_s: float, review_every_s: float, under_way: tuple[Haul, ...] = (),
    ) -> None:  # fmt: skip
        self._env, self._desk, self._stock, self._shelves = env, desk, stock, shelves
        self._freshness, self._counting, self._trucks = freshness, counting, trucks
        self._first_s, self._every_s, self._road_s = first_s, every_s, quantise(road_s)
        self._review_first_s, self._review_every_s = review_first_s, review_every_s
        self._under_way: list[Haul] = []
        for haul in under_way:
            skus = np.flatnonzero(haul.units)
            shelves.comes(StoreId(haul.to), skus, haul.units[skus], haul.at_s)
            freshness.on_road.append(haul.lots)
            self._send(haul)

    def run(self) -> Story:
        """Review transfers and send trips off."""
        if self._shelves.stores < 2:
            return
        env = self._env
        yield Timer(env, self._first_s)
        while True:
            for trip in self._desk.review(self._road_s, self._next_delivery_s()):
                self._load(trip)
            yield Timer(env, self._every_s)

    def _next_delivery_s(self) -> float:
        """Until what is ordered at the next review can come, seconds."""
        now = self._env.now
        reviews = max(np.floor((now - self._review_first_s) / self._review_every_s) + 1.0, 0.0)
        return self._trucks.due_s(self._review_first_s + reviews * self._review_every_s) - now

    def _load(self, trip: Trip) -> None:
        origin, to, shelves = trip.origin, trip.to, self._shelves
        taken = np.minimum(trip.units, shelves.column(origin)[trip.skus])
        some = taken > 0
        if some.any():
            skus, units = trip.skus[some], taken[some].astype(np.int64)
            at_s, whole = self._env.now + self._road_s, np.zeros(shelves.skus, dtype=np.int64)
            whole[skus] = units
            lots = self._freshness.sent(origin, whole)
            shelves.send(origin, to, skus, units, at_s)
            self._stock.sent(origin, skus, units)
            self._send(Haul(int(to), at_s, whole, lots))
        for sku, wanted, found in zip(trip.skus.tolist(), trip.units.tolist(), taken.tolist(), strict=True):
            if found < wanted:
                self._counting.short_pick(origin, SkuId(sku), wanted, found)

    def _send(self, haul: Haul) -> None:
        self._under_way.append(haul)
        self._stock.ordered(StoreId(haul.to), haul.units)
        Timer(self._env, haul.at_s - self._env.now, self._arrive, haul)

    def _arrive(self, event: Timer) -> None:
        haul: Haul = event.value
        self._under_way = [other for other in self._under_way if other is not haul]
        to, skus = StoreId(haul.to), np.flatnonzero(haul.units)
        self._freshness.came(to, haul.lots)
        self._shelves.arrive(to, skus, haul.units[skus])
        self._stock.received(to, skus, haul.units[skus], StockCause.TRANSFER)

    def left(self) -> tuple[Haul, ...]:
        """What is on the road, as of a run that begins now."""
        return tuple(Haul(haul.to, haul.at_s - self._env.now, haul.units, haul.lots) for haul in self._under_way)
