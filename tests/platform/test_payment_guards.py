"""What stands between our books and the provider: our own service, its connections, a breaker, a budget; and money set aside."""

from typing import Any

import pytest

from sim.clock import Timer
from sim.operations.provider import Habits, Provider
from sim.platform.breaker import Breaker, RetryBudget
from sim.vocabulary import BreakerState, OrderState
from tests.conftest import lawful_day
from tests.platform.small_services import a_service
from tests.platform.test_payments import PRICE, Bank

CLOSED, OPEN, HALF_OPEN = BreakerState
UNHEARD = Habits(0.0, lost_answer_share=1.0, callback_s=90.0, lost_callback_share=1.0)
"""Charges are made, and nobody is told."""


# -- our own service, and its connections ------------------------------------------------------------------------------


class Cut:
    """A bank whose payment service is out of order, or has all connections in use, between two seconds."""

    def __init__(self, why: str, begin_s: float, end_s: float, **settings: Any) -> None:
        self.service, self.why = a_service(), why
        self.bank = Bank(service=self.service, refund_retry_s=60.0, **settings)
        Timer(self.bank.env, begin_s, lambda _: self.cut())
        Timer(self.bank.env, end_s, lambda _: self.mend())

    def cut(self) -> None:
        if self.why == "no answer":
            self.service.fail_all(self.bank.env.now)
        else:
            self.bank.pool.inside += self.bank.pool.most

    def mend(self) -> None:
        if self.why == "no answer":
            self.service.heal(self.bank.env.now)
        else:
            self.bank.pool.inside -= self.bank.pool.most


WHYS = pytest.mark.parametrize("why", ["no answer", "no connection"])


@WHYS
def test_a_refund_waits_until_our_own_service_reaches_the_provider(why: str) -> None:
    """Owed at 20 s and tried every minute; the service is back at 100 s, in the middle of one."""
    bank = Cut(why, 10.0, 100.0).bank
    order = bank.pay(bank.order(0))
    Timer(bank.env, 20.0, lambda _: bank.payments.undo(order))
    bank.env.advance(300.0)
    assert bank.ear.at("payment_refunded") == [20.0]
    assert bank.ear.at("charge_returned") == [140.0]
    assert bank.kept() == bank.booked() == 0


@WHYS
def test_what_was_set_aside_is_captured_when_our_own_service_reaches_the_provider(why: str) -> None:
    bank = Cut(why, 10.0, 100.0).bank
    order = bank.pay(bank.order(0), capture=False)
    for at_s in (20.0, 99.0):
        bank.env.advance(at_s)
        assert not bank.payments.capture(order)
        assert bank.provider.set_aside() == [0]
    bank.env.advance(101.0)
    assert bank.payments.capture(order)
    assert bank.provider.set_aside() == []
    assert bank.kept() == bank.booked() == PRICE


@WHYS
def test_a_callback_comes_again_until_our_own_service_takes_it(why: str) -> None:
    """The answer takes 100 s and our service a quarter more; it is out of reach then, and a minute later."""
    bank = Cut(why, 90.0, 170.0, latency_s=100.0, retries_max=0).bank
    bank.pay(bank.order(0))
    bank.env.advance(400.0)
    assert bank.answers == {0: False}
    assert bank.ear.at("callback_came") == [220.25]
    assert bank.kept() == bank.booked() == 0


def test_refunds_wait_for_our_own_service_in_a_day_and_are_made_afterwards(two_stores: Any, play: Any) -> None:
    """Customers call off what they have paid; the certificate of the payment service has expired for twenty minutes."""
    expired = "faults=[{kind: expired_certificate, service: payments, at: '12:20', minutes: 20}]"
    played = lawful_day(
        play,
        two_stores(
            "horizon_h=1", "demand.orders_per_day=6000", "customers={patience_s: 300, patience_cv: 1}", expired,
            "payments={methods: {card: 1}, refund_retry_s: 30}", "pickers.per_store=2",
        ),
    )  # fmt: skip

    def within(kind: str, begin_s: float, end_s: float) -> int:
        t_s = played.rows(kind)["t_s"]
        return int(((t_s >= begin_s) & (t_s < end_s)).sum())

    assert within("payment_refunded", 1200.0, 2400.0) > 5
    assert within("charge_returned", 1200.0, 2400.0) == 0
    assert within("charge_returned", 2400.0, 2430.0) >= within("payment_refunded", 1200.0, 2400.0)
    assert played.rows("charge_returned")["cents"].sum() == played.rows("payment_refunded")["cents"].sum()
    assert played.rows("books_settled")["differing"].sum() == 0


# -- money set aside that nobody wants ---------------------------------------------------------------------------------


