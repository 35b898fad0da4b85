"""How a charge goes: the provider is asked, perhaps more than once, and what it says is booked.

A charge is a little state machine that timers carry on rather than a story: every order passes here, and nearly always
with one question and one answer. What an end of the life of those who ask (a crash of the orchestrator) leaves under way
is booked nowhere; only its places come free.
"""

from collections.abc import Callable
from math import inf

from sim.clock import Clock, Timer
from sim.facts import Facts
from sim.platform.breaker import Breaker, Bulkhead, RetryBudget
from sim.platform.orders import Order
from sim.platform.scaling import NO_FLIGHT
from sim.platform.services import Service
from sim.ports import PaymentProvider
from sim.scenario.business import Payments as Settings
from sim.story import Life
from sim.vocabulary import BreakerState, Cents, Charge, quantise

_CLOSED = BreakerState.CLOSED
_CAPTURED, _AUTHORISED, _DECLINED, _TIMEOUT = Charge.CAPTURED, Charge.AUTHORISED, Charge.DECLINED, Charge.TIMEOUT


Done = Callable[[Order, bool | None], None]
"""Told of an order whether it is paid (or the money set aside); None: whoever asked died in the meantime."""


def is_paid(order: Order) -> bool:
    """Whether an order's money is captured or set aside; a callback may have brought it about meanwhile."""
    return bool(order.paid_cents) or order.authorised


class _Charge:
    """A charge under way, and how far the customer's present try has come; a crash of the orchestrator ends its `life`."""

    __slots__ = ("answer", "asked", "call", "capture", "cents", "done", "life", "order", "tries", "turn")

    tries: int
    asked: bool
    turn: int  # of the breaker, when the provider was asked

    def __init__(self, order: Order, cents: Cents, capture: bool, life: int, done: Done) -> None:
        self.order, self.cents, self.capture, self.life, self.done = order, cents, capture, life, done
        self.answer = _TIMEOUT
        self.call = NO_FLIGHT  # of our own service


