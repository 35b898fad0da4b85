"""Dispatch: the nearest idle driver."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

from numpy.typing import NDArray

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
        if not view.idle_count:
            return
        standing: dict[StoreId, list[DriverId]] = {}
        riding: dict[StoreId, tuple[NDArray[Any], NDArray[Any]]] = {}
        barren: set[StoreId] = set()
        taken: set[DriverId] = set()
        for order in view.waiting:
            store = order.store
            if store in barren:
                continue
            if store not in standing:
                standing[store] = list(view.idle_at(store))
            driver = None
            for stands in standing[store]:
                if stands not in taken and not order.declined_by(stands):
                    driver = stands
                    break
            else:
                if store not in riding:
                    idle = view.idle
                    riding[store] = idle, view.ride_s(idle, store)
                driver, more = self._nearest(order, *riding[store], taken)
                if not more:
                    barren.add(store)
            if driver is not None:
                taken.add(driver)
                yield Offer(order.id, driver)
                if not view.idle_count:
                    return

    def _nearest(
        self, order: WaitingOrder, idle: NDArray[Any], rides: NDArray[Any], taken: set[DriverId]
    ) -> tuple[DriverId | None, bool]:
        """The nearest driver within reach who may be offered the order, and whether any within reach was left at all."""
        declined: list[int] = []
        driver = None
        while True:
            place = int(rides.argmin())
            if not rides[place] <= self.ride_s_max:
                break
            found = DriverId(int(idle[place]))
            if found in taken:
                rides[place] = inf
            elif order.declined_by(found):
                declined.append(place)
                rides[place] += _ASIDE
            else:
                driver = found
                break
        for place in declined:
            rides[place] -= _ASIDE
        return driver, driver is not None or bool(declined)


_ASIDE = 2.0**40
"""Added to a ride to set a driver aside for one order; a power of two, so that taking it away leaves what was."""
