"""The office: the platform's services put together, and its public face to the shop floor.

The floor calls these methods and gets a verdict; the office calls the floor by the bus. It was handed an estimator of
travel times, plain figures, drawn latencies and a recorder, never the world.
"""

from collections.abc import Callable
from functools import partial
from math import inf

from sim.clock import Clock, Timer
from sim.contracts import OrderRequest, Policies, SagaView
from sim.facts import Facts
from sim.platform.arrivals import Arrivals, every_nth
from sim.platform.backend import Backend
from sim.platform.billing import Billing
from sim.platform.breaker import Breaker, Bulkhead, Pool, RetryBudget
from sim.platform.bus import Bus
from sim.platform.desks import Desks
from sim.platform.forecasting import Forecasting, Outlook
from sim.platform.gateway import Feature
from sim.platform.inventory import Inventory
from sim.platform.learning import LearningEstimator
from sim.platform.line import Line
from sim.platform.market import LiveLoadView, asks
from sim.platform.offers import Offers
from sim.platform.orders import CANCELLABLE, Order, OrderBook
from sim.platform.outages import Outages
from sim.platform.payments import Payments
from sim.platform.pricing import Pricer, Validation
from sim.platform.reserving import Reserving
from sim.platform.saga import Saga
from sim.platform.sessions import Command, may
from sim.platform.standby import Standby
from sim.platform.stock_desk import StockDesk
from sim.platform.stock_events import StockEvents
from sim.platform.substitutes import SubstituteDesk
from sim.platform.support_desk import SupportDesk
from sim.platform.tracking import Tracking
from sim.platform.views import LivePositioningView, LiveSourcingView
from sim.platform.watch import Watch
from sim.ports import Estimator, Figures, Latencies, PaymentProvider, Phones
from sim.scenario import Scenario
from sim.scenario.bus import BusSpec
from sim.story import tell
from sim.streams import Die
from sim.vocabulary import (
    BreakerName,
    CancelReason,
    Cents,
    ClientId,
    OrderId,
    OrderState,
    Refusal,
    Rejection,
    Role,
    Step,
    StoreId,
    Svc,
    quantise,
)

_PICKED_UP = OrderState.PICKED_UP
_RESERVE, _RESERVING = Step.RESERVE, frozenset({Step.RESERVE, Step.PREPARE})
_UNSEEN = frozenset({Step.PAY, Step.CONFIRM})
"""With which plans begin that look at the records only later."""
_CUSTOMER = Role.CUSTOMER

NEEDS_HISTORY = frozenset({"corrupted_records", "database_crash", "region_outage"})
"""Faults after which records are rebuilt from their own history; it is recorded only for these."""

QUIET_BUS = BusSpec(loss=0.0, duplicates=0.0)
"""The minimal profile's bus: nothing happens to a message."""


