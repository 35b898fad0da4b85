"""How long a run that starts empty needs to forget it: MSER-5 over a few pilot days."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.experiments.pool import Crew, Job, as_they_come
from sim.experiments.runs import run_in_memory
from sim.opening import ready_world
from sim.scenario import Scenario
from sim.statistics.warmup import mser
from sim.streams import Streams
from sim.vocabulary import InputError

PILOTS = 5
"""Pilot days whose mean is looked at: the start shows in a mean, hardly in one day (Welch's procedure, 1983)."""

BIN_S = 300.0
"""Width of a bin of the series of click-to-door, seconds (judgement)."""


class Found(NamedTuple):
    """Hours to leave out, and how many were looked at."""

    hours: float
    pilots: int


def click_to_door(job: Job, allow_code: bool) -> NDArray[np.float64]:
    """Sum of click-to-door and number of orders by when they were placed, float64 (2, bins)."""
    streams = Streams(job.scenario.seed, job.number)
    orders = run_in_memory(ready_world(job.scenario, streams), streams, allow_code=allow_code).study.orders
    done = ~np.isnan(orders["delivered_s"])
    place = (orders["entered_s"][done] / BIN_S).astype(np.int64)
    took = (orders["delivered_s"] - orders["entered_s"])[done]
    bins = int(job.scenario.horizon_s / BIN_S) + 1
    return np.array(
        [np.bincount(place, took, minlength=bins)[:bins], np.bincount(place, minlength=bins)[:bins]], dtype=np.float64
    )


def find_warmup(scenario: Scenario, crew: Crew = Crew()) -> Found:
    """The warm-up that MSER-5 finds in the mean click-to-door of pilot days (replications of a seed of their own).

    Raises
    ------
    InputError
        The run is too short to tell: there are too few orders, or more than half of it would be left out.
    """
    pilot = scenario.model_copy(update={"warmup_h": 0.0, "seed": (scenario.seed + 0x9110) % 2**63})
    total = sum(
        series for _, series in as_they_come([Job(pilot, number) for number in range(PILOTS)], crew, click_to_door)
    )
    took, count = np.asarray(total)
    seen = np.flatnonzero(count)
    if len(seen) < 50:
        raise InputError(
            f"--warmup auto: expected orders in at least 50 stretches of {BIN_S / 60:.0f} minutes, got them in {len(seen)}: "
            "the run is too short; give --warmup in hours."
        )
    found = mser((took[seen] / count[seen]).tolist())
    if not found.settled:
        raise InputError(
            "--warmup auto: expected a run that settles; MSER-5 would leave out more than half of this one. "
            "Make it longer, or give --warmup in hours."
        )
    hours = float(seen[found.cut] * BIN_S / 3600.0) if found.cut else 0.0
    return Found(hours, PILOTS)
