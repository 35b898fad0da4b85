"""The event log while a run is under way: a recorder that packs each fact into its kind's buffer.

Each signature of `sim.facts.Facts` is compiled into one function that notes the kind, packs the row and calls only those
laws that listen to it. Between slices of the run, `Log.flush` hands the packed rows to a sink and extends the digest;
nothing here adds an event or draws a number, so a run that is watched is the run that is not.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

import numpy as np

from sim.facts import SIGNATURES, Facts
from sim.recording.schema import CODES, DTYPES, KINDS, row_struct


class Clock(Protocol):
    """Whatever knows the simulated time."""

    @property
    def now(self) -> float: ...


class Sink(Protocol):
    """Where flushed rows go."""

    def append(self, code: int, seq: Any, rows: Any) -> None:
        """Take rows (record array of the kind's dtype) with their places in the day's order (int64 array)."""


class Digest:
    """A hash of a whole log that does not depend on when it was flushed: one stream per kind and one for the order."""

    def __init__(self) -> None:
        self._order = blake2b(digest_size=16)
        self._rows = [blake2b(kind.encode(), digest_size=16) for kind in KINDS]

    def order(self, codes: bytes) -> None:
        """Extend the sequence of kinds."""
        self._order.update(codes)

    def rows(self, code: int, packed: bytes) -> None:
        """Extend the rows of one kind."""
        self._rows[code].update(packed)

    def hexdigest(self) -> str:
        """Return 32 hexadecimal digits."""
        whole = blake2b(self._order.digest(), digest_size=16)
        for one in self._rows:
            whole.update(one.digest())
        return whole.hexdigest()


class Rows(NamedTuple):
    """The facts of one kind in a slice of the run: their places in the order of the day, and the facts."""

    seq: Any
    rows: Any


ENOUGH = 100_000
"""Facts that make a slice worth the array operations of those who listen by slices."""

_NOTHING = {
    kind: (np.empty(0, dtype=np.int64), np.empty(0, dtype=dtype)) for kind, dtype in zip(KINDS, DTYPES, strict=True)
}


class Log(Facts):
    """A recorder of facts, compiled for one run.

    Parameters
    ----------
    clock
        Gives each fact its time, seconds since the start.
    listeners
        Objects (laws) with methods named after facts: called with the time and the fact's values, in order; or with a
        method `slice`: called now and then, and at the end, with the rows of every kind since the last time.
    """

    # Slots for the compiled functions: past thirty attributes an instance's dictionary is searched at every call.
    __slots__ = (
        *KINDS, "_buffers", "_by_slice", "_clock", "_handlers", "_order", "_unheard", "_unheard_facts", "count", "digest",
    )  # fmt: skip

    def __init__(self, clock: Clock, listeners: Sequence[object] = ()) -> None:
        self.digest = Digest()
        self.count = 0
        self._by_slice = [listener.slice for listener in listeners if hasattr(listener, "slice")]
        self._unheard: list[dict[str, Rows]] = []
        self._unheard_facts = 0
        self._order = bytearray()
        self._buffers = [bytearray() for _ in KINDS]
        self._clock = clock
        self._handlers = [[getattr(one, kind) for one in listeners if hasattr(one, kind)] for kind in KINDS]
        for code, kind in enumerate(KINDS):
            handlers = self._handlers[code]
            setattr(self, kind, _compiled(code, kind, clock, self._order, self._buffers[code], handlers))

    def many(self, kind: str, columns: Mapping[str, Any]) -> None:
        """Log many facts of one kind at this moment: one block of packed rows instead of a call for each."""
        code = CODES[kind]
        n = len(next(iter(columns.values())))
        rows = np.empty(n, dtype=DTYPES[code])
        rows["t_s"] = now = self._clock.now
        for name in SIGNATURES[kind]:
            rows[name] = columns[name]
        self._order += bytes([code]) * n
        self._buffers[code] += rows.tobytes()
        for handler in self._handlers[code]:
            for row in rows.tolist():
                handler(now, *row[1:])

    def flush(self, sink: Sink) -> None:
        """Hand everything logged since the last flush to the sink and extend the digest."""
        order = np.frombuffer(bytes(self._order), dtype=np.uint8)
        self.digest.order(order.tobytes())
        # A stable sort by kind lists, kind after kind, the places its facts took in the day's order.
        places = np.argsort(order, kind="stable")
        ends = np.cumsum(np.bincount(order, minlength=len(KINDS)))
        start = 0
        sliced: dict[str, Rows] = {}
        for code, buffer in enumerate(self._buffers):
            end = int(ends[code])
            if end > start:
                packed = bytes(buffer)
                self.digest.rows(code, packed)
                seq, rows = places[start:end] + self.count, np.frombuffer(packed, dtype=DTYPES[code])
                sink.append(code, seq, rows)
                sliced[KINDS[code]] = Rows(seq, rows)
                buffer.clear()
            start = end
        self.count += len(order)
        self._order.clear()
        if self._by_slice:
            self._unheard.append(sliced)
            self._unheard_facts += len(order)
            if self._unheard_facts >= ENOUGH:
                self._tell()

    def close(self, sink: Sink) -> None:
        """The run is over: flush, and let the listeners hear what they have not heard."""
        self.flush(sink)
        self._tell()

    def _tell(self) -> None:
        parts, self._unheard, self._unheard_facts = self._unheard, [], 0
        whole: dict[str, Rows] = {}
        for kind in KINDS:
            found = [part[kind] for part in parts if kind in part]
            whole[kind] = (
                Rows(*(np.concatenate(column) for column in zip(*found, strict=True)))
                if found
                else Rows(*_NOTHING[kind])
            )
        for listener in self._by_slice:
            listener(whole)


def _compiled(
    code: int, kind: str, clock: Clock, order: bytearray, buffer: bytearray, handlers: list[Callable[..., None]]
) -> Callable[..., None]:
    names = ", ".join(SIGNATURES[kind])
    space: dict[str, Any] = {
        "clock": clock, "note": order.append, "extend": buffer.extend, "pack": row_struct(kind).pack
    }  # fmt: skip
    calls = ""
    for i, handler in enumerate(handlers):
        space[f"law{i}"] = handler
        calls += f"\n    law{i}(now, {names})"
    source = f"def {kind}(*, {names}):\n    now = clock.now\n    note({code})\n    extend(pack(now, {names})){calls}\n"
    exec(source, space)
    function: Callable[..., None] = space[kind]
    return function
