"""Break our own code on purpose while the scenario says that all is well: the law must notice.

The first table breaks what a busy day needs, and that day must show it; the second breaks what only faults bring out (keys,
tokens, compensations, late answers, recoveries), and the storms of `darkstore storm` must show it within a few seeds.
"""

import pytest

from sim.engine import simulate
from sim.experiments.storm import weather
from sim.laws import all_laws, verdict, whole_log
from sim.operations.driving import Driving
from sim.operations.picking import Station
from sim.operations.provider import Provider
from sim.operations.shelves import Shelves
from sim.platform import payments
from sim.platform.bus import Bus
from sim.platform.front import Front
from sim.platform.inventory import Inventory
from sim.platform.offers import Offers
from sim.platform.office import Office
from sim.platform.orders import OrderBook
from sim.platform.payments import Payments
from sim.platform.reserving import Reserving
from sim.platform.saga import Saga
from sim.platform.tracking import Tracking
from sim.recording import MemoryArchive
from sim.vocabulary import Cents, OrderState, StockCause
from sim.world.build import build_world

BUSY = (
    "demand.orders_per_day=5000", "customers.patience_s=900", "customers.patience_cv=1", "payments.decline_share=0.2",
    "seed=2", "stores.inaccurate_share=0.6", "stores.inaccurate_units=25",
    "supply.units_min=1", "supply.cover_days=0.05", "platform.window_s=0.5",
    "demand.flash_sales=[{at: '12:20', seconds: 30, buyers: 300, sku: 3, stock: 40}]",
)  # fmt: skip


def laws_broken(scenario):
    world = build_world(scenario)
    laws, archive = all_laws(world), MemoryArchive()
    try:
        outcome = simulate(world, archive, laws=laws)
    except Exception as error:  # some mutants cannot even run to their end: that is noticed as well
        return {type(error).__name__} | {breach.law for law in laws for breach in law.breaches}
    return {breach.law for breach in verdict(laws) + whole_log(archive, outcome.state)}


def skip_version_check(monkeypatch):
    # The lost update: a stale reader decides by what it saw, so it holds units that are gone.
    def reserve(self, order, seen, attempt):
        first, held = order.store * self.skus, order.held
        for sku, units in zip(order.skus, order.units, strict=True):
            place = first + sku
            self.available[place] -= units
            self.reserved[place] += units
            self.version[place] += 1
            self._facts.stock_reserved(
                order=order.id, store=order.store, sku=sku, units=units, version=self.version[place]
            )
            held.append((sku, units))
        return True

    monkeypatch.setattr(Inventory, "reserve", reserve)


def skip_release(monkeypatch):
    monkeypatch.setattr(Inventory, "release", lambda self, order: None)


def skip_refund(monkeypatch):
    monkeypatch.setattr(Payments, "undo", lambda self, order: None)


def refund_shorts_twice(monkeypatch):
    short = Office.short

    def twice(self, order_id, sku, units):
        short(self, order_id, sku, units)
        self.payments.refund(self.book.open[order_id], self.figures.prices_cents[sku] * units)

    monkeypatch.setattr(Office, "short", twice)


def charge_twice(monkeypatch):
    settle = Saga.settle

    def again(self, order):
        self._facts.payment_captured(order=order.id, cents=Cents(100))
        settle(self, order)

    monkeypatch.setattr(Saga, "settle", again)


def commit_without_record(monkeypatch):
    def commit(self, order):
        order.committed = True
        self._facts.hold_committed(order=order.id, store=order.store)

    monkeypatch.setattr(Inventory, "commit", commit)


def forget_to_put_back(monkeypatch):
    def put_back(self, order, store):
        return self.totes.pop(order, [])

    monkeypatch.setattr(Shelves, "put_back", put_back)


def pick_from_thin_air(monkeypatch):
    def pick(self, order, store, lines):
        for sku, units in lines:
            self._facts.goods_picked(order=order, store=store, sku=sku, units=units)
            self.units[store * self.skus + sku] -= units
        self.totes[order] = list(lines)
        return []

    monkeypatch.setattr(Shelves, "pick", pick)


def skip_a_transition(monkeypatch):
    move = OrderBook.move

    def skipping(self, order, state):
        if state is OrderState.ASSIGNED:
            order.state = state
        else:
            move(self, order, state)

    monkeypatch.setattr(OrderBook, "move", skipping)


def leave_tasks_open(monkeypatch):
    monkeypatch.setattr(Offers, "close", lambda self, order, ended: self.waiting.pop(order.id, None))


def drive_too_fast(monkeypatch):
    ride = Driving._ride

    def fast(self, driver, order, trip, node, store, **options):
        options["noise"] *= 0.5
        return ride(self, driver, order, trip, node, store, **options)

    monkeypatch.setattr(Driving, "_ride", fast)


def offer_to_busy_drivers(monkeypatch):
    monkeypatch.setattr(Tracking, "busy", lambda self, driver: None)


def pick_what_was_cancelled(monkeypatch):
    monkeypatch.setattr(Office, "wanted", lambda self, order_id: True)


def pick_after_the_shift(monkeypatch):
    def end(self, picker):
        self._on.pop(picker, None)

    monkeypatch.setattr(Station, "end", end)


def change_a_record_unseen(monkeypatch):
    counted = Inventory.counted

    def unseen(self, store, sku, units):
        counted(self, store, sku, units)
        self.available[store * self.skus + sku] += 1

    monkeypatch.setattr(Inventory, "counted", unseen)


