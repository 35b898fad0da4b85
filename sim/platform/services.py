"""The platform's services: a service is the times at which its servers come free.

A call costs no event: it takes the server that comes free first (least outstanding work), so with every instance healthy
and no background a service is exactly a G/G/c queue in order of calling. Calls that nobody simulates one by one load it
as a background (see `sim.platform.background`).
"""

from bisect import insort
from collections.abc import Callable, Sequence
from math import inf, prod

from sim.platform.background import FAR, Background
from sim.platform.meter import Meter, Sample, sampled
from sim.platform.scaling import Bill, Rotation, planned_instances
from sim.platform.servers import Servers
from sim.scenario.services import Autoscale, Health, ServiceSpec
from sim.vocabulary import NOBODY, quantise


class Service(Servers):
    """One service: instances in three zones, `workers` servers each, one queue.

    A call is worked on by the instance whose server took it; when that dies, the call is lost (`broke`). The background
    shares the servers: others wait for it as M/M/c says, and a server that takes a foreground call is gone for
    c / (c - load) times its work, so that both together saturate the service at its capacity.

    Parameters
    ----------
    peak_load
        Erlangs at the ordinary day's peak, which size the service when the spec names no instances.
    bill
        Where its instances' time is counted; None: on a bill of its own.

    Attributes
    ----------
    last_instance
        The instance that took the last call; nobody when it was refused or reached none.
    answers
        Whether a call can be answered at all.
    epoch
        Grows whenever an instance dies: while it stays the same, nothing in flight was lost.
    on_answers
        Told when it ceases to answer, and when it answers again.
    """

    on_answers: Callable[[bool], None] | None = None

    def __init__(
        self, spec: ServiceSpec, autoscale: Autoscale, health: Health, peak_load: float = 0.0, bill: Bill | None = None
    ) -> None:
        count = spec.instances or planned_instances(peak_load, spec.workers, autoscale)
        self.rotation = Rotation(count, autoscale, health, bill)
        self._workers, self._work_s, self._queue_max_s = spec.workers, spec.work_s, spec.queue_max_s
        self._timeout_s = quantise(spec.timeout_s)
        self._prompt = self._timeout_s > FAR * self._work_s  # no healthy call takes as long
        self.last_instance, self.epoch, self.vain_s = NOBODY, 0, 0.0
        # When each server comes free, and whose it is, ascending: whoever takes a call is nearly always the last of all to
        # come free again, which costs less than a heap.
        self._free: list[tuple[float, int]] = []
        self._background = Background(spec.queue_max_s)
        self._factors: list[float] = []
        self._factor = 1.0
        self._failing, self.answers = 0, True
        # What `call` needs of all this, kept by `_refresh`: before `_calm_until_s` nothing is out of the ordinary.
        self._chance, self._stretch, self._dead_share, self._calm_until_s = 0.0, 1.0, 0.0, inf
        # Work of simulated calls: until the last sample, and then what `_latencies` sum to but for the waits in them.
        self._sampled_work_s = self._waited_s = self._worked_before_s = 0.0
        self._ticked_s = self._sampled_s = 0.0
        self._control, self._monitor = Meter(), Meter()
        self._latencies: list[float] = []
        self._failed, self._refused, self._lost = 0.0, 0, 0
        # Whether nothing has happened since the last beat but calls that were answered, and what that beat found where
        # nobody called at all: see `beat`.
        self._plain = False
        self._still: Sample | None = None
        for instance in self.rotation.up:
            self._join(instance, 0.0)
        self._refresh(0.0)

    # -- what happens to a service -------------------------------------------------------------------------------------

    def kill(self, instance: int, now_s: float) -> bool:
        """An instance dies with all that it works on; returns whether it served."""
        self.advance(now_s)
        served = self.rotation.kill(instance, now_s)
        self._lose([instance] if served else [], now_s)
        return served

    def zone_down(self, zone: int, now_s: float) -> None:
        """All instances in a zone die, and none starts there until `zone_up`."""
        self.advance(now_s)
        self._lose(self.rotation.zone_down(zone, now_s), now_s)

    def zone_up(self, zone: int) -> None:
        """An outage of a zone is over (several may overlap)."""
        self.rotation.zone_up(zone)

    def slow(self, factor: float, now_s: float) -> None:
        """Every call takes `factor` times its work from now on, until `recover`; several may be in force."""
        self._change_factors(self._factors.append, factor, now_s)

    def recover(self, factor: float, now_s: float) -> None:
        """Take back a slow-down by the same factor."""
        self._change_factors(self._factors.remove, factor, now_s)

    def _change_factors(self, change: Callable[[float], None], factor: float, now_s: float) -> None:
        self.advance(now_s)
        change(factor)
        self._factor = prod(self._factors)
        self._refresh(now_s)

    def fail_all(self, now_s: float) -> None:
        """Every call fails fast until `heal` (an expired certificate, an exhausted pool); several may be in force."""
        self.advance(now_s)
        self._failing += 1
        self._refresh(now_s)

    def heal(self, now_s: float) -> None:
        """A cause of `fail_all` is gone."""
        self.advance(now_s)
        self._failing -= 1
        self._refresh(now_s)

    def load(self, rate: float, now_s: float) -> None:
        """Background calls come at `rate` a second from now on, with the service's mean work (exponential)."""
        self.advance(now_s)
        self._background.rate = rate
        self._refresh(now_s)

    def advance(self, now_s: float) -> None:
        """Bring the accounts, and what only time brings, up to now."""
        if self.rotation.due_s <= now_s:
            self._catch_up(now_s)
        self._background.settle(now_s)

    def _catch_up(self, now_s: float) -> None:
        while self.rotation.due_s <= now_s:
            due_s = self.rotation.due_s
            self._background.settle(due_s)
            came = self.rotation.step()
            if came != NOBODY:
                self._join(came, due_s)
            self._refresh(due_s)

    def _join(self, instance: int, now_s: float) -> None:
        # A hair apart, so that the first calls go to all instances by turns.
        for worker in range(self._workers):
            insort(self._free, (now_s - (self._workers - worker) * 1e-6, instance))

    def _leave(self, instances: Sequence[int]) -> None:
        self._free = [entry for entry in self._free if entry[1] not in instances]

    def _lose(self, instances: Sequence[int], now_s: float) -> None:
        if instances:
            self.epoch += len(instances)
            self._leave(instances)
            self._background.lose(len(instances) * self._workers)
        self._refresh(now_s)

    def _refresh(self, now_s: float) -> None:
        """Work out afresh what a call meets, after anything has changed."""
        self._plain = False
        rotation, background, servers = self.rotation, self._background, len(self._free)
        answers = not self._failing and servers > 0
        if answers != self.answers:
            self.answers = answers
            if self.on_answers is not None:
                self.on_answers(answers)
        dead = len(rotation.dead)
        self._dead_share = dead / (dead + len(rotation.up)) if dead else 0.0
        lost_share = self._dead_share if self.answers else 1.0
        ahead_s = max(self._free[0][0] - now_s, 0.0) / self._stretch if servers else 0.0
        background.set(servers, self._work_s * self._factor, lost_share, ahead_s)
        if background.flooded and self._stretch > 1.0:
            # From here on both queue as one: what the simulated calls still need is shorter than what it held.
            stretch = self._stretch
            self._free = sorted(
                (now_s + (free_s - now_s) / stretch if free_s > now_s else free_s, instance)
                for free_s, instance in self._free
            )
        self._chance, self._stretch = background.chance, background.stretch
        trouble = dead or background.flooded or not self.answers or self._factor != 1.0
        self._calm_until_s = -inf if trouble else rotation.due_s

    @property
    def capacity_s(self) -> float:
        """Calls a second that all servers together could serve."""
        return self._background.servers / (self._work_s * self._factor)

    def lag_s(self, now_s: float) -> float:
        """What a call that comes now would take longer than one of an idle, healthy service, seconds; infinity: it is down."""
        if now_s < self._calm_until_s and self._free[0][0] <= now_s:
            return 0.0  # nearly always
        return self.delay_s(now_s) + self._work_s * (self._factor - 1.0) if self.answers else inf

    def on_time(self, now_s: float) -> bool:
        """Whether a call that comes now gets its answer before its caller gives up, as a rule."""
        return self.answers and self.lag_s(now_s) + self._work_s < self._timeout_s

    def delay_s(self, now_s: float) -> float:
        """What a call that comes now would wait for those ahead of it, seconds."""
        if now_s < self._calm_until_s and self._free[0][0] <= now_s:
            return 0.0  # nearly always
        return self._queue(now_s)[1]

    # -- control and monitoring ----------------------------------------------------------------------------------------

    def _queue(self, now_s: float) -> tuple[float, float]:
        # Calls waiting now, and the wait for those ahead that a call would meet, seconds.
        servers, background, work_s = len(self._free), self._background, self._work_s * self._factor
        if not background.flooded and (not servers or self._free[0][0] <= now_s):
            return background.queued(), 0.0  # nearly always: a server is free
        ahead_s = max(self._free[0][0] - now_s, 0.0) if servers else 0.0
        if background.flooded:
            ahead_s = max(ahead_s, background.ahead_s(now_s))
            return ahead_s * servers / work_s, ahead_s
        return ahead_s * servers / (work_s * self._stretch) + background.queued(), ahead_s

    def beat(self, rate: float, now_s: float) -> Sample:
        """A round of control and, at the same moment, a look: what `tick` and then `sample` would do.

        Nearly always that is little: every call was answered, a server is free, and the new rate is about the old one. Then
        it is done here, in a third of the time; whatever else happened is for those two.
        """
        background, rotation = self._background, self.rotation
        if self._plain and self._sampled_s < now_s < self._calm_until_s and self._free[0][0] <= now_s:
            latencies = self._latencies
            if self._still is not None and not (rate or latencies):
                background.settled_s = self._ticked_s = self._sampled_s = now_s
                return self._still
            # All totals have stood at zero since the last beat, and stay there.
            span_s, worked_s = now_s - self._sampled_s, sum(latencies) - self._waited_s
            busy = (worked_s + background.load * span_s) / (background.servers * span_s)
            foreground = worked_s / span_s
            load = rate * background.work_s
            low, high = background.band
            queue = 0.0 if background.easy else background.queued()
            if (
                rotation.resting and busy <= rotation.target and queue <= rotation.waiting_most
                and low < load + (foreground if load else 0.0) < high
            ):  # fmt: skip
                calls = background.rate * span_s
                background.rate, background.load, background.foreground = rate, load, foreground
                if not background.easy:
                    queue = background.queued()
                background.settled_s = self._ticked_s = self._sampled_s = now_s
                if latencies:
                    self._latencies, self._waited_s = [], 0.0
                p50_s, p99_s = background.percentiles_s(latencies, calls, 0.0)
                calls += len(latencies)
                found = sampled((calls, 0.0, 0.0, calls / span_s, p50_s, p99_s, busy, queue, len(rotation.up), 0.0))
                self._still = None if calls or rate or foreground else found
                return found
        self._still = None
        self.tick(rate, now_s)
        found = self.sample(now_s)
        anew = self._control.anew and self._monitor.anew
        self._plain = background.calm and now_s < self._calm_until_s and anew and self._prompt
        return found

    def _worked_s(self) -> float:
        return self._sampled_work_s + sum(self._latencies) - self._waited_s

    def tick(self, rate: float, now_s: float) -> None:
        """Take the background's new rate, and let the autoscaler decide by what has happened since the last tick."""
        background, rotation, worked_s = self._background, self.rotation, self._worked_s()
        if rotation.due_s <= now_s:
            self._catch_up(now_s)
        background.settle(now_s)
        self._plain = False
        if now_s > self._ticked_s:
            background.foreground = (worked_s - self._worked_before_s) / (now_s - self._ticked_s)
            self._ticked_s, self._worked_before_s = now_s, worked_s
        busy = self._control.read(worked_s + background.taken_s, background.room_s)
        leaving = rotation.scale(now_s, busy, self._queue(now_s)[0])
        if leaving:
            self._leave(leaving)
        elif background.drift(rate):
            if self._factor == 1.0:
                self._calm_until_s = rotation.due_s
            return
        background.rate = rate
        self._refresh(now_s)

    def sample(self, now_s: float) -> Sample:
        """What happened since the last sample; the counters begin anew.

        Percentiles are of one mixture: the foreground's latencies as they were, and the background's calls with the
        distribution (M/M/c, or backlog and work) that holds now; those whose callers have given up are errors.
        """
        background, rotation, span_s = self._background, self.rotation, now_s - self._sampled_s
        if background.settled_s < now_s or rotation.due_s <= now_s:  # else a round of control has just been here
            self.advance(now_s)
        latencies, worked_s = self._latencies, self._worked_s()
        if latencies:
            self._latencies, self._sampled_work_s, self._waited_s = [], worked_s, 0.0
        calls, refused, errors = background.calls, background.refused, background.errors
        taken = max(calls - errors, 0.0) if self.answers else 0.0
        count = len(latencies)
        failed = self._failed + self._refused
        calls = count + failed + calls
        errors = failed + self._lost + errors
        queue, ahead_s = self._queue(now_s)
        late = taken * background.later_share(self._timeout_s, ahead_s)
        taken, errors = taken - late, errors + late
        p50_s, p99_s = background.percentiles_s(latencies, taken, ahead_s)
        if p99_s > self._timeout_s:
            p50_s, p99_s = min(p50_s, self._timeout_s), self._timeout_s
        busy = self._monitor.read(worked_s + background.taken_s, background.room_s)
        found = sampled(
            (
                calls, errors, self._refused + refused, calls / span_s if span_s > 0.0 else 0.0, p50_s, p99_s, busy, queue,
                len(rotation.up), ahead_s,
            )
        )  # fmt: skip
        self._failed, self._refused, self._lost = 0.0, 0, 0
        self._plain = False
        background.calls = background.errors = background.refused = 0.0
        self._sampled_s = now_s
        if self._ticked_s == now_s and self._control.level(self._monitor):
            # Both have just been read: all totals begin anew, so that a beat need not touch them.
            self._control.begin_anew()
            self._monitor.begin_anew()
            background.taken_s = background.room_s = self._sampled_work_s = self._worked_before_s = 0.0
        return found
