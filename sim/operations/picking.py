"""Picking: a store's queue and its pickers."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sim.clock import Clock, Timer
from sim.contracts import BatchPicking, Picking, PickTask
from sim.facts import Facts
from sim.operations.reconciliation import Counting
from sim.operations.shelves import Shelves
from sim.operations.walks import Walks
from sim.platform.office import Office
from sim.ports import Cancellation, PickJob
from sim.story import Signal, Story, tell
from sim.vocabulary import InputError, OrderId, PickerId, SkuId, StockCause, StoreId, quantise


class StationView:
    """See `sim.contracts.PickingView`."""

    __slots__ = ("_env", "_walks", "waiting")

    def __init__(self, env: Clock, waiting: Sequence[PickJob], walks: Walks | None) -> None:
        self._env, self.waiting, self._walks = env, waiting, walks

    def walk_s(self, tasks: Sequence[PickTask]) -> float:
        """Seconds of one tour past the lines of these orders."""
        return 0.0 if self._walks is None or not tasks else self._walks.tour_s([task.order for task in tasks])

    @property
    def now_s(self) -> float:
        """Seconds since the start."""
        return self._env.now


class _Shift:
    """A picker's shift: whether it is over, and the call a resting picker waits for."""

    __slots__ = ("called", "over")

    def __init__(self) -> None:
        self.over = False
        self.called: Signal | None = None


