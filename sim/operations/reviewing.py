"""People in the office who look at differences that are too large to be put right without somebody looking at them."""

from collections import deque

import numpy as np

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.operations.shelves import Shelves
from sim.platform.stock_desk import StockDesk
from sim.scenario import Scenario
from sim.scenario.fields import off_s
from sim.story import Signal, Story, tell
from sim.vocabulary import NO_ORDER, Adjustment, OrderId, Role, SkuId, StoreId, Units, quantise


class Reviewing:
    """The queue of what waits for review, and who works it off.

    Reviewers take what has waited longest, in their hours, and set the record to the scan log as it is then; whoever counted
    a shelf has scanned what was there.
    """

    def __init__(self, env: Clock, facts: Facts, desk: StockDesk, shelves: Shelves, scenario: Scenario) -> None:
        self._env, self._facts, self._desk, self._shelves = env, facts, desk, shelves
        self._terms, self._midnight_s = scenario.stores.review, scenario.midnight_s
        self._flagged: deque[tuple[int, float, OrderId]] = deque()  # place, since when, whose line it was
        self._waiting: set[int] = set()
        self._resting: deque[Signal] = deque()

    def start(self) -> None:
        """Begin the reviewers' stories."""
        for _ in range(self._terms.people):
            tell(self._review())

    def flag(self, store: StoreId, sku: SkuId, units: Units, order: OrderId = NO_ORDER) -> None:
        """Put a difference into the queue, if it is not there yet; `units` (signed) as it is now.

        `order`: whose line fell short where it was found.
        """
        place = store * self._shelves.skus + sku
        if place in self._waiting:
            return
        self._waiting.add(place)
        self._flagged.append((place, self._env.now, order))
        self._facts.difference_flagged(store=store, sku=sku, units=units, order=order)
        if self._resting:
            self._resting.popleft().ring()

    def _review(self) -> Story:
        env = self._env
        while True:
            if not self._flagged:
                called = Signal()
                self._resting.append(called)
                yield called
                continue
            rest_s = off_s(self._terms.hours, env.now - self._midnight_s)
            if rest_s:
                yield Timer(env, rest_s)
                continue
            place, since_s, order = self._flagged.popleft()
            yield Timer(env, quantise(self._terms.minutes * 60.0))
            self._waiting.discard(place)
            store, sku = StoreId(place // self._shelves.skus), SkuId(place % self._shelves.skus)
            self._facts.difference_reviewed(store=store, sku=sku, waited_s=env.now - since_s, order=order)
            difference = (self._shelves.scanned(store) - self._desk.inventory.on_hand(store))[[sku]]
            self._desk.correct(store, np.array([sku]), difference, Role.ADMIN, Adjustment.REVIEWED, order)
