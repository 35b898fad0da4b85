"""Comparing ledgers: scan log against record, without going to a shelf; what is small is put right, what is large reviewed."""

import math
from collections import deque
from typing import Any

import numpy as np

from sim.clock import Clock, Timer
from sim.contracts import ComparedReconciliation, LedgerView, Reconciliation
from sim.facts import Facts
from sim.operations.reconciliation import chosen_skus
from sim.operations.shelves import Shelves
from sim.platform.sessions import Role
from sim.platform.stock_desk import StockDesk
from sim.scenario import Scenario
from sim.scenario.fields import DAY_S, window_s
from sim.story import Signal, Story, tell
from sim.vocabulary import InputError, SkuId, StoreId, Units, quantise


class Comparing:
    """A job that compares the ledgers of every store now and then, and the people who review what it flags.

    A message on its way is a difference like any other: what the job puts right before it arrives is wrong after, until the
    next look. Reviewers take what has waited longest, in their hours, and set the record to the scan log as it is then.
    """

    def __init__(
        self, env: Clock, facts: Facts, desk: StockDesk, shelves: Shelves, policy: Reconciliation, scenario: Scenario
    ) -> None:
        self._env, self._facts, self._desk, self._shelves = env, facts, desk, shelves
        self._policy = policy if isinstance(policy, ComparedReconciliation) else None
        self._review, self._midnight_s = scenario.stores.review, scenario.midnight_s
        self._flagged: deque[tuple[int, float]] = deque()  # place, since when
        self._waiting: set[int] = set()
        self._resting: deque[Signal] = deque()

    def start(self) -> None:
        """Begin the job's and the reviewers' stories, if the policy compares anything."""
        if self._policy is None:
            return
        every_s = self._policy.compare_every_s
        if not (isinstance(every_s, int | float) and math.isfinite(every_s) and every_s >= 1):
            raise InputError(
                f"policies.reconciliation: expected compare_every_s to be 1 second or more, got {every_s!r}."
            )
        tell(self._job(self._policy, quantise(float(every_s))))
        for _ in range(self._review.people):
            tell(self._reviewing())

    def _job(self, policy: ComparedReconciliation, every_s: float) -> Story:
        while True:
            yield Timer(self._env, every_s)
            for store in map(StoreId, range(self._shelves.stores)):
                self._compare(policy, store)

    def _compare(self, policy: ComparedReconciliation, store: StoreId) -> None:
        skus, scanned = self._shelves.skus, self._shelves.scanned(store).astype(np.int64)
        recorded = self._desk.inventory.on_hand(store)
        found: Any = policy.compare(LedgerView(store, self._env.now, scanned, recorded))
        adjust, review = (
            chosen_skus(part, skus, f"SKUs to {what}")
            for part, what in zip((found.adjust, found.review), ("adjust", "review"), strict=True)
        )
        differences = scanned - recorded
        self._desk.correct(store, adjust, differences[adjust], Role.ADMIN)
        for sku in review.tolist():
            place = store * skus + sku
            if place not in self._waiting:
                self._waiting.add(place)
                self._flagged.append((place, self._env.now))
                self._facts.difference_flagged(store=store, sku=SkuId(sku), units=Units(int(differences[sku])))
                if self._resting:
                    self._resting.popleft().ring()

    def _reviewing(self) -> Story:
        env = self._env
        while True:
            if not self._flagged:
                called = Signal()
                self._resting.append(called)
                yield called
                continue
            off_s = self._off_s()
            if off_s:
                yield Timer(env, off_s)
                continue
            place, since_s = self._flagged.popleft()
            yield Timer(env, quantise(self._review.minutes * 60.0))
            self._waiting.discard(place)
            store, sku = divmod(place, self._shelves.skus)
            self._facts.difference_reviewed(store=StoreId(store), sku=SkuId(sku), waited_s=env.now - since_s)
            scanned, recorded = self._shelves.scanned(StoreId(store)), self._desk.inventory.on_hand(StoreId(store))
            self._desk.correct(StoreId(store), np.array([sku]), (scanned - recorded)[[sku]], Role.ADMIN)

    def _off_s(self) -> float:
        """Seconds until the reviewers' hours begin, 0 within them."""
        begin_s, end_s = window_s(self._review.hours)
        clock_s = (self._env.now - self._midnight_s) % DAY_S
        if begin_s <= clock_s < end_s or clock_s + DAY_S < end_s:
            return 0.0
        return (begin_s - clock_s) % DAY_S
