"""Rides that do not go as planned: breakdowns, accidents, detours, wrong addresses, and the search for a place to park.

Used only where a scenario asks for any of it; then a ride is a short story of its own instead of one event.
"""

from collections.abc import Callable
from math import inf, log

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.operations.drivers import Driver, Leg
from sim.operations.riding import Riding
from sim.ports import OfferMessage
from sim.scenario import Scenario
from sim.story import Story
from sim.streams import Streams
from sim.vocabulary import Mishap, NodeId, OrderId, StoreId, Trip, quantise
from sim.world.streets import Streets as Drawn

_TO_STORE, _TO_CUSTOMER = Trip.TO_STORE, Trip.TO_CUSTOMER


class Streets:
    """The troubles of all drivers.

    Draws are keyed by the order and the leg: who rides for it meets the same. On the way to the store they are the driver's as
    well: who is sent after somebody who broke down need not break down too.
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        riding: Riding,
        drawn: Drawn,
        scenario: Scenario,
        names: list[str],
        streams: Streams,
    ) -> None:
        drivers = scenario.drivers
        self._env, self._facts, self._riding = env, facts, riding
        self._moved, self._detours = drawn.moved, drawn.detours
        parking_s = {str(name): mean_s for name, mean_s in drivers.parking_s.items()}
        self._park_s = [parking_s.get(name, 0.0) for name in names]
        self._ask_s = quantise(drivers.wrong_address_s)
        self._parks, self._luck = streams.die("drivers.parking"), streams.die("drivers.mishaps")
        terms = drivers.mishaps
        self._rates = (0.0, 0.0)  # a second of riding
        if terms is not None:
            self._rates = terms.breakdowns_per_1000h / 3.6e6, terms.accidents_per_1000h / 3.6e6
            self._mean_s = terms.repair_minutes * 60.0, terms.rescue_minutes * 60.0

    # -- legs ----------------------------------------------------------------------------------------------------------

    def to_store(self, driver: Driver, job: OfferMessage, noise: float) -> Story:
        """Sit out the ride to a store that has begun, and what goes wrong on it; True when it ended in an accident."""
        leg = driver.leg
        assert leg is not None
        return (yield from self._ride(driver, job.order, leg, -1 - driver.id, self._towards(driver, job, noise)))

    def to_customer(
        self, driver: Driver, order: OrderId, store: StoreId, node: NodeId, noise: float, *, first: bool
    ) -> Story:
        """Ride to a customer, from the store or from the customer before, and find the door.

        Returns the node where the customer is; None when there was an accident on the way.
        """
        riding = self._riding
        target = self._detours.get(order, node)
        leg: Leg
        if first:
            leg = riding.ride(driver, order, _TO_CUSTOMER, NodeId(target), store, towards=False, noise=noise)
        else:
            leg = riding.ride_on(driver, order, NodeId(target), noise)
        if (yield from self._ride(driver, order, leg, 1, self._onward(driver, order, NodeId(target), noise))):
            return None
        if target != node:
            leg = riding.ride_on(driver, order, node, noise)
            if (yield from self._ride(driver, order, leg, 2, self._onward(driver, order, node, noise))):
                return None
        park_s = self._park_s[driver.profile]
        if park_s:
            yield Timer(self._env, quantise(-park_s * log(1.0 - self._parks.uniform(order))))
        moved = self._moved.get(order)
        if moved is None:
            return node
        self._facts.address_wrong(driver=driver.id, order=order, node=node)
        if self._ask_s:
            yield Timer(self._env, self._ask_s)
        leg = riding.ride_on(driver, order, NodeId(moved), noise)
        if (yield from self._ride(driver, order, leg, 3, self._onward(driver, order, NodeId(moved), noise))):
            return None
        return NodeId(moved)

    def _towards(self, driver: Driver, job: OfferMessage, noise: float) -> Callable[[], Leg]:
        return lambda: self._riding.ride(
            driver, job.order, _TO_STORE, driver.node, job.store, towards=True, noise=noise
        )

    def _onward(self, driver: Driver, order: OrderId, node: NodeId, noise: float) -> Callable[[], Leg]:
        return lambda: self._riding.ride_on(driver, order, node, noise)

    # -- what goes wrong -----------------------------------------------------------------------------------------------

    def _ride(self, driver: Driver, order: OrderId, leg: Leg, number: int, again: Callable[[], Leg]) -> Story:
        """Sit out a leg; True when it ended in an accident, at the driver's node."""
        env = self._env
        mishap, after_s, lasts_s = self._mishap(order, number)
        stop_s = max(leg.depart_s, env.now) + after_s  # what was ridden before, nobody rode for this order
        if stop_s < leg.arrive_s:
            # The vehicle stops at the next junction; at the latest where the ride ends.
            node, at_s = self._riding.position(driver, stop_s)
            if at_s > env.now:
                yield Timer(env, at_s - env.now)
            self._facts.vehicle_stopped(
                driver=driver.id, order=order, node=node, mishap=mishap, until_s=env.now + lasts_s
            )
            self._riding.stops(driver, node)
            if mishap is Mishap.ACCIDENT and number < 0:
                return True  # without goods in hand: others will see to the order
            yield Timer(env, lasts_s)
            if mishap is Mishap.ACCIDENT:
                return True
            leg = again()
        if leg.arrive_s > env.now:
            yield Timer(env, leg.arrive_s - env.now)
        driver.leg, driver.node = None, leg.node
        return False

    def _mishap(self, order: OrderId, number: int) -> tuple[Mishap, float, float]:
        """What happens on a leg first, after how long a ride, and how long it holds the driver up, seconds."""
        breaks, crashes = self._rates
        rate = breaks + crashes
        if not rate:
            return Mishap.BREAKDOWN, inf, 0.0
        when, which = self._luck.pair(order, 2 * number)
        after_s = -log(1.0 - when) / rate
        mishap = Mishap.ACCIDENT if which * rate < crashes else Mishap.BREAKDOWN
        lasts_s = -self._mean_s[mishap] * log(1.0 - self._luck.uniform(order, 2 * number + 1))
        return mishap, after_s, quantise(lasts_s)
