"""What ``darkstore run`` does: one run to a folder, or replications of it with intervals, as many as asked or as needed."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sim.engine import Progress
from sim.experiments.beacon import Beacon
from sim.experiments.figures import figures, interval
from sim.experiments.pool import Crew, Job, in_turn
from sim.experiments.replicate import combine
from sim.experiments.runs import Result, run_to_folder
from sim.scenario import Scenario
from sim.statistics.precision import AHEAD, LEAST, Precision, relative_half_width
from sim.vocabulary import InputError

MOST = 200
"""Replications at most where a precision is asked for (judgement)."""


class Asked(NamedTuple):
    """How many replications: `reps`, or as many as it takes until a metric's interval is narrow enough.

    Attributes
    ----------
    reps
        Independent replications, where no precision is asked for.
    precision
        Half-width of the 95 % interval as a share of the mean, by which they are enough; None: `reps` decides.
    metric
        A key of summary.json, whose interval that is.
    most
        Replications after which it is given up.
    """

    reps: int = 1
    precision: float | None = None
    metric: str = "click_to_door_s.mean"
    most: int = MOST

    @property
    def suffix(self) -> str:
        """What the default folder's name ends with."""
        if self.precision is not None:
            return f"-p{100 * self.precision:g}-{self.metric}"
        return f"-x{self.reps}" if self.reps > 1 else ""


def run_scenario(
    scenario: Scenario,
    out: Path | None = None,
    *,
    asked: Asked = Asked(),
    crew: Crew = Crew(),
    force: bool = False,
    command: Sequence[str] = (),
    progress: Callable[[Progress], None] | None = None,
    done: Callable[[int], None] | None = None,
    finish: Callable[[Path, dict[str, Any]], Any] | None = None,
) -> Result:
    """Run a scenario and write its folder.

    With replications, the folder holds the files of replication 0, the summaries of all of them
    (``replications.jsonl``, one a line), and their joint summary with intervals. The default folder's name then says so.

    Parameters
    ----------
    asked
        How many replications.
    crew
        Who works on those after the first.
    progress, done
        Told how far the first replication has come; how many of the others are finished.
    finish
        Writes the report, given the folder and the summary.

    Raises
    ------
    InputError
        Anything the user gave will not do; nothing is written then.
    """

    replications = None if asked.precision is not None else asked.reps

    def joint(folder: Path, first: dict[str, Any]) -> dict[str, Any]:
        beacon = Beacon(folder, scenario, replications)

        def both(count: int) -> None:
            beacon.replicated(count + 1)
            if done is not None:
                done(count)

        beacon.replicated(1)
        reached: dict[str, Any] = {}
        if asked.precision is None:
            jobs = [Job(scenario, number) for number in range(1, asked.reps)]
            summaries = [first, *in_turn(jobs, crew, both)]
        else:
            summaries, reached = _until_precise(scenario, first, asked, crew, both)
        lines = "".join(json.dumps(summary, allow_nan=False) + "\n" for summary in summaries)
        (folder / "replications.jsonl").write_text(lines, encoding="utf-8")
        whole = combine(scenario, summaries) | reached
        if finish is not None:
            finish(folder, whole)
        return whole

    many = asked.reps > 1 or asked.precision is not None
    return run_to_folder(
        scenario,
        out,
        force=force,
        command=command,
        allow_code=crew.allow_code,
        progress=progress,
        finish=joint if many else finish,
        suffix=asked.suffix,
        replications=replications,
    )


def _until_precise(
    scenario: Scenario, first: dict[str, Any], asked: Asked, crew: Crew, done: Callable[[int], None] | None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Replicate until the metric's interval is narrow enough; the summaries, and what is said of it in the joint one.

    Whoever works side by side may run some more than are needed: these are left out, so that the result hangs on the
    scenario alone.
    """
    assert asked.precision is not None
    rule = Precision(asked.precision, lambda values: interval(asked.metric, values))
    summaries: list[dict[str, Any]] = []
    for summary in _one_by_one(scenario, first, asked.most, crew, done):
        value = figures(summary).get(asked.metric)
        if value is None:
            raise InputError(
                f"--precision: expected {asked.metric} to be observed in every replication; "
                f"in replication {len(summaries)} there was nothing to observe."
            )
        summaries.append(summary)
        if rule.add(value):
            break
    share = relative_half_width(rule.found) if rule.found is not None else None
    said = {"metric": asked.metric, "asked": asked.precision, "half_width_share": share, "reached": rule.reached}
    return summaries, {"precision": said}


def _one_by_one(
    scenario: Scenario, first: dict[str, Any], most: int, crew: Crew, done: Callable[[int], None] | None
) -> Iterator[dict[str, Any]]:
    yield first
    begin, step = 1, LEAST + AHEAD - 1
    while begin < most:
        numbers = range(begin, min(begin + step, most))
        told = None if done is None else _after(done, begin - 1)
        yield from in_turn([Job(scenario, number) for number in numbers], crew, told)
        begin, step = numbers.stop, AHEAD


def _after(done: Callable[[int], None], before: int) -> Callable[[int], None]:
    return lambda count: done(before + count)
