"""What a run cost and earned, integer cents."""

from typing import Any

import numpy as np

from sim.metrics.benches import packing_h
from sim.metrics.drivers import Earnings
from sim.metrics.goods import GoodsMoney
from sim.metrics.support import support_h
from sim.metrics.tables import Columns
from sim.recording import Archive
from sim.scenario import Scenario
from sim.vocabulary import NOBODY, OrderState, StockCause


def costs(
    archive: Archive, scenario: Scenario, work: dict[str, Any], orders: Columns, earnings: Earnings
) -> dict[str, Any]:
    """Costs by kind, per delivered order, and revenue (captured less refunded), from the warm-up on."""
    rates, start = scenario.costs, scenario.warmup_h * 3600.0
    goods, captured = GoodsMoney(archive, scenario), archive.rows("payment_captured")
    captured = captured[np.isin(captured["order"], orders["order"])]

    def hours(name: str) -> float:
        _, begins, ends = work[name]
        return float(np.maximum(ends - np.maximum(begins, start), 0.0).sum()) / 3600.0

    stores = len(np.unique(archive.rows("shelf_changed")["store"]))
    days = (scenario.horizon_h - scenario.warmup_h) / 24.0
    kinds = {
        "drivers": float(earnings.pay_cents.sum()),
        "pickers": hours("pickers_on") * rates.picker_hour_cents,
        "stores": stores * days * rates.store_day_cents,
        "packaging": float((~np.isnan(orders["packed_s"])).sum() * rates.packaging_cents),
        "payments": float(captured["cents"].sum() * rates.payment_share + len(captured) * rates.payment_cents),
        "packing": packing_h(scenario, stores) * rates.picker_hour_cents,
        "support": support_h(scenario) * rates.agent_hour_cents,
        "counting": _counting_h(archive, scenario) * rates.picker_hour_cents,
        "reviewing": _reviewing_h(archive, scenario) * rates.picker_hour_cents,
        "receiving": _receiving_h(archive, scenario) * rates.picker_hour_cents,
        **goods.costs(),
        "transfers": _trips(archive, scenario) * rates.transfer_cents,
        **_platform(archive, scenario, len(orders["order"])),
    }
    by_kind = {name: int(np.rint(cents)) for name, cents in kinds.items()}
    delivered = int((orders["state"] == OrderState.DELIVERED).sum())
    total = sum(by_kind.values())
    return {
        "cost": {"total_cents": total, "per_order_cents": total / delivered if delivered else None, "by_kind": by_kind},
        "revenue_cents": int(captured["cents"].sum()) - int(orders["refunded_cents"].sum()),
        **_charged_for(archive, scenario, orders),
        "goods": goods.margin(orders, _kept_for_goods(archive, scenario, orders)),
    }


def _kept_for_goods(archive: Archive, scenario: Scenario, orders: Columns) -> float:
    """What is left for their goods, without tax and fees, of what delivered orders were charged, cents."""
    got = orders["state"] == OrderState.DELIVERED
    mine = {name: column[got] for name, column in orders.items()}
    charged, pricing = _charged_for(archive, scenario, mine), scenario.platform.pricing
    fees = charged["fees_cents"] / (1.0 + pricing.tax_share if pricing.tax_included else 1.0)
    return float((mine["charged_cents"] - mine["refunded_cents"]).sum()) - charged["tax_cents"] - fees


def _counting_h(archive: Archive, scenario: Scenario) -> float:
    """Hours of the crews who counted shelves by plan; pickers count on their shifts, which are paid anyway."""
    counted = archive.rows("crew_counted")
    lines = int(counted["lines"][counted["t_s"] >= scenario.warmup_h * 3600.0].sum())
    return lines * scenario.stores.count_s / 3600.0


def _reviewing_h(archive: Archive, scenario: Scenario) -> float:
    """Hours that people looked into differences between scan log and record, paid like pickers (judgement)."""
    reviewed = archive.rows("difference_reviewed")
    return float((reviewed["t_s"] >= scenario.warmup_h * 3600.0).sum()) * scenario.stores.review.minutes / 60.0


