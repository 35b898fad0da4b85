"""The order service: what the platform believes about each order, and the one table of legal transitions."""

from collections.abc import Sequence
from enum import Enum
from math import inf
from struct import Struct
from typing import Final, Protocol

from sim.contracts import OrderRequest
from sim.facts import Facts
from sim.platform.pricing import Bill
from sim.platform.scaling import Flight
from sim.story import Signal, Story
from sim.vocabulary import (
    NOBODY,
    CancelReason,
    DriverId,
    OrderId,
    OrderState,
    SkuId,
    Step,
    StoreId,
    Svc,
    Topic,
    Units,
)

S = OrderState


class Later(Enum):
    """What a step of an order's saga comes to will be told by a call."""

    LATER = 0


LATER: Final = Later.LATER

Outcome = OrderState | Story | Later | None
"""Of a step of an order's saga: None when it is done, the end state the order goes to, or, where there is something to wait
for, a story of either or `LATER`."""

TRANSITIONS: Final[dict[OrderState, frozenset[OrderState]]] = {
    S.CREATED: frozenset({S.PENDING_PAYMENT, S.CONFIRMED, S.CANCELLED}),
    S.PENDING_PAYMENT: frozenset({S.CONFIRMED, S.PAYMENT_FAILED, S.CANCELLED}),
    S.CONFIRMED: frozenset({S.PACKED, S.CANCELLED}),
    S.PACKED: frozenset({S.ASSIGNED, S.CANCELLED}),
    S.ASSIGNED: frozenset({S.PICKED_UP, S.PACKED, S.CANCELLED}),
    S.PICKED_UP: frozenset({S.DELIVERED, S.CANCELLED}),
    S.DELIVERED: frozenset(),
    S.PAYMENT_FAILED: frozenset(),
    S.CANCELLED: frozenset(),
}
"""From each state to the states that may follow. An order goes back from assigned to packed when its driver is lost."""

CANCELLABLE: Final = frozenset({S.CONFIRMED, S.PACKED, S.ASSIGNED})
"""States in which a confirmed order may still be called off: the goods are in the store."""

_LEGAL = [[state in TRANSITIONS[before] for state in OrderState] for before in OrderState]


Draws = tuple[Sequence[float], Sequence[float]]
"""Of each call on an order's way in: its luck, and its exponential work, seconds."""

_KEPT = Struct("<4q")

# Looking a member up on its class costs ten times as much as a name.
_CREATED, _DELIVERED = OrderState.CREATED, OrderState.DELIVERED
_NO_DRIVER = DriverId(NOBODY)
_EVENT = Topic.ORDER_EVENT


class IllegalTransition(Exception):
    """An order was asked to make a transition that the table does not know: a bug of ours."""


