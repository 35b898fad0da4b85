"""Picking: a store's queue and its pickers."""

from collections import deque
from collections.abc import Callable, MutableSet, Sequence

from sim.clock import Clock, Timer
from sim.contracts import BatchPicking, Picking, PickTask
from sim.facts import Facts
from sim.operations.handoff import Handoff, Packing, ToteRoom
from sim.operations.hands import Hands
from sim.operations.pace import Pace, Took, spend
from sim.operations.planned import PlannedCounts
from sim.operations.replacing import Replacing
from sim.platform.office import Office
from sim.ports import Cancellation, PickJob
from sim.story import Signal, Story, tell
from sim.vocabulary import InputError, OrderId, PickerId, PickStage, Role, SkuId, StoreId, quantise


class StationView:
    """See `sim.contracts.PickingView`."""

    __slots__ = ("_env", "_office", "_pace", "waiting")

    def __init__(self, env: Clock, office: Office, waiting: Sequence[PickJob], pace: Pace) -> None:
        self._env, self._office, self.waiting, self._pace = env, office, waiting, pace

    @property
    def now_s(self) -> float:
        """Seconds since the start."""
        return self._env.now

    def walk_s(self, tasks: Sequence[PickTask]) -> float:
        """Seconds of one tour past the lines of these orders."""
        walks = self._pace.walks
        return 0.0 if walks is None or not tasks else walks.tour_s([task.order for task in tasks])

    def pick_s(self, task: PickTask) -> float:
        """Expected seconds to pick and pack an order."""
        return self._office.expected_pick_s(task.order)

    def driver_s(self, task: PickTask) -> float | None:
        """When an order's driver should be there, seconds since the start."""
        return self._office.driver_due_s(task.order)


class _Shift:
    """A picker's shift: whether it is over, and the call a resting picker waits for."""

    __slots__ = ("called", "over")

    def __init__(self) -> None:
        self.over = False
        self.called: Signal | None = None


