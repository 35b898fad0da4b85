"""Policies of the family `sourcing`; see `sim.contracts` for what they see and decide."""

from collections.abc import Callable

from sim.contracts import OrderRequest, SourcingView
from sim.vocabulary import StoreId


def fullest(
    view: SourcingView, request: OrderRequest, stores_max: int, suits: Callable[[StoreId], bool] | None = None
) -> StoreId | None:
    """The nearest store whose records have all of an order and that suits; else the one with the most lines in full.

    Of equals the nearest; None where no store serves the customer. `stores_max`: how many are looked at, nearest first.
    """
    best, most = None, -1
    for store in view.serving(request.node)[:stores_max]:
        lines = zip(request.skus, request.units, strict=True)
        whole = sum(view.available(store, sku) >= units for sku, units in lines)
        if whole == len(request.skus) and (suits is None or suits(store)):
            return store
        if whole > most:
            best, most = store, whole
    return best
