"""Rides as they are: how long a driver is on the road, and where he is in between.

A ride is one event however many streets it has; where a driver is on the way is worked out when somebody asks.
"""

from sim.clock import Clock
from sim.facts import Facts
from sim.operations.drivers import Driver, Leg
from sim.operations.phones import Phones
from sim.vocabulary import NOBODY, TICK_S, TICKS_PER_MS, NodeId, OrderId, StoreId, Trip
from sim.world.travel import Travel

_ONWARD, _NO_STORE = Trip.ONWARD, StoreId(NOBODY)


class Riding:
    """The true roads of a run: rides take what the roads take at that hour, times the ride's own noise."""

    def __init__(self, env: Clock, facts: Facts, travel: Travel, phones: Phones) -> None:
        self._env, self._facts, self._travel, self._phones = env, facts, travel, phones

    def position(self, driver: Driver, t_s: float) -> tuple[NodeId, float]:
        """The next road node a driver on a leg reaches at or after a time, and when."""
        leg = driver.leg
        if leg is None:
            return driver.node, t_s
        return leg.at(t_s, driver.profile, self._travel)

    def stops(self, driver: Driver, node: NodeId) -> None:
        """A driver stops on the way, at a node."""
        driver.leg, driver.node = None, node
        self._phones.stands(driver)

    def ride(
        self,
        driver: Driver,
        order: OrderId,
        trip: Trip,
        node: NodeId,
        store: StoreId,
        *,
        towards: bool,
        noise: float,
        wait_s: float = 0.0,
    ) -> Leg:
        """Set out between a store and a node (towards the store, or away from it)."""
        now, travel = self._env.now, self._travel
        period = travel.period_at(now)
        table = travel.to_store if towards else travel.from_store
        ride_s = int(table[period][driver.profile][store][node] * TICKS_PER_MS * noise) * TICK_S + wait_s
        at_store = travel.store_nodes[store]
        origin, target = (node, at_store) if towards else (at_store, node)
        leg = driver.leg = Leg(origin, target, now + wait_s, now + ride_s, store, towards, period, noise, now)
        self._facts.leg_started(
            driver=driver.id, order=order, trip=trip, origin=origin, node=target, arrive_s=leg.arrive_s
        )
        self._phones.rides(driver, leg)
        return leg

    def ride_on(self, driver: Driver, order: OrderId, target: NodeId, noise: float) -> Leg:
        """Set out from one customer to the next."""
        now, travel, node = self._env.now, self._travel, driver.node
        period = travel.period_at(now)
        ride_s = int(travel.onward_ms(node, target, driver.profile, period) * TICKS_PER_MS * noise) * TICK_S
        leg = driver.leg = Leg(node, target, now, now + ride_s, _NO_STORE, False, period, noise, now)
        self._facts.leg_started(
            driver=driver.id, order=order, trip=_ONWARD, origin=node, node=target, arrive_s=leg.arrive_s
        )
        self._phones.rides(driver, leg)
        return leg
