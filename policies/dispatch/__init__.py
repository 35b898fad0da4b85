"""Policies of the family `dispatch`; see `sim.contracts` for what they see and decide."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.contracts import DispatchView, Fleet, Offer, WaitingOrder

Score = Callable[[Fleet, WaitingOrder, NDArray[Any]], NDArray[Any]]


def by_turn(view: DispatchView, ride_s_max: float, score: Score) -> Iterator[Offer]:
    """Give each waiting order, oldest first, to the idle driver near enough with the least score; ties to the lowest id.

    Parameters
    ----------
    ride_s_max
        Longest believed ride to the store, seconds.
    score
        Of drivers, an order, and their rides to its store, seconds: smaller is better, float64 (drivers,).
    """
    fleet = view.fleet(0.0)
    left = fleet.idle.copy()
    for order in view.waiting:
        if not left.any():
            return
        ride_s = fleet.free_s - view.now_s + view.from_places_s(fleet.place, order.store)
        can = left & (ride_s <= ride_s_max) & (order.litres <= fleet.litres)
        if order.declined:
            can &= ~np.isin(fleet.driver, list(order.declined))
        if can.any():
            chosen = int(np.where(can, score(fleet, order, ride_s), np.inf).argmin())
            if can[chosen]:
                left[chosen] = False
                yield Offer(order.id, fleet.driver[chosen].item())


def hold_to(policy: object, low: float, high: float, *names: str) -> None:
    """Refuse parameters of a policy that lie outside of a range."""
    for name in names:
        if not low <= getattr(policy, name) <= high:
            raise ValueError(f"Expected {name} from {low:g} to {high:.10g}, got {getattr(policy, name)}.")
