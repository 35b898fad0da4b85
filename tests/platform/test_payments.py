"""Payments: whatever the provider does not say, nobody pays twice and nobody's money is kept for nothing."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from sim.clock import Clock, Timer
from sim.contracts import OrderRequest
from sim.facts import SIGNATURES, Facts
from sim.operations.provider import KNOWN_S, Habits, Provider
from sim.platform.breaker import Breaker, BreakerState, Bulkhead, Pool, RetryBudget
from sim.platform.orders import Order, OrderBook
from sim.platform.payments import Payments
from sim.platform.services import Service
from sim.scenario.business import Payments as Settings
from sim.streams import Die
from sim.vocabulary import OrderState, PayMethod
from tests.platform.small_services import a_service, luck

PRICE = 1000


class Ear(Facts):
    """Keeps every fact with its time."""

    def __init__(self, env: Clock) -> None:
        self._env = env
        self.heard: list[tuple[float, str, dict[str, Any]]] = []
        for kind in SIGNATURES:
            setattr(self, kind, self._hear(kind))

    def _hear(self, kind: str) -> Any:
        return lambda **values: self.heard.append((self._env.now, kind, values))

    def at(self, kind: str) -> list[float]:
        return [t_s for t_s, name, _ in self.heard if name == kind]

    def cents(self, kind: str) -> int:
        return sum(values["cents"] for _, name, values in self.heard if name == kind)


class Bank:
    """Provider and payment service on a bare clock; every customer pays at second 0 unless told otherwise."""

    def __init__(
        self, *, latency_s: float = 1.0, habits: Habits | None = None, orders: int = 40, pool: int = 100,
        compartment: int = 100, breaker: Breaker | None = None, budget: RetryBudget | None = None,
        service: Service | None = None, **settings: Any,
    ) -> None:  # fmt: skip
        self.env = Clock()
        self.ear, self.is_down = Ear(self.env), False
        self.book = OrderBook(self.ear)
        self.provider = Provider(
            self.env, self.ear, np.full((orders, 5), 0.5), np.full((orders, 5), latency_s),
            habits or Habits(0.0, callback_s=90.0), lambda: self.is_down, Die(7),
        )  # fmt: skip
        self.pool = Pool(pool)
        self.compartment = Bulkhead(compartment, self.pool)
        self.breaker = breaker or Breaker(enabled=False)
        self.payments = Payments(
            self.env, self.ear, self.book, self.provider, Settings(**settings), orders,
            hop_s=lambda order: 0.0 if service is None else service.call(self.env.now, 0.25, luck(order.id)),
            breaker=self.breaker, budget=budget or RetryBudget(enabled=False), places=self.compartment, quiet=False,
            service=service,
        )  # fmt: skip
        self.provider.callbacks = self.payments
        self.answers: dict[int, bool] = {}

    def order(self, number: int, method: PayMethod = PayMethod.CARD) -> Order:
        request = OrderRequest(number, 0, 0, 0, (1,), (1,), PRICE, 1.0, method)  # type: ignore[arg-type]
        order = Order(request, 0, ())  # type: ignore[arg-type]
        self.book.enter(order)
        return order

    def pay(self, order: Order, *, at_s: float = 0.0, capture: bool = True, give_up: bool = True) -> Order:
        """The order's saga pays; when that fails it is compensated (`give_up`)."""

        def ended(order: Order, paid: bool | None) -> None:
            if paid is None:
                return
            self.answers[order.id] = paid
            if give_up and not paid:
                self.payments.undo(order)
                self.book.move(order, OrderState.CANCELLED)

        def begin(_: Timer | None = None) -> None:
            paid = self.payments.charge(order, PRICE, capture=capture, done=ended)  # type: ignore[arg-type]
            if paid is not None:
                ended(order, paid)

        if at_s:
            Timer(self.env, at_s, begin)
        else:
            begin()
        return order

    def kept(self) -> int:
        """What the provider has in the end."""
        return self.ear.cents("charge_made") - self.ear.cents("charge_returned")

    def booked(self) -> int:
        return self.ear.cents("payment_captured") - self.ear.cents("payment_refunded")


# -- answers that do not come ------------------------------------------------------------------------------------------


