"""Cache-aside: a dictionary whose entries live for a while, its formulas, and how late the readers' copy is.

A page is looked up in the cache; a miss is filled from the read replica and kept for the time to live. With reads that
come at random (Poisson) at a rate r, an entry of life L is followed by a wait of mean 1/r for the next read, which fills
it again: a renewal process with cycle L + 1/r, of which all formulas here are consequences (Cox 1962; for caches with
a time to live: Jung, Berger, Balakrishnan 2003).
"""

from array import array
from bisect import bisect_right
from collections.abc import Hashable
from math import exp, inf, lgamma, log, log1p, sqrt
from statistics import NormalDist
from typing import Final, Generic, TypeVar

from sim.scenario.catalogue_reads import CacheSpec, ReplicaSpec
from sim.streams import Die
from sim.vocabulary import quantise

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

_NORMAL = NormalDist()
_LAG, _DELAY, _LOSS, _KINDS = 0, 1, 2, 4
_FORGOTTEN = 1000.0  # lives after which nobody knows any more when the entry was deleted
_FLOOR = 2.0**-60  # the normal quantile is not defined at 0


def hit_share(reads_per_s: float, ttl_s: float, fill_s: float = 0.0) -> float:
    """Share of reads that find an entry: r ttl / (1 + r (fill + ttl)), the reads of a cycle being 1 + r (fill + ttl)."""
    return reads_per_s * ttl_s / (1.0 + reads_per_s * (fill_s + ttl_s))


def coalesced_share(reads_per_s: float, ttl_s: float, fill_s: float) -> float:
    """Share of reads that come while the entry is being filled, and wait for that fill: r fill / (1 + r (fill + ttl))."""
    return reads_per_s * fill_s / (1.0 + reads_per_s * (fill_s + ttl_s))


def empty_share(reads_per_s: float, life_s: float, since_s: float) -> float:
    """Chance that an entry is not there `since_s` after it was deleted; tends to 1 / (1 + r life).

    The sum over the number k of entries that have come and gone of the chance that exactly k reads arrived in the time
    without an entry, since - k life: a Poisson probability (a counter with dead time; Cox 1962, section 9.4).
    """
    if life_s <= 0.0:
        return 1.0
    if since_s > _FORGOTTEN * life_s:
        return 1.0 / (1.0 + reads_per_s * life_s)
    total, gone = 0.0, 0
    while gone * life_s <= since_s:
        expected = reads_per_s * (since_s - gone * life_s)
        if expected > 0.0:
            total += exp(gone * log(expected) - expected - lgamma(gone + 1))
        elif gone == 0:
            total += 1.0
        gone += 1
    return total


def lognormal_s(uniform: float, mean_s: float, cv: float) -> float:
    """Turn a uniform draw into a lognormal duration of a mean and coefficient of variation, seconds, quantised."""
    if mean_s <= 0.0 or cv <= 0.0:
        return quantise(max(mean_s, 0.0))
    sigma2 = log1p(cv * cv)
    return quantise(mean_s * exp(sqrt(sigma2) * _NORMAL.inv_cdf(max(uniform, _FLOOR)) - sigma2 / 2.0))


class Entry(Generic[Value]):
    """What is kept for a key: the value, the moment of which it is true, and when it expires."""

    __slots__ = ("expires_s", "filled_s", "value")

    def __init__(self, value: Value, filled_s: float, expires_s: float) -> None:
        self.value, self.filled_s, self.expires_s = value, filled_s, expires_s


