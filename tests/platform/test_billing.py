"""Bills: made once, charged as they are, and what goes back of them is in proportion, whatever the plan."""

from collections import defaultdict
from fractions import Fraction
from typing import Any

import pytest

from sim.laws import all_laws, verdict
from sim.vocabulary import OrderState, PayMethod
from sim.world.build import build_world
from tests.conftest import lawful_day as day

PLANS = ("reserve_then_pay", "pay_then_reserve", "at_once", "confirm_first", "two_phase_commit")

SCARCE = (
    "demand.orders_per_day=4000", "horizon_h=1", "customers={patience_s: 1500, patience_cv: 1}",
    "payments={decline_share: 0.2, latency_s: 2, methods: {card: 0.6, wallet: 0.1, cash: 0.3}}",
    "supply={units_min: 1, cover_days: 0.02}", "stores={inaccurate_share: 0.5, inaccurate_units: 25}", "pickers.mispick_share=0",
    "faults=[{kind: orchestrator_crash, rate_per_day: 100}]",
)  # fmt: skip
"""Lines are denied by records and missing on shelves, cards are declined, and the orchestrator crashes."""

PRICINGS = {
    "promotion": ("platform.pricing.promotion={share: 0.5, percent: 33.3, cap_cents: 777, minimum_cents: 1000}",),
    "tax on top": ("platform.pricing={tax_included: false, tax_share: 0.07}",),
    "everything": (
        "platform.pricing={tax_included: false, small_order_below_cents: 2000, small_order_fee_cents: 99, "
        "free_delivery_from_cents: 3000, promotion: {share: 0.5, percent: 12.5, cap_cents: null, minimum_cents: 0}}",
    ),
}
"""Pricings of which no bill can be told from the goods alone."""


def sums(played: Any, kind: str) -> dict[int, int]:
    total: dict[int, int] = defaultdict(int)
    for row in played.rows(kind):
        total[int(row["order"])] += int(row["cents"])
    return total


def picked_cents(played: Any) -> dict[int, int]:
    """What was handed to the driver of each order, at listed prices."""
    prices = played.world.catalogue.price_cents.tolist()
    total: dict[int, int] = defaultdict(int)
    for row in played.rows("goods_picked"):
        total[int(row["order"])] += int(row["units"]) * prices[row["sku"]]
    return total


@pytest.mark.parametrize("pricing", PRICINGS)
@pytest.mark.parametrize("plan", PLANS)
def test_every_plan_charges_bills_and_gives_back_in_proportion(
    two_stores: Any, play: Any, plan: str, pricing: str
) -> None:
    played = day(play, two_stores(*SCARCE, *PRICINGS[pricing], f"policies.saga={plan}"))
    bills = {int(row["order"]): row for row in played.rows("order_billed")}
    assert len(bills) == len(played.rows("order_billed")), "an order is billed once"
    assert {int(row["order"]) for row in played.rows("payment_asked")} <= set(bills)
    assert all(row["cents"] == bills[int(row["order"])]["total_cents"] for row in played.rows("payment_asked"))
    charged, returned, picked = sums(played, "charge_made"), sums(played, "charge_returned"), picked_cents(played)
    orders, partly = played.study.orders, 0
    for order, state in zip(orders["order"].tolist(), orders["state"].tolist(), strict=True):
        kept = charged[order] - returned[order]
        if state != OrderState.DELIVERED:
            assert kept == 0
            continue
        _, _, goods, stays, _, _, total = bills[order].item()
        gone = goods - picked[order]
        assert kept == total - round(Fraction((total - stays) * gone, goods))
        partly += gone > 0
    assert partly > 5
    methods = played.world.trace.method
    cash = {order for order in charged if methods[order] == PayMethod.CASH}
    assert any(charged[order] < bills[order]["total_cents"] for order in cash), "less is asked for at the door"


@pytest.mark.parametrize("plan", PLANS)
def test_by_default_an_order_is_charged_its_goods_and_the_delivery_fee(two_stores: Any, play: Any, plan: str) -> None:
    played = day(play, two_stores(*SCARCE, f"policies.saga={plan}"))
    assert len(played.rows("order_billed")) == 0
    charged, returned, picked = sums(played, "charge_made"), sums(played, "charge_returned"), picked_cents(played)
    orders, fee = played.study.orders, played.world.scenario.platform.delivery_fee_cents
    delivered = orders["order"][orders["state"] == OrderState.DELIVERED].tolist()
    assert [charged[order] - returned[order] for order in delivered] == [picked[order] + fee for order in delivered]
    prices = played.world.catalogue.price_cents.tolist()
    held: dict[int, int] = defaultdict(int)
    for row in played.rows("stock_reserved"):
        held[int(row["order"])] += int(row["units"]) * prices[row["sku"]]
    whole = dict(zip(orders["order"].tolist(), orders["value_cents"].tolist(), strict=True))
    asked = whole if plan in ("pay_then_reserve", "at_once") else held
    assert len(played.rows("payment_asked")) > 50
    assert all(row["cents"] == asked[int(row["order"])] + fee for row in played.rows("payment_asked"))


