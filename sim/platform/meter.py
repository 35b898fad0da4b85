"""What is read off a service's running totals: utilisation, and all that monitoring sees in a sample."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple


class Meter:
    """Utilisation between two readings; work that came and did not fit is still to be done in the next.

    Attributes
    ----------
    work_s, room_s
        Running totals at the last reading, seconds.
    carried_s
        Work that did not fit until then, seconds.
    """

    __slots__ = ("carried_s", "room_s", "work_s")

    def __init__(self) -> None:
        self.work_s = self.room_s = self.carried_s = 0.0

    @property
    def anew(self) -> bool:
        """Whether it has only just begun: nothing was read or carried since."""
        return not (self.work_s or self.room_s or self.carried_s)

    def level(self, other: "Meter") -> bool:
        """Whether another was read at the same totals."""
        return self.work_s == other.work_s and self.room_s == other.room_s

    def begin_anew(self) -> None:
        """The running totals begin anew at zero; what is carried stays."""
        self.work_s = self.room_s = 0.0

    def read(self, work_s: float, room_s: float) -> float:
        """Share of server time that was busy, given running totals of work taken and server time, seconds."""
        due_s, span_s = self.carried_s + work_s - self.work_s, room_s - self.room_s
        self.work_s, self.room_s = work_s, room_s
        if due_s > span_s:
            self.carried_s = due_s - span_s
            return 1.0 if span_s > 0.0 else 0.0
        self.carried_s = 0.0
        return due_s / span_s if span_s > 0.0 else 0.0


class Sample(NamedTuple):
    """What monitoring saw of a service since the sample before.

    Attributes
    ----------
    calls, errors, refused
        Calls that came; that got no answer, for whatever reason; of those, that the full queue turned away. Background
        calls are expected counts, so these are not whole numbers.
    rate
        Calls per second.
    p50_s, p99_s
        Latency of the calls that were taken, seconds; nan when there were none.
    utilisation
        Share of the servers' time that was busy.
    queue
        Calls waiting at the moment of the sample (an estimate: work ahead over mean work).
    instances
        Instances that serve.
    backlog_s
        What a call would wait for those ahead of it, seconds.
    """

    calls: float
    errors: float
    refused: float
    rate: float
    p50_s: float
    p99_s: float
    utilisation: float
    queue: float
    instances: int
    backlog_s: float


sampled: Callable[[tuple[float, ...]], Sample] = partial(tuple.__new__, Sample)
"""Makes a sample without a call of Python's own for each: there are eight at every look."""
