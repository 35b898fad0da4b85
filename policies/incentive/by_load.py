"""Incentive: bonuses while many orders wait for each driver."""

from dataclasses import dataclass

from policies.tide import within
from sim.contracts import LoadView, WaitingOrder
from sim.vocabulary import Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class ByLoad:
    """Offer orders with `cents` for each that waits for each driver on shift beyond `waiting_per_driver`, at most `cents_max`.

    The figures are judgement.
    """

    waiting_per_driver: float = 0.1
    cents: int = 1000
    cents_max: int = 500

    def __post_init__(self) -> None:
        within(self, 0.0, 1000.0, "waiting_per_driver")
        within(self, 0, 100_000, "cents", "cents_max")

    def __call__(self, view: LoadView, order: WaitingOrder) -> Cents:
        load = view.waiting / max(view.drivers_on, 1)
        return Cents(min(round(self.cents * max(load - self.waiting_per_driver, 0.0)), self.cents_max))
