"""A run by the hour in a line each, for the terminal: orders, how long they took, how many came late, who waited."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from sim.report.explain import metric_of
from sim.report.metric import Kind
from sim.report.words import figure_text, goods_only, local_time
from sim.scenario.fields import DAY_S
from sim.vocabulary import InputError

MOST: Final = 40
"""Characters of a line at most; of a longer run several hours or days are put together."""

ENOUGH: Final = 5
"""Fewest deliveries of a step of which a percentile or a share is shown."""

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_LETTERS: Final = "_.,-=+*#"


class Spark(NamedTuple):
    """A figure over time: its name, a value for each step (nan: nothing to observe), and how it is written."""

    label: str
    values: Sequence[float]
    kind: Kind


class Sparks(NamedTuple):
    """Figures over the same steps: what a step is called, when each begins, and the figures."""

    step: str
    begins: Sequence[datetime]
    rows: Sequence[Spark]


def line(values: Sequence[float], plain: bool) -> str:
    """A character for each value, from nothing to the largest; a blank where there was nothing to observe."""
    signs = _LETTERS if plain else _BLOCKS
    most = max((value for value in values if value == value), default=0.0)
    scale = (len(signs) - 1) / most if most > 0 else 0.0
    return "".join(" " if value != value else signs[round(max(value, 0.0) * scale)] for value in values)


def peak(row: Spark, sparks: Sparks, currency: str | None = None) -> str:
    """The largest value and when it was: most 112 at 20:00; nothing where nothing was."""
    known = [(value, -place) for place, value in enumerate(row.values) if value == value]
    value, place = max(known, default=(0.0, 0))
    if value <= 0.0:
        return "none" if known else ""
    begin = sparks.begins[-place]
    long = (sparks.begins[-1] - sparks.begins[0]).total_seconds() > 86_400.0
    when = f"on {begin:%-d %b}" if "day" in sparks.step else f"at {begin:%a %H:%M}" if long else f"at {begin:%H:%M}"
    return f"most {figure_text(value, row.kind, currency, 0 if row.kind == 'count' else None)} {when}"


def sparks_of(folder: Path, summary: Mapping[str, Any]) -> Sparks | None:
    """A run's figures over time, from its folder's tables; None where it has none, or they say nothing."""
    from sim.reading.files import read_json, read_table
    from sim.scenario.tree import parse_start

    try:
        start = parse_start(str(read_json(folder / "manifest.json")["scenario"]["start"]))
        if goods_only(summary):
            return _goods(read_table(folder / "drift.parquet"), start)
        orders = _columns(read_table(folder / "orders.parquet"), "entered_s", "delivered_s", "promised_s")
        series = _columns(read_table(folder / "series.parquet"), "t_s", "waiting_pick", "waiting_driver")
    except (InputError, KeyError, ValueError, TypeError):
        return None  # a summary by itself is worth printing
    return _orders(orders, series, start) if len(orders["entered_s"]) else None


def _columns(table: Any, *names: str) -> dict[str, Any]:
    return {name: np.asarray(table.column(name).to_numpy(), dtype=np.float64) for name in names}


def _steps(start: datetime, end_s: float) -> tuple[Any, str]:
    """Edges of the steps on the local clock, seconds since the start, and what a step is called."""
    span_h = end_s / 3600.0
    step_s, step = (
        (900.0, "quarter of an hour") if span_h <= 4 else (3600.0, "hour") if span_h <= 76 else (DAY_S, "day")
    )
    lead = (start.hour * 3600.0 + start.minute * 60.0 + start.second) % step_s
    edges = np.arange(-lead, max(end_s, 1.0) + step_s - 1e-6, step_s)
    together = -(-(len(edges) - 1) // MOST)
    if together > 1:
        edges, step = np.append(edges[:-1:together], edges[-1]), f"{together} {step}s"
    return edges, step


def _begins(start: datetime, edges: Any) -> list[datetime]:
    return [local_time(start, float(edge)) for edge in edges[:-1]]


def _each(edges: Any, at_s: Any, values: Any, of: Any) -> list[float]:
    """A figure of the values of each step."""
    where = np.searchsorted(edges, at_s, side="right") - 1
    return [of(values[where == step]) for step in range(len(edges) - 1)]


def _orders(orders: Mapping[str, Any], series: Mapping[str, Any], start: datetime) -> Sparks:
    entered, delivered = orders["entered_s"], ~np.isnan(orders["delivered_s"])
    edges, step = _steps(start, float(max(entered.max() + 1.0, np.nanmax(orders["delivered_s"], initial=0.0))))
    placed = entered[delivered]
    took, late = (orders["delivered_s"] - entered)[delivered], (orders["delivered_s"] > orders["promised_s"])[delivered]
    waiting = series["waiting_pick"] + series["waiting_driver"]

    def many(figure: Any) -> Any:
        return lambda values: float(figure(values)) if len(values) >= ENOUGH else float("nan")

    rows = [
        Spark("orders placed", _each(edges, entered, entered, lambda values: float(len(values))), "count"),
        Spark("90 % within", _each(edges, placed, took, many(lambda values: np.quantile(values, 0.9))), "time"),
        Spark("late", _each(edges, placed, late, many(np.mean)), "share"),
        Spark(
            "waiting for people",
            _each(edges, series["t_s"], waiting, lambda values: float(values.max(initial=0.0))),
            "count",
        ),
    ]
    return Sparks(step, _begins(start, edges), rows)


def _goods(drift: Any, start: datetime) -> Sparks | None:
    """Of goods alone: how far records are from shelves."""
    looks = _columns(drift, "t_s", "records", "inaccurate", "phantom")
    if not len(looks["t_s"]):
        return None
    edges, step = _steps(start, float(looks["t_s"].max()) + 1.0)
    records = _each(edges, looks["t_s"], looks["records"], np.sum)

    def share(name: str) -> list[float]:
        wrong = _each(edges, looks["t_s"], looks[name], np.sum)
        return [float(some / whole) if whole else float("nan") for some, whole in zip(wrong, records, strict=True)]

    names = {"inaccurate": "drift.records_inaccurate_share", "phantom": "drift.phantom_share"}
    rows = [Spark(metric_of(metric).label, share(name), "share") for name, metric in names.items()]
    return Sparks(step, _begins(start, edges), rows)