def test_a_charge_whose_answer_is_lost_is_asked_again_and_taken_once() -> None:
    """Half of all answers are lost, so half of those asked again are lost once more; nobody pays twice.

    The seconds are those of the settings: time-out, pause, and what it takes to be told again of what is known.
    """
    bank = Bank(habits=Habits(0.0, lost_answer_share=0.5, callback_s=1e6), orders=400, pool=400, compartment=400)
    orders = [bank.pay(bank.order(number)) for number in range(400)]
    bank.env.advance(60.0)
    told = 12.0 + KNOWN_S
    paid = Counter(bank.ear.at("payment_captured"))
    again = 400 - paid[1.0]
    assert Counter(bank.ear.at("payment_asked")) == {0.0: 400, 12.0: again}
    for count, of in ((again, 400), (paid[told], again)):
        assert abs(count / of - 0.5) < 5 * 0.5 / np.sqrt(of)
    assert set(paid) == {1.0, told}
    assert sum(bank.answers.values()) == paid.total()
    assert len(bank.payments.unknown) == again - paid[told]
    assert bank.ear.cents("charge_made") == 400 * PRICE, "each was taken once"
    assert {order.attempt for order in orders} == {1}


def test_without_keys_asking_again_charges_again_and_the_settlement_gives_it_back() -> None:
    bank = Bank(latency_s=100.0, idempotency=False, retries_max=2)
    bank.pay(bank.order(0))
    bank.env.advance(50.0)
    assert bank.kept() == 3 * PRICE
    assert bank.answers == {0: False}
    bank.env.advance(500.0)
    bank.payments.settle()
    assert bank.kept() == bank.booked() == 0
    same = Bank(latency_s=100.0, retries_max=2)
    same.pay(same.order(0))
    same.env.advance(500.0)
    assert same.ear.at("payment_asked") == [0.0, 12.0], "what is known under a key is answered at once"
    assert same.answers == {0: True}
    assert same.ear.cents("charge_made") == PRICE


def test_a_charge_that_succeeds_after_its_order_was_compensated_is_captured_and_given_back() -> None:
    bank = Bank(latency_s=45.0, retries_max=0)
    order = bank.pay(bank.order(3))
    bank.env.advance(44.0)
    assert bank.answers == {3: False}
    assert bank.kept() == PRICE
    assert bank.booked() == 0, "our books do not know of it yet"
    bank.env.advance(46.0)
    assert (
        bank.ear.at("payment_captured") == bank.ear.at("payment_refunded") == bank.ear.at("charge_returned") == [45.0]
    )
    assert bank.kept() == bank.booked() == 0
    assert order.paid_cents == order.refunded_cents == PRICE
    assert bank.payments.unknown == {}
    [entry] = [values for _, kind, values in bank.ear.heard if kind == "callback_came"]
    assert entry["news"]


def test_a_callback_that_comes_while_the_saga_still_asks_pays_the_order() -> None:
    """The answer is due at 11 s, the time-out at 10: it comes in the pause before the second asking."""
    bank = Bank(latency_s=11.0)
    order = bank.pay(bank.order(0))
    bank.env.advance(100.0)
    assert bank.answers == {0: True}
    assert bank.ear.at("payment_captured") == [11.0]
    assert order.paid_cents == PRICE
    assert bank.kept() == bank.booked() == PRICE


@pytest.mark.parametrize("compensated", [False, True])
def test_a_callback_that_comes_twice_changes_nothing(compensated: bool) -> None:
    bank = Bank(latency_s=45.0 if compensated else 1.0, retries_max=0)
    order = bank.pay(bank.order(0))
    bank.env.advance(200.0)
    before = bank.kept(), bank.booked(), order.paid_cents, order.refunded_cents
    assert before == ((0, 0, PRICE, PRICE) if compensated else (PRICE, PRICE, PRICE, 0))
    [(_, _, values)] = [fact for fact in bank.ear.heard if fact[1] == "charge_made"]
    for _ in range(3):
        bank.payments.callback(order.id, 1, 0, values["cents"])  # type: ignore[arg-type]
        bank.env.advance(bank.env.now + 10.0)
    assert (bank.kept(), bank.booked(), order.paid_cents, order.refunded_cents) == before
    assert not any(values["news"] for _, kind, values in bank.ear.heard[-3:] if kind == "callback_came")


