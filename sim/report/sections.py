"""The figures of a run in the order in which a manager asks for them: the rows of the terminal's and the page's tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sim.report.explain import metric_of, words
from sim.report.forecast_words import FORECAST
from sim.report.metric import Kind
from sim.report.reasons import CAUSE_WORDS, REASONS
from sim.report.words import STAGES, at, centre, goods_only
from sim.vocabulary import Rejection

_STAGE_PARTS: Final = ("wait_driver_accept", "wait_driver_arrive", "wait_driver_handoff")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure with its name; `share` is what part of its section's whole it is, for a bar; `depth` indents."""

    label: str
    value: Any
    kind: Kind
    share: float | None = None
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """Figures that belong together."""

    title: str
    note: str
    rows: list[Row]


def _row(summary: Mapping[str, Any], path: str, label: str = "", depth: int = 0, of: Any = None) -> Row:
    metric, value = metric_of(path), at(summary, path)
    part = centre(value)
    share = part / of if of and part is not None else None
    return Row(label or metric.label, value, metric.kind, share, depth)


def _rest(share: Any) -> Any:
    """What is missing to one."""
    if isinstance(share, Mapping):
        mean, low, high = (None if share.get(k) is None else 1.0 - share[k] for k in ("mean", "high", "low"))
        return {"mean": mean, "low": low, "high": high}
    return None if share is None else 1.0 - share


def sections(summary: Mapping[str, Any]) -> list[Section]:
    """Every figure a manager asks for, in order of asking."""
    whole = centre(at(summary, "click_to_door_s.mean"))
    stages = []
    for stage in STAGES:
        stages.append(_row(summary, f"stages_s.{stage}", of=whole))
        if stage == "wait_driver":
            parts = (f"stages_s.{part}" for part in _STAGE_PARTS)
            stages.extend(_row(summary, part, depth=1, of=whole) for part in parts if at(summary, part) is not None)
    quantiles = {"p50": "half within", "p90": "90 % within", "p95": "95 % within", "p99": "99 % within", "mean": "mean"}
    service = [
        *(_row(summary, f"click_to_door_s.{q}", label) for q, label in quantiles.items()),
        *(_row(summary, f"within_s.{limit}") for limit in ("900", "1200", "1800")),
        _row(summary, "on_time"),
        *(
            _row(summary, path)
            for path in ("eta_error_s.600.mean_abs", "eta_error_s.300.mean_abs")
            if centre(at(summary, path)) is not None
        ),
    ]
    stock = Section("Stock", "Drift is the gap between stock records and shelves when the run ends.", _stock(summary))
    if goods_only(summary):
        return [stock, Section("Money", "Kinds of cost with their share of the total.", _money(summary))]
    return [
        Section("Click to door", "Times are over delivered orders, shares over confirmed ones.", service),
        Section(
            "Where the time goes", "Mean of each stage over delivered orders, and its share of click to door.", stages
        ),
        Section("Orders", "", _orders(summary)),
        Section(
            "People",
            "Shares of the time on shift. A ride to a store for an accepted order is busy and empty.",
            _people(summary),
        ),
        stock,
        Section("Money", "Kinds of cost are by delivered order, with their share of the total.", _money(summary)),
    ]


def _orders(summary: Mapping[str, Any]) -> list[Row]:
    refusals = {reason.name.lower() for reason in Rejection}
    reasons = at(summary, "orders.by_reason") or {}
    rows = []
    for key in ("offered", "rejected", "entered", "delivered", "cancelled", "payment_failed", "open"):
        rows.append(_row(summary, f"orders.{key}"))
        if key in ("rejected", "cancelled"):
            mine = {name: n for name, n in reasons.items() if (name in refusals) == (key == "rejected")}
            rows.extend(Row(REASONS.get(name, words(name)), n, "count", None, 1) for name, n in mine.items())
    rows.append(_row(summary, "refunds.orders"))
    if centre(at(summary, "returns.orders")):  # that nothing came back is no news
        rows.append(_row(summary, "returns.orders"))
        rows.extend(_row(summary, f"returns.{key}", depth=1) for key in ("put_back_units", "wasted_units"))
    if centre(at(summary, "support.contacts")):
        rows.append(_row(summary, "support.contacts"))
        rows.extend(
            _row(summary, f"support.{key}", depth=1)
            for key in ("wait_s.mean", "wait_s.p95", "refunds", "by_lead", "open")
        )
    return rows


