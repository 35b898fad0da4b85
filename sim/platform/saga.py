"""The saga orchestrator: an order's checkout as a list of steps, each with the compensation that undoes it.

A plan is a policy; its steps are named, and how each is done and undone stands here. The state of a saga is data on the
order (plan, step, attempt, what was undone) and stands in the orchestrator's durable log; the generators only execute
it. So the orchestrator may crash at any moment: whoever was running is gone, and on its return every saga goes on from
what is written, doing the step under way once more. Every step can be done twice and every compensation undone twice
with the effect of once. Compensation runs over the finished steps and the one under way, last first.
"""

from collections.abc import Callable, Generator
from math import inf
from typing import Any

from sim.clock import Clock, Timer
from sim.contracts import Policies, SubstitutionView
from sim.facts import Facts
from sim.platform.billing import Billing
from sim.platform.breaker import RetryBudget
from sim.platform.bus import Bus
from sim.platform.inventory import Inventory
from sim.platform.orders import CANCELLABLE, LATER, Calls, Order, OrderBook, Outcome
from sim.platform.payments import Payments
from sim.platform.reserving import Reserving
from sim.ports import Cancellation, PickJob
from sim.scenario.services import RetrySpec
from sim.story import Signal, Story, tell_while
from sim.vocabulary import (
    END_STATES,
    CancelReason,
    OrderId,
    OrderState,
    Refusal,
    Step,
    StoreId,
    Svc,
    Topic,
    quantise,
)

_CONFIRMED, _DELIVERED, _CANCELLED = OrderState.CONFIRMED, OrderState.DELIVERED, OrderState.CANCELLED
_PAYMENT_FAILED = OrderState.PAYMENT_FAILED
_INVENTORY, _TELL_STORE = Svc.INVENTORY, Topic.ORDER_CONFIRMED

_ASKED_AHEAD = frozenset({Step.RESERVE, Step.PREPARE})
"""With which plans begin whose first call was made, and waited for, on the way here."""

_NOT_YET = object()


class Crashed(Exception):
    """The orchestrator died at this point; raised only by tests' `kill`."""


