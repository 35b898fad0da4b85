"""Incentive: whoever is asked after others have declined is offered more."""

from dataclasses import dataclass

from policies.tide import within
from sim.contracts import LoadView, WaitingOrder
from sim.vocabulary import Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class ByDeclines:
    """Offer an order with `cents` more for each driver who has declined it, at most `cents_max`.

    What nobody wants is paid better and the rest is not: an ascending price, as in a Dutch auction run backwards. The figures
    are judgement.
    """

    cents: int = 100
    cents_max: int = 500

    def __post_init__(self) -> None:
        within(self, 0, 100_000, "cents", "cents_max")

    def __call__(self, view: LoadView, order: WaitingOrder) -> Cents:
        return Cents(min(self.cents * len(order.declined or ()), self.cents_max))
