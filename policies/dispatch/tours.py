"""Tours of one store's orders: in which order they are handed over, when each driver could pick them up, and who goes now."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from sim.contracts import DispatchView, Fleet, Offer, Stops, WaitingOrder
from sim.vocabulary import DriverId, OrderId, StoreId

HOPELESS_S: Final = 5400.0
"""After what time an order without a driver is reckoned to be picked up, seconds: the longest click-to-door of the MDRP."""

LEFT_OUT_S: Final = 3 * HOPELESS_S
"""What leaving an order without a driver counts: more than any delay, so that as many as can be are matched."""

KNOWN_MOST: Final = 20_000
"""Sequences that are remembered."""


@dataclass(frozen=True, slots=True)
class Tour:
    """Orders of one store in the order of their delivery, and what becomes of them after the pickup.

    `ready_s`: when the last of them is packed. `after_s`: sum over the orders of the time from pickup to handover; `last_s`:
    that time of the last one.
    """

    orders: tuple[WaitingOrder, ...]
    ready_s: float
    after_s: float
    last_s: float
    litres: float

    @property
    def store(self) -> StoreId:
        return self.orders[0].store


class Tours:
    """Tours, each in the best sequence; sequences that were worked out are remembered."""

    def __init__(self) -> None:
        self._known: dict[tuple[OrderId, ...], tuple[tuple[WaitingOrder, ...], float, float]] = {}

    def of(self, orders: tuple[WaitingOrder, ...], view: DispatchView) -> Tour:
        """The tour of some orders of one store with the least sum of times from pickup to handover."""
        key = tuple(sorted(order.id for order in orders))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _best_sequence(orders, view)
        sequence, after_s, last_s = known
        return Tour(sequence, max(o.ready_s for o in orders), after_s, last_s, sum(o.litres for o in orders))

    def least_s(self, orders: tuple[WaitingOrder, ...], view: DispatchView) -> float:
        """A sum of times from pickup to handover that no sequence is below: where the best one is known, its own.

        A ride by way of others is no shorter than the straight one, so the order that is handed over as the k-th comes no sooner
        than after that and k doors. It asks for no ride between customers.
        """
        known = self._known.get(tuple(sorted(order.id for order in orders)))
        if known is not None:
            return known[1]
        n, stops = len(orders), view.stops
        straight_s = sum(view.to_customer_s(order.store, order.node) for order in orders)
        doors = n * (n + 1) // 2
        begin_s = stops.handoff_s * n + stops.leave_s
        return n * begin_s + straight_s + doors * (stops.arrive_s + stops.door_s) + (doors - n) * stops.leave_s

    def tidy(self) -> None:
        """Forget everything where it is too much."""
        if len(self._known) > KNOWN_MOST:
            self._known.clear()


def _best_sequence(
    orders: tuple[WaitingOrder, ...], view: DispatchView
) -> tuple[tuple[WaitingOrder, ...], float, float]:
    """The sequence with the least sum of times from pickup to handover; that sum, and the last of them, seconds."""
    tries = [(_handovers_s(sequence, view, view.stops), sequence) for sequence in permutations(orders)]
    handovers_s, sequence = min(tries, key=lambda tried: sum(tried[0]))
    return sequence, sum(handovers_s), handovers_s[-1]


def _handovers_s(sequence: Sequence[WaitingOrder], view: DispatchView, stops: Stops) -> list[float]:
    first = sequence[0]
    at_s = stops.handoff_s * len(sequence) + stops.leave_s + view.to_customer_s(first.store, first.node)
    found = [at_s := at_s + stops.arrive_s + stops.door_s]
    for one, other in pairwise(sequence):
        at_s += stops.leave_s + view.onward_s(one.node, other.node) + stops.arrive_s + stops.door_s
        found.append(at_s)
    return found


class Board:
    """Tours against drivers: when each could be picked up by each.

    Attributes
    ----------
    ride_s
        Ride of each driver, from where he is free, to each tour's store, seconds, (tours, drivers).
    pickup_s
        When each driver could have each tour in hand, seconds since the start, (tours, drivers).
    possible
        Which drivers may be asked: those whose shift lasts, whose vehicle is large enough and who have declined none of a
        tour's orders, bool, (tours, drivers).
    ready_s, hopeless_s
        When each tour is packed, and by when it is reckoned to be picked up where nobody is found, (tours,).
    litres_most
        Load of the largest vehicle.
    """

    def __init__(self, view: DispatchView, fleet: Fleet, tours: list[Tour]) -> None:
        self._view, self.fleet, self.tours = view, fleet, tours
        self._rides: dict[int, NDArray[Any]] = {}
        self.ready_s = np.array([tour.ready_s for tour in tours])
        self.ride_s = np.array([self.rides_s(tour.store) for tour in tours])
        reached_s = fleet.free_s + self.ride_s + view.stops.arrive_s
        self.pickup_s = np.maximum(self.ready_s[:, None], reached_s)
        litres, self.litres_most = np.array([tour.litres for tour in tours]), float(fleet.litres.max(initial=0.0))
        self.possible = (self.pickup_s <= fleet.until_s) & (litres[:, None] <= fleet.litres)
        for row, tour in enumerate(tours):
            for order in tour.orders:
                if order.declined:
                    self.possible[row] &= ~np.isin(fleet.driver, list(order.declined))
        self.hopeless_s = np.maximum(self.ready_s, view.now_s + HOPELESS_S)

    def of_tours(self, values: Iterable[float]) -> NDArray[Any]:
        """A figure of each tour as a column beside the drivers, (tours, 1)."""
        return np.array(list(values), dtype=np.float64)[:, None]

    def sizes(self) -> NDArray[Any]:
        """Orders of each tour, (tours, 1)."""
        return self.of_tours(len(tour.orders) for tour in self.tours)

    def slower_s(self) -> NDArray[Any] | float:
        """By how much each driver's vehicle takes longer to a tour's first customer than most, seconds, (tours, drivers)."""
        vehicles, which = np.unique(self.fleet.vehicle, return_inverse=True)
        if len(vehicles) == 1:
            return 0.0
        view, firsts = self._view, [(tour.store, tour.orders[0].node) for tour in self.tours]
        usual_s = np.array([[view.to_customer_s(store, node)] for store, node in firsts])
        by_kind = [[view.to_customer_s(store, node, kind) for kind in vehicles.tolist()] for store, node in firsts]
        return np.asarray((np.array(by_kind) - usual_s)[:, which])

    def rides_s(self, store: StoreId) -> NDArray[Any]:
        """Ride of each driver to a store, from where he is free, seconds, (drivers,)."""
        known = self._rides.get(store)
        if known is None:
            known = self._rides[store] = self._view.from_places_s(self.fleet.place, store)
        return known

    def sent(self, pairs: Iterable[tuple[int, int]], every_s: float, early_s: float) -> Iterator[Offer]:
        """Offers for those pairs (tour, driver) in which the driver, who is free, would come too late if he left a step later.

        `every_s` is that step; `early_s`: so much earlier than just in time he sets out.
        """
        view, fleet = self._view, self.fleet
        for row, column in pairs:
            tour = self.tours[row]
            reached_s = view.now_s + self.ride_s[row, column] + view.stops.arrive_s
            if fleet.idle[column] and reached_s + every_s + early_s > tour.ready_s:
                first, *along = tour.orders
                yield Offer(first.id, DriverId(int(fleet.driver[column])), tuple(order.id for order in along))


def cheapest(cost: NDArray[Any], possible: NDArray[Any]) -> list[tuple[int, int]]:
    """Pairs (row, column) of least cost, by the Hungarian method; what is possible has to cost less than nothing."""
    dear = np.where(possible, cost, 0.0)
    if len(dear) == dear.shape[1]:
        # Every row and every column is taken: what all of one cost alike decides nothing, and without it a third of the
        # search is spared.
        dear -= dear.min(axis=1, keepdims=True)
        dear -= dear.min(axis=0)
    rows, columns = linear_sum_assignment(dear)
    return [(r, c) for r, c in zip(rows.tolist(), columns.tolist(), strict=True) if possible[r, c]]
