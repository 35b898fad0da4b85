"""Reads that place no order, made one by one (`reads: explicit`): each is a request with calls of its own.

A read that reaches nobody counts as asked in vain.
"""

from math import inf
from typing import TYPE_CHECKING

from sim.clock import Clock
from sim.platform.gateway import Feature
from sim.platform.orders import OrderBook
from sim.vocabulary import Endpoint, OrderId, StoreId, Svc

if TYPE_CHECKING:
    from sim.platform.backend import Backend

_GATEWAY, _CATALOGUE, _INVENTORY = Svc.GATEWAY, Svc.CATALOGUE, Svc.INVENTORY
_FOLLOWED = 64
"""Calls of an order that are draws of its being followed: from this number on, three for each look."""


class Reads:
    """The gateway's answers to who looks.

    Attributes
    ----------
    status_s, nearby_s
        Time between two looks of a customer at an open order's state, and at the drivers nearby, seconds.
    """

    def __init__(self, env: Clock, backend: "Backend", book: OrderBook, status_s: float, nearby_s: float) -> None:
        self._env, self._backend, self._book = env, backend, book
        self.status_s, self.nearby_s = status_s, nearby_s
        self._pages, self._status, self._nearby = (
            backend.monitoring.taken[endpoint]
            for endpoint in (Endpoint.CATALOGUE, Endpoint.ORDER_STATUS, Endpoint.DRIVERS_NEARBY)
        )

    def browse(self, store: StoreId, category: int, number: int, *, reachable: bool = True) -> float:
        """A customer looks at a page; returns the time until it is there, seconds. `reachable`: whether the platform is."""
        latency_s = self._page_s(store, category, number) if reachable else inf
        self._pages.append(latency_s)
        return latency_s

    def _page_s(self, store: StoreId, category: int, number: int) -> float:
        backend, now = self._backend, self._env.now
        front, catalogue = backend.front, backend.reader
        read = OrderId(-1 - number)  # reads are told apart by numbers below zero
        if not front.may_read(read):
            return inf
        latency_s = front.call_s(read, _GATEWAY, now)
        if latency_s == inf:
            return inf
        answer = catalogue.read(store, category, now, reachable=store not in backend.dark)
        if answer is None:
            if not catalogue.breaker_is_open:  # asked in vain
                backend.cluster.services[_CATALOGUE if catalogue.source_is_dead else _INVENTORY].fails()
            return inf
        if answer.coalesced:
            return max(latency_s, answer.ready_s - now)
        if not (answer.hit or answer.stale):
            latency_s += front.call_s(read, _CATALOGUE, now + latency_s)
            latency_s += front.call_s(read, _INVENTORY, now + latency_s) if latency_s < inf else 0.0
        return latency_s

    def follow(self, order_id: OrderId, number: int, *, nearby: bool, reachable: bool = True) -> bool:
        """A customer's app asks for the state of an order, or for drivers nearby; False when the order is over.

        Such a read is about one customer's order, so that no two share an answer. Without live tracking an app asks for
        the state alone. `number` counts the looks at an order; `reachable` as above.
        """
        order = self._book.open.get(order_id)
        if order is None:
            return False
        backend, now = self._backend, self._env.now
        live = backend.front.degradation.enabled(Feature.LIVE_TRACKING)
        if nearby and not live:
            return True
        endpoint, taken = (Endpoint.DRIVERS_NEARBY, self._nearby) if nearby else (Endpoint.ORDER_STATUS, self._status)
        call_s, draws = backend.front.call_s, _FOLLOWED + 3 * number
        latency_s = inf
        if reachable and backend.front.limits.allow(order.client, endpoint, now):
            latency_s = call_s(order_id, _GATEWAY, now, draws)
        if latency_s < inf:
            latency_s += call_s(order_id, Svc.DISPATCH if nearby else Svc.ORDERS, now + latency_s, draws + 1)
        if latency_s < inf and live and not nearby:
            where_s = call_s(order_id, Svc.TRACKING, now + latency_s, draws + 2)
            latency_s += where_s if where_s < inf else 0.0  # the state is shown without the place
        taken.append(latency_s)
        return True
