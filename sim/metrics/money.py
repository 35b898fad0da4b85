"""What a run cost and earned, integer cents."""

from typing import Any

import numpy as np

from sim.metrics.tables import Columns
from sim.recording import Archive
from sim.scenario import Scenario
from sim.vocabulary import OrderState


def costs(archive: Archive, scenario: Scenario, work: dict[str, Any], orders: Columns) -> dict[str, Any]:
    """Costs by kind, per delivered order, and revenue (captured less refunded), from the warm-up on."""
    rates, start = scenario.costs, scenario.warmup_h * 3600.0
    captured = archive.rows("payment_captured")
    captured = captured[np.isin(captured["order"], orders["order"])]

    def hours(name: str) -> float:
        _, begins, ends = work[name]
        return float(np.maximum(ends - np.maximum(begins, start), 0.0).sum()) / 3600.0

    stores = len(np.unique(archive.rows("shelf_changed")["store"]))
    days = (scenario.horizon_h - scenario.warmup_h) / 24.0
    kinds = {
        "drivers": hours("drivers_on") * rates.driver_hour_cents,
        "pickers": hours("pickers_on") * rates.picker_hour_cents,
        "stores": stores * days * rates.store_day_cents,
        "packaging": float((~np.isnan(orders["packed_s"])).sum() * rates.packaging_cents),
        "payments": float(captured["cents"].sum() * rates.payment_share + len(captured) * rates.payment_cents),
        "platform": float(len(orders["order"]) * rates.platform_order_cents),
    }
    by_kind = {name: int(np.rint(cents)) for name, cents in kinds.items()}
    delivered = int((orders["state"] == OrderState.DELIVERED).sum())
    total = sum(by_kind.values())
    return {
        "cost": {"total_cents": total, "per_order_cents": total / delivered if delivered else None, "by_kind": by_kind},
        "revenue_cents": int(captured["cents"].sum()) - int(orders["refunded_cents"].sum()),
    }
