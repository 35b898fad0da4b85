"""The shop floor's part of a report: its figures with what they mean, and how it went by the hour."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.report.bench_words import BENCHES
from sim.report.canvas import ALERT, FIRST, INK, SECOND, Picture, drawn, hour_axis, legend_above, whole_numbers
from sim.report.figures import hour_of_day
from sim.report.floor_words import FLOOR, PICK_STAGES
from sim.report.metric import Metric
from sim.report.sections import Row
from sim.report.words import at, centre, figure_text, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Columns = dict[str, NDArray[Any]]


def floor_rows(summary: Mapping[str, Any]) -> list[tuple[Row, str]]:
    """Each figure of the shop floor and what it means; nothing for a run of a version that had none."""
    if at(summary, "floor") is None:
        return []
    return _told(summary, FLOOR)


def bench_rows(summary: Mapping[str, Any]) -> list[tuple[Row, str]]:
    """Each figure of packing stations and substitutes and what it means."""
    return _told(summary, BENCHES)


def _told(summary: Mapping[str, Any], metrics: Mapping[str, Metric]) -> list[tuple[Row, str]]:
    return [(Row(metric.label, at(summary, path), metric.kind), metric.meaning) for path, metric in metrics.items()]


def floor_hours(series: Columns, start: datetime, warmup_s: float, end_s: float) -> list[dict[str, Any]]:
    """What went on in each local hour of the day after the warm-up; hours without anybody or anything are left out.

    Parameters
    ----------
    series
        Columns of series.parquet: averages of stretches of time that end with the next one, the last one at `end_s`.

    Returns
    -------
    list
        For each hour, from the one after the longest pause on: `hour` (0 to 23), `pickers` on shift, `busy` (share of their
        time, None without any), and orders `waiting_pick` and `waiting_driver`; averages over all its days, weighted by time.
    """
    after = series["t_s"] >= warmup_s
    hours = hour_of_day(start, series["t_s"])[after]
    lengths_s = np.diff(np.append(series["t_s"], end_s))[after]

    def spent(name: str) -> NDArray[Any]:
        return np.bincount(hours, weights=series[name][after] * lengths_s, minlength=24)

    on, busy, waiting, packed = (
        spent(name) for name in ("pickers_on", "pickers_busy", "waiting_pick", "waiting_driver")
    )
    whole_s = np.bincount(hours, weights=lengths_s, minlength=24)
    alive = on + waiting + packed > 0
    return [
        {
            "hour": hour,
            "pickers": float(on[hour] / whole_s[hour]),
            "busy": float(busy[hour] / on[hour]) if on[hour] > 0 else None,
            "waiting_pick": float(waiting[hour] / whole_s[hour]),
            "waiting_driver": float(packed[hour] / whole_s[hour]),
        }
        for hour in ((first_hour(alive) + np.arange(24)) % 24).tolist()
        if alive[hour]
    ]


def first_hour(alive: NDArray[np.bool_]) -> int:
    """The hour after the longest pause of a day that goes round: an evening that ends past midnight stays in one piece."""
    pause, longest, first = 0, 0, 0
    for hour in range(48):
        if not alive[hour % 24]:
            pause += 1
        else:
            if pause > longest:
                longest, first = pause, hour % 24
            pause = 0
    return first


def floor_by_hour(rows: list[dict[str, Any]]) -> Picture | None:
    """How busy pickers were, and how many orders waited, by local hour; None where there is no hour to show."""
    if not rows:
        return None
    staffed = [row for row in rows if row["busy"] is not None]
    longest = max(rows, key=lambda row: row["waiting_pick"])
    fullest = max(rows, key=lambda row: row["waiting_driver"])
    alt = "Share of pickers' time that was busy, and orders waiting, by local hour."
    if staffed:
        top = max(staffed, key=lambda row: row["busy"])
        alt += f" Pickers are busiest at {top['hour']:02d}:00: {figure_text(top['busy'], 'share', digits=0)}."
    alt += (
        f" On average at most {number(longest['waiting_pick'], 1)} orders wait for a picker (at {longest['hour']:02d}:00) "
        f"and {number(fullest['waiting_driver'], 1)} stand packed (at {fullest['hour']:02d}:00)."
    )
    first = rows[0]["hour"]
    places = [first + (row["hour"] - first) % 24 for row in rows]

    def draw(figure: "Figure") -> None:
        share, queue = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1))
        busy = [100.0 * (row["busy"] or 0.0) for row in rows]
        share.bar([place + 0.5 for place in places], busy, 0.86, color=FIRST, alpha=0.55)
        share.set_ylim(0, 104)
        share.set_yticks((0, 50, 100))
        share.set_ylabel("pickers busy, %")
        lines = (
            ("waiting_pick", ALERT, "waiting for a picker"),
            ("waiting_driver", SECOND, "packed, waiting for a driver"),
        )
        for name, colour, label in lines:
            # Hours of which there is nothing to say break the line.
            shown = np.full(24, np.nan)
            shown[np.array(places) - first] = [row[name] for row in rows]
            middles = first + np.arange(24) + 0.5
            queue.plot(middles, shown, "-o", color=colour, markersize=3.0, linewidth=1.6, label=label)
        most = max(longest["waiting_pick"], fullest["waiting_driver"])
        queue.set_ylim(0, max(most * 1.1, 1.0))
        whole_numbers(queue)
        queue.set_ylabel("orders")
        hour_axis(queue, first, places[-1] + 1)
        queue.set_xlabel("local hour")
        legend_above(figure, queue)

    caption = "Averages over each hour and all stores. Busy: with an order or counting, of the time on shift."
    return Picture("floor", "Pickers and queues by hour", drawn("floor", 265.0, alt, draw), alt, caption)


def picking_by_stage(summary: Mapping[str, Any]) -> Picture | None:
    """What pickers' time for an order goes into, a bar for each stage; None for a run in which nothing was picked."""
    stages = [(label, centre(at(summary, path))) for path, label in PICK_STAGES.items()]
    found = [(label, float(spent_s)) for label, spent_s in stages if spent_s is not None]
    whole_s = sum(spent_s for _, spent_s in found)
    if whole_s <= 0:
        return None
    told = [
        (label, spent_s, f"{number(spent_s, 1)} s, {figure_text(spent_s / whole_s, 'share', digits=1)}")
        for label, spent_s in found
        if spent_s > 0
    ]
    alt = (
        f"Pickers' time for each order by stage, {figure_text(whole_s, 'time')} in all: "
        + "; ".join(f"{label} {text}" for label, _, text in told)
        + "."
    )

    def draw(figure: "Figure") -> None:
        axes = figure.add_subplot()
        begin_s, longest_s = 0.0, whole_s * 1.35  # room for the label of the last bar
        for place, (_, spent_s, text) in enumerate(told):
            axes.barh(place, spent_s, 0.7, left=begin_s, color=FIRST, alpha=0.55)
            begin_s += spent_s
            axes.annotate(
                text, (begin_s, place), (4, 0), textcoords="offset points", va="center", color=INK, fontsize=9.0
            )
        axes.set_yticks(range(len(told)), [label for label, _, _ in told])
        axes.invert_yaxis()
        axes.set_xlim(0, longest_s)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("seconds of an order's pick, one stage after the other")

    caption = "Means over all orders that were picked; on a tour of several, each has an equal part."
    height_pt = 60.0 + 20.0 * len(told)
    return Picture("pick-stages", "Picking by stage", drawn("pick-stages", height_pt, alt, draw), alt, caption)
