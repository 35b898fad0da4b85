"""The rolling horizon of the meal delivery routing problem: bundles as large as the moment asks for, late ones matched first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

import numpy as np

from policies.dispatch.tours import LEFT_OUT_S, Board, Tour, Tours, cheapest
from policies.ranges import hold_to
from sim.contracts import DispatchView, Fleet, Offer, Reposition, WaitingOrder
from sim.vocabulary import StoreId

COMMITMENTS = ("late", "two_stages")

_Bundle = tuple[WaitingOrder, ...]


@dataclass(frozen=True, kw_only=True)
class RollingHorizon:
    """Bundle the orders of the next minutes by how many there are for each driver, and match bundles in order of urgency.

    Reyes, Erera, Savelsbergh, Sahasrabudhe and O'Neil (2018), The meal delivery routing problem. Every `every_s` seconds, of
    the orders packed within `ahead_s` and the drivers free by then:

    - Target size: orders packed within `ready_s` for each driver free within `free_s`, rounded up, at most `bundle_max`.
    - Bundles: each store begins as many as its orders need at that size, at least one for each driver at its counter, with the
      orders that are packed first. All others go in by parallel insertion, each where it costs least; then each that is not
      alone is taken out once and put back where it costs least. A bundle costs the seconds until its last handover, and
      `delay_weight` for each second by which its orders come later than each would alone. Beyond the target size an order goes
      in only where rides for each order get shorter.
    - Matching in three groups, one after the other with the drivers who are left: bundles with an order that cannot be on time
      any more, then those that nobody reaches by when they are packed, then all others. A pair is worth the orders that it
      brings for each minute of the driver's, less `fresh_weight` for each minute that packed goods wait.

    - `commitment`, of a driver who would come too late by leaving at the next step, `early_s` earlier than just in time:
      "late", for good; or in the published "two_stages", for good only where driver and goods will be there before the next
      step, or one of the orders has been packed for `patience_s`. Else he rides towards the store with the orders left open:
      until he is given some he is matched with bundles of that store alone, and where it has none any more, with any.

    What differs. Nobody is told of a next tour while he is on one, so that who comes free between two steps waits for the
    second: the published step of five minutes costs more here, and one is the default. Who need not set out yet is not sent
    ahead. The sequence within a bundle is the best one, not the one of insertion. The horizon is the published one; the other
    figures are judgement.
    """

    every_s: float = 60.0
    ahead_s: float = 1200.0
    ready_s: float = 1200.0
    free_s: float = 600.0
    early_s: float = 0.0
    bundle_max: int = 3
    delay_weight: float = 1.0
    fresh_weight: float = 0.1
    commitment: str = "late"
    patience_s: float = 600.0
    holds: ClassVar[bool] = True
    _tours: ClassVar[Tours]
    _sent: ClassVar[dict[int, StoreId]]

    def __post_init__(self) -> None:
        # A policy is built afresh for each run: what it remembers is of this one.
        object.__setattr__(self, "_tours", Tours())
        object.__setattr__(self, "_sent", {})  # drivers on their way without an order, or waiting there: to which store
        if self.commitment not in COMMITMENTS:
            raise ValueError(f"Expected commitment to be one of {', '.join(COMMITMENTS)}, got {self.commitment!r}.")
        hold_to(self, 1.0, 86_400.0, "every_s", "ahead_s", "ready_s", "free_s")
        hold_to(self, 0.0, 7200.0, "early_s", "patience_s")
        hold_to(self, 0.0, 100.0, "delay_weight", "fresh_weight")
        hold_to(self, 1, 5, "bundle_max")

    def __call__(self, view: DispatchView) -> Iterator[Offer | Reposition]:
        now_s, fleet = view.now_s, view.fleet(self.ahead_s)
        upcoming = [order for order in view.waiting if order.ready_s <= now_s + self.ahead_s]
        if not upcoming or not fleet.idle.any():
            return
        soon = sum(order.ready_s <= now_s + self.ready_s for order in upcoming)
        drivers = int(np.count_nonzero(fleet.free_s <= now_s + self.free_s))
        target = min(max(ceil(soon / max(drivers, 1)), 1), self.bundle_max)
        by_store: dict[int, list[WaitingOrder]] = {}
        for order in upcoming:
            by_store.setdefault(order.store, []).append(order)
        most = float(fleet.litres.max())
        tours = [tour for there in by_store.values() for tour in self._bundled(view, there, target, most)]
        yield from self._matched(view, fleet, tours)
        self._tours.tidy()

    # -- which orders ride together ----------------------------------------------------------------------------------

    def _bundled(self, view: DispatchView, orders: list[WaitingOrder], target: int, litres_most: float) -> list[Tour]:
        """One store's bundles."""
        orders = sorted(orders, key=lambda order: (order.ready_s, order.id))
        count = max(ceil(len(orders) / target), min(len(view.idle_at(orders[0].store)), len(orders)))
        if count < len(orders):
            bundles: list[_Bundle] = [(order,) for order in orders[:count]]
            for order in orders[count:]:
                self._insert(view, bundles, order, target, litres_most)
            for order in orders:
                place = next(n for n, bundle in enumerate(bundles) if order in bundle)
                if len(bundles[place]) == 1:
                    continue
                bundles[place] = tuple(other for other in bundles[place] if other is not order)
                self._insert(view, bundles, order, target, litres_most)
        else:
            bundles = [(order,) for order in orders]
        return [self._tours.of(bundle, view) for bundle in bundles]

    def _insert(
        self, view: DispatchView, bundles: list[_Bundle], order: WaitingOrder, target: int, litres_most: float
    ) -> None:
        """Put an order into the bundle where it costs least, or into one of its own where none takes it."""
        best: tuple[float, int] | None = None
        for place, bundle in enumerate(bundles):
            if len(bundle) >= self.bundle_max or sum(o.litres for o in bundle) + order.litres > litres_most:
                continue
            before, longer = self._tours.of(bundle, view), self._tours.of((*bundle, order), view)
            if len(bundle) >= target and longer.last_s / len(longer.orders) >= before.last_s / len(bundle):
                continue
            more = self._cost_s(view, longer) - self._cost_s(view, before)
            if best is None or more < best[0]:
                best = more, place
        if best is None:
            bundles.append((order,))
        else:
            bundles[best[1]] = (*bundles[best[1]], order)

    def _cost_s(self, view: DispatchView, tour: Tour) -> float:
        alone_s = sum(o.ready_s + self._tours.of((o,), view).after_s for o in tour.orders)
        return tour.last_s + self.delay_weight * (len(tour.orders) * tour.ready_s + tour.after_s - alone_s)

    # -- who takes which ---------------------------------------------------------------------------------------------

    def _matched(self, view: DispatchView, fleet: Fleet, tours: Sequence[Tour]) -> Iterator[Offer | Reposition]:
        board = Board(view, fleet, list(tours))
        if self._sent:
            self._hold_to_stores(board)
        possible, size = board.possible, board.sizes()
        done_s = board.pickup_s + board.slower_s() + board.of_tours(tour.last_s for tour in tours)
        waits_s = board.pickup_s - np.maximum(board.ready_s, view.now_s)[:, None]
        worth = 60.0 * size / np.maximum(done_s - fleet.free_s, 1.0) - self.fresh_weight / 60.0 * size * waits_s
        soonest_s = np.where(possible, board.pickup_s, np.inf).min(axis=1)
        late = np.array(
            [
                any(reach_s + self._tours.of((o,), view).after_s > o.promised_s for o in tour.orders)
                for tour, reach_s in zip(tours, soonest_s.tolist(), strict=True)
            ]
        )
        urgency = np.where(late, 0, np.where(soonest_s > board.ready_s, 1, 2))
        left, pairs = np.ones(len(fleet.driver), dtype=bool), []
        for group in range(3):
            rows, columns = np.flatnonzero(urgency == group), np.flatnonzero(left)
            if len(rows) and len(columns):
                there = np.ix_(rows, columns)
                for row, column in cheapest(-worth[there] - LEFT_OUT_S, possible[there]):
                    pairs.append((int(rows[row]), int(columns[column])))
                    left[columns[column]] = False
        offers = board.sent(pairs, self.every_s, self.early_s)
        if self.commitment == "late":
            yield from offers
        else:
            yield from self._in_two_stages(view, board, offers)

    # -- commitment --------------------------------------------------------------------------------------------------

    def _hold_to_stores(self, board: Board) -> None:
        """Who is on the way to a store, or was sent there and waits, is for its bundles while it has any."""
        drivers, stores = board.fleet.driver.tolist(), np.array([tour.store for tour in board.tours])
        free = dict(zip(drivers, board.fleet.idle.tolist(), strict=True))
        for driver, store in list(self._sent.items()):
            if not free.get(driver):
                del self._sent[driver]  # he got work otherwise, or has gone home
            elif (mine := stores == store).any():
                board.possible[~mine, drivers.index(driver)] = False
            else:
                del self._sent[driver]

    def _in_two_stages(self, view: DispatchView, board: Board, offers: Iterator[Offer]) -> Iterator[Offer | Reposition]:
        """Of offers to drivers who must set out now: those that stay, and where to ride for the others."""
        now_s, fleet, arrive_s = view.now_s, board.fleet, view.stops.arrive_s
        tours = {tour.orders[0].id: row for row, tour in enumerate(board.tours)}
        for offer in offers:
            row, column = tours[offer.order], int(np.flatnonzero(fleet.driver == offer.driver)[0])
            tour, at_store_s = board.tours[row], now_s + float(board.ride_s[row, column])
            both_there = max(at_store_s, tour.ready_s - arrive_s) <= now_s + self.every_s
            if both_there or min(order.ready_s for order in tour.orders) <= now_s - self.patience_s:
                self._sent.pop(offer.driver, None)
                yield offer
            else:
                self._sent[offer.driver] = tour.store
                yield Reposition(offer.driver, tour.store)
