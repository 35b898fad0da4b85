"""Pricing: dearer before and while more orders are expected than the drivers on shift can deliver."""

from dataclasses import dataclass

from policies import tide
from sim.contracts import LoadView, OrderRequest
from sim.vocabulary import Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class ByForecast(tide.ByForecast):
    """Ask for `cents` when twice as many orders are expected within `within_s` as drivers can deliver, in proportion for less.

    A driver is reckoned to deliver `orders_per_hour`; never more than `cents_max`. The figures are judgement.
    """

    def __call__(self, view: LoadView, request: OrderRequest) -> Cents:
        return self.worth(view)
