"""Calls that nobody simulates one by one (`reads: rate`): what they do to a service, and what it does to them.

While they fit, whoever calls meets the stationary wait of an M/M/c queue with a longest wait; when they do not, work
piles up and drains like a fluid.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import ceil, exp, inf, log, nan


def erlang_c(servers: int, load: float) -> float:
    """Chance that a call to an M/M/c queue waits; `load` is arrival rate x mean work, erlangs (Erlang 1917).

    By the sum for the inverse of Erlang's loss formula, 1 + c/a (1 + (c - 1)/a (1 + ...)); a wait rarer than one in a
    thousand million is none.
    """
    if load <= 0.0:
        return 0.0
    if load >= servers:
        return 1.0
    term = total = 1.0
    for busy in range(servers, 0, -1):
        term *= busy / load
        total += term
        if total > 1e9:
            return 0.0
        if busy < load and term < 1e-12 * total:
            break
    blocked = 1.0 / total
    return blocked / (1.0 - load / servers * (1.0 - blocked))


FEW = 200
"""Where the background has this many times as many calls, the foreground moves no percentile that anybody could see."""

_KNOWN_MOST = 64  # the same few shares are asked for again and again


class Waiting:
    """The stationary wait in an M/M/c queue whose callers turn away when they would wait longer than a limit.

    Below the limit K the wait beyond zero has the density of M/M/c, p theta exp(-theta t) with theta = (c - a) / work;
    beyond it nobody joins. Normalised, P(wait > t) = (p exp(-theta t) - rho p exp(-theta K)) / (1 - rho p exp(-theta K)),
    of which (1 - rho) p exp(-theta K) / (...) are turned away (Gnedenko, Kovalenko 1989, queues with limited waiting).

    Parameters
    ----------
    servers, load
        c, and a < c in erlangs.
    work_s
        Mean work of a call (exponential), seconds.
    limit_s
        K, seconds.

    Attributes
    ----------
    chance
        Chance that an arriving call waits or is turned away.
    refused
        Chance that it is turned away.
    mean_s
        Mean wait over all arrivals, those turned away as 0, seconds.
    usual_s
        Median and percentile 99 of the latency, seconds, once somebody has asked for them.
    """

    __slots__ = (
        "_density",
        "_floor",
        "_known",
        "_limit_s",
        "_norm",
        "_p",
        "_scale_s",
        "_work_s",
        "chance",
        "mean_s",
        "refused",
        "usual_s",
    )

    def __init__(self, servers: int, load: float, work_s: float, limit_s: float) -> None:
        self._p = p = erlang_c(servers, load)
        self._scale_s = scale_s = work_s / (servers - load)
        self._work_s, self._limit_s = work_s, limit_s
        cut = p * exp(-limit_s / scale_s)
        if cut < 1e-12:
            cut = 0.0  # the limit is out of reach
        self._floor = load / servers * cut
        self._norm = 1.0 - self._floor
        self.chance = (p - self._floor) / self._norm
        self.refused = (cut - self._floor) / self._norm
        self.mean_s = ((p - cut) * scale_s - limit_s * cut) / self._norm
        self._density = p / (self._norm * (1.0 - self.refused))
        self._known: dict[float, float] = {}
        self.usual_s: tuple[float, float] | None = None

    def wait_s(self, luck: float) -> float:
        """The wait that a uniform draw below `chance` stands for, by inversion, seconds; beyond the limit: turned away."""
        return self._scale_s * log(self._p / (max(luck, 1e-17) * self._norm + self._floor))

    def _beyond(self, t_s: float) -> float:
        """Chance that the latency (wait and work) of a call that was taken exceeds `t_s`."""
        rate, theta, density = 1.0 / self._work_s, 1.0 / self._scale_s, self._density
        upto_s = min(t_s, self._limit_s)
        waited = density * (1.0 - exp(-theta * self._limit_s))
        if abs(rate - theta) * upto_s > 1e-6:
            still = (exp((rate - theta) * upto_s - rate * t_s) - exp(-rate * t_s)) / (rate - theta)
        else:
            still = upto_s * exp(-rate * t_s)
        queued = exp(-theta * upto_s) - exp(-theta * self._limit_s)
        return (1.0 - waited) * exp(-rate * t_s) + density * (theta * still + queued)

    def latency_s(self, tail: float) -> float:
        """Latency that a share `tail` of the calls taken exceed, seconds; the share is met within 1e-4 of itself."""
        if self._density < 1e-3 * tail:
            return -log(tail) * self._work_s  # as if nobody waited
        known_s = self._known.get(tail)
        if known_s is None:
            known_s = self._known[tail] = self._latency_s(tail)
            if len(self._known) > _KNOWN_MOST:
                self._known.clear()
        return known_s

    def _latency_s(self, tail: float) -> float:
        low_s = -log(tail) * self._work_s  # as if nobody waited
        # Wait and work both exceed their own quantile at half the tail in no more than the tail's share of cases.
        queue_s = max(self._scale_s * log(2.0 * self._density / tail), 0.0)
        high_s = min(queue_s, self._limit_s) + low_s + log(2.0) * self._work_s
        target = log(tail)
        low, high = log(self._beyond(low_s)) - target, log(self._beyond(high_s)) - target
        middle_s = low_s
        for _ in range(60):
            if low <= 0.0:
                return low_s
            middle_s = (low_s * high - high_s * low) / (high - low)
            middle = log(self._beyond(middle_s)) - target
            if abs(middle) < 1e-4:
                break
            # The Illinois rule: the end that stays counts half, so both ends close in.
            if middle > 0.0:
                low_s, low, high = middle_s, middle, high / 2.0
            else:
                high_s, high, low = middle_s, middle, low / 2.0
        return middle_s


FAR = 50.0
"""Exponential works longer than this many means do not happen (one in 10^21)."""


class Background:
    """A load of calls at a rate, with exponential work, on the servers of one service.

    It is set piecewise: between two calls of `set` the rate, the servers and the share that finds none stay the same, and
    `settle` accounts for the time since. When the load (with the foreground's) does not fit the service is *flooded*: the
    work ahead of a call grows by load - c server seconds a second, up to the longest wait, beyond which calls are refused.

    Parameters
    ----------
    limit_s
        Longest wait, seconds.

    Attributes
    ----------
    servers, work_s
        Servers that work; mean work of a call, seconds.
    rate, load
        Calls a second; the work of those that reach a living instance, erlangs.
    foreground
        Load that simulated calls make as well, erlangs, as lately measured.
    calls, errors, refused
        Expected counts since somebody set them to zero: calls that came; that got no answer; of those, turned away.
    settled_s
        When it was last settled, seconds.
    taken_s, room_s
        Running totals, seconds: work of the calls taken; time of the servers.
    chance
        Chance that a simulated call waits for the background: together with the chance that it waits for other simulated
        calls, which the service knows itself, it makes that of M/M/c with the load of both.
    band
        All load between these, erlangs, is near enough to that which was set: see `drift`.
    calm, easy
        Whether every call reaches a server, and none is turned away; and whether each finds its server free.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self.rate = self.load = self.foreground = self._lost_share = 0.0
        self.servers, self.work_s = 0, 1.0
        self.flooded, self.backlog_s = False, 0.0
        self.calls = self.errors = self.refused = 0.0
        self.taken_s = self.room_s = 0.0
        self.chance = self._luck_scale = 0.0
        self.waiting: Waiting | None = None
        self._known = (0, 0.0, 0.0)
        self.band = (0.0, 0.0)
        self.settled_s = 0.0
        self.calm = self.easy = False

    def settle(self, now_s: float) -> None:
        """Account for the time since the last settling."""
        span_s = now_s - self.settled_s
        if span_s <= 0.0:
            return
        self.settled_s = now_s
        room_s = self.servers * span_s
        self.room_s += room_s
        if self.rate <= 0.0 and not self.flooded:
            return
        calls, work_s, refused_s = self.rate * span_s, self.load * span_s, 0.0
        self.calls += calls
        self.errors += calls * self._lost_share
        if self.flooded:
            ahead_s = self.backlog_s + work_s - room_s
            refused_s = min(max(ahead_s - self._limit_s * self.servers, 0.0), work_s)
            self.backlog_s = max(ahead_s - refused_s, 0.0)
        elif self.waiting is not None:
            refused_s = work_s * self.waiting.refused
        self.taken_s += work_s - refused_s
        if refused_s:
            self.refused += refused_s / self.work_s
            self.errors += refused_s / self.work_s

    def set(self, servers: int, work_s: float, lost_share: float, ahead_s: float) -> None:
        """Say what holds from the last settling on.

        Parameters
        ----------
        servers
            Servers that work.
        work_s
            Mean work of a call, seconds.
        lost_share
            Share of the calls that reach no living instance and fail.
        ahead_s
            Wait that the foreground makes now, seconds: where a flood begins.
        """
        self.servers, self.work_s, self._lost_share = servers, work_s, lost_share
        self.load = load = self.rate * work_s * (1.0 - lost_share)
        self.chance, self.flooded = 0.0, self.backlog_s > 0.0
        calm = self.calm = self.easy = not (lost_share or self.flooded)
        self.band = (-1e-9, 1e-9) if calm else (inf, inf)
        if load <= 0.0:
            self.waiting, self._known = None, (0, 0.0, 0.0)
            return
        both = load + self.foreground
        if both >= servers:
            if not self.flooded:
                self.flooded, self.backlog_s = True, ahead_s * servers
            self.band = (inf, inf)
            self.calm = self.easy = False
            return
        known = (servers, both, work_s)
        if self.waiting is None or known != self._known:
            self.waiting, self._known = Waiting(servers, both, work_s, self._limit_s), known
        self.chance = self.waiting.chance
        if self.foreground:
            others = erlang_c(servers, self.foreground * servers / (servers - load))
            self.chance = max(self.chance - others, 0.0) / (1.0 - others)
        self._luck_scale = self.waiting.chance / self.chance if self.chance else 0.0
        if calm:
            self.calm, self.easy = not self.waiting.refused, not self.waiting.chance
            self.band = (both - 0.01 * (servers - both), both + 0.01 * (servers - both))

    def drift(self, rate: float) -> bool:
        """Take a new rate without working Erlang's formula out anew; False when `set` is needed.

        Enough while all load is within a hundredth of what was left of capacity of that which was set.
        """
        low, high = self.band
        load = rate * self.work_s
        if low < load + (self.foreground if load else 0.0) < high:
            self.rate, self.load = rate, load
            return True
        return False

    def wait_s(self, luck: float) -> float:
        """The wait for the background that a uniform draw below `chance` stands for, seconds."""
        return self.waiting.wait_s(luck * self._luck_scale) if self.waiting is not None else 0.0

    @property
    def stretch(self) -> float:
        """How much longer a foreground call keeps its server, since the background needs the servers as well."""
        if self.flooded or not self.servers:
            return 1.0
        return self.servers / max(self.servers - self.load, 1e-3 * self.servers)

    def ahead_s(self, at_s: float) -> float:
        """Wait in a flood at a time since the last settling, seconds."""
        if not self.servers:
            return 0.0
        ahead_s = self.backlog_s / self.servers
        limit_s = ahead_s if ahead_s > self._limit_s else self._limit_s
        return min(max(ahead_s + (self.load / self.servers - 1.0) * (at_s - self.settled_s), 0.0), limit_s)

    def later_share(self, timeout_s: float, ahead_s: float) -> float:
        """Share of the calls taken whose latency exceeds a time by far beyond the usual; `ahead_s`: their wait in a flood."""
        left_s = timeout_s - ahead_s
        if left_s > FAR * self.work_s:
            return 0.0  # nearly always
        return exp(-left_s / self.work_s) if left_s > 0.0 else 1.0

    def turns_away(self, luck: float) -> bool:
        """Whether a full queue turns a call with this uniform draw away: it takes calls as fast as it drains."""
        load = self.load + self.foreground
        return luck * load < load - self.servers

    def lose(self, servers: int) -> None:
        """Some of the servers died: what they worked on is lost, and with the last of them the queue."""
        self.errors += min(self.load, self.servers) * servers / self.servers
        if servers == self.servers:
            self.errors += self.backlog_s / self.work_s
            self.backlog_s = 0.0

    def queued(self) -> float:
        """Mean number of calls that wait while there is no flood (Little: rate x mean wait)."""
        return self.load / self.work_s * self.waiting.mean_s if self.waiting is not None else 0.0

    def percentiles_s(self, latencies: list[float], taken: float, ahead_s: float) -> tuple[float, float]:
        """Median and percentile 99 of the foreground's latencies (sorts them) and of the background's, seconds.

        Parameters
        ----------
        taken
            Calls of the background that were taken: they have the distribution that holds now.
        ahead_s
            Their wait in a flood, seconds.
        """
        count = len(latencies)
        if count * FEW < taken:
            return self._usual_s(ahead_s)
        if not count:
            return nan, nan
        latencies.sort()
        if not taken:
            return latencies[count // 2], latencies[min(int(count - 0.01 * count), count - 1)]
        return self._mixed_s(latencies, taken, 0.5, ahead_s), self._mixed_s(latencies, taken, 0.01, ahead_s)

    def _usual_s(self, ahead_s: float) -> tuple[float, float]:
        """Of the background alone."""
        if self.flooded or self.waiting is None:
            return self.latency_s(0.5, ahead_s), self.latency_s(0.01, ahead_s)
        if self.waiting.usual_s is None:
            self.waiting.usual_s = self.waiting.latency_s(0.5), self.waiting.latency_s(0.01)
        return self.waiting.usual_s

    def _mixed_s(self, latencies: Sequence[float], taken: float, tail: float, ahead_s: float) -> float:
        """Latency that a share `tail` of both together exceed; `latencies` ascending, `taken` background calls."""
        count = len(latencies)
        above = tail * (count + taken)
        # With k foreground calls above the level, `above` - k of the background must be: the first k for which that level
        # lies above the next foreground latency.
        easy, work_s = self.easy, self.work_s
        low, high, found_s = 0, min(count, ceil(above)), inf
        # As a rule it is where the background alone, if none of it waits, has its level: the second look goes beside it.
        k = min(count - bisect_right(latencies, -log(tail) * work_s), high - 1)
        near = True
        while low < high:
            share = (above - k) / taken
            level_s = -log(share) * work_s if easy and share < 1.0 else self.latency_s(share, ahead_s)
            if level_s >= latencies[count - 1 - k]:
                high, found_s = k, level_s
                k -= 1
            else:
                low = k = k + 1
            if not near:
                k = (low + high) // 2
            near = False
        if found_s == inf and low < above:
            found_s = self.latency_s((above - low) / taken, ahead_s)
        return min(found_s, latencies[count - low]) if low else found_s

    def latency_s(self, tail: float, ahead_s: float) -> float:
        """Latency that a share of the calls taken exceed, seconds; `ahead_s` is the wait in a flood."""
        if tail >= 1.0:
            return 0.0
        if self.flooded or self.waiting is None:
            return ahead_s - log(tail) * self.work_s
        return self.waiting.latency_s(tail)
