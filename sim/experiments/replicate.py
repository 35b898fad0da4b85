"""Independent replications: the same scenario on other days, each with its own keyed streams, joined into one summary.

Every figure of a replicated summary is ``{mean, low, high}``: the mean over replications and its 95 % interval, of the kind
that suits it (`sim.statistics.intervals`). Percentiles are taken within each replication and averaged over them: pooling
correlated orders would give intervals that are too narrow (Law, *Simulation Modeling and Analysis*, 5th ed., ch. 9).
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sim.experiments.figures import PLAIN, interval
from sim.experiments.slo import judge
from sim.scenario import Scenario
from sim.statistics import quantile_interval, wilson

FAULTS = "platform.faults"
"""Where a summary lists its faults."""


def combine(scenario: Scenario, summaries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Join the summaries of replications into one whose figures are ``{mean, low, high}``.

    A count that one replication has and another lacks is zero there; a figure that a replication could not observe is
    left out of the mean, and None when none could.
    """
    first = summaries[0]
    digests = hashlib.blake2b("".join(summary["digest"] for summary in summaries).encode(), digest_size=16).hexdigest()
    figures = {name: _joined(name, [summary[name] for summary in summaries]) for name in first if name not in PLAIN}
    whole: dict[str, Any] = {
        "schema": first["schema"],
        "scenario": first["scenario"],
        "seed": first["seed"],
        "replications": len(summaries),
        "fingerprint": first["fingerprint"],
        "digest": digests,
        **figures,
    }
    whole["slo"] = judge(scenario, whole)
    days = [judge(scenario, summary) for summary in summaries]
    for verdict, *met in zip(whole["slo"], *days, strict=True):
        verdict["met_share"] = wilson(sum(day["met"] for day in met), len(met))._asdict()
        verdict["bad_day"] = _bad_day(verdict["op"], [day["observed"] for day in met])
    engines = [summary["engine"] for summary in summaries]
    whole["engine"] = {
        name: max(e[name] for e in engines) if name == "peak_mb" else _total(engines, name) for name in engines[0]
    }
    whole["engine"]["orders_per_cpu_s"] = (
        _total([{"n": s["orders"]["entered"]} for s in summaries], "n") / whole["engine"]["cpu_s"]
    )
    return whole


def _bad_day(op: str, values: Sequence[float | None]) -> dict[str, float | None] | None:
    """The figure that nine days of ten are no worse than, with its interval by order statistics."""
    known = [value for value in values if value is not None]
    return quantile_interval(known, 0.1 if op in (">=", ">") else 0.9)._asdict() if known else None


def _total(parts: Sequence[Mapping[str, Any]], name: str) -> float:
    return sum(part[name] or 0 for part in parts)


def _counterparts(days: Sequence[Sequence[Mapping[str, Any]]]) -> list[list[Mapping[str, Any]]]:
    """Each day's faults that all days had: those at their times. Such as come at a rate have no counterpart."""
    named = [{(fault["kind"], fault["store"], fault["began_s"]): fault for fault in day} for day in days]
    common = [name for name in named[0] if all(name in day for day in named)]
    return [[day[name] for name in common] for day in named]


def _joined(where: str, parts: Sequence[Any]) -> Any:
    if isinstance(parts[0], Mapping):
        names = list(dict.fromkeys(name for part in parts for name in part))
        return {name: _joined(f"{where}.{name}", [part.get(name, 0) for part in parts]) for name in names}
    if isinstance(parts[0], list):
        if where == FAULTS:
            parts = _counterparts(parts)
        same = len({len(part) for part in parts}) == 1
        return [_joined(where, each) for each in zip(*parts, strict=True)] if same else []
    if any(isinstance(part, str) for part in parts):
        return parts[0] if len(set(parts)) == 1 else None
    known = [float(part) for part in parts if part is not None]
    return interval(where, known)._asdict() if known else None