class Charging:
    """Asks the provider for orders' money.

    Parameters
    ----------
    book_in
        Told of an order, what the provider did for it, and of how many cents.
    hop_s, service, breaker, budget, places
        As of `sim.platform.payments.Payments`.

    Attributes
    ----------
    life
        Of those who ask: when it ends, nobody waits for the charges under way any more.
    unavailable
        Charges that were not even tried.
    paid, unpaid
        Tries to charge that came to something, and to nothing: declined, unanswered or not made.
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        provider: PaymentProvider,
        settings: Settings,
        book_in: Callable[[Order, Charge, Cents], None],
        *,
        hop_s: Callable[[Order], float] | None,
        service: Service | None,
        breaker: Breaker,
        budget: RetryBudget,
        places: Bulkhead,
    ) -> None:
        self._env, self._facts, self._provider, self._settings = env, facts, provider, settings
        self._book_in, self._hop_s, self._service = book_in, hop_s, service
        self._breaker, self._budget, self._places = breaker, budget, places
        self._timeout_s = quantise(settings.timeout_s)
        self._again_s, self._retry_s = quantise(settings.again_s), quantise(settings.retry_s)
        self.life = Life()
        self.unavailable = self.paid = self.unpaid = 0

    def begin(self, order: Order, cents: Cents, capture: bool, done: Done) -> None:
        """Charge an order that is not paid."""
        self._try(_Charge(order, cents, capture, self.life.number, done))

    def _try(self, one: _Charge) -> None:
        """The customer tries to pay."""
        # The number of the customer's try is part of the saga's durable state: a try whose outcome is unknown is taken up
        # again under its own number, and so under its own key.
        order = one.order
        if not order.unknown:
            order.attempt += 1
            order.unknown = True  # from the moment of asking until there is an answer
        one.tries, one.asked = 0, order.resumed
        self._ask(one)

    def _ask(self, one: _Charge) -> None:
        """Ask the provider, under the same key as before when there was no answer."""
        order, cents, capture = one.order, one.cents, one.capture
        one.tries += 1
        hop_s = self._hop_s(order) if self._hop_s is not None else 0.0
        breaker, service = self._breaker, self._service
        entered = hop_s < inf and self._places.enter()
        if entered and breaker.state is not _CLOSED and not breaker.allow(self._env.now):
            self._places.leave()
            entered = False
        if not entered:
            self.unavailable += 1
            self._unanswered(one)
            return
        one.turn = breaker.turn
        if one.tries == 1 and not self._budget.full:
            self._budget.first()
        if service is not None:
            one.call = service.epoch, service.last_instance, self._env.now  # a `Flight`
        attempt = order.attempt
        self._facts.payment_asked(order=order.id, attempt=attempt, cents=cents)
        key = attempt if self._settings.idempotency else 8 * attempt + one.tries
        charge, latency_s = self._provider.charge(order.id, attempt, cents, key=key, capture=capture)
        latency_s += hop_s
        if latency_s > self._timeout_s:
            if charge is _CAPTURED or charge is _AUTHORISED:
                self._provider.hung_up(order.id, attempt, charge, cents, after_s=latency_s)
            Timer(self._env, self._timeout_s, self._timed_out, one)
            return
        one.answer = charge
        if latency_s:
            Timer(self._env, latency_s, self._answered, one)
        else:
            self._places.leave()
            self._take(one)

    def _answered(self, event: Timer) -> None:
        one: _Charge = event._value
        self._places.leave()  # whatever became of the one who waits, the places are free when the call is over
        if one.life == self.life.number:
            service = self._service
            # As a rule no instance has died since; that is seen without a call.
            if service is not None and one.call[0] != service.epoch and service.lost(one.call):
                self._lost(one)
            else:
                self._take(one)
        else:
            one.done(one.order, None)

    def _lost(self, one: _Charge) -> None:
        """Our instance that asked has died: the provider has answered nobody, and says so by a callback."""
        order, charge = one.order, one.answer
        if charge is _CAPTURED or charge is _AUTHORISED:
            self._provider.hung_up(order.id, order.attempt, charge, one.cents, after_s=0.0)
        self._unheard(one)

    def _take(self, one: _Charge) -> None:
        """Book what the provider has answered."""
        order, charge = one.order, one.answer
        if not self._breaker.content and one.turn == self._breaker.turn:
            self._breaker.ok(self._env.now)
        if not (order.paid_cents or order.authorised):  # else a callback came meanwhile
            if charge is _DECLINED:
                order.unknown = False
                self._facts.payment_failed(order=order.id, attempt=order.attempt)
                self._failed(one)
                return
            self._book_in(order, charge, one.cents)
        self.paid += 1
        one.done(order, True)

    def _timed_out(self, event: Timer) -> None:
        one: _Charge = event._value
        self._places.leave()
        order = one.order
        if one.life != self.life.number:
            one.done(order, None)
            return
        if one.turn == self._breaker.turn:
            self._breaker.fail(self._env.now)
        self._unheard(one)

    def _unheard(self, one: _Charge) -> None:
        """There is no answer: what became of the charge is unknown, and it is asked for again."""
        order = one.order
        if is_paid(order):
            self._paid(one)
            return
        self._facts.payment_unknown(order=order.id, attempt=order.attempt)
        one.asked = True
        off = order.cancel_reason is not None
        if off or one.tries > self._settings.retries_max or not self._budget.retry():
            self._unanswered(one)
        elif self._again_s:
            Timer(self._env, self._again_s, self._ask_again, one)
        else:
            self._ask(one)

    def _ask_again(self, event: Timer) -> None:
        one: _Charge = event._value
        if one.life != self.life.number:
            one.done(one.order, None)
        elif is_paid(one.order):
            self._paid(one)
        else:
            self._ask(one)

    def _unanswered(self, one: _Charge) -> None:
        """The provider is asked no more in this try; if it ever was, its outcome stays unknown."""
        order = one.order
        if not one.asked:
            order.unknown = False
        if not order.unknown:
            self._facts.payment_failed(order=order.id, attempt=order.attempt)
        self._failed(one)

    def _paid(self, one: _Charge) -> None:
        """What was asked for is there, by a callback."""
        self.paid += 1
        one.done(one.order, True)

    def _failed(self, one: _Charge) -> None:
        """A try of the customer's came to nothing: the charge does, or there will be another try."""
        order = one.order
        self.unpaid += 1
        if order.unknown or order.attempt >= self._settings.attempts_max or order.cancel_reason is not None:
            one.done(order, False)
        elif self._retry_s:
            Timer(self._env, self._retry_s, self._after_pause, one)
        else:
            self._try(one)

    def _after_pause(self, event: Timer) -> None:
        one: _Charge = event._value
        if one.life != self.life.number:
            one.done(one.order, None)
        elif is_paid(one.order):
            one.done(one.order, True)
        else:
            self._try(one)
