"""Orders and drivers matched anew every minute, drivers sent off just in time, orders of one store bundled where it pays."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from sim.contracts import DispatchView, Fleet, Offer, Stops, WaitingOrder
from sim.vocabulary import DriverId, OrderId, StoreId


@dataclass(frozen=True, slots=True)
class Tour:
    """Orders of one store in the order of their delivery, and what becomes of them after the pickup.

    `ready_s`: when the last of them is packed. `after_s`: sum over the orders of the time from pickup to handover.
    """

    orders: tuple[WaitingOrder, ...]
    ready_s: float
    after_s: float
    litres: float

    @property
    def store(self) -> StoreId:
        return self.orders[0].store


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Match all waiting orders to drivers who are free or soon will be, at least total delay; send off only who must go now.

    Every `every_s` seconds the tours that wait and the drivers who are free within `ahead_s` are matched by the Hungarian
    method. The cost of a pair is the sum of the times from click to door, seconds, and beside it

    - `empty_weight` for each second of the ride to the store;
    - less `remote_weight` for each second that the driver is from the stores in the mean, weighted by the orders of the last
      `recent_s` seconds and `store_weight` more for each store, so that who is far from where orders come up goes first;
    - `cover_weight` for each second by which these stores' nearest `cover_depth` drivers would be further away without him.

    Only who must set out before the next step is sent; all else is matched anew then. Orders of one store ride together, at
    most `bundle_max`, where that loses less time than the mean delay of all that wait, times `bundle_weight`: where drivers
    are short, each ride that is saved is worth the delay of others.

    The idea of matching with commitment as late as possible is that of Reyes, Erera, Savelsbergh, Sahasrabudhe and O'Neil
    (2018), The meal delivery routing problem; bundles by what they cost more that of Joshi et al. (2022), FoodMatch. The
    weights were found on the MDRP's instances with 50 % of the orders; differences of a third either way are within noise.

    `early_s`: drivers set out so much earlier than just in time, where rides and packing are not known to the second.
    `jitter`: another number breaks ties otherwise (0: by place in the lists).
    """

    every_s: float = 60.0
    ahead_s: float = 1800.0
    early_s: float = 0.0
    empty_weight: float = 0.05
    remote_weight: float = 0.2
    recent_s: float = 5400.0
    store_weight: float = 0.1
    cover_weight: float = 0.3
    cover_depth: int = 3
    bundle_max: int = 3
    bundle_weight: float = 1.0
    jitter: int = 0
    holds: ClassVar[bool] = True
    _memory: ClassVar["_Memory"]

    def __post_init__(self) -> None:
        # A policy is built afresh for each run: what it remembers is of this one.
        object.__setattr__(self, "_memory", _Memory())
        for name in ("every_s", "ahead_s", "recent_s"):
            if not 1.0 <= getattr(self, name) <= 86_400.0:
                raise ValueError(f"Expected {name} from 1 to 86400, got {getattr(self, name)}.")
        if not 0.0 <= self.early_s <= 7200.0:
            raise ValueError(f"Expected early_s from 0 to 7200, got {self.early_s}.")
        for name in ("empty_weight", "remote_weight", "store_weight", "cover_weight", "bundle_weight"):
            if not 0.0 <= getattr(self, name) <= 100.0:
                raise ValueError(f"Expected {name} from 0 to 100, got {getattr(self, name)}.")
        if not 0 <= self.jitter <= 1_000_000:
            raise ValueError(f"Expected jitter from 0 to 1000000, got {self.jitter}.")
        if not 1 <= self.bundle_max <= 5:
            raise ValueError(f"Expected bundle_max from 1 to 5, got {self.bundle_max}.")
        if not 1 <= self.cover_depth <= 20:
            raise ValueError(f"Expected cover_depth from 1 to 20, got {self.cover_depth}.")

    def __call__(self, view: DispatchView) -> Iterator[Offer]:
        waiting = list(view.waiting)
        self._remember(view.now_s, waiting)
        fleet = view.fleet(self.ahead_s)
        if not waiting or not fleet.idle.any():
            return
        board = _Board(view, fleet, [self._tour((order,), view) for order in waiting])
        value = self._value(view, fleet, board)
        if self.jitter:
            value += np.random.default_rng([self.jitter, int(view.now_s)]).uniform(0.0, 1e-4, len(value))
        pairs = board.matched(value, self.empty_weight)
        if self.bundle_max > 1:
            tours = self._bundled(view, board, pairs)
            if len(tours) < len(board.tours):
                board = _Board(view, fleet, tours)
                pairs = board.matched(value, self.empty_weight)
        for row, column in pairs:
            tour, leaves_in_s = board.tours[row], self.every_s
            reached_s = view.now_s + board.ride_s[row, column] + view.stops.arrive_s
            if fleet.idle[column] and reached_s + leaves_in_s + self.early_s > tour.ready_s:
                first, *along = tour.orders
                yield Offer(first.id, DriverId(int(fleet.driver[column])), tuple(order.id for order in along))
        if len(self._memory.after) > _KNOWN_MOST:
            self._memory.after.clear()

    # -- what a driver is worth where he is --------------------------------------------------------------------------

    def _remember(self, now_s: float, waiting: Sequence[WaitingOrder]) -> None:
        for order in waiting:
            if order.id not in self._memory.seen:
                self._memory.seen.add(order.id)
                self._memory.recent.append((order.opened_s, order.store))
        while self._memory.recent and self._memory.recent[0][0] <= now_s - self.recent_s:
            self._memory.recent.popleft()

    def _value(self, view: DispatchView, fleet: Fleet, board: "_Board") -> NDArray[Any]:
        """What it is worth to keep each driver, seconds, (drivers,)."""
        counts = np.bincount([store for _, store in self._memory.recent], minlength=view.stores) + self.store_weight
        stores = np.flatnonzero(counts)
        share = counts[stores] / counts.sum()
        ride_s = np.column_stack([board.rides_s(store) for store in map(StoreId, stores.tolist())])
        value = -self.remote_weight * (ride_s @ share)
        depth = min(self.cover_depth, len(ride_s) - 1)
        if self.cover_weight and depth > 0:
            reach_s = ride_s + (fleet.free_s - view.now_s)[:, None]
            nearest = np.argsort(reach_s, axis=0, kind="stable")[: depth + 1]
            sorted_s = np.take_along_axis(reach_s, nearest, axis=0)
            # Without the one at rank k, each rank from there on goes to the next: the gaps from rank k to the depth are lost.
            lost_s = np.cumsum(np.diff(sorted_s, axis=0)[::-1], axis=0)[::-1]
            np.add.at(value, nearest[:depth], self.cover_weight * lost_s * share)
        return np.asarray(value)

    # -- which orders ride together ----------------------------------------------------------------------------------

    def _tour(self, orders: tuple[WaitingOrder, ...], view: DispatchView) -> Tour:
        key = tuple(sorted(order.id for order in orders))
        known = self._memory.after.get(key)
        if known is None:
            known = self._memory.after[key] = _best_sequence(orders, view)
        sequence, after_s = known
        return Tour(sequence, max(o.ready_s for o in orders), after_s, sum(o.litres for o in orders))

    def _bundled(self, view: DispatchView, board: "_Board", pairs: Sequence[tuple[int, int]]) -> list[Tour]:
        """The tours of one order each, and those put together that lose less than a saved ride is worth."""
        pickup_s = board.hopeless_s.copy()
        for row, column in pairs:
            pickup_s[row] = board.pickup_s[row, column]
        worth_s = self.bundle_weight * float(np.mean(pickup_s - board.ready_s))
        by_store: dict[StoreId, list[tuple[Tour, float]]] = {}
        for tour, at_s in zip(board.tours, pickup_s.tolist(), strict=True):
            by_store.setdefault(tour.store, []).append((tour, at_s))
        most = board.litres_most
        return [tour for there in by_store.values() for tour, _ in self._merged(view, there, worth_s, most)]

    def _merged(
        self, view: DispatchView, there: list[tuple[Tour, float]], worth_s: float, litres_most: float
    ) -> list[tuple[Tour, float]]:
        """Put tours of one store together, the pair that gains most first, until none gains."""
        while len(there) > 1:
            best: tuple[float, int, int, Tour, float] | None = None
            for i, (one, one_s) in enumerate(there):
                for j in range(i + 1, len(there)):
                    other, other_s = there[j]
                    if len(one.orders) + len(other.orders) > self.bundle_max:
                        continue
                    both = self._tour(one.orders + other.orders, view)
                    if both.litres > litres_most:
                        continue
                    at_s = max(both.ready_s, min(one_s, other_s))
                    apart = len(one.orders) * one_s + one.after_s + len(other.orders) * other_s + other.after_s
                    gain = apart - len(both.orders) * at_s - both.after_s + worth_s
                    if gain > 1e-6 and (best is None or gain > best[0]):
                        best = gain, i, j, both, at_s
            if best is None:
                return there
            _, i, j, both, at_s = best
            there = [pair for k, pair in enumerate(there) if k not in (i, j)] + [(both, at_s)]
        return there


