"""Two ways to keep the event queue short: what is known beforehand, and what will most likely never happen.

Every event in SimPy's queue makes all others dearer. Shifts are known before the clock starts, so one process plays
them all; deadlines mostly expire long after they stopped to matter, so they are kept in minutes and become events only
when their minute comes and they still matter.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sim.clock import Clock, Timer
from sim.story import Story
from sim.vocabulary import OrderId

BUCKET_S = 60.0


def agenda(env: Clock, entries: Sequence[tuple[float, Callable[[], None]]]) -> Story:
    """Play entries (time in seconds, action), which must be in order of time."""
    for at_s, act in entries:
        if at_s > env.now:
            yield Timer(env, at_s - env.now)
        act()


class Deadlines:
    """Calls `expire` with an order at its deadline, if it still `matters` when its minute begins.

    Parameters
    ----------
    matters
        Whether an order's deadline could still do anything.
    expire
        Called at the deadline, exactly.
    """

    def __init__(self, env: Clock, matters: Callable[[OrderId], bool], expire: Callable[[OrderId], Any]) -> None:
        self._env, self._matters, self._expire = env, matters, expire
        self._buckets: dict[int, list[tuple[float, OrderId]]] = {}

    def add(self, order: OrderId, at_s: float) -> None:
        """Set an order's deadline, seconds since the start."""
        bucket = int(at_s // BUCKET_S)
        waiting = self._buckets.get(bucket)
        if waiting is not None:
            waiting.append((at_s, order))
        elif bucket * BUCKET_S <= self._env.now:
            self._arm(at_s, order)
        else:
            self._buckets[bucket] = [(at_s, order)]
            Timer(self._env, bucket * BUCKET_S - self._env.now, self._open, bucket)

    def _open(self, event: Timer) -> None:
        for at_s, order in self._buckets.pop(event.value):
            if self._matters(order):
                self._arm(at_s, order)

    def _arm(self, at_s: float, order: OrderId) -> None:
        Timer(self._env, at_s - self._env.now, self._due, order)

    def _due(self, event: Timer) -> None:
        self._expire(event.value)
