"""Locks that end by themselves: a lease on a record, first come first served, with a fencing token.

A holder who is paused past its lease (a long collection of garbage, a lost network) does not know that somebody else holds
the record now. So each lease carries a token, tokens only grow, and the record remembers the highest it has seen: what
comes with an older one is refused. (Kleppmann 2016, "How to do distributed locking".) A record sees a token at the read
as well as at the write, else a reader's decision could be overtaken by an older holder's write.
"""

import math
from collections import deque

from sim.clock import Clock, Timer
from sim.story import Signal
from sim.vocabulary import OrderId


class Request(Signal):
    """A place in a record's queue; yield it, and get the token of the lease, or 0 when time was up."""

    __slots__ = ("order", "place")

    def __init__(self, place: int, order: OrderId) -> None:
        super().__init__()
        self.place, self.order = place, order

    def answer(self, token: int) -> None:
        """Let the waiting story go on."""
        self._value = token
        self.ring()


class _Lock:
    """Who holds a record, under which token and until when, and who waits for it."""

    __slots__ = ("order", "token", "until_s", "waiting", "watched")

    def __init__(self, order: OrderId) -> None:
        self.order = order
        self.token = 0
        self.until_s = 0.0
        self.waiting: deque[Request] = deque()
        self.watched = False


class Leases:
    """Leases on records.

    Parameters
    ----------
    lease_s
        How long a holder has a record at most, unless it renews, seconds.
    """

    def __init__(self, env: Clock, lease_s: float) -> None:
        if not lease_s > 0:
            raise ValueError(f"Expected lease_s > 0, got {lease_s}.")
        self._env, self.lease_s = env, lease_s
        self._locks: dict[int, _Lock] = {}
        self._given = 0
        self._seen: dict[int, int] = {}  # the records' side: the highest token each has seen
        self._pauses: dict[OrderId, float] = {}

    # -- the lock service --------------------------------------------------------------------------------------------

    def take(self, place: int, order: OrderId) -> int:
        """The token of a lease on a record that is free, lapsed or the order's own already; 0: others were first."""
        lock = self._locks.get(place)
        if lock is None:
            lock = self._locks[place] = _Lock(order)
        elif lock.order != order and (lock.waiting or lock.until_s > self._env.now):
            return 0
        # An order that asks again (its orchestrator crashed) takes its own lease over: the token of before is void.
        return self._grant(lock, order)

    def queue(self, place: int, order: OrderId, wait_s: float) -> Request:
        """Wait for a record behind everybody who waits already, for so long at most, seconds."""
        lock, request = self._locks[place], Request(place, order)
        lock.waiting.append(request)
        Timer(self._env, wait_s, self._time_up, request)
        self._watch(lock)
        return request

    def release(self, place: int, token: int) -> None:
        """Give a record back; a token whose lease has passed to somebody else does nothing."""
        lock = self._locks.get(place)
        if lock is not None and lock.token == token:
            self._next(place, lock)

    def renew(self, place: int, token: int, lease_s: float) -> bool:
        """Prolong a lease to so many seconds from now (infinite: until it is released); False when it was lost."""
        lock = self._locks.get(place)
        if lock is None or lock.token != token:
            return False
        lock.until_s = self._env.now + lease_s
        self._watch(lock)
        return True

    def holder(self, place: int) -> OrderId | None:
        """Who holds a record by the lock service's books."""
        lock = self._locks.get(place)
        return None if lock is None else lock.order

    def _grant(self, lock: _Lock, order: OrderId) -> int:
        self._given += 1
        lock.order, lock.token, lock.until_s = order, self._given, self._env.now + self.lease_s
        return self._given

    def _next(self, place: int, lock: _Lock) -> None:
        if lock.waiting:
            request = lock.waiting.popleft()
            token = self._grant(lock, request.order)
            self._watch(lock)
            request.answer(token)
        else:
            del self._locks[place]

    def _watch(self, lock: _Lock) -> None:
        # One event at a time looks whether the holder's lease has lapsed, and only while somebody waits for it.
        if lock.waiting and not lock.watched and lock.until_s < math.inf:
            lock.watched = True
            Timer(self._env, max(lock.until_s - self._env.now, 0.0), self._look, lock)

    def _look(self, event: Timer) -> None:
        lock: _Lock = event.value
        lock.watched = False
        if lock.waiting and lock.until_s <= self._env.now:
            self._next(lock.waiting[0].place, lock)
        else:
            self._watch(lock)

    def _time_up(self, event: Timer) -> None:
        request: Request = event.value
        lock = self._locks.get(request.place)
        if request.callbacks is not None and lock is not None and request in lock.waiting:
            lock.waiting.remove(request)
            request.answer(0)

    # -- the records' side -------------------------------------------------------------------------------------------

    def admit(self, place: int, token: int) -> bool:
        """Whether a record takes a read or a write under this token: none newer has been seen."""
        if token < self._seen.get(place, 0):
            return False
        self._seen[place] = token
        return True

    def fence(self, place: int) -> None:
        """The record was changed by somebody who needs no lease: what a present holder read of it is void."""
        if place in self._locks:
            self._given += 1
            self._seen[place] = self._given

    # -- pauses ------------------------------------------------------------------------------------------------------

    def pause_next(self, order: OrderId, seconds: float) -> None:
        """A fault: the next time this order has read under its leases, its process stands still for so long."""
        self._pauses[order] = seconds

    def pause_s(self, order: OrderId) -> float:
        """How long the order's process is to stand still now, seconds; asking takes the fault away."""
        return self._pauses.pop(order, 0.0) if self._pauses else 0.0
