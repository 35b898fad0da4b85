"""Reserving by every mechanism: nobody holds what another holds, everybody is told, and twice is once."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.reservation.lock import Lock
from policies.reservation.none import NoReservation
from policies.reservation.optimistic import Optimistic
from policies.reservation.slots import Slots
from sim.clock import Clock, Timer
from sim.contracts import OrderRequest
from sim.engine import simulate
from sim.facts import SIGNATURES, Facts
from sim.laws import all_laws, verdict, whole_log
from sim.platform.inventory import Inventory
from sim.platform.orders import Order
from sim.platform.reserving import Reserving
from sim.platform.stock_events import StockEvents
from sim.recording import MemoryArchive
from sim.story import tell
from sim.streams import Die
from sim.vocabulary import InputError, OrderState, StockCause
from sim.world.build import build_world

SKUS = 4
PATIENT = {"attempts_max": 500, "base_s": 0.01, "cap_s": 0.1}
SAFE = {
    "optimistic": Optimistic(**PATIENT),  # type: ignore[arg-type]
    "slots": Slots(slots=3, hot_after=1, **PATIENT),  # type: ignore[arg-type]
    "slots at once": Slots(slots=3, hot_after=0, **PATIENT),  # type: ignore[arg-type]
    "lock": Lock(timeout_s=1e4, lease_s=2.0, attempts_max=500, pause_chance=0.2, pause_s=3.0),
}


class Ear(Facts):
    """Counts every fact and keeps those asked for."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        for kind in SIGNATURES:
            setattr(self, kind, self._hear(kind))

    def _hear(self, kind: str) -> Any:
        return lambda **values: self.heard.append((kind, values))

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [values for name, values in self.heard if name == kind]


class Shop:
    """One store on a bare clock."""

    def __init__(self, policy: Any, stock: list[int], windows: list[float], **options: Any) -> None:
        self.env, self.ear = Clock(), Ear()
        self.inventory = Inventory(self.ear, 1, SKUS, env=self.env, events=StockEvents(self.env, 1, SKUS))
        for sku, units in enumerate(stock):
            self.inventory.adjust(0, sku, units, StockCause.OPENING)  # type: ignore[arg-type]
        self.reserving = Reserving(self.env, self.ear, self.inventory, policy, windows, Die(5), **options)
        self.answers: dict[int, Any] = {}
        self.told: Counter[int] = Counter()
        self.telling: dict[int, Any] = {}

    def order(self, number: int, basket: dict[int, int]) -> Order:
        request = OrderRequest(number, 0, 0, 0, tuple(basket), tuple(basket.values()), 100, 1.0)  # type: ignore[arg-type]
        return Order(request, 0, ())  # type: ignore[arg-type]

    def reserve(self, order: Order, at_s: float = 0.0, verb: str = "run") -> None:
        """Tell an order's story; told again, it is the story of a restarted orchestrator, and the one before is dead."""

        def story() -> Iterator[Any]:
            self.answers[order.id] = yield from getattr(self.reserving, verb)(order)
            self.told[order.id] += 1

        def begin() -> None:
            if order.id in self.telling:
                self.telling[order.id].close()
            self.telling[order.id] = story()
            tell(self.telling[order.id])

        if at_s:
            self.at(at_s, begin)
        else:
            begin()

    def at(self, at_s: float, act: Any) -> None:
        Timer(self.env, at_s, lambda _: act())


# -- what holds for every mechanism -----------------------------------------------------------------------------------

BASKET = st.dictionaries(st.integers(0, SKUS - 1), st.integers(1, 4), min_size=1, max_size=SKUS)
BUYERS = st.lists(st.tuples(st.integers(0, 20), BASKET, st.sampled_from([0, 0, 1, 5])), min_size=1, max_size=12)
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 25), st.sampled_from(["count", "deliver", "release", "commit", "again"]), st.integers(0, 11)
    ),
    max_size=12,
)


