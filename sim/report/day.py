"""The day in one picture: orders, queues, people and faults on one time axis."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.report.charts import Band, Chart, axis, clock_axis, legend_below, moments, rounded, shaded
from sim.report.figures import last_s
from sim.report.words import number

Columns = dict[str, NDArray[Any]]

_ROWS = 4
_POINTS_MOST = 300
"""Most points of a line: more are put together."""


def day_picture(
    series: Columns, orders: Columns, start: datetime, horizon_s: float, bands: Sequence[Band], warmup_s: float = 0.0
) -> Chart:
    """Orders, queues, pickers and drivers over the run, with the times of faults shaded, and the warm-up."""
    end_s = max(last_s(orders, horizon_s), 1.0)
    seen = series["t_s"] <= end_s
    many = max(1, -(-int(seen.sum()) // _POINTS_MOST))
    t_s = _joined(series["t_s"][seen], many)
    step_s = float(t_s[1] - t_s[0]) if len(t_s) > 1 else 300.0
    when = moments(start, t_s)

    def mean_of(name: str) -> list[float | None]:
        return rounded(_joined(series[name][seen].astype(float), many))

    def per_hour(*names: str) -> list[float | None]:
        total = np.sum([series[name][seen].astype(float) for name in names], axis=0)
        return rounded(_joined(total, many) * many * 3600.0 / step_s, 1)

    def line(row: int, name: str, values: list[float | None], colour: str, **more: Any) -> dict[str, Any]:
        told: dict[str, Any] = {
            "type": "scatter", "mode": "lines", "name": name, "x": when, "y": values, "xaxis": "x",
            "yaxis": "y" if row == 1 else f"y{row}", "line": {"color": colour, "width": 1.6},
        }  # fmt: skip
        return {**told, **more}

    filled = {"fill": "tozeroy"}
    data = [
        line(1, "orders wanted per hour", per_hour("entered", "rejected"), "--c1", **filled),
        line(1, "delivered per hour", per_hour("delivered"), "--c2"),
        line(1, "turned away or cancelled per hour", per_hour("rejected", "cancelled"), "--alert"),
        line(2, "waiting for a picker", mean_of("waiting_pick"), "--c3"),
        line(2, "packed, waiting for a driver", mean_of("waiting_driver"), "--c4"),
        line(3, "pickers at work", mean_of("pickers_on"), "--muted"),
        line(3, "pickers busy", mean_of("pickers_busy"), "--c5", **filled),
        line(4, "drivers at work", mean_of("drivers_on"), "--muted"),
        line(4, "drivers busy", mean_of("drivers_busy"), "--c6", **filled),
    ]
    shapes = shaded(start, bands, end_s)
    if warmup_s > 0.0:
        shapes += [{**shape, "fillcolor": "--muted"} for shape in shaded(start, [("", 0.0, warmup_s)], end_s)]
    if bands:
        data.append(
            {
                "type": "scatter", "mode": "markers", "name": "something was broken", "yaxis": "y", "xaxis": "x",
                "x": moments(start, [(begin_s + over_s) / 2.0 for _, begin_s, over_s in bands]),
                "y": [0.0] * len(bands), "text": [what for what, _, _ in bands], "hovertemplate": "%{text}<extra></extra>",
                "marker": {"color": "--alert", "symbol": "square", "size": 8},
            }
        )  # fmt: skip
    top = (np.arange(_ROWS) + 1.0) / _ROWS
    titles = ("per hour", "queues", "pickers", "drivers")
    layout: dict[str, Any] = {
        "xaxis": clock_axis(end_s, anchor=f"y{_ROWS}", fixedrange=False, range=moments(start, [0.0, end_s])),
        "hovermode": "x unified", "shapes": shapes, "legend": {**legend_below(), "y": -0.06},
    }  # fmt: skip
    for row, title in enumerate(titles, 1):
        base, lid = 1.0 - top[row - 1], 1.0 - (top[row - 2] if row > 1 else 0.0)
        layout["yaxis" if row == 1 else f"yaxis{row}"] = axis(
            domain=[float(base) + (0.02 if row < _ROWS else 0.0), float(lid) - 0.02], title={"text": title},
            rangemode="tozero", anchor="x",
        )  # fmt: skip
    wanted = np.sum(series["entered"][seen]) + np.sum(series["rejected"][seen])
    busiest = int(np.argmax(series["waiting_pick"] + series["waiting_driver"])) if len(t_s) else 0
    queue = _peak(series, "waiting_pick"), _peak(series, "waiting_driver")
    alt = (
        f"Four lines of pictures over the run: {number(float(wanted))} orders wanted; at most {number(queue[0])} waiting for a "
        f"picker and {number(queue[1])} packed and waiting for a driver, most of all after "
        f"{number(float(series['t_s'][busiest]) / 3600.0, 1) if len(t_s) else 0} hours; pickers and drivers at work and busy. "
        f"{number(len(bands))} times something was broken."
    )
    caption = "Averages over each point's span; drag to look closer, double-click to go back." + (
        " Shaded: something was broken (point at the red squares)." if bands else ""
    )
    caption += " Grey: warm-up, not counted." if warmup_s > 0.0 else ""
    return Chart("day", "The day in one picture", data, layout, alt, caption, 640)


def _peak(series: Mapping[str, NDArray[Any]], name: str) -> float:
    return float(np.max(series[name], initial=0.0))


def _joined(values: NDArray[Any], many: int) -> NDArray[np.float64]:
    """Means of each so many values; the last may be of fewer."""
    if many == 1 or not len(values):
        return np.asarray(values, dtype=float)
    cuts = np.arange(0, len(values), many)
    sizes = np.diff(np.append(cuts, len(values)))
    return np.asarray(np.add.reduceat(values.astype(float), cuts) / sizes)
