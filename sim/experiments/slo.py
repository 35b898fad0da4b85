"""Service levels: what was asked, what was observed, and whether that is good enough."""

from collections.abc import Mapping
from operator import ge, gt, le, lt
from typing import Any

from sim.scenario import Scenario

_COMPARE = {">=": ge, "<=": le, ">": gt, "<": lt}


def lookup(summary: Mapping[str, Any], metric: str) -> Any:
    """Read a dotted key of a summary; None where there is nothing."""
    value: Any = summary
    for part in metric.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def judge(scenario: Scenario, summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Hold a summary against the scenario's service levels; with replications the mean decides.

    What could not be observed (no order was delivered, say) is not met.
    """
    verdicts = []
    for slo in scenario.slo:
        value = lookup(summary, slo.metric)
        observed = value.get("mean") if isinstance(value, Mapping) else value
        met = observed is not None and bool(_COMPARE[slo.op](observed, slo.target))
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
