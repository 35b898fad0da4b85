"""A Grafana dashboard of a run's gauges: panels that belong together, and one for whatever else there is."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

_SOURCE: Final = {"type": "prometheus", "uid": "${source}"}


class _Panel(NamedTuple):
    title: str
    unit: str
    names: tuple[str, ...]
    stacked: bool = False


_PANELS: Final = (
    _Panel("Orders in five minutes", "short", ("entered", "delivered", "cancelled", "rejected")),
    _Panel("Where orders are", "short", ("waiting_pick", "being_picked", "waiting_driver", "riding"), stacked=True),
    _Panel("Pickers", "short", ("pickers_on", "pickers_busy")),
    _Panel("Drivers", "short", ("drivers_on", "drivers_busy", "drivers_riding_empty")),
    _Panel("Utilisation of services", "percentunit", ("service_utilisation",)),
    _Panel("Latency of services, 99th percentile", "s", ("service_p99_seconds",)),
    _Panel("Latency of services, median", "s", ("service_p50_seconds",)),
    _Panel("Calls a second", "reqps", ("service_rate",)),
    _Panel("Errors a second", "reqps", ("service_errors",)),
    _Panel("Calls that wait", "short", ("service_queue",)),
    _Panel("Instances", "short", ("service_instances",)),
    _Panel("Share of reads that the cache answers", "percentunit", ("hit_rate",)),
)


def dashboard(names: Sequence[str], begin: str, end: str) -> dict[str, Any]:
    """The dashboard as Grafana imports it; it asks for a Prometheus source, a scenario and a run.

    Parameters
    ----------
    names
        Of the gauges that there are; each is shown.
    begin, end
        What it shows at first, ISO 8601.
    """
    shown = [
        panel._replace(names=tuple(f"darkstore_{name}" for name in panel.names if f"darkstore_{name}" in names))
        for panel in _PANELS
    ]
    placed = {name for panel in shown for name in panel.names}
    shown.append(_Panel("Everything else", "short", tuple(name for name in names if name not in placed)))
    shown = [panel for panel in shown if panel.names]
    return {
        "uid": "darkstore",
        "title": "darkstore",
        "tags": ["darkstore"],
        "schemaVersion": 39,
        "editable": True,
        "timezone": "utc",
        "time": {"from": begin, "to": end},
        "templating": {"list": [_source(), _variable("scenario", names), _variable("run", names)]},
        "panels": [_drawn(number, panel) for number, panel in enumerate(shown)],
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _variable(label: str, names: Sequence[str]) -> dict[str, Any]:
    asked = f"label_values({names[0] if names else 'darkstore'}, {label})"
    return {
        "name": label, "label": label, "type": "query", "datasource": _SOURCE, "definition": asked,
        "query": {"query": asked, "refId": label}, "refresh": 1, "sort": 1,
    }  # fmt: skip


def _drawn(number: int, panel: _Panel) -> dict[str, Any]:
    drawn: dict[str, Any] = {"lineWidth": 1, "fillOpacity": 40 if panel.stacked else 0, "showPoints": "never"}
    if panel.stacked:
        drawn["stacking"] = {"mode": "normal", "group": "A"}
    return {
        "id": number + 1,
        "title": panel.title,
        "type": "timeseries",
        "datasource": _SOURCE,
        "gridPos": {"h": 8, "w": 12, "x": 12 * (number % 2), "y": 8 * (number // 2)},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "custom": drawn}, "overrides": []},
        "targets": [
            {
                "refId": f"Q{place}",
                "datasource": _SOURCE,
                "expr": f'{name}{{scenario="$scenario",run="$run"}}',
                "legendFormat": "{{service}}" if name.startswith("darkstore_service_") else name.removeprefix("darkstore_"),
            }
            for place, name in enumerate(panel.names)
        ],
    }  # fmt: skip
