"""What prices for customers and bonuses for drivers have in common: a figure of the load, turned into cents."""

from dataclasses import dataclass

from sim.contracts import LoadView
from sim.vocabulary import Cents


def within(policy: object, low: float, high: float, *names: str) -> None:
    """Hold parameters of a policy to a range, both ends included.

    Raises
    ------
    ValueError
        One lies outside.
    """
    for name in names:
        value = getattr(policy, name)
        if not low <= value <= high:
            raise ValueError(f"Expected {name} from {low:g} to {high:g}, got {value}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """The same `cents` whatever happens (0: nothing)."""

    cents: int = 0

    def __post_init__(self) -> None:
        within(self, 0, 100_000, "cents")

    @property
    def nothing(self) -> bool:
        """Whether it never asks for any."""
        return not self.cents


@dataclass(frozen=True, slots=True, kw_only=True)
class ByForecast:
    """`cents` when twice as many orders are expected within `within_s` as drivers can deliver, less in proportion.

    A driver is reckoned to deliver `orders_per_hour`; never more than `cents_max`. The figures are judgement.
    """

    within_s: float = 1800.0
    orders_per_hour: float = 3.0
    cents: int = 400
    cents_max: int = 600

    def __post_init__(self) -> None:
        within(self, 60.0, 86_400.0, "within_s")
        within(self, 0.01, 1000.0, "orders_per_hour")
        within(self, 0, 100_000, "cents", "cents_max")

    def worth(self, view: LoadView) -> Cents:
        """What it comes to now."""
        can = max(view.drivers_on, 1) * self.orders_per_hour * self.within_s / 3600.0
        beyond = (view.expected_orders(self.within_s) + view.waiting) / can - 1.0
        return Cents(min(round(self.cents * max(beyond, 0.0)), self.cents_max))