@pytest.mark.parametrize("lost", [0.0, 1.0])
def test_what_no_callback_tells_the_settlement_file_does(lost: float) -> None:
    bank = Bank(habits=Habits(0.0, lost_answer_share=1.0, callback_s=90.0, lost_callback_share=lost))
    for number in range(40):
        bank.pay(bank.order(number))
    bank.env.advance(3000.0)
    unpaid = 40 - sum(bank.answers.values())
    assert unpaid == 40 if lost else 0 < unpaid < 40, "an early callback is as good as an answer"
    assert bank.kept() - bank.booked() == (40 * PRICE if lost else 0)
    for differing in (40 * int(lost), 0):
        bank.payments.settle()
        assert bank.kept() == bank.booked() == (40 - unpaid) * PRICE
        _, kind, settled = bank.ear.heard[-1]
        assert kind == "books_settled"
        assert settled["differing"] == differing
        assert settled["cents"] == differing * PRICE


def test_the_settlement_leaves_alone_whom_the_saga_still_asks_for() -> None:
    bank = Bank(latency_s=5.0)
    bank.pay(bank.order(0))
    bank.env.advance(2.0)
    bank.payments.settle()
    assert bank.booked() == 0
    bank.env.advance(20.0)
    bank.payments.settle()
    assert bank.kept() == bank.booked() == PRICE
    assert bank.ear.heard[-1][2]["differing"] == 0


def test_a_refund_that_the_provider_does_not_take_is_tried_until_it_does() -> None:
    bank = Bank(refund_retry_s=60.0)
    orders = [bank.pay(bank.order(number)) for number in range(3)]
    bank.env.advance(10.0)
    bank.is_down = True
    for order in orders:
        bank.payments.undo(order)
    assert bank.booked() == 0, "for the customer it is promised, so our books say so"
    bank.env.advance(200.0)
    assert bank.kept() == 3 * PRICE
    bank.is_down = False
    bank.env.advance(1000.0)
    assert bank.ear.at("charge_returned") == [250.0] * 3
    assert bank.kept() == 0


def test_a_second_try_of_the_customers_is_a_charge_of_its_own() -> None:
    """Declined twice, each under its own number; the third is taken."""
    bank = Bank(habits=Habits(0.6), attempts_max=3, retry_s=8.0)
    bank.provider._chance[2] = [0.9] * 40
    order = bank.pay(bank.order(0))
    bank.env.advance(60.0)
    assert bank.ear.at("payment_asked") == [0.0, 9.0, 18.0]
    assert bank.ear.at("payment_failed") == [1.0, 10.0]
    assert order.attempt == 3
    assert bank.kept() == bank.booked() == PRICE


def test_what_is_only_set_aside_moves_no_money_until_it_is_captured() -> None:
    bank = Bank()
    kept, let_go = (bank.pay(bank.order(number), capture=False) for number in range(2))
    bank.env.advance(10.0)
    assert bank.answers == {0: True, 1: True}
    assert bank.kept() == bank.booked() == 0
    bank.is_down = True
    assert not bank.payments.capture(kept)
    bank.is_down = False
    assert bank.payments.capture(kept)
    assert bank.payments.capture(kept), "once more is no more"
    bank.payments.undo(let_go)
    assert bank.payments.capture(let_go)
    assert bank.kept() == bank.booked() == PRICE
    assert bank.ear.cents("charge_returned") == 0


# -- protecting the platform from the provider -------------------------------------------------------------------------


@pytest.mark.parametrize("narrow", ["pool", "compartment"])
def test_only_so_many_charges_are_under_way_at_once(narrow: str) -> None:
    bank = Bank(latency_s=5.0, attempts_max=1, **{narrow: 2})
    for number in range(4):
        bank.pay(bank.order(number))
    for number in range(4, 6):
        bank.pay(bank.order(number), at_s=6.0)
    bank.env.advance(4.0)
    assert bank.answers == {2: False, 3: False}, "refused at once, not asked, owing nothing"
    assert bank.payments.unknown == {}
    assert bank.payments.charging.unavailable == 2
    bank.env.advance(60.0)
    assert {number for number, paid in bank.answers.items() if paid} == {0, 1, 4, 5}
    assert bank.ear.at("payment_asked") == [0.0, 0.0, 6.0, 6.0]
    assert bank.pool.inside == bank.compartment.inside == 0


def test_whoever_died_while_waiting_leaves_no_place_taken() -> None:
    bank = Bank(latency_s=5.0)
    for number in range(3):
        bank.pay(bank.order(number))
    bank.env.advance(1.0)
    assert bank.pool.inside == bank.compartment.inside == 3
    bank.payments.charging.life.end()
    bank.env.advance(10.0)
    assert bank.pool.inside == bank.compartment.inside == 0
    assert bank.answers == {}


