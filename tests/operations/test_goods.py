"""Goods on shelves: short picks, mispicks, counts, put-backs, deliveries; and the clocks of the floor."""

from collections import Counter
from functools import partial
from typing import Any

import numpy as np
import pytest

from sim.clock import Clock
from sim.operations.timing import Deadlines, agenda
from sim.story import tell
from sim.vocabulary import CancelReason, OrderState, StockCause

SURE = ("payments={decline_share: 0, methods: {card: 1}}", "customers={patience_s: null}", "drivers.count=40")
TIGHT = (
    *SURE,
    "demand.orders_per_day=4000",
    "supply={units_min: 1, cover_days: 0.02}",
    "stores.inaccurate_share=0.9",
    "stores.inaccurate_units=25",
    "policies.substitution=refund(share_min=0)",
)


def test_a_short_pick_is_refunded_and_counted(two_stores: Any, play: Any) -> None:
    played = play(two_stores(*TIGHT, "pickers.mispick_share=0"))
    short, prices = played.rows("hold_reduced"), played.world.catalogue.price_cents
    assert len(short) > 20
    owed: Counter[int] = Counter()
    for row in short:
        owed[int(row["order"])] += int(row["units"] * prices[row["sku"]])
    refunded = Counter(
        dict(zip(played.study.orders["order"].tolist(), played.study.orders["refunded_cents"].tolist(), strict=True))
    )
    states = dict(zip(played.study.orders["order"].tolist(), played.study.orders["state"].tolist(), strict=True))
    fee = played.world.scenario.platform.delivery_fee_cents
    ends = set()
    for order, cents in owed.items():
        ends.add(states[order])
        nothing_left = states[order] == OrderState.CANCELLED
        assert refunded[order] == cents + (fee if nothing_left else 0)
    assert OrderState.DELIVERED in ends
    reasons = played.rows("order_cancelled")["reason"].tolist()
    assert set(reasons) <= {CancelReason.OUT_OF_STOCK, CancelReason.NOT_FOUND, CancelReason.NO_DRIVER}
    # Each short pick empties a shelf, is counted as empty, and its record says so from then on.
    counted = played.rows("shelf_counted")
    assert len(counted) == len(short)
    assert (counted["units"] == 0).all()
    state = played.outcome.state
    for row in counted:
        place = int(row["store"]), int(row["sku"])
        assert state.available[place] + state.reserved[place] == state.shelf[place]


def test_a_policy_that_never_counts_leaves_the_record_wrong(two_stores: Any, play: Any) -> None:
    played = play(
        two_stores(*TIGHT, "pickers.mispick_share=0", "policies.reconciliation=count_on_short_pick(units_min=1000)")
    )
    assert len(played.rows("hold_reduced")) > 20
    assert len(played.rows("shelf_counted")) == 0
    assert (played.rows("record_adjusted")["cause"] != StockCause.COUNT).all()


def test_a_mispick_takes_the_neighbour_and_leaves_two_records_wrong(one_store: Any, play: Any) -> None:
    played = play(one_store(*SURE, "pickers.mispick_share=0.2", "stores.inaccurate_share=0", "supply.cover_days=9"))
    held = {(int(r["order"]), int(r["sku"])): int(r["units"]) for r in played.rows("stock_reserved")}
    picked: Counter[tuple[int, int]] = Counter()
    for row in played.rows("goods_picked"):
        picked[int(row["order"]), int(row["sku"])] += int(row["units"])
    expected: Counter[tuple[int, int]] = Counter()
    slips = 0
    for (order, sku), units in held.items():
        wrong = sku in played.world.trace.mispicks.get(order, ())
        slips += wrong
        expected[order, (sku + 1) % 60 if wrong else sku] += units
    assert picked == expected
    lines = len(held)
    assert abs(slips / lines - 0.2) < 5 * np.sqrt(0.16 / lines)
    gap = played.outcome.state.available + played.outcome.state.reserved - played.outcome.state.shelf
    assert gap.sum() == 0
    assert (gap != 0).any()


def test_without_errors_records_and_shelves_agree_whatever_happens(two_stores: Any, play: Any) -> None:
    played = play(
        two_stores(
            "stores.inaccurate_share=0", "pickers.mispick_share=0", "customers={patience_s: 500}", "drivers.count=6", "drain_h=6",
            "payments.decline_share=0.3", "demand.orders_per_day=4000",
            "supply={units_min: 1, cover_days: 0.02, review_at: '12:30', lead_h: 1}",
        )
    )  # fmt: skip
    state = played.outcome.state
    assert (state.available == state.shelf).all()
    assert state.reserved.sum() == 0
    assert len(played.rows("goods_put_back"))
    assert len(played.rows("line_missing"))


