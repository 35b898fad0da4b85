"""Sourcing: the nearest store whose records have everything."""

from dataclasses import dataclass

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
        best, most = None, -1
        for store in view.serving(request.node)[: self.stores_max]:
            lines = zip(request.skus, request.units, strict=True)
            whole = sum(view.available(store, sku) >= units for sku, units in lines)
            if whole == len(request.skus):
                return store
            if whole > most:
                best, most = store, whole
        return best
