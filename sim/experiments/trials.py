"""Trying scenarios one after the other on the same days, each only once, and seeing which service levels hold."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from operator import ge, gt, le, lt
from typing import Any, NamedTuple

from sim.experiments.figures import figures, interval
from sim.experiments.pool import Crew, Job, as_they_come
from sim.experiments.slo import published
from sim.scenario import Scenario
from sim.scenario.levels import Slo
from sim.scenario.loading import resolved
from sim.statistics import Interval

Days = list[dict[str, float | None]]
_COMPARE = {">=": ge, "<=": le, ">": gt, "<": lt}


class Held(NamedTuple):
    """A service level as some days saw it.

    Attributes
    ----------
    slo
        What was asked.
    found
        The figure's mean and interval; None where nothing was observed.
    met
        Whether the mean is good enough.
    sure
        Whether the interval's worse end is, with the one-sided confidence asked for.
    margin
        How far the mean is from the target on the good side, as a share of the target (of what is left to one, for a share):
        below zero it is missed.
    """

    slo: Slo
    found: Interval | None
    met: bool
    sure: bool
    margin: float

    def told(self) -> dict[str, Any]:
        """The same as an object of JSON."""
        found = None if self.found is None else self.found._asdict()
        return {
            "metric": self.slo.metric, "op": self.slo.op, "target": self.slo.target, "severity": self.slo.severity,
            "met": self.met, "sure": self.sure, "found": found, "margin": self.margin,
        }  # fmt: skip


def mean_of(days: Sequence[Mapping[str, float | None]], metric: str) -> float | None:
    """A figure's mean over days; None where nothing was observed."""
    values = [value for day in days if (value := day.get(metric)) is not None]
    return math.fsum(values) / len(values) if values else None


def asked_of(scenario: Scenario, *, platform: bool = True) -> list[Slo]:
    """The service levels of a scenario; with those published for the platform, which only warn."""
    return [*scenario.slo, *(published(scenario) if platform else ())]


def held(levels: Sequence[Slo], days: Sequence[Mapping[str, float | None]], confidence: float = 0.975) -> list[Held]:
    """Hold days against service levels; `confidence` is the one-sided one of being sure."""
    found = []
    for slo in levels:
        values = [value for day in days if (value := day.get(slo.metric)) is not None]
        if not values:
            found.append(Held(slo, None, False, False, -1.0))
            continue
        seen, good = interval(slo.metric, values, 2.0 * confidence - 1.0), _COMPARE[slo.op]
        sign = 1.0 if slo.op in (">=", ">") else -1.0
        worst = seen.low if sign > 0 else seen.high
        scale = abs(slo.target) or 1.0
        if sign > 0 and 0.5 < slo.target < 1.0:
            scale = 1.0 - slo.target
        margin = sign * (seen.mean - slo.target) / scale
        found.append(
            Held(
                slo,
                seen,
                bool(good(seen.mean, slo.target)),
                worst is not None and bool(good(worst, slo.target)),
                margin,
            )
        )
    return found


def _of_stores(summary: Mapping[str, Any]) -> dict[str, float | None]:
    """What each store did, as ``by_store.0.delivered``."""
    rows = enumerate(summary["by_store"])
    return {f"by_store.{store}.{name}": value for store, row in rows for name, value in row.items()}


class Trials:
    """Runs scenarios on the same days, and remembers what came out.

    Parameters
    ----------
    reps
        Days for each scenario: replications 0, 1, ... of its seed.
    told
        Called after each run with how many there have been.

    Attributes
    ----------
    runs
        Runs so far.
    """

    def __init__(self, reps: int, crew: Crew = Crew(), told: Callable[[int], None] | None = None) -> None:
        self._reps, self._crew, self._told = reps, crew, told
        self._known: dict[tuple[str, int], dict[str, float | None]] = {}
        self.runs = 0

    def days(self, *scenarios: Scenario, reps: int | None = None) -> list[Days]:
        """The figures of each scenario's days; those that are not known yet are run side by side."""
        count = reps or self._reps
        keys = [json.dumps(resolved(scenario), sort_keys=True) for scenario in scenarios]
        wanted = {
            (key, number): Job(scenario, number)
            for number in range(count)
            for key, scenario in zip(keys, scenarios, strict=True)
            if (key, number) not in self._known
        }
        places = list(wanted)
        for place, summary in as_they_come(list(wanted.values()), self._crew) if wanted else ():
            self._known[places[place]] = figures(summary) | _of_stores(summary)
            self.runs += 1
            if self._told is not None:
                self._told(self.runs)
        return [[self._known[key, number] for number in range(count)] for key in keys]
