"""Drivers who do not get on: what is made of a ride that is not over when it should be.

By its own times the platform reckons when a driver who has accepted an order, or left with one, should be at the store or the
door. Whoever is not done `slip_s` later is looked at by the next round of monitoring. Nearly every ride is over `slip_s` after it
began, and costs an entry in a queue; of the others alone it is worked out when they should have been over. The look asks for the
last known position, and for the one that was known `stall_s` before. A driver of whom nothing has been heard for so long is
silent, one who was at the same place already has stopped, one who is no nearer than then is astray, and any other is late (a
jam, an address that is hard to find), which is said once, and looked at again. At the store a driver may stand, and at the door
for `stall_s`.

What comes of it is a fact and an alert, the customer is told that the order will be later, and an order that the driver has not
taken away yet may be given to somebody else (`on_stall: reassign`). Whoever lost an order so learns of it at the store.
"""

from collections import deque
from collections.abc import Callable, Mapping
from math import ceil, inf

from sim.clock import Clock
from sim.contracts import Sighting
from sim.facts import Facts
from sim.platform.monitoring import BEAT_S
from sim.platform.orders import Order
from sim.platform.tracking import Tracking
from sim.ports import Estimator, Figures
from sim.scenario.signals import TrackingSpec
from sim.vocabulary import DriverId, NodeId, OrderId, Stall

_SILENT, _STOPPED, _LATE, _ASTRAY = Stall.SILENT, Stall.STOPPED, Stall.LATE, Stall.ASTRAY
_Begun = tuple[OrderId, DriverId, float, bool]
"""The first four of a ride."""
_Ride = tuple[OrderId, DriverId, float, bool, float, int]
"""Order, driver, when the ride began, whether to the door; when he should be there; what was seen.

An order by its number: whoever held on to it itself would have it live on when it is over, until nothing of it is in the
processor's caches any more.
"""

_TOLD, _AT_DOOR = 1, 2
"""Of a ride: that its driver was late, and that he stood at the door."""