def test_money_set_aside_of_which_nobody_told_us_is_let_go_at_the_settlement() -> None:
    bank = Bank(habits=UNHEARD, retries_max=0)
    bank.pay(bank.order(0), capture=False)
    bank.env.advance(1000.0)
    assert bank.answers == {0: False}
    assert bank.provider.set_aside() == [0], "the order is over, and neither answer nor callback came"
    assert list(bank.payments.unknown) == [0]
    bank.payments.settle()
    assert bank.provider.set_aside() == []
    assert not bank.payments.unknown
    assert [values["differing"] for _, kind, values in bank.ear.heard if kind == "books_settled"] == [1]
    assert bank.kept() == bank.booked() == 0


def test_the_settlement_leaves_what_is_set_aside_for_an_open_order() -> None:
    bank = Bank()
    order = bank.pay(bank.order(0), capture=False)
    bank.env.advance(10.0)
    bank.payments.settle()
    assert bank.provider.set_aside() == [0]
    assert bank.payments.capture(order)
    assert bank.kept() == PRICE


def test_after_a_day_nothing_is_set_aside_for_orders_that_are_over(
    two_stores: Any, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two-phase commit with a provider that is often not heard, and whose callbacks are often lost."""
    made: list[Provider] = []
    begin = Provider.__init__

    def remembered(self: Provider, *details: Any, **more: Any) -> None:
        begin(self, *details, **more)
        made.append(self)

    monkeypatch.setattr(Provider, "__init__", remembered)
    pay = (
        "payments={methods: {card: 1}, lost_answer_share: 0.3, duplicate_share: 0.5, callback_s: 600,"
        " lost_callback_share: 0.3, retries_max: 0, timeout_s: 4, latency_s: 2.5}"
    )
    played = lawful_day(
        play, two_stores("policies.saga=two_phase_commit", "demand.orders_per_day=6000", "horizon_h=1", pay)
    )
    assert (played.study.orders["state"] == OrderState.PAYMENT_FAILED).sum() > 50
    assert made[-1].set_aside() == []
    assert played.rows("books_settled")["differing"].sum() > 10


# -- answers that a breaker no longer waits for ------------------------------------------------------------------------


def breaking() -> tuple[Bank, list[tuple[float, BreakerState]]]:
    """Answers take 8 s, time-outs 10; two charges of second 0 are not answered, so the breaker opens at 10, for 5 s."""
    breaker = Breaker(window=2, least=2, open_s=5.0, trials=1)
    bank = Bank(latency_s=8.0, breaker=breaker, retries_max=0, attempts_max=1)
    moves: list[tuple[float, BreakerState]] = []
    breaker.on_move(lambda state: moves.append((bank.env.now, state)))
    bank.is_down = True
    for number in range(2):
        bank.pay(bank.order(number))
    return bank, moves


def goes(bank: Bank, at_s: float, *, down: bool) -> None:
    def change(_: Timer) -> None:
        bank.is_down = down

    Timer(bank.env, at_s, change)


def test_an_answer_of_a_call_made_before_the_breaker_opened_is_no_trial() -> None:
    bank, moves = breaking()
    goes(bank, 5.0, down=False)
    for number in range(2, 5):
        bank.pay(bank.order(number), at_s=9.0)
    goes(bank, 12.0, down=True)
    bank.pay(bank.order(5), at_s=15.5)
    bank.env.advance(60.0)
    assert moves == [(10.0, OPEN), (15.5, HALF_OPEN), (25.5, OPEN)], "good answers at 17 s close nothing"
    assert bank.answers == {number: 2 <= number < 5 for number in range(6)}


def test_a_time_out_of_a_call_made_before_the_breaker_opened_is_no_failed_trial() -> None:
    bank, moves = breaking()
    bank.pay(bank.order(2), at_s=8.0)
    goes(bank, 12.0, down=False)
    bank.pay(bank.order(3), at_s=15.5)
    bank.env.advance(60.0)
    assert moves == [(10.0, OPEN), (15.5, HALF_OPEN), (23.5, CLOSED)], "nothing comes of the time-out at 18 s"
    assert bank.answers == {number: number == 3 for number in range(4)}


# -- the budget of retries ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ratio", "retries"), [(0.0, 1), (0.25, 5), (0.5, 10), (1.0, 20)])
def test_each_first_call_earns_its_share_of_retries_though_nobody_answers(ratio: float, retries: int) -> None:
    """One order after the other asks a provider that is down; one retry was saved up, and finding it earns nothing."""
    bank = Bank(budget=RetryBudget(ratio, 1.0))
    bank.is_down = True
    for number in range(20):
        bank.pay(bank.order(number), at_s=100.0 * number)
    bank.env.advance(3000.0)
    assert len(bank.ear.at("payment_asked")) == 20 + retries


def test_a_call_that_is_answered_earns_as_much() -> None:
    bank = Bank(budget=RetryBudget(0.5, 1.0))
    goes(bank, 50.0, down=False)
    goes(bank, 250.0, down=True)
    bank.is_down = True
    for number in range(5):
        bank.pay(bank.order(number), at_s=100.0 * number)
    bank.env.advance(1000.0)
    assert bank.ear.at("payment_asked") == [0.0, 12.0, 100.0, 200.0, 300.0, 312.0, 400.0], "two answers earned a retry"
