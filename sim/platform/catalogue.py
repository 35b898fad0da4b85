"""The catalogue with reads as a rate: how long pages show what is no longer so, without a single read simulated.

Reads of a page are a Poisson process. Only around a change of a record from available to sold out or back is the life of
its page worked out, entry by entry, when somebody looks and always with the same result:

- the page is cached at that moment with the chance of the renewal formula, its age then uniform over its life;
- an entry ends at its life's end or when an invalidation arrives, and the next read, after an exponential wait, fills
  the page again with what the replica shows then: while the replica is behind, that is the old answer for a whole life
  more, unless the invalidation comes after that fill;
- a change is visible from the moment on which no reader can be shown an older answer.
"""

from collections.abc import Callable, Sequence
from math import inf, log

from sim.platform.browsing import Browsed, Change, Sample, Setup, sampled
from sim.platform.cache import coalesced_share, empty_share, hit_share
from sim.streams import Die
from sim.vocabulary import quantise

RATES_S = 60.0
"""Rates of reading are looked up at whole minutes: profiles and surges change at none between."""

_JUMP_CYCLES = 3.0
"""Lives and waits after which a page nobody asked about is drawn afresh instead of followed from entry to entry."""
_MEMORY_LIVES = 20.0
"""Lives after a flush during which the expiry of all pages at about the same time still shows in the misses."""
_TINY = 2.0**-60


class _Page:
    """The life of one page as far as it was worked out: an entry, or empty since a time."""

    __slots__ = (
        "changes", "cleared_s", "cuts", "draws", "empty_s", "expires_s", "filled_s", "followed_s", "live", "need", "number",
        "ready_s", "share", "store", "wakes_s",
    )  # fmt: skip

    def __init__(self, number: int, store: int, share: float) -> None:
        self.number, self.store, self.share = number, store, share
        self.changes: list[Change] = []
        self.cuts: list[float] = []  # arrivals of invalidations, seconds, in order
        self.draws = 0
        self.live = False
        self.filled_s = self.ready_s = self.expires_s = -inf
        # Empty: the next read comes when the rate has summed up to `need`, of which the part after `followed_s` is left.
        self.empty_s = self.followed_s = 0.0
        self.need = 0.0
        self.cleared_s = -inf
        self.wakes_s = -inf  # nothing happens to it before


