"""The correlation id: every fact that a customer's request brings about carries its number, whatever room it happens in."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from sim.facts import SIGNATURES
from sim.reading.stories import KINDS
from sim.reading.story_words import WORDS
from sim.vocabulary import NO_ORDER, OrderState, PickStage, StockCause, Topic
from tests.conftest import Played, lawful_day

NOT_OF_ONE_REQUEST = {
    "the platform and its services": {
        "screening_began", "books_settled", "breaker_moved", "fault_began", "fault_ended", "alert_raised", "alert_cleared",
        "partition_blocked", "service_answers", "service_sampled", "endpoint_sampled", "home_shortened", "attack_met",
        "platform_sampled", "record_seen",
    },
    "supply, and shelves counted by plan": {
        "supply_ordered", "goods_docked", "round_ended", "goods_sent", "reorder_judged", "forecast_judged",
        "count_planned", "crew_counted", "count_started", "count_ended",
    },
    "sales without orders": {"goods_sold", "sale_missed", "backorder_changed"},
    "people between orders": {
        "picker_on", "picker_off", "driver_on", "driver_off", "driver_waits", "driver_called", "driver_sent",
        "signal_lost", "driver_offline", "driver_online",
    },
}  # fmt: skip
"""Facts without the number of a request: nobody's click is behind them, or that of many."""

ROUGH = (
    "demand.orders_per_day=4000", "stores.inaccurate_share=0.6", "stores.inaccurate_units=9",
    "stores.count_error_share=0.2", "supply={units_min: 1, cover_days: 0.05, review_at: '12:05', lead_h: 0.2}",
    "policies.replenishment=order_up_to(every_s=900)", "pickers={mispick_share: 0.05, breakage_share: 0.05}",
    "shrinkage={theft_share: 0.1, damage_share: 0.1, scanned_share: 0.5}",
    "customers={patience_s: 900, absent_share: 0.2}", "platform.bus={loss: 0.2, duplicates: 0.3}",
    "stores.review={picker_units: 3, people: 2, minutes: 1, hours: '00:00-24:00'}", "stores.counter_room=4",
    "policies.reconciliation=count_on_short_pick",
)  # fmt: skip

OF_A_REQUEST = {
    "shelf_changed": {StockCause.BREAKAGE},
    "scan_slipped": {StockCause.BREAKAGE, StockCause.MISPICK, StockCause.COUNT},
    "record_adjusted": {
        StockCause.BREAKAGE, StockCause.COUNT, StockCause.PUT_BACK, StockCause.RETURNED, StockCause.RECONCILED,
        StockCause.SOLD,
    },
}  # fmt: skip
"""What happens to shelves, scan log and records for somebody's order, on days on which nothing is counted by plan or compared."""

Places = dict[tuple[int, int], set[int]]


def test_a_fact_carries_a_requests_number_or_is_known_to_be_of_none() -> None:
    named = set().union(*NOT_OF_ONE_REQUEST.values())
    assert set(SIGNATURES) - named == set(KINDS)
    assert not named & set(KINDS)
    assert len(named) == sum(len(kinds) for kinds in NOT_OF_ONE_REQUEST.values())
    assert set(KINDS) == set(WORDS), "so it is told in the order's story"


@pytest.fixture(scope="module", params=["optimistic", "none"])
def day(request: Any, two_stores: Any, play: Any) -> Played:
    """A day on which everything goes wrong that touches goods; `none`: nothing is reserved, and records hear of sales."""
    return lawful_day(play, two_stores(*ROUGH, f"policies.reservation={request.param}"))


def by_place(*kinds: Any, sku: str = "sku") -> Places:
    """The orders that facts name, by store and SKU."""
    found: Places = defaultdict(set)
    for rows in kinds:
        for row in rows:
            found[int(row["store"]), int(row[sku])].add(int(row["order"]))
    return found


def test_what_an_order_does_to_goods_and_records_carries_its_number(day: Played) -> None:
    for kind, causes in OF_A_REQUEST.items():
        rows = day.rows(kind)
        for cause in StockCause:
            mine = rows["order"][rows["cause"] == cause]
            assert ((mine != NO_ORDER) if cause in causes else (mine == NO_ORDER)).all(), (kind, cause)
    for kind in ("shelf_counted", "stock_corrected", "difference_flagged", "difference_reviewed", "stage_spent"):
        assert len(day.rows(kind)), kind
        assert (day.rows(kind)["order"] != NO_ORDER).all(), kind
    lost = day.rows("message_redelivered")
    assert (lost["order"][lost["topic"] == Topic.STOCK_CHANGED] != NO_ORDER).any(), "the message carries it as well"


