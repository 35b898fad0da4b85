"""Cache-aside is a renewal process, and reads as a rate give the figures of reads served one by one.

Notation: r reads per second of a page, ttl the life of an entry, d the time to fill it, L = d + ttl. Intervals are over
independent pages.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from sim.clock import Clock
from sim.platform.browsing import Setup
from sim.platform.cache import coalesced_share, empty_share, hit_share
from sim.platform.catalogue import Catalogue
from sim.platform.explicit_reads import ExplicitCatalogue
from sim.scenario.catalogue_reads import CacheSpec, ReplicaSpec
from sim.streams import Die, Streams

ERROR = 1e-5
"""Chance that a right program fails one comparison of this page, had the seed been drawn afresh."""

PAGES, SKUS = 40, 6
"""Stores of one page each: independent copies of the same world."""

WARM_S, QUIET_S = 300.0, 900.0
"""Left out at the start, when the cache is cold; without changes at the end, so that all of them are seen."""

AT_ONCE = ReplicaSpec(lag_s=0.0, batch_s=0.0)


def half_width(figures: NDArray[Any]) -> float:
    """Of a t interval for the mean."""
    return float(stats.t.ppf(1 - ERROR / 2, len(figures) - 1) * figures.std(ddof=1) / np.sqrt(len(figures)))


def assert_mean(figures: NDArray[Any], expected: float, within: float) -> None:
    """The interval covers the formula, and is narrow enough to tell it from a wrong one."""
    half = half_width(figures)
    assert half <= within
    assert abs(figures.mean() - expected) <= half, (figures.mean(), expected, half)


def assert_same_mean(one: NDArray[Any], other: NDArray[Any], within: float) -> None:
    """The interval for the difference of two independent means covers zero, and is narrow enough to say something."""
    half = float(np.hypot(half_width(one), half_width(other)))
    assert half <= within
    assert abs(one.mean() - other.mean()) <= half, (one.mean(), other.mean(), half)


@dataclass(frozen=True)
class Found:
    """Of each page: seconds until each change was visible; and counts after the start."""

    fresh: list[list[float]] = field(default_factory=lambda: [[] for _ in range(PAGES)])
    hits: NDArray[Any] = field(default_factory=lambda: np.zeros(PAGES))
    misses: NDArray[Any] = field(default_factory=lambda: np.zeros(PAGES))
    coalesced: NDArray[Any] = field(default_factory=lambda: np.zeros(PAGES))
    stale_reads: NDArray[Any] = field(default_factory=lambda: np.zeros(PAGES))

    def see(self, place: int, fresh_s: float) -> None:
        self.fresh[place // SKUS].append(fresh_s)

    def mean_s(self) -> NDArray[Any]:
        return np.array([np.mean(page) for page in self.fresh])

    def later_than(self, seconds: float) -> NDArray[Any]:
        return np.array([np.mean(np.array(page) > seconds) for page in self.fresh])

    def share(self, of: NDArray[Any]) -> NDArray[Any]:
        return of / (self.hits + self.misses + self.coalesced)


@dataclass(frozen=True)
class World:
    """Pages that are read at random, and whose records are sold out and come back at random."""

    reads_per_s: float
    horizon_s: float
    cache: CacheSpec
    replica: ReplicaSpec = AT_ONCE
    changes_per_s: float = 1 / 60
    fill_s: float = 0.0
    coalesce: bool = True

    def setup(self, found: Found) -> Setup:
        return Setup(
            stores=PAGES, skus=SKUS, category=(0,) * SKUS, cache=self.cache, replica=self.replica,
            fill_s=self.fill_s, coalesce=self.coalesce, on_visible=found.see,
        )  # fmt: skip

    def changes(self) -> tuple[NDArray[Any], NDArray[Any]]:
        generator = Streams(11).generator("changes")
        count = generator.poisson(PAGES * self.changes_per_s * self.horizon_s)
        return np.sort(generator.uniform(WARM_S, self.horizon_s - QUIET_S, count)), generator.integers(
            0, PAGES * SKUS, count
        )

    def by_rate(self) -> tuple[Catalogue, Found]:
        found = Found()
        pages = Catalogue(Die(101), self.setup(found), shares=(1.0,), rate=lambda store, now: self.reads_per_s)
        truth = [True] * (PAGES * SKUS)
        pages.sample(WARM_S)
        pages.reads = pages.misses = pages.coalesced = 0.0
        for now, place in zip(*(column.tolist() for column in self.changes()), strict=True):
            truth[place] = not truth[place]
            pages.crossed(place, now, truth[place])
        pages.sample(self.horizon_s)
        return pages, found

    def explicit(self, flush_s: float = -1.0) -> tuple[ExplicitCatalogue, Found, NDArray[Any]]:
        """Serve every read; also the times of all misses and their pages, (misses, 2)."""
        found, clock, missed = Found(), Clock(), []
        pages = ExplicitCatalogue(clock, Die(202), self.setup(found))
        generator = Streams(12).generator("reads")
        count = generator.poisson(PAGES * self.reads_per_s * self.horizon_s)
        changed_s, changed = self.changes()
        times = np.concatenate([generator.uniform(0.0, self.horizon_s, count), changed_s])
        what = np.concatenate([-1 - generator.integers(0, PAGES, count), changed])
        order = np.argsort(times, kind="stable")
        truth = [True] * (PAGES * SKUS)
        for now, place in zip(times[order].tolist(), what[order].tolist(), strict=True):
            clock.advance(now)
            if 0.0 <= flush_s <= now:
                pages.flush(flush_s)
                flush_s = -1.0
            if place >= 0:
                truth[place] = not truth[place]
                pages.crossed(place, now, truth[place])
                continue
            stale_before, page = pages.stale_reads, -1 - place
            read = pages.read(page, 0, now)
            assert read is not None
            found.stale_reads[page] += pages.stale_reads - stale_before
            if not read.hit and not read.coalesced:
                missed.append((now, page))
            if now >= WARM_S:
                (found.hits if read.hit else found.coalesced if read.coalesced else found.misses)[page] += 1
        return pages, found, np.array(missed)


# -- the formulas ----------------------------------------------------------------------------------------------------


def test_the_formulas_by_hand() -> None:
    # A read a second and a life of 30 s: 30 hits and one miss in a cycle. With 2 s to fill, two more that wait.
    assert hit_share(1.0, 30.0) == pytest.approx(30 / 31)
    assert hit_share(1.0, 30.0, 2.0) == pytest.approx(30 / 33)
    assert coalesced_share(1.0, 30.0, 2.0) == pytest.approx(2 / 33)
    assert hit_share(0.0, 30.0) == 0.0
    # Within a life of being emptied, empty means that no read has come.
    assert empty_share(0.1, 30.0, 0.0) == 1.0
    assert empty_share(0.1, 30.0, 20.0) == pytest.approx(np.exp(-2))
    # 10 s after it: the first read is still to come, or it came in the first 10 s and none since its entry expired.
    assert empty_share(0.1, 30.0, 40.0) == pytest.approx(np.exp(-4) + 1.0 * np.exp(-1))
    assert empty_share(0.1, 30.0, 3000.0) == pytest.approx(1 / 4, rel=1e-6)


def test_a_lost_entry_costs_its_remaining_life_over_the_cycle_in_misses() -> None:
    """Extra misses after a flush of a page in its steady state: h L/2 / (L + 1/r), the mean life left over the cycle."""
    rate, life_s, step_s = 0.2, 30.0, 0.05
    since = np.arange(0.0, 1500.0, step_s) + step_s / 2
    steady = 1 / (1 + rate * life_s)
    extra = sum(rate * (empty_share(rate, life_s, at) - steady) for at in since.tolist()) * step_s
    assert extra == pytest.approx((1 - steady) * life_s / 2 / (life_s + 1 / rate), rel=1e-3)


# -- reads one by one against the formulas ---------------------------------------------------------------------------


@pytest.mark.parametrize(("reads_per_s", "horizon_s"), [(0.5, 6000.0), (0.02, 40_000.0)], ids=["busy", "quiet"])
@pytest.mark.parametrize("fill_s", [0.0, 4.0])
def test_hits_and_coalesced_reads_match_their_formulas(reads_per_s: float, horizon_s: float, fill_s: float) -> None:
    """Hit share r ttl / (1 + r L); coalesced share r d / (1 + r L). The rate's own counts are the same figures."""
    cache = CacheSpec(invalidate=False)
    world = World(reads_per_s, horizon_s, cache, fill_s=fill_s, changes_per_s=0.0)
    _, found, _ = world.explicit()
    rated, _ = world.by_rate()
    assert_mean(found.share(found.hits), hit_share(reads_per_s, 30.0, fill_s), within=0.02)
    assert_mean(found.share(found.coalesced), coalesced_share(reads_per_s, 30.0, fill_s), within=0.02)
    assert rated.hit_rate() == pytest.approx(hit_share(reads_per_s, 30.0, fill_s))
    assert rated.coalesced / rated.reads == pytest.approx(coalesced_share(reads_per_s, 30.0, fill_s))


