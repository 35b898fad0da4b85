"""Stock records under any sequence of calls."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sim.contracts import OrderRequest
from sim.facts import Facts
from sim.platform.inventory import Inventory
from sim.platform.orders import Order
from sim.vocabulary import StockCause

STORES, SKUS = 2, 4
BASKETS = st.dictionaries(st.integers(0, SKUS - 1), st.integers(1, 5), min_size=1, max_size=SKUS)


class Ear(Facts):
    def __init__(self) -> None:
        self.conflicts = 0
        self.versions: list[int] = []

    def version_conflict(self, **_: Any) -> None:
        self.conflicts += 1

    def stock_reserved(self, *, version: int, **_: Any) -> None:
        self.versions.append(version)


def an_order(number: int, store: int, basket: dict[int, int]) -> Order:
    request = OrderRequest(number, 0, 0, 0, tuple(basket), tuple(basket.values()), 100, 1.0)  # type: ignore[arg-type]
    return Order(request, store, ())  # type: ignore[arg-type]


class Records(RuleBasedStateMachine):
    """The service against the simplest model: on hand and the open holds, each order by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.ear = Ear()
        self.inventory = Inventory(self.ear, STORES, SKUS)
        self.on_hand = [[0] * SKUS for _ in range(STORES)]
        self.holds: dict[int, tuple[Order, dict[int, int]]] = {}
        self.read: dict[int, tuple[Order, list[int], list[int]]] = {}
        self.next = 0

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
        seen = self.inventory.versions(order)
        self.read[order.id] = (order, seen, self.stamp(order))

    def stamp(self, order: Order) -> list[int]:
        return [self.inventory.version[order.store * SKUS + sku] for sku in order.skus]

    @precondition(lambda self: self.read)
    @rule(data=st.data(), blind=st.booleans())
    def write(self, data: Any, blind: bool) -> None:
        order, seen, stamp = self.read.pop(data.draw(st.sampled_from(sorted(self.read))))
        changed = self.stamp(order) != stamp
        conflicts, before = self.ear.conflicts, self.figures()
        done = self.inventory.reserve(order, None if blind else seen, 1)
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
    @rule(data=st.data(), sold=st.booleans())
    def end(self, data: Any, sold: bool) -> None:
        order, hold = self.holds.pop(data.draw(st.sampled_from(sorted(self.holds))))
        if sold:
            self.inventory.commit(order)
            for sku, units in hold.items():
                self.on_hand[order.store][sku] -= units
            # A hold that was committed has ended: to release it changes nothing.
        else:
            self.inventory.release(order)
        before = self.figures()
        self.inventory.release(order)
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
    ear = Ear()
    inventory = Inventory(ear, 1, 1)
    inventory.adjust(0, 0, 1, StockCause.OPENING)  # type: ignore[arg-type]
    first, second = an_order(0, 0, {0: 1}), an_order(1, 0, {0: 1})
    seen = inventory.versions(first), inventory.versions(second)
    assert inventory.reserve(first, seen[0], 1)
    assert not inventory.reserve(second, seen[1], 1)
    assert ear.conflicts == 1
    assert second.held == []
    assert inventory.reserve(second, inventory.versions(second), 2)
    assert second.held == []
    assert inventory.reserved[0] == 1


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
