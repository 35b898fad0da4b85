"""Dispatch by PyVRP: plans that are feasible, that ride together what should, and that say when the solver is missing."""

import sys
from typing import Any

import pytest

from policies.dispatch.vrp import RoutedByPyVRP
from sim.vocabulary import InputError
from tests.policies.plain_dispatch import Line, Waiting


def offers(policy: RoutedByPyVRP, view: Line) -> list[tuple[int, int, tuple[int, ...]]]:
    pytest.importorskip("pyvrp", reason="the extra darkstore[vrp] is not installed")
    return [(int(offer.order), int(offer.driver), tuple(map(int, offer.along))) for offer in policy(view)]  # type: ignore[arg-type]


def test_the_sum_of_delays_counts_not_the_turn() -> None:
    view = Line([0.0, 100.0], [60.0, -70.0], [Waiting(0, 0, 0.0), Waiting(1, 1, 100.0)])
    assert sorted(offers(RoutedByPyVRP(), view)) == [(0, 1, ()), (1, 0, ())]


def test_orders_of_one_store_ride_together_where_drivers_are_short_and_of_two_stores_never() -> None:
    lines = [Waiting(0, 0, 1000.0), Waiting(1, 0, 1010.0), Waiting(2, 1, 1020.0)]
    found = offers(RoutedByPyVRP(), Line([0.0, 10.0], [0.0, 10.0], lines))
    assert sorted(found) == [(0, 0, (1,)), (2, 1, ())]
    assert [along for _, _, along in offers(RoutedByPyVRP(), Line([0.0, 10.0], [0.0], lines))] == [(1,)]


def test_a_tour_has_no_more_orders_and_litres_than_allowed() -> None:
    near = [Waiting(n, 0, 100.0) for n in range(5)]
    assert [len(along) for _, _, along in offers(RoutedByPyVRP(), Line([0.0], [0.0], near))] == [2]
    assert [len(along) for _, _, along in offers(RoutedByPyVRP(bundle_max=1), Line([0.0], [0.0], near))] == [0]
    heavy = [Waiting(n, 0, 100.0, litres=60.0) for n in range(2)]
    assert [len(along) for _, _, along in offers(RoutedByPyVRP(), Line([0.0], [0.0], heavy))] == [0]


def test_riding_a_little_more_is_worth_less_than_delay() -> None:
    """Two stand ready, customers apart: one tour saves riding, two lose no time."""
    lines = [Waiting(0, 0, 500.0), Waiting(1, 0, 900.0)]
    assert len(offers(RoutedByPyVRP(), Line([0.0], [0.0, 10.0], [lines[0], Waiting(1, 0, -500.0)]))) == 2
    assert [along for _, _, along in offers(RoutedByPyVRP(ride_weight=1.0), Line([0.0], [0.0, 10.0], lines))] == [(1,)]


def test_who_has_declined_and_whose_shift_ends_is_not_asked() -> None:
    assert offers(RoutedByPyVRP(), Line([0.0], [50.0, 80.0], [Waiting(0, 0, 0.0, declined={0})])) == [(0, 1, ())]
    assert offers(RoutedByPyVRP(), Line([0.0], [50.0], [Waiting(0, 0, 0.0)], until_s=49.0)) == []


def test_only_who_must_leave_now_is_sent_and_who_is_soon_free_is_waited_for() -> None:
    assert not offers(RoutedByPyVRP(), Line([0.0], [300.0], [Waiting(0, 0, 0.0, ready_s=361.0)]))
    assert offers(RoutedByPyVRP(early_s=10.0), Line([0.0], [300.0], [Waiting(0, 0, 0.0, ready_s=361.0)]))
    assert offers(RoutedByPyVRP(), Line([0.0], [0.0, 500.0], [Waiting(0, 0, 0.0)], free_s=[100.0, 0.0])) == []
    assert offers(RoutedByPyVRP(), Line([0.0], [0.0, 500.0], [Waiting(0, 0, 0.0)], free_s=[900.0, 0.0])) == [(0, 1, ())]


def test_the_oldest_orders_are_planned_where_there_are_too_many() -> None:
    lines = [Waiting(n, 0, 100.0 * n) for n in range(6)]
    found = offers(RoutedByPyVRP(orders_max=2, bundle_max=1), Line([0.0], [0.0] * 6, lines))
    assert sorted(order for order, _, _ in found) == [0, 1]


def test_the_same_seed_makes_the_same_plan() -> None:
    def plan(**parameters: Any) -> list[Any]:
        lines = [Waiting(n, n % 3, 137.0 * n % 1000) for n in range(20)]
        return offers(
            RoutedByPyVRP(iterations=60, **parameters), Line([0.0, 300.0, 700.0], [90.0 * n for n in range(9)], lines)
        )

    assert plan() == plan()
    assert plan(seed=3) == plan(seed=3)


def test_without_the_solver_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvrp", None)
    with pytest.raises(
        InputError, match=r"expected PyVRP for vrp, which is not installed: pip install 'darkstore\[vrp\]'"
    ):
        list(RoutedByPyVRP()(Line([0.0], [0.0], [Waiting(0, 0, 0.0)])))  # type: ignore[arg-type]
