"""Restocking: periodic reviews by the office, a truck from the distribution centre, goods onto shelves or dock."""

from collections.abc import Sequence
from math import log1p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.operations.dock import Dock
from sim.operations.freshness import Freshness
from sim.operations.shelves import Shelves
from sim.platform.stock_desk import StockDesk
from sim.scenario.fields import DAY_S, clock_s
from sim.scenario.goods import Supply as Terms
from sim.story import Story
from sim.streams import Streams
from sim.vocabulary import StockCause, StoreId, Units, quantise
from sim.world.catalogue import Load


class Trucks:
    """What lies between ordering and receiving, the same for all stores: when a truck comes, and what is on it.

    Parameters
    ----------
    terms
        The scenario's `supply`.
    midnight_s
        The midnight before the start, seconds since the start.
    litres
        Volume of a unit of each SKU, float64 (skus,).
    """

    def __init__(self, terms: Terms, midnight_s: float, litres: NDArray[np.float64], streams: Streams) -> None:
        self._terms, self._midnight_s, self._litres = terms, midnight_s, litres
        self._times = sorted(clock_s(at) % DAY_S for at in terms.deliveries)
        self._delay, self._luck = streams.die("supply.late"), streams.die("supply.miscount")

    def due_s(self, now_s: float) -> float:
        """When what is ordered now should come, seconds since the start."""
        ready_s = now_s + self._terms.lead_h * 3600.0
        if not self._times:
            return ready_s
        day, clock = divmod(ready_s - self._midnight_s, DAY_S)
        slot = next((at_s for at_s in self._times if at_s >= clock), self._times[0] + DAY_S)
        return self._midnight_s + day * DAY_S + slot

    def delay_s(self, store: StoreId, number: int) -> float:
        """How late a store's truck of that number is, seconds."""
        late, how = self._delay.pair(store, number)
        if late >= self._terms.late_share:
            return 0.0
        return quantise(-log1p(-how) * self._terms.late_minutes * 60.0)

    def load(self, wanted: NDArray[np.int64], cover_days: NDArray[np.float64]) -> NDArray[np.int64]:
        """What of the units wanted, (skus,), the truck can bring: the least covered SKU first, ties by SKU, till it is full."""
        if self._terms.truck_litres is None:
            return wanted
        skus = np.flatnonzero(wanted)
        skus = skus[np.argsort(cover_days[skus], kind="stable")]
        volume = wanted[skus] * self._litres[skus]
        # The line at which the truck is full comes in part, or a line larger than the truck would block it for ever.
        room = self._terms.truck_litres - (np.cumsum(volume) - volume)
        loaded = np.zeros_like(wanted)
        loaded[skus] = np.clip(room / self._litres[skus], 0, wanted[skus]).astype(wanted.dtype)
        return loaded

    def brought(self, store: StoreId, number: int, noted: NDArray[np.int64]) -> NDArray[np.int64]:
        """What is really there of the units noted, (skus,), on a store's truck of that number."""
        terms, skus = self._terms, np.flatnonzero(noted)
        if not terms.miscount_share:
            return noted
        chance, size = self._luck.pairs(skus + number * np.int64(len(noted)), store)
        wrong = chance < terms.miscount_share
        short = chance < terms.miscount_share * terms.miscount_short_share
        # Geometric from a uniform draw by its inverse: at least one.
        stay = 1.0 - 1.0 / terms.miscount_units
        units = 1 + (np.floor(np.log1p(-size) / np.log(stay)).astype(np.int64) if stay > 0 else 0)
        there = noted.copy()
        there[skus] = np.maximum(noted[skus] + np.where(wrong, np.where(short, -units, units), 0), 0)
        return there


class Supply:
    """The supply of one store."""

    def __init__(
        self, env: Clock, facts: Facts, desk: StockDesk, shelves: Shelves, freshness: Freshness, trucks: Trucks,
        store: StoreId, *, first_s: float, every_s: float, under_way: Sequence[Load] = (), dock: Dock | None = None,
    ) -> None:  # fmt: skip
        self._env, self._facts, self._desk, self._shelves, self._store = env, facts, desk, shelves, store
        self._freshness, self._trucks, self._dock, self._number = freshness, trucks, dock, 0
        self._first_s, self._every_s = first_s, every_s
        self._coming: dict[int, Load] = {}
        for load in under_way:
            self._send(load)

    def run(self) -> Story:
        """Review, order, and let the truck come."""
        env, trucks = self._env, self._trucks
        yield Timer(env, self._first_s)
        while True:
            due_s = trucks.due_s(env.now)
            lead_s = due_s - env.now
            expected = self._desk.expected(self._store, lead_s)
            wanted = self._desk.replenish(self._store, expected, lead_s)
            self._judge(wanted, expected, lead_s)
            if wanted.any():
                wanted = trucks.load(wanted, self._cover_days(expected))
            if wanted.any():
                self._facts.supply_ordered(
                    store=self._store,
                    lines=int(np.count_nonzero(wanted)),
                    units=Units(int(wanted.sum())),
                    due_s=due_s,
                )
                number = self._number + 1
                self._send(Load(self._store, due_s + trucks.delay_s(self._store, number), number, wanted))
            yield Timer(env, self._every_s)

    def _judge(self, wanted: NDArray[Any], expected: NDArray[Any], lead_s: float) -> None:
        """Hold an order against the one that the same policy would make if the records were right."""
        there = self._shelves.column(self._store).astype(np.int64)
        if self._dock is not None and self._dock.on_record:
            there += self._shelves.docked[self._store]
        if self._desk.owed is not None:
            there -= self._desk.owed[self._store]
        off = wanted - self._desk.replenish(self._store, expected, lead_s, there)
        if off.any():
            needless, lacking = int(np.maximum(off, 0).sum()), int(np.maximum(-off, 0).sum())
            self._facts.reorder_judged(store=self._store, needless=Units(needless), lacking=Units(lacking))

    def _send(self, load: Load) -> None:
        self._number = load.number
        self._desk.ordered(self._store, load.units)
        self._coming[load.number] = load
        Timer(self._env, load.at_s - self._env.now, self._receive, load)

    def under_way(self) -> list[Load]:
        """Trucks that have not arrived, by number."""
        return list(self._coming.values())

    def _cover_days(self, expected: NDArray[Any]) -> NDArray[np.float64]:
        """Days that what is on record and under way would last, (skus,), by what is expected a day."""
        position = self._desk.on_hand(self._store) + self._desk.on_order[self._store]
        return np.asarray(position / np.maximum(expected, 1e-9))

    def _receive(self, event: Timer) -> None:
        load: Load = event.value
        number, noted = load.number, load.units
        del self._coming[number]
        there = self._trucks.brought(self._store, number, noted)
        skus = np.flatnonzero(noted)
        if self._dock is not None:
            self._dock.take_in(skus, noted[skus], there[skus])
            return
        self._shelves.change_many(self._store, skus, there[skus], StockCause.DELIVERY, noted[skus])
        self._desk.received(self._store, skus, noted[skus], StockCause.DELIVERY)
        self._freshness.received(self._store, there)
