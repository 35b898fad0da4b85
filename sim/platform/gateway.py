"""The gateway: how often somebody may ask, and what happens to requests that are repeated, shared, slow or too many.

Everything is evaluated when somebody asks, with the time as an argument that never goes back; tables forget lazily what
is over, each time they have doubled, so that a request pays a constant for it.
"""

from collections import deque
from collections.abc import Sequence
from enum import IntEnum
from math import inf
from typing import Any, Final, NamedTuple

from sim.platform.sessions import Command as Command
from sim.platform.sessions import may as may
from sim.platform.sessions import owns as owns
from sim.platform.sessions import principal as principal
from sim.scenario.gateway import BackpressureSpec, DegradationSpec, IdempotencySpec, Limit, Limits, Part
from sim.vocabulary import NOBODY, Endpoint
from sim.vocabulary import Role as Role

# -- rate limits -------------------------------------------------------------------------------------------------------


_ENDPOINTS = len(Endpoint)
_SWEEP_FROM = 1024
_LAST_BIT_S = 1e-9  # who keeps to the rate exactly is not refused for a rounding error


def _swept(until_s: dict[Any, float], now: float) -> dict[Any, float]:
    return {key: end_s for key, end_s in until_s.items() if end_s > now}


def _gap_and_slack(limit: Limit | None) -> tuple[float, float]:
    # Seconds a token takes to come back, and how far from full a bucket may be and still give one.
    return (0.0, inf) if limit is None else (1.0 / limit.per_s, (limit.burst - 1) / limit.per_s + _LAST_BIT_S)


class RateLimits:
    """Token buckets of each user for each endpoint, of each network address, and one for all.

    A bucket is kept as the time at which it will be full again (the virtual scheduling form of the generic cell rate
    algorithm, ITU-T I.371), so it refills without being touched, and one that is full is forgotten. In any t seconds a
    bucket lets at most burst + rate x t requests in. A refused request takes nothing from any bucket.

    Attributes
    ----------
    refused
        Requests refused, by the bucket that was empty: user's, address's, everybody's.
    """

    def __init__(self, limits: Limits) -> None:
        self._on = limits.on
        self._user = [_gap_and_slack(getattr(limits, endpoint.name.lower(), None)) for endpoint in Endpoint]
        self._address_gap_s, self._address_slack_s = _gap_and_slack(limits.address)
        self._whole_gap_s, self._whole_slack_s = _gap_and_slack(limits.whole)
        self._user_full_s: dict[int, float] = {}
        self._address_full_s: dict[int, float] = {}
        self._whole_full_s = 0.0
        self._sweep_at = _SWEEP_FROM
        self.refused = [0, 0, 0]

    def __len__(self) -> int:
        return len(self._user_full_s) + len(self._address_full_s)

    def allow(self, user: int, endpoint: Endpoint, now: float, address: int = NOBODY) -> bool:
        """Whether a request is let in; `user` is a `principal`, and an address of NOBODY has no limit of its own."""
        if not self._on:
            return True
        key, users = user * _ENDPOINTS + endpoint, self._user_full_s
        gap_s, slack_s = self._user[endpoint]
        user_s = users.get(key, now)
        if user_s < now:
            user_s = now
        elif user_s - now > slack_s:
            self.refused[0] += 1
            return False
        address_s = now
        if address != NOBODY:
            address_s = max(self._address_full_s.get(address, now), now)
            if address_s - now > self._address_slack_s:
                self.refused[1] += 1
                return False
        whole_s = self._whole_full_s
        if whole_s < now:
            whole_s = now
        elif whole_s - now > self._whole_slack_s:
            self.refused[2] += 1
            return False
        users[key] = user_s + gap_s
        self._whole_full_s = whole_s + self._whole_gap_s
        if address != NOBODY:
            self._address_full_s[address] = address_s + self._address_gap_s
            if len(self._address_full_s) >= self._sweep_at:
                self._sweep(now)
        if len(users) >= self._sweep_at:
            self._sweep(now)
        return True

    def _sweep(self, now: float) -> None:
        self._user_full_s = _swept(self._user_full_s, now)
        self._address_full_s = _swept(self._address_full_s, now)
        self._sweep_at = max(_SWEEP_FROM, 2 * max(len(self._user_full_s), len(self._address_full_s)))


