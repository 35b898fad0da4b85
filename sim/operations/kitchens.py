"""Kitchens: stores whose orders are ready at times that are given, instead of pickers."""

from collections.abc import MutableSet
from typing import Any

from sim.clock import Clock, Timer
from sim.operations.driving import Driving
from sim.operations.shelves import Shelves
from sim.platform.office import Office
from sim.ports import PickJob
from sim.streams import quick
from sim.vocabulary import OrderId, PickerId, Role


class Kitchens:
    """Says when an order will be ready as soon as it comes, and keeps its word.

    Parameters
    ----------
    ready_s
        When each order is ready, seconds since the start, float64 (orders,).
    counter
        Orders that stand packed at their store's counter.
    """

    def __init__(
        self, env: Clock, office: Office, shelves: Shelves, driving: Driving, counter: MutableSet[OrderId], ready_s: Any
    ) -> None:
        self._env, self._office, self._shelves, self._driving = env, office, shelves, driving
        self._counter, self._ready_s = counter, quick(ready_s)

    def take_in(self, job: PickJob) -> None:
        """An order has come."""
        ready_s = max(self._ready_s[job.order], self._env.now)
        self._office.cooking(job.order, ready_s)
        Timer(self._env, ready_s - self._env.now, self._ready, job)

    def _ready(self, event: Timer) -> None:
        job: PickJob = event.value
        order, terminal = job.order, PickerId(job.store)
        if not self._office.wanted(order):
            return
        for line, found in self._shelves.pick(order, job.store, job.held):
            sku, units = job.held[line]
            self._office.short(order, terminal, sku, units - found, Role.STORE)
        if self._office.packed(order, terminal, Role.STORE):
            self._counter.add(order)
            self._driving.packed(order)
