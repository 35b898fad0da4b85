"""What befalls the positions that drivers' phones send: when each is sent, whether it arrives, and how late.

A ping is no event. The k-th ping of a driver is sent at the driver's phase + k x the period, whenever the driver is at work
then; whether it is lost at random, and how late it arrives, is a keyed hash of (driver, k). So nothing is drawn until somebody
looks, and whoever looks, the platform on the way or a study after the run, finds the same ping in the same state.
"""

from dataclasses import dataclass
from math import floor, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.scenario import Scenario
from sim.streams import Die, Streams, quantised
from sim.vocabulary import quantise

_SPOOFED = -1  # beside the numbers of pings, which count from zero


@dataclass(frozen=True, slots=True)
class Pings:
    """The pings of all drivers.

    Attributes
    ----------
    every_s
        Period, seconds.
    loss_share
        Share that is lost although there is a signal.
    delay_s
        Mean time from sending to arriving (exponential), seconds.
    spoofed_share
        Share of drivers whose phones always claim to be at the home store.
    """

    every_s: float
    loss_share: float
    delay_s: float
    spoofed_share: float
    phases: Die
    fates: Die

    @classmethod
    def of(cls, scenario: Scenario, streams: Streams) -> "Pings":
        """Those of a run: in the minimal profile every ping arrives at once."""
        platform = scenario.platform
        spec, quiet = platform.tracking, platform.profile == "minimal"
        return cls(
            quantise(platform.ping_s),
            0.0 if quiet else spec.loss_share,
            0.0 if quiet else spec.delay_s,
            0.0 if quiet else spec.spoofed_share,
            streams.die("pings.phase"),
            streams.die("pings.fate"),
        )

    def phase_s(self, driver: int) -> float:
        """When a driver's ping 0 is due, seconds: before the period is over."""
        return quantise(self.phases.uniform(driver) * self.every_s) % self.every_s

    def is_spoofed(self, driver: int) -> bool:
        """Whether a driver's phone lies about where it is."""
        return self.spoofed_share > 0.0 and self.phases.uniform(driver, _SPOOFED) < self.spoofed_share

    def number(self, phase_s: float, at_s: float) -> int:
        """The last ping of a phase that is due at or before a time; below zero: none."""
        return floor((at_s - phase_s) / self.every_s)

    def delayed_s(self, driver: int, number: int) -> float | None:
        """Seconds from sending a ping to its arrival; None: it is lost at random."""
        luck, haste = self.fates.pair(number, driver)
        if luck < self.loss_share:
            return None
        return quantise(-self.delay_s * log(1.0 - haste)) if self.delay_s else 0.0

    def between(self, driver: int, begin_s: float, end_s: float) -> NDArray[np.int64]:
        """Numbers of the pings sent from a time until before another, int64 (n,)."""
        phase_s = self.phase_s(driver)
        first = max(-self.number(-phase_s, -begin_s), 0)
        return np.arange(first, max(-self.number(-phase_s, -end_s), first), dtype=np.int64)

    def fates_of(self, driver: int, numbers: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """`delayed_s` of many pings at once: which are lost at random, bool (n,), and the delays, float64 (n,)."""
        luck, haste = self.fates.pairs(numbers, driver)
        delays: Any = quantised(-self.delay_s * np.log(1.0 - haste)) if self.delay_s else np.zeros(len(numbers))
        return luck < self.loss_share, delays
