"""What customers ask for in a goods-only run: no orders, only units of SKUs, step by step.

Each step has its own keyed stream, so two policies under one seed face the same customers, and months need no memory.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario
from sim.scenario.fields import DAY_S
from sim.streams import Streams, pick
from sim.world.demand import BIN_S, rate_per_bin


class Wanted(NamedTuple):
    """Basket lines of one step, (n,): flat place (``store * skus + sku``), units, and whether a neighbour will be taken.

    `broken`: places at which a unit breaks as it is taken, (m,), and `seen`, whether that is scanned.
    """

    place: NDArray[np.int64]
    units: NDArray[np.int64]
    slips: NDArray[np.bool_]
    broken: NDArray[np.int64]
    seen: NDArray[np.bool_]


class Wants:
    """The demand of a goods-only run.

    Lines come as a Poisson process with the rate of the scenario's orders while stores are open, times the mean lines of a
    basket; that the lines of one basket come together is left out. Units of a line are geometric, as in a full run.

    With `demand.distribution: normal` there are no customers, only units: see `NormalDays`. Each is a line of its own.

    Parameters
    ----------
    open_s
        Opening windows, (from, to) in seconds since the start.
    daily_demand
        Expected units a normal day, float64 (stores, skus): says how the lines are shared out.

    Attributes
    ----------
    ends_s
        When each step ends, seconds since the start, float64 (steps,).
    """

    def __init__(
        self,
        scenario: Scenario,
        streams: Streams,
        open_s: Sequence[tuple[float, float]],
        daily_demand: NDArray[np.float64],
    ) -> None:
        self._scenario, self._streams = scenario, streams
        self._weights = daily_demand.ravel()
        rate = rate_per_bin(scenario)
        begins = np.arange(len(rate)) * BIN_S
        inside = np.zeros(len(rate))
        for from_s, to_s in open_s:
            inside += np.clip(np.minimum(begins + BIN_S, to_s) - np.maximum(begins, from_s), 0.0, BIN_S) / BIN_S
        lines = rate * np.minimum(inside, 1.0) * scenario.demand.basket.lines_mean
        self._minutes = minutes = scenario.demand.step_minutes
        firsts = np.arange(0, len(rate), minutes)
        self._mean = np.add.reduceat(lines, firsts)
        self.ends_s = np.minimum((firsts + minutes) * BIN_S, scenario.horizon_s)
        total = np.cumsum(self._mean)
        self._even = np.diff(np.floor(total + 0.5), prepend=0.0).astype(int)
        self._days: NormalDays | None = None
        if scenario.demand.distribution == "normal":
            day = ((begins - scenario.midnight_s) // DAY_S).astype(np.int64)
            units = lines * scenario.demand.basket.units_mean
            self._days = NormalDays(streams, daily_demand.ravel(), scenario.demand.daily_cv, day, units)

    def of(self, step: int) -> Wanted:
        """What is asked for in a step."""
        generator = self._streams.generator(f"wants.{step}")
        if self._days is not None:
            return self._normal(self._days.between(step * self._minutes, (step + 1) * self._minutes), generator)
        even = self._scenario.demand.arrivals == "even"
        count = int(self._even[step] if even else generator.poisson(self._mean[step]))
        place = pick(generator.random(count), self._weights)
        units = generator.geometric(1.0 / self._scenario.demand.basket.units_mean, count).astype(np.int64)
        slips = generator.random(count) < self._scenario.pickers.mispick_share
        share = self._scenario.pickers.breakage_share
        broken = place[generator.random(count) < share] if share else place[:0]
        seen = generator.random(len(broken)) < self._scenario.shrinkage.scanned_share
        return Wanted(place, units, slips, broken, seen)

    def _normal(self, units: NDArray[np.int64], generator: np.random.Generator) -> Wanted:
        """At each place one line of the units that are taken rightly, and one of those that slip."""
        pickers, places = self._scenario.pickers, np.arange(len(units))
        wrong = generator.binomial(units, pickers.mispick_share)
        both = np.concatenate([units - wrong, wrong])
        place, slips = np.tile(places, 2), np.repeat([False, True], len(units))
        broken = np.repeat(places, generator.binomial(units, pickers.breakage_share))
        seen = generator.random(len(broken)) < self._scenario.shrinkage.scanned_share
        some = both > 0
        return Wanted(place[some], both[some], slips[some], broken, seen)


class NormalDays:
    """Demand of which each SKU's units a day are normal, to the nearest whole unit, none below zero.

    It is meant for SKUs that sell many units a day: of one that sells a third of a unit, nobody would ever want any.

    The hours of a day share its units out by the profile: a busy day is busy in all of them, and how long the steps are does not
    matter. Each day has its own keyed stream.

    Parameters
    ----------
    weights
        How the units are shared out among the places, float64 (places,).
    cv
        Coefficient of variation of a place's units a day.
    day
        Day of each minute, ascending, int (minutes,).
    units
        Units expected in each minute, over all places, float64 (minutes,).
    """

    def __init__(
        self,
        streams: Streams,
        weights: NDArray[np.float64],
        cv: float,
        day: NDArray[np.int64],
        units: NDArray[np.float64],
    ) -> None:
        self._streams, self._weights, self._cv = streams, weights / weights.sum(), cv
        self._day, self._before = day, np.concatenate([[0.0], np.cumsum(units)])
        self._drawn: tuple[int, NDArray[np.float64]] = (-1, weights)

    def between(self, first: int, end: int) -> NDArray[np.int64]:
        """Units wanted at each place from one minute on and before another, int64 (places,)."""
        end = min(end, len(self._day))
        units = np.zeros(len(self._weights))
        for day in range(self._day[first], self._day[end - 1] + 1):
            begins, ends = np.searchsorted(self._day, (day, day + 1))
            whole = self._before[ends] - self._before[begins]
            if whole > 0:
                reached = (self._before[[max(first, begins), min(end, ends)]] - self._before[begins]) / whole
                drawn = self._of(day, whole)
                units += np.rint(drawn * reached[1]) - np.rint(drawn * reached[0])
        return units.astype(np.int64)

    def _of(self, day: int, whole: float) -> NDArray[np.float64]:
        """Units wanted at each place on a day, of which so many are expected over all places."""
        if self._drawn[0] != day:
            chance = self._streams.generator(f"wants.day.{day}").standard_normal(len(self._weights))
            self._drawn = day, np.maximum(np.rint(self._weights * whole * (1.0 + self._cv * chance)), 0.0)
        return self._drawn[1]
