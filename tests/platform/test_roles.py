"""Roles at the office's desks: who may give which command about which order; what is refused is a fact and nothing else."""

from collections import Counter
from typing import Any

import pytest

from sim.clock import Timer
from sim.facts import SIGNATURES
from sim.laws import all_laws, verdict, whole_log
from sim.platform.office import Office
from sim.platform.orders import CANCELLABLE, Order
from sim.platform.sessions import Command, may
from sim.vocabulary import (
    NOBODY,
    CancelReason,
    DriverId,
    OfferAnswer,
    OrderState,
    PickerId,
    Refusal,
    Rejection,
    Role,
    StoreId,
)
from sim.world.build import build_world
from tests.conftest import Builder, Play

NOBODYS = 10_000
"""A number that no customer, driver or picker has."""

BUSY = (
    "horizon_h=0.6",
    "demand.orders_per_day=3000",
    "customers={patience_s: 900, patience_cv: 1}",
    "payments={decline_share: 0.1, methods: {card: 0.6, cash: 0.4}}",
    "stores.inaccurate_share=0.3",
)

# How each command about an order is given to the office: (office, order, actor, role).
WAYS: dict[Command, list[Any]] = {
    Command.CANCEL_ORDER: [lambda office, order, actor, role: office.cancel(order.id, actor, role)],
    Command.REFUND: [
        lambda office, order, actor, role: office.refund(order.id, 1, role, actor),
        lambda office, order, actor, role: office.support.make_good(order.id, [], 1, actor, role),
    ],
    Command.SEE_ORDER: [lambda office, order, actor, role: office.support.see(order.id, actor, role)],
    Command.PICK: [
        lambda office, order, actor, role: office.picking(order.id, actor, role),
        lambda office, order, actor, role: office.short(order.id, actor, order.skus[0], 1, role),
        lambda office, order, actor, role: office.packed(order.id, actor, role),
    ],
    Command.ANSWER_OFFER: [
        lambda office, order, actor, role: office.answer(order.id, actor, OfferAnswer.ACCEPTED, role),
        lambda office, order, actor, role: office.answer(order.id, actor, OfferAnswer.DECLINED, role),
    ],
    Command.PICK_UP: [
        lambda office, order, actor, role: office.picked_up(order.id, actor, role),
        lambda office, order, actor, role: office.gives_back(order.id, actor, role),
    ],
    Command.HAND_OVER: [
        lambda office, order, actor, role: office.handed_over(order.id, actor, role),
        lambda office, order, actor, role: office.undelivered(order.id, actor, CancelReason.UNDELIVERABLE, role),
        lambda office, order, actor, role: office.too_young(order.id, actor, role),
    ],
}


