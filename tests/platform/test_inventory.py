"""Stock records under any sequence of calls."""

from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sim.clock import Clock
from sim.contracts import OrderRequest
from sim.facts import Facts
from sim.platform.inventory import Inventory
from sim.platform.orders import Order
from sim.platform.slots import SplitRecords
from sim.platform.stock_events import StockEvents
from sim.vocabulary import SkuId, StockCause, StoreId

STORES, SKUS = 2, 4
BASKETS = st.dictionaries(st.integers(0, SKUS - 1), st.integers(1, 5), min_size=1, max_size=SKUS)


class Ear(Facts):
    def __init__(self) -> None:
        self.conflicts = 0
        self.versions: list[int] = []
        self.ends: list[tuple[str, int]] = []
        self.missing: list[tuple[int, int, int]] = []
        self.adjusted: list[tuple[int, int, int]] = []

    def version_conflict(self, **_: Any) -> None:
        self.conflicts += 1

    def stock_reserved(self, *, version: int, **_: Any) -> None:
        self.versions.append(version)

    def line_missing(self, *, order: int, sku: int, units: int, **_: Any) -> None:
        self.missing.append((order, sku, units))

    def hold_committed(self, *, order: int, **_: Any) -> None:
        self.ends.append(("committed", order))

    def hold_released(self, *, order: int, **_: Any) -> None:
        self.ends.append(("released", order))

    def hold_expired(self, *, order: int, **_: Any) -> None:
        self.ends.append(("expired", order))

    def many(self, kind: str, columns: Any) -> None:
        assert kind == "record_adjusted"
        self.adjusted += zip(*(columns[name].tolist() for name in ("sku", "units", "cause")), strict=True)

    def record_adjusted(self, *, sku: int, units: int, cause: int, **_: Any) -> None:
        self.adjusted.append((sku, units, cause))


def an_order(number: int, store: int, basket: dict[int, int]) -> Order:
    request = OrderRequest(number, 0, 0, 0, tuple(basket), tuple(basket.values()), 100, 1.0)  # type: ignore[arg-type]
    return Order(request, store, ())  # type: ignore[arg-type]


