"""Customers who tip their driver."""

from math import log

from sim.facts import Facts
from sim.streams import Die
from sim.vocabulary import Cents, DriverId, OrderId


class Tips:
    """Tips at the door.

    Parameters
    ----------
    share, mean_cents
        Share of customers who tip, and the mean of what they give (exponential), cents.
    luck
        Keyed draws by order: whoever brings it, a customer gives the same.
    machines
        Drivers whom nobody tips.
    """

    def __init__(
        self, facts: Facts, share: float, mean_cents: float, luck: Die, machines: frozenset[DriverId] = frozenset()
    ) -> None:
        self._facts, self._share, self._mean_cents, self._luck = facts, share, mean_cents, luck
        self._machines = machines

    def served(self, order: OrderId, driver: DriverId) -> None:
        """A customer was just handed an order."""
        if driver in self._machines:
            return
        gives, much = self._luck.pair(order)
        if gives < self._share:
            cents = round(-self._mean_cents * log(1.0 - much))
            if cents:
                self._facts.tip_given(driver=driver, order=order, cents=Cents(cents))
