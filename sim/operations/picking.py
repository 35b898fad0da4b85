"""Picking: a store's queue and its pickers."""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import Any

import simpy

from sim.contracts import Cancellation, PickJob, Picking
from sim.facts import Facts
from sim.operations.reconciliation import Counting
from sim.operations.shelves import Shelves
from sim.platform.office import Office
from sim.streams import Die
from sim.vocabulary import OrderId, PickerId, SkuId, StockCause, StoreId, quantise


class StationView:
    """See `sim.contracts.PickingView`."""

    __slots__ = ("_env", "waiting")

    def __init__(self, env: simpy.Environment, waiting: Sequence[PickJob]) -> None:
        self._env, self.waiting = env, waiting

    @property
    def now_s(self) -> float:
        """Seconds since the start."""
        return self._env.now


class _Bell:
    """Wakes a picker who rests when the shift ends. A callback: waiting for two events at once would cost five times more."""

    __slots__ = ("_resting", "called")

    def __init__(self, resting: deque[simpy.Event]) -> None:
        self._resting = resting
        self.called: simpy.Event | None = None

    def ring(self, _: simpy.Event) -> None:
        if self.called is not None and not self.called.triggered:
            self._resting.remove(self.called)
            self.called.succeed()


class Station:
    """One store's picking: orders queue, free pickers take them as the policy says, and pack them.

    Parameters
    ----------
    counter
        Orders that stand packed at the counter.
    pick_s
        Expected seconds for so many lines and units; `noise` is each order's factor on it.
    mispick_share
        Share of lines where the SKU beside the right one is taken and scanned as the right one.
    on_packed
        Called with an order when it stands packed at the counter.
    """

    def __init__(
        self,
        env: simpy.Environment,
        facts: Facts,
        office: Office,
        shelves: Shelves,
        counting: Counting,
        policy: Picking,
        store: StoreId,
        counter: set[OrderId],
        *,
        pick_s: Callable[[int, int], float],
        noise: Any,
        mispick_share: float,
        die: Die,
        on_packed: Callable[[OrderId], None],
    ) -> None:
        self._env, self._facts, self._office, self._shelves, self._counting = env, facts, office, shelves, counting
        self._policy, self._store = policy, store
        self._pick_s, self._noise, self._mispick_share, self._die = pick_s, noise, mispick_share, die
        self._on_packed = on_packed
        self.waiting: deque[PickJob] = deque()
        self._resting: deque[simpy.Event] = deque()
        self._counter = counter
        self._view = StationView(env, self.waiting)

    def take_in(self, job: PickJob) -> None:
        """A confirmed order joins the queue; the picker who has rested longest gets up."""
        self.waiting.append(job)
        if self._resting:
            self._resting.popleft().succeed()

    def _next(self) -> PickJob | None:
        while self.waiting:
            place = self._policy(self._view)
            if place is None:
                return None
            if place == 0:
                job = self.waiting.popleft()
            else:
                job = self.waiting[place]
                del self.waiting[place]
            if self._office.wanted(job.order):
                return job
        return None

    def work(self, picker: PickerId, on_s: float, off_s: float) -> Generator[simpy.Event, Any, None]:
        """One shift of a picker; an order begun before its end is finished after it."""
        env, facts = self._env, self._facts
        if on_s > env.now:
            yield env.timeout(on_s - env.now)
        facts.picker_on(picker=picker, store=self._store)
        self._office.picker_on(self._store)
        bell = _Bell(self._resting)
        ends = env.timeout(off_s - env.now)
        assert ends.callbacks is not None
        ends.callbacks.append(bell.ring)
        while env.now < off_s:
            job = self._next()
            if job is None:
                bell.called = env.event()
                self._resting.append(bell.called)
                yield bell.called
                continue
            facts.pick_started(order=job.order, picker=picker, store=self._store)
            self._office.picking(job.order)
            units = sum(wanted for _, wanted in job.held)
            yield env.timeout(quantise(self._pick_s(len(job.held), units) * self._noise[job.order]))
            if self._office.wanted(job.order):
                self._pack(job)
            facts.pick_ended(order=job.order, picker=picker)
        facts.picker_off(picker=picker)
        self._office.picker_off(self._store)

    def _pack(self, job: PickJob) -> None:
        order, shelves = job.order, self._shelves
        for sku, wanted in job.held:
            taken = sku
            if self._die.uniform(order, sku) < self._mispick_share:
                taken = SkuId(sku + 1 if sku + 1 < shelves.skus else 0)
            found = shelves.pick(order, self._store, taken, wanted)
            if found < wanted:
                self._office.short(order, sku, wanted - found)
                self._counting.short_pick(self._store, taken, wanted, found)
        if self._office.packed(order):
            self._counter.add(order)
            self._on_packed(order)

    def cancelled(self, message: Cancellation) -> None:
        """An order is off: what was picked for it goes back to the shelves, and is scanned there."""
        if message.order in self._counter:
            self._counter.discard(message.order)
            for sku, units in self._shelves.put_back(message.order, self._store):
                self._office.received(self._store, sku, units, StockCause.PUT_BACK)
