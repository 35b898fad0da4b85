"""The figures of a run, worked out a second time by plain loops over its log."""

import json
import math
import random
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.metrics.series import averages
from sim.metrics.summary import stages
from sim.metrics.tables import spans
from sim.vocabulary import NOBODY, CancelReason, OrderState, Rejection, Trip

DAYS = {
    "calm": (),
    "wild": (
        "customers={patience_s: 900, patience_cv: 1.0}", "payments.decline_share=0.3", "drivers.count=8",
        "drivers.accept_share=0.6", "platform.give_up_s=700", "demand.orders_per_day=3500",
        "supply={units_min: 1, cover_days: 0.03}", "stores.inaccurate_share=0.9", "stores.inaccurate_units=20",
        "pickers.mispick_share=0.05", "drivers.shifts=[{at: '12:10', hours: 1.5}]",
        "pickers.shifts=[{at: '11:50', hours: 1.7}]", "stores.open='12:15-13:55'",
    ),
    "cut, with warm-up": ("drain_h=0", "warmup_h=0.75", "drivers.count=9"),
    "nobody": ("demand.orders_per_day=0",),
    "all fail": ("payments={decline_share: 1}",),
}  # fmt: skip


@pytest.fixture(scope="module", params=list(DAYS), ids=list(DAYS))
def day(request: pytest.FixtureRequest, two_stores: Any, play: Any) -> Any:
    return play(two_stores(*DAYS[request.param]))


def finished(played: Any) -> Any:
    """Rows of orders that count and were delivered, as plain dictionaries."""
    orders, warm_s = played.study.orders, played.world.scenario.warmup_h * 3600
    names = list(orders)
    for values in zip(*(orders[name].tolist() for name in names), strict=True):
        row = dict(zip(names, values, strict=True))
        if row["entered_s"] >= warm_s:
            yield row


def test_identities(day: Any) -> None:
    found = day.study.summary["orders"]
    assert found["offered"] == found["entered"] + found["rejected"]
    assert found["entered"] == found["delivered"] + found["cancelled"] + found["payment_failed"] + found["open"]
    warm_s = day.world.scenario.warmup_h * 3600
    assert found["offered"] == (day.world.trace.entered_s >= warm_s).sum()
    assert sum(found["by_reason"].values()) == found["cancelled"] + found["rejected"]
    names = {reason.name.lower() for reason in CancelReason} | {reason.name.lower() for reason in Rejection}
    assert set(found["by_reason"]) <= names
    reasons = Counter(row["cancel_reason"] for row in finished(day) if row["state"] == OrderState.CANCELLED)
    assert NOBODY not in reasons
    for reason, count in reasons.items():
        assert found["by_reason"][CancelReason(reason).name.lower()] == count


def test_stages_telescope_for_each_order_and_in_the_mean(day: Any) -> None:
    orders, parts = day.study.orders, stages(day.study.orders)
    done = ~np.isnan(orders["delivered_s"])
    five = ("checkout", "wait_pick", "pick", "wait_driver", "ride")
    total = sum(parts[name][done] for name in five)
    np.testing.assert_allclose(total, (orders["delivered_s"] - orders["entered_s"])[done], rtol=0, atol=1e-9)
    waits = sum(parts[f"wait_driver_{name}"][done] for name in ("accept", "arrive", "handoff"))
    np.testing.assert_allclose(waits, parts["wait_driver"][done], rtol=0, atol=1e-9)
    for name, column in parts.items():
        assert (column[done] >= 0).all(), name
    summary = day.study.summary
    if summary["orders"]["delivered"]:
        mean = sum(summary["stages_s"][name] for name in five)
        assert mean == pytest.approx(summary["click_to_door_s"]["mean"], abs=1e-6)
    else:
        assert set(summary["stages_s"].values()) == {None}


def test_service_by_plain_loops(day: Any) -> None:
    rows = list(finished(day))
    took = sorted(row["delivered_s"] - row["entered_s"] for row in rows if not math.isnan(row["delivered_s"]))
    confirmed = [row for row in rows if not math.isnan(row["confirmed_s"])]
    summary = day.study.summary
    assert summary["orders"]["delivered"] == len(took)
    if took:
        assert summary["click_to_door_s"]["mean"] == pytest.approx(sum(took) / len(took))
        for name, q in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)):
            place = q * (len(took) - 1)
            low = took[math.floor(place)]
            expected = low + (took[math.ceil(place)] - low) * (place % 1)
            assert summary["click_to_door_s"][name] == pytest.approx(expected)
    if confirmed:
        for limit in (900, 1200, 1800):
            assert summary["within_s"][str(limit)] == pytest.approx(sum(t <= limit for t in took) / len(confirmed))
        on_time = sum(row["delivered_s"] <= row["promised_s"] for row in confirmed)
        assert summary["on_time"] == pytest.approx(on_time / len(confirmed))
    else:
        assert summary["on_time"] is None
    assert summary["refunds"]["cents"] == sum(row["refunded_cents"] for row in rows)
    assert summary["refunds"]["orders"] == sum(row["refunded_cents"] > 0 for row in rows)


