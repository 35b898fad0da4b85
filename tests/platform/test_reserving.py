"""Reserving by every mechanism: nobody holds what another holds, everybody is told, and twice is once."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.reservation.lock import Lock
from policies.reservation.none import NoReservation
from policies.reservation.optimistic import Optimistic
from policies.reservation.slots import Slots
from sim.engine import simulate
from sim.laws import all_laws, verdict, whole_log
from sim.recording import MemoryArchive
from sim.vocabulary import InputError, StockCause
from sim.world.build import build_world
from tests.platform.bare_shop import SKUS, Shop

PATIENT = {"attempts_max": 500, "base_s": 0.01, "cap_s": 0.1}
SAFE = {
    "optimistic": Optimistic(**PATIENT),  # type: ignore[arg-type]
    "slots": Slots(slots=3, hot_after=1, **PATIENT),  # type: ignore[arg-type]
    "slots at once": Slots(slots=3, hot_after=0, **PATIENT),  # type: ignore[arg-type]
    "lock": Lock(timeout_s=1e4, lease_s=2.0, attempts_max=500, pause_chance=0.2, pause_s=3.0),
}


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
    assert shop.env.peek() == float("inf")


def test_a_mechanism_nobody_knows_is_refused() -> None:
    class Prayer(Optimistic):
        mechanism = "prayer"

    with pytest.raises(InputError, match="expected a mechanism, one of optimistic, slots, lock, none; got 'prayer'"):
        Shop(Prayer(), [1], [0.0])


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
