"""FoodMatch: which orders make a batch, and which drivers a batch is weighed against."""

from typing import Any

from policies.dispatch.foodmatch import FoodMatch
from tests.policies.plain_dispatch import Line, Waiting


def offers(policy: FoodMatch, view: Line) -> list[tuple[int, int, tuple[int, ...]]]:
    return [(int(offer.order), int(offer.driver), tuple(map(int, offer.along))) for offer in policy(view)]  # type: ignore[arg-type]


def sizes(lines: list[Waiting], drivers: int = 1, **parameters: Any) -> list[int]:
    found = offers(FoodMatch(**parameters), Line([0.0, 900.0], [0.0] * drivers, lines))
    return sorted(1 + len(along) for _, _, along in found)


def test_orders_are_batched_until_a_batch_costs_eta_in_the_mean() -> None:
    """The second is at home 100 s beyond the first: the batch costs nothing; packed 50 s later, the first loses that."""
    assert sizes([Waiting(0, 0, 100.0), Waiting(1, 0, 200.0)], 2, eta_s=0.0) == [2]
    apart = [Waiting(0, 0, 100.0, ready_s=1.0), Waiting(1, 0, 200.0, ready_s=51.0)]
    assert sizes(apart, 2, eta_s=49.0) == [1, 1]
    assert sizes(apart, 2, eta_s=51.0) == [2]


def test_the_mean_is_over_all_batches_so_that_single_ones_pay_for_others() -> None:
    lines = [Waiting(0, 0, 100.0, ready_s=1.0), Waiting(1, 0, 200.0, ready_s=51.0), Waiting(2, 1, 900.0, ready_s=1.0)]
    assert sizes(lines, 3, eta_s=26.0) == [1, 2], "50 s over two batches"
    assert sizes(lines, 3, eta_s=24.0) == [1, 1, 1]


def test_the_pair_that_costs_least_more_is_put_together_first() -> None:
    lines = [Waiting(0, 0, 1000.0), Waiting(1, 0, 10.0, ready_s=120.0), Waiting(2, 0, 1010.0)]
    found = offers(FoodMatch(bundle_max=2, eta_s=50.0), Line([0.0], [0.0, 0.0], lines, now_s=80.0))
    assert sorted((order, along) for order, _, along in found) == [(0, (2,)), (1, ())]


def test_a_batch_has_no_more_orders_and_litres_than_allowed() -> None:
    near = [Waiting(n, 0, 100.0) for n in range(5)]
    assert sizes(near, 5) == [2, 3]
    assert sizes(near, 5, bundle_max=1) == [1] * 5
    heavy = [Waiting(n, 0, 100.0, litres=60.0) for n in range(2)]
    assert sizes(heavy, 2) == [1, 1]


def test_customers_in_opposite_directions_make_no_batch() -> None:
    lines = [Waiting(0, 0, 100.0), Waiting(1, 0, -100.0)]
    assert sizes(lines, 2, eta_s=7200.0) == [1, 1]
    assert sizes(lines, 2, eta_s=7200.0, angle_max=1.0) == [2]
    assert sizes([Waiting(0, 0, 100.0), Waiting(1, 0, 0.0)], 2, eta_s=7200.0) == [2], "next door is no direction"


def test_each_driver_is_weighed_against_the_nearest_batches_alone() -> None:
    """With both, the near driver is spared for the order that only he could do well; with one each, both want the near store."""
    lines = [Waiting(0, 0, 0.0), Waiting(1, 1, 1000.0)]
    view = Line([0.0, 1000.0], [400.0, 0.0], lines)
    assert offers(FoodMatch(), view) == [(0, 1, ()), (1, 0, ())]
    assert len(offers(FoodMatch(degree=1), view)) == 1
    assert offers(FoodMatch(ride_s_max=500.0), view) == [(0, 1, ())]


def test_what_is_lost_already_leaves_nobody_out() -> None:
    """One driver, two orders alike: the one that has waited for hours is not the dearer one."""
    old, young = Waiting(0, 0, 10.0), Waiting(1, 1, 10.0, opened_s=20_000.0, ready_s=20_000.0)
    assert offers(FoodMatch(bundle_max=1), Line([0.0, 0.0], [0.0], [old, young], now_s=20_000.0)) == [(0, 0, ())]


def test_a_driver_sets_out_just_in_time_and_nobody_without_idle_drivers() -> None:
    def sent(ready_s: float, **parameters: Any) -> bool:
        return bool(offers(FoodMatch(**parameters), Line([0.0], [300.0], [Waiting(0, 0, 0.0, ready_s)])))

    assert not sent(361.0)
    assert sent(359.0)
    assert sent(361.0, early_s=10.0)
    assert offers(FoodMatch(), Line([0.0], [0.0], [Waiting(0, 0, 0.0)], free_s=[50.0])) == []
