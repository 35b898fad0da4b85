"""The saga orchestrator: an order's checkout as a list of steps, each with the compensation that undoes it.

A plan is a policy; its steps are named, and how each is done and undone stands here. The state of a saga is data on the
order (plan, step, attempt); the generator only executes it. Compensation runs over the finished steps and the one under
way, last first, and each undo is safe to call when its step never took effect.
"""

from collections.abc import Callable
from typing import Any

import simpy

from sim.clock import Timer
from sim.contracts import Policies, ReservationView, SubstitutionView
from sim.facts import Facts
from sim.platform.bus import Bus, Topic
from sim.platform.inventory import Inventory
from sim.platform.orders import CANCELLABLE, Order, OrderBook, total_cents
from sim.ports import Cancellation, Figures, PaymentProvider, PickJob
from sim.story import Story
from sim.streams import Die
from sim.vocabulary import END_STATES, CancelReason, Cents, OrderState, Refusal, Step, quantise


class Saga:
    """Executes the plans of orders.

    Parameters
    ----------
    submit_s, window_s
        Per order: from the tap to the first step; between reading and writing stock records. Seconds.
    attempts_max, retry_s
        How often a customer tries to pay, and the pause between.
    fee_cents
        Delivery fee on top of the goods.
    promise
        Gives the time an order will be promised for, seconds since the start.
    call_off
        Cancels a confirmed order, wherever it is.
    """

    def __init__(
        self,
        env: simpy.Environment,
        facts: Facts,
        book: OrderBook,
        inventory: Inventory,
        bus: Bus,
        provider: PaymentProvider,
        policies: Policies,
        figures: Figures,
        *,
        submit_s: Any,
        window_s: Any,
        attempts_max: int,
        retry_s: float,
        fee_cents: int,
        promise: Callable[[Order], float],
        call_off: Callable[[Order, CancelReason], None],
        jitter: Die,
    ) -> None:
        self._env, self._facts, self._book, self._inventory, self._bus = env, facts, book, inventory, bus
        self._provider, self._policies, self._figures = provider, policies, figures
        self._submit_s, self._window_s = submit_s, window_s
        self._attempts_max, self._retry_s, self._fee_cents = attempts_max, retry_s, fee_cents
        self._promise, self._call_off, self._jitter = promise, call_off, jitter
        # Confirming takes no time, so it is a plain call; these two wait.
        self._do: dict[Step, Callable[[Order], Story]] = {
            Step.RESERVE: self._reserve,
            Step.PAY: self._pay,
        }
        self._undo: dict[Step, Callable[[Order], None]] = {
            Step.RESERVE: inventory.release,
            Step.PAY: self._refund,
            Step.CONFIRM: lambda order: None,  # the store and the driver are told when everything else is undone
        }

    def run(self, order: Order) -> Story:
        """Execute an order's plan from the step it stands at; returns when it is settled or compensated."""
        delay = self._submit_s[order.id]
        if delay and order.step == 0:
            yield Timer(self._env, delay)
        plan = order.plan
        while order.step < len(plan):
            step = plan[order.step]
            failure: OrderState | None = None
            if order.cancel_reason is None:
                failure = self._confirm(order) if step is Step.CONFIRM else (yield from self._do[step](order))
            if order.state in END_STATES:
                # The order ended while this step was under way: what the step did meanwhile is undone as well, unless
                # the customer has the goods.
                if order.state is not OrderState.DELIVERED:
                    self._undo[step](order)
                self._book.amend(order)
                return
            if failure is None and order.cancel_reason is not None:
                failure = OrderState.CANCELLED
            if failure is not None:
                self._fail(order, failure)
                return
            self._facts.saga_step_done(order=order.id, step=step)
            order.step += 1

    # -- steps: None when done, else the end state the order goes to ---------------------------------------------

    def _reserve(self, order: Order) -> Story:
        inventory, window = self._inventory, self._window_s[order.id]
        attempt = 1
        while True:
            seen = None
            if window:
                seen = inventory.versions(order)
                yield Timer(self._env, window)
            if inventory.reserve(order, seen, attempt):
                break
            chance = self._jitter.uniform(order.id, attempt)
            pause = self._policies.reservation(ReservationView(order.id, attempt, chance))
            if pause is None:
                order.cancel_reason = CancelReason.CONTENTION
                return OrderState.CANCELLED
            yield Timer(self._env, quantise(pause))
            attempt += 1
        held = 0
        for _, units in order.held:
            held += units
        order.to_pick = held
        wanted = order.wanted
        if held < wanted and not (
            held and self._policies.substitution(SubstitutionView(order.id, wanted, wanted - held))
        ):
            order.cancel_reason = CancelReason.OUT_OF_STOCK
            return OrderState.CANCELLED
        return None

    def _pay(self, order: Order) -> Story:
        if order.state is OrderState.CREATED:
            self._book.move(order, OrderState.PENDING_PAYMENT)
        cents = total_cents(order.held, self._figures.prices_cents, self._fee_cents)
        facts = self._facts
        while True:
            order.attempt += 1
            facts.payment_asked(order=order.id, attempt=order.attempt, cents=cents)
            answer = self._provider.charge(order.id, order.attempt, cents)
            if answer.latency_s:
                yield Timer(self._env, answer.latency_s)
            if answer.captured:
                order.paid_cents = cents
                facts.payment_captured(order=order.id, cents=cents)
                return None
            facts.payment_failed(order=order.id, attempt=order.attempt)
            if order.attempt >= self._attempts_max or order.cancel_reason is not None:
                return OrderState.PAYMENT_FAILED
            if self._retry_s:
                yield Timer(self._env, self._retry_s)

    def _confirm(self, order: Order) -> OrderState | None:
        order.confirmed_s = self._env.now
        order.promised_s = self._promise(order)
        self._book.move(order, OrderState.CONFIRMED)
        self._facts.order_promised(order=order.id, promised_s=order.promised_s)
        job = PickJob(order.id, order.store, tuple(order.held), order.to_pick, order.confirmed_s, order.promised_s)
        self._bus.publish(Topic.ORDER_CONFIRMED, job)
        return None

    # -- compensation ----------------------------------------------------------------------------------------------

    def _refund(self, order: Order) -> None:
        self.refund(order, order.paid_cents - order.refunded_cents)

    def refund(self, order: Order, cents: int) -> None:
        """Give money back, cents; nothing happens for zero."""
        if cents > 0:
            order.refunded_cents += cents
            self._facts.payment_refunded(order=order.id, cents=Cents(cents))

    def _fail(self, order: Order, end: OrderState) -> None:
        if order.state < OrderState.CONFIRMED:
            self._abandon(order, end)
        else:
            # The customer was told yes before everything was done: the confirmation is taken back, if the goods are
            # still ours; else they are delivered all the same, and law 3 reports what was not paid.
            if order.state in CANCELLABLE:
                self._call_off(order, order.cancel_reason or CancelReason.PAYMENT)
            else:
                self._facts.request_refused(order=order.id, refusal=Refusal.TOO_LATE)

    def _abandon(self, order: Order, end: OrderState) -> None:
        if end is OrderState.CANCELLED:
            assert order.cancel_reason is not None
            self._facts.order_cancelled(order=order.id, reason=order.cancel_reason)
        confirmed = order.state >= OrderState.CONFIRMED
        self._compensate(order)
        self._book.move(order, end)
        if confirmed:
            # Last of all: whoever hears of it must find the order ended.
            self._bus.publish(Topic.ORDER_CANCELLED, Cancellation(order.id, order.store, order.driver))

    def _compensate(self, order: Order) -> None:
        for step in reversed(order.plan[: order.step + 1]):
            self._undo[step](order)
        self._facts.saga_ended(order=order.id, settled=False)

    def cancel(self, order: Order, reason: CancelReason) -> None:
        """End a confirmed order that has not left the store: undo every step, last first."""
        order.cancel_reason = reason
        self._abandon(order, OrderState.CANCELLED)

    def settle(self, order: Order) -> None:
        """The order was delivered: its saga is over."""
        self._facts.saga_ended(order=order.id, settled=True)
        self._book.move(order, OrderState.DELIVERED)
