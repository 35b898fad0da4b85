"""Independent replications: the same scenario on other days, each with its own keyed streams, with t intervals.

Every figure of a replicated summary is ``{mean, low, high}``: the mean over replications and its 95 % Student t interval
(n - 1 degrees of freedom). Percentiles are taken within each replication and averaged over them: pooling correlated
orders would give intervals that are too narrow (Law, *Simulation Modeling and Analysis*, 5th ed., ch. 9).
"""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sim.experiments.runs import run_in_memory
from sim.experiments.slo import judge
from sim.opening import ready_world
from sim.scenario import Scenario
from sim.streams import Streams

LEVEL = 0.95
_PLAIN = ("schema", "scenario", "seed", "replications", "fingerprint", "digest", "slo", "engine")


def t_interval(values: Sequence[float], level: float = LEVEL) -> dict[str, float | None]:
    """Mean and two-sided t interval; a single value has no interval (low and high are None)."""
    from scipy.special import stdtrit

    n = len(values)
    mean = math.fsum(values) / n
    if n == 1:
        return {"mean": mean, "low": None, "high": None}
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    half = float(stdtrit(n - 1, 0.5 + level / 2)) * math.sqrt(variance / n)
    return {"mean": mean, "low": mean - half, "high": mean + half}


def one_replication(scenario: Scenario, number: int, allow_code: bool) -> dict[str, Any]:
    """Run one replication in this process and return its summary."""
    streams = Streams(scenario.seed, number)
    return run_in_memory(ready_world(scenario, streams), streams, allow_code=allow_code).summary


def replicate(
    scenario: Scenario,
    numbers: Sequence[int],
    *,
    workers: int = 1,
    allow_code: bool = False,
    done: Callable[[int], None] | None = None,
) -> list[dict[str, Any]]:
    """Run replications, in parallel, and return their summaries by number; the workers change nothing in them.

    Parameters
    ----------
    numbers
        Which replications.
    workers
        Processes.
    done
        Called with the count of finished replications.
    """
    if workers == 1 or len(numbers) == 1:
        found = []
        for number in numbers:
            found.append(one_replication(scenario, number, allow_code))
            if done is not None:
                done(len(found))
        return found
    from joblib import Parallel, delayed

    pool = Parallel(n_jobs=workers, return_as="generator")
    finished = []
    for summary in pool(delayed(one_replication)(scenario, number, allow_code) for number in numbers):
        finished.append(summary)
        if done is not None:
            done(len(finished))
    return finished


def combine(scenario: Scenario, summaries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Join the summaries of replications into one whose figures are ``{mean, low, high}``.

    A count that one replication has and another lacks is zero there; a figure that a replication could not observe is
    left out of the mean, and None when none could.
    """
    first = summaries[0]
    digests = hashlib.blake2b("".join(summary["digest"] for summary in summaries).encode(), digest_size=16).hexdigest()
    figures = {name: _joined([summary[name] for summary in summaries]) for name in first if name not in _PLAIN}
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
    engines = [summary["engine"] for summary in summaries]
    whole["engine"] = {
        name: max(e[name] for e in engines) if name == "peak_mb" else _total(engines, name) for name in engines[0]
    }
    whole["engine"]["orders_per_cpu_s"] = (
        _total([{"n": s["orders"]["entered"]} for s in summaries], "n") / whole["engine"]["cpu_s"]
    )
    return whole


def _total(parts: Sequence[Mapping[str, Any]], name: str) -> float:
    return sum(part[name] or 0 for part in parts)


def _joined(parts: Sequence[Any]) -> Any:
    if isinstance(parts[0], Mapping):
        names = list(dict.fromkeys(name for part in parts for name in part))
        return {name: _joined([part.get(name, 0) for part in parts]) for name in names}
    if isinstance(parts[0], list):
        # Faults at their times are the same in every replication; such as come at a rate have no counterpart.
        return [_joined(each) for each in zip(*parts, strict=True)] if len({len(part) for part in parts}) == 1 else []
    if any(isinstance(part, str) for part in parts):
        return parts[0] if len(set(parts)) == 1 else None
    known = [float(part) for part in parts if part is not None]
    return t_interval(known) if known else None
