"""What drivers and pickers did with their time, over the day."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.metrics.tables import spans
from sim.reading.legs import legs_of
from sim.reading.run import FinishedRun
from sim.report.charts import Chart, axis, clock_axis, legend_below, moments, rounded
from sim.report.words import number
from sim.vocabulary import Trip

Columns = dict[str, NDArray[Any]]
_POINTS: Final = 96

DRIVING: Final = {
    "to the store": (Trip.TO_STORE,),
    "to customers": (Trip.TO_CUSTOMER, Trip.ONWARD),
    "back": (Trip.BACK, Trip.RETURN),
}
"""Rides by what they are for."""


def driver_activity(run: FinishedRun, start: datetime, end_s: float) -> Chart | None:
    """Drivers by what they do: riding, at stores and doors, without an order; None where none came."""
    archive = run.archive
    on, off = archive.rows("driver_on"), archive.rows("driver_off")
    if not len(on):
        return None
    edges = np.linspace(0.0, end_s, _POINTS + 1)
    legs = legs_of(archive)
    layers = {}
    for name, trips in DRIVING.items():
        mine = [(leg.start_s, leg.end_s) for leg in legs if leg.trip in trips]
        layers[name] = _present(mine, edges)
    # Between accepting an order and being rid of it a driver who is not riding stands at a store or a door.
    served = _with_an_order(run)
    riding = _present(_both(served, [(leg.driver, leg.start_s, leg.end_s) for leg in legs]), edges)
    layers["at stores and doors"] = np.maximum(_present([(a, b) for _, a, b in served], edges) - riding, 0.0)
    _, begins, ends = spans(on, off, "driver", end_s)
    there = _present(list(zip(begins.tolist(), ends.tolist(), strict=True)), edges)
    layers["free"] = np.maximum(there - sum(layers.values()), 0.0)
    return _areas("drivers", "Drivers by activity", layers, edges, start)


Stay = tuple[int, float, float]
"""Whose, from when, until when, seconds."""


def _with_an_order(run: FinishedRun) -> list[Stay]:
    """Times from which drivers had something to do for an order, until they were rid of it; bundles once."""
    names = ("driver", "accepted_s", "delivered_s")
    rows = [row for row in zip(*run.columns("orders", *names).values(), strict=True) if None not in row]
    found: list[Stay] = []
    for driver, begin_s, end_s in sorted(rows):
        if found and found[-1][0] == driver and found[-1][2] > begin_s:
            found[-1] = (driver, found[-1][1], max(found[-1][2], end_s))
        else:
            found.append((driver, begin_s, end_s))
    return found


def _both(some: list[Stay], others: list[Stay]) -> list[tuple[float, float]]:
    """What stays of the same people have in common; neither list has two of a person at once."""
    found, place = [], 0
    others = sorted(others)
    for who, begin_s, end_s in some:
        while (place < len(others) and others[place][0] == who and others[place][2] <= begin_s) or (
            place < len(others) and others[place][0] < who
        ):
            place += 1
        here = place
        while here < len(others) and others[here][0] == who and others[here][1] < end_s:
            found.append((max(begin_s, others[here][1]), min(end_s, others[here][2])))
            here += 1
    return found


def picker_activity(series: Columns, summary: Mapping[str, Any], start: datetime, end_s: float) -> Chart | None:
    """Pickers by what they do, the busy ones by the stages of a pick; None where none came."""
    seen = series["t_s"] <= end_s
    on, busy = series["pickers_on"][seen].astype(float), series["pickers_busy"][seen].astype(float)
    if not on.any():
        return None
    stages = {
        name: float(seconds)
        for name, seconds in (summary.get("floor", {}).get("pick_stages_s") or {}).items()
        if isinstance(seconds, int | float) and seconds > 0.0
    }
    total = sum(stages.values())
    layers = {name: busy * seconds / total for name, seconds in sorted(stages.items(), key=lambda each: -each[1])[:6]}
    rest = busy - sum(layers.values(), np.zeros(len(busy)))
    if not total or rest.max(initial=0.0) > 0.01 * max(busy.max(initial=0.0), 1.0):
        layers["anything else"] = rest
    layers["free"] = np.maximum(on - busy, 0.0)
    step_s = float(series["t_s"][1] - series["t_s"][0]) if len(series["t_s"]) > 1 else 300.0
    edges = np.append(series["t_s"][seen], series["t_s"][seen][-1] + step_s)
    caption = "Busy pickers are shared out among the stages by the day's means." if total else ""
    return _areas("pickers", "Pickers by activity", layers, edges, start, caption)


def _present(stays: list[tuple[float, float]], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many stays there are in the mean, between edges."""
    if not stays:
        return np.zeros(len(edges) - 1)
    begins, ends = (np.sort(np.array(column)) for column in zip(*stays, strict=True))

    def until(moment_s: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
        # Seconds from each time up to the moment, over all times before it.
        place = np.searchsorted(times, moment_s)
        return np.asarray(place * moment_s - np.append(0.0, np.cumsum(times))[place])

    total = until(edges, begins) - until(edges, ends)
    return np.asarray(np.diff(total) / np.diff(edges))


def _areas(
    name: str, title: str, layers: Mapping[str, NDArray[np.float64]], edges: NDArray[np.float64], start: datetime,
    caption: str = "",
) -> Chart:  # fmt: skip
    when = moments(start, edges[:-1])
    data = [
        {
            "type": "scatter", "mode": "lines", "stackgroup": "one", "name": what, "x": when, "y": rounded(values),
            "line": {"width": 0.5, "color": "--muted" if what == "free" else f"--c{place + 1}"},
            "hovertemplate": "%{y:.1f}",
        }
        for place, (what, values) in enumerate(layers.items())
    ]  # fmt: skip
    total = sum(float(np.sum(values)) for values in layers.values()) or 1.0
    shares = ", ".join(f"{what} {number(100.0 * float(np.sum(values)) / total)} %" for what, values in layers.items())
    layout = {
        "xaxis": clock_axis(float(edges[-1])), "yaxis": axis(title={"text": name}, rangemode="tozero"), "hovermode": "x unified",
        "legend": legend_below(),
    }  # fmt: skip
    return Chart(
        f"{name}-activity", title, data, layout, f"Stacked areas over the day: {shares} of their time.", caption
    )
