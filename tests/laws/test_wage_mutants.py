"""Break on purpose what drivers are paid for their ways: the law of wages must notice."""

import pytest

from sim.operations import takings
from sim.operations.takings import Takings
from tests.laws.test_mutants import laws_broken

PAID = (
    "drivers.pay={order_cents: 300, km_cents: 80, tip_share: 0.3}", "customers.absent_share=0.2",
    "drivers.vehicles={scooter: 0.7, drone: 0.3}", "policies.dispatch=matching(every_s=30)",
)  # fmt: skip


def pay_twice(monkeypatch):
    served = Takings.served
    monkeypatch.setattr(Takings, "served", lambda self, *job: (served(self, *job), served(self, *job)))


def forget_some(monkeypatch):
    served = Takings.served
    monkeypatch.setattr(Takings, "served", lambda self, order, *job: order % 5 and served(self, order, *job))


def pay_machines(monkeypatch):
    def for_all(self, *job):
        self._machines = frozenset()
        served(self, *job)

    served = Takings.served
    monkeypatch.setattr(Takings, "served", for_all)


def pay_too_little(monkeypatch):
    monkeypatch.setattr(takings, "way_cents", lambda pay, metres: round(pay.km_cents * metres / 1000.0 - 1.0))


def pay_the_way_of_another(monkeypatch):
    served = Takings.served
    monkeypatch.setattr(Takings, "served", lambda self, order, *job: served(self, max(order - 1, 0), *job))


MUTANTS = [pay_twice, forget_some, pay_machines, pay_too_little, pay_the_way_of_another]


def test_the_day_on_which_ways_are_paid_breaks_no_law(two_stores):
    assert laws_broken(two_stores(*PAID)) == set()


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_noticed(two_stores, monkeypatch, mutant):
    mutant(monkeypatch)
    assert "wages" in laws_broken(two_stores(*PAID))
