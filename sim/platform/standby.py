"""Drivers on call: the platform counts what waits now and then, and calls somebody in when it is too much.

It does not know who will come, nor when: whoever was called shows up as a driver on shift, or does not.
"""

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.platform.bus import Bus
from sim.platform.offers import Offers
from sim.platform.tracking import Tracking
from sim.ports import Figures, Summons
from sim.scenario.drivers import OnCall
from sim.story import Story
from sim.vocabulary import DriverId, Topic, quantise


class Standby:
    """Calls drivers in, one a round, in order of their ids; each at most once in a stretch on call."""

    def __init__(
        self, env: Clock, facts: Facts, bus: Bus, offers: Offers, tracking: Tracking, figures: Figures, terms: OnCall
    ) -> None:
        self._env, self._facts, self._bus = env, facts, bus
        self._offers, self._tracking, self._terms = offers, tracking, terms
        self._every_s, self._calls = quantise(terms.every_s), 0
        # Of those at home: who, and until when they may be called again no more, as the last stretch was used up.
        self._stretches = [
            (DriverId(driver), on_s, off_s)
            for driver, called in enumerate(figures.on_call) if called
            for on_s, off_s in figures.driver_shifts[driver]
        ]  # fmt: skip

    def rounds(self) -> Story:
        """Look every so often whether more waits than those on shift can be expected to see to."""
        while self._stretches:
            yield Timer(self._env, self._every_s)
            now = self._env.now
            self._stretches = [stretch for stretch in self._stretches if stretch[2] > now]
            if len(self._offers.waiting) <= self._terms.waiting_per_driver * self._tracking.on_shift:
                continue
            found = next((stretch for stretch in self._stretches if stretch[1] <= now), None)
            if found is not None:
                self._stretches.remove(found)
                self._facts.driver_called(driver=found[0])
                self._bus.publish(Topic.CALL_IN, found[0], Summons(found[0], self._calls))
                self._calls += 1
