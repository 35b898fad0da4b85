"""Incentive: the same with every offer."""

from dataclasses import dataclass

from policies import tide
from sim.contracts import LoadView, WaitingOrder
from sim.vocabulary import Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat(tide.Flat):
    """Offer every order with a bonus of `cents` (the default: none)."""

    def __call__(self, view: LoadView, order: WaitingOrder) -> Cents:
        return Cents(self.cents)
