"""Drivers who do not get on: what is made of a ride that is not over when it should be.

When a driver accepts an order, and when he leaves with it, the platform reckons by its own times when he should be at the store
or the door. Whoever is not done `slip_s` later is looked at by the next round of monitoring, and nobody else is: a ride in time
costs an entry in a list. The look asks for the last known position, and for the one that was known `stall_s` before. A driver
of whom nothing has been heard for so long is silent, one who was at the same place already has stopped, and one who moves is late
(a detour, a jam, an address that is hard to find) and looked at again. At the store a driver may wait.

What comes of it is a fact and an alert, the customer is told that the order will be later, and an order that the driver has not
taken away yet may be given to somebody else (`on_stall: reassign`). Whoever lost an order so learns of it at the store.
"""

from collections.abc import Callable
from math import ceil, inf

from sim.clock import Clock
from sim.contracts import Sighting
from sim.facts import Facts
from sim.platform.monitoring import BEAT_S
from sim.platform.orders import Order
from sim.platform.tracking import Tracking
from sim.ports import Estimator, Figures
from sim.scenario.signals import TrackingSpec
from sim.vocabulary import DriverId, NodeId, Stall

_SILENT, _STOPPED, _LATE = Stall.SILENT, Stall.STOPPED, Stall.LATE
_Ride = tuple[Order, DriverId, float, bool]
"""Order, driver, when he should be there, and whether at the door."""


class Watch:
    """Rides under way, by when they are overdue.

    Parameters
    ----------
    take_back
        Takes an order from its driver, and offers it to others.

    Attributes
    ----------
    stuck
        Rides of drivers who were seen to be silent or stopped, and have not ended.
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        figures: Figures,
        estimator: Estimator,
        tracking: Tracking,
        spec: TrackingSpec,
        take_back: Callable[[Order], None],
    ) -> None:
        self._env, self._facts, self._estimator, self._tracking = env, facts, estimator, tracking
        self._stores, self._profiles, self._stops = figures.store_nodes, figures.driver_profiles, figures.stops
        self._stall_s, self._slip_s = spec.stall_s, spec.slip_s
        self._take_back = take_back if spec.on_stall == "reassign" else None
        self._due: dict[int, list[_Ride]] = {}
        self.stuck: list[_Ride] = []

    # -- rides begin -------------------------------------------------------------------------------------------------

    def accepted(self, order: Order) -> None:
        """A driver sets out to the store."""
        now = self._env.now
        ride_s = self._tracking.one_ride_s(order.driver, order.store, now)
        self._await((order, order.driver, now + ride_s + self._stops.arrive_s, False), now)

    def left(self, order: Order) -> None:
        """A driver leaves the store with an order."""
        now, stops, before = self._env.now, self._stops, order.before
        if before is None or before.left_s > now:
            order.due_s = now + self._estimator.to_customer_s(
                order.store, order.node, now, self._profiles[order.driver]
            )
        else:
            order.due_s = before.due_s + stops.leave_s + self._estimator.onward_s(before.node, order.node, now)
        order.due_s += stops.arrive_s + stops.door_s
        self._await((order, order.driver, order.due_s, True), now)

    def _await(self, ride: _Ride, now: float) -> None:
        # A due time that has passed is looked at in the next round.
        due_s = ride[2] + self._slip_s
        beat = ceil(due_s / BEAT_S) if due_s > now else int(now / BEAT_S) + 1
        known = self._due.get(beat)
        if known is None:
            self._due[beat] = [ride]
        else:
            known.append(ride)

    # -- rounds of monitoring ------------------------------------------------------------------------------------------

    def look(self, now: float) -> float:
        """Look at the rides that have become overdue; returns the share of the drivers on shift who are stuck."""
        for ride in self._due.pop(round(now / BEAT_S), ()):
            # As a rule it is over; that is seen without a call.
            if (ride[0].done_s if ride[3] else ride[0].left_s) == inf and _under_way(ride):
                self._notice(ride, now)
        if self.stuck:
            self.stuck = [ride for ride in self.stuck if _under_way(ride)]
        return len(self.stuck) / max(self._tracking.on_shift, 1)

    def _notice(self, ride: _Ride, now: float) -> None:
        order, driver, due_s, out = ride
        stall = self._stall(driver, None if out else self._stores[order.store], now)
        if stall is None:
            return
        self._facts.driver_stalled(order=order.id, driver=driver, stall=stall, late_s=now - due_s)
        if stall is _LATE:
            self._await((order, driver, now, out), now)
            return
        self.stuck.append(ride)
        if self._take_back is not None and not out:
            self._take_back(order)

    def _stall(self, driver: DriverId, store: NodeId | None, now: float) -> Stall | None:
        """What keeps a driver, by the positions known; None: he is at the store that he was to ride to."""
        seen: Sighting = self._tracking.seen(driver)
        if seen.age_s > self._stall_s:
            return _SILENT
        if seen.node == store:
            return None
        return _STOPPED if self._tracking.seen_at(driver, now - self._stall_s).node == seen.node else _LATE


def _under_way(ride: _Ride) -> bool:
    """Whether a ride is still to be waited for: the order is neither done, nor off, nor somebody else's."""
    order, driver, _, out = ride
    if order.failing is not None or order.driver != driver or not order.accepted:
        return False
    return (order.done_s if out else order.left_s) == inf
