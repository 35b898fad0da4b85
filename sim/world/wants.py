"""What customers ask for in a goods-only run: no orders, only units of SKUs, step by step.

Each step has its own keyed stream, so two policies under one seed face the same customers, and months need no memory.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario
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
        minutes = scenario.demand.step_minutes
        firsts = np.arange(0, len(rate), minutes)
        self._mean = np.add.reduceat(lines, firsts)
        self.ends_s = np.minimum((firsts + minutes) * BIN_S, scenario.horizon_s)
        total = np.cumsum(self._mean)
        self._even = np.diff(np.floor(total + 0.5), prepend=0.0).astype(int)

    def of(self, step: int) -> Wanted:
        """What is asked for in a step."""
        generator = self._streams.generator(f"wants.{step}")
        even = self._scenario.demand.arrivals == "even"
        count = int(self._even[step] if even else generator.poisson(self._mean[step]))
        place = pick(generator.random(count), self._weights)
        units = generator.geometric(1.0 / self._scenario.demand.basket.units_mean, count).astype(np.int64)
        slips = generator.random(count) < self._scenario.pickers.mispick_share
        share = self._scenario.pickers.breakage_share
        broken = place[generator.random(count) < share] if share else place[:0]
        seen = generator.random(len(broken)) < self._scenario.shrinkage.scanned_share
        return Wanted(place, units, slips, broken, seen)
