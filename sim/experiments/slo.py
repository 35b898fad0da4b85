"""Service levels: what was asked, what was observed, and whether that is good enough."""

from collections.abc import Mapping
from typing import Any

from sim.scenario import Scenario
from sim.scenario.levels import COMPARED, Slo

PUBLISHED = {
    "user_p99_s": "platform.user.p99_s",
    "availability": "platform.user.availability",
    "visible_p99_s": "platform.freshness_s.p99",
    "catalogue_p99_s": "platform.endpoints.catalogue.p99_s",
    "place_order_p99_s": "platform.endpoints.place_order.p99_s",
    "order_status_p99_s": "platform.endpoints.order_status.p99_s",
    "drivers_nearby_p99_s": "platform.endpoints.drivers_nearby.p99_s",
    "reserve_p99_s": "platform.endpoints.reserve.p99_s",
}
"""Keys of `platform.monitoring.targets` and the figures they are about."""


def lookup(summary: Mapping[str, Any], metric: str) -> Any:
    """Read a dotted key of a summary; None where there is nothing."""
    value: Any = summary
    for part in metric.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def published(scenario: Scenario) -> list[Slo]:
    """The platform's published targets as service levels that only warn; none without a platform under load."""
    if scenario.platform.profile == "minimal" or scenario.mode == "goods_only":
        return []
    targets, asked = scenario.platform.monitoring.targets, {slo.metric for slo in scenario.slo}
    return [
        Slo(metric=metric, op=">=" if key == "availability" else "<=", target=getattr(targets, key), severity="warn")
        for key, metric in PUBLISHED.items()
        if metric not in asked
    ]


def judge(scenario: Scenario, summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Hold a summary against the scenario's service levels and the published targets; with replications the mean decides.

    What could not be observed (no order was delivered, say) is not met.
    """
    verdicts = []
    for slo in (*scenario.slo, *published(scenario)):
        value = lookup(summary, slo.metric)
        observed = value.get("mean") if isinstance(value, Mapping) else value
        met = observed is not None and bool(COMPARED[slo.op](observed, slo.target))
        verdicts.append(
            {
                "metric": slo.metric,
                "op": slo.op,
                "target": slo.target,
                "observed": value,
                "met": met,
                "severity": slo.severity,
            }
        )
    return verdicts


def unobserved(verdicts: list[dict[str, Any]]) -> bool:
    """Whether a service level of severity error had nothing to observe."""
    return any(verdict["observed"] is None and verdict["severity"] == "error" for verdict in verdicts)


def failed(verdicts: list[dict[str, Any]]) -> bool:
    """Whether a service level of severity error was observed and missed."""
    return any(not v["met"] and v["observed"] is not None and v["severity"] == "error" for v in verdicts)
