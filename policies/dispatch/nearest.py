"""Dispatch: the nearest idle driver."""

from collections.abc import Iterator
from dataclasses import dataclass

from sim.contracts import DispatchView, Offer
from sim.vocabulary import StoreId


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestIdle:
    """Give each waiting order, oldest first, to the idle driver who can reach its store soonest; ties to the lowest id.

    `ride_s_max`: longest believed ride to the store, seconds.
    """

    ride_s_max: float = 420.0

    def __post_init__(self) -> None:
        if not self.ride_s_max > 0:
            raise ValueError(f"Expected ride_s_max > 0, got {self.ride_s_max}.")

    def __call__(self, view: DispatchView) -> Iterator[Offer]:
        if not view.idle_count:
            return
        barren: set[StoreId] = set()
        for order in view.waiting:
            store = order.store
            if store in barren:
                continue
            reached = False
            for driver, ride_s in view.nearest(store):
                if not ride_s <= self.ride_s_max:
                    break
                reached = True
                if not order.declined_by(driver):
                    yield Offer(order.id, driver)
                    if not view.idle_count:
                        return
                    break
            if not reached:
                barren.add(store)
