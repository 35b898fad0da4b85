"""The rolling horizon: how large bundles are, what goes into them, and who is matched first."""

from typing import Any

import pytest

from policies.dispatch.rolling_horizon import RollingHorizon
from sim.contracts import Offer, Reposition
from tests.policies.plain_dispatch import Line, Waiting


def offers(policy: RollingHorizon, view: Line) -> list[tuple[int, int, tuple[int, ...]]]:
    made = [one for one in policy(view) if isinstance(one, Offer)]  # type: ignore[arg-type]
    return [(int(offer.order), int(offer.driver), tuple(map(int, offer.along))) for offer in made]


def due(n: int, store: int, node: float, **columns: Any) -> Waiting:
    """An order that nobody is late for."""
    return Waiting(n, store, node, promised_s=1e6, **columns)


def test_bundles_are_as_large_as_there_are_orders_for_each_driver() -> None:
    """Customers live further and further out, so that one more makes the rides for each order longer."""
    lines = [due(n, 0, 100.0 * 3**n) for n in range(6)]

    def sizes(drivers: list[float], **parameters: Any) -> list[int]:
        found = offers(RollingHorizon(**parameters), Line([0.0], drivers, lines))
        return sorted(1 + len(along) for _, _, along in found)

    assert sizes([500.0] * 6) == [1] * 6
    assert sizes([500.0] * 3) == [2] * 3
    assert sizes([500.0] * 2) == [3] * 2
    assert sizes([500.0] * 2, bundle_max=2) == [2] * 2
    assert sizes([0.0, 0.0, 0.0, 0.0, 500.0]) == [1, 1, 2, 2], "two for each driver, but four stand at the counter"


def test_beyond_the_target_an_order_goes_in_only_where_rides_for_each_get_shorter() -> None:
    near = [due(n, 0, 1000.0 + n, ready_s=float(n)) for n in range(3)]
    found = offers(RollingHorizon(), Line([0.0], [500.0, 500.0], near))
    assert sorted(1 + len(along) for _, _, along in found) == [1, 2]
    far = [due(0, 0, 10.0), due(1, 0, 1000.0), due(2, 0, 1001.0), due(3, 0, 1002.0)]
    found = offers(RollingHorizon(delay_weight=0.0), Line([0.0], [500.0, 500.0], far))
    assert sorted((order, along) for order, _, along in found) == [(0, ()), (1, (2, 3))]


def test_orders_and_drivers_beyond_their_times_do_not_count() -> None:
    lines = [due(0, 0, 100.0), due(1, 0, 101.0, ready_s=1000.0)]
    alone = offers(RollingHorizon(ready_s=900.0), Line([0.0], [500.0], lines))
    assert alone == [(0, 0, ())], "one order for one driver; the other need not go yet"
    assert offers(RollingHorizon(ready_s=1100.0, every_s=600.0), Line([0.0], [500.0], lines)) == [(0, 0, (1,))]
    assert offers(RollingHorizon(ahead_s=900.0, every_s=600.0), Line([0.0], [500.0], lines)) == [(0, 0, ())]
    both = [due(0, 0, 100.0), due(1, 0, 101.0)]
    assert offers(RollingHorizon(), Line([0.0], [500.0, 500.0], both, free_s=[0.0, 700.0])) == [(0, 0, (1,))]
    assert offers(RollingHorizon(free_s=800.0), Line([0.0], [500.0, 500.0], both, free_s=[0.0, 700.0])) == [(0, 0, ())]


def test_an_order_goes_into_the_bundle_where_it_costs_least_and_is_put_back_where_it_fits_better() -> None:
    """The first of a bundle lives on the other side than those who came to it, and on the way of the other bundle."""
    lines = [due(n, 0, node) for n, node in enumerate([100.0, 5000.0, -200.0, 4900.0, -210.0])]
    found = offers(RollingHorizon(), Line([0.0], [50.0, 60.0], lines))
    assert sorted((order, along) for order, _, along in found) == [(0, (3, 1)), (2, (4,))]


def test_what_no_vehicle_carries_gets_a_bundle_of_its_own() -> None:
    lines = [due(n, 0, 100.0, litres=60.0) for n in range(4)]
    found = offers(RollingHorizon(), Line([0.0], [500.0, 500.0], lines))
    assert [len(along) for _, _, along in found] == [0, 0]


def test_who_cannot_be_on_time_any_more_goes_first_then_who_waits_packed() -> None:
    """One driver between two stores: the late order has him though the other is nearer."""
    late, other = Waiting(0, 0, 0.0, promised_s=50.0), due(1, 1, 1000.0)
    view = Line([0.0, 1000.0], [600.0], [other, late])
    assert offers(RollingHorizon(), view) == [(0, 0, ())]
    assert offers(RollingHorizon(), Line([0.0, 1000.0], [600.0], [other, due(0, 0, 0.0)])) == [(1, 0, ())]
    packed, packing = due(0, 0, 0.0), due(1, 1, 1000.0, ready_s=420.0)
    assert offers(RollingHorizon(), Line([0.0, 1000.0], [600.0], [packing, packed])) == [(0, 0, ())]


