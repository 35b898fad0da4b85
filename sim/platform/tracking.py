"""What the platform knows of its drivers: who is on shift and idle, and where they were last heard of.

Drivers' phones report when they are free, when they set out and when they stand at a store; between reports the
platform reckons with its own estimate of when a ride ends. Columns over drivers serve questions about the whole fleet.
"""

from bisect import bisect_left, insort
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import Sighting
from sim.platform.nearby import Nearby
from sim.ports import Estimator, Figures, Phones
from sim.streams import quick
from sim.vocabulary import DriverId, NodeId, StoreId

OVERDUE_S = 60.0
"""A driver who was sent to a store, and has not come so long after he should have, is told again (judgement), seconds."""


class Tracking:
    """Beliefs about the fleet.

    Attributes
    ----------
    place
        Where each driver is, or is heading to while free, with the vehicle: see `sim.ports.Estimator`; int64 (drivers,).
    free_s
        When the driver is believed to be there, float64 (drivers,).
    nearby
        Those idle now, by place.
    idle
        On shift, without work and without an open offer, bool (drivers,).
    on_duty
        On shift, a byte each.
    """

    def __init__(self, figures: Figures, estimator: Estimator, phones: Phones) -> None:
        count = len(figures.driver_profiles)
        self.place = np.zeros(count, dtype=np.int64)
        self.free_s = np.zeros(count)
        self.idle = np.zeros(count, dtype=bool)
        # The same columns, for reading and writing one driver's.
        self._place, self._free_s, self._idle = quick(self.place), quick(self.free_s), quick(self.idle)
        self.nearby = Nearby(estimator, figures.store_nodes, max(figures.driver_profiles, default=0) + 1)
        self.idle_count = 0
        self.on_shift = 0
        self.on_duty = self._on = bytearray(count)
        self._figures, self._estimator, self._phones = figures, estimator, phones
        self._standing: list[list[DriverId]] = [[] for _ in range(figures.stores)]
        self._stands_at = [-1] * count
        self._bound: list[StoreId | None] = [None] * count

    def on(self, driver: DriverId, node: NodeId, store: StoreId, now_s: float) -> None:
        """A driver began a shift, standing at a store."""
        self.resume(driver)
        self._place[driver] = self._estimator.place(node, self._figures.driver_profiles[driver])
        self._free_s[driver] = 0.0
        self._becomes_idle(driver, now_s)
        at_store = node == self._figures.store_nodes[store]
        self._bound[driver] = store if at_store else None
        if at_store:
            self.stands(driver, store)

    def resume(self, driver: DriverId) -> None:
        """A driver is on shift from now on, whatever he is doing."""
        self.on_shift += 1
        self._on[driver] = True

    def off(self, driver: DriverId) -> None:
        """A driver went home."""
        self.on_shift -= 1
        self._on[driver] = False
        self.busy(driver)
        self.leaves(driver)

    def _becomes_idle(self, driver: DriverId, now_s: float) -> None:
        if not self._idle[driver]:
            self._idle[driver] = True
            self.idle_count += 1
            self.nearby.add(driver, self._place[driver], self._free_s[driver], now_s)

    def is_idle(self, driver: DriverId) -> bool:
        """Whether there is such a driver, on shift, without work and without an open offer."""
        return 0 <= driver < len(self._idle) and self._idle[driver]

    def busy(self, driver: DriverId) -> None:
        """A driver was offered work, or left."""
        if self._idle[driver]:
            self._idle[driver] = False
            self.idle_count -= 1
            self.nearby.remove(driver, self._place[driver], self._free_s[driver])
            store = self._stands_at[driver]
            if store >= 0:
                standing = self._standing[store]
                del standing[bisect_left(standing, driver)]

    def leaves(self, driver: DriverId) -> None:
        """A driver took an order and is no longer to be had where he stands."""
        self._stands_at[driver] = -1

    def idle_again(self, driver: DriverId, now_s: float) -> None:
        """An offer came to nothing: the driver is where he was, or where he has arrived meanwhile."""
        if self._on[driver] and not self._idle[driver]:
            self._becomes_idle(driver, now_s)
            store = self._stands_at[driver]
            if store >= 0:
                insort(self._standing[store], driver)

    def free(self, driver: DriverId, node: NodeId, target: StoreId | None, now_s: float) -> None:
        """A driver finished at `node` and will ride to a store (None: stay)."""
        if not self._on[driver]:
            return
        profile = self._figures.driver_profiles[driver]
        free_s, self._bound[driver] = now_s, target
        if target is not None:
            free_s += self._estimator.to_store_s(node, profile, target, now_s)
            node = self._figures.store_nodes[target]
        self._place[driver], self._free_s[driver] = self._estimator.place(node, profile), free_s
        self._becomes_idle(driver, now_s)

    def bound_for(self, driver: DriverId) -> StoreId | None:
        """The store at which a driver without work stands, or to which he rides; None: he waits elsewhere."""
        return self._bound[driver]

    def overdue(self, driver: DriverId, now_s: float) -> bool:
        """Whether a driver who rides to a store without work should have been there `OVERDUE_S` ago, and has not said so."""
        return self._stands_at[driver] < 0 and now_s > self._free_s[driver] + OVERDUE_S

    def sent(self, driver: DriverId, store: StoreId, now_s: float) -> None:
        """A driver without work is told to ride to a store."""
        profile = self._figures.driver_profiles[driver]
        ride_s = self.one_ride_s(driver, store, now_s)
        if (
            self._free_s[driver] > now_s
        ):  # he turns on the way to where he was sent before: the last position knows better
            ride_s = min(ride_s, self._estimator.to_store_s(self.seen(driver).node, profile, store, now_s))
        free_s = now_s + ride_s
        self.busy(driver)
        self.leaves(driver)
        self._bound[driver] = store
        self._place[driver] = self._estimator.place(self._figures.store_nodes[store], profile)
        self._free_s[driver] = free_s
        self._becomes_idle(driver, now_s)

    def stands(self, driver: DriverId, store: StoreId) -> None:
        """A driver without work says that he stands at a store; it counts for nothing once he has been sent elsewhere."""
        if self._stands_at[driver] >= 0 or not self._on[driver] or self._bound[driver] != store:
            return
        self._stands_at[driver] = store
        free_s, self._free_s[driver] = self._free_s[driver], 0.0
        if self._idle[driver]:
            if free_s:
                self.nearby.arrived(driver, self._place[driver], free_s)
            insort(self._standing[store], driver)

    def idle_at(self, store: StoreId) -> list[DriverId]:
        """Idle drivers standing at a store, ascending; a live list, not to be kept."""
        return self._standing[store]

    def ride_s(self, drivers: NDArray[Any], store: StoreId, now_s: float) -> NDArray[Any]:
        """Believed seconds until each driver could be at the store: the rest of his ride, then the roads from its end."""
        rest: NDArray[Any] = self.free_s.take(drivers)
        rest -= now_s
        np.maximum(rest, 0.0, out=rest)
        rest += self._estimator.places_to_store_s(self.place.take(drivers), store, now_s)
        return rest

    def one_ride_s(self, driver: DriverId, store: StoreId, now_s: float) -> float:
        """`ride_s` of one driver."""
        if self._stands_at[driver] == store:
            return 0.0
        rest_s = self._free_s[driver] - now_s
        ride_s = self._estimator.place_to_store_s(self._place[driver], store, now_s)
        return ride_s + rest_s if rest_s > 0.0 else ride_s

    def serves(self, again: bool) -> None:
        """The service that takes positions is down from now on, or serves `again`."""
        self._phones.heard(again)

    def seen(self, driver: DriverId) -> Sighting:
        """The last ping that arrived."""
        return self._phones.ping(driver)

    def seen_at(self, driver: DriverId, at_s: float) -> Sighting:
        """The last ping that had arrived at a time, up to twenty minutes ago."""
        return self._phones.sighting(driver, at_s)
