"""Matching: who is sent, who waits, and which orders ride together."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from policies.dispatch.matching import Matching
from policies.dispatch.tours import Tours
from sim.contracts import Stops
from tests.policies.plain_dispatch import Line, Waiting


def plain(**parameters: Any) -> Matching:
    """Matching that looks at nothing but delays."""
    return Matching(**{"remote_weight": 0.0, "cover_weight": 0.0, "empty_weight": 0.0, "bundle_max": 1, **parameters})


def offers(policy: Matching, view: Line) -> list[tuple[int, int, tuple[int, ...]]]:
    return [(int(offer.order), int(offer.driver), tuple(map(int, offer.along))) for offer in policy(view)]  # type: ignore[arg-type]


def test_the_sum_of_delays_counts_not_the_turn() -> None:
    """The older order's nearest driver is the only one near the younger's store: the older takes the second nearest."""
    view = Line([0.0, 100.0], [60.0, -70.0], [Waiting(0, 0, 0.0), Waiting(1, 1, 100.0)])
    assert offers(plain(), view) == [(0, 1, ()), (1, 0, ())]


def test_a_driver_sets_out_just_in_time() -> None:
    def sent(ready_s: float, **parameters: Any) -> bool:
        return bool(offers(plain(**parameters), Line([0.0], [300.0], [Waiting(0, 0, 0.0, ready_s)])))

    assert not sent(361.0), "leaving at the next step is early enough"
    assert sent(359.0)
    assert sent(361.0, every_s=90.0), "the next step is later"
    assert sent(361.0, early_s=10.0)


def test_who_is_soon_free_nearby_is_waited_for() -> None:
    order = Waiting(0, 0, 0.0)
    assert offers(plain(), Line([0.0], [0.0, 500.0], [order], free_s=[100.0, 0.0])) == []
    assert offers(plain(), Line([0.0], [0.0, 500.0], [order], free_s=[600.0, 0.0])) == [(0, 1, ())]
    assert offers(plain(ahead_s=60.0), Line([0.0], [0.0, 500.0], [order], free_s=[100.0, 0.0])) == [(0, 1, ())]


def test_nobody_is_sent_who_cannot_be_there_before_the_shift_ends_or_has_declined() -> None:
    order = Waiting(0, 0, 0.0)
    assert offers(plain(), Line([0.0], [50.0], [order], until_s=49.0)) == []
    assert offers(plain(), Line([0.0], [50.0], [order], until_s=50.0)) == [(0, 0, ())]
    assert offers(plain(), Line([0.0], [50.0, 80.0], [Waiting(0, 0, 0.0, declined={0})])) == [(0, 1, ())]
    assert offers(plain(), Line([0.0], [50.0], [Waiting(0, 0, 0.0, litres=101.0)])) == []


def test_as_many_orders_as_can_be_have_a_driver() -> None:
    """The near driver could take the near order at once; then nobody would be left for the one that only he may take."""
    lines = [Waiting(0, 0, 0.0), Waiting(1, 1, 0.0, declined={1})]
    assert offers(plain(), Line([0.0, 5000.0], [0.0, 1000.0], lines)) == [(0, 1, ()), (1, 0, ())]


def test_orders_of_one_store_ride_together_where_drivers_are_short() -> None:
    lines = [Waiting(0, 0, 1000.0), Waiting(1, 0, 1010.0)]
    together = Matching()
    assert offers(together, Line([0.0], [0.0], lines)) == [(0, 0, (1,))]
    alone = offers(together, Line([0.0], [0.0, 0.0], lines))
    assert sorted(order for order, _, _ in alone) == [0, 1], "each rides alone where nobody waits for it"
    assert len(offers(Matching(bundle_max=1), Line([0.0], [0.0], lines))) == 1


def test_what_no_vehicle_can_carry_does_not_ride_together() -> None:
    heavy = [Waiting(n, 0, 1000.0, litres=60.0) for n in range(2)]
    found = offers(Matching(), Line([0.0], [0.0], heavy))
    assert [len(along) for _, _, along in found] == [0]


def test_a_tour_goes_to_the_nearer_customer_first() -> None:
    lines = [Waiting(0, 0, 500.0), Waiting(1, 0, 100.0)]
    found = offers(Matching(bundle_weight=10.0), Line([0.0], [0.0], lines))
    assert found == [(1, 0, (0,))]


class Doors(Line):
    """A line with doors, counters and parking that take time."""

    stops = Stops(30.0, 20.0, 90.0, 10.0)


def _crowd(seed: int) -> Doors:
    luck = np.random.default_rng(seed)
    waiting = [
        Waiting(n, int(luck.integers(2)), float(luck.normal(0.0, 800.0)), ready_s=float(luck.uniform(0.0, 600.0)))
        for n in range(14)
    ]
    return Doors([0.0, 900.0], luck.normal(400.0, 600.0, 4).tolist(), waiting)


@pytest.mark.parametrize("seed", range(5))
def test_no_sequence_is_below_what_a_tour_takes_at_least(seed: int) -> None:
    view, tours = _crowd(seed), Tours()
    mine: list[Any] = [order for order in view.waiting if order.store == 0]
    for size in (1, 2, 3):
        for some in combinations(mine, size):
            least_s, found_s = tours.least_s(some, view), tours.of(some, view).after_s  # type: ignore[arg-type]
            assert least_s <= found_s + 1e-9
            assert size > 1 or least_s == pytest.approx(found_s)
            assert tours.least_s(some, view) == found_s, "what is known is known"  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(10))
def test_looking_at_what_a_tour_could_gain_first_decides_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = {"bundle_max": 3, "bundle_weight": 2.0}
    quick = offers(Matching(**policy), _crowd(seed))
    monkeypatch.setattr(Tours, "least_s", lambda self, orders, view: -np.inf)
    assert offers(Matching(**policy), _crowd(seed)) == quick


def test_some_of_these_crowds_ride_together() -> None:
    """Or the law above would say nothing."""
    assert any(
        along for seed in range(10) for *_, along in offers(Matching(bundle_max=3, bundle_weight=2.0), _crowd(seed))
    )


def test_who_is_far_from_where_orders_come_up_goes_first() -> None:
    """Both reach the store before the order is packed: the one in the middle of things is kept."""
    view = Line([0.0, 1000.0], [200.0, -900.0], [Waiting(0, 0, 0.0, ready_s=900.0)])
    assert [driver for _, driver, _ in offers(Matching(cover_weight=0.0, early_s=900.0), view)] == [1]
    assert [driver for _, driver, _ in offers(plain(early_s=900.0), view)] == [0], "alike but for that, the first"


def test_what_one_takes_away_by_leaving_counts() -> None:
    """Two stand together, one alone: for an order in the middle one of the two goes."""
    stores = [0.0, 1000.0, 500.0]
    view = Line(stores, [1000.0, 0.0, 0.0], [Waiting(0, 2, 500.0, ready_s=600.0)])
    found = offers(Matching(remote_weight=0.0, cover_depth=1, early_s=600.0), view)
    assert [driver for _, driver, _ in found] == [1]


@pytest.mark.parametrize("seed", range(5))
def test_no_other_matching_has_less_delay(seed: int) -> None:
    """Against all ways to give five orders to five drivers."""
    from itertools import permutations

    rng = np.random.default_rng(seed)
    stores, at = rng.uniform(0, 1000, 5), rng.uniform(0, 1000, 5)
    view = Line(stores.tolist(), at.tolist(), [Waiting(n, n, 0.0) for n in range(5)])
    ride = np.abs(at[None, :] - stores[:, None])
    best = min(sum(ride[n, d] for n, d in enumerate(way)) for way in permutations(range(5)))
    found = offers(plain(), view)
    assert sum(ride[order, driver] for order, driver, _ in found) == pytest.approx(best)


def test_fewer_orders_are_late_than_with_the_nearest_and_none_costs_more(two_stores: Any, play: Any) -> None:
    """The same customers and drivers, day by day: the difference is outside its confidence interval (paired, 95 %)."""
    days, t = 6, 2.571  # Student's t, five degrees of freedom
    on_time, cost = (np.empty((2, days)) for _ in range(2))
    for place, policy in enumerate(("nearest", "matching(early_s=120, every_s=15)")):
        for seed in range(days):
            day = two_stores(f"seed={seed}", f"policies.dispatch={policy}", "drivers.count=10")
            summary = play(day).study.summary
            on_time[place, seed], cost[place, seed] = summary["on_time"], summary["cost"]["per_order_cents"]
    for better in (on_time[1] - on_time[0], cost[0] - cost[1]):
        assert better.mean() > t * better.std(ddof=1) / np.sqrt(days)
    assert (on_time[1] - on_time[0]).mean() > 0.1
