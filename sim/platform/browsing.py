"""The catalogue that customers browse: what is known of its pages whether every read is simulated or none.

A page is a category of a store and lists which of its SKUs are available. Pages are cached (`sim.platform.cache`); a miss is
filled from the read replica. `sim.platform.catalogue` takes reads as a rate, `sim.platform.explicit_reads` serves each one.

The time from asking the replica until the page is in the cache (`fill_s`) belongs to the entry: whoever reads in between
waits for the same answer, and an invalidation that comes in between deletes nothing.
"""

from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import NamedTuple

from sim.platform.cache import Freshness, Invalidations, Replica
from sim.scenario.catalogue_reads import CacheSpec, ReplicaSpec
from sim.streams import Die


class Sample(NamedTuple):
    """What a dashboard shows: reads and misses per second, shares of 1, seconds, lines shown wrongly so far.

    `unanswered_per_s`: reads for which there is no answer, per second, while no page is filled.
    """

    reads_per_s: float
    hit_rate: float
    misses_per_s: float
    stale_shown: int
    unanswered_per_s: float


sampled: Callable[[tuple[float, ...]], Sample] = partial(tuple.__new__, Sample)
"""Makes a sample without a call of Python's own for each."""


class ReadResult(NamedTuple):
    """A page as a reader gets it: at `ready_s`, true `age_s` before; `values` has a byte for each SKU of the page."""

    hit: bool
    coalesced: bool
    stale: bool
    age_s: float
    ready_s: float
    values: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What pages there are and how they are cached.

    Attributes
    ----------
    stores, skus, category
        A record's place is ``store * skus + sku``, a page's ``store * categories + category[sku]``.
    fill_s
        Time until a miss is answered, seconds.
    coalesce
        Whether reads of a page that is being filled wait for that answer instead of asking for one each.
    on_visible
        Told the place and the seconds of each change that became visible; not at that moment but when it is found out.
    """

    stores: int
    skus: int
    category: Sequence[int]
    cache: CacheSpec
    replica: ReplicaSpec
    fill_s: float = 0.0
    coalesce: bool = True
    on_visible: Callable[[int, float], None] | None = None


class Change:
    """A record that was sold out or came back, until all browsers know."""

    __slots__ = ("available", "changed_s", "place", "seen_s")

    def __init__(self, place: int, available: bool, changed_s: float, seen_s: float) -> None:
        self.place, self.available, self.changed_s, self.seen_s = place, available, changed_s, seen_s


class Browsed(ABC):
    """What both modes share: changes on their way to the browsers, and counts.

    Parameters
    ----------
    die
        Chance, keyed by record and page.

    Attributes
    ----------
    reads, misses, coalesced, stale_answers, unanswered
        Reads so far, those the catalogue service answered, those that joined one of these, and while no page was filled
        those answered past the page's life or not at all; the rest are hits. Expected numbers when reads are a rate.
    filling
        Whether reads that miss are asked, and answered: else no page is filled.
    changes
        Of each record that changed, by place, what is not visible to everybody yet. While there is nothing, and pages are
        filled, every record is shown as it is.
    replica, invalidations, fill_s
        What faults may change while the run goes on.
    stale_reads
        Reads of a page that showed an older state of a record than the newest, for each such record.
    stale_shown
        Answers of `shown` that differed from the record.
    shown_available_was_gone, shown_gone_was_available
        Lines ordered in vain, lines not ordered though there.
    """

    def __init__(self, die: Die, setup: Setup) -> None:
        self._die, self._skus, self._category = die, setup.skus, [int(kind) for kind in setup.category]
        self.categories = max(self._category) + 1
        self.pages = setup.stores * self.categories
        self.replica = Replica(die, setup.replica, setup.stores)
        self.invalidations = Invalidations(die, setup.cache)
        self.freshness = Freshness()
        self.fill_s, self.coalesce = setup.fill_s, setup.coalesce
        self.breaker_is_open = self.source_is_dead = False
        self.filling = True
        self.reads = self.misses = self.coalesced = self.stale_answers = self.unanswered = self.stale_reads = 0.0
        self.stale_shown = self.shown_available_was_gone = self.shown_gone_was_available = 0
        self._ttl_s, self._may_be_stale = setup.cache.ttl_s, setup.cache.stale_on_open_breaker
        self._on_visible = setup.on_visible
        self._numbers = array("i", bytes(4 * setup.stores * setup.skus))
        self.changes: dict[int, list[Change]] = {}

    @abstractmethod
    def crossed(self, place: int, now: float, available: bool) -> None:
        """A record was sold out, or is available again."""

    @abstractmethod
    def shown(self, place: int, now: float, available: bool) -> bool:
        """Whether a browser is shown a record as available, given whether it is; looking fills no page."""

    def fills_in(self, fill_s: float, now: float) -> None:
        """A page that is asked for from now on is there after so long, seconds."""
        self.fill_s = fill_s

    @abstractmethod
    def flush(self, now: float) -> None:
        """The cache lost all pages, last answers included."""

    def breaker_opened(self, now: float) -> None:
        """The breaker on catalogue reads opened: whoever finds nothing in the cache gets the last answer, if that is allowed."""
        self._turn(now, True, self.source_is_dead)

    def breaker_closed(self, now: float) -> None:
        """The breaker closed: what has expired in the meantime is filled again by the next read that is answered."""
        self._turn(now, False, self.source_is_dead)

    def source(self, now: float, answers: bool) -> None:
        """From now on the services that pages are filled from answer, or they do not: then who finds nothing gets nothing."""
        if answers is self.source_is_dead:
            self._turn(now, self.breaker_is_open, not answers)

    def _turn(self, now: float, breaker_is_open: bool, source_is_dead: bool) -> None:
        filled = self.filling
        if filled:
            self._about_to_stop(now)
        else:
            self._about_to_turn(now)
        self.breaker_is_open, self.source_is_dead = breaker_is_open, source_is_dead
        self.filling = not (breaker_is_open or source_is_dead)
        if not filled and self.filling:
            self._fills_again(now)

    def _about_to_stop(self, now: float) -> None:  # noqa: B027 (not everybody has to know)
        """From now on no page is filled."""

    def _about_to_turn(self, now: float) -> None:  # noqa: B027 (likewise)
        """No page was filled, and whoever finds nothing gets something else from now on."""

    @abstractmethod
    def _fills_again(self, now: float) -> None:
        """Pages are filled again: what has expired in the meantime by the next read."""

    @abstractmethod
    def sample(self, now: float) -> Sample:
        """The figures of now; also finds out what has become visible."""

    def page_of(self, place: int) -> int:
        """The page that lists a record."""
        store, sku = divmod(place, self._skus)
        return store * self.categories + self._category[sku]

    def gone(self) -> None:
        """The record denied a line that was shown as available."""
        self.shown_available_was_gone += 1

    def missed(self) -> None:
        """A customer did without a line that was there, because it was shown as sold out."""
        self.shown_gone_was_available += 1

    def hit_rate(self) -> float:
        """Share of all reads so far that the cache answered, pages that are past their life aside."""
        others = self.misses + self.coalesced + self.stale_answers + self.unanswered
        return 1.0 - others / self.reads if self.reads else 0.0

    def open_age_s(self, place: int, now: float) -> float | None:
        """While no page is filled: how old the answer is that a page gets from the cache, seconds; None: it gets none."""
        filled_s, expires_s = self._entry(self.page_of(place), now)
        return now - filled_s if filled_s > -inf and (self._last_will_do or now < expires_s) else None

    @property
    def _last_will_do(self) -> bool:
        return self._may_be_stale and self.breaker_is_open

    def ordered(self, places: Iterable[int], now: float) -> float | None:
        """An order was placed while no page is filled: the age of the oldest expired page it is from, seconds, or None."""
        if not self._last_will_do:
            return None  # an expired page shows nothing that could be ordered
        entries = [self._entry(self.page_of(place), now) for place in places]
        ages = [now - filled_s for filled_s, expires_s in entries if now >= expires_s > -inf]
        return max(ages, default=None)

    @abstractmethod
    def _entry(self, page: int, now: float) -> tuple[float, float]:
        """When a page was last filled and when that expires; minus infinity for both when there is no last answer."""

    def _change(self, place: int, now: float, available: bool) -> Change | None:
        """Note a change; None when it is none, because the record was last heard to be so."""
        waiting = self.changes.get(place)
        if waiting and waiting[-1].available == available:
            return None
        self._numbers[place] += 1
        seen_s = self.replica.sees_s(place // self._skus, place, self._numbers[place], now)
        change = Change(place, available, now, seen_s)
        if waiting:
            waiting.append(change)
        else:
            self.changes[place] = [change]
        return change

    def _filled(self, changes: list[Change], now: float, empty_s: float) -> list[Change]:
        """A page was filled now, having been empty from `empty_s` on: returns the changes that are not yet visible."""
        late = []
        for change in changes:
            if change.seen_s > now:
                late.append(change)
                continue
            fresh_s = max(change.seen_s, empty_s) - change.changed_s
            self.freshness.add(fresh_s)
            self._became_visible(change, fresh_s)
            if self._on_visible is not None:
                self._on_visible(change.place, fresh_s)
            waiting = self.changes[change.place]
            del waiting[0]  # changes of a record become visible in their order
            if not waiting:
                del self.changes[change.place]
        return late

    def _became_visible(self, change: Change, fresh_s: float) -> None:  # noqa: B027 (nothing more to count is usual)
        """For whoever counts more than the time."""

    @staticmethod
    def _as_of(changes: list[Change], now: float) -> bool:
        """What the replica shows of a record now."""
        shown = not changes[0].available
        for change in changes:
            if change.seen_s <= now:
                shown = change.available
        return shown
