"""Pricing: dearer while there are many orders for each driver."""

from dataclasses import dataclass

from policies.tide import within
from sim.contracts import LoadView, OrderRequest
from sim.vocabulary import Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class ByLoad:
    """Ask for `cents` for each open order for each driver beyond `orders_per_driver`, at most `cents_max`.

    With fewer orders some customers stay away and the others are served: prices that follow the load keep drivers near their
    customers (Castillo, Knoepfle and Weyl 2017, Surge pricing solves the wild goose chase). The figures are judgement.
    """

    orders_per_driver: float = 1.0
    cents: int = 300
    cents_max: int = 600

    def __post_init__(self) -> None:
        within(self, 0.0, 1000.0, "orders_per_driver")
        within(self, 0, 100_000, "cents", "cents_max")

    def __call__(self, view: LoadView, request: OrderRequest) -> Cents:
        load = view.open_orders / max(view.drivers_on, 1)
        return Cents(min(round(self.cents * max(load - self.orders_per_driver, 0.0)), self.cents_max))
