"""Shared reads: identical reads at the same time make one call, and what is personal is never shared."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.platform.gateway import PERSONAL, Coalescer, LeakedRead, Read, ReadKey, read_key
from sim.vocabulary import NOBODY

READS = st.tuples(st.sampled_from(Read), st.integers(0, 2), st.integers(0, 2), st.integers(0, 3), st.integers(0, 8))


@given(st.lists(READS, max_size=150))
def test_only_identical_concurrent_reads_share_a_call_and_never_across_users(reads: list[tuple[Any, ...]]) -> None:
    coalescer, calls = Coalescer(), []
    for now, (read, store, page, user, takes) in enumerate(reads):
        mine = (read, store, page, user if read in PERSONAL else None)
        leads, done_s = coalescer.join(read_key(read, store, page, user), float(now), float(now + takes))
        under_way = [call for call in calls if call[0] == mine and call[1] > now]
        if leads:
            assert not under_way
            assert done_s == now + takes
            calls.append((mine, done_s))
        else:
            assert [call[1] for call in under_way] == [done_s]
    assert coalescer.leaders == len(calls)
    assert coalescer.leaders + coalescer.followers == len(reads)


def test_a_hundred_users_who_open_one_page_at_once_make_one_call() -> None:
    coalescer = Coalescer()
    pages = [coalescer.join(read_key(Read.CATALOGUE, 0, 4, user), 0.0, 0.05)[0] for user in range(100)]
    carts = [coalescer.join(read_key(Read.CART, 0, 4, user), 0.0, 0.05)[0] for user in range(100)]
    assert (sum(pages), sum(carts)) == (1, 100)


def test_a_personal_read_without_its_user_is_an_error() -> None:
    coalescer = Coalescer()
    for read in Read:
        if read in PERSONAL:
            with pytest.raises(LeakedRead, match="user"):
                coalescer.join(ReadKey(read, 0, 0, NOBODY), 0.0, 1.0)
            with pytest.raises(LeakedRead):
                coalescer.join(read_key(read, 0, 0), 0.0, 1.0)
        else:
            assert coalescer.join(ReadKey(read, 0, 0, NOBODY), 0.0, 1.0) == (True, 1.0)
    assert coalescer.leaders == len(Read) - len(PERSONAL)


def test_after_a_failed_call_the_next_reader_makes_one() -> None:
    coalescer, key = Coalescer(), read_key(Read.CATALOGUE, 0, 0)
    coalescer.join(key, 0.0, 5.0)
    coalescer.drop(key)
    assert coalescer.join(key, 1.0, 6.0) == (True, 6.0)


def test_finished_calls_are_forgotten() -> None:
    coalescer = Coalescer()
    for page in range(20_000):
        coalescer.join(read_key(Read.CATALOGUE, 0, page), float(page), page + 10.0)
    assert len(coalescer) <= 1024


def test_coalescing_saves_what_renewal_theory_says() -> None:
    """Poisson reads of one page at rate a, each call taking d: a call is made once in 1/a + d, so 1/(1 + a d) lead.

    Leads are a renewal process whose gaps scatter less than exponential ones, so their number among n reads has a
    variance below n p: five standard deviations are at most 5 sqrt(n p).
    """
    n, rate, takes = 40_000, 30.0, 0.1
    coalescer, now = Coalescer(), 0.0
    for gap in np.random.default_rng(5).exponential(1 / rate, n):
        now += gap
        coalescer.join(read_key(Read.CATALOGUE, 0, 0), now, now + takes)
    expected = n / (1 + rate * takes)
    assert abs(coalescer.leaders - expected) < 5 * expected**0.5