class Watch:
    """Rides under way, by when they are overdue.

    Parameters
    ----------
    orders
        Those that have not ended.
    take_back
        Takes an order from its driver, and offers it to others.

    Attributes
    ----------
    stuck
        Rides of drivers who were seen to be silent, stopped or astray, and have not ended.
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        orders: Mapping[OrderId, Order],
        figures: Figures,
        estimator: Estimator,
        tracking: Tracking,
        spec: TrackingSpec,
        take_back: Callable[[Order], None],
    ) -> None:
        self._env, self._facts, self._estimator, self._tracking = env, facts, estimator, tracking
        self._orders = orders
        self._stores, self._profiles, self._stops = figures.store_nodes, figures.driver_profiles, figures.stops
        self._stall_s, self._slip_s = spec.stall_s, spec.slip_s
        self._take_back = take_back if spec.on_stall == "reassign" else None
        self._begun: list[_Begun] = []  # since the last look
        self._waiting: deque[tuple[float, list[_Begun]]] = (
            deque()
        )  # what had begun by a look, and not by the one before
        self._due: dict[int, list[_Ride]] = {}  # rides that are to be looked at again, by the number of the round
        self.stuck: list[_Ride] = []

    # -- rides begin -------------------------------------------------------------------------------------------------

    def accepted(self, order: Order) -> None:
        """A driver sets out to the store."""
        self._begun.append((order.id, order.driver, self._env.now, False))

    def left(self, order: Order) -> None:
        """A driver leaves the store with an order."""
        self._begun.append((order.id, order.driver, self._env.now, True))

    def _look_at(self, at_s: float, ride: _Ride) -> None:
        """Look at a ride in the first round from a time on."""
        beat = ceil(at_s / BEAT_S)
        known = self._due.get(beat)
        if known is None:
            self._due[beat] = [ride]
        else:
            known.append(ride)

    def _due_s(self, order: Order, driver: DriverId, begun_s: float, out: bool) -> float:
        """When a ride should be over, by what was believed as it began."""
        if not out:
            ride_s = self._tracking.one_ride_s(driver, order.store, begun_s)
            return begun_s + ride_s + self._stops.arrive_s
        return self._at_door_s(order)

    def _at_door_s(self, order: Order) -> float:
        stops, before = self._stops, order.before
        if before is None or before.left_s > order.left_s:
            at_s = order.left_s + self._estimator.to_customer_s(
                order.store, order.node, order.left_s, self._profiles[order.driver]
            )
        else:
            onward_s = self._estimator.onward_s(before.node, order.node, order.left_s)
            at_s = self._at_door_s(before) + stops.leave_s + onward_s
        return at_s + stops.arrive_s + stops.door_s

    # -- rounds of monitoring ------------------------------------------------------------------------------------------

    def look(self, now: float) -> float:
        """Look at the rides that may be overdue; returns the share of the drivers on shift who are stuck."""
        waiting, until_s, orders = self._waiting, now - self._slip_s, self._orders
        waiting.append((now, self._begun))
        self._begun = []
        while waiting and waiting[0][0] <= until_s:
            for number, driver, begun_s, out in waiting.popleft()[1]:
                order = orders.get(number)  # as a rule it is over
                if order is not None and _under_way(order, driver, out):
                    due_s = self._due_s(order, driver, begun_s, out)
                    self._look_at(max(due_s + self._slip_s, now), (number, driver, begun_s, out, due_s, 0))
        for ride in self._due.pop(round(now / BEAT_S), ()):
            order = orders.get(ride[0])
            if order is not None and _under_way(order, ride[1], ride[3]):
                self._notice(order, ride, now)
        if self.stuck:
            self.stuck = [
                ride for ride in self.stuck
                if (order := orders.get(ride[0])) is not None and _under_way(order, ride[1], ride[3])
            ]  # fmt: skip
        return len(self.stuck) / max(self._tracking.on_shift, 1)

    def _notice(self, order: Order, ride: _Ride, now: float) -> None:
        _, driver, begun_s, out, due_s, seen = ride
        stall = self._stall(order, ride, order.node if out and not seen & _AT_DOOR else self._stores[order.store], now)
        if stall is None:
            if out:  # some take long at the door; who still stands there at the next look has stopped
                self._look_at(now + self._stall_s, (order.id, driver, begun_s, out, due_s, seen | _AT_DOOR))
            return
        if stall is not _LATE or not seen & _TOLD:  # who is late is told of once
            self._facts.driver_stalled(order=order.id, driver=driver, stall=stall, late_s=now - due_s)
        if stall is _LATE:
            self._look_at(now + max(self._slip_s, BEAT_S), (order.id, driver, begun_s, out, due_s, seen | _TOLD))
            return
        self.stuck.append(ride)
        if self._take_back is not None and not out:
            self._take_back(order)

    def _stall(self, order: Order, ride: _Ride, target: NodeId, now: float) -> Stall | None:
        """What keeps a driver, by the positions known; None: he is where he was to ride to, at the store or the door."""
        driver, begun_s = ride[1], ride[2]
        seen: Sighting = self._tracking.seen(driver)
        if seen.age_s > self._stall_s:
            return _SILENT
        if seen.node == target:
            return None
        before_s = now - self._stall_s
        before = self._tracking.seen_at(driver, before_s).node
        if before == seen.node:
            return _STOPPED
        astray = before_s >= begun_s and self._left_s(order, ride, seen.node, now) >= self._left_s(
            order, ride, before, now
        )
        return _ASTRAY if astray else _LATE

    def _left_s(self, order: Order, ride: _Ride, node: NodeId, now: float) -> float:
        """How far a node is from where a ride leads: a believed ride, seconds."""
        driver, out = ride[1], ride[3]
        if out:  # from the door: two nodes are held against each other, and one tree of rides tells of both
            return self._estimator.onward_s(order.node, node, now)
        return self._estimator.to_store_s(node, self._profiles[driver], order.store, now)


def _under_way(order: Order, driver: DriverId, out: bool) -> bool:
    """Whether a ride is still to be waited for: the order is neither done, nor off, nor somebody else's."""
    if order.failing is not None or order.driver != driver or not order.accepted:
        return False
    return (order.done_s if out else order.left_s) == inf
