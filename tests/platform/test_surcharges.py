"""Surcharges and bonuses: who is put off, who is won over, and what they cost."""

from typing import Any

import numpy as np
import pytest

from sim.scenario import load_text
from sim.vocabulary import OfferAnswer, Rejection
from tests.conftest import ONE_STORE, lawful_day

CALM = ("customers.patience_s=null", "payments.decline_share=0", "stores.inaccurate_share=0")
MANY = ("drivers.count=40", "pickers.per_store=40", "demand.orders_per_day=9600")


def test_customers_walk_away_by_the_elasticity_of_what_an_order_costs_in_all(one_store: Any, play: Any) -> None:
    for elasticity in (0.0, 1.5, 4.0):
        day = lawful_day(
            play,
            one_store(*CALM, *MANY, "policies.pricing=flat(cents=400)", f"customers.price_elasticity={elasticity}"),
        )
        rejected = day.rows("order_rejected")
        assert set(rejected["reject"].tolist()) <= {Rejection.TOO_DEAR}
        total_cents = day.world.trace.value_cents + day.world.scenario.platform.delivery_fee_cents
        stay = (1.0 + 400.0 / total_cents) ** -elasticity
        away, expected = len(rejected), float((1.0 - stay).sum())
        assert abs(away - expected) <= 5.0 * np.sqrt(float((stay * (1.0 - stay)).sum())) + 1e-9
        assert day.study.summary["surcharges"]["walked_away"] == away


def test_whoever_stays_pays_the_surcharge_with_the_delivery_fee(one_store: Any, play: Any) -> None:
    dear = ("customers.price_elasticity=0", "policies.pricing=flat(cents=400)")
    plain, more = (lawful_day(play, one_store(*CALM, *MANY, *extra)).study for extra in ((), dear))
    delivered = plain.summary["orders"]["delivered"]
    assert more.summary["orders"] == plain.summary["orders"]
    assert more.summary["surcharges"] == {"orders": delivered, "cents": 400 * delivered, "walked_away": 0}
    assert more.summary["fees_cents"] - plain.summary["fees_cents"] == 400 * delivered
    assert more.summary["revenue_cents"] - plain.summary["revenue_cents"] == 400 * delivered
    assert more.orders["charged_cents"] == pytest.approx(plain.orders["charged_cents"] + 400)


def test_a_surcharge_is_due_where_delivery_is_free_and_goes_back_with_an_order_that_is_off(
    one_store: Any, play: Any
) -> None:
    free = "platform.pricing.free_delivery_from_cents=1"
    day = lawful_day(
        play, one_store(*CALM, *MANY, free, "policies.pricing=flat(cents=400)", "customers.price_elasticity=0")
    )
    assert day.study.summary["fees_cents"] == 400 * day.study.summary["orders"]["delivered"]
    hasty = ("customers.patience_s=300", "policies.pricing=flat(cents=400)", "customers.price_elasticity=0")
    off = lawful_day(play, one_store(*CALM[1:], *MANY, *hasty)).study.orders
    gone = ~np.isnan(off["cancel_reason"]) & (off["cancel_reason"] >= 0)
    assert gone.any()
    assert (off["refunded_cents"][gone] == off["charged_cents"][gone]).all()


@pytest.mark.parametrize("family", ["pricing", "incentive"])
def test_nothing_asked_for_is_as_if_there_were_no_such_policy(one_store: Any, play: Any, family: str) -> None:
    plain = play(one_store(*CALM))
    never = play(one_store(*CALM, f"policies.{family}=by_load(cents=0)"))
    assert (
        never.outcome.digest == plain.outcome.digest or family == "pricing"
    )  # bills are logged where there may be surcharges
    assert never.study.orders["delivered_s"] == pytest.approx(plain.study.orders["delivered_s"], nan_ok=True)


def test_prices_that_follow_the_load_keep_the_queue_shorter(one_store: Any, play: Any) -> None:
    busy = ("drivers.count=6", "pickers.per_store=20", "demand.orders_per_day=2400", "drain_h=4")
    flat, tide = (
        play(one_store(*CALM, *busy, f"policies.pricing={name}", "customers.price_elasticity=3")).study.summary
        for name in ("flat", "by_load(orders_per_driver=1, cents=400, cents_max=2000)")
    )
    assert tide["surcharges"]["orders"] > 20
    assert tide["click_to_door_s"]["mean"] < 0.8 * flat["click_to_door_s"]["mean"]


def test_a_forecast_asks_before_the_rush_has_come(one_store: Any, play: Any) -> None:
    rush = "demand.surges=[{at: '13:00', minutes: 30, factor: 6}]"
    ahead = "policies.pricing=by_forecast(within_s=1800, orders_per_hour=10, cents=300)"
    day = play(one_store(*CALM, "pickers.per_store=20", "drivers.count=8", rush, ahead, "customers.price_elasticity=0"))
    asked = day.rows("order_surcharged")
    assert len(asked)
    assert asked["t_s"].min() < 3600.0
    quiet = play(one_store(*CALM, "pickers.per_store=20", "drivers.count=8", ahead))
    assert len(quiet.rows("order_surcharged")) == 0


CHOOSY = "drivers={count: 12, accept_share: 0.3, shifts: [{at: '12:00', hours: 5}], choice: {per_bonus_dollar: 1}}"


def test_bonuses_win_drivers_over_and_are_paid_for_what_is_handed_over(one_store: Any, play: Any) -> None:
    shares = {}
    for cents in (0, 200):
        day = lawful_day(play, load_text(ONE_STORE, (*CALM, CHOOSY, f"policies.incentive=flat(cents={cents})")))
        answered = day.rows("offer_answered")
        shares[cents] = float((answered["answer"] == OfferAnswer.ACCEPTED).mean())
        delivered = len(day.rows("goods_delivered"))
        assert day.study.summary["drivers"]["bonuses_cents"] == cents * delivered
        hours = float(day.study.drivers["on_s"].sum()) / 3600.0
        assert day.study.summary["cost"]["by_kind"]["drivers"] == pytest.approx(1500 * hours + cents * delivered, abs=1)
    # Two dollars at one log-odd each.
    odds = {cents: np.log(share / (1 - share)) for cents, share in shares.items()}
    assert odds[200] - odds[0] == pytest.approx(2.0, abs=0.8)


def test_an_order_that_was_declined_is_offered_with_more(one_store: Any, play: Any) -> None:
    day = play(load_text(ONE_STORE, (*CALM, CHOOSY, "policies.incentive=by_declines(cents=50, cents_max=120)")))
    offered, answered, bonus = day.rows("offer_made"), day.rows("offer_answered"), day.rows("bonus_offered")
    for order in np.unique(offered["order"])[:40].tolist():
        said = answered["answer"][answered["order"] == order]
        declines, expected = 0, []
        for answer in said.tolist():
            expected.append(min(50 * declines, 120))
            declines += answer in (OfferAnswer.DECLINED, OfferAnswer.EXPIRED)
        assert bonus["cents"][bonus["order"] == order].tolist() == [cents for cents in expected if cents]
