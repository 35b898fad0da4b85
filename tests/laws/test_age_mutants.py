"""Break on purpose the check of age at the door: the law of ages must notice."""

from types import MethodType

import numpy as np
import pytest

from sim.operations.doors import Doors
from sim.platform.desks import Desks
from sim.platform.offers import Offers
from sim.vocabulary import TaskEnd
from tests.conftest import lawful_day
from tests.laws.test_mutants import laws_broken

KINDS = (
    "catalogue={skus: 60, categories: [{name: bread, share: 0.7, price_cents: 200, litres: 0.5}, "
    "{name: wine, share: 0.3, price_cents: 900, litres: 0.5, restricted: true}]}"
)
ADULTS = (
    KINDS, "customers={patience_s: null, underage_share: 0.4}", "pickers.mispick_share=0.2", "drivers.accept_share=1",
    "drivers.vehicles={scooter: 0.6, drone: 0.4}", "drivers.count=30",
)  # fmt: skip


def ask_nobody(monkeypatch):
    monkeypatch.setattr(Desks, "asks_for_age", lambda self, order_id: False)
    monkeypatch.setattr(Doors, "adults_only", lambda self, order: False)


def trust_the_app(monkeypatch):
    monkeypatch.setattr(Doors, "adults_only", lambda self, order: False)


def take_everybody_for_of_age(monkeypatch):
    begin = Doors.__init__

    def trusting(self, *arguments):
        begin(self, *arguments)
        self._underage = frozenset()

    monkeypatch.setattr(Doors, "__init__", trusting)


def hand_it_over_all_the_same(monkeypatch):
    def fails(self, order, node, driver, reason):
        self._shelves.hand_over(order, driver, node)
        self._office.handed_over(order, driver)
        return False

    monkeypatch.setattr(Doors, "fails", fails)


def send_drones(monkeypatch):
    begin = Offers.__init__

    def careless(self, *arguments, **options):
        begin(self, *arguments, **options)
        self._needs_a_person = MethodType(lambda self, order, driver: False, self)

    monkeypatch.setattr(Offers, "__init__", careless)
    monkeypatch.setattr(Doors, "adults_only", lambda self, order: False)


MUTANTS = [ask_nobody, trust_the_app, take_everybody_for_of_age, hand_it_over_all_the_same, send_drones]


def test_the_day_on_which_many_are_asked_breaks_no_law(two_stores):
    assert laws_broken(two_stores(*ADULTS)) == set()


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_noticed(two_stores, monkeypatch, mutant):
    mutant(monkeypatch)
    assert "ages" in laws_broken(two_stores(*ADULTS))


def test_whoever_gets_something_for_adults_has_been_asked_by_whoever_brings_it(two_stores, play):
    day = lawful_day(play, two_stores(*ADULTS))
    world, picked, checked = day.world, day.rows("goods_picked"), day.rows("age_checked")
    adults = set(picked["order"][world.doors.restricted[picked["sku"]]].tolist())
    given = {int(row["order"]): int(row["driver"]) for row in day.rows("goods_delivered")}
    kept = set(day.rows("goods_kept")["order"].tolist())
    asked = {int(row["order"]): (int(row["driver"]), bool(row["passed"])) for row in checked}
    got = [order for order in given if order in adults and order not in kept]
    assert len(got) > 10
    assert all(asked[order] == (given[order], True) for order in got)
    assert {passed for _, passed in asked.values()} == {True, False}


def test_what_a_picker_has_mixed_up_does_not_fly(two_stores, play):
    day = lawful_day(play, two_stores(*ADULTS))
    world, picked, left = day.world, day.rows("goods_picked"), day.rows("leg_started")
    adults = np.unique(picked["order"][world.doors.restricted[picked["sku"]]])
    flies = np.array([world.travel.profiles[driver.profile].flies for driver in world.drivers])
    back = day.rows("order_taken_back")
    assert np.isin(back["order"], adults).all()
    assert flies[back["driver"]].all()
    assert len(back)
    # Somebody else has brought some of them since.
    closed = day.rows("task_closed")
    over = closed["order"][closed["ended"] == TaskEnd.HANDED_OVER]
    assert np.isin(back["order"], over).any()
    assert not np.isin(left["order"][flies[left["driver"]] & (left["trip"] == 1)], adults).any()


def test_where_the_place_has_no_such_rule_nobody_is_asked(two_stores, play):
    free = lawful_day(play, two_stores(*ADULTS, "drivers.rules.age_check=false"))
    unrestricted = lawful_day(play, two_stores(*ADULTS, KINDS.replace(", restricted: true", "")))
    assert free.outcome.digest == unrestricted.outcome.digest
    assert not len(free.rows("age_checked"))
