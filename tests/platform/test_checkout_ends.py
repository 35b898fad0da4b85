"""Checkouts that come to nothing: holds that run out, customers who no longer want it, carts of which nothing is left."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim.engine import policies_of
from sim.vocabulary import CancelReason, OrderState, Rejection, Step
from tests.conftest import lawful_day

SURE = ("customers.patience_s=null", "stores.inaccurate_share=0", "payments={decline_share: 0, methods: {card: 1}}")


def cents(played: Any, kind: str) -> dict[int, int]:
    rows = played.rows(kind)
    return dict(zip(rows["order"].tolist(), rows["cents"].tolist(), strict=True))


def cancelled(played: Any, reason: CancelReason) -> set[int]:
    rows = played.rows("order_cancelled")
    return set(rows["order"][rows["reason"] == reason].tolist())


def sold_out(played: Any) -> set[int]:
    rows = played.rows("order_rejected")
    return set(rows["order"][rows["reject"] == Rejection.SOLD_OUT].tolist())


def of(played: Any, kind: str) -> set[int]:
    return set(played.rows(kind)["order"].tolist())


# -- holds that run out ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", ["reserve_then_pay", "at_once"])
def test_an_order_whose_hold_ran_out_before_it_was_paid_ends_as_expired(two_stores: Any, play: Any, plan: str) -> None:
    """The provider takes eight seconds in the mean, and goods are held for five."""
    slow = "payments={latency_s: 8, timeout_s: 60, methods: {card: 1}, decline_share: 0}"
    played = lawful_day(play, two_stores(*SURE, slow, "platform.hold_s=5", "horizon_h=0.7", f"policies.saga={plan}"))
    expired = of(played, "hold_expired")
    assert len(expired) > 20
    assert expired == cancelled(played, CancelReason.EXPIRED)
    assert not expired & of(played, "order_promised")
    assert cents(played, "payment_refunded") == {
        order: kept for order, kept in cents(played, "payment_captured").items() if order in expired
    }
    states = Counter(played.study.orders["state"].tolist())
    assert states == {OrderState.CANCELLED: len(expired), OrderState.DELIVERED: len(of(played, "order_promised"))}


# -- customers who no longer want it -----------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", ["reserve_then_pay", "pay_then_reserve", "at_once"])
def test_who_called_off_while_the_card_was_being_declined_is_cancelled(two_stores: Any, play: Any, plan: str) -> None:
    """The provider says no after twenty seconds; customers have called off after ten."""
    no = "payments={methods: {card: 1}, decline_share: 1, latency_s: 20, latency_cv: 0, timeout_s: 60, attempts_max: 3}"
    played = lawful_day(
        play, two_stores(no, "customers={patience_s: 10, patience_cv: 0}", "horizon_h=0.5", f"policies.saga={plan}")
    )
    asked = played.rows("payment_asked")["order"].tolist()
    assert len(asked) > 40
    assert len(set(asked)) == len(asked), "nobody tries to pay for what is called off"
    assert cancelled(played, CancelReason.CUSTOMER) == set(asked)
    assert set(played.study.orders["state"].tolist()) == {OrderState.CANCELLED}


def test_a_silent_provider_is_not_asked_again_for_what_was_called_off(two_stores: Any, play: Any) -> None:
    """The time-out is ten seconds; customers have called off after five."""
    played = lawful_day(
        play,
        two_stores(
            "payments={methods: {card: 1}, retries_max: 3}", "customers={patience_s: 5, patience_cv: 0}", "horizon_h=0.5",
            "platform.breaker.enabled=false", "faults=[{kind: provider_outage, at: '12:05', minutes: 25}]",
        ),
    )  # fmt: skip
    asked = played.rows("payment_asked")
    during = asked["order"][asked["t_s"] >= 300.0].tolist()
    assert len(during) > 30
    assert set(Counter(during).values()) == {1}
    assert set(during) <= cancelled(played, CancelReason.CUSTOMER)


# -- carts of which nothing is left ------------------------------------------------------------------------------------

SCARCE = (
    *SURE, "supply={units_min: 1, cover_days: 0.005}", "demand.orders_per_day=6000", "horizon_h=1", "catalogue.skus=20",
    "policies.substitution=refund(share_min=0)",
)  # fmt: skip
"""Records run dry; whoever gets at least something takes it."""


def test_with_a_plan_that_pays_first_a_cart_of_which_nothing_is_left_is_refused_and_not_charged(
    two_stores: Any, play: Any
) -> None:
    """The same orders as those that are given up when reserving comes first; who gets a part of his cart is not refused."""
    paying, reserving = (
        lawful_day(play, two_stores(*SCARCE, f"policies.saga={plan}"))
        for plan in ("pay_then_reserve", "reserve_then_pay")
    )
    refused = sold_out(paying)
    assert len(refused) > 100
    assert refused == cancelled(reserving, CancelReason.OUT_OF_STOCK)
    assert not refused & of(paying, "payment_asked")
    assert not cancelled(paying, CancelReason.OUT_OF_STOCK)
    assert of(paying, "goods_delivered") == of(reserving, "goods_delivered")


@pytest.mark.parametrize("plan", ["reserve_then_pay", "confirm_first", "at_once", "two_phase_commit"])
def test_a_plan_that_begins_with_the_records_needs_no_other_look_at_them(two_stores: Any, play: Any, plan: str) -> None:
    played = lawful_day(play, two_stores(*SCARCE, f"policies.saga={plan}"))
    nothing = cancelled(played, CancelReason.OUT_OF_STOCK)
    assert len(nothing) > 100
    assert not sold_out(played)
    assert not nothing & of(played, "order_promised")
    if plan != "at_once":
        assert not nothing & of(played, "payment_asked")


def test_a_plan_that_says_yes_first_does_not_say_it_of_what_is_all_gone(two_stores: Any, play: Any) -> None:
    scenario = two_stores(*SCARCE)
    plan = (Step.CONFIRM, Step.RESERVE, Step.PAY)
    played = play(scenario, policies=replace(policies_of(scenario), saga=lambda view: plan))
    refused = sold_out(played)
    assert len(refused) > 100
    assert not refused & of(played, "order_promised")


def test_a_store_that_sells_without_its_records_is_not_asked_what_is_left(two_stores: Any, play: Any) -> None:
    cut = "faults=[{kind: store_partition, at: '12:20', minutes: 20, on_partition: accept}]"
    played = lawful_day(play, two_stores(*SCARCE, "policies.saga=pay_then_reserve", cut))
    rejected, entered = (played.rows(kind)["t_s"] for kind in ("order_rejected", "order_entered"))

    def within(t_s: Any, begin_s: float, end_s: float) -> int:
        return int(np.sum((t_s >= begin_s) & (t_s < end_s)))

    assert within(rejected, 1200.0, 2400.0) == 0
    assert within(entered, 1200.0, 2400.0) > 50
    assert within(rejected, 2400.0, 3600.0) > 30
