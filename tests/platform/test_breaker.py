"""What protects callers: every transition of the breaker, and the bounds of budget and bulkhead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.platform.breaker import Breaker, Bulkhead, Pool, RetryBudget
from sim.vocabulary import BreakerState

CLOSED, OPEN, HALF_OPEN = BreakerState


def a_breaker(**keys: float) -> tuple[Breaker, list[BreakerState]]:
    breaker = Breaker(**keys)  # type: ignore[arg-type]
    moves: list[BreakerState] = []
    breaker.on_move(moves.append)
    return breaker, moves


def opened() -> tuple[Breaker, list[BreakerState]]:
    breaker, moves = a_breaker()
    for _ in range(10):
        breaker.fail(100.0)
    assert breaker.state is OPEN
    return breaker, moves


def results(breaker: Breaker, text: str, now_s: float = 0.0) -> None:
    for mark in text:
        (breaker.ok if mark == "." else breaker.fail)(now_s)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("x" * 9, CLOSED),
        ("x" * 10, OPEN),
        ("....." + "x" * 4, CLOSED),
        ("....." + "x" * 5, OPEN),
        ("x" * 5 + "....", CLOSED),
        ("x" * 5 + ".....", OPEN),  # the tenth call, a success, makes the window large enough to judge
        ("." * 20 + "x" * 9, CLOSED),
        ("." * 20 + "x" * 10, OPEN),
        ("." * 200 + "x" * 9, CLOSED),
        (".x" * 4 + "." + "." * 20 + "x" * 9, CLOSED),  # failures that the window has forgotten do not count
        (".x" * 4 + "." + "." * 20 + "x" * 10, OPEN),
        ("xxxx" + "." * 16 + "xxxx" + "...." * 4 + "xxxxx", CLOSED),
    ],
)
def test_it_opens_at_half_of_the_last_twenty_and_not_before_ten(text: str, state: BreakerState) -> None:
    breaker, moves = a_breaker()
    results(breaker, text)
    assert breaker.state is state
    assert moves == ([OPEN] if state is OPEN else [])


@given(st.lists(st.booleans(), max_size=120), st.integers(1, 25), st.integers(1, 25))
def test_the_window_is_the_last_calls_and_nothing_else(failures: list[bool], window: int, least: int) -> None:
    breaker, _ = a_breaker(window=window, least=least)
    for n, failed in enumerate(failures, start=1):
        (breaker.fail if failed else breaker.ok)(0.0)
        last = failures[max(n - window, 0) : n]
        if len(last) >= min(least, window) and sum(last) >= 0.5 * len(last) and sum(last):
            assert breaker.state is OPEN
            return
        assert breaker.state is CLOSED


def test_open_refuses_for_its_time_and_then_lets_three_trials_through() -> None:
    breaker, moves = opened()
    assert [breaker.allow(at_s) for at_s in (100.0, 115.0, 129.999)] == [False] * 3
    assert [breaker.allow(130.0) for _ in range(5)] == [True, True, True, False, False]
    assert breaker.state is HALF_OPEN
    assert moves == [OPEN, HALF_OPEN]


def test_three_good_trials_close_it_and_the_past_is_forgotten() -> None:
    breaker, moves = opened()
    for n in range(3):
        assert breaker.allow(131.0)
        breaker.ok(131.5)
        assert breaker.state is (CLOSED if n == 2 else HALF_OPEN)
    assert moves == [OPEN, HALF_OPEN, CLOSED]
    results(breaker, "x" * 9, 132.0)
    assert breaker.state is CLOSED
    results(breaker, "x", 132.0)
    assert breaker.state is OPEN


@pytest.mark.parametrize("good", [0, 1, 2])
def test_one_bad_trial_opens_it_again_for_the_whole_time(good: int) -> None:
    breaker, moves = opened()
    for _ in range(good + 1):
        assert breaker.allow(131.0)
    results(breaker, "." * good + "x", 135.0)
    assert breaker.state is OPEN
    assert moves == [OPEN, HALF_OPEN, OPEN]
    assert not breaker.allow(164.9)
    assert breaker.allow(165.0)


def test_answers_that_come_while_it_is_open_change_nothing() -> None:
    breaker, moves = opened()
    results(breaker, "....xxxx", 110.0)
    assert breaker.state is OPEN
    assert moves == [OPEN]
    assert breaker.allow(130.0), "nor do they prolong it"


def test_trials_that_are_never_answered_do_not_lock_it() -> None:
    breaker, _ = opened()
    assert [breaker.allow(130.0) for _ in range(4)] == [True, True, True, False]
    assert not breaker.allow(159.0)
    assert [breaker.allow(160.0) for _ in range(4)] == [True, True, True, False]
    results(breaker, "...", 161.0)
    assert breaker.state is CLOSED


def test_every_move_begins_a_turn_and_nothing_else_does() -> None:
    breaker, moves = a_breaker()
    results(breaker, "." * 20 + "x" * 9)
    assert breaker.turn == 0
    results(breaker, "x")
    assert breaker.turn == len(moves) == 1
    assert not breaker.allow(29.0)
    assert breaker.turn == 1
    for _ in range(3):
        assert breaker.allow(30.0)
        assert breaker.turn == 2
    results(breaker, "..", 31.0)
    assert breaker.turn == 2
    results(breaker, ".", 31.0)
    assert breaker.turn == len(moves) == 3


def test_a_disabled_breaker_always_allows() -> None:
    breaker, moves = a_breaker(enabled=False)
    results(breaker, "x" * 100)
    assert breaker.allow(0.0)
    assert breaker.state is CLOSED
    assert moves == []


@given(st.lists(st.booleans(), max_size=400), st.floats(0.0, 1.0), st.floats(1.0, 20.0))
def test_retries_never_pass_their_share_of_the_calls(calls: list[bool], ratio: float, most: float) -> None:
    budget, firsts, retries = RetryBudget(ratio, most), 0, 0
    for first in calls:
        if first:
            budget.first()
            firsts += 1
        elif budget.retry():
            retries += 1
        assert retries <= most + ratio * firsts + 1e-6


def test_a_dead_callee_gets_a_fifth_more_calls_and_not_thrice_as_many() -> None:
    budget, retries = RetryBudget(0.2, 10.0), 0
    for _ in range(1000):
        budget.first()
        for _ in range(2):
            retries += budget.retry()
    assert retries == 10 + 200 - 1, "saved up, and earned; the first call found the bucket full"
    assert budget.refused == 2000 - retries


def test_a_budget_saves_no_more_than_its_most() -> None:
    budget = RetryBudget(0.2, 10.0)
    for _ in range(1000):
        budget.first()
    assert sum(budget.retry() for _ in range(50)) == 10
    free = RetryBudget(0.0, 1.0, enabled=False)
    assert all(free.retry() for _ in range(50))


@pytest.mark.parametrize(("ratio", "firsts"), [(0.1, 10), (0.2, 5), (0.5, 2), (1.0, 1)])
def test_a_retry_is_earned_by_as_many_calls_as_the_ratio_says(ratio: float, firsts: int) -> None:
    budget = RetryBudget(ratio, 1.0)
    assert budget.retry()
    for _ in range(20):  # also when ten tenths sum to a hair below one
        for _ in range(firsts):
            assert not budget.retry()
            budget.first()
        assert budget.retry()


@given(st.lists(st.booleans(), max_size=300), st.integers(1, 8))
def test_a_bulkhead_never_holds_more_than_its_limit(wishes: list[bool], most: int) -> None:
    bulkhead, inside, refused = Bulkhead(most, Pool(100)), 0, 0
    for enters in wishes:
        if enters:
            entered = bulkhead.enter()
            assert entered == (inside < most), "refused exactly when full"
            inside += entered
            refused += not entered
        elif inside:
            bulkhead.leave()
            inside -= 1
        assert bulkhead.inside == inside <= most
    assert bulkhead.refused == refused


def test_a_bulkhead_knows_who_never_entered() -> None:
    bulkhead = Bulkhead(2, Pool(100))
    with pytest.raises(RuntimeError, match="one more leave than enter"):
        bulkhead.leave()
    wide = Bulkhead(1, Pool(100), enabled=False)
    assert all(wide.enter() for _ in range(50))
