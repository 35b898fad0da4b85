"""How figures are written, on the page and in the terminal alike, and the sentence that answers for the whole run.

A figure is a number, None where there is nothing to measure, or over replications an object {mean, low, high}.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sim.report.explain import metric_of
from sim.report.metric import Kind

DASH: Final = "–"
_NUMERALS: Final = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_DIGITS: Final[dict[Kind, int]] = {"time": 1, "latency": 1, "share": 1, "count": 0, "signed": 0, "rate": 2, "money": 2}
STAGES: Final = ("checkout", "wait_pick", "pick", "wait_driver", "ride")


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


def half_text(value: Any, kind: Kind) -> str:
    """Write half the width of a figure's interval over replications, in its unit: ± 1.3; nothing for a plain number.

    Of a share, whose interval is not the same to both sides and ends at none and all: from where to where.
    """
    if not isinstance(value, Mapping) or value.get("low") is None or value.get("high") is None:
        return ""
    if kind == "share":
        return f"{number(100.0 * value['low'], 1)} to {number(100.0 * value['high'], 1)}"
    half, mean = (value["high"] - value["low"]) / 2.0, abs(value["mean"])
    if kind == "time" and mean >= 60.0:
        return f"± {number(half / 60.0, 1 if half >= 60.0 else 2)}"
    scale = {"money": 0.01}.get(kind, 1000.0 if kind == "latency" and mean < 1.0 else 1.0)
    shown = half * scale
    return f"± {number(shown, 0 if shown >= 100 else 1 if shown >= 1 else 2)}"


def counted(n: int) -> str:
    """Write a small number as a word."""
    return _NUMERALS[n] if n < len(_NUMERALS) else number(n)


def target_text(target: float, kind: Kind, currency: str | None) -> str:
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
        goal, value = target_text(target, kind, currency), centre(slo["observed"])
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
    elif (beside := sum(level.met for level in found if level not in asked)) > 1:
        targets = f"{'both' if beside == 2 else f'all {counted(beside)}'} of the platform's targets"
        if asked and all(level.met for level in asked):
            parts[-1] += f", and {targets}"
        else:
            parts.append(f"{targets} met")
    return "; ".join(parts) + "."


def goods_only(summary: Mapping[str, Any]) -> bool:
    """Whether a run had customers but no orders."""
    return not centre(at(summary, "orders.offered")) and bool(centre(at(summary, "sales.units_wanted")))


def local_time(start: datetime, t_s: float) -> datetime:
    """Local clock time, as the scenario's own times of day count it."""
    return start + timedelta(seconds=t_s)
