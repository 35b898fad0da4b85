"""The gateway put together: what a customer's request passes before it becomes an order.

Rate limits, session, repeated requests, backpressure, the fraud screen, and the services on the way; each may turn the
request away.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf, log
from struct import Struct
from typing import NamedTuple

import numpy as np

from sim.clock import Clock
from sim.contracts import Fraud, OrderRequest, Ruling
from sim.facts import Facts
from sim.platform.cluster import Cluster
from sim.platform.fraud import History
from sim.platform.gateway import NEW, Backpressure, Degradation, Fanout, Feature, Idempotency, RateLimits
from sim.platform.orders import Draws, Order
from sim.platform.pricing import Validation
from sim.platform.scaling import NO_FLIGHT
from sim.platform.sessions import Sessions
from sim.scenario.business import Platform
from sim.scenario.gateway import CartRules
from sim.streams import Die
from sim.vocabulary import Endpoint, OrderId, Rejection, Svc, quantise

_GATEWAY, _ORDERS, _PLACE = Svc.GATEWAY, Svc.ORDERS, Endpoint.PLACE_ORDER
_INVENTORY, _PAYMENTS = Svc.INVENTORY, Svc.PAYMENTS
_LOGIN, _CATALOGUE = Endpoint.LOGIN, Endpoint.CATALOGUE
_LOGS_IN = 2
"""Round trips that it takes who has to give the password again."""

SERVICE_OF = {
    "catalogue": Svc.CATALOGUE, "inventory": Svc.INVENTORY, "orders": Svc.ORDERS, "payments": Svc.PAYMENTS,
    "pricing": Svc.ORDERS, "promotions": Svc.CATALOGUE, "recommendations": Svc.CATALOGUE, "loyalty": Svc.ORDERS,
    "tracking": Svc.TRACKING,
}  # fmt: skip
"""Which of our services answers for each part of a screen."""

FEATURE_OF = {"promotions": Feature.PROMOTIONS, "recommendations": Feature.RECOMMENDATIONS, "loyalty": Feature.LOYALTY}


BLOCK = 1024
"""Orders whose draws are made at once."""

BLOCKS = 4
"""Such blocks that are kept."""

GUESS = 25.0
"""Work of checking a password, in units of the gateway's usual request: 50 ms of hashing against 2 ms (judgement)."""


class Attack(NamedTuple):
    """Who attacks, and how hard."""

    per_second: float
    login: bool
    """Guesses of passwords; else reads, as many as possible."""
    addresses: int
    """Network addresses the requests come from."""


@dataclass(slots=True, eq=False)
class _Attacker:
    attack: Attack
    due: float = 0.0
    """What is left of a request after the last whole one."""


Entry = tuple[Rejection | None, float]
"""How far a request came: why it was turned away, if it was; seconds from the tap until the order service has the order."""