def test_a_pair_is_worth_the_orders_for_each_minute_less_what_packed_goods_wait() -> None:
    """Far and back at once, or near and long on the road: without the goods' waiting the short job is worth more."""
    lines = [due(0, 0, 0.0), due(1, 1, 3900.0)]
    view = Line([0.0, 1000.0], [800.0], lines)
    assert offers(RollingHorizon(fresh_weight=0.0), view) == [(0, 0, ())]
    assert offers(RollingHorizon(fresh_weight=1.0), view) == [(1, 0, ())]


def test_a_driver_is_told_when_he_would_come_too_late_a_step_later() -> None:
    def sent(ready_s: float, **parameters: Any) -> bool:
        view = Line([0.0], [300.0], [due(0, 0, 0.0, ready_s=ready_s)])
        return bool(offers(RollingHorizon(**parameters), view))

    assert not sent(361.0)
    assert sent(359.0)
    assert sent(361.0, every_s=300.0)
    assert sent(361.0, early_s=10.0)


def test_a_job_that_takes_no_time_is_worth_a_lot_and_no_error() -> None:
    assert offers(RollingHorizon(), Line([0.0], [0.0], [due(0, 0, 0.0)])) == [(0, 0, ())]


# -- commitment in two stages -----------------------------------------------------------------------------------------


def orders_and_rides(policy: RollingHorizon, view: Line) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    told = list(policy(view))  # type: ignore[arg-type]
    offered = [(int(one.order), int(one.driver)) for one in told if isinstance(one, Offer)]
    return offered, [(int(one.driver), int(one.store)) for one in told if isinstance(one, Reposition)]


def test_who_cannot_be_there_before_the_next_step_rides_on_with_the_orders_left_open() -> None:
    """The same driver: told for good at once where commitment is late; in two stages sent, and told when he is near."""
    far, near = Line([0.0], [600.0], [due(0, 0, 10.0)]), Line([0.0], [50.0], [due(0, 0, 10.0)], now_s=550.0)
    assert orders_and_rides(RollingHorizon(), far) == ([(0, 0)], [])
    policy = RollingHorizon(commitment="two_stages")
    assert orders_and_rides(policy, far) == ([], [(0, 0)])
    assert orders_and_rides(policy, near) == ([(0, 0)], [])


def test_whoever_need_not_set_out_yet_is_not_sent() -> None:
    later = Line([0.0], [600.0], [due(0, 0, 10.0, ready_s=1000.0)])
    assert orders_and_rides(RollingHorizon(commitment="two_stages"), later) == ([], [])


def test_who_was_sent_is_for_that_store_alone_while_it_has_orders() -> None:
    """On his way another store comes up that is nearer to him: it is not his, unless the first has nothing left."""
    policy = RollingHorizon(commitment="two_stages")
    assert orders_and_rides(policy, Line([0.0, 600.0], [1000.0], [due(0, 0, 10.0)])) == ([], [(0, 0)])
    near, mine = due(1, 1, 610.0, opened_s=1.0), due(0, 0, 10.0)
    assert orders_and_rides(policy, Line([0.0, 600.0], [600.0], [near, mine], now_s=60.0)) == ([], [(0, 0)])
    assert orders_and_rides(policy, Line([0.0, 600.0], [600.0], [near], now_s=120.0)) == ([(1, 0)], [])


def test_which_of_the_stores_orders_he_takes_is_open_until_he_is_near() -> None:
    """A second one that lives next door comes up while he rides, and one driver is all there is: they ride together."""
    policy = RollingHorizon(commitment="two_stages")
    one, two = due(0, 0, 100.0), due(1, 0, 101.0, opened_s=30.0)
    assert orders_and_rides(policy, Line([0.0], [600.0], [one])) == ([], [(0, 0)])
    assert offers(policy, Line([0.0], [50.0], [one, two], now_s=550.0)) == [(0, 0, (1,))]


def test_what_has_been_packed_for_long_is_given_away_for_good() -> None:
    far = Line([0.0], [600.0], [due(0, 0, 10.0)], now_s=700.0)
    assert orders_and_rides(RollingHorizon(commitment="two_stages", patience_s=800.0), far) == ([], [(0, 0)])
    assert orders_and_rides(RollingHorizon(commitment="two_stages"), far) == ([(0, 0)], [])


def test_commitment_is_one_of_two() -> None:
    with pytest.raises(ValueError, match=r"Expected commitment to be one of late, two_stages, got 'soon'\."):
        RollingHorizon(commitment="soon")
