"""The run's time series as OpenMetrics text on the simulated clock, and a Grafana dashboard that shows them.

Prometheus takes such a file in by ``promtool tsdb create-blocks-from openmetrics metrics.txt``. Every column of
series.parquet is a gauge ``darkstore_COLUMN``, every one of platform.parquet a gauge ``darkstore_service_COLUMN`` with the
label `service`; both have the labels `scenario` and `run` (fingerprint and seed, as in the name of a run's folder), so that
several runs fit into one server. Seconds are spelt out in names, as OpenMetrics asks for. There are no counters, and so
none of their ``_created`` samples, which would tell of the wall clock.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sim.exports.dashboard import dashboard
from sim.reading.run import FinishedRun
from sim.vocabulary import InputError

if TYPE_CHECKING:
    from prometheus_client.metrics_core import GaugeMetricFamily

HELP: Final = {
    "darkstore_entered": "orders that entered",
    "darkstore_rejected": "customers turned away at the door",
    "darkstore_delivered": "orders delivered",
    "darkstore_cancelled": "orders cancelled",
    "darkstore_open_orders": "orders under way",
    "darkstore_waiting_pick": "orders that wait for a picker",
    "darkstore_being_picked": "orders being picked",
    "darkstore_waiting_driver": "orders packed that wait for a driver",
    "darkstore_riding": "orders on the road",
    "darkstore_pickers_on": "pickers on shift",
    "darkstore_pickers_busy": "pickers with an order, or counting by plan",
    "darkstore_drivers_on": "drivers on shift",
    "darkstore_drivers_busy": "drivers between accepting an order and handing it over, or in",
    "darkstore_drivers_riding_empty": "drivers on the way to a store, or back from a customer",
    "darkstore_reads_per_second": "catalogue reads a second",
    "darkstore_hit_rate": "share of the catalogue reads that the cache answered",
    "darkstore_bus_lag": "messages under way on the bus",
    "darkstore_breakers_open": "circuit breakers open or half open",
    "darkstore_instances": "instances of all services",
    "darkstore_service_rate": "calls a second",
    "darkstore_service_errors": "errors a second",
    "darkstore_service_p50_seconds": "median latency",
    "darkstore_service_p99_seconds": "99th percentile of latency",
    "darkstore_service_utilisation": "share of the time that its instances are busy",
    "darkstore_service_queue": "calls that wait",
    "darkstore_service_instances": "instances that run",
}
"""What the gauges are; any other column is told by its name alone."""


def write(run: FinishedRun, place: Path) -> None:
    """Write ``metrics.txt`` and ``dashboard.json`` into a folder.

    Raises
    ------
    InputError
        The package prometheus-client is not there.
    """
    try:
        from prometheus_client.openmetrics.exposition import generate_latest
        from prometheus_client.registry import CollectorRegistry
    except ImportError:
        raise InputError(
            "--to openmetrics: expected the package prometheus-client (pip install 'darkstore[export]'), found none."
        ) from None
    families = list(_families(run))

    class _Gauges(CollectorRegistry):
        def collect(self) -> "Iterator[GaugeMetricFamily]":
            yield from families

    text: bytes = generate_latest(_Gauges(auto_describe=False))  # type: ignore[no-untyped-call]
    (place / "metrics.txt").write_bytes(text)
    board = dashboard([family.name for family in families], run.iso(0.0), run.iso(run.close_s))
    (place / "dashboard.json").write_text(json.dumps(board, indent=1) + "\n", encoding="utf-8")


def _families(run: FinishedRun) -> "Iterator[GaugeMetricFamily]":
    """A gauge for each column in which something is known, its samples by service and time."""
    from prometheus_client.metrics_core import GaugeMetricFamily

    start_s, same = run.start.timestamp(), (run.name, f"{run.fingerprint}-s{run.seed}")
    for name, prefix, over, labels in (
        ("series", "darkstore_", "over the five minutes from then on", ()),
        ("platform", "darkstore_service_", "since the look before", ("service",)),
    ):
        table = run.table(name).to_pydict()
        stamps = [start_s + t_s for t_s in table.pop("t_s")]
        owners = table.pop("service", None) or [None] * len(stamps)
        order = sorted(range(len(stamps)), key=lambda row: (owners[row] or "", stamps[row]))
        for column, values in table.items():
            metric, unit = _named(prefix + column)
            gauge = GaugeMetricFamily(
                metric, f"{HELP.get(metric, column.replace('_', ' '))}, {over}", labels=("scenario", "run", *labels), unit=unit
            )  # fmt: skip
            for row in order:
                if values[row] is not None:
                    owner = (owners[row],) if labels else ()
                    gauge.add_metric((*same, *owner), float(values[row]), stamps[row])
            if gauge.samples:
                yield gauge


def _named(column: str) -> tuple[str, str]:
    """A metric's name, and its unit if that is seconds."""
    if column.endswith("_per_s"):
        return f"{column.removesuffix('_s')}_second", ""
    if column.endswith("_s"):
        return f"{column.removesuffix('_s')}_seconds", "seconds"
    return column, ""
