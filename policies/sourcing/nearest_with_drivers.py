"""Sourcing: the nearest store that has the goods and somebody to bring them."""

from dataclasses import dataclass

from policies.sourcing import fullest
from sim.contracts import OrderRequest, SourcingView
from sim.vocabulary import StoreId


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestWithDrivers:
    """Send an order to the nearest store whose records have all of it and which an idle driver can reach soon.

    A store without drivers hands its orders to its neighbours so. Where no store has both, the goods decide alone, and of
    stores with equally many lines in full the nearest. `ride_s_max`: a driver's longest believed ride to the store, seconds.
    `stores_max`: how many stores are looked at, nearest first.
    """

    ride_s_max: float = 180.0
    stores_max: int = 3

    def __post_init__(self) -> None:
        if not 0.0 <= self.ride_s_max <= 86_400.0:
            raise ValueError(f"Expected ride_s_max from 0 to 86400, got {self.ride_s_max}.")
        if self.stores_max < 1:
            raise ValueError(f"Expected stores_max >= 1, got {self.stores_max}.")

    def __call__(self, view: SourcingView, request: OrderRequest) -> StoreId | None:
        return fullest(view, request, self.stores_max, lambda store: view.driver_in_s(store) <= self.ride_s_max)
