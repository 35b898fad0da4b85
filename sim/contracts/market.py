"""What policies see and decide of prices and pay: surcharges for customers, bonuses for drivers."""

from typing import Protocol

from sim.contracts.dispatch import WaitingOrder
from sim.contracts.orders import OrderRequest
from sim.vocabulary import Cents


class LoadView(Protocol):
    """How busy drivers are now, and how many orders are expected."""

    @property
    def now_s(self) -> float: ...
    @property
    def open_orders(self) -> int:
        """Orders that entered and have not ended."""

    @property
    def waiting(self) -> int:
        """Orders that no driver has been offered or has accepted."""

    @property
    def drivers_on(self) -> int:
        """Drivers on shift, as far as the platform knows."""

    @property
    def drivers_idle(self) -> int: ...
    def expected_orders(self, within_s: float) -> float:
        """Orders expected within so many seconds from now, by what is known of the day."""


class Pricing(Protocol):
    """The surcharge on the delivery fee that a customer is shown at the checkout, cents, 0 or more.

    May have an attribute `nothing`, true where it never asks for any: then it is not asked.
    """

    def __call__(self, view: LoadView, request: OrderRequest) -> Cents: ...


class Incentive(Protocol):
    """The bonus with which an order is offered to a driver, cents, 0 or more; paid when it is handed over.

    May have an attribute `nothing`, true where there is never any: then it is not asked.
    """

    def __call__(self, view: LoadView, order: WaitingOrder) -> Cents: ...