def _receiving_h(archive: Archive, scenario: Scenario) -> float:
    """Hours that goods were put away, paid like pickers (judgement); who waits for a truck has other work."""
    dock, rounds = scenario.stores.dock, archive.rows("round_ended")
    if dock is None:
        return 0.0
    rounds = rounds[rounds["t_s"] >= scenario.warmup_h * 3600.0]
    return float((rounds["lines"] * dock.per_line_s + rounds["units"] * dock.per_unit_s).sum()) / 3600.0


def _trips(archive: Archive, scenario: Scenario) -> int:
    """Trips between stores that began after the warm-up."""
    sent = archive.rows("goods_sent")
    sent = sent[(sent["t_s"] >= scenario.warmup_h * 3600.0) & (sent["store"] != NOBODY)]
    return len(np.unique(sent[["t_s", "store", "destination"]]))


def _charged_for(archive: Archive, scenario: Scenario, orders: Columns) -> dict[str, int]:
    """What revenue holds beside the net price of goods, and what codes took off it; of orders that paid, or were delivered.

    Tax is what is in the money that was kept, so it goes back with refunds; fees and discounts are as billed. Bills are
    logged only where pricing is not plain, or has surcharges: else every order paid the delivery fee and had no discount.
    """
    pricing = scenario.platform.pricing
    kept = orders["charged_cents"] - orders["refunded_cents"]
    counted = (kept > 0) | (orders["state"] == OrderState.DELIVERED)
    bills = archive.rows("order_billed")
    if not len(bills):
        tax = np.rint(kept[counted] * (pricing.tax_share / (1.0 + pricing.tax_share)))
        fees, discounts = scenario.platform.delivery_fee_cents * int(counted.sum()), 0
    else:
        place = np.searchsorted(orders["order"], bills["order"])
        known = np.isin(bills["order"], orders["order"][counted])
        bills, kept = bills[known], kept[place[known]]
        total, goods, discount = bills["total_cents"], bills["goods_cents"], bills["discount_cents"]
        tax = np.rint(kept * bills["tax_cents"] / np.maximum(total, 1))
        on_top = 0 if pricing.tax_included else bills["tax_cents"]
        fees = int((total - on_top - goods + discount).sum())
        # What came back undelivered kept its fees at most: nobody had a discount.
        discounts = int(discount[~np.isin(bills["order"], archive.rows("fees_kept")["order"])].sum())
    return {"tax_cents": int(tax.sum()), "discount_cents": discounts, "fees_cents": fees}


WRITES = (
    "order_entered", "order_moved", "saga_step_done", "payment_captured", "payment_refunded", "stock_reserved", "hold_reduced",
    "hold_committed", "hold_released", "hold_expired", "task_opened", "task_closed", "offer_made", "offer_answered",
    "order_billed", "goodwill_given", "contact_made", "contact_answered", "stock_corrected",
)  # fmt: skip
"""Facts each of which is a write to one of the platform's databases; `record_adjusted` after the opening is another."""

_HOUR_S, _MILLION = 3600.0, 1e6


def _platform(archive: Archive, scenario: Scenario, orders: int) -> dict[str, float]:
    """What the platform cost, cents: instances, writes, messages and storage; in the minimal profile a flat charge."""
    rates, start = scenario.costs, scenario.warmup_h * 3600.0
    if scenario.platform.profile == "minimal":
        return {"platform": float(orders * rates.platform_order_cents)}
    samples = archive.rows("platform_sampled", ["t_s", "instance_s", "messages"])
    samples = samples[samples["t_s"] >= start]

    def grown(name: str) -> float:
        return float(samples[name][-1]) - float(samples[name][0]) if len(samples) else 0.0

    writes = sum(int((archive.rows(kind, ["t_s"])["t_s"] >= start).sum()) for kind in WRITES)
    adjusted = archive.rows("record_adjusted", ["t_s", "cause"])
    writes += int(((adjusted["t_s"] >= start) & (adjusted["cause"] != StockCause.OPENING)).sum())
    kept_gb = orders * rates.order_kb / _MILLION
    return {
        "platform_instances": grown("instance_s") / _HOUR_S * rates.instance_hour_cents,
        "platform_writes": writes / _MILLION * rates.writes_million_cents,
        "platform_messages": grown("messages") / _MILLION * rates.messages_million_cents,
        "platform_storage": kept_gb * rates.kept_months * rates.storage_gb_month_cents,
    }