def steal_unseen(monkeypatch):
    change = Shelves.change_many

    def stolen(self, store, skus, units, cause):
        change(self, store, skus, units, cause)
        if cause is StockCause.OPENING:
            self.units[store * self.skus + 1] -= 1

    monkeypatch.setattr(Shelves, "change_many", stolen)


MUTANTS = [
    (skip_version_check, "records"),
    (skip_release, "records"),
    (skip_refund, "money"),
    (refund_shorts_twice, "money"),
    (charge_twice, "money"),
    (commit_without_record, "replay"),
    (forget_to_put_back, "replay"),
    (pick_from_thin_air, "goods"),
    (skip_a_transition, "orders"),
    (leave_tasks_open, "orders"),
    (drive_too_fast, "people"),
    (offer_to_busy_drivers, "people"),
    (pick_what_was_cancelled, "KeyError"),
    (pick_after_the_shift, "people"),
    (change_a_record_unseen, "replay"),
    (steal_unseen, "replay"),
]


def test_the_busy_day_itself_breaks_no_law(two_stores):
    assert laws_broken(two_stores(*BUSY)) == set()


@pytest.mark.parametrize(("mutant", "law"), MUTANTS, ids=[mutant.__name__ for mutant, _ in MUTANTS])
def test_a_mutant_is_noticed(two_stores, monkeypatch, mutant, law):
    mutant(monkeypatch)
    # Within the fixture's shift nobody goes home; this one ends in the middle of the day.
    shift = ("pickers.shifts=[{at: '12:00', hours: 1}]",) if mutant is pick_after_the_shift else ()
    assert law in laws_broken(two_stores(*BUSY, *shift))


# -- in storms -------------------------------------------------------------------------------------------------------


def take_repeated_requests_for_new_ones(monkeypatch):
    monkeypatch.setattr(Front, "repeats", lambda self, order: False)


def charge_whatever_the_key(monkeypatch):
    charge = Provider.charge

    def forgetful(self, order, attempt, cents, *, key, capture):
        self._key[order] = 0
        return charge(self, order, attempt, cents, key=key, capture=capture)

    monkeypatch.setattr(Provider, "charge", forgetful)


def pay_again_after_a_callback(monkeypatch):
    monkeypatch.setattr(payments, "_paid", lambda order: False)


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
        topic, _, message, _ = event.value
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
    monkeypatch.setattr(Inventory, "stale", lambda self, order, seen: None)


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
    monkeypatch.setattr(Inventory, "heal", lambda self: 0)


def recover_records_behind_the_logs_back(monkeypatch):
    # A rewinding instead of a new write on top.
    def recover(self, stores, t_s):
        self.heal()
        for store in stores:
            if self._stream.cut(store, max(t_s, self._stream.oldest_s(store))):
                then, first = self._stream.rebuild(store), store * self.skus
                for sku in range(self.skus):
                    self.available[first + sku] = int(then.available[sku])
                self._stream.restart(store, self._columns(store))
        return 0

    monkeypatch.setattr(Inventory, "recover", recover)


LAPSING = (
    "policies.reservation=lock(timeout_s=60.0, lease_s=0.5, pause_chance=0.5, pause_s=5.0)",
    "platform.profile=full",
)

# What is broken, the law that must say so, within how many storms (seeds from 0 on), and what these storms have in common.
IN_STORMS = [
    (take_repeated_requests_for_new_ones, "orders", 10, ()),
    (charge_whatever_the_key, "money", 10, ()),
    (pay_again_after_a_callback, "money", 10, ()),
    (keep_what_a_late_callback_tells_of, "money", 10, ()),
    (forget_the_settlement_after_a_failover, "money", 25, ()),
    (forget_unknown_charges_in_a_crash, "money", 60, ()),
    (collect_cash_twice, "money", 10, ()),
    (ask_the_full_price_for_what_was_short, "money", 10, ()),
    (leave_out_a_compensation, "money", 10, ()),
    (cancel_without_undoing, "money", 5, ()),
    (vote_no_and_keep_the_goods, "records", 25, ()),
    (hear_every_copy_of_a_message, "orders", 5, ()),
    (take_answers_that_come_too_late, "people", 5, ()),
    (write_without_comparing_versions, "records", 30, ()),
    (let_lapsed_leases_write, "records", 20, LAPSING),
    (end_expired_holds_in_the_log_only, "records", 40, ()),
    (release_a_hold_twice, "records", 5, ()),
    (sell_more_than_there_is_when_blind, "records", 20, ()),
    (leave_corrupted_records_as_they_are, "replay", 20, ()),
    (recover_records_behind_the_logs_back, "replay", 20, ()),
]


def laws_broken_by(seed, settings):
    try:
        return {breach.law for breach in weather(seed, *settings)}
    except Exception as error:  # as above
        return {type(error).__name__}


@pytest.mark.parametrize(("mutant", "law", "budget", "settings"), IN_STORMS, ids=[row[0].__name__ for row in IN_STORMS])
def test_a_mutant_is_noticed_in_a_storm(monkeypatch, mutant, law, budget, settings):
    mutant(monkeypatch)
    assert any(law in laws_broken_by(seed, settings) for seed in range(budget))


@pytest.mark.parametrize("seed", range(20))
def test_leases_that_lapse_break_no_law_as_long_as_late_writers_are_fenced_off(seed):
    assert weather(seed, *LAPSING) == []
