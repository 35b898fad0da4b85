"""A storm: small worlds drawn at random, with faults of every kind at random times, and every law looking on.

A seed is a world: what it is made of says `sim.experiments.storm_draws`.
"""

import gc
import warnings
from collections.abc import Callable, Iterator
from typing import NamedTuple

from sim.engine import simulate
from sim.experiments.storm_draws import storm_scenario
from sim.laws import Breach, all_laws, verdict, whole_log
from sim.opening import ready_world
from sim.recording import MemoryArchive
from sim.streams import Streams
from sim.vocabulary import InputError


class Found(NamedTuple):
    """A law that did not hold in the storm of a seed (or the run did not get to its end)."""

    seed: int
    law: str
    t_s: float
    what: str

    @property
    def line(self) -> str:
        """One line that reproduces it."""
        return f"darkstore storm --seeds {self.seed}:{self.seed + 1}  # {self.law} at {self.t_s:.3f} s: {self.what}"


def parse_seeds(text: str) -> range:
    """Read ``A:B``, A included and B not.

    Raises
    ------
    InputError
        When it is not of that form, negative or empty.
    """
    first, colon, last = text.partition(":")
    if not (colon and first.isdecimal() and last.isdecimal() and int(first) < int(last)):
        raise InputError(f"--seeds: expected A:B, whole numbers from 0 on with A below B (A included), got {text!r}.")
    return range(int(first), int(last))


def weather(seed: int, *fixed: str) -> list[Breach]:
    """Let the storm of a seed pass over its world; every breach of a law, over the whole log and its replay too."""
    scenario = storm_scenario(seed, *fixed)
    streams = Streams(scenario.seed)
    world = ready_world(scenario, streams, keep=False)
    laws, archive = all_laws(world), MemoryArchive()
    outcome = simulate(world, archive, streams=streams, laws=laws)
    breaches = verdict(laws) + whole_log(archive, outcome.state)
    # The rooms of a run refer to each other: without this thousands of storms in one process pile up.
    if seed % 8 == 0:
        gc.collect()
    return breaches


def weathered(seed: int) -> Found | None:
    """What went wrong first in the storm of a seed; None when every law held.

    A run that breaks off is told of by its exception, as if that were a law, so that a long storm goes on.
    """
    try:
        breaches = weather(seed)
    except Exception as error:
        what = " ".join(f"{error}".split()) or "the run broke off"
        return Found(seed, type(error).__name__, float("nan"), what[:200])
    if not breaches:
        return None
    first = min(breaches, key=lambda breach: breach.t_s)
    return Found(seed, first.law, first.t_s, first.what)


def storm(
    seeds: range,
    *,
    workers: int = 1,
    keep_going: bool = False,
    done: Callable[[int, int], None] | None = None,
) -> Iterator[Found]:
    """Weather the storms of many seeds; yields what went wrong, in the order of the seeds.

    Parameters
    ----------
    workers
        Processes.
    keep_going
        Go on after the first storm in which a law broke.
    done
        Told how many storms have passed, and in how many of them a law broke.
    """
    broken = 0
    for passed, found in enumerate(_results(seeds, workers), start=1):
        broken += found is not None
        if done is not None:
            done(passed, broken)
        if found is not None:
            yield found
            if not keep_going:
                return


def _results(seeds: range, workers: int) -> Iterator[Found | None]:
    if workers == 1 or len(seeds) == 1:
        yield from map(weathered, seeds)
        return
    from joblib import Parallel, delayed

    # By portions, so that nobody works on for long after the last one who listens has gone; each told as soon as it is over.
    portion = 32 * workers
    with warnings.catch_warnings(), Parallel(n_jobs=workers, return_as="generator", batch_size=1) as pool:
        warnings.filterwarnings("ignore", "[0-9]+ tasks", UserWarning)  # of those that nobody waits for any more
        for start in range(0, len(seeds), portion):
            yield from pool(delayed(weathered)(seed) for seed in seeds[start : start + portion])
