"""What the platform heard of its drivers: for every position that a phone sent, whether it arrived, and how late.

Single positions are not in the log, and need not be: when a ping was sent, whether it was lost by chance and how late it came is
a hash of (driver, number) keyed by the seed, and losses of signal and connection are facts. So what is worked out here is what
the platform had, and what `tracking` in summary.json counts. From these, a page finds the last known position at any moment as
the platform does: the newest ping that had arrived by then, and in it the next junction that the driver reached at or after
sending.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.metrics.tables import spans
from sim.metrics.tracking import offline_times, silent_times, within
from sim.reading.run import FinishedRun
from sim.scenario import Scenario
from sim.streams import Streams
from sim.world.pings import Pings

FINEST_S: Final = 0.25
"""Delays are told in steps of so much, or coarser where some are long; rounded up, for nothing is known before it came."""

_MOST: Final = 254


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """Shifts, and what was heard on each.

    Attributes
    ----------
    driver, node
        Of each shift, who and where it begins, int32 (shifts,).
    on_s, off_s
        From when to when, float64 (shifts,).
    spoofed
        Whether the phone claims to be at the home store all the time, uint8 (shifts,).
    home
        That store, int32 (shifts,).
    phase_s
        When the driver's ping 0 is due, float64 (shifts,); ping k is due `every_s` x k later.
    first, ping_start
        The pings sent on shift ``i`` have the numbers ``first[i]``, ``first[i] + 1`` ..., and are
        ``code[ping_start[i]:ping_start[i + 1]]``.
    code
        0: it never arrived; else one more than its delay in steps of `step_s`, uint8 (pings,).
    """

    driver: NDArray[np.int32]
    node: NDArray[np.int32]
    on_s: NDArray[np.float64]
    off_s: NDArray[np.float64]
    spoofed: NDArray[np.uint8]
    home: NDArray[np.int32]
    phase_s: NDArray[np.float64]
    first: NDArray[np.int64]
    ping_start: NDArray[np.int64]
    code: NDArray[np.uint8]
    every_s: float
    step_s: float


def heard_of(run: FinishedRun, scenario: Scenario) -> Heard:
    """Work out what the platform heard of every driver, shift by shift."""
    archive, pings = run.archive, Pings.of(scenario, Streams(run.seed))
    offline, silent = offline_times(archive), silent_times(archive)
    rows = archive.rows("driver_on")
    who, on_s, off_s = spans(rows, archive.rows("driver_off"), "driver", run.close_s)
    order = np.lexsort((rows["t_s"], rows["driver"]))
    lost, late_s, first, counts = list[NDArray[np.bool_]](), list[NDArray[np.float64]](), list[int](), list[int]()
    for driver, begin_s, end_s in zip(who.tolist(), on_s.tolist(), off_s.tolist(), strict=True):
        numbers = pings.between(driver, begin_s, end_s)
        times_s = pings.phase_s(driver) + numbers * pings.every_s
        gone, delays_s = pings.fates_of(driver, numbers)
        cut = within(times_s, offline.get(driver, ())) | within(times_s, silent.get(driver, ()))
        lost.append(gone | cut)
        late_s.append(delays_s)
        first.append(int(numbers[0]) if len(numbers) else 0)
        counts.append(len(numbers))
    gone = np.concatenate(lost) if lost else np.zeros(0, dtype=bool)
    delays_s = np.concatenate(late_s) if late_s else np.zeros(0)
    step_s = max(FINEST_S, float(delays_s.max(initial=0.0)) / _MOST)
    code = np.where(gone, 0, 1 + np.minimum(np.ceil(delays_s / step_s), _MOST)).astype(np.uint8)
    return Heard(
        driver=who.astype(np.int32),
        node=rows["node"][order].astype(np.int32),
        on_s=on_s,
        off_s=off_s,
        spoofed=np.array([pings.is_spoofed(driver) for driver in who.tolist()], dtype=np.uint8),
        home=rows["store"][order].astype(np.int32),
        phase_s=np.array([pings.phase_s(driver) for driver in who.tolist()], dtype=np.float64),
        first=np.array(first, dtype=np.int64),
        ping_start=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        code=code,
        every_s=pings.every_s,
        step_s=step_s,
    )
