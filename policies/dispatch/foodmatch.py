"""Orders of a window batched by what a batch costs more, and batches matched to the drivers near them (FoodMatch)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from policies.dispatch.tours import Board, Tour, Tours, cheapest
from policies.ranges import hold_to
from sim.contracts import DispatchView, Offer, WaitingOrder


@dataclass(frozen=True, kw_only=True)
class FoodMatch:
    """Batch the orders of a window while they lose little by it, and match batches to drivers, each to those near them.

    Joshi, Singh, Ranu, Bagchi, Karia and Kala (2021), Batching and matching for food delivery in dynamic road networks, ICDE,
    and (2022), FoodMatch, ACM Transactions on Spatial Algorithms and Systems 8. What counts is the extra delivery time: what
    passes until the handover beyond the packing and a ride straight from the store.

    - Batching: of all pairs of batches the one that costs least more is put together, again and again, at most `bundle_max`
      orders, until batches cost `eta_s` seconds of extra time in the mean, with a driver at the counter.
    - Sparsification: each driver is weighed against the `degree` batches nearest by ride, none of them beyond `ride_s_max`; all
      others count as if the batch were left out, which is `omega_s` for each order.
    - Matching: batches to drivers at least extra time, by the Hungarian method, anew every `every_s`.

    What differs. Drivers here take orders only when they are free, so those free within `ahead_s` are matched from where they
    will be, and there is no way that they are heading: the angular distance (0: the same direction, 1: the opposite one) serves
    between the customers of a batch, as seen from the store, and is at most `angle_max`. Published drivers are told at once
    and orders shuffled again until the pickup; here they are told when they must leave, at the latest before the next step and
    `early_s` earlier, which comes to the same. Time that is lost already counts for nobody, so that who waits is not left out
    for it. `eta_s`, `omega_s`, `ride_s_max` and three orders are the published figures; `degree` and `angle_max` are judgement.
    """

    every_s: float = 60.0
    ahead_s: float = 1800.0
    early_s: float = 0.0
    bundle_max: int = 3
    eta_s: float = 60.0
    angle_max: float = 0.5
    degree: int = 30
    ride_s_max: float = 2700.0
    omega_s: float = 7200.0
    holds: ClassVar[bool] = True
    _tours: ClassVar[Tours]

    def __post_init__(self) -> None:
        # A policy is built afresh for each run: what it remembers is of this one.
        object.__setattr__(self, "_tours", Tours())
        hold_to(self, 1.0, 86_400.0, "every_s", "ahead_s", "ride_s_max", "omega_s")
        hold_to(self, 0.0, 7200.0, "early_s", "eta_s")
        hold_to(self, 0.0, 1.0, "angle_max")
        hold_to(self, 1, 5, "bundle_max")
        hold_to(self, 1, 1_000_000, "degree")

    def __call__(self, view: DispatchView) -> Iterator[Offer]:
        waiting, fleet = list(view.waiting), view.fleet(self.ahead_s)
        if not waiting or not fleet.idle.any():
            return
        batches = _Batches(view, self._tours, self.bundle_max, float(fleet.litres.max()), self.angle_max)
        board = Board(view, fleet, batches.of(waiting, self.eta_s))
        size = board.sizes()
        at_counter_s = np.maximum(board.ready_s, view.now_s)[:, None]
        lost_s = board.of_tours(batches.cost_s(tour) for tour in board.tours)
        lost_s = lost_s + size * (board.pickup_s - at_counter_s + board.slower_s()) - size * self.omega_s
        near = self._near(board.ride_s)
        yield from board.sent(cheapest(lost_s, board.possible & near & (lost_s < 0.0)), self.every_s, self.early_s)
        self._tours.tidy()

    def _near(self, ride_s: NDArray[Any]) -> NDArray[Any]:
        """Which batches each driver is weighed against, bool (batches, drivers)."""
        near = ride_s <= self.ride_s_max
        if self.degree < len(ride_s):
            rank = np.argsort(np.argsort(ride_s, axis=0, kind="stable"), axis=0)
            near &= rank < self.degree
        return np.asarray(near)


class _Batches:
    """The order graph: its nodes are batches, its edges what two of them would cost more as one."""

    def __init__(self, view: DispatchView, tours: Tours, most: int, litres_most: float, angle_max: float) -> None:
        self._view, self._tours, self._most, self._litres_most, self._angle_max = (
            view,
            tours,
            most,
            litres_most,
            angle_max,
        )

    def cost_s(self, tour: Tour) -> float:
        """Extra time of a batch's orders with a driver at the counter from now on, seconds."""
        if len(tour.orders) == 1:
            return 0.0
        now_s = self._view.now_s
        alone_s = sum(max(o.ready_s, now_s) + self._tours.of((o,), self._view).after_s for o in tour.orders)
        return len(tour.orders) * max(tour.ready_s, now_s) + tour.after_s - alone_s

    def of(self, waiting: Sequence[WaitingOrder], eta_s: float) -> list[Tour]:
        """Put batches together, the pair that costs least more first, until they cost `eta_s` in the mean."""
        nodes: dict[int, tuple[Tour, float]] = {
            n: (self._tours.of((order,), self._view), 0.0) for n, order in enumerate(waiting)
        }
        if self._most == 1:
            return [tour for tour, _ in nodes.values()]
        by_store: dict[int, list[int]] = {}
        for n, (tour, _) in nodes.items():
            by_store.setdefault(tour.store, []).append(n)
        edges: list[tuple[float, int, int]] = []
        for there in by_store.values():
            for place, one in enumerate(there):
                edges += self._edges(nodes, one, there[:place])
        heapify(edges)
        total_s, fresh = 0.0, len(nodes)
        while edges:
            more_s, one, other = heappop(edges)
            if one not in nodes or other not in nodes:
                continue
            if total_s + more_s > eta_s * (len(nodes) - 1):
                break
            tour = self._tours.of(nodes[one][0].orders + nodes[other][0].orders, self._view)
            del nodes[one], nodes[other]
            nodes[fresh] = tour, self.cost_s(tour)
            total_s += more_s
            there = by_store[tour.store] = [n for n in by_store[tour.store] if n in nodes]
            for edge in self._edges(nodes, fresh, there):
                heappush(edges, edge)
            there.append(fresh)
            fresh += 1
        return [tour for tour, _ in nodes.values()]

    def _edges(
        self, nodes: dict[int, tuple[Tour, float]], one: int, others: Sequence[int]
    ) -> Iterator[tuple[float, int, int]]:
        tour, cost_s = nodes[one]
        for other in others:
            second, second_s = nodes[other]
            orders = second.orders + tour.orders
            if (
                len(orders) <= self._most
                and tour.litres + second.litres <= self._litres_most
                and self._one_way(tour, second)
            ):
                both = self._tours.of(orders, self._view)
                yield self.cost_s(both) - cost_s - second_s, other, one

    def _one_way(self, tour: Tour, second: Tour) -> bool:
        """Whether all customers of two batches lie in one direction, as seen from the store."""
        view, store = self._view, self._view.store_node(tour.store)
        if self._angle_max >= 1.0:
            return True
        for one in tour.orders:
            to_one = view.metres(store, one.node)
            for other in second.orders:
                to_other, between = view.metres(store, other.node), view.metres(one.node, other.node)
                if not to_one or not to_other:
                    continue
                cosine = (to_one**2 + to_other**2 - between**2) / (2.0 * to_one * to_other)
                if (1.0 - cosine) / 2.0 > self._angle_max + 1e-9:
                    return False
        return True
