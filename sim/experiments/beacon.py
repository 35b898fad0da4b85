"""What a run or an experiment under way says of itself, for ``darkstore watch`` and the progress bar.

All of it happens between slices of a run and beside its log, or between runs, so what is watched is what is not.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from sim.engine import Progress
from sim.reading.under_way import WORD
from sim.recording import Sink
from sim.recording.schema import CODES
from sim.scenario import Scenario
from sim.vocabulary import OrderState

EVERY_S: Final = 0.25
"""Least time between two words, seconds of the wall clock."""

_ENTERED, _REJECTED = CODES["order_entered"], CODES["order_rejected"]
_MOVED, _PICKED = CODES["order_moved"], CODES["pick_started"]


class Tally:
    """A sink that passes the log's rows on and keeps count of where orders are."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._state = np.full(1024, -1, dtype=np.int8)
        self._picked = np.zeros(1024, dtype=bool)
        self.entered = self.rejected = 0

    def append(self, code: int, seq: Any, rows: Any) -> None:
        """Take flushed rows."""
        self._sink.append(code, seq, rows)
        if code == _REJECTED:
            self.rejected += len(rows)
        elif code in (_ENTERED, _MOVED, _PICKED):
            self._note(code, rows)

    def _note(self, code: int, rows: Any) -> None:
        orders = rows["order"]
        most = int(orders.max()) + 1
        if most > len(self._state):
            more = max(most, 2 * len(self._state)) - len(self._state)
            self._state = np.concatenate([self._state, np.full(more, -1, dtype=np.int8)])
            self._picked = np.concatenate([self._picked, np.zeros(more, dtype=bool)])
        if code == _MOVED:
            self._state[orders] = rows["state"]  # of several moves of one order the last one stays
        elif code == _PICKED:
            self._picked[orders] = True
        else:
            self.entered += len(rows)
            self._state[orders] = np.maximum(self._state[orders], OrderState.CREATED)

    def counts(self) -> dict[str, int]:
        """Orders so far, and where those are that have not ended."""
        known = self._state[self._state >= 0]
        by_state = np.bincount(known, minlength=len(OrderState))
        waiting = int(((self._state == OrderState.CONFIRMED) & ~self._picked).sum())
        return {
            "entered": self.entered,
            "rejected": self.rejected,
            "delivered": int(by_state[OrderState.DELIVERED]),
            "lost": int(by_state[OrderState.CANCELLED] + by_state[OrderState.PAYMENT_FAILED]),
            "checkout": int(by_state[OrderState.CREATED] + by_state[OrderState.PENDING_PAYMENT]),
            "waiting_pick": waiting,
            "being_picked": int(by_state[OrderState.CONFIRMED]) - waiting,
            "waiting_driver": int(by_state[OrderState.PACKED] + by_state[OrderState.ASSIGNED]),
            "riding": int(by_state[OrderState.PICKED_UP]),
        }


class _Word:
    """What is said last in a working folder: written beside and moved there, so that nobody reads half of it."""

    def __init__(self, work: Path, **said: Any) -> None:
        self._path = work / WORD
        self._next = work / f".{WORD}"
        self._said = 0.0
        self._began = time.monotonic()
        self._word: dict[str, Any] = said

    def put_out(self) -> None:
        """Leave nothing behind."""
        for path in (self._next, self._path):
            path.unlink(missing_ok=True)

    def _say(self, now: float) -> None:
        self._said = now
        with suppress(OSError):  # that nobody can watch is no reason to end a run
            self._next.write_text(json.dumps(self._word), encoding="utf-8")
            os.replace(self._next, self._path)


class Tried(_Word):
    """Says in an experiment's working folder how many runs there have been, and what is being tried.

    Parameters
    ----------
    work
        The working folder.
    what
        The experiment: "sweep", "comparison", "plan of sites".
    total
        How many there will be; None: as many as it takes.
    """

    def __init__(self, work: Path, scenario: Scenario, what: str, total: int | None = None, unit: str = "runs") -> None:
        super().__init__(
            work, scenario=scenario.name, seed=scenario.seed, experiment=what, phase="trying", done=0, total=total,
            unit=unit, note="",
        )  # fmt: skip
        self._say(self._began)

    def ran(self, count: int, before: int = 0) -> None:
        """So many runs are done, some of them before this began."""
        self._tell(done=count, per_s=(count - before) / max(time.monotonic() - self._began, 1e-9))

    def trying(self, what: str) -> None:
        """Say what is being tried."""
        self._tell(note=what)

    def __call__(self, count: int, note: str = "") -> None:
        """So many are done, and there is this to say of it."""
        self.ran(count)
        if note:
            self.trying(note)

    def _tell(self, **said: Any) -> None:
        self._word |= said
        self._say(time.monotonic())


@contextmanager
def tried(work: Path, scenario: Scenario, what: str, total: int | None = None, unit: str = "runs") -> Iterator[Tried]:
    """Word of an experiment for as long as it goes on."""
    word = Tried(work, scenario, what, total, unit)
    try:
        yield word
    finally:
        word.put_out()


def both(*told: Callable[..., None]) -> Callable[..., None]:
    """Tell several."""

    def all_of(*said: Any) -> None:
        for each in told:
            each(*said)

    return all_of


class Beacon(_Word):
    """Says in a run's working folder how far it is; at most every `EVERY_S`, and nothing once it is put out.

    Parameters
    ----------
    work
        The working folder.
    replications
        How many there will be; None: as many as it takes.
    """

    def __init__(self, work: Path, scenario: Scenario, replications: int | None = 1) -> None:
        super().__init__(
            work, scenario=scenario.name, seed=scenario.seed, start=scenario.start, mode=scenario.mode, phase="simulating",
            replications=replications, done=0,
        )  # fmt: skip

    def simulated(self, progress: Progress, tally: Tally) -> Progress:
        """The run has come so far; returns the same with its orders."""
        now = time.monotonic()
        if now - self._said >= EVERY_S or progress.now_s >= progress.end_s:
            gone = max(now - self._began, 1e-9)
            self._word |= {
                "now_s": progress.now_s, "end_s": progress.end_s, "facts": progress.facts, "orders": tally.counts(),
                "orders_per_s": tally.entered / gone, "share_per_s": progress.now_s / progress.end_s / gone,
            }  # fmt: skip
            self._say(now)
        return replace(progress, orders=tally.entered)

    def phase(self, name: str) -> None:
        """Something else is being done now: "studying", "replicating", "writing the report"."""
        self._word["phase"] = name
        self._say(time.monotonic())

    def replicated(self, count: int) -> None:
        """So many replications are done."""
        now = time.monotonic()
        self._word |= {"phase": "replicating", "done": count}
        if now - self._said >= EVERY_S:
            self._say(now)
