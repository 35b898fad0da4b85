"""When an order will be at the door: what its customer is shown, reckoned anew from the driver's last known position.

A time of arrival is a function of what the platform knows at a moment: the newest position that has arrived and its age, what
the app has told (accepted, picked up, handed over), when the order should be packed, and the platform's own travel times. A
policy (`sim.contracts.Locating`) says how much of a ride is left, given how much was left at that position. On the way out a
position counts by how far along the planned route it is: the ride's time less that from the store to the position.

Nothing is done for each position. A customer's app shows at each moment what was known `push_s` before; when an order has come,
what it showed 15, 10, 5 and 2 minutes before is worked out by looking back, for every n-th order, and held against the truth.
Before somebody has accepted an order its customer sees the promise, which is not judged here.
"""

from itertools import pairwise
from typing import Final

from sim.contracts import Locating, RideView, Sighting
from sim.facts import Facts
from sim.platform.orders import Order
from sim.platform.tracking import Tracking
from sim.ports import Estimator, Figures
from sim.streams import Die
from sim.vocabulary import DriverId, StoreId, quantise

HORIZONS_S: Final = (900.0, 600.0, 300.0, 120.0)
"""Before an order came, seconds."""

NTH, A_DAY = 16, 450.0
"""Of the orders of a day every 16th is judged, or about the second number where these are fewer (judgement: some 500 of the
default day)."""


def every_nth(orders_per_day: float) -> int:
    """The n of "every n-th order is judged", where the scenario does not say."""
    return max(NTH, round(orders_per_day / A_DAY))


class Arrivals:
    """Times of arrival of orders under way.

    Parameters
    ----------
    push_s
        Time until a customer is shown a new time of arrival: each order's own, within a third of this, seconds.
    luck
        Keyed draws by order.
    """

    def __init__(
        self,
        facts: Facts,
        figures: Figures,
        estimator: Estimator,
        tracking: Tracking,
        locating: Locating,
        *,
        push_s: float,
        luck: Die,
    ) -> None:
        self._facts, self._estimator, self._tracking, self._locating = facts, estimator, tracking, locating
        self._profiles, self._stops = figures.driver_profiles, figures.stops
        self._push_s, self._luck = push_s, luck

    def to_store_s(self, driver: DriverId, store: StoreId, now_s: float, since_s: float) -> float:
        """Believed seconds until a driver who set out at `since_s` is at a store."""
        seen = self._tracking.seen_at(driver, now_s)
        ride_s = self._estimator.to_store_s(seen.node, self._profiles[driver], store, now_s)
        return self._left_s(seen, now_s, since_s, ride_s)

    def due_s(self, order: Order, now_s: float) -> tuple[float, float]:
        """When an accepted order will be handed over, by what is known at a moment up to now; the position's age, seconds."""
        seen = self._tracking.seen_at(order.driver, now_s)
        tour = _still_aboard(order, now_s)
        if order.left_s <= now_s:
            at_s = self._on_the_way(tour[0], seen, now_s)
        else:
            at_s = self._over_the_store(tour, seen, now_s)
        stops = self._stops
        at_s += stops.arrive_s + stops.door_s
        for last, stop in pairwise(tour):
            ride_s = self._estimator.onward_s(last.node, stop.node, now_s)
            at_s += stops.leave_s + ride_s + stops.arrive_s + stops.door_s
        return max(at_s, now_s), seen.age_s

    def _left_s(self, seen: Sighting, now_s: float, since_s: float, ride_s: float) -> float:
        return self._locating(RideView(now_s, min(seen.age_s, now_s - since_s), ride_s))

    def _on_the_way(self, stop: Order, seen: Sighting, now_s: float) -> float:
        """When a driver is at the address of the next stop."""
        before, profile = stop.before, self._profiles[stop.driver]
        onward = before is not None and before.driver == stop.driver and before.done_s <= now_s
        since_s = before.done_s if before is not None and onward else stop.left_s
        # What was sent before this ride began says nothing of it.
        told = seen.age_s < now_s - since_s
        if before is not None and onward:
            whole_s = ride_s = self._estimator.onward_s(before.node, stop.node, now_s)
            if told:
                ride_s = self._estimator.onward_s(seen.node, stop.node, now_s)
        else:
            whole_s = ride_s = self._estimator.to_customer_s(stop.store, stop.node, now_s, profile)
            if told:
                ride_s -= self._estimator.to_customer_s(stop.store, seen.node, now_s, profile)
        left_s = self._left_s(seen, now_s, since_s, max(ride_s, 0.0))
        # Whoever is there already has been so since the ride should have been over, or has just come.
        return now_s + left_s if left_s > 0.0 else min(now_s, since_s + whole_s)

    def _over_the_store(self, tour: list[Order], seen: Sighting, now_s: float) -> float:
        """When a driver who has not left the store yet is at the address of the first stop."""
        first, stops = tour[0], self._stops
        profile = self._profiles[first.driver]
        ride_s = self._estimator.to_store_s(seen.node, profile, first.store, now_s)
        there_s = now_s + self._left_s(seen, now_s, first.accepted_s, ride_s) + stops.arrive_s
        # Once it is packed that is known; until then, what was believed when it was begun.
        ready_s = max(stop.ready_s if stop.ready_s <= now_s else stop.expected_s for stop in tour)
        left_s = max(there_s, ready_s) + stops.handoff_s * len(tour) + stops.leave_s
        return left_s + self._estimator.to_customer_s(first.store, first.node, now_s, profile)

    # -- held against the truth --------------------------------------------------------------------------------------

    def came(self, order: Order) -> None:
        """An order that is to be judged was handed over."""
        push_s = quantise(self._push_s * (2.0 + 2.0 * self._luck.uniform(order.id)) / 3.0)
        for horizon_s in HORIZONS_S:
            known_s = order.done_s - horizon_s - push_s
            if known_s >= order.accepted_s:
                due_s, age_s = self.due_s(order, known_s)
                self._facts.eta_judged(order=order.id, horizon_s=horizon_s, error_s=due_s - order.done_s, age_s=age_s)


def _still_aboard(order: Order, now_s: float) -> list[Order]:
    """The stops of a tour up to an order's that were not made at a moment, in turn; without what was called off."""
    tour, before = [order], order.before
    while before is not None and not before.done_s <= now_s:
        if before.driver == order.driver and before.failing is None:
            tour.append(before)
        before = before.before
    tour.reverse()
    return tour
