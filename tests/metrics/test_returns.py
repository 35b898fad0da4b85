"""The figures of a day on which much comes back: by plain loops, beside those that must not notice it."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from sim.report.sections import sections
from sim.vocabulary import OfferAnswer, OrderState, TaskEnd, Trip

SHUT = (
    "catalogue.categories=[{name: bread, share: 0.4, price_cents: 200, litres: 1}, "
    "{name: ice, share: 0.3, price_cents: 300, litres: 1, returnable: false}, "
    "{name: wine, share: 0.3, price_cents: 900, litres: 1, restricted: true}]",
    "customers.absent_share=0.2", "customers.underage_share=0.5", "warmup_h=0.5", "drain_h=0.3", "drivers.count=24",
)  # fmt: skip


@pytest.fixture(scope="module")
def day(two_stores: Any, play: Any) -> Any:
    return play(two_stores(*SHUT))


def test_what_came_back_is_counted_over_the_orders_that_count(day: Any) -> None:
    orders = day.study.orders
    counted = set(orders["order"][orders["entered_s"] >= 1800.0].tolist())
    found: dict[str, Any] = defaultdict(int)
    came: set[int] = set()
    for row in day.rows("goods_returned"):
        if int(row["order"]) in counted:
            came.add(int(row["order"]))
            found["units"] += int(row["units"])
            found["wasted_units" if row["wasted"] else "put_back_units"] += int(row["units"])
    assert day.study.summary["returns"] == {"orders": len(came), **found}
    assert len(came) < len(set(day.rows("goods_returned")["order"].tolist())), "some came back of the warm-up"
    assert found["wasted_units"] > 0


def test_reasons_add_up_and_partial_returns_stay_delivered(day: Any) -> None:
    orders, summary = day.study.orders, day.study.summary["orders"]
    late = orders["entered_s"] >= 1800.0
    failed = np.isin(orders["order"], day.rows("handover_failed")["order"])
    assert summary["by_reason"]["undeliverable"] + summary["by_reason"].get("age_check", 0) == (failed & late).sum()
    assert set(orders["state"][failed].tolist()) == {OrderState.CANCELLED}
    kept = np.isin(orders["order"], day.rows("goods_kept")["order"])
    assert set(orders["state"][kept].tolist()) == {OrderState.DELIVERED}


def test_stages_are_over_what_was_delivered(day: Any) -> None:
    stages, whole = day.study.summary["stages_s"], day.study.summary["click_to_door_s"]["mean"]
    assert sum(stages[name] for name in ("checkout", "wait_pick", "pick", "wait_driver", "ride")) == pytest.approx(
        whole
    )


def test_a_driver_is_busy_until_everything_is_handed_over_or_handed_in_and_never_empty_with_goods(day: Any) -> None:
    kinds = ("offer_answered", "goods_delivered", "goods_kept", "tote_handed_in", "leg_started", "driver_off")
    facts = sorted(
        (int(seq), kind, row) for kind in kinds for seq, row in zip(day.archive.seq(kind), day.rows(kind), strict=True)
    )
    busy: dict[int, float] = {}
    total: dict[int, float] = defaultdict(float)
    kept: set[int] = set()
    for _, kind, row in facts:
        if kind == "goods_kept":
            kept.add(int(row["order"]))
            continue
        driver, t_s = int(row["driver"]), float(row["t_s"])
        if kind == "offer_answered":
            if row["answer"] == OfferAnswer.ACCEPTED:
                busy[driver] = t_s
        elif (
            kind in ("tote_handed_in", "driver_off")
            or (kind == "goods_delivered" and int(row["order"]) not in kept)
            or (kind == "leg_started" and row["trip"] == Trip.BACK)
        ) and driver in busy:
            total[driver] += t_s - busy.pop(driver)
    for driver, since_s in busy.items():
        total[driver] += day.world.scenario.end_s - since_s
    drivers = day.study.drivers
    np.testing.assert_allclose(drivers["busy_s"], [total[number] for number in drivers["driver"].tolist()])
    assert (drivers["riding_empty_s"] + 1e-9 >= 0).all()
    legs = day.rows("leg_started")
    ridden = legs["arrive_s"] - legs["t_s"]
    with_goods = ridden[(legs["trip"] == Trip.TO_CUSTOMER) | (legs["trip"] == Trip.RETURN)].sum()
    assert drivers["riding_empty_s"].sum() <= ridden.sum() - with_goods + 1e-6


def test_a_task_that_failed_was_left_at_the_door_without_a_handover(day: Any) -> None:
    tasks = day.study.tasks
    failed = {int(row["order"]): float(row["t_s"]) for row in day.rows("handover_failed")}
    ended = {int(row["order"]): int(row["ended"]) for row in day.rows("task_closed")}
    doors = tasks["stop"] == 1
    for order, left_s, handed in zip(
        tasks["order"][doors].tolist(), tasks["left_s"][doors], tasks["handed_over"][doors], strict=True
    ):
        assert handed == (ended.get(order) == TaskEnd.HANDED_OVER)
        if order in failed:
            assert ended[order] == TaskEnd.FAILED
            assert left_s == failed[order]


def test_shelves_over_time_know_what_was_put_back(day: Any) -> None:
    drift, found = day.study.drift, day.study.summary["drift"]
    last = drift["t_s"] == drift["t_s"].max()
    assert drift["units_abs"][last].sum() == found["units_abs"]
    assert drift["units_net"][last].sum() == found["units_net"]
    assert found["by_cause"]["late_message"] == pytest.approx(0.0), (
        "what is brought back is scanned, and records hear of it"
    )


def test_a_partial_return_is_no_perfect_order_however_it_was_paid(two_stores: Any, play: Any) -> None:
    cash = play(two_stores(*SHUT, "payments.methods={cash: 1}", "customers.absent_share=0", "warmup_h=0"))
    orders, floor = cash.study.orders, cash.study.summary["floor"]
    kept = set(cash.rows("goods_kept")["order"].tolist())
    assert kept
    assert not orders["refunded_cents"].any(), "at the door less is asked for, and nothing goes back"
    lacking = {int(row["order"]) for kind in ("line_missing", "hold_reduced") for row in cash.rows(kind)}
    wrong = set(cash.world.trace.mispicks)
    good = [
        order
        for order, delivered_s, promised_s in zip(
            orders["order"].tolist(), orders["delivered_s"], orders["promised_s"], strict=True
        )
        if delivered_s <= promised_s and order not in kept | lacking | wrong
    ]
    confirmed = (~np.isnan(orders["confirmed_s"])).sum()
    assert floor["perfect_order_rate"] == pytest.approx(len(good) / confirmed)


def test_the_report_has_a_line_where_anything_came_back_and_none_where_nothing_did(
    day: Any, two_stores: Any, play: Any
) -> None:
    def labels(summary: Any) -> list[str]:
        return [row.label for section in sections(summary) for row in section.rows]

    told = labels(day.study.summary)
    assert {
        "brought back, wholly or in part",
        "units back on the shelf",
        "units thrown away on return",
        "nobody opened the door",
    } <= set(told)
    assert "brought back, wholly or in part" not in labels(play(two_stores()).study.summary)


def test_fees_that_are_kept_are_fees_and_bring_no_discount(two_stores: Any, play: Any) -> None:
    priced = "platform.pricing={promotion: {share: 1, percent: 20, cap_cents: null, minimum_cents: 0}}"
    day = play(two_stores(*SHUT, "warmup_h=0", "drain_h=2", priced, "payments.keep_fee_on_failed=true"))
    orders, bills = day.study.orders, day.rows("order_billed")
    assert np.isin(orders["state"], [OrderState.DELIVERED, OrderState.CANCELLED, OrderState.PAYMENT_FAILED]).all()
    delivered = np.isin(bills["order"], orders["order"][orders["state"] == OrderState.DELIVERED])
    kept = day.rows("fees_kept")
    assert len(kept) > 10
    assert day.study.summary["discount_cents"] == bills["discount_cents"][delivered].sum()
    fee = day.world.scenario.platform.delivery_fee_cents
    assert set(kept["cents"].tolist()) == {fee}
    assert day.study.summary["fees_cents"] == fee * (delivered.sum() + len(kept))
