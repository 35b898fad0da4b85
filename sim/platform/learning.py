"""Travel times that the platform has learned: its estimator, corrected by what rides took.

What is told of a ride is its start (the driver left the store), its end (the customer has the goods) and what was believed of
it when it began. Of a tour the first ride counts: what follows is no longer from a store.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.clock import Clock, Timer
from sim.contracts import Eta, Trips
from sim.ports import Estimator, Figures
from sim.scenario.fields import DAY_S
from sim.story import Story
from sim.vocabulary import DriverId, NodeId, OrderId, StoreId, quantise

_HOUR_S = 3600.0


class _Ride(NamedTuple):
    order: OrderId
    left_s: float
    believed_s: float


class LearningEstimator:
    """An estimator (`sim.ports.Estimator`) on top of another one, with factors by vehicle and hour."""

    def __init__(self, env: Clock, base: Estimator, policy: Eta, figures: Figures, midnight_s: float) -> None:
        self._env, self._base, self._policy, self._midnight_s = env, base, policy, midnight_s
        self._profiles, self._stops = figures.driver_profiles, figures.stops
        self._vehicles = max(figures.driver_profiles, default=0) + 1
        self._nodes = base.place(NodeId(0), 1) - base.place(NodeId(0), 0)
        self.common = base.common
        self._factors = np.ones((self._vehicles, 24))
        self._by_hour: list[list[float]] = self._factors.T.tolist()
        self._every_s = quantise(policy.every_s)
        self._learns_s = self._every_s
        self._riding: dict[DriverId, _Ride] = {}
        self._seen: list[tuple[int, int, float, float]] = []

    # -- what is seen --------------------------------------------------------------------------------------------------

    def leaves(self, driver: DriverId, order: OrderId, store: StoreId, node: NodeId) -> None:
        """A driver leaves a store with an order; of several, the first is the one that is ridden to first."""
        now, known = self._env.now, self._riding.get(driver)
        if known is not None:
            self._riding[driver] = known._replace(left_s=now)
        else:
            believed_s = self._base.to_customer_s(store, node, now, self._profiles[driver])
            self._riding[driver] = _Ride(order, now, believed_s)

    def arrives(self, driver: DriverId, order: OrderId) -> None:
        """A driver has handed an order over: his ride from the store is over."""
        ride = self._riding.pop(driver, None)
        if ride is None or ride.order != order:
            return
        stops = self._stops
        rode_s = self._env.now - ride.left_s - stops.leave_s - stops.arrive_s - stops.door_s
        self._seen.append((self._profiles[driver], self._hour(ride.left_s), ride.believed_s, max(rode_s, 0.0)))

    def gives_up(self, driver: DriverId) -> None:
        """A driver could not hand an order over: how long he waited or stood says nothing of the roads."""
        self._riding.pop(driver, None)

    def lessons(self) -> Story:
        """Learn anew, every so often."""
        while True:
            yield Timer(self._env, self._every_s)
            self._learns_s = self._env.now + self._every_s
            if self._seen:
                vehicle, hour, believed_s, rode_s = (np.array(column) for column in zip(*self._seen, strict=True))
                self._factors = np.asarray(self._policy(Trips(vehicle, hour, believed_s, rode_s, self._vehicles)))
                self._by_hour = self._factors.T.tolist()

    def _hour(self, t_s: float) -> int:
        return int((t_s - self._midnight_s) % DAY_S // _HOUR_S)

    # -- sim.ports.Estimator -------------------------------------------------------------------------------------------

    def place(self, node: NodeId, profile: int) -> int:
        """One number for a node and a vehicle profile."""
        return self._base.place(node, profile)

    def until_s(self, now_s: float) -> float:
        """Until the base changes its mind, the next hour begins, or there is a lesson."""
        hour_s = now_s - (now_s - self._midnight_s) % _HOUR_S + _HOUR_S
        return min(self._base.until_s(now_s), hour_s, max(self._learns_s, now_s))

    def places_to_store_s(self, places: NDArray[Any], store: StoreId, now_s: float) -> Any:
        """From each of many places to a store, seconds."""
        factors = self._factors[:, self._hour(now_s)]
        return self._base.places_to_store_s(places, store, now_s) * factors.take(places // self._nodes)

    def place_to_store_s(self, place: int, store: StoreId, now_s: float) -> float:
        """From one of them, seconds."""
        factor = self._by_hour[self._hour(now_s)][place // self._nodes]
        return self._base.place_to_store_s(place, store, now_s) * factor

    def to_customer_s(self, store: StoreId, node: NodeId, now_s: float, profile: int | None = None) -> float:
        """From a store to a customer, seconds."""
        factor = self._by_hour[self._hour(now_s)][self.common if profile is None else profile]
        return self._base.to_customer_s(store, node, now_s, profile) * factor

    def to_store_s(self, node: NodeId, profile: int, store: StoreId, now_s: float) -> float:
        """From a node to a store, seconds."""
        return self._base.to_store_s(node, profile, store, now_s) * self._by_hour[self._hour(now_s)][profile]

    def onward_s(self, node: NodeId, target: NodeId, now_s: float) -> float:
        """From one customer to another, seconds."""
        return self._base.onward_s(node, target, now_s) * self._by_hour[self._hour(now_s)][self.common]