class Saga:
    """Executes the plans of orders.

    Parameters
    ----------
    calls
        How the other services are called; None where that takes no time and never fails.
    denied
        Told of an order of which the records denied something; None: nobody cares.
    promise
        Gives the time an order will be promised for, seconds since the start.
    retries
        How often a service that does not answer is asked, and the pauses between, before an order is dead-lettered.
    call_off
        Cancels a confirmed order, wherever it is.

    Attributes
    ----------
    kill
        For tests: called with (order, point, step) at every boundary; True crashes the orchestrator there.
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        book: OrderBook,
        inventory: Inventory,
        bus: Bus,
        payments: Payments,
        billing: Billing,
        reserving: Reserving,
        policies: Policies,
        *,
        calls: Calls | None,
        denied: Callable[[Order], None] | None,
        promise: Callable[[Order], float],
        call_off: Callable[[Order, CancelReason], None],
        restart_s: float,
        retries: RetrySpec,
    ) -> None:
        self._env, self._facts, self._book, self._inventory, self._bus = env, facts, book, inventory, bus
        self.payments, self._billing, self._reserving = payments, billing, reserving
        self._policies, self._calls, self._denied = policies, calls, denied
        self._promise, self._call_off, self._restart_s = promise, call_off, restart_s
        self._retries, self._life = retries, payments.charging.life
        self._budget = RetryBudget(retries.budget_ratio, retries.budget_most, enabled=retries.budget)
        self.up = True
        self._down = 0
        self.blind: Callable[[StoreId], bool] | None = None  # whether a store's records are out of reach
        self.kill: Callable[[OrderId, str, Step], bool] | None = None
        self._do: dict[Step, Callable[[Order], Outcome]] = {
            Step.RESERVE: self._reserve,
            Step.PAY: self._pay,
            Step.CONFIRM: self._confirm,
            Step.RESERVE_AND_PAY: self._reserve_and_pay,
            Step.PREPARE: self._prepare,
            Step.COMMIT: self._commit,
        }
        self._undo: dict[Step, Callable[[Order], None]] = {
            Step.RESERVE: inventory.release,
            Step.PAY: payments.undo,
            Step.CONFIRM: lambda order: None,  # the store and the driver are told when everything else is undone
            Step.RESERVE_AND_PAY: self._undo_both,
            Step.PREPARE: self._abort,
            Step.COMMIT: self._undo_both,
        }

    # -- the orchestrator itself ---------------------------------------------------------------------------------------

    def start(self, order: Order, delay_s: float) -> None:
        """Begin an order's saga after a delay, or as soon as the orchestrator is up again."""
        if self.up:
            if delay_s:
                Timer(self._env, delay_s, self._begin, (order, self._life.number))
            else:
                self._go_on(order)

    def _begin(self, event: Timer) -> None:
        order, life = event._value
        if life != self._life.number:
            return
        if self._calls is not None and self._calls.lost(order):
            self._facts.request_lost(order=order.id)
            order.call = None  # nobody has asked for the goods yet
            again_s = self._calls.again_s(order)
            if again_s < inf:
                self.start(order, again_s)
                return
            order.cancel_reason = order.cancel_reason or CancelReason.UNPROCESSABLE
        self._go_on(order)

    def crash(self) -> None:
        """Every saga under way stops where it is; what it was waiting for happens without it."""
        self._down += 1
        self.up = False
        self._life.end()

    def restart(self) -> None:
        """Take up every unfinished saga from the durable log, once every crash is over."""
        self._down -= 1
        if self._down:
            return
        self.up = True
        for order in list(self._book.open.values()):
            if not self.up:
                return  # it died again at once; the next restart begins anew
            if order.failing is not None:
                self._unwind(order)
            elif not order.planned:
                order.resumed, order.call = order.unknown, None  # a call under way is made anew
                self._facts.saga_resumed(order=order.id, step=order.plan[min(order.step, len(order.plan) - 1)])
                self._go_on(order)

    def _boundary(self, order: Order, point: str, step: Step) -> None:
        if self.kill is not None and self.kill(order.id, point, step):
            self.crash()
            Timer(self._env, quantise(self._restart_s), lambda _: self.restart())
            raise Crashed

    def _go_on(self, order: Order, waited_for: Any = _NOT_YET) -> None:
        """Execute an order's plan from the step it stands at; `waited_for`: what came of that step, when it had to wait."""
        plan = order.plan
        try:
            while order.step < len(plan):
                step, failure = plan[order.step], waited_for
                if failure is _NOT_YET:
                    if self.kill is not None:
                        self._boundary(order, "before", step)
                    failure = self._do[step](order) if order.cancel_reason is None else None
                    if failure is not None:
                        if failure is LATER:
                            return
                        if not isinstance(failure, OrderState):
                            tell_while(self._wait(order, failure), self._life)
                            return
                waited_for = _NOT_YET
                if order.state in END_STATES:
                    # The order ended while this step was under way: what the step did meanwhile is undone as well.
                    self._undo[step](order)
                    self._book.amend(order)
                    return
                if self.kill is not None:
                    self._boundary(order, "done", step)
                if order.cancel_reason is not None:
                    failure = _CANCELLED
                if failure is not None:
                    self._fail(order, failure)
                    return
                self._facts.saga_step_done(order=order.id, step=step)
                order.step += 1
                if self.kill is not None:
                    self._boundary(order, "logged", step)
        except Crashed:
            return
        order.planned = True
        if order.cleared is not None:
            order.cleared.ring()

    def _wait(self, order: Order, step: Story) -> Story:
        self._go_on(order, (yield from step))

    # -- steps -----------------------------------------------------------------------------------------------------

    def _asked(self, order: Order) -> Story:
        """Call the inventory service; False when it did not answer however often it was asked: dead-lettered."""
        assert self._calls is not None
        if self._calls.answered(order):
            return True  # the call was made, and waited for, on the way here
        pause_s, vain_s = self._retries.base_s, 0.0
        for tried in range(order.plan[0] in _ASKED_AHEAD, self._retries.attempts):
            if tried:
                if not self._budget.retry():
                    break
                yield Timer(self._env, quantise(vain_s + pause_s))
                pause_s = min(2.0 * pause_s, self._retries.cap_s)
            hop_s = self._calls.hop_s(order.id, _INVENTORY)
            if hop_s < inf:
                yield Timer(self._env, quantise(hop_s))
                return True
            vain_s = self._calls.vain_s(_INVENTORY)
        if vain_s:
            yield Timer(self._env, quantise(vain_s))
        order.cancel_reason = CancelReason.UNPROCESSABLE
        return False

    def _reserve(self, order: Order) -> Outcome:
        calls = self._calls
        if not self._budget.full:
            self._budget.first()
        if (self.blind is None or not self.blind(order.store)) and (calls is None or calls.answered(order)):
            held = self._reserving.at_once(order, waited=calls is not None)
            if held:
                return self._reserved(order)
            return self._reserving_story(order, self._reserving.run if held is None else self._reserving.run_again)
        return self._reserve_story(order)

    def _reserve_story(self, order: Order) -> Story:
        if self.blind is not None and self.blind(order.store):
            yield from self._reserving.run_blind(order)
            return self._reserved(order)
        if self._calls is not None and not (yield from self._asked(order)):
            return _CANCELLED
        return (yield from self._reserving_story(order, self._reserving.run))

    def _reserving_story(self, order: Order, mechanism: Callable[[Order], Story]) -> Story:
        if not (yield from mechanism(order)):
            order.cancel_reason = CancelReason.CONTENTION
            return _CANCELLED
        return self._reserved(order)

    def _reserved(self, order: Order) -> OrderState | None:
        """The records have answered: go on with what there is, or give the order up."""
        held = 0
        for _, units in order.held:
            held += units
        order.to_pick = held
        wanted = order.wanted
        if held < wanted:
            if self._denied is not None:
                self._denied(order)
            if not (held and self._policies.substitution(SubstitutionView(order.id, wanted, wanted - held))):
                order.cancel_reason = CancelReason.OUT_OF_STOCK
                return _CANCELLED
            self._billing.trim(order)
        return None

    def _pay(self, order: Order) -> Outcome:
        return self._billing.charge(order, capture=True, done=self._charged)

    def _charged(self, order: Order, paid: bool | None) -> None:
        if paid is not None:
            self._go_on(order, None if paid else _PAYMENT_FAILED)

    def _reserve_and_pay(self, order: Order) -> Story:
        both, left = Signal(), 2
        ends: list[OrderState | None] = [None, None]

        def half(place: int, step: Outcome) -> Story:
            nonlocal left
            ends[place] = yield from _story(step)
            left -= 1
            if not left:
                both.ring()

        tell_while(half(0, self._billing.charging(order, capture=True)), self._life)
        tell_while(half(1, self._reserve(order)), self._life)
        if left:
            yield both
        return ends[1] if ends[1] is not None else ends[0]

    def _prepare(self, order: Order) -> Story:
        if not self._budget.full:
            self._budget.first()
        if self.blind is not None and self.blind(order.store):
            yield from self._reserving.run_blind(order)
            return (yield from self._billing.charging(order, capture=False))
        if self._calls is not None and not (yield from self._asked(order)):
            return _CANCELLED
        if not (yield from self._reserving.prepare(order)):
            order.cancel_reason = CancelReason.CONTENTION
            return _CANCELLED
        failure = self._reserved(order)
        if failure is not None:
            return failure
        return (yield from self._billing.charging(order, capture=False))

    def _commit(self, order: Order) -> Story:
        # Everybody has voted yes, so there is no way back: the provider is asked until it answers.
        while not self.payments.capture(order):
            yield Timer(self._env, quantise(self._retries.cap_s))
        self._reserving.commit_prepared(order)
        return None

    def _confirm(self, order: Order) -> OrderState | None:
        if order.state >= _CONFIRMED:
            return None
        order.confirmed_s = self._env.now
        order.promised_s = self._promise(order)
        self._book.move(order, _CONFIRMED)
        self._facts.order_promised(order=order.id, promised_s=order.promised_s)
        job = PickJob(order.id, order.store, tuple(order.held), order.to_pick, order.confirmed_s, order.promised_s)
        self._bus.publish(_TELL_STORE, order.store, job)
        return None

    # -- compensation ----------------------------------------------------------------------------------------------

    def _undo_both(self, order: Order) -> None:
        self._inventory.release(order)
        self.payments.undo(order)

    def _abort(self, order: Order) -> None:
        self._reserving.abort_prepared(order)
        self.payments.undo(order)

    def _fail(self, order: Order, end: OrderState) -> None:
        if order.state < _CONFIRMED:
            self._abandon(order, end)
            return
        # The customer was told yes before everything was done: the confirmation is taken back, if the goods are still
        # ours; else they are delivered all the same, and law 3 reports what was not paid.
        if order.state in CANCELLABLE:
            self._facts.confirmation_revoked(order=order.id)
            self._call_off(order, order.cancel_reason or CancelReason.PAYMENT)
        else:
            self._facts.request_refused(order=order.id, refusal=Refusal.TOO_LATE)

    def _abandon(self, order: Order, end: OrderState) -> None:
        if end is _CANCELLED:
            assert order.cancel_reason is not None
            self._facts.order_cancelled(order=order.id, reason=order.cancel_reason)
        order.failing, order.was_confirmed = end, order.state >= _CONFIRMED
        self._unwind(order)

    def _unwind(self, order: Order) -> None:
        """Undo what is left to be undone, and end the order; goes on where a crash left it."""
        if not self.up:
            return
        undone = order.plan[: order.step + 1]
        try:
            while order.undone < len(undone):
                step = undone[len(undone) - 1 - order.undone]
                self._undo[step](order)
                if self.kill is not None:
                    self._boundary(order, "undone", step)
                order.undone += 1
        except Crashed:
            return
        end = order.failing
        assert end is not None
        self._facts.saga_ended(order=order.id, settled=False)
        self._book.move(order, end)
        if order.cleared is not None:
            order.cleared.ring()
        if order.was_confirmed:
            # Last of all: whoever hears of it must find the order ended.
            self._bus.publish(Topic.ORDER_CANCELLED, order.store, Cancellation(order.id, order.store, order.driver))

    def cancel(self, order: Order, reason: CancelReason) -> None:
        """End a confirmed order that has not left the store, or could not be handed over: undo every step, last first."""
        order.cancel_reason = reason
        self._abandon(order, _CANCELLED)

    def settle(self, order: Order) -> None:
        """The order was delivered: its saga is over."""
        self.payments.collected(order)
        self._facts.saga_ended(order=order.id, settled=True)
        self._book.move(order, _DELIVERED)


def _story(step: Any) -> Story:
    """A step as a story, whether it has to wait or not."""
    return (yield from step) if isinstance(step, Generator) else step