def test_what_is_booked_twice_carries_the_number_of_whose_goods_it_was(two_stores: Any, play: Any) -> None:
    day = play(two_stores(*ROUGH, "platform.bus.deduplicate=false"))
    doubled = day.rows("adjustment_doubled")
    assert (doubled["order"] == NO_ORDER).any(), "what a truck brought"
    own = doubled[doubled["order"] != NO_ORDER]
    kinds = ("goods_picked", "goods_put_back", "goods_returned", "shelf_counted")
    touched = by_place(*(day.rows(kind) for kind in kinds))
    as_picked = np.isin(own["t_s"], day.rows("goods_picked")["t_s"])
    assert min(as_picked.sum(), (~as_picked).sum()) > 5, "picked twice, and booked twice when it came back"
    assert all(int(row["order"]) in touched[int(row["store"]), int(row["sku"])] for row in own)


def test_the_number_is_that_of_the_order_it_was_done_for(day: Played) -> None:
    """Slips, counts, corrections, goods that come back: each at a place where that very order's facts say why."""
    slips, adjusted, counts = day.rows("scan_slipped"), day.rows("record_adjusted"), by_place(day.rows("shelf_counted"))
    seen = set()
    for rows, cause, why in (
        (slips, StockCause.COUNT, counts),
        (adjusted, StockCause.COUNT, counts),
        (adjusted, StockCause.RECONCILED, by_place(day.rows("difference_flagged"))),
        (adjusted, StockCause.PUT_BACK, by_place(day.rows("goods_put_back"))),
        (adjusted, StockCause.RETURNED, by_place(day.rows("goods_returned"))),
    ):
        mine = rows[rows["cause"] == cause]
        seen |= {cause} if len(mine) else set()
        assert all(int(row["order"]) in why[int(row["store"]), int(row["sku"])] for row in mine), cause.name
    assert seen == {StockCause.COUNT, StockCause.PUT_BACK, StockCause.RETURNED, StockCause.RECONCILED}
    packed = day.rows("order_moved")["order"][day.rows("order_moved")["state"] == OrderState.PACKED]
    sold = adjusted[adjusted["cause"] == StockCause.SOLD]
    assert set(sold["order"].tolist()) <= set(packed.tolist())
    # Wrong goods: the shelf has fewer than the scans say where that order took them.
    taken, picked = (
        slips[(slips["cause"] == StockCause.MISPICK) & (slips["units"] > 0)],
        by_place(day.rows("goods_picked")),
    )
    assert len(taken) > 10
    assert all(int(row["order"]) in picked[int(row["store"]), int(row["sku"])] for row in taken)
    # Counted is what fell short, but for a line for which the SKU beside was taken: then that one's shelf is counted.
    lacking, short = day.rows("hold_reduced"), by_place(day.rows("hold_reduced"))
    if not len(sold):  # else nothing was held, and no hold falls short
        assert set().union(*counts.values()) <= set(lacking["order"].tolist())
        assert sum(len(orders & short[place]) for place, orders in counts.items()) > 10


def test_what_breaks_breaks_in_the_hands_of_who_fetches_the_order(day: Played) -> None:
    picks = defaultdict(list)
    ends = {(int(r["order"]), int(r["picker"])): float(r["t_s"]) for r in day.rows("pick_ended")}
    for row in day.rows("pick_started"):
        order, picker = int(row["order"]), int(row["picker"])
        picks[order].append((picker, float(row["t_s"]), ends.get((order, picker), float("inf"))))
    broken = day.rows("shelf_changed")
    broken = broken[broken["cause"] == StockCause.BREAKAGE]
    spent = day.rows("stage_spent")
    assert min(len(broken), len(spent)) > 10
    assert {int(stage) for stage in spent["pick_stage"]} >= {PickStage.LOOKING, PickStage.COUNTING, PickStage.WAITING}
    for row in broken:
        assert any(begun <= row["t_s"] <= end for _, begun, end in picks[int(row["order"])])
    for row in spent:
        assert any(
            picker == row["picker"] and begun < row["t_s"] <= end for picker, begun, end in picks[int(row["order"])]
        )
