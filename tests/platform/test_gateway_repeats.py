"""Repeated requests: done once, with the same answer for whoever asks again, for as long as it is remembered."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from sim.platform.gateway import IN_FLIGHT, NEW, Idempotency
from sim.scenario.gateway import IdempotencySpec

TTL, LEASE = 100.0, 10.0


class Repeats(RuleBasedStateMachine):
    """Idempotency against the simplest model: each key's time and answer."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = Idempotency(IdempotencySpec(ttl_s=TTL, lease_s=LEASE))
        self.now = 0.0
        self.model: dict[int, tuple[float, Any]] = {}
        self.answers = 0

    @rule(gap=st.sampled_from([0.0, 1.0, 9.0, 10.0, 50.0, 100.0]))
    def wait(self, gap: float) -> None:
        self.now += gap

    @rule(key=st.integers(0, 5))
    def ask(self, key: int) -> None:
        since, answer = self.model.get(key, (-1e9, None))
        if self.now - since >= TTL or (answer is IN_FLIGHT and self.now - since >= LEASE):
            expected: Any = NEW
            self.model[key] = (self.now, IN_FLIGHT)
        else:
            expected = answer
        assert self.cache.seen(key, self.now) is expected

    @rule(key=st.integers(0, 5))
    def answer(self, key: int) -> None:
        self.answers += 1
        fresh = ("answer", self.answers)
        since, answer = self.model.get(key, (-1e9, None))
        stands = self.cache.remember(key, fresh)
        if answer is IN_FLIGHT and self.now - since < TTL:
            self.model[key] = (since, fresh)
            assert stands is fresh
        elif answer is not None and answer is not IN_FLIGHT and self.now - since < TTL:
            assert stands is answer  # the first answer stands

    @rule(key=st.integers(0, 5))
    def forget(self, key: int) -> None:
        self.cache.forget(key)
        self.model.pop(key, None)


TestRepeats = Repeats.TestCase
TestRepeats.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


@given(waits=st.lists(st.floats(0, 20_000), max_size=20))
def test_a_request_is_done_once_within_the_ttl_and_everybody_gets_the_same_answer(waits: list[float]) -> None:
    cache = Idempotency(IdempotencySpec())
    assert cache.seen((3, 77), 5.0) is NEW
    assert cache.seen((3, 77), 6.0) is IN_FLIGHT
    order = object()
    cache.remember((3, 77), order)
    now = 6.0
    for wait in waits:
        now += wait
        if now - 5.0 < 86_400:
            assert cache.seen((3, 77), now) is order
    assert cache.seen((4, 77), now) is NEW  # another client's request of the same id


def test_a_request_whose_handler_died_may_be_tried_again_after_its_lease() -> None:
    cache = Idempotency(IdempotencySpec(ttl_s=TTL, lease_s=LEASE))
    assert [cache.seen(1, now) for now in (0.0, 9.0, 10.0, 19.0, 20.0)] == [NEW, IN_FLIGHT, NEW, IN_FLIGHT, NEW]


def test_a_request_that_was_turned_away_may_be_tried_again_at_once() -> None:
    cache = Idempotency(IdempotencySpec())
    assert cache.seen(1, 0.0) is NEW
    cache.forget(1)
    assert cache.seen(1, 0.0) is NEW
    cache.remember(1, "yes")
    assert cache.seen(1, 0.0) == "yes"


def test_a_second_try_has_its_own_ttl() -> None:
    cache = Idempotency(IdempotencySpec(ttl_s=TTL, lease_s=LEASE))
    for key in ("forgotten", "dead"):
        assert cache.seen(key, 0.0) is NEW
    cache.forget("forgotten")
    for key in ("forgotten", "dead"):
        assert cache.seen(key, 50.0) is NEW
        cache.remember(key, "yes")
    assert [cache.seen(key, 149.0) for key in ("forgotten", "dead")] == ["yes", "yes"]
    assert [cache.seen(key, 150.0) for key in ("forgotten", "dead")] == [NEW, NEW]


def test_answers_are_kept_no_longer_than_their_ttl() -> None:
    cache = Idempotency(IdempotencySpec(ttl_s=TTL))
    for key in range(10_000):
        cache.seen(key, float(key))
        cache.remember(key, key)
        assert len(cache) <= TTL
    assert len(cache._ring) == len(cache)


def test_without_idempotency_every_request_is_new() -> None:
    cache = Idempotency(IdempotencySpec(on=False))
    for _ in range(3):
        assert cache.seen(1, 0.0) is NEW
        assert cache.remember(1, "yes") == "yes"
    assert len(cache) == 0