@pytest.mark.parametrize("verb", ["run", "prepare"])
@pytest.mark.parametrize("name", SAFE)
@given(buyers=BUYERS, stock=st.lists(st.integers(0, 8), min_size=SKUS, max_size=SKUS), events=EVENTS)
@settings(max_examples=60, deadline=None)
def test_nobody_holds_what_another_holds(
    name: str, verb: str, buyers: list[Any], stock: list[int], events: list[tuple[int, str, int]]
) -> None:
    """Any buyers at any time, with counts, deliveries and holds that end among them."""
    shop = Shop(SAFE[name], stock, [window * 0.1 for _, _, window in buyers])
    inventory = shop.inventory
    orders = [shop.order(number, basket) for number, (_, basket, _) in enumerate(buyers)]

    def check() -> None:
        held: Counter[int] = Counter()
        for order in orders:
            if not order.committed:
                held.update({int(sku): units for sku, units in order.held})
        assert list(inventory.reserved) == [held[sku] for sku in range(SKUS)]
        assert min(inventory.available) >= 0
        assert inventory.differing(0) == 0  # type: ignore[arg-type]
        if inventory.split is not None:
            for place in range(SKUS):
                assert place not in inventory.split or inventory.split.total(place) == inventory.available[place]

    def happen(what: str, number: int) -> None:
        order = orders[number % len(orders)]
        if what == "count":
            inventory.counted(0, number % SKUS, number)  # type: ignore[arg-type]
        elif what == "deliver":
            inventory.adjust(0, number % SKUS, 2, StockCause.DELIVERY)  # type: ignore[arg-type]
        elif what == "again":
            shop.reserve(order, 0.0, verb)
        elif order.held and not order.committed:
            getattr(inventory, what)(order)
            shop.reserving.commit_prepared(order)
        check()

    for (at_s, _, _), order in zip(buyers, orders, strict=True):
        shop.reserve(order, at_s * 0.1, verb)
    for at_s, what, number in events:
        shop.at(at_s * 0.1 + 0.05, lambda what=what, number=number: happen(what, number))
    for until_s in (*(number * 0.1 for number in range(1, 30)), *range(4, 100, 4)):
        shop.env.advance(until_s)
        check()
        for order in orders:
            shop.reserving.commit_prepared(order)
    assert all(shop.told[order.id] for order in orders), "everybody hears in the end"
    given_up = {number for number, answer in shop.answers.items() if not answer}
    assert given_up <= {fact["order"] for fact in shop.ear.all("lock_timed_out")}
    assert verb == "prepare" or not given_up, "patience has no end here"
    # Held and missing make up what was wanted, line by line, and only once.
    once = Counter((fact["order"], fact["sku"]) for fact in shop.ear.all("stock_reserved"))
    ended = {fact["order"] for fact in shop.ear.all("hold_released")}
    assert all(count == 1 for (order, _), count in once.items() if order not in ended)
    got: Counter[tuple[int, int]] = Counter()
    for kind in ("stock_reserved", "line_missing"):
        for fact in shop.ear.all(kind):
            got[fact["order"], fact["sku"]] += fact["units"]
    for order in orders:
        if order.id in given_up:
            assert order.held == []
        elif order.id not in ended:
            assert {sku: got[order.id, sku] for sku in order.skus} == dict(zip(order.skus, order.units, strict=True))


@pytest.mark.parametrize("name", SAFE)
def test_an_order_that_has_its_answer_keeps_it(name: str) -> None:
    shop = Shop(SAFE[name], [5, 0, 0, 0], [0.1, 0.1])
    some, nothing = shop.order(0, {0: 2, 1: 1}), shop.order(1, {1: 3})
    for at_s in (0.0, 0.05, 20.0, 40.0):
        shop.reserve(some, at_s)
        shop.reserve(nothing, at_s)
    shop.at(30.0, lambda: shop.inventory.adjust(0, 1, 9, StockCause.DELIVERY))  # type: ignore[arg-type]
    shop.env.advance(100.0)
    assert shop.told == {0: 3, 1: 3}
    assert some.held == [(0, 2)]
    assert nothing.held == [], "what was denied was denied, though the goods came later"
    missing = [(fact["order"], fact["units"]) for fact in shop.ear.all("line_missing")]
    assert sorted(missing) == [(0, 1), (1, 3)]