def test_without_coalescing_the_service_answers_all_reads_during_a_fill() -> None:
    """Share of misses (1 + r d) / (1 + r L)."""
    world = World(0.5, 6000.0, CacheSpec(invalidate=False), fill_s=4.0, coalesce=False, changes_per_s=0.0)
    _, found, _ = world.explicit()
    rated, _ = world.by_rate()
    assert_mean(found.share(found.misses), 3 / 18, within=0.02)
    assert rated.misses / rated.reads == pytest.approx(3 / 18)


# -- how long a change is hidden -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reads_per_s", "horizon_s"), [(0.5, 6000.0), (0.02, 12_000.0)], ids=["busy", "quiet"])
@pytest.mark.parametrize("mode", ["rate", "explicit"])
def test_without_messages_a_change_is_hidden_for_the_rest_of_the_entrys_life(
    mode: str, reads_per_s: float, horizon_s: float
) -> None:
    """With chance h = r L / (1 + r L) there is an entry, its rest uniform on [0, L]: P(later than x) = h (1 - x / L)."""
    world = World(reads_per_s, horizon_s, CacheSpec(invalidate=False), fill_s=2.0)
    found = world.by_rate()[1] if mode == "rate" else world.explicit()[1]
    life_s = 32.0
    chance = reads_per_s * life_s / (1 + reads_per_s * life_s)
    assert_mean(found.mean_s(), chance * life_s / 2, within=2.0)
    for seconds in (0.0, 8.0, 16.0, 24.0):
        assert_mean(found.later_than(seconds), chance * (1 - seconds / life_s), within=0.08)
    assert max(map(max, found.fresh)) <= life_s


