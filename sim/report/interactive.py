"""What the page of a run shows to whoever points, drags and clicks: its charts, late orders explained, the order explorer."""

from collections.abc import Mapping
from typing import Any, Final

from sim.reading.paths import faults_of, ways_of
from sim.reading.run import FinishedRun
from sim.report.activity import driver_activity, picker_activity
from sim.report.bars import drift_bars, money_waterfall
from sim.report.charts import Chart, plotly_script
from sim.report.day import day_picture
from sim.report.explain import words
from sim.report.explorer import MOST, chosen, explorer_data, turned_away
from sim.report.late import by_group, late_orders, lateness_chart
from sim.report.signals import signals
from sim.report.stage_areas import stage_areas
from sim.report.words import at, goods_only
from sim.scenario.tree import parse_start

NOTHING: Final[dict[str, Any]] = {
    "charts": {}, "plotly": "", "late": [], "by_group": [], "late_count": 0, "late_told": 0, "stories": "", "told": 0,
    "entered": 0,
}  # fmt: skip
"""What a page without a log shows."""


def interactive(
    run: FinishedRun,
    summary: Mapping[str, Any],
    orders: dict[str, Any],
    series: dict[str, Any],
    platform: dict[str, Any] | None,
) -> dict[str, Any]:
    """Charts by name, the latest orders, and the packed stories; of a run without orders, what there is.

    Parameters
    ----------
    orders, series, platform
        Columns of the tables of that name.
    """
    scenario = run.manifest["scenario"]
    start, warmup_s, horizon_s = (
        parse_start(scenario["start"]),
        scenario["warmup_h"] * 3600.0,
        scenario["horizon_h"] * 3600.0,
    )
    end_s, currency = min(run.close_s, max(horizon_s, _last_s(orders))), at(run.manifest, "scenario.costs.currency")
    charts: list[Chart | None] = [drift_bars(summary)]
    if goods_only(summary):
        return _packed(charts)
    bands = [(words(kind.name.lower()), begin_s, over_s) for kind, begin_s, over_s, _ in faults_of(run)]
    told = chosen(orders, warmup_s)
    away = turned_away(run, warmup_s, max(MOST - len(told), MOST // 20))
    ways = ways_of(run, told)
    late = int(((orders["entered_s"] >= warmup_s) & (orders["delivered_s"] > orders["promised_s"])).sum())
    charts += [
        day_picture(series, orders, start, horizon_s, bands, warmup_s),
        stage_areas(orders, start, warmup_s),
        lateness_chart(ways),
        driver_activity(run, start, end_s),
        picker_activity(series, summary, start, end_s),
        money_waterfall(summary, currency),
        None if platform is None else signals(platform, series, start, end_s, bands),
    ]
    return _packed(charts) | {
        "late": late_orders(ways), "by_group": by_group(orders, run, warmup_s) if late else [],
        "late_count": late, "late_told": sum(way.late_s > 0.0 for way in ways),
        "stories": explorer_data(run, ways, start, told, away) if told else "",
        "told": len(told), "entered": len(orders["entered_s"]),
    }  # fmt: skip


def _packed(charts: list[Chart | None]) -> dict[str, Any]:
    found = {chart.name: chart for chart in charts if chart is not None}
    return NOTHING | {"charts": found, "plotly": plotly_script() if found else ""}


def _last_s(orders: Mapping[str, Any]) -> float:
    import numpy as np

    delivered = orders["delivered_s"].astype(float)
    return float(np.nanmax(delivered)) if len(delivered) and not np.isnan(delivered).all() else 0.0
