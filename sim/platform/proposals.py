"""What the platform cannot do of what a dispatch policy proposes, and why.

A driver whose vehicle will not do for an order is noted as one who has declined it, so that the policy does not try the same
again.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf

from sim.contracts import Offer
from sim.platform.orders import Order
from sim.platform.tracking import Tracking
from sim.ports import Figures
from sim.vocabulary import DriverId, InputError, NodeId, OrderId, Refusal, StoreId


class Proposals:
    """Looks at offers before they are made.

    Parameters
    ----------
    waiting
        Orders without a driver; live.
    orders
        How many requests to order there can be: theirs are the numbers below.
    """

    def __init__(self, waiting: Mapping[OrderId, Order], tracking: Tracking, figures: Figures, orders: int) -> None:
        self._waiting, self._tracking, self._orders = waiting, tracking, orders
        self._loads_litres = [figures.loads_litres[profile] for profile in figures.driver_profiles]
        ranges_m = [figures.ranges_m[profile] for profile in figures.driver_profiles]
        self._ranges_m = ranges_m if min(ranges_m, default=inf) < inf else None
        self._restricted = figures.restricted
        self._store_nodes, self._homes, self._metres = figures.store_nodes, figures.driver_homes, figures.metres

    def refusal(self, offer: Offer) -> Refusal | None:
        """Why an offer cannot be made; None: it can.

        Raises
        ------
        InputError
            There never was such an order, or there is no such driver.
        """
        number, driver, along = offer
        order = self._waiting.get(number)
        if order is None:
            return self._not_waiting(number)
        if not self._tracking.is_idle(driver):
            return self.not_idle(driver)
        if order.declined is not None and driver in order.declined:
            return Refusal.ALREADY_DECLINED
        if along:
            return self._of_tour(order, driver, along)
        if order.litres > self._loads_litres[driver]:
            # Nobody is offered what the vehicle cannot carry; asked once, the policy does not try the same again.
            decline(order, driver)
            return Refusal.TOO_HEAVY
        if self._needs_a_person(order, driver):
            decline(order, driver)
            return Refusal.NOT_ALLOWED
        if self._out_of_range(driver, order.store, [order.node]):
            decline(order, driver)
            return Refusal.OUT_OF_RANGE
        return None

    def _not_waiting(self, number: OrderId) -> Refusal:
        if not 0 <= number < self._orders:
            raise InputError(f"policies.dispatch: expected an order of the view, got {number}, which nobody placed.")
        return Refusal.ORDER_NOT_WAITING

    def not_idle(self, driver: DriverId) -> Refusal:
        """Nothing can be proposed to a driver who has work, or is not there.

        Raises
        ------
        InputError
            There is no such driver in the scenario.
        """
        drivers = len(self._loads_litres)
        if not 0 <= driver < drivers:
            raise InputError(f"policies.dispatch: expected a driver of this scenario (below {drivers}), got {driver}.")
        return Refusal.DRIVER_NOT_IDLE

    def is_machine(self, driver: DriverId) -> bool:
        """Whether it is a vehicle with a range, which waits at its own store and nowhere else."""
        return self._ranges_m is not None and self._ranges_m[driver] < inf

    def _needs_a_person(self, order: Order, driver: DriverId) -> bool:
        """Whether somebody must look at a proof of age, and what has a range cannot."""
        if not self.is_machine(driver) or not self._restricted:
            return False
        return any(self._restricted[sku] for sku in order.skus)

    def _out_of_range(self, driver: DriverId, store: StoreId, nodes: Sequence[NodeId]) -> bool:
        """Whether a vehicle with a range could not get from its store by some customers and back; others start there too."""
        if self._ranges_m is None or self._ranges_m[driver] == inf:
            return False
        if store != self._homes[driver]:
            return True
        places = [self._store_nodes[store], *nodes, self._store_nodes[store]]
        return sum(self._metres(one, other) for one, other in pairwise(places)) > self._ranges_m[driver]

    def _of_tour(self, first: Order, driver: DriverId, along: tuple[OrderId, ...]) -> Refusal | None:
        if self._needs_a_person(first, driver):
            return Refusal.NOT_ALLOWED
        litres, known = first.litres, {first.id}
        for number in along:
            order = self._waiting.get(number)
            if order is None:
                return self._not_waiting(number)
            if number in known:
                return Refusal.ORDER_NOT_WAITING
            if order.store != first.store:
                return Refusal.OTHER_STORE
            if order.declined_by(driver):
                return Refusal.ALREADY_DECLINED
            known.add(number)
            if self._needs_a_person(order, driver):
                return Refusal.NOT_ALLOWED
            litres += order.litres
        # Each of them may fit alone: the policy is told, and nothing is remembered.
        if litres > self._loads_litres[driver]:
            return Refusal.TOUR_TOO_HEAVY
        nodes = [first.node, *(self._waiting[number].node for number in along)]
        return Refusal.OUT_OF_RANGE if self._out_of_range(driver, first.store, nodes) else None


def decline(order: Order, driver: DriverId) -> None:
    """Note that a driver will not have an order."""
    if order.declined is None:
        order.declined = set()
    order.declined.add(driver)
