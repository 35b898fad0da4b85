"""What if, over many values: every combination on the same days, kept as it comes, taken up again where it stopped.

Each finished run is a line of ``runs.jsonl``, on the disk before the next is counted: a sweep that is killed, whatever kills
it, has lost what was under way and nothing else.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from sim.experiments.factors import Factor, Point
from sim.experiments.figures import figures
from sim.experiments.pool import Crew, Job, as_they_come
from sim.experiments.runs import fingerprint_of, policy_files
from sim.opening import ready_world
from sim.scenario import fingerprint
from sim.streams import Streams
from sim.vocabulary import InputError

RUNS = "runs.jsonl"
"""Finished runs, one a line, after a line that says of which sweep."""

LAST = "sweep.json"
"""Written last: its presence means that the sweep is whole."""

_OWN = frozenset({RUNS, LAST, "sweep.parquet", "report.html"})


class Run(NamedTuple):
    """A finished run: which point, which replication, the digest of its log, its figures."""

    point: int
    replication: int
    digest: str
    figures: dict[str, float | None]


class Plan(NamedTuple):
    """What is to be run: factors, points, and replications of each."""

    factors: Sequence[Factor]
    points: Sequence[Point]
    reps: int

    def key(self) -> str:
        """Names the sweep: what is simulated, by which version, at which points, how often."""
        first = self.points[0].scenario
        world = ready_world(first, Streams(first.seed))
        whole = hashlib.blake2b(digest_size=12)
        whole.update(
            repr((fingerprint_of(world), first.seed, self.reps, [factor.path for factor in self.factors])).encode()
        )
        for point in self.points:
            whole.update(repr((point.values, fingerprint(point.scenario, policy_files(point.scenario)))).encode())
        return whole.hexdigest()


def sweep(
    plan: Plan,
    folder: Path,
    crew: Crew = Crew(),
    *,
    force: bool = False,
    done: Callable[[int, int], None] | None = None,
) -> list[Run]:
    """Run what is missing of a sweep and return all of it, by point and replication.

    Parameters
    ----------
    folder
        Where finished runs are kept. One that holds a part of the same sweep is taken up.
    force
        Begin anew whatever is there.
    done
        Told how many runs are finished, and how many there were already.

    Raises
    ------
    InputError
        The folder holds another sweep, or another process is at work in it.
    """
    _prepare(folder, force=force)
    with _mine(folder) as file:
        if force:
            _clear(file, folder)
        found = _kept(file, plan, folder)
        before = len(found)
        jobs = [
            (place, number)
            for number in range(plan.reps)  # all points once before any a second time: the first picture is whole early
            for place in range(len(plan.points))
            if (place, number) not in found
        ]
        if done is not None:
            done(before, before)
        wanted = [Job(plan.points[place].scenario, number) for place, number in jobs]
        for place, summary in as_they_come(wanted, crew) if wanted else ():
            run = Run(*jobs[place], summary["digest"], figures(summary))
            _append(file, run._asdict())
            found[run[:2]] = run
            if done is not None:
                done(len(found), before)
    return [found[place, number] for place in range(len(plan.points)) for number in range(plan.reps)]


def _prepare(folder: Path, *, force: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        foreign = sorted(path.name for path in folder.iterdir() if path.name not in _OWN)
    except OSError as error:
        raise InputError(f"{folder}: expected a folder that can be written to, got: {error.strerror}.") from error
    if foreign:
        raise InputError(
            f"{folder}: expected a new or empty folder or a sweep's, got one that also holds {foreign[0]}."
        )
    if (folder / LAST).exists() and not force:
        raise InputError(f"{folder}: holds a finished sweep; give another --out, or --force to run it anew.")


def _clear(file: IO[str], folder: Path) -> None:
    """Begin anew: held by us alone, so that nobody else's work is taken away."""
    try:
        file.truncate(0)
        for name in _OWN - {RUNS}:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: expected a sweep's files to be replaced, got: {error.strerror}.") from error


@contextmanager
def _mine(folder: Path) -> Iterator[IO[str]]:
    """The file of finished runs, held so that no two processes write to it."""
    try:
        file = (folder / RUNS).open("a+", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder / RUNS}: expected a file that can be written to, got: {error.strerror}.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"{folder}: another sweep is at work in it; wait for it, or give another --out."
            ) from error
        yield file


def _append(file: IO[str], line: Mapping[str, Any]) -> None:
    file.write(json.dumps(line, allow_nan=False) + "\n")
    file.flush()
    os.fsync(file.fileno())


def _kept(file: IO[str], plan: Plan, folder: Path) -> dict[tuple[int, int], Run]:
    """Runs that are finished already; a line that was being written when the sweep was killed is cut off."""
    key = plan.key()
    try:
        file.seek(0)
        text = file.read()
        whole = text[: text.rfind("\n") + 1]
        if len(whole) < len(text):
            file.truncate(len(whole.encode()))
        lines = whole.splitlines()
        if not lines:
            _append(file, {"sweep": key})
            return {}
        said, *rest = (json.loads(line) for line in lines)
        same = said["sweep"] == key
        found = [Run(line["point"], line["replication"], line["digest"], dict(line["figures"])) for line in rest]
        possible = all(0 <= run.point < len(plan.points) and 0 <= run.replication < plan.reps for run in found)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder / RUNS}: expected the runs of a sweep, one a line; give --force to begin anew."
        ) from error
    if same and not possible:
        raise InputError(f"{folder / RUNS}: expected runs of this sweep's points; give --force to begin anew.")
    if not same:
        raise InputError(
            f"{folder}: holds a part of another sweep (other factors, replications, scenario or version); "
            "give another --out, or --force to begin anew."
        )
    return {(run.point, run.replication): run for run in found}


def write_sweep(plan: Plan, runs: Sequence[Run], path: Path) -> None:
    """Write a sweep as one tidy table: a row for each run; point, replication, each factor, each figure, digest."""
    names = list(dict.fromkeys(name for run in runs for name in run.figures))
    columns: dict[str, Any] = {
        "point": pa.array([run.point for run in runs], pa.int32()),
        "replication": pa.array([run.replication for run in runs], pa.int32()),
    }
    for place, factor in enumerate(plan.factors):
        values = [plan.points[run.point].values[place] for run in runs]
        words = any(isinstance(value, str) for value in values)
        columns[factor.path] = pa.array(
            [str(value) for value in values] if words else [float(value) for value in values]
        )
    for name in names:
        # A factor may be a figure's namesake; then it is the same number.
        columns.setdefault(name, pa.array([run.figures.get(name) for run in runs], pa.float64()))
    columns["digest"] = pa.array([run.digest for run in runs])
    pq.write_table(pa.table(columns), path, compression="zstd")
