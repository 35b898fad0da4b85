"""Dispatch: the nearest idle driver."""

from collections.abc import Iterator
from dataclasses import dataclass

from sim.contracts import DispatchView, Offer, WaitingOrder
from sim.vocabulary import DriverId, StoreId


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
        # Within one call every order of a store faces the same drivers: whoever stands there is nearest, so the roads
        # are asked only when nobody who stands there is left, and only once per store.
        standing: dict[StoreId, list[DriverId]] = {}
        riding: dict[StoreId, list[DriverId]] = {}
        taken: set[DriverId] = set()
        for order in view.waiting:
            if not view.idle_count:
                return
            store = order.store
            if store not in standing:
                standing[store] = list(view.idle_at(store))
            driver = _first(order, standing[store], taken)
            if driver is None:
                if store not in riding:
                    riding[store] = self._within_reach(view, store)
                driver = _first(order, riding[store], taken)
            if driver is not None:
                taken.add(driver)
                yield Offer(order.id, driver)

    def _within_reach(self, view: DispatchView, store: StoreId) -> list[DriverId]:
        """Idle drivers who can be at the store in time, nearest first."""
        idle = view.idle
        rides = view.ride_s(idle, store)
        near = rides <= self.ride_s_max
        idle, rides = idle[near], rides[near]
        ids: list[DriverId] = idle[rides.argsort(kind="stable")].tolist()
        return ids


def _first(order: WaitingOrder, drivers: list[DriverId], taken: set[DriverId]) -> DriverId | None:
    for driver in drivers:
        if driver not in taken and not order.declined_by(driver):
            return driver
    return None
