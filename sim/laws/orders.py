"""Law 4: every order goes its way along the table and ends once; so does its saga; its task lives once."""

from sim.laws.base import Law
from sim.vocabulary import OrderState
from sim.world.build import World

S = OrderState
# The law's own copy of the table, so that a mistake in the platform's is noticed.
_NEXT = {
    S.CREATED: {S.PENDING_PAYMENT, S.CONFIRMED, S.CANCELLED},
    S.PENDING_PAYMENT: {S.CONFIRMED, S.PAYMENT_FAILED, S.CANCELLED},
    S.CONFIRMED: {S.PACKED, S.CANCELLED},
    S.PACKED: {S.ASSIGNED, S.CANCELLED},
    S.ASSIGNED: {S.PICKED_UP, S.PACKED, S.CANCELLED},
    S.PICKED_UP: {S.DELIVERED, S.CANCELLED},
}


# By number, with a last row for an order that is not open: it may go nowhere. Names looked up once: this runs for each fact.
_LEGAL = [[state in _NEXT.get(before, ()) for state in OrderState] for before in OrderState] + [
    [False] * len(OrderState)
]
_CREATED, _CONFIRMED, _PICKED_UP, _DELIVERED = S.CREATED, S.CONFIRMED, S.PICKED_UP, S.DELIVERED


class Orders(Law):
    """Books of every open order."""

    name = "orders"

    def __init__(self, world: World) -> None:
        super().__init__()
        self._state: dict[int, int] = {}
        self._seen: set[int] = set()
        self._tasks: set[int] = set()
        self._tasked: set[int] = set()
        self._over: dict[int, bool] = {}
        self._packed: set[int] = set()
        self._failed: set[int] = set()

    def order_entered(
        self,
        t: float,
        order: int,
        client: int,
        store: int,
        cell: int,
        node: int,
        lines: int,
        units: int,
        value_cents: int,
    ) -> None:
        """A new order."""
        if order in self._seen:
            self.breach(t, f"order {order} entered twice")
        self._seen.add(order)
        self._state[order] = _CREATED

    def order_moved(self, t: float, order: int, state: int) -> None:
        """A transition."""
        before = self._state.get(order, -1)
        if not _LEGAL[before][state]:
            self.breach(t, f"order {order} went from {before} to {state}")
        if state >= _DELIVERED:
            if self._failed and order in self._failed and state == _DELIVERED:
                self.breach(t, f"order {order} could not be handed over and ended as delivered")
            self._state.pop(order, None)
            settled = self._over.pop(order, None)
            if settled is None or settled != (state == _DELIVERED):
                self.breach(t, f"order {order} ended as {OrderState(state).name.lower()}, its saga {settled}")
            if order in self._tasks:
                self.breach(t, f"order {order} ended with an open task")
        else:
            self._state[order] = state

    def saga_ended(self, t: float, order: int, settled: bool) -> None:
        """A saga settled or compensated."""
        if order in self._over or order not in self._state:
            self.breach(t, f"the saga of order {order} ended twice, or after its order")
        self._over[order] = settled

    def task_opened(self, t: float, order: int, store: int, ready_s: float) -> None:
        """A delivery task began."""
        if order in self._tasks or order in self._tasked or self._state.get(order) != _CONFIRMED:
            self.breach(t, f"a task of order {order} opened twice or for an order that is not confirmed")
        self._tasks.add(order)
        self._tasked.add(order)

    def task_closed(self, t: float, order: int, ended: int) -> None:
        """A delivery task ended."""
        if order not in self._tasks:
            self.breach(t, f"a task of order {order} closed that was not open")
        self._tasks.discard(order)

    def pick_started(self, t: float, order: int, picker: int, store: int) -> None:
        """Nobody picks what was not confirmed, or was called off."""
        if self._state.get(order) != _CONFIRMED:
            self.breach(t, f"order {order} was picked in state {self._state.get(order)}")

    def handover_failed(self, t: float, driver: int, order: int, node: int, reason: int) -> None:
        """Once, and only of what is on its way."""
        if order in self._failed or self._state.get(order) != _PICKED_UP:
            self.breach(t, f"order {order} failed at the door in state {self._state.get(order)}, or twice")
        self._failed.add(order)

    def goods_left(self, t: float, order: int, store: int) -> None:
        """Nothing leaves that the platform does not know to be picked up."""
        if self._state.get(order) != _PICKED_UP:
            self.breach(t, f"order {order} left store {store} in state {self._state.get(order)}")
