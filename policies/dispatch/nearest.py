"""Dispatch: the nearest idle driver."""

from collections.abc import Iterator
from dataclasses import dataclass

from sim.contracts import DispatchView, Offer
from sim.vocabulary import StoreId


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestIdle:
    """Give each waiting order, oldest first, to the idle driver who can reach its store soonest; ties to the lowest id.

    `ride_s_max`: longest believed ride to the store, seconds: with drivers who wait where they are (`positioning=stay`) it
    should be as wide as the city. It widens by `widen_s` for every `widen_every_s` that an order has waited. By default it does
    not: where drivers are short, sending them further away makes them shorter still (the wild goose chase of Castillo,
    Knoepfle and Weyl 2017).
    """

    ride_s_max: float = 420.0
    widen_s: float = 0.0
    widen_every_s: float = 60.0

    def __post_init__(self) -> None:
        if not self.ride_s_max > 0:
            raise ValueError(f"Expected ride_s_max > 0, got {self.ride_s_max}.")
        if not 0.0 <= self.widen_s <= 86_400.0:
            raise ValueError(f"Expected widen_s from 0 to 86400, got {self.widen_s}.")
        if not 1.0 <= self.widen_every_s <= 86_400.0:
            raise ValueError(f"Expected widen_every_s from 1 to 86400, got {self.widen_every_s}.")

    @property
    def again_s(self) -> float:
        return self.widen_every_s if self.widen_s else 0.0

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
                    steps = (view.now_s - order.opened_s) // self.widen_every_s
                    if not ride_s <= self.ride_s_max + self.widen_s * steps:
                        break
                reached = True
                if not order.declined_by(driver):
                    yield Offer(order.id, driver)
                    if not view.idle_count:
                        return
                    break
            if not reached:
                barren.add(store)
