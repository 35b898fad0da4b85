"""Break on purpose what happens when goods come back from the door: the law that it breaks must notice."""

import pytest

from sim.operations.doors import Doors
from sim.operations.driving import Driving
from sim.operations.shelves import Shelves
from sim.platform.billing import Billing
from sim.platform.office import Office
from sim.platform.payments import Payments
from sim.platform.saga import Saga
from sim.vocabulary import Units
from tests.laws.test_mutants import laws_broken

SHUT = (
    "customers.absent_share=0.4", "customers.underage_share=0.6", "seed=5", "payments.keep_fee_on_failed=true",
    "drivers.shifts=[{at: '12:00', hours: 3}]", "pickers.mispick_share=0",
    "catalogue.categories=[{name: bread, share: 0.5, price_cents: 200, litres: 1}, "
    "{name: ice, share: 0.2, price_cents: 300, litres: 1, returnable: false}, "
    "{name: wine, share: 0.3, price_cents: 900, litres: 1, restricted: true}]",
)  # fmt: skip


def forget_to_hand_in(monkeypatch):
    def ride_on(self, driver, store, orders, doors):
        yield from ()

    monkeypatch.setattr(Driving, "_bring_back", ride_on)


def lose_a_unit_on_the_way(monkeypatch):
    come_back = Shelves.come_back

    def lost(self, order, store, returnable):
        (sku, units), *rest = self.totes[order]
        self.totes[order] = [*rest, *([(sku, units - 1)] if units > 1 else [])]
        return come_back(self, order, store, returnable)

    monkeypatch.setattr(Shelves, "come_back", lost)


def put_back_twice(monkeypatch):
    come_back = Shelves.come_back

    def twice(self, order, store, returnable):
        tote = list(self.totes[order])
        come_back(self, order, store, returnable)
        self.totes[order] = tote
        return come_back(self, order, store, returnable)

    monkeypatch.setattr(Shelves, "come_back", twice)


def put_back_what_does_not_keep_unseen(monkeypatch):
    come_back = Shelves.come_back

    def everything(self, order, store, returnable):
        for sku, units in self.totes[order]:
            if not returnable[sku]:
                self.units[store * self.skus + sku] += units
        return come_back(self, order, store, returnable)

    monkeypatch.setattr(Shelves, "come_back", everything)


def hand_over_what_is_kept_as_well(monkeypatch):
    keep = Shelves.keep

    def pretended(self, order, store, restricted):
        return keep(self, order, store, restricted) and self._kept.pop(order) and False

    monkeypatch.setattr(Shelves, "keep", pretended)


def keep_more_than_there_is(monkeypatch):
    def keep(self, order, store, restricted):
        kept = [(sku, units + 1) for sku, units in self.totes[order] if restricted[sku]]
        for sku, units in kept:
            self._facts.goods_kept(order=order, store=store, sku=sku, units=Units(units))
        if kept:
            self._kept[order] = kept
        return bool(kept)

    monkeypatch.setattr(Shelves, "keep", keep)


def bring_it_to_another_store(monkeypatch):
    come_back = Shelves.come_back
    monkeypatch.setattr(
        Shelves, "come_back", lambda self, order, store, returnable: come_back(self, order, 1 - store, returnable)
    )


def hand_over_what_was_given_up(monkeypatch):
    fails = Doors.fails

    def and_over(self, order, node, driver, reason):
        fails(self, order, node, driver, reason)
        self._shelves.hand_over(order, driver, node)
        return False

    monkeypatch.setattr(Doors, "fails", and_over)


def hand_in_from_afar(monkeypatch):
    def at_once(self, driver, store, orders, doors):
        for order in orders:
            doors.hand_in(order, driver.id, store)
        yield from ()

    monkeypatch.setattr(Driving, "_bring_back", at_once)


def forget_the_refund_of_what_failed(monkeypatch):
    monkeypatch.setattr(Payments, "undo", lambda self, order: None)


def forget_the_refund_of_what_is_kept(monkeypatch):
    monkeypatch.setattr(Billing, "returned", lambda self, order, sku, units: None)


def say_nothing_of_what_is_kept(monkeypatch):
    monkeypatch.setattr(Office, "too_young", lambda self, order_id, driver: True)


def keep_more_than_the_fees(monkeypatch):
    def keep_fees(self, order):
        order.kept_cents = max(min(291, order.paid_cents - order.refunded_cents), 0)
        if order.kept_cents:
            self._facts.fees_kept(order=order.id, cents=order.kept_cents)

    monkeypatch.setattr(Billing, "keep_fees", keep_fees)


def collect_cash_for_what_failed(monkeypatch):
    cancel = Saga.cancel

    def and_collect(self, order, reason):
        self.payments.collected(order)
        order.refunded_cents = order.paid_cents
        cancel(self, order, reason)

    monkeypatch.setattr(Saga, "cancel", and_collect)


def settle_what_failed(monkeypatch):
    monkeypatch.setattr(Saga, "cancel", lambda self, order, reason: self.settle(order))


MUTANTS = [
    (forget_to_hand_in, "people"),
    (hand_in_from_afar, "people"),
    (lose_a_unit_on_the_way, "goods"),
    (put_back_twice, "goods"),
    (put_back_what_does_not_keep_unseen, "replay"),
    (hand_over_what_is_kept_as_well, "replay"),
    (keep_more_than_there_is, "goods"),
    (bring_it_to_another_store, "goods"),
    (hand_over_what_was_given_up, "goods"),
    (forget_the_refund_of_what_failed, "money"),
    (forget_the_refund_of_what_is_kept, "money"),
    (say_nothing_of_what_is_kept, "money"),
    (keep_more_than_the_fees, "money"),
    (collect_cash_for_what_failed, "money"),
    (settle_what_failed, "orders"),
]


def test_the_day_on_which_much_comes_back_breaks_no_law(two_stores):
    assert laws_broken(two_stores(*SHUT)) == set()


@pytest.mark.parametrize(("mutant", "law"), MUTANTS, ids=[mutant.__name__ for mutant, _ in MUTANTS])
def test_a_mutant_is_noticed(two_stores, monkeypatch, mutant, law):
    mutant(monkeypatch)
    assert law in laws_broken(two_stores(*SHUT))
