"""Monitoring: what the platform sees of itself every quarter of a minute, and the alerts it raises by that alone.

A look samples every service, works out what the apps see of each endpoint, and holds a dozen figures against the rules of
the scenario (`sim.scenario.monitoring`). Nothing here knows of faults: how long one goes unnoticed is what comes out.

Latencies are those of our side, from the gateway inwards; what the phone's network adds is not in them. A call of an
order is measured as it is made. Reads that nobody simulates get the percentiles of the services they pass: the slowest's,
plus the medians of the others (exact to first order when one is much slower than the rest).
"""

from collections import deque
from collections.abc import Callable
from math import ceil, inf, nan
from typing import TYPE_CHECKING

from sim.facts import Facts
from sim.platform.browsing import Sample as Pages
from sim.platform.bus import Bus
from sim.platform.charging import Charging
from sim.platform.gateway import Feature
from sim.platform.meter import Sample
from sim.platform.tails import SLOW, Shared, known, share_failed, tail_s
from sim.scenario import Scenario
from sim.scenario.monitoring import AlertRule
from sim.vocabulary import Alert, BreakerState, Endpoint, Svc, Topic

if TYPE_CHECKING:
    from sim.platform.backend import Backend

BEAT_S = 15.0
"""Seconds between two looks."""

_CLOSED = BreakerState.CLOSED
_GATEWAY, _CATALOGUE, _INVENTORY, _ORDERS = Svc.GATEWAY, Svc.CATALOGUE, Svc.INVENTORY, Svc.ORDERS
_DISPATCH, _TRACKING = Svc.DISPATCH, Svc.TRACKING
_READ, _PLACE, _RESERVE = Endpoint.CATALOGUE, Endpoint.PLACE_ORDER, Endpoint.RESERVE
_STATUS, _NEARBY, _HOME = Endpoint.ORDER_STATUS, Endpoint.DRIVERS_NEARBY, Endpoint.HOME
_SERVICES = tuple(Svc)
_CONFIRMED, _EVENT = Topic.ORDER_CONFIRMED, Topic.ORDER_EVENT

JUDGED = (
    Alert.CACHE_MISSES, Alert.CONSUMER_LAG, Alert.REQUESTS_FAILING, Alert.ORDERS_SLOW, Alert.READS_SLOW,
    Alert.SERVICE_FAILING, Alert.SERVICE_DOWN, Alert.SERVICE_BUSY, Alert.BREAKER_OPEN, Alert.CHECKOUT_STALLED,
    Alert.DRIVERS_STALLED, Alert.STALE_STOCK, Alert.PAYMENTS_FAILING,
)  # fmt: skip
"""The order in which a look holds its figures against the rules."""


class Alarm:
    """Watches one figure: a ratio of sums over the last samples.

    Parameters
    ----------
    rule
        Its limit, and for how long it must be exceeded.
    beat_s
        Seconds between two samples.

    Attributes
    ----------
    raised
        Whether the figure was above its limit for long enough and has not been within it since.
    value
        The figure when it was last known.
    calm_to
        A sample (over one) up to this changes nothing unless the alert is raised: -1 where sums must be kept.
    streak
        Samples above the limit in a row.
    """

    __slots__ = ("_due", "_least", "_limit", "_part", "_ring", "_whole", "calm_to", "raised", "streak", "value")

    def __init__(self, rule: AlertRule, beat_s: float = BEAT_S) -> None:
        self._limit = rule.limit if rule.enabled else inf
        self._least = rule.least
        self._due = max(ceil(rule.for_s / beat_s), 1)
        samples = max(round(rule.over_s / beat_s), 1)
        self._ring = deque([(0.0, 0.0)] * samples, maxlen=samples) if samples > 1 else None
        self._part = self._whole = 0.0
        self.streak = 0
        self.calm_to = self._limit if samples == 1 else -1.0
        self.raised, self.value = False, nan

    def look(self, part: float, whole: float = 1.0) -> bool | None:
        """Take the next sample's numerator and denominator; True when this raises the alert, False when it clears it.

        A denominator of zero is no news: the alert stays what it is.
        """
        ring = self._ring
        if ring is not None:
            old_part, old_whole = ring[0]
            ring.append((part, whole))  # and the oldest falls out
            self._whole = whole = self._whole + whole - old_whole
            if not (part or old_part or self._part or self.streak or self.raised):
                if whole > 1e-9:
                    self.value = 0.0
                return None  # nothing at all for as long as is looked back: nearly always
            self._part = part = self._part + part - old_part
        if whole <= 1e-9:
            return None
        self.value = value = part / whole
        if value <= self._limit + 1e-12:
            self.streak = 0
            if self.raised:
                self.raised = False
                return False
            return None
        if self.raised:
            return None
        if whole < self._least:
            self.streak = 0
            return None
        self.streak += 1
        self.raised = self.streak >= self._due
        return True if self.raised else None


