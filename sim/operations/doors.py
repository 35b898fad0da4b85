"""At the customer's door: an order is handed over, in part or not at all, and what is left of it comes back to its store."""

import numpy as np

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.operations.shelves import Shelves
from sim.operations.support import Support
from sim.operations.takings import Takings
from sim.platform.office import Office
from sim.scenario.drivers import Drivers
from sim.story import Story
from sim.streams import quick
from sim.vocabulary import CancelReason, DriverId, NodeId, OrderId, StockCause, StoreId, quantise
from sim.world.doors import Doors as Drawn


class Doors:
    """The doors at which not everything is handed over.

    Parameters
    ----------
    drawn
        Who is not there, who is not of age, and what may come back to a shelf.
    drivers
        How long they wait and look.
    support
        Whom customers write to who were wronged; None: nobody.
    takings
        What drivers get at the door; None: nothing.
    """

    def __init__(
        self, env: Clock, facts: Facts, office: Office, shelves: Shelves, drawn: Drawn, drivers: Drivers,
        support: Support | None = None, takings: Takings | None = None,
    ) -> None:  # fmt: skip
        self._env, self._facts, self._office, self._shelves = env, facts, office, shelves
        self._support, self._takings = support, takings
        self._absent, self._underage = drawn.absent, drawn.underage
        self._restricted, self._returnable = quick(drawn.restricted), quick(drawn.returnable)
        self._asks = bool(drawn.restricted.any())
        self._wait_s, self._check_s = quantise(drivers.wait_at_door_s), quantise(drivers.age_check_s)
        self.hand_in_s = quick(drawn.hand_in_s)

    def met(self, order: OrderId, store: StoreId, node: NodeId, driver: DriverId) -> Story:
        """A driver is at the door with an order of a store; True when there is something to bring back."""
        if order in self._absent:
            if self._wait_s:
                yield Timer(self._env, self._wait_s)
            return self.fails(order, node, driver, CancelReason.UNDELIVERABLE)
        kept = False
        # The driver goes by what is in the bag, the office by what was ordered: a picker may have mixed them up.
        ordered = self._office.asks_for_age(order)
        if ordered or self.adults_only(order):
            if self._check_s:
                yield Timer(self._env, self._check_s)
            passed = order not in self._underage
            self._facts.age_checked(driver=driver, order=order, passed=passed)
            if not passed:
                # What nobody ordered cannot be taken off the bill: then all of it goes back.
                if not ordered or all(self._restricted[sku] for sku, _ in self._shelves.totes[order]):
                    return self.fails(order, node, driver, CancelReason.AGE_CHECK)
                kept = self._shelves.keep(order, store, self._restricted)
                self._office.too_young(order, driver)
        if self._support is not None:
            self._support.served(order, kept=kept)
        self._shelves.hand_over(order, driver, node)
        self._office.handed_over(order, driver)
        if self._takings is not None:
            self._takings.served(order, store, driver)
        return kept

    def adults_only(self, order: OrderId) -> bool:
        """Whether something in an order's bag is sold to adults only."""
        return self._asks and any(self._restricted[sku] for sku, _ in self._shelves.totes[order])

    def fails(self, order: OrderId, node: NodeId, driver: DriverId, reason: CancelReason) -> bool:
        """A driver gives an order up, at its door or where the vehicle broke down for good: all of it is to go back."""
        self._facts.handover_failed(driver=driver, order=order, node=node, reason=reason)
        self._office.undelivered(order, driver, reason)
        return True

    def hand_in(self, order: OrderId, driver: DriverId, store: StoreId) -> None:
        """A driver hands in what was brought back: it is scanned onto its shelf again, or thrown away."""
        put_back = self._shelves.come_back(order, store, self._returnable)
        if put_back:
            skus, units = np.array(list(put_back)), np.array(list(put_back.values()))
            self._office.stock.received(store, skus, units, StockCause.RETURNED, order)
        self._facts.tote_handed_in(driver=driver, order=order, store=store)
