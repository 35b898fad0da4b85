"""A gate for changes: service levels by their intervals, and what got worse against a baseline of the same days.

Three answers are possible. *Pass*: the whole interval lies on the good side of the limit. *Fail*: the whole interval lies on
the bad side. Otherwise *inconclusive*, with the replications that are likely to settle it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sim.experiments.baseline import Baseline
from sim.experiments.figures import HEADLINE, figures, goal, interval
from sim.experiments.pool import Crew, Job, in_turn
from sim.experiments.slo import published
from sim.scenario import Scenario
from sim.scenario.levels import Slo, Worsens
from sim.statistics import Interval, paired
from sim.statistics.paired import pairs_needed
from sim.vocabulary import InputError

State = Literal["pass", "fail", "inconclusive"]
Days = Sequence[Mapping[str, float | None]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked.

    Attributes
    ----------
    kind
        "level": a service level; "change": against the baseline.
    metric, severity
        Of summary.json; error counts, warn is only said.
    limit
        What was asked, in words.
    found
        The figure's mean and interval; of a change, the share of the baseline by which it is worse (below zero: better).
    change
        Of a change, the difference itself.
    state, needed
        The answer; where inconclusive, replications that are likely to settle it (None: no number will).
    """

    kind: Literal["level", "change"]
    metric: str
    severity: str
    limit: str
    found: Interval | None
    state: State
    change: Interval | None = None
    needed: int | None = None


def checked_metrics(scenario: Scenario) -> list[str]:
    """Figures that a check looks at, and a baseline keeps: those of levels and limits, and the headline."""
    named = [slo.metric for slo in scenario.slo] + [rule.metric for rule in scenario.check.worsens]
    return list(dict.fromkeys([*named, *HEADLINE]))


def days_of(
    scenario: Scenario, reps: int, crew: Crew = Crew(), done: Callable[[int], None] | None = None
) -> tuple[list[dict[str, float | None]], str]:
    """Run a scenario's replications; returns the figures of each, and the fingerprint of what was simulated."""
    summaries = in_turn([Job(scenario, number) for number in range(reps)], crew, done)
    return [figures(summary) for summary in summaries], str(summaries[0]["fingerprint"])


def check(scenario: Scenario, days: Days, baseline: Baseline | None = None) -> list[Finding]:
    """Hold replications against the scenario's service levels, and against a baseline where there is one.

    Raises
    ------
    InputError
        The baseline is of another seed, or lacks a figure.
    """
    found = [_level(slo, days) for slo in (*scenario.slo, *published(scenario))]
    if not found and (baseline is None or not scenario.check.worsens):
        raise InputError(
            "check: expected service levels in the scenario (slo), or a --baseline and limits (check.worsens); got neither."
        )
    if baseline is not None:
        if baseline.scenario != scenario.name:
            raise InputError(f"check: expected the baseline's scenario {baseline.scenario!r}, got {scenario.name!r}.")
        if len(days) > baseline.replications:
            raise InputError(
                f"check: expected at most the baseline's {baseline.replications} days, got {len(days)}: for more, write it again "
                f"(--update-baseline --reps {len(days)}, with the code it stands for)."
            )
        lacking = [rule.metric for rule in scenario.check.worsens if rule.metric not in baseline.figures]
        if lacking:
            raise InputError(
                f"check: expected {lacking[0]} in the baseline, got one of other figures: write it again with --update-baseline."
            )
        if baseline.seed != scenario.seed:
            raise InputError(
                f"check: expected the baseline's seed {baseline.seed}, got {scenario.seed}: days that differ cannot be compared."
            )
        found += [_change(rule, days, baseline) for rule in scenario.check.worsens]
    return found


def outcome(findings: Sequence[Finding]) -> State:
    """What all of them come to: those of severity error decide; a failure before what is inconclusive."""
    states = {each.state for each in findings if each.severity == "error"}
    return "fail" if "fail" in states else "inconclusive" if "inconclusive" in states else "pass"