class Catalogue(Browsed):
    """Reads as a rate: nothing is simulated for each of them.

    Parameters
    ----------
    rate
        Reads per second of a store's pages together at a time, those of customers who order included; a function of
        store and time alone, constant within each minute.
    shares
        Of each category in the reads of a store, summing to 1.
    """

    def __init__(
        self,
        die: Die,
        setup: Setup,
        *,
        shares: Sequence[float],
        rate: Callable[[int, float], float],
    ) -> None:
        super().__init__(die, setup)
        self._rate, self._stores = rate, setup.stores
        self._pages = [
            _Page(store * self.categories + kind, store, float(shares[kind]))
            for store in range(setup.stores)
            for kind in range(self.categories)
        ]
        for page in self._pages:
            page.need = self._wait(page)
        self._active: dict[int, _Page] = {}
        self._memory_until_s = -inf
        self._stopped_s = inf
        self._rates: list[float] = []
        self._table_until_s = self._counted_s = 0.0
        self._reads_s = self._misses_s = self._coalesced_s = 0.0

    # -- what happens ------------------------------------------------------------------------------------------------

    def crossed(self, place: int, now: float, available: bool) -> None:
        """A record was sold out, or is available again."""
        page = self._pages[self.page_of(place)]
        self._know(page, now)
        change = self._change(place, now, available)
        if change is None:
            return
        page.changes.append(change)
        delay_s = self.invalidations.delay_of_s(place, self._numbers[place])
        if delay_s < inf:
            page.cuts.append(now + delay_s)
            page.cuts.sort()
        page.wakes_s = -inf
        self._active[page.number] = page

    def fills_in(self, fill_s: float, now: float) -> None:
        """A page that is asked for from now on is there after so long, seconds."""
        self._count(now)
        for page in list(self._active.values()):
            self._advance(page, now)
        super().fills_in(fill_s, now)
        self._rates = []
        self._tabulate(now)

    def flush(self, now: float) -> None:
        """The cache lost all pages, last answers included."""
        self._count(now)
        for page in self._pages:
            self._know(page, now)
            if page.live:
                self._lost(page, now)
                self._clear(page, now)
            page.filled_s = page.expires_s = -inf
            page.cleared_s = now
        self._memory_until_s = now + _MEMORY_LIVES * (self.fill_s + self._ttl_s)

    def _about_to_stop(self, now: float) -> None:
        self._count(now)
        for page in self._pages:
            self._know(page, now)
        self._stopped_s = now

    def _about_to_turn(self, now: float) -> None:
        self._count(now)
        for page in self._pages:
            if page.live:
                self._advance(page, now, False)
            if not page.live:
                without = self._page_rate(page, now) * (now - max(self._stopped_s, page.empty_s))
                if self._last_will_do and page.filled_s > -inf:
                    self.stale_answers += without
                else:
                    self.unanswered += without
        self._stopped_s = now

    def _fills_again(self, now: float) -> None:
        life_s = self.fill_s + self._ttl_s
        for page in self._pages:
            rate = self._page_rate(page, now)
            left_s = page.expires_s - now if page.live else 0.0
            if not page.live:
                page.empty_s = page.followed_s = now
                page.need = self._wait(page)  # afresh: how far it was followed may hang on who looked
                page.wakes_s = -inf
            page.cleared_s = now + left_s
            if rate:
                # A page known to be empty is filled sooner than one of which nothing is known.
                chance = rate * life_s / (1.0 + rate * life_s)
                self.misses += (chance * life_s / 2.0 - left_s) / (life_s + 1.0 / rate)
        self._stopped_s = inf
        self._memory_until_s = now + _MEMORY_LIVES * life_s

    # -- who looks ---------------------------------------------------------------------------------------------------

    def shown(self, place: int, now: float, available: bool) -> bool:
        """Whether a browser is shown a record as available, given whether it is."""
        if place not in self.changes:
            return available
        page = self._pages[self.page_of(place)]
        self._advance(page, now)
        changes = self.changes.get(place)
        if changes is None:
            return available
        if page.live or not self.filling:
            # No change that the last fill saw is left, so the answer is from before the first; no answer is no offer.
            answer = not changes[0].available and (page.live or (self._last_will_do and page.filled_s > -inf))
        else:
            answer = self._as_of(changes, now)
        self.stale_shown += answer != available
        return answer

    def page_hit_rate(self, page: int, now: float) -> float:
        """Share of a page's reads that hit at the rate of now: r ttl / (1 + r (fill + ttl))."""
        return hit_share(self._page_rate(self._pages[page], now), self._ttl_s, self.fill_s)

    def miss_rate(self, now: float) -> float:
        """Reads per second that the catalogue service has to answer."""
        return self.sample(now).misses_per_s

    def sample(self, now: float) -> Sample:
        """The figures of now; also finds out what has become visible."""
        self._count(now)
        if self._active:
            for page in [page for page in self._active.values() if page.wakes_s <= now]:
                self._advance(page, now)
        reads, misses, coalesced, hits = self._reads_s, self._misses_s, self._coalesced_s, 0.0
        blank = 0.0
        if not self.filling:
            coalesced = 0.0
            for page in self._pages:
                rate = self._page_rate(page, now)
                if page.live and page.expires_s > now:
                    hits += rate
                elif not self._last_will_do or page.filled_s == -inf:
                    blank += rate
            misses = 0.0 if self.breaker_is_open else blank  # asked in vain
        else:
            if now < self._memory_until_s:
                misses, coalesced = self._after_clearing(now)
            hits = max(reads - misses - coalesced, 0.0)
        return sampled((reads, hits / reads if reads else 0.0, misses, self.stale_shown, blank))

    def _entry(self, page: int, now: float) -> tuple[float, float]:
        if page in self._active:
            self._advance(self._pages[page], now)
        return self._pages[page].filled_s, self._pages[page].expires_s

    # -- the life of a page ------------------------------------------------------------------------------------------

    def _page_rate(self, page: _Page, now: float) -> float:
        if self._table_until_s - RATES_S <= now < self._table_until_s:
            return self._rates[page.store] * page.share  # as it was looked up for this minute
        return self._rate(page.store, now) * page.share

    def _uniform(self, page: _Page) -> float:
        page.draws += 1
        return self._die.uniform(-1 - page.number, page.draws)

    def _wait(self, page: _Page) -> float:
        """Reads expected until the next one: exponential with mean 1."""
        return -log(max(self._uniform(page), _TINY))

    def _know(self, page: _Page, now: float) -> None:
        """Work out what a page is like now."""
        self._advance(page, now)  # first to rest, where it would be had somebody looked
        if not page.changes and not page.cuts and self.filling:
            rate, life_s = self._page_rate(page, now), self.fill_s + self._ttl_s
            known_s = page.expires_s if page.live else page.empty_s
            if rate and now - known_s > _JUMP_CYCLES * (life_s + 1.0 / rate):
                covered, chance = self._uniform(page), rate * life_s / (1.0 + rate * life_s)
                if covered < chance:
                    left_s = quantise(covered / chance * life_s)
                    self._fill(page, now + left_s - life_s)
                else:
                    # Seen backwards, the wait is exponential as well.
                    page.filled_s = now - life_s - self._wait(page) / rate
                    self._clear(page, now)
                return
        self._advance(page, now, False)

    def _fill(self, page: _Page, now: float) -> None:
        page.live, page.filled_s, page.ready_s = True, now, now + self.fill_s
        page.expires_s = page.ready_s + self._ttl_s

    def _clear(self, page: _Page, now: float) -> None:
        page.live = False
        page.expires_s = page.empty_s = page.followed_s = now
        page.wakes_s = -inf
        page.need = self._wait(page)

    def _advance(self, page: _Page, now: float, rest: bool = True) -> None:
        """Follow a page from entry to entry up to now, or only until all its changes are visible (`rest`).

        Where it comes to rest depends on the changes alone, so asking more or less often changes nothing.
        """
        while True:
            if rest and not page.changes and not page.cuts:
                self._active.pop(page.number, None)
                return
            if page.live:
                cuts = page.cuts
                while cuts and cuts[0] < page.expires_s and cuts[0] <= now:
                    arrived = cuts.pop(0)
                    if arrived >= page.ready_s:
                        self._lost(page, arrived)
                        page.expires_s = arrived
                if page.expires_s > now:
                    page.wakes_s = min(cuts[0], page.expires_s) if cuts else page.expires_s
                    return
                self._clear(page, page.expires_s)
            else:
                filled_s = self._next_fill_s(page, now)
                while page.cuts and page.cuts[0] <= min(filled_s, now):
                    del page.cuts[0]  # there was nothing to delete
                if filled_s > now:
                    if page.cuts:
                        page.wakes_s = min(page.cuts[0], page.wakes_s)
                    return
                page.changes = self._filled(page.changes, filled_s, page.empty_s)
                self._fill(page, filled_s)

    def _next_fill_s(self, page: _Page, now: float) -> float:
        """When an empty page is read next, seconds; infinity when that is after now."""
        if not self.filling:
            return inf
        while page.followed_s <= now:
            rate = self._page_rate(page, page.followed_s)
            edge_s = (page.followed_s // RATES_S + 1.0) * RATES_S
            expected = rate * (edge_s - page.followed_s)
            if expected >= page.need and rate > 0.0:
                page.wakes_s = filled_s = quantise(page.followed_s + page.need / rate)
                return filled_s if filled_s <= now else inf
            page.need -= expected
            page.followed_s = page.wakes_s = edge_s
        return inf

    # -- counts ------------------------------------------------------------------------------------------------------

    def _became_visible(self, change: Change, fresh_s: float) -> None:
        # The moment is a stopping time of the reads, so their expected number is rate times time (Wald).
        self.stale_reads += self._page_rate(self._pages[self.page_of(change.place)], change.changed_s) * fresh_s

    def _lost(self, page: _Page, now: float) -> None:
        """A page was deleted before its time: all that follow are filled sooner, which costs a share of a miss."""
        rate = self._page_rate(page, now)
        if rate:
            self.misses += (page.expires_s - now) / (self.fill_s + self._ttl_s + 1.0 / rate)

    def _count(self, now: float) -> None:
        """Add up reads and misses until now, minute by minute."""
        while True:
            if self._counted_s >= self._table_until_s:
                self._tabulate(self._counted_s)
            until_s = min(now, self._table_until_s)
            passed_s = until_s - self._counted_s
            self.reads += self._reads_s * passed_s
            if self.filling:
                self.misses += self._misses_s * passed_s
                self.coalesced += self._coalesced_s * passed_s
            self._counted_s = until_s
            if until_s < self._table_until_s:
                return

    def _tabulate(self, now: float) -> None:
        """Sum up the pages at the rates of a minute."""
        self._table_until_s = (now // RATES_S + 1.0) * RATES_S
        rates = [self._rate(store, now) for store in range(self._stores)]
        if rates == self._rates:
            return
        self._rates = rates
        self._reads_s = self._misses_s = self._coalesced_s = 0.0
        for page in self._pages:
            rate = rates[page.store] * page.share
            joined = rate * coalesced_share(rate, self._ttl_s, self.fill_s)
            asked = rate / (1.0 + rate * (self.fill_s + self._ttl_s))
            self._reads_s += rate
            self._coalesced_s += joined if self.coalesce else 0.0
            self._misses_s += asked if self.coalesce else asked + joined

    def _after_clearing(self, now: float) -> tuple[float, float]:
        """Misses and joined reads per second of pages known to have been empty at a time not long ago."""
        misses = coalesced = 0.0
        for page in self._pages:
            rate = self._page_rate(page, now)
            since_s = now - page.cleared_s
            asked = rate * empty_share(rate, self.fill_s + self._ttl_s, since_s) if since_s >= 0.0 else 0.0
            misses += asked
            coalesced += asked * rate * self.fill_s
        return (misses, coalesced) if self.coalesce else (misses + coalesced, 0.0)
