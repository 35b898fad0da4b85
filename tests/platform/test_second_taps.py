"""A second tap is one order where the gateway remembers requests, and a lawful second order where it does not."""

from typing import Any

import numpy as np
import pytest

from sim.opening import ready_world
from tests.conftest import Builder, Play, lawful_day

BUSY = ("demand.orders_per_day=2400", "customers={double_tap_share: 0.3, double_tap_s: 5}", "platform.profile=full")
FORGETS = {
    "never kept": ("platform.idempotency.on=false",),
    "forgotten by then": ("platform.idempotency.ttl_s=5",),
}


@pytest.fixture(scope="module")
def remembered(play: Play, two_stores: Builder) -> Any:
    return lawful_day(play, two_stores(*BUSY))


@pytest.fixture(scope="module", params=FORGETS.values(), ids=FORGETS)
def forgotten(play: Play, two_stores: Builder, request: Any) -> Any:
    return lawful_day(play, two_stores(*BUSY, *request.param))


def test_a_remembered_request_is_done_once(remembered: Any) -> None:
    assert len(remembered.rows("order_doubled")) == 0
    assert len(remembered.world.trace.taps) > 50
    assert remembered.world.trace.customers == remembered.world.trace.orders


def test_the_same_customers_come_whether_requests_are_remembered_or_not(remembered: Any, forgotten: Any) -> None:
    one, other = remembered.world.trace, forgotten.world.trace
    assert other.customers == one.orders
    for column in ("entered_s", "client", "node", "method", "value_cents", "patience_s", "pick_noise", "pay_chance"):
        assert np.array_equal(getattr(one, column), getattr(other, column)[: one.orders]), column


def test_a_second_tap_is_the_same_wish_of_the_same_customer_a_little_later(forgotten: Any) -> None:
    trace = forgotten.world.trace
    assert list(trace.taps.values()) == list(range(trace.customers, trace.orders))
    for first, second in trace.taps.items():
        assert trace.entered_s[second] == trace.entered_s[first] + 5.0
        for column in ("client", "node", "cell", "method", "value_cents", "litres"):
            assert getattr(trace, column)[first] == getattr(trace, column)[second]
        lines = [slice(trace.first_line[order], trace.first_line[order + 1]) for order in (first, second)]
        assert trace.sku[lines[0]].tolist() == trace.sku[lines[1]].tolist()
        assert trace.units[lines[0]].tolist() == trace.units[lines[1]].tolist()


def test_it_is_an_order_of_its_own_paid_and_delivered_twice_and_counted(forgotten: Any) -> None:
    doubled, taps = forgotten.rows("order_doubled"), forgotten.world.trace.taps
    pairs = dict(zip(doubled["first"].tolist(), doubled["order"].tolist(), strict=True))
    assert pairs.items() <= taps.items()
    entered, given = forgotten.rows("order_entered"), forgotten.rows("goods_delivered")
    assert np.isin(doubled["order"], entered["order"]).all()
    assert np.isin(doubled["first"], entered["order"]).all()
    assert len(np.unique(entered["order"])) == len(entered)
    twice = doubled[np.isin(doubled["order"], given["order"]) & np.isin(doubled["first"], given["order"])]
    assert len(twice) > 0.5 * len(doubled) > 25
    assert forgotten.study.summary["platform"]["orders_doubled"] == len(doubled)


AT_DOORS = (
    "customers={double_tap_share: 0.4, double_tap_s: 5, absent_share: 0.2, underage_share: 0.3}",
    "drivers.wrong_address_share=0.3",
    "catalogue.categories=[{name: bread, share: 0.5, price_cents: 300, litres: 1}, "
    "{name: wine, share: 0.5, price_cents: 900, litres: 1, restricted: true}]",
)


def test_what_is_true_of_a_customer_at_the_door_is_true_of_both_orders(play: Play, two_stores: Builder) -> None:
    """And what comes back of a second order is handed in like any other's."""
    remembered = ready_world(two_stores(*BUSY, *AT_DOORS))
    day = lawful_day(play, two_stores(*BUSY, *AT_DOORS, "platform.idempotency.on=false"))
    doors, streets, trace = day.world.doors, day.world.streets, day.world.trace
    assert doors is not None and streets is not None and remembered.doors is not None  # noqa: PT018
    young, moved = 0, 0
    for first, second in trace.taps.items():
        assert (first in doors.underage) == (second in doors.underage)
        assert streets.moved.get(first) == streets.moved.get(second)
        young, moved = young + (first in doors.underage), moved + (first in streets.moved)
    assert min(young, moved) > 10
    for name in ("absent", "underage"):  # whose taps are forgotten is drawn no other customers
        assert getattr(remembered.doors, name) == {o for o in getattr(doors, name) if o < trace.customers}
    brought_back = day.rows("tote_handed_in")["order"]
    assert (brought_back >= trace.customers).sum() > 5
