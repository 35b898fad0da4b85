"""What is asked of a run: service levels, by how much a change may worsen them, and the figures that may be named."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from operator import ge, gt, le, lt
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from sim.scenario.fields import JUDGEMENT, Branch, given
from sim.scenario.services import Services

SHARES = re.compile(
    r"(^|\.)(within_s\.\d+|on_time|fill_rate|availability|hit_rate|utilisation(\.\w+)?|\w+_share|\w+_fill_rate|perfect_order_rate)$"
)
"""Metrics that are shares of one."""

COMPARED: Final[Mapping[str, Callable[[float, float], bool]]] = {">=": ge, "<=": le, ">": gt, "<": lt}
"""What each comparison of a service level asks of a figure and its target."""
_SLO = re.compile(
    r"^\s*([A-Za-z_][\w.]*)\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?)\s*(%?)\s*(?:\((warn|error)\))?\s*$"
)


_WORSENS = re.compile(r"^\s*([A-Za-z_][\w.]*)\s*<=\s*(\d+(?:\.\d+)?)\s*%\s*(?:\((warn|error)\))?\s*$")


def _known(metric: str) -> str:
    if metric not in METRICS:
        close = get_close_matches(metric, METRICS, n=3, cutoff=0.4)
        known = f"such as {', '.join(close or METRICS[:3])}"
        raise ValueError(f"a metric of summary.json ({known}; a run's summary.json has them all), got {metric!r}")
    return metric


class Slo(Branch):
    """A service level: a key of summary.json, a comparison, a target."""

    metric: str
    op: Literal[">=", "<=", ">", "<"]
    target: Annotated[float, Field(strict=True)]
    severity: Literal["warn", "error"] = given("error", "-", "error fails the run (exit code 1), warn does not")

    _named = field_validator("metric")(_known)

    @field_validator("target")
    @classmethod
    def _of_one(cls, target: float, info: ValidationInfo) -> float:
        if SHARES.search(str(info.data.get("metric", ""))) and not 0.0 <= target <= 1.0:
            raise ValueError(f"a share from 0 to 1 (0.95, not 95), got {target:g}")
        return target


class Worsens(Branch):
    """By how much a figure may get worse against a baseline: a key of summary.json, a share of the baseline's mean."""

    metric: str
    most: Annotated[float, Field(strict=True, ge=0, le=10)]
    severity: Literal["warn", "error"] = given("error", "-", "error fails the check (exit code 1), warn does not")

    _named = field_validator("metric")(_known)


class Check(Branch):
    """What `darkstore check` holds a change against, beside the service levels."""

    reps: Annotated[int, Field(strict=True, ge=2, le=10_000)] = given(
        20, "judgement: with the same days a change of 1 % in click-to-door is told by far fewer", "replications"
    )
    worsens: tuple[Worsens, ...] = given(
        lambda: tuple(
            Worsens(**parse_worsens(text))
            for text in (
                "click_to_door_s.mean <= 1%", "click_to_door_s.p95 <= 3%", "on_time <= 1%", "fill_rate <= 1%",
                "cost.per_order_cents <= 1%",
            )
        ),
        JUDGEMENT,
        'by how much figures may get worse against the baseline: "metric <= 1%", or {metric, most, severity}',
    )  # fmt: skip

    @field_validator("worsens", mode="before")
    @classmethod
    def _worsens(cls, entries: Any) -> Any:
        if isinstance(entries, list | tuple):
            return tuple(parse_worsens(entry) if isinstance(entry, str) else entry for entry in entries)
        return entries


_LATENCY = ("p50_s", "p99_s", "availability")

