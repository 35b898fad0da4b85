"""Late orders explained: what they were late by, cause for cause, and the latest of them one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.reading.lateness import main_cause, usual, waterfall
from sim.reading.paths import Way, said
from sim.reading.run import FinishedRun
from sim.reading.stories import vehicles_of
from sim.report.charts import Chart, axis
from sim.report.words import number

SHOWN = 12
"""Causes with a bar of their own; the rest share one."""

LATEST = 15
"""Orders in the table of the latest."""


@dataclass(frozen=True, slots=True)
class LateOrder:
    """One of the latest orders: minutes late, and what took most of its time beyond its share."""

    order: int
    entered_s: float
    late_min: float
    cause: str


def late_orders(ways: Sequence[Way]) -> list[LateOrder]:
    """The latest orders, the latest first."""
    shares = usual(ways)
    late = sorted((way for way in ways if way.late_s > 0.0), key=lambda way: (-way.late_s, way.order))[:LATEST]
    return [LateOrder(way.order, way.entered_s, way.late_s / 60.0, said(main_cause(way, shares))) for way in late]


def by_group(orders: dict[str, NDArray[Any]], run: FinishedRun, warmup_s: float) -> list[tuple[str, int, int]]:
    """Delivered orders and late ones by the driver's vehicle and by store: name, orders, late."""
    counted = (orders["entered_s"] >= warmup_s) & ~np.isnan(orders["delivered_s"])
    late = counted & (orders["delivered_s"] > orders["promised_s"])
    vehicles = vehicles_of(run)
    rode = np.array([vehicles.get(int(driver), "") if driver == driver else "" for driver in orders["driver"]])
    groups = [(f"by {name}", rode == name) for name in sorted(set(rode[counted]) - {""})]
    groups += [(f"from {store.name}", orders["store"] == place) for place, store in enumerate(run.stores)]
    return [
        (name, int((mine & counted).sum()), int((mine & late).sum())) for name, mine in groups if (mine & counted).any()
    ]


def lateness_chart(ways: Sequence[Way]) -> Chart | None:
    """A waterfall of lateness by cause; None where no order was late."""
    parts = waterfall(ways)
    late = [way for way in ways if way.late_s > 0.0]
    if not late:
        return None
    ups, downs = [part for part in parts if part.seconds > 0.0], [part for part in parts if part.seconds <= 0.0]
    bars = [(said(part.cause), part.seconds / 60.0, part.orders) for part in ups[:SHOWN]]
    if ups[SHOWN:]:
        bars.append(("other causes", sum(part.seconds for part in ups[SHOWN:]) / 60.0, 0))
    made_up = sum(part.seconds for part in downs) / 60.0
    bars.append(("made up elsewhere", made_up, 0))
    total = sum(way.late_s for way in late) / 60.0
    labels = [name for name, _, _ in bars] + ["late in all"]
    hover = [
        f"{name}: {minutes:+,.0f} min" + (f"<br>in {orders:,} of {len(late):,} late orders" if orders else "")
        for name, minutes, orders in bars
    ] + [f"{total:,.0f} min late in all"]
    data = [
        {
            "type": "waterfall", "orientation": "h", "y": labels, "x": [round(m, 2) for _, m, _ in bars] + [round(total, 2)],
            "measure": ["relative"] * len(bars) + ["total"], "hovertext": hover, "hoverinfo": "text",
            "increasing": {"marker": {"color": "--alert"}}, "decreasing": {"marker": {"color": "--good"}},
            "totals": {"marker": {"color": "--first"}}, "connector": {"line": {"color": "--grid", "width": 1}},
        }
    ]  # fmt: skip
    first = bars[0]
    alt = (
        f"Waterfall of {number(total)} minutes that {number(len(late))} orders were late in all. Most is due to {first[0]}, "
        f"{number(first[1])} minutes; {number(-made_up)} minutes were made up elsewhere."
    )
    layout = {
        "xaxis": axis(title={"text": "minutes over all late orders"}), "yaxis": axis(autorange="reversed"),
        "showlegend": False,
    }  # fmt: skip
    caption = "Net over all late orders: what made some later and saved others more is in what was made up."
    return Chart("lateness", "What late orders were late by", data, layout, alt, caption, 90 + 26 * len(labels))
