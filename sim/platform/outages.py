"""Outages of more than a service: a store cut off from its records, and a region lost with everything in it."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from sim.clock import Clock
from sim.platform.inventory import Inventory
from sim.platform.lost_records import Written
from sim.platform.monitoring import Monitoring
from sim.platform.offers import Offers
from sim.platform.orders import Order, OrderBook
from sim.platform.payments import Payments
from sim.platform.saga import Saga
from sim.vocabulary import CancelReason, ClientId, OrderId, OrderState, StoreId

_PICKED_UP = OrderState.PICKED_UP


class Outages:
    """What is out of reach.

    Parameters
    ----------
    stores
        How many there are.
    cancel
        Cancels a confirmed order, wherever it is.
    heard
        Takes a customer's cancellation.
    """

    def __init__(
        self,
        env: Clock,
        stores: int,
        book: OrderBook,
        inventory: Inventory,
        payments: Payments,
        saga: Saga,
        offers: Offers,
        cancel: Callable[[Order, CancelReason], None],
        heard: Callable[[OrderId, ClientId], Any],
        monitoring: Monitoring | None,
    ) -> None:
        self._env = env
        self._stores, self._book, self._inventory, self._payments = stores, book, inventory, payments
        self._saga, self._offers, self._cancel = saga, offers, cancel
        self._heard, self._unheard = heard, list[tuple[OrderId, ClientId]]()
        self._monitoring = monitoring
        self._cut_off: dict[tuple[StoreId, bool], int] = {}
        self._regions = 0
        self._lacks: list[tuple[float, Written]] = []  # of outages that are over while another is in force

    @property
    def region_down(self) -> bool:
        """Whether the whole platform is gone."""
        return self._regions > 0

    def unheard(self, order: OrderId, client: ClientId) -> None:
        """A customer wants to call an order off and reaches nobody; the app tries again when there is somebody."""
        self._unheard.append((order, client))

    def refuses(self, store: StoreId) -> bool:
        """Whether orders for a store are turned away, as its records cannot be reached."""
        return bool(self._cut_off) and (store, False) in self._cut_off

    def cut_off(self, store: StoreId, *, accept: bool) -> None:
        """The network between a store and its records is down: orders are turned away, or sold without looking."""
        if self._monitoring is not None:
            self._saga.blind = self.blind  # no order is asked before
        self._cut_off[store, accept] = self._cut_off.get((store, accept), 0) + 1

    def reconnect(self, store: StoreId, *, accept: bool) -> None:
        """The network is back."""
        self._cut_off[store, accept] -= 1
        if not self._cut_off[store, accept]:
            del self._cut_off[store, accept]

    def blind(self, store: StoreId) -> bool:
        """Whether orders for a store are sold without looking at its records."""
        return bool(self._cut_off) and (store, True) in self._cut_off

    def region_lost(self) -> None:
        """The whole platform is gone: nobody can order, no saga goes on, nobody is offered work, no message arrives.

        The stores' and drivers' devices try for a while, go on with what they have in hand and hand it in.
        """
        self._regions += 1
        if self._monitoring is not None:
            self._monitoring.unreached(self._env.now)
        self._saga.crash()
        self._offers.closed = True

    def region_back(self, until_s: float, written: Written) -> None:
        """Another region has taken over, which lacks what is younger than a recovery point, seconds since the start.

        `written`: the records when the region was lost; what was written since the devices hand in.

        Orders it has never heard of end, if their goods are still in the store; their money is found in the provider's
        settlement file. Records are what they were. Of older orders the devices of stores and drivers know the state.
        """
        self._regions -= 1
        if self._monitoring is not None:
            self._monitoring.reached(self._env.now)
        self._lacks.append((until_s, written))
        if self._regions:
            self._saga.restart()
            return
        until_s, written = min(self._lacks, key=itemgetter(0))  # nobody has come to know more meanwhile
        self._lacks.clear()
        lost = [order for order in self._book.open.values() if order.entered_s > until_s and order.state < _PICKED_UP]
        for order in lost:
            self._payments.forget(order)
            order.cancel_reason = CancelReason.FAILOVER
        self._inventory.recover(written, max(until_s, 0.0))
        self._saga.restart()  # what was not confirmed yet ends by itself
        for order in lost:
            if order.failing is None and order.id in self._book.open:
                self._cancel(order, CancelReason.FAILOVER)
        self._payments.settle()
        self._offers.reopen()

    def hear(self) -> None:
        """The platform can be reached again: apps that were not heard try once more."""
        unheard, self._unheard = self._unheard, []
        for order_id, client in unheard:
            self._heard(order_id, client)
