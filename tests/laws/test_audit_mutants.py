"""Break on purpose what staff may do to records and money: the law of the audit, or of money, must notice."""

import pytest

from sim.operations.reconciliation import Counting
from sim.platform import stock_desk, support_desk
from sim.platform.payments import Payments
from sim.platform.stock_desk import StockDesk
from sim.platform.support_desk import SupportDesk
from sim.vocabulary import NO_ORDER, Adjustment, OrderState, Role, StockCause, Units
from tests.laws.test_mutants import laws_broken

STAFF = (
    "demand.orders_per_day=4000", "pickers.mispick_share=0.2", "stores.inaccurate_share=0.6", "stores.inaccurate_units=25",
    "supply={units_min: 1, cover_days: 0.05}", "payments.methods={card: 0.6, cash: 0.4}", "drain_h=4",
    "support={agents: 9, refund_max_cents: 400, contact: {late: 1, missing: 1, wrong: 1}, hours: '00:00-24:00'}",
    "stores.review={picker_units: 3, people: 2, minutes: 1}", "shrinkage={theft_share: 0.2, damage_share: 0.2}",
    "platform.bus={loss: 0.3, deliveries_max: 1, replay_s: 20000}", "stores.count_error_share=0.5",
)  # fmt: skip
PLANNED = "policies.reconciliation=full_count(count_at='13:30')"
COMPARED = "policies.reconciliation=compare_ledgers(compare_every_s=600, auto_units=2)"


def adjust_without_a_line(monkeypatch):
    def by_count(self, store, sku, there, role, order):
        self.inventory.counted(store, sku, there, order)

    monkeypatch.setattr(StockDesk, "_by_count", by_count)


def note_what_was_not_adjusted(monkeypatch):
    count = StockDesk._by_count

    def noted(self, store, sku, there, role, order):
        count(self, store, sku, there, role, order)
        self._facts.stock_corrected(
            store=store, sku=sku, units=Units(1), role=role, adjustment=Adjustment.COUNTED, order=order
        )

    monkeypatch.setattr(StockDesk, "_by_count", noted)


def note_twice(monkeypatch):
    count = StockDesk._by_count

    def twice(self, store, sku, there, role, order):
        change = self.inventory.off_by(store, sku, there)
        count(self, store, sku, there, role, order)
        if change and not self.inventory.off_by(store, sku, there):
            self._facts.stock_corrected(
                store=store, sku=sku, units=Units(change), role=role, adjustment=Adjustment.COUNTED, order=order
            )

    monkeypatch.setattr(StockDesk, "_by_count", twice)


def let_pickers_adjust_by_any(monkeypatch):
    made = StockDesk.__init__

    def unlimited(self, *arguments):
        made(self, *arguments)
        self._picker_units = None

    monkeypatch.setattr(StockDesk, "__init__", unlimited)


def let_drivers_count(monkeypatch):
    count = Counting.count
    monkeypatch.setattr(stock_desk, "may", lambda role, command: True)
    monkeypatch.setattr(Counting, "count", lambda self, store, sku, role, *order: count(self, store, sku, Role.DRIVER))


def correct_as_a_picker(monkeypatch):
    correct = StockDesk.correct
    monkeypatch.setattr(stock_desk, "may", lambda role, command: True)
    monkeypatch.setattr(
        StockDesk, "correct",
        lambda self, store, skus, units, role, *why: correct(self, store, skus, units, Role.PICKER, *why),
    )  # fmt: skip


def reconcile_without_a_line(monkeypatch):
    def correct(self, store, skus, units, role, adjustment, order=NO_ORDER):
        self.inventory.adjust_many(store, skus, units, StockCause.RECONCILED)

    monkeypatch.setattr(StockDesk, "correct", correct)


STOCK_MUTANTS = [
    (adjust_without_a_line, PLANNED),
    (note_what_was_not_adjusted, PLANNED),
    (note_twice, PLANNED),
    (let_drivers_count, PLANNED),
    (let_pickers_adjust_by_any, "policies.reconciliation=count_on_short_pick"),
    (correct_as_a_picker, COMPARED),
    (reconcile_without_a_line, COMPARED),
]


@pytest.mark.parametrize("policy", [PLANNED, COMPARED, "policies.reconciliation=count_on_short_pick"])
def test_the_day_on_which_staff_adjust_and_refund_breaks_no_law(two_stores, policy):
    assert laws_broken(two_stores(*STAFF, policy)) == set()


