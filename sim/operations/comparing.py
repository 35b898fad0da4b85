"""Comparing ledgers: scan log against record, without going to a shelf; what is small is put right, what is large reviewed."""

import math
from typing import Any

import numpy as np

from sim.clock import Clock, Timer
from sim.contracts import ComparedReconciliation, LedgerView, Reconciliation
from sim.operations.reconciliation import chosen_skus
from sim.operations.reviewing import Reviewing
from sim.operations.shelves import Shelves
from sim.platform.stock_desk import StockDesk
from sim.story import Story, tell
from sim.vocabulary import Adjustment, InputError, Role, SkuId, StoreId, Units, quantise


class Comparing:
    """A job that compares the ledgers of every store now and then, and has people review what is large.

    A message on its way is a difference like any other: what the job puts right before it arrives is wrong after, until the
    next look.
    """

    def __init__(
        self, env: Clock, desk: StockDesk, shelves: Shelves, policy: Reconciliation, reviewing: Reviewing
    ) -> None:
        self._env, self._desk, self._shelves, self._reviewing = env, desk, shelves, reviewing
        self._policy = policy if isinstance(policy, ComparedReconciliation) else None

    def start(self) -> None:
        """Begin the job's story, if the policy compares anything."""
        if self._policy is None:
            return
        every_s = self._policy.compare_every_s
        if not (isinstance(every_s, int | float) and math.isfinite(every_s) and every_s >= 1):
            raise InputError(
                f"policies.reconciliation: expected compare_every_s to be 1 second or more, got {every_s!r}."
            )
        tell(self._job(self._policy, quantise(float(every_s))))

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
        self._desk.correct(store, adjust, differences[adjust], Role.ADMIN, Adjustment.COMPARED)
        for sku in review.tolist():
            self._reviewing.flag(store, SkuId(sku), Units(int(differences[sku])))
