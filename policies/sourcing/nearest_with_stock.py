"""Sourcing: the nearest store whose records have everything."""

from dataclasses import dataclass

from policies.sourcing import fullest
from sim.contracts import OrderRequest, SourcingView
from sim.vocabulary import StoreId


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestWithStock:
    """Send an order to the nearest store in whose zone the customer lives and whose records have all of it.

    Where none has, the one with the most lines in full, the nearest of equals. A longer ride buys a fuller basket.
    `stores_max`: how many stores are looked at, nearest first.
    """

    stores_max: int = 3

    def __post_init__(self) -> None:
        if self.stores_max < 1:
            raise ValueError(f"Expected stores_max >= 1, got {self.stores_max}.")

    def __call__(self, view: SourcingView, request: OrderRequest) -> StoreId | None:
        return fullest(view, request, self.stores_max)
