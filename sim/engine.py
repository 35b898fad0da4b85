"""One run: the only place that makes a Clock and a log.

The run advances in slices of simulated time; between slices the log is flushed and progress is told. Nothing that
happens between slices adds an event or draws a number, so a run that is watched is the run that is not.
"""

import gc
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sim.clock import Clock
from sim.contracts import Policies
from sim.menu import build_policies
from sim.modes import mode_of
from sim.recording import Log, Sink, State
from sim.scenario import Scenario
from sim.scenario.tree import NOWHERE
from sim.streams import Streams
from sim.vocabulary import InputError
from sim.world.build import World
from sim.world.catalogue import Opening

SLICES_S = {"full": 900.0, "goods_only": 86_400.0}
"""Simulated seconds between flushes of the log, by the scenario's mode."""


GARBAGE = 1_000_000
"""Objects that may be alive or lost before the collector looks for those that nobody can reach."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come: simulated seconds, of how many, facts so far, and orders where somebody counts them."""

    now_s: float
    end_s: float
    facts: int
    orders: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run leaves besides its log; `left`: the goods, as the opening of a run that goes on from here."""

    digest: str
    facts: int
    events: int
    cpu_s: float
    wall_s: float
    state: State
    left: Opening


def policies_of(scenario: Scenario, *, allow_code: bool = False) -> Policies:
    """Build the scenario's policies afresh.

    Raises
    ------
    InputError
        An unknown name (lists the menu), a bad parameter, or code in a scenario file without `allow_code`.
    """
    specs = scenario.policies.model_dump()
    places = {family: f"{scenario.origin_of(f'policies.{family}')}: policies.{family}" for family in specs}
    bases = {family: scenario.base_of(f"policies.{family}") for family in specs}
    built = build_policies(specs, places, bases, allow_code=frozenset(specs) if allow_code else scenario.code_allowed)
    sections, layout = getattr(built.picking, "sections", None), scenario.stores.layout
    if sections is not None and scenario.mode == "full":
        if layout is None:
            raise InputError(
                f"{places['picking']}: expected a stores.layout, whose aisles it splits into sections, got none."
            )
        if not (isinstance(sections, int) and 1 <= sections <= layout.aisles):
            raise InputError(
                f"{places['picking']}: expected sections from 1 to {layout.aisles}, the store's aisles, got {sections!r}."
            )
    return built


def simulate(
    world: World,
    sink: Sink,
    *,
    streams: Streams | None = None,
    policies: Policies | None = None,
    laws: Sequence[object] = (),
    progress: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Run a world's day to its end.

    Parameters
    ----------
    world
        Built by `sim.opening.ready_world`, or without a burn-in by `sim.world.build.build_world`.
    sink
        Takes the log's rows as the run goes on.
    streams
        The randomness on the way; the same that the world was drawn with.
    policies
        One per family; built from the scenario by default.
    laws
        Checkers that listen to the facts (`sim.laws`).
    progress
        Called between slices.

    Raises
    ------
    InputError
        A policy's answer, or what it makes of the scenario, will not do.
    """
    with placed(world.scenario):
        return _simulate(world, sink, streams, policies, laws, progress)


def rehearse(world: World, policies: Policies) -> None:
    """Set a world's run up without playing it: what it would refuse before its first moment is refused.

    Raises
    ------
    InputError
        Something does not fit: goods into the slots of a zone, what a forecast is to learn from, a policy's hours.
    """
    with placed(world.scenario):
        env = Clock()
        mode_of(env, Log(env), world, policies, Streams(world.scenario.seed)).start()


@contextmanager
def placed(scenario: Scenario) -> Iterator[None]:
    """Say of what is refused within, by its key alone, where in the scenario the key stands.

    Or where the command line set another key that the refusal names, and nothing of the first.
    """
    try:
        yield
    except InputError as error:
        key, colon, _ = str(error).partition(": ")
        where = scenario.origin_of(key, *_NAMED.findall(str(error))) if colon and _KEY.fullmatch(key) else NOWHERE
        if where == NOWHERE:
            raise
        raise InputError(f"{where}: {error}") from error


_KEY = re.compile(rf"(?:{'|'.join(Scenario.model_fields)})(?:\.\w+)*")
_NAMED = re.compile(rf"\b(?:{'|'.join(Scenario.model_fields)})(?:\.\w+)+")
"""Keys within a text: only those with a dot, for `stores` and its like are words as well."""


def _simulate(
    world: World,
    sink: Sink,
    streams: Streams | None,
    policies: Policies | None,
    laws: Sequence[object],
    progress: Callable[[Progress], None] | None,
) -> Outcome:
    scenario = world.scenario
    streams = streams or Streams(scenario.seed)
    policies = policies or policies_of(scenario)
    cpu, wall = time.process_time(), time.perf_counter()
    env = Clock()
    log = Log(env, laws)
    mode = mode_of(env, log, world, policies, streams)
    mode.start()
    end_s, slice_s = scenario.end_s, SLICES_S[scenario.mode]
    # Our own code makes no cyclic garbage (a test says so) and the world lives to the end, so the collector would walk
    # through it again and again for nothing; a policy of the user's may be less tidy, and is cleaned up after when it
    # matters.
    collecting = gc.isenabled()
    gc.freeze()
    gc.disable()
    try:
        now = 0.0
        while now < end_s:
            if gc.get_count()[0] > GARBAGE:
                gc.collect()
            now = min(now + slice_s, end_s)
            env.advance(now)
            log.flush(sink)
            if progress is not None:
                progress(Progress(now, end_s, log.count))
        mode.close()
        log.close(sink)
    finally:
        gc.unfreeze()
        if collecting:
            gc.enable()
    return Outcome(
        digest=log.digest.hexdigest(),
        facts=log.count,
        events=next(env._eid),
        cpu_s=time.process_time() - cpu,
        wall_s=time.perf_counter() - wall,
        state=mode.state(),
        left=mode.goods.left(),
    )