class Station:
    """One store's picking: orders queue, free pickers take them as the policy says, and hand them on.

    Parameters
    ----------
    counter
        Orders that stand packed at the counter.
    count_s
        Seconds to count a shelf.
    planned
        Shelves to be counted by pickers who have no order; None: others count them.
    packing
        The store's packing stations; None: pickers pack.
    totes
        The store's totes; None: there are always enough.
    replacing
        Who looks for substitutes; None: nobody.
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        office: Office,
        policy: Picking,
        store: StoreId,
        counter: MutableSet[OrderId],
        hands: Hands,
        pace: Pace,
        *,
        count_s: float,
        planned: PlannedCounts | None,
        on_packed: Callable[[OrderId], None],
        packing: Callable[[Handoff], Packing] | None = None,
        totes: ToteRoom | None = None,
        replacing: Replacing | None = None,
    ) -> None:
        self._env, self._facts, self._office, self._store, self._counter = env, facts, office, store, counter
        self._line = office.line
        self._policy, self._hands, self.pace, self._count_s = policy, hands, pace, count_s
        self._on_packed, self._planned, self._at_work = on_packed, planned, 0
        self._batches = policy if isinstance(policy, BatchPicking) else None
        self._every_s = float(getattr(policy, "every_s", 0.0))
        self._ahead = bool(getattr(policy, "calls_driver_ahead", False))
        self._handoff = Handoff(office, hands.shelves, store, counter, totes, on_packed, self._ring)
        self._packing = None if packing is None else packing(self._handoff)
        self._totes, self._replacing = totes, replacing
        # Where nothing is to be waited for on the way to the counter, an order is picked and packed in one go.
        narrow = self._handoff.narrow
        self._plain = not (self._batches or self._ahead or packing or totes or replacing or narrow is not None)
        self.waiting: deque[PickJob] = deque()
        self._view = StationView(env, office, self.waiting, pace)
        self._on: dict[PickerId, _Shift] = {}
        self._resting: deque[Signal] = deque()
        self._clock: Timer | None = None

    # -- the queue ---------------------------------------------------------------------------------------------------

    def take_in(self, job: PickJob) -> None:
        """A confirmed order joins the queue; the picker who has rested longest gets up."""
        self.waiting.append(job)
        if self._ahead:
            self._call_ahead(job.order)
        if self._resting:
            self._resting.popleft().ring()

    def _call_ahead(self, order: OrderId) -> None:
        if self._office.wanted(order):
            self._office.picking(order, PickerId(self._store), Role.STORE)

    def _ring(self) -> None:
        if self._resting:
            self._resting.popleft().ring()

    def look_up(self) -> None:
        """There is something to do for whoever rests; who finds nothing rests again."""
        for _each in range(len(self._resting)):
            self._ring()

    def _next(
        self, picker: PickerId, waiting: deque[PickJob] | None = None, view: StationView | None = None
    ) -> PickJob | None:
        """What the policy takes out of a queue, the store's own or another that is given with its view."""
        if waiting is None or view is None:
            waiting, view = self.waiting, self._view
        while waiting:
            place = self._policy(view)
            if place is None:
                self._look_again()
                return None
            if not 0 <= place < len(waiting):
                raise InputError(f"policies.picking: expected a place in the queue of {len(waiting)}, got {place}.")
            if self._totes is not None and not self._totes.enough(waiting[place].order):
                # Parts of an order that has its totes go on, or it would never give them back.
                begun = next((n for n, job in enumerate(waiting) if self._totes.has(job.order)), None)
                if begun is None:
                    return None
                place = begun
            if place == 0:
                job = waiting.popleft()
            else:
                job = waiting[place]
                del waiting[place]
            if self._office.wanted(job.order):
                return job
            self._skip(job)
        return None

    def _skip(self, job: PickJob) -> None:
        """What was taken out of the queue is off."""

    def _look_again(self) -> None:
        """A policy that lets orders wait is asked again when its time has come."""
        if self._every_s and self._clock is None:
            now = self._env.now
            self._clock = Timer(self._env, quantise(self._every_s - now % self._every_s), self._wake)

    def _wake(self, _: Timer) -> None:
        self._clock = None
        self.look_up()

    def _along(self, policy: BatchPicking, first: PickJob) -> list[PickJob]:
        """Take the orders that go along with the first out of the queue."""
        places = sorted(policy.along(first, self._view), reverse=True)
        if len(set(places)) < len(places) or (places and not 0 <= places[-1] <= places[0] < len(self.waiting)):
            raise InputError(
                f"policies.picking: expected places in the queue of {len(self.waiting)}, each once, got {places}."
            )
        jobs: list[PickJob] = []
        for place in places:
            job = self.waiting[place]
            if not self._office.wanted(job.order):
                del self.waiting[place]
            elif self._totes is None or self._totes.enough(job.order):
                if self._totes is not None:
                    self._totes.take(job.order)
                del self.waiting[place]
                jobs.append(job)
        return jobs[::-1]

    # -- the pickers -------------------------------------------------------------------------------------------------

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
        line = self._line
        while not shift.over:
            if line.held:  # no app shows a next order
                yield line.free
                continue
            job = self._next(picker)
            if job is None:
                if self._planned is not None and (skus := self._planned.take(self._store)):
                    yield from self._count(self._planned, skus, picker)
                    continue
                shift.called = Signal()
                self._resting.append(shift.called)
                yield shift.called
                continue
            self._at_work += 1
            if not self._plain:
                yield from self._tour(job, picker)
                self._at_work -= 1
                continue
            facts.pick_started(order=job.order, picker=picker, store=self._store)
            self._office.picking(job.order, picker)
            took_s, pace, walk_s, zones_s, crowd_s = self.pace.alone(job, picker, self._at_work - 1)
            yield Timer(env, took_s)
            if self._line.held:
                yield from self._try_again(job.order, picker)
            if self._office.wanted(job.order):
                missing = self._hands.collect(job)
                counted = 0
                if missing:
                    self._looked(job, picker, len(missing), pace)
                    counted = self._hands.report(job, missing, picker)
                if self._office.packed(job.order, picker):
                    self._counter.add(job.order)
                    self._on_packed(job.order)
                if counted:
                    yield from self._spend(job.order, picker, PickStage.COUNTING, counted * self._count_s)
            facts.pick_ended(order=job.order, picker=picker, pace=pace, walk_s=walk_s, zones_s=zones_s, crowd_s=crowd_s)
            self._at_work -= 1
        facts.picker_off(picker=picker)
        self._office.picker_off(picker, self._store)

    def _tour(self, first: PickJob, picker: PickerId) -> Story:
        """Pick an order, and others that go along with it into totes of their own; they are handed on together."""
        env, facts = self._env, self._facts
        if self._totes is not None:
            self._totes.take(first.order)
        jobs = [first] if self._batches is None else [first, *self._along(self._batches, first)]
        for job in jobs:
            facts.pick_started(order=job.order, picker=picker, store=self._store)
            self._begun(job.order, picker)
        took = self._takes(jobs, picker)
        yield Timer(env, took.tour_s)
        if self._line.held:
            yield from self._try_again(first.order, picker)
        counted: list[tuple[OrderId, int]] = []
        for job, pace in zip(jobs, took.paces, strict=True):
            if self._office.wanted(job.order):
                self._handoff.collected(job.order)
                counted.append((job.order, (yield from self._collect(job, picker, pace))))
        for job in jobs:
            yield from self._hand_on(job.order, picker)
        for order, shelves in counted:
            if shelves:
                yield from self._spend(order, picker, PickStage.COUNTING, shelves * self._count_s)
        for job, pace in zip(jobs, took.paces, strict=True):
            facts.pick_ended(
                order=job.order, picker=picker, pace=pace, walk_s=took.walk_s, zones_s=took.zones_s,
                crowd_s=took.crowd_s,
            )  # fmt: skip

    def _try_again(self, order: OrderId, picker: PickerId) -> Story:
        """Nobody takes the scan of what is packed."""
        since_s = self._env.now
        yield self._line.free
        self._waited(order, picker, since_s)

    def _waited(self, order: OrderId, picker: PickerId, since_s: float) -> None:
        if self._env.now > since_s:
            waited_s = self._env.now - since_s
            self._facts.stage_spent(picker=picker, pick_stage=PickStage.WAITING, spent_s=waited_s, order=order)

    def _begun(self, order: OrderId, picker: PickerId) -> None:
        if not self._ahead:
            self._office.picking(order, picker)

    def _takes(self, jobs: Sequence[PickJob], picker: PickerId) -> Took:
        others = self._at_work - 1
        if len(jobs) > 1:
            return self.pace.tour(jobs, picker, others)
        tour_s, pace, *parts = self.pace.alone(jobs[0], picker, others)
        return Took(tour_s, [pace], *parts)

    def _collect(self, job: PickJob, picker: PickerId, pace: float) -> Story:
        missing = self._hands.collect(job)
        if missing:
            self._looked(job, picker, len(missing), pace)
            if self._replacing is not None:
                return (yield from self._replacing.settle(job, missing, picker))
        return self._hands.report(job, missing, picker)

    def _looked(self, job: PickJob, picker: PickerId, lines: int, pace: float) -> None:
        """So many lines of what is just picked were looked for and not found, or not all of it: they took as long as others."""
        spent_s = quantise(lines * self.pace.per_line_s * pace)
        self._facts.stage_spent(picker=picker, pick_stage=PickStage.LOOKING, spent_s=spent_s, order=job.order)

    def _spend(self, order: OrderId, picker: PickerId, stage: PickStage, spent_s: float) -> Story:
        yield from spend(self._env, self._facts, order, picker, stage, spent_s)

    def _count(self, planned: PlannedCounts, skus: Sequence[SkuId], picker: PickerId) -> Story:
        """Count shelves while there is no order; who is new counts as fast as the others."""
        self._facts.count_started(picker=picker, store=self._store)
        self._at_work += 1
        yield Timer(self._env, quantise(len(skus) * self._count_s))
        self._at_work -= 1
        planned.count(self._store, skus, Role.PICKER)
        self._facts.count_ended(picker=picker, lines=len(skus))

    def _hand_on(self, order: OrderId, picker: PickerId) -> Story:
        """Bring an order to the packing stations, or pack it and put it at the counter."""
        packing = self._packing
        if packing is not None and self._hands.shelves.totes.get(order) and self._office.wanted(order):
            if packing.bring(order):
                return
            yield from self._spend(order, picker, PickStage.PACKING, packing.pack_s[order])
        since_s = self._env.now
        yield from self._handoff.wait_and_put(order, picker, Role.PICKER)
        self._waited(order, picker, since_s)

    # -- messages ----------------------------------------------------------------------------------------------------

    def cancelled(self, message: Cancellation) -> None:
        """An order is off: what stands packed goes back to the shelves, and is scanned there."""
        if message.order in self._counter:
            self._counter.discard(message.order)
            self._hands.put_back(message.order)
