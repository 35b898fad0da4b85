"""Orders and drivers matched anew every minute, drivers sent off just in time, orders of one store bundled where it pays."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from policies.dispatch.tours import LEFT_OUT_S, Board, Tour, Tours, cheapest
from policies.ranges import hold_to
from sim.contracts import DispatchView, Fleet, Offer, WaitingOrder
from sim.vocabulary import OrderId, StoreId


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
    holds: ClassVar[bool] = True
    _memory: ClassVar["_Memory"]

    def __post_init__(self) -> None:
        # A policy is built afresh for each run: what it remembers is of this one.
        object.__setattr__(self, "_memory", _Memory())
        hold_to(self, 1.0, 86_400.0, "every_s", "ahead_s", "recent_s")
        hold_to(self, 0.0, 7200.0, "early_s")
        hold_to(self, 0.0, 100.0, "empty_weight", "remote_weight", "store_weight", "cover_weight", "bundle_weight")
        hold_to(self, 1, 5, "bundle_max")
        hold_to(self, 1, 20, "cover_depth")

    def __call__(self, view: DispatchView) -> Iterator[Offer]:
        waiting = list(view.waiting)
        self._remember(view.now_s, waiting)
        fleet = view.fleet(self.ahead_s)
        if not waiting or not fleet.idle.any():
            return
        known = self._memory.tours
        board = Board(view, fleet, [known.of((order,), view) for order in waiting])
        value = self._value(view, fleet, board)
        pairs = self._matched(view, board, value)
        if self.bundle_max > 1:
            tours = self._bundled(view, board, pairs)
            if len(tours) < len(board.tours):
                board = Board(view, fleet, tours)
                pairs = self._matched(view, board, value)
        yield from board.sent(pairs, self.every_s, self.early_s)
        known.tidy()

    def _matched(self, view: DispatchView, board: Board, value: NDArray[Any]) -> list[tuple[int, int]]:
        """Pairs (tour, driver) of least cost, as many as are possible.

        What an order has waited already is lost whoever takes it. Counted, it would make the oldest the dearest, and where
        drivers are short those would be left behind for good.
        """
        after_s = board.of_tours(tour.after_s for tour in board.tours)
        cost = board.sizes() * (board.pickup_s - view.now_s + board.slower_s() - LEFT_OUT_S) + after_s
        return cheapest(cost + self.empty_weight * board.ride_s + value, board.possible)

    # -- what a driver is worth where he is --------------------------------------------------------------------------

    def _remember(self, now_s: float, waiting: Sequence[WaitingOrder]) -> None:
        for order in waiting:
            if order.id not in self._memory.seen:
                self._memory.seen.add(order.id)
                self._memory.recent.append((order.opened_s, order.store))
        while self._memory.recent and self._memory.recent[0][0] <= now_s - self.recent_s:
            self._memory.recent.popleft()

    def _value(self, view: DispatchView, fleet: Fleet, board: Board) -> NDArray[Any]:
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

    def _bundled(self, view: DispatchView, board: Board, pairs: Sequence[tuple[int, int]]) -> list[Tour]:
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
                    if one.litres + other.litres > litres_most:
                        continue
                    orders = one.orders + other.orders
                    at_s = max(one.ready_s, other.ready_s, min(one_s, other_s))
                    apart = len(one.orders) * one_s + one.after_s + len(other.orders) * other_s + other.after_s
                    most = apart - len(orders) * at_s + worth_s
                    # Rides between customers are dear to know: first what the tour could gain at best.
                    least = best[0] if best is not None else 1e-6
                    if most - self._memory.tours.least_s(orders, view) <= least - 1e-6:
                        continue
                    both = self._memory.tours.of(orders, view)
                    gain = most - both.after_s
                    if gain > 1e-6 and (best is None or gain > best[0]):
                        best = gain, i, j, both, at_s
            if best is None:
                return there
            _, i, j, both, at_s = best
            there = [pair for k, pair in enumerate(there) if k not in (i, j)] + [(both, at_s)]
        return there


class _Memory:
    """Orders seen so far, the stores of those opened lately, and tours."""

    def __init__(self) -> None:
        self.seen: set[OrderId] = set()
        self.recent: deque[tuple[float, StoreId]] = deque()
        self.tours = Tours()