def test_a_charge_taken_up_after_a_crash_is_the_same_charge() -> None:
    bank = Bank(latency_s=5.0)
    order = bank.pay(bank.order(0))
    bank.env.advance(1.0)
    bank.payments.charging.life.end()
    order.resumed = True
    bank.pay(order, at_s=19.0)
    bank.env.advance(100.0)
    assert bank.answers == {0: True}
    assert order.attempt == 1
    assert bank.kept() == bank.booked() == PRICE


def test_an_open_breaker_fails_charges_at_once_and_lets_them_pass_again_in_time() -> None:
    """Ten time-outs open it at 10 s; closed it stays shut for 30 s, then three trials that succeed close it for all."""
    bank = Bank(breaker=Breaker(window=20, least=10, share=0.5, open_s=30.0, trials=3), attempts_max=1, retries_max=0)
    bank.is_down = True
    for number in range(10):
        bank.pay(bank.order(number))
    for number in range(10, 14):
        bank.pay(bank.order(number), at_s=float(number))
    bank.env.advance(20.0)
    assert bank.breaker.state is BreakerState.OPEN
    assert bank.ear.at("payment_asked") == [0.0] * 10
    ended = [t_s for t_s, kind, values in bank.ear.heard if kind == "order_moved"]
    assert ended == [10.0] * 10 + [10.0, 11.0, 12.0, 13.0]
    bank.is_down = False
    times = {number: 14.0 + number for number in range(20, 40, 2)}
    for number, at_s in times.items():
        bank.pay(bank.order(number), at_s=at_s - 20.0)
    bank.env.advance(100.0)
    assert {number: bank.answers[number] for number in times} == {
        number: at_s >= 40.0 for number, at_s in times.items()
    }
    assert bank.breaker.state is BreakerState.CLOSED


def test_charges_under_way_when_the_breaker_opens_still_get_their_answers() -> None:
    """Ten time-outs open it at 10 s; three charges have been with the provider, which is up again, since 5 s."""
    bank = Bank(latency_s=8.0, breaker=Breaker(least=10, open_s=30.0), attempts_max=1, retries_max=0)
    bank.is_down = True
    for number in range(10):
        bank.pay(bank.order(number))
    for number in range(10, 13):
        bank.pay(bank.order(number), at_s=5.0)
    bank.env.advance(4.0)
    bank.is_down = False
    bank.env.advance(12.0)
    assert bank.breaker.state is BreakerState.OPEN
    assert bank.ear.at("payment_captured") == []
    bank.env.advance(39.0)
    assert bank.breaker.state is BreakerState.OPEN, "their answers do not close it"
    assert bank.ear.at("payment_captured") == [13.0] * 3
    assert {number for number, paid in bank.answers.items() if paid} == {10, 11, 12}
    assert bank.kept() == bank.booked() == 3 * PRICE
    assert bank.pool.inside == bank.compartment.inside == 0


# -- our own service -----------------------------------------------------------------------------------------------------


def test_charges_under_way_in_a_zone_that_goes_down_are_unknown_and_those_of_other_zones_are_not() -> None:
    """Six charges go to three instances by turns; one zone has been gone for three seconds when the provider answers."""
    service = a_service(workers=4, interval_s=1.0, failures=1)
    bank = Bank(latency_s=5.0, service=service, habits=Habits(0.0, lost_callback_share=1.0), attempts_max=1)
    zones = {}
    for number in range(6):
        bank.pay(bank.order(number))
        zones[number] = service.rotation.zone[service.last_instance]
    assert sorted(zones.values()) == [0, 0, 1, 1, 2, 2]
    bank.env.advance(2.25)
    service.zone_down(1, 2.25)
    bank.env.advance(6.0)
    unknown = [values["order"] for _, kind, values in bank.ear.heard if kind == "payment_unknown"]
    assert sorted(unknown) == [number for number, zone in zones.items() if zone == 1]
    assert service.sample(6.0).errors == 2
    bank.env.advance(60.0)
    assert bank.ear.at("payment_asked") == [0.0] * 6 + [7.25] * 2
    assert bank.ear.at("payment_captured") == [5.25] * 4 + [7.5 + KNOWN_S] * 2
    assert bank.ear.cents("charge_made") == 6 * PRICE, "the same key: each was taken once"
    assert bank.answers == dict.fromkeys(range(6), True)
    assert bank.pool.inside == bank.compartment.inside == 0