# -- repeated requests -------------------------------------------------------------------------------------------------


class Pending(IntEnum):
    """What is known of a request id that has no answer."""

    NEW = 0
    """Nobody asked before: the caller is to do it, and then to `remember` the answer."""
    IN_FLIGHT = 1
    """Somebody is at it: try again later."""


NEW, IN_FLIGHT = Pending.NEW, Pending.IN_FLIGHT


class Idempotency:
    """The answer that each request id was given, for a while: a request that is repeated is answered, not done again.

    A key must name the client too, or one client would be told another's answer.
    """

    def __init__(self, spec: IdempotencySpec) -> None:
        self._on, self._ttl_s, self._lease_s = spec.on, spec.ttl_s, spec.lease_s
        self._answers: dict[Any, tuple[float, Any]] = {}
        self._ring: deque[Any] = deque()  # keys, about as old as they are

    def __len__(self) -> int:
        return len(self._answers)

    def seen(self, key: Any, now: float) -> Any:
        """The answer given before; IN_FLIGHT while there is none; or NEW, and from now on the key is in flight."""
        if not self._on:
            return NEW
        answers, ring, oldest_s = self._answers, self._ring, now - self._ttl_s
        while ring:
            entry = answers.get(ring[0])
            if entry is not None and entry[0] > oldest_s:
                break  # or it was forgotten and has been asked again since: then those behind it wait
            answers.pop(ring.popleft(), None)
        entry = answers.get(key)
        if entry is not None and entry[0] > oldest_s and (entry[1] is not IN_FLIGHT or now < entry[0] + self._lease_s):
            return entry[1]
        answers[key] = (now, IN_FLIGHT)
        ring.append(key)
        return NEW

    def remember(self, key: Any, answer: Any) -> Any:
        """Keep the answer to a request; the first one stands, and is returned."""
        entry = self._answers.get(key)
        if entry is None:
            return answer  # switched off, or answered only after its time
        if entry[1] is IN_FLIGHT:
            self._answers[key] = (entry[0], answer)
            return answer
        return entry[1]

    def forget(self, key: Any) -> None:
        """A request was turned away before anything was done: it may be tried again under the same id."""
        self._answers.pop(key, None)


# -- shared reads ------------------------------------------------------------------------------------------------------


class Read(IntEnum):
    """What can be read."""

    CATALOGUE = 0
    SEARCH = 1
    CART = 2
    ORDERS = 3
    RECOMMENDATIONS = 4
    LOYALTY = 5


PERSONAL: Final = frozenset({Read.CART, Read.ORDERS, Read.RECOMMENDATIONS, Read.LOYALTY})
"""Reads whose answer depends on who asks."""
_PERSONAL = tuple(read in PERSONAL for read in Read)


class ReadKey(NamedTuple):
    """Reads with equal keys have equal answers."""

    read: Read
    store: int
    page: int
    user: int
    """NOBODY when the answer is everybody's."""


class LeakedRead(Exception):
    """One user's data were about to be shared with others: a bug of ours."""


def read_key(read: Read, store: int, page: int, user: int = NOBODY) -> ReadKey:
    """Make the key of a read: with the user when the answer is theirs alone, without when it is everybody's."""
    return ReadKey(read, store, page, user if _PERSONAL[read] else NOBODY)


