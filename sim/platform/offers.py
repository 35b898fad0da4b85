"""Delivery tasks and offers: orders that need a driver, and the one dispatcher that asks a policy whom to offer them.

The dispatcher is woken by work (an order to be delivered, a driver who became free, an offer that came to nothing) and
asks the policy once for all that one event brought about, or at the next multiple of the policy's `every_s`.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import Any

from sim.clock import Clock, Timer
from sim.contracts import Dispatch, Reposition, WaitingOrder
from sim.facts import Facts
from sim.platform.bus import Bus
from sim.platform.fleet import FleetAhead
from sim.platform.orders import Order
from sim.platform.proposals import Proposals, decline
from sim.platform.services import Service
from sim.platform.tracking import Tracking
from sim.platform.views import LiveDispatchView
from sim.platform.watch import Watch
from sim.ports import Estimator, Figures, OfferMessage, RideMessage
from sim.vocabulary import (
    NO_ORDER,
    NOBODY,
    CancelReason,
    Cents,
    DriverId,
    InputError,
    NodeId,
    OfferAnswer,
    OrderId,
    OrderState,
    Refusal,
    StoreId,
    TaskEnd,
    Topic,
    quantise,
)

_OFFER = Topic.OFFER
_ACCEPTED, _VOID = OfferAnswer.ACCEPTED, OfferAnswer.VOID
_REMEMBERED = frozenset({Refusal.TOO_HEAVY, Refusal.OUT_OF_RANGE, Refusal.NOT_ALLOWED})
"""Why a driver is not offered an order, nor will be: the same is not tried again."""
_PACKED, _ASSIGNED = OrderState.PACKED, OrderState.ASSIGNED

AT_ONCE_S, AGAIN_S = 0.01, 5.0
"""A dispatch service that is behind by less than the first decides at once; one that is down is asked again after the second
(judgement), seconds."""


class Offers:
    """Tasks without a driver, and offers that are out.

    Parameters
    ----------
    window_s
        Time a driver has to answer, seconds.
    orders
        How many requests to order there can be.
    give_up_s
        A task that has been open for this long without a driver is handed to `give_up`, seconds.
    patience_s
        How long an answer is waited for before the offer counts as expired here too (its message may be lost), seconds;
        None: for ever, where no message can be lost.
    bonus
        What an order is offered with on top of the usual pay, cents; None: nothing.
    dispatch, notifications
        The services that decide, perhaps late, and that bring offers to phones, as long as they answer; None: always, and
        at once.
    give_up, move
        Called with an order: cancel it (a saga does); make a transition of its state.
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        bus: Bus,
        tracking: Tracking,
        figures: Figures,
        estimator: Estimator,
        policy: Dispatch,
        *,
        orders: int,
        window_s: float,
        give_up_s: float,
        give_up: Any,
        move: Any,
        patience_s: float | None = None,
        bonus: Callable[[Order], Cents] | None = None,
        dispatch: Service | None = None,
        notifications: Service | None = None,
    ) -> None:
        self._env, self._facts, self._bus, self._tracking = env, facts, bus, tracking
        self._policy = policy
        self._every_s = float(getattr(policy, "every_s", 0.0))
        self._holds = self._every_s > 0.0 and bool(getattr(policy, "holds", False))
        self._again_s = 0.0 if self._every_s else quantise(float(getattr(policy, "again_s", 0.0)))
        self._again_set = False
        self._looks_ahead = hasattr(policy, "ahead_s")
        self._window_s, self._give_up_s, self._give_up, self._move = window_s, give_up_s, give_up, move
        self._bonus, self._dispatch, self._notifications = bonus, dispatch, notifications
        self.waiting: dict[OrderId, Order] = {}
        self._proposals = Proposals(self.waiting, tracking, figures, orders)
        self.opened = [0] * figures.stores  # tasks so far, and by the customers' cells
        self.opened_from = [0] * (max(figures.cell, default=0) + 1)
        self._offered: dict[OrderId, Order] = {}
        self._asked_of: dict[DriverId, OrderId] = {}
        self._along: dict[OrderId, Sequence[Order]] = {}  # what an offer of this order asks to take along
        self._patience_s = patience_s
        self._silent: deque[tuple[float, OrderId, DriverId]] = deque()
        self._listening = False
        # By number: an order that is over is not to live on until its time would have come.
        self._deadlines: deque[tuple[float, OrderId]] = deque()
        self._asked = False
        self.watch: Watch | None = None  # told of rides that begin
        self.closed = False  # nobody is offered anything
        self._watching = False
        self._ahead = FleetAhead(figures, estimator, tracking)
        self._view = LiveDispatchView(env, self, tracking, self._ahead, estimator, figures)

    # -- tasks -------------------------------------------------------------------------------------------------------

    def open(self, order: Order, ready_s: float) -> None:
        """An order will be packed at `ready_s` and needs a driver."""
        order.tasked, order.opened_s = True, self._env.now
        order.ready_s = order.expected_s = ready_s
        order.give_up_at_s = order.opened_s + self._give_up_s
        self.waiting[order.id] = order
        self.opened[order.store] += 1
        self.opened_from[order.cell] += 1
        self._facts.task_opened(order=order.id, store=order.store, ready_s=ready_s)
        self._deadlines.append((order.give_up_at_s, order.id))
        if not self._watching:
            self._watch()
        self.wake()

    def close(self, order: Order, ended: TaskEnd) -> None:
        """The task of an order is over."""
        if order.tasked:
            order.tasked = False
            self.waiting.pop(order.id, None)
            self._offered.pop(order.id, None)
            self._facts.task_closed(order=order.id, ended=ended)

    def undispatched(self) -> Iterator[WaitingOrder]:
        """Orders that are neither offered nor accepted, oldest first; the platform may change under the iteration."""
        return iter(list(self.waiting.values()))

    def _watch(self) -> None:
        # Tasks open in order of time and may all wait equally long, so one timer for the oldest serves them all.
        deadlines = self._deadlines
        while deadlines and deadlines[0][1] not in self.waiting and deadlines[0][1] not in self._offered:
            deadlines.popleft()  # somebody has it
        if deadlines and not self._watching:
            self._watching = True
            Timer(self._env, max(deadlines[0][0] - self._env.now, 0.0), self._expire)

    def _expire(self, _: Timer) -> None:
        self._watching = False
        if self.closed:
            return
        while self._deadlines and self._deadlines[0][0] <= self._env.now:
            number = self._deadlines.popleft()[1]
            if number in self.waiting:
                self._give_up(self.waiting[number], CancelReason.NO_DRIVER)
            elif number in self._offered:
                self._offered[number].overdue = True  # an offer is out: the driver's answer decides
        self._watch()

    def reopen(self) -> None:
        """Orders are offered again; those that have waited too long meanwhile are given up."""
        self.closed = False
        self._watch()
        self.wake()

    # -- the dispatcher ----------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Something changed that may allow an offer."""
        if self._asked or not self.waiting or not self._tracking.idle_count or self.closed:
            return
        self._asked = True
        delay = -self._env.now % self._every_s if self._every_s else 0.0
        if delay:
            # Last of all that happens at that moment.
            Timer(self._env, delay, lambda _: self._env.afterwards(self._decide))
        else:
            self._env.afterwards(self._decide)

    def _again(self, _: Timer) -> None:
        self._asked = False
        self.wake()

    def _once_more(self, _: Timer) -> None:
        self._again_set = False
        self.wake()

    def _decide(self, _: Timer | None = None) -> None:
        self._asked = False
        if self.closed:
            return
        if self._dispatch is not None:
            late_s = self._dispatch.lag_s(self._env.now)
            if late_s > AT_ONCE_S:
                # Nobody is told of it: the orders wait, and the dispatcher tries again.
                self._asked = True
                if late_s == inf:
                    Timer(self._env, AGAIN_S, self._again)
                else:
                    Timer(self._env, quantise(late_s), self._late)
                return
        self._choose()

    def _late(self, _: Timer) -> None:
        self._asked = False
        if not self.closed:
            self._choose()

    def _choose(self) -> None:
        """Make the offers that the policy wants."""
        too_heavy = False
        for offer in self._policy(self._view):
            if isinstance(offer, Reposition):
                self._send(*offer)
                continue
            refusal = self._proposals.refusal(offer)
            if refusal is None:
                along = [self.waiting[order] for order in offer.along] if offer.along else ()
                self._offer(self.waiting[offer.order], offer.driver, along)
            else:
                too_heavy |= refusal in _REMEMBERED and not offer.along
                self._facts.proposal_refused(order=offer.order, driver=offer.driver, refusal=refusal)
        if too_heavy:
            # The driver is still free and a lighter order may wait behind; each such refusal is remembered, so this ends.
            self.wake()
        elif self._holds and self.waiting and self._tracking.idle_count:
            # What was held back is looked at again at the next step of the grid.
            self._asked = True
            Timer(self._env, self._every_s - self._env.now % self._every_s, self._again)
        elif self._again_s and self.waiting and self._tracking.idle_count and not self._again_set:
            self._again_set = True
            Timer(self._env, self._again_s, self._once_more)

    def _offer(self, order: Order, driver: DriverId, along: Sequence[Order]) -> None:
        order.driver = driver
        del self.waiting[order.id]
        self._offered[order.id] = order
        stops: Sequence[tuple[OrderId, NodeId]] = ()
        if along:
            self._along[order.id] = along
            for each in along:
                each.driver = driver
                self._offered[each.id] = self.waiting.pop(each.id)
            stops = [(each.id, each.node) for each in along]
        self._tracking.busy(driver)
        self._asked_of[driver] = order.id
        if self._patience_s is not None:
            self._silent.append((self._env.now + self._patience_s, order.id, driver))
            if not self._listening:
                self._listen()
        self._facts.offer_made(order=order.id, driver=driver)
        bonus_cents = 0
        if self._bonus is not None:
            bonus_cents = self._bonus(order)
            if bonus_cents:
                self._facts.bonus_offered(order=order.id, driver=driver, cents=Cents(bonus_cents))
        message = OfferMessage(order.id, driver, order.store, order.node, self._window_s, stops, bonus_cents)
        self._show(_OFFER, driver, message)

    def _show(self, topic: Topic, driver: DriverId, message: OfferMessage | RideMessage) -> None:
        """Send something to a driver's phone, if the service that does so answers."""
        if self._notifications is None or self._notifications.answers:
            self._bus.publish(topic, driver, message)

    def _send(self, driver: DriverId, store: StoreId) -> None:
        """Tell a driver without work to ride to a store."""
        if not 0 <= store < len(self.opened):
            raise InputError(
                f"policies.dispatch: expected a store of this scenario (below {len(self.opened)}), got {store}."
            )
        now, tracking = self._env.now, self._tracking
        if not tracking.is_idle(driver):
            self._facts.proposal_refused(order=NO_ORDER, driver=driver, refusal=self._proposals.not_idle(driver))
        elif self._proposals.is_machine(driver):
            self._facts.proposal_refused(order=NO_ORDER, driver=driver, refusal=Refusal.OUT_OF_RANGE)
        elif tracking.bound_for(driver) != store or tracking.overdue(driver, now):
            self._facts.driver_sent(driver=driver, store=store)
            tracking.sent(driver, store, now)
            self._show(Topic.REPOSITION, driver, RideMessage(driver, store, now))

    def _listen(self) -> None:
        # Offers are made in order of time and waited for equally long: one timer for the oldest serves them all.
        silent = self._silent
        while silent and self._asked_of.get(silent[0][2]) != silent[0][1]:
            silent.popleft()
        self._listening = bool(silent)
        if silent:
            Timer(self._env, max(silent[0][0] - self._env.now, 0.0), self._no_answer)

    def _no_answer(self, _: Timer) -> None:
        order, driver = self._silent.popleft()[1:]
        if self._asked_of.get(driver) == order:
            self.answered(order, driver, OfferAnswer.EXPIRED)
        self._listen()

    # -- answers -----------------------------------------------------------------------------------------------------

    def answered(self, order_id: OrderId, driver: DriverId, answer: OfferAnswer) -> bool:
        """Take a driver's answer (or the close of the window); True when the driver now has the order."""
        if self._asked_of.get(driver) != order_id:
            # Nobody waits for this answer any more: it took too long, or it came twice.
            self._facts.offer_answered(order=order_id, driver=driver, answer=_VOID)
            return False
        del self._asked_of[driver]
        order = self._offered.pop(order_id, None)
        if order is None:
            answer = _VOID
        # Of what was to be taken along, some may have been called off meanwhile.
        along: Sequence[Order] = ()
        if self._along:
            along = [each for each in self._along.pop(order_id, ()) if self._offered.pop(each.id, None) is not None]
        self._facts.offer_answered(order=order_id, driver=driver, answer=answer)
        if answer is _ACCEPTED:
            assert order is not None
            order.accepted, order.accepted_s = True, self._env.now
            if order.state is _PACKED:
                self._move(order, _ASSIGNED)
            last = order
            for each in along:
                self._facts.order_bundled(order=each.id, driver=driver, first=order_id)
                each.accepted, each.accepted_s, each.before = True, order.accepted_s, last
                last = each
                if each.state is _PACKED:
                    self._move(each, _ASSIGNED)
            if self._looks_ahead:
                tour = [order, *along]
                ready_s = max(each.ready_s for each in tour)
                self._ahead.engaged(driver, order.store, ready_s, [each.node for each in tour], self._env.now)
            if self.watch is not None:
                for each in (order, *along):
                    self.watch.accepted(each)
            self._tracking.leaves(driver)
            return True
        if self._looks_ahead and answer is not _VOID:
            self._ahead.declined(driver)
        for each in along if order is None else (order, *along):
            each.driver = DriverId(NOBODY)
            if answer is not _VOID:
                decline(each, driver)
            self._wait_again(each)
            if each.overdue:
                self._give_up(each, CancelReason.NO_DRIVER)
        self._tracking.idle_again(driver, self._env.now)
        self.wake()
        return False

    def take_back(self, order: Order) -> None:
        """An order is taken from the driver who accepted it, and waits for another, as long as it would have anyway."""
        driver = order.driver
        self._facts.order_taken_back(order=order.id, driver=driver)
        decline(order, driver)
        order.driver, order.accepted, order.accepted_s, order.before = DriverId(NOBODY), False, inf, None
        if order.state is _ASSIGNED:
            self._move(order, _PACKED)
        self._wait_again(order)
        deadline = order.give_up_at_s, order.id
        if deadline not in self._deadlines:
            self._deadlines = deque(sorted((deadline, *self._deadlines)))
        Timer(self._env, max(order.give_up_at_s - self._env.now, 0.0), self._expire)
        self.wake()

    def driver_free(self, driver: DriverId) -> None:
        """A driver has no work any more."""
        if self._looks_ahead:
            self._ahead.free(driver, self._env.now)

    def _wait_again(self, order: Order) -> None:
        """Put an order back among the waiting, in its place by age."""
        self.waiting[order.id] = order
        if len(self.waiting) > 1:
            oldest_first = sorted(self.waiting.values(), key=lambda waiting: (waiting.opened_s, waiting.id))
            self.waiting.clear()  # others keep it: it stays the same dictionary
            self.waiting.update((waiting.id, waiting) for waiting in oldest_first)