class TtlCache(Generic[Key, Value]):
    """Entries that live `ttl_s` from the moment they are put; what has expired is remembered as the last answer."""

    def __init__(self, ttl_s: float) -> None:
        self.ttl_s = ttl_s
        self._entries: dict[Key, Entry[Value]] = {}

    def get(self, key: Key, now: float) -> Entry[Value] | None:
        """The entry of a key if it is alive: up to, not including, the moment it expires."""
        entry = self._entries.get(key)
        return entry if entry is not None and now < entry.expires_s else None

    def last(self, key: Key) -> Entry[Value] | None:
        """The last entry of a key, alive or not."""
        return self._entries.get(key)

    def add(self, key: Key, value: Value, filled_s: float, now: float) -> None:
        """Keep a value that was true at `filled_s`, unless another one is alive: of two writers the first wins."""
        if self.get(key, now) is None:
            self._entries[key] = Entry(value, filled_s, now + self.ttl_s)

    def delete(self, key: Key, now: float) -> None:
        """End the life of an entry now."""
        entry = self._entries.get(key)
        if entry is not None and now < entry.expires_s:
            entry.expires_s = now

    def flush(self) -> None:
        """Forget everything, the last answers as well."""
        self._entries.clear()


class Replica:
    """When the read replica shows a change: at the next multiple of the batch plus the lag, in the order of the log.

    Parameters
    ----------
    die
        Chance, keyed by record and by the number of the change.
    stores
        Each store's records have a log of their own.

    Attributes
    ----------
    lag_s
        Mean lag of the changes that follow, seconds; a fault may raise it.
    """

    def __init__(self, die: Die, spec: ReplicaSpec, stores: int) -> None:
        self._die, self._cv, self._batch_s = die, spec.lag_cv, spec.batch_s
        self.lag_s = spec.lag_s
        self._last_s = [0.0] * stores

    def sees_s(self, store: int, place: int, number: int, now: float) -> float:
        """When the replica has the `number`-th change of a record, which was made now, seconds."""
        sent = now
        if self._batch_s:
            batches = now / self._batch_s
            sent = now if batches == int(batches) else quantise((int(batches) + 1) * self._batch_s)
        seen = sent + lognormal_s(self._die.uniform(place, number * _KINDS + _LAG), self.lag_s, self._cv)
        # A log is applied in order: after a slow stretch, what is newer waits for what is older.
        self._last_s[store] = seen = max(seen, self._last_s[store])
        return seen


class Invalidations:
    """When the message that deletes a page arrives, if it does.

    Attributes
    ----------
    on, delay_s, loss
        Whether changes are told at all, mean time on the way (seconds), chance of a loss; faults may change them.
    """

    def __init__(self, die: Die, spec: CacheSpec) -> None:
        self._die, self._cv = die, spec.invalidate_cv
        self.on, self.delay_s, self.loss = spec.invalidate, spec.invalidate_s, spec.invalidate_loss

    def delay_of_s(self, place: int, number: int) -> float:
        """How long the message about the `number`-th change of a record takes, seconds; infinity when it is lost."""
        if not self.on or self._die.uniform(place, number * _KINDS + _LOSS) < self.loss:
            return inf
        return lognormal_s(self._die.uniform(place, number * _KINDS + _DELAY), self.delay_s, self._cv)


_EDGES: Final = tuple(0.001 * 1.02**i for i in range(950))


class Freshness:
    """Times from a change until browsers see it, in buckets of 2 % from a millisecond to two days: memory stays bounded."""

    def __init__(self) -> None:
        self.count = 0
        self._counts = array("q", bytes(8 * (len(_EDGES) + 1)))
        self._known: dict[float, float] = {}

    def add(self, fresh_s: float) -> None:
        """Count a change that took `fresh_s` to be seen."""
        self._counts[bisect_right(_EDGES, fresh_s)] += 1
        self.count += 1
        self._known.clear()

    def quantile_s(self, share: float) -> float:
        """The time within which a share of the changes was seen, seconds, rounded up by at most 2 %; 0 without changes."""
        if not self.count:
            return 0.0
        if share not in self._known:  # asked every few seconds, and changed seldom
            left = share * self.count
            bucket = 0
            while bucket < len(_EDGES) - 1 and (left := left - self._counts[bucket]) > 0:
                bucket += 1
            self._known[share] = _EDGES[bucket]
        return self._known[share]
