"""The catalogue with every read served from a real cache and a real replica: what the rate is tested against."""

from collections import deque
from collections.abc import Iterable
from math import inf

from sim.clock import Clock, Timer
from sim.platform.browsing import Browsed, Change, ReadResult, Sample, Setup
from sim.platform.cache import Entry, TtlCache
from sim.platform.gateway import Coalescer, Read, read_key
from sim.streams import Die


class ExplicitCatalogue(Browsed):
    """Every read is served, from a real cache and a real replica: for small worlds.

    Parameters
    ----------
    available
        Which records are available at the start, by place; all of them unless given.
    """

    def __init__(
        self,
        env: Clock,
        die: Die,
        setup: Setup,
        *,
        available: Iterable[bool] | None = None,
    ) -> None:
        super().__init__(die, setup)
        stores, skus = setup.stores, setup.skus
        self._env = env
        self._cache: TtlCache[int, bytes] = TtlCache(setup.cache.ttl_s)
        self._copy = bytearray([1] * (stores * skus) if available is None else [int(there) for there in available])
        self._logs: list[deque[Change]] = [deque() for _ in range(stores)]
        self._page_changes: list[list[Change]] = [[] for _ in range(self.pages)]
        self._places: list[list[int]] = [[] for _ in range(self.pages)]
        for place in range(stores * skus):
            self._places[self.page_of(place)].append(place)
        self._cleared_s = [0.0] * self.pages
        self._calls = Coalescer()
        self._coming: dict[int, Entry[bytes]] = {}  # of the first call under way for each page, what it will bring
        self._sampled = (0.0, 0.0, 0.0, 0.0, 0.0)

    def crossed(self, place: int, now: float, available: bool) -> None:
        """A record was sold out, or is available again."""
        change = self._change(place, now, available)
        if change is None:
            return
        page = self.page_of(place)
        self._page_changes[page].append(change)
        self._logs[place // self._skus].append(change)
        delay_s = self.invalidations.delay_of_s(place, self._numbers[place])
        if delay_s < inf:
            Timer(self._env, delay_s, self._invalidate, page)

    def _invalidate(self, event: Timer) -> None:
        self._cache.delete(event.value, self._env.now)

    def read(self, store: int, category: int, now: float, *, reachable: bool = True) -> ReadResult | None:
        """A browser looks at a page; None when no page is filled and there is nothing to answer with.

        `reachable`: whether the records of this store are; else its pages are not filled.
        """
        page = store * self.categories + category
        self.reads += 1
        entry = self._cache.get(page, now)
        if entry is not None:
            return self._answer(page, entry, now, hit=True)
        key = read_key(Read.CATALOGUE, store, category)
        if not (self.filling and reachable) and not (self.coalesce and self._calls.under_way(key, now)):
            entry = self._cache.last(page) if self._last_will_do else None
            if entry is None:
                self.unanswered += 1
                return None
            self.stale_answers += 1
            return self._answer(page, entry, now, stale=True)
        ready_s = now + self.fill_s
        if self.coalesce:
            leads, ready_s = self._calls.join(key, now, ready_s)
            if not leads:
                self.coalesced += 1
                return self._answer(page, self._coming[page], now, coalesced=True, ready_s=ready_s)
        self.misses += 1
        return self._answer(page, self._ask(page, now), now, ready_s=ready_s)

    def _ask(self, page: int, now: float) -> Entry[bytes]:
        """Read a page from the replica, which will be in the cache when the answer is there."""
        self._replicate(page // self.categories, now)
        fresh = Entry(bytes(map(self._copy.__getitem__, self._places[page])), now, inf)
        if page not in self._coming:
            self._page_changes[page] = self._filled(self._page_changes[page], now, self._empty_s(page))
        if self.fill_s:
            self._coming.setdefault(page, fresh)
            Timer(self._env, self.fill_s, self._keep, (page, fresh))
        else:
            self._cache.add(page, fresh.value, now, now)
        return fresh

    def _keep(self, event: Timer) -> None:
        page, fresh = event.value
        if self._coming.get(page) is fresh:
            del self._coming[page]
            self._calls.drop(read_key(Read.CATALOGUE, *divmod(page, self.categories)))
        self._cache.add(page, fresh.value, fresh.filled_s, self._env.now)

    def _answer(
        self,
        page: int,
        entry: Entry[bytes],
        now: float,
        *,
        hit: bool = False,
        coalesced: bool = False,
        stale: bool = False,
        ready_s: float | None = None,
    ) -> ReadResult:
        self.stale_reads += sum(change.seen_s > entry.filled_s for change in self._page_changes[page])
        ready_s = now if ready_s is None else ready_s
        return ReadResult(hit, coalesced, stale, ready_s - entry.filled_s, ready_s, entry.value)

    def _replicate(self, store: int, now: float) -> None:
        """Apply what has arrived of a store's log to the copy that pages are filled from."""
        log_ = self._logs[store]
        while log_ and log_[0].seen_s <= now:
            change = log_.popleft()
            self._copy[change.place] = change.available

    def _empty_s(self, page: int) -> float:
        entry = self._cache.last(page)
        return self._cleared_s[page] if entry is None else max(self._cleared_s[page], entry.expires_s)

    def _entry(self, page: int, now: float) -> tuple[float, float]:
        entry = self._cache.last(page)
        return (-inf, -inf) if entry is None else (entry.filled_s, entry.expires_s)

    def shown(self, place: int, now: float, available: bool) -> bool:
        """Whether a browser is shown a record as available, given whether it is; looking fills no page."""
        changes = self.changes.get(place)
        if changes is None:
            return available
        page = self.page_of(place)
        entry = self._cache.get(page, now) or self._coming.get(page)
        if entry is not None or not self.filling:
            there = entry is not None or (self._last_will_do and self._cache.last(page) is not None)
            answer = not changes[0].available and there
        else:
            answer = self._as_of(changes, now)
        self.stale_shown += answer != available
        return answer

    def flush(self, now: float) -> None:
        """The cache lost all pages, last answers included."""
        for page in range(self.pages):
            self._cleared_s[page] = min(self._empty_s(page), now)
        self._cache.flush()

    def _fills_again(self, now: float) -> None:
        self._cleared_s = [now] * self.pages

    def sample(self, now: float) -> Sample:
        """The figures since the last sample."""
        then_s, reads, misses, others, blank = self._sampled
        others_now = self.coalesced + self.stale_answers + self.unanswered
        self._sampled = (now, self.reads, self.misses, others_now, self.unanswered)
        passed_s, asked = now - then_s, self.reads - reads
        hits = asked - (self.misses - misses) - (others_now - others)
        return Sample(
            asked / passed_s if passed_s else 0.0, hits / asked if asked else 0.0,
            (self.misses - misses) / passed_s if passed_s else 0.0, self.stale_shown,
            (self.unanswered - blank) / passed_s if passed_s else 0.0,
        )  # fmt: skip
