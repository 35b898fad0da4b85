"""Entries with a time to live, and how late changes reach the readers' copy."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.platform.cache import Freshness, Invalidations, Replica, TtlCache, lognormal_s
from sim.scenario.catalogue_reads import CacheSpec, ReplicaSpec
from sim.streams import Die

DIE = Die(7)


def test_an_entry_lives_from_its_fill_up_to_its_end_and_is_the_last_answer_after() -> None:
    cache: TtlCache[str, int] = TtlCache(30.0)
    assert cache.get("page", 0.0) is None
    cache.add("page", 1, filled_s=9.0, now=10.0)
    entry = cache.get("page", 39.999)
    assert entry is not None
    assert (entry.value, entry.filled_s, entry.expires_s) == (1, 9.0, 40.0)
    assert cache.get("page", 40.0) is None
    assert cache.last("page") is entry


def test_of_two_writers_the_first_wins_until_the_entry_has_expired() -> None:
    cache: TtlCache[str, int] = TtlCache(30.0)
    cache.add("page", 1, 0.0, 0.0)
    cache.add("page", 2, 5.0, 5.0)
    assert cache.last("page").value == 1  # type: ignore[union-attr]
    cache.add("page", 3, 30.0, 30.0)
    assert cache.last("page").value == 3  # type: ignore[union-attr]


def test_a_deleted_entry_has_expired_and_a_flushed_one_is_forgotten() -> None:
    cache: TtlCache[str, int] = TtlCache(30.0)
    cache.add("page", 1, 0.0, 0.0)
    cache.delete("page", 4.0)
    cache.delete("page", 5.0)
    cache.delete("other", 5.0)
    assert cache.get("page", 4.0) is None
    assert cache.last("page").expires_s == 4.0  # type: ignore[union-attr]
    cache.flush()
    assert cache.last("page") is None


def test_the_replica_sees_a_change_at_the_next_batch_plus_the_lag() -> None:
    replica = Replica(DIE, ReplicaSpec(lag_s=0.25, lag_cv=0.0, batch_s=0.5), stores=2)
    assert replica.sees_s(0, place=3, number=1, now=10.1) == 10.75
    assert replica.sees_s(0, place=3, number=2, now=10.75) == 11.25
    assert replica.sees_s(0, place=3, number=3, now=11.0) == 11.25  # at a flush: with it
    at_once = Replica(DIE, ReplicaSpec(lag_s=0.0, batch_s=0.0), stores=1)
    assert at_once.sees_s(0, place=0, number=1, now=3.3) == 3.3


def test_a_log_is_applied_in_its_order_and_each_store_has_its_own() -> None:
    replica = Replica(DIE, ReplicaSpec(lag_s=60.0, lag_cv=0.0, batch_s=0.0), stores=2)
    assert replica.sees_s(0, place=1, number=1, now=0.0) == 60.0
    replica.lag_s = 1.0
    assert replica.sees_s(0, place=2, number=1, now=10.0) == 60.0
    assert replica.sees_s(1, place=9, number=1, now=10.0) == 11.0


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 100)), max_size=30))
def test_no_change_is_seen_before_it_is_made_or_before_one_made_earlier(changes: list[tuple[int, float]]) -> None:
    replica = Replica(DIE, ReplicaSpec(lag_s=2.0, lag_cv=1.5, batch_s=0.5), stores=1)
    now, before = 0.0, 0.0
    for number, (place, passed_s) in enumerate(changes):
        now += passed_s
        seen_s = replica.sees_s(0, place, number, now)
        assert seen_s >= now
        assert seen_s >= before
        before = seen_s


def test_messages_take_their_time_are_lost_at_their_rate_and_can_be_switched_off() -> None:
    messages = Invalidations(DIE, CacheSpec(invalidate_s=1.0, invalidate_cv=0.2, invalidate_loss=0.25))
    delays = [messages.delay_of_s(place, 1) for place in range(4000)]
    arrived = [delay for delay in delays if delay < inf]
    # Binomial and normal intervals of chance 1e-5: 4.42 standard deviations.
    assert abs(len(arrived) - 3000) < 4.42 * (4000 * 0.25 * 0.75) ** 0.5
    assert abs(sum(arrived) / len(arrived) - 1.0) < 4.42 * 0.2 / len(arrived) ** 0.5
    assert delays == [messages.delay_of_s(place, 1) for place in range(4000)]
    messages.on = False
    assert {messages.delay_of_s(place, 1) for place in range(9)} == {inf}


def test_a_lognormal_without_spread_is_its_mean_and_no_draw_breaks_it() -> None:
    assert lognormal_s(0.3, 2.0, 0.0) == 2.0
    assert lognormal_s(0.3, 0.0, 1.0) == 0.0
    assert 0.0 < lognormal_s(0.0, 2.0, 0.5) < lognormal_s(0.5, 2.0, 0.5) < lognormal_s(1 - 2**-53, 2.0, 0.5) < inf


def test_quantiles_of_freshness_are_right_to_two_percent() -> None:
    freshness = Freshness()
    assert freshness.quantile_s(0.5) == 0.0
    for i in range(1, 1001):
        freshness.add(i / 10)
    assert freshness.quantile_s(0.5) == pytest.approx(50.0, rel=0.021)
    assert freshness.quantile_s(0.99) == pytest.approx(99.0, rel=0.021)
    for _ in range(9000):
        freshness.add(0.0)
    assert freshness.quantile_s(0.5) <= 0.001  # told anew
    freshness.add(1e9)
    assert freshness.quantile_s(1.0) > 86_400.0
