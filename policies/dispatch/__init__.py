"""Policies of the family `dispatch`; see `sim.contracts` for what they see and decide."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import DispatchView, Fleet, Offer, WaitingOrder

Score = Callable[[Fleet, WaitingOrder, NDArray[Any]], NDArray[Any]]


def by_turn(view: DispatchView, ride_s_max: float, score: Score, ahead_s: float = 0.0) -> Iterator[Offer]:
    """Give each waiting order, oldest first, to the idle driver near enough with the least score; ties to the lowest id.

    Drivers who will be free within `ahead_s` count as well, from when they are: an order that is best kept for one of these is
    not offered yet.

    Parameters
    ----------
    ride_s_max
        Longest believed time until a driver is at the store, seconds.
    score
        Of drivers, an order, and their rides to its store, seconds: smaller is better, float64 (drivers,).
    """
    fleet = view.fleet(ahead_s)
    left = np.ones(len(fleet.driver), dtype=bool)
    for order in view.waiting:
        if not (left & fleet.idle).any():
            return
        ride_s = fleet.free_s - view.now_s + view.from_places_s(fleet.place, order.store)
        can = left & (ride_s <= ride_s_max) & (order.litres <= fleet.litres)
        if order.declined:
            can &= ~np.isin(fleet.driver, list(order.declined))
        if can.any():
            chosen = int(np.where(can, score(fleet, order, ride_s), np.inf).argmin())
            if can[chosen]:
                left[chosen] = False
                if fleet.idle[chosen]:
                    yield Offer(order.id, fleet.driver[chosen].item())
