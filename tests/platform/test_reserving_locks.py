"""Reserving by locks: nobody waits for ever, a lapsed lease writes nothing, and a prepared order stays locked until the vote."""

import pytest

from policies.reservation.lock import Lock
from tests.platform.bare_shop import Shop

# -- locks ------------------------------------------------------------------------------------------------------------


def test_orders_with_the_same_lines_in_any_sequence_do_not_lock_each_other_out() -> None:
    shop = Shop(Lock(timeout_s=100.0, lease_s=100.0), [9, 9, 9, 9], [1.0] * 4)
    for number, skus in enumerate(([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3])):
        shop.reserve(shop.order(number, dict.fromkeys(skus, 1)))
    shop.env.advance(4.01)
    assert all(shop.answers[number] is True for number in range(4))
    assert shop.ear.all("lock_timed_out") == []


def test_who_has_waited_too_long_gives_up_and_lets_go_of_what_he_has() -> None:
    shop = Shop(Lock(timeout_s=0.5, lease_s=100.0), [9, 9, 9, 9], [2.0, 0.1, 0.1])
    shop.reserve(shop.order(0, {1: 1}))
    shop.reserve(shop.order(1, {0: 1, 1: 1}), 0.2)
    shop.reserve(shop.order(2, {0: 1}), 0.3)
    shop.env.advance(10.0)
    assert shop.answers == {0: True, 1: False, 2: True}
    assert shop.ear.all("lock_timed_out") == [{"order": 1, "store": 0, "sku": 1, "waited_s": pytest.approx(0.5)}]
    kinds = [kind for kind, values in shop.ear.heard if values.get("order") in (1, 2)]
    assert kinds == ["lock_timed_out", "stock_reserved"], "order 2 got the lock that order 1 let go of"


def test_the_lock_of_a_crashed_orchestrator_lapses() -> None:
    shop = Shop(Lock(timeout_s=20.0, lease_s=5.0), [9, 9, 9, 9], [1.0, 1.0])
    dead = shop.reserving.run(shop.order(0, {0: 1}))
    next(dead)
    dead.close()
    shop.reserve(shop.order(1, {0: 1}))
    shop.env.advance(5.9)
    assert shop.answers == {}
    shop.env.advance(6.1)
    assert shop.answers == {1: True}


def paused(fencing: bool) -> Shop:
    """Order 0 reads the last unit and stands still past its lease; order 1 buys it meanwhile."""
    shop = Shop(Lock(timeout_s=20.0, lease_s=5.0, fencing=fencing), [1, 0, 0, 0], [0.1, 0.1])
    shop.reserving.leases.pause_next(0, 8.0)  # type: ignore[arg-type]
    shop.reserve(shop.order(0, {0: 1}))
    shop.reserve(shop.order(1, {0: 1}), 1.0)
    shop.env.advance(30.0)
    assert shop.answers == {0: True, 1: True}
    return shop


def test_a_holder_paused_past_its_lease_does_not_reserve_twice() -> None:
    shop = paused(fencing=True)
    assert shop.ear.all("write_fenced") == [{"order": 0, "store": 0, "sku": 0, "token": 1}]
    assert [fact["order"] for fact in shop.ear.all("stock_reserved")] == [1]
    assert [fact["order"] for fact in shop.ear.all("line_missing")] == [0], "it read again, and there was nothing"
    assert (shop.inventory.available[0], shop.inventory.reserved[0]) == (0, 1)


def test_without_fencing_it_does() -> None:
    shop = paused(fencing=False)
    assert shop.ear.all("write_fenced") == []
    assert [fact["order"] for fact in shop.ear.all("stock_reserved")] == [1, 0]
    assert (shop.inventory.available[0], shop.inventory.reserved[0]) == (-1, 2)


def test_whoever_is_always_paused_gives_up() -> None:
    policy = Lock(timeout_s=20.0, lease_s=1.0, attempts_max=3, pause_chance=1.0, pause_s=4.0)
    shop = Shop(policy, [9, 0, 0, 0], [0.0, 0.0])
    shop.reserve(shop.order(0, {0: 1}))
    # Somebody counts the shelf whenever the order stands still.
    for at_s in (1.0, 5.0, 9.0):
        shop.at(at_s, lambda: shop.inventory.counted(0, 0, shop.inventory.available[0] - 1))  # type: ignore[arg-type]
    shop.env.advance(100.0)
    assert shop.answers == {0: False}
    assert len(shop.ear.all("write_fenced")) == 3


# -- two-phase commit -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vote", ["yes", "no"])
def test_a_prepared_order_keeps_its_records_locked_until_the_vote(vote: str) -> None:
    shop = Shop(Lock(timeout_s=100.0, lease_s=1.0), [3, 3, 0, 0], [0.1, 0.1])
    first, second = shop.order(0, {0: 2}), shop.order(1, {0: 2, 1: 1})
    shop.reserve(first, 0.0, "prepare")
    shop.reserve(second, 0.5, "prepare")
    shop.env.advance(30.0)
    assert shop.answers == {0: True}, "a lease of one second would have lapsed"
    assert first.held == [(0, 2)]
    if vote == "yes":
        assert shop.reserving.commit_prepared(first)
    else:
        shop.reserving.abort_prepared(first)
    shop.env.advance(31.0)
    assert shop.answers == {0: True, 1: True}
    assert second.held == ([(0, 1), (1, 1)] if vote == "yes" else [(0, 2), (1, 1)])
    assert len(shop.ear.all("hold_released")) == (vote == "no")
    # Both verbs may come again, and change nothing.
    before = len(shop.ear.heard)
    (shop.reserving.commit_prepared if vote == "yes" else shop.reserving.abort_prepared)(first)
    assert len(shop.ear.heard) == before
    assert shop.reserving.leases.holder(0) == 1


def test_an_order_that_gets_nothing_locks_nobody_out() -> None:
    shop = Shop(Lock(), [0, 0, 0, 0], [0.1, 0.1])
    shop.reserve(shop.order(0, {0: 2}), 0.0, "prepare")
    shop.env.advance(1.0)
    assert shop.answers == {0: True}
    assert shop.reserving.leases.holder(0) is None
