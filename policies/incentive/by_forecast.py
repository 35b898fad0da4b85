"""Incentive: bonuses before and while more orders are expected than the drivers on shift can deliver."""

from dataclasses import dataclass

from policies import tide
from sim.contracts import LoadView, WaitingOrder
from sim.vocabulary import Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class ByForecast(tide.ByForecast):
    """Offer orders with `cents` when twice as many are expected within `within_s` as drivers can deliver, less in proportion.

    A driver is reckoned to deliver `orders_per_hour`; never more than `cents_max`. The figures are judgement.
    """

    def __call__(self, view: LoadView, order: WaitingOrder) -> Cents:
        return self.worth(view)