METRICS = (
    *(f"click_to_door_s.{key}" for key in ("mean", "p50", "p90", "p95", "p99")),
    *(f"within_s.{key}" for key in ("900", "1200", "1800")),
    "on_time",
    *(f"stages_s.{key}" for key in ("checkout", "wait_pick", "pick", "wait_driver", "ride")),
    *(f"utilisation.{key}" for key in ("pickers", "drivers", "drivers_riding_empty")),
    "orders_per_driver_hour",
    *(f"drivers.{key}" for key in ("accepted_share", "proposals_refused", "gini_orders", "gini_pay")),
    *(f"drivers.{key}" for key in ("longest_idle_s", "guaranteed_share")),
    *(f"drivers.{key}" for key in ("ways_cents", "tips_cents", "bonuses_cents")),
    *(f"drivers.earned_hour_cents.{key}" for key in ("mean", "p10", "p50")),
    *(f"surcharges.{key}" for key in ("orders", "cents", "walked_away")),
    "fill_rate", "drift.records_inaccurate_share", "drift.units_abs", "drift.units_net",
    "drift.phantom_share", "drift.units_short", "drift.units_unseen", "drift.value_cents",
    *(f"sales.{key}" for key in ("units_wanted", "units_denied", "units_short", "backorders_mean")),
    *(f"reviews.{key}" for key in ("units_corrected", "flagged", "reviewed", "open", "wait_s")),
    "losses.shrink_share", "losses.waste_share", "forecast.wape", "forecast.total_wape", "forecast.bias",
    *(f"packing.{stage}.{key}" for stage in ("wait_s", "pack_s") for key in ("mean", "p95")),
    "packing.overflow_share", "packing.utilisation",
    *(f"substitutions.{key}" for key in ("lines", "units", "cents", "refused", "unanswered")),
    *(f"floor.{key}" for key in ("lines_per_paid_hour", "lines_per_busy_hour", "counting_share")),
    *(f"floor.{stage}.{key}" for stage in ("wait_pick_s", "pick_s", "dwell_s", "dock_s") for key in ("mean", "p95")),
    *(
        f"floor.pick_stages_s.{stage}"
        for stage in (
            "setup", "walking", "zones", "handling", "congestion", "looking", "packing", "waiting", "counting",
        )
    ),
    *(f"floor.counts.{key}" for key in ("planned", "done", "left", "hours")),
    *(f"floor.peak_orders.{key}" for key in ("waiting_pick", "waiting_pick_one_store", "packed", "packed_one_store")),
    *(
        f"floor.{key}"
        for key in (
            "line_fill_rate", "order_fill_rate", "perfect_order_rate", "stockout_share", "turns_per_year", "cover_days",
        )
    ),
    *(f"goods.{key}" for key in ("sold_cents", "gross_margin_cents", "stockout_cents", "stock_cents")),
    "cost.total_cents", "cost.per_order_cents", "revenue_cents", "tax_cents", "discount_cents", "fees_cents",
    *(f"orders.{key}" for key in ("offered", "entered", "rejected", "delivered", "cancelled", "payment_failed", "open")),
    "refunds.orders", "refunds.cents",
    *(f"returns.{key}" for key in ("orders", "units", "put_back_units", "wasted_units")),
    *(f"support.{key}" for key in ("contacts", "per_1000", "answered", "open", "refunds", "refund_cents", "by_lead")),
    "support.wait_s.mean", "support.wait_s.p95", "support.utilisation",
    *(
        f"tracking.{key}"
        for key in (
            "pings", "lost_share", "late_share", "spoofed_share", "age_s.mean", "age_s.p95", "stalls", "taken_back",
        )
    ),
    *(
        f"eta_error_s.{horizon}.{key}"
        for horizon in ("900", "600", "300", "120")
        for key in ("orders", "mean", "mean_abs", "p90_abs")
    ),
    *(
        f"notifications.{who}.{key}"
        for who in ("customers", "drivers")
        for key in ("sent", "websocket", "push", "lost", "lost_share", "late_share")
    ),
    *(f"platform.user.{key}" for key in (*_LATENCY, "error_budget_burnt")),
    *(
        f"platform.endpoints.{name}.{key}"
        for name in ("catalogue", "place_order", "order_status", "drivers_nearby", "home", "reserve")
        for key in _LATENCY
    ),
    *(f"platform.services.{name}.{key}" for name in Services.model_fields for key in (*_LATENCY, "utilisation")),
    *(f"platform.freshness_s.{key}" for key in ("p50", "p99")),
    *(
        f"platform.{key}"
        for key in (
            "hit_rate", "stale_reads_share", "shown_was_gone_per_1000", "lines_hidden_per_1000", "version_conflicts_per_1000",
            "retries_per_1000", "lock_timeouts", "writes_fenced", "holds_expired", "confirmations_revoked",
            "orders_doubled",
        )
    ),
    *(f"platform.stale_orders.{key}" for key in ("orders", "per_1000", "age_p50_s")),
    *(
        f"platform.screens.{key}"
        for key in ("checkout_short", "checkout_short_per_1000", "home_parts_dropped", "home_parts_dropped_per_1000")
    ),
    *(
        f"platform.fraud.{key}"
        for key in (
            "screened", "fraudsters_orders", "false_positives", "false_negatives", "false_positive_rate",
            "false_negative_rate",
        )
    ),
    *(f"platform.attacks.{key}" for key in ("asked", "refused", "refused_share")),
    *(
        f"platform.bus.{key}"
        for key in ("messages_per_order", "redelivered", "duplicated", "dead", "lost", "picked_twice", "lag_max")
    ),
    *(f"platform.breakers.{key}" for key in ("openings", "open_s")),
    *(
        f"platform.fault_totals.{key}"
        for key in ("faults", "noticed", "detected_after_s", "recovered_after_s", "orders_lost", "units_short")
    ),
    *(f"platform.payments.{key}" for key in ("unknown", "late", "duplicated", "double_charges", "differing")),
)  # fmt: skip
"""Keys of summary.json that a service level may name."""


def parse_slo(text: str) -> dict[str, Any]:
    """Read ``metric op target``, a share also as ``95 %``, with an optional ``(warn)`` into the keys of `Slo`."""
    match = _SLO.match(text)
    if not match:
        raise ValueError(f'a service level like "within_s.1800 >= 0.95" (optionally with "(warn)"), got {text!r}')
    if match[4] and not SHARES.search(match[1]):
        raise ValueError(f"a target without %, for {match[1]} is no share, got {text!r}")
    target = float(match[3]) / 100.0 if match[4] else float(match[3])
    return {"metric": match[1], "op": match[2], "target": target, "severity": match[5] or "error"}


def parse_worsens(text: str) -> dict[str, Any]:
    """Read ``metric <= N%`` with an optional ``(warn)`` into the keys of `Worsens`."""
    match = _WORSENS.match(text)
    if not match:
        raise ValueError(f'a limit like "click_to_door_s.mean <= 1%" (optionally with "(warn)"), got {text!r}')
    return {"metric": match[1], "most": float(match[2]) / 100.0, "severity": match[3] or "error"}
