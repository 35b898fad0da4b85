"""Shelf life: the oldest goods go first, and what is too old goes into the bin."""

from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.clock import Clock
from sim.facts import Facts
from sim.operations.freshness import Freshness
from sim.operations.shelves import Shelves
from sim.vocabulary import StockCause, StoreId
from tests.conftest import lawful_day

DAYS = 6
SHIFTS = "[{at: '00:00', hours: 12, share: 0.5}, {at: '12:00', hours: 12, share: 0.5}]"
PERISHABLE = (
    f"horizon_h={24 * DAYS}",
    "demand.orders_per_day=300",
    f"drivers={{count: 40, accept_share: 1, shifts: {SHIFTS}}}",
    f"pickers.shifts={SHIFTS}",
    "catalogue.categories=[{name: fish, share: 0.3, price_cents: 900, litres: 1, life_days: 1}, "
    "{name: milk, share: 0.4, price_cents: 100, litres: 1, life_days: 3}, "
    "{name: salt, share: 0.3, price_cents: 50, litres: 1}]",
    "supply={review_at: '06:00', look_at: '05:00', lead_h: 2, cover_days: 2, miscount_share: 0.05}",
    "customers.patience_s=null",  # nobody cancels, so nothing comes back to a lot that is gone
    "shrinkage={theft_share: 0.02, damage_share: 0.02}",
)


def test_lot_by_lot_it_is_the_same(one_store: Any, play: Any) -> None:
    """Lots followed one by one, each pick taking from the oldest, give what the shelves' totals gave."""
    played = lawful_day(play, one_store(*PERISHABLE))
    life = played.world.catalogue.life_days
    facts = []
    for kind, sign in (("shelf_changed", 1), ("goods_picked", -1), ("goods_put_back", 1)):
        for seq, row in zip(played.archive.seq(kind).tolist(), played.rows(kind), strict=True):
            cause = StockCause(int(row["cause"])) if kind == "shelf_changed" else None
            facts.append((seq, float(row["t_s"]), int(row["sku"]), sign * int(row["units"]), cause))
    lots: dict[int, list[list[int]]] = defaultdict(list)  # per SKU, oldest first: [look at which it goes, units]
    spoiled = 0
    first_s = 17 * 3600.0  # the day starts at noon
    for _, t_s, sku, units, cause in sorted(facts):
        looks = int((t_s - first_s) // 86_400.0) + 1  # taken so far
        if cause is StockCause.OPENING:
            parts = min(int(life[sku]) or 1, 2)  # what lay there came over two days, if it can be so old
            each = units // parts
            for age in reversed(range(parts)):
                lots[sku].append([int(life[sku]) - 1 - age, each + (units - each * parts) * (age == 0)])
        elif cause is StockCause.DELIVERY:
            lots[sku].append([looks + int(life[sku]) - 1, units])
        elif cause is StockCause.SPOILAGE:
            assert life[sku]
            due = sum(lot[1] for lot in lots[sku] if lot[0] <= looks - 1)
            assert due == -units, (t_s, sku)
            lots[sku] = [lot for lot in lots[sku] if lot[0] > looks - 1]
            spoiled -= units
        else:
            assert units < 0
            while units:
                taken = min(-units, lots[sku][0][1])
                lots[sku][0][1] -= taken
                units += taken
                if not lots[sku][0][1]:
                    lots[sku].pop(0)
        if life[sku]:
            assert all(lot[0] >= looks - 1 for lot in lots[sku] if lot[1]), "nothing lies there beyond its day"
    assert spoiled == played.study.summary["losses"]["spoiled"] > 100


def test_waste_is_scanned_and_no_drift(one_store: Any, play: Any) -> None:
    honest = (
        "supply.miscount_share=0",
        "stores.inaccurate_share=0",
        "pickers.mispick_share=0",
        "shrinkage={theft_share: 0, damage_share: 0}",
    )
    played = lawful_day(play, one_store(*PERISHABLE, *honest))
    assert played.study.summary["losses"]["spoiled"] > 0
    assert played.study.summary["drift"]["units_abs"] == 0
    changed = played.rows("shelf_changed")
    waste = changed[changed["cause"] == StockCause.SPOILAGE]
    assert len(np.unique(waste["t_s"])) <= DAYS
    assert (waste["t_s"] % 86_400.0 == 17 * 3600.0).all(), "at five in the morning"


def test_a_shorter_life_wastes_more(one_store: Any, play: Any) -> None:
    def waste(days: str) -> int:
        fresh = f"catalogue.categories=[{{name: all, share: 1, price_cents: 100, litres: 1, life_days: {days}}}]"
        return int(play(one_store(*PERISHABLE, fresh)).study.summary["losses"]["spoiled"])

    keeps, three, one = waste("null"), waste("3"), waste("1")
    assert keeps == 0 < three < one


@pytest.mark.parametrize("seed", range(20))
def test_lots_that_go_from_store_to_store_keep_their_age(seed: int) -> None:
    """Units followed one by one through deliveries, picks, looks and transfers give what the shelves' totals gave."""
    life, rng = 3, np.random.default_rng(seed)
    shelves, thrown = Shelves(Facts(), np.zeros((2, 1)), np.zeros((2, 1))), [0, 0]
    desk: Any = SimpleNamespace(written_off=lambda store, skus, units, cause: thrown.__setitem__(store, int(units[0])))
    fresh = Freshness(Clock(), desk, shelves, np.array([life]), first_s=0.0, opening_days=1)
    look = fresh.run()
    next(look)
    ages: list[list[int]] = [[], []]  # of each store's units
    road: list[tuple[int, NDArray[np.int64], list[int]]] = []
    sku = np.array([0])
    for step in rng.choice(["came", "picked", "sent", "arrived", "look"], 400):
        store, units = int(rng.integers(2)), int(rng.integers(1, 6))
        here, units_there = StoreId(store), min(units, len(ages[store]))
        ages[store].sort(reverse=True)
        if step == "came":
            shelves.change_many(here, sku, np.array([units]), StockCause.DELIVERY)
            fresh.received(here, np.array([units]))
            ages[store] += [0] * units
        elif step in ("picked", "sent") and units_there:
            gone, ages[store] = ages[store][:units_there], ages[store][units_there:]
            if step == "sent":
                road.append((1 - store, fresh.sent(here, np.array([units_there])), gone))
            shelves.change_many(here, sku, np.array([-units_there]), StockCause.TRANSFER)
        elif step == "arrived" and road:
            to, lots, gone = road.pop(int(rng.integers(len(road))))
            fresh.came(StoreId(to), lots)
            shelves.change_many(StoreId(to), sku, np.array([len(gone)]), StockCause.TRANSFER)
            ages[to] += gone
        elif step == "look":
            thrown[:] = [0, 0]
            next(look)
            assert thrown == [sum(age >= life - 1 for age in each) for each in ages]
            ages = [[age + 1 for age in each if age < life - 1] for each in ages]
            for _, _, gone in road:
                gone[:] = [age + 1 for age in gone]
    assert len(fresh.on_road) == len(road)
