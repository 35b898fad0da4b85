"""Calls to a service: each takes the server that comes free first.

With every instance healthy and no background that is exactly a G/G/c queue in order of calling.
"""

from bisect import insort
from math import inf

from sim.platform.background import Background
from sim.platform.scaling import Flight, Rotation
from sim.vocabulary import NOBODY


class Servers:
    """The half of a service that takes calls; `sim.platform.services.Service` is the whole of it.

    Nearly every call comes when nothing is out of the ordinary and a server is free: it passes `call` alone.
    """

    rotation: Rotation
    last_instance: int
    vain_s: float
    """How long the caller waited for the last call that got no answer, seconds."""
    epoch: int
    _free: list[tuple[float, int]]
    """When each server comes free, and whose it is, ascending."""
    _queue_max_s: float
    _timeout_s: float
    _background: Background
    _factor: float
    """What all slow-downs in force make of a call's work."""
    _failing: int
    """Causes for which every call fails."""
    _chance: float
    """That a call waits for the background."""
    _stretch: float
    """How much longer than its work a call keeps its server."""
    _dead_share: float
    """Of the calls, that go to instances of whose death the load balancer does not know."""
    _calm_until_s: float
    """Before this time nothing is out of the ordinary: no factor, no flood, nobody dead."""
    _sampled_work_s: float
    """Work of simulated calls until the last sample, and of those since that nobody waited for, seconds."""
    _latencies: list[float]
    """Since the last sample, seconds."""
    _waited_s: float
    """Waits in these."""
    _failed: float
    _refused: int
    _lost: int
    _plain: bool
    """Whether nothing has happened since the last beat but calls that were answered."""

    def _catch_up(self, now_s: float) -> None:
        raise NotImplementedError

    def call(self, at_s: float, work_s: float, luck: float) -> float:
        """Make a call; returns its latency (wait and work), seconds: infinity when it got no answer.

        Parameters
        ----------
        at_s
            When it arrives, seconds; may lie a little ahead of now (a chain of hops).
        work_s
            Its work on a healthy instance, seconds.
        luck
            A uniform draw on [0, 1) of the call's own.
        """
        if at_s >= self._calm_until_s:
            return self._call_in_trouble(at_s, work_s, luck)
        free = self._free
        free_s, instance = free[0]
        if free_s > at_s or luck < self._chance or work_s > self._timeout_s:
            return self._call_that_waits(at_s, work_s, luck)
        until_s = at_s + work_s * self._stretch
        if until_s > free[-1][0]:
            free.append((until_s, instance))
        else:
            insort(free, (until_s, instance))
        del free[0]
        self.last_instance = instance
        self._latencies.append(work_s)
        return work_s

    def _call_that_waits(self, at_s: float, work_s: float, luck: float) -> float:
        free_s, instance = self._free[0]
        begin_s = max(at_s, free_s)
        wait_s = begin_s - at_s
        if luck < self._chance:
            # Waits for the background and for simulated calls pass together; only the latter hold a server.
            wait_s = max(wait_s, self._background.wait_s(luck))
        return self._serve(begin_s, wait_s, work_s, instance)

    def _serve(self, begin_s: float, wait_s: float, work_s: float, instance: int) -> float:
        if wait_s > self._queue_max_s:
            return self._refuse()
        work_s *= self._factor
        insort(self._free, (begin_s + work_s * self._stretch, instance))
        del self._free[0]
        self.last_instance = instance
        if wait_s + work_s > self._timeout_s:
            # The caller has given up, and the server works on it all the same.
            self.vain_s = self._timeout_s
            self._sampled_work_s += work_s
            return self.fails()
        self._waited_s += wait_s
        wait_s += work_s
        self._latencies.append(wait_s)
        return wait_s

    def _call_in_trouble(self, at_s: float, work_s: float, luck: float) -> float:
        if self.rotation.due_s <= at_s:
            self._catch_up(at_s)
            if at_s < self._calm_until_s:
                return self.call(at_s, work_s, luck)
        if self._failing:
            return self._fail(NOBODY)
        share = self._dead_share
        if luck < share:
            # The load balancer does not know yet: a dead instance fails its share of the calls, and fast.
            dead = self.rotation.dead
            return self._fail(dead[int(luck / share * len(dead))][1])
        if not self._free:
            return self._refuse()
        luck = (luck - share) / (1.0 - share)
        background = self._background
        free_s, instance = self._free[0]
        begin_s = max(at_s, free_s)
        wait_s = begin_s - at_s
        if background.flooded:
            ahead_s = background.ahead_s(at_s)
            if ahead_s >= self._queue_max_s:
                if background.turns_away(luck):
                    return self._refuse()
                ahead_s = self._queue_max_s  # taken by a full queue: what was ahead is no longer more than full
            wait_s = max(wait_s, ahead_s)
        if luck < self._chance:
            wait_s = max(wait_s, background.wait_s(luck))
        latency_s = self._serve(begin_s, wait_s, work_s, instance)
        if background.flooded and latency_s < inf:
            background.backlog_s += work_s * self._factor
        return latency_s

    def fails(self, calls: float = 1.0) -> float:
        """Calls fail for what the service asks is down: they count as its errors; returns infinity."""
        self._failed += calls
        self._plain = False
        return inf

    def _fail(self, instance: int) -> float:
        self.last_instance, self.vain_s = instance, 0.0
        self._failed += 1
        return inf

    def _refuse(self) -> float:
        self.last_instance, self.vain_s = NOBODY, 0.0
        self._refused += 1
        self._plain = False
        return inf

    def lost(self, flight: Flight) -> bool:
        """Whether a call was in hand of an instance that has died since it was made; ask once."""
        return self.epoch != flight[0] and self.broke(flight[1], flight[2])

    def broke(self, instance: int, since_s: float) -> bool:
        """Whether an instance died at or after a time, so that a call in flight on it since then is lost.

        Needed only when `epoch` has changed since the call. A lost call counts as an error: ask once.
        """
        if instance < 0 or not since_s <= self.rotation.died_s[instance] < inf:
            return False
        self._lost += 1
        self._plain = False
        return True
