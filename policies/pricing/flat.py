"""Pricing: the same for everybody at every hour."""

from dataclasses import dataclass

from policies import tide
from sim.contracts import LoadView, OrderRequest
from sim.vocabulary import Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat(tide.Flat):
    """Ask for `cents` on top of the delivery fee, whatever happens (the default: nothing)."""

    def __call__(self, view: LoadView, request: OrderRequest) -> Cents:
        return Cents(self.cents)
