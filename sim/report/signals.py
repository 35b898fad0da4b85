"""The platform over the day: latency of its services, what waits on the bus, breakers that are open."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.report.charts import Band, Chart, axis, clock_axis, legend_below, moments, rounded, shaded
from sim.report.explain import words
from sim.report.words import number

Columns = dict[str, NDArray[Any]]
_POINTS = 240


def signals(
    platform: Columns, series: Columns, start: datetime, end_s: float, bands: Sequence[Band]
) -> Chart | None:  # fmt: skip
    """P99 and utilisation of each service, messages under way and breakers that were open; None without samples."""
    if not len(platform.get("t_s", ())):
        return None
    edges = np.linspace(0.0, end_s, _POINTS + 1)
    when = moments(start, edges[:-1])
    data: list[dict[str, Any]] = []
    names = list(dict.fromkeys(str(name) for name in platform["service"]))
    worst = 0.0
    for place, name in enumerate(names):
        mine = platform["service"] == name
        highest = _highest(platform["t_s"][mine], platform["p99_s"][mine].astype(float), edges) * 1000.0
        worst = max(worst, float(np.nanmax(highest, initial=0.0)))
        colour = f"--c{place % 8 + 1}"
        data.append(_line(1, words(name), when, rounded(highest, 1), colour, "%{y:.1f} ms"))
        busy = _highest(platform["t_s"][mine], platform["utilisation"][mine].astype(float), edges) * 100.0
        line = _line(2, words(name), when, rounded(busy, 1), colour, "%{y:.0f} % busy")
        data.append({**line, "showlegend": False, "legendgroup": words(name)})
        data[-2]["legendgroup"] = words(name)
    lag = _highest(series["t_s"], series["bus_lag"].astype(float), edges)
    data.append(_line(3, "messages under way", when, rounded(lag, 1), "--c1", "%{y:,.0f}"))
    for place, column in enumerate(sorted(name for name in series if name.startswith("breaker_"))):
        opened = _highest(series["t_s"], series[column].astype(float), edges)
        if np.nanmax(opened, initial=0.0) > 0.0:
            name = column.removeprefix("breaker_").replace("_", " ")
            data.append(
                _line(4, f"breaker {name}", when, rounded(100.0 * opened, 1), f"--c{place % 8 + 1}", "%{y:.0f} %")
            )
    opened = sum(trace["yaxis"] == "y4" for trace in data)
    last, rest = ("y4", 0.2) if opened else ("y3", 0.0)  # where no breaker opened there is no row of them
    layout = {
        "xaxis": clock_axis(end_s, anchor=last, fixedrange=False), "hovermode": "x unified",
        "shapes": shaded(start, bands, end_s),
        "yaxis": axis(domain=[0.62, 1.0], title={"text": "p99, ms"}, type="log", anchor="x"),
        "yaxis2": axis(domain=[0.25 + 0.6 * rest, 0.57], title={"text": "busy, %"}, rangemode="tozero", anchor="x"),
        "yaxis3": axis(domain=[rest, 0.2 + 0.6 * rest], title={"text": "messages"}, rangemode="tozero", anchor="x"),
        "legend": {**legend_below(), "y": -0.1},
    }  # fmt: skip
    if opened:
        layout["yaxis4"] = axis(domain=[0.0, 0.14], title={"text": "open, %"}, range=[0, 105], anchor="x")
    alt = (
        f"Over the day p99 and utilisation of {len(names)} services, at worst {number(worst)} ms; messages under way, at most "
        f"{number(float(np.nanmax(lag, initial=0.0)))}; {number(opened)} states of circuit breakers that were not closed."
    )
    caption = "Of each span the highest." + (
        " Breakers: share of the time that they were open or half open." if opened else ""
    )
    return Chart("signals", "Latency, load, lag and breakers", data, layout, alt, caption, 620)


def _line(row: int, name: str, when: list[str], values: list[float | None], colour: str, hover: str) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": when, "y": values, "yaxis": "y" if row == 1 else f"y{row}",
        "line": {"color": colour, "width": 1.4}, "hovertemplate": hover,
    }  # fmt: skip


def _highest(t_s: NDArray[Any], values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    place = np.clip(np.searchsorted(edges, t_s, side="right") - 1, 0, len(edges) - 2)
    found = np.full(len(edges) - 1, np.nan)
    known = ~np.isnan(values)
    found[place[known]] = -np.inf
    np.maximum.at(found, place[known], values[known])
    return found
