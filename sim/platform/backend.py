"""The back end of the full profile: services under load, the gateway, the catalogue's caches, and who watches them.

The minimal profile has none of this. Everything nobody simulates one by one (browsing, polling, pings) is a rate that
loads the services; what an order does itself is called, one service after the other.
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import inf, prod

import numpy as np

from sim.clock import Clock, Timer
from sim.contracts import Fraud
from sim.facts import Facts
from sim.platform.breaker import Breaker
from sim.platform.browsing import Browsed, Setup
from sim.platform.bus import Bus
from sim.platform.catalogue import Catalogue
from sim.platform.cluster import Cluster
from sim.platform.explicit_reads import ExplicitCatalogue
from sim.platform.fraud import History, planted
from sim.platform.front import Front
from sim.platform.gateway import Feature
from sim.platform.home import HomeScreen
from sim.platform.inventory import Inventory
from sim.platform.line import Line
from sim.platform.monitoring import BEAT_S, Monitoring
from sim.platform.orders import Order, OrderBook
from sim.platform.reads import Reads
from sim.platform.regions import Dark
from sim.platform.shopping import Shopping
from sim.platform.tracking import Tracking
from sim.ports import Figures
from sim.scenario import Scenario
from sim.streams import Die
from sim.vocabulary import BreakerName, BreakerState, Endpoint, OrderId, SkuId, StoreId, Svc, Topic, quantise

_INVENTORY, _PAYMENTS, _CATALOGUE = Svc.INVENTORY, Svc.PAYMENTS, Svc.CATALOGUE
_GATEWAY, _NOTIFICATIONS = Svc.GATEWAY, Svc.NOTIFICATIONS
_EVENT, _LIVE = Topic.ORDER_EVENT, Feature.LIVE_TRACKING

POLL_S = 20.0
"""A customer with an open order looks at its status this often, seconds (judgement)."""

NEARBY_S = 30.0
"""A customer with an open order looks for drivers nearby this often, seconds (judgement)."""

CHANGED = 0.1
"""A change of the time to fill a page by less than this share makes no difference (judgement)."""

CHANGES = 6.0
"""Changes of its state that an order on the usual way makes: so many messages to the notification service."""

REPORTS = 5.0
"""Reports of pickers and drivers on the way: begun, packed, offer accepted, picked up, handed over."""

PULLED = 0.8
"""Of what it could take, the notification service pulls so much at most when it has fallen behind (judgement)."""

_ONCE_MORE, _LATER = 14, 15  # calls of an order beside those on its way in, whose draws have numbers of their own

RESEND_S = 2.0
"""An app whose request to order was lost sends it again after this long, seconds (judgement)."""


class Backend:
    """Services, gateway, catalogue and monitoring of one run.

    Parameters
    ----------
    figures
        Holds the traffic to expect and the goods' categories.
    die
        Makes keyed draws by purpose.
    """

    catalogue: Browsed
    reader: ExplicitCatalogue
    reads: Reads
    """Of both only where every read is simulated."""
    shopping: Shopping
    _miss_rate: Callable[[float], float]

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        scenario: Scenario,
        figures: Figures,
        inventory: Inventory,
        book: OrderBook,
        bus: Bus,
        tracking: Tracking,
        line: Line,
        fraud: Fraud,
        die: Callable[[str], Die],
    ) -> None:
        platform = scenario.platform
        self._env, self._facts, self._figures = env, facts, figures
        self._inventory, self._book, self._bus, self._tracking = inventory, book, bus, tracking
        self._reads_per_order, self._ping_s = platform.browsing.reads_per_order, platform.ping_s
        # An app that is refused for asking too often asks as often as it may.
        limits = platform.limits
        status, nearby = (
            1.0 / limit.per_s if limits.on else 0.0 for limit in (limits.order_status, limits.drivers_nearby)
        )
        self._poll_s, self._nearby_s = max(POLL_S, status), max(NEARBY_S, nearby)
        self._lag_s, self._lags = platform.browsing.replica.lag_s, list[float]()
        services = platform.services
        work_s = [getattr(services, svc.name.lower()).work_s for svc in Svc]
        orders_s = figures.peak_orders_s
        reads = orders_s * self._reads_per_order
        peak = self._rates(orders_s, reads, 0.1 * reads, orders_s * 1800.0, figures.drivers)
        self.cluster = Cluster(
            env, services, platform.autoscale, platform.health,
            peak_loads=[rate * work for rate, work in zip(peak, work_s, strict=True)], load=self._load, tick_s=BEAT_S,
        )  # fmt: skip
        self._notifications = self.cluster.services[_NOTIFICATIONS]
        self._on_the_way = self.cluster.services[_GATEWAY], self.cluster.services[Svc.ORDERS]
        self._records = self.cluster.services[_INVENTORY]
        # By service: who else is told when it answers no more, or again.
        self._told = {Svc.TRACKING: tracking.serves, _GATEWAY: line.moved, Svc.ORDERS: line.moved}
        for svc, service in zip(Svc, self.cluster.services, strict=True):
            service.on_answers = partial(self._answers_again, svc)
        self.history = History(platform.fraud, figures.metres)
        clients = scenario.customers.clients
        self.front = Front(
            env, facts, self.cluster, platform, work_s, hop_s=quantise(platform.submit_s), luck=die("hops"),
            fraud=fraud, history=self.history, clients=clients, skus=figures.skus,
            fraudsters=planted(die("fraud.planted"), clients, platform.fraud.planted_share),
            closed=np.flatnonzero(planted(die("accounts.closed"), clients, platform.auth.closed_share)).tolist(),
        )  # fmt: skip
        self.home = HomeScreen(platform.screens, self.front.degradation, self._answers)
        self.home_share = platform.browsing.home_share
        self._may_be_stale = platform.browsing.cache.stale_on_open_breaker
        self._die = die
        self._setup = Setup(
            stores=figures.stores, skus=figures.skus, category=figures.categories, cache=platform.browsing.cache,
            replica=platform.browsing.replica, fill_s=work_s[Svc.CATALOGUE] + work_s[_INVENTORY],
            coalesce=platform.browsing.cache.coalesce, on_visible=self._visible,
        )  # fmt: skip
        self.explicit = platform.reads == "explicit"
        rule = platform.breaker
        self.breakers = {
            name: Breaker(
                enabled=rule.enabled, window=rule.window, least=rule.least, share=rule.share, open_s=rule.open_s,
                trials=rule.trials,
            )
            for name in BreakerName
        }  # fmt: skip
        self._reading = self.breakers[BreakerName.CATALOGUE]
        for name, breaker in self.breakers.items():
            breaker.on_move(partial(self._moved, name))
        self.monitoring = Monitoring(facts, scenario, self, bus)
        if self.explicit:
            self.reads = Reads(env, self, book, self._poll_s, self._nearby_s)
        self.front.placed = self.monitoring.taken[Endpoint.PLACE_ORDER]
        self._reserved, self._read = self.monitoring.taken[Endpoint.RESERVE], self.monitoring.taken[Endpoint.CATALOGUE]
        # Per order: from reading stock records to writing them, seconds; the other part of a call that reserves.
        self.windows_s: Sequence[float] = ()
        self.dark = Dark()
        self._shown = False  # whether there is a catalogue already
        self.asked = (0.0, 0.0, 0.0)  # reads of pages, of orders' states, of drivers nearby, a second

    def start(self) -> None:
        """The stores are stocked: show the catalogue, and begin the rounds of control and monitoring."""
        figures, inventory = self._figures, self._inventory
        if self.explicit:
            stocked = (units > 0 for units in inventory.available)
            self.reader = ExplicitCatalogue(self._env, self._die("catalogue"), self._setup, available=stocked)
            self.catalogue = self.reader
        else:
            self.catalogue = Catalogue(
                self._die("catalogue"), self._setup, shares=figures.category_shares, rate=self._reads_of
            )
        self._shown = True
        self.shopping = Shopping(self._env, self._facts, self.catalogue, inventory, figures.prices_cents)
        inventory.crossed = lambda place, now, units: self.catalogue.crossed(place, now, units > 0)
        self.front.start()
        self._beat()

    def _beat(self, _: Timer | None = None) -> None:
        now = self._env.now
        self.front.suffer(now, BEAT_S)
        samples = self.cluster.beat(now)
        self._probe_catalogue(now)
        self._time_fills(now)
        self.front.degradation.update(self.monitoring.look(now, samples))
        Timer(self._env, BEAT_S, self._beat)

    # -- traffic -----------------------------------------------------------------------------------------------------

    def _reads_of(self, store: int, now: float) -> float:
        return self._figures.traffic(now) * self._figures.store_shares[store] * self._reads_per_order

    def _rates(
        self, orders_s: float, reads: float, misses: float, open_orders: float, drivers: float, live: bool = True
    ) -> list[float]:
        """Calls a second of each service, by `Svc`, that no order makes itself.

        Without live tracking, customers' apps ask what state their orders are in but not where the drivers are.
        """
        polls, nearby = open_orders / self._poll_s, open_orders / self._nearby_s if live else 0.0
        watched = polls if live else 0.0
        pings, reports = drivers / self._ping_s, orders_s * REPORTS
        return [
            reads + polls + nearby + pings + reports, misses, misses, polls + reports, 0.0, nearby, pings + watched,
            orders_s * CHANGES,
        ]  # fmt: skip

    def _load(self, now: float) -> Sequence[float]:
        traffic, book, tracking = self._figures.traffic(now), len(self._book.open), self._tracking.on_shift
        reads = traffic * self._reads_per_order
        self.pages = pages = self.catalogue.sample(now)
        live = self.front.degradation.enabled(_LIVE)
        self.asked = (reads, book / self._poll_s, book / self._nearby_s if live else 0.0)
        # Where every read is simulated, each is a call of its own.
        if self.explicit:
            rates = self._rates(traffic, 0.0, 0.0, 0.0, tracking, live)
        else:
            rates = self._rates(traffic, reads, pages.misses_per_s, book, tracking, live)
        if self.dark:
            shares = self._figures.store_shares
            lost = rates[_INVENTORY] * sum(share for store, share in enumerate(shares) if StoreId(store) in self.dark)
            rates[_INVENTORY] -= lost
            self.cluster.services[_INVENTORY].fails(lost * BEAT_S)
        notifications = self._notifications
        told = self._bus.pull(_EVENT, notifications.capacity_s * PULLED * BEAT_S) if notifications.answers else 0
        rates[_NOTIFICATIONS] = told / BEAT_S
        rates[_GATEWAY] += self.front.attack_s
        return rates

    # -- the catalogue -----------------------------------------------------------------------------------------------

    def _probe_catalogue(self, now: float) -> None:
        """The breaker on catalogue reads judges by what monitoring's own reads meet."""
        breaker, asked = self._reading, [self.cluster.services[service] for service in (_CATALOGUE, _INVENTORY)]
        answers = all(service.on_time(now) for service in asked)
        if answers and breaker.content:
            return
        for _ in range(3):
            if breaker.allow(now):
                (breaker.ok if answers else breaker.fail)(now)

    def _time_fills(self, now: float) -> None:
        """A page is filled as fast as the two services answer that it is asked of."""
        services, catalogue = self.cluster.services, self.catalogue
        fill_s = self._setup.fill_s + services[_CATALOGUE].lag_s(now) + services[_INVENTORY].lag_s(now)
        if abs(fill_s - catalogue.fill_s) > CHANGED * catalogue.fill_s and fill_s < inf:
            catalogue.fills_in(fill_s, now)

    def _moved(self, name: BreakerName, state: BreakerState) -> None:
        self._facts.breaker_moved(breaker=name, breaker_state=state)
        if name is BreakerName.CATALOGUE:
            if state is BreakerState.OPEN and not self.catalogue.breaker_is_open:
                self.catalogue.breaker_opened(self._env.now)
            elif state is BreakerState.CLOSED and self.catalogue.breaker_is_open:
                self.catalogue.breaker_closed(self._env.now)

    def _answers(self, service: Svc, page: bool) -> bool:
        """Whether there is an answer to be had of a service, or, for a page behind the open breaker, of the cache."""
        cached = page and self._may_be_stale and self.catalogue.breaker_is_open
        return cached or self.cluster.services[service].answers

    def _answers_again(self, service: Svc, again: bool) -> None:
        self._facts.service_answers(service=service, again=again)
        if service in (_CATALOGUE, _INVENTORY) and self._shown:
            services = self.cluster.services
            self.catalogue.source(self._env.now, services[_CATALOGUE].answers and services[_INVENTORY].answers)
        if service in self._told:
            self._told[service](again)

    def _visible(self, place: int, fresh_s: float) -> None:
        store, sku = divmod(place, self._figures.skus)
        self._facts.record_seen(store=StoreId(store), sku=SkuId(sku), fresh_s=fresh_s)
        self.monitoring.visible(fresh_s)

    def slow_replica(self, factor: float) -> Callable[[], None]:
        """The read replica lags `factor` times as much; returns what ends it."""
        replica, factors = self.catalogue.replica, self._lags
        factors.append(factor)
        replica.lag_s = self._lag_s * prod(factors)

        def over() -> None:
            factors.remove(factor)
            replica.lag_s = self._lag_s * prod(factors)

        return over

    # -- calls of an order -------------------------------------------------------------------------------------------

    def begin(self, order: Order, delay_s: float, window_s: float) -> float:
        """Make an order's first call to the inventory service, `delay_s` from now; returns the delay with the call's.

        The saga waits for both in one, and for the window from reading records to writing them (`window_s`; zero where
        that is waited for later); what became of the call it finds in `order.call`.
        """
        at_s = self._env.now + delay_s
        service, windows_s = self._records, self.windows_s
        if self.dark and order.store in self.dark:
            latency_s, service.vain_s = service.fails(), 0.0
        else:
            lucks, works_s = order.draws
            latency_s = service.call(at_s, works_s[-2], lucks[-2])
        self._reserved.append(latency_s + (windows_s[order.id] if windows_s else 0.0))
        if latency_s == inf:
            return delay_s + service.vain_s
        order.call = service.epoch, service.last_instance, at_s  # a `Flight`
        return delay_s + quantise(latency_s) + window_s

    def vain_s(self, service: Svc) -> float:
        """How long the last call of a service was waited for that got no answer, seconds."""
        return self.cluster.services[service].vain_s

    def lost(self, order: Order) -> bool:
        """Whether an instance of gateway or order service died that had an order's request in hand."""
        way, order.way = order.way, None
        if way is None:
            return False
        gateway, orders = self._on_the_way
        # As a rule no instance has died since; that is seen without a call.
        if way[0][0] == gateway.epoch and way[1][0] == orders.epoch:
            return False
        return gateway.lost(way[0]) or orders.lost(way[1])

    def again_s(self, order: Order) -> float:
        """Whose request was lost sends it once more after `RESEND_S`: seconds until the order service has it."""
        order.way = None
        at_s = self._env.now + RESEND_S
        for service in (_GATEWAY, Svc.ORDERS):
            at_s += self.front.call_s(order.id, service, at_s, _ONCE_MORE)
            if at_s == inf:
                return inf
        return quantise(at_s - self._env.now)

    def answered(self, order: Order) -> bool:
        """Whether the call that an order's saga has waited for was answered: made, and not lost with its instance."""
        call, order.call = order.call, None
        if call is None:
            return False
        service = self._records
        return call[0] == service.epoch or not service.lost(call)

    def hop_s(self, order: OrderId, service: Svc) -> float:
        """Seconds a call of an order takes, infinite when there is no answer."""
        if service is _INVENTORY and self.dark and self._book.open[order].store in self.dark:
            dark = self.cluster.services[service]
            latency_s, dark.vain_s = dark.fails(), 0.0
        else:
            latency_s = self.front.call_s(order, service, self._env.now, _LATER)
        if service is _INVENTORY:
            self._reserved.append(latency_s + (self.windows_s[order] if self.windows_s else 0.0))
        return latency_s