def _people(summary: Mapping[str, Any]) -> list[Row]:
    used = at(summary, "utilisation") or {}
    rows = [
        _row(summary, "utilisation.pickers"),
        Row("pickers waiting", _rest(used.get("pickers")), "share"),
        _row(summary, "utilisation.drivers"),
        # Riding back is neither: a driver is free, and cannot be said to stand and wait.
        Row("drivers without an order", _rest(used.get("drivers")), "share"),
        _row(summary, "utilisation.drivers_riding_empty"),
    ]
    rows = [Row(row.label, row.value, row.kind, centre(row.value)) for row in rows]
    rows += [_row(summary, path) for path in ("orders_per_driver_hour", "drivers.gini_orders")]
    if centre(at(summary, "drivers.gini_pay")):  # at one wage for all there is nothing to tell
        rows += [_row(summary, f"drivers.{key}") for key in ("earned_hour_cents.mean", "gini_pay", "guaranteed_share")]
    return rows


def _stock(summary: Mapping[str, Any]) -> list[Row]:
    wanted = centre(at(summary, "sales.units_wanted"))
    return [
        _row(summary, "fill_rate"),
        *(_row(summary, f"sales.{key}", depth=1, of=wanted) for key in ("units_denied", "units_short")),
        *([] if at(summary, "sales.backorders_mean") is None else [_row(summary, "sales.backorders_mean")]),
        *(
            _row(summary, f"drift.{key}")
            for key in ("records_inaccurate_share", "phantom_share", "units_net", "units_abs")
        ),
        *_by_cause(summary, "drift.by_cause", "drift.units_abs"),
        _row(summary, "drift.units_short"),
        *_by_cause(summary, "drift.short_by_cause", "drift.units_short"),
        _row(summary, "drift.units_unseen"),
        *_by_cause(summary, "drift.unseen_by_cause", "drift.units_unseen"),
        *(_row(summary, f"drift.{key}_reorder_units") for key in ("needless", "lacking")),
        *(
            _row(summary, f"reviews.{key}")
            for key in ("units_corrected", "flagged", "open", "wait_s")
            if centre(at(summary, f"reviews.{key}"))
        ),
        *(
            _row(summary, f"losses.{key}")
            for key in ("stolen", "damaged", "broken", "shrink_share", "spoiled", "waste_share")
            if key != "broken" or centre(at(summary, "losses.broken"))
        ),
        *(_row(summary, path) for path in FORECAST if at(summary, path) is not None),
    ]


def _by_cause(summary: Mapping[str, Any], path: str, whole: str) -> list[Row]:
    """Units of each cause that has any, with their share of the whole."""
    total, rows = centre(at(summary, whole)), []
    for name, units in (at(summary, path) or {}).items():
        mine = centre(units)
        if mine and total:
            value = units if isinstance(units, Mapping) else round(units)  # shares of units say nothing to anybody
            rows.append(Row(CAUSE_WORDS.get(name, words(name)), value, "count", mine / total, 1))
    return rows


def _money(summary: Mapping[str, Any]) -> list[Row]:
    kinds, total = at(summary, "cost.by_kind") or {}, centre(at(summary, "cost.total_cents"))
    delivered = centre(at(summary, "orders.delivered"))
    if goods_only(summary):
        found = [
            Row(
                metric_of(f"cost.by_kind.{name}").label,
                cents,
                "money",
                (centre(cents) or 0) / total if total else None,
                1,
            )
            for name, cents in kinds.items()
            if centre(cents)
        ]
        return [*found, _row(summary, "cost.total_cents"), *_margin(summary)]
    rows = [_row(summary, "cost.per_order_cents")]
    for name, cents in kinds.items():
        mine = centre(cents)
        if not mine and name in ("packing", "support", "counting", "reviewing", "receiving", "transfers"):
            continue  # that nobody was sent to do it is no news
        each = mine / delivered if delivered and mine is not None else None
        rows.append(
            Row(
                metric_of(f"cost.by_kind.{name}").label,
                each,
                "money",
                mine / total if total and mine is not None else None,
                1,
            )
        )
    rows += [_row(summary, "cost.total_cents"), _row(summary, "revenue_cents")]
    revenue = centre(at(summary, "revenue_cents"))
    # A run of an older version has no such keys, and a discount that nobody had is no news.
    for key in ("fees_cents", "tax_cents", "discount_cents"):
        if centre(at(summary, key)):
            rows.append(_row(summary, key, depth=1, of=None if key == "discount_cents" else revenue))
    by_staff = [_row(summary, "support.refund_cents", depth=1)] if centre(at(summary, "support.refund_cents")) else []
    return [*rows, _row(summary, "refunds.cents"), *by_staff, *_margin(summary)]


def _margin(summary: Mapping[str, Any]) -> list[Row]:
    """What goods earned and what was missed, of a run of a version that says so."""
    names = ("goods.gross_margin_cents", "goods.stockout_cents")
    return [_row(summary, name) for name in names if at(summary, name) is not None]