def test_fill_rate_by_plain_loops(day: Any) -> None:
    counted = {row["order"] for row in finished(day)}
    lacking = sum(
        int(row["units"])
        for kind in ("line_missing", "hold_reduced")
        for row in day.rows(kind)
        if int(row["order"]) in counted
    )
    wanted = sum(row["units"] for row in finished(day))
    assert day.study.summary["fill_rate"] == (pytest.approx(1 - lacking / wanted) if wanted else None)


def overlap(begin: float, end: float, warm_s: float) -> float:
    return max(end - max(begin, warm_s), 0.0)


def test_utilisation_by_plain_loops(day: Any) -> None:
    scenario = day.world.scenario
    warm_s, end_s = scenario.warmup_h * 3600, scenario.end_s
    kinds = ["picker_on", "picker_off", "pick_started", "pick_ended", "driver_on", "driver_off"]
    kinds += ["offer_answered", "goods_delivered", "leg_started"]
    facts = sorted(
        (int(seq), kind, row)
        for kind in kinds
        for seq, row in zip(day.archive.seq(kind), day.rows(kind).tolist(), strict=True)
    )
    names = {kind: day.rows(kind).dtype.names for _, kind, _ in facts}
    on: dict[str, dict[int, float]] = {"picker": {}, "driver": {}}
    busy: dict[str, dict[int, float]] = {"picker": {}, "driver": {}}
    empty: dict[int, tuple[float, float]] = {}
    total: dict[str, float] = defaultdict(float)

    def stop(who: dict[int, float], person: int, t_s: float, name: str) -> None:
        if person in who:
            total[name] += overlap(who.pop(person), t_s, warm_s)

    def ride_ends(driver: int, t_s: float) -> None:
        if driver in empty:
            begin, arrive = empty.pop(driver)
            total["empty"] += overlap(begin, min(arrive, t_s), warm_s)

    for _, kind, values in facts:
        row = dict(zip(names[kind], values, strict=True))
        t_s = row["t_s"]
        person = int(row["picker"] if "picker" in row else row["driver"])
        role = "picker" if "picker" in row else "driver"
        if kind.endswith("_on"):
            on[role][person] = t_s
        elif kind.endswith("_off"):
            stop(busy[role], person, t_s, f"{role} busy")
            stop(on[role], person, t_s, f"{role} on")
            if role == "driver":
                ride_ends(person, t_s)
        elif kind == "pick_started" or (kind == "offer_answered" and row["answer"] == 0):
            busy[role][person] = t_s
        elif kind in ("pick_ended", "goods_delivered"):
            stop(busy[role], person, t_s, f"{role} busy")
        elif kind == "leg_started":
            ride_ends(person, t_s)
            if row["trip"] == Trip.BACK:
                stop(busy[role], person, t_s, f"{role} busy")
            if row["trip"] != Trip.TO_CUSTOMER:
                empty[person] = (t_s, row["arrive_s"])
    for role in ("picker", "driver"):
        for person in list(busy[role]):
            stop(busy[role], person, end_s, f"{role} busy")
        for person in list(on[role]):
            stop(on[role], person, end_s, f"{role} on")
    for driver in list(empty):
        ride_ends(driver, end_s)
    found = day.study.summary["utilisation"]
    assert found["pickers"] == pytest.approx(total["picker busy"] / total["picker on"])
    assert found["drivers"] == pytest.approx(total["driver busy"] / total["driver on"])
    assert found["drivers_riding_empty"] == pytest.approx(total["empty"] / total["driver on"])
    assert all(0 <= share <= 1 for share in found.values())
    delivered = day.study.summary["orders"]["delivered"]
    assert day.study.summary["orders_per_driver_hour"] == pytest.approx(delivered / (total["driver on"] / 3600))


def test_drivers_and_tasks_agree_with_the_orders(day: Any) -> None:
    drivers, tasks, orders = day.study.drivers, day.study.tasks, day.study.orders
    assert drivers["delivered"].sum() == (orders["state"] == OrderState.DELIVERED).sum()
    assert (drivers["busy_s"] <= drivers["on_s"] + 1e-9).all()
    assert (drivers["accepted"] <= drivers["offers"]).all()
    assert drivers["offers"].sum() == len(day.rows("offer_answered"))
    assert len(tasks["order"]) == 2 * len(day.rows("task_opened"))
    handed = tasks["handed_over"] & (tasks["stop"] == 1)
    where = np.searchsorted(orders["order"], tasks["order"][handed])
    np.testing.assert_array_equal(tasks["left_s"][handed], orders["delivered_s"][where])
    np.testing.assert_array_equal(tasks["driver"][handed], orders["driver"][where])
    for stop in (0, 1):
        mine = handed.nonzero()[0] - 1 + stop
        assert (tasks["arrived_s"][mine] <= tasks["left_s"][mine]).all()


