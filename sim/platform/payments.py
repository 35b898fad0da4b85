"""The payment service: it asks the provider to move money, and keeps our books of what it believes has moved.

A charge that gets no answer in time has an *unknown* outcome. It is asked again under the same key, so that the provider
cannot take the money twice; if that fails as well, the order is compensated, and whatever the provider says later (a
late callback, the settlement file at the day's end) is held against our books and given back. A refund that the
provider does not take is owed and tried again until it does.
"""

from array import array
from collections import deque
from collections.abc import Callable

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.platform.breaker import Breaker, Bulkhead, RetryBudget
from sim.platform.charging import Charging, Done, is_paid
from sim.platform.orders import Order, OrderBook
from sim.platform.services import Service
from sim.ports import PaymentProvider
from sim.scenario.business import Payments as Settings
from sim.vocabulary import Cents, Charge, OrderId, PayMethod, quantise

_CAPTURED, _AUTHORISED, _DECLINED, _CASH = Charge.CAPTURED, Charge.AUTHORISED, Charge.DECLINED, PayMethod.CASH


class Payments:
    """Books of every order's money, and the one who talks to the provider.

    Parameters
    ----------
    orders
        How many orders there can be.
    settings
        The scenario's `payments`.
    hop_s
        order -> seconds that our own payment service takes for a charge, infinite when it does not answer.
    service
        That service, whose instances may die with a charge under way; None: none do.
    places
        Calls that may be under way at once: to the provider, and, in its pool, of the whole service.
    quiet
        The minimal profile: pauses between tries take no time.
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        book: OrderBook,
        provider: PaymentProvider,
        settings: Settings,
        orders: int,
        *,
        hop_s: Callable[[Order], float] | None,
        breaker: Breaker,
        budget: RetryBudget,
        places: Bulkhead,
        quiet: bool,
        service: Service | None = None,
    ) -> None:
        self._env, self._facts, self._book, self._provider, self._settings = env, facts, book, provider, settings
        self._quiet, self._service = quiet, service
        self.pool = places.pool
        self.charging = Charging(
            env, facts, provider, settings, self._book_in, hop_s=hop_s, service=service, breaker=breaker, budget=budget,
            places=places,
        )  # fmt: skip
        self.kept = array("q", bytes(8 * orders))  # by our books: captured less refunded
        self.unknown: dict[OrderId, Order] = {}  # compensated while a charge's outcome was unknown
        self._owed: deque[tuple[OrderId, int]] = deque()
        self._unclear: dict[OrderId, int] = {}  # by an earlier file, of orders whose sagas were still asking
        self._retrying = False

    # -- charging ----------------------------------------------------------------------------------------------------

    def charge(self, order: Order, cents: Cents, *, capture: bool = True, done: Done) -> bool | None:
        """Charge an order: whether it is paid (or authorised), None when that takes time; `done` is told then.

        Safe to run again after a crash.
        """
        if is_paid(order):
            return True
        if order.unknown:
            cents = Cents(order.asked_cents)  # a known key is answered for what was asked under it
        else:
            order.asked_cents = cents
        if order.method == _CASH:
            order.due_cents = cents - order.less_cents  # the same when a crash makes the step run again
            return True
        if self._quiet:
            return self._ask_now(order, cents, capture)
        self.charging.begin(order, cents, capture, done)
        return None

    def _ask_now(self, order: Order, cents: Cents, capture: bool) -> bool:
        """Charge where answers take no time and none is lost (the minimal profile): the same without its waiting."""
        while True:
            order.attempt += 1
            self._facts.payment_asked(order=order.id, attempt=order.attempt, cents=cents)
            charge = self._provider.charge(order.id, order.attempt, cents, key=order.attempt, capture=capture).charge
            if charge is not _DECLINED:
                self._book_in(order, charge, cents)
                return True
            self._facts.payment_failed(order=order.id, attempt=order.attempt)
            if order.attempt >= self._settings.attempts_max or order.cancel_reason is not None:
                return False

    def _book_in(self, order: Order, charge: Charge, cents: Cents) -> None:
        order.unknown = False
        if charge is _AUTHORISED:
            order.authorised = True
        else:
            order.paid_cents = cents
            self.kept[order.id] += cents
            self._facts.payment_captured(order=order.id, cents=cents)
            if order.less_cents:
                less, order.less_cents = order.less_cents, 0
                self.refund(order, less)

    def capture(self, order: Order) -> bool:
        """Take what was authorised; False when the provider does not answer now."""
        if order.paid_cents or not order.authorised:
            return True  # done before, or nothing was set aside (cash)
        if not (self._reaches and self._provider.capture(order.id)):
            return False
        order.authorised = False
        self._book_in(order, _CAPTURED, Cents(order.asked_cents))
        return True

    def collected(self, order: Order) -> None:
        """Cash changed hands at the door."""
        if order.method == _CASH and order.due_cents:
            cents, order.due_cents = Cents(order.due_cents), 0
            self._facts.charge_made(order=order.id, attempt=1, cents=cents)
            order.paid_cents += cents
            self._facts.payment_captured(order=order.id, cents=cents)

    # -- giving back -------------------------------------------------------------------------------------------------

    def undo(self, order: Order) -> None:
        """Give everything back that an order has paid, but for fees that are kept.

        A charge whose outcome is unknown is remembered until it is known.
        """
        if order.authorised:
            order.authorised = False
            self._return(order.id, 0)
        self.refund(order, order.paid_cents - order.refunded_cents - order.kept_cents)
        order.due_cents = order.less_cents = 0
        if order.unknown:
            self.unknown[order.id] = order
        else:
            self.unknown.pop(order.id, None)

    def refund(self, order: Order, cents: int) -> None:
        """Give money back, or ask for less at the door; cents; nothing happens for zero."""
        if cents <= 0:
            return
        if not order.paid_cents:
            order.less_cents += cents  # of a charge that is still on its way, or of cash
            if order.due_cents:
                order.due_cents -= cents
            return
        order.refunded_cents += cents
        self.kept[order.id] -= cents
        self._facts.payment_refunded(order=order.id, cents=Cents(cents))
        self._return(order.id, cents)

    @property
    def _reaches(self) -> bool:
        """Whether our service answers and has a connection free."""
        return (self._service is None or self._service.answers) and self.pool.inside < self.pool.most

    def _return(self, order: OrderId, cents: int) -> None:
        if self._owed or not (self._reaches and self._provider.refund(order, Cents(cents))):
            self._owed.append((order, cents))
            if not self._retrying:
                self._retrying = True
                Timer(self._env, quantise(self._settings.refund_retry_s), self._retry)

    def _retry(self, _: Timer) -> None:
        self._retrying = False
        self._flush()
        if self._owed:
            self._retrying = True
            Timer(self._env, quantise(self._settings.refund_retry_s), self._retry)

    def _flush(self) -> None:
        while self._owed and self._reaches and self._provider.refund(self._owed[0][0], Cents(self._owed[0][1])):
            self._owed.popleft()

    # -- what the provider says of its own accord --------------------------------------------------------------------

    def callback(self, order_id: OrderId, attempt: int, charge: Charge, cents: Cents) -> bool:
        """The provider tells of a charge: news if our books do not have it; False when our service does not take it."""
        if not self._reaches:
            return False
        order = self._book.open.get(order_id)
        if order is not None and order.unknown and not order.undone:
            # Its saga is still waiting for exactly this.
            self._facts.callback_came(order=order_id, attempt=attempt, cents=cents, news=True)
            self._book_in(order, charge, cents)
            return True
        order = self.unknown.pop(order_id, None)
        self._facts.callback_came(order=order_id, attempt=attempt, cents=cents, news=order is not None)
        if order is not None:
            self._late(order, charge, cents)
        return True

    def _late(self, order: Order, charge: Charge, cents: Cents) -> None:
        # The order was compensated before its charge became known: the money goes back.
        self._book_in(order, charge, cents)
        self.undo(order)
        if order.id not in self._book.open:
            self._book.amend(order)

    def forget(self, order: Order) -> None:
        """Our books lose an order's money; the next settlement file will show that the provider has it."""
        cents = order.paid_cents - order.refunded_cents
        if cents and order.method != _CASH:
            order.paid_cents -= cents
            self.kept[order.id] -= cents
            self._unclear[order.id] = cents
            self._facts.books_lost(order=order.id, cents=Cents(cents))

    def settle(self) -> None:
        """Hold our books against the provider's settlement file and put right what differs."""
        self._refund_by_file()
        orders, differing, total = 0, 0, 0
        statement, self._unclear = {**self._unclear, **dict(self._provider.settlement())}, {}
        for order_id, kept in statement.items():
            orders += 1
            more = kept - self.kept[order_id]
            if not more:
                continue
            waiting = self._book.open.get(order_id)
            if waiting is not None and not waiting.paid_cents:
                # Its saga is still waiting for the answer, or will ask again: the next file tells.
                self._unclear[order_id] = kept
                continue
            differing += 1
            total += abs(more)
            compensated = self.unknown.pop(order_id, None)
            if compensated is not None:
                self._late(compensated, _CAPTURED, Cents(more))
            else:
                self._unasked(order_id, more)
        for order_id in self._provider.set_aside():
            if order_id not in self._book.open:  # else its saga takes it, or lets it go
                differing += 1
                self.unknown.pop(order_id, None)
                self._return(order_id, 0)
        self._refund_by_file()  # of what the file has brought to light
        self._facts.books_settled(orders=orders, differing=differing, cents=Cents(total))

    def _refund_by_file(self) -> None:
        for order_id, cents in self._owed:
            self._provider.refund(order_id, Cents(cents), by_file=True)
        self._owed.clear()

    def _unasked(self, order_id: OrderId, cents: int) -> None:
        # Charged although our books want nothing of it: a second charge (without keys), or one they have forgotten. What
        # they say of the order was right before and stays so.
        self._return(order_id, cents)