def test_the_truck_comes_after_the_lead_time_with_what_was_ordered(one_store: Any, play: Any) -> None:
    played = play(
        one_store(
            *SURE, "supply={review_at: '12:30', lead_h: 0.75, cover_days: 0.05, units_min: 1, miscount_share: 0, late_share: 0}",
            "policies.replenishment=order_up_to(every_s=1800)", "stores.inaccurate_share=0",
        )
    )  # fmt: skip
    ordered, changed = played.rows("supply_ordered"), played.rows("shelf_changed")
    came = changed[changed["cause"] == StockCause.DELIVERY]
    assert set(((ordered["t_s"] - 1800) / 1800).tolist()) <= set(range(20))
    np.testing.assert_allclose(ordered["due_s"], ordered["t_s"] + 2700)
    for row in ordered:
        lines = came[came["t_s"] == row["due_s"]]
        assert len(lines) == row["lines"]
        assert lines["units"].sum() == row["units"]
        assert (lines["units"] > 0).all()
    assert set(came["t_s"].tolist()) == set(ordered["due_s"].tolist())
    scanned = played.rows("record_adjusted")
    assert scanned["units"][scanned["cause"] == StockCause.DELIVERY].sum() == came["units"].sum()
    # What is on the way is not ordered again: the second review asks only for what left the records since the first.
    held, left = played.rows("stock_reserved"), played.rows("hold_committed")
    gone = left["order"][(left["t_s"] >= 1800) & (left["t_s"] < 3600)]
    assert ordered["units"][1] <= held["units"][np.isin(held["order"], gone)].sum()
    assert ordered["units"][0] > ordered["units"][1]


@pytest.mark.parametrize(
    ("start", "first_s"), [("2026-11-20T00:00", 7200.0), ("2026-11-20T06:00", 72_000.0), ("2026-11-20T02:00", 0.0)]
)
def test_the_first_review_is_at_its_time_of_day(one_store: Any, play: Any, start: str, first_s: float) -> None:
    played = play(
        one_store(
            f"start={start} Europe/Berlin", "horizon_h=24", "demand.orders_per_day=50",
            "supply={review_at: '02:00', units_min: 1, cover_days: 0.001}",
        )
    )  # fmt: skip
    assert played.rows("supply_ordered")["t_s"].min() == first_s


def test_the_opening_is_what_the_scenario_says(one_store: Any, play: Any) -> None:
    played = play(one_store("stores.inaccurate_share=0.3", "catalogue.skus=2000", "demand.orders_per_day=10"))
    opening = played.world.opening
    wrong = (opening.shelf != opening.record).mean()
    # A shelf can only be recorded down to nothing, so a few errors on tiny shelves do not show.
    assert 0.2 < wrong < 0.3 + 5 * np.sqrt(0.21 / 2000)
    assert (opening.record >= 0).all()
    assert (opening.shelf >= 3).all()
    exact = play(one_store("stores.inaccurate_share=0")).world.opening
    np.testing.assert_array_equal(exact.shelf, exact.record)


# -- clocks ----------------------------------------------------------------------------------------------------------


def test_an_agenda_is_played_to_the_second() -> None:
    env = Clock()
    heard: list[tuple[float, int]] = []
    times = [0.0, 0.0, 1.5, 1.5, 86_400.0, 86_400.25]
    tell(agenda(env, [(t_s, partial(lambda i: heard.append((env.now, i)), i)) for i, t_s in enumerate(times)]))
    env.run()
    assert heard == [(t_s, i) for i, t_s in enumerate(times)]


def test_deadlines_call_exactly_then_and_only_if_they_matter() -> None:
    env = Clock()
    heard: list[tuple[float, int]] = []
    over: set[int] = set()
    deadlines = Deadlines(env, lambda order: order not in over, lambda order: heard.append((env.now, order)))
    due = {0: 0.0, 1: 59.999, 2: 60.0, 3: 60.5, 4: 119.0, 5: 3600.0, 6: 3600.0, 7: 61.0, 8: 7201.25}

    def story() -> Any:
        for order, at_s in due.items():
            deadlines.add(order, at_s)  # type: ignore[arg-type]
        over.add(4)
        yield env.timeout(60.25)
        deadlines.add(20, 60.75)  # type: ignore[arg-type]
        deadlines.add(21, 60.25)  # type: ignore[arg-type]
        deadlines.add(22, 3599.5)  # type: ignore[arg-type]
        yield env.timeout(1000)
        over.add(8)

    tell(story())
    env.run()
    expected = {order: at_s for order, at_s in due.items() if order not in {4, 8}} | {20: 60.75, 21: 60.25, 22: 3599.5}
    assert {order: t_s for t_s, order in heard} == expected
    assert len(heard) == len(expected)
    assert [t_s for t_s, _ in heard] == sorted(t_s for t_s, _ in heard)


def test_patience_ends_when_it_ends(one_store: Any, play: Any) -> None:
    played = play(one_store("customers={patience_s: 200, patience_cv: 0.6}", "drivers.count=3"))
    trace = played.world.trace
    cancelled = played.rows("order_cancelled")
    mine = cancelled[cancelled["reason"] == CancelReason.CUSTOMER]
    assert len(mine) > 30
    confirmed = dict(
        zip(played.study.orders["order"].tolist(), played.study.orders["confirmed_s"].tolist(), strict=True)
    )
    for row in mine:
        order = int(row["order"])
        due_s = trace.entered_s[order] + trace.patience_s[order]
        if confirmed[order] < due_s:
            assert row["t_s"] == due_s
        else:
            assert row["t_s"] >= due_s
    # And whoever was out of patience later than that has been served, or it was too late to cancel.
    late = set(played.rows("request_refused")["order"].tolist())
    orders = played.study.orders
    for order, t_s in zip(orders["order"].tolist(), orders["delivered_s"].tolist(), strict=True):
        if not np.isnan(t_s) and t_s > trace.entered_s[order] + trace.patience_s[order]:
            assert order in late
