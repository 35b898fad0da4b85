"""Sagas end settled or wholly compensated, whatever step the bad news comes at."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.engine import policies_of
from sim.menu import build_policy
from sim.vocabulary import NOBODY, CancelReason, OrderState, Rejection, Step

SURE = (
    "payments={decline_share: 0, methods: {card: 1}}",
    "customers={patience_s: null}",
    "pickers={per_store: 4, shifts: [{at: '12:00', hours: 5}], mispick_share: 0}",
    "stores.inaccurate_share=0",
)


def sums(rows: Any, name: str) -> Counter[int]:
    total: Counter[int] = Counter()
    for order, value in zip(rows["order"].tolist(), rows[name].tolist(), strict=True):
        total[order] += value
    return total


def check_compensation(played: Any) -> None:
    """Money, records and goods of every order that ended, by the log alone."""
    captured, refunded = sums(played.rows("payment_captured"), "cents"), sums(played.rows("payment_refunded"), "cents")
    held, short = sums(played.rows("stock_reserved"), "units"), sums(played.rows("hold_reduced"), "units")
    picked, back = sums(played.rows("goods_picked"), "units"), sums(played.rows("goods_put_back"), "units")
    released = Counter(played.rows("hold_released")["order"].tolist() + played.rows("hold_expired")["order"].tolist())
    committed = Counter(played.rows("hold_committed")["order"].tolist())
    unknown = set(played.rows("payment_unknown")["order"].tolist())  # may be captured after all, and given back
    ends = dict(
        zip(played.rows("saga_ended")["order"].tolist(), played.rows("saga_ended")["settled"].tolist(), strict=True)
    )
    assert len(ends) == len(played.rows("saga_ended")), "a saga ends once"
    assert max(Counter(played.rows("payment_captured")["order"].tolist()).values(), default=0) <= 1
    orders, prices = played.study.orders, played.world.catalogue.price_cents
    handed: Counter[int] = Counter()
    for row in played.rows("goods_picked"):
        handed[int(row["order"])] += int(row["units"] * prices[row["sku"]])
    fee = played.world.scenario.platform.delivery_fee_cents
    for order, state in zip(orders["order"].tolist(), orders["state"].tolist(), strict=True):
        if state == OrderState.DELIVERED:
            assert ends[order] is True
            assert captured[order] - refunded[order] == handed[order] + fee
            assert committed[order] == 1
            assert released[order] == 0
            assert picked[order] == held[order] - short[order]
        elif state in (OrderState.CANCELLED, OrderState.PAYMENT_FAILED):
            assert ends[order] is False
            assert captured[order] == refunded[order], order
            assert picked[order] == back[order], order
            assert committed[order] + released[order] == (1 if held[order] else 0), order
            if state == OrderState.PAYMENT_FAILED and order not in unknown:
                assert captured[order] == 0
        else:
            assert order not in ends


@pytest.mark.parametrize("minimal", [False, True], ids=["full", "minimal"])
@pytest.mark.parametrize("patience_s", [0.03, 0.3, 1.4, 10, 60, 120, 160, 200, 300, 420, 600])
def test_a_customer_who_cancels_at_any_stage_gets_everything_back(
    one_store: Any, play: Any, patience_s: float, minimal: bool
) -> None:
    played = play(
        one_store(
            *SURE,
            f"customers={{patience_s: {patience_s}, patience_cv: 0}}",
            f"platform.profile={'minimal' if minimal else 'full'}",
            "drivers.count=5",
            "drivers.handoff_s=10",
        )
    )
    orders = played.study.orders
    assert (np.isin(orders["state"], [OrderState.DELIVERED, OrderState.CANCELLED])).all()
    assert (orders["state"] == OrderState.CANCELLED).any()
    check_compensation(played)
    # Nobody worked on an order after it was cancelled, but for what he had in hand.
    cancelled = played.rows("order_cancelled")
    when = dict(zip(cancelled["order"].tolist(), cancelled["t_s"].tolist(), strict=True))
    for kind in ("pick_started", "offer_made", "goods_left", "goods_delivered", "hold_committed", "task_opened"):
        for order, t_s in zip(played.rows(kind)["order"].tolist(), played.rows(kind)["t_s"].tolist(), strict=True):
            assert t_s <= when.get(order, np.inf), kind
    # The state the live objects show is as clean: nothing held, nothing in a tote, no task left.
    state = played.outcome.state
    assert state.reserved.sum() == 0
    assert not state.totes
    assert not state.tasks
    gone = played.rows("goods_picked")["units"].sum() - played.rows("goods_put_back")["units"].sum()
    assert state.shelf.sum() == played.rows("shelf_changed")["units"].sum() - gone


def test_stages_are_met(one_store: Any, play: Any) -> None:
    met = set()
    for patience_s in (0.03, 0.3, 1.4, 10, 120, 200, 300):
        played = play(
            one_store(*SURE, f"customers={{patience_s: {patience_s}, patience_cv: 0}}", "drivers.count=5", "seed=4")
        )
        before: dict[int, int] = dict.fromkeys(played.rows("order_entered")["order"].tolist(), int(OrderState.CREATED))
        for row in played.rows("order_moved"):
            if row["state"] == OrderState.CANCELLED:
                met.add(OrderState(before[int(row["order"])]))
            before[int(row["order"])] = int(row["state"])
    assert met == {
        OrderState.CREATED,
        OrderState.PENDING_PAYMENT,
        OrderState.CONFIRMED,
        OrderState.PACKED,
        OrderState.ASSIGNED,
    }


def test_declined_cards_hold_nothing_and_pay_nothing(one_store: Any, play: Any) -> None:
    played = play(one_store(*SURE, "payments={decline_share: 1, attempts_max: 3, retry_s: 5, methods: {card: 1}}"))
    orders = played.study.orders
    assert (orders["state"] == OrderState.PAYMENT_FAILED).all()
    assert len(played.rows("payment_captured")) == 0
    assert Counter(played.rows("payment_asked")["order"].tolist()) == Counter(
        dict.fromkeys(orders["order"].tolist(), 3)
    )
    assert sorted(played.rows("payment_failed")["attempt"].tolist()) == sorted([1, 2, 3] * len(orders["order"]))
    assert len(played.rows("pick_started")) == 0
    assert played.outcome.state.reserved.sum() == 0
    check_compensation(played)


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_declines_come_as_often_as_they_should(two_stores: Any, play: Any, share: float) -> None:
    played = play(
        two_stores(*SURE, f"payments={{decline_share: {share}, attempts_max: 1}}", "demand.orders_per_day=40000")
    )
    asked, failed = len(played.rows("payment_asked")), len(played.rows("payment_failed"))
    assert asked > 3000
    assert abs(failed / asked - share) < 5 * np.sqrt(share * (1 - share) / asked)
    check_compensation(played)


def test_an_outage_of_the_provider_fails_those_who_ask_in_it_with_an_unknown_outcome(one_store: Any, play: Any) -> None:
    """Who asks in its minutes waits for the time-out, once more if the budget of retries allows, and has failed then.

    Only an order whose second asking falls behind the outage's end is paid after all.
    """
    played = play(
        one_store(*SURE, "faults=[{kind: provider_outage, at: '12:30', minutes: 20}]", "payments.attempts_max=1")
    )
    asked, unknown = played.rows("payment_asked"), played.rows("payment_unknown")
    first: dict[int, float] = {}
    last: dict[int, float] = {}
    for order, t_s in zip(asked["order"].tolist(), asked["t_s"].tolist(), strict=True):
        first.setdefault(order, t_s)
        last[order] = t_s
    inside = {order for order, t_s in first.items() if 1800 <= t_s < 3000}
    assert len(inside) > 10
    assert {order for order, t_s in first.items() if t_s < 1790} & set(unknown["order"].tolist()) == set()
    for order, t_s in zip(unknown["order"].tolist(), unknown["t_s"].tolist(), strict=True):
        if order in inside:
            assert t_s in (first[order] + 10, last[order] + 10)
    ends = played.rows("saga_ended")
    failed = set(ends["order"][~ends["settled"]].tolist())
    assert {order for order in inside if last[order] < 3000} <= failed
    assert not {order for order in inside if last[order] >= 3000} & failed
    state = dict(zip(*(played.study.orders[name].tolist() for name in ("order", "state")), strict=True))
    assert {state[order] for order in failed} == {OrderState.PAYMENT_FAILED}
    # Nothing was taken, so nothing comes back: those who were refused by the breaker were not even asked for.
    assert not set(played.rows("charge_made")["order"].tolist()) & failed
    check_compensation(played)


def test_what_the_records_deny_is_not_charged_or_the_order_is_given_up(two_stores: Any, play: Any) -> None:
    scarce = ("supply={units_min: 1, cover_days: 0.02}", "demand.orders_per_day=4000")
    partial = play(two_stores(*SURE, *scarce, "policies.substitution=refund(share_min=0)"))
    missing = sums(partial.rows("line_missing"), "units")
    orders = partial.study.orders
    out_of_stock = orders["cancel_reason"] == CancelReason.OUT_OF_STOCK
    assert out_of_stock.any()
    got = {int(o): int(u) for o, u in sums(partial.rows("stock_reserved"), "units").items()}
    for order, units, out in zip(
        orders["order"].tolist(), orders["units"].tolist(), out_of_stock.tolist(), strict=True
    ):
        assert got.get(order, 0) + missing[order] == units
        assert out == (got.get(order, 0) == 0)
    check_compensation(partial)
    strict = play(two_stores(*SURE, *scarce, "policies.substitution=refund(share_min=1)"))
    cancelled = strict.rows("order_cancelled")
    out = set(cancelled["order"][cancelled["reason"] == CancelReason.OUT_OF_STOCK].tolist())
    assert set(strict.rows("line_missing")["order"].tolist()) == out != set()
    check_compensation(strict)


def test_contention_tries_as_often_as_the_policy_says(two_stores: Any, play: Any) -> None:
    played = play(
        two_stores(
            *SURE,
            "demand.flash_sales=[{at: '12:20', seconds: 1, buyers: 200, sku: 3, stock: 500}]",
            "policies.reservation=optimistic(attempts_max=3, base_s=0.01, cap_s=0.02)",
            "platform.window_s=0.05",
        )
    )
    conflicts = played.rows("version_conflict")
    given_up = played.rows("order_cancelled")
    given_up = set(given_up["order"][given_up["reason"] == CancelReason.CONTENTION].tolist())
    assert given_up
    tries = Counter(conflicts["order"].tolist())
    assert max(tries.values()) == 3
    assert {order for order, count in tries.items() if count == 3} == given_up
    for order in tries:
        assert conflicts["attempt"][conflicts["order"] == order].tolist() == list(range(1, tries[order] + 1))
    check_compensation(played)


def test_everything_at_once(two_stores: Any, play: Any) -> None:
    played = play(
        two_stores(
            "customers={patience_s: 1400, patience_cv: 1.0}",
            "payments={decline_share: 0.3}",
            "drivers.count=10",
            "drivers.accept_share=0.5",
            "platform={give_up_s: 700.0, window_s: 0.3}",
            "pickers.mispick_share=0",
            "supply={units_min: 1, cover_days: 0.02}",
            "stores.inaccurate_share=0.9",
            "stores.inaccurate_units=25",
            "demand.orders_per_day=4000",
            "faults=[{kind: provider_outage, at: '12:40', minutes: 5}, {kind: bus_slowdown, at: '13:20', minutes: 10}]",
        )
    )
    assert len(played.rows("hold_reduced"))
    check_compensation(played)


PLAN = """
from dataclasses import dataclass