@pytest.mark.parametrize("mode", ["rate", "explicit"])
def test_a_message_that_outruns_the_replica_hides_a_change_for_a_further_life(mode: str) -> None:
    """Deleted at m, on the replica at v > m: P(later than v) = 1 - exp(-r (v - m)), and then from m + ttl to v + ttl."""
    cache = CacheSpec(invalidate_s=0.5, invalidate_cv=0.0, invalidate_loss=0.0)
    replica = ReplicaSpec(lag_s=2.0, lag_cv=0.0, batch_s=0.0)
    # Changes are so rare that the message about one does not end what another one left.
    world = World(0.2, 40_000.0, cache, replica, changes_per_s=1 / 600)
    found = world.by_rate()[1] if mode == "rate" else world.explicit()[1]
    assert_mean(found.later_than(2.01), 1 - np.exp(-0.2 * 1.5), within=0.06)
    longer = [fresh for page in found.fresh for fresh in page if fresh > 2.01]
    assert np.mean([30.5 <= fresh <= 32.0 for fresh in longer]) > 0.9
    assert max(longer) <= 32.0


@pytest.mark.parametrize("mode", ["rate", "explicit"])
def test_a_message_that_comes_during_a_fill_deletes_nothing(mode: str) -> None:
    """Entry of age a (uniform on [0, L]) at the change, message m later: in vain when a + m < d, so chance h (d - m) / L."""
    cache = CacheSpec(ttl_s=10.0, invalidate_s=1.0, invalidate_cv=0.0, invalidate_loss=0.0)
    world = World(1.0, 6000.0, cache, fill_s=10.0, changes_per_s=1 / 150)
    found = world.by_rate()[1] if mode == "rate" else world.explicit()[1]
    assert_mean(found.later_than(1.0), 20 / 21 * 9 / 20, within=0.08)


