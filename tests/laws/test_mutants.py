"""Break our own code on purpose while the scenario says that all is well: on a busy day the law must notice."""

import pytest

from sim.engine import simulate
from sim.laws import all_laws, verdict, whole_log
from sim.operations.picking import Station
from sim.operations.riding import Riding
from sim.operations.shelves import Shelves
from sim.platform import billing as billing_module
from sim.platform.billing import Billing
from sim.platform.inventory import Inventory
from sim.platform.offers import Offers
from sim.platform.office import Office
from sim.platform.orders import OrderBook
from sim.platform.payments import Payments
from sim.platform.pricing import Pricer
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

    def twice(self, order_id, picker, sku, units):
        short(self, order_id, picker, sku, units)
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
    ride = Riding.ride

    def fast(self, driver, order, trip, node, store, **options):
        options["noise"] *= 0.5
        return ride(self, driver, order, trip, node, store, **options)

    monkeypatch.setattr(Riding, "ride", fast)


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

    def unseen(self, store, sku, units, *order):
        counted(self, store, sku, units, *order)
        self.available[store * self.skus + sku] += 1

    monkeypatch.setattr(Inventory, "counted", unseen)


def steal_unseen(monkeypatch):
    change = Shelves.change_many

    def stolen(self, store, skus, units, cause, scanned=None):
        change(self, store, skus, units, cause, scanned)
        if cause is StockCause.OPENING:
            self.units[store * self.skus + 1] -= 1

    monkeypatch.setattr(Shelves, "change_many", stolen)


# -- bills ---------------------------------------------------------------------------------------------------------------


def refund_at_the_listed_price(monkeypatch):
    def give_back(self, order, listed_cents):
        order.gone_cents += listed_cents
        self._payments.refund(order, listed_cents)

    monkeypatch.setattr(Billing, "_give_back", give_back)


def refund_the_fees_with_the_goods(monkeypatch):
    refund_for = billing_module.refund_for

    def with_fees(paid_cents, goods_cents, before, more):
        return refund_for(paid_cents + 290, goods_cents, before, more)

    monkeypatch.setattr(billing_module, "refund_for", with_fees)


def round_down_what_goes_back(monkeypatch):
    def down(paid_cents, goods_cents, before, more):
        return paid_cents * (before + more) // goods_cents - paid_cents * before // goods_cents if more else 0

    monkeypatch.setattr(billing_module, "refund_for", down)


def bill_again_what_is_charged_again(monkeypatch):
    bill = Billing.bill

    def anew(self, order):
        order.bill = None
        return bill(self, order)

    monkeypatch.setattr(Billing, "bill", anew)


def charge_without_the_discount_on_the_bill(monkeypatch):
    charge = Payments.charge

    def listed(self, order, cents, **how):
        return charge(self, order, Cents(cents + order.bill.discount_cents), **how)

    monkeypatch.setattr(Payments, "charge", listed)


def bill_goods_nobody_ordered(monkeypatch):
    price = Pricer.price
    monkeypatch.setattr(Pricer, "price", lambda self, goods_cents, *more: price(self, goods_cents + 100, *more))


PRICED = (
    "platform.pricing={tax_included: false, promotion: {share: 0.5, percent: 33.3, cap_cents: null, minimum_cents: 0}}",
    "policies.saga=at_once", "faults=[{kind: orchestrator_crash, rate_per_day: 500}]",
    "payments.latency_s=3.0",
)  # fmt: skip

BILL_MUTANTS = [
    refund_at_the_listed_price,
    refund_the_fees_with_the_goods,
    round_down_what_goes_back,
    bill_again_what_is_charged_again,
    charge_without_the_discount_on_the_bill,
    bill_goods_nobody_ordered,
]


def test_the_busy_day_with_discounts_and_tax_on_top_breaks_no_law(two_stores):
    assert laws_broken(two_stores(*BUSY, *PRICED)) == set()


@pytest.mark.parametrize("mutant", BILL_MUTANTS)
def test_a_mutant_that_bills_or_refunds_wrongly_is_noticed(two_stores, monkeypatch, mutant):
    mutant(monkeypatch)
    assert "money" in laws_broken(two_stores(*BUSY, *PRICED))


# -- all the others ------------------------------------------------------------------------------------------------------

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
    (pick_what_was_cancelled, "orders"),
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