def test_drift_and_stock_by_plain_loops(day: Any) -> None:
    stock, found = day.study.stock, day.study.summary["drift"]
    gap = stock["available"] + stock["reserved"] - stock["shelf"]
    assert found["units_abs"] == abs(gap).sum()
    assert found["units_net"] == gap.sum()
    assert found["records_inaccurate_share"] == pytest.approx((gap != 0).mean())
    assert stock["picked"].sum() == day.rows("goods_picked")["units"].sum()
    assert stock["denied"].sum() == day.rows("line_missing")["units"].sum()
    assert stock["short"].sum() == day.rows("hold_reduced")["units"].sum()
    assert sum(found["by_cause"].values()) == pytest.approx(found["units_abs"])
    assert sum(found["short_by_cause"].values()) == pytest.approx(found["units_short"])
    assert found["units_short"] == stock["short"].sum()
    assert sum(found["unseen_by_cause"].values()) == pytest.approx(found["units_unseen"])
    ours = ("doubled_message", "recovery", "late_message")
    assert not any(found["by_cause"][name] for name in ours), "what people scan reaches the records of this day"


def test_costs_add_up(day: Any) -> None:
    cost, orders = day.study.summary["cost"], day.study.summary["orders"]
    assert cost["total_cents"] == sum(cost["by_kind"].values())
    if orders["delivered"]:
        assert cost["per_order_cents"] == pytest.approx(cost["total_cents"] / orders["delivered"])
    else:
        assert cost["per_order_cents"] is None
    counted = {row["order"] for row in finished(day)}
    money = sum(int(r["cents"]) for r in day.rows("payment_captured") if int(r["order"]) in counted)
    money -= sum(int(r["cents"]) for r in day.rows("payment_refunded") if int(r["order"]) in counted)
    assert day.study.summary["revenue_cents"] == money
    scenario = day.world.scenario
    days = (scenario.horizon_h - scenario.warmup_h) / 24
    assert cost["by_kind"]["stores"] == round(2 * days * scenario.costs.store_day_cents)
    assert {"platform_instances", "platform_writes", "platform_messages", "platform_storage"} <= set(cost["by_kind"])


def test_a_summary_is_plain_json_without_nan(day: Any) -> None:
    text = json.dumps(day.study.summary, allow_nan=False)
    assert json.loads(text) == day.study.summary


@settings(max_examples=200, deadline=None)
@given(
    stretches=st.lists(st.tuples(st.floats(0, 1000), st.one_of(st.none(), st.floats(0, 500))), max_size=12),
    step=st.sampled_from([50.0, 100.0, 333.3]),
)
def test_averages_against_brute_force(stretches: list[tuple[float, float | None]], step: float) -> None:
    edges = np.append(np.arange(0.0, 1000.0, step), 1000.0)
    begins = np.array([begin for begin, _ in stretches])
    ends = np.array([math.nan if length is None else begin + length for begin, length in stretches])
    found = averages(begins, ends, edges)
    for low, high, value in zip(edges[:-1], edges[1:], found, strict=True):
        area = sum(
            max(min(high, math.inf if math.isnan(e) else e) - max(low, b), 0.0)
            for b, e in zip(begins.tolist(), ends.tolist(), strict=True)
        )
        assert value == pytest.approx(area / (high - low), abs=1e-7)


def test_spans_match_the_comings_and_goings_of_each_person() -> None:
    chance = random.Random(3)
    kind = np.dtype([("t_s", "f8"), ("driver", "i4")])
    for _ in range(200):
        on, off, expected = [], [], []
        for person in range(chance.randrange(0, 6)):
            t_s = 0.0
            for _ in range(chance.randrange(0, 4)):
                begin = t_s + chance.randrange(0, 3)
                end = begin + chance.randrange(0, 5)
                on.append((begin, person))
                if chance.random() < 0.25:
                    expected.append((person, begin, 100.0))
                    break
                off.append((end, person))
                expected.append((person, begin, end))
                t_s = end
        chance.shuffle(off)
        found = spans(np.array(sorted(on), dtype=kind), np.array(sorted(off), dtype=kind), "driver", 100.0)
        assert sorted(zip(*(column.tolist() for column in found), strict=True)) == sorted(expected)
