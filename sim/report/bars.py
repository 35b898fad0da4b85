"""Money and drift as bars: where each dollar went, and what made records wrong."""

from collections.abc import Mapping
from typing import Any

from sim.report.charts import Chart, axis
from sim.report.explain import metric_of, words
from sim.report.reasons import CAUSE_WORDS
from sim.report.words import at, centre, number

LEAST = 0.005
"""Kinds of cost below this share of the largest figure stand together (judgement)."""


def money_waterfall(summary: Mapping[str, Any], currency: str | None) -> Chart | None:
    """From what customers paid to what is left, by kind of cost; None where nothing was sold."""
    revenue = centre(at(summary, "revenue_cents"))
    if not revenue:
        return None
    tax, goods = centre(at(summary, "tax_cents")) or 0.0, centre(at(summary, "goods.sold_cents")) or 0.0
    kinds = [
        (metric_of(f"cost.by_kind.{name}").label, centre(cents) or 0.0)
        for name, cents in (at(summary, "cost.by_kind") or {}).items()
    ]
    kinds = sorted((kind for kind in kinds if kind[1]), key=lambda kind: -kind[1])
    steps = [("tax", -tax), ("goods sold", -goods), *((label, -cents) for label, cents in kinds)]
    small = [step for step in steps if abs(step[1]) < LEAST * revenue]
    steps = [step for step in steps if step not in small and step[1]]
    if small:
        steps.append(("all else", sum(cents for _, cents in small)))
    left = revenue + sum(cents for _, cents in steps)
    unit = f"{currency} " if currency else ""
    labels = ["revenue", *(label for label, _ in steps), "left"]
    values = [revenue, *(cents for _, cents in steps), left]
    data = [
        {
            "type": "waterfall", "orientation": "h", "y": labels, "x": [round(value / 100.0, 2) for value in values],
            "measure": ["absolute", *(["relative"] * len(steps)), "total"], "hoverinfo": "text",
            "hovertext": [f"{label}: {unit}{value / 100.0:,.0f}" for label, value in zip(labels, values, strict=True)],
            "increasing": {"marker": {"color": "--good"}}, "decreasing": {"marker": {"color": "--second"}},
            "totals": {"marker": {"color": "--first"}}, "connector": {"line": {"color": "--grid", "width": 1}},
        }
    ]  # fmt: skip
    alt = (
        f"Waterfall from a revenue of {unit}{number(revenue / 100.0)} to {unit}{number(left / 100.0)} that are left, over "
        + ", ".join(f"{label} {number(-cents / 100.0)}" for label, cents in steps)
        + "."
    )
    layout = {"xaxis": axis(title={"text": currency or ""}), "yaxis": axis(autorange="reversed"), "showlegend": False}
    return Chart("money", "Where the money went", data, layout, alt, height=90 + 26 * len(labels))


def drift_bars(summary: Mapping[str, Any]) -> Chart | None:
    """Units by which records were off when the run ended, and what customers felt of it, by cause; None without any."""
    kinds = (("units records are off", "drift.by_cause", "--c3"), ("units not found", "drift.short_by_cause", "--alert"),
             ("units wrongly denied", "drift.unseen_by_cause", "--c4"))  # fmt: skip
    found = {
        label: {name: centre(units) or 0.0 for name, units in (at(summary, path) or {}).items()}
        for label, path, _ in kinds
    }
    causes = sorted({name for each in found.values() for name, units in each.items() if units})
    if not causes:
        return None
    causes.sort(key=lambda name: -sum(each.get(name, 0.0) for each in found.values()))
    data = [
        {
            "type": "bar", "orientation": "h", "name": label, "y": [CAUSE_WORDS.get(name, words(name)) for name in causes],
            "x": [round(found[label].get(name, 0.0), 1) for name in causes], "marker": {"color": colour},
            "hovertemplate": "%{x:,.0f} units",
        }
        for label, _, colour in kinds
    ]  # fmt: skip
    told = ", ".join(
        f"{CAUSE_WORDS.get(name, words(name))} {number(found[kinds[0][0]].get(name, 0.0))}" for name in causes
    )
    layout = {
        "xaxis": axis(type="log", title={"text": "units, logarithmic"}), "yaxis": axis(autorange="reversed"),
        "barmode": "group", "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 48, "r": 12, "t": 40, "b": 40},
    }  # fmt: skip
    return Chart("drift", "Why records are wrong, and what customers felt", data, layout,
                 f"Bars by cause, units by which records are off: {told}.", height=120 + 34 * len(causes))  # fmt: skip