class Office(Desks):
    """The platform of one run.

    Parameters
    ----------
    scenario
        Read for the platform's own settings only.
    figures, outlook, latencies
        What the platform was told about the operation, and of demand; how long its hops take.
    estimator, provider, phones
        The outside as the platform can reach it.
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        scenario: Scenario,
        policies: Policies,
        figures: Figures,
        outlook: Outlook,
        latencies: Latencies,
        estimator: Estimator,
        provider: PaymentProvider,
        phones: Phones,
        die: Callable[[str], Die],
    ) -> None:
        platform = scenario.platform
        self._env, self._facts, self._policies, self.figures = env, facts, policies, figures
        self.learning = None
        if asks(policies.eta):
            estimator = self.learning = LearningEstimator(env, estimator, policies.eta, figures, scenario.midnight_s)
        self._estimator, self._promise = estimator, platform.promise
        quiet = platform.profile == "minimal"
        self.bus = Bus(env, facts, latencies.bus_s, QUIET_BUS if quiet else platform.bus, die("bus"))
        self.book = OrderBook(facts, self.bus.published)
        recorded = not quiet and any(fault.kind in NEEDS_HISTORY for fault in scenario.faults)
        self.inventory = Inventory(
            facts, figures.stores, figures.skus, env=env,
            events=StockEvents(env, figures.stores, figures.skus, keep_s=_kept_s(scenario)) if recorded else None,
        )  # fmt: skip
        forecasting = Forecasting(env, facts, self.inventory, policies.forecast, outlook)
        self.stock = StockDesk(
            env, facts, self.inventory, policies.replenishment, forecasting, self.bus, scenario.stores.review.picker_units
        )  # fmt: skip
        self.tracking = Tracking(figures, estimator, phones)
        track = platform.tracking
        self._judged = 0 if quiet else track.judge_every or every_nth(scenario.demand.orders_per_day)
        self.arrivals = Arrivals(
            facts, figures, estimator, self.tracking, policies.locating, push_s=track.push_s, luck=die("eta.push")
        )
        self._open_s = (0.0, 0.0)  # the opening window that was met last
        self.queues = [0] * figures.stores
        self._pickers_on = [0] * figures.stores
        self._at_store, self._shifts, self._roles = {}, {}, platform.auth.roles
        self._keep_fees = scenario.payments.keep_fee_on_failed
        self._sourcing_view = LiveSourcingView(env, figures, self.inventory, self.queues, self.tracking)
        self.backend: Backend | None = None
        self.line = Line(env, platform.offline_after_s)
        breaker, budget, denied = Breaker(enabled=False), RetryBudget(), None
        if not quiet:
            back = self.backend = Backend(
                env, facts, scenario, figures, self.inventory, self.book, self.bus, self.tracking, self.line, policies.fraud, die
            )  # fmt: skip
            back.windows_s = latencies.window_s
            breaker, denied = back.breakers[BreakerName.PROVIDER], self._denied
            rule = platform.retries
            budget = RetryBudget(rule.budget_ratio, rule.budget_most, enabled=rule.budget)
        self.payments = Payments(
            env, facts, self.book, provider, scenario.payments, len(latencies.submit_s),
            hop_s=None if self.backend is None else self.backend.front.pay_s, breaker=breaker, budget=budget,
            places=Bulkhead(scenario.payments.compartment, Pool(scenario.payments.pool)), quiet=quiet,
            service=None if self.backend is None else self.backend.cluster.services[Svc.PAYMENTS],
        )  # fmt: skip
        if self.backend is not None:
            self.backend.monitoring.charging = self.payments.charging
        load, dear = LiveLoadView(env, self.book, self.tracking, figures), asks(policies.pricing)
        self._quote = partial(policies.pricing, load) if dear else None
        pricer = Pricer(platform.pricing, platform.delivery_fee_cents, die("pricing.codes"), surcharged=dear)
        self.billing = Billing(
            facts, self.book, self.payments, pricer, figures.prices_cents,
            None if self.backend is None else partial(self.backend.front.degradation.enabled, Feature.PROMOTIONS),
        )  # fmt: skip
        self.substitutes = SubstituteDesk(
            facts, self.book, self.inventory, self.billing, policies.substitution, figures.prices_cents, figures.categories,
            self._allows,
        )  # fmt: skip
        self.reserving = Reserving(
            env, facts, self.inventory, policies.reservation, latencies.window_s, die("reservation.jitter"),
            hold_s=platform.hold_s, on_expired=_expired,
        )  # fmt: skip
        if self.backend is not None:
            service = self.backend.cluster.services[Svc.INVENTORY]
            self.reserving.answers = lambda: service.answers
        self._submit_s, self._window_s = latencies.submit_s, latencies.window_s
        self._midnights = [
            at_s for day in scenario.days() if 0 < (at_s := scenario.midnight_s + day * 86_400.0) < scenario.end_s
        ]
        self.saga = Saga(
            env, facts, self.book, self.inventory, self.bus, self.payments, self.billing, self.reserving, policies,
            calls=self.backend, denied=denied, promise=self._promised_s,
            call_off=self._cancel, restart_s=platform.restart_s, retries=platform.retries,
        )  # fmt: skip
        silence_s = platform.accept_window_s + platform.bus.redeliver_s + 2.0 * latencies.bus_s
        self.offers = Offers(
            env, facts, self.bus, self.tracking, figures, estimator, policies.dispatch,
            orders=len(latencies.submit_s),
            window_s=quantise(platform.accept_window_s), give_up_s=quantise(platform.give_up_s),
            give_up=self._cancel, move=self.book.move, patience_s=None if quiet else quantise(silence_s),
            bonus=partial(policies.incentive, load) if asks(policies.incentive) else None,
            dispatch=None if self.backend is None else self.backend.cluster.services[Svc.DISPATCH],
            notifications=None if self.backend is None else self.backend.cluster.services[Svc.NOTIFICATIONS],
        )  # fmt: skip
        load.offers = self.offers
        on_call = scenario.drivers.on_call
        self.standby = None if on_call is None else Standby(
            env, facts, self.bus, self.offers, self.tracking, figures, on_call
        )  # fmt: skip
        self._asks_at_end = getattr(policies.positioning, "at_end", "stay") != "stay"
        self._positioning_view = LivePositioningView(env, figures, estimator, self.tracking, self.offers)
        if self.backend is not None:
            self.offers.watch = Watch(
                env, facts, self.book.open, figures, estimator, self.tracking, platform.tracking, self.offers.take_back
            )
            self.backend.monitoring.stalled = self.offers.watch.look
        self.outages = Outages(
            env,
            figures.stores,
            self.book,
            self.inventory,
            self.payments,
            self.saga,
            self.offers,
            self._cancel,
            self.cancel,
            None if self.backend is None else self.backend.monitoring,
        )
        self.line.on_back = self.outages.hear
        self.support = SupportDesk(
            facts, self.book, self.payments, self.billing, self.outages, self._allows, scenario.support.refund_max_cents
        )

    # -- the calendar -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Set in motion what the platform does of its own accord: books are settled at every midnight."""
        if self.backend is not None:
            self.backend.start()
        if self.learning is not None:
            tell(self.learning.lessons())
        if self.standby is not None:
            tell(self.standby.rounds())
        for at_s in self._midnights:
            Timer(self._env, at_s - self._env.now, lambda _: self.payments.settle())

    def close(self) -> None:
        """The run is over: settle what has not been settled, and mend what can be mended."""
        if self.inventory.recorded:
            self.inventory.heal()
        self.payments.settle()

    # -- the gateway: customers --------------------------------------------------------------------------------------

    @property
    def now_s(self) -> float:
        """Seconds since the start."""
        return self._env.now

    @property
    def open_orders(self) -> int:
        """Orders that entered and have not ended."""
        return len(self.book.open)

    @property
    def drivers_on(self) -> int:
        """Drivers on shift."""
        return self.tracking.on_shift

    @property
    def asks_surcharges(self) -> bool:
        """Whether there may be any: else nobody needs to ask for a quote."""
        return self._quote is not None

    def quote(self, request: OrderRequest) -> int:
        """The surcharge that a customer is shown at the checkout, cents."""
        return 0 if self._quote is None or not self._is_open(self._env.now) else self._quote(request)

    def walked_away(self, request: OrderRequest) -> None:
        """A customer found the surcharge too much."""
        self._reject(request, Rejection.TOO_DEAR)

    def place(self, request: OrderRequest, role: Role = _CUSTOMER) -> Rejection | None:
        """A customer wants to order: None when the order entered, else why not."""
        if role is not _CUSTOMER and self._roles and not may(role, Command.PLACE_ORDER):
            self._facts.request_refused(order=request.order, refusal=Refusal.NOT_ALLOWED)
            return Rejection.UNAUTHORISED
        now, backend = self._env.now, self.backend
        if backend is not None and backend.front.repeats(request.order):
            self._facts.request_refused(order=request.order, refusal=Refusal.DUPLICATE)
            return Rejection.REPEATED
        if self.outages.region_down:
            return self._unserved(request)
        if not self._is_open(now):
            return self._reject(request, Rejection.CLOSED)
        if not self._policies.admission(self, request):
            return self._reject(request, Rejection.OVERLOADED)
        store = self._policies.sourcing(self._sourcing_view, request)
        if store is None:
            return self._reject(request, Rejection.OUT_OF_ZONE)
        self._check_store("sourcing", store)
        if self.outages.refuses(store):
            return self._unserved(request)
        plan = self._policies.saga(SagaView(request.order, request.value_cents))
        if plan[0] in _UNSEEN and not self.outages.blind(store):
            # Whoever reserves last looks first: nobody is charged, or told yes, for what is all gone.
            first, available = store * self.figures.skus, self.inventory.available
            if Validation.against_stock(request.skus, request.units, available, first) is not None:
                return self._reject(request, Rejection.SOLD_OUT)
        delay_s = self._submit_s[request.order]
        if backend is not None:
            seen = backend.shopping.ordered(request, store)
            if isinstance(seen, Rejection):
                return self._reject(request, seen)
            request = seen
            rejection, served_s = backend.front.enter(request)
            if rejection is not None:
                return self._reject(request, rejection)
            delay_s += served_s
        order = Order(request, store, plan, now)
        self.book.enter(order)
        if order.surcharge_cents:
            self._facts.order_surcharged(order=order.id, cents=Cents(order.surcharge_cents))
        if backend is not None:
            order.way, order.draws = backend.front.way, backend.front.draws
            if plan[0] in _RESERVING:
                ahead = self.reserving.window_ahead and plan[0] is _RESERVE
                delay_s = backend.begin(order, delay_s, self._window_s[order.id] if ahead else 0.0)
        self.saga.start(order, delay_s)
        return None

    def _unserved(self, request: OrderRequest) -> Rejection:
        """Nobody is there who could take the order: a request that failed."""
        if self.backend is not None:
            self.backend.front.placed.append(inf)
        return self._reject(request, Rejection.UNAVAILABLE)

    def browse(self, store: StoreId, category: int, number: int) -> None:
        """A customer looks at a page of a store's catalogue (`reads: explicit`); `number` counts such looks."""
        assert self.backend is not None
        self.backend.reads.browse(store, category, number, reachable=not self.outages.region_down)

    def follow(self, order: OrderId, number: int, *, nearby: bool) -> bool:
        """A customer's app looks at an order, or for drivers nearby (`reads: explicit`); False when the order is over."""
        assert self.backend is not None
        return self.backend.reads.follow(order, number, nearby=nearby, reachable=not self.outages.region_down)

    @property
    def looks_s(self) -> tuple[float, float] | None:
        """Time between two such looks at an order, and for drivers nearby, seconds; None: nobody looks one by one."""
        if self.backend is None or not self.backend.explicit:
            return None
        return self.backend.reads.status_s, self.backend.reads.nearby_s

    def _denied(self, order: Order) -> None:
        if self.backend is not None:
            self.backend.shopping.denied(order)

    def _is_open(self, now: float) -> bool:
        if self._open_s[0] <= now < self._open_s[1]:
            return True
        for window in self.figures.open_s:
            if window[0] <= now < window[1]:
                self._open_s = window
                return True
        return False

    def _reject(self, request: OrderRequest, reject: Rejection) -> Rejection:
        if self.backend is not None:
            self.backend.front.idempotency.forget(request.order)
        self._facts.order_rejected(
            order=request.order, client=request.client, node=request.node, cell=request.cell, reject=reject
        )
        return reject

    def cancel(self, order_id: OrderId, actor: int, role: Role = _CUSTOMER) -> bool:
        """A customer no longer wants an order, or support calls it off.

        True when it will be cancelled, False when it is too late or over, or not the actor's to cancel.
        """
        order = self.book.open.get(order_id)
        if order is None or order.failing is not None:
            return self._over(order_id)
        if self.line.dead:
            if role == _CUSTOMER:  # the app tries again; at support's desk somebody sees that nothing came of it
                self.outages.unheard(order_id, ClientId(actor))
            return False
        if not self._allows(Command.CANCEL_ORDER, role, actor, order):
            return False
        mine = role == _CUSTOMER
        if mine and self.backend is not None:
            if not self.backend.front.knows(actor, order_id):
                return self._refuse(order, Refusal.NOT_ALLOWED)
            if not self.backend.front.may_change(actor):
                return self._refuse(order, Refusal.RATE_LIMITED)
        reason = CancelReason.CUSTOMER if mine else CancelReason.SUPPORT
        if order.state < OrderState.CONFIRMED:
            # The saga is under way: it stops at its next step and compensates.
            order.cancel_reason = order.cancel_reason or reason
            return True
        if order.state not in CANCELLABLE:
            return self._refuse(order, Refusal.TOO_LATE)
        if mine and order.accepted and self.backend is not None:
            self.backend.history.cancelled_late(ClientId(actor), self._env.now)
        self._cancel(order, reason)
        return True

    def refund(self, order_id: OrderId, cents: Cents, role: Role, actor: int) -> bool:
        """Support lets a customer off some of an order's price; see `sim.platform.support_desk`."""
        return self.support.refund(order_id, cents, role, actor)

    def _promised_s(self, order: Order) -> float:
        """Now plus the estimated time to the door with some slack, at least the floor of the promise."""
        now, store = self._env.now, order.store
        queue = self.queues[store]
        self.queues[store] = queue + 1
        pick_s = self.figures.pick_s(len(order.held), order.to_pick)
        wait_s = pick_s * queue / max(self._pickers_on[store], 1)
        ride_s = self._estimator.to_customer_s(store, order.node, now)
        estimate = (wait_s + pick_s + ride_s + self.figures.door_s) * self._promise.slack
        return now + max(self._promise.floor_s, estimate)


def _expired(order: Order) -> None:
    """An order's hold ran out: its saga, which may be waiting for the provider, must not confirm it."""
    order.cancel_reason = order.cancel_reason or CancelReason.EXPIRED


def _kept_s(scenario: Scenario) -> float:
    """How far back the records' history must reach: to the oldest recovery point that a fault may ask for, seconds."""
    regions = [(fault.rpo_h + fault.rto_h) * 3600.0 + fault.dns_s for fault in scenario.faults]
    return max([3600.0, *regions])