class Station:
    """One store's picking: orders queue, free pickers take them as the policy says, and pack them.

    Parameters
    ----------
    counter
        Orders that stand packed at the counter.
    pick_s
        Expected seconds for so many lines and units, without the walk.
    news
        Pickers who are new, and how much longer than the others they take at a time, as a share.
    walks
        How far pickers walk; None: it is in `pick_s` already.
    noise
        Of each order, the factor on it all.
    mispicks
        order -> SKUs for which the SKU beside the right one is taken and scanned as the right one.
    count_s
        Seconds to count a shelf.
    on_packed
        Called with an order when it stands packed at the counter.
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        office: Office,
        shelves: Shelves,
        counting: Counting,
        policy: Picking,
        store: StoreId,
        counter: set[OrderId],
        *,
        pick_s: Callable[[int, int], float],
        news: Mapping[PickerId, Callable[[float], float]],
        walks: Walks | None,
        noise: Any,
        mispicks: dict[int, frozenset[int]],
        count_s: float,
        on_packed: Callable[[OrderId], None],
    ) -> None:
        self._env, self._facts, self._office, self._shelves, self._counting = env, facts, office, shelves, counting
        self._policy, self._store = policy, store
        self._news = news
        self._walks, self._alone_s = walks, None if walks is None else walks.order_s
        self._batches = policy if isinstance(policy, BatchPicking) else None
        self._pick_s, self._noise, self._mispicks = pick_s, noise, mispicks
        self._on_packed, self._count_s = on_packed, count_s
        self.waiting: deque[PickJob] = deque()
        self._on: dict[PickerId, _Shift] = {}
        self._resting: deque[Signal] = deque()
        self._counter = counter
        self._view = StationView(env, self.waiting, walks)
        self._slower = 1.0

    def take_in(self, job: PickJob) -> None:
        """A confirmed order joins the queue; the picker who has rested longest gets up."""
        self.waiting.append(job)
        if self._resting:
            self._resting.popleft().ring()

    def slow(self, factor: float) -> None:
        """Every pick that begins from now on takes `factor` times as long (scanners fail, lists are on paper)."""
        self._slower *= factor

    def _next(self) -> PickJob | None:
        while self.waiting:
            place = self._policy(self._view)
            if place is None:
                return None
            if not 0 <= place < len(self.waiting):
                raise InputError(
                    f"policies.picking: expected a place in the queue of {len(self.waiting)}, got {place}."
                )
            if place == 0:
                job = self.waiting.popleft()
            else:
                job = self.waiting[place]
                del self.waiting[place]
            if self._office.wanted(job.order):
                return job
        return None

    def begin(self, picker: PickerId) -> None:
        """A picker's shift begins."""
        shift = self._on[picker] = _Shift()
        tell(self._work(picker, shift))

    def end(self, picker: PickerId) -> None:
        """A picker's shift ends: at once when resting, else with the order in hand."""
        shift = self._on.pop(picker)
        shift.over = True
        if shift.called is not None and shift.called.callbacks is not None:
            self._resting.remove(shift.called)
            shift.called.ring()

    def _work(self, picker: PickerId, shift: "_Shift") -> Story:
        env, facts = self._env, self._facts
        facts.picker_on(picker=picker, store=self._store)
        self._office.picker_on(picker, self._store)
        while not shift.over:
            job = self._next()
            if job is not None and self._batches is not None:
                yield from self._tour([job, *self._along(self._batches, job)], picker)
                continue
            if job is None:
                shift.called = Signal()
                self._resting.append(shift.called)
                yield shift.called
                continue
            facts.pick_started(order=job.order, picker=picker, store=self._store)
            self._office.picking(job.order, picker)
            pick_s = self._pick_s(len(job.held), job.units)
            if self._alone_s is not None:
                pick_s += self._alone_s[job.order]
            yield Timer(env, self._takes_s(pick_s * self._noise[job.order], picker))
            counted = self._pack(job, picker) if self._office.wanted(job.order) else 0
            if counted:
                yield Timer(env, quantise(counted * self._count_s))
            facts.pick_ended(order=job.order, picker=picker)
        facts.picker_off(picker=picker)
        self._office.picker_off(picker, self._store)

    def _takes_s(self, pick_s: float, picker: PickerId) -> float:
        """What a pick takes this picker now."""
        if picker in self._news:
            pick_s *= 1.0 + self._news[picker](self._env.now)
        return quantise(pick_s * self._slower)

    def _along(self, policy: BatchPicking, first: PickJob) -> list[PickJob]:
        """Take the orders that go along with the first out of the queue."""
        places = sorted(policy.along(first, self._view), reverse=True)
        if len(set(places)) < len(places) or (places and not 0 <= places[-1] <= places[0] < len(self.waiting)):
            raise InputError(
                f"policies.picking: expected places in the queue of {len(self.waiting)}, each once, got {places}."
            )
        jobs = [self.waiting[place] for place in places]
        for place in places:
            del self.waiting[place]
        return [job for job in reversed(jobs) if self._office.wanted(job.order)]

    def _tour(self, jobs: list[PickJob], picker: PickerId) -> Story:
        """Pick several orders on one tour, into a tote each; they are packed together at its end."""
        env, facts, noise = self._env, self._facts, self._noise
        for job in jobs:
            facts.pick_started(order=job.order, picker=picker, store=self._store)
            self._office.picking(job.order, picker)
        pick_s = sum(self._pick_s(len(job.held), job.units) * noise[job.order] for job in jobs)
        if self._walks is not None:
            pick_s += self._view.walk_s(jobs) * sum(noise[job.order] for job in jobs) / len(jobs)
        yield Timer(env, self._takes_s(pick_s, picker))
        counted = sum(self._pack(job, picker) for job in jobs if self._office.wanted(job.order))
        if counted:
            yield Timer(env, quantise(counted * self._count_s))
        for job in jobs:
            facts.pick_ended(order=job.order, picker=picker)

    def _pack(self, job: PickJob, picker: PickerId) -> int:
        """Take what is there and hand the order on; returns how many shelves are to be counted for it."""
        order, shelves, counted = job.order, self._shelves, 0
        slips = self._mispicks.get(order)
        reached = (
            job.held
            if slips is None
            else [(beside(sku, shelves.skus) if sku in slips else sku, n) for sku, n in job.held]
        )
        short = shelves.pick(order, self._store, reached)
        if slips is not None:
            self._scan_wrongly(job.held, reached, dict(short))
        for line, found in short:
            sku, wanted = job.held[line]
            self._office.short(order, picker, sku, wanted - found)
            counted += self._counting.short_pick(self._store, reached[line][0], wanted, found)
        if self._office.packed(order, picker):
            self._counter.add(order)
            self._on_packed(order)
        return counted

    def _scan_wrongly(
        self, wanted: Sequence[tuple[SkuId, int]], reached: Sequence[tuple[SkuId, int]], short: dict[int, int]
    ) -> None:
        for line, ((sku, units), (taken, _)) in enumerate(zip(wanted, reached, strict=True)):
            found = short.get(line, units)
            if taken != sku and found > 0:
                self._shelves.mistaken(self._store, sku, taken, found)

    def cancelled(self, message: Cancellation) -> None:
        """An order is off: what was picked for it goes back to the shelves, and is scanned there."""
        if message.order in self._counter:
            self._counter.discard(message.order)
            for sku, units in self._shelves.put_back(message.order, self._store):
                self._office.stock.received(self._store, np.array([sku]), np.array([units]), StockCause.PUT_BACK)


def beside(place: Any, skus: int) -> Any:
    """The place (flat, or an SKU's number alone) of the SKU on the shelf beside, in the same store; or such places."""
    return place - place % skus + (place % skus + 1) % skus