class Monitoring:
    """Looks at the services, the cache and the bus, and writes down what it sees.

    Attributes
    ----------
    taken
        By `Endpoint`: seconds of every simulated call since the last look, infinity for one refused or failed. Whoever
        serves a call appends to it.
    stalled
        Looks at overdue rides; called with the time, returns the share of the drivers on shift who are stuck.
    charging
        Counts the charges that came to something, and to nothing.
    """

    charging: Charging

    def __init__(self, facts: Facts, scenario: Scenario, backend: "Backend", bus: Bus) -> None:
        self._facts, self._backend, self._bus = facts, backend, bus
        rules = scenario.platform.monitoring.alerts
        self.alarms = [Alarm(getattr(rules, alert.name.lower())) for alert in Alert]
        self._in_turn = [self.alarms[alert] for alert in JUDGED]
        self.taken: list[list[float]] = [[] for _ in Endpoint]
        # While no request of anybody reaches the platform (a lost region, or several): how many causes, since when, and for
        # how long before that since the last look, seconds.
        self._causes, self._gone_at_s, self._gone_s = 0, 0.0, 0.0
        self._gone = 0.0  # share of the time of this look
        self.stalled: Callable[[float], float] = lambda now: 0.0
        self._paid = self._unpaid = self._messages = self._changed = self._confirmed = 0
        self._fresh_s, self._changes = 0.0, 0
        self._stale_reads = self._behind = 0.0
        self._requests = self._failed = 0.0  # a second, of users, in this look

    def unreached(self, now: float) -> None:
        """From now on no request of anybody reaches the platform, until `reached` as often."""
        if not self._causes:
            self._gone_at_s = now
        self._causes += 1

    def reached(self, now: float) -> None:
        """A cause of `unreached` is over."""
        self._causes -= 1
        if not self._causes:
            self._gone_s += now - self._gone_at_s

    def _gone_share(self, now: float) -> float:
        """Share of the time since the last look in which nobody reached the platform."""
        gone_s, self._gone_s = self._gone_s, 0.0
        if self._causes:
            gone_s += now - self._gone_at_s
            self._gone_at_s = now
        return min(gone_s / BEAT_S, 1.0)

    def visible(self, fresh_s: float) -> None:
        """A change of stock is shown to all browsers, so long after it happened."""
        self._fresh_s += fresh_s
        self._changes += 1

    # -- looking -----------------------------------------------------------------------------------------------------

    def look(self, now: float, samples: list[Sample]) -> float:
        """Take note of a sample of each service, by `Svc`; returns the load of the busiest service (1: everything is busy)."""
        backend, published = self._backend, self._bus.published
        cluster, sampled = backend.cluster, self._facts.service_sampled
        load = worst = 0.0
        down = 0
        for number, service, sample in zip(_SERVICES, cluster.services, samples, strict=True):
            calls, errors, _, rate, p50_s, p99_s, busy, queue, instances, _ = sample
            if busy > load:
                load = busy
            if errors > worst * calls:
                worst = errors / calls if calls > errors else 1.0
            if not service.answers:
                down += 1
            sampled(
                service=number, rate=rate, errors=errors / BEAT_S, p50_s=p50_s, p99_s=p99_s, utilisation=busy, queue=queue,
                instances=instances,
            )  # fmt: skip
        self._gone = self._gone_share(now) if self._causes or self._gone_s else 0.0
        placed = len(self.taken[_PLACE])
        self._requests = self._failed = 0.0
        orders_s = self._endpoint(_PLACE)
        reads_s = self._reads(samples)
        requests, failed = self._requests, self._failed
        self._endpoint(_RESERVE)
        pages, sent, behind = self._rest(now)
        # What came just now is still on its way, however fast the bus is: late are those whom two looks in a row have met.
        lag, self._behind = min(behind, self._behind), behind
        reads = pages.reads_per_s * BEAT_S
        confirmed = published[_CONFIRMED]
        paid, unpaid = self.charging.paid, self.charging.unpaid
        self._judge(
            (reads * (1.0 - pages.hit_rate), reads),
            (lag * BEAT_S, sent - self._messages if lag else max(sent - self._messages, 1)),
            (failed * BEAT_S, requests * BEAT_S),
            (orders_s, 1.0 if orders_s == orders_s else 0.0),
            (reads_s, 1.0),
            (worst, 1.0),
            (down, 1.0),
            (load, 1.0),
            (sum([each.state is not _CLOSED for each in backend.breakers.values()]), 1.0),
            (placed - (confirmed - self._confirmed), placed),
            (0.0 if self._causes else self.stalled(now), 1.0),
            (self._fresh_s, self._changes),
            (unpaid - self._unpaid, unpaid - self._unpaid + paid - self._paid),
        )
        self._messages, self._confirmed = sent, confirmed
        self._fresh_s, self._changes = 0.0, 0
        self._paid, self._unpaid = paid, unpaid
        return load

    def _judge(self, *figures: tuple[float, float]) -> None:
        """Hold figures, each a numerator and a denominator, against their rules, in the order of `JUDGED`."""
        for alert, alarm, (part, whole) in zip(JUDGED, self._in_turn, figures, strict=True):
            if part <= alarm.calm_to and not alarm.raised:
                alarm.streak = 0
                continue
            # No news of an endpoint nobody asked: nan never reaches the sums.
            news = alarm.look(part if whole else 0.0, whole)
            if news:
                self._facts.alert_raised(alert=alert, value=alarm.value)
            elif news is not None:
                self._facts.alert_cleared(alert=alert)

    def _rest(self, now: float) -> tuple[Pages, int, float]:
        """Log cache, bus and what is paid for; returns what is known of the pages, messages sent, and those under way.

        Changes of orders' states are many, and read by a consumer of their own: not counted among those sent, and of those under
        way as many as make them wait as long as they do.
        """
        backend, bus = self._backend, self._bus
        pages, published = backend.pages, sum(bus.published)
        lag, changes = bus.lag, bus.published[_EVENT]
        unread, sent = changes - bus.delivered[_EVENT], published - changes
        behind = float(lag)
        if unread:
            behind += unread * ((sent - self._messages) / max(changes - self._changed, 1) - 1.0)
        self._changed = changes
        stale = backend.catalogue.stale_reads
        self._facts.platform_sampled(
            reads=pages.reads_per_s, hit_rate=pages.hit_rate if pages.reads_per_s else nan,
            stale=(stale - self._stale_reads) / BEAT_S, lag=lag, features_off=backend.front.degradation.off,
            instance_s=backend.cluster.bill.paid_s(now), messages=published,
        )  # fmt: skip
        self._stale_reads = stale
        return pages, sent, behind

    # -- endpoints ---------------------------------------------------------------------------------------------------

    def _endpoint(self, endpoint: Endpoint) -> float:
        """Log what simulated calls met since the last look; returns their p99, seconds, nan when none was answered."""
        taken = self.taken[endpoint]
        count = len(taken)
        if not count:
            return nan
        taken.sort()
        answered = count
        while answered and taken[answered - 1] == inf:
            answered -= 1
        p50_s = taken[answered // 2] if answered else nan
        p99_s = taken[int(answered * (1.0 - SLOW))] if answered else nan
        taken.clear()
        self._log(endpoint, count / BEAT_S, (count - answered) / BEAT_S, p50_s, p99_s)
        return p99_s

    def _log(self, endpoint: Endpoint, rate: float, errors: float, p50_s: float, p99_s: float) -> None:
        self._requests += rate
        self._failed += errors
        self._facts.endpoint_sampled(endpoint=endpoint, rate=rate, errors=errors, p50_s=p50_s, p99_s=p99_s)

    def _reads(self, samples: list[Sample]) -> float:
        """Log what readers met that nobody simulated one by one; returns the slowest kind's p99, seconds."""
        backend = self._backend
        gateway = samples[_GATEWAY]
        lost = share_failed(gateway)
        if self._gone:
            lost = 1.0 - (1.0 - self._gone) * (1.0 - lost)
        p50_s, p99_s, found_s = gateway.p50_s, gateway.p99_s, 0.0
        reads, polls, nearby = backend.asked
        if backend.explicit:
            found_s = self._endpoint(_READ)
            found_s = found_s if found_s == found_s else 0.0
        elif reads > 0.0:
            found_s = self._pages(samples, reads, lost)
        if reads > 0.0 and backend.home_share:
            found_s = max(found_s, self._home(samples, reads * backend.home_share, lost))
        if backend.explicit:
            followed_s = [self._endpoint(_STATUS), self._endpoint(_NEARBY)]
            found_s = max([found_s, *(each_s for each_s in followed_s if each_s == each_s)])
            polls = nearby = 0.0
        if polls > 0.0:
            # The order service knows the state, tracking where the driver is; nobody is shown that while it is switched off.
            orders = samples[_ORDERS]
            live = backend.front.degradation.enabled(Feature.LIVE_TRACKING)
            where_s = known(samples[_TRACKING].p50_s) if live else 0.0
            status_s = known(orders.p99_s) + p50_s + where_s
            error = 1.0 - (1.0 - lost) * (1.0 - share_failed(orders))
            self._log(_STATUS, polls, polls * error, known(orders.p50_s) + p50_s + where_s, status_s)
            found_s = max(found_s, status_s)
        if nearby > 0.0:
            dispatch = samples[_DISPATCH]
            error = 1.0 - (1.0 - lost) * (1.0 - share_failed(dispatch))
            nearby_s = known(dispatch.p99_s) + p50_s
            self._log(_NEARBY, nearby, nearby * error, known(dispatch.p50_s) + p50_s, nearby_s)
            found_s = max(found_s, nearby_s)
        return max(found_s, p99_s) if p99_s == p99_s else found_s

    def _pages(self, samples: list[Sample], reads: float, lost: float) -> float:
        """Reads of catalogue pages: most end at the cache beside the gateway, the others ask catalogue and inventory."""
        gateway, catalogue, inventory = samples[_GATEWAY], samples[_CATALOGUE], samples[_INVENTORY]
        pages = self._backend.pages
        p50_s, p99_s = known(gateway.p50_s), known(gateway.p99_s)
        if not self._backend.catalogue.filling:
            # Nobody answers, or is asked: the cache has an answer, however old, or there is none.
            failing = pages.unanswered_per_s / pages.reads_per_s if pages.reads_per_s else 0.0
        else:
            missed = 1.0 - pages.hit_rate
            joined = missed - pages.misses_per_s / pages.reads_per_s if pages.reads_per_s else 0.0
            failing = missed * (1.0 - (1.0 - share_failed(catalogue)) * (1.0 - share_failed(inventory)))
            # Misses are the slowest of all: of these, or of the others, the share that lies beyond.
            way_s = p50_s + known(inventory.p50_s)
            if joined > SLOW:
                shared = Shared(gateway, catalogue, way_s, self._backend.catalogue.fill_s, missed, joined)
                p50_s, p99_s = shared.exceeded_by_s(0.5), shared.exceeded_by_s(SLOW)
            else:
                if missed > SLOW:
                    p99_s = max(p99_s, tail_s(catalogue, SLOW / missed) + way_s)
                if missed >= 0.5:
                    p50_s = max(p50_s, tail_s(catalogue, 0.5 / missed) + way_s)
                elif p50_s:
                    p50_s = tail_s(gateway, (0.5 - missed) / (1.0 - missed))
        self._log(_READ, reads, reads * (1.0 - (1.0 - lost) * (1.0 - failing)), p50_s, p99_s)
        return p99_s

    def _home(self, samples: list[Sample], views: float, lost: float) -> float:
        """Views of the home screen. Each is among the reads already, so that it is no further request of a user."""
        half_s, most_s, failing, dropped = self._backend.home.look(samples)
        gateway, lost = samples[_GATEWAY], 1.0 - (1.0 - lost) * (1.0 - failing)
        way_s = known(gateway.p50_s)
        p99_s = max(way_s + most_s, known(gateway.p99_s) + half_s)
        self._facts.endpoint_sampled(endpoint=_HOME, rate=views, errors=views * lost, p50_s=way_s + half_s, p99_s=p99_s)
        if dropped and lost < 1.0:
            self._facts.home_shortened(rate=views * (1.0 - lost) * dropped)
        return p99_s
