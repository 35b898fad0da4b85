"""Which of many is the best: go on only with those that may still be it, on the same days, until one is left."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sim.experiments.figures import figures, goal, interval
from sim.experiments.pool import Crew, Job, in_turn
from sim.experiments.variants import Variant
from sim.statistics.selection import KimNelson
from sim.vocabulary import InputError

FIRST = 10
"""Days before anybody is put out: from ten on the promised rate holds (Kim and Nelson 2006)."""


def select(
    variants: Sequence[Variant],
    metric: str,
    zone: float,
    level: float = 0.95,
    most: int = 200,
    crew: Crew = Crew(),
    told: Callable[[int, Sequence[str]], None] | None = None,
) -> dict[str, Any]:
    """Find the best variant by KN++ with the chance of a correct selection that is asked for.

    Parameters
    ----------
    metric
        A key of summary.json of which more or less is better.
    zone
        The smallest difference worth telling, in the metric's own unit.
    level
        Chance that the one chosen is the best, where it is better than all others by the zone.
    most
        Days after which it is given up: then the best so far is named, and that it is not sure.
    told
        Called after each day with how many there have been, and who is in play.

    Returns
    -------
    dict
        ``chosen``, ``sure``, ``days`` and ``variants``: of each, its mean and interval over the days it was in play, how many
        these are, and at which it was put out.

    Raises
    ------
    InputError
        Neither way of the metric is better, or it was not observed on some day.
    """
    way = goal(metric)
    if not way:
        raise InputError(
            f"--select {metric}: expected a metric of which more or less is better; of this one neither is."
        )
    try:
        race = KimNelson([variant.name for variant in variants], zone, level, FIRST)
    except ValueError as error:
        raise InputError(f"--select: {str(error)[0].lower()}{str(error)[1:]}") from error
    out: dict[str, int] = {}
    by_name = {variant.name: variant for variant in variants}
    while len(race.left) > 1 and race.stage < most:
        number, step = race.stage, FIRST if race.stage == 0 else 1
        step = min(step, most - number)
        # Two days at a time keep all workers busy when few are left; the rule looks at each by itself.
        jobs = [(name, day) for day in range(number, number + step) for name in race.left]
        summaries = in_turn([Job(by_name[name].scenario, day) for name, day in jobs], crew)
        seen = {job: _value(summary, metric, *job) for job, summary in zip(jobs, summaries, strict=True)}
        for day in range(number, number + step):
            for name in race.add({name: -way * seen[name, day] for name in race.left}):
                out[name] = day + 1
            if told is not None:
                told(day + 1, race.left)
            if len(race.left) == 1:
                break
    chosen = race.best()
    rows = {}
    for name, values in race.values.items():
        figure = interval(metric, [-way * value for value in values])
        rows[name] = {"figure": figure._asdict(), "days": len(values), "put_out_at": out.get(name)}
    return {
        "metric": metric, "zone": zone, "level": level, "chosen": chosen, "sure": race.chosen is not None,
        "days": race.stage, "runs": sum(len(values) for values in race.values.values()), "variants": rows,
    }  # fmt: skip


def _value(summary: Mapping[str, Any], metric: str, name: str, day: int) -> float:
    value = figures(summary).get(metric)
    if value is None:
        raise InputError(
            f"--select {metric}: expected it to be observed on every day; {name} saw nothing of it on day {day}."
        )
    return value