from sim.vocabulary import Step


@dataclass(frozen=True)
class Mine:
    def __call__(self, view):
        return (Step.PAY, Step.RESERVE, Step.CONFIRM) if view.order % 2 else (Step.RESERVE_AND_PAY, Step.CONFIRM)
"""


def test_a_plan_from_a_file(one_store: Any, play: Any, tmp_path: Any) -> None:
    """A user's own plan, another for every second order."""
    file = tmp_path / "plan.py"
    file.write_text(PLAN, encoding="utf-8")
    scenario = one_store("payments={decline_share: 0.4, attempts_max: 2}", "pickers.mispick_share=0")
    saga = build_policy("saga", f"{file}:Mine", "test", allow_code=True)
    played = play(scenario, policies=replace(policies_of(scenario), saga=saga))
    steps = played.rows("saga_step_done")
    assert set(steps["step"][steps["order"] % 2 == 1].tolist()) == {Step.PAY, Step.RESERVE, Step.CONFIRM}
    assert set(steps["step"][steps["order"] % 2 == 0].tolist()) == {Step.RESERVE_AND_PAY, Step.CONFIRM}
    check_compensation(played)


def test_the_gateway_turns_away_for_the_right_reason(two_stores: Any, play: Any) -> None:
    played = play(two_stores("stores={count: 2, open: '12:30-13:30', zone: {radius_m: 900}}", "horizon_h=2"))
    rejected = played.rows("order_rejected")
    closed = (rejected["t_s"] < 1800) | (rejected["t_s"] >= 5400)
    assert (rejected["reject"][closed] == Rejection.CLOSED).all()
    assert (rejected["reject"][~closed] == Rejection.OUT_OF_ZONE).all()
    assert closed.any()
    assert (~closed).any()
    entered = played.rows("order_entered")
    assert ((entered["t_s"] >= 1800) & (entered["t_s"] < 5400)).all()
    assert all(int(row["store"]) == played.world.serving[row["node"]][0] for row in entered)
    full = play(two_stores("policies.admission=open_door(open_orders_max=20)"))
    assert (full.rows("order_rejected")["reject"] == Rejection.OVERLOADED).all()
    assert len(full.rows("order_rejected"))
    assert full.study.series["open_orders"].max() <= 20
    assert full.study.summary["orders"]["offered"] == full.world.trace.orders


def test_a_promise_is_kept_on_record(one_store: Any, play: Any) -> None:
    played = play(one_store(*SURE, "platform.promise={floor_s: 600, slack: 1.0}"))
    orders = played.study.orders
    assert (orders["promised_s"] >= orders["confirmed_s"] + 600).all()
    assert (orders["driver"] != NOBODY).all()
