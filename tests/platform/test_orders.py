"""The table of an order's life: what it allows, and that nothing else is possible."""

import itertools
from typing import Any

import pytest

from sim.contracts import OrderRequest
from sim.facts import Facts
from sim.platform.orders import TRANSITIONS, IllegalTransition, Order, OrderBook
from sim.vocabulary import END_STATES, OrderState, Step

S = OrderState
LIFE = {
    (S.CREATED, S.PENDING_PAYMENT), (S.CREATED, S.CONFIRMED), (S.CREATED, S.CANCELLED),
    (S.PENDING_PAYMENT, S.CONFIRMED), (S.PENDING_PAYMENT, S.PAYMENT_FAILED), (S.PENDING_PAYMENT, S.CANCELLED),
    (S.CONFIRMED, S.PACKED), (S.CONFIRMED, S.CANCELLED),
    (S.PACKED, S.ASSIGNED), (S.PACKED, S.CANCELLED),
    (S.ASSIGNED, S.PICKED_UP), (S.ASSIGNED, S.PACKED), (S.ASSIGNED, S.CANCELLED),
    (S.PICKED_UP, S.DELIVERED), (S.PICKED_UP, S.CANCELLED),
}  # fmt: skip
"""The design's table, written a second time."""


class Ear(Facts):
    def __init__(self) -> None:
        self.moves: list[tuple[int, OrderState]] = []

    def order_moved(self, *, order: Any, state: OrderState) -> None:
        self.moves.append((order, state))


def an_order(number: int = 0) -> Order:
    request = OrderRequest(number, 5, 0, 0, (1, 2), (3, 1), 500, 2.0)  # type: ignore[arg-type]
    return Order(request, 0, (Step.RESERVE, Step.PAY, Step.CONFIRM))  # type: ignore[arg-type]


def test_the_table_is_the_designs() -> None:
    assert {(before, after) for before, more in TRANSITIONS.items() for after in more} == LIFE
    assert set(TRANSITIONS) == set(OrderState)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(OrderState, OrderState)))
def test_every_pair(before: OrderState, after: OrderState) -> None:
    ear = Ear()
    book, order = OrderBook(ear), an_order()
    book.enter(order)
    order.state = before
    if (before, after) in LIFE:
        book.move(order, after)
        assert order.state is after
        assert ear.moves == [(0, after)]
        assert (0 in book.open) == (after not in END_STATES)
    else:
        with pytest.raises(IllegalTransition):
            book.move(order, after)
        assert order.state is before
        assert ear.moves == []
        assert 0 in book.open


def test_ends_are_ends_and_all_states_are_reached() -> None:
    assert all(not TRANSITIONS[end] for end in END_STATES)
    reached, fresh = {S.CREATED}, {S.CREATED}
    while fresh:
        fresh = {after for state in fresh for after in TRANSITIONS[state]} - reached
        reached |= fresh
    assert reached == set(OrderState)
    # From every state that is no end, an end can be reached.
    for state in set(OrderState) - END_STATES:
        seen = {state}
        while not seen & END_STATES:
            more = {after for s in seen for after in TRANSITIONS[s]} | seen
            assert more != seen, f"{state} leads nowhere"
            seen = more


def test_each_order_of_a_wild_day_walks_along_the_table(two_stores: Any, play: Any) -> None:
    played = play(
        two_stores(
            "customers={patience_s: 700, patience_cv: 1.0}",
            "payments={decline_share: 0.3}",
            "drivers.count=6",
            "platform={give_up_s: 600.0, window_s: 0.3}",
            "supply={units_min: 1, cover_days: 0.05}",
            "stores={inaccurate_share: 0.9, inaccurate_units: 20.0}",
            "drain_h=4",
        )
    )
    state = dict.fromkeys(played.rows("order_entered")["order"].tolist(), S.CREATED)
    for row in played.rows("order_moved"):
        after = OrderState(int(row["state"]))
        assert (state[int(row["order"])], after) in LIFE
        state[int(row["order"])] = after
    assert set(state.values()) == {S.DELIVERED, S.PAYMENT_FAILED, S.CANCELLED}