class Order:
    """What the platform knows about one open order.

    Saga state is data: `plan`, `step`, `attempt`; `planned` when the plan is done; `failing`, `undone` and
    `was_confirmed` while it is undone. A charge is `unknown` from asking to the answer; `resumed` after a crash between.
    """

    __slots__ = (
        "accepted", "accepted_s", "asked_cents", "attempt", "authorised", "before", "bill", "call", "cancel_reason", "cell",
        "cleared", "client", "committed", "confirmed_s", "declined", "done_s", "draws", "driver", "due_cents", "entered_s",
        "expected_s", "failing", "give_up_at_s", "gone_cents", "held", "id", "kept_cents", "left_s", "less_cents", "litres",
        "method", "node", "opened_s", "overdue", "paid_cents", "plan", "planned", "promised_s", "ready_s", "refunded_cents",
        "resumed", "skus", "state", "step", "store", "surcharge_cents", "swapped", "tasked", "to_pick", "undone", "unheld",
        "units", "unknown", "value_cents", "wanted", "was_confirmed", "way",
    )  # fmt: skip

    draws: Draws  # of its calls in the full profile

    def __init__(self, request: OrderRequest, store: StoreId, plan: Sequence[Step], entered_s: float = 0.0) -> None:
        self.id: OrderId = request.order
        self.entered_s = entered_s
        self.call: Flight | None = None  # a call under way to the inventory service
        self.way: tuple[Flight, Flight] | None = None  # of its request: at the gateway and at the order service
        self.client = request.client
        self.node = request.node
        self.cell = request.cell
        self.skus = request.skus
        self.units = request.units
        self.value_cents = request.value_cents
        self.litres = request.litres
        self.surcharge_cents = request.surcharge_cents
        self.store = store
        self.state = _CREATED
        self.plan = plan
        self.step = 0
        self.attempt = 0
        self.held: list[tuple[SkuId, int]] = []
        self.wanted = Units(sum(request.units))
        self.swapped: dict[SkuId, int] | None = None  # what the customer pays for a unit of each substitute, cents
        self.to_pick = 0  # units held when the order was confirmed
        self.committed = False
        self.unheld = False  # sold without holding anything
        self.planned = False
        self.failing: OrderState | None = None
        self.undone = 0
        self.was_confirmed = False
        self.cleared: Signal | None = None  # somebody waits until the plan is done
        self.method = request.method
        self.unknown = False
        self.resumed = False
        self.authorised = False
        self.asked_cents = 0
        self.bill: Bill | None = None
        self.gone_cents = 0  # of the bill's goods: listed value of those that will not come
        self.less_cents = 0  # to be given back once a charge is captured, or not to be collected at the door
        self.due_cents = 0  # cash to be collected at the door
        self.kept_cents = 0  # fees that stay with us whatever is undone
        self.paid_cents = 0
        self.refunded_cents = 0
        self.cancel_reason: CancelReason | None = None
        self.confirmed_s = 0.0
        self.promised_s = 0.0
        self.ready_s = 0.0
        self.opened_s = 0.0
        self.give_up_at_s = 0.0
        self.tasked = False
        self.overdue = False
        self.driver = _NO_DRIVER
        self.accepted = False
        self.declined: set[DriverId] | None = None
        self.expected_s = 0.0  # when it was to be packed, as believed when it began to be picked
        self.accepted_s = self.left_s = self.done_s = inf  # a driver said yes, left with it, was done at the door
        self.before: Order | None = None  # the stop before this one on the driver's tour

    def declined_by(self, driver: DriverId) -> bool:
        """Whether this driver has turned the order down before."""
        return self.declined is not None and driver in self.declined


class Calls(Protocol):
    """Calls of an order to other services."""

    def answered(self, order: Order) -> bool:
        """Whether the call that the saga has just waited for was answered."""

    def hop_s(self, order: OrderId, service: Svc) -> float:
        """Seconds until the answer, infinite when there is none."""

    def vain_s(self, service: Svc) -> float:
        """How long the last call of a service was waited for that got no answer, seconds."""

    def lost(self, order: Order) -> bool:
        """Whether an instance died that had the order's request in hand on its way here."""

    def again_s(self, order: Order) -> float:
        """The app sends the request once more: seconds until it is here, infinite when nobody answers."""


class OrderBook:
    """All orders that have not ended, by id, and the one way to change an order's state."""

    def __init__(self, facts: Facts, published: list[int] | None = None) -> None:
        self._published = published if published is not None else [0] * len(Topic)
        self.open: dict[OrderId, Order] = {}
        self._ended = bytearray()  # all that is kept of orders that have ended: rows of `_KEPT`
        self._facts = facts

    def enter(self, order: Order) -> None:
        """Take an order in; from here on every transition is a fact."""
        self.open[order.id] = order
        self._facts.order_entered(
            order=order.id,
            client=order.client,
            store=order.store,
            cell=order.cell,
            node=order.node,
            lines=len(order.skus),
            units=order.wanted,
            value_cents=order.value_cents,
        )

    def move(self, order: Order, state: OrderState) -> None:
        """Make a transition; an order that ends leaves the book.

        Raises
        ------
        IllegalTransition
            When the table does not allow it.
        """
        if not _LEGAL[order.state][state]:
            raise IllegalTransition(
                f"Order {order.id}: expected a transition the table knows, got {order.state!r} -> {state!r}."
            )
        order.state = state
        self._published[_EVENT] += 1
        self._facts.order_moved(order=order.id, state=state)
        if state >= _DELIVERED:
            del self.open[order.id]
            self._ended += _KEPT.pack(order.id, state, order.paid_cents, order.refunded_cents)

    def amend(self, order: Order) -> None:
        """Note what became of the money of an order that had ended already."""
        self._ended += _KEPT.pack(order.id, order.state, order.paid_cents, order.refunded_cents)

    def everything(self) -> bytes:
        """Rows of four little-endian 64-bit integers, one for every order that ever entered.

        Order, state, cents captured, cents refunded; the last row of an order counts.
        """
        rows = [_KEPT.pack(o.id, o.state, o.paid_cents, o.refunded_cents) for o in self.open.values()]
        return bytes(self._ended) + b"".join(rows)
