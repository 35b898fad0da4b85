"""Break on purpose what only faults bring out (keys, tokens, compensations, late answers, recoveries): a storm must show it."""

import pytest

from sim.experiments.storm import weather
from sim.operations.provider import Provider
from sim.operations.sales import Sales
from sim.operations.shelves import Shelves
from sim.platform import charging, payments
from sim.platform.bus import Bus
from sim.platform.front import Front
from sim.platform.inventory import Inventory
from sim.platform.offers import Offers
from sim.platform.payments import Payments
from sim.platform.reserving import Reserving
from sim.platform.saga import Saga
from sim.vocabulary import StockCause


def take_repeated_requests_for_new_ones(monkeypatch):
    monkeypatch.setattr(Front, "repeats", lambda self, order: False)


def charge_whatever_the_key(monkeypatch):
    charge = Provider.charge

    def forgetful(self, order, attempt, cents, *, key, capture):
        self._key[order] = 0
        return charge(self, order, attempt, cents, key=key, capture=capture)

    monkeypatch.setattr(Provider, "charge", forgetful)


def pay_again_after_a_callback(monkeypatch):
    for module in (charging, payments):
        monkeypatch.setattr(module, "is_paid", lambda order: False)


def keep_what_a_late_callback_tells_of(monkeypatch):
    monkeypatch.setattr(Payments, "_late", lambda self, order, charge, cents: None)


def forget_the_settlement_after_a_failover(monkeypatch):
    forget = Payments.forget

    def for_good(self, order):
        forget(self, order)
        self._unclear.pop(order.id, None)
        self._provider._changed[:] = [other for other in self._provider._changed if other != order.id]

    monkeypatch.setattr(Payments, "forget", for_good)


def forget_unknown_charges_in_a_crash(monkeypatch):
    crash = Saga.crash

    def forgetful(self):
        crash(self)
        for order in self._book.open.values():
            order.unknown = False

    monkeypatch.setattr(Saga, "crash", forgetful)


def collect_cash_twice(monkeypatch):
    collected = Payments.collected

    def twice(self, order):
        cents = order.due_cents
        collected(self, order)
        order.due_cents = cents
        collected(self, order)

    monkeypatch.setattr(Payments, "collected", twice)


def ask_the_full_price_for_what_was_short(monkeypatch):
    refund = Payments.refund

    def deaf(self, order, cents):
        if order.paid_cents:
            refund(self, order, cents)

    monkeypatch.setattr(Payments, "refund", deaf)


def leave_out_a_compensation(monkeypatch):
    monkeypatch.setattr(Saga, "_undo_both", lambda self, order: self._inventory.release(order))


def cancel_without_undoing(monkeypatch):
    unwind = Saga._unwind

    def lazy(self, order):
        order.undone = order.step + 1
        unwind(self, order)

    monkeypatch.setattr(Saga, "_unwind", lazy)


def vote_no_and_keep_the_goods(monkeypatch):
    def abort(self, order):
        self._unlock(self._prepared.pop(order.id, []))

    monkeypatch.setattr(Reserving, "abort_prepared", abort)


def hear_every_copy_of_a_message(monkeypatch):
    # Consumers that do not know what they had: the copy of an offer, a confirmation, a cancellation is acted upon again.
    def again(self, event):
        topic, _, _, message, _ = event.value
        for subscriber in self._subscribers[topic]:
            subscriber(message)

    monkeypatch.setattr(Bus, "_again", again)


def take_answers_that_come_too_late(monkeypatch):
    def answered(self, order_id, driver, answer):
        self._asked_of[driver] = order_id
        return take(self, order_id, driver, answer)

    take = Offers.answered
    monkeypatch.setattr(Offers, "answered", answered)


def write_without_comparing_versions(monkeypatch):
    # The lost update: whoever read before somebody else wrote still sells what was there then.
    reserve = Inventory.reserve

    def blind(self, order, read_s, attempt):
        if read_s is None or self.stale(order, read_s) is None:
            return reserve(self, order, read_s, attempt)
        self.write(order, list(order.units))
        return True

    monkeypatch.setattr(Inventory, "reserve", blind)


def let_lapsed_leases_write(monkeypatch):
    monkeypatch.setattr(Reserving, "_admitted", lambda self, order, tokens: True)


def end_expired_holds_in_the_log_only(monkeypatch):
    def expire(self, order):
        if order.committed or order.unheld or not order.held:
            return False
        order.held.clear()
        self.expired.add(order.id)
        self._facts.hold_expired(order=order.id, store=order.store)
        return True

    monkeypatch.setattr(Inventory, "expire", expire)


def release_a_hold_twice(monkeypatch):
    release = Inventory.release

    def twice(self, order):
        held = list(order.held)
        release(self, order)
        if not order.committed and not order.unheld:
            self._give_back(order.store, held)

    monkeypatch.setattr(Inventory, "release", twice)


