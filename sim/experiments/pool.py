"""Many runs side by side: on this machine's cores, or on a Dask cluster; the same results whatever works on them."""

import gc
import os
import re
import socket
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from sim.experiments.runs import run_in_memory
from sim.opening import ready_world
from sim.own import Own, at_hand
from sim.scenario import Scenario
from sim.streams import Streams
from sim.vocabulary import InputError

LOST_MOST = 3
"""How often in a row the work of workers who died is given to others before a run is held to be what kills them (judgement)."""


WORKERS_S = 30
"""How long a cluster may have no worker before it is given up, seconds (judgement)."""


class Job(NamedTuple):
    """One replication of one scenario."""

    scenario: Scenario
    number: int


class Crew(NamedTuple):
    """Who works: `workers` processes here (None: one a core), or the Dask cluster of an address like ``tcp://host:8786``.

    `allow_code` lets scenario files load policies from Python files; `own` are policies handed over as objects, which whoever
    works is sent.
    """

    workers: int | None = None
    cluster: str | None = None
    allow_code: bool = False
    own: tuple[Own, ...] = ()


@dataclass(frozen=True, slots=True)
class _WithOwn:
    """Work that is done with policies at hand, in whatever process it is."""

    work: Callable[[Job, bool], Any]
    own: tuple[Own, ...]

    def __call__(self, job: Job, allow_code: bool) -> Any:
        with at_hand(self.own):
            return self.work(job, allow_code)


def one_run(job: Job, allow_code: bool = False) -> dict[str, Any]:
    """Run one replication in this process and return its summary."""
    streams = Streams(job.scenario.seed, job.number)
    summary = run_in_memory(ready_world(job.scenario, streams), streams, allow_code=allow_code).summary
    gc.collect()  # whoever took part hangs together in rings: forty megabytes a day, which nobody else would look for soon
    return summary


def in_turn(jobs: Sequence[Job], crew: Crew, done: Callable[[int], None] | None = None) -> list[dict[str, Any]]:
    """Run jobs and return their summaries in the order of the jobs; `done` is told how many have finished."""
    found: list[dict[str, Any]] = [{}] * len(jobs)
    for count, (place, summary) in enumerate(as_they_come(jobs, crew), start=1):
        found[place] = summary
        if done is not None:
            done(count)
    return found


def as_they_come(
    jobs: Sequence[Job], crew: Crew, work: Callable[[Job, bool], Any] = one_run
) -> Iterator[tuple[int, Any]]:
    """Run jobs; yields each one's place among them with its summary (or what else `work` makes of it), as they finish.

    A worker who dies (killed, out of memory, a machine gone) costs his job once more, by somebody else.

    Raises
    ------
    InputError
        Workers died again and again over the same jobs, or there is no cluster at the address.
    """
    if crew.own:
        work = _WithOwn(work, crew.own)
    if crew.cluster is not None:
        yield from _on_cluster(jobs, crew, work)
        return
    workers = min(crew.workers or os.cpu_count() or 1, len(jobs))
    if workers <= 1:
        for place, job in enumerate(jobs):
            yield place, work(job, crew.allow_code)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    left, lost = dict(enumerate(jobs)), 0
    while left:
        try:
            # Workers that nobody has asked anything of for a while go, and others come: no news for whoever waits.
            warnings.filterwarnings("ignore", message="A worker stopped while some jobs")
            pool = Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1, pre_dispatch=workers)
            for place, summary in pool(delayed(_placed)(work, *each, crew.allow_code) for each in list(left.items())):
                del left[place]
                lost = 0
                yield place, summary
        except TerminatedWorkerError as error:
            lost += 1
            if lost >= LOST_MOST:
                raise _killed(len(left)) from error


def _placed(work: Callable[[Job, bool], Any], place: int, job: Job, allow_code: bool) -> tuple[int, Any]:
    return place, work(job, allow_code)


def _killed(left: int) -> InputError:
    return InputError(
        f"workers: expected them to live; they died {LOST_MOST} times in a row, with {left} runs left. "
        "Most often there is too little memory for so many: try fewer --workers."
    )


def _on_cluster(jobs: Sequence[Job], crew: Crew, work: Callable[[Job, bool], Any]) -> Iterator[tuple[int, Any]]:
    try:
        from concurrent.futures import CancelledError

        from distributed import Client, KilledWorker, as_completed
    except ImportError as error:
        raise InputError(
            '--cluster: expected the extra "cluster" to be installed (pip install "darkstore[cluster]"), got none.'
        ) from error
    assert crew.cluster is not None
    check_crew(crew)
    for job in jobs:
        own = [spec for spec in job.scenario.policies.model_dump().values() if ".py:" in spec]
        if own:
            raise InputError(
                f"--cluster: expected policies that its workers have installed, got a file of yours: {own[0]}."
            )
    client = Client(crew.cluster, timeout=10, set_as_default=False)
    with client:
        try:
            client.wait_for_workers(1, timeout=WORKERS_S)
        except TimeoutError as error:
            raise InputError(f"--cluster {crew.cluster}: expected workers, got none within {WORKERS_S} s.") from error
        # Not pure: the same job twice in one sweep is two runs, and nothing may come from an earlier session's memory.
        waiting = {
            client.submit(work, job, crew.allow_code, pure=False, retries=LOST_MOST): place
            for place, job in enumerate(jobs)
        }
        try:
            with client.as_current():
                finished = as_completed(list(waiting))
            for future in finished:
                yield waiting.pop(future), future.result()
                future.release()
        except KilledWorker as error:
            raise _killed(len(waiting)) from error
        except (CancelledError, OSError) as error:
            raise InputError(
                f"--cluster {crew.cluster}: expected its scheduler to live; it went away with {len(waiting)} runs left."
            ) from error
        finally:
            with suppress(Exception):  # of a scheduler that is gone nothing can be taken back
                client.cancel(list(waiting))


def check_crew(crew: Crew) -> None:
    """See that somebody listens at a cluster's address, before anything is run.

    Raises
    ------
    InputError
        It is none, or nobody does.
    """
    if crew.cluster is None:
        return
    form = re.fullmatch(r"(?:tcp|tls)://([^:/\s]+):(\d{1,5})", crew.cluster)
    expected = f"--cluster {crew.cluster}: expected the address of a Dask scheduler, such as tcp://host:8786"
    if form is None:
        raise InputError(f"{expected}; got another form.")
    try:
        socket.create_connection((form[1], int(form[2])), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"{expected}; found none.") from error
