"""The saga plans on the menu: none breaks a law, and each has its price."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from sim.platform.leases import Leases
from sim.platform.reserving import Reserving
from sim.vocabulary import CancelReason, OrderState, Rejection, Step
from tests.conftest import lawful_day as day

PLANS = ("reserve_then_pay", "pay_then_reserve", "at_once", "confirm_first", "two_phase_commit")

SCARCE = (
    "demand.orders_per_day=6000", "horizon_h=1", "customers={patience_s: 900, patience_cv: 1}",
    "payments={decline_share: 0.35, latency_s: 4}", "supply={units_min: 1, cover_days: 0.01}",
    "stores.inaccurate_share=0.5", "platform.window_s=0.1",
)  # fmt: skip
"""Cards are declined and records run dry."""


def by_order(played: Any, kind: str, name: str = "t_s") -> dict[int, Any]:
    """A column of a kind of fact, by order; the first fact of each order counts."""
    rows = played.rows(kind)[::-1]
    return dict(zip(rows["order"].tolist(), rows[name].tolist(), strict=True))


def sums(played: Any, kind: str) -> Counter[int]:
    total: Counter[int] = Counter()
    for order, cents in zip(played.rows(kind)["order"].tolist(), played.rows(kind)["cents"].tolist(), strict=True):
        total[order] += cents
    return total


@pytest.mark.parametrize("profile", ["full", "minimal"])
@pytest.mark.parametrize("plan", PLANS)
def test_no_plan_breaks_a_law_on_a_day_of_declines_and_shortages(
    two_stores: Any, play: Any, plan: str, profile: str
) -> None:
    played = day(play, two_stores(*SCARCE, f"policies.saga={plan}", f"platform.profile={profile}"))
    states = Counter(played.study.orders["state"].tolist())
    assert states[OrderState.DELIVERED] > 20
    assert states[OrderState.PAYMENT_FAILED] + states[OrderState.CANCELLED] > 20
    assert set(states) <= {OrderState.DELIVERED, OrderState.PAYMENT_FAILED, OrderState.CANCELLED}
    assert played.outcome.state.reserved.sum() == 0


@pytest.mark.parametrize("plan", ["pay_then_reserve", "at_once"])
def test_what_the_records_deny_after_it_was_paid_is_given_back(two_stores: Any, play: Any, plan: str) -> None:
    """To the cent: the missing lines of an order that is delivered, everything of one that is given up."""
    played = day(
        play,
        two_stores(
            *SCARCE, f"policies.saga={plan}", "policies.substitution=refund(share_min=0)", "stores.inaccurate_share=0",
            "payments={decline_share: 0, methods: {card: 1}}", "pickers.mispick_share=0",
        ),
    )  # fmt: skip
    prices = played.world.catalogue.price_cents
    missing: Counter[int] = Counter()
    for row in played.rows("line_missing"):
        missing[int(row["order"])] += int(row["units"] * prices[row["sku"]])
    refunded, captured = sums(played, "payment_refunded"), sums(played, "payment_captured")
    delivered = by_order(played, "goods_delivered").keys()
    trimmed = missing.keys() & delivered
    assert len(trimmed) > 5
    for order in trimmed:
        assert refunded[order] == missing[order]
    out = played.rows("order_cancelled")
    nothing = set(out["order"][out["reason"] == CancelReason.OUT_OF_STOCK].tolist())
    sold_out = (played.rows("order_rejected")["reject"] == Rejection.SOLD_OUT).sum()
    if plan == "pay_then_reserve":
        assert sold_out > 3, "nobody pays for a cart of which nothing is there"
        assert nothing <= captured.keys(), "who is denied everything has paid for it first"
    else:
        assert len(nothing) > 3
    for order in nothing & captured.keys():
        assert refunded[order] == captured[order] > 0


def test_reserving_first_charges_nobody_for_what_is_not_there(two_stores: Any, play: Any) -> None:
    played = day(play, two_stores(*SCARCE, "policies.saga=reserve_then_pay"))
    out = played.rows("order_cancelled")
    nothing = set(out["order"][out["reason"] == CancelReason.OUT_OF_STOCK].tolist())
    assert nothing
    assert not nothing & set(played.rows("payment_asked")["order"].tolist())


def test_at_once_takes_the_slower_of_the_two(two_stores: Any, play: Any) -> None:
    """Checkout of one plan after the other: T_reserve + T_pay; at once: the larger of them. Same draws, order by order."""
    calm = ("customers={patience_s: null}", "payments={decline_share: 0, methods: {card: 1}, latency_cv: 0.2}",
            "platform={window_s: 1, window_cv: 0.2}", "supply.cover_days=9")  # fmt: skip
    after, at_once = (day(play, two_stores(*calm, f"policies.saga={plan}")) for plan in ("pay_then_reserve", "at_once"))
    entered, longer, shorter = (by_order(run, kind) for run, kind in (
        (after, "order_entered"), (after, "order_promised"), (at_once, "order_promised")))  # fmt: skip
    window, pay = after.world.trace.window_s, after.world.trace.pay_s[:, 0]
    saved = np.array([longer[order] - shorter[order] for order in entered])
    expected = np.array([min(window[order], pay[order]) for order in entered])
    quick = np.abs(saved - expected) < 0.1  # a few meet a conflict or a queue
    assert quick.mean() > 0.8


def test_confirming_first_answers_sooner_and_takes_some_answers_back(two_stores: Any, play: Any) -> None:
    played = day(play, two_stores(*SCARCE, "policies.saga=confirm_first"))
    plain = day(play, two_stores(*SCARCE, "policies.saga=reserve_then_pay"))
    assert len(plain.rows("confirmation_revoked")) == 0
    waits = [
        np.median(
            [t_s - by_order(run, "order_entered")[order] for order, t_s in by_order(run, "order_promised").items()]
        )
        for run in (played, plain)
    ]
    assert waits[0] < 0.5 * waits[1]
    revoked = set(played.rows("confirmation_revoked")["order"].tolist())
    assert len(revoked) > 5
    promised = by_order(played, "order_promised").keys()
    assert revoked <= promised
    # Exactly those who had been told yes and then did not pay, or thought better of it while being charged.
    out = by_order(played, "order_cancelled", "reason")
    unpaid = {order for order in promised if out.get(order) == CancelReason.PAYMENT}
    assert unpaid <= revoked
    assert {out[order] for order in revoked} <= {CancelReason.PAYMENT, CancelReason.CUSTOMER}
    assert not revoked & by_order(played, "goods_left").keys()


def test_goods_leave_only_when_they_are_paid(two_stores: Any, play: Any) -> None:
    """A provider so slow that orders stand packed, their driver beside them, before the charge is through."""
    played = day(
        play,
        two_stores(
            "payments={latency_s: 500, latency_cv: 0.5, timeout_s: 3000, methods: {card: 1}, decline_share: 0.2}",
            "customers={patience_s: null}", "policies.saga=confirm_first", "drivers.count=40",
        ),
    )  # fmt: skip
    left, captured, packed = (by_order(played, kind) for kind in ("goods_left", "payment_captured", "pick_ended"))
    at_store = by_order(played, "driver_at_store")
    assert len(left) > 30
    assert all(captured[order] <= t_s for order, t_s in left.items())
    waited = [order for order in left if captured[order] > max(packed[order], at_store[order])]
    assert len(waited) > 10, "expected drivers who had to wait for the money"
    assert len(played.rows("confirmation_revoked")) > 5


@pytest.mark.parametrize("mechanism", ["optimistic(attempts_max=30)", "lock"])
def test_two_phase_commit_holds_locks_for_the_providers_latency(
    two_stores: Any, play: Any, monkeypatch: Any, mechanism: str
) -> None:
    """From the first lock of an order to its release: T_window + T_pay; without it: T_window alone."""
    began: dict[int, float] = {}
    held: list[float] = []
    granted, released = Leases._grant, Leases.release

    def grant(self: Leases, lock: Any, order: Any) -> int:
        token = granted(self, lock, order)
        began[token] = self._env.now
        return token

    def release(self: Leases, place: int, token: int) -> Any:
        if token in began:
            held.append(self._env.now - began.pop(token))
        return released(self, place, token)

    monkeypatch.setattr(Leases, "_grant", grant)
    monkeypatch.setattr(Leases, "release", release)
    means = {}
    for plan, pay_s in (("two_phase_commit", 0.5), ("two_phase_commit", 4.0), ("reserve_then_pay", 4.0)):
        held.clear()
        began.clear()
        day(
            play,
            two_stores(
                f"payments={{latency_s: {pay_s}, latency_cv: 0.2, methods: {{card: 1}}, decline_share: 0}}",
                f"policies.saga={plan}", f"policies.reservation={mechanism}", "customers={patience_s: null}",
                "platform={window_s: 0.1, window_cv: 0.2}", "supply.cover_days=9", "demand.orders_per_day=1200",
            ),
        )  # fmt: skip
        means[plan, pay_s] = np.mean(held) if held else 0.0
    for pay_s in (0.5, 4.0):
        assert 0.9 * (pay_s + 0.1) < means["two_phase_commit", pay_s] < 1.3 * (pay_s + 0.1)
    assert means["reserve_then_pay", 4.0] < 0.3


def test_a_prepared_order_locks_out_who_wants_the_same(two_stores: Any, play: Any, monkeypatch: Any) -> None:
    """What the locks cost: with a slow provider a flash sale's buyers give up waiting for each other."""
    sale = (
        "demand.flash_sales=[{at: '12:20', seconds: 10, buyers: 60, sku: 3, stock: 500}]", "horizon_h=0.6",
        "payments={latency_s: 3, latency_cv: 0.2, methods: {card: 1}, decline_share: 0}", "customers={patience_s: null}",
        "policies.reservation=lock(timeout_s=2)",
    )  # fmt: skip
    turned_away = {}
    for plan in ("reserve_then_pay", "two_phase_commit"):
        played = day(play, two_stores(*sale, f"policies.saga={plan}"))
        out = played.rows("order_cancelled")
        turned_away[plan] = int((out["reason"] == CancelReason.CONTENTION).sum())
    assert turned_away["reserve_then_pay"] < 5
    assert turned_away["two_phase_commit"] > 25