class Shop:
    """The office of the run that is played next, and who works where."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.office: Any = None
        self.at_store: dict[PickerId, StoreId] = {}
        self.refused: list[Refusal] = []
        start, on = Office.start, Office.picker_on

        def started(office: Office) -> None:
            self.office = office
            start(office)

        def picker_on(office: Office, picker: PickerId, store: StoreId) -> None:
            self.at_store[picker] = store
            on(office, picker, store)

        monkeypatch.setattr(Office, "start", started)
        monkeypatch.setattr(Office, "picker_on", picker_on)

    def every(self, monkeypatch: pytest.MonkeyPatch, seconds: float, act: Any) -> None:
        """Call `act` with the office again and again while orders come in."""
        start = Office.start

        def started(office: Office) -> None:
            start(office)
            for tick in range(1, int(3600.0 / seconds)):
                Timer(office._env, tick * seconds, lambda _: act(office))

        monkeypatch.setattr(Office, "start", started)

    def actors(self, order: Order, role: Role, own: bool) -> list[int]:
        """People of a role whose business an order is, or is not."""
        if role is Role.CUSTOMER:
            return [order.client] if own else [order.client + 1, NOBODY]
        if role is Role.DRIVER:
            if own:
                return [order.driver] if order.driver != NOBODY else []
            others = [DriverId(order.driver + 1), DriverId(NOBODYS), DriverId(NOBODY)]
            return [
                driver for driver in others if (not order.declined_by(driver) and driver != order.driver) or driver < 0
            ]
        if role is Role.PICKER:
            theirs = [picker for picker, store in self.at_store.items() if (store == order.store) == own]
            return theirs[:2] if own else [*theirs[:2], NOBODYS, NOBODY]
        if role is Role.STORE:
            return [order.store] if own else [1 - order.store, NOBODY]
        return [0]


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(monkeypatch)


def snapshot(office: Any, order: Order) -> Any:
    """All that a command about an order could change: the order, records, money, offers, queues."""
    inventory = office.inventory
    return (
        [repr(getattr(order, name)) for name in Order.__slots__],
        inventory.available[:], inventory.reserved[:], inventory.version[:],
        office.payments.kept[:], list(office.offers.waiting), dict(office.offers._asked_of), office.queues[:],
        office.book.everything(), list(office.bus.published),
    )  # fmt: skip


def log_of(played: Any, *but: str) -> dict[str, Any]:
    return {kind: played.rows(kind).tolist() for kind in SIGNATURES if kind not in but}


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert {kind: repr(rows) for kind, rows in one.items()} == {kind: repr(rows) for kind, rows in other.items()}


def test_what_a_role_or_a_stranger_may_not_do_is_refused_and_changes_nothing(
    two_stores: Builder, play: Play, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = play(two_stores(*BUSY))
    tried: Counter[tuple[Command, Role, bool]] = Counter()
    states: set[OrderState] = set()

    def intrude(office: Any) -> None:
        refused = office._facts.request_refused
        orders = [order for order in office.book.open.values() if order.failing is None]
        for order in orders[:: max(len(orders) // 5, 1)]:
            states.add(order.state)
            before = snapshot(office, order)
            for command, ways in WAYS.items():
                for role in Role:
                    for own in (True, False):
                        if may(role, command) and (own or role in (Role.SUPPORT, Role.ADMIN)):
                            continue
                        for actor in shop.actors(order, role, own):
                            for way in ways:
                                heard: list[Any] = []
                                office._facts.request_refused = lambda order, refusal, heard=heard: heard.append(
                                    (order, refusal)
                                )
                                assert not way(office, order, actor, role)
                                assert heard == [(order.id, Refusal.NOT_ALLOWED)], (command, role, own, actor)
                                refused(order=order.id, refusal=Refusal.NOT_ALLOWED)
                                tried[command, role, own] += 1
            office._facts.request_refused = refused
            assert snapshot(office, order) == before

    shop.every(monkeypatch, 150.0, intrude)
    world = build_world(two_stores(*BUSY))
    laws = all_laws(world)
    played = play(world, laws=laws)
    assert verdict(laws) + whole_log(played.archive, played.outcome.state) == []
    assert states >= {OrderState.CONFIRMED, OrderState.PACKED, OrderState.ASSIGNED, OrderState.PICKED_UP}
    for command in WAYS:
        for role in Role:
            assert bool(tried[command, role, True]) == (not may(role, command))
            assert bool(tried[command, role, False]) == (
                not may(role, command) or role in (Role.CUSTOMER, Role.DRIVER, Role.PICKER, Role.STORE)
            )
    rows = played.rows("request_refused")
    assert (rows["refusal"] == Refusal.NOT_ALLOWED).sum() == sum(tried.values())
    same(log_of(played, "request_refused"), log_of(undisturbed, "request_refused"))


def test_an_administrator_may_do_everybodys_work(
    two_stores: Builder, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = play(two_stores(*BUSY))
    picking, short, packed = Office.picking, Office.short, Office.packed
    answer, picked_up, handed_over = Office.answer, Office.picked_up, Office.handed_over
    admin, somebody = Role.ADMIN, PickerId(NOBODYS)
    monkeypatch.setattr(Office, "picking", lambda office, order, picker: picking(office, order, somebody, admin))
    monkeypatch.setattr(
        Office, "short", lambda office, order, picker, sku, n: short(office, order, somebody, sku, n, admin)
    )
    monkeypatch.setattr(Office, "packed", lambda office, order, picker: packed(office, order, somebody, admin))
    monkeypatch.setattr(
        Office, "answer", lambda office, order, driver, said: answer(office, order, driver, said, admin)
    )
    monkeypatch.setattr(Office, "picked_up", lambda office, order, driver: picked_up(office, order, driver, admin))
    monkeypatch.setattr(Office, "handed_over", lambda office, order, driver: handed_over(office, order, driver, admin))
    same(log_of(play(two_stores(*BUSY))), log_of(usual))


def test_a_driver_who_was_only_asked_can_neither_take_the_goods_nor_hand_them_over(
    two_stores: Builder, play: Play, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed, early = play(two_stores(*BUSY)), Counter[str]()

    def hurry(office: Any) -> None:
        for order in list(office.book.open.values()):
            if order.failing is None and order.driver != NOBODY and not order.accepted:
                before = snapshot(office, order)
                office.handed_over(order.id, order.driver)
                assert not office.picked_up(order.id, order.driver)
                early["tries"] += 2
                assert snapshot(office, order) == before

    shop.every(monkeypatch, 20.0, hurry)
    played = play(two_stores(*BUSY))
    assert early.total() > 10
    assert (played.rows("request_refused")["refusal"] == Refusal.TOO_EARLY).sum() == early.total()
    same(log_of(played, "request_refused"), log_of(undisturbed, "request_refused"))


def test_a_picker_whose_next_shift_began_before_the_last_order_was_done_works_on(
    two_stores: Builder, play: Play, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = play(two_stores(*BUSY))

    def overlap(office: Any) -> None:
        for picker, store in list(shop.at_store.items()):
            office.picker_on(picker, store)
            office.picker_off(picker, store)

    shop.every(monkeypatch, 300.0, overlap)
    same(log_of(play(two_stores(*BUSY))), log_of(undisturbed))


def test_a_picker_who_went_home_picks_no_more(
    two_stores: Builder, play: Play, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def linger(office: Any) -> None:
        for order in office.book.open.values():
            if order.failing is None and not order.committed:
                picker = PickerId(NOBODYS)
                office.picker_on(picker, order.store)
                office.picker_off(picker, order.store)
                assert not office.packed(order.id, picker)
                tried.append(order.id)

    shop.every(monkeypatch, 300.0, linger)
    played = play(two_stores(*BUSY))
    refused = played.rows("request_refused")
    assert tried == refused["order"][refused["refusal"] == Refusal.NOT_ALLOWED].tolist() != []


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.ADMIN])
def test_support_cancels_anybodys_order_while_it_is_in_the_store(
    two_stores: Builder, play: Play, shop: Shop, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    done: dict[int, bool] = {}
    late: set[int] = set()

    def call_off(office: Any) -> None:
        for order in list(office.book.open.values())[::3]:
            if order.failing is None and order.id not in done and order.cancel_reason is None:
                in_time = order.state < OrderState.CONFIRMED or order.state in CANCELLABLE
                assert office.cancel(order.id, 0, role) == in_time
                done[order.id] = in_time
                if not in_time:
                    late.add(order.id)

    shop.every(monkeypatch, 97.0, call_off)
    world = build_world(two_stores(*BUSY, "platform.window_s=2"))
    laws = all_laws(world)
    played = play(world, laws=laws)
    assert verdict(laws) + whole_log(played.archive, played.outcome.state) == []
    rows = played.rows("order_cancelled")
    by_support = set(rows["order"][rows["reason"] == CancelReason.SUPPORT].tolist())
    assert by_support <= {order for order, in_time in done.items() if in_time}
    assert len(by_support) > 20
    refused = played.rows("request_refused")
    assert late
    assert late <= set(refused["order"][refused["refusal"] == Refusal.TOO_LATE].tolist())


def test_goodwill_is_given_once_there_is_no_more_to_find_missing_and_never_more_than_is_paid(
    two_stores: Builder, play: Play, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: Counter[int] = Counter()
    early: set[int] = set()
    whole = [0, 0]  # let off altogether: who had paid, who would pay at the door

    def be_kind(office: Any) -> None:
        for order in list(office.book.open.values()):
            if order.failing is not None:
                continue
            before = snapshot(office, order)
            if not (order.committed and order.planned):
                assert not office.refund(order.id, 100, Role.SUPPORT, 0)
                assert snapshot(office, order) == before
                early.add(order.id)
                continue
            left = order.paid_cents - order.refunded_cents if order.paid_cents else order.due_cents
            for cents in (left + 1, 0, -100):
                assert not office.refund(order.id, cents, Role.SUPPORT, 0)
            assert snapshot(office, order) == before
            cents = left if order.id % 3 == 0 else min(100, left)
            if cents:
                whole[not order.paid_cents] += cents == left
                assert office.refund(order.id, cents, Role.SUPPORT, 0)
                given[order.id] += cents

    shop.every(monkeypatch, 61.0, be_kind)
    world = build_world(two_stores(*BUSY, "support.refund_max_cents=1000000"))
    laws = all_laws(world)
    played = play(world, laws=laws)
    assert verdict(laws) + whole_log(played.archive, played.outcome.state) == []
    logged: Counter[int] = Counter()
    for row in played.rows("goodwill_given"):
        logged[int(row["order"])] += int(row["cents"])
    assert logged == given
    assert len(given) > 20
    assert min(whole) > 3
    refused = played.rows("request_refused")
    assert early == set(refused["order"][refused["refusal"] == Refusal.TOO_EARLY].tolist())
    assert (refused["refusal"] == Refusal.TOO_MUCH).sum() > 60
    cancelled = set(played.rows("order_cancelled")["order"].tolist())
    assert cancelled & given.keys(), "expected an order that was called off after goodwill"


def test_more_than_an_agent_may_give_of_an_order_needs_somebody_who_may_more(
    two_stores: Builder, play: Play, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one sum or in several, for the limit is the order's."""
    given: Counter[int] = Counter()
    refused: set[int] = set()

    def be_kind(office: Any) -> None:
        for order in list(office.book.open.values()):
            left = order.paid_cents - order.refunded_cents if order.paid_cents else order.due_cents
            if order.failing is not None or not (order.committed and order.planned) or left < 200:
                continue
            alone = given[order.id] + 200 <= 500
            assert office.refund(order.id, 200, Role.SUPPORT, 3) == alone
            if not alone:
                refused.add(order.id)
                assert office.refund(order.id, 200, Role.ADMIN, 4)
            given[order.id] += 200

    shop.every(monkeypatch, 61.0, be_kind)
    world = build_world(two_stores(*BUSY, "support.refund_max_cents=500"))
    laws = all_laws(world)
    played = play(world, laws=laws)
    assert verdict(laws) + whole_log(played.archive, played.outcome.state) == []
    rows, no = played.rows("goodwill_given"), played.rows("request_refused")
    assert set(no["order"][no["refusal"] == Refusal.NOT_ALLOWED].tolist()) == refused
    assert len(refused) > 20
    assert {(int(row["role"]), int(row["actor"])) for row in rows} == {(Role.SUPPORT, 3), (Role.ADMIN, 4)}
    assert rows["cents"].sum() == sum(given.values())


