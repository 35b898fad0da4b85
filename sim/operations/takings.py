"""What drivers take in at the door beside their hours: the pay of the way, and what customers give them."""

from collections.abc import Callable, Sequence
from math import log

from sim.facts import Facts
from sim.scenario.drivers import Pay
from sim.streams import Die
from sim.vocabulary import Cents, DriverId, NodeId, OrderId, StoreId


def way_cents(pay: Pay, metres: float) -> int:
    """What the way to a customer brings, straight from the store, cents; on a tour too."""
    return round(pay.km_cents * metres / 1000.0)


class Takings:
    """Pay of the way, and tips.

    Parameters
    ----------
    pay
        Share of customers who tip and the mean of what they give (exponential); what a kilometre brings.
    luck
        Keyed draws by order: whoever brings it, a customer gives the same.
    metres, store_nodes, nodes
        Straight-line distance between two nodes; the node of each store; the address of each order as it was given.
    machines
        Drivers whom nobody tips or pays.
    """

    def __init__(
        self, facts: Facts, pay: Pay, luck: Die, metres: Callable[[int, int], float], store_nodes: Sequence[NodeId],
        nodes: Sequence[int], machines: frozenset[DriverId] = frozenset(),
    ) -> None:  # fmt: skip
        self._facts, self._pay, self._luck, self._machines = facts, pay, luck, machines
        self._metres, self._store_nodes, self._nodes = metres, store_nodes, nodes

    def served(self, order: OrderId, store: StoreId, driver: DriverId) -> None:
        """A customer was just handed an order from a store."""
        if driver in self._machines:
            return
        pay = self._pay
        if pay.km_cents:
            cents = way_cents(pay, self._metres(self._store_nodes[store], self._nodes[order]))
            self._facts.way_paid(driver=driver, order=order, cents=Cents(cents))
        if pay.tip_share:
            gives, much = self._luck.pair(order)
            if gives < pay.tip_share:
                cents = round(-pay.tip_cents * log(1.0 - much))
                if cents:
                    self._facts.tip_given(driver=driver, order=order, cents=Cents(cents))
