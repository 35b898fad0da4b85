"""Click to door by stage over the day, as stacked areas."""

from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.report.charts import Chart, axis, clock_axis, legend_below, moments, rounded
from sim.report.explain import metric_of
from sim.report.figures import ENOUGH
from sim.report.words import STAGES, number

COLUMNS = ("entered_s", "confirmed_s", "pick_start_s", "packed_s", "picked_up_s", "delivered_s")
"""Columns of orders.parquet between which the stages lie."""

_POINTS = 48


def stage_areas(orders: dict[str, NDArray[Any]], start: datetime, warmup_s: float) -> Chart | None:
    """Mean minutes of each stage by when orders were placed; None where too few were delivered."""
    moments_s = np.column_stack([orders[name].astype(float) for name in COLUMNS])
    counted = ~np.isnan(moments_s).any(axis=1) & (moments_s[:, 0] >= warmup_s)
    spent = np.diff(moments_s[counted], axis=1) / 60.0
    placed = moments_s[counted, 0]
    if len(placed) < ENOUGH:
        return None
    edges = np.linspace(placed.min(), placed.max() + 1.0, min(_POINTS, max(2, len(placed) // ENOUGH)) + 1)
    place = np.digitize(placed, edges) - 1
    counts = np.bincount(place, minlength=len(edges) - 1)[: len(edges) - 1]
    known = counts >= ENOUGH
    if known.sum() < 2:
        return None
    when = moments(start, ((edges[:-1] + edges[1:]) / 2.0)[known])
    data = []
    for column, stage in enumerate(STAGES):
        total = np.bincount(place, weights=spent[:, column], minlength=len(edges) - 1)[: len(edges) - 1]
        data.append(
            {
                "type": "scatter", "mode": "lines", "stackgroup": "one", "name": metric_of(f"stages_s.{stage}").label,
                "x": when, "y": rounded(total[known] / counts[known]), "line": {"width": 0.5, "color": f"--c{column + 1}"},
                "hovertemplate": "%{y:.1f} min",
            }
        )  # fmt: skip
    means = spent.mean(axis=0)
    alt = "Stacked areas of the mean minutes of each stage over the day: " + ", ".join(
        f"{metric_of(f'stages_s.{stage}').label} {number(float(mean), 1)}"
        for stage, mean in zip(STAGES, means, strict=True)
    )
    layout = {
        "xaxis": clock_axis(float(edges[-1])), "yaxis": axis(title={"text": "minutes"}, rangemode="tozero"),
        "hovermode": "x unified", "legend": legend_below(),
    }  # fmt: skip
    return Chart("stages", "Where the time goes, over the day", data, layout, f"{alt} minutes in the mean.",
                 "By when orders were placed; means over delivered orders.", 340)  # fmt: skip
