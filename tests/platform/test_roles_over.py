"""Commands about orders that are over, or being undone, are refused as facts; and an office that asks nobody who he is."""

from collections import Counter
from typing import Any

import pytest

from sim.platform.office import Office
from sim.platform.orders import Order
from sim.platform.sessions import Command
from sim.vocabulary import NOBODY, OfferAnswer, PickerId, Refusal, Role
from tests.conftest import Builder, Play
from tests.platform.test_roles import BUSY, NOBODYS, WAYS, Shop, log_of, same, shop, snapshot

__all__ = ["shop"]

WHOSE = {
    Command.CANCEL_ORDER: Role.CUSTOMER, Command.PICK: Role.PICKER, Command.ANSWER_OFFER: Role.DRIVER,
    Command.PICK_UP: Role.DRIVER, Command.HAND_OVER: Role.DRIVER,
    Command.SEE_ORDER: Role.SUPPORT, Command.REFUND: Role.SUPPORT,
}  # fmt: skip
"""Who gives which command on a usual day. Support looks orders up after their end, but only those somebody may write about."""


class Heard:
    """What the office says to one command, kept from the log."""

    def __init__(self, office: Any) -> None:
        self._facts = office._facts
        self._usual = self._facts.request_refused, self._facts.offer_answered
        self.said: list[tuple[Any, ...]] = []

    def __enter__(self) -> list[tuple[Any, ...]]:
        self._facts.request_refused = lambda order, refusal: self.said.append((order, refusal))
        self._facts.offer_answered = lambda order, driver, answer: self.said.append((order, answer))
        return self.said

    def __exit__(self, *_: object) -> None:
        self._facts.request_refused, self._facts.offer_answered = self._usual


@pytest.mark.parametrize("own", [True, False])
def test_a_command_about_an_order_that_is_over_is_refused_as_a_fact_and_changes_nothing(
    two_stores: Builder, play: Play, shop: Shop, monkeypatch: pytest.MonkeyPatch, own: bool
) -> None:
    undisturbed = play(two_stores(*BUSY))
    known: dict[int, Order] = {}
    tried = Counter[Command]()

    def come_late(office: Any) -> None:
        known.update(office.book.open)
        for order in [order for number, order in known.items() if number not in office.book.open][:6]:
            del known[order.id]
            before = snapshot(office, order)
            for command, role in WHOSE.items():
                for actor in shop.actors(order, role, own) or [NOBODY]:
                    for way in WAYS[command]:
                        with Heard(office) as said:
                            assert not way(office, order, actor, role)
                        late = OfferAnswer.VOID if command is Command.ANSWER_OFFER else Refusal.TOO_LATE
                        assert said == [(order.id, late)], (command, own)
                        tried[command] += 1
            assert snapshot(office, order) == before

    shop.every(monkeypatch, 100.0, come_late)
    played = play(two_stores(*BUSY))
    assert min(tried[command] for command in WHOSE) > 50
    same(log_of(played), log_of(undisturbed))


def test_an_order_that_is_being_undone_is_neither_called_off_again_nor_taken_away(
    two_stores: Builder, play: Play, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the sagas' process is down, what was called off waits to be undone."""
    down = (
        "faults=[{kind: orchestrator_crash, at: '12:15'}]",
        "platform.restart_s=900",
        "customers={patience_s: 300, patience_cv: 1}",
    )
    undisturbed, tried = play(two_stores(*BUSY, *down)), Counter[Command]()

    def come_late(office: Any) -> None:
        for order in [order for order in office.book.open.values() if order.failing is not None]:
            before = snapshot(office, order)
            for command in (Command.CANCEL_ORDER, Command.PICK_UP):
                for way in WAYS[command]:
                    with Heard(office) as said:
                        assert not way(office, order, order.client, Role.ADMIN)
                    assert said == [(order.id, Refusal.TOO_LATE)]
                    tried[command] += 1
            assert snapshot(office, order) == before

    shop.every(monkeypatch, 2.0, come_late)
    same(log_of(play(two_stores(*BUSY, *down))), log_of(undisturbed))
    assert min(tried[Command.CANCEL_ORDER], tried[Command.PICK_UP]) > 5


@pytest.mark.parametrize("roles", [True, False])
def test_where_roles_are_not_asked_for_anybody_calls_off_anything(
    two_stores: Builder, play: Play, shop: Shop, monkeypatch: pytest.MonkeyPatch, roles: bool
) -> None:
    tried: set[int] = set()

    def call_off(office: Any) -> None:
        for order in list(office.book.open.values())[::5]:
            if order.failing is None and order.cancel_reason is None and not order.committed and order.id not in tried:
                tried.add(order.id)
                with Heard(office) as said:
                    assert office.cancel(order.id, NOBODYS, Role.PICKER) is not roles
                assert said == ([(order.id, Refusal.NOT_ALLOWED)] if roles else [])

    shop.every(monkeypatch, 100.0, call_off)
    played = play(two_stores(*BUSY, f"platform.auth.roles={str(roles).lower()}"))
    rows = played.rows("order_cancelled")
    assert len(tried) > 20
    assert (tried & set(rows["order"].tolist()) == tried) is not roles


def test_where_roles_are_not_asked_for_a_customer_does_everybodys_work(
    two_stores: Builder, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = play(two_stores(*BUSY))
    place, packed, picked_up, handed_over = Office.place, Office.packed, Office.picked_up, Office.handed_over
    client, somebody = Role.CUSTOMER, PickerId(NOBODYS)
    monkeypatch.setattr(Office, "place", lambda office, request: place(office, request, Role.DRIVER))
    monkeypatch.setattr(Office, "packed", lambda office, order, picker: packed(office, order, somebody, client))
    monkeypatch.setattr(Office, "picked_up", lambda office, order, driver: picked_up(office, order, driver, client))
    monkeypatch.setattr(Office, "handed_over", lambda office, order, driver: handed_over(office, order, driver, client))
    same(log_of(play(two_stores(*BUSY, "platform.auth.roles=false"))), log_of(usual))
