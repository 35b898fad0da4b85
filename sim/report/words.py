"""How figures are written, on the page and in the terminal alike, and the sentence that answers for the whole run.

A figure is a number, None where there is nothing to measure, or over replications an object {mean, low, high}.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sim.report.explain import metric_of, words
from sim.report.forecast_words import FORECAST
from sim.report.metric import Kind
from sim.report.reasons import REASONS
from sim.vocabulary import Rejection

DASH: Final = "–"
_NUMERALS: Final = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_DIGITS: Final[dict[Kind, int]] = {"time": 1, "latency": 1, "share": 1, "count": 0, "signed": 0, "rate": 2, "money": 2}
STAGES: Final = ("checkout", "wait_pick", "pick", "wait_driver", "ride")
_STAGE_PARTS: Final = ("wait_driver_accept", "wait_driver_arrive", "wait_driver_handoff")


def centre(figure: Any) -> Any:
    """The number itself, or the mean over replications; None where there is none."""
    return figure.get("mean") if isinstance(figure, Mapping) else figure


def at(summary: Mapping[str, Any], path: str) -> Any:
    """Read a dotted key of a summary; None where there is nothing."""
    value: Any = summary
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def number(value: float, digits: int = 0) -> str:
    """Write a number with thousands separated: 8,195."""
    text = f"{value:,.{digits}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.,") else text


def figure_text(value: Any, kind: Kind, currency: str | None = None, digits: int | None = None) -> str:
    """Write one figure with its unit; over replications, its mean.

    Parameters
    ----------
    value
        Seconds, a share of one, a count, a rate or cents; None is written as a dash.
    kind
        Which of these.
    currency
        Put before money.
    digits
        Decimals, where the usual number will not do.
    """
    value = centre(value)
    if value is None:
        return DASH
    places = _DIGITS[kind] if digits is None else digits
    if kind == "time":
        if abs(value) < 60.0 and digits is None:
            return f"{number(value, 1 if abs(value) < 10.0 else 0)} s"
        return f"{number(value / 60.0, places)} min"
    if kind == "latency":
        if abs(value) >= 1.0:
            return f"{number(value, places)} s"
        return f"{number(value * 1000.0, 0 if digits is None and abs(value) >= 0.01 else places)} ms"
    if kind == "share":
        least = 0.5 * 10.0 ** -(places + 2)
        # What nearly always or nearly never happens does not read as always or never.
        if 1.0 - least <= value < 1.0:
            return f">{number(100.0 - 10.0**-places, places)} %"
        if 0.0 < value < least:
            return f"<{number(10.0**-places, places)} %"
        return f"{number(100.0 * value, places)} %"
    if kind == "money":
        return f"{currency} {number(value / 100.0, places)}" if currency else number(value / 100.0, places)
    if kind in ("count", "signed") and value != int(value) and digits is None:
        places = 1  # a mean over replications
    text = number(value, places)
    return f"+{text}" if kind == "signed" and value > 0 else text


def interval_text(value: Any, kind: Kind, currency: str | None = None) -> str:
    """Write the interval of a figure over replications; nothing for a plain number."""
    if not isinstance(value, Mapping) or value.get("low") is None or value.get("high") is None:
        return ""
    return f"{figure_text(value['low'], kind, currency)} to {figure_text(value['high'], kind, currency)}"


def counted(n: int) -> str:
    """Write a small number as a word."""
    return _NUMERALS[n] if n < len(_NUMERALS) else number(n)


def _trimmed(target: float, kind: Kind, currency: str | None) -> str:
    """Write a target with as many decimals as it needs: 95 %, 99.5 %, 20 min."""
    latency = target if target >= 1.0 else target * 1000.0
    shown = {"time": target / 60.0, "latency": latency, "share": target * 100.0, "money": target / 100.0}.get(
        kind, target
    )
    digits = next((d for d in range(5) if abs(round(shown, d) - shown) < 1e-9), 4)
    return figure_text(target, kind, currency, max(digits, 2) if kind == "money" else digits)


@dataclass(frozen=True, slots=True)
class Level:
    """A service level in words."""

    label: str
    target: str
    observed: str
    interval: str
    met: bool
    verdict: str
    warn: bool
    platform: bool = False
    """Whether it is about the software platform."""


def levels(summary: Mapping[str, Any], currency: str | None = None) -> list[Level]:
    """Put the service levels of a summary in words."""
    found = []
    for slo in summary.get("slo") or ():
        metric, kind, target = metric_of(slo["metric"]), metric_of(slo["metric"]).kind, slo["target"]
        goal, value = _trimmed(target, kind, currency), centre(slo["observed"])
        observed = figure_text(value, kind, currency)
        if value is not None and value != target and figure_text(target, kind, currency) == observed:
            # 94.98 % against 95 % must not read as 95.0 %.
            tries = (figure_text(value, kind, currency, digits) for digits in range(2, 7))
            observed = next(
                (t for d, t in enumerate(tries, 2) if t != figure_text(target, kind, currency, d)), observed
            )
        warn = slo["severity"] == "warn"
        verdict = "met" if slo["met"] else "not observed" if value is None else "missed (warning)" if warn else "missed"
        sign = {">=": "≥", "<=": "≤"}.get(slo["op"], slo["op"])
        interval = interval_text(slo["observed"], kind, currency)
        ours = slo["metric"].startswith("platform.")
        found.append(Level(metric.label, f"{sign} {goal}", observed, interval, bool(slo["met"]), verdict, warn, ours))
    return found


def _levels_clause(found: list[Level]) -> str:
    met, n = sum(level.met for level in found), len(found)
    if all(level.observed == DASH for level in found):
        return "no service level could be observed"
    missed = ", ".join(level.label for level in found if not level.met)
    if n == 1:
        return "the service level was met" if met else f"the service level was missed: {missed}"
    if met == n:
        return f"{'both' if n == 2 else f'all {counted(n)}'} service levels met"
    return f"{counted(met) if met else 'none'} of {counted(n)} service levels met, missed: {missed}"


def answer(summary: Mapping[str, Any]) -> str:
    """The run in one sentence."""
    offered, delivered = centre(at(summary, "orders.offered")), centre(at(summary, "orders.delivered"))
    half, most = (centre(at(summary, f"click_to_door_s.{q}")) for q in ("p50", "p95"))
    if goods_only(summary):
        units, filled = centre(at(summary, "sales.units_wanted")), at(summary, "fill_rate")
        parts = [f"{figure_text(filled, 'share')} of {figure_text(units, 'count')} units wanted were there"]
    elif not offered:
        parts = ["Nobody wanted to order"]
    elif not delivered:
        parts = [f"None of {figure_text(offered, 'count')} customers who wanted to order was served"]
    else:
        some, of = figure_text(delivered, "count"), figure_text(offered, "count")
        served = f"{some} of {of} customers who wanted to order were served"
        parts = [f"On average {served}" if summary.get("replications", 1) > 1 else served]
    if half is not None and most is not None:
        parts.append(f"half within {number(half / 60.0, 1)} minutes, 95 % within {number(most / 60.0, 1)}")
    found = levels(summary)
    asked = [level for level in found if not (level.platform and level.warn)]
    if asked:
        parts.append(_levels_clause(asked))
    missed = [level.label for level in found if level not in asked and not level.met and level.observed != DASH]
    if missed:
        parts.append(f"of the platform's targets missed: {', '.join(missed)}")
    return "; ".join(parts) + "."


def goods_only(summary: Mapping[str, Any]) -> bool:
    """Whether a run had customers but no orders."""
    return not centre(at(summary, "orders.offered")) and bool(centre(at(summary, "sales.units_wanted")))


def local_time(start: datetime, t_s: float) -> datetime:
    """Local clock time, as the scenario's own times of day count it."""
    return start + timedelta(seconds=t_s)


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
    return [*rows, _row(summary, "orders_per_driver_hour")]


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


CAUSE_WORDS = {
    "opening": "there at the opening",
    "delivery": "delivered otherwise",
    "mispick": "wrong goods picked",
    "theft": "stolen",
    "damage": "damaged, not scanned",
    "breakage": "broken by pickers",
    "count": "miscounted",
    "doubled_message": "told twice",
    "recovery": "rebuilt from an older copy",
    "late_message": "heard late or never",
    "overlooked": "there, and overlooked",
}


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