@pytest.mark.parametrize(
    ("policy", "verb"), [(policy, verb) for policy in SAFE.values() for verb in ("run", "prepare")]
)
def test_without_a_window_nobody_waits(policy: Any, verb: str) -> None:
    shop = Shop(policy, [5, 5, 5, 5], [0.0])
    shop.reserving._pause_chance = 0.0
    order = shop.order(0, {2: 1, 1: 2})
    story = getattr(shop.reserving, verb)(order)
    with pytest.raises(StopIteration) as end:
        next(story)
    assert end.value.value is True
    assert dict(order.held) == {2: 1, 1: 2}
    assert not shop.env._queue


def test_a_mechanism_nobody_knows_is_refused() -> None:
    class Prayer(Optimistic):
        mechanism = "prayer"

    with pytest.raises(InputError, match="expected a mechanism, one of optimistic, slots, lock, none; got 'prayer'"):
        Shop(Prayer(), [1], [0.0])


# -- locks ------------------------------------------------------------------------------------------------------------


def test_orders_with_the_same_lines_in_any_sequence_do_not_lock_each_other_out() -> None:
    shop = Shop(Lock(timeout_s=100.0, lease_s=100.0), [9, 9, 9, 9], [1.0] * 4)
    for number, skus in enumerate(([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3])):
        shop.reserve(shop.order(number, dict.fromkeys(skus, 1)))
    shop.env.advance(4.01)
    assert all(shop.answers[number] is True for number in range(4))
    assert shop.ear.all("lock_timed_out") == []


def test_who_has_waited_too_long_gives_up_and_lets_go_of_what_he_has() -> None:
    shop = Shop(Lock(timeout_s=0.5, lease_s=100.0), [9, 9, 9, 9], [2.0, 0.1, 0.1])
    shop.reserve(shop.order(0, {1: 1}))
    shop.reserve(shop.order(1, {0: 1, 1: 1}), 0.2)
    shop.reserve(shop.order(2, {0: 1}), 0.3)
    shop.env.advance(10.0)
    assert shop.answers == {0: True, 1: False, 2: True}
    assert shop.ear.all("lock_timed_out") == [{"order": 1, "store": 0, "sku": 1, "waited_s": pytest.approx(0.5)}]
    kinds = [kind for kind, values in shop.ear.heard if values.get("order") in (1, 2)]
    assert kinds == ["lock_timed_out", "stock_reserved"], "order 2 got the lock that order 1 let go of"


def test_the_lock_of_a_crashed_orchestrator_lapses() -> None:
    shop = Shop(Lock(timeout_s=20.0, lease_s=5.0), [9, 9, 9, 9], [1.0, 1.0])
    dead = shop.reserving.run(shop.order(0, {0: 1}))
    next(dead)
    dead.close()
    shop.reserve(shop.order(1, {0: 1}))
    shop.env.advance(5.9)
    assert shop.answers == {}
    shop.env.advance(6.1)
    assert shop.answers == {1: True}


def paused(fencing: bool) -> Shop:
    """Order 0 reads the last unit and stands still past its lease; order 1 buys it meanwhile."""
    shop = Shop(Lock(timeout_s=20.0, lease_s=5.0, fencing=fencing), [1, 0, 0, 0], [0.1, 0.1])
    shop.reserving.leases.pause_next(0, 8.0)  # type: ignore[arg-type]
    shop.reserve(shop.order(0, {0: 1}))
    shop.reserve(shop.order(1, {0: 1}), 1.0)
    shop.env.advance(30.0)
    assert shop.answers == {0: True, 1: True}
    return shop