@pytest.mark.parametrize(("mutant", "policy"), STOCK_MUTANTS, ids=[mutant.__name__ for mutant, _ in STOCK_MUTANTS])
def test_a_mutant_that_adjusts_records_past_the_audit_is_noticed(two_stores, monkeypatch, mutant, policy):
    mutant(monkeypatch)
    assert "audit" in laws_broken(two_stores(*STAFF, policy))


# -- refunds by staff ----------------------------------------------------------------------------------------------------


def let_agents_give_any_sum(monkeypatch):
    monkeypatch.setattr(SupportDesk, "needs_lead", lambda self, order, cents: False)


def let_pickers_refund(monkeypatch):
    refund = SupportDesk.refund
    monkeypatch.setattr(support_desk, "may", lambda role, command: True)

    def by_picker(self, order_id, cents, role, actor):
        self._allows = lambda *what: True
        return refund(self, order_id, cents, Role.PICKER, actor)

    monkeypatch.setattr(SupportDesk, "refund", by_picker)


def give_back_twice_for_a_line(monkeypatch):
    make_good = SupportDesk.make_good

    def again(self, order_id, wrong, more_cents, actor, role):
        order = self._find(order_id)
        held = list(order.held)
        cents = make_good(self, order_id, wrong, more_cents, actor, role)
        order.held = held  # nobody remembers
        return cents + (make_good(self, order_id, wrong, 0, actor, Role.ADMIN) if cents and wrong else 0)

    monkeypatch.setattr(SupportDesk, "make_good", again)


def give_back_without_a_word(monkeypatch):
    close = SupportDesk.close

    def and_more(self, order_id):
        order = self._kept[order_id]
        self._payments.refund(order, min(10, order.paid_cents - order.refunded_cents))
        self._book.amend(order)
        close(self, order_id)

    monkeypatch.setattr(SupportDesk, "close", and_more)


def promise_and_do_not_pay(monkeypatch):
    refund = Payments.refund
    monkeypatch.setattr(
        Payments,
        "refund",
        lambda self, order, cents: None if order.state is OrderState.DELIVERED else refund(self, order, cents),
    )


def book_what_the_provider_never_hears_of(monkeypatch):
    back = Payments._return

    def deaf(self, order, cents):
        if order in self._book.open:
            back(self, order, cents)

    monkeypatch.setattr(Payments, "_return", deaf)


def give_more_than_was_paid(monkeypatch):
    monkeypatch.setattr(support_desk, "left_of", lambda order: 10**9)


def forget_to_amend_the_books(monkeypatch):
    monkeypatch.setattr(support_desk, "END_STATES", frozenset())


REFUND_MUTANTS = [
    (let_agents_give_any_sum, "audit"),
    (let_pickers_refund, "audit"),
    (give_back_twice_for_a_line, "money"),
    (give_back_without_a_word, "money"),
    (promise_and_do_not_pay, "money"),
    (book_what_the_provider_never_hears_of, "money"),
    (give_more_than_was_paid, "money"),
    (forget_to_amend_the_books, "replay"),
]


@pytest.mark.parametrize(("mutant", "law"), REFUND_MUTANTS, ids=[mutant.__name__ for mutant, _ in REFUND_MUTANTS])
def test_a_mutant_that_refunds_wrongly_is_noticed(two_stores, monkeypatch, mutant, law):
    mutant(monkeypatch)
    generous = ("support.goodwill_cents=100000",) if mutant is give_more_than_was_paid else ()
    assert law in laws_broken(two_stores(*STAFF, *generous))


def test_every_kind_of_adjustment_comes_up_on_such_days(two_stores):
    from sim.engine import simulate
    from sim.recording import MemoryArchive
    from sim.world.build import build_world

    seen = set()
    for policy in (PLANNED, COMPARED):
        archive = MemoryArchive()
        simulate(build_world(two_stores(*STAFF, policy)), archive)
        lines = archive.rows("stock_corrected")
        seen |= set(zip(lines["role"].tolist(), lines["adjustment"].tolist(), strict=True))
    assert seen == {
        (Role.PICKER, Adjustment.COUNTED), (Role.STORE, Adjustment.COUNTED), (Role.ADMIN, Adjustment.COMPARED),
        (Role.ADMIN, Adjustment.REVIEWED),
    }  # fmt: skip
