"""Leases: one holder at a time, first come first served, and nobody writes with an old token."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.clock import Clock, Timer
from sim.platform.leases import Leases
from sim.story import tell

PLACE = 7


def test_one_holds_and_the_others_wait_in_the_order_in_which_they_came() -> None:
    env = Clock()
    leases = Leases(env, lease_s=100.0)
    got: list[tuple[int, float]] = []

    def buyer(order: int, at_s: float, work_s: float) -> Iterator[Any]:
        yield Timer(env, at_s)
        token = leases.take(PLACE, order) or (yield leases.queue(PLACE, order, 1000.0))  # type: ignore[arg-type]
        got.append((order, env.now))
        assert leases.holder(PLACE) == order
        yield Timer(env, work_s)
        leases.release(PLACE, token)

    for order, at_s in ((3, 0.0), (1, 1.0), (2, 2.0), (0, 40.0)):
        tell(buyer(order, at_s, 10.0))
    env.advance(100.0)
    assert got == [(3, 0.0), (1, 10.0), (2, 20.0), (0, 40.0)]
    assert leases.holder(PLACE) is None


def test_waiting_ends_when_time_is_up_and_the_place_in_the_queue_is_given_up() -> None:
    env = Clock()
    leases = Leases(env, lease_s=100.0)
    first = leases.take(PLACE, 0)  # type: ignore[arg-type]
    answers: list[tuple[int, int, float]] = []

    def wait(order: int, wait_s: float) -> Iterator[Any]:
        answers.append((order, (yield leases.queue(PLACE, order, wait_s)), env.now))  # type: ignore[arg-type]

    tell(wait(1, 5.0))
    tell(wait(2, 50.0))
    env.advance(20.0)
    leases.release(PLACE, first)
    env.advance(90.0)
    assert answers == [(1, 0, 5.0), (2, first + 1, 20.0)]


def test_a_lease_lapses_and_its_holder_is_not_told() -> None:
    env = Clock()
    leases = Leases(env, lease_s=10.0)
    old = leases.take(PLACE, 0)  # type: ignore[arg-type]
    assert leases.admit(PLACE, old)
    env.advance(4.0)
    assert leases.take(PLACE, 1) == 0  # type: ignore[arg-type]
    env.advance(10.0)
    new = leases.take(PLACE, 1)  # type: ignore[arg-type]
    assert new > old
    # Before the new holder has read, the old one's write does no harm; after, it would.
    assert leases.admit(PLACE, old)
    assert leases.admit(PLACE, new)
    assert not leases.admit(PLACE, old)
    leases.release(PLACE, old)
    assert leases.holder(PLACE) == 1, "who has lost the lease cannot give it back"
    assert not leases.renew(PLACE, old, 10.0)


def test_a_lapsed_lease_goes_to_whoever_waits_at_the_very_moment() -> None:
    env = Clock()
    leases = Leases(env, lease_s=10.0)
    leases.take(PLACE, 0)  # type: ignore[arg-type]
    answers: list[tuple[int, float]] = []

    def wait(order: int) -> Iterator[Any]:
        yield leases.queue(PLACE, order, 1000.0)  # type: ignore[arg-type]
        answers.append((order, env.now))

    env.advance(1.0)
    tell(wait(1))
    tell(wait(2))
    env.advance(100.0)
    assert answers == [(1, 10.0), (2, 20.0)]


def test_renewing_keeps_a_lease_and_for_ever_means_until_released() -> None:
    env = Clock()
    leases = Leases(env, lease_s=10.0)
    token = leases.take(PLACE, 0)  # type: ignore[arg-type]
    answers: list[float] = []

    def wait() -> Iterator[Any]:
        yield leases.queue(PLACE, 1, 1e6)  # type: ignore[arg-type]
        answers.append(env.now)

    tell(wait())
    env.advance(5.0)
    assert leases.renew(PLACE, token, math.inf)
    env.advance(5000.0)
    assert answers == []
    assert leases.renew(PLACE, token, 7.0)
    env.advance(6000.0)
    assert answers == [5007.0]


def test_an_order_that_asks_again_takes_its_own_lease_over() -> None:
    env = Clock()
    leases = Leases(env, lease_s=10.0)
    before = leases.take(PLACE, 0)  # type: ignore[arg-type]
    again = leases.take(PLACE, 0)  # type: ignore[arg-type]
    assert again > before
    leases.release(PLACE, before)
    assert leases.holder(PLACE) == 0
    assert leases.admit(PLACE, again)
    assert not leases.admit(PLACE, before)


def test_a_count_voids_what_the_holder_read() -> None:
    leases = Leases(Clock(), lease_s=10.0)
    token = leases.take(PLACE, 0)  # type: ignore[arg-type]
    assert leases.admit(PLACE, token)
    leases.fence(PLACE)
    leases.fence(PLACE + 1)  # nobody holds this one
    assert not leases.admit(PLACE, token)
    assert leases.admit(PLACE + 1, 1)
    leases.release(PLACE, token)
    assert leases.admit(PLACE, leases.take(PLACE, 1))  # type: ignore[arg-type]


def test_a_pause_is_suffered_once() -> None:
    leases = Leases(Clock(), lease_s=10.0)
    leases.pause_next(4, 3.0)  # type: ignore[arg-type]
    assert [leases.pause_s(order) for order in (3, 4, 4)] == [0.0, 3.0, 0.0]  # type: ignore[arg-type]


def test_a_lease_lasts_some_time() -> None:
    with pytest.raises(ValueError, match=r"Expected lease_s > 0, got 0\.0"):
        Leases(Clock(), 0.0)


VISITS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 1), st.integers(0, 15), st.integers(0, 30)), min_size=1, max_size=14
)


@given(visits=VISITS)
@settings(max_examples=200, deadline=None)
def test_tokens_grow_and_whoever_overlaps_is_refused(visits: list[tuple[int, int, int, int]]) -> None:
    """Any visitors: (arrival, place, time from read to write, patience). Two admitted visits of a place never overlap."""
    env = Clock()
    leases = Leases(env, lease_s=6.0)
    tokens: list[int] = []
    writes: dict[int, list[tuple[float, float]]] = {0: [], 1: []}
    told = 0

    def visit(order: int, at_s: int, place: int, work_s: int, wait_s: int) -> Iterator[Any]:
        nonlocal told
        yield Timer(env, at_s)
        token = leases.take(place, order) or (yield leases.queue(place, order, wait_s))  # type: ignore[arg-type]
        told += 1
        if token:
            tokens.append(token)
            read_s = env.now
            assert leases.admit(place, token), "a fresh token is the highest"
            yield Timer(env, work_s)
            if leases.admit(place, token):
                writes[place].append((read_s, env.now))
            leases.release(place, token)

    for order, (at_s, place, work_s, wait_s) in enumerate(visits):
        tell(visit(order, at_s, place, work_s, wait_s))
    env.advance(1e4)
    assert told == len(visits), "everybody hears in the end"
    assert tokens == sorted(set(tokens))
    for done in writes.values():
        for (_, wrote), (read, _) in pairwise(done):
            assert read >= wrote
    assert all(leases.holder(place) is None for place in (0, 1))