def _level(slo: Slo, days: Days) -> Finding:
    values = [value for day in days if (value := day.get(slo.metric)) is not None]
    limit = f"{slo.op} {slo.target:g}"
    if not values:
        return Finding("level", slo.metric, slo.severity, limit, None, "inconclusive")
    found = interval(slo.metric, values)
    sign = 1.0 if slo.op in ("<=", "<") else -1.0
    strict = slo.op in ("<", ">")
    state, needed = _settled(found, slo.target, sign, strict, values)
    return Finding("level", slo.metric, slo.severity, limit, found, state, None, needed)


def _change(rule: Worsens, days: Days, baseline: Baseline) -> Finding:
    before = baseline.figures[rule.metric]
    both = [(old, day.get(rule.metric)) for old, day in zip(before, days, strict=False)]
    pairs = [(old, new) for old, new in both if old is not None and new is not None]
    limit = f"worse by <= {100 * rule.most:g} %"
    if not pairs:
        return Finding("change", rule.metric, rule.severity, limit, None, "inconclusive")
    apart = paired([old for old, _ in pairs], [new for _, new in pairs])
    # A figure of which neither way is better may move either way by so much.
    way = goal(rule.metric) or (-1 if apart.change.mean >= 0 else 1)
    scale = -way / abs(apart.base) if apart.base else 0.0
    mean, low, high = apart.change
    worse = Interval(mean * scale, None, None)
    if low is not None and high is not None:
        worse = Interval(mean * scale, min(low * scale, high * scale), max(low * scale, high * scale))
    if not apart.base and mean:
        worse = Interval(math.copysign(math.inf, -way * mean), None, None)
    values = [(new - old) * scale for old, new in pairs]
    state, needed = _settled(worse, rule.most, 1.0, False, values)
    return Finding("change", rule.metric, rule.severity, limit, worse, state, apart.change, needed)


def _settled(
    found: Interval, limit: float, sign: float, strict: bool, values: Sequence[float]
) -> tuple[State, int | None]:
    """Which side of a limit an interval lies on; `sign` 1 where low is good."""
    if found.low is None or found.high is None:
        # One day, or a figure that was nothing before: only what is at the limit's bad side for sure is told.
        if math.isinf(found.mean):
            return ("fail" if sign * found.mean > 0 else "pass"), None
        return "inconclusive", 2
    worst, best = (found.high, found.low) if sign > 0 else (found.low, found.high)
    hair = 1e-12 * max(abs(limit), 1.0)  # a mean of equal values may differ from them in its last digit
    beyond, short = sign * (worst - limit), sign * (best - limit)
    if beyond < -hair or (beyond <= hair and not strict):
        return "pass", None
    if short > hair or (short >= -hair and strict):
        return "fail", None
    spread = math.sqrt(math.fsum((value - found.mean) ** 2 for value in values) / max(len(values) - 1, 1))
    distance = abs(found.mean - limit)
    # Beyond ten thousand nobody waits for it: the figure is at its limit.
    needed = pairs_needed(spread, distance) if distance else 1_000_000
    return "inconclusive", max(needed, len(values) + 1) if needed <= 10_000 else None


def as_json(
    scenario: Scenario, days: Days, baseline: Baseline | None, findings: Sequence[Finding], fingerprint: str
) -> dict[str, Any]:
    """What was found, as an object of JSON; `fingerprint` is of what has been simulated now."""
    return {
        "scenario": scenario.name,
        "seed": scenario.seed,
        "replications": len(days),
        "outcome": outcome(findings),
        "baseline": None
        if baseline is None
        else {
            "darkstore": baseline.version,
            "fingerprint": baseline.fingerprint,
            "replications": baseline.replications,
            "changed": baseline.fingerprint != fingerprint,
        },
        "fingerprint": fingerprint,
        "findings": [
            {
                "kind": each.kind,
                "metric": each.metric,
                "limit": each.limit,
                "severity": each.severity,
                "state": each.state,
                "found": _ends(each.found),
                "change": _ends(each.change),
                "replications_needed": each.needed,
            }
            for each in findings
        ],
    }


def _ends(found: Interval | None) -> dict[str, float | None] | None:
    if found is None:
        return None
    return {name: value if value is None or math.isfinite(value) else None for name, value in found._asdict().items()}
