"""The charts of the page: orders by hour, click-to-door, people at work. (The map is in `sim.report.citymap`.)"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.report.canvas import (
    ALERT,
    FIRST,
    HALO,
    INK,
    MUTED,
    Picture,
    drawn,
    hour_axis,
    legend_above,
    whole_numbers,
)
from sim.report.words import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Columns = dict[str, NDArray[Any]]

ENOUGH = 5
"""Fewest deliveries of an hour of which a percentile is drawn."""


def hour_of_day(start: datetime, t_s: NDArray[Any]) -> NDArray[np.int64]:
    """Local hour of the day, 0 to 23, of times since the start."""
    begin_s = start.hour * 3600.0 + start.minute * 60.0 + start.second
    return np.asarray((t_s + begin_s) % 86_400.0 // 3600.0, dtype=np.int64)


def minutes_taken(orders: Columns, warmup_s: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """When the delivered orders that count were placed, seconds, and their click-to-door, minutes."""
    counts = (orders["entered_s"] >= warmup_s) & ~np.isnan(orders["delivered_s"])
    placed = orders["entered_s"][counts]
    return placed, (orders["delivered_s"][counts] - placed) / 60.0


def last_s(orders: Columns, horizon_s: float) -> float:
    """When the last thing happened to an order, or the horizon."""
    ends = [
        float(np.nanmax(column))
        for column in (orders["entered_s"], orders["delivered_s"])
        if not np.isnan(column).all()
    ]
    return max([horizon_s, *ends])


def distribution(orders: Columns, warmup_s: float) -> Picture:
    """How long click-to-door took: a histogram by the minute, with median and 95th percentile."""
    _, took = minutes_taken(orders, warmup_s)
    name, title = "click-to-door", "Click to door"
    if not len(took):
        alt = "No order was delivered, so there is no click-to-door time to show."
        return Picture(name, title, drawn(name, 90.0, alt, _nothing), alt)
    half, most = (float(np.quantile(took, q)) for q in (0.5, 0.95))
    # Beyond the 95th percentile there is always room for its label.
    reach = float(np.ceil(max(min(took.max(), 1.6 * most, 3.0 * half), 1.4 * most, 5.0)))
    step = next(step for step in (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 1440.0) if reach / step <= 60 or step == 1440.0)
    edges = np.arange(0.0, reach + step, step)
    beyond = int((took > edges[-1]).sum())
    per = {0.5: "half minute", 1.0: "minute"}.get(step, f"{step:g} minutes")
    alt = (
        f"Histogram of click-to-door of {number(len(took))} delivered orders: half within {half:.1f} minutes, "
        f"95 % within {most:.1f}, the slowest {took.max():.1f}."
    )

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        heights = np.histogram(took, edges)[0]
        axes.bar(edges[:-1] + step / 2.0, heights, step * 0.9, color=FIRST, alpha=0.55)
        tallest = float(heights.max()) * 1.22
        axes.set_ylim(0, tallest)
        axes.set_xlim(0, edges[-1])
        for value, text, high in ((half, f"half within {half:.1f}", 0.99), (most, f"95 % within {most:.1f}", 0.89)):
            axes.plot([value, value], [0, tallest * high], color=INK, linewidth=1.2)
            axes.annotate(text, (value, tallest * high), (4, 0), textcoords="offset points", va="top", gid=HALO)
        axes.set_xlabel("minutes from placing the order to the handover")
        whole_numbers(axes)
        axes.set_ylabel(f"orders per {per}")

    more = (
        f"{number(beyond)} slower {'order lies' if beyond == 1 else 'orders lie'} beyond the right edge."
        if beyond
        else ""
    )
    return Picture(name, title, drawn(name, 250.0, alt, draw), alt, more)


def _nothing(figure: "Figure") -> None:
    figure.text(0.5, 0.5, "nothing was delivered", ha="center", va="center", color=MUTED)


def percentiles_by_hour(orders: Columns, start: datetime, warmup_s: float) -> list[dict[str, Any]]:
    """Deliveries, median and 90th percentile of click-to-door (minutes) and late orders, by local hour of ordering."""
    placed, took = minutes_taken(orders, warmup_s)
    hours = hour_of_day(start, placed)
    promised = orders["promised_s"][(orders["entered_s"] >= warmup_s) & ~np.isnan(orders["delivered_s"])]
    late = placed + took * 60.0 > promised + 1e-6
    rows = []
    for hour in range(24):
        mine = took[hours == hour]
        if len(mine):
            half, most = (float(np.quantile(mine, q)) for q in (0.5, 0.9))
            rows.append(
                {"hour": hour, "delivered": len(mine), "p50": half, "p90": most, "late": int(late[hours == hour].sum())}
            )
    return rows


def by_hour_of_day(rows: list[dict[str, Any]]) -> Picture | None:
    """Median and 90th percentile of click-to-door by local hour; None where no hour has enough deliveries."""
    rows = [row for row in rows if row["delivered"] >= ENOUGH]
    if not rows:
        return None
    worst = max(rows, key=lambda row: row["p90"])
    alt = (
        f"Median and 90th percentile of click-to-door by local hour of placing the order. Worst 90th percentile: "
        f"{worst['p90']:.1f} minutes at {worst['hour']:02d}:00, where the median is {worst['p50']:.1f}."
    )

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        hours = np.arange(24)
        half, most = np.full(24, np.nan), np.full(24, np.nan)
        for row in rows:
            half[row["hour"]], most[row["hour"]] = row["p50"], row["p90"]
        axes.fill_between(hours + 0.5, half, most, color=FIRST, alpha=0.15, linewidth=0.0)
        axes.plot(hours + 0.5, most, "-o", color=ALERT, markersize=3.0, linewidth=1.6, label="90 % within")
        axes.plot(hours + 0.5, half, "-o", color=FIRST, markersize=3.0, linewidth=1.6, label="half within (median)")
        axes.set_ylim(0, float(np.nanmax(most)) * 1.1)
        hour_axis(axes, min(row["hour"] for row in rows), max(row["hour"] for row in rows) + 1)
        axes.set_xlabel("local hour of placing the order")
        whole_numbers(axes)
        axes.set_ylabel("minutes, click to door")
        legend_above(figure, axes)

    caption = f"Hours with fewer than {ENOUGH} deliveries are left out."
    return Picture(
        "through-the-day", "Click to door through the day", drawn("through-the-day", 250.0, alt, draw), alt, caption
    )