class Front:
    """The way in, for one run of the full profile.

    Parameters
    ----------
    work_s
        Mean work of a call to each service, seconds, by `Svc`.
    hop_s
        Network time of one round trip, seconds.
    luck
        Keyed draws by (order, service).
    fraudsters
        1 for each client who is one: for the log alone, no ruling depends on it.
    closed
        Clients whose accounts are closed.
    """

    def __init__(
        self,
        env: Clock,
        facts: Facts,
        cluster: Cluster,
        settings: Platform,
        work_s: list[float],
        *,
        hop_s: float,
        luck: Die,
        fraud: Fraud,
        history: History,
        fraudsters: bytes | bytearray,
        closed: Iterable[int],
        clients: int,
        skus: int,
    ) -> None:
        self._env, self._facts, self._luck = env, facts, luck
        self._services_of = cluster.services
        self._work_s, self._round_trip_s = work_s, hop_s
        self.limits, self.sessions = RateLimits(settings.limits), Sessions(settings.auth)
        self.idempotency, self._pressure = Idempotency(settings.idempotency), Backpressure(settings.backpressure)
        self.degradation = Degradation(settings.degradation)
        self._checkout = Fanout(settings.screens.checkout)
        self._parts = [cluster.services[SERVICE_OF[part.service]].call for part in settings.screens.checkout]
        self._features = [FEATURE_OF.get(part.service) for part in settings.screens.checkout]
        # Mean work of the calls on the way in, seconds: the screen's parts, then gateway, orders, inventory, payments.
        self._way_work_s = [part.work * work_s[SERVICE_OF[part.service]] for part in settings.screens.checkout]
        self._way_work_s += [work_s[service] for service in (_GATEWAY, _ORDERS, _INVENTORY, _PAYMENTS)]
        # Carts come well-formed; only rules that a scenario makes can refuse one.
        self._validation = Validation(settings.cart, skus) if settings.cart != CartRules() else None
        self._deadline_s = settings.screens.deadline_s
        for client in closed:
            self.sessions.suspend(client, env.now)
        self._fraud, self._history, self._fraudsters = fraud, history, fraudsters
        # A policy that trusts everybody is asked only where there are fraudsters to count.
        self._screens = bool(settings.fraud.planted_share) or not getattr(fraud, "trusting", False)
        self._review_s = quantise(settings.fraud.review_s)
        self._blocks: dict[int, bytes] = {}
        self._row = Struct(f"={len(self._way_work_s)}d")
        self._attacks: list[_Attacker] = []
        self._guesses, self._clients = 0, clients
        self.attack_s = 0.0  # work of attackers' requests, in usual requests a second
        self.duplicates = 0
        # Of the last request that was let in: at the gateway and at the order service; its draws.
        self.way = NO_FLIGHT, NO_FLIGHT
        self.draws: Draws = (), ()
        self.placed: list[float] = []  # our side's latency of each request to order, seconds; infinity: not served

    def start(self) -> None:
        """Say whether orders are screened: a log without rulings looks the same as one without a screen."""
        if self._screens:
            self._facts.screening_began(fraudsters=sum(self._fraudsters))

    # -- calls -------------------------------------------------------------------------------------------------------

    def call_s(self, order: OrderId, service: Svc, at_s: float, number: int = 0) -> float:
        """Call a service for an order; seconds until the answer, infinity when there is none.

        `number` tells an order's calls of one service apart.
        """
        luck, size = self._luck.pair(order, 16 * number + service)
        return self._services_of[service].call(at_s, -log(1.0 - size) * self._work_s[service], luck)

    def pay_s(self, order: Order) -> float:
        """An order's call to the payment service: whole ticks until the answer, seconds."""
        lucks, works_s = order.draws
        return quantise(self._services_of[_PAYMENTS].call(self._env.now, works_s[-1], lucks[-1]))

    def _draws(self, order: OrderId) -> Draws:
        """An order's draws for its calls on the way in, in the order of `_way_work_s`.

        Drawn for many orders at once, a tenth of the price of one by one; by order all the same.
        """
        number, place = divmod(order, BLOCK)
        block = self._blocks.get(number)
        if block is None:
            block = self._draw_block(number)
        read, size = self._row.unpack_from, self._row.size
        return read(block, 2 * place * size), read(block, (2 * place + 1) * size)

    def _draw_block(self, number: int) -> bytes:
        # Bytes rather than lists: thousands of numbers that lie there for a while would push others out of the caches.
        orders = np.arange(number * BLOCK, (number + 1) * BLOCK)
        lucks, works_s = [], []
        for call, work_s in enumerate(self._way_work_s):
            luck, size = self._luck.pairs(orders, call - 64)
            lucks.append(luck)
            works_s.append(-np.log1p(-size) * work_s)
        block = np.column_stack(lucks + works_s).tobytes()
        if len(self._blocks) >= BLOCKS:
            del self._blocks[next(iter(self._blocks))]  # the oldest; who still asks for it has it drawn again
        self._blocks[number] = block
        return block

    # -- placing an order --------------------------------------------------------------------------------------------

    def repeats(self, order: OrderId) -> bool:
        """Whether the same request came before (a second tap, a retry of the app): it is answered, not done again."""
        if self.idempotency.seen(order, self._env.now) is NEW:
            return False
        self.duplicates += 1
        return True

    def enter(self, request: OrderRequest) -> Entry:
        """Take a request as far as the order service."""
        now, order, client = self._env.now, request.order, request.client
        if not self.limits.allow(client, _PLACE, now):
            self.placed.append(inf)
            return Rejection.RATE_LIMITED, 0.0
        rules = self._validation
        if rules is not None and rules.invalid(request.skus, request.units, request.value_cents) is not None:
            return Rejection.INVALID, 0.0
        known, round_trips = self.sessions.session(client, now)
        if not known:
            self.placed.append(inf)
            return Rejection.UNAUTHORISED, 0.0
        login_s = 0.0
        if round_trips == _LOGS_IN:
            allowed, login_s = self._login(client, order, now)
            if not allowed:
                self.placed.append(inf)
                return Rejection.RATE_LIMITED, 0.0
            if login_s == inf:
                self.placed.append(inf)
                return Rejection.UNAVAILABLE, 0.0
        rejection, delay_s = self._services(request.order, round_trips, now + login_s)
        self.placed.append(inf if rejection is not None else delay_s - self._round_trip_s * (1 + round_trips))
        delay_s += login_s
        if rejection is None and self._screens:
            rejection, review_s = self._screened(request)
            delay_s += review_s
        if rejection is None:
            self.idempotency.remember(order, order)
        return rejection, delay_s

    def knows(self, client: int, order: OrderId) -> bool:
        """Whether a client's app gets in: the account is open, and if the app has to log in, it may and can."""
        now = self._env.now
        known, round_trips = self.sessions.session(client, now)
        if not known or round_trips != _LOGS_IN:
            return known
        allowed, login_s = self._login(client, order, now)
        return allowed and login_s < inf

    def may_change(self, client: int) -> bool:
        """Whether a client may change one more order now."""
        return self.limits.allow(client, Endpoint.CHANGE_ORDER, self._env.now)

    def may_read(self, read: OrderId) -> bool:
        """Whether whoever makes a read of the catalogue may make one more now; any client is as likely to."""
        client = int(self._luck.uniform(read, -4) * self._clients)
        return self.limits.allow(client, _CATALOGUE, self._env.now)

    def _login(self, client: int, order: OrderId, now: float) -> tuple[bool, float]:
        """Whether a client may log in, and the time of the call that looks at the password (hashing is work), seconds.

        Who may not, or gets no answer, is not logged in.
        """
        login_s, allowed = inf, self.limits.allow(client, _LOGIN, now)
        if allowed:
            luck = self._luck.uniform(order, -5)
            login_s = quantise(self._services_of[_GATEWAY].call(now, GUESS * self._work_s[_GATEWAY], luck))
        if login_s == inf:
            self.sessions.undo_login(client)
        return allowed, login_s

    def _services(self, order: OrderId, round_trips: int, now: float) -> Entry:
        services = self._services_of
        gateway, orders = services[_GATEWAY], services[_ORDERS]
        waiting_s = orders.delay_s(now)
        if waiting_s and self._pressure.sheds(waiting_s, self._luck.uniform(order, -1)):
            return Rejection.SHED, 0.0
        draws = self.draws = self._draws(order)
        lucks, works_s = draws
        # The checkout screen asks several services at once: the slowest required part, or the deadline, decides.
        if self.degradation.off:
            latencies = self._fewer_parts(draws, now)
        else:
            latencies = [call(now, work_s, luck) for call, luck, work_s in zip(self._parts, lucks, works_s)]  # noqa: B905 (the parts come first)
        screen_s = max(latencies)
        if screen_s > self._deadline_s:
            screen_s = self._shortened(order, latencies)
            if screen_s == inf:
                return Rejection.UNAVAILABLE, 0.0
        at_s = now + screen_s
        gateway_s = gateway.call(at_s, works_s[-4], lucks[-4])
        if gateway_s == inf:
            return Rejection.UNAVAILABLE, 0.0
        orders_s = orders.call(at_s + gateway_s, works_s[-3], lucks[-3])
        if orders_s == inf:
            return Rejection.UNAVAILABLE, 0.0
        # Each a `Flight`.
        self.way = (gateway.epoch, gateway.last_instance, at_s), (orders.epoch, orders.last_instance, at_s)
        return None, quantise(screen_s + gateway_s + orders_s + self._round_trip_s * (1 + round_trips))

    def _fewer_parts(self, draws: Draws, now: float) -> list[float]:
        """Of each part of the screen how long it takes, seconds: no time where its feature is off."""
        enabled = self.degradation.enabled
        return [
            call(now, work_s, luck) if feature is None or enabled(feature) else 0.0
            for call, feature, luck, work_s in zip(self._parts, self._features, *draws)  # noqa: B905 (the parts come first)
        ]

    def _shortened(self, order: OrderId, latencies: list[float]) -> float:
        """How long a screen takes of which some part is later than the deadline, seconds."""
        screen_s, dropped = self._checkout.screen_s(latencies, self._deadline_s)
        if dropped and screen_s < inf:  # else there was no screen to leave anything out of
            self._facts.checkout_shortened(order=order, parts=dropped)
        return screen_s

    def _screened(self, request: OrderRequest) -> tuple[Rejection | None, float]:
        now, client = self._env.now, request.client
        ruling = self._fraud(self._history.view(client, request.node, request.value_cents, now))
        fraudster = bool(self._fraudsters[client])
        if ruling or fraudster:
            self._facts.order_screened(order=request.order, client=client, ruling=ruling, fraudster=fraudster)
        if ruling is Ruling.REFUSE:
            return Rejection.SUSPECT, 0.0
        self._history.ordered(client, request.node, now)
        return None, self._review_s if ruling is Ruling.REVIEW else 0.0

    # -- attacks -----------------------------------------------------------------------------------------------------

    def attacked(self, attack: Attack) -> Callable[[], None]:
        """Requests that nobody honest makes begin to come; returns what ends them."""
        attacker = _Attacker(attack)
        self._attacks.append(attacker)
        return lambda: self._attacks.remove(attacker)

    def suffer(self, now: float, span_s: float) -> None:
        """Meet the attackers' requests of the last `span_s` seconds, one by one; sets `attack_s`.

        What a limit refuses is refused at the edge and costs nothing; what is let in is work for the gateway, a guess of a
        password more so (hashing it is slow on purpose).
        """
        if not self._attacks:
            self.attack_s = 0.0
            return
        work, asked, refused = 0.0, 0, 0
        for attacker in self._attacks:
            attack, due = attacker.attack, attacker.due + attacker.attack.per_second * span_s
            count = int(due)
            attacker.due = due - count
            asked += count
            for number in range(count):
                at_s = now - span_s + number * span_s / count
                address = -2 - number % attack.addresses
                self._guesses += 1
                victim = int(self._luck.uniform(self._guesses, -3) * self._clients)
                endpoint = _LOGIN if attack.login else _CATALOGUE
                if not self.limits.allow(victim if attack.login else address, endpoint, at_s, address):
                    refused += 1
                    continue
                work += GUESS if attack.login else 1.0
                if attack.login:
                    self.sessions.login(victim, at_s, False)
        self.attack_s = work / span_s
        self._facts.attack_met(asked=asked, refused=refused)