def test_an_order_with_nothing_to_pay_is_delivered_and_nobody_is_asked_for_money(two_stores: Any, play: Any) -> None:
    gift = (
        "platform.pricing={free_delivery_from_cents: 0, promotion: {share: 0.5, percent: 100.0, cap_cents: null, "
        "minimum_cents: 0}}"
    )
    played = day(play, two_stores(*SCARCE, gift))
    free = {int(row["order"]) for row in played.rows("order_billed") if row["total_cents"] == 0}
    assert free
    orders = played.study.orders
    delivered = set(orders["order"][orders["state"] == OrderState.DELIVERED].tolist())
    assert len(free & delivered) > 10
    assert not free & {int(row["order"]) for kind in ("payment_asked", "charge_made") for row in played.rows(kind)}
    summary = played.study.summary
    assert summary["fees_cents"] == 0
    assert summary["discount_cents"] > 0


@pytest.mark.parametrize("pricing", ["plain", *PRICINGS])
def test_the_summary_says_what_was_charged_for(two_stores: Any, play: Any, pricing: str) -> None:
    # Nothing is missing and nobody cancels, so what is kept is what was billed.
    calm = (
        "pickers.mispick_share=0", "stores.inaccurate_share=0", "customers.patience_s=null", "catalogue.skus=60",
        "payments.methods={card: 1}", "platform.bus={loss: 0, duplicates: 0}",
    )  # fmt: skip
    played = day(play, two_stores(*calm, *PRICINGS.get(pricing, ())))
    summary, fee = played.study.summary, played.world.scenario.platform.delivery_fee_cents
    orders = played.study.orders
    kept = orders["charged_cents"] - orders["refunded_cents"]
    paid = set(orders["order"][kept > 0].tolist())
    assert len(paid) > 100
    if pricing == "plain":
        goods = sum((kept[kept > 0] - fee).tolist())
        assert summary["fees_cents"] == fee * len(paid)
        assert summary["discount_cents"] == 0
        assert summary["tax_cents"] == sum(round(Fraction(int(cents) * 19, 119)) for cents in kept.tolist())
        assert summary["revenue_cents"] == goods + summary["fees_cents"]
        return
    bills = [row for row in played.rows("order_billed") if int(row["order"]) in paid]
    full = [row for row in bills if kept[orders["order"] == row["order"]][0] == row["total_cents"]]
    assert len(full) == len(bills)
    assert summary["tax_cents"] == sum(int(row["tax_cents"]) for row in bills)
    assert summary["discount_cents"] == sum(int(row["discount_cents"]) for row in bills)
    on_top = 0 if played.world.scenario.platform.pricing.tax_included else summary["tax_cents"]
    goods = sum(int(row["goods_cents"]) for row in bills)
    assert summary["revenue_cents"] == goods - summary["discount_cents"] + summary["fees_cents"] + on_top


@pytest.mark.parametrize("seed", [2, 4, 8])
def test_what_was_found_missing_while_a_charge_was_tried_again_is_taken_off_once(
    two_stores: Any, play: Any, seed: int
) -> None:
    # The goods are picked while the customer tries again and again to pay, and the orchestrator dies in between: its
    # charge is made anew, of what was billed, and what went back meanwhile goes back once.
    slow = (
        "policies.saga=confirm_first", f"seed={seed}", "stores={inaccurate_share: 1.0, inaccurate_units: 25}",
        "supply={units_min: 1, cover_days: 0.05}", "customers.patience_s=null", "platform.restart_s=5.0",
        "payments={decline_share: 0.5, attempts_max: 5, retry_s: 200}",
        "faults=[{kind: orchestrator_crash, rate_per_day: 400}]",
    )  # fmt: skip
    played = day(play, two_stores(*slow))
    assert len(played.rows("payment_refunded")) > 5


def test_where_copies_of_messages_are_acted_upon_the_law_speaks_and_the_run_goes_on(two_stores: Any, play: Any) -> None:
    careless = ("platform.bus={deduplicate: false, duplicates: 0.5}", *PRICINGS["everything"])
    world = build_world(two_stores(*SCARCE, *careless))
    laws = all_laws(world)
    play(world, laws=laws)
    assert "orders" in {breach.law for breach in verdict(laws)}


# -- under load --------------------------------------------------------------------------------------------------------


def test_a_platform_that_has_switched_promotions_off_takes_no_codes(two_stores: Any, play: Any) -> None:
    """The last step of degradation: whoever pays while it is taken has no discount, and everybody else has one."""
    code = "platform.pricing.promotion={share: 1, percent: 10, cap_cents: null, minimum_cents: 0}"
    always = "platform.degradation={order: [promotions], off_at: [1.0e-9], hysteresis: 0}"
    never = "platform.degradation={order: [promotions], off_at: [1000.0], hysteresis: 0}"
    off, on, kept = (
        day(play, two_stores("demand.orders_per_day=1500", "horizon_h=1", code, *more)).rows("order_billed")
        for more in ((always,), (never,), (always, "platform.degradation.on=false"))
    )
    assert len(off) > 30
    assert not off["discount_cents"].any()
    assert on["discount_cents"].all()
    assert kept["discount_cents"].all()
