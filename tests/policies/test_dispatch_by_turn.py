"""Dispatch by turn: who is asked first, and what that is good for."""

from typing import Any

import numpy as np
import pytest

from policies.dispatch.fifo import FirstInFirstOut
from policies.dispatch.least_recently_used import LeastRecentlyUsed
from policies.dispatch.scored import Scored
from tests.policies.plain_dispatch import Line, Waiting

BY_TURN = (FirstInFirstOut, LeastRecentlyUsed, Scored)


def offers(policy: Any, view: Line) -> list[tuple[int, int]]:
    return [(int(offer.order), int(offer.driver)) for offer in policy(view)]


def test_whoever_has_been_idle_longest_goes_first() -> None:
    view = Line(
        [0.0],
        [5.0, 100.0, 50.0],
        [Waiting(n, 0, 0.0) for n in range(3)],
        now_s=900.0,
        idle_since_s=[800.0, 100.0, 300.0],
    )
    assert offers(FirstInFirstOut(), view) == [(0, 1), (1, 2), (2, 0)]


def test_whose_last_order_is_longest_ago_goes_first_and_who_had_none_before_all() -> None:
    view = Line(
        [0.0], [5.0, 100.0, 50.0], [Waiting(n, 0, 0.0) for n in range(3)], now_s=900.0, idle_since_s=[10.0, 20.0, 30.0],
        accepted_s=[200.0, 100.0, -np.inf],
    )  # fmt: skip
    assert offers(LeastRecentlyUsed(), view) == [(0, 2), (1, 1), (2, 0)]


def test_a_score_weighs_delay_work_and_idleness() -> None:
    order = [Waiting(0, 0, 0.0, ready_s=900.0)]
    view = Line([0.0], [300.0, 10.0], order, now_s=900.0, idle_since_s=[0.0, 890.0])
    assert offers(Scored(idle_weight=0.0, load_s=0.0), view) == [(0, 1)]
    assert offers(Scored(idle_weight=1.0, load_s=0.0), view) == [(0, 0)], "who has waited for a quarter of an hour"
    busy = Line([0.0], [10.0, 20.0], order, now_s=900.0, accepted=[9, 0])
    assert offers(Scored(load_s=0.0), busy) == [(0, 0)]
    assert offers(Scored(load_s=60.0), busy) == [(0, 1)], "who has had nine already"
    early = Line([0.0], [300.0, 10.0], [Waiting(0, 0, 0.0, ready_s=2000.0)], now_s=900.0)
    assert offers(Scored(ride_weight=0.0), early) == [(0, 0)], "both are there before it is packed"


def test_who_declines_often_is_asked_last() -> None:
    order = [Waiting(0, 0, 0.0)]
    view = Line([0.0], [10.0, 20.0], order, now_s=900.0, accepted=[4, 4], declined=[12, 0])
    assert offers(Scored(doubt_s=0.0, load_s=0.0), view) == [(0, 0)]
    assert offers(Scored(doubt_s=100.0, load_s=0.0), view) == [(0, 1)]
    # One refusal is no character.
    once = Line([0.0], [10.0, 20.0], order, now_s=900.0, accepted=[1, 0], declined=[1, 0])
    assert offers(Scored(doubt_s=100.0, load_s=0.0), once) == [(0, 0)]


def test_an_order_waits_for_a_driver_who_is_about_to_finish_nearby() -> None:
    orders = [Waiting(0, 0, 0.0), Waiting(1, 0, 0.0)]
    view = Line([0.0], [10.0, 300.0], orders, now_s=900.0, free_s=[930.0, 0.0])
    assert offers(Scored(), view) == [(0, 1)]
    assert offers(Scored(ahead_s=60.0), view) == [(1, 1)], "the first is kept for the one nearby, the second is not"
    assert offers(Scored(ahead_s=20.0), view) == [(0, 1)]


@pytest.mark.parametrize("policy", BY_TURN)
def test_who_is_too_far_too_small_or_has_declined_is_not_asked(policy: Any) -> None:
    def asked(**order: Any) -> list[tuple[int, int]]:
        return offers(policy(ride_s_max=100.0), Line([0.0], [200.0, 50.0], [Waiting(0, 0, 0.0, **order)]))

    assert asked() == [(0, 1)]
    assert asked(declined={1}) == []
    assert asked(litres=101.0) == []
    assert offers(policy(), Line([0.0], [], [Waiting(0, 0, 0.0)])) == []


@pytest.mark.parametrize("name", ["fifo", "least_recently_used"])
def test_taking_turns_shares_the_work_more_evenly_than_the_nearest(two_stores: Any, play: Any, name: str) -> None:
    """The spread of orders over drivers, in the same evening; it costs minutes."""

    def evening(policy: str) -> tuple[float, float]:
        day = play(two_stores(f"policies.dispatch={policy}(ride_s_max=5000.0)", "drivers.count=24"))
        return float(np.std(day.study.drivers["delivered"])), day.study.summary["click_to_door_s"]["mean"]

    nearest, turns = evening("nearest"), evening(name)
    assert turns[0] < nearest[0]
    assert turns[1] > nearest[1]