def test_the_steps_of_a_plan_are_done_in_its_order(one_store: Any, play: Any) -> None:
    orders = {
        "reserve_then_pay": (Step.RESERVE, Step.PAY, Step.CONFIRM),
        "pay_then_reserve": (Step.PAY, Step.RESERVE, Step.CONFIRM),
        "at_once": (Step.RESERVE_AND_PAY, Step.CONFIRM),
        "confirm_first": (Step.RESERVE, Step.CONFIRM, Step.PAY),
        "two_phase_commit": (Step.PREPARE, Step.COMMIT, Step.CONFIRM),
    }
    assert set(orders) == set(PLANS)
    for plan, steps in orders.items():
        played = play(one_store(f"policies.saga={plan}", "horizon_h=0.3"))
        done: dict[int, list[int]] = {}
        for row in played.rows("saga_step_done"):
            done.setdefault(int(row["order"]), []).append(int(row["step"]))
        assert done
        assert all(tuple(got) == steps[: len(got)] for got in done.values())
        assert any(tuple(got) == steps for got in done.values())


def test_prepared_tokens_are_all_let_go(two_stores: Any, play: Any, monkeypatch: Any) -> None:
    made: list[Reserving] = []
    begin = Reserving.__init__

    def kept(self: Reserving, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        made.append(self)

    monkeypatch.setattr(Reserving, "__init__", kept)
    day(play, two_stores(*SCARCE, "policies.saga=two_phase_commit", "faults=[{kind: orchestrator_crash, at: '12:20'}]"))
    assert made[0]._prepared == {}
