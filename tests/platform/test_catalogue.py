"""What browsers are shown while caches and replicas are behind, in both modes."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.clock import Clock
from sim.platform.browsing import Browsed, Setup
from sim.platform.catalogue import Catalogue
from sim.platform.explicit_reads import ExplicitCatalogue
from sim.scenario.catalogue_reads import CacheSpec, ReplicaSpec
from sim.scenario.market import Catalogue as CatalogueKeys
from sim.scenario.market import Demand
from sim.streams import Die

STORES, SKUS, CATEGORY = 2, 6, (0, 1, 0, 1, 0, 1)
EXACT = {"invalidate": False, "invalidate_cv": 0.0, "invalidate_loss": 0.0}
BEHIND = ReplicaSpec(lag_s=1.0, lag_cv=0.0, batch_s=0.0)


def a_setup(replica: ReplicaSpec = BEHIND, **keys: Any) -> Setup:
    return Setup(stores=STORES, skus=SKUS, category=CATEGORY, cache=CacheSpec(**{**EXACT, **keys}), replica=replica)


def by_rate(setup: Setup, reads_per_s: float = 1.0, seed: int = 1) -> Catalogue:
    return Catalogue(Die(seed), setup, shares=(0.5, 0.5), rate=lambda store, now: 2 * reads_per_s)


class Watched:
    """Explicit reads with a clock: every page is read when the test says so."""

    def __init__(self, setup: Setup) -> None:
        self.clock = Clock()
        self.pages = ExplicitCatalogue(self.clock, Die(1), setup)

    def at(self, now: float) -> ExplicitCatalogue:
        self.clock.advance(now)
        return self.pages


# -- explicit reads: each step by hand -------------------------------------------------------------------------------


def test_a_page_lists_the_skus_of_its_category_in_order_and_is_kept_for_its_life() -> None:
    world = Watched(a_setup())
    miss = world.at(0.0).read(0, 1, 0.0)
    assert miss is not None
    assert (miss.hit, miss.age_s, miss.values) == (False, 0.0, b"\1\1\1")
    world.at(2.0).crossed(3, 2.0, available=False)
    hit = world.at(29.0).read(0, 1, 29.0)
    assert hit is not None
    assert (hit.hit, hit.age_s, hit.values) == (True, 29.0, b"\1\1\1")
    fresh = world.at(30.0).read(0, 1, 30.0)
    assert fresh is not None
    assert (fresh.hit, fresh.values) == (False, b"\1\0\1")
    # Another page knows nothing of it.
    assert world.pages.read(1, 1, 30.0).values == b"\1\1\1"  # type: ignore[union-attr]


def test_a_page_filled_while_the_replica_is_behind_is_stale_for_a_whole_life() -> None:
    seen: list[tuple[int, float]] = []
    setup = a_setup()
    world = Watched(
        Setup(**{**{key: getattr(setup, key) for key in setup.__slots__}, "on_visible": lambda *a: seen.append(a)})
    )
    world.at(10.0).crossed(0, 10.0, available=False)
    world.at(10.5).read(0, 0, 10.5)
    world.at(12.0).read(0, 0, 12.0)
    assert world.pages.shown(0, 40.0, available=False)
    assert not seen
    world.at(41.0).read(0, 0, 41.0)
    assert seen == [(0, 30.5)]
    assert world.pages.stale_reads == 2


def test_a_message_that_outruns_the_replica_is_in_vain_and_one_that_comes_later_is_not() -> None:
    for delay_s, visible in ((0.5, False), (2.0, True)):
        world = Watched(a_setup(invalidate=True, invalidate_s=delay_s))
        world.at(0.0).read(0, 0, 0.0)
        world.at(10.0).crossed(0, 10.0, available=False)
        world.at(10.75).read(0, 0, 10.75)  # fills the page again where it was deleted already
        world.at(13.0)
        assert world.pages.shown(0, 13.0, available=False) is not visible


def test_a_lost_message_leaves_the_page_to_its_life() -> None:
    world = Watched(a_setup(invalidate=True, invalidate_s=0.5, invalidate_loss=1.0))
    world.at(0.0).read(0, 0, 0.0)
    world.at(10.0).crossed(0, 10.0, available=False)
    world.at(29.9)
    assert world.pages.shown(0, 29.9, available=False)
    assert not world.pages.shown(0, 30.0, available=False)


def test_reads_during_a_fill_share_its_answer_and_without_coalescing_ask_for_themselves() -> None:
    for coalesce, asked in ((True, 1), (False, 3)):
        setup = Setup(
            stores=1, skus=2, category=(0, 0), cache=CacheSpec(), replica=ReplicaSpec(), fill_s=0.5, coalesce=coalesce
        )
        world = Watched(setup)
        reads = [world.at(now).read(0, 0, now) for now in (1.0, 1.2, 1.4, 1.6)]
        assert [read.ready_s for read in reads if read] == ([1.5, 1.5, 1.5, 1.6] if coalesce else [1.5, 1.7, 1.9, 1.6])
        assert [read.hit for read in reads if read] == [False, False, False, True]
        assert world.pages.misses == asked
        assert world.pages.coalesced == 3 - asked
        # The first answer is kept, for a life from when it was there.
        assert world.at(31.4).read(0, 0, 31.4).hit  # type: ignore[union-attr]
        assert not world.at(31.5).read(0, 0, 31.5).hit  # type: ignore[union-attr]


def test_a_message_that_comes_while_the_page_is_being_filled_deletes_nothing() -> None:
    cache = CacheSpec(invalidate_s=1.0, invalidate_cv=0.0, invalidate_loss=0.0)
    world = Watched(Setup(stores=1, skus=1, category=(0,), cache=cache, replica=BEHIND, fill_s=0.5))
    world.at(10.0).crossed(0, 10.0, available=False)
    world.at(10.75).read(0, 0, 10.75)  # the old answer; the message comes at 11, the answer is kept at 11.25
    world.at(41.0)
    assert world.pages.shown(0, 41.0, available=False)
    assert not world.pages.shown(0, 41.5, available=False)


def test_of_two_answers_on_their_way_the_first_is_kept_though_the_second_is_newer() -> None:
    world = Watched(
        Setup(
            stores=1,
            skus=1,
            category=(0,),
            cache=CacheSpec(invalidate=False),
            replica=BEHIND,
            fill_s=0.5,
            coalesce=False,
        )
    )
    world.at(10.0).crossed(0, 10.0, available=False)
    world.at(10.75).read(0, 0, 10.75)
    assert world.at(11.1).read(0, 0, 11.1).values == b"\0"  # type: ignore[union-attr]
    world.at(41.0)
    assert world.pages.freshness.count == 0
    assert world.pages.shown(0, 41.0, available=False)


# -- laws of both modes ----------------------------------------------------------------------------------------------


Modes = pytest.mark.parametrize(
    "make", [by_rate, lambda setup: ExplicitCatalogue(Clock(), Die(1), setup)], ids=["rate", "explicit"]
)
Make = Callable[[Setup], Browsed]


@Modes
def test_a_record_that_did_not_change_is_shown_as_it_is(make: Make) -> None:
    pages = make(a_setup())
    assert pages.shown(0, 5.0, available=True)
    assert not pages.shown(0, 5.0, available=False)
    pages.crossed(1, 5.0, available=False)
    assert pages.shown(0, 5.0, available=True)
    assert pages.stale_shown == 0


@Modes
def test_without_cache_and_lag_everybody_sees_the_truth_at_once(make: Make) -> None:
    pages = make(a_setup(ReplicaSpec(lag_s=0.0, batch_s=0.0), ttl_s=0.0))
    for now, available in ((3.0, False), (3.5, True), (700.0, False)):
        pages.crossed(4, now, available)
        assert pages.shown(4, now, available) is available
    assert pages.stale_shown == 0


@Modes
def test_a_change_heard_twice_is_one_change(make: Make) -> None:
    pages = make(a_setup(ReplicaSpec(lag_s=50.0, lag_cv=0.0, batch_s=0.0), ttl_s=0.0))
    pages.crossed(4, 3.0, available=False)
    pages.crossed(4, 4.0, available=False)
    assert pages.shown(4, 52.9, available=False)
    assert not pages.shown(4, 53.0, available=False)


@Modes
def test_a_record_that_was_sold_out_and_came_back_shows_each_state_when_the_replica_has_it(make: Make) -> None:
    pages = make(a_setup(ReplicaSpec(lag_s=50.0, lag_cv=0.0, batch_s=0.0), ttl_s=0.0))
    pages.crossed(4, 3.0, available=False)
    pages.crossed(4, 13.0, available=True)
    assert [pages.shown(4, now, available=True) for now in (20.0, 52.0, 53.5, 62.5, 63.5)] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert pages.stale_shown == 2


@Modes
def test_lines_in_vain_and_lines_not_ordered_are_counted(make: Make) -> None:
    pages = make(a_setup())
    pages.gone()
    pages.missed()
    pages.missed()
    assert (pages.shown_available_was_gone, pages.shown_gone_was_available) == (1, 2)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, STORES * SKUS - 1), st.floats(0.0, 90.0)), max_size=25), st.integers(0, 99))
def test_in_the_end_browsers_see_the_truth(steps: list[tuple[int, float]], seed: int) -> None:
    pages = by_rate(a_setup(ReplicaSpec(), invalidate=True, invalidate_loss=0.3), 0.2, seed)
    truth, now = [True] * STORES * SKUS, 0.0
    for place, passed_s in steps:
        now += passed_s
        truth[place] = not truth[place]
        pages.crossed(place, now, truth[place])
    # Every wait for a reader is over after some minutes, every life after half of one.
    sample = pages.sample(now + 3600.0)
    assert [pages.shown(place, now + 3600.0, truth[place]) for place in range(STORES * SKUS)] == truth
    assert pages.freshness.count == len(steps)
    assert sample.stale_shown == 0
    assert not pages.changes
    assert not pages._active


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, SKUS - 1), st.floats(0.0, 90.0), st.sampled_from(["sell", "sell", "flush", "trip"])),
        max_size=25,
    ),
    st.integers(1, 40),
)
def test_looking_changes_nothing(steps: list[tuple[int, float, str]], every_s: int) -> None:
    def play(look: Callable[[Catalogue, float], object]) -> list[tuple[int, float, float]]:
        seen: list[tuple[int, float, float]] = []
        looked_s, now, truth = 0.0, 0.0, [True] * SKUS
        setup = Setup(
            stores=1, skus=SKUS, category=CATEGORY, cache=CacheSpec(), replica=ReplicaSpec(lag_s=5.0), fill_s=0.25,
            on_visible=lambda place, fresh_s: seen.append((place, fresh_s, looked_s)),
        )  # fmt: skip
        pages = Catalogue(Die(3), setup, shares=(0.7, 0.3), rate=lambda store, now: 0.1 + (now // 3600.0) * 0.2)
        for place, passed_s, what in steps:
            for at_s in range(int(now) + 1, int(now + passed_s), every_s):
                looked_s = at_s
                look(pages, at_s)
            now = looked_s = now + passed_s
            if what == "flush":
                pages.flush(now)
            elif what == "trip" and pages.breaker_is_open:
                pages.breaker_closed(now)
            elif what == "trip":
                pages.breaker_opened(now)
            else:
                truth[place] = not truth[place]
                pages.crossed(place, now, truth[place])
        if pages.breaker_is_open:
            pages.breaker_closed(now)
        looked_s = now + 7200.0
        pages.sample(looked_s)
        return sorted(seen)

    def asked_for_each(pages: Catalogue, now: float) -> None:
        for place in range(SKUS):
            pages.shown(place, now, True)

    sampled = play(Catalogue.sample)
    assert sampled == play(asked_for_each)  # nor is anything found out any later by whoever looks at all at once
    assert [found[:2] for found in sampled] == [found[:2] for found in play(lambda pages, now: None)]


def test_who_sees_a_change_when_hangs_on_the_seed_and_the_page_alone() -> None:
    def fresh(others: bool) -> float:
        seen: dict[int, float] = {}
        setup = Setup(
            stores=STORES,
            skus=SKUS,
            category=CATEGORY,
            cache=CacheSpec(),
            replica=ReplicaSpec(),
            on_visible=seen.__setitem__,
        )
        pages = by_rate(setup)
        for place in range(SKUS, SKUS + others * SKUS):
            pages.crossed(place, 400.0, available=False)
        pages.crossed(0, 500.0, available=False)
        pages.sample(4000.0)
        return seen[0]

    assert fresh(others=True) == fresh(others=False)


# -- the breaker -----------------------------------------------------------------------------------------------------


def opened(make: Make, **keys: Any) -> Browsed:
    """Both modes with every page read at 100 s (for the rate: so often that it is as good as certain), then open."""
    pages = make(a_setup(ReplicaSpec(lag_s=0.0, batch_s=0.0), **keys))
    if isinstance(pages, ExplicitCatalogue):
        for store in range(STORES):
            for category in range(2):
                assert pages.read(store, category, 100.0) is not None
    pages.breaker_opened(100.0)
    return pages


Certain = pytest.mark.parametrize(
    "make", [lambda setup: by_rate(setup, 1e4), lambda setup: ExplicitCatalogue(Clock(), Die(1), setup)], ids=["rate", "explicit"]
)  # fmt: skip


@Certain
def test_behind_an_open_breaker_the_last_answer_is_shown_however_old_and_stamped_with_its_age(make: Make) -> None:
    pages = opened(make)
    pages.crossed(0, 101.0, available=False)
    assert pages.shown(0, 4000.0, available=False)
    age_s = pages.open_age_s(0, 4000.0)
    assert age_s is not None
    assert 3900.0 <= age_s <= 3930.0
    pages.breaker_closed(4000.0)
    assert not pages.shown(0, 4000.0, available=False)


@Certain
def test_orders_from_expired_pages_are_told_by_the_oldest_and_those_from_live_pages_not(make: Make) -> None:
    pages = opened(make)
    assert pages.ordered([0, 1], 100.5) is None
    age_s = pages.ordered([0, 1, SKUS], 200.0)
    assert age_s is not None
    assert 100.0 <= age_s <= 130.0


@Certain
def test_where_no_stale_answer_may_be_shown_an_expired_page_shows_nothing(make: Make) -> None:
    pages = opened(make, stale_on_open_breaker=False)
    pages.crossed(0, 100.0, available=False)
    assert pages.shown(0, 100.0, available=False)
    assert pages.open_age_s(0, 100.5) is not None
    assert pages.open_age_s(0, 131.0) is None
    assert not pages.shown(0, 131.0, available=False)


@Certain
def test_a_flush_leaves_no_answer_to_fall_back_on(make: Make) -> None:
    pages = opened(make)
    pages.flush(101.0)
    assert pages.open_age_s(0, 101.0) is None
    assert pages.ordered([0], 101.0) is None
    pages.crossed(0, 102.0, available=True)
    assert not pages.shown(0, 102.0, available=True)


def test_an_open_breaker_takes_all_load_off_the_service_and_its_closing_brings_all_pages_at_once() -> None:
    pages = by_rate(a_setup(), reads_per_s=1.0)
    calm = pages.sample(600.0)
    assert calm.misses_per_s == pytest.approx(4 / 31)
    pages.breaker_opened(600.0)
    assert pages.sample(601.0).misses_per_s == 0.0
    assert pages.sample(631.0).hit_rate == 0.0
    pages.breaker_closed(660.0)
    assert pages.sample(660.0).misses_per_s == pytest.approx(4.0)
    assert pages.sample(1400.0).misses_per_s == pytest.approx(calm.misses_per_s)
    # Four pages, each read once a second from the end of its life to the closing.
    assert 4 * 30 <= pages.stale_answers <= 4 * 60
    assert pages.unanswered == 0.0


@Certain
def test_a_record_that_came_back_is_shown_as_sold_out_while_its_page_lives(make: Make) -> None:
    pages = opened(make)
    pages.breaker_closed(100.0)
    pages.crossed(0, 100.0, available=True)
    assert not pages.shown(0, 100.0, available=True)
    assert pages.shown(0, 130.0, available=True)
    assert pages.stale_shown == 1


# -- the default day -------------------------------------------------------------------------------------------------


def test_the_default_day_hits_in_at_least_nine_reads_of_ten() -> None:
    demand, keys = Demand(), CatalogueKeys()
    shares = [category.share for category in keys.categories]  # shuffled over the ranks: popularity as shares of SKUs
    stores, weights = 6, [weight / sum(demand.profile) for weight in demand.profile]

    def rate(store: int, now: float) -> float:
        return demand.orders_per_day * 190.0 * weights[int(now // 3600.0) % 24] / 3600.0 / stores

    setup = Setup(stores=stores, skus=6, category=range(6), cache=CacheSpec(), replica=ReplicaSpec(), fill_s=0.02)
    pages = Catalogue(Die(1), setup, shares=shares, rate=rate)
    for now in range(0, 86_401, 15):
        pages.sample(now)
    assert pages.reads == pytest.approx(8000 * 190)
    assert 0.90 <= pages.hit_rate() < 0.99
    # A busy hour hits more often than a quiet one.
    assert pages.page_hit_rate(0, 20 * 3600.0) > pages.page_hit_rate(0, 7 * 3600.0) > 0.8
    assert pages.sample(86_400.0 + 3 * 3600.0).reads_per_s == 0.0