@pytest.mark.parametrize("role", [Role.DRIVER, Role.PICKER, Role.STORE, Role.SUPPORT])
def test_nobody_but_a_customer_places_an_order(
    two_stores: Builder, play: Play, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    """Each refusal is a fact, and changes nothing for the customer whose order it would have been."""
    usual, place = play(two_stores(*BUSY)), Office.place
    tried: list[int] = []

    def first(office: Office, request: Any) -> Any:
        assert place(office, request, role) is Rejection.UNAUTHORISED
        tried.append(request.order)
        return place(office, request)

    monkeypatch.setattr(Office, "place", first)
    played = play(two_stores(*BUSY))
    refused = played.rows("request_refused")
    assert refused["order"][refused["refusal"] == Refusal.NOT_ALLOWED].tolist() == tried != []
    same(log_of(played, "request_refused"), log_of(usual, "request_refused"))


def test_who_has_no_session_calls_nothing_off(
    two_stores: Builder, play: Play, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = Counter[bool]()

    def call_off(office: Any) -> None:
        for order in list(office.book.open.values()):
            if order.state is OrderState.CONFIRMED and order.failing is None:
                closed = len(shop.at_store) and order.id % 2 == 0
                if closed:
                    office.backend.front.sessions.suspend(order.client, office.now_s)
                done = office.cancel(order.id, order.client)
                assert done is not closed
                tried[closed] += 1
                office.backend.front.sessions.restore(order.client)

    shop.every(monkeypatch, 300.0, call_off)
    play(two_stores(*BUSY), laws=all_laws(build_world(two_stores(*BUSY))))
    assert min(tried[True], tried[False]) > 5
