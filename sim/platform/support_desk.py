"""The office's desk for customers who were served: agents see an order, and give back some of what was paid for it.

An order that has ended leaves the book. Of those whose customers will have something to say, the desk keeps what the
platform's database has of all of them. What is given passes one method, which looks at the role, at what is left of the
price, and at what an agent may give without a lead, and writes the audit's line.
"""

from collections.abc import Callable, Sequence

from sim.facts import Facts
from sim.platform.billing import Billing, left_of
from sim.platform.orders import Order, OrderBook
from sim.platform.outages import Outages
from sim.platform.payments import Payments
from sim.platform.sessions import Command, may
from sim.ports import OrderStatus
from sim.vocabulary import END_STATES, Cents, OrderId, Refusal, Role, SkuId, Units

Lines = Sequence[tuple[SkuId, int]]
"""SKUs and units of an order."""


class SupportDesk:
    """Who sees orders, and who gives money back for them.

    Parameters
    ----------
    allows
        Whether somebody may give a command about an order; if not, that is a fact.
    agent_max_cents
        What may be given back of an order, by the staff's own decision, by who may not `REFUND_MORE`.
    """

    def __init__(
        self,
        facts: Facts,
        book: OrderBook,
        payments: Payments,
        billing: Billing,
        outages: Outages,
        allows: Callable[[Command, Role, int, Order], bool],
        agent_max_cents: int,
    ) -> None:
        self._facts, self._book, self._payments, self._billing = facts, book, payments, billing
        self._outages, self._allows, self._agent_max_cents = outages, allows, agent_max_cents
        self._kept: dict[OrderId, Order] = {}
        self._given: dict[OrderId, int] = {}

    @property
    def reachable(self) -> bool:
        """Whether there is a platform to look anything up on."""
        return not self._outages.region_down

    def keep(self, order_id: OrderId) -> None:
        """Keep an order at hand after its end: somebody will ask about it."""
        self._kept[order_id] = self._book.open[order_id]

    def close(self, order_id: OrderId) -> None:
        """Nobody will ask about it any more."""
        self._kept.pop(order_id, None)

    def _find(self, order_id: OrderId) -> Order | None:
        return self._book.open.get(order_id) or self._kept.get(order_id)

    def _asked_for(self, order_id: OrderId) -> Order | None:
        """An order by its number; None, and a fact, when the desk does not have it any more, or never had."""
        order = self._find(order_id)
        if order is None:
            self._refuse(order_id, Refusal.TOO_LATE)
        return order

    def see(self, order_id: OrderId, actor: int, role: Role) -> OrderStatus | None:
        """What the platform says of an order; None when there is no such order, or it is none of the actor's business."""
        order = self._asked_for(order_id)
        if order is None or not self._allows(Command.SEE_ORDER, role, actor, order):
            return None
        return OrderStatus(order.state, order.promised_s, order.wanted, tuple(order.held))

    def worth(self, order_id: OrderId, wrong: Lines, more_cents: int) -> Cents:
        """What would be given for lines that were wrong and `more_cents` of goodwill, as far as it is left; cents."""
        order = self._find(order_id)
        return Cents(0) if order is None else Cents(self._worth(order, wrong, more_cents))

    def _worth(self, order: Order, wrong: Lines, more_cents: int) -> int:
        return min(self._billing.disputed(order, wrong) + more_cents, left_of(order))

    def needs_lead(self, order_id: OrderId, cents: int) -> bool:
        """Whether so much is more than an agent may give back of an order, after what was given before."""
        return self._given.get(order_id, 0) + cents > self._agent_max_cents

    def make_good(self, order_id: OrderId, wrong: Lines, more_cents: int, actor: int, role: Role) -> Cents:
        """Give back what was paid for lines that were wrong, and `more_cents`; returns what was given, cents.

        What was not in the bag has been paid for once, so it is given back for once: units of which more are disputed than
        the app says were brought are refused.
        """
        order = self._asked_for(order_id)
        if order is None:
            return Cents(0)
        held = dict(order.held)
        if any(units > held.get(sku, 0) for sku, units in wrong):
            self._refuse(order_id, Refusal.DUPLICATE)
            return Cents(0)
        cents = Cents(self._worth(order, wrong, more_cents))
        if not self.refund(order_id, cents, role, actor):
            return Cents(0)
        self._billing.gone(order, wrong)
        for sku, units in wrong:
            held[sku] -= units
            self._facts.line_disputed(order=order_id, sku=sku, units=Units(units))
        order.held = list(held.items())
        return cents

    def refund(self, order_id: OrderId, cents: Cents, role: Role, actor: int) -> bool:
        """Let a customer off some of an order's price, cents; True when it is done.

        Only from when the order stands packed and its saga has nothing left to do: until then lines may still be found
        missing, whose price is given back as well, and together that could be more than was paid.
        """
        if not self.reachable:
            return False  # nobody hears it
        order = self._asked_for(order_id)
        if order is None:
            return False
        if order.failing is not None:
            return self._refuse(order_id, Refusal.TOO_LATE)
        if not self._allows(Command.REFUND, role, actor, order):
            return False
        if not (order.planned and order.committed):
            return self._refuse(order_id, Refusal.TOO_EARLY)
        if not 0 < cents <= left_of(order):
            return self._refuse(order_id, Refusal.TOO_MUCH)
        if self.needs_lead(order_id, cents) and not may(role, Command.REFUND_MORE):
            return self._refuse(order_id, Refusal.NOT_ALLOWED)
        self._given[order_id] = self._given.get(order_id, 0) + cents
        self._facts.goodwill_given(order=order_id, cents=cents, role=role, actor=actor)
        self._payments.refund(order, cents)
        if order.state in END_STATES:
            self._book.amend(order)
        return True

    def _refuse(self, order_id: OrderId, refusal: Refusal) -> bool:
        self._facts.request_refused(order=order_id, refusal=refusal)
        return False