class Records(RuleBasedStateMachine):
    """The service against the simplest model: on hand and the open holds, each order by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.ear = Ear()
        self.env = Clock()
        self.inventory = Inventory(
            self.ear, STORES, SKUS, env=self.env, events=StockEvents(self.env, STORES, SKUS, every=7)
        )
        self.shown: dict[int, bool] = {}
        self.inventory.crossed = self.crosses
        self.inventory.split = SplitRecords(3, 1)
        for place in (0, 5):
            self.inventory.split.conflict(place, 0)
        self.on_hand = [[0] * SKUS for _ in range(STORES)]
        self.holds: dict[int, tuple[Order, dict[int, int]]] = {}
        self.read: dict[int, tuple[Order, float, list[int]]] = {}
        self.lost_s: dict[int, float] = {}
        self.next = 0

    def crosses(self, place: int, now: float, available: int) -> None:
        assert now == self.env.now
        assert self.shown.get(place, False) != (available > 0), "told twice, or of nothing"
        self.shown[place] = available > 0

    @rule(seconds=st.integers(1, 50))
    def wait(self, seconds: int) -> None:
        self.env.advance(self.env.now + seconds)

    @rule(store=st.integers(0, STORES - 1), units=st.lists(st.integers(0, 9), min_size=SKUS, max_size=SKUS))
    def deliver(self, store: int, units: list[int]) -> None:
        skus = np.flatnonzero(units)
        self.inventory.adjust_many(store, skus, np.array(units)[skus], StockCause.DELIVERY)  # type: ignore[arg-type]
        for sku, brought in enumerate(units):
            self.on_hand[store][sku] += brought

    @rule(store=st.integers(0, STORES - 1), sku=st.integers(0, SKUS - 1), units=st.integers(1, 9))
    def receive(self, store: int, sku: int, units: int) -> None:
        self.inventory.adjust(store, sku, units, StockCause.DELIVERY)  # type: ignore[arg-type]
        self.on_hand[store][sku] += units

    @rule(store=st.integers(0, STORES - 1), sku=st.integers(0, SKUS - 1), found=st.integers(0, 12))
    def count(self, store: int, sku: int, found: int) -> None:
        self.inventory.counted(store, sku, found)  # type: ignore[arg-type]
        # Units that are promised stay promised, even when the shelf holds fewer.
        self.on_hand[store][sku] = max(found, self.promised(store, sku))

    def promised(self, store: int, sku: int) -> int:
        return sum(hold.get(sku, 0) for order, hold in self.holds.values() if order.store == store)

    @rule(store=st.integers(0, STORES - 1), basket=BASKETS)
    def look(self, store: int, basket: dict[int, int]) -> None:
        order = an_order(self.next, store, basket)
        self.next += 1
        self.read[order.id] = (order, self.env.now, self.stamp(order))
        self.env.advance(self.env.now + 2.0**-20)  # whatever is written from now on is written after this

    def stamp(self, order: Order) -> list[int]:
        return [self.inventory.version[order.store * SKUS + sku] for sku in order.skus]

    @precondition(lambda self: self.read)
    @rule(data=st.data(), blind=st.booleans())
    def write(self, data: Any, blind: bool) -> None:
        order, read_s, stamp = self.read.pop(data.draw(st.sampled_from(sorted(self.read))))
        changed = self.stamp(order) != stamp  # by the machine's own look at the versions
        # Who read a page before it was lost must read again, whatever was on it.
        changed |= any(self.lost_s.get(order.store * SKUS + sku, -1.0) > read_s for sku in order.skus)
        conflicts, before = self.ear.conflicts, self.figures()
        done = self.inventory.reserve(order, None if blind else read_s, 1)
        if changed and not blind:
            assert not done
            assert self.ear.conflicts == conflicts + 1
            assert self.figures() == before
            assert order.held == []
            return
        assert done
        hold = {}
        for sku, wanted in zip(order.skus, order.units, strict=True):
            free = self.on_hand[order.store][sku] - self.promised(order.store, sku)
            if min(wanted, free):
                hold[int(sku)] = min(wanted, free)
        assert dict(order.held) == hold
        self.holds[order.id] = (order, hold)

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def reduce(self, data: Any) -> None:
        order, hold = self.holds[data.draw(st.sampled_from(sorted(self.holds)))]
        some = [sku for sku, units in hold.items() if units]
        if some:
            sku = data.draw(st.sampled_from(some))
            units = data.draw(st.integers(1, hold[sku]))
            self.inventory.reduce(order, sku, units)
            hold[sku] -= units

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), way=st.sampled_from(["committed", "released", "expired"]))
    def end(self, data: Any, way: str) -> None:
        order, hold = self.holds.pop(data.draw(st.sampled_from(sorted(self.holds))))
        ends = [(way, order.id)] if hold else []
        if way == "committed":
            ends = [(way, order.id)]
            self.inventory.commit(order)
            for sku, units in hold.items():
                self.on_hand[order.store][sku] -= units
            # A hold that was committed has ended: to release it changes nothing.
        elif way == "released":
            self.inventory.release(order)
        else:
            assert self.inventory.expire(order) == bool(hold)
            assert (order.id in self.inventory.expired) == bool(hold)
        before = self.figures()
        assert not self.inventory.expire(order)
        self.inventory.release(order)
        assert self.figures() == before
        assert self.ear.ends == ends, "a hold ends exactly once"
        self.ear.ends.clear()

    @rule(
        places=st.sets(st.integers(0, STORES * SKUS - 1), min_size=1), store=st.integers(0, STORES - 1), basket=BASKETS
    )
    def pages_turn_to_zeros(self, places: set[int], store: int, basket: dict[int, int]) -> None:
        before = self.figures()
        self.inventory.corrupt(sorted(places))
        self.lost_s |= dict.fromkeys(places, self.env.now)
        assert all(column[place] == 0 for column in self.figures() for place in places)
        unreadable = {sku: units for sku, units in basket.items() if store * SKUS + sku in places}
        if unreadable:
            order = an_order(10**6, store, unreadable)
            assert self.inventory.reserve(order, None, 1)
            assert order.held == [], "nobody sells what cannot be read"
            self.inventory.release(order)
        assert self.inventory.heal() == len(places)
        assert self.figures() == before

    def figures(self) -> tuple[list[int], list[int], list[int]]:
        return list(self.inventory.available), list(self.inventory.reserved), list(self.inventory.version)

    @invariant()
    def books_agree(self) -> None:
        for store in range(STORES):
            on_hand = self.inventory.on_hand(store).tolist()  # type: ignore[arg-type]
            for sku in range(SKUS):
                place = store * SKUS + sku
                assert self.inventory.available[place] >= 0
                assert self.inventory.reserved[place] == self.promised(store, sku)
                assert on_hand[sku] == self.on_hand[store][sku]
                assert self.shown.get(place, False) == (self.inventory.available[place] > 0)
            assert self.inventory.differing(store) == 0  # type: ignore[arg-type]
        for place in (0, 5):
            assert self.inventory.split.total(place) == self.inventory.available[place]

    @invariant()
    def no_write_escapes_its_store(self) -> None:
        for store, written_s in enumerate(self.inventory.written_s):
            assert max(self.inventory.updated_s[store * SKUS : (store + 1) * SKUS]) <= written_s

    @invariant()
    def versions_only_rise(self) -> None:
        now = list(self.inventory.version)
        before = getattr(self, "_before", now)
        assert all(a <= b for a, b in zip(before, now, strict=True))
        self._before = now


Records.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestRecords = Records.TestCase


def test_two_buyers_of_the_last_unit() -> None:
    """The textbook race: both read, both write; the second write must not go through."""
    env, ear = Clock(), Ear()
    inventory = Inventory(ear, 1, 1, env=env)
    inventory.adjust(0, 0, 1, StockCause.OPENING)  # type: ignore[arg-type]
    first, second = an_order(0, 0, {0: 1}), an_order(1, 0, {0: 1})
    read_s = env.now
    env.advance(1.0)
    assert inventory.reserve(first, read_s, 1)
    assert not inventory.reserve(second, read_s, 1)
    assert ear.conflicts == 1
    assert second.held == []
    assert inventory.reserve(second, env.now, 2)
    assert second.held == []
    assert inventory.reserved[0] == 1


def test_a_write_that_nobody_checks_carries_out_what_was_decided() -> None:
    """The lost update: why something must guard the window between reading and writing."""
    inventory = Inventory(Ear(), 1, 1)
    inventory.adjust(0, 0, 1, StockCause.OPENING)  # type: ignore[arg-type]
    first, second = an_order(0, 0, {0: 1}), an_order(1, 0, {0: 1})
    seen = inventory.versions(first), inventory.versions(second)
    inventory.write(first, seen[0][1])
    inventory.write(second, seen[1][1])
    assert (inventory.available[0], inventory.reserved[0]) == (-1, 2)
    third = an_order(2, 0, {0: 3})
    assert inventory.reserve(third, None, 1)
    assert third.held == [], "a record below nothing has nothing, not less"
    assert inventory._facts.missing == [(2, 0, 3)]  # type: ignore[attr-defined]


def test_a_record_knows_when_it_was_written() -> None:
    env = Clock()
    inventory = Inventory(Ear(), 2, 3, env=env)
    order = an_order(0, 1, {0: 2, 2: 1})
    for at_s, write in (
        (1.0, lambda: inventory.adjust_many(1, np.array([0, 2]), np.array([5, 5]), StockCause.DELIVERY)),  # type: ignore[arg-type]
        (2.0, lambda: inventory.reserve(order, None, 1)),
        (3.0, lambda: inventory.reduce(order, 0, 1)),  # type: ignore[arg-type]
        (4.0, lambda: inventory.commit(order)),
        (5.0, lambda: inventory.adjust(1, 1, 1, StockCause.COUNT)),  # type: ignore[arg-type]
        (6.0, lambda: inventory.hold(order, 1, 1)),  # type: ignore[arg-type]
        (7.0, lambda: inventory.sell(np.array([3]), np.array([1]))),
        (8.0, lambda: inventory.corrupt([5])),
    ):
        env.advance(at_s)
        before = list(inventory.version)
        write()
        written = [place for place in range(6) if inventory.version[place] != before[place]]
        assert written
        assert [inventory.updated_s[place] for place in written] == [at_s] * len(written)
        assert inventory.written_s == [0.0, at_s]
    assert list(inventory.updated_s) == [0, 0, 0, 7, 6, 8]


def test_without_holds_a_sale_leaves_the_record_at_picking_and_never_below_nothing() -> None:
    ear = Ear()
    inventory = Inventory(ear, 1, 2)
    inventory.adjust(0, 0, 3, StockCause.OPENING)  # type: ignore[arg-type]
    first, second, third = (an_order(number, 0, {0: 2, 1: 1}) for number in range(3))
    for order in (first, second, third):
        order.held.extend(zip(order.skus, order.units, strict=True))
        order.unheld = True
    assert list(inventory.available) == [3, 0]
    inventory.reduce(first, 1, 1)  # type: ignore[arg-type]
    assert ear.missing == [(0, 1, 1)]
    assert first.held == [(0, 2), (1, 0)]
    ear.adjusted.clear()
    inventory.commit(first)
    inventory.commit(second)
    assert ear.adjusted == [(0, -2, StockCause.SOLD), (0, -1, StockCause.SOLD)]
    assert not inventory.expire(third)
    assert len(third.held) == 2
    inventory.release(third)
    assert third.held == []
    assert (list(inventory.available), list(inventory.reserved)) == ([0, 0], [0, 0])
    assert ear.ends == [], "there was no hold that could end"


def test_after_a_failover_on_hand_is_what_it_was_and_open_orders_keep_their_goods() -> None:
    env, ear = Clock(), Ear()
    inventory = Inventory(ear, 1, 3, env=env, events=StockEvents(env, 1, 3))
    inventory.adjust_many(0, np.arange(3), np.array([10, 10, 2]), StockCause.OPENING)  # type: ignore[arg-type]
    kept, sold, late = an_order(0, 0, {0: 3}), an_order(1, 0, {0: 1, 1: 4}), an_order(2, 0, {2: 2})
    inventory.reserve(kept, None, 1)
    inventory.reserve(sold, None, 1)
    env.advance(100.0)
    inventory.commit(sold)
    inventory.adjust(0, 1, 50, StockCause.DELIVERY)  # type: ignore[arg-type]
    inventory.reserve(late, None, 1)
    read_s, versions = env.now, list(inventory.version)
    env.advance(101.0)
    ear.adjusted.clear()
    assert inventory.recover(inventory.written([StoreId(0)]), 50.0) == 4
    # The sale is forgotten (five units too many), the delivery as well; what open orders hold stays theirs.
    assert list(inventory.reserved) == [3, 0, 2]
    assert inventory.on_hand(0).tolist() == [10, 10, 2]  # type: ignore[arg-type]
    assert ear.adjusted == [(0, 1, StockCause.RECOVERY), (1, -46, StockCause.RECOVERY)]
    assert all(now >= before for now, before in zip(inventory.version, versions, strict=True))
    assert not inventory.reserve(an_order(3, 0, {0: 1, 1: 1}), read_s, 1), "who read before the crash must read again"
    assert inventory.differing(0) == 0  # type: ignore[arg-type]
    env.advance(105.0)
    inventory.release(late)
    assert inventory.available[2] == 2
    before = list(inventory.available)
    env.advance(110.0)
    lost = inventory.recover(inventory.written([StoreId(0)]), 20.0)
    assert lost == 1, "only the release: nothing from before the last recovery is lost again"
    assert inventory.differing(0) == 0  # type: ignore[arg-type]
    assert inventory.available[2] == before[2], "on hand is what it was, and the order holds nothing now"


def test_what_is_written_while_the_primary_is_down_is_held_back_and_not_lost() -> None:
    env = Clock()
    inventory = Inventory(Ear(), 2, 2, env=env, events=StockEvents(env, 2, 2))
    for store in (StoreId(0), StoreId(1)):
        inventory.adjust_many(store, np.arange(2), np.array([10, 10]), StockCause.OPENING)
    env.advance(100.0)
    inventory.adjust(StoreId(0), SkuId(0), 5, StockCause.DELIVERY)  # the standby never hears of it
    inventory.adjust(StoreId(1), SkuId(0), 5, StockCause.DELIVERY)
    env.advance(101.0)
    died = inventory.written([StoreId(0)])
    env.advance(120.0)
    inventory.adjust(StoreId(0), SkuId(1), 7, StockCause.DELIVERY)
    env.advance(130.0)
    assert inventory.recover(died, 98.0) == 1
    assert inventory.on_hand(StoreId(0)).tolist() == [10, 17]
    assert inventory.on_hand(StoreId(1)).tolist() == [15, 10], "another database"
    env.advance(140.0)
    assert inventory.recover(inventory.written([StoreId(0)]), 140.0) == 0, "a standby that is not behind lacks nothing"
    assert inventory.recover(died, 0.0) == 0, "its stream began anew since"
    assert inventory.on_hand(StoreId(0)).tolist() == [10, 17]


def test_a_record_that_two_faults_hit_is_mended_when_both_are_over() -> None:
    env = Clock()
    inventory = Inventory(Ear(), 2, 3, env=env, events=StockEvents(env, 2, 3))
    for store in (StoreId(0), StoreId(1)):
        inventory.adjust_many(store, np.arange(3), np.array([10, 10, 10]), StockCause.OPENING)
    inventory.corrupt([0, 1, 3])
    inventory.corrupt([1, 2, 4])
    assert inventory.heal([0, 1, 3]) == 2
    assert list(inventory.available) == [10, 0, 0, 10, 0, 10]
    inventory.recover(inventory.written([StoreId(0)]), 0.0)
    assert list(inventory.available) == [10, 10, 10, 10, 0, 10], (
        "a failover brings pages that can be read, of its stores"
    )
    assert inventory.heal([1, 2, 4]) == 1
    assert list(inventory.available) == [10] * 6


def test_records_without_a_history_cannot_be_rebuilt() -> None:
    inventory = Inventory(Ear(), 1, 1)
    inventory.corrupt([0])
    with pytest.raises(RuntimeError, match="Expected the stock events"):
        inventory.heal()


def test_a_flash_sale_sells_no_unit_twice(two_stores: Any, play: Any) -> None:
    played = play(
        two_stores(
            "demand.flash_sales=[{at: '12:20', seconds: 2, buyers: 150, sku: 59, stock: 40}]",
            "demand.orders_per_day=240",
            "stores.inaccurate_share=0",
            "payments.decline_share=0",
            "customers.patience_s=null",
            "pickers.mispick_share=0",
            "platform.window_s=0.05",
        )
    )
    assert len(played.rows("version_conflict")) > 50
    held = played.rows("stock_reserved")
    held = held[held["sku"] == 59]
    for store in (0, 1):
        sold = int(held["units"][held["store"] == store].sum())
        back = played.rows("hold_released")["order"]
        returned = int(held["units"][(held["store"] == store) & [order in back for order in held["order"]]].sum())
        assert sold - returned <= 40
    assert (played.outcome.state.shelf[:, 59] >= 0).all()
    assert len(played.rows("hold_reduced")) == 0, "with true records and no mispicks nobody finds an empty shelf"
