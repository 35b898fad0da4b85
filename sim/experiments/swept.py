"""What a sweep found: means with intervals at each point, which factors matter, and the points that nothing beats."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sim import __version__
from sim.experiments.figures import goal, interval, observed
from sim.experiments.sweep import Plan, Run
from sim.statistics.designs import Design, effects, pareto
from sim.vocabulary import InputError

SCHEMA = 1
TRADED = ("on_time", "cost.per_order_cents")
"""What is weighed against each other where nobody says what."""


def weighed(metrics: Sequence[str]) -> list[str]:
    """Metrics that may be weighed against each other.

    Raises
    ------
    InputError
        Neither way of one is better.
    """
    for metric in metrics:
        if not goal(metric):
            raise InputError(
                f"--pareto {metric}: expected a metric of which more or less is better; of this one neither is."
            )
    return list(metrics)


def swept(
    plan: Plan,
    runs: Sequence[Run],
    metrics: Sequence[str],
    traded: Sequence[str],
    design: Design,
    name: str,
    seed: int,
    named: tuple[bool, bool] = (True, True),
) -> dict[str, Any]:
    """The object of sweep.json.

    Parameters
    ----------
    metrics
        Keys of summary.json to look at.
    traded
        Those that are weighed against each other: the front holds the points that no other beats in all of them.

    named
        Whether somebody asked for the metrics, and for those that are weighed: then each has to be observed.

    Raises
    ------
    InputError
        A metric was observed nowhere, or has no better way to be weighed by.
    """
    figures = [run.figures for run in runs]
    metrics = observed(metrics, figures, named[0])
    traded = observed(traded, figures, named[1], "--pareto")
    wanted = list(dict.fromkeys([*metrics, *traded]))
    days = [[run.figures for run in runs if run.point == place] for place in range(len(plan.points))]
    found = [{metric: _mean(metric, rows) for metric in wanted} for rows in days]
    levels = [point.values for point in plan.points]
    return {
        "schema": SCHEMA,
        "darkstore": __version__,
        "scenario": name,
        "seed": seed,
        "replications": plan.reps,
        "design": design,
        "factors": [factor.path for factor in plan.factors],
        "metrics": list(metrics),
        "traded": list(traded),
        "points": [
            {"values": list(values), "means": means, "front": front}
            for values, means, front in zip(levels, found, _front(found, traded), strict=True)
        ],
        "effects": {metric: _effects(levels, found, metric) for metric in metrics},
    }


def _mean(metric: str, rows: Sequence[Mapping[str, float | None]]) -> dict[str, float | None] | None:
    values = [value for row in rows if (value := row.get(metric)) is not None]
    return interval(metric, values)._asdict() if values else None


def _front(found: Sequence[Mapping[str, Any]], traded: Sequence[str]) -> list[bool]:
    costs = np.array([
        [np.inf if each[metric] is None else -goal(metric) * each[metric]["mean"] for metric in traded] for each in found
    ])  # fmt: skip
    return [bool(front) for front in pareto(costs)]


def _effects(
    levels: Sequence[Sequence[float | str]], found: Sequence[Mapping[str, Any]], metric: str
) -> list[dict[str, Any]]:
    known = [
        (values, each[metric]["mean"]) for values, each in zip(levels, found, strict=True) if each[metric] is not None
    ]
    if len(known) < 3:
        return []
    return [
        {"factors": list(effect.factors), "share": effect.share}
        for effect in effects([values for values, _ in known], [mean for _, mean in known])
    ]