class Coalescer:
    """Identical reads that are under way at once share one call (request coalescing, "single flight").

    Attributes
    ----------
    leaders, followers
        Reads that made a call, and reads that shared somebody's.
    """

    def __init__(self) -> None:
        self._done_s: dict[ReadKey, float] = {}
        self._sweep_at = _SWEEP_FROM
        self.leaders = self.followers = 0

    def __len__(self) -> int:
        return len(self._done_s)

    def under_way(self, key: ReadKey, now: float) -> bool:
        """Whether a reader would share a call rather than lead one."""
        return self._done_s.get(key, now) > now

    def join(self, key: ReadKey, now: float, done_s: float) -> tuple[bool, float]:
        """Share a call under way, or lead one that will be done at `done_s`.

        Returns
        -------
        tuple
            Whether the caller leads, and when the answer will be there.

        Raises
        ------
        LeakedRead
            When the answer depends on who asks and the key does not.
        """
        if _PERSONAL[key[0]] and key[3] < 0:
            raise LeakedRead(f"Expected a user in the key of a personal read ({Read(key[0])!r}), got {key[3]}.")
        shared_s = self._done_s.get(key)
        if shared_s is not None and shared_s > now:
            self.followers += 1
            return False, shared_s
        self.leaders += 1
        self._done_s[key] = done_s
        if len(self._done_s) >= self._sweep_at:
            self._done_s = _swept(self._done_s, now)
            self._sweep_at = max(_SWEEP_FROM, 2 * len(self._done_s))
        return True, done_s

    def drop(self, key: ReadKey) -> None:
        """A call is over, answered or failed: the next reader makes one of its own."""
        self._done_s.pop(key, None)


# -- overload ----------------------------------------------------------------------------------------------------------


class Backpressure:
    """New orders are turned away with a probability that rises with the order service's queue delay."""

    def __init__(self, spec: BackpressureSpec) -> None:
        self._from_s = spec.shed_from_s if spec.on else inf
        self._span_s = spec.shed_all_s - spec.shed_from_s

    def probability(self, delay_s: float) -> float:
        """Share of new orders shed at a queue delay: 0 up to `shed_from_s`, linear, 1 from `shed_all_s` on."""
        over_s = delay_s - self._from_s
        if over_s <= 0.0:
            return 0.0
        return over_s / self._span_s if over_s < self._span_s else 1.0

    def sheds(self, delay_s: float, luck: float) -> bool:
        """Whether an order is turned away; `luck` is its uniform draw on [0, 1)."""
        return luck < self.probability(delay_s)


class Feature(IntEnum):
    """What the platform can do without; the names are those of `sim.scenario.gateway.DegradationSpec`."""

    RECOMMENDATIONS = 0
    LOYALTY = 1
    LIVE_TRACKING = 2
    PROMOTIONS = 3


class Degradation:
    """Features that are switched off one after another as load rises, and on again in the opposite order as it falls.

    Attributes
    ----------
    off
        How many are off now: always the first of the list.
    """

    def __init__(self, spec: DegradationSpec) -> None:
        self.features = [Feature[name.upper()] for name in spec.order]
        self._off_at = list(spec.off_at) if spec.on else [inf] * len(spec.off_at)
        self._on_at = [load - spec.hysteresis for load in self._off_at]
        self._place = [len(self.features)] * len(Feature)  # a feature not in the list is never switched off
        for place, feature in enumerate(self.features):
            self._place[feature] = place
        self.off = 0

    def update(self, load: float) -> int:
        """Take note of the load (1: everything is busy); how many features are off from now on."""
        off, off_at, on_at = self.off, self._off_at, self._on_at
        while off < len(off_at) and load >= off_at[off]:
            off += 1
        while off and load < on_at[off - 1]:
            off -= 1
        self.off = off
        return off

    def enabled(self, feature: Feature) -> bool:
        """Whether a feature is on."""
        return self._place[feature] >= self.off


# -- screens -----------------------------------------------------------------------------------------------------------


class Fanout:
    """A screen that asks several services at once.

    Attributes
    ----------
    services, work
        Of each part: the service's name, and the load the question puts on it.
    dropped
        How often each part was left out because it was late.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self.services = [part.service for part in parts]
        self.work = [part.work for part in parts]
        self._required = [part.required for part in parts]
        self.dropped = [0] * len(parts)

    def screen_s(self, latencies: Sequence[float], deadline_s: float) -> tuple[float, int]:
        """How long the screen takes, seconds, and how many optional parts it shows without.

        The screen waits for its slowest required part, and for optional ones until the deadline: one that is late is
        known to be late only then. A part below zero was not asked (its feature is off); infinity never answers.
        """
        screen_s, late = 0.0, 0
        for place, latency_s in enumerate(latencies):
            if latency_s <= deadline_s or self._required[place]:
                if latency_s > screen_s:
                    screen_s = latency_s
            else:
                self.dropped[place] += 1
                late += 1
        if late and screen_s < deadline_s:
            screen_s = deadline_s
        return screen_s, late