def test_a_holder_paused_past_its_lease_does_not_reserve_twice() -> None:
    shop = paused(fencing=True)
    assert shop.ear.all("write_fenced") == [{"order": 0, "store": 0, "sku": 0, "token": 1}]
    assert [fact["order"] for fact in shop.ear.all("stock_reserved")] == [1]
    assert [fact["order"] for fact in shop.ear.all("line_missing")] == [0], "it read again, and there was nothing"
    assert (shop.inventory.available[0], shop.inventory.reserved[0]) == (0, 1)


def test_without_fencing_it_does() -> None:
    shop = paused(fencing=False)
    assert shop.ear.all("write_fenced") == []
    assert [fact["order"] for fact in shop.ear.all("stock_reserved")] == [1, 0]
    assert (shop.inventory.available[0], shop.inventory.reserved[0]) == (-1, 2)


def test_whoever_is_always_paused_gives_up() -> None:
    policy = Lock(timeout_s=20.0, lease_s=1.0, attempts_max=3, pause_chance=1.0, pause_s=4.0)
    shop = Shop(policy, [9, 0, 0, 0], [0.0, 0.0])
    shop.reserve(shop.order(0, {0: 1}))
    # Somebody counts the shelf whenever the order stands still.
    for at_s in (1.0, 5.0, 9.0):
        shop.at(at_s, lambda: shop.inventory.counted(0, 0, shop.inventory.available[0] - 1))  # type: ignore[arg-type]
    shop.env.advance(100.0)
    assert shop.answers == {0: False}
    assert len(shop.ear.all("write_fenced")) == 3


# -- two-phase commit ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vote", ["yes", "no"])
def test_a_prepared_order_keeps_its_records_locked_until_the_vote(vote: str) -> None:
    shop = Shop(Lock(timeout_s=100.0, lease_s=1.0), [3, 3, 0, 0], [0.1, 0.1])
    first, second = shop.order(0, {0: 2}), shop.order(1, {0: 2, 1: 1})
    shop.reserve(first, 0.0, "prepare")
    shop.reserve(second, 0.5, "prepare")
    shop.env.advance(30.0)
    assert shop.answers == {0: True}, "a lease of one second would have lapsed"
    assert first.held == [(0, 2)]
    if vote == "yes":
        assert shop.reserving.commit_prepared(first)
    else:
        shop.reserving.abort_prepared(first)
    shop.env.advance(31.0)
    assert shop.answers == {0: True, 1: True}
    assert second.held == ([(0, 1), (1, 1)] if vote == "yes" else [(0, 2), (1, 1)])
    assert len(shop.ear.all("hold_released")) == (vote == "no")
    # Both verbs may come again, and change nothing.
    before = len(shop.ear.heard)
    (shop.reserving.commit_prepared if vote == "yes" else shop.reserving.abort_prepared)(first)
    assert len(shop.ear.heard) == before
    assert shop.reserving.leases.holder(0) == 1


def test_an_order_that_gets_nothing_locks_nobody_out() -> None:
    shop = Shop(Lock(), [0, 0, 0, 0], [0.1, 0.1])
    shop.reserve(shop.order(0, {0: 2}), 0.0, "prepare")
    shop.env.advance(1.0)
    assert shop.answers == {0: True}
    assert shop.reserving.leases.holder(0) is None


# -- holds of abandoned carts -----------------------------------------------------------------------------------------


def test_a_hold_that_nobody_goes_on_with_expires() -> None:
    told: list[tuple[int, float]] = []
    shop = Shop(
        Optimistic(), [9, 9, 9, 9], [0.0] * 6, hold_s=60.0, on_expired=lambda o: told.append((o.id, shop.env.now))
    )
    orders = [shop.order(number, {0: 1}) for number in range(6)]
    for order in orders:
        shop.reserve(order, float(order.id))

    def confirm(order: Order) -> None:
        order.state = OrderState.CONFIRMED

    shop.at(30.0, lambda: confirm(orders[1]))
    shop.at(30.0, lambda: shop.inventory.release(orders[2]))
    shop.at(30.0, lambda: (confirm(orders[3]), shop.inventory.commit(orders[3])))
    shop.at(30.0, lambda: setattr(orders[4], "state", OrderState.PENDING_PAYMENT))
    shop.env.advance(300.0)
    assert told == [(0, 60.0), (4, 64.0), (5, 65.0)]
    assert [fact["order"] for fact in shop.ear.all("hold_expired")] == [0, 4, 5]
    assert orders[1].held == [(0, 1)], "an order that waits for a picker is no abandoned cart"
    assert (shop.inventory.available[0], shop.inventory.reserved[0]) == (7, 1)
    # The saga comes back to an order whose hold has expired: it gets no second one.
    shop.reserve(orders[0])
    assert shop.answers[0] is False
    assert orders[0].held == []