class _Memory:
    """Orders seen so far, the stores of those opened lately, and sequences of handovers that were worked out."""

    def __init__(self) -> None:
        self.seen: set[OrderId] = set()
        self.recent: deque[tuple[float, StoreId]] = deque()
        self.after: dict[tuple[OrderId, ...], tuple[tuple[WaitingOrder, ...], float]] = {}


_KNOWN_MOST = 20_000
"""Sequences that are remembered."""

_LEFT_OUT_S = 3 * 5400.0
"""What leaving an order without a driver counts: more than any delay, so that as many as can be are matched."""


class _Board:
    """Tours against drivers: when each could be picked up by each."""

    def __init__(self, view: DispatchView, fleet: Fleet, tours: list[Tour]) -> None:
        self._view, self._fleet, self.tours = view, fleet, tours
        self._rides: dict[int, NDArray[Any]] = {}
        self.ready_s = np.array([tour.ready_s for tour in tours])
        self.ride_s = np.array([self.rides_s(tour.store) for tour in tours])
        reached_s = fleet.free_s + self.ride_s + view.stops.arrive_s
        self.pickup_s = np.maximum(self.ready_s[:, None], reached_s)
        litres, self.litres_most = np.array([tour.litres for tour in tours]), float(fleet.litres.max(initial=0.0))
        self._possible = (self.pickup_s <= fleet.until_s) & (litres[:, None] <= fleet.litres)
        for row, tour in enumerate(tours):
            for order in tour.orders:
                if order.declined:
                    self._possible[row] &= ~np.isin(fleet.driver, list(order.declined))
        self._slower_s = self._by_vehicle(tours)
        self.hopeless_s = np.maximum(self.ready_s, view.now_s + 5400.0)

    def _by_vehicle(self, tours: list[Tour]) -> NDArray[Any] | float:
        """By how much each driver's vehicle takes longer to a tour's first customer than most, seconds, (tours, drivers)."""
        vehicles, which = np.unique(self._fleet.vehicle, return_inverse=True)
        if len(vehicles) == 1:
            return 0.0
        view, firsts = self._view, [(tour.store, tour.orders[0].node) for tour in tours]
        usual_s = np.array([[view.to_customer_s(store, node)] for store, node in firsts])
        by_kind = [[view.to_customer_s(store, node, kind) for kind in vehicles.tolist()] for store, node in firsts]
        return np.asarray((np.array(by_kind) - usual_s)[:, which])

    def rides_s(self, store: StoreId) -> NDArray[Any]:
        """Ride of each driver to a store, from where he is free, seconds, (drivers,)."""
        known = self._rides.get(store)
        if known is None:
            known = self._rides[store] = self._view.from_places_s(self._fleet.place, store)
        return known

    def matched(self, value: NDArray[Any], empty_weight: float) -> list[tuple[int, int]]:
        """Pairs (tour, driver) of least cost, as many as are possible."""
        size = np.array([len(tour.orders) for tour in self.tours])[:, None]
        after_s = np.array([tour.after_s for tour in self.tours])[:, None]
        waited_s = np.array([sum(order.opened_s for order in tour.orders) for tour in self.tours])[:, None]
        cost = size * (self.pickup_s - _LEFT_OUT_S + self._slower_s) + after_s - waited_s
        cost += empty_weight * self.ride_s + value
        rows, columns = linear_sum_assignment(np.where(self._possible, cost, 0.0))
        return [(r, c) for r, c in zip(rows.tolist(), columns.tolist(), strict=True) if self._possible[r, c]]


def _best_sequence(orders: tuple[WaitingOrder, ...], view: DispatchView) -> tuple[tuple[WaitingOrder, ...], float]:
    """The sequence of handovers with the least sum of times since the pickup, and that sum, seconds."""
    tries = [(sum(_handovers_s(sequence, view, view.stops)), sequence) for sequence in permutations(orders)]
    after_s, sequence = min(tries, key=lambda tried: tried[0])
    return sequence, after_s


def _handovers_s(sequence: Sequence[WaitingOrder], view: DispatchView, stops: Stops) -> list[float]:
    first = sequence[0]
    at_s = stops.handoff_s * len(sequence) + stops.leave_s + view.to_customer_s(first.store, first.node)
    found = [at_s := at_s + stops.arrive_s + stops.door_s]
    for one, other in pairwise(sequence):
        at_s += stops.leave_s + view.onward_s(one.node, other.node) + stops.arrive_s + stops.door_s
        found.append(at_s)
    return found