def sell_more_than_there_is_when_blind(monkeypatch):
    commit = Inventory.commit

    def careless(self, order):
        if not order.unheld:
            return commit(self, order)
        order.committed = True
        for sku, units in order.held:
            if units:
                self.adjust(order.store, sku, -units, StockCause.SOLD)
        return None

    monkeypatch.setattr(Inventory, "commit", careless)


def leave_corrupted_records_as_they_are(monkeypatch):
    monkeypatch.setattr(Inventory, "heal", lambda self, repaired=None: 0)


def recover_records_behind_the_logs_back(monkeypatch):
    # A rewinding instead of a new write on top.
    def recover(self, written, t_s):
        self.heal()
        for store in written.on_hand:
            if self._stream.cut(store, max(t_s, self._stream.oldest_s(store))):
                then, first = self._stream.rebuild(store), store * self.skus
                for sku in range(self.skus):
                    self.available[first + sku] = int(then.available[sku])
                self._stream.restart(store, self._columns(store))
        return 0

    monkeypatch.setattr(Inventory, "recover", recover)


def put_what_another_store_sent_on_the_shelf_twice(monkeypatch):
    arrive = Shelves.arrive

    def twice(self, store, skus, units):
        arrive(self, store, skus, units)
        arrive(self, store, skus, units)

    monkeypatch.setattr(Shelves, "arrive", twice)


def sell_over_the_counter_what_is_not_there(monkeypatch):
    def greedy(self, places, taken, wanted, **_):
        some = wanted > 0
        self._shelves.sell(places[some], taken[some], wanted[some])
        self._desk.inventory.sell(places[some], wanted[some])
        return wanted

    monkeypatch.setattr(Sales, "_sell", greedy)


LAPSING = (
    "policies.reservation=lock(timeout_s=60.0, lease_s=0.5, pause_chance=0.5, pause_s=5.0)",
    "platform.profile=full",
)

# A provider so slow that crashes meet charges whose outcome nobody knows.
CRASHING = (
    "payments.timeout_s=10.0",
    "payments.latency_s=20.0",
    "payments.lost_callback_share=0.3",
    "platform.profile=full",
    "faults=[{kind: orchestrator_crash, rate_per_day: 200}]",
)

# What is broken, the law that must say so, within how many storms (seeds from 0 on), and what these storms have in common.
IN_STORMS = [
    (take_repeated_requests_for_new_ones, "orders", 10, ()),
    (charge_whatever_the_key, "money", 10, ()),
    (pay_again_after_a_callback, "money", 10, ()),
    (keep_what_a_late_callback_tells_of, "money", 10, ()),
    (forget_the_settlement_after_a_failover, "money", 25, ()),
    (forget_unknown_charges_in_a_crash, "money", 10, CRASHING),
    (collect_cash_twice, "money", 10, ()),
    (ask_the_full_price_for_what_was_short, "money", 10, ()),
    (leave_out_a_compensation, "money", 10, ()),
    (cancel_without_undoing, "money", 5, ()),
    (vote_no_and_keep_the_goods, "records", 25, ()),
    (hear_every_copy_of_a_message, "orders", 15, ()),
    (take_answers_that_come_too_late, "people", 5, ()),
    (write_without_comparing_versions, "records", 30, ()),
    (let_lapsed_leases_write, "records", 20, LAPSING),
    (end_expired_holds_in_the_log_only, "records", 40, ()),
    (release_a_hold_twice, "records", 5, ()),
    (sell_more_than_there_is_when_blind, "records", 20, ()),
    (leave_corrupted_records_as_they_are, "replay", 20, ()),
    (put_what_another_store_sent_on_the_shelf_twice, "goods", 30, ()),
    (sell_over_the_counter_what_is_not_there, "goods", 20, ()),
    (recover_records_behind_the_logs_back, "replay", 20, ()),
]


def laws_broken_by(seed, settings):
    try:
        return {breach.law for breach in weather(seed, *settings)}
    except Exception as error:  # some mutants cannot even run to their end: that is noticed as well
        return {type(error).__name__}


@pytest.mark.parametrize(("mutant", "law", "budget", "settings"), IN_STORMS, ids=[row[0].__name__ for row in IN_STORMS])
def test_a_mutant_is_noticed_in_a_storm(monkeypatch, mutant, law, budget, settings):
    mutant(monkeypatch)
    assert any(law in laws_broken_by(seed, settings) for seed in range(budget))


@pytest.mark.parametrize("seed", range(20))
def test_leases_that_lapse_break_no_law_as_long_as_late_writers_are_fenced_off(seed):
    assert weather(seed, *LAPSING) == []