def test_one_timer_serves_all_deadlines() -> None:
    shop = Shop(Optimistic(), [999, 0, 0, 0], [0.0] * 500, hold_s=60.0)
    for number in range(500):
        shop.reserve(shop.order(number, {0: 1}))
    assert len(shop.env._queue) == 1
    shop.env.advance(61.0)
    assert shop.inventory.reserved[0] == 0


def test_the_locks_of_an_expired_hold_are_let_go() -> None:
    shop = Shop(Lock(timeout_s=100.0), [3, 0, 0, 0], [0.1, 0.1], hold_s=10.0)
    first = shop.order(0, {0: 2})
    shop.reserve(first, 0.0, "prepare")
    shop.reserve(shop.order(1, {0: 3}), 1.0, "prepare")
    shop.env.advance(10.3)
    assert shop.answers == {0: True, 1: True}
    assert not shop.reserving.commit_prepared(first), "too late: the hold is gone"
    assert shop.inventory.reserved[0] == 3


# -- no reservation ---------------------------------------------------------------------------------------------------


def test_without_reservation_everybody_is_told_yes() -> None:
    shop = Shop(NoReservation(), [1, 0, 0, 0], [0.5] * 3)
    orders = [shop.order(number, {0: 1, 3: 2}) for number in range(3)]
    before = len(shop.ear.heard)
    for order in orders:
        shop.reserve(order)
        shop.reserve(order, 0.0, "prepare")
    assert shop.answers == {0: True, 1: True, 2: True}
    assert all(order.held == [(0, 1), (3, 2)] for order in orders)
    assert len(shop.ear.heard) == before, "the records do not know of it"
    assert list(shop.inventory.available) == [1, 0, 0, 0]


# -- whole days -------------------------------------------------------------------------------------------------------

SALE = (
    "demand.orders_per_day=4000",
    "demand.flash_sales=[{at: '12:20', seconds: 30, buyers: 300, sku: 3, stock: 40}]",
    "supply={units_min: 1, cover_days: 0.05}",
    "stores.inaccurate_share=0.6",
    "platform={window_s: 0.5, hold_s: 20.0}",
    "payments={decline_share: 0.2}",
)
HOLDERS = "lock(timeout_s=20.0, lease_s=2.0, pause_chance=0.05, fencing={fencing})"


@pytest.mark.parametrize(
    ("policy", "fact", "law"),
    [
        ("optimistic", "version_conflict", None),
        ("slots(hot_after=1)", "version_conflict", None),
        ("lock", "lock_timed_out", None),
        (HOLDERS.format(fencing=True), "write_fenced", None),
        (HOLDERS.format(fencing=False), "stock_reserved", "records"),
        ("none", "line_missing", None),
    ],
)
def test_a_flash_sale_keeps_the_laws_by_every_mechanism_that_should(
    two_stores: Any, policy: str, fact: str, law: str | None
) -> None:
    world = build_world(two_stores(*SALE, f"policies.reservation={policy}"))
    laws, archive = all_laws(world), MemoryArchive()
    outcome = simulate(world, archive, laws=laws)
    assert {breach.law for breach in verdict(laws) + whole_log(archive, outcome.state)} == ({law} if law else set())
    assert len(archive.rows(fact)), "expected the mechanism at work"
    adjusted = archive.rows("record_adjusted")
    assert (StockCause.SOLD in adjusted["cause"]) == (policy == "none")
