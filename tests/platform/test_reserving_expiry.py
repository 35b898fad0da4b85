"""Holds of abandoned carts: they expire at their time, unless the order went on, and their goods and locks are free again."""

from policies.reservation.lock import Lock
from policies.reservation.optimistic import Optimistic
from sim.platform.orders import Order
from sim.vocabulary import OrderState
from tests.platform.bare_shop import Shop


def test_a_hold_that_nobody_goes_on_with_expires() -> None:
    told: list[tuple[int, float]] = []
    shop = Shop(
        Optimistic(), [9, 9, 9, 9], [0.0] * 6, hold_s=60.0, on_expired=lambda o: told.append((o.id, shop.env.now))
    )
    orders = [shop.order(number, {0: 1}) for number in range(6)]
    for order in orders:
        shop.reserve(order, float(order.id))

    def confirm(order: Order) -> None:
        order.state = OrderState.CONFIRMED

    shop.at(30.0, lambda: confirm(orders[1]))
    shop.at(30.0, lambda: shop.inventory.release(orders[2]))
    shop.at(30.0, lambda: (confirm(orders[3]), shop.inventory.commit(orders[3])))
    shop.at(30.0, lambda: setattr(orders[4], "state", OrderState.PENDING_PAYMENT))
    shop.env.advance(300.0)
    assert told == [(0, 60.0), (4, 64.0), (5, 65.0)]
    assert [fact["order"] for fact in shop.ear.all("hold_expired")] == [0, 4, 5]
    assert orders[1].held == [(0, 1)], "an order that waits for a picker is no abandoned cart"
    assert (shop.inventory.available[0], shop.inventory.reserved[0]) == (7, 1)
    # The saga comes back to an order whose hold has expired: it gets no second one.
    shop.reserve(orders[0])
    assert shop.answers[0] is False
    assert orders[0].held == []


def test_one_timer_serves_all_deadlines() -> None:
    shop = Shop(Optimistic(), [999, 0, 0, 0], [0.0] * 500, hold_s=60.0)
    for number in range(500):
        shop.reserve(shop.order(number, {0: 1}))
    assert len(shop.env._queue) + len(shop.env._soon) == 1
    shop.env.advance(61.0)
    assert shop.inventory.reserved[0] == 0


def test_the_locks_of_an_expired_hold_are_let_go() -> None:
    shop = Shop(Lock(timeout_s=100.0), [3, 0, 0, 0], [0.1, 0.1], hold_s=10.0)
    first = shop.order(0, {0: 2})
    shop.reserve(first, 0.0, "prepare")
    shop.reserve(shop.order(1, {0: 3}), 1.0, "prepare")
    shop.env.advance(10.3)
    assert shop.answers == {0: True, 1: True}
    assert not shop.reserving.commit_prepared(first), "too late: the hold is gone"
    assert shop.inventory.reserved[0] == 3
