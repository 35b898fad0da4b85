"""Sourcing: the nearest store whose zone holds the customer."""

from dataclasses import dataclass

from sim.contracts import OrderRequest, SourcingView
from sim.vocabulary import StoreId


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestStore:
    """Serve each customer from the nearest open store whose zone covers the address."""

    def __call__(self, view: SourcingView, request: OrderRequest) -> StoreId | None:
        serving = view.serving(request.node)
        return serving[0] if serving else None