# -- one mode against the other --------------------------------------------------------------------------------------

CACHES = {
    "no messages": CacheSpec(invalidate=False),
    "default": CacheSpec(),
    "early messages": CacheSpec(invalidate_s=0.3, invalidate_cv=0.5),
    "messages lost": CacheSpec(invalidate_s=3.0, invalidate_cv=1.0, invalidate_loss=0.5),
}


@pytest.mark.parametrize(("reads_per_s", "horizon_s"), [(0.5, 5000.0), (0.02, 15_000.0)], ids=["busy", "quiet"])
@pytest.mark.parametrize("cache", CACHES.values(), ids=CACHES)
def test_a_rate_of_reads_gives_the_figures_of_reads_served_one_by_one(
    cache: CacheSpec, reads_per_s: float, horizon_s: float
) -> None:
    """Freshness, hits and stale reads, with several changes in the life of an entry and messages that help others."""
    world = World(reads_per_s, horizon_s, cache, ReplicaSpec(lag_s=1.0, lag_cv=1.0), fill_s=0.2)
    pages, one = world.by_rate()
    _, other, _ = world.explicit()
    assert pages.freshness.count == sum(map(len, one.fresh)) == sum(map(len, other.fresh)) > 2000
    assert_same_mean(one.mean_s(), other.mean_s(), within=2.5)
    for seconds in (0.4, 1.0, 2.0, 5.0, 15.0, 25.0):
        assert_same_mean(one.later_than(seconds), other.later_than(seconds), within=0.09)
    # Messages end entries early, so that there are more misses than the formula for undisturbed pages says.
    measured = other.share(other.hits)
    assert half_width(measured) < 0.03
    assert abs(pages.hit_rate() - measured.mean()) <= half_width(measured) + 1e-3
    stale = reads_per_s * np.array([sum(page) for page in one.fresh])
    assert pages.stale_reads == pytest.approx(stale.sum())
    assert_same_mean(stale, other.stale_reads, within=0.4 * stale.mean())


def test_after_a_flush_pages_are_missed_as_they_are_read_again() -> None:
    """Misses per page in (a, b) after a flush: the integral of r empty(x), about one in all in the first life."""
    reads_per_s, flush_s = 0.2, 1000.0
    world = World(reads_per_s, 2000.0, CacheSpec(invalidate=False), changes_per_s=0.0)
    pages, _, missed = world.explicit(flush_s)
    assert pages.misses == len(missed)
    rated, _ = world.by_rate()
    rated.flush(world.horizon_s)
    steady = PAGES * reads_per_s / (1 + 6)
    for start, end in ((0.0, 3.0), (3.0, 10.0), (10.0, 30.0), (30.0, 45.0)):
        grid = np.linspace(start, end, 400)
        rates = np.array([rated.miss_rate(world.horizon_s + since) for since in grid.tolist()])
        expected = float(np.trapezoid(rates, grid))
        found = int(((missed[:, 0] >= flush_s + start) & (missed[:, 0] < flush_s + end)).sum())
        # A page is missed at most once or twice in such a time: no more spread than a Poisson number.
        low, high = stats.poisson.interval(1 - ERROR, expected)
        assert low <= found <= high
    assert rated.miss_rate(world.horizon_s) == pytest.approx(PAGES * reads_per_s)
    first_life = PAGES * (1 - np.exp(-6))
    found = int(((missed[:, 0] >= flush_s) & (missed[:, 0] < flush_s + 30.0)).sum())
    assert abs(found - first_life) <= 4.42 * np.sqrt(PAGES * np.exp(-6)) + 1
    assert rated.miss_rate(world.horizon_s + 700.0) == pytest.approx(steady)
